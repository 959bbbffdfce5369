/*
 * A session's records as JSON: a key for each table that has some (but those that only hold the session
 * together), with an array of objects in the order in which they were found.
 *
 *	,"dns":[{"frame":1,"time_us":…,"query":"example.org",…},…]
 */
#ifndef FYKE_STORAGE_JSON_RECORDS_H
#define FYKE_STORAGE_JSON_RECORDS_H

#include "analyzer/base/field.h"
#include "analyzer/base/status.h"
#include "storage/json_buffer.h"

#include <stdbool.h>

struct sqlite3;
struct fyke_json_records;

/* Over the tables of `tables` (ends with NULL; NULL = none) and those of the session level, as far as the
 * database has them and they have rows. Borrows the database and the tables until _close. */
FYKE_MUST_USE enum fyke_status fyke_json_records_open(struct sqlite3 *db,
	const struct fyke_table *const *tables, struct fyke_json_records **records, struct fyke_error *error);
void fyke_json_records_close(struct fyke_json_records *records); /* NULL is allowed */

/* Appends the session's. False when the database failed; out of memory shows in out->failed. */
FYKE_MUST_USE bool fyke_json_records_append(
	struct fyke_json_records *records, int64_t session_id, struct fyke_json_buffer *out);

/* Likewise those that stand in a list (session.h). Ids of sessions are not known: null. */
void fyke_json_records_append_list(const struct fyke_record *list, struct fyke_json_buffer *out);

/* One of them as an object, with a comma in front unless it is the first. */
void fyke_json_records_append_one(const struct fyke_record *record, bool first, struct fyke_json_buffer *out);

/* Whether a table's rows are told as a session's records. */
bool fyke_json_records_tells(const struct fyke_table *table);

#endif
