/* A byte of offset o lies in page (o / FYKE_PAGE_BYTES) mod FYKE_RECENT_PAGES of the ring. */
#include "analyzer/tcp/recent.h"

#include <string.h>

static size_t page_of(int64_t offset)
{
	return (size_t)((uint64_t)offset / FYKE_PAGE_BYTES % FYKE_RECENT_PAGES);
}

static size_t place_of(int64_t offset)
{
	return (size_t)((uint64_t)offset % FYKE_PAGE_BYTES);
}

static bool take_page(struct fyke_recent *recent, struct fyke_stream_memory *memory, size_t page)
{
	if (recent->pages[page] != 0)
		return true;
	if (!fyke_stream_memory_take(memory, FYKE_PAGE_BYTES))
		return false;
	recent->pages[page] = fyke_pool_take(&memory->pages);
	if (recent->pages[page] == 0)
		fyke_stream_memory_give(memory, FYKE_PAGE_BYTES);
	return recent->pages[page] != 0;
}

/* The ring is about to hold [start, end): what lay a whole ring before `end` is gone. */
static void note_run(struct fyke_recent *recent, int64_t start, int64_t end)
{
	uint32_t gone = 0;

	if (recent->run_count > 0 && recent->runs[recent->run_count - 1].end == start) {
		recent->runs[recent->run_count - 1].end = end;
	} else {
		if (recent->run_count == FYKE_RECENT_RUNS)
			memmove(recent->runs, recent->runs + 1,
				--recent->run_count * sizeof(recent->runs[0]));
		recent->runs[recent->run_count++] = (struct fyke_recent_run){start, end};
	}
	while (recent->runs[gone].end <= end - FYKE_RECENT_BYTES)
		gone++;
	recent->run_count -= gone;
	memmove(recent->runs, recent->runs + gone, recent->run_count * sizeof(recent->runs[0]));
	if (recent->runs[0].start < end - FYKE_RECENT_BYTES)
		recent->runs[0].start = end - FYKE_RECENT_BYTES;
}

void fyke_recent_add(struct fyke_recent *recent, struct fyke_stream_memory *memory, int64_t offset,
	const uint8_t *data, size_t length)
{
	if (length > FYKE_RECENT_BYTES) {
		offset += (int64_t)(length - FYKE_RECENT_BYTES);
		data += length - FYKE_RECENT_BYTES;
		length = FYKE_RECENT_BYTES;
	}
	while (length > 0) {
		size_t page = page_of(offset), place = place_of(offset), part = FYKE_PAGE_BYTES - place;

		if (part > length)
			part = length;
		if (take_page(recent, memory, page)) {
			memcpy((uint8_t *)fyke_pool_at(&memory->pages, recent->pages[page]) + place, data,
				part);
			note_run(recent, offset, offset + (int64_t)part);
		}
		offset += (int64_t)part;
		data += part;
		length -= part;
	}
}

const uint8_t *fyke_recent_find(const struct fyke_recent *recent, const struct fyke_stream_memory *memory,
	int64_t start, int64_t end, int64_t *offset, size_t *length)
{
	for (uint32_t i = 0; i < recent->run_count; i++) {
		const struct fyke_recent_run *run = &recent->runs[i];
		int64_t from = run->start > start ? run->start : start;
		int64_t to = run->end < end ? run->end : end;
		size_t place = place_of(from);

		if (from >= to)
			continue;
		*offset = from;
		*length = FYKE_PAGE_BYTES - place;
		if (*length > (size_t)(to - from))
			*length = (size_t)(to - from);
		return (const uint8_t *)fyke_pool_at(&memory->pages, recent->pages[page_of(from)]) + place;
	}
	return NULL;
}

void fyke_recent_release(struct fyke_recent *recent, struct fyke_stream_memory *memory)
{
	for (size_t i = 0; i < FYKE_RECENT_PAGES; i++) {
		if (recent->pages[i] == 0)
			continue;
		fyke_pool_give(&memory->pages, recent->pages[i]);
		fyke_stream_memory_give(memory, FYKE_PAGE_BYTES);
	}
	*recent = (struct fyke_recent){0};
}
