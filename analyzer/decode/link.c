/*
 * Link types (tcpdump.org's LINKTYPE_ list) and what reads them. Left out: link types that carry no IP
 * or whose format is not public.
 */
#include "analyzer/decode/layers.h"

static const struct {
	fyke_layer *decode;
	const char *name;
} links[] = {
	[0] = {fyke_decode_null, "BSD loopback"},
	[1] = {fyke_decode_ethernet, "Ethernet"},
	[6] = {fyke_decode_token_ring, "Token Ring"},
	[7] = {fyke_decode_arcnet_bsd, "ARCNET"},
	[8] = {fyke_decode_slip, "SLIP"},
	[9] = {fyke_decode_ppp_hdlc, "PPP"},
	[10] = {fyke_decode_fddi, "FDDI"},
	[12] = {fyke_decode_ip, "Raw IP"},
	[14] = {fyke_decode_ip, "Raw IP"},
	[50] = {fyke_decode_ppp_hdlc, "PPP in HDLC framing"},
	[51] = {fyke_decode_pppoe, "PPPoE"},
	[100] = {fyke_decode_atm, "ATM (RFC 1483)"},
	[101] = {fyke_decode_ip, "Raw IP"},
	[104] = {fyke_decode_cisco_hdlc, "Cisco HDLC"},
	[105] = {fyke_decode_wlan, "802.11"},
	[106] = {fyke_decode_atm, "Linux classical IP over ATM"},
	[107] = {fyke_decode_frame_relay, "Frame Relay"},
	[108] = {fyke_decode_null, "OpenBSD loopback"},
	[109] = {fyke_decode_enc, "OpenBSD encapsulation"},
	[113] = {fyke_decode_sll, "Linux cooked"},
	[117] = {fyke_decode_pflog, "OpenBSD pflog"},
	[119] = {fyke_decode_prism, "802.11 with Prism header"},
	[122] = {fyke_decode_ip_over_fc, "IP over Fibre Channel"},
	[123] = {fyke_decode_sunatm, "SunATM"},
	[127] = {fyke_decode_radiotap, "802.11 with radiotap"},
	[129] = {fyke_decode_arcnet_linux, "Linux ARCNET"},
	[130] = {fyke_decode_juniper, "Juniper MLPPP"},
	[131] = {fyke_decode_juniper, "Juniper MLFR"},
	[132] = {fyke_decode_juniper, "Juniper encryption services"},
	[133] = {fyke_decode_juniper, "Juniper GGSN"},
	[134] = {fyke_decode_juniper, "Juniper MFR"},
	[135] = {fyke_decode_juniper, "Juniper ATM2"},
	[136] = {fyke_decode_juniper, "Juniper services"},
	[137] = {fyke_decode_juniper, "Juniper ATM1"},
	[138] = {fyke_decode_ieee1394, "IP over IEEE 1394"},
	[143] = {fyke_decode_docsis, "DOCSIS"},
	[149] = {fyke_decode_pktap, "Apple packet tap"}, /* USER2, which macOS used before it had a number */
	[163] = {fyke_decode_avs, "802.11 with AVS header"},
	[164] = {fyke_decode_juniper, "Juniper monitoring"},
	[166] = {fyke_decode_pppd, "PPP (pppd)"},
	[167] = {fyke_decode_juniper, "Juniper PPPoE"},
	[168] = {fyke_decode_juniper, "Juniper PPPoE over ATM"},
	[178] = {fyke_decode_juniper_ethernet, "Juniper Ethernet"},
	[179] = {fyke_decode_juniper_ppp, "Juniper PPP"},
	[180] = {fyke_decode_juniper_frame_relay, "Juniper Frame Relay"},
	[181] = {fyke_decode_juniper_hdlc, "Juniper Cisco HDLC"},
	[182] = {fyke_decode_mfr, "Multilink Frame Relay"},
	[192] = {fyke_decode_ppi, "Per-Packet Information"},
	[204] = {fyke_decode_ppp_direction, "PPP with direction"},
	[205] = {fyke_decode_cisco_hdlc_direction, "Cisco HDLC with direction"},
	[206] = {fyke_decode_frame_relay_direction, "Frame Relay with direction"},
	[226] = {fyke_decode_ipnet, "Solaris ipnet"},
	[228] = {fyke_decode_ipv4, "Raw IPv4"},
	[229] = {fyke_decode_ipv6, "Raw IPv6"},
	[239] = {fyke_decode_nflog, "Linux NFLOG"},
	[240] = {fyke_decode_netanalyzer, "netANALYZER"},
	[241] = {fyke_decode_netanalyzer_transparent, "netANALYZER transparent"},
	[242] = {fyke_decode_ipoib, "IP over InfiniBand"},
	[258] = {fyke_decode_pktap, "Apple packet tap"},
	[274] = {fyke_decode_mpacket, "Ethernet mPackets"},
	[276] = {fyke_decode_sll2, "Linux cooked v2"},
	[281] = {fyke_decode_brcm_tag, "Ethernet with Broadcom tag"},
	[282] = {fyke_decode_brcm_prepend, "Broadcom tag and Ethernet"},
	[284] = {fyke_decode_dsa, "Ethernet with DSA tag"},
	[285] = {fyke_decode_edsa, "Ethernet with EDSA tag"},
	/* names only: no IP comes in these, or nobody outside can read them */
	[3] = {NULL, "AX.25"},
	[147] = {NULL, "user-defined 0"},
	[148] = {NULL, "user-defined 1"},
	[150] = {NULL, "user-defined 3"},
	[189] = {NULL, "Linux USB"},
	[195] = {NULL, "802.15.4"},
	[201] = {NULL, "Bluetooth HCI"},
	[227] = {NULL, "CAN bus"},
	[230] = {NULL, "802.15.4"},
	[249] = {NULL, "USBPcap"},
	[251] = {NULL, "Bluetooth Low Energy"},
	[253] = {NULL, "Linux netlink"},
};

enum { LINKS = sizeof(links) / sizeof(links[0]) };

const char *fyke_link_type_name(uint16_t link_type)
{
	return link_type < LINKS ? links[link_type].name : NULL;
}

bool fyke_link_type_is_read(uint16_t link_type)
{
	return link_type < LINKS && links[link_type].decode != NULL;
}

/* Only where libpcap's numbers on some system differ from those of files. */
uint16_t fyke_link_type_from_dlt(uint32_t dlt)
{
	switch (dlt) {
	case 11:
		return 100;
	case 12:
	case 14:
		return 101;
	case 15:
	case 18:
		return 166;
	default:
		return dlt <= UINT16_MAX ? (uint16_t)dlt : UINT16_MAX;
	}
}

enum fyke_refusal fyke_decode_link(struct fyke_walk *walk, struct fyke_span *span, uint16_t link_type)
{
	if (!fyke_walk_step(walk))
		return FYKE_REFUSAL_TOO_DEEP;
	if (link_type >= LINKS || links[link_type].decode == NULL)
		return FYKE_REFUSAL_LINK_TYPE;
	return links[link_type].decode(walk, span);
}
