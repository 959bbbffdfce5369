/*
 * The rhythm of sessions, after RITA's analysis of beacons: how symmetric and how narrow the distribution of
 * the intervals between their beginnings is, and that of the bytes that the client sent.
 *
 * Of each distribution: Bowley's skewness from the quartiles, and the median distance from the median (MAD),
 * here as a share of the median, so that a beat of a second and one of an hour are held to the same
 * measure. 1 is perfect: regularity = ((1 - |skewness|) + (1 - MAD / median)) / 2.
 */
#include "findings/contacts.h"

#include <stdlib.h>
#include <string.h>

#define MINUTE_US ((int64_t)60 * 1000000)

static int compare_numbers(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return left < right ? -1 : left > right;
}

static int compare_samples(const void *a, const void *b)
{
	const struct fyke_contact_sample *left = a, *right = b;

	if (left->start_us != right->start_us)
		return left->start_us < right->start_us ? -1 : 1;
	return left->bytes < right->bytes ? -1 : left->bytes > right->bytes;
}

struct shape {
	int64_t median, spread;
	double skewness;
};

/* `numbers` is put in order, and then used up. */
static struct shape shape_of(int64_t *numbers, int64_t count)
{
	struct shape shape;
	int64_t low, high;

	qsort(numbers, (size_t)count, sizeof(*numbers), compare_numbers);
	low = numbers[count / 4];
	shape.median = numbers[count / 2];
	high = numbers[count * 3 / 4];
	shape.skewness = 0;
	if (high > low && shape.median != low && shape.median != high)
		shape.skewness =
			((double)high + (double)low - 2.0 * (double)shape.median) / (double)(high - low);
	for (int64_t i = 0; i < count; i++)
		numbers[i] = llabs(numbers[i] - shape.median);
	qsort(numbers, (size_t)count, sizeof(*numbers), compare_numbers);
	shape.spread = numbers[count / 2];
	return shape;
}

static double evenness(const struct shape *shape)
{
	double skewness = shape->skewness < 0 ? -shape->skewness : shape->skewness;
	double spread =
		shape->median <= 0 ? (shape->spread > 0) : (double)shape->spread / (double)shape->median;

	return ((1 - skewness) + (spread > 1 ? 0 : 1 - spread)) / 2;
}

static int64_t busiest_minute(const struct fyke_contact_sample *samples, int64_t count)
{
	int64_t first = 0, most = 0;

	for (int64_t i = 0; i < count; i++) {
		while (samples[i].start_us - samples[first].start_us > MINUTE_US)
			first++;
		if (i - first + 1 > most)
			most = i - first + 1;
	}
	return most;
}

struct fyke_rhythm fyke_rhythm_of(struct fyke_contact_sample *samples, int64_t count, int64_t *room)
{
	struct fyke_rhythm rhythm = {.known = count >= FYKE_RHYTHM_SAMPLES_LEAST};
	struct shape intervals, sizes;

	qsort(samples, (size_t)count, sizeof(*samples), compare_samples);
	rhythm.busiest_minute = busiest_minute(samples, count);
	if (!rhythm.known)
		return rhythm;
	for (int64_t i = 1; i < count; i++)
		room[i - 1] = samples[i].start_us - samples[i - 1].start_us;
	intervals = shape_of(room, count - 1);
	for (int64_t i = 0; i < count; i++)
		room[i] = samples[i].bytes;
	sizes = shape_of(room, count);
	rhythm.interval_us = intervals.median;
	rhythm.interval_spread_us = intervals.spread;
	rhythm.size = sizes.median;
	rhythm.size_spread = sizes.spread;
	rhythm.regularity = evenness(&intervals);
	rhythm.sameness = evenness(&sizes);
	rhythm.score = (rhythm.regularity + rhythm.sameness) / 2;
	return rhythm;
}
