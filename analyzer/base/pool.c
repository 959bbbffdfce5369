/* Slabs of equal records with a free list through the records themselves. */
#include "analyzer/base/pool.h"

#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64 };

void fyke_pool_init(struct fyke_pool *pool, size_t record_size)
{
	*pool = (struct fyke_pool){.record_size = (uint32_t)((record_size + 15) & ~(size_t)15), .unused = 1};
}

void fyke_pool_release(struct fyke_pool *pool)
{
	for (uint32_t i = 0; i < pool->slab_count; i++)
		free(pool->slabs[i]);
	free(pool->slabs);
	*pool = (struct fyke_pool){0};
}

static int add_slab(struct fyke_pool *pool)
{
	char *slab;

	if (pool->slab_count == pool->slab_room) {
		uint32_t room = pool->slab_room == 0 ? 16 : pool->slab_room * 2;
		char **slabs = realloc(pool->slabs, room * sizeof(*slabs));

		if (slabs == NULL)
			return -1;
		pool->slabs = slabs;
		pool->slab_room = room;
	}
	slab = aligned_alloc(CACHE_LINE, (size_t)FYKE_POOL_SLAB * pool->record_size);
	if (slab == NULL)
		return -1;
	pool->slabs[pool->slab_count++] = slab;
	return 0;
}

uint32_t fyke_pool_take(struct fyke_pool *pool)
{
	uint32_t index = pool->free;

	if (index != 0) {
		memcpy(&pool->free, fyke_pool_at(pool, index), sizeof(pool->free));
	} else {
		if (pool->unused / FYKE_POOL_SLAB >= pool->slab_count && add_slab(pool) != 0)
			return 0;
		index = pool->unused++;
	}
	memset(fyke_pool_at(pool, index), 0, pool->record_size);
	pool->live++;
	return index;
}

void fyke_pool_give(struct fyke_pool *pool, uint32_t index)
{
	memcpy(fyke_pool_at(pool, index), &pool->free, sizeof(pool->free));
	pool->free = index;
	pool->live--;
}
