/* All that is due when sessions have come: what follows from them together, rules, and what these find. */
#include "findings/findings.h"
#include "storage/derive.h"
#include "storage/sql.h"

#include <stdlib.h>
#include <string.h>

enum fyke_status fyke_findings_take_home(
	struct fyke_database *database, int64_t capture_id, bool *known, struct fyke_error *error)
{
	sqlite3 *db = fyke_database_handle(database);
	struct fyke_networks home;
	sqlite3_stmt *find = NULL;
	enum fyke_status status = fyke_sql_prepare(db,
		"SELECT home_net FROM main.captures WHERE (?1 = 0 OR id = ?1) AND home_net IS NOT NULL ORDER "
		"BY id DESC LIMIT 1",
		&find, error);

	if (status != FYKE_OK)
		return status;
	sqlite3_bind_int64(find, 1, capture_id);
	*known = sqlite3_step(find) == SQLITE_ROW && sqlite3_column_type(find, 0) == SQLITE_TEXT &&
		 fyke_networks_parse((const char *)sqlite3_column_text(find, 0), &home);
	if (*known)
		fyke_database_set_home(database, &home);
	sqlite3_finalize(find);
	return FYKE_OK;
}

static enum fyke_status derive(const struct fyke_findings_job *job, struct fyke_error *error)
{
	struct fyke_database *database;
	enum fyke_status status;

	if (job->derived)
		return FYKE_OK;
	status = fyke_database_open_again(job->path, FYKE_DATABASE_WRITE, &database, error);
	if (status != FYKE_OK)
		return status;
	status = fyke_derive(database, job->capture_id, error);
	fyke_database_close(database);
	return status;
}

struct fyke_findings_ready {
	struct fyke_database *database;
	struct fyke_findings_stage *stage;
};

void fyke_findings_ready_free(struct fyke_findings_ready *ready)
{
	if (ready == NULL)
		return;
	fyke_findings_stage_free(ready->stage);
	fyke_database_close(ready->database);
	free(ready);
}

/* *ready is to be freed also after a failure. */
static enum fyke_status make_ready(
	const struct fyke_findings_job *job, struct fyke_findings_ready **ready, struct fyke_error *error)
{
	struct fyke_findings_ready *made = calloc(1, sizeof(*made));
	bool home_is_known;
	enum fyke_status status;

	*ready = made;
	if (made == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory for findings");
	status = fyke_database_open_again(job->path, FYKE_DATABASE_READ, &made->database, error);
	if (status == FYKE_OK)
		status = fyke_findings_take_home(made->database, job->capture_id, &home_is_known, error);
	if (status == FYKE_OK)
		status = fyke_findings_stage_new(made->database, job->capture_id, &made->stage, error);
	return status;
}

struct fyke_findings_ready *fyke_findings_make_ready(const struct fyke_findings_job *job)
{
	struct fyke_findings_ready *ready;
	struct fyke_error ignored;

	if (make_ready(job, &ready, &ignored) == FYKE_OK)
		return ready;
	fyke_findings_ready_free(ready);
	return NULL;
}

static enum fyke_status find(const struct fyke_findings_job *job, const struct fyke_rules *rules,
	struct fyke_findings *findings, struct fyke_error *error)
{
	struct fyke_findings_ready *ready = job->ready;
	enum fyke_status status = ready == NULL ? make_ready(job, &ready, error) : FYKE_OK;

	if (status == FYKE_OK)
		status = fyke_findings_stage_run(ready->stage, rules, job->threads, findings, error);
	fyke_findings_ready_free(ready);
	return status;
}

static enum fyke_status store(
	const struct fyke_findings_job *job, const struct fyke_findings *findings, struct fyke_error *error)
{
	struct fyke_database *database;
	enum fyke_status status = fyke_database_open_again(job->path, FYKE_DATABASE_WRITE, &database, error);

	if (status != FYKE_OK)
		return status;
	status = fyke_findings_store(database, job->capture_id, findings, error);
	fyke_database_close(database);
	return status;
}

/* A file that was put into the folder since the start and is no rule does not keep ours from running. */
static enum fyke_status load(const struct fyke_findings_job *job, struct fyke_rules *rules, char told[512],
	struct fyke_error *error)
{
	enum fyke_status status = fyke_rules_load(job->rules_folder, rules, error);

	told[0] = '\0';
	if (status == FYKE_OK || job->rules_folder == NULL)
		return status;
	(void)snprintf(told, 512, "%.400s: only the rules that fyke has were run", error->text);
	return fyke_rules_load(NULL, rules, error);
}

static void tell_failures(const struct fyke_findings *findings, char told[512])
{
	for (size_t i = 0; i < findings->outcome_count; i++) {
		const struct fyke_rule_outcome *outcome = &findings->outcomes[i];

		if (outcome->end == FYKE_RULE_FAILED && told[0] == '\0')
			(void)snprintf(
				told, 512, "rule %.100s failed: %s", outcome->rule->name, outcome->reason);
	}
}

enum fyke_status fyke_findings_update(
	const struct fyke_findings_job *job, char told[512], struct fyke_error *error)
{
	struct fyke_findings findings = {.list = NULL};
	struct fyke_rules rules;
	enum fyke_status status = load(job, &rules, told, error);

	if (status == FYKE_OK)
		status = derive(job, error);
	if (status != FYKE_OK)
		fyke_findings_ready_free(job->ready);
	else
		status = find(job, &rules, &findings, error);
	if (status == FYKE_OK) {
		tell_failures(&findings, told);
		status = store(job, &findings, error);
	}
	fyke_findings_release(&findings);
	fyke_rules_release(&rules);
	return status;
}
