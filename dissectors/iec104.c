/*
 * IEC 60870-5-104: telecontrol over TCP. Types, causes and addresses of what stations tell and are told;
 * values are not read.
 */
#include "dissectors/dissector.h"

enum { SIDE, TYPE_ID, CAUSE, IS_NEGATIVE, IS_TEST, COMMON_ADDRESS, OBJECT_ADDRESS, OBJECTS, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[SIDE] = {"side", FYKE_TYPE_TEXT, "who sent it: client (the controlling station) or server"},
	[TYPE_ID] = {"type_id", FYKE_TYPE_INTEGER,
		"kind of information: 1 single point … 45 single command, 100 interrogation"},
	[CAUSE] = {"cause", FYKE_TYPE_INTEGER,
		"cause of transmission: 3 spontaneous, 6 activation, 7 its confirmation …"},
	[IS_NEGATIVE] = {"is_negative", FYKE_TYPE_BOOLEAN, "1 where a confirmation says no"},
	[IS_TEST] = {"is_test", FYKE_TYPE_BOOLEAN, "1 for tests"},
	[COMMON_ADDRESS] = {"common_address", FYKE_TYPE_INTEGER, "of the station"},
	[OBJECT_ADDRESS] = {"object_address", FYKE_TYPE_INTEGER, "of the first object"},
	[OBJECTS] = {"objects", FYKE_TYPE_INTEGER, "how many there are"},
};
static const struct fyke_table table = {
	"iec104", "What telecontrol stations tell and are told.", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

enum { START = 0x68, CONTROL = 4, LENGTH_MAX = 253, ASDU_MIN = 9, ROWS_MAX = 10000 };

/* U frames carry one of six functions and zeros, S frames two zeros in front; I frames a type that there is.
 */
static bool is_control(const uint8_t *data, size_t length)
{
	uint8_t first = data[2];

	if (length < 2 + CONTROL)
		return true;
	if ((first & 3) == 3)
		return data[1] == CONTROL && data[3] == 0 && data[4] == 0 && data[5] == 0 &&
		       ((first & 0xfc) & ((first & 0xfc) - 1)) == 0 && (first & 0xfc) != 0;
	if ((first & 3) == 1)
		return data[1] == CONTROL && first == 1 && data[3] == 0 && (data[4] & 1) == 0;
	return data[1] >= CONTROL + ASDU_MIN && (data[4] & 1) == 0;
}

static bool is_frame(const uint8_t *data, size_t length)
{
	return data[0] == START && (length < 2 || (data[1] >= CONTROL && data[1] <= LENGTH_MAX)) &&
	       (length < 3 || is_control(data, length));
}

static bool has_type(uint8_t type)
{
	return (type >= 1 && type <= 40) || (type >= 45 && type <= 51) || (type >= 58 && type <= 70) ||
	       (type >= 100 && type <= 107) || (type >= 110 && type <= 113) || (type >= 120 && type <= 127);
}

/* Whole frames one behind the other; 0: not a whole one yet, -1: it is none. */
static int count_frames(const uint8_t *data, size_t length)
{
	int count = 0;

	while (length > 0) {
		size_t whole = length >= 2 ? (size_t)data[1] + 2 : 2;

		if (!is_frame(data, length))
			return -1;
		if (length < whole)
			break;
		if ((data[2] & 1) == 0 && !has_type(data[2 + CONTROL]))
			return -1;
		count++;
		data += whole;
		length -= whole;
	}
	return count;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	int frames = 0;

	for (int side = 0; side < 2; side++) {
		int count = count_frames(opening->side[side].data, opening->side[side].length);

		if (count < 0)
			return FYKE_NO;
		frames += count;
	}
	/* one frame of six fixed bytes, or two of any kind */
	return frames >= 2 || (frames == 1 && (opening->side[0].length == 6 || opening->side[1].length == 6))
		       ? FYKE_YES
		       : FYKE_MAYBE;
}

static void tell(struct fyke_dissection *dissection, enum fyke_side side, struct fyke_cursor *c)
{
	unsigned *rows = fyke_state(dissection);
	uint8_t type = fyke_cursor_u8(c), count = fyke_cursor_u8(c), cause = fyke_cursor_u8(c);
	struct fyke_value values[FIELD_COUNT];
	int object;

	fyke_cursor_skip(c, 1);
	values[SIDE] = fyke_word(side == FYKE_CLIENT ? "client" : "server");
	values[TYPE_ID] = fyke_integer(type);
	values[CAUSE] = fyke_integer(cause & 0x3f);
	values[IS_NEGATIVE] = fyke_integer((cause & 0x40) != 0);
	values[IS_TEST] = fyke_integer((cause & 0x80) != 0);
	values[COMMON_ADDRESS] = fyke_integer(fyke_cursor_le16(c));
	object = fyke_cursor_le16(c);
	values[OBJECT_ADDRESS] = fyke_integer(object | fyke_cursor_u8(c) << 16);
	values[OBJECTS] = fyke_integer(count & 0x7f);
	if (!fyke_cursor_ok(c) || *rows == ROWS_MAX)
		return;
	++*rows;
	fyke_record(dissection, &table, values);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_cursor c;
	size_t whole;

	if (input->length == 0)
		return fyke_more(0);
	if (!is_frame(input->data, input->length))
		return fyke_not_mine();
	if (input->length < 2)
		return fyke_more(0);
	whole = (size_t)input->data[1] + 2;
	if (input->length < whole)
		return fyke_need(0, whole);
	fyke_confirm(dissection);
	c = fyke_cursor(input->data + 2 + CONTROL, whole - 2 - CONTROL);
	if ((input->data[2] & 1) == 0)
		tell(dissection, input->side, &c);
	return fyke_more(whole);
}

static const uint16_t ports[] = {2404, 0};
static const char *const services[] = {"iec-104", NULL};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("\x68")};

const struct fyke_dissector fyke_dissector_iec104 = {
	.name = "iec104",
	.title = "Telecontrol, IEC 60870-5-104",
	.doc = "Messages with type, cause and addresses, at most 10,000 rows a session; their values are not "
	       "read.",
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
