/*
 * Ethernet II and IEEE 802.3, 802.2 LLC with SNAP (RFC 1042), and what an EtherType names. Left out:
 * Novell's raw 802.3 and other network protocols.
 */
#include "analyzer/decode/layers.h"

enum {
	TYPE_IPV4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_TRILL = 0x22f3,
	TYPE_BRIDGED = 0x6558,
	TYPE_RARP = 0x8035,
	TYPE_VLAN = 0x8100,
	TYPE_IPV6 = 0x86dd,
	TYPE_PPP = 0x880b,
	TYPE_MPLS = 0x8847,
	TYPE_MPLS_MULTICAST = 0x8848,
	TYPE_PPPOE_DISCOVERY = 0x8863,
	TYPE_PPPOE = 0x8864,
	TYPE_JUMBO_LLC = 0x8870,
	TYPE_QINQ = 0x88a8,
	TYPE_MACSEC = 0x88e5,
	TYPE_SERVICE = 0x88e7,
	TYPE_FABRICPATH = 0x8903,
	TYPE_METADATA = 0x8909,
	TYPE_VNTAG = 0x8926,
	TYPE_ETAG = 0x893f,
	TYPE_NSH = 0x894f,
	TYPE_VLAN_OLD = 0x9100,
	TYPE_VLAN_OLDER = 0x9200,
	TYPE_VLAN_OLDEST = 0x9300,
	TYPE_LLDP = 0x88cc,
	TYPE_SLOW = 0x8809,
	TYPE_EAPOL = 0x888e,
	LENGTH_MAX = 1500, /* IEEE 802.3 §3.2.6: a length up to here, a type from 1536 */
	OUI_ETHERTYPE = 0x000000,
	OUI_BRIDGE_TUNNEL = 0x0000f8,
	OUI_BRIDGED = 0x0080c2,
};

static fyke_layer *layer_of(uint16_t type)
{
	switch (type) {
	case TYPE_IPV4:
		return fyke_decode_ipv4;
	case TYPE_IPV6:
		return fyke_decode_ipv6;
	case TYPE_VLAN:
	case TYPE_QINQ:
	case TYPE_VLAN_OLD:
	case TYPE_VLAN_OLDER:
	case TYPE_VLAN_OLDEST:
		return fyke_decode_vlan;
	case TYPE_MPLS:
	case TYPE_MPLS_MULTICAST:
		return fyke_decode_mpls;
	case TYPE_PPPOE:
		return fyke_decode_pppoe;
	case TYPE_PPP:
		return fyke_decode_ppp;
	case TYPE_BRIDGED:
		return fyke_decode_ethernet;
	case TYPE_JUMBO_LLC:
		return fyke_decode_llc;
	case TYPE_SERVICE:
		return fyke_decode_service_tag;
	case TYPE_FABRICPATH:
		return fyke_decode_fabricpath;
	case TYPE_METADATA:
		return fyke_decode_metadata;
	case TYPE_VNTAG:
		return fyke_decode_vntag;
	case TYPE_ETAG:
		return fyke_decode_etag;
	case TYPE_MACSEC:
		return fyke_decode_macsec;
	case TYPE_TRILL:
		return fyke_decode_trill;
	case TYPE_NSH:
		return fyke_decode_nsh;
	default:
		return NULL;
	}
}

bool fyke_ethertype_is_known(uint16_t type)
{
	return type == TYPE_ARP || type == TYPE_PPPOE_DISCOVERY || type == TYPE_LLDP || type == TYPE_SLOW ||
	       type == TYPE_EAPOL || layer_of(type) != NULL;
}

unsigned fyke_ethernet_likeness(struct fyke_cursor c)
{
	uint16_t type;

	fyke_cursor_skip(&c, 12);
	type = fyke_cursor_u16(&c);
	if (!fyke_cursor_ok(&c))
		return 0;
	if (fyke_ethertype_is_known(type))
		return 2;
	return type >= 3 && type <= LENGTH_MAX ? 1 : 0;
}

enum fyke_refusal fyke_decode_ethertype(struct fyke_walk *walk, struct fyke_span *span, uint16_t type)
{
	fyke_layer *layer;

	if (!fyke_walk_step(walk))
		return FYKE_REFUSAL_TOO_DEEP;
	if (type == TYPE_IPV4)
		return fyke_decode_ipv4(walk, span);
	layer = layer_of(type);
	if (layer != NULL)
		return layer(walk, span);
	if (type == TYPE_ARP)
		return fyke_decode_arp(walk, span);
	if (type == TYPE_RARP)
		return FYKE_REFUSAL_ARP;
	return type == TYPE_PPPOE_DISCOVERY ? FYKE_REFUSAL_LINK_CONTROL : FYKE_REFUSAL_NETWORK;
}

enum fyke_refusal fyke_decode_snap(struct fyke_walk *walk, struct fyke_span *span)
{
	uint32_t organization = fyke_cursor_u24(&span->in);
	uint16_t protocol = fyke_cursor_u16(&span->in);

	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	switch (organization) {
	case OUI_ETHERTYPE:
	case OUI_BRIDGE_TUNNEL:
		return fyke_decode_ethertype(walk, span, protocol);
	case OUI_BRIDGED:
		/* RFC 2684 §5.2, RFC 2427 §4.2: 1 with a frame check sequence, 7 without */
		if (protocol != 1 && protocol != 7)
			return FYKE_REFUSAL_LLC;
		if (protocol == 1)
			fyke_span_shorten(span, 4);
		return fyke_decode_ethernet(walk, span);
	default:
		return FYKE_REFUSAL_LLC;
	}
}

enum fyke_refusal fyke_decode_nlpid(struct fyke_walk *walk, struct fyke_span *span)
{
	uint8_t nlpid = fyke_cursor_u8(&span->in);

	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	switch (nlpid) {
	case 0x80:
		return fyke_decode_snap(walk, span);
	case 0x8e:
		return fyke_decode_ipv6(walk, span);
	case 0xcc:
		return fyke_decode_ipv4(walk, span);
	case 0xcf:
		return fyke_decode_ppp(walk, span);
	case 0x08:
	case 0x09:
		return FYKE_REFUSAL_LINK_CONTROL;
	default:
		return FYKE_REFUSAL_NETWORK;
	}
}

enum fyke_refusal fyke_decode_llc(struct fyke_walk *walk, struct fyke_span *span)
{
	uint8_t destination = fyke_cursor_u8(&span->in), source = fyke_cursor_u8(&span->in);
	uint8_t control = fyke_cursor_u8(&span->in);

	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	if (control != 0x03)
		return FYKE_REFUSAL_LLC;
	if ((destination & 0xfe) == 0xaa && (source & 0xfe) == 0xaa)
		return fyke_decode_snap(walk, span);
	if (destination == 0x06 && source == 0x06)
		return fyke_decode_ipv4(walk, span);
	if (destination == 0xfe && source == 0xfe && fyke_span_peek(span) >= 0x80)
		return fyke_decode_nlpid(walk, span);
	return FYKE_REFUSAL_LLC;
}

enum fyke_refusal fyke_decode_ethernet(struct fyke_walk *walk, struct fyke_span *span)
{
	const uint8_t *header = fyke_cursor_take(&span->in, 14);
	struct fyke_cursor fixed;
	uint16_t type;

	if (header == NULL)
		return FYKE_REFUSAL_LINK_SHORT;
	/* Reads from a run of known length cost no checks. */
	fixed = fyke_cursor(header, 14);
	walk->destination_mac = fyke_cursor_take(&fixed, 6);
	walk->source_mac = fyke_cursor_take(&fixed, 6);
	type = fyke_cursor_u16(&fixed);
	if (type > LENGTH_MAX)
		return fyke_decode_ethertype(walk, span, type);
	fyke_span_limit(span, type);
	return fyke_walk_step(walk) ? fyke_decode_llc(walk, span) : FYKE_REFUSAL_TOO_DEEP;
}

enum fyke_refusal fyke_decode_tunnelled_ethernet(struct fyke_walk *walk, struct fyke_span *span)
{
	walk->vlan = -1;
	return fyke_decode_ethernet(walk, span);
}
