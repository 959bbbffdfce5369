/* The report's object "contents". Of reports/ alone. */
#ifndef FYKE_REPORTS_JSON_CONTENTS_H
#define FYKE_REPORTS_JSON_CONTENTS_H

#include "reports/facts.h"

#include <jansson.h>

/* A new reference in *object; on a failure NULL. `most`: values a column. */
FYKE_MUST_USE enum fyke_status fyke_json_contents(struct sqlite3 *db, const struct fyke_facts *facts,
	unsigned most, json_t **object, struct fyke_error *error);

#endif
