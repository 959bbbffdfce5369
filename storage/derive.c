/* What servers and clients said of themselves, as known.c chooses among it. */
#include "storage/derive.h"

#include "storage/sql.h"

/* What was said last counts; of what was said at one moment that of the earlier row, hence the order of the
 * join. */
static const char product_sql[] =
	"UPDATE ports SET product = said.value FROM (SELECT f.ip AS ip, s.transport AS transport, f.port AS "
	"port,"
	" f.value AS value, max(f.time_us) FROM host_facts AS f CROSS JOIN sessions AS s ON s.id = "
	"f.session_id"
	" WHERE s.capture_id = ?1 AND f.fact = 'product' AND f.port IS NOT NULL AND f.value IS NOT NULL"
	" GROUP BY 1, 2, 3) AS said WHERE ports.capture_id = ?1 AND ports.ip = said.ip"
	" AND ports.transport = said.transport AND ports.port = said.port";

/* Names of hosts; a name that came from an answer of DNS is worth less than the host's own word. */
#define HOST_SQL(column)                                                                                     \
	"UPDATE hosts SET " column " = said.value FROM (SELECT f.ip AS ip, f.value AS value,"                \
	" max(iif(f.source = 'dns', 0, 1) * 1e18 + f.time_us) FROM host_facts AS f"                          \
	" CROSS JOIN sessions AS s ON s.id = f.session_id WHERE s.capture_id = ?1 AND f.fact = '" column "'" \
	" AND f.port IS NULL AND f.value IS NOT NULL GROUP BY 1) AS said"                                    \
	" WHERE hosts.capture_id = ?1 AND hosts.ip = said.ip"

enum fyke_status fyke_derive_words(sqlite3 *db, int64_t capture_id, struct fyke_error *error)
{
	static const char *const steps[] = {
		product_sql, HOST_SQL("name"), HOST_SQL("vendor"), HOST_SQL("os")};
	enum fyke_status status = FYKE_OK;

	for (size_t i = 0; status == FYKE_OK && i < sizeof(steps) / sizeof(steps[0]); i++)
		status = fyke_sql_run_with(db, steps[i], capture_id, 0, error);
	return status;
}

enum fyke_status fyke_derive(struct fyke_database *database, int64_t capture_id, struct fyke_error *error)
{
	sqlite3 *db = fyke_database_handle(database);
	enum fyke_status status = fyke_sql_run(db, "BEGIN IMMEDIATE", error);

	if (status != FYKE_OK)
		return status;
	status = fyke_derive_sequence_numbers(db, capture_id, error);
	if (status == FYKE_OK)
		status = fyke_derive_words(db, capture_id, error);
	if (status == FYKE_OK)
		return fyke_sql_run(db, "COMMIT", error);
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return status;
}
