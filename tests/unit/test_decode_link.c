/* Every link layer around the same UDP packet; what is refused, and why. */
#include "tests/unit/decode_bytes.h"

struct link_case {
	const char *what;
	uint16_t link_type;
	const char *before, *after;
	bool is_ipv6;
	int vlan;
};

#define MACS "020000000002 020000000001"
#define WLAN "000002000000000102000000000202000000000310 00"
#define SNAP "aaaa03000000"

static const struct link_case cases[] = {
	{"Ethernet", 1, MACS "0800", "000000", false, -1},
	{"Ethernet, IPv6", 1, MACS "86dd", "", true, -1},
	{"802.3 with SNAP", 1, MACS "0029" SNAP "0800", "", false, -1},
	{"802.1Q", 1, MACS "8100 0064 0800", "", false, 100},
	{"802.1Q, priority only", 1, MACS "8100 e000 0800", "", false, -1},
	{"QinQ", 1, MACS "88a8 0064 8100 00c8 0800", "", false, 200},
	{"old QinQ", 1, MACS "9100 0064 9100 00c8 8100 012c 0800", "", false, 300},
	{"PBB", 1, "0a0000000002 0a0000000001 88a8 0005 88e7 00000001" MACS "8100 0064 0800", "", false, 100},
	{"MPLS", 1, MACS "8847 00010040 00020140 ", "", false, -1},
	{"MPLS, IPv6", 1, MACS "8847 00020140", "", true, -1},
	{"pseudowire with control word", 1, MACS "8847 00020140 00000000" MACS "0800", "", false, -1},
	{"pseudowire without", 1, MACS "8847 00020140" MACS "0800", "", false, -1},
	{"PPPoE", 1, MACS "8864 1100 0001 0023 0021", "0000", false, -1},
	{"Cisco metadata", 1, MACS "8909 0101 00010005 0800", "", false, -1},
	{"FabricPath", 1, "020000000004 020000000003 8903 0040" MACS "8100 0064 0800", "", false, 100},
	{"VN-Tag", 1, MACS "8926 00000000 8100 0064 0800", "", false, 100},
	{"802.1BR", 1, MACS "893f 000000000000 0800", "", false, -1},
	{"TRILL", 1, MACS "22f3 004000010002 00000000" MACS "0800", "", false, -1},
	{"NSH", 1, MACS "894f 0fc20201 00000000", "", false, -1},
	{"MACsec, integrity only", 1, MACS "88e5 2000 00000001 0200000000010001 0800",
		"000102030405060708090a0b0c0d0e0f", false, -1},
	{"SLL", 113, "0000 0001 0006 020000000001 0000 0800", "", false, -1},
	{"SLL2", 276, "0800 0000 00000001 0001 00 06 020000000001 0000", "", false, -1},
	{"SLL2 with VLAN", 276, "8100 0000 00000001 0001 00 06 020000000001 0000 0064 0800", "", false, 100},
	{"NULL, little-endian", 0, "02000000", "", false, -1},
	{"NULL, big-endian", 0, "00000002", "", false, -1},
	{"NULL, FreeBSD IPv6", 0, "1c000000", "", true, -1},
	{"NULL, macOS IPv6", 0, "1e000000", "", true, -1},
	{"NULL, OpenBSD IPv6", 0, "18000000", "", true, -1},
	{"NULL, Linux IPv6", 0, "0a000000", "", true, -1},
	{"LOOP", 108, "00000018", "", true, -1},
	{"raw", 101, "", "", false, -1},
	{"raw, IPv6", 101, "", "", true, -1},
	{"raw, other number", 12, "", "", false, -1},
	{"raw IPv4", 228, "", "", false, -1},
	{"raw IPv6", 229, "", "", true, -1},
	{"PPP, all compressed", 9, "21", "", false, -1},
	{"PPP", 9, "ff03 0057", "", true, -1},
	{"PPP in Cisco's framing", 9, "0f00 0800", "", false, -1},
	{"PPP multilink, whole", 9, "003d c0000000 0021", "", false, -1},
	{"PPP HDLC", 50, "ff03 0021", "", false, -1},
	{"PPPoE link", 51, "1100 0001 0023 0021", "", false, -1},
	{"PPP with direction", 204, "00 ff03 0021", "", false, -1},
	{"pppd", 166, "01 03 0021", "", false, -1},
	{"C_HDLC", 104, "0f00 0800", "", false, -1},
	{"Frame Relay", 107, "1841 03 cc", "", false, -1},
	{"Frame Relay with padding", 107, "1841 0300 80 000000 0800", "", false, -1},
	{"Frame Relay, four-byte address", 107, "18000081 03 8e", "", true, -1},
	{"Frame Relay, Cisco", 107, "1841 0800", "", false, -1},
	{"MFR", 182, "c000 1841 03 cc", "", false, -1},
	{"802.11", 105, "08 01" WLAN SNAP "0800", "", false, -1},
	{"802.11 QoS", 105, "88 01" WLAN "0000" SNAP "0800", "", false, -1},
	{"802.11 QoS with HT control", 105, "88 81" WLAN "0000 00000000" SNAP "0800", "", false, -1},
	{"802.11 four addresses", 105, "08 03" WLAN "020000000004" SNAP "0800", "", false, -1},
	{"802.11 A-MSDU", 105, "88 01" WLAN "8000" MACS "0029" SNAP "0800", "00", false, -1},
	{"radiotap", 127, "0000 0800 00000000 08 01" WLAN SNAP "0800", "", false, -1},
	{"radiotap, padded header", 127, "0000 0900 02000000 20 88 01" WLAN "0000 0000" SNAP "0800", "",
		false, -1},
	{"radiotap, TSFT and FCS", 127,
		"0000 1900 03000080 00000000 00000000 0000000000000000 10 08 01" WLAN SNAP "0800", "deadbeef",
		false, -1},
	{"PPI", 192, "00 00 0800 69000000 08 01" WLAN SNAP "0800", "", false, -1},
	{"PPI, Ethernet", 192, "00 00 0800 01000000" MACS "0800", "", false, -1},
	{"AVS", 163,
		"80211001 00000040 " /* 56 bytes */
		"00000000000000000000000000000000000000000000000000000000"
		"00000000000000000000000000000000000000000000000000000000 08 01" WLAN SNAP "0800",
		"", false, -1},
	{"NFLOG", 239, "02 00 0000 0800 0100 0800 0300 2500 0900", "000000", false, -1},
	{"NFLOG, big-endian", 239, "02 00 0000 0008 0001 0800 0300 0025 0009", "000000", false, -1},
	{"SLIP", 8, "00 45 0000000000000000000000000000", "", false, -1},
	{"FDDI", 10, "50" MACS SNAP "0800", "", false, -1},
	{"Token Ring", 6, "1040" MACS SNAP "0800", "", false, -1},
	{"Token Ring with routing", 6, "1040 020000000002 820000000001 0400 0010" SNAP "0800", "", false, -1},
	{"ARCNET, RFC 1051", 129, "0102 0000 f0", "", false, -1},
	{"ARCNET, RFC 1201", 7, "0102 d4 00 0001", "", false, -1},
	{"IPoIB", 242,
		"00000000000000000000000000000000000000000000000000000000000000000000000000000000 0800 0000",
		"", false, -1},
	{"ATM, LLC", 100, SNAP "0800", "", false, -1},
	{"ATM, NLPID", 100, "fefe03 cc", "", false, -1},
	{"ATM, no header", 106, "", "", false, -1},
	{"SunATM", 123, "02 00 0064" SNAP "0800", "", false, -1},
	{"ENC", 109, "00000002 00000000 00000000", "", false, -1},
	{"ipnet", 226, "01 02 0000 00000000 00000000 00000000 00000000 00000000", "", false, -1},
	{"Juniper Ethernet", 178, "4d474301" MACS "0800", "", false, -1},
	{"Juniper, extensions, no link header", 178, "4d474382 0002 0000 00000000", "", false, -1},
	{"mPacket", 274, "555555555555 55d5" MACS "0800", "01020304", false, -1},
	{"DSA", 284, MACS "40000064 0800", "", false, 100},
	{"EDSA", 285, MACS "dada0000 40000064 0800", "", false, 100},
};

static struct bytes build(const struct link_case *link)
{
	struct bytes inner = link->is_ipv6 ? sample_ipv6() : sample_ipv4();
	struct bytes frame = from_hex(link->before);

	put_bytes(&frame, &inner);
	put_hex(&frame, link->after);
	return frame;
}

static void test_decode_link_reaches_ip(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes frame = build(&cases[i]);
		struct fyke_decoded decoded = {.packets = decoded_packets};

		decode_whole(cases[i].link_type, &frame, &decoded);
		if (decoded.count != 1 || decoded.packets[0].payload_length != 5)
			fail_msg("%s: %u packets, %s", cases[i].what, decoded.count,
				fyke_refusal_name(decoded.refusal));
		assert_sample_udp(&decoded.packets[0]);
		assert_memory_equal(decoded.packets[0].payload, "hello", 5);
		assert_int_equal(decoded.packets[0].source.family, cases[i].is_ipv6 ? 6 : 4);
		if (decoded.packets[0].vlan != cases[i].vlan)
			fail_msg("%s: VLAN %d", cases[i].what, decoded.packets[0].vlan);
		assert_int_equal(decoded.packets[0].frame, 7);
		assert_int_equal(decoded.packets[0].time_ns, 99);
		assert_int_equal(decoded.packets[0].interface, 3);
		assert_non_null(fyke_link_type_name(cases[i].link_type));
	}
}

static void test_decode_link_survives_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes frame = build(&cases[i]);

		assert_every_cut_accounted(cases[i].link_type, &frame);
	}
}

static void test_decode_link_macs(void **state)
{
	struct bytes inner = sample_ipv4(), frame = from_hex("08 01" WLAN SNAP "0800");
	struct fyke_decoded decoded = {.packets = decoded_packets};

	(void)state;
	put_bytes(&frame, &inner);
	decode_whole(105, &frame, &decoded);
	/* To the distribution system: receiver, source, destination. */
	assert_memory_equal(decoded.packets[0].source_mac, frame.data + 10, 6);
	assert_memory_equal(decoded.packets[0].destination_mac, frame.data + 16, 6);
	frame = from_hex("0000 0001 0006 020000000001 0000 0800");
	put_bytes(&frame, &inner);
	decode_whole(113, &frame, &decoded);
	assert_memory_equal(decoded.packets[0].source_mac, frame.data + 6, 6);
	assert_null(decoded.packets[0].destination_mac);
}

static void test_decode_link_frame_check_sequence_is_no_payload(void **state)
{
	struct bytes inner = sample_ipv4(), frame;
	struct fyke_decoded decoded = {.packets = decoded_packets};
	struct fyke_frame with_fcs = {.number = 1, .link_type = 1, .fcs_length = 4};

	(void)state;
	/* Total length 0: the frame's length counts, without the check sequence. */
	inner.data[2] = inner.data[3] = 0;
	frame = ethernet(0x0800, &inner);
	put_hex(&frame, "01020304");
	with_fcs.data = frame.data;
	with_fcs.captured = with_fcs.length = (uint32_t)frame.length;
	fyke_decode_frame(&with_fcs, &decoded);
	assert_int_equal(decoded.packets[0].ip_bytes, inner.length);
}

static const struct {
	const char *what;
	uint16_t link_type;
	const char *frame;
	enum fyke_refusal refusal;
} refused[] = {
	{"ARP", 1, MACS "0806 0001", FYKE_REFUSAL_ARP},
	{"spanning tree", 1, MACS "0026 424203 000000", FYKE_REFUSAL_LLC},
	{"CDP", 1, MACS "0040 aaaa03 00000c 2000 00", FYKE_REFUSAL_LLC},
	{"LLDP", 1, MACS "88cc 00", FYKE_REFUSAL_NETWORK},
	{"PPPoE discovery", 1, MACS "8863 1109 0000 0000", FYKE_REFUSAL_LINK_CONTROL},
	{"MACsec, encrypted", 1, MACS "88e5 2c00 00000001 0200000000010001 ffffffff", FYKE_REFUSAL_ENCRYPTED},
	{"beacon", 105, "8000 0000 ffffffffffff", FYKE_REFUSAL_WLAN_CONTROL},
	{"null data", 105, "4801" WLAN, FYKE_REFUSAL_WLAN_CONTROL},
	{"protected data", 105, "0841" WLAN "ffffffffffffffff", FYKE_REFUSAL_WLAN_PROTECTED},
	{"LCP", 9, "ff03 c021 01", FYKE_REFUSAL_LINK_CONTROL},
	{"MPPE", 9, "ff03 00fd 9000", FYKE_REFUSAL_NETWORK},
	{"SLARP", 104, "8f00 8035 00000002", FYKE_REFUSAL_LINK_CONTROL},
	{"LMI", 107, "0001 03 08 0075", FYKE_REFUSAL_LINK_CONTROL},
	{"AppleTalk in NULL", 0, "10000000 00", FYKE_REFUSAL_NETWORK},
	{"unknown link type", 300, "00", FYKE_REFUSAL_LINK_TYPE},
	{"Bluetooth", 201, "00", FYKE_REFUSAL_LINK_TYPE},
	{"empty", 1, "", FYKE_REFUSAL_LINK_SHORT},
	{"raw, neither version", 101, "00", FYKE_REFUSAL_IP_BAD},
	{"MPLS without end", 1, MACS "8847 00010040 00010040", FYKE_REFUSAL_LINK_SHORT},
};

static void test_decode_link_refuses_with_a_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct bytes frame = from_hex(refused[i].frame);
		struct fyke_decoded decoded = {.packets = decoded_packets};

		decode_cut(refused[i].link_type, &frame, frame.length, &decoded);
		assert_int_equal(decoded.count, 0);
		assert_false(decoded.has_fragment);
		if (decoded.refusal != refused[i].refusal)
			fail_msg("%s: %s", refused[i].what, fyke_refusal_name(decoded.refusal));
	}
}

static void test_decode_link_endless_tags_are_refused(void **state)
{
	struct bytes frame = from_hex(MACS);
	struct fyke_decoded decoded = {.packets = decoded_packets};

	(void)state;
	for (int i = 0; i < 400; i++)
		put_hex(&frame, "8100 0064");
	decode_cut(1, &frame, frame.length, &decoded);
	assert_int_equal(decoded.refusal, FYKE_REFUSAL_TOO_DEEP);
}

static void test_decode_refusals_have_names(void **state)
{
	(void)state;
	for (int i = 0; i < FYKE_REFUSAL_COUNT; i++) {
		assert_true(strlen(fyke_refusal_name((enum fyke_refusal)i)) > 0);
		assert_true(strlen(fyke_refusal_description((enum fyke_refusal)i)) > 0);
		assert_int_equal(fyke_refusal_is_damage((enum fyke_refusal)i), i >= FYKE_REFUSAL_LINK_SHORT);
	}
	for (int i = 1; i < FYKE_TUNNEL_COUNT; i++)
		assert_non_null(fyke_tunnel_name((enum fyke_tunnel)i));
	assert_null(fyke_tunnel_name(FYKE_TUNNEL_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode_link_reaches_ip),
		cmocka_unit_test(test_decode_link_survives_every_cut),
		cmocka_unit_test(test_decode_link_macs),
		cmocka_unit_test(test_decode_link_frame_check_sequence_is_no_payload),
		cmocka_unit_test(test_decode_link_refuses_with_a_reason),
		cmocka_unit_test(test_decode_link_endless_tags_are_refused),
		cmocka_unit_test(test_decode_refusals_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
