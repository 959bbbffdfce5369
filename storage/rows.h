/*
 * Arrays of structs as tables that SQLite can read: INSERT … SELECT from them is faster than binding
 * each value. For the loader only; one connection, one thread.
 */
#ifndef FYKE_STORAGE_ROWS_H
#define FYKE_STORAGE_ROWS_H

#include "analyzer/base/status.h"
#include "analyzer/session/session.h"
#include "storage/schema.h"

#include <sqlite3.h>

enum { FYKE_ROWS_TEXTS = 4, FYKE_ROWS_TEXT_ROOM = 48 };

/* Room for values that are written out for the row at hand: one for each such column. */
struct fyke_rows_scratch {
	char text[FYKE_ROWS_TEXTS][FYKE_ROWS_TEXT_ROOM];
	unsigned used;
};

struct fyke_rows {
	const void *rows; /* `count` of `size` bytes each; borrowed while a statement runs */
	size_t count, size;
	size_t column_count;
	void (*column)(const struct fyke_rows *rows, const void *row, size_t column,
		struct fyke_rows_scratch *scratch, sqlite3_context *result);
	const void *context;
};

/* Registers `rows` as table fyke_rows_<name> of columns c0, c1 …; `rows` must outlive the connection. */
FYKE_MUST_USE enum fyke_status fyke_rows_register(
	sqlite3 *db, const char *name, const struct fyke_rows *rows, struct fyke_error *error);

/* A session on its way into `sessions` (and `tcp`). */
struct fyke_session_row {
	const struct fyke_session *session;
	int64_t id, capture_id;
	int64_t parent_id, quotes_id; /* FYKE_UNKNOWN: none */
};

/* column() of rows that are struct fyke_session_row; context is the struct fyke_schema_table. */
void fyke_rows_session_column(const struct fyke_rows *rows, const void *row, size_t column,
	struct fyke_rows_scratch *scratch, sqlite3_context *result);

/* A record on its way into its table. */
struct fyke_record_row {
	const struct fyke_record *record;
	int64_t session_id;
	int64_t parent_id; /* of session_parents; else what a value of FYKE_TYPE_SESSION means */
};

/* column() of rows that are struct fyke_record_row; context is the struct fyke_table. */
void fyke_rows_record_column(const struct fyke_rows *rows, const void *row, size_t column,
	struct fyke_rows_scratch *scratch, sqlite3_context *result);

/* Nanoseconds to microseconds, towards the past; unknown stays unknown. */
int64_t fyke_rows_us(int64_t ns);
void fyke_rows_number(sqlite3_context *result, int64_t value);

#endif
