/* SLP, the Service Location Protocol, versions 1 (RFC 2165) and 2 (RFC 2608), over UDP and TCP. */
#include "dissectors/dissector.h"

#include <string.h>

enum { VERSION, FUNCTION, TRANSACTION, SERVICE_TYPE, SCOPE, URL, ERROR_CODE, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[VERSION] = {"version", FYKE_TYPE_INTEGER, "1 or 2"},
	[FUNCTION] = {"function", FYKE_TYPE_TEXT, "service request, service reply, attribute request …"},
	[TRANSACTION] = {"transaction", FYKE_TYPE_INTEGER, "number that answers repeat"},
	[SERVICE_TYPE] = {"service_type", FYKE_TYPE_TEXT, "what is looked for, of a request of version 2"},
	[SCOPE] = {"scope", FYKE_TYPE_TEXT, "within which it is looked for"},
	[URL] = {"url", FYKE_TYPE_TEXT, "the first address of a reply, the one of a registration"},
	[ERROR_CODE] = {"error", FYKE_TYPE_INTEGER, "of a reply: 0 = none"},
};
static const struct fyke_table table = {"slp", "Messages of service location.", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

enum {
	HEADER_1 = 12,
	HEADER_2 = 14,
	REQUEST = 1,
	REPLY,
	REGISTER,
	DEREGISTER,
	ACKNOWLEDGE,
	ATTRIBUTE_REQUEST,
	ATTRIBUTE_REPLY,
	FUNCTIONS = 12,
	TAG_MAX = 35,
	ROWS_MAX = 1000
};

struct header {
	uint8_t version, function;
	uint32_t length;
	uint16_t transaction;
	bool is_error; /* version 1: not read further */
};

static bool is_tag(const uint8_t *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bool letter = (text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'z';

		if (!letter && !(text[i] == '-' && i > 0) && !(text[i] >= '0' && text[i] <= '9' && i > 0))
			return false;
	}
	return length > 0;
}

static bool read_header(struct fyke_cursor *c, struct header *header)
{
	size_t all = fyke_cursor_left(c);
	const uint8_t *tag;
	uint16_t tag_length;

	*header = (struct header){.version = fyke_cursor_u8(c), .function = fyke_cursor_u8(c)};
	if (header->version == 1) {
		header->length = fyke_cursor_u16(c);
		fyke_cursor_skip(c, 2);
		tag = fyke_cursor_take(c, 2);
		fyke_cursor_skip(c, 2);
		header->transaction = fyke_cursor_u16(c);
		return fyke_cursor_ok(c) && header->function >= REQUEST && header->function <= 10 &&
		       header->length == all && is_tag(tag, 2);
	}
	header->length = fyke_cursor_u24(c);
	fyke_cursor_skip(c, 5); /* flags, offset of extensions */
	header->transaction = fyke_cursor_u16(c);
	tag_length = fyke_cursor_u16(c);
	tag = fyke_cursor_take(c, tag_length);
	return fyke_cursor_ok(c) && header->version == 2 && header->function >= REQUEST &&
	       header->function < FUNCTIONS && header->length == all && tag_length <= TAG_MAX &&
	       is_tag(tag, tag_length);
}

static struct fyke_value read_text(struct fyke_cursor *c)
{
	uint16_t length = fyke_cursor_u16(c);
	const uint8_t *text = fyke_cursor_take(c, length);

	return length > 0 ? fyke_bytes(text, length) : fyke_null();
}

static struct fyke_value read_url(struct fyke_cursor *c)
{
	fyke_cursor_skip(c, 3); /* reserved, lifetime */
	return read_text(c);
}

static void read_body(const struct header *header, struct fyke_cursor *c, struct fyke_value *values)
{
	switch (header->function) {
	case REQUEST:
		(void)read_text(c); /* who has answered already */
		values[SERVICE_TYPE] = read_text(c);
		values[SCOPE] = read_text(c);
		break;
	case REPLY:
		values[ERROR_CODE] = fyke_integer(fyke_cursor_u16(c));
		if (fyke_cursor_u16(c) > 0)
			values[URL] = read_url(c);
		break;
	case REGISTER:
		values[URL] = read_url(c);
		fyke_cursor_skip(c, 1);
		values[SERVICE_TYPE] = read_text(c);
		values[SCOPE] = read_text(c);
		break;
	case ACKNOWLEDGE:
	case ATTRIBUTE_REPLY:
		values[ERROR_CODE] = fyke_integer(fyke_cursor_u16(c));
		break;
	default:
		break;
	}
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		struct fyke_cursor c = fyke_cursor(opening->side[side].data, opening->side[side].length);
		struct header header;

		if (opening->side[side].length > 0 && read_header(&c, &header))
			return FYKE_YES;
	}
	return opening->on_port && opening->transport == FYKE_OVER_TCP ? FYKE_MAYBE : FYKE_NO;
}

static bool take(struct fyke_dissection *dissection, const uint8_t *data, size_t length)
{
	static const char *const names[] = {NULL, "service request", "service reply", "registration",
		"deregistration", "acknowledgment", "attribute request", "attribute reply",
		"agent advertisement", "service type request", "service type reply",
		"service agent advertisement"};
	unsigned *rows = fyke_state(dissection);
	struct fyke_cursor c = fyke_cursor(data, length);
	struct fyke_value values[FIELD_COUNT] = {{0}};
	struct header header;

	if (!read_header(&c, &header))
		return false;
	values[VERSION] = fyke_integer(header.version);
	values[FUNCTION] = fyke_word(names[header.function]);
	values[TRANSACTION] = fyke_integer(header.transaction);
	if (header.version == 2)
		read_body(&header, &c, values);
	if (++*rows <= ROWS_MAX)
		fyke_record(dissection, &table, values);
	return true;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	size_t length = input->length;

	if (fyke_transport_of(dissection) == FYKE_OVER_TCP) {
		if (length < 5)
			return fyke_need(0, 5);
		length = input->data[0] == 2
				 ? (size_t)(input->data[2] << 16 | input->data[3] << 8 | input->data[4])
				 : (size_t)(input->data[2] << 8 | input->data[3]);
		if (length < HEADER_1)
			return fyke_not_mine();
		if (input->length < length)
			return fyke_need(0, length);
	}
	if (!take(dissection, input->data, length))
		return input->cut ? fyke_more(0) : fyke_not_mine();
	return fyke_transport_of(dissection) == FYKE_OVER_TCP ? fyke_more(length) : fyke_rest();
}

static const uint16_t ports[] = {427, 0};
static const char *const services[] = {"svrloc", NULL};

const struct fyke_dissector fyke_dissector_slp = {
	.name = "slp",
	.title = "Service Location Protocol, RFC 2165 and RFC 2608",
	.doc = "Messages of both versions; of version 2 what is looked for and found, too. At most 1,000 "
	       "rows a session.",
	.transports = FYKE_OVER_TCP | FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.anywhere = true,
	.tables = tables,
	.state_size = sizeof(unsigned),
	.probe = probe,
	.feed = feed,
};
