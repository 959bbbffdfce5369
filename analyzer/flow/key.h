/*
 * What makes two packets belong to one flow: innermost addresses, ports and transport, and the
 * tunnel identifiers that separate sessions. Both directions have the same key.
 */
#ifndef FYKE_FLOW_KEY_H
#define FYKE_FLOW_KEY_H

#include "analyzer/base/address.h"
#include "analyzer/base/blocks.h"
#include "analyzer/decode/packet.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The two ends of a flow, ordered by address, then port. Not roles: those are the session's. */
enum fyke_endpoint { FYKE_LOW = 0, FYKE_HIGH = 1 };

/* 48 bytes without padding: hashed and compared as bytes.
 * ICMP queries: ports are the type that each end sends, `id` the identifier.
 * Other ICMP: ports are type and code, `direction` keeps the two directions apart. */
struct fyke_flow_key {
	uint16_t port[2];
	uint32_t tunnel_id; /* VXLAN or GENEVE network, GRE key; else 0 */
	uint16_t id;	    /* ICMP identifier */
	uint8_t protocol;
	uint8_t family;
	uint8_t tunnel;	   /* enum fyke_tunnel where tunnel_id counts, else 0 */
	uint8_t direction; /* one-way ICMP: 1 + sender's endpoint; else 0 */
	uint8_t kind;	   /* enum fyke_packet_kind */
	uint8_t reserved;
	uint8_t address[2][16]; /* by enum fyke_endpoint; IPv4 in the first four bytes */
};

/* The same as a flow keeps it: IPv6 addresses have a block of their own. */
struct fyke_kept_key {
	uint16_t port[2];
	uint32_t tunnel_id;
	uint16_t id;
	uint8_t protocol, family, tunnel, direction, kind, reserved;
	union {
		uint8_t four[2][4];
		uint8_t (*six)[16];
	} address;
};

enum { FYKE_KEY_HEAD = 16 }; /* bytes before the addresses, in both alike */

/* Where a packet belongs. */
struct fyke_hashed_key {
	struct fyke_flow_key key;
	uint64_t hash;
	enum fyke_endpoint sender;
};

/* Fills *key and tells which endpoint sent the packet. */
enum fyke_endpoint fyke_flow_key_of(const struct fyke_packet *packet, struct fyke_flow_key *key);
/* The same of a TCP segment outside of tunnels. */
enum fyke_endpoint fyke_flow_key_of_tcp(const struct fyke_address *source,
	const struct fyke_address *destination, uint16_t source_port, uint16_t destination_port,
	struct fyke_flow_key *key);

/* The key of the flow that an ICMP error quotes, and which endpoint sent the quoted packet. The
 * tunnel is the error's own. */
enum fyke_endpoint fyke_flow_key_of_quote(const struct fyke_packet *error, struct fyke_flow_key *key);

/* False when memory is out. */
bool fyke_kept_key_set(
	struct fyke_blocks *blocks, struct fyke_kept_key *kept, const struct fyke_flow_key *key);
void fyke_kept_key_release(struct fyke_blocks *blocks, struct fyke_kept_key *kept);

struct fyke_flow_key fyke_kept_key_whole(const struct fyke_kept_key *kept);
struct fyke_address fyke_kept_key_address(const struct fyke_kept_key *kept, enum fyke_endpoint endpoint);

static inline bool fyke_kept_key_is(const struct fyke_kept_key *kept, const struct fyke_flow_key *key)
{
	if (memcmp(kept, key, FYKE_KEY_HEAD) != 0)
		return false;
	if (kept->family == FYKE_ADDRESS_IPV6)
		return memcmp(kept->address.six, key->address, sizeof(key->address)) == 0;
	return memcmp(kept->address.four[0], key->address[0], 4) == 0 &&
	       memcmp(kept->address.four[1], key->address[1], 4) == 0;
}

#endif
