/*
 * Small blocks of memory without a header each: what hangs on flows comes and goes with nearly every
 * packet. Blocks that were given back wait in a list of their size; a slab is never given back before the
 * end. What is larger than FYKE_BLOCKS_LARGEST is malloc's. One owner at a time, like an arena.
 *
 *   slab ──▶ cut in order ──▶ taken ──▶ given back ──▶ list of its size ──▶ taken again
 */
#ifndef FYKE_BASE_BLOCKS_H
#define FYKE_BASE_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

enum { FYKE_BLOCKS_LARGEST = 4096, FYKE_BLOCKS_SIZES = 22 };

struct fyke_blocks {
	void *waiting[FYKE_BLOCKS_SIZES]; /* linked through their first bytes */
	char *at, *end;			  /* free room in the newest slab */
	void *slabs;			  /* linked through their first bytes, newest first */
	uint64_t used;			  /* bytes that are taken, with what was charged */
};

/* A zeroed struct is ready for use. */

/* `size` > 0 bytes, aligned to 32; NULL when memory is out. */
void *fyke_blocks_take(struct fyke_blocks *blocks, size_t size);
void *fyke_blocks_zero(struct fyke_blocks *blocks, size_t size);

/* `size` as it was taken; NULL is allowed. */
void fyke_blocks_give(struct fyke_blocks *blocks, void *block, size_t size);

/* Memory of another kind that hangs on a block grew from `before` bytes to `now`: counted in `used`. */
static inline void fyke_blocks_charge(struct fyke_blocks *blocks, size_t before, size_t now)
{
	blocks->used += now - before;
}

/* Frees all that was taken, but not the larger ones. */
void fyke_blocks_release(struct fyke_blocks *blocks);

#endif
