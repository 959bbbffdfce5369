/* Frame lists: varint deltas in a buffer that doubles from 14 bytes to a part of 4 KiB. */
#include "analyzer/flow/frames.h"

#include "analyzer/base/varint.h"

#include <stdlib.h>
#include <string.h>

static bool make_room(struct fyke_frames *frames, size_t needed)
{
	size_t room = frames->heap == NULL ? (size_t)FYKE_FRAMES_EMBEDDED : frames->room;
	uint8_t *heap;

	if (needed <= room)
		return true;
	room = room < 32 ? 64 : room * 2;
	heap = realloc(frames->heap, room);
	if (heap == NULL)
		return false;
	if (frames->heap == NULL)
		memcpy(heap, frames->embedded, frames->length);
	frames->heap = heap;
	frames->room = (uint16_t)room;
	return true;
}

bool fyke_frames_add(struct fyke_frames *frames, uint64_t frame)
{
	uint8_t bytes[FYKE_VARINT_MAX];
	size_t count;

	if (frame == frames->last)
		return true;
	count = fyke_varint_write(frame - frames->last, bytes);
	if (!make_room(frames, frames->length + count))
		return false;
	memcpy((frames->heap != NULL ? frames->heap : frames->embedded) + frames->length, bytes, count);
	frames->length = (uint16_t)(frames->length + count);
	frames->last = frame;
	return true;
}

/* The difference from `before` to the number behind it is split in two. */
static bool split(struct fyke_frames *frames, size_t at, size_t width, const uint64_t numbers[3])
{
	uint8_t bytes[2 * FYKE_VARINT_MAX];
	size_t count = fyke_varint_write(numbers[1] - numbers[0], bytes);
	uint8_t *list;

	count += fyke_varint_write(numbers[2] - numbers[1], bytes + count);
	if (!make_room(frames, frames->length + count - width))
		return false;
	list = frames->heap != NULL ? frames->heap : frames->embedded;
	memmove(list + at + count, list + at + width, frames->length - at - width);
	memcpy(list + at, bytes, count);
	frames->length = (uint16_t)(frames->length + count - width);
	return true;
}

bool fyke_frames_insert(struct fyke_frames *frames, uint64_t frame)
{
	const uint8_t *list = fyke_frames_bytes(frames), *at = list, *end = list + frames->length;
	uint64_t before = 0, difference;

	if (frame > frames->last)
		return fyke_frames_add(frames, frame);
	while (at < end) {
		const uint8_t *from = at;

		if (!fyke_varint_read(&at, end, &difference))
			return false;
		if (before + difference == frame)
			return true;
		if (before + difference > frame)
			return split(frames, (size_t)(from - list), (size_t)(at - from),
				(uint64_t[3]){before, frame, before + difference});
		before += difference;
	}
	return true;
}

void fyke_frames_restart(struct fyke_frames *frames)
{
	frames->length = 0;
	frames->last = 0;
}

void fyke_frames_release(struct fyke_frames *frames)
{
	free(frames->heap);
	*frames = (struct fyke_frames){0};
}
