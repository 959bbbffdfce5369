/* What changed from one database to another. */
#ifndef FYKE_REPORTS_DIFF_H
#define FYKE_REPORTS_DIFF_H

#include "analyzer/base/status.h"
#include "reports/screen.h"

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;

struct fyke_diff_options {
	const char *old_name, *new_name; /* as the user gave them */
	unsigned top;			 /* rows of a list in the text */
	bool json;
	struct fyke_screen screen;
};

/* `db` has the older database as main and the newer one attached as `later`. */
FYKE_MUST_USE enum fyke_status fyke_diff_write(
	struct sqlite3 *db, const struct fyke_diff_options *options, FILE *out, struct fyke_error *error);

#endif
