/* Small helpers around sqlite3: running, binding, and failures as sentences. */
#include "storage/sql.h"

#include "analyzer/base/text.h"
#include "analyzer/session/session.h"

#include <stdlib.h>
#include <string.h>

static const char *file_of(sqlite3 *db)
{
	const char *name = sqlite3_db_filename(db, "main");

	return name != NULL && name[0] != '\0' ? name : "the database";
}

enum fyke_status fyke_sql_failed(sqlite3 *db, struct fyke_error *error)
{
	const char *file = file_of(db);

	switch (sqlite3_errcode(db) & 0xff) {
	case SQLITE_FULL:
		return fyke_error_set(
			error, FYKE_FAILED_IO, "%s: the disk is full; what was stored before is kept", file);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return fyke_error_set(error, FYKE_FAILED_DATABASE,
			"%s: locked by another program for longer than fyke waits", file);
	case SQLITE_READONLY:
		return fyke_error_set(error, FYKE_FAILED_PERMISSION,
			"%s: cannot be written: the file or its directory is read-only", file);
	case SQLITE_CANTOPEN:
		return fyke_error_set(error, FYKE_FAILED_IO,
			"%s: cannot be opened: fyke needs to make files beside it (-wal, -shm)", file);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return fyke_error_set(error, FYKE_FAILED_FORMAT, "%s: damaged: %s", file, sqlite3_errmsg(db));
	case SQLITE_NOMEM:
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "%s: out of memory", file);
	case SQLITE_IOERR:
		return fyke_error_set(error, FYKE_FAILED_IO, "%s: %s: %s", file, sqlite3_errmsg(db),
			strerror(sqlite3_system_errno(db)));
	default:
		return fyke_error_set(error, FYKE_FAILED_DATABASE, "%s: %s", file, sqlite3_errmsg(db));
	}
}

enum fyke_status fyke_sql_run(sqlite3 *db, const char *sql, struct fyke_error *error)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? FYKE_OK : fyke_sql_failed(db, error);
}

enum fyke_status fyke_sql_run_built(sqlite3 *db, sqlite3_str *sql, struct fyke_error *error)
{
	char *text = sqlite3_str_finish(sql);
	enum fyke_status status;

	if (text == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "%s: out of memory", file_of(db));
	status = fyke_sql_run(db, text, error);
	sqlite3_free(text);
	return status;
}

enum fyke_status fyke_sql_prepare(
	sqlite3 *db, const char *sql, sqlite3_stmt **statement, struct fyke_error *error)
{
	if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK)
		return fyke_sql_failed(db, error);
	return FYKE_OK;
}

enum fyke_status fyke_sql_finish(sqlite3_stmt *statement, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;
	int result;

	do {
		result = sqlite3_step(statement);
	} while (result == SQLITE_ROW);
	if (result != SQLITE_DONE)
		status = fyke_sql_failed(sqlite3_db_handle(statement), error);
	sqlite3_reset(statement);
	return status;
}

enum fyke_status fyke_sql_run_with(
	sqlite3 *db, const char *sql, int64_t first, int64_t second, struct fyke_error *error)
{
	sqlite3_stmt *statement = NULL;
	enum fyke_status status = fyke_sql_prepare(db, sql, &statement, error);

	if (status == FYKE_OK) {
		int count = sqlite3_bind_parameter_count(statement);

		if (count > 0)
			fyke_sql_bind_number(statement, 1, first);
		if (count > 1)
			fyke_sql_bind_number(statement, 2, second);
		status = fyke_sql_finish(statement, error);
	}
	sqlite3_finalize(statement);
	return status;
}

int64_t fyke_sql_number(sqlite3 *db, const char *sql, int64_t otherwise)
{
	sqlite3_stmt *statement = NULL;
	int64_t value = otherwise;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL)
		value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return value;
}

void fyke_sql_bind_number(sqlite3_stmt *statement, int index, int64_t value)
{
	if (value == FYKE_UNKNOWN)
		sqlite3_bind_null(statement, index);
	else
		sqlite3_bind_int64(statement, index, value);
}

/* Printable ASCII without a backslash is stored as it is, which fyke_text_utf8 would find too. */
static bool is_plain(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c < 0x20 || c >= 0x7f || c == '\\')
			return false;
	}
	return true;
}

static char *escaped(const char *bytes, size_t length, size_t *result)
{
	size_t room = 4 * length + 1;
	char *text = malloc(room);

	if (text != NULL)
		*result = fyke_text_utf8(bytes, length, text, room);
	return text;
}

void fyke_sql_bind_bytes(sqlite3_stmt *statement, int index, const char *bytes, size_t length)
{
	size_t result = 0;
	char *copy = escaped(bytes, length, &result);

	if (copy != NULL)
		sqlite3_bind_text64(statement, index, copy, result, free, SQLITE_UTF8);
	else
		sqlite3_bind_null(statement, index);
}

void fyke_sql_bind_text(sqlite3_stmt *statement, int index, const char *text)
{
	if (text != NULL)
		fyke_sql_bind_bytes(statement, index, text, strlen(text));
	else
		sqlite3_bind_null(statement, index);
}

void fyke_sql_result_text(sqlite3_context *context, const char *bytes, uint32_t length)
{
	size_t result = 0;
	char *copy;

	if (is_plain(bytes, length)) {
		sqlite3_result_text64(context, bytes, length, SQLITE_STATIC, SQLITE_UTF8);
		return;
	}
	copy = escaped(bytes, length, &result);
	if (copy == NULL)
		sqlite3_result_error_nomem(context);
	else
		sqlite3_result_text64(context, copy, result, free, SQLITE_UTF8);
}
