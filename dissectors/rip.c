/*
 * RIP (RFC 1058, version 2 RFC 2453) and RIPng (RFC 2080): one row per message with its routes.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/phrase.h"

#include <string.h>

enum { ENTRY = 20, HEADER = 4, ROUTES_ROOM = 4096, AUTHENTICATION = 0xffff };

enum { VERSION, COMMAND, ROUTE_COUNT, ROUTES, PASSWORD, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[VERSION] = {"version", FYKE_TYPE_TEXT, "1, 2 or ng"},
	[COMMAND] = {"command", FYKE_TYPE_TEXT, "request or response"},
	[ROUTE_COUNT] = {"route_count", FYKE_TYPE_INTEGER, "entries in it"},
	[ROUTES] = {"routes", FYKE_TYPE_TEXT,
		"as network/mask metric, joined by \", \"; at most 4,096 bytes"},
	[PASSWORD] = {"password", FYKE_TYPE_TEXT, "of version 2: *** unless secrets were asked for"},
};

static const struct fyke_table table = {"rip", "one row per message", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

static bool is_next_generation(const struct fyke_opening *opening)
{
	return opening->port[FYKE_SERVER] == 521;
}

static bool is_message(const uint8_t *data, size_t length, bool ng)
{
	if (length < HEADER || (length - HEADER) % ENTRY != 0 || (data[0] != 1 && data[0] != 2) ||
		data[2] != 0 || data[3] != 0)
		return false;
	return ng ? data[1] == 1 : data[1] == 1 || data[1] == 2;
}

static void say_prefix(struct fyke_phrase *out, const uint8_t mask[4])
{
	uint32_t bits = (uint32_t)mask[0] << 24 | (uint32_t)mask[1] << 16 | (uint32_t)mask[2] << 8 | mask[3];

	if (bits == 0)
		return;
	fyke_phrase_add(out, "/", 1);
	fyke_phrase_number(out, (uint64_t)__builtin_popcount(bits));
}

static void say_route(struct fyke_phrase *out, const uint8_t *entry, bool ng)
{
	struct fyke_cursor metric = fyke_cursor(entry + 16, 4);

	fyke_phrase_next(out, ", ");
	if (ng) {
		fyke_phrase_ipv6(out, entry);
		fyke_phrase_add(out, "/", 1);
		fyke_phrase_number(out, entry[18]);
		fyke_phrase_add(out, " ", 1);
		fyke_phrase_number(out, entry[19]);
		return;
	}
	fyke_phrase_ipv4(out, entry + 4);
	say_prefix(out, entry + 8);
	fyke_phrase_add(out, " ", 1);
	fyke_phrase_number(out, fyke_cursor_u32(&metric));
}

/* RFC 2453 §4.1: a password where the first route would stand. */
static bool take_password(struct fyke_dissection *dissection, const uint8_t *entry, struct fyke_value *values)
{
	if ((entry[0] << 8 | entry[1]) != AUTHENTICATION)
		return false;
	if ((entry[2] << 8 | entry[3]) == 2)
		values[PASSWORD] = fyke_secret(dissection, entry + 4, strnlen((const char *)entry + 4, 16));
	return true;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	bool ng = fyke_port_of(dissection, FYKE_SERVER) == 521;
	struct fyke_value values[FIELD_COUNT] = {{0}};
	char text[ROUTES_ROOM];
	struct fyke_phrase routes = fyke_phrase(text, sizeof(text));
	int64_t count = 0;

	if (!is_message(input->data, input->length, ng) && (!input->cut || input->length < HEADER))
		return fyke_not_mine();
	values[VERSION] = fyke_word(ng ? "ng" : input->data[1] == 1 ? "1" : "2");
	values[COMMAND] = fyke_word(input->data[0] == 1 ? "request" : "response");
	for (size_t at = HEADER; at + ENTRY <= input->length; at += ENTRY) {
		size_t before = routes.length;

		if (!ng && take_password(dissection, input->data + at, values))
			continue;
		count++;
		say_route(&routes, input->data + at, ng);
		if (routes.cut)
			routes.length = before;
	}
	values[ROUTE_COUNT] = fyke_integer(count);
	values[ROUTES] = fyke_phrase_value(&routes);
	fyke_record(dissection, &table, values);
	return fyke_rest();
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		size_t length = opening->side[side].length;

		if (length > 0 && !is_message(opening->side[side].data, length, is_next_generation(opening)))
			return FYKE_NO;
	}
	return opening->on_port ? FYKE_YES : FYKE_MAYBE;
}

static const uint16_t ports[] = {520, 521, 0};
static const char *const services[] = {"router", "ripng", NULL};

const struct fyke_dissector fyke_dissector_rip = {
	.name = "rip",
	.title = "Routing Information Protocol, RFC 2453 and 2080",
	.doc = "One row per message on its own ports.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.tables = tables,
	.probe = probe,
	.feed = feed,
};
