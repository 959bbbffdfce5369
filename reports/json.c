/*
 * The JSON report (DESIGN of the object: reports/report.schema.json), written section by section so
 * that memory does not grow with the number of sessions, hosts or ports. Order is deterministic.
 */
#include "reports/report.h"

#include "reports/facts.h"
#include "reports/json_contents.h"
#include "reports/json_row.h"
#include "storage/jsonl.h"
#include "storage/schema.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PARTS_MOST = 1000 }; /* files, interfaces and comments of a capture */

struct writer {
	sqlite3 *db;
	const struct fyke_report_options *options;
	int64_t capture_id; /* 0 = all */
	const struct fyke_facts *facts;
	FILE *out;
	bool ascii; /* it is a terminal */
	struct fyke_error *error;
};

static enum fyke_status out_of_memory(const struct writer *w)
{
	return fyke_error_set(w->error, FYKE_FAILED_MEMORY, "out of memory");
}

static enum fyke_status write_key(const struct writer *w, const char *key, json_t *value)
{
	fprintf(w->out, ",\n \"%s\": ", key);
	return fyke_json_write(value, w->ascii, w->out) ? FYKE_OK : out_of_memory(w);
}

static enum fyke_status write_element(const struct writer *w, size_t n, json_t *value)
{
	fputs(n == 0 ? "\n  " : ",\n  ", w->out);
	return fyke_json_write(value, w->ascii, w->out) ? FYKE_OK : out_of_memory(w);
}

/* The declared columns of a table that the database has, as a select list and keys. */
static char *table_query(
	const struct fyke_schema_table *table, const char *tail, struct fyke_json_column *columns)
{
	sqlite3_str *sql = sqlite3_str_new(NULL);

	sqlite3_str_appendall(sql, "SELECT ");
	for (size_t i = 0; i < table->column_count; i++) {
		columns[i] = (struct fyke_json_column){
			table->columns[i].name, table->columns[i].type == FYKE_TYPE_BOOLEAN};
		sqlite3_str_appendf(sql, "%s\"%w\"", i > 0 ? ", " : "", table->columns[i].name);
	}
	sqlite3_str_appendf(sql, " FROM \"%w\"%s", table->name, tail);
	return sqlite3_str_finish(sql);
}

/* Of findings: what shows them. */
static json_t *read_lists(json_t *row)
{
	static const char *const keys[] = {"sessions", "frames"};

	if (json_object_get(row, "rule") == NULL)
		return row;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		json_object_set_new(
			row, keys[i], fyke_json_integers(json_string_value(json_object_get(row, keys[i]))));
	return row;
}

/* An array with a row's object for each row of the table. */
static enum fyke_status write_table(const struct writer *w, const char *name, const char *order)
{
	const struct fyke_schema_table *table = fyke_schema_table(name);
	struct fyke_json_column columns[64];
	char tail[128];
	sqlite3_stmt *statement;
	enum fyke_status status;
	char *sql;
	size_t n = 0;

	if (table == NULL || table->column_count > sizeof(columns) / sizeof(columns[0]))
		return fyke_error_set(
			w->error, FYKE_FAILED_INTERNAL, "table %s is not as reports need it", name);
	snprintf(tail, sizeof(tail), "%s ORDER BY %s", w->capture_id != 0 ? " WHERE capture_id = ?1" : "",
		order);
	sql = table_query(table, tail, columns);
	status = fyke_facts_prepare(w->db, sql, w->capture_id, &statement, w->error);
	sqlite3_free(sql);
	if (status != FYKE_OK)
		return status;
	fprintf(w->out, ",\n \"%s\": [", name);
	while (status == FYKE_OK && fyke_facts_step(&statement, &status, w->error))
		status = write_element(
			w, n++, read_lists(fyke_json_row(statement, columns, table->column_count)));
	sqlite3_finalize(statement);
	fputs(n > 0 ? "\n ]" : "]", w->out);
	return status;
}

/* refusals is JSON text in the database; only names with numbers are believed. */
static json_t *read_refusals(const char *text)
{
	json_t *all = text == NULL ? NULL : json_loads(text, 0, NULL), *good = json_object(), *value;
	const char *key;

	json_object_foreach(all, key, value)
	{
		if (json_is_integer(value))
			json_object_set(good, key, value);
	}
	json_decref(all);
	return good;
}

/* What hangs on a capture, in a table of its own: the first PARTS_MOST rows. */
static json_t *read_parts(const struct writer *w, const char *name, const char *order, int64_t capture_id)
{
	const struct fyke_schema_table *table = fyke_schema_table(name);
	struct fyke_json_column columns[64];
	enum fyke_status status;
	sqlite3_stmt *statement;
	json_t *parts = json_array();
	char tail[80], *sql;

	snprintf(tail, sizeof(tail), " WHERE capture_id = ?1 ORDER BY %s LIMIT %d", order, PARTS_MOST);
	sql = table_query(table, tail, columns);

	status = fyke_facts_prepare(w->db, sql, capture_id, &statement, w->error);
	sqlite3_free(sql);
	while (status == FYKE_OK && fyke_facts_step(&statement, &status, w->error)) {
		json_t *part = fyke_json_row(statement, columns, table->column_count);

		json_object_del(part, "capture_id");
		if (json_array_append_new(parts, part) != 0)
			status = out_of_memory(w);
	}
	sqlite3_finalize(statement);
	if (status == FYKE_OK)
		return parts;
	json_decref(parts);
	return NULL;
}

static enum fyke_status count_parts(
	const struct writer *w, const char *name, int64_t capture_id, json_t **count)
{
	sqlite3_stmt *statement;
	char sql[80];
	enum fyke_status status;

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s WHERE capture_id = ?1", name);
	status = fyke_facts_prepare(w->db, sql, capture_id, &statement, w->error);
	while (status == FYKE_OK && fyke_facts_step(&statement, &status, w->error))
		*count = json_integer(sqlite3_column_int64(statement, 0));
	return status;
}

/* Its files, interfaces and comments, and how many there are. */
static enum fyke_status add_parts(const struct writer *w, json_t *row, int64_t capture_id)
{
	static const struct {
		const char *table, *order, *count;
	} list[] = {{"files", "position", "file_count"}, {"interfaces", "position", "interface_count"},
		{"comments", "n", "comment_count"}};
	enum fyke_status status = FYKE_OK;

	for (size_t i = 0; status == FYKE_OK && i < sizeof(list) / sizeof(list[0]); i++) {
		json_t *count = NULL, *parts;

		status = count_parts(w, list[i].table, capture_id, &count);
		if (status != FYKE_OK)
			return status;
		json_object_set_new(row, list[i].count, count);
		parts = read_parts(w, list[i].table, list[i].order, capture_id);
		if (parts == NULL)
			return w->error->status;
		json_object_set_new(row, list[i].table, parts);
	}
	return status;
}

static enum fyke_status write_captures(const struct writer *w)
{
	const struct fyke_schema_table *table = fyke_schema_table("captures");
	struct fyke_json_column columns[64];
	char *sql = table_query(table, w->capture_id != 0 ? " WHERE id = ?1" : " ORDER BY id", columns);
	enum fyke_status status;
	sqlite3_stmt *statement;
	size_t n = 0;

	status = fyke_facts_prepare(w->db, sql, w->capture_id, &statement, w->error);
	sqlite3_free(sql);
	fputs(",\n \"captures\": [", w->out);
	while (status == FYKE_OK && fyke_facts_step(&statement, &status, w->error)) {
		json_t *row = fyke_json_row(statement, columns, table->column_count);

		status = row == NULL ? out_of_memory(w)
				     : add_parts(w, row, json_integer_value(json_object_get(row, "id")));
		if (status != FYKE_OK) {
			json_decref(row);
			break;
		}
		json_object_set_new(
			row, "refusals", read_refusals(json_string_value(json_object_get(row, "refusals"))));
		status = write_element(w, n++, row);
	}
	sqlite3_finalize(statement);
	fputs(n > 0 ? "\n ]" : "]", w->out);
	return status;
}

static void set(json_t *object, const char *key, int64_t value)
{
	json_object_set_new(object, key, json_integer(value));
}

/* Counts by name; those that are zero are left out. */
static json_t *count_states(const int64_t *counts)
{
	json_t *object = json_object();

	for (int i = 0; i < FYKE_STATE_COUNT; i++) {
		if (counts[i] != 0)
			set(object, fyke_state_name((enum fyke_state)i), counts[i]);
	}
	return object;
}

static json_t *count_ends(const int64_t *counts)
{
	json_t *object = json_object();

	for (int i = FYKE_END_OPEN + 1; i < FYKE_END_COUNT; i++) {
		if (counts[i] != 0)
			set(object, fyke_end_name((enum fyke_end)i), counts[i]);
	}
	return object;
}

/* A number that one row tells; counts of nothing are 0. */
static enum fyke_status set_counts(const struct writer *w, json_t *object, const char *sql)
{
	sqlite3_stmt *row;
	enum fyke_status status = fyke_facts_prepare(w->db, sql, w->capture_id, &row, w->error);

	while (status == FYKE_OK && fyke_facts_step(&row, &status, w->error)) {
		for (int i = 0; i < sqlite3_column_count(row); i++)
			set(object, sqlite3_column_name(row, i), sqlite3_column_int64(row, i));
	}
	return status;
}

static const char open_ports_sql[] =
	"SELECT count(*) AS open_ports FROM (SELECT DISTINCT ip, transport, port FROM ports"
	" WHERE state = 'open' AND (?1 = 0 OR capture_id = ?1))";
static const char findings_sql[] =
	"SELECT sum(severity = 'critical') AS critical, sum(severity = 'high') AS high,"
	" sum(severity = 'medium') AS medium, sum(severity = 'low') AS low, sum(severity = 'info') AS info"
	" FROM findings WHERE status <> 'gone' AND (?1 = 0 OR capture_id = ?1)";

static enum fyke_status write_summary(const struct writer *w)
{
	const struct fyke_facts *f = w->facts;
	json_t *summary = json_object(), *findings = json_object();
	enum fyke_status status;

	set(summary, "sessions", f->sessions);
	set(summary, "folded_sessions", f->folded_sessions);
	set(summary, "open_sessions", f->open_sessions);
	set(summary, "guessed_roles", f->guessed_roles);
	json_object_set_new(summary, "first_us", f->sessions > 0 ? json_integer(f->first_us) : json_null());
	json_object_set_new(summary, "last_us", f->sessions > 0 ? json_integer(f->last_us) : json_null());
	set(summary, "packets", f->packets);
	set(summary, "bytes", f->bytes);
	set(summary, "payload_bytes", f->payload_bytes);
	set(summary, "bad_checksums", f->bad_checksums);
	set(summary, "hosts", (int64_t)(f->hosts.count + f->hosts.dropped));
	json_object_set_new(summary, "states", count_states(f->states));
	json_object_set_new(summary, "ends", count_ends(f->ends));
	status = set_counts(w, summary, open_ports_sql);
	json_object_set(summary, "findings", findings);
	if (status == FYKE_OK)
		status = set_counts(w, findings, findings_sql);
	json_decref(findings);
	if (status == FYKE_OK)
		return write_key(w, "summary", summary);
	json_decref(summary);
	return status;
}

static void set_traffic(json_t *object, const struct fyke_tally_entry *entry, const char *const names[4])
{
	set(object, names[0], entry->counters[FYKE_TALLY_SENT_PACKETS]);
	set(object, names[1], entry->counters[FYKE_TALLY_RECEIVED_PACKETS]);
	set(object, names[2], entry->counters[FYKE_TALLY_SENT_BYTES]);
	set(object, names[3], entry->counters[FYKE_TALLY_RECEIVED_BYTES]);
}

static const char *const by_role[4] = {"client_packets", "server_packets", "client_bytes", "server_bytes"};
static const char *const by_way[4] = {"sent_packets", "received_packets", "sent_bytes", "received_bytes"};

static json_t *protocol_object(const struct fyke_tally_entry *entry)
{
	json_t *object = json_object();

	json_object_set_new(object, "transport", fyke_json_text(entry->key, strlen(entry->key)));
	set(object, "sessions", entry->counters[FYKE_TALLY_SESSIONS]);
	set_traffic(object, entry, by_role);
	return object;
}

static json_t *service_object(const struct fyke_tally_entry *entry)
{
	const char *tab = strrchr(entry->key, '\t');
	size_t length = (size_t)(tab - entry->key);
	json_t *object = json_object();

	json_object_set_new(
		object, "service", length == 0 ? json_null() : fyke_json_text(entry->key, length));
	json_object_set_new(object, "transport", fyke_json_text(tab + 1, strlen(tab + 1)));
	set(object, "sessions", entry->counters[FYKE_TALLY_SESSIONS]);
	set_traffic(object, entry, by_role);
	set(object, "mismatches", entry->counters[FYKE_TALLY_MISMATCHES]);
	return object;
}

static json_t *talker_object(const struct fyke_tally_entry *entry)
{
	json_t *object = json_object();

	json_object_set_new(object, "ip", fyke_json_text(entry->key, strlen(entry->key)));
	set(object, "sessions", entry->counters[FYKE_TALLY_SESSIONS]);
	set(object, "client_sessions", entry->counters[FYKE_TALLY_CLIENT_SESSIONS]);
	set(object, "server_sessions", entry->counters[FYKE_TALLY_SERVER_SESSIONS]);
	set_traffic(object, entry, by_way);
	return object;
}

static enum fyke_status write_tally(const struct writer *w, const char *key, const struct fyke_tally *tally,
	size_t limit, json_t *(*object)(const struct fyke_tally_entry *))
{
	enum fyke_status status = FYKE_OK;
	size_t n = 0;

	fprintf(w->out, ",\n \"%s\": [", key);
	for (; status == FYKE_OK && n < tally->count && n < limit; n++)
		status = write_element(w, n, object(&tally->entries[n]));
	fputs(n > 0 ? "\n ]" : "]", w->out);
	return status;
}

static json_t *percentiles(const struct fyke_samples *samples)
{
	static const struct {
		const char *key;
		unsigned permille;
	} list[] = {{"p25_us", 250}, {"median_us", 500}, {"p75_us", 750}, {"p90_us", 900}, {"p95_us", 950},
		{"p99_us", 990}};
	json_t *object;

	if (samples->count == 0)
		return json_null();
	object = json_object();
	set(object, "samples", (int64_t)samples->seen);
	set(object, "min_us", samples->least);
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		set(object, list[i].key, fyke_samples_at(samples, list[i].permille));
	set(object, "max_us", samples->most);
	return object;
}

static void set_sum(
	json_t *object, const char *key, const struct fyke_facts *f, enum fyke_facts_tcp_counter counter)
{
	const struct fyke_sum *sum = &f->tcp[counter];

	json_object_set_new(object, key, sum->known ? json_integer(sum->value) : json_null());
}

static json_t *retransmissions(const struct fyke_facts *f)
{
	json_t *object = json_object(), *causes = json_object();

	set_sum(object, "segments", f, FYKE_FACTS_retransmitted_segments);
	set_sum(object, "bytes", f, FYKE_FACTS_retransmitted_bytes);
	set_sum(object, "spurious", f, FYKE_FACTS_spurious_retransmissions);
	set_sum(object, "syn", f, FYKE_FACTS_syn_retransmissions);
	set_sum(object, "fin", f, FYKE_FACTS_fin_retransmissions);
	set_sum(causes, "timeout", f, FYKE_FACTS_timeout_retransmissions);
	set_sum(causes, "fast", f, FYKE_FACTS_fast_retransmissions);
	set_sum(causes, "sack", f, FYKE_FACTS_sack_retransmissions);
	set_sum(causes, "tail_probe", f, FYKE_FACTS_tail_probe_retransmissions);
	set_sum(causes, "other", f, FYKE_FACTS_other_retransmissions);
	json_object_set_new(object, "causes", causes);
	return object;
}

static json_t *loss(const struct fyke_facts *f)
{
	json_t *object = json_object();

	set_sum(object, "missing_bytes", f, FYKE_FACTS_missing_bytes);
	set_sum(object, "gaps", f, FYKE_FACTS_gaps);
	set_sum(object, "unacknowledged_bytes", f, FYKE_FACTS_unacknowledged_bytes);
	set_sum(object, "reordered_segments", f, FYKE_FACTS_reordered_segments);
	set_sum(object, "duplicate_acks", f, FYKE_FACTS_duplicate_acks);
	set_sum(object, "capture_duplicates", f, FYKE_FACTS_capture_duplicates);
	return object;
}

static enum fyke_status write_tcp(const struct writer *w)
{
	static const enum fyke_facts_tcp_counter others[] = {FYKE_FACTS_stream_bytes, FYKE_FACTS_keep_alives,
		FYKE_FACTS_zero_windows, FYKE_FACTS_window_probes, FYKE_FACTS_window_fulls,
		FYKE_FACTS_window_updates, FYKE_FACTS_outside_window_segments, FYKE_FACTS_overlapping_bytes,
		FYKE_FACTS_conflicting_bytes, FYKE_FACTS_uncompared_bytes, FYKE_FACTS_rtt_samples};
	const struct fyke_facts *f = w->facts;
	json_t *tcp = json_object();

	set(tcp, "sessions", f->tcp_sessions);
	set(tcp, "packets", f->tcp_packets);
	set(tcp, "past_syn", f->tcp_past_syn);
	json_object_set_new(tcp, "states", count_states(f->tcp_states));
	json_object_set_new(tcp, "handshake", percentiles(&f->handshake_us));
	json_object_set_new(tcp, "handshake_server", percentiles(&f->handshake_server_us));
	json_object_set_new(tcp, "handshake_client", percentiles(&f->handshake_client_us));
	json_object_set_new(tcp, "rtt", percentiles(&f->rtt_us));
	json_object_set_new(tcp, "retransmissions", retransmissions(f));
	json_object_set_new(tcp, "loss", loss(f));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		set_sum(tcp, fyke_facts_tcp_name(others[i]), f, others[i]);
	return write_key(w, "tcp", tcp);
}

/* Sessions are many: their writer streams them, beside jansson. */
static enum fyke_status write_session_rows(const struct writer *w, struct fyke_jsonl *jsonl)
{
	sqlite3_stmt *statement = NULL;
	enum fyke_status status;
	size_t n = 0;
	const char *select = fyke_jsonl_select(jsonl), *join = "LEFT JOIN tcp AS t ON t.session_id = s.id",
		   *where = w->capture_id != 0 ? " WHERE s.capture_id = ?1" : "";
	char *sql = w->facts->folded_sessions == 0
			    ? sqlite3_mprintf(
				      "SELECT %s FROM sessions AS s %s%s ORDER BY s.id", select, join, where)
			    /* behind the uid stands the id */
			    : sqlite3_mprintf(
				      "SELECT %s FROM sessions AS s %s%s UNION ALL SELECT %s FROM fyke_folded"
				      " AS s %s%s ORDER BY 2",
				      select, join, where, select, join, where);

	status = fyke_facts_prepare(w->db, sql, w->capture_id, &statement, w->error);
	sqlite3_free(sql);
	fputs(",\n \"sessions\": [", w->out);
	while (status == FYKE_OK && fyke_facts_step(&statement, &status, w->error)) {
		fputs(n++ == 0 ? "\n  " : ",\n  ", w->out);
		if (!fyke_jsonl_row(jsonl, statement, w->out))
			status = out_of_memory(w);
	}
	sqlite3_finalize(statement);
	fputs(n > 0 ? "\n ]" : "]", w->out);
	return status;
}

static enum fyke_status write_sessions(const struct writer *w)
{
	struct fyke_jsonl *jsonl;
	enum fyke_status status =
		fyke_jsonl_new_stored(w->db, w->options->tables, w->ascii, &jsonl, w->error);

	if (status == FYKE_OK)
		status = write_session_rows(w, jsonl);
	fyke_jsonl_free(jsonl);
	return status;
}

static enum fyke_status write_head(const struct writer *w)
{
	json_t *fyke = json_object();
	const char *version = w->options->version == NULL ? "" : w->options->version;

	json_object_set_new(fyke, "version", fyke_json_text(version, strlen(version)));
	set(fyke, "schema", FYKE_DATABASE_SCHEMA_VERSION);
	fputs("{\n \"fyke\": ", w->out);
	return fyke_json_write(fyke, w->ascii, w->out) ? FYKE_OK : out_of_memory(w);
}

static enum fyke_status write_contents(const struct writer *w, unsigned most)
{
	json_t *contents;
	enum fyke_status status = fyke_json_contents(w->db, w->facts, most, &contents, w->error);

	return status == FYKE_OK ? write_key(w, "contents", contents) : status;
}

static enum fyke_status write_all(const struct writer *w)
{
	size_t top = w->options->top == 0 ? 10 : w->options->top;
	enum fyke_status status = write_head(w);

	if (status == FYKE_OK)
		status = write_captures(w);
	if (status == FYKE_OK)
		status = write_summary(w);
	if (status == FYKE_OK)
		status = write_tally(w, "protocols", &w->facts->transports, SIZE_MAX, protocol_object);
	if (status == FYKE_OK)
		status = write_tally(w, "services", &w->facts->services, SIZE_MAX, service_object);
	if (status == FYKE_OK)
		status = write_tally(w, "talkers", &w->facts->hosts, top, talker_object);
	if (status == FYKE_OK)
		status = write_contents(w, (unsigned)top);
	if (status == FYKE_OK)
		status = write_tcp(w);
	if (status == FYKE_OK)
		status = write_table(w, "ports", "capture_id, ip, transport, port");
	if (status == FYKE_OK)
		status = write_table(w, "hosts", "capture_id, ip");
	if (status == FYKE_OK)
		status = write_table(w, "neighbours", "capture_id, network, ip, mac");
	if (status == FYKE_OK)
		status = write_table(w, "findings", "id");
	if (status == FYKE_OK)
		status = write_table(w, "timeline", "capture_id, start_us, service");
	if (status == FYKE_OK && w->options->sessions)
		status = write_sessions(w);
	fputs("\n}\n", w->out);
	return status;
}

enum fyke_status fyke_report_json(struct fyke_database *database, const struct fyke_report_options *options,
	FILE *out, struct fyke_error *error)
{
	struct fyke_facts facts = {0};
	struct fyke_error unused;
	struct writer w = {.db = fyke_database_handle(database),
		.options = options,
		.facts = &facts,
		.out = out,
		.ascii = fileno(out) >= 0 && isatty(fileno(out)) == 1,
		.error = error == NULL ? &unused : error};
	/* One snapshot: a monitor may be writing. */
	enum fyke_status status = fyke_facts_begin(w.db, w.error);

	if (status != FYKE_OK)
		return status;
	status = fyke_facts_capture(w.db, options->capture, &w.capture_id, w.error);
	if (status == FYKE_OK)
		status = fyke_facts_gather(w.db, w.capture_id, &facts, w.error);
	if (status == FYKE_OK)
		status = write_all(&w);
	fyke_facts_release(&facts);
	fyke_facts_end(w.db);
	return status;
}
