/* Flow keys: one for both directions of a conversation. */
#include "analyzer/flow/key.h"

#include "analyzer/decode/icmp_pairs.h"

#include <stddef.h>
#include <string.h>

_Static_assert(sizeof(struct fyke_flow_key) == 48, "keys are hashed as bytes: no padding");
_Static_assert(offsetof(struct fyke_flow_key, address) == FYKE_KEY_HEAD, "compared as bytes");
_Static_assert(offsetof(struct fyke_kept_key, address) == FYKE_KEY_HEAD, "compared as bytes");

enum { PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PROTOCOL_ICMP6 = 58, PROTOCOL_SCTP = 132 };

/* One load, as the compiler sees it. */
static inline uint64_t big_endian(const uint8_t b[8])
{
	return (uint64_t)b[0] << 56 | (uint64_t)b[1] << 48 | (uint64_t)b[2] << 40 | (uint64_t)b[3] << 32 |
	       (uint64_t)b[4] << 24 | (uint64_t)b[5] << 16 | (uint64_t)b[6] << 8 | b[7];
}

/* As memcmp of the 16 bytes, without a call. */
static int compare(const uint8_t a[16], const uint8_t b[16])
{
	uint64_t x = big_endian(a), y = big_endian(b);

	if (x == y) {
		x = big_endian(a + 8);
		y = big_endian(b + 8);
	}
	return (x > y) - (x < y);
}

static enum fyke_endpoint order(struct fyke_flow_key *key, const struct fyke_address *source,
	const struct fyke_address *destination, uint16_t source_port, uint16_t destination_port)
{
	int compared = compare(source->bytes, destination->bytes);
	enum fyke_endpoint sender =
		compared < 0 || (compared == 0 && source_port <= destination_port) ? FYKE_LOW : FYKE_HIGH;

	memcpy(key->address[sender], source->bytes, 16);
	memcpy(key->address[1 - sender], destination->bytes, 16);
	key->port[sender] = source_port;
	key->port[1 - sender] = destination_port;
	key->family = source->family;
	return sender;
}

static void set_tunnel(struct fyke_flow_key *key, const struct fyke_packet *packet)
{
	if (packet->tunnel != FYKE_TUNNEL_NONE && packet->tunnel_id_known &&
		fyke_tunnel_separates(packet->tunnel)) {
		key->tunnel = (uint8_t)packet->tunnel;
		key->tunnel_id = packet->tunnel_id;
	}
}

/* key->protocol is set. */
static enum fyke_endpoint icmp_key(struct fyke_flow_key *key, const struct fyke_address *source,
	const struct fyke_address *destination, uint8_t type, uint8_t code)
{
	int counterpart = fyke_icmp_counterpart(key->protocol, type);
	uint16_t other = counterpart >= 0 ? (uint16_t)counterpart : code;
	enum fyke_endpoint sender = order(key, source, destination, type, other);

	if (counterpart < 0)
		key->direction = (uint8_t)(1 + sender);
	return sender;
}

enum fyke_endpoint fyke_flow_key_of(const struct fyke_packet *packet, struct fyke_flow_key *key)
{
	*key = (struct fyke_flow_key){.protocol = packet->protocol, .kind = (uint8_t)packet->kind};
	set_tunnel(key, packet);
	if (packet->kind == FYKE_PACKET_ICMP || packet->kind == FYKE_PACKET_ICMP6) {
		key->id = packet->icmp.has_id ? packet->icmp.id : 0;
		return icmp_key(
			key, &packet->source, &packet->destination, packet->icmp.type, packet->icmp.code);
	}
	return order(
		key, &packet->source, &packet->destination, packet->source_port, packet->destination_port);
}

enum fyke_endpoint fyke_flow_key_of_tcp(const struct fyke_address *source,
	const struct fyke_address *destination, uint16_t source_port, uint16_t destination_port,
	struct fyke_flow_key *key)
{
	*key = (struct fyke_flow_key){.protocol = PROTOCOL_TCP, .kind = FYKE_PACKET_TCP};
	return order(key, source, destination, source_port, destination_port);
}

static enum fyke_packet_kind kind_of_protocol(uint8_t protocol)
{
	switch (protocol) {
	case PROTOCOL_ICMP:
		return FYKE_PACKET_ICMP;
	case PROTOCOL_ICMP6:
		return FYKE_PACKET_ICMP6;
	case PROTOCOL_TCP:
		return FYKE_PACKET_TCP;
	case PROTOCOL_UDP:
		return FYKE_PACKET_UDP;
	case PROTOCOL_SCTP:
		return FYKE_PACKET_SCTP;
	default:
		return FYKE_PACKET_OTHER;
	}
}

enum fyke_endpoint fyke_flow_key_of_quote(const struct fyke_packet *error, struct fyke_flow_key *key)
{
	const struct fyke_icmp_header *icmp = &error->icmp;

	*key = (struct fyke_flow_key){
		.protocol = icmp->quote_protocol, .kind = (uint8_t)kind_of_protocol(icmp->quote_protocol)};
	set_tunnel(key, error);
	if (icmp->has_quoted_icmp) {
		key->id = icmp->has_quoted_id ? icmp->quoted_id : 0;
		return icmp_key(key, &icmp->quote_source, &icmp->quote_destination, icmp->quoted_type,
			icmp->quoted_code);
	}
	return order(key, &icmp->quote_source, &icmp->quote_destination, icmp->quote_source_port,
		icmp->quote_destination_port);
}

bool fyke_kept_key_set(
	struct fyke_blocks *blocks, struct fyke_kept_key *kept, const struct fyke_flow_key *key)
{
	memcpy(kept, key, FYKE_KEY_HEAD);
	if (key->family == FYKE_ADDRESS_IPV6) {
		kept->address.six = fyke_blocks_take(blocks, sizeof(key->address));
		if (kept->address.six == NULL)
			return false;
		memcpy(kept->address.six, key->address, sizeof(key->address));
	} else {
		memcpy(kept->address.four[0], key->address[0], sizeof(kept->address.four[0]));
		memcpy(kept->address.four[1], key->address[1], sizeof(kept->address.four[1]));
	}
	return true;
}

void fyke_kept_key_release(struct fyke_blocks *blocks, struct fyke_kept_key *kept)
{
	if (kept->family == FYKE_ADDRESS_IPV6)
		fyke_blocks_give(blocks, kept->address.six, sizeof(((struct fyke_flow_key *)0)->address));
}

struct fyke_address fyke_kept_key_address(const struct fyke_kept_key *kept, enum fyke_endpoint endpoint)
{
	struct fyke_address address = {.family = kept->family};

	if (kept->family == FYKE_ADDRESS_IPV6)
		memcpy(address.bytes, kept->address.six[endpoint], sizeof(address.bytes));
	else
		memcpy(address.bytes, kept->address.four[endpoint], sizeof(kept->address.four[endpoint]));
	return address;
}

struct fyke_flow_key fyke_kept_key_whole(const struct fyke_kept_key *kept)
{
	struct fyke_flow_key key;

	memcpy(&key, kept, FYKE_KEY_HEAD);
	for (int i = 0; i < 2; i++) {
		struct fyke_address address = fyke_kept_key_address(kept, (enum fyke_endpoint)i);

		memcpy(key.address[i], address.bytes, sizeof(key.address[i]));
	}
	return key;
}
