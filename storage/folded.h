/*
 * Folded sessions (fold.h) as what they are, sessions: the eponymous virtual table fyke_folded has the
 * columns of `sessions`, in their order, and a row each.
 */
#ifndef FYKE_STORAGE_FOLDED_H
#define FYKE_STORAGE_FOLDED_H

#include "analyzer/base/status.h"
#include "storage/fold_block.h"

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;

/* Where all sessions are, as a FROM clause says it. */
#define FYKE_ALL_SESSIONS "(SELECT * FROM main.sessions UNION ALL SELECT * FROM fyke_folded)"

FYKE_MUST_USE enum fyke_status fyke_folded_register(struct sqlite3 *db, struct fyke_error *error);

/* Whether the database has any. Where it has none, nobody needs to ask fyke_folded. */
bool fyke_folded_is_there(struct sqlite3 *db);

/* Makes `sessions` (and what shows them) mean all of them in what follows on this connection: temporary views
 * stand in front of the table. Nothing happens where there are no folded ones. */
FYKE_MUST_USE enum fyke_status fyke_folded_show(struct sqlite3 *db, struct fyke_error *error);

/* Has each folded session given to `take`; false from it ends the pass: memory is out. Quicker by far than
 * the virtual table. capture_id 0: of all captures. */
FYKE_MUST_USE enum fyke_status fyke_folded_each(struct sqlite3 *db, int64_t capture_id,
	bool (*take)(void *context, int64_t id, const struct fyke_folded *folded), void *context,
	struct fyke_error *error);

#endif
