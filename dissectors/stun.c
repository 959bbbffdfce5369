/*
 * STUN and TURN (RFC 8489, RFC 8656; RFC 3489 without the cookie on its own ports). A row per transaction:
 * a request with its answer; indications alone. What shares the port is told by its first byte (RFC 7983):
 * DTLS, RTP and RTCP are handed over to whoever knows them; TURN's channel data is passed over.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/phrase.h"

#include <string.h>

enum {
	HEADER = 20,
	COOKIE = 0x2112a442,
	ID_BYTES = 12,
	WAITING_MAX = 16,
	TEXT_MAX = 255,
	ATTRIBUTES_MAX = 64
};

enum {
	METHOD,
	CLASS,
	TRANSACTION,
	USERNAME,
	REALM,
	SOFTWARE,
	MAPPED,
	RELAYED,
	PEER,
	LIFETIME,
	ERROR_CODE,
	ERROR_TEXT,
	RTT_US,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[METHOD] = {"method", FYKE_TYPE_TEXT, "binding, allocate, refresh, send, data …"},
	[CLASS] = {"class", FYKE_TYPE_TEXT,
		"request (no answer seen), success, error, indication; success and error may be answers "
		"alone"},
	[TRANSACTION] = {"transaction", FYKE_TYPE_TEXT, "its id, in hex"},
	[USERNAME] = {"username", FYKE_TYPE_TEXT, "who asks; of ICE the two fragments"},
	[REALM] = {"realm", FYKE_TYPE_TEXT, "where the name counts"},
	[SOFTWARE] = {"software", FYKE_TYPE_TEXT, "what the latest sender calls itself"},
	[MAPPED] = {"mapped_address", FYKE_TYPE_TEXT, "address:port of the client as the server sees it"},
	[RELAYED] = {"relayed_address", FYKE_TYPE_TEXT, "address:port that the relay opened"},
	[PEER] = {"peer_address", FYKE_TYPE_TEXT, "address:port of the peer behind the relay"},
	[LIFETIME] = {"lifetime_seconds", FYKE_TYPE_INTEGER, "how long an allocation lives"},
	[ERROR_CODE] = {"error_code", FYKE_TYPE_INTEGER, "401, 438 …"},
	[ERROR_TEXT] = {"error", FYKE_TYPE_TEXT, "the same in words"},
	[RTT_US] = {"rtt_us", FYKE_TYPE_INTEGER, "from request to answer"},
};

static const struct fyke_table table = {"stun", "one row per transaction", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct waiting {
	struct waiting *next;
	struct fyke_moment at;
	uint16_t method;
	uint8_t id[ID_BYTES];
	enum fyke_side sender;
	struct fyke_text username, realm, software, peer;
};

struct state {
	struct waiting *first;
	unsigned count;
};

struct message {
	uint16_t type;
	const uint8_t *id;
	struct fyke_cursor attributes;
	struct fyke_value values[FIELD_COUNT];
	char mapped[64], relayed[64], peer[64], id_text[2 * ID_BYTES];
};

static unsigned class_of(uint16_t type)
{
	return (type >> 7 & 2) | (type >> 4 & 1); /* request, indication, success, error */
}

static uint16_t method_of(uint16_t type)
{
	return (uint16_t)((type & 0x0f) | (type >> 1 & 0x70) | (type >> 2 & 0xf80));
}

/* One message at the cursor, with its cookie or (lax) without. */
static bool begin(struct fyke_cursor *c, struct message *message, bool lax)
{
	uint16_t length;

	message->type = fyke_cursor_u16(c);
	length = fyke_cursor_u16(c);
	if (fyke_cursor_u32(c) != COOKIE && !lax)
		return false;
	message->id = fyke_cursor_take(c, ID_BYTES);
	message->attributes = fyke_cursor_carve(c, length);
	return fyke_cursor_ok(c) && (message->type & 0xc000) == 0 && length % 4 == 0;
}

static bool attributes_fit(struct fyke_cursor c)
{
	while (fyke_cursor_left(&c) > 0 && fyke_cursor_ok(&c)) {
		(void)fyke_cursor_u16(&c);
		(void)fyke_cursor_take(&c, (fyke_cursor_u16(&c) + 3U) & ~3U);
	}
	return fyke_cursor_ok(&c);
}

/* RFC 8489 §14.1, §14.2: with `mask` (cookie and id) it is XORed. */
static struct fyke_value address_of(struct fyke_cursor c, const uint8_t *mask, char text[64])
{
	struct fyke_phrase phrase = fyke_phrase(text, 64);
	uint8_t bytes[16];
	unsigned family, port;
	size_t size;
	const uint8_t *from;

	(void)fyke_cursor_u8(&c);
	family = fyke_cursor_u8(&c);
	port = fyke_cursor_u16(&c);
	size = family == 2 ? 16 : 4;
	from = fyke_cursor_take(&c, size);
	if (from == NULL || (family != 1 && family != 2))
		return fyke_null();
	for (size_t i = 0; i < size; i++)
		bytes[i] = from[i] ^ (mask != NULL ? mask[i] : 0);
	if (mask != NULL)
		port ^= (unsigned)(mask[0] << 8 | mask[1]);
	if (size == 4) {
		fyke_phrase_ipv4(&phrase, bytes);
	} else {
		fyke_phrase_add(&phrase, "[", 1);
		fyke_phrase_ipv6(&phrase, bytes);
		fyke_phrase_add(&phrase, "]", 1);
	}
	fyke_phrase_add(&phrase, ":", 1);
	fyke_phrase_number(&phrase, port);
	return fyke_phrase_value(&phrase);
}

static void read_attribute(struct message *message, uint16_t type, struct fyke_cursor c)
{
	const uint8_t *mask = message->id - 4; /* the cookie stands in front of the id */
	size_t length = fyke_cursor_left(&c) < TEXT_MAX ? fyke_cursor_left(&c) : TEXT_MAX;
	struct fyke_value text = length > 0 ? fyke_bytes(c.at, length) : fyke_null();

	switch (type) {
	case 0x0001:
		if (message->values[MAPPED].kind == FYKE_VALUE_NULL)
			message->values[MAPPED] = address_of(c, NULL, message->mapped);
		break;
	case 0x0006:
		message->values[USERNAME] = text;
		break;
	case 0x0009:
		(void)fyke_cursor_u16(&c);
		message->values[ERROR_CODE] = fyke_integer(fyke_cursor_u8(&c) % 8 * 100);
		message->values[ERROR_CODE].integer += fyke_cursor_u8(&c);
		message->values[ERROR_TEXT] = fyke_bytes(c.at, fyke_cursor_left(&c));
		break;
	case 0x000d:
		message->values[LIFETIME] = fyke_integer(fyke_cursor_u32(&c));
		break;
	case 0x0012:
		message->values[PEER] = address_of(c, mask, message->peer);
		break;
	case 0x0014:
		message->values[REALM] = text;
		break;
	case 0x0016:
		message->values[RELAYED] = address_of(c, mask, message->relayed);
		break;
	case 0x0020:
	case 0x8020:
		message->values[MAPPED] = address_of(c, mask, message->mapped);
		break;
	case 0x8022:
		message->values[SOFTWARE] = text;
		break;
	default:
		break;
	}
}

static void read_attributes(struct message *message)
{
	struct fyke_cursor c = message->attributes;

	for (int i = 0; i < ATTRIBUTES_MAX && fyke_cursor_left(&c) > 0; i++) {
		uint16_t type = fyke_cursor_u16(&c), length = fyke_cursor_u16(&c);
		struct fyke_cursor value = fyke_cursor_carve(&c, length);

		if (!fyke_cursor_ok(&c))
			return;
		read_attribute(message, type, value);
		(void)fyke_cursor_skip(&c, (4U - length % 4U) % 4U);
	}
}

static const char *method_name(uint16_t method)
{
	static const char *const names[] = {NULL, "binding", "shared secret", "allocate", "refresh", NULL,
		"send", "data", "create permission", "channel bind", "connect", "connection bind",
		"connection attempt"};

	return method < sizeof(names) / sizeof(names[0]) && names[method] != NULL ? names[method] : "other";
}

static void name_message(struct message *message)
{
	static const char *const classes[] = {"request", "indication", "success", "error"};
	struct fyke_phrase id = fyke_phrase(message->id_text, sizeof(message->id_text));

	fyke_phrase_hex(&id, message->id, ID_BYTES);
	message->values[METHOD] = fyke_word(method_name(method_of(message->type)));
	message->values[CLASS] = fyke_word(classes[class_of(message->type)]);
	message->values[TRANSACTION] = fyke_phrase_value(&id);
}

/* ---- pairs ---- */

static void keep_value(
	struct fyke_dissection *dissection, struct fyke_text *text, const struct fyke_value *value)
{
	if (value->kind == FYKE_VALUE_BYTES)
		fyke_keep(dissection, text, value->bytes, value->length, TEXT_MAX);
}

static bool wait_for(struct fyke_dissection *dissection, const struct message *message, enum fyke_side sender)
{
	struct state *state = fyke_state(dissection);
	struct waiting *waiting = state->count < WAITING_MAX ? fyke_take(dissection, sizeof(*waiting)) : NULL;

	if (waiting == NULL)
		return false;
	waiting->at = fyke_now(dissection);
	waiting->method = method_of(message->type);
	waiting->sender = sender;
	memcpy(waiting->id, message->id, ID_BYTES);
	keep_value(dissection, &waiting->username, &message->values[USERNAME]);
	keep_value(dissection, &waiting->realm, &message->values[REALM]);
	keep_value(dissection, &waiting->software, &message->values[SOFTWARE]);
	keep_value(dissection, &waiting->peer, &message->values[PEER]);
	waiting->next = state->first;
	state->first = waiting;
	state->count++;
	return true;
}

static void use(struct fyke_value *value, const struct fyke_text *text)
{
	if (value->kind == FYKE_VALUE_NULL)
		*value = fyke_text_of(text);
}

/* Takes it out of the list, and fills in what the request said. */
static void fill_in(struct fyke_dissection *dissection, struct waiting **place, struct fyke_value *values)
{
	struct state *state = fyke_state(dissection);
	struct waiting *waiting = *place;

	use(&values[USERNAME], &waiting->username);
	use(&values[REALM], &waiting->realm);
	use(&values[SOFTWARE], &waiting->software);
	use(&values[PEER], &waiting->peer);
	*place = waiting->next;
	state->count--;
}

static void forget(struct fyke_dissection *dissection, struct waiting *waiting)
{
	fyke_drop(dissection, &waiting->username);
	fyke_drop(dissection, &waiting->realm);
	fyke_drop(dissection, &waiting->software);
	fyke_drop(dissection, &waiting->peer);
	fyke_give(dissection, waiting);
}

static void tell_answer(struct fyke_dissection *dissection, struct message *message)
{
	struct state *state = fyke_state(dissection);
	struct fyke_moment now = fyke_now(dissection);

	for (struct waiting **place = &state->first; *place != NULL; place = &(*place)->next) {
		struct waiting *waiting = *place;

		if (memcmp(waiting->id, message->id, ID_BYTES) != 0)
			continue;
		fill_in(dissection, place, message->values);
		message->values[RTT_US] = fyke_integer_if(
			now.time_ns >= waiting->at.time_ns, (now.time_ns - waiting->at.time_ns) / 1000);
		fyke_record_at(dissection, &table, waiting->at, message->values);
		forget(dissection, waiting);
		return;
	}
	fyke_record(dissection, &table, message->values);
}

static void tell_unanswered(struct fyke_dissection *dissection, struct waiting **place)
{
	struct waiting *waiting = *place;
	struct fyke_value values[FIELD_COUNT] = {{0}};
	char text[2 * ID_BYTES];
	struct fyke_phrase id = fyke_phrase(text, sizeof(text));

	fyke_phrase_hex(&id, waiting->id, ID_BYTES);
	values[METHOD] = fyke_word(method_name(waiting->method));
	values[CLASS] = fyke_word("request");
	values[TRANSACTION] = fyke_phrase_value(&id);
	fill_in(dissection, place, values);
	fyke_record_at(dissection, &table, waiting->at, values);
	forget(dissection, waiting);
}

/* The list is newest first. */
static void tell_oldest(struct fyke_dissection *dissection, struct state *state)
{
	struct waiting **place = &state->first;

	while (*place != NULL && (*place)->next != NULL)
		place = &(*place)->next;
	if (*place != NULL)
		tell_unanswered(dissection, place);
}

static bool is_known(const struct state *state, const struct message *message)
{
	for (const struct waiting *waiting = state->first; waiting != NULL; waiting = waiting->next) {
		if (memcmp(waiting->id, message->id, ID_BYTES) == 0)
			return true;
	}
	return false;
}

static void take(struct fyke_dissection *dissection, struct message *message, enum fyke_side sender)
{
	struct state *state = fyke_state(dissection);

	fyke_confirm(dissection);
	read_attributes(message);
	name_message(message);
	switch (class_of(message->type)) {
	case 0:
		if (is_known(state, message)) /* sent again */
			return;
		if (state->count == WAITING_MAX)
			tell_oldest(dissection, state);
		if (!wait_for(dissection, message, sender))
			fyke_record(dissection, &table, message->values);
		break;
	case 1:
		if (method_of(message->type) != 6 &&
			method_of(message->type) != 7) /* relayed data: too many */
			fyke_record(dissection, &table, message->values);
		break;
	default:
		if (message->values[SOFTWARE].kind == FYKE_VALUE_BYTES)
			fyke_product(dissection, sender, message->values[SOFTWARE].bytes,
				message->values[SOFTWARE].length);
		tell_answer(dissection, message);
		break;
	}
}

static struct fyke_verdict feed_datagram(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	struct message message = {.type = 0};
	uint8_t first = input->data[0];

	if ((first >= 20 && first < 64) || (first >= 128 && first < 192))
		return fyke_becomes(0, NULL);
	if (first >= 0x40 && first < 0x50) /* channel data */
		return fyke_more(input->length);
	if (!begin(&c, &message, true))
		return input->cut ? fyke_more(input->length) : fyke_not_mine();
	take(dissection, &message, input->side);
	return state->count == 0 ? fyke_rest() : fyke_more(input->length);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	struct message message = {.type = 0};
	size_t length;

	if (input->length == 0)
		return fyke_more(0);
	if (fyke_transport_of(dissection) == FYKE_OVER_UDP)
		return feed_datagram(dissection, input);
	if (input->length < 4)
		return fyke_need(0, 4);
	length = (size_t)input->data[2] << 8 | input->data[3];
	if (input->data[0] >= 0x40 && input->data[0] < 0x50) /* channel data, filled up to 4 bytes */
		return fyke_more(4 + ((length + 3) & ~(size_t)3));
	if (input->data[0] >= 0x40)
		return fyke_becomes(0, NULL);
	if (input->length < HEADER + length)
		return fyke_need(0, HEADER + length);
	if (!begin(&c, &message, false))
		return fyke_not_mine();
	take(dissection, &message, input->side);
	return fyke_more(HEADER + length);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	while (state->first != NULL)
		tell_oldest(dissection, state);
}

static enum fyke_match probe_stream(const uint8_t *data, size_t length)
{
	struct fyke_cursor c = fyke_cursor(data, length);
	uint16_t type = fyke_cursor_u16(&c), size = fyke_cursor_u16(&c);

	if (length < 8)
		return FYKE_MAYBE;
	return fyke_cursor_u32(&c) == COOKIE && (type & 0xc000) == 0 && size % 4 == 0 ? FYKE_YES : FYKE_NO;
}

static enum fyke_match probe_one(const struct fyke_opening *opening, int side)
{
	struct fyke_cursor c = fyke_cursor(opening->side[side].data, opening->side[side].length), strict = c;
	struct message message = {.type = 0};

	if (opening->transport == FYKE_OVER_TCP)
		return probe_stream(opening->side[side].data, opening->side[side].length);
	if (begin(&strict, &message, false) && attributes_fit(message.attributes) &&
		fyke_cursor_left(&strict) == 0)
		return FYKE_YES;
	if (begin(&c, &message, true) && attributes_fit(message.attributes) && fyke_cursor_left(&c) == 0 &&
		method_of(message.type) > 0 && method_of(message.type) < 3)
		return FYKE_MAYBE;
	return FYKE_NO;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	enum fyke_match match = FYKE_NO;

	for (int side = 0; side < 2 && match != FYKE_YES; side++) {
		if (opening->side[side].length > 0) {
			enum fyke_match one = probe_one(opening, side);

			match = one > match ? one : match;
		}
	}
	return match;
}

static const uint16_t ports[] = {3478, 0};
static const char *const services[] = {"stun", "turn", "stun-behavior", NULL};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("\0"), FYKE_EITHER_SAYS("\1")};

const struct fyke_dissector fyke_dissector_stun = {
	.name = "stun",
	.title = "Session Traversal Utilities for NAT, RFC 8489, and TURN, RFC 8656",
	.doc = "One row per transaction over UDP and TCP, on any port. Data that TURN relays is not looked "
	       "into; "
	       "DTLS, RTP and RTCP on the same port are handed over to their dissectors, and STUN behind the "
	       "first of them is not told any more.",
	.transports = FYKE_OVER_UDP | FYKE_OVER_TCP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = sizeof(signatures) / sizeof(signatures[0]),
	.tables = tables,
	.state_size = sizeof(struct state),
	.buffer_max = HEADER + 65535, /* messages are read whole */
	.probe = probe,
	.feed = feed,
	.end = end,
};
