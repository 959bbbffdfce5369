/* Captures in gzip, zstd and lz4: whole, in several members, cut, damaged, and far larger unpacked. */
#include "tests/unit/capture_bytes.h"

#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

typedef void pack(struct bytes *packed, const void *data, size_t length);

static void pack_gzip(struct bytes *packed, const void *data, size_t length)
{
	z_stream stream = {0};
	struct bytes plain = {0};
	uint8_t *out = malloc(length + 1000);

	put(&plain, data, length);
	assert_int_equal(deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	stream.next_in = plain.data;
	stream.avail_in = (uInt)length;
	stream.next_out = out;
	stream.avail_out = (uInt)(length + 1000);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	put(packed, out, length + 1000 - stream.avail_out);
	(void)deflateEnd(&stream);
	free(plain.data);
	free(out);
}

static void pack_zstd(struct bytes *packed, const void *data, size_t length)
{
	size_t room = ZSTD_compressBound(length), size;
	uint8_t *out = malloc(room);

	size = ZSTD_compress(out, room, data, length, 1);
	assert_false(ZSTD_isError(size));
	put(packed, out, size);
	free(out);
}

static void pack_lz4(struct bytes *packed, const void *data, size_t length)
{
	size_t room = LZ4F_compressFrameBound(length, NULL), size;
	uint8_t *out = malloc(room);

	size = LZ4F_compressFrame(out, room, data, length, NULL);
	assert_false(LZ4F_isError(size));
	put(packed, out, size);
	free(out);
}

static const struct {
	pack *pack;
	const char *name;
} packings[] = {{pack_gzip, "gzip"}, {pack_zstd, "zstd"}, {pack_lz4, "lz4"}};

enum { PACKETS = 2000, SIZE = 500 };

static struct bytes capture(void)
{
	struct bytes b = {0};

	pcap_header(&b, 0xa1b2c3d4, 1);
	for (unsigned i = 0; i < PACKETS; i++)
		pcap_packet(&b, i, 0, SIZE, i);
	return b;
}

static void check_packets(const struct reading *r, size_t count)
{
	assert_int_equal(r->count, count);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(r->frames[i].file_offset, 24 + (16 + SIZE) * i);
		assert_true(is_pattern(r->frames[i].data, SIZE, i));
	}
}

static void test_capture_packed_members(void **state)
{
	(void)state;
	for (size_t p = 0; p < 3; p++) {
		struct bytes plain = capture(), packed = {0};
		char format[32];
		struct reading r;

		packings[p].pack(&packed, plain.data, 10); /* within the file header */
		packings[p].pack(&packed, plain.data + 10, 100000);
		packings[p].pack(&packed, "", 0);
		packings[p].pack(&packed, plain.data + 100010, plain.length - 100010);
		if (packings[p].pack == pack_gzip)
			put(&packed, "\0\0\0\0", 4);
		r = read_bytes(packed, NULL);
		(void)snprintf(format, sizeof(format), "pcap in %s", packings[p].name);
		assert_string_equal(r.format, format);
		assert_string_equal(r.damage, "");
		check_packets(&r, PACKETS);
		assert_int_equal(r.counters.input_bytes, r.counters.input_bytes_all);
		free_reading(&r);
		free(plain.data);
	}
}

static void test_capture_packed_cut(void **state)
{
	(void)state;
	for (size_t p = 0; p < 3; p++) {
		struct bytes plain = capture(), packed = {0};
		char words[64];
		struct reading r;

		packings[p].pack(&packed, plain.data, 24 + 516 * 1000 + 100);
		packings[p].pack(&packed, plain.data + 24 + 516 * 1000 + 100, 516);
		packed.length -= 20;
		r = read_bytes(packed, NULL);
		assert_true(r.count >= 1000);
		check_packets(&r, r.count);
		(void)snprintf(words, sizeof(words), "the %s data end early in the middle of packet",
			packings[p].name);
		assert_has(r.damage, words);
		free_reading(&r);
		free(plain.data);
	}
}

static void test_capture_packed_damaged(void **state)
{
	(void)state;
	for (size_t p = 0; p < 3; p++) {
		struct bytes plain = capture(), packed = {0};
		char words[64];
		struct reading r;

		packings[p].pack(&packed, plain.data, plain.length);
		put(&packed, "this is no member", 17);
		r = read_bytes(packed, NULL);
		check_packets(&r, PACKETS);
		(void)snprintf(words, sizeof(words), "the %s data are damaged (", packings[p].name);
		assert_has(r.damage, words);
		assert_has(r.damage, "before packet 2,001");
		free_reading(&r);
		free(plain.data);
	}
}

static void test_capture_packed_something_else(void **state)
{
	(void)state;
	for (size_t p = 0; p < 3; p++) {
		struct bytes packed = {0};
		struct fyke_error error = {0};

		packings[p].pack(&packed, "just some words\n", 16);
		assert_int_equal(refusal(packed.data, packed.length, &error), FYKE_FAILED_FORMAT);
		assert_has(error.text, "is not a capture file once its ");
		assert_has(error.text, packings[p].name);
		assert_has(error.text, "looks like text");
		packed.length = 6;
		assert_int_equal(refusal(packed.data, packed.length, &error), FYKE_FAILED_FORMAT);
		assert_has(error.text, "data end early before the capture");
		free(packed.data);
		packed = (struct bytes){0};
		packings[p].pack(&packed, "", 0);
		assert_int_equal(refusal(packed.data, packed.length, &error), FYKE_FAILED_FORMAT);
		assert_has(error.text, "holds nothing");
		free(packed.data);
	}
}

/* Half a gigabyte of one packet after another from a few hundred kilobytes. */
static void test_capture_packed_bomb(void **state)
{
	static const uint8_t zeros[1 << 20];
	struct bytes members = {0}, member = {0}, packed = {0};
	const char *names[1];
	struct memory_file file;
	struct fyke_source *source = NULL;
	struct fyke_block *block;
	uint64_t frames = 0;

	(void)state;
	pcap_header(&member, 0xa1b2c3d4, 1);
	pack_zstd(&packed, member.data, member.length);
	for (unsigned i = 0; i < 16; i++) {
		put32(&members, 1), put32(&members, 0), put32(&members, 1 << 20), put32(&members, 1 << 20);
		put(&members, zeros, sizeof(zeros));
	}
	member.length = 0;
	pack_zstd(&member, members.data, members.length);
	for (int i = 0; i < 32; i++)
		put(&packed, member.data, member.length);
	file = memory_file(packed.data, packed.length);
	names[0] = file.name;
	assert_int_equal(fyke_source_files_open(names, 1, NULL, &source, NULL), FYKE_OK);
	while (fyke_source_next(source, &block, NULL) == FYKE_SOURCE_BLOCK) {
		frames += block->count;
		fyke_block_release(block);
	}
	assert_int_equal(frames, 512);
	assert_null(fyke_source_files(source, &(size_t){0})[0].damage);
	fyke_source_free(source);
	(void)close(file.fd);
	free(members.data);
	free(member.data);
	free(packed.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capture_packed_members),
		cmocka_unit_test(test_capture_packed_cut),
		cmocka_unit_test(test_capture_packed_damaged),
		cmocka_unit_test(test_capture_packed_something_else),
		cmocka_unit_test(test_capture_packed_bomb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
