/*
 * Telnet (RFC 854): the options of both sides, the terminal, and a login as prompts and answers show it. What
 * is typed and shown beside that is not told.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/line.h"

#include <string.h>

enum { LINE_MAX = 256, OPTION_TEXT = 96, OPTIONS_MAX = 64 };
enum { IAC = 255, DONT = 254, DO = 253, WONT = 252, WILL = 251, SB = 250, SE = 240 };

enum { USER, LOGGED_IN, TERMINAL, WINDOW, CLIENT_OPTIONS, SERVER_OPTIONS, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[USER] = {"user", FYKE_TYPE_TEXT, "typed at a prompt for it"},
	[LOGGED_IN] = {"logged_in", FYKE_TYPE_BOOLEAN, "as what was shown next tells; NULL: it does not"},
	[TERMINAL] = {"terminal", FYKE_TYPE_TEXT, "the client's (RFC 1091)"},
	[WINDOW] = {"window", FYKE_TYPE_TEXT, "columns x rows (RFC 1073)"},
	[CLIENT_OPTIONS] = {"client_options", FYKE_TYPE_TEXT, "that the client is willing to use"},
	[SERVER_OPTIONS] = {"server_options", FYKE_TYPE_TEXT, "that the server is willing to use"},
};

static const struct fyke_table table = {"telnet", "one row per session", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

enum phase { TEXT, COMMAND, OPTION, OPTION_BODY, OPTION_COMMAND };
enum prompt { NOTHING, FOR_USER, FOR_PASSWORD, OUTCOME };

struct side_state {
	enum phase phase;
	uint8_t verb;
	uint8_t body_length, line_length, option_count;
	bool odd; /* it has sent what no terminal does */
	char line[LINE_MAX - 1];
	uint8_t body[OPTION_TEXT];
	struct fyke_text options;
};

struct state {
	struct side_state side[2];
	struct fyke_moment begun;
	struct fyke_text user, password, terminal, window;
	enum prompt prompt;
	enum fyke_login login;
	bool any_command;
};

static bool is_negotiation(const uint8_t *data, size_t length)
{
	return length >= 3 && data[0] == IAC && data[1] >= WILL && data[1] <= DONT && data[2] < 60;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		const uint8_t *data = opening->side[side].data;
		size_t length = opening->side[side].length;

		if (is_negotiation(data, length) &&
			(opening->on_port || is_negotiation(data + 3, length - 3)))
			return FYKE_YES;
	}
	if (!opening->on_port)
		return opening->complete ? FYKE_NO : FYKE_MAYBE;
	return fyke_text_find((const char *)opening->side[FYKE_SERVER].data,
		       opening->side[FYKE_SERVER].length, "login:") != NULL
		       ? FYKE_YES
		       : FYKE_MAYBE;
}

/* ---- options ---- */

static const char *option_name(uint8_t option)
{
	static const char *const names[] = {[0] = "BINARY",
		[1] = "ECHO",
		[3] = "SGA",
		[5] = "STATUS",
		[6] = "TIMING-MARK",
		[24] = "TTYPE",
		[31] = "NAWS",
		[32] = "TSPEED",
		[33] = "LFLOW",
		[34] = "LINEMODE",
		[35] = "XDISPLOC",
		[36] = "OLD-ENVIRON",
		[37] = "AUTHENTICATION",
		[38] = "ENCRYPT",
		[39] = "NEW-ENVIRON",
		[46] = "STARTTLS"};

	return option < sizeof(names) / sizeof(names[0]) ? names[option] : NULL;
}

static void take_option(struct fyke_dissection *dissection, struct side_state *own, uint8_t option)
{
	const char *name = option_name(option);

	if (own->verb != WILL || name == NULL || own->option_count++ >= OPTIONS_MAX)
		return;
	if (fyke_text_find(own->options.bytes, own->options.length, name) != NULL)
		return;
	if (fyke_text_is_set(&own->options))
		fyke_append(dissection, &own->options, " ", 1, LINE_MAX);
	fyke_append(dissection, &own->options, name, fyke_word_length(name), LINE_MAX);
}

static size_t write_number(unsigned number, char *out)
{
	char digits[5];
	size_t count = 0;

	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0 && count < sizeof(digits));
	for (size_t i = 0; i < count; i++)
		out[i] = digits[count - 1 - i];
	return count;
}

static void take_window(struct fyke_dissection *dissection, const uint8_t *size)
{
	struct state *state = fyke_state(dissection);
	char text[16];
	size_t length = write_number((unsigned)(size[0] << 8 | size[1]), text);

	text[length++] = 'x';
	length += write_number((unsigned)(size[2] << 8 | size[3]), text + length);
	fyke_keep(dissection, &state->window, text, length, sizeof(text));
}

static void take_body(struct fyke_dissection *dissection, enum fyke_side side, struct side_state *own)
{
	struct state *state = fyke_state(dissection);

	if (side == FYKE_CLIENT && own->body_length > 2 && own->body[0] == 24 && own->body[1] == 0)
		fyke_keep(dissection, &state->terminal, own->body + 2, own->body_length - 2U, OPTION_TEXT);
	else if (side == FYKE_CLIENT && own->body_length == 5 && own->body[0] == 31)
		take_window(dissection, own->body + 1);
}

/* ---- logins ---- */

static void tell_login(struct fyke_dissection *dissection, enum fyke_login login)
{
	struct state *state = fyke_state(dissection);
	const struct fyke_credential credential = {.mechanism = "prompt",
		.user = fyke_text_of(&state->user),
		.secret = fyke_text_of(&state->password),
		.login = login};

	if (fyke_text_is_set(&state->password))
		fyke_credential(dissection, &credential);
	fyke_drop(dissection, &state->password);
	state->login = login;
	state->prompt = NOTHING;
}

static bool ends_in(const struct side_state *own, const char *word)
{
	size_t size = fyke_word_length(word);

	return own->line_length >= size && fyke_text_is(own->line + own->line_length - size, size, word);
}

static bool has(const struct side_state *own, const char *word)
{
	return fyke_text_find(own->line, own->line_length, word) != NULL;
}

static bool is_refusal(const struct side_state *own)
{
	return has(own, "incorrect") || has(own, "failed") || has(own, "denied") || has(own, "invalid") ||
	       has(own, "failure");
}

/* The server has shown one more sign. */
static void look_at_screen(struct fyke_dissection *dissection, const struct side_state *own)
{
	struct state *state = fyke_state(dissection);
	char last = own->line_length > 0 ? own->line[own->line_length - 1] : '\0';
	bool asks_user = last == ':' && !has(own, "last login") &&
			 (ends_in(own, "login:") || ends_in(own, "user:") || ends_in(own, "username:") ||
				 ends_in(own, "user name:"));

	if (state->prompt == OUTCOME && (is_refusal(own) || asks_user))
		tell_login(dissection, FYKE_LOGIN_REFUSED);
	else if (state->prompt == OUTCOME && (has(own, "last login") || has(own, "welcome") ||
						     (last != '\0' && strchr("$#>%", last) != NULL)))
		tell_login(dissection, FYKE_LOGIN_ACCEPTED);
	if (asks_user)
		state->prompt = FOR_USER;
	else if (ends_in(own, "password:"))
		state->prompt = FOR_PASSWORD;
}

/* The client has ended a line. */
static void take_answer(struct fyke_dissection *dissection, struct side_state *own)
{
	struct state *state = fyke_state(dissection);

	if (state->prompt == FOR_USER) {
		fyke_keep(dissection, &state->user, own->line, own->line_length, LINE_MAX);
		state->prompt = NOTHING;
	} else if (state->prompt == FOR_PASSWORD) {
		fyke_keep(dissection, &state->password, own->line, own->line_length, LINE_MAX);
		state->prompt = OUTCOME;
		state->side[FYKE_SERVER].line_length = 0;
	}
}

static void take_text(struct fyke_dissection *dissection, enum fyke_side side, uint8_t c)
{
	struct state *state = fyke_state(dissection);
	struct side_state *own = &state->side[side];

	if (c == '\r' || c == '\n') {
		if (side == FYKE_CLIENT && own->line_length > 0)
			take_answer(dissection, own);
		own->line_length = 0;
	} else if ((c == 8 || c == 127) && own->line_length > 0) {
		own->line_length--;
	} else if (c >= 0x20 && c != 127 && own->line_length < sizeof(own->line)) {
		own->line[own->line_length++] = (char)c;
		if (side == FYKE_SERVER)
			look_at_screen(dissection, own);
	}
}

/* ---- bytes ---- */

static void take_verb(struct state *state, struct side_state *own, uint8_t c)
{
	own->verb = c;
	state->any_command |= !own->odd /* else it is a byte of 255 among others */ && c >= SB && c <= DONT;
	if (c == SB)
		own->phase = OPTION_BODY;
	else
		own->phase = c >= WILL && c <= DONT ? OPTION : TEXT;
	own->body_length = 0;
}

static void take_byte(struct fyke_dissection *dissection, enum fyke_side side, uint8_t c)
{
	struct state *state = fyke_state(dissection);
	struct side_state *own = &state->side[side];

	switch (own->phase) {
	case TEXT:
		if (c == IAC)
			own->phase = COMMAND;
		else
			take_text(dissection, side, c);
		own->odd |= c >= 0x80 && c != IAC && !state->any_command;
		break;
	case COMMAND:
		take_verb(state, own, c);
		break;
	case OPTION:
		take_option(dissection, own, c);
		own->phase = TEXT;
		break;
	case OPTION_BODY:
		if (c == IAC)
			own->phase = OPTION_COMMAND;
		else if (own->body_length < OPTION_TEXT)
			own->body[own->body_length++] = c;
		break;
	default:
		own->phase = c == IAC ? OPTION_BODY : TEXT;
		if (c == SE)
			take_body(dissection, side, own);
		break;
	}
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);

	if (input->length > 0 && state->begun.frame == 0)
		state->begun = fyke_now(dissection);
	for (size_t i = 0; i < input->length; i++)
		take_byte(dissection, input->side, input->data[i]);
	if (state->any_command)
		fyke_confirm(dissection);
	return fyke_more(input->length);
}

static struct fyke_verdict gap(
	struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost)
{
	struct state *state = fyke_state(dissection);

	(void)lost;
	state->side[input->side].phase = TEXT;
	state->side[input->side].line_length = 0;
	return fyke_more(0);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);
	struct fyke_value values[FIELD_COUNT];

	if (fyke_text_is_set(&state->password))
		tell_login(dissection, FYKE_LOGIN_UNKNOWN);
	if (!state->any_command && !fyke_text_is_set(&state->user))
		return;
	values[USER] = fyke_text_of(&state->user);
	values[LOGGED_IN] =
		fyke_integer_if(state->login != FYKE_LOGIN_UNKNOWN, state->login == FYKE_LOGIN_ACCEPTED);
	values[TERMINAL] = fyke_text_of(&state->terminal);
	values[WINDOW] = fyke_text_of(&state->window);
	values[CLIENT_OPTIONS] = fyke_text_of(&state->side[FYKE_CLIENT].options);
	values[SERVER_OPTIONS] = fyke_text_of(&state->side[FYKE_SERVER].options);
	fyke_record_at(dissection, &table, state->begun, values);
}

static const uint16_t ports[] = {23, 2323, 0};
static const char *const services[] = {"telnet", "telnets", NULL};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("\xff\xfd"), FYKE_EITHER_SAYS("\xff\xfb"),
	FYKE_EITHER_SAYS("\xff\xfe"), FYKE_EITHER_SAYS("\xff\xfc")};

const struct fyke_dissector fyke_dissector_telnet = {
	.name = "telnet",
	.title = "Telnet, RFC 854",
	.doc = "Options of both sides, terminal and window, and logins as prompts and answers show them. "
	       "Nothing "
	       "else of what is typed or shown.",
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
