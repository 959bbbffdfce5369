/* Ports decide what is spread, a symmetric hash of addresses and ports decides where to. */
#include "analyzer/share.h"

#include <string.h>

enum {
	PROTOCOL_TCP = 6,
	/* The first engine has all the rest to do. */
	WEIGHT_FIRST = 5,
	WEIGHT = 8,
};

/* Below this a port is a service's own; from here on portmap and FTP hand ports out. */
enum { FIXED_PORTS = 512 };

/* FTP, portmap, DCE/RPC, SMB (which carries DCE/RPC) announce sessions. */
static const uint16_t related[] = {20, 21, 111, 135, 139, 445};

/* Of services with much traffic. FTP's data may come on any port from 1024 on: few of those are here. */
static const uint16_t spread[] = {563, 587, 636, 853, 873, 993, 995, 1433, 3128, 3306, 3389, 5222, 5432, 5671,
	5672, 5900, 6379, 8000, 8080, 8443, 8883, 9042, 9092, 9200, 11211, 27017};

static bool is_in(const uint16_t *ports, size_t count, uint16_t port)
{
	for (size_t i = 0; i < count && ports[i] <= port; i++) {
		if (ports[i] == port)
			return true;
	}
	return false;
}

static bool is_spread(uint16_t port)
{
	return port < FIXED_PORTS ? !is_in(related, sizeof(related) / sizeof(related[0]), port)
				  : is_in(spread, sizeof(spread) / sizeof(spread[0]), port);
}

static bool is_related(uint16_t port)
{
	return port < FIXED_PORTS && !is_spread(port);
}

struct end {
	const struct fyke_address *ip;
	uint16_t port;
};

static uint64_t hash_of(uint64_t seed, struct end end)
{
	uint64_t halves[2];

	memcpy(halves, end.ip->bytes, sizeof(halves));
	halves[0] ^= seed ^ end.port;
	halves[0] *= UINT64_C(0x9E3779B97F4A7C15);
	halves[1] *= UINT64_C(0xC2B2AE3D27D4EB4F);
	halves[0] ^= halves[1] ^ halves[0] >> 32;
	return halves[0] * UINT64_C(0x9E3779B97F4A7C15);
}

static unsigned engine_of(const struct fyke_share *share, struct end one, struct end other)
{
	uint64_t all = WEIGHT_FIRST + (uint64_t)WEIGHT * (share->engines - 1), part;

	if (is_related(one.port) || is_related(other.port) ||
		(!is_spread(one.port) && !is_spread(other.port)))
		return 0;
	part = (hash_of(share->seed, one) + hash_of(share->seed, other)) >> 32;
	part = part * all >> 32;
	return part < WEIGHT_FIRST ? 0 : 1 + (unsigned)((part - WEIGHT_FIRST) / WEIGHT);
}

/* What a tunnel keeps apart from others stays with the tunnel. */
static bool is_apart(const struct fyke_packet *packet)
{
	return packet->tunnel != FYKE_TUNNEL_NONE && packet->tunnel_id_known &&
	       fyke_tunnel_separates(packet->tunnel);
}

unsigned fyke_share_of(const struct fyke_share *share, const struct fyke_packet *packet)
{
	if (packet->kind != FYKE_PACKET_TCP || is_apart(packet))
		return 0;
	return engine_of(share, (struct end){&packet->source, packet->source_port},
		(struct end){&packet->destination, packet->destination_port});
}

unsigned fyke_share_of_quote(const struct fyke_share *share, const struct fyke_packet *error)
{
	const struct fyke_icmp_header *icmp = &error->icmp;

	if (icmp->quote_protocol != PROTOCOL_TCP || is_apart(error))
		return 0;
	return engine_of(share, (struct end){&icmp->quote_source, icmp->quote_source_port},
		(struct end){&icmp->quote_destination, icmp->quote_destination_port});
}
