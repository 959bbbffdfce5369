/*
 * The list of a flow's frames as varints: a few bytes inside the flow, then blocks that double, so that short
 * sessions stay small.
 */
#ifndef FYKE_FLOW_FRAMES_H
#define FYKE_FLOW_FRAMES_H

#include "analyzer/base/blocks.h"

#include <stdbool.h>

enum {
	FYKE_FRAMES_EMBEDDED = 8, /* bytes inside the flow itself */
	FYKE_FRAMES_PART = 4096,  /* a part is handed over when it is this long */
};

struct fyke_frames {
	uint64_t last : 48; /* highest frame number in the list, or in the part before if this one is empty */
	uint64_t length : 16; /* bytes; how large the block is follows from it */
	union {
		uint8_t embedded[FYKE_FRAMES_EMBEDDED];
		uint8_t *block; /* where the list is longer */
	};
};

/* Appends a frame number (ascending; the same one again is ignored). False when memory is out: the
 * list stays as it was. */
bool fyke_frames_add(struct fyke_blocks *blocks, struct fyke_frames *frames, uint64_t frame);

/* Puts in a frame number wherever it belongs, for one that comes late; otherwise the same. */
bool fyke_frames_insert(struct fyke_blocks *blocks, struct fyke_frames *frames, uint64_t frame);

static inline const uint8_t *fyke_frames_bytes(const struct fyke_frames *frames)
{
	return frames->length > FYKE_FRAMES_EMBEDDED ? frames->block : frames->embedded;
}

static inline bool fyke_frames_is_full(const struct fyke_frames *frames)
{
	return frames->length + 10u > FYKE_FRAMES_PART;
}

/* Empties the list for the next part, which starts with an absolute number. */
void fyke_frames_restart(struct fyke_blocks *blocks, struct fyke_frames *frames);
void fyke_frames_release(struct fyke_blocks *blocks, struct fyke_frames *frames);

#endif
