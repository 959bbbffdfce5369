/*
 * Reassembly against what is obviously right, thousands of random cases: FYKE_SEED begins them elsewhere,
 * FYKE_ROUNDS multiplies them.
 */
#include "analyzer/tcp/stream.h"
#include "tests/unit/reassembly_oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BYTES_MAX = 6000, PIECES_MAX = 512, SPAN = 48 };

static uint64_t seed_of(void)
{
	const char *given = getenv("FYKE_SEED");

	return given == NULL ? 1 : strtoull(given, NULL, 10);
}

static unsigned rounds(unsigned usual)
{
	const char *given = getenv("FYKE_ROUNDS");

	return usual * (given == NULL ? 1 : (unsigned)strtoul(given, NULL, 10));
}

static uint32_t below(uint64_t *state, uint32_t limit)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33) % limit;
}

/* What was delivered, with a flag for each byte: 1 = data, 0 = gap. */
struct sunk {
	int64_t base;
	size_t length;
	uint8_t bytes[BYTES_MAX], known[BYTES_MAX];
	unsigned ends;
	uint64_t differing;
};

static void sink_chunk(void *context, const struct fyke_chunk *chunk)
{
	struct sunk *sunk = context;

	assert_int_equal(sunk->ends, 0);
	assert_int_equal(chunk->offset - (int64_t)chunk->gap - sunk->base, sunk->length);
	assert_true(sunk->length + chunk->gap + chunk->length <= BYTES_MAX);
	memset(sunk->known + sunk->length, 0, chunk->gap);
	memset(sunk->bytes + sunk->length, 0, chunk->gap);
	sunk->length += chunk->gap;
	if (chunk->length > 0)
		memcpy(sunk->bytes + sunk->length, chunk->data, chunk->length);
	memset(sunk->known + sunk->length, 1, chunk->length);
	sunk->length += chunk->length;
	sunk->ends += chunk->end;
}

static void sink_conflict(void *context, const struct fyke_conflict *conflict)
{
	struct sunk *sunk = context;

	assert_true(conflict->differing > 0 && conflict->differing <= conflict->length);
	assert_true(conflict->sample > 0 && conflict->sample <= FYKE_CONFLICT_SAMPLE);
	assert_int_not_equal(conflict->before[0], conflict->after[0]);
	sunk->differing += conflict->differing;
}

static const struct fyke_stream_sink sink = {.chunk = sink_chunk, .conflict = sink_conflict};

static void init(struct fyke_reassembly *stream, struct fyke_stream_memory *memory, struct sunk *sunk,
	enum fyke_policy policy)
{
	const struct fyke_reassembly_options options = {
		.policy = policy, .keeps_recent = true, .sink = &sink, .context = sunk};

	fyke_reassembly_init(stream, memory, &options);
	fyke_reassembly_start(stream, sunk->base);
}

static void feed(struct fyke_reassembly *stream, int64_t offset, const uint8_t *bytes, size_t length)
{
	uint8_t *copy = malloc(length + 1);
	const struct fyke_piece piece = {
		.offset = offset, .data = copy, .captured = (uint32_t)length, .length = (uint32_t)length};

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	fyke_reassembly_feed(stream, &piece);
	free(copy);
}

static void assert_conserved(const struct fyke_reassembly *stream)
{
	const struct fyke_reassembly_counters *c = &stream->counters;

	assert_int_equal(
		c->fed, c->delivered + c->duplicate + c->conflicting + c->late + c->ignored + c->held);
}

static void release(struct fyke_reassembly *stream, struct fyke_stream_memory *memory)
{
	fyke_reassembly_release(stream);
	assert_int_equal(memory->used, 0);
	fyke_stream_memory_release(memory);
}

/* Random overlapping segments of a small alphabet, for every policy. */
static void policy_round(uint64_t *state, enum fyke_policy policy)
{
	struct sunk sunk = {.base = 0};
	struct fyke_stream_memory memory;
	struct fyke_reassembly stream;
	struct oracle oracle;
	int count = 1 + (int)below(state, 14), span = 6 + (int)below(state, SPAN);

	oracle_init(&oracle, policy);
	fyke_stream_memory_init(&memory, 1 << 20);
	init(&stream, &memory, &sunk, policy);
	for (int i = 0; i < count; i++) {
		uint8_t bytes[SPAN + 8];
		int start = (int)below(state, (uint32_t)span), end = start + 1 + (int)below(state, 12);

		if (start == 0 && i + 1 < count && below(state, 3) != 0)
			start = 1; /* most begin only when much waits */
		if (end > span)
			end = span > start ? span : start + 1;
		for (int j = start; j < end; j++)
			bytes[j - start] = (uint8_t)('a' + below(state, 3));
		feed(&stream, start, bytes, (size_t)(end - start));
		oracle_segment(&oracle, start, end, bytes);
		assert_int_equal(stream.next, oracle.next);
		assert_conserved(&stream);
	}
	assert_int_equal(stream.counters.conflicting, oracle.conflicting);
	assert_int_equal(sunk.differing, oracle.conflicting);
	assert_int_equal(stream.counters.duplicate, oracle.duplicate);
	fyke_reassembly_finish(&stream, 0, 0);
	oracle_finish(&oracle);
	assert_int_equal(sunk.length, oracle.next);
	for (int i = 0; i < oracle.next; i++) {
		assert_int_equal(sunk.known[i], oracle.known[i]);
		if (oracle.known[i])
			assert_int_equal(sunk.bytes[i], oracle.value[i]);
	}
	assert_int_equal(sunk.ends, 1);
	release(&stream, &memory);
}

static void test_policies_equal_the_oracle(void **unused)
{
	(void)unused;
	for (int policy = 0; policy < FYKE_POLICY_COUNT; policy++) {
		for (unsigned i = 0; i < rounds(4000); i++) {
			uint64_t state = seed_of() * 1000003 + i;

			policy_round(&state, (enum fyke_policy)policy);
		}
	}
}

struct cut {
	size_t start, end;
};

/* Segments that cover all bytes, cut anew, some doubled and overlapping, in random order. */
static size_t cut_up(uint64_t *state, size_t length, struct cut *cuts)
{
	size_t count = 0;

	for (size_t at = 0; at < length && count < PIECES_MAX / 2;) {
		size_t part = 1 + below(state, 1 + below(state, 1500));

		if (part > length - at || count == PIECES_MAX / 2 - 1)
			part = length - at;
		cuts[count++] = (struct cut){at, at + part};
		at += part;
	}
	for (size_t i = 0, more = below(state, (uint32_t)count + 1); i < more; i++) {
		size_t start = below(state, (uint32_t)length), end = start + 1 + below(state, 3000);

		cuts[count++] = (struct cut){start, end < length ? end : length};
	}
	for (size_t i = count; i-- > 1;) {
		size_t other = below(state, (uint32_t)i + 1);
		struct cut swapped = cuts[i];

		cuts[i] = cuts[other];
		cuts[other] = swapped;
	}
	return count;
}

static size_t fill(uint64_t *state, uint8_t *bytes)
{
	size_t length = 1 + below(state, BYTES_MAX - 1);

	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)below(state, 256);
	return length;
}

static void test_any_cutting_gives_the_same_bytes(void **unused)
{
	static const int64_t bases[] = {0, 1, UINT32_MAX - 100, (int64_t)7 << 32, -5000};
	static struct sunk sunk;
	static uint8_t bytes[BYTES_MAX];

	(void)unused;
	for (unsigned i = 0; i < rounds(4000); i++) {
		uint64_t state = seed_of() * 7919 + i;
		size_t length = fill(&state, bytes), count;
		struct cut cuts[PIECES_MAX];
		struct fyke_stream_memory memory;
		struct fyke_reassembly stream;

		sunk = (struct sunk){.base = bases[below(&state, 5)]};
		fyke_stream_memory_init(&memory, 1 << 24);
		init(&stream, &memory, &sunk, (enum fyke_policy)below(&state, FYKE_POLICY_COUNT));
		count = cut_up(&state, length, cuts);
		for (size_t j = 0; j < count; j++)
			feed(&stream, sunk.base + (int64_t)cuts[j].start, bytes + cuts[j].start,
				cuts[j].end - cuts[j].start);
		assert_int_equal(stream.counters.held, 0);
		assert_int_equal(stream.counters.gaps + stream.counters.conflicting, 0);
		assert_int_equal(sunk.length, length);
		assert_memory_equal(sunk.bytes, bytes, length);
		assert_null(stream.waiting.list);
		assert_conserved(&stream);
		release(&stream, &memory);
	}
}

/* The same through packets and sequence numbers that pass 2^32, both sides, acknowledged or not. */
struct pair {
	struct sunk side[2];
};

static void pair_chunk(void *context, const struct fyke_chunk *chunk)
{
	sink_chunk(&((struct pair *)context)->side[chunk->side], chunk);
}

static const struct fyke_stream_sink pair_sink = {.chunk = pair_chunk};

struct connection {
	struct fyke_blocks blocks;
	struct fyke_tcp_memory memory;
	struct fyke_tcp tcp;
	struct fyke_stream stream;
};

static void send(struct connection *c, struct fyke_packet *packet, enum fyke_endpoint sender)
{
	struct fyke_tcp_result result;

	packet->frame++;
	packet->time_ns += 1000000;
	assert_true(fyke_tcp_take(&c->memory, &c->tcp, packet, sender, &result));
	fyke_stream_take(&c->stream, &c->tcp, packet, sender);
}

static void connection_round(uint64_t *state, struct pair *pair, const uint8_t *bytes, size_t length)
{
	struct fyke_stream_memory memory;
	struct connection c = {.memory = {.blocks = &c.blocks}};
	const struct fyke_stream_options options = {
		.start = {INT64_MIN, INT64_MIN}, .sink = &pair_sink, .context = pair};
	struct fyke_packet packet = {.kind = FYKE_PACKET_TCP, .protocol = 6};
	uint32_t isn[2] = {UINT32_MAX - below(state, 6000), UINT32_MAX - below(state, 6000)};
	struct cut cuts[PIECES_MAX];
	size_t count = cut_up(state, length, cuts);

	fyke_stream_memory_init(&memory, 1 << 24);
	fyke_stream_init(&c.stream, &memory, &options);
	packet.tcp = (struct fyke_tcp_header){
		.flags = FYKE_TCP_SYN, .sequence = isn[0], .window = 60000, .window_scale = -1};
	fyke_tcp_start(&c.tcp, &packet, FYKE_LOW, false);
	send(&c, &packet, FYKE_LOW);
	packet.tcp.flags = FYKE_TCP_SYN | FYKE_TCP_ACK;
	packet.tcp.sequence = isn[1];
	packet.tcp.acknowledgment = isn[0] + 1;
	send(&c, &packet, FYKE_HIGH);
	packet.tcp.flags = FYKE_TCP_ACK;
	for (size_t i = 0; i < count; i++) {
		enum fyke_endpoint side = (enum fyke_endpoint)(i % 2);

		for (int j = 0; j < 2; j++, side = (enum fyke_endpoint)(1 - side)) {
			packet.tcp.sequence = isn[side] + 1 + (uint32_t)cuts[i].start;
			packet.tcp.acknowledgment = isn[1 - side] + 1;
			packet.payload = bytes + cuts[i].start;
			packet.payload_length = packet.payload_captured =
				(uint32_t)(cuts[i].end - cuts[i].start);
			send(&c, &packet, side);
		}
	}
	packet.payload_length = packet.payload_captured = 0;
	packet.tcp.flags = FYKE_TCP_FIN | FYKE_TCP_ACK;
	packet.tcp.sequence = isn[0] + 1 + (uint32_t)length;
	packet.tcp.acknowledgment = isn[1] + 1;
	send(&c, &packet, FYKE_LOW);
	assert_int_equal(pair->side[0].ends, 1);
	fyke_stream_finish(&c.stream, 0, 0);
	fyke_stream_release(&c.stream);
	assert_int_equal(memory.used, 0);
	fyke_stream_memory_release(&memory);
	fyke_tcp_release(&c.memory, &c.tcp);
	assert_int_equal(c.blocks.used, 0);
	fyke_blocks_release(&c.blocks);
}

static void test_sequence_numbers_wrap(void **unused)
{
	static uint8_t bytes[BYTES_MAX];
	static struct pair pair;

	(void)unused;
	for (unsigned i = 0; i < rounds(1500); i++) {
		uint64_t state = seed_of() * 104729 + i;
		size_t length = fill(&state, bytes);

		pair = (struct pair){0};
		connection_round(&state, &pair, bytes, length);
		for (int side = 0; side < 2; side++) {
			assert_int_equal(pair.side[side].ends, 1);
			assert_int_equal(pair.side[side].length, length);
			assert_memory_equal(pair.side[side].bytes, bytes, length);
		}
	}
}

/* A feed with holes and acknowledgments, once as it is and once with each segment split somewhere. */
static void replay(struct sunk *sunk, const uint8_t *bytes, uint64_t state, bool split)
{
	struct fyke_stream_memory memory;
	struct fyke_reassembly stream;
	int64_t highest = 0;

	*sunk = (struct sunk){.base = 0};
	fyke_stream_memory_init(&memory, 1 << 24);
	init(&stream, &memory, sunk, FYKE_POLICY_LINUX);
	for (int i = 0; i < 60; i++) {
		size_t start = below(&state, BYTES_MAX / 2), length = 1 + below(&state, 400);
		size_t at = below(&state, (uint32_t)length), acknowledged = below(&state, BYTES_MAX);

		feed(&stream, (int64_t)start, bytes + start, split ? at : length);
		if (split)
			feed(&stream, (int64_t)(start + at), bytes + start + at, length - at);
		if ((int64_t)(start + length) > highest)
			highest = (int64_t)(start + length);
		if (i % 5 == 0)
			fyke_reassembly_acknowledge(&stream,
				(int64_t)acknowledged < highest ? (int64_t)acknowledged : highest, 0, 0);
		assert_conserved(&stream);
	}
	fyke_reassembly_finish(&stream, 0, 0);
	release(&stream, &memory);
}

static void test_split_feeds_give_the_same(void **unused)
{
	static struct sunk whole, parts;
	static uint8_t bytes[BYTES_MAX];

	(void)unused;
	for (unsigned i = 0; i < rounds(3000); i++) {
		uint64_t state = seed_of() * 1299709 + i;

		(void)fill(&state, bytes);
		replay(&whole, bytes, state, false);
		replay(&parts, bytes, state, true);
		assert_int_equal(whole.length, parts.length);
		assert_memory_equal(whole.known, parts.known, whole.length);
		assert_memory_equal(whole.bytes, parts.bytes, whole.length);
	}
}

static void count_chunk(void *context, const struct fyke_chunk *chunk)
{
	int64_t *next = context;

	assert_true(chunk->offset - (int64_t)chunk->gap == *next);
	*next = chunk->offset + (int64_t)chunk->length;
}

/* Several streams fight for little memory. */
static void test_budgets_hold(void **unused)
{
	enum { STREAMS = 5, SHARED = 40000, OWN = 14000 };
	static const struct fyke_stream_sink counting = {.chunk = count_chunk};
	static uint8_t bytes[2000];

	(void)unused;
	for (unsigned i = 0; i < rounds(300); i++) {
		uint64_t state = seed_of() * 15485863 + i;
		struct fyke_reassembly streams[STREAMS];
		int64_t next[STREAMS] = {0};
		struct fyke_stream_memory memory;

		fyke_stream_memory_init(&memory, SHARED);
		for (int j = 0; j < STREAMS; j++) {
			const struct fyke_reassembly_options options = {
				.memory = OWN, .sink = &counting, .context = &next[j]};

			fyke_reassembly_init(&streams[j], &memory, &options);
			fyke_reassembly_start(&streams[j], 0);
		}
		for (int j = 0; j < 200; j++) {
			struct fyke_reassembly *stream = &streams[below(&state, STREAMS)];

			feed(stream, stream->next + below(&state, 20000), bytes, 1 + below(&state, 1999));
			assert_true(memory.used <= SHARED);
			assert_true(stream->cost <= OWN);
			assert_conserved(stream);
		}
		for (int j = 0; j < STREAMS; j++) {
			fyke_reassembly_finish(&streams[j], 0, 0);
			assert_int_equal(streams[j].counters.held, 0);
			assert_conserved(&streams[j]);
			fyke_reassembly_release(&streams[j]);
		}
		assert_int_equal(memory.used, 0);
		assert_null(memory.oldest);
		fyke_stream_memory_release(&memory);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policies_equal_the_oracle),
		cmocka_unit_test(test_any_cutting_gives_the_same_bytes),
		cmocka_unit_test(test_sequence_numbers_wrap),
		cmocka_unit_test(test_split_feeds_give_the_same),
		cmocka_unit_test(test_budgets_hold),
	};

	print_message("seed %llu (FYKE_SEED)\n", (unsigned long long)seed_of());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
