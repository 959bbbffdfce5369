/* What stations on the link claimed, into the table `neighbours`. */
#ifndef FYKE_STORAGE_NEIGHBOURS_H
#define FYKE_STORAGE_NEIGHBOURS_H

#include "analyzer/session/sink.h"
#include "storage/known.h"

#include <sqlite3.h>

struct fyke_stored_neighbours {
	sqlite3_stmt *add;
	struct fyke_known *known; /* borrowed: whose address it is, is known from now on */
};

FYKE_MUST_USE enum fyke_status fyke_neighbours_begin(struct fyke_stored_neighbours *neighbours, sqlite3 *db,
	int64_t capture_id, struct fyke_known *known, struct fyke_error *error);
void fyke_neighbours_release(struct fyke_stored_neighbours *neighbours);

/* Adds what the tick tells to the rows, within the caller's transaction. */
FYKE_MUST_USE enum fyke_status fyke_neighbours_add(
	struct fyke_stored_neighbours *neighbours, const struct fyke_tick *tick, struct fyke_error *error);

#endif
