/*
 * NATS (docs.nats.io, client protocol): the server's INFO, the client's CONNECT, what is published and
 * subscribed to. Lines above 4 KiB end it. User and password of CONNECT are a credential.
 */
#include "dissectors/dissector.h"

#include <ctype.h>
#include <string.h>

enum { LINE_MAX = 4096, NAME_MAX = 256, PAYLOAD_MAX = 64 << 20 };

enum { SIDE, COMMAND, SUBJECT, ARGUMENT, PAYLOAD_BYTES, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[SIDE] = {"side", FYKE_TYPE_TEXT, "who says it"},
	[COMMAND] = {"command", FYKE_TYPE_TEXT, "info, connect, pub, hpub, sub, unsub, msg, hmsg, error"},
	[SUBJECT] = {"subject", FYKE_TYPE_TEXT, "what is published or subscribed to"},
	[ARGUMENT] = {"argument", FYKE_TYPE_TEXT,
		"the server's version, the client's name, the error, other arguments"},
	[PAYLOAD_BYTES] = {"payload_bytes", FYKE_TYPE_INTEGER, "of a message"},
};

static const struct fyke_table table = {
	"nats", "one row per line but PING, PONG and +OK", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct word {
	const char *at;
	size_t length;
};

static struct word next_word(struct word *line)
{
	struct word word;

	while (line->length > 0 && (*line->at == ' ' || *line->at == '\t'))
		line->at++, line->length--;
	word.at = line->at;
	while (line->length > 0 && *line->at != ' ' && *line->at != '\t')
		line->at++, line->length--;
	word.length = (size_t)(line->at - word.at);
	return word;
}

static bool is(const struct word *word, const char *name)
{
	return word->length == __builtin_strlen(name) && strncasecmp(word->at, name, word->length) == 0;
}

/* The string behind "key": in JSON as these lines have it (no nesting, no escapes); unset when there is none.
 */
static struct fyke_value json_string(const struct word *json, const char *key)
{
	size_t length = __builtin_strlen(key);
	const char *at = memmem(json->at, json->length, key, length), *end = json->at + json->length, *quote;

	if (at == NULL)
		return fyke_null();
	at += length;
	while (at < end && (*at == ' ' || *at == ':'))
		at++;
	if (at == end || *at != '"')
		return fyke_null();
	at++;
	quote = memchr(at, '"', (size_t)(end - at));
	return quote != NULL
		       ? fyke_bytes(at, (size_t)(quote - at) < NAME_MAX ? (size_t)(quote - at) : NAME_MAX)
		       : fyke_null();
}

static bool number(const struct word *word, uint64_t *value)
{
	*value = 0;
	if (word->length == 0 || word->length > 9)
		return false;
	for (size_t i = 0; i < word->length; i++) {
		if (!isdigit((unsigned char)word->at[i]))
			return false;
		*value = *value * 10 + (uint64_t)(word->at[i] - '0');
	}
	return true;
}

static void tell(struct fyke_dissection *dissection, enum fyke_side side, const char *command,
	struct fyke_value subject, struct fyke_value argument, int64_t bytes)
{
	struct fyke_value values[FIELD_COUNT];

	values[SIDE] = fyke_word(side == FYKE_CLIENT ? "client" : "server");
	values[COMMAND] = fyke_word(command);
	values[SUBJECT] = subject;
	values[ARGUMENT] = argument;
	values[PAYLOAD_BYTES] = fyke_integer_if(bytes >= 0, bytes);
	fyke_record(dissection, &table, values);
}

static void read_connect(struct fyke_dissection *dissection, const struct word *json)
{
	struct fyke_credential credential = {.mechanism = "CONNECT",
		.user = json_string(json, "\"user\""),
		.secret = json_string(json, "\"pass\"")};

	if (credential.secret.kind == FYKE_VALUE_NULL)
		credential.secret = json_string(json, "\"auth_token\"");
	tell(dissection, FYKE_CLIENT, "connect", fyke_null(), json_string(json, "\"name\""), -1);
	if (credential.secret.length > 0)
		fyke_credential(dissection, &credential);
}

static void read_info(struct fyke_dissection *dissection, const struct word *json)
{
	struct fyke_value version = json_string(json, "\"version\"");

	tell(dissection, FYKE_SERVER, "info", fyke_null(), version, -1);
	if (version.kind == FYKE_VALUE_BYTES)
		fyke_product(dissection, FYKE_SERVER, version.bytes, version.length);
}

/* PUB, HPUB, MSG, HMSG: a subject first, the payload's length last; the payload and a line's end follow. */
static bool read_message(struct fyke_dissection *dissection, enum fyke_side side, const char *command,
	struct word line, uint64_t *payload)
{
	struct word subject = next_word(&line), last = {NULL, 0}, word;

	while ((word = next_word(&line)).length > 0)
		last = word;
	if (!number(&last, payload) || *payload > PAYLOAD_MAX)
		return false;
	tell(dissection, side, command, fyke_bytes(subject.at, subject.length), fyke_null(),
		(int64_t)*payload);
	*payload += 2;
	return true;
}

static bool read_line(
	struct fyke_dissection *dissection, enum fyke_side side, struct word line, uint64_t *payload)
{
	static const char *const messages[] = {"pub", "hpub", "msg", "hmsg"};
	struct word command = next_word(&line), subject;

	*payload = 0;
	for (size_t i = 0; i < 4; i++) {
		if (is(&command, messages[i]))
			return read_message(dissection, side, messages[i], line, payload);
	}
	while (line.length > 0 && *line.at == ' ')
		line.at++, line.length--;
	if (is(&command, "info")) {
		if (line.length == 0 || *line.at != '{')
			return false;
		read_info(dissection, &line);
	} else if (is(&command, "connect")) {
		read_connect(dissection, &line);
	} else if (is(&command, "sub") || is(&command, "unsub")) {
		subject = next_word(&line);
		while (line.length > 0 && *line.at == ' ')
			line.at++, line.length--;
		tell(dissection, side, is(&command, "sub") ? "sub" : "unsub",
			fyke_bytes(subject.at, subject.length), fyke_bytes(line.at, line.length), -1);
	} else if (is(&command, "-err")) {
		tell(dissection, side, "error", fyke_null(), fyke_bytes(line.at, line.length), -1);
	} else {
		return is(&command, "ping") || is(&command, "pong") || is(&command, "+ok") ||
		       command.length == 0;
	}
	return true;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	const uint8_t *end = input->length > 0 ? memchr(input->data, '\n',
							 input->length < LINE_MAX ? input->length : LINE_MAX)
					       : NULL;
	struct word line;
	uint64_t payload;
	size_t head;

	if (end == NULL)
		return input->length >= LINE_MAX ? fyke_not_mine() : fyke_more(0);
	head = (size_t)(end - input->data) + 1;
	line = (struct word){(const char *)input->data, head - 1};
	if (line.length > 0 && line.at[line.length - 1] == '\r')
		line.length--;
	if (!read_line(dissection, input->side, line, &payload))
		return fyke_not_mine();
	return fyke_more(head + payload);
}

static enum fyke_match begins(const uint8_t *data, size_t length, const char *word)
{
	size_t whole = __builtin_strlen(word), here = length < whole ? length : whole;

	if (here > 0 && memcmp(data, word, here) != 0)
		return FYKE_NO;
	return here == whole ? FYKE_YES : FYKE_MAYBE;
}

/* In the middle only on its port: lines like PUB are others', too. */
static enum fyke_match probe(const struct fyke_opening *opening)
{
	const uint8_t *server = opening->side[FYKE_SERVER].data, *client = opening->side[FYKE_CLIENT].data;
	size_t length = opening->side[FYKE_SERVER].length;

	if (length > 0 && begins(server, length, "INFO {\"") == FYKE_YES)
		return FYKE_YES;
	if (opening->side[FYKE_CLIENT].length > 0 &&
		begins(client, opening->side[FYKE_CLIENT].length, "CONNECT {\"") == FYKE_YES)
		return FYKE_YES;
	if (length > 0 && begins(server, length, "INFO {\"") == FYKE_MAYBE)
		return FYKE_MAYBE;
	if (length > 0 && memchr("IMPH+-", server[0], 6) == NULL)
		return FYKE_NO;
	return FYKE_MAYBE;
}

static const uint16_t ports[] = {4222, 6222, 0};
static const struct fyke_signature signatures[] = {FYKE_SERVER_SAYS("INFO {"), FYKE_CLIENT_SAYS("CONNECT {")};

const struct fyke_dissector fyke_dissector_nats = {
	.name = "nats",
	.title = "NATS client protocol",
	.doc = "The server's version, the client's name, subjects that are published and subscribed to, "
	       "errors. Passwords are credentials; "
	       "payload is not kept. A gap ends it.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.signatures = signatures,
	.signature_count = 2,
	.tables = tables,
	.probe = probe,
	.feed = feed,
};
