/* What SACK blocks mark in a queue of segments: only the new part of a block is looked through, and the same
 * is marked as by looking through all of it. */
#include "analyzer/tcp/sent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SEGMENT = 100, SEGMENTS = 60, ROUNDS = 300, GROWTHS = 40 };

struct queues {
	struct fyke_blocks blocks;
	struct fyke_tcp_sent_queue whole, part; /* blocks are looked through as a whole; in their new part */
	int64_t whole_ns, part_ns;
};

static uint64_t random_state = 1;

static int64_t random_below(int64_t limit)
{
	random_state = random_state * 6364136223846793005 + 1442695040888963407;
	return (int64_t)(random_state >> 33) % limit;
}

static void add(struct queues *q, int64_t start, uint32_t length)
{
	const struct fyke_tcp_sent sent = {
		.start = start, .length = length, .time_ns = 1 + random_below(1000)};

	assert_true(fyke_tcp_sent_add(&q->blocks, &q->whole, &sent, false));
	assert_true(fyke_tcp_sent_add(&q->blocks, &q->part, &sent, false));
}

static void assert_same(const struct queues *q)
{
	assert_int_equal(q->whole.count, q->part.count);
	for (uint32_t i = 0; i < q->whole.count; i++)
		assert_int_equal(
			q->whole.list[q->whole.head + i].sacked, q->part.list[q->part.head + i].sacked);
	assert_true(q->whole_ns == q->part_ns);
}

/* One block that grows, while segments come behind it and, now and then, between others. */
static void grow_block(struct queues *q)
{
	int64_t left = random_below(SEGMENTS / 2) * SEGMENT, known = left, right = left;

	for (int i = 0; i < GROWTHS; i++) {
		if (random_below(8) == 0)
			add(q, random_below(SEGMENTS) * SEGMENT + random_below(2) * (SEGMENT / 2),
				(uint32_t)(1 + random_below(2 * SEGMENT)));
		if (q->part.put_between)
			known = left;
		q->part.put_between = false;
		right += random_below(2 * SEGMENT);
		fyke_tcp_sent_sack(&q->whole, left, left, right, &q->whole_ns);
		fyke_tcp_sent_sack(&q->part, left, known, right, &q->part_ns);
		known = right;
		assert_same(q);
	}
}

static void test_growing_blocks_mark_the_same(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct queues q = {0};
		int64_t end = 0;

		while (end < (int64_t)SEGMENTS * SEGMENT) {
			uint32_t length = (uint32_t)(1 + random_below(SEGMENT));

			add(&q, end, length);
			end += length + random_below(2) * random_below(SEGMENT);
		}
		for (int i = 0; i < 3; i++)
			grow_block(&q);
		fyke_tcp_sent_release(&q.blocks, &q.whole);
		fyke_tcp_sent_release(&q.blocks, &q.part);
		fyke_blocks_release(&q.blocks);
	}
}

static void test_known_part_is_passed_over(void **state)
{
	struct queues q = {0};
	int64_t latest_ns = 0;

	(void)state;
	for (int i = 0; i < 10; i++)
		add(&q, (int64_t)i * SEGMENT, SEGMENT);
	fyke_tcp_sent_sack(&q.part, 0, 5L * SEGMENT, 10L * SEGMENT, &latest_ns);
	assert_false(q.part.list[4].sacked);
	assert_true(q.part.list[5].sacked);
	fyke_tcp_sent_release(&q.blocks, &q.whole);
	fyke_tcp_sent_release(&q.blocks, &q.part);
	fyke_blocks_release(&q.blocks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_growing_blocks_mark_the_same),
		cmocka_unit_test(test_known_part_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
