/*
 * MongoDB's wire protocol (OP_MSG, and OP_QUERY and OP_REPLY of old): commands with what they are about, and
 * whether they went well. Of a message 4 KiB are read; compressed ones are told as such. BSON is looked at
 * one level deep.
 */
#include "dissectors/dissector.h"

#include <string.h>

enum { HEAD = 16, READ_MAX = 4096, MESSAGE_MAX = 48 << 20, PENDING = 16, NAME_MAX = 128, ELEMENTS_MAX = 64 };
enum { OP_REPLY = 1, OP_QUERY = 2004, OP_COMPRESSED = 2012, OP_MSG = 2013 };

enum { COMMAND, COLLECTION, DATABASE, SUCCESS, CODE, MESSAGE, RTT, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[COMMAND] = {"command", FYKE_TYPE_TEXT,
		"find, insert, hello, saslStart … (query, in the old protocol)"},
	[COLLECTION] = {"collection", FYKE_TYPE_TEXT, "what it is about"},
	[DATABASE] = {"database", FYKE_TYPE_TEXT, "the database"},
	[SUCCESS] = {"success", FYKE_TYPE_BOOLEAN, "NULL = no answer was seen"},
	[CODE] = {"error_code", FYKE_TYPE_INTEGER, "of an error"},
	[MESSAGE] = {"error_message", FYKE_TYPE_TEXT, "its text"},
	[RTT] = {"rtt_us", FYKE_TYPE_INTEGER, "from request to answer"},
};

static const struct fyke_table table = {
	"mongodb", "one row per request with its answer", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct request {
	bool open;
	uint32_t id;
	struct fyke_moment moment;
	struct fyke_text command, collection, database;
};

struct state {
	struct request requests[PENDING];
	uint8_t next;
};

struct element {
	uint8_t type;
	struct fyke_cursor name, value;
};

struct answer {
	int success;
	int64_t code;
	struct fyke_value message;
};

static struct fyke_cursor until_nul(struct fyke_cursor *c)
{
	const uint8_t *nul = fyke_cursor_left(c) > 0 ? memchr(c->at, 0, fyke_cursor_left(c)) : NULL;
	struct fyke_cursor text;

	if (nul == NULL) {
		(void)fyke_cursor_skip(c, fyke_cursor_left(c) + 1);
		return (struct fyke_cursor){c->at, c->at, FYKE_FAULT_SHORT};
	}
	text = fyke_cursor_carve(c, (size_t)(nul - c->at));
	fyke_cursor_skip(c, 1);
	return text;
}

/* The next element of a document (bsonspec.org); false at its end, or where it goes beyond what is here. */
static bool next_element(struct fyke_cursor *c, struct element *element)
{
	struct fyke_cursor peek;
	size_t size = 0;

	element->type = fyke_cursor_u8(c);
	if (!fyke_cursor_ok(c) || element->type == 0)
		return false;
	element->name = until_nul(c);
	peek = *c;
	switch (element->type) {
	case 0x01:
	case 0x09:
	case 0x11:
	case 0x12:
		size = 8;
		break;
	case 0x02:
		fyke_cursor_skip(c, 4);
		size = fyke_cursor_le32(&peek);
		break;
	case 0x03:
	case 0x04:
		size = fyke_cursor_le32(&peek);
		break;
	case 0x05:
		size = (size_t)fyke_cursor_le32(&peek) + 5;
		break;
	case 0x07:
		size = 12;
		break;
	case 0x08:
		size = 1;
		break;
	case 0x10:
		size = 4;
		break;
	case 0x13:
		size = 16;
		break;
	case 0x0a:
		break;
	default:
		return false;
	}
	element->value = fyke_cursor_carve(c, size);
	return fyke_cursor_ok(c);
}

static bool is(const struct fyke_cursor *text, const char *word)
{
	size_t length = __builtin_strlen(word);

	return fyke_cursor_left(text) == length && memcmp(text->at, word, length) == 0;
}

/* A string's bytes without its NUL. */
static void keep(struct fyke_dissection *dissection, struct fyke_text *text, const struct element *element)
{
	size_t length = fyke_cursor_left(&element->value);

	if (element->type == 0x02 && length > 0)
		fyke_keep(dissection, text, element->value.at, length - 1, NAME_MAX);
}

static void tell(struct fyke_dissection *dissection, struct request *request, const struct answer *answer)
{
	struct fyke_value values[FIELD_COUNT];

	values[COMMAND] = fyke_text_of(&request->command);
	values[COLLECTION] = fyke_text_of(&request->collection);
	values[DATABASE] = fyke_text_of(&request->database);
	values[SUCCESS] = fyke_integer_if(answer->success >= 0, answer->success);
	values[CODE] = fyke_integer_if(answer->code >= 0, answer->code);
	values[MESSAGE] = answer->message;
	values[RTT] = fyke_integer_if(
		answer->success >= 0, (fyke_now(dissection).time_ns - request->moment.time_ns) / 1000);
	fyke_record_at(dissection, &table, request->moment, values);
	fyke_drop(dissection, &request->command);
	fyke_drop(dissection, &request->collection);
	fyke_drop(dissection, &request->database);
	*request = (struct request){0};
}

static const struct answer unanswered = {.success = -1, .code = -1};

/* A command is its document's first element; $db may stand anywhere behind it. */
static void read_command(
	struct fyke_dissection *dissection, struct request *request, struct fyke_cursor document)
{
	struct element element;

	fyke_cursor_skip(&document, 4);
	for (int i = 0; i < ELEMENTS_MAX && next_element(&document, &element); i++) {
		if (i == 0) {
			fyke_keep(dissection, &request->command, element.name.at,
				fyke_cursor_left(&element.name), NAME_MAX);
			keep(dissection, &request->collection, &element);
		} else if (is(&element.name, "$db")) {
			keep(dissection, &request->database, &element);
		}
	}
}

/* "database.collection"; where that is $cmd, the document is a command. */
static void read_query(struct fyke_dissection *dissection, struct request *request, struct fyke_cursor c)
{
	struct fyke_cursor name;
	const uint8_t *dot;

	fyke_cursor_skip(&c, 4);
	name = until_nul(&c);
	fyke_cursor_skip(&c, 8);
	dot = fyke_cursor_left(&name) > 0 ? memchr(name.at, '.', fyke_cursor_left(&name)) : NULL;
	if (dot == NULL)
		return;
	fyke_keep(dissection, &request->database, name.at, (size_t)(dot - name.at), NAME_MAX);
	name.at = dot + 1;
	if (is(&name, "$cmd")) {
		read_command(dissection, request, c);
		return;
	}
	fyke_keep(dissection, &request->command, "query", 5, NAME_MAX);
	fyke_keep(dissection, &request->collection, name.at, fyke_cursor_left(&name), NAME_MAX);
}

static struct answer read_result(struct fyke_cursor document)
{
	struct answer answer = {.success = 1, .code = -1};
	struct element element;

	fyke_cursor_skip(&document, 4);
	for (int i = 0; i < ELEMENTS_MAX && next_element(&document, &element); i++) {
		if (is(&element.name, "ok") && element.type == 0x01)
			answer.success = element.value.at[7] != 0;
		else if (is(&element.name, "errmsg") && element.type == 0x02 &&
			 fyke_cursor_left(&element.value) > 0)
			answer.message = fyke_bytes(element.value.at, fyke_cursor_left(&element.value) - 1);
		else if (is(&element.name, "code") && element.type == 0x10)
			answer.code = fyke_cursor_le32(&element.value);
	}
	return answer;
}

struct header {
	uint32_t length, id, to, opcode;
};

static bool read_header(struct header *header, struct fyke_cursor *c)
{
	header->length = fyke_cursor_le32(c);
	header->id = fyke_cursor_le32(c);
	header->to = fyke_cursor_le32(c);
	header->opcode = fyke_cursor_le32(c);
	return fyke_cursor_ok(c) && header->length >= HEAD && header->length <= MESSAGE_MAX &&
	       (header->opcode == OP_REPLY || (header->opcode >= 2001 && header->opcode <= OP_MSG));
}

static void read_request(struct fyke_dissection *dissection, struct state *state, const struct header *header,
	struct fyke_cursor c)
{
	struct request *request = &state->requests[state->next++ % PENDING];

	if (request->open)
		tell(dissection, request, &unanswered);
	*request = (struct request){.open = true, .id = header->id, .moment = fyke_now(dissection)};
	if (header->opcode == OP_MSG) {
		fyke_cursor_skip(&c, 4);
		if (fyke_cursor_u8(&c) == 0)
			read_command(dissection, request, c);
	} else if (header->opcode == OP_QUERY) {
		read_query(dissection, request, c);
	} else {
		fyke_keep(dissection, &request->command,
			header->opcode == OP_COMPRESSED ? "compressed" : "other",
			header->opcode == OP_COMPRESSED ? 10 : 5, 10);
	}
}

static void read_answer(struct fyke_dissection *dissection, struct state *state, const struct header *header,
	struct fyke_cursor c)
{
	struct answer answer = {.success = 1, .code = -1};

	if (header->opcode == OP_MSG && fyke_cursor_skip(&c, 4) && fyke_cursor_u8(&c) == 0)
		answer = read_result(c);
	else if (header->opcode == OP_REPLY && fyke_cursor_skip(&c, 20))
		answer = read_result(c);
	for (size_t i = 0; i < PENDING; i++) {
		if (state->requests[i].open && state->requests[i].id == header->to) {
			tell(dissection, &state->requests[i], &answer);
			return;
		}
	}
}

/* A length, a request that answers nothing, a known code, then flags and a document that fits. */
static enum fyke_match probe(const struct fyke_opening *opening)
{
	enum fyke_match match = FYKE_MAYBE;

	for (int side = 0; side < 2; side++) {
		struct fyke_cursor c = fyke_cursor(opening->side[side].data, opening->side[side].length);
		struct header header;

		if (opening->side[side].length < HEAD)
			continue;
		if (!read_header(&header, &c) ||
			(side == FYKE_CLIENT && (header.to != 0 || header.opcode == OP_REPLY)))
			return FYKE_NO;
		match = FYKE_YES;
	}
	return match;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	struct header header;
	size_t wanted;

	if (input->length < HEAD)
		return input->end ? fyke_more(input->length) : fyke_need(0, HEAD);
	if (!read_header(&header, &c))
		return fyke_not_mine();
	wanted = header.length < READ_MAX ? header.length : READ_MAX;
	if (input->length < wanted && !input->end)
		return fyke_need(0, wanted);
	if (input->length > header.length)
		c.end = input->data + header.length;
	fyke_confirm(dissection);
	if (input->side == FYKE_CLIENT)
		read_request(dissection, fyke_state(dissection), &header, c);
	else
		read_answer(dissection, fyke_state(dissection), &header, c);
	return fyke_more(header.length);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	for (size_t i = 0; i < PENDING; i++) {
		if (state->requests[i].open)
			tell(dissection, &state->requests[i], &unanswered);
	}
}

static const uint16_t ports[] = {27017, 27018, 27019, 0};

const struct fyke_dissector fyke_dissector_mongodb = {
	.name = "mongodb",
	.title = "MongoDB wire protocol",
	.doc = "Commands with database and collection, and whether they went well. Documents are not kept. A "
	       "gap ends it.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.anywhere = true,
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
	.end = end,
};
