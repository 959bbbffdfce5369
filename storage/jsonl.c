/*
 * JSON objects by a plan that is made once (jsonl.h): all that stands between two values (commas, keys,
 * brackets) is one text, so that a row costs its values and little more.
 */
#include "storage/jsonl.h"

#include "analyzer/session/community_id.h"
#include "storage/json_buffer.h"
#include "storage/json_kept.h"
#include "storage/json_records.h"
#include "storage/rows.h"
#include "storage/schema.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT_MAX = 64 << 20 };

/* One value, with the text in front of it. */
struct step {
	size_t text, length; /* in fyke_jsonl.texts */
	int column;	     /* of the row */
	bool is_boolean, of_tcp;
	const struct fyke_column *declared; /* of a live session */
};

struct fyke_jsonl {
	struct step *steps;
	size_t count, first_of_tcp; /* == count where nothing of tcp is asked for */
	int tcp_key;
	struct fyke_json_buffer texts, out;
	size_t end, end_length;	      /* behind the last value; records and the last bracket follow */
	size_t no_tcp, no_tcp_length; /* instead of all that is tcp's, and behind it */
	int id;			      /* the row's column of the session's id */
	struct fyke_json_records *records;
	struct fyke_json_kept *kept;
	struct fyke_community_hasher *hasher; /* of live sessions */
	char *select;
	size_t select_count;
};

struct fyke_jsonl_column fyke_jsonl_place(const char *name, bool of_tcp)
{
	struct fyke_jsonl_column column = {of_tcp ? FYKE_JSONL_TCP : FYKE_JSONL_TOP, name, false};

	if (strcmp(name, "server_name") == 0)
		return column;
	if (strncmp(name, "client_", 7) == 0) {
		column.group = of_tcp ? FYKE_JSONL_TCP_CLIENT : FYKE_JSONL_CLIENT;
		column.key = name + 7;
	} else if (strncmp(name, "server_", 7) == 0) {
		column.group = of_tcp ? FYKE_JSONL_TCP_SERVER : FYKE_JSONL_SERVER;
		column.key = name + 7;
	}
	return column;
}

static const char *const group_keys[] = {"", "client", "server", "tcp", "client", "server"};
static const enum fyke_jsonl_group parents[] = {
	FYKE_JSONL_TOP, FYKE_JSONL_TOP, FYKE_JSONL_TOP, FYKE_JSONL_TOP, FYKE_JSONL_TCP, FYKE_JSONL_TCP};

/* What the plan's texts have opened so far. */
struct place {
	enum fyke_jsonl_group group;
	unsigned members[FYKE_JSONL_GROUPS];
};

static bool is_within(enum fyke_jsonl_group group, enum fyke_jsonl_group outer)
{
	return group == outer || parents[group] == outer || outer == FYKE_JSONL_TOP;
}

static void put_key(struct fyke_jsonl *jsonl, struct place *place, const char *key)
{
	if (place->members[place->group]++ > 0)
		fyke_json_append(&jsonl->texts, ",", 1);
	fyke_json_append_string(&jsonl->texts, key, strlen(key));
	fyke_json_append(&jsonl->texts, ":", 1);
}

/* Closes and opens objects until the place is in `group`. */
static void go_to(struct fyke_jsonl *jsonl, struct place *place, enum fyke_jsonl_group group)
{
	while (!is_within(group, place->group)) {
		fyke_json_append(&jsonl->texts, "}", 1);
		place->group = parents[place->group];
	}
	while (place->group != group) {
		enum fyke_jsonl_group next = parents[group] == place->group ? group : parents[group];

		put_key(jsonl, place, group_keys[next]);
		fyke_json_append(&jsonl->texts, "{", 1);
		place->group = next;
	}
}

static bool is_of_tcp(enum fyke_jsonl_group group)
{
	return group >= FYKE_JSONL_TCP;
}

/* Where the place is in front of tcp's first value: the text that stands for all of tcp. */
static void plan_without_tcp(struct fyke_jsonl *jsonl, struct place place)
{
	jsonl->first_of_tcp = jsonl->count;
	jsonl->no_tcp = jsonl->texts.length;
	go_to(jsonl, &place, FYKE_JSONL_TOP);
	put_key(jsonl, &place, "tcp");
	fyke_json_append(&jsonl->texts, "null", 4);
	jsonl->no_tcp_length = jsonl->texts.length - jsonl->no_tcp;
}

static void plan_step(struct fyke_jsonl *jsonl, struct place *place, const struct fyke_jsonl_column *column,
	int at, const struct fyke_column *declared)
{
	struct step *step = &jsonl->steps[jsonl->count];

	*step = (struct step){.column = at,
		.is_boolean = column->is_boolean,
		.of_tcp = is_of_tcp(column->group),
		.declared = declared};
	if (step->of_tcp && jsonl->first_of_tcp == SIZE_MAX)
		plan_without_tcp(jsonl, *place);
	step->text = jsonl->texts.length;
	go_to(jsonl, place, column->group);
	put_key(jsonl, place, column->key);
	step->length = jsonl->texts.length - step->text;
	jsonl->count++;
}

/* Databases come from anybody: their columns may be called as ours are, or as our objects. */
static bool is_taken(const struct fyke_jsonl_column *columns, size_t at)
{
	const struct fyke_jsonl_column *column = &columns[at];

	for (size_t i = 0; i < at; i++) {
		if (columns[i].group == column->group && strcmp(columns[i].key, column->key) == 0)
			return true;
	}
	for (size_t group = 1; group < FYKE_JSONL_GROUPS; group++) {
		if (parents[group] == column->group && strcmp(group_keys[group], column->key) == 0)
			return true;
	}
	return false;
}

static struct fyke_jsonl *make(const struct fyke_jsonl_column *columns,
	const struct fyke_column *const *declared, size_t count, int tcp_key, bool ascii)
{
	static const char behind[FYKE_JSON_KEY_ROOM]; /* may be read, see fyke_json_append_key */
	struct fyke_jsonl *jsonl = calloc(1, sizeof(*jsonl));
	struct place place = {FYKE_JSONL_TOP, {0}};

	if (jsonl == NULL)
		return NULL;
	jsonl->tcp_key = tcp_key;
	jsonl->texts.ascii = jsonl->out.ascii = ascii;
	jsonl->first_of_tcp = SIZE_MAX;
	jsonl->steps = calloc(count + 1, sizeof(*jsonl->steps));
	for (unsigned group = 0; jsonl->steps != NULL && group < FYKE_JSONL_GROUPS; group++) {
		for (size_t i = 0; i < count; i++) {
			if (columns[i].group == group && !is_taken(columns, i))
				plan_step(jsonl, &place, &columns[i], (int)i,
					declared == NULL ? NULL : declared[i]);
		}
	}
	if (jsonl->first_of_tcp == SIZE_MAX)
		jsonl->first_of_tcp = jsonl->count;
	jsonl->end = jsonl->texts.length;
	go_to(jsonl, &place, FYKE_JSONL_TOP);
	jsonl->end_length = jsonl->texts.length - jsonl->end;
	fyke_json_append(&jsonl->texts, behind, sizeof(behind));
	if (jsonl->steps != NULL && !jsonl->texts.failed)
		return jsonl;
	fyke_jsonl_free(jsonl);
	return NULL;
}

struct fyke_jsonl *fyke_jsonl_new(
	const struct fyke_jsonl_column *columns, size_t count, int tcp_key, bool ascii)
{
	return make(columns, NULL, count, tcp_key, ascii);
}

void fyke_jsonl_free(struct fyke_jsonl *jsonl)
{
	if (jsonl == NULL)
		return;
	fyke_json_records_close(jsonl->records);
	fyke_json_kept_free(jsonl->kept);
	fyke_community_hasher_free(jsonl->hasher);
	fyke_json_buffer_release(&jsonl->texts);
	fyke_json_buffer_release(&jsonl->out);
	sqlite3_free(jsonl->select);
	free(jsonl->steps);
	free(jsonl);
}

const char *fyke_jsonl_select(const struct fyke_jsonl *jsonl)
{
	return jsonl->select;
}

size_t fyke_jsonl_select_count(const struct fyke_jsonl *jsonl)
{
	return jsonl->select_count;
}

/* The columns of a session: as placed, as declared, and as SQL. */
struct list {
	struct fyke_jsonl_column *columns;
	const struct fyke_column **declared;
	size_t count;
	sqlite3_str *select;
};

static bool is_database_only(const struct fyke_column *column)
{
	switch ((enum fyke_column_source)column->source) {
	case FYKE_COLUMN_NONE:
	case FYKE_COLUMN_ID:
	case FYKE_COLUMN_CAPTURE:
	case FYKE_COLUMN_PARENT:
	case FYKE_COLUMN_QUOTES:
		return true;
	default:
		return false;
	}
}

static void list_table(struct list *list, const struct fyke_schema_table *table, bool of_tcp, bool live)
{
	for (size_t i = 0; i < table->column_count; i++) {
		const struct fyke_column *column = &table->columns[i];

		if (column->type == FYKE_TYPE_BLOB || (live && is_database_only(column)) ||
			(of_tcp && column->source == FYKE_COLUMN_ID))
			continue;
		list->columns[list->count] = fyke_jsonl_place(column->name, of_tcp);
		list->columns[list->count].is_boolean = column->type == FYKE_TYPE_BOOLEAN;
		list->declared[list->count++] = column;
		sqlite3_str_appendf(list->select, "%s.\"%w\", ", of_tcp ? "t" : "s", column->name);
	}
}

static const char uid_sql[] =
	"fyke_uid((SELECT c.fingerprint FROM captures AS c WHERE c.id = s.capture_id), s.first_frame, "
	"s.first_ordinal), ";

static struct fyke_jsonl *make_sessions(bool live, bool ascii)
{
	size_t room = fyke_schema_sessions.column_count + fyke_schema_tcp.column_count + 1;
	struct list list = {.columns = calloc(room, sizeof(*list.columns)),
		.declared = calloc(room, sizeof(*list.declared)),
		.select = sqlite3_str_new(NULL)};
	struct fyke_jsonl *jsonl = NULL;

	if (list.columns != NULL && list.declared != NULL) {
		if (!live) {
			list.columns[list.count++] = (struct fyke_jsonl_column){FYKE_JSONL_TOP, "uid", false};
			sqlite3_str_appendall(list.select, uid_sql);
		}
		list_table(&list, &fyke_schema_sessions, false, live);
		list_table(&list, &fyke_schema_tcp, true, live);
		jsonl = make(list.columns, live ? list.declared : NULL, list.count, (int)list.count, ascii);
	}
	sqlite3_str_appendall(list.select, "t.session_id");
	if (jsonl != NULL) {
		jsonl->select = sqlite3_str_finish(list.select);
		jsonl->select_count = list.count + 1;
	} else {
		sqlite3_free(sqlite3_str_finish(list.select));
	}
	free(list.columns);
	free(list.declared);
	if (jsonl == NULL || jsonl->select != NULL)
		return jsonl;
	fyke_jsonl_free(jsonl);
	return NULL;
}

enum fyke_status fyke_jsonl_new_stored(struct sqlite3 *db, const struct fyke_table *const *tables, bool ascii,
	struct fyke_jsonl **jsonl, struct fyke_error *error)
{
	enum fyke_status status;

	*jsonl = make_sessions(false, ascii);
	if (*jsonl == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	(*jsonl)->id = 1; /* behind the uid */
	status = fyke_json_records_open(db, tables, &(*jsonl)->records, error);
	if (status == FYKE_OK)
		return FYKE_OK;
	fyke_jsonl_free(*jsonl);
	*jsonl = NULL;
	return status;
}

struct fyke_jsonl *fyke_jsonl_new_live(bool ascii)
{
	struct fyke_jsonl *jsonl = make_sessions(true, ascii);

	if (jsonl == NULL)
		return NULL;
	jsonl->kept = fyke_json_kept_new(KEPT_MAX, ascii);
	jsonl->hasher = fyke_community_hasher_new();
	if (jsonl->kept != NULL && jsonl->hasher != NULL)
		return jsonl;
	fyke_jsonl_free(jsonl);
	return NULL;
}

static void append_word(struct fyke_json_buffer *out, const char *word)
{
	fyke_json_append(out, word, strlen(word));
}

static void append_integer(struct fyke_json_buffer *out, int64_t value, bool is_boolean)
{
	if (is_boolean && (value == 0 || value == 1))
		append_word(out, value == 0 ? "false" : "true");
	else
		fyke_json_append_integer(out, value);
}

static void append_of_row(struct fyke_jsonl *jsonl, const struct step *step, sqlite3_stmt *row)
{
	/* Unprotected, which is all that one thread needs, and a lock a value less. */
	sqlite3_value *value = sqlite3_column_value(row, step->column);
	struct fyke_json_buffer *out = &jsonl->out;
	const char *text;

	switch (sqlite3_value_type(value)) {
	case SQLITE_INTEGER:
		append_integer(out, sqlite3_value_int64(value), step->is_boolean);
		return;
	case SQLITE_FLOAT:
		fyke_json_append_real(out, sqlite3_value_double(value));
		return;
	case SQLITE_TEXT:
		text = (const char *)sqlite3_value_text(value);
		if (text == NULL)
			out->failed = true;
		else
			fyke_json_append_stored(out, text, (size_t)sqlite3_value_bytes(value));
		return;
	case SQLITE_BLOB:
		fyke_json_append_hexadecimal(
			out, sqlite3_value_blob(value), (size_t)sqlite3_value_bytes(value));
		return;
	default:
		fyke_json_append(out, "null", 4);
		return;
	}
}

static void append_known(struct fyke_json_buffer *out, int64_t value, bool is_boolean)
{
	if (value == FYKE_UNKNOWN)
		append_word(out, "null");
	else
		append_integer(out, value, is_boolean);
}

static void append_text(struct fyke_json_buffer *out, const char *text)
{
	if (text == NULL)
		append_word(out, "null");
	else
		fyke_json_append_string(out, text, strlen(text));
}

static void append_address(struct fyke_json_buffer *out, const struct fyke_address *address)
{
	char text[FYKE_ADDRESS_TEXT];

	append_text(out, fyke_address_text(address, text) == 0 ? NULL : text);
}

static void append_mac(struct fyke_json_buffer *out, const struct fyke_session_side *side)
{
	char text[FYKE_MAC_TEXT];

	if (side->has_mac)
		fyke_mac_text(side->mac, text);
	append_text(out, side->has_mac ? text : NULL);
}

static void append_of_session(struct fyke_json_buffer *out, const struct step *step, const void *base)
{
	const void *member = (const char *)base + step->declared->offset;

	switch ((enum fyke_column_source)step->declared->source) {
	case FYKE_COLUMN_INTEGER:
		append_known(out, *(const int64_t *)member, step->is_boolean);
		return;
	case FYKE_COLUMN_UNSIGNED:
		fyke_json_append_unsigned(out, *(const uint64_t *)member);
		return;
	case FYKE_COLUMN_UNSIGNED32:
		fyke_json_append_unsigned(out, *(const uint32_t *)member);
		return;
	case FYKE_COLUMN_BOOLEAN:
		append_word(out, *(const bool *)member ? "true" : "false");
		return;
	case FYKE_COLUMN_TIME:
		append_known(out, fyke_rows_us(*(const int64_t *)member), false);
		return;
	case FYKE_COLUMN_NAME:
	case FYKE_COLUMN_TEXT:
		append_text(out, *(const char *const *)member);
		return;
	case FYKE_COLUMN_INLINE:
		append_text(out, *(const char *)member == '\0' ? NULL : member);
		return;
	case FYKE_COLUMN_ADDRESS:
		append_address(out, member);
		return;
	case FYKE_COLUMN_MAC:
		append_mac(out, member);
		return;
	case FYKE_COLUMN_STATE:
		append_text(out, fyke_state_name(*(const enum fyke_state *)member));
		return;
	case FYKE_COLUMN_END:
		append_text(out, fyke_end_name(*(const enum fyke_end *)member));
		return;
	default:
		append_word(out, "null");
		return;
	}
}

static void append_end(struct fyke_jsonl *jsonl, bool without_tcp)
{
	size_t text = without_tcp ? jsonl->no_tcp : jsonl->end;
	size_t length = without_tcp ? jsonl->no_tcp_length : jsonl->end_length;

	fyke_json_append(&jsonl->out, jsonl->texts.text + text, length);
}

/* Sends the object off; the buffer of a huge one is not kept. */
static bool finish(struct fyke_jsonl *jsonl, bool good, FILE *out)
{
	fyke_json_append(&jsonl->out, "}", 1);
	good = good && !jsonl->out.failed;
	if (good)
		fwrite(jsonl->out.text, 1, jsonl->out.length, out);
	if (!good || jsonl->out.room > 1 << 20)
		fyke_json_buffer_release(&jsonl->out);
	return good;
}

static void append_front(struct fyke_jsonl *jsonl, const struct step *step)
{
	fyke_json_append_key(&jsonl->out, jsonl->texts.text + step->text, step->length);
}

bool fyke_jsonl_row(struct fyke_jsonl *jsonl, struct sqlite3_stmt *row, FILE *out)
{
	bool has_tcp = jsonl->tcp_key < 0 || sqlite3_column_type(row, jsonl->tcp_key) != SQLITE_NULL;
	size_t count = has_tcp ? jsonl->count : jsonl->first_of_tcp;
	bool good = true;

	jsonl->out.length = 0;
	fyke_json_append(&jsonl->out, "{", 1);
	for (size_t i = 0; i < count; i++) {
		append_front(jsonl, &jsonl->steps[i]);
		append_of_row(jsonl, &jsonl->steps[i], row);
	}
	append_end(jsonl, count < jsonl->count);
	if (jsonl->records != NULL)
		good = fyke_json_records_append(
			jsonl->records, sqlite3_column_int64(row, jsonl->id), &jsonl->out);
	return finish(jsonl, good, out);
}

bool fyke_jsonl_session(struct fyke_jsonl *jsonl, struct fyke_session *session, FILE *out)
{
	size_t count = session->tcp != NULL ? jsonl->count : jsonl->first_of_tcp;

	fyke_session_community_id(jsonl->hasher, session);
	jsonl->out.length = 0;
	fyke_json_append(&jsonl->out, "{", 1);
	for (size_t i = 0; i < count; i++) {
		const struct step *step = &jsonl->steps[i];
		const void *base = step->of_tcp ? (const void *)session->tcp : session;

		append_front(jsonl, step);
		append_of_session(&jsonl->out, step, base);
	}
	append_end(jsonl, count < jsonl->count);
	fyke_json_kept_append(jsonl->kept, session, &jsonl->out);
	return finish(jsonl, true, out);
}

bool fyke_jsonl_keep(struct fyke_jsonl *jsonl, const struct fyke_session *session)
{
	return fyke_json_kept_add(jsonl->kept, session);
}
