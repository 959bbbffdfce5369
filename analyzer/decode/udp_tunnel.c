/*
 * Tunnels in UDP, known by a port of either side and a header that must be right in every bit that the
 * standard fixes: VXLAN (RFC 7348), VXLAN-GPE, GENEVE (RFC 8926), L2TP (RFC 2661), GRE (RFC 8086), MPLS
 * (RFC 7510) and AYIYA; GTP and CAPWAP stand in gtp.c and capwap.c. Teredo (RFC 4380) is also seen on other
 * ports, there with addresses that only Teredo has. What fails the check is an ordinary UDP packet.
 */
#include "analyzer/decode/layers.h"

enum {
	PORT_L2TP = 1701,
	PORT_GTPU = 2152,
	PORT_GTP_VERSION0 = 3386,
	PORT_TEREDO = 3544,
	PORT_VXLAN = 4789,
	PORT_VXLAN_GPE = 4790,
	PORT_GRE = 4754,
	PORT_AYIYA = 5072,
	PORT_CAPWAP_DATA = 5247,
	PORT_GENEVE = 6081,
	PORT_MPLS = 6635,
	PORT_VXLAN_LINUX = 8472,
	TYPE_BRIDGED = 0x6558,
	TYPE_IPV4 = 0x0800,
	TYPE_IPV6 = 0x86dd,
	TYPE_MPLS = 0x8847,
	TYPE_NSH = 0x894f,
};

/* 802.3 and 802.1Q frames in a tunnel need a header's worth of bytes. */
enum { ETHERNET_HEADER = 14, LABELS_MAX = 16, LABEL_BOTTOM = 0x100 };

/* Bits other than I are ignored on receipt (RFC 7348 §5) and used by extensions; then an inner header
 * must show that this is VXLAN. */
static enum fyke_refusal decode_vxlan(struct fyke_walk *walk, struct fyke_span *span)
{
	struct fyke_span ahead = *span;
	uint8_t flags = fyke_cursor_u8(&ahead.in);
	uint32_t reserved = fyke_cursor_u24(&ahead.in), vni = fyke_cursor_u24(&ahead.in);

	reserved |= fyke_cursor_u8(&ahead.in);
	if ((flags & 0x08) == 0 || !fyke_cursor_ok(&ahead.in) || fyke_span_length(&ahead) < ETHERNET_HEADER)
		return FYKE_REFUSAL_NONE;
	if ((flags != 0x08 || reserved != 0) && fyke_ethernet_likeness(ahead.in) == 0)
		return FYKE_REFUSAL_NONE;
	fyke_walk_tunnel(walk, FYKE_TUNNEL_VXLAN, vni, true);
	return fyke_decode_tunnelled_ethernet(walk, &ahead);
}

/* draft-ietf-nvo3-vxlan-gpe §3.1; without a next protocol it is Ethernet. */
static enum fyke_refusal decode_vxlan_gpe(struct fyke_walk *walk, struct fyke_span *span)
{
	struct fyke_span ahead = *span;
	uint8_t flags = fyke_cursor_u8(&ahead.in), next;
	uint16_t reserved = fyke_cursor_u16(&ahead.in);
	uint32_t vni;

	next = fyke_cursor_u8(&ahead.in);
	vni = fyke_cursor_u24(&ahead.in);
	if (fyke_cursor_u8(&ahead.in) != 0 || !fyke_cursor_ok(&ahead.in) || (flags & 0xf8) != 0x08 ||
		reserved != 0)
		return FYKE_REFUSAL_NONE;
	fyke_walk_tunnel(walk, FYKE_TUNNEL_VXLAN, vni, true);
	switch (next) {
	case 0:
	case 3:
		return fyke_decode_tunnelled_ethernet(walk, &ahead);
	case 1:
		return fyke_decode_ipv4(walk, &ahead);
	case 2:
		return fyke_decode_ipv6(walk, &ahead);
	case 4:
		return fyke_decode_nsh(walk, &ahead);
	case 5:
		return fyke_decode_mpls(walk, &ahead);
	default:
		return FYKE_REFUSAL_NETWORK;
	}
}

static enum fyke_refusal decode_geneve(struct fyke_walk *walk, struct fyke_span *span)
{
	struct fyke_span ahead = *span;
	uint8_t first = fyke_cursor_u8(&ahead.in), flags = fyke_cursor_u8(&ahead.in);
	uint16_t type = fyke_cursor_u16(&ahead.in);
	uint32_t vni = fyke_cursor_u24(&ahead.in);

	if (fyke_cursor_u8(&ahead.in) != 0 || first >> 6 != 0 || (flags & 0x3f) != 0 ||
		(type != TYPE_BRIDGED && !fyke_ethertype_is_known(type)) ||
		!fyke_cursor_skip(&ahead.in, (first & 0x3fu) * 4))
		return FYKE_REFUSAL_NONE;
	fyke_walk_tunnel(walk, FYKE_TUNNEL_GENEVE, vni, true);
	if (type == TYPE_BRIDGED)
		return fyke_decode_tunnelled_ethernet(walk, &ahead);
	return fyke_decode_ethertype(walk, &ahead, type);
}

enum {
	L2TP_CONTROL = 0x8000,
	L2TP_LENGTH = 0x4000,
	L2TP_SEQUENCE = 0x0800,
	L2TP_OFFSET = 0x0200,
	L2TP_RESERVED = 0x34f0
};

static enum fyke_refusal decode_l2tp(struct fyke_walk *walk, struct fyke_span *span)
{
	struct fyke_span ahead = *span;
	uint16_t flags = fyke_cursor_u16(&ahead.in), session, length;

	if ((flags & 0x000f) != 2 || (flags & (L2TP_CONTROL | L2TP_RESERVED)) != 0)
		return FYKE_REFUSAL_NONE;
	if ((flags & L2TP_LENGTH) != 0) {
		length = fyke_cursor_u16(&ahead.in);
		if (length > fyke_span_length(span) || length < 8)
			return FYKE_REFUSAL_NONE;
		fyke_span_limit(&ahead, length - 4u);
	}
	fyke_cursor_skip(&ahead.in, 2);
	session = fyke_cursor_u16(&ahead.in);
	if ((flags & L2TP_SEQUENCE) != 0)
		fyke_cursor_skip(&ahead.in, 4);
	if ((flags & L2TP_OFFSET) != 0)
		fyke_cursor_skip(&ahead.in, fyke_cursor_u16(&ahead.in));
	if (!fyke_cursor_ok(&ahead.in) || !fyke_ppp_is_plausible(&ahead))
		return FYKE_REFUSAL_NONE;
	fyke_walk_tunnel(walk, FYKE_TUNNEL_L2TP, session, true);
	return fyke_decode_ppp(walk, &ahead);
}

/* AYIYA (draft-massar-v6ops-ayiya-02): identity and signature of announced sizes, then IPv6 or IPv4. */
static enum fyke_refusal decode_ayiya(struct fyke_walk *walk, struct fyke_span *span)
{
	struct fyke_span ahead = *span;
	uint8_t identity = fyke_cursor_u8(&ahead.in), signature = fyke_cursor_u8(&ahead.in);
	uint8_t operation = fyke_cursor_u8(&ahead.in), next = fyke_cursor_u8(&ahead.in);

	/* Identities of 16 bytes or less, three kinds of hash, operation "forward". */
	if (identity >> 4 > 4 || (signature & 15) > 3 || (operation & 15) != 1 || (next != 41 && next != 4))
		return FYKE_REFUSAL_NONE;
	if (!fyke_cursor_skip(&ahead.in, 4 + (1u << (identity >> 4)) + (signature >> 4) * 4u))
		return FYKE_REFUSAL_NONE;
	if (fyke_span_peek(&ahead) >> 4 != (next == 4 ? 4 : 6))
		return FYKE_REFUSAL_NONE;
	fyke_walk_tunnel(walk, FYKE_TUNNEL_AYIYA, 0, false);
	return fyke_decode_ip(walk, &ahead);
}

/* RFC 4380 §5.1.1: authentication and origin may stand before the IPv6 header. */
static void skip_teredo_indications(struct fyke_cursor *c)
{
	struct fyke_cursor ahead = *c;

	if (fyke_cursor_u16(&ahead) == 0x0001) {
		uint32_t client = fyke_cursor_u8(&ahead), value = fyke_cursor_u8(&ahead);

		if (!fyke_cursor_skip(&ahead, client + value + 9))
			return;
		*c = ahead;
	}
	ahead = *c;
	if (fyke_cursor_u16(&ahead) == 0x0000 && fyke_cursor_skip(&ahead, 6))
		*c = ahead;
}

/* Addresses of Teredo clients (2001::/32), or link-local ones while they qualify. */
static bool is_teredo_address(const uint8_t *address)
{
	struct fyke_cursor c = fyke_cursor(address, 16);
	uint32_t prefix = fyke_cursor_u32(&c);

	return prefix == 0x20010000 || prefix == 0xfe800000;
}

static bool is_teredo(const struct fyke_span *span, bool by_port)
{
	struct fyke_cursor c = span->in;
	uint32_t first = fyke_cursor_u32(&c), length = fyke_cursor_u16(&c) + 40u;
	const uint8_t *source, *destination;

	fyke_cursor_skip(&c, 2);
	source = fyke_cursor_take(&c, 16);
	destination = fyke_cursor_take(&c, 16);
	if (!fyke_cursor_ok(&c) || first >> 28 != 6)
		return false;
	/* RFC 6081 lets trailers follow on the service's own port. */
	if (by_port)
		return length <= fyke_span_length(span);
	return length == fyke_span_length(span) &&
	       (is_teredo_address(source) || is_teredo_address(destination));
}

static enum fyke_refusal decode_teredo(struct fyke_walk *walk, struct fyke_span *span, bool by_port)
{
	struct fyke_span ahead = *span;

	skip_teredo_indications(&ahead.in);
	if (!is_teredo(&ahead, by_port))
		return FYKE_REFUSAL_NONE;
	fyke_walk_tunnel(walk, FYKE_TUNNEL_TEREDO, 0, false);
	return fyke_decode_ipv6(walk, &ahead);
}

/* Version 0 without routing, and something that GRE carries. */
static enum fyke_refusal decode_gre(struct fyke_walk *walk, struct fyke_span *span)
{
	struct fyke_cursor c = span->in;
	uint16_t flags = fyke_cursor_u16(&c), type = fyke_cursor_u16(&c);

	if ((flags & 0x4fff) != 0 || (type != TYPE_BRIDGED && !fyke_ethertype_is_known(type)))
		return FYKE_REFUSAL_NONE;
	return fyke_decode_gre(walk, span);
}

/* A label stack that ends, and below it IP, which is all that the first four bits can tell for sure. */
static enum fyke_refusal decode_mpls(struct fyke_walk *walk, struct fyke_span *span)
{
	struct fyke_cursor c = span->in;
	uint8_t version;

	for (int i = 0; i < LABELS_MAX && (fyke_cursor_u32(&c) & LABEL_BOTTOM) == 0; i++)
		if (!fyke_cursor_ok(&c))
			return FYKE_REFUSAL_NONE;
	version = fyke_cursor_u8(&c) >> 4;
	if (version != 4 && version != 6)
		return FYKE_REFUSAL_NONE;
	fyke_walk_tunnel(walk, FYKE_TUNNEL_MPLS, 0, false);
	return fyke_decode_mpls(walk, span);
}

static fyke_layer *layer_of(uint16_t port)
{
	switch (port) {
	case PORT_GRE:
		return decode_gre;
	case PORT_VXLAN:
	case PORT_VXLAN_LINUX:
		return decode_vxlan;
	case PORT_VXLAN_GPE:
		return decode_vxlan_gpe;
	case PORT_GENEVE:
		return decode_geneve;
	case PORT_GTPU:
		return fyke_decode_gtpu;
	case PORT_GTP_VERSION0:
		return fyke_decode_gtp_version0;
	case PORT_CAPWAP_DATA:
		return fyke_decode_capwap;
	case PORT_MPLS:
		return decode_mpls;
	case PORT_L2TP:
		return decode_l2tp;
	case PORT_AYIYA:
		return decode_ayiya;
	default:
		return NULL;
	}
}

static enum fyke_refusal decode_unported(struct fyke_walk *walk, struct fyke_span *span)
{
	uint8_t first = fyke_span_peek(span);

	if (first >> 4 != 6 && first != 0)
		return FYKE_REFUSAL_NONE;
	return decode_teredo(walk, span, false);
}

enum fyke_refusal fyke_decode_udp_tunnel(
	struct fyke_walk *walk, struct fyke_span *span, const struct fyke_packet *outer)
{
	uint16_t source = outer->source_port, destination = outer->destination_port;
	fyke_layer *layer = layer_of(destination);

	if (layer == NULL)
		layer = layer_of(source);
	if (!fyke_walk_step(walk))
		return FYKE_REFUSAL_TOO_DEEP;
	if (layer != NULL)
		return layer(walk, span);
	if (source == PORT_TEREDO || destination == PORT_TEREDO)
		return decode_teredo(walk, span, true);
	return decode_unported(walk, span);
}
