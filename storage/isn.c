/*
 * The verdict, first match wins: one value (constant), a line over time (clock), small steps upward from
 * connection to connection (step), bits that never change (truncated), a clock behind each pair of addresses
 * and ports (rfc6528), nothing of these (random).
 *
 * Each test's limit is chosen so that numbers that are random pass for something else less than once in
 * 10,000 hosts of 12 connections; docs/ports.md has the error rates of 1,000 seeded trials for each
 * generator.
 */
#include "storage/isn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONSTANT_SAMPLES_LEAST = 6,
	CLOCK_PAIRS_LEAST = 6,
	SMALL_STEP = 1 << 26, /* of a random number: 1 of 64 */
	BITS_SAMPLES_LEAST = 20,
	REUSED_PAIRS_LEAST = 3,
};
/* Between two connections a clock's rate cannot be measured any better. */
#define CLOCK_WAIT_LEAST_US ((int64_t)50000)
#define CLOCK_SLACK_US	    ((int64_t)5000)

const char *fyke_isn_kind_name(enum fyke_isn_kind kind)
{
	static const char *const names[FYKE_ISN_KIND_COUNT] = {
		"few", "constant", "clock", "step", "truncated", "rfc6528", "random"};

	return names[kind];
}

struct judge {
	struct fyke_isn_sample *samples, *room;
	size_t count;
	struct fyke_isn_verdict *verdict;
};

static int by_time(const void *a, const void *b)
{
	const struct fyke_isn_sample *left = a, *right = b;

	if (left->time_us != right->time_us)
		return left->time_us < right->time_us ? -1 : 1;
	return left->isn < right->isn ? -1 : left->isn > right->isn;
}

static int by_number(const void *a, const void *b)
{
	const struct fyke_isn_sample *left = a, *right = b;

	return left->isn < right->isn ? -1 : left->isn > right->isn;
}

static int by_connection(const void *a, const void *b)
{
	const struct fyke_isn_sample *left = a, *right = b;

	if (left->connection != right->connection)
		return left->connection < right->connection ? -1 : 1;
	return by_time(a, b);
}

static int compare_doubles(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

static size_t most_of_one(struct judge *judge)
{
	size_t most = 0, run = 0;

	memcpy(judge->room, judge->samples, judge->count * sizeof(*judge->room));
	qsort(judge->room, judge->count, sizeof(*judge->room), by_number);
	for (size_t i = 0; i < judge->count; i++) {
		run = i > 0 && judge->room[i].isn == judge->room[i - 1].isn ? run + 1 : 1;
		most = run > most ? run : most;
	}
	return most;
}

static bool is_constant(struct judge *judge)
{
	size_t most;

	if (judge->count < CONSTANT_SAMPLES_LEAST)
		return false;
	most = most_of_one(judge);
	snprintf(judge->verdict->evidence, FYKE_ISN_EVIDENCE, "%zu of %zu connections begin with one number",
		most, judge->count);
	return most * 10 >= judge->count * 9;
}

/* How many of `pairs` (time waited, number gained) lie on a line through the origin of the median's rate. */
static size_t on_line(const struct fyke_isn_sample *pairs, size_t count, double *rate)
{
	double rates[FYKE_ISN_SAMPLES_MAX];
	size_t good = 0;

	for (size_t i = 0; i < count; i++)
		rates[i] = (double)pairs[i].isn / (double)pairs[i].time_us;
	qsort(rates, count, sizeof(*rates), compare_doubles);
	*rate = rates[count / 2];
	for (size_t i = 0; i < count; i++) {
		double expected = *rate * (double)pairs[i].time_us, gained = pairs[i].isn;
		double slack = expected * 0.05 + *rate * (double)CLOCK_SLACK_US;

		good += gained > expected - slack && gained < expected + slack;
	}
	return good;
}

static int by_wait(const void *a, const void *b)
{
	const struct fyke_isn_sample *left = a, *right = b;

	return left->time_us < right->time_us ? -1 : left->time_us > right->time_us;
}

/* Pairs of neighbours in time into room: what was waited and what was gained. The longer half of the waits
 * goes, for a clock may have wrapped in them. */
static size_t take_pairs(struct judge *judge)
{
	size_t count = 0;

	for (size_t i = 1; i < judge->count; i++) {
		int64_t waited = judge->samples[i].time_us - judge->samples[i - 1].time_us;

		if (waited >= CLOCK_WAIT_LEAST_US)
			judge->room[count++] = (struct fyke_isn_sample){
				.time_us = waited, .isn = judge->samples[i].isn - judge->samples[i - 1].isn};
	}
	qsort(judge->room, count, sizeof(*judge->room), by_wait);
	return count <= (size_t)2 * CLOCK_PAIRS_LEAST ? count : count / 2;
}

static bool is_clock(struct judge *judge)
{
	size_t pairs = take_pairs(judge), good;
	double rate;

	if (pairs < CLOCK_PAIRS_LEAST)
		return false;
	good = on_line(judge->room, pairs, &rate);
	snprintf(judge->verdict->evidence, FYKE_ISN_EVIDENCE,
		"rises by %.0f a second, in %zu of %zu measured intervals", rate * 1e6, good, pairs);
	return rate > 0 && good * 5 >= pairs * 4;
}

static uint32_t gcd(uint32_t a, uint32_t b)
{
	while (b != 0) {
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Whether nearly every difference is one and the same: then a clock's line, if there is one, comes from
 * connections at regular intervals. */
static bool is_even_step(struct judge *judge)
{
	uint32_t step;

	for (size_t i = 1; i < judge->count; i++)
		judge->room[i - 1].isn = judge->samples[i].isn - judge->samples[i - 1].isn;
	qsort(judge->room, judge->count - 1, sizeof(*judge->room), by_number);
	step = judge->room[judge->count / 2].isn;
	for (size_t i = 0, same = 0; i + 1 < judge->count; i++) {
		same += judge->room[i].isn == step;
		if (same * 10 >= (judge->count - 1) * 9)
			return step != 0;
	}
	return false;
}

static bool is_step(struct judge *judge)
{
	uint32_t least = UINT32_MAX, most = 0, common = 0;
	size_t small = 0;

	for (size_t i = 1; i < judge->count; i++) {
		uint32_t gained = judge->samples[i].isn - judge->samples[i - 1].isn;

		if (gained >= SMALL_STEP || gained == 0)
			continue;
		small++;
		least = gained < least ? gained : least;
		most = gained > most ? gained : most;
		common = gcd(gained, common);
	}
	snprintf(judge->verdict->evidence, FYKE_ISN_EVIDENCE,
		"rises by %u to %u from one connection to the next (multiples of %u), %zu of %zu times",
		least, most, common, small, judge->count - 1);
	return small * 10 >= (judge->count - 1) * 8;
}

static bool is_truncated(struct judge *judge)
{
	uint32_t always = UINT32_MAX, ever = 0;
	int dead;

	for (size_t i = 0; i < judge->count; i++) {
		always &= judge->samples[i].isn;
		ever |= judge->samples[i].isn;
	}
	dead = __builtin_popcount(always) + 32 - __builtin_popcount(ever);
	snprintf(judge->verdict->evidence, FYKE_ISN_EVIDENCE,
		"%d of 32 bits are the same in all %zu connections", dead, judge->count);
	return dead >= (judge->count < BITS_SAMPLES_LEAST ? 4 : 1);
}

static bool is_rfc6528(struct judge *judge)
{
	size_t pairs = 0, good = 0;
	double rate = 0;

	memcpy(judge->room, judge->samples, judge->count * sizeof(*judge->room));
	qsort(judge->room, judge->count, sizeof(*judge->room), by_connection);
	for (size_t i = 1; i < judge->count; i++) {
		const struct fyke_isn_sample *one = &judge->room[i - 1], *next = &judge->room[i];

		/* in place: what is overwritten was looked at already */
		if (one->connection == next->connection &&
			next->time_us - one->time_us >= CLOCK_WAIT_LEAST_US)
			judge->room[pairs++] =
				(struct fyke_isn_sample){.time_us = next->time_us - one->time_us,
					.isn = next->isn - one->isn,
					.connection = one->connection};
	}
	if (pairs >= REUSED_PAIRS_LEAST)
		good = on_line(judge->room, pairs, &rate);
	snprintf(judge->verdict->evidence, FYKE_ISN_EVIDENCE,
		"differs between addresses and ports; where these came again it rises by %.0f a second (%zu "
		"of %zu)",
		rate * 1e6, good, pairs);
	return pairs >= REUSED_PAIRS_LEAST && good * 5 >= pairs * 4;
}

static enum fyke_isn_kind judge_kind(struct judge *judge)
{

	if (is_constant(judge))
		return FYKE_ISN_CONSTANT;
	if (judge->count < FYKE_ISN_SAMPLES_LEAST) {
		snprintf(judge->verdict->evidence, FYKE_ISN_EVIDENCE, "%zu connections; %d are needed",
			judge->count, FYKE_ISN_SAMPLES_LEAST);
		return FYKE_ISN_FEW;
	}
	if (!is_even_step(judge) && is_clock(judge))
		return FYKE_ISN_CLOCK;
	if (is_step(judge))
		return FYKE_ISN_STEP;
	if (is_truncated(judge))
		return FYKE_ISN_TRUNCATED;
	if (is_rfc6528(judge))
		return FYKE_ISN_RFC6528;
	snprintf(judge->verdict->evidence, FYKE_ISN_EVIDENCE,
		"no repetition, line, step or dead bit in %zu connections", judge->count);
	return FYKE_ISN_RANDOM;
}

struct fyke_isn_verdict fyke_isn_judge(
	struct fyke_isn_sample *samples, size_t count, struct fyke_isn_sample *room)
{
	struct fyke_isn_verdict verdict = {.samples = count};
	struct judge judge = {
		samples, room, count > FYKE_ISN_SAMPLES_MAX ? FYKE_ISN_SAMPLES_MAX : count, &verdict};

	qsort(samples, judge.count, sizeof(*samples), by_time);
	verdict.kind = judge_kind(&judge);
	return verdict;
}
