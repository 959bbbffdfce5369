/*
 * NNTP (RFC 3977): commands and replies, AUTHINFO (RFC 4643), articles as mail, STARTTLS (RFC 4642), behind
 * which TLS speaks.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/exchange.h"
#include "dissectors/shared/mail.h"
#include "dissectors/shared/sasl.h"

#include <string.h>

enum { USER_MAX = 256, SECRET_MAX = 1024 };

static const struct fyke_field fields[FYKE_EXCHANGE_FIELDS] = {FYKE_EXCHANGE_FIELD_LIST};
static const struct fyke_table table = {
	"nntp", "one row per command and its reply", fields, FYKE_EXCHANGE_FIELDS};
static const struct fyke_table *const tables[] = {&table, &fyke_table_mail, NULL};

enum kind { OTHER, IS_PASS, IS_SASL, IS_STARTTLS, IS_LISTGROUP };

struct state {
	struct fyke_lines lines[2];
	struct fyke_exchange exchange;
	struct fyke_sasl sasl;
	struct fyke_dotted dotted[2];
	struct fyke_mail *mail[2];
	bool in_body[2];
	struct fyke_text user, secret;
	bool greeted, waits_for_tls, in_auth;
};

static const char *const verbs[] = {"MODE", "GROUP", "ARTICLE", "HEAD", "BODY", "STAT", "NEXT", "LAST",
	"LIST", "LISTGROUP", "XOVER", "OVER", "XHDR", "HDR", "POST", "IHAVE", "CHECK", "TAKETHIS", "AUTHINFO",
	"CAPABILITIES", "NEWNEWS", "NEWGROUPS", "DATE", "STARTTLS", "XFEATURE", "COMPRESS"};

static bool client_fits(const struct fyke_opening *opening)
{
	const char *text = (const char *)opening->side[FYKE_CLIENT].data;
	size_t length = opening->side[FYKE_CLIENT].length, at = 0;
	const char *end = length > 0 ? memchr(text, '\n', length) : NULL;
	struct fyke_word_of word;

	if (end == NULL)
		return false;
	length = (size_t)(end - text);
	length -= length > 0 && text[length - 1] == '\r';
	word = fyke_line_word(text, length, &at);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (fyke_text_is(word.text, word.length, verbs[i]))
			return true;
	}
	return false;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	const char *reply = (const char *)opening->side[FYKE_SERVER].data;
	size_t length = opening->side[FYKE_SERVER].length;
	bool code = length >= 4 && (memcmp(reply, "200 ", 4) == 0 || memcmp(reply, "201 ", 4) == 0);

	if (code && (fyke_text_find(reply, length, "NNTP") != NULL ||
			    fyke_text_find(reply, length, "InterNetNews") != NULL ||
			    fyke_text_find(reply, length, "posting") != NULL))
		return FYKE_YES;
	if (code && client_fits(opening))
		return FYKE_YES;
	if (length >= 4 && fyke_reply_code(reply, 4) == 0)
		return FYKE_NO;
	return FYKE_MAYBE;
}

static void tell(struct fyke_dissection *dissection, const struct fyke_reply *reply, bool unasked)
{
	struct state *state = fyke_state(dissection);
	const struct fyke_command *command = unasked ? NULL : fyke_exchange_first(&state->exchange);
	struct fyke_value values[FYKE_EXCHANGE_FIELDS];

	fyke_exchange_values(dissection, command, reply, values);
	fyke_record_at(dissection, &table, command != NULL ? command->moment : fyke_now(dissection), values);
	if (command != NULL)
		fyke_exchange_drop(dissection, &state->exchange);
}

static void tell_login(struct fyke_dissection *dissection, enum fyke_login login)
{
	struct state *state = fyke_state(dissection);
	const struct fyke_credential credential = {.mechanism = "AUTHINFO",
		.user = fyke_text_of(&state->user),
		.secret = fyke_text_of(&state->secret),
		.login = login};

	if (fyke_text_is_set(&state->secret))
		fyke_credential(dissection, &credential);
	fyke_drop(dissection, &state->secret);
}

/* ---- the client ---- */

static void take_authinfo(
	struct fyke_dissection *dissection, struct fyke_command *command, struct fyke_word_of argument)
{
	struct state *state = fyke_state(dissection);
	size_t at = 0, shown;
	struct fyke_word_of word = fyke_line_word(argument.text, argument.length, &at), mechanism;
	struct fyke_word_of rest = {argument.text + at, argument.length - at};

	shown = at;
	if (fyke_text_is(word.text, word.length, "USER")) {
		fyke_keep(dissection, &state->user, rest.text, rest.length, USER_MAX);
		return;
	}
	if (fyke_text_is(word.text, word.length, "SASL")) {
		command->kind = IS_SASL;
		mechanism = fyke_line_word(argument.text, argument.length, &at);
		shown = at;
		fyke_sasl_begin(dissection, &state->sasl, mechanism.text, mechanism.length);
		state->in_auth = true;
		if (at < argument.length)
			fyke_sasl_client(dissection, &state->sasl, argument.text + at, argument.length - at);
	} else if (fyke_text_is(word.text, word.length, "PASS")) {
		command->kind = IS_PASS;
		fyke_keep(dissection, &state->secret, rest.text, rest.length, SECRET_MAX);
	}
	if (fyke_secrets_are_stored(dissection) || shown == argument.length)
		return;
	fyke_keep(dissection, &command->argument, argument.text, shown, FYKE_ARGUMENT_MAX);
	fyke_append(dissection, &command->argument, "***", 3, FYKE_ARGUMENT_MAX);
}

static void take_command(struct fyke_dissection *dissection, const struct fyke_line *line)
{
	struct state *state = fyke_state(dissection);
	size_t at = 0;
	struct fyke_word_of verb = fyke_line_word(line->text, line->length, &at);
	struct fyke_word_of argument = {line->text + at, line->length - at};
	struct fyke_command *command;

	if (fyke_exchange_is_full(&state->exchange))
		tell(dissection, NULL, false);
	command = fyke_exchange_add(dissection, &state->exchange, verb, argument);
	if (fyke_text_is(verb.text, verb.length, "AUTHINFO")) {
		take_authinfo(dissection, command, argument);
	} else if (fyke_text_is(verb.text, verb.length, "STARTTLS")) {
		command->kind = IS_STARTTLS;
		state->waits_for_tls = true;
	} else if (fyke_text_is(verb.text, verb.length, "LISTGROUP")) {
		command->kind = IS_LISTGROUP;
	} else if (fyke_text_is(verb.text, verb.length, "TAKETHIS")) {
		state->in_body[FYKE_CLIENT] = true;
		state->mail[FYKE_CLIENT] = fyke_mail_begin(dissection, FYKE_CLIENT, "nntp");
	}
}

static struct fyke_verdict feed_body(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_dotted_piece piece;

	switch (fyke_dotted_next(&state->dotted[input->side], input, &piece)) {
	case FYKE_DOTTED_TEXT:
		fyke_mail_bytes(dissection, state->mail[input->side], piece.bytes, piece.length);
		return fyke_more(piece.consumed);
	case FYKE_DOTTED_END:
		fyke_mail_tell(dissection, state->mail[input->side], true);
		state->mail[input->side] = NULL;
		state->in_body[input->side] = false;
		state->dotted[input->side] = (struct fyke_dotted){0};
		if (input->side == FYKE_CLIENT && !fyke_exchange_is_full(&state->exchange))
			(void)fyke_exchange_add(dissection, &state->exchange, (struct fyke_word_of){".", 1},
				(struct fyke_word_of){NULL, 0});
		return fyke_more(piece.consumed);
	default:
		return fyke_more(0);
	}
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
	if (!state->greeted && !fyke_line_has_verb(line.text, line.length))
		return fyke_not_mine();
	if (state->in_auth)
		fyke_sasl_client(dissection, &state->sasl, line.text, line.length);
	else
		take_command(dissection, &line);
	return fyke_more(line.consumed);
}

/* ---- the server ---- */

/* Replies of these codes are followed by lines up to a dot. */
static bool has_body(uint16_t code, enum kind kind)
{
	switch (code) {
	case 100:
	case 101:
	case 215:
	case 220:
	case 221:
	case 222:
	case 224:
	case 225:
	case 230:
	case 231:
	case 282:
		return true;
	default:
		return code == 211 && kind == IS_LISTGROUP;
	}
}

static void begin_body(struct fyke_dissection *dissection, enum fyke_side side, bool article)
{
	struct state *state = fyke_state(dissection);

	state->in_body[side] = true;
	state->dotted[side] = (struct fyke_dotted){0};
	if (article)
		state->mail[side] = fyke_mail_begin(dissection, side, "nntp");
}

static void take_login(struct fyke_dissection *dissection, enum kind kind, uint16_t code)
{
	struct state *state = fyke_state(dissection);
	enum fyke_login login = code == 281 ? FYKE_LOGIN_ACCEPTED : FYKE_LOGIN_REFUSED;

	if (kind == IS_PASS)
		tell_login(dissection, login);
	if (kind != IS_SASL || code == 383 || code == 283)
		return;
	state->in_auth = false;
	fyke_sasl_end(dissection, &state->sasl, login);
}

/* True: TLS follows. */
static bool take_reply(struct fyke_dissection *dissection, const struct fyke_line *line, uint16_t code)
{
	struct state *state = fyke_state(dissection);
	const struct fyke_command *command = fyke_exchange_first(&state->exchange);
	enum kind kind = command != NULL ? (enum kind)command->kind : OTHER;
	bool greeting = !state->greeted && (code == 200 || code == 201);
	struct fyke_reply reply = {.code = code};
	size_t front = line->length > 4 ? 4 : line->length;

	if (code == 383 && kind == IS_SASL) /* more of the exchange follows */
		return false;
	state->greeted = true;
	fyke_keep(dissection, &reply.text, line->text + front, line->length - front, FYKE_REPLY_MAX);
	tell(dissection, &reply, greeting);
	if (greeting && reply.text.length > 0)
		fyke_product(dissection, FYKE_SERVER, reply.text.bytes, reply.text.length);
	fyke_drop(dissection, &reply.text);
	take_login(dissection, kind, code);
	if (has_body(code, kind))
		begin_body(dissection, FYKE_SERVER, code == 220 || code == 221);
	else if (code == 340 || code == 335)
		begin_body(dissection, FYKE_CLIENT, true);
	if (kind == IS_STARTTLS)
		state->waits_for_tls = code == 382;
	return kind == IS_STARTTLS && code == 382;
}

static struct fyke_verdict feed_server(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_line line;
	uint16_t code;

	if (!fyke_line_take(&state->lines[FYKE_SERVER], input, &line))
		return fyke_line_wait(&line);
	if (fyke_line_is_junk(&state->lines[FYKE_SERVER]))
		return fyke_line_pass(&state->lines[FYKE_SERVER], &line);
	code = fyke_reply_code(line.text, line.length);
	if (code != 0 && take_reply(dissection, &line, code))
		return fyke_becomes(line.consumed, NULL); /* TLS, or what somebody decrypted */
	return fyke_more(line.consumed);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	const struct state *state = fyke_state(dissection);

	if (state->in_body[input->side])
		return feed_body(dissection, input);
	return input->side == FYKE_CLIENT ? feed_client(dissection, input) : feed_server(dissection, input);
}

static struct fyke_verdict gap(
	struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost)
{
	struct state *state = fyke_state(dissection);

	if (state->in_body[input->side]) {
		fyke_mail_missing(dissection, state->mail[input->side], lost);
		state->dotted[input->side].within = true;
	} else {
		state->lines[input->side].skipping = true;
	}
	return fyke_more(0);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	for (int side = 0; side < 2; side++)
		fyke_mail_tell(dissection, state->mail[side], false);
	while (state->exchange.count > 0)
		tell(dissection, NULL, false);
	tell_login(dissection, FYKE_LOGIN_UNKNOWN);
	fyke_sasl_end(dissection, &state->sasl, FYKE_LOGIN_UNKNOWN);
}

static const uint16_t ports[] = {119, 433, 0};
static const char *const services[] = {"nntp", "nnsp", "nntps", NULL};
static const struct fyke_signature signatures[] = {FYKE_SERVER_SAYS("200 "), FYKE_SERVER_SAYS("201 ")};

const struct fyke_dissector fyke_dissector_nntp = {
	.name = "nntp",
	.title = "Network News Transfer Protocol, RFC 3977",
	.doc = "Every command with its reply, articles with their headers and attachments, logins as "
	       "credentials "
	       "with their outcome. Behind STARTTLS the session goes on as TLS; behind COMPRESS nothing is "
	       "read.",
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
