/* Reads `ports` and `port_history`: the table of `fyke ports`, and its JSON. */
#include "reports/ports.h"

#include "analyzer/base/text.h"
#include "reports/facts.h"
#include "reports/json_row.h"
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

/* Of several captures: the latest proof of each port, sums of sessions, and the most clients of one capture.
 * The history is looked at in all captures up to the one asked for. */
/* clang-format off */
static const char port_query[] =
	"WITH proven AS (SELECT *, row_number() OVER (PARTITION BY ip, transport, port ORDER BY last_seen_us DESC,"
	"  capture_id DESC) AS place, min(first_seen_us) OVER k AS first_us, max(last_seen_us) OVER k AS last_us,"
	"  sum(sessions) OVER k AS all_sessions, max(clients) OVER k AS most, max(home_clients) OVER k AS home,"
	"  max(private_clients) OVER k AS private, max(world_clients) OVER k AS world, max(product) OVER k AS said,"
	"  max(encryption) OVER k AS least_encryption, min(encryption) OVER k AS most_encryption"
	"  FROM ports WHERE (?1 = 0 OR capture_id = ?1) AND (?2 IS NULL OR ip = ?2 OR fyke_in_net(ip, ?2))"
	"  WINDOW k AS (PARTITION BY ip, transport, port)),"
	" spans AS MATERIALIZED (SELECT ip, transport, port, count(*) AS n, max(iif(state = 'open', last_us, NULL)) AS open_last,"
	"  min(iif(state = 'open', first_us, NULL)) AS open_first, max(iif(state <> 'open', last_us, NULL)) AS other_last,"
	"  min(iif(state <> 'open', first_us, NULL)) AS other_first FROM port_intervals WHERE ?1 = 0 OR capture_id <= ?1"
	"  GROUP BY ip, transport, port HAVING count(*) > 1)"
	" SELECT p.ip, p.transport, p.port, p.state, p.service, p.said, p.evidence,"
	"  iif(p.least_encryption IS NOT p.most_encryption, 'mixed', p.least_encryption), p.first_us, p.last_us, p.all_sessions,"
	"  p.session_id, p.most, p.home, p.private, p.world, iif(p.state = 'open', s.other_last, s.open_last), s.n,"
	"  iif(p.state = 'open', s.open_first, s.other_first)"
	" FROM proven AS p LEFT JOIN spans AS s ON s.ip = p.ip AND s.transport = p.transport AND s.port = p.port"
	" WHERE p.place = 1 AND (?3 = 0 OR p.state = 'open') AND (?4 = 0 OR p.last_seen_us >= ?4)"
	" ORDER BY p.ip, CASE p.state WHEN 'open' THEN 0 WHEN 'filtered' THEN 1 ELSE 2 END, p.transport, p.port";

enum {
	IP, TRANSPORT, PORT, STATE, SERVICE, PRODUCT, EVIDENCE, ENCRYPTION, FIRST, LAST, SESSIONS, SESSION, CLIENTS, HOME,
	PRIVATE, WORLD, OTHER_LAST, INTERVALS, SAME_FIRST
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
	if (sqlite3_column_int64(row, INTERVALS) > 2 && other_us > same_us)
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
		.world_clients = number_at(row, WORLD)};
	if (line->ip == NULL || line->transport == NULL || line->state == NULL)
		return false;
	line->evidence = line->evidence == NULL ? "" : line->evidence;
	line->is_tcp = strcmp(line->transport, "tcp") == 0;
	line->is_silent = strcmp(line->evidence, "silence") == 0;
	find_change(line, row);
	return true;
}

static enum fyke_status prepare_ports(struct fyke_database *database,
	const struct fyke_ports_options *options, sqlite3_stmt **row, struct fyke_error *error)
{
	enum fyke_status status = fyke_filter_register(fyke_database_handle(database), error);

	if (status == FYKE_OK)
		status = fyke_facts_prepare(
			fyke_database_handle(database), port_query, options->capture, row, error);
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

/* Captures may overlap: time that two of them cover counts once. */
enum fyke_status fyke_ports_observed(struct sqlite3 *db, int64_t capture_id,
	struct fyke_ports_observed *observed, struct fyke_error *error)
{
	static const char sql[] =
		"SELECT min(s.start_us, coalesce(c.first_packet_us, s.start_us)), max(s.end_us,"
		" coalesce(c.last_packet_us, s.end_us)) FROM captures AS c JOIN (SELECT capture_id, "
		"min(start_us) AS start_us,"
		" max(end_us) AS end_us FROM sessions GROUP BY capture_id) AS s ON s.capture_id = c.id"
		" WHERE ?1 = 0 OR c.id = ?1 ORDER BY 1";
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

	fyke_text_time(observed->first_us, 0, first);
	fyke_text_time(observed->last_us, 0, last);
	snprintf(text, room, "%lld capture%s, %s in all, %s to %s", (long long)observed->captures,
		observed->captures == 1 ? "" : "s",
		fyke_text_duration(observed->observed_us, screen->flags, span), first, last);
}

/* ---- for people ---- */

struct table {
	const struct fyke_ports_options *options;
	struct fyke_grid *grid;
	FILE *out;
	char host[64];
	int64_t shown, closed, closed_left_out;
};

enum { TABLE_COLUMNS = 9 };

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
		"first seen ", "began to listen after ", "open until ", "changed; other until "};
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
	snprintf(proof, sizeof(proof), "%.60s (%lld)", line->evidence, (long long)line->session_id);
	cells[0] = same_host ? "" : line->ip;
	cells[1] = port;
	cells[2] = line->is_silent ? "filtered or down" : line->state;
	cells[3] = line->service == NULL ? "" : line->service;
	cells[4] = line->product == NULL ? "" : line->product;
	cells[5] = line->encryption == NULL ? "" : line->encryption;
	cells[6] = clients;
	cells[7] = fyke_text_count(line->sessions, sessions);
	cells[8] = t->options->screen.width == 0 || t->options->screen.width > 130 ? say_change(line, change)
										   : proof;
	t->shown++;
	return fyke_grid_row(t->grid, cells) ? FYKE_OK : FYKE_FAILED_MEMORY;
}

enum fyke_status fyke_ports_text(struct fyke_database *database, const struct fyke_ports_options *options,
	FILE *out, struct fyke_error *error)
{
	bool wide = options->screen.width == 0 || options->screen.width > 130;
	const struct fyke_grid_column columns[TABLE_COLUMNS] = {
		{.title = "host", .address = true, .least = 20}, {.title = "port"}, {.title = "state"},
		{.title = "service", .least = 8}, {.title = "says it is", .least = 12, .goes = 3},
		{.title = "text", .goes = 2}, {.title = "clients from", .least = 10},
		{.title = "sessions", .right = true, .goes = 1},
		{.title = wide ? "since" : "proof (session)", .least = 12, .goes = 4}};
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
	fprintf(out, "%s%s.\n",
		table.shown > 0 ? "\nObserved: " : "Nothing was proven of any port. Observed: ", text);
	return status;
}

/* ---- for programs ---- */

json_t *fyke_ports_observed_json(const struct fyke_ports_observed *observed)
{
	json_t *object = json_object();
	bool any = observed->captures > 0;

	json_object_set_new(object, "captures", json_integer(observed->captures));
	json_object_set_new(object, "first_us", any ? json_integer(observed->first_us) : json_null());
	json_object_set_new(object, "last_us", any ? json_integer(observed->last_us) : json_null());
	json_object_set_new(object, "observed_us", json_integer(observed->observed_us));
	return object;
}

struct json_writer {
	sqlite3 *db;
	const struct fyke_ports_options *options;
	FILE *out;
	struct fyke_error *error;
	bool ascii;
	size_t n;
	sqlite3_stmt *history;
};

static json_t *text_json(const char *text)
{
	return text == NULL ? json_null() : fyke_json_text(text, strlen(text));
}

static json_t *count_json(int64_t number)
{
	return number < 0 ? json_null() : json_integer(number);
}

static json_t *history_json(struct json_writer *w, const struct fyke_port_line *line)
{
	static const char sql[] =
		"SELECT capture_id, state, first_us, last_us, proofs, session_id FROM "
		"port_intervals WHERE ip = ?2"
		" AND transport = ?3 AND port = ?4 AND capture_id IN (SELECT id FROM captures"
		" WHERE ?1 = 0 OR id <= ?1) ORDER BY first_us LIMIT 1000";
	static const struct fyke_json_column columns[] = {{"capture_id", false}, {"state", false},
		{"first_us", false}, {"last_us", false}, {"proofs", false}, {"session_id", false}};
	json_t *list = json_array();
	sqlite3_stmt *row = w->history; /* prepared once: there may be a row for each of 65,535 ports */
	struct fyke_error ignored;

	if (row == NULL &&
		fyke_facts_prepare(w->db, sql, w->options->capture, &w->history, &ignored) != FYKE_OK)
		return list;
	row = w->history;
	sqlite3_bind_text(row, 2, line->ip, -1, SQLITE_STATIC);
	sqlite3_bind_text(row, 3, line->transport, -1, SQLITE_STATIC);
	sqlite3_bind_int64(row, 4, line->port);
	while (sqlite3_step(row) == SQLITE_ROW)
		json_array_append_new(list, fyke_json_row(row, columns, 6));
	sqlite3_reset(row);
	return list;
}

static enum fyke_status put_json(void *context, const struct fyke_port_line *line)
{
	struct json_writer *w = context;
	json_t *object = json_object();

	json_object_set_new(object, "ip", text_json(line->ip));
	json_object_set_new(object, "transport", text_json(line->transport));
	json_object_set_new(object, "port", json_integer(line->port));
	json_object_set_new(object, "state", text_json(line->state));
	json_object_set_new(object, "or_down", json_boolean(line->is_silent));
	json_object_set_new(object, "service", text_json(line->service));
	json_object_set_new(object, "product", text_json(line->product));
	json_object_set_new(object, "encryption", text_json(line->encryption));
	json_object_set_new(object, "evidence", text_json(line->evidence));
	json_object_set_new(object, "session_id", count_json(line->session_id));
	json_object_set_new(object, "first_seen_us", json_integer(line->first_us));
	json_object_set_new(object, "last_seen_us", json_integer(line->last_us));
	json_object_set_new(object, "sessions", json_integer(line->sessions));
	json_object_set_new(object, "clients", count_json(line->clients));
	json_object_set_new(object, "home_clients", count_json(line->home_clients));
	json_object_set_new(object, "private_clients", count_json(line->private_clients));
	json_object_set_new(object, "world_clients", count_json(line->world_clients));
	json_object_set_new(object, "change", text_json(fyke_port_change_name(line->change)));
	json_object_set_new(object, "change_us", json_integer(line->change_us));
	json_object_set_new(object, "history", history_json(w, line));
	fputs(w->n++ == 0 ? "\n  " : ",\n  ", w->out);
	return fyke_json_write(object, w->ascii, w->out) ? FYKE_OK : FYKE_FAILED_MEMORY;
}

enum fyke_status fyke_ports_json(struct fyke_database *database, const struct fyke_ports_options *options,
	FILE *out, struct fyke_error *error)
{
	struct json_writer w = {.db = fyke_database_handle(database),
		.options = options,
		.out = out,
		.error = error,
		.ascii = fileno(out) >= 0 && isatty(fileno(out)) == 1};
	struct fyke_ports_observed observed;
	enum fyke_status status = fyke_ports_observed(w.db, options->capture, &observed, error);

	if (status != FYKE_OK)
		return status;
	fputs("{\n \"observed\": ", out);
	if (!fyke_json_write(fyke_ports_observed_json(&observed), w.ascii, out))
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	fputs(",\n \"ports\": [", out);
	status = fyke_ports_each(database, options, put_json, &w, error);
	sqlite3_finalize(w.history);
	fputs(w.n > 0 ? "\n ]\n}\n" : "]\n}\n", out);
	return status == FYKE_FAILED_MEMORY ? fyke_error_set(error, status, "out of memory") : status;
}
