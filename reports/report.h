/*
 * Reports about what a database holds: a summary for people and one JSON object for programs
 * (reports/report.schema.json). Both read the database only, so they can be made again at any time.
 */
#ifndef FYKE_REPORTS_REPORT_H
#define FYKE_REPORTS_REPORT_H

#include "analyzer/base/field.h"
#include "analyzer/base/status.h"
#include "reports/screen.h"
#include "storage/database.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { FYKE_REPORT_ALL = 0, FYKE_REPORT_LAST = -1 }; /* else a capture's id */

struct fyke_report_options {
	int64_t capture;      /* which captures it is about; a zeroed struct means all */
	const char *version;  /* of fyke */
	const char *database; /* its path as the user gave it, for what to type next; NULL: fyke.db */
	unsigned top;	      /* rows of lists in the text and talkers in JSON; 0 = 10 */
	/* A phrase for a reason of refusal ("arp"), NULL for one it does not know; may be NULL. */
	const char *(*refusal_words)(const char *reason);
	bool sessions;				/* JSON: with all sessions */
	const struct fyke_table *const *tables; /* of their records, ends with NULL; NULL = only those of the
						   session level */
	struct fyke_screen screen;		/* text: what it goes to (fyke_screen_of) */
};

/* "last", "all" or an id; false otherwise. */
bool fyke_report_parse_capture(const char *text, int64_t *capture);

/* What was parsed, as an id: 0 for all, and where there is no capture at all. */
FYKE_MUST_USE enum fyke_status fyke_report_find_capture(
	struct fyke_database *database, int64_t asked, int64_t *capture_id, struct fyke_error *error);

/* FYKE_FAILED_USAGE where the capture asked for is not in the database. A database without captures
 * gives a report that says so. Write errors stand in ferror(out). */
FYKE_MUST_USE enum fyke_status fyke_report_text(struct fyke_database *database,
	const struct fyke_report_options *options, FILE *out, struct fyke_error *error);
FYKE_MUST_USE enum fyke_status fyke_report_json(struct fyke_database *database,
	const struct fyke_report_options *options, FILE *out, struct fyke_error *error);

#endif
