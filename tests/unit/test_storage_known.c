/* What the traffic says about hosts, in the tables hosts and ports; makers by hardware address. */
#include "storage/vendors.h"

#include "tests/unit/storage_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void say(struct fyke_tick *tick, struct fyke_session *session, const char *ip, int64_t port,
	const char *fact, const char *value, const char *source)
{
	struct fyke_value values[FYKE_HOST_FACTS_COUNT] = {{0}};
	uint32_t n = 0;

	for (const struct fyke_record *record = session->records; record != NULL; record = record->next)
		n++;
	values[FYKE_HOST_FACTS_IP] = value_text(ip);
	if (port > 0)
		values[FYKE_HOST_FACTS_PORT] = value_integer(port);
	values[FYKE_HOST_FACTS_FACT] = value_text(fact);
	values[FYKE_HOST_FACTS_VALUE] = value_text(value);
	values[FYKE_HOST_FACTS_SOURCE] = value_text(source);
	session_add_record(tick, session, &fyke_table_host_facts, n, values)->time_ns =
		session->start_ns + (int64_t)n * 1000 * 1000;
}

static void test_known_best_source(void **state)
{
	struct fyke_tick *tick = tick_new(0);
	struct fyke_session *session = session_new(tick, 1, 0);

	session_set_history(session, FYKE_STATE_SF, "ShAaFf");
	say(tick, session, "10.0.0.1", 0, "name", "by.http", "http");
	say(tick, session, "10.0.0.1", 0, "name", "by.mdns", "mdns");
	say(tick, session, "10.0.0.1", 0, "name", "by.dns", "dns");
	say(tick, session, "10.0.0.1", 0, "name", "later.by.mdns", "mdns");
	say(tick, session, "10.0.0.1", 0, "mac", "02:00:00:00:00:09", "dhcp");
	say(tick, session, "10.0.0.2", 0, "name", "by.dns", "dns");
	say(tick, session, "10.0.0.2", 0, "name", "b\xff.dhcp", "dhcp");
	say(tick, session, "10.0.0.2", 0, "os", "Linux", "dhcp");
	say(tick, session, "10.0.0.2", 80, "product", "first", "http");
	say(tick, session, "10.0.0.2", 80, "product", "second", "http");
	say(tick, session, "10.0.0.3", 0, "name", "nobody", "dns");
	say(tick, session, "not an address", 0, "name", "x", "dns");
	store(*state, tick, "1");
	assert_string_equal(
		ask(*state, "SELECT name || ' ' || mac || ' ' || vendor FROM hosts WHERE ip = '10.0.0.1'"),
		"later.by.mdns 02:00:00:00:00:09 locally administered");
	assert_string_equal(ask(*state, "SELECT name || ' ' || os FROM hosts WHERE ip = '10.0.0.2'"),
		"b\\xff.dhcp Linux");
	assert_string_equal(ask(*state, "SELECT product FROM ports WHERE port = 80"), "second");
	assert_int_equal(ask_number(*state, "SELECT count(*) FROM hosts"), 2);
	assert_int_equal(ask_number(*state, "SELECT count(*) FROM host_facts"), 12);
	assert_sound(*state);
}

/* A fact may come long before its host does, and long after. */
static void test_known_across_flushes(void **state)
{
	struct fyke_capture capture = capture_live();
	struct fyke_writer *writer = writer_of(*state, &capture, true);

	for (uint64_t t = 0; t < 3; t++) {
		struct fyke_tick *tick = tick_new(t);
		struct fyke_session *session = session_new(tick, 1 + t, 0);

		if (t > 0)
			session_set_ips(session, "10.0.0.8", "10.0.0.9");
		if (t == 0)
			say(tick, session, "10.0.0.8", 0, "name", "early", "dns");
		if (t == 2)
			say(tick, session, "10.0.0.1", 0, "name", "late", "dns");
		tick->flush = true;
		writer_take(writer, tick);
	}
	writer_done(writer, &capture);
	assert_string_equal(ask(*state, "SELECT name FROM hosts WHERE ip = '10.0.0.8'"), "early");
	assert_string_equal(ask(*state, "SELECT name FROM hosts WHERE ip = '10.0.0.1'"), "late");
	assert_sound(*state);
}

/* The maker of a router's address is nothing that one would want to know of those behind it. */
static void test_known_vendor_of_near_hosts(void **state)
{
	static const uint8_t mac[6] = {0x06, 0, 0, 0, 0, 1};
	struct fyke_tick *tick = tick_new(0);
	struct fyke_session *session = session_new(tick, 1, 0);

	for (int side = 0; side < 2; side++) {
		memcpy(session->side[side].mac, mac, sizeof(mac));
		session->side[side].has_mac = true;
	}
	session->side[FYKE_CLIENT].ttl = 64;
	session->side[FYKE_SERVER].ttl = 57;
	store(*state, tick, "1");
	assert_string_equal(
		ask(*state, "SELECT vendor FROM hosts WHERE ip = '10.0.0.1'"), "locally administered");
	assert_string_equal(ask(*state, "SELECT vendor FROM hosts WHERE ip = '10.0.0.2'"), "NULL");
	assert_string_equal(ask(*state, "SELECT mac FROM hosts WHERE ip = '10.0.0.2'"), "06:00:00:00:00:01");
}

static void write_list(const char *path)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs("OUI/MA-L    Organization\r\n\r\n"
			  "00-22-72   (hex)\t\tWhole Inc.\r\n002272     (base 16)\t\tWhole Inc.\r\n"
			  "\t\t\t\t2181 Street\r\n"
			  "70-B3-D5   (hex)\t\tShared\r\n70B3D5     (base 16)\t\tShared\r\n"
			  "70-B3-D5   (hex)\t\tSmall\r\nF2F000-F2FFFF     (base 16)\t\tSmall\r\n"
			  "70-B3-D5   (hex)\t\tMiddle\r\nF00000-FFFFFF     (base 16)\t\tMiddle\r\n"
			  "70-B3-D5   (hex)\t\t\r\nA00000-AFFFFF     (base 16)\t\t\r\n"
			  "zz-zz-zz   (hex)\t\tNobody\r\n",
			    file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void test_vendors(void **state)
{
	const struct scene *scene = *state;
	struct fyke_vendors vendors = {.count = 0};
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/oui.txt", scene->directory);
	write_list(path);
	fyke_vendors_read(&vendors, "/nowhere/oui.txt");
	assert_null(fyke_vendors_name(&vendors, (const uint8_t[]){0, 0x22, 0x72, 1, 2, 3}));
	fyke_vendors_read(&vendors, path);
	assert_string_equal(
		fyke_vendors_name(&vendors, (const uint8_t[]){0, 0x22, 0x72, 1, 2, 3}), "Whole Inc.");
	assert_string_equal(
		fyke_vendors_name(&vendors, (const uint8_t[]){0x70, 0xb3, 0xd5, 0xf2, 0xf1, 3}), "Small");
	assert_string_equal(
		fyke_vendors_name(&vendors, (const uint8_t[]){0x70, 0xb3, 0xd5, 0xf3, 0xf1, 3}), "Middle");
	assert_string_equal(
		fyke_vendors_name(&vendors, (const uint8_t[]){0x70, 0xb3, 0xd5, 0xa3, 0xf1, 3}), "Shared");
	assert_null(fyke_vendors_name(&vendors, (const uint8_t[]){0, 0x22, 0x73, 1, 2, 3}));
	assert_null(fyke_vendors_name(&vendors, (const uint8_t[]){1, 0, 0x5e, 1, 2, 3}));
	assert_string_equal(fyke_vendors_name(&vendors, (const uint8_t[]){0xda, 0x22, 0x73, 1, 2, 3}),
		"locally administered");
	fyke_vendors_release(&vendors);
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_known_best_source, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_known_across_flushes, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_known_vendor_of_near_hosts, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_vendors, scene_setup, scene_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
