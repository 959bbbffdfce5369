/* First pages of filters: the same sessions as without a look into the database, and what reading them costs,
 * in pages of the database that are touched, where there are many sessions. */
#include "storage/filter.h"
#include "storage/schema.h"
#include "tests/unit/storage_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SESSIONS = 150000, PAGE = 100, FILTERS = 80, TOUCHED_MAX = 15000, QUERY_MAX = 512 };

static struct {
	sqlite3 *db;
	struct fyke_filter_columns *columns;
} world;

static void run(const char *sql)
{
	char *message = NULL;

	if (sqlite3_exec(world.db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
}

/* Two of five sessions are a scan by 10.0.0.1, two TLS on 443, one DNS of 10.0.0.53's; a few are SSH. Ids are
 * not in the order of time, and an instant has three sessions. */
static const char sessions[] =
	"WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %d),"
	" k AS (SELECT i, (i - 2 * (i %% 6) + 6) / 3 AS time, CASE i %% 5 WHEN 0 THEN 'scan' WHEN 1 THEN "
	"'scan' WHEN 2 THEN "
	"'dns' ELSE"
	" iif(i %% 5000 = 3, 'ssh', 'tls') END AS kind FROM c)"
	"INSERT INTO sessions(id, capture_id, first_frame, first_ordinal, last_frame, start_us, end_us, "
	"updated_us, roles_guessed,"
	" transport, client_ip, client_port, server_ip, server_port, service, port_service, content_service, "
	"state, client_packets,"
	" server_packets, client_bytes, server_bytes)"
	" SELECT i, 1, i, 0, i, time, time, 0, 0, iif(kind = 'dns', 'udp', 'tcp'),"
	" iif(kind = 'scan', '10.0.0.1', '10.1.0.' || (i %% 200)), 40000 + i %% 9000,"
	" CASE kind WHEN 'dns' THEN '10.0.0.53' WHEN 'scan' THEN '10.9.' || (i %% 250) || '.' || (i / 999) "
	"ELSE '10.2.0.' || (i %% 7) END,"
	" CASE kind WHEN 'dns' THEN 53 WHEN 'ssh' THEN 22 WHEN 'tls' THEN 443 ELSE 1 + i %% 300 END,"
	" nullif(kind, 'scan'), CASE kind WHEN 'dns' THEN 'domain' WHEN 'ssh' THEN 'ssh' WHEN 'tls' THEN "
	"'https' END,"
	" nullif(kind, 'scan'), iif(kind = 'scan', iif(i %% 10 = 0, 'REJ', 'S0'), 'SF'), 1, 1, i %% 1000, 0 "
	"FROM k;"
	"INSERT INTO tcp(session_id, client_retransmitted_segments, server_retransmitted_segments, "
	"client_zero_windows, server_zero_windows)"
	" SELECT id, id %% 40 = 3, 0, id %% 30000 = 3, 0 FROM sessions WHERE transport = 'tcp';"
	"CREATE TABLE tls(session_id INTEGER, n INTEGER, sni TEXT, PRIMARY KEY(session_id, n)) WITHOUT ROWID;"
	"INSERT INTO tls SELECT id, 1, iif(id = %d, 'rare.test', 'www' || (id %% 9) || '.test') FROM "
	"sessions WHERE service = 'tls';";

static int set_up(void **state)
{
	struct fyke_error error;
	char *sql = sqlite3_mprintf(sessions, SESSIONS, SESSIONS - 1);

	(void)state;
	if (sqlite3_open(":memory:", &world.db) != SQLITE_OK ||
		fyke_schema_create(world.db, &error) != FYKE_OK ||
		fyke_filter_register(world.db, &error) != FYKE_OK)
		return -1;
	run("INSERT INTO captures(id, source, name, first_packet_us, packets, bytes, refused_packets, "
	    "refusals, status,"
	    " version, options, link_types) VALUES(1,'file','a',0,0,0,0,'{}','complete','','','')");
	run(sql);
	sqlite3_free(sql);
	if (fyke_schema_make_indices(world.db, &error) != FYKE_OK)
		return -1;
	run("PRAGMA analysis_limit = 1000; ANALYZE");
	return fyke_filter_columns_load(world.db, &world.columns, &error) == FYKE_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	fyke_filter_columns_free(world.columns);
	return sqlite3_close(world.db);
}

/* Pages touched since the last call. */
static int touched(void)
{
	int hits, misses, most;

	sqlite3_db_status(world.db, SQLITE_DBSTATUS_CACHE_HIT, &hits, &most, 1);
	sqlite3_db_status(world.db, SQLITE_DBSTATUS_CACHE_MISS, &misses, &most, 1);
	return hits + misses;
}

/* The ids of a first page; returns how many there are. */
static size_t first_page(const char *text, bool look, int64_t ids[PAGE])
{
	const struct fyke_filter_options options = {.now_us = SESSIONS};
	const struct fyke_filter_select select = {
		.columns = "s.id, s.start_us, s.client_mac", .order = "2, 1", .limit = PAGE, .page = look};
	struct fyke_filter_fault fault;
	struct fyke_filter *filter;
	struct fyke_error error;
	sqlite3_stmt *statement;
	size_t count = 0;
	char *sql;

	if (fyke_filter_compile(world.columns, text, &options, &filter, &fault, &error) != FYKE_OK)
		fail_msg("%s: at %zu: %s", text, fault.at, fault.text);
	if (look)
		fyke_filter_look(filter, world.db);
	sql = fyke_filter_sql(filter, &select);
	if (sqlite3_prepare_v2(world.db, sql, -1, &statement, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(world.db));
	assert_int_equal(fyke_filter_bind(filter, statement, &error), FYKE_OK);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		assert_true(count < PAGE);
		ids[count++] = sqlite3_column_int64(statement, 0);
	}
	assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
	sqlite3_free(sql);
	fyke_filter_free(filter);
	return count;
}

static void check_same(const char *text)
{
	int64_t plain[PAGE], looked[PAGE];
	size_t count = first_page(text, false, plain);

	if (first_page(text, true, looked) != count || memcmp(plain, looked, count * sizeof(plain[0])) != 0)
		fail_msg("%s: a look changes the page", text);
}

/* Each of them touched 50,000 pages and more, were every session of the host, the port or the table looked
 * up. */
static void test_filter_page_touches_few_pages(void **state)
{
	static const char *const filters[] = {"host 10.0.0.1", "host 10.0.0.1 and port 443",
		"host 10.0.0.1 and service tls", "host 10.0.0.1 and udp", "host 10.0.0.1 and state SF",
		"host 10.0.0.1 and port 80 and not state S0", "host 10.0.0.1 and not state S0,REJ",
		"host 10.0.0.1 and port 22", "service ssh and host 10.1.0.3", "port 443 and service ssh",
		"port 53,443 since 1970-01-01", "retransmissions > 0", "retransmissions > 0 and port 443",
		"zero_windows > 0", "tls.sni = rare.test", "tls.sni = nosuch.test or zero_windows > 5",
		"tls.sni = www3.test", "not host 10.0.0.1", "tls"};
	int64_t ids[PAGE];

	(void)state;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		int pages;

		touched();
		(void)first_page(filters[i], true, ids);
		pages = touched();
		if (pages > TOUCHED_MAX)
			fail_msg("%s: %d pages touched", filters[i], pages);
	}
}

/* That the measure would tell: what no index leads to is found by looking at every session. */
static void test_filter_page_measure(void **state)
{
	int64_t ids[PAGE];

	(void)state;
	touched();
	assert_int_equal(first_page("bytes > 10MB", true, ids), 0);
	assert_true(touched() > 5 * TOUCHED_MAX);
}

static const char *const terms[] = {"host 10.0.0.1", "src 10.1.0.3", "host 10.1.0.4,10.0.0.53", "port 443",
	"dst port 22", "port 80,53", "service tls", "service ssh,domain", "service https", "service unknown",
	"state S0", "state REJ,SF", "udp", "since @0.02", "until @0.01", "net 10.9.0.0/16", "net 10.2.0.0/24",
	"retransmissions > 0", "zero_windows > 0", "client_zero_windows = null", "tls.sni = rare.test",
	"tls.sni = www1.test", "tls", "bytes > 990", "tls.sni != www2.test"};

static size_t append_term(char *text, size_t used, uint64_t *seed)
{
	uint64_t drawn = random_next(seed);

	return used + (size_t)snprintf(text + used, QUERY_MAX - used, "%s%s", drawn % 4 == 0 ? "not " : "",
			      terms[(drawn >> 8) % (sizeof(terms) / sizeof(terms[0]))]);
}

static void test_filter_page_is_the_same(void **state)
{
	uint64_t seed = 20261125;

	(void)state;
	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++)
		check_same(terms[i]);
	for (int i = 0; i < FILTERS; i++) {
		char text[QUERY_MAX];
		size_t used = append_term(text, 0, &seed), count = 1 + random_next(&seed) % 3;

		for (size_t n = 0; n < count; n++) {
			used += (size_t)snprintf(text + used, QUERY_MAX - used,
				random_next(&seed) % 3 == 0 ? " or " : " and ");
			used = append_term(text, used, &seed);
		}
		check_same(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter_page_touches_few_pages),
		cmocka_unit_test(test_filter_page_measure),
		cmocka_unit_test(test_filter_page_is_the_same),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
