/* Hosts, ports, timeline, what --keep and --max-size remove, and how queries run. */
#include "storage/hosts.h"
#include "storage/timeline.h"
#include "tests/unit/storage_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct fyke_session *tcp_session(
	struct fyke_tick *tick, uint64_t frame, int64_t port, enum fyke_state state, const char *history)
{
	struct fyke_session *session = session_new(tick, frame, 0);

	session->side[FYKE_SERVER].port = port;
	session_set_history(session, state, history);
	return session;
}

static const char *port_row(const struct scene *scene, int port)
{
	char sql[300];

	(void)snprintf(sql, sizeof(sql),
		"SELECT coalesce((SELECT ip || ' ' || transport || ' ' || state || ' ' || sessions || ' ' || "
		"clients"
		" || ' ' || evidence FROM ports WHERE port = %d), 'nothing')",
		port);
	return ask(scene, sql);
}

static void test_ports_by_tcp(void **state)
{
	struct fyke_tick *tick = tick_new(0);

	tcp_session(tick, 1, 80, FYKE_STATE_SF, "ShADadFf");
	tcp_session(tick, 2, 80, FYKE_STATE_S0, "S"); /* no proof: does not count */
	session_set_ips(tcp_session(tick, 3, 80, FYKE_STATE_SF, "Sh"), "10.0.0.9", "10.0.0.2");
	tcp_session(tick, 4, 80, FYKE_STATE_REJ, "Sr"); /* later: open outranks it */
	tcp_session(tick, 5, 81, FYKE_STATE_REJ, "Sr");
	tcp_session(tick, 6, 81, FYKE_STATE_REJ, "Sr");
	tcp_session(tick, 7, 82, FYKE_STATE_S0, "S");
	tcp_session(tick, 8, 83, FYKE_STATE_SHR, "h"); /* one side only, and yet a SYN-ACK */
	tcp_session(tick, 9, 84, FYKE_STATE_OTH, "r"); /* a reset to nothing that was seen */
	tcp_session(tick, 10, 85, FYKE_STATE_RSTO, "DdR");
	tcp_session(tick, 11, 86, FYKE_STATE_REJ, "r");
	tcp_session(tick, 12, 40001, FYKE_STATE_OTH, "Ha")->side[FYKE_CLIENT].port = 8080;
	store(*state, tick, "aa");
	assert_string_equal(port_row(*state, 80), "10.0.0.2 tcp open 2 2 syn, syn-ack, ack");
	assert_string_equal(port_row(*state, 81), "10.0.0.2 tcp closed 2 1 syn, rst");
	assert_string_equal(port_row(*state, 82), "nothing");
	assert_string_equal(port_row(*state, 83), "10.0.0.2 tcp open 1 1 syn-ack");
	assert_string_equal(port_row(*state, 84), "nothing");
	assert_string_equal(port_row(*state, 85), "nothing");
	assert_string_equal(port_row(*state, 86), "nothing");
	assert_string_equal(port_row(*state, 40001), "nothing");
	assert_string_equal(port_row(*state, 8080), "10.0.0.1 tcp open 1 1 syn-ack, ack");
	assert_int_equal(ask_number(*state, "SELECT session_id FROM ports WHERE port = 80"), 1);
	assert_sound(*state);
}

static void add_icmp_error(struct fyke_tick *tick, struct fyke_session *session, uint32_t n,
	const char *reporter, const char *side, int64_t type, int64_t code)
{
	const struct fyke_value values[] = {value_text(reporter), value_text(side), value_integer(type),
		value_integer(code), {.kind = FYKE_VALUE_NULL}};

	session_add_record(tick, session, &fyke_table_icmp_errors, n, values);
}

static struct fyke_session *udp_session(struct fyke_tick *tick, uint64_t frame, int64_t port, int64_t answers)
{
	struct fyke_session *session = session_new(tick, frame, 0);

	session->transport = "udp";
	session->ip_protocol = 17;
	session->side[FYKE_SERVER].port = port;
	session->side[FYKE_SERVER].packets = answers;
	return session;
}

static void test_ports_by_udp_and_icmp(void **state)
{
	struct fyke_tick *tick = tick_new(0);
	struct fyke_session *session;

	udp_session(tick, 1, 53, 1);
	udp_session(tick, 2, 54, 0);
	udp_session(tick, 3, 55, 1)->roles_guessed = true;
	session = udp_session(tick, 4, 56, 0);
	add_icmp_error(tick, session, 0, "10.0.0.2", "client", 3, 3);
	add_icmp_error(tick, session, 1, "10.0.0.2", "client", 3, 3);
	add_icmp_error(tick, udp_session(tick, 5, 57, 0), 0, "10.0.0.254", "client", 3, 3);
	add_icmp_error(tick, udp_session(tick, 6, 58, 0), 0, "10.0.0.2", "client", 3, 13);
	add_icmp_error(tick, udp_session(tick, 7, 59, 0), 0, "10.0.0.2", "server", 3, 3);
	add_icmp_error(tick, udp_session(tick, 8, 60, 0), 0, "10.0.0.2", "client", 11, 0);
	session = udp_session(tick, 9, 61, 0);
	session_set_ips(session, "fe80::1", "fe80::2");
	add_icmp_error(tick, session, 0, "fe80::2", "client", 1, 4);
	session = udp_session(tick, 4, 56, 0); /* the same again, with one more error */
	session->stored_before = true;
	add_icmp_error(tick, session, 2, "10.0.0.2", "client", 3, 3);
	store(*state, tick, "aa");
	assert_string_equal(port_row(*state, 53), "10.0.0.2 udp open 1 1 answered");
	assert_string_equal(port_row(*state, 54), "nothing");
	assert_string_equal(port_row(*state, 55), "nothing");
	assert_string_equal(port_row(*state, 56), "10.0.0.2 udp closed 1 1 icmp port unreachable");
	assert_string_equal(
		port_row(*state, 57), "10.0.0.2 udp filtered 1 1 icmp port unreachable from another host");
	assert_string_equal(port_row(*state, 58), "10.0.0.2 udp filtered 1 1 icmp prohibited");
	assert_string_equal(port_row(*state, 59), "nothing");
	assert_string_equal(port_row(*state, 60), "nothing");
	assert_string_equal(port_row(*state, 61), "fe80::2 udp closed 1 1 icmp port unreachable");
	assert_sound(*state);
}

/* Sums by way of memory, many writes and updates equal what SQL sums up from the sessions. */
static void test_hosts_equal_sessions(void **state)
{
	static const char check[] =
		"SELECT count(*) FROM (SELECT ip, sum(c) c, sum(s) s, sum(sp) sp, sum(rp) rp, min(f) f, "
		"max(l) l FROM"
		" (SELECT client_ip ip, 1 c, 0 s, client_packets sp, server_packets rp, start_us f, end_us l "
		"FROM sessions"
		" UNION ALL SELECT server_ip, 0, 1, server_packets, client_packets, start_us, end_us FROM "
		"sessions)"
		" GROUP BY ip) x LEFT JOIN hosts h ON h.ip = x.ip AND client_sessions = c AND "
		"server_sessions = s"
		" AND sent_packets = sp AND received_packets = rp AND first_seen_us = f AND last_seen_us = l"
		" WHERE h.ip IS NULL";
	struct fyke_capture capture = capture_live();
	struct fyke_writer *writer = writer_of(*state, &capture, true);
	uint64_t seed = 4711;

	for (uint64_t t = 0; t < 20; t++) {
		struct fyke_tick *tick = tick_new(t);

		for (uint32_t i = 0; i < 300; i++) {
			bool again = t > 0 && random_next(&seed) % 3 == 0;
			struct fyke_session *session = session_new(tick, again ? 1 + i : 1 + t * 300 + i, 0);
			unsigned turned = random_next(&seed) % 2;

			session->stored_before = again || t == 0 ? again : false;
			/* The roles may turn round from one write to the next; the addresses stay. */
			session->side[turned].ip.bytes[3] = (uint8_t)(session->birth.frame * 7 % 20);
			session->side[!turned].ip.bytes[3] = (uint8_t)(session->birth.frame * 3 % 20);
			session->side[0].packets = (int64_t)(random_next(&seed) % 100);
			session->side[1].packets = (int64_t)(random_next(&seed) % 100);
		}
		tick->flush = t % 3 == 0;
		writer_take(writer, tick);
	}
	writer_done(writer, &capture);
	assert_int_equal(ask_number(*state, "SELECT count(*) FROM hosts"), 20);
	assert_int_equal(ask_number(*state, check), 0);
	assert_int_equal(ask_number(*state, "SELECT sum(sessions) FROM hosts"),
		ask_number(*state, "SELECT sum(1 + (client_ip <> server_ip)) FROM sessions"));
}

static void test_hosts_more_than_memory(void **state)
{
	struct fyke_tick *tick;
	struct fyke_capture capture = capture_live();
	struct fyke_writer *writer;
	const uint32_t count = FYKE_HOSTS_MAX + 30000;

	capture = capture_live();
	writer = writer_of(*state, &capture, true);
	for (uint32_t i = 0; i < count;) {
		tick = tick_new(i);
		for (uint32_t j = 0; j < 4000 && i < count; j++, i++) {
			struct fyke_session *session = session_new(tick, 1 + i, 0);

			memcpy(session->side[FYKE_CLIENT].ip.bytes, &i, sizeof(i));
		}
		writer_take(writer, tick);
	}
	writer_done(writer, &capture);
	assert_int_equal(ask_number(*state, "SELECT count(*) FROM hosts WHERE client_sessions = 1"), count);
	assert_int_equal(
		ask_number(*state, "SELECT server_sessions FROM hosts WHERE ip = '10.0.0.2'"), count);
}

static void test_timeline_stays_bounded(void **state)
{
	struct fyke_capture capture = capture_live();
	struct fyke_writer *writer = writer_of(*state, &capture, true);
	int64_t second = -5000; /* before 1970 too */
	int64_t packets = 0;

	for (uint64_t t = 0; t < 30; t++) {
		struct fyke_tick *tick = tick_new(t);

		for (int i = 0; i < 1000; i++, second++, packets += 3) {
			tick_add_time(tick, second, "http", 1);
			tick_add_time(tick, second, NULL, 2);
		}
		tick->flush = t % 4 == 0;
		writer_take(writer, tick);
	}
	writer_done(writer, &capture);
	assert_int_equal(ask_number(*state, "SELECT sum(packets) FROM timeline"), packets);
	assert_int_equal(ask_number(*state, "SELECT count(DISTINCT start_us) <= 4096 FROM timeline"), 1);
	assert_string_equal(ask(*state, "SELECT group_concat(DISTINCT width_us) FROM timeline"), "8000000");
	assert_int_equal(
		ask_number(*state, "SELECT count(*) FROM timeline WHERE start_us % width_us <> 0"), 0);
	assert_int_equal(ask_number(*state, "SELECT sum(packets) FROM timeline WHERE service IS NULL"),
		packets / 3 * 2);
	assert_int_equal(
		ask_number(*state,
			"SELECT count(*) - count(DISTINCT start_us || coalesce(service, '')) FROM timeline"),
		0);
}

static void test_timeline_far_times(void **state)
{
	struct fyke_tick *tick = tick_new(0);

	tick_add_time(tick, INT64_MAX / 1000000000, "a", 1);
	tick_add_time(tick, INT64_MIN / 1000000000, "a", 1);
	tick_add_time(tick, INT64_MAX, "a", 1);
	tick_add_time(tick, INT64_MIN, "a", 1);
	store(*state, tick, "aa");
	assert_int_equal(ask_number(*state, "SELECT sum(packets) FROM timeline"), 4);
}

static void add_old_sessions(struct fyke_tick *tick, uint32_t count, int64_t second)
{
	for (uint32_t i = 0; i < count; i++) {
		struct fyke_session *session = session_new(tick, (uint64_t)second * 10000 + i, 0);
		const struct fyke_value part[] = {value_integer(0), value_text("\x05")};

		session->start_ns = second * 1000000000;
		session->end_ns = session->start_ns + 1;
		session->end_reason = i == 0 ? FYKE_END_OPEN : FYKE_END_FIN;
		session_add_tcp(tick, session);
		session_set_history(session, FYKE_STATE_SF, "ShADadFf");
		session_add_record(tick, session, &fyke_table_session_frames, 0, part);
	}
	tick->time_ns = second * 1000000000;
	tick->flush = true;
}

static void test_prune_by_age(void **state)
{
	struct scene *scene = *state;
	struct fyke_writer_options options = {.path = scene->path, .live = true, .keep_us = 100 * 1000000};
	struct fyke_capture capture = capture_live();
	struct fyke_writer *writer = NULL;
	struct fyke_tick *tick = tick_new(0);
	struct fyke_session *session;

	add_old_sessions(tick, 50, 10);
	store(scene, tick, "aa"); /* of a file: stays */
	assert_int_equal(fyke_writer_open(&options, &capture, &writer, NULL), FYKE_OK);
	tick = tick_new(0);
	add_old_sessions(tick, 3000, 20);
	writer_take(writer, tick);
	tick = tick_new(1);
	session = session_new(tick, 9999999, 0);
	session->start_ns = session->end_ns = 200000000000;
	session->parent = (struct fyke_birth){200001, 0};
	tick->time_ns = 200000000000;
	tick->flush = true;
	writer_take(writer, tick);
	writer_done(writer, &capture);
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM sessions WHERE capture_id = 1"), 50);
	/* The one still open stays, and so does the young one, whose parent is gone. */
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM sessions WHERE capture_id = 2"), 2);
	assert_int_equal(
		ask_number(scene, "SELECT count(*) FROM tcp JOIN session_frames USING(session_id)"), 51);
	assert_int_equal(ask_number(scene, "SELECT count(parent_id) FROM sessions"), 0);
	assert_sound(scene);
}

static void test_prune_by_size(void **state)
{
	struct scene *scene = *state;
	struct fyke_writer_options options = {
		.path = scene->path, .live = true, .max_bytes = 4 * 1024 * 1024};
	struct fyke_capture capture = capture_live();
	struct fyke_writer *writer = NULL;
	struct fyke_writer_counters counters;

	assert_int_equal(fyke_writer_open(&options, &capture, &writer, NULL), FYKE_OK);
	for (uint64_t t = 0; t < 15; t++) {
		struct fyke_tick *tick = tick_new(t);

		add_old_sessions(tick, 3000, 20 + (int64_t)t);
		writer_take(writer, tick);
	}
	do {
		counters = fyke_writer_counters(writer);
	} while (counters.queued_ticks > 0 || counters.sessions < 45000);
	writer_done(writer, &capture);
	assert_true(ask_number(scene, "SELECT page_count * 16384 FROM pragma_page_count") <= 5 * 1024 * 1024);
	assert_true(ask_number(scene, "SELECT count(*) FROM sessions") > 3000);
	assert_int_equal(ask_number(scene, "SELECT max(start_us) FROM sessions"), 34000000);
	assert_true(ask_number(scene, "SELECT min(start_us) FROM sessions WHERE end_reason IS NOT NULL") >
		    25000000);
	assert_sound(scene);
}

static void test_queries_of_a_host_merge(void **state)
{
	static const char explained[] = "EXPLAIN QUERY PLAN SELECT * FROM sessions WHERE client_ip = ?1 "
					"UNION ALL SELECT * FROM sessions"
					" WHERE server_ip = ?1 AND client_ip IS NOT ?1 ORDER BY start_us";
	struct scene *scene = *state;
	struct fyke_tick *tick = tick_new(0);
	sqlite3_stmt *plan = NULL;
	sqlite3 *db = NULL;
	char all[2000] = "";
	size_t used = 0;

	add_old_sessions(tick, 2000, 20);
	tick->flush = false;
	store(scene, tick, "aa");
	assert_int_equal(sqlite3_open(scene->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, explained, -1, &plan, NULL), SQLITE_OK);
	while (sqlite3_step(plan) == SQLITE_ROW && used < sizeof(all))
		used += (size_t)snprintf(
			all + used, sizeof(all) - used, "%s\n", (const char *)sqlite3_column_text(plan, 3));
	sqlite3_finalize(plan);
	sqlite3_close(db);
	assert_string_equal(all,
		"MERGE (UNION ALL)\nLEFT\nSEARCH sessions USING INDEX sessions_client (client_ip=?)\n"
		"RIGHT\nSEARCH sessions USING INDEX sessions_server (server_ip=?)\n");
	assert_true(ask_number(scene, "SELECT count(*) FROM sqlite_stat1") > 5);
}

static void tell_neighbour(struct fyke_tick *tick, uint64_t frame, uint8_t mac_end, uint8_t taken_from)
{
	struct fyke_neighbour *told = fyke_arena_take(&tick->arena, sizeof(*told));

	*told = (struct fyke_neighbour){.ip = fyke_address_ipv4((const uint8_t[]){10, 0, 0, 2}),
		.mac = {0x02, 0, 0, 0, 0, mac_end},
		.vlan = 7,
		.first_ns = (int64_t)frame * 1000000,
		.last_ns = (int64_t)frame * 2000000,
		.first_frame = frame,
		.last_frame = frame * 2,
		.requests = 1,
		.replies = 2};
	if (taken_from != 0) {
		told->takeovers = 1;
		told->takeover_frame = frame;
		told->takeover_silence_ns = (int64_t)frame * 1000;
		told->taken_from[5] = taken_from;
	}
	tick->neighbours = told;
	tick->neighbour_count = 1;
}

/* What ticks tell of a station is added up; the address is the host's from then on. */
static void test_neighbours(void **state)
{
	struct fyke_capture capture = capture_live();
	struct fyke_writer *writer = writer_of(*state, &capture, true);
	struct fyke_tick *ticks[] = {tick_new(0), tick_new(1), tick_new(2), tick_new(3)};

	tcp_session(ticks[0], 1, 80, FYKE_STATE_SF, "ShADadFf");
	tell_neighbour(ticks[0], 3, 5, 0);
	tell_neighbour(ticks[1], 8, 5, 9);
	tell_neighbour(ticks[2], 10, 5, 8);
	tell_neighbour(ticks[3], 6, 6, 5);
	for (size_t i = 0; i < sizeof(ticks) / sizeof(ticks[0]); i++)
		writer_take(writer, ticks[i]);
	writer_done(writer, &capture);
	assert_string_equal(
		ask(*state,
			"SELECT network || ' ' || ip || ' ' || first_us || ' ' || last_us || ' ' || "
			"first_frame"
			" || ' ' || last_frame || ' ' || requests || ' ' || replies || ' ' || takeovers || ' "
			"' ||"
			" takeover_frame || ' ' || takeover_silence_us || ' ' || taken_from FROM neighbours"
			" WHERE mac LIKE '%:05'"),
		"vlan 7 10.0.0.2 3000 20000 3 20 3 6 2 8 8 00:00:00:00:00:09");
	assert_int_equal(ask_number(*state, "SELECT count(*) FROM neighbours"), 2);
	assert_string_equal(ask(*state, "SELECT mac FROM hosts WHERE ip = '10.0.0.2'"), "02:00:00:00:00:05");
	assert_sound(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ports_by_tcp, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_ports_by_udp_and_icmp, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_hosts_equal_sessions, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_hosts_more_than_memory, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_timeline_stays_bounded, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_timeline_far_times, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_neighbours, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_prune_by_age, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_prune_by_size, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_queries_of_a_host_merge, scene_setup, scene_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
