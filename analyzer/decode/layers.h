/*
 * Inside decode/: the state of one walk through a frame, and the layers that call one another.
 *
 * A layer reads its header from the span, narrows the span to its payload and calls the next layer.
 * It gives the reason why it ended without an IP packet of its own, or NONE.
 */
#ifndef FYKE_DECODE_LAYERS_H
#define FYKE_DECODE_LAYERS_H

#include "analyzer/decode/decode.h"
#include "analyzer/decode/span.h"

enum { FYKE_HEADERS_MAX = 48 }; /* headers below and between IP layers in one frame */

struct fyke_walk {
	struct fyke_decoded *decoded;
	uint64_t frame;
	int64_t time_ns;
	uint32_t interface;
	unsigned first_layer; /* layer of decoded->packets[0] */
	unsigned headers;     /* so far, at most FYKE_HEADERS_MAX */
	const uint8_t *source_mac, *destination_mac;
	int16_t vlan;
	enum fyke_tunnel tunnel;
	uint32_t tunnel_id;
	bool tunnel_id_known;
};

/* Counts a header; false when there are too many. */
static inline bool fyke_walk_step(struct fyke_walk *walk)
{
	return ++walk->headers <= FYKE_HEADERS_MAX;
}

/* The next packet with all but the network and transport layers filled in, not counted yet; NULL when
 * the frame nests too deep. */
struct fyke_packet *fyke_walk_packet(struct fyke_walk *walk);
void fyke_walk_packet_init(const struct fyke_walk *walk, struct fyke_packet *packet);
/* What follows lies in a tunnel. */
void fyke_walk_tunnel(struct fyke_walk *walk, enum fyke_tunnel tunnel, uint32_t id, bool id_known);

typedef enum fyke_refusal fyke_layer(struct fyke_walk *walk, struct fyke_span *span);

/* link.c: by LINKTYPE_, or by libpcap's DLT_ where a header holds one */
enum fyke_refusal fyke_decode_link(struct fyke_walk *walk, struct fyke_span *span, uint16_t link_type);
uint16_t fyke_link_type_from_dlt(uint32_t dlt);

/* ethernet.c */
fyke_layer fyke_decode_ethernet;
fyke_layer fyke_decode_tunnelled_ethernet; /* forgets the MACs and VLAN of the frame outside */
fyke_layer fyke_decode_llc;		   /* 802.2, with SNAP */
enum fyke_refusal fyke_decode_ethertype(struct fyke_walk *walk, struct fyke_span *span, uint16_t type);
/* SNAP: organization and protocol identifier, and what they name. */
fyke_layer fyke_decode_snap;
fyke_layer fyke_decode_nlpid; /* ISO network layer protocol identifier (RFC 2427) */
bool fyke_ethertype_is_known(uint16_t type);
/* How much it looks like Ethernet: 2 with a known EtherType, 1 with an 802.3 length, else 0. */
unsigned fyke_ethernet_likeness(struct fyke_cursor c);

/* claim.c: notes what a frame claims */
fyke_layer fyke_decode_arp;
void fyke_decode_neighbour_discovery(struct fyke_walk *walk, const struct fyke_packet *packet);

/* tags.c: what stands between Ethernet and its EtherType */
fyke_layer fyke_decode_vlan, fyke_decode_service_tag, fyke_decode_vntag, fyke_decode_etag,
	fyke_decode_metadata;
fyke_layer fyke_decode_fabricpath, fyke_decode_trill, fyke_decode_macsec, fyke_decode_nsh;

/* switch_tags.c: link types of switch chips and of preemptible Ethernet */
fyke_layer fyke_decode_dsa, fyke_decode_edsa, fyke_decode_brcm_tag, fyke_decode_brcm_prepend;
fyke_layer fyke_decode_mpacket, fyke_decode_netanalyzer, fyke_decode_netanalyzer_transparent;
fyke_layer fyke_decode_docsis;

/* mpls.c */
fyke_layer fyke_decode_mpls;

/* ppp.c */
fyke_layer fyke_decode_ppp, fyke_decode_ppp_hdlc, fyke_decode_ppp_direction, fyke_decode_pppd;
fyke_layer fyke_decode_pppoe, fyke_decode_cisco_hdlc, fyke_decode_cisco_hdlc_direction;
bool fyke_ppp_is_plausible(const struct fyke_span *span);

/* frame_relay.c */
fyke_layer fyke_decode_frame_relay, fyke_decode_frame_relay_direction, fyke_decode_mfr;

/* wlan.c and wlan_capture.c */
fyke_layer fyke_decode_wlan, fyke_decode_wlan_padded; /* padded: the header is filled up to whole words */
fyke_layer
	fyke_decode_tunnelled_wlan; /* frame control and sequence perhaps swapped; forgets the VLAN outside */
fyke_layer fyke_decode_radiotap, fyke_decode_ppi, fyke_decode_prism, fyke_decode_avs;

/* cooked.c and host.c: pseudo headers that operating systems make */
fyke_layer fyke_decode_sll, fyke_decode_sll2, fyke_decode_nflog;
fyke_layer fyke_decode_null, fyke_decode_enc, fyke_decode_pflog, fyke_decode_ipnet, fyke_decode_pktap;
fyke_layer fyke_decode_slip;

/* ring.c and atm.c */
fyke_layer fyke_decode_fddi, fyke_decode_token_ring, fyke_decode_arcnet_bsd, fyke_decode_arcnet_linux;
fyke_layer fyke_decode_ieee1394, fyke_decode_ip_over_fc, fyke_decode_ipoib;
fyke_layer fyke_decode_atm, fyke_decode_sunatm;

/* juniper.c */
fyke_layer fyke_decode_juniper, fyke_decode_juniper_ethernet, fyke_decode_juniper_ppp;
fyke_layer fyke_decode_juniper_frame_relay, fyke_decode_juniper_hdlc;

/* ipv4.c, ipv6.c */
fyke_layer fyke_decode_ipv4, fyke_decode_ipv6;
fyke_layer fyke_decode_ip; /* by the version nibble */

/* The addresses of the pseudo header: with source routing the destination is the last hop's. */
struct fyke_pseudo {
	const uint8_t *source, *destination;
	uint32_t address_length;
};

/* ip_payload.c: counts *packet and goes on with what the IP header carries. */
enum fyke_refusal fyke_decode_ip_payload(struct fyke_walk *walk, struct fyke_span *span,
	struct fyke_packet *packet, uint8_t protocol, const struct fyke_pseudo *pseudo);

/* Transport headers, kept as OTHER when they are cut or malformed. `span` begins at the header. */
void fyke_decode_tcp(
	struct fyke_packet *packet, const struct fyke_span *span, const struct fyke_pseudo *pseudo);
bool fyke_decode_udp(struct fyke_packet *packet, struct fyke_span *span, const struct fyke_pseudo *pseudo);
void fyke_decode_sctp(struct fyke_packet *packet, struct fyke_span span);
void fyke_decode_dccp(struct fyke_packet *packet, struct fyke_span span);
void fyke_decode_icmp(struct fyke_packet *packet, struct fyke_span span, const struct fyke_pseudo *pseudo);
/* Bytes of the span are the packet's payload. */
static inline void fyke_packet_payload(struct fyke_packet *packet, const struct fyke_span *span)
{
	packet->payload = span->in.at;
	packet->payload_captured = fyke_span_captured(span);
	packet->payload_length = fyke_span_length(span);
}

/* ipv6.c: walks over extension headers. */
struct fyke_extensions {
	uint8_t protocol;
	bool has_fragment; /* stopped behind a fragment header of a real fragment */
	bool more;
	uint32_t id, offset;
	uint32_t jumbo;		    /* jumbo payload length, 0 = none */
	const uint8_t *destination; /* final one by a routing header, or NULL */
	const uint8_t *source;	    /* home address of a mobile node, or NULL */
};
/* Gives the packet the addresses that extension headers name. */
void fyke_ipv6_name_ends(const struct fyke_extensions *extensions, struct fyke_packet *packet);
/* Sets extensions->protocol to what follows, with the span at it. With `fragments` false a fragment
 * header is walked over (ICMP quotes). */
enum fyke_refusal fyke_ipv6_extensions(
	struct fyke_span *span, uint8_t next, bool fragments, struct fyke_extensions *extensions);
/* AH in IPv4 (RFC 4302): the protocol behind all of them, the span moved there. */
enum fyke_refusal fyke_ipv4_authentication(struct fyke_span *span, uint8_t *protocol);

/* gre.c, gtp.c, capwap.c, udp_tunnel.c */
fyke_layer fyke_decode_gre;
fyke_layer fyke_decode_gtpu, fyke_decode_gtp_version0;
fyke_layer fyke_decode_capwap;
enum fyke_refusal fyke_decode_udp_tunnel(
	struct fyke_walk *walk, struct fyke_span *span, const struct fyke_packet *outer);

#endif
