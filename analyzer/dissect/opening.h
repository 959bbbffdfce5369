/*
 * The first pieces of a conversation, kept in the order in which they came, so that they can be probed
 * together and fed once it is known to whom.
 */
#ifndef FYKE_DISSECT_OPENING_H
#define FYKE_DISSECT_OPENING_H

#include "analyzer/dissect/conversation.h"

enum {
	FYKE_OPENING_BYTES = 4096, /* of both sides together */
	FYKE_OPENING_PIECES = 32,
	FYKE_OPENING_DATAGRAMS = 6,
};

struct fyke_opening_piece {
	uint16_t at, length; /* in the side's bytes */
	uint8_t side;	     /* enum fyke_side */
	bool end, cut;
	uint64_t offset, frame;
	int64_t time_ns;
};

/* A zeroed one is empty. */
struct fyke_opening_kept {
	uint16_t length[2]; /* by enum fyke_side as the session has them */
	uint16_t piece_count;
	uint16_t piece_room;		   /* at `pieces` */
	uint16_t room[2];		   /* at `bytes` */
	struct fyke_opening_piece alone;   /* while there is but one */
	struct fyke_opening_piece *pieces; /* all, once there are several; else NULL */
	uint8_t *bytes[2];
};

/* Leaves it empty. */
void fyke_opening_release(struct fyke_opening_kept *opening, struct fyke_blocks *blocks);
/* Whether there is room for a piece that joins no other. */
bool fyke_opening_fits(const struct fyke_opening_kept *opening, const struct fyke_conversation_piece *piece);
/* False: it does not fit, or memory is out; nothing was added. */
bool fyke_opening_add(struct fyke_opening_kept *opening, struct fyke_blocks *blocks,
	const struct fyke_conversation_piece *piece);
/* Piece number i again. */
struct fyke_conversation_piece fyke_opening_piece_at(const struct fyke_opening_kept *opening, size_t i);
size_t fyke_opening_held(const struct fyke_opening_kept *opening); /* beside the struct itself */

static inline const struct fyke_opening_piece *fyke_opening_pieces(const struct fyke_opening_kept *opening)
{
	return opening->pieces != NULL ? opening->pieces : &opening->alone;
}

#endif
