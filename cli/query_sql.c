/* `fyke query --sql`: one statement of the user's, which may only read. */
#include "cli/query.h"

#include "storage/folded.h"

#include <ctype.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What SQLite says, and for a mistake in the text where it is. */
static enum fyke_status sql_failed(sqlite3 *db, const char *sql, struct fyke_error *error)
{
	int at = sqlite3_error_offset(db);

	if (sqlite3_errcode(db) == SQLITE_AUTH)
		return fyke_error_set(
			error, FYKE_FAILED_USAGE, "SQL: only reading is allowed (%s)", sqlite3_errmsg(db));
	if (at >= 0 && (size_t)at < strlen(sql))
		return fyke_error_set(
			error, FYKE_FAILED_USAGE, "SQL: %s, at: %.60s", sqlite3_errmsg(db), sql + at);
	return fyke_error_set(error, FYKE_FAILED_USAGE, "SQL: %s", sqlite3_errmsg(db));
}

static bool is_blank(const char *text)
{
	while (isspace((unsigned char)*text) || *text == ';')
		text++;
	return *text == '\0';
}

/* Two columns of one name would be two keys of one name: the later ones get a number. */
static char *unique_name(const struct fyke_query_rows *rows, const char *name)
{
	char *made = sqlite3_mprintf("%s", name);

	for (unsigned n = 2; made != NULL; n++) {
		size_t i = 0;

		while (i < rows->count && strcmp(rows->columns[i].title, made) != 0)
			i++;
		if (i == rows->count)
			break;
		sqlite3_free(made);
		made = sqlite3_mprintf("%s_%u", name, n);
	}
	return made;
}

static bool name_columns(struct fyke_query_rows *rows, char **names)
{
	int count = sqlite3_column_count(rows->statement);

	for (int i = 0; i < count && i < FYKE_QUERY_COLUMNS; i++) {
		const char *name = sqlite3_column_name(rows->statement, i);

		names[i] = unique_name(rows, name == NULL ? "" : name);
		if (names[i] == NULL)
			return false;
		rows->columns[i] = (struct fyke_query_column){.title = names[i],
			.kind = FYKE_FILTER_INTEGER,
			.of_any_kind = true,
			.json = {FYKE_JSONL_TOP, names[i], false}};
		rows->count++;
	}
	return true;
}

static enum fyke_status prepare(
	sqlite3 *db, const char *sql, sqlite3_stmt **statement, struct fyke_error *error)
{
	const char *rest;

	if (sqlite3_prepare_v2(db, sql, -1, statement, &rest) != SQLITE_OK)
		return sql_failed(db, sql, error);
	if (*statement == NULL)
		return fyke_error_set(error, FYKE_FAILED_USAGE, "SQL: there is no statement");
	if (!is_blank(rest))
		return fyke_error_set(error, FYKE_FAILED_USAGE,
			"SQL: one statement at a time, behind it stands: %.60s", rest);
	if (!sqlite3_stmt_readonly(*statement) || sqlite3_column_count(*statement) == 0)
		return fyke_error_set(error, FYKE_FAILED_USAGE, "SQL: only a SELECT is allowed");
	if (sqlite3_column_count(*statement) > FYKE_QUERY_COLUMNS)
		return fyke_error_set(
			error, FYKE_FAILED_USAGE, "SQL: more than %d columns", FYKE_QUERY_COLUMNS);
	return FYKE_OK;
}

static enum fyke_status explain(
	sqlite3 *db, const char *sql, struct fyke_query_rows *rows, struct fyke_error *error)
{
	char *plan = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
	enum fyke_status status = plan == NULL ? fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory")
					       : prepare(db, plan, &rows->statement, error);

	sqlite3_free(plan);
	while (status == FYKE_OK && sqlite3_step(rows->statement) == SQLITE_ROW) {
		fyke_screen_put(&rows->screen, (const char *)sqlite3_column_text(rows->statement, 3), 0,
			FYKE_PAINT_PLAIN, stdout);
		fputc('\n', stdout);
	}
	return status;
}

static enum fyke_status run(sqlite3 *db, const struct fyke_query_request *request,
	struct fyke_query_rows *rows, char **names, struct fyke_error *error)
{
	enum fyke_status status = prepare(db, request->sql, &rows->statement, error);
	int64_t written;
	bool more;

	if (status == FYKE_OK && !name_columns(rows, names))
		status = fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	if (status == FYKE_OK)
		status = fyke_query_write(rows, stdout, &written, &more, error);
	if (status != FYKE_OK || ferror(stdout))
		return status;
	(void)fflush(stdout);
	if (more)
		fprintf(stderr, "the first %lld rows; --limit 0 shows all\n", (long long)written);
	else if (written == 0)
		fprintf(stderr, "no row\n");
	return FYKE_OK;
}

enum fyke_status fyke_query_sql(
	struct fyke_database *database, const struct fyke_query_request *request, struct fyke_error *error)
{
	sqlite3 *db = fyke_database_handle(database);
	struct fyke_query_rows *rows = calloc(1, sizeof(*rows));
	char **names = calloc(FYKE_QUERY_COLUMNS, sizeof(*names));
	enum fyke_status status = fyke_filter_register(db, error);

	if (rows == NULL || names == NULL)
		status = fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	if (status == FYKE_OK)
		status = fyke_folded_show(db, error);
	if (status == FYKE_OK)
		status = fyke_database_restrict(database, error);
	if (status == FYKE_OK) {
		rows->format = request->format;
		rows->screen = fyke_screen_of(stdout);
		rows->tcp_key = -1;
		rows->limit = request->limit_given ? request->limit
			      : request->format == FYKE_QUERY_TABLE && rows->screen.is_terminal ? 100
												: -1;
		status = request->explain ? explain(db, request->sql, rows, error)
					  : run(db, request, rows, names, error);
		sqlite3_finalize(rows->statement);
	}
	for (int i = 0; names != NULL && i < FYKE_QUERY_COLUMNS; i++)
		sqlite3_free(names[i]);
	free(names);
	if (rows != NULL)
		fyke_jsonl_free(rows->jsonl);
	free(rows);
	return status;
}
