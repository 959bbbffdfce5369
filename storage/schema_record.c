/*
 * Tables of records: made from their fields with the first row; before that a protocol has a view without
 * rows, which takes no page of the file and lets every query be written as if there were some.
 */
#include "storage/schema.h"

#include "analyzer/session/session.h"
#include "storage/sql.h"

#include <sqlite3.h>
#include <string.h>

size_t fyke_schema_record_prefix(const struct fyke_table *table)
{
	return table == &fyke_table_session_frames ? 1 : 4;
}

static const char prefix_sql[] = "\"session_id\" INTEGER NOT NULL REFERENCES sessions(id) ON DELETE CASCADE";
static const char position_sql[] =
	", \"n\" INTEGER NOT NULL, \"frame\" INTEGER NOT NULL, \"time_us\" INTEGER NOT NULL";

static enum fyke_status create_record_table(
	struct sqlite3 *db, const struct fyke_table *table, struct fyke_error *error)
{
	sqlite3_str *sql = sqlite3_str_new(db);
	bool has_n = fyke_schema_record_prefix(table) > 1;

	sqlite3_str_appendf(sql, "CREATE TABLE IF NOT EXISTS \"%w\"(%s%s", table->name, prefix_sql,
		has_n ? position_sql : "");
	if (table == &fyke_table_session_parents) {
		sqlite3_str_appendall(
			sql, ", \"parent_id\" INTEGER REFERENCES sessions(id) ON DELETE SET NULL");
	} else {
		for (size_t i = 0; i < table->field_count; i++)
			sqlite3_str_appendf(sql, ", \"%w\" %s", table->fields[i].name,
				fyke_schema_type_sql(table->fields[i].type));
	}
	sqlite3_str_appendf(sql, ", PRIMARY KEY(\"session_id\", %s)) STRICT, WITHOUT ROWID",
		has_n ? "\"n\"" : "\"part\"");
	return fyke_sql_run_built(db, sql, error);
}

/* A newer fyke's dissector may know more fields than the one that made the table. */
static enum fyke_status add_missing_columns(
	struct sqlite3 *db, const struct fyke_table *table, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	if (table == &fyke_table_session_parents)
		return FYKE_OK;
	for (size_t i = 0; status == FYKE_OK && i < table->field_count; i++) {
		const struct fyke_field *field = &table->fields[i];
		sqlite3_str *sql;

		if (fyke_schema_has_column(db, table->name, field->name))
			continue;
		sql = sqlite3_str_new(db);
		sqlite3_str_appendf(sql, "ALTER TABLE \"%w\" ADD COLUMN \"%w\" %s", table->name, field->name,
			fyke_schema_type_sql(field->type));
		status = fyke_sql_run_built(db, sql, error);
	}
	return status;
}

/* "table", "view", or "" where the database has nothing of that name. */
static bool is_a(struct sqlite3 *db, const char *name, const char *type)
{
	char *sql = sqlite3_mprintf(
		"SELECT count(*) FROM sqlite_schema WHERE name = %Q AND type = %Q", name, type);
	bool is = sql != NULL && fyke_sql_number(db, sql, 0) > 0;

	sqlite3_free(sql);
	return is;
}

static enum fyke_status drop_view(struct sqlite3 *db, const char *name, struct fyke_error *error)
{
	sqlite3_str *sql = sqlite3_str_new(db);

	sqlite3_str_appendf(sql, "DROP VIEW \"%w\"", name);
	return fyke_sql_run_built(db, sql, error);
}

/* The column of no_records that has the type. */
static const char *letter_of(enum fyke_type type)
{
	return type == FYKE_TYPE_TEXT ? "t" : type == FYKE_TYPE_BLOB ? "b" : "i";
}

enum fyke_status fyke_schema_make_record_table(
	struct sqlite3 *db, const struct fyke_table *table, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	if (fyke_schema_table(table->name) != NULL)
		return fyke_error_set(error, FYKE_FAILED_INTERNAL,
			"Records may not be called %s: that is a table of the database's own", table->name);
	if (is_a(db, table->name, "view"))
		status = drop_view(db, table->name, error);
	if (status == FYKE_OK)
		status = create_record_table(db, table, error);
	return status == FYKE_OK ? add_missing_columns(db, table, error) : status;
}

/* A view without rows, of the same columns and types. */
static enum fyke_status create_view(
	struct sqlite3 *db, const struct fyke_table *table, struct fyke_error *error)
{
	sqlite3_str *sql = sqlite3_str_new(db);

	sqlite3_str_appendf(sql,
		"CREATE VIEW \"%w\" AS SELECT i AS \"session_id\", i AS \"n\", i AS \"frame\", i AS "
		"\"time_us\"",
		table->name);
	for (size_t i = 0; i < table->field_count; i++)
		sqlite3_str_appendf(
			sql, ", %s AS \"%w\"", letter_of(table->fields[i].type), table->fields[i].name);
	sqlite3_str_appendall(sql, " FROM no_records");
	return fyke_sql_run_built(db, sql, error);
}

static enum fyke_status announce(struct sqlite3 *db, const struct fyke_table *table, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	if (is_a(db, table->name, "table"))
		return fyke_schema_make_record_table(db, table, error);
	if (is_a(db, table->name, "view"))
		status = drop_view(db, table->name, error);
	return status == FYKE_OK ? create_view(db, table, error) : status;
}

enum fyke_status fyke_schema_announce_record_tables(
	struct sqlite3 *db, const struct fyke_table *const *list, struct fyke_error *error)
{
	enum fyke_status status;

	if (list == NULL)
		return FYKE_OK;
	status = fyke_sql_run(db, "BEGIN IMMEDIATE", error);
	if (status == FYKE_OK)
		status = fyke_sql_run(
			db, "CREATE TABLE IF NOT EXISTS no_records(i INTEGER, t TEXT, b BLOB) STRICT", error);
	for (; status == FYKE_OK && *list != NULL; list++)
		status = announce(db, *list, error);
	if (status == FYKE_OK)
		return fyke_sql_run(db, "COMMIT", error);
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return status;
}
