/*
 * What was said, summed up from the tables of records: how many rows, and which values are frequent in a few
 * telling columns. Of reports/ alone.
 */
#ifndef FYKE_REPORTS_CONTENTS_H
#define FYKE_REPORTS_CONTENTS_H

#include "analyzer/base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;

enum { FYKE_CONTENTS_COLUMNS = 3 };

struct fyke_contents_table {
	const char *name;	/* of the table */
	const char *one, *many; /* what a row is */
	struct {
		const char *name, *title; /* title: plural, also the JSON key; NULL: no more columns */
	} columns[FYKE_CONTENTS_COLUMNS];
	const char *sum; /* a column of bytes to add up, or NULL */
};

/* Ends with one whose name is NULL. */
extern const struct fyke_contents_table fyke_contents_tables[];

struct fyke_contents_count {
	int64_t rows, sum;
};

/* rows 0: the table is not there or has none of this capture (0 = all). */
FYKE_MUST_USE enum fyke_status fyke_contents_count(struct sqlite3 *db,
	const struct fyke_contents_table *table, int64_t capture_id, struct fyke_contents_count *count,
	struct fyke_error *error);

/* Called for each value, most frequent first, with its rows; `text` is untrusted. */
typedef void fyke_contents_take(void *context, const char *text, int64_t rows);

struct fyke_contents_question {
	const struct fyke_contents_table *table;
	unsigned column;
	int64_t capture_id;
	unsigned most; /* values */
};

/* *more: there are values beyond the most. */
FYKE_MUST_USE enum fyke_status fyke_contents_values(struct sqlite3 *db,
	const struct fyke_contents_question *question, fyke_contents_take *take, void *context, bool *more,
	struct fyke_error *error);

#endif
