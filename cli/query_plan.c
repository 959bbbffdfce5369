/* Which columns a query shows, and in which order its rows come. */
#include "cli/query.h"

#include "dissectors/registry.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char table_columns[] = "id,start_us,duration_us,transport,client,server,service,state,packets,"
				    "bytes,retransmissions,server_name";

static void add_column(
	struct fyke_query_rows *rows, const struct fyke_filter_column *column, sqlite3_str *select)
{
	struct fyke_query_column *made = &rows->columns[rows->count];

	*made = (struct fyke_query_column){.title = column->name, .kind = column->kind};
	if (column->home == FYKE_FILTER_COMPUTED) {
		bool is_end = strcmp(column->name, "client") == 0 || strcmp(column->name, "server") == 0;

		made->json = (struct fyke_jsonl_column){FYKE_JSONL_TOP, column->name, false};
		if (is_end) /* the objects of that name hold the side's other columns */
			made->json.key = column->name[0] == 'c' ? "client_endpoint" : "server_endpoint";
	} else {
		made->json = fyke_jsonl_place(column->name, column->home == FYKE_FILTER_TCP);
	}
	sqlite3_str_appendf(select, "%s%s", rows->count > 0 ? ", " : "", column->sql);
	rows->count++;
}

static bool is_there(const struct fyke_query_rows *rows, const struct fyke_filter_column *column)
{
	for (size_t i = 0; i < rows->count; i++) {
		if (rows->columns[i].title == column->name)
			return true;
	}
	return false;
}

static enum fyke_status unknown_column(const struct fyke_filter_columns *columns, const char *option,
	const char *name, struct fyke_error *error)
{
	const char *near = fyke_filter_columns_nearest(columns, name);
	char of_side[80];

	if (name[0] == '\0')
		return fyke_error_set(error, FYKE_FAILED_USAGE, "%s: a name is missing", option);
	snprintf(of_side, sizeof(of_side), "client_%.64s", name);
	if (fyke_filter_columns_find(columns, of_side) != NULL)
		return fyke_error_set(error, FYKE_FAILED_USAGE,
			"%s: each side has its own: client_%s, server_%s", option, name, name);
	if (near != NULL)
		return fyke_error_set(error, FYKE_FAILED_USAGE,
			"%s: there is no column '%s'; did you mean '%s'?", option, name, near);
	return fyke_error_set(error, FYKE_FAILED_USAGE,
		"%s: there is no column '%s'; `fyke help database` lists those of sessions and tcp", option,
		name);
}

static const struct fyke_filter_column *find(const struct fyke_filter_columns *columns, const char *name)
{
	const struct fyke_filter_column *column = fyke_filter_columns_find(columns, name);

	if (column == NULL || column->home == FYKE_FILTER_RECORD || column->kind == FYKE_FILTER_BLOB)
		return NULL;
	return column;
}

static enum fyke_status add_named(struct fyke_query_rows *rows, const struct fyke_filter_columns *columns,
	const char *name, struct fyke_query_plan *plan, sqlite3_str *select, struct fyke_error *error)
{
	const struct fyke_filter_column *column = find(columns, name);

	if (column == NULL)
		return unknown_column(columns, "--columns", name, error);
	if (is_there(rows, column))
		return fyke_error_set(error, FYKE_FAILED_USAGE, "--columns: '%s' is asked for twice", name);
	if (rows->count + 1 >= FYKE_QUERY_COLUMNS)
		return fyke_error_set(error, FYKE_FAILED_USAGE, "--columns: these are too many");
	plan->uses_tcp |= column->uses_tcp;
	add_column(rows, column, select);
	return FYKE_OK;
}

static void add_homes(struct fyke_query_rows *rows, const struct fyke_filter_columns *columns, bool tcp,
	sqlite3_str *select)
{
	size_t count;
	const struct fyke_filter_column *list = fyke_filter_columns_list(columns, &count);

	for (size_t i = 0; i < count && rows->count + 1 < FYKE_QUERY_COLUMNS; i++) {
		bool wanted = list[i].home == FYKE_FILTER_SESSION || (tcp && list[i].home == FYKE_FILTER_TCP);

		if (wanted && list[i].kind != FYKE_FILTER_BLOB)
			add_column(rows, &list[i], select);
	}
}

static enum fyke_status add_list(struct fyke_query_rows *rows, const struct fyke_filter_columns *columns,
	const char *names, struct fyke_query_plan *plan, sqlite3_str *select, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;
	char *list = strdup(names), *at = list, *name;

	if (list == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	while (status == FYKE_OK && (name = strsep(&at, ",")) != NULL)
		status = add_named(rows, columns, name, plan, select, error);
	free(list);
	return status;
}

/* Whole sessions, nested, with their records. */
static enum fyke_status add_sessions(struct fyke_query_rows *rows, struct fyke_query_plan *plan,
	sqlite3_str *select, struct fyke_error *error)
{
	const struct fyke_table *tables[FYKE_TABLES_MAX];
	enum fyke_status status;

	fyke_dissector_tables(tables, FYKE_TABLES_MAX);
	status = fyke_jsonl_new_stored(rows->db, tables, rows->screen.is_terminal, &rows->jsonl, error);
	if (status != FYKE_OK)
		return status;
	rows->count = fyke_jsonl_select_count(rows->jsonl) - 1; /* the key of tcp stands behind */
	sqlite3_str_appendall(select, fyke_jsonl_select(rows->jsonl));
	plan->uses_tcp = true;
	return FYKE_OK;
}

static enum fyke_status add_columns(const struct fyke_query_request *request,
	const struct fyke_filter_columns *columns, struct fyke_query_rows *rows, struct fyke_query_plan *plan,
	sqlite3_str *select, struct fyke_error *error)
{
	bool is_json = request->format == FYKE_QUERY_JSON || request->format == FYKE_QUERY_JSONL;
	enum fyke_status status = FYKE_OK;

	if (request->columns == NULL && is_json)
		return add_sessions(rows, plan, select, error);
	if (request->columns != NULL && strcasecmp(request->columns, "all") == 0) {
		add_homes(rows, columns, true, select);
		plan->uses_tcp = true;
	} else if (request->columns != NULL) {
		status = add_list(rows, columns, request->columns, plan, select, error);
	} else if (request->format == FYKE_QUERY_CSV) {
		add_homes(rows, columns, false, select);
	} else {
		status = add_list(rows, columns, table_columns, plan, select, error);
		rows->may_go = true;
	}
	sqlite3_str_appendall(select, plan->uses_tcp ? ", t.session_id" : ", NULL");
	return status;
}

/* -COL is descending. Each becomes a column of the result behind the others. */
static enum fyke_status add_sort(const struct fyke_filter_columns *columns, const char *name, size_t place,
	struct fyke_query_plan *plan, sqlite3_str *out[2], struct fyke_error *error)
{
	bool descending = name[0] == '-';
	const struct fyke_filter_column *column = find(columns, descending ? name + 1 : name);

	if (column == NULL)
		return unknown_column(columns, "--sort", descending ? name + 1 : name, error);
	plan->uses_tcp |= column->uses_tcp;
	sqlite3_str_appendf(out[0], ", %s", column->sql);
	sqlite3_str_appendf(out[1], "%d%s NULLS LAST, ", (int)place, descending ? " DESC" : "");
	return FYKE_OK;
}

static enum fyke_status add_order(const struct fyke_query_request *request,
	const struct fyke_filter_columns *columns, size_t place, struct fyke_query_plan *plan,
	sqlite3_str *out[2], struct fyke_error *error)
{
	char *list = strdup(request->sort == NULL ? "" : request->sort), *at = list, *name;
	enum fyke_status status = FYKE_OK;
	size_t first = place;

	if (list == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	while (request->sort != NULL && status == FYKE_OK && (name = strsep(&at, ",")) != NULL) {
		if (place - first >= 16)
			status = fyke_error_set(error, FYKE_FAILED_USAGE, "--sort takes at most 16 columns");
		else
			status = add_sort(columns, name, place++, plan, out, error);
	}
	free(list);
	sqlite3_str_appendall(out[0], ", s.start_us, s.id");
	sqlite3_str_appendf(out[1], "%d, %d", (int)place, (int)place + 1);
	return status;
}

enum fyke_status fyke_query_plan_make(const struct fyke_query_request *request,
	const struct fyke_filter_columns *columns, struct fyke_query_rows *rows, struct fyke_query_plan *plan,
	struct fyke_error *error)
{
	sqlite3_str *out[2] = {sqlite3_str_new(NULL), sqlite3_str_new(NULL)};
	enum fyke_status status;

	*plan = (struct fyke_query_plan){0};
	status = add_columns(request, columns, rows, plan, out[0], error);
	rows->tcp_key = plan->uses_tcp ? (int)rows->count : -1;
	if (status == FYKE_OK)
		status = add_order(request, columns, rows->count + 2, plan, out, error);
	plan->select = sqlite3_str_finish(out[0]);
	plan->order = sqlite3_str_finish(out[1]);
	if (status == FYKE_OK && (plan->select == NULL || plan->order == NULL))
		status = fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	return status;
}

void fyke_query_plan_release(struct fyke_query_plan *plan)
{
	sqlite3_free(plan->select);
	sqlite3_free(plan->order);
}
