/* The table `findings`: one row for each rule and subject of a capture, however often rules run. */
#include "findings/findings.h"
#include "storage/sql.h"

#include <string.h>

/* What a rule found before and finds no more stays as `gone`; what a rule found that was not run now stays as
 * it is. */
static const char forget_sql[] = "UPDATE findings SET status = 'gone' WHERE capture_id = ?1 AND rule = ?2";

static const char update_sql[] =
	"UPDATE findings SET severity = ?4, title = ?5, session_id = (SELECT id FROM sessions WHERE id = "
	"?6), first_us = ?7, last_us = ?8, "
	"evidence = ?9,"
	" advice = ?10, sessions = ?11, frames = ?12, status = CASE WHEN EXISTS (SELECT 1 FROM findings AS "
	"earlier"
	" WHERE earlier.capture_id < ?1 AND earlier.rule = ?2 AND earlier.subject IS ?3) THEN 'known' ELSE "
	"'new' END"
	" WHERE id = (SELECT min(id) FROM findings WHERE capture_id = ?1 AND rule = ?2 AND subject IS ?3)";

static const char insert_sql[] =
	"INSERT INTO findings(capture_id, rule, subject, severity, title, session_id, first_us, last_us, "
	"evidence,"
	" advice, sessions, frames, status) VALUES(?1, ?2, ?3, ?4, ?5, (SELECT id FROM sessions WHERE id = "
	"?6), ?7, ?8, ?9, ?10, ?11, ?12,"
	" CASE WHEN EXISTS (SELECT 1 FROM findings WHERE capture_id < ?1 AND rule = ?2 AND subject IS ?3)"
	" THEN 'known' ELSE 'new' END)";

static void bind_finding(sqlite3_stmt *statement, int64_t capture_id, const struct fyke_finding *finding)
{
	sqlite3_bind_int64(statement, 1, capture_id);
	fyke_sql_bind_text(statement, 2, finding->rule->name);
	fyke_sql_bind_text(statement, 3, finding->subject);
	fyke_sql_bind_text(statement, 4, fyke_severity_name(finding->severity));
	fyke_sql_bind_text(statement, 5, finding->title);
	fyke_sql_bind_number(statement, 6, finding->session_id);
	fyke_sql_bind_number(statement, 7, finding->first_us);
	fyke_sql_bind_number(statement, 8, finding->last_us);
	fyke_sql_bind_text(statement, 9, finding->evidence);
	fyke_sql_bind_text(statement, 10, finding->advice);
	fyke_sql_bind_text(statement, 11, finding->sessions);
	fyke_sql_bind_text(statement, 12, finding->frames);
}

static enum fyke_status forget(
	sqlite3 *db, int64_t capture_id, const struct fyke_findings *findings, struct fyke_error *error)
{
	sqlite3_stmt *update = NULL;
	enum fyke_status status = fyke_sql_prepare(db, forget_sql, &update, error);

	for (size_t i = 0; status == FYKE_OK && i < findings->outcome_count; i++) {
		if (findings->outcomes[i].end != FYKE_RULE_RAN)
			continue;
		sqlite3_bind_int64(update, 1, capture_id);
		fyke_sql_bind_text(update, 2, findings->outcomes[i].rule->name);
		status = fyke_sql_finish(update, error);
	}
	sqlite3_finalize(update);
	return status;
}

static enum fyke_status store_all(
	sqlite3 *db, int64_t capture_id, const struct fyke_findings *findings, struct fyke_error *error)
{
	sqlite3_stmt *update = NULL, *insert = NULL;
	enum fyke_status status = fyke_sql_prepare(db, update_sql, &update, error);

	if (status == FYKE_OK)
		status = fyke_sql_prepare(db, insert_sql, &insert, error);
	for (size_t i = 0; status == FYKE_OK && i < findings->count; i++) {
		bind_finding(update, capture_id, &findings->list[i]);
		status = fyke_sql_finish(update, error);
		if (status != FYKE_OK || sqlite3_changes(db) > 0)
			continue;
		bind_finding(insert, capture_id, &findings->list[i]);
		status = fyke_sql_finish(insert, error);
	}
	sqlite3_finalize(update);
	sqlite3_finalize(insert);
	return status;
}

enum fyke_status fyke_findings_store(struct fyke_database *database, int64_t capture_id,
	const struct fyke_findings *findings, struct fyke_error *error)
{
	sqlite3 *db = fyke_database_handle(database);
	enum fyke_status status = fyke_sql_run(db, "BEGIN IMMEDIATE", error);

	if (status != FYKE_OK)
		return status;
	status = forget(db, capture_id, findings, error);
	if (status == FYKE_OK)
		status = store_all(db, capture_id, findings, error);
	if (status == FYKE_OK)
		return fyke_sql_run(db, "COMMIT", error);
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return status;
}
