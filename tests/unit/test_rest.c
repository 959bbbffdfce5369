/* What connections take while they rest, and that nothing is told otherwise for it. */
#include "analyzer/base/blocks.h"
#include "analyzer/base/terms.h"
#include "analyzer/engine.h"
#include "tests/unit/known_services.h"
#include "tests/unit/tcp_segments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CONNECTIONS = 4000 };

struct world {
	struct fyke_engine *engine;
	struct fyke_tick *tick;
	uint64_t frame;
	bool ticks; /* many, while nothing comes */
};

static void begin(struct world *world, bool ticks)
{
	const struct fyke_engine_options options = {.services = services};

	*world = (struct world){.tick = fyke_tick_new(), .ticks = ticks};
	assert_non_null(world->tick);
	assert_int_equal(fyke_engine_new(&options, &world->engine, NULL), FYKE_OK);
}

static void end(struct world *world)
{
	fyke_engine_free(world->engine);
	fyke_tick_free(world->tick);
}

static void give(struct world *world, struct fyke_packet packet)
{
	packet.frame = ++world->frame;
	assert_int_equal(fyke_engine_take(world->engine, &packet, &packet.time_ns, 1, NULL), FYKE_OK);
}

static void say(struct world *world, struct segment_spec spec, uint32_t number, bool six)
{
	struct fyke_packet packet = segment_packet(&spec, 0);
	bool forth = spec.from == 'c';

	if (six) {
		static const uint8_t ends[2][16] = {{0x20, 1, 13, 184, 1}, {0x20, 1, 13, 184, 2}};

		packet.source = fyke_address_ipv6(ends[!forth]);
		packet.destination = fyke_address_ipv6(ends[forth]);
	}
	*(forth ? &packet.source_port : &packet.destination_port) = (uint16_t)(20000 + number);
	packet.ip_id = six ? 0 : (uint16_t)(world->frame + 1);
	give(world, packet);
}

static void open_and_ask(struct world *world, uint32_t number, bool six)
{
	say(world, (struct segment_spec){'c', "S", 100, 0, 0, 0, 0}, number, six);
	say(world, (struct segment_spec){'s', "SA", 500, 101, 0, 0, 0.02}, number, six);
	say(world, (struct segment_spec){'c', "A", 101, 501, 0, 0, 0.03}, number, six);
	say(world, (struct segment_spec){'c', "PA", 101, 501, 200, 0, 0.04}, number, six);
	say(world, (struct segment_spec){'s', "PA", 501, 301, 900, 0, 0.08}, number, six);
	say(world, (struct segment_spec){'c', "A", 301, 1401, 0, 0, 0.09}, number, six);
}

static void tick_at(struct world *world, double seconds)
{
	assert_int_equal(
		fyke_engine_tick(world->engine, (int64_t)(seconds * 1e9), FYKE_TICK_PLAIN, world->tick, NULL),
		FYKE_OK);
}

static void wait_until(struct world *world, double seconds)
{
	for (int i = 0; i < 500 && world->ticks; i++)
		assert_int_equal(fyke_engine_tick(world->engine, (int64_t)(seconds * 1e9) + 1000000000,
					 FYKE_TICK_PLAIN, world->tick, NULL),
			FYKE_OK);
}

static uint64_t held(const struct world *world)
{
	return fyke_engine_counters(world->engine).memory;
}

static uint64_t bytes_at_rest(bool six)
{
	struct world world;
	uint64_t before, busy, rest;

	begin(&world, true);
	before = held(&world);
	for (uint32_t i = 0; i < CONNECTIONS; i++)
		open_and_ask(&world, i, six);
	busy = held(&world) - before;
	wait_until(&world, 10);
	rest = held(&world) - before;
	assert_true(rest < busy * 2 / 3);
	end(&world);
	return rest / CONNECTIONS;
}

static void test_rest_is_small(void **state)
{
	(void)state;
	assert_true(bytes_at_rest(false) <= 544);
	assert_true(bytes_at_rest(true) <= 576);
}

/* A few ticks are enough, however many connections there are; and what speaks again rests again. */
static void test_rest_comes_soon(void **state)
{
	struct world world;
	uint64_t before, rest;

	(void)state;
	begin(&world, false);
	before = held(&world);
	for (uint32_t i = 0; i < CONNECTIONS; i++)
		open_and_ask(&world, i, false);
	for (int second = 1; second <= 5; second++)
		tick_at(&world, second);
	rest = held(&world) - before;
	assert_true(rest / CONNECTIONS <= 544);
	for (uint32_t i = 0; i < CONNECTIONS; i++)
		say(&world, (struct segment_spec){'c', "PA", 301, 1401, 10, 0, 6}, i, false);
	tick_at(&world, 9.5);
	assert_true(held(&world) - before > rest + CONNECTIONS * UINT64_C(300)); /* under way */
	for (uint32_t i = 0; i < CONNECTIONS; i++)
		say(&world, (struct segment_spec){'s', "A", 1401, 311, 0, 0, 10}, i, false);
	for (int second = 11; second <= 15; second++)
		tick_at(&world, second);
	assert_true(held(&world) - before <= rest + CONNECTIONS * UINT64_C(32));
	end(&world);
}

static void test_rest_of_udp_is_smaller(void **state)
{
	struct world world;
	uint64_t before;

	(void)state;
	begin(&world, false);
	before = held(&world);
	for (uint32_t i = 0; i < CONNECTIONS; i++) {
		const struct segment_spec spec = {.from = i % 2 == 0 ? 'c' : 's', .flags = "", .length = 60};
		struct fyke_packet packet = segment_packet(&spec, 0);

		packet.kind = FYKE_PACKET_UDP;
		packet.protocol = 17;
		*(i % 2 == 0 ? &packet.source_port : &packet.destination_port) = (uint16_t)(20000 + i / 2);
		packet.checksum = FYKE_CHECKSUM_GOOD;
		give(&world, packet);
	}
	assert_true((held(&world) - before) / (CONNECTIONS / 2) <= 192);
	end(&world);
}

/* A little of everything, with pauses in which some rest and some do not. */
static void converse(struct world *world, uint64_t random)
{
	uint32_t sent[2] = {101, 501};
	double seconds = 0.1;

	open_and_ask(world, 1, false);
	sent[0] += 200;
	sent[1] += 900;
	for (int i = 0; i < 40; i++) {
		unsigned side, back, length;

		random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		side = random >> 33 & 1;
		length = (unsigned)(random >> 34 & 3) * 100;
		back = (random >> 36 & 7) == 0 ? length : 0; /* sent again */
		seconds += (random >> 39 & 3) == 0 ? 0.5 + (double)(random >> 41 & 15) : 0.01;
		wait_until(world, seconds);
		say(world,
			(struct segment_spec){side == 0 ? 'c' : 's', "A", sent[side] - back, sent[1 - side],
				length, 0, seconds},
			1, false);
		if (back == 0)
			sent[side] += length;
	}
}

/* When memory is given back tells nothing: what is forgotten is forgotten by the clock. */
static void test_rest_changes_no_session(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct world plain, ticking;
		const struct fyke_session *a, *b;

		begin(&plain, false);
		begin(&ticking, true);
		converse(&plain, seed);
		converse(&ticking, seed);
		assert_int_equal(fyke_engine_end(plain.engine, plain.tick, NULL), FYKE_OK);
		assert_int_equal(fyke_engine_end(ticking.engine, ticking.tick, NULL), FYKE_OK);
		assert_int_equal(plain.tick->session_count, 1);
		assert_int_equal(ticking.tick->session_count, 1);
		a = plain.tick->sessions[0];
		b = ticking.tick->sessions[0];
		assert_string_equal(a->history, b->history);
		assert_memory_equal(a->tcp, b->tcp, sizeof(*a->tcp));
		end(&plain);
		end(&ticking);
	}
}

/* ---- what it stands on ---- */

static void test_blocks_are_used_again(void **state)
{
	static const size_t sizes[] = {1, 31, 32, 33, 100, 511, 513, 1000, 1536, 3000, 4096, 5000};
	struct fyke_blocks blocks = {0};
	void *taken[sizeof(sizes) / sizeof(sizes[0])];
	uint64_t used;

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			taken[i] = fyke_blocks_zero(&blocks, sizes[i]);
			assert_non_null(taken[i]);
			for (size_t at = 0; at < sizes[i]; at++)
				assert_int_equal(((const char *)taken[i])[at], 0);
			memset(taken[i], (int)i + 1, sizes[i]);
		}
		used = blocks.used;
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			for (size_t at = 0; at < sizes[i]; at++)
				assert_int_equal(((const char *)taken[i])[at], (char)(i + 1));
			fyke_blocks_give(&blocks, taken[i], sizes[i]);
		}
		assert_true(used >= 15853 && used < 22000); /* the sum of the sizes, and what is rounded */
		assert_int_equal(blocks.used, 0);
	}
	fyke_blocks_release(&blocks);
}

static void test_terms_keep_their_numbers(void **state)
{
	static char words[3000];
	struct fyke_terms terms = {0};

	(void)state;
	assert_int_equal(fyke_terms_number(&terms, NULL), 0);
	for (unsigned i = 0; i < sizeof(words); i++)
		assert_int_equal(fyke_terms_number(&terms, &words[i]), i + 1);
	for (unsigned i = 0; i < sizeof(words); i++) {
		assert_int_equal(fyke_terms_number(&terms, &words[i]), i + 1);
		assert_ptr_equal(fyke_terms_at(&terms, (uint16_t)(i + 1)), &words[i]);
	}
	assert_null(fyke_terms_at(&terms, 0));
	fyke_terms_release(&terms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rest_is_small),
		cmocka_unit_test(test_rest_comes_soon),
		cmocka_unit_test(test_rest_of_udp_is_smaller),
		cmocka_unit_test(test_rest_changes_no_session),
		cmocka_unit_test(test_blocks_are_used_again),
		cmocka_unit_test(test_terms_keep_their_numbers),
	};

	return cmocka_run_group_tests(tests, services_setup, services_teardown);
}
