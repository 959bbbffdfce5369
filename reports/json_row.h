/* Rows of a database as JSON objects: text made UTF-8, integers exact, NULL null, no key twice. */
#ifndef FYKE_REPORTS_JSON_ROW_H
#define FYKE_REPORTS_JSON_ROW_H

#include "analyzer/base/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct sqlite3_stmt;

enum fyke_json_group { /* the object that a key stands in */
	FYKE_JSON_TOP,
	FYKE_JSON_CLIENT,
	FYKE_JSON_SERVER,
	FYKE_JSON_TCP,
	FYKE_JSON_TCP_CLIENT,
	FYKE_JSON_TCP_SERVER,
	FYKE_JSON_GROUPS
};

struct fyke_json_column {
	enum fyke_json_group group;
	const char *key; /* borrowed */
	bool is_boolean;
};

/* Where a column of `sessions` or `tcp` stands in a session's object: client_ip is client.ip, tcp's
 * client_isn tcp.client.isn. */
struct fyke_json_column fyke_json_session_column(const char *name, bool of_tcp);

/* One value; a new reference, NULL when memory is out. Blobs are hexadecimal text. */
json_t *fyke_json_value(struct sqlite3_stmt *row, int column, bool is_boolean);
/* Any bytes as a JSON string. */
json_t *fyke_json_text(const char *bytes, size_t length);

/* The row's first `count` columns; a new reference, NULL when memory is out. The object tcp is null where
 * the statement's column `tcp_key` (its session's id in `tcp`) is NULL; tcp_key < 0: there is no such. */
json_t *fyke_json_row(
	struct sqlite3_stmt *row, const struct fyke_json_column *columns, size_t count, int tcp_key);

/* Writes it on one line, without a newline, and drops the reference. False when `value` is NULL or memory
 * is out. `ascii` for terminals: they would act on the controls that JSON leaves as they are. */
bool fyke_json_write(json_t *value, bool ascii, FILE *out);

/* All columns of sessions but `frames`, then those of tcp: the select list over sessions AS s, tcp AS t
 * and what each becomes. The last column selected is the tcp_key. Freed by free. */
struct fyke_json_plan {
	char *select;
	struct fyke_json_column *columns;
	size_t count;
};

FYKE_MUST_USE enum fyke_status fyke_json_plan_sessions(struct fyke_json_plan *plan, struct fyke_error *error);
void fyke_json_plan_release(struct fyke_json_plan *plan);

#endif
