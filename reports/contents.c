/* Sums over tables of records (contents.h). Tables and columns that a database lacks are left out. */
#include "reports/contents.h"

#include "reports/facts.h"

#include <sqlite3.h>

const struct fyke_contents_table fyke_contents_tables[] = {
	{"http", "request", "requests", {{"host", "hosts"}, {"status", "statuses"}, {"method", "methods"}},
		NULL},
	{"dns", "question", "questions", {{"query", "names"}, {"rcode", "rcodes"}, {"type", "types"}}, NULL},
	{"tls", "handshake", "handshakes", {{"sni", "names"}, {"version", "versions"}, {"alpn", "protocols"}},
		NULL},
	{"quic", "connection", "connections", {{"sni", "names"}, {"version", "versions"}}, NULL},
	{"smtp", "message", "messages", {{"mailfrom", "senders"}}, NULL},
	{"credentials", "login in the clear", "logins in the clear", {{"protocol", "protocols"}}, NULL},
	{"transferred_files", "file", "files", {{"type", "types"}, {"protocol", "protocols"}}, "bytes"},
	{NULL, NULL, NULL, {{NULL, NULL}}, NULL},
};

static bool has_column(struct sqlite3 *db, const char *table, const char *column)
{
	return sqlite3_table_column_metadata(db, "main", table, column, NULL, NULL, NULL, NULL, NULL) ==
	       SQLITE_OK;
}

/* Records are few beside sessions: their rows lead, and each looks its session up. */
static void append_from(sqlite3_str *sql, const char *table, int64_t capture_id)
{
	sqlite3_str_appendf(sql, " FROM \"%w\" AS r", table);
	if (capture_id != 0)
		sqlite3_str_appendall(
			sql, " CROSS JOIN sessions AS s ON s.id = r.session_id WHERE s.capture_id = ?1");
	else
		sqlite3_str_appendall(sql, " WHERE TRUE");
}

static enum fyke_status prepare(struct sqlite3 *db, sqlite3_str *sql, int64_t capture_id,
	struct sqlite3_stmt **statement, struct fyke_error *error)
{
	char *text = sqlite3_str_finish(sql);
	enum fyke_status status = fyke_facts_prepare(db, text, capture_id, statement, error);

	sqlite3_free(text);
	return status;
}

enum fyke_status fyke_contents_count(struct sqlite3 *db, const struct fyke_contents_table *table,
	int64_t capture_id, struct fyke_contents_count *count, struct fyke_error *error)
{
	bool sums = table->sum != NULL && has_column(db, table->name, table->sum);
	sqlite3_str *sql;
	sqlite3_stmt *statement;
	enum fyke_status status;

	*count = (struct fyke_contents_count){0};
	if (!has_column(db, table->name, "session_id"))
		return FYKE_OK;
	sql = sqlite3_str_new(NULL);
	sqlite3_str_appendf(sql, sums ? "SELECT count(*), total(r.\"%w\")" : "SELECT count(*), 0",
		sums ? table->sum : "");
	append_from(sql, table->name, capture_id);
	status = prepare(db, sql, capture_id, &statement, error);
	if (status != FYKE_OK)
		return status;
	while (fyke_facts_step(&statement, &status, error)) {
		count->rows = sqlite3_column_int64(statement, 0);
		count->sum = sqlite3_column_int64(statement, 1);
	}
	return status;
}

enum fyke_status fyke_contents_values(struct sqlite3 *db, const struct fyke_contents_question *question,
	fyke_contents_take *take, void *context, bool *more, struct fyke_error *error)
{
	const char *table = question->table->name, *column = question->table->columns[question->column].name;
	sqlite3_str *sql;
	sqlite3_stmt *statement;
	enum fyke_status status;
	unsigned n = 0;

	*more = false;
	if (!has_column(db, table, column))
		return FYKE_OK;
	sql = sqlite3_str_new(NULL);
	sqlite3_str_appendf(sql, "SELECT CAST(r.\"%w\" AS TEXT), count(*)", column);
	append_from(sql, table, question->capture_id);
	sqlite3_str_appendf(sql, " AND r.\"%w\" IS NOT NULL GROUP BY r.\"%w\" ORDER BY 2 DESC, 1 LIMIT %u",
		column, column, question->most + 1);
	status = prepare(db, sql, question->capture_id, &statement, error);
	if (status != FYKE_OK)
		return status;
	while (fyke_facts_step(&statement, &status, error)) {
		const char *text = (const char *)sqlite3_column_text(statement, 0);

		if (n++ < question->most)
			take(context, text == NULL ? "" : text, sqlite3_column_int64(statement, 1));
		else
			*more = true;
	}
	return status;
}
