/*
 * User packets in GTP: version 1 (3GPP TS 29.281, G-PDU with its extension headers) and version 0 (GSM
 * 09.60, T-PDU), whose identifiers are the flow labels. What is no such message is an ordinary UDP
 * packet. Left out: Ethernet and PPP as user packets.
 */
#include "analyzer/decode/layers.h"

/* PDU sessions may also carry Ethernet or PPP, of which nothing here tells. */
static enum fyke_refusal decode_user_packet(struct fyke_walk *walk, struct fyke_span *span, uint32_t id)
{
	uint8_t version = fyke_span_peek(span) >> 4;

	if (version != 4 && version != 6)
		return FYKE_REFUSAL_NETWORK;
	fyke_walk_tunnel(walk, FYKE_TUNNEL_GTPU, id, true);
	return fyke_decode_ip(walk, span);
}

/* TS 29.281 §5.2.1: each extension gives its length in words and ends in the next one's type. */
static bool skip_gtp_extensions(struct fyke_cursor *c, uint8_t type)
{
	while (type != 0) {
		uint32_t length = fyke_cursor_u8(c) * 4u;

		if (length == 0 || !fyke_cursor_skip(c, length - 2))
			return false;
		type = fyke_cursor_u8(c);
	}
	return fyke_cursor_ok(c);
}

enum fyke_refusal fyke_decode_gtpu(struct fyke_walk *walk, struct fyke_span *span)
{
	struct fyke_span ahead = *span;
	uint8_t flags = fyke_cursor_u8(&ahead.in), type = fyke_cursor_u8(&ahead.in), extension;
	uint16_t length = fyke_cursor_u16(&ahead.in);
	uint32_t teid = fyke_cursor_u32(&ahead.in);

	if (!fyke_cursor_ok(&ahead.in) || (flags & 0xf8) != 0x30 || type != 0xff ||
		length > fyke_span_length(&ahead))
		return FYKE_REFUSAL_NONE;
	fyke_span_limit(&ahead, length);
	if ((flags & 0x07) != 0) {
		fyke_cursor_skip(&ahead.in, 3);
		extension = fyke_cursor_u8(&ahead.in);
		if (!skip_gtp_extensions(&ahead.in, (flags & 0x04) != 0 ? extension : 0))
			return FYKE_REFUSAL_LINK_SHORT;
	}
	return decode_user_packet(walk, &ahead, teid);
}

/* GSM 09.60 §6: 20 bytes, with spare bits of ones; GTP' has no user packets and another protocol type. */
enum fyke_refusal fyke_decode_gtp_version0(struct fyke_walk *walk, struct fyke_span *span)
{
	struct fyke_span ahead = *span;
	uint8_t flags = fyke_cursor_u8(&ahead.in), type = fyke_cursor_u8(&ahead.in);
	uint16_t length = fyke_cursor_u16(&ahead.in), flow;

	fyke_cursor_skip(&ahead.in, 2);
	flow = fyke_cursor_u16(&ahead.in);
	if (!fyke_cursor_skip(&ahead.in, 12) || (flags & 0xfe) != 0x1e || type != 0xff ||
		length > fyke_span_length(&ahead))
		return FYKE_REFUSAL_NONE;
	fyke_span_limit(&ahead, length);
	return decode_user_packet(walk, &ahead, flow);
}
