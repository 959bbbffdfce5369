/*
 * Two tables, one for each address family, alike but for the size of their records. Records are never
 * moved: they are numbered in order of arrival, and what is taken out leaves a hole that goes with its
 * slab. Where a SYN came from on the link is one of few paths, kept apart.
 */
#include "analyzer/flow/half_open.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum {
	SLAB = 1024, /* records */
	SLOTS_AT_START = 4096,
	TAG_EMPTY = 0,
	TAG_DELETED = 1,
	TAG_FIRST = 2,
	PATHS_MAX = 4096,
	PATH_SLOTS = 8192,
	FRAME_BITS = 40,
	PROTOCOL_TCP = 6,
};

enum { /* record.bits */
	BIT_ECE = 1,
	BIT_CWR = 2,
	BIT_SACK = 4,
	BIT_TIMESTAMPS = 8,
	BIT_DONT_FRAGMENT = 16,
	BIT_CHECKSUM = 32, /* two bits: enum fyke_checksum */
	BIT_DEAD = 128,
};

struct record {
	uint32_t time_low, time_high, frame_low;
	uint32_t sequence, timestamp;
	uint16_t source_port, destination_port;
	uint16_t window, checksum, ip_id, mss;
	uint16_t path, ip_bytes;
	uint8_t frame_high, ttl, bits;
	int8_t window_scale;
	uint8_t addresses[]; /* source, destination */
};

_Static_assert(sizeof(struct record) == 40, "the size that the header promises");

struct path {
	uint8_t macs[2][6];
	bool has_source, has_destination;
	int16_t vlan;
	uint32_t interface;
};

struct slab {
	uint32_t live;
	char records[];
};

struct family {
	uint8_t address_family, address_length;
	uint32_t record_size;
	uint8_t *tags;
	uint32_t *indices;
	uint32_t mask, used;  /* slots − 1; slots that are not empty */
	uint32_t first, next; /* numbers of records: of the first slab's first, of the next one to come */
	struct slab **slabs;  /* slabs[head ..]: first / SLAB and on */
	uint32_t head, slab_count, slab_room;
	uint32_t oldest; /* no live record has a smaller number */
	uint64_t live;
};

struct fyke_half_open {
	struct family family[2]; /* IPv4, IPv6 */
	uint64_t seed;
	struct path paths[PATHS_MAX];
	uint16_t path_count;
	uint16_t path_slots[PATH_SLOTS]; /* 1 + place; 0 = empty */
};

static bool init_family(struct family *family, uint8_t address_family, uint8_t address_length)
{
	*family = (struct family){.address_family = address_family,
		.address_length = address_length,
		.record_size = (uint32_t)(sizeof(struct record) + 2U * address_length),
		.mask = SLOTS_AT_START - 1};
	family->tags = calloc(SLOTS_AT_START, sizeof(*family->tags));
	family->indices = calloc(SLOTS_AT_START, sizeof(*family->indices));
	return family->tags != NULL && family->indices != NULL;
}

struct fyke_half_open *fyke_half_open_new(uint64_t seed)
{
	struct fyke_half_open *table = calloc(1, sizeof(*table));
	bool made;

	if (table == NULL)
		return NULL;
	table->seed = seed;
	made = init_family(&table->family[0], FYKE_ADDRESS_IPV4, 4);
	made = init_family(&table->family[1], FYKE_ADDRESS_IPV6, 16) && made;
	if (made)
		return table;
	fyke_half_open_free(table);
	return NULL;
}

void fyke_half_open_free(struct fyke_half_open *table)
{
	for (int i = 0; table != NULL && i < 2; i++) {
		struct family *family = &table->family[i];

		for (uint32_t j = 0; j < family->slab_count; j++)
			free(family->slabs[family->head + j]);
		free(family->slabs);
		free(family->tags);
		free(family->indices);
	}
	free(table);
}

static struct slab *slab_of(const struct family *family, uint32_t number)
{
	return family->slabs[family->head + (number - family->first) / SLAB];
}

static struct record *record_at(const struct family *family, uint32_t number)
{
	char *record = slab_of(family, number)->records + (size_t)(number % SLAB) * family->record_size;

	return (struct record *)(void *)record;
}

/* ---- what a record means ---- */

static struct fyke_address address_of(const struct family *family, const struct record *record, int which)
{
	struct fyke_address address = {.family = family->address_family};

	memcpy(address.bytes, record->addresses + (size_t)which * family->address_length,
		family->address_length);
	return address;
}

static void restore(const struct fyke_half_open *table, const struct family *family,
	const struct record *record, struct fyke_half_open_syn *syn)
{
	const struct path *path = &table->paths[record->path];
	struct fyke_packet *packet = &syn->packet;

	*syn = (struct fyke_half_open_syn){.packet = {.kind = FYKE_PACKET_TCP, .protocol = PROTOCOL_TCP}};
	memcpy(syn->macs, path->macs, sizeof(syn->macs));
	packet->source_mac = path->has_source ? syn->macs[0] : NULL;
	packet->destination_mac = path->has_destination ? syn->macs[1] : NULL;
	packet->vlan = path->vlan;
	packet->interface = path->interface;
	packet->frame = (uint64_t)record->frame_high << 32 | record->frame_low;
	packet->time_ns = (int64_t)((uint64_t)record->time_high << 32 | record->time_low);
	packet->source = address_of(family, record, 0);
	packet->destination = address_of(family, record, 1);
	packet->source_port = record->source_port;
	packet->destination_port = record->destination_port;
	packet->ttl = record->ttl;
	packet->ip_id = record->ip_id;
	packet->ip_bytes = record->ip_bytes;
	packet->dont_fragment = (record->bits & BIT_DONT_FRAGMENT) != 0;
	packet->checksum = (enum fyke_checksum)(record->bits / BIT_CHECKSUM & 3);
	packet->tcp = (struct fyke_tcp_header){.sequence = record->sequence,
		.flags = (uint16_t)(FYKE_TCP_SYN | ((record->bits & BIT_ECE) != 0) * FYKE_TCP_ECE |
				    ((record->bits & BIT_CWR) != 0) * FYKE_TCP_CWR),
		.window = record->window,
		.checksum = record->checksum,
		.mss = record->mss,
		.window_scale = record->window_scale,
		.sack_permitted = (record->bits & BIT_SACK) != 0,
		.has_timestamps = (record->bits & BIT_TIMESTAMPS) != 0,
		.timestamp_value = record->timestamp};
}

static void fill(const struct family *family, struct record *record, const struct fyke_packet *packet)
{
	const struct fyke_tcp_header *tcp = &packet->tcp;

	*record = (struct record){.time_low = (uint32_t)packet->time_ns,
		.time_high = (uint32_t)((uint64_t)packet->time_ns >> 32),
		.frame_low = (uint32_t)packet->frame,
		.frame_high = (uint8_t)(packet->frame >> 32),
		.sequence = tcp->sequence,
		.timestamp = tcp->timestamp_value,
		.source_port = packet->source_port,
		.destination_port = packet->destination_port,
		.window = tcp->window,
		.checksum = tcp->checksum,
		.ip_id = packet->ip_id,
		.mss = tcp->mss,
		.ip_bytes = (uint16_t)packet->ip_bytes,
		.ttl = packet->ttl,
		.window_scale = tcp->window_scale};
	record->bits =
		(uint8_t)(((tcp->flags & FYKE_TCP_ECE) != 0) * BIT_ECE |
			  ((tcp->flags & FYKE_TCP_CWR) != 0) * BIT_CWR | tcp->sack_permitted * BIT_SACK |
			  tcp->has_timestamps * BIT_TIMESTAMPS | packet->dont_fragment * BIT_DONT_FRAGMENT |
			  (int)packet->checksum * BIT_CHECKSUM);
	memcpy(record->addresses, packet->source.bytes, family->address_length);
	memcpy(record->addresses + family->address_length, packet->destination.bytes, family->address_length);
}

/* Only what restore() gives back unchanged. */
static bool fits(const struct fyke_packet *packet, int64_t now_ns)
{
	const struct fyke_tcp_header *tcp = &packet->tcp;
	const uint16_t allowed = FYKE_TCP_SYN | FYKE_TCP_ECE | FYKE_TCP_CWR;

	return packet->kind == FYKE_PACKET_TCP && (tcp->flags & FYKE_TCP_SYN) != 0 &&
	       (tcp->flags & ~allowed) == 0 && packet->payload_length == 0 && packet->layer == 0 &&
	       packet->tunnel == FYKE_TUNNEL_NONE && packet->protocol == PROTOCOL_TCP &&
	       !packet->is_fragmented && !packet->is_overstated && packet->fragment_count == 0 &&
	       tcp->acknowledgment == 0 && tcp->urgent == 0 && tcp->timestamp_echo == 0 &&
	       tcp->sack_count == 0 && !tcp->options_bad && packet->ip_bytes <= UINT16_MAX &&
	       packet->frame >> FRAME_BITS == 0 && packet->time_ns == now_ns &&
	       packet->checksum != FYKE_CHECKSUM_WRONG;
}

/* ---- paths ---- */

static struct path path_of(const struct fyke_packet *packet)
{
	struct path path;

	memset(&path, 0, sizeof(path)); /* hashed and compared as bytes */
	path.vlan = packet->vlan;
	path.interface = packet->interface;
	path.has_source = packet->source_mac != NULL;
	path.has_destination = packet->destination_mac != NULL;
	if (path.has_source)
		memcpy(path.macs[0], packet->source_mac, sizeof(path.macs[0]));
	if (path.has_destination)
		memcpy(path.macs[1], packet->destination_mac, sizeof(path.macs[1]));
	return path;
}

/* False when there are too many. */
static bool find_path(struct fyke_half_open *table, const struct fyke_packet *packet, uint16_t *place)
{
	struct path path = path_of(packet);
	uint32_t at = (uint32_t)XXH3_64bits_withSeed(&path, sizeof(path), table->seed) % PATH_SLOTS;

	for (; table->path_slots[at] != 0; at = (at + 1) % PATH_SLOTS) {
		*place = (uint16_t)(table->path_slots[at] - 1);
		if (memcmp(&table->paths[*place], &path, sizeof(path)) == 0)
			return true;
	}
	if (table->path_count == PATHS_MAX)
		return false;
	*place = table->path_count++;
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

static uint64_t hash_of(
	const struct fyke_half_open *table, const struct family *family, const struct record *record)
{
	struct fyke_half_open_syn syn;
	struct fyke_flow_key key;

	restore(table, family, record, &syn);
	(void)fyke_flow_key_of(&syn.packet, &key);
	return XXH3_64bits_withSeed(&key, sizeof(key), table->seed);
}

/* New slots for all live records; twice as many where most are in use. */
static bool rebuild(struct fyke_half_open *table, struct family *family)
{
	uint32_t slots = family->mask + 1;
	struct family fresh = *family;

	if (family->live >= slots / 16 * 7)
		fresh.mask = slots * 2 - 1;
	fresh.used = 0;
	fresh.tags = calloc((size_t)fresh.mask + 1, sizeof(*fresh.tags));
	fresh.indices = malloc(((size_t)fresh.mask + 1) * sizeof(*fresh.indices));
	if (fresh.tags == NULL || fresh.indices == NULL) {
		free(fresh.tags);
		free(fresh.indices);
		return false;
	}
	for (uint32_t number = family->oldest; number != family->next; number++) {
		const struct record *record = record_at(family, number);

		if ((record->bits & BIT_DEAD) == 0)
			put(&fresh, hash_of(table, family, record), number);
	}
	free(family->tags);
	free(family->indices);
	*family = fresh;
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
	record_at(family, number)->bits |= BIT_DEAD;
	slab_of(family, number)->live--;
	family->live--;
	drop_slabs(family);
}

enum fyke_half_open_answer fyke_half_open_add(
	struct fyke_half_open *table, const struct fyke_packet *packet, uint64_t hash, int64_t now_ns)
{
	struct family *family = &table->family[packet->source.family == FYKE_ADDRESS_IPV6];
	struct record *record;
	uint16_t path;

	if (!fits(packet, now_ns) || !find_path(table, packet, &path))
		return FYKE_HALF_OPEN_UNFIT;
	if (family->used >= (family->mask + 1) / 8 * 7 && !rebuild(table, family))
		return FYKE_HALF_OPEN_NO_MEMORY;
	if (family->next - family->first == family->slab_count * SLAB && !add_slab(family))
		return FYKE_HALF_OPEN_NO_MEMORY;
	record = record_at(family, family->next);
	fill(family, record, packet);
	record->path = path;
	put(family, hash, family->next);
	slab_of(family, family->next)->live++;
	family->live++;
	family->next++;
	return FYKE_HALF_OPEN_TAKEN;
}

void fyke_half_open_prefetch(const struct fyke_half_open *table, uint64_t hash)
{
	__builtin_prefetch(&table->family[0].tags[(uint32_t)hash & table->family[0].mask]);
}

static bool is_of(const struct fyke_half_open *table, const struct family *family, uint32_t number,
	const struct fyke_flow_key *key, struct fyke_half_open_syn *syn)
{
	struct fyke_flow_key own;

	restore(table, family, record_at(family, number), syn);
	(void)fyke_flow_key_of(&syn->packet, &own);
	return memcmp(&own, key, sizeof(own)) == 0;
}

/* An empty slot behind it makes a deleted one empty. */
static void free_slot(struct family *family, uint32_t at)
{
	bool last = family->tags[(at + 1) & family->mask] == TAG_EMPTY;

	family->tags[at] = last ? TAG_EMPTY : TAG_DELETED;
	family->used -= last;
}

bool fyke_half_open_take(struct fyke_half_open *table, const struct fyke_flow_key *key, uint64_t hash,
	struct fyke_half_open_syn *syn)
{
	struct family *family = &table->family[key->family == FYKE_ADDRESS_IPV6];
	uint8_t tag = tag_of(hash);

	if (family->live == 0 || key->kind != FYKE_PACKET_TCP)
		return false;
	for (uint32_t at = (uint32_t)hash & family->mask; family->tags[at] != TAG_EMPTY;
		at = (at + 1) & family->mask) {
		if (family->tags[at] != tag || !is_of(table, family, family->indices[at], key, syn))
			continue;
		kill_record(family, family->indices[at]);
		free_slot(family, at);
		return true;
	}
	return false;
}

/* The oldest live record of a family; NULL when there is none. */
static const struct record *oldest_of(struct family *family)
{
	if (family->live == 0)
		return NULL;
	while ((record_at(family, family->oldest)->bits & BIT_DEAD) != 0)
		family->oldest++;
	return record_at(family, family->oldest);
}

static uint64_t frame_of(const struct record *record)
{
	return (uint64_t)record->frame_high << 32 | record->frame_low;
}

static struct family *older_family(struct fyke_half_open *table)
{
	const struct record *four = oldest_of(&table->family[0]), *six = oldest_of(&table->family[1]);

	if (four == NULL && six == NULL)
		return NULL;
	if (four == NULL || (six != NULL && frame_of(six) < frame_of(four)))
		return &table->family[1];
	return &table->family[0];
}

bool fyke_half_open_oldest(struct fyke_half_open *table, int64_t *time_ns, uint64_t *frame)
{
	struct family *family = older_family(table);
	const struct record *record;

	if (family == NULL)
		return false;
	record = record_at(family, family->oldest);
	*time_ns = (int64_t)((uint64_t)record->time_high << 32 | record->time_low);
	*frame = frame_of(record);
	return true;
}

static void unhash(struct fyke_half_open *table, struct family *family, uint32_t number)
{
	uint64_t hash = hash_of(table, family, record_at(family, number));
	uint32_t at = (uint32_t)hash & family->mask;

	while (family->tags[at] < TAG_FIRST || family->indices[at] != number)
		at = (at + 1) & family->mask;
	free_slot(family, at);
}

bool fyke_half_open_take_oldest(struct fyke_half_open *table, struct fyke_half_open_syn *syn)
{
	struct family *family = older_family(table);
	uint32_t number;

	if (family == NULL)
		return false;
	number = family->oldest;
	restore(table, family, record_at(family, number), syn);
	unhash(table, family, number);
	kill_record(family, number);
	return true;
}

uint64_t fyke_half_open_count(const struct fyke_half_open *table)
{
	return table->family[0].live + table->family[1].live;
}

uint64_t fyke_half_open_held(const struct fyke_half_open *table)
{
	uint64_t held = 0;

	for (int i = 0; i < 2; i++) {
		const struct family *family = &table->family[i];

		held += ((uint64_t)family->mask + 1) * (sizeof(*family->tags) + sizeof(*family->indices)) +
			(uint64_t)family->slab_count * SLAB * family->record_size;
	}
	return held;
}
