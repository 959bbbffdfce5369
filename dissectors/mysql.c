/*
 * MySQL and MariaDB (MySQL Internals, "Client/Server Protocol"): greeting, login, commands with their
 * answers. Of a packet at most 4 KiB are read. Compressed connections end after the login; the X protocol is
 * another one.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/sql.h"

#include <string.h>

enum { HEAD = 4, READ_MAX = 4096, NAME_MAX = 256, PARAMETERS_MAX = 64 };
enum {
	CLEAR_TLS = 0x800,
	PROTOCOL_41 = 0x200,
	COMPRESS = 0x20,
	WITH_DB = 0x08,
	SECURE = 0x8000,
	PLUGIN = 0x80000,
	LENGTH_ENCODED = 0x200000,
	NO_EOF = 0x1000000,
	ATTRIBUTES = 0x8000000
};
enum {
	QUIT = 1,
	INIT_DB = 2,
	QUERY = 3,
	FIELD_LIST = 4,
	CHANGE_USER = 17,
	PREPARE = 22,
	LONG_DATA = 24,
	CLOSE = 25,
	COMMANDS = 32,
	LOGIN = 0x100
};

enum {
	COMMAND,
	ARGUMENT,
	SUCCESS,
	ROWS,
	AFFECTED,
	CODE,
	RESPONSE,
	USER,
	DATABASE,
	VERSION,
	RTT,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[COMMAND] = {"cmd", FYKE_TYPE_TEXT, "login, query, init_db, ping, quit …"},
	[ARGUMENT] = {"arg", FYKE_TYPE_TEXT,
		"the user, the statement (cut at 2 KiB, without passwords), the database …"},
	[SUCCESS] = {"success", FYKE_TYPE_BOOLEAN, "NULL = no answer was seen or is due"},
	[ROWS] = {"rows", FYKE_TYPE_INTEGER, "rows of the result"},
	[AFFECTED] = {"affected_rows", FYKE_TYPE_INTEGER, "rows that were changed"},
	[CODE] = {"error_code", FYKE_TYPE_INTEGER, "of an error"},
	[RESPONSE] = {"response", FYKE_TYPE_TEXT, "the error's message"},
	[USER] = {"user", FYKE_TYPE_TEXT, "who is logged in"},
	[DATABASE] = {"database", FYKE_TYPE_TEXT, "of a login"},
	[VERSION] = {"server_version", FYKE_TYPE_TEXT, "of a login"},
	[RTT] = {"rtt_us", FYKE_TYPE_INTEGER, "from request to the end of the answer"},
};

static const struct fyke_table table = {
	"mysql", "one row per login and command with its answer", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct state {
	bool greeted, logged_in, pending, wants_tls, clear_password, in_rows, columns_end;
	uint16_t command;
	uint32_t server_flags, flags;
	uint64_t columns, rows;
	struct fyke_moment moment;
	struct fyke_text argument, user, database, version, secret;
};

struct answer {
	int success; /* -1 = none */
	int64_t affected, code;
	struct fyke_value message;
};

static const char *command_name(uint16_t command)
{
	static const char *const names[COMMANDS] = {"sleep", "quit", "init_db", "query", "field_list",
		"create_db", "drop_db", "refresh", "shutdown", "statistics", "process_info", "connect",
		"process_kill", "debug", "ping", "time", "delayed_insert", "change_user", "binlog_dump",
		"table_dump", "connect_out", "register_slave", "stmt_prepare", "stmt_execute",
		"stmt_send_long_data", "stmt_close", "stmt_reset", "set_option", "stmt_fetch", "daemon",
		"binlog_dump_gtid", "reset_connection"};

	return command == LOGIN ? "login" : command < COMMANDS ? names[command] : NULL;
}

static uint64_t length_encoded(struct fyke_cursor *c)
{
	uint8_t first = fyke_cursor_u8(c);
	uint64_t low;

	switch (first) {
	case 0xfc:
		return fyke_cursor_le16(c);
	case 0xfd:
		low = fyke_cursor_le16(c);
		return low | (uint64_t)fyke_cursor_u8(c) << 16;
	case 0xfe:
		return fyke_cursor_le64(c);
	default:
		return first;
	}
}

static struct fyke_cursor until_nul(struct fyke_cursor *c)
{
	size_t left = fyke_cursor_left(c);
	const uint8_t *nul = left > 0 ? memchr(c->at, 0, left) : NULL;
	struct fyke_cursor text = fyke_cursor_carve(c, nul != NULL ? (size_t)(nul - c->at) : left);

	if (nul != NULL)
		fyke_cursor_skip(c, 1);
	return text;
}

static void keep(struct fyke_dissection *dissection, struct fyke_text *text, struct fyke_cursor c)
{
	fyke_keep(dissection, text, c.at, fyke_cursor_left(&c), NAME_MAX);
}

static void tell_credential(struct fyke_dissection *dissection, struct state *state, int success)
{
	struct fyke_credential credential = {.mechanism = "mysql_clear_password",
		.user = fyke_text_of(&state->user),
		.secret = fyke_text_of(&state->secret),
		.login = success < 0   ? FYKE_LOGIN_UNKNOWN
			 : success > 0 ? FYKE_LOGIN_ACCEPTED
				       : FYKE_LOGIN_REFUSED};

	if (fyke_text_is_set(&state->secret))
		fyke_credential(dissection, &credential);
	fyke_drop(dissection, &state->secret);
}

static void tell(struct fyke_dissection *dissection, struct state *state, const struct answer *answer)
{
	struct fyke_value values[FIELD_COUNT];
	bool login = state->command == LOGIN;

	values[COMMAND] = fyke_word(command_name(state->command));
	values[ARGUMENT] = fyke_text_of(login ? &state->user : &state->argument);
	values[SUCCESS] = fyke_integer_if(answer->success >= 0, answer->success);
	values[ROWS] = fyke_integer_if(state->in_rows, (int64_t)state->rows);
	values[AFFECTED] = fyke_integer_if(answer->affected >= 0, answer->affected);
	values[CODE] = fyke_integer_if(answer->code >= 0, answer->code);
	values[RESPONSE] = answer->message;
	values[USER] = fyke_text_of(&state->user);
	values[DATABASE] = login ? fyke_text_of(&state->database) : fyke_null();
	values[VERSION] = login ? fyke_text_of(&state->version) : fyke_null();
	values[RTT] = fyke_integer_if(
		answer->success >= 0, (fyke_now(dissection).time_ns - state->moment.time_ns) / 1000);
	fyke_record_at(dissection, &table, state->moment, values);
	if (login || state->command == CHANGE_USER)
		tell_credential(dissection, state, answer->success);
	state->pending = state->in_rows = state->columns_end = false;
	state->rows = state->columns = 0;
	fyke_drop(dissection, &state->argument);
}

static const struct answer unanswered = {.success = -1, .affected = -1, .code = -1};

static void begin(struct fyke_dissection *dissection, struct state *state, uint16_t command)
{
	if (state->pending)
		tell(dissection, state, &unanswered);
	state->pending = true;
	state->command = command;
	state->moment = fyke_now(dissection);
}

static void read_greeting(struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c)
{
	struct fyke_cursor version;

	fyke_cursor_skip(&c, 1);
	version = until_nul(&c);
	keep(dissection, &state->version, version);
	fyke_product(dissection, FYKE_SERVER, version.at, fyke_cursor_left(&version));
	fyke_cursor_skip(&c, 13);
	state->server_flags = fyke_cursor_le16(&c);
	fyke_cursor_skip(&c, 3);
	state->server_flags |= (uint32_t)fyke_cursor_le16(&c) << 16;
	state->greeted = true;
}

static void read_login(struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c)
{
	struct fyke_cursor secret, plugin;

	begin(dissection, state, LOGIN);
	if ((state->flags & PROTOCOL_41) == 0) {
		fyke_cursor_skip(&c, 5);
		keep(dissection, &state->user, until_nul(&c));
		return;
	}
	fyke_cursor_skip(&c, 32);
	keep(dissection, &state->user, until_nul(&c));
	if ((state->flags & LENGTH_ENCODED) != 0)
		secret = fyke_cursor_carve(&c, length_encoded(&c));
	else if ((state->flags & SECURE) != 0)
		secret = fyke_cursor_carve(&c, fyke_cursor_u8(&c));
	else
		secret = until_nul(&c);
	if ((state->flags & WITH_DB) != 0)
		keep(dissection, &state->database, until_nul(&c));
	plugin = (state->flags & PLUGIN) != 0 ? until_nul(&c) : secret;
	if (fyke_cursor_left(&plugin) == 20 && memcmp(plugin.at, "mysql_clear_password", 20) == 0)
		fyke_keep(dissection, &state->secret, secret.at,
			strnlen((const char *)secret.at, fyke_cursor_left(&secret)), NAME_MAX);
}

/* Values of parameters that go with a query (COM_QUERY, CLIENT_QUERY_ATTRIBUTES). */
static void skip_value(struct fyke_cursor *c, uint16_t type)
{
	static const uint8_t sizes[] = {0, 1, 2, 4, 4, 8, 0, 0, 8};

	type &= 0xff;
	if (type == 6)
		return;
	if (type == 7 || (type >= 10 && type <= 12))
		fyke_cursor_skip(c, fyke_cursor_u8(c));
	else if (type < sizeof(sizes) && sizes[type] > 0)
		fyke_cursor_skip(c, sizes[type]);
	else
		fyke_cursor_skip(c, length_encoded(c));
}

static void skip_attributes(struct fyke_cursor *c)
{
	uint64_t count = length_encoded(c);
	uint16_t types[PARAMETERS_MAX];
	const uint8_t *nulls;

	(void)length_encoded(c);
	if (count == 0 || count > PARAMETERS_MAX)
		return;
	nulls = fyke_cursor_take(c, (count + 7) / 8);
	fyke_cursor_skip(c, 1);
	for (size_t i = 0; i < count; i++) {
		types[i] = fyke_cursor_le16(c);
		fyke_cursor_skip(c, length_encoded(c));
	}
	for (size_t i = 0; i < count && nulls != NULL; i++) {
		if ((nulls[i / 8] >> (i % 8) & 1) == 0)
			skip_value(c, types[i]);
	}
}

static void read_command(struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c)
{
	uint8_t command = fyke_cursor_u8(&c);

	if (command >= COMMANDS)
		return;
	begin(dissection, state, command);
	if (command == QUERY && (state->flags & state->server_flags & ATTRIBUTES) != 0)
		skip_attributes(&c);
	if ((command == QUERY || command == PREPARE) && fyke_cursor_ok(&c)) {
		fyke_sql_keep(dissection, &state->argument, c.at, fyke_cursor_left(&c));
	} else if (command == CHANGE_USER) {
		keep(dissection, &state->user, until_nul(&c));
		fyke_keep(dissection, &state->argument, state->user.bytes, state->user.length, NAME_MAX);
	} else if (command == INIT_DB || command == FIELD_LIST || command == 5 || command == 6) {
		keep(dissection, &state->argument, until_nul(&c));
	}
	if (command == QUIT || command == CLOSE || command == LONG_DATA)
		tell(dissection, state, &unanswered);
}

static void read_error(struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c)
{
	struct answer answer = {.success = 0, .affected = -1};

	answer.code = fyke_cursor_le16(&c);
	if (fyke_cursor_left(&c) >= 6 && c.at[0] == '#')
		fyke_cursor_skip(&c, 6);
	answer.message = fyke_bytes(c.at, fyke_cursor_left(&c));
	if (!state->pending) { /* the server refuses before anybody asked */
		begin(dissection, state, LOGIN);
		state->logged_in = true;
	}
	tell(dissection, state, &answer);
}

static void finish(struct fyke_dissection *dissection, struct state *state, int64_t affected)
{
	struct answer answer = {.success = 1, .affected = affected, .code = -1};

	if (state->command == LOGIN)
		state->logged_in = true;
	tell(dissection, state, &answer);
}

/* A result: columns, an end unless that was agreed away, rows, an end. */
static void read_row(struct fyke_dissection *dissection, struct state *state, uint8_t first, size_t length)
{
	bool end = first == 0xfe &&
		   length < ((state->flags & state->server_flags & NO_EOF) != 0 ? 0xffffffU : 9U);

	if (state->columns > 0) {
		state->columns--;
	} else if (!state->columns_end && !end) {
		state->columns_end = true; /* no end stands between */
		state->rows++;
	} else if (!state->columns_end && (state->flags & state->server_flags & NO_EOF) == 0) {
		state->columns_end = true;
	} else if (end) {
		finish(dissection, state, -1);
	} else {
		state->rows++;
	}
}

static void read_answer(
	struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c, size_t length)
{
	uint8_t first = fyke_cursor_u8(&c);

	if (first == 0xff) {
		read_error(dissection, state, c);
	} else if (state->in_rows) {
		read_row(dissection, state, first, length);
	} else if (first == 0x00) {
		finish(dissection, state, state->command == PREPARE ? -1 : (int64_t)length_encoded(&c));
	} else if (state->command == LOGIN || state->command == CHANGE_USER) {
		struct fyke_cursor plugin = until_nul(&c);

		state->clear_password = first == 0xfe && fyke_cursor_left(&plugin) == 20 &&
					memcmp(plugin.at, "mysql_clear_password", 20) == 0;
	} else if (first == 0xfe && length < 9) {
		finish(dissection, state, -1);
	} else if (first != 0xfb) {
		state->in_rows = true;
		state->columns = state->command == FIELD_LIST ? 0 : first;
		state->columns_end = state->command == FIELD_LIST;
		if (state->command == 9) /* statistics are a line of text */
			finish(dissection, state, -1);
	}
}

static void read_client(
	struct fyke_dissection *dissection, struct state *state, uint8_t sequence, struct fyke_cursor c)
{
	struct fyke_cursor flags = c;

	if (sequence == 0) {
		state->logged_in = true;
		read_command(dissection, state, c);
		return;
	}
	if (state->logged_in)
		return;
	if (state->pending) {
		if (state->clear_password)
			fyke_keep(dissection, &state->secret, c.at,
				strnlen((const char *)c.at, fyke_cursor_left(&c)), NAME_MAX);
		return;
	}
	state->flags = fyke_cursor_le16(&flags);
	if ((state->flags & PROTOCOL_41) != 0)
		state->flags |= (uint32_t)fyke_cursor_le16(&flags) << 16;
	if ((state->flags & CLEAR_TLS) != 0 && fyke_cursor_left(&c) <= 32)
		state->wants_tls = true;
	else
		read_login(dissection, state, c);
}

static bool is_greeting(const uint8_t *data, size_t length)
{
	size_t whole;

	if (length < HEAD + 6)
		return false;
	whole = (size_t)data[0] | (size_t)data[1] << 8 | (size_t)data[2] << 16;
	if (data[3] != 0 || data[4] != 10 || whole < 30 || whole > 512)
		return false;
	for (size_t i = 5; i < length && i < 80; i++) {
		if (data[i] == 0)
			return i > 7;
		if (data[i] < 0x20 || data[i] > 0x7e || (i == 5 && (data[i] < '3' || data[i] > '9')))
			return false;
	}
	return false;
}

/* A whole packet that may be a command, or the server's refusal of a client. */
static bool may_be(const uint8_t *data, size_t length, enum fyke_side side)
{
	size_t whole;

	if (length < HEAD + 1)
		return true;
	whole = (size_t)data[0] | (size_t)data[1] << 8 | (size_t)data[2] << 16;
	if (side == FYKE_CLIENT)
		return whole > 0 && data[3] <= 3 && (data[3] != 0 || data[4] < COMMANDS);
	return whole > 0 && data[3] <= 8;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	const uint8_t *server = opening->side[FYKE_SERVER].data;
	size_t length = opening->side[FYKE_SERVER].length;

	if (is_greeting(server, length))
		return FYKE_YES;
	if (length >= 84 && server[3] == 0 && server[4] == 10)
		return FYKE_NO;
	for (int side = 0; side < 2; side++) {
		if (!may_be(opening->side[side].data, opening->side[side].length, (enum fyke_side)side))
			return FYKE_NO;
	}
	return FYKE_MAYBE;
}

static struct fyke_verdict take_packet(struct fyke_dissection *dissection, struct state *state,
	const struct fyke_input *input, size_t length)
{
	size_t here = input->length - HEAD < length ? input->length - HEAD : length;
	struct fyke_cursor c = fyke_cursor(input->data + HEAD, here);
	bool first = input->side == FYKE_SERVER && !state->greeted && input->data[3] == 0;

	if (here == 0)
		return fyke_more(HEAD + (uint64_t)length);
	if (first && c.at[0] == 10)
		read_greeting(dissection, state, c);
	else if (input->side == FYKE_CLIENT)
		read_client(dissection, state, input->data[3], c);
	else if (state->pending || (first && c.at[0] == 0xff))
		read_answer(dissection, state, c, length);
	if (input->side == FYKE_CLIENT && state->wants_tls)
		return fyke_becomes(HEAD + (uint64_t)length, "tls");
	if (state->logged_in && !state->pending && (state->flags & state->server_flags & COMPRESS) != 0)
		return fyke_done();
	return fyke_more(HEAD + (uint64_t)length);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	size_t length, wanted;

	if (input->length < HEAD)
		return input->end ? fyke_more(input->length) : fyke_need(0, HEAD);
	length = (size_t)input->data[0] | (size_t)input->data[1] << 8 | (size_t)input->data[2] << 16;
	wanted = HEAD + (length < READ_MAX ? length : READ_MAX);
	if (input->length < wanted && !input->end)
		return fyke_need(0, wanted);
	if (!may_be(input->data, input->length, input->side) && !state->greeted)
		return fyke_not_mine();
	return take_packet(dissection, state, input, length);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	if (state->pending)
		tell(dissection, state, &unanswered);
}

static const uint16_t ports[] = {3306, 0};

const struct fyke_dissector fyke_dissector_mysql = {
	.name = "mysql",
	.title = "MySQL and MariaDB client/server protocol",
	.doc = "The server's version, logins, commands with statements, results and errors. TLS is followed. "
	       "Passwords in statements "
	       "are masked; parameters of prepared statements and rows are only counted. A gap ends it.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.anywhere = true,
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
	.end = end,
};
