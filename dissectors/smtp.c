/*
 * SMTP (RFC 5321): commands and replies, also pipelined (RFC 2920), messages sent by DATA or in chunks (BDAT,
 * RFC 3030), AUTH (RFC 4954), and STARTTLS (RFC 3207), behind which TLS speaks.
 *
 * A message is expected behind DATA at once, as replies may be missing from the capture; a refusal that
 * comes first takes that back.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/exchange.h"
#include "dissectors/shared/mail.h"
#include "dissectors/shared/sasl.h"

#include <string.h>

enum { PATH_MAX_BYTES = 320, PATHS_MAX = 4096, HELO_MAX = 256, USER_MAX = 256 };

enum {
	HELO,
	MAILFROM,
	RCPTTO,
	MAIL,
	LAST_REPLY = MAIL + FYKE_MAIL_FIELDS,
	ACCEPTED,
	AUTH_USER,
	TLS,
	DEPTH,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[HELO] = {"helo", FYKE_TYPE_TEXT, "what the client calls itself"},
	[MAILFROM] = {"mailfrom", FYKE_TYPE_TEXT, "the envelope's sender; empty for notifications"},
	[RCPTTO] = {"rcptto", FYKE_TYPE_TEXT, "the envelope's recipients, joined by commas"},
	FYKE_MAIL_FIELD_LIST(MAIL),
	[LAST_REPLY] = {"last_reply", FYKE_TYPE_TEXT, "code and text of the latest reply"},
	[ACCEPTED] = {"accepted", FYKE_TYPE_BOOLEAN,
		"whether the server took the message; NULL: it did not say"},
	[AUTH_USER] = {"user", FYKE_TYPE_TEXT, "who logged in by AUTH"},
	[TLS] = {"tls", FYKE_TYPE_BOOLEAN, "the session went on under TLS"},
	[DEPTH] = {"depth", FYKE_TYPE_INTEGER, "the transaction's place in its session, from 1"},
};

static const struct fyke_table table = {"smtp",
	"one row per mail transaction; a session without any has one for what was said before", fields,
	FIELD_COUNT};

static const struct fyke_field command_fields[FYKE_EXCHANGE_FIELDS] = {FYKE_EXCHANGE_FIELD_LIST};
static const struct fyke_table commands = {
	"smtp_commands", "one row per command and its reply", command_fields, FYKE_EXCHANGE_FIELDS};
static const struct fyke_table *const tables[] = {&table, &commands, NULL};

enum mode { COMMANDS, MESSAGE, CHUNK, EXCHANGE_OF_AUTH, WAITING_FOR_TLS };
enum kind { OTHER, IS_HELO, IS_DATA, IS_MESSAGE, IS_LAST_CHUNK, IS_AUTH, IS_STARTTLS, IS_RCPT, IS_QUIT };

struct transaction {
	struct fyke_mail *mail;
	struct fyke_text mailfrom, rcptto;
	struct fyke_moment begun;
	bool active;
};

struct state {
	struct fyke_lines lines[2];
	struct fyke_exchange exchange;
	struct fyke_reply reply;
	struct fyke_sasl sasl;
	struct fyke_dotted dotted;
	struct transaction now, sent; /* sent: whose message is whole, and waits for its reply */
	struct fyke_text helo, last_reply, user;
	struct fyke_moment begun; /* of the session's greetings */
	uint64_t chunk_left;
	enum mode mode;
	unsigned depth;
	bool any_row, greeted, tls, last_chunk;
};

static const char *const verbs[] = {"EHLO", "HELO", "LHLO", "MAIL", "RCPT", "DATA", "BDAT", "AUTH",
	"STARTTLS", "QUIT", "RSET", "NOOP", "VRFY", "EXPN", "HELP", "TURN", "ETRN", "XCLIENT", "XFORWARD",
	"X-ANONYMOUSTLS", "XEXCH50", "X-EXPS", "BURL"};

static bool is_verb(struct fyke_word_of word)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (fyke_text_is(word.text, word.length, verbs[i]))
			return true;
	}
	return false;
}

static bool is_greeting(struct fyke_word_of word)
{
	return fyke_text_is(word.text, word.length, "EHLO") || fyke_text_is(word.text, word.length, "HELO") ||
	       fyke_text_is(word.text, word.length, "LHLO");
}

static bool client_fits(const struct fyke_opening *opening)
{
	const char *text = (const char *)opening->side[FYKE_CLIENT].data;
	size_t length = opening->side[FYKE_CLIENT].length;

	return fyke_text_begins(text, length, "EHLO ") || fyke_text_begins(text, length, "HELO ") ||
	       fyke_text_begins(text, length, "LHLO ") || fyke_text_begins(text, length, "MAIL FROM:") ||
	       fyke_text_begins(text, length, "RCPT TO:");
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	const char *reply = (const char *)opening->side[FYKE_SERVER].data;
	size_t length = opening->side[FYKE_SERVER].length;
	const char *client = (const char *)opening->side[FYKE_CLIENT].data;
	size_t client_length = opening->side[FYKE_CLIENT].length, at = 0;
	bool code = fyke_reply_code(reply, length < 4 ? length : 4) >= 200;

	if (length >= 4 && !code)
		return FYKE_NO;
	if (client_fits(opening))
		return FYKE_YES;
	if (length >= 4 && memcmp(reply, "220", 3) == 0 && fyke_text_find(reply, length, "SMTP") != NULL)
		return FYKE_YES;
	if (client_length >= 5 && !is_verb(fyke_line_word(client, client_length, &at)) &&
		!is_verb((struct fyke_word_of){client, 4}))
		return opening->on_port && length >= 4 ? FYKE_MAYBE : FYKE_NO;
	return FYKE_MAYBE;
}

/* ---- what is said ---- */

static void tell_exchange(struct fyke_dissection *dissection, const struct fyke_reply *reply, bool unasked)
{
	struct state *state = fyke_state(dissection);
	const struct fyke_command *command = unasked ? NULL : fyke_exchange_first(&state->exchange);
	struct fyke_value values[FYKE_EXCHANGE_FIELDS];

	fyke_exchange_values(dissection, command, reply, values);
	fyke_record_at(
		dissection, &commands, command != NULL ? command->moment : fyke_now(dissection), values);
	if (command != NULL)
		fyke_exchange_drop(dissection, &state->exchange);
}

static void forget(struct fyke_dissection *dissection, struct transaction *transaction)
{
	fyke_mail_free(dissection, transaction->mail);
	fyke_drop(dissection, &transaction->mailfrom);
	fyke_drop(dissection, &transaction->rcptto);
	*transaction = (struct transaction){0};
}

static void tell_transaction(
	struct fyke_dissection *dissection, struct transaction *transaction, enum fyke_login accepted)
{
	struct state *state = fyke_state(dissection);
	const char *carrier = fyke_carrier(dissection);
	struct fyke_value values[FIELD_COUNT];

	state->depth += transaction->active;
	fyke_mail_finish(dissection, transaction->mail, false);
	values[HELO] = fyke_text_of(&state->helo);
	values[MAILFROM] = fyke_text_of(&transaction->mailfrom);
	values[RCPTTO] = fyke_text_of(&transaction->rcptto);
	fyke_mail_values(transaction->mail, values + MAIL);
	values[LAST_REPLY] = fyke_text_of(&state->last_reply);
	values[ACCEPTED] = fyke_integer_if(accepted != FYKE_LOGIN_UNKNOWN, accepted == FYKE_LOGIN_ACCEPTED);
	values[AUTH_USER] = fyke_text_of(&state->user);
	values[TLS] = fyke_integer(state->tls || (carrier != NULL && strcmp(carrier, "smtp") == 0));
	values[DEPTH] = fyke_integer(state->depth);
	fyke_record_at(dissection, &table, transaction->active ? transaction->begun : state->begun, values);
	forget(dissection, transaction);
	state->any_row = true;
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

/* The address of FROM:<path> parameters, or TO:<path>. */
static struct fyke_word_of path_of(struct fyke_word_of argument)
{
	const char *end = argument.text + argument.length;
	const char *colon = argument.length > 0 ? memchr(argument.text, ':', argument.length) : NULL;
	struct fyke_word_of path = {colon != NULL ? colon + 1 : argument.text, 0};
	bool quoted = false, bracket;

	while (path.text < end && *path.text == ' ')
		path.text++;
	bracket = path.text < end && *path.text == '<';
	path.text += bracket;
	for (; path.text + path.length < end; path.length++) {
		char c = path.text[path.length];

		quoted ^= c == '"';
		if (!quoted && c == (bracket ? '>' : ' '))
			break;
	}
	return path;
}

static struct transaction *need_transaction(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	if (!state->now.active)
		state->now.begun = fyke_now(dissection);
	state->now.active = true;
	return &state->now;
}

static void begin_transaction(struct fyke_dissection *dissection, struct fyke_word_of argument)
{
	struct state *state = fyke_state(dissection);
	struct fyke_word_of path = path_of(argument);

	if (state->now.active)
		tell_transaction(dissection, &state->now, FYKE_LOGIN_UNKNOWN);
	fyke_keep(
		dissection, &need_transaction(dissection)->mailfrom, path.text, path.length, PATH_MAX_BYTES);
}

static void add_recipient(struct fyke_dissection *dissection, struct fyke_word_of argument)
{
	struct fyke_text *rcptto = &need_transaction(dissection)->rcptto;
	struct fyke_word_of path = path_of(argument);

	if (fyke_text_is_set(rcptto))
		fyke_append(dissection, rcptto, ",", 1, PATHS_MAX);
	fyke_append(dissection, rcptto, path.text, path.length, PATHS_MAX);
}

static void begin_message(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);
	struct transaction *transaction = need_transaction(dissection);

	if (transaction->mail == NULL)
		transaction->mail = fyke_mail_begin(dissection, FYKE_CLIENT, "smtp");
	state->dotted = (struct fyke_dotted){0};
}

/* The message is whole: others may follow before the server answers. */
static void end_of_message(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	fyke_mail_finish(dissection, state->now.mail, true);
	if (state->sent.active)
		tell_transaction(dissection, &state->sent, FYKE_LOGIN_UNKNOWN);
	state->sent = state->now;
	state->now = (struct transaction){0};
}

static void begin_chunk(
	struct fyke_dissection *dissection, struct fyke_command *command, struct fyke_word_of argument)
{
	struct state *state = fyke_state(dissection);
	size_t digits;
	int64_t size = fyke_text_number(argument.text, argument.length, &digits);

	if (size < 0 || (digits < argument.length && argument.text[digits] != ' '))
		return;
	begin_message(dissection);
	state->chunk_left = (uint64_t)size;
	state->last_chunk = fyke_text_find(argument.text, argument.length, "LAST") != NULL;
	command->kind = state->last_chunk ? IS_LAST_CHUNK : OTHER;
	state->mode = size > 0 ? CHUNK : COMMANDS;
	if (size == 0 && state->last_chunk)
		end_of_message(dissection);
}

static void begin_auth(
	struct fyke_dissection *dissection, struct fyke_command *command, struct fyke_word_of argument)
{
	struct state *state = fyke_state(dissection);
	size_t at = 0;
	struct fyke_word_of mechanism = fyke_line_word(argument.text, argument.length, &at);

	command->kind = IS_AUTH;
	fyke_sasl_begin(dissection, &state->sasl, mechanism.text, mechanism.length);
	if (at < argument.length) {
		fyke_sasl_client(dissection, &state->sasl, argument.text + at, argument.length - at);
		if (!fyke_secrets_are_stored(dissection)) {
			fyke_keep(dissection, &command->argument, argument.text, at, FYKE_ARGUMENT_MAX);
			fyke_append(dissection, &command->argument, "***", 3, FYKE_ARGUMENT_MAX);
		}
	}
	state->mode = EXCHANGE_OF_AUTH;
}

static bool is_starttls(struct fyke_word_of verb)
{
	return fyke_text_is(verb.text, verb.length, "STARTTLS") ||
	       fyke_text_is(verb.text, verb.length, "X-ANONYMOUSTLS");
}

static void take_command(struct fyke_dissection *dissection, const struct fyke_line *line)
{
	struct state *state = fyke_state(dissection);
	size_t at = 0;
	struct fyke_word_of verb = fyke_line_word(line->text, line->length, &at);
	struct fyke_word_of argument = {line->text + at, line->length - at};
	struct fyke_command *command = add_command(dissection, verb, argument);

	if (is_greeting(verb)) {
		command->kind = IS_HELO;
		fyke_keep(dissection, &state->helo, argument.text, argument.length, HELO_MAX);
		state->begun = command->moment;
	} else if (fyke_text_is(verb.text, verb.length, "MAIL")) {
		begin_transaction(dissection, argument);
	} else if (fyke_text_is(verb.text, verb.length, "RCPT")) {
		add_recipient(dissection, argument);
	} else if (fyke_text_is(verb.text, verb.length, "DATA")) {
		command->kind = IS_DATA;
		begin_message(dissection);
		state->mode = MESSAGE;
	} else if (fyke_text_is(verb.text, verb.length, "BDAT")) {
		begin_chunk(dissection, command, argument);
	} else if (fyke_text_is(verb.text, verb.length, "AUTH")) {
		begin_auth(dissection, command, argument);
	} else if (is_starttls(verb)) {
		command->kind = IS_STARTTLS;
		state->mode = WAITING_FOR_TLS;
	} else if (fyke_text_is(verb.text, verb.length, "RSET") && state->now.active) {
		tell_transaction(dissection, &state->now, FYKE_LOGIN_UNKNOWN);
	}
}

static struct fyke_verdict feed_message(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_dotted_piece piece;

	switch (fyke_dotted_next(&state->dotted, input, &piece)) {
	case FYKE_DOTTED_TEXT:
		fyke_mail_bytes(dissection, state->now.mail, piece.bytes, piece.length);
		return fyke_more(piece.consumed);
	case FYKE_DOTTED_END:
		end_of_message(dissection);
		add_command(dissection, (struct fyke_word_of){".", 1}, (struct fyke_word_of){NULL, 0})->kind =
			IS_MESSAGE;
		state->mode = COMMANDS;
		return fyke_more(piece.consumed);
	default:
		return fyke_more(0);
	}
}

static struct fyke_verdict feed_chunk(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	size_t taken = input->length < state->chunk_left ? input->length : (size_t)state->chunk_left;

	if (taken > 0)
		fyke_mail_bytes(dissection, state->now.mail, input->data, taken);
	state->chunk_left -= taken;
	if (state->chunk_left == 0) {
		state->mode = COMMANDS;
		if (state->last_chunk)
			end_of_message(dissection);
	}
	return fyke_more(taken);
}

static void take_auth_line(struct fyke_dissection *dissection, const struct fyke_line *line)
{
	struct state *state = fyke_state(dissection);
	struct fyke_command *command = add_command(
		dissection, (struct fyke_word_of){NULL, 0}, (struct fyke_word_of){line->text, line->length});

	command->kind = IS_AUTH;
	command->secret = true;
	fyke_sasl_client(dissection, &state->sasl, line->text, line->length);
}

static struct fyke_verdict feed_client(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_line line;
	size_t at = 0;

	if (state->mode == MESSAGE)
		return feed_message(dissection, input);
	if (state->mode == CHUNK)
		return feed_chunk(dissection, input);
	if (state->mode == WAITING_FOR_TLS && input->length > 0 && input->data[0] < 0x20)
		return fyke_more(0);
	if (!fyke_line_take(&state->lines[FYKE_CLIENT], input, &line))
		return fyke_line_wait(&line);
	if (fyke_line_is_junk(&state->lines[FYKE_CLIENT]))
		return fyke_line_pass(&state->lines[FYKE_CLIENT], &line);
	if (!fyke_is_confirmed(dissection) && is_greeting(fyke_line_word(line.text, line.length, &at)))
		fyke_confirm(dissection);
	if (!fyke_is_confirmed(dissection) && line.length > 0 && !fyke_line_has_verb(line.text, line.length))
		return fyke_not_mine();
	if (state->mode == EXCHANGE_OF_AUTH)
		take_auth_line(dissection, &line);
	else
		take_command(dissection, &line);
	return fyke_more(line.consumed);
}

/* ---- the server ---- */

static void keep_last_reply(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);
	char code[4];

	for (int i = 0, rest = state->reply.code; i < 3; i++, rest /= 10)
		code[2 - i] = (char)('0' + rest % 10);
	code[3] = ' ';
	fyke_keep(dissection, &state->last_reply, code, 4, FYKE_REPLY_MAX);
	fyke_append(dissection, &state->last_reply, state->reply.text.bytes, state->reply.text.length,
		FYKE_REPLY_MAX);
}

static void end_auth(struct fyke_dissection *dissection, uint16_t code)
{
	struct state *state = fyke_state(dissection);

	if (code == 334)
		return;
	if (state->mode == EXCHANGE_OF_AUTH)
		state->mode = COMMANDS;
	if (code == 235 && fyke_text_is_set(&state->sasl.user))
		fyke_keep(
			dissection, &state->user, state->sasl.user.bytes, state->sasl.user.length, USER_MAX);
	fyke_sasl_end(dissection, &state->sasl, code == 235 ? FYKE_LOGIN_ACCEPTED : FYKE_LOGIN_REFUSED);
}

static void end_message(struct fyke_dissection *dissection, uint16_t code)
{
	struct state *state = fyke_state(dissection);

	if (state->sent.active)
		tell_transaction(
			dissection, &state->sent, code < 400 ? FYKE_LOGIN_ACCEPTED : FYKE_LOGIN_REFUSED);
}

static void refuse_message(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	state->mode = COMMANDS;
	fyke_mail_free(dissection, state->now.mail);
	state->now.mail = NULL;
	if (!fyke_text_is_set(&state->now.mailfrom) && !fyke_text_is_set(&state->now.rcptto))
		state->now.active = false;
}

/* The reply to a command of this kind. True: TLS follows. */
static bool take_outcome(struct fyke_dissection *dissection, enum kind kind, uint16_t code)
{
	struct state *state = fyke_state(dissection);

	if (kind == IS_AUTH)
		end_auth(dissection, code);
	else if (kind == IS_MESSAGE || kind == IS_LAST_CHUNK)
		end_message(dissection, code);
	else if (kind == IS_DATA && code >= 400 && state->mode == MESSAGE)
		refuse_message(dissection);
	else if (kind == IS_STARTTLS && code < 300)
		return true;
	else if (kind == IS_STARTTLS && state->mode == WAITING_FOR_TLS)
		state->mode = COMMANDS;
	return false;
}

static bool take_reply(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);
	uint16_t code = state->reply.code;
	const struct fyke_command *command = fyke_exchange_first(&state->exchange);
	bool greeting = !state->greeted && (code == 220 || code == 554 || code == 421);
	enum kind kind = command != NULL ? (enum kind)command->kind : OTHER;

	state->greeted = true;
	keep_last_reply(dissection);
	tell_exchange(dissection, &state->reply, greeting || command == NULL);
	if (!greeting)
		return command != NULL && take_outcome(dissection, kind, code);
	if (code == 220)
		fyke_product(dissection, FYKE_SERVER, state->reply.text.bytes, state->reply.text.length);
	return false;
}

static struct fyke_verdict feed_server(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_line line;

	if (!fyke_line_take(&state->lines[FYKE_SERVER], input, &line))
		return fyke_line_wait(&line);
	if (fyke_line_is_junk(&state->lines[FYKE_SERVER]))
		return fyke_line_pass(&state->lines[FYKE_SERVER], &line);
	if (fyke_reply_line(dissection, &state->reply, &line) && take_reply(dissection)) {
		state->tls = true;
		return fyke_becomes(line.consumed, NULL); /* TLS, or what somebody decrypted */
	}
	return fyke_more(line.consumed);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	return input->side == FYKE_CLIENT ? feed_client(dissection, input) : feed_server(dissection, input);
}

static struct fyke_verdict gap(
	struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost)
{
	struct state *state = fyke_state(dissection);

	if (input->side == FYKE_SERVER) {
		state->reply.open = false;
		state->lines[FYKE_SERVER].skipping = true;
		return fyke_more(0);
	}
	if (state->mode == CHUNK && lost <= state->chunk_left)
		state->chunk_left -= lost;
	if (state->mode == CHUNK || state->mode == MESSAGE)
		fyke_mail_missing(dissection, state->now.mail, lost);
	if (state->mode == MESSAGE)
		state->dotted.within = true;
	else if (state->mode != CHUNK)
		state->lines[FYKE_CLIENT].skipping = true;
	return fyke_more(0);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	while (state->exchange.count > 0)
		tell_exchange(dissection, NULL, false);
	fyke_sasl_end(dissection, &state->sasl, FYKE_LOGIN_UNKNOWN);
	if (state->sent.active)
		tell_transaction(dissection, &state->sent, FYKE_LOGIN_UNKNOWN);
	if (state->now.active || (!state->any_row && fyke_text_is_set(&state->helo)))
		tell_transaction(dissection, &state->now, FYKE_LOGIN_UNKNOWN);
}

static const uint16_t ports[] = {25, 587, 2525, 465, 0};
static const char *const services[] = {"smtp", "submission", "submissions", NULL};
static const struct fyke_signature signatures[] = {FYKE_SERVER_SAYS("220"), FYKE_CLIENT_SAYS("EHLO "),
	FYKE_CLIENT_SAYS("HELO "), FYKE_CLIENT_SAYS("ehlo "), FYKE_CLIENT_SAYS("helo "),
	FYKE_CLIENT_SAYS("LHLO "), FYKE_CLIENT_SAYS("MAIL FROM:"), FYKE_CLIENT_SAYS("RCPT TO:")};

const struct fyke_dissector fyke_dissector_smtp = {
	.name = "smtp",
	.title = "Simple Mail Transfer Protocol, RFC 5321",
	.doc = "Mail transactions with the header of the message, its attachments as files, and every "
	       "command "
	       "with its reply. AUTH exchanges are told as credentials with their outcome. Behind STARTTLS "
	       "the session goes on as TLS. Lines are read up to 8 KiB, headers up to 2 KiB, parts nested "
	       "6 deep.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = sizeof(signatures) / sizeof(signatures[0]),
	.tables = tables,
	.state_size = sizeof(struct state),
	/* a header's fields, and 32 commands that wait */
	.memory_max = 64 * 1024,
	.probe = probe,
	.feed = feed,
	.gap = gap,
	.end = end,
};
