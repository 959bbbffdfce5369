/*
 * The session database's other tables, its views and indices, and the SQL that makes them all.
 *
 * Identifiers are always quoted: fields of dissectors may be called like SQL's own words.
 */
#include "storage/schema.h"

#include "analyzer/session/session.h"
#include "storage/sql.h"

#include <sqlite3.h>
#include <string.h>

/* clang-format off */
#define INTEGER(name, doc)  {name, FYKE_TYPE_INTEGER, false, NULL, FYKE_COLUMN_NONE, 0, doc}
#define REQUIRED(name, doc) {name, FYKE_TYPE_INTEGER, true, NULL, FYKE_COLUMN_NONE, 0, doc}
#define TEXT(name, doc)     {name, FYKE_TYPE_TEXT, false, NULL, FYKE_COLUMN_NONE, 0, doc}
#define KEYTEXT(name, doc)  {name, FYKE_TYPE_TEXT, true, NULL, FYKE_COLUMN_NONE, 0, doc}
#define ID(doc)             {"id", FYKE_TYPE_INTEGER, false, "PRIMARY KEY", FYKE_COLUMN_NONE, 0, doc}
#define CAPTURE             {"capture_id", FYKE_TYPE_INTEGER, true, "REFERENCES captures(id) ON DELETE CASCADE", \
				FYKE_COLUMN_NONE, 0, "the run that saw it"}
#define PROOF(doc)          {"session_id", FYKE_TYPE_INTEGER, false, "REFERENCES sessions(id) ON DELETE SET NULL", \
				FYKE_COLUMN_NONE, 0, doc}

static const struct fyke_column capture_columns[] = {
	ID("number of the run"),
	KEYTEXT("source", "file or interface"),
	TEXT("name", "the files' names joined by commas, or the interface"),
	TEXT("link_types", "link layers that occurred"),
	INTEGER("first_packet_us", "earliest packet"),
	INTEGER("last_packet_us", "latest packet"),
	INTEGER("packets", "frames that passed the filter; like all counts NULL while the run goes on"),
	INTEGER("bytes", "their bytes on the wire"),
	INTEGER("filtered_packets", "frames that the capture filter left out"),
	INTEGER("refused_packets", "frames that gave no packet"),
	TEXT("refusals", "why, as JSON: reason to count"),
	INTEGER("kernel_drops", "packets that the kernel dropped; NULL for files"),
	INTEGER("interface_drops", "packets that the interface dropped; NULL for files"),
	KEYTEXT("status", "running, complete, damaged (the input was) or interrupted"),
	TEXT("version", "of fyke"),
	TEXT("options", "options that shape the result"),
	TEXT("fingerprint", "what uids are made from: the first file's fingerprint, or of a live run a random number"),
	TEXT("home_net", "the networks that are one's own, as --home-net named them; NULL = each host's own"),
};

static const struct fyke_column file_columns[] = {
	ID("number of the file"),
	CAPTURE,
	REQUIRED("position", "place in the order of reading, from 0"),
	TEXT("name", "as given"),
	INTEGER("bytes", "size on disk"),
	TEXT("fingerprint", "XXH3-128 of size, first and last MiB and 64 samples; of standard input: of all"),
	INTEGER("first_frame", "number of its first frame; NULL without frames"),
	INTEGER("frames", "frames in it"),
	TEXT("format", "pcap, pcapng, and what compressed it"),
	TEXT("damage", "what is wrong with it, in a sentence"),
	TEXT("application", "what wrote it, as a pcapng says"),
	TEXT("os", "the operating system that it was written on"),
	TEXT("hardware", "the machine that it was written on"),
};

static const struct fyke_column interface_columns[] = {
	CAPTURE,
	REQUIRED("position", "place among the run's interfaces, from 0"),
	{"file_id", FYKE_TYPE_INTEGER, false, "REFERENCES files(id) ON DELETE CASCADE", FYKE_COLUMN_NONE, 0,
		"the file that describes it; NULL when live"},
	TEXT("name", "its name, where one is told"),
	TEXT("description", "what it is, in words"),
	KEYTEXT("link_type", "its link layer"),
	INTEGER("snaplen", "packets were cut to so many bytes; NULL = no limit told"),
	TEXT("filter", "the filter that it was captured with"),
	TEXT("os", "the operating system of the machine that captured"),
	TEXT("hardware", "what it is made of"),
	TEXT("comment", "what was written about it; several comments are a line each"),
};

static const struct fyke_column comment_columns[] = {
	CAPTURE,
	REQUIRED("n", "counts the comments of the run, from 1"),
	{"file_id", FYKE_TYPE_INTEGER, false, "REFERENCES files(id) ON DELETE CASCADE", FYKE_COLUMN_NONE, 0,
		"the file that it stands in"},
	INTEGER("frame", "the frame that it is about; NULL = the file as a whole"),
	KEYTEXT("text", "what was written"),
};

static const struct fyke_column host_columns[] = {
	CAPTURE,
	KEYTEXT("ip", "its address"),
	TEXT("mac", "link-layer address that its packets came from: its own, or that of the router it is behind"),
	TEXT("vendor", "maker of that address's device, by the IEEE's lists where Debian's ieee-data is installed; NULL behind a router"),
	TEXT("name", "its name, where one was seen: the one that was told last; one from an answer of the DNS only where there is no other"),
	TEXT("os", "its operating system, where that is known"),
	INTEGER("first_seen_us", "start of its first session"),
	INTEGER("last_seen_us", "end of its last session"),
	INTEGER("sessions", "sessions it took part in"),
	INTEGER("client_sessions", "of them as client"),
	INTEGER("server_sessions", "of them as server"),
	INTEGER("sent_packets", "packets it sent"),
	INTEGER("received_packets", "packets it was sent"),
	INTEGER("sent_bytes", "IP bytes it sent"),
	INTEGER("received_bytes", "IP bytes it was sent"),
	TEXT("isn_kind", "how it chooses initial sequence numbers: constant, step, clock, truncated (some bits never change), rfc6528, random, or few (too few connections to tell)"),
	INTEGER("isn_samples", "distinct connections that the assessment rests on"),
	TEXT("isn_evidence", "what the assessment rests on"),
};

static const struct fyke_column port_columns[] = {
	CAPTURE,
	KEYTEXT("ip", "the host"),
	KEYTEXT("transport", "tcp or udp"),
	REQUIRED("port", "the port"),
	KEYTEXT("state", "open, closed or filtered: only what was proven; open outranks filtered, filtered closed"),
	TEXT("service", "of the sessions that prove it"),
	TEXT("product", "what runs there, where it says so"),
	INTEGER("first_seen_us", "start of the first session that proves it"),
	INTEGER("last_seen_us", "end of the last session that proves it"),
	INTEGER("sessions", "sessions that prove it"),
	INTEGER("clients", "distinct clients of them; NULL where there were too many to tell"),
	TEXT("evidence", "what was seen: syn, syn-ack, ack · syn, rst · answered · icmp port unreachable · silence …"),
	PROOF("one of those sessions"),
	INTEGER("home_clients", "of the clients: those in one's own network (--home-net, else the host's own)"),
	INTEGER("private_clients", "of them: those in other private ranges"),
	INTEGER("world_clients", "of them: those in the world"),
	TEXT("encryption", "clear, encrypted, or mixed where sessions of both kinds were seen; NULL = not known"),
};

static const struct fyke_column port_history_columns[] = {
	CAPTURE,
	KEYTEXT("ip", "the host"),
	KEYTEXT("transport", "tcp or udp"),
	REQUIRED("port", "the port"),
	REQUIRED("first_us", "when its state was first proven"),
	KEYTEXT("state", "open, closed or filtered"),
	REQUIRED("last_us", "when it was last proven, with no proof of another state between"),
	REQUIRED("proofs", "sessions that prove it"),
	PROOF("the first of them"),
};

static const struct fyke_column finding_columns[] = {
	ID("number of the finding"),
	CAPTURE,
	KEYTEXT("rule", "the rule's name"),
	KEYTEXT("severity", "info, low, medium, high or critical"),
	KEYTEXT("title", "one line"),
	TEXT("subject", "host, port or name that it is about"),
	PROOF("a session that shows it"),
	INTEGER("first_us", "when it was first seen"),
	INTEGER("last_us", "when it was last seen"),
	TEXT("evidence", "what proves it"),
	TEXT("advice", "what to do"),
	KEYTEXT("status", "new; known, where an earlier run of this database had it too; gone, where the run had it and has no more"),
	TEXT("sessions", "sessions that show it, as a JSON list; the first few"),
	TEXT("frames", "frames that show it, as a JSON list; the first few"),
};

static const struct fyke_column neighbour_columns[] = {
	CAPTURE,
	KEYTEXT("network", "what keeps it apart from other networks: vlan and its number, a tunnel and its; empty = nothing does"),
	KEYTEXT("ip", "the address"),
	KEYTEXT("mac", "the link-layer address of the station that said so"),
	TEXT("vendor", "maker of the station, as in hosts"),
	REQUIRED("first_us", "when it first said so"),
	REQUIRED("last_us", "when it last did"),
	REQUIRED("first_frame", "the frame in which it first said so"),
	REQUIRED("last_frame", "the one in which it last did"),
	REQUIRED("requests", "how often it said so by the way, as it asked for others"),
	REQUIRED("replies", "how often in an answer"),
	REQUIRED("announcements", "how often to all, without being asked"),
	REQUIRED("foreign_senders", "of all these: those in frames that came from another link-layer address"),
	REQUIRED("takeovers", "of all these: those before which another station had the last word about the address"),
	INTEGER("takeover_frame", "the first of these"),
	INTEGER("takeover_silence_us", "the shortest time that had passed since the other one's word"),
	TEXT("taken_from", "who that was"),
};

static const struct fyke_column timeline_columns[] = {
	CAPTURE,
	REQUIRED("start_us", "start of the bucket"),
	REQUIRED("width_us", "its width: one second, doubled as often as it takes to stay under 4096 buckets"),
	TEXT("service", "NULL = none known"),
	REQUIRED("packets", "packets in it"),
	REQUIRED("bytes", "their bytes on the wire"),
};

static const struct fyke_column folded_columns[] = {
	ID("number of the first session in it; those behind it go on from there"),
	CAPTURE,
	REQUIRED("sessions", "how many"),
	KEYTEXT("transport", "tcp"),
	TEXT("client_ip", "whose they are; NULL = several clients'"),
	TEXT("server_ip", "whom it tried; NULL = several servers"),
	INTEGER("server_port", "which port; NULL = several"),
	REQUIRED("unanswered", "of the sessions: state S0"),
	REQUIRED("refused", "of the sessions: state REJ"),
	REQUIRED("client_packets", "packets from clients"),
	REQUIRED("server_packets", "packets from servers"),
	REQUIRED("client_bytes", "IP bytes from clients"),
	REQUIRED("server_bytes", "IP bytes from servers"),
	REQUIRED("first_us", "time of the earliest packet"),
	REQUIRED("last_us", "time of the latest packet"),
	{"block", FYKE_TYPE_BLOB, true, NULL, FYKE_COLUMN_NONE, 0, "the sessions, packed. Read with fyke_folded"},
};

static const struct fyke_column frame_index_columns[] = {
	{"file_id", FYKE_TYPE_INTEGER, true, "REFERENCES files(id) ON DELETE CASCADE", FYKE_COLUMN_NONE, 0, "the file"},
	REQUIRED("frame", "number of a frame; every 256th stands here"),
	REQUIRED("file_offset", "where its record begins in the file's uncompressed bytes"),
};
/* clang-format on */

#define COLUMNS(list) (list), sizeof(list) / sizeof((list)[0])

static const struct fyke_schema_table captures = {"captures",
	"One row per run: an analysis of files or a time of monitoring.", COLUMNS(capture_columns), NULL};
static const struct fyke_schema_table files = {
	"files", "The capture files of a run.", COLUMNS(file_columns), NULL};
static const struct fyke_schema_table interfaces = {"interfaces",
	"The interfaces that packets came from, as a pcapng describes them; of a live run the one listened "
	"on.",
	COLUMNS(interface_columns), "\"capture_id\", \"position\""};
static const struct fyke_schema_table comments = {"comments",
	"What people and programs wrote into a pcapng about its packets and about the file. Comments on an "
	"interface stand in `interfaces`.",
	COLUMNS(comment_columns), "\"capture_id\", \"n\""};
static const struct fyke_schema_table hosts = {"hosts",
	"Addresses that took part in sessions. Sums count all that was seen, sessions that --keep removed "
	"since and folded ones (`folded_sessions`) included. Of addresses that a scan tried and that never "
	"said "
	"anything 65,536 are listed.",
	COLUMNS(host_columns), "\"capture_id\", \"ip\""};
static const struct fyke_schema_table ports = {"ports",
	"Ports whose state was proven. TCP open: a SYN-ACK left it. UDP open: it answered, and the roles are "
	"not guessed. Closed: a reset answered a SYN, or the host itself sent an ICMP port unreachable. "
	"Filtered: another host did, an ICMP error said prohibited, or (evidence "
	"silence: filtered or down) at least five SYNs over 14 seconds stayed without an answer.",
	COLUMNS(port_columns), "\"capture_id\", \"ip\", \"transport\", \"port\""};
static const struct fyke_schema_table port_history = {"port_history",
	"For ports that were open at some time: the spans over which one state was proven, again and again. "
	"Between two spans the state changed, or nobody knocked.",
	COLUMNS(port_history_columns), "\"capture_id\", \"ip\", \"transport\", \"port\", \"first_us\""};
static const struct fyke_schema_table findings = {
	"findings", "What rules found.", COLUMNS(finding_columns), NULL};
static const struct fyke_schema_table folded_sessions = {"folded_sessions",
	"Half-open sessions (states S0 and REJ) of clients that left very many: up to 4096 to a row, instead "
	"of a row "
	"each in `sessions`. fyke's own commands and `fyke query --sql` show each of them in `sessions` as "
	"if it had "
	"one; to other programs these sums add to those of `sessions`, and view `scans` tells them by "
	"client.",
	COLUMNS(folded_columns), NULL};
static const struct fyke_schema_table timeline = {
	"timeline", "Packets and bytes over time, by service.", COLUMNS(timeline_columns), NULL};
static const struct fyke_schema_table neighbours = {"neighbours",
	"Stations on the link, one row for each address that each claimed: by ARP (RFC 826) and IPv6 "
	"Neighbor "
	"Discovery (RFC 4861). An address that two stations claim in turns is a conflict or an attack. "
	"Frames of "
	"ARP hold no IP packet and so count among the refused ones.",
	COLUMNS(neighbour_columns), "\"capture_id\", \"network\", \"ip\", \"mac\""};
static const struct fyke_schema_table frame_index = {"frame_index",
	"Where frames stand in their files, for going back to the bytes.", COLUMNS(frame_index_columns),
	"\"file_id\", \"frame\""};

static const struct fyke_schema_table *const tables[] = {&captures, &files, &fyke_schema_sessions,
	&fyke_schema_tcp, &hosts, &ports, &findings, &timeline, &frame_index, &interfaces, &comments,
	&port_history, &neighbours, &folded_sessions};

static const struct fyke_table *const record_tables[] = {&fyke_table_session_frames,
	&fyke_table_session_parents, &fyke_table_icmp_errors, &fyke_table_tcp_events, &fyke_table_host_facts,
	&fyke_table_credentials, &fyke_table_transferred_files, &fyke_table_sensitive_numbers};

static const char base_indices[] =
	"CREATE UNIQUE INDEX sessions_birth ON sessions(capture_id, first_frame, first_ordinal);"
	"CREATE INDEX files_capture ON files(capture_id);"
	"CREATE INDEX files_fingerprint ON files(fingerprint);"
	"CREATE INDEX comments_frame ON comments(capture_id, frame);"
	"CREATE INDEX session_parents_parent ON session_parents(parent_id);"
	"CREATE INDEX timeline_capture ON timeline(capture_id, start_us);"
	"CREATE INDEX findings_capture ON findings(capture_id);";

/* A host may have a million sessions. What else is asked of them is seen in the index, and not in as many
 * rows; with `id` in its place the sessions of an instant are in order, too. */
#define BESIDE_A_HOST ", id, server_port, client_port, transport, service, state"

static const struct {
	const char *name, *columns;
	const char *where;
	bool rare; /* few rows are in it: kept while rows come it costs less than to look for them afterwards
		    */
} indices[] = {
	{"sessions_client", "client_ip, start_us" BESIDE_A_HOST, "", false},
	{"sessions_server", "server_ip, start_us" BESIDE_A_HOST, "", false},
	{"sessions_server_port", "server_port, start_us", "", false},
	/* Clients' own ports are mostly ephemeral; those that somebody asks for by name are few. */
	{"sessions_client_port", "client_port, start_us", " WHERE client_port < 32768", false},
	{"sessions_service", "service, start_us", "", false},
	{"sessions_start", "start_us", "", false},
	/* Where the content is not known, or is what the port is called, the service says it. */
	{"sessions_port_service", "port_service, start_us", " WHERE content_service <> port_service", false},
	/* For ON DELETE SET NULL: few rows have either. */
	{"sessions_parent", "parent_id", " WHERE parent_id IS NOT NULL", true},
	{"sessions_quotes", "quotes_id", " WHERE quotes_id IS NOT NULL", true},
};

const struct fyke_schema_table *const *fyke_schema_tables(size_t *count)
{
	*count = sizeof(tables) / sizeof(tables[0]);
	return tables;
}

const struct fyke_schema_table *fyke_schema_table(const char *name)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (strcmp(tables[i]->name, name) == 0)
			return tables[i];
	}
	return NULL;
}

const struct fyke_table *const *fyke_schema_record_tables(size_t *count)
{
	*count = sizeof(record_tables) / sizeof(record_tables[0]);
	return record_tables;
}

const char *fyke_schema_type_sql(enum fyke_type type)
{
	if (type == FYKE_TYPE_TEXT)
		return "TEXT";
	if (type == FYKE_TYPE_SESSION)
		return "INTEGER REFERENCES sessions(id) ON DELETE SET NULL";
	return type == FYKE_TYPE_BLOB ? "BLOB" : "INTEGER";
}

static enum fyke_status create_table(
	struct sqlite3 *db, const struct fyke_schema_table *table, struct fyke_error *error)
{
	sqlite3_str *sql = sqlite3_str_new(db);

	sqlite3_str_appendf(sql, "CREATE TABLE \"%w\"(", table->name);
	for (size_t i = 0; i < table->column_count; i++) {
		const struct fyke_column *column = &table->columns[i];

		sqlite3_str_appendf(sql, "%s\"%w\" %s%s%s%s", i > 0 ? ", " : "", column->name,
			fyke_schema_type_sql(column->type), column->required ? " NOT NULL" : "",
			column->sql != NULL ? " " : "", column->sql != NULL ? column->sql : "");
	}
	if (table->key != NULL)
		sqlite3_str_appendf(sql, ", PRIMARY KEY(%s)) STRICT, WITHOUT ROWID", table->key);
	else
		sqlite3_str_appendall(sql, ") STRICT");
	return fyke_sql_run_built(db, sql, error);
}

enum fyke_status fyke_schema_create(struct sqlite3 *db, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	for (size_t i = 0; status == FYKE_OK && i < sizeof(tables) / sizeof(tables[0]); i++)
		status = create_table(db, tables[i], error);
	for (size_t i = 0; status == FYKE_OK && i < sizeof(record_tables) / sizeof(record_tables[0]); i++)
		status = fyke_schema_make_record_table(db, record_tables[i], error);
	if (status == FYKE_OK)
		status = fyke_sql_run(db, base_indices, error);
	if (status == FYKE_OK)
		status = fyke_schema_make_views(db, error);
	return status;
}

bool fyke_schema_has_column(struct sqlite3 *db, const char *table, const char *column)
{
	return sqlite3_table_column_metadata(db, "main", table, column, NULL, NULL, NULL, NULL, NULL) ==
	       SQLITE_OK;
}

static enum fyke_status complete_table(
	struct sqlite3 *db, const struct fyke_schema_table *table, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	if (!fyke_schema_has_column(db, table->name, table->columns[0].name))
		return create_table(db, table, error);
	for (size_t i = 0; status == FYKE_OK && i < table->column_count; i++) {
		const struct fyke_column *column = &table->columns[i];
		sqlite3_str *sql;

		if (fyke_schema_has_column(db, table->name, column->name))
			continue;
		sql = sqlite3_str_new(db);
		sqlite3_str_appendf(sql, "ALTER TABLE \"%w\" ADD COLUMN \"%w\" %s", table->name, column->name,
			fyke_schema_type_sql(column->type));
		status = fyke_sql_run_built(db, sql, error);
	}
	return status;
}

enum fyke_status fyke_schema_complete(struct sqlite3 *db, struct fyke_error *error)
{
	enum fyke_status status = fyke_sql_run(db, fyke_schema_drop_views, error);

	for (size_t i = 0; status == FYKE_OK && i < sizeof(tables) / sizeof(tables[0]); i++)
		status = complete_table(db, tables[i], error);
	for (size_t i = 0; status == FYKE_OK && i < sizeof(record_tables) / sizeof(record_tables[0]); i++)
		status = fyke_schema_make_record_table(db, record_tables[i], error);
	return status == FYKE_OK ? fyke_schema_make_views(db, error) : status;
}

static enum fyke_status make_index(struct sqlite3 *db, size_t i, struct fyke_error *error)
{
	sqlite3_str *sql = sqlite3_str_new(db);

	sqlite3_str_appendf(sql, "CREATE INDEX IF NOT EXISTS %s ON sessions(%s)%s", indices[i].name,
		indices[i].columns, indices[i].where);
	return fyke_sql_run_built(db, sql, error);
}

static enum fyke_status drop_index(struct sqlite3 *db, size_t i, struct fyke_error *error)
{
	sqlite3_str *sql = sqlite3_str_new(db);

	sqlite3_str_appendf(sql, "DROP INDEX IF EXISTS %s", indices[i].name);
	return fyke_sql_run_built(db, sql, error);
}

enum fyke_status fyke_schema_make_indices(struct sqlite3 *db, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	for (size_t i = 0; status == FYKE_OK && i < sizeof(indices) / sizeof(indices[0]); i++)
		status = make_index(db, i, error);
	return status;
}

enum fyke_status fyke_schema_drop_indices(struct sqlite3 *db, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	for (size_t i = 0; status == FYKE_OK && i < sizeof(indices) / sizeof(indices[0]); i++)
		status = indices[i].rare ? make_index(db, i, error) : drop_index(db, i, error);
	return status;
}
