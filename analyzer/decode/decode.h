/*
 * From a frame to its packets: link layers, network layers, tunnels, transport headers.
 *
 * Decoding keeps no state between frames and never fails: what cannot be read is refused with a
 * reason. Fragments stop the decoding; the caller puts the datagram together (analyzer/defrag) and
 * resumes with fyke_decode_datagram.
 */
#ifndef FYKE_DECODE_DECODE_H
#define FYKE_DECODE_DECODE_H

#include "analyzer/capture/frame.h"
#include "analyzer/decode/claim.h"
#include "analyzer/decode/packet.h"

/* Why a frame gave no packet at all. The names (fyke_refusal_name) are keys in captures.refusals. */
enum fyke_refusal {
	FYKE_REFUSAL_NONE = 0,
	/* no IP inside, and nothing wrong with that */
	FYKE_REFUSAL_ARP,
	FYKE_REFUSAL_LLC,	     /* 802.2 without SNAP to IP: STP, CDP, IS-IS … */
	FYKE_REFUSAL_WLAN_CONTROL,   /* 802.11 management, control, null data */
	FYKE_REFUSAL_WLAN_PROTECTED, /* 802.11 data, encrypted */
	FYKE_REFUSAL_LINK_CONTROL, /* PPP LCP/IPCP…, PPPoE discovery, Frame Relay LMI, Cisco keep-alives … */
	FYKE_REFUSAL_NETWORK,	   /* an EtherType or PPP protocol that is no IP */
	FYKE_REFUSAL_LINK_TYPE,	   /* a link type that we cannot read */
	FYKE_REFUSAL_ENCRYPTED,	   /* MACsec and the like */
	/* damaged or cut */
	FYKE_REFUSAL_LINK_SHORT,	  /* cut or malformed below IP */
	FYKE_REFUSAL_IP_SHORT,		  /* IP header cut */
	FYKE_REFUSAL_IP_BAD,		  /* version, header length or total length impossible */
	FYKE_REFUSAL_EXTENSION_BAD,	  /* IPv6 extension headers malformed or endless */
	FYKE_REFUSAL_TOO_DEEP,		  /* more than FYKE_LAYERS_MAX layers or link headers without end */
	FYKE_REFUSAL_FRAGMENT_BAD,	  /* fragment out of range */
	FYKE_REFUSAL_FRAGMENT_INCOMPLETE, /* told by defrag: the rest never came */
	FYKE_REFUSAL_COUNT
};

const char *fyke_refusal_name(enum fyke_refusal refusal); /* "arp", "link_type" … */
const char *fyke_refusal_description(
	enum fyke_refusal refusal);			/* a phrase for a person: "ARP (no IP inside)" */
bool fyke_refusal_is_damage(enum fyke_refusal refusal); /* damaged or cut, not just another protocol */

/* A fragment met while decoding: what defrag needs, and what decoding needs to go on afterwards. */
struct fyke_fragment {
	struct fyke_packet packet; /* network layer filled in; transport not; ip_bytes of this fragment */
	uint32_t id;		   /* IPv4 identification or IPv6 fragment identification */
	uint32_t offset;	   /* bytes */
	bool more;
	uint8_t next_header; /* protocol of the payload (IPv6: first header behind the fragment header) */
	const uint8_t *data; /* fragment payload, borrowed */
	uint32_t length;     /* by the headers, at most what was on the wire: less than they state only in
			      * a first fragment, which then never becomes part of a whole */
	uint32_t captured;   /* ≤ length */
};

struct fyke_decoded {
	struct fyke_packet *packets; /* the caller's, with room for FYKE_LAYERS_MAX; outermost first;
				      * packets[i].layer == i */
	unsigned count;
	enum fyke_refusal refusal; /* why decoding stopped; a frame is refused when this is set, count == 0
				    * and no fragment is there. With count > 0 it says why the next inner
				    * layer gave nothing. */
	bool has_fragment;	   /* `fragment` waits for its datagram; its packet.layer == count */
	struct fyke_fragment fragment;
	struct fyke_claim claim; /* of the frame; its kind is NONE where there is none */
};

/* Fills *decoded but for the pointer to the packets, which the caller has set. TCP, UDP, ICMP and SCTP
 * checksums are verified where all bytes are here and the IP header's length can be believed. */
void fyke_decode_frame(const struct fyke_frame *frame, struct fyke_decoded *decoded);

/* Goes on with a whole datagram: `network` is the fragment's packet (ip_bytes already the sum),
 * `data` the payload behind the IP header (IPv6: behind the fragment header), of type next_header.
 * Fills *decoded anew with the packets from network->layer on: packets[0].layer == network->layer. */
void fyke_decode_datagram(const struct fyke_packet *network, uint8_t next_header, const uint8_t *data,
	uint32_t length, uint32_t captured, struct fyke_decoded *decoded);

/* "Ethernet", "Linux cooked" …; NULL for a link type that has no name here. */
const char *fyke_link_type_name(uint16_t link_type);

/* Whether frames of the link type are decoded; false where there is only a name. */
bool fyke_link_type_is_read(uint16_t link_type);

#endif
