/* Small helpers around sqlite3 that the files of storage/ share; no one else includes this. */
#ifndef FYKE_STORAGE_SQL_H
#define FYKE_STORAGE_SQL_H

#include "analyzer/base/status.h"

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

/* What SQLite reports, as a sentence: disk full, locked, read-only, damaged … */
FYKE_MUST_USE enum fyke_status fyke_sql_failed(sqlite3 *db, struct fyke_error *error);

/* Runs statements that give no rows. */
FYKE_MUST_USE enum fyke_status fyke_sql_run(sqlite3 *db, const char *sql, struct fyke_error *error);
/* The same with what was built; frees it. */
FYKE_MUST_USE enum fyke_status fyke_sql_run_built(sqlite3 *db, sqlite3_str *sql, struct fyke_error *error);

FYKE_MUST_USE enum fyke_status fyke_sql_prepare(
	sqlite3 *db, const char *sql, sqlite3_stmt **statement, struct fyke_error *error);

/* Runs a bound statement to its end and resets it. */
FYKE_MUST_USE enum fyke_status fyke_sql_finish(sqlite3_stmt *statement, struct fyke_error *error);

/* Prepares, binds up to two integers, runs, finalizes. */
FYKE_MUST_USE enum fyke_status fyke_sql_run_with(
	sqlite3 *db, const char *sql, int64_t first, int64_t second, struct fyke_error *error);

/* The first column of the first row; `otherwise` where there is none, it is NULL, or it failed. */
int64_t fyke_sql_number(sqlite3 *db, const char *sql, int64_t otherwise);

/* FYKE_UNKNOWN is NULL. */
void fyke_sql_bind_number(sqlite3_stmt *statement, int index, int64_t value);
/* Untrusted text, escaped where it is not UTF-8; NULL is NULL. */
void fyke_sql_bind_text(sqlite3_stmt *statement, int index, const char *text);
void fyke_sql_bind_bytes(sqlite3_stmt *statement, int index, const char *bytes, size_t length);

/* The value of a function or virtual table: untrusted text, escaped where it is not UTF-8. The bytes
 * must outlive the row. */
void fyke_sql_result_text(sqlite3_context *context, const char *bytes, uint32_t length);

#endif
