/*
 * A number of either kind begins behind a byte that is not part of a word, and its third and fourth
 * characters are digits. A window is calm that has neither such a place nor a control character.
 *
 * Most windows have no two digits side by side, which takes half as long to see as the rest. What is vectors
 * here is written as macros: there is no common way to hand a vector wider than the machine's to a function.
 */
#include "analyzer/dissect/calm_text.h"

#include <stdbool.h>
#include <string.h>

enum { WINDOW = FYKE_CALM_WINDOW, LOOK_AHEAD = 3, LANE = 32 };

typedef uint8_t lane __attribute__((vector_size(LANE)));

/* All bits are set where it is so; the same sets as in sensitive.c. */
#define ARE_DIGITS(bytes)  ((lane)((lane)((bytes) - '0') <= 9))
#define ARE_LETTERS(bytes) ((lane)((lane)(((bytes) | 0x20) - 'a') <= 'z' - 'a'))
#define ARE_WORDY(bytes)                                                                                     \
	(ARE_DIGITS(bytes) | ARE_LETTERS(bytes) | (lane)((bytes) == '_') | (lane)((bytes) >= 0x80))
#define ARE_CONTROL(bytes) ((lane)((bytes) < ' ') & (lane)((lane)((bytes) - '\t') > '\r' - '\t'))

static inline __attribute__((always_inline)) bool is_none(const lane *marks)
{
	uint64_t words[LANE / 8];

	memcpy(words, marks, sizeof(words));
	return (words[0] | words[1] | words[2] | words[3]) == 0;
}

static inline __attribute__((always_inline)) bool is_calm(const uint8_t *window)
{
	lane pairs[WINDOW / LANE], busy = {0}, any = {0}, bytes, next;

	for (size_t i = 0; i < WINDOW / LANE; i++) {
		memcpy(&bytes, window + i * LANE + LOOK_AHEAD - 1, sizeof(bytes));
		memcpy(&next, window + i * LANE + LOOK_AHEAD, sizeof(next));
		pairs[i] = ARE_DIGITS(bytes) & ARE_DIGITS(next);
		memcpy(&bytes, window + i * LANE, sizeof(bytes));
		busy |= ARE_CONTROL(bytes);
		any |= pairs[i];
	}
	any |= busy;
	if (is_none(&any))
		return true;
	for (size_t i = 0; i < WINDOW / LANE; i++) {
		memcpy(&bytes, window + i * LANE - 1, sizeof(bytes));
		busy |= pairs[i] & ~ARE_WORDY(bytes);
	}
	return is_none(&busy);
}

static inline __attribute__((always_inline)) size_t count_calm(const uint8_t *bytes, size_t length)
{
	size_t calm = 0;

	while (length - calm >= WINDOW + LOOK_AHEAD && is_calm(bytes + calm))
		calm += WINDOW;
	return calm;
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static size_t count_calm_avx2(const uint8_t *bytes, size_t length)
{
	return count_calm(bytes, length);
}

size_t fyke_calm_text(const uint8_t *bytes, size_t length)
{
	return __builtin_cpu_supports("avx2") ? count_calm_avx2(bytes, length) : count_calm(bytes, length);
}
#else
size_t fyke_calm_text(const uint8_t *bytes, size_t length)
{
	return count_calm(bytes, length);
}
#endif
