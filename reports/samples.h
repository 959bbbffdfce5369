/*
 * Measured values whose percentiles are wanted. Exact up to FYKE_SAMPLES_MAX; beyond that every second
 * (fourth, …) value is kept, evenly over the whole.
 */
#ifndef FYKE_REPORTS_SAMPLES_H
#define FYKE_REPORTS_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FYKE_SAMPLES_MAX = 1 << 22 };

struct fyke_samples {
	int64_t *values;
	size_t count, room;
	uint64_t seen, stride; /* stride 0 means 1 */
	int64_t least, most;
};

bool fyke_samples_add(struct fyke_samples *samples, int64_t value); /* false: memory is out */
void fyke_samples_sort(struct fyke_samples *samples);
/* Nearest rank, of sorted samples that are not empty; permille 500 = the median. */
int64_t fyke_samples_at(const struct fyke_samples *samples, unsigned permille);
void fyke_samples_release(struct fyke_samples *samples);

#endif
