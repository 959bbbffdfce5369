/*
 * Single frames of a capture file that was read before, found by their offset. Plain files are read
 * at the place; of a pcapng the block headers before it are walked once, to know its interfaces.
 * Compressed files are decompressed up to the place, so ask in ascending order.
 */
#ifndef FYKE_CAPTURE_REREAD_H
#define FYKE_CAPTURE_REREAD_H

#include "analyzer/base/status.h"
#include "analyzer/capture/frame.h"

struct fyke_reread;

/* Standard input and pipes cannot be reopened: FYKE_FAILED_USAGE. */
FYKE_MUST_USE enum fyke_status fyke_capture_reopen(
	const char *name, struct fyke_reread **reread, struct fyke_error *error);
void fyke_reread_free(struct fyke_reread *reread); /* NULL is allowed */

/* The fingerprint as the file has it now, to compare with the one it had. */
FYKE_MUST_USE enum fyke_status fyke_reread_fingerprint(
	struct fyke_reread *reread, char text[33], struct fyke_error *error);

/* The frame at wanted->file_offset, if its time (to the microsecond) and `captured` (at least) are
 * those of `wanted`; else FYKE_FAILED_FORMAT: the file has changed. The frame is cut to
 * wanted->captured, has number and file of `wanted` and the file's own interface index; its data are
 * borrowed until the next call. */
FYKE_MUST_USE enum fyke_status fyke_reread_frame(struct fyke_reread *reread, const struct fyke_frame *wanted,
	struct fyke_frame *frame, struct fyke_error *error);

#endif
