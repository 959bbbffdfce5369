/*
 * fyke_origin(ip [, from_ip]): where an address stands. fyke_uid(session_id), fyke_uid(fingerprint,
 * first_frame, first_ordinal) and the table-valued fyke_frames(session_id): the numbers of a session's
 * frames, from sessions.frames or session_frames.
 *
 * What stands in a database may be wrong on purpose: a list ends at the first number that cannot be.
 */
#include "storage/functions.h"

#include "analyzer/base/varint.h"
#include "storage/folded.h"
#include "storage/sql.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static void put_be64(uint8_t *out, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(value >> (56 - 8 * i));
}

void fyke_uid(
	const char *fingerprint, size_t length, int64_t frame, int64_t ordinal, char text[FYKE_UID_TEXT])
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* Crockford's: no i, l, o, u */
	XXH128_hash_t hash = XXH3_128bits(fingerprint, length);
	uint8_t key[32];

	put_be64(key, hash.high64);
	put_be64(key + 8, hash.low64);
	put_be64(key + 16, (uint64_t)frame);
	put_be64(key + 24, (uint64_t)ordinal);
	hash = XXH3_128bits(key, sizeof(key));
	for (int i = 0; i < FYKE_UID_TEXT - 1; i++) {
		text[i] = digits[hash.high64 >> 59];
		hash.high64 = hash.high64 << 5 | hash.low64 >> 59;
		hash.low64 <<= 5;
	}
	text[FYKE_UID_TEXT - 1] = '\0';
}

static void uid_of_key(sqlite3_context *context, sqlite3_value **argv)
{
	char text[FYKE_UID_TEXT];
	const char *fingerprint = (const char *)sqlite3_value_text(argv[0]);

	if (fingerprint == NULL || sqlite3_value_type(argv[1]) == SQLITE_NULL ||
		sqlite3_value_type(argv[2]) == SQLITE_NULL)
		return;
	fyke_uid(fingerprint, (size_t)sqlite3_value_bytes(argv[0]), sqlite3_value_int64(argv[1]),
		sqlite3_value_int64(argv[2]), text);
	sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

static void uid_of_session(sqlite3_context *context, sqlite3_value **argv)
{
	static const char sql[] =
		"SELECT fyke_uid(c.fingerprint, s.first_frame, s.first_ordinal) FROM " FYKE_ALL_SESSIONS
		" s JOIN captures c ON c.id = s.capture_id WHERE s.id = ?1";
	sqlite3 *db = sqlite3_context_db_handle(context);
	sqlite3_stmt *statement = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
		sqlite3_result_error(context, sqlite3_errmsg(db), -1);
		return;
	}
	sqlite3_bind_value(statement, 1, argv[0]);
	if (sqlite3_step(statement) == SQLITE_ROW)
		sqlite3_result_value(context, sqlite3_column_value(statement, 0));
	sqlite3_finalize(statement);
}

static void uid_function(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	if (argc == 1)
		uid_of_session(context, argv);
	else
		uid_of_key(context, argv);
}

/* NULL for what is no address. */
static void origin_function(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	const struct fyke_networks *home = sqlite3_user_data(context);
	struct fyke_address address, from;
	const char *text = (const char *)sqlite3_value_text(argv[0]);
	const char *other = argc > 1 ? (const char *)sqlite3_value_text(argv[1]) : NULL;

	if (text == NULL || !fyke_address_parse(text, &address))
		return;
	if (other == NULL || !fyke_address_parse(other, &from))
		other = NULL;
	sqlite3_result_text(context,
		fyke_origin_name(fyke_origin_of(home, &address, other == NULL ? NULL : &from)), -1,
		SQLITE_STATIC);
}

struct frames_table {
	sqlite3_vtab base;
	sqlite3 *db;
};

struct frames_cursor {
	sqlite3_vtab_cursor base;
	sqlite3_stmt *parts;	 /* the part at hand lies in its row */
	const uint8_t *at, *end; /* what is left of it */
	bool first;		 /* the next number is absolute */
	bool done;
	uint64_t frame;
	sqlite3_int64 session, row;
};

static int frames_connect(
	sqlite3 *db, void *context, int argc, const char *const *argv, sqlite3_vtab **out, char **message)
{
	struct frames_table *table;
	int result = sqlite3_declare_vtab(db, "CREATE TABLE x(frame INTEGER, session_id INTEGER HIDDEN)");

	(void)context, (void)argc, (void)argv, (void)message;
	if (result != SQLITE_OK)
		return result;
	table = calloc(1, sizeof(*table));
	if (table == NULL)
		return SQLITE_NOMEM;
	table->db = db;
	sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
	*out = &table->base;
	return SQLITE_OK;
}

static int frames_disconnect(sqlite3_vtab *table)
{
	free(table);
	return SQLITE_OK;
}

/* Without the session's number there is nothing to give. */
static int frames_best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
	(void)table;
	info->idxNum = 0;
	info->estimatedCost = 1e12;
	for (int i = 0; i < info->nConstraint; i++) {
		if (info->aConstraint[i].iColumn != 1 ||
			info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
			continue;
		if (!info->aConstraint[i].usable)
			return SQLITE_CONSTRAINT;
		info->idxNum = 1;
		info->aConstraintUsage[i].argvIndex = 1;
		info->aConstraintUsage[i].omit = 1;
		info->estimatedCost = 100;
		break;
	}
	return SQLITE_OK;
}

static int frames_open(sqlite3_vtab *table, sqlite3_vtab_cursor **out)
{
	struct frames_cursor *cursor = calloc(1, sizeof(*cursor));

	(void)table;
	if (cursor == NULL)
		return SQLITE_NOMEM;
	*out = &cursor->base;
	return SQLITE_OK;
}

static int frames_close(sqlite3_vtab_cursor *base)
{
	struct frames_cursor *cursor = (struct frames_cursor *)base;

	sqlite3_finalize(cursor->parts);
	free(cursor);
	return SQLITE_OK;
}

static int take_part(struct frames_cursor *cursor)
{
	int result = sqlite3_step(cursor->parts);

	if (result == SQLITE_ROW) {
		cursor->at = sqlite3_column_blob(cursor->parts, 0);
		cursor->end = cursor->at == NULL ? NULL : cursor->at + sqlite3_column_bytes(cursor->parts, 0);
		cursor->first = true;
		return SQLITE_OK;
	}
	cursor->done = true;
	return result == SQLITE_DONE ? SQLITE_OK : result;
}

static bool take_frame(struct frames_cursor *cursor)
{
	uint64_t value;

	if (cursor->at == cursor->end || !fyke_varint_read(&cursor->at, cursor->end, &value))
		return false;
	if (!cursor->first && __builtin_add_overflow(cursor->frame, value, &value))
		return false;
	if (value > INT64_MAX)
		return false;
	cursor->frame = value;
	cursor->first = false;
	cursor->row++;
	return true;
}

static int frames_next(sqlite3_vtab_cursor *base)
{
	struct frames_cursor *cursor = (struct frames_cursor *)base;
	int result = SQLITE_OK;

	while (!cursor->done && !take_frame(cursor)) {
		result = take_part(cursor);
		if (result != SQLITE_OK)
			return result;
	}
	return result;
}

static int frames_filter(
	sqlite3_vtab_cursor *base, int number, const char *string, int argc, sqlite3_value **argv)
{
	static const char sql[] =
		"SELECT frames FROM main.sessions WHERE id = ?1 AND frames IS NOT NULL UNION ALL"
		" SELECT frames FROM (SELECT frames FROM session_frames WHERE session_id = ?1"
		" AND NOT EXISTS (SELECT 1 FROM main.sessions WHERE id = ?1 AND frames IS NOT NULL) ORDER BY "
		"part) UNION ALL SELECT frames FROM fyke_folded WHERE id = ?1";
	struct frames_cursor *cursor = (struct frames_cursor *)base;
	int result = SQLITE_OK;

	(void)string;
	cursor->at = cursor->end = NULL;
	cursor->row = 0;
	cursor->done = number == 0 || argc == 0;
	if (cursor->done)
		return SQLITE_OK;
	if (cursor->parts == NULL)
		result = sqlite3_prepare_v2(
			((struct frames_table *)base->pVtab)->db, sql, -1, &cursor->parts, NULL);
	if (result != SQLITE_OK)
		return result;
	sqlite3_reset(cursor->parts);
	cursor->session = sqlite3_value_int64(argv[0]);
	sqlite3_bind_int64(cursor->parts, 1, cursor->session);
	return frames_next(base);
}

static int frames_eof(sqlite3_vtab_cursor *base)
{
	return ((struct frames_cursor *)base)->done;
}

static int frames_column(sqlite3_vtab_cursor *base, sqlite3_context *result, int column)
{
	const struct frames_cursor *cursor = (struct frames_cursor *)base;

	sqlite3_result_int64(result, column == 0 ? (sqlite3_int64)cursor->frame : cursor->session);
	return SQLITE_OK;
}

static int frames_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *rowid)
{
	*rowid = ((struct frames_cursor *)base)->row;
	return SQLITE_OK;
}

static const sqlite3_module frames_module = {
	.xConnect = frames_connect,
	.xBestIndex = frames_best_index,
	.xDisconnect = frames_disconnect,
	.xDestroy = frames_disconnect,
	.xOpen = frames_open,
	.xClose = frames_close,
	.xFilter = frames_filter,
	.xNext = frames_next,
	.xEof = frames_eof,
	.xColumn = frames_column,
	.xRowid = frames_rowid,
};

enum fyke_status fyke_functions_register(
	sqlite3 *db, const struct fyke_networks *home, struct fyke_error *error)
{
	const struct {
		const char *name;
		int arguments;
		void (*function)(sqlite3_context *, int, sqlite3_value **);
		int flags;
	} list[] = {{"fyke_uid", 3, uid_function, SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS},
		{"fyke_uid", 1, uid_function, 0}, {"fyke_origin", 1, origin_function, SQLITE_INNOCUOUS},
		{"fyke_origin", 2, origin_function, SQLITE_INNOCUOUS}};
	const union {
		const struct fyke_networks *given;
		void *context;
	} borrowed = {home};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		if (sqlite3_create_function_v2(db, list[i].name, list[i].arguments,
			    SQLITE_UTF8 | list[i].flags, borrowed.context, list[i].function, NULL, NULL,
			    NULL) != SQLITE_OK)
			return fyke_sql_failed(db, error);
	}
	if (sqlite3_create_module_v2(db, "fyke_frames", &frames_module, NULL, NULL) != SQLITE_OK)
		return fyke_sql_failed(db, error);
	if (fyke_folded_register(db, error) != FYKE_OK)
		return fyke_sql_failed(db, error);
	return fyke_functions_register_text(db, error);
}
