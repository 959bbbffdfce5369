/*
 * Sizes go by 32 bytes up to 512, then 768, 1024, 1536 … 4096: at most a third of a block is unused.
 * Under AddressSanitizer every block is malloc's own, so that it sees what is used after it was given back.
 */
#include "analyzer/base/blocks.h"

#include <stdlib.h>
#include <string.h>

enum { STEP = 32, LINE = 2 * STEP, FINE = 512, SLAB = 256 * 1024 };

#ifdef __SANITIZE_ADDRESS__
enum { LARGEST = 0 };
#else
enum { LARGEST = FYKE_BLOCKS_LARGEST };
#endif

static const uint16_t coarse[] = {768, 1024, 1536, 2048, 3072, FYKE_BLOCKS_LARGEST};

_Static_assert(FYKE_BLOCKS_SIZES == FINE / STEP + sizeof(coarse) / sizeof(coarse[0]), "a list for each size");

/* Which list holds blocks of at least `size` bytes; *rounded is what they have. */
static unsigned list_of(size_t size, size_t *rounded)
{
	unsigned list = 0;

	if (size <= FINE) {
		*rounded = (size + STEP - 1) & ~(size_t)(STEP - 1);
		return (unsigned)(*rounded / STEP - 1);
	}
	while (coarse[list] < size)
		list++;
	*rounded = coarse[list];
	return FINE / STEP + list;
}

/* A block of whole cache lines begins with one. What that, or the end of the slab, leaves unused is lost:
 * less than one block. */
static void *cut(struct fyke_blocks *blocks, size_t size)
{
	char *slab;

	if (size % LINE == 0 && (size_t)(blocks->end - blocks->at) % LINE != 0)
		blocks->at += STEP;
	if ((size_t)(blocks->end - blocks->at) < size) {
		slab = aligned_alloc(LINE, SLAB);
		if (slab == NULL)
			return NULL;
		memcpy(slab, &blocks->slabs, sizeof(blocks->slabs));
		blocks->slabs = slab;
		blocks->at = slab + (size_t)LINE;
		blocks->end = slab + SLAB;
	}
	blocks->at += size;
	return blocks->at - size;
}

/* The next one to be taken has waited for long, and lies far away. */
static inline void expect(const char *block, size_t size)
{
	for (size_t at = 0; at < size && at < FINE; at += LINE)
		__builtin_prefetch(block + at, 1);
}

static void *take_small(struct fyke_blocks *blocks, size_t size)
{
	size_t rounded;
	unsigned list = list_of(size, &rounded);
	void *block = blocks->waiting[list];

	if (block != NULL) {
		memcpy(&blocks->waiting[list], block, sizeof(block));
		expect(blocks->waiting[list], rounded);
	} else {
		block = cut(blocks, rounded);
	}
	if (block != NULL)
		blocks->used += rounded;
	return block;
}

void *fyke_blocks_take(struct fyke_blocks *blocks, size_t size)
{
	void *block;

	if (size <= LARGEST)
		return take_small(blocks, size);
	block = malloc(size);
	if (block != NULL)
		blocks->used += size;
	return block;
}

void *fyke_blocks_zero(struct fyke_blocks *blocks, size_t size)
{
	void *block = fyke_blocks_take(blocks, size);

	if (block != NULL)
		memset(block, 0, size);
	return block;
}

void fyke_blocks_give(struct fyke_blocks *blocks, void *block, size_t size)
{
	size_t rounded = size;
	unsigned list;

	if (block == NULL)
		return;
	if (size > LARGEST) {
		free(block);
	} else {
		list = list_of(size, &rounded);
		memcpy(block, &blocks->waiting[list], sizeof(block));
		blocks->waiting[list] = block;
	}
	blocks->used -= rounded;
}

void fyke_blocks_release(struct fyke_blocks *blocks)
{
	while (blocks->slabs != NULL) {
		void *slab = blocks->slabs;

		memcpy(&blocks->slabs, slab, sizeof(blocks->slabs));
		free(slab);
	}
	*blocks = (struct fyke_blocks){0};
}
