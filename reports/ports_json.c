/* `fyke ports --format json` (reports/ports.schema.json): a scan leaves hundreds of thousands of ports, so
 * each is written by hand, and its spans are asked for only where there are several. */
#include "reports/ports.h"

#include "reports/facts.h"
#include "storage/json_buffer.h"

#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

struct writer {
	sqlite3 *db;
	const struct fyke_ports_options *options;
	FILE *out;
	struct fyke_json_buffer buffer;
	size_t n;
	sqlite3_stmt *spans; /* prepared once; NULL: not needed yet */
	struct fyke_error *error;
};

static void put(struct fyke_json_buffer *buffer, const char *text)
{
	fyke_json_append(buffer, text, strlen(text));
}

/* `key` with all that stands around it. */
static void put_text(struct fyke_json_buffer *buffer, const char *key, const char *text)
{
	put(buffer, key);
	if (text == NULL)
		put(buffer, "null");
	else
		fyke_json_append_stored(buffer, text, strlen(text));
}

static void put_number(struct fyke_json_buffer *buffer, const char *key, int64_t number)
{
	put(buffer, key);
	fyke_json_append_integer(buffer, number);
}

/* Negative: not known. */
static void put_count(struct fyke_json_buffer *buffer, const char *key, int64_t number)
{
	if (number >= 0) {
		put_number(buffer, key, number);
		return;
	}
	put(buffer, key);
	put(buffer, "null");
}

void fyke_ports_observed_json(const struct fyke_ports_observed *observed, struct fyke_json_buffer *buffer)
{
	bool any = observed->captures > 0;

	put_number(buffer, "{\"captures\":", observed->captures);
	if (any) {
		put_number(buffer, ",\"first_us\":", observed->first_us);
		put_number(buffer, ",\"last_us\":", observed->last_us);
	} else {
		put(buffer, ",\"first_us\":null,\"last_us\":null");
	}
	put_number(buffer, ",\"observed_us\":", observed->observed_us);
	put(buffer, "}");
}

static void put_span(struct fyke_json_buffer *buffer, const struct fyke_port_span_line *span)
{
	put_number(buffer, "{\"capture_id\":", span->capture_id);
	put_text(buffer, ",\"state\":", span->state);
	put_number(buffer, ",\"first_us\":", span->first_us);
	put_number(buffer, ",\"last_us\":", span->last_us);
	put_number(buffer, ",\"proofs\":", span->proofs);
	put_count(buffer, ",\"session_id\":", span->session_id);
	put(buffer, "}");
}

static enum fyke_status begin_spans(struct writer *w, const struct fyke_port_line *line)
{
	static const char sql[] =
		"SELECT capture_id, state, first_us, last_us, proofs, coalesce(session_id, -1) FROM "
		"port_intervals"
		" WHERE ip = ?2 AND transport = ?3 AND port = ?4 AND capture_id IN (SELECT id FROM captures"
		" WHERE ?1 = 0 OR id <= ?1) ORDER BY first_us LIMIT 1000";
	enum fyke_status status = FYKE_OK;

	if (w->spans == NULL)
		status = fyke_facts_prepare(w->db, sql, w->options->capture, &w->spans, w->error);
	if (status != FYKE_OK)
		return status;
	sqlite3_bind_text(w->spans, 2, line->ip, -1, SQLITE_STATIC);
	sqlite3_bind_text(w->spans, 3, line->transport, -1, SQLITE_STATIC);
	sqlite3_bind_int64(w->spans, 4, line->port);
	return FYKE_OK;
}

static enum fyke_status put_spans(struct writer *w, const struct fyke_port_line *line)
{
	enum fyke_status status = begin_spans(w, line);
	size_t n = 0;

	if (status != FYKE_OK)
		return status;
	while (sqlite3_step(w->spans) == SQLITE_ROW) {
		const struct fyke_port_span_line span = {sqlite3_column_int64(w->spans, 0),
			(const char *)sqlite3_column_text(w->spans, 1), sqlite3_column_int64(w->spans, 2),
			sqlite3_column_int64(w->spans, 3), sqlite3_column_int64(w->spans, 4),
			sqlite3_column_int64(w->spans, 5)};

		put(&w->buffer, n++ > 0 ? "," : "");
		put_span(&w->buffer, &span);
	}
	sqlite3_reset(w->spans);
	return FYKE_OK;
}

static void put_port(struct fyke_json_buffer *buffer, const struct fyke_port_line *line)
{
	put_text(buffer, "{\"ip\":", line->ip);
	put_text(buffer, ",\"transport\":", line->transport);
	put_number(buffer, ",\"port\":", line->port);
	put_text(buffer, ",\"state\":", line->state);
	put(buffer, line->is_silent ? ",\"or_down\":true" : ",\"or_down\":false");
	put_text(buffer, ",\"service\":", line->service);
	put_text(buffer, ",\"product\":", line->product);
	put_text(buffer, ",\"encryption\":", line->encryption);
	put_text(buffer, ",\"evidence\":", line->evidence);
	put_count(buffer, ",\"session_id\":", line->session_id);
	put_number(buffer, ",\"first_seen_us\":", line->first_us);
	put_number(buffer, ",\"last_seen_us\":", line->last_us);
	put_number(buffer, ",\"sessions\":", line->sessions);
	put_count(buffer, ",\"clients\":", line->clients);
	put_count(buffer, ",\"home_clients\":", line->home_clients);
	put_count(buffer, ",\"private_clients\":", line->private_clients);
	put_count(buffer, ",\"world_clients\":", line->world_clients);
	put_text(buffer, ",\"change\":", fyke_port_change_name(line->change));
	put_number(buffer, ",\"change_us\":", line->change_us);
}

static enum fyke_status put_line(void *context, const struct fyke_port_line *line)
{
	struct writer *w = context;
	enum fyke_status status = FYKE_OK;

	w->buffer.length = 0;
	put(&w->buffer, w->n++ == 0 ? "\n  " : ",\n  ");
	put_port(&w->buffer, line);
	put(&w->buffer, ",\"history\":[");
	if (line->span_count == 1)
		put_span(&w->buffer, &line->span);
	else if (line->span_count > 1)
		status = put_spans(w, line);
	put(&w->buffer, "]}");
	if (w->buffer.failed)
		return FYKE_FAILED_MEMORY;
	fwrite(w->buffer.text, 1, w->buffer.length, w->out);
	return status;
}

static enum fyke_status put_head(struct writer *w)
{
	struct fyke_ports_observed observed;
	enum fyke_status status = fyke_ports_observed(w->db, w->options->capture, &observed, w->error);

	if (status != FYKE_OK)
		return status;
	put(&w->buffer, "{\n \"observed\": ");
	fyke_ports_observed_json(&observed, &w->buffer);
	put(&w->buffer, ",\n \"ports\": [");
	if (w->buffer.failed)
		return FYKE_FAILED_MEMORY;
	fwrite(w->buffer.text, 1, w->buffer.length, w->out);
	return FYKE_OK;
}

enum fyke_status fyke_ports_json(struct fyke_database *database, const struct fyke_ports_options *options,
	FILE *out, struct fyke_error *error)
{
	struct writer w = {.db = fyke_database_handle(database),
		.options = options,
		.out = out,
		.buffer = {.ascii = fileno(out) >= 0 && isatty(fileno(out)) == 1},
		.error = error};
	enum fyke_status status = put_head(&w);

	if (status == FYKE_OK)
		status = fyke_ports_each(database, options, put_line, &w, error);
	sqlite3_finalize(w.spans);
	fyke_json_buffer_release(&w.buffer);
	fputs(w.n > 0 ? "\n ]\n}\n" : "]\n}\n", out);
	return status == FYKE_FAILED_MEMORY ? fyke_error_set(error, status, "out of memory") : status;
}
