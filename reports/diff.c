/*
 * Compares two databases: what came, what went, and how much what stayed has shifted.
 *
 * Both sides were observed for a time of their own, so counts are compared as rates, and of what is missing
 * on one side it is told how many sessions would have been expected there: below three it may be missing by
 * chance.
 */
#include "reports/diff.h"

#include "analyzer/base/text.h"
#include "reports/effect.h"
#include "reports/facts.h"
#include "reports/json_row.h"
#include "reports/wrap.h"

#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SAMPLES_MAX = 100 * 1000, EXPECTED_LEAST = 3 };

struct diff {
	sqlite3 *db;
	const struct fyke_diff_options *options;
	FILE *out;
	struct fyke_error *error;
	double seconds[2]; /* observed */
	bool ascii;
	size_t written; /* members of the JSON object or array at hand */
};

/* Each gives name, sessions of the older, of the newer side, words of the older, of the newer. */
static const struct list {
	const char *key, *title, *table; /* table: needed on either side; NULL: always there */
	const char *sql;		 /* of one side; %1$s… is put in by schema */
} lists[] = {
	{"hosts", "Hosts", NULL, "SELECT ip AS name, sessions AS n, NULL AS words FROM %s.all_hosts"},
	{"ports", "Ports", NULL,
		"SELECT iif(instr(ip, ':'), '[' || ip || ']', ip) || ':' || port || '/' || transport AS "
		"name, sessions AS n,"
		" state AS words FROM %s.all_ports"},
	{"services", "Services", NULL,
		"SELECT coalesce(service, '(not known)') || '/' || transport AS name, count(*) AS n, NULL AS "
		"words FROM"
		" %s.sessions GROUP BY service, transport"},
	{"names", "Names of servers", NULL,
		"SELECT server_name AS name, count(*) AS n, NULL AS words FROM %s.sessions WHERE server_name "
		"IS NOT NULL GROUP "
		"BY 1"},
	{"tls_clients", "Fingerprints of TLS clients (JA4)", "tls",
		"SELECT ja4 AS name, count(*) AS n, NULL AS words FROM %s.tls WHERE ja4 IS NOT NULL GROUP BY "
		"1"},
	{"certificates", "Certificates", "certificates",
		"SELECT fingerprint_sha256 AS name, count(*) AS n, max(subject) AS words FROM "
		"%s.certificates WHERE"
		" position = 0 GROUP BY 1"},
	{"products", "What servers say they are", NULL,
		"SELECT ip || ':' || port || ' ' || product AS name, sessions AS n, NULL AS words FROM "
		"%s.ports WHERE product IS "
		"NOT NULL"},
};

static bool has_table(sqlite3 *db, const char *schema, const char *table)
{
	return table == NULL || sqlite3_table_column_metadata(
					db, schema, table, NULL, NULL, NULL, NULL, NULL, NULL) == SQLITE_OK;
}

/* NULL: neither side has the table. */
static char *list_sql(const struct diff *diff, const struct list *list)
{
	static const char *const schemas[2] = {"main", "later"};
	sqlite3_str *sql = sqlite3_str_new(diff->db);
	unsigned sides = 0;

	sqlite3_str_appendall(sql,
		"SELECT name, sum(iif(side = 0, n, 0)), sum(iif(side = 1, n, 0)),"
		" max(iif(side = 0, words, NULL)), max(iif(side = 1, words, NULL)) FROM (");
	for (int side = 0; side < 2; side++) {
		if (!has_table(diff->db, schemas[side], list->table))
			continue;
		sqlite3_str_appendf(sql, "%sSELECT %d AS side, name, n, words FROM (",
			sides++ > 0 ? " UNION ALL " : "", side);
		sqlite3_str_appendf(sql, list->sql, schemas[side]);
		sqlite3_str_appendall(sql, ")");
	}
	sqlite3_str_appendall(sql, ") WHERE name IS NOT NULL GROUP BY name ORDER BY sum(n) DESC, name");
	if (sides == 0)
		sqlite3_str_reset(sql);
	return sqlite3_str_finish(sql);
}

struct item {
	const char *name, *words[2];
	int64_t n[2];
	double expected; /* of what is on one side only: sessions that the other side should have had */
};

static void read_item(const struct diff *diff, sqlite3_stmt *row, struct item *item)
{
	*item = (struct item){.name = (const char *)sqlite3_column_text(row, 0),
		.words = {(const char *)sqlite3_column_text(row, 3),
			(const char *)sqlite3_column_text(row, 4)},
		.n = {sqlite3_column_int64(row, 1), sqlite3_column_int64(row, 2)}};
	if (item->n[0] == 0)
		item->expected = (double)item->n[1] * diff->seconds[0] / diff->seconds[1];
	else if (item->n[1] == 0)
		item->expected = (double)item->n[0] * diff->seconds[1] / diff->seconds[0];
}

enum what { CAME, WENT, CHANGED, SAME };

static enum what what_of(const struct item *item)
{
	if (item->n[0] == 0)
		return CAME;
	if (item->n[1] == 0)
		return WENT;
	if (item->words[0] != NULL && item->words[1] != NULL && strcmp(item->words[0], item->words[1]) != 0)
		return CHANGED;
	return SAME;
}

static void put_item_text(const struct diff *diff, const struct item *item)
{
	static const char *const marks[] = {"+", "-", "~"};
	static const enum fyke_paint paints[] = {FYKE_PAINT_GOOD, FYKE_PAINT_WARN, FYKE_PAINT_BOLD};
	enum what what = what_of(item);
	long long sessions = item->n[0] + item->n[1];
	char text[600];

	if (what == CHANGED)
		snprintf(text, sizeof(text), "%.300s  %.60s, now %.60s", item->name, item->words[0],
			item->words[1]);
	else
		snprintf(text, sizeof(text), "%.300s%s%.120s  %lld session%s%s", item->name,
			item->words[what == CAME] != NULL ? "  " : "",
			item->words[what == CAME] != NULL ? item->words[what == CAME] : "", sessions,
			sessions == 1 ? "" : "s",
			item->expected < EXPECTED_LEAST ? " (perhaps by chance)" : "");
	fprintf(diff->out, "  ");
	fyke_screen_put(&diff->options->screen, marks[what], 0, paints[what], diff->out);
	fputc(' ', diff->out);
	fyke_screen_put(&diff->options->screen, text, 0, FYKE_PAINT_PLAIN, diff->out);
	fputc('\n', diff->out);
}

static json_t *text_json(const char *text)
{
	return text == NULL ? json_null() : fyke_json_text(text, strlen(text));
}

static bool put_json(struct diff *diff, json_t *object)
{
	fputs(diff->written++ == 0 ? "\n   " : ",\n   ", diff->out);
	return fyke_json_write(object, diff->ascii, diff->out);
}

static bool put_item_json(struct diff *diff, const struct item *item)
{
	static const char *const words[] = {"came", "went", "changed"};
	json_t *object = json_object();

	json_object_set_new(object, "what", text_json(words[what_of(item)]));
	json_object_set_new(object, "name", text_json(item->name));
	json_object_set_new(object, "old_sessions", json_integer(item->n[0]));
	json_object_set_new(object, "new_sessions", json_integer(item->n[1]));
	json_object_set_new(object, "old", text_json(item->words[0]));
	json_object_set_new(object, "new", text_json(item->words[1]));
	json_object_set_new(object, "expected_sessions",
		what_of(item) == CHANGED ? json_null() : json_real(round(item->expected * 100) / 100));
	return put_json(diff, object);
}

static enum fyke_status run_list(struct diff *diff, const struct list *list)
{
	char *sql = list_sql(diff, list);
	sqlite3_stmt *row;
	enum fyke_status status = FYKE_OK;
	size_t count[4] = {0}, shown = 0;

	diff->written = 0;
	if (diff->options->json)
		fprintf(diff->out, ",\n  \"%s\": [", list->key);
	if (sql != NULL)
		status = fyke_facts_prepare(diff->db, sql, 0, &row, diff->error);
	while (sql != NULL && status == FYKE_OK && fyke_facts_step(&row, &status, diff->error)) {
		struct item item;

		read_item(diff, row, &item);
		count[what_of(&item)]++;
		if (what_of(&item) == SAME)
			continue;
		if (diff->options->json && !put_item_json(diff, &item))
			status = fyke_error_set(diff->error, FYKE_FAILED_MEMORY, "out of memory");
		if (diff->options->json)
			continue;
		if (shown == 0)
			fprintf(diff->out, "\n%s\n", list->title);
		if (shown++ < diff->options->top)
			put_item_text(diff, &item);
	}
	sqlite3_free(sql);
	if (diff->options->json)
		fputs(diff->written > 0 ? "\n  ]" : "]", diff->out);
	else if (shown > 0)
		fprintf(diff->out, "  %zu came, %zu went, %zu changed, %zu stayed%s\n", count[CAME],
			count[WENT], count[CHANGED], count[SAME],
			shown > diff->options->top ? " (--top shows more)" : "");
	return status;
}

/* ---- shifts ---- */

struct shift {
	const char *measure, *effect, *word;
	char name[200];
	double old_value, new_value, size, low, high;
};

static void put_shift_text(struct diff *diff, const struct shift *shift)
{
	char text[500];

	if (diff->written++ == 0)
		fprintf(diff->out, "\nShifts of what stayed\n");
	if (strcmp(shift->effect, "rate_ratio") == 0)
		snprintf(text, sizeof(text), "%s: %s %.4g an hour, now %.4g: %.2f times (%.2f to %.2f)",
			shift->name, shift->measure, shift->old_value, shift->new_value, shift->size,
			shift->low, shift->high);
	else
		snprintf(text, sizeof(text), "%s: %s %.4g, now %.4g: %s (%s %.2f)", shift->name,
			shift->measure, shift->old_value, shift->new_value, shift->word, shift->effect,
			shift->size);
	fputs("  ", diff->out);
	fyke_screen_put(&diff->options->screen, text, 0, FYKE_PAINT_PLAIN, diff->out);
	fputc('\n', diff->out);
}

static bool put_shift(struct diff *diff, const struct shift *shift)
{
	json_t *object;

	if (!diff->options->json) {
		put_shift_text(diff, shift);
		return true;
	}
	object = json_object();
	json_object_set_new(object, "name", text_json(shift->name));
	json_object_set_new(object, "measure", text_json(shift->measure));
	json_object_set_new(object, "old", json_real(shift->old_value));
	json_object_set_new(object, "new", json_real(shift->new_value));
	json_object_set_new(object, "effect", text_json(shift->effect));
	json_object_set_new(object, "size", json_real(shift->size));
	json_object_set_new(object, "word", text_json(shift->word));
	return put_json(diff, object);
}

/* Sessions and bytes of each service that both sides have: told where the rate at least doubled or halved,
 * and that is more than chance. */
static bool shift_of_rates(struct diff *diff, sqlite3_stmt *row)
{
	int64_t n[2] = {sqlite3_column_int64(row, 1), sqlite3_column_int64(row, 2)};
	double bytes[2] = {sqlite3_column_double(row, 3), sqlite3_column_double(row, 4)};
	struct fyke_effect_ratio ratio = fyke_effect_rates(n[0], diff->seconds[0], n[1], diff->seconds[1]);
	struct shift shift = {.effect = "rate_ratio",
		.measure = "sessions",
		.size = ratio.ratio,
		.low = ratio.low,
		.high = ratio.high};
	bool good = true;

	snprintf(shift.name, sizeof(shift.name), "%s", (const char *)sqlite3_column_text(row, 0));
	if ((ratio.ratio >= 2 && ratio.low > 1) || (ratio.ratio <= 0.5 && ratio.high < 1)) {
		shift.word = ratio.ratio >= 4 || ratio.ratio <= 0.25 ? "large" : "medium";
		shift.old_value = (double)n[0] * 3600 / diff->seconds[0];
		shift.new_value = (double)n[1] * 3600 / diff->seconds[1];
		good = put_shift(diff, &shift);
	}
	if (bytes[0] <= 0 || bytes[1] <= 0)
		return good;
	shift.measure = "bytes";
	shift.old_value = bytes[0] * 3600 / diff->seconds[0];
	shift.new_value = bytes[1] * 3600 / diff->seconds[1];
	shift.size = shift.new_value / shift.old_value;
	/* Bytes come in sessions: what sessions leave open, bytes leave open, too. */
	shift.low = shift.size * ratio.low / ratio.ratio;
	shift.high = shift.size * ratio.high / ratio.ratio;
	if ((shift.size >= 4 && shift.low > 1) || (shift.size <= 0.25 && shift.high < 1)) {
		shift.word = "large";
		good = good && put_shift(diff, &shift);
	}
	return good;
}

static const char rate_sql[] =
	"SELECT name, sum(iif(side = 0, n, 0)) AS a, sum(iif(side = 1, n, 0)) AS b, sum(iif(side = 0, bytes, "
	"0)),"
	" sum(iif(side = 1, bytes, 0)) FROM (SELECT 0 AS side, coalesce(service, '(not known)') || '/' || "
	"transport AS name,"
	" count(*) AS n, sum(client_bytes + server_bytes) AS bytes FROM main.sessions GROUP BY 2"
	" UNION ALL SELECT 1, coalesce(service, '(not known)') || '/' || transport, count(*),"
	" sum(client_bytes + server_bytes) FROM later.sessions GROUP BY 2) GROUP BY name HAVING a > 0 AND b "
	"> 0"
	" ORDER BY a + b DESC";

static enum fyke_status run_rates(struct diff *diff)
{
	sqlite3_stmt *row;
	enum fyke_status status = fyke_facts_prepare(diff->db, rate_sql, 0, &row, diff->error);

	while (status == FYKE_OK && fyke_facts_step(&row, &status, diff->error)) {
		if (!shift_of_rates(diff, row))
			status = fyke_error_set(diff->error, FYKE_FAILED_MEMORY, "out of memory");
	}
	return status;
}

/* At most SAMPLES_MAX numbers of one side. */
static enum fyke_status read_samples(
	struct diff *diff, const char *schema, const char *column, int64_t *list, size_t *count)
{
	sqlite3_stmt *row;
	char *sql = sqlite3_mprintf("SELECT %s FROM %s.tcp AS t WHERE %s IS NOT NULL LIMIT %d", column,
		schema, column, SAMPLES_MAX);
	enum fyke_status status = fyke_facts_prepare(diff->db, sql, 0, &row, diff->error);

	*count = 0;
	while (status == FYKE_OK && fyke_facts_step(&row, &status, diff->error) && *count < SAMPLES_MAX)
		list[(*count)++] = sqlite3_column_int64(row, 0);
	sqlite3_free(sql);
	return status;
}

static enum fyke_status run_delay(struct diff *diff, const char *column, const char *measure)
{
	int64_t *samples = calloc(2 * SAMPLES_MAX, sizeof(*samples));
	size_t count[2] = {0, 0};
	int64_t middle[2];
	struct shift shift = {.measure = measure, .effect = "Cliff's delta"};
	enum fyke_status status;

	if (samples == NULL)
		return fyke_error_set(diff->error, FYKE_FAILED_MEMORY, "out of memory");
	status = read_samples(diff, "main", column, samples, &count[0]);
	if (status == FYKE_OK)
		status = read_samples(diff, "later", column, samples + SAMPLES_MAX, &count[1]);
	if (status == FYKE_OK && count[0] >= 5 && count[1] >= 5) {
		shift.size = fyke_effect_cliff(samples, count[0], samples + SAMPLES_MAX, count[1]);
		shift.word = fyke_effect_cliff_word(shift.size);
		middle[0] = samples[count[0] / 2];
		middle[1] = samples[SAMPLES_MAX + count[1] / 2];
		shift.old_value = (double)middle[0] / 1e3;
		shift.new_value = (double)middle[1] / 1e3;
		snprintf(shift.name, sizeof(shift.name), "TCP");
		if (fabs(shift.size) >= 0.147 && !put_shift(diff, &shift))
			status = fyke_error_set(diff->error, FYKE_FAILED_MEMORY, "out of memory");
	}
	free(samples);
	return status;
}

static enum fyke_status run_loss(struct diff *diff)
{
	static const char sql[] =
		"SELECT (SELECT sum(client_retransmitted_segments + server_retransmitted_segments) FROM "
		"main.tcp),"
		" (SELECT sum(client_packets + server_packets) FROM main.sessions WHERE transport = 'tcp'),"
		" (SELECT sum(client_retransmitted_segments + server_retransmitted_segments) FROM later.tcp),"
		" (SELECT sum(client_packets + server_packets) FROM later.sessions WHERE transport = 'tcp')";
	struct shift shift = {.measure = "% of packets sent again", .effect = "Cohen's h", .name = "TCP"};
	sqlite3_stmt *row;
	enum fyke_status status = fyke_facts_prepare(diff->db, sql, 0, &row, diff->error);

	while (status == FYKE_OK && fyke_facts_step(&row, &status, diff->error)) {
		double whole[2] = {sqlite3_column_double(row, 1), sqlite3_column_double(row, 3)};
		double share[2] = {sqlite3_column_double(row, 0), sqlite3_column_double(row, 2)};

		if (whole[0] < 100 || whole[1] < 100)
			continue;
		share[0] = fmin(1, share[0] / whole[0]);
		share[1] = fmin(1, share[1] / whole[1]);
		shift.size = fyke_effect_cohen(share[0], share[1]);
		shift.word = fyke_effect_cohen_word(shift.size);
		shift.old_value = share[0] * 100;
		shift.new_value = share[1] * 100;
		if (fabs(shift.size) >= 0.1 && !put_shift(diff, &shift))
			status = fyke_error_set(diff->error, FYKE_FAILED_MEMORY, "out of memory");
	}
	return status;
}

static enum fyke_status run_shifts(struct diff *diff)
{
	enum fyke_status status;

	diff->written = 0;
	if (diff->options->json)
		fprintf(diff->out, ",\n  \"shifts\": [");
	status = run_rates(diff);
	if (status == FYKE_OK)
		status = run_loss(diff);
	if (status == FYKE_OK)
		status = run_delay(diff, "t.handshake_us", "median handshake in ms");
	if (status == FYKE_OK)
		status = run_delay(diff, "t.server_rtt_mean_us", "median round trip to the client in ms");
	if (status == FYKE_OK)
		status = run_delay(diff, "t.client_rtt_mean_us", "median round trip to the server in ms");
	if (diff->options->json)
		fputs(diff->written > 0 ? "\n  ]" : "]", diff->out);
	return status;
}

/* ---- the whole ---- */

/* Sessions are asked only where a capture does not know its packets' times yet. */
static enum fyke_status observe(struct diff *diff, int side, int64_t span[2], int64_t *sessions)
{
	const char *schema = side == 0 ? "main" : "later";
	char *sql = sqlite3_mprintf(
		"SELECT min(first_us), max(last_us), total(last_us - first_us), (SELECT count(*) FROM "
		"%s.sessions)"
		" FROM (SELECT coalesce(first_packet_us, (SELECT min(start_us) FROM %s.sessions WHERE "
		"capture_id = "
		"c.id)) AS first_us,"
		" coalesce(last_packet_us, (SELECT max(end_us) FROM %s.sessions WHERE capture_id = c.id)) AS "
		"last_us"
		" FROM %s.captures AS c WHERE EXISTS (SELECT 1 FROM %s.sessions WHERE capture_id = c.id))",
		schema, schema, schema, schema, schema);
	sqlite3_stmt *row;
	enum fyke_status status = fyke_facts_prepare(diff->db, sql, 0, &row, diff->error);

	while (status == FYKE_OK && fyke_facts_step(&row, &status, diff->error)) {
		span[0] = sqlite3_column_int64(row, 0);
		span[1] = sqlite3_column_int64(row, 1);
		diff->seconds[side] = sqlite3_column_double(row, 2) / 1e6;
		*sessions = sqlite3_column_int64(row, 3);
	}
	/* One packet is observed for no time at all; rates need some. */
	diff->seconds[side] = fmax(diff->seconds[side], 1);
	sqlite3_free(sql);
	return status;
}

static void put_side_text(const struct diff *diff, int side, const int64_t span[2], int64_t sessions)
{
	const struct fyke_wrap lines = {&diff->options->screen, diff->out, 0, 5};
	char first[FYKE_TEXT_TIME], last[FYKE_TEXT_TIME], time[FYKE_TEXT_NUMBER], count[FYKE_TEXT_NUMBER],
		text[1024];

	fyke_text_time(span[0], 0, first);
	fyke_text_time(span[1], 0, last);
	if (sessions == 0)
		snprintf(text, sizeof(text), "%.800s  no sessions",
			side == 0 ? diff->options->old_name : diff->options->new_name);
	else
		snprintf(text, sizeof(text), "%.800s  %s session%s in %s, %s to %s",
			side == 0 ? diff->options->old_name : diff->options->new_name,
			fyke_text_count(sessions, count), sessions == 1 ? "" : "s",
			fyke_text_duration(
				(int64_t)(diff->seconds[side] * 1e6), diff->options->screen.flags, time),
			first, last);
	fyke_wrap_put(&lines, side == 0 ? "old" : "new", FYKE_PAINT_PLAIN, text);
}

static enum fyke_status write_side(struct diff *diff, int side)
{
	const char *name = side == 0 ? diff->options->old_name : diff->options->new_name;
	int64_t span[2] = {0, 0}, sessions = 0;
	enum fyke_status status = observe(diff, side, span, &sessions);
	json_t *object;

	if (status != FYKE_OK)
		return status;
	if (diff->options->json) {
		object = json_object();
		json_object_set_new(object, "database", text_json(name));
		json_object_set_new(object, "first_us", sessions > 0 ? json_integer(span[0]) : json_null());
		json_object_set_new(object, "last_us", sessions > 0 ? json_integer(span[1]) : json_null());
		json_object_set_new(object, "observed_s", json_real(diff->seconds[side]));
		json_object_set_new(object, "sessions", json_integer(sessions));
		fprintf(diff->out, "%s\n  \"%s\": ", side == 0 ? "{" : ",", side == 0 ? "old" : "new");
		return fyke_json_write(object, diff->ascii, diff->out)
			       ? FYKE_OK
			       : fyke_error_set(diff->error, FYKE_FAILED_MEMORY, "out of memory");
	}
	put_side_text(diff, side, span, sessions);
	return FYKE_OK;
}

enum fyke_status fyke_diff_write(
	struct sqlite3 *db, const struct fyke_diff_options *options, FILE *out, struct fyke_error *error)
{
	struct diff diff = {.db = db,
		.options = options,
		.out = out,
		.error = error,
		.ascii = fileno(out) >= 0 && isatty(fileno(out)) == 1};
	enum fyke_status status = write_side(&diff, 0);

	if (status == FYKE_OK)
		status = write_side(&diff, 1);
	for (size_t i = 0; status == FYKE_OK && i < sizeof(lists) / sizeof(lists[0]); i++)
		status = run_list(&diff, &lists[i]);
	if (status == FYKE_OK)
		status = run_shifts(&diff);
	if (options->json)
		fputs("\n}\n", out);
	return status;
}
