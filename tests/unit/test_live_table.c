/* The live table: fits every terminal, escapes what comes from the wire, stays bounded, sorts. */
#include "analyzer/base/text.h"
#include "cli/live_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)

static struct fyke_session session_of(uint64_t frame, const char *client, int64_t bytes)
{
	struct fyke_session session = {
		.birth = {frame, 0},
		.start_ns = (int64_t)frame * SECOND,
		.end_ns = (int64_t)frame * SECOND,
		.transport = "tcp",
		.state = FYKE_STATE_S1,
		.service = "http",
	};

	assert_true(fyke_address_parse(client, &session.side[FYKE_CLIENT].ip));
	assert_true(fyke_address_parse("198.51.100.20", &session.side[FYKE_SERVER].ip));
	session.side[FYKE_CLIENT].port = 40000;
	session.side[FYKE_SERVER].port = 80;
	session.side[FYKE_CLIENT].bytes = bytes;
	session.side[FYKE_SERVER].bytes = 0;
	return session;
}

static void take(struct fyke_live_table *table, struct fyke_session *session, int64_t now_ns)
{
	struct fyke_tick tick = {.sessions = &session, .session_count = 1};

	fyke_live_table_take(table, &tick, now_ns);
}

static char *draw(struct fyke_live_table *table, struct fyke_live_look look, int64_t now_ns)
{
	const struct fyke_live_totals totals = {
		.interface = "e0\x1b[2J", .filter = "tcp\nport 80", .packets = 12345};
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	fyke_live_table_draw(table, &totals, &look, now_ns, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* Splits at "\r\n"; checks that nothing but "\x1b[K" and colours is a control, and each line's width. */
static unsigned check_lines(char *text, unsigned columns)
{
	unsigned lines = 0;

	for (char *line = text; line != NULL; lines++) {
		char *next = strstr(line, "\r\n");
		char plain[4096];
		size_t length = 0;

		if (next != NULL) {
			*next = '\0';
			next += 2;
		}
		for (const char *at = line; *at != '\0'; at++) {
			if (*at == '\x1b') {
				assert_int_equal(at[1], '[');
				at += 2 + strspn(at + 2, "0123456789;");
				assert_true(*at == 'K' || *at == 'm');
				continue;
			}
			assert_true((unsigned char)*at >= 0x20);
			assert_true(length < sizeof(plain));
			plain[length++] = *at;
		}
		if (fyke_text_width(plain, length) > columns)
			fail_msg("%u columns: \"%.*s\"", columns, (int)length, plain);
		line = next;
	}
	return lines;
}

static void test_live_table_fits_every_size(void **state)
{
	struct fyke_live_table *table = fyke_live_table_new();
	struct fyke_session six = session_of(7, "2001:db8:1111:2222:3333:4444:5555:6666", 100);
	struct fyke_session_tcp tcp = {0};

	(void)state;
	assert_non_null(table);
	six.tcp = &tcp;
	tcp.side[0].retransmitted_segments = 12345678;
	take(table, &six, SECOND);
	for (uint64_t i = 10; i < 40; i++) {
		struct fyke_session session = session_of(i, "192.0.2.1", INT64_MAX / 64);

		session.ended = i % 2 == 0;
		take(table, &session, SECOND);
	}
	for (unsigned columns = 1; columns < 240; columns++) {
		for (unsigned rows = 1; rows < 60; rows += columns % 3 + 1) {
			struct fyke_live_look look = {columns, rows, columns % 2 == 0, columns % 5 == 0};
			char *text = draw(table, look, 2 * SECOND);

			assert_int_equal(check_lines(text, columns), rows);
			free(text);
		}
	}
	fyke_live_table_free(table);
}

static void test_live_table_escapes_names(void **state)
{
	struct fyke_live_table *table = fyke_live_table_new();
	struct fyke_session session = session_of(1, "192.0.2.1", 10);
	const struct fyke_live_look look = {120, 24, false, false};
	char *text;

	(void)state;
	session.service = "\x1b]0;x\x07\xff";
	take(table, &session, SECOND);
	text = draw(table, look, SECOND);
	assert_null(strstr(text, "\x1b]"));
	assert_null(strstr(text, "\x07"));
	assert_null(strstr(text, "\x1b[2J"));
	assert_null(strstr(text, "tcp\nport"));
	assert_non_null(strstr(text, "\\x1b"));
	free(text);
	fyke_live_table_free(table);
}

static const char *place_of(const char *text, const char *what)
{
	const char *place = strstr(text, what);

	assert_non_null(place);
	return place;
}

static void test_live_table_sorts_by_what_moved_lately(void **state)
{
	struct fyke_live_table *table = fyke_live_table_new();
	struct fyke_session old = session_of(1, "192.0.2.1", 1000000),
			    fresh = session_of(2, "192.0.2.2", 5000);
	const struct fyke_live_look look = {120, 24, false, false};
	char *text;

	(void)state;
	take(table, &old, SECOND);
	take(table, &fresh, 60 * SECOND);
	text = draw(table, look, 61 * SECOND);
	assert_true(place_of(text, "192.0.2.2:") < place_of(text, "192.0.2.1:"));
	free(text);

	fyke_live_table_order(table, FYKE_LIVE_TOTAL);
	text = draw(table, look, 61 * SECOND);
	assert_true(place_of(text, "192.0.2.1:") < place_of(text, "192.0.2.2:"));
	free(text);

	old.side[FYKE_CLIENT].bytes += 500000;
	fyke_live_table_order(table, FYKE_LIVE_RECENT);
	take(table, &old, 62 * SECOND);
	text = draw(table, look, 62 * SECOND);
	assert_true(place_of(text, "192.0.2.1:") < place_of(text, "192.0.2.2:"));
	/* 500,000 bytes in the 61 s since it was last told of */
	assert_non_null(strstr(text, "8.2 kB/s"));
	free(text);
	fyke_live_table_free(table);
}

static void test_live_table_forgets_what_ended(void **state)
{
	struct fyke_live_table *table = fyke_live_table_new();
	struct fyke_session session = session_of(1, "192.0.2.1", 10);
	const struct fyke_live_look look = {120, 24, false, false};
	char *text;

	(void)state;
	session.ended = true;
	take(table, &session, SECOND);
	text = draw(table, look, 5 * SECOND);
	assert_non_null(strstr(text, "192.0.2.1:"));
	free(text);
	text = draw(table, look, 60 * SECOND);
	assert_null(strstr(text, "192.0.2.1:"));
	free(text);
	fyke_live_table_free(table);
}

static void test_live_table_stays_bounded_under_a_scan(void **state)
{
	struct fyke_live_table *table = fyke_live_table_new();
	struct fyke_session busy = session_of(1, "192.0.2.99", 1 << 20);
	const struct fyke_live_look look = {120, 24, false, false};
	char *text;

	(void)state;
	for (uint64_t i = 2; i < 30000; i++) {
		struct fyke_session session = session_of(i, "192.0.2.1", 40);

		if (i % 1000 == 2) {
			busy.side[FYKE_CLIENT].bytes += 100000;
			take(table, &busy, (int64_t)i * SECOND / 1000);
		}
		take(table, &session, (int64_t)i * SECOND / 1000);
	}
	text = draw(table, look, 30 * SECOND);
	assert_true(place_of(text, "192.0.2.99:") < place_of(text, "192.0.2.1:"));
	assert_int_equal(check_lines(text, 120), 24);
	free(text);
	fyke_live_table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_live_table_fits_every_size),
		cmocka_unit_test(test_live_table_escapes_names),
		cmocka_unit_test(test_live_table_sorts_by_what_moved_lately),
		cmocka_unit_test(test_live_table_forgets_what_ended),
		cmocka_unit_test(test_live_table_stays_bounded_under_a_scan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
