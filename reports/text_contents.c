/* The summary's part about what was said: a few lines a protocol. */
#include "reports/text_internal.h"

#include "analyzer/base/text.h"
#include "reports/contents.h"

#include <string.h>

enum { VALUES = 5, VALUE_WIDTH = 40 };

/* "hosts a.example (3), b.example" in a bounded text. */
struct list {
	char text[1024];
	size_t at;
};

static void append(struct list *list, const char *text)
{
	size_t room = sizeof(list->text) - list->at;
	int length = snprintf(list->text + list->at, room, "%s", text);

	if (length > 0)
		list->at += (size_t)length < room ? (size_t)length : room - 1;
}

static void take_value(void *context, const char *text, int64_t rows)
{
	struct list *list = context;
	char shown[4 * VALUE_WIDTH + 8], number[FYKE_TEXT_NUMBER];

	/* safe to cut here, and once more safe for the screen below */
	(void)fyke_text_terminal(text, strlen(text), VALUE_WIDTH, 0, shown, sizeof(shown));
	append(list, list->at == 0 ? "" : list->text[list->at - 1] == ' ' ? "" : ", ");
	append(list, shown[0] == '\0' ? "\"\"" : shown);
	if (rows > 1) {
		append(list, " (");
		append(list, fyke_text_count(rows, number));
		append(list, ")");
	}
}

static enum fyke_status show_values(
	const struct fyke_summary *s, const struct fyke_contents_table *table, unsigned column)
{
	const struct fyke_contents_question question = {table, column, s->capture_id, VALUES};
	struct list list = {0};
	size_t begin;
	bool more;
	enum fyke_status status;

	append(&list, table->columns[column].title);
	append(&list, " ");
	begin = list.at;
	status = fyke_contents_values(s->db, &question, take_value, &list, &more, s->error);
	if (more)
		append(&list, ", ...");
	if (status == FYKE_OK && list.at > begin)
		fyke_summary_line(s, "", FYKE_PAINT_PLAIN, list.text);
	return status;
}

static const char *label_of(const struct fyke_contents_table *table)
{
	return strcmp(table->name, "transferred_files") == 0 ? "files" : table->name;
}

static enum fyke_status show_table(const struct fyke_summary *s, const struct fyke_contents_table *table,
	const struct fyke_contents_count *count)
{
	char number[FYKE_TEXT_NUMBER], bytes[FYKE_TEXT_NUMBER], text[160];
	enum fyke_status status = FYKE_OK;

	(void)snprintf(text, sizeof(text), "%s %s%s%s", fyke_text_count(count->rows, number),
		count->rows == 1 ? table->one : table->many, table->sum != NULL ? ", " : "",
		table->sum != NULL ? fyke_text_bytes(count->sum, bytes) : "");
	fyke_summary_line(s, label_of(table),
		strcmp(table->name, "credentials") == 0 ? FYKE_PAINT_WARN : FYKE_PAINT_PLAIN, text);
	for (unsigned i = 0; status == FYKE_OK && i < FYKE_CONTENTS_COLUMNS && table->columns[i].name != NULL;
		i++)
		status = show_values(s, table, i);
	return status;
}

/* "ssh on http-alt" */
static void show_misfits(const struct fyke_summary *s)
{
	const struct fyke_tally *misfits = &s->facts->misfits;
	struct list list = {0};

	for (size_t i = 0; i < misfits->count && i < VALUES; i++) {
		const char *key = misfits->entries[i].key, *tab = strchr(key, '\t');
		char text[128];

		(void)snprintf(text, sizeof(text), "%.*s on %s", (int)(tab - key), key, tab + 1);
		take_value(&list, text, misfits->entries[i].counters[FYKE_TALLY_SESSIONS]);
	}
	if (misfits->count > VALUES)
		append(&list, ", ...");
	if (list.at > 0)
		fyke_summary_line(s, "odd ports", FYKE_PAINT_WARN, list.text);
}

enum fyke_status fyke_summary_contents(const struct fyke_summary *s)
{
	enum fyke_status status = FYKE_OK;
	bool any = s->facts->misfits.count > 0;

	if (any)
		fyke_summary_heading(s, "Contents", NULL);
	for (const struct fyke_contents_table *table = fyke_contents_tables;
		status == FYKE_OK && table->name != NULL; table++) {
		struct fyke_contents_count count;

		status = fyke_contents_count(s->db, table, s->capture_id, &count, s->error);
		if (status != FYKE_OK || count.rows == 0)
			continue;
		if (!any)
			fyke_summary_heading(s, "Contents", NULL);
		any = true;
		status = show_table(s, table, &count);
	}
	if (status == FYKE_OK)
		show_misfits(s);
	return status;
}
