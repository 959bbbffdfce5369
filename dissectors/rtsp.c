/*
 * RTSP (RFC 2326, RFC 7826): requests with their responses, the media described (SDP), RTP and RTCP where
 * Transport announces them over UDP; media interleaved in the stream are passed over and counted.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/message.h"
#include "dissectors/shared/sdp.h"

#include <string.h>

enum { WAITING_MAX = 16, TEXT_MAX = 512 };

enum {
	METHOD,
	URI,
	STATUS,
	REASON,
	SEQUENCE,
	USER_AGENT,
	SERVER,
	STREAM,
	TRANSPORT,
	USER,
	CONTENT_TYPE,
	BODY_BYTES,
	RESPONSE_FRAME,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[METHOD] = {"method", FYKE_TYPE_TEXT, "of the request; NULL: it was not seen"},
	[URI] = {"uri", FYKE_TYPE_TEXT, "of the request"},
	[STATUS] = {"status", FYKE_TYPE_INTEGER, "of the response; NULL: it was not seen"},
	[REASON] = {"reason", FYKE_TYPE_TEXT, "of the response"},
	[SEQUENCE] = {"sequence", FYKE_TYPE_INTEGER, "CSeq"},
	[USER_AGENT] = {"user_agent", FYKE_TYPE_TEXT, "of the request"},
	[SERVER] = {"server", FYKE_TYPE_TEXT, "of the response"},
	[STREAM] = {"stream", FYKE_TYPE_TEXT, "Session: the server's name of the stream"},
	[TRANSPORT] = {"transport", FYKE_TYPE_TEXT, "of the response, else of the request"},
	[USER] = {"user", FYKE_TYPE_TEXT, "who authenticates by Digest"},
	[CONTENT_TYPE] = {"content_type", FYKE_TYPE_TEXT, "of the response's body"},
	[BODY_BYTES] = {"body_bytes", FYKE_TYPE_INTEGER, "of the response"},
	[RESPONSE_FRAME] = {"response_frame", FYKE_TYPE_INTEGER, "in which its head ended"},
};

static const struct fyke_table table = {"rtsp", "one row per request and its response", fields, FIELD_COUNT};

enum { CLIENT_FRAMES, CLIENT_BYTES, SERVER_FRAMES, SERVER_BYTES, MEDIA_FIELDS };

static const struct fyke_field media_fields[MEDIA_FIELDS] = {
	[CLIENT_FRAMES] = {"client_media_frames", FYKE_TYPE_INTEGER, "sent by the client"},
	[CLIENT_BYTES] = {"client_media_bytes", FYKE_TYPE_INTEGER, "likewise"},
	[SERVER_FRAMES] = {"server_media_frames", FYKE_TYPE_INTEGER, "sent by the server"},
	[SERVER_BYTES] = {"server_media_bytes", FYKE_TYPE_INTEGER, "likewise"},
};

static const struct fyke_table media_table = {
	"rtsp_media", "one row per session with media in its stream", media_fields, MEDIA_FIELDS};
static const struct fyke_table *const tables[] = {&table, &media_table, &fyke_table_sdp, NULL};

struct request {
	struct fyke_moment moment;
	struct fyke_text method, uri, user_agent, transport, user, secret;
	int64_t sequence;
};

struct state {
	struct request waiting[WAITING_MAX];
	size_t count;
	int64_t frames[2], bytes[2]; /* of media */
	bool talked;		     /* a message was read */
	bool named;
};

static bool is_response(const char *text, size_t length)
{
	return length >= 12 && memcmp(text, "RTSP/", 5) == 0 && text[8] == ' ' && text[9] >= '1' &&
	       text[9] <= '5';
}

static bool is_request(const char *text, size_t length)
{
	const char *end = length > 0 ? memchr(text, '\n', length) : NULL;
	size_t size = end != NULL ? (size_t)(end - text) : length;

	return fyke_text_find(text, size, " RTSP/1.") != NULL ||
	       fyke_text_find(text, size, " RTSP/2.") != NULL;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	const char *client = (const char *)opening->side[FYKE_CLIENT].data;
	size_t client_length = opening->side[FYKE_CLIENT].length;
	const char *server = (const char *)opening->side[FYKE_SERVER].data;
	size_t server_length = opening->side[FYKE_SERVER].length;

	if (client_length > 0 && is_request(client, client_length))
		return FYKE_YES;
	if (is_response(server, server_length))
		return FYKE_YES;
	if (client_length > 0 && memchr(client, '\n', client_length) != NULL)
		return FYKE_NO;
	return FYKE_MAYBE;
}

/* ---- what is said ---- */

static void forget(struct fyke_dissection *dissection, size_t i)
{
	struct state *state = fyke_state(dissection);
	struct request *request = &state->waiting[i];

	fyke_drop(dissection, &request->method);
	fyke_drop(dissection, &request->uri);
	fyke_drop(dissection, &request->user_agent);
	fyke_drop(dissection, &request->transport);
	fyke_drop(dissection, &request->user);
	fyke_drop(dissection, &request->secret);
	state->count--;
	memmove(request, request + 1, (state->count - i) * sizeof(*request));
}

static struct fyke_value value_of(struct fyke_word_of word)
{
	return word.length > 0 ? fyke_bytes(word.text, word.length) : fyke_null();
}

static void tell_login(struct fyke_dissection *dissection, const struct request *request, int64_t status)
{
	const struct fyke_credential credential = {.mechanism = "Digest",
		.user = fyke_text_of(&request->user),
		.secret = fyke_text_of(&request->secret),
		.login = status < 0	 ? FYKE_LOGIN_UNKNOWN
			 : status == 401 ? FYKE_LOGIN_REFUSED
					 : FYKE_LOGIN_ACCEPTED};

	if (fyke_text_is_set(&request->secret))
		fyke_credential(dissection, &credential);
}

static void fill_request(const struct request *request, struct fyke_value *values)
{
	values[METHOD] = fyke_text_of(&request->method);
	values[URI] = fyke_text_of(&request->uri);
	values[SEQUENCE] = fyke_integer_if(request->sequence >= 0, request->sequence);
	values[USER_AGENT] = fyke_text_of(&request->user_agent);
	values[TRANSPORT] = fyke_text_of(&request->transport);
	values[USER] = fyke_text_of(&request->user);
}

static void tell_unanswered(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);
	struct fyke_value values[FIELD_COUNT] = {{0}};

	fill_request(&state->waiting[0], values);
	fyke_record_at(dissection, &table, state->waiting[0].moment, values);
	tell_login(dissection, &state->waiting[0], -1);
	forget(dissection, 0);
}

/* ---- requests ---- */

static int64_t sequence_of(const struct fyke_message *message)
{
	struct fyke_word_of value;
	size_t digits;

	return fyke_message_header(message, "CSeq", NULL, &value)
		       ? fyke_text_number(value.text, value.length, &digits)
		       : -1;
}

static void keep_header(struct fyke_dissection *dissection, struct fyke_text *text,
	const struct fyke_message *message, const char *name)
{
	struct fyke_word_of value;

	if (fyke_message_header(message, name, NULL, &value))
		fyke_keep(dissection, text, value.text, value.length, TEXT_MAX);
}

static void take_request(struct fyke_dissection *dissection, const struct fyke_message *message)
{
	struct state *state = fyke_state(dissection);
	const struct fyke_word_of start = message->start;
	size_t at = 0;
	struct fyke_word_of method = fyke_line_word(start.text, start.length, &at);
	struct fyke_word_of uri = fyke_line_word(start.text, start.length, &at), header, user, secret;
	struct request *request;

	if (state->count == WAITING_MAX)
		tell_unanswered(dissection);
	request = &state->waiting[state->count++];
	*request = (struct request){.moment = fyke_now(dissection), .sequence = sequence_of(message)};
	fyke_keep(dissection, &request->method, method.text, method.length, TEXT_MAX);
	fyke_keep(dissection, &request->uri, uri.text, uri.length, TEXT_MAX);
	keep_header(dissection, &request->user_agent, message, "User-Agent");
	keep_header(dissection, &request->transport, message, "Transport");
	if (fyke_message_header(message, "Authorization", NULL, &header) &&
		fyke_message_parameter(header, "username", &user) &&
		fyke_message_parameter(header, "response", &secret)) {
		fyke_keep(dissection, &request->user, user.text, user.length, TEXT_MAX);
		fyke_keep(dissection, &request->secret, secret.text, secret.length, TEXT_MAX);
	}
}

/* ---- responses ---- */

/* first-second */
static bool read_ports(struct fyke_word_of transport, const char *name, uint16_t ports[2])
{
	struct fyke_word_of value;
	size_t digits, more;
	int64_t first, second;

	if (!fyke_message_parameter(transport, name, &value))
		return false;
	first = fyke_text_number(value.text, value.length, &digits);
	if (first <= 0 || first > UINT16_MAX)
		return false;
	second = digits + 1 < value.length
			 ? fyke_text_number(value.text + digits + 1, value.length - digits - 1, &more)
			 : first + 1;
	ports[0] = (uint16_t)first;
	ports[1] = (uint16_t)(second > 0 && second <= UINT16_MAX ? second : 0);
	return true;
}

static void expect_media(struct fyke_dissection *dissection, struct fyke_word_of transport)
{
	const struct fyke_word_of none = {NULL, 0};
	uint16_t ports[2];

	if (read_ports(transport, "client_port", ports))
		fyke_sdp_expect(
			dissection, fyke_address_of(dissection, FYKE_CLIENT), ports[0], ports[1], none);
	if (read_ports(transport, "server_port", ports))
		fyke_sdp_expect(
			dissection, fyke_address_of(dissection, FYKE_SERVER), ports[0], ports[1], none);
}

static size_t request_for(const struct state *state, int64_t sequence)
{
	size_t i = 0;

	while (i < state->count && state->waiting[i].sequence != sequence)
		i++;
	return i;
}

static void read_response(const struct fyke_message *message, struct fyke_value *values)
{
	const struct fyke_word_of start = message->start;
	size_t at = 0, digits;
	struct fyke_word_of status;

	(void)fyke_line_word(start.text, start.length, &at);
	status = fyke_line_word(start.text, start.length, &at);
	values[STATUS] = fyke_integer(fyke_text_number(status.text, status.length, &digits));
	values[REASON] = value_of((struct fyke_word_of){start.text + at, start.length - at});
	values[SERVER] = fyke_message_value(message, "Server", NULL);
	values[STREAM] = fyke_message_value(message, "Session", NULL);
	values[CONTENT_TYPE] = fyke_message_value(message, "Content-Type", NULL);
	values[BODY_BYTES] = fyke_integer_if(message->has_length, (int64_t)message->body);
}

static void take_response(struct fyke_dissection *dissection, const struct fyke_message *message)
{
	struct state *state = fyke_state(dissection);
	int64_t sequence = sequence_of(message);
	size_t i = request_for(state, sequence);
	struct fyke_value values[FIELD_COUNT] = {{0}};
	struct fyke_moment moment = fyke_now(dissection);
	struct fyke_word_of transport;

	values[SEQUENCE] = fyke_integer_if(sequence >= 0, sequence);
	if (i < state->count) {
		fill_request(&state->waiting[i], values);
		moment = state->waiting[i].moment;
	}
	read_response(message, values);
	values[RESPONSE_FRAME] = fyke_integer((int64_t)fyke_now(dissection).frame);
	if (fyke_message_header(message, "Transport", NULL, &transport)) {
		values[TRANSPORT] = value_of(transport);
		expect_media(dissection, transport);
	}
	fyke_record_at(dissection, &table, moment, values);
	if (!state->named && values[SERVER].kind == FYKE_VALUE_BYTES)
		fyke_product(dissection, FYKE_SERVER, values[SERVER].bytes, values[SERVER].length);
	state->named |= values[SERVER].kind == FYKE_VALUE_BYTES;
	if (i < state->count) {
		tell_login(dissection, &state->waiting[i], values[STATUS].integer);
		forget(dissection, i);
	}
}

/* ---- the stream ---- */

/* $ channel length data (RFC 7826 §14) */
static struct fyke_verdict feed_media(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	uint16_t length;

	(void)fyke_cursor_u16(&c);
	length = fyke_cursor_u16(&c);
	if (!fyke_cursor_ok(&c))
		return fyke_more(0);
	state->frames[input->side]++;
	state->bytes[input->side] += length;
	return fyke_more((uint64_t)length + 4);
}

static bool describes_media(const struct fyke_message *message)
{
	struct fyke_word_of type;

	return fyke_message_header(message, "Content-Type", NULL, &type) &&
	       fyke_text_begins(type.text, type.length, "application/sdp");
}

/* How many bytes the first line has when it begins no message: they are passed over before a head is looked
 * for, which each of many such lines would look for anew. 0: it begins one, or is not whole. */
static size_t stray_line(const struct fyke_input *input)
{
	const char *text = (const char *)input->data, *end = memchr(text, '\n', input->length);
	size_t length = end != NULL ? (size_t)(end - text) : 0;
	size_t bare = length > 0 && text[length - 1] == '\r' ? length - 1 : length;

	return end == NULL || is_response(text, bare) || is_request(text, bare) ? 0 : length + 1;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_message message;
	size_t stray;
	size_t body;

	if (input->length == 0)
		return fyke_more(0);
	if (input->data[0] == '$')
		return feed_media(dissection, input);
	if (input->data[0] == '\r' || input->data[0] == '\n')
		return fyke_more(1);
	stray = stray_line(input);
	if (stray > 0)
		return fyke_more(stray);
	if (!fyke_message_read(input->data, input->length, input->full, &message))
		return fyke_more(0);
	if (!is_response(message.start.text, message.start.length) &&
		!is_request(message.start.text, message.start.length))
		return fyke_more(message.start.length + 1);
	state->talked = true;
	body = input->length - message.head;
	if (message.body > body && !input->full && !input->end && describes_media(&message))
		return fyke_need(0, message.head + (size_t)(message.body < 8192 ? message.body : 8192));
	if (is_response(message.start.text, message.start.length))
		take_response(dissection, &message);
	else
		take_request(dissection, &message);
	if (body > 0 && describes_media(&message))
		fyke_sdp_take(dissection, input->data + message.head,
			message.body < body ? (size_t)message.body : body);
	return fyke_more(message.head + message.body);
}

/* The next line that begins a message, or frame of media, is looked for. */
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
	struct state *state = fyke_state(dissection);
	const struct fyke_value values[MEDIA_FIELDS] = {fyke_integer(state->frames[FYKE_CLIENT]),
		fyke_integer(state->bytes[FYKE_CLIENT]), fyke_integer(state->frames[FYKE_SERVER]),
		fyke_integer(state->bytes[FYKE_SERVER])};

	while (state->count > 0)
		tell_unanswered(dissection);
	if (state->talked && state->frames[0] + state->frames[1] > 0)
		fyke_record(dissection, &media_table, values);
}

static const uint16_t ports[] = {554, 8554, 7070, 0};
static const struct fyke_signature signatures[] = {FYKE_SERVER_SAYS("RTSP/"), FYKE_CLIENT_SAYS("OPTIONS "),
	FYKE_CLIENT_SAYS("DESCRIBE "), FYKE_CLIENT_SAYS("SETUP "), FYKE_CLIENT_SAYS("PLAY "),
	FYKE_CLIENT_SAYS("ANNOUNCE "), FYKE_CLIENT_SAYS("TEARDOWN "), FYKE_CLIENT_SAYS("GET_PARAMETER "),
	FYKE_CLIENT_SAYS("SET_PARAMETER "), FYKE_CLIENT_SAYS("PAUSE "), FYKE_CLIENT_SAYS("RECORD ")};

const struct fyke_dissector fyke_dissector_rtsp = {
	.name = "rtsp",
	.title = "Real-Time Streaming Protocol, RFC 2326 and RFC 7826",
	.doc = "Requests with their responses, the media that are described, and Digest logins. Media over "
	       "UDP are "
	       "told as rtp and rtcp, those in the stream are counted. What is tunnelled in HTTP is left "
	       "out.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.signatures = signatures,
	.signature_count = sizeof(signatures) / sizeof(signatures[0]),
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
	.gap = gap,
	.end = end,
};
