/*
 * A session as one line of JSON: the columns of `sessions` and `tcp` (storage/schema.h) in their order, those
 * of one side gathered in "client" and "server". The same shape whether a row of the database or a session on
 * its way there is written.
 */
#ifndef FYKE_STORAGE_JSONL_H
#define FYKE_STORAGE_JSONL_H

#include "analyzer/session/session.h"

#include <stdio.h>

enum fyke_jsonl_group {
	FYKE_JSONL_TOP,
	FYKE_JSONL_CLIENT, /* "client": {…} */
	FYKE_JSONL_SERVER, /* "server": {…} */
};

/* Where the value of a column belongs, and under which key (points into `column`). */
enum fyke_jsonl_group fyke_jsonl_place(const char *column, const char **key);

/* Writes the object and a newline. Unknown values are null; text is escaped so that the line is
 * valid JSON in UTF-8 whatever came from the wire. Left out are the values that only the database
 * knows (id, capture_id, parent_id, quotes_id) and the frame list. Failures show in ferror(out). */
void fyke_jsonl_write(FILE *out, const struct fyke_session *session);

/* A JSON string of these bytes, with its quotes. */
void fyke_jsonl_string(FILE *out, const char *text, size_t length);

#endif
