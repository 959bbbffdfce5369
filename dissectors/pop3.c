/*
 * POP3 (RFC 1939, 2449): commands and replies, also pipelined; USER/PASS, APOP and AUTH (RFC 5034), STLS
 * (RFC 2595), behind which TLS speaks. What RETR and TOP bring is read as mail.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/exchange.h"
#include "dissectors/shared/mail.h"
#include "dissectors/shared/sasl.h"

#include <string.h>

enum { USER_MAX = 256, TEXT_MAX = 1024 };

enum {
	USER,
	MECHANISM,
	LOGGED_IN,
	GREETING,
	CAPABILITIES,
	STLS,
	MESSAGES,
	OCTETS,
	RETRIEVED,
	DELETED,
	CLEAR_TEXT,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[USER] = {"user", FYKE_TYPE_TEXT, "who logged in, or tried last"},
	[MECHANISM] = {"mechanism", FYKE_TYPE_TEXT, "how: USER/PASS, APOP, or of SASL"},
	[LOGGED_IN] = {"logged_in", FYKE_TYPE_BOOLEAN, "NULL: nobody tried, or the reply was not seen"},
	[GREETING] = {"greeting", FYKE_TYPE_TEXT, "of the server"},
	[CAPABILITIES] = {"capabilities", FYKE_TYPE_TEXT, "of the server, joined by LF"},
	[STLS] = {"tls", FYKE_TYPE_BOOLEAN, "the session went on under TLS"},
	[MESSAGES] = {"messages", FYKE_TYPE_INTEGER, "in the mailbox, by STAT or LIST"},
	[OCTETS] = {"octets", FYKE_TYPE_INTEGER, "of them all, by STAT"},
	[RETRIEVED] = {"retrieved_messages", FYKE_TYPE_INTEGER, "by RETR"},
	[DELETED] = {"deleted_messages", FYKE_TYPE_INTEGER, "by DELE"},
	[CLEAR_TEXT] = {"clear_text", FYKE_TYPE_BOOLEAN, "a secret went by in the clear"},
};

static const struct fyke_table table = {"pop3", "one row per session", fields, FIELD_COUNT};

enum { COMMAND, ARGUMENT, STATUS, REPLY, REPLY_FRAME, LINES, COMMAND_FIELDS };

static const struct fyke_field command_fields[COMMAND_FIELDS] = {
	[COMMAND] = {"command", FYKE_TYPE_TEXT, "in upper case; NULL: the server spoke unasked"},
	[ARGUMENT] = {"argument", FYKE_TYPE_TEXT, "secrets are ***"},
	[STATUS] = {"status", FYKE_TYPE_TEXT, "+OK, -ERR or +; NULL: no reply was seen"},
	[REPLY] = {"reply", FYKE_TYPE_TEXT, "the rest of the reply's first line"},
	[REPLY_FRAME] = {"reply_frame", FYKE_TYPE_INTEGER, "of the reply's first line"},
	[LINES] = {"reply_lines", FYKE_TYPE_INTEGER, "that followed the first"},
};

static const struct fyke_table commands = {
	"pop3_commands", "one row per command and its reply", command_fields, COMMAND_FIELDS};
static const struct fyke_table *const tables[] = {&table, &commands, &fyke_table_mail, NULL};

enum kind {
	OTHER,
	IS_USER,
	IS_PASS,
	IS_APOP,
	IS_AUTH,
	IS_STLS,
	IS_CAPA,
	IS_STAT,
	IS_LIST,
	IS_UIDL,
	IS_RETR,
	IS_TOP,
	IS_DELE,
	IS_QUIT,
	IS_LIST_OF_AUTH
};

static const struct verb {
	const char *name;
	enum kind kind;
} verbs[] = {{"USER", IS_USER}, {"PASS", IS_PASS}, {"APOP", IS_APOP}, {"AUTH", IS_AUTH}, {"STLS", IS_STLS},
	{"CAPA", IS_CAPA}, {"STAT", IS_STAT}, {"LIST", IS_LIST}, {"UIDL", IS_UIDL}, {"RETR", IS_RETR},
	{"TOP", IS_TOP}, {"DELE", IS_DELE}, {"QUIT", IS_QUIT}, {"NOOP", OTHER}, {"RSET", OTHER},
	{"XTND", OTHER}, {"LAST", OTHER}, {"UTF8", OTHER}, {"LANG", OTHER}};

struct state {
	struct fyke_lines lines[2];
	struct fyke_exchange exchange;
	struct fyke_sasl sasl;
	struct fyke_dotted dotted;
	struct fyke_mail *mail;
	struct fyke_text user, secret, greeting, capabilities, reply;
	struct fyke_moment begun;
	const char *mechanism; /* static */
	enum fyke_login login;
	enum kind body; /* of a reply whose lines follow */
	bool in_body, in_auth, waits_for_tls, tls, greeted, clear_text, any;
	uint64_t reply_frame;
	int64_t body_lines, retrieved, deleted;
	int64_t messages, octets; /* one more than told; 0 = not told */
};

static const struct verb *verb_of(const char *text, size_t length)
{
	size_t at = 0;
	struct fyke_word_of word = fyke_line_word(text, length, &at);

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (fyke_text_is(word.text, word.length, verbs[i].name))
			return &verbs[i];
	}
	return NULL;
}

static size_t first_line(const uint8_t *data, size_t length)
{
	const uint8_t *end = length > 0 ? memchr(data, '\n', length) : NULL;

	if (end == NULL)
		return length;
	length = (size_t)(end - data);
	return length > 0 && data[length - 1] == '\r' ? length - 1 : length;
}

/* IMAP has tags before its words, so "+OK" and "-ERR" at the front are POP3's alone; RTSP, Redis and others
 * begin with a sign too, but not with these words. */
static enum fyke_match probe(const struct fyke_opening *opening)
{
	const char *reply = (const char *)opening->side[FYKE_SERVER].data;
	size_t length = opening->side[FYKE_SERVER].length;
	size_t client_length = first_line(opening->side[FYKE_CLIENT].data, opening->side[FYKE_CLIENT].length);
	bool verb = client_length >= 3 &&
		    verb_of((const char *)opening->side[FYKE_CLIENT].data, client_length) != NULL;
	bool ok = fyke_text_begins(reply, length, "+OK"), error = fyke_text_begins(reply, length, "-ERR");

	if (length >= 4 && !ok && !error)
		return FYKE_NO;
	if (length < 4 && !opening->complete)
		return FYKE_MAYBE;
	if (ok && (verb || opening->on_port || fyke_text_find(reply, length, "POP") != NULL))
		return FYKE_YES;
	if (error && verb)
		return FYKE_YES;
	return verb || client_length == 0 || length >= 4 ? FYKE_MAYBE : FYKE_NO;
}

/* ---- what is said ---- */

static void tell_exchange(struct fyke_dissection *dissection, const char *status, bool unasked)
{
	struct state *state = fyke_state(dissection);
	const struct fyke_command *command = unasked ? NULL : fyke_exchange_first(&state->exchange);
	struct fyke_value values[COMMAND_FIELDS] = {{0}};

	if (command != NULL) {
		const struct fyke_text *argument = &command->argument;

		values[COMMAND] = fyke_text_of(&command->name);
		values[ARGUMENT] = command->secret
					   ? fyke_secret(dissection, argument->bytes, argument->length)
					   : fyke_text_of(argument);
	}
	if (status != NULL) {
		values[STATUS] = fyke_word(status);
		values[REPLY] = fyke_text_of(&state->reply);
		values[REPLY_FRAME] = fyke_integer((int64_t)state->reply_frame);
		values[LINES] = fyke_integer_if(state->body != OTHER, state->body_lines);
	}
	fyke_record_at(
		dissection, &commands, command != NULL ? command->moment : fyke_now(dissection), values);
	state->any = true;
	if (command != NULL)
		fyke_exchange_drop(dissection, &state->exchange);
}

static void tell_login(struct fyke_dissection *dissection, enum fyke_login login)
{
	struct state *state = fyke_state(dissection);
	const struct fyke_credential credential = {.mechanism = state->mechanism,
		.user = fyke_text_of(&state->user),
		.secret = fyke_text_of(&state->secret),
		.login = login};

	state->login = login;
	if (!fyke_text_is_set(&state->secret))
		return;
	state->clear_text = true;
	fyke_credential(dissection, &credential);
	fyke_drop(dissection, &state->secret);
}

/* ---- the client ---- */

static struct fyke_command *add_command(
	struct fyke_dissection *dissection, struct fyke_word_of name, struct fyke_word_of argument)
{
	struct state *state = fyke_state(dissection);

	if (fyke_exchange_is_full(&state->exchange))
		tell_exchange(dissection, NULL, false);
	return fyke_exchange_add(dissection, &state->exchange, name, argument);
}

static void hide_rest(struct fyke_dissection *dissection, struct fyke_command *command,
	struct fyke_word_of argument, size_t shown)
{
	if (fyke_secrets_are_stored(dissection))
		return;
	fyke_keep(dissection, &command->argument, argument.text, shown, FYKE_ARGUMENT_MAX);
	fyke_append(dissection, &command->argument, "***", 3, FYKE_ARGUMENT_MAX);
}

static void begin_apop(
	struct fyke_dissection *dissection, struct fyke_command *command, struct fyke_word_of argument)
{
	struct state *state = fyke_state(dissection);
	size_t at = 0;
	struct fyke_word_of user = fyke_line_word(argument.text, argument.length, &at);

	state->mechanism = "APOP";
	fyke_keep(dissection, &state->user, user.text, user.length, USER_MAX);
	if (at == argument.length)
		return;
	fyke_keep(dissection, &state->secret, argument.text + at, argument.length - at, TEXT_MAX);
	hide_rest(dissection, command, argument, at);
}

static void begin_auth(
	struct fyke_dissection *dissection, struct fyke_command *command, struct fyke_word_of argument)
{
	struct state *state = fyke_state(dissection);
	size_t at = 0;
	struct fyke_word_of mechanism = fyke_line_word(argument.text, argument.length, &at);

	if (mechanism.length == 0) {
		command->kind = IS_LIST_OF_AUTH;
		return;
	}
	fyke_sasl_begin(dissection, &state->sasl, mechanism.text, mechanism.length);
	state->mechanism = state->sasl.mechanism;
	state->in_auth = true;
	if (at == argument.length)
		return;
	fyke_sasl_client(dissection, &state->sasl, argument.text + at, argument.length - at);
	hide_rest(dissection, command, argument, at);
}

static void take_command(struct fyke_dissection *dissection, const struct fyke_line *line)
{
	struct state *state = fyke_state(dissection);
	const struct verb *verb = verb_of(line->text, line->length);
	size_t at = 0;
	struct fyke_word_of name = fyke_line_word(line->text, line->length, &at);
	struct fyke_word_of argument = {line->text + at, line->length - at};
	struct fyke_command *command = add_command(dissection, name, argument);

	command->kind = (uint8_t)(verb != NULL ? verb->kind : OTHER);
	switch (command->kind) {
	case IS_USER:
		fyke_keep(dissection, &state->user, argument.text, argument.length, USER_MAX);
		break;
	case IS_PASS:
		state->mechanism = "USER/PASS";
		command->secret = true;
		fyke_keep(dissection, &state->secret, argument.text, argument.length, TEXT_MAX);
		break;
	case IS_APOP:
		begin_apop(dissection, command, argument);
		break;
	case IS_AUTH:
		begin_auth(dissection, command, argument);
		break;
	case IS_STLS:
		state->waits_for_tls = true;
		break;
	default:
		break;
	}
	if ((command->kind == IS_LIST || command->kind == IS_UIDL) && argument.length > 0)
		command->kind = OTHER;
}

static struct fyke_verdict feed_client(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_line line;

	if (state->waits_for_tls && input->length > 0 && input->data[0] < 0x20)
		return fyke_more(0);
	if (!fyke_line_take(&state->lines[FYKE_CLIENT], input, &line))
		return fyke_line_wait(&line);
	if (fyke_line_is_junk(&state->lines[FYKE_CLIENT]))
		return fyke_line_pass(&state->lines[FYKE_CLIENT], &line);
	if (!fyke_is_confirmed(dissection) && !fyke_line_has_verb(line.text, line.length))
		return fyke_not_mine();
	if (state->in_auth) {
		struct fyke_command *command = add_command(dissection, (struct fyke_word_of){NULL, 0},
			(struct fyke_word_of){line.text, line.length});

		command->kind = IS_AUTH;
		command->secret = true;
		fyke_sasl_client(dissection, &state->sasl, line.text, line.length);
	} else {
		take_command(dissection, &line);
	}
	return fyke_more(line.consumed);
}

/* ---- the server ---- */

static bool has_body(enum kind kind)
{
	return kind == IS_CAPA || kind == IS_LIST || kind == IS_UIDL || kind == IS_RETR || kind == IS_TOP ||
	       kind == IS_LIST_OF_AUTH;
}

static void end_sasl(struct fyke_dissection *dissection, bool ok)
{
	struct state *state = fyke_state(dissection);

	state->in_auth = false;
	if (fyke_text_is_set(&state->sasl.user))
		fyke_keep(
			dissection, &state->user, state->sasl.user.bytes, state->sasl.user.length, USER_MAX);
	state->clear_text |= fyke_text_is_set(&state->sasl.secret);
	state->login = ok ? FYKE_LOGIN_ACCEPTED : FYKE_LOGIN_REFUSED;
	fyke_sasl_end(dissection, &state->sasl, state->login);
}

static void take_stat(struct state *state, const struct fyke_text *reply)
{
	size_t digits;
	int64_t messages = fyke_text_number(reply->bytes, reply->length, &digits);

	if (messages < 0)
		return;
	state->messages = messages + 1;
	if (digits + 1 < reply->length)
		state->octets =
			fyke_text_number(reply->bytes + digits + 1, reply->length - digits - 1, &digits) + 1;
}

static void take_outcome(struct fyke_dissection *dissection, enum kind kind, bool ok)
{
	struct state *state = fyke_state(dissection);

	if (kind == IS_PASS || kind == IS_APOP)
		tell_login(dissection, ok ? FYKE_LOGIN_ACCEPTED : FYKE_LOGIN_REFUSED);
	else if (kind == IS_AUTH)
		end_sasl(dissection, ok);
	else if (kind == IS_STAT && ok)
		take_stat(state, &state->reply);
	else if (kind == IS_DELE && ok)
		state->deleted++;
	else if (kind == IS_RETR && ok)
		state->retrieved++;
	else if (kind == IS_STLS)
		state->waits_for_tls = ok;
}

static void begin_body(struct fyke_dissection *dissection, enum kind kind)
{
	struct state *state = fyke_state(dissection);

	state->in_body = true;
	state->body = kind;
	state->body_lines = 0;
	state->dotted = (struct fyke_dotted){0};
	if (kind == IS_RETR || kind == IS_TOP)
		state->mail = fyke_mail_begin(dissection, FYKE_SERVER, "pop3");
	else if (kind == IS_CAPA)
		fyke_drop(dissection, &state->capabilities);
}

static void greet(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	state->greeted = true;
	state->begun = fyke_now(dissection);
	fyke_keep(dissection, &state->greeting, state->reply.bytes, state->reply.length, TEXT_MAX);
	tell_exchange(dissection, "+OK", true);
	if (state->greeting.length > 0)
		fyke_product(dissection, FYKE_SERVER, state->greeting.bytes, state->greeting.length);
}

/* A reply's first line. True: TLS follows. */
static bool take_status(
	struct fyke_dissection *dissection, const struct fyke_line *line, const char *status, uint64_t offset)
{
	struct state *state = fyke_state(dissection);
	const struct fyke_command *command = fyke_exchange_first(&state->exchange);
	enum kind kind = command != NULL ? (enum kind)command->kind : OTHER;
	bool ok = status[1] == 'O';
	size_t front = fyke_word_length(status);

	front += front < line->length && line->text[front] == ' ';
	fyke_keep(dissection, &state->reply, line->text + front, line->length - front, TEXT_MAX);
	state->reply_frame = fyke_now(dissection).frame;
	state->body = OTHER;
	if (!state->greeted && ok && (command == NULL || offset == 0)) {
		greet(dissection);
		return false;
	}
	state->greeted = true;
	if (status[1] == '\0') { /* go on with AUTH */
		tell_exchange(dissection, status, command == NULL);
		return false;
	}
	take_outcome(dissection, kind, ok);
	if (ok && has_body(kind))
		begin_body(dissection, kind);
	else
		tell_exchange(dissection, status, command == NULL);
	return kind == IS_STLS && ok;
}

static void take_body_line(struct fyke_dissection *dissection, const struct fyke_dotted_piece *piece)
{
	struct state *state = fyke_state(dissection);

	state->body_lines += !state->dotted.within;
	fyke_mail_bytes(dissection, state->mail, piece->bytes, piece->length);
	if (state->body != IS_CAPA)
		return;
	if (fyke_text_is_set(&state->capabilities))
		fyke_append(dissection, &state->capabilities, "\n", 1, TEXT_MAX);
	fyke_append(dissection, &state->capabilities, piece->bytes, first_line(piece->bytes, piece->length),
		TEXT_MAX);
}

static void end_body(struct fyke_dissection *dissection, bool complete)
{
	struct state *state = fyke_state(dissection);

	if (state->body == IS_LIST && complete)
		state->messages = state->body_lines + 1;
	fyke_mail_tell(dissection, state->mail, complete);
	state->mail = NULL;
	state->in_body = false;
	tell_exchange(dissection, "+OK", false);
}

/* A list that never ended: the status of the next command stands in it. */
static bool is_lost_end(const struct state *state, const struct fyke_dotted_piece *piece)
{
	const char *text = (const char *)piece->bytes;

	return state->mail == NULL && state->exchange.count > 1 &&
	       (fyke_text_begins(text, piece->length, "+OK") ||
		       fyke_text_begins(text, piece->length, "-ERR"));
}

static struct fyke_verdict feed_status(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_line line;
	const char *status = NULL;

	if (!fyke_line_take(&state->lines[FYKE_SERVER], input, &line))
		return fyke_line_wait(&line);
	if (fyke_line_is_junk(&state->lines[FYKE_SERVER]))
		return fyke_line_pass(&state->lines[FYKE_SERVER], &line);
	if (fyke_text_begins(line.text, line.length, "+OK"))
		status = "+OK";
	else if (fyke_text_begins(line.text, line.length, "-ERR"))
		status = "-ERR";
	else if (line.length > 0 && line.text[0] == '+' && (line.length == 1 || line.text[1] == ' '))
		status = "+";
	if (status != NULL && take_status(dissection, &line, status, input->offset)) {
		state->tls = true;
		return fyke_becomes(line.consumed, NULL); /* TLS, or what somebody decrypted */
	}
	return fyke_more(line.consumed);
}

static struct fyke_verdict feed_body(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_dotted_piece piece;

	switch (fyke_dotted_next(&state->dotted, input, &piece)) {
	case FYKE_DOTTED_TEXT:
		if (is_lost_end(state, &piece)) {
			end_body(dissection, false);
			return feed_status(dissection, input);
		}
		take_body_line(dissection, &piece);
		return fyke_more(piece.consumed);
	case FYKE_DOTTED_END:
		end_body(dissection, true);
		return fyke_more(piece.consumed);
	default:
		return fyke_more(0);
	}
}

static struct fyke_verdict feed_server(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	const struct state *state = fyke_state(dissection);

	return state->in_body ? feed_body(dissection, input) : feed_status(dissection, input);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	return input->side == FYKE_CLIENT ? feed_client(dissection, input) : feed_server(dissection, input);
}

static struct fyke_verdict gap(
	struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost)
{
	struct state *state = fyke_state(dissection);

	if (input->side == FYKE_SERVER && state->in_body) {
		fyke_mail_missing(dissection, state->mail, lost);
		state->dotted.within = true;
	} else {
		state->lines[input->side].skipping = true;
	}
	return fyke_more(0);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);
	struct fyke_value values[FIELD_COUNT];

	if (state->in_body)
		end_body(dissection, false);
	while (state->exchange.count > 0)
		tell_exchange(dissection, NULL, false);
	if (!state->any)
		return;
	if (fyke_text_is_set(&state->secret))
		tell_login(dissection, FYKE_LOGIN_UNKNOWN);
	fyke_sasl_end(dissection, &state->sasl, FYKE_LOGIN_UNKNOWN);
	values[USER] = fyke_text_of(&state->user);
	values[MECHANISM] = fyke_word(state->mechanism);
	values[LOGGED_IN] =
		fyke_integer_if(state->login != FYKE_LOGIN_UNKNOWN, state->login == FYKE_LOGIN_ACCEPTED);
	values[GREETING] = fyke_text_of(&state->greeting);
	values[CAPABILITIES] = fyke_text_of(&state->capabilities);
	values[STLS] = fyke_integer(state->tls);
	values[MESSAGES] = fyke_integer_if(state->messages > 0, state->messages - 1);
	values[OCTETS] = fyke_integer_if(state->octets > 0, state->octets - 1);
	values[RETRIEVED] = fyke_integer(state->retrieved);
	values[DELETED] = fyke_integer(state->deleted);
	values[CLEAR_TEXT] = fyke_integer(state->clear_text);
	if (state->begun.frame == 0)
		state->begun = fyke_now(dissection);
	fyke_record_at(dissection, &table, state->begun, values);
}

static const uint16_t ports[] = {110, 995, 0};
static const char *const services[] = {"pop3", "pop3s", NULL};
static const struct fyke_signature signatures[] = {FYKE_SERVER_SAYS("+OK"), FYKE_SERVER_SAYS("-ERR")};

const struct fyke_dissector fyke_dissector_pop3 = {
	.name = "pop3",
	.title = "Post Office Protocol, RFC 1939",
	.doc = "Who logged in and how, what is in the mailbox, every command with its reply, the messages "
	       "that "
	       "were fetched with their headers and attachments. Behind STLS the session goes on as TLS.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = sizeof(signatures) / sizeof(signatures[0]),
	.tables = tables,
	.state_size = sizeof(struct state),
	/* a message's header fields, and 32 commands that wait */
	.memory_max = 64 * 1024,
	.probe = probe,
	.feed = feed,
	.gap = gap,
	.end = end,
};
