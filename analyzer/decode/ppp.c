/*
 * PPP (RFC 1661) bare and in HDLC framing (RFC 1662) with both field compressions, PPPoE (RFC 2516),
 * bridging (RFC 3518), whole multilink packets (RFC 1990), and Cisco's HDLC. Left out: Van Jacobson
 * compression, multilink fragments.
 */
#include "analyzer/decode/layers.h"

enum {
	PPP_IPV4 = 0x0021,
	PPP_BRIDGED = 0x0031,
	PPP_MULTILINK = 0x003d,
	PPP_ENCRYPTED = 0x0053,
	PPP_IPV6 = 0x0057,
	PPP_MPLS = 0x0281,
	PPP_MPLS_MULTICAST = 0x0283,
	PPP_CONTROL = 0x8000,
	PPP_LOW_TRAFFIC = 0x4000,
	CISCO_UNICAST = 0x0f,
	CISCO_MULTICAST = 0x8f,
	CISCO_SLARP = 0x8035,
	CISCO_CDP = 0x2000,
	CISCO_ISO = 0xfefe,
};

/* RFC 1661 §2: the first of two bytes is even, so an odd first byte is a compressed protocol. */
static uint16_t read_protocol(struct fyke_cursor *c)
{
	uint8_t first = fyke_cursor_u8(c);

	if ((first & 1) != 0)
		return first;
	return (uint16_t)(first << 8 | fyke_cursor_u8(c));
}

static void skip_framing(struct fyke_cursor *c)
{
	struct fyke_cursor ahead = *c;

	if (fyke_cursor_u16(&ahead) == 0xff03)
		*c = ahead;
}

bool fyke_ppp_is_plausible(const struct fyke_span *span)
{
	struct fyke_cursor c = span->in;
	uint16_t protocol;

	skip_framing(&c);
	protocol = read_protocol(&c);
	/* RFC 1661 §2: the last byte is odd */
	return fyke_cursor_ok(&c) && (protocol & 1) != 0 && protocol != 1;
}

static enum fyke_refusal decode_bridged(struct fyke_walk *walk, struct fyke_span *span)
{
	uint8_t flags = fyke_cursor_u8(&span->in), mac_type = fyke_cursor_u8(&span->in);

	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	if (mac_type != 1)
		return FYKE_REFUSAL_NETWORK;
	fyke_span_shorten(span, flags & 15);
	if ((flags & 0x80) != 0)
		fyke_span_shorten(span, 4);
	return fyke_decode_ethernet(walk, span);
}

static enum fyke_refusal decode_multilink(struct fyke_walk *walk, struct fyke_span *span)
{
	uint32_t header = fyke_cursor_u32(&span->in);

	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	return header >> 30 == 3 ? fyke_decode_ppp(walk, span) : FYKE_REFUSAL_NETWORK;
}

enum fyke_refusal fyke_decode_ppp(struct fyke_walk *walk, struct fyke_span *span)
{
	uint16_t protocol;

	if (!fyke_walk_step(walk))
		return FYKE_REFUSAL_TOO_DEEP;
	skip_framing(&span->in);
	protocol = read_protocol(&span->in);
	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	switch (protocol) {
	case PPP_IPV4:
		return fyke_decode_ipv4(walk, span);
	case PPP_IPV6:
		return fyke_decode_ipv6(walk, span);
	case PPP_MPLS:
	case PPP_MPLS_MULTICAST:
		return fyke_decode_mpls(walk, span);
	case PPP_MULTILINK:
		return decode_multilink(walk, span);
	case PPP_BRIDGED:
		return decode_bridged(walk, span);
	case PPP_ENCRYPTED:
		return FYKE_REFUSAL_ENCRYPTED;
	default:
		return protocol >= PPP_LOW_TRAFFIC ? FYKE_REFUSAL_LINK_CONTROL : FYKE_REFUSAL_NETWORK;
	}
}

enum fyke_refusal fyke_decode_cisco_hdlc(struct fyke_walk *walk, struct fyke_span *span)
{
	uint16_t protocol;

	fyke_cursor_skip(&span->in, 2);
	protocol = fyke_cursor_u16(&span->in);
	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	if (protocol == CISCO_SLARP || protocol == CISCO_CDP)
		return FYKE_REFUSAL_LINK_CONTROL;
	return protocol == CISCO_ISO ? FYKE_REFUSAL_NETWORK : fyke_decode_ethertype(walk, span, protocol);
}

/* Captures of serial lines hold either framing. */
enum fyke_refusal fyke_decode_ppp_hdlc(struct fyke_walk *walk, struct fyke_span *span)
{
	uint8_t address = fyke_span_peek(span);

	if (address == CISCO_UNICAST || address == CISCO_MULTICAST)
		return fyke_decode_cisco_hdlc(walk, span);
	return fyke_decode_ppp(walk, span);
}

enum fyke_refusal fyke_decode_ppp_direction(struct fyke_walk *walk, struct fyke_span *span)
{
	fyke_cursor_skip(&span->in, 1);
	return fyke_decode_ppp_hdlc(walk, span);
}

/* The direction stands in the place of the address. */
enum fyke_refusal fyke_decode_pppd(struct fyke_walk *walk, struct fyke_span *span)
{
	struct fyke_cursor ahead = span->in;
	uint8_t direction = fyke_cursor_u8(&ahead);

	if (direction <= 1 && fyke_cursor_u8(&ahead) == 0x03)
		span->in = ahead;
	return fyke_decode_ppp(walk, span);
}

enum fyke_refusal fyke_decode_cisco_hdlc_direction(struct fyke_walk *walk, struct fyke_span *span)
{
	fyke_cursor_skip(&span->in, 1);
	return fyke_decode_cisco_hdlc(walk, span);
}

enum fyke_refusal fyke_decode_pppoe(struct fyke_walk *walk, struct fyke_span *span)
{
	uint8_t version = fyke_cursor_u8(&span->in), code = fyke_cursor_u8(&span->in);
	uint16_t length;

	fyke_cursor_skip(&span->in, 2);
	length = fyke_cursor_u16(&span->in);
	if (!fyke_cursor_ok(&span->in) || version != 0x11)
		return FYKE_REFUSAL_LINK_SHORT;
	if (code != 0)
		return FYKE_REFUSAL_LINK_CONTROL;
	fyke_span_limit(span, length);
	return fyke_decode_ppp(walk, span);
}
