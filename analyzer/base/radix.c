/* Bytes that are the same in all keys cost no pass, and a list that is in order already costs one look. */
#include "analyzer/base/radix.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 8, VALUES = 256 };

static inline uint64_t key_at(const char *items, size_t index, size_t size, size_t key)
{
	uint64_t value;

	memcpy(&value, items + index * size + key, sizeof(value));
	return value;
}

/* In which bits the keys differ: none where they are in order. */
static uint64_t differing(const char *items, size_t count, size_t size, size_t key)
{
	uint64_t first = key_at(items, 0, size, key), before = first, bits = 0;
	bool in_order = true;

	for (size_t i = 1; i < count; i++) {
		uint64_t value = key_at(items, i, size, key);

		in_order &= value >= before;
		bits |= value ^ first;
		before = value;
	}
	return in_order ? 0 : bits;
}

/* Where the items of each value of the digit begin. */
static void find_places(
	const char *items, size_t count, size_t size, size_t key, unsigned shift, size_t places[VALUES])
{
	size_t sum = 0;

	memset(places, 0, VALUES * sizeof(*places));
	for (size_t i = 0; i < count; i++)
		places[key_at(items, i, size, key) >> shift & (VALUES - 1)]++;
	for (size_t value = 0; value < VALUES; value++) {
		size_t many = places[value];

		places[value] = sum;
		sum += many;
	}
}

/* Inlined with a size that is known, so that an item moves in a few instructions. */
static inline __attribute__((always_inline)) void spread(const char *from, char *to, size_t count,
	size_t size, size_t key, unsigned shift, size_t places[VALUES])
{
	for (size_t i = 0; i < count; i++) {
		size_t value = key_at(from, i, size, key) >> shift & (VALUES - 1);

		memcpy(to + places[value]++ * size, from + i * size, size);
	}
}

static void pass(const char *from, char *to, size_t count, size_t size, size_t key, unsigned shift)
{
	size_t places[VALUES];

	find_places(from, count, size, key, shift, places);
	if (size == 8)
		spread(from, to, count, 8, key, shift, places);
	else if (size == 16)
		spread(from, to, count, 16, key, shift, places);
	else if (size == 24)
		spread(from, to, count, 24, key, shift, places);
	else
		spread(from, to, count, size, key, shift, places);
}

bool fyke_radix_sort(void *items, size_t count, size_t size, size_t key)
{
	char *from = items, *to;
	uint64_t bits = count < 2 ? 0 : differing(items, count, size, key);

	if (bits == 0)
		return true;
	to = malloc(count * size);
	if (to == NULL)
		return false;
	for (unsigned digit = 0; digit < DIGITS; digit++) {
		char *spare = from;

		if ((bits >> 8 * digit & (VALUES - 1)) == 0)
			continue;
		pass(from, to, count, size, key, 8 * digit);
		from = to;
		to = spare;
	}
	if (from != items) {
		memcpy(items, from, count * size);
		to = from;
	}
	free(to);
	return true;
}
