/* A bump allocator over 64 KiB pages; what is larger gets a page of its own. */
#include "analyzer/base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_SIZE = 64 * 1024, ALIGNMENT = 16 };

struct fyke_arena_page {
	struct fyke_arena_page *next;
	size_t size; /* of bytes[] */
	_Alignas(ALIGNMENT) char bytes[];
};

void fyke_arena_init(struct fyke_arena *arena)
{
	*arena = (struct fyke_arena){0};
}

static void free_pages(struct fyke_arena_page *page)
{
	while (page != NULL) {
		struct fyke_arena_page *next = page->next;

		free(page);
		page = next;
	}
}

void fyke_arena_reset(struct fyke_arena *arena)
{
	struct fyke_arena_page *kept = arena->pages;

	arena->used = 0;
	if (kept == NULL)
		return;
	free_pages(kept->next);
	kept->next = NULL;
	if (kept->size > PAGE_SIZE) {
		fyke_arena_release(arena);
		return;
	}
	arena->at = kept->bytes;
	arena->end = kept->bytes + kept->size;
}

void fyke_arena_release(struct fyke_arena *arena)
{
	free_pages(arena->pages);
	fyke_arena_init(arena);
}

static void *take_from_new_page(struct fyke_arena *arena, size_t size)
{
	size_t room = size > PAGE_SIZE ? size : (size_t)PAGE_SIZE;
	struct fyke_arena_page *page = malloc(sizeof(*page) + room);

	if (page == NULL)
		return NULL;
	page->next = arena->pages;
	page->size = room;
	arena->pages = page;
	arena->at = page->bytes + size;
	arena->end = page->bytes + room;
	return page->bytes;
}

void *fyke_arena_take(struct fyke_arena *arena, size_t size)
{
	char *here = arena->at;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (here == NULL || (size_t)(arena->end - here) < size) {
		here = take_from_new_page(arena, size);
		if (here == NULL)
			return NULL;
	} else {
		arena->at = here + size;
	}
	arena->used += size;
	return here;
}

void *fyke_arena_zero(struct fyke_arena *arena, size_t size)
{
	void *here = fyke_arena_take(arena, size);

	if (here != NULL)
		memset(here, 0, size);
	return here;
}

char *fyke_arena_copy(struct fyke_arena *arena, const void *data, size_t length)
{
	char *here = fyke_arena_take(arena, length + 1);

	if (here == NULL)
		return NULL;
	if (length > 0)
		memcpy(here, data, length);
	here[length] = '\0';
	return here;
}

void fyke_arena_merge(struct fyke_arena *into, struct fyke_arena *from)
{
	struct fyke_arena_page *last = from->pages;

	if (last == NULL)
		return;
	while (last->next != NULL)
		last = last->next;
	if (into->pages == NULL) {
		into->at = from->at;
		into->end = from->end;
		into->pages = from->pages;
	} else {
		last->next = into->pages->next;
		into->pages->next = from->pages;
	}
	into->used += from->used;
	fyke_arena_init(from);
}
