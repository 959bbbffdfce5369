/* pcapng: sections, interfaces, clocks, all packet blocks, and damage. */
#include "tests/unit/capture_bytes.h"

enum { SECOND_US = 1000000 };

static void test_capture_pcapng_sections(void **state)
{
	struct bytes b = {0};
	struct reading r;

	(void)state;
	ng_section(&b, true);
	ng_interface(&b, 1, 0);
	ng_interface(&b, 113, 96);
	ng_packet(&b, 0, 10 * SECOND_US + 7, 61, 1);
	ng_packet(&b, 1, 11 * SECOND_US, 62, 2);
	ng_section(&b, false);
	ng_interface(&b, 101, 0);
	ng_packet(&b, 0, 12 * SECOND_US, 63, 3);
	r = read_bytes(b, NULL);
	assert_int_equal(r.count, 3);
	assert_string_equal(r.format, "pcapng");
	assert_string_equal(r.damage, "");
	assert_int_equal(r.interfaces_count, 3);
	assert_int_equal(r.interfaces[1].snaplen, 96);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(r.frames[i].interface, i);
		assert_int_equal(r.frames[i].captured, 61 + i);
		assert_true(is_pattern(r.frames[i].data, 61 + i, i + 1));
	}
	assert_int_equal(r.frames[0].time_ns, INT64_C(10000007000));
	assert_int_equal(r.frames[0].link_type, 1);
	assert_int_equal(r.frames[1].link_type, 113);
	assert_int_equal(r.frames[2].link_type, 101);
	assert_int_equal(r.frames[0].file_offset, 28 + 20 + 20);
	free_reading(&r);
}

static int64_t time_with(bool big_endian, unsigned resolution, int64_t offset, uint64_t ticks)
{
	struct bytes b = {0}, body;
	struct bytes eight = {.big_endian = big_endian};
	uint8_t unit = (uint8_t)resolution;
	uint64_t bits = (uint64_t)offset;
	struct reading r;
	int64_t time;

	ng_section(&b, big_endian);
	body = ng_interface_body(&b, 1, 0);
	put32(&eight, (uint32_t)(big_endian ? bits >> 32 : bits));
	put32(&eight, (uint32_t)(big_endian ? bits : bits >> 32));
	ng_option(&body, 9, &unit, 1);
	ng_option(&body, 14, eight.data, 8);
	ng_option(&body, 0, NULL, 0);
	ng_block(&b, 1, body);
	ng_packet(&b, 0, ticks, 1, 0);
	r = read_bytes(b, NULL);
	assert_int_equal(r.count, 1);
	time = r.frames[0].time_ns;
	free_reading(&r);
	free(eight.data);
	return time;
}

static void test_capture_pcapng_clocks(void **state)
{
	const int64_t latest = INT64_C(1) << 62;

	(void)state;
	for (int big = 0; big < 2; big++) {
		assert_int_equal(time_with(big, 0, 0, 3), INT64_C(3000000000));
		assert_int_equal(time_with(big, 3, 0, 1500), INT64_C(1500000000));
		assert_int_equal(time_with(big, 9, 0, 1234567890123), INT64_C(1234567890123));
		assert_int_equal(time_with(big, 12, 0, 1234567890123), INT64_C(1234567890));
		assert_int_equal(
			time_with(big, 0x80 | 20, 0, UINT64_C(5) << 20 | 1 << 19), INT64_C(5500000000));
		assert_int_equal(time_with(big, 0x80 | 32, 7, UINT64_C(1) << 31), INT64_C(7500000000));
		assert_int_equal(time_with(big, 6, -2, 5 * SECOND_US), INT64_C(3000000000));
		assert_int_equal(time_with(big, 6, -9, 5 * SECOND_US), INT64_C(-4000000000));
		assert_int_equal(time_with(big, 0, 0, UINT64_MAX), latest);
		assert_int_equal(time_with(big, 0, INT64_MIN, 0), -latest);
		assert_int_equal(time_with(big, 0xff, 0, UINT64_MAX), 0);
		assert_int_equal(time_with(big, 0x7f, 0, UINT64_MAX), 0);
	}
}

static void test_capture_pcapng_interface_texts(void **state)
{
	struct bytes b = {0}, body;
	struct reading r;
	char large[400];

	(void)state;
	memset(large, 'x', sizeof(large));
	ng_section(&b, false);
	body = ng_interface_body(&b, 1, 0);
	ng_option(&body, 2, "eth0\0junk", 9);
	ng_option(&body, 3, "uplink to the north", 19);
	ng_block(&b, 1, body);
	body = ng_interface_body(&b, 1, 0);
	ng_option(&body, 2, large, sizeof(large));
	put16(&body, 3), put16(&body, 60000); /* runs over the block's end */
	ng_block(&b, 1, body);
	r = read_bytes(b, NULL);
	assert_int_equal(r.interfaces_count, 2);
	assert_string_equal(r.names[0], "eth0");
	assert_string_equal(r.descriptions[0], "uplink to the north");
	assert_int_equal(strlen(r.names[1]), 128);
	assert_string_equal(r.descriptions[1], "");
	free_reading(&r);
}

static void test_capture_pcapng_check_sequence(void **state)
{
	struct bytes b = {0}, body;
	struct reading r;

	(void)state;
	ng_section(&b, false);
	body = ng_interface_body(&b, 1, 0);
	ng_option(&body, 13, "\4", 1);
	ng_block(&b, 1, body);
	ng_packet(&b, 0, 1, 61, 1);
	body = ng_packet_body(&b, 0, 1, 5, 5);
	put_pattern(&body, 5, 2);
	put(&body, "\0\0\0", 3);
	ng_option(&body, 1, "a comment", 9);
	ng_option(&body, 2, "\x40\0\0\0", 4); /* flags: 2 bytes of check sequence */
	ng_option(&body, 0, NULL, 0);
	ng_block(&b, 6, body);
	r = read_bytes(b, NULL);
	assert_int_equal(r.frames[0].fcs_length, 4);
	assert_int_equal(r.frames[1].fcs_length, 2);
	assert_int_equal(r.frames[1].captured, 5);
	free_reading(&r);
}

static void test_capture_pcapng_other_packet_blocks(void **state)
{
	struct bytes b = {0}, body;
	struct reading r;

	(void)state;
	ng_section(&b, true);
	ng_interface(&b, 101, 40);
	ng_packet(&b, 0, 9 * SECOND_US, 20, 0);
	body = (struct bytes){.big_endian = true}; /* simple: 100 on the wire, 40 kept */
	put32(&body, 100);
	put_pattern(&body, 40, 1);
	ng_block(&b, 3, body);
	body = (struct bytes){.big_endian = true}; /* obsolete */
	put16(&body, 0), put16(&body, 77);
	put32(&body, 0), put32(&body, 10 * SECOND_US), put32(&body, 30), put32(&body, 31);
	put_pattern(&body, 30, 2);
	ng_block(&b, 2, body);
	r = read_bytes(b, NULL);
	assert_int_equal(r.count, 3);
	assert_int_equal(r.frames[1].captured, 40);
	assert_int_equal(r.frames[1].length, 100);
	assert_int_equal(r.frames[1].time_ns, INT64_C(9000000000));
	assert_true(is_pattern(r.frames[1].data, 40, 1));
	assert_int_equal(r.frames[2].captured, 30);
	assert_int_equal(r.frames[2].length, 31);
	assert_int_equal(r.frames[2].time_ns, INT64_C(10000000000));
	assert_true(is_pattern(r.frames[2].data, 30, 2));
	free_reading(&r);
}

static void test_capture_pcapng_passes_over_others(void **state)
{
	static const uint32_t types[] = {4, 5, 10, 0xbad, 0x40000bad, 0x80000001};
	struct bytes b = {0};
	struct reading r;

	(void)state;
	ng_section(&b, false);
	ng_interface(&b, 1, 0);
	for (unsigned i = 0; i < 6; i++) {
		struct bytes body = {0};

		put_pattern(&body, i == 3 ? 900000 : 40 + i, i); /* one larger than a block */
		ng_block(&b, types[i], body);
		ng_packet(&b, 0, i, 60, i);
	}
	r = read_bytes(b, NULL);
	assert_int_equal(r.count, 6);
	assert_string_equal(r.damage, "");
	for (unsigned i = 0; i < 6; i++)
		assert_true(is_pattern(r.frames[i].data, 60, i));
	free_reading(&r);
}

static struct bytes two_packets(void)
{
	struct bytes b = {0};

	ng_section(&b, false);
	ng_interface(&b, 1, 0);
	ng_packet(&b, 0, 1, 60, 1); /* at 48, 92 bytes */
	ng_packet(&b, 0, 2, 60, 2); /* at 140 */
	return b;
}

static void check_damage(struct bytes b, size_t packets, const char *words)
{
	struct reading r = read_bytes(b, NULL);

	assert_int_equal(r.count, packets);
	assert_has(r.damage, words);
	assert_int_equal(r.result, FYKE_SOURCE_END);
	free_reading(&r);
}

static void test_capture_pcapng_damage(void **state)
{
	struct bytes b;

	(void)state;
	b = two_packets();
	set32(&b, 144, 11);
	check_damage(b, 1, "the block at byte 140, before packet 2, has an impossible length");
	b = two_packets();
	set32(&b, 144, 93);
	check_damage(b, 1, "impossible length");
	b = two_packets();
	set32(&b, 144, 0xfffffffc);
	check_damage(b, 1, "impossible length");
	b = two_packets();
	set32(&b, 144, 88);
	check_damage(b, 1, "ends with another length than it begins with");
	b = two_packets();
	set32(&b, 48 + 8, 5);
	check_damage(b, 1, "packet 1 at byte 48 names an interface that was not described");
	b = two_packets();
	set32(&b, 48 + 20, 5000);
	check_damage(b, 2, "packet 1 at byte 48 claims more bytes than its block has");
	b = two_packets();
	b.length -= 30;
	check_damage(b, 1, "cut in the middle of packet 2 at byte 140");
	b = two_packets();
	b.data[12] = 2;
	ng_section(&b, false);
	set32(&b, 232 + 8, 0x11111111);
	check_damage(b, 0, "unknown version");
	b = two_packets();
	ng_section(&b, false);
	set32(&b, 232 + 8, 0x11111111);
	check_damage(b, 2, "mark of its byte order");
}

static void test_capture_pcapng_too_short_blocks(void **state)
{
	static const uint32_t types[] = {6, 2, 3, 1, 0x0a0d0d0a};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct bytes b = two_packets(), body = {0};

		if (types[i] == 0x0a0d0d0a)
			put32(&body, 0x1a2b3c4d);
		ng_block(&b, types[i], body);
		check_damage(b, 2, "too short");
	}
}

static void test_capture_pcapng_interface_limit(void **state)
{
	struct bytes b = {0};
	struct reading r;

	(void)state;
	ng_section(&b, false);
	for (int i = 0; i < 65537; i++)
		ng_interface(&b, 1, 0);
	ng_packet(&b, 0, 1, 1, 1);
	r = read_bytes(b, NULL);
	assert_int_equal(r.interfaces_count, 65536);
	assert_int_equal(r.count, 0);
	assert_has(r.damage, "one interface too many");
	free_reading(&r);
}

static void test_capture_pcapng_blocks(void **state)
{
	struct bytes b = {0};
	struct reading r;
	unsigned random = 4711;
	uint32_t sizes[2000];

	(void)state;
	ng_section(&b, true);
	ng_interface(&b, 1, 0);
	for (unsigned i = 0; i < 2000; i++) {
		random = random * 1103515245 + 12345;
		sizes[i] = i % 500 == 499 ? 262144 - 50 + (random >> 16) % 60 : (random >> 16) % 1600;
		ng_packet(&b, 0, i, sizes[i], i);
	}
	r = read_bytes(b, NULL);
	assert_int_equal(r.count, 2000);
	for (unsigned i = 0; i < 2000; i++) {
		assert_int_equal(r.frames[i].captured, sizes[i]);
		assert_true(is_pattern(r.frames[i].data, sizes[i], i));
	}
	free_reading(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capture_pcapng_sections),
		cmocka_unit_test(test_capture_pcapng_clocks),
		cmocka_unit_test(test_capture_pcapng_interface_texts),
		cmocka_unit_test(test_capture_pcapng_check_sequence),
		cmocka_unit_test(test_capture_pcapng_other_packet_blocks),
		cmocka_unit_test(test_capture_pcapng_passes_over_others),
		cmocka_unit_test(test_capture_pcapng_damage),
		cmocka_unit_test(test_capture_pcapng_too_short_blocks),
		cmocka_unit_test(test_capture_pcapng_interface_limit),
		cmocka_unit_test(test_capture_pcapng_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
