/* "contents": what was said, by table; and "mismatches": content on ports of something else. */
#include "reports/json_contents.h"

#include "reports/contents.h"
#include "reports/json_row.h"

#include <string.h>

static void set(json_t *object, const char *key, int64_t value)
{
	json_object_set_new(object, key, json_integer(value));
}

static json_t *frequent(const struct fyke_tally *tally, unsigned most)
{
	json_t *list = json_array();

	for (size_t i = 0; i < tally->count && i < most; i++) {
		const struct fyke_tally_entry *value = &tally->entries[i];
		json_t *entry = json_object();

		json_object_set_new(entry, "value", fyke_json_text(value->key, value->length));
		set(entry, "rows", value->counters[FYKE_TALLY_SESSIONS]);
		json_array_append_new(list, entry);
	}
	return list;
}

static enum fyke_status add_table(struct sqlite3 *db, json_t *contents,
	const struct fyke_contents_table *table, int64_t scope, unsigned most, struct fyke_error *error)
{
	struct fyke_contents found;
	enum fyke_status status = fyke_contents_gather(db, table, scope, &found, error);
	json_t *object;

	if (status == FYKE_OK && found.rows > 0) {
		object = json_object();
		json_object_set_new(contents, table->name, object);
		set(object, "rows", found.rows);
		if (table->sum != NULL)
			set(object, table->sum, found.sum);
		for (unsigned i = 0; i < FYKE_CONTENTS_COLUMNS && table->columns[i].name != NULL; i++)
			json_object_set_new(
				object, table->columns[i].title, frequent(&found.values[i], most));
	}
	fyke_contents_release(&found);
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

enum fyke_status fyke_json_contents(struct sqlite3 *db, const struct fyke_facts *facts, unsigned most,
	json_t **object, struct fyke_error *error)
{
	json_t *contents = json_object();
	enum fyke_status status = FYKE_OK;

	*object = NULL;
	json_object_set_new(contents, "mismatches", mismatches(&facts->misfits));
	for (const struct fyke_contents_table *table = fyke_contents_tables;
		status == FYKE_OK && table->name != NULL; table++)
		status = add_table(db, contents, table, facts->scope, most, error);
	if (status == FYKE_OK)
		*object = contents;
	else
		json_decref(contents);
	return status;
}
