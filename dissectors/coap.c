/*
 * CoAP over UDP (RFC 7252): one row per message. Bodies are left out.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/phrase.h"

enum { TEXT_ROOM = 512, OPTIONS_MAX = 64, TOKEN_MAX = 8, PAYLOAD_MARK = 0xff };

enum { KIND, CODE, MESSAGE_ID, TOKEN, HOST, PATH, QUERY, CONTENT_FORMAT, PAYLOAD_BYTES, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[KIND] = {"kind", FYKE_TYPE_TEXT, "confirmable, non-confirmable, acknowledgement or reset"},
	[CODE] = {"code", FYKE_TYPE_TEXT, "GET, POST, PUT, DELETE; of answers 2.05 …; 0.00 = empty"},
	[MESSAGE_ID] = {"message_id", FYKE_TYPE_INTEGER, "what a message and its acknowledgement share"},
	[TOKEN] = {"token", FYKE_TYPE_TEXT, "what a request and its answer share, in hex"},
	[HOST] = {"host", FYKE_TYPE_TEXT, "Uri-Host"},
	[PATH] = {"path", FYKE_TYPE_TEXT, "Uri-Path"},
	[QUERY] = {"query", FYKE_TYPE_TEXT, "Uri-Query"},
	[CONTENT_FORMAT] = {"content_format", FYKE_TYPE_INTEGER, "number of the body's media type"},
	[PAYLOAD_BYTES] = {"payload_bytes", FYKE_TYPE_INTEGER, "the body's size"},
};

static const struct fyke_table table = {"coap", "one row per message", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct message {
	bool is_bare;
	struct fyke_value values[FIELD_COUNT];
	char code[8], token[2 * TOKEN_MAX], path_text[TEXT_ROOM], query_text[TEXT_ROOM];
	struct fyke_phrase path, query;
};

/* §3.1: 13 and 14 say that one or two bytes follow; 15 is the payload's. */
static uint32_t extended(struct fyke_cursor *c, unsigned nibble)
{
	if (nibble == 13)
		return fyke_cursor_u8(c) + 13U;
	if (nibble == 14)
		return fyke_cursor_u16(c) + 269U;
	if (nibble == 15)
		fyke_cursor_bad(c);
	return nibble;
}

static void read_option(struct message *message, uint32_t number, struct fyke_cursor option)
{
	size_t length = fyke_cursor_left(&option);

	if (number == 3 && length > 0)
		message->values[HOST] = fyke_bytes(option.at, length);
	if (number == 11) {
		fyke_phrase_add(&message->path, "/", 1);
		fyke_phrase_add(&message->path, option.at, length);
	}
	if (number == 15) {
		fyke_phrase_next(&message->query, "&");
		fyke_phrase_add(&message->query, option.at, length);
	}
	if (number == 12 && length <= 2)
		message->values[CONTENT_FORMAT] = fyke_integer(length == 0   ? 0
							       : length == 1 ? fyke_cursor_u8(&option)
									     : fyke_cursor_u16(&option));
}

/* Those that are assigned (RFC 7252 §12.2 and later), and the range for experiments. */
static bool is_option(uint32_t number)
{
	static const uint16_t numbers[] = {1, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 23,
		27, 28, 31, 35, 39, 60, 252, 258, 292, 548, 2049, 2050, 2051, 2052, 2053, 2054, 2055};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (numbers[i] == number)
			return true;
	}
	return number >= 65000;
}

/* Classes and details of answers that are assigned. */
static bool is_answer(uint8_t code)
{
	unsigned class = code >> 5, detail = code & 31;

	return (class == 2 && ((detail >= 1 && detail <= 5) || detail == 31)) ||
	       (class == 4 && (detail <= 9 || detail == 12 || detail == 13 || detail == 15 || detail == 22 ||
				      detail == 29)) ||
	       (class == 5 && detail <= 8);
}

static bool read_options(struct message *message, struct fyke_cursor *c)
{
	uint32_t number = 0;

	for (int i = 0; i < OPTIONS_MAX && fyke_cursor_left(c) > 0 && fyke_cursor_ok(c); i++) {
		uint8_t byte = fyke_cursor_u8(c);
		uint32_t length;

		if (byte == PAYLOAD_MARK) {
			message->values[PAYLOAD_BYTES] = fyke_integer((int64_t)fyke_cursor_left(c));
			return fyke_cursor_left(c) > 0;
		}
		number += extended(c, byte >> 4);
		length = extended(c, byte & 15);
		if (!is_option(number))
			return false;
		read_option(message, number, fyke_cursor_carve(c, length));
	}
	return fyke_cursor_ok(c) && fyke_cursor_left(c) == 0;
}

static void say_code(struct message *message, uint8_t code)
{
	static const char *const methods[] = {
		NULL, "GET", "POST", "PUT", "DELETE", "FETCH", "PATCH", "iPATCH"};
	struct fyke_phrase out = fyke_phrase(message->code, sizeof(message->code));

	if (code > 0 && code < sizeof(methods) / sizeof(methods[0])) {
		message->values[CODE] = fyke_word(methods[code]);
		return;
	}
	fyke_phrase_number(&out, code >> 5);
	fyke_phrase_word(&out, (code & 31) < 10 ? ".0" : ".");
	fyke_phrase_number(&out, code & 31);
	message->values[CODE] = fyke_phrase_value(&out);
}

/* The last bytes, up to eight of them. */
static bool is_text(const uint8_t *data, size_t length)
{
	for (size_t i = length > 8 ? length - 8 : 0; i < length; i++) {
		if (data[i] < 0x20 && data[i] != '\n' && data[i] != '\t' && data[i] != '\r')
			return false;
	}
	return true;
}

static bool read_message(struct message *message, const uint8_t *data, size_t length)
{
	static const char *const kinds[] = {"confirmable", "non-confirmable", "acknowledgement", "reset"};
	struct fyke_cursor c = fyke_cursor(data, length);
	uint8_t first = fyke_cursor_u8(&c), code = fyke_cursor_u8(&c);
	struct fyke_phrase token = fyke_phrase(message->token, sizeof(message->token));
	const uint8_t *bytes;

	message->path = fyke_phrase(message->path_text, sizeof(message->path_text));
	message->query = fyke_phrase(message->query_text, sizeof(message->query_text));
	message->values[MESSAGE_ID] = fyke_integer(fyke_cursor_u16(&c));
	bytes = fyke_cursor_take(&c, first & 15);
	if (bytes == NULL || first >> 6 != 1 || (first & 15) > TOKEN_MAX || (code > 7 && !is_answer(code)) ||
		(code == 0 && length != 4))
		return false;
	fyke_phrase_hex(&token, bytes, first & 15);
	message->values[TOKEN] = fyke_phrase_value(&token);
	message->values[KIND] = fyke_word(kinds[first >> 4 & 3]);
	say_code(message, code);
	if (!read_options(message, &c))
		return false;
	/* an acknowledgement or a reset asks nothing; an error says why in text, if it says anything */
	if ((first >> 5 & 1) != 0 && code > 0 && code <= 7)
		return false;
	if (code >= 0x80 && message->values[PAYLOAD_BYTES].kind == FYKE_VALUE_INTEGER &&
		!is_text(data, length))
		return false;
	message->values[PATH] = fyke_phrase_value(&message->path);
	message->values[QUERY] = fyke_phrase_value(&message->query);
	message->is_bare = code > 7 && length == 4U + (first & 15);
	return true;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct message message = {.values = {{0}}};

	if (!read_message(&message, input->data, input->length) && !input->cut)
		return fyke_not_mine();
	/* an answer without options or payload is little: it counts beside another message */
	if (message.is_bare && !fyke_is_confirmed(dissection))
		return fyke_more(0);
	fyke_record(dissection, &table, message.values);
	return fyke_rest();
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		struct message message = {.values = {{0}}};

		if (opening->side[side].length > 0 &&
			!read_message(&message, opening->side[side].data, opening->side[side].length))
			return FYKE_NO;
	}
	return opening->on_port ? FYKE_LIKELY : FYKE_MAYBE;
}

static const uint16_t ports[] = {5683, 0};
static const char *const services[] = {"coap", NULL};

const struct fyke_dissector fyke_dissector_coap = {
	.name = "coap",
	.title = "Constrained Application Protocol, RFC 7252",
	.doc = "One row per message, on its own port over UDP.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.tables = tables,
	.probe = probe,
	.feed = feed,
};
