/* How large a difference is, whatever the number of samples. */
#ifndef FYKE_REPORTS_EFFECT_H
#define FYKE_REPORTS_EFFECT_H

#include <stddef.h>
#include <stdint.h>

/* Cliff's delta of two lists of numbers (-1: all of `b` are smaller, 0: alike, 1: all are larger). Sorts
 * both. */
double fyke_effect_cliff(int64_t *a, size_t a_count, int64_t *b, size_t b_count);

/* Cohen's h of two shares, with sign. */
double fyke_effect_cohen(double a, double b);

struct fyke_effect_ratio {
	double ratio, low, high; /* of the rates, with the limits within which it lies 95 times of 100 */
};

/* Two counts, each over its own time, as if they came by chance (Poisson). Both counts > 0. */
struct fyke_effect_ratio fyke_effect_rates(int64_t a, double a_time, int64_t b, double b_time);

/* "negligible" "small" "medium" "large": by the customary limits of each measure. */
const char *fyke_effect_cliff_word(double delta);
const char *fyke_effect_cohen_word(double h);

#endif
