/* Sessions out of packets: states, history, roles, ends, sequence tracking, budget, order. */
#include "analyzer/base/varint.h"
#include "analyzer/engine.h"
#include "tests/unit/known_services.h"
#include "tests/unit/tcp_segments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world {
	struct fyke_engine *engine;
	struct fyke_tick *tick;
	uint64_t frame;
};

static struct world *new_world(uint64_t memory)
{
	struct fyke_engine_options options = {.services = services, .memory = memory};
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	assert_int_equal(fyke_engine_new(&options, &world->engine, NULL), FYKE_OK);
	world->tick = fyke_tick_new();
	assert_non_null(world->tick);
	return world;
}

static void free_world(struct world *world)
{
	fyke_engine_free(world->engine);
	fyke_tick_free(world->tick);
	free(world);
}

static void feed_packet(struct world *world, struct fyke_packet packet)
{
	assert_int_equal(fyke_engine_take(world->engine, &packet, &packet.time_ns, 1, NULL), FYKE_OK);
}

static void feed(struct world *world, const struct segment_spec *segments, size_t count)
{
	for (size_t i = 0; i < count; i++)
		feed_packet(world, segment_packet(&segments[i], ++world->frame));
}

#define FEED(world, ...)                                                                                     \
	do {                                                                                                 \
		const struct segment_spec list[] = {__VA_ARGS__};                                            \
		feed(world, list, sizeof(list) / sizeof(list[0]));                                           \
	} while (0)

static const struct fyke_session *end(struct world *world, size_t expected)
{
	assert_int_equal(fyke_engine_end(world->engine, world->tick, NULL), FYKE_OK);
	assert_int_equal(world->tick->session_count, expected);
	return world->tick->sessions[0];
}

static void expect(
	const struct segment_spec *segments, size_t count, enum fyke_state state, const char *history)
{
	struct world *world = new_world(0);
	const struct fyke_session *session;

	feed(world, segments, count);
	session = end(world, 1);
	assert_string_equal(session->history, history);
	assert_string_equal(fyke_state_name(session->state), fyke_state_name(state));
	free_world(world);
}

#define EXPECT(state, history, ...)                                                                          \
	do {                                                                                                 \
		const struct segment_spec list[] = {__VA_ARGS__};                                            \
		expect(list, sizeof(list) / sizeof(list[0]), state, history);                                \
	} while (0)

#define SYN                                                                                                  \
	{                                                                                                    \
		'c', "S", 100, 0, 0, 0, 0                                                                    \
	}
#define SYN_ACK                                                                                              \
	{                                                                                                    \
		's', "SA", 500, 101, 0, 0, 0.1                                                               \
	}
#define ACK                                                                                                  \
	{                                                                                                    \
		'c', "A", 101, 501, 0, 0, 0.2                                                                \
	}

static void test_engine_states(void **state)
{
	(void)state;
	EXPECT(FYKE_STATE_S0, "S", SYN);
	EXPECT(FYKE_STATE_REJ, "Sr", SYN, {'s', "RA", 0, 101, 0, 0, 0.1});
	EXPECT(FYKE_STATE_S1, "ShA", SYN, SYN_ACK, ACK);
	EXPECT(FYKE_STATE_S2, "ShAF", SYN, SYN_ACK, ACK, {'c', "FA", 101, 501, 0, 0, 1});
	EXPECT(FYKE_STATE_S3, "ShAf", SYN, SYN_ACK, ACK, {'s', "FA", 501, 101, 0, 0, 1});
	EXPECT(FYKE_STATE_SF, "ShADadFf", SYN, SYN_ACK, ACK, {'c', "PA", 101, 501, 10, 0, 1},
		{'s', "A", 501, 111, 0, 0, 1}, {'s', "PA", 501, 111, 20, 0, 2},
		{'c', "FA", 111, 521, 0, 0, 3}, {'s', "FA", 521, 112, 0, 0, 3});
	EXPECT(FYKE_STATE_RSTO, "ShAR", SYN, SYN_ACK, ACK, {'c', "R", 101, 0, 0, 0, 1});
	EXPECT(FYKE_STATE_RSTR, "ShAr", SYN, SYN_ACK, ACK, {'s', "R", 501, 0, 0, 0, 1});
	EXPECT(FYKE_STATE_RSTOS0, "SR", SYN, {'c', "R", 101, 0, 0, 0, 1});
	EXPECT(FYKE_STATE_SH, "SF", SYN, {'c', "F", 101, 0, 0, 0, 1});
	EXPECT(FYKE_STATE_RSTRH, "^hr", SYN_ACK, {'s', "R", 501, 0, 0, 0, 1});
	EXPECT(FYKE_STATE_OTH, "D", {'c', "A", 101, 501, 10, 0, 0});
}

static void test_engine_history_of_trouble(void **state)
{
	(void)state;
	/* a resend, a zero window, a repeated SYN that adds nothing */
	EXPECT(FYKE_STATE_S1, "ShADTaw", SYN, SYN, SYN_ACK, ACK, {'c', "A", 101, 501, 10, 0, 1},
		{'c', "A", 101, 501, 10, 0, 2}, {'s', "A", 501, 111, 0, WINDOW_ZERO, 2.5});
	/* the server acknowledges bytes that were never seen */
	EXPECT(FYKE_STATE_S1, "ShADaG", SYN, SYN_ACK, ACK, {'c', "A", 201, 501, 10, 0, 1},
		{'s', "A", 501, 211, 0, 0, 2});
	/* FIN, RST, then the peer's FIN is a normal close */
	EXPECT(FYKE_STATE_SF, "ShAFRf", SYN, SYN_ACK, ACK, {'c', "FA", 101, 501, 0, 0, 1},
		{'c', "R", 102, 501, 0, 0, 1.1}, {'s', "FA", 501, 102, 0, 0, 1.2});
}

static void test_engine_roles(void **state)
{
	struct world *world = new_world(0);
	const struct fyke_session *session;

	(void)state;
	FEED(world, {'s', "A", 501, 101, 10, 0, 0}, {'c', "A", 101, 511, 0, 0, 1});
	session = end(world, 1);
	assert_int_equal(session->side[FYKE_SERVER].port, 80);
	assert_true(session->roles_guessed);
	assert_string_equal(session->history, "^dA");
	assert_string_equal(session->service, "http");
	free_world(world);
}

static void test_engine_reuses_ports(void **state)
{
	struct world *world = new_world(0);

	(void)state;
	FEED(world, SYN, SYN_ACK, ACK, {'c', "R", 101, 0, 0, 0, 1}, {'c', "S", 90000, 0, 0, 0, 2});
	(void)end(world, 2);
	assert_int_equal(world->tick->sessions[0]->end_reason, FYKE_END_RST);
	assert_int_equal(world->tick->sessions[0]->birth.frame, 1);
	assert_int_equal(world->tick->sessions[1]->birth.frame, 5);
	assert_int_equal(world->tick->sessions[1]->state, FYKE_STATE_S0);
	free_world(world);
}

static void test_engine_splits_after_silence(void **state)
{
	struct world *world = new_world(0);

	(void)state;
	/* half-open: 60 s; after RST: 60 s */
	FEED(world, SYN, {'c', "S", 100, 0, 0, 0, 59}, {'c', "S", 100, 0, 0, 0, 120});
	(void)end(world, 2);
	assert_int_equal(world->tick->sessions[0]->end_reason, FYKE_END_TIMEOUT);
	assert_int_equal(world->tick->sessions[0]->side[FYKE_CLIENT].packets, 2);
	assert_int_equal(world->tick->sessions[1]->end_reason, FYKE_END_CAPTURE);
	free_world(world);
}

static void test_engine_counts_streams(void **state)
{
	struct world *world = new_world(0);
	const struct fyke_session *session;

	(void)state;
	FEED(world, SYN, SYN_ACK, ACK, {'c', "A", 101, 501, 100, 0, 1}, {'c', "A", 301, 501, 100, 0, 1.1},
		{'c', "A", 201, 501, 50, 0, 1.2}, {'c', "A", 101, 501, 100, 0, 1.3},
		{'s', "A", 501, 201, 0, 0, 1.4}, {'s', "A", 501, 201, 0, 0, 1.5});
	session = end(world, 1);
	assert_non_null(session->tcp);
	assert_int_equal(session->side[FYKE_CLIENT].payload_bytes, 350);
	assert_int_equal(session->tcp->side[FYKE_CLIENT].stream_bytes, 250);
	assert_int_equal(session->tcp->side[FYKE_CLIENT].missing_bytes, 50);
	assert_int_equal(session->tcp->side[FYKE_CLIENT].gaps, 1);
	assert_int_equal(session->tcp->side[FYKE_CLIENT].retransmitted_segments, 1);
	assert_int_equal(session->tcp->side[FYKE_CLIENT].retransmitted_bytes, 100);
	assert_int_equal(session->tcp->side[FYKE_CLIENT].unacknowledged_bytes, 200);
	assert_int_equal(session->tcp->side[FYKE_SERVER].duplicate_acks, 1);
	assert_int_equal(session->tcp->handshake_us, 200000);
	assert_int_equal(session->tcp->handshake_server_us, 100000);
	assert_int_equal(session->tcp->side[FYKE_CLIENT].isn, 100);
	free_world(world);
}

/* 6 GB in steps of 1 MB, begun 1,000 bytes before the wrap: offsets never do. */
static void test_engine_counts_beyond_32_bits(void **state)
{
	struct world *world = new_world(0);
	uint32_t sequence = UINT32_MAX - 1000;
	const struct fyke_session *session;
	enum { STEPS = 6000, STEP = 1000000 };

	(void)state;
	FEED(world, {'c', "S", UINT32_MAX - 1001, 0, 0, 0, 0}, {'s', "SA", 500, UINT32_MAX - 1000, 0, 0, 0.1},
		{'c', "A", UINT32_MAX - 1000, 501, 0, 0, 0.2});
	for (int i = 0; i < STEPS; i++, sequence += STEP)
		FEED(world, {'c', "A", sequence, 501, STEP, 0, 1},
			{'s', "A", 501, sequence + STEP, 0, 0, 1.1});
	session = end(world, 1);
	assert_int_equal(session->tcp->side[FYKE_CLIENT].stream_bytes, (int64_t)STEPS * STEP);
	assert_int_equal(session->tcp->side[FYKE_CLIENT].missing_bytes, 0);
	assert_int_equal(session->tcp->side[FYKE_CLIENT].retransmitted_segments, 0);
	assert_int_equal(session->tcp->side[FYKE_CLIENT].unacknowledged_bytes, 0);
	free_world(world);
}

static void test_engine_ignores_wrong_checksums(void **state)
{
	struct world *world = new_world(0);
	struct segment_spec reset = {'s', "R", 501, 0, 0, 0, 1};
	const struct fyke_session *session;
	struct fyke_packet packet;

	(void)state;
	FEED(world, SYN, SYN_ACK, ACK);
	packet = segment_packet(&reset, ++world->frame);
	packet.checksum = FYKE_CHECKSUM_WRONG;
	feed_packet(world, packet);
	session = end(world, 1);
	assert_int_equal(session->state, FYKE_STATE_S1);
	assert_string_equal(session->history, "ShAc");
	assert_int_equal(session->bad_checksums, 1);
	assert_int_equal(session->side[FYKE_SERVER].packets, 2);
	free_world(world);
}

static struct fyke_packet udp_packet(uint32_t client, uint64_t frame)
{
	struct segment_spec spec = {'c', "", 0, 0, 8, 0, 0};
	struct fyke_packet packet = segment_packet(&spec, frame);

	packet.kind = FYKE_PACKET_UDP;
	packet.protocol = 17;
	memcpy(packet.source.bytes, &client, sizeof(client));
	return packet;
}

static void test_engine_keeps_within_memory(void **state)
{
	enum { SESSIONS = 20000, MEMORY = 1 << 20 };
	struct world *world = new_world(MEMORY);
	struct fyke_engine_counters counters;
	uint32_t evicted = 0;

	(void)state;
	for (uint32_t i = 1; i <= SESSIONS; i++)
		feed_packet(world, udp_packet(i, i));
	counters = fyke_engine_counters(world->engine);
	assert_true(counters.memory <= MEMORY);
	assert_int_equal(counters.sessions, SESSIONS);
	(void)end(world, SESSIONS);
	for (size_t i = 0; i < world->tick->session_count; i++)
		evicted += world->tick->sessions[i]->end_reason == FYKE_END_EVICTED;
	assert_int_equal(evicted, counters.evicted);
	assert_true(evicted > SESSIONS / 2);
	/* the oldest went first */
	assert_int_equal(world->tick->sessions[0]->birth.frame, 1);
	free_world(world);
}

/* Lone SYNs, whose table doubles now and then: never more is held, and hardly less is made use of. */
static void test_engine_keeps_lone_syns_within_memory(void **state)
{
	enum { SESSIONS = 400000, TICK = 4096, MEMORY = 8 << 20 };
	struct world *world = new_world(MEMORY);
	struct fyke_engine_counters counters;

	(void)state;
	for (uint32_t i = 1; i <= SESSIONS; i++) {
		struct fyke_packet packet =
			segment_packet(&(struct segment_spec){.from = 'c', .flags = "S"}, i);

		memcpy(packet.source.bytes, &i, sizeof(i));
		packet.time_ns = i;
		feed_packet(world, packet);
		if (i % TICK == 0) {
			assert_int_equal(
				fyke_engine_tick(world->engine, i, FYKE_TICK_PLAIN, world->tick, NULL),
				FYKE_OK);
			assert_true(world->tick->session_count <= TICK + 1);
			fyke_tick_free(world->tick);
			world->tick = fyke_tick_new();
		}
	}
	counters = fyke_engine_counters(world->engine);
	assert_true(counters.memory_most <= MEMORY);
	assert_true(counters.memory_most > MEMORY / 4 * 3);
	assert_true(counters.sessions_open * 64 > MEMORY / 4 * 3);
	assert_int_equal(counters.sessions_open + counters.evicted, SESSIONS);
	free_world(world);
}

/* Frame lists: whatever the length, the parts and the rest give every frame once. */
static void test_engine_lists_frames(void **state)
{
	enum { PACKETS = 30000 };
	struct world *world = new_world(0);
	const struct fyke_session *session;
	uint64_t expected = 0;
	int64_t part = 0;

	(void)state;
	for (uint64_t i = 1; i <= PACKETS; i++)
		feed_packet(world, udp_packet(7, 3 * i));
	session = end(world, 1);
	assert_null(session->frames);
	for (const struct fyke_record *r = session->records; r != NULL; r = r->next) {
		const uint8_t *at, *stop;
		uint64_t value = 0, frame = 0;

		assert_ptr_equal(r->table, &fyke_table_session_frames);
		assert_int_equal(r->values[0].integer, part++);
		at = (const uint8_t *)r->values[1].bytes;
		stop = at + r->values[1].length;
		assert_true(r->values[1].length <= 4096);
		while (at < stop) {
			assert_true(fyke_varint_read(&at, stop, &value));
			frame += value;
			expected += 3;
			assert_int_equal(frame, expected);
		}
	}
	assert_int_equal(expected, 3 * PACKETS);
	free_world(world);
}

/* Layers of one frame: the inner session names the one that carried it, and comes after it. */
static void test_engine_ties_tunnels(void **state)
{
	struct world *world = new_world(0);
	struct segment_spec syn = SYN;
	struct fyke_packet packets[2] = {udp_packet(9, 1), segment_packet(&syn, 1)};
	int64_t clocks[2] = {packets[0].time_ns, packets[0].time_ns};

	(void)state;
	packets[1].layer = 1;
	packets[1].tunnel = FYKE_TUNNEL_VXLAN;
	packets[1].tunnel_id = 42;
	packets[1].tunnel_id_known = true;
	assert_int_equal(fyke_engine_take(world->engine, packets, clocks, 2, NULL), FYKE_OK);
	packets[1].frame = packets[0].frame = 2;
	packets[1].tunnel_id = 43; /* another network: another session */
	assert_int_equal(fyke_engine_take(world->engine, packets, clocks, 2, NULL), FYKE_OK);
	(void)end(world, 3);
	assert_string_equal(world->tick->sessions[0]->transport, "udp");
	assert_string_equal(world->tick->sessions[1]->transport, "tcp");
	assert_int_equal(world->tick->sessions[1]->parent.frame, 1);
	assert_int_equal(world->tick->sessions[1]->parent.ordinal, 0);
	assert_int_equal(world->tick->sessions[1]->birth.ordinal, 1);
	assert_int_equal(world->tick->sessions[1]->tunnel_id, 42);
	assert_int_equal(world->tick->sessions[2]->tunnel_id, 43);
	assert_int_equal(world->tick->sessions[2]->parent.frame, 1);
	free_world(world);
}

static void test_engine_ties_icmp_errors(void **state)
{
	struct world *world = new_world(0);
	struct fyke_packet asked = udp_packet(9, 1), error = udp_packet(9, 2);
	const struct fyke_session *session;

	(void)state;
	feed_packet(world, asked);
	error.kind = FYKE_PACKET_ICMP;
	error.protocol = 1;
	error.source = asked.destination;
	error.destination = asked.source;
	error.icmp = (struct fyke_icmp_header){.type = 3,
		.code = 3,
		.has_quote = true,
		.quote_protocol = 17,
		.quote_source = asked.source,
		.quote_destination = asked.destination,
		.quote_source_port = asked.source_port,
		.quote_destination_port = asked.destination_port};
	feed_packet(world, error);
	session = end(world, 2);
	assert_non_null(session->records);
	assert_ptr_equal(session->records->table, &fyke_table_icmp_errors);
	assert_int_equal(session->records->values[2].integer, 3);
	assert_memory_equal(session->records->values[1].bytes, "client", 6);
	assert_int_equal(world->tick->sessions[1]->quoted.frame, 1);
	free_world(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_engine_states),
		cmocka_unit_test(test_engine_history_of_trouble),
		cmocka_unit_test(test_engine_roles),
		cmocka_unit_test(test_engine_reuses_ports),
		cmocka_unit_test(test_engine_splits_after_silence),
		cmocka_unit_test(test_engine_counts_streams),
		cmocka_unit_test(test_engine_counts_beyond_32_bits),
		cmocka_unit_test(test_engine_ignores_wrong_checksums),
		cmocka_unit_test(test_engine_keeps_within_memory),
		cmocka_unit_test(test_engine_keeps_lone_syns_within_memory),
		cmocka_unit_test(test_engine_lists_frames),
		cmocka_unit_test(test_engine_ties_tunnels),
		cmocka_unit_test(test_engine_ties_icmp_errors),
	};

	return cmocka_run_group_tests(tests, services_setup, services_teardown);
}
