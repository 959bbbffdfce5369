/*
 * Bodies of HTTP/1: of known length, in chunks (RFC 9112 §7.1), or up to the end of the stream.
 */
#include "dissectors/shared/http1.h"

enum { TRAILER_LINES = 64 };

void fyke_http1_begin_body(struct fyke_http1_reader *reader, bool may_last)
{
	const struct fyke_http_message *message = &reader->lane->exchange->message[reader->side];

	if (message->chunked) {
		reader->lane->phase = FYKE_HTTP1_CHUNK_SIZE;
	} else if (message->length > 0) {
		reader->lane->phase = FYKE_HTTP1_BODY;
		reader->lane->left = (uint64_t)message->length;
	} else if (message->length < 0 && may_last) {
		reader->lane->phase = FYKE_HTTP1_REST;
	} else {
		fyke_http1_end_message(reader, true, FYKE_HTTP1_START);
	}
}

size_t fyke_http1_take_body(struct fyke_http1_reader *reader)
{
	struct fyke_http1_lane *lane = reader->lane;
	size_t taken = lane->phase != FYKE_HTTP1_REST && lane->left < reader->length ? (size_t)lane->left
										     : reader->length;

	fyke_http_take_body(lane->exchange, reader->side, &reader->state->common, reader->bytes, taken);
	if (lane->phase == FYKE_HTTP1_REST)
		return taken;
	lane->left -= taken;
	if (lane->left == 0 && lane->phase == FYKE_HTTP1_CHUNK)
		lane->phase = FYKE_HTTP1_CHUNK_END;
	else if (lane->left == 0)
		fyke_http1_end_message(reader, true,
			reader->side == FYKE_CLIENT && reader->state->turning != NULL ? FYKE_HTTP1_HELD
										      : FYKE_HTTP1_START);
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

/* Senders that say so and do not do so, at once; else it is lost. */
static void not_chunked(struct fyke_http1_reader *reader)
{
	struct fyke_http_message *message = &reader->lane->exchange->message[reader->side];

	if (message->body.open || reader->lane->skip_line) {
		fyke_http1_lose_track(reader);
		return;
	}
	message->chunked = false;
	fyke_http1_begin_body(reader, reader->side == FYKE_SERVER);
}

size_t fyke_http1_take_chunk_size(struct fyke_http1_reader *reader)
{
	struct fyke_http_slice line;
	size_t taken;
	int64_t size;

	if (!fyke_http1_take_line(reader, &line, &taken))
		return FYKE_HTTP1_WAIT;
	while (line.length > 0 && (uint8_t)*line.bytes <= ' ') {
		line.bytes++;
		line.length--;
	}
	size = chunk_size(line);
	if (size < 0) {
		not_chunked(reader);
		return 0;
	}
	reader->lane->left = (uint64_t)size;
	reader->lane->phase = size > 0 ? FYKE_HTTP1_CHUNK : FYKE_HTTP1_TRAILER;
	reader->lane->lines = 0;
	return taken;
}

size_t fyke_http1_take_chunk_end(struct fyke_http1_reader *reader)
{
	struct fyke_http_slice line;
	size_t taken;

	if (reader->bytes[0] != '\r' && reader->bytes[0] != '\n') {
		fyke_http1_lose_track(reader);
		return 0;
	}
	if (!fyke_http1_take_line(reader, &line, &taken))
		return FYKE_HTTP1_WAIT;
	reader->lane->phase = FYKE_HTTP1_CHUNK_SIZE;
	return taken;
}

size_t fyke_http1_take_trailer(struct fyke_http1_reader *reader)
{
	struct fyke_http_slice line;
	size_t taken;

	if (!fyke_http1_take_line(reader, &line, &taken))
		return FYKE_HTTP1_WAIT;
	if (line.length > 0 && reader->lane->lines++ < TRAILER_LINES)
		return taken;
	fyke_http1_end_message(reader, true,
		reader->side == FYKE_CLIENT && reader->state->turning != NULL ? FYKE_HTTP1_HELD
									      : FYKE_HTTP1_START);
	return taken;
}

void fyke_http1_miss_body(struct fyke_http1_reader *reader, uint64_t lost)
{
	struct fyke_http1_lane *lane = reader->lane;
	bool last = lane->phase == FYKE_HTTP1_BODY;

	fyke_http_miss_body(lane->exchange, reader->side, &reader->state->common,
		lane->phase != FYKE_HTTP1_REST && lost > lane->left ? lane->left : lost);
	if (lane->phase == FYKE_HTTP1_REST)
		return;
	if (lost > lane->left) {
		fyke_http1_lose_track(reader);
		return;
	}
	lane->left -= lost;
	if (lane->left == 0 && last)
		fyke_http1_end_message(reader, true, FYKE_HTTP1_START);
	else if (lane->left == 0)
		lane->phase = FYKE_HTTP1_CHUNK_END;
}
