/*
 * What `hosts` and `ports` say of all sessions of a capture together, from the rows that are stored. The
 * writer says the same as it writes them (hosts.h, known.h) as long as there is room.
 */
#ifndef FYKE_STORAGE_DERIVE_H
#define FYKE_STORAGE_DERIVE_H

#include "storage/database.h"

/* Fills in hosts.name, vendor, os and ports.product, within the caller's transaction. */
FYKE_MUST_USE enum fyke_status fyke_derive_words(
	struct sqlite3 *db, int64_t capture_id, struct fyke_error *error);

/* Fills in hosts.isn_…, within the caller's transaction. */
FYKE_MUST_USE enum fyke_status fyke_derive_sequence_numbers(
	struct sqlite3 *db, int64_t capture_id, struct fyke_error *error);

/* Both, within a transaction of its own. */
FYKE_MUST_USE enum fyke_status fyke_derive(
	struct fyke_database *database, int64_t capture_id, struct fyke_error *error);

#endif
