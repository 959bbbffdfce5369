/* Classic pcap: every variant, and what happens where a file lies or ends. */
#include "tests/unit/capture_bytes.h"

#define MICROSECONDS 0xa1b2c3d4u
#define NANOSECONDS  0xa1b23c4du
#define MODIFIED     0xa1b2cd34u

static struct bytes three_packets(uint32_t magic, bool big_endian)
{
	struct bytes b = {.big_endian = big_endian};

	pcap_header(&b, magic, 1);
	for (unsigned i = 0; i < 3; i++) {
		put32(&b, 1000 + i);
		put32(&b, 5);
		put32(&b, 60 + i);
		put32(&b, 1500);
		if (magic == MODIFIED)
			put(&b, "\1\0\0\0\0\10\0\0", 8);
		put_pattern(&b, 60 + i, i);
	}
	return b;
}

static void check_variant(uint32_t magic, bool big_endian, const char *format)
{
	struct reading r = read_bytes(three_packets(magic, big_endian), NULL);
	size_t header = magic == MODIFIED ? 24 : 16;

	assert_int_equal(r.count, 3);
	assert_string_equal(r.format, format);
	assert_string_equal(r.damage, "");
	assert_int_equal(r.result, FYKE_SOURCE_END);
	for (unsigned i = 0; i < 3; i++) {
		const struct fyke_frame *frame = &r.frames[i];

		assert_int_equal(frame->number, i + 1);
		assert_int_equal(
			frame->time_ns, (1000 + i) * INT64_C(1000000000) + (magic == NANOSECONDS ? 5 : 5000));
		assert_int_equal(frame->captured, 60 + i);
		assert_int_equal(frame->length, 1500);
		assert_int_equal(frame->link_type, 1);
		assert_true(is_pattern(frame->data, frame->captured, i));
	}
	assert_int_equal(r.frames[1].file_offset, 24 + header + 60);
	assert_int_equal(r.interfaces_count, 1);
	assert_int_equal(r.interfaces[0].snaplen, 65535);
	assert_int_equal(r.counters.bytes, 4500);
	assert_int_equal(r.counters.input_bytes, r.counters.input_bytes_all);
	free_reading(&r);
}

static void test_capture_pcap_variants(void **state)
{
	(void)state;
	for (int big = 0; big < 2; big++) {
		check_variant(MICROSECONDS, big, "pcap");
		check_variant(NANOSECONDS, big, "pcap (ns)");
		check_variant(MODIFIED, big, "modified pcap");
	}
}

static void test_capture_pcap_check_sequence(void **state)
{
	struct bytes b = {0};
	struct reading r;

	(void)state;
	pcap_header(&b, MICROSECONDS, 0x24000001); /* 2 units of 16 bits */
	pcap_packet(&b, 1, 0, 64, 1);
	put32(&b, 1), put32(&b, 0), put32(&b, 64), put32(&b, 65);
	put_pattern(&b, 64, 2);
	put32(&b, 1), put32(&b, 0), put32(&b, 64), put32(&b, 100);
	put_pattern(&b, 64, 2);
	r = read_bytes(b, NULL);
	assert_int_equal(r.count, 3);
	assert_int_equal(r.frames[0].link_type, 1);
	assert_int_equal(r.frames[0].fcs_length, 4);
	assert_int_equal(r.frames[1].fcs_length, 3);
	assert_int_equal(r.frames[2].fcs_length, 0);
	free_reading(&r);
}

static void test_capture_pcap_link_types(void **state)
{
	static const uint16_t written[] = {12, 14, 101, 228, 147}, told[] = {101, 101, 101, 228, 147};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct bytes b = {0};
		struct reading r;

		pcap_header(&b, MICROSECONDS, written[i]);
		pcap_packet(&b, 1, 0, 20, 0);
		r = read_bytes(b, NULL);
		assert_int_equal(r.frames[0].link_type, told[i]);
		free_reading(&r);
	}
}

static void test_capture_pcap_old_versions_swap_lengths(void **state)
{
	(void)state;
	for (unsigned minor = 2; minor <= 3; minor++) {
		struct bytes b = {0};
		struct reading r;

		pcap_header(&b, MICROSECONDS, 1);
		b.data[6] = (uint8_t)minor;
		put32(&b, 1), put32(&b, 0), put32(&b, 900), put32(&b, 40);
		put_pattern(&b, 40, 3);
		r = read_bytes(b, NULL);
		assert_int_equal(r.count, 1);
		assert_int_equal(r.frames[0].captured, 40);
		assert_int_equal(r.frames[0].length, 900);
		free_reading(&r);
	}
}

static void test_capture_pcap_lengths_are_corrected(void **state)
{
	struct bytes b = {0};
	struct reading r;

	(void)state;
	pcap_header(&b, MICROSECONDS, 1);
	put32(&b, 1), put32(&b, 0), put32(&b, 80), put32(&b, 10);
	put_pattern(&b, 80, 3);
	r = read_bytes(b, NULL);
	assert_int_equal(r.frames[0].captured, 80);
	assert_int_equal(r.frames[0].length, 80);
	free_reading(&r);
}

/* Cut at every byte: whole packets stay, and the cut is told unless it is between two. */
static void test_capture_pcap_cut_anywhere(void **state)
{
	struct bytes whole = three_packets(MICROSECONDS, false);

	(void)state;
	for (size_t length = 24; length < whole.length; length++) {
		struct bytes b = {0};
		struct reading r;
		size_t packets = length >= 24 + 76 + 77 ? 2 : length >= 24 + 76 ? 1 : 0;
		bool clean = length == 24 || length == 24 + 76 || length == 24 + 76 + 77;
		char words[64];

		put(&b, whole.data, length);
		r = read_bytes(b, NULL);
		assert_int_equal(r.count, packets);
		(void)snprintf(words, sizeof(words), "cut in the middle of packet %zu at byte %d",
			packets + 1,
			packets == 0   ? 24
			: packets == 1 ? 100
				       : 177);
		assert_string_equal(r.damage, clean ? "" : words);
		free_reading(&r);
	}
	free(whole.data);
}

static void test_capture_pcap_absurd_length(void **state)
{
	struct bytes b = three_packets(MICROSECONDS, false);
	struct reading r;

	(void)state;
	set32(&b, 24 + 76 + 8, 0xdeadbeef);
	r = read_bytes(b, NULL);
	assert_int_equal(r.count, 1);
	assert_string_equal(
		r.damage, "packet 2 at byte 100 claims to be 3,735,928,559 bytes long, which no packet is");
	assert_int_equal(r.files[0].frames, 1);
	free_reading(&r);
}

static void test_capture_pcap_header_only(void **state)
{
	struct bytes b = {0};
	struct reading r;

	(void)state;
	pcap_header(&b, MICROSECONDS, 1);
	r = read_bytes(b, NULL);
	assert_int_equal(r.count, 0);
	assert_int_equal(r.result, FYKE_SOURCE_END);
	assert_string_equal(r.damage, "");
	assert_int_equal(r.files[0].first_frame, 0);
	free_reading(&r);
}

/* Records of many sizes across block borders, some larger than a block. */
static void test_capture_pcap_blocks(void **state)
{
	struct bytes b = {0};
	struct reading r;
	uint32_t sizes[3000];
	unsigned random = 12345;

	(void)state;
	pcap_header(&b, MICROSECONDS, 1);
	for (unsigned i = 0; i < 3000; i++) {
		random = random * 1103515245 + 12345;
		sizes[i] = (random >> 16) % 1600;
		if (i % 700 == 699)
			sizes[i] = 262144 - 20 + (random >> 16) % 40; /* about a block */
		if (i == 1000)
			sizes[i] = 3000000;
		pcap_packet(&b, i, 0, sizes[i], i);
	}
	r = read_bytes(b, NULL);
	assert_int_equal(r.count, 3000);
	assert_string_equal(r.damage, "");
	for (unsigned i = 0; i < 3000; i++) {
		assert_int_equal(r.frames[i].captured, sizes[i]);
		assert_true(is_pattern(r.frames[i].data, sizes[i], i));
	}
	free_reading(&r);
}

static void test_capture_pcap_empty_packets(void **state)
{
	struct bytes b = {0};
	struct reading r;

	(void)state;
	pcap_header(&b, MICROSECONDS, 1);
	for (unsigned i = 0; i < 50000; i++)
		pcap_packet(&b, i, 0, 0, i);
	r = read_bytes(b, NULL);
	assert_int_equal(r.count, 50000);
	for (unsigned i = 0; i < 50000; i++)
		assert_int_equal(r.frames[i].file_offset, 24 + 16 * i);
	free_reading(&r);
}

/* The largest record that counts as one, and one byte more. */
static void test_capture_pcap_record_limit(void **state)
{
	(void)state;
	for (uint32_t more = 0; more < 2; more++) {
		struct bytes b = {0};
		struct reading r;

		pcap_header(&b, MICROSECONDS, 1);
		pcap_packet(&b, 1, 0, 16 * 1024 * 1024 + more, 0);
		pcap_packet(&b, 1, 0, 50, 7);
		r = read_bytes(b, NULL);
		assert_int_equal(r.count, more == 0 ? 2 : 0);
		assert_int_equal(r.damage[0] != '\0', more);
		free_reading(&r);
	}
}

static void test_capture_pcap_blocks_outlive_the_source(void **state)
{
	struct bytes b = three_packets(MICROSECONDS, false);
	struct memory_file file = memory_file(b.data, b.length);
	const char *names[] = {file.name};
	struct fyke_source *source = NULL;
	struct fyke_block *block;

	(void)state;
	assert_int_equal(fyke_source_files_open(names, 1, NULL, &source, NULL), FYKE_OK);
	assert_int_equal(fyke_source_next(source, &block, NULL), FYKE_SOURCE_BLOCK);
	fyke_block_hold(block);
	fyke_block_release(block);
	fyke_source_free(source);
	assert_int_equal(block->count, 3);
	assert_true(is_pattern(block->frames[2].data, block->frames[2].captured, 2));
	fyke_block_release(block);
	(void)close(file.fd);
	free(b.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capture_pcap_variants),
		cmocka_unit_test(test_capture_pcap_check_sequence),
		cmocka_unit_test(test_capture_pcap_link_types),
		cmocka_unit_test(test_capture_pcap_old_versions_swap_lengths),
		cmocka_unit_test(test_capture_pcap_lengths_are_corrected),
		cmocka_unit_test(test_capture_pcap_cut_anywhere),
		cmocka_unit_test(test_capture_pcap_absurd_length),
		cmocka_unit_test(test_capture_pcap_header_only),
		cmocka_unit_test(test_capture_pcap_blocks),
		cmocka_unit_test(test_capture_pcap_empty_packets),
		cmocka_unit_test(test_capture_pcap_record_limit),
		cmocka_unit_test(test_capture_pcap_blocks_outlive_the_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
