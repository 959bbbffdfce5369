/* Sources over files: order, refusals, fingerprints, filter, limit, cut, pipes. */
#include "tests/unit/capture_bytes.h"

#include "analyzer/capture/block.h"
#include "analyzer/capture/fingerprint.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>

static struct bytes capture_from(uint32_t seconds, unsigned packets, unsigned seed)
{
	struct bytes b = {0};

	pcap_header(&b, 0xa1b2c3d4, 1);
	for (unsigned i = 0; i < packets; i++)
		pcap_packet(&b, seconds + i, 0, 60, seed + i);
	return b;
}

static struct memory_file file_of(struct bytes bytes)
{
	struct memory_file file = memory_file(bytes.data, bytes.length);

	free(bytes.data);
	return file;
}

static void test_capture_files_are_sorted(void **state)
{
	struct memory_file files[4] = {file_of(capture_from(500, 2, 50)), file_of(capture_from(0, 0, 0)),
		file_of(capture_from(100, 3, 10)), file_of(capture_from(100, 1, 90))};
	const char *names[4] = {files[0].name, files[1].name, files[2].name, files[3].name};
	static const unsigned seeds[] = {10, 11, 12, 90, 50, 51}, from[] = {0, 0, 0, 1, 2, 2};
	struct reading r = read_names(names, 4, NULL);

	(void)state;
	assert_int_equal(r.count, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(r.frames[i].number, i + 1);
		assert_int_equal(r.frames[i].file, from[i]);
		assert_int_equal(r.frames[i].interface, from[i]);
		assert_true(is_pattern(r.frames[i].data, 60, seeds[i]));
	}
	assert_int_equal(r.files_count, 4);
	assert_int_equal(r.interfaces_count, 4);
	assert_int_equal(r.files[1].first_frame, 4);
	assert_int_equal(r.files[2].first_frame, 5);
	assert_int_equal(r.files[2].frames, 2);
	assert_int_equal(r.files[3].first_frame, 0);
	assert_int_equal(r.counters.input_bytes, r.counters.input_bytes_all);
	free_reading(&r);
	for (size_t i = 0; i < 4; i++)
		(void)close(files[i].fd);
}

static enum fyke_status refused_name(const char *name, struct fyke_error *error)
{
	struct fyke_source *source;

	return fyke_source_files_open(&name, 1, NULL, &source, error);
}

static void test_capture_files_refusals(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *words;
	} others[] = {
		{"", 0, "is empty: not even a capture header"},
		{"%PDF-1.4 and so on", 18, "a PDF document"},
		{"SQLite format 3\0....", 20, "an SQLite database"},
		{"snoop\0\0\0\0\0\0\2", 12, "snoop capture"},
		{" {\"a\": 1}\n", 10, "JSON"},
		{"<html></html>\n", 14, "HTML"},
		{"12:00:01 IP 10.0.0.1 > 10.0.0.2: ICMP\n", 38, "text"},
		{"PK\3\4....", 8, "ZIP archive"},
		{"\xfd"
		 "7zXZ\0\0\0",
			8, "xz -dc"},
		{"\0\0\0\0\0\0\0\x60\2\4\0\x14\0\0\0\4data\0\0\0\0\1\0\0\x60\2\4\0\x14\0\0\0\4data", 40,
			"ERF"},
		{"\1\2\3\4\5\6\7\0", 8, "is not a capture file (fyke reads pcap"},
		{"\xd4\xc3\xb2\xa1\2\0\4\0", 8, "cut within its file header: 8 bytes"},
		{"\x0a\x0d\x0d\x0a\x1c\0\0\0abcd", 12, "no valid mark of its byte order"},
		{"\xd4\xc3\xb2\xa1\7\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24, "version 7.4"},
	};
	struct fyke_error error = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(refusal(others[i].bytes, others[i].length, &error), FYKE_FAILED_FORMAT);
		assert_has(error.text, others[i].words);
		assert_has(error.text, "/proc/self/fd/");
	}
	assert_int_equal(refused_name("/nowhere/at all.pcap", &error), FYKE_FAILED_IO);
	assert_has(error.text, "/nowhere/at all.pcap: cannot be opened: No such file");
	assert_int_equal(refused_name("/proc", &error), FYKE_FAILED_FORMAT);
	assert_has(error.text, "/proc: is a directory");
	assert_int_equal(refused_name("", &error), FYKE_FAILED_USAGE);
	assert_int_equal(fyke_source_files_open(NULL, 0, NULL, &(struct fyke_source *){NULL}, &error),
		FYKE_FAILED_USAGE);
}

static void test_capture_files_unreadable(void **state)
{
	char name[] = "/tmp/fyke-test-XXXXXX";
	struct fyke_error error = {0};
	int fd = mkstemp(name);

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(chmod(name, 0), 0);
	if (geteuid() == 0) /* root reads everything */
		assert_int_equal(seteuid(65534), 0);
	assert_int_equal(refused_name(name, &error), FYKE_FAILED_PERMISSION);
	assert_has(error.text, "no permission to read it");
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	(void)unlink(name);
}

static void test_capture_files_standard_input_once(void **state)
{
	const char *names[] = {"-", "-"};
	struct fyke_error error = {0};
	struct fyke_source *source;
	int saved = dup(STDIN_FILENO), null = open("/dev/null", O_RDONLY);

	(void)state;
	assert_true(dup2(null, STDIN_FILENO) == STDIN_FILENO);
	assert_int_equal(fyke_source_files_open(names, 2, NULL, &source, &error), FYKE_FAILED_USAGE);
	assert_has(error.text, "only once");
	assert_int_equal(fyke_source_files_open(names, 1, NULL, &source, &error), FYKE_FAILED_FORMAT);
	assert_has(error.text, "standard input: is empty");
	(void)dup2(saved, STDIN_FILENO);
	(void)close(saved);
	(void)close(null);
}

static void test_capture_files_options(void **state)
{
	struct fyke_source_options options = {.frame_limit = 3, .snaplen = 20};
	volatile bool stop = true;
	struct reading r = read_bytes(capture_from(1, 9, 0), &options);

	(void)state;
	assert_int_equal(r.count, 3);
	assert_int_equal(r.result, FYKE_SOURCE_END);
	assert_int_equal(r.counters.frames, 3);
	assert_int_equal(r.files[0].frames, 3);
	assert_int_equal(r.frames[2].captured, 20);
	assert_int_equal(r.frames[2].length, 60);
	assert_int_equal(r.counters.bytes, 180);
	free_reading(&r);
	options = (struct fyke_source_options){.stop = &stop};
	{
		struct memory_file file = file_of(capture_from(1, 9, 0));
		const char *names[] = {file.name};
		struct fyke_source *source = NULL;
		struct fyke_block *block;

		stop = false;
		assert_int_equal(fyke_source_files_open(names, 1, &options, &source, NULL), FYKE_OK);
		stop = true;
		assert_int_equal(fyke_source_next(source, &block, NULL), FYKE_SOURCE_END);
		fyke_source_free(source);
		(void)close(file.fd);
	}
}

/* An IPv4 packet in Ethernet, or bare, with a UDP port. */
static void put_udp(struct bytes *b, bool ethernet, unsigned port)
{
	static const uint8_t mac[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
	static const uint8_t ip[] = {0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
	uint8_t udp[] = {0x30, 0x39, (uint8_t)(port >> 8), (uint8_t)port, 0, 8, 0, 0};

	if (ethernet)
		put(b, mac, sizeof(mac));
	put(b, ip, sizeof(ip));
	put(b, udp, sizeof(udp));
}

static void test_capture_files_filter(void **state)
{
	static const unsigned ports[] = {53, 80, 53, 80, 80, 53};
	struct fyke_source_options options = {.filter = "udp port 53"};
	struct bytes b = {0};
	struct reading r;

	(void)state;
	ng_section(&b, false);
	ng_interface(&b, 1, 0);
	ng_interface(&b, 101, 0);
	for (unsigned i = 0; i < 6; i++) {
		uint32_t length = i % 2 == 0 ? 42 : 28;
		struct bytes body = ng_packet_body(&b, i % 2, i, length, length);

		put_udp(&body, i % 2 == 0, ports[i]);
		ng_block(&b, 6, body);
	}
	r = read_bytes(b, &options);
	assert_int_equal(r.count, 3);
	assert_int_equal(r.frames[0].number, 1);
	assert_int_equal(r.frames[1].number, 3);
	assert_int_equal(r.frames[2].number, 6);
	assert_int_equal(r.counters.frames, 6);
	assert_int_equal(r.counters.frames_filtered, 3);
	assert_int_equal(r.counters.bytes, 42 + 42 + 28);
	assert_string_equal(r.warning, "");
	free_reading(&r);
}

static void test_capture_files_filter_that_does_not_fit(void **state)
{
	struct fyke_source_options options = {.filter = "ether host 02:00:00:00:00:01"};
	struct bytes b = {0};
	struct reading r;

	(void)state;
	pcap_header(&b, 0xa1b2c3d4, 101);
	put32(&b, 1), put32(&b, 1), put32(&b, 28), put32(&b, 28);
	put_udp(&b, false, 53);
	r = read_bytes(b, &options);
	assert_int_equal(r.count, 0);
	assert_int_equal(r.counters.frames_filtered, 1);
	assert_has(r.warning, "the filter does not fit packets of link type 101, which are left out: ");
	free_reading(&r);
}

static void test_capture_files_wrong_filter(void **state)
{
	struct fyke_source_options options = {.filter = "tcp prt 80"};
	const char *names[] = {"/nowhere"};
	struct fyke_source *source;
	struct fyke_error error = {0};

	(void)state;
	assert_int_equal(fyke_source_files_open(names, 1, &options, &source, &error), FYKE_FAILED_USAGE);
	assert_has(error.text, "tcp prt 80");
	assert_has(error.text, "syntax error");
}

static void test_capture_files_fingerprint(void **state)
{
	struct bytes b = capture_from(1, 60000, 0); /* over 4 MiB */
	struct bytes same = {0}, other = {0}, small = capture_from(1, 2, 0),
		     small_other = capture_from(1, 2, 1);
	struct reading r[5];

	(void)state;
	put(&same, b.data, b.length);
	put(&other, b.data, b.length);
	other.data[b.length - 5] ^= 1;
	r[0] = read_bytes(b, NULL);
	r[1] = read_bytes(same, NULL);
	r[2] = read_bytes(other, NULL);
	r[3] = read_bytes(small, NULL);
	r[4] = read_bytes(small_other, NULL);
	assert_int_equal(strlen(r[0].fingerprint), 32);
	assert_string_equal(r[0].fingerprint, r[1].fingerprint);
	assert_string_not_equal(r[0].fingerprint, r[2].fingerprint);
	assert_string_not_equal(r[3].fingerprint, r[4].fingerprint);
	for (size_t i = 0; i < 5; i++)
		free_reading(&r[i]);
}

struct feeding {
	int fd;
	struct bytes bytes;
};

static void *feed(void *context)
{
	struct feeding *feeding = context;

	for (size_t at = 0; at < feeding->bytes.length; at += 1000) {
		size_t left = feeding->bytes.length - at;

		if (write(feeding->fd, feeding->bytes.data + at, left < 1000 ? left : 1000) < 0)
			break;
		if (at % 7000 == 0)
			(void)usleep(100);
	}
	(void)close(feeding->fd);
	return NULL;
}

/* A pipe beside a regular file: looked into, not rewound, nothing lost. */
static void test_capture_files_pipe(void **state)
{
	struct memory_file file = file_of(capture_from(5, 3, 77));
	struct feeding feeding = {.bytes = capture_from(1000, 5000, 0)};
	const char *names[] = {"-", file.name};
	XXH3_state_t *all = XXH3_createState();
	char fingerprint[33];
	int ends[2], saved = dup(STDIN_FILENO);
	pthread_t thread;
	struct reading r;

	(void)state;
	(void)XXH3_128bits_reset(all);
	(void)XXH3_128bits_update(all, feeding.bytes.data, feeding.bytes.length);
	assert_int_equal(pipe(ends), 0);
	feeding.fd = ends[1];
	assert_true(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
	assert_int_equal(pthread_create(&thread, NULL, feed, &feeding), 0);
	r = read_names(names, 2, NULL);
	(void)pthread_join(thread, NULL);
	(void)dup2(saved, STDIN_FILENO);
	(void)close(saved), (void)close(ends[0]), (void)close(file.fd);
	assert_int_equal(r.count, 5003);
	assert_string_equal(r.damage, "");
	assert_int_equal(r.files[1].first_frame, 4);
	assert_int_equal(r.files[1].bytes, feeding.bytes.length);
	fyke_fingerprint_text(all, fingerprint);
	assert_string_equal(r.files[1].fingerprint, fingerprint);
	(void)XXH3_freeState(all);
	assert_int_equal(r.counters.input_bytes_all, 0);
	for (unsigned i = 0; i < 5000; i++)
		assert_true(is_pattern(r.frames[i + 3].data, 60, i));
	free(feeding.bytes.data);
	free_reading(&r);
}

static volatile bool stop_flag;

static void stop_now(int signal)
{
	(void)signal;
	stop_flag = true;
}

/* Nobody writes into the pipe: a signal's flag ends the waiting, and that is no failure. */
static void test_capture_files_stop_while_waiting(void **state)
{
	struct sigaction action = {.sa_handler = stop_now, .sa_flags = SA_RESTART};
	struct fyke_source_options options = {.stop = &stop_flag};
	const char *names[1];
	char name[40];
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", ends[0]);
	names[0] = name;
	for (int with_packet = 0; with_packet < 2; with_packet++) {
		struct bytes b = capture_from(1, 1, 0);
		struct reading r;

		stop_flag = false;
		if (with_packet)
			assert_int_equal(write(ends[1], b.data, b.length), b.length);
		free(b.data);
		(void)ualarm(20000, 0);
		r = read_names(names, 1, &options);
		assert_int_equal(r.count, with_packet);
		assert_int_equal(r.result, FYKE_SOURCE_END);
		assert_string_equal(r.damage, "");
		free_reading(&r);
	}
	(void)close(ends[0]);
	(void)close(ends[1]);
}

struct handing {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct fyke_block *blocks[8];
	size_t count;
	bool over;
	uint64_t frames;
};

static void *take_blocks(void *context)
{
	struct handing *handing = context;

	(void)pthread_mutex_lock(&handing->lock);
	while (!handing->over || handing->count > 0) {
		struct fyke_block *block;

		if (handing->count == 0) {
			(void)pthread_cond_wait(&handing->changed, &handing->lock);
			continue;
		}
		block = handing->blocks[--handing->count];
		handing->frames += block->count;
		(void)pthread_mutex_unlock(&handing->lock);
		(void)pthread_cond_signal(&handing->changed);
		fyke_block_release(block);
		(void)pthread_mutex_lock(&handing->lock);
	}
	(void)pthread_mutex_unlock(&handing->lock);
	return NULL;
}

/* Blocks are released on another thread, the last ones after the source is gone. */
static void test_capture_files_blocks_on_another_thread(void **state)
{
	struct handing handing = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	struct memory_file file = file_of(capture_from(1, 100000, 0));
	const char *names[] = {file.name};
	struct fyke_source *source = NULL;
	struct fyke_block *block;
	pthread_t thread;

	(void)state;
	assert_int_equal(fyke_source_files_open(names, 1, NULL, &source, NULL), FYKE_OK);
	assert_int_equal(pthread_create(&thread, NULL, take_blocks, &handing), 0);
	while (fyke_source_next(source, &block, NULL) == FYKE_SOURCE_BLOCK) {
		(void)pthread_mutex_lock(&handing.lock);
		while (handing.count == 8)
			(void)pthread_cond_wait(&handing.changed, &handing.lock);
		handing.blocks[handing.count++] = block;
		(void)pthread_mutex_unlock(&handing.lock);
		(void)pthread_cond_signal(&handing.changed);
	}
	fyke_source_free(source);
	(void)pthread_mutex_lock(&handing.lock);
	handing.over = true;
	(void)pthread_mutex_unlock(&handing.lock);
	(void)pthread_cond_signal(&handing.changed);
	(void)pthread_join(thread, NULL);
	assert_int_equal(handing.frames, 100000);
	(void)close(file.fd);
}

/* A released block comes back as it was, memory and all; an outsized one does not stay. */
static void test_capture_files_blocks_are_reused(void **state)
{
	static const uint8_t mark[] = "a mark that freed and fresh memory does not have";
	struct fyke_block_pool *pool = fyke_block_pool_new();
	struct fyke_block_room *room;

	(void)state;
	assert_non_null(pool);
	for (int i = 0; i < 3; i++) {
		room = fyke_block_take(pool, 1000);
		assert_int_equal(room->size, FYKE_BLOCK_BYTES);
		assert_int_equal(room->block.count, 0);
		if (i > 0)
			assert_memory_equal(room->bytes, mark, sizeof(mark));
		memcpy(room->bytes, mark, sizeof(mark));
		room->block.count = 7;
		fyke_block_release(&room->block);
		room = fyke_block_take(pool, 1000000);
		assert_int_equal(room->size, 1000000);
		fyke_block_release(&room->block);
	}
	fyke_block_pool_drop(pool);
}

/* The frame limit ends a pipe early: what was read of it is told all the same. */
static void test_capture_files_limit_on_a_pipe(void **state)
{
	struct fyke_source_options options = {.frame_limit = 2};
	struct bytes b = capture_from(1, 5, 0);
	const char *names[1];
	char name[40];
	int ends[2];
	struct reading r;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", ends[0]);
	names[0] = name;
	assert_int_equal(write(ends[1], b.data, b.length), b.length);
	r = read_names(names, 1, &options);
	assert_int_equal(r.count, 2);
	assert_int_equal(r.files[0].bytes, b.length);
	assert_int_equal(strlen(r.fingerprint), 32);
	free_reading(&r);
	free(b.data);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static enum fyke_status no_more(void *context, struct fyke_error *error)
{
	++*(int *)context;
	return fyke_error_set(error, FYKE_FAILED_PERMISSION, "cannot drop privileges");
}

static void test_capture_files_opened_is_called(void **state)
{
	int calls = 0;
	struct fyke_source_options options = {.opened = no_more, .opened_context = &calls};
	struct memory_file file = memory_file("no capture", 10);
	const char *names[] = {file.name};
	struct fyke_source *source;
	struct fyke_error error;

	(void)state;
	assert_int_equal(fyke_source_files_open(names, 1, &options, &source, &error), FYKE_FAILED_PERMISSION);
	assert_string_equal(error.text, "cannot drop privileges");
	assert_int_equal(calls, 1);
	(void)close(file.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capture_files_are_sorted),
		cmocka_unit_test(test_capture_files_refusals),
		cmocka_unit_test(test_capture_files_unreadable),
		cmocka_unit_test(test_capture_files_standard_input_once),
		cmocka_unit_test(test_capture_files_options),
		cmocka_unit_test(test_capture_files_filter),
		cmocka_unit_test(test_capture_files_filter_that_does_not_fit),
		cmocka_unit_test(test_capture_files_wrong_filter),
		cmocka_unit_test(test_capture_files_fingerprint),
		cmocka_unit_test(test_capture_files_pipe),
		cmocka_unit_test(test_capture_files_stop_while_waiting),
		cmocka_unit_test(test_capture_files_blocks_on_another_thread),
		cmocka_unit_test(test_capture_files_blocks_are_reused),
		cmocka_unit_test(test_capture_files_limit_on_a_pipe),
		cmocka_unit_test(test_capture_files_opened_is_called),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
