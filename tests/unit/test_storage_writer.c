/* What is put into the writer comes out of the database equal. */
#include "analyzer/base/text.h"
#include "tests/unit/storage_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TICKS = 12, TICK_SESSIONS = 500 };

static const struct fyke_field toy_fields[] = {
	{"order", FYKE_TYPE_INTEGER, "a word of SQL's own"},
	{"te\"xt", FYKE_TYPE_TEXT, "a name that needs quoting"},
	{"bytes", FYKE_TYPE_BLOB, "bytes"},
	{"yes", FYKE_TYPE_BOOLEAN, "a flag"},
};
static const struct fyke_table toy_table = {"toy", "a dissector's table", toy_fields, 4};

struct walk {
	sqlite3_stmt *row;
	int column;
};

static void expect_number(struct walk *walk, int64_t value)
{
	if (value == FYKE_UNKNOWN) {
		assert_int_equal(sqlite3_column_type(walk->row, walk->column), SQLITE_NULL);
	} else {
		assert_int_equal(sqlite3_column_type(walk->row, walk->column), SQLITE_INTEGER);
		assert_int_equal(sqlite3_column_int64(walk->row, walk->column), value);
	}
	walk->column++;
}

static void expect_text(struct walk *walk, const char *text)
{
	char escaped[1024];

	if (text == NULL) {
		assert_int_equal(sqlite3_column_type(walk->row, walk->column), SQLITE_NULL);
	} else {
		(void)fyke_text_utf8(text, strlen(text), escaped, sizeof(escaped));
		assert_string_equal((const char *)sqlite3_column_text(walk->row, walk->column), escaped);
	}
	walk->column++;
}

static void expect_address(struct walk *walk, const struct fyke_address *ip)
{
	char text[FYKE_ADDRESS_TEXT];

	fyke_address_text(ip, text);
	expect_text(walk, text);
}

static void expect_mac(struct walk *walk, const struct fyke_session_side *side)
{
	char text[FYKE_MAC_TEXT];

	fyke_mac_text(side->mac, text);
	expect_text(walk, side->has_mac ? text : NULL);
}

static int64_t floor_us(int64_t ns)
{
	return ns >= 0 ? ns / 1000 : -((-ns + 999) / 1000);
}

static void expect_frames(struct walk *walk, const struct fyke_session *session)
{
	if (session->frames == NULL) {
		assert_int_equal(sqlite3_column_type(walk->row, walk->column), SQLITE_NULL);
		return;
	}
	assert_int_equal(sqlite3_column_bytes(walk->row, walk->column), session->frames_length);
	assert_memory_equal(
		sqlite3_column_blob(walk->row, walk->column), session->frames, session->frames_length);
}

static void expect_middle(struct walk *walk, const struct fyke_session *session)
{
	expect_number(walk, session->icmp_type);
	expect_number(walk, session->icmp_code);
	expect_number(walk, session->icmp_id);
	expect_number(walk, session->vlan);
	expect_text(walk, session->tunnel);
	expect_number(walk, session->tunnel_id);
	walk->column += 2; /* parent_id and quotes_id have a test of their own */
	expect_text(walk, session->community_id[0] == '\0' ? NULL : session->community_id);
	expect_text(walk, session->service);
	expect_text(walk, session->port_service);
	expect_text(walk, session->content_service);
	expect_number(walk, session->service_mismatch);
	expect_text(walk, session->server_name);
	expect_number(walk, session->roles_guessed);
	expect_text(walk, fyke_state_name(session->state));
	expect_text(walk, session->history[0] == '\0' ? NULL : session->history);
	expect_text(walk, fyke_end_name(session->end_reason));
}

static void expect_session(
	sqlite3_stmt *row, int64_t id, int64_t capture_id, const struct fyke_session *session)
{
	const struct fyke_session_side *client = &session->side[FYKE_CLIENT],
				       *server = &session->side[FYKE_SERVER];
	struct walk walk = {row, 0};

	expect_number(&walk, id);
	expect_number(&walk, capture_id);
	expect_number(&walk, (int64_t)session->birth.frame);
	expect_number(&walk, session->birth.ordinal);
	expect_number(&walk, (int64_t)session->last_frame);
	expect_number(&walk, session->layer);
	expect_number(&walk, floor_us(session->start_ns));
	expect_number(&walk, floor_us(session->end_ns));
	expect_number(&walk, floor_us(session->updated_ns));
	expect_text(&walk, session->transport);
	expect_number(&walk, session->ip_protocol);
	expect_address(&walk, &client->ip);
	expect_number(&walk, client->port);
	expect_address(&walk, &server->ip);
	expect_number(&walk, server->port);
	expect_mac(&walk, client);
	expect_mac(&walk, server);
	expect_middle(&walk, session);
	expect_number(&walk, client->packets);
	expect_number(&walk, server->packets);
	expect_number(&walk, client->bytes);
	expect_number(&walk, server->bytes);
	expect_number(&walk, client->payload_bytes);
	expect_number(&walk, server->payload_bytes);
	expect_number(&walk, client->ttl);
	expect_number(&walk, server->ttl);
	expect_number(&walk, client->tcp_flags);
	expect_number(&walk, server->tcp_flags);
	expect_number(&walk, session->bad_checksums);
	expect_frames(&walk, session);
}

static void expect_tcp(sqlite3 *db, int64_t id, const struct fyke_session *session)
{
	const int64_t *member = (const int64_t *)(const void *)session->tcp;
	sqlite3_stmt *row = NULL;

	assert_int_equal(
		sqlite3_prepare_v2(db, "SELECT * FROM tcp WHERE session_id = ?", -1, &row, NULL), SQLITE_OK);
	sqlite3_bind_int64(row, 1, id);
	if (session->tcp == NULL) {
		assert_int_equal(sqlite3_step(row), SQLITE_DONE);
	} else {
		struct walk walk = {row, 1};

		assert_int_equal(sqlite3_step(row), SQLITE_ROW);
		/* The columns stand in the order of the struct's members, all of which are numbers. */
		assert_int_equal(sqlite3_column_count(row) - 1, sizeof(*session->tcp) / sizeof(*member));
		for (size_t i = 0; i < sizeof(*session->tcp) / sizeof(*member); i++)
			expect_number(&walk, member[i]);
	}
	sqlite3_finalize(row);
}

/* Fills a tick from the seed; the same seed gives the same sessions. */
static struct fyke_tick *random_tick(uint64_t number, uint64_t seed)
{
	struct fyke_tick *tick = tick_new(number);

	for (uint32_t i = 0; i < TICK_SESSIONS; i++)
		session_randomize(tick, session_new(tick, 1 + number * TICK_SESSIONS + i / 3, i % 3), &seed);
	return tick;
}

static void test_writer_round_trip(void **state)
{
	const char *const fingerprint = "00112233445566778899aabbccddeeff";
	struct fyke_capture_file file;
	struct fyke_capture capture = capture_of(&file, 1, &fingerprint);
	struct fyke_writer *writer = writer_of(*state, &capture, false);
	sqlite3_stmt *rows = NULL;
	sqlite3 *db = NULL;
	int64_t id = 1;

	for (uint64_t t = 0; t < TICKS; t++)
		writer_take(writer, random_tick(t, 77 + t));
	assert_int_equal(writer_done(writer, &capture), 1);
	assert_int_equal(sqlite3_open(((struct scene *)*state)->path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(db, "SELECT * FROM sessions ORDER BY id", -1, &rows, NULL), SQLITE_OK);
	for (uint64_t t = 0; t < TICKS; t++) {
		struct fyke_tick *tick = random_tick(t, 77 + t);

		for (size_t i = 0; i < tick->session_count; i++, id++) {
			assert_int_equal(sqlite3_step(rows), SQLITE_ROW);
			expect_session(rows, id, 1, tick->sessions[i]);
			expect_tcp(db, id, tick->sessions[i]);
		}
		fyke_tick_free(tick);
	}
	assert_int_equal(sqlite3_step(rows), SQLITE_DONE);
	sqlite3_finalize(rows);
	sqlite3_close(db);
	assert_sound(*state);
}

static void test_writer_updates_in_place(void **state)
{
	struct fyke_capture capture = capture_live();
	struct fyke_writer *writer = writer_of(*state, &capture, true);
	struct fyke_tick *tick;

	for (int round = 0; round < 3; round++) {
		tick = tick_new((uint64_t)round);
		for (uint32_t i = 0; i < 600; i++) {
			struct fyke_session *session = session_new(tick, 10 + i, 0);

			session->stored_before = round > 0;
			session->ended = round == 2;
			session->end_reason = round == 2 ? FYKE_END_FIN : FYKE_END_OPEN;
			session->side[FYKE_CLIENT].packets = 1 + round;
			session_add_tcp(tick, session)->side[FYKE_SERVER].stream_bytes =
				100 * round + (int64_t)i;
		}
		/* The same once more within one tick, and again: the last word counts. */
		for (uint32_t i = 0; i < 4; i++) {
			struct fyke_session *session = session_new(tick, 10 + i % 2, 0);

			session->stored_before = true;
			session->side[FYKE_CLIENT].packets = 50 + i;
		}
		tick->flush = true;
		writer_take(writer, tick);
	}
	writer_done(writer, &capture);
	assert_int_equal(ask_number(*state, "SELECT count(*) FROM sessions"), 600);
	assert_int_equal(ask_number(*state, "SELECT count(*) FROM tcp"), 600);
	assert_string_equal(
		ask(*state, "SELECT group_concat(client_packets) FROM (SELECT client_packets FROM sessions"
			    " ORDER BY id LIMIT 4)"),
		"52,53,3,3");
	assert_int_equal(
		ask_number(*state, "SELECT server_stream_bytes FROM tcp WHERE session_id = 600"), 799);
	assert_int_equal(ask_number(*state, "SELECT count(*) FROM sessions WHERE end_reason = 'fin'"), 598);
	/* Sums about hosts follow updates. */
	assert_int_equal(ask_number(*state, "SELECT sessions FROM hosts WHERE ip = '10.0.0.1'"), 600);
	assert_int_equal(ask_number(*state, "SELECT sent_packets FROM hosts WHERE ip = '10.0.0.1'"),
		598 * 3 + 52 + 53);
	assert_sound(*state);
}

static void test_writer_update_after_removal(void **state)
{
	struct fyke_capture capture = capture_live();
	struct fyke_writer *writer = writer_of(*state, &capture, true);
	struct fyke_tick *tick = tick_new(0);
	struct fyke_session *session = session_new(tick, 5, 0);

	session_add_tcp(tick, session);
	tick->flush = true;
	writer_take(writer, tick);
	while (fyke_writer_counters(writer).transactions == 0)
		;
	run_sql(*state, "DELETE FROM tcp; DELETE FROM sessions");
	tick = tick_new(1);
	session = session_new(tick, 5, 0);
	session->stored_before = true;
	session->side[FYKE_CLIENT].packets = 9;
	session_add_tcp(tick, session);
	writer_take(writer, tick);
	writer_done(writer, &capture);
	assert_int_equal(
		ask_number(*state, "SELECT client_packets FROM sessions JOIN tcp ON session_id = id"), 9);
	assert_sound(*state);
}

static void test_writer_parents(void **state)
{
	struct fyke_tick *tick = tick_new(0);

	session_new(tick, 1, 0);
	for (uint32_t i = 0; i < 700; i++) {
		struct fyke_session *session = session_new(tick, 2 + i, 0);
		const struct fyke_value values[] = {value_integer(1), value_integer(0)};

		session->parent = (struct fyke_birth){1 + i, 0}; /* the one before it */
		session->quoted = (struct fyke_birth){1, 0};
		session_add_record(tick, session, &fyke_table_session_parents, 0, values);
	}
	session_new(tick, 800, 0)->parent = (struct fyke_birth){9999, 3}; /* not there */
	store(*state, tick, "aa");
	assert_int_equal(ask_number(*state, "SELECT count(*) FROM sessions WHERE parent_id = id - 1"), 700);
	assert_int_equal(ask_number(*state, "SELECT count(*) FROM sessions WHERE quotes_id = 1"), 700);
	assert_int_equal(ask_number(*state, "SELECT count(*) FROM session_parents WHERE parent_id = 1"), 700);
	assert_string_equal(ask(*state, "SELECT parent_id FROM sessions WHERE first_frame = 800"), "NULL");
	assert_sound(*state);
}

static void test_writer_records(void **state)
{
	struct fyke_tick *tick = tick_new(0);
	struct fyke_session *session = session_new(tick, 1, 0);
	struct fyke_value values[4] = {value_integer(-7), value_text("\xff'; DROP TABLE sessions; --"),
		{.kind = FYKE_VALUE_BYTES, .length = 3, .bytes = "\0\xff\x01"}, value_integer(1)};

	for (uint32_t n = 0; n < 1000; n++) {
		values[0].integer = n;
		session_add_record(tick, session, &toy_table, n, values);
	}
	memset(values, 0, sizeof(values));
	session_add_record(tick, session, &toy_table, 1000, values);
	store(*state, tick, "aa");
	assert_int_equal(
		ask_number(*state, "SELECT count(*) FROM toy WHERE \"order\" = n AND frame = 1 + n"), 1000);
	assert_string_equal(ask(*state, "SELECT DISTINCT \"te\"\"xt\" FROM toy WHERE n < 1000"),
		"\\xff'; DROP TABLE sessions; --");
	assert_string_equal(ask(*state, "SELECT DISTINCT hex(bytes) FROM toy WHERE n < 1000"), "00FF01");
	assert_string_equal(
		ask(*state, "SELECT coalesce(\"order\", \"te\"\"xt\", bytes, yes) FROM toy WHERE n = 1000"),
		"NULL");
	assert_string_equal(
		ask(*state, "SELECT sql LIKE '%STRICT, WITHOUT ROWID' FROM sqlite_schema WHERE name = 'toy'"),
		"1");
	assert_sound(*state);
}

/* A dissector that learned a field meets its table of yesterday. */
static void test_writer_record_table_grows(void **state)
{
	static const struct fyke_field more_fields[] = {
		{"order", FYKE_TYPE_INTEGER, ""}, {"new", FYKE_TYPE_TEXT, ""}};
	static const struct fyke_table more = {"toy", "", more_fields, 2};
	const struct fyke_value old[4] = {value_integer(1)}, new[2] = {value_integer(2), value_text("x")};
	struct fyke_tick *tick = tick_new(0);

	session_add_record(tick, session_new(tick, 1, 0), &toy_table, 0, old);
	store(*state, tick, "aa");
	tick = tick_new(0);
	session_add_record(tick, session_new(tick, 1, 0), &more, 0, new);
	store(*state, tick, "bb");
	assert_string_equal(
		ask(*state, "SELECT group_concat(\"order\" || coalesce(new, '-')) FROM toy"), "1-,2x");
}

static void test_writer_frame_parts(void **state)
{
	struct fyke_tick *tick = tick_new(0);
	struct fyke_session *session = session_new(tick, 1, 0);
	const struct fyke_value first[] = {value_integer(0), value_text("\x05\x01\x02")};
	const struct fyke_value second[] = {value_integer(1), value_text("\xc8\x01\x07")};

	session_add_record(tick, session, &fyke_table_session_frames, 0, first);
	session_add_record(tick, session, &fyke_table_session_frames, 1, second);
	tick->frame_index[tick->frame_index_count++] = (struct fyke_frame_index_entry){0, 256, 4711};
	store(*state, tick, "aa");
	assert_string_equal(ask(*state, "SELECT group_concat(session_id || ':' || part || ':' || "
					"hex(frames)) FROM session_frames"),
		"1:0:050102,1:1:C80107");
	assert_string_equal(ask(*state, "SELECT f.name || frame || ':' || file_offset FROM frame_index JOIN "
					"files f ON f.id = file_id"),
		"a.pcap256:4711");
}

struct onlooker {
	const struct scene *scene;
	int times;
	int64_t sessions, hosts;
};

static void look(void *context)
{
	struct onlooker *onlooker = context;

	onlooker->times++;
	onlooker->sessions = ask_number(onlooker->scene, "SELECT count(*) FROM sessions");
	onlooker->hosts = ask_number(onlooker->scene, "SELECT count(*) FROM hosts");
}

/* All rows are there to be read while indices are made, and the indices when all is done. */
static void test_writer_meanwhile(void **state)
{
	const char *const fingerprint = "ab";
	struct fyke_capture_file file;
	struct fyke_capture capture = capture_of(&file, 1, &fingerprint);
	struct fyke_writer *writer = writer_of(*state, &capture, false);
	struct fyke_tick *tick = tick_new(0);
	struct onlooker onlooker = {.scene = *state};
	const struct fyke_writer_meanwhile meanwhile = {look, &onlooker};
	struct fyke_error error;

	for (uint64_t frame = 1; frame <= 100; frame++)
		(void)session_new(tick, frame, 0);
	writer_take(writer, tick);
	assert_int_equal(fyke_writer_finish(writer, &capture, &meanwhile, NULL, &error), FYKE_OK);
	assert_int_equal(onlooker.times, 1);
	assert_int_equal(onlooker.sessions, 100);
	assert_int_equal(onlooker.hosts, 2);
	assert_int_equal(
		ask_number(*state, "SELECT count(*) FROM sqlite_schema WHERE name = 'sessions_start'"), 1);
	assert_sound(*state);
}

/* Nothing was stored: nothing is to be read. */
static void test_writer_meanwhile_after_a_failure(void **state)
{
	const char *const fingerprint = "ab";
	struct fyke_capture_file file;
	struct fyke_capture capture = capture_of(&file, 1, &fingerprint);
	struct fyke_writer *writer = writer_of(*state, &capture, false);
	struct onlooker onlooker = {.scene = *state};
	const struct fyke_writer_meanwhile meanwhile = {look, &onlooker};

	assert_int_equal(fyke_writer_finish(writer, NULL, &meanwhile, NULL, NULL), FYKE_OK);
	assert_int_equal(onlooker.times, 0);
}

static void test_writer_capture_rows(void **state)
{
	const struct fyke_capture_refusal refusals[] = {{"arp", "ARP", false, 3}, {"ip_bad", "bad", true, 2}};
	const char *const fingerprint = "ab";
	struct fyke_capture_file file;
	struct fyke_capture capture = capture_of(&file, 1, &fingerprint);
	struct fyke_writer *writer = writer_of(*state, &capture, false);

	capture.status = FYKE_CAPTURE_DAMAGED;
	capture.refusals = refusals;
	capture.refusal_count = 2;
	capture.refused_packets = 5;
	file.damage = "cut in the middle of packet 17";
	writer_done(writer, &capture);
	assert_string_equal(
		ask(*state, "SELECT status || refusals || refused_packets || packets FROM captures"),
		"damaged{\"arp\":3,\"ip_bad\":2}57");
	assert_string_equal(ask(*state, "SELECT json_extract(refusals, '$.ip_bad') FROM captures"), "2");
	assert_string_equal(ask(*state, "SELECT damage FROM files"), "cut in the middle of packet 17");
	assert_string_equal(ask(*state, "SELECT coalesce(kernel_drops, first_packet_us) FROM captures"), "5");
}

static void test_writer_session_list(void **state)
{
	struct fyke_tick *tick = tick_new(0);
	struct fyke_session *session = session_new(tick, 1, 0);

	session->start_ns = -1500000; /* 1.5 ms before 1970 */
	session->end_ns = 1000000000;
	session = session_new(tick, 2, 0);
	session_set_ips(session, "2001:db8::1", "::ffff:1.2.3.4");
	session = session_new(tick, 3, 0);
	session->side[0].port = session->side[1].port = FYKE_UNKNOWN;
	session->start_ns = 1700000000123456789;
	store(*state, tick, "aa");
	assert_string_equal(ask(*state, "SELECT start || ' ' || duration_s || ' ' || client || ' ' || server "
					"FROM session_list WHERE id = 1"),
		"1969-12-31T23:59:59.998500Z 1.0015 10.0.0.1:40000 10.0.0.2:80");
	assert_string_equal(ask(*state, "SELECT client || ' ' || server FROM session_list WHERE id = 2"),
		"[2001:db8::1]:40000 [::ffff:1.2.3.4]:80");
	assert_string_equal(ask(*state, "SELECT start || ' ' || client FROM session_list WHERE id = 3"),
		"2023-11-14T22:13:20.123456Z 10.0.0.1");
}

/* Full at once, whatever the time of day: the disk is taken for full below 101 % free. */
static void test_writer_stops_on_a_full_disk(void **state)
{
	struct scene *scene = *state;
	struct fyke_writer_options options = {.path = scene->path, .live = true, .free_percent = 101};
	struct fyke_capture capture = capture_live();
	struct fyke_writer *writer = NULL;
	struct fyke_writer_counters counters;
	struct fyke_tick *tick = tick_new(0);

	assert_int_equal(fyke_writer_open(&options, &capture, &writer, NULL), FYKE_OK);
	session_new(tick, 1, 0);
	tick->flush = true;
	writer_take(writer, tick);
	do {
		counters = fyke_writer_counters(writer);
	} while (counters.dropped_sessions == 0);
	assert_true(counters.disk_nearly_full);
	assert_int_equal(counters.sessions, 0);
	writer_done(writer, &capture);
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM sessions"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_writer_round_trip, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_writer_updates_in_place, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_writer_update_after_removal, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_writer_parents, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_writer_records, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_writer_record_table_grows, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_writer_frame_parts, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_writer_capture_rows, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_writer_meanwhile, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_writer_meanwhile_after_a_failure, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_writer_session_list, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_writer_stops_on_a_full_disk, scene_setup, scene_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
