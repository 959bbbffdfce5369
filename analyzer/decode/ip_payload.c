/*
 * What an IP header carries: transport headers, IP in IP (RFC 2003, 2473, 4213), GRE, Ethernet in IP, and
 * the packets in PIM Register messages (RFC 7761 §4.9.3). Left out: L2TPv3 (RFC 3931), whose header does
 * not tell how long it is.
 */
#include "analyzer/decode/layers.h"

enum {
	ICMP = 1,
	IPIP = 4,
	TCP = 6,
	UDP = 17,
	DCCP = 33,
	IPV6 = 41,
	GRE = 47,
	ICMP6 = 58,
	ETHERIP = 97,
	PIM = 103,
	SCTP = 132,
	ETHERNET = 143,
	UDP_LITE = 136,
};

enum { PIM_NULL_REGISTER = 0x40000000 };

static enum fyke_refusal decode_udp(struct fyke_walk *walk, struct fyke_span *span,
	struct fyke_packet *packet, const struct fyke_pseudo *pseudo)
{
	if (!fyke_decode_udp(packet, span, pseudo) || packet->protocol != UDP)
		return FYKE_REFUSAL_NONE;
	return fyke_decode_udp_tunnel(walk, span, packet);
}

static enum fyke_refusal decode_ip_in_ip(struct fyke_walk *walk, struct fyke_span *span, uint8_t protocol)
{
	if (fyke_cursor_left(&span->in) == 0)
		return FYKE_REFUSAL_IP_SHORT;
	fyke_walk_tunnel(walk, FYKE_TUNNEL_IPIP, 0, false);
	return protocol == IPIP ? fyke_decode_ipv4(walk, span) : fyke_decode_ipv6(walk, span);
}

/* RFC 3378: version 3 and twelve reserved bits; segment routing has the frame without a header. */
static enum fyke_refusal decode_etherip(struct fyke_walk *walk, struct fyke_span *span, uint8_t protocol)
{
	if (protocol == ETHERIP && fyke_cursor_u16(&span->in) != 0x3000)
		return FYKE_REFUSAL_LINK_SHORT;
	fyke_walk_tunnel(walk, FYKE_TUNNEL_ETHERIP, 0, false);
	return fyke_decode_tunnelled_ethernet(walk, span);
}

/* Version 2, type 1. A null register holds a made-up header without a packet. */
static enum fyke_refusal decode_pim(struct fyke_walk *walk, struct fyke_span *span)
{
	uint8_t kind = fyke_cursor_u8(&span->in);
	uint32_t flags;

	fyke_cursor_skip(&span->in, 3);
	flags = fyke_cursor_u32(&span->in);
	if (kind != 0x21 || !fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_NONE;
	if ((flags & PIM_NULL_REGISTER) != 0)
		return FYKE_REFUSAL_LINK_CONTROL;
	fyke_walk_tunnel(walk, FYKE_TUNNEL_PIM, 0, false);
	return fyke_decode_ip(walk, span);
}

enum fyke_refusal fyke_decode_ip_payload(struct fyke_walk *walk, struct fyke_span *span,
	struct fyke_packet *packet, uint8_t protocol, const struct fyke_pseudo *pseudo)
{
	packet->protocol = protocol;
	fyke_packet_payload(packet, span);
	walk->decoded->count++;
	switch (protocol) {
	case TCP:
		fyke_decode_tcp(packet, span, pseudo);
		break;
	case UDP:
	case UDP_LITE:
		return decode_udp(walk, span, packet, pseudo);
	case ICMP:
	case ICMP6:
		fyke_decode_icmp(packet, *span, pseudo);
		if (packet->kind == FYKE_PACKET_ICMP6)
			fyke_decode_neighbour_discovery(walk, packet);
		break;
	case SCTP:
		fyke_decode_sctp(packet, *span);
		break;
	case DCCP:
		fyke_decode_dccp(packet, *span);
		break;
	case IPIP:
	case IPV6:
		return decode_ip_in_ip(walk, span, protocol);
	case ETHERIP:
	case ETHERNET:
		return decode_etherip(walk, span, protocol);
	case PIM:
		return decode_pim(walk, span);
	case GRE:
		return fyke_decode_gre(walk, span);
	default:
		break;
	}
	return FYKE_REFUSAL_NONE;
}
