/* The query command's own parts: what is selected, and how rows go out. Of cli/query*.c alone. */
#ifndef FYKE_CLI_QUERY_H
#define FYKE_CLI_QUERY_H

#include "reports/screen.h"
#include "storage/database.h"
#include "storage/filter.h"
#include "storage/json_buffer.h"
#include "storage/jsonl.h"

enum fyke_query_format { FYKE_QUERY_TABLE, FYKE_QUERY_JSON, FYKE_QUERY_JSONL, FYKE_QUERY_CSV };

enum { FYKE_QUERY_COLUMNS = 256 };

struct fyke_query_column {
	const char *title; /* of table and CSV; borrowed */
	enum fyke_filter_column_kind kind;
	bool of_any_kind; /* as each value is: for SQL of the user's */
	struct fyke_jsonl_column json;
};

struct fyke_query_rows {
	struct sqlite3_stmt *statement; /* its first `count` columns go out */
	struct fyke_query_column columns[FYKE_QUERY_COLUMNS];
	size_t count;
	int tcp_key;		      /* see fyke_jsonl_new */
	struct fyke_jsonl *jsonl;     /* of whole sessions, else NULL; owned */
	struct sqlite3 *db;	      /* that the records of whole sessions come from */
	struct fyke_json_buffer line; /* of CSV, while it is put together */
	enum fyke_query_format format;
	int64_t limit; /* rows at most; < 0 = all */
	bool may_go;   /* nobody asked for these columns by name: a narrow screen leaves some out */
	struct fyke_screen screen;
};

/* Writes the rows to `out`; *written counts them, *more tells of rows beyond the limit. Ends early and well
 * where `out` fails. */
FYKE_MUST_USE enum fyke_status fyke_query_write(
	struct fyke_query_rows *rows, FILE *out, int64_t *written, bool *more, struct fyke_error *error);

/* What the user asked for. */
struct fyke_query_request {
	const char *database, *columns, *sort, *sql;
	char *filter; /* owned: the words joined */
	int64_t capture, limit;
	int64_t started_us; /* monotonic */
	bool limit_given, explain, count, records;
	enum fyke_query_format format;
};

/* The select list and the order that --columns and --sort make, over sessions AS s, tcp AS t. */
struct fyke_query_plan {
	char *select; /* sqlite3_free */
	char *order;
	bool uses_tcp;
};

FYKE_MUST_USE enum fyke_status fyke_query_plan_make(const struct fyke_query_request *request,
	const struct fyke_filter_columns *columns, struct fyke_query_rows *rows, struct fyke_query_plan *plan,
	struct fyke_error *error);
void fyke_query_plan_release(struct fyke_query_plan *plan);

/* --records: what the sessions that the filter chooses said. A mistake in it is told on standard error, and
 * error->text is empty. */
FYKE_MUST_USE enum fyke_status fyke_query_records(
	struct sqlite3 *db, const struct fyke_query_request *request, struct fyke_error *error);

/* --sql: one statement that reads, under fyke_database_restrict. */
FYKE_MUST_USE enum fyke_status fyke_query_sql(
	struct fyke_database *database, const struct fyke_query_request *request, struct fyke_error *error);

#endif
