/*
 * docs/database.md, written from the declarations that make the tables.
 *
 * Only the names of tunnels are listed here by hand, for they belong to a level that storage does not
 * see; a test compares them.
 */
#include "storage/schema.h"

#include "analyzer/session/session.h"
#include "storage/database.h"
#include "storage/docs.h"

static const struct fyke_docs_word tunnels[] = {
	{"ipip", "IP directly in IP"},
	{"gre", "GRE; tunnel_id is its key, and keeps sessions apart"},
	{"erspan", "ERSPAN; tunnel_id is its session number"},
	{"vxlan", "VXLAN; tunnel_id is the VNI, and keeps sessions apart"},
	{"geneve", "GENEVE; tunnel_id is the VNI, and keeps sessions apart"},
	{"gtpu", "GTP; tunnel_id is the TEID (version 0: the flow label) of the first packet's direction"},
	{"teredo", "Teredo"},
	{"l2tp", "L2TP; tunnel_id is the session number of the first packet's direction"},
	{"ayiya", "AYIYA"},
	{"etherip", "Ethernet in IP"},
	{"pim", "PIM Register: multicast on its way to a rendezvous point"},
	{"capwap", "CAPWAP data: frames that an access point forwards"},
	{"mpls", "MPLS in UDP"},
};

static const struct fyke_docs_word letters[] = {
	{"s", "SYN"},
	{"h", "SYN-ACK"},
	{"a", "pure ACK"},
	{"d", "payload"},
	{"f", "FIN"},
	{"r", "RST"},
	{"c", "a wrong checksum"},
	{"g", "a gap: bytes that were never seen"},
	{"t", "retransmitted payload"},
	{"w", "a zero window"},
	{"i", "FIN and RST in one segment"},
	{"q", "SYN with FIN or RST in one segment"},
	{"^", "the roles were turned round"},
	{"x", "analysis was given up"},
};

static const char intro[] =
	"# The session database\n\n"
	"Made by `make docs` from the declarations in `storage/`; do not edit.\n\n"
	"An SQLite database in WAL mode, `STRICT` tables, `application_id` 0x66796B65, `user_version` = the "
	"schema's\n"
	"version (%d). Columns may be added; those that are here keep their names and meanings. Any SQLite "
	"program\n"
	"reads it: the `sqlite3` shell, Datasette, `fyke query --sql`.\n\n"
	"- Times are microseconds: since 1970 in UTC for instants, plain for durations (`*_us`).\n"
	"- Addresses are text in canonical form. `client` is the side that opened the session, or is taken "
	"to have.\n"
	"- Unknown is NULL, never 0.\n"
	"- Text from the wire that is not UTF-8 stands as `\\xNN`.\n"
	"- `frame` counts from 1 through all files of a run.\n\n";

static const char functions[] =
	"## Functions\n\n"
	"In `fyke query --sql` and in rules (not in other programs):\n\n"
	"- `fyke_frames(session_id)`: a table with the column `frame`, the numbers of the session's frames:\n"
	"  `SELECT frame FROM fyke_frames(42)`.\n"
	"- `fyke_uid(session_id)`: a name for the session that is the same in every database that holds the "
	"same file;\n"
	"  also `fyke_uid(fingerprint, first_frame, first_ordinal)`.\n"
	"- `fyke_origin(ip)`, `fyke_origin(ip, from_ip)`: where an address stands: `home`, `private`, "
	"`world` or "
	"`group`\n"
	"  (multicast); `home` is what `--home-net` named, else the /24 or /64 of `from_ip`.\n"
	"- `fyke_domain(name)`: the part of a DNS name that somebody registered (guessed: two labels, or "
	"three).\n"
	"- `fyke_entropy(text)`: bits per character.\n"
	"- `fyke_count(n, 'login' [, plural])`: \"1 login\", \"2 logins\".\n\n"
	"## Views\n\n"
	"- `session_list`: what a person looks at first: times as ISO 8601, durations in seconds, endpoints "
	"as\n"
	"  `address:port` (`[address]:port` for IPv6); and what was found: `findings` that name the "
	"session,\n"
	"  `credentials` that went by in the clear, `files`, `sensitive_numbers` in them.\n"
	"- `all_hosts`, `all_ports`: `hosts` and `ports` with all runs merged.\n"
	"- `port_intervals`: `port_history`, and the refusals of ports that never were open.\n\n"
	"## Indices\n\n"
	"On `sessions`: (client_ip, start_us), (server_ip, start_us), (server_port, start_us), (service, "
	"start_us),\n"
	"(port_service, start_us) where content_service is another, (start_us), and (capture_id, "
	"first_frame, "
	"first_ordinal),\n"
	"which is unique. They are made after a load and kept by `monitor`. All sessions of a host, without "
	"a sort:\n\n"
	"```sql\n"
	"SELECT * FROM sessions WHERE client_ip = ?1\n"
	"UNION ALL SELECT * FROM sessions WHERE server_ip = ?1 AND client_ip IS NOT ?1 ORDER BY start_us;\n"
	"```\n\n";

static const char *type_words(enum fyke_type type)
{
	static const char *const words[] = {
		[FYKE_TYPE_INTEGER] = "integer",
		[FYKE_TYPE_BOOLEAN] = "0 or 1",
		[FYKE_TYPE_TEXT] = "text",
		[FYKE_TYPE_BLOB] = "blob",
		[FYKE_TYPE_SESSION] = "session id",
	};

	return words[type];
}

static void write_row(FILE *out, const char *name, enum fyke_type type, const char *doc)
{
	(void)fprintf(out, "| `%s` | %s | %s |\n", name, type_words(type), doc);
}

static void write_heading(FILE *out, const char *name, const char *doc)
{
	(void)fprintf(out, "## %s\n\n%s\n\n| column | type | |\n|---|---|---|\n", name, doc);
}

static void write_table(FILE *out, const struct fyke_schema_table *table)
{
	write_heading(out, table->name, table->doc);
	for (size_t i = 0; i < table->column_count; i++)
		write_row(out, table->columns[i].name, table->columns[i].type, table->columns[i].doc);
	(void)fputc('\n', out);
}

static void write_record_table(FILE *out, const struct fyke_table *table)
{
	write_heading(out, table->name, table->doc);
	write_row(out, "session_id", FYKE_TYPE_INTEGER, "the session");
	if (fyke_schema_record_prefix(table) > 1) {
		write_row(out, "n", FYKE_TYPE_INTEGER,
			"counts the session's records of all tables; (session_id, n) is the key");
		write_row(out, "frame", FYKE_TYPE_INTEGER, "the frame that it comes from");
		write_row(out, "time_us", FYKE_TYPE_INTEGER, "when");
	}
	if (table == &fyke_table_session_parents)
		write_row(out, "parent_id", FYKE_TYPE_INTEGER,
			"the session that carried it; NULL when that was removed");
	for (size_t i = 0; i < table->field_count && table != &fyke_table_session_parents; i++)
		write_row(out, table->fields[i].name, table->fields[i].type, table->fields[i].doc);
	(void)fputc('\n', out);
}

static void write_words(FILE *out, const char *title, const struct fyke_docs_word *words, size_t count)
{
	(void)fprintf(out, "%s\n\n", title);
	for (size_t i = 0; i < count; i++)
		(void)fprintf(out, "- `%s` %s\n", words[i].name, words[i].description);
	(void)fputc('\n', out);
}

static void write_values(FILE *out)
{
	size_t count;
	const struct fyke_docs_word *list = fyke_docs_tunnels(&count);

	(void)fprintf(out, "## Values\n\n`sessions.state`, which has the meaning of Zeek's conn_state:\n\n");
	for (int i = 0; i < FYKE_STATE_COUNT; i++)
		(void)fprintf(out, "- `%s` %s\n", fyke_state_name((enum fyke_state)i),
			fyke_state_description((enum fyke_state)i));
	(void)fprintf(out, "\n`sessions.end_reason`:\n\n");
	for (int i = 0; i < FYKE_END_COUNT; i++) {
		const char *name = fyke_end_name((enum fyke_end)i);

		(void)fprintf(out, "- %s%s%s %s\n", name != NULL ? "`" : "", name != NULL ? name : "NULL",
			name != NULL ? "`" : "", fyke_end_description((enum fyke_end)i));
	}
	(void)fputc('\n', out);
	write_words(out,
		"`sessions.history`, capital letters from the client, small ones from the server:", letters,
		sizeof(letters) / sizeof(letters[0]));
	write_words(out, "`sessions.tunnel`:", list, count);
}

const struct fyke_docs_word *fyke_docs_tunnels(size_t *count)
{
	*count = sizeof(tunnels) / sizeof(tunnels[0]);
	return tunnels;
}

void fyke_storage_write_docs(FILE *out)
{
	const struct fyke_schema_table *const *list;
	const struct fyke_table *const *records;
	size_t count;

	(void)fprintf(out, intro, FYKE_DATABASE_SCHEMA_VERSION);
	list = fyke_schema_tables(&count);
	for (size_t i = 0; i < count; i++)
		write_table(out, list[i]);
	(void)fprintf(out, "# Tables of records\n\nRows that belong to a session, written as they are found. "
			   "Every protocol that\n"
			   "fyke reads has one of its own, made when the first row comes.\n\n");
	records = fyke_schema_record_tables(&count);
	for (size_t i = 0; i < count; i++)
		write_record_table(out, records[i]);
	write_values(out);
	(void)fputs(functions, out);
}
