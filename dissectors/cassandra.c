/*
 * Cassandra's native protocol (CQL binary protocol 3 to 5): statements with their results and errors, logins
 * by PLAIN. Of a frame 4 KiB are read; compressed frames are told without their contents. Frames of version 5
 * with checksums end it.
 */
#include "dissectors/shared/sql.h"

#include <string.h>

enum { HEAD = 9, READ_MAX = 4096, FRAME_MAX = 256 << 20, PENDING = 16, RESPONSE = 0x80, COMPRESSED = 1 };
enum {
	ERROR = 0,
	STARTUP = 1,
	READY = 2,
	AUTHENTICATE = 3,
	OPTIONS = 5,
	SUPPORTED = 6,
	QUERY = 7,
	RESULT = 8,
	PREPARE = 9,
	EXECUTE = 10,
	REGISTER = 11,
	EVENT = 12,
	BATCH = 13,
	AUTH_CHALLENGE = 14,
	AUTH_RESPONSE = 15,
	AUTH_SUCCESS = 16
};

enum { COMMAND, ARGUMENT, SUCCESS, CODE, MESSAGE, VERSION, RTT, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[COMMAND] = {"command", FYKE_TYPE_TEXT, "startup, options, query, prepare, execute, batch …"},
	[ARGUMENT] = {"argument", FYKE_TYPE_TEXT, "the statement, cut at 2 KiB, without passwords"},
	[SUCCESS] = {"success", FYKE_TYPE_BOOLEAN, "NULL = no answer was seen"},
	[CODE] = {"error_code", FYKE_TYPE_INTEGER, "of an error"},
	[MESSAGE] = {"error_message", FYKE_TYPE_TEXT, "its text"},
	[VERSION] = {"protocol_version", FYKE_TYPE_INTEGER, "of the frame"},
	[RTT] = {"rtt_us", FYKE_TYPE_INTEGER, "from request to answer"},
};

static const struct fyke_table table = {
	"cassandra", "one row per request with its answer", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct request {
	bool open;
	uint16_t stream;
	uint8_t version, opcode;
	struct fyke_moment moment;
	struct fyke_text argument, user, secret;
};

struct state {
	struct request requests[PENDING];
	uint8_t next;
};

struct answer {
	int success;
	int64_t code;
	struct fyke_value message;
};

static const char *command_name(uint8_t opcode)
{
	static const char *const names[] = {NULL, "startup", NULL, NULL, NULL, "options", NULL, "query", NULL,
		"prepare", "execute", "register", NULL, "batch", NULL, "auth_response"};

	return opcode < sizeof(names) / sizeof(names[0]) ? names[opcode] : NULL;
}

static void tell(struct fyke_dissection *dissection, struct request *request, const struct answer *answer)
{
	struct fyke_value values[FIELD_COUNT];
	struct fyke_credential credential = {.mechanism = "PLAIN",
		.user = fyke_text_of(&request->user),
		.secret = fyke_text_of(&request->secret),
		.login = answer->success < 0   ? FYKE_LOGIN_UNKNOWN
			 : answer->success > 0 ? FYKE_LOGIN_ACCEPTED
					       : FYKE_LOGIN_REFUSED};

	values[COMMAND] = fyke_word(command_name(request->opcode));
	values[ARGUMENT] = fyke_text_of(&request->argument);
	values[SUCCESS] = fyke_integer_if(answer->success >= 0, answer->success);
	values[CODE] = fyke_integer_if(answer->code >= 0, answer->code);
	values[MESSAGE] = answer->message;
	values[VERSION] = fyke_integer(request->version);
	values[RTT] = fyke_integer_if(
		answer->success >= 0, (fyke_now(dissection).time_ns - request->moment.time_ns) / 1000);
	fyke_record_at(dissection, &table, request->moment, values);
	if (fyke_text_is_set(&request->secret))
		fyke_credential(dissection, &credential);
	fyke_drop(dissection, &request->argument);
	fyke_drop(dissection, &request->user);
	fyke_drop(dissection, &request->secret);
	*request = (struct request){0};
}

static const struct answer unanswered = {.success = -1, .code = -1};

/* NUL, user, NUL, secret (RFC 4616). */
static void read_login(struct fyke_dissection *dissection, struct request *request, struct fyke_cursor c)
{
	const uint8_t *user = fyke_cursor_left(&c) > 0 ? memchr(c.at, 0, fyke_cursor_left(&c)) : NULL;
	const uint8_t *secret = user != NULL ? memchr(user + 1, 0, (size_t)(c.end - user - 1)) : NULL;

	if (secret == NULL)
		return;
	fyke_keep(dissection, &request->user, user + 1, (size_t)(secret - user - 1), 256);
	fyke_keep(dissection, &request->secret, secret + 1, (size_t)(c.end - secret - 1), 256);
}

static void read_request(
	struct fyke_dissection *dissection, struct state *state, const uint8_t *head, struct fyke_cursor c)
{
	struct request *request = &state->requests[state->next++ % PENDING];
	uint32_t length;

	if (request->open)
		tell(dissection, request, &unanswered);
	*request = (struct request){
		.open = true, .version = head[0], .opcode = head[4], .moment = fyke_now(dissection)};
	request->stream = (uint16_t)(head[2] << 8 | head[3]);
	fyke_confirm(dissection);
	if ((head[1] & COMPRESSED) != 0)
		return;
	if (head[4] == QUERY || head[4] == PREPARE || head[4] == AUTH_RESPONSE) {
		length = fyke_cursor_u32(&c);
		if (length < fyke_cursor_left(&c))
			c.end = c.at + length;
		if (head[4] == AUTH_RESPONSE)
			read_login(dissection, request, c);
		else if (fyke_cursor_ok(&c))
			fyke_sql_keep(dissection, &request->argument, c.at, fyke_cursor_left(&c));
	}
}

static void read_answer(
	struct fyke_dissection *dissection, struct state *state, const uint8_t *head, struct fyke_cursor c)
{
	struct answer answer = {.success = head[4] != ERROR, .code = -1};
	struct fyke_cursor text;

	if (head[4] == ERROR && (head[1] & COMPRESSED) == 0) {
		answer.code = fyke_cursor_u32(&c);
		text = fyke_cursor_carve(&c, fyke_cursor_u16(&c));
		answer.message = fyke_bytes(text.at, fyke_cursor_left(&text));
	}
	for (size_t i = 0; i < PENDING; i++) {
		if (state->requests[i].open &&
			state->requests[i].stream == (uint16_t)(head[2] << 8 | head[3])) {
			tell(dissection, &state->requests[i], &answer);
			return;
		}
	}
}

static bool is_head(const uint8_t *data, enum fyke_side side)
{
	uint8_t version = data[0] & 0x7f, opcode = data[4];
	bool request = command_name(opcode) != NULL;

	if (((data[0] & RESPONSE) != 0) != (side == FYKE_SERVER) || version < 3 || version > 5 ||
		(data[1] & 0xe0) != 0 || data[5] >= 0x10)
		return false;
	return side == FYKE_CLIENT ? request : !request && opcode <= AUTH_SUCCESS && opcode != 4;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	enum fyke_match match = FYKE_MAYBE;
	unsigned good = 0;

	for (int side = 0; side < 2; side++) {
		const uint8_t *data = opening->side[side].data;
		size_t length = opening->side[side].length, whole;

		if (length == 0)
			continue;
		if (length < HEAD) {
			if (((data[0] & RESPONSE) != 0) != (side == FYKE_SERVER))
				return FYKE_NO;
			continue;
		}
		if (!is_head(data, (enum fyke_side)side))
			return FYKE_NO;
		whole = HEAD + ((size_t)data[6] << 16 | (size_t)data[7] << 8 | data[8]);
		good += data[5] == 0 && length >= whole;
		/* STARTUP names the version of CQL */
		if (side == FYKE_CLIENT && data[4] == STARTUP && length >= whole &&
			memmem(data, whole, "CQL_VERSION", 11) != NULL)
			match = FYKE_YES;
	}
	return good == 2 ? FYKE_YES : match;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	uint32_t length;
	size_t wanted;

	fyke_cursor_skip(&c, 5);
	length = fyke_cursor_u32(&c);
	if (!fyke_cursor_ok(&c))
		return input->end ? fyke_more(input->length) : fyke_need(0, HEAD);
	if (!is_head(input->data, input->side) || length > FRAME_MAX)
		return fyke_not_mine();
	wanted = HEAD + (length < READ_MAX ? (size_t)length : (size_t)READ_MAX);
	if (input->length < wanted && !input->end)
		return fyke_need(0, wanted);
	if (fyke_cursor_left(&c) > length)
		c.end = c.at + length;
	if (input->side == FYKE_CLIENT)
		read_request(dissection, state, input->data, c);
	else
		read_answer(dissection, state, input->data, c);
	return fyke_more((uint64_t)length + HEAD);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	for (size_t i = 0; i < PENDING; i++) {
		if (state->requests[i].open)
			tell(dissection, &state->requests[i], &unanswered);
	}
}

static const uint16_t ports[] = {9042, 0};
static const struct fyke_signature signatures[] = {
	FYKE_CLIENT_SAYS("\x03"), FYKE_CLIENT_SAYS("\x04"), FYKE_CLIENT_SAYS("\x05")};

const struct fyke_dissector fyke_dissector_cassandra = {
	.name = "cassandra",
	.title = "Cassandra, CQL binary protocol 3 to 5",
	.doc = "Statements with their results and errors; passwords are credentials, in statements they are "
	       "masked. Rows and values are not "
	       "read, nor are frames with checksums (version 5 behind its start). A gap ends it.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.signatures = signatures,
	.signature_count = 3,
	.tables = tables,
	.state_size = sizeof(struct state),
	.memory_max = 40 * 1024, /* 16 statements that wait for their results */
	.probe = probe,
	.feed = feed,
	.end = end,
};
