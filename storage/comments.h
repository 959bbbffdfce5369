/* The rows of `comments`: those on frames as ticks bring them, those on files when all is read. */
#ifndef FYKE_STORAGE_COMMENTS_H
#define FYKE_STORAGE_COMMENTS_H

#include "analyzer/session/capture.h"
#include "analyzer/session/sink.h"

#include <sqlite3.h>

/* What comments refer to: a run, and its files' rows in their order. */
struct fyke_stored_run {
	int64_t capture_id;
	const int64_t *file_ids; /* borrowed */
	size_t file_count;
};

struct fyke_comments {
	struct fyke_stored_run run;
	sqlite3_stmt *insert;
	int64_t n; /* of the last one */
};

FYKE_MUST_USE enum fyke_status fyke_comments_begin(struct fyke_comments *comments, sqlite3 *db,
	const struct fyke_stored_run *run, struct fyke_error *error);
void fyke_comments_release(struct fyke_comments *comments); /* before its connection is closed */

/* Within the caller's transaction, like the next. */
FYKE_MUST_USE enum fyke_status fyke_comments_add(
	struct fyke_comments *comments, const struct fyke_tick *tick, struct fyke_error *error);

/* Those on the files themselves, behind all that are there. */
FYKE_MUST_USE enum fyke_status fyke_comments_add_files(sqlite3 *db, const struct fyke_stored_run *run,
	const struct fyke_capture *capture, struct fyke_error *error);

#endif
