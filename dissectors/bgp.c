/*
 * BGP-4 (RFC 4271): openings with capabilities, notifications, and how much was updated. Routes are counted,
 * not listed.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/phrase.h"

#include <string.h>

enum {
	TYPE,
	SIDE,
	AS,
	ROUTER_ID,
	HOLD_TIME,
	CAPABILITIES,
	ERROR_CODE,
	ERROR_SUBCODE,
	ANNOUNCED,
	WITHDRAWN,
	PREFIXES,
	AS_PATH,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[TYPE] = {"message", FYKE_TYPE_TEXT,
		"open, update, notification or route-refresh; keep-alives are not told"},
	[SIDE] = {"side", FYKE_TYPE_TEXT, "who sent it: client or server"},
	[AS] = {"as_number", FYKE_TYPE_INTEGER, "of an open: the sender's autonomous system"},
	[ROUTER_ID] = {"router_id", FYKE_TYPE_TEXT, "of an open: the sender's identifier"},
	[HOLD_TIME] = {"hold_time_s", FYKE_TYPE_INTEGER,
		"of an open: seconds of silence that end the session"},
	[CAPABILITIES] = {"capabilities", FYKE_TYPE_TEXT, "of an open: their numbers (RFC 5492), by commas"},
	[ERROR_CODE] = {"error", FYKE_TYPE_TEXT, "of a notification: what went wrong"},
	[ERROR_SUBCODE] = {"error_subcode", FYKE_TYPE_INTEGER, "of a notification: more precisely"},
	[ANNOUNCED] = {"announced", FYKE_TYPE_INTEGER, "of an update: IPv4 prefixes that it announces"},
	[WITHDRAWN] = {"withdrawn", FYKE_TYPE_INTEGER, "of an update: IPv4 prefixes that it withdraws"},
	[PREFIXES] = {"prefixes", FYKE_TYPE_TEXT,
		"of an update: the first ones, by commas; those withdrawn with a - in front"},
	[AS_PATH] = {"as_path", FYKE_TYPE_TEXT, "of an update: the autonomous systems on the way"},
};
static const struct fyke_table table = {"bgp", "Messages between BGP routers.", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

enum {
	HEADER = 19,
	MARKER = 16,
	MESSAGE_MAX = 4096,
	MESSAGE_MAX_EXTENDED = 65535,
	ROWS_MAX = 10000,
	OPEN = 1,
	UPDATE,
	NOTIFICATION,
	KEEPALIVE,
	REFRESH
};

struct state {
	uint32_t rows;
	bool four_byte_as[2]; /* the side offered it (RFC 6793) */
};

static bool is_marker(const uint8_t *data, size_t length)
{
	for (size_t i = 0; i < length && i < MARKER; i++) {
		if (data[i] != 0xff)
			return false;
	}
	return true;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		const uint8_t *data = opening->side[side].data;
		size_t length = opening->side[side].length, message;

		if (!is_marker(data, length))
			return FYKE_NO;
		if (length < HEADER)
			continue;
		message = (size_t)data[16] << 8 | data[17];
		return message >= HEADER && data[18] >= OPEN && data[18] <= REFRESH ? FYKE_YES : FYKE_NO;
	}
	return FYKE_MAYBE;
}

static void add_capabilities(struct fyke_cursor *c, struct fyke_phrase *list, int64_t *as, bool *four_bytes)
{
	while (fyke_cursor_left(c) >= 2) {
		uint8_t code = fyke_cursor_u8(c), length = fyke_cursor_u8(c);
		struct fyke_cursor value = fyke_cursor_carve(c, length);

		if (!fyke_cursor_ok(c))
			return;
		fyke_phrase_next(list, ",");
		fyke_phrase_number(list, code);
		if (code == 65 && length == 4) { /* RFC 6793: AS numbers of four bytes */
			*as = fyke_cursor_u32(&value);
			*four_bytes = true;
		}
	}
}

static void read_open(
	struct fyke_cursor *c, struct fyke_value *values, struct fyke_phrase phrases[2], bool *four_bytes)
{
	const uint8_t *id;
	int64_t as;

	fyke_cursor_skip(c, 1);
	as = fyke_cursor_u16(c);
	values[HOLD_TIME] = fyke_integer(fyke_cursor_u16(c));
	id = fyke_cursor_take(c, 4);
	fyke_cursor_skip(c, 1);
	while (fyke_cursor_left(c) >= 2) {
		uint8_t type = fyke_cursor_u8(c), length = fyke_cursor_u8(c);
		struct fyke_cursor value = fyke_cursor_carve(c, length);

		if (fyke_cursor_ok(c) && type == 2)
			add_capabilities(&value, &phrases[1], &as, four_bytes);
	}
	if (id != NULL)
		fyke_phrase_ipv4(&phrases[0], id);
	values[AS] = fyke_integer(as);
	values[ROUTER_ID] = fyke_phrase_value(&phrases[0]);
	values[CAPABILITIES] = fyke_phrase_value(&phrases[1]);
}

/* Prefixes as they are packed: a length in bits, then as many bytes as it takes. */
static int64_t read_prefixes(struct fyke_cursor *c, struct fyke_phrase *list, const char *sign)
{
	int64_t count = 0;

	while (fyke_cursor_left(c) > 0) {
		uint8_t bits = fyke_cursor_u8(c), prefix[4] = {0};
		const uint8_t *bytes;

		if (bits > 32)
			break;
		bytes = fyke_cursor_take(c, (bits + 7U) / 8);
		if (bytes == NULL)
			break;
		for (unsigned i = 0; i < (bits + 7U) / 8; i++)
			prefix[i] = bytes[i];
		if (list->length + 24 < list->room) {
			fyke_phrase_next(list, ",");
			fyke_phrase_word(list, sign);
			fyke_phrase_ipv4(list, prefix);
			fyke_phrase_word(list, "/");
			fyke_phrase_number(list, bits);
		}
		count++;
	}
	return count;
}

/* Sets (RFC 4271 §4.3) stand in braces. */
static void read_as_path(struct fyke_cursor *c, struct fyke_phrase *path, bool four_bytes)
{
	while (fyke_cursor_left(c) >= 2) {
		bool is_set = fyke_cursor_u8(c) == 1;
		uint8_t count = fyke_cursor_u8(c);

		for (uint8_t i = 0; i < count; i++) {
			uint32_t as = four_bytes ? fyke_cursor_u32(c) : fyke_cursor_u16(c);

			if (!fyke_cursor_ok(c))
				return;
			fyke_phrase_next(path, is_set && i > 0 ? "," : " ");
			fyke_phrase_word(path, is_set && i == 0 ? "{" : "");
			fyke_phrase_number(path, as);
		}
		fyke_phrase_word(path, is_set && count > 0 ? "}" : "");
	}
}

static void read_update(
	struct fyke_cursor *c, struct fyke_value *values, struct fyke_phrase phrases[2], bool four_bytes)
{
	struct fyke_cursor withdrawn = fyke_cursor_carve(c, fyke_cursor_u16(c));
	struct fyke_cursor attributes = fyke_cursor_carve(c, fyke_cursor_u16(c));
	int64_t gone;

	if (!fyke_cursor_ok(c))
		return;
	values[ANNOUNCED] = fyke_integer(read_prefixes(c, &phrases[0], ""));
	gone = read_prefixes(&withdrawn, &phrases[0], "-");
	values[WITHDRAWN] = fyke_integer(gone);
	values[PREFIXES] = fyke_phrase_value(&phrases[0]);
	while (fyke_cursor_left(&attributes) >= 3) {
		uint8_t flags = fyke_cursor_u8(&attributes), type = fyke_cursor_u8(&attributes);
		size_t length =
			(flags & 0x10) != 0 ? fyke_cursor_u16(&attributes) : fyke_cursor_u8(&attributes);
		struct fyke_cursor value = fyke_cursor_carve(&attributes, length);

		if (fyke_cursor_ok(&attributes) && type == 2)
			read_as_path(&value, &phrases[1], four_bytes);
	}
	values[AS_PATH] = fyke_phrase_value(&phrases[1]);
}

static void read_notification(struct fyke_cursor *c, struct fyke_value *values)
{
	static const char *const errors[] = {"other", "message header", "open", "update",
		"hold timer expired", "state machine", "cease", "route refresh"};
	uint8_t code = fyke_cursor_u8(c);

	values[ERROR_CODE] = fyke_word(errors[code < sizeof(errors) / sizeof(errors[0]) ? code : 0]);
	values[ERROR_SUBCODE] = fyke_integer(fyke_cursor_u8(c));
}

static void tell(struct fyke_dissection *dissection, enum fyke_side side, uint8_t type, struct fyke_cursor *c)
{
	static const char *const names[] = {
		NULL, "open", "update", "notification", "keepalive", "route-refresh"};
	struct state *state = fyke_state(dissection);
	char text[2][512];
	struct fyke_phrase phrases[2] = {
		fyke_phrase(text[0], sizeof(text[0])), fyke_phrase(text[1], sizeof(text[1]))};
	struct fyke_value values[FIELD_COUNT] = {{0}};

	if (type == KEEPALIVE || state->rows >= ROWS_MAX) {
		fyke_confirm(dissection);
		return;
	}
	state->rows++;
	values[TYPE] = fyke_word(names[type]);
	values[SIDE] = fyke_word(side == FYKE_CLIENT ? "client" : "server");
	if (type == OPEN)
		read_open(c, values, phrases, &state->four_byte_as[side]);
	else if (type == UPDATE)
		read_update(c, values, phrases, state->four_byte_as[0] && state->four_byte_as[1]);
	else if (type == NOTIFICATION)
		read_notification(c, values);
	fyke_record(dissection, &table, values);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	uint16_t length;
	uint8_t type;

	if (input->length < HEADER)
		return is_marker(input->data, input->length) ? fyke_need(0, HEADER) : fyke_not_mine();
	fyke_cursor_skip(&c, MARKER);
	length = fyke_cursor_u16(&c);
	type = fyke_cursor_u8(&c);
	if (!is_marker(input->data, MARKER) || length < HEADER || type < OPEN || type > REFRESH)
		return fyke_not_mine();
	if (input->length < length)
		return fyke_need(0, length);
	c = fyke_cursor(input->data + HEADER, (size_t)length - HEADER);
	tell(dissection, input->side, type, &c);
	return fyke_more(length);
}

static const uint16_t ports[] = {179, 0};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("\xff\xff\xff\xff\xff\xff\xff\xff")};

const struct fyke_dissector fyke_dissector_bgp = {
	.name = "bgp",
	.title = "Border Gateway Protocol, RFC 4271",
	.doc = "Openings, updates, notifications, at most 10,000 rows a session. Of an update the IPv4 "
	       "prefixes and the "
	       "path; other address families (RFC 4760) are not listed.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.signatures = signatures,
	.signature_count = 1,
	.tables = tables,
	.state_size = sizeof(struct state),
	.buffer_max = MESSAGE_MAX_EXTENDED, /* messages are read whole (RFC 8654) */
	.probe = probe,
	.feed = feed,
	.gap = fyke_gap_resume,
};
