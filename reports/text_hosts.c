/* The summary's parts about hosts: what they are called, how they choose sequence numbers, which ports are
 * open. */
#include "reports/text_internal.h"

#include "analyzer/base/text.h"

#include <sqlite3.h>
#include <string.h>

static const char *text_at(sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	return text == NULL ? "" : text;
}

void fyke_summary_called(const struct fyke_summary *s, const char *ip, char *text, size_t room)
{
	static const char sql[] =
		"SELECT coalesce(max(name), max(nullif(vendor, 'locally administered'))), max(os) FROM hosts"
		" WHERE ip = ?2 AND"
		" capture_id IN (SELECT id FROM captures WHERE ?1 = 0 OR id = ?1)";
	sqlite3_stmt *row;
	struct fyke_error ignored;

	text[0] = '\0';
	if (fyke_facts_prepare(s->db, sql, s->capture_id, &row, &ignored) != FYKE_OK)
		return;
	sqlite3_bind_text(row, 2, ip, -1, SQLITE_STATIC);
	if (sqlite3_step(row) == SQLITE_ROW) {
		const char *name = text_at(row, 0), *os = text_at(row, 1);

		snprintf(text, room, "%.120s%s%.60s%s", name,
			os[0] == '\0'	  ? ""
			: name[0] == '\0' ? ""
					  : " (",
			os, os[0] != '\0' && name[0] != '\0' ? ")" : "");
	}
	sqlite3_finalize(row);
}

/* ---- sequence numbers ---- */

static const char isn_query[] =
	"SELECT isn_kind, count(DISTINCT ip), min(ip) FROM hosts WHERE (?1 = 0 OR capture_id = ?1)"
	" AND isn_kind IN ('constant', 'step', 'clock') GROUP BY isn_kind ORDER BY 2 DESC";

/* Numbers that somebody could guess, and by that get into connections. */
enum fyke_status fyke_summary_isns(const struct fyke_summary *s)
{
	struct fyke_sentence line = {0};
	sqlite3_stmt *row;
	enum fyke_status status = fyke_facts_prepare(s->db, isn_query, s->capture_id, &row, s->error);

	while (status == FYKE_OK && fyke_facts_step(&row, &status, s->error)) {
		const char *kind = text_at(row, 0);
		int64_t hosts = sqlite3_column_int64(row, 1);

		fyke_say(&line, "%s%s", line.at > 0 ? "; " : "",
			kind[0] == 'c' && kind[1] == 'o' ? "the same each time"
			: kind[0] == 's'		 ? "in steps"
							 : "by a clock alone");
		if (hosts == 1)
			fyke_say(&line, " (%.45s)", text_at(row, 2));
		else
			fyke_say(&line, " (%lld hosts, %.45s among them)", (long long)hosts, text_at(row, 2));
	}
	if (line.at > 0) {
		struct fyke_sentence whole = {0};

		fyke_say(&whole, "can be guessed: %s", line.text);
		fyke_summary_line(s, "first numbers", FYKE_PAINT_WARN, whole.text);
	}
	return status;
}

/* ---- ports ---- */

/* One's own hosts first, then those with the most sessions. */
static const char port_query[] =
	"SELECT ip, transport, port, service, encryption, world, sum(n) OVER (PARTITION BY ip) AS of_host "
	"FROM ("
	"SELECT ip, transport, port, max(service) AS service, max(encryption) AS encryption, sum(sessions) "
	"AS n,"
	" max(world_clients) AS world FROM ports WHERE (?1 = 0 OR capture_id = ?1) AND state = 'open'"
	" GROUP BY ip, transport, port) ORDER BY fyke_origin(ip) = 'world', of_host DESC, ip, transport, "
	"port";

enum { PORT_IP, PORT_TRANSPORT, PORT_NUMBER, PORT_SERVICE, PORT_ENCRYPTION, PORT_WORLD };

enum { PORTS_SHOWN = 10 }; /* of a host: whoever has more wants `fyke ports` */

/* What belongs to one host: "tcp 22 ssh, 80 http (clear); udp 53 dns". */
struct port_line {
	char host[64], transport[16];
	struct fyke_sentence ports;
	unsigned hosts, shown, left_out;
};

static void flush_ports(const struct fyke_summary *s, struct port_line *line)
{
	if (line->host[0] != '\0' && line->hosts <= s->top) {
		char label[64];

		if (line->left_out > 0)
			fyke_say(&line->ports, " and %u more", line->left_out);
		fyke_text_terminal(line->host, strlen(line->host), 0, s->screen->flags, label, sizeof(label));
		fyke_summary_line(s, label, FYKE_PAINT_PLAIN, line->ports.text);
	}
}

/* Clear text over TCP is worth a word; most of what goes over UDP has no other form. */
static void say_traits(struct fyke_sentence *line, sqlite3_stmt *row)
{
	bool clear = strcmp(text_at(row, PORT_TRANSPORT), "tcp") == 0 &&
		     (strcmp(text_at(row, PORT_ENCRYPTION), "clear") == 0 ||
			     strcmp(text_at(row, PORT_ENCRYPTION), "mixed") == 0);
	int64_t world = sqlite3_column_int64(row, PORT_WORLD);

	if (clear || world > 0)
		fyke_say(line, " (%s%s", clear ? "clear" : "", clear && world > 0 ? ", " : "");
	if (world > 0)
		fyke_say(line, "%lld world", (long long)world);
	if (clear || world > 0)
		fyke_say(line, ")");
}

static void take_port(const struct fyke_summary *s, struct port_line *line, sqlite3_stmt *row)
{
	const char *host = text_at(row, PORT_IP), *transport = text_at(row, PORT_TRANSPORT),
		   *service = text_at(row, PORT_SERVICE);

	if (strncmp(line->host, host, sizeof(line->host) - 1) != 0) {
		flush_ports(s, line);
		*line = (struct port_line){.hosts = line->hosts + 1};
		snprintf(line->host, sizeof(line->host), "%s", host);
	}
	if (line->shown == PORTS_SHOWN || line->ports.at > sizeof(line->ports.text) - 160) {
		line->left_out++;
		return;
	}
	line->shown++;
	if (strncmp(line->transport, transport, sizeof(line->transport) - 1) != 0) {
		fyke_say(&line->ports, "%s%.15s ", line->ports.at > 0 ? "; " : "", transport);
		snprintf(line->transport, sizeof(line->transport), "%s", transport);
	} else {
		fyke_say(&line->ports, ", ");
	}
	fyke_say(&line->ports, "%lld%s%.40s", (long long)sqlite3_column_int64(row, PORT_NUMBER),
		service[0] == '\0' ? "" : " ", service);
	say_traits(&line->ports, row);
}

enum fyke_status fyke_summary_ports(const struct fyke_summary *s)
{
	struct port_line line = {0};
	sqlite3_stmt *row;
	enum fyke_status status = fyke_facts_prepare(s->db, port_query, s->capture_id, &row, s->error);
	int64_t count = 0;

	while (status == FYKE_OK && fyke_facts_step(&row, &status, s->error)) {
		if (count++ == 0)
			fyke_summary_heading(
				s, "Open ports", "in brackets: clear text, and clients from the world");
		take_port(s, &line, row);
	}
	flush_ports(s, &line);
	if (line.hosts > s->top)
		fprintf(s->out, "  ... and %u more hosts\n", line.hosts - s->top);
	return status;
}
