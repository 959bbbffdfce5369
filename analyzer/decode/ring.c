/*
 * Local networks that are no Ethernet: FDDI, Token Ring, ARCNET (RFC 1051, RFC 1201), IP over IEEE 1394
 * (RFC 2734), Fibre Channel (RFC 2625) and InfiniBand (RFC 4391). Left out: ARCNET frames in several parts
 * other than as Linux puts them together.
 */
#include "analyzer/decode/layers.h"

enum {
	ARCNET_IP_OLD = 240,
	ARCNET_ARP_OLD = 241,
	ARCNET_IP = 212,
	ARCNET_ARP = 213,
	ARCNET_RARP = 214,
	ARCNET_IPV6 = 196
};

enum fyke_refusal fyke_decode_fddi(struct fyke_walk *walk, struct fyke_span *span)
{
	uint8_t control = fyke_cursor_u8(&span->in);

	walk->destination_mac = fyke_cursor_take(&span->in, 6);
	walk->source_mac = fyke_cursor_take(&span->in, 6);
	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	/* LLC frames, asynchronous or synchronous */
	if ((control & 0x70) != 0x50)
		return FYKE_REFUSAL_LINK_CONTROL;
	return fyke_decode_llc(walk, span);
}

enum fyke_refusal fyke_decode_token_ring(struct fyke_walk *walk, struct fyke_span *span)
{
	uint8_t control, first;

	fyke_cursor_skip(&span->in, 1);
	control = fyke_cursor_u8(&span->in);
	walk->destination_mac = fyke_cursor_take(&span->in, 6);
	first = fyke_span_peek(span);
	walk->source_mac = fyke_cursor_take(&span->in, 6);
	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	if ((control & 0xc0) != 0x40)
		return FYKE_REFUSAL_LINK_CONTROL;
	/* A group bit in the source: routing information follows, its length counts itself. */
	if ((first & 0x80) != 0) {
		uint32_t length = fyke_span_peek(span) & 0x1f;

		if (length < 2 || !fyke_cursor_skip(&span->in, length))
			return FYKE_REFUSAL_LINK_SHORT;
	}
	return fyke_decode_llc(walk, span);
}

static enum fyke_refusal decode_arcnet(struct fyke_walk *walk, struct fyke_span *span, bool is_bsd)
{
	uint8_t type = fyke_cursor_u8(&span->in), flag;

	if (type == ARCNET_IP_OLD)
		return fyke_cursor_ok(&span->in) ? fyke_decode_ipv4(walk, span) : FYKE_REFUSAL_LINK_SHORT;
	if (type == ARCNET_ARP_OLD || type == ARCNET_ARP || type == ARCNET_RARP)
		return FYKE_REFUSAL_ARP;
	flag = fyke_cursor_u8(&span->in);
	fyke_cursor_skip(&span->in, is_bsd && flag == 0xff ? 5 : 2);
	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	/* A part of a split packet: an odd flag begins one, an even one continues it. */
	if (is_bsd && flag != 0 && flag != 0xff)
		return FYKE_REFUSAL_LINK_SHORT;
	if (type == ARCNET_IP)
		return fyke_decode_ipv4(walk, span);
	return type == ARCNET_IPV6 ? fyke_decode_ipv6(walk, span) : FYKE_REFUSAL_NETWORK;
}

enum fyke_refusal fyke_decode_arcnet_bsd(struct fyke_walk *walk, struct fyke_span *span)
{
	fyke_cursor_skip(&span->in, 2);
	return decode_arcnet(walk, span, true);
}

enum fyke_refusal fyke_decode_arcnet_linux(struct fyke_walk *walk, struct fyke_span *span)
{
	fyke_cursor_skip(&span->in, 4);
	return decode_arcnet(walk, span, false);
}

enum fyke_refusal fyke_decode_ieee1394(struct fyke_walk *walk, struct fyke_span *span)
{
	uint16_t type;

	fyke_cursor_skip(&span->in, 16);
	type = fyke_cursor_u16(&span->in);
	return fyke_cursor_ok(&span->in) ? fyke_decode_ethertype(walk, span, type) : FYKE_REFUSAL_LINK_SHORT;
}

enum fyke_refusal fyke_decode_ip_over_fc(struct fyke_walk *walk, struct fyke_span *span)
{
	fyke_cursor_skip(&span->in, 2);
	walk->destination_mac = fyke_cursor_take(&span->in, 6);
	fyke_cursor_skip(&span->in, 2);
	walk->source_mac = fyke_cursor_take(&span->in, 6);
	return fyke_decode_llc(walk, span);
}

/* A global routing header of 40 bytes, then RFC 4391's type and two reserved bytes. */
enum fyke_refusal fyke_decode_ipoib(struct fyke_walk *walk, struct fyke_span *span)
{
	uint16_t type;

	fyke_cursor_skip(&span->in, 40);
	type = fyke_cursor_u16(&span->in);
	fyke_cursor_skip(&span->in, 2);
	return fyke_cursor_ok(&span->in) ? fyke_decode_ethertype(walk, span, type) : FYKE_REFUSAL_LINK_SHORT;
}
