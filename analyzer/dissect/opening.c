/* Two growing byte arrays and a list of where in them each piece lies. */
#include "analyzer/dissect/opening.h"

#include <string.h>

void fyke_opening_release(struct fyke_opening_kept *opening, struct fyke_blocks *blocks)
{
	fyke_blocks_give(blocks, opening->pieces, opening->piece_room * sizeof(*opening->pieces));
	for (int side = 0; side < 2; side++)
		fyke_blocks_give(blocks, opening->bytes[side], opening->room[side]);
	*opening = (struct fyke_opening_kept){0};
}

static bool make_room(
	struct fyke_opening_kept *opening, struct fyke_blocks *blocks, enum fyke_side side, size_t length)
{
	size_t wanted = (size_t)opening->length[side] + length, room = opening->room[side];
	uint8_t *grown;

	if (wanted <= room)
		return true;
	room = room * 2 > wanted ? room * 2 : wanted;
	grown = fyke_blocks_take(blocks, room);
	if (grown == NULL)
		return false;
	if (opening->length[side] > 0)
		memcpy(grown, opening->bytes[side], opening->length[side]);
	fyke_blocks_give(blocks, opening->bytes[side], opening->room[side]);
	opening->bytes[side] = grown;
	opening->room[side] = (uint16_t)room;
	return true;
}

static bool make_piece_room(struct fyke_opening_kept *opening, struct fyke_blocks *blocks)
{
	size_t room = opening->piece_room == 0 ? 4 : (size_t)opening->piece_room * 2;
	struct fyke_opening_piece *grown;

	if (opening->piece_count == 0 || opening->piece_count < opening->piece_room ||
		opening->piece_count == FYKE_OPENING_PIECES)
		return true;
	grown = fyke_blocks_take(blocks, room * sizeof(*grown));
	if (grown == NULL)
		return false;
	memcpy(grown, fyke_opening_pieces(opening), opening->piece_count * sizeof(*grown));
	fyke_blocks_give(blocks, opening->pieces, opening->piece_room * sizeof(*grown));
	opening->pieces = grown;
	opening->piece_room = (uint16_t)room;
	return true;
}

/* A stream that comes in crumbs: once many pieces are kept, a piece joins the one before it. */
static bool joins(const struct fyke_opening_kept *opening, const struct fyke_conversation_piece *piece)
{
	const struct fyke_opening_piece *last;

	if (opening->piece_count < FYKE_OPENING_PIECES / 2)
		return false;
	last = &fyke_opening_pieces(opening)[opening->piece_count - 1];
	return last->side == piece->side && !last->end && !last->cut && last->length > 0 &&
	       last->offset + last->length == piece->offset;
}

static void join(struct fyke_opening_piece *last, const struct fyke_conversation_piece *piece)
{
	last->length = (uint16_t)(last->length + piece->length);
	last->end = piece->end;
	last->frame = piece->frame;
	last->time_ns = piece->time_ns;
}

bool fyke_opening_fits(const struct fyke_opening_kept *opening, const struct fyke_conversation_piece *piece)
{
	return opening->piece_count < FYKE_OPENING_PIECES &&
	       piece->length <= FYKE_OPENING_BYTES - ((size_t)opening->length[0] + opening->length[1]);
}

bool fyke_opening_add(struct fyke_opening_kept *opening, struct fyke_blocks *blocks,
	const struct fyke_conversation_piece *piece)
{
	size_t held = (size_t)opening->length[0] + opening->length[1];
	enum fyke_side side = piece->side;
	bool more = joins(opening, piece);
	struct fyke_opening_piece *pieces;

	if ((opening->piece_count == FYKE_OPENING_PIECES && !more) ||
		piece->length > FYKE_OPENING_BYTES - held ||
		!make_room(opening, blocks, side, piece->length) || !make_piece_room(opening, blocks))
		return false;
	pieces = opening->pieces != NULL ? opening->pieces : &opening->alone;
	if (more)
		join(&pieces[opening->piece_count - 1], piece);
	else
		pieces[opening->piece_count++] = (struct fyke_opening_piece){.at = opening->length[side],
			.length = (uint16_t)piece->length,
			.side = (uint8_t)side,
			.end = piece->end,
			.cut = piece->cut,
			.offset = piece->offset,
			.frame = piece->frame,
			.time_ns = piece->time_ns};
	if (piece->length > 0)
		memcpy(opening->bytes[side] + opening->length[side], piece->data, piece->length);
	opening->length[side] = (uint16_t)(opening->length[side] + piece->length);
	return true;
}

struct fyke_conversation_piece fyke_opening_piece_at(const struct fyke_opening_kept *opening, size_t i)
{
	const struct fyke_opening_piece *piece = &fyke_opening_pieces(opening)[i];

	return (struct fyke_conversation_piece){.side = (enum fyke_side)piece->side,
		.data = piece->length > 0 ? opening->bytes[piece->side] + piece->at : NULL,
		.length = piece->length,
		.offset = piece->offset,
		.frame = piece->frame,
		.time_ns = piece->time_ns,
		.end = piece->end,
		.cut = piece->cut};
}

size_t fyke_opening_held(const struct fyke_opening_kept *opening)
{
	return opening->piece_room * sizeof(struct fyke_opening_piece) + opening->room[0] + opening->room[1];
}
