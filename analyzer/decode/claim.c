/*
 * ARP for IPv4 over addresses of six bytes (RFC 826; probes by RFC 5227 §2.1.1 claim nothing), and the
 * link-layer address options of Neighbor Discovery (RFC 4861 §4.6.1). Left out: secured discovery (RFC 3971),
 * whose proofs are not checked.
 */
#include "analyzer/decode/claim.h"

#include "analyzer/decode/layers.h"

#include <string.h>

enum { ARP_REQUEST = 1, ARP_REPLY = 2, TYPE_IPV4 = 0x0800, MAC_LENGTH = 6, IPV4_LENGTH = 4 };
enum { ROUTER_SOLICITATION = 133, ROUTER_ADVERTISEMENT, NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT };
enum { SOURCE_LINK_ADDRESS = 1, TARGET_LINK_ADDRESS = 2, HOPS_ON_LINK = 255 };

static const uint8_t nobody[6];

static void claim(
	struct fyke_walk *walk, enum fyke_claim_kind kind, const struct fyke_address *ip, const uint8_t *mac)
{
	struct fyke_claim *claim = &walk->decoded->claim;

	/* groups have no one address, and zeros mean that it is not known */
	if ((mac[0] & 1) != 0 || memcmp(mac, nobody, MAC_LENGTH) == 0)
		return;
	*claim = (struct fyke_claim){.kind = kind,
		.frame = walk->frame,
		.time_ns = walk->time_ns,
		.ip = *ip,
		.vlan = walk->vlan,
		.tunnel = walk->tunnel,
		.tunnel_id =
			walk->tunnel_id_known && fyke_tunnel_separates(walk->tunnel) ? walk->tunnel_id : 0};
	memcpy(claim->mac, mac, MAC_LENGTH);
	claim->is_foreign = walk->source_mac != NULL && memcmp(walk->source_mac, mac, MAC_LENGTH) != 0;
}

static bool is_host(const uint8_t ip[4])
{
	return ip[0] != 0 && ip[0] != 127 && ip[0] < 224;
}

enum fyke_refusal fyke_decode_arp(struct fyke_walk *walk, struct fyke_span *span)
{
	struct fyke_cursor *c = &span->in;
	const uint8_t *sender_mac, *sender, *target;
	struct fyke_address ip;
	uint16_t protocol, operation;
	bool fits;

	fyke_cursor_skip(c, 2);
	protocol = fyke_cursor_u16(c);
	fits = fyke_cursor_u8(c) == MAC_LENGTH;
	fits = fyke_cursor_u8(c) == IPV4_LENGTH && fits && protocol == TYPE_IPV4;
	operation = fyke_cursor_u16(c);
	sender_mac = fyke_cursor_take(c, MAC_LENGTH);
	sender = fyke_cursor_take(c, IPV4_LENGTH);
	fyke_cursor_skip(c, MAC_LENGTH);
	target = fyke_cursor_take(c, IPV4_LENGTH);
	if (!fits || !fyke_cursor_ok(c) || !is_host(sender) ||
		(operation != ARP_REQUEST && operation != ARP_REPLY))
		return FYKE_REFUSAL_ARP;
	ip = fyke_address_ipv4(sender);
	if (memcmp(sender, target, IPV4_LENGTH) == 0)
		claim(walk, FYKE_CLAIM_ANNOUNCEMENT, &ip, sender_mac);
	else
		claim(walk, operation == ARP_REQUEST ? FYKE_CLAIM_REQUEST : FYKE_CLAIM_REPLY, &ip,
			sender_mac);
	return FYKE_REFUSAL_ARP;
}

/* The first link-layer address option of a kind, NULL where there is none. */
static const uint8_t *find_option(struct fyke_cursor *c, uint8_t wanted)
{
	while (fyke_cursor_left(c) >= 8) {
		uint8_t kind = fyke_cursor_u8(c);
		uint32_t length = fyke_cursor_u8(c) * 8u;

		if (length == 0)
			return NULL;
		if (kind == wanted && length == 8)
			return fyke_cursor_take(c, MAC_LENGTH);
		if (!fyke_cursor_skip(c, length - 2))
			return NULL;
	}
	return NULL;
}

static bool is_unspecified(const struct fyke_address *ip)
{
	static const uint8_t none[16];

	return memcmp(ip->bytes, none, sizeof(none)) == 0;
}

/* An advertisement to all nodes was not asked for (§7.2.6). */
static enum fyke_claim_kind kind_of(const struct fyke_packet *packet)
{
	if (packet->icmp.type == ROUTER_SOLICITATION || packet->icmp.type == NEIGHBOUR_SOLICITATION)
		return FYKE_CLAIM_REQUEST;
	return packet->destination.bytes[0] == 0xff ? FYKE_CLAIM_ANNOUNCEMENT : FYKE_CLAIM_REPLY;
}

void fyke_decode_neighbour_discovery(struct fyke_walk *walk, const struct fyke_packet *packet)
{
	struct fyke_cursor c = fyke_cursor(packet->payload, packet->payload_captured);
	struct fyke_address ip = packet->source;
	uint8_t type = packet->icmp.type;
	const uint8_t *target, *mac;

	/* §7.1: one that a router has passed on is not to be believed */
	if (type < ROUTER_SOLICITATION || type > NEIGHBOUR_ADVERTISEMENT || packet->ttl != HOPS_ON_LINK ||
		packet->icmp.code != 0 || packet->checksum == FYKE_CHECKSUM_WRONG)
		return;
	if (type == ROUTER_ADVERTISEMENT)
		fyke_cursor_skip(&c, 8);
	if (type >= NEIGHBOUR_SOLICITATION) {
		target = fyke_cursor_take(&c, 16);
		if (!fyke_cursor_ok(&c))
			return;
		if (type == NEIGHBOUR_ADVERTISEMENT)
			ip = fyke_address_ipv6(target);
	}
	mac = find_option(&c, type == NEIGHBOUR_ADVERTISEMENT ? TARGET_LINK_ADDRESS : SOURCE_LINK_ADDRESS);
	if (mac != NULL && ip.bytes[0] != 0xff && !is_unspecified(&ip))
		claim(walk, kind_of(packet), &ip, mac);
}
