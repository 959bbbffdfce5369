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
	enum fyke_side side;
	bool end, cut;
	uint64_t offset, frame;
	int64_t time_ns;
};

struct fyke_opening_kept {
	uint16_t length[2]; /* by enum fyke_side as the session has them */
	uint16_t piece_count;
	uint16_t piece_room;
	uint16_t room[2];
	struct fyke_opening_piece *pieces;
	uint8_t *bytes[2];
};

struct fyke_opening_kept *fyke_opening_new(void); /* NULL when memory is out */
void fyke_opening_free(struct fyke_opening_kept *opening);
/* False: it does not fit; nothing was added. */
bool fyke_opening_add(struct fyke_opening_kept *opening, const struct fyke_conversation_piece *piece);
/* Piece number i again. */
struct fyke_conversation_piece fyke_opening_piece_at(const struct fyke_opening_kept *opening, size_t i);
size_t fyke_opening_held(const struct fyke_opening_kept *opening);

#endif
