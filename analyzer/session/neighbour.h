/*
 * Who says that he has an address on a link: one entry a pair of IP address and link-layer address, as ARP
 * and IPv6 Neighbor Discovery tell it. What two stations claim in turns is a conflict, or an attack.
 */
#ifndef FYKE_SESSION_NEIGHBOUR_H
#define FYKE_SESSION_NEIGHBOUR_H

#include "analyzer/base/address.h"

struct fyke_neighbour {
	struct fyke_address ip;
	uint8_t mac[6];
	int16_t vlan;	    /* -1 = none */
	const char *tunnel; /* static; NULL = none */
	uint32_t tunnel_id;
	/* what came since the entry was handed over last; the sink adds it up */
	int64_t first_ns, last_ns;
	uint64_t first_frame, last_frame;
	uint32_t requests, replies, announcements;
	uint32_t foreign;	     /* of them: in frames that came from another link-layer address */
	uint32_t takeovers;	     /* of them: another station had said last that the address was its own */
	uint64_t takeover_frame;     /* of the first; 0 = none */
	int64_t takeover_silence_ns; /* the shortest time since the other one had said so */
	uint8_t taken_from[6];	     /* at that time */
};

#endif
