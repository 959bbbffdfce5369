/*
 * Every filter that compiles must give SQL that SQLite accepts, and one that does not must have a
 * fault that points into the text.
 */
#include "storage/filter.h"
#include "storage/folded.h"
#include "storage/schema.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static size_t ports_of(void *context, const char *service, uint16_t *ports, size_t room)
{
	(void)context;
	for (size_t i = 0; i < room; i++)
		ports[i] = (uint16_t)(443 + i);
	return strcmp(service, "http") == 0 ? 1 : strcmp(service, "many") == 0 ? room : 0;
}

static sqlite3 *database(void)
{
	static sqlite3 *db;
	struct fyke_error error;

	if (db != NULL)
		return db;
	if (sqlite3_open(":memory:", &db) != SQLITE_OK || fyke_schema_create(db, &error) != FYKE_OK ||
		fyke_schema_make_indices(db, &error) != FYKE_OK ||
		fyke_filter_register(db, &error) != FYKE_OK || fyke_folded_register(db, &error) != FYKE_OK)
		abort();
	sqlite3_exec(db,
		"CREATE TABLE http(session_id INTEGER, n INTEGER, host TEXT, status INTEGER, time_us "
		"INTEGER)",
		NULL, NULL, NULL);
	return db;
}

static void check_sql(const struct fyke_filter *filter, char *sql)
{
	sqlite3_stmt *statement = NULL;
	struct fyke_error error;
	int code;

	if (sql == NULL)
		abort();
	code = sqlite3_prepare_v2(database(), sql, -1, &statement, NULL);
	if (code != SQLITE_OK) {
		fprintf(stderr, "%s\n%s\n", sqlite3_errmsg(database()), sql);
		abort();
	}
	if (fyke_filter_bind(filter, statement, &error) != FYKE_OK || sqlite3_step(statement) == SQLITE_ERROR)
		abort();
	sqlite3_finalize(statement);
	sqlite3_free(sql);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct fyke_filter_columns *columns;
	const struct fyke_filter_select select = {"s.id, s.start_us", "2, 1", false, 10, false};
	struct fyke_filter_options options = {1763864225123456, length % 2, ports_of, NULL, length % 3 == 0};
	struct fyke_filter_fault fault;
	struct fyke_filter *filter;
	struct fyke_error error;
	char *text = malloc(length + 1);

	if (text == NULL ||
		(columns == NULL && fyke_filter_columns_load(database(), &columns, &error) != FYKE_OK))
		abort();
	memcpy(text, data, length);
	text[length] = '\0';
	if (fyke_filter_compile(columns, text, &options, &filter, &fault, &error) == FYKE_OK) {
		check_sql(filter, fyke_filter_sql(filter, &select));
		check_sql(filter, fyke_filter_count_sql(filter));
		fyke_filter_free(filter);
	} else {
		char *shown = fyke_filter_explain_fault(text, &fault);

		if (error.status != FYKE_FAILED_USAGE || fault.text[0] == '\0' || fault.at > strlen(text) ||
			shown == NULL || strchr(shown, '^') == NULL)
			abort();
		sqlite3_free(shown);
	}
	free(text);
	return 0;
}
