/*
 * X11 (X Window System Protocol, chapter 8): the set-up of a connection and how the server answers. The
 * proof of rights (a cookie) is a secret. Requests and events are not read.
 */
#include "dissectors/dissector.h"

#include <string.h>

enum { PROTOCOL, BYTE_ORDER, AUTHORIZATION, RESULT, REASON, VENDOR, RELEASE, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[PROTOCOL] = {"protocol", FYKE_TYPE_TEXT, "version that the client asks for"},
	[BYTE_ORDER] = {"byte_order", FYKE_TYPE_TEXT, "of the client: big or little"},
	[AUTHORIZATION] = {"authorization", FYKE_TYPE_TEXT,
		"how it proves its rights: MIT-MAGIC-COOKIE-1 …; NULL: not at all"},
	[RESULT] = {"result", FYKE_TYPE_TEXT, "success, failed or authenticate; NULL: not seen"},
	[REASON] = {"reason", FYKE_TYPE_TEXT, "why it failed"},
	[VENDOR] = {"vendor", FYKE_TYPE_TEXT, "who made the server"},
	[RELEASE] = {"vendor_release", FYKE_TYPE_INTEGER, "number of the server's release"},
};
static const struct fyke_table table = {"x11", "Connections to X servers.", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

enum {
	HEADER = 12,
	REPLY_HEADER = 8,
	NAME_MAX_BYTES = 255,
	COOKIE_MAX = 1024,
	FAILED = 0,
	SUCCESS = 1,
	MORE = 2
};

struct state {
	struct fyke_text authorization, cookie;
	struct fyke_moment asked;
	bool little, has_request;
};

static uint16_t read16(struct fyke_cursor *c, bool little)
{
	return little ? fyke_cursor_le16(c) : fyke_cursor_u16(c);
}

struct setup {
	bool little;
	uint16_t major, minor, name_length, data_length;
};

static size_t padded(size_t length)
{
	return (length + 3) / 4 * 4;
}

/* 'B' or 'l', an unused byte, version 11.x, two lengths, two unused bytes. */
static enum fyke_fault read_setup(struct fyke_cursor *c, struct setup *setup)
{
	uint8_t order = fyke_cursor_u8(c);

	if (fyke_cursor_ok(c) && order != 'B' && order != 'l')
		return FYKE_FAULT_BAD;
	setup->little = order == 'l';
	fyke_cursor_skip(c, 1);
	setup->major = read16(c, setup->little);
	if (fyke_cursor_ok(c) && setup->major != 11)
		return FYKE_FAULT_BAD;
	setup->minor = read16(c, setup->little);
	setup->name_length = read16(c, setup->little);
	setup->data_length = read16(c, setup->little);
	fyke_cursor_skip(c, 2);
	if (fyke_cursor_ok(c) &&
		(setup->minor > 6 || setup->name_length > NAME_MAX_BYTES || setup->data_length > COOKIE_MAX))
		return FYKE_FAULT_BAD;
	return c->fault;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	struct fyke_cursor c =
		fyke_cursor(opening->side[FYKE_CLIENT].data, opening->side[FYKE_CLIENT].length);
	struct setup setup;

	if (opening->side[FYKE_CLIENT].length == 0)
		return opening->side[FYKE_SERVER].length > 0 ? FYKE_NO : FYKE_MAYBE;
	switch (read_setup(&c, &setup)) {
	case FYKE_FAULT_NONE: /* order, version and lengths: more than 32 bits */
		return FYKE_YES;
	case FYKE_FAULT_SHORT:
		return FYKE_MAYBE;
	default:
		return FYKE_NO;
	}
}

static void tell(struct fyke_dissection *dissection, struct fyke_value values[FIELD_COUNT], bool accepted)
{
	struct state *state = fyke_state(dissection);

	if (fyke_text_is_set(&state->cookie) && state->cookie.length > 0)
		fyke_credential(dissection,
			&(struct fyke_credential){.mechanism = "X11 cookie",
				.secret = fyke_text_of(&state->cookie),
				.login = values[RESULT].kind == FYKE_VALUE_NULL ? FYKE_LOGIN_UNKNOWN
					 : accepted				? FYKE_LOGIN_ACCEPTED
										: FYKE_LOGIN_REFUSED});
	values[PROTOCOL] = fyke_word("11.0");
	values[BYTE_ORDER] = fyke_word(state->little ? "little" : "big");
	values[AUTHORIZATION] = fyke_text_of(&state->authorization);
	state->has_request = false;
	fyke_record_at(dissection, &table, state->asked, values);
}

static struct fyke_verdict feed_client(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	struct setup setup;
	const uint8_t *name, *data;
	size_t whole;

	if (state->has_request)
		return fyke_more(input->length);
	switch (read_setup(&c, &setup)) {
	case FYKE_FAULT_BAD:
		return fyke_not_mine();
	case FYKE_FAULT_SHORT:
		return fyke_need(0, HEADER);
	default:
		break;
	}
	whole = HEADER + padded(setup.name_length) + padded(setup.data_length);
	name = fyke_cursor_take(&c, setup.name_length);
	fyke_cursor_skip(&c, padded(setup.name_length) - setup.name_length);
	data = fyke_cursor_take(&c, setup.data_length);
	if (!fyke_cursor_ok(&c) || input->length < whole)
		return fyke_need(0, whole);
	state->little = setup.little;
	state->has_request = true;
	state->asked = fyke_now(dissection);
	if (setup.name_length > 0)
		fyke_keep(dissection, &state->authorization, name, setup.name_length, NAME_MAX_BYTES);
	if (setup.data_length > 0)
		fyke_keep(dissection, &state->cookie, data, setup.data_length, COOKIE_MAX);
	return fyke_more(whole);
}

/* Failed: length of the reason, version, the reason. */
static struct fyke_verdict failed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_value values[FIELD_COUNT] = {{0}};
	size_t length = input->data[1], left = input->length - REPLY_HEADER;

	if (left < length && !input->end && !input->full)
		return fyke_need(0, REPLY_HEADER + length);
	values[RESULT] = fyke_word("failed");
	values[REASON] = fyke_bytes(input->data + REPLY_HEADER, left < length ? left : length);
	tell(dissection, values, false);
	return fyke_done();
}

/* Success: a release, then lengths, the vendor's name behind 40 bytes. */
static struct fyke_verdict succeeded(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	const struct state *state = fyke_state(dissection);
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	struct fyke_value values[FIELD_COUNT] = {{0}};
	uint32_t release;
	uint16_t length;
	const uint8_t *vendor;

	fyke_cursor_skip(&c, REPLY_HEADER);
	release = state->little ? fyke_cursor_le32(&c) : fyke_cursor_u32(&c);
	fyke_cursor_skip(&c, 12);
	length = read16(&c, state->little);
	fyke_cursor_skip(&c, 14);
	vendor = fyke_cursor_take(&c, length < NAME_MAX_BYTES ? length : NAME_MAX_BYTES);
	if (!fyke_cursor_ok(&c) && !input->end && !input->full)
		return fyke_more(0);
	values[RESULT] = fyke_word("success");
	if (vendor != NULL) {
		values[VENDOR] = fyke_bytes(vendor, length < NAME_MAX_BYTES ? length : NAME_MAX_BYTES);
		values[RELEASE] = fyke_integer(release);
		fyke_product(dissection, FYKE_SERVER, values[VENDOR].bytes, values[VENDOR].length);
	}
	tell(dissection, values, true);
	return fyke_done();
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	const struct state *state = fyke_state(dissection);
	struct fyke_value values[FIELD_COUNT] = {{0}};

	if (input->length == 0)
		return fyke_more(0);
	if (input->side == FYKE_CLIENT)
		return feed_client(dissection, input);
	if (!state->has_request)
		return fyke_not_mine();
	if (input->length < REPLY_HEADER)
		return fyke_need(0, REPLY_HEADER);
	switch (input->data[0]) {
	case FAILED:
		return failed(dissection, input);
	case SUCCESS:
		return succeeded(dissection, input);
	case MORE:
		values[RESULT] = fyke_word("authenticate");
		tell(dissection, values, false);
		return fyke_done();
	default:
		return fyke_not_mine();
	}
}

static void end(struct fyke_dissection *dissection)
{
	const struct state *state = fyke_state(dissection);
	struct fyke_value values[FIELD_COUNT] = {{0}};

	if (state->has_request)
		tell(dissection, values, false);
}

static const uint16_t ports[] = {6000, 6001, 6002, 6003, 6010, 6011, 0};
static const char *const services[] = {"x11", "x11-1", "x11-2", "x11-3", NULL};
static const struct fyke_signature signatures[] = {
	FYKE_CLIENT_SAYS("B\0\0\x0b"), FYKE_CLIENT_SAYS("l\0\x0b\0")};

const struct fyke_dissector fyke_dissector_x11 = {
	.name = "x11",
	.title = "X Window System, version 11",
	.doc = "How clients connect, by what right, and who the server is. Requests, events and fonts are "
	       "not read.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = 2,
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
	.end = end,
};
