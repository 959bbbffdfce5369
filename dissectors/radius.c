/*
 * RADIUS (RFC 2865, accounting RFC 2866, RFC 5176). A row per request with its answer. Passwords are
 * encrypted with a secret that is not on the wire, and are left alone.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/phrase.h"

#include <string.h>

enum { HEADER = 20, TEXT_MAX = 253, ATTRIBUTES_MAX = 128 };

enum {
	REQUEST,
	RESULT,
	IDENTIFIER,
	USER_NAME,
	NAS_IP,
	NAS_IDENTIFIER,
	CALLED_STATION,
	CALLING_STATION,
	FRAMED_IP,
	REPLY_MESSAGE,
	CONNECT_INFO,
	ACCOUNTING_STATUS,
	ACCOUNTING_SESSION,
	EAP,
	RTT_US,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[REQUEST] = {"request", FYKE_TYPE_TEXT, "Access-Request, Accounting-Request …; NULL = not seen"},
	[RESULT] = {"result", FYKE_TYPE_TEXT, "Access-Accept, Access-Reject …; NULL = not seen"},
	[IDENTIFIER] = {"identifier", FYKE_TYPE_INTEGER, "what request and answer share"},
	[USER_NAME] = {"user_name", FYKE_TYPE_TEXT, "who"},
	[NAS_IP] = {"nas_ip", FYKE_TYPE_TEXT, "the access server's address"},
	[NAS_IDENTIFIER] = {"nas_identifier", FYKE_TYPE_TEXT, "the access server's name"},
	[CALLED_STATION] = {"called_station", FYKE_TYPE_TEXT, "what was called: access point and network"},
	[CALLING_STATION] = {"calling_station", FYKE_TYPE_TEXT, "who calls: often a hardware address"},
	[FRAMED_IP] = {"framed_ip", FYKE_TYPE_TEXT, "the address that the user gets"},
	[REPLY_MESSAGE] = {"reply_message", FYKE_TYPE_TEXT, "the server's words"},
	[CONNECT_INFO] = {"connect_info", FYKE_TYPE_TEXT, "kind of the connection"},
	[ACCOUNTING_STATUS] = {"accounting_status", FYKE_TYPE_INTEGER, "1 = start, 2 = stop, 3 = interim"},
	[ACCOUNTING_SESSION] = {"accounting_session", FYKE_TYPE_TEXT, "the accounting session's id"},
	[EAP] = {"eap", FYKE_TYPE_BOOLEAN, "EAP messages are in it"},
	[RTT_US] = {"rtt_us", FYKE_TYPE_INTEGER, "from request to answer"},
};

static const struct fyke_table table = {"radius", "one row per request with its answer", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct state {
	bool busy, eap, has_status;
	uint8_t code, identifier;
	uint32_t status;
	struct fyke_moment at;
	struct fyke_text text[FIELD_COUNT]; /* unused where the field is no text */
};

static const char *name_of(uint8_t code)
{
	switch (code) {
	case 1:
		return "Access-Request";
	case 2:
		return "Access-Accept";
	case 3:
		return "Access-Reject";
	case 4:
		return "Accounting-Request";
	case 5:
		return "Accounting-Response";
	case 11:
		return "Access-Challenge";
	case 12:
		return "Status-Server";
	case 40:
		return "Disconnect-Request";
	case 41:
		return "Disconnect-ACK";
	case 42:
		return "Disconnect-NAK";
	case 43:
		return "CoA-Request";
	case 44:
		return "CoA-ACK";
	case 45:
		return "CoA-NAK";
	default:
		return NULL;
	}
}

static bool is_request(uint8_t code)
{
	return code == 1 || code == 4 || code == 12 || code == 40 || code == 43;
}

static void set_address(struct fyke_dissection *dissection, struct fyke_text *text, struct fyke_cursor c)
{
	char buffer[FYKE_ADDRESS_TEXT];
	struct fyke_phrase phrase = fyke_phrase(buffer, sizeof(buffer));
	const uint8_t *bytes = fyke_cursor_take(&c, 4);

	if (bytes == NULL)
		return;
	fyke_phrase_ipv4(&phrase, bytes);
	fyke_keep(dissection, text, buffer, phrase.length, TEXT_MAX);
}

static void read_attribute(struct fyke_dissection *dissection, uint8_t type, struct fyke_cursor c)
{
	static const uint8_t texts[][2] = {{1, USER_NAME}, {18, REPLY_MESSAGE}, {30, CALLED_STATION},
		{31, CALLING_STATION}, {32, NAS_IDENTIFIER}, {44, ACCOUNTING_SESSION}, {77, CONNECT_INFO}};
	struct state *state = fyke_state(dissection);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i][0] == type && fyke_cursor_left(&c) > 0)
			fyke_keep(
				dissection, &state->text[texts[i][1]], c.at, fyke_cursor_left(&c), TEXT_MAX);
	}
	if (type == 4 || type == 8)
		set_address(dissection, &state->text[type == 4 ? NAS_IP : FRAMED_IP], c);
	if (type == 40) {
		state->status = fyke_cursor_u32(&c);
		state->has_status = fyke_cursor_ok(&c);
	}
	state->eap |= type == 79;
}

static void read_attributes(struct fyke_dissection *dissection, struct fyke_cursor c)
{
	for (int i = 0; i < ATTRIBUTES_MAX && fyke_cursor_left(&c) >= 2; i++) {
		uint8_t type = fyke_cursor_u8(&c), length = fyke_cursor_u8(&c);
		struct fyke_cursor value = fyke_cursor_carve(&c, length < 2 ? SIZE_MAX : length - 2U);

		if (!fyke_cursor_ok(&c))
			return;
		read_attribute(dissection, type, value);
	}
}

static void say_mac(struct fyke_dissection *dissection, const struct state *state)
{
	const struct fyke_text *station = &state->text[CALLING_STATION], *framed = &state->text[FRAMED_IP];
	char text[FYKE_ADDRESS_TEXT], mac[FYKE_MAC_TEXT];
	struct fyke_address ip;

	if (!fyke_text_is_set(station) || !fyke_text_is_set(framed) || station->length != FYKE_MAC_TEXT - 1)
		return;
	for (size_t i = 0; i < FYKE_MAC_TEXT - 1; i++) {
		char c = station->bytes[i];

		mac[i] = c == '-' ? ':' : c >= 'A' && c <= 'F' ? (char)(c | 0x20) : c;
		if (i % 3 == 2 ? mac[i] != ':'
			       : !((mac[i] >= '0' && mac[i] <= '9') || (mac[i] >= 'a' && mac[i] <= 'f')))
			return;
	}
	memcpy(text, framed->bytes, framed->length);
	text[framed->length] = '\0';
	/* 255.255.255.254: the access server chooses */
	if (fyke_address_parse(text, &ip) && ip.bytes[0] < 224)
		fyke_host_says(dissection, &ip, FYKE_HOST_MAC, mac, sizeof(mac) - 1, "radius");
}

/* `result`: the answer's code, 0 = none. */
static void tell(struct fyke_dissection *dissection, struct state *state, uint8_t result)
{
	struct fyke_value values[FIELD_COUNT];
	struct fyke_moment now = fyke_now(dissection);

	for (int i = 0; i < FIELD_COUNT; i++)
		values[i] = fyke_text_of(&state->text[i]);
	values[REQUEST] = fyke_word(is_request(state->code) ? name_of(state->code) : NULL);
	values[RESULT] = fyke_word(result != 0 ? name_of(result) : NULL);
	values[IDENTIFIER] = fyke_integer(state->identifier);
	values[ACCOUNTING_STATUS] = fyke_integer_if(state->has_status, state->status);
	values[EAP] = fyke_integer(state->eap);
	values[RTT_US] =
		fyke_integer_if(result != 0 && is_request(state->code) && now.time_ns >= state->at.time_ns,
			(now.time_ns - state->at.time_ns) / 1000);
	fyke_record_at(dissection, &table, state->at, values);
	say_mac(dissection, state);
	for (int i = 0; i < FIELD_COUNT; i++)
		fyke_drop(dissection, &state->text[i]);
	*state = (struct state){.busy = false};
}

static bool is_message(const uint8_t *data, size_t length, bool cut)
{
	struct fyke_cursor c = fyke_cursor(data, length);
	uint8_t code = fyke_cursor_u8(&c);
	uint16_t announced;

	(void)fyke_cursor_u8(&c);
	announced = fyke_cursor_u16(&c);
	(void)fyke_cursor_skip(&c, 16);
	if (!fyke_cursor_ok(&c) || name_of(code) == NULL || announced < HEADER || announced > 4096)
		return false;
	if (cut)
		return true;
	if (announced > length)
		return false;
	c = fyke_cursor(c.at, announced - HEADER);
	while (fyke_cursor_left(&c) > 0) {
		uint8_t size;

		(void)fyke_cursor_u8(&c);
		size = fyke_cursor_u8(&c);
		if (size < 2 || !fyke_cursor_skip(&c, size - 2U))
			return false;
	}
	return true;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	uint8_t code = fyke_cursor_u8(&c), identifier = fyke_cursor_u8(&c);
	bool again;

	if (!is_message(input->data, input->length, input->cut))
		return fyke_not_mine();
	fyke_confirm(dissection);
	again = state->busy && state->identifier == identifier;
	if (again && is_request(code))
		return fyke_more(input->length);
	if (state->busy && !again)
		tell(dissection, state, 0);
	if (!state->busy)
		*state = (struct state){
			.busy = true, .code = code, .identifier = identifier, .at = fyke_now(dissection)};
	(void)fyke_cursor_skip(&c, HEADER - 2);
	read_attributes(dissection, c);
	if (is_request(code))
		return fyke_more(input->length);
	tell(dissection, state, code);
	return fyke_rest();
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	if (state->busy)
		tell(dissection, state, 0);
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		size_t length = opening->side[side].length;

		if (length > 0 && !is_message(opening->side[side].data, length, false))
			return FYKE_NO;
	}
	return opening->on_port ? FYKE_YES : FYKE_MAYBE;
}

static const uint16_t ports[] = {1812, 1813, 1645, 1646, 3799, 0};
static const char *const services[] = {
	"radius", "radius-acct", "radius-dynauth", "datametrics", "sa-msg-port", NULL};

const struct fyke_dissector fyke_dissector_radius = {
	.name = "radius",
	.title = "Remote Authentication Dial In User Service, RFC 2865 and 2866",
	.doc = "One row per request with its answer, on its own ports. Requests of one session that overlap "
	       "in "
	       "time are rows without an answer, and the answers likewise.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
	.end = end,
};
