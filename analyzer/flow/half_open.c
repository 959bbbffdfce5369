/*
 * Four tables, for each address family one of lone SYNs and one of refused ones, alike but for the size of
 * their records. Records are never moved: they are numbered in order of arrival, and what is taken out leaves
 * a hole that goes with its slab. Its slot, if nobody looked for it, stays until the slots are made anew.
 * Where a packet came from on the link is one of few paths, kept apart.
 */
#include "analyzer/flow/half_open_parts.h"

#include "analyzer/base/hash.h"

#include <stdlib.h>
#include <string.h>

enum {
	SLOTS_AT_START = 4096,
	AT_ONCE = 32,
	TAG_EMPTY = 0,
	TAG_DELETED = 1,
	TAG_FIRST = 2,
};

static bool init_family(struct family *family, uint8_t address_length, bool is_refused)
{
	*family = (struct family){.address_length = address_length,
		.is_refused = is_refused,
		.record_size = (uint32_t)(sizeof(struct fyke_half_open_record) + 2U * address_length +
					  (is_refused ? sizeof(struct fyke_half_open_reset) : 0)),
		.mask = SLOTS_AT_START - 1};
	family->tags = calloc(SLOTS_AT_START, sizeof(*family->tags));
	family->indices = calloc(SLOTS_AT_START, sizeof(*family->indices));
	return family->tags != NULL && family->indices != NULL;
}

struct fyke_half_open *fyke_half_open_new(uint64_t seed)
{
	struct fyke_half_open *table = calloc(1, sizeof(*table));
	bool made = true;

	if (table == NULL)
		return NULL;
	table->seed = seed;
	table->room = UINT64_MAX;
	for (int i = 0; i < FAMILIES; i++)
		made = init_family(&table->family[i], i % 2 == 0 ? 4 : 16, i >= REFUSED) && made;
	if (made)
		return table;
	fyke_half_open_free(table);
	return NULL;
}

void fyke_half_open_free(struct fyke_half_open *table)
{
	for (int i = 0; table != NULL && i < FAMILIES; i++) {
		struct family *family = &table->family[i];

		for (uint32_t j = 0; j < family->slab_count; j++)
			free(family->slabs[family->head + j]);
		free(family->slabs);
		free(family->tags);
		free(family->indices);
	}
	if (table != NULL)
		free(table->births);
	free(table);
}

/* ---- paths ---- */

/* False when there are too many. */
static bool find_path(struct fyke_half_open *table, const struct fyke_packet *packet, uint16_t *place)
{
	struct fyke_half_open_path path = fyke_half_open_path_of(packet);
	uint32_t at;

	*place = table->path_latest;
	if (memcmp(&table->paths[*place], &path, sizeof(path)) == 0 && table->path_count > 0)
		return true;
	at = (uint32_t)XXH3_64bits_withSeed(&path, sizeof(path), table->seed) % PATH_SLOTS;
	for (; table->path_slots[at] != 0; at = (at + 1) % PATH_SLOTS) {
		*place = (uint16_t)(table->path_slots[at] - 1);
		if (memcmp(&table->paths[*place], &path, sizeof(path)) == 0) {
			table->path_latest = *place;
			return true;
		}
	}
	if (table->path_count == PATHS_MAX)
		return false;
	*place = table->path_latest = table->path_count++;
	table->paths[*place] = path;
	table->path_slots[at] = (uint16_t)(*place + 1);
	return true;
}

/* ---- slots ---- */

static uint8_t tag_of(uint64_t hash)
{
	uint8_t tag = (uint8_t)(hash >> 56);

	return tag < TAG_FIRST ? (uint8_t)(tag + TAG_FIRST) : tag;
}

static void put(struct family *family, uint64_t hash, uint32_t number)
{
	uint32_t at = (uint32_t)hash & family->mask;

	while (family->tags[at] >= TAG_FIRST)
		at = (at + 1) & family->mask;
	family->used += family->tags[at] == TAG_EMPTY;
	family->tags[at] = tag_of(hash);
	family->indices[at] = number;
}

static void prefetch(const struct family *family, uint64_t hash)
{
	__builtin_prefetch(&family->tags[(uint32_t)hash & family->mask], 1);
	__builtin_prefetch(&family->indices[(uint32_t)hash & family->mask], 1);
}

static uint64_t hash_of(const struct fyke_half_open *table, const struct family *family,
	const struct fyke_half_open_record *record)
{
	struct fyke_flow_key key;

	fyke_half_open_key(record, family->address_length, &key);
	return XXH3_64bits_withSeed(&key, sizeof(key), table->seed);
}

/* The next few live records from `number` on: their slots are asked for before the first is filled. Gives the
 * number behind them. */
static uint32_t put_some(const struct fyke_half_open *table, struct family *family, uint32_t number)
{
	uint64_t hashes[AT_ONCE];
	uint32_t numbers[AT_ONCE], count = 0;

	for (; number != family->next && count < AT_ONCE; number++) {
		const struct fyke_half_open_record *record = record_at(family, number);

		if ((record->bits & FYKE_HALF_OPEN_DEAD) != 0)
			continue;
		hashes[count] = hash_of(table, family, record);
		numbers[count] = number;
		prefetch(family, hashes[count++]);
	}
	for (uint32_t i = 0; i < count; i++)
		put(family, hashes[i], numbers[i]);
	return number;
}

/* Twice as many slots, in the same memory where it can be stretched; what stands in them is of no use. */
static bool grow(struct fyke_half_open *table, struct family *family)
{
	size_t slots = ((size_t)family->mask + 1) * 2;
	uint64_t growth = fyke_half_open_growth(family);
	uint8_t *tags = realloc(family->tags, slots * sizeof(*tags));
	uint32_t *indices;

	if (tags == NULL)
		return false;
	family->tags = tags;
	indices = reallocarray(family->indices, slots, sizeof(*indices));
	if (indices == NULL)
		return false;
	family->indices = indices;
	family->mask = (uint32_t)(slots - 1);
	table->room -= table->room < growth ? table->room : growth;
	return true;
}

/* Slots for all live records, anew; twice as many where most are in use and there is room for that. */
static bool rebuild(struct fyke_half_open *table, struct family *family)
{
	uint32_t slots = family->mask + 1;
	bool may = fyke_half_open_growth(family) <= table->room || family->live >= slots / 4 * 3;

	if (may && family->live >= slots / 16 * 7 && !grow(table, family))
		return false;
	memset(family->tags, TAG_EMPTY, ((size_t)family->mask + 1) * sizeof(*family->tags));
	family->used = 0;
	for (uint32_t number = family->oldest; number != family->next;)
		number = put_some(table, family, number);
	return true;
}

/* ---- records ---- */

static bool add_slab(struct family *family)
{
	struct slab *slab;

	if (family->head > 0 && family->head + family->slab_count == family->slab_room) {
		memmove(family->slabs, family->slabs + family->head,
			family->slab_count * sizeof(*family->slabs));
		family->head = 0;
	}
	if (family->slab_count == family->slab_room) {
		uint32_t room = family->slab_room == 0 ? 16 : family->slab_room * 2;
		struct slab **grown = reallocarray(family->slabs, room, sizeof(*grown));

		if (grown == NULL)
			return false;
		family->slabs = grown;
		family->slab_room = room;
	}
	slab = malloc(sizeof(*slab) + (size_t)SLAB * family->record_size);
	if (slab == NULL)
		return false;
	slab->live = 0;
	family->slabs[family->head + family->slab_count++] = slab;
	return true;
}

/* Slabs at the front in which nothing lives go. */
static void drop_slabs(struct family *family)
{
	while (family->slab_count > 0 && family->next - family->first >= SLAB &&
		family->slabs[family->head]->live == 0) {
		free(family->slabs[family->head++]);
		family->slab_count--;
		family->first += SLAB;
	}
	if (family->oldest - family->first > family->next - family->first)
		family->oldest = family->first;
}

static void kill_record(struct family *family, uint32_t number)
{
	record_at(family, number)->bits |= FYKE_HALF_OPEN_DEAD;
	slab_of(family, number)->live--;
	family->live--;
	drop_slabs(family);
}

/* Room for one more; NULL when memory is out. */
static struct fyke_half_open_record *append(
	struct fyke_half_open *table, struct family *family, uint64_t hash)
{
	if (family->used >= (family->mask + 1) / 8 * 7 && !rebuild(table, family))
		return NULL;
	if (family->next - family->first == family->slab_count * SLAB && !add_slab(family))
		return NULL;
	put(family, hash, family->next);
	slab_of(family, family->next)->live++;
	family->live++;
	return record_at(family, family->next++);
}

enum fyke_half_open_answer fyke_half_open_add(
	struct fyke_half_open *table, const struct fyke_packet *packet, uint64_t hash, int64_t now_ns)
{
	struct family *family = &table->family[LONE + (packet->source.family == FYKE_ADDRESS_IPV6)];
	struct fyke_half_open_record *record;
	uint16_t path;

	if (!fyke_half_open_fits(packet, now_ns) || !find_path(table, packet, &path))
		return FYKE_HALF_OPEN_UNFIT;
	record = append(table, family, hash);
	if (record == NULL)
		return FYKE_HALF_OPEN_NO_MEMORY;
	fyke_half_open_fill(record, packet, family->address_length);
	record->path = path;
	return FYKE_HALF_OPEN_TAKEN;
}

void fyke_half_open_prefetch(const struct fyke_half_open *table, const struct fyke_hashed_key *key)
{
	bool six = key->key.family == FYKE_ADDRESS_IPV6;

	if (key->key.kind != FYKE_PACKET_TCP)
		return;
	prefetch(&table->family[LONE + six], key->hash);
	prefetch(&table->family[REFUSED + six], key->hash);
}

static bool is_of(const struct family *family, uint32_t number, const struct fyke_flow_key *key)
{
	struct fyke_flow_key own;

	if (!is_live(family, number))
		return false;
	fyke_half_open_key(record_at(family, number), family->address_length, &own);
	return memcmp(&own, key, sizeof(own)) == 0;
}

/* The slot of a flow; false when there is none. */
static bool find(const struct family *family, const struct fyke_flow_key *key, uint64_t hash, uint32_t *at)
{
	uint8_t tag = tag_of(hash);

	if (family->live == 0 || key->kind != FYKE_PACKET_TCP)
		return false;
	for (*at = (uint32_t)hash & family->mask; family->tags[*at] != TAG_EMPTY;
		*at = (*at + 1) & family->mask) {
		if (family->tags[*at] == tag && is_of(family, family->indices[*at], key))
			return true;
	}
	return false;
}

/* An empty slot behind it makes a deleted one empty. */
static void free_slot(struct family *family, uint32_t at)
{
	bool last = family->tags[(at + 1) & family->mask] == TAG_EMPTY;

	family->tags[at] = last ? TAG_EMPTY : TAG_DELETED;
	family->used -= last;
}

void fyke_half_open_take_out(struct fyke_half_open *table, struct family *family, uint32_t number,
	struct fyke_half_open_syn *syn, struct fyke_half_open_syn *reset)
{
	struct fyke_half_open_record *record = record_at(family, number);

	fyke_half_open_restore(record, &table->paths[record->path], family->address_length, syn);
	if (reset != NULL) {
		const struct fyke_half_open_reset *kept = reset_of(family, record);

		fyke_half_open_reset_restore(kept, &table->paths[kept->path], &syn->packet, reset);
	}
	kill_record(family, number);
}

bool fyke_half_open_take(struct fyke_half_open *table, const struct fyke_flow_key *key, uint64_t hash,
	struct fyke_half_open_syn *syn)
{
	struct family *family = &table->family[LONE + (key->family == FYKE_ADDRESS_IPV6)];
	uint32_t at;

	if (!find(family, key, hash, &at))
		return false;
	fyke_half_open_take_out(table, family, family->indices[at], syn, NULL);
	free_slot(family, at);
	return true;
}

bool fyke_half_open_take_refused(struct fyke_half_open *table, const struct fyke_flow_key *key, uint64_t hash,
	struct fyke_half_open_syn *syn, struct fyke_half_open_syn *reset)
{
	struct family *family = &table->family[REFUSED + (key->family == FYKE_ADDRESS_IPV6)];
	uint32_t at;

	if (!find(family, key, hash, &at))
		return false;
	fyke_half_open_take_out(table, family, family->indices[at], syn, reset);
	free_slot(family, at);
	return true;
}

enum fyke_half_open_answer fyke_half_open_refuse(struct fyke_half_open *table,
	const struct fyke_packet *packet, const struct fyke_hashed_key *key, int64_t now_ns, int64_t limit_ns)
{
	bool six = key->key.family == FYKE_ADDRESS_IPV6;
	struct family *lone = &table->family[LONE + six], *refused = &table->family[REFUSED + six];
	struct fyke_half_open_record *syn, *record;
	uint16_t path;
	uint32_t at;

	if (!find(lone, &key->key, key->hash, &at))
		return FYKE_HALF_OPEN_UNFIT;
	syn = record_at(lone, lone->indices[at]);
	if (now_ns - fyke_half_open_time(syn->time_low, syn->time_high) > limit_ns ||
		!fyke_half_open_reset_fits(syn, packet, now_ns) ||
		memcmp(syn->addresses, packet->destination.bytes, lone->address_length) != 0 ||
		!find_path(table, packet, &path))
		return FYKE_HALF_OPEN_UNFIT;
	record = append(table, refused, key->hash);
	if (record == NULL)
		return FYKE_HALF_OPEN_NO_MEMORY;
	memcpy(record, syn, lone->record_size);
	fyke_half_open_reset_fill(reset_of(refused, record), packet);
	reset_of(refused, record)->path = path;
	kill_record(lone, lone->indices[at]);
	free_slot(lone, at);
	return FYKE_HALF_OPEN_TAKEN;
}
