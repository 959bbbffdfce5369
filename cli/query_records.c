/* `fyke query --records`: what sessions said, record by record, for a person. */
#include "cli/query.h"

#include "analyzer/base/text.h"
#include "cli/choose.h"
#include "dissectors/registry.h"
#include "reports/wrap.h"
#include "storage/json_records.h"
#include "storage/schema.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { SOURCES_MAX = 256, FIRST_FIELD = 3 /* behind n, frame, time_us */ };

/* A table with rows of the session at hand, and the first of them that is not printed yet. */
struct source {
	const char *table;
	sqlite3_stmt *row; /* n, frame, time_us, the fields by their names; ?1 is the session */
	bool there;
};

struct view {
	sqlite3 *db;
	struct fyke_screen screen;
	sqlite3_stmt *session;
	struct source sources[SOURCES_MAX];
	size_t count;
	int64_t left; /* sessions that may still be shown; < 0 = any number */
	int64_t shown;
};

static const char session_sql[] =
	"SELECT l.client, l.server, l.service, l.transport, l.start, s.start_us FROM session_list AS l "
	"JOIN sessions AS s ON s.id = l.id WHERE l.id = ?1";

static enum fyke_status failed(const struct view *view, struct fyke_error *error)
{
	return fyke_error_set(error, FYKE_FAILED_DATABASE, "%s", sqlite3_errmsg(view->db));
}

/* A table that this database lacks has nothing to show. */
static void add_source(struct view *view, const struct fyke_table *table)
{
	struct source *source = &view->sources[view->count];
	sqlite3_str *sql;
	char *text;

	if (view->count == SOURCES_MAX || !fyke_json_records_tells(table) ||
		sqlite3_table_column_metadata(
			view->db, "main", table->name, "n", NULL, NULL, NULL, NULL, NULL) != SQLITE_OK)
		return;
	sql = sqlite3_str_new(view->db);
	sqlite3_str_appendall(sql, "SELECT r.n, r.frame, r.time_us");
	for (size_t i = 0; i < table->field_count; i++)
		sqlite3_str_appendf(sql, ", r.\"%w\"", table->fields[i].name);
	sqlite3_str_appendf(sql, " FROM \"%w\" AS r WHERE r.session_id = ?1 ORDER BY r.n", table->name);
	text = sqlite3_str_finish(sql);
	if (text != NULL && sqlite3_prepare_v2(view->db, text, -1, &source->row, NULL) == SQLITE_OK) {
		source->table = table->name;
		view->count++;
	}
	sqlite3_free(text);
}

static void add_sources(struct view *view)
{
	const struct fyke_table *tables[FYKE_TABLES_MAX];
	size_t count = fyke_dissector_tables(tables, FYKE_TABLES_MAX), own_count;
	const struct fyke_table *const *own = fyke_schema_record_tables(&own_count);

	for (size_t i = 0; i < count; i++)
		add_source(view, tables[i]);
	for (size_t i = 0; i < own_count; i++)
		add_source(view, own[i]);
}

static void advance(struct source *source)
{
	source->there = sqlite3_step(source->row) == SQLITE_ROW;
}

/* Records of all tables in the order in which they were found. */
static struct source *next_of(struct view *view)
{
	struct source *next = NULL;

	for (size_t i = 0; i < view->count; i++) {
		struct source *source = &view->sources[i];

		if (source->there && (next == NULL || sqlite3_column_int64(source->row, 0) <
							      sqlite3_column_int64(next->row, 0)))
			next = source;
	}
	return next;
}

/* name=value, in quotes where it has blanks; what is not known is left out. */
static void append_value(sqlite3_str *line, sqlite3_stmt *row, int column)
{
	const char *text;
	bool quoted;

	if (sqlite3_column_type(row, column) == SQLITE_NULL)
		return;
	sqlite3_str_appendf(
		line, "%s%s=", sqlite3_str_length(line) > 0 ? " " : "", sqlite3_column_name(row, column));
	if (sqlite3_column_type(row, column) == SQLITE_BLOB) {
		sqlite3_str_appendf(line, "(%d bytes)", sqlite3_column_bytes(row, column));
		return;
	}
	text = (const char *)sqlite3_column_text(row, column);
	quoted = text != NULL && (text[0] == '\0' || strpbrk(text, " \t\r\n\"") != NULL);
	sqlite3_str_appendf(line, quoted ? "\"%s\"" : "%s", text);
}

static void print_record(const struct view *view, const struct source *source, int64_t start_us)
{
	sqlite3_str *line = sqlite3_str_new(NULL);
	const struct fyke_wrap wrap = {&view->screen, stdout, 2, 32};
	char label[96], duration[FYKE_TEXT_NUMBER], *text;

	for (int i = FIRST_FIELD; i < sqlite3_column_count(source->row); i++)
		append_value(line, source->row, i);
	(void)snprintf(label, sizeof(label), "%-8lld +%-10s %s ", sqlite3_column_int64(source->row, 1),
		fyke_text_duration(
			sqlite3_column_int64(source->row, 2) - start_us, view->screen.flags, duration),
		source->table);
	text = sqlite3_str_finish(line);
	fyke_wrap_put(&wrap, label, FYKE_PAINT_PLAIN, text == NULL ? "" : text);
	sqlite3_free(text);
}

static int64_t print_head(struct view *view, int64_t session_id)
{
	int64_t start_us = 0;
	char *text = NULL;

	sqlite3_reset(view->session);
	sqlite3_bind_int64(view->session, 1, session_id);
	if (sqlite3_step(view->session) == SQLITE_ROW) {
		const char *service = (const char *)sqlite3_column_text(view->session, 2);

		text = sqlite3_mprintf("session %lld: %s from %s to %s over %s, %s", (long long)session_id,
			service == NULL ? "unknown service" : service, sqlite3_column_text(view->session, 0),
			sqlite3_column_text(view->session, 1), sqlite3_column_text(view->session, 3),
			sqlite3_column_text(view->session, 4));
		start_us = sqlite3_column_int64(view->session, 5);
	}
	sqlite3_reset(view->session);
	fputs(view->shown > 0 ? "\n" : "", stdout);
	fyke_screen_put(&view->screen, text == NULL ? "" : text, 0, FYKE_PAINT_BOLD, stdout);
	fputc('\n', stdout);
	sqlite3_free(text);
	return start_us;
}

static enum fyke_status show_session(void *context, int64_t session_id, struct fyke_error *error)
{
	struct view *view = context;
	struct source *source;
	int64_t start_us;
	bool any = false;

	if (view->left == 0 || ferror(stdout))
		return FYKE_OK;
	view->left -= view->left > 0;
	start_us = print_head(view, session_id);
	view->shown++;
	for (size_t i = 0; i < view->count; i++) {
		sqlite3_reset(view->sources[i].row);
		if (sqlite3_bind_int64(view->sources[i].row, 1, session_id) != SQLITE_OK)
			return failed(view, error);
		advance(&view->sources[i]);
	}
	while ((source = next_of(view)) != NULL && !ferror(stdout)) {
		print_record(view, source, start_us);
		advance(source);
		any = true;
	}
	if (!any)
		puts("  nothing was recorded of what it said");
	return FYKE_OK;
}

enum fyke_status fyke_query_records(
	struct sqlite3 *db, const struct fyke_query_request *request, struct fyke_error *error)
{
	struct view *view = calloc(1, sizeof(*view));
	enum fyke_status status = FYKE_OK;

	if (view == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	view->db = db;
	view->screen = fyke_screen_of(stdout);
	view->left = request->limit_given ? request->limit : -1;
	add_sources(view);
	if (sqlite3_prepare_v2(db, session_sql, -1, &view->session, NULL) != SQLITE_OK)
		status = failed(view, error);
	if (status == FYKE_OK)
		status = fyke_choose_sessions(db, "query", request->filter, show_session, view, error);
	if (status == FYKE_OK && view->shown == 0)
		fputs("no session matches\n", stderr);
	for (size_t i = 0; i < view->count; i++)
		sqlite3_finalize(view->sources[i].row);
	sqlite3_finalize(view->session);
	free(view);
	return status;
}
