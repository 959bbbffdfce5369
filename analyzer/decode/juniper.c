/*
 * Juniper's capture header: magic, flags, extensions, then the link's own header or, where that is
 * stripped, a word and an IP packet. Left out: the cookies of service cards, whose packets are refused
 * unless the link header is absent.
 */
#include "analyzer/decode/layers.h"

enum { MAGIC = 0x4d4743, NO_LINK_HEADER = 0x02, HAS_EXTENSIONS = 0x80 };

/* False where the header is none. */
static bool read_header(struct fyke_span *span, uint8_t *flags)
{
	uint32_t magic = fyke_cursor_u24(&span->in);

	*flags = fyke_cursor_u8(&span->in);
	if (magic != MAGIC)
		return false;
	if ((*flags & HAS_EXTENSIONS) != 0)
		fyke_cursor_skip(&span->in, fyke_cursor_u16(&span->in));
	if ((*flags & NO_LINK_HEADER) != 0)
		fyke_cursor_skip(&span->in, 4);
	return fyke_cursor_ok(&span->in);
}

static enum fyke_refusal decode(struct fyke_walk *walk, struct fyke_span *span, fyke_layer *layer)
{
	uint8_t flags;

	if (!read_header(span, &flags))
		return FYKE_REFUSAL_LINK_SHORT;
	if ((flags & NO_LINK_HEADER) != 0)
		return fyke_decode_ip(walk, span);
	return layer == NULL ? FYKE_REFUSAL_LINK_TYPE : layer(walk, span);
}

enum fyke_refusal fyke_decode_juniper(struct fyke_walk *walk, struct fyke_span *span)
{
	return decode(walk, span, NULL);
}

enum fyke_refusal fyke_decode_juniper_ethernet(struct fyke_walk *walk, struct fyke_span *span)
{
	return decode(walk, span, fyke_decode_ethernet);
}

enum fyke_refusal fyke_decode_juniper_ppp(struct fyke_walk *walk, struct fyke_span *span)
{
	return decode(walk, span, fyke_decode_ppp);
}

enum fyke_refusal fyke_decode_juniper_frame_relay(struct fyke_walk *walk, struct fyke_span *span)
{
	return decode(walk, span, fyke_decode_frame_relay);
}

enum fyke_refusal fyke_decode_juniper_hdlc(struct fyke_walk *walk, struct fyke_span *span)
{
	return decode(walk, span, fyke_decode_cisco_hdlc);
}
