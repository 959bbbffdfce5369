/* Rules on two threads find what they find on one, in the same order. */
#include "findings/findings.h"

#include "tests/unit/storage_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { TICKS = 3, SESSIONS = 4000 };

/* Scans of hosts and ports, and a few services that answer. */
static void add_session(struct fyke_tick *tick, unsigned number)
{
	struct fyke_session *session = session_new(tick, number + 1, 0);
	char client[24], server[24];

	(void)snprintf(client, sizeof(client), "10.0.0.%u", number % 7 + 1);
	(void)snprintf(server, sizeof(server), "192.0.2.%u", number % 50 + 1);
	session_set_ips(session, client, server);
	session->side[FYKE_SERVER].port = number % 3 == 0 ? 23 : number % 60000 + 1;
	session->side[FYKE_SERVER].packets = number % 5 == 0;
	session->service = "telnet";
	session->side[FYKE_CLIENT].ttl = number % 2 == 0 ? 64 : 128;
	session_set_history(
		session, number % 5 == 0 ? FYKE_STATE_SF : FYKE_STATE_S0, number % 5 == 0 ? "ShAaFf" : "S");
}

static void write_all(const struct scene *scene)
{
	struct fyke_capture_file file;
	const char *const fingerprint = "1";
	struct fyke_capture capture = capture_of(&file, 1, &fingerprint);
	struct fyke_writer_options options = {.path = scene->path, .no_fold = true};
	struct fyke_writer *writer;
	struct fyke_error error;

	assert_int_equal(fyke_writer_open(&options, &capture, &writer, &error), FYKE_OK);
	for (unsigned t = 0; t < TICKS; t++) {
		struct fyke_tick *tick = tick_new(t);

		for (unsigned i = 0; i < SESSIONS; i++)
			add_session(tick, t * SESSIONS + i);
		writer_take(writer, tick);
	}
	(void)writer_done(writer, &capture);
}

static void find(const struct scene *scene, const struct fyke_rules *rules, unsigned threads,
	struct fyke_findings *findings)
{
	struct fyke_database *database;
	struct fyke_findings_stage *stage;
	struct fyke_error error;

	assert_int_equal(fyke_database_open(scene->path, FYKE_DATABASE_READ, &database, &error), FYKE_OK);
	assert_int_equal(fyke_findings_stage_new(database, 1, &stage, &error), FYKE_OK);
	assert_int_equal(fyke_findings_stage_run(stage, rules, threads, findings, &error), FYKE_OK);
	fyke_findings_stage_free(stage);
	fyke_database_close(database);
}

static void test_findings_on_two_threads(void **state)
{
	struct fyke_rules rules;
	struct fyke_findings one, two;
	struct fyke_error error;

	write_all(*state);
	assert_int_equal(fyke_rules_load(NULL, &rules, &error), FYKE_OK);
	find(*state, &rules, 1, &one);
	find(*state, &rules, 2, &two);
	assert_true(one.count > 5);
	assert_int_equal(one.count, two.count);
	assert_int_equal(one.outcome_count, rules.count);
	assert_int_equal(two.outcome_count, rules.count);
	for (size_t i = 0; i < one.count; i++) {
		assert_ptr_equal(one.list[i].rule, two.list[i].rule);
		assert_string_equal(one.list[i].subject, two.list[i].subject);
		assert_string_equal(one.list[i].evidence, two.list[i].evidence);
		assert_int_equal(one.list[i].session_id, two.list[i].session_id);
	}
	for (size_t i = 0; i < rules.count; i++) {
		assert_ptr_equal(two.outcomes[i].rule, &rules.list[i]);
		assert_int_equal(one.outcomes[i].end, two.outcomes[i].end);
		assert_int_equal(one.outcomes[i].found, two.outcomes[i].found);
	}
	fyke_findings_release(&one);
	fyke_findings_release(&two);
	fyke_rules_release(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_findings_on_two_threads, scene_setup, scene_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
