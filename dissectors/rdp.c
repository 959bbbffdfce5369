/*
 * RDP ([MS-RDPBCGR]): the connection request with its cookie, the negotiated security, and, where RDP's own
 * security is chosen, what the GCC conference says of client and server (§2.2.1.3, T.124). TLS is handed on.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/utf16.h"

#include <string.h>

enum {
	TPKT = 4,
	REQUEST = 0xe0,
	CONFIRM = 0xd0,
	DATA = 0xf0,
	NAME_MAX = 128,
	CHANNELS_MAX = 256,
	BLOCKS_MAX = 16,
	PACKETS_MAX = 6
};
enum { CLIENT_CORE = 0xc001, CLIENT_NETWORK = 0xc003, SERVER_SECURITY = 0x0c02 };

enum {
	COOKIE,
	TOKEN,
	REQUESTED,
	SECURITY,
	RESULT,
	CLIENT_NAME,
	BUILD,
	KEYBOARD,
	WIDTH,
	HEIGHT,
	DEPTH,
	PRODUCT,
	CHANNELS,
	LEVEL,
	METHOD,
	CERTIFICATE,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[COOKIE] = {"cookie", FYKE_TYPE_TEXT,
		"the user, as the client announces it (mstshash; often cut to 9 characters)"},
	[TOKEN] = {"routing_token", FYKE_TYPE_TEXT, "of a load balancer (msts)"},
	[REQUESTED] = {"requested_protocols", FYKE_TYPE_TEXT, "that the client offers, joined by |"},
	[SECURITY] = {"security_protocol", FYKE_TYPE_TEXT,
		"RDP, SSL, HYBRID (CredSSP), HYBRID_EX …: what the server chose"},
	[RESULT] = {"result", FYKE_TYPE_TEXT, "encrypted, Success, or why the server refuses"},
	[CLIENT_NAME] = {"client_name", FYKE_TYPE_TEXT, "the client's computer"},
	[BUILD] = {"client_build", FYKE_TYPE_TEXT, "the client's build number"},
	[KEYBOARD] = {"keyboard_layout", FYKE_TYPE_TEXT, "Windows' number of it"},
	[WIDTH] = {"desktop_width", FYKE_TYPE_INTEGER, "pixels that are asked for"},
	[HEIGHT] = {"desktop_height", FYKE_TYPE_INTEGER, "pixels that are asked for"},
	[DEPTH] = {"requested_color_depth", FYKE_TYPE_INTEGER, "bits"},
	[PRODUCT] = {"client_dig_product_id", FYKE_TYPE_TEXT, "the client's product"},
	[CHANNELS] = {"client_channels", FYKE_TYPE_TEXT, "static virtual channels, joined by |"},
	[LEVEL] = {"encryption_level", FYKE_TYPE_TEXT, "of RDP's own security"},
	[METHOD] = {"encryption_method", FYKE_TYPE_TEXT, "of RDP's own security"},
	[CERTIFICATE] = {"cert_type", FYKE_TYPE_TEXT, "RSA (proprietary) or X.509"},
};

static const struct fyke_table table = {"rdp", "one row per session", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct state {
	bool asked, answered, told, core, security;
	uint32_t requested, chosen, failure, build, keyboard, method, level;
	uint16_t width, height, depth;
	uint8_t packets[2];
	uint32_t certificate;
	struct fyke_text cookie, token, name, product, channels;
};

static const char *failure_name(uint32_t code)
{
	static const char *const names[] = {NULL, "SSL_REQUIRED_BY_SERVER", "SSL_NOT_ALLOWED_BY_SERVER",
		"SSL_CERT_NOT_ON_SERVER", "INCONSISTENT_FLAGS", "HYBRID_REQUIRED_BY_SERVER",
		"SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER"};

	return code < sizeof(names) / sizeof(names[0]) ? names[code] : "refused";
}

static const char *security_name(uint32_t protocol)
{
	switch (protocol) {
	case 0:
		return "RDP";
	case 1:
		return "SSL";
	case 2:
		return "HYBRID";
	case 4:
		return "RDSTLS";
	case 8:
		return "HYBRID_EX";
	default:
		return "other";
	}
}

static const char *method_name(uint32_t method)
{
	return method == 0    ? "None"
	       : method == 1  ? "40bit"
	       : method == 2  ? "128bit"
	       : method == 8  ? "56bit"
	       : method == 16 ? "FIPS"
			      : "other";
}

static const char *level_name(uint32_t level)
{
	static const char *const names[] = {"None", "Low", "Client compatible", "High", "FIPS"};

	return level < 5 ? names[level] : "other";
}

static struct fyke_value keyboard_text(uint32_t layout, char text[9])
{
	for (int i = 0; i < 8; i++)
		text[i] = "0123456789abcdef"[layout >> (28 - 4 * i) & 15];
	return fyke_bytes(text, 8);
}

static size_t requested_text(uint32_t requested, char out[64])
{
	static const struct {
		uint32_t bit;
		const char *name;
		size_t length;
	} bits[] = {
		{1, "SSL", 3}, {2, "HYBRID", 6}, {4, "RDSTLS", 6}, {8, "HYBRID_EX", 9}, {16, "RDSAAD", 6}};
	size_t used = 3;

	memcpy(out, "RDP", 3);
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		if ((requested & bits[i].bit) == 0)
			continue;
		out[used++] = '|';
		memcpy(out + used, bits[i].name, bits[i].length);
		used += bits[i].length;
	}
	return used;
}

static void tell(struct fyke_dissection *dissection, struct state *state)
{
	struct fyke_value values[FIELD_COUNT];
	char requested[64], build[12], keyboard[9];
	size_t length = requested_text(state->requested, requested), digits = sizeof(build);

	if (state->told)
		return;
	state->told = true;
	for (uint32_t left = state->build; digits == sizeof(build) || left > 0; left /= 10)
		build[--digits] = (char)('0' + left % 10);
	values[COOKIE] = fyke_text_of(&state->cookie);
	values[TOKEN] = fyke_text_of(&state->token);
	values[REQUESTED] = state->asked ? fyke_bytes(requested, length) : fyke_null();
	values[SECURITY] =
		fyke_word(state->answered && state->failure == 0 ? security_name(state->chosen) : NULL);
	values[RESULT] = fyke_word(!state->answered	 ? NULL
				   : state->failure != 0 ? failure_name(state->failure)
				   : state->chosen != 0	 ? "encrypted"
				   : state->security	 ? "Success"
							 : NULL);
	values[CLIENT_NAME] = fyke_text_of(&state->name);
	values[BUILD] = state->core ? fyke_bytes(build + digits, sizeof(build) - digits) : fyke_null();
	values[KEYBOARD] = state->core ? keyboard_text(state->keyboard, keyboard) : fyke_null();
	values[WIDTH] = fyke_integer_if(state->core, state->width);
	values[HEIGHT] = fyke_integer_if(state->core, state->height);
	values[DEPTH] = fyke_integer_if(state->depth != 0, state->depth);
	values[PRODUCT] = fyke_text_of(&state->product);
	values[CHANNELS] = fyke_text_of(&state->channels);
	values[LEVEL] = fyke_word(state->security ? level_name(state->level) : NULL);
	values[METHOD] = fyke_word(state->security ? method_name(state->method) : NULL);
	values[CERTIFICATE] = fyke_word(state->certificate == 1	  ? "RSA"
					: state->certificate == 2 ? "X.509"
								  : NULL);
	fyke_record(dissection, &table, values);
	if (state->name.length > 0)
		fyke_host_says(dissection, fyke_address_of(dissection, FYKE_CLIENT), FYKE_HOST_NAME,
			state->name.bytes, state->name.length, "rdp");
}

/* "Cookie: mstshash=USER" or "Cookie: msts=TOKEN", to the end of its line (§2.2.1.1). */
static void read_cookie(struct fyke_dissection *dissection, struct state *state, struct fyke_cursor *c)
{
	const uint8_t *end = fyke_cursor_left(c) > 0 ? memchr(c->at, '\n', fyke_cursor_left(c)) : NULL;
	size_t length;

	if (end == NULL || fyke_cursor_left(c) < 8 || memcmp(c->at, "Cookie: ", 8) != 0)
		return;
	fyke_cursor_skip(c, 8);
	length = (size_t)(end - c->at);
	if (length > 0 && c->at[length - 1] == '\r')
		length--;
	if (length >= 9 && memcmp(c->at, "mstshash=", 9) == 0)
		fyke_keep(dissection, &state->cookie, c->at + 9, length - 9, NAME_MAX);
	else if (length >= 5 && memcmp(c->at, "msts=", 5) == 0)
		fyke_keep(dissection, &state->token, c->at + 5, length - 5, NAME_MAX);
	fyke_cursor_skip(c, (size_t)(end - c->at) + 1);
}

/* RDP_NEG_REQ, RDP_NEG_RSP and RDP_NEG_FAILURE have one form (§2.2.1.1.1, §2.2.1.2.1). */
static bool read_negotiation(struct fyke_cursor *c, uint8_t *type, uint32_t *value)
{
	*type = fyke_cursor_u8(c);
	fyke_cursor_skip(c, 1);
	if (fyke_cursor_le16(c) != 8)
		return false;
	*value = fyke_cursor_le32(c);
	return fyke_cursor_ok(c) && *type >= 1 && *type <= 3;
}

static void read_request(struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c)
{
	uint8_t type;
	uint32_t value;

	fyke_cursor_skip(&c, 5);
	read_cookie(dissection, state, &c);
	state->asked = true;
	if (read_negotiation(&c, &type, &value) && type == 1)
		state->requested = value;
	if (fyke_text_is_set(&state->cookie) || fyke_text_is_set(&state->token) || type == 1)
		fyke_confirm(dissection);
}

static void read_confirm(struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c)
{
	uint8_t type;
	uint32_t value;

	fyke_cursor_skip(&c, 5);
	state->answered = true;
	if (!read_negotiation(&c, &type, &value))
		return;
	fyke_confirm(dissection);
	if (type == 3)
		state->failure = value;
	else
		state->chosen = value;
}

static void keep_utf16(
	struct fyke_dissection *dissection, struct fyke_text *text, struct fyke_cursor *c, size_t length)
{
	const uint8_t *bytes = fyke_cursor_take(c, length);
	char out[NAME_MAX];

	if (bytes != NULL)
		fyke_keep(dissection, text, out, fyke_utf16_text(bytes, length, true, out, sizeof(out)),
			sizeof(out));
}

static void read_core(struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c)
{
	static const uint16_t depths[] = {4, 8, 15, 16, 24};
	uint16_t color, high;

	fyke_cursor_skip(&c, 4);
	state->width = fyke_cursor_le16(&c);
	state->height = fyke_cursor_le16(&c);
	color = fyke_cursor_le16(&c);
	fyke_cursor_skip(&c, 2);
	state->keyboard = fyke_cursor_le32(&c);
	state->build = fyke_cursor_le32(&c);
	keep_utf16(dissection, &state->name, &c, 32);
	state->core = fyke_cursor_ok(&c);
	fyke_cursor_skip(&c, 12 + 64);
	if (color >= 0xca00 && color < 0xca05)
		state->depth = depths[color - 0xca00];
	fyke_cursor_skip(&c, 8);
	high = fyke_cursor_le16(&c);
	if (fyke_cursor_ok(&c) && high != 0)
		state->depth = high;
	fyke_cursor_skip(&c, 4);
	keep_utf16(dissection, &state->product, &c, 64);
}

static void read_network(struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c)
{
	uint32_t count = fyke_cursor_le32(&c);

	for (uint32_t i = 0; i < count && i < 31; i++) {
		const uint8_t *name = fyke_cursor_take(&c, 8);

		fyke_cursor_skip(&c, 4);
		if (name == NULL)
			return;
		if (state->channels.length > 0)
			fyke_append(dissection, &state->channels, "|", 1, CHANNELS_MAX);
		fyke_append(dissection, &state->channels, name, strnlen((const char *)name, 8), CHANNELS_MAX);
	}
}

static void read_security(struct state *state, struct fyke_cursor c)
{
	uint32_t random;

	state->method = fyke_cursor_le32(&c);
	state->level = fyke_cursor_le32(&c);
	state->security = fyke_cursor_ok(&c);
	random = fyke_cursor_le32(&c);
	fyke_cursor_skip(&c, 4);
	fyke_cursor_skip(&c, random);
	state->certificate = fyke_cursor_le32(&c) & 0x7fffffff;
}

/* User data blocks behind the GCC key "Duca" (client) or "McDn" (server) and a PER length. */
static void read_conference(
	struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c, enum fyke_side side)
{
	size_t left = fyke_cursor_left(&c);
	const uint8_t *key = left > 0 ? memmem(c.at, left, side == FYKE_CLIENT ? "Duca" : "McDn", 4) : NULL;

	if (key == NULL)
		return;
	fyke_confirm(dissection);
	fyke_cursor_skip(&c, (size_t)(key - c.at) + 4);
	if ((fyke_cursor_u8(&c) & 0x80) != 0)
		fyke_cursor_skip(&c, 1);
	for (int i = 0; i < BLOCKS_MAX && fyke_cursor_left(&c) >= 4; i++) {
		uint16_t type = fyke_cursor_le16(&c), length = fyke_cursor_le16(&c);
		struct fyke_cursor block;

		if (length < 4)
			return;
		block = fyke_cursor_carve(&c, length - 4U);
		if (type == CLIENT_CORE)
			read_core(dissection, state, block);
		else if (type == CLIENT_NETWORK)
			read_network(dissection, state, block);
		else if (type == SERVER_SECURITY)
			read_security(state, block);
	}
}

/* TPKT (RFC 1006) with X.224: 03 00 length, then a length and a type. */
static enum fyke_match fits(const uint8_t *data, size_t length, enum fyke_side side)
{
	struct fyke_cursor c = fyke_cursor(data, length);
	size_t whole;
	uint8_t type, kind;
	uint32_t value;

	if (data[0] != 3 || (length > 1 && data[1] != 0))
		return FYKE_NO;
	fyke_cursor_skip(&c, 2);
	whole = fyke_cursor_u16(&c);
	fyke_cursor_skip(&c, 1);
	type = fyke_cursor_u8(&c);
	if (!fyke_cursor_ok(&c))
		return FYKE_MAYBE;
	if (whole < 7 || type != (side == FYKE_CLIENT ? REQUEST : CONFIRM))
		return type == DATA ? FYKE_MAYBE : FYKE_NO;
	if (length < whole)
		return FYKE_MAYBE;
	fyke_cursor_skip(&c, 5);
	if (whole > 11 && data[11] >= 0xc0 && data[11] <= 0xc2) /* size and TSAPs: others connect so */
		return FYKE_NO;
	if (side == FYKE_CLIENT && whole > 20 && memmem(data, whole, "Cookie: mst", 11) != NULL)
		return FYKE_YES;
	return read_negotiation(&c, &kind, &value) && c.at == data + whole ? FYKE_YES : FYKE_MAYBE;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	enum fyke_match match = FYKE_MAYBE;

	for (int side = 0; side < 2; side++) {
		enum fyke_match one;

		if (opening->side[side].length == 0)
			continue;
		one = fits(opening->side[side].data, opening->side[side].length, (enum fyke_side)side);
		if (one == FYKE_NO)
			return FYKE_NO;
		if (one == FYKE_YES)
			match = one;
	}
	return match;
}

static struct fyke_verdict take_packet(struct fyke_dissection *dissection, struct state *state,
	const struct fyke_input *input, size_t length)
{
	struct fyke_cursor c = fyke_cursor(input->data, input->length < length ? input->length : length);
	uint8_t type;

	fyke_cursor_skip(&c, TPKT + 1);
	type = fyke_cursor_u8(&c);
	if (type == REQUEST && input->side == FYKE_CLIENT)
		read_request(dissection, state, c);
	else if (type == CONFIRM && input->side == FYKE_SERVER)
		read_confirm(dissection, state, c);
	else if (type == DATA)
		read_conference(dissection, state, c, input->side);
	else
		return fyke_not_mine();
	if (state->failure != 0 || state->security || ++state->packets[input->side] >= PACKETS_MAX) {
		tell(dissection, state);
		return fyke_done();
	}
	if (state->answered && state->chosen != 0) {
		tell(dissection, state);
		return fyke_becomes(length, "tls");
	}
	return fyke_more(length);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	size_t length;

	if (input->length == 0)
		return fyke_more(0);
	/* what the client sends depends on the answer to its request */
	if (input->side == FYKE_CLIENT && state->asked && !state->answered)
		return fyke_wait(0);
	if (input->length < TPKT + 2)
		return input->end ? fyke_done() : fyke_need(0, TPKT + 2);
	length = (size_t)input->data[2] << 8 | input->data[3];
	if (input->data[0] != 3 || length < 7)
		return fyke_not_mine();
	if (input->length < length && !input->end && !input->full)
		return fyke_need(0, length);
	return take_packet(dissection, state, input, length);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	if (state->asked && (fyke_text_is_set(&state->cookie) || state->requested != 0 || state->answered))
		tell(dissection, state);
}

static const uint16_t ports[] = {3389, 0};
static const char *const services[] = {"rdp", "ms-wbt-server", NULL};
static const struct fyke_signature signatures[] = {{1U << FYKE_CLIENT | 1U << FYKE_SERVER, "\3\0", 2}};

const struct fyke_dissector fyke_dissector_rdp = {
	.name = "rdp",
	.title = "Remote Desktop Protocol, [MS-RDPBCGR]",
	.doc = "The announced user, the security that is negotiated, the client's name, build, keyboard and "
	       "channels where RDP's own "
	       "security lets them be seen. TLS is followed; CredSSP inside it is not seen, nor is RDP over "
	       "UDP.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = 1,
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
	.end = end,
};
