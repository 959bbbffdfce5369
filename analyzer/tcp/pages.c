/*
 * Page maps are sorted arrays used as a window: data arrives near the end and leaves at the front.
 */
#include "analyzer/tcp/pages.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_SHIFT = 11, PAGE_COST = FYKE_PAGE_BYTES + 2 * (int)sizeof(struct fyke_page_slot) };

_Static_assert(1 << PAGE_SHIFT == FYKE_PAGE_BYTES, "pages are found by shifting");

void fyke_stream_memory_init(struct fyke_stream_memory *memory, uint64_t limit)
{
	*memory = (struct fyke_stream_memory){.limit = limit};
	fyke_pool_init(&memory->pages, FYKE_PAGE_BYTES);
}

void fyke_stream_memory_release(struct fyke_stream_memory *memory)
{
	fyke_pool_release(&memory->pages);
	*memory = (struct fyke_stream_memory){0};
}

bool fyke_stream_memory_take(struct fyke_stream_memory *memory, uint64_t bytes)
{
	if (bytes > memory->limit || memory->used > memory->limit - bytes)
		return false;
	memory->used += bytes;
	if (memory->used > memory->most)
		memory->most = memory->used;
	return true;
}

void fyke_stream_memory_give(struct fyke_stream_memory *memory, uint64_t bytes)
{
	memory->used -= bytes;
}

/* Shifting rounds towards minus infinity, as offsets before a guessed start need. */
static int64_t number_of(int64_t offset)
{
	return offset >> PAGE_SHIFT;
}

static struct fyke_page_slot *slot_at(const struct fyke_page_map *map, uint32_t index)
{
	return &map->slots[map->head + index];
}

/* Index of the first page with this number or a higher one. */
static uint32_t find(const struct fyke_page_map *map, int64_t number)
{
	uint32_t low = 0, high = map->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (slot_at(map, middle)->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t fyke_pages_cost(const struct fyke_page_map *map, int64_t start, int64_t end)
{
	int64_t first = number_of(start), last = number_of(end - 1);
	uint32_t from = find(map, first), to = find(map, last + 1);

	return (uint64_t)(last - first + 1 - (to - from)) * PAGE_COST;
}

static bool make_room(struct fyke_page_map *map)
{
	struct fyke_page_slot *slots;
	uint32_t room;

	if (map->head + map->count < map->room)
		return true;
	if (map->head > map->room / 2) {
		memmove(map->slots, slot_at(map, 0), map->count * sizeof(*slots));
		map->head = 0;
		return true;
	}
	room = map->room == 0 ? 4 : map->room * 2;
	slots = reallocarray(map->slots, room, sizeof(*slots));
	if (slots == NULL)
		return false;
	map->slots = slots;
	map->room = room;
	return true;
}

bool fyke_pages_add(struct fyke_page_map *map, struct fyke_stream_memory *memory, int64_t start, int64_t end)
{
	uint32_t at = find(map, number_of(start));

	for (int64_t number = number_of(start); number <= number_of(end - 1); number++, at++) {
		uint32_t page;

		if (at < map->count && slot_at(map, at)->number == number)
			continue;
		if (!make_room(map))
			return false;
		page = fyke_pool_take(&memory->pages);
		if (page == 0)
			return false;
		memmove(slot_at(map, at + 1), slot_at(map, at),
			(map->count - at) * sizeof(struct fyke_page_slot));
		*slot_at(map, at) = (struct fyke_page_slot){number, page};
		map->count++;
	}
	return true;
}

uint8_t *fyke_pages_at(const struct fyke_page_map *map, const struct fyke_stream_memory *memory,
	int64_t offset, size_t *length)
{
	const struct fyke_page_slot *slot = slot_at(map, find(map, number_of(offset)));
	size_t within = (size_t)(offset - slot->number * FYKE_PAGE_BYTES);

	*length = FYKE_PAGE_BYTES - within;
	return (uint8_t *)fyke_pool_at(&memory->pages, slot->page) + within;
}

void fyke_pages_write(const struct fyke_page_map *map, const struct fyke_stream_memory *memory,
	int64_t offset, const uint8_t *data, size_t length)
{
	while (length > 0) {
		size_t part;
		uint8_t *to = fyke_pages_at(map, memory, offset, &part);

		if (part > length)
			part = length;
		memcpy(to, data, part);
		offset += (int64_t)part;
		data += part;
		length -= part;
	}
}

uint64_t fyke_pages_held(const struct fyke_page_map *map)
{
	return (uint64_t)map->count * PAGE_COST;
}

void fyke_pages_drop_before(struct fyke_page_map *map, struct fyke_stream_memory *memory, int64_t offset)
{
	while (map->count > 0 && (slot_at(map, 0)->number + 1) * FYKE_PAGE_BYTES <= offset) {
		fyke_pool_give(&memory->pages, slot_at(map, 0)->page);
		map->head++;
		map->count--;
	}
}

void fyke_pages_release(struct fyke_page_map *map, struct fyke_stream_memory *memory)
{
	for (uint32_t i = 0; i < map->count; i++)
		fyke_pool_give(&memory->pages, slot_at(map, i)->page);
	free(map->slots);
	*map = (struct fyke_page_map){0};
}
