/*
 * L2TP's control connection (version 2 RFC 2661, version 3 over UDP RFC 3931): one row per control message.
 * Data and empty acknowledgements are passed over.
 */
#include "dissectors/dissector.h"

enum { AVPS_MAX = 64, TEXT_MAX = 255, CONTROL = 0xc800, CONTROL_BITS = 0xc800, HIDDEN = 0x4000 };

enum { VERSION, MESSAGE, TUNNEL, SESSION, HOST_NAME, VENDOR, RESULT, ASSIGNED_TUNNEL, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[VERSION] = {"version", FYKE_TYPE_INTEGER, "2 or 3"},
	[MESSAGE] = {"message", FYKE_TYPE_TEXT, "SCCRQ, SCCRP, ICRQ …; NULL = another"},
	[TUNNEL] = {"tunnel", FYKE_TYPE_INTEGER,
		"the receiver's number of the tunnel (version 3: of the connection)"},
	[SESSION] = {"session_number", FYKE_TYPE_INTEGER, "the receiver's number of the session; version 2"},
	[HOST_NAME] = {"host_name", FYKE_TYPE_TEXT, "the sender's name"},
	[VENDOR] = {"vendor", FYKE_TYPE_TEXT, "whose program the sender is"},
	[RESULT] = {"result_code", FYKE_TYPE_INTEGER, "why something ended"},
	[ASSIGNED_TUNNEL] = {"assigned_tunnel", FYKE_TYPE_INTEGER,
		"the sender's number of the tunnel; version 2"},
};

static const struct fyke_table table = {"l2tp", "one row per control message", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

static const char *message_name(uint16_t type)
{
	static const char *const names[] = {NULL, "SCCRQ", "SCCRP", "SCCCN", "StopCCN", NULL, "HELLO", "OCRQ",
		"OCRP", "OCCN", "ICRQ", "ICRP", "ICCN", NULL, "CDN", "WEN", "SLI"};

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
}

static void read_avp(uint16_t type, struct fyke_cursor value, struct fyke_value *values)
{
	size_t length = fyke_cursor_left(&value) < TEXT_MAX ? fyke_cursor_left(&value) : TEXT_MAX;

	switch (type) {
	case 0:
		values[MESSAGE] = fyke_word(message_name(fyke_cursor_u16(&value)));
		break;
	case 1:
		values[RESULT] = fyke_integer_if(length >= 2, fyke_cursor_u16(&value));
		break;
	case 7:
		values[HOST_NAME] = length > 0 ? fyke_bytes(value.at, length) : fyke_null();
		break;
	case 8:
		values[VENDOR] = length > 0 ? fyke_bytes(value.at, length) : fyke_null();
		break;
	case 9:
		values[ASSIGNED_TUNNEL] = fyke_integer_if(length == 2, fyke_cursor_u16(&value));
		break;
	default:
		break;
	}
}

/* RFC 2661 §4.1 */
static bool read_avps(struct fyke_cursor c, struct fyke_value *values)
{
	for (int i = 0; i < AVPS_MAX && fyke_cursor_left(&c) > 0 && fyke_cursor_ok(&c); i++) {
		uint16_t head = fyke_cursor_u16(&c), vendor = fyke_cursor_u16(&c), type = fyke_cursor_u16(&c);
		size_t length = head & 0x3ff;
		struct fyke_cursor value = fyke_cursor_carve(&c, length < 6 ? SIZE_MAX : length - 6);

		if (fyke_cursor_ok(&c) && vendor == 0 && (head & HIDDEN) == 0)
			read_avp(type, value, values);
	}
	return fyke_cursor_ok(&c);
}

/* False: not a control message. */
static bool read_message(const uint8_t *data, size_t length, struct fyke_value *values, bool *empty)
{
	struct fyke_cursor c = fyke_cursor(data, length);
	uint16_t flags = fyke_cursor_u16(&c), announced = fyke_cursor_u16(&c), version = flags & 15;

	if ((flags & CONTROL_BITS) != CONTROL || (version != 2 && version != 3) || announced < 12 ||
		announced > length)
		return false;
	c = fyke_cursor(c.at, announced - 4U);
	values[VERSION] = fyke_integer(version);
	if (version == 2) {
		values[TUNNEL] = fyke_integer(fyke_cursor_u16(&c));
		values[SESSION] = fyke_integer(fyke_cursor_u16(&c));
	} else {
		values[TUNNEL] = fyke_integer(fyke_cursor_u32(&c));
	}
	(void)fyke_cursor_u32(&c); /* sequence numbers */
	*empty = fyke_cursor_left(&c) == 0;
	return read_avps(c, values);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_value values[FIELD_COUNT] = {{0}};
	bool empty = false;

	if (input->length < 2 ||
		((input->data[0] & 0x80) == 0 && (input->data[1] & 15) != 2 && input->data[0] != 0))
		return fyke_not_mine();
	if ((input->data[0] & 0x80) == 0) /* data */
		return fyke_rest();
	if (!read_message(input->data, input->length, values, &empty))
		return input->cut ? fyke_rest() : fyke_not_mine();
	fyke_confirm(dissection);
	if (!empty)
		fyke_record(dissection, &table, values);
	return fyke_rest();
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		struct fyke_value values[FIELD_COUNT] = {{0}};
		bool empty;

		if (opening->side[side].length > 0 &&
			read_message(opening->side[side].data, opening->side[side].length, values, &empty))
			return opening->on_port ? FYKE_YES : FYKE_MAYBE;
	}
	return FYKE_NO;
}

static const uint16_t ports[] = {1701, 0};
static const char *const services[] = {"l2tp", "l2f", NULL};

const struct fyke_dissector fyke_dissector_l2tp = {
	.name = "l2tp",
	.title = "Layer Two Tunneling Protocol, RFC 2661 and RFC 3931",
	.doc = "One row per control message on its own port.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.tables = tables,
	.probe = probe,
	.feed = feed,
};
