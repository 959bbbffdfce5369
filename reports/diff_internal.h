/* What the parts of a comparison share. Of reports/diff*.c alone. */
#ifndef FYKE_REPORTS_DIFF_INTERNAL_H
#define FYKE_REPORTS_DIFF_INTERNAL_H

#include "reports/diff.h"
#include "reports/tally.h"

#include <jansson.h>

/* Sessions and bytes of a service, by side: 0 is the older database, `main`, 1 the newer, `later`. */
struct fyke_diff_service {
	const char *name; /* service/transport; borrowed from a tally */
	int64_t n[2], bytes[2];
};

struct fyke_diff {
	struct sqlite3 *db;
	const struct fyke_diff_options *options;
	FILE *out;
	struct fyke_error *error;
	double seconds[2]; /* observed */
	bool ascii;
	size_t written; /* members of the JSON array at hand */
	struct fyke_tally tallies[2];
	struct fyke_diff_service *services; /* those with the most sessions first */
	size_t service_count;
	int64_t folded[2]; /* sessions that stand in blocks, by side */
};

FYKE_MUST_USE enum fyke_status fyke_diff_count_services(struct fyke_diff *diff);
void fyke_diff_release_services(struct fyke_diff *diff);

/* The next member of the array at hand; takes the reference. False when memory is out. */
FYKE_MUST_USE bool fyke_diff_put(struct fyke_diff *diff, json_t *object);

/* What both sides have, and how much it shifted. */
FYKE_MUST_USE enum fyke_status fyke_diff_shifts(struct fyke_diff *diff);

#endif
