/* Percentiles by nearest rank over kept values (samples.h). */
#include "reports/samples.h"

#include "analyzer/base/radix.h"

#include <stdlib.h>

static bool grow(struct fyke_samples *samples)
{
	size_t room = samples->room == 0 ? 256 : 2 * samples->room;
	int64_t *values = reallocarray(samples->values, room, sizeof(*values));

	if (values == NULL)
		return false;
	samples->values = values;
	samples->room = room;
	return true;
}

static void thin_out(struct fyke_samples *samples)
{
	for (size_t i = 0; 2 * i < samples->count; i++)
		samples->values[i] = samples->values[2 * i];
	samples->count = (samples->count + 1) / 2;
	samples->stride *= 2;
}

bool fyke_samples_add(struct fyke_samples *samples, int64_t value)
{
	if (samples->stride == 0)
		samples->stride = 1;
	if (samples->seen == 0 || value < samples->least)
		samples->least = value;
	if (samples->seen == 0 || value > samples->most)
		samples->most = value;
	if (samples->seen++ % samples->stride != 0)
		return true;
	if (samples->count == FYKE_SAMPLES_MAX)
		thin_out(samples);
	if (samples->count == samples->room && !grow(samples))
		return false;
	samples->values[samples->count++] = value;
	return true;
}

static int compare(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

/* Numbers with a sign as those without one in the same order, and back. */
static void turn_signs(struct fyke_samples *samples)
{
	for (size_t i = 0; i < samples->count; i++)
		samples->values[i] ^= INT64_MIN;
}

void fyke_samples_sort(struct fyke_samples *samples)
{
	bool sorted;

	turn_signs(samples);
	sorted = fyke_radix_sort(samples->values, samples->count, sizeof(*samples->values), 0);
	turn_signs(samples);
	if (!sorted)
		qsort(samples->values, samples->count, sizeof(*samples->values), compare);
}

int64_t fyke_samples_at(const struct fyke_samples *samples, unsigned permille)
{
	size_t rank = (samples->count * permille + 999) / 1000;

	return samples->values[rank == 0 ? 0 : rank - 1];
}

void fyke_samples_release(struct fyke_samples *samples)
{
	free(samples->values);
	*samples = (struct fyke_samples){0};
}
