/* What the tests of storage/ share. */
#include "tests/unit/storage_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SESSIONS_MAX = 4096 };

int scene_setup(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	(void)snprintf(scene->directory, sizeof(scene->directory), "/tmp/fyke-storage-XXXXXX");
	assert_non_null(mkdtemp(scene->directory));
	(void)snprintf(scene->path, sizeof(scene->path), "%s/fyke.db", scene->directory);
	*state = scene;
	return 0;
}

int scene_teardown(void **state)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	struct scene *scene = *state;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char name[128];

		(void)snprintf(name, sizeof(name), "%s%s", scene->path, suffixes[i]);
		(void)unlink(name);
	}
	(void)rmdir(scene->directory);
	free(scene);
	return 0;
}

uint64_t random_next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void side_unknown(struct fyke_session_tcp_side *side)
{
	int64_t *member = (int64_t *)(void *)side;

	for (size_t i = 0; i < sizeof(*side) / sizeof(*member); i++)
		member[i] = FYKE_UNKNOWN;
}

struct fyke_session *session_new(struct fyke_tick *tick, uint64_t frame, uint32_t ordinal)
{
	struct fyke_session *session = fyke_arena_zero(&tick->arena, sizeof(*session));

	session->birth = (struct fyke_birth){frame, ordinal};
	session->last_frame = frame + 1;
	session->deciding_frame = frame + 1;
	session->ended = true;
	session->start_ns = (int64_t)frame * 1000000;
	session->end_ns = session->updated_ns = session->start_ns + 5000000;
	session->transport = "tcp";
	session->ip_protocol = 6;
	for (int i = 0; i < 2; i++) {
		session->side[i].port = i == FYKE_CLIENT ? 40000 : 80;
		session->side[i].packets = 1;
		session->side[i].bytes = 40;
		session->side[i].payload_bytes = 0;
		session->side[i].ttl = session->side[i].tcp_flags = FYKE_UNKNOWN;
	}
	session_set_ips(session, "10.0.0.1", "10.0.0.2");
	session->icmp_type = session->icmp_code = session->icmp_id = session->vlan = FYKE_UNKNOWN;
	session->tunnel_id = session->service_mismatch = FYKE_UNKNOWN;
	session->state = FYKE_STATE_OTH;
	session->end_reason = FYKE_END_TIMEOUT;
	tick->sessions[tick->session_count++] = session;
	return session;
}

struct fyke_session_tcp *session_add_tcp(struct fyke_tick *tick, struct fyke_session *session)
{
	struct fyke_session_tcp *tcp = fyke_arena_zero(&tick->arena, sizeof(*tcp));

	tcp->handshake_us = tcp->handshake_server_us = tcp->handshake_client_us = FYKE_UNKNOWN;
	side_unknown(&tcp->side[0]);
	side_unknown(&tcp->side[1]);
	session->tcp = tcp;
	return tcp;
}

void session_set_ips(struct fyke_session *session, const char *client, const char *server)
{
	assert_true(fyke_address_parse(client, &session->side[FYKE_CLIENT].ip));
	assert_true(fyke_address_parse(server, &session->side[FYKE_SERVER].ip));
}

void session_set_history(struct fyke_session *session, enum fyke_state state, const char *history)
{
	session->state = state;
	(void)snprintf(session->history, sizeof(session->history), "%s", history);
}

static void randomize_side(struct fyke_session_side *side, uint64_t *seed)
{
	bool v6 = random_next(seed) % 2 == 0;

	side->ip = (struct fyke_address){.family = v6 ? FYKE_ADDRESS_IPV6 : FYKE_ADDRESS_IPV4};
	for (int i = 0; i < (v6 ? 16 : 4); i++)
		side->ip.bytes[i] = (uint8_t)random_next(seed);
	side->port = random_next(seed) % 8 == 0 ? FYKE_UNKNOWN : (int64_t)(random_next(seed) & 0xffff);
	side->has_mac = random_next(seed) % 4 != 0;
	for (int i = 0; i < 6; i++)
		side->mac[i] = (uint8_t)random_next(seed);
	side->packets = (int64_t)(random_next(seed) >> 1);
	side->bytes = (int64_t)(random_next(seed) >> 20);
	side->payload_bytes = (int64_t)(random_next(seed) % 3) - 1;
	side->ttl = (int64_t)(random_next(seed) & 0xff);
	side->tcp_flags = random_next(seed) % 2 == 0 ? FYKE_UNKNOWN : (int64_t)(random_next(seed) & 0x1ff);
}

static const char *random_text(struct fyke_tick *tick, uint64_t *seed)
{
	char text[40];
	size_t length = random_next(seed) % sizeof(text);

	if (random_next(seed) % 4 == 0)
		return NULL;
	for (size_t i = 0; i < length; i++) {
		text[i] = (char)random_next(seed);
		if (text[i] == '\0')
			text[i] = '\'';
	}
	return fyke_arena_copy(&tick->arena, text, length);
}

static void randomize_tcp(struct fyke_tick *tick, struct fyke_session *session, uint64_t *seed)
{
	struct fyke_session_tcp *tcp = session_add_tcp(tick, session);
	int64_t *member = (int64_t *)(void *)tcp;

	for (size_t i = 0; i < sizeof(*tcp) / sizeof(*member); i++)
		member[i] = random_next(seed) % 4 == 0 ? FYKE_UNKNOWN : (int64_t)random_next(seed);
}

void session_randomize(struct fyke_tick *tick, struct fyke_session *session, uint64_t *seed)
{
	static const char *const transports[] = {"tcp", "udp", "icmp", "ip-253"};
	uint8_t *frames = fyke_arena_take(&tick->arena, 16);

	session->start_ns = (int64_t)random_next(seed) / 4;
	session->end_ns = session->start_ns + (int64_t)(random_next(seed) >> 20);
	session->updated_ns = session->end_ns;
	session->layer = (int64_t)(random_next(seed) % 8);
	session->transport = transports[random_next(seed) % 4];
	session->ip_protocol = (int64_t)(random_next(seed) & 0xff);
	randomize_side(&session->side[0], seed);
	randomize_side(&session->side[1], seed);
	session->icmp_type = (int64_t)(random_next(seed) & 0xff);
	session->icmp_id = (int64_t)(random_next(seed) & 0xffff);
	session->vlan = (int64_t)(random_next(seed) & 0xfff);
	session->tunnel = random_next(seed) % 2 == 0 ? NULL : "vxlan";
	session->tunnel_id = (int64_t)(random_next(seed) & 0xffffff);
	(void)snprintf(session->community_id, sizeof(session->community_id), "1:%016llx",
		(unsigned long long)random_next(seed));
	session->service = random_text(tick, seed);
	session->port_service = random_text(tick, seed);
	session->content_service = random_text(tick, seed);
	session->server_name = random_text(tick, seed);
	session->service_mismatch = (int64_t)(random_next(seed) % 2);
	session->roles_guessed = random_next(seed) % 2 == 0;
	session_set_history(session, (enum fyke_state)(random_next(seed) % FYKE_STATE_COUNT),
		random_next(seed) % 3 == 0 ? "" : "ShADadfF");
	session->end_reason = (enum fyke_end)(random_next(seed) % FYKE_END_COUNT);
	session->bad_checksums = (int64_t)(random_next(seed) % 100);
	for (int i = 0; i < 16; i++)
		frames[i] = (uint8_t)random_next(seed);
	session->frames = random_next(seed) % 3 == 0 ? NULL : frames;
	session->frames_length = 16;
	session->tcp = NULL;
	if (random_next(seed) % 2 == 0)
		randomize_tcp(tick, session, seed);
}

struct fyke_record *session_add_record(struct fyke_tick *tick, struct fyke_session *session,
	const struct fyke_table *table, uint32_t n, const struct fyke_value *values)
{
	struct fyke_record *record = fyke_arena_zero(&tick->arena, sizeof(*record));
	struct fyke_record *last = NULL;

	*record = (struct fyke_record){
		.table = table, .n = n, .frame = session->birth.frame + n, .time_ns = session->start_ns + n};
	record->values = (const struct fyke_value *)(void *)fyke_arena_copy(
		&tick->arena, values, table->field_count * sizeof(*values));
	if (session->records == NULL) {
		session->records = record;
		return record;
	}
	memcpy(&last, &session->records, sizeof(last));
	while (last->next != NULL)
		last = last->next;
	last->next = record;
	return record;
}

struct fyke_value value_integer(int64_t value)
{
	return (struct fyke_value){.kind = FYKE_VALUE_INTEGER, .integer = value};
}

struct fyke_value value_text(const char *text)
{
	return (struct fyke_value){.kind = FYKE_VALUE_BYTES, .length = (uint32_t)strlen(text), .bytes = text};
}

struct fyke_tick *tick_new(uint64_t number)
{
	struct fyke_tick *tick = fyke_tick_new();

	assert_non_null(tick);
	tick->number = number;
	tick->sessions = fyke_arena_zero(&tick->arena, SESSIONS_MAX * sizeof(struct fyke_session *));
	tick->timeline = fyke_arena_zero(&tick->arena, SESSIONS_MAX * sizeof(*tick->timeline));
	tick->frame_index = fyke_arena_zero(&tick->arena, 64 * sizeof(*tick->frame_index));
	return tick;
}

void tick_add_time(struct fyke_tick *tick, int64_t second, const char *service, uint64_t packets)
{
	tick->timeline[tick->timeline_count++] =
		(struct fyke_timeline_entry){second, service, packets, packets * 100};
}

struct fyke_capture capture_of(struct fyke_capture_file *files, size_t count, const char *const *fingerprints)
{
	for (size_t i = 0; i < count; i++) {
		files[i] = (struct fyke_capture_file){
			.name = "a.pcap", .format = "pcap", .bytes = 1000 + i, .first_frame = 1, .frames = 7};
		(void)snprintf(files[i].fingerprint, sizeof(files[i].fingerprint), "%s", fingerprints[i]);
	}
	return (struct fyke_capture){.name = "a.pcap",
		.options = "",
		.version = "0",
		.link_types = "Ethernet",
		.first_packet_us = 5,
		.last_packet_us = 9,
		.packets = 7,
		.bytes = 700,
		.kernel_drops = FYKE_UNKNOWN,
		.interface_drops = FYKE_UNKNOWN,
		.status = FYKE_CAPTURE_COMPLETE,
		.files = files,
		.file_count = count};
}

struct fyke_capture capture_live(void)
{
	return (struct fyke_capture){.is_interface = true,
		.name = "eth0",
		.options = "",
		.version = "0",
		.link_types = "Ethernet",
		.first_packet_us = FYKE_UNKNOWN,
		.last_packet_us = FYKE_UNKNOWN,
		.kernel_drops = 0,
		.interface_drops = 0,
		.status = FYKE_CAPTURE_COMPLETE};
}

struct fyke_writer *writer_of(const struct scene *scene, const struct fyke_capture *capture, bool live)
{
	struct fyke_writer_options options = {.path = scene->path, .live = live};
	struct fyke_writer *writer = NULL;
	struct fyke_error error = {.text = ""};

	if (fyke_writer_open(&options, capture, &writer, &error) != FYKE_OK)
		fail_msg("%s", error.text);
	return writer;
}

void writer_take(struct fyke_writer *writer, struct fyke_tick *tick)
{
	struct fyke_sink sink = fyke_writer_sink(writer);
	struct fyke_error error = {.text = ""};

	if (sink.take(sink.context, tick, &error) != FYKE_OK)
		fail_msg("%s", error.text);
}

int64_t writer_done(struct fyke_writer *writer, const struct fyke_capture *capture)
{
	struct fyke_error error = {.text = ""};
	int64_t id = 0;

	if (fyke_writer_finish(writer, capture, NULL, &id, &error) != FYKE_OK)
		fail_msg("%s", error.text);
	return id;
}

int64_t store(const struct scene *scene, struct fyke_tick *tick, const char *fingerprint)
{
	struct fyke_capture_file file;
	struct fyke_capture capture = capture_of(&file, 1, &fingerprint);
	struct fyke_writer *writer = writer_of(scene, &capture, false);

	writer_take(writer, tick);
	return writer_done(writer, &capture);
}

static sqlite3 *plain_connection(const struct scene *scene)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open_v2(scene->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	return db;
}

const char *ask(const struct scene *scene, const char *sql)
{
	static char answer[4096];
	sqlite3 *db = plain_connection(scene);
	sqlite3_stmt *statement = NULL;
	const char *text;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	if (sqlite3_step(statement) != SQLITE_ROW)
		fail_msg("%s: no row: %s", sql, sqlite3_errmsg(db));
	text = (const char *)sqlite3_column_text(statement, 0);
	(void)snprintf(answer, sizeof(answer), "%s", text == NULL ? "NULL" : text);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return answer;
}

int64_t ask_number(const struct scene *scene, const char *sql)
{
	return strtoll(ask(scene, sql), NULL, 10);
}

void run_sql(const struct scene *scene, const char *sql)
{
	sqlite3 *db = plain_connection(scene);
	char *message = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
	sqlite3_close(db);
}

void assert_sound(const struct scene *scene)
{
	assert_string_equal(ask(scene, "PRAGMA integrity_check"), "ok");
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}
