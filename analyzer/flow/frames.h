/*
 * The list of a flow's frames as varints, growing in steps so that short sessions stay small.
 */
#ifndef FYKE_FLOW_FRAMES_H
#define FYKE_FLOW_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FYKE_FRAMES_EMBEDDED = 14, /* bytes inside the flow itself */
	FYKE_FRAMES_PART = 4096,   /* a part is handed over when it is this long */
};

struct fyke_frames {
	uint8_t *heap; /* NULL while the list fits into `embedded` */
	uint64_t last; /* last frame number in the list, 0 = the part is empty */
	uint16_t length, room;
	uint8_t embedded[FYKE_FRAMES_EMBEDDED];
};

/* Appends a frame number (ascending; the same one again is ignored). False when memory is out: the
 * list stays as it was. */
bool fyke_frames_add(struct fyke_frames *frames, uint64_t frame);

/* Puts in a frame number wherever it belongs, for one that comes late; otherwise the same. */
bool fyke_frames_insert(struct fyke_frames *frames, uint64_t frame);

static inline const uint8_t *fyke_frames_bytes(const struct fyke_frames *frames)
{
	return frames->heap != NULL ? frames->heap : frames->embedded;
}

static inline bool fyke_frames_is_full(const struct fyke_frames *frames)
{
	return frames->length + 10u > FYKE_FRAMES_PART;
}

/* Empties the list for the next part, which starts with an absolute number; keeps the memory. */
void fyke_frames_restart(struct fyke_frames *frames);
void fyke_frames_release(struct fyke_frames *frames);

#endif
