/*
 * Fragments wait in a hash table with a random key; all of them also stand in a list from the oldest
 * datagram to the newest, which eviction and expiry follow. Costs are bounded: a datagram takes at most
 * FRAGMENTS_MAX fragments, then it is void. A fragment whose own data contradict the datagram's length is
 * dropped alone over IPv4 and voids the datagram over IPv6. RFC 791, 5722, 8200 §4.5; timeouts from the
 * first fragment's arrival as in RFC 1122 §3.3.2. Left out: reassembly of jumbograms (RFC 2675 forbids it).
 */
#include "analyzer/defrag/defrag.h"

#include "analyzer/base/arena.h"
#include "analyzer/base/hash.h"
#include "analyzer/defrag/pieces.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { FRAGMENTS_MAX = 4096, MEMORY_DEFAULT = 16 << 20, DATAGRAMS_DEFAULT = 4096, MAC = 6 };

/* RFC 8200 §4.5 says 60 s for IPv6; IPv4's identifiers of 16 bits come round sooner. */
static const int64_t timeout_ipv4_ns = 30000000000, timeout_ipv6_ns = 60000000000;

struct key { /* no padding: hashed and compared as bytes */
	uint8_t source[16], destination[16];
	uint32_t id, tunnel_id;
	uint8_t family, protocol, tunnel, tunnel_id_known;
	uint32_t zero;
};

struct chunk {
	struct chunk *next;
	uint64_t frame;
	uint8_t bytes[];
};

enum { FRAGMENT_HEADER = 8 }; /* IPv6's (RFC 8200 §4.5) */

struct waiting {
	struct waiting *next;	       /* in the bucket */
	struct waiting *older, *newer; /* by arrival of the first fragment */
	struct key key;
	int64_t since_ns;
	size_t memory; /* counted against the budget */
	struct fyke_pieces pieces;
	struct chunk *chunks; /* the last one first */
	uint32_t chunk_count;
	uint32_t frames, total; /* total: length of the whole, 0 = not known */
	uint32_t header_bytes;	/* of the first fragment: what stands in front of its payload, fragment header
				   apart */
	bool is_void, has_first;
	uint8_t next_header;
	uint8_t macs[2 * MAC]; /* of the first fragment, whose frame is gone by the end */
	struct fyke_packet network;
};

struct fyke_defrag {
	struct fyke_defrag_options options;
	struct fyke_defrag_counters counters;
	struct fyke_arena given; /* bytes of datagrams handed out */
	struct waiting *oldest, *newest;
	uint32_t count;
	uint64_t hash_key;
	uint32_t mask;
	struct waiting *buckets[];
};

enum fyke_status fyke_defrag_new(const struct fyke_defrag_options *options, struct fyke_defrag **defrag)
{
	uint32_t datagrams = options->datagrams == 0 ? DATAGRAMS_DEFAULT : options->datagrams;
	uint32_t buckets = 16;
	struct fyke_defrag *new;

	while (buckets < datagrams && buckets < 1u << 20)
		buckets *= 2;
	new = calloc(1, sizeof(*new) + buckets * sizeof(new->buckets[0]));
	if (new == NULL)
		return FYKE_FAILED_MEMORY;
	new->options = *options;
	new->options.datagrams = datagrams;
	new->mask = buckets - 1;
	if (options->memory == 0)
		new->options.memory = MEMORY_DEFAULT;
	fyke_arena_init(&new->given);
	/* Without randomness the table still works, only an attacker could fill one bucket. */
	if (getrandom(&new->hash_key, sizeof(new->hash_key), GRND_NONBLOCK) < 0)
		new->hash_key = (uintptr_t) new;
	*defrag = new;
	return FYKE_OK;
}

static struct key make_key(const struct fyke_fragment *fragment)
{
	const struct fyke_packet *packet = &fragment->packet;
	struct key key = {
		.id = fragment->id, .family = packet->source.family, .tunnel = (uint8_t)packet->tunnel};

	_Static_assert(sizeof(struct key) == 48, "the key is hashed as bytes");
	memcpy(key.source, packet->source.bytes, sizeof(key.source));
	memcpy(key.destination, packet->destination.bytes, sizeof(key.destination));
	if (key.family == FYKE_ADDRESS_IPV4)
		key.protocol = fragment->next_header;
	if (fyke_tunnel_separates(packet->tunnel) && packet->tunnel_id_known) {
		key.tunnel_id = packet->tunnel_id;
		key.tunnel_id_known = 1;
	}
	return key;
}

static struct waiting **bucket_of(struct fyke_defrag *defrag, const struct key *key)
{
	return &defrag->buckets[XXH3_64bits_withSeed(key, sizeof(*key), defrag->hash_key) & defrag->mask];
}

static struct waiting *find(struct fyke_defrag *defrag, const struct key *key)
{
	struct waiting *waiting = *bucket_of(defrag, key);

	while (waiting != NULL && memcmp(&waiting->key, key, sizeof(*key)) != 0)
		waiting = waiting->next;
	return waiting;
}

static void count_memory(struct fyke_defrag *defrag, struct waiting *waiting, size_t more)
{
	waiting->memory += more;
	defrag->counters.memory += more;
}

/* Lets the bytes of a datagram go, which stays in the table. */
static void empty(struct fyke_defrag *defrag, struct waiting *waiting)
{
	while (waiting->chunks != NULL) {
		struct chunk *chunk = waiting->chunks;

		waiting->chunks = chunk->next;
		free(chunk);
	}
	waiting->chunk_count = 0;
	fyke_pieces_release(&waiting->pieces);
	defrag->counters.memory -= waiting->memory - sizeof(*waiting);
	waiting->memory = sizeof(*waiting);
}

static void forget(struct fyke_defrag *defrag, struct waiting *waiting)
{
	struct waiting **link = bucket_of(defrag, &waiting->key);

	while (*link != waiting)
		link = &(*link)->next;
	*link = waiting->next;
	if (waiting->older != NULL)
		waiting->older->newer = waiting->newer;
	else
		defrag->oldest = waiting->newer;
	if (waiting->newer != NULL)
		waiting->newer->older = waiting->older;
	else
		defrag->newest = waiting->older;
	empty(defrag, waiting);
	defrag->counters.memory -= sizeof(*waiting);
	defrag->count--;
	free(waiting);
}

static void give_up_frames(struct fyke_defrag *defrag, struct waiting *waiting)
{
	defrag->counters.frames_incomplete += waiting->frames;
	if (waiting->network.layer == 0)
		defrag->counters.outer_incomplete += waiting->frames;
	defrag->counters.frames_held -= waiting->frames;
	waiting->frames = 0;
}

static void drop(struct fyke_defrag *defrag, struct waiting *waiting, uint64_t *reason)
{
	if (reason != NULL && !waiting->is_void)
		(*reason)++;
	give_up_frames(defrag, waiting);
	forget(defrag, waiting);
}

/* Void until its time is over, so that late fragments do not begin a datagram of their own. */
static void make_void(struct fyke_defrag *defrag, struct waiting *waiting)
{
	give_up_frames(defrag, waiting);
	empty(defrag, waiting);
	waiting->is_void = true;
}

static bool is_older(const struct waiting *waiting, int64_t now_ns, int64_t than_ns)
{
	int64_t age;

	return __builtin_sub_overflow(now_ns, waiting->since_ns, &age) ? now_ns > 0 : age > than_ns;
}

static bool is_over(const struct fyke_defrag *defrag, const struct waiting *waiting, int64_t now_ns)
{
	int64_t timeout = defrag->options.timeout_ns;

	if (timeout == 0)
		timeout = waiting->key.family == FYKE_ADDRESS_IPV4 ? timeout_ipv4_ns : timeout_ipv6_ns;
	return is_older(waiting, now_ns, timeout);
}

/* Evicts from the oldest on until `need` more bytes and one more datagram fit. */
static bool make_room(struct fyke_defrag *defrag, size_t need)
{
	if (need > defrag->options.memory)
		return false;
	while (defrag->oldest != NULL && (defrag->counters.memory + need > defrag->options.memory ||
						 defrag->count >= defrag->options.datagrams))
		drop(defrag, defrag->oldest, &defrag->counters.evicted);
	return true;
}

static struct waiting *begin(
	struct fyke_defrag *defrag, const struct key *key, const struct fyke_fragment *fragment)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));
	struct waiting **bucket = bucket_of(defrag, key);

	if (waiting == NULL)
		return NULL;
	waiting->key = *key;
	waiting->since_ns = fragment->packet.time_ns;
	waiting->next = *bucket;
	*bucket = waiting;
	waiting->older = defrag->newest;
	if (defrag->newest != NULL)
		defrag->newest->newer = waiting;
	else
		defrag->oldest = waiting;
	defrag->newest = waiting;
	defrag->count++;
	count_memory(defrag, waiting, sizeof(*waiting));
	return waiting;
}

/* The datagram that the fragment belongs to, begun if it is the first; NULL when memory is out. */
static struct waiting *find_or_begin(struct fyke_defrag *defrag, const struct fyke_fragment *fragment)
{
	/* The copy, a piece for it (the list may double) and perhaps a new datagram. */
	size_t need = sizeof(struct waiting) + sizeof(struct chunk) + fragment->captured;
	struct key key = make_key(fragment);
	struct waiting *waiting = find(defrag, &key);

	if (waiting != NULL && is_over(defrag, waiting, fragment->packet.time_ns)) {
		drop(defrag, waiting, &defrag->counters.timed_out);
		waiting = NULL;
	}
	if (waiting != NULL) {
		if (waiting->is_void || defrag->counters.memory + need <= defrag->options.memory)
			return waiting;
		need += waiting->pieces.room * sizeof(struct fyke_piece);
	}
	if (!make_room(defrag, need))
		return NULL;
	/* The eviction may have met this very datagram. */
	waiting = find(defrag, &key);
	return waiting != NULL ? waiting : begin(defrag, &key, fragment);
}

/* Whether the fragment's end fits what is known of the datagram's length, which a last fragment tells. */
static bool fits_length(struct waiting *waiting, const struct fyke_piece *range, bool is_last)
{
	if (waiting->total != 0)
		return is_last ? range->end == waiting->total : range->end <= waiting->total;
	if (is_last && fyke_pieces_end(&waiting->pieces) > range->end)
		return false;
	if (is_last)
		waiting->total = range->end;
	return true;
}

/* Stores a copy of the fragment's bytes as one piece, or two where it was cut. */
static bool store(struct fyke_defrag *defrag, struct waiting *waiting, const struct fyke_piece *range,
	uint32_t captured, uint64_t frame)
{
	struct chunk *chunk = malloc(sizeof(*chunk) + captured);
	struct fyke_piece here = {range->start, range->start + captured, NULL},
			  cut = {here.end, range->end, NULL};
	uint32_t room = waiting->pieces.room;
	bool done = true;

	if (chunk == NULL)
		return false;
	if (captured > 0)
		memcpy(chunk->bytes, range->bytes, captured);
	here.bytes = chunk->bytes;
	chunk->frame = frame;
	chunk->next = waiting->chunks;
	waiting->chunk_count++;
	waiting->chunks = chunk;
	if (captured > 0)
		done = fyke_pieces_insert(&waiting->pieces, &here, range, defrag->options.policy);
	if (done && cut.start < cut.end)
		done = fyke_pieces_insert(&waiting->pieces, &cut, range, defrag->options.policy);
	count_memory(defrag, waiting,
		sizeof(*chunk) + captured + (waiting->pieces.room - room) * sizeof(struct fyke_piece));
	return done;
}

/* The first fragment speaks for the datagram; until it comes, whichever came first. */
static void keep_network(struct waiting *waiting, const struct fyke_fragment *fragment)
{
	const struct fyke_packet *packet = &fragment->packet;

	if (waiting->frames > 0 && (fragment->offset > 0 || waiting->has_first))
		return;
	waiting->network = *packet;
	waiting->has_first = fragment->offset == 0;
	waiting->next_header = fragment->next_header;
	waiting->header_bytes = packet->ip_bytes - fragment->length;
	if (packet->source.family == FYKE_ADDRESS_IPV6 && waiting->header_bytes >= FRAGMENT_HEADER)
		waiting->header_bytes -= FRAGMENT_HEADER;
	if (packet->source_mac != NULL)
		memcpy(waiting->macs, packet->source_mac, MAC);
	if (packet->destination_mac != NULL)
		memcpy(waiting->macs + MAC, packet->destination_mac, MAC);
}

enum taken { TAKEN, REJECTED, VOIDED };

static enum taken take(
	struct fyke_defrag *defrag, struct waiting *waiting, const struct fyke_fragment *fragment)
{
	bool is_ipv4 = waiting->key.family == FYKE_ADDRESS_IPV4;
	/* RFC 791: all but the last are multiples of 8 bytes; the rest of such a length means nothing. */
	uint32_t length = fragment->more ? fragment->length & ~7u : fragment->length;
	uint32_t captured = fragment->captured < length ? fragment->captured : length;
	struct fyke_piece range = {fragment->offset, fragment->offset + length, fragment->data};
	struct fyke_piece known = {range.start, range.start + captured, fragment->data};
	struct fyke_overlap overlap, all;

	if (length == 0)
		return REJECTED;
	if (!fits_length(waiting, &range, !fragment->more)) {
		defrag->counters.conflicts++;
		return is_ipv4 ? REJECTED : VOIDED;
	}
	overlap = fyke_pieces_compare(&waiting->pieces, &known);
	known = (struct fyke_piece){range.start, range.end, NULL};
	all = fyke_pieces_compare(&waiting->pieces, &known);
	defrag->counters.overlaps += all.known > 0;
	defrag->counters.conflicts += overlap.differs;
	if (!is_ipv4 && (overlap.differs || (all.known > 0 && all.known < length)))
		return VOIDED;
	if (waiting->frames >= FRAGMENTS_MAX)
		return VOIDED;
	keep_network(waiting, fragment);
	if (all.known < length || overlap.differs || overlap.completes)
		return store(defrag, waiting, &range, captured, fragment->packet.frame) ? TAKEN : VOIDED;
	return TAKEN;
}

static bool give_frames(
	struct fyke_defrag *defrag, const struct waiting *waiting, struct fyke_datagram *datagram)
{
	uint64_t *frames = fyke_arena_take(&defrag->given, waiting->chunk_count * sizeof(*frames));
	uint32_t left = waiting->chunk_count;

	if (frames == NULL)
		return false;
	for (const struct chunk *chunk = waiting->chunks; chunk != NULL && left > 0; chunk = chunk->next)
		frames[--left] = chunk->frame;
	datagram->frames = frames;
	datagram->frame_count = waiting->chunk_count;
	return true;
}

/* Hands the whole datagram out in memory of the arena's; false when that is out. */
static bool hand_out(struct fyke_defrag *defrag, const struct waiting *waiting,
	const struct fyke_packet *last, struct fyke_datagram *datagram)
{
	uint8_t *bytes = fyke_arena_take(&defrag->given, waiting->total + sizeof(waiting->macs));
	uint8_t *macs = bytes == NULL ? NULL : bytes + waiting->total;

	if (bytes == NULL || !give_frames(defrag, waiting, datagram))
		return false;
	fyke_pieces_copy(&waiting->pieces, bytes);
	memcpy(macs, waiting->macs, sizeof(waiting->macs));
	datagram->network = waiting->network;
	datagram->network.frame = last->frame;
	datagram->network.time_ns = last->time_ns;
	datagram->network.ip_bytes = waiting->header_bytes + waiting->total;
	datagram->network.is_fragmented = true;
	if (waiting->network.source_mac != NULL)
		datagram->network.source_mac = macs;
	if (waiting->network.destination_mac != NULL)
		datagram->network.destination_mac = macs + MAC;
	datagram->next_header = waiting->next_header;
	datagram->data = bytes;
	datagram->length = waiting->total;
	datagram->captured = fyke_pieces_prefix(&waiting->pieces);
	return true;
}

static bool finish(struct fyke_defrag *defrag, struct waiting *waiting, const struct fyke_packet *last,
	struct fyke_datagram *datagram)
{
	if (!hand_out(defrag, waiting, last, datagram)) {
		drop(defrag, waiting, NULL);
		return false;
	}
	defrag->counters.datagrams++;
	defrag->counters.frames_whole += waiting->frames;
	defrag->counters.frames_held -= waiting->frames;
	forget(defrag, waiting);
	return true;
}

bool fyke_defrag_add(
	struct fyke_defrag *defrag, const struct fyke_fragment *fragment, struct fyke_datagram *datagram)
{
	struct waiting *waiting = find_or_begin(defrag, fragment);
	enum taken taken;

	defrag->counters.fragments++;
	taken = waiting == NULL || waiting->is_void ? REJECTED : take(defrag, waiting, fragment);
	if (taken != TAKEN) {
		defrag->counters.frames_incomplete++;
		defrag->counters.outer_incomplete += fragment->packet.layer == 0;
		if (taken == VOIDED)
			make_void(defrag, waiting);
		return false;
	}
	waiting->frames++;
	defrag->counters.frames_held++;
	if (waiting->total == 0 || waiting->pieces.covered != waiting->total)
		return false;
	return finish(defrag, waiting, &fragment->packet, datagram);
}

void fyke_defrag_recycle(struct fyke_defrag *defrag)
{
	fyke_arena_reset(&defrag->given);
}

void fyke_defrag_give(struct fyke_defrag *defrag, struct fyke_arena *arena)
{
	fyke_arena_merge(arena, &defrag->given);
}

/* In order of arrival, so what is younger than the shortest timeout ends the search; one of IPv6 may
 * have to wait on while IPv4's behind it go. */
void fyke_defrag_expire(struct fyke_defrag *defrag, int64_t now_ns)
{
	int64_t shortest = defrag->options.timeout_ns == 0 ? timeout_ipv4_ns : defrag->options.timeout_ns;
	struct waiting *waiting = defrag->oldest;

	while (waiting != NULL && is_older(waiting, now_ns, shortest)) {
		struct waiting *newer = waiting->newer;

		if (is_over(defrag, waiting, now_ns))
			drop(defrag, waiting, &defrag->counters.timed_out);
		waiting = newer;
	}
}

void fyke_defrag_drain(struct fyke_defrag *defrag)
{
	while (defrag->oldest != NULL)
		drop(defrag, defrag->oldest, NULL);
}

struct fyke_defrag_counters fyke_defrag_counters(const struct fyke_defrag *defrag)
{
	return defrag->counters;
}

void fyke_defrag_free(struct fyke_defrag *defrag)
{
	if (defrag == NULL)
		return;
	fyke_defrag_drain(defrag);
	fyke_arena_release(&defrag->given);
	free(defrag);
}
