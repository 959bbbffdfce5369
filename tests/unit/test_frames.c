/* Lists of frame numbers, and sets of them, against plain arrays. */
#include "analyzer/base/varint.h"
#include "analyzer/flow/frames.h"
#include "storage/frame_set.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static size_t decode(const struct fyke_frames *frames, uint64_t *numbers)
{
	const uint8_t *at = fyke_frames_bytes(frames), *end = at + frames->length;
	uint64_t value = 0, sum = 0;
	size_t count = 0;

	while (at < end) {
		assert_true(fyke_varint_read(&at, end, &value));
		sum += value;
		numbers[count++] = sum;
	}
	return count;
}

/* Some numbers come late; each stands once, in its place. */
static void test_frames_insert(void **state)
{
	enum { SPAN = 3000 };
	uint64_t seed = 88172645463325252;

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct fyke_blocks blocks = {0};
		struct fyke_frames frames = {0};
		bool in[SPAN] = {false};
		uint64_t numbers[SPAN], factor = round % 4 == 0 ? 100003 : 1, highest = 0;
		size_t count, wanted = 0;

		for (int i = 0; i < 400; i++) {
			uint64_t number = 1 + next_random(&seed) % (SPAN - 1);

			if (number >= highest && i % 2 == 0) {
				assert_true(fyke_frames_add(&blocks, &frames, number * factor));
				highest = number;
			} else {
				assert_true(fyke_frames_insert(&blocks, &frames, number * factor));
				highest = number > highest ? number : highest;
			}
			in[number] = true;
		}
		count = decode(&frames, numbers);
		for (uint64_t i = 0; i < SPAN; i++) {
			if (in[i])
				assert_int_equal(numbers[wanted++], i * factor);
		}
		assert_int_equal(count, wanted);
		assert_int_equal(frames.last, highest * factor);
		fyke_frames_release(&blocks, &frames);
		assert_int_equal(blocks.used, 0);
		fyke_blocks_release(&blocks);
	}
}

static void test_frame_set_holds_what_was_added(void **state)
{
	enum { SPAN = 50000 };
	static bool in[SPAN];
	uint64_t seed = 362436069362436069, at = 0, count = 0;
	struct fyke_frame_set set = {0};

	(void)state;
	assert_int_equal(fyke_frame_set_next(&set, 0), UINT64_MAX);
	for (int i = 0; i < 5000; i++) {
		uint64_t number = next_random(&seed) % SPAN;

		number = i % 3 == 0 ? number / 4096 * 4096 + 4095 * (uint64_t)(i % 2) : number;
		number = number < SPAN ? number : 0;
		count += !in[number];
		in[number] = true;
		assert_true(fyke_frame_set_add(&set, number));
	}
	assert_int_equal(set.count, count);
	for (uint64_t i = 0; i < SPAN; i++) {
		if (!in[i])
			continue;
		assert_int_equal(fyke_frame_set_next(&set, at), i);
		at = i + 1;
	}
	assert_int_equal(fyke_frame_set_next(&set, at), UINT64_MAX);
	fyke_frame_set_release(&set);
}

static void test_frame_set_bounds(void **state)
{
	struct fyke_frame_set set = {0};

	(void)state;
	assert_false(fyke_frame_set_add(&set, FYKE_FRAME_SET_LAST + 1));
	assert_false(fyke_frame_set_add(&set, UINT64_MAX));
	assert_true(fyke_frame_set_add(&set, FYKE_FRAME_SET_LAST));
	assert_true(fyke_frame_set_add(&set, 0));
	assert_int_equal(fyke_frame_set_next(&set, 1), FYKE_FRAME_SET_LAST);
	assert_int_equal(fyke_frame_set_next(&set, UINT64_MAX), UINT64_MAX);
	fyke_frame_set_release(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_insert),
		cmocka_unit_test(test_frame_set_holds_what_was_added),
		cmocka_unit_test(test_frame_set_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
