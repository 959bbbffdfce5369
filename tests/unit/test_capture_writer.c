/* What is written is read back as it was; failures stick. And single frames are found again. */
#include "tests/unit/capture_bytes.h"

#include "analyzer/capture/reread.h"
#include "analyzer/capture/writer.h"

static struct fyke_capture_writer *writer_to(
	FILE *file, enum fyke_capture_writer_format format, bool microseconds)
{
	struct fyke_capture_writer_options options = {
		.file = file, .name = "out", .format = format, .microseconds = microseconds};
	struct fyke_capture_writer *writer = NULL;

	assert_int_equal(fyke_capture_writer_new(&options, &writer, NULL), FYKE_OK);
	return writer;
}

static struct fyke_frame frame_of(const uint8_t *data, uint32_t captured, uint32_t length, int64_t time_ns)
{
	return (struct fyke_frame){.data = data, .captured = captured, .length = length, .time_ns = time_ns};
}

static void check_round_trip(enum fyke_capture_writer_format format, bool microseconds)
{
	static const struct fyke_source_interface interfaces[] = {
		{.name = "eth0", .description = "north", .link_type = 1, .snaplen = 2000},
		{.name = "", .description = "", .link_type = 1, .snaplen = 0}};
	struct bytes pattern = {0};
	char *written = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&written, &size);
	struct fyke_capture_writer *writer = writer_to(file, format, microseconds);
	uint32_t index[2];
	struct reading r;

	put_pattern(&pattern, 3000, 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			fyke_capture_writer_interface(writer, &interfaces[i], 4, &index[i], NULL), FYKE_OK);
	for (uint32_t i = 0; i < 100; i++) {
		struct fyke_frame frame = frame_of(
			pattern.data, i * 29, i * 29 + i % 2 * 1000, INT64_C(1700000000123456789) + i * 1001);

		assert_int_equal(fyke_capture_writer_frame(writer, &frame, index[i % 2], NULL), FYKE_OK);
	}
	assert_int_equal(fyke_capture_writer_flush(writer, NULL), FYKE_OK);
	assert_int_equal(fyke_capture_writer_bytes(writer), size);
	fyke_capture_writer_free(writer);
	(void)fclose(file);
	r = read_bytes((struct bytes){.data = (uint8_t *)written, .length = size}, NULL);
	assert_int_equal(r.count, 100);
	assert_string_equal(r.damage, "");
	for (uint32_t i = 0; i < 100; i++) {
		int64_t time = INT64_C(1700000000123456789) + i * 1001;

		assert_int_equal(r.frames[i].time_ns, microseconds ? time / 1000 * 1000 : time);
		assert_int_equal(r.frames[i].captured, i * 29);
		assert_int_equal(r.frames[i].length, i * 29 + i % 2 * 1000);
		assert_int_equal(r.frames[i].link_type, 1);
		assert_int_equal(r.frames[i].fcs_length, i > 0 && i % 2 == 0 ? 4 : 0);
		assert_true(is_pattern(r.frames[i].data, i * 29, 0));
		if (format == FYKE_CAPTURE_WRITER_PCAPNG)
			assert_int_equal(r.frames[i].interface, i % 2);
	}
	if (format == FYKE_CAPTURE_WRITER_PCAPNG) {
		assert_string_equal(r.names[0], "eth0");
		assert_string_equal(r.descriptions[0], "north");
		assert_int_equal(r.interfaces[0].snaplen, 2000);
	}
	free_reading(&r);
	free(pattern.data);
}

static void test_capture_writer_round_trip(void **state)
{
	(void)state;
	check_round_trip(FYKE_CAPTURE_WRITER_PCAPNG, false);
	check_round_trip(FYKE_CAPTURE_WRITER_PCAPNG, true);
	check_round_trip(FYKE_CAPTURE_WRITER_PCAP, false);
	check_round_trip(FYKE_CAPTURE_WRITER_PCAP, true);
}

static void test_capture_writer_one_link_type_in_a_pcap(void **state)
{
	static const struct fyke_source_interface ethernet = {.link_type = 1}, raw = {.link_type = 101};
	char *written = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&written, &size);
	struct fyke_capture_writer *writer = writer_to(file, FYKE_CAPTURE_WRITER_PCAP, false);
	struct fyke_frame frame = frame_of((const uint8_t *)"abcd", 4, 4, -5);
	struct fyke_error error = {0};
	uint32_t index;

	(void)state;
	assert_int_equal(fyke_capture_writer_frame(writer, &frame, 0, &error), FYKE_FAILED_INTERNAL);
	assert_int_equal(fyke_capture_writer_interface(writer, &ethernet, 0, &index, &error), FYKE_OK);
	assert_int_equal(fyke_capture_writer_interface(writer, &raw, 0, &index, &error), FYKE_FAILED_USAGE);
	assert_has(error.text, "one link type");
	assert_int_equal(fyke_capture_writer_frame(writer, &frame, 0, &error), FYKE_OK);
	fyke_capture_writer_free(writer);
	(void)fclose(file);
	free(written);
}

static void test_capture_writer_failure_sticks(void **state)
{
	static const struct fyke_source_interface ethernet = {.name = "", .description = "", .link_type = 1};
	FILE *file = fopen("/dev/full", "w");
	struct fyke_capture_writer *writer;
	struct fyke_error error = {0};
	uint32_t index;

	(void)state;
	if (file == NULL)
		skip();
	writer = writer_to(file, FYKE_CAPTURE_WRITER_PCAPNG, false);
	assert_int_equal(fyke_capture_writer_interface(writer, &ethernet, 0, &index, &error), FYKE_OK);
	assert_int_equal(fyke_capture_writer_flush(writer, &error), FYKE_FAILED_IO);
	assert_string_equal(error.text, "out: cannot be written: the disk is full");
	error.text[0] = '\0';
	assert_int_equal(fyke_capture_writer_interface(writer, &ethernet, 0, &index, &error), FYKE_FAILED_IO);
	assert_has(error.text, "the disk is full");
	fyke_capture_writer_free(writer);
	(void)fclose(file);
}

static struct bytes sections(void)
{
	struct bytes b = {0};

	for (unsigned section = 0; section < 3; section++) {
		ng_section(&b, section % 2 == 1);
		ng_interface(&b, 1, 0);
		ng_interface(&b, 101 + section, 0);
		for (unsigned i = 0; i < 300; i++) {
			struct bytes body = {0};

			put_pattern(&body, i == 100 ? 300000 : 20, i);
			ng_block(&b, 5, body);
			ng_packet(&b, i % 2, 1000 + i, i * 5, i);
		}
	}
	return b;
}

/* By number, from a mark every 7 frames, from the last call or from the beginning. */
static void check_numbers(const char *name, const struct reading *read, size_t expected)
{
	const struct reading r = *read;
	struct fyke_reread *reread = NULL;
	struct fyke_reread_mark mark;
	struct fyke_frame frame;

	assert_int_equal(fyke_capture_reopen(name, &reread, NULL), FYKE_OK);
	fyke_reread_expect(reread, expected);
	for (size_t i = 0; i < r.count * 4; i++) {
		size_t at = i < r.count * 2   ? i % r.count
			    : i < r.count * 3 ? r.count * 3 - 1 - i
					      : i * 37 % r.count;
		const struct fyke_frame *wanted = &r.frames[at];

		mark = i < r.count
			       ? (struct fyke_reread_mark){0}
			       : (struct fyke_reread_mark){at / 7 * 7 + 1, r.frames[at / 7 * 7].file_offset};
		assert_int_equal(fyke_reread_number(reread, at + 1, &mark, &frame, NULL), FYKE_OK);
		assert_int_equal(frame.number, at + 1);
		assert_int_equal(frame.file_offset, wanted->file_offset);
		assert_int_equal(frame.captured, wanted->captured);
		assert_int_equal(frame.length, wanted->length);
		assert_int_equal(frame.time_ns, wanted->time_ns);
		assert_int_equal(frame.link_type, wanted->link_type);
		assert_int_equal(frame.interface, wanted->interface);
		assert_memory_equal(frame.data, wanted->data, frame.captured);
	}
	mark = (struct fyke_reread_mark){0};
	assert_int_equal(fyke_reread_number(reread, r.count + 1, &mark, &frame, NULL), FYKE_FAILED_FORMAT);
	assert_int_equal(fyke_reread_number(reread, r.count, &mark, &frame, NULL), FYKE_OK);
	fyke_reread_free(reread);
}

/* Every frame in three orders: forward, backward, by leaps. */
static void check_reread(struct bytes bytes)
{
	struct memory_file file = memory_file(bytes.data, bytes.length);
	struct reading r = read_bytes(bytes, NULL);
	struct fyke_reread *reread = NULL;
	struct fyke_error error = {0};
	struct fyke_frame frame;
	char fingerprint[33];

	assert_true(r.count > 0);
	check_numbers(file.name, &r, 0);
	check_numbers(file.name, &r, r.interfaces_count);
	assert_int_equal(fyke_capture_reopen(file.name, &reread, &error), FYKE_OK);
	for (size_t i = 0; i < r.count * 3; i++) {
		size_t at = i < r.count ? i : i < r.count * 2 ? r.count * 2 - 1 - i : i * 37 % r.count;
		const struct fyke_frame *wanted = &r.frames[at];

		assert_int_equal(fyke_reread_frame(reread, wanted, &frame, &error), FYKE_OK);
		assert_int_equal(frame.captured, wanted->captured);
		assert_int_equal(frame.length, wanted->length);
		assert_int_equal(frame.time_ns, wanted->time_ns);
		assert_int_equal(frame.link_type, wanted->link_type);
		assert_int_equal(frame.interface, wanted->interface);
		assert_int_equal(frame.number, wanted->number);
		assert_memory_equal(frame.data, wanted->data, frame.captured);
	}
	frame = r.frames[r.count / 2];
	frame.time_ns += 1000;
	assert_int_equal(fyke_reread_frame(reread, &frame, &frame, &error), FYKE_FAILED_FORMAT);
	frame = r.frames[r.count / 2];
	frame.file_offset += 4;
	assert_int_equal(fyke_reread_frame(reread, &frame, &frame, &error), FYKE_FAILED_FORMAT);
	frame = r.frames[r.count / 2];
	frame.file_offset = 1 << 30;
	assert_int_equal(fyke_reread_frame(reread, &frame, &frame, &error), FYKE_FAILED_FORMAT);
	assert_has(error.text, "is not the file any more");
	assert_int_equal(fyke_reread_fingerprint(reread, fingerprint, &error), FYKE_OK);
	assert_string_equal(fingerprint, r.fingerprint);
	fyke_reread_free(reread);
	(void)close(file.fd);
	free_reading(&r);
}

static void test_capture_reread_pcapng(void **state)
{
	(void)state;
	check_reread(sections());
}

static void test_capture_reread_pcap(void **state)
{
	struct bytes b = {0};

	(void)state;
	pcap_header(&b, 0xa1b23c4d, 1);
	for (unsigned i = 0; i < 500; i++)
		pcap_packet(&b, 100 + i, i, i == 77 ? 400000 : i * 3, i);
	check_reread(b);
}

/* Packets without a time take that of the one before, wherever reading begins. */
static void test_capture_reread_timeless(void **state)
{
	struct bytes b = {0};
	struct memory_file file;
	struct reading r;

	(void)state;
	ng_section(&b, false);
	ng_interface(&b, 1, 0);
	for (unsigned i = 0; i < 200; i++) {
		struct bytes body = {0};

		if (i % 20 == 5) {
			ng_packet(&b, 0, 1000 + i, 60, i);
			continue;
		}
		put32(&body, 40);
		put_pattern(&body, 40, i);
		ng_block(&b, 3, body);
	}
	file = memory_file(b.data, b.length);
	r = read_bytes(b, NULL);
	check_numbers(file.name, &r, 0);
	check_numbers(file.name, &r, 1);
	(void)close(file.fd);
	free_reading(&r);
}

/* With the number of interfaces known, only the way from the mark is read. */
static void test_capture_reread_little(void **state)
{
	struct bytes b = {0};
	struct memory_file file;
	struct reading r;
	struct fyke_reread *reread = NULL;

	(void)state;
	ng_section(&b, false);
	ng_interface(&b, 1, 0);
	for (unsigned i = 0; i < 40000; i++)
		ng_packet(&b, 0, 1000 + i, 400, i);
	file = memory_file(b.data, b.length);
	r = read_bytes(b, NULL);
	assert_int_equal(fyke_capture_reopen(file.name, &reread, NULL), FYKE_OK);
	fyke_reread_expect(reread, 1);
	for (size_t at = 255; at < r.count; at += 10000) {
		struct fyke_reread_mark mark = {at / 256 * 256 + 1, r.frames[at / 256 * 256].file_offset};
		struct fyke_frame frame;

		assert_int_equal(fyke_reread_number(reread, at + 1, &mark, &frame, NULL), FYKE_OK);
		assert_int_equal(frame.time_ns, r.frames[at].time_ns);
	}
	assert_true(b.length > 16 * 1000 * 1000);
	assert_in_range(fyke_reread_bytes(reread), 1, 4 * 3 * 65536);
	fyke_reread_free(reread);
	(void)close(file.fd);
	free_reading(&r);
}

static void test_capture_reread_packed(void **state)
{
	struct bytes plain = sections(), packed = {0};
	struct memory_file in = memory_file(plain.data, plain.length);
	char command[200];
	FILE *pipe;
	uint8_t buffer[4096];
	size_t got;

	(void)state;
	(void)snprintf(command, sizeof(command), "gzip -1 -c < /proc/%d/fd/%d", (int)getpid(), in.fd);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	while ((got = fread(buffer, 1, sizeof(buffer), pipe)) > 0)
		put(&packed, buffer, got);
	assert_int_equal(pclose(pipe), 0);
	(void)close(in.fd);
	free(plain.data);
	check_reread(packed);
}

static void test_capture_reread_refusals(void **state)
{
	struct fyke_reread *reread;
	struct fyke_error error = {0};

	(void)state;
	assert_int_equal(fyke_capture_reopen("-", &reread, &error), FYKE_FAILED_USAGE);
	assert_int_equal(fyke_capture_reopen("/dev/null", &reread, &error), FYKE_FAILED_USAGE);
	assert_int_equal(fyke_capture_reopen("/nowhere", &reread, &error), FYKE_FAILED_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capture_writer_round_trip),
		cmocka_unit_test(test_capture_writer_one_link_type_in_a_pcap),
		cmocka_unit_test(test_capture_writer_failure_sticks),
		cmocka_unit_test(test_capture_reread_pcapng),
		cmocka_unit_test(test_capture_reread_pcap),
		cmocka_unit_test(test_capture_reread_timeless),
		cmocka_unit_test(test_capture_reread_little),
		cmocka_unit_test(test_capture_reread_packed),
		cmocka_unit_test(test_capture_reread_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
