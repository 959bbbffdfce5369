/*
 * A number of either kind begins behind a byte that is not part of a word, and its third and fourth
 * characters are digits. A window is calm that has neither such a place nor a control character.
 */
#include "analyzer/dissect/calm_text.h"

#include <stdbool.h>
#include <string.h>

enum { WINDOW = FYKE_CALM_WINDOW, LOOK_AHEAD = 3, LANE = 16 };

typedef uint8_t lane __attribute__((vector_size(LANE)));

static inline lane load(const uint8_t *bytes)
{
	lane loaded;

	memcpy(&loaded, bytes, sizeof(loaded));
	return loaded;
}

/* All bits are set where it is so; the same sets as in sensitive.c. */
static inline lane are_digits(lane bytes)
{
	return (lane)((lane)(bytes - '0') <= 9);
}

static inline lane are_wordy(lane bytes)
{
	return are_digits(bytes) | (lane)((lane)((bytes | 0x20) - 'a') <= 'z' - 'a') | (lane)(bytes == '_') |
	       (lane)(bytes >= 0x80);
}

static inline lane are_control(lane bytes)
{
	return (lane)(bytes < ' ') & (lane)((lane)(bytes - '\t') > '\r' - '\t');
}

static inline bool is_calm(const uint8_t *window)
{
	lane busy = {0};
	uint64_t words[LANE / 8];

	for (size_t at = 0; at < WINDOW; at += LANE) {
		lane begins = ~are_wordy(load(window + at - 1)) & are_digits(load(window + at + 2)) &
			      are_digits(load(window + at + LOOK_AHEAD));

		busy |= begins | are_control(load(window + at));
	}
	memcpy(words, &busy, sizeof(words));
	return (words[0] | words[1]) == 0;
}

size_t fyke_calm_text(const uint8_t *bytes, size_t length)
{
	size_t calm = 0;

	while (length - calm >= WINDOW + LOOK_AHEAD && is_calm(bytes + calm))
		calm += WINDOW;
	return calm;
}
