/* Folded sessions: what goes into a block comes out, damaged blocks end, and the database tells all of them.
 */
#include "storage/fold.h"
#include "storage/folded.h"
#include "storage/functions.h"
#include "storage/prune.h"
#include "tests/unit/storage_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VARINT = 10 };

static void set_frames(struct fyke_tick *tick, struct fyke_session *session, uint64_t *seed)
{
	uint8_t bytes[8 * VARINT];
	uint32_t length = 0;
	uint64_t frame = session->birth.frame;

	bytes[length++] = (uint8_t)(frame | 0x80);
	bytes[length++] = (uint8_t)(frame >> 7 | 0x80);
	bytes[length++] = (uint8_t)(frame >> 14);
	for (uint64_t i = random_next(seed) % 4; i > 0; i--) {
		bytes[length] = (uint8_t)(1 + random_next(seed) % 100);
		frame += bytes[length++];
	}
	session->last_frame = frame;
	session->frames = (const uint8_t *)fyke_arena_copy(&tick->arena, bytes, length);
	session->frames_length = length;
}

static void set_side(struct fyke_session_side *side, bool spoke, uint64_t *seed)
{
	side->packets = spoke ? 1 + (int64_t)(random_next(seed) % 3) : 0;
	side->bytes = spoke ? (int64_t)(random_next(seed) % 3 * 20) + 40 : 0;
	side->ttl = spoke ? (int64_t)(random_next(seed) % 256) : FYKE_UNKNOWN;
	side->tcp_flags = spoke ? 2 : 0;
	side->has_mac = spoke && random_next(seed) % 4 != 0;
	for (int i = 0; side->has_mac && i < 6; i++)
		side->mac[i] = (uint8_t)(random_next(seed) % 2);
	side->port = (int64_t)(random_next(seed) % 4 == 0 ? random_next(seed) & 0xffff : 80);
}

/* A half-open session as any scan might leave it. */
static struct fyke_session *half_open(struct fyke_tick *tick, uint64_t frame, bool six, uint64_t *seed)
{
	static const char *const services[] = {NULL, "http", "ssh"};
	struct fyke_session *session =
		session_new(tick, 1 + frame % 2000000, (uint32_t)(random_next(seed) % 9 / 8));
	bool refused = random_next(seed) % 3 == 0;

	set_side(&session->side[FYKE_CLIENT], true, seed);
	set_side(&session->side[FYKE_SERVER], refused, seed);
	for (int i = 0; i < 2; i++) {
		struct fyke_address *ip = &session->side[i].ip;

		*ip = (struct fyke_address){.family = six ? FYKE_ADDRESS_IPV6 : FYKE_ADDRESS_IPV4};
		for (int k = 0; k < (six ? 16 : 4); k++)
			ip->bytes[k] = (uint8_t)(random_next(seed) % 8 == 0 ? random_next(seed) : 7);
	}
	session->start_ns = (int64_t)(random_next(seed) % 1000000) * 1000 - 100000000;
	session->end_ns = session->start_ns + (int64_t)(random_next(seed) % 3) * 1000;
	session->updated_ns = (int64_t)(random_next(seed) % 5) * 60000000000;
	session->vlan = random_next(seed) % 4 == 0 ? 12 : FYKE_UNKNOWN;
	session->end_reason = random_next(seed) % 2 == 0 ? FYKE_END_TIMEOUT : FYKE_END_EVICTED;
	session->service = session->port_service = services[random_next(seed) % 3];
	session_set_history(session, refused ? FYKE_STATE_REJ : FYKE_STATE_S0, refused ? "Sr" : "S");
	set_frames(tick, session, seed);
	return session;
}

static void assert_same(const struct fyke_session *a, const struct fyke_session *b)
{
	struct fyke_session x = *a, y = *b;

	assert_int_equal(a->frames_length, b->frames_length);
	assert_memory_equal(a->frames, b->frames, a->frames_length);
	assert_string_equal(a->service == NULL ? "" : a->service, b->service == NULL ? "" : b->service);
	assert_string_equal(a->transport, b->transport);
	for (int i = 0; i < 2; i++)
		assert_memory_equal(&a->side[i], &b->side[i], sizeof(a->side[i]));
	assert_memory_equal(a->history, b->history, sizeof(a->history));
	x.frames = y.frames = NULL;
	x.service = y.service = x.port_service = y.port_service = x.transport = y.transport = NULL;
	x.deciding_frame = y.deciding_frame; /* of the order of writing alone */
	memset(x.history, 0, sizeof(x.history));
	memset(y.history, 0, sizeof(y.history));
	assert_memory_equal(&x, &y, sizeof(x));
}

/* Fills blocks with the sessions and reads each again when it is full. */
static void check_blocks(struct fyke_tick *tick, uint8_t family)
{
	struct fyke_fold_writer *writer = calloc(1, sizeof(*writer));
	struct fyke_fold_reader *reader = calloc(1, sizeof(*reader));
	uint8_t *bytes = malloc(FYKE_FOLD_BYTES_MAX), frames[2 * VARINT];
	size_t first = 0, blocks = 0;

	fyke_fold_writer_start(writer, bytes, family);
	for (size_t i = 0; i <= tick->session_count; i++) {
		struct fyke_folded folded;
		struct fyke_session back;

		if (i < tick->session_count)
			assert_true(fyke_folded_of(tick->sessions[i], &folded));
		if (i < tick->session_count && fyke_fold_writer_add(writer, &folded))
			continue;
		assert_true(writer->length <= FYKE_FOLD_BYTES_MAX);
		fyke_fold_reader_start(reader, bytes, writer->length);
		for (; first < i; first++) {
			assert_true(fyke_fold_reader_next(reader));
			fyke_folded_session(&reader->row, frames, &back);
			assert_same(tick->sessions[first], &back);
		}
		assert_false(fyke_fold_reader_next(reader));
		fyke_fold_writer_start(writer, bytes, family);
		blocks++;
		if (i < tick->session_count)
			assert_true(fyke_fold_writer_add(writer, &folded));
	}
	assert_true(blocks > 1);
	free(bytes);
	free(reader);
	free(writer);
}

static void test_fold_gives_back_what_it_took(void **state)
{
	(void)state;
	for (int six = 0; six < 2; six++) {
		struct fyke_tick *tick = tick_new(0);
		uint64_t seed = 5 + (uint64_t)six;

		for (uint64_t i = 0; i < 4000; i++)
			(void)half_open(tick, i * 3, six != 0, &seed);
		check_blocks(tick, six != 0 ? FYKE_ADDRESS_IPV6 : FYKE_ADDRESS_IPV4);
		fyke_tick_free(tick);
	}
}

static void test_fold_leaves_out_what_has_more_to_tell(void **state)
{
	struct fyke_tick *tick = tick_new(0);
	uint64_t seed = 1;
	struct fyke_session *good = half_open(tick, 5, false, &seed), session;
	struct fyke_folded folded;

	(void)state;
	assert_true(fyke_folded_of(good, &folded));
#define LEFT_OUT(member, value)                                                                              \
	do {                                                                                                 \
		session = *good;                                                                             \
		session.member = value;                                                                      \
		assert_false(fyke_folded_of(&session, &folded));                                             \
	} while (0)
	LEFT_OUT(state, FYKE_STATE_SF);
	LEFT_OUT(ip_protocol, 17);
	LEFT_OUT(roles_guessed, true);
	LEFT_OUT(layer, 1);
	LEFT_OUT(tunnel, "gre");
	LEFT_OUT(parent.frame, 3);
	LEFT_OUT(quoted.frame, 3);
	LEFT_OUT(server_name, "example.test");
	LEFT_OUT(content_service, "http");
	LEFT_OUT(bad_checksums, 1);
	LEFT_OUT(frames, NULL);
	LEFT_OUT(side[FYKE_CLIENT].packets, 5);
	LEFT_OUT(side[FYKE_CLIENT].payload_bytes, 1);
	LEFT_OUT(side[FYKE_SERVER].packets, 256);
	LEFT_OUT(side[FYKE_SERVER].port, FYKE_UNKNOWN);
	LEFT_OUT(side[FYKE_SERVER].ip.family, FYKE_ADDRESS_IPV6);
#undef LEFT_OUT
	fyke_tick_free(tick);
}

/* Bytes changed, cut off and made up: whatever is read, reading ends and keeps within the block. */
static void test_fold_reads_damaged_blocks(void **state)
{
	struct fyke_fold_writer *writer = calloc(1, sizeof(*writer));
	struct fyke_fold_reader *reader = calloc(1, sizeof(*reader));
	uint8_t *bytes = malloc(FYKE_FOLD_BYTES_MAX), frames[2 * VARINT];
	struct fyke_tick *tick = tick_new(0);
	uint64_t seed = 9;

	(void)state;
	fyke_fold_writer_start(writer, bytes, FYKE_ADDRESS_IPV4);
	for (uint64_t i = 0; i < 60; i++) {
		struct fyke_folded folded;

		assert_true(fyke_folded_of(half_open(tick, i, false, &seed), &folded));
		assert_true(fyke_fold_writer_add(writer, &folded));
	}
	for (int round = 0; round < 20000; round++) {
		size_t length = random_next(&seed) % (writer->length + 1);
		uint8_t *copy = malloc(length + 1);
		struct fyke_session back;
		size_t rows = 0;

		memcpy(copy, bytes, length);
		for (uint64_t i = random_next(&seed) % 6; i > 0 && length > 2; i--)
			copy[random_next(&seed) % length] = (uint8_t)random_next(&seed);
		copy = realloc(copy, length == 0 ? 1 : length);
		fyke_fold_reader_start(reader, copy, length);
		while (fyke_fold_reader_next(reader)) {
			fyke_folded_session(&reader->row, frames, &back);
			rows++;
		}
		assert_true(rows <= length);
		free(copy);
	}
	fyke_tick_free(tick);
	free(bytes);
	free(reader);
	free(writer);
}

static struct fyke_tick *scan(uint64_t first, size_t count, const char *client)
{
	struct fyke_tick *tick = tick_new(first / 4096);
	uint64_t seed = first + 1;

	for (size_t i = 0; i < count; i++) {
		struct fyke_session *session = half_open(tick, first + i, false, &seed);

		session->birth.ordinal = 0;
		assert_true(fyke_address_parse(client, &session->side[FYKE_CLIENT].ip));
	}
	return tick;
}

static sqlite3 *reading(const struct scene *scene, struct fyke_database **database)
{
	struct fyke_error error;

	assert_int_equal(fyke_database_open(scene->path, FYKE_DATABASE_READ, database, &error), FYKE_OK);
	return fyke_database_handle(*database);
}

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	int64_t value;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return value;
}

/* The first thousand of a client have rows, the others are sessions all the same. */
static void test_fold_keeps_every_session(void **state)
{
	const struct scene *scene = *state;
	struct fyke_database *database;
	struct fyke_capture_file file;
	const char *const fingerprints[] = {"f", NULL};
	struct fyke_capture capture = capture_of(&file, 1, fingerprints);
	struct fyke_writer *writer = writer_of(scene, &capture, false);
	sqlite3 *db;

	writer_take(writer, scan(0, 1500, "192.0.2.1"));
	writer_take(writer, scan(1500, 900, "192.0.2.2"));
	writer_take(writer, scan(2400, 600, "192.0.2.1"));
	writer_done(writer, &capture);
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM sessions"), 1900);
	assert_int_equal(ask_number(scene, "SELECT sum(sessions) FROM folded_sessions"), 1100);
	assert_int_equal(ask_number(scene,
				 "SELECT sum(unanswered + refused) FROM scans WHERE client_ip = '192.0.2.1'"),
		1100);
	assert_int_equal(ask_number(scene, "SELECT sessions FROM hosts WHERE ip = '192.0.2.1'"), 2100);
	assert_sound(scene);
	db = reading(scene, &database);
	assert_int_equal(number(db, "SELECT count(*) FROM fyke_folded"), 1100);
	assert_int_equal(number(db, "SELECT count(DISTINCT id) FROM " FYKE_ALL_SESSIONS), 3000);
	assert_int_equal(number(db, "SELECT count(*) FROM fyke_folded WHERE client_ip = '192.0.2.2'"), 0);
	assert_int_equal(number(db, "SELECT count(*) FROM fyke_folded WHERE client_ip = 'nobody'"), 0);
	assert_int_equal(
		number(db, "SELECT count(*) FROM fyke_folded AS a JOIN fyke_folded AS b ON b.id = a.id"
			   " WHERE a.first_frame = b.first_frame"),
		1100);
	assert_int_equal(number(db, "SELECT count(*) FROM fyke_folded WHERE community_id LIKE '1:%='"), 1100);
	assert_int_equal(number(db, "SELECT (SELECT count(*) FROM fyke_folded WHERE server_port = 80)"
				    " - (SELECT sum(server_port = 80) FROM fyke_folded)"),
		0);
	fyke_database_close(database);
}

static void test_fold_live_waits_for_the_end(void **state)
{
	const struct scene *scene = *state;
	struct fyke_capture capture = capture_live();
	struct fyke_writer *writer = writer_of(scene, &capture, true);
	struct fyke_tick *tick = scan(0, 1200, "192.0.2.1"), *later = scan(0, 1200, "192.0.2.1");

	for (size_t i = 0; i < tick->session_count; i++) {
		tick->sessions[i]->ended = false;
		tick->sessions[i]->end_reason = FYKE_END_OPEN;
		later->sessions[i]->stored_before = true;
	}
	later->number = 1;
	tick->flush = later->flush = true;
	writer_take(writer, tick);
	writer_take(writer, later);
	writer_done(writer, &capture);
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM sessions"), 1000);
	assert_int_equal(ask_number(scene, "SELECT sum(sessions) FROM folded_sessions"), 200);
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM sessions WHERE end_reason IS NULL"), 0);
	assert_int_equal(ask_number(scene, "SELECT sessions FROM hosts WHERE ip = '192.0.2.1'"), 1200);
	assert_sound(scene);
}

static void test_fold_goes_with_its_time(void **state)
{
	const struct scene *scene = *state;
	struct fyke_capture capture = capture_live();
	struct fyke_writer *writer = writer_of(scene, &capture, true);
	struct fyke_database *database;
	struct fyke_error error;
	uint64_t deleted = 0;

	writer_take(writer, scan(0, 3000, "192.0.2.1"));
	writer_done(writer, &capture);
	assert_int_equal(fyke_database_open(scene->path, FYKE_DATABASE_WRITE, &database, &error), FYKE_OK);
	assert_int_equal(
		fyke_prune_older(fyke_database_handle(database), INT64_MAX, &deleted, &error), FYKE_OK);
	fyke_database_close(database);
	assert_int_equal(deleted, 3000);
	assert_int_equal(
		ask_number(scene,
			"SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM folded_sessions)"),
		0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fold_gives_back_what_it_took),
		cmocka_unit_test(test_fold_leaves_out_what_has_more_to_tell),
		cmocka_unit_test(test_fold_reads_damaged_blocks),
		cmocka_unit_test_setup_teardown(test_fold_keeps_every_session, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_fold_live_waits_for_the_end, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_fold_goes_with_its_time, scene_setup, scene_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
