/*
 * Interval bookkeeping of one datagram. The policies are those of SEMANTICS for TCP: each old piece is
 * compared with the new fragment by where both begin and end. A new piece costs O(log pieces) to place
 * and a memmove; overlaps cost as much as they cover.
 */
#include "analyzer/defrag/pieces.h"

#include <stdlib.h>
#include <string.h>

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t most(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* Index of the first piece that ends behind `start`. */
static uint32_t find(const struct fyke_pieces *pieces, uint32_t start)
{
	uint32_t low = 0, high = pieces->count;

	if (high > 0 && pieces->list[high - 1].end <= start)
		return high;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (pieces->list[middle].end <= start)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The part [start, end) of a piece. */
static struct fyke_piece part(const struct fyke_piece *piece, uint32_t start, uint32_t end)
{
	return (struct fyke_piece){
		start, end, piece->bytes == NULL ? NULL : piece->bytes + (start - piece->start)};
}

struct fyke_overlap fyke_pieces_compare(const struct fyke_pieces *pieces, const struct fyke_piece *new)
{
	struct fyke_overlap overlap = {0};

	for (uint32_t i = find(pieces, new->start); i < pieces->count && pieces->list[i].start < new->end;
		i++) {
		const struct fyke_piece *old = &pieces->list[i];
		uint32_t start = most(old->start, new->start), end = least(old->end, new->end);
		struct fyke_piece ours = part(new, start, end), theirs = part(old, start, end);

		overlap.known += end - start;
		if (ours.bytes == NULL)
			continue;
		if (theirs.bytes == NULL)
			overlap.completes = true;
		else if (memcmp(ours.bytes, theirs.bytes, end - start) != 0)
			overlap.differs = true;
	}
	return overlap;
}

static bool new_wins(
	enum fyke_defrag_policy policy, const struct fyke_piece *new, const struct fyke_piece *old)
{
	switch (policy) {
	case FYKE_DEFRAG_FIRST:
		return false;
	case FYKE_DEFRAG_LAST:
		return true;
	case FYKE_DEFRAG_BSD:
	case FYKE_DEFRAG_WINDOWS:
		return new->start < old->start;
	case FYKE_DEFRAG_SOLARIS:
		return new->end > old->end || (new->end == old->end &&new->start <= old->start);
	case FYKE_DEFRAG_LINUX:
		break;
	}
	return new->start < old->start || (new->start == old->start &&new->end > old->end);
}

/* Appends; neighbours that are one run of the same bytes become one piece. */
static uint32_t emit(struct fyke_piece *out, uint32_t count, struct fyke_piece piece)
{
	struct fyke_piece *last = count > 0 ? &out[count - 1] : NULL;

	if (piece.start == piece.end)
		return count;
	if (last != NULL && last->end == piece.start &&
		(piece.bytes == NULL ? last->bytes == NULL
				     : last->bytes != NULL &&
					       last->bytes + (last->end - last->start) == piece.bytes)) {
		last->end = piece.end;
		return count;
	}
	out[count] = piece;
	return count + 1;
}

/* Merges `new` with the old pieces [first, last) into `out`, which has room for 3 · (last − first) + 1. */
static uint32_t merge(const struct fyke_piece *old, uint32_t length, const struct fyke_piece *new,
	const struct fyke_piece *fragment, enum fyke_defrag_policy policy, struct fyke_piece *out)
{
	uint32_t at = new->start, count = 0;

	for (uint32_t i = 0; i < length; i++, old++) {
		uint32_t start = most(old->start, new->start), end = least(old->end, new->end);
		bool wins = new->bytes != NULL && (old->bytes == NULL || new_wins(policy, fragment, old));

		if (old->start < start)
			count = emit(out, count, part(old, old->start, start));
		count = emit(out, count, part(new, at, start));
		count = emit(out, count, part(wins ? new : old, start, end));
		if (old->end > end)
			count = emit(out, count, part(old, end, old->end));
		at = end;
	}
	return emit(out, count, part(new, at, new->end));
}

static bool make_room(struct fyke_pieces *pieces, uint32_t more)
{
	uint32_t room = pieces->room == 0 ? 4 : pieces->room;
	struct fyke_piece *list;

	while (room < pieces->count + more)
		room *= 2;
	if (room == pieces->room)
		return true;
	list = realloc(pieces->list, room * sizeof(*list));
	if (list == NULL)
		return false;
	pieces->list = list;
	pieces->room = room;
	return true;
}

/* Replaces the `length` pieces from `at` on. */
static void splice(struct fyke_pieces *pieces, uint32_t at, uint32_t length, const struct fyke_piece *with,
	uint32_t count)
{
	struct fyke_piece *here = pieces->list + at;

	memmove(here + count, here + length, (pieces->count - at - length) * sizeof(*here));
	memcpy(here, with, count * sizeof(*here));
	pieces->count = pieces->count - length + count;
}

bool fyke_pieces_insert(struct fyke_pieces *pieces, const struct fyke_piece *new,
	const struct fyke_piece *fragment, enum fyke_defrag_policy policy)
{
	uint32_t first = find(pieces, new->start), last = first, count;
	uint32_t covered = pieces->covered + (new->end - new->start);
	struct fyke_piece few[16], *merged = few;

	while (last < pieces->count && pieces->list[last].start < new->end) {
		const struct fyke_piece *old = &pieces->list[last++];

		covered -= least(old->end, new->end) - most(old->start, new->start);
	}
	count = 3 * (last - first) + 1;
	if (count > sizeof(few) / sizeof(few[0]))
		merged = malloc(count * sizeof(*merged));
	if (merged == NULL || !make_room(pieces, count)) {
		if (merged != few)
			free(merged);
		return false;
	}
	count = merge(pieces->list + first, last - first, new, fragment, policy, merged);
	splice(pieces, first, last - first, merged, count);
	pieces->covered = covered;
	if (merged != few)
		free(merged);
	return true;
}

uint32_t fyke_pieces_prefix(const struct fyke_pieces *pieces)
{
	uint32_t prefix = 0;

	for (uint32_t i = 0; i < pieces->count; i++) {
		const struct fyke_piece *piece = &pieces->list[i];

		if (piece->start != prefix || piece->bytes == NULL)
			break;
		prefix = piece->end;
	}
	return prefix;
}

void fyke_pieces_copy(const struct fyke_pieces *pieces, uint8_t *to)
{
	for (uint32_t i = 0; i < pieces->count; i++) {
		const struct fyke_piece *piece = &pieces->list[i];
		size_t length = piece->end - piece->start;

		if (piece->bytes != NULL)
			memcpy(to + piece->start, piece->bytes, length);
		else
			memset(to + piece->start, 0, length);
	}
}

uint32_t fyke_pieces_end(const struct fyke_pieces *pieces)
{
	return pieces->count == 0 ? 0 : pieces->list[pieces->count - 1].end;
}

void fyke_pieces_release(struct fyke_pieces *pieces)
{
	free(pieces->list);
	*pieces = (struct fyke_pieces){0};
}
