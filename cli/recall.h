/*
 * The frames of sessions, read again from their capture files: which frames comes from the database,
 * where they stand from frame_index, their bytes from the files, of which nothing else is read (of a
 * compressed one all up to the last frame).
 *
 *	fyke_recall_new, then _add for each session, then _open, then _next until it gives no more.
 *
 * Files are checked by _open, all of them, before the first frame: a file that is gone, is another one
 * by now, or never was (live traffic that was not saved) fails it with a sentence that names it.
 */
#ifndef FYKE_CLI_RECALL_H
#define FYKE_CLI_RECALL_H

#include "analyzer/base/status.h"
#include "analyzer/capture/frame.h"
#include "analyzer/capture/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;
struct fyke_recall;

/* `db` is borrowed for the recall's life. */
FYKE_MUST_USE enum fyke_status fyke_recall_new(
	struct sqlite3 *db, struct fyke_recall **recall, struct fyke_error *error);
void fyke_recall_free(struct fyke_recall *recall); /* NULL is allowed */

/* Adds the frames of a session. FYKE_FAILED_USAGE: the database has no session of this id.
 * Not after _open. */
FYKE_MUST_USE enum fyke_status fyke_recall_add(
	struct fyke_recall *recall, int64_t session_id, struct fyke_error *error);

/* Forgets the sessions, keeps the files open: for one session after the other. */
void fyke_recall_clear(struct fyke_recall *recall);

FYKE_MUST_USE enum fyke_status fyke_recall_open(struct fyke_recall *recall, struct fyke_error *error);

/* The next frame: by capture, then ascending, each once, as it stands in the file (a --snaplen of the
 * analysis does not cut it). frame->number is that of the database; frame->interface counts the recall's
 * interfaces. The data are borrowed until the next call. `more` is false behind the last. */
FYKE_MUST_USE enum fyke_status fyke_recall_next(
	struct fyke_recall *recall, struct fyke_frame *frame, bool *more, struct fyke_error *error);

/* What the file says of the interface that the last frame came from. Borrowed until the next call of
 * _next; *fcs_length is that of whole frames. */
const struct fyke_source_interface *fyke_recall_interface(
	const struct fyke_recall *recall, unsigned *fcs_length);
uint32_t fyke_recall_interfaces(const struct fyke_recall *recall); /* that frames came from so far */

uint64_t fyke_recall_frames(const struct fyke_recall *recall); /* how many were added, each once */

/* The capture files that the frames stand in, in order; NULL behind the last. Known after _open. */
const char *fyke_recall_file(const struct fyke_recall *recall, size_t index);

#endif
