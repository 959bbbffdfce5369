/*
 * What makes two packets belong to one flow: innermost addresses, ports and transport, and the
 * tunnel identifiers that separate sessions. Both directions have the same key.
 */
#ifndef FYKE_FLOW_KEY_H
#define FYKE_FLOW_KEY_H

#include "analyzer/base/address.h"
#include "analyzer/decode/packet.h"

#include <stdint.h>

/* The two ends of a flow, ordered by address, then port. Not roles: those are the session's. */
enum fyke_endpoint { FYKE_LOW = 0, FYKE_HIGH = 1 };

/* 48 bytes without padding: hashed and compared as bytes.
 * ICMP queries: ports are the type that each end sends, `id` the identifier.
 * Other ICMP: ports are type and code, `direction` keeps the two directions apart. */
struct fyke_flow_key {
	uint8_t address[2][16]; /* by enum fyke_endpoint; IPv4 in the first four bytes */
	uint16_t port[2];
	uint32_t tunnel_id; /* VXLAN or GENEVE network, GRE key; else 0 */
	uint16_t id;	    /* ICMP identifier */
	uint8_t protocol;
	uint8_t family;
	uint8_t tunnel;	   /* enum fyke_tunnel where tunnel_id counts, else 0 */
	uint8_t direction; /* one-way ICMP: 1 + sender's endpoint; else 0 */
	uint8_t kind;	   /* enum fyke_packet_kind */
	uint8_t reserved;
};

/* Fills *key and tells which endpoint sent the packet. */
enum fyke_endpoint fyke_flow_key_of(const struct fyke_packet *packet, struct fyke_flow_key *key);

/* The key of the flow that an ICMP error quotes, and which endpoint sent the quoted packet. The
 * tunnel is the error's own. */
enum fyke_endpoint fyke_flow_key_of_quote(const struct fyke_packet *error, struct fyke_flow_key *key);

struct fyke_address fyke_flow_key_address(const struct fyke_flow_key *key, enum fyke_endpoint endpoint);

#endif
