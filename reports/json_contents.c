/* "contents": what was said, by table; and "mismatches": content on ports of something else. */
#include "reports/json_contents.h"

#include "reports/contents.h"
#include "reports/json_row.h"

#include <string.h>

static void set(json_t *object, const char *key, int64_t value)
{
	json_object_set_new(object, key, json_integer(value));
}

static void take_value(void *context, const char *text, int64_t rows)
{
	json_t *list = context, *entry = json_object();

	json_object_set_new(entry, "value", fyke_json_text(text, strlen(text)));
	set(entry, "rows", rows);
	json_array_append_new(list, entry);
}

static enum fyke_status add_table(struct sqlite3 *db, json_t *contents,
	const struct fyke_contents_question *about, struct fyke_error *error)
{
	const struct fyke_contents_table *table = about->table;
	struct fyke_contents_question question = *about;
	struct fyke_contents_count count;
	enum fyke_status status = fyke_contents_count(db, table, about->capture_id, &count, error);
	json_t *object;
	bool more;

	if (status != FYKE_OK || count.rows == 0)
		return status;
	object = json_object();
	json_object_set_new(contents, table->name, object);
	set(object, "rows", count.rows);
	if (table->sum != NULL)
		set(object, table->sum, count.sum);
	for (unsigned i = 0; status == FYKE_OK && i < FYKE_CONTENTS_COLUMNS && table->columns[i].name != NULL;
		i++) {
		json_t *list = json_array();

		json_object_set_new(object, table->columns[i].title, list);
		question.column = i;
		status = fyke_contents_values(db, &question, take_value, list, &more, error);
	}
	return status;
}

static json_t *mismatches(const struct fyke_tally *misfits)
{
	json_t *list = json_array();

	for (size_t i = 0; i < misfits->count; i++) {
		const struct fyke_tally_entry *misfit = &misfits->entries[i];
		const char *tab = strchr(misfit->key, '\t');
		json_t *entry = json_object();

		json_object_set_new(
			entry, "content_service", fyke_json_text(misfit->key, (size_t)(tab - misfit->key)));
		json_object_set_new(entry, "port_service", fyke_json_text(tab + 1, strlen(tab + 1)));
		set(entry, "sessions", misfit->counters[FYKE_TALLY_SESSIONS]);
		json_array_append_new(list, entry);
	}
	return list;
}

enum fyke_status fyke_json_contents(struct sqlite3 *db, const struct fyke_facts *facts, int64_t capture_id,
	unsigned most, json_t **object, struct fyke_error *error)
{
	json_t *contents = json_object();
	enum fyke_status status = FYKE_OK;

	*object = NULL;
	json_object_set_new(contents, "mismatches", mismatches(&facts->misfits));
	for (const struct fyke_contents_table *table = fyke_contents_tables;
		status == FYKE_OK && table->name != NULL; table++) {
		const struct fyke_contents_question about = {table, 0, capture_id, most};

		status = add_table(db, contents, &about, error);
	}
	if (status == FYKE_OK)
		*object = contents;
	else
		json_decref(contents);
	return status;
}
