/* Reassembly: order, duplicates, overlaps by policy, limits, time; and random fragmentations against an
 * array of bytes. */
#include "analyzer/defrag/defrag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SECOND = 1000000000 };

static struct fyke_datagram datagram;

static struct fyke_defrag *new_defrag(struct fyke_defrag_options options)
{
	struct fyke_defrag *defrag = NULL;

	assert_int_equal(fyke_defrag_new(&options, &defrag), FYKE_OK);
	return defrag;
}

/* Ends a test: what was taken is accounted for, and nothing is held. */
static struct fyke_defrag_counters finish(struct fyke_defrag *defrag)
{
	struct fyke_defrag_counters counters;

	fyke_defrag_drain(defrag);
	counters = fyke_defrag_counters(defrag);
	assert_int_equal(counters.fragments, counters.frames_whole + counters.frames_incomplete);
	assert_int_equal(counters.frames_held, 0);
	assert_int_equal(counters.memory, 0);
	fyke_defrag_free(defrag);
	return counters;
}

static struct fyke_fragment fragment_of(const char *bytes, uint32_t offset, bool more)
{
	struct fyke_fragment fragment = {.id = 1, .offset = offset, .more = more, .next_header = 17};

	fragment.packet.source.family = fragment.packet.destination.family = FYKE_ADDRESS_IPV4;
	fragment.length = fragment.captured = (uint32_t)strlen(bytes);
	fragment.packet.ip_bytes = fragment.length + 20;
	fragment.data = (const uint8_t *)bytes;
	return fragment;
}

/* From memory that is gone afterwards: the defragmenter must have its own copy. */
static bool add(struct fyke_defrag *defrag, const struct fyke_fragment *fragment)
{
	struct fyke_fragment passing = *fragment;
	uint8_t *copy = malloc(fragment->captured + 1u);
	bool whole;

	assert_non_null(copy);
	memcpy(copy, fragment->data, fragment->captured);
	passing.data = copy;
	whole = fyke_defrag_add(defrag, &passing, &datagram);
	free(copy);
	return whole;
}

static bool add_text(struct fyke_defrag *defrag, const char *bytes, uint32_t offset, bool more)
{
	struct fyke_fragment fragment = fragment_of(bytes, offset, more);

	return add(defrag, &fragment);
}

static bool add_text6(struct fyke_defrag *defrag, const char *bytes, uint32_t offset, bool more)
{
	struct fyke_fragment fragment = fragment_of(bytes, offset, more);

	fragment.packet.source.family = fragment.packet.destination.family = FYKE_ADDRESS_IPV6;
	return add(defrag, &fragment);
}

static void assert_datagram(const char *bytes)
{
	assert_int_equal(datagram.length, strlen(bytes));
	assert_int_equal(datagram.captured, datagram.length);
	assert_memory_equal(datagram.data, bytes, datagram.length);
}

static void test_defrag_any_order(void **state)
{
	static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	static const char *const parts[3] = {"aaaaaaaa", "bbbbbbbb", "cc"};
	struct fyke_defrag *defrag = new_defrag((struct fyke_defrag_options){0});

	(void)state;
	for (int i = 0; i < 6; i++) {
		for (int j = 0; j < 3; j++) {
			int k = orders[i][j];

			assert_int_equal(add_text(defrag, parts[k], (uint32_t)k * 8, k < 2), j == 2);
		}
		assert_datagram("aaaaaaaabbbbbbbbcc");
		assert_int_equal(datagram.network.ip_bytes, 18 + 20);
		assert_true(datagram.network.is_fragmented);
		fyke_defrag_recycle(defrag);
	}
	assert_int_equal(finish(defrag).datagrams, 6);
}

static void test_defrag_network_is_the_first_fragments(void **state)
{
	struct fyke_defrag *defrag = new_defrag((struct fyke_defrag_options){0});
	struct fyke_fragment first = fragment_of("aaaaaaaa", 0, true), last = fragment_of("b", 8, false);
	uint8_t mac[6] = {2, 0, 0, 0, 0, 9};

	(void)state;
	first.packet.ttl = 7;
	first.packet.frame = 2;
	first.packet.source_mac = mac;
	last.packet.ttl = 8;
	last.packet.frame = 1;
	assert_false(add(defrag, &last));
	assert_true(add(defrag, &first));
	memset(mac, 0, sizeof(mac));
	assert_int_equal(datagram.network.ttl, 7);
	assert_int_equal(datagram.network.frame, 2);
	assert_memory_equal(datagram.network.source_mac, "\2\0\0\0\0\x09", 6);
	assert_null(datagram.network.destination_mac);
	(void)finish(defrag);
}

static void test_defrag_keys_keep_apart(void **state)
{
	struct fyke_defrag *defrag = new_defrag((struct fyke_defrag_options){0});
	struct fyke_fragment other = fragment_of("b", 8, false);

	(void)state;
	assert_false(add_text(defrag, "aaaaaaaa", 0, true));
	other.id = 2;
	assert_false(add(defrag, &other));
	other = fragment_of("b", 8, false);
	other.next_header = 6;
	assert_false(add(defrag, &other));
	other = fragment_of("b", 8, false);
	other.packet.source.bytes[0] = 1;
	assert_false(add(defrag, &other));
	other = fragment_of("b", 8, false);
	other.packet.tunnel = FYKE_TUNNEL_VXLAN;
	other.packet.tunnel_id_known = true;
	assert_false(add(defrag, &other));
	other.packet.tunnel_id = 5;
	assert_false(add(defrag, &other));
	assert_false(add_text6(defrag, "b", 8, false));
	assert_true(add_text(defrag, "b", 8, false));
	assert_int_equal(finish(defrag).frames_incomplete, 6);
}

static void test_defrag_duplicates_are_harmless(void **state)
{
	struct fyke_defrag *defrag = new_defrag((struct fyke_defrag_options){0});
	struct fyke_defrag_counters counters;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_false(add_text(defrag, "aaaaaaaabbbbbbbb", 0, true));
		assert_false(add_text6(defrag, "aaaaaaaabbbbbbbb", 0, true));
		assert_false(add_text6(defrag, "bbbbbbbb", 8, true));
	}
	assert_true(add_text(defrag, "c", 16, false));
	assert_datagram("aaaaaaaabbbbbbbbc");
	assert_true(add_text6(defrag, "c", 16, false));
	assert_datagram("aaaaaaaabbbbbbbbc");
	counters = finish(defrag);
	assert_int_equal(counters.overlaps, 7);
	assert_int_equal(counters.conflicts, 0);
	assert_int_equal(counters.frames_incomplete, 0);
}

static void test_defrag_ipv6_overlap_voids(void **state)
{
	struct fyke_defrag *defrag = new_defrag((struct fyke_defrag_options){0});
	struct fyke_defrag_counters counters;
	struct fyke_fragment late = fragment_of("bbbbbbbb", 8, false);

	(void)state;
	late.packet.source.family = late.packet.destination.family = FYKE_ADDRESS_IPV6;
	assert_false(add_text6(defrag, "aaaaaaaaaaaaaaaa", 0, true));
	/* The same bytes, but more of them. */
	assert_false(add_text6(defrag, "aaaaaaaaaaaaaaaa", 8, true));
	assert_false(add_text6(defrag, "aaaaaaaa", 0, true));
	assert_false(add(defrag, &late));
	counters = fyke_defrag_counters(defrag);
	assert_int_equal(counters.frames_incomplete, 4);
	assert_int_equal(counters.frames_held, 0);
	/* After its time the identification is free again. */
	late.packet.time_ns = 61ll * SECOND;
	assert_false(add(defrag, &late));
	late = fragment_of("aaaaaaaa", 0, true);
	late.packet.source.family = late.packet.destination.family = FYKE_ADDRESS_IPV6;
	late.packet.time_ns = 61ll * SECOND;
	assert_true(add(defrag, &late));
	assert_datagram("aaaaaaaabbbbbbbb");
	(void)finish(defrag);
}

/* Stored: o at [16, 32). New: n at each place of the table in turn; the rest is filled up afterwards. */
static void overlap_case(enum fyke_defrag_policy policy, uint32_t start, uint32_t end, char winner)
{
	struct fyke_defrag *defrag = new_defrag((struct fyke_defrag_options){.policy = policy});
	char news[64] = {0};
	uint32_t from = start > 16 ? start : 16, to = end < 32 ? end : 32;

	memset(news, 'n', end - start);
	assert_false(add_text(defrag, "oooooooooooooooo", 16, true));
	assert_false(add_text(defrag, news, start, true));
	if (start > 0)
		assert_false(add_text(defrag, "xxxxxxxxxxxxxxxx", 0, true));
	assert_true(add_text(defrag, "yyyyyyyyyyyyyyyyy", end > 32 ? end : 32, false));
	for (uint32_t i = from; i < to; i++) {
		if (datagram.data[i] != winner)
			fail_msg("policy %d, new [%u, %u): byte %u is %c", (int)policy, start, end, i,
				datagram.data[i]);
	}
	assert_true(finish(defrag).conflicts >= 1);
}

static void test_defrag_ipv4_policies(void **state)
{
	static const struct {
		uint32_t start, end;
		const char *winners; /* linux, first, last, bsd, windows, solaris */
	} table[] = {
		{16, 24, "oonooo"},
		{16, 32, "oonoon"},
		{16, 40, "nonoon"},
		{8, 24, "nonnno"},
		{8, 32, "nonnnn"},
		{8, 40, "nonnnn"},
		{24, 32, "oonooo"},
		{24, 40, "oonoon"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		for (int policy = 0; policy < 6; policy++)
			overlap_case((enum fyke_defrag_policy)policy, table[i].start, table[i].end,
				table[i].winners[policy]);
	}
}

static void test_defrag_length_conflicts(void **state)
{
	struct fyke_defrag *defrag = new_defrag((struct fyke_defrag_options){0});
	struct fyke_defrag_counters counters;

	(void)state;
	assert_false(add_text(defrag, "c", 16, false));
	/* Another end, and bytes behind the end: dropped alone. */
	assert_false(add_text(defrag, "cc", 16, false));
	assert_false(add_text(defrag, "dddddddd", 16, true));
	assert_false(add_text(defrag, "aaaaaaaa", 0, true));
	assert_true(add_text(defrag, "bbbbbbbb", 8, true));
	assert_datagram("aaaaaaaabbbbbbbbc");
	counters = finish(defrag);
	assert_int_equal(counters.conflicts, 2);
	assert_int_equal(counters.frames_incomplete, 2);
	assert_int_equal(counters.frames_whole, 3);
}

static void test_defrag_cut_fragments(void **state)
{
	struct fyke_defrag *defrag = new_defrag((struct fyke_defrag_options){0});
	struct fyke_fragment cut = fragment_of("aaaaaaaabbbbbbbb", 0, true);

	(void)state;
	cut.captured = 10;
	assert_false(add(defrag, &cut));
	assert_true(add_text(defrag, "cccc", 16, false));
	assert_int_equal(datagram.length, 20);
	assert_int_equal(datagram.captured, 10);
	assert_memory_equal(datagram.data, "aaaaaaaabb", 10);
	/* A duplicate brings what was cut. */
	assert_false(add(defrag, &cut));
	assert_false(add_text(defrag, "aaaaaaaabbbbbbbb", 0, true));
	assert_true(add_text(defrag, "cccc", 16, false));
	assert_datagram("aaaaaaaabbbbbbbbcccc");
	assert_int_equal(finish(defrag).conflicts, 0);
}

static void test_defrag_time(void **state)
{
	struct fyke_defrag *defrag = new_defrag((struct fyke_defrag_options){.timeout_ns = 10ll * SECOND});
	struct fyke_fragment fragment = fragment_of("aaaaaaaa", 0, true);

	(void)state;
	fragment.packet.time_ns = 100ll * SECOND;
	assert_false(add(defrag, &fragment));
	fyke_defrag_expire(defrag, 110ll * SECOND);
	assert_int_equal(fyke_defrag_counters(defrag).timed_out, 0);
	/* Too late for the first even where nobody has called expire. */
	fragment = fragment_of("b", 8, false);
	fragment.packet.time_ns = 111ll * SECOND;
	assert_false(add(defrag, &fragment));
	assert_int_equal(fyke_defrag_counters(defrag).timed_out, 1);
	/* Time that goes back is no reason. */
	fyke_defrag_expire(defrag, 5ll * SECOND);
	assert_int_equal(fyke_defrag_counters(defrag).frames_held, 1);
	fyke_defrag_expire(defrag, 122ll * SECOND);
	assert_int_equal(fyke_defrag_counters(defrag).timed_out, 2);
	assert_int_equal(finish(defrag).frames_incomplete, 2);
}

static void test_defrag_budgets(void **state)
{
	struct fyke_defrag *defrag =
		new_defrag((struct fyke_defrag_options){.memory = 64 << 10, .datagrams = 20});
	struct fyke_defrag_counters counters;

	(void)state;
	for (uint32_t id = 0; id < 5000; id++) {
		struct fyke_fragment fragment = fragment_of("aaaaaaaa", id % 7 * 8, true);

		fragment.id = id;
		assert_false(add(defrag, &fragment));
		assert_true(fyke_defrag_counters(defrag).frames_held <= 20);
	}
	/* The youngest are still there. */
	for (uint32_t id = 4999; id > 4990; id--) {
		struct fyke_fragment fragment =
			fragment_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0, true);

		fragment.id = id;
		assert_false(add(defrag, &fragment));
	}
	assert_int_equal(fyke_defrag_counters(defrag).evicted, 4980);
	counters = finish(defrag);
	assert_int_equal(counters.datagrams, 0);
}

static void test_defrag_memory_is_bounded(void **state)
{
	enum { BUDGET = 100000, LENGTH = 1400 };
	struct fyke_defrag *defrag = new_defrag((struct fyke_defrag_options){.memory = BUDGET});
	static uint8_t bytes[LENGTH];

	(void)state;
	for (uint32_t i = 0; i < 20000; i++) {
		struct fyke_fragment fragment = fragment_of("", (i % 40) * LENGTH, true);

		fragment.id = i / 40;
		fragment.data = bytes;
		fragment.length = fragment.captured = LENGTH;
		(void)add(defrag, &fragment);
		assert_true(fyke_defrag_counters(defrag).memory <= BUDGET + 4096);
	}
	assert_true(fyke_defrag_counters(defrag).evicted > 400);
	(void)finish(defrag);
}

/* One datagram in random pieces, some twice, in random order; the array is the oracle. */
static void random_round(struct fyke_defrag *defrag, unsigned *seed, uint32_t id)
{
	enum { PIECES = 64 };
	uint32_t length = 1 + (uint32_t)rand_r(seed) % 60000, count = 0, starts[PIECES + 1],
		 order[2 * PIECES];
	uint8_t *oracle = malloc(length);
	uint32_t at = 0, sent = 0;
	bool whole = false;

	assert_non_null(oracle);
	for (uint32_t i = 0; i < length; i++)
		oracle[i] = (uint8_t)rand_r(seed);
	while (at < length && count < PIECES) {
		starts[count++] = at;
		at += count == PIECES ? length : 8 * (1 + (uint32_t)rand_r(seed) % (1 + length / 200));
	}
	starts[count] = length;
	for (uint32_t i = 0; i < count; i++) {
		order[sent++] = i;
		if (rand_r(seed) % 4 == 0)
			order[sent++] = i;
	}
	for (uint32_t i = sent - 1; i > 0; i--) {
		uint32_t j = (uint32_t)rand_r(seed) % (i + 1), kept = order[i];

		order[i] = order[j];
		order[j] = kept;
	}
	for (uint32_t i = 0; i < sent && !whole; i++) {
		struct fyke_fragment fragment = fragment_of("", starts[order[i]], order[i] + 1 < count);

		if (id % 2 == 0)
			fragment.packet.source.family = fragment.packet.destination.family =
				FYKE_ADDRESS_IPV6;
		fragment.id = id;
		fragment.data = oracle + starts[order[i]];
		fragment.length = fragment.captured = starts[order[i] + 1] - starts[order[i]];
		whole = add(defrag, &fragment);
	}
	assert_true(whole);
	assert_int_equal(datagram.length, length);
	assert_int_equal(datagram.captured, length);
	assert_memory_equal(datagram.data, oracle, length);
	fyke_defrag_recycle(defrag);
	free(oracle);
}

static void test_defrag_random_fragmentations(void **state)
{
	struct fyke_defrag *defrag = new_defrag((struct fyke_defrag_options){0});
	const char *given = getenv("FYKE_SEED");
	unsigned seed = given == NULL ? 20261 : (unsigned)strtoul(given, NULL, 10);

	(void)state;
	print_message("seed %u\n", seed);
	for (uint32_t id = 0; id < 300; id++)
		random_round(defrag, &seed, id);
	assert_int_equal(finish(defrag).datagrams, 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defrag_any_order),
		cmocka_unit_test(test_defrag_network_is_the_first_fragments),
		cmocka_unit_test(test_defrag_keys_keep_apart),
		cmocka_unit_test(test_defrag_duplicates_are_harmless),
		cmocka_unit_test(test_defrag_ipv6_overlap_voids),
		cmocka_unit_test(test_defrag_ipv4_policies),
		cmocka_unit_test(test_defrag_length_conflicts),
		cmocka_unit_test(test_defrag_cut_fragments),
		cmocka_unit_test(test_defrag_time),
		cmocka_unit_test(test_defrag_budgets),
		cmocka_unit_test(test_defrag_memory_is_bounded),
		cmocka_unit_test(test_defrag_random_fragmentations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
