/* Two versions of the same bytes of a stream, compared part by part. Private to reassembly. */
#ifndef FYKE_TCP_COMPARE_H
#define FYKE_TCP_COMPARE_H

#include "analyzer/tcp/reassembly.h"

struct fyke_difference {
	int64_t first, last; /* bytes that differ */
	uint64_t count;
	size_t sample;
	uint8_t before[FYKE_CONFLICT_SAMPLE], after[FYKE_CONFLICT_SAMPLE];
};

/* Parts come in ascending order. */
void fyke_difference_add(struct fyke_difference *difference, int64_t offset, const uint8_t *before,
	const uint8_t *after, size_t length);

/* Counts and reports it; `about` brings what is known besides. */
void fyke_difference_tell(struct fyke_reassembly *stream, const struct fyke_difference *difference,
	const struct fyke_conflict *about);

#endif
