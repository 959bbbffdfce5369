/* The sample goes on from the first differing byte as long as parts lie side by side. */
#include "analyzer/tcp/compare.h"

#include <string.h>

static void take_sample(struct fyke_difference *difference, int64_t offset, const uint8_t *before,
	const uint8_t *after, size_t length)
{
	size_t room = FYKE_CONFLICT_SAMPLE - difference->sample;

	if (offset != difference->first + (int64_t)difference->sample)
		return;
	if (length > room)
		length = room;
	memcpy(difference->before + difference->sample, before, length);
	memcpy(difference->after + difference->sample, after, length);
	difference->sample += length;
}

void fyke_difference_add(struct fyke_difference *difference, int64_t offset, const uint8_t *before,
	const uint8_t *after, size_t length)
{
	size_t i = 0;

	if (memcmp(before, after, length) != 0) {
		for (; i < length; i++) {
			if (before[i] == after[i])
				continue;
			if (difference->count == 0)
				difference->first = offset + (int64_t)i;
			difference->last = offset + (int64_t)i;
			difference->count++;
		}
	}
	if (difference->count == 0)
		return;
	i = difference->first > offset ? (size_t)(difference->first - offset) : 0;
	take_sample(difference, offset + (int64_t)i, before + i, after + i, length - i);
}
