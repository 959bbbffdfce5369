/*
 * Runs rules: what they may read is made first (contacts, views of the one capture), then the connection is
 * restricted to reading, then each rule has its say.
 *
 * Temporary views called like the tables show only the capture that is asked about, so that a rule is a plain
 * question without a word of captures.
 */
#include "findings/run_parts.h"
#include "storage/folded.h"
#include "storage/sql.h"

#include <stdlib.h>

/* The plus keeps the planner from an index that most rows would match. */
static enum fyke_status make_views(sqlite3 *db, int64_t capture_id, struct fyke_error *error)
{
	static const struct {
		const char *table, *column, *from;
	} list[] = {{"sessions", "capture_id", "main.sessions"}, {"folded", "capture_id", "fyke_folded"},
		{"hosts", "capture_id", "main.hosts"}, {"ports", "capture_id", "main.ports"},
		{"port_history", "capture_id", "main.port_history"},
		{"timeline", "capture_id", "main.timeline"}, {"neighbours", "capture_id", "main.neighbours"},
		{"captures", "id", "main.captures"}};
	enum fyke_status status = FYKE_OK;

	if (capture_id == 0)
		status = fyke_sql_run(db, "CREATE TEMP VIEW folded AS SELECT * FROM fyke_folded", error);
	for (size_t i = 0; capture_id != 0 && status == FYKE_OK && i < sizeof(list) / sizeof(list[0]); i++) {
		sqlite3_str *sql = sqlite3_str_new(db);

		sqlite3_str_appendf(sql, "CREATE TEMP VIEW %s AS SELECT * FROM %s WHERE +%s = %lld",
			list[i].table, list[i].from, list[i].column, (long long)capture_id);
		status = fyke_sql_run_built(db, sql, error);
	}
	return status;
}

/* What was found so far, for cards. */
static void sign_column(const struct fyke_rows *rows, const void *data, size_t column,
	struct fyke_rows_scratch *scratch, sqlite3_context *result)
{
	const struct fyke_finding *f = data;
	const char *const texts[] = {
		f->rule->name, f->host, f->subject, fyke_severity_name(f->severity), f->title, f->evidence};
	const int64_t numbers[] = {f->session_id, f->first_us, f->last_us};

	(void)rows, (void)scratch;
	if (column >= 6)
		fyke_rows_number(result, numbers[column - 6]);
	else if (texts[column] != NULL)
		sqlite3_result_text(result, texts[column], -1, SQLITE_STATIC);
}

static const char signs_sql[] =
	"CREATE TEMP VIEW signs AS SELECT c0 AS rule, c1 AS host, c2 AS subject, c3 AS severity, c4 AS title,"
	" c5 AS evidence, c6 AS session_id, c7 AS first_us, c8 AS last_us FROM fyke_rows_signs";

/* A virtual table declares itself at its first use, which the authorizer would deny. */
static enum fyke_status make_signs(sqlite3 *db, const struct fyke_rows *signs, struct fyke_error *error)
{
	enum fyke_status status = fyke_rows_register(db, "signs", signs, error);

	if (status == FYKE_OK)
		status = fyke_sql_run(db, signs_sql, error);
	return status == FYKE_OK ? fyke_sql_run(db,
					   "SELECT 1 FROM signs; SELECT 1 FROM contacts LIMIT 1; SELECT 1 "
					   "FROM fyke_folded LIMIT 1",
					   error)
				 : status;
}

static enum fyke_status make_room(struct fyke_findings_stage *stage, struct fyke_error *error)
{
	sqlite3 *db = fyke_database_handle(stage->database);
	enum fyke_status status =
		fyke_sql_run(db, "PRAGMA query_only = OFF; PRAGMA temp_store = MEMORY", error);

	if (status == FYKE_OK)
		status = fyke_contacts_new(db, stage->capture_id, &stage->contacts, error);
	if (status == FYKE_OK)
		status = make_views(db, stage->capture_id, error);
	return status == FYKE_OK ? make_signs(db, &stage->signs, error) : status;
}

/* What another connection shows as signs: nothing. */
static const struct fyke_rows no_signs = {
	.size = sizeof(struct fyke_finding), .column_count = 9, .column = sign_column};

static enum fyke_status make_room_again(
	const struct fyke_findings_stage *stage, struct fyke_database *another, struct fyke_error *error)
{
	sqlite3 *db = fyke_database_handle(another);
	enum fyke_status status =
		fyke_sql_run(db, "PRAGMA query_only = OFF; PRAGMA temp_store = MEMORY", error);

	fyke_database_set_home(another, fyke_database_home(stage->database));
	if (status == FYKE_OK)
		status = fyke_contacts_show(stage->contacts, db, error);
	if (status == FYKE_OK)
		status = make_views(db, stage->capture_id, error);
	if (status == FYKE_OK)
		status = make_signs(db, &no_signs, error);
	return status == FYKE_OK ? fyke_database_restrict_to(
					   another, FYKE_DATABASE_STEPS_MAX, FYKE_RULE_SECONDS_MAX, error)
				 : status;
}

enum fyke_status fyke_findings_stage_open_another(
	struct fyke_findings_stage *stage, struct fyke_database **database, struct fyke_error *error)
{
	const char *path = sqlite3_db_filename(fyke_database_handle(stage->database), "main");
	enum fyke_status status = fyke_database_open_again(path, FYKE_DATABASE_READ, database, error);

	if (status != FYKE_OK)
		return status;
	status = make_room_again(stage, *database, error);
	if (status != FYKE_OK)
		fyke_database_close(*database);
	return status;
}

enum fyke_status fyke_findings_stage_new(struct fyke_database *database, int64_t capture_id,
	struct fyke_findings_stage **stage, struct fyke_error *error)
{
	struct fyke_findings_stage *made = calloc(1, sizeof(*made));
	enum fyke_status status;

	*stage = NULL;
	if (made == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory for findings");
	made->database = database;
	made->capture_id = capture_id;
	made->signs = no_signs;
	status = make_room(made, error);
	if (status == FYKE_OK)
		*stage = made;
	else
		fyke_findings_stage_free(made);
	return status;
}

enum fyke_status fyke_findings_stage_run(struct fyke_findings_stage *stage, const struct fyke_rules *rules,
	unsigned threads, struct fyke_findings *findings, struct fyke_error *error)
{
	enum fyke_status status = fyke_database_restrict_to(
		stage->database, FYKE_DATABASE_STEPS_MAX, FYKE_RULE_SECONDS_MAX, error);

	*findings = (struct fyke_findings){.list = NULL};
	if (status == FYKE_OK)
		status = fyke_findings_run_all(stage, rules, threads, findings, error);
	findings->left_out_sessions = fyke_contacts_left_out(stage->contacts);
	if (status != FYKE_OK)
		fyke_findings_release(findings);
	return status;
}

void fyke_findings_stage_free(struct fyke_findings_stage *stage)
{
	sqlite3 *db;

	if (stage == NULL)
		return;
	db = fyke_database_handle(stage->database);
	fyke_contacts_free(stage->contacts, db);
	(void)sqlite3_create_module_v2(db, "fyke_rows_signs", NULL, NULL, NULL);
	free(stage);
}

enum fyke_status fyke_findings_run(struct fyke_database *database, int64_t capture_id,
	const struct fyke_rules *rules, struct fyke_findings *findings, struct fyke_error *error)
{
	struct fyke_findings_stage *stage;
	enum fyke_status status = fyke_findings_stage_new(database, capture_id, &stage, error);

	*findings = (struct fyke_findings){.list = NULL};
	if (status == FYKE_OK)
		status = fyke_findings_stage_run(stage, rules, FYKE_FINDINGS_THREADS_MAX, findings, error);
	fyke_findings_stage_free(stage);
	return status;
}
