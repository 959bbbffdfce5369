/* What follows from all sessions of a capture together, and from what servers and clients said of themselves.
 */
#include "findings/findings.h"
#include "findings/isn.h"
#include "storage/sql.h"

/* What was said last counts. */
static const char product_sql[] =
	"UPDATE ports SET product = said.value FROM (SELECT f.ip AS ip, s.transport AS transport, f.port AS "
	"port,"
	" f.value AS value, max(f.time_us) FROM host_facts AS f JOIN sessions AS s ON s.id = f.session_id"
	" WHERE s.capture_id = ?1 AND f.fact = 'product' AND f.port IS NOT NULL AND f.value IS NOT NULL"
	" GROUP BY 1, 2, 3) AS said WHERE ports.capture_id = ?1 AND ports.ip = said.ip"
	" AND ports.transport = said.transport AND ports.port = said.port";

/* Names of hosts; a name that came from an answer of DNS is worth less than the host's own word. */
#define HOST_SQL(column)                                                                                     \
	"UPDATE hosts SET " column " = said.value FROM (SELECT f.ip AS ip, f.value AS value,"                \
	" max(iif(f.source = 'dns', 0, 1) * 1e18 + f.time_us) FROM host_facts AS f"                          \
	" JOIN sessions AS s ON s.id = f.session_id WHERE s.capture_id = ?1 AND f.fact = '" column "'"       \
	" AND f.port IS NULL AND f.value IS NOT NULL GROUP BY 1) AS said"                                    \
	" WHERE hosts.capture_id = ?1 AND hosts.ip = said.ip"

static enum fyke_status derive(sqlite3 *db, int64_t capture_id, struct fyke_error *error)
{
	static const char *const steps[] = {
		product_sql, HOST_SQL("name"), HOST_SQL("vendor"), HOST_SQL("os")};
	enum fyke_status status = fyke_isn_judge_hosts(db, capture_id, error);

	for (size_t i = 0; status == FYKE_OK && i < sizeof(steps) / sizeof(steps[0]); i++)
		status = fyke_sql_run_with(db, steps[i], capture_id, 0, error);
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
