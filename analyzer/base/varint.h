/*
 * Unsigned LEB128 integers, as `sessions.frames` and `session_frames.frames` hold them: the first
 * frame number of a part absolute, each later one as the difference to the one before.
 */
#ifndef FYKE_BASE_VARINT_H
#define FYKE_BASE_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FYKE_VARINT_MAX = 10 }; /* bytes of the longest */

/* Writes `value` to out[0..9]; returns the bytes used. */
static inline size_t fyke_varint_write(uint64_t value, uint8_t out[FYKE_VARINT_MAX])
{
	size_t n = 0;

	while (value >= 0x80) {
		out[n++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	out[n++] = (uint8_t)value;
	return n;
}

/* Reads one value and moves *at behind it; false when it is cut or longer than 64 bits. */
static inline bool fyke_varint_read(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
	uint64_t result = 0;

	for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
		uint8_t byte = *(*at)++;

		if (shift == 63 && byte > 1)
			return false;
		result |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*value = result;
			return true;
		}
	}
	return false;
}

#endif
