/*
 * Fixed-size records in slabs, reached by a 32-bit index and reused. Index 0 is never given out, so
 * it can stand for "none". Slabs never move: pointers stay good until the record is given back.
 */
#ifndef FYKE_BASE_POOL_H
#define FYKE_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

enum { FYKE_POOL_SLAB = 1024 }; /* records a slab */

struct fyke_pool {
	char **slabs;
	uint32_t slab_count, slab_room;
	uint32_t record_size;
	uint32_t unused; /* first index never given out */
	uint32_t free;	 /* head of the free list, linked through the records' first four bytes */
	uint32_t live;
};

void fyke_pool_init(struct fyke_pool *pool, size_t record_size);
void fyke_pool_release(struct fyke_pool *pool);

/* A zeroed record's index, or 0 when memory is out. */
uint32_t fyke_pool_take(struct fyke_pool *pool);
void fyke_pool_give(struct fyke_pool *pool, uint32_t index);

static inline void *fyke_pool_at(const struct fyke_pool *pool, uint32_t index)
{
	return pool->slabs[index / FYKE_POOL_SLAB] + (size_t)(index % FYKE_POOL_SLAB) * pool->record_size;
}

#endif
