/* Reports' building blocks, and reports of databases that are empty or hostile. */
#include "reports/report.h"
#include "reports/samples.h"
#include "reports/tally.h"
#include "storage/schema.h"
#include "tests/unit/storage_support.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_report_tally_sums_and_sorts(void **state)
{
	struct fyke_tally tally = {0};
	char key[16];

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 1000; i++) {
			int length = snprintf(key, sizeof(key), "k%d", i);
			int64_t *counters = fyke_tally_at(&tally, key, (size_t)length);

			assert_non_null(counters);
			counters[FYKE_TALLY_SESSIONS]++;
			counters[FYKE_TALLY_SENT_BYTES] += i;
		}
	}
	assert_int_equal(tally.count, 1000);
	fyke_tally_sort(&tally);
	assert_string_equal(tally.entries[0].key, "k999");
	assert_int_equal(fyke_tally_bytes(&tally.entries[0]), 3 * 999);
	assert_int_equal(tally.entries[0].counters[FYKE_TALLY_SESSIONS], 3);
	assert_string_equal(tally.entries[999].key, "k0");
	fyke_tally_release(&tally);
}

static void test_report_tally_is_bounded(void **state)
{
	struct fyke_tally tally = {.limit = 100};
	char key[16];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int length = snprintf(key, sizeof(key), "k%d", i);

		fyke_tally_at(&tally, key, (size_t)length)[FYKE_TALLY_SENT_BYTES] += i == 7 ? 1000000 : i;
		assert_true(tally.count <= 100);
	}
	fyke_tally_sort(&tally);
	assert_string_equal(tally.entries[0].key, "k7"); /* what has most stays */
	assert_int_equal(tally.count + tally.dropped, 1000);
	fyke_tally_release(&tally);
}

static void test_report_samples_give_nearest_ranks(void **state)
{
	struct fyke_samples samples = {0};

	(void)state;
	for (int64_t i = 100; i >= 1; i--)
		assert_true(fyke_samples_add(&samples, i));
	fyke_samples_sort(&samples);
	assert_int_equal(fyke_samples_at(&samples, 500), 50);
	assert_int_equal(fyke_samples_at(&samples, 950), 95);
	assert_int_equal(fyke_samples_at(&samples, 990), 99);
	assert_int_equal(fyke_samples_at(&samples, 1000), 100);
	assert_int_equal(fyke_samples_at(&samples, 1), 1);
	fyke_samples_release(&samples);
	for (int64_t i = 0; i < 1000; i++)
		assert_true(fyke_samples_add(&samples, (i * 7919 % 1000 - 500) * INT64_C(1000000007)));
	fyke_samples_sort(&samples);
	for (int64_t i = 0; i < 1000; i++)
		assert_int_equal(samples.values[i], (i - 500) * INT64_C(1000000007));
	fyke_samples_release(&samples);
	for (int64_t i = 0; i < 3 * (int64_t)FYKE_SAMPLES_MAX; i++)
		assert_true(fyke_samples_add(&samples, i));
	assert_true(samples.count <= FYKE_SAMPLES_MAX);
	assert_int_equal(samples.seen, 3 * (int64_t)FYKE_SAMPLES_MAX);
	fyke_samples_sort(&samples);
	assert_in_range(fyke_samples_at(&samples, 500), 3 * FYKE_SAMPLES_MAX / 2 - 1000,
		3 * FYKE_SAMPLES_MAX / 2 + 1000);
	fyke_samples_release(&samples);
}

typedef enum fyke_status report_function(
	struct fyke_database *, const struct fyke_report_options *, FILE *, struct fyke_error *);

static char *report_of(
	const struct scene *scene, report_function *make, const struct fyke_report_options *options)
{
	struct fyke_database *database;
	struct fyke_error error;
	size_t length;
	char *text;
	FILE *out = open_memstream(&text, &length);

	if (fyke_database_open(scene->path, FYKE_DATABASE_READ, &database, &error) != FYKE_OK ||
		make(database, options, out, &error) != FYKE_OK)
		fail_msg("%s", error.text);
	fclose(out);
	fyke_database_close(database);
	return text;
}

static json_t *json_of(const struct scene *scene, const struct fyke_report_options *options)
{
	char *text = report_of(scene, fyke_report_json, options);
	json_error_t fault;
	json_t *report = json_loads(text, JSON_REJECT_DUPLICATES, &fault);

	if (report == NULL)
		fail_msg("%s at line %d: %s", fault.text, fault.line, text);
	free(text);
	return report;
}

static void make_empty(const struct scene *scene)
{
	struct fyke_database *database;
	struct fyke_error error;

	assert_int_equal(fyke_database_open(scene->path, FYKE_DATABASE_WRITE, &database, &error), FYKE_OK);
	fyke_database_close(database);
}

static void test_report_of_an_empty_database(void **state)
{
	const struct fyke_report_options options = {.capture = FYKE_REPORT_LAST, .version = "1"};
	struct fyke_report_options wrong = options;
	struct fyke_database *database;
	struct fyke_error error;
	json_t *report;
	char *text;

	make_empty(*state);
	text = report_of(*state, fyke_report_text, &options);
	assert_non_null(strstr(text, "no capture yet"));
	free(text);
	report = json_of(*state, &options);
	assert_int_equal(json_array_size(json_object_get(report, "captures")), 0);
	assert_true(json_is_null(json_object_get(json_object_get(report, "summary"), "first_us")));
	assert_true(json_is_null(json_object_get(json_object_get(report, "tcp"), "stream_bytes")));
	json_decref(report);
	wrong.capture = 7;
	assert_int_equal(
		fyke_database_open(((struct scene *)*state)->path, FYKE_DATABASE_READ, &database, &error),
		FYKE_OK);
	assert_int_equal(fyke_report_text(database, &wrong, stderr, &error), FYKE_FAILED_USAGE);
	fyke_database_close(database);
}

static void fill(const struct scene *scene, const char *fingerprint, const char *service)
{
	struct fyke_tick *tick = tick_new(1);

	for (uint64_t i = 1; i <= 4; i++) {
		struct fyke_session *session = session_new(tick, i, 0);
		struct fyke_session_tcp *tcp = session_add_tcp(tick, session);

		session->service = service;
		session->state = i == 4 ? FYKE_STATE_S0 : FYKE_STATE_SF;
		session->side[FYKE_CLIENT].bytes = (int64_t)i * 1000;
		session->side[FYKE_SERVER].bytes = INT64_C(9007199254740993);
		tcp->handshake_us = (int64_t)i * 100;
		tcp->side[FYKE_SERVER].retransmitted_segments = (int64_t)i;
	}
	store(scene, tick, fingerprint);
}

static void test_report_sums_one_capture_or_all(void **state)
{
	struct fyke_report_options options = {.capture = FYKE_REPORT_LAST, .sessions = true};
	json_t *report, *tcp;

	fill(*state, "aa", "http");
	fill(*state, "bb", "dns");
	report = json_of(*state, &options);
	assert_int_equal(json_array_size(json_object_get(report, "sessions")), 4);
	assert_int_equal(json_integer_value(json_object_get(
				 json_array_get(json_object_get(report, "captures"), 0), "id")),
		2);
	tcp = json_object_get(report, "tcp");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(tcp, "retransmissions"), "segments")), 10);
	assert_true(json_is_null(
		json_object_get(json_object_get(json_object_get(tcp, "retransmissions"), "causes"), "fast")));
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(tcp, "handshake"), "median_us")), 200);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(tcp, "states"), "S0")), 1);
	/* Beyond 2^53: exact. */
	assert_true(json_integer_value(json_object_get(json_array_get(json_object_get(report, "services"), 0),
			    "server_bytes")) == INT64_C(4) * INT64_C(9007199254740993));
	json_decref(report);
	options.capture = FYKE_REPORT_ALL;
	report = json_of(*state, &options);
	assert_int_equal(json_array_size(json_object_get(report, "sessions")), 8);
	assert_int_equal(json_array_size(json_object_get(report, "services")), 2);
	json_decref(report);
}

static void assert_printable(const char *text)
{
	for (; *text != '\0'; text++) {
		if (((unsigned char)*text < 0x20 && *text != '\n') || *text == 0x7f)
			fail_msg("control byte %02x", (unsigned char)*text);
	}
}

static void test_report_of_hostile_text(void **state)
{
	struct fyke_report_options options = {.capture = FYKE_REPORT_ALL,
		.sessions = true,
		.version = "\x1b[2J\xff",
		.database = "x\x1b[2J"};
	json_t *report;
	char *text;

	fill(*state, "aa", "http");
	run_sql(*state,
		"PRAGMA ignore_check_constraints=1;"
		"UPDATE sessions SET service = char(27) || '[2J' || char(8238) || CAST(x'ff00fe' AS TEXT),"
		" client_ip = char(27, 10, 155) || '\"}', transport = char(9) || 'a', state = char(7),"
		" server_ip = CAST(x'1bff' AS TEXT) WHERE id = 1;"
		"UPDATE sessions SET start_us = -9223372036854775808, end_us = 9223372036854775807,"
		" client_bytes = 9223372036854775807 WHERE id = 2;"
		"UPDATE captures SET name = char(27) || '[2J', refusals = "
		"'{\"a\":1,\"\\u001b\":2,\"b\":\"x\"}',"
		" link_types = char(13), status = char(27), options = char(27);"
		"UPDATE files SET name = char(27), damage = char(27) || CAST(x'ff' AS TEXT), format = "
		"char(27);"
		"INSERT INTO ports(capture_id, ip, transport, port, state, service) VALUES"
		"(1, char(27), char(27), -1, 'open', char(27)), (1, '::1', 'tcp', 5, 'open', NULL)");
	text = report_of(*state, fyke_report_text, &options);
	assert_printable(text);
	assert_null(strstr(text, "\xe2\x80\xae"));
	assert_non_null(strstr(text, "\\x1b[2J"));
	free(text);
	report = json_of(*state, &options);
	assert_int_equal(json_array_size(json_object_get(report, "sessions")), 4);
	json_decref(report);
	run_sql(*state, "UPDATE captures SET refusals = '[[[['");
	report = json_of(*state, &options);
	assert_int_equal(json_object_size(json_object_get(
				 json_array_get(json_object_get(report, "captures"), 0), "refusals")),
		0);
	json_decref(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report_tally_sums_and_sorts),
		cmocka_unit_test(test_report_tally_is_bounded),
		cmocka_unit_test(test_report_samples_give_nearest_ranks),
		cmocka_unit_test_setup_teardown(
			test_report_of_an_empty_database, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_report_sums_one_capture_or_all, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_report_of_hostile_text, scene_setup, scene_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
