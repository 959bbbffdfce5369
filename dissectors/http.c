/*
 * HTTP/1 (RFC 9110, RFC 9112), HTTP/0.9, and what begins as HTTP: CONNECT, Upgrade, WebSocket (RFC 6455).
 *
 * Requests wait in a queue; each final response answers the oldest that has none. Where bytes are missing
 * the next start of a message is looked for; then all requests but the latest are taken to have been
 * answered in the gap, since hardly any client sends several at once.
 *
 * Left out: interim responses, trailers, transfer codings other than chunked. Limits: 64 requests wait for a
 * response; a line is kept up to 16 KiB, a head up to 512 lines.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/http_exchange.h"

#include <string.h>

enum {
	QUEUE_MAX = 64,
	HEAD_LINES = 512,
	TRAILER_LINES = 64,
	LOST_MAX = 1 << 20,
	FOLDED_MAX = 2048,
	MEMORY = 256 * 1024
};

#define WAIT SIZE_MAX

struct lane {
	enum {
		START, /* a message, or nothing more, begins here */
		HEAD,
		BODY, /* `left` bytes */
		CHUNK_SIZE,
		CHUNK,	   /* `left` bytes */
		CHUNK_END, /* its line end */
		TRAILER,
		REST, /* a body that lasts until the side ends */
		HELD, /* behind a request whose answer may change the protocol */
		LOST, /* the next start is looked for */
	} phase;
	bool torn;	/* bytes within this head are missing */
	bool skip_line; /* up to the next line end */
	uint16_t lines;
	uint64_t left;
	struct fyke_http_exchange *exchange; /* whose message is on its way */
};

struct state {
	struct fyke_http_common common;
	struct fyke_http_exchange *first, **end; /* oldest first; *end is NULL */
	unsigned queued, owed;		    /* owed: responses to requests that did not fit into the queue */
	struct fyke_http_exchange *turning; /* its answer may change the protocol */
	struct lane lane[2];		    /* by enum fyke_side */
	uint64_t lost;			    /* bytes passed over before anything was found */
	bool unsure;			    /* responses may have been lost */
	bool found, over;
	bool becomes;
	const char *next;
};

/* What is being read. */
struct reader {
	struct fyke_dissection *dissection;
	struct state *state;
	struct lane *lane;
	enum fyke_side side;
	bool full, end;
	const uint8_t *bytes;
	size_t length;
};

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
static const struct fyke_table websocket_table = {"websocket",
	"one row per HTTP connection that became a WebSocket", websocket_fields, WEBSOCKET_FIELDS};
static const struct fyke_table *const tables[] = {&fyke_http_table, &websocket_table, NULL};

/* ---- the queue ---- */

static struct state *state_of(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	if (state->end == NULL)
		state->end = &state->first;
	return state;
}

/* Takes the exchange at `place` out of the queue and makes its row. */
static void tell(struct state *state, struct fyke_http_exchange **place)
{
	struct fyke_http_exchange *exchange = *place;

	*place = exchange->next;
	if (*place == NULL)
		state->end = place;
	state->queued--;
	for (int side = 0; side < 2; side++) {
		struct lane *lane = &state->lane[side];

		if (lane->exchange == exchange && lane->phase == HEAD)
			fyke_http_end_head(exchange, (enum fyke_side)side, &state->common);
	}
	if (state->turning == exchange)
		state->turning = NULL;
	fyke_http_exchange_tell(exchange);
}

/* Those that are over, as far as none waits in front of them. */
static void tell_finished(struct state *state)
{
	while (state->first != NULL && state->first->message[FYKE_CLIENT].closed &&
		state->first->message[FYKE_SERVER].closed)
		tell(state, &state->first);
}

/* The oldest that is not on its way makes room; its answer is owed. */
static bool make_room(struct state *state)
{
	struct fyke_http_exchange **place = &state->first;

	while (*place != NULL &&
		(*place == state->lane[FYKE_CLIENT].exchange || *place == state->lane[FYKE_SERVER].exchange))
		place = &(*place)->next;
	if (*place == NULL)
		return false;
	state->owed += !(*place)->message[FYKE_SERVER].closed;
	tell(state, place);
	return true;
}

static struct fyke_http_exchange *add(struct fyke_dissection *dissection, struct state *state)
{
	struct fyke_http_exchange *exchange;

	if (state->queued == QUEUE_MAX)
		(void)make_room(state);
	do
		exchange = fyke_http_exchange_new(dissection, &state->common);
	while (exchange == NULL && make_room(state));
	if (exchange == NULL)
		return NULL;
	*state->end = exchange;
	state->end = &exchange->next;
	state->queued++;
	return exchange;
}

static bool waits(const struct fyke_http_exchange *exchange)
{
	return !exchange->message[FYKE_SERVER].closed;
}

/* The request that a response answers; one without a request where none waits. */
static struct fyke_http_exchange *answered(struct fyke_dissection *dissection, struct state *state)
{
	struct fyke_http_exchange *exchange, *later;

	for (exchange = state->first; exchange != NULL && !waits(exchange);)
		exchange = exchange->next;
	for (later = exchange != NULL ? exchange->next : NULL; state->unsure && later != NULL;
		later = later->next) {
		fyke_http_end_message(exchange, FYKE_SERVER, false);
		exchange = later;
	}
	state->unsure = false;
	if (exchange != NULL && state->owed == 0)
		return exchange;
	state->owed -= state->owed > 0;
	exchange = add(dissection, state);
	if (exchange != NULL)
		exchange->message[FYKE_CLIENT].closed = true;
	return exchange;
}

/* ---- messages ---- */

static void begin_message(struct reader *reader, struct fyke_http_exchange *exchange)
{
	struct lane *lane = reader->lane;
	struct fyke_http_message *message = &exchange->message[reader->side];

	message->seen = true;
	message->begun = fyke_now(reader->dissection);
	lane->exchange = exchange;
	lane->phase = HEAD;
	lane->torn = false;
	lane->lines = 0;
	reader->state->found = true;
}

/* The message on this lane is over; `next`: what comes behind it. */
static void end_message(struct reader *reader, bool complete, int next)
{
	struct lane *lane = reader->lane;

	if (lane->exchange != NULL) {
		if (lane->phase == HEAD)
			fyke_http_end_head(lane->exchange, reader->side, &reader->state->common);
		fyke_http_end_message(lane->exchange, reader->side, complete);
	}
	lane->exchange = NULL;
	lane->phase = (__typeof__(lane->phase))next;
	tell_finished(reader->state);
}

static void lose_track(struct reader *reader)
{
	end_message(reader, false, LOST);
	reader->lane->skip_line = false;
	if (reader->side == FYKE_SERVER)
		reader->state->unsure = true;
}

static void tell_websocket(struct reader *reader, const struct fyke_http_exchange *exchange)
{
	static const enum fyke_http_text texts[WEBSOCKET_FIELDS] = {FYKE_HTTP_URI, FYKE_HTTP_HOST,
		FYKE_HTTP_ORIGIN, FYKE_HTTP_USER_AGENT, FYKE_HTTP_SOCKET_VERSION, FYKE_HTTP_SOCKET_PROTOCOL,
		FYKE_HTTP_SOCKET_EXTENSION, FYKE_HTTP_SOCKET_PROTOCOLS, FYKE_HTTP_SOCKET_EXTENSIONS};
	struct fyke_value values[WEBSOCKET_FIELDS];

	for (int i = 0; i < WEBSOCKET_FIELDS; i++)
		values[i] = fyke_text_of(&exchange->text[texts[i]]);
	fyke_record(reader->dissection, &websocket_table, values);
	fyke_confirm_as(reader->dissection, "websocket");
}

/* Behind this response both sides speak another protocol. */
static void change(struct reader *reader, bool upgraded)
{
	struct state *state = reader->state;
	struct fyke_http_exchange *exchange = reader->lane->exchange;
	struct fyke_http_slice upgrade = fyke_http_get(exchange, FYKE_HTTP_UPGRADED);

	if (upgraded && fyke_http_is(upgrade, "websocket")) {
		tell_websocket(reader, exchange);
		state->over = true;
	} else {
		state->becomes = true;
		state->next = upgraded && fyke_http_is(upgrade, "h2c") ? "http2" : NULL;
	}
	end_message(reader, true, HELD);
}

static void forget_response(struct reader *reader)
{
	fyke_http_forget_response(reader->lane->exchange);
	reader->lane->exchange = NULL;
	reader->lane->phase = START;
}

static void begin_body(struct reader *reader, bool may_last)
{
	const struct fyke_http_message *message = &reader->lane->exchange->message[reader->side];

	if (message->chunked) {
		reader->lane->phase = CHUNK_SIZE;
	} else if (message->length > 0 && !(message->coded && may_last)) {
		reader->lane->phase = BODY;
		reader->lane->left = (uint64_t)message->length;
	} else if (message->length < 0 && may_last) {
		reader->lane->phase = REST;
	} else {
		end_message(reader, true, START);
	}
}

static void end_response_head(struct reader *reader)
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
		end_message(reader, true, START);
	else
		begin_body(reader, true);
	if (exchange == reader->state->turning && reader->lane->exchange == exchange)
		reader->state->turning = NULL;
}

static void end_request_head(struct reader *reader)
{
	struct fyke_http_exchange *exchange = reader->lane->exchange;

	fyke_confirm(reader->dissection);
	fyke_http_end_head(exchange, FYKE_CLIENT, &reader->state->common);
	if (waits(exchange) && (fyke_text_is_set(&exchange->text[FYKE_HTTP_UPGRADE]) ||
				       fyke_http_is(fyke_http_get(exchange, FYKE_HTTP_METHOD), "connect")))
		reader->state->turning = exchange;
	begin_body(reader, false);
	if (reader->state->turning != NULL && reader->lane->phase == START)
		reader->lane->phase = HELD;
}

/* ---- lines ---- */

/* A line that is longer than may wait counts as far as it is there. */
static bool take_line(struct reader *reader, struct fyke_http_slice *line, size_t *taken)
{
	if (fyke_http_take_line(reader->bytes, reader->length, line, taken))
		return true;
	*taken = reader->length;
	*line = (struct fyke_http_slice){(const char *)reader->bytes, reader->length};
	reader->lane->skip_line = reader->full;
	return reader->full;
}

static size_t start_request(struct reader *reader)
{
	struct fyke_http_request_line read;
	struct fyke_http_exchange *exchange;
	struct fyke_http_slice line;
	size_t taken;

	if (reader->bytes[0] <= ' ' || reader->bytes[0] >= 0x7f) {
		lose_track(reader);
		return 0;
	}
	if (!take_line(reader, &line, &taken))
		return WAIT;
	if (!fyke_http_read_request_line(line.bytes, line.length, &read) ||
		(read.version.bytes == NULL && *read.target.bytes != '/')) {
		lose_track(reader);
		return 0;
	}
	if (fyke_http_is(read.method, "pri") && fyke_http_is(read.version, "2.0")) {
		reader->state->becomes = true;
		reader->state->next = "http2";
		return 0;
	}
	exchange = add(reader->dissection, reader->state);
	if (exchange == NULL) {
		lose_track(reader);
		return taken;
	}
	begin_message(reader, exchange);
	fyke_http_set(exchange, FYKE_HTTP_METHOD, read.method);
	fyke_http_set_target(exchange, read.target);
	if (read.version.bytes == NULL)
		read.version = (struct fyke_http_slice){"0.9", 3};
	fyke_http_set(exchange, FYKE_HTTP_VERSION, read.version);
	if (fyke_http_is(read.version, "0.9") && !reader->lane->skip_line)
		end_message(reader, true, START);
	return taken;
}

/* HTTP/0.9 answers with the body alone. */
static bool start_bare_response(struct reader *reader)
{
	struct fyke_http_exchange *exchange = reader->state->first;

	while (exchange != NULL && !waits(exchange))
		exchange = exchange->next;
	if (exchange == NULL || !fyke_http_is(fyke_http_get(exchange, FYKE_HTTP_VERSION), "0.9"))
		return false;
	begin_message(reader, exchange);
	reader->lane->phase = REST;
	return true;
}

static size_t start_response(struct reader *reader)
{
	enum fyke_match match = fyke_http_starts(FYKE_SERVER, reader->bytes, reader->length);
	struct fyke_http_status_line read;
	struct fyke_http_exchange *exchange;
	struct fyke_http_slice line;
	size_t taken;

	if (match == FYKE_NO && !start_bare_response(reader))
		lose_track(reader);
	if (match == FYKE_NO)
		return 0;
	if (match == FYKE_MAYBE || !take_line(reader, &line, &taken))
		return WAIT;
	if (!fyke_http_read_status_line(line.bytes, line.length, &read)) {
		lose_track(reader);
		return taken;
	}
	exchange = answered(reader->dissection, reader->state);
	if (exchange == NULL) {
		lose_track(reader);
		return taken;
	}
	fyke_confirm(reader->dissection);
	begin_message(reader, exchange);
	exchange->status = read.status;
	if (!fyke_text_is_set(&exchange->text[FYKE_HTTP_VERSION]))
		fyke_http_set(exchange, FYKE_HTTP_VERSION, read.version);
	if (read.reason.length > 0)
		fyke_http_set(exchange, FYKE_HTTP_REASON, read.reason);
	return taken;
}

static size_t start(struct reader *reader)
{
	if (reader->bytes[0] == '\r' || reader->bytes[0] == '\n')
		return 1;
	return reader->side == FYKE_CLIENT ? start_request(reader) : start_response(reader);
}

static void take_header(struct reader *reader, struct fyke_http_slice line)
{
	struct lane *lane = reader->lane;
	struct fyke_http_slice value = line, name;
	const char *colon = memchr(line.bytes, ':', line.length);

	if (colon == NULL) {
		if (lane->torn)
			lose_track(reader);
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
static void take_folded(struct reader *reader, const uint8_t *bytes, size_t length)
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

/* How many bytes behind a header's first line continue it; WAIT: that is not known yet. */
static size_t folded_length(const struct reader *reader, size_t taken)
{
	size_t at = taken;

	while (at < reader->length && (reader->bytes[at] == ' ' || reader->bytes[at] == '\t')) {
		const uint8_t *end = memchr(reader->bytes + at, '\n', reader->length - at);

		if (end == NULL)
			return reader->full ? at - taken : WAIT;
		at = (size_t)(end - reader->bytes) + 1;
	}
	return at == reader->length && !reader->full ? WAIT : at - taken;
}

static size_t take_head(struct reader *reader)
{
	struct fyke_http_slice line;
	size_t taken, folded;

	if (!take_line(reader, &line, &taken))
		return WAIT;
	if (line.length == 0) {
		if (reader->side == FYKE_CLIENT)
			end_request_head(reader);
		else
			end_response_head(reader);
		return taken;
	}
	folded = reader->lane->skip_line ? 0 : folded_length(reader, taken);
	if (folded == WAIT)
		return WAIT;
	if (folded > 0)
		take_folded(reader, reader->bytes, taken + folded);
	else
		take_header(reader, line);
	return taken + folded;
}

/* ---- bodies ---- */

static size_t take_body(struct reader *reader)
{
	struct lane *lane = reader->lane;
	size_t taken =
		lane->phase != REST && lane->left < reader->length ? (size_t)lane->left : reader->length;

	fyke_http_take_body(lane->exchange, reader->side, &reader->state->common, reader->bytes, taken);
	if (lane->phase == REST)
		return taken;
	lane->left -= taken;
	if (lane->left == 0 && lane->phase == CHUNK)
		lane->phase = CHUNK_END;
	else if (lane->left == 0)
		end_message(reader, true,
			reader->side == FYKE_CLIENT && reader->state->turning != NULL ? HELD : START);
	return taken;
}

/* -1: it is no size. */
static int64_t chunk_size(struct fyke_http_slice line)
{
	int64_t size = 0;
	size_t i = 0;

	for (; i < line.length && i < 13; i++) {
		char c = line.bytes[i];
		int digit = c >= '0' && c <= '9'		     ? c - '0'
			    : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
								     : -1;

		if (digit < 0)
			break;
		size = size * 16 + digit;
	}
	return i == 0 ? -1 : size;
}

static size_t take_chunk_size(struct reader *reader)
{
	struct fyke_http_slice line;
	size_t taken;
	int64_t size;

	if (!take_line(reader, &line, &taken))
		return WAIT;
	size = chunk_size(fyke_http_trimmed(line));
	if (size < 0) {
		lose_track(reader);
		return 0;
	}
	reader->lane->left = (uint64_t)size;
	reader->lane->phase = size > 0 ? CHUNK : TRAILER;
	reader->lane->lines = 0;
	return taken;
}

static size_t take_chunk_end(struct reader *reader)
{
	struct fyke_http_slice line;
	size_t taken;

	if (reader->bytes[0] != '\r' && reader->bytes[0] != '\n') {
		lose_track(reader);
		return 0;
	}
	if (!take_line(reader, &line, &taken))
		return WAIT;
	reader->lane->phase = CHUNK_SIZE;
	return taken;
}

static size_t take_trailer(struct reader *reader)
{
	struct fyke_http_slice line;
	size_t taken;

	if (!take_line(reader, &line, &taken))
		return WAIT;
	if (line.length > 0 && reader->lane->lines++ < TRAILER_LINES)
		return taken;
	end_message(
		reader, true, reader->side == FYKE_CLIENT && reader->state->turning != NULL ? HELD : START);
	return taken;
}

/* ---- where messages begin again ---- */

static size_t look(struct reader *reader)
{
	size_t at = fyke_http_find_start(reader->side, reader->bytes, reader->length);

	if (!reader->state->found) {
		reader->state->lost += at;
		reader->state->over = reader->state->lost > LOST_MAX;
	}
	if (at == reader->length)
		return at;
	if (fyke_http_starts(reader->side, reader->bytes + at, reader->length - at) == FYKE_YES)
		reader->lane->phase = START;
	else if (at == 0)
		return reader->full ? 1 : WAIT;
	return at;
}

static size_t step(struct reader *reader)
{
	struct lane *lane = reader->lane;

	if (lane->skip_line) {
		const uint8_t *end = memchr(reader->bytes, '\n', reader->length);

		lane->skip_line = end == NULL;
		return end == NULL ? reader->length : (size_t)(end - reader->bytes) + 1;
	}
	switch (lane->phase) {
	case START:
		return start(reader);
	case HEAD:
		return take_head(reader);
	case CHUNK_SIZE:
		return take_chunk_size(reader);
	case CHUNK_END:
		return take_chunk_end(reader);
	case TRAILER:
		return take_trailer(reader);
	case HELD:
		if (reader->state->turning != NULL && !reader->full && !reader->end)
			return WAIT;
		lane->phase = START;
		return 0;
	case LOST:
		return look(reader);
	default:
		return take_body(reader);
	}
}

static void end_side(struct reader *reader)
{
	if (reader->lane->phase == HELD)
		return;
	end_message(reader, reader->lane->phase == REST, START);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = state_of(dissection);
	struct reader reader = {.dissection = dissection,
		.state = state,
		.lane = &state->lane[input->side],
		.side = input->side,
		.full = input->full,
		.end = input->end,
		.bytes = input->data,
		.length = input->length};

	while (reader.length > 0 && !state->over && !state->becomes) {
		size_t taken = step(&reader);

		if (taken == WAIT)
			break;
		reader.bytes += taken;
		reader.length -= taken;
	}
	if (state->over)
		return fyke_done();
	if (state->becomes)
		return fyke_becomes(input->length - reader.length, state->next);
	if (input->end)
		end_side(&reader);
	return fyke_more(input->length - reader.length);
}

/* ---- gaps ---- */

static void miss_body(struct reader *reader, uint64_t lost)
{
	struct lane *lane = reader->lane;
	bool last = lane->phase == BODY;

	fyke_http_miss_body(lane->exchange, reader->side, &reader->state->common,
		lane->phase != REST && lost > lane->left ? lane->left : lost);
	if (lane->phase == REST)
		return;
	if (lost > lane->left) {
		lose_track(reader);
		return;
	}
	lane->left -= lost;
	if (lane->left == 0 && last)
		end_message(reader, true, START);
	else if (lane->left == 0)
		lane->phase = CHUNK_END;
}

static struct fyke_verdict gap(
	struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost)
{
	struct state *state = state_of(dissection);
	struct reader reader = {.dissection = dissection,
		.state = state,
		.lane = &state->lane[input->side],
		.side = input->side};

	switch (reader.lane->phase) {
	case BODY:
	case CHUNK:
	case REST:
		miss_body(&reader, lost);
		break;
	case HEAD:
		reader.lane->torn = reader.lane->skip_line = true;
		reader.lane->exchange->message[input->side].torn = true;
		break;
	default:
		lose_track(&reader);
		break;
	}
	return fyke_more(0);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = state_of(dissection);

	while (state->first != NULL)
		tell(state, &state->first);
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	enum fyke_match match[2] = {FYKE_MAYBE, FYKE_MAYBE};

	for (int side = 0; side < 2; side++) {
		const uint8_t *bytes = opening->side[side].data;
		size_t length = opening->side[side].length;

		while (length > 0 && (*bytes == '\r' || *bytes == '\n')) {
			bytes++;
			length--;
		}
		match[side] = fyke_http_starts((enum fyke_side)side, bytes, length);
		if (match[side] == FYKE_YES)
			return FYKE_YES;
	}
	if (opening->on_port)
		return FYKE_MAYBE;
	return match[FYKE_CLIENT] == FYKE_NO && match[FYKE_SERVER] == FYKE_NO ? FYKE_NO : FYKE_MAYBE;
}

static const uint16_t ports[] = {
	80, 81, 591, 631, 1080, 2869, 3128, 5985, 8000, 8008, 8080, 8081, 8088, 8888, 0};
static const char *const services[] = {"http", "http-alt", "www", "www-http", "http-proxy", "squid", "ipp",
	"icslap", "wsman", "webcache", "sunproxyadmin", "radan-http", "commplex-main", "ssdp", NULL};

const struct fyke_dissector fyke_dissector_http = {
	.name = "http",
	.title = "Hypertext Transfer Protocol, RFC 9110 and RFC 9112 (HTTP/1.1), HTTP/1.0, HTTP/0.9",
	.doc = "Every request with its response, in table `http`; requests that were not answered and "
	       "responses "
	       "whose request was not seen as well. Bodies are files (`transferred_files`), unpacked where "
	       "they are "
	       "gzip or deflate; parts of multipart bodies are files of their own. Basic, Digest and Bearer "
	       "logins "
	       "are `credentials`. Of cookies only the names are kept. A connection that becomes a WebSocket "
	       "has a "
	       "row in `websocket`; behind CONNECT and Upgrade the next protocol is looked for. Where bytes "
	       "are "
	       "missing, reading goes on with the next message. Left out: interim responses, trailers, "
	       "bodies packed "
	       "with br or zstd (counted and kept as they are), what WebSockets carry. Limits: 64 requests "
	       "may wait "
	       "for their responses; a line counts up to 16 KiB.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.services = services,
	.anywhere = true,
	.tables = tables,
	.state_size = sizeof(struct state),
	/* two bodies that are unpacked (45 KiB each), the queue of requests, and forms' parts */
	.memory_max = MEMORY,
	.probe = probe,
	.feed = feed,
	.gap = gap,
	.end = end,
};
