/*
 * Stream bytes that must wait, in pages of a pool that all streams of one thread share, and the budget
 * over them. A page covers FYKE_PAGE_BYTES of a stream, aligned; which of its bytes mean anything is
 * known elsewhere (waiting.h, recent.h).
 */
#ifndef FYKE_TCP_PAGES_H
#define FYKE_TCP_PAGES_H

#include "analyzer/base/pool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FYKE_PAGE_BYTES = 2048 };

struct fyke_reassembly;

struct fyke_stream_memory {
	struct fyke_pool pages;
	uint64_t limit, used, most;		 /* bytes: pages and what is kept about them */
	struct fyke_reassembly *oldest, *newest; /* streams in which bytes wait, by when that began */
};

void fyke_stream_memory_init(struct fyke_stream_memory *memory, uint64_t limit);
void fyke_stream_memory_release(struct fyke_stream_memory *memory); /* after all its streams */

/* Room for `bytes` more: taken, or false and nothing changed. */
bool fyke_stream_memory_take(struct fyke_stream_memory *memory, uint64_t bytes);
void fyke_stream_memory_give(struct fyke_stream_memory *memory, uint64_t bytes);

/* The pages of one stream, ascending. */
struct fyke_page_slot {
	int64_t number; /* offset / FYKE_PAGE_BYTES */
	uint32_t page;	/* in the pool */
};

struct fyke_page_map {
	struct fyke_page_slot *slots;
	uint32_t head, count, room; /* those in use: slots[head] … */
};

/* What the pages that [start, end) lacks would take of the budget, in bytes. */
uint64_t fyke_pages_cost(const struct fyke_page_map *map, int64_t start, int64_t end);

/* What the map's pages take of it. */
uint64_t fyke_pages_held(const struct fyke_page_map *map);

/* Adds the pages that [start, end) lacks; the budget has been asked. False: memory is out, and some may
 * have been added (drop them with the next call of fyke_pages_drop_before or _release). */
bool fyke_pages_add(struct fyke_page_map *map, struct fyke_stream_memory *memory, int64_t start, int64_t end);

/* The page bytes at `offset`, which has a page; *length: how many follow in that page. */
uint8_t *fyke_pages_at(const struct fyke_page_map *map, const struct fyke_stream_memory *memory,
	int64_t offset, size_t *length);
void fyke_pages_write(const struct fyke_page_map *map, const struct fyke_stream_memory *memory,
	int64_t offset, const uint8_t *data, size_t length);

/* Gives back pages that lie wholly below `offset`. */
void fyke_pages_drop_before(struct fyke_page_map *map, struct fyke_stream_memory *memory, int64_t offset);
/* Gives back all, and the map's own memory. */
void fyke_pages_release(struct fyke_page_map *map, struct fyke_stream_memory *memory);

#endif
