/*
 * Single frames of a capture file that was read before, found by their offset, or by their number
 * from a frame near by. Plain files are read at the place; of a pcapng the block headers before it are
 * walked once, to know its interfaces: all of them, or only as far as the interfaces go when their
 * number is known. Compressed files are decompressed up to the place, so ask in ascending order.
 */
#ifndef FYKE_CAPTURE_REREAD_H
#define FYKE_CAPTURE_REREAD_H

#include "analyzer/base/status.h"
#include "analyzer/capture/frame.h"
#include "analyzer/capture/source.h"

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

/* How many interfaces the file describes as far as it was read before; 0 = not known. Asked of a file
 * that has more, later calls fail as for a changed file, or find nothing wrong. */
void fyke_reread_expect(struct fyke_reread *reread, size_t interfaces);

/* Where a frame stands. Numbers are those of this file alone, from 1; number 0 = none known. */
struct fyke_reread_mark {
	uint64_t number, offset;
};

/* The frame with this number, read on from where the last call ended, or from the mark (which is not
 * behind it), whichever is nearer. FYKE_FAILED_FORMAT: the file has changed. The frame has the file's
 * own number and interface index; its data are borrowed until the next call. */
FYKE_MUST_USE enum fyke_status fyke_reread_number(struct fyke_reread *reread, uint64_t number,
	const struct fyke_reread_mark *mark, struct fyke_frame *frame, struct fyke_error *error);

/* What the file has said of an interface so far, NULL = nothing; borrowed until the next call.
 * *fcs_length is that of whole frames. */
const struct fyke_source_interface *fyke_reread_interface(
	const struct fyke_reread *reread, uint32_t index, unsigned *fcs_length);

/* Bytes read so far, but for compressed files, whose reading is not counted. */
uint64_t fyke_reread_bytes(const struct fyke_reread *reread);

#endif
