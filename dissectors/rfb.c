/*
 * RFB (VNC, RFC 6143; versions 3.3, 3.7, 3.8 and Apple's 3.889): versions, authentication, desktop. What
 * follows is pictures.
 */
#include "dissectors/dissector.h"

#include <string.h>

enum { VERSION = 12, REASON_MAX = 256, NAME_MAX = 256 };
enum { NONE = 1, VNC = 2, APPLE = 30 };

enum { CLIENT_VERSION, SERVER_VERSION, METHOD, SUCCESS, REASON, SHARED, WIDTH, HEIGHT, NAME, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[CLIENT_VERSION] = {"client_version", FYKE_TYPE_TEXT, "as the client says: 003.008"},
	[SERVER_VERSION] = {"server_version", FYKE_TYPE_TEXT, "as the server says"},
	[METHOD] = {"authentication_method", FYKE_TYPE_TEXT, "None, VNC, Apple Remote Desktop …"},
	[SUCCESS] = {"auth", FYKE_TYPE_BOOLEAN, "the server let the client in"},
	[REASON] = {"failure_reason", FYKE_TYPE_TEXT, "why not, in the server's words"},
	[SHARED] = {"share_flag", FYKE_TYPE_BOOLEAN, "others may stay connected"},
	[WIDTH] = {"width", FYKE_TYPE_INTEGER, "of the desktop, pixels"},
	[HEIGHT] = {"height", FYKE_TYPE_INTEGER, "of the desktop, pixels"},
	[NAME] = {"desktop_name", FYKE_TYPE_TEXT, "the desktop's name"},
};

static const struct fyke_table table = {"rfb", "one row per session", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

/* Whose turn it is: each stage is one side's message. */
enum stage {
	SERVER_HELLO,
	CLIENT_HELLO,
	SERVER_TYPES,
	CLIENT_TYPE,
	SERVER_CHALLENGE,
	CLIENT_RESPONSE,
	SERVER_RESULT,
	SERVER_REASON,
	CLIENT_INIT,
	SERVER_INIT
};

struct state {
	enum stage stage;
	char version[2][8];
	bool begun, told;
	size_t response; /* bytes of the answer to the challenge */
	uint8_t method;
	int success, shared;
	uint16_t width, height;
	struct fyke_text reason, name;
};

static const char *method_name(uint8_t method)
{
	switch (method) {
	case NONE:
		return "None";
	case VNC:
		return "VNC";
	case 5:
		return "RA2";
	case 6:
		return "RA2ne";
	case 16:
		return "Tight";
	case 17:
		return "Ultra";
	case 18:
		return "TLS";
	case 19:
		return "VeNCrypt";
	case 20:
		return "SASL";
	case 21:
		return "MD5";
	case APPLE:
		return "Apple Remote Desktop";
	default:
		return method != 0 ? "other" : NULL;
	}
}

static void tell(struct fyke_dissection *dissection, struct state *state)
{
	struct fyke_value values[FIELD_COUNT];
	bool sized = state->width != 0 || state->height != 0;

	if (state->told)
		return;
	state->told = true;
	values[CLIENT_VERSION] =
		fyke_word(state->version[FYKE_CLIENT][0] != '\0' ? state->version[FYKE_CLIENT] : NULL);
	values[SERVER_VERSION] =
		fyke_word(state->version[FYKE_SERVER][0] != '\0' ? state->version[FYKE_SERVER] : NULL);
	values[METHOD] = fyke_word(method_name(state->method));
	values[SUCCESS] = fyke_integer_if(state->success >= 0, state->success);
	values[REASON] = fyke_text_of(&state->reason);
	values[SHARED] = fyke_integer_if(state->shared >= 0, state->shared);
	values[WIDTH] = fyke_integer_if(sized, state->width);
	values[HEIGHT] = fyke_integer_if(sized, state->height);
	values[NAME] = fyke_text_of(&state->name);
	fyke_record(dissection, &table, values);
}

static bool is_version(const uint8_t *data, size_t length)
{
	static const char form[] = "RFB ddd.ddd\n";

	for (size_t i = 0; i < length && i < VERSION; i++) {
		if (form[i] == 'd' ? data[i] < '0' || data[i] > '9' : data[i] != (uint8_t)form[i])
			return false;
	}
	return true;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	enum fyke_match match = FYKE_MAYBE;

	for (int side = 0; side < 2; side++) {
		size_t length = opening->side[side].length;

		if (length == 0)
			continue;
		if (!is_version(opening->side[side].data, length))
			return FYKE_NO;
		if (length >= VERSION)
			match = FYKE_YES;
	}
	return match;
}

/* Version 3.3, and what is treated like it (RFC 6143 §7.1.1). */
static bool is_old(const struct state *state)
{
	return memcmp(state->version[FYKE_CLIENT], "003.00", 6) == 0 && state->version[FYKE_CLIENT][6] < '7';
}

/* Without authentication only 3.8 has a result. */
static enum stage behind_none(const struct state *state)
{
	return is_old(state) || memcmp(state->version[FYKE_CLIENT], "003.007", 7) == 0 ? CLIENT_INIT
										       : SERVER_RESULT;
}

static struct fyke_verdict need(const struct fyke_input *input, size_t length)
{
	return input->end ? fyke_done() : fyke_need(0, length);
}

static struct fyke_verdict take_version(
	struct fyke_dissection *dissection, struct state *state, const struct fyke_input *input)
{
	if (input->length < VERSION)
		return need(input, VERSION);
	if (!is_version(input->data, VERSION))
		return fyke_not_mine();
	memcpy(state->version[input->side], input->data + 4, 7);
	fyke_confirm(dissection);
	state->stage = state->stage == SERVER_HELLO ? CLIENT_HELLO : SERVER_TYPES;
	return fyke_more(VERSION);
}

/* 3.3: the server decides, 4 bytes; later: a list for the client to choose from. 0 is a refusal. */
static struct fyke_verdict take_types(struct state *state, const struct fyke_input *input)
{
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	size_t count;

	if (!is_old(state)) {
		count = fyke_cursor_u8(&c);
		if (fyke_cursor_left(&c) < count)
			return need(input, count + 1);
		state->stage = count == 0 ? SERVER_REASON : CLIENT_TYPE;
		state->success = count == 0 ? 0 : state->success;
		return fyke_more(count + 1);
	}
	count = fyke_cursor_u32(&c);
	if (!fyke_cursor_ok(&c))
		return need(input, 4);
	state->method = count < 256 ? (uint8_t)count : 255;
	state->success = count == 0 ? 0 : state->success;
	state->stage = count == 0 ? SERVER_REASON : count == NONE ? CLIENT_INIT : SERVER_CHALLENGE;
	return fyke_more(4);
}

static struct fyke_verdict take_choice(
	struct fyke_dissection *dissection, struct state *state, const struct fyke_input *input)
{
	state->method = input->data[0];
	if (state->method == NONE)
		state->stage = behind_none(state);
	else if (state->method == VNC || state->method == APPLE)
		state->stage = SERVER_CHALLENGE;
	else {
		tell(dissection, state);
		return fyke_done();
	}
	return fyke_more(1);
}

/* Apple: generator, key length, prime, public key; the answer 128 bytes and a key of that length. */
static struct fyke_verdict take_challenge(
	struct state *state, const struct fyke_input *input, size_t *response)
{
	size_t length = 16, key;

	*response = 16;
	if (state->method == APPLE) {
		if (input->length < 4)
			return need(input, 4);
		key = (size_t)input->data[2] << 8 | input->data[3];
		length = 4 + 2 * key;
		*response = 128 + key;
	}
	state->stage = CLIENT_RESPONSE;
	return fyke_more(length);
}

static struct fyke_verdict take_result(
	struct fyke_dissection *dissection, struct state *state, const struct fyke_input *input)
{
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	uint32_t result = fyke_cursor_u32(&c);

	if (!fyke_cursor_ok(&c))
		return need(input, 4);
	state->success = result == 0;
	state->stage = result == 0 ? CLIENT_INIT : SERVER_REASON;
	if (result != 0 && (is_old(state) || state->version[FYKE_CLIENT][6] == '7')) {
		tell(dissection, state);
		return fyke_done();
	}
	return fyke_more(4);
}

static struct fyke_verdict take_reason(
	struct fyke_dissection *dissection, struct state *state, const struct fyke_input *input)
{
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	uint32_t length = fyke_cursor_u32(&c);
	size_t wanted = length < REASON_MAX ? length : REASON_MAX;

	if ((!fyke_cursor_ok(&c) || fyke_cursor_left(&c) < wanted) && !input->end)
		return fyke_need(0, 4 + wanted);
	if (fyke_cursor_ok(&c))
		fyke_keep(dissection, &state->reason, c.at,
			fyke_cursor_left(&c) < wanted ? fyke_cursor_left(&c) : wanted, REASON_MAX);
	tell(dissection, state);
	return fyke_done();
}

static struct fyke_verdict take_desktop(
	struct fyke_dissection *dissection, struct state *state, const struct fyke_input *input)
{
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	size_t length;

	state->width = fyke_cursor_u16(&c);
	state->height = fyke_cursor_u16(&c);
	fyke_cursor_skip(&c, 16);
	length = fyke_cursor_u32(&c);
	length = length < NAME_MAX ? length : NAME_MAX;
	if ((!fyke_cursor_ok(&c) || fyke_cursor_left(&c) < length) && !input->end)
		return fyke_need(0, 24 + length);
	if (fyke_cursor_ok(&c))
		fyke_keep(dissection, &state->name, c.at,
			fyke_cursor_left(&c) < length ? fyke_cursor_left(&c) : length, NAME_MAX);
	tell(dissection, state);
	return fyke_done();
}

static struct fyke_verdict take_server(
	struct fyke_dissection *dissection, struct state *state, const struct fyke_input *input)
{
	switch (state->stage) {
	case SERVER_HELLO:
		return take_version(dissection, state, input);
	case SERVER_TYPES:
		return take_types(state, input);
	case SERVER_CHALLENGE:
		return take_challenge(state, input, &state->response);
	case SERVER_RESULT:
		return take_result(dissection, state, input);
	case SERVER_REASON:
		return take_reason(dissection, state, input);
	case SERVER_INIT:
		return take_desktop(dissection, state, input);
	default:
		return fyke_wait(0);
	}
}

static struct fyke_verdict take_client(
	struct fyke_dissection *dissection, struct state *state, const struct fyke_input *input)
{
	switch (state->stage) {
	case CLIENT_HELLO:
		return take_version(dissection, state, input);
	case CLIENT_TYPE:
		return take_choice(dissection, state, input);
	case CLIENT_RESPONSE:
		if (input->length < state->response)
			return need(input, state->response);
		state->stage = SERVER_RESULT;
		return fyke_more(state->response);
	case CLIENT_INIT:
		state->shared = input->data[0] != 0;
		state->stage = SERVER_INIT;
		return fyke_more(1);
	default:
		return fyke_wait(0);
	}
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);

	if (input->length == 0)
		return fyke_more(0);
	if (!state->begun) {
		state->begun = true;
		state->success = state->shared = -1;
	}
	return input->side == FYKE_SERVER ? take_server(dissection, state, input)
					  : take_client(dissection, state, input);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	if (state->begun && state->stage > SERVER_HELLO)
		tell(dissection, state);
}

static const uint16_t ports[] = {5900, 5901, 5902, 5903, 0};
static const char *const services[] = {"rfb", "vnc-server", "vnc", NULL};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("RFB ")};

const struct fyke_dissector fyke_dissector_rfb = {
	.name = "rfb",
	.title = "Remote Framebuffer (VNC), RFC 6143",
	.doc = "Versions, how the client proves itself and whether it was let in, the desktop's name and "
	       "size. VeNCrypt and TLS are named, "
	       "not followed.",
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
