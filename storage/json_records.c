/* A session's records as JSON (json_records.h), from the database or from the list of a live session. */
#include "storage/json_records.h"

#include "analyzer/session/session.h"
#include "storage/rows.h"
#include "storage/schema.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { TABLES_MAX = 256, SESSION = 0, FRAME, TIME, BEFORE_FIELDS };

/*
 * A table, read from a session on: the statement stands on the first row of session `next`, and there is none
 *of the sessions behind `passed` and before that. So sessions that come in the order of their ids are read in
 *one pass, and others cost a search only where they may have rows.
 *
 *	passed ······ no rows ······ next
 */
struct source {
	const struct fyke_table *table;
	sqlite3_stmt *statement;      /* session_id, frame, time_us, fields; ?1 is the first session */
	int64_t passed, next;	      /* next < passed: not known; INT64_MAX: no more rows */
	struct fyke_json_buffer keys; /* of the fields, each with all that stands around it */
	uint32_t *ends;		      /* where in `keys` each one ends */
};

struct fyke_json_records {
	struct source list[TABLES_MAX];
	size_t count;
};

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

bool fyke_json_records_tells(const struct fyke_table *table)
{
	return table != &fyke_table_session_frames && table != &fyke_table_session_parents;
}

/* An older database may lack columns, or the whole table. */
static char *select_of(struct sqlite3 *db, const struct fyke_table *table)
{
	sqlite3_str *sql = sqlite3_str_new(db);

	sqlite3_str_appendall(sql, "SELECT r.\"session_id\", r.\"frame\", r.\"time_us\"");
	for (size_t i = 0; i < table->field_count; i++) {
		const char *name = table->fields[i].name;

		sqlite3_str_appendf(sql,
			fyke_schema_has_column(db, table->name, name) ? ", r.\"%w\"" : ", NULL AS \"%w\"",
			name);
	}
	sqlite3_str_appendf(sql, " FROM \"%w\" AS r WHERE r.session_id >= ?1 ORDER BY r.session_id, r.\"n\"",
		table->name);
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

static bool make_keys(struct source *source)
{
	static const char behind[FYKE_JSON_KEY_ROOM]; /* may be read, see fyke_json_append_key */
	const struct fyke_table *table = source->table;

	source->ends = calloc(table->field_count + 1, sizeof(*source->ends));
	for (size_t i = 0; source->ends != NULL && i < table->field_count; i++) {
		append_key(&source->keys, table->fields[i].name);
		source->ends[i] = (uint32_t)source->keys.length;
	}
	fyke_json_append(&source->keys, behind, sizeof(behind));
	return source->ends != NULL && !source->keys.failed;
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
	records->count++;
	source->table = table;
	source->passed = INT64_MAX;
	source->next = INT64_MIN;
	return make_keys(source) ? FYKE_OK : fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
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

static void release(struct source *source)
{
	sqlite3_finalize(source->statement);
	fyke_json_buffer_release(&source->keys);
	free(source->ends);
}

void fyke_json_records_close(struct fyke_json_records *records)
{
	if (records == NULL)
		return;
	for (size_t i = 0; i < records->count; i++)
		release(&records->list[i]);
	free(records);
}

/* ---- writing ---- */

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

static void append_stored(struct fyke_json_buffer *out, sqlite3_value *value)
{
	const char *text = (const char *)sqlite3_value_text(value);

	if (text == NULL)
		out->failed = true;
	else
		fyke_json_append_stored(out, text, (size_t)sqlite3_value_bytes(value));
}

/* Unprotected, which is all that one thread needs, and a lock a value less. */
static void append_column(struct fyke_json_buffer *out, enum fyke_type type, sqlite3_value *value)
{
	switch (sqlite3_value_type(value)) {
	case SQLITE_INTEGER:
		append_integer(out, type, sqlite3_value_int64(value));
		break;
	case SQLITE_TEXT:
		append_stored(out, value);
		break;
	case SQLITE_BLOB:
		append_bytes(
			out, FYKE_TYPE_BLOB, sqlite3_value_blob(value), (size_t)sqlite3_value_bytes(value));
		break;
	default:
		fyke_json_append(out, "null", 4);
		break;
	}
}

static bool advance(struct source *source)
{
	int code = sqlite3_step(source->statement);

	source->next = code == SQLITE_ROW ? sqlite3_column_int64(source->statement, SESSION) : INT64_MAX;
	return code == SQLITE_ROW || code == SQLITE_DONE;
}

/* Puts the source before the session's rows. */
static bool seek(struct source *source, int64_t session_id)
{
	if (source->passed < session_id && session_id <= source->next)
		return true;
	sqlite3_reset(source->statement);
	if (sqlite3_bind_int64(source->statement, 1, session_id) != SQLITE_OK)
		return false;
	source->passed = session_id - 1;
	return advance(source);
}

static void append_record(const struct source *source, bool first, struct fyke_json_buffer *out)
{
	sqlite3_stmt *row = source->statement;

	begin_record(out, first, sqlite3_column_int64(row, FRAME), sqlite3_column_int64(row, TIME));
	for (size_t i = 0; i < source->table->field_count; i++) {
		uint32_t from = i == 0 ? 0 : source->ends[i - 1];

		fyke_json_append_key(out, source->keys.text + from, source->ends[i] - from);
		append_column(out, source->table->fields[i].type,
			sqlite3_column_value(row, (int)i + BEFORE_FIELDS));
	}
	append_text(out, "}");
}

static bool append_source(struct source *source, int64_t session_id, struct fyke_json_buffer *out)
{
	bool good = seek(source, session_id), first = true;

	if (!good || source->next != session_id)
		return good;
	append_key(out, source->table->name);
	append_text(out, "[");
	for (; good && source->next == session_id; good = advance(source), first = false)
		append_record(source, first, out);
	append_text(out, "]");
	source->passed = session_id;
	return good;
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
