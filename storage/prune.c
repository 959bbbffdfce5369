/*
 * Removing the oldest sessions in bounded steps, each a transaction of its own, so that neither the
 * capture nor a reader waits long; freed pages go back to the file system.
 */
#include "storage/prune.h"

#include "storage/captures.h"
#include "storage/sql.h"

#include <sys/statvfs.h>

enum { VACUUM_PAGES = 4096 };

/* A session of a run that is over will not be written again, ended or not. */
static const char choose_sql[] =
	"INSERT INTO temp.doomed SELECT s.id FROM sessions s INDEXED BY sessions_start"
	" JOIN captures c ON c.id = s.capture_id WHERE s.start_us < ?1 AND s.end_us < ?1"
	" AND c.source = 'interface' AND (s.end_reason IS NOT NULL OR c.status <> 'running')"
	" ORDER BY s.start_us LIMIT ?2";

/* Blocks that are older than all that was chosen; where nothing was, the oldest few. */
static const char old_folded_sql[] = "INSERT INTO temp.doomed_blocks SELECT id, sessions FROM "
				     "folded_sessions WHERE last_us < ?1 AND capture_id IN"
				     " (SELECT id FROM captures WHERE source = 'interface') AND last_us < "
				     "CASE (SELECT count(*) FROM temp.doomed)"
				     " WHEN 0 THEN ?1 WHEN ?2 THEN (SELECT max(s.start_us) FROM sessions s "
				     "JOIN temp.doomed d ON d.id = s.id)"
				     " ELSE ?1 END ORDER BY last_us LIMIT 16";

static const char *const old_facts_sql[] = {
	"DELETE FROM hosts WHERE last_seen_us < ?1"
	" AND capture_id IN (SELECT id FROM captures WHERE source = 'interface')",
	"DELETE FROM ports WHERE last_seen_us < ?1"
	" AND capture_id IN (SELECT id FROM captures WHERE source = 'interface')",
	"DELETE FROM port_history WHERE last_us < ?1"
	" AND capture_id IN (SELECT id FROM captures WHERE source = 'interface')",
	"DELETE FROM neighbours WHERE last_us < ?1"
	" AND capture_id IN (SELECT id FROM captures WHERE source = 'interface')",
	"DELETE FROM timeline WHERE start_us + width_us < ?1"
	" AND capture_id IN (SELECT id FROM captures WHERE source = 'interface')",
};

static enum fyke_status forget(
	void *context, const char *table, const char *column, bool cascade, struct fyke_error *error)
{
	sqlite3 *db = context;
	sqlite3_str *sql = sqlite3_str_new(db);

	if (cascade)
		sqlite3_str_appendf(
			sql, "DELETE FROM main.\"%w\" WHERE \"%w\" IN temp.doomed", table, column);
	else
		sqlite3_str_appendf(sql, "UPDATE main.\"%w\" SET \"%w\" = NULL WHERE \"%w\" IN temp.doomed",
			table, column, column);
	return fyke_sql_run_built(db, sql, error);
}

static enum fyke_status delete_step(sqlite3 *db, int64_t cutoff_us, int64_t *count, struct fyke_error *error)
{
	enum fyke_status status = fyke_sql_run(db,
		"CREATE TEMP TABLE IF NOT EXISTS doomed(id INTEGER PRIMARY KEY); DELETE FROM temp.doomed;"
		"CREATE TEMP TABLE IF NOT EXISTS doomed_blocks(id INTEGER PRIMARY KEY, sessions INTEGER);"
		"DELETE FROM temp.doomed_blocks",
		error);
	int64_t rows;

	if (status == FYKE_OK)
		status = fyke_sql_run_with(db, choose_sql, cutoff_us, FYKE_PRUNE_STEP, error);
	if (status == FYKE_OK)
		status = fyke_sql_run_with(db, old_folded_sql, cutoff_us, FYKE_PRUNE_STEP, error);
	rows = fyke_sql_number(db, "SELECT count(*) FROM temp.doomed", 0);
	*count = rows + fyke_sql_number(db, "SELECT sum(sessions) FROM temp.doomed_blocks", 0);
	if (status == FYKE_OK && rows > 0)
		status = fyke_captures_references(db, "sessions", forget, db, error);
	if (status == FYKE_OK && *count > 0)
		status = fyke_sql_run(db,
			"DELETE FROM sessions WHERE id IN temp.doomed;"
			"DELETE FROM folded_sessions WHERE id IN (SELECT id FROM temp.doomed_blocks)",
			error);
	return status;
}

/* One transaction; *count sessions went. */
static enum fyke_status step(sqlite3 *db, int64_t cutoff_us, int64_t *count, struct fyke_error *error)
{
	enum fyke_status status = fyke_sql_run(db, "BEGIN IMMEDIATE", error);

	*count = 0;
	if (status != FYKE_OK)
		return status;
	status = delete_step(db, cutoff_us, count, error);
	if (status == FYKE_OK)
		return fyke_sql_run(db, "COMMIT", error);
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return status;
}

static enum fyke_status give_back(sqlite3 *db, struct fyke_error *error)
{
	char *sql = sqlite3_mprintf("PRAGMA incremental_vacuum(%d)", VACUUM_PAGES);
	enum fyke_status status = sql == NULL ? FYKE_FAILED_MEMORY : fyke_sql_run(db, sql, error);

	sqlite3_free(sql);
	return status;
}

enum fyke_status fyke_prune_older(
	struct sqlite3 *db, int64_t cutoff_us, uint64_t *deleted, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;
	int64_t count = FYKE_PRUNE_STEP, all = 0;

	for (int i = 0; status == FYKE_OK && i < FYKE_PRUNE_STEPS && count >= FYKE_PRUNE_STEP; i++) {
		status = step(db, cutoff_us, &count, error);
		all += status == FYKE_OK ? count : 0;
	}
	for (size_t i = 0; status == FYKE_OK && i < sizeof(old_facts_sql) / sizeof(old_facts_sql[0]); i++)
		status = fyke_sql_run_with(db, old_facts_sql[i], cutoff_us, 0, error);
	*deleted += (uint64_t)all;
	return status == FYKE_OK && all > 0 ? give_back(db, error) : status;
}

static uint64_t pages(sqlite3 *db, const char *pragma)
{
	return (uint64_t)fyke_sql_number(db, pragma, 0);
}

static uint64_t used_bytes(sqlite3 *db)
{
	return (pages(db, "PRAGMA page_count") - pages(db, "PRAGMA freelist_count")) *
	       pages(db, "PRAGMA page_size");
}

enum fyke_status fyke_prune_larger(
	struct sqlite3 *db, uint64_t max_bytes, uint64_t *deleted, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;
	int64_t count = 1;
	bool larger = used_bytes(db) > max_bytes;

	if (!larger && pages(db, "PRAGMA page_count") * pages(db, "PRAGMA page_size") <= max_bytes)
		return FYKE_OK;
	/* A twentieth below the limit, so that not every flush has to come back. */
	for (int i = 0; larger && status == FYKE_OK && i < FYKE_PRUNE_STEPS && count > 0 &&
			used_bytes(db) > max_bytes - max_bytes / 20;
		i++) {
		status = step(db, INT64_MAX, &count, error);
		*deleted += status == FYKE_OK ? (uint64_t)count : 0;
	}
	return status == FYKE_OK ? give_back(db, error) : status;
}

bool fyke_prune_disk_nearly_full(const char *path, unsigned percent)
{
	struct statvfs about;

	if (statvfs(path, &about) != 0 || about.f_blocks == 0)
		return false;
	return (double)about.f_bavail * 100.0 < (double)about.f_blocks * percent;
}
