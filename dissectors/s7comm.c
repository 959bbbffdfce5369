/*
 * S7comm, the language of Siemens controllers, in TPKT (RFC 1006) and COTP (RFC 905): who connects to which
 * slot, and what is asked. Undocumented by its maker; known from open dissectors' documentation.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/phrase.h"

enum { SIDE, KIND, FUNCTION_CODE, FUNCTION, ERROR_CODE, DESTINATION, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[SIDE] = {"side", FYKE_TYPE_TEXT, "who sent it: client or server"},
	[KIND] = {"kind", FYKE_TYPE_TEXT, "connect, job, ack, data or userdata"},
	[FUNCTION_CODE] = {"function_code", FYKE_TYPE_INTEGER, "what is asked"},
	[FUNCTION] = {"function", FYKE_TYPE_TEXT, "its name"},
	[ERROR_CODE] = {"error", FYKE_TYPE_INTEGER, "of an answer: class and code, 0 = none"},
	[DESTINATION] = {"destination_tsap", FYKE_TYPE_TEXT, "of a connection: rack and slot, in hex"},
};
static const struct fyke_table table = {
	"s7comm", "What is asked of Siemens controllers.", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

enum {
	TPKT = 4,
	VERSION = 3,
	COTP_CONNECT = 0xe0,
	COTP_CONFIRM = 0xd0,
	COTP_DATA = 0xf0,
	S7 = 0x32,
	S7_PLUS = 0x72,
	JOB = 1,
	ACK = 2,
	ANSWER = 3,
	USERDATA = 7,
	ROWS_MAX = 10000
};

static const char *function_name(uint8_t code)
{
	switch (code) {
	case 0x00:
		return "CPU services";
	case 0x04:
		return "read variable";
	case 0x05:
		return "write variable";
	case 0x1a:
		return "request download";
	case 0x1b:
		return "download block";
	case 0x1c:
		return "download ended";
	case 0x1d:
		return "start upload";
	case 0x1e:
		return "upload";
	case 0x1f:
		return "end upload";
	case 0x28:
		return "PI service";
	case 0x29:
		return "PLC stop";
	case 0xf0:
		return "set up communication";
	default:
		return NULL;
	}
}

/* The connection request of a COTP class 0 whose called TSAP has two bytes, or S7's own magic number. */
static enum fyke_match probe(const struct fyke_opening *opening)
{
	enum fyke_match match = FYKE_MAYBE;

	for (int side = 0; side < 2; side++) {
		const uint8_t *data = opening->side[side].data;
		size_t length = opening->side[side].length;

		if (length == 0)
			continue;
		if (data[0] != VERSION || (length > 1 && data[1] != 0))
			return FYKE_NO;
		if (length > TPKT + 3 && data[5] == COTP_DATA)
			return data[7] == S7 || data[7] == S7_PLUS ? FYKE_YES : FYKE_NO;
		if (length > 5 && data[5] != COTP_CONNECT && data[5] != COTP_CONFIRM)
			return FYKE_NO;
	}
	return match;
}

static void tell(
	struct fyke_dissection *dissection, struct fyke_value values[FIELD_COUNT], enum fyke_side side)
{
	unsigned *rows = fyke_state(dissection);

	values[SIDE] = fyke_word(side == FYKE_CLIENT ? "client" : "server");
	if (++*rows <= ROWS_MAX)
		fyke_record(dissection, &table, values);
}

/* Parameters of a connection request: 0xc2 is the called TSAP. */
static void take_connect(struct fyke_dissection *dissection, struct fyke_cursor *c, enum fyke_side side)
{
	struct fyke_value values[FIELD_COUNT] = {{0}};
	char tsap[32];
	struct fyke_phrase phrase = fyke_phrase(tsap, sizeof(tsap));

	fyke_cursor_skip(c, 5);
	while (fyke_cursor_left(c) >= 2) {
		uint8_t code = fyke_cursor_u8(c), length = fyke_cursor_u8(c);
		const uint8_t *value = fyke_cursor_take(c, length);

		if (value != NULL && code == 0xc2)
			fyke_phrase_hex(&phrase, value, length);
	}
	values[KIND] = fyke_word("connect");
	values[DESTINATION] = fyke_phrase_value(&phrase);
	if (fyke_port_of(dissection, FYKE_SERVER) == 102 && phrase.length == 4)
		tell(dissection, values, side);
}

static bool take_s7(struct fyke_dissection *dissection, struct fyke_cursor *c, enum fyke_side side)
{
	static const char *const kinds[] = {
		[JOB] = "job", [ACK] = "ack", [ANSWER] = "data", [USERDATA] = "userdata"};
	struct fyke_value values[FIELD_COUNT] = {{0}};
	uint8_t kind = fyke_cursor_u8(c), function;
	uint16_t parameters;

	if (kind >= sizeof(kinds) / sizeof(kinds[0]) || kinds[kind] == NULL)
		return false;
	fyke_cursor_skip(c, 4);
	parameters = fyke_cursor_u16(c);
	fyke_cursor_skip(c, 2);
	values[KIND] = fyke_word(kinds[kind]);
	if (kind == ACK || kind == ANSWER)
		values[ERROR_CODE] = fyke_integer(fyke_cursor_u16(c));
	function = fyke_cursor_u8(c);
	if (parameters > 0 && fyke_cursor_ok(c)) {
		values[FUNCTION_CODE] = fyke_integer(function);
		values[FUNCTION] = fyke_word(function_name(function));
	}
	tell(dissection, values, side);
	return true;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	uint8_t header, type, magic;
	uint16_t length;

	if (input->length < TPKT)
		return fyke_need(0, TPKT);
	if (fyke_cursor_u16(&c) != VERSION << 8)
		return fyke_not_mine();
	length = fyke_cursor_u16(&c);
	if (length < TPKT + 3)
		return fyke_not_mine();
	if (input->length < length)
		return fyke_need(0, length);
	c = fyke_cursor(input->data + TPKT, (size_t)length - TPKT);
	header = fyke_cursor_u8(&c);
	type = fyke_cursor_u8(&c);
	if (type == COTP_CONNECT && header >= 6) {
		take_connect(dissection, &c, input->side);
	} else if (type == COTP_DATA) {
		fyke_cursor_skip(&c, 1);
		magic = fyke_cursor_u8(&c);
		if (magic == S7_PLUS)
			fyke_confirm_as(dissection, "s7comm-plus");
		else if (fyke_cursor_ok(&c) && (magic != S7 || !take_s7(dissection, &c, input->side)))
			return fyke_not_mine();
	}
	return fyke_more(length);
}

static const uint16_t ports[] = {102, 0};
static const char *const services[] = {"iso-tsap", NULL};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("\x03\x00")};

const struct fyke_dissector fyke_dissector_s7comm = {
	.name = "s7comm",
	.title = "S7 communication of Siemens controllers",
	.doc = "Connections with rack and slot, what is asked and whether it failed, at most 10,000 rows a "
	       "session. Addresses "
	       "and values are not read; S7comm-plus is named only.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = 1,
	.tables = tables,
	.state_size = sizeof(unsigned),
	.probe = probe,
	.feed = feed,
	.gap = fyke_gap_resume,
};
