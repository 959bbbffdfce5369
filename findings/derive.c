/* What follows from all sessions of a capture together, and from what dissectors found in them. */
#include "findings/findings.h"
#include "findings/isn.h"
#include "storage/sql.h"

/* Where servers say what they are: a table of records, its column, and whose words count. */
static const struct {
	const char *table, *column;
} banners[] = {
	{"http", "server"},
	{"ssh", "server_software"},
	{"ssh", "server"},
	{"smtp", "greeting"},
	{"ftp", "greeting"},
	{"pop3", "greeting"},
	{"imap", "greeting"},
};

static bool has_column(sqlite3 *db, const char *table, const char *column)
{
	return sqlite3_table_column_metadata(db, "main", table, column, NULL, NULL, NULL, NULL, NULL) ==
	       SQLITE_OK;
}

static enum fyke_status take_banner(
	sqlite3 *db, int64_t capture_id, const char *table, const char *column, struct fyke_error *error)
{
	sqlite3_str *sql = sqlite3_str_new(db);

	sqlite3_str_appendf(sql,
		"UPDATE ports SET product = coalesce(ports.product, said.product) FROM (SELECT s.server_ip "
		"AS ip,"
		" s.transport AS transport, s.server_port AS port, max(b.\"%w\") AS product FROM \"%w\" AS b"
		" JOIN sessions AS s ON s.id = b.session_id WHERE s.capture_id = %lld AND b.\"%w\" IS NOT "
		"NULL"
		" GROUP BY 1, 2, 3) AS said WHERE ports.capture_id = %lld AND ports.ip = said.ip"
		" AND ports.transport = said.transport AND ports.port = said.port AND ports.state = 'open'",
		column, table, (long long)capture_id, column, (long long)capture_id);
	return fyke_sql_run_built(db, sql, error);
}

static enum fyke_status derive(sqlite3 *db, int64_t capture_id, struct fyke_error *error)
{
	enum fyke_status status = fyke_isn_judge_hosts(db, capture_id, error);

	for (size_t i = 0; status == FYKE_OK && i < sizeof(banners) / sizeof(banners[0]); i++) {
		if (has_column(db, banners[i].table, banners[i].column))
			status = take_banner(db, capture_id, banners[i].table, banners[i].column, error);
	}
	return status;
}

enum fyke_status fyke_findings_derive(
	struct fyke_database *database, int64_t capture_id, struct fyke_error *error)
{
	sqlite3 *db = fyke_database_handle(database);
	enum fyke_status status = fyke_sql_run(db, "BEGIN IMMEDIATE", error);

	if (status != FYKE_OK)
		return status;
	status = derive(db, capture_id, error);
	if (status == FYKE_OK)
		return fyke_sql_run(db, "COMMIT", error);
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return status;
}
