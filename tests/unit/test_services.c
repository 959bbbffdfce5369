/* analyzer/classify: registry, server ports, the user's file. */
#include "analyzer/classify/registry.h"
#include "analyzer/classify/services.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { TCP = 6, UDP = 17, DCCP = 33, SCTP = 132 };

static struct fyke_services *services_with(const char *text, struct fyke_error *error)
{
	char name[] = "/tmp/fyke-services-XXXXXX";
	int fd = mkstemp(name);
	struct fyke_services *services = NULL;
	enum fyke_status status;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	status = fyke_services_new(name, &services, error);
	unlink(name);
	assert_true((status == FYKE_OK) == (services != NULL));
	return services;
}

static void test_services_registry_names_known_ports(void **state)
{
	struct fyke_services *services;

	(void)state;
	assert_int_equal(fyke_services_new(NULL, &services, NULL), FYKE_OK);
	assert_string_equal(fyke_services_name(services, TCP, 80), "http");
	assert_string_equal(fyke_services_name(services, TCP, 110), "pop3");
	assert_string_equal(
		fyke_services_description(services, TCP, 110), "Post Office Protocol - Version 3");
	assert_string_equal(fyke_services_name(services, UDP, 53), "domain");
	assert_string_equal(fyke_services_name(services, TCP, 6063), "x11");
	assert_string_equal(fyke_services_name(services, SCTP, 2905), "m3ua");
	assert_string_equal(fyke_services_name(services, DCCP, 5004), "avt-profile-1");
	assert_null(fyke_services_name(services, TCP, 0));
	assert_null(fyke_services_name(services, TCP, 4)); /* unassigned */
	assert_null(fyke_services_name(services, UDP, 65535));
	assert_null(fyke_services_name(services, 47, 80)); /* no ports there */
	assert_null(fyke_services_description(services, UDP, 65535));
	fyke_services_free(services);
}

static void test_services_registry_is_sorted(void **state)
{
	(void)state;
	assert_true(fyke_registry_count > 6000);
	for (size_t i = 1; i < fyke_registry_count; i++) {
		assert_true(fyke_registry[i - 1].port <= fyke_registry[i].port);
		assert_non_null(fyke_registry[i].name);
		if (fyke_registry[i - 1].port == fyke_registry[i].port)
			assert_int_equal(fyke_registry[i - 1].transports & fyke_registry[i].transports, 0);
	}
}

static void test_services_server_ports(void **state)
{
	struct fyke_services *services;

	(void)state;
	assert_int_equal(fyke_services_new(NULL, &services, NULL), FYKE_OK);
	assert_true(fyke_services_is_server(services, TCP, 1));
	assert_true(fyke_services_is_server(services, TCP, 1023));
	assert_false(fyke_services_is_server(services, TCP, 1024));
	assert_true(fyke_services_is_server(services, TCP, 8080));
	assert_false(fyke_services_is_server(services, UDP, 8080));
	assert_true(fyke_services_is_server(services, UDP, 5353));
	assert_true(fyke_services_is_server(services, TCP, 6669));
	assert_false(fyke_services_is_server(services, TCP, 6670));
	assert_true(fyke_services_is_server(services, TCP, 20000));
	assert_false(fyke_services_is_server(services, TCP, 20001));
	/* registered, but the registry says nothing about roles */
	assert_non_null(fyke_services_name(services, TCP, 45966));
	assert_false(fyke_services_is_server(services, TCP, 45966));
	assert_false(fyke_services_is_server(services, 1, 8));
	fyke_services_free(services);
}

static void test_services_user_file_overrides(void **state)
{
	struct fyke_services *services = services_with("# ours\n"
						       "intranet\t80/tcp www # the old one\n"
						       "backup 40000/TCP\n"
						       "\n"
						       "  first 40001/udp\n"
						       "second 40001/udp",
		NULL);

	(void)state;
	assert_string_equal(fyke_services_name(services, TCP, 80), "intranet");
	assert_null(fyke_services_description(services, TCP, 80));
	assert_string_equal(fyke_services_name(services, UDP, 80), "http");
	assert_string_equal(fyke_services_name(services, TCP, 40000), "backup");
	assert_true(fyke_services_is_server(services, TCP, 40000));
	assert_false(fyke_services_is_server(services, UDP, 40000));
	assert_string_equal(fyke_services_name(services, UDP, 40001), "second");
	assert_string_equal(fyke_services_name(services, TCP, 443), "https");
	fyke_services_free(services);
}

static void test_services_wrong_lines_are_told(void **state)
{
	static const char *const wrong[] = {"http\n", "http 80\n", "http 80/icmp\n", "http 65536/tcp\n",
		"http x/tcp\n", "http /tcp\n", "http -1/tcp\n", "http 99999999999999999999/tcp\n",
		"h\xc3\xa4 80/tcp\n",
		"a123456789b123456789c123456789d123456789e123456789f123456789g123 80/tcp\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[256];
		struct fyke_error error = {0};

		(void)snprintf(text, sizeof(text), "fine 1/tcp\n%s", wrong[i]);
		assert_null(services_with(text, &error));
		assert_int_equal(error.status, FYKE_FAILED_USAGE);
		assert_non_null(strstr(error.text, "line 2: "));
	}
}

static void test_services_endless_line_is_told(void **state)
{
	char text[4000];
	struct fyke_error error = {0};

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_null(services_with(text, &error));
	assert_non_null(strstr(error.text, "line 1: longer"));
}

static void test_services_missing_file_is_told(void **state)
{
	struct fyke_services *services;
	struct fyke_error error;

	(void)state;
	assert_int_equal(fyke_services_new("/nonexistent/services", &services, &error), FYKE_FAILED_IO);
	assert_null(services);
	assert_non_null(strstr(error.text, "/nonexistent/services"));
}

static void test_services_empty_file_changes_nothing(void **state)
{
	struct fyke_services *services = services_with("", NULL);

	(void)state;
	assert_string_equal(fyke_services_name(services, TCP, 80), "http");
	fyke_services_free(services);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_services_registry_names_known_ports),
		cmocka_unit_test(test_services_registry_is_sorted),
		cmocka_unit_test(test_services_server_ports),
		cmocka_unit_test(test_services_user_file_overrides),
		cmocka_unit_test(test_services_wrong_lines_are_told),
		cmocka_unit_test(test_services_endless_line_is_told),
		cmocka_unit_test(test_services_missing_file_is_told),
		cmocka_unit_test(test_services_empty_file_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
