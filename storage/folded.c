/*
 * The virtual table fyke_folded. Equalities with id, capture, addresses and ports choose blocks by their row
 * and sessions in them before SQLite sees a value; anything else SQLite looks at itself.
 */
#include "storage/folded.h"

#include "analyzer/session/community_id.h"
#include "storage/rows.h"
#include "storage/schema.h"
#include "storage/sql.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 128 };

/* What a look-up may be limited by, and its bit in the number of the plan. */
enum limit { BY_ID, BY_CAPTURE, BY_CLIENT, BY_SERVER, BY_SERVER_PORT, BY_CLIENT_PORT, LIMITS };

static const struct {
	const char *column;
	const char *blocks; /* which blocks may have such sessions; %d: the parameter */
} limits[LIMITS] = {
	[BY_ID] = {"id", " AND id <= ?%d AND id > ?%d - 4096"},
	[BY_CAPTURE] = {"capture_id", " AND capture_id = ?%d"},
	[BY_CLIENT] = {"client_ip", " AND (client_ip IS NULL OR client_ip = ?%d)"},
	[BY_SERVER] = {"server_ip", " AND (server_ip IS NULL OR server_ip = ?%d)"},
	[BY_SERVER_PORT] = {"server_port", " AND (server_port IS NULL OR server_port = ?%d)"},
	[BY_CLIENT_PORT] = {"client_port", NULL},
};

_Static_assert(FYKE_FOLD_SESSIONS_MAX == 4096, "BY_ID says so");

struct table {
	sqlite3_vtab base;
	sqlite3 *db;
	struct fyke_rows rows; /* for fyke_rows_session_column */
	struct fyke_community_hasher *hasher;
	int columns[COLUMNS_MAX]; /* of fyke_schema_sessions; -1: one that we do not know */
	int column_count;
	int limited[LIMITS]; /* the column of each */
};

struct cursor {
	sqlite3_vtab_cursor base;
	sqlite3_stmt *blocks; /* the present one lies in its row */
	struct fyke_fold_reader reader;
	bool done, is_made; /* is_made: `session` is the reader's row */
	unsigned wanted;
	struct fyke_address ip[2];
	int64_t port[2], only_id;
	struct fyke_session_row row;
	struct fyke_session session;
	uint8_t frames[2 * 10];
	struct fyke_rows_scratch scratch;
};

/* ---- the table ---- */

static int column_named(const char *name)
{
	for (size_t i = 0; i < fyke_schema_sessions.column_count; i++) {
		if (strcmp(fyke_schema_sessions.columns[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

static void add_column(struct table *table, const char *name, sqlite3_str *sql)
{
	int at = table->column_count++;

	sqlite3_str_appendf(sql, "%s\"%w\"", at == 0 ? "CREATE TABLE x(" : ", ", name);
	table->columns[at] = column_named(name);
	for (int i = 0; i < LIMITS; i++) {
		if (strcmp(limits[i].column, name) == 0)
			table->limited[i] = at;
	}
}

/* The columns that `sessions` has in this database, in its order. */
static int declare(struct table *table)
{
	static const char sql[] = "SELECT name FROM pragma_table_info('sessions', 'main') ORDER BY cid";
	sqlite3_str *text = sqlite3_str_new(table->db);
	sqlite3_stmt *names = NULL;
	int result = sqlite3_prepare_v2(table->db, sql, -1, &names, NULL);
	char *declaration;

	while (result == SQLITE_OK && sqlite3_step(names) == SQLITE_ROW && table->column_count < COLUMNS_MAX)
		add_column(table, (const char *)sqlite3_column_text(names, 0), text);
	sqlite3_finalize(names);
	sqlite3_str_appendall(text, ")");
	declaration = sqlite3_str_finish(text);
	if (result == SQLITE_OK)
		result = table->column_count == 0 ? SQLITE_ERROR
			 : declaration == NULL	  ? SQLITE_NOMEM
						  : sqlite3_declare_vtab(table->db, declaration);
	sqlite3_free(declaration);
	return result;
}

static int folded_disconnect(sqlite3_vtab *base)
{
	struct table *table = (struct table *)base;

	fyke_community_hasher_free(table->hasher);
	free(table);
	return SQLITE_OK;
}

static int folded_connect(
	sqlite3 *db, void *context, int argc, const char *const *argv, sqlite3_vtab **out, char **message)
{
	struct table *table = calloc(1, sizeof(*table));
	int result;

	(void)context, (void)argc, (void)argv, (void)message;
	if (table == NULL)
		return SQLITE_NOMEM;
	table->db = db;
	table->rows.context = &fyke_schema_sessions;
	table->hasher = fyke_community_hasher_new();
	for (int i = 0; i < LIMITS; i++)
		table->limited[i] = -1;
	result = table->hasher == NULL ? SQLITE_NOMEM : declare(table);
	if (result != SQLITE_OK) {
		folded_disconnect(&table->base);
		return result;
	}
	*out = &table->base;
	return SQLITE_OK;
}

static int folded_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	const struct table *table = (struct table *)base;
	int count = 0;

	info->estimatedRows = 1000000;
	for (int limit = 0; limit < LIMITS; limit++) {
		for (int i = 0; i < info->nConstraint; i++) {
			if (!info->aConstraint[i].usable ||
				info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ ||
				info->aConstraint[i].iColumn != table->limited[limit])
				continue;
			info->aConstraintUsage[i].argvIndex = ++count;
			info->idxNum |= 1 << limit;
			info->estimatedRows /= limit == BY_ID ? 1000000 : 10;
			break;
		}
	}
	info->estimatedCost = (double)info->estimatedRows;
	return SQLITE_OK;
}

static int folded_open(sqlite3_vtab *table, sqlite3_vtab_cursor **out)
{
	struct cursor *cursor = calloc(1, sizeof(*cursor));

	(void)table;
	if (cursor == NULL)
		return SQLITE_NOMEM;
	*out = &cursor->base;
	return SQLITE_OK;
}

static int folded_close(sqlite3_vtab_cursor *base)
{
	struct cursor *cursor = (struct cursor *)base;

	sqlite3_finalize(cursor->blocks);
	free(cursor);
	return SQLITE_OK;
}

/* ---- its rows ---- */

static bool is_wanted(const struct cursor *cursor)
{
	const struct fyke_folded *row = &cursor->reader.row;

	for (int i = 0; i < 2; i++) {
		if ((cursor->wanted & 1U << (BY_CLIENT + i)) != 0 &&
			memcmp(&row->ip[i], &cursor->ip[i], sizeof(row->ip[i])) != 0)
			return false;
		if (cursor->port[i] != FYKE_UNKNOWN && row->port[i] != cursor->port[i])
			return false;
	}
	return (cursor->wanted & 1U << BY_ID) == 0 || cursor->row.id == cursor->only_id;
}

/* The next block: id, capture_id, block. */
static int next_block(struct cursor *cursor)
{
	int result = sqlite3_step(cursor->blocks);

	if (result != SQLITE_ROW) {
		cursor->done = true;
		return result == SQLITE_DONE ? SQLITE_OK : result;
	}
	cursor->row.id = sqlite3_column_int64(cursor->blocks, 0) - 1;
	cursor->row.capture_id = sqlite3_column_int64(cursor->blocks, 1);
	fyke_fold_reader_start(&cursor->reader, sqlite3_column_blob(cursor->blocks, 2),
		(size_t)sqlite3_column_bytes(cursor->blocks, 2));
	return SQLITE_OK;
}

static int folded_next(sqlite3_vtab_cursor *base)
{
	struct cursor *cursor = (struct cursor *)base;
	int result = SQLITE_OK;

	cursor->is_made = false;
	while (result == SQLITE_OK && !cursor->done) {
		while (fyke_fold_reader_next(&cursor->reader)) {
			cursor->row.id++;
			if (is_wanted(cursor))
				return SQLITE_OK;
		}
		result = next_block(cursor);
	}
	return result;
}

static int prepare_blocks(struct cursor *cursor, unsigned wanted, int argc, sqlite3_value **argv)
{
	sqlite3 *db = ((struct table *)cursor->base.pVtab)->db;
	sqlite3_str *sql = sqlite3_str_new(db);
	int result, parameter = 0;
	char *text;

	sqlite3_finalize(cursor->blocks);
	cursor->blocks = NULL;
	sqlite3_str_appendall(sql, "SELECT id, capture_id, block FROM main.folded_sessions WHERE true");
	for (int limit = 0; limit < LIMITS; limit++) {
		if ((wanted & 1U << limit) != 0) {
			parameter++;
			if (limits[limit].blocks != NULL)
				sqlite3_str_appendf(sql, limits[limit].blocks, parameter, parameter);
		}
	}
	sqlite3_str_appendall(sql, " ORDER BY id");
	text = sqlite3_str_finish(sql);
	result = text == NULL ? SQLITE_NOMEM : sqlite3_prepare_v2(db, text, -1, &cursor->blocks, NULL);
	sqlite3_free(text);
	for (int i = 0; result == SQLITE_OK && i < argc && i < sqlite3_bind_parameter_count(cursor->blocks);
		i++)
		result = sqlite3_bind_value(cursor->blocks, i + 1, argv[i]);
	return result;
}

/* What is no address, no port or no id is what no session has. */
static bool read_limit(struct cursor *cursor, enum limit limit, sqlite3_value *value)
{
	const char *text;

	if (limit == BY_ID)
		cursor->only_id = sqlite3_value_int64(value);
	else if (limit == BY_SERVER_PORT || limit == BY_CLIENT_PORT)
		cursor->port[limit == BY_CLIENT_PORT ? FYKE_CLIENT : FYKE_SERVER] =
			sqlite3_value_int64(value);
	else if (limit != BY_CAPTURE) {
		text = (const char *)sqlite3_value_text(value);
		return text != NULL && fyke_address_parse(text, &cursor->ip[limit - BY_CLIENT]);
	}
	return sqlite3_value_numeric_type(value) == SQLITE_INTEGER;
}

static int folded_filter(
	sqlite3_vtab_cursor *base, int number, const char *string, int argc, sqlite3_value **argv)
{
	struct cursor *cursor = (struct cursor *)base;
	int at = 0, result;

	(void)string;
	cursor->done = false;
	cursor->wanted = (unsigned)number;
	cursor->port[0] = cursor->port[1] = FYKE_UNKNOWN;
	cursor->reader.at = cursor->reader.end = NULL;
	for (int limit = 0; limit < LIMITS && at < argc; limit++) {
		if ((cursor->wanted & 1U << limit) == 0)
			continue;
		if (!read_limit(cursor, (enum limit)limit, argv[at++])) {
			cursor->done = true;
			return SQLITE_OK;
		}
	}
	result = prepare_blocks(cursor, cursor->wanted, argc, argv);
	return result == SQLITE_OK ? folded_next(base) : result;
}

static int folded_eof(sqlite3_vtab_cursor *base)
{
	return ((struct cursor *)base)->done;
}

static void make_session(struct cursor *cursor)
{
	if (cursor->is_made)
		return;
	fyke_folded_session(&cursor->reader.row, cursor->frames, &cursor->session);
	cursor->row.session = &cursor->session;
	cursor->row.parent_id = cursor->row.quotes_id = FYKE_UNKNOWN;
	cursor->is_made = true;
}

/* Texts are copied: rows of a virtual table may outlive its cursor's step. */
static void text_value(sqlite3_context *result, const char *text)
{
	if (text != NULL && text[0] != '\0')
		sqlite3_result_text(result, text, -1, SQLITE_TRANSIENT);
}

static void copied_value(struct cursor *cursor, const struct fyke_column *column, sqlite3_context *result)
{
	const struct table *table = (struct table *)cursor->base.pVtab;
	struct fyke_session *session = &cursor->session;
	const char *member = (const char *)session + column->offset;
	char text[FYKE_ADDRESS_TEXT];

	if (column->source == FYKE_COLUMN_FRAMES) {
		sqlite3_result_blob64(result, session->frames, session->frames_length, SQLITE_TRANSIENT);
	} else if (column->source == FYKE_COLUMN_ADDRESS) {
		(void)fyke_address_text((const struct fyke_address *)(const void *)member, text);
		text_value(result, text);
	} else if (column->source == FYKE_COLUMN_MAC) {
		const struct fyke_session_side *side = (const struct fyke_session_side *)(const void *)member;

		fyke_mac_text(side->mac, text);
		text_value(result, side->has_mac ? text : NULL);
	} else if (column->source == FYKE_COLUMN_TEXT) {
		const char *value;

		memcpy(&value, member, sizeof(value));
		text_value(result, value);
	} else { /* inline: history, Community ID */
		if (member == session->community_id)
			fyke_session_community_id(table->hasher, session);
		text_value(result, member);
	}
}

static int folded_column(sqlite3_vtab_cursor *base, sqlite3_context *result, int at)
{
	struct cursor *cursor = (struct cursor *)base;
	const struct table *table = (struct table *)base->pVtab;
	const struct fyke_column *column;

	if (at < 0 || at >= table->column_count || table->columns[at] < 0)
		return SQLITE_OK;
	column = &fyke_schema_sessions.columns[table->columns[at]];
	make_session(cursor);
	switch ((enum fyke_column_source)column->source) {
	case FYKE_COLUMN_FRAMES:
	case FYKE_COLUMN_ADDRESS:
	case FYKE_COLUMN_MAC:
	case FYKE_COLUMN_TEXT:
	case FYKE_COLUMN_INLINE:
		copied_value(cursor, column, result);
		break;
	default:
		fyke_rows_session_column(
			&table->rows, &cursor->row, (size_t)table->columns[at], &cursor->scratch, result);
		break;
	}
	return SQLITE_OK;
}

static int folded_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *rowid)
{
	*rowid = ((struct cursor *)base)->row.id;
	return SQLITE_OK;
}

static const sqlite3_module module = {
	.xConnect = folded_connect,
	.xBestIndex = folded_best_index,
	.xDisconnect = folded_disconnect,
	.xDestroy = folded_disconnect,
	.xOpen = folded_open,
	.xClose = folded_close,
	.xFilter = folded_filter,
	.xNext = folded_next,
	.xEof = folded_eof,
	.xColumn = folded_column,
	.xRowid = folded_rowid,
};

enum fyke_status fyke_folded_register(sqlite3 *db, struct fyke_error *error)
{
	return sqlite3_create_module_v2(db, "fyke_folded", &module, NULL, NULL) == SQLITE_OK
		       ? FYKE_OK
		       : fyke_sql_failed(db, error);
}

/* ---- in C ---- */

bool fyke_folded_is_there(sqlite3 *db)
{
	return fyke_sql_number(db, "SELECT EXISTS (SELECT 1 FROM main.folded_sessions)", 0) != 0;
}

enum fyke_status fyke_folded_show(sqlite3 *db, struct fyke_error *error)
{
	enum fyke_status status;

	if (!fyke_folded_is_there(db))
		return FYKE_OK;
	status = fyke_sql_run(db,
		"PRAGMA query_only = OFF; PRAGMA temp_store = MEMORY;"
		"CREATE TEMP VIEW sessions AS SELECT * FROM " FYKE_ALL_SESSIONS ";",
		error);
	if (status == FYKE_OK)
		status = fyke_schema_show_sessions(db, error);
	/* A virtual table declares itself at its first use, which an authorizer would deny. */
	return status == FYKE_OK
		       ? fyke_sql_run(db, "PRAGMA query_only = ON; SELECT 1 FROM fyke_folded LIMIT 1", error)
		       : status;
}

enum fyke_status fyke_folded_each(sqlite3 *db, int64_t capture_id,
	bool (*take)(void *context, int64_t id, const struct fyke_folded *folded), void *context,
	struct fyke_error *error)
{
	struct fyke_fold_reader *reader = calloc(1, sizeof(*reader));
	sqlite3_stmt *blocks = NULL;
	enum fyke_status status =
		reader == NULL
			? fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory")
			: fyke_sql_prepare(db,
				  "SELECT id, block FROM main.folded_sessions WHERE ?1 = 0 OR capture_id = ?1"
				  " ORDER BY id",
				  &blocks, error);
	int step = SQLITE_DONE;

	if (status == FYKE_OK)
		sqlite3_bind_int64(blocks, 1, capture_id);
	while (status == FYKE_OK && (step = sqlite3_step(blocks)) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(blocks, 0);

		fyke_fold_reader_start(
			reader, sqlite3_column_blob(blocks, 1), (size_t)sqlite3_column_bytes(blocks, 1));
		while (status == FYKE_OK && fyke_fold_reader_next(reader)) {
			if (!take(context, id++, &reader->row))
				status = fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
		}
	}
	if (status == FYKE_OK && step != SQLITE_DONE)
		status = fyke_sql_failed(db, error);
	sqlite3_finalize(blocks);
	free(reader);
	return status;
}
