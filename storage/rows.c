/*
 * An eponymous virtual table over an array of structs, and how a session's and a record's members
 * become values.
 *
 * Text is handed to SQLite without a copy: INSERT … SELECT writes a row before it asks for the next.
 */
#include "storage/rows.h"

#include "storage/sql.h"

#include <stdlib.h>
#include <string.h>

struct table {
	sqlite3_vtab base;
	const struct fyke_rows *rows;
};

struct cursor {
	sqlite3_vtab_cursor base;
	const struct fyke_rows *rows;
	size_t at;
	struct fyke_rows_scratch scratch;
};

static int rows_connect(
	sqlite3 *db, void *context, int argc, const char *const *argv, sqlite3_vtab **out, char **message)
{
	const struct fyke_rows *rows = context;
	sqlite3_str *sql = sqlite3_str_new(db);
	struct table *table = calloc(1, sizeof(*table));
	char *text;
	int result = SQLITE_NOMEM;

	(void)argc, (void)argv, (void)message;
	for (size_t i = 0; i < rows->column_count; i++)
		sqlite3_str_appendf(sql, "%sc%d", i == 0 ? "CREATE TABLE x(" : ", ", (int)i);
	sqlite3_str_appendall(sql, ")");
	text = sqlite3_str_finish(sql);
	if (text != NULL && table != NULL)
		result = sqlite3_declare_vtab(db, text);
	sqlite3_free(text);
	if (result != SQLITE_OK) {
		free(table);
		return result;
	}
	table->rows = rows;
	*out = &table->base;
	return SQLITE_OK;
}

static int rows_disconnect(sqlite3_vtab *table)
{
	free(table);
	return SQLITE_OK;
}

static int rows_best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
	(void)table;
	info->estimatedCost = 1;
	info->estimatedRows = 256;
	return SQLITE_OK;
}

static int rows_open(sqlite3_vtab *table, sqlite3_vtab_cursor **out)
{
	struct cursor *cursor = calloc(1, sizeof(*cursor));

	if (cursor == NULL)
		return SQLITE_NOMEM;
	cursor->rows = ((struct table *)table)->rows;
	*out = &cursor->base;
	return SQLITE_OK;
}

static int rows_close(sqlite3_vtab_cursor *cursor)
{
	free(cursor);
	return SQLITE_OK;
}

static int rows_filter(
	sqlite3_vtab_cursor *base, int number, const char *string, int argc, sqlite3_value **argv)
{
	struct cursor *cursor = (struct cursor *)base;

	(void)number, (void)string, (void)argc, (void)argv;
	cursor->at = 0;
	cursor->scratch.used = 0;
	return SQLITE_OK;
}

static int rows_next(sqlite3_vtab_cursor *base)
{
	struct cursor *cursor = (struct cursor *)base;

	cursor->at++;
	cursor->scratch.used = 0;
	return SQLITE_OK;
}

static int rows_eof(sqlite3_vtab_cursor *base)
{
	const struct cursor *cursor = (struct cursor *)base;

	return cursor->at >= cursor->rows->count;
}

static int rows_column(sqlite3_vtab_cursor *base, sqlite3_context *result, int column)
{
	struct cursor *cursor = (struct cursor *)base;
	const struct fyke_rows *rows = cursor->rows;
	const char *row = (const char *)rows->rows + cursor->at * rows->size;

	rows->column(rows, row, (size_t)column, &cursor->scratch, result);
	return SQLITE_OK;
}

static int rows_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *rowid)
{
	*rowid = (sqlite3_int64)((struct cursor *)base)->at;
	return SQLITE_OK;
}

static const sqlite3_module module = {
	.xConnect = rows_connect,
	.xBestIndex = rows_best_index,
	.xDisconnect = rows_disconnect,
	.xDestroy = rows_disconnect,
	.xOpen = rows_open,
	.xClose = rows_close,
	.xFilter = rows_filter,
	.xNext = rows_next,
	.xEof = rows_eof,
	.xColumn = rows_column,
	.xRowid = rows_rowid,
};

enum fyke_status fyke_rows_register(
	sqlite3 *db, const char *name, const struct fyke_rows *rows, struct fyke_error *error)
{
	char *full = sqlite3_mprintf("fyke_rows_%s", name);
	int result = SQLITE_NOMEM;

	if (full != NULL)
		result = sqlite3_create_module_v2(db, full, &module, (void *)(uintptr_t)rows, NULL);
	sqlite3_free(full);
	return result == SQLITE_OK ? FYKE_OK : fyke_sql_failed(db, error);
}

int64_t fyke_rows_us(int64_t ns)
{
	if (ns == FYKE_UNKNOWN)
		return FYKE_UNKNOWN;
	return ns / 1000 - (ns % 1000 < 0);
}

void fyke_rows_number(sqlite3_context *result, int64_t value)
{
	if (value != FYKE_UNKNOWN)
		sqlite3_result_int64(result, value);
}

static void unsigned_value(sqlite3_context *result, uint64_t value)
{
	sqlite3_result_int64(result, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

static void static_text(sqlite3_context *result, const char *text)
{
	if (text != NULL)
		sqlite3_result_text(result, text, -1, SQLITE_STATIC);
}

static void untrusted_text(sqlite3_context *result, const char *text)
{
	if (text != NULL)
		fyke_sql_result_text(result, text, (uint32_t)strlen(text));
}

static char *room(struct fyke_rows_scratch *scratch)
{
	return scratch->text[scratch->used++ % FYKE_ROWS_TEXTS];
}

static void address(sqlite3_context *result, const struct fyke_address *ip, struct fyke_rows_scratch *scratch)
{
	char *text = room(scratch);
	size_t length = fyke_address_text(ip, text);

	if (length > 0)
		sqlite3_result_text(result, text, (int)length, SQLITE_STATIC);
}

static void mac(
	sqlite3_context *result, const struct fyke_session_side *side, struct fyke_rows_scratch *scratch)
{
	char *text;

	if (!side->has_mac)
		return;
	text = room(scratch);
	fyke_mac_text(side->mac, text);
	sqlite3_result_text(result, text, FYKE_MAC_TEXT - 1, SQLITE_STATIC);
}

static void frames(sqlite3_context *result, const struct fyke_session *session)
{
	if (session->frames != NULL)
		sqlite3_result_blob(result, session->frames, (int)session->frames_length, SQLITE_STATIC);
}

/* The members as they lie in memory; memcpy spares the casts and their alignment. */
#define MEMBER(type)                                                                                         \
	({                                                                                                   \
		type value_;                                                                                 \
		memcpy(&value_, member, sizeof(value_));                                                     \
		value_;                                                                                      \
	})

static void member_value(const struct fyke_column *column, const char *member,
	struct fyke_rows_scratch *scratch, sqlite3_context *result)
{
	switch ((enum fyke_column_source)column->source) {
	case FYKE_COLUMN_INTEGER:
		fyke_rows_number(result, MEMBER(int64_t));
		break;
	case FYKE_COLUMN_UNSIGNED:
		unsigned_value(result, MEMBER(uint64_t));
		break;
	case FYKE_COLUMN_UNSIGNED32:
		sqlite3_result_int64(result, MEMBER(uint32_t));
		break;
	case FYKE_COLUMN_BOOLEAN:
		sqlite3_result_int(result, MEMBER(bool));
		break;
	case FYKE_COLUMN_TIME:
		fyke_rows_number(result, fyke_rows_us(MEMBER(int64_t)));
		break;
	case FYKE_COLUMN_NAME:
		static_text(result, MEMBER(const char *));
		break;
	case FYKE_COLUMN_TEXT:
		untrusted_text(result, MEMBER(const char *));
		break;
	case FYKE_COLUMN_INLINE:
		untrusted_text(result, *member == '\0' ? NULL : member);
		break;
	case FYKE_COLUMN_ADDRESS:
		address(result, (const struct fyke_address *)(const void *)member, scratch);
		break;
	case FYKE_COLUMN_MAC:
		mac(result, (const struct fyke_session_side *)(const void *)member, scratch);
		break;
	case FYKE_COLUMN_STATE:
		static_text(result, fyke_state_name(MEMBER(enum fyke_state)));
		break;
	case FYKE_COLUMN_END:
		static_text(result, fyke_end_name(MEMBER(enum fyke_end)));
		break;
	default:
		break;
	}
}

void fyke_rows_session_column(const struct fyke_rows *rows, const void *data, size_t index,
	struct fyke_rows_scratch *scratch, sqlite3_context *result)
{
	const struct fyke_schema_table *table = rows->context;
	const struct fyke_column *column = &table->columns[index];
	const struct fyke_session_row *row = data;
	const char *base = (const char *)row->session;

	switch ((enum fyke_column_source)column->source) {
	case FYKE_COLUMN_ID:
		sqlite3_result_int64(result, row->id);
		return;
	case FYKE_COLUMN_CAPTURE:
		sqlite3_result_int64(result, row->capture_id);
		return;
	case FYKE_COLUMN_PARENT:
		fyke_rows_number(result, row->parent_id);
		return;
	case FYKE_COLUMN_QUOTES:
		fyke_rows_number(result, row->quotes_id);
		return;
	case FYKE_COLUMN_FRAMES:
		frames(result, row->session);
		return;
	default:
		break;
	}
	if (table == &fyke_schema_tcp)
		base = (const char *)row->session->tcp;
	member_value(column, base + column->offset, scratch, result);
}

static void field_value(sqlite3_context *result, const struct fyke_value *value, enum fyke_type type)
{
	if (value->kind == FYKE_VALUE_INTEGER)
		sqlite3_result_int64(result, value->integer);
	else if (value->kind == FYKE_VALUE_BYTES && type == FYKE_TYPE_BLOB)
		sqlite3_result_blob64(
			result, value->length > 0 ? value->bytes : "", value->length, SQLITE_STATIC);
	else if (value->kind == FYKE_VALUE_BYTES)
		fyke_sql_result_text(result, value->length > 0 ? value->bytes : "", value->length);
}

void fyke_rows_record_column(const struct fyke_rows *rows, const void *data, size_t column,
	struct fyke_rows_scratch *scratch, sqlite3_context *result)
{
	const struct fyke_table *table = rows->context;
	const struct fyke_record_row *row = data;
	size_t prefix = fyke_schema_record_prefix(table);

	(void)scratch;
	if (column >= prefix && table == &fyke_table_session_parents)
		fyke_rows_number(result, row->parent_id);
	else if (column >= prefix && row->record->values[column - prefix].kind == FYKE_VALUE_SESSION)
		fyke_rows_number(result, row->parent_id);
	else if (column >= prefix)
		field_value(
			result, &row->record->values[column - prefix], table->fields[column - prefix].type);
	else if (column == 0)
		sqlite3_result_int64(result, row->session_id);
	else if (column == 1)
		sqlite3_result_int64(result, row->record->n);
	else if (column == 2)
		unsigned_value(result, row->record->frame);
	else
		fyke_rows_number(result, fyke_rows_us(row->record->time_ns));
}
