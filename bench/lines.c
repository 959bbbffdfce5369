/*
 * lines DATABASE: what a session costs as a line of JSON, with its records, apart from what SQLite takes to
 * read it. The floor steps through the same rows of sessions and tcp, and once through every table of
 * records, and does nothing with them; then every session is written to /dev/null. CPU seconds of this
 * thread, the least of ROUNDS each.
 */
#include "dissectors/registry.h"
#include "storage/database.h"
#include "storage/json_records.h"
#include "storage/jsonl.h"
#include "storage/schema.h"

#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 3, LIVE = 1000000 };

struct bench {
	sqlite3 *db;
	struct fyke_jsonl *jsonl;
	sqlite3_stmt *rows;
	FILE *out;
	const struct fyke_table *tables[FYKE_TABLES_MAX];
};

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "lines: %s\n", what);
	exit(1);
}

/* All sessions as lines. Returns CPU seconds. */
static double write_all(struct bench *bench, long *count)
{
	double started = cpu_seconds();

	sqlite3_reset(bench->rows);
	for (*count = 0; sqlite3_step(bench->rows) == SQLITE_ROW; ++*count) {
		if (!fyke_jsonl_row(bench->jsonl, bench->rows, bench->out))
			fail("out of memory");
		putc('\n', bench->out);
	}
	return cpu_seconds() - started;
}

static void step_through(struct bench *bench, const struct fyke_table *table)
{
	char *sql = sqlite3_mprintf("SELECT * FROM \"%w\"", table->name);
	sqlite3_stmt *rows = NULL;

	if (fyke_json_records_tells(table) &&
		sqlite3_prepare_v2(bench->db, sql, -1, &rows, NULL) == SQLITE_OK) {
		while (sqlite3_step(rows) == SQLITE_ROW)
			continue;
	}
	sqlite3_finalize(rows);
	sqlite3_free(sql);
}

static double read_all(struct bench *bench)
{
	size_t count;
	const struct fyke_table *const *own = fyke_schema_record_tables(&count);
	double started = cpu_seconds();

	sqlite3_reset(bench->rows);
	while (sqlite3_step(bench->rows) == SQLITE_ROW)
		continue;
	for (size_t i = 0; i < count; i++)
		step_through(bench, own[i]);
	for (const struct fyke_table **table = bench->tables; *table != NULL; table++)
		step_through(bench, *table);
	return cpu_seconds() - started;
}

/* What `monitor --jsonl` writes at a TCP session's end. */
static double write_live(struct bench *bench)
{
	struct fyke_session_tcp tcp = {.handshake_us = 15000, .handshake_server_us = 14000};
	struct fyke_session session = {.birth = {123456, 0},
		.start_ns = 1700000000123456789,
		.end_ns = 1700000001123456789,
		.updated_ns = 1700000001123456789,
		.ended = true,
		.transport = "tcp",
		.community_id = "1:wCb3OG7yAFWelaUydu0D+125CLM=",
		.service = "tls",
		.port_service = "https",
		.content_service = "tls",
		.server_name = "www.example.test",
		.history = "ShADadFf",
		.tcp = &tcp};
	struct fyke_jsonl *jsonl = fyke_jsonl_new_live(false);
	double started = cpu_seconds();

	for (int side = 0; side < 2; side++) {
		session.side[side] = (struct fyke_session_side){
			.port = 40000, .packets = 40, .bytes = 4000, .has_mac = true};
		if (!fyke_address_parse(side == 0 ? "192.0.2.17" : "2001:db8::17", &session.side[side].ip))
			fail("address");
		tcp.side[side] = (struct fyke_session_tcp_side){
			.isn = 123456789, .mss = 1460, .stream_bytes = 3000, .rtt_mean_us = 15000};
	}
	for (int i = 0; i < LIVE && jsonl != NULL; i++) {
		if (!fyke_jsonl_session(jsonl, &session, bench->out))
			fail("out of memory");
		putc('\n', bench->out);
	}
	fyke_jsonl_free(jsonl);
	return cpu_seconds() - started;
}

static void prepare(struct bench *bench)
{
	struct fyke_error error;
	char *sql;

	fyke_dissector_tables(bench->tables, FYKE_TABLES_MAX);
	if (fyke_jsonl_new_stored(bench->db, bench->tables, false, &bench->jsonl, &error) != FYKE_OK)
		fail(error.text);
	sql = sqlite3_mprintf("SELECT %s FROM sessions AS s LEFT JOIN tcp AS t ON t.session_id = s.id",
		fyke_jsonl_select(bench->jsonl));
	if (sqlite3_prepare_v2(bench->db, sql, -1, &bench->rows, NULL) != SQLITE_OK)
		fail(sqlite3_errmsg(bench->db));
	sqlite3_free(sql);
}

int main(int argc, char **argv)
{
	struct fyke_database *database;
	struct fyke_error error;
	struct bench bench = {.out = fopen("/dev/null", "w")};
	double read = 1e9, written = 1e9, live = 1e9;
	long count = 0;

	if (argc != 2 || bench.out == NULL)
		fail("usage: lines DATABASE");
	if (fyke_database_open(argv[1], FYKE_DATABASE_READ, &database, &error) != FYKE_OK)
		fail(error.text);
	bench.db = fyke_database_handle(database);
	prepare(&bench);
	for (int i = 0; i < ROUNDS; i++) {
		read = fmin(read, read_all(&bench));
		written = fmin(written, write_all(&bench, &count));
		live = fmin(live, write_live(&bench));
	}
	printf("%ld sessions: %.2f us each to read, %.2f us more as lines of JSON; %.2f us a live TCP "
	       "session\n",
		count, read / (double)count * 1e6, (written - read) / (double)count * 1e6, live);
	sqlite3_finalize(bench.rows);
	fyke_jsonl_free(bench.jsonl);
	fyke_database_close(database);
	(void)fclose(bench.out);
	return 0;
}
