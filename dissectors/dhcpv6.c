/*
 * DHCPv6 (RFC 8415), also within the messages of relays. A row is what the messages of one transaction say
 * in one session; clients mostly speak to a group, and servers answer in another session.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/dns.h"

#include <string.h>

enum {
	OPTION_LAST = 148, /* that is assigned */
	TEXT_MAX = 255,
	DEPTH_MAX = 8,
	OPTIONS_MAX = 256,
	RELAY_FORWARD = 12,
	RELAY_REPLY = 13,
	TYPES = 14
};

enum {
	TRANSACTION,
	MESSAGE_TYPES,
	CLIENT_DUID,
	SERVER_DUID,
	CLIENT_FQDN,
	VENDOR_CLASS,
	PARAMETERS,
	ADDRESSES,
	PREFIXES,
	PREFERRED_SECONDS,
	VALID_SECONDS,
	DNS_SERVERS,
	DOMAIN,
	STATUS,
	MESSAGE,
	RELAY_LINK,
	RELAY_PEER,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[TRANSACTION] = {"transaction", FYKE_TYPE_INTEGER, "the id that its messages share"},
	[MESSAGE_TYPES] = {"message_types", FYKE_TYPE_TEXT, "its messages in order: SOLICIT, ADVERTISE …"},
	[CLIENT_DUID] = {"client_duid", FYKE_TYPE_TEXT, "the client's identifier, in hex"},
	[SERVER_DUID] = {"server_duid", FYKE_TYPE_TEXT, "the server's identifier, in hex"},
	[CLIENT_FQDN] = {"client_fqdn", FYKE_TYPE_TEXT, "the client's name"},
	[VENDOR_CLASS] = {"vendor_class", FYKE_TYPE_TEXT, "what the client is: MSFT 5.0 …"},
	[PARAMETERS] = {"parameters", FYKE_TYPE_TEXT, "the options that the client asks for"},
	[ADDRESSES] = {"addresses", FYKE_TYPE_TEXT, "addresses asked for or given, joined by commas"},
	[PREFIXES] = {"prefixes", FYKE_TYPE_TEXT, "networks asked for or given, joined by commas"},
	[PREFERRED_SECONDS] = {"preferred_seconds", FYKE_TYPE_INTEGER, "preferred lifetime of the first"},
	[VALID_SECONDS] = {"valid_seconds", FYKE_TYPE_INTEGER, "valid lifetime of the first"},
	[DNS_SERVERS] = {"dns_servers", FYKE_TYPE_TEXT, "DNS servers, joined by commas"},
	[DOMAIN] = {"domain", FYKE_TYPE_TEXT, "domains to search, joined by commas"},
	[STATUS] = {"status", FYKE_TYPE_INTEGER, "status code; 0 = success"},
	[MESSAGE] = {"message", FYKE_TYPE_TEXT, "the status in words"},
	[RELAY_LINK] = {"relay_link", FYKE_TYPE_TEXT, "the link that the relay names"},
	[RELAY_PEER] = {"relay_peer", FYKE_TYPE_TEXT, "whom the relay speaks for"},
};

static const struct fyke_table table = {"dhcpv6", "one row per transaction and session", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct state {
	bool busy, has_lifetimes, has_status;
	struct fyke_moment at;
	uint32_t transaction, preferred, valid;
	uint16_t status;
	uint8_t type;		   /* of the latest message */
	struct fyke_address given; /* the latest address in it */
	struct fyke_text text[FIELD_COUNT];
};

struct reading {
	struct fyke_dissection *dissection;
	struct state *state;
};

static void set(struct reading *reading, int field, const struct fyke_phrase *phrase)
{
	if (phrase->length > 0)
		fyke_keep(reading->dissection, &reading->state->text[field], phrase->text, phrase->length,
			TEXT_MAX);
}

static void add(struct reading *reading, int field, const char *separator, const void *bytes, size_t length)
{
	struct fyke_text *text = &reading->state->text[field];

	if (fyke_text_is_set(text))
		fyke_append(reading->dissection, text, separator, __builtin_strlen(separator), TEXT_MAX);
	fyke_append(reading->dissection, text, bytes, length, TEXT_MAX);
}

static void set_duid(struct reading *reading, int field, struct fyke_cursor c)
{
	char text[TEXT_MAX];
	struct fyke_phrase phrase = fyke_phrase(text, sizeof(text));

	fyke_phrase_hex(&phrase, c.at, fyke_cursor_left(&c));
	set(reading, field, &phrase);
}

static void set_addresses(struct reading *reading, int field, struct fyke_cursor c)
{
	char text[TEXT_MAX];
	struct fyke_phrase phrase = fyke_phrase(text, sizeof(text));

	while (fyke_cursor_left(&c) >= 16) {
		fyke_phrase_next(&phrase, ",");
		fyke_phrase_ipv6(&phrase, fyke_cursor_take(&c, 16));
	}
	set(reading, field, &phrase);
}

static void set_names(struct reading *reading, int field, struct fyke_cursor c)
{
	char text[FYKE_DNS_NAME_ROOM];
	struct fyke_phrase phrase = fyke_phrase(text, sizeof(text));
	const struct fyke_dns_reader reader = {.message = c.at, .length = fyke_cursor_left(&c)};

	while (fyke_cursor_left(&c) > 0 && phrase.length < TEXT_MAX) {
		fyke_phrase_next(&phrase, ",");
		if (!fyke_dns_name(&reader, &c, &phrase))
			break;
	}
	set(reading, field, &phrase);
}

static void set_numbers(struct reading *reading, struct fyke_cursor c)
{
	char text[TEXT_MAX];
	struct fyke_phrase phrase = fyke_phrase(text, sizeof(text));

	while (fyke_cursor_left(&c) >= 2) {
		fyke_phrase_next(&phrase, ",");
		fyke_phrase_number(&phrase, fyke_cursor_u16(&c));
	}
	set(reading, PARAMETERS, &phrase);
}

static void set_lifetimes(struct reading *reading, struct fyke_cursor *c)
{
	uint32_t preferred = fyke_cursor_u32(c), valid = fyke_cursor_u32(c);

	if (reading->state->has_lifetimes || !fyke_cursor_ok(c))
		return;
	reading->state->preferred = preferred;
	reading->state->valid = valid;
	reading->state->has_lifetimes = true;
}

static void add_address(struct reading *reading, struct fyke_cursor c)
{
	const uint8_t *bytes = fyke_cursor_take(&c, 16);
	char text[FYKE_ADDRESS_TEXT];

	if (bytes == NULL)
		return;
	reading->state->given = fyke_address_ipv6(bytes);
	set_lifetimes(reading, &c);
	add(reading, ADDRESSES, ",", text, fyke_address_text(&reading->state->given, text));
}

static void add_prefix(struct reading *reading, struct fyke_cursor c)
{
	char text[FYKE_ADDRESS_TEXT + 8];
	struct fyke_phrase phrase = fyke_phrase(text, sizeof(text));
	unsigned length;
	const uint8_t *bytes;

	set_lifetimes(reading, &c);
	length = fyke_cursor_u8(&c);
	bytes = fyke_cursor_take(&c, 16);
	if (bytes == NULL)
		return;
	fyke_phrase_ipv6(&phrase, bytes);
	fyke_phrase_add(&phrase, "/", 1);
	fyke_phrase_number(&phrase, length);
	add(reading, PREFIXES, ",", text, phrase.length);
}

static void set_status(struct reading *reading, struct fyke_cursor c)
{
	uint16_t status = fyke_cursor_u16(&c);

	if (!fyke_cursor_ok(&c))
		return;
	reading->state->status = status;
	reading->state->has_status = true;
	fyke_keep(reading->dissection, &reading->state->text[MESSAGE], c.at, fyke_cursor_left(&c), TEXT_MAX);
}

static void set_vendor(struct reading *reading, struct fyke_cursor c)
{
	(void)fyke_cursor_u32(&c); /* enterprise number */
	c = fyke_cursor_carve(&c, fyke_cursor_u16(&c));
	fyke_keep(reading->dissection, &reading->state->text[VENDOR_CLASS], c.at, fyke_cursor_left(&c),
		TEXT_MAX);
}

static bool read_options(struct reading *reading, struct fyke_cursor c, int depth);

static void read_option(struct reading *reading, uint16_t code, struct fyke_cursor c, int depth)
{
	switch (code) {
	case 1:
	case 2:
		set_duid(reading, code == 1 ? CLIENT_DUID : SERVER_DUID, c);
		break;
	case 3:
	case 4:
	case 25: /* identity associations: their options behind id (and times) */
		(void)fyke_cursor_take(&c, code == 4 ? 4 : 12);
		(void)read_options(reading, c, depth + 1);
		break;
	case 5:
		add_address(reading, c);
		break;
	case 6:
		set_numbers(reading, c);
		break;
	case 13:
		set_status(reading, c);
		break;
	case 16:
		set_vendor(reading, c);
		break;
	case 23:
		set_addresses(reading, DNS_SERVERS, c);
		break;
	case 24:
		set_names(reading, DOMAIN, c);
		break;
	case 26:
		add_prefix(reading, c);
		break;
	case 39:
		(void)fyke_cursor_u8(&c);
		set_names(reading, CLIENT_FQDN, c);
		break;
	default:
		break;
	}
}

/* False where they do not fill the bytes exactly; no option has the number 0. */
static bool read_options(struct reading *reading, struct fyke_cursor c, int depth)
{
	for (int i = 0; i < OPTIONS_MAX && fyke_cursor_left(&c) > 0 && fyke_cursor_ok(&c); i++) {
		uint16_t code = fyke_cursor_u16(&c);
		struct fyke_cursor option = fyke_cursor_carve(&c, fyke_cursor_u16(&c));

		if (code == 0 || code > OPTION_LAST)
			return false;
		if (fyke_cursor_ok(&c) && reading != NULL && depth < DEPTH_MAX)
			read_option(reading, code, option, depth);
	}
	return fyke_cursor_ok(&c) && fyke_cursor_left(&c) == 0;
}

/* The message that the relay passes on, in option 9; empty where there is none. */
static struct fyke_cursor relayed(struct fyke_cursor c)
{
	while (fyke_cursor_left(&c) > 0 && fyke_cursor_ok(&c)) {
		uint16_t code = fyke_cursor_u16(&c);
		struct fyke_cursor option = fyke_cursor_carve(&c, fyke_cursor_u16(&c));

		if (code == 9 && fyke_cursor_ok(&c))
			return option;
	}
	return fyke_cursor(NULL, 0);
}

/* Through relays to the innermost message; their addresses are the innermost's. */
static struct fyke_cursor unwrap(struct fyke_cursor c, const uint8_t **link, const uint8_t **peer)
{
	for (int i = 0; i < DEPTH_MAX && fyke_cursor_left(&c) > 0; i++) {
		if (*c.at != RELAY_FORWARD && *c.at != RELAY_REPLY)
			return c;
		(void)fyke_cursor_u16(&c); /* type, hops */
		*link = fyke_cursor_take(&c, 16);
		*peer = fyke_cursor_take(&c, 16);
		c = relayed(c);
	}
	return c;
}

static void tell(struct fyke_dissection *dissection, struct state *state)
{
	struct fyke_value values[FIELD_COUNT];

	if (!state->busy)
		return;
	for (int i = 0; i < FIELD_COUNT; i++)
		values[i] = fyke_text_of(&state->text[i]);
	values[TRANSACTION] = fyke_integer(state->transaction);
	values[PREFERRED_SECONDS] = fyke_integer_if(state->has_lifetimes, state->preferred);
	values[VALID_SECONDS] = fyke_integer_if(state->has_lifetimes, state->valid);
	values[STATUS] = fyke_integer_if(state->has_status, state->status);
	fyke_record_at(dissection, &table, state->at, values);
	for (int i = 0; i < FIELD_COUNT; i++)
		fyke_drop(dissection, &state->text[i]);
	*state = (struct state){.busy = false};
}

static void say_facts(struct reading *reading)
{
	const struct fyke_text *name = &reading->state->text[CLIENT_FQDN];

	if (fyke_text_is_set(name) && reading->state->given.family != FYKE_ADDRESS_NONE)
		fyke_host_says(reading->dissection, &reading->state->given, FYKE_HOST_NAME, name->bytes,
			name->length, "dhcpv6");
}

static void begin(struct reading *reading, uint32_t transaction)
{
	struct state *state = reading->state;

	if (state->busy && state->transaction != transaction)
		tell(reading->dissection, state);
	if (!state->busy)
		*state = (struct state){
			.busy = true, .transaction = transaction, .at = fyke_now(reading->dissection)};
	/* a later message repeats or corrects what an earlier one said */
	fyke_drop(reading->dissection, &state->text[ADDRESSES]);
	fyke_drop(reading->dissection, &state->text[PREFIXES]);
	state->has_lifetimes = false;
}

static void set_relay(struct reading *reading, const uint8_t *link, const uint8_t *peer)
{
	if (link == NULL || peer == NULL)
		return;
	set_addresses(reading, RELAY_LINK, fyke_cursor(link, 16));
	set_addresses(reading, RELAY_PEER, fyke_cursor(peer, 16));
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	static const char *const types[TYPES] = {NULL, "SOLICIT", "ADVERTISE", "REQUEST", "CONFIRM", "RENEW",
		"REBIND", "REPLY", "RELEASE", "DECLINE", "RECONFIGURE", "INFORMATION-REQUEST", NULL, NULL};
	struct reading reading = {.dissection = dissection, .state = fyke_state(dissection)};
	const uint8_t *link = NULL, *peer = NULL;
	struct fyke_cursor c = unwrap(fyke_cursor(input->data, input->length), &link, &peer);
	uint8_t type = fyke_cursor_u8(&c);
	uint32_t transaction = fyke_cursor_u24(&c);

	if (!fyke_cursor_ok(&c) || type >= TYPES || types[type] == NULL)
		return fyke_not_mine();
	if (!read_options(NULL, c, 0) && !input->cut)
		return fyke_not_mine();
	fyke_confirm(dissection);
	begin(&reading, transaction);
	(void)read_options(&reading, c, 0);
	set_relay(&reading, link, peer);
	add(&reading, MESSAGE_TYPES, ",", types[type], __builtin_strlen(types[type]));
	say_facts(&reading);
	if (type != 7)
		return fyke_more(input->length);
	tell(dissection, reading.state);
	return fyke_rest();
}

static void end(struct fyke_dissection *dissection)
{
	tell(dissection, fyke_state(dissection));
}

/* A header has little that others could not have: only on its own ports. */
static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		const uint8_t *link = NULL, *peer = NULL;
		struct fyke_cursor c = unwrap(
			fyke_cursor(opening->side[side].data, opening->side[side].length), &link, &peer);
		uint8_t type = fyke_cursor_u8(&c);

		(void)fyke_cursor_u24(&c);
		if (fyke_cursor_left(&c) > 0 && type > 0 && type < TYPES && read_options(NULL, c, 0))
			return opening->on_port ? FYKE_LIKELY : FYKE_MAYBE;
	}
	return FYKE_NO;
}

static const uint16_t ports[] = {547, 546, 0};
static const char *const services[] = {"dhcpv6-server", "dhcpv6-client", NULL};

const struct fyke_dissector fyke_dissector_dhcpv6 = {
	.name = "dhcpv6",
	.title = "Dynamic Host Configuration Protocol for IPv6, RFC 8415",
	.doc = "What client and server say of addresses and networks, also through relays. They mostly speak "
	       "in "
	       "two sessions, each with rows of its own; `transaction` joins them.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
	.end = end,
};
