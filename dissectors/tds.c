/*
 * TDS 7 and 8 ([MS-TDS]), Microsoft SQL Server: pre-login, login, statements, errors. Of a packet 4 KiB are
 * read. TLS travels inside pre-login packets; when it begins, that is told and all.
 */
#include "dissectors/shared/ntlm.h"
#include "dissectors/shared/sql.h"
#include "dissectors/shared/utf16.h"

#include <stdio.h>
#include <string.h>

enum { HEAD = 8, READ_MAX = 4096, NAME_MAX = 256, TOKENS_MAX = 64 };
enum { BATCH = 1, RPC = 3, ANSWER = 4, ATTENTION = 6, LOGIN = 16, SSPI = 17, PRELOGIN = 18 };

enum {
	COMMAND,
	ARGUMENT,
	SUCCESS,
	CODE,
	MESSAGE,
	USER,
	HOST,
	APPLICATION,
	SERVER,
	DATABASE,
	VERSION,
	ENCRYPTION,
	RTT,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[COMMAND] = {"command", FYKE_TYPE_TEXT, "prelogin, login, batch, rpc, attention, tls"},
	[ARGUMENT] = {"argument", FYKE_TYPE_TEXT,
		"the statement (cut at 2 KiB, without passwords), or the procedure"},
	[SUCCESS] = {"success", FYKE_TYPE_BOOLEAN, "NULL = no answer was seen"},
	[CODE] = {"error_code", FYKE_TYPE_INTEGER, "of the first error"},
	[MESSAGE] = {"error_message", FYKE_TYPE_TEXT, "its text"},
	[USER] = {"user", FYKE_TYPE_TEXT, "who logs in; by Windows: see ntlm"},
	[HOST] = {"client_host", FYKE_TYPE_TEXT, "of a login: the client's name"},
	[APPLICATION] = {"application", FYKE_TYPE_TEXT, "of a login: what the client calls itself"},
	[SERVER] = {"server", FYKE_TYPE_TEXT, "of a login: whom the client believes to speak to"},
	[DATABASE] = {"database", FYKE_TYPE_TEXT, "of a login"},
	[VERSION] = {"server_version", FYKE_TYPE_TEXT, "of a prelogin: major.minor.build"},
	[ENCRYPTION] = {"encryption", FYKE_TYPE_TEXT,
		"of a prelogin, by the server: off, on, not supported, required"},
	[RTT] = {"rtt_us", FYKE_TYPE_INTEGER, "from request to the beginning of the answer"},
};

static const struct fyke_table table = {"tds", "one row per request with its answer", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, &fyke_table_ntlm, NULL};

struct state {
	bool pending, inside[2]; /* inside: behind the first packet of a message */
	uint8_t type;
	struct fyke_moment moment;
	struct fyke_ntlm ntlm;
	struct fyke_text argument, user, host, application, server, database, secret;
};

struct answer {
	int success;
	int64_t code;
	struct fyke_value message, version, encryption;
};

static const struct answer unanswered = {.success = -1, .code = -1};

static const char *command_name(uint8_t type)
{
	switch (type) {
	case BATCH:
		return "batch";
	case RPC:
		return "rpc";
	case ATTENTION:
		return "attention";
	case LOGIN:
		return "login";
	case PRELOGIN:
		return "prelogin";
	default:
		return "tls";
	}
}

static void tell(struct fyke_dissection *dissection, struct state *state, const struct answer *answer)
{
	bool login = state->type == LOGIN;
	struct fyke_value values[FIELD_COUNT];
	struct fyke_credential credential = {.mechanism = "LOGIN7",
		.user = fyke_text_of(&state->user),
		.secret = fyke_text_of(&state->secret),
		.login = answer->success < 0   ? FYKE_LOGIN_UNKNOWN
			 : answer->success > 0 ? FYKE_LOGIN_ACCEPTED
					       : FYKE_LOGIN_REFUSED};

	values[COMMAND] = fyke_word(command_name(state->type));
	values[ARGUMENT] = fyke_text_of(&state->argument);
	values[SUCCESS] = fyke_integer_if(answer->success >= 0, answer->success);
	values[CODE] = fyke_integer_if(answer->code >= 0, answer->code);
	values[MESSAGE] = answer->message;
	values[USER] = fyke_text_of(&state->user);
	values[HOST] = login ? fyke_text_of(&state->host) : fyke_null();
	values[APPLICATION] = login ? fyke_text_of(&state->application) : fyke_null();
	values[SERVER] = login ? fyke_text_of(&state->server) : fyke_null();
	values[DATABASE] = login ? fyke_text_of(&state->database) : fyke_null();
	values[VERSION] = answer->version;
	values[ENCRYPTION] = answer->encryption;
	values[RTT] = fyke_integer_if(
		answer->success >= 0, (fyke_now(dissection).time_ns - state->moment.time_ns) / 1000);
	fyke_record_at(dissection, &table, state->moment, values);
	if (login && state->secret.length > 0)
		fyke_credential(dissection, &credential);
	if (login)
		fyke_ntlm_tell(dissection, &state->ntlm, answer->success, NULL);
	fyke_drop(dissection, &state->argument);
	fyke_drop(dissection, &state->secret);
	state->pending = false;
}

/* An offset and a count of characters, from the login record's beginning ([MS-TDS] §2.2.6.4). */
static void login_text(struct fyke_dissection *dissection, struct fyke_text *text, struct fyke_cursor record,
	struct fyke_cursor *c, bool masked)
{
	uint16_t offset = fyke_cursor_le16(c), count = fyke_cursor_le16(c);
	uint8_t plain[NAME_MAX];
	char out[NAME_MAX];
	struct fyke_cursor bytes;
	size_t length;

	fyke_cursor_skip(&record, offset);
	bytes = fyke_cursor_carve(&record, (size_t)count * 2);
	length = fyke_cursor_left(&bytes) < sizeof(plain) ? fyke_cursor_left(&bytes) : sizeof(plain);
	if (!fyke_cursor_ok(&bytes) || length == 0)
		return;
	for (size_t i = 0; i < length; i++) { /* passwords: halves of a byte swapped, and XOR 0xa5 */
		uint8_t byte = bytes.at[i];

		plain[i] = (uint8_t)(masked ? (byte ^ 0xa5) << 4 | (byte ^ 0xa5) >> 4 : byte);
	}
	fyke_keep(
		dissection, text, out, fyke_utf16_text(plain, length, false, out, sizeof(out)), sizeof(out));
}

static void read_login(struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c)
{
	struct fyke_cursor record = c;
	struct fyke_text unused = {0};

	fyke_cursor_skip(&c, 36);
	login_text(dissection, &state->host, record, &c, false);
	login_text(dissection, &state->user, record, &c, false);
	login_text(dissection, &state->secret, record, &c, true);
	login_text(dissection, &state->application, record, &c, false);
	login_text(dissection, &state->server, record, &c, false);
	fyke_cursor_skip(&c, 4);
	login_text(dissection, &unused, record, &c, false);
	login_text(dissection, &unused, record, &c, false);
	login_text(dissection, &state->database, record, &c, false);
	fyke_drop(dissection, &unused);
	(void)fyke_ntlm_read(dissection, &state->ntlm, record.at, fyke_cursor_left(&record));
	if (state->host.length > 0)
		fyke_host_says(dissection, fyke_address_of(dissection, FYKE_CLIENT), FYKE_HOST_NAME,
			state->host.bytes, state->host.length, "tds");
}

/* ALL_HEADERS stand in front since TDS 7.2: a total length that fits, then the statement. */
static void read_batch(
	struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c, bool rpc)
{
	struct fyke_cursor peek = c;
	uint32_t headers = fyke_cursor_le32(&peek);
	char out[FYKE_SQL_MAX];
	size_t length;
	uint16_t count;

	if (headers >= 4 && headers <= 256)
		fyke_cursor_skip(&c, headers);
	if (rpc) {
		count = fyke_cursor_le16(&c);
		c = fyke_cursor_carve(&c, count == 0xffff ? 0 : (size_t)count * 2);
	}
	length = fyke_utf16_text(c.at, fyke_cursor_left(&c), false, out, sizeof(out));
	if (length > 0)
		fyke_sql_keep(dissection, &state->argument, out, length);
}

static void read_request(
	struct fyke_dissection *dissection, struct state *state, uint8_t type, struct fyke_cursor c)
{
	if (type == SSPI) {
		(void)fyke_ntlm_read(dissection, &state->ntlm, c.at, fyke_cursor_left(&c));
		return;
	}
	if (state->pending)
		tell(dissection, state, &unanswered);
	state->pending = true;
	state->type = type;
	state->moment = fyke_now(dissection);
	fyke_confirm(dissection);
	if (type == LOGIN)
		read_login(dissection, state, c);
	else if (type == BATCH || type == RPC)
		read_batch(dissection, state, c, type == RPC);
}

/* Options: token, offset, length; 0 is the version, 1 the encryption ([MS-TDS] §2.2.6.5). */
static void read_prelogin(struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c)
{
	static const char *const words[] = {"off", "on", "not supported", "required"};
	struct answer answer = {.success = 1, .code = -1};
	struct fyke_cursor whole = c;
	char version[24];

	for (int i = 0; i < 16; i++) {
		uint8_t token = fyke_cursor_u8(&c);
		uint16_t offset = fyke_cursor_u16(&c), length = fyke_cursor_u16(&c);
		struct fyke_cursor value = whole;

		if (token == 0xff || !fyke_cursor_ok(&c))
			break;
		if (!fyke_cursor_skip(&value, offset))
			continue;
		if (token == 0 && length >= 4 && fyke_cursor_left(&value) >= 4) {
			(void)snprintf(version, sizeof(version), "%u.%u.%u", value.at[0], value.at[1],
				value.at[2] << 8 | value.at[3]);
			answer.version = fyke_word(version);
			fyke_product(dissection, FYKE_SERVER, version, answer.version.length);
		} else if (token == 1 && fyke_cursor_left(&value) >= 1) {
			answer.encryption = fyke_word(value.at[0] < 4 ? words[value.at[0]] : NULL);
		}
	}
	tell(dissection, state, &answer);
}

/* Tokens at the beginning of an answer: an error, or the acknowledgement of a login (§2.2.7). */
static void read_answer(struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c)
{
	struct answer answer = {.success = 1, .code = -1};
	char text[1024];

	if (fyke_ntlm_read(dissection, &state->ntlm, c.at, fyke_cursor_left(&c)) &&
		!state->ntlm.authenticated)
		return;
	for (int i = 0; i < TOKENS_MAX && fyke_cursor_left(&c) > 3; i++) {
		uint8_t token = fyke_cursor_u8(&c);
		struct fyke_cursor inside;

		if (token != 0xaa && token != 0xab && token != 0xad && token != 0xe3)
			break;
		inside = fyke_cursor_carve(&c, fyke_cursor_le16(&c));
		if (token != 0xaa)
			continue;
		answer.success = 0;
		answer.code = fyke_cursor_le32(&inside);
		fyke_cursor_skip(&inside, 2);
		inside = fyke_cursor_carve(&inside, (size_t)fyke_cursor_le16(&inside) * 2);
		answer.message = fyke_bytes(text,
			fyke_utf16_text(inside.at, fyke_cursor_left(&inside), false, text, sizeof(text)));
		break;
	}
	if (state->pending)
		tell(dissection, state, &answer);
}

static bool is_packet(const uint8_t *data, size_t length, enum fyke_side side)
{
	uint8_t type = data[0];
	bool client = type == BATCH || type == RPC || type == ATTENTION || type == 7 || type == 14 ||
		      type == LOGIN || type == SSPI || type == PRELOGIN;

	if (!(side == FYKE_CLIENT ? client : type == ANSWER || type == PRELOGIN))
		return false;
	return length < HEAD || ((data[1] & 0xe0) == 0 && (data[2] << 8 | data[3]) >= HEAD && data[7] == 0);
}

/* A pre-login's options: version first, ends with 0xff. */
static enum fyke_match probe(const struct fyke_opening *opening)
{
	enum fyke_match match = FYKE_MAYBE;

	for (int side = 0; side < 2; side++) {
		const uint8_t *data = opening->side[side].data;
		size_t length = opening->side[side].length;

		if (length == 0)
			continue;
		if (!is_packet(data, length, (enum fyke_side)side))
			return FYKE_NO;
		if (side == FYKE_CLIENT && data[0] == PRELOGIN && length >= 20 && data[1] == 1 &&
			data[8] == 0 && data[9] == 0 && data[11] == 0 && data[12] == 6 && data[13] == 1 &&
			data[14] == 0)
			match = FYKE_YES;
		if (side == FYKE_CLIENT && data[0] == LOGIN && length >= 20 && data[15] >= 0x70 &&
			data[15] <= 0x74 && data[10] == 0 && data[11] == 0)
			match = FYKE_YES;
	}
	return match;
}

static struct fyke_verdict take_packet(struct fyke_dissection *dissection, struct state *state,
	const struct fyke_input *input, size_t length)
{
	struct fyke_cursor c =
		fyke_cursor(input->data + HEAD, (input->length < length ? input->length : length) - HEAD);
	bool first = !state->inside[input->side];

	state->inside[input->side] = (input->data[1] & 1) == 0;
	if (input->data[0] == PRELOGIN && fyke_cursor_left(&c) > 3 && c.at[0] == 0x16 && c.at[1] == 3) {
		state->type = 0;
		state->moment = fyke_now(dissection);
		tell(dissection, state, &unanswered);
		return fyke_done();
	}
	if (!first)
		return fyke_more(length);
	if (input->side == FYKE_CLIENT)
		read_request(dissection, state, input->data[0], c);
	else if (state->pending && state->type == PRELOGIN)
		read_prelogin(dissection, state, c);
	else if (input->data[0] == ANSWER)
		read_answer(dissection, state, c);
	return fyke_more(length);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	size_t length, wanted;

	if (input->length < HEAD)
		return input->end ? fyke_more(input->length) : fyke_need(0, HEAD);
	if (!is_packet(input->data, input->length, input->side))
		return fyke_not_mine();
	length = (size_t)input->data[2] << 8 | input->data[3];
	wanted = length < READ_MAX ? length : READ_MAX;
	if (input->length < wanted && !input->end)
		return fyke_need(0, wanted);
	return take_packet(dissection, fyke_state(dissection), input, length);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	if (state->pending)
		tell(dissection, state, &unanswered);
	fyke_ntlm_tell(dissection, &state->ntlm, -1, NULL);
}

static const uint16_t ports[] = {1433, 0};
static const char *const services[] = {"ms-sql-s", "tds", NULL};
static const struct fyke_signature signatures[] = {FYKE_CLIENT_SAYS("\x12\x01")};

const struct fyke_dissector fyke_dissector_tds = {
	.name = "tds",
	.title = "Tabular Data Stream (Microsoft SQL Server), [MS-TDS]",
	.doc = "The server's version and wish for encryption, logins, statements and errors. Passwords of "
	       "logins are credentials, those in "
	       "statements are masked. TLS inside it ends it; rows are not read. A gap ends it.",
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
