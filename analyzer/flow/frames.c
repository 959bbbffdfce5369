/* Frame lists: varint deltas, 8 bytes in the flow, then in a block that doubles from 32 bytes to a part of
 * 4 KiB. */
#include "analyzer/flow/frames.h"

#include "analyzer/base/varint.h"

#include <string.h>

enum { BLOCK_LEAST = 32 };

/* Bytes of the block that a list of this length stands in. */
static size_t room_for(size_t length)
{
	return length <= BLOCK_LEAST ? BLOCK_LEAST : (size_t)1 << (64 - __builtin_clzll(length - 1));
}

static uint8_t *bytes_of(struct fyke_frames *frames)
{
	return frames->length > FYKE_FRAMES_EMBEDDED ? frames->block : frames->embedded;
}

/* Lengthens the list; what stands in the new bytes is the caller's. */
static bool lengthen(struct fyke_blocks *blocks, struct fyke_frames *frames, size_t length)
{
	bool in_block = frames->length > FYKE_FRAMES_EMBEDDED;
	size_t before = in_block ? room_for(frames->length) : FYKE_FRAMES_EMBEDDED;
	uint8_t *block;

	if (length > before) {
		block = fyke_blocks_take(blocks, room_for(length));
		if (block == NULL)
			return false;
		memcpy(block, bytes_of(frames), frames->length);
		if (in_block)
			fyke_blocks_give(blocks, frames->block, before);
		frames->block = block;
	}
	frames->length = length & UINT16_MAX;
	return true;
}

bool fyke_frames_add(struct fyke_blocks *blocks, struct fyke_frames *frames, uint64_t frame)
{
	uint8_t bytes[FYKE_VARINT_MAX];
	size_t length = frames->length, count;

	if (frame == frames->last && length > 0)
		return true;
	count = fyke_varint_write(length > 0 ? frame - frames->last : frame, bytes);
	if (!lengthen(blocks, frames, length + count))
		return false;
	memcpy(bytes_of(frames) + length, bytes, count);
	frames->last = frame & ((UINT64_C(1) << 48) - 1);
	return true;
}

/* The difference from `before` to the number behind it is split in two. */
static bool split(struct fyke_blocks *blocks, struct fyke_frames *frames, size_t at, size_t width,
	const uint64_t numbers[3])
{
	uint8_t bytes[2 * FYKE_VARINT_MAX];
	size_t length = frames->length, count = fyke_varint_write(numbers[1] - numbers[0], bytes);
	uint8_t *list;

	count += fyke_varint_write(numbers[2] - numbers[1], bytes + count);
	if (!lengthen(blocks, frames, length + count - width))
		return false;
	list = bytes_of(frames);
	memmove(list + at + count, list + at + width, length - at - width);
	memcpy(list + at, bytes, count);
	return true;
}

bool fyke_frames_insert(struct fyke_blocks *blocks, struct fyke_frames *frames, uint64_t frame)
{
	const uint8_t *list = fyke_frames_bytes(frames), *at = list, *end = list + frames->length;
	uint64_t before = 0, difference;

	if (frame > frames->last || frames->length == 0)
		return fyke_frames_add(blocks, frames, frame);
	while (at < end) {
		const uint8_t *from = at;

		if (!fyke_varint_read(&at, end, &difference))
			return false;
		if (before + difference == frame)
			return true;
		if (before + difference > frame)
			return split(blocks, frames, (size_t)(from - list), (size_t)(at - from),
				(uint64_t[3]){before, frame, before + difference});
		before += difference;
	}
	return true;
}

void fyke_frames_restart(struct fyke_blocks *blocks, struct fyke_frames *frames)
{
	if (frames->length > FYKE_FRAMES_EMBEDDED)
		fyke_blocks_give(blocks, frames->block, room_for(frames->length));
	frames->length = 0;
}

void fyke_frames_release(struct fyke_blocks *blocks, struct fyke_frames *frames)
{
	fyke_frames_restart(blocks, frames);
	*frames = (struct fyke_frames){0};
}
