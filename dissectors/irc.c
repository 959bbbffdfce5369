/*
 * IRC (RFC 1459, RFC 2812): who registers, joins and leaves, passwords, files offered by DCC, and what the
 * server refuses. What is talked is counted, not told. Behind STARTTLS (numeric 670) TLS speaks.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/line.h"
#include "dissectors/shared/sasl.h"

#include <string.h>

enum { NAME_MAX_BYTES = 128, VALUE_MAX = 512, ROWS_MAX = 1000 };

enum { NICK, USER, COMMAND, VALUE, ADDITIONAL, SIDE, DCC_FILE, DCC_BYTES, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[NICK] = {"nick", FYKE_TYPE_TEXT, "the client's at that time"},
	[USER] = {"user", FYKE_TYPE_TEXT, "likewise"},
	[COMMAND] = {"command", FYKE_TYPE_TEXT, "NICK USER JOIN PART QUIT PASS OPER DCC"},
	[VALUE] = {"value", FYKE_TYPE_TEXT, "its first parameter; secrets are ***"},
	[ADDITIONAL] = {"additional", FYKE_TYPE_TEXT, "the others"},
	[SIDE] = {"sender", FYKE_TYPE_TEXT, "client or server"},
	[DCC_FILE] = {"dcc_file", FYKE_TYPE_TEXT, "offered"},
	[DCC_BYTES] = {"dcc_bytes", FYKE_TYPE_INTEGER, "its size as told"},
};

static const struct fyke_table table = {
	"irc", "one row per command that says who is where, up to 1000 a session", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct state {
	struct fyke_lines lines[2];
	struct fyke_text nick, user, password;
	struct fyke_sasl sasl;
	unsigned rows;
	bool welcomed, waits_for_tls;
};

struct line {
	struct fyke_word_of source, command, parameters;
};

static struct line parse(const char *text, size_t length)
{
	size_t at = 0;
	struct line line = {{NULL, 0}, {NULL, 0}, {NULL, 0}};

	if (length > 0 && text[0] == '@') /* tags of IRCv3 */
		(void)fyke_line_word(text, length, &at);
	if (at < length && text[at] == ':') {
		line.source = fyke_line_word(text, length, &at);
		line.source.text++;
		line.source.length--;
	}
	line.command = fyke_line_word(text, length, &at);
	line.parameters = (struct fyke_word_of){text + at, length - at};
	return line;
}

static bool is(const struct line *line, const char *command)
{
	return fyke_text_is(line->command.text, line->command.length, command);
}

/* The next parameter; what begins with ':' is the rest. */
static struct fyke_word_of parameter(const struct line *line, size_t *at)
{
	const struct fyke_word_of all = line->parameters;
	struct fyke_word_of rest;

	if (*at >= all.length || all.text[*at] != ':')
		return fyke_line_word(all.text, all.length, at);
	rest = (struct fyke_word_of){all.text + *at + 1, all.length - *at - 1};
	*at = all.length;
	return rest;
}

/* ---- probe ---- */

static size_t line_of(const uint8_t *data, size_t length)
{
	const uint8_t *end = length > 0 ? memchr(data, '\n', length) : NULL;

	if (end == NULL)
		return 0;
	length = (size_t)(end - data);
	return length > 0 && data[length - 1] == '\r' ? length - 1 : length;
}

static bool is_numeric(struct fyke_word_of command)
{
	size_t digits;

	return command.length == 3 && fyke_text_number(command.text, 3, &digits) >= 0 && digits == 3;
}

/* :server 001 nick …, :server NOTICE …, NOTICE AUTH :…, PING :… */
static bool server_fits(const uint8_t *data, size_t length)
{
	size_t size = line_of(data, length);
	struct line line = parse((const char *)data, size);

	if (size == 0 || !fyke_text_is_plain(data, size))
		return false;
	if (line.source.length > 0)
		return is(&line, "NOTICE") || is_numeric(line.command) || is(&line, "CAP");
	return fyke_text_begins((const char *)data, size, "NOTICE ") && memchr(data, ':', size) != NULL;
}

static bool client_fits(const uint8_t *data, size_t length)
{
	const char *text = (const char *)data;
	size_t size = line_of(data, length);

	if (size == 0 || !fyke_text_is_plain(data, size))
		return false;
	if (fyke_text_begins(text, size, "CAP LS") || fyke_text_begins(text, size, "CAP REQ"))
		return true;
	if (fyke_text_begins(text, size, "USER ")) /* FTP has one parameter */
		return memchr(text, ':', size) != NULL;
	return fyke_text_begins(text, size, "NICK ") ||
	       (fyke_text_begins(text, size, "PASS ") && fyke_text_find(text, length, "\nNICK ") != NULL);
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	size_t client = opening->side[FYKE_CLIENT].length, server = opening->side[FYKE_SERVER].length;
	bool client_good = client_fits(opening->side[FYKE_CLIENT].data, client);
	bool server_good = server_fits(opening->side[FYKE_SERVER].data, server);

	if (client_good && (server_good || server == 0 || opening->on_port))
		return FYKE_YES;
	if (server_good && (client == 0 || opening->on_port))
		return opening->on_port || client_good ? FYKE_YES : FYKE_MAYBE;
	if (client > 512 && !client_good && !server_good)
		return FYKE_NO;
	return FYKE_MAYBE;
}

/* ---- what is said ---- */

static void tell(struct fyke_dissection *dissection, enum fyke_side side, struct fyke_value *values)
{
	struct state *state = fyke_state(dissection);

	if (state->rows++ >= ROWS_MAX)
		return;
	values[NICK] = fyke_text_of(&state->nick);
	values[USER] = fyke_text_of(&state->user);
	values[SIDE] = fyke_word(side == FYKE_CLIENT ? "client" : "server");
	fyke_record(dissection, &table, values);
}

static struct fyke_value value_of(struct fyke_word_of word)
{
	return word.length > 0 ? fyke_bytes(word.text, word.length) : fyke_null();
}

static void tell_command(struct fyke_dissection *dissection, const struct line *line, bool first_is_secret,
	bool others_are_secret)
{
	struct fyke_value values[FIELD_COUNT] = {{0}};
	size_t at = 0;
	struct fyke_word_of first = parameter(line, &at);
	struct fyke_word_of others = {line->parameters.text + at, line->parameters.length - at};

	values[COMMAND] = value_of(line->command);
	values[VALUE] = value_of(first);
	values[ADDITIONAL] = value_of(others);
	if (first_is_secret)
		values[VALUE] = fyke_secret(dissection, first.text, first.length);
	if (others_are_secret && others.length > 0)
		values[ADDITIONAL] = fyke_secret(dissection, others.text, others.length);
	tell(dissection, FYKE_CLIENT, values);
}

static void tell_password(struct fyke_dissection *dissection, enum fyke_login login)
{
	struct state *state = fyke_state(dissection);
	const struct fyke_credential credential = {.mechanism = "PASS",
		.user = fyke_text_of(fyke_text_is_set(&state->user) ? &state->user : &state->nick),
		.secret = fyke_text_of(&state->password),
		.login = login};

	if (fyke_text_is_set(&state->password))
		fyke_credential(dissection, &credential);
	fyke_drop(dissection, &state->password);
}

/* ---- the client ---- */

static void take_oper(struct fyke_dissection *dissection, const struct line *line)
{
	size_t at = 0;
	struct fyke_word_of user = parameter(line, &at), secret = parameter(line, &at);
	const struct fyke_credential credential = {
		.mechanism = "OPER", .user = value_of(user), .secret = value_of(secret)};

	fyke_credential(dissection, &credential);
	tell_command(dissection, line, false, true);
}

static void take_authenticate(struct fyke_dissection *dissection, const struct line *line)
{
	struct state *state = fyke_state(dissection);
	size_t at = 0;
	struct fyke_word_of word = parameter(line, &at);

	if (state->sasl.mechanism == NULL)
		fyke_sasl_begin(dissection, &state->sasl, word.text, word.length);
	else
		fyke_sasl_client(dissection, &state->sasl, word.text, word.length);
}

/* \1DCC SEND file address port size\1 */
static void take_message(struct fyke_dissection *dissection, enum fyke_side side, const struct line *line)
{
	const struct fyke_word_of all = line->parameters;
	const char *mark = fyke_text_find(all.text, all.length, "\1DCC SEND ");
	struct fyke_value values[FIELD_COUNT] = {{0}};
	size_t at = 0, digits, left;
	struct fyke_word_of file, size;

	if (mark == NULL)
		return;
	mark += 10;
	left = (size_t)(all.text + all.length - mark);
	file = fyke_line_word(mark, left, &at);
	(void)fyke_line_word(mark, left, &at);
	(void)fyke_line_word(mark, left, &at);
	size = fyke_line_word(mark, left, &at);
	values[COMMAND] = fyke_word("DCC");
	values[DCC_FILE] = value_of(file);
	values[DCC_BYTES] = fyke_integer_if(size.length > 0 && size.text[0] >= '0' && size.text[0] <= '9',
		fyke_text_number(size.text, size.length, &digits));
	tell(dissection, side, values);
}

static void take_client(struct fyke_dissection *dissection, const struct line *line)
{
	struct state *state = fyke_state(dissection);
	size_t at = 0;
	struct fyke_word_of first = parameter(line, &at);

	if (is(line, "NICK")) {
		tell_command(dissection, line, false, false);
		fyke_keep(dissection, &state->nick, first.text, first.length, NAME_MAX_BYTES);
	} else if (is(line, "USER")) {
		tell_command(dissection, line, false, false);
		fyke_keep(dissection, &state->user, first.text, first.length, NAME_MAX_BYTES);
	} else if (is(line, "PASS")) {
		fyke_keep(dissection, &state->password, first.text, first.length, VALUE_MAX);
		tell_command(dissection, line, true, true);
	} else if (is(line, "JOIN") || is(line, "PART") || is(line, "QUIT")) {
		tell_command(dissection, line, false, is(line, "JOIN")); /* keys of channels */
	} else if (is(line, "OPER")) {
		take_oper(dissection, line);
	} else if (is(line, "AUTHENTICATE")) {
		take_authenticate(dissection, line);
	} else if (is(line, "PRIVMSG")) {
		take_message(dissection, FYKE_CLIENT, line);
	} else if (is(line, "STARTTLS")) {
		state->waits_for_tls = true;
	}
}

/* ---- the server ---- */

static void welcome(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	state->welcomed = true;
	tell_password(dissection, FYKE_LOGIN_ACCEPTED);
}

/* True: TLS follows. */
static bool take_server(struct fyke_dissection *dissection, const struct line *line)
{
	struct state *state = fyke_state(dissection);

	if (line->source.length > 0 && (is_numeric(line->command) || is(line, "CAP")))
		fyke_confirm(dissection);
	if (is(line, "001") && !state->welcomed)
		welcome(dissection);
	else if (is(line, "464"))
		tell_password(dissection, FYKE_LOGIN_REFUSED);
	else if (is(line, "903"))
		fyke_sasl_end(dissection, &state->sasl, FYKE_LOGIN_ACCEPTED);
	else if (is(line, "904") || is(line, "905"))
		fyke_sasl_end(dissection, &state->sasl, FYKE_LOGIN_REFUSED);
	else if (is(line, "PRIVMSG"))
		take_message(dissection, FYKE_SERVER, line);
	return is(line, "670") && state->waits_for_tls;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_lines *lines = &state->lines[input->side];
	struct fyke_line text;
	struct line line;

	if (state->waits_for_tls && input->length > 0 && input->data[0] == 0x16)
		return fyke_more(0);
	if (!fyke_line_take(lines, input, &text))
		return fyke_line_wait(&text);
	line = parse(text.text, text.length);
	/* colours and CTCP are control characters within good lines */
	if (fyke_line_is_junk(lines) && !is(&line, "PRIVMSG") && !is(&line, "NOTICE"))
		return fyke_line_pass(lines, &text);
	if (input->side == FYKE_CLIENT)
		take_client(dissection, &line);
	else if (take_server(dissection, &line))
		return fyke_becomes(text.consumed, NULL);
	return fyke_more(text.consumed);
}

static struct fyke_verdict gap(
	struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost)
{
	struct state *state = fyke_state(dissection);

	(void)lost;
	state->lines[input->side].skipping = true;
	return fyke_more(0);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	tell_password(dissection, FYKE_LOGIN_UNKNOWN);
	fyke_sasl_end(dissection, &state->sasl, FYKE_LOGIN_UNKNOWN);
}

static const uint16_t ports[] = {6667, 6666, 6668, 6669, 6660, 7000, 0};
static const char *const services[] = {"irc", "ircu", "ircd", "ircs-u", NULL};
static const struct fyke_signature signatures[] = {FYKE_CLIENT_SAYS("NICK "), FYKE_CLIENT_SAYS("USER "),
	FYKE_CLIENT_SAYS("PASS "), FYKE_CLIENT_SAYS("CAP "), FYKE_SERVER_SAYS(":"),
	FYKE_SERVER_SAYS("NOTICE ")};

const struct fyke_dissector fyke_dissector_irc = {
	.name = "irc",
	.title = "Internet Relay Chat, RFC 1459 and RFC 2812",
	.doc = "Who registers, joins and leaves, files that are offered by DCC, passwords as credentials "
	       "with their "
	       "outcome. What is talked is not told.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = sizeof(signatures) / sizeof(signatures[0]),
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
	.gap = gap,
	.end = end,
};
