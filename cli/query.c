/* `fyke query`: sessions by a filter, or rows by SQL of the user's. */
#include "cli/query.h"

#include "analyzer/base/text.h"
#include "analyzer/classify/services.h"
#include "cli/choose.h"
#include "cli/command.h"
#include "reports/report.h"
#include "storage/database.h"
#include "storage/folded.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct fyke_option options[] = {{'d', "database", "FILE", "the session database (fyke.db)"},
	{0, "capture", "last|N|all", "sessions of this capture only (all)"},
	{0, "format", "FORMAT", "table, json, jsonl or csv (table)"},
	{0, "sort", "COL,-COL", "order of the rows; - in front: descending (start)"},
	{0, "limit", "N", "at most N rows; 0 = all (100 for a table on a terminal, else all)"},
	{0, "columns", "A,B,...", "which columns, or `all` with those of TCP"},
	{0, "count", NULL, "only how many sessions match"},
	{0, "explain", NULL, "show the SQL that the filter becomes and how SQLite goes about it"},
	{0, "sql", "SQL", "run a SELECT of your own, read-only"},
	{0, "records", NULL, "what the sessions said, record by record"}, {0}};

enum {
	OPTION_CAPTURE = 1,
	OPTION_FORMAT,
	OPTION_SORT,
	OPTION_LIMIT,
	OPTION_COLUMNS,
	OPTION_COUNT,
	OPTION_EXPLAIN,
	OPTION_SQL,
	OPTION_RECORDS
};

const struct fyke_command_help fyke_help_query = {
	.summary = "answer a question from the database",
	.usage = "[OPTIONS] [FILTER]",
	.about = "A filter without words matches every session. What it may say:\n"
		 "\n"
		 "  host A, src A, dst A   an address, network, MAC address or server's name (src = client)\n"
		 "  net 10.0.0.0/8         also src net, dst net; IPv6 likewise\n"
		 "  port 443               also 80,443 and 8000-8100 and https; src port, dst port\n"
		 "  tcp udp icmp icmp6 sctp, ip, ip6\n"
		 "  service http,dns       state S0,REJ       capture last\n"
		 "  since T, until T       2026-11-23, '2026-11-23 10:00', 10:00, today, yesterday, 2h ago, "
		 "-30m\n"
		 "  last 2h                times are UTC unless they have an offset\n"
		 "  COLUMN = VALUE         = != < <= > >= ~ !~ with any column of sessions or tcp, or "
		 "table.column;\n"
		 "                         ~ looks for text within, * and ? stand for any; 10k 5MB 2s 300ms; "
		 "null\n"
		 "  42                     the session with this id\n"
		 "  and or not ( )         also && || !; words side by side mean and\n"
		 "\n"
		 "A name without client_ or server_ in front means either side (mac, ttl, mss, zero_windows "
		 "…).\n"
		 "`!=` asks for a known value, `not COLUMN = VALUE` lets unknown ones through.\n",
	.options = options,
	.examples = "fyke query 'host 10.0.0.5 and port 443 and client_retransmitted_segments > 10'\n"
		    "fyke query 'state S0,REJ since today' --sort -start --limit 20\n"
		    "fyke query 42 --records\n"
		    "fyke query 'http.host = example.org or dns.query ~ example'\n"
		    "fyke query 'bytes > 10MB' --columns id,client,server,bytes --format csv\n"
		    "fyke query --sql 'SELECT service, count(*) FROM sessions GROUP BY 1 ORDER BY 2 DESC'\n",
};

/* A page and the count behind it come within ANSWER_US, if the page does; a count gets COUNTING_US at least.
 */
enum { ANSWER_US = 90000, COUNTING_US = 10000 };

static bool parse_format(const char *text, enum fyke_query_format *format)
{
	static const char *const names[] = {"table", "json", "jsonl", "csv"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], text) == 0) {
			*format = (enum fyke_query_format)i;
			return true;
		}
	}
	return false;
}

static int take_option(struct fyke_query_request *request, int option, const char *value)
{
	uint64_t number;

	switch (option) {
	case 'd':
		request->database = value;
		break;
	case FYKE_OPTION(OPTION_CAPTURE):
		if (!fyke_report_parse_capture(value, &request->capture))
			return fyke_usage(
				"query", "--capture takes last, all or a capture's id, not '%s'", value);
		break;
	case FYKE_OPTION(OPTION_FORMAT):
		if (!parse_format(value, &request->format))
			return fyke_usage(
				"query", "--format takes table, json, jsonl or csv, not '%s'", value);
		break;
	case FYKE_OPTION(OPTION_LIMIT):
		if (!fyke_parse_count(value, INT64_MAX - 1, &number))
			return fyke_usage("query", "--limit takes a number, not '%s'", value);
		request->limit = number == 0 ? -1 : (int64_t)number;
		request->limit_given = true;
		break;
	case FYKE_OPTION(OPTION_SORT):
		request->sort = value;
		break;
	case FYKE_OPTION(OPTION_COLUMNS):
		request->columns = value;
		break;
	case FYKE_OPTION(OPTION_COUNT):
		request->count = true;
		break;
	case FYKE_OPTION(OPTION_EXPLAIN):
		request->explain = true;
		break;
	case FYKE_OPTION(OPTION_SQL):
		request->sql = value;
		break;
	case FYKE_OPTION(OPTION_RECORDS):
		request->records = true;
		break;
	default:
		return FYKE_EXIT_USAGE;
	}
	return FYKE_EXIT_DONE;
}

static const char *contradiction(const struct fyke_query_request *request, bool has_filter)
{
	bool shaped = request->columns != NULL || request->sort != NULL || request->count ||
		      request->capture != FYKE_REPORT_ALL;

	if (request->sql != NULL && (has_filter || shaped || request->records))
		return "--sql stands alone: no filter, --columns, --sort, --count, --capture or --records";
	if (request->records && (shaped || request->explain || request->format != FYKE_QUERY_TABLE))
		return "--records goes with a filter and --limit only; in JSON sessions have their records "
		       "anyway";
	return NULL;
}

static int parse_request(int argc, char **argv, struct fyke_query_request *request, bool *stop)
{
	struct fyke_arguments arguments;
	const char *wrong;
	int option, result;

	*stop = true;
	fyke_options_begin(&arguments, argc, argv, &fyke_help_query);
	while ((option = fyke_options_next(&arguments)) != FYKE_OPTIONS_END) {
		if (option == FYKE_OPTIONS_STOP)
			return arguments.exit;
		result = take_option(request, option, arguments.value);
		if (result != FYKE_EXIT_DONE)
			return result;
	}
	wrong = contradiction(request, arguments.first < argc);
	if (wrong != NULL)
		return fyke_usage("query", "%s", wrong);
	request->filter = fyke_choose_join(argv + arguments.first, argc - arguments.first);
	*stop = request->filter == NULL;
	return *stop ? FYKE_EXIT_FAILED : FYKE_EXIT_DONE;
}

static enum fyke_status prepare(sqlite3 *db, const char *sql, const struct fyke_filter *filter,
	sqlite3_stmt **statement, struct fyke_error *error)
{
	if (sql == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	if (sqlite3_prepare_v2(db, sql, -1, statement, NULL) != SQLITE_OK)
		return fyke_error_set(error, FYKE_FAILED_DATABASE, "%s", sqlite3_errmsg(db));
	return filter == NULL ? FYKE_OK : fyke_filter_bind(filter, *statement, error);
}

static enum fyke_status count_sessions(
	sqlite3 *db, const struct fyke_filter *filter, int64_t *count, struct fyke_error *error)
{
	char *sql = fyke_filter_count_sql(filter);
	sqlite3_stmt *statement = NULL;
	enum fyke_status status = prepare(db, sql, filter, &statement, error);

	*count = 0;
	if (status == FYKE_OK && sqlite3_step(statement) == SQLITE_ROW)
		*count = sqlite3_column_int64(statement, 0);
	else if (status == FYKE_OK)
		status = fyke_error_set(error, FYKE_FAILED_DATABASE, "%s", sqlite3_errmsg(db));
	sqlite3_finalize(statement);
	sqlite3_free(sql);
	return status;
}

static void put_line(const char *text)
{
	const struct fyke_screen screen = fyke_screen_of(stdout);

	fyke_screen_put(&screen, text, 0, FYKE_PAINT_PLAIN, stdout);
	fputc('\n', stdout);
}

/* SQL of ours, which has line ends between its clauses. */
static void put_lines(const char *sql)
{
	while (*sql != '\0') {
		size_t length = strcspn(sql, "\n");
		char *line = strndup(sql, length);

		if (line != NULL)
			put_line(line);
		free(line);
		sql += length + (sql[length] == '\n');
	}
}

static enum fyke_status explain(
	sqlite3 *db, const char *sql, const struct fyke_filter *filter, struct fyke_error *error)
{
	char *plan = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql), *value;
	sqlite3_stmt *statement = NULL;
	enum fyke_status status = prepare(db, plan, filter, &statement, error);

	put_lines(sql);
	for (size_t n = 1; (value = fyke_filter_parameter(filter, n)) != NULL; n++) {
		printf("?%zu = ", n);
		put_line(value);
		sqlite3_free(value);
	}
	while (status == FYKE_OK && sqlite3_step(statement) == SQLITE_ROW) {
		fputs("  ", stdout);
		put_line((const char *)sqlite3_column_text(statement, 3));
	}
	sqlite3_finalize(statement);
	sqlite3_free(plan);
	return status;
}

static int64_t effective_limit(const struct fyke_query_request *request, const struct fyke_query_rows *rows)
{
	if (request->limit_given)
		return request->limit;
	return request->format == FYKE_QUERY_TABLE && rows->screen.is_terminal ? 100 : -1;
}

static int64_t clock_us(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) != 0)
		return 0;
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int is_past(void *deadline)
{
	return clock_us(CLOCK_MONOTONIC) > *(const int64_t *)deadline;
}

/* How much is missing from what was shown: never in silence. Counting must not take long, though. */
static enum fyke_status tell_rest(sqlite3 *db, const struct fyke_query_request *request,
	const struct fyke_filter *filter, int64_t written, struct fyke_error *error)
{
	int64_t count, now = clock_us(CLOCK_MONOTONIC), deadline = request->started_us + ANSWER_US;
	char a[FYKE_TEXT_NUMBER], b[FYKE_TEXT_NUMBER];
	enum fyke_status status;

	if (request->format != FYKE_QUERY_TABLE && request->limit_given)
		return FYKE_OK;
	(void)fflush(stdout);
	if (deadline < now + COUNTING_US)
		deadline = now + COUNTING_US;
	sqlite3_progress_handler(db, 10000, is_past, &deadline);
	status = count_sessions(db, filter, &count, error);
	sqlite3_progress_handler(db, 0, NULL, NULL);
	if (status == FYKE_OK)
		fprintf(stderr, "%s of %s sessions; --limit 0 shows all\n", fyke_text_count(written, a),
			fyke_text_count(count, b));
	else if (sqlite3_errcode(db) == SQLITE_INTERRUPT)
		fprintf(stderr,
			"the first %s sessions, there are more; --limit 0 shows all, --count counts\n",
			fyke_text_count(written, a));
	else
		return status;
	return FYKE_OK;
}

static bool is_blank(const char *text)
{
	return text[strspn(text, " \t\n")] == '\0';
}

static enum fyke_status show(sqlite3 *db, const struct fyke_query_request *request,
	const struct fyke_filter *filter, const char *sql, struct fyke_query_rows *rows,
	struct fyke_error *error)
{
	enum fyke_status status = prepare(db, sql, filter, &rows->statement, error);
	int64_t written = 0;
	bool more = false;

	if (status == FYKE_OK)
		status = fyke_query_write(rows, stdout, &written, &more, error);
	sqlite3_finalize(rows->statement);
	if (status != FYKE_OK || ferror(stdout))
		return status;
	if (more)
		return tell_rest(db, request, filter, written, error);
	if (written == 0)
		fputs(is_blank(request->filter) ? "the database holds no session\n" : "no session matches\n",
			stderr);
	return FYKE_OK;
}

static enum fyke_status run_filter(sqlite3 *db, const struct fyke_query_request *request,
	const struct fyke_filter_columns *columns, struct fyke_filter *filter, struct fyke_error *error)
{
	struct fyke_query_rows *rows = calloc(1, sizeof(*rows));
	struct fyke_query_plan plan = {0};
	enum fyke_status status;
	char *sql = NULL;

	if (rows == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	rows->db = db;
	rows->format = request->format;
	rows->screen = fyke_screen_of(stdout);
	rows->limit = effective_limit(request, rows);
	status = fyke_query_plan_make(request, columns, rows, &plan, error);
	if (status == FYKE_OK) {
		/* One more than is shown tells whether there is more. */
		int64_t limit = rows->limit < 0 ? -1 : rows->limit + 1;
		const struct fyke_filter_select select = {.columns = plan.select,
			.order = plan.order,
			.uses_tcp = plan.uses_tcp,
			.limit = limit,
			.page = limit >= 0 && request->sort == NULL};

		if (select.page)
			fyke_filter_look(filter, db);
		sql = fyke_filter_sql(filter, &select);
		status = request->explain && sql != NULL ? explain(db, sql, filter, error)
							 : show(db, request, filter, sql, rows, error);
	}
	sqlite3_free(sql);
	fyke_query_plan_release(&plan);
	fyke_jsonl_free(rows->jsonl);
	free(rows);
	return status;
}

static enum fyke_status run_count(sqlite3 *db, const struct fyke_query_request *request,
	const struct fyke_filter *filter, struct fyke_error *error)
{
	int64_t count;
	char *sql = request->explain ? fyke_filter_count_sql(filter) : NULL;
	enum fyke_status status =
		sql != NULL ? explain(db, sql, filter, error) : count_sessions(db, filter, &count, error);

	if (status == FYKE_OK && sql == NULL)
		printf("%" PRId64 "\n", count);
	sqlite3_free(sql);
	return status;
}

/* The capture that --capture means; `last` of none is a capture that no session has. */
static enum fyke_status find_capture(
	sqlite3 *db, int64_t asked, int64_t *capture_id, struct fyke_error *error)
{
	sqlite3_stmt *statement = NULL;
	enum fyke_status status;

	*capture_id = 0;
	if (asked == FYKE_REPORT_ALL)
		return FYKE_OK;
	status =
		prepare(db, "SELECT max(id) FROM captures WHERE ?1 = -1 OR id = ?1", NULL, &statement, error);
	if (status != FYKE_OK)
		return status;
	sqlite3_bind_int64(statement, 1, asked);
	if (sqlite3_step(statement) == SQLITE_ROW)
		*capture_id = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	if (*capture_id == 0 && asked > 0)
		return fyke_error_set(
			error, FYKE_FAILED_USAGE, "the database has no capture %" PRId64, asked);
	if (*capture_id == 0)
		*capture_id = -1;
	return FYKE_OK;
}

static enum fyke_status compile_and_run(
	sqlite3 *db, const struct fyke_query_request *request, bool *told, struct fyke_error *error)
{
	struct fyke_services *services = NULL;
	struct fyke_filter_options filter_options = {.now_us = clock_us(CLOCK_REALTIME),
		.ports_of = fyke_choose_ports_of,
		.ports_context = &services};
	struct fyke_filter_columns *columns = NULL;
	struct fyke_filter_fault fault = {0};
	struct fyke_filter *filter = NULL;
	enum fyke_status status = fyke_filter_register(db, error);

	filter_options.folded = fyke_folded_is_there(db);
	if (status == FYKE_OK)
		status = find_capture(db, request->capture, &filter_options.capture_id, error);
	if (status == FYKE_OK)
		status = fyke_filter_columns_load(db, &columns, error);
	if (status == FYKE_OK)
		status = fyke_filter_compile(
			columns, request->filter, &filter_options, &filter, &fault, error);
	if (status == FYKE_FAILED_USAGE && fault.text[0] != '\0') {
		char *shown = fyke_filter_explain_fault(request->filter, &fault);

		fprintf(stderr, "fyke query: %s", shown == NULL ? fault.text : shown);
		sqlite3_free(shown);
		*told = true;
	}
	if (status == FYKE_OK)
		status = request->count ? run_count(db, request, filter, error)
					: run_filter(db, request, columns, filter, error);
	fyke_filter_free(filter);
	fyke_filter_columns_free(columns);
	fyke_services_free(services);
	return status;
}

int fyke_command_query(int argc, char **argv)
{
	struct fyke_query_request request = {.database = "fyke.db",
		.capture = FYKE_REPORT_ALL,
		.limit = -1,
		.started_us = clock_us(CLOCK_MONOTONIC)};
	struct fyke_database *database = NULL;
	struct fyke_error error;
	enum fyke_status status;
	bool stop, told = false;
	int result = parse_request(argc, argv, &request, &stop);

	if (stop) {
		free(request.filter);
		return result;
	}
	status = fyke_database_open(request.database, FYKE_DATABASE_READ, &database, &error);
	if (status == FYKE_OK && request.sql != NULL)
		status = fyke_query_sql(database, &request, &error);
	else if (status == FYKE_OK && request.records)
		status = fyke_query_records(fyke_database_handle(database), &request, &error);
	else if (status == FYKE_OK)
		status = compile_and_run(fyke_database_handle(database), &request, &told, &error);
	fyke_database_close(database);
	free(request.filter);
	if (status == FYKE_OK)
		return FYKE_EXIT_DONE;
	return told ? FYKE_EXIT_USAGE : fyke_choose_fail("query", &error);
}
