/* The rows of `captures` and `files`: a run begins, ends, replaces an earlier one, or died. */
#ifndef FYKE_STORAGE_CAPTURES_H
#define FYKE_STORAGE_CAPTURES_H

#include "analyzer/session/capture.h"
#include "storage/database.h"

struct sqlite3;

/* A lock on one byte of the database's file, far behind SQLite's own, tells that the run goes on: this
 * offset plus the capture's id. It is an open file description lock: it goes with the process. */
#define FYKE_CAPTURE_LOCK_BASE ((int64_t)1 << 62)

/* In one transaction: turns `running` captures that no process holds into `interrupted`, and makes
 * rows for this one. Fails with FYKE_FAILED_USAGE where a file is already in another capture, unless
 * that has the same set of files or `again`. file_ids has room for capture->file_count. */
FYKE_MUST_USE enum fyke_status fyke_captures_begin(struct fyke_database *database,
	const struct fyke_capture *capture, bool again, int64_t *id, int64_t *file_ids,
	struct fyke_error *error);

/* Within the caller's transaction: fills in what is known at the end, and removes what this run
 * replaces: captures of the same set of files that are not running, and, when this run was interrupted, only
 * those that were, too. */
FYKE_MUST_USE enum fyke_status fyke_captures_end(struct sqlite3 *db, int64_t id, const int64_t *file_ids,
	size_t file_count, const struct fyke_capture *capture, struct fyke_error *error);

/* Removes a capture and all that hangs on it, within the caller's transaction. */
FYKE_MUST_USE enum fyke_status fyke_captures_delete(struct sqlite3 *db, int64_t id, struct fyke_error *error);

/* Calls back for every foreign key that refers to `table`: the table and column that have it, and
 * whether the row goes (else the column becomes NULL). */
typedef enum fyke_status (*fyke_reference_function)(
	void *context, const char *table, const char *column, bool cascade, struct fyke_error *error);
FYKE_MUST_USE enum fyke_status fyke_captures_references(struct sqlite3 *db, const char *table,
	fyke_reference_function function, void *context, struct fyke_error *error);

#endif
