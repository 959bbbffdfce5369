/*
 * What is left of a frame at one layer: a cursor over the captured bytes, and how many more bytes the
 * wire had behind them.
 *
 *   |<------- length on the wire ------->|
 *   |<-- in: captured -->|<---- cut ---->|
 *
 * No header makes a span longer: what it states beyond the end of the layer around it is not there.
 */
#ifndef FYKE_DECODE_SPAN_H
#define FYKE_DECODE_SPAN_H

#include "analyzer/base/cursor.h"

struct fyke_span {
	struct fyke_cursor in;
	uint32_t cut;
	bool overstated; /* the IP header states more than the wire had */
};

static inline struct fyke_span fyke_span(const uint8_t *data, uint32_t captured, uint32_t length)
{
	return (struct fyke_span){
		fyke_cursor(data, captured), length > captured ? length - captured : 0, false};
}

/* Captured bytes that are left; frames are far below 4 GiB. */
static inline uint32_t fyke_span_captured(const struct fyke_span *span)
{
	return (uint32_t)fyke_cursor_left(&span->in);
}

/* Bytes on the wire that are left. */
static inline uint32_t fyke_span_length(const struct fyke_span *span)
{
	uint32_t length;

	return __builtin_add_overflow(fyke_span_captured(span), span->cut, &length) ? UINT32_MAX : length;
}

/* Ends the span after `length` bytes if it is longer: what follows is padding or a trailer. */
static inline void fyke_span_limit(struct fyke_span *span, uint32_t length)
{
	uint32_t captured = fyke_span_captured(span);

	if (length >= fyke_span_length(span))
		return;
	if (length >= captured) {
		span->cut = length - captured;
		return;
	}
	span->in.end = span->in.at + length;
	span->cut = 0;
}

/* An IP header states `length` bytes behind it: as many of them as the wire had. */
static inline uint32_t fyke_span_state(struct fyke_span *span, uint32_t length)
{
	uint32_t there = fyke_span_length(span);

	span->overstated = length > there;
	fyke_span_limit(span, length);
	return length < there ? length : there;
}

/* Takes `length` bytes off the end, such as a frame check sequence. */
static inline void fyke_span_shorten(struct fyke_span *span, uint32_t length)
{
	uint32_t all = fyke_span_length(span);

	fyke_span_limit(span, all > length ? all - length : 0);
}

/* The next byte without taking it; 0 where there is none. */
static inline uint8_t fyke_span_peek(const struct fyke_span *span)
{
	struct fyke_cursor ahead = span->in;

	return fyke_cursor_u8(&ahead);
}

#endif
