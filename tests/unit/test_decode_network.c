/* IPv4 and IPv6 headers: lengths, options, extensions, fragments. */
#include "tests/unit/decode_bytes.h"

static struct fyke_decoded decoded = {.packets = decoded_packets};

static void test_decode_ipv4_fields(void **state)
{
	struct bytes frame = sample_ipv4();
	const struct fyke_packet *packet = &decoded.packets[0];

	(void)state;
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.count, 1);
	assert_int_equal(decoded.refusal, FYKE_REFUSAL_NONE);
	assert_memory_equal(packet->source.bytes, "\x0a\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_memory_equal(packet->destination.bytes, "\x0a\0\0\x02\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(packet->protocol, 17);
	assert_int_equal(packet->ttl, 64);
	assert_int_equal(packet->ip_id, 0x1234);
	assert_true(packet->dont_fragment);
	assert_int_equal(packet->ip_bytes, 33);
	assert_null(packet->source_mac);
	assert_int_equal(packet->tunnel, FYKE_TUNNEL_NONE);
}

static void test_decode_ipv4_options(void **state)
{
	struct bytes inner = sample_udp(), frame = from_hex("47000029 12340000 40110000 0a000001 0a000002"
							    "83 07 04 0a000009 00");

	(void)state;
	put_bytes(&frame, &inner);
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.count, 1);
	assert_sample_udp(&decoded.packets[0]);
	assert_every_cut_accounted(101, &frame);
}

static void test_decode_ipv4_total_length(void **state)
{
	struct bytes frame = sample_ipv4();

	(void)state;
	/* What the snaplen cut was on the wire; what no wire had counts for nothing. */
	frame.data[3] = 133;
	frame.data[25] = 113;
	decode_on_wire(101, &frame, 133, &decoded);
	assert_int_equal(decoded.packets[0].kind, FYKE_PACKET_UDP);
	assert_int_equal(decoded.packets[0].ip_bytes, 133);
	assert_int_equal(decoded.packets[0].payload_length, 105);
	assert_int_equal(decoded.packets[0].payload_captured, 5);
	decode_on_wire(101, &frame, 50, &decoded);
	assert_int_equal(decoded.packets[0].ip_bytes, 50);
	assert_int_equal(decoded.packets[0].payload_length, 22);
	decode_whole(101, &frame, &decoded);
	assert_sample_udp(&decoded.packets[0]);
	assert_int_equal(decoded.packets[0].ip_bytes, 33);
	/* Zero: the frame's. */
	frame = sample_ipv4();
	frame.data[3] = 0;
	decode_whole(101, &frame, &decoded);
	assert_sample_udp(&decoded.packets[0]);
	assert_int_equal(decoded.packets[0].ip_bytes, 33);
	/* Shorter than the header. */
	frame.data[3] = 19;
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.refusal, FYKE_REFUSAL_IP_BAD);
	assert_int_equal(decoded.count, 0);
}

static void test_decode_length_ends_with_the_tunnel(void **state)
{
	struct bytes inner = sample_ipv4(), frame;

	(void)state;
	inner.data[2] = 0x10;
	frame = ipv4(4, &inner);
	put_hex(&frame, "00000000");
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.count, 2);
	assert_int_equal(decoded.packets[0].ip_bytes, 53);
	assert_int_equal(decoded.packets[1].ip_bytes, 33);
	assert_sample_udp(&decoded.packets[1]);
}

/* A receiver drops such a packet: it is no piece of a datagram, and its checksum proves nothing. */
static void test_decode_overstated_length(void **state)
{
	struct bytes frame = sample_ipv4(),
		     tcp = from_hex("0001 0002 00000000 00000000 8010 0000 dead 0000"
				    "0101"),
		     message = from_hex("0800 dead 0001 0002");

	(void)state;
	frame.data[2] = 0x10;
	frame.data[6] = 0x20;
	frame.data[7] = 1;
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.refusal, FYKE_REFUSAL_FRAGMENT_BAD);
	assert_false(decoded.has_fragment);
	/* A first fragment is read as far as it is there. */
	frame.data[7] = 0;
	decode_whole(101, &frame, &decoded);
	assert_true(decoded.has_fragment && decoded.fragment.packet.is_overstated);
	assert_int_equal(decoded.fragment.length, 13);
	/* Twelve bytes of options, of which two are there. */
	frame = ipv4(6, &tcp);
	frame.data[2] = 0x10;
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.packets[0].kind, FYKE_PACKET_TCP);
	assert_int_equal(decoded.packets[0].ip_bytes, frame.length);
	assert_int_equal(decoded.packets[0].payload_length, 0);
	assert_int_equal(decoded.packets[0].checksum, FYKE_CHECKSUM_UNKNOWN);
	frame = ipv4(1, &message);
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.packets[0].checksum, FYKE_CHECKSUM_WRONG);
	frame.data[2] = 0x10;
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.packets[0].checksum, FYKE_CHECKSUM_UNKNOWN);
}

static void test_decode_ipv4_refusals(void **state)
{
	struct bytes frame = sample_ipv4();

	(void)state;
	frame.data[0] = 0x44;
	decode_whole(228, &frame, &decoded);
	assert_int_equal(decoded.refusal, FYKE_REFUSAL_IP_BAD);
	frame.data[0] = 0x65;
	decode_whole(228, &frame, &decoded);
	assert_int_equal(decoded.refusal, FYKE_REFUSAL_IP_BAD);
	frame.data[0] = 0x45;
	decode_cut(228, &frame, 19, &decoded);
	assert_int_equal(decoded.refusal, FYKE_REFUSAL_IP_SHORT);
}

static void test_decode_ipv4_fragment(void **state)
{
	struct bytes frame = sample_ipv4();
	const struct fyke_fragment *fragment = &decoded.fragment;

	(void)state;
	frame.data[6] = 0x20;
	frame.data[7] = 3;
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.count, 0);
	assert_int_equal(decoded.refusal, FYKE_REFUSAL_NONE);
	assert_true(decoded.has_fragment && fragment->more);
	assert_int_equal(fragment->id, 0x1234);
	assert_int_equal(fragment->offset, 24);
	assert_int_equal(fragment->length, 13);
	assert_int_equal(fragment->captured, 13);
	assert_int_equal(fragment->next_header, 17);
	assert_int_equal(fragment->packet.ip_bytes, 33);
	assert_memory_equal(fragment->data, frame.data + 20, 13);
	/* The whole datagram goes on from there. */
	fyke_decode_datagram(&fragment->packet, 17, frame.data + 20, 13, 13, &decoded);
	assert_int_equal(decoded.count, 1);
	assert_sample_udp(&decoded.packets[0]);
	assert_int_equal(decoded.packets[0].frame, 7);
}

static void test_decode_ipv4_fragment_out_of_range(void **state)
{
	struct bytes frame = sample_ipv4();

	(void)state;
	frame.data[6] = 0x1f;
	frame.data[7] = 0xff;
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.refusal, FYKE_REFUSAL_FRAGMENT_BAD);
	assert_false(decoded.has_fragment);
}

static void test_decode_ah(void **state)
{
	struct bytes inner = sample_udp(),
		     ah = from_hex("11 04 0000 00000001 00000001 000000000000000000000000"), frame;

	(void)state;
	put_bytes(&ah, &inner);
	frame = ipv4(51, &ah);
	decode_whole(101, &frame, &decoded);
	assert_sample_udp(&decoded.packets[0]);
	assert_int_equal(decoded.packets[0].protocol, 17);
	assert_every_cut_accounted(101, &frame);
	frame = ipv6(51, &ah);
	decode_whole(101, &frame, &decoded);
	assert_sample_udp(&decoded.packets[0]);
}

static void test_decode_ipv6_extensions(void **state)
{
	/* hop-by-hop, routing, destination, mobility, HIP, shim6, then UDP */
	struct bytes inner = sample_udp(),
		     chain = from_hex("2b00 010400000000 3c00 0400 00000000 8700 010400000000"
				      "8b00 000000000000 8c00 000000000000 1100 000000000000");
	struct bytes frame;

	(void)state;
	put_bytes(&chain, &inner);
	frame = ipv6(0, &chain);
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.count, 1);
	assert_sample_udp(&decoded.packets[0]);
	assert_int_equal(decoded.packets[0].protocol, 17);
	assert_int_equal(decoded.packets[0].ip_bytes, frame.length);
	assert_every_cut_accounted(101, &frame);
}

static void test_decode_ipv6_extensions_without_end(void **state)
{
	struct bytes chain = {0}, frame;

	(void)state;
	for (int i = 0; i < 100; i++)
		put_hex(&chain, "3c00 010400000000");
	frame = ipv6(60, &chain);
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.refusal, FYKE_REFUSAL_EXTENSION_BAD);
	chain = from_hex("1105 010400000000");
	frame = ipv6(60, &chain);
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.refusal, FYKE_REFUSAL_EXTENSION_BAD);
}

static void test_decode_ipv6_ends(void **state)
{
	struct bytes payload = from_hex("00000001 00000001 ffff"), frame = ipv6(50, &payload);

	(void)state;
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.packets[0].kind, FYKE_PACKET_OTHER);
	assert_int_equal(decoded.packets[0].protocol, 50);
	assert_int_equal(decoded.packets[0].payload_length, 10);
	payload = from_hex("3b00 000000000000");
	frame = ipv6(135, &payload);
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.packets[0].protocol, 135);
}

static void test_decode_ipv6_fragments(void **state)
{
	struct bytes inner = sample_udp(), payload = from_hex("1100 0000 0000002a"), frame;

	(void)state;
	put_bytes(&payload, &inner);
	frame = ipv6(44, &payload);
	/* An atomic fragment is whole (RFC 6946). */
	decode_whole(101, &frame, &decoded);
	assert_false(decoded.has_fragment);
	assert_sample_udp(&decoded.packets[0]);
	frame.data[43] = 0x08;
	decode_whole(101, &frame, &decoded);
	assert_true(decoded.has_fragment);
	assert_int_equal(decoded.count, 0);
	assert_int_equal(decoded.fragment.id, 42);
	assert_int_equal(decoded.fragment.offset, 8);
	assert_int_equal(decoded.fragment.length, 13);
	assert_int_equal(decoded.fragment.next_header, 17);
	/* All but the last are multiples of eight. */
	frame.data[43] = 0x09;
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.refusal, FYKE_REFUSAL_FRAGMENT_BAD);
}

static void assert_ends(const struct fyke_packet *packet, uint8_t source, uint8_t destination)
{
	assert_int_equal(packet->source.bytes[15], source);
	assert_int_equal(packet->destination.bytes[15], destination);
}

static void test_decode_ipv6_names_the_ends(void **state)
{
	/* A home address of …:8 and a route whose last hop is …:9, with `left` segments to go. */
	static const struct {
		const char *route;
		uint8_t destination;
	} routes[] = {
		{"1104 00 02 00000000 20010db8000000000000000000000007 20010db8000000000000000000000009", 9},
		{"1104 00 00 00000000 20010db8000000000000000000000007 20010db8000000000000000000000009", 2},
		{"1104 00 03 00000000 20010db8000000000000000000000007 20010db8000000000000000000000009", 2},
		{"1102 02 01 00000000 20010db8000000000000000000000009", 9},
		{"1104 04 01 01000000 20010db8000000000000000000000009 20010db8000000000000000000000007", 9},
		{"1104 03 01 00000000 20010db8000000000000000000000007 20010db8000000000000000000000009", 2},
	};
	struct bytes inner = sample_udp(), chain, frame;

	(void)state;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		chain = from_hex("2b02 c910 20010db8000000000000000000000008 01020000");
		put_hex(&chain, routes[i].route);
		put_bytes(&chain, &inner);
		frame = ipv6(60, &chain);
		decode_whole(101, &frame, &decoded);
		assert_int_equal(decoded.count, 1);
		assert_sample_udp(&decoded.packets[0]);
		assert_ends(&decoded.packets[0], 8, routes[i].destination);
		assert_every_cut_accounted(101, &frame);
	}
}

/* The pseudo header has the final destination (RFC 8200 §8.1), also of a datagram that came in pieces. */
static void test_decode_ipv6_route_before_fragments(void **state)
{
	struct bytes inner = sample_udp(),
		     chain = from_hex("2c02 02 01 00000000"
				      "20010db8000000000000000000000009 1100 0008 0000002a"),
		     home = from_hex("1102 c910 20010db8000000000000000000000008 01020000"), frame;

	(void)state;
	/* 2001:db8::1 → 2001:db8::9 */
	memcpy(inner.data + 6, "\x53\x81", 2);
	put_bytes(&chain, &inner);
	frame = ipv6(43, &chain);
	decode_whole(101, &frame, &decoded);
	assert_true(decoded.has_fragment);
	assert_ends(&decoded.fragment.packet, 1, 9);
	fyke_decode_datagram(&decoded.fragment.packet, 17, inner.data, 13, 13, &decoded);
	assert_ends(&decoded.packets[0], 1, 9);
	assert_int_equal(decoded.packets[0].checksum, FYKE_CHECKSUM_GOOD);
	/* A home address behind the fragment header is known by now only. */
	put_bytes(&home, &inner);
	decode_whole(101, &frame, &decoded);
	fyke_decode_datagram(&decoded.fragment.packet, 60, home.data, (uint32_t)home.length,
		(uint32_t)home.length, &decoded);
	assert_ends(&decoded.packets[0], 8, 9);
	assert_int_equal(decoded.packets[0].checksum, FYKE_CHECKSUM_WRONG);
}

static void test_decode_ipv6_lengths(void **state)
{
	struct bytes inner = sample_udp(), payload = from_hex("1100 c204 00010015"), frame;

	(void)state;
	/* A jumbogram: 65,557 bytes, most of them not here. */
	inner.data[4] = inner.data[5] = 0;
	put_bytes(&payload, &inner);
	frame = ipv6(0, &payload);
	frame.data[4] = frame.data[5] = 0;
	decode_on_wire(101, &frame, 65557 + 40, &decoded);
	assert_int_equal(decoded.packets[0].kind, FYKE_PACKET_UDP);
	assert_int_equal(decoded.packets[0].ip_bytes, 65557 + 40);
	assert_int_equal(decoded.packets[0].payload_length, 65541);
	assert_int_equal(decoded.packets[0].payload_captured, 5);
	/* Where the wire had no more, the option lies. */
	decode_whole(101, &frame, &decoded);
	assert_sample_udp(&decoded.packets[0]);
	assert_int_equal(decoded.packets[0].ip_bytes, frame.length);
	frame = sample_ipv6();
	frame.data[4] = 0x7f;
	decode_whole(101, &frame, &decoded);
	assert_sample_udp(&decoded.packets[0]);
	assert_int_equal(decoded.packets[0].ip_bytes, frame.length);
	/* Padding behind the payload is none of it. */
	frame = sample_ipv6();
	put_hex(&frame, "00000000");
	decode_whole(101, &frame, &decoded);
	assert_sample_udp(&decoded.packets[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode_ipv4_fields),
		cmocka_unit_test(test_decode_ipv4_options),
		cmocka_unit_test(test_decode_ipv4_total_length),
		cmocka_unit_test(test_decode_length_ends_with_the_tunnel),
		cmocka_unit_test(test_decode_overstated_length),
		cmocka_unit_test(test_decode_ipv4_refusals),
		cmocka_unit_test(test_decode_ipv4_fragment),
		cmocka_unit_test(test_decode_ipv4_fragment_out_of_range),
		cmocka_unit_test(test_decode_ah),
		cmocka_unit_test(test_decode_ipv6_extensions),
		cmocka_unit_test(test_decode_ipv6_extensions_without_end),
		cmocka_unit_test(test_decode_ipv6_ends),
		cmocka_unit_test(test_decode_ipv6_fragments),
		cmocka_unit_test(test_decode_ipv6_lengths),
		cmocka_unit_test(test_decode_ipv6_names_the_ends),
		cmocka_unit_test(test_decode_ipv6_route_before_fragments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
