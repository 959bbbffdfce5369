/*
 * SIP (RFC 3261) over UDP and TCP: requests and responses with their headers, descriptions of media (SDP), of
 * which RTP and RTCP are expected, and Digest logins with their outcome.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/message.h"
#include "dissectors/shared/sdp.h"

#include <string.h>

enum { USER_MAX = 256, SECRET_MAX = 256, JUNK_MAX = 64 };

enum {
	METHOD,
	URI,
	STATUS,
	REASON,
	VERSION,
	SEQUENCE,
	FROM,
	TO,
	CALL_ID,
	CONTACT,
	VIA,
	USER_AGENT,
	DATE,
	REPLY_TO,
	SUBJECT,
	WARNING,
	USER,
	CONTENT_TYPE,
	BODY_BYTES,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[METHOD] = {"method", FYKE_TYPE_TEXT, "of a response: that of its request"},
	[URI] = {"uri", FYKE_TYPE_TEXT, "of a request"},
	[STATUS] = {"status", FYKE_TYPE_INTEGER, "of a response; NULL: it is a request"},
	[REASON] = {"reason", FYKE_TYPE_TEXT, "likewise"},
	[VERSION] = {"version", FYKE_TYPE_TEXT, "SIP/2.0"},
	[SEQUENCE] = {"sequence", FYKE_TYPE_INTEGER, "CSeq"},
	[FROM] = {"from", FYKE_TYPE_TEXT, "From"},
	[TO] = {"to", FYKE_TYPE_TEXT, "To"},
	[CALL_ID] = {"call_id", FYKE_TYPE_TEXT, "Call-ID"},
	[CONTACT] = {"contact", FYKE_TYPE_TEXT, "Contact"},
	[VIA] = {"via", FYKE_TYPE_TEXT, "the topmost Via"},
	[USER_AGENT] = {"user_agent", FYKE_TYPE_TEXT, "User-Agent, or Server of a response"},
	[DATE] = {"date", FYKE_TYPE_TEXT, "Date"},
	[REPLY_TO] = {"reply_to", FYKE_TYPE_TEXT, "Reply-To"},
	[SUBJECT] = {"subject", FYKE_TYPE_TEXT, "Subject"},
	[WARNING] = {"warning", FYKE_TYPE_TEXT, "Warning"},
	[USER] = {"user", FYKE_TYPE_TEXT, "who authenticates by Digest"},
	[CONTENT_TYPE] = {"content_type", FYKE_TYPE_TEXT, "of the body"},
	[BODY_BYTES] = {"body_bytes", FYKE_TYPE_INTEGER, "as Content-Length says"},
};

static const struct fyke_table table = {"sip", "one row per request and per response", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, &fyke_table_sdp, NULL};

struct state {
	struct fyke_text user, secret; /* of a login whose outcome is not known */
	int64_t sequence;	       /* of its request */
	bool named[2];		       /* whose product was told */
};

static const char *const methods[] = {"INVITE ", "REGISTER ", "OPTIONS ", "ACK ", "BYE ", "CANCEL ",
	"SUBSCRIBE ", "NOTIFY ", "MESSAGE ", "PUBLISH ", "INFO ", "PRACK ", "UPDATE ", "REFER ", "PING "};

static bool is_response(const char *text, size_t length)
{
	return length >= 12 && memcmp(text, "SIP/2.0 ", 8) == 0 && text[8] >= '1' && text[8] <= '6';
}

/* METHOD uri SIP/2.0 */
static bool is_request(const char *text, size_t length)
{
	const char *end = length > 0 ? memchr(text, '\n', length) : NULL;
	size_t size = end != NULL ? (size_t)(end - text) : length, at = 0;

	if (size > 0 && text[size - 1] == '\r')
		size--;
	if (size < 12 || !fyke_text_is(text + size - 8, 8, " SIP/2.0"))
		return false;
	while (at < size && ((text[at] >= 'A' && text[at] <= 'Z') || (text[at] >= 'a' && text[at] <= 'z')))
		at++;
	return at >= 3 && at <= 20 && text[at] == ' ';
}

static bool begins_request(const char *text, size_t length)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (fyke_text_begins(text, length, methods[i]) &&
			fyke_text_find(text, length < 64 ? length : 64, " sip") != NULL)
			return true;
	}
	return false;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		const char *text = (const char *)opening->side[side].data;
		size_t length = opening->side[side].length;

		if (is_response(text, length) || is_request(text, length) || begins_request(text, length))
			return FYKE_YES;
	}
	return FYKE_MAYBE;
}

/* ---- logins ---- */

static void tell_login(struct fyke_dissection *dissection, enum fyke_login login)
{
	struct state *state = fyke_state(dissection);
	const struct fyke_credential credential = {.mechanism = "Digest",
		.user = fyke_text_of(&state->user),
		.secret = fyke_text_of(&state->secret),
		.login = login};

	if (fyke_text_is_set(&state->secret))
		fyke_credential(dissection, &credential);
	fyke_drop(dissection, &state->user);
	fyke_drop(dissection, &state->secret);
}

static void take_login(
	struct fyke_dissection *dissection, const struct fyke_message *message, int64_t sequence)
{
	struct state *state = fyke_state(dissection);
	struct fyke_word_of header, user, secret;

	if (!fyke_message_header(message, "Authorization", NULL, &header) &&
		!fyke_message_header(message, "Proxy-Authorization", NULL, &header))
		return;
	if (!fyke_message_parameter(header, "username", &user) ||
		!fyke_message_parameter(header, "response", &secret) || secret.length == 0)
		return;
	if (fyke_text_is_set(&state->secret) && state->sequence != sequence)
		tell_login(dissection, FYKE_LOGIN_UNKNOWN);
	state->sequence = sequence;
	fyke_keep(dissection, &state->user, user.text, user.length, USER_MAX);
	fyke_keep(dissection, &state->secret, secret.text, secret.length, SECRET_MAX);
}

static void take_outcome(struct fyke_dissection *dissection, int64_t status, int64_t sequence)
{
	const struct state *state = fyke_state(dissection);

	if (!fyke_text_is_set(&state->secret) || state->sequence != sequence || status < 200)
		return;
	if (status == 401 || status == 403 || status == 407)
		tell_login(dissection, FYKE_LOGIN_REFUSED);
	else
		tell_login(dissection, status < 300 ? FYKE_LOGIN_ACCEPTED : FYKE_LOGIN_UNKNOWN);
}

/* ---- messages ---- */

static struct fyke_value value_of(struct fyke_word_of word)
{
	return word.length > 0 ? fyke_bytes(word.text, word.length) : fyke_null();
}

/* CSeq: number METHOD */
static int64_t read_sequence(const struct fyke_message *message, struct fyke_word_of *method)
{
	struct fyke_word_of value;
	size_t digits = 0, at;
	int64_t number;

	*method = (struct fyke_word_of){NULL, 0};
	if (!fyke_message_header(message, "CSeq", NULL, &value))
		return -1;
	number = fyke_text_number(value.text, value.length, &digits);
	at = digits;
	*method = fyke_line_word(value.text, value.length, &at);
	return number;
}

static void read_start(
	struct fyke_dissection *dissection, const struct fyke_message *message, struct fyke_value *values)
{
	size_t at = 0, digits;
	const struct fyke_word_of start = message->start;
	struct fyke_word_of first = fyke_line_word(start.text, start.length, &at), second, method;
	int64_t sequence = read_sequence(message, &method), status;
	bool response = is_response(start.text, start.length);

	second = fyke_line_word(start.text, start.length, &at);
	values[SEQUENCE] = fyke_integer_if(sequence >= 0, sequence);
	values[METHOD] = value_of(response ? method : first);
	values[VERSION] = fyke_word("SIP/2.0");
	if (!response) {
		values[URI] = value_of(second);
		take_login(dissection, message, sequence);
		return;
	}
	status = fyke_text_number(second.text, second.length, &digits);
	values[STATUS] = fyke_integer_if(status >= 0, status);
	values[REASON] = value_of((struct fyke_word_of){start.text + at, start.length - at});
	take_outcome(dissection, status, sequence);
}

static void tell_product(
	struct fyke_dissection *dissection, enum fyke_side side, const struct fyke_value *agent)
{
	struct state *state = fyke_state(dissection);

	if (state->named[side] || agent->kind != FYKE_VALUE_BYTES)
		return;
	state->named[side] = true;
	fyke_product(dissection, side, agent->bytes, agent->length);
}

static void read_headers(const struct fyke_message *message, struct fyke_value *values)
{
	static const struct {
		int field;
		const char *name, *compact;
	} known[] = {{FROM, "From", "f"}, {TO, "To", "t"}, {CALL_ID, "Call-ID", "i"},
		{CONTACT, "Contact", "m"}, {VIA, "Via", "v"}, {USER_AGENT, "User-Agent", NULL},
		{DATE, "Date", NULL}, {REPLY_TO, "Reply-To", NULL}, {SUBJECT, "Subject", "s"},
		{WARNING, "Warning", NULL}, {CONTENT_TYPE, "Content-Type", "c"}};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		values[known[i].field] = fyke_message_value(message, known[i].name, known[i].compact);
	if (values[USER_AGENT].kind == FYKE_VALUE_NULL)
		values[USER_AGENT] = fyke_message_value(message, "Server", NULL);
	values[BODY_BYTES] = fyke_integer_if(message->has_length, (int64_t)message->body);
}

static void take_message(struct fyke_dissection *dissection, const struct fyke_input *input,
	const struct fyke_message *message, size_t body)
{
	const struct state *state = fyke_state(dissection);
	struct fyke_value values[FIELD_COUNT] = {{0}};
	struct fyke_value *type = &values[CONTENT_TYPE];
	struct fyke_text user = {0};

	read_headers(message, values);
	read_start(dissection, message, values);
	if (fyke_text_is_set(&state->user))
		user = state->user;
	values[USER] = values[STATUS].kind == FYKE_VALUE_NULL ? fyke_text_of(&user) : fyke_null();
	fyke_record(dissection, &table, values);
	tell_product(dissection, input->side, &values[USER_AGENT]);
	if (body > 0 && type->kind == FYKE_VALUE_BYTES &&
		fyke_text_begins(type->bytes, type->length, "application/sdp"))
		fyke_sdp_take(dissection, input->data + message->head, body);
}

/* Empty lines keep the path open, and may stand before a message (RFC 3261 §7.5). */
static size_t blank_front(const struct fyke_input *input)
{
	size_t i = 0;

	while (i < input->length &&
		(input->data[i] == '\r' || input->data[i] == '\n' || input->data[i] == '\0'))
		i++;
	return i;
}

static bool is_message(const struct fyke_message *message)
{
	return is_response(message->start.text, message->start.length) ||
	       is_request(message->start.text, message->start.length);
}

/* Other things may stand before a message in the same datagram; its first line begins with a letter. */
static size_t find_message(const uint8_t *data, size_t length)
{
	for (size_t i = 0; i < length && i < JUNK_MAX; i++) {
		if ((i == 0 || data[i - 1] < 'A') && (is_request((const char *)data + i, length - i) ||
							     is_response((const char *)data + i, length - i)))
			return i;
	}
	return length;
}

static struct fyke_verdict feed_datagram(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	size_t front = blank_front(input);
	struct fyke_input rest = *input;
	struct fyke_message message;
	size_t body;

	if (front == input->length || input->length < 12)
		return fyke_more(input->length);
	front += find_message(input->data + front, input->length - front);
	if (front == input->length)
		return fyke_not_mine();
	rest.data += front;
	rest.length -= front;
	if (!fyke_message_read(rest.data, rest.length, true, &message))
		return fyke_not_mine();
	body = rest.length - message.head;
	if (message.has_length && message.body < body)
		body = (size_t)message.body;
	take_message(dissection, &rest, &message, body);
	return fyke_more(input->length);
}

static struct fyke_verdict feed_stream(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	size_t front = blank_front(input), whole;
	struct fyke_message message;

	if (front > 0 || input->length == 0)
		return fyke_more(front);
	if (!fyke_message_read(input->data, input->length, input->full, &message))
		return fyke_more(0);
	if (!is_message(&message)) {
		const uint8_t *end = memchr(input->data, '\n', input->length);

		return end != NULL ? fyke_more((uint64_t)(end - input->data) + 1) : fyke_more(input->length);
	}
	whole = input->length - message.head;
	if (message.body > whole && !input->full && !input->end)
		return fyke_need(0, message.head + (size_t)(message.body < 8192 ? message.body : 8192));
	take_message(dissection, input, &message, message.body < whole ? (size_t)message.body : whole);
	return fyke_more(message.head + message.body);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	if (fyke_transport_of(dissection) == FYKE_OVER_UDP)
		return feed_datagram(dissection, input);
	return feed_stream(dissection, input);
}

/* The next line that begins a message is looked for. */
static struct fyke_verdict gap(
	struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost)
{
	(void)dissection;
	(void)input;
	(void)lost;
	return fyke_more(0);
}

static void end(struct fyke_dissection *dissection)
{
	tell_login(dissection, FYKE_LOGIN_UNKNOWN);
}

static const uint16_t ports[] = {5060, 5061, 0};
static const char *const services[] = {"sip", "sips", "sip-tls", NULL};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("SIP/2.0 "), FYKE_EITHER_SAYS("INVITE "),
	FYKE_EITHER_SAYS("REGISTER "), FYKE_EITHER_SAYS("OPTIONS sip"), FYKE_EITHER_SAYS("ACK sip"),
	FYKE_EITHER_SAYS("BYE sip"), FYKE_EITHER_SAYS("CANCEL sip"), FYKE_EITHER_SAYS("SUBSCRIBE sip"),
	FYKE_EITHER_SAYS("NOTIFY sip"), FYKE_EITHER_SAYS("MESSAGE sip"), FYKE_EITHER_SAYS("PUBLISH sip"),
	FYKE_EITHER_SAYS("INFO sip"), FYKE_EITHER_SAYS("PRACK sip"), FYKE_EITHER_SAYS("UPDATE sip"),
	FYKE_EITHER_SAYS("REFER sip")};

const struct fyke_dissector fyke_dissector_sip = {
	.name = "sip",
	.title = "Session Initiation Protocol, RFC 3261",
	.doc = "Requests and responses with the headers that matter, the media that are described in SDP, "
	       "and "
	       "Digest logins with their outcome. Media are expected where they were announced, and told as "
	       "rtp and rtcp.",
	.transports = FYKE_OVER_TCP | FYKE_OVER_UDP,
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
