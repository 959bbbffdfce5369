/* Bytes that come in pieces, in any order and more than once, put together from their beginning: QUIC's
 * CRYPTO frames, DTLS's fragments. */
#ifndef FYKE_SHARED_TLS_PIECES_H
#define FYKE_SHARED_TLS_PIECES_H

#include "dissectors/dissector.h"

enum { FYKE_PIECES_RANGES = 48 }; /* separate ones; a piece that would make one more is left out */

/* A zeroed one is empty. Invariant: ranges ascend and do not touch each other. */
struct fyke_pieces {
	struct fyke_text bytes; /* what lies between ranges is zero */
	struct fyke_piece_range {
		uint32_t begin, end;
	} ranges[FYKE_PIECES_RANGES];
	unsigned count;
};

/* False: nothing was added, since it reaches beyond `max`, memory is used up or there are too many ranges. Of
 * bytes that come again the later ones stay. */
bool fyke_pieces_add(struct fyke_dissection *dissection, struct fyke_pieces *pieces, uint64_t offset,
	struct fyke_cursor piece, size_t max);
/* What is here from the beginning without a hole. */
struct fyke_cursor fyke_pieces_ready(const struct fyke_pieces *pieces);
void fyke_pieces_drop(struct fyke_dissection *dissection, struct fyke_pieces *pieces);

#endif
