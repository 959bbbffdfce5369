/*
 * Heads of HTTP/1: start lines, headers, and what a head means for what follows (RFC 9112 §2 to §6, §9.3 of
 * RFC 9110 for CONNECT, RFC 6455 for WebSockets).
 */
#include "dissectors/shared/http1.h"

#include <string.h>

enum { HEAD_LINES = 512, FOLDED_MAX = 2048 };

static const struct fyke_field websocket_fields[] = {
	{"uri", FYKE_TYPE_TEXT, "the target of the request"},
	{"host", FYKE_TYPE_TEXT, "the Host header"},
	{"origin", FYKE_TYPE_TEXT, "Origin"},
	{"user_agent", FYKE_TYPE_TEXT, "User-Agent"},
	{"version", FYKE_TYPE_TEXT, "Sec-WebSocket-Version"},
	{"protocol", FYKE_TYPE_TEXT, "the subprotocol that the server chose"},
	{"extensions", FYKE_TYPE_TEXT, "the extensions that the server chose"},
	{"offered_protocols", FYKE_TYPE_TEXT, "subprotocols that the client offered"},
	{"offered_extensions", FYKE_TYPE_TEXT, "extensions that the client offered"},
};
enum { WEBSOCKET_FIELDS = sizeof(websocket_fields) / sizeof(websocket_fields[0]) };
const struct fyke_table fyke_http1_websocket_table = {"websocket",
	"one row per HTTP connection that became a WebSocket", websocket_fields, WEBSOCKET_FIELDS};
static void tell_websocket(struct fyke_http1_reader *reader, const struct fyke_http_exchange *exchange)
{
	static const enum fyke_http_text texts[WEBSOCKET_FIELDS] = {FYKE_HTTP_URI, FYKE_HTTP_HOST,
		FYKE_HTTP_ORIGIN, FYKE_HTTP_USER_AGENT, FYKE_HTTP_SOCKET_VERSION, FYKE_HTTP_SOCKET_PROTOCOL,
		FYKE_HTTP_SOCKET_EXTENSION, FYKE_HTTP_SOCKET_PROTOCOLS, FYKE_HTTP_SOCKET_EXTENSIONS};
	struct fyke_value values[WEBSOCKET_FIELDS];

	for (int i = 0; i < WEBSOCKET_FIELDS; i++)
		values[i] = fyke_text_of(&exchange->text[texts[i]]);
	fyke_record(reader->dissection, &fyke_http1_websocket_table, values);
	fyke_confirm_as(reader->dissection, "websocket");
}

/* Behind this response both sides speak another protocol. */
static void change(struct fyke_http1_reader *reader, bool upgraded)
{
	struct fyke_http1_state *state = reader->state;
	struct fyke_http_exchange *exchange = reader->lane->exchange;
	struct fyke_http_slice upgrade = fyke_http_get(exchange, FYKE_HTTP_UPGRADED);

	if (upgraded && fyke_http_is(upgrade, "websocket")) {
		tell_websocket(reader, exchange);
		state->over = true;
	} else {
		state->becomes = true;
		state->next = upgraded && fyke_http_is(upgrade, "h2c") ? "http2" : NULL;
	}
	fyke_http1_end_message(reader, true, FYKE_HTTP1_HELD);
}

static void forget_response(struct fyke_http1_reader *reader)
{
	fyke_http_forget_response(reader->lane->exchange);
	reader->lane->exchange = NULL;
	reader->lane->phase = FYKE_HTTP1_START;
}

static void end_response_head(struct fyke_http1_reader *reader)
{
	const struct fyke_http_exchange *exchange = reader->lane->exchange;
	struct fyke_http_slice method = fyke_http_get(exchange, FYKE_HTTP_METHOD);
	bool tunnel = fyke_http_is(method, "connect") ||
		      (method.bytes == NULL && fyke_http_is(fyke_http_get(exchange, FYKE_HTTP_REASON),
						       "connection established"));

	fyke_http_end_head(reader->lane->exchange, FYKE_SERVER, &reader->state->common);
	if (exchange->status == 101)
		change(reader, true);
	else if (exchange->status >= 100 && exchange->status < 200)
		forget_response(reader);
	else if (tunnel && exchange->status >= 200 && exchange->status < 300)
		change(reader, false);
	else if (fyke_http_is(method, "head") || exchange->status == 204 || exchange->status == 304)
		fyke_http1_end_message(reader, true, FYKE_HTTP1_START);
	else
		fyke_http1_begin_body(reader, true);
	if (exchange == reader->state->turning && reader->lane->exchange == exchange)
		reader->state->turning = NULL;
}

static void end_request_head(struct fyke_http1_reader *reader)
{
	struct fyke_http_exchange *exchange = reader->lane->exchange;

	fyke_confirm(reader->dissection);
	fyke_http_end_head(exchange, FYKE_CLIENT, &reader->state->common);
	if (fyke_http1_waits(exchange) &&
		(fyke_text_is_set(&exchange->text[FYKE_HTTP_UPGRADE]) ||
			fyke_http_is(fyke_http_get(exchange, FYKE_HTTP_METHOD), "connect")))
		reader->state->turning = exchange;
	fyke_http1_begin_body(reader, false);
	if (reader->state->turning != NULL && reader->lane->phase == FYKE_HTTP1_START)
		reader->lane->phase = FYKE_HTTP1_HELD;
}

/* A line that is longer than may wait counts as far as it is there. */
bool fyke_http1_take_line(struct fyke_http1_reader *reader, struct fyke_http_slice *line, size_t *taken)
{
	if (fyke_http_take_line(reader->bytes, reader->length, line, taken))
		return true;
	*taken = reader->length;
	*line = (struct fyke_http_slice){(const char *)reader->bytes, reader->length};
	reader->lane->skip_line = reader->full;
	return reader->full;
}

static size_t start_request(struct fyke_http1_reader *reader)
{
	struct fyke_http_request_line read;
	struct fyke_http_exchange *exchange;
	struct fyke_http_slice line;
	size_t taken;

	if (reader->bytes[0] <= ' ' || reader->bytes[0] >= 0x7f) {
		fyke_http1_lose_track(reader);
		return 0;
	}
	if (!fyke_http1_take_line(reader, &line, &taken))
		return FYKE_HTTP1_WAIT;
	if (!fyke_http_read_request_line(line.bytes, line.length, &read) ||
		(read.version.bytes == NULL && *read.target.bytes != '/')) {
		fyke_http1_lose_track(reader);
		return 0;
	}
	if (fyke_http_is(read.method, "pri") && fyke_http_is(read.version, "2.0")) {
		reader->state->becomes = true;
		reader->state->next = "http2";
		return 0;
	}
	exchange = fyke_http1_add(reader->dissection, reader->state);
	if (exchange == NULL) {
		fyke_http1_lose_track(reader);
		return taken;
	}
	fyke_http1_begin_message(reader, exchange);
	fyke_http_set(exchange, FYKE_HTTP_METHOD, read.method);
	fyke_http_set_target(exchange, read.target);
	if (read.version.bytes == NULL)
		read.version = (struct fyke_http_slice){"0.9", 3};
	fyke_http_set(exchange, FYKE_HTTP_VERSION, read.version);
	if (fyke_http_is(read.version, "0.9") && !reader->lane->skip_line)
		fyke_http1_end_message(reader, true, FYKE_HTTP1_START);
	return taken;
}

/* HTTP/0.9 answers with the body alone. */
static bool start_bare_response(struct fyke_http1_reader *reader)
{
	struct fyke_http_exchange *exchange = reader->state->first;

	while (exchange != NULL && !fyke_http1_waits(exchange))
		exchange = exchange->next;
	if (exchange == NULL || !fyke_http_is(fyke_http_get(exchange, FYKE_HTTP_VERSION), "0.9"))
		return false;
	fyke_http1_begin_message(reader, exchange);
	reader->lane->phase = FYKE_HTTP1_REST;
	return true;
}

/* A status line that is not by the book counts where a response is due. */
static enum fyke_match begins_response(const struct fyke_http1_reader *reader)
{
	enum fyke_match match = fyke_http_starts(FYKE_SERVER, reader->bytes, reader->length);
	const struct fyke_http_exchange *exchange = reader->state->first;
	struct fyke_http_status_line read;

	if (match != FYKE_NO ||
		!fyke_http_read_status_line((const char *)reader->bytes, reader->length, &read))
		return match;
	while (exchange != NULL && !fyke_http1_waits(exchange))
		exchange = exchange->next;
	return exchange != NULL ? FYKE_YES : FYKE_NO;
}

static size_t start_response(struct fyke_http1_reader *reader)
{
	enum fyke_match match = begins_response(reader);
	struct fyke_http_status_line read;
	struct fyke_http_exchange *exchange;
	struct fyke_http_slice line;
	size_t taken;

	if (match == FYKE_NO && !start_bare_response(reader))
		fyke_http1_lose_track(reader);
	if (match == FYKE_NO)
		return 0;
	if (match == FYKE_MAYBE || !fyke_http1_take_line(reader, &line, &taken))
		return FYKE_HTTP1_WAIT;
	if (!fyke_http_read_status_line(line.bytes, line.length, &read)) {
		fyke_http1_lose_track(reader);
		return taken;
	}
	exchange = fyke_http1_answered(reader->dissection, reader->state);
	if (exchange == NULL) {
		fyke_http1_lose_track(reader);
		return taken;
	}
	fyke_confirm(reader->dissection);
	fyke_http1_begin_message(reader, exchange);
	exchange->status = read.status;
	fyke_http_set(exchange, FYKE_HTTP_RESPONSE_VERSION, read.version);
	if (read.reason.length > 0)
		fyke_http_set(exchange, FYKE_HTTP_REASON, read.reason);
	return taken;
}

size_t fyke_http1_start(struct fyke_http1_reader *reader)
{
	if (reader->bytes[0] == '\r' || reader->bytes[0] == '\n')
		return 1;
	return reader->side == FYKE_CLIENT ? start_request(reader) : start_response(reader);
}

static void take_header(struct fyke_http1_reader *reader, struct fyke_http_slice line)
{
	struct fyke_http1_lane *lane = reader->lane;
	struct fyke_http_slice value = line, name;
	const char *colon = memchr(line.bytes, ':', line.length);

	if (colon == NULL) {
		if (lane->torn)
			fyke_http1_lose_track(reader);
		return;
	}
	name = (struct fyke_http_slice){line.bytes, (size_t)(colon - line.bytes)};
	value.bytes = colon + 1;
	value.length = line.length - name.length - 1;
	if (lane->lines++ < HEAD_LINES)
		fyke_http_take_header(
			lane->exchange, reader->side, fyke_http_trimmed(name), fyke_http_trimmed(value));
}

/* A header over several lines (RFC 9112 §5.2), as one. */
static void take_folded(struct fyke_http1_reader *reader, const uint8_t *bytes, size_t length)
{
	char text[FOLDED_MAX];
	size_t written = 0;

	for (size_t i = 0; i < length && written < sizeof(text); i++) {
		bool blank = bytes[i] == '\r' || bytes[i] == '\n' || bytes[i] == '\t' || bytes[i] == ' ';

		if (!blank)
			text[written++] = (char)bytes[i];
		else if (written > 0 && text[written - 1] != ' ')
			text[written++] = ' ';
	}
	if (written > 0)
		take_header(reader, (struct fyke_http_slice){text, written});
}

static bool is_blank(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] != ' ' && bytes[i] != '\t' && bytes[i] != '\r')
			return false;
	}
	return true;
}

/* How many bytes behind a header's first line continue it; FYKE_HTTP1_WAIT: that is not known yet. */
static size_t folded_length(const struct fyke_http1_reader *reader, size_t taken)
{
	size_t at = taken;

	while (at < reader->length && (reader->bytes[at] == ' ' || reader->bytes[at] == '\t')) {
		const uint8_t *end = memchr(reader->bytes + at, '\n', reader->length - at);

		if (end == NULL)
			return reader->full ? at - taken : FYKE_HTTP1_WAIT;
		if (is_blank(reader->bytes + at, (size_t)(end - reader->bytes) - at))
			break; /* the end of the head, from a careless sender */
		at = (size_t)(end - reader->bytes) + 1;
	}
	return at == reader->length && !reader->full ? FYKE_HTTP1_WAIT : at - taken;
}

size_t fyke_http1_take_head(struct fyke_http1_reader *reader)
{
	struct fyke_http_slice line;
	size_t taken, folded;

	if (!fyke_http1_take_line(reader, &line, &taken))
		return FYKE_HTTP1_WAIT;
	if (fyke_http_trimmed(line).length == 0) {
		if (reader->side == FYKE_CLIENT)
			end_request_head(reader);
		else
			end_response_head(reader);
		return taken;
	}
	folded = reader->lane->skip_line ? 0 : folded_length(reader, taken);
	if (folded == FYKE_HTTP1_WAIT)
		return FYKE_HTTP1_WAIT;
	if (folded > 0)
		take_folded(reader, reader->bytes, taken + folded);
	else
		take_header(reader, line);
	return taken + folded;
}
