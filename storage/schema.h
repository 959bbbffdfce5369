/*
 * The tables and columns of the session database, declared once: CREATE TABLE, the loader, the docs
 * and the reports all read these.
 */
#ifndef FYKE_STORAGE_SCHEMA_H
#define FYKE_STORAGE_SCHEMA_H

#include "analyzer/base/field.h"
#include "analyzer/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct sqlite3;

/* Where the loader finds a column's value; the offset counts from the session, or from its TCP part. */
enum fyke_column_source {
	FYKE_COLUMN_NONE = 0, /* no member: the table's own code fills it in */
	FYKE_COLUMN_ID,
	FYKE_COLUMN_CAPTURE,
	FYKE_COLUMN_PARENT,
	FYKE_COLUMN_QUOTES,
	FYKE_COLUMN_INTEGER,  /* int64_t; FYKE_UNKNOWN is NULL */
	FYKE_COLUMN_UNSIGNED, /* uint64_t */
	FYKE_COLUMN_UNSIGNED32,
	FYKE_COLUMN_BOOLEAN, /* bool */
	FYKE_COLUMN_TIME,    /* int64_t nanoseconds, stored as microseconds */
	FYKE_COLUMN_NAME,    /* const char *, static ASCII */
	FYKE_COLUMN_TEXT,    /* const char *, untrusted */
	FYKE_COLUMN_INLINE,  /* char[], "" is NULL */
	FYKE_COLUMN_ADDRESS, /* struct fyke_address */
	FYKE_COLUMN_MAC,     /* struct fyke_session_side */
	FYKE_COLUMN_STATE,   /* enum fyke_state */
	FYKE_COLUMN_END,     /* enum fyke_end; open is NULL */
	FYKE_COLUMN_FRAMES,  /* the session's inline frame list */
};

struct fyke_column {
	const char *name;
	enum fyke_type type;
	bool required;	 /* NOT NULL */
	const char *sql; /* what else its declaration says, or NULL */
	uint8_t source;	 /* enum fyke_column_source */
	uint16_t offset;
	const char *doc;
};

struct fyke_schema_table {
	const char *name;
	const char *doc;
	const struct fyke_column *columns;
	size_t column_count;
	const char *key; /* PRIMARY KEY columns of a WITHOUT ROWID table; NULL: a rowid table */
};

/* All tables that every database has, in the order in which they are made. Tables of records
 * (struct fyke_table) are not among them. */
const struct fyke_schema_table *const *fyke_schema_tables(size_t *count);
const struct fyke_schema_table *fyke_schema_table(const char *name); /* NULL: no such table */

extern const struct fyke_schema_table fyke_schema_sessions, fyke_schema_tcp;

/* SQL that makes the views, and what they need to be quick; and that drops them. Of storage/schema*.c alone.
 */
FYKE_MUST_USE enum fyke_status fyke_schema_make_views(struct sqlite3 *db, struct fyke_error *error);
extern const char fyke_schema_drop_views[];

/* Makes everything in an empty database, inside the caller's transaction. */
FYKE_MUST_USE enum fyke_status fyke_schema_create(struct sqlite3 *db, struct fyke_error *error);

/* Brings a database of an older schema forward, inside the caller's transaction: tables and columns that
 * it lacks are added, views made anew. Nothing is taken away. */
FYKE_MUST_USE enum fyke_status fyke_schema_complete(struct sqlite3 *db, struct fyke_error *error);

/* The view session_list once more, temporary, over whatever `sessions` means on this connection. */
FYKE_MUST_USE enum fyke_status fyke_schema_show_sessions(struct sqlite3 *db, struct fyke_error *error);

/* The indices over sessions that queries need; made after a load, before which they are dropped, but for
 * those that have few rows. */
FYKE_MUST_USE enum fyke_status fyke_schema_make_indices(struct sqlite3 *db, struct fyke_error *error);
FYKE_MUST_USE enum fyke_status fyke_schema_drop_indices(struct sqlite3 *db, struct fyke_error *error);

/* Tables whose rows come as records: those of the session level, and one for each dissector. Adds
 * columns that an older database lacks. */
FYKE_MUST_USE enum fyke_status fyke_schema_make_record_table(
	struct sqlite3 *db, const struct fyke_table *table, struct fyke_error *error);
/* For all of a list that ends with NULL, in one transaction: those that there are get the columns that they
 * lack, the others stand as views without rows until their first record comes. NULL: nothing to do. */
FYKE_MUST_USE enum fyke_status fyke_schema_announce_record_tables(
	struct sqlite3 *db, const struct fyke_table *const *tables, struct fyke_error *error);
/* The tables of the session level itself. */
const struct fyke_table *const *fyke_schema_record_tables(size_t *count);

/* The columns in front of a record table's own fields (session_id, n, frame, time_us; of
 * session_frames only session_id), and whether a field is a column of its own: parent_frame and
 * parent_ordinal become parent_id. */
size_t fyke_schema_record_prefix(const struct fyke_table *table);

/* docs/database.md: all of the above in words. */
void fyke_storage_write_docs(FILE *out);

bool fyke_schema_has_column(struct sqlite3 *db, const char *table, const char *column);
const char *fyke_schema_type_sql(enum fyke_type type); /* of a column */

#endif
