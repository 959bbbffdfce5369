/*
 * The bytes of one datagram that have come: sorted pieces that do not overlap, and who wins where a new
 * fragment meets old ones. Bytes are borrowed; a piece without bytes was cut by the snaplen.
 *
 *   0       8              24      32
 *   |-- a --|              |-- b --|        covered = 16
 */
#ifndef FYKE_DEFRAG_PIECES_H
#define FYKE_DEFRAG_PIECES_H

#include "analyzer/defrag/defrag.h"

struct fyke_piece {
	uint32_t start, end;
	const uint8_t *bytes; /* of `start`; NULL = not captured */
};

struct fyke_pieces {
	struct fyke_piece *list; /* owned */
	uint32_t count, room;
	uint32_t covered; /* sum of the pieces' lengths */
};

/* How a new piece lies over those that are there. */
struct fyke_overlap {
	uint32_t known; /* bytes of it that are covered already */
	bool differs;	/* some of them are other bytes */
	bool completes; /* some are bytes that had been cut */
};

struct fyke_overlap fyke_pieces_compare(const struct fyke_pieces *pieces, const struct fyke_piece *new);

/* Puts a piece in; false when memory is out, with nothing changed. `fragment` has the bounds of the whole
 * fragment, which a cut made two pieces of: policies look at fragments. */
FYKE_MUST_USE bool fyke_pieces_insert(struct fyke_pieces *pieces, const struct fyke_piece *new,
	const struct fyke_piece *fragment, enum fyke_defrag_policy policy);

/* Bytes from 0 on without a hole or a cut. */
uint32_t fyke_pieces_prefix(const struct fyke_pieces *pieces);
/* Writes all pieces to `to`; what was cut becomes zero. */
void fyke_pieces_copy(const struct fyke_pieces *pieces, uint8_t *to);
/* Where the last piece ends. */
uint32_t fyke_pieces_end(const struct fyke_pieces *pieces);
void fyke_pieces_release(struct fyke_pieces *pieces);

#endif
