/* Tunnels: the outer packet stays, the inner one is the next layer; what fails a check is plain UDP. */
#include "tests/unit/decode_bytes.h"

static struct fyke_decoded decoded = {.packets = decoded_packets};

struct tunnel_case {
	const char *what;
	uint8_t protocol; /* of the outer IP header; 17 with `port` */
	uint16_t port;
	const char *before; /* between the outer header and what is inside */
	enum { IPV4, IPV6, ETHERNET } inside;
	enum fyke_tunnel tunnel;
	int64_t id; /* -1 = none */
};

static const struct tunnel_case cases[] = {
	{"4in4", 4, 0, "", IPV4, FYKE_TUNNEL_IPIP, -1},
	{"6in4", 41, 0, "", IPV6, FYKE_TUNNEL_IPIP, -1},
	{"GRE", 47, 0, "0000 0800", IPV4, FYKE_TUNNEL_GRE, -1},
	{"GRE, all fields", 47, 0, "b000 86dd 00000000 0000002a 00000001", IPV6, FYKE_TUNNEL_GRE, 42},
	{"GRE, routing", 47, 0, "4000 0800 00000000 0800 00 04 0a000001 0000 00 00", IPV4, FYKE_TUNNEL_GRE,
		-1},
	{"GRE, Ethernet", 47, 0, "2000 6558 00000007", ETHERNET, FYKE_TUNNEL_GRE, 7},
	{"GRE, MPLS", 47, 0, "0000 8847 00020140", IPV4, FYKE_TUNNEL_GRE, -1},
	{"PPTP", 47, 0, "3081 880b 0025 0001 00000001 00000001 ff03 0021", IPV4, FYKE_TUNNEL_GRE, -1},
	{"ERSPAN I", 47, 0, "0000 88be", ETHERNET, FYKE_TUNNEL_ERSPAN, -1},
	{"ERSPAN II", 47, 0, "1000 88be 00000001 1000000a 00000000", ETHERNET, FYKE_TUNNEL_ERSPAN, 10},
	{"ERSPAN III", 47, 0, "1000 22eb 00000001 2000000b 00000000 0000 0001 0000000000000000", ETHERNET,
		FYKE_TUNNEL_ERSPAN, 11},
	{"EtherIP", 97, 0, "3000", ETHERNET, FYKE_TUNNEL_ETHERIP, -1},
	{"Ethernet by segment routing", 143, 0, "", ETHERNET, FYKE_TUNNEL_ETHERIP, -1},
	{"VXLAN", 17, 4789, "08000000 00002a00", ETHERNET, FYKE_TUNNEL_VXLAN, 42},
	{"VXLAN, group policy", 17, 4789, "88000005 00002a00", ETHERNET, FYKE_TUNNEL_VXLAN, 42},
	{"VXLAN, Linux", 17, 8472, "08000000 00002a00", ETHERNET, FYKE_TUNNEL_VXLAN, 42},
	{"VXLAN-GPE", 17, 4790, "0c000001 00002a00", IPV4, FYKE_TUNNEL_VXLAN, 42},
	{"GENEVE", 17, 6081, "01006558 00002a00 01020300", ETHERNET, FYKE_TUNNEL_GENEVE, 42},
	{"GENEVE, IPv6", 17, 6081, "000086dd 00002a00", IPV6, FYKE_TUNNEL_GENEVE, 42},
	{"GTP-U", 17, 2152, "30ff 0021 0000002a", IPV4, FYKE_TUNNEL_GTPU, 42},
	{"GTP-U, extensions", 17, 2152, "36ff 002d 0000002a 0001 00 85 01 1005 85 01 1006 00", IPV4,
		FYKE_TUNNEL_GTPU, 42},
	{"Teredo", 17, 3544, "", IPV6, FYKE_TUNNEL_TEREDO, -1},
	{"Teredo, indications", 17, 3544, "0001 00 00 0000000000000000 00 0000 ffff ffffffff", IPV6,
		FYKE_TUNNEL_TEREDO, -1},
	{"L2TP", 17, 1701, "4002 002d 0001 002a ff03 0021", IPV4, FYKE_TUNNEL_L2TP, 42},
	{"L2TP, sequence and offset", 17, 1701, "0a02 0001 002a 0000 0000 0002 ffff 21", IPV4,
		FYKE_TUNNEL_L2TP, 42},
	{"GRE in UDP", 17, 4754, "2000 0800 0000002a", IPV4, FYKE_TUNNEL_GRE, 42},
	{"PIM Register", 103, 0, "2100 0000 00000000", IPV4, FYKE_TUNNEL_PIM, -1},
	{"PIM Register, IPv6", 103, 0, "2100 0000 80000000", IPV6, FYKE_TUNNEL_PIM, -1},
	{"GTP version 0", 17, 3386, "1eff 0021 0001 002a ffffffff 4200012143658709", IPV4, FYKE_TUNNEL_GTPU,
		42},
	{"CAPWAP, 802.3", 17, 5247, "00100200 00000000", ETHERNET, FYKE_TUNNEL_CAPWAP, -1},
	{"CAPWAP, first fragment", 17, 5247, "00100280 00010000", ETHERNET, FYKE_TUNNEL_CAPWAP, -1},
	{"MPLS in UDP", 17, 6635, "00010040 00020140", IPV6, FYKE_TUNNEL_MPLS, -1},
	{"AYIYA", 17, 5072, "11020129 00000000 ffff", IPV6, FYKE_TUNNEL_AYIYA, -1},
};

static struct bytes inside_of(const struct tunnel_case *tunnel)
{
	struct bytes inner = tunnel->inside == IPV6 ? sample_ipv6() : sample_ipv4();

	return tunnel->inside == ETHERNET ? ethernet(0x0800, &inner) : inner;
}

static struct bytes build(const struct tunnel_case *tunnel)
{
	struct bytes payload = from_hex(tunnel->before), inner = inside_of(tunnel), packet;

	put_bytes(&payload, &inner);
	if (tunnel->protocol == 17)
		payload = udp(999, tunnel->port, &payload);
	packet = ipv4(tunnel->protocol, &payload);
	return ethernet(0x0800, &packet);
}

static void test_decode_tunnel_inner_is_next_layer(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes frame = build(&cases[i]);
		const struct fyke_packet *outer = &decoded.packets[0], *inner = &decoded.packets[1];

		decode_whole(1, &frame, &decoded);
		if (decoded.count != 2)
			fail_msg("%s: %u packets, %s", cases[i].what, decoded.count,
				fyke_refusal_name(decoded.refusal));
		assert_int_equal(outer->protocol, cases[i].protocol);
		assert_int_equal(outer->kind, cases[i].protocol == 17 ? FYKE_PACKET_UDP : FYKE_PACKET_OTHER);
		assert_int_equal(outer->tunnel, FYKE_TUNNEL_NONE);
		assert_int_equal(inner->layer, 1);
		assert_sample_udp(inner);
		assert_memory_equal(inner->payload, "hello", 5);
		if (inner->tunnel != cases[i].tunnel || inner->tunnel_id_known != (cases[i].id >= 0))
			fail_msg("%s: tunnel %d", cases[i].what, (int)inner->tunnel);
		if (cases[i].id >= 0)
			assert_int_equal(inner->tunnel_id, cases[i].id);
		/* Inner Ethernet gives the inner addresses; without it they are the frame's. */
		if (cases[i].inside == ETHERNET)
			assert_ptr_not_equal(inner->source_mac, outer->source_mac);
		else
			assert_ptr_equal(inner->source_mac, outer->source_mac);
		assert_every_cut_accounted(1, &frame);
	}
}

static void test_decode_tunnel_needs_its_port_and_header(void **state)
{
	static const struct {
		uint16_t port;
		const char *before;
	} plain[] = {
		{4788, "08000000 00002a00"},   /* another port */
		{4789, "00000000 00002a00"},   /* no identifier */
		{6081, "40006558 00002a00"},   /* version 1 */
		{6081, "00001234 00002a00"},   /* nothing that is known */
		{2152, "30fe 0021 0000002a"},  /* no G-PDU */
		{2152, "30ff 7fff 0000002a"},  /* longer than the datagram */
		{1701, "c802 002d 0001 002a"}, /* a control message */
		{3545, ""},		       /* Teredo elsewhere needs its addresses */
		{3386, "1efe 0021 0001 002a ffffffff 4200012143658709"}, /* no T-PDU */
		{3386, "0eff 0021 0001 002a ffffffff 4200012143658709"}, /* GTP' */
		{3386, "1eff 7fff 0001 002a ffffffff 4200012143658709"}, /* longer than the datagram */
		{5247, "01000000 00000000"},				 /* CAPWAP with DTLS */
		{5247, "00080200 00000000"},				 /* a header of four bytes */
		{5247, "00100201 00000000"},				 /* a reserved bit */
		{6635, "00020040 00020040"},				 /* a stack without a bottom here */
		{6635, "00020140 00020140"},				 /* no IP below it */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		struct bytes payload = from_hex(plain[i].before), inner = sample_ipv6(), packet;

		put_bytes(&payload, &inner);
		payload = udp(999, plain[i].port, &payload);
		packet = ipv4(17, &payload);
		decode_whole(101, &packet, &decoded);
		assert_int_equal(decoded.count, 1);
		assert_int_equal(decoded.refusal, FYKE_REFUSAL_NONE);
		assert_int_equal(decoded.packets[0].kind, FYKE_PACKET_UDP);
	}
}

static void test_decode_teredo_on_other_ports(void **state)
{
	struct bytes inner = sample_ipv6(), payload, packet;

	(void)state;
	memcpy(inner.data + 8, "\x20\x01\x00\x00", 4);
	payload = udp(999, 5555, &inner);
	packet = ipv4(17, &payload);
	decode_whole(101, &packet, &decoded);
	assert_int_equal(decoded.count, 2);
	assert_int_equal(decoded.packets[1].tunnel, FYKE_TUNNEL_TEREDO);
	/* The length must fit to the byte. */
	put_hex(&inner, "00");
	payload = udp(999, 5555, &inner);
	packet = ipv4(17, &payload);
	decode_whole(101, &packet, &decoded);
	assert_int_equal(decoded.count, 1);
}

static void test_decode_tunnel_vlan_is_the_inner_one(void **state)
{
	struct bytes inner = sample_ipv4(), payload = from_hex("08000000 00002a00"), packet, frame;

	(void)state;
	inner = ethernet(0x0800, &inner);
	put_bytes(&payload, &inner);
	payload = udp(999, 4789, &payload);
	packet = ipv4(17, &payload);
	frame = from_hex("020000000002 020000000001 8100 0064 0800");
	put_bytes(&frame, &packet);
	decode_whole(1, &frame, &decoded);
	assert_int_equal(decoded.packets[0].vlan, 100);
	assert_int_equal(decoded.packets[1].vlan, -1);
}

static void test_decode_tunnel_tells_why_nothing_is_inside(void **state)
{
	struct bytes payload = from_hex("08000000 00002a00 020000000002 020000000001 0806 0001"), packet;

	(void)state;
	payload = udp(999, 4789, &payload);
	packet = ipv4(17, &payload);
	decode_whole(101, &packet, &decoded);
	assert_int_equal(decoded.count, 1);
	assert_int_equal(decoded.refusal, FYKE_REFUSAL_ARP);
}

/* 802.11 to the controller (ToDS) and back, the bytes of frame control and sequence in both orders; a
 * fragment number that is not zero has no header to read. */
static void test_decode_capwap_wlan(void **state)
{
	static const struct {
		const char *before;
		unsigned count;
	} forms[] = {
		{"00200320 00000000 04bf2300 00000000 0801 0000 020000000009 020000000001 020000000002 6030",
			2},
		{"00100300 00000000 0108 0000 020000000009 020000000001 020000000002 3060", 2},
		{"00100300 00000000 0208 0000 020000000002 020000000009 020000000001 3060", 2},
		{"00100300 00000000 0108 0000 020000000009 020000000001 020000000002 3061", 1},
		{"00100300 00000000 0801 0000 020000000009 020000000001 020000000002 6130", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct bytes payload = from_hex(forms[i].before), inner = sample_ipv4(), packet;

		put_hex(&payload, "aaaa03000000 0800");
		put_bytes(&payload, &inner);
		payload = udp(999, 5247, &payload);
		packet = ipv4(17, &payload);
		decode_whole(101, &packet, &decoded);
		assert_int_equal(decoded.count, forms[i].count);
		if (decoded.count == 1)
			continue;
		assert_int_equal(decoded.packets[1].tunnel, FYKE_TUNNEL_CAPWAP);
		assert_sample_udp(&decoded.packets[1]);
		assert_memory_equal(decoded.packets[1].source_mac, "\2\0\0\0\0\1", 6);
		assert_memory_equal(decoded.packets[1].destination_mac, "\2\0\0\0\0\2", 6);
		assert_every_cut_accounted(101, &packet);
	}
}

static void test_decode_tunnel_control_has_nothing_inside(void **state)
{
	static const struct {
		uint8_t protocol;
		const char *payload;
		enum fyke_refusal refusal;
	} kinds[] = {
		{103, "2100 0000 40000000", FYKE_REFUSAL_LINK_CONTROL}, /* null register */
		{103, "2000 0000 00000000", FYKE_REFUSAL_NONE},		/* hello */
		{103, "2200 0000 00000000", FYKE_REFUSAL_NONE},		/* register stop */
		{17, "00100208 00000000", FYKE_REFUSAL_LINK_CONTROL},	/* CAPWAP keep-alive */
		{17, "00100280 00010008", FYKE_REFUSAL_LINK_SHORT},	/* a later fragment */
		{17, "00100500 00000000", FYKE_REFUSAL_NETWORK},	/* another binding */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct bytes payload = from_hex(kinds[i].payload), inner = sample_ipv4(), packet;

		put_bytes(&payload, &inner);
		if (kinds[i].protocol == 17)
			payload = udp(999, 5247, &payload);
		packet = ipv4(kinds[i].protocol, &payload);
		decode_whole(101, &packet, &decoded);
		assert_int_equal(decoded.count, 1);
		assert_int_equal(decoded.refusal, kinds[i].refusal);
	}
}

static void test_decode_tunnel_depth_is_bounded(void **state)
{
	struct bytes packet = sample_ipv4();

	(void)state;
	for (int i = 1; i < FYKE_LAYERS_MAX; i++)
		packet = ipv4(4, &packet);
	decode_whole(101, &packet, &decoded);
	assert_int_equal(decoded.count, FYKE_LAYERS_MAX);
	assert_sample_udp(&decoded.packets[FYKE_LAYERS_MAX - 1]);
	packet = ipv4(4, &packet);
	decode_whole(101, &packet, &decoded);
	assert_int_equal(decoded.count, FYKE_LAYERS_MAX);
	assert_int_equal(decoded.refusal, FYKE_REFUSAL_TOO_DEEP);
}

static void test_decode_tunnel_fragment_inside(void **state)
{
	struct bytes inner = sample_ipv4(), packet;

	(void)state;
	inner.data[6] = 0x20;
	packet = ipv4(4, &inner);
	decode_whole(101, &packet, &decoded);
	assert_int_equal(decoded.count, 1);
	assert_true(decoded.has_fragment);
	assert_int_equal(decoded.fragment.packet.layer, 1);
	assert_int_equal(decoded.fragment.packet.tunnel, FYKE_TUNNEL_IPIP);
	fyke_decode_datagram(&decoded.fragment.packet, 17, inner.data + 20, 13, 13, &decoded);
	assert_int_equal(decoded.count, 1);
	assert_int_equal(decoded.packets[0].layer, 1);
	assert_int_equal(decoded.packets[0].tunnel, FYKE_TUNNEL_IPIP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode_tunnel_inner_is_next_layer),
		cmocka_unit_test(test_decode_tunnel_needs_its_port_and_header),
		cmocka_unit_test(test_decode_teredo_on_other_ports),
		cmocka_unit_test(test_decode_tunnel_vlan_is_the_inner_one),
		cmocka_unit_test(test_decode_tunnel_tells_why_nothing_is_inside),
		cmocka_unit_test(test_decode_capwap_wlan),
		cmocka_unit_test(test_decode_tunnel_control_has_nothing_inside),
		cmocka_unit_test(test_decode_tunnel_depth_is_bounded),
		cmocka_unit_test(test_decode_tunnel_fragment_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
