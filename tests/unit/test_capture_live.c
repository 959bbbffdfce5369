/* libpcap's side: filters, link types, interfaces, and capture on the loopback of a network namespace. */
#include "tests/unit/capture_bytes.h"

#include "analyzer/capture/filter.h"
#include "analyzer/capture/interfaces.h"
#include "analyzer/capture/link.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static void test_capture_filter_check(void **state)
{
	struct fyke_error error = {0};

	(void)state;
	assert_int_equal(fyke_capture_filter_check("tcp port 80 and net 10.0.0.0/8", &error), FYKE_OK);
	assert_int_equal(
		fyke_capture_filter_check("type mgt subtype beacon", &error), FYKE_OK); /* 802.11 only */
	assert_int_equal(fyke_capture_filter_check("", &error), FYKE_OK);
	assert_int_equal(fyke_capture_filter_check("tcp prt 80", &error), FYKE_FAILED_USAGE);
	assert_has(error.text, "the filter “tcp prt 80” is wrong: ");
	assert_has(error.text, "syntax error");
	assert_int_equal(fyke_capture_filter_check("port 99999", &error), FYKE_FAILED_USAGE);
}

/* Our table against libpcap's: what pcap_datalink says of a file with each link type. */
static void test_capture_link_types_as_libpcap(void **state)
{
	(void)state;
	for (uint32_t link = 0; link < 300; link++) {
		struct bytes b = {0};
		char problem[PCAP_ERRBUF_SIZE];
		pcap_t *pcap;

		pcap_header(&b, 0xa1b2c3d4, link);
		pcap = pcap_fopen_offline(fmemopen(b.data, b.length, "rb"), problem);
		assert_non_null(pcap);
		assert_int_equal(fyke_link_to_dlt((uint16_t)link), pcap_datalink(pcap));
		if (link >= 100)
			assert_int_equal(fyke_link_from_dlt(fyke_link_to_dlt((uint16_t)link)), link);
		pcap_close(pcap);
		free(b.data);
	}
}

static void test_capture_interfaces_have_loopback(void **state)
{
	struct fyke_interfaces list;
	bool found = false;

	(void)state;
	assert_int_equal(fyke_interfaces_list(&list, NULL), FYKE_OK);
	for (size_t i = 0; i < list.count; i++) {
		const struct fyke_interface *interface = &list.items[i];

		assert_true(interface->name[0] != '\0');
		if (strcmp(interface->name, "lo") != 0)
			continue;
		found = true;
		assert_true(interface->loopback);
		assert_int_equal(interface->link_type, 1);
		if (interface->addresses_count > 0)
			assert_string_equal(interface->addresses[0], "127.0.0.1");
	}
	if (list.count == 0)
		skip();
	assert_true(found);
	fyke_interfaces_release(&list);
}

/* A namespace of our own with nothing but a loopback that is up. */
static bool enter_namespace(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd;
	bool good;

	if (unshare(CLONE_NEWNET) != 0)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	request.ifr_flags = IFF_UP;
	good = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
	(void)close(fd);
	return good;
}

static void send_datagrams(unsigned count, uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char payload[1000] = "";

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (unsigned i = 0; i < count; i++)
		assert_true(sendto(fd, payload, i % 1000, 0, (struct sockaddr *)&to, sizeof(to)) >= 0);
	(void)close(fd);
}

/* Of the same flow each time. */
static void send_datagram(uint16_t port, uint8_t content)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(8999)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	to.sin_addr.s_addr = from.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(sendto(fd, &content, 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	(void)close(fd);
}

static struct fyke_source *open_loopback(const struct fyke_source_options *options, uint32_t rings)
{
	struct fyke_source_live_options live = {.interface = "lo", .timeout_ms = 50, .rings = rings};
	struct fyke_source *source = NULL;
	struct fyke_error error;

	if (fyke_source_live_open(&live, options, &source, &error) != FYKE_OK)
		fail_msg("%s", error.text);
	return source;
}

static void test_capture_live_on_loopback(void **state)
{
	struct fyke_source_options options = {.filter = "udp port 9999", .snaplen = 600};
	struct fyke_source_counters counters;
	enum fyke_source_result result;
	struct fyke_source *source;
	struct fyke_block *block;
	uint64_t frames = 0, last_ns = 0;
	size_t count;

	(void)state;
	if (!enter_namespace())
		skip();
	source = open_loopback(&options, 1);
	assert_int_equal(fyke_source_next(source, &block, NULL), FYKE_SOURCE_IDLE);
	send_datagrams(3000, 9999);
	send_datagrams(10, 9998);
	while ((result = fyke_source_next(source, &block, NULL)) == FYKE_SOURCE_BLOCK) {
		for (size_t i = 0; i < block->count; i++) {
			const struct fyke_frame *frame = &block->frames[i];

			assert_int_equal(frame->number, ++frames);
			assert_int_equal(frame->link_type, 1);
			assert_int_equal(frame->length, 14 + 20 + 8 + (frames - 1) % 1000);
			assert_int_equal(frame->captured, frame->length < 600 ? frame->length : 600);
			assert_int_equal(frame->data[36] << 8 | frame->data[37], 9999);
			assert_true((uint64_t)frame->time_ns >= last_ns);
			last_ns = (uint64_t)frame->time_ns;
		}
		fyke_block_release(block);
	}
	assert_int_equal(result, FYKE_SOURCE_IDLE);
	assert_int_equal(frames, 3000);
	counters = fyke_source_counters(source);
	assert_int_equal(counters.frames, 3000);
	assert_true(counters.drops_known);
	assert_int_equal(counters.kernel_drops, 0);
	assert_string_equal(fyke_source_interfaces(source, &count)[0].name, "lo");
	fyke_source_free(source);
}

/* Many flows, which the kernel shares among the rings: every packet comes once, in the order of time, each
 * flow's in the order in which they were sent. */
static void test_capture_live_rings(void **state)
{
	struct fyke_source_options options = {.filter = "udp portrange 9000-9099"};
	uint8_t latest[100] = {0};
	enum fyke_source_result result;
	struct fyke_source *source;
	struct fyke_block *block;
	uint64_t frames = 0;
	int64_t last_ns = 0;

	(void)state;
	if (!enter_namespace())
		skip();
	source = open_loopback(&options, 4);
	assert_int_equal(fyke_source_next(source, &block, NULL), FYKE_SOURCE_IDLE);
	for (uint8_t round = 1; round <= 50; round++) {
		for (uint16_t port = 9000; port < 9100; port++)
			send_datagram(port, round);
	}
	for (int idle = 0; idle < 10;) {
		result = fyke_source_next(source, &block, NULL);
		idle += result == FYKE_SOURCE_IDLE;
		if (result != FYKE_SOURCE_BLOCK)
			continue;
		for (size_t i = 0; i < block->count; i++) {
			const struct fyke_frame *frame = &block->frames[i];
			size_t flow = (size_t)(frame->data[36] << 8 | frame->data[37]) - 9000;

			assert_int_equal(frame->number, ++frames);
			assert_true(frame->time_ns >= last_ns);
			last_ns = frame->time_ns;
			assert_int_equal(frame->data[42], ++latest[flow]);
		}
		fyke_block_release(block);
	}
	assert_int_equal(frames, 5000);
	assert_true(fyke_source_counters(source).drops_known);
	assert_int_equal(fyke_source_counters(source).kernel_drops, 0);
	fyke_source_free(source);
}

static void test_capture_live_stops(void **state)
{
	volatile bool stop = false;
	struct fyke_source_options options = {.frame_limit = 5, .stop = &stop};
	struct fyke_source *source;
	struct fyke_block *block;

	(void)state;
	if (!enter_namespace())
		skip();
	source = open_loopback(&options, 1);
	send_datagrams(50, 9999);
	assert_int_equal(fyke_source_next(source, &block, NULL), FYKE_SOURCE_BLOCK);
	assert_int_equal(block->count, 5);
	fyke_block_release(block);
	assert_int_equal(fyke_source_next(source, &block, NULL), FYKE_SOURCE_END);
	fyke_source_free(source);
	options.frame_limit = 0;
	source = open_loopback(&options, 1);
	stop = true;
	assert_int_equal(fyke_source_next(source, &block, NULL), FYKE_SOURCE_END);
	fyke_source_free(source);
}

static void test_capture_live_refusals(void **state)
{
	struct fyke_source_live_options live = {.interface = "no-such-if0"};
	struct fyke_source_options options = {.filter = "tcp prt 80"};
	struct fyke_source *source;
	struct fyke_error error = {0};

	(void)state;
	assert_int_equal(fyke_source_live_open(&live, &options, &source, &error), FYKE_FAILED_USAGE);
	assert_has(error.text, "syntax error");
	if (geteuid() != 0) {
		live.interface = "lo";
		assert_int_equal(fyke_source_live_open(&live, NULL, &source, &error), FYKE_FAILED_PERMISSION);
		assert_has(error.text, "setcap");
		return;
	}
	assert_int_equal(fyke_source_live_open(&live, NULL, &source, &error), FYKE_FAILED_USAGE);
	assert_has(error.text, "there is no interface no-such-if0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capture_filter_check),
		cmocka_unit_test(test_capture_link_types_as_libpcap),
		cmocka_unit_test(test_capture_interfaces_have_loopback),
		cmocka_unit_test(test_capture_live_on_loopback),
		cmocka_unit_test(test_capture_live_rings),
		cmocka_unit_test(test_capture_live_stops),
		cmocka_unit_test(test_capture_live_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
