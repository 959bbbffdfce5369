/*
 * What dissectors worked out before, for all conversations of an engine: a table with one place for each
 * value of a key's first bits, where the latest stays. Keys are hashes, so they spread by themselves.
 */
#include "analyzer/dissect/parts.h"
#include "dissectors/keep.h"

#include <string.h>

struct fyke_recalled {
	uint8_t key[FYKE_RECALL_KEY];
	size_t length;
	max_align_t memory[];
};

static struct fyke_recalled **place_of(struct fyke_dissect_memory *memory, const uint8_t *key)
{
	return &memory->recalled[key[0] % FYKE_RECALLED];
}

/* Room for what is read of it to grow in (keep.c doubles). With less it may be cut, and then nothing is made
 * of it for others, nor is what others learned put in its place. */
static bool is_plenty(const struct fyke_dissection *dissection, size_t length)
{
	return fyke_dissect_memory_left(dissection) / 4 >= length;
}

const void *fyke_recall(
	struct fyke_dissection *dissection, const uint8_t key[FYKE_RECALL_KEY], size_t *length)
{
	const struct fyke_recalled *recalled = *place_of(dissection->options.memory, key);

	if (recalled == NULL || memcmp(recalled->key, key, FYKE_RECALL_KEY) != 0 ||
		!is_plenty(dissection, recalled->length))
		return NULL;
	*length = recalled->length;
	return recalled->memory;
}

static void forget(struct fyke_blocks *blocks, struct fyke_recalled **place)
{
	if (*place != NULL)
		fyke_blocks_give(blocks, *place, sizeof(**place) + (*place)->length);
	*place = NULL;
}

void *fyke_learn(struct fyke_dissection *dissection, const uint8_t key[FYKE_RECALL_KEY], size_t length)
{
	struct fyke_recalled **place = place_of(dissection->options.memory, key), *fresh;

	if (length > FYKE_RECALL_MAX || !is_plenty(dissection, length))
		return NULL;
	forget(fyke_dissect_blocks(dissection), place);
	fresh = fyke_blocks_take(fyke_dissect_blocks(dissection), sizeof(*fresh) + length);
	if (fresh == NULL)
		return NULL;
	memcpy(fresh->key, key, FYKE_RECALL_KEY);
	fresh->length = length;
	*place = fresh;
	return fresh->memory;
}

void fyke_dissect_forget_all(struct fyke_dissect_memory *memory)
{
	for (size_t i = 0; i < FYKE_RECALLED; i++)
		forget(&memory->blocks, &memory->recalled[i]);
}
