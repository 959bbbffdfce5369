/* JSON lines: valid whatever came from the wire, exact integers, null for what is not known. */
#include "storage/json_buffer.h"
#include "storage/json_kept.h"
#include "storage/json_records.h"
#include "storage/jsonl.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One object without a line end, no key twice. */
static json_t *parsed(struct fyke_session *session)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	struct fyke_jsonl *jsonl = fyke_jsonl_new_live(false);
	json_error_t error;
	json_t *value;

	assert_non_null(out);
	assert_non_null(jsonl);
	assert_true(fyke_jsonl_session(jsonl, session, out));
	fyke_jsonl_free(jsonl);
	assert_int_equal(fclose(out), 0);
	assert_true(length > 0);
	assert_null(strchr(text, '\n'));
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
	static const char hostile[] = "\x1b[2J\x07\xc2\x9b\x7f\xc2\x85\xe2\x80\xae\0\xff";
	struct fyke_json_buffer buffer = {0};

	(void)state;
	fyke_json_append_string(&buffer, hostile, sizeof(hostile) - 1);
	fyke_json_append(&buffer, "", 1);
	assert_string_equal(
		buffer.text, "\"\\u001b[2J\\u0007\\u009b\\u007f\\u0085\xe2\x80\xae\\\\x00\\\\xff\"");
	buffer.length = 0;
	buffer.ascii = true;
	fyke_json_append_string(&buffer, "\xe2\x80\xae\xf0\x9f\x98\x80", 7);
	fyke_json_append(&buffer, "", 1);
	assert_string_equal(buffer.text, "\"\\u202e\\ud83d\\ude00\"");
	fyke_json_buffer_release(&buffer);
}

static void test_jsonl_writes_numbers(void **state)
{
	static const int64_t integers[] = {0, 9, 10, -1, INT64_MAX, INT64_MIN};
	static const double reals[] = {1.5, 0.1, 1e300, 3, -0.0};
	struct fyke_json_buffer buffer = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
		fyke_json_append_integer(&buffer, integers[i]);
		fyke_json_append(&buffer, " ", 1);
	}
	fyke_json_append_unsigned(&buffer, UINT64_MAX);
	for (size_t i = 0; i < sizeof(reals) / sizeof(reals[0]); i++) {
		fyke_json_append(&buffer, " ", 1);
		fyke_json_append_real(&buffer, reals[i]);
	}
	fyke_json_append(&buffer, "", 1);
	assert_string_equal(buffer.text, "0 9 10 -1 9223372036854775807 -9223372036854775808 "
					 "18446744073709551615 1.5 0.1 1e+300 3.0 -0.0");
	buffer.length = 0;
	fyke_json_append_real(&buffer, HUGE_VAL);
	fyke_json_append_hexadecimal(&buffer, (const uint8_t *)"\x00\xaf", 2);
	fyke_json_append_hexadecimal(&buffer, NULL, 0);
	fyke_json_append(&buffer, "", 1);
	assert_string_equal(buffer.text, "null\"00af\"\"\"");
	fyke_json_buffer_release(&buffer);
}

/* A database of anybody's may have columns of any name: none makes a key come twice. */
static void test_jsonl_keeps_keys_single(void **state)
{
	static const struct fyke_jsonl_column columns[] = {{FYKE_JSONL_TCP_SERVER, "isn", false},
		{FYKE_JSONL_TOP, "a", false}, {FYKE_JSONL_TOP, "tcp", false}, {FYKE_JSONL_TOP, "a", false},
		{FYKE_JSONL_CLIENT, "ip", true}, {FYKE_JSONL_TCP, "server", false},
		{FYKE_JSONL_TOP, "client", false}};
	struct fyke_jsonl *jsonl = fyke_jsonl_new(columns, 7, 7, false);
	sqlite3 *db;
	sqlite3_stmt *row;
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db,
				 "SELECT 1, x'0aff', 2, 3, 1, 4, 5, 6 UNION ALL SELECT 1, 9, 2, 3, 7, 4, 5, "
				 "NULL",
				 -1, &row, NULL),
		SQLITE_OK);
	while (sqlite3_step(row) == SQLITE_ROW)
		assert_true(fyke_jsonl_row(jsonl, row, out));
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "{\"a\":\"0aff\",\"client\":{\"ip\":true},\"tcp\":{\"server\":{\"isn\":1}}}"
				  "{\"a\":9,\"client\":{\"ip\":7},\"tcp\":null}");
	free(text);
	sqlite3_finalize(row);
	sqlite3_close(db);
	fyke_jsonl_free(jsonl);
}

/* What the database's rows and live sessions have in common stands under the same keys in the same order. */
static void test_jsonl_live_is_stored_without_ids(void **state)
{
	struct fyke_jsonl *stored;
	struct fyke_error error;
	sqlite3 *db;

	(void)state;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(fyke_jsonl_new_stored(db, NULL, false, &stored, &error), FYKE_OK);
	assert_non_null(strstr(fyke_jsonl_select(stored), "fyke_uid("));
	assert_non_null(strstr(fyke_jsonl_select(stored), "s.\"capture_id\", s.\"first_frame\""));
	assert_null(strstr(fyke_jsonl_select(stored), "s.\"frames\""));
	fyke_jsonl_free(stored);
	sqlite3_close(db);
}

static const struct fyke_field line_fields[] = {{"word", FYKE_TYPE_TEXT, "a word"},
	{"good", FYKE_TYPE_BOOLEAN, "or not"}, {"by", FYKE_TYPE_SESSION, "whose"}};
static const struct fyke_table line_table = {"lines", "lines", line_fields, 3};
static const struct fyke_field part_fields[] = {{"part", FYKE_TYPE_INTEGER, "number"}};
static const struct fyke_table part_table = {"parts", "parts", part_fields, 1};

static struct fyke_value bytes(const char *text, size_t length)
{
	return (struct fyke_value){
		.kind = FYKE_VALUE_BYTES, .length = (uint32_t)length, .bytes = length > 0 ? text : NULL};
}

static char *line_of(struct fyke_jsonl *jsonl, struct fyke_session *session)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_true(fyke_jsonl_session(jsonl, session, out));
	assert_int_equal(fclose(out), 0);
	return text;
}

/* A session that was handed over twice: its line has the records of both times. */
static void test_jsonl_has_records_by_table(void **state)
{
	const struct fyke_value first[] = {bytes("a\xff\"", 3), {.kind = FYKE_VALUE_INTEGER, .integer = 1},
		{.kind = FYKE_VALUE_SESSION}};
	const struct fyke_value last[] = {bytes("", 0), {0}, {0}},
				number = {.kind = FYKE_VALUE_INTEGER, .integer = -5};
	struct fyke_record one = {.table = &line_table, .frame = 3, .time_ns = 4000, .values = first};
	struct fyke_record three = {.table = &line_table, .frame = 9, .time_ns = 5000, .values = last};
	struct fyke_record two = {
		.next = &three, .table = &part_table, .frame = 8, .time_ns = 4999, .values = &number};
	struct fyke_session session = udp_session();
	struct fyke_jsonl *jsonl = fyke_jsonl_new_live(false);
	char *text;

	(void)state;
	session.records = &one;
	assert_true(fyke_jsonl_keep(jsonl, &session));
	session.records = &two;
	text = line_of(jsonl, &session);
	assert_non_null(strstr(text, ",\"tcp\":null,\"lines\":[{\"frame\":3,\"time_us\":4,\"word\":"
				     "\"a\\\\xff\\\"\",\"good\":true,\"by\":null},"
				     "{\"frame\":9,\"time_us\":5,\"word\":\"\",\"good\":null,\"by\":null}],"
				     "\"parts\":[{\"frame\":8,\"time_us\":4,\"part\":-5}]}"));
	free(text);
	text = line_of(jsonl, &session); /* what was kept is gone */
	assert_non_null(strstr(text, "\"tcp\":null,\"parts\":[{\"frame\":8"));
	free(text);
	fyke_jsonl_free(jsonl);
}

static void test_jsonl_counts_what_it_cannot_keep(void **state)
{
	struct fyke_json_kept *kept = fyke_json_kept_new(1, false);
	struct fyke_json_buffer out = {0};
	const struct fyke_value values[] = {bytes("x", 1), {0}, {0}};
	struct fyke_record record = {.table = &line_table, .values = values};
	struct fyke_session session = udp_session();

	(void)state;
	session.records = &record;
	for (int i = 0; i < 3; i++)
		assert_true(fyke_json_kept_add(kept, &session));
	session.records = NULL;
	fyke_json_kept_append(kept, &session, &out);
	fyke_json_append(&out, "", 1);
	assert_string_equal(out.text,
		",\"lines\":[{\"frame\":0,\"time_us\":0,\"word\":\"x\",\"good\":null,\"by\":null}],"
		"\"records_lost\":2");
	fyke_json_buffer_release(&out);
	fyke_json_kept_free(kept);
}

/* From a database that lacks a column, and one table. */
static void test_jsonl_reads_records_of_older_databases(void **state)
{
	const struct fyke_table *const tables[] = {&line_table, &part_table, NULL};
	struct fyke_json_records *records;
	struct fyke_json_buffer out = {0};
	struct fyke_error error;
	sqlite3 *db;

	(void)state;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db,
			"CREATE TABLE lines(session_id INTEGER, n INTEGER, frame INTEGER, time_us INTEGER, "
			"word TEXT, good INTEGER, later TEXT); INSERT INTO lines VALUES(1, 1, 5, 6, 'b', 0, "
			"'x'), "
			"(1, 0, 4, 5, NULL, 1, 'y'), (2, 0, 9, 9, 'c', 1, 'z')",
			NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(fyke_json_records_open(db, tables, &records, &error), FYKE_OK);
	assert_true(fyke_json_records_append(records, 3, &out));
	assert_int_equal(out.length, 0);
	assert_true(fyke_json_records_append(records, 1, &out));
	fyke_json_append(&out, "", 1);
	assert_string_equal(out.text,
		",\"lines\":[{\"frame\":4,\"time_us\":5,\"word\":null,\"good\":true,\"by\":null},"
		"{\"frame\":5,\"time_us\":6,\"word\":\"b\",\"good\":false,\"by\":null}]");
	fyke_json_buffer_release(&out);
	fyke_json_records_close(records);
	sqlite3_close(db);
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

static void assert_placed(const char *name, bool of_tcp, enum fyke_jsonl_group group, const char *key)
{
	struct fyke_jsonl_column column = fyke_jsonl_place(name, of_tcp);

	assert_int_equal(column.group, group);
	assert_string_equal(column.key, key);
}

static void test_jsonl_places_columns(void **state)
{
	(void)state;
	assert_placed("server_name", false, FYKE_JSONL_TOP, "server_name");
	assert_placed("server_ip", false, FYKE_JSONL_SERVER, "ip");
	assert_placed("client_zero_windows", true, FYKE_JSONL_TCP_CLIENT, "zero_windows");
	assert_placed("handshake_client_us", true, FYKE_JSONL_TCP, "handshake_client_us");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jsonl_nests_sides_and_keeps_integers),
		cmocka_unit_test(test_jsonl_escapes_hostile_text),
		cmocka_unit_test(test_jsonl_shows_no_controls),
		cmocka_unit_test(test_jsonl_writes_numbers),
		cmocka_unit_test(test_jsonl_keeps_keys_single),
		cmocka_unit_test(test_jsonl_live_is_stored_without_ids),
		cmocka_unit_test(test_jsonl_has_records_by_table),
		cmocka_unit_test(test_jsonl_counts_what_it_cannot_keep),
		cmocka_unit_test(test_jsonl_reads_records_of_older_databases),
		cmocka_unit_test(test_jsonl_nests_tcp),
		cmocka_unit_test(test_jsonl_places_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
