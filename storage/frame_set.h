/* A set of frame numbers as bits in small pages: small where few are in it, one bit each where all are. */
#ifndef FYKE_STORAGE_FRAME_SET_H
#define FYKE_STORAGE_FRAME_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No capture has more; and a database that claims so shall not take all memory. */
#define FYKE_FRAME_SET_LAST ((UINT64_C(1) << 36) - 1)

struct fyke_frame_set {
	uint64_t **pages; /* NULL: nothing in it */
	size_t page_room;
	size_t page_count; /* that are there */
	uint64_t count;
};

void fyke_frame_set_release(struct fyke_frame_set *set); /* leaves it empty; a zeroed one is empty */

/* False when memory is out or frame > FYKE_FRAME_SET_LAST. */
bool fyke_frame_set_add(struct fyke_frame_set *set, uint64_t frame);

/* The lowest number in it that is ≥ `from`; UINT64_MAX = none. */
uint64_t fyke_frame_set_next(const struct fyke_frame_set *set, uint64_t from);

#endif
