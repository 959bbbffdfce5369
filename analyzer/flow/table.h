/*
 * The flows of one engine: keyed hash → record, and one expiry list per kind of timeout.
 *
 *   slots (8 bytes: hash, index)  ──▶  slab of struct fyke_flow  ──▶  lists by age, in packet time
 *
 * A flow moves to the end of its list only when a sixteenth of its timeout has passed since it was put
 * there: packets rarely touch the neighbours' records. It expires a timeout and a sixteenth after it was
 * put there, which hangs on its own packets alone, whatever flows share the list. Looking a flow up is exact:
 * fyke_flow_table_is_silent.
 */
#ifndef FYKE_FLOW_TABLE_H
#define FYKE_FLOW_TABLE_H

#include "analyzer/base/pool.h"
#include "analyzer/base/status.h"
#include "analyzer/flow/flow.h"

struct fyke_flow_slot {
	uint32_t hash;	/* the key's, lower half: gives the home slot */
	uint32_t index; /* of the record, 0 = empty */
};

struct fyke_flow_table {
	struct fyke_pool flows;
	struct fyke_blocks *blocks; /* of IPv6 addresses */
	struct fyke_flow_slot *slots;
	uint32_t mask; /* slots − 1; a power of two */
	uint32_t count;
	uint64_t seed;
	int64_t now_ns; /* clock of the latest packet, of whatever flow */
	int64_t timeout_ns[FYKE_AGE_COUNT];
	uint32_t head[FYKE_AGE_COUNT], tail[FYKE_AGE_COUNT];
};

/* `seed` keys the hash: random in production, so that nobody outside can aim at one slot. `blocks` is
 * borrowed for the table's life. */
FYKE_MUST_USE enum fyke_status fyke_flow_table_init(
	struct fyke_flow_table *table, uint64_t seed, struct fyke_blocks *blocks);
void fyke_flow_table_release(struct fyke_flow_table *table);

uint64_t fyke_flow_table_hash(const struct fyke_flow_table *table, const struct fyke_flow_key *key);
/* Asks for the memory that a look-up will need: first the slots of a whole batch, then the records. The flow
 * with that hash is nearly always the one; 0 when there is none. */
void fyke_flow_table_prefetch_slot(const struct fyke_flow_table *table, uint64_t hash);
uint32_t fyke_flow_table_prefetch_flow(const struct fyke_flow_table *table, uint64_t hash);

/* 0 when there is none. */
uint32_t fyke_flow_table_find(
	const struct fyke_flow_table *table, const struct fyke_flow_key *key, uint64_t hash);

/* A new zeroed flow with key, hash and touched_ns set, of age BRIEF; 0 when memory is out. The key
 * must not be in the table. */
uint32_t fyke_flow_table_add(
	struct fyke_flow_table *table, const struct fyke_flow_key *key, uint64_t hash, int64_t now_ns);
void fyke_flow_table_remove(struct fyke_flow_table *table, uint32_t index);
void fyke_flow_table_set_age(struct fyke_flow_table *table, uint32_t index, enum fyke_flow_age age);

static inline struct fyke_flow *fyke_flow_at(const struct fyke_flow_table *table, uint32_t index)
{
	return fyke_pool_at(&table->flows, index);
}

/* Notes a packet at clock `now_ns`. */
void fyke_flow_table_touch(struct fyke_flow_table *table, uint32_t index, int64_t now_ns);

/* What is put into a list from now on comes at this clock, which never goes back. */
static inline void fyke_flow_table_advance(struct fyke_flow_table *table, int64_t now_ns)
{
	if (now_ns > table->now_ns)
		table->now_ns = now_ns;
}

/* Whether the flow has been silent for longer than its timeout. */
bool fyke_flow_table_is_silent(
	const struct fyke_flow_table *table, const struct fyke_flow *flow, int64_t now_ns);

/* Lists are in the order of time but for so much of the timeout, so that not every packet moves its flow. */
enum { FYKE_FLOW_LATENESS = 16 };

/* How long after it was put into its list a flow of that timeout has been silent long enough. */
static inline int64_t fyke_flow_table_patience(int64_t timeout_ns)
{
	return timeout_ns + timeout_ns / FYKE_FLOW_LATENESS;
}

/* A flow whose time in its list is over; 0 when there is none. The caller removes it
 * before it asks again. */
uint32_t fyke_flow_table_expired(struct fyke_flow_table *table, int64_t now_ns);

/* The flow that has stood in its list longest; 0 when the table is empty. */
uint32_t fyke_flow_table_oldest(const struct fyke_flow_table *table);

#endif
