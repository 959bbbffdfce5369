/* A hash of open sessions by their birth, each with one text a table (json_kept.h). */
#include "storage/json_kept.h"

#include "storage/json_records.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024 };

/* The objects of one table, with commas between them. */
struct text {
	struct text *next;
	const struct fyke_table *table;
	struct fyke_json_buffer objects;
};

struct session {
	struct session *next;
	struct fyke_birth birth;
	struct text *texts;
	int64_t lost;
};

struct fyke_json_kept {
	struct session *buckets[BUCKETS];
	size_t bytes, bytes_max;
	bool ascii;
};

struct fyke_json_kept *fyke_json_kept_new(size_t bytes_max, bool ascii)
{
	struct fyke_json_kept *kept = calloc(1, sizeof(*kept));

	if (kept != NULL) {
		kept->bytes_max = bytes_max;
		kept->ascii = ascii;
	}
	return kept;
}

static void free_session(struct fyke_json_kept *kept, struct session *session)
{
	while (session->texts != NULL) {
		struct text *text = session->texts;

		session->texts = text->next;
		kept->bytes -= text->objects.room;
		fyke_json_buffer_release(&text->objects);
		free(text);
	}
	free(session);
}

void fyke_json_kept_free(struct fyke_json_kept *kept)
{
	for (size_t i = 0; kept != NULL && i < BUCKETS; i++) {
		while (kept->buckets[i] != NULL) {
			struct session *session = kept->buckets[i];

			kept->buckets[i] = session->next;
			free_session(kept, session);
		}
	}
	free(kept);
}

/* Where the pointer to the session stands, or would. */
static struct session **find(struct fyke_json_kept *kept, const struct fyke_birth *birth)
{
	struct session **place = &kept->buckets[(birth->frame * 31 + birth->ordinal) % BUCKETS];

	while (*place != NULL &&
		((*place)->birth.frame != birth->frame || (*place)->birth.ordinal != birth->ordinal))
		place = &(*place)->next;
	return place;
}

static struct text *text_of(struct session *session, const struct fyke_table *table)
{
	struct text **place = &session->texts;

	while (*place != NULL && (*place)->table != table)
		place = &(*place)->next;
	if (*place == NULL && (*place = calloc(1, sizeof(**place))) != NULL)
		(*place)->table = table;
	return *place;
}

static bool add_records(
	struct fyke_json_kept *kept, struct session *session, const struct fyke_record *record)
{
	for (; record != NULL; record = record->next) {
		struct text *text;
		size_t room;

		if (!fyke_json_records_tells(record->table))
			continue;
		if (kept->bytes >= kept->bytes_max) {
			session->lost++;
			continue;
		}
		text = text_of(session, record->table);
		if (text == NULL)
			return false;
		text->objects.ascii = kept->ascii;
		room = text->objects.room;
		fyke_json_records_append_one(record, text->objects.length == 0, &text->objects);
		kept->bytes += text->objects.room - room;
		if (text->objects.failed)
			return false;
	}
	return true;
}

static bool has_records(const struct fyke_session *session)
{
	const struct fyke_record *record = session->records;

	while (record != NULL && !fyke_json_records_tells(record->table))
		record = record->next;
	return record != NULL;
}

bool fyke_json_kept_add(struct fyke_json_kept *kept, const struct fyke_session *session)
{
	struct session **place;

	if (!has_records(session))
		return true;
	place = find(kept, &session->birth);
	if (*place == NULL) {
		*place = calloc(1, sizeof(**place));
		if (*place == NULL)
			return false;
		(*place)->birth = session->birth;
	}
	return add_records(kept, *place, session->records);
}

static void append_kept(const struct session *session, struct fyke_json_buffer *out)
{
	for (const struct text *text = session->texts; text != NULL; text = text->next) {
		fyke_json_append(out, ",", 1);
		fyke_json_append_string(out, text->table->name, strlen(text->table->name));
		fyke_json_append(out, ":[", 2);
		fyke_json_append(out, text->objects.text, text->objects.length);
		fyke_json_append(out, "]", 1);
	}
	if (session->lost > 0) {
		fyke_json_append(out, ",\"records_lost\":", 16);
		fyke_json_append_integer(out, session->lost);
	}
}

void fyke_json_kept_append(
	struct fyke_json_kept *kept, const struct fyke_session *session, struct fyke_json_buffer *out)
{
	struct session **place = find(kept, &session->birth), *found = *place;

	if (found == NULL) {
		fyke_json_records_append_list(session->records, out);
		return;
	}
	if (add_records(kept, found, session->records))
		append_kept(found, out);
	else
		out->failed = true;
	*place = found->next;
	free_session(kept, found);
}
