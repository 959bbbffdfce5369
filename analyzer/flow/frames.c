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
