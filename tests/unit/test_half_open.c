/* Lone SYNs kept small: what comes out is what went in, and no session is another one for it. */
#include "analyzer/engine.h"
#include "analyzer/flow/half_open.h"
#include "analyzer/session/community_id.h"
#include "tests/unit/known_services.h"
#include "tests/unit/tcp_segments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xxhash.h>

#define SEED UINT64_C(7)

static struct fyke_community_hasher *hasher;

static uint32_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33);
}

static struct fyke_packet syn_of(uint32_t number, uint64_t frame, bool six)
{
	static const uint8_t macs[2][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};
	const struct segment_spec spec = {.from = 'c', .flags = "S", .sequence = number * 77, .window = 512};
	struct fyke_packet packet = segment_packet(&spec, frame);

	if (six) {
		const uint8_t bytes[2][16] = {{0x20, 1, 13, 184, 1}, {0x20, 1, 13, 184, 2}};

		packet.source = fyke_address_ipv6(bytes[0]);
		packet.destination = fyke_address_ipv6(bytes[1]);
	}
	memcpy(packet.destination.bytes, &number, sizeof(number));
	packet.source_mac = macs[number & 1];
	packet.destination_mac = macs[1];
	packet.vlan = (int16_t)(number % 3) - 1;
	packet.interface = number % 2;
	packet.ttl = (uint8_t)number;
	packet.ip_id = (uint16_t)(number * 3);
	packet.ip_bytes = 60;
	packet.dont_fragment = (number & 4) != 0;
	packet.time_ns = (int64_t)frame * 1000 + 5;
	packet.tcp.mss = (uint16_t)(1400 + number % 60);
	packet.tcp.window_scale = (int8_t)(number % 16) - 1;
	packet.tcp.sack_permitted = (number & 8) != 0;
	packet.tcp.has_timestamps = (number & 16) != 0;
	packet.tcp.timestamp_value = (number & 16) != 0 ? number * 5 : 0;
	packet.tcp.checksum = (uint16_t)number;
	packet.tcp.flags =
		(uint16_t)(packet.tcp.flags | ((number & 32) != 0 ? FYKE_TCP_ECE | FYKE_TCP_CWR : 0));
	packet.checksum = (enum fyke_checksum)(number % 3);
	return packet;
}

static uint64_t key_of(const struct fyke_packet *packet, struct fyke_flow_key *key)
{
	(void)fyke_flow_key_of(packet, key);
	return XXH3_64bits_withSeed(key, sizeof(*key), SEED);
}

static void assert_same_packet(const struct fyke_packet *a, const struct fyke_packet *b)
{
	struct fyke_packet x = *a, y = *b;

	assert_memory_equal(a->source_mac, b->source_mac, 6);
	assert_memory_equal(a->destination_mac, b->destination_mac, 6);
	x.source_mac = y.source_mac = x.destination_mac = y.destination_mac = NULL;
	assert_int_equal(x.frame, y.frame);
	assert_int_equal(x.time_ns, y.time_ns);
	assert_int_equal(x.tcp.flags, y.tcp.flags);
	assert_memory_equal(&x.source, &y.source, sizeof(x.source));
	assert_memory_equal(&x.destination, &y.destination, sizeof(x.destination));
	assert_int_equal(x.vlan, y.vlan);
	assert_int_equal(x.interface, y.interface);
	assert_int_equal(x.ttl, y.ttl);
	assert_int_equal(x.ip_id, y.ip_id);
	assert_int_equal(x.ip_bytes, y.ip_bytes);
	assert_int_equal(x.dont_fragment, y.dont_fragment);
	assert_int_equal(x.checksum, y.checksum);
	assert_int_equal(x.source_port, y.source_port);
	assert_int_equal(x.destination_port, y.destination_port);
	assert_int_equal(x.tcp.sequence, y.tcp.sequence);
	assert_int_equal(x.tcp.window, y.tcp.window);
	assert_int_equal(x.tcp.mss, y.tcp.mss);
	assert_int_equal(x.tcp.window_scale, y.tcp.window_scale);
	assert_int_equal(x.tcp.sack_permitted, y.tcp.sack_permitted);
	assert_int_equal(x.tcp.has_timestamps, y.tcp.has_timestamps);
	assert_int_equal(x.tcp.timestamp_value, y.tcp.timestamp_value);
	assert_int_equal(x.tcp.checksum, y.tcp.checksum);
	assert_int_equal(x.kind, y.kind);
	assert_int_equal(x.protocol, y.protocol);
}

static void add(struct fyke_half_open *table, uint32_t number, bool six)
{
	struct fyke_packet packet = syn_of(number, number + 1, six);
	struct fyke_flow_key key;
	uint64_t hash = key_of(&packet, &key);

	assert_int_equal(fyke_half_open_add(table, &packet, hash, packet.time_ns), FYKE_HALF_OPEN_TAKEN);
}

static bool take(struct fyke_half_open *table, uint32_t number, bool six)
{
	struct fyke_packet packet = syn_of(number, number + 1, six);
	struct fyke_half_open_syn syn;
	struct fyke_flow_key key;
	uint64_t hash = key_of(&packet, &key);

	if (!fyke_half_open_take(table, &key, hash, &syn))
		return false;
	assert_same_packet(&syn.packet, &packet);
	return true;
}

/* Many are added, taken out at random and by age; each comes out once, unchanged, the oldest first. */
static void test_half_open_gives_back_what_it_took(void **state)
{
	enum { COUNT = 60000 };
	struct fyke_half_open *table = fyke_half_open_new(SEED);
	bool *there = calloc(COUNT, sizeof(*there));
	uint64_t random = 1, live = 0;
	uint32_t oldest = 0;

	(void)state;
	for (uint32_t i = 0; i < COUNT; i++) {
		uint32_t other = next_random(&random) % COUNT;
		struct fyke_half_open_syn syn;

		add(table, i, i % 3 == 0);
		there[i] = true;
		live++;
		if (i % 2 == 0) {
			assert_int_equal(take(table, other, other % 3 == 0), there[other]);
			live -= there[other];
			there[other] = false;
		}
		if (i % 5 == 0) {
			while (!there[oldest] && oldest < i)
				oldest++;
			assert_int_equal(fyke_half_open_take_oldest(table, &syn), there[oldest]);
			if (there[oldest])
				assert_int_equal(syn.packet.frame, oldest + 1);
			live -= there[oldest];
			there[oldest] = false;
		}
		assert_int_equal(fyke_half_open_count(table), live);
	}
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(take(table, i, i % 3 == 0), there[i]);
	assert_int_equal(fyke_half_open_count(table), 0);
	free(there);
	fyke_half_open_free(table);
}

/* The bounds that the header promises, once the slots have grown beyond their first size. */
static void test_half_open_is_small(void **state)
{
	(void)state;
	for (int six = 0; six < 2; six++) {
		struct fyke_half_open *table = fyke_half_open_new(SEED);
		uint64_t empty = fyke_half_open_held(table);

		for (uint32_t i = 0; i < 400000; i++) {
			add(table, i, six != 0);
			if (i % 50000 == 49999)
				assert_true((fyke_half_open_held(table) - empty) / (i + 1) <
					    (six != 0 ? 96 : 64));
		}
		fyke_half_open_free(table);
	}
}

/* Without room its slots are made anew in their place, and all that is in it is found. */
static void test_half_open_stays_in_its_room(void **state)
{
	enum { COUNT = 100000, AT_ONCE = 4500, SLAB = 1024 * 48, ROOM = 8 * SLAB };
	struct fyke_half_open *table = fyke_half_open_new(SEED);
	uint64_t least = fyke_half_open_held(table), held;
	struct fyke_half_open_syn syn;

	(void)state;
	for (uint32_t i = 0; i < COUNT; i++) {
		held = fyke_half_open_held(table) - least;
		fyke_half_open_allow(table, held < ROOM ? ROOM - held : 0);
		while (fyke_half_open_is_crowded(table) || held > ROOM - SLAB) {
			assert_true(fyke_half_open_take_oldest(table, &syn));
			held = fyke_half_open_held(table) - least;
			fyke_half_open_allow(table, ROOM - held);
		}
		add(table, i, false);
		assert_true(fyke_half_open_held(table) - least <= ROOM);
	}
	assert_in_range(fyke_half_open_count(table), AT_ONCE, ROOM / 48);
	for (uint32_t i = COUNT - AT_ONCE; i < COUNT; i++)
		assert_true(take(table, i, false));
	assert_false(take(table, 0, false));
	fyke_half_open_free(table);
}

/* A new one may be as large as it needs, and with room there is none too many. */
static void test_half_open_grows_while_there_is_room(void **state)
{
	struct fyke_half_open *table = fyke_half_open_new(SEED);

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		add(table, i, false);
		assert_false(fyke_half_open_is_crowded(table));
	}
	fyke_half_open_allow(table, 1024);
	for (uint32_t i = 100000; !fyke_half_open_is_crowded(table); i++)
		add(table, i, false);
	assert_in_range(fyke_half_open_count(table), 100000, 131072 / 8 * 7);
	fyke_half_open_free(table);
}

static void refuse(struct fyke_half_open *table, struct fyke_packet packet)
{
	struct fyke_flow_key key;
	uint64_t hash = key_of(&packet, &key);

	assert_int_equal(fyke_half_open_add(table, &packet, hash, (int64_t)1000005), FYKE_HALF_OPEN_UNFIT);
}

static void test_half_open_refuses_what_it_could_not_give_back(void **state)
{
	struct fyke_half_open *table = fyke_half_open_new(SEED);
	const struct fyke_packet good = syn_of(1, 1000, false);
	struct fyke_packet packet = good;

	(void)state;
#define REFUSE(member, value)                                                                                \
	do {                                                                                                 \
		packet = good;                                                                               \
		packet.member = value;                                                                       \
		refuse(table, packet);                                                                       \
	} while (0)
	REFUSE(tcp.flags, FYKE_TCP_SYN | FYKE_TCP_ACK);
	REFUSE(tcp.flags, FYKE_TCP_SYN | FYKE_TCP_FIN);
	REFUSE(tcp.flags, FYKE_TCP_SYN | 0x100);
	REFUSE(tcp.acknowledgment, 1);
	REFUSE(tcp.timestamp_echo, 1);
	REFUSE(tcp.urgent, 1);
	REFUSE(tcp.sack_count, 1);
	REFUSE(tcp.options_bad, true);
	REFUSE(payload_length, 1);
	REFUSE(layer, 1);
	REFUSE(tunnel, FYKE_TUNNEL_VXLAN);
	REFUSE(is_fragmented, true);
	REFUSE(is_overstated, true);
	REFUSE(checksum, FYKE_CHECKSUM_WRONG);
	REFUSE(time_ns, 1000004);
	REFUSE(frame, UINT64_C(1) << 40);
#undef REFUSE
	fyke_half_open_free(table);
}

/* ---- the same sessions, whether lone SYNs are kept small or not ---- */

static struct fyke_packet any_packet(uint64_t *random, uint64_t frame)
{
	static const char *const flags[] = {"S", "S", "S", "SA", "A", "R", "RA", "FA", "S"};
	uint32_t host = next_random(random) % 24, kind = next_random(random) % 9;
	bool back = next_random(random) % 3 == 0;
	const struct segment_spec spec = {.from = back ? 's' : 'c',
		.flags = flags[kind],
		.sequence = next_random(random) % 4 == 0 ? 5000 : 1000,
		.acknowledgment = flags[kind][1] != '\0' || flags[kind][0] == 'A' ? 1001 : 0,
		.length = flags[kind][0] == 'A' ? next_random(random) % 3 : 0};
	struct fyke_packet packet = segment_packet(&spec, frame);

	(back ? &packet.destination : &packet.source)->bytes[3] = (uint8_t)(10 + host);
	packet.time_ns = (int64_t)frame * 700000000;
	packet.ip_id = (uint16_t)frame;
	packet.tcp.mss = (packet.tcp.flags & FYKE_TCP_SYN) != 0 ? 1460 : 0;
	packet.tcp.window = next_random(random) % 8 == 0 ? 0 : 1000;
	packet.ip_bytes = 40 + packet.payload_length;
	packet.ttl = (uint8_t)(60 + host);
	return packet;
}

static struct fyke_tick *run(uint64_t seed, bool small, unsigned packets)
{
	const struct fyke_engine_options options = {.services = services, .keep_changed = !small};
	struct fyke_tick *tick = fyke_tick_new();
	struct fyke_engine *engine;

	assert_int_equal(fyke_engine_new(&options, &engine, NULL), FYKE_OK);
	for (uint64_t frame = 1; frame <= packets; frame++) {
		struct fyke_packet packet = any_packet(&seed, frame);

		assert_int_equal(fyke_engine_take(engine, &packet, &packet.time_ns, 1, NULL), FYKE_OK);
	}
	assert_int_equal(fyke_engine_end(engine, tick, NULL), FYKE_OK);
	fyke_engine_free(engine);
	return tick;
}

static void assert_same_session(struct fyke_session *a, struct fyke_session *b)
{
	fyke_session_community_id(hasher, a);
	fyke_session_community_id(hasher, b);
	assert_int_equal(a->birth.frame, b->birth.frame);
	assert_int_equal(a->last_frame, b->last_frame);
	assert_int_equal(a->deciding_frame, b->deciding_frame);
	assert_int_equal(a->start_ns, b->start_ns);
	assert_int_equal(a->end_ns, b->end_ns);
	assert_int_equal(a->updated_ns, b->updated_ns);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->end_reason, b->end_reason);
	assert_string_equal(a->history, b->history);
	assert_string_equal(a->community_id, b->community_id);
	for (int side = 0; side < 2; side++)
		assert_memory_equal(&a->side[side], &b->side[side], sizeof(a->side[side]));
	assert_string_equal(a->transport, b->transport);
	assert_int_equal(a->vlan, b->vlan);
	assert_int_equal(a->tunnel_id, b->tunnel_id);
	assert_int_equal(a->layer, b->layer);
	assert_int_equal(a->roles_guessed, b->roles_guessed);
	assert_int_equal(a->icmp_type, b->icmp_type);
	assert_int_equal(a->icmp_code, b->icmp_code);
	assert_int_equal(a->icmp_id, b->icmp_id);
	assert_int_equal(a->service_mismatch, b->service_mismatch);
	assert_ptr_equal(a->service, b->service);
	assert_ptr_equal(a->port_service, b->port_service);
	assert_null(a->records == b->records ? NULL : a->records == NULL || b->records == NULL ? a : NULL);
	assert_int_equal(a->frames_length, b->frames_length);
	assert_memory_equal(a->frames, b->frames, a->frames_length);
	assert_int_equal(a->tcp == NULL, b->tcp == NULL);
	if (a->tcp != NULL)
		assert_memory_equal(a->tcp, b->tcp, sizeof(*a->tcp));
}

static void test_half_open_changes_no_session(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct fyke_tick *small = run(seed, true, 250), *large = run(seed, false, 250);

		assert_int_equal(small->session_count, large->session_count);
		for (size_t i = 0; i < small->session_count; i++)
			assert_same_session(small->sessions[i], large->sessions[i]);
		fyke_tick_free(small);
		fyke_tick_free(large);
	}
}

/* In parts by birth it is what it is at once. */
static void test_half_open_ends_in_parts(void **state)
{
	const struct fyke_engine_options options = {.services = services};
	struct fyke_engine *engine;
	uint64_t random = 3, last = 0, sessions = 0;
	bool more = true;

	(void)state;
	assert_int_equal(fyke_engine_new(&options, &engine, NULL), FYKE_OK);
	for (uint32_t i = 0; i < 1000; i++) {
		struct fyke_packet packet = syn_of(i, i + 1, next_random(&random) % 2 == 0);

		if (i % 3 == 0)
			packet.tcp.urgent = 1; /* a whole flow */
		packet.time_ns = 5;
		assert_int_equal(fyke_engine_take(engine, &packet, &packet.time_ns, 1, NULL), FYKE_OK);
	}
	while (more) {
		struct fyke_tick *tick = fyke_tick_new();

		assert_int_equal(fyke_engine_end_part(engine, 64, tick, &more, NULL), FYKE_OK);
		assert_true(tick->session_count <= 65);
		assert_int_equal(tick->flush, !more);
		for (size_t i = 0; i < tick->session_count; i++) {
			assert_true(tick->sessions[i]->birth.frame > last);
			last = tick->sessions[i]->birth.frame;
			sessions++;
		}
		fyke_tick_free(tick);
	}
	assert_int_equal(sessions, 1000);
	fyke_engine_free(engine);
}

static int set_up(void **state)
{
	hasher = fyke_community_hasher_new();
	return hasher != NULL ? services_setup(state) : -1;
}

static int tear_down(void **state)
{
	fyke_community_hasher_free(hasher);
	return services_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_half_open_gives_back_what_it_took),
		cmocka_unit_test(test_half_open_is_small),
		cmocka_unit_test(test_half_open_stays_in_its_room),
		cmocka_unit_test(test_half_open_grows_while_there_is_room),
		cmocka_unit_test(test_half_open_refuses_what_it_could_not_give_back),
		cmocka_unit_test(test_half_open_changes_no_session),
		cmocka_unit_test(test_half_open_ends_in_parts),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
