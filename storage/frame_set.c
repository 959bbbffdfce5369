/* Bits in pages of 4096 frames; a directory of pages that grows with the highest number. */
#include "storage/frame_set.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_BITS = 12, PAGE_WORDS = (1 << PAGE_BITS) / 64, PAGES_MAX = 1 << 21 };

void fyke_frame_set_release(struct fyke_frame_set *set)
{
	for (size_t i = 0; i < set->page_room; i++)
		free(set->pages[i]);
	free(set->pages);
	*set = (struct fyke_frame_set){0};
}

static bool make_room(struct fyke_frame_set *set, size_t page)
{
	size_t room = set->page_room == 0 ? 16 : set->page_room;
	uint64_t **grown;

	while (room <= page)
		room *= 2;
	grown = reallocarray(set->pages, room, sizeof(*grown));
	if (grown == NULL)
		return false;
	memset(grown + set->page_room, 0, (room - set->page_room) * sizeof(*grown));
	set->pages = grown;
	set->page_room = room;
	return true;
}

bool fyke_frame_set_add(struct fyke_frame_set *set, uint64_t frame)
{
	size_t page = (size_t)(frame >> PAGE_BITS), word = frame / 64 % PAGE_WORDS;
	uint64_t bit = UINT64_C(1) << frame % 64;

	if (frame > FYKE_FRAME_SET_LAST || (page >= set->page_room && !make_room(set, page)))
		return false;
	if (set->pages[page] == NULL) {
		if (set->page_count == PAGES_MAX)
			return false;
		set->pages[page] = calloc(PAGE_WORDS, sizeof(uint64_t));
		if (set->pages[page] == NULL)
			return false;
		set->page_count++;
	}
	set->count += (set->pages[page][word] & bit) == 0;
	set->pages[page][word] |= bit;
	return true;
}

uint64_t fyke_frame_set_next(const struct fyke_frame_set *set, uint64_t from)
{
	uint64_t kept = UINT64_MAX << from % 64; /* bits of the first word that count */
	size_t word = from / 64 % PAGE_WORDS;

	for (uint64_t page = from >> PAGE_BITS; page < set->page_room; page++) {
		const uint64_t *words = set->pages[page];

		for (; words != NULL && word < PAGE_WORDS; word++) {
			uint64_t left = words[word] & kept;

			if (left != 0)
				return (page << PAGE_BITS) + word * 64 + (unsigned)__builtin_ctzll(left);
			kept = UINT64_MAX;
		}
		word = 0;
		kept = UINT64_MAX;
	}
	return UINT64_MAX;
}
