/* Open addressing with a keyed hash: traffic chooses the keys, so it must not know where they fall. */
#include "storage/index.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <xxhash.h>

enum { SLOTS_LEAST = 64 };

uint64_t fyke_index_seed(void)
{
	uint64_t seed;
	struct timespec now;

	if (getrandom(&seed, sizeof(seed), 0) == (ssize_t)sizeof(seed))
		return seed;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15U ^ (uint64_t)now.tv_sec;
}

void fyke_index_init(struct fyke_index *index, size_t item_size, size_t key_size, size_t limit)
{
	*index = (struct fyke_index){
		.item_size = item_size, .key_size = key_size, .limit = limit, .seed = fyke_index_seed()};
}

void fyke_index_release(struct fyke_index *index)
{
	free(index->items);
	free(index->slots);
	index->items = NULL;
	index->slots = NULL;
	index->count = index->room = index->slot_count = 0;
}

void fyke_index_clear(struct fyke_index *index)
{
	if (index->count > 0)
		memset(index->slots, 0, index->slot_count * sizeof(*index->slots));
	index->count = 0;
}

static void *item_at(const struct fyke_index *index, size_t place)
{
	return (char *)index->items + place * index->item_size;
}

static uint32_t hash_of(const struct fyke_index *index, const void *key)
{
	return (uint32_t)XXH3_64bits_withSeed(key, index->key_size, index->seed);
}

/* The slot that holds the key, or the free one where it belongs. */
static struct fyke_index_slot *slot_of(const struct fyke_index *index, const void *key, uint32_t hash)
{
	size_t mask = index->slot_count - 1;
	size_t at = hash & mask;

	while (index->slots[at].place != 0 &&
		(index->slots[at].hash != hash ||
			memcmp(item_at(index, index->slots[at].place - 1), key, index->key_size) != 0))
		at = (at + 1) & mask;
	return &index->slots[at];
}

/* All keys are different: each takes the first slot that is free. */
static void move_slot(struct fyke_index_slot *slots, size_t mask, const struct fyke_index_slot *slot)
{
	size_t at = slot->hash & mask;

	while (slots[at].place != 0)
		at = (at + 1) & mask;
	slots[at] = *slot;
}

static bool grow_slots(struct fyke_index *index)
{
	size_t count = index->slot_count == 0 ? SLOTS_LEAST : 2 * index->slot_count;
	struct fyke_index_slot *slots = calloc(count, sizeof(*slots));

	if (slots == NULL)
		return false;
	for (size_t i = 0; i < index->slot_count; i++) {
		if (index->slots[i].place != 0)
			move_slot(slots, count - 1, &index->slots[i]);
	}
	free(index->slots);
	index->slots = slots;
	index->slot_count = count;
	return true;
}

static bool grow_items(struct fyke_index *index)
{
	size_t room = index->room == 0 ? SLOTS_LEAST / 2 : 2 * index->room;
	void *items = realloc(index->items, room * index->item_size);

	if (items == NULL)
		return false;
	index->items = items;
	index->room = room;
	return true;
}

void *fyke_index_add(struct fyke_index *index, const void *key, bool *added)
{
	uint32_t hash = hash_of(index, key);
	struct fyke_index_slot *slot;
	char *item;

	*added = false;
	if (2 * (index->count + 1) > index->slot_count && !grow_slots(index) && index->slot_count == 0)
		return NULL;
	slot = slot_of(index, key, hash);
	if (slot->place != 0)
		return item_at(index, slot->place - 1);
	if (index->count >= index->limit || index->count + 1 >= index->slot_count ||
		(index->count == index->room && !grow_items(index)))
		return NULL;
	item = item_at(index, index->count);
	memset(item, 0, index->item_size);
	memcpy(item, key, index->key_size);
	*slot = (struct fyke_index_slot){(uint32_t)++index->count, hash};
	*added = true;
	return item;
}

void *fyke_index_find(const struct fyke_index *index, const void *key)
{
	uint32_t place = index->slot_count == 0 ? 0 : slot_of(index, key, hash_of(index, key))->place;

	return place == 0 ? NULL : item_at(index, place - 1);
}
