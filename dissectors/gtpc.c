/*
 * GTP's control plane (version 1 TS 29.060, version 2 TS 29.274): one row per message, with who the
 * subscriber is and where the tunnel leads. Echoes are left out.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/phrase.h"

enum { ECHO_REQUEST = 1, ECHO_RESPONSE = 2, DIGITS_ROOM = 32, NAME_ROOM = 128, IES_MAX = 64 };

enum { VERSION, MESSAGE, TYPE, TEID, SEQUENCE, CAUSE, IMSI, MSISDN, APN, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[VERSION] = {"version", FYKE_TYPE_INTEGER, "1 or 2"},
	[MESSAGE] = {"message", FYKE_TYPE_TEXT, "create session request …; NULL = another"},
	[TYPE] = {"message_type", FYKE_TYPE_INTEGER, "the message's number"},
	[TEID] = {"teid", FYKE_TYPE_INTEGER, "tunnel endpoint that it is for"},
	[SEQUENCE] = {"sequence", FYKE_TYPE_INTEGER, "what a request and its response share"},
	[CAUSE] = {"cause", FYKE_TYPE_INTEGER, "of a response; version 1: 128 = accepted, version 2: 16"},
	[IMSI] = {"imsi", FYKE_TYPE_TEXT, "the subscriber"},
	[MSISDN] = {"msisdn", FYKE_TYPE_TEXT, "the subscriber's number"},
	[APN] = {"apn", FYKE_TYPE_TEXT, "the network that is asked for"},
};

static const struct fyke_table table = {"gtpc", "one row per message", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct message {
	struct fyke_value values[FIELD_COUNT];
	char imsi[DIGITS_ROOM], msisdn[DIGITS_ROOM], apn[NAME_ROOM];
};

static const char *name_1(uint8_t type)
{
	switch (type) {
	case 16:
		return "create pdp context request";
	case 17:
		return "create pdp context response";
	case 18:
		return "update pdp context request";
	case 19:
		return "update pdp context response";
	case 20:
		return "delete pdp context request";
	case 21:
		return "delete pdp context response";
	default:
		return NULL;
	}
}

static const char *name_2(uint8_t type)
{
	switch (type) {
	case 32:
		return "create session request";
	case 33:
		return "create session response";
	case 34:
		return "modify bearer request";
	case 35:
		return "modify bearer response";
	case 36:
		return "delete session request";
	case 37:
		return "delete session response";
	case 95:
		return "create bearer request";
	case 96:
		return "create bearer response";
	case 170:
		return "release access bearers request";
	case 171:
		return "release access bearers response";
	default:
		return NULL;
	}
}

/* Digits, two in a byte, the lower half first; 15 fills up. */
static struct fyke_value digits_of(struct fyke_cursor c, char text[DIGITS_ROOM])
{
	struct fyke_phrase out = fyke_phrase(text, DIGITS_ROOM);

	while (fyke_cursor_left(&c) > 0) {
		uint8_t byte = fyke_cursor_u8(&c);

		if ((byte & 15) < 10)
			fyke_phrase_number(&out, byte & 15);
		if (byte >> 4 < 10)
			fyke_phrase_number(&out, byte >> 4);
	}
	return fyke_phrase_value(&out);
}

static struct fyke_value labels_of(struct fyke_cursor c, char text[NAME_ROOM])
{
	struct fyke_phrase out = fyke_phrase(text, NAME_ROOM);

	while (fyke_cursor_left(&c) > 0) {
		struct fyke_cursor label = fyke_cursor_carve(&c, fyke_cursor_u8(&c));

		if (!fyke_cursor_ok(&c))
			break;
		fyke_phrase_next(&out, ".");
		fyke_phrase_add(&out, label.at, fyke_cursor_left(&label));
	}
	return fyke_phrase_value(&out);
}

/* Version 1: elements below 128 have sizes of their own; those that come first in the messages named. */
static size_t size_1(uint8_t type)
{
	static const struct {
		uint8_t type, size;
	} sizes[] = {{1, 1}, {2, 8}, {3, 6}, {4, 4}, {5, 4}, {8, 1}, {9, 3}, {11, 1}, {12, 3}, {13, 1},
		{14, 1}, {15, 1}, {16, 4}, {17, 4}, {18, 5}, {19, 1}, {20, 1}, {21, 1}, {22, 1}, {23, 1},
		{24, 1}, {25, 2}, {26, 2}, {27, 2}, {28, 2}, {29, 1}, {127, 4}};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (sizes[i].type == type)
			return sizes[i].size;
	}
	return SIZE_MAX;
}

static void read_elements_1(struct message *message, struct fyke_cursor c)
{
	for (int i = 0; i < IES_MAX && fyke_cursor_left(&c) > 0; i++) {
		uint8_t type = fyke_cursor_u8(&c);
		struct fyke_cursor element =
			fyke_cursor_carve(&c, type < 128 ? size_1(type) : fyke_cursor_u16(&c));

		if (!fyke_cursor_ok(&c))
			return;
		if (type == 1)
			message->values[CAUSE] = fyke_integer(fyke_cursor_u8(&element));
		else if (type == 2)
			message->values[IMSI] = digits_of(element, message->imsi);
		else if (type == 131)
			message->values[APN] = labels_of(element, message->apn);
		else if (type == 134 && fyke_cursor_skip(&element, 1))
			message->values[MSISDN] = digits_of(element, message->msisdn);
	}
}

static void read_elements_2(struct message *message, struct fyke_cursor c)
{
	for (int i = 0; i < IES_MAX && fyke_cursor_left(&c) > 0; i++) {
		uint8_t type = fyke_cursor_u8(&c);
		uint16_t length = fyke_cursor_u16(&c);
		struct fyke_cursor element;

		(void)fyke_cursor_u8(&c);
		element = fyke_cursor_carve(&c, length);
		if (!fyke_cursor_ok(&c))
			return;
		if (type == 1)
			message->values[IMSI] = digits_of(element, message->imsi);
		else if (type == 2)
			message->values[CAUSE] = fyke_integer(fyke_cursor_u8(&element));
		else if (type == 71)
			message->values[APN] = labels_of(element, message->apn);
		else if (type == 76)
			message->values[MSISDN] = digits_of(element, message->msisdn);
	}
}

/* TS 29.060 §6: four optional bytes where any of the flags E, S, PN is set. */
static bool read_1(struct message *message, struct fyke_cursor *c, uint8_t flags)
{
	uint16_t length = fyke_cursor_u16(c);

	message->values[TEID] = fyke_integer(fyke_cursor_u32(c));
	*c = fyke_cursor_carve(c, length);
	if ((flags & 7) != 0) {
		message->values[SEQUENCE] = fyke_integer(fyke_cursor_u16(c));
		(void)fyke_cursor_u16(c);
	}
	return fyke_cursor_ok(c) && (flags & 0x10) != 0;
}

/* TS 29.274 §5: a tunnel's endpoint where the flag T is set. */
static bool read_2(struct message *message, struct fyke_cursor *c, uint8_t flags)
{
	*c = fyke_cursor_carve(c, fyke_cursor_u16(c));
	if ((flags & 8) != 0)
		message->values[TEID] = fyke_integer(fyke_cursor_u32(c));
	message->values[SEQUENCE] = fyke_integer(fyke_cursor_u24(c));
	(void)fyke_cursor_u8(c);
	return fyke_cursor_ok(c);
}

static bool read_message(struct message *message, struct fyke_cursor *c)
{
	uint8_t flags = fyke_cursor_u8(c), type = fyke_cursor_u8(c), version = flags >> 5;

	message->values[VERSION] = fyke_integer(version);
	message->values[TYPE] = fyke_integer(type);
	message->values[MESSAGE] = fyke_word(version == 1 ? name_1(type) : name_2(type));
	if (version == 1)
		return read_1(message, c, flags);
	return version == 2 && read_2(message, c, flags);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct message message = {.values = {{0}}};
	struct fyke_cursor c = fyke_cursor(input->data, input->length);

	if (!read_message(&message, &c))
		return input->cut ? fyke_rest() : fyke_not_mine();
	fyke_confirm(dissection);
	if (message.values[TYPE].integer == ECHO_REQUEST || message.values[TYPE].integer == ECHO_RESPONSE)
		return fyke_rest();
	if (message.values[VERSION].integer == 1)
		read_elements_1(&message, c);
	else
		read_elements_2(&message, c);
	fyke_record(dissection, &table, message.values);
	return fyke_rest();
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		struct message message = {.values = {{0}}};
		struct fyke_cursor c = fyke_cursor(opening->side[side].data, opening->side[side].length);

		if (opening->side[side].length > 0 && !read_message(&message, &c))
			return FYKE_NO;
	}
	return opening->on_port ? FYKE_YES : FYKE_MAYBE;
}

static const uint16_t ports[] = {2123, 0};
static const char *const services[] = {"gtp-control", NULL};

const struct fyke_dissector fyke_dissector_gtpc = {
	.name = "gtpc",
	.title = "GPRS Tunnelling Protocol, control plane, 3GPP TS 29.060 and 29.274",
	.doc = "One row per message on its own port: subscriber, access point, cause. Of version 1 the "
	       "elements "
	       "as far as their sizes are known.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.tables = tables,
	.probe = probe,
	.feed = feed,
};
