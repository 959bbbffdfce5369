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

static void append_value(struct list *list, const char *text, int64_t rows)
{
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

static void show_values(const struct fyke_summary *s, const char *title, const struct fyke_tally *values)
{
	struct list list = {0};

	append(&list, title);
	append(&list, " ");
	for (size_t i = 0; i < values->count && i < VALUES; i++)
		append_value(&list, values->entries[i].key, values->entries[i].counters[FYKE_TALLY_SESSIONS]);
	if (values->count > VALUES)
		append(&list, ", ...");
	if (values->count > 0)
		fyke_summary_line(s, "", FYKE_PAINT_PLAIN, list.text);
}

static const char *label_of(const struct fyke_contents_table *table)
{
	if (strcmp(table->name, "sensitive_numbers") == 0)
		return "numbers";
	return strcmp(table->name, "transferred_files") == 0 ? "files" : table->name;
}

static bool is_secret(const struct fyke_contents_table *table)
{
	return strcmp(table->name, "credentials") == 0 || strcmp(table->name, "sensitive_numbers") == 0;
}

static void show_table(const struct fyke_summary *s, const struct fyke_contents_table *table,
	const struct fyke_contents *contents)
{
	char number[FYKE_TEXT_NUMBER], bytes[FYKE_TEXT_NUMBER], text[160];

	(void)snprintf(text, sizeof(text), "%s %s%s%s", fyke_text_count(contents->rows, number),
		contents->rows == 1 ? table->one : table->many, table->sum != NULL ? ", " : "",
		table->sum != NULL ? fyke_text_bytes(contents->sum, bytes) : "");
	fyke_summary_line(s, label_of(table), is_secret(table) ? FYKE_PAINT_WARN : FYKE_PAINT_PLAIN, text);
	for (unsigned i = 0; i < FYKE_CONTENTS_COLUMNS && table->columns[i].name != NULL; i++)
		show_values(s, table->columns[i].title, &contents->values[i]);
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
		append_value(&list, text, misfits->entries[i].counters[FYKE_TALLY_SESSIONS]);
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
		struct fyke_contents contents;

		status = fyke_contents_gather(s->db, table, s->facts->scope, &contents, s->error);
		if (status == FYKE_OK && contents.rows > 0) {
			if (!any)
				fyke_summary_heading(s, "Contents", NULL);
			any = true;
			show_table(s, table, &contents);
		}
		fyke_contents_release(&contents);
	}
	if (status == FYKE_OK)
		show_misfits(s);
	return status;
}
