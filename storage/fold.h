/*
 * Half-open sessions in blocks instead of rows (table folded_sessions, fold_block.h), so that a scan or a
 * flood does not drown the rest: those of a client that has left many already, and when there are very many
 * in all. Used by the loader.
 *
 * Blocks of one client hold its sessions alone; what many clients leave goes into blocks of all.
 */
#ifndef FYKE_STORAGE_FOLD_H
#define FYKE_STORAGE_FOLD_H

#include "storage/fold_block.h"
#include "storage/index.h"

#include <sqlite3.h>

enum {
	FYKE_FOLD_CLIENT_ROWS = 1000,	   /* half-open sessions of a client that get rows */
	FYKE_FOLD_ROWS = 100 * 1000,	   /* of all clients */
	FYKE_FOLD_CLIENTS_MAX = 64 * 1024, /* that are told apart */
	FYKE_FOLD_BLOCKS = 32,		   /* that are being filled */
};

struct fyke_fold_block;

struct fyke_fold {
	sqlite3_stmt *insert;
	int64_t capture_id, *next_id; /* next_id: the loader's */
	struct fyke_index clients;
	struct fyke_fold_block
		*blocks[FYKE_FOLD_BLOCKS + 2]; /* the last two: of all clients, IPv4 and IPv6 */
	unsigned latest;
	uint64_t clock;		    /* counts uses, for the block that was used longest ago */
	uint64_t rows_kept, folded; /* half-open sessions so far */
	bool off;
};

FYKE_MUST_USE enum fyke_status fyke_fold_init(
	struct fyke_fold *fold, sqlite3 *db, int64_t capture_id, int64_t *next_id, struct fyke_error *error);
void fyke_fold_release(struct fyke_fold *fold); /* also of one that is all zero */

/* Whether the session, which has no row, goes into a block; then it is in one. While it is open it has
 * neither block nor row. */
FYKE_MUST_USE enum fyke_status fyke_fold_take(
	struct fyke_fold *fold, const struct fyke_session *session, bool *taken, struct fyke_error *error);
/* Writes all blocks that are begun. */
FYKE_MUST_USE enum fyke_status fyke_fold_flush(struct fyke_fold *fold, struct fyke_error *error);

#endif
