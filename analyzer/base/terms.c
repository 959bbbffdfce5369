/* A list, and a table of at most half of it used that finds a pointer's place in it. */
#include "analyzer/base/terms.h"

#include <stdlib.h>

enum { SLOTS_AT_START = 256 };

static uint32_t home_of(const struct fyke_terms *terms, const void *term)
{
	return (uint32_t)((uint64_t)(uintptr_t)term * UINT64_C(0x9e3779b97f4a7c15) >> 32) & terms->mask;
}

/* Where it stands, or where it would. */
static uint32_t slot_of(const struct fyke_terms *terms, const void *term)
{
	uint32_t at = home_of(terms, term);

	while (terms->slots[at] != 0 && terms->list[terms->slots[at]] != term)
		at = (at + 1) & terms->mask;
	return at;
}

static int grow(struct fyke_terms *terms)
{
	uint32_t slots = terms->slots == NULL ? SLOTS_AT_START : 2 * (terms->mask + 1);
	struct fyke_terms grown = {.count = terms->count, .mask = slots - 1};

	grown.list = calloc(slots / 2 + 1, sizeof(*grown.list));
	grown.slots = calloc(slots, sizeof(*grown.slots));
	if (grown.list == NULL || grown.slots == NULL) {
		fyke_terms_release(&grown);
		return -1;
	}
	for (uint32_t i = 1; i <= terms->count; i++) {
		grown.list[i] = terms->list[i];
		grown.slots[slot_of(&grown, terms->list[i])] = (uint16_t)i;
	}
	fyke_terms_release(terms);
	*terms = grown;
	return 0;
}

uint16_t fyke_terms_number(struct fyke_terms *terms, const void *term)
{
	uint32_t at;

	if (term == NULL)
		return 0;
	if (terms->slots == NULL && grow(terms) != 0)
		return 0;
	at = slot_of(terms, term);
	if (terms->slots[at] != 0)
		return terms->slots[at];
	if (terms->count == UINT16_MAX || (2 * terms->count > terms->mask && grow(terms) != 0))
		return 0;
	terms->list[++terms->count] = term;
	at = slot_of(terms, term);
	terms->slots[at] = (uint16_t)terms->count;
	return terms->slots[at];
}

void fyke_terms_release(struct fyke_terms *terms)
{
	free(terms->list);
	free(terms->slots);
	*terms = (struct fyke_terms){0};
}
