/*
 * Effect sizes: Cliff (1993) for lists, Cohen (1988) for shares, the ratio of Poisson rates for counts.
 * Limits of the words: Romano et al. (2006) for Cliff's delta, Cohen's own for h.
 */
#include "reports/effect.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return left < right ? -1 : left > right;
}

double fyke_effect_cliff(int64_t *a, size_t a_count, int64_t *b, size_t b_count)
{
	size_t less = 0, not_more = 0;
	double sum = 0;

	if (a_count == 0 || b_count == 0)
		return 0;
	qsort(a, a_count, sizeof(*a), compare);
	qsort(b, b_count, sizeof(*b), compare);
	for (size_t i = 0; i < b_count; i++) {
		while (less < a_count && a[less] < b[i])
			less++;
		while (not_more < a_count && a[not_more] <= b[i])
			not_more++;
		sum += (double)less - (double)(a_count - not_more);
	}
	return sum / ((double)a_count * (double)b_count);
}

double fyke_effect_cohen(double a, double b)
{
	return 2 * asin(sqrt(b)) - 2 * asin(sqrt(a));
}

struct fyke_effect_ratio fyke_effect_rates(int64_t a, double a_time, int64_t b, double b_time)
{
	double ratio = ((double)b / b_time) / ((double)a / a_time);
	double error = 1.96 * sqrt(1 / (double)a + 1 / (double)b);

	return (struct fyke_effect_ratio){ratio, ratio * exp(-error), ratio * exp(error)};
}

static const char *word(double size, double small, double medium, double large)
{
	size = fabs(size);
	return size < small ? "negligible" : size < medium ? "small" : size < large ? "medium" : "large";
}

const char *fyke_effect_cliff_word(double delta)
{
	return word(delta, 0.147, 0.33, 0.474);
}

const char *fyke_effect_cohen_word(double h)
{
	return word(h, 0.2, 0.5, 0.8);
}
