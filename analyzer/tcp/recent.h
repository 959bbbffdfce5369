/*
 * The last bytes of a stream that were delivered, to compare what comes again with: a ring of pages.
 * Holds FYKE_RECENT_BYTES at most, and nothing before it is asked to.
 */
#ifndef FYKE_TCP_RECENT_H
#define FYKE_TCP_RECENT_H

#include "analyzer/tcp/pages.h"

enum {
	FYKE_RECENT_PAGES = 32,
	FYKE_RECENT_BYTES = FYKE_RECENT_PAGES * FYKE_PAGE_BYTES,
	FYKE_RECENT_RUNS = 16,
};

struct fyke_recent_run {
	int64_t start, end;
};

struct fyke_recent {
	uint32_t pages[FYKE_RECENT_PAGES];	       /* 0 = not taken yet */
	struct fyke_recent_run runs[FYKE_RECENT_RUNS]; /* ascending; what the ring holds */
	uint32_t run_count;
};

/* Bytes behind all earlier ones. What memory has no room for is not kept. */
void fyke_recent_add(struct fyke_recent *recent, struct fyke_stream_memory *memory, int64_t offset,
	const uint8_t *data, size_t length);

/* The first bytes of [start, end) that are kept: their offset and how many lie side by side there;
 * NULL when there are none. */
const uint8_t *fyke_recent_find(const struct fyke_recent *recent, const struct fyke_stream_memory *memory,
	int64_t start, int64_t end, int64_t *offset, size_t *length);

void fyke_recent_release(struct fyke_recent *recent, struct fyke_stream_memory *memory);

#endif
