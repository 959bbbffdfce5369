/* Rows as JSON objects through jansson (json_row.h). */
#include "reports/json_row.h"

#include "analyzer/base/text.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

json_t *fyke_json_text(const char *bytes, size_t length)
{
	size_t room = 4 * length + 1, made;
	char *text = malloc(room);
	json_t *value;

	if (text == NULL)
		return NULL;
	made = fyke_text_stored(bytes, length, text, room);
	value = json_stringn_nocheck(text, made);
	free(text);
	return value;
}

json_t *fyke_json_integers(const char *text)
{
	json_t *list = text == NULL ? NULL : json_loads(text, 0, NULL), *good = json_array(), *value;
	size_t at;

	if (json_is_array(list)) {
		json_array_foreach(list, at, value)
		{
			if (json_is_integer(value))
				json_array_append(good, value);
		}
	}
	json_decref(list);
	return good;
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

json_t *fyke_json_row(struct sqlite3_stmt *row, const struct fyke_json_column *columns, size_t count)
{
	json_t *object = json_object();

	for (size_t i = 0; object != NULL && i < count; i++) {
		if (json_object_set_new_nocheck(object, columns[i].key,
			    fyke_json_value(row, (int)i, columns[i].is_boolean)) != 0) {
			json_decref(object);
			object = NULL;
		}
	}
	return object;
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
