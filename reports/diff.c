/*
 * Compares two databases: what came, what went, and how much what stayed has shifted.
 *
 * Both sides were observed for a time of their own, so counts are compared as rates, and of what is missing
 * on one side it is told how many sessions would have been expected there: below three it may be missing by
 * chance.
 */
#include "reports/diff_internal.h"

#include "analyzer/base/text.h"
#include "reports/facts.h"
#include "reports/json_row.h"
#include "reports/wrap.h"

#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXPECTED_LEAST = 3 };

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
		NULL}, /* of diff_services.c: counted in memory: sorting all sessions takes longer */
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
static char *list_sql(const struct fyke_diff *diff, const struct list *list)
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

static void expect(const struct fyke_diff *diff, struct item *item)
{
	if (item->n[0] == 0)
		item->expected = (double)item->n[1] * diff->seconds[0] / diff->seconds[1];
	else if (item->n[1] == 0)
		item->expected = (double)item->n[0] * diff->seconds[1] / diff->seconds[0];
}

static void read_item(const struct fyke_diff *diff, sqlite3_stmt *row, struct item *item)
{
	*item = (struct item){.name = (const char *)sqlite3_column_text(row, 0),
		.words = {(const char *)sqlite3_column_text(row, 3),
			(const char *)sqlite3_column_text(row, 4)},
		.n = {sqlite3_column_int64(row, 1), sqlite3_column_int64(row, 2)}};
	expect(diff, item);
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

static void put_item_text(const struct fyke_diff *diff, const struct item *item)
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

bool fyke_diff_put(struct fyke_diff *diff, json_t *object)
{
	fputs(diff->written++ == 0 ? "\n   " : ",\n   ", diff->out);
	return fyke_json_write(object, diff->ascii, diff->out);
}

static bool put_item_json(struct fyke_diff *diff, const struct item *item)
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
	return fyke_diff_put(diff, object);
}

/* What a list has told so far. */
struct told {
	const struct list *list;
	size_t count[4], shown;
};

static enum fyke_status tell(struct fyke_diff *diff, struct told *told, const struct item *item)
{
	told->count[what_of(item)]++;
	if (what_of(item) == SAME)
		return FYKE_OK;
	if (diff->options->json)
		return put_item_json(diff, item)
			       ? FYKE_OK
			       : fyke_error_set(diff->error, FYKE_FAILED_MEMORY, "out of memory");
	if (told->shown == 0)
		fprintf(diff->out, "\n%s\n", told->list->title);
	if (told->shown++ < diff->options->top)
		put_item_text(diff, item);
	return FYKE_OK;
}

static enum fyke_status tell_services(struct fyke_diff *diff, struct told *told)
{
	enum fyke_status status = FYKE_OK;

	for (size_t i = 0; status == FYKE_OK && i < diff->service_count; i++) {
		const struct fyke_diff_service *service = &diff->services[i];
		struct item item = {.name = service->name, .n = {service->n[0], service->n[1]}};

		expect(diff, &item);
		status = tell(diff, told, &item);
	}
	return status;
}

static enum fyke_status tell_rows(struct fyke_diff *diff, struct told *told)
{
	char *sql = list_sql(diff, told->list);
	sqlite3_stmt *row = NULL;
	enum fyke_status status = FYKE_OK;

	if (sql != NULL)
		status = fyke_facts_prepare(diff->db, sql, 0, &row, diff->error);
	while (sql != NULL && status == FYKE_OK && fyke_facts_step(&row, &status, diff->error)) {
		struct item item;

		read_item(diff, row, &item);
		status = tell(diff, told, &item);
	}
	sqlite3_finalize(row);
	sqlite3_free(sql);
	return status;
}

static enum fyke_status run_list(struct fyke_diff *diff, const struct list *list)
{
	struct told told = {.list = list};
	enum fyke_status status;

	diff->written = 0;
	if (diff->options->json)
		fprintf(diff->out, ",\n  \"%s\": [", list->key);
	status = list->sql == NULL ? tell_services(diff, &told) : tell_rows(diff, &told);
	if (diff->options->json)
		fputs(diff->written > 0 ? "\n  ]" : "]", diff->out);
	else if (told.shown > 0)
		fprintf(diff->out, "  %zu came, %zu went, %zu changed, %zu stayed%s\n", told.count[CAME],
			told.count[WENT], told.count[CHANGED], told.count[SAME],
			told.shown > diff->options->top ? " (--top shows more)" : "");
	return status;
}

/* ---- the whole ---- */

/* Sessions are asked only where a capture does not know its packets' times yet. */
static enum fyke_status observe(struct fyke_diff *diff, int side, int64_t span[2], int64_t *sessions)
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
		" FROM %s.captures AS c WHERE first_packet_us IS NOT NULL OR EXISTS (SELECT 1 FROM "
		"%s.sessions WHERE capture_id = c.id))",
		schema, schema, schema, schema, schema);
	sqlite3_stmt *row;
	enum fyke_status status = fyke_facts_prepare(diff->db, sql, 0, &row, diff->error);

	while (status == FYKE_OK && fyke_facts_step(&row, &status, diff->error)) {
		span[0] = sqlite3_column_int64(row, 0);
		span[1] = sqlite3_column_int64(row, 1);
		diff->seconds[side] = sqlite3_column_double(row, 2) / 1e6;
		*sessions = sqlite3_column_int64(row, 3) + diff->folded[side];
	}
	/* One packet is observed for no time at all; rates need some. */
	diff->seconds[side] = fmax(diff->seconds[side], 1);
	sqlite3_free(sql);
	return status;
}

static void put_side_text(const struct fyke_diff *diff, int side, const int64_t span[2], int64_t sessions)
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

static enum fyke_status write_side(struct fyke_diff *diff, int side)
{
	const char *name = side == 0 ? diff->options->old_name : diff->options->new_name;
	int64_t span[2] = {0, 0}, sessions = 0;
	enum fyke_status status = observe(diff, side, span, &sessions);
	bool known = sessions > 0 || span[1] != 0;
	json_t *object;

	if (status != FYKE_OK)
		return status;
	if (diff->options->json) {
		object = json_object();
		json_object_set_new(object, "database", text_json(name));
		json_object_set_new(object, "first_us", known ? json_integer(span[0]) : json_null());
		json_object_set_new(object, "last_us", known ? json_integer(span[1]) : json_null());
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
	struct fyke_diff diff = {.db = db,
		.options = options,
		.out = out,
		.error = error,
		.ascii = fileno(out) >= 0 && isatty(fileno(out)) == 1};
	enum fyke_status status = fyke_diff_count_services(&diff);

	if (status == FYKE_OK)
		status = write_side(&diff, 0);
	if (status == FYKE_OK)
		status = write_side(&diff, 1);
	for (size_t i = 0; status == FYKE_OK && i < sizeof(lists) / sizeof(lists[0]); i++)
		status = run_list(&diff, &lists[i]);
	if (status == FYKE_OK)
		status = fyke_diff_shifts(&diff);
	if (options->json)
		fputs("\n}\n", out);
	fyke_diff_release_services(&diff);
	return status;
}
