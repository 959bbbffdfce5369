/* Sums by a text key: an open-addressing table over an array of entries (tally.h). */
#include "reports/tally.h"

#include "analyzer/base/grow.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

void fyke_tally_release(struct fyke_tally *tally)
{
	for (size_t i = 0; i < tally->count; i++)
		free(tally->entries[i].key);
	free(tally->entries);
	free(tally->slots);
	*tally = (struct fyke_tally){0};
}

/* The slot that holds the key, or the free one where it belongs. */
static struct fyke_tally_slot *slot_of(
	const struct fyke_tally *tally, const char *key, size_t length, uint64_t hash)
{
	size_t at = (size_t)hash & (tally->slot_count - 1);

	for (; tally->slots[at].index != 0; at = (at + 1) & (tally->slot_count - 1)) {
		const struct fyke_tally_entry *there;

		if (tally->slots[at].hash != (uint32_t)(hash >> 32))
			continue;
		there = &tally->entries[tally->slots[at].index - 1];
		if (there->length == length && memcmp(there->key, key, length) == 0)
			break;
	}
	return &tally->slots[at];
}

static uint64_t hash_of(const struct fyke_tally *tally, const char *key, size_t length)
{
	return XXH3_64bits_withSeed(key, length, tally->seed);
}

static bool rebuild(struct fyke_tally *tally, size_t slot_count)
{
	struct fyke_tally_slot *slots = calloc(slot_count, sizeof(*slots));

	if (slots == NULL)
		return false;
	free(tally->slots);
	tally->slots = slots;
	tally->slot_count = slot_count;
	/* Keys come off the wire: without a seed they could be made to collide. */
	if (tally->seed == 0 && getrandom(&tally->seed, sizeof(tally->seed), GRND_NONBLOCK) < 0)
		tally->seed = (uint64_t)(uintptr_t)slots;
	for (size_t i = 0; i < tally->count; i++) {
		const struct fyke_tally_entry *entry = &tally->entries[i];
		uint64_t hash = hash_of(tally, entry->key, entry->length);

		*slot_of(tally, entry->key, entry->length, hash) =
			(struct fyke_tally_slot){(uint32_t)i + 1, (uint32_t)(hash >> 32)};
	}
	return true;
}

int64_t fyke_tally_bytes(const struct fyke_tally_entry *entry)
{
	return (int64_t)((uint64_t)entry->counters[FYKE_TALLY_SENT_BYTES] +
			 (uint64_t)entry->counters[FYKE_TALLY_RECEIVED_BYTES]);
}

int64_t fyke_tally_packets(const struct fyke_tally_entry *entry)
{
	return (int64_t)((uint64_t)entry->counters[FYKE_TALLY_SENT_PACKETS] +
			 (uint64_t)entry->counters[FYKE_TALLY_RECEIVED_PACKETS]);
}

static int by_bytes(const void *left, const void *right)
{
	const struct fyke_tally_entry *a = left, *b = right;
	int64_t bytes_a = fyke_tally_bytes(a), bytes_b = fyke_tally_bytes(b);
	int64_t sessions_a = a->counters[FYKE_TALLY_SESSIONS], sessions_b = b->counters[FYKE_TALLY_SESSIONS];

	if (bytes_a != bytes_b)
		return bytes_a > bytes_b ? -1 : 1;
	if (sessions_a != sessions_b)
		return sessions_a > sessions_b ? -1 : 1;
	return strcmp(a->key, b->key);
}

void fyke_tally_sort(struct fyke_tally *tally)
{
	if (tally->count > 0)
		qsort(tally->entries, tally->count, sizeof(*tally->entries), by_bytes);
}

static bool drop_half(struct fyke_tally *tally)
{
	size_t keep = tally->count / 2;

	fyke_tally_sort(tally);
	for (size_t i = keep; i < tally->count; i++)
		free(tally->entries[i].key);
	tally->dropped += tally->count - keep;
	tally->count = keep;
	return rebuild(tally, tally->slot_count);
}

static bool make_room(struct fyke_tally *tally)
{
	size_t limit = tally->limit == 0 ? FYKE_TALLY_LIMIT : tally->limit;
	struct fyke_tally_entry *entries;

	if (tally->count >= limit && !drop_half(tally))
		return false;
	entries = fyke_grow(tally->entries, tally->count, &tally->room, 64, sizeof(*entries));
	if (entries == NULL)
		return false;
	tally->entries = entries;
	if (2 * (tally->count + 1) > tally->slot_count)
		return rebuild(tally, tally->slot_count == 0 ? 256 : 2 * tally->slot_count);
	return true;
}

bool fyke_tally_has(const struct fyke_tally *tally, const char *key, size_t length)
{
	return tally->slot_count > 0 && slot_of(tally, key, length, hash_of(tally, key, length))->index != 0;
}

int64_t *fyke_tally_at(struct fyke_tally *tally, const char *key, size_t length)
{
	struct fyke_tally_entry *entry;
	struct fyke_tally_slot *slot;
	uint64_t hash;

	if (tally->slot_count > 0) {
		slot = slot_of(tally, key, length, hash_of(tally, key, length));
		if (slot->index != 0)
			return tally->entries[slot->index - 1].counters;
	}
	if (!make_room(tally))
		return NULL;
	entry = &tally->entries[tally->count];
	*entry = (struct fyke_tally_entry){.key = strndup(key, length), .length = length};
	if (entry->key == NULL)
		return NULL;
	hash = hash_of(tally, key, length); /* the first room brought the seed */
	*slot_of(tally, key, length, hash) =
		(struct fyke_tally_slot){(uint32_t)++tally->count, (uint32_t)(hash >> 32)};
	return entry->counters;
}
