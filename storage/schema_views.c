/*
 * The session database's views. Columns that a reader does not ask for cost nothing; those of session_list
 * that count records are a look into an index each.
 */
#include "storage/schema.h"

#include "storage/sql.h"

/* clang-format off */
/* Instants before 1970 need the floor of the division; SQLite's truncates. */
#define ISO(us) \
	"strftime('%Y-%m-%dT%H:%M:%S', (" us " - ((" us " % 1000000) + 1000000) % 1000000) / 1000000, 'unixepoch')" \
	" || printf('.%06dZ', ((" us " % 1000000) + 1000000) % 1000000)"
#define ENDPOINT(ip, port) \
	"CASE WHEN " port " IS NULL THEN " ip " WHEN instr(" ip ", ':') THEN '[' || " ip " || ']:' || " port \
	" ELSE " ip " || ':' || " port " END"
#define SAME(column) "s." column " AS " column ", "
#define RECORDS(what, table) "(SELECT " what " FROM " table " AS r WHERE r.session_id = s.id)"

static const char session_list[] =
	"VIEW session_list AS SELECT s.id AS id, " ISO("s.start_us") " AS start, " ISO("s.end_us") " AS end,"
	" (s.end_us - s.start_us) / 1000000.0 AS duration_s, "
	ENDPOINT("s.client_ip", "s.client_port") " AS client, " ENDPOINT("s.server_ip", "s.server_port") " AS server, "
	SAME("transport") SAME("service") SAME("content_service") SAME("service_mismatch") SAME("server_name")
	SAME("state") SAME("history") SAME("end_reason")
	SAME("client_packets") SAME("server_packets") SAME("client_bytes") SAME("server_bytes")
	SAME("client_payload_bytes") SAME("server_payload_bytes")
	"t.client_retransmitted_segments + t.server_retransmitted_segments AS retransmissions,"
	" t.client_missing_bytes + t.server_missing_bytes AS missing_bytes, t.handshake_us / 1000.0 AS handshake_ms, "
	"(SELECT count(*) FROM findings AS f WHERE f.session_id = s.id AND f.status <> 'gone') AS findings, "
	RECORDS("count(*)", "credentials") " AS credentials, " RECORDS("count(*)", "transferred_files") " AS files, "
	RECORDS("coalesce(sum(r.\"count\"), 0)", "sensitive_numbers") " AS sensitive_numbers, "
	SAME("tunnel") SAME("vlan") SAME("community_id") SAME("first_frame")
	"s.capture_id AS capture_id FROM sessions s LEFT JOIN tcp t ON t.session_id = s.id;";

static const char views[] =
	"CREATE INDEX IF NOT EXISTS findings_session ON findings(session_id) WHERE session_id IS NOT NULL;"

	"CREATE VIEW all_hosts AS SELECT ip, max(mac) AS mac, max(vendor) AS vendor, max(name) AS name, max(os) AS os,"
	" min(first_seen_us) AS first_seen_us, max(last_seen_us) AS last_seen_us, sum(sessions) AS sessions,"
	" sum(client_sessions) AS client_sessions, sum(server_sessions) AS server_sessions,"
	" sum(sent_packets) AS sent_packets, sum(received_packets) AS received_packets,"
	" sum(sent_bytes) AS sent_bytes, sum(received_bytes) AS received_bytes, count(*) AS captures"
	" FROM hosts GROUP BY ip;"

	/* 'open' > 'filtered' > 'closed' in alphabetical order too. */
	"CREATE VIEW all_ports AS SELECT ip, transport, port, max(state) AS state, max(service) AS service,"
	" max(product) AS product, min(first_seen_us) AS first_seen_us, max(last_seen_us) AS last_seen_us,"
	" sum(sessions) AS sessions, max(clients) AS clients_at_least, count(*) AS captures"
	" FROM ports GROUP BY ip, transport, port;"

	"CREATE VIEW port_intervals AS SELECT capture_id, ip, transport, port, state, first_us, last_us, proofs, session_id"
	" FROM port_history UNION ALL SELECT capture_id, ip, transport, port, state, first_seen_us, last_seen_us, sessions,"
	" session_id FROM ports AS p WHERE state <> 'open' AND evidence IS NOT 'silence' AND NOT EXISTS (SELECT 1"
	" FROM port_history AS h WHERE h.capture_id = p.capture_id AND h.ip = p.ip AND h.transport = p.transport"
	" AND h.port = p.port);"

	"CREATE VIEW scans AS SELECT capture_id, client_ip, transport, sum(sessions) AS sessions,"
	" sum(unanswered) AS unanswered, sum(refused) AS refused, sum(client_packets) AS client_packets,"
	" sum(server_packets) AS server_packets, sum(client_bytes) AS client_bytes, sum(server_bytes) AS server_bytes,"
	" min(first_us) AS first_us, max(last_us) AS last_us FROM folded_sessions GROUP BY 1, 2, 3;";

const char fyke_schema_drop_views[] =
	"DROP VIEW IF EXISTS session_list; DROP VIEW IF EXISTS all_hosts; DROP VIEW IF EXISTS all_ports;"
	"DROP VIEW IF EXISTS port_intervals; DROP VIEW IF EXISTS scans;";
/* clang-format on */

enum fyke_status fyke_schema_make_views(struct sqlite3 *db, struct fyke_error *error)
{
	sqlite3_str *sql = sqlite3_str_new(db);

	sqlite3_str_appendf(sql, "CREATE %s%s", session_list, views);
	return fyke_sql_run_built(db, sql, error);
}

enum fyke_status fyke_schema_show_sessions(struct sqlite3 *db, struct fyke_error *error)
{
	sqlite3_str *sql = sqlite3_str_new(db);

	sqlite3_str_appendf(sql, "CREATE TEMP %s", session_list);
	return fyke_sql_run_built(db, sql, error);
}
