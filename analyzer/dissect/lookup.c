/*
 * Sets of dissectors as bits, in tables by port and by first byte. Few ports are declared, so the
 * table of ports holds the number of a set; set 0 is empty.
 */
#include "analyzer/dissect/lookup.h"

#include <stdlib.h>
#include <string.h>

enum { TRANSPORTS = 2, PORTS = 65536, BYTES = 256, SETS_MAX = 1024 };

struct fyke_dissect_lookup {
	const struct fyke_dissector *const *dissectors;
	size_t count;
	struct fyke_dissector_set anywhere[TRANSPORTS];
	struct fyke_dissector_set first_byte[TRANSPORTS][2][BYTES];
	uint16_t port_set[TRANSPORTS][PORTS];
	struct fyke_dissector_set sets[SETS_MAX];
	uint16_t set_count;
};

static size_t transport_index(unsigned transport)
{
	return transport == FYKE_OVER_TCP ? 0 : 1;
}

/* Each declared port has a set of its own. */
static bool add_port(struct fyke_dissect_lookup *lookup, size_t transport, uint16_t port, size_t place)
{
	uint16_t *set = &lookup->port_set[transport][port];

	if (*set == 0) {
		if (lookup->set_count == SETS_MAX)
			return false;
		*set = lookup->set_count++;
	}
	fyke_dissector_set_add(&lookup->sets[*set], place);
	return true;
}

static void add_signature(struct fyke_dissect_lookup *lookup, size_t transport,
	const struct fyke_signature *signature, size_t place)
{
	for (size_t side = 0; side < 2; side++) {
		if ((signature->sides >> side & 1) == 0 || signature->length == 0)
			continue;
		fyke_dissector_set_add(
			&lookup->first_byte[transport][side][(uint8_t)signature->bytes[0]], place);
	}
}

static bool add(struct fyke_dissect_lookup *lookup, size_t transport, size_t place)
{
	const struct fyke_dissector *dissector = lookup->dissectors[place];

	if ((dissector->transports >> transport & 1) == 0)
		return true;
	if (dissector->anywhere && dissector->probe != NULL)
		fyke_dissector_set_add(&lookup->anywhere[transport], place);
	for (size_t i = 0; i < dissector->signature_count && dissector->probe != NULL; i++)
		add_signature(lookup, transport, &dissector->signatures[i], place);
	for (const uint16_t *port = dissector->ports; port != NULL && *port != 0; port++) {
		if (!add_port(lookup, transport, *port, place))
			return false;
	}
	return true;
}

struct fyke_dissect_lookup *fyke_dissect_lookup_new(const struct fyke_dissector *const *dissectors)
{
	struct fyke_dissect_lookup *lookup = calloc(1, sizeof(*lookup));
	bool fits = lookup != NULL;

	if (!fits)
		return NULL;
	lookup->dissectors = dissectors;
	lookup->set_count = 1;
	for (size_t i = 0; fits && dissectors[i] != NULL; i++) {
		lookup->count++;
		fits = i < FYKE_DISSECTORS_MAX && add(lookup, 0, i) && add(lookup, 1, i);
	}
	if (fits)
		return lookup;
	free(lookup);
	return NULL;
}

void fyke_dissect_lookup_free(struct fyke_dissect_lookup *lookup)
{
	free(lookup);
}

const struct fyke_dissector *fyke_dissect_at(const struct fyke_dissect_lookup *lookup, size_t place)
{
	return lookup->dissectors[place];
}

const struct fyke_dissector *fyke_dissect_named(const struct fyke_dissect_lookup *lookup, const char *name)
{
	for (size_t i = 0; i < lookup->count; i++) {
		if (strcmp(lookup->dissectors[i]->name, name) == 0)
			return lookup->dissectors[i];
	}
	return NULL;
}

size_t fyke_dissect_place(const struct fyke_dissect_lookup *lookup, const struct fyke_dissector *dissector)
{
	size_t place = 0;

	while (place + 1 < lookup->count && lookup->dissectors[place] != dissector)
		place++;
	return place;
}

const struct fyke_dissector_set *fyke_dissect_on_port(
	const struct fyke_dissect_lookup *lookup, unsigned transport, uint16_t port)
{
	return &lookup->sets[lookup->port_set[transport_index(transport)][port]];
}

const struct fyke_dissector_set *fyke_dissect_first_byte(
	const struct fyke_dissect_lookup *lookup, unsigned transport, enum fyke_side side, uint8_t byte)
{
	return &lookup->first_byte[transport_index(transport)][side][byte];
}

const struct fyke_dissector_set *fyke_dissect_anywhere(
	const struct fyke_dissect_lookup *lookup, unsigned transport)
{
	return &lookup->anywhere[transport_index(transport)];
}
