/* Sums over tables of records (contents.h). Tables and columns that a database lacks are left out. */
#include "reports/contents.h"

#include "reports/facts.h"

#include <sqlite3.h>
#include <string.h>

const struct fyke_contents_table fyke_contents_tables[] = {
	{"http", "request", "requests", {{"host", "hosts"}, {"status", "statuses"}, {"method", "methods"}},
		NULL},
	{"dns", "question", "questions", {{"query", "names"}, {"rcode", "rcodes"}, {"type", "types"}}, NULL},
	{"tls", "handshake", "handshakes", {{"sni", "names"}, {"version", "versions"}, {"alpn", "protocols"}},
		NULL},
	{"quic", "connection", "connections", {{"sni", "names"}, {"version", "versions"}}, NULL},
	{"smtp", "message", "messages", {{"mailfrom", "senders"}}, NULL},
	{"ssh", "connection", "connections", {{"server", "servers"}, {"client", "clients"}}, NULL},
	{"credentials", "login in the clear", "logins in the clear",
		{{"protocol", "protocols"}, {"user", "users"}}, NULL},
	{"sensitive_numbers", "file with numbers of cards or accounts, in the clear",
		"files with numbers of cards or accounts, in the clear",
		{{"kind", "kinds"}, {"protocol", "protocols"}}, NULL},
	{"transferred_files", "file", "files", {{"type", "types"}, {"protocol", "protocols"}}, "bytes"},
	{NULL, NULL, NULL, {{NULL, NULL}}, NULL},
};

static bool has_column(struct sqlite3 *db, const char *table, const char *column)
{
	return sqlite3_table_column_metadata(db, "main", table, column, NULL, NULL, NULL, NULL, NULL) ==
	       SQLITE_OK;
}

static bool count_value(struct fyke_tally *tally, sqlite3_value *value)
{
	const char *text = (const char *)sqlite3_value_text(value);
	int64_t *counters;

	if (text == NULL)
		return sqlite3_value_type(value) == SQLITE_NULL;
	counters = fyke_tally_at(tally, text, strlen(text));
	if (counters != NULL)
		counters[FYKE_TALLY_SESSIONS]++;
	return counters != NULL;
}

/* Arguments: what is to be summed, then the columns. */
static void take_row(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct fyke_contents *contents = sqlite3_user_data(context);

	contents->rows++;
	contents->sum = (int64_t)((uint64_t)contents->sum + (uint64_t)sqlite3_value_int64(values[0]));
	for (int i = 1; i < count && i <= FYKE_CONTENTS_COLUMNS; i++) {
		if (!count_value(&contents->values[i - 1], values[i]))
			sqlite3_result_error_nomem(context);
	}
}

static void append_column(sqlite3_str *sql, struct sqlite3 *db, const char *table, const char *column)
{
	if (column != NULL && has_column(db, table, column))
		sqlite3_str_appendf(sql, "r.\"%w\"", column);
	else
		sqlite3_str_appendall(sql, "NULL");
}

/* Records are few beside sessions: their rows lead, and each looks its session up. */
static char *query_of(struct sqlite3 *db, const struct fyke_contents_table *table, int64_t capture_id)
{
	sqlite3_str *sql = sqlite3_str_new(NULL);

	sqlite3_str_appendall(sql, "SELECT fyke_take_contents(");
	append_column(sql, db, table->name, table->sum);
	for (unsigned i = 0; i < FYKE_CONTENTS_COLUMNS && table->columns[i].name != NULL; i++) {
		sqlite3_str_appendall(sql, ", ");
		append_column(sql, db, table->name, table->columns[i].name);
	}
	sqlite3_str_appendf(sql, ") FROM \"%w\" AS r", table->name);
	if (capture_id != 0)
		sqlite3_str_appendall(
			sql, " CROSS JOIN sessions AS s ON s.id = r.session_id WHERE s.capture_id = ?1");
	return sqlite3_str_finish(sql);
}

enum fyke_status fyke_contents_gather(struct sqlite3 *db, const struct fyke_contents_table *table,
	int64_t capture_id, struct fyke_contents *contents, struct fyke_error *error)
{
	const struct fyke_facts_reader reader = {"fyke_take_contents", take_row, contents};
	enum fyke_status status;
	char *sql;

	*contents = (struct fyke_contents){0};
	if (!has_column(db, table->name, "session_id"))
		return FYKE_OK;
	for (size_t i = 0; i < FYKE_CONTENTS_COLUMNS; i++)
		contents->values[i].limit = FYKE_CONTENTS_VALUES;
	sql = query_of(db, table, capture_id);
	status = fyke_facts_pass(db, &reader, sql, capture_id, error);
	sqlite3_free(sql);
	for (size_t i = 0; i < FYKE_CONTENTS_COLUMNS; i++)
		fyke_tally_sort(&contents->values[i]);
	return status;
}

void fyke_contents_release(struct fyke_contents *contents)
{
	for (size_t i = 0; i < FYKE_CONTENTS_COLUMNS; i++)
		fyke_tally_release(&contents->values[i]);
}
