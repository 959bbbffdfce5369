/*
 * What the dissectors' descriptors say, as a list, in full, and as the page docs/protocols.md. Nothing
 * here knows a protocol by name.
 */
#include "cli/protocols_content.h"

#include "analyzer/base/text.h"
#include "dissectors/registry.h"

#include <string.h>
#include <strings.h>

enum { COLUMN = 98, INDENT = 14, NAMES_MAX = 256 };

/* Words behind one another, broken at the column. */
struct flow {
	FILE *out;
	int column, indent;
	bool first;
};

static void begin_line(struct flow *flow)
{
	(void)fprintf(flow->out, "\n%*s", flow->indent, "");
	flow->column = flow->indent;
	flow->first = true;
}

static void word(struct flow *flow, const char *text)
{
	int width = (int)strlen(text);

	if (!flow->first && flow->column + 1 + width > COLUMN)
		begin_line(flow);
	(void)fprintf(flow->out, "%s%s", flow->first ? "" : " ", text);
	flow->column += width + (flow->first ? 0 : 1);
	flow->first = false;
}

static const char *transports_of(const struct fyke_dissector *dissector)
{
	static const char *const words[] = {"", "tcp", "udp", "tcp and udp"};

	return words[dissector->transports & (FYKE_OVER_TCP | FYKE_OVER_UDP)];
}

static void ports(struct flow *flow, const struct fyke_dissector *dissector)
{
	const uint16_t *port = dissector->ports;
	char text[16];

	word(flow, transports_of(dissector));
	if (port == NULL || *port == 0)
		word(flow, dissector->probe == NULL ? "(announced by other sessions)" : "(any port)");
	for (; port != NULL && *port != 0; port++) {
		(void)snprintf(text, sizeof(text), "%u%s", *port, port[1] != 0 ? "," : "");
		word(flow, text);
	}
}

static void columns(struct flow *flow, const struct fyke_table *table)
{
	char text[160];

	(void)snprintf(text, sizeof(text), "%s:", table->name);
	word(flow, text);
	for (size_t i = 0; i < table->field_count; i++) {
		(void)snprintf(text, sizeof(text), "%s%s", table->fields[i].name,
			i + 1 < table->field_count ? "," : "");
		word(flow, text);
	}
}

static void list_one(FILE *out, const struct fyke_dissector *dissector)
{
	const struct fyke_table *const *table = dissector->tables;
	struct flow flow = {.out = out, .indent = INDENT};

	(void)fprintf(out, "  %-11s %s", dissector->name, dissector->title);
	begin_line(&flow);
	ports(&flow, dissector);
	for (; table != NULL && *table != NULL; table++) {
		begin_line(&flow);
		columns(&flow, *table);
	}
	(void)fputc('\n', out);
}

void fyke_protocols_list(FILE *out)
{
	for (const struct fyke_dissector *const *one = fyke_dissectors(); *one != NULL; one++)
		list_one(out, *one);
}

static void sentences(FILE *out, const char *text)
{
	struct flow flow = {.out = out, .indent = 0, .first = true};
	char one[128];

	for (; text != NULL && *text != '\0'; text += strspn(text, " \n")) {
		size_t length = strcspn(text, " \n");

		(void)snprintf(one, sizeof(one), "%.*s", (int)length, text);
		word(&flow, one);
		text += length;
	}
	(void)fputc('\n', out);
}

void fyke_protocols_show(FILE *out, const struct fyke_dissector *dissector)
{
	const struct fyke_table *const *table = dissector->tables;
	struct flow flow = {.out = out, .first = true};

	(void)fprintf(out, "%s: %s\n", dissector->name, dissector->title);
	ports(&flow, dissector);
	(void)fputs("\n\n", out);
	sentences(out, dissector->doc);
	for (; table != NULL && *table != NULL; table++) {
		(void)fprintf(out, "\nTable %s: %s\n", (*table)->name, (*table)->doc);
		for (size_t i = 0; i < (*table)->field_count; i++)
			(void)fprintf(out, "  %-24s %s\n", (*table)->fields[i].name, (*table)->fields[i].doc);
	}
}

const struct fyke_dissector *fyke_protocols_find(const char *name)
{
	for (const struct fyke_dissector *const *one = fyke_dissectors(); *one != NULL; one++) {
		if (strcasecmp((*one)->name, name) == 0)
			return *one;
	}
	return NULL;
}

const char *fyke_protocols_nearest(const char *name)
{
	const char *names[NAMES_MAX];
	size_t count = 0;

	for (const struct fyke_dissector *const *one = fyke_dissectors();
		*one != NULL && count + 1 < NAMES_MAX; one++)
		names[count++] = (*one)->name;
	names[count] = NULL;
	return fyke_text_nearest(name, names);
}
