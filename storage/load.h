/*
 * Ticks into rows: resolves parents, tells new sessions from known ones, and writes in batches. Used by
 * the writer's thread only; the transaction is the caller's.
 */
#ifndef FYKE_STORAGE_LOAD_H
#define FYKE_STORAGE_LOAD_H

#include "analyzer/session/community_id.h"
#include "analyzer/session/sink.h"
#include "storage/comments.h"
#include "storage/fold.h"
#include "storage/hosts.h"
#include "storage/names.h"
#include "storage/neighbours.h"
#include "storage/rows.h"
#include "storage/timeline.h"

#include <sqlite3.h>

enum { FYKE_LOAD_BATCH = 256, FYKE_LOAD_TABLES_MAX = 256, FYKE_LOAD_CACHE = 8192 };

struct fyke_load_batch {
	struct fyke_rows rows;
	struct fyke_session_row items[FYKE_LOAD_BATCH];
	sqlite3_stmt *statement;
};

struct fyke_load_table {
	const struct fyke_table *table;
	struct fyke_rows rows;
	struct fyke_record_row items[FYKE_LOAD_BATCH];
	sqlite3_stmt *statement;
};

struct fyke_load_known {
	struct fyke_birth birth;
	int64_t id; /* 0 = none */
};

struct fyke_load {
	sqlite3 *db;
	int64_t capture_id, next_id;
	const int64_t *file_ids;
	size_t file_count;
	struct fyke_load_batch sessions, tcp, updates, tcp_updates;
	struct fyke_load_table *tables[FYKE_LOAD_TABLES_MAX];
	size_t table_count;
	sqlite3_stmt *find, *index;
	struct fyke_community_hasher *hasher;
	struct fyke_fold fold;
	struct fyke_load_known cache[FYKE_LOAD_CACHE]; /* births written lately */
	struct fyke_names names;
	struct fyke_timeline timeline;
	struct fyke_hosts hosts;
	struct fyke_comments comments;
	struct fyke_stored_neighbours neighbours;
	uint64_t sessions_written, updates_written, records_written;
	uint64_t rows; /* since the transaction began */
};

/* file_ids is borrowed. */
FYKE_MUST_USE enum fyke_status fyke_load_new(sqlite3 *db, int64_t capture_id, const int64_t *file_ids,
	size_t file_count, struct fyke_load **load, struct fyke_error *error);
void fyke_load_free(struct fyke_load *load); /* before its connection is closed; NULL is allowed */

/* A transaction has begun: ids go on behind the highest there is. */
void fyke_load_begin(struct fyke_load *load);

/* Writes all of a tick; nothing of it is needed afterwards. */
FYKE_MUST_USE enum fyke_status fyke_load_tick(
	struct fyke_load *load, const struct fyke_tick *tick, struct fyke_error *error);

/* Hosts, ports and timeline, as far as they have changed. */
FYKE_MUST_USE enum fyke_status fyke_load_summaries(struct fyke_load *load, struct fyke_error *error);

/* The same at the end, and what follows from all sessions together where there was no room for it in memory.
 */
FYKE_MUST_USE enum fyke_status fyke_load_finish(struct fyke_load *load, struct fyke_error *error);

/* Rows were deleted: what is remembered of them is void. */
void fyke_load_forget(struct fyke_load *load);

#endif
