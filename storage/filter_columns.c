/*
 * The columns of a database as questions may name them (filter_columns.h). A database may come from anybody:
 * table and column names are taken only where they are plain words, and are quoted all the same.
 */
#include "storage/filter_columns.h"

#include "analyzer/base/text.h"

#include <ctype.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { COLUMNS_MAX = 4096, NAME_MAX_LENGTH = 64 };

struct fyke_filter_columns {
	struct fyke_filter_column list[COLUMNS_MAX];
	size_t count;
	const char *names[COLUMNS_MAX + 1]; /* for suggestions */
	char *owned[3 * COLUMNS_MAX];
	size_t owned_count;
	bool out_of_memory;
};

static const struct {
	const char *alias, *name;
} aliases[] = {{"duration", "duration_us"}, {"start", "start_us"}, {"time", "start_us"}, {"end", "end_us"},
	{"protocol", "transport"}, {"proto", "transport"}, {"sni", "server_name"},
	{"hostname", "server_name"}, {"handshake", "handshake_us"}, {"retransmitted", "retransmissions"},
	{"capture", "capture_id"}, {"mismatch", "service_mismatch"}, {"frame", "first_frame"},
	{"end_state", "end_reason"}};

#define ENDPOINT(side)                                                                                       \
	"CASE WHEN s." side "_ip LIKE '%:%' AND s." side "_port IS NOT NULL THEN '[' || s." side             \
	"_ip || ']' ELSE s." side "_ip END || coalesce(':' || s." side "_port, '')"

static const struct fyke_filter_column computed[] = {
	{"client", NULL, ENDPOINT("client"), FYKE_FILTER_TEXT, FYKE_FILTER_COMPUTED, false},
	{"server", NULL, ENDPOINT("server"), FYKE_FILTER_TEXT, FYKE_FILTER_COMPUTED, false},
	{"duration_us", NULL, "(s.end_us - s.start_us)", FYKE_FILTER_DURATION, FYKE_FILTER_COMPUTED, false},
	{"packets", NULL, "(s.client_packets + s.server_packets)", FYKE_FILTER_INTEGER, FYKE_FILTER_COMPUTED,
		false},
	{"bytes", NULL, "(s.client_bytes + s.server_bytes)", FYKE_FILTER_BYTES, FYKE_FILTER_COMPUTED, false},
	{"payload_bytes", NULL, "(s.client_payload_bytes + s.server_payload_bytes)", FYKE_FILTER_BYTES,
		FYKE_FILTER_COMPUTED, false},
	{"retransmissions", NULL, "(t.client_retransmitted_segments + t.server_retransmitted_segments)",
		FYKE_FILTER_INTEGER, FYKE_FILTER_COMPUTED, true},
	{"uid", NULL,
		"fyke_uid((SELECT c.fingerprint FROM captures AS c WHERE c.id = s.capture_id), "
		"s.first_frame, "
		"s.first_ordinal)",
		FYKE_FILTER_TEXT, FYKE_FILTER_COMPUTED, false},
};

static const char *keep(struct fyke_filter_columns *c, char *text)
{
	if (text == NULL) {
		c->out_of_memory = true;
		return "";
	}
	c->owned[c->owned_count++] = text;
	return text;
}

static bool is_plain_word(const char *name)
{
	size_t length = name == NULL ? 0 : strlen(name);

	if (length == 0 || length > NAME_MAX_LENGTH || isdigit((unsigned char)name[0]))
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)name[i]) && name[i] != '_')
			return false;
	}
	return true;
}

static bool ends_in(const char *name, const char *end)
{
	size_t length = strlen(name), tail = strlen(end);

	return length >= tail && strcmp(name + length - tail, end) == 0;
}

static bool is_instant(const char *name)
{
	static const char *const instants[] = {
		"start_us", "end_us", "updated_us", "time_us", "not_before_us", "not_after_us"};

	for (size_t i = 0; i < sizeof(instants) / sizeof(instants[0]); i++) {
		if (strcmp(name, instants[i]) == 0)
			return true;
	}
	return strncmp(name, "first_", 6) == 0 || strncmp(name, "last_", 5) == 0;
}

static enum fyke_filter_column_kind kind_of(const char *name, const char *type)
{
	if (type == NULL || strcasecmp(type, "INTEGER") != 0)
		return type != NULL && strcasecmp(type, "BLOB") == 0 ? FYKE_FILTER_BLOB : FYKE_FILTER_TEXT;
	if (ends_in(name, "_us"))
		return is_instant(name) ? FYKE_FILTER_INSTANT : FYKE_FILTER_DURATION;
	return ends_in(name, "bytes") ? FYKE_FILTER_BYTES : FYKE_FILTER_INTEGER;
}

static void add(struct fyke_filter_columns *c, struct fyke_filter_column column)
{
	if (c->count >= COLUMNS_MAX)
		return;
	c->names[c->count] = column.name;
	c->list[c->count++] = column;
}

static void add_from_table(
	struct fyke_filter_columns *c, const char *table, const char *name, const char *type)
{
	struct fyke_filter_column column = {.kind = kind_of(name, type)};
	bool is_session = strcmp(table, "sessions") == 0, is_tcp = strcmp(table, "tcp") == 0;

	if (c->count >= COLUMNS_MAX || (strcmp(name, "session_id") == 0 && !is_session))
		return;
	if (is_session || is_tcp) {
		column.home = is_tcp ? FYKE_FILTER_TCP : FYKE_FILTER_SESSION;
		column.uses_tcp = is_tcp;
		column.name = keep(c, sqlite3_mprintf("%s", name));
		column.sql = keep(c, sqlite3_mprintf(is_tcp ? "t.\"%w\"" : "s.\"%w\"", name));
	} else {
		column.home = FYKE_FILTER_RECORD;
		column.name = keep(c, sqlite3_mprintf("%s.%s", table, name));
		column.table = keep(c, sqlite3_mprintf("\"%w\"", table));
		column.sql = keep(c, sqlite3_mprintf("r.\"%w\"", name));
	}
	add(c, column);
}

/* sessions first, then tcp, then the others by name. Tables without session_id are not about sessions. */
static const char column_query[] =
	"SELECT m.name, p.name, p.type FROM sqlite_schema AS m, pragma_table_info(m.name) AS p "
	"WHERE m.type IN ('table', 'view') AND (m.name = 'sessions' OR (m.name NOT IN ('findings', 'ports', "
	"'hosts') "
	"AND EXISTS "
	"(SELECT 1 FROM pragma_table_info(m.name) AS q WHERE q.name = 'session_id'))) "
	"ORDER BY m.name <> 'sessions', m.name <> 'tcp', m.name, p.cid";

static enum fyke_status read_tables(
	struct sqlite3 *db, struct fyke_filter_columns *c, struct fyke_error *error)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db, column_query, -1, &statement, NULL);

	while (code == SQLITE_OK || code == SQLITE_ROW) {
		const char *table, *name;

		code = sqlite3_step(statement);
		if (code != SQLITE_ROW)
			break;
		table = (const char *)sqlite3_column_text(statement, 0);
		name = (const char *)sqlite3_column_text(statement, 1);
		if (is_plain_word(table) && is_plain_word(name))
			add_from_table(c, table, name, (const char *)sqlite3_column_text(statement, 2));
	}
	sqlite3_finalize(statement);
	if (code != SQLITE_DONE)
		return fyke_error_set(error, FYKE_FAILED_DATABASE,
			"cannot read the tables of the database: %s", sqlite3_errmsg(db));
	return FYKE_OK;
}

enum fyke_status fyke_filter_columns_load(
	struct sqlite3 *db, struct fyke_filter_columns **columns, struct fyke_error *error)
{
	struct fyke_filter_columns *c = calloc(1, sizeof(*c));
	enum fyke_status status;

	*columns = NULL;
	if (c == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	status = read_tables(db, c, error);
	for (size_t i = 0; i < sizeof(computed) / sizeof(computed[0]); i++)
		add(c, computed[i]);
	if (status == FYKE_OK && c->out_of_memory)
		status = fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	if (status == FYKE_OK && fyke_filter_columns_find(c, "client_ip") == NULL)
		status = fyke_error_set(
			error, FYKE_FAILED_FORMAT, "the database has no sessions table of fyke's");
	if (status == FYKE_OK)
		*columns = c;
	else
		fyke_filter_columns_free(c);
	return status;
}

void fyke_filter_columns_free(struct fyke_filter_columns *columns)
{
	if (columns == NULL)
		return;
	for (size_t i = 0; i < columns->owned_count; i++)
		sqlite3_free(columns->owned[i]);
	free(columns);
}

static const struct fyke_filter_column *find_exactly(const struct fyke_filter_columns *c, const char *name)
{
	for (size_t i = 0; i < c->count; i++) {
		if (strcasecmp(c->list[i].name, name) == 0)
			return &c->list[i];
	}
	return NULL;
}

const struct fyke_filter_column *fyke_filter_columns_find(
	const struct fyke_filter_columns *columns, const char *name)
{
	const struct fyke_filter_column *found;

	if (strncasecmp(name, "tcp.", 4) == 0 && (found = find_exactly(columns, name + 4)) != NULL &&
		found->home == FYKE_FILTER_TCP)
		return found;
	if (strncasecmp(name, "sessions.", 9) == 0)
		name += 9;
	found = find_exactly(columns, name);
	for (size_t i = 0; found == NULL && i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		if (strcasecmp(aliases[i].alias, name) == 0)
			found = find_exactly(columns, aliases[i].name);
	}
	return found;
}

const char *fyke_filter_columns_record_table(const struct fyke_filter_columns *columns, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < columns->count; i++) {
		const struct fyke_filter_column *column = &columns->list[i];

		if (column->home == FYKE_FILTER_RECORD && strncasecmp(column->name, name, length) == 0 &&
			column->name[length] == '.')
			return column->table;
	}
	return NULL;
}

const struct fyke_filter_column *fyke_filter_columns_list(
	const struct fyke_filter_columns *columns, size_t *count)
{
	*count = columns->count;
	return columns->list;
}

const char *fyke_filter_columns_nearest(const struct fyke_filter_columns *columns, const char *name)
{
	return fyke_text_nearest(name, columns->names);
}
