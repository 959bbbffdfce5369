/*
 * IMAP (RFC 9051, RFC 3501): commands by their tags and what answers them, literals, LOGIN and AUTHENTICATE,
 * STARTTLS, behind which TLS speaks. Messages that FETCH brings or APPEND leaves are read as mail. Behind
 * COMPRESS (RFC 4978) nothing is read.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/exchange.h"
#include "dissectors/shared/mail.h"
#include "dissectors/shared/sasl.h"

#include <string.h>

enum { USER_MAX = 256, TEXT_MAX = 1024, LOGICAL_MAX = 4096, LITERAL_MAX = 1024 };

enum {
	USER,
	MECHANISM,
	LOGGED_IN,
	GREETING,
	CAPABILITIES,
	TLS,
	MAILBOXES,
	FETCHED,
	APPENDED,
	CLEAR_TEXT,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[USER] = {"user", FYKE_TYPE_TEXT, "who logged in, or tried last"},
	[MECHANISM] = {"mechanism", FYKE_TYPE_TEXT, "how: LOGIN, or of SASL"},
	[LOGGED_IN] = {"logged_in", FYKE_TYPE_BOOLEAN, "NULL: nobody tried, or the reply was not seen"},
	[GREETING] = {"greeting", FYKE_TYPE_TEXT, "of the server"},
	[CAPABILITIES] = {"capabilities", FYKE_TYPE_TEXT, "of the server"},
	[TLS] = {"tls", FYKE_TYPE_BOOLEAN, "the session went on under TLS"},
	[MAILBOXES] = {"mailboxes", FYKE_TYPE_TEXT, "that were opened, joined by LF"},
	[FETCHED] = {"fetched_messages", FYKE_TYPE_INTEGER, "whose header or text was fetched"},
	[APPENDED] = {"appended_messages", FYKE_TYPE_INTEGER, "that the client left"},
	[CLEAR_TEXT] = {"clear_text", FYKE_TYPE_BOOLEAN, "a secret went by in the clear"},
};

static const struct fyke_table table = {"imap", "one row per session", fields, FIELD_COUNT};

enum { TAG, COMMAND, ARGUMENT, STATUS, REPLY, REPLY_FRAME, COMMAND_FIELDS };

static const struct fyke_field command_fields[COMMAND_FIELDS] = {
	[TAG] = {"tag", FYKE_TYPE_TEXT, "* where the server spoke unasked; such rows have no command"},
	[COMMAND] = {"command", FYKE_TYPE_TEXT, "in upper case; NULL where the server spoke unasked"},
	[ARGUMENT] = {"argument", FYKE_TYPE_TEXT, "secrets are ***"},
	[STATUS] = {"status", FYKE_TYPE_TEXT, "OK, NO, BAD, PREAUTH or BYE; NULL: no reply was seen"},
	[REPLY] = {"reply", FYKE_TYPE_TEXT, "what stands behind the status"},
	[REPLY_FRAME] = {"reply_frame", FYKE_TYPE_INTEGER, "in which it stands"},
};

static const struct fyke_table commands = {"imap_commands",
	"one row per command and its status, and per status that the server told unasked", command_fields,
	COMMAND_FIELDS};
static const struct fyke_table *const tables[] = {&table, &commands, &fyke_table_mail, NULL};

enum kind { OTHER, IS_LOGIN, IS_AUTHENTICATE, IS_STARTTLS, IS_SELECT, IS_COMPRESS };
enum literal { NO_LITERAL, KEPT, SKIPPED, MESSAGE };

struct side_state {
	struct fyke_lines lines;
	struct fyke_text logical; /* a line with its literals */
	enum literal literal;
	uint64_t literal_left;
};

struct state {
	struct side_state side[2];
	struct fyke_exchange exchange;
	struct fyke_sasl sasl;
	struct fyke_mail *mail;
	struct fyke_text user, secret, greeting, capabilities, mailboxes;
	struct fyke_moment begun;
	const char *mechanism; /* static */
	enum fyke_login login;
	bool in_auth, waits_for_tls, tls, any, clear_text;
	int64_t fetched, appended;
};

static const char *const verbs[] = {"CAPABILITY", "NOOP", "LOGOUT", "STARTTLS", "AUTHENTICATE", "LOGIN",
	"SELECT", "EXAMINE", "CREATE", "DELETE", "RENAME", "SUBSCRIBE", "UNSUBSCRIBE", "LIST", "LSUB",
	"STATUS", "APPEND", "CHECK", "CLOSE", "EXPUNGE", "SEARCH", "FETCH", "STORE", "COPY", "UID", "IDLE",
	"ID", "NAMESPACE", "ENABLE", "GETQUOTAROOT", "GETQUOTA", "XLIST", "COMPRESS", "SORT", "THREAD",
	"MOVE", "UNSELECT", "GETACL", "MYRIGHTS"};

static bool is_tag(struct fyke_word_of word)
{
	for (size_t i = 0; i < word.length; i++) {
		char c = word.text[i];

		if ((c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '.' &&
			c != '_' && c != '-' && c != '#')
			return false;
	}
	return word.length > 0 && word.length <= 32;
}

/* A tag and a verb that is known, at a line's front. */
static bool is_command(const char *text, size_t length)
{
	size_t at = 0;
	struct fyke_word_of word;

	if (!is_tag(fyke_line_word(text, length, &at)))
		return false;
	word = fyke_line_word(text, length, &at);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (fyke_text_is(word.text, word.length, verbs[i]))
			return true;
	}
	return false;
}

static bool client_fits(const struct fyke_opening *opening)
{
	const char *text = (const char *)opening->side[FYKE_CLIENT].data;
	size_t length = opening->side[FYKE_CLIENT].length;
	const char *line_end = length > 0 ? memchr(text, '\n', length) : NULL;

	if (line_end == NULL)
		return false;
	length = (size_t)(line_end - text);
	if (length > 0 && text[length - 1] == '\r')
		length--;
	return is_command(text, length);
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	const char *reply = (const char *)opening->side[FYKE_SERVER].data;
	size_t length = opening->side[FYKE_SERVER].length;
	bool untagged = length >= 2 && reply[0] == '*' && reply[1] == ' ';
	bool greets = fyke_text_begins(reply, length, "* OK") || fyke_text_begins(reply, length, "* PREAUTH");

	if (greets &&
		(opening->on_port || client_fits(opening) || fyke_text_find(reply, length, "IMAP") != NULL))
		return FYKE_YES;
	if (client_fits(opening) && (opening->on_port || untagged))
		return FYKE_YES;
	if (length >= 2 && !untagged && !fyke_text_is_plain(reply, 2))
		return FYKE_NO;
	return FYKE_MAYBE;
}

/* ---- what is said ---- */

static struct fyke_word_of rest_of(const char *text, size_t length, size_t at)
{
	return (struct fyke_word_of){text + at, length - at};
}

/* `tag`: of a status whose command was not seen. */
static void tell_exchange(struct fyke_dissection *dissection, const struct fyke_command *command,
	struct fyke_word_of tag, struct fyke_word_of status, struct fyke_word_of reply)
{
	struct state *state = fyke_state(dissection);
	struct fyke_value values[COMMAND_FIELDS] = {{0}};

	values[TAG] = command != NULL ? fyke_text_of(&command->tag) : fyke_bytes(tag.text, tag.length);
	if (command != NULL) {
		values[COMMAND] = fyke_text_of(&command->name);
		values[ARGUMENT] = fyke_text_of(&command->argument);
	}
	if (status.length > 0) {
		values[STATUS] = fyke_bytes(status.text, status.length);
		values[REPLY] = fyke_bytes(reply.text, reply.length);
		values[REPLY_FRAME] = fyke_integer((int64_t)fyke_now(dissection).frame);
	}
	if (!state->any)
		state->begun = command != NULL ? command->moment : fyke_now(dissection);
	state->any = true;
	fyke_record_at(
		dissection, &commands, command != NULL ? command->moment : fyke_now(dissection), values);
}

static void tell_unanswered(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);
	const struct fyke_word_of none = {NULL, 0};

	tell_exchange(dissection, fyke_exchange_first(&state->exchange), none, none, none);
	fyke_exchange_drop(dissection, &state->exchange);
}

/* ---- the client ---- */

/* An atom or a quoted string; *at moves behind it. */
static struct fyke_word_of string_at(const char *text, size_t length, size_t *at)
{
	struct fyke_word_of word;

	while (*at < length && text[*at] == ' ')
		++*at;
	if (*at >= length || text[*at] != '"')
		return fyke_line_word(text, length, at);
	word = (struct fyke_word_of){text + *at + 1, 0};
	for (++*at; *at < length && text[*at] != '"'; ++*at)
		*at += text[*at] == '\\' && *at + 1 < length;
	word.length = (size_t)(text + *at - word.text);
	*at += *at < length;
	return word;
}

static void hide_rest(struct fyke_dissection *dissection, struct fyke_command *command,
	struct fyke_word_of argument, size_t shown)
{
	if (fyke_secrets_are_stored(dissection) || shown >= argument.length)
		return;
	fyke_keep(dissection, &command->argument, argument.text, shown, FYKE_ARGUMENT_MAX);
	fyke_append(dissection, &command->argument, " ***", 4, FYKE_ARGUMENT_MAX);
}

static void begin_login(
	struct fyke_dissection *dissection, struct fyke_command *command, struct fyke_word_of argument)
{
	struct state *state = fyke_state(dissection);
	size_t at = 0, shown;
	struct fyke_word_of user = string_at(argument.text, argument.length, &at), secret;

	shown = at;
	while (shown > 0 && argument.text[shown - 1] == ' ')
		shown--;
	secret = string_at(argument.text, argument.length, &at);
	state->mechanism = "LOGIN";
	fyke_keep(dissection, &state->user, user.text, user.length, USER_MAX);
	fyke_keep(dissection, &state->secret, secret.text, secret.length, TEXT_MAX);
	hide_rest(dissection, command, argument, shown);
}

static void begin_authenticate(
	struct fyke_dissection *dissection, struct fyke_command *command, struct fyke_word_of argument)
{
	struct state *state = fyke_state(dissection);
	size_t at = 0;
	struct fyke_word_of mechanism = fyke_line_word(argument.text, argument.length, &at);

	fyke_sasl_begin(dissection, &state->sasl, mechanism.text, mechanism.length);
	state->mechanism = state->sasl.mechanism;
	state->in_auth = true;
	if (at < argument.length)
		fyke_sasl_client(dissection, &state->sasl, argument.text + at, argument.length - at);
	hide_rest(dissection, command, argument, mechanism.length);
}

static void add_mailbox(struct fyke_dissection *dissection, struct fyke_word_of argument)
{
	struct state *state = fyke_state(dissection);
	size_t at = 0;
	struct fyke_word_of name = string_at(argument.text, argument.length, &at);

	if (fyke_text_is_set(&state->mailboxes))
		fyke_append(dissection, &state->mailboxes, "\n", 1, TEXT_MAX);
	fyke_append(dissection, &state->mailboxes, name.text, name.length, TEXT_MAX);
}

static void understand(struct fyke_dissection *dissection, struct fyke_command *command,
	struct fyke_word_of verb, struct fyke_word_of argument)
{
	struct state *state = fyke_state(dissection);

	if (fyke_text_is(verb.text, verb.length, "LOGIN")) {
		command->kind = IS_LOGIN;
		begin_login(dissection, command, argument);
	} else if (fyke_text_is(verb.text, verb.length, "AUTHENTICATE")) {
		command->kind = IS_AUTHENTICATE;
		begin_authenticate(dissection, command, argument);
	} else if (fyke_text_is(verb.text, verb.length, "STARTTLS")) {
		command->kind = IS_STARTTLS;
		state->waits_for_tls = true;
	} else if (fyke_text_is(verb.text, verb.length, "COMPRESS")) {
		command->kind = IS_COMPRESS;
	} else if (fyke_text_is(verb.text, verb.length, "SELECT") ||
		   fyke_text_is(verb.text, verb.length, "EXAMINE")) {
		command->kind = IS_SELECT;
		add_mailbox(dissection, argument);
	}
}

static void take_command(struct fyke_dissection *dissection, const char *text, size_t length)
{
	struct state *state = fyke_state(dissection);
	size_t at = 0, before;
	struct fyke_word_of tag = fyke_line_word(text, length, &at), verb, argument;
	struct fyke_command *command;

	verb = fyke_line_word(text, length, &at);
	if (fyke_text_is(verb.text, verb.length, "UID")) {
		before = at;
		verb.length = fyke_line_word(text, length, &before).length + (size_t)(text + at - verb.text);
		at = before;
	}
	if (verb.length == 0) /* DONE, which ends IDLE */
		return;
	argument = rest_of(text, length, at);
	if (fyke_exchange_is_full(&state->exchange))
		tell_unanswered(dissection);
	command = fyke_exchange_add(dissection, &state->exchange, verb, argument);
	fyke_keep(dissection, &command->tag, tag.text, tag.length, TEXT_MAX);
	understand(dissection, command, verb, argument);
}

/* ---- the server ---- */

static void tell_login(struct fyke_dissection *dissection, enum fyke_login login)
{
	struct state *state = fyke_state(dissection);
	const struct fyke_credential credential = {.mechanism = state->mechanism,
		.user = fyke_text_of(&state->user),
		.secret = fyke_text_of(&state->secret),
		.login = login};

	if (!fyke_text_is_set(&state->secret))
		return;
	state->clear_text = true;
	fyke_credential(dissection, &credential);
	fyke_drop(dissection, &state->secret);
}

static void end_sasl(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	state->in_auth = false;
	if (fyke_text_is_set(&state->sasl.user))
		fyke_keep(
			dissection, &state->user, state->sasl.user.bytes, state->sasl.user.length, USER_MAX);
	state->clear_text |= fyke_text_is_set(&state->sasl.secret);
	fyke_sasl_end(dissection, &state->sasl, state->login);
}

static void take_tagged(
	struct fyke_dissection *dissection, struct fyke_word_of status, struct fyke_word_of reply)
{
	struct state *state = fyke_state(dissection);
	const struct fyke_command *command = fyke_exchange_first(&state->exchange);
	enum kind kind = (enum kind)command->kind;
	bool ok = fyke_text_is(status.text, status.length, "OK");

	if (kind == IS_LOGIN || kind == IS_AUTHENTICATE)
		state->login = ok ? FYKE_LOGIN_ACCEPTED : FYKE_LOGIN_REFUSED;
	if (kind == IS_LOGIN)
		tell_login(dissection, state->login);
	else if (kind == IS_AUTHENTICATE)
		end_sasl(dissection);
	else if (kind == IS_STARTTLS)
		state->waits_for_tls = ok;
	tell_exchange(dissection, command, (struct fyke_word_of){NULL, 0}, status, reply);
	fyke_exchange_drop(dissection, &state->exchange);
}

static bool is_status(struct fyke_word_of word)
{
	static const char *const words[] = {"OK", "NO", "BAD", "PREAUTH", "BYE"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (fyke_text_is(word.text, word.length, words[i]))
			return true;
	}
	return false;
}

/* Also of a command that was not seen. */
static void take_untagged(struct fyke_dissection *dissection, struct fyke_word_of tag,
	struct fyke_word_of word, struct fyke_word_of rest)
{
	struct state *state = fyke_state(dissection);

	if (fyke_text_is(word.text, word.length, "CAPABILITY"))
		fyke_keep(dissection, &state->capabilities, rest.text, rest.length, TEXT_MAX);
	if (!is_status(word))
		return;
	if (!state->any) {
		fyke_keep(dissection, &state->greeting, rest.text, rest.length, TEXT_MAX);
		if (rest.length > 0)
			fyke_product(dissection, FYKE_SERVER, rest.text, rest.length);
	}
	tell_exchange(dissection, NULL, tag, word, rest);
}

/* What a reply turns the session into. */
static struct fyke_verdict take_reply(
	struct fyke_dissection *dissection, const char *text, size_t length, uint64_t consumed)
{
	struct state *state = fyke_state(dissection);
	size_t at = 0;
	struct fyke_word_of tag = fyke_line_word(text, length, &at);
	struct fyke_word_of word = fyke_line_word(text, length, &at), rest = rest_of(text, length, at);
	const struct fyke_command *command;
	enum kind kind;
	bool ok = fyke_text_is(word.text, word.length, "OK");

	if (tag.length == 1 && tag.text[0] == '*') {
		take_untagged(dissection, tag, word, rest);
		return fyke_more(consumed);
	}
	command = is_status(word) ? fyke_exchange_tagged(&state->exchange, tag.text, tag.length) : NULL;
	if (command == NULL) {
		if (is_tag(tag) && is_status(word))
			tell_exchange(dissection, NULL, tag, word, rest);
		return fyke_more(consumed);
	}
	kind = (enum kind)command->kind;
	take_tagged(dissection, word, rest);
	if (kind == IS_STARTTLS && ok) {
		state->tls = true;
		return fyke_becomes(consumed, NULL); /* TLS, or what somebody decrypted */
	}
	return kind == IS_COMPRESS && ok ? fyke_done() : fyke_more(consumed);
}

/* ---- lines and literals ---- */

/* {n}, {n+} or ~{n} at the end: its bytes follow. *length then leaves it out. */
static bool ends_in_literal(const char *text, size_t *length, uint64_t *size)
{
	size_t end = *length, from, digits;
	int64_t number;

	if (end < 3 || text[end - 1] != '}')
		return false;
	end--;
	end -= text[end - 1] == '+' || text[end - 1] == '-';
	from = end;
	while (from > 0 && text[from - 1] >= '0' && text[from - 1] <= '9')
		from--;
	if (from == 0 || text[from - 1] != '{')
		return false;
	number = fyke_text_number(text + from, end - from, &digits);
	if (number < 0 || digits != end - from)
		return false;
	*size = (uint64_t)number;
	*length = from - 1 - (from > 1 && text[from - 2] == '~');
	return true;
}

static bool is_message(enum fyke_side side, const char *text, size_t length)
{
	if (side == FYKE_CLIENT)
		return fyke_text_find(text, length, " APPEND ") != NULL;
	if (fyke_text_find(text, length, " FETCH ") == NULL)
		return false;
	return fyke_text_find(text, length, "BODY[]") != NULL ||
	       fyke_text_find(text, length, "BODY[HEADER") != NULL ||
	       fyke_text_find(text, length, "RFC822") != NULL;
}

static void begin_literal(struct fyke_dissection *dissection, enum fyke_side side, uint64_t size)
{
	struct state *state = fyke_state(dissection);
	struct side_state *own = &state->side[side];

	own->literal_left = size;
	own->literal = size <= LITERAL_MAX ? KEPT : SKIPPED;
	if (is_message(side, own->logical.bytes, own->logical.length) && state->mail == NULL) {
		own->literal = MESSAGE;
		state->mail = fyke_mail_begin(dissection, side, "imap");
	}
	if (own->literal == KEPT)
		fyke_append(dissection, &own->logical, "\"", 1, LOGICAL_MAX);
}

static void end_literal(struct fyke_dissection *dissection, enum fyke_side side)
{
	struct state *state = fyke_state(dissection);
	struct side_state *own = &state->side[side];

	if (own->literal == KEPT)
		fyke_append(dissection, &own->logical, "\"", 1, LOGICAL_MAX);
	if (own->literal == MESSAGE) {
		fyke_mail_tell(dissection, state->mail, true);
		state->mail = NULL;
		state->fetched += side == FYKE_SERVER;
		state->appended += side == FYKE_CLIENT;
	}
	own->literal = NO_LITERAL;
}

static struct fyke_verdict feed_literal(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct side_state *own = &state->side[input->side];
	size_t taken = input->length < own->literal_left ? input->length : (size_t)own->literal_left;

	if (taken > 0 && own->literal == KEPT)
		fyke_append(dissection, &own->logical, input->data, taken, LOGICAL_MAX);
	if (taken > 0 && own->literal == MESSAGE)
		fyke_mail_bytes(dissection, state->mail, input->data, taken);
	own->literal_left -= taken;
	if (own->literal_left == 0)
		end_literal(dissection, input->side);
	return fyke_more(taken);
}

static struct fyke_verdict take_logical(
	struct fyke_dissection *dissection, enum fyke_side side, uint64_t consumed)
{
	struct state *state = fyke_state(dissection);
	struct fyke_text logical = state->side[side].logical;
	struct fyke_verdict verdict = fyke_more(consumed);

	state->side[side].logical = (struct fyke_text){0};
	if (side == FYKE_SERVER)
		verdict = take_reply(dissection, logical.bytes, logical.length, consumed);
	else if (state->in_auth)
		fyke_sasl_client(dissection, &state->sasl, logical.bytes, logical.length);
	else if (!state->any && !is_command(logical.bytes, logical.length))
		verdict = fyke_not_mine();
	else
		take_command(dissection, logical.bytes, logical.length);
	fyke_drop(dissection, &logical);
	return verdict;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct side_state *own = &state->side[input->side];
	struct fyke_line line;
	size_t length;
	uint64_t size;

	if (own->literal != NO_LITERAL)
		return feed_literal(dissection, input);
	if (state->waits_for_tls && input->side == FYKE_CLIENT && input->length > 0 && input->data[0] < 0x20)
		return fyke_more(0);
	if (!fyke_line_take(&own->lines, input, &line))
		return fyke_line_wait(&line);
	if (fyke_line_is_junk(&own->lines))
		return fyke_line_pass(&own->lines, &line);
	length = line.length;
	if (ends_in_literal(line.text, &length, &size)) {
		fyke_append(dissection, &own->logical, line.text, length, LOGICAL_MAX);
		begin_literal(dissection, input->side, size);
		if (size == 0)
			end_literal(dissection, input->side);
		return fyke_more(line.consumed);
	}
	fyke_append(dissection, &own->logical, line.text, length, LOGICAL_MAX);
	return take_logical(dissection, input->side, line.consumed);
}

static struct fyke_verdict gap(
	struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost)
{
	struct state *state = fyke_state(dissection);
	struct side_state *own = &state->side[input->side];

	if (own->literal != NO_LITERAL && lost <= own->literal_left) {
		own->literal_left -= lost;
		if (own->literal == MESSAGE)
			fyke_mail_missing(dissection, state->mail, lost);
		return fyke_more(0);
	}
	if (own->literal == MESSAGE) {
		fyke_mail_tell(dissection, state->mail, false);
		state->mail = NULL;
	}
	own->literal = NO_LITERAL;
	fyke_drop(dissection, &own->logical);
	own->lines.skipping = true;
	return fyke_more(0);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);
	struct fyke_value values[FIELD_COUNT];

	fyke_mail_tell(dissection, state->mail, false);
	while (state->exchange.count > 0)
		tell_unanswered(dissection);
	if (!state->any)
		return;
	tell_login(dissection, FYKE_LOGIN_UNKNOWN);
	fyke_sasl_end(dissection, &state->sasl, FYKE_LOGIN_UNKNOWN);
	values[USER] = fyke_text_of(&state->user);
	values[MECHANISM] = fyke_word(state->mechanism);
	values[LOGGED_IN] =
		fyke_integer_if(state->login != FYKE_LOGIN_UNKNOWN, state->login == FYKE_LOGIN_ACCEPTED);
	values[GREETING] = fyke_text_of(&state->greeting);
	values[CAPABILITIES] = fyke_text_of(&state->capabilities);
	values[TLS] = fyke_integer(state->tls);
	values[MAILBOXES] = fyke_text_of(&state->mailboxes);
	values[FETCHED] = fyke_integer(state->fetched);
	values[APPENDED] = fyke_integer(state->appended);
	values[CLEAR_TEXT] = fyke_integer(state->clear_text);
	fyke_record_at(dissection, &table, state->begun, values);
}

static const uint16_t ports[] = {143, 993, 0};
static const char *const services[] = {"imap", "imap2", "imap3", "imaps", NULL};
static const struct fyke_signature signatures[] = {FYKE_SERVER_SAYS("* OK"), FYKE_SERVER_SAYS("* PREAUTH")};

const struct fyke_dissector fyke_dissector_imap = {
	.name = "imap",
	.title = "Internet Message Access Protocol, RFC 9051 and RFC 3501",
	.doc = "Who logged in and how, which mailboxes were opened, every command with its status, the "
	       "messages "
	       "that were fetched whole or by their header, and those that were left. Behind STARTTLS the "
	       "session goes on as TLS; behind COMPRESS nothing is read.",
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
