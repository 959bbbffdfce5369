/*
 * GRE (RFC 2784, RFC 2890, RFC 1701 routing), its PPTP form (RFC 2637) and ERSPAN I to III
 * (draft-foschiano-erspan), which are told apart by the GRE header and their own version.
 */
#include "analyzer/decode/layers.h"

enum {
	HAS_CHECKSUM = 0x8000,
	HAS_ROUTING = 0x4000,
	HAS_KEY = 0x2000,
	HAS_SEQUENCE = 0x1000,
	HAS_ACK = 0x0080,
	VERSION = 0x0007,
	TYPE_BRIDGED = 0x6558,
	TYPE_ERSPAN = 0x88be,
	TYPE_ERSPAN3 = 0x22eb,
	TYPE_WCCP = 0x883e,
	TYPE_PPP = 0x880b,
	ROUTES_MAX = 32,
};

/* RFC 1701: source route entries up to an empty one. */
static bool skip_routes(struct fyke_cursor *c)
{
	for (int i = 0; i < ROUTES_MAX; i++) {
		uint16_t family = fyke_cursor_u16(c);
		uint32_t length;

		fyke_cursor_skip(c, 1);
		length = fyke_cursor_u8(c);
		if (!fyke_cursor_skip(c, length))
			return false;
		if (family == 0 && length == 0)
			return true;
	}
	return false;
}

static enum fyke_refusal decode_erspan(struct fyke_walk *walk, struct fyke_span *span, bool has_header)
{
	uint32_t first, platform;

	if (!has_header) {
		fyke_walk_tunnel(walk, FYKE_TUNNEL_ERSPAN, 0, false);
		return fyke_decode_tunnelled_ethernet(walk, span);
	}
	first = fyke_cursor_u32(&span->in);
	fyke_cursor_skip(&span->in, 4);
	platform = 0;
	if (first >> 28 == 2) {
		fyke_cursor_skip(&span->in, 2);
		platform = fyke_cursor_u16(&span->in);
		if ((platform & 1) != 0)
			fyke_cursor_skip(&span->in, 8);
	}
	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	if (first >> 28 != 1 && first >> 28 != 2)
		return FYKE_REFUSAL_NETWORK;
	fyke_walk_tunnel(walk, FYKE_TUNNEL_ERSPAN, first & 0x3ff, true);
	/* The frame type of ERSPAN III: Ethernet or IP */
	if ((platform >> 10 & 0x1f) == 2)
		return fyke_decode_ip(walk, span);
	return fyke_decode_tunnelled_ethernet(walk, span);
}

/* WCCP version 2 puts a redirect header of four bytes before the packet. */
static enum fyke_refusal decode_wccp(struct fyke_walk *walk, struct fyke_span *span)
{
	if (fyke_span_peek(span) >> 4 != 4)
		fyke_cursor_skip(&span->in, 4);
	return fyke_decode_ip(walk, span);
}

/* Access points of Aruba's send 802.11 frames in these types, one for each queue. */
static bool is_aruba(uint16_t type)
{
	return (type & 0xfe0f) == 0x8200 || type == 0x9000;
}

static enum fyke_refusal decode_type(
	struct fyke_walk *walk, struct fyke_span *span, uint16_t flags, uint16_t type)
{
	switch (type) {
	case 0: /* keep-alives of Cisco routers */
		return FYKE_REFUSAL_LINK_CONTROL;
	case TYPE_ERSPAN:
		return decode_erspan(walk, span, (flags & HAS_SEQUENCE) != 0);
	case TYPE_ERSPAN3:
		return decode_erspan(walk, span, true);
	case TYPE_BRIDGED:
		return fyke_decode_tunnelled_ethernet(walk, span);
	case TYPE_WCCP:
		return decode_wccp(walk, span);
	default:
		if (is_aruba(type))
			return fyke_decode_wlan(walk, span);
		return fyke_decode_ethertype(walk, span, type);
	}
}

/* PPTP: the key is the payload's length and a call identifier, which differs in each direction. */
static enum fyke_refusal decode_pptp(
	struct fyke_walk *walk, struct fyke_span *span, uint16_t flags, uint16_t type)
{
	uint16_t length = fyke_cursor_u16(&span->in);

	fyke_cursor_skip(&span->in, 2);
	if ((flags & HAS_SEQUENCE) != 0)
		fyke_cursor_skip(&span->in, 4);
	if ((flags & HAS_ACK) != 0)
		fyke_cursor_skip(&span->in, 4);
	if (!fyke_cursor_ok(&span->in) || type != TYPE_PPP)
		return FYKE_REFUSAL_LINK_SHORT;
	fyke_span_limit(span, length);
	if (fyke_span_length(span) == 0)
		return FYKE_REFUSAL_LINK_CONTROL;
	fyke_walk_tunnel(walk, FYKE_TUNNEL_GRE, 0, false);
	return fyke_decode_ppp(walk, span);
}

enum fyke_refusal fyke_decode_gre(struct fyke_walk *walk, struct fyke_span *span)
{
	uint16_t flags = fyke_cursor_u16(&span->in), type = fyke_cursor_u16(&span->in);
	bool has_key = (flags & HAS_KEY) != 0;
	uint32_t key = 0;

	if (!fyke_walk_step(walk))
		return FYKE_REFUSAL_TOO_DEEP;
	if ((flags & VERSION) == 1)
		return decode_pptp(walk, span, flags, type);
	if ((flags & VERSION) != 0)
		return FYKE_REFUSAL_NETWORK;
	if ((flags & (HAS_CHECKSUM | HAS_ROUTING)) != 0)
		fyke_cursor_skip(&span->in, 4);
	if (has_key)
		key = fyke_cursor_u32(&span->in);
	if ((flags & HAS_SEQUENCE) != 0)
		fyke_cursor_skip(&span->in, 4);
	if ((flags & HAS_ROUTING) != 0 && !skip_routes(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	fyke_walk_tunnel(walk, FYKE_TUNNEL_GRE, key, has_key);
	return decode_type(walk, span, flags, type);
}
