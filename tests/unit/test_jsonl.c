/* JSON lines: valid whatever came from the wire, exact integers, null for what is not known. */
#include "storage/jsonl.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One line and nothing else, no key twice. */
static json_t *parsed(const struct fyke_session *session)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	json_error_t error;
	json_t *value;

	assert_non_null(out);
	fyke_jsonl_write(out, session);
	assert_int_equal(fclose(out), 0);
	assert_true(length > 0 && text[length - 1] == '\n');
	assert_ptr_equal(strchr(text, '\n'), text + length - 1);
	value = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (value == NULL)
		fail_msg("%s in %s", error.text, text);
	free(text);
	return value;
}

static const char *text_at(json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static struct fyke_session udp_session(void)
{
	struct fyke_session session = {
		.birth = {17, 2},
		.start_ns = 1500,
		.end_ns = -1,
		.transport = "udp",
		.icmp_type = FYKE_UNKNOWN,
		.vlan = FYKE_UNKNOWN,
		.service_mismatch = FYKE_UNKNOWN,
		.state = FYKE_STATE_SF,
	};

	assert_true(fyke_address_parse("192.0.2.1", &session.side[FYKE_CLIENT].ip));
	assert_true(fyke_address_parse("2001:db8::1", &session.side[FYKE_SERVER].ip));
	session.side[FYKE_CLIENT].bytes = INT64_MAX;
	session.side[FYKE_SERVER].port = FYKE_UNKNOWN;
	session.side[FYKE_SERVER].has_mac = true;
	return session;
}

static void test_jsonl_nests_sides_and_keeps_integers(void **state)
{
	struct fyke_session session = udp_session();
	json_t *line = parsed(&session), *client = json_object_get(line, "client"),
	       *server = json_object_get(line, "server");

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(line, "first_frame")), 17);
	assert_int_equal(json_integer_value(json_object_get(line, "first_ordinal")), 2);
	assert_int_equal(json_integer_value(json_object_get(line, "start_us")), 1);
	assert_int_equal(json_integer_value(json_object_get(line, "end_us")), -1); /* towards the past */
	assert_string_equal(text_at(client, "ip"), "192.0.2.1");
	assert_true(json_integer_value(json_object_get(client, "bytes")) == INT64_MAX);
	assert_true(json_is_null(json_object_get(client, "mac")));
	assert_string_equal(text_at(server, "ip"), "2001:db8::1");
	assert_true(json_is_null(json_object_get(server, "port")));
	assert_string_equal(text_at(server, "mac"), "00:00:00:00:00:00");
	assert_true(json_is_null(json_object_get(line, "icmp_type")));
	assert_true(json_is_null(json_object_get(line, "service_mismatch")));
	assert_true(json_is_null(json_object_get(line, "server_name")));
	assert_true(json_is_null(json_object_get(line, "end_reason")));
	assert_true(json_is_null(json_object_get(line, "tcp")));
	assert_true(json_is_false(json_object_get(line, "roles_guessed")));
	assert_string_equal(text_at(line, "state"), "SF");
	assert_null(json_object_get(line, "frames"));
	assert_null(json_object_get(line, "id"));
	json_decref(line);
}

static void test_jsonl_escapes_hostile_text(void **state)
{
	struct fyke_session session = udp_session();
	char *large = malloc(5001);
	json_t *line;

	(void)state;
	assert_non_null(large);
	memset(large, '\\', 5000);
	large[5000] = '\0';
	session.server_name = "a\"b\\c\x01\x1b[2J\x7f\n\xff\xc3\xa9\xc2\x9b";
	session.content_service = large;
	session.service = "";
	line = parsed(&session);
	assert_string_equal(text_at(line, "server_name"), "a\"b\\c\x01\x1b[2J\x7f\n\\xff\xc3\xa9\xc2\x9b");
	assert_int_equal(strlen(text_at(line, "content_service")), 5000);
	assert_string_equal(text_at(line, "service"), "");
	json_decref(line);
	free(large);
}

static void test_jsonl_shows_no_controls(void **state)
{
	static const char hostile[] = "\x1b[2J\x07\xc2\x9b\x7f\xc2\x85";
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	fyke_jsonl_string(out, hostile, sizeof(hostile) - 1);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "\"\\u001b[2J\\u0007\\u009b\\u007f\\u0085\"");
	free(text);
}

static void test_jsonl_nests_tcp(void **state)
{
	struct fyke_session session = udp_session();
	struct fyke_session_tcp tcp = {.handshake_us = 12, .handshake_server_us = FYKE_UNKNOWN};
	json_t *line, *inner;

	(void)state;
	tcp.side[FYKE_SERVER].isn = 4294967295;
	tcp.side[FYKE_SERVER].sack_permitted = 1;
	tcp.side[FYKE_CLIENT].sack_permitted = FYKE_UNKNOWN;
	session.tcp = &tcp;
	line = parsed(&session);
	inner = json_object_get(line, "tcp");
	assert_int_equal(json_integer_value(json_object_get(inner, "handshake_us")), 12);
	assert_true(json_is_null(json_object_get(json_object_get(inner, "server"), "handshake_us")) == 0);
	assert_true(json_is_null(json_object_get(json_object_get(inner, "server"), "mss")) == 0);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(inner, "server"), "isn")), 4294967295);
	assert_true(json_is_true(json_object_get(json_object_get(inner, "server"), "sack_permitted")));
	assert_true(json_is_null(json_object_get(json_object_get(inner, "client"), "sack_permitted")));
	json_decref(line);
}

static void test_jsonl_places_columns(void **state)
{
	const char *key;

	(void)state;
	assert_int_equal(fyke_jsonl_place("server_name", &key), FYKE_JSONL_TOP);
	assert_string_equal(key, "server_name");
	assert_int_equal(fyke_jsonl_place("server_ip", &key), FYKE_JSONL_SERVER);
	assert_string_equal(key, "ip");
	assert_int_equal(fyke_jsonl_place("client_zero_windows", &key), FYKE_JSONL_CLIENT);
	assert_string_equal(key, "zero_windows");
	assert_int_equal(fyke_jsonl_place("handshake_client_us", &key), FYKE_JSONL_TOP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jsonl_nests_sides_and_keeps_integers),
		cmocka_unit_test(test_jsonl_escapes_hostile_text),
		cmocka_unit_test(test_jsonl_shows_no_controls),
		cmocka_unit_test(test_jsonl_nests_tcp),
		cmocka_unit_test(test_jsonl_places_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
