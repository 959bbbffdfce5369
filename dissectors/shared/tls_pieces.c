/* A growing buffer and the sorted ranges of it that are filled. */
#include "dissectors/shared/tls_pieces.h"

#include <string.h>

/* False: too many. */
static bool add_range(struct fyke_pieces *pieces, uint32_t begin, uint32_t end)
{
	struct fyke_piece_range *ranges = pieces->ranges;
	unsigned first = 0, behind;

	while (first < pieces->count && ranges[first].end < begin)
		first++;
	for (behind = first; behind < pieces->count && ranges[behind].begin <= end; behind++) {
		if (ranges[behind].begin < begin)
			begin = ranges[behind].begin;
		if (ranges[behind].end > end)
			end = ranges[behind].end;
	}
	if (behind == first && pieces->count == FYKE_PIECES_RANGES)
		return false;
	/* ranges[first … behind) become one */
	memmove(&ranges[first + 1], &ranges[behind], (pieces->count - behind) * sizeof(*ranges));
	ranges[first] = (struct fyke_piece_range){begin, end};
	pieces->count = pieces->count - (behind - first) + 1;
	return true;
}

static bool reach(struct fyke_dissection *dissection, struct fyke_text *bytes, size_t length, size_t max)
{
	static const uint8_t zeros[512];

	while (bytes->length < length) {
		size_t more = length - bytes->length;

		if (!fyke_append(dissection, bytes, zeros, more < sizeof(zeros) ? more : sizeof(zeros), max))
			return false;
	}
	return true;
}

bool fyke_pieces_add(struct fyke_dissection *dissection, struct fyke_pieces *pieces, uint64_t offset,
	struct fyke_cursor piece, size_t max)
{
	size_t length = fyke_cursor_left(&piece);

	if (length == 0)
		return true;
	if (max > UINT32_MAX || offset > max || length > max - offset)
		return false;
	if (!reach(dissection, &pieces->bytes, (size_t)offset + length, max) ||
		!add_range(pieces, (uint32_t)offset, (uint32_t)(offset + length)))
		return false;
	memcpy(pieces->bytes.bytes + offset, piece.at, length);
	return true;
}

struct fyke_cursor fyke_pieces_ready(const struct fyke_pieces *pieces)
{
	if (pieces->count == 0 || pieces->ranges[0].begin > 0)
		return fyke_cursor(NULL, 0);
	return fyke_cursor((const uint8_t *)pieces->bytes.bytes, pieces->ranges[0].end);
}

void fyke_pieces_drop(struct fyke_dissection *dissection, struct fyke_pieces *pieces)
{
	fyke_drop(dissection, &pieces->bytes);
	pieces->count = 0;
}
