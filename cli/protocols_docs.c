/* docs/protocols.md, written from the dissectors' descriptors. */
#include "cli/protocols_content.h"

#include "dissectors/registry.h"

static const char intro[] =
	"# Protocols\n\n"
	"Made by `make docs` from the descriptors in `dissectors/`; do not edit. How a protocol is added:\n"
	"[adding-a-protocol.md](adding-a-protocol.md).\n\n"
	"What is spoken is told by content, on any port; `sessions.content_service` has the protocol's "
	"name.\n"
	"The port only helps where the first bytes leave it open. Every table below also has `session_id`,\n"
	"`n` (counts a session's records of all tables), `frame` (that the row comes from) and `time_us`.\n"
	"Filters ask for them by `table.column`: `fyke query 'ssh.client ~ putty'`.\n\n";

static const char *type_word(enum fyke_type type)
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

/* A bar would end the cell. */
static void write_cell(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			(void)fputc('\\', out);
		(void)fputc(*text, out);
	}
}

static void write_ports(FILE *out, const struct fyke_dissector *dissector)
{
	const uint16_t *port = dissector->ports;
	bool tcp = (dissector->transports & FYKE_OVER_TCP) != 0;
	bool udp = (dissector->transports & FYKE_OVER_UDP) != 0;

	(void)fprintf(out, "Over %s%s%s", tcp ? "TCP" : "", tcp && udp ? " and " : "", udp ? "UDP" : "");
	if (dissector->probe == NULL)
		(void)fputs("; reached from another protocol", out);
	for (; port != NULL && *port != 0; port++)
		(void)fprintf(out, "%s%u", port == dissector->ports ? "; ports " : ", ", *port);
	(void)fputs(".\n\n", out);
}

static void write_table(FILE *out, const struct fyke_table *table)
{
	(void)fprintf(out, "**`%s`**: %s.\n\n| column | type | |\n|---|---|---|\n", table->name, table->doc);
	for (size_t i = 0; i < table->field_count; i++) {
		(void)fprintf(out, "| `%s` | %s | ", table->fields[i].name, type_word(table->fields[i].type));
		write_cell(out, table->fields[i].doc);
		(void)fputs(" |\n", out);
	}
	(void)fputc('\n', out);
}

static void write_one(FILE *out, const struct fyke_dissector *dissector)
{
	const struct fyke_table *const *table = dissector->tables;

	(void)fprintf(out, "## %s\n\n%s.\n", dissector->name, dissector->title);
	write_ports(out, dissector);
	(void)fprintf(out, "%s\n\n", dissector->doc);
	for (; table != NULL && *table != NULL; table++)
		write_table(out, *table);
}

void fyke_protocols_write_docs(FILE *out)
{
	(void)fputs(intro, out);
	for (const struct fyke_dissector *const *one = fyke_dissectors(); *one != NULL; one++)
		write_one(out, *one);
}
