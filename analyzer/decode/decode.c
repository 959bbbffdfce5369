/*
 * The way into decoding: a frame or a reassembled datagram becomes a walk through its layers. Also the
 * names of what decoding refuses and of the tunnels.
 */
#include "analyzer/decode/layers.h"

static const struct {
	const char *name, *description;
	bool is_damage;
} refusals[FYKE_REFUSAL_COUNT] = {
	[FYKE_REFUSAL_NONE] = {"none", "nothing refused", false},
	[FYKE_REFUSAL_ARP] = {"arp", "ARP (no IP inside)", false},
	[FYKE_REFUSAL_LLC] = {"llc", "LLC frames such as STP or CDP (no IP inside)", false},
	[FYKE_REFUSAL_WLAN_CONTROL] = {"wlan_control", "802.11 management and control (no IP inside)", false},
	[FYKE_REFUSAL_WLAN_PROTECTED] = {"wlan_protected", "802.11 data, encrypted", false},
	[FYKE_REFUSAL_LINK_CONTROL] = {"link_control", "link control such as PPP LCP (no IP inside)", false},
	[FYKE_REFUSAL_NETWORK] = {"network", "network protocols other than IP", false},
	[FYKE_REFUSAL_LINK_TYPE] = {"link_type", "a link type that fyke cannot read", false},
	[FYKE_REFUSAL_ENCRYPTED] = {"encrypted", "encrypted below IP, such as MACsec", false},
	[FYKE_REFUSAL_LINK_SHORT] = {"link_short", "cut or malformed below IP", true},
	[FYKE_REFUSAL_IP_SHORT] = {"ip_short", "cut inside the IP header", true},
	[FYKE_REFUSAL_IP_BAD] = {"ip_bad", "impossible IP header", true},
	[FYKE_REFUSAL_EXTENSION_BAD] = {"extension_bad", "malformed or endless IPv6 extension headers", true},
	[FYKE_REFUSAL_TOO_DEEP] = {"too_deep", "too many layers inside one another", true},
	[FYKE_REFUSAL_FRAGMENT_BAD] = {"fragment_bad", "impossible IP fragment", true},
	[FYKE_REFUSAL_FRAGMENT_INCOMPLETE] = {"fragment_incomplete", "IP fragments whose rest never came",
		true},
};

const char *fyke_refusal_name(enum fyke_refusal refusal)
{
	return (unsigned)refusal < FYKE_REFUSAL_COUNT ? refusals[refusal].name : "unknown";
}

const char *fyke_refusal_description(enum fyke_refusal refusal)
{
	return (unsigned)refusal < FYKE_REFUSAL_COUNT ? refusals[refusal].description : "unknown";
}

bool fyke_refusal_is_damage(enum fyke_refusal refusal)
{
	return (unsigned)refusal < FYKE_REFUSAL_COUNT && refusals[refusal].is_damage;
}

static const struct {
	const char *name;
	bool separates;
} tunnels[FYKE_TUNNEL_COUNT] = {
	[FYKE_TUNNEL_IPIP] = {"ipip", false},
	[FYKE_TUNNEL_GRE] = {"gre", true},
	[FYKE_TUNNEL_ERSPAN] = {"erspan", false},
	[FYKE_TUNNEL_VXLAN] = {"vxlan", true},
	[FYKE_TUNNEL_GENEVE] = {"geneve", true},
	[FYKE_TUNNEL_GTPU] = {"gtpu", false},
	[FYKE_TUNNEL_TEREDO] = {"teredo", false},
	[FYKE_TUNNEL_L2TP] = {"l2tp", false},
	[FYKE_TUNNEL_AYIYA] = {"ayiya", false},
	[FYKE_TUNNEL_ETHERIP] = {"etherip", false},
	[FYKE_TUNNEL_PIM] = {"pim", false},
	[FYKE_TUNNEL_CAPWAP] = {"capwap", false},
	[FYKE_TUNNEL_MPLS] = {"mpls", false},
};

const char *fyke_tunnel_name(enum fyke_tunnel tunnel)
{
	return (unsigned)tunnel < FYKE_TUNNEL_COUNT ? tunnels[tunnel].name : NULL;
}

bool fyke_tunnel_separates(enum fyke_tunnel tunnel)
{
	return (unsigned)tunnel < FYKE_TUNNEL_COUNT && tunnels[tunnel].separates;
}

void fyke_walk_packet_init(const struct fyke_walk *walk, struct fyke_packet *packet)
{
	packet->frame = walk->frame;
	packet->time_ns = walk->time_ns;
	packet->interface = walk->interface;
	packet->layer = (uint8_t)(walk->first_layer + walk->decoded->count);
	packet->kind = FYKE_PACKET_OTHER;
	packet->tunnel = walk->tunnel;
	packet->tunnel_id = walk->tunnel_id;
	packet->tunnel_id_known = walk->tunnel_id_known;
	packet->is_fragmented = false;
	packet->source_mac = walk->source_mac;
	packet->destination_mac = walk->destination_mac;
	packet->vlan = walk->vlan;
	packet->source_port = 0;
	packet->destination_port = 0;
	packet->checksum = FYKE_CHECKSUM_UNKNOWN;
	packet->payload_length = 0;
	packet->payload_captured = 0;
	packet->payload = NULL;
}

struct fyke_packet *fyke_walk_packet(struct fyke_walk *walk)
{
	struct fyke_packet *packet;

	if (walk->first_layer + walk->decoded->count >= FYKE_LAYERS_MAX)
		return NULL;
	packet = &walk->decoded->packets[walk->decoded->count];
	fyke_walk_packet_init(walk, packet);
	return packet;
}

void fyke_walk_tunnel(struct fyke_walk *walk, enum fyke_tunnel tunnel, uint32_t id, bool id_known)
{
	walk->tunnel = tunnel;
	walk->tunnel_id = id;
	walk->tunnel_id_known = id_known;
}

void fyke_decode_frame(const struct fyke_frame *frame, struct fyke_decoded *decoded)
{
	struct fyke_walk walk = {
		.decoded = decoded,
		.frame = frame->number,
		.time_ns = frame->time_ns,
		.interface = frame->interface,
		.vlan = -1,
	};
	struct fyke_span span = fyke_span(frame->data, frame->captured, frame->length);

	decoded->count = 0;
	decoded->has_fragment = false;
	decoded->claim.kind = FYKE_CLAIM_NONE;
	if (frame->fcs_length > 0)
		fyke_span_shorten(&span, frame->fcs_length);
	decoded->refusal = fyke_decode_link(&walk, &span, frame->link_type);
}

void fyke_decode_datagram(const struct fyke_packet *network, uint8_t next_header, const uint8_t *data,
	uint32_t length, uint32_t captured, struct fyke_decoded *decoded)
{
	struct fyke_walk walk = {
		.decoded = decoded,
		.frame = network->frame,
		.time_ns = network->time_ns,
		.interface = network->interface,
		.first_layer = network->layer,
		.source_mac = network->source_mac,
		.destination_mac = network->destination_mac,
		.vlan = network->vlan,
		.tunnel = network->tunnel,
		.tunnel_id = network->tunnel_id,
		.tunnel_id_known = network->tunnel_id_known,
	};
	struct fyke_span span = fyke_span(data, captured, length);
	struct fyke_extensions extensions = {.protocol = next_header};
	struct fyke_packet *packet = &decoded->packets[0];
	decoded->count = 0;
	decoded->has_fragment = false;
	decoded->claim.kind = FYKE_CLAIM_NONE;
	*packet = *network;
	span.overstated = network->is_overstated;
	if (network->source.family == FYKE_ADDRESS_IPV6)
		decoded->refusal = fyke_ipv6_extensions(&span, next_header, false, &extensions);
	else
		decoded->refusal = fyke_ipv4_authentication(&span, &extensions.protocol);
	if (decoded->refusal == FYKE_REFUSAL_NONE && extensions.has_fragment)
		decoded->refusal = FYKE_REFUSAL_EXTENSION_BAD;
	if (decoded->refusal != FYKE_REFUSAL_NONE)
		return;
	fyke_ipv6_name_ends(&extensions, packet);
	decoded->refusal = fyke_decode_ip_payload(&walk, &span, packet, extensions.protocol,
		&(struct fyke_pseudo){packet->source.bytes, packet->destination.bytes,
			packet->source.family == FYKE_ADDRESS_IPV6 ? 16 : 4});
}
