/*
 * Open addressing with linear probing over 8-byte slots, at most ¾ full, deletion by shifting back;
 * records live in slabs that never move. Hash: XXH3 with a seed over the 48 bytes of the key.
 */
#include "analyzer/flow/table.h"

#include "analyzer/base/hash.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct fyke_flow) <= 176, "with its slots a flow without TCP has 192 bytes");

enum { SLOTS_AT_START = 4096, CACHE_LINE = 64 };

enum fyke_status fyke_flow_table_init(
	struct fyke_flow_table *table, uint64_t seed, struct fyke_blocks *blocks)
{
	*table = (struct fyke_flow_table){
		.mask = SLOTS_AT_START - 1, .seed = seed, .blocks = blocks, .now_ns = INT64_MIN};
	fyke_pool_init(&table->flows, sizeof(struct fyke_flow));
	table->slots = calloc(SLOTS_AT_START, sizeof(*table->slots));
	return table->slots == NULL ? FYKE_FAILED_MEMORY : FYKE_OK;
}

void fyke_flow_table_release(struct fyke_flow_table *table)
{
	fyke_pool_release(&table->flows);
	free(table->slots);
	*table = (struct fyke_flow_table){0};
}

uint64_t fyke_flow_table_hash(const struct fyke_flow_table *table, const struct fyke_flow_key *key)
{
	return XXH3_64bits_withSeed(key, sizeof(*key), table->seed);
}

void fyke_flow_table_prefetch_slot(const struct fyke_flow_table *table, uint64_t hash)
{
	__builtin_prefetch(&table->slots[hash & table->mask]);
}

uint32_t fyke_flow_table_prefetch_flow(const struct fyke_flow_table *table, uint64_t hash)
{
	const struct fyke_flow_slot *slot = &table->slots[hash & table->mask];
	const char *flow;

	for (uint32_t at = (uint32_t)hash; slot->index != 0 && slot->hash != (uint32_t)hash; at++)
		slot = &table->slots[(at + 1) & table->mask];
	if (slot->index == 0)
		return 0;
	flow = (const char *)fyke_flow_at(table, slot->index);
	for (size_t at = 0; at < sizeof(struct fyke_flow); at += CACHE_LINE)
		__builtin_prefetch(flow + at, 1);
	__builtin_prefetch(flow + sizeof(struct fyke_flow) - 1, 1); /* it may begin within a line */
	return slot->index;
}

uint32_t fyke_flow_table_find(
	const struct fyke_flow_table *table, const struct fyke_flow_key *key, uint64_t hash)
{
	for (uint32_t at = (uint32_t)hash & table->mask;; at = (at + 1) & table->mask) {
		const struct fyke_flow_slot *slot = &table->slots[at];

		if (slot->index == 0)
			return 0;
		if (slot->hash == (uint32_t)hash &&
			fyke_kept_key_is(&fyke_flow_at(table, slot->index)->key, key))
			return slot->index;
	}
}

static void put_slot(struct fyke_flow_slot *slots, uint32_t mask, struct fyke_flow_slot slot)
{
	uint32_t at = slot.hash & mask;

	while (slots[at].index != 0)
		at = (at + 1) & mask;
	slots[at] = slot;
}

static bool grow(struct fyke_flow_table *table)
{
	uint32_t mask = table->mask * 2 + 1;
	struct fyke_flow_slot *slots = calloc((size_t)mask + 1, sizeof(*slots));

	if (slots == NULL)
		return false;
	for (uint32_t i = 0; i <= table->mask; i++) {
		if (table->slots[i].index != 0)
			put_slot(slots, mask, table->slots[i]);
	}
	free(table->slots);
	table->slots = slots;
	table->mask = mask;
	return true;
}

static void list_append(struct fyke_flow_table *table, uint32_t index)
{
	struct fyke_flow *flow = fyke_flow_at(table, index);
	uint32_t last = table->tail[flow->age];

	flow->previous = last;
	flow->next = 0;
	if (last != 0)
		fyke_flow_at(table, last)->next = index;
	else
		table->head[flow->age] = index;
	table->tail[flow->age] = index;
	flow->listed_ns = table->now_ns;
}

static void list_unlink(struct fyke_flow_table *table, uint32_t index)
{
	struct fyke_flow *flow = fyke_flow_at(table, index);

	if (flow->previous != 0)
		fyke_flow_at(table, flow->previous)->next = flow->next;
	else
		table->head[flow->age] = flow->next;
	if (flow->next != 0)
		fyke_flow_at(table, flow->next)->previous = flow->previous;
	else
		table->tail[flow->age] = flow->previous;
}

uint32_t fyke_flow_table_add(
	struct fyke_flow_table *table, const struct fyke_flow_key *key, uint64_t hash, int64_t now_ns)
{
	struct fyke_flow *flow;
	uint32_t index;

	if (table->count >= table->mask / 4 * 3 && !grow(table))
		return 0;
	index = fyke_pool_take(&table->flows);
	if (index == 0)
		return 0;
	flow = fyke_flow_at(table, index);
	if (!fyke_kept_key_set(table->blocks, &flow->key, key)) {
		fyke_pool_give(&table->flows, index);
		return 0;
	}
	flow->age = FYKE_AGE_BRIEF;
	flow->touched_ns = now_ns;
	put_slot(table->slots, table->mask, (struct fyke_flow_slot){(uint32_t)hash, index});
	table->count++;
	fyke_flow_table_advance(table, now_ns);
	list_append(table, index);
	return index;
}

/* Closes the hole at `at`: later entries of the same run move back unless that would put them in
 * front of their home slot. */
static void shift_back(struct fyke_flow_table *table, uint32_t at)
{
	uint32_t mask = table->mask;

	for (uint32_t next = (at + 1) & mask; table->slots[next].index != 0; next = (next + 1) & mask) {
		uint32_t home = table->slots[next].hash & mask;

		if (((next - home) & mask) >= ((next - at) & mask)) {
			table->slots[at] = table->slots[next];
			at = next;
		}
	}
	table->slots[at] = (struct fyke_flow_slot){0, 0};
}

void fyke_flow_table_remove(struct fyke_flow_table *table, uint32_t index)
{
	struct fyke_flow *flow = fyke_flow_at(table, index);
	struct fyke_flow_key key = fyke_kept_key_whole(&flow->key);
	uint32_t at = (uint32_t)fyke_flow_table_hash(table, &key) & table->mask;

	while (table->slots[at].index != index)
		at = (at + 1) & table->mask;
	fyke_kept_key_release(table->blocks, &flow->key);
	list_unlink(table, index);
	shift_back(table, at);
	fyke_pool_give(&table->flows, index);
	table->count--;
}

void fyke_flow_table_set_age(struct fyke_flow_table *table, uint32_t index, enum fyke_flow_age age)
{
	struct fyke_flow *flow = fyke_flow_at(table, index);

	if (flow->age == age)
		return;
	list_unlink(table, index);
	flow->age = age & 15;
	list_append(table, index);
}

void fyke_flow_table_touch(struct fyke_flow_table *table, uint32_t index, int64_t now_ns)
{
	struct fyke_flow *flow = fyke_flow_at(table, index);

	flow->touched_ns = now_ns;
	fyke_flow_table_advance(table, now_ns);
	if (now_ns - flow->listed_ns <= table->timeout_ns[flow->age] / FYKE_FLOW_LATENESS)
		return;
	list_unlink(table, index);
	list_append(table, index);
}

bool fyke_flow_table_is_silent(
	const struct fyke_flow_table *table, const struct fyke_flow *flow, int64_t now_ns)
{
	return now_ns - flow->touched_ns > table->timeout_ns[flow->age];
}

uint32_t fyke_flow_table_expired(struct fyke_flow_table *table, int64_t now_ns)
{
	for (int age = 0; age < FYKE_AGE_COUNT; age++) {
		uint32_t index = table->head[age];
		int64_t timeout_ns = table->timeout_ns[age];

		if (index != 0 &&
			now_ns - fyke_flow_at(table, index)->listed_ns > fyke_flow_table_patience(timeout_ns))
			return index;
	}
	return 0;
}

uint32_t fyke_flow_table_oldest(const struct fyke_flow_table *table)
{
	uint32_t oldest = 0;

	for (int age = 0; age < FYKE_AGE_COUNT; age++) {
		uint32_t index = table->head[age];

		if (index != 0 && (oldest == 0 || fyke_flow_at(table, index)->listed_ns <
							  fyke_flow_at(table, oldest)->listed_ns))
			oldest = index;
	}
	return oldest;
}
