/* Rows of a database as JSON objects: text made UTF-8, integers exact, NULL null, no key twice. */
#ifndef FYKE_REPORTS_JSON_ROW_H
#define FYKE_REPORTS_JSON_ROW_H

#include "analyzer/base/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct sqlite3_stmt;

struct fyke_json_column {
	const char *key; /* borrowed */
	bool is_boolean;
};

/* One value; a new reference, NULL when memory is out. Blobs are hexadecimal text. */
json_t *fyke_json_value(struct sqlite3_stmt *row, int column, bool is_boolean);
/* A list of integers that stands as JSON text in the database; what is something else is left out. A new
 * reference; `text` may be NULL. */
json_t *fyke_json_integers(const char *text);
/* Any bytes as a JSON string. */
json_t *fyke_json_text(const char *bytes, size_t length);

/* The row's first `count` columns; a new reference, NULL when memory is out. */
json_t *fyke_json_row(struct sqlite3_stmt *row, const struct fyke_json_column *columns, size_t count);

/* Writes it on one line, without a newline, and drops the reference. False when `value` is NULL or memory
 * is out. `ascii` for terminals: they would act on the controls that JSON leaves as they are. */
bool fyke_json_write(json_t *value, bool ascii, FILE *out);

#endif
