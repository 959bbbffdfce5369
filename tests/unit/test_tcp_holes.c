/* The set of missing intervals against a bitmap that is obviously right. */
#include "analyzer/tcp/holes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SPACE = 600, ROUNDS = 4000, STEPS = 40 };

static uint32_t random_below(uint64_t *state, uint32_t limit)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33) % limit;
}

/* The model: which bytes are missing, one flag each. */
static int64_t model_fill(bool *missing, int64_t start, int64_t end)
{
	int64_t filled = 0;

	for (int64_t i = start; i < end; i++) {
		filled += missing[i];
		missing[i] = false;
	}
	return filled;
}

static bool model_is_seen(const bool *missing, int64_t start, int64_t end)
{
	for (int64_t i = start; i < end; i++) {
		if (missing[i])
			return false;
	}
	return true;
}

static void check(const struct fyke_tcp_holes *holes, const bool *missing)
{
	int64_t bytes = 0;

	for (int i = 0; i < SPACE; i++)
		bytes += missing[i];
	assert_int_equal(fyke_tcp_holes_bytes(holes), bytes);
	for (uint32_t i = 0; holes != NULL && i < holes->count; i++) {
		assert_true(holes->list[i].start < holes->list[i].end);
		if (i > 0)
			assert_true(holes->list[i - 1].end <= holes->list[i].start);
	}
}

static void test_holes_equal_bitmap(void **state)
{
	uint64_t seed = 20240607;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct fyke_tcp_holes *holes = NULL;
		bool missing[SPACE] = {false};

		for (int step = 0; step < STEPS; step++) {
			int64_t start = random_below(&seed, SPACE - 1);
			int64_t end = start + 1 + random_below(&seed, (uint32_t)(SPACE - start));

			end = end > SPACE ? SPACE : end;
			if (random_below(&seed, 3) == 0 && model_is_seen(missing, start, end)) {
				assert_true(fyke_tcp_holes_add(&holes, start, end));
				memset(missing + start, true, (size_t)(end - start));
			} else {
				assert_int_equal(fyke_tcp_holes_fill(&holes, start, end),
					model_fill(missing, start, end));
			}
			check(holes, missing);
		}
		free(holes);
	}
}

static void test_holes_acknowledged_once(void **state)
{
	struct fyke_tcp_holes *holes = NULL;

	(void)state;
	assert_true(fyke_tcp_holes_add(&holes, 10, 20));
	assert_true(fyke_tcp_holes_add(&holes, 30, 40));
	assert_int_equal(fyke_tcp_holes_acknowledge(holes, 10), 0);
	assert_int_equal(fyke_tcp_holes_acknowledge(holes, 15), 1);
	assert_int_equal(fyke_tcp_holes_acknowledge(holes, 45), 1);
	assert_int_equal(fyke_tcp_holes_acknowledge(holes, 45), 0);
	free(holes);
}

static void test_holes_are_bounded(void **state)
{
	struct fyke_tcp_holes *holes = NULL;

	(void)state;
	for (int64_t i = 0; i < 3 * FYKE_TCP_HOLES_MAX; i++)
		assert_true(fyke_tcp_holes_add(&holes, 10 * i, 10 * i + 5));
	assert_int_equal(holes->count, FYKE_TCP_HOLES_MAX);
	assert_int_equal(fyke_tcp_holes_count(holes), 3 * FYKE_TCP_HOLES_MAX);
	assert_int_equal(fyke_tcp_holes_bytes(holes), 3 * 5 * (int64_t)FYKE_TCP_HOLES_MAX);
	free(holes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holes_equal_bitmap),
		cmocka_unit_test(test_holes_acknowledged_once),
		cmocka_unit_test(test_holes_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
