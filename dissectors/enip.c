/*
 * EtherNet/IP with CIP inside (ODVA, volumes 1 and 2), over TCP and UDP: sessions, identities of devices,
 * what is asked of which object.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/phrase.h"

enum { SIDE, COMMAND, STATUS, SESSION_HANDLE, CIP_SERVICE, CIP_CLASS, CIP_STATUS, PRODUCT, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[SIDE] = {"side", FYKE_TYPE_TEXT, "who sent it: client or server"},
	[COMMAND] = {"command", FYKE_TYPE_TEXT, "of the encapsulation"},
	[STATUS] = {"status", FYKE_TYPE_INTEGER, "of the encapsulation, 0 = good"},
	[SESSION_HANDLE] = {"session_handle", FYKE_TYPE_INTEGER, "number of the encapsulated session"},
	[CIP_SERVICE] = {"cip_service", FYKE_TYPE_INTEGER,
		"what is asked of an object (without the bit of an answer)"},
	[CIP_CLASS] = {"cip_class", FYKE_TYPE_INTEGER, "class of the object that is asked"},
	[CIP_STATUS] = {"cip_status", FYKE_TYPE_INTEGER, "of an answer, 0 = good"},
	[PRODUCT] = {"product", FYKE_TYPE_TEXT, "what the device says it is"},
};
static const struct fyke_table table = {"enip", "Messages of EtherNet/IP devices.", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

enum {
	HEADER = 24,
	LENGTH_MAX = 65511,
	ROWS_MAX = 5000,
	LIST_IDENTITY = 0x63,
	SEND_RR = 0x6f,
	SEND_UNIT = 0x70,
	ITEM_UNCONNECTED = 0xb2,
	ITEM_CONNECTED = 0xb1,
	ITEM_IDENTITY = 0x0c,
	ITEMS_MAX = 8
};

static const char *command_name(uint16_t command)
{
	switch (command) {
	case 0x00:
		return "nop";
	case 0x04:
		return "list services";
	case LIST_IDENTITY:
		return "list identity";
	case 0x64:
		return "list interfaces";
	case 0x65:
		return "register session";
	case 0x66:
		return "unregister session";
	case SEND_RR:
		return "send RR data";
	case SEND_UNIT:
		return "send unit data";
	case 0x72:
		return "indicate status";
	case 0x73:
		return "cancel";
	default:
		return NULL;
	}
}

struct header {
	uint16_t command, length;
	uint32_t session, status;
};

static bool read_header(struct fyke_cursor *c, struct header *header)
{
	header->command = fyke_cursor_le16(c);
	header->length = fyke_cursor_le16(c);
	header->session = fyke_cursor_le32(c);
	header->status = fyke_cursor_le32(c);
	fyke_cursor_skip(c, 8);
	/* the options are 0 in every command there is */
	return fyke_cursor_le32(c) == 0 && fyke_cursor_ok(c) && command_name(header->command) != NULL &&
	       header->status <= 0x6a && header->length <= LENGTH_MAX;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	enum fyke_match match = FYKE_MAYBE;

	for (int side = 0; side < 2; side++) {
		struct fyke_cursor c = fyke_cursor(opening->side[side].data, opening->side[side].length);
		struct header header;

		if (opening->side[side].length == 0 ||
			(opening->side[side].length < HEADER && opening->transport == FYKE_OVER_TCP))
			continue;
		if (!read_header(&c, &header))
			return FYKE_NO;
		if (opening->transport == FYKE_OVER_UDP && fyke_cursor_left(&c) != header.length)
			return FYKE_NO;
		/* 24 bytes mostly of zeros are little: off the usual port it must be a registration */
		if (header.command == 0x65 && header.length == 4 && fyke_cursor_le16(&c) == 1)
			match = FYKE_YES;
		else if (opening->on_port && match != FYKE_YES)
			match = header.command != 0 ? FYKE_YES : FYKE_MAYBE;
	}
	return match;
}

/* Service, and the class in the path; or service, status. */
static void read_cip(struct fyke_cursor *c, struct fyke_value *values)
{
	uint8_t service = fyke_cursor_u8(c), words, type;
	bool answer = (service & 0x80) != 0;

	values[CIP_SERVICE] = fyke_integer_if(fyke_cursor_ok(c), service & 0x7f);
	if (answer) {
		fyke_cursor_skip(c, 1);
		words = fyke_cursor_u8(c);
		values[CIP_STATUS] = fyke_integer_if(fyke_cursor_ok(c), words);
		return;
	}
	words = fyke_cursor_u8(c);
	type = words > 0 ? fyke_cursor_u8(c) : 0;
	if (type == 0x20)
		values[CIP_CLASS] = fyke_integer(fyke_cursor_u8(c));
	else if (type == 0x21) {
		fyke_cursor_skip(c, 1);
		values[CIP_CLASS] = fyke_integer(fyke_cursor_le16(c));
	}
	if (!fyke_cursor_ok(c))
		values[CIP_CLASS] = fyke_null();
}

static void read_identity(struct fyke_dissection *dissection, enum fyke_side side, struct fyke_cursor *c,
	struct fyke_value *values)
{
	const uint8_t *name;
	uint8_t length;

	fyke_cursor_skip(c, 32); /* version, socket address, vendor, type, revision, status, serial */
	length = fyke_cursor_u8(c);
	name = fyke_cursor_take(c, length);
	if (name == NULL || length == 0)
		return;
	values[PRODUCT] = fyke_bytes(name, length);
	fyke_product(dissection, side, name, length);
}

static void read_items(struct fyke_dissection *dissection, enum fyke_side side, struct fyke_cursor *c,
	struct fyke_value *values)
{
	uint16_t count = fyke_cursor_le16(c);

	for (unsigned i = 0; i < count && i < ITEMS_MAX && fyke_cursor_ok(c); i++) {
		uint16_t type = fyke_cursor_le16(c);
		struct fyke_cursor item = fyke_cursor_carve(c, fyke_cursor_le16(c));

		if (type == ITEM_CONNECTED)
			fyke_cursor_skip(&item, 2);
		if ((type == ITEM_CONNECTED || type == ITEM_UNCONNECTED) && fyke_cursor_left(&item) > 0)
			read_cip(&item, values);
		else if (type == ITEM_IDENTITY && fyke_cursor_left(&item) > 0)
			read_identity(dissection, side, &item, values);
	}
}

static void tell(struct fyke_dissection *dissection, enum fyke_side side, const struct header *header,
	struct fyke_cursor *c)
{
	unsigned *rows = fyke_state(dissection);
	struct fyke_value values[FIELD_COUNT] = {{0}};

	fyke_confirm(dissection);
	if (header->command == 0 || ++*rows > ROWS_MAX)
		return;
	if (header->command == SEND_RR || header->command == SEND_UNIT)
		fyke_cursor_skip(c, 6);
	if (header->command == SEND_RR || header->command == SEND_UNIT || header->command == LIST_IDENTITY)
		read_items(dissection, side, c, values);
	values[SIDE] = fyke_word(side == FYKE_CLIENT ? "client" : "server");
	values[COMMAND] = fyke_word(command_name(header->command));
	values[STATUS] = fyke_integer(header->status);
	values[SESSION_HANDLE] = fyke_integer(header->session);
	fyke_record(dissection, &table, values);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_cursor c = fyke_cursor(input->data, input->length), body;
	struct header header;

	if (input->length < HEADER && !input->cut)
		return fyke_transport_of(dissection) == FYKE_OVER_TCP ? fyke_need(0, HEADER)
								      : fyke_not_mine();
	if (!read_header(&c, &header))
		return fyke_not_mine();
	if (fyke_cursor_left(&c) < header.length && fyke_transport_of(dissection) == FYKE_OVER_TCP)
		return fyke_need(0, (size_t)HEADER + header.length);
	body = fyke_cursor(c.at, fyke_cursor_left(&c) < header.length ? fyke_cursor_left(&c) : header.length);
	tell(dissection, input->side, &header, &body);
	return fyke_more((uint64_t)HEADER + header.length);
}

static const uint16_t ports[] = {44818, 2222, 0};
static const char *const services[] = {"EtherNet-IP-1", "EtherNet-IP-2", NULL};
static const struct fyke_signature signatures[] = {FYKE_CLIENT_SAYS("\x65\x00\x04\x00")};

const struct fyke_dissector fyke_dissector_enip = {
	.name = "enip",
	.title = "EtherNet/IP and the Common Industrial Protocol",
	.doc = "Commands with their status, what is asked of which class of object, products of devices; at "
	       "most 5,000 rows a "
	       "session. Cyclic data (UDP port 2222 without a header) and values are not read.",
	.transports = FYKE_OVER_TCP | FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = 1,
	.tables = tables,
	.state_size = sizeof(unsigned),
	.buffer_max = HEADER + LENGTH_MAX, /* messages are read whole */
	.probe = probe,
	.feed = feed,
	.gap = fyke_gap_resume,
};
