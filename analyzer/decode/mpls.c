/*
 * MPLS label stacks (RFC 3032) and what is below them: IP by the version nibble, or an Ethernet
 * pseudowire (RFC 4448) with or without a control word (RFC 4385). Nothing on the wire says which; an
 * Ethernet header must look like one. Left out: other pseudowires.
 */
#include "analyzer/decode/layers.h"

enum { BOTTOM = 0x100 };

static bool looks_like_ip(const struct fyke_span *span)
{
	struct fyke_cursor c = span->in;
	uint8_t first = fyke_cursor_u8(&c);
	uint16_t length;

	if (first >> 4 == 6) {
		fyke_cursor_skip(&c, 3);
		length = fyke_cursor_u16(&c);
		return fyke_cursor_ok(&c) && length + 40u <= fyke_span_length(span);
	}
	fyke_cursor_skip(&c, 1);
	length = fyke_cursor_u16(&c);
	return first >> 4 == 4 && (first & 15) >= 5 && (length == 0 || length <= fyke_span_length(span));
}

/* A control word begins with four zero bits, as may a MAC address. */
static enum fyke_refusal decode_pseudowire(struct fyke_walk *walk, struct fyke_span *span, uint8_t nibble)
{
	struct fyke_span behind = *span;
	unsigned with_word = 0, without = fyke_ethernet_likeness(span->in);

	if (nibble == 0 && fyke_cursor_skip(&behind.in, 4))
		with_word = fyke_ethernet_likeness(behind.in);
	if (with_word > 0 && with_word >= without)
		return fyke_decode_ethernet(walk, &behind);
	if (without > 0)
		return fyke_decode_ethernet(walk, span);
	return nibble == 1 ? FYKE_REFUSAL_LINK_CONTROL : FYKE_REFUSAL_NETWORK;
}

static enum fyke_refusal decode_below(struct fyke_walk *walk, struct fyke_span *span)
{
	uint8_t nibble = fyke_span_peek(span) >> 4;

	if (fyke_cursor_left(&span->in) == 0)
		return FYKE_REFUSAL_LINK_SHORT;
	if (nibble != 4 && nibble != 6)
		return decode_pseudowire(walk, span, nibble);
	if (!looks_like_ip(span) && fyke_ethernet_likeness(span->in) > 0)
		return fyke_decode_ethernet(walk, span);
	return fyke_decode_ip(walk, span);
}

enum fyke_refusal fyke_decode_mpls(struct fyke_walk *walk, struct fyke_span *span)
{
	uint32_t label;

	do {
		label = fyke_cursor_u32(&span->in);
		if (!fyke_cursor_ok(&span->in))
			return FYKE_REFUSAL_LINK_SHORT;
		if (!fyke_walk_step(walk))
			return FYKE_REFUSAL_TOO_DEEP;
	} while ((label & BOTTOM) == 0);
	return decode_below(walk, span);
}
