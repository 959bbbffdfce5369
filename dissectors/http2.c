/*
 * HTTP/2 in the clear (RFC 9113): with prior knowledge, or behind an Upgrade to h2c. Streams become rows of
 * table `http`, beside those of HTTP/1.
 *
 * A header block needs all that came before it in its direction, so reading ends where frames other than
 * DATA are missing. Left out: trailers, interim responses, priorities. Limits: 128 streams are open at once,
 * then the oldest is told as it is; frames of headers up to 64 KiB.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/hpack.h"
#include "dissectors/shared/http_exchange.h"

#include <string.h>

enum {
	STREAMS_MAX = 128,
	FRAME_HEAD = 9,
	BUFFER = 64 * 1024,
	MEMORY = 512 * 1024,
	SETTINGS_MAX = 64, /* read of one frame */
};

enum {
	DATA,
	HEADERS,
	PRIORITY,
	RST_STREAM,
	SETTINGS,
	PUSH_PROMISE,
	PING,
	GOAWAY,
	WINDOW_UPDATE,
	CONTINUATION
};
enum { END_STREAM = 1, END_HEADERS = 4, PADDED = 8, HAS_PRIORITY = 32 };
enum { HEADER_TABLE_SIZE = 1 };

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
enum { PREFACE = sizeof(preface) - 1 };

static const struct fyke_table *const tables[] = {&fyke_http_table, NULL};

struct lane {
	struct fyke_hpack *hpack;
	bool begun;	  /* behind the preface */
	bool in_block;	  /* a CONTINUATION is to come */
	bool ends_stream; /* the block does */
	bool is_trailer;
	enum fyke_side asker; /* whose message the block's headers belong to: a promise is the client's */
	uint32_t stream;      /* of the running block or DATA frame */
	uint64_t data;	      /* bytes of the running DATA frame to come */
	uint8_t padding;      /* behind it */
	uint8_t flags;
};

struct state {
	struct fyke_http_common common;
	struct fyke_http_exchange *first; /* oldest first */
	unsigned count;
	bool over;
	struct lane lane[2]; /* by enum fyke_side */
};

struct reader {
	struct fyke_dissection *dissection;
	struct state *state;
	struct lane *lane;
	enum fyke_side side;
	struct fyke_http_exchange *exchange; /* whose headers are read; NULL = nobody's */
};

/* ---- streams ---- */

static void tell(struct state *state, struct fyke_http_exchange *exchange)
{
	struct fyke_http_exchange **place = &state->first;

	while (*place != exchange)
		place = &(*place)->next;
	*place = exchange->next;
	state->count--;
	fyke_http_exchange_tell(exchange);
}

static struct fyke_http_exchange *find(const struct state *state, uint32_t stream)
{
	struct fyke_http_exchange *exchange = state->first;

	while (exchange != NULL && exchange->stream != stream)
		exchange = exchange->next;
	return exchange;
}

static struct fyke_http_exchange *find_or_add(struct reader *reader, uint32_t stream)
{
	struct state *state = reader->state;
	struct fyke_http_exchange *exchange = find(state, stream), **place = &state->first;

	if (exchange != NULL)
		return exchange;
	if (state->count == STREAMS_MAX)
		tell(state, state->first);
	do
		exchange = fyke_http_exchange_new(reader->dissection, &state->common);
	while (exchange == NULL && state->first != NULL && (tell(state, state->first), true));
	if (exchange == NULL)
		return NULL;
	exchange->stream = stream;
	while (*place != NULL)
		place = &(*place)->next;
	*place = exchange;
	state->count++;
	return exchange;
}

static void end_message(struct reader *reader, uint32_t stream, enum fyke_side side, bool complete)
{
	struct fyke_http_exchange *exchange = find(reader->state, stream);

	if (exchange == NULL)
		return;
	fyke_http_end_message(exchange, side, complete);
	if (!exchange->message[FYKE_CLIENT].seen)
		exchange->message[FYKE_CLIENT].closed = true;
	if (exchange->message[FYKE_CLIENT].closed && exchange->message[FYKE_SERVER].closed)
		tell(reader->state, exchange);
}

/* ---- headers ---- */

static void take_pseudo(struct fyke_http_exchange *exchange, enum fyke_side side, struct fyke_http_slice name,
	struct fyke_http_slice value)
{
	if (side == FYKE_SERVER) {
		if (fyke_http_is(name, ":status"))
			exchange->status = (int)(value.length == 3 ? fyke_http_number(value) : 0);
	} else if (fyke_http_is(name, ":method")) {
		fyke_http_set(exchange, FYKE_HTTP_METHOD, value);
	} else if (fyke_http_is(name, ":authority")) {
		fyke_http_set(exchange, FYKE_HTTP_HOST, value);
	} else if (fyke_http_is(name, ":path")) {
		fyke_http_set_target(exchange, value);
	}
}

static void take_field(void *context, struct fyke_http_slice name, struct fyke_http_slice value)
{
	struct reader *reader = context;

	if (reader->exchange == NULL || reader->lane->is_trailer || name.length == 0)
		return;
	if (name.bytes[0] == ':')
		take_pseudo(reader->exchange, reader->lane->asker, name, value);
	else
		fyke_http_take_header(reader->exchange, reader->lane->asker, name, value);
}

static void end_block(struct reader *reader)
{
	struct lane *lane = reader->lane;
	struct fyke_http_exchange *exchange = reader->exchange;

	lane->in_block = false;
	if (exchange == NULL)
		return;
	if (lane->asker == FYKE_SERVER && exchange->status >= 100 && exchange->status < 200) {
		fyke_http_forget_response(exchange);
		return;
	}
	if (!lane->is_trailer)
		fyke_http_end_head(exchange, lane->asker, &reader->state->common);
	if (lane->ends_stream)
		end_message(reader, lane->stream, lane->asker, true);
}

static void take_block(struct reader *reader, const uint8_t *bytes, size_t length, bool last)
{
	reader->exchange = find(reader->state, reader->lane->stream);
	if (reader->lane->hpack == NULL)
		reader->lane->hpack = fyke_hpack_new(reader->dissection);
	if (reader->lane->hpack == NULL ||
		!fyke_hpack_take(reader->lane->hpack, bytes, length, last, take_field, reader))
		reader->state->over = true;
	else if (last)
		end_block(reader);
}

static void begin_block(struct reader *reader, uint32_t stream, enum fyke_side asker)
{
	struct lane *lane = reader->lane;
	struct fyke_http_exchange *exchange = find_or_add(reader, stream);
	struct fyke_http_message *message;

	lane->stream = stream;
	lane->asker = asker;
	lane->in_block = true;
	lane->is_trailer = false;
	if (exchange == NULL)
		return;
	message = &exchange->message[asker];
	lane->is_trailer = message->seen;
	if (message->seen)
		return;
	message->seen = true;
	message->begun = fyke_now(reader->dissection);
	fyke_http_set(exchange, asker == FYKE_CLIENT ? FYKE_HTTP_VERSION : FYKE_HTTP_RESPONSE_VERSION,
		(struct fyke_http_slice){"2", 1});
	fyke_confirm(reader->dissection);
}

/* The part of a frame between its padding. False: there is none. */
static bool strip(struct fyke_cursor *frame, uint8_t flags, uint8_t type)
{
	uint8_t padding = (flags & PADDED) != 0 ? fyke_cursor_u8(frame) : 0;

	if (type == HEADERS && (flags & HAS_PRIORITY) != 0)
		fyke_cursor_skip(frame, 5);
	if (!fyke_cursor_ok(frame) || fyke_cursor_left(frame) < padding)
		return false;
	frame->end -= padding;
	return true;
}

static void take_headers(struct reader *reader, struct fyke_cursor *frame, uint8_t type, uint32_t stream)
{
	struct lane *lane = reader->lane;
	enum fyke_side asker = reader->side;
	bool last = (lane->flags & END_HEADERS) != 0;

	if (type == CONTINUATION) {
		if (lane->in_block && stream == lane->stream)
			take_block(reader, frame->at, fyke_cursor_left(frame), last);
		else
			reader->state->over = true;
		return;
	}
	reader->state->over |= lane->in_block || stream == 0 || !strip(frame, lane->flags, type);
	lane->ends_stream = type == HEADERS && (lane->flags & END_STREAM) != 0;
	if (type == PUSH_PROMISE) { /* the request that the server answers without having been asked */
		stream = fyke_cursor_u32(frame) & INT32_MAX;
		asker = FYKE_CLIENT;
		lane->ends_stream = true;
		reader->state->over |= !fyke_cursor_ok(frame) || reader->side != FYKE_SERVER;
	}
	if (reader->state->over)
		return;
	begin_block(reader, stream, asker);
	take_block(reader, frame->at, fyke_cursor_left(frame), last);
}

/* What this side allows bounds the table of the other side's headers. */
static void take_settings(struct reader *reader, struct fyke_cursor *frame)
{
	struct lane *other = &reader->state->lane[fyke_side_other(reader->side)];

	for (int i = 0; i < SETTINGS_MAX && fyke_cursor_left(frame) >= 6; i++) {
		uint16_t id = fyke_cursor_u16(frame);
		uint32_t value = fyke_cursor_u32(frame);

		if (id != HEADER_TABLE_SIZE)
			continue;
		if (other->hpack == NULL)
			other->hpack = fyke_hpack_new(reader->dissection);
		if (other->hpack != NULL)
			fyke_hpack_allow(other->hpack, value);
	}
}

/* ---- frames ---- */

static size_t take_data(struct reader *reader, const uint8_t *bytes, size_t length)
{
	struct lane *lane = reader->lane;
	struct fyke_http_exchange *exchange = find(reader->state, lane->stream);
	size_t taken = lane->data < length ? (size_t)lane->data : length;

	if (exchange != NULL)
		fyke_http_take_body(exchange, reader->side, &reader->state->common, bytes, taken);
	lane->data -= taken;
	if (lane->data == 0 && (lane->flags & END_STREAM) != 0)
		end_message(reader, lane->stream, reader->side, true);
	return taken;
}

/* SIZE_MAX: the padding's length has not come yet. Padding is passed over with what is consumed. */
static size_t begin_data(
	struct reader *reader, struct fyke_cursor *frame, uint32_t length, uint32_t stream, uint64_t *padding)
{
	struct lane *lane = reader->lane;
	uint8_t padded = (lane->flags & PADDED) != 0 ? fyke_cursor_u8(frame) : 0;
	unsigned field = (lane->flags & PADDED) != 0;

	if (!fyke_cursor_ok(frame))
		return SIZE_MAX;
	lane->stream = stream;
	*padding = padded;
	if (length < padded + field) {
		reader->state->over = true;
		return 0;
	}
	lane->data = length - padded - field;
	if (lane->data == 0 && (lane->flags & END_STREAM) != 0)
		end_message(reader, stream, reader->side, true);
	return FRAME_HEAD + field;
}

static void take_frame(struct reader *reader, struct fyke_cursor *frame, uint8_t type, uint32_t stream)
{
	if (reader->lane->in_block && type != CONTINUATION)
		reader->state->over = true;
	else if (type == HEADERS || type == PUSH_PROMISE || type == CONTINUATION)
		take_headers(reader, frame, type, stream);
	else if (type == SETTINGS && (reader->lane->flags & 1) == 0)
		take_settings(reader, frame);
	else if (type == RST_STREAM) {
		end_message(reader, stream, FYKE_CLIENT, false);
		end_message(reader, stream, FYKE_SERVER, false);
	}
}

/* One frame, or the beginning of one of DATA; 0: more must come. *needed: how much. */
static uint64_t take_next(struct reader *reader, const uint8_t *bytes, size_t length, size_t *needed)
{
	struct fyke_cursor c = fyke_cursor(bytes, length), body;
	uint32_t size = fyke_cursor_u24(&c), stream;
	uint8_t type = fyke_cursor_u8(&c);
	uint64_t padding = 0;

	reader->lane->flags = fyke_cursor_u8(&c);
	stream = fyke_cursor_u32(&c) & INT32_MAX;
	*needed = FRAME_HEAD;
	if (!fyke_cursor_ok(&c))
		return 0;
	if (type == DATA) {
		size_t head = begin_data(reader, &c, size, stream, &padding);

		*needed = FRAME_HEAD + 1;
		if (head == SIZE_MAX)
			return 0;
		/* behind the data comes the padding: it is passed over as if it were a frame */
		reader->lane->padding = (uint8_t)padding;
		return head;
	}
	if (type == PING || type == PRIORITY || type == GOAWAY || type == WINDOW_UPDATE ||
		type > CONTINUATION)
		return (uint64_t)FRAME_HEAD + size;
	if (size > BUFFER - FRAME_HEAD) {
		reader->state->over = true;
		return 0;
	}
	*needed = FRAME_HEAD + (size_t)size;
	body = fyke_cursor_carve(&c, size);
	if (!fyke_cursor_ok(&c))
		return 0;
	take_frame(reader, &body, type, stream);
	return (uint64_t)FRAME_HEAD + size;
}

static bool take_preface(struct reader *reader, const struct fyke_input *input, struct fyke_verdict *verdict)
{
	size_t compared = input->length < PREFACE ? input->length : PREFACE;

	if (reader->side == FYKE_SERVER || reader->lane->begun) {
		reader->lane->begun = true;
		return true;
	}
	*verdict = fyke_need(0, PREFACE);
	if (compared > 0 && memcmp(input->data, preface, compared) != 0)
		*verdict = fyke_not_mine();
	else if (compared == PREFACE) {
		reader->lane->begun = true;
		*verdict = fyke_more(PREFACE);
	}
	return false;
}

static void end_streams(struct state *state)
{
	while (state->first != NULL)
		tell(state, state->first);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct reader reader = {.dissection = dissection,
		.state = state,
		.lane = &state->lane[input->side],
		.side = input->side};
	struct fyke_verdict verdict;
	size_t at = 0, needed = 0;

	if (!take_preface(&reader, input, &verdict))
		return verdict;
	while (at < input->length && !state->over) {
		uint64_t taken;

		if (reader.lane->data > 0) {
			at += take_data(&reader, input->data + at, input->length - at);
			continue;
		}
		if (reader.lane->padding > 0) {
			taken = reader.lane->padding;
			reader.lane->padding = 0;
		} else {
			taken = take_next(&reader, input->data + at, input->length - at, &needed);
		}
		if (taken == 0)
			return state->over ? fyke_done() : fyke_need(at, needed);
		if (taken > input->length - at)
			return fyke_more(at + taken);
		at += (size_t)taken;
	}
	return state->over ? fyke_done() : fyke_more(at);
}

static struct fyke_verdict gap(
	struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost)
{
	struct state *state = fyke_state(dissection);
	struct reader reader = {.dissection = dissection,
		.state = state,
		.lane = &state->lane[input->side],
		.side = input->side};
	struct fyke_http_exchange *exchange = find(state, reader.lane->stream);

	if (lost > reader.lane->data)
		return fyke_done();
	if (exchange != NULL)
		fyke_http_miss_body(exchange, input->side, &state->common, lost);
	reader.lane->data -= lost;
	if (reader.lane->data == 0 && (reader.lane->flags & END_STREAM) != 0)
		end_message(&reader, reader.lane->stream, input->side, true);
	return fyke_more(0);
}

static void end(struct fyke_dissection *dissection)
{
	end_streams(fyke_state(dissection));
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	size_t length = opening->side[FYKE_CLIENT].length;

	if (length == 0)
		return FYKE_MAYBE;
	if (memcmp(preface, opening->side[FYKE_CLIENT].data, length < PREFACE ? length : PREFACE) != 0)
		return FYKE_NO;
	return length < PREFACE ? FYKE_MAYBE : FYKE_YES;
}

static const struct fyke_signature signatures[] = {FYKE_CLIENT_SAYS("PRI * HTTP/2")};
static const char *const services[] = {"http", "http-alt", "https", "www", "webcache", NULL};

const struct fyke_dissector fyke_dissector_http2 = {
	.name = "http2",
	.title = "HTTP/2, RFC 9113, in the clear",
	.doc = "Every stream is a row of table `http` with its number; bodies are files. Header blocks "
	       "(HPACK) are "
	       "unpacked by nghttp2. Reading ends where frames other than DATA are missing, since the "
	       "headers behind "
	       "them cannot be unpacked. Left out: trailers, interim responses, priorities. Limits: 128 "
	       "streams open "
	       "at once, 64 KiB a frame of headers.",
	.transports = FYKE_OVER_TCP,
	.services = services,
	.signatures = signatures,
	.signature_count = 1,
	.tables = tables,
	.state_size = sizeof(struct state),
	.buffer_max = BUFFER, /* header blocks are unpacked by whole frames */
	.memory_max = MEMORY, /* two tables of up to 64 KiB, 128 streams */
	.probe = probe,
	.feed = feed,
	.gap = gap,
	.end = end,
};
