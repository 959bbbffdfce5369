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
#include "dissectors/shared/http1.h"

#include <string.h>

enum { LOST_MAX = 1 << 20, MEMORY = 256 * 1024 };

static const struct fyke_table *const tables[] = {&fyke_http_table, &fyke_http1_websocket_table, NULL};

static struct fyke_http1_state *state_of(struct fyke_dissection *dissection)
{
	struct fyke_http1_state *state = fyke_state(dissection);

	if (state->end == NULL)
		state->end = &state->first;
	return state;
}

static size_t look(struct fyke_http1_reader *reader)
{
	size_t at = fyke_http_find_start(reader->side, reader->bytes, reader->length);

	if (!reader->state->found) {
		reader->state->lost += at;
		reader->state->over = reader->state->lost > LOST_MAX;
	}
	if (at == reader->length)
		return at;
	if (fyke_http_starts(reader->side, reader->bytes + at, reader->length - at) == FYKE_YES)
		reader->lane->phase = FYKE_HTTP1_START;
	else if (at == 0)
		return reader->full ? 1 : FYKE_HTTP1_WAIT;
	return at;
}

static size_t step(struct fyke_http1_reader *reader)
{
	struct fyke_http1_lane *lane = reader->lane;

	if (lane->skip_line) {
		const uint8_t *end = memchr(reader->bytes, '\n', reader->length);

		lane->skip_line = end == NULL;
		return end == NULL ? reader->length : (size_t)(end - reader->bytes) + 1;
	}
	switch (lane->phase) {
	case FYKE_HTTP1_START:
		return fyke_http1_start(reader);
	case FYKE_HTTP1_HEAD:
		return fyke_http1_take_head(reader);
	case FYKE_HTTP1_CHUNK_SIZE:
		return fyke_http1_take_chunk_size(reader);
	case FYKE_HTTP1_CHUNK_END:
		return fyke_http1_take_chunk_end(reader);
	case FYKE_HTTP1_TRAILER:
		return fyke_http1_take_trailer(reader);
	case FYKE_HTTP1_HELD:
		if (reader->state->turning != NULL && !reader->full && !reader->end)
			return FYKE_HTTP1_WAIT;
		lane->phase = FYKE_HTTP1_START;
		return 0;
	case FYKE_HTTP1_LOST:
		return look(reader);
	default:
		return fyke_http1_take_body(reader);
	}
}

static void end_side(struct fyke_http1_reader *reader)
{
	if (reader->lane->phase == FYKE_HTTP1_HELD)
		return;
	fyke_http1_end_message(reader, reader->lane->phase == FYKE_HTTP1_REST, FYKE_HTTP1_START);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_http1_state *state = state_of(dissection);
	struct fyke_http1_reader reader = {.dissection = dissection,
		.state = state,
		.lane = &state->lane[input->side],
		.side = input->side,
		.full = input->full,
		.end = input->end,
		.bytes = input->data,
		.length = input->length};

	while (reader.length > 0 && !state->over && !state->becomes) {
		size_t taken = step(&reader);

		if (taken == FYKE_HTTP1_WAIT)
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

static struct fyke_verdict gap(
	struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost)
{
	struct fyke_http1_state *state = state_of(dissection);
	struct fyke_http1_reader reader = {.dissection = dissection,
		.state = state,
		.lane = &state->lane[input->side],
		.side = input->side};

	switch (reader.lane->phase) {
	case FYKE_HTTP1_BODY:
	case FYKE_HTTP1_CHUNK:
	case FYKE_HTTP1_REST:
		fyke_http1_miss_body(&reader, lost);
		break;
	case FYKE_HTTP1_HEAD:
		reader.lane->torn = reader.lane->skip_line = true;
		reader.lane->exchange->message[input->side].torn = true;
		break;
	default:
		fyke_http1_lose_track(&reader);
		break;
	}
	return fyke_more(0);
}

static void end(struct fyke_dissection *dissection)
{
	struct fyke_http1_state *state = state_of(dissection);

	while (state->first != NULL)
		fyke_http1_tell(state, &state->first);
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
	.state_size = sizeof(struct fyke_http1_state),
	/* two bodies that are unpacked (45 KiB each), the queue of requests, and forms' parts */
	.memory_max = MEMORY,
	.probe = probe,
	.feed = feed,
	.gap = gap,
	.end = end,
};
