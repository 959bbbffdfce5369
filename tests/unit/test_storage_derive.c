/* What the writer says of hosts and ports as it writes them is what the stored rows say: both are asked about
 * the same sessions, drawn at random. */
#include "storage/derive.h"

#include "tests/unit/storage_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char words_sql[] = "SELECT group_concat(word, '; ') FROM (SELECT ip || ' ' || coalesce(name, "
				"'-') || ' ' || coalesce(os, '-') ||"
				" ' ' || coalesce(vendor, '-') || ' ' || coalesce(isn_kind, '-') || ' ' || "
				"coalesce(isn_samples, '-') || ' ' ||"
				" coalesce(isn_evidence, '-') AS word FROM hosts UNION ALL SELECT ip || ':' "
				"|| port || '/' || transport || ' ' ||"
				" coalesce(product, '-') FROM ports ORDER BY 1)";

static void address(char text[16], uint64_t *seed)
{
	(void)snprintf(text, 16, "10.0.0.%u", (unsigned)(random_next(seed) % 5 + 1));
}

static void say(struct fyke_tick *tick, struct fyke_session *session, uint32_t n, uint64_t *seed)
{
	static const char *const facts[] = {"name", "vendor", "os", "product"};
	static const char *const sources[] = {"dns", "dhcp", "http", "mdns"};
	const char *fact = facts[random_next(seed) % 4];
	struct fyke_value values[FYKE_HOST_FACTS_COUNT] = {{0}};
	char ip[16], word[16];

	address(ip, seed);
	(void)snprintf(word, sizeof(word), "w%u\xff", (unsigned)(random_next(seed) % 1000));
	values[FYKE_HOST_FACTS_IP] = value_text(ip);
	if (strcmp(fact, "product") == 0 && random_next(seed) % 4 != 0)
		values[FYKE_HOST_FACTS_PORT] = value_integer(80);
	values[FYKE_HOST_FACTS_FACT] = value_text(fact);
	values[FYKE_HOST_FACTS_VALUE] = value_text(word);
	values[FYKE_HOST_FACTS_SOURCE] = value_text(sources[random_next(seed) % 4]);
	for (int i = 0; i < FYKE_HOST_FACTS_COUNT; i++) {
		if (values[i].kind == FYKE_VALUE_BYTES)
			values[i].bytes = fyke_arena_copy(&tick->arena, values[i].bytes, values[i].length);
	}
	session_add_record(tick, session, &fyke_table_host_facts, n, values)->time_ns =
		(int64_t)(random_next(seed) % 4) * 100 * 1000; /* many at the same moment */
}

/* Sessions end in another order than they are born in. */
static struct fyke_session *add_session(
	struct fyke_tick *tick, uint64_t number, uint32_t first_n, uint64_t *seed)
{
	struct fyke_session *session = session_new(tick, 1000 + (number ^ 0x15), 0);
	char client[16], server[16];

	address(client, seed);
	address(server, seed);
	session_set_ips(session, client, server);
	session->side[FYKE_CLIENT].port = (int64_t)(random_next(seed) % 3 + 40000);
	session_set_history(session, FYKE_STATE_SF, "ShAaFf");
	session->start_ns = (int64_t)(random_next(seed) % 100000) * 1000 * 1000;
	if (random_next(seed) % 4 != 0) {
		struct fyke_session_tcp *tcp = session_add_tcp(tick, session);

		tcp->handshake_server_us = random_next(seed) % 2 == 0 ? FYKE_UNKNOWN : 1000;
		if (random_next(seed) % 4 != 0)
			tcp->side[FYKE_CLIENT].isn = (int64_t)(random_next(seed) & 0xffffffff);
		tcp->side[FYKE_SERVER].isn = session->start_ns / 1000 * 2 & 0xffffffff;
	}
	for (uint32_t n = 0; n < random_next(seed) % 3; n++)
		say(tick, session, first_n + n, seed);
	return session;
}

/* `again`: a session is handed over twice. */
static void write_all(const struct scene *scene, uint64_t *seed, bool again)
{
	struct fyke_capture_file file = {.name = "a"};
	const char *fingerprints[] = {"1", NULL};
	struct fyke_capture capture = capture_of(&file, 1, fingerprints);
	struct fyke_writer *writer = writer_of(scene, &capture, false);

	for (uint64_t t = 0; t < 4; t++) {
		struct fyke_tick *tick = tick_new(t);

		for (uint64_t i = 0; i < 60; i++)
			(void)add_session(tick, 1 + t * 64 + i, 0, seed);
		if (again && t == 3)
			add_session(tick, 1, 10, seed)->stored_before = true;
		writer_take(writer, tick);
	}
	(void)writer_done(writer, &capture);
}

static void derive_again(const struct scene *scene)
{
	struct fyke_database *database;
	struct fyke_error error;

	run_sql(scene,
		"UPDATE hosts SET name = NULL, os = NULL, vendor = NULL, isn_kind = NULL, isn_samples = NULL,"
		" isn_evidence = NULL");
	run_sql(scene, "UPDATE ports SET product = NULL");
	assert_int_equal(fyke_database_open(scene->path, FYKE_DATABASE_WRITE, &database, &error), FYKE_OK);
	assert_int_equal(fyke_derive(database, 1, &error), FYKE_OK);
	fyke_database_close(database);
}

static void check(const struct scene *scene, uint64_t seed, bool again)
{
	char *written;

	print_message("seed %llu\n", (unsigned long long)seed);
	write_all(scene, &seed, again);
	written = strdup(ask(scene, words_sql));
	assert_non_null(written);
	assert_non_null(strstr(written, "connections"));
	derive_again(scene);
	assert_string_equal(ask(scene, words_sql), written);
	free(written);
	assert_sound(scene);
}

static void test_derive_as_written(void **state)
{
	check(*state, 0x5eed, false);
}

static void test_derive_of_sessions_handed_over_twice(void **state)
{
	check(*state, 0x7eed, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_derive_as_written, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_derive_of_sessions_handed_over_twice, scene_setup, scene_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
