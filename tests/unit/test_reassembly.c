/* Streams put in order: the contract of chunks, gaps and ends, case by case. */
#include "analyzer/tcp/reassembly.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LOG = 4096 };

/* What was told, as text: data as they are, "[n cause]" for a gap, "!" for the end, "{a|b:w}" for a
 * conflict that the first (1) or the later (2) version won, "s" behind it when it was settled. */
struct world {
	struct fyke_stream_memory memory;
	struct fyke_reassembly stream;
	char log[LOG];
	size_t length;
	uint64_t frame;
	int64_t next; /* what the next chunk must begin at, without its gap */
	const uint8_t *last_data;
	bool silent; /* keep no log */
};

static void say(struct world *world, const char *text, size_t length)
{
	if (world->silent)
		return;
	assert_true(world->length + length < LOG);
	memcpy(world->log + world->length, text, length);
	world->length += length;
	world->log[world->length] = '\0';
}

static void on_chunk(void *context, const struct fyke_chunk *chunk)
{
	struct world *world = context;
	char text[64];

	assert_int_equal(chunk->offset - (int64_t)chunk->gap, world->next);
	assert_int_equal(chunk->gap > 0, chunk->cause != FYKE_GAP_NONE);
	assert_true(chunk->length > 0 || chunk->gap > 0 || chunk->end);
	world->next = chunk->offset + (int64_t)chunk->length;
	if (chunk->gap > 0)
		say(world, text,
			(size_t)snprintf(text, sizeof(text), "[%d %s]", (int)chunk->gap,
				fyke_gap_cause_name(chunk->cause)));
	if (chunk->length > 0)
		say(world, (const char *)chunk->data, chunk->length);
	if (chunk->end)
		say(world, "!", 1);
	world->last_data = chunk->data;
}

static void on_conflict(void *context, const struct fyke_conflict *conflict)
{
	struct world *world = context;
	char text[256];

	say(world, text,
		(size_t)snprintf(text, sizeof(text), "{%d:%.*s|%.*s:%d%s}", (int)conflict->offset,
			(int)conflict->sample, (const char *)conflict->before, (int)conflict->sample,
			(const char *)conflict->after, conflict->after_wins ? 2 : 1,
			conflict->settled ? "s" : ""));
}

static const struct fyke_stream_sink sink = {.chunk = on_chunk, .conflict = on_conflict};

static void begin_with(struct world *world, enum fyke_policy policy, uint64_t limit, uint64_t shared)
{
	const struct fyke_reassembly_options options = {
		.policy = policy, .memory = limit, .keeps_recent = true, .sink = &sink, .context = world};

	*world = (struct world){.frame = 1};
	fyke_stream_memory_init(&world->memory, shared);
	fyke_reassembly_init(&world->stream, &world->memory, &options);
	fyke_reassembly_start(&world->stream, 0);
}

static void begin(struct world *world, enum fyke_policy policy)
{
	begin_with(world, policy, 0, 1 << 24);
}

static void feed_cut(struct world *world, int64_t offset, const char *text, uint32_t length)
{
	size_t captured = strlen(text);
	uint8_t *bytes = malloc(captured + 1); /* its own block, so that a borrowed pointer kept is seen */
	struct fyke_piece piece = {.offset = offset,
		.data = bytes,
		.captured = (uint32_t)captured,
		.length = length,
		.frame = world->frame++,
		.time_ns = 0};

	assert_non_null(bytes);
	memcpy(bytes, text, captured);
	fyke_reassembly_feed(&world->stream, &piece);
	free(bytes);
}

static void feed(struct world *world, int64_t offset, const char *text)
{
	feed_cut(world, offset, text, (uint32_t)strlen(text));
}

static void assert_conserved(const struct world *world)
{
	const struct fyke_reassembly_counters *c = &world->stream.counters;

	assert_int_equal(
		c->fed, c->delivered + c->duplicate + c->conflicting + c->late + c->ignored + c->held);
}

static void end_with(struct world *world, const char *expected)
{
	assert_conserved(world);
	fyke_reassembly_finish(&world->stream, world->frame, 0);
	assert_string_equal(world->log, expected);
	assert_conserved(world);
	assert_int_equal(world->stream.counters.held, 0);
	fyke_reassembly_release(&world->stream);
	assert_int_equal(world->memory.used, 0);
	assert_int_equal(world->memory.pages.live, 0);
	fyke_stream_memory_release(&world->memory);
}

static void test_in_order_passes_uncopied(void **state)
{
	struct world world;
	static const uint8_t bytes[] = "hello";
	const struct fyke_piece piece = {.data = bytes, .captured = 5, .length = 5, .frame = 1};

	(void)state;
	begin(&world, FYKE_POLICY_LINUX);
	fyke_reassembly_feed(&world.stream, &piece);
	assert_ptr_equal(world.last_data, bytes);
	feed(&world, 5, " world");
	assert_null(world.stream.waiting.list);
	assert_int_equal(world.stream.pages.count, 0);
	end_with(&world, "hello world!");
}

static void test_waits_and_delivers_in_order(void **state)
{
	struct world world;

	(void)state;
	begin(&world, FYKE_POLICY_LINUX);
	feed(&world, 6, "ghi");
	feed(&world, 3, "def");
	assert_string_equal(world.log, "");
	assert_int_equal(world.stream.counters.held, 6);
	feed(&world, 0, "abc");
	assert_string_equal(world.log, "abcdefghi");
	assert_int_equal(world.memory.used, FYKE_PAGE_BYTES); /* the ring of recent bytes */
	end_with(&world, "abcdefghi!");
}

static void test_identical_again_is_nothing(void **state)
{
	struct world world;

	(void)state;
	begin(&world, FYKE_POLICY_LINUX);
	feed(&world, 0, "abcdef");
	feed(&world, 2, "cdef");
	feed(&world, 4, "efgh");
	feed(&world, 10, "klm");
	feed(&world, 10, "klm");
	assert_int_equal(world.stream.counters.duplicate, 9);
	assert_int_equal(world.stream.counters.conflicts, 0);
	end_with(&world, "abcdefgh[2 never_acknowledged]klm!");
}

static void test_settled_bytes_stay(void **state)
{
	struct world world;

	(void)state;
	begin(&world, FYKE_POLICY_LAST);
	feed(&world, 0, "abcdef");
	feed(&world, 1, "bXdYfgh");
	assert_int_equal(world.stream.counters.conflicting, 2);
	end_with(&world, "abcdef{2:cde|XdY:1s}gh!");
}

static void test_gap_causes(void **state)
{
	struct world world;

	(void)state;
	begin(&world, FYKE_POLICY_LINUX);
	feed(&world, 3, "def");
	fyke_reassembly_acknowledge(&world.stream, 2, 9, 0);
	assert_string_equal(world.log, "");
	fyke_reassembly_acknowledge(&world.stream, 6, 9, 0);
	assert_string_equal(world.log, "[3 acknowledged]def");
	feed_cut(&world, 6, "g", 4);
	feed(&world, 10, "k");
	feed(&world, 0, "abc"); /* too late */
	feed(&world, 7, "hij"); /* likewise */
	assert_int_equal(world.stream.counters.late, 6);
	feed(&world, 20, "u");
	fyke_reassembly_acknowledge(&world.stream, 15, 9, 0);
	fyke_reassembly_end(&world.stream, 25, 9, 0);
	assert_int_equal(world.stream.counters.gap_bytes[FYKE_GAP_CUT], 3);
	end_with(&world,
		"[3 acknowledged]defg[3 cut]k[4 acknowledged][5 never_acknowledged]u[4 never_acknowledged]!");
}

static void test_acknowledged_before_it_was_missed(void **state)
{
	struct world world;

	(void)state;
	begin(&world, FYKE_POLICY_LINUX);
	fyke_reassembly_acknowledge(&world.stream, 6, 1, 0);
	feed(&world, 4, "efgh");
	assert_string_equal(world.log, "[4 acknowledged]efgh");
	fyke_reassembly_acknowledge(&world.stream, 9, 1, 0); /* may be a FIN's number */
	end_with(&world, "[4 acknowledged]efgh!");
}

static void test_cut_bytes_are_filled_while_they_wait(void **state)
{
	struct world world;

	(void)state;
	begin(&world, FYKE_POLICY_FIRST);
	feed_cut(&world, 2, "c", 5);
	feed(&world, 4, "ef");
	feed(&world, 0, "ab");
	end_with(&world, "abc[1 cut]ef[1 cut]!");
}

static void test_end_is_told_once(void **state)
{
	struct world world;

	(void)state;
	begin(&world, FYKE_POLICY_LINUX);
	feed(&world, 3, "de");
	fyke_reassembly_end(&world.stream, 4, 1, 0); /* denies a byte that is here */
	fyke_reassembly_end(&world.stream, 5, 1, 0);
	feed(&world, 4, "eXX");
	feed(&world, 0, "abc");
	assert_string_equal(world.log, "abcde!");
	feed(&world, 5, "more");
	fyke_reassembly_end(&world.stream, 9, 1, 0);
	assert_int_equal(world.stream.counters.ignored, 6);
	end_with(&world, "abcde!");
}

static void test_far_and_early_bytes_are_ignored(void **state)
{
	struct world world;

	(void)state;
	begin(&world, FYKE_POLICY_LINUX);
	fyke_reassembly_window(&world.stream, 100);
	feed(&world, 101, "far");
	feed(&world, -2, "xxab");
	feed(&world, INT64_MAX - 10, "x");
	feed(&world, INT64_MIN, "x");
	fyke_reassembly_acknowledge(&world.stream, 1000, 1, 0); /* of what was never sent */
	feed(&world, 50, "near");
	assert_int_equal(world.stream.counters.ignored, 7);
	end_with(&world, "ab[48 never_acknowledged]near!");
}

static void test_offsets_beyond_4_gib(void **state)
{
	struct world world;
	int64_t base = ((int64_t)5 << 32) - 3;

	(void)state;
	begin(&world, FYKE_POLICY_LINUX);
	fyke_reassembly_start(&world.stream, base);
	world.next = base;
	feed(&world, base + 3, "def");
	feed(&world, base, "abc");
	end_with(&world, "abcdef!");
}

static void test_budget_of_a_stream(void **state)
{
	struct world world;
	char text[1001];

	(void)state;
	begin_with(&world, FYKE_POLICY_LINUX, 64 * 1024, 1 << 24);
	world.silent = true;
	memset(text, 'x', 1000);
	text[1000] = '\0';
	for (int i = 0; i < 3000; i++) {
		feed(&world, 1 + i * 1001, text);
		assert_true(world.memory.used <= 64 * 1024 + FYKE_RECENT_BYTES);
		assert_conserved(&world);
	}
	assert_true(world.stream.counters.gap_bytes[FYKE_GAP_BUDGET] > 2900);
	fyke_reassembly_finish(&world.stream, 1, 0);
	assert_int_equal(world.stream.counters.delivered, 3000000);
	fyke_reassembly_release(&world.stream);
	fyke_stream_memory_release(&world.memory);
}

/* The shared budget: the stream that has waited longest gives up first. */
static void test_budget_of_all(void **state)
{
	struct world worlds[3];
	char text[1501];

	(void)state;
	memset(text, 'y', 1500);
	text[1500] = '\0';
	for (int i = 0; i < 3; i++) {
		begin(&worlds[i], FYKE_POLICY_LINUX);
		fyke_stream_memory_release(&worlds[i].memory);
		worlds[i].stream.memory = &worlds[0].memory;
		free(worlds[i].stream.recent);
		worlds[i].stream.recent = NULL;
	}
	fyke_stream_memory_init(&worlds[0].memory, 9000);
	feed(&worlds[0], 10, text);
	feed(&worlds[1], 10, text);
	feed(&worlds[2], 10, text);
	assert_int_equal(worlds[0].length + worlds[1].length + worlds[2].length, 0);
	feed(&worlds[2], 5000, text);
	assert_int_equal(worlds[0].stream.counters.gap_bytes[FYKE_GAP_BUDGET], 10);
	assert_int_equal(worlds[1].stream.counters.gap_bytes[FYKE_GAP_BUDGET], 0);
	assert_true(worlds[0].memory.used <= 9000);
	for (int i = 0; i < 3; i++)
		fyke_reassembly_release(&worlds[i].stream);
	assert_int_equal(worlds[0].memory.used, 0);
	fyke_stream_memory_release(&worlds[0].memory);
}

static void count_only(void *context, const struct fyke_chunk *chunk)
{
	*(uint64_t *)context += chunk->gap + chunk->length;
}

/* 1 MB behind a hole in each of a thousand streams, and room for a hundredth of it. */
static void test_many_streams_wait(void **state)
{
	enum { STREAMS = 1000, SEGMENT = 1448, SEGMENTS = 724, LIMIT = 10 << 20 };
	static const struct fyke_stream_sink counting = {.chunk = count_only};
	static uint8_t bytes[SEGMENT];
	struct fyke_reassembly *streams = calloc(STREAMS, sizeof(*streams));
	struct fyke_stream_memory memory;
	uint64_t told[STREAMS] = {0};
	int waiting = 0;

	(void)state;
	assert_non_null(streams);
	fyke_stream_memory_init(&memory, LIMIT);
	for (int i = 0; i < STREAMS; i++) {
		const struct fyke_reassembly_options options = {.sink = &counting, .context = &told[i]};

		fyke_reassembly_init(&streams[i], &memory, &options);
		fyke_reassembly_start(&streams[i], 0);
	}
	for (int j = 0; j < SEGMENTS; j++) {
		for (int i = 0; i < STREAMS; i++) {
			const struct fyke_piece piece = {.offset = 1000 + j * SEGMENT,
				.data = bytes,
				.captured = SEGMENT,
				.length = SEGMENT};

			fyke_reassembly_feed(&streams[i], &piece);
		}
	}
	assert_true(memory.most <= LIMIT);
	assert_true(
		(uint64_t)memory.pages.slab_count * FYKE_POOL_SLAB * FYKE_PAGE_BYTES <= LIMIT + (4 << 20));
	for (int i = 0; i < STREAMS; i++) {
		if (streams[i].counters.held == 0)
			assert_int_equal(streams[i].counters.gap_bytes[FYKE_GAP_BUDGET], 1000);
		else
			assert_int_equal(streams[i].counters.held, SEGMENTS * SEGMENT);
		waiting += streams[i].counters.held > 0;
		fyke_reassembly_finish(&streams[i], 0, 0);
		assert_int_equal(told[i], 1000 + SEGMENTS * SEGMENT);
		fyke_reassembly_release(&streams[i]);
	}
	assert_in_range(waiting, 1, LIMIT / (SEGMENTS * SEGMENT));
	assert_int_equal(memory.used, 0);
	fyke_stream_memory_release(&memory);
	free(streams);
}

static void test_no_budget_at_all(void **state)
{
	struct world world;

	(void)state;
	begin_with(&world, FYKE_POLICY_LINUX, 0, 0);
	feed(&world, 2, "cd");
	feed(&world, 0, "ab");
	end_with(&world, "[2 budget]cd!");
}

/* The table of policy.h, pair by pair: old bytes are O, new ones N, both behind a hole. */
static void test_policy_table(void **state)
{
	static const struct {
		int os, oe, ns, ne;
		const char *winner; /* of first, last, bsd, windows, linux, solaris */
	} rows[] = {
		{2, 8, 2, 5, "ONOOOO"},
		{2, 8, 2, 8, "ONOOON"},
		{2, 5, 2, 8, "ONOONN"},
		{4, 8, 2, 6, "ONNNNO"},
		{4, 8, 2, 8, "ONNNNN"},
		{4, 6, 2, 8, "ONNNNN"},
		{2, 8, 4, 6, "ONOOOO"},
		{2, 8, 4, 8, "ONOOOO"},
		{2, 6, 4, 8, "ONOOON"},
	};
	static const enum fyke_policy policies[] = {FYKE_POLICY_FIRST, FYKE_POLICY_LAST, FYKE_POLICY_BSD,
		FYKE_POLICY_WINDOWS, FYKE_POLICY_LINUX, FYKE_POLICY_SOLARIS};

	(void)state;
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		for (size_t p = 0; p < 6; p++) {
			char expected[] = "--------", old[9] = "OOOOOOOO", new[9] = "NNNNNNNN";
			struct world world;

			begin(&world, policies[p]);
			old[rows[r].oe - rows[r].os] = '\0';
			new[rows[r].ne - rows[r].ns] = '\0';
			feed(&world, rows[r].os, old);
			feed(&world, rows[r].ns, new);
			world.stream.options.sink = &(struct fyke_stream_sink){.chunk = on_chunk};
			world.length = 0;
			feed(&world, 0, "--");
			for (int i = 2; i < 8; i++) {
				bool in_old = i >= rows[r].os && i < rows[r].oe;
				bool in_new = i >= rows[r].ns && i < rows[r].ne;

				expected[i] = in_old && in_new ? rows[r].winner[p]
					      : in_old	       ? 'O'
					      : in_new	       ? 'N'
							       : '\0';
			}
			assert_string_equal(world.log, expected);
			fyke_reassembly_release(&world.stream);
			fyke_stream_memory_release(&world.memory);
		}
	}
}

static void test_conflicts_are_told_with_both_versions(void **state)
{
	struct world world;

	(void)state;
	begin(&world, FYKE_POLICY_BSD);
	feed(&world, 4, "efgh");
	feed(&world, 2, "cdXfY");
	feed(&world, 0, "ab");
	end_with(&world, "{4:efg|XfY:2}abcdXfYh!");
}

static void test_policy_names(void **state)
{
	enum fyke_policy policy;

	(void)state;
	for (int i = 0; i < FYKE_POLICY_COUNT; i++) {
		assert_true(fyke_policy_parse(fyke_policy_name((enum fyke_policy)i), &policy));
		assert_int_equal(policy, i);
	}
	assert_false(fyke_policy_parse("Linux", &policy));
	assert_false(fyke_policy_parse("", &policy));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order_passes_uncopied),
		cmocka_unit_test(test_waits_and_delivers_in_order),
		cmocka_unit_test(test_identical_again_is_nothing),
		cmocka_unit_test(test_settled_bytes_stay),
		cmocka_unit_test(test_gap_causes),
		cmocka_unit_test(test_acknowledged_before_it_was_missed),
		cmocka_unit_test(test_cut_bytes_are_filled_while_they_wait),
		cmocka_unit_test(test_end_is_told_once),
		cmocka_unit_test(test_far_and_early_bytes_are_ignored),
		cmocka_unit_test(test_offsets_beyond_4_gib),
		cmocka_unit_test(test_budget_of_a_stream),
		cmocka_unit_test(test_budget_of_all),
		cmocka_unit_test(test_many_streams_wait),
		cmocka_unit_test(test_no_budget_at_all),
		cmocka_unit_test(test_policy_table),
		cmocka_unit_test(test_conflicts_are_told_with_both_versions),
		cmocka_unit_test(test_policy_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
