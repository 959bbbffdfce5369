/*
 * FTP (RFC 959): commands and replies of the control connection; the data connections that PORT, EPRT, PASV
 * and EPSV (RFC 2428) announce are expected, and taken by ftp_data.c. Behind AUTH TLS (RFC 4217) TLS speaks.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/exchange.h"

#include <string.h>

enum { USER_MAX = 256, SECRET_MAX = 1024 };

enum { USER = FYKE_EXCHANGE_FIELDS, PRELIMINARY, PASSIVE, DATA_IP, DATA_PORT, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	FYKE_EXCHANGE_FIELD_LIST,
	[USER] = {"user", FYKE_TYPE_TEXT, "by the latest USER"},
	[PRELIMINARY] = {"preliminary_code", FYKE_TYPE_INTEGER, "of a reply that came before the final one"},
	[PASSIVE] = {"passive", FYKE_TYPE_BOOLEAN, "the data connection is opened by the client"},
	[DATA_IP] = {"data_ip", FYKE_TYPE_TEXT, "where the data connection goes to"},
	[DATA_PORT] = {"data_port", FYKE_TYPE_INTEGER, "likewise"},
};

static const struct fyke_table table = {"ftp", "one row per command and its reply", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

enum kind { OTHER, IS_USER, IS_PASS, IS_PORT, IS_PASV, IS_EPSV, IS_TRANSFER, IS_AUTH };

static const struct verb {
	const char *name;
	enum kind kind;
} verbs[] = {{"USER", IS_USER}, {"PASS", IS_PASS}, {"PORT", IS_PORT}, {"EPRT", IS_PORT}, {"PASV", IS_PASV},
	{"EPSV", IS_EPSV}, {"RETR", IS_TRANSFER}, {"STOR", IS_TRANSFER}, {"STOU", IS_TRANSFER},
	{"APPE", IS_TRANSFER}, {"LIST", IS_TRANSFER}, {"NLST", IS_TRANSFER}, {"MLSD", IS_TRANSFER},
	{"AUTH", IS_AUTH}, {"SYST", OTHER}, {"FEAT", OTHER}, {"OPTS", OTHER}, {"TYPE", OTHER}, {"CWD", OTHER},
	{"PWD", OTHER}, {"QUIT", OTHER}, {"ACCT", IS_PASS}, {"SIZE", OTHER}, {"MDTM", OTHER}, {"HOST", OTHER},
	{"CLNT", OTHER}, {"NOOP", OTHER}, {"PBSZ", OTHER}, {"PROT", OTHER}, {"HELP", OTHER}, {"SITE", OTHER},
	{"CDUP", OTHER}, {"XPWD", OTHER}, {"XCWD", OTHER}, {"DELE", OTHER}, {"MKD", OTHER}, {"RMD", OTHER},
	{"RNFR", OTHER}, {"RNTO", OTHER}, {"REST", OTHER}, {"ABOR", OTHER}, {"STAT", OTHER}, {"MODE", OTHER},
	{"STRU", OTHER}, {"REIN", OTHER}, {"ALLO", OTHER}, {"MLST", OTHER}};

struct state {
	struct fyke_lines lines[2];
	struct fyke_exchange exchange;
	struct fyke_reply reply;
	struct fyke_text user, secret;
	struct fyke_address data_ip; /* of the data connection that was announced last */
	uint16_t data_port;	     /* 0 = none */
	bool passive, greeted, waits_for_tls;
};

static const struct verb *verb_of(const char *text, size_t length)
{
	size_t at = 0;
	struct fyke_word_of word;

	while (length > 0 && (text[length - 1] == '\r' || text[length - 1] == '\n'))
		length--;
	word = fyke_line_word(text, length, &at);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (fyke_text_is(word.text, word.length, verbs[i].name))
			return &verbs[i];
	}
	return NULL;
}

/* The first line of what the client said is one of FTP's commands. */
static bool client_fits(const struct fyke_opening *opening)
{
	const uint8_t *text = opening->side[FYKE_CLIENT].data;
	size_t length = opening->side[FYKE_CLIENT].length;
	const uint8_t *line_end = length > 0 ? memchr(text, '\n', length) : NULL;

	return line_end != NULL && verb_of((const char *)text, (size_t)(line_end - text)) != NULL;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	const char *reply = (const char *)opening->side[FYKE_SERVER].data;
	size_t length = opening->side[FYKE_SERVER].length, client = opening->side[FYKE_CLIENT].length;
	bool code = fyke_reply_code(reply, length < 4 ? length : 4) != 0;
	bool greeting = length >= 4 && code && (memcmp(reply, "220", 3) == 0 || memcmp(reply, "120", 3) == 0);
	bool fits = client_fits(opening);

	if (length >= 4 && !code)
		return FYKE_NO;
	if (fyke_text_find(reply, length, "SMTP") != NULL)
		return FYKE_NO;
	if (greeting && fyke_text_find(reply, length, "FTP") != NULL)
		return FYKE_YES;
	if (length >= 4 && fits)
		return FYKE_YES;
	if (client >= 16 && !fits && memchr(opening->side[FYKE_CLIENT].data, '\n', client) != NULL)
		return opening->on_port && code ? FYKE_MAYBE : FYKE_NO;
	return FYKE_MAYBE;
}

/* ---- what is said ---- */

static void tell(struct fyke_dissection *dissection, const struct fyke_reply *reply, bool unasked)
{
	struct state *state = fyke_state(dissection);
	const struct fyke_command *command = unasked ? NULL : fyke_exchange_first(&state->exchange);
	bool has_data = command != NULL && state->data_port != 0 && command->kind >= IS_PORT &&
			command->kind <= IS_TRANSFER;
	char ip[FYKE_ADDRESS_TEXT];
	struct fyke_value values[FIELD_COUNT] = {{0}};

	fyke_exchange_values(dissection, command, reply, values);
	values[USER] = fyke_text_of(&state->user);
	if (command != NULL)
		values[PRELIMINARY] = fyke_integer_if(command->preliminary != 0, command->preliminary);
	if (has_data) {
		(void)fyke_address_text(&state->data_ip, ip);
		values[PASSIVE] = fyke_integer(state->passive);
		values[DATA_IP] = fyke_word(ip);
		values[DATA_PORT] = fyke_integer(state->data_port);
	}
	fyke_record_at(dissection, &table, command != NULL ? command->moment : fyke_now(dissection), values);
	if (command != NULL)
		fyke_exchange_drop(dissection, &state->exchange);
}

static void tell_login(struct fyke_dissection *dissection, enum fyke_login login)
{
	struct state *state = fyke_state(dissection);
	const struct fyke_credential credential = {.mechanism = "USER/PASS",
		.user = fyke_text_of(&state->user),
		.secret = fyke_text_of(&state->secret),
		.login = login};

	if (fyke_text_is_set(&state->secret))
		fyke_credential(dissection, &credential);
	fyke_drop(dissection, &state->secret);
}

/* ---- data connections ---- */

/* The note: a transfer's command, a blank, its path; empty while that is not known. */
static void expect_data(struct fyke_dissection *dissection, const struct fyke_command *command)
{
	struct state *state = fyke_state(dissection);
	char note[FYKE_EXPECT_NOTE_MAX];
	size_t length = 0, path;
	struct fyke_expectation expectation = {.transport = FYKE_OVER_TCP,
		.ip = state->data_ip,
		.port = state->data_port,
		.dissector = "ftp-data",
		.note = note};

	if (command != NULL && command->name.length == 4) {
		memcpy(note, command->name.bytes, 4);
		note[4] = ' ';
		path = command->argument.length < sizeof(note) - 5 ? command->argument.length
								   : sizeof(note) - 5;
		if (path > 0)
			memcpy(note + 5, command->argument.bytes, path);
		length = 5 + path;
	}
	expectation.note_length = length;
	fyke_expect(dissection, &expectation);
	/* behind address translation the server may name an address that nobody else knows */
	if (state->passive &&
		fyke_address_compare(&state->data_ip, fyke_address_of(dissection, FYKE_SERVER)) != 0) {
		expectation.ip = *fyke_address_of(dissection, FYKE_SERVER);
		fyke_expect(dissection, &expectation);
	}
}

/* h1,h2,h3,h4,p1,p2 anywhere in the text */
static bool read_six(const char *text, size_t length, struct fyke_address *ip, uint16_t *port)
{
	uint8_t six[6];
	size_t count = 0, digits;

	for (size_t i = 0; i < length && count<6; i += digits> 0 ? digits : 1) {
		int64_t number = fyke_text_number(text + i, length - i, &digits);

		if (number > 255)
			return false;
		if (number < 0) {
			if (count > 0 && text[i] != ',')
				return false;
			continue;
		}
		six[count++] = (uint8_t)number;
	}
	if (count < 6)
		return false;
	*ip = fyke_address_ipv4(six);
	*port = (uint16_t)(six[4] << 8 | six[5]);
	return true;
}

/* The parts of |family|address|port|, which any sign may part. */
static bool read_extended(const char *text, size_t length, struct fyke_address *ip, uint16_t *port)
{
	char address[FYKE_ADDRESS_TEXT];
	const char *parts[4], *end = text + length;
	size_t digits, size;
	int64_t number;

	parts[0] = text;
	for (int i = 0; i < 3; i++) {
		const char *from = parts[i] + 1;

		parts[i + 1] = from < end ? memchr(from, text[0], (size_t)(end - from)) : NULL;
		if (parts[i + 1] == NULL)
			return false;
	}
	number = fyke_text_number(parts[2] + 1, (size_t)(end - parts[2] - 1), &digits);
	size = (size_t)(parts[2] - parts[1] - 1);
	if (number <= 0 || number > UINT16_MAX || size >= sizeof(address))
		return false;
	*port = (uint16_t)number;
	if (size == 0)
		return true;
	memcpy(address, parts[1] + 1, size);
	address[size] = '\0';
	return fyke_address_parse(address, ip);
}

static void take_port(struct fyke_dissection *dissection, const struct fyke_command *command)
{
	struct state *state = fyke_state(dissection);
	const struct fyke_text *argument = &command->argument;
	struct fyke_address ip = *fyke_address_of(dissection, FYKE_CLIENT);
	uint16_t port = 0;
	bool old = command->name.length > 0 && command->name.bytes[0] == 'P';

	if (argument->length == 0 || !(old ? read_six(argument->bytes, argument->length, &ip, &port)
					   : read_extended(argument->bytes, argument->length, &ip, &port)))
		return;
	state->data_ip = ip;
	state->data_port = port;
	state->passive = false;
	expect_data(dissection, NULL);
}

/* The reply to PASV or EPSV. */
static void take_passive(struct fyke_dissection *dissection, enum kind kind)
{
	struct state *state = fyke_state(dissection);
	const struct fyke_text *text = &state->reply.text;
	const char *bracket = text->length > 0 ? memchr(text->bytes, '(', text->length) : NULL;
	struct fyke_address ip = *fyke_address_of(dissection, FYKE_SERVER);
	const char *from = bracket != NULL ? bracket + 1 : text->bytes;
	size_t left = text->length > 0 ? (size_t)(text->bytes + text->length - from) : 0;
	uint16_t port = 0;

	if (left == 0 ||
		!(kind == IS_PASV ? read_six(from, left, &ip, &port) : read_extended(from, left, &ip, &port)))
		return;
	state->data_ip = ip;
	state->data_port = port;
	state->passive = true;
	expect_data(dissection, NULL);
}

/* ---- the client ---- */

/* Telnet's signs (RFC 854), which come before ABOR. */
static struct fyke_line without_telnet(const struct fyke_line *line)
{
	struct fyke_line rest = *line;

	while (rest.length > 0 && (uint8_t)rest.text[0] >= 0xf0) {
		rest.text++;
		rest.length--;
	}
	return rest;
}

static void take_command(struct fyke_dissection *dissection, const struct fyke_line *line)
{
	struct state *state = fyke_state(dissection);
	size_t at = 0;
	struct fyke_word_of name = fyke_line_word(line->text, line->length, &at);
	struct fyke_word_of argument = {line->text + at, line->length - at};
	const struct verb *verb = verb_of(line->text, line->length);
	struct fyke_command *command;

	if (fyke_exchange_is_full(&state->exchange))
		tell(dissection, NULL, false);
	command = fyke_exchange_add(dissection, &state->exchange, name, argument);
	command->kind = (uint8_t)(verb != NULL ? verb->kind : OTHER);
	switch (command->kind) {
	case IS_USER:
		fyke_keep(dissection, &state->user, argument.text, argument.length, USER_MAX);
		break;
	case IS_PASS:
		command->secret = true;
		fyke_keep(dissection, &state->secret, argument.text, argument.length, SECRET_MAX);
		break;
	case IS_PORT:
		take_port(dissection, command);
		break;
	case IS_TRANSFER:
		if (state->data_port != 0)
			expect_data(dissection, command);
		break;
	case IS_AUTH:
		state->waits_for_tls = true;
		break;
	default:
		break;
	}
}

static struct fyke_verdict feed_client(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_line line, rest;

	if (state->waits_for_tls && input->length > 0 && input->data[0] < 0x20)
		return fyke_more(0);
	if (!fyke_line_take(&state->lines[FYKE_CLIENT], input, &line))
		return fyke_line_wait(&line);
	rest = without_telnet(&line);
	if (fyke_line_is_junk(&state->lines[FYKE_CLIENT]))
		return fyke_line_pass(&state->lines[FYKE_CLIENT], &line);
	if (!fyke_is_confirmed(dissection) && !fyke_line_has_verb(rest.text, rest.length))
		return fyke_not_mine();
	if (rest.length > 0)
		take_command(dissection, &rest);
	return fyke_more(line.consumed);
}

/* ---- the server ---- */

/* A final reply to a command of this kind. True: TLS follows. */
static bool take_outcome(struct fyke_dissection *dissection, enum kind kind, uint16_t code)
{
	struct state *state = fyke_state(dissection);
	bool good = code >= 200 && code < 300;

	if (kind == IS_PASS && code != 332)
		tell_login(dissection, good ? FYKE_LOGIN_ACCEPTED : FYKE_LOGIN_REFUSED);
	else if (kind == IS_PASV && code == 227)
		take_passive(dissection, kind);
	else if (kind == IS_EPSV && code == 229)
		take_passive(dissection, kind);
	else if (kind == IS_AUTH)
		state->waits_for_tls = code == 234;
	return kind == IS_AUTH && code == 234;
}

/* The last line of a greeting names the program where one does. */
static void tell_product(struct fyke_dissection *dissection)
{
	const struct state *state = fyke_state(dissection);
	const struct fyke_text *text = &state->reply.text;
	const char *line = text->length > 0 ? memrchr(text->bytes, '\n', text->length) : NULL;
	size_t from = line != NULL ? (size_t)(line - text->bytes) + 1 : 0;

	if (text->length > from)
		fyke_product(dissection, FYKE_SERVER, text->bytes + from, text->length - from);
}

static bool take_reply(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);
	uint16_t code = state->reply.code;
	struct fyke_command *command = fyke_exchange_first(&state->exchange);
	bool greeting = !state->greeted && (code == 220 || code == 120 || code == 421);
	enum kind kind = command != NULL ? (enum kind)command->kind : OTHER;
	bool tls;

	state->greeted = state->greeted || code != 120;
	if (greeting || command == NULL) {
		tell(dissection, &state->reply, true);
		if (code == 220)
			tell_product(dissection);
		return false;
	}
	if (code < 200 && command->preliminary == 0) {
		command->preliminary = code;
		return false;
	}
	tls = take_outcome(dissection, kind, code);
	tell(dissection, &state->reply, false);
	if (kind == IS_TRANSFER)
		state->data_port = 0;
	return tls;
}

static struct fyke_verdict feed_server(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_line line;

	if (!fyke_line_take(&state->lines[FYKE_SERVER], input, &line))
		return fyke_line_wait(&line);
	if (fyke_line_is_junk(&state->lines[FYKE_SERVER]))
		return fyke_line_pass(&state->lines[FYKE_SERVER], &line);
	if (fyke_reply_line(dissection, &state->reply, &line) && take_reply(dissection))
		return fyke_becomes(line.consumed, NULL); /* TLS, or what somebody decrypted */
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

	(void)lost;
	state->lines[input->side].skipping = true;
	if (input->side == FYKE_SERVER)
		state->reply.open = false;
	return fyke_more(0);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	while (state->exchange.count > 0)
		tell(dissection, NULL, false);
	tell_login(dissection, FYKE_LOGIN_UNKNOWN);
}

static const uint16_t ports[] = {21, 990, 2121, 0};
static const char *const services[] = {"ftp", "ftps", NULL};
static const struct fyke_signature signatures[] = {FYKE_SERVER_SAYS("220"), FYKE_SERVER_SAYS("120"),
	FYKE_CLIENT_SAYS("USER "), FYKE_CLIENT_SAYS("AUTH ")};

const struct fyke_dissector fyke_dissector_ftp = {
	.name = "ftp",
	.title = "File Transfer Protocol, RFC 959",
	.doc = "Every command with its reply, logins as credentials with their outcome, and where data "
	       "connections go; those are recognised by that and told as ftp-data. Behind AUTH TLS the "
	       "session "
	       "goes on as TLS.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = sizeof(signatures) / sizeof(signatures[0]),
	.tables = tables,
	.state_size = sizeof(struct state),
	/* 32 commands that wait */
	.memory_max = 64 * 1024,
	.probe = probe,
	.feed = feed,
	.gap = gap,
	.end = end,
};
