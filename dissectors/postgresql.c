/*
 * PostgreSQL's protocol 3 ("Frontend/Backend Protocol" in its manual): start, authentication, statements with
 * their results. Of a message at most 4 KiB are read. Replication and function calls are not.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/sql.h"

#include <string.h>

enum {
	READ_MAX = 4096,
	NAME_MAX = 256,
	MESSAGE_MAX = 1 << 30,
	VERSION_3 = 0x00030000,
	CANCEL = 80877102,
	TLS = 80877103,
	GSS = 80877104,
	PARAMETERS_MAX = 32,
	PENDING = 8
};

enum {
	COMMAND,
	ARGUMENT,
	SUCCESS,
	RESULT,
	ROWS,
	COPIED,
	CODE,
	MESSAGE,
	SEVERITY,
	USER,
	DATABASE,
	APPLICATION,
	AUTH,
	VERSION,
	RTT,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[COMMAND] = {"command", FYKE_TYPE_TEXT,
		"ssl_request, gss_request, startup, query (simple), statement (extended), execute, "
		"terminate, cancel"},
	[ARGUMENT] = {"argument", FYKE_TYPE_TEXT,
		"the statement, cut at 2 KiB, without passwords; or its name"},
	[SUCCESS] = {"success", FYKE_TYPE_BOOLEAN, "NULL = no answer was seen or is due"},
	[RESULT] = {"result", FYKE_TYPE_TEXT, "what was done, as the server says: SELECT 8"},
	[ROWS] = {"rows", FYKE_TYPE_INTEGER, "rows that were sent"},
	[COPIED] = {"copied_bytes", FYKE_TYPE_INTEGER, "of a COPY, in either direction"},
	[CODE] = {"error_code", FYKE_TYPE_TEXT, "SQLSTATE"},
	[MESSAGE] = {"error_message", FYKE_TYPE_TEXT, "what the server says to it"},
	[SEVERITY] = {"error_severity", FYKE_TYPE_TEXT, "ERROR, FATAL or PANIC"},
	[USER] = {"user", FYKE_TYPE_TEXT, "who logs in"},
	[DATABASE] = {"database", FYKE_TYPE_TEXT, "of a startup"},
	[APPLICATION] = {"application_name", FYKE_TYPE_TEXT, "of a startup: what the client calls itself"},
	[AUTH] = {"authentication", FYKE_TYPE_TEXT,
		"of a startup: trust, password, md5, a mechanism of SASL …"},
	[VERSION] = {"server_version", FYKE_TYPE_TEXT, "of a startup"},
	[RTT] = {"rtt_us", FYKE_TYPE_INTEGER, "from request to the end of the answer"},
};

static const struct fyke_table table = {
	"postgresql", "one row per request with its answer", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct request {
	const char *command;
	struct fyke_moment moment;
	struct fyke_text argument;
};

struct state {
	bool started, asked_tls, in_login;
	const char *authentication;
	struct request requests[PENDING]; /* oldest first: statements may go together */
	size_t pending;
	int64_t rows, copied;
	struct fyke_text user, database, application, version, mechanism, secret;
};

struct answer {
	int success;
	struct fyke_value result, code, message, severity;
};

static const struct answer unanswered = {.success = -1};

static void tell(struct fyke_dissection *dissection, struct state *state, const struct answer *answer)
{
	struct fyke_value values[FIELD_COUNT];
	struct request request = {.moment = fyke_now(dissection)};
	bool startup = state->in_login;

	if (state->pending > 0) {
		request = state->requests[0];
		state->pending--;
		memmove(&state->requests[0], &state->requests[1], state->pending * sizeof(request));
	}

	values[COMMAND] = fyke_word(request.command);
	values[ARGUMENT] = fyke_text_of(&request.argument);
	values[SUCCESS] = fyke_integer_if(answer->success >= 0, answer->success);
	values[RESULT] = answer->result;
	values[ROWS] = fyke_integer_if(state->rows > 0, state->rows);
	values[COPIED] = fyke_integer_if(state->copied > 0, state->copied);
	values[CODE] = answer->code;
	values[MESSAGE] = answer->message;
	values[SEVERITY] = answer->severity;
	values[USER] = fyke_text_of(&state->user);
	values[DATABASE] = startup ? fyke_text_of(&state->database) : fyke_null();
	values[APPLICATION] = startup ? fyke_text_of(&state->application) : fyke_null();
	values[AUTH] = !startup				     ? fyke_null()
		       : fyke_text_is_set(&state->mechanism) ? fyke_text_of(&state->mechanism)
							     : fyke_word(state->authentication);
	values[VERSION] = startup ? fyke_text_of(&state->version) : fyke_null();
	values[RTT] = fyke_integer_if(
		answer->success >= 0, (fyke_now(dissection).time_ns - request.moment.time_ns) / 1000);
	fyke_record_at(dissection, &table, request.moment, values);
	state->in_login = false;
	state->rows = state->copied = 0;
	fyke_drop(dissection, &request.argument);
}

static void tell_secret(struct fyke_dissection *dissection, struct state *state, enum fyke_login login)
{
	struct fyke_credential credential = {.mechanism = "password",
		.user = fyke_text_of(&state->user),
		.secret = fyke_text_of(&state->secret),
		.login = login};

	if (fyke_text_is_set(&state->secret))
		fyke_credential(dissection, &credential);
	fyke_drop(dissection, &state->secret);
}

/* Behind those that wait: a new simple query ends the wait of what was before it. */
static struct fyke_text *begin(struct fyke_dissection *dissection, struct state *state, const char *command)
{
	bool together = command[0] == 's' || command[0] == 'e';

	while (state->pending > 0 && (!together || state->in_login || state->pending == PENDING))
		tell(dissection, state, &unanswered);
	state->requests[state->pending] =
		(struct request){.command = command, .moment = fyke_now(dissection)};
	return &state->requests[state->pending++].argument;
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

static bool is(const struct fyke_cursor *text, const char *word, size_t length)
{
	return fyke_cursor_left(text) == length && memcmp(text->at, word, length) == 0;
}

static void keep(struct fyke_dissection *dissection, struct fyke_text *text, const struct fyke_cursor *c)
{
	fyke_keep(dissection, text, c->at, fyke_cursor_left(c), NAME_MAX);
}

static void read_startup(struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c)
{
	(void)begin(dissection, state, "startup");
	state->in_login = true;
	state->authentication = NULL;
	for (int i = 0; i < PARAMETERS_MAX && fyke_cursor_left(&c) > 1; i++) {
		struct fyke_cursor name = until_nul(&c), value = until_nul(&c);

		if (is(&name, "user", 4))
			keep(dissection, &state->user, &value);
		else if (is(&name, "database", 8))
			keep(dissection, &state->database, &value);
		else if (is(&name, "application_name", 16))
			keep(dissection, &state->application, &value);
	}
}

/* Before the protocol proper: a length and a code. */
static struct fyke_verdict take_first(
	struct fyke_dissection *dissection, struct state *state, const struct fyke_input *input)
{
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	uint32_t length = fyke_cursor_u32(&c), code = fyke_cursor_u32(&c);

	if (!fyke_cursor_ok(&c))
		return input->end ? fyke_done() : fyke_need(0, 8);
	if (length < 8 || length > READ_MAX)
		return fyke_not_mine();
	if (input->length < length && !input->end)
		return fyke_need(0, length);
	if (fyke_cursor_left(&c) > length - 8)
		c.end = c.at + (length - 8);
	if (code == TLS || code == GSS) {
		fyke_confirm(dissection);
		(void)begin(dissection, state, code == TLS ? "ssl_request" : "gss_request");
		state->asked_tls = true;
		return fyke_more(length);
	}
	state->started = true;
	if (code == CANCEL) {
		(void)begin(dissection, state, "cancel");
		tell(dissection, state, &unanswered);
		return fyke_done();
	}
	if (code >> 16 != VERSION_3 >> 16)
		return fyke_not_mine();
	fyke_confirm(dissection);
	read_startup(dissection, state, c);
	return fyke_more(length);
}

/* One letter: TLS (or GSS) begins, or not. What the client sends meanwhile waits. */
static struct fyke_verdict take_tls_answer(
	struct fyke_dissection *dissection, struct state *state, const struct fyke_input *input)
{
	struct answer answer = {.success = input->data[0] == 'S' || input->data[0] == 'G'};
	bool tls = input->data[0] == 'S';

	if (input->data[0] == 'E') { /* an old server's error */
		state->asked_tls = false;
		return fyke_done();
	}
	if (!answer.success && input->data[0] != 'N')
		return fyke_not_mine();
	state->asked_tls = false;
	tell(dissection, state, &answer);
	if (answer.success && !tls)
		return fyke_done();
	return tls ? fyke_becomes(1, "tls") : fyke_more(1);
}

static void read_client(struct fyke_dissection *dissection, struct state *state, uint8_t type,
	struct fyke_cursor c, size_t length)
{
	struct fyke_text *argument;
	struct fyke_cursor name;

	switch (type) {
	case 'Q':
		argument = begin(dissection, state, "query");
		name = until_nul(&c);
		fyke_sql_keep(dissection, argument, name.at, fyke_cursor_left(&name));
		break;
	case 'P':
		argument = begin(dissection, state, "statement");
		(void)until_nul(&c);
		name = until_nul(&c);
		fyke_sql_keep(dissection, argument, name.at, fyke_cursor_left(&name));
		break;
	case 'B':
		if (state->pending > 0) /* of the statement before it */
			break;
		argument = begin(dissection, state, "execute");
		(void)until_nul(&c);
		name = until_nul(&c);
		keep(dissection, argument, &name);
		break;
	case 'p':
		name = until_nul(&c);
		if (state->in_login && state->authentication != NULL && state->authentication[0] == 'p')
			keep(dissection, &state->secret, &name);
		else if (state->in_login && state->authentication != NULL &&
			 state->authentication[0] == 's' && !fyke_text_is_set(&state->mechanism))
			keep(dissection, &state->mechanism, &name);
		break;
	case 'd':
		state->copied += (int64_t)length;
		break;
	case 'X':
		(void)begin(dissection, state, "terminate");
		tell(dissection, state, &unanswered);
		break;
	default:
		break;
	}
}

static void read_authentication(struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c)
{
	uint32_t kind = fyke_cursor_u32(&c);

	if (kind == 0 && state->authentication == NULL)
		state->authentication = "trust";
	else if (kind == 3)
		state->authentication = "password";
	else if (kind == 5)
		state->authentication = "md5";
	else if (kind == 7 || kind == 8)
		state->authentication = "gss";
	else if (kind == 10)
		state->authentication = "sasl";
	if (kind == 0)
		tell_secret(dissection, state, FYKE_LOGIN_ACCEPTED);
}

static void read_error(struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c)
{
	struct answer answer = {.success = 0};

	for (int i = 0; i < PARAMETERS_MAX; i++) {
		uint8_t kind = fyke_cursor_u8(&c);
		struct fyke_cursor value = until_nul(&c);
		struct fyke_value bytes = fyke_bytes(value.at, fyke_cursor_left(&value));

		if (!fyke_cursor_ok(&c) || kind == 0)
			break;
		if (kind == 'S')
			answer.severity = bytes;
		else if (kind == 'C')
			answer.code = bytes;
		else if (kind == 'M')
			answer.message = bytes;
	}
	tell_secret(dissection, state, FYKE_LOGIN_REFUSED);
	tell(dissection, state, &answer);
}

static void read_parameter(struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c)
{
	struct fyke_cursor name = until_nul(&c), value = until_nul(&c);

	if (!is(&name, "server_version", 14))
		return;
	keep(dissection, &state->version, &value);
	fyke_product(dissection, FYKE_SERVER, value.at, fyke_cursor_left(&value));
}

static void read_server(struct fyke_dissection *dissection, struct state *state, uint8_t type,
	struct fyke_cursor c, size_t length)
{
	struct answer answer = {.success = 1};
	struct fyke_cursor text;

	switch (type) {
	case 'R':
		read_authentication(dissection, state, c);
		break;
	case 'S':
		read_parameter(dissection, state, c);
		break;
	case 'D':
		state->rows++;
		break;
	case 'd':
		state->copied += (int64_t)length;
		break;
	case 'C':
		text = until_nul(&c);
		answer.result = fyke_bytes(text.at, fyke_cursor_left(&text));
		if (state->pending > 0 && !state->in_login)
			tell(dissection, state, &answer);
		break;
	case 'E':
		read_error(dissection, state, c);
		break;
	case 'Z':
		while (state->pending > 0)
			tell(dissection, state, &answer);
		break;
	default:
		break;
	}
}

static bool is_type(uint8_t type, enum fyke_side side)
{
	static const char client[] = "QPBEDSCHFpdcfX", server[] = "RSKZTDCENIAGHWVdc123nstv";

	return type != 0 && memchr(side == FYKE_CLIENT ? client : server, type,
				    side == FYKE_CLIENT ? sizeof(client) - 1 : sizeof(server) - 1) != NULL;
}

static struct fyke_verdict take_message(
	struct fyke_dissection *dissection, struct state *state, const struct fyke_input *input)
{
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	uint8_t type = fyke_cursor_u8(&c);
	uint32_t length = fyke_cursor_u32(&c);
	size_t wanted;

	if (!fyke_cursor_ok(&c))
		return input->end ? fyke_more(input->length) : fyke_need(0, 5);
	if (!is_type(type, input->side) || length < 4 || length > MESSAGE_MAX)
		return fyke_not_mine();
	wanted = length + 1 < READ_MAX ? (size_t)length + 1 : READ_MAX;
	if (input->length < wanted && !input->end)
		return fyke_need(0, wanted);
	if (fyke_cursor_left(&c) > length - 4)
		c.end = c.at + (length - 4);
	if (input->side == FYKE_CLIENT)
		read_client(dissection, state, type, c, length - 4);
	else
		read_server(dissection, state, type, c, length - 4);
	return fyke_more((uint64_t)length + 1);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);

	if (input->length == 0)
		return fyke_more(0);
	if (input->side == FYKE_CLIENT && state->asked_tls)
		return fyke_wait(0);
	if (input->side == FYKE_CLIENT && !state->started && input->data[0] == 0)
		return take_first(dissection, state, input);
	if (input->side == FYKE_SERVER && state->asked_tls)
		return take_tls_answer(dissection, state, input);
	return take_message(dissection, state, input);
}

static enum fyke_match probe_first(const uint8_t *data, size_t length)
{
	struct fyke_cursor c = fyke_cursor(data, length);
	uint32_t whole = fyke_cursor_u32(&c), code = fyke_cursor_u32(&c);

	if (length < 8)
		return data[0] == 0 ? FYKE_MAYBE : FYKE_NO;
	if ((code == TLS || code == GSS) && whole == 8)
		return FYKE_YES;
	if (code == CANCEL && whole >= 16 && whole <= 268)
		return FYKE_YES;
	if (code >> 16 != VERSION_3 >> 16 || (code & 0xffff) > 2 || whole < 9 || whole > READ_MAX)
		return FYKE_NO;
	/* 3.0 is mostly zeroes: the first parameter's name must be a word */
	if (fyke_cursor_left(&c) < 5)
		return FYKE_MAYBE;
	return memcmp(c.at, "user", 5) == 0 || memcmp(c.at, "datab", 5) == 0 ||
			       memcmp(c.at, "appli", 5) == 0 || memcmp(c.at, "clien", 5) == 0 ||
			       memcmp(c.at, "DateS", 5) == 0 || memcmp(c.at, "optio", 5) == 0
		       ? FYKE_YES
		       : FYKE_MAYBE;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	const uint8_t *client = opening->side[FYKE_CLIENT].data, *server = opening->side[FYKE_SERVER].data;
	size_t length = opening->side[FYKE_CLIENT].length;

	if (length > 0 && client[0] == 0)
		return probe_first(client, length);
	if (length > 0 && (!is_type(client[0], FYKE_CLIENT) || (length > 2 && client[1] != 0)))
		return FYKE_NO;
	length = opening->side[FYKE_SERVER].length;
	if (length > 0 && (!is_type(server[0], FYKE_SERVER) || (length > 2 && server[1] != 0)))
		return FYKE_NO;
	return FYKE_MAYBE;
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	tell_secret(dissection, state, FYKE_LOGIN_UNKNOWN);
	while (state->pending > 0)
		tell(dissection, state, &unanswered);
}

static const uint16_t ports[] = {5432, 6432, 5439, 26257, 0};
static const char *const services[] = {"postgresql", "postgres", "pgsql", NULL};
static const struct fyke_signature signatures[] = {{1U << FYKE_CLIENT, "\0\0", 2}};

const struct fyke_dissector fyke_dissector_postgresql = {
	.name = "postgresql",
	.title = "PostgreSQL frontend/backend protocol 3",
	.doc = "Requests for TLS (which is followed), logins, statements with results, rows and errors, the "
	       "server's version. "
	       "Passwords are credentials; in statements they are masked. Rows and copied data are only "
	       "counted. A gap ends it.",
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
