/* A session's records as JSON (json_records.h), from the database or from the list of a live session. */
#include "storage/json_records.h"

#include "analyzer/session/session.h"
#include "storage/rows.h"
#include "storage/schema.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { TABLES_MAX = 256, BEFORE_FIELDS = 2 /* frame, time_us */ };

struct source {
	const struct fyke_table *table;
	sqlite3_stmt *statement; /* frame, time_us, fields; ?1 is the session */
};

struct fyke_json_records {
	struct source list[TABLES_MAX];
	size_t count;
};

bool fyke_json_records_tells(const struct fyke_table *table)
{
	return table != &fyke_table_session_frames && table != &fyke_table_session_parents;
}

/* An older database may lack columns, or the whole table. */
static char *select_of(struct sqlite3 *db, const struct fyke_table *table)
{
	sqlite3_str *sql = sqlite3_str_new(db);

	sqlite3_str_appendall(sql, "SELECT r.\"frame\", r.\"time_us\"");
	for (size_t i = 0; i < table->field_count; i++) {
		const char *name = table->fields[i].name;

		sqlite3_str_appendf(sql,
			fyke_schema_has_column(db, table->name, name) ? ", r.\"%w\"" : ", NULL AS \"%w\"",
			name);
	}
	sqlite3_str_appendf(sql, " FROM \"%w\" AS r WHERE r.session_id = ?1 ORDER BY r.\"n\"", table->name);
	return sqlite3_str_finish(sql);
}

static bool has_rows(struct sqlite3 *db, const char *table)
{
	char *sql = sqlite3_mprintf("SELECT 1 FROM \"%w\" LIMIT 1", table);
	sqlite3_stmt *statement = NULL;
	bool any = sql != NULL && fyke_schema_has_column(db, table, "n") &&
		   sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
		   sqlite3_step(statement) == SQLITE_ROW;

	sqlite3_finalize(statement);
	sqlite3_free(sql);
	return any;
}

static bool is_there(const struct fyke_json_records *records, const struct fyke_table *table)
{
	for (size_t i = 0; i < records->count; i++) {
		if (strcmp(records->list[i].table->name, table->name) == 0)
			return true;
	}
	return false;
}

static enum fyke_status add(struct sqlite3 *db, struct fyke_json_records *records,
	const struct fyke_table *table, struct fyke_error *error)
{
	struct source *source = &records->list[records->count];
	char *sql;
	int code;

	if (records->count == TABLES_MAX || !fyke_json_records_tells(table) || is_there(records, table) ||
		!has_rows(db, table->name))
		return FYKE_OK;
	sql = select_of(db, table);
	if (sql == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	code = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &source->statement, NULL);
	sqlite3_free(sql);
	if (code != SQLITE_OK)
		return fyke_error_set(error, FYKE_FAILED_DATABASE, "%s", sqlite3_errmsg(db));
	source->table = table;
	records->count++;
	return FYKE_OK;
}

enum fyke_status fyke_json_records_open(struct sqlite3 *db, const struct fyke_table *const *tables,
	struct fyke_json_records **records, struct fyke_error *error)
{
	struct fyke_json_records *made = calloc(1, sizeof(*made));
	enum fyke_status status = FYKE_OK;
	const struct fyke_table *const *own;
	size_t count;

	*records = NULL;
	if (made == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	for (; status == FYKE_OK && tables != NULL && *tables != NULL; tables++)
		status = add(db, made, *tables, error);
	own = fyke_schema_record_tables(&count);
	for (size_t i = 0; status == FYKE_OK && i < count; i++)
		status = add(db, made, own[i], error);
	if (status == FYKE_OK)
		*records = made;
	else
		fyke_json_records_close(made);
	return status;
}

void fyke_json_records_close(struct fyke_json_records *records)
{
	if (records == NULL)
		return;
	for (size_t i = 0; i < records->count; i++)
		sqlite3_finalize(records->list[i].statement);
	free(records);
}

/* ---- writing ---- */

static void append_text(struct fyke_json_buffer *out, const char *text)
{
	fyke_json_append(out, text, strlen(text));
}

static void append_key(struct fyke_json_buffer *out, const char *key)
{
	append_text(out, ",");
	fyke_json_append_string(out, key, strlen(key));
	append_text(out, ":");
}

static void append_integer(struct fyke_json_buffer *out, enum fyke_type type, int64_t value)
{
	if (type == FYKE_TYPE_BOOLEAN && (value == 0 || value == 1))
		append_text(out, value == 0 ? "false" : "true");
	else
		fyke_json_append_integer(out, value);
}

static void append_bytes(struct fyke_json_buffer *out, enum fyke_type type, const void *bytes, size_t length)
{
	if (type == FYKE_TYPE_BLOB)
		fyke_json_append_hexadecimal(out, bytes, length);
	else
		fyke_json_append_string(out, bytes == NULL ? "" : bytes, length);
}

/* The frame and time that every record begins with. */
static void begin_record(struct fyke_json_buffer *out, bool first, int64_t frame, int64_t time_us)
{
	append_text(out, first ? "{\"frame\":" : ",{\"frame\":");
	fyke_json_append_integer(out, frame);
	append_text(out, ",\"time_us\":");
	fyke_json_append_integer(out, time_us);
}

static void append_stored(struct fyke_json_buffer *out, sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	if (text == NULL)
		out->failed = true;
	else
		fyke_json_append_stored(out, text, (size_t)sqlite3_column_bytes(row, column));
}

static void append_column(
	struct fyke_json_buffer *out, const struct fyke_field *field, sqlite3_stmt *row, int column)
{
	append_key(out, field->name);
	switch (sqlite3_column_type(row, column)) {
	case SQLITE_INTEGER:
		append_integer(out, field->type, sqlite3_column_int64(row, column));
		break;
	case SQLITE_TEXT:
		append_stored(out, row, column);
		break;
	case SQLITE_BLOB:
		append_bytes(out, FYKE_TYPE_BLOB, sqlite3_column_blob(row, column),
			(size_t)sqlite3_column_bytes(row, column));
		break;
	default:
		append_text(out, "null");
		break;
	}
}

static bool append_source(const struct source *source, int64_t session_id, struct fyke_json_buffer *out)
{
	sqlite3_stmt *row = source->statement;
	const struct fyke_table *table = source->table;
	bool first = true;
	int code;

	sqlite3_reset(row);
	if (sqlite3_bind_int64(row, 1, session_id) != SQLITE_OK)
		return false;
	while ((code = sqlite3_step(row)) == SQLITE_ROW) {
		if (first) {
			append_key(out, table->name);
			append_text(out, "[");
		}
		begin_record(out, first, sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1));
		for (size_t i = 0; i < table->field_count; i++)
			append_column(out, &table->fields[i], row, (int)i + BEFORE_FIELDS);
		append_text(out, "}");
		first = false;
	}
	if (!first)
		append_text(out, "]");
	sqlite3_reset(row);
	return code == SQLITE_DONE;
}

bool fyke_json_records_append(
	struct fyke_json_records *records, int64_t session_id, struct fyke_json_buffer *out)
{
	bool good = true;

	for (size_t i = 0; good && i < records->count; i++)
		good = append_source(&records->list[i], session_id, out);
	return good;
}

static void append_value(
	struct fyke_json_buffer *out, const struct fyke_field *field, const struct fyke_value *value)
{
	append_key(out, field->name);
	if (value->kind == FYKE_VALUE_INTEGER)
		append_integer(out, field->type, value->integer);
	else if (value->kind == FYKE_VALUE_BYTES)
		append_bytes(out, field->type, value->bytes, value->length);
	else
		append_text(out, "null");
}

void fyke_json_records_append_one(const struct fyke_record *record, bool first, struct fyke_json_buffer *out)
{
	begin_record(out, first, (int64_t)record->frame, fyke_rows_us(record->time_ns));
	for (size_t i = 0; i < record->table->field_count; i++)
		append_value(out, &record->table->fields[i], &record->values[i]);
	append_text(out, "}");
}

static bool is_first_of_table(const struct fyke_record *list, const struct fyke_record *record)
{
	while (list != record && list->table != record->table)
		list = list->next;
	return list == record;
}

void fyke_json_records_append_list(const struct fyke_record *list, struct fyke_json_buffer *out)
{
	for (const struct fyke_record *record = list; record != NULL; record = record->next) {
		if (!fyke_json_records_tells(record->table) || !is_first_of_table(list, record))
			continue;
		append_key(out, record->table->name);
		append_text(out, "[");
		for (const struct fyke_record *one = record; one != NULL; one = one->next) {
			if (one->table == record->table)
				fyke_json_records_append_one(one, one == record, out);
		}
		append_text(out, "]");
	}
}
