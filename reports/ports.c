/* Reads `ports` and `port_history`: the table of `fyke ports`, and its JSON. */
#include "reports/ports.h"

#include "analyzer/base/text.h"
#include "reports/facts.h"
#include "reports/wrap.h"
#include "storage/filter.h"

#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

enum { CLOSED_SHOWN = 8 };

const char *fyke_port_change_name(enum fyke_port_change change)
{
	static const char *const names[] = {
		"first_seen", "began_to_listen", "stopped_listening", "changed_often"};

	return names[change];
}

/* A span is one state proven again and again; a port that has one only needs no look at the spans apart. */
/* clang-format off */
#define SPANS(table) \
	"spans AS MATERIALIZED (SELECT ip, transport, port, count(*) AS n, max(iif(state = 'open', last_us, NULL)) AS open_last," \
	"  min(iif(state = 'open', first_us, NULL)) AS open_first, max(iif(state <> 'open', last_us, NULL)) AS other_last," \
	"  min(iif(state <> 'open', first_us, NULL)) AS other_first, min(capture_id) AS capture_id, min(state) AS state," \
	"  min(first_us) AS first_us, max(last_us) AS last_us, sum(proofs) AS proofs, min(session_id) AS session_id" \
	"  FROM " table " WHERE ?1 = 0 OR capture_id <= ?1 GROUP BY ip, transport, port)"
#define JOINED \
	" LEFT JOIN spans AS s ON s.ip = p.ip AND s.transport = p.transport AND s.port = p.port" \
	" WHERE (?3 = 0 OR p.state = 'open') AND (?4 = 0 OR p.last_seen_us >= ?4)"
#define CHANGE " iif(p.state = 'open', s.other_last, s.open_last), iif(p.state = 'open', s.open_first, s.other_first)"
#define ORDER \
	" ORDER BY p.ip, CASE p.state WHEN 'open' THEN 0 WHEN 'filtered' THEN 1 ELSE 2 END, p.transport, p.port"

/* Of several captures: the latest proof of each port, sums of sessions, and the most clients of one capture.
 * The history is looked at in all captures up to the one asked for. */
static const char many_query[] =
	"WITH proven AS (SELECT *, row_number() OVER (PARTITION BY ip, transport, port ORDER BY last_seen_us DESC,"
	"  capture_id DESC) AS place, min(first_seen_us) OVER k AS first_us, max(last_seen_us) OVER k AS last_us,"
	"  sum(sessions) OVER k AS all_sessions, max(clients) OVER k AS most, max(home_clients) OVER k AS home,"
	"  max(private_clients) OVER k AS private, max(world_clients) OVER k AS world, max(product) OVER k AS said,"
	"  max(encryption) OVER k AS least_encryption, min(encryption) OVER k AS most_encryption"
	"  FROM ports WHERE (?1 = 0 OR capture_id = ?1) AND (?2 IS NULL OR ip = ?2 OR fyke_in_net(ip, ?2))"
	"  WINDOW k AS (PARTITION BY ip, transport, port)), " SPANS("port_intervals")
	" SELECT p.ip, p.transport, p.port, p.state, p.service, p.said, p.evidence,"
	"  iif(p.least_encryption IS NOT p.most_encryption, 'mixed', p.least_encryption), p.first_us, p.last_us, p.all_sessions,"
	"  p.session_id, p.most, p.home, p.private, p.world," CHANGE ", coalesce(s.n, 0), s.capture_id, s.state, s.first_us,"
	"  s.last_us, s.proofs, s.session_id FROM proven AS p" JOINED " AND p.place = 1" ORDER;

/* Where there is one capture, its rows are that already; of ports that never were open they are the span, too. */
static const char one_query[] =
	"WITH " SPANS("port_history")
	" SELECT p.ip, p.transport, p.port, p.state, p.service, p.product, p.evidence, p.encryption, p.first_seen_us,"
	"  p.last_seen_us, p.sessions, p.session_id, p.clients, p.home_clients, p.private_clients, p.world_clients," CHANGE ","
	"  coalesce(s.n, p.state <> 'open' AND p.evidence IS NOT 'silence'), coalesce(s.capture_id, p.capture_id),"
	"  coalesce(s.state, p.state), coalesce(s.first_us, p.first_seen_us), coalesce(s.last_us, p.last_seen_us),"
	"  coalesce(s.proofs, p.sessions), iif(s.n IS NULL, p.session_id, s.session_id) FROM ports AS p" JOINED
	" AND (?2 IS NULL OR p.ip = ?2 OR fyke_in_net(p.ip, ?2))" ORDER;

enum {
	IP, TRANSPORT, PORT, STATE, SERVICE, PRODUCT, EVIDENCE, ENCRYPTION, FIRST, LAST, SESSIONS, SESSION, CLIENTS, HOME,
	PRIVATE, WORLD, OTHER_LAST, SAME_FIRST, SPAN_COUNT, SPAN_CAPTURE, SPAN_STATE, SPAN_FIRST, SPAN_LAST, SPAN_PROOFS,
	SPAN_SESSION
};
/* clang-format on */

static const char *text_at(sqlite3_stmt *row, int column)
{
	return (const char *)sqlite3_column_text(row, column);
}

static int64_t number_at(sqlite3_stmt *row, int column)
{
	return sqlite3_column_type(row, column) == SQLITE_INTEGER ? sqlite3_column_int64(row, column) : -1;
}

/* "Began to listen" needs a refusal before; without one, somebody just looked for the first time. */
static void find_change(struct fyke_port_line *line, sqlite3_stmt *row)
{
	int64_t other_us = sqlite3_column_int64(row, OTHER_LAST),
		same_us = sqlite3_column_int64(row, SAME_FIRST);

	line->change = FYKE_PORT_FIRST_SEEN;
	line->change_us = line->first_us;
	if (sqlite3_column_type(row, OTHER_LAST) != SQLITE_INTEGER || line->is_silent ||
		sqlite3_column_type(row, SAME_FIRST) != SQLITE_INTEGER)
		return;
	line->change_us = other_us;
	if (line->span_count > 2 && other_us > same_us)
		line->change = FYKE_PORT_CHANGED_OFTEN;
	else if (strcmp(line->state, "open") == 0)
		line->change = other_us <= same_us ? FYKE_PORT_BEGAN_TO_LISTEN : FYKE_PORT_CHANGED_OFTEN;
	else
		line->change = FYKE_PORT_STOPPED;
}

static bool read_line(sqlite3_stmt *row, struct fyke_port_line *line)
{
	*line = (struct fyke_port_line){.ip = text_at(row, IP),
		.transport = text_at(row, TRANSPORT),
		.state = text_at(row, STATE),
		.service = text_at(row, SERVICE),
		.product = text_at(row, PRODUCT),
		.evidence = text_at(row, EVIDENCE),
		.encryption = text_at(row, ENCRYPTION),
		.port = sqlite3_column_int64(row, PORT),
		.first_us = sqlite3_column_int64(row, FIRST),
		.last_us = sqlite3_column_int64(row, LAST),
		.sessions = sqlite3_column_int64(row, SESSIONS),
		.session_id = number_at(row, SESSION),
		.clients = number_at(row, CLIENTS),
		.home_clients = number_at(row, HOME),
		.private_clients = number_at(row, PRIVATE),
		.world_clients = number_at(row, WORLD),
		.span_count = sqlite3_column_int64(row, SPAN_COUNT),
		.span = {sqlite3_column_int64(row, SPAN_CAPTURE), text_at(row, SPAN_STATE),
			sqlite3_column_int64(row, SPAN_FIRST), sqlite3_column_int64(row, SPAN_LAST),
			sqlite3_column_int64(row, SPAN_PROOFS), number_at(row, SPAN_SESSION)}};
	if (line->ip == NULL || line->transport == NULL || line->state == NULL)
		return false;
	line->evidence = line->evidence == NULL ? "" : line->evidence;
	line->is_tcp = strcmp(line->transport, "tcp") == 0;
	line->is_silent = strcmp(line->evidence, "silence") == 0;
	find_change(line, row);
	return true;
}

/* Whether no other capture up to the one asked for has a say. */
static enum fyke_status is_alone(
	struct sqlite3 *db, int64_t capture_id, bool *alone, struct fyke_error *error)
{
	sqlite3_stmt *row;
	enum fyke_status status = fyke_facts_prepare(
		db, "SELECT count(*) FROM captures WHERE ?1 = 0 OR id <= ?1", capture_id, &row, error);

	*alone = false;
	while (status == FYKE_OK && fyke_facts_step(&row, &status, error))
		*alone = sqlite3_column_int64(row, 0) == 1;
	return status;
}

static enum fyke_status prepare_ports(struct fyke_database *database,
	const struct fyke_ports_options *options, sqlite3_stmt **row, struct fyke_error *error)
{
	sqlite3 *db = fyke_database_handle(database);
	enum fyke_status status = fyke_filter_register(db, error);
	bool alone;

	if (status == FYKE_OK)
		status = is_alone(db, options->capture, &alone, error);
	if (status == FYKE_OK)
		status = fyke_facts_prepare(db, alone ? one_query : many_query, options->capture, row, error);
	if (status != FYKE_OK)
		return status;
	sqlite3_bind_text(*row, 2, options->host, -1, SQLITE_STATIC);
	sqlite3_bind_int(*row, 3, options->open_only);
	sqlite3_bind_int64(*row, 4, options->since_us);
	return FYKE_OK;
}

static void recount(
	struct fyke_database *database, struct fyke_port_usage *usage, struct fyke_port_line *line)
{
	const struct fyke_port_use *use = fyke_port_usage_find(usage, line->ip, line->is_tcp, line->port);
	int64_t clients[FYKE_ORIGIN_COUNT];

	line->home_clients = line->private_clients = line->world_clients = -1;
	if (use == NULL)
		return;
	fyke_port_usage_origins(usage, use, fyke_database_home(database), line->ip, clients);
	line->home_clients = clients[FYKE_ORIGIN_HOME];
	line->private_clients = clients[FYKE_ORIGIN_PRIVATE];
	line->world_clients = clients[FYKE_ORIGIN_WORLD];
}

enum fyke_status fyke_ports_each(struct fyke_database *database, const struct fyke_ports_options *options,
	fyke_port_function function, void *context, struct fyke_error *error)
{
	struct fyke_port_usage usage = {.ports = {.items = NULL}};
	sqlite3_stmt *row = NULL;
	enum fyke_status status = FYKE_OK;

	if (options->recount)
		status = fyke_port_usage_gather(
			fyke_database_handle(database), options->capture, &usage, error);
	if (status == FYKE_OK)
		status = prepare_ports(database, options, &row, error);
	while (status == FYKE_OK && fyke_facts_step(&row, &status, error)) {
		struct fyke_port_line line;

		if (!read_line(row, &line))
			continue;
		if (options->recount)
			recount(database, &usage, &line);
		status = function(context, &line);
	}
	sqlite3_finalize(row);
	if (options->recount)
		fyke_port_usage_release(&usage);
	return status;
}

/* Captures may overlap: time that two of them cover counts once. Sessions are asked only where their capture
 * does not know its packets' times yet. */
enum fyke_status fyke_ports_observed(struct sqlite3 *db, int64_t capture_id,
	struct fyke_ports_observed *observed, struct fyke_error *error)
{
	static const char sql[] =
		"SELECT coalesce(first_packet_us, (SELECT min(start_us) FROM sessions WHERE capture_id = "
		"c.id)),"
		" coalesce(last_packet_us, (SELECT max(end_us) FROM sessions WHERE capture_id = c.id))"
		" FROM captures AS c WHERE (?1 = 0 OR id = ?1) AND (first_packet_us IS NOT NULL OR EXISTS "
		"(SELECT 1 FROM sessions"
		" WHERE capture_id = c.id))"
		" ORDER BY 1";
	sqlite3_stmt *row;
	enum fyke_status status = fyke_facts_prepare(db, sql, capture_id, &row, error);

	*observed = (struct fyke_ports_observed){.captures = 0};
	while (status == FYKE_OK && fyke_facts_step(&row, &status, error)) {
		int64_t first = sqlite3_column_int64(row, 0), last = sqlite3_column_int64(row, 1);
		int64_t from =
			observed->captures > 0 && first < observed->last_us ? observed->last_us : first;

		observed->observed_us += last > from ? last - from : 0;
		if (observed->captures++ == 0)
			observed->first_us = first;
		observed->last_us =
			observed->captures == 1 || last > observed->last_us ? last : observed->last_us;
	}
	return status;
}

void fyke_ports_observed_text(
	const struct fyke_ports_observed *observed, const struct fyke_screen *screen, char *text, size_t room)
{
	char first[FYKE_TEXT_TIME], last[FYKE_TEXT_TIME], span[FYKE_TEXT_NUMBER];

	if (observed->captures == 0) {
		snprintf(text, room, "nothing");
		return;
	}
	fyke_text_time(observed->first_us, 0, first);
	fyke_text_time(observed->last_us, 0, last);
	snprintf(text, room, "%s in %lld capture%s, %s to %s",
		fyke_text_duration(observed->observed_us, screen->flags, span), (long long)observed->captures,
		observed->captures == 1 ? "" : "s", first, last);
}

/* ---- for people ---- */

struct table {
	const struct fyke_ports_options *options;
	struct fyke_grid *grid;
	FILE *out;
	char host[64];
	int64_t shown, closed, closed_left_out;
};

enum { TABLE_COLUMNS = 10 };

/* "2 here, 1 private, 3 world" */
static void say_clients(const struct fyke_port_line *line, char *text, size_t room)
{
	const struct {
		int64_t count;
		const char *word;
	} list[] = {{line->home_clients, "home"}, {line->private_clients, "private"},
		{line->world_clients, "world"}};
	size_t at = 0;

	text[0] = '\0';
	if (line->clients < 0)
		snprintf(text, room, "very many");
	else if (line->home_clients < 0)
		snprintf(text, room, "%lld", (long long)line->clients);
	for (size_t i = 0; line->clients >= 0 && i < 3 && at < room; i++) {
		if (list[i].count > 0)
			at += (size_t)snprintf(text + at, room - at, "%s%lld %s", at > 0 ? ", " : "",
				(long long)list[i].count, list[i].word);
	}
}

static const char *say_change(const struct fyke_port_line *line, char text[64])
{
	static const char *const words[] = {
		"", "began to listen after ", "open until ", "changed; other until "};
	char time[FYKE_TEXT_TIME];

	fyke_text_time(line->change_us, 0, time);
	snprintf(text, 64, "%s%s", words[line->change], time);
	return text;
}

static enum fyke_status put_line(void *context, const struct fyke_port_line *line)
{
	struct table *t = context;
	char port[32], clients[96], sessions[FYKE_TEXT_NUMBER], change[64], proof[96];
	const char *cells[TABLE_COLUMNS];
	bool same_host = strcmp(t->host, line->ip) == 0;

	if (!same_host) {
		snprintf(t->host, sizeof(t->host), "%s", line->ip);
		t->closed = 0;
	}
	if (strcmp(line->state, "closed") == 0 && t->options->host == NULL && t->closed++ >= CLOSED_SHOWN) {
		t->closed_left_out++;
		return FYKE_OK;
	}
	snprintf(port, sizeof(port), "%lld/%s", (long long)line->port, line->transport);
	say_clients(line, clients, sizeof(clients));
	snprintf(proof, sizeof(proof), "%.*lld%s%.60s", line->session_id < 0 ? 0 : 1,
		line->session_id < 0 ? 0 : (long long)line->session_id, line->session_id < 0 ? "" : ": ",
		line->evidence);
	cells[0] = same_host ? "" : line->ip;
	cells[1] = port;
	cells[2] = line->is_silent ? "filtered or down" : line->state;
	cells[3] = line->service == NULL ? "" : line->service;
	cells[4] = line->product == NULL ? "" : line->product;
	cells[5] = line->encryption == NULL ? "" : line->encryption;
	cells[6] = clients;
	cells[7] = fyke_text_count(line->sessions, sessions);
	cells[8] = proof;
	cells[9] = say_change(line, change);
	t->shown++;
	return fyke_grid_row(t->grid, cells) ? FYKE_OK : FYKE_FAILED_MEMORY;
}

enum fyke_status fyke_ports_text(struct fyke_database *database, const struct fyke_ports_options *options,
	FILE *out, struct fyke_error *error)
{
	const struct fyke_grid_column columns[TABLE_COLUMNS] = {
		{.title = "host", .address = true, .least = 20}, {.title = "port"}, {.title = "state"},
		{.title = "service", .least = 8}, {.title = "says it is", .least = 12, .goes = 3},
		{.title = "traffic", .goes = 2}, {.title = "from", .least = 10},
		{.title = "sessions", .right = true, .goes = 1},
		{.title = "proof (session)", .least = 12, .goes = 4},
		{.title = "since", .least = 21, .goes = 5}};
	struct table table = {.options = options, .out = out};
	struct fyke_ports_observed observed;
	enum fyke_status status =
		fyke_ports_observed(fyke_database_handle(database), options->capture, &observed, error);
	char text[200];

	if (status != FYKE_OK)
		return status;
	table.grid = fyke_grid_new(&options->screen, columns, TABLE_COLUMNS, out);
	if (table.grid == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	status = fyke_ports_each(database, options, put_line, &table, error);
	fyke_grid_finish(table.grid);
	if (status == FYKE_FAILED_MEMORY)
		return fyke_error_set(error, status, "out of memory");
	if (table.closed_left_out > 0)
		fprintf(out, "... and %lld more closed ports (--host shows those of one host)\n",
			(long long)table.closed_left_out);
	fyke_ports_observed_text(&observed, &options->screen, text, sizeof(text));
	fputs(table.shown > 0 ? "\n" : "Nothing was proven of any port.\n", out);
	fyke_wrap_put(&(struct fyke_wrap){&options->screen, out, 0, 10}, "Observed", FYKE_PAINT_PLAIN, text);
	return status;
}
