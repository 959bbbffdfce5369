/* A filter compiled and run for the ids of its sessions. */
#include "cli/choose.h"

#include "analyzer/classify/services.h"
#include "cli/command.h"
#include "storage/filter.h"
#include "storage/folded.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

char *fyke_choose_join(char **words, int count)
{
	size_t length = 1;
	size_t used = 0;
	char *text;

	for (int i = 0; i < count; i++)
		length += strlen(words[i]) + 1;
	text = calloc(1, length);
	for (int i = 0; text != NULL && i < count; i++)
		used += (size_t)snprintf(text + used, length - used, "%s%s", i > 0 ? " " : "", words[i]);
	return text;
}

size_t fyke_choose_ports_of(void *context, const char *service, uint16_t *ports, size_t room)
{
	static const uint8_t protocols[] = {6, 17, 132};
	struct fyke_services **services = context;
	size_t count = 0;

	if (*services == NULL && fyke_services_new(NULL, services, NULL) != FYKE_OK)
		return 0;
	for (unsigned port = 0; port < 65536 && count < room; port++) {
		for (size_t i = 0; i < sizeof(protocols); i++) {
			const char *name = fyke_services_name(*services, protocols[i], (uint16_t)port);

			if (name == NULL || strcasecmp(name, service) != 0)
				continue;
			ports[count++] = (uint16_t)port;
			break;
		}
	}
	return count;
}

static int64_t now_us(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return 0;
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static enum fyke_status compile(sqlite3 *db, const char *command, const char *text,
	struct fyke_filter **filter, struct fyke_error *error)
{
	struct fyke_services *services = NULL;
	struct fyke_filter_options options = {.now_us = now_us(),
		.ports_of = fyke_choose_ports_of,
		.ports_context = &services,
		.folded = fyke_folded_is_there(db)};
	struct fyke_filter_columns *columns = NULL;
	struct fyke_filter_fault fault = {0};
	enum fyke_status status = fyke_filter_register(db, error);

	if (status == FYKE_OK)
		status = fyke_filter_columns_load(db, &columns, error);
	if (status == FYKE_OK)
		status = fyke_filter_compile(columns, text, &options, filter, &fault, error);
	if (status == FYKE_FAILED_USAGE && fault.text[0] != '\0') {
		char *shown = fyke_filter_explain_fault(text, &fault);

		fprintf(stderr, "fyke %s: %s", command, shown == NULL ? fault.text : shown);
		sqlite3_free(shown);
		error->text[0] = '\0';
	}
	fyke_filter_columns_free(columns);
	fyke_services_free(services);
	return status;
}

static enum fyke_status failed(sqlite3 *db, struct fyke_error *error)
{
	return fyke_error_set(error, FYKE_FAILED_DATABASE, "%s", sqlite3_errmsg(db));
}

static enum fyke_status run(sqlite3 *db, const struct fyke_filter *filter, fyke_choose_function *function,
	void *context, struct fyke_error *error)
{
	const struct fyke_filter_select select = {.columns = "s.id", .order = "1", .limit = -1};
	char *sql = fyke_filter_sql(filter, &select);
	sqlite3_stmt *statement = NULL;
	enum fyke_status status = FYKE_OK;
	int result = SQLITE_DONE;

	if (sql == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		status = failed(db, error);
	sqlite3_free(sql);
	if (status == FYKE_OK)
		status = fyke_filter_bind(filter, statement, error);
	while (status == FYKE_OK && (result = sqlite3_step(statement)) == SQLITE_ROW)
		status = function(context, sqlite3_column_int64(statement, 0), error);
	if (status == FYKE_OK && result != SQLITE_DONE)
		status = failed(db, error);
	sqlite3_finalize(statement);
	return status;
}

enum fyke_status fyke_choose_sessions(sqlite3 *db, const char *command, const char *text,
	fyke_choose_function *function, void *context, struct fyke_error *error)
{
	struct fyke_filter *filter = NULL;
	enum fyke_status status = compile(db, command, text, &filter, error);

	if (status == FYKE_OK)
		status = run(db, filter, function, context, error);
	fyke_filter_free(filter);
	return status;
}

int fyke_choose_fail(const char *command, const struct fyke_error *error)
{
	return error->text[0] == '\0' ? FYKE_EXIT_USAGE : fyke_fail(command, error);
}

enum fyke_status fyke_choose_one(sqlite3 *db, const char *word, int64_t *session_id, struct fyke_error *error)
{
	sqlite3_stmt *find = NULL;
	uint64_t number;
	int result;

	if (!fyke_parse_count(word, INT64_MAX, &number))
		return fyke_error_set(error, FYKE_FAILED_USAGE,
			"'%s' is no session's id; `fyke query` lists sessions with their ids", word);
	if (sqlite3_prepare_v2(db, "SELECT 1 FROM " FYKE_ALL_SESSIONS " WHERE id = ?1", -1, &find, NULL) !=
		SQLITE_OK)
		return failed(db, error);
	*session_id = (int64_t)number;
	sqlite3_bind_int64(find, 1, *session_id);
	result = sqlite3_step(find);
	sqlite3_finalize(find);
	if (result == SQLITE_ROW)
		return FYKE_OK;
	return fyke_error_set(error, FYKE_FAILED_USAGE, "the database has no session %" PRIu64, number);
}
