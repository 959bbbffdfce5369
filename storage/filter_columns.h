/*
 * The columns that questions may name: those of `sessions`, of `tcp`, of every table with a row per
 * record, and a few that are computed. Read from the database itself, so a new dissector's table can
 * be asked for without a word here. Names from outside reach SQL only by way of this list.
 */
#ifndef FYKE_STORAGE_FILTER_COLUMNS_H
#define FYKE_STORAGE_FILTER_COLUMNS_H

#include "analyzer/base/status.h"

#include <stdbool.h>
#include <stddef.h>

struct sqlite3;
struct fyke_filter_columns;

enum fyke_filter_column_kind {
	FYKE_FILTER_INTEGER,
	FYKE_FILTER_TEXT,
	FYKE_FILTER_INSTANT,  /* microseconds since the epoch */
	FYKE_FILTER_DURATION, /* microseconds */
	FYKE_FILTER_BYTES,
	FYKE_FILTER_BLOB,
};

enum fyke_filter_column_home {
	FYKE_FILTER_SESSION,
	FYKE_FILTER_TCP,
	FYKE_FILTER_COMPUTED, /* from columns of `sessions`, and of `tcp` where uses_tcp */
	FYKE_FILTER_RECORD,   /* of a table with rows per record: in filters only */
};

struct fyke_filter_column {
	const char *name;  /* as asked for: "client_ip", "duration_us", "http.host" */
	const char *table; /* of a record column: the SQL name, quoted; else NULL */
	const char *sql;   /* expression over sessions AS s, tcp AS t, or the record's table AS r */
	enum fyke_filter_column_kind kind;
	enum fyke_filter_column_home home;
	bool uses_tcp;
};

FYKE_MUST_USE enum fyke_status fyke_filter_columns_load(
	struct sqlite3 *db, struct fyke_filter_columns **columns, struct fyke_error *error);
void fyke_filter_columns_free(struct fyke_filter_columns *columns);

/* By name, not minding case; also by alias ("duration", "protocol", "sni"). NULL when there is none. */
const struct fyke_filter_column *fyke_filter_columns_find(
	const struct fyke_filter_columns *columns, const char *name);
/* The quoted SQL name of a table with rows per record, or NULL. */
const char *fyke_filter_columns_record_table(const struct fyke_filter_columns *columns, const char *name);
/* All, sessions' first, in the order of the schema. */
const struct fyke_filter_column *fyke_filter_columns_list(
	const struct fyke_filter_columns *columns, size_t *count);
/* What the user may have meant; NULL when nothing is near. */
const char *fyke_filter_columns_nearest(const struct fyke_filter_columns *columns, const char *name);

#endif
