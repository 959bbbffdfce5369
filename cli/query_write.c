/* Rows of a query as a table, JSON, JSON lines or CSV. */
#include "cli/query.h"

#include "analyzer/base/text.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* One value as text for a table; room for a number or time, longer text is borrowed from the row. */
static const char *table_cell(const struct fyke_query_rows *rows, size_t i, char room[FYKE_TEXT_TIME])
{
	sqlite3_stmt *row = rows->statement;
	const struct fyke_query_column *column = &rows->columns[i];
	int type = sqlite3_column_type(row, (int)i);
	int64_t value = sqlite3_column_int64(row, (int)i);
	bool narrow = rows->screen.width > 0 && rows->screen.width < 110;
	char *mark;

	if (type == SQLITE_NULL)
		return NULL;
	if (type == SQLITE_BLOB) {
		snprintf(room, FYKE_TEXT_TIME, "(%d bytes)", sqlite3_column_bytes(row, (int)i));
		return room;
	}
	if (type != SQLITE_INTEGER || column->of_any_kind)
		return (const char *)sqlite3_column_text(row, (int)i);
	switch (column->kind) {
	case FYKE_FILTER_INSTANT:
		mark = strchr(fyke_text_time(value, narrow ? 0 : 3, room), 'T');
		if (mark == NULL)
			return room;
		*mark = ' ';
		room[strlen(room) - 1] = '\0'; /* the Z: all times are UTC */
		return narrow ? room + 5 : room;
	case FYKE_FILTER_DURATION:
		return fyke_text_duration(value, rows->screen.flags, room);
	case FYKE_FILTER_BYTES:
		return fyke_text_bytes(value, room);
	default:
		return (const char *)sqlite3_column_text(row, (int)i);
	}
}

/* Times are shown readable, so their titles lose the unit; some words are shorter in a table. */
static const char *title_of(const struct fyke_query_column *column, char room[72])
{
	size_t length = strlen(column->title);

	if (column->of_any_kind)
		return column->title;
	if (strcmp(column->title, "retransmissions") == 0)
		return "resent";
	if (strcmp(column->title, "transport") == 0)
		return "over";
	if (strcmp(column->title, "client_ip") == 0)
		return "client";
	snprintf(room, 72, "%s", column->title);
	if (length > 3 && length < 72 && strcmp(room + length - 3, "_us") == 0)
		room[length - 3] = '\0';
	return room;
}

/* Which columns a narrow screen can do without, the first to go having the most. */
static unsigned goes(const char *name)
{
	static const char *const names[] = {"service", "start_us", "bytes", "transport", "duration_us",
		"packets", "retransmissions", "server_name"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0)
			return i + 1;
	}
	return 0;
}

static bool is_endpoint(const char *name)
{
	static const char *const names[] = {"client", "server", "client_ip", "server_ip", "ip"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

static struct fyke_grid *make_grid(const struct fyke_query_rows *rows, FILE *out, char titles[][72])
{
	struct fyke_grid_column columns[FYKE_QUERY_COLUMNS];

	for (size_t i = 0; i < rows->count; i++) {
		bool is_text = rows->columns[i].kind == FYKE_FILTER_TEXT;
		bool is_name = rows->may_go && strcmp(rows->columns[i].title, "server_name") == 0;

		columns[i] = (struct fyke_grid_column){
			.title = is_name ? "name" : title_of(&rows->columns[i], titles[i]),
			.right = !is_text && rows->columns[i].kind != FYKE_FILTER_INSTANT &&
				 !rows->columns[i].of_any_kind,
			.least = is_endpoint(rows->columns[i].title)	   ? 26
				 : is_text || rows->columns[i].of_any_kind ? 8
									   : 0,
			.goes = rows->may_go ? goes(rows->columns[i].title) : 0,
			.address = is_endpoint(rows->columns[i].title)};
	}
	return fyke_grid_new(&rows->screen, columns, rows->count, out);
}

static bool write_table_row(const struct fyke_query_rows *rows, struct fyke_grid *grid)
{
	const char *cells[FYKE_QUERY_COLUMNS];
	char numbers[FYKE_QUERY_COLUMNS][FYKE_TEXT_TIME];

	for (size_t i = 0; i < rows->count; i++)
		cells[i] = table_cell(rows, i, numbers[i]);
	return fyke_grid_row(grid, cells);
}

/* ASCII in which nothing needs quotes, an escape or a ' in front, whoever reads it. */
static bool is_plain(const char *text, size_t length)
{
	bool plain = length == 0 || (memchr(" =+-@", text[0], 5) == NULL && text[length - 1] != ' ');

	for (size_t i = 0; plain && i < length; i++)
		plain = text[i] >= ' ' && text[i] < 0x7f && text[i] != '"' && text[i] != ',' &&
			text[i] != '\\';
	return plain;
}

static bool append_csv_text(struct fyke_query_rows *rows, const char *text, size_t length)
{
	size_t room = 4 * length + 8;
	char *safe, *field = NULL;

	if (is_plain(text, length)) {
		fyke_json_append(&rows->line, text, length);
		return true;
	}
	/* A file gets what is there, a terminal what cannot act on it. */
	safe = malloc(room);
	if (safe != NULL && rows->screen.is_terminal)
		length = fyke_text_terminal(text, length, 0, 0, safe, room);
	else if (safe != NULL)
		length = fyke_text_stored(text, length, safe, room);
	if (safe != NULL)
		field = malloc(2 * length + 4);
	if (field != NULL)
		fyke_json_append(&rows->line, field, fyke_text_csv(safe, length, field, 2 * length + 4));
	free(safe);
	free(field);
	return field != NULL;
}

static bool append_csv_value(struct fyke_query_rows *rows, int i)
{
	sqlite3_stmt *row = rows->statement;
	int type = sqlite3_column_type(row, i);
	const char *text;

	if (type == SQLITE_NULL)
		return true;
	if (type == SQLITE_INTEGER) {
		fyke_json_append_integer(&rows->line, sqlite3_column_int64(row, i));
		return true;
	}
	text = (const char *)sqlite3_column_text(row, i);
	if (text == NULL)
		return true;
	if (type != SQLITE_FLOAT)
		return append_csv_text(rows, text, (size_t)sqlite3_column_bytes(row, i));
	fyke_json_append(&rows->line, text, strlen(text));
	return true;
}

static bool write_csv_line(struct fyke_query_rows *rows, FILE *out)
{
	fyke_json_append(&rows->line, "\n", 1);
	if (rows->line.failed)
		return false;
	fwrite(rows->line.text, 1, rows->line.length, out);
	rows->line.length = 0;
	return true;
}

static bool write_csv_row(struct fyke_query_rows *rows, FILE *out)
{
	for (size_t i = 0; i < rows->count; i++) {
		if (i > 0)
			fyke_json_append(&rows->line, ",", 1);
		if (!append_csv_value(rows, (int)i))
			return false;
	}
	return write_csv_line(rows, out);
}

static bool write_csv_head(struct fyke_query_rows *rows, FILE *out)
{
	for (size_t i = 0; i < rows->count; i++) {
		const char *title = rows->columns[i].title;

		if (i > 0)
			fyke_json_append(&rows->line, ",", 1);
		if (!append_csv_text(rows, title, strlen(title)))
			return false;
	}
	return write_csv_line(rows, out);
}

static bool write_json_row(const struct fyke_query_rows *rows, int64_t n, FILE *out)
{
	if (rows->format == FYKE_QUERY_JSON)
		fputs(n == 0 ? "\n" : ",\n", out);
	if (!fyke_jsonl_row(rows->jsonl, rows->statement, out))
		return false;
	if (rows->format == FYKE_QUERY_JSONL)
		fputc('\n', out);
	return true;
}

static bool write_row(struct fyke_query_rows *rows, struct fyke_grid *grid, int64_t n, FILE *out)
{
	if (rows->format == FYKE_QUERY_TABLE)
		return write_table_row(rows, grid);
	if (rows->format == FYKE_QUERY_CSV)
		return write_csv_row(rows, out);
	return write_json_row(rows, n, out);
}

static enum fyke_status failed(struct sqlite3_stmt *statement, int code, struct fyke_error *error)
{
	if (code == SQLITE_INTERRUPT)
		return fyke_error_set(error, FYKE_FAILED_DATABASE, "the query took too long and was ended");
	return fyke_error_set(
		error, FYKE_FAILED_DATABASE, "%s", sqlite3_errmsg(sqlite3_db_handle(statement)));
}

static enum fyke_status write_rows(struct fyke_query_rows *rows, struct fyke_grid *grid, FILE *out,
	int64_t *written, bool *more, struct fyke_error *error)
{
	int code;

	while ((code = sqlite3_step(rows->statement)) == SQLITE_ROW && !ferror(out)) {
		if (rows->limit >= 0 && *written >= rows->limit) {
			*more = true;
			return FYKE_OK;
		}
		if (!write_row(rows, grid, *written, out))
			return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
		++*written;
	}
	return code == SQLITE_DONE || code == SQLITE_ROW ? FYKE_OK : failed(rows->statement, code, error);
}

/* Objects of the columns that were asked for. */
static bool make_jsonl(struct fyke_query_rows *rows)
{
	struct fyke_jsonl_column columns[FYKE_QUERY_COLUMNS];

	if (rows->jsonl != NULL || (rows->format != FYKE_QUERY_JSON && rows->format != FYKE_QUERY_JSONL))
		return true;
	for (size_t i = 0; i < rows->count; i++)
		columns[i] = rows->columns[i].json;
	rows->jsonl = fyke_jsonl_new(columns, rows->count, rows->tcp_key, rows->screen.is_terminal);
	return rows->jsonl != NULL;
}

enum fyke_status fyke_query_write(
	struct fyke_query_rows *rows, FILE *out, int64_t *written, bool *more, struct fyke_error *error)
{
	static const char *const begin[] = {"", "[", "", ""};
	char(*titles)[72] = calloc(FYKE_QUERY_COLUMNS, sizeof(*titles));
	struct fyke_grid *grid = NULL;
	enum fyke_status status;

	*written = 0;
	*more = false;
	if (titles != NULL && rows->format == FYKE_QUERY_TABLE)
		grid = make_grid(rows, out, titles);
	if (titles == NULL || (rows->format == FYKE_QUERY_TABLE && grid == NULL) || !make_jsonl(rows)) {
		fyke_grid_finish(grid);
		free(titles);
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	}
	fputs(begin[rows->format], out);
	if (rows->format == FYKE_QUERY_CSV && !write_csv_head(rows, out))
		status = fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	else
		status = write_rows(rows, grid, out, written, more, error);
	fyke_grid_finish(grid);
	fyke_json_buffer_release(&rows->line);
	if (rows->format == FYKE_QUERY_JSON)
		fputs("\n]\n", out);
	free(titles);
	return status;
}
