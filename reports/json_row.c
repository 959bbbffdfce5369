/* Rows as JSON objects through jansson (json_row.h). */
#include "reports/json_row.h"

#include "analyzer/base/text.h"
#include "storage/schema.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

struct fyke_json_column fyke_json_session_column(const char *name, bool of_tcp)
{
	struct fyke_json_column column = {of_tcp ? FYKE_JSON_TCP : FYKE_JSON_TOP, name, false};

	if (strcmp(name, "server_name") == 0)
		return column;
	if (strncmp(name, "client_", 7) == 0) {
		column.group = of_tcp ? FYKE_JSON_TCP_CLIENT : FYKE_JSON_CLIENT;
		column.key = name + 7;
	} else if (strncmp(name, "server_", 7) == 0) {
		column.group = of_tcp ? FYKE_JSON_TCP_SERVER : FYKE_JSON_SERVER;
		column.key = name + 7;
	}
	return column;
}

json_t *fyke_json_text(const char *bytes, size_t length)
{
	size_t room = 4 * length + 1, made;
	char *text = malloc(room);
	json_t *value;

	if (text == NULL)
		return NULL;
	made = fyke_text_utf8(bytes, length, text, room);
	value = json_stringn_nocheck(text, made);
	free(text);
	return value;
}

static json_t *hexadecimal(const unsigned char *bytes, size_t length)
{
	char *text = malloc(2 * length + 1);
	json_t *value;

	if (text == NULL)
		return NULL;
	for (size_t i = 0; i < length; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	value = json_stringn_nocheck(text, 2 * length);
	free(text);
	return value;
}

json_t *fyke_json_value(struct sqlite3_stmt *row, int column, bool is_boolean)
{
	int type = sqlite3_column_type(row, column);

	if (type == SQLITE_INTEGER) {
		int64_t value = sqlite3_column_int64(row, column);

		return is_boolean && (value == 0 || value == 1) ? json_boolean(value) : json_integer(value);
	}
	if (type == SQLITE_FLOAT) {
		json_t *real = json_real(sqlite3_column_double(row, column));

		return real == NULL ? json_null() : real; /* infinity has no form in JSON */
	}
	if (type == SQLITE_TEXT) {
		const char *text = (const char *)sqlite3_column_text(row, column);

		return text == NULL ? NULL : fyke_json_text(text, (size_t)sqlite3_column_bytes(row, column));
	}
	if (type == SQLITE_BLOB) {
		const unsigned char *bytes = sqlite3_column_blob(row, column);

		return hexadecimal(bytes, (size_t)sqlite3_column_bytes(row, column));
	}
	return json_null();
}

static const char *const group_keys[] = {NULL, "client", "server", "tcp", "client", "server"};
static const enum fyke_json_group group_parents[] = {
	FYKE_JSON_TOP, FYKE_JSON_TOP, FYKE_JSON_TOP, FYKE_JSON_TOP, FYKE_JSON_TCP, FYKE_JSON_TCP};

/* The object of a group, made and hung into its parent when first asked for. Borrowed. */
static json_t *group_object(json_t *groups[FYKE_JSON_GROUPS], enum fyke_json_group group)
{
	json_t *parent, *object = groups[group];

	if (object != NULL)
		return object;
	parent = group_object(groups, group_parents[group]);
	object = json_object();
	if (parent == NULL || object == NULL || json_object_set_new(parent, group_keys[group], object) != 0)
		return NULL;
	groups[group] = object;
	return object;
}

json_t *fyke_json_row(
	struct sqlite3_stmt *row, const struct fyke_json_column *columns, size_t count, int tcp_key)
{
	json_t *groups[FYKE_JSON_GROUPS] = {json_object()};
	bool no_tcp = tcp_key >= 0 && sqlite3_column_type(row, tcp_key) == SQLITE_NULL;

	for (size_t i = 0; i < count; i++) {
		const struct fyke_json_column *column = &columns[i];
		bool good;

		if (no_tcp && column->group >= FYKE_JSON_TCP) {
			good = json_object_set_new(groups[0], "tcp", json_null()) == 0;
		} else {
			json_t *object = groups[0] == NULL ? NULL : group_object(groups, column->group);

			good = object != NULL &&
			       json_object_set_new_nocheck(object, column->key,
				       fyke_json_value(row, (int)i, column->is_boolean)) == 0;
		}
		if (!good) {
			json_decref(groups[0]);
			return NULL;
		}
	}
	return groups[0];
}

bool fyke_json_write(json_t *value, bool ascii, FILE *out)
{
	size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | (ascii ? JSON_ENSURE_ASCII : 0);
	char *text = value == NULL ? NULL : json_dumps(value, flags);

	json_decref(value);
	if (text == NULL)
		return false;
	fputs(text, out);
	free(text);
	return true;
}

static void plan_table(
	struct fyke_json_plan *plan, sqlite3_str *select, const struct fyke_schema_table *table, bool tcp)
{
	for (size_t i = 0; i < table->column_count; i++) {
		const struct fyke_column *column = &table->columns[i];
		struct fyke_json_column *made = &plan->columns[plan->count];

		if (column->type == FYKE_TYPE_BLOB || strcmp(column->name, "session_id") == 0)
			continue;
		*made = fyke_json_session_column(column->name, tcp);
		made->is_boolean = column->type == FYKE_TYPE_BOOLEAN;
		sqlite3_str_appendf(select, "%s.\"%w\", ", tcp ? "t" : "s", column->name);
		plan->count++;
	}
}

enum fyke_status fyke_json_plan_sessions(struct fyke_json_plan *plan, struct fyke_error *error)
{
	size_t room = fyke_schema_sessions.column_count + fyke_schema_tcp.column_count + 1;
	sqlite3_str *select = sqlite3_str_new(NULL);
	char *text;

	*plan = (struct fyke_json_plan){.columns = calloc(room, sizeof(*plan->columns))};
	if (plan->columns != NULL) {
		plan->columns[plan->count++] = (struct fyke_json_column){FYKE_JSON_TOP, "uid", false};
		sqlite3_str_appendall(select, "fyke_uid(s.id), ");
		plan_table(plan, select, &fyke_schema_sessions, false);
		plan_table(plan, select, &fyke_schema_tcp, true);
	}
	sqlite3_str_appendall(select, "t.session_id");
	text = sqlite3_str_finish(select);
	plan->select = text == NULL ? NULL : strdup(text);
	sqlite3_free(text);
	if (plan->select != NULL && plan->columns != NULL)
		return FYKE_OK;
	fyke_json_plan_release(plan);
	return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
}

void fyke_json_plan_release(struct fyke_json_plan *plan)
{
	free(plan->select);
	free(plan->columns);
	*plan = (struct fyke_json_plan){0};
}
