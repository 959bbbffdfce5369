/*
 * What storing costs at least: the rows of a session database, held in memory, inserted into a new one.
 *
 *   floor_sqlite FROM TO    the same tables, columns and indices; SQLite's own settings; one transaction of
 *                           prepared statements, the indices built after it
 *
 * Prints `cpu SECONDS`, `wall SECONDS` of inserting and indexing alone (not of reading FROM), `rows N`, and
 * checks that every table of TO has as many rows as its model.
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { TABLES_MOST = 256 };

struct table {
	char *insert, *name;
	int columns;
	size_t rows, room;
	sqlite3_value **values; /* rows × columns */
};

struct copy {
	sqlite3 *from, *to;
	struct table tables[TABLES_MOST];
	size_t count;
};

static void must(sqlite3 *db, int code)
{
	if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW)
		return;
	fprintf(stderr, "floor_sqlite: %s\n", sqlite3_errmsg(db));
	exit(1);
}

static void *need(void *memory)
{
	if (memory != NULL)
		return memory;
	fprintf(stderr, "floor_sqlite: no memory\n");
	exit(1);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement;

	must(db, sqlite3_prepare_v2(db, sql, -1, &statement, NULL));
	return statement;
}

static sqlite3 *database_open(const char *name, int flags)
{
	sqlite3 *db = NULL;
	int code = sqlite3_open_v2(name, &db, flags, NULL);

	must(db, code);
	return db;
}

/* Creates what `type` names in the new database, in the order of the old one. */
static void create(struct copy *copy, const char *type)
{
	sqlite3_stmt *all = prepare(copy->from, "SELECT sql FROM sqlite_schema WHERE type = ? AND sql IS NOT "
						"NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
						"ORDER BY rowid");

	sqlite3_bind_text(all, 1, type, -1, SQLITE_STATIC);
	while (sqlite3_step(all) == SQLITE_ROW)
		must(copy->to,
			sqlite3_exec(copy->to, (const char *)sqlite3_column_text(all, 0), NULL, NULL, NULL));
	sqlite3_finalize(all);
}

static void append(char **sql, const char *text)
{
	char *longer = sqlite3_mprintf("%z%s", *sql, text);

	*sql = need(longer);
}

static void take_row(struct table *table, sqlite3_stmt *row)
{
	if (table->rows == table->room) {
		table->room = table->room * 2 + 64;
		table->values = need(reallocarray(
			table->values, table->room * (size_t)table->columns, sizeof *table->values));
	}
	for (int i = 0; i < table->columns; i++)
		table->values[table->rows * (size_t)table->columns + (size_t)i] =
			need(sqlite3_value_dup(sqlite3_column_value(row, i)));
	table->rows++;
}

static void read_table(struct copy *copy, const char *name)
{
	struct table *table = &copy->tables[copy->count++];
	char *select = sqlite3_mprintf("SELECT * FROM \"%w\"", name);
	sqlite3_stmt *rows = prepare(copy->from, need(select));

	table->name = need(strdup(name));
	table->columns = sqlite3_column_count(rows);
	table->insert = sqlite3_mprintf("INSERT INTO \"%w\" VALUES(", name);
	for (int i = 0; i < table->columns; i++)
		append(&table->insert, i == 0 ? "?" : ", ?");
	append(&table->insert, ")");
	while (sqlite3_step(rows) == SQLITE_ROW)
		take_row(table, rows);
	sqlite3_finalize(rows);
	sqlite3_free(select);
}

static void read_tables(struct copy *copy)
{
	sqlite3_stmt *all = prepare(copy->from, "SELECT name FROM sqlite_schema WHERE type = 'table' AND "
						"name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid");

	while (sqlite3_step(all) == SQLITE_ROW && copy->count < TABLES_MOST)
		read_table(copy, (const char *)sqlite3_column_text(all, 0));
	sqlite3_finalize(all);
}

static void insert_table(struct copy *copy, const struct table *table)
{
	sqlite3_stmt *insert = prepare(copy->to, table->insert);
	size_t at = 0;

	for (size_t row = 0; row < table->rows; row++) {
		for (int i = 0; i < table->columns; i++)
			must(copy->to, sqlite3_bind_value(insert, i + 1, table->values[at++]));
		must(copy->to, sqlite3_step(insert));
		must(copy->to, sqlite3_reset(insert));
	}
	sqlite3_finalize(insert);
}

static void insert_all(struct copy *copy)
{
	must(copy->to, sqlite3_exec(copy->to, "BEGIN", NULL, NULL, NULL));
	for (size_t i = 0; i < copy->count; i++)
		insert_table(copy, &copy->tables[i]);
	must(copy->to, sqlite3_exec(copy->to, "COMMIT", NULL, NULL, NULL));
	create(copy, "index");
}

static bool rows_agree(const struct copy *copy)
{
	bool agree = true;

	for (size_t i = 0; i < copy->count; i++) {
		char *sql = sqlite3_mprintf("SELECT count(*) FROM \"%w\"", copy->tables[i].name);
		sqlite3_stmt *count = prepare(copy->to, need(sql));

		must(copy->to, sqlite3_step(count));
		if ((size_t)sqlite3_column_int64(count, 0) != copy->tables[i].rows) {
			fprintf(stderr, "floor_sqlite: %s: %zu rows became %lld\n", copy->tables[i].name,
				copy->tables[i].rows, sqlite3_column_int64(count, 0));
			agree = false;
		}
		sqlite3_finalize(count);
		sqlite3_free(sql);
	}
	return agree;
}

static double cpu_now(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double wall_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static struct copy copy;
	double cpu, wall;
	size_t rows = 0;

	if (argc != 3) {
		fprintf(stderr, "usage: floor_sqlite FROM TO\n");
		return 2;
	}
	if (unlink(argv[2]) != 0 && access(argv[2], F_OK) == 0)
		return 1;
	copy.from = database_open(argv[1], SQLITE_OPEN_READONLY);
	copy.to = database_open(argv[2], SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	create(&copy, "table");
	read_tables(&copy);
	cpu = cpu_now();
	wall = wall_now();
	insert_all(&copy);
	printf("cpu %.3f\nwall %.3f\n", cpu_now() - cpu, wall_now() - wall);
	for (size_t i = 0; i < copy.count; i++)
		rows += copy.tables[i].rows;
	printf("rows %zu\n", rows);
	return rows_agree(&copy) ? 0 : 1;
}
