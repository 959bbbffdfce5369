/* What flows carry, through the engine: streams in order, receivers' policies, budgets, sessions that other
 * sessions announce. */
#include "analyzer/engine.h"
#include "analyzer/resolved.h"
#include "tests/unit/known_services.h"
#include "tests/unit/tcp_segments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_MAX = 64, ANNOUNCED_PORT = 2000, MANY_RECORDS = 2000 };

/* ---- a protocol that says what it heard ---- */

static const struct fyke_field heard_fields[] = {
	{"side", FYKE_TYPE_INTEGER, ""},
	{"text", FYKE_TYPE_TEXT, ""},
	{"lost", FYKE_TYPE_INTEGER, ""},
	{"by", FYKE_TYPE_SESSION, ""},
};
static const struct fyke_table heard = {"heard", "", heard_fields, 4};

static void say(
	struct fyke_dissection *dissection, enum fyke_side side, struct fyke_value text, uint64_t lost)
{
	const struct fyke_value values[4] = {
		fyke_integer(side), text, fyke_integer((int64_t)lost), fyke_expected_by(dissection)};

	fyke_record(dissection, &heard, values);
}

static enum fyke_match heard_probe(const struct fyke_opening *opening)
{
	(void)opening;
	return FYKE_YES;
}

/* "announce" expects a session, "name" names the client, "many" says much, "enough" is done. */
static struct fyke_verdict heard_feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	const struct fyke_expectation expectation = {.transport = FYKE_OVER_TCP,
		.ip = *fyke_address_of(dissection, FYKE_SERVER),
		.port = ANNOUNCED_PORT,
		.dissector = "heard",
		.note = "noted",
		.note_length = 5};
	size_t length;

	if (input->length == 0)
		return fyke_more(0);
	say(dissection, input->side,
		fyke_bytes(input->data, input->length < TEXT_MAX ? input->length : TEXT_MAX), 0);
	if (fyke_expected_note(dissection, &length) != NULL)
		say(dissection, input->side, fyke_bytes(fyke_expected_note(dissection, &length), length), 0);
	if (memcmp(input->data, "announce", input->length < 8 ? input->length : 8) == 0)
		fyke_expect(dissection, &expectation);
	if (input->data[0] == 'n')
		fyke_host_says(dissection, fyke_address_of(dissection, FYKE_SERVER), FYKE_HOST_NAME,
			"Server.Example", 14, "dns");
	for (int i = 0; input->data[0] == 'm' && i < MANY_RECORDS; i++)
		say(dissection, input->side, fyke_word("one of many"), 0);
	return input->data[0] == 'e' ? fyke_done() : fyke_more(input->length);
}

static struct fyke_verdict heard_gap(
	struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost)
{
	say(dissection, input->side, fyke_null(), lost);
	return fyke_more(0);
}

static const struct fyke_dissector dissector = {.name = "heard",
	.transports = FYKE_OVER_TCP | FYKE_OVER_UDP,
	.anywhere = true,
	.probe = heard_probe,
	.feed = heard_feed,
	.gap = heard_gap};
static const struct fyke_dissector *const dissectors[] = {&dissector, NULL};

/* ---- the world around it ---- */

struct world {
	struct fyke_engine *engine;
	struct fyke_tick *tick;
	uint64_t frame;
};

static struct world new_world(struct fyke_engine_options options)
{
	struct world world = {.tick = fyke_tick_new()};

	options.services = services;
	options.dissectors = dissectors;
	assert_non_null(world.tick);
	assert_int_equal(fyke_engine_new(&options, &world.engine, NULL), FYKE_OK);
	return world;
}

static void end_world(struct world *world)
{
	fyke_engine_free(world->engine);
	fyke_tick_free(world->tick);
}

static void feed(struct world *world, struct fyke_packet packet)
{
	packet.frame = ++world->frame;
	assert_int_equal(fyke_engine_take(world->engine, &packet, &packet.time_ns, 1, NULL), FYKE_OK);
}

static void send_to(struct world *world, char from, uint16_t server_port, uint32_t sequence, const char *text)
{
	const struct segment_spec spec = {.from = from,
		.flags = "A",
		.sequence = sequence,
		.acknowledgment = 1,
		.length = (uint32_t)strlen(text)};
	struct fyke_packet packet = segment_packet(&spec, 0);

	if (from == 'c')
		packet.destination_port = server_port;
	else
		packet.source_port = server_port;
	packet.payload = (const uint8_t *)text;
	feed(world, packet);
}

static void open_to(struct world *world, uint16_t server_port)
{
	static const struct segment_spec handshake[] = {
		{'c', "S", 0, 0, 0, 0, 0}, {'s', "SA", 0, 1, 0, 0, 0}, {'c', "A", 1, 1, 0, 0, 0}};

	for (size_t i = 0; i < 3; i++) {
		struct fyke_packet packet = segment_packet(&handshake[i], 0);

		if (i == 1)
			packet.source_port = server_port;
		else
			packet.destination_port = server_port;
		feed(world, packet);
	}
}

static void finish(struct world *world, size_t sessions)
{
	assert_int_equal(fyke_engine_end(world->engine, world->tick, NULL), FYKE_OK);
	assert_int_equal(world->tick->session_count, sessions);
}

/* The texts and losses that a session heard, joined by "|". */
static const char *heard_by(const struct fyke_session *session, char *text, size_t room)
{
	size_t used = 0;

	text[0] = '\0';
	for (const struct fyke_record *record = session->records; record != NULL; record = record->next) {
		const struct fyke_value *values = record->values;

		if (record->table != &heard)
			continue;
		if (values[1].kind == FYKE_VALUE_BYTES)
			used += (size_t)snprintf(text + used, room - used, "%s%.*s", used > 0 ? "|" : "",
				(int)values[1].length, values[1].bytes);
		else
			used += (size_t)snprintf(text + used, room - used, "%slost %lld", used > 0 ? "|" : "",
				(long long)values[2].integer);
	}
	return text;
}

static void test_engine_talk_puts_streams_in_order(void **state)
{
	struct world world = new_world((struct fyke_engine_options){0});
	struct fyke_engine_counters counters;
	char text[256];

	(void)state;
	open_to(&world, 80);
	send_to(&world, 'c', 80, 1, "one ");
	send_to(&world, 'c', 80, 9, "three");
	send_to(&world, 'c', 80, 5, "two ");
	send_to(&world, 'c', 80, 5, "two ");
	finish(&world, 1);
	assert_string_equal(heard_by(world.tick->sessions[0], text, sizeof(text)), "one |two |three");
	assert_string_equal(world.tick->sessions[0]->content_service, "heard");
	assert_string_equal(world.tick->sessions[0]->service, "heard");
	assert_int_equal(world.tick->sessions[0]->service_mismatch, 1); /* port 80 is for http */
	counters = fyke_engine_counters(world.engine);
	assert_int_equal(counters.fed_bytes, 17);
	assert_int_equal(counters.delivered_bytes + counters.duplicate_bytes, counters.fed_bytes);
	end_world(&world);
}

static void test_engine_talk_ends_when_done(void **state)
{
	struct world world = new_world((struct fyke_engine_options){0});
	uint64_t before;
	char text[256];

	(void)state;
	open_to(&world, 80);
	before = fyke_engine_counters(world.engine).memory;
	send_to(&world, 'c', 80, 1, "one ");
	assert_true(fyke_engine_counters(world.engine).memory > before + 200);
	send_to(&world, 'c', 80, 5, "enough");
	send_to(&world, 'c', 80, 11, "not heard");
	finish(&world, 1);
	assert_string_equal(heard_by(world.tick->sessions[0], text, sizeof(text)), "one |enough");
	assert_int_equal(fyke_engine_counters(world.engine).fed_bytes, 10);
	end_world(&world);
}

/* Segments disagree about the same bytes while an earlier hole is open. */
static const char *disagree(const struct fyke_receivers *receivers, char *text, size_t room)
{
	struct world world = new_world((struct fyke_engine_options){.receivers = *receivers});

	open_to(&world, 80);
	send_to(&world, 'c', 80, 5, "old!");
	send_to(&world, 'c', 80, 5, "new!....");
	send_to(&world, 'c', 80, 1, "abcd");
	finish(&world, 1);
	(void)heard_by(world.tick->sessions[0], text, room);
	end_world(&world);
	return text;
}

static void test_engine_talk_follows_the_receivers_policy(void **state)
{
	struct fyke_receiver_rule rules[2];
	bool otherwise;
	char text[256];

	(void)state;
	assert_true(fyke_receiver_parse("10.0.0.0/8=first", &rules[0], &otherwise));
	assert_false(otherwise);
	assert_true(fyke_receiver_parse("10.0.0.2=last", &rules[1], &otherwise));
	assert_non_null(
		strstr(disagree(&(struct fyke_receivers){FYKE_POLICY_LAST, rules, 0}, text, 256), "new!"));
	assert_non_null(
		strstr(disagree(&(struct fyke_receivers){FYKE_POLICY_LAST, rules, 1}, text, 256), "old!"));
	assert_non_null(
		strstr(disagree(&(struct fyke_receivers){FYKE_POLICY_BSD, rules, 2}, text, 256), "new!"));
}

static void test_engine_talk_policies_are_parsed(void **state)
{
	static const char *const wrong[] = {"", "lnux", "10.0.0.0/33=first", "10.0.0.0/=first",
		"10.0.0.0/8=", "10.0.0.0/8", "=first", "2001:db8::/129=last", "10.0.0.0/8x=first",
		"10.0.0.0/-1=first"};
	struct fyke_receiver_rule rule;
	bool otherwise;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(fyke_receiver_parse(wrong[i], &rule, &otherwise));
	assert_true(fyke_receiver_parse("2001:db8::/32=solaris", &rule, &otherwise));
	assert_int_equal(rule.prefix, 32);
	assert_int_equal(rule.policy, FYKE_POLICY_SOLARIS);
	assert_true(fyke_receiver_parse("bsd", &rule, &otherwise));
	assert_true(otherwise);
}

/* A session that waits for much stays within the budget, and says what it lost. */
static void test_engine_talk_keeps_within_memory(void **state)
{
	enum { SESSIONS = 10000, SEGMENT = 32 * 1024, SEGMENTS = 32, MEMORY = 96 << 20 };
	struct world world = new_world((struct fyke_engine_options){.memory = MEMORY});
	uint8_t *bytes = calloc(1, SEGMENT);
	size_t told = 0, evicted = 0;
	uint64_t most = 0;

	(void)state;
	assert_non_null(bytes);
	for (uint32_t i = 0; i < SESSIONS; i++) {
		for (uint32_t j = 0; j <= SEGMENTS; j++) {
			const struct segment_spec spec = {.from = 'c',
				.flags = j == 0 ? "S" : "A",
				.sequence = j == 0 ? 0 : 2 + (j - 1) * SEGMENT, /* byte 1 never comes */
				.acknowledgment = j == 0 ? 0 : 1,
				.length = j == 0 ? 0 : SEGMENT};
			struct fyke_packet packet = segment_packet(&spec, 0);

			packet.source.bytes[1] = (uint8_t)(i >> 8);
			packet.source.bytes[2] = (uint8_t)i;
			packet.payload = bytes;
			feed(&world, packet);
		}
		if (fyke_engine_counters(world.engine).memory > most)
			most = fyke_engine_counters(world.engine).memory;
	}
	assert_true(most <= MEMORY);
	assert_int_equal(fyke_engine_end(world.engine, world.tick, NULL), FYKE_OK);
	assert_int_equal(world.tick->session_count, SESSIONS);
	for (size_t i = 0; i < SESSIONS; i++) {
		const struct fyke_session *session = world.tick->sessions[i];
		bool gap = false;

		for (const struct fyke_record *record = session->records; record != NULL;
			record = record->next)
			gap |= record->table == &fyke_table_tcp_events && record->values[1].length == 13 &&
			       memcmp(record->values[1].bytes, "not_assembled", 13) == 0;
		told += gap && strchr(session->history, 'X') != NULL;
		evicted += session->end_reason == FYKE_END_EVICTED;
	}
	/* 24 MiB for waiting bytes: the last few sessions' fit, every other one says that its did not */
	assert_true(told + evicted >= SESSIONS - (MEMORY / 4) / (SEGMENT * SEGMENTS) - 1);
	assert_true(told > SESSIONS / 2);
	free(bytes);
	end_world(&world);
}

static void test_engine_talk_waiting_for_nothing_holds_no_pages(void **state)
{
	struct world world = new_world((struct fyke_engine_options){0});
	uint64_t held;

	(void)state;
	open_to(&world, 80);
	send_to(&world, 'c', 80, 1, "one ");
	held = fyke_engine_counters(world.engine).memory;
	send_to(&world, 'c', 80, 9, "three");
	assert_true(fyke_engine_counters(world.engine).memory >= held + 2048);
	send_to(&world, 'c', 80, 5, "two ");
	assert_true(fyke_engine_counters(world.engine).memory < held + 2048);
	end_world(&world);
}

static void test_engine_talk_meets_what_was_announced(void **state)
{
	struct world world = new_world((struct fyke_engine_options){0});
	const struct fyke_session *control, *data;
	char text[256];

	(void)state;
	open_to(&world, 21);
	send_to(&world, 'c', 21, 1, "announce");
	open_to(&world, ANNOUNCED_PORT);
	send_to(&world, 's', ANNOUNCED_PORT, 1, "data");
	finish(&world, 2);
	control = world.tick->sessions[0];
	data = world.tick->sessions[1];
	assert_string_equal(heard_by(control, text, sizeof(text)), "announce");
	assert_string_equal(heard_by(data, text, sizeof(text)), "data|noted");
	assert_int_equal(data->records->values[3].kind, FYKE_VALUE_SESSION);
	assert_int_equal(data->records->values[3].integer, (int64_t)control->birth.frame);
	end_world(&world);
}

static void test_engine_talk_names_servers_by_answers(void **state)
{
	struct world world = new_world((struct fyke_engine_options){0});
	struct fyke_resolved resolved = {0};
	struct fyke_tick *before = fyke_tick_new();

	(void)state;
	open_to(&world, 80);
	send_to(&world, 'c', 80, 1, "name");
	open_to(&world, 81);
	assert_int_equal(fyke_engine_tick(world.engine, 0, FYKE_TICK_LAST, before, NULL), FYKE_OK);
	assert_true(fyke_resolved_take(&resolved, before));
	fyke_tick_free(before);
	finish(&world, 2);
	assert_true(fyke_resolved_take(&resolved, world.tick));
	fyke_resolved_release(&resolved);
	assert_null(world.tick->sessions[0]->server_name); /* it was not known when that one began */
	assert_string_equal(world.tick->sessions[1]->server_name, "server.example");
	end_world(&world);
}

static void test_engine_talk_hands_many_records_over_early(void **state)
{
	struct world world = new_world((struct fyke_engine_options){0});
	const struct fyke_record *record;
	size_t count = 0;

	(void)state;
	open_to(&world, 80);
	send_to(&world, 'c', 80, 1, "many");
	assert_int_equal(fyke_engine_tick(world.engine, 0, FYKE_TICK_PLAIN, world.tick, NULL), FYKE_OK);
	assert_int_equal(world.tick->session_count, 1);
	assert_int_equal(world.tick->sessions[0]->end_reason, FYKE_END_OPEN);
	for (record = world.tick->sessions[0]->records; record != NULL; record = record->next)
		count += record->table == &heard;
	assert_int_equal(count, MANY_RECORDS + 1);
	end_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_engine_talk_puts_streams_in_order),
		cmocka_unit_test(test_engine_talk_ends_when_done),
		cmocka_unit_test(test_engine_talk_follows_the_receivers_policy),
		cmocka_unit_test(test_engine_talk_policies_are_parsed),
		cmocka_unit_test(test_engine_talk_keeps_within_memory),
		cmocka_unit_test(test_engine_talk_waiting_for_nothing_holds_no_pages),
		cmocka_unit_test(test_engine_talk_meets_what_was_announced),
		cmocka_unit_test(test_engine_talk_names_servers_by_answers),
		cmocka_unit_test(test_engine_talk_hands_many_records_over_early),
	};

	return cmocka_run_group_tests(tests, services_setup, services_teardown);
}
