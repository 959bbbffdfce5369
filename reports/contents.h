/*
 * What was said, summed up from the tables of records: how many rows, and which values are frequent in a few
 * telling columns. Of reports/ alone.
 */
#ifndef FYKE_REPORTS_CONTENTS_H
#define FYKE_REPORTS_CONTENTS_H

#include "analyzer/base/status.h"
#include "reports/tally.h"

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;

enum {
	FYKE_CONTENTS_COLUMNS = 3,
	FYKE_CONTENTS_VALUES =
		128 * 1024 /* different ones of a column: beyond, the rarer half is forgotten */
};

struct fyke_contents_table {
	const char *name;	/* of the table */
	const char *one, *many; /* what a row is */
	struct {
		const char *name, *title; /* title: plural, also the JSON key; NULL: no more columns */
	} columns[FYKE_CONTENTS_COLUMNS];
	const char *sum; /* a column to add up, or NULL */
};

/* Ends with one whose name is NULL. */
extern const struct fyke_contents_table fyke_contents_tables[];

struct fyke_contents {
	int64_t rows, sum;
	struct fyke_tally
		values[FYKE_CONTENTS_COLUMNS]; /* by FYKE_TALLY_SESSIONS: rows; the most frequent first */
};

/* rows 0: the table is not there or has none of this capture (0 = all). Release also after a failure. */
FYKE_MUST_USE enum fyke_status fyke_contents_gather(struct sqlite3 *db,
	const struct fyke_contents_table *table, int64_t capture_id, struct fyke_contents *contents,
	struct fyke_error *error);
void fyke_contents_release(struct fyke_contents *contents);

#endif
