/* TCP, UDP, ICMP, SCTP and DCCP headers and their checksums, against a plain sum of 16-bit words. */
#include "analyzer/decode/checksum.h"
#include "tests/unit/decode_bytes.h"

#include <arpa/inet.h>

static struct fyke_decoded decoded = {.packets = decoded_packets};

static uint16_t plain_sum(const uint8_t *data, size_t length, uint32_t start)
{
	uint32_t sum = start;

	for (size_t i = 0; i < length; i++) {
		sum += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* The sum of the pseudo header of 10.0.0.1 → 10.0.0.2 or 2001:db8::1 → ::2. */
static uint16_t pseudo_sum(bool is_ipv6, uint8_t protocol, size_t length)
{
	struct bytes pseudo =
		is_ipv6 ? from_hex("20010db8000000000000000000000001 20010db8000000000000000000000002")
			: from_hex("0a000001 0a000002");

	put_u32(&pseudo, (uint32_t)length);
	put_u32(&pseudo, protocol);
	return plain_sum(pseudo.data, pseudo.length, 0);
}

static void set_u16(struct bytes *bytes, size_t at, uint16_t value)
{
	bytes->data[at] = (uint8_t)(value >> 8);
	bytes->data[at + 1] = (uint8_t)value;
}

static struct bytes in_ip(bool is_ipv6, uint8_t protocol, const struct bytes *payload)
{
	return is_ipv6 ? ipv6(protocol, payload) : ipv4(protocol, payload);
}

static struct bytes tcp(size_t payload)
{
	struct bytes made = from_hex("0457 0050 00000001 00000002 5018 2000 0000 0000");

	for (size_t i = 0; i < payload; i++)
		put(&made, (const uint8_t[]){(uint8_t)(i * 37 + payload)}, 1);
	return made;
}

static void test_decode_checksum_sum_equals_plain_sum(void **state)
{
	uint8_t data[300] = {0};
	uint32_t seed = 20260;

	(void)state;
	for (size_t length = 0; length < sizeof(data); length++) {
		uint16_t sum;

		for (size_t i = 0; i < length; i++) {
			seed = seed * 1664525 + 1013904223;
			data[i] = length % 3 == 0 ? 0xff : (uint8_t)(seed >> 24);
		}
		sum = fyke_checksum_sum(data, length, 0);
		/* In the machine's byte order. */
		assert_int_equal(htons(sum), plain_sum(data, length, 0));
	}
}

static void check_tcp(bool is_ipv6, size_t payload)
{
	struct bytes segment = tcp(payload), frame;
	uint16_t pseudo = pseudo_sum(is_ipv6, 6, segment.length);
	uint16_t right = (uint16_t)~plain_sum(segment.data, segment.length, pseudo);

	set_u16(&segment, 16, right);
	frame = in_ip(is_ipv6, 6, &segment);
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.packets[0].checksum, FYKE_CHECKSUM_GOOD);
	frame.data[frame.length - 1] ^= 0x10;
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.packets[0].checksum, FYKE_CHECKSUM_WRONG);
	set_u16(&segment, 16, pseudo);
	frame = in_ip(is_ipv6, 6, &segment);
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.packets[0].checksum, FYKE_CHECKSUM_PARTIAL);
	if (payload == 0)
		return;
	decode_cut(101, &frame, frame.length - 1, &decoded);
	assert_int_equal(decoded.packets[0].checksum, FYKE_CHECKSUM_UNKNOWN);
	assert_int_equal(decoded.packets[0].payload_length, payload);
	assert_int_equal(decoded.packets[0].payload_captured, payload - 1);
}

static void test_decode_tcp_checksum(void **state)
{
	(void)state;
	for (size_t payload = 0; payload < 70; payload++) {
		check_tcp(false, payload);
		check_tcp(true, payload);
	}
}

static void test_decode_tcp_header(void **state)
{
	struct bytes segment = from_hex("0457 0050 01020304 05060708 f1d2 2000 0000 0007"
					"020405b4 0402 080a0000000100000002 01 03030f"
					"01 01 051200000001000000020000000300000004"),
		     frame;
	const struct fyke_tcp_header *header = &decoded.packets[0].tcp;

	(void)state;
	frame = ipv4(6, &segment);
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.packets[0].kind, FYKE_PACKET_TCP);
	assert_int_equal(decoded.packets[0].source_port, 0x457);
	assert_int_equal(decoded.packets[0].destination_port, 80);
	assert_int_equal(header->sequence, 0x01020304);
	assert_int_equal(header->acknowledgment, 0x05060708);
	assert_int_equal(header->flags, 0x1d2);
	assert_int_equal(header->window, 0x2000);
	assert_int_equal(header->urgent, 7);
	assert_int_equal(header->mss, 1460);
	assert_int_equal(header->window_scale, 14);
	assert_true(header->sack_permitted && header->has_timestamps);
	assert_false(header->options_bad);
	assert_int_equal(header->timestamp_value, 1);
	assert_int_equal(header->timestamp_echo, 2);
	assert_int_equal(header->sack_count, 2);
	assert_int_equal(header->sack[1].left, 3);
	assert_int_equal(header->sack[1].right, 4);
	assert_int_equal(decoded.packets[0].payload_length, 0);
	assert_every_cut_accounted(101, &frame);
	/* Cut inside the options: those that are here count, and nothing is held against the sender. */
	decode_cut(101, &frame, 20 + 20 + 7, &decoded);
	assert_int_equal(decoded.packets[0].kind, FYKE_PACKET_TCP);
	assert_int_equal(header->mss, 1460);
	assert_true(header->sack_permitted);
	assert_false(header->has_timestamps || header->options_bad);
}

static void test_decode_tcp_bad_options(void **state)
{
	static const char *const lists[] = {
		"02040200 08000000", "02040200 08010000", "02040200 080a0000", "02040200 02030500"};

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct bytes segment = from_hex("0457 0050 00000001 00000002 7010 2000 0000 0000"), frame;

		put_hex(&segment, lists[i]);
		frame = ipv4(6, &segment);
		decode_whole(101, &frame, &decoded);
		assert_int_equal(decoded.packets[0].kind, FYKE_PACKET_TCP);
		assert_true(decoded.packets[0].tcp.options_bad);
	}
}

static void test_decode_tcp_malformed_is_other(void **state)
{
	struct bytes segment = tcp(0), frame;

	(void)state;
	segment.data[12] = 0x40;
	frame = ipv4(6, &segment);
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.packets[0].kind, FYKE_PACKET_OTHER);
	assert_int_equal(decoded.packets[0].protocol, 6);
	assert_int_equal(decoded.packets[0].source_port, 0);
	assert_int_equal(decoded.packets[0].payload_length, 20);
	/* A header that is longer than the packet. */
	frame.data[32] = 0x60;
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.packets[0].kind, FYKE_PACKET_OTHER);
	/* Cut behind the ports. */
	frame.data[32] = 0x50;
	decode_cut(101, &frame, 39, &decoded);
	assert_int_equal(decoded.packets[0].kind, FYKE_PACKET_OTHER);
	assert_int_equal(decoded.packets[0].payload_length, 20);
}

static void decode_udp_length(uint16_t length)
{
	struct bytes datagram = sample_udp(), frame;

	set_u16(&datagram, 4, length);
	frame = ipv4(17, &datagram);
	decode_whole(101, &frame, &decoded);
}

static void test_decode_udp_length(void **state)
{
	(void)state;
	decode_udp_length(100);
	assert_sample_udp(&decoded.packets[0]);
	decode_udp_length(10);
	assert_int_equal(decoded.packets[0].kind, FYKE_PACKET_UDP);
	assert_int_equal(decoded.packets[0].payload_length, 2);
	decode_udp_length(0);
	assert_sample_udp(&decoded.packets[0]);
	decode_udp_length(7);
	assert_int_equal(decoded.packets[0].kind, FYKE_PACKET_OTHER);
}

static void test_decode_udp_checksum(void **state)
{
	struct bytes datagram = sample_udp(), frame = ipv4(17, &datagram);
	uint16_t right =
		(uint16_t)~plain_sum(datagram.data, datagram.length, pseudo_sum(false, 17, datagram.length));

	(void)state;
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.packets[0].checksum, FYKE_CHECKSUM_UNKNOWN);
	set_u16(&frame, 26, right);
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.packets[0].checksum, FYKE_CHECKSUM_GOOD);
	/* Padding inside the IP packet is not covered. */
	frame.data[3] = 36;
	put_hex(&frame, "ffffff");
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.packets[0].checksum, FYKE_CHECKSUM_GOOD);
	set_u16(&frame, 26, (uint16_t)(right + 1));
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.packets[0].checksum, FYKE_CHECKSUM_WRONG);
}

static void test_decode_checksum_of_routed_packets(void **state)
{
	/* The sum is made with the last destination: 2001:db8::9. */
	struct bytes datagram = sample_udp(), pseudo, chain, frame;
	uint16_t sum;

	(void)state;
	pseudo = from_hex(
		"20010db8000000000000000000000001 20010db8000000000000000000000009 0000000d 00000011");
	sum = (uint16_t)~plain_sum(datagram.data, datagram.length, plain_sum(pseudo.data, pseudo.length, 0));
	set_u16(&datagram, 6, sum);
	chain = from_hex("1102 0001 00000000 20010db8000000000000000000000009");
	put_bytes(&chain, &datagram);
	frame = ipv6(43, &chain);
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.packets[0].checksum, FYKE_CHECKSUM_GOOD);
	/* No segments left: the header's own. */
	frame.data[43] = 0;
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.packets[0].checksum, FYKE_CHECKSUM_WRONG);
}

static void test_decode_icmp_echo(void **state)
{
	struct bytes message = from_hex("0800 0000 abcd 0007 61626364"), frame;

	(void)state;
	set_u16(&message, 2, (uint16_t)~plain_sum(message.data, message.length, 0));
	frame = ipv4(1, &message);
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.packets[0].kind, FYKE_PACKET_ICMP);
	assert_true(decoded.packets[0].icmp.has_id);
	assert_int_equal(decoded.packets[0].icmp.type, 8);
	assert_int_equal(decoded.packets[0].icmp.id, 0xabcd);
	assert_int_equal(decoded.packets[0].icmp.sequence, 7);
	assert_int_equal(decoded.packets[0].payload_length, 4);
	assert_int_equal(decoded.packets[0].checksum, FYKE_CHECKSUM_GOOD);
	assert_false(decoded.packets[0].icmp.has_quote);
}

/* What is here of the header counts: type and code with the checksum, then the identifier, the rest. */
static void test_decode_icmp_cut_header(void **state)
{
	struct bytes message = from_hex("0800 0000 abcd 0007 61626364"), frame = ipv4(1, &message);
	const struct fyke_packet *packet = &decoded.packets[0];

	(void)state;
	decode_cut(101, &frame, 23, &decoded);
	assert_int_equal(packet->kind, FYKE_PACKET_OTHER);
	for (size_t here = 4; here <= 9; here++) {
		decode_cut(101, &frame, 20 + here, &decoded);
		assert_int_equal(packet->kind, FYKE_PACKET_ICMP);
		assert_int_equal(packet->icmp.type, 8);
		assert_int_equal(packet->icmp.has_id, here >= 6);
		assert_int_equal(packet->icmp.id, here >= 6 ? 0xabcd : 0);
		assert_int_equal(packet->icmp.sequence, here >= 8 ? 7 : 0);
		assert_int_equal(packet->payload_length, 4);
		assert_int_equal(packet->payload_captured, here > 8 ? here - 8 : 0);
		assert_int_equal(packet->checksum, FYKE_CHECKSUM_UNKNOWN);
	}
	/* An error that ends early quotes nothing, and says nothing of the MTU. */
	message = from_hex("0304 0000 0000");
	frame = ipv4(1, &message);
	decode_whole(101, &frame, &decoded);
	assert_int_equal(packet->kind, FYKE_PACKET_ICMP);
	assert_false(packet->icmp.has_id || packet->icmp.has_quote);
	assert_int_equal(packet->icmp.mtu, 0);
	assert_int_equal(packet->payload_length, 0);
}

static void test_decode_icmp_quote(void **state)
{
	struct bytes message = from_hex("0304 0000 0000 0500"), quoted = sample_ipv4(), frame;
	const struct fyke_icmp_header *icmp = &decoded.packets[0].icmp;

	(void)state;
	put(&message, quoted.data, 28);
	frame = ipv4(1, &message);
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.count, 1);
	assert_int_equal(icmp->mtu, 1280);
	assert_true(icmp->has_quote);
	assert_int_equal(icmp->quote_protocol, 17);
	assert_int_equal(icmp->quote_source.bytes[3], 1);
	assert_int_equal(icmp->quote_destination.bytes[3], 2);
	assert_int_equal(icmp->quote_source_port, 1111);
	assert_int_equal(icmp->quote_destination_port, 2222);
	assert_every_cut_accounted(101, &frame);
	/* A later fragment has no ports. */
	frame.data[20 + 8 + 7] = 1;
	decode_whole(101, &frame, &decoded);
	assert_true(icmp->has_quote);
	assert_int_equal(icmp->quote_source_port, 0);
}

static void test_decode_icmp6_quote(void **state)
{
	struct bytes message = from_hex("0200 0000 00000500"), chain = from_hex("1100 010400000000");
	struct bytes inner = sample_udp(), quoted, frame;
	const struct fyke_icmp_header *icmp = &decoded.packets[0].icmp;

	(void)state;
	put_bytes(&chain, &inner);
	quoted = ipv6(60, &chain);
	put_bytes(&message, &quoted);
	set_u16(&message, 2,
		(uint16_t)~plain_sum(message.data, message.length, pseudo_sum(true, 58, message.length)));
	frame = ipv6(58, &message);
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.packets[0].kind, FYKE_PACKET_ICMP6);
	assert_int_equal(decoded.packets[0].checksum, FYKE_CHECKSUM_GOOD);
	assert_int_equal(icmp->mtu, 1280);
	assert_true(icmp->has_quote);
	assert_int_equal(icmp->quote_protocol, 17);
	assert_int_equal(icmp->quote_source.bytes[15], 1);
	assert_int_equal(icmp->quote_destination_port, 2222);
	assert_every_cut_accounted(101, &frame);
}

static void test_decode_sctp(void **state)
{
	struct bytes packet = from_hex("0bb8 0bb9 00000001 00000000 03000010 00000001 00010000 00000000"),
		     frame;
	uint32_t crc = 0xffffffff;

	(void)state;
	for (size_t i = 0; i < packet.length; i++) {
		crc ^= packet.data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	crc = __builtin_bswap32(~crc);
	set_u16(&packet, 8, (uint16_t)(crc >> 16));
	set_u16(&packet, 10, (uint16_t)crc);
	frame = ipv4(132, &packet);
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.packets[0].kind, FYKE_PACKET_SCTP);
	assert_int_equal(decoded.packets[0].source_port, 3000);
	assert_int_equal(decoded.packets[0].payload_length, 16);
	assert_int_equal(decoded.packets[0].checksum, FYKE_CHECKSUM_GOOD);
	frame.data[frame.length - 1] ^= 1;
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.packets[0].checksum, FYKE_CHECKSUM_WRONG);
}

static void test_decode_dccp(void **state)
{
	struct bytes packet = from_hex("0bb8 0bb9 03 00 0000 00000000 aabb"), frame = ipv4(33, &packet);

	(void)state;
	decode_whole(101, &frame, &decoded);
	assert_int_equal(decoded.packets[0].kind, FYKE_PACKET_OTHER);
	assert_int_equal(decoded.packets[0].destination_port, 3001);
	assert_int_equal(decoded.packets[0].payload_length, 2);
	assert_every_cut_accounted(101, &frame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode_checksum_sum_equals_plain_sum),
		cmocka_unit_test(test_decode_tcp_checksum),
		cmocka_unit_test(test_decode_tcp_header),
		cmocka_unit_test(test_decode_tcp_bad_options),
		cmocka_unit_test(test_decode_tcp_malformed_is_other),
		cmocka_unit_test(test_decode_udp_length),
		cmocka_unit_test(test_decode_udp_checksum),
		cmocka_unit_test(test_decode_checksum_of_routed_packets),
		cmocka_unit_test(test_decode_icmp_echo),
		cmocka_unit_test(test_decode_icmp_cut_header),
		cmocka_unit_test(test_decode_icmp_quote),
		cmocka_unit_test(test_decode_icmp6_quote),
		cmocka_unit_test(test_decode_sctp),
		cmocka_unit_test(test_decode_dccp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
