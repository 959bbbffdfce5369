/*
 * What stands between Ethernet and its EtherType: 802.1Q and QinQ, the service tag of 802.1ah, Cisco's
 * VN-Tag, metadata header and FabricPath, 802.1BR's E-Tag, TRILL (RFC 6325), NSH (RFC 8300), and MACsec
 * (IEEE 802.1AE), which is read only where it protects integrity alone.
 */
#include "analyzer/decode/layers.h"

enum { LENGTH_MAX = 1500 };

/* A tag's own EtherType field, which may be an 802.3 length. */
static enum fyke_refusal decode_type(struct fyke_walk *walk, struct fyke_span *span)
{
	uint16_t type = fyke_cursor_u16(&span->in);

	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	if (type > LENGTH_MAX)
		return fyke_decode_ethertype(walk, span, type);
	fyke_span_limit(span, type);
	return fyke_decode_llc(walk, span);
}

enum fyke_refusal fyke_decode_vlan(struct fyke_walk *walk, struct fyke_span *span)
{
	uint16_t tag = fyke_cursor_u16(&span->in) & 0xfff;

	/* Identifier 0 carries a priority only and names no VLAN. */
	if (tag != 0)
		walk->vlan = (int16_t)tag;
	return decode_type(walk, span);
}

enum fyke_refusal fyke_decode_service_tag(struct fyke_walk *walk, struct fyke_span *span)
{
	fyke_cursor_skip(&span->in, 4);
	return fyke_decode_ethernet(walk, span);
}

enum fyke_refusal fyke_decode_vntag(struct fyke_walk *walk, struct fyke_span *span)
{
	fyke_cursor_skip(&span->in, 4);
	return decode_type(walk, span);
}

enum fyke_refusal fyke_decode_etag(struct fyke_walk *walk, struct fyke_span *span)
{
	fyke_cursor_skip(&span->in, 6);
	return decode_type(walk, span);
}

/* Version, length of the options in words, then the options: a word with the SGT as a rule. */
enum fyke_refusal fyke_decode_metadata(struct fyke_walk *walk, struct fyke_span *span)
{
	uint32_t length;

	fyke_cursor_skip(&span->in, 1);
	length = fyke_cursor_u8(&span->in);
	fyke_cursor_skip(&span->in, length == 0 ? 4 : length * 4);
	return decode_type(walk, span);
}

enum fyke_refusal fyke_decode_fabricpath(struct fyke_walk *walk, struct fyke_span *span)
{
	fyke_cursor_skip(&span->in, 2);
	return fyke_decode_ethernet(walk, span);
}

enum fyke_refusal fyke_decode_trill(struct fyke_walk *walk, struct fyke_span *span)
{
	uint16_t first = fyke_cursor_u16(&span->in);

	fyke_cursor_skip(&span->in, 4 + (first >> 6 & 0x1fu) * 4);
	return fyke_decode_ethernet(walk, span);
}

enum fyke_refusal fyke_decode_nsh(struct fyke_walk *walk, struct fyke_span *span)
{
	uint16_t first = fyke_cursor_u16(&span->in);
	uint32_t length = (first & 0x3fu) * 4;
	uint8_t next;

	fyke_cursor_skip(&span->in, 1);
	next = fyke_cursor_u8(&span->in);
	if (length < 8 || first >> 14 != 0 || !fyke_cursor_skip(&span->in, length - 4))
		return FYKE_REFUSAL_LINK_SHORT;
	if (!fyke_walk_step(walk))
		return FYKE_REFUSAL_TOO_DEEP;
	switch (next) {
	case 1:
		return fyke_decode_ipv4(walk, span);
	case 2:
		return fyke_decode_ipv6(walk, span);
	case 3:
		return fyke_decode_ethernet(walk, span);
	case 4:
		return fyke_decode_nsh(walk, span);
	case 5:
		return fyke_decode_mpls(walk, span);
	default:
		return FYKE_REFUSAL_NETWORK;
	}
}

enum fyke_refusal fyke_decode_macsec(struct fyke_walk *walk, struct fyke_span *span)
{
	uint8_t control = fyke_cursor_u8(&span->in), length = fyke_cursor_u8(&span->in) & 0x3f;

	fyke_cursor_skip(&span->in, 4 + (control & 0x20 ? 8 : 0));
	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	if ((control & 0x0c) != 0)
		return FYKE_REFUSAL_ENCRYPTED;
	if (length != 0)
		fyke_span_limit(span, length);
	else
		fyke_span_shorten(span, 16);
	return decode_type(walk, span);
}
