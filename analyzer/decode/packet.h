/*
 * What decoding makes of a frame: one packet per IP layer, outermost first. A frame that carries
 * VXLAN gives the UDP packet outside and the TCP packet inside.
 *
 * All pointers are borrowed from the frame's block or from the reassembled datagram and are good
 * until the batch that they came in has been processed.
 */
#ifndef FYKE_DECODE_PACKET_H
#define FYKE_DECODE_PACKET_H

#include "analyzer/base/address.h"

#include <stdbool.h>
#include <stdint.h>

enum { FYKE_LAYERS_MAX = 8 }; /* IP layers in one frame; deeper nesting is refused */

/* What wraps a packet and keeps sessions apart or tells where they came from. The innermost
 * wrapper counts. Names (fyke_tunnel_name) go into sessions.tunnel. */
enum fyke_tunnel {
	FYKE_TUNNEL_NONE = 0,
	FYKE_TUNNEL_IPIP,   /* IP directly in IP, all four mixes */
	FYKE_TUNNEL_GRE,    /* tunnel_id = key */
	FYKE_TUNNEL_ERSPAN, /* tunnel_id = session id */
	FYKE_TUNNEL_VXLAN,  /* tunnel_id = VNI */
	FYKE_TUNNEL_GENEVE, /* tunnel_id = VNI */
	FYKE_TUNNEL_GTPU,   /* tunnel_id = TEID of this direction (version 0: flow label): told, but does not
			       separate sessions */
	FYKE_TUNNEL_TEREDO,
	FYKE_TUNNEL_L2TP, /* tunnel_id = session id of this direction: does not separate sessions */
	FYKE_TUNNEL_AYIYA,
	FYKE_TUNNEL_ETHERIP, /* Ethernet directly in IP: RFC 3378, RFC 8986 */
	FYKE_TUNNEL_PIM,     /* multicast on its way to a rendezvous point: PIM Register */
	FYKE_TUNNEL_CAPWAP,  /* what an access point forwards */
	FYKE_TUNNEL_MPLS,    /* MPLS in UDP */
	FYKE_TUNNEL_COUNT
};

const char *fyke_tunnel_name(enum fyke_tunnel tunnel); /* NULL for NONE */
bool fyke_tunnel_separates(enum fyke_tunnel tunnel); /* whether tunnel_id belongs to the session's identity */

/* Whether a checksum was right. Read together with the sender's habits (capture offload). */
enum fyke_checksum {
	FYKE_CHECKSUM_UNKNOWN = 0, /* not all bytes captured, or no checksum used (UDP 0 over IPv4) */
	FYKE_CHECKSUM_GOOD,
	FYKE_CHECKSUM_PARTIAL, /* the uncomplemented pseudo-header sum alone: left to the network card */
	FYKE_CHECKSUM_WRONG,
};

enum { /* TCP flags as on the wire, RFC 9293 §3.1; AE/NS is 0x100 */
	FYKE_TCP_FIN = 0x01,
	FYKE_TCP_SYN = 0x02,
	FYKE_TCP_RST = 0x04,
	FYKE_TCP_PSH = 0x08,
	FYKE_TCP_ACK = 0x10,
	FYKE_TCP_URG = 0x20,
	FYKE_TCP_ECE = 0x40,
	FYKE_TCP_CWR = 0x80,
};

enum { FYKE_SACK_BLOCKS_MAX = 4 };

struct fyke_tcp_header {
	uint32_t sequence, acknowledgment;
	uint16_t flags;
	uint16_t window; /* unscaled */
	uint16_t urgent;
	uint16_t checksum;   /* as on the wire: part of a segment's identity when resends are compared */
	uint16_t mss;	     /* 0 = option absent */
	int8_t window_scale; /* -1 = option absent; over 14 is told as 14 (RFC 7323 §2.3) */
	bool sack_permitted, has_timestamps;
	uint8_t sack_count;
	bool options_bad; /* malformed option list; what came before it stands */
	uint32_t timestamp_value, timestamp_echo;
	struct {
		uint32_t left, right;
	} sack[FYKE_SACK_BLOCKS_MAX];
};

struct fyke_icmp_header {
	uint8_t type, code;
	bool has_id; /* echo and the other query types with an identifier */
	uint16_t id, sequence;
	uint32_t mtu; /* fragmentation needed / packet too big, else 0 */
	/* The packet quoted by an error, as far as it could be read. */
	bool has_quote;
	uint8_t quote_protocol;
	struct fyke_address quote_source, quote_destination;
	uint16_t quote_source_port, quote_destination_port; /* 0 where the protocol has none */
	bool has_quoted_icmp; /* the quoted packet is ICMP itself, and its header is there */
	uint8_t quoted_type, quoted_code;
	bool has_quoted_id;
	uint16_t quoted_id;
};

enum fyke_packet_kind {
	FYKE_PACKET_OTHER = 0, /* an IP protocol without ports that we know; also a transport header too short
				  or malformed */
	FYKE_PACKET_TCP,
	FYKE_PACKET_UDP,
	FYKE_PACKET_ICMP, /* IPv4's */
	FYKE_PACKET_ICMP6,
	FYKE_PACKET_SCTP,
};

struct fyke_packet {
	/* where it came from */
	uint64_t frame;
	int64_t time_ns;
	uint32_t interface;
	uint8_t layer; /* 0 = outermost IP layer; the packet before it in the list carries it when > 0 */
	enum fyke_packet_kind kind;
	enum fyke_tunnel tunnel; /* what it came in */
	uint32_t tunnel_id;
	bool tunnel_id_known;
	bool is_fragmented; /* was put together from fragments */
	bool is_overstated; /* the IP header states more than was on the wire: a receiver drops it */
	const uint64_t *fragment_frames; /* that its fragments came in, ascending; NULL = not told */
	uint32_t fragment_count;

	/* Payload stays readable beyond the batch while block ≥ oldest_block of a later packet; block 0
	 * means that it does not. Numbers are the front's. */
	uint64_t block, oldest_block;

	/* link layer, of the enclosing frame or of the tunnel's inner Ethernet; NULL = none */
	const uint8_t *source_mac, *destination_mac;
	int16_t vlan; /* innermost 802.1Q identifier, -1 = none */

	/* network layer */
	struct fyke_address source, destination; /* of IPv6: the ends, where extension headers name them */
	uint8_t protocol;			 /* after IPv6 extension headers */
	uint8_t ttl;
	uint16_t ip_id; /* IPv4 only, else 0 */
	bool dont_fragment;
	uint32_t ip_bytes; /* total length by the IP header, at most what was on the wire; IP header included;
			      of a reassembled datagram: as if it had come whole */

	/* transport layer */
	uint16_t source_port, destination_port; /* 0 for kinds without */
	enum fyke_checksum checksum;
	uint32_t payload_length;   /* by the headers, on the wire */
	uint32_t payload_captured; /* bytes at `payload`, ≤ payload_length */
	const uint8_t *payload;	   /* transport payload; of OTHER: IP payload */
	union {
		struct fyke_tcp_header tcp;
		struct fyke_icmp_header icmp;
	};
};

#endif
