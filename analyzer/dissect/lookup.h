/*
 * Which dissectors come into question: by name, by the server's port, by the first byte of a side.
 * Made once, then only read: engines on several threads share it.
 */
#ifndef FYKE_DISSECT_LOOKUP_H
#define FYKE_DISSECT_LOOKUP_H

#include "dissectors/dissector.h"

enum { FYKE_DISSECTORS_MAX = 128 };

/* Dissectors by their place in the list. */
struct fyke_dissector_set {
	uint64_t bits[FYKE_DISSECTORS_MAX / 64];
};

struct fyke_dissect_lookup;

/* `dissectors` ends with NULL, and is borrowed for the lookup's life. NULL when memory is out or there are
 * more than FYKE_DISSECTORS_MAX. */
struct fyke_dissect_lookup *fyke_dissect_lookup_new(const struct fyke_dissector *const *dissectors);
void fyke_dissect_lookup_free(struct fyke_dissect_lookup *lookup);

const struct fyke_dissector *fyke_dissect_at(const struct fyke_dissect_lookup *lookup, size_t place);
/* NULL: no such name. */
const struct fyke_dissector *fyke_dissect_named(const struct fyke_dissect_lookup *lookup, const char *name);
size_t fyke_dissect_place(const struct fyke_dissect_lookup *lookup, const struct fyke_dissector *dissector);

/* Those whose ports name this one. */
const struct fyke_dissector_set *fyke_dissect_on_port(
	const struct fyke_dissect_lookup *lookup, unsigned transport, uint16_t port);
/* Those with a signature of `side` that begins with this byte. */
const struct fyke_dissector_set *fyke_dissect_first_byte(
	const struct fyke_dissect_lookup *lookup, unsigned transport, enum fyke_side side, uint8_t byte);
/* Those that are probed on every port. */
const struct fyke_dissector_set *fyke_dissect_anywhere(
	const struct fyke_dissect_lookup *lookup, unsigned transport);

static inline bool fyke_dissector_set_has(const struct fyke_dissector_set *set, size_t place)
{
	return (set->bits[place / 64] >> (place % 64) & 1) != 0;
}

static inline void fyke_dissector_set_add(struct fyke_dissector_set *set, size_t place)
{
	set->bits[place / 64] |= (uint64_t)1 << (place % 64);
}

#endif
