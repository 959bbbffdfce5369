/*
 * Runs rules: what they may read is made first (contacts, views of the one capture), then the connection is
 * restricted to reading, then each rule has its say.
 *
 * Temporary views called like the tables show only the capture that is asked about, so that a rule is a plain
 * question without a word of captures.
 */
#include "findings/contacts.h"
#include "findings/findings.h"
#include "storage/folded.h"
#include "storage/rows.h"
#include "storage/sql.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t now_us(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

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

static enum fyke_status make_room(sqlite3 *db, int64_t capture_id, const struct fyke_rows *signs,
	struct fyke_contacts **contacts, struct fyke_error *error)
{
	enum fyke_status status =
		fyke_sql_run(db, "PRAGMA query_only = OFF; PRAGMA temp_store = MEMORY", error);

	if (status == FYKE_OK)
		status = fyke_contacts_new(db, capture_id, contacts, error);
	if (status == FYKE_OK)
		status = make_views(db, capture_id, error);
	if (status == FYKE_OK)
		status = fyke_rows_register(db, "signs", signs, error);
	if (status == FYKE_OK)
		status = fyke_sql_run(db, signs_sql, error);
	/* A virtual table declares itself at its first use, which the authorizer would deny. */
	return status == FYKE_OK ? fyke_sql_run(db,
					   "SELECT 1 FROM signs; SELECT 1 FROM contacts LIMIT 1; SELECT 1 "
					   "FROM fyke_folded LIMIT 1",
					   error)
				 : status;
}

enum column {
	SUBJECT,
	TITLE,
	SEVERITY,
	HOST,
	EVIDENCE,
	ADVICE,
	SESSION,
	SESSIONS,
	FRAMES,
	FIRST,
	LAST,
	COLUMN_COUNT
};

static const char *const column_names[COLUMN_COUNT] = {"subject", "title", "severity", "host", "evidence",
	"advice", "session_id", "sessions", "frames", "first_us", "last_us"};

static void find_columns(sqlite3_stmt *statement, int places[COLUMN_COUNT])
{
	for (int c = 0; c < COLUMN_COUNT; c++) {
		places[c] = -1;
		for (int i = 0; i < sqlite3_column_count(statement); i++) {
			if (sqlite3_stricmp(sqlite3_column_name(statement, i), column_names[c]) == 0)
				places[c] = i;
		}
	}
}

/* A copy, cut to a length that is bearable, whole characters; *failed when memory is out. */
static char *copy_text(const char *text, bool *failed)
{
	size_t length = strnlen(text, FYKE_FINDING_TEXT_MAX);
	char *copy;

	while (length == FYKE_FINDING_TEXT_MAX && length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	copy = strndup(text, length);
	if (copy == NULL)
		*failed = true;
	return copy;
}

static char *take_text(sqlite3_stmt *row, int place, const char *otherwise, bool *failed)
{
	const char *text = place < 0 ? NULL : (const char *)sqlite3_column_text(row, place);

	text = text != NULL ? text : otherwise;
	return text == NULL ? NULL : copy_text(text, failed);
}

static int64_t take_number(sqlite3_stmt *row, int place)
{
	if (place < 0 || sqlite3_column_type(row, place) != SQLITE_INTEGER)
		return FYKE_UNKNOWN;
	return sqlite3_column_int64(row, place);
}

static char *list_of(int64_t number, bool *failed)
{
	char text[40], *copy;

	if (number == FYKE_UNKNOWN)
		return NULL;
	(void)snprintf(text, sizeof(text), "[%lld]", (long long)number);
	copy = strdup(text);
	*failed = *failed || copy == NULL;
	return copy;
}

static int64_t first_frame(sqlite3 *db, int64_t session_id)
{
	sqlite3_stmt *find = NULL;
	int64_t frame = FYKE_UNKNOWN;
	struct fyke_error ignored;

	if (session_id == FYKE_UNKNOWN ||
		fyke_sql_prepare(db, "SELECT first_frame FROM " FYKE_ALL_SESSIONS " WHERE id = ?1", &find,
			&ignored) != FYKE_OK)
		return FYKE_UNKNOWN;
	sqlite3_bind_int64(find, 1, session_id);
	if (sqlite3_step(find) == SQLITE_ROW)
		frame = sqlite3_column_int64(find, 0);
	sqlite3_finalize(find);
	return frame;
}

/* Room for all that one rule may add: cards read the list while they run, so it must not move. */
static bool make_space(struct fyke_findings *findings)
{
	size_t needed = findings->count + FYKE_FINDINGS_OF_RULE_MAX, room = findings->room * 2;
	struct fyke_finding *larger;

	if (needed <= findings->room)
		return true;
	room = room < needed ? needed : room;
	larger = realloc(findings->list, room * sizeof(*larger));
	if (larger == NULL)
		return false;
	findings->list = larger;
	findings->room = room;
	return true;
}

static void release_finding(struct fyke_finding *finding)
{
	free(finding->title);
	free(finding->subject);
	free(finding->host);
	free(finding->evidence);
	free(finding->advice);
	free(finding->sessions);
	free(finding->frames);
}

static bool take_row(struct fyke_findings *findings, const struct fyke_rule *rule, sqlite3 *db,
	sqlite3_stmt *row, const int places[COLUMN_COUNT])
{
	bool failed = false;
	struct fyke_finding finding = {.rule = rule, .severity = rule->severity};
	const char *severity =
		places[SEVERITY] < 0 ? NULL : (const char *)sqlite3_column_text(row, places[SEVERITY]);

	if (severity != NULL)
		(void)fyke_severity_find(severity, &finding.severity);
	finding.title = take_text(row, places[TITLE], rule->title, &failed);
	finding.subject = take_text(row, places[SUBJECT], "", &failed);
	finding.host = take_text(row, places[HOST], NULL, &failed);
	finding.evidence = take_text(row, places[EVIDENCE], NULL, &failed);
	finding.advice = take_text(row, places[ADVICE], rule->advice, &failed);
	finding.session_id = take_number(row, places[SESSION]);
	finding.first_us = take_number(row, places[FIRST]);
	finding.last_us = take_number(row, places[LAST]);
	finding.sessions = take_text(row, places[SESSIONS], NULL, &failed);
	if (finding.sessions == NULL)
		finding.sessions = list_of(finding.session_id, &failed);
	finding.frames = take_text(row, places[FRAMES], NULL, &failed);
	if (finding.frames == NULL)
		finding.frames = list_of(first_frame(db, finding.session_id), &failed);
	if (failed)
		release_finding(&finding);
	else
		findings->list[findings->count++] = finding;
	return !failed;
}

static void give_up(struct fyke_rule_outcome *outcome, enum fyke_rule_end end, const char *reason)
{
	outcome->end = end;
	(void)snprintf(outcome->reason, sizeof(outcome->reason), "%s", reason);
}

/* A database without HTTP has no table `http`: that is no fault of the rule. */
static bool lacks_table(const char *message)
{
	return strncmp(message, "no such table: ", 15) == 0 || strncmp(message, "no such column: ", 16) == 0;
}

static bool bind_numbers(
	sqlite3_stmt *statement, const struct fyke_rule *rule, struct fyke_rule_outcome *outcome)
{
	for (int i = 1; i <= sqlite3_bind_parameter_count(statement); i++) {
		const char *name = sqlite3_bind_parameter_name(statement, i);
		size_t n = 0;

		while (n < rule->number_count &&
			(name == NULL || strcmp(name + 1, rule->numbers[n].name) != 0))
			n++;
		if (n == rule->number_count) {
			give_up(outcome, FYKE_RULE_FAILED, "a parameter has no line `with:`");
			return false;
		}
		sqlite3_bind_double(statement, i, rule->numbers[n].value);
	}
	return true;
}

static bool prepare_rule(sqlite3 *db, const struct fyke_rule *rule, sqlite3_stmt **statement,
	struct fyke_rule_outcome *outcome)
{
	const char *tail = NULL;

	if (sqlite3_prepare_v2(db, rule->sql, -1, statement, &tail) != SQLITE_OK) {
		give_up(outcome, lacks_table(sqlite3_errmsg(db)) ? FYKE_RULE_SKIPPED : FYKE_RULE_FAILED,
			sqlite3_errmsg(db));
		return false;
	}
	if (*statement == NULL || tail[strspn(tail, " \t\r\n;")] != '\0') {
		give_up(outcome, FYKE_RULE_FAILED, "a rule is one query");
		return false;
	}
	return bind_numbers(*statement, rule, outcome);
}

/* False: memory is out. */
static bool run_rule(sqlite3 *db, const struct fyke_rule *rule, struct fyke_findings *findings,
	struct fyke_rule_outcome *outcome)
{
	sqlite3_stmt *statement = NULL;
	int places[COLUMN_COUNT], step = SQLITE_DONE;
	int64_t began = now_us();
	bool good = true;

	if (prepare_rule(db, rule, &statement, outcome)) {
		find_columns(statement, places);
		while (good && (step = sqlite3_step(statement)) == SQLITE_ROW) {
			if (outcome->found++ < FYKE_FINDINGS_OF_RULE_MAX)
				good = take_row(findings, rule, db, statement, places);
			else
				outcome->left_out++;
		}
		if (good && step != SQLITE_DONE)
			give_up(outcome, FYKE_RULE_FAILED,
				step == SQLITE_INTERRUPT ? "it took too long" : sqlite3_errmsg(db));
	}
	sqlite3_finalize(statement);
	outcome->elapsed_us = now_us() - began;
	return good;
}

static enum fyke_status run_all(sqlite3 *db, const struct fyke_rules *rules, struct fyke_rows *signs,
	struct fyke_findings *findings, struct fyke_error *error)
{
	findings->outcomes = calloc(rules->count + 1, sizeof(*findings->outcomes));
	if (findings->outcomes == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory for findings");
	for (size_t i = 0; i < rules->count; i++) {
		findings->outcomes[i].rule = &rules->list[i];
		findings->outcome_count = i + 1;
		if (!make_space(findings))
			return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory for findings");
		signs->rows = findings->list;
		signs->count = strncmp(rules->list[i].name, "card-", 5) == 0 ? findings->count : 0;
		if (!run_rule(db, &rules->list[i], findings, &findings->outcomes[i]))
			return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory for findings");
	}
	return FYKE_OK;
}

struct fyke_findings_stage {
	struct fyke_database *database;
	struct fyke_contacts *contacts;
	struct fyke_rows signs;
};

enum fyke_status fyke_findings_stage_new(struct fyke_database *database, int64_t capture_id,
	struct fyke_findings_stage **stage, struct fyke_error *error)
{
	struct fyke_findings_stage *made = calloc(1, sizeof(*made));
	enum fyke_status status;

	*stage = NULL;
	if (made == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory for findings");
	made->database = database;
	made->signs = (struct fyke_rows){
		.size = sizeof(struct fyke_finding), .column_count = 9, .column = sign_column};
	status = make_room(fyke_database_handle(database), capture_id, &made->signs, &made->contacts, error);
	if (status == FYKE_OK)
		*stage = made;
	else
		fyke_findings_stage_free(made);
	return status;
}

enum fyke_status fyke_findings_stage_run(struct fyke_findings_stage *stage, const struct fyke_rules *rules,
	struct fyke_findings *findings, struct fyke_error *error)
{
	enum fyke_status status = fyke_database_restrict_to(
		stage->database, FYKE_DATABASE_STEPS_MAX, FYKE_RULE_SECONDS_MAX, error);

	*findings = (struct fyke_findings){.list = NULL};
	if (status == FYKE_OK)
		status =
			run_all(fyke_database_handle(stage->database), rules, &stage->signs, findings, error);
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
		status = fyke_findings_stage_run(stage, rules, findings, error);
	fyke_findings_stage_free(stage);
	return status;
}

void fyke_findings_release(struct fyke_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		release_finding(&findings->list[i]);
	free(findings->list);
	free(findings->outcomes);
	*findings = (struct fyke_findings){.list = NULL};
}
