/*
 * Sessions (and other rows) as JSON objects, one by one: the one writer behind `query --format json` and
 * `jsonl`, the report's sessions and `monitor --jsonl`. A session has the columns of `sessions` and `tcp`
 * (storage/schema.h) in their order: first those of the session as a whole, then "client" and "server", then
 * "tcp" with the same three parts inside, or null, then its records, an array for each table that has some
 * (json_records.h). Unknown is null; text is escaped so that the object is
 * valid JSON in UTF-8 whatever came from the wire; integers are exact; no key comes twice.
 */
#ifndef FYKE_STORAGE_JSONL_H
#define FYKE_STORAGE_JSONL_H

#include "analyzer/base/status.h"
#include "analyzer/session/session.h"

#include <stdbool.h>
#include <stdio.h>

struct sqlite3;
struct sqlite3_stmt;
struct fyke_jsonl;

enum fyke_jsonl_group { /* the object that a key stands in, in the order in which they are written */
	FYKE_JSONL_TOP,
	FYKE_JSONL_CLIENT,
	FYKE_JSONL_SERVER,
	FYKE_JSONL_TCP,
	FYKE_JSONL_TCP_CLIENT,
	FYKE_JSONL_TCP_SERVER,
	FYKE_JSONL_GROUPS
};

struct fyke_jsonl_column {
	enum fyke_jsonl_group group;
	const char *key;
	bool is_boolean;
};

/* Where a column of `sessions` or `tcp` belongs, and under which key (points into `name`): client_ip is
 * client.ip, tcp's client_isn tcp.client.isn. */
struct fyke_jsonl_column fyke_jsonl_place(const char *name, bool of_tcp);

/* For rows of a statement whose first `count` columns are these. Where the row's column `tcp_key` is NULL
 * the object tcp is; tcp_key < 0: there is no such. A key that is there already is left out. `ascii`: all
 * else is escaped, for terminals. Keys are copied. NULL when memory is out. */
struct fyke_jsonl *fyke_jsonl_new(
	const struct fyke_jsonl_column *columns, size_t count, int tcp_key, bool ascii);
/* For rows of SELECT fyke_jsonl_select() FROM sessions AS s LEFT JOIN tcp AS t ON t.session_id = s.id, with
 * the records of `tables` (ends with NULL; NULL = those of the session level) from the same database, which
 * must outlive it. */
FYKE_MUST_USE enum fyke_status fyke_jsonl_new_stored(struct sqlite3 *db,
	const struct fyke_table *const *tables, bool ascii, struct fyke_jsonl **jsonl,
	struct fyke_error *error);
/* For struct fyke_session. Left out are the values that only the database knows (uid, id, capture_id,
 * parent_id, quotes_id). */
struct fyke_jsonl *fyke_jsonl_new_live(bool ascii);
void fyke_jsonl_free(struct fyke_jsonl *jsonl);

/* The select list that goes with fyke_jsonl_new_stored; borrowed. */
const char *fyke_jsonl_select(const struct fyke_jsonl *jsonl);
size_t fyke_jsonl_select_count(const struct fyke_jsonl *jsonl);

/* A live session that goes on: keeps the records that it brings for the line at its end. False when memory
 * is out. */
FYKE_MUST_USE bool fyke_jsonl_keep(struct fyke_jsonl *jsonl, const struct fyke_session *session);

/* One object without a newline. False when memory is out or the records cannot be read; that `out` fails
 * shows in ferror(out). A session without a Community ID gets it. */
FYKE_MUST_USE bool fyke_jsonl_row(struct fyke_jsonl *jsonl, struct sqlite3_stmt *row, FILE *out);
FYKE_MUST_USE bool fyke_jsonl_session(struct fyke_jsonl *jsonl, struct fyke_session *session, FILE *out);

#endif
