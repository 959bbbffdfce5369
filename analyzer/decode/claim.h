/*
 * What a frame says about the link-layer address of an IP address: ARP (RFC 826, 5227) and IPv6
 * Neighbor Discovery (RFC 4861). Anybody on the link may say anything, hence a claim.
 */
#ifndef FYKE_DECODE_CLAIM_H
#define FYKE_DECODE_CLAIM_H

#include "analyzer/base/address.h"
#include "analyzer/decode/packet.h"

enum fyke_claim_kind {
	FYKE_CLAIM_NONE = 0,	 /* the frame says nothing of the sort */
	FYKE_CLAIM_REQUEST,	 /* who asks for another tells his own address by the way */
	FYKE_CLAIM_REPLY,	 /* to one who asked */
	FYKE_CLAIM_ANNOUNCEMENT, /* to all: gratuitous ARP, unsolicited advertisements, router advertisements
				  */
};

struct fyke_claim {
	enum fyke_claim_kind kind;
	uint64_t frame;
	int64_t time_ns;
	struct fyke_address ip;
	uint8_t mac[6];
	bool is_foreign; /* the frame's own source address is another one */
	int16_t vlan;	 /* -1 = none */
	enum fyke_tunnel tunnel;
	uint32_t tunnel_id; /* 0 where the tunnel has none */
};

#endif
