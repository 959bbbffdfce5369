/* The filter language: what each filter chooses from a small database, and how mistakes are told. */
#include "storage/filter.h"
#include "storage/schema.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* 2026-11-23T02:17:05.123456Z */
static const int64_t now_us = 1795400225123456;

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

/* id, minutes before now, transport, client, port, server, port, service, state, name, MAC of the client */
static void insert(int id, int minutes, const char *values)
{
	char *sql =
		sqlite3_mprintf("INSERT INTO sessions(id, capture_id, first_frame, first_ordinal, "
				"last_frame, start_us, end_us, updated_us,"
				" roles_guessed, client_packets, server_packets, client_bytes, server_bytes, "
				"transport, client_ip, client_port,"
				" server_ip, server_port, service, state, server_name, client_mac, history)"
				" VALUES(%d, %d, %d, 0, %d, %lld, %lld, 0, 0, %d, 5, %d, 1000, %s, 'x')",
			id, id > 6 ? 2 : 1, id * 10, id * 10 + 9, (long long)(now_us - minutes * 60000000LL),
			(long long)(now_us - minutes * 60000000LL + id * 1000000), id, id * 1000, values);

	run(sql);
	sqlite3_free(sql);
}

static int set_up(void **state)
{
	struct fyke_error error;

	(void)state;
	if (sqlite3_open(":memory:", &world.db) != SQLITE_OK ||
		fyke_schema_create(world.db, &error) != FYKE_OK ||
		fyke_schema_make_indices(world.db, &error) != FYKE_OK ||
		fyke_filter_register(world.db, &error) != FYKE_OK)
		return -1;
	run("INSERT INTO captures(id, source, name, first_packet_us, packets, bytes, refused_packets, "
	    "refusals, status,"
	    " version, options, link_types) VALUES(1,'file','a',0,0,0,0,'{}','complete','','',''),"
	    "(2,'file','b',0,0,0,0,'{}','complete','','','')");
	insert(1, 1,
		"'tcp','10.0.0.5',40000,'93.184.216.34',443,'https','SF','www.example.com','00:11:22:33:44:"
		"55'");
	insert(2, 90, "'tcp','10.0.0.6',40001,'10.0.0.5',80,'http','S0',NULL,NULL");
	insert(3, 600, "'udp','10.0.1.7',5353,'224.0.0.251',5353,'mdns','S0',NULL,NULL");
	insert(4, 1500, "'udp','2001:db8::1',50000,'2001:db8:0:1::53',53,'dns','SF',NULL,NULL");
	insert(5, 3000, "'icmp','10.0.16.9',NULL,'8.8.8.8',NULL,NULL,'OTH',NULL,NULL");
	insert(6, 5000, "'tcp','10.0.0.5',40002,'10.0.0.5',8080,NULL,'REJ','100%_sure.example.org',NULL");
	insert(7, 9000, "'tcp','172.16.0.1',8050,'fe80::1',22,'ssh','S1','ssh.example.net',NULL");
	run("INSERT INTO tcp(session_id, handshake_us, client_retransmitted_segments, "
	    "server_retransmitted_segments)"
	    " VALUES(1, 1500, 0, 0), (2, NULL, 12, 1), (6, 90000, NULL, NULL), (7, 2000000, 3, 0)");
	/* 1: TLS where the port fits; 2: SSH on a port of another's; 4: what people call domain */
	run("UPDATE sessions SET service = 'tls', port_service = 'https', content_service = 'tls', "
	    "service_mismatch = 0 WHERE id = 1");
	run("UPDATE sessions SET port_service = service WHERE id IN (2, 3, 7)");
	run("UPDATE sessions SET port_service = 'http-alt', content_service = 'ssh', service = 'ssh', "
	    "service_mismatch = 1 WHERE id = 6");
	run("UPDATE sessions SET port_service = 'domain', content_service = 'dns', service_mismatch = 0 "
	    "WHERE id = 4");
	run("CREATE TABLE http(session_id INTEGER, n INTEGER, host TEXT, status INTEGER)");
	run("INSERT INTO http VALUES(1, 0, 'a.test', 200), (1, 1, 'b.test', 404), (2, 0, 'c.test', NULL)");
	return fyke_filter_columns_load(world.db, &world.columns, &error) == FYKE_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	fyke_filter_columns_free(world.columns);
	return sqlite3_close(world.db);
}

static size_t ports_of(void *context, const char *service, uint16_t *ports, size_t room)
{
	static const struct {
		const char *name;
		uint16_t port;
	} list[] = {{"https", 443}, {"ssh", 22}, {"web", 80}, {"web", 8080}};
	size_t n = 0;

	(void)context;
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]) && n < room; i++) {
		if (strcmp(list[i].name, service) == 0)
			ports[n++] = list[i].port;
	}
	return n;
}

static struct fyke_filter *compile(const char *text, int64_t capture_id)
{
	const struct fyke_filter_options options = {now_us, capture_id, ports_of, NULL, false};
	struct fyke_filter_fault fault;
	struct fyke_filter *filter;
	struct fyke_error error;

	if (fyke_filter_compile(world.columns, text, &options, &filter, &fault, &error) != FYKE_OK)
		fail_msg("%s: at %zu: %s", text, fault.at, fault.text);
	return filter;
}

static sqlite3_stmt *prepare(const struct fyke_filter *filter, char *sql)
{
	sqlite3_stmt *statement;
	struct fyke_error error;

	if (sqlite3_prepare_v2(world.db, sql, -1, &statement, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(world.db));
	sqlite3_free(sql);
	assert_int_equal(fyke_filter_bind(filter, statement, &error), FYKE_OK);
	return statement;
}

/* "1 2 6": the ids chosen, ascending. */
static void check_in(const char *text, int64_t capture_id, const char *expected)
{
	const struct fyke_filter_select select = {.columns = "s.id", .order = "1", .limit = -1};
	struct fyke_filter *filter = compile(text, capture_id);
	sqlite3_stmt *statement = prepare(filter, fyke_filter_sql(filter, &select));
	char found[64] = "";
	int count = 0;

	for (; sqlite3_step(statement) == SQLITE_ROW; count++)
		snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%d", count > 0 ? " " : "",
			sqlite3_column_int(statement, 0));
	sqlite3_finalize(statement);
	if (strcmp(found, expected) != 0)
		fail_msg("%s: expected %s, found %s", text, expected, found);
	statement = prepare(filter, fyke_filter_count_sql(filter));
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(statement, 0), count);
	sqlite3_finalize(statement);
	fyke_filter_free(filter);
}

static void check(const char *text, const char *expected)
{
	check_in(text, 0, expected);
}

static void test_filter_hosts(void **state)
{
	(void)state;
	check("", "1 2 3 4 5 6 7");
	check("host 10.0.0.5", "1 2 6");
	check("10.0.0.5", "1 2 6");
	check("host 10.0.0.5 and port 443", "1");
	check("ip = 10.0.0.5 and not host 10.0.0.6", "1 6");
	check("host 10.0.0.5 or host 8.8.8.8", "1 2 5 6");
	check("host 10.0.0.5 and host 10.0.0.6", "2");
	check("host 8.8.8.8,10.0.0.6", "2 5");
	check("not host 10.0.0.5", "3 4 5 7");
	check("host != 10.0.0.5", "3 4 5 7");
	check("src 10.0.0.5", "1 6");
	check("dst host 10.0.0.5", "2 6");
	check("client_ip = 10.0.0.5", "1 6");
	check("host 2001:0DB8::0001", "4");
	check("client_ip = 2001:0DB8::0001", "4");
	check("host 00-11-22-33-44-55", "1");
	check("host www.EXAMPLE.com", "1");
	check("host *.example.*", "1 6 7");
	check("host example.com", "");
}

static void test_filter_networks(void **state)
{
	(void)state;
	check("net 10.0.0.0/8", "1 2 3 5 6");
	check("net 10.0.0.0/255.255.255.0", "1 2 6");
	check("net 10.0.0.0/20", "1 2 3 6");
	check("src net 10.0.0.0/24", "1 2 6");
	check("dst net 10.0.0.0/24", "2 6");
	check("net 10.0.0.4/31", "1 2 6");
	check("net 0.0.0.0/0", "1 2 3 5 6 7");
	check("net ::/0", "4 7");
	check("net 2001:db8::/32", "4");
	check("net 2001:db8::/64", "4");
	check("dst net 2001:db8::/64", "");
	check("dst net 2001:db8:0:1::/64", "4");
	check("net fe80::/10", "7");
	check("not net 10.0.0.0/8", "4 7");
	check("client = 10.0.0.0/24", "1 2 6");
	check("net 1.0.0.0/8", "");
}

static void test_filter_ports_and_words(void **state)
{
	(void)state;
	check("port 443", "1");
	check("port 443,53", "1 4");
	check("port 8000-8100", "6 7");
	check("src port 8000-8100", "7");
	check("dst port web", "2 6");
	check("tcp dst port web", "2 6");
	check("udp", "3 4");
	check("ip6", "4");
	check("ICMP", "5");
	check("proto udp,icmp", "3 4 5");
	check("service http,dns", "2 4");
	check("service tls", "1");
	check("service https", "1");
	check("service domain", "4");
	check("service http-alt", ""); /* what is spoken there is another */
	check("service = https", "");
	check("service https,ssh,http-alt", "1 6 7");
	check("service http-alt,ssh", "6 7");
	check("not service https", "2 3 4 5 6 7");
	check("host 10.0.0.5 and service https,http", "1 2");
	check("port_service = http-alt", "6");
	check("service unknown", "5");
	check("service != http", "1 3 4 6 7");
	check("not service http", "1 3 4 5 6 7");
	check("state s0", "2 3");
	check("state SF,REJ", "1 4 6");
	check("3", "3");
	check("3,5", "3 5");
	check("id >= 6", "6 7");
	check("capture last", "7");
	check("capture 1", "1 2 3 4 5 6");
	check_in("tcp or udp", 2, "7");
	check_in("host 10.0.0.5", 2, "");
	check_in("", 1, "1 2 3 4 5 6");
	check("tcp and (state SF or state S1)", "1 7");
	check("tcp && !(state SF || state S1)", "2 6");
	check("tcp or udp and state SF", "1 2 4 6 7");
	check("not not not tcp", "3 4 5");
}

static void test_filter_columns(void **state)
{
	(void)state;
	check("client_retransmitted_segments > 10", "2");
	check("not client_retransmitted_segments > 10", "1 3 4 5 6 7");
	check("retransmissions > 0", "2 7");
	check("retransmissions = null", "3 4 5 6");
	check("retransmitted_segments = 3", "7");
	check("handshake < 100ms", "1 6");
	check("handshake_us <= 1500", "1");
	check("tcp.handshake_us >= 2s", "7");
	check("duration > 5", "6 7");
	check("duration_us > 5000000", "6 7");
	check("bytes >= 7k", "6 7");
	check("client_bytes = 3KB", "3");
	check("packets = 12", "7");
	check("server_name ~ example", "1 6 7");
	check("server_name ~ 100%", "6");
	check("server_name ~ 'e%_S'", "");
	check("server_name ~ *.example.com", "1");
	check("server_name !~ example.com", "6 7");
	check("server_name = null", "2 3 4 5");
	check("server_name != null", "1 6 7");
	check("server_name = \"www.example.com\"", "1");
	check("sni = 'x\\'; DROP TABLE sessions; --'", "");
	check("http", "1 2");
	check("http.host ~ test and http.status = 404", "1");
	check("http.status != 200", "");
	check("not http.status = 200", "2 3 4 5 6 7");
	check("service >= m", "1 3 6 7");
	check("port != 443", "2 3 4 6 7");
}

static void test_filter_times(void **state)
{
	(void)state;
	check("last hour", "1");
	check("last 2h", "1 2");
	check("last 2 hours", "1 2");
	check("since 2h ago", "1 2");
	check("since 2 hours ago and tcp", "1 2");
	check("since -30m", "1");
	check("since today", "1 2");
	check("until yesterday", "3 4 5 6 7");
	check("until yesterday 00:00", "5 6 7");
	check("since 2026-11-22", "1 2 3 4");
	check("since 2026-11-22 until 2026-11-22", "3 4");
	check("since 2026-11-22T16:17:06Z until 2026-11-23 00:00", "");
	check("since 2026-11-22T18:17:05+02:00 until 2026-11-23 00:00", "3");
	check("since \"2026-11-22 16:17:05.2\" until 2026-11-23 00:00", "");
	check("since @1795400000", "1");
	check("start >= 02:00", "1");
	check("start_us > 1795400000000000", "1");
	check("end < 2026-11-20", "6 7");
}

static void check_fault(const char *text, size_t at, const char *words)
{
	const struct fyke_filter_options options = {now_us, 0, ports_of, NULL, false};
	struct fyke_filter_fault fault;
	struct fyke_filter *filter;
	struct fyke_error error;
	char *shown;

	if (fyke_filter_compile(world.columns, text, &options, &filter, &fault, &error) == FYKE_OK)
		fail_msg("accepted: %s", text);
	assert_int_equal(error.status, FYKE_FAILED_USAGE);
	assert_null(filter);
	if (fault.at != at || strstr(fault.text, words) == NULL)
		fail_msg("%s: at %zu: %s", text, fault.at, fault.text);
	shown = fyke_filter_explain_fault(text, &fault);
	assert_non_null(strchr(shown, '^'));
	sqlite3_free(shown);
}

static void test_filter_faults_point_at_the_place(void **state)
{
	(void)state;
	check_fault("clinet_ip = 10.0.0.1", 0, "did you mean 'client_ip'");
	check_fault("tcp and hots 10.0.0.1", 8, "did you mean 'host'");
	check_fault("tcp and", 7, "something must follow");
	check_fault("(tcp or udp", 0, "never closed");
	check_fault("tcp)", 3, "no open bracket");
	check_fault("port 80 443", 8, "commas");
	check_fault("port 70000", 5, "0 to 65535");
	check_fault("port 90-80", 5, "ends before");
	check_fault("port nosuch", 5, "no service");
	check_fault("state SX", 6, "no state");
	check_fault("net 10.0.0.0/33", 4, "no network");
	check_fault("host 10.0.0.", 5, "no address");
	check_fault("since tomorow", 6, "expected a time");
	check_fault("since 2026-02-29", 6, "expected a time");
	check_fault("bytes > many", 8, "no number");
	check_fault("duration > 5 apples", 13, "not known");
	check_fault("client_port ~ 80", 12, "looks into text");
	check_fault("frames = 1", 7, "cannot be asked");
	check_fault("client_bytes", 12, "expected =");
	check_fault("service = ", 10, "expected a value");
	check_fault("host = ,", 7, "expected an address");
	check_fault("tcp & udp", 4, "did you mean &&");
	check_fault("server_name = \"abc", 14, "never closed");
	check_fault("id = 99999999999999999999", 5, "no number");
	check_fault("src example.com", 4, "only servers have names");
	check_fault("((((((((((((((((((((((((tcp))))))))))))))))))))))))", 20, "nested deeper");
}

static void test_filter_caret_stands_under_the_word(void **state)
{
	const struct fyke_filter_fault fault = {.at = 9, .length = 4, .text = "no"};
	const struct fyke_filter_fault hostile = {.at = 0, .length = 2, .text = "\x1b[2J"};
	char *shown = fyke_filter_explain_fault("tcp \xc3\xa9 ok oops x", &fault);

	(void)state;
	assert_string_equal(shown, "no\n  tcp \xc3\xa9 ok oops x\n          ^~~~\n");
	sqlite3_free(shown);
	shown = fyke_filter_explain_fault("\x1b[", &hostile);
	assert_string_equal(shown, "\\x1b[2J\n  \\x1b[\n  ^~~~~\n");
	sqlite3_free(shown);
}

static void test_filter_bounds(void **state)
{
	char *text = malloc(9001);

	(void)state;
	memset(text, 'a', 9000);
	text[9000] = '\0';
	check_fault(text, 8192, "longer than");
	for (size_t used = 0, i = 0; i < 300; i++)
		used += (size_t)snprintf(text + used, 9001 - used, "%s", i > 0 ? " or udp" : "udp");
	check_fault(text, 256 * 7, "more than 256");
	text[256 * 7 - 4] = '\0';
	check(text, "3 4");
	free(text);
}

static void plan_of(const char *text, char plan[1024])
{
	struct fyke_filter *filter = compile(text, 0);
	const struct fyke_filter_select select = {
		.columns = "s.id, s.start_us", .order = "2, 1", .limit = -1, .page = true};
	sqlite3_stmt *statement;
	char *sql, *explain;

	fyke_filter_look(filter, world.db);
	sql = fyke_filter_sql(filter, &select);
	explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
	statement = prepare(filter, explain);
	sqlite3_free(sql);
	plan[0] = '\0';
	while (sqlite3_step(statement) == SQLITE_ROW)
		snprintf(plan + strlen(plan), 1024 - strlen(plan), "%s\n",
			(const char *)sqlite3_column_text(statement, 3));
	sqlite3_finalize(statement);
	fyke_filter_free(filter);
}

/* Each arm comes out of an index in the order of time, and arms are merged: the first page costs no more
 * where many rows match. */
static void test_filter_choices_merge_without_a_sort(void **state)
{
	static const char *const filters[] = {"port 443", "dst port 80,443", "service http,unknown",
		"host 10.0.0.5,10.0.0.6", "host 10.0.0.5 or host 10.0.0.6", "server_port = 80,443",
		"port 443 and host 10.0.0.5", "service = http,dns since 2026-01-01"};
	char plan[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		plan_of(filters[i], plan);
		if (strstr(plan, "MERGE (UNION ALL)") == NULL || strstr(plan, "TEMP B-TREE") != NULL ||
			strstr(plan, "SCAN s") != NULL)
			fail_msg("%s:\n%s", filters[i], plan);
	}
	plan_of("port 443", plan);
	assert_non_null(strstr(plan, "INDEX sessions_client_port (client_port=?)"));
	/* The index on client ports leaves these out: the time line is read. */
	plan_of("port 50000", plan);
	assert_non_null(strstr(plan, "SCAN s USING INDEX sessions_start"));
	assert_null(strstr(plan, "TEMP B-TREE"));
}

static void test_filter_host_merges_without_a_sort(void **state)
{
	static const char *const filters[] = {"host 10.0.0.5", "tcp and (host 10.0.0.5) and state SF",
		"ip = 10.0.0.5 and client_retransmitted_segments > 10"};
	char plan[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		plan_of(filters[i], plan);
		assert_non_null(strstr(plan, "MERGE (UNION ALL)"));
		assert_non_null(strstr(plan, "INDEX sessions_client (client_ip=?)"));
		assert_non_null(strstr(plan, "INDEX sessions_server (server_ip=?)"));
		assert_null(strstr(plan, "TEMP B-TREE"));
		assert_null(strstr(plan, "SCAN s"));
	}
	plan_of("src net 10.0.0.0/24", plan);
	assert_non_null(strstr(plan, "client_ip>? AND client_ip<?"));
	plan_of("since today", plan);
	assert_non_null(strstr(plan, "sessions_start (start_us>?)"));
	plan_of("tcp", plan);
	assert_null(strstr(plan, " t "));
	plan_of("service dns", plan);
	assert_non_null(strstr(plan, "sessions_service (service=?)"));
	plan_of("service rdp", plan); /* the registry's name means it, too */
	assert_non_null(strstr(plan, "MERGE (UNION ALL)"));
	plan_of("service https", plan);
	assert_non_null(strstr(plan, "sessions_port_service (port_service=?)"));
	assert_null(strstr(plan, "TEMP B-TREE"));
	plan_of("service = ssh", plan);
	assert_null(strstr(plan, "MERGE (UNION ALL)"));
}

/* Of a network that there is a lot of, a page is sooner full along the time line than gathered and sorted. */
static void test_filter_large_networks_walk(void **state)
{
	char plan[1024];

	(void)state;
	plan_of("net 10.9.0.0/16", plan);
	assert_non_null(strstr(plan, "TEMP B-TREE"));
	run("BEGIN; INSERT INTO sessions(id, capture_id, first_frame, first_ordinal, last_frame, start_us, "
	    "end_us, "
	    "updated_us, transport, client_ip, server_ip, roles_guessed, state) WITH RECURSIVE c(i) AS "
	    "(SELECT 1 UNION ALL "
	    "SELECT i + 1 FROM c WHERE i < 20000) SELECT 1000 + i, 1, 1000 + i, 0, 0, i, 0, 0, 'tcp', "
	    "'10.9.' || (i / "
	    "200) || '.' || (i % 200), '10.8.0.1', 0, 'SF' FROM c");
	plan_of("net 10.9.0.0/16 and tcp", plan);
	assert_non_null(strstr(plan, "sessions_start"));
	assert_null(strstr(plan, "TEMP B-TREE"));
	plan_of("net 10.9.3.0/24", plan); /* few: gathered */
	assert_non_null(strstr(plan, "client_ip>? AND client_ip<?"));
	plan_of("net 10.9.0.0/16 and port 443", plan); /* what an index serves in order goes first */
	assert_non_null(strstr(plan, "MERGE (UNION ALL)"));
	run("DROP INDEX sessions_start");
	plan_of("net 10.9.0.0/16", plan);
	assert_null(strstr(plan, "sessions_start"));
	run("ROLLBACK");
}

/* Sessions whose content is what their port is called are found by their service alone. */
static void test_filter_services_by_port_are_few(void **state)
{
	(void)state;
	run("BEGIN; UPDATE sessions SET port_service = 'https', content_service = 'tls', service = 'tls' "
	    "WHERE id = 1;"
	    "UPDATE sessions SET port_service = 'http', content_service = 'http', service = 'http' WHERE id "
	    "= 2;"
	    "UPDATE sessions SET port_service = 'https', content_service = 'http', service = 'http', "
	    "service_mismatch = 1"
	    " WHERE id = 3");
	check("service https and id < 4", "1");
	check("service http and id < 4", "2 3");
	check("service http,https and id < 4", "1 2 3");
	check("not service https and id < 4", "2 3");
	run("ROLLBACK");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter_hosts),
		cmocka_unit_test(test_filter_networks),
		cmocka_unit_test(test_filter_ports_and_words),
		cmocka_unit_test(test_filter_columns),
		cmocka_unit_test(test_filter_times),
		cmocka_unit_test(test_filter_faults_point_at_the_place),
		cmocka_unit_test(test_filter_caret_stands_under_the_word),
		cmocka_unit_test(test_filter_bounds),
		cmocka_unit_test(test_filter_host_merges_without_a_sort),
		cmocka_unit_test(test_filter_choices_merge_without_a_sort),
		cmocka_unit_test(test_filter_large_networks_walk),
		cmocka_unit_test(test_filter_services_by_port_are_few),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
