/*
 * Verdicts about initial sequence numbers: generators of known kinds, 1,000 seeded trials each. The error
 * rates that docs/ports.md tells are printed here.
 */
#include "storage/isn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TRIALS = 1000, SAMPLES = 100 };
#define SECOND_US 1000000.0

static uint64_t state;

/* splitmix64 */
static uint64_t next(void)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15U);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

static double uniform(void)
{
	return (double)(next() >> 11) / (double)(UINT64_C(1) << 53);
}

static uint64_t mix(uint64_t value, uint64_t key)
{
	uint64_t z = value + key * 0x9e3779b97f4a7c15U;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

/* The number of a connection: `time_us` since start, `n` counts connections, `connection` names its addresses
 * and ports, `key` is the host's secret. */
typedef uint32_t (*generator)(double time_us, uint64_t n, uint64_t connection, uint64_t key);

static uint32_t constant(double time_us, uint64_t n, uint64_t connection, uint64_t key)
{
	(void)time_us, (void)n, (void)connection;
	return (uint32_t)key;
}

static uint32_t step_64000(double time_us, uint64_t n, uint64_t connection, uint64_t key)
{
	(void)time_us, (void)connection;
	return (uint32_t)(key + n * 64000);
}

/* 4.4BSD: 128,000 a second and 64,000 for each connection */
static uint32_t step_and_clock(double time_us, uint64_t n, uint64_t connection, uint64_t key)
{
	(void)connection;
	return (uint32_t)(key + n * 64000 + (uint64_t)(time_us * 128000 / SECOND_US));
}

static uint32_t clock_250k(double time_us, uint64_t n, uint64_t connection, uint64_t key)
{
	(void)n, (void)connection;
	return (uint32_t)(key + (uint64_t)(time_us / 4));
}

static uint32_t clock_slow(double time_us, uint64_t n, uint64_t connection, uint64_t key)
{
	(void)n, (void)connection;
	return (uint32_t)(key + (uint64_t)(time_us / 1000));
}

static uint32_t high_half(double time_us, uint64_t n, uint64_t connection, uint64_t key)
{
	(void)time_us, (void)connection;
	return (uint32_t)mix(n, key) << 16;
}

static uint32_t low_half(double time_us, uint64_t n, uint64_t connection, uint64_t key)
{
	(void)time_us, (void)connection;
	return (uint32_t)mix(n, key) & 0xffff;
}

static uint32_t but_three_bits(double time_us, uint64_t n, uint64_t connection, uint64_t key)
{
	(void)time_us, (void)connection;
	return (uint32_t)mix(n, key) & ~7U;
}

static uint32_t by_chance(double time_us, uint64_t n, uint64_t connection, uint64_t key)
{
	(void)time_us, (void)connection;
	return (uint32_t)mix(n, key);
}

/* RFC 6528 with a clock of 4 µs, and Linux's of 64 ns */
static uint32_t rfc6528(double time_us, uint64_t n, uint64_t connection, uint64_t key)
{
	(void)n;
	return (uint32_t)(mix(connection, key) + (uint64_t)(time_us / 4));
}

static uint32_t like_linux(double time_us, uint64_t n, uint64_t connection, uint64_t key)
{
	(void)n;
	return (uint32_t)(mix(connection, key) + (uint64_t)(time_us * 1000 / 64));
}

/* Connections at random intervals; the capture's times are up to half a millisecond late. With `reuse` the
 * same ports come again and again. */
static enum fyke_isn_kind judge(generator make, size_t count, double mean_us, uint64_t reuse)
{
	static struct fyke_isn_sample samples[FYKE_ISN_SAMPLES_MAX], room[FYKE_ISN_SAMPLES_MAX];
	uint64_t key = next();
	double time_us = 0;

	for (uint64_t i = 0; i < count; i++) {
		uint64_t connection = reuse == 0 ? i : i % reuse;

		time_us += mean_us * 0.01 + uniform() * 2 * mean_us;
		samples[i] = (struct fyke_isn_sample){.time_us = (int64_t)(time_us + uniform() * 500),
			.connection = connection,
			.isn = make(time_us, i, connection, key)};
	}
	return fyke_isn_judge(samples, count, room).kind;
}

static const struct {
	const char *name;
	generator make;
	double mean_s;
	uint64_t reuse;
	enum fyke_isn_kind right;
} cases[] = {
	{"constant", constant, 1, 0, FYKE_ISN_CONSTANT},
	{"64,000 more for each connection", step_64000, 1, 0, FYKE_ISN_STEP},
	{"the same and a clock, as 4.4BSD", step_and_clock, 0.1, 0, FYKE_ISN_STEP},
	{"a clock of 250 kHz, as RFC 793", clock_250k, 1, 0, FYKE_ISN_CLOCK},
	{"the same, minutes apart", clock_250k, 120, 0, FYKE_ISN_CLOCK},
	{"a clock of 1 kHz", clock_slow, 1, 0, FYKE_ISN_CLOCK},
	{"the high 16 bits by chance", high_half, 1, 0, FYKE_ISN_TRUNCATED},
	{"the low 16 bits by chance", low_half, 1, 0, FYKE_ISN_TRUNCATED},
	{"all but the low 3 bits by chance", but_three_bits, 1, 0, FYKE_ISN_TRUNCATED},
	{"by chance", by_chance, 1, 0, FYKE_ISN_RANDOM},
	{"RFC 6528, ports never again", rfc6528, 1, 0, FYKE_ISN_RANDOM},
	{"RFC 6528, ports again", rfc6528, 1, 20, FYKE_ISN_RFC6528},
	{"Linux, ports never again", like_linux, 1, 0, FYKE_ISN_RANDOM},
};

static unsigned errors_of(size_t which, size_t samples)
{
	unsigned errors = 0;

	for (uint64_t trial = 0; trial < TRIALS; trial++) {
		state = trial * 1000003 + which;
		errors += judge(cases[which].make, samples, cases[which].mean_s * SECOND_US,
				  cases[which].reuse) != cases[which].right;
	}
	return errors;
}

static void test_isn_kinds_are_told_apart(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned few = errors_of(i, FYKE_ISN_SAMPLES_LEAST), many = errors_of(i, SAMPLES);

		print_message("# %-36s %4u of %d wrong with %d connections, %u with %d\n", cases[i].name, few,
			TRIALS, FYKE_ISN_SAMPLES_LEAST, many, SAMPLES);
		assert_true(many <= TRIALS / 100);
	}
}

/* What must never be said of random numbers: that they can be foretold. */
static void test_isn_random_is_never_called_weak(void **unused)
{
	unsigned wrong = 0;

	(void)unused;
	for (uint64_t trial = 0; trial < 20 * TRIALS; trial++) {
		state = trial;
		wrong += judge(by_chance, FYKE_ISN_SAMPLES_LEAST, SECOND_US, 0) != FYKE_ISN_RANDOM;
	}
	print_message("# random numbers of %d connections: %u of %d verdicts wrong\n", FYKE_ISN_SAMPLES_LEAST,
		wrong, 20 * TRIALS);
	assert_true(wrong <= 4);
}

static void test_isn_few_is_said(void **unused)
{
	(void)unused;
	state = 7;
	assert_int_equal(judge(by_chance, FYKE_ISN_SAMPLES_LEAST - 1, SECOND_US, 0), FYKE_ISN_FEW);
	assert_int_equal(judge(constant, 5, SECOND_US, 0), FYKE_ISN_FEW);
	assert_int_equal(judge(constant, 6, SECOND_US, 0), FYKE_ISN_CONSTANT);
	assert_int_equal(judge(by_chance, 0, SECOND_US, 0), FYKE_ISN_FEW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_isn_kinds_are_told_apart),
		cmocka_unit_test(test_isn_random_is_never_called_weak),
		cmocka_unit_test(test_isn_few_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
