/*
 * SQL of the user's: reading only, and bounded.
 *
 * Read-only mode alone lets VACUUM INTO and ATTACH write files, so an authorizer names what may be.
 */
#include "storage/database.h"

#include "storage/database_internal.h"
#include "storage/sql.h"

#include <time.h>

enum { STEPS_AT_ONCE = 10000, LENGTH_MAX = 64 * 1024 * 1024, SQL_LENGTH_MAX = 1024 * 1024 };

static int allowed(int yes)
{
	return yes ? SQLITE_OK : SQLITE_DENY;
}

static int authorize(void *context, int action, const char *first, const char *second, const char *database,
	const char *trigger)
{
	(void)context, (void)first, (void)database, (void)trigger;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		return allowed(second != NULL && sqlite3_stricmp(second, "load_extension") != 0 &&
			       sqlite3_stricmp(second, "fts3_tokenizer") != 0);
	default:
		return SQLITE_DENY;
	}
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* A statement begins: its steps and its time count from here. Those that our own functions run inside
 * of another count to that one. */
static int on_statement(unsigned event, void *context, void *statement, void *sql)
{
	struct fyke_database *database = context;

	(void)event, (void)sql;
	for (sqlite3_stmt *other = sqlite3_next_stmt(database->db, NULL); other != NULL;
		other = sqlite3_next_stmt(database->db, other)) {
		if (other != statement && sqlite3_stmt_busy(other))
			return 0;
	}
	database->steps = 0;
	database->deadline_ns = now_ns() + (int64_t)database->seconds_max * 1000000000;
	return 0;
}

static int on_progress(void *context)
{
	struct fyke_database *database = context;

	database->steps += STEPS_AT_ONCE;
	return database->steps > database->steps_max || now_ns() > database->deadline_ns;
}

enum fyke_status fyke_database_restrict(struct fyke_database *database, struct fyke_error *error)
{
	return fyke_database_restrict_to(database, FYKE_DATABASE_STEPS_MAX, FYKE_DATABASE_SECONDS_MAX, error);
}

enum fyke_status fyke_database_restrict_to(
	struct fyke_database *database, uint64_t steps, unsigned seconds, struct fyke_error *error)
{
	sqlite3 *db = database->db;

	database->steps_max = steps;
	database->seconds_max = seconds;

	/* Before the authorizer denies it; table-valued functions declare their tables at their first use. */
	if (fyke_sql_run(db,
		    "PRAGMA query_only = ON; PRAGMA cell_size_check = ON; SELECT 1 FROM fyke_frames(0);"
		    "SELECT 1 FROM json_each('[]'); SELECT 1 FROM json_tree('[]')",
		    error) != FYKE_OK)
		return error != NULL ? error->status : FYKE_FAILED_DATABASE;
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, LENGTH_MAX);
	sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, SQL_LENGTH_MAX);
	sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
	(void)on_statement(0, database, NULL, NULL);
	sqlite3_trace_v2(db, SQLITE_TRACE_STMT, on_statement, database);
	sqlite3_progress_handler(db, STEPS_AT_ONCE, on_progress, database);
	if (sqlite3_set_authorizer(db, authorize, database) != SQLITE_OK)
		return fyke_sql_failed(db, error);
	return FYKE_OK;
}
