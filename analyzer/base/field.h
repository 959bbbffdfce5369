/*
 * Fields and records: how a level that finds facts declares them once. A table's fields give its
 * SQLite columns, its JSON keys and its page in the docs.
 */
#ifndef FYKE_BASE_FIELD_H
#define FYKE_BASE_FIELD_H

#include <stddef.h>
#include <stdint.h>

enum fyke_type {
	FYKE_TYPE_INTEGER, /* SQLite INTEGER, JSON integer */
	FYKE_TYPE_BOOLEAN, /* SQLite INTEGER 0/1, JSON boolean */
	FYKE_TYPE_TEXT,	   /* SQLite TEXT; bytes that are not UTF-8 are escaped as \xNN by the writer */
	FYKE_TYPE_BLOB,
	FYKE_TYPE_SESSION, /* SQLite and JSON: the id of another session */
};

struct fyke_field {
	const char *name; /* SQL column and JSON key; the unit is part of it (…_us, …_bytes) */
	enum fyke_type type;
	const char *doc; /* one sentence */
};

struct fyke_table {
	const char *name;
	const char *doc;
	const struct fyke_field *fields;
	size_t field_count;
};

/* One value; a zeroed one is NULL. Text and blobs are borrowed from the record's arena. */
struct fyke_value {
	enum { FYKE_VALUE_NULL = 0, FYKE_VALUE_INTEGER, FYKE_VALUE_BYTES, FYKE_VALUE_SESSION } kind;
	uint32_t length; /* of bytes; of a session: the ordinal of its birth */
	union {
		int64_t integer; /* of a session: the frame of its birth */
		const char *bytes;
	};
};

/* One row of `table` for one session. `n` counts a session's records of all tables, from 0, so
 * (session, n) is unique and later parts follow earlier ones. */
struct fyke_record {
	struct fyke_record *next; /* within the session, ascending n */
	const struct fyke_table *table;
	uint32_t n;
	uint64_t frame;
	int64_t time_ns;
	const struct fyke_value *values; /* field_count of them */
};

#endif
