/*
 * The timeline's buckets. Bounded whatever the traffic: when there are more than 4096 buckets, or more
 * than 65,536 pairs of bucket and service, neighbours merge and the width doubles.
 */
#include "storage/timeline.h"

#include "storage/sql.h"

#include <string.h>

enum { MICROSECONDS = 1000 * 1000 };

struct entry {
	struct {
		int64_t start; /* second, a multiple of the width */
		uint32_t service, zero;
	} key;
	uint64_t packets, bytes;
};

struct bucket {
	int64_t start;
};

static int64_t floor_to(int64_t second, int64_t width)
{
	/* a power of two: two's complement rounds towards the past */
	return second & ~(width - 1);
}

static void column(const struct fyke_rows *rows, const void *data, size_t index,
	struct fyke_rows_scratch *scratch, sqlite3_context *result)
{
	const struct fyke_timeline *timeline = rows->context;
	const struct entry *entry = data;
	const char *name;

	(void)scratch;
	if (index == 0)
		sqlite3_result_int64(result, timeline->capture_id);
	else if (index == 1)
		sqlite3_result_int64(result, entry->key.start * MICROSECONDS);
	else if (index == 2)
		sqlite3_result_int64(result, timeline->width * MICROSECONDS);
	else if (index == 4)
		sqlite3_result_int64(result, (int64_t)entry->packets);
	else if (index == 5)
		sqlite3_result_int64(result, (int64_t)entry->bytes);
	else if ((name = fyke_names_text(timeline->names, entry->key.service)) != NULL)
		fyke_sql_result_text(result, name, (uint32_t)strlen(name));
}

static void init_indices(struct fyke_timeline *timeline)
{
	/* One more than the limit: the one that makes the width double must find room. */
	fyke_index_init(&timeline->entries, sizeof(struct entry), sizeof(((struct entry *)0)->key),
		FYKE_TIMELINE_ENTRIES_MAX + 1);
	fyke_index_init(&timeline->buckets, sizeof(struct bucket), sizeof(struct bucket),
		FYKE_TIMELINE_BUCKETS_MAX + 1);
}

void fyke_timeline_init(struct fyke_timeline *timeline, struct fyke_names *names)
{
	*timeline = (struct fyke_timeline){.names = names, .width = 1, .dirty_from = INT64_MAX};
	init_indices(timeline);
	timeline->rows = (struct fyke_rows){
		.size = sizeof(struct entry), .column_count = 6, .column = column, .context = timeline};
}

void fyke_timeline_release(struct fyke_timeline *timeline)
{
	fyke_index_release(&timeline->entries);
	fyke_index_release(&timeline->buckets);
}

enum fyke_status fyke_timeline_attach(struct fyke_timeline *timeline, sqlite3 *db, struct fyke_error *error)
{
	return fyke_rows_register(db, "timeline", &timeline->rows, error);
}

static bool add(struct fyke_timeline *timeline, const struct entry *from)
{
	struct entry key = {.key = {floor_to(from->key.start, timeline->width), from->key.service, 0}};
	struct bucket bucket = {key.key.start};
	struct entry *entry;
	bool added;

	if (fyke_index_add(&timeline->buckets, &bucket, &added) == NULL)
		return false;
	entry = fyke_index_add(&timeline->entries, &key.key, &added);
	if (entry == NULL)
		return false;
	entry->packets += from->packets;
	entry->bytes += from->bytes;
	return true;
}

static bool widen(struct fyke_timeline *timeline)
{
	struct fyke_index old = timeline->entries;
	bool done = true;

	fyke_index_release(&timeline->buckets);
	init_indices(timeline);
	timeline->width *= 2;
	timeline->rewrite = true;
	for (size_t i = 0; i < old.count; i++)
		done = add(timeline, &((const struct entry *)old.items)[i]) && done;
	fyke_index_release(&old);
	return done;
}

static bool is_full(const struct fyke_timeline *timeline)
{
	return timeline->buckets.count > FYKE_TIMELINE_BUCKETS_MAX ||
	       (timeline->entries.count > FYKE_TIMELINE_ENTRIES_MAX && timeline->buckets.count > 1);
}

enum fyke_status fyke_timeline_add(
	struct fyke_timeline *timeline, const struct fyke_timeline_entry *from, struct fyke_error *error)
{
	struct entry entry = {.key = {from->second, fyke_names_number(timeline->names, from->service), 0},
		.packets = from->packets,
		.bytes = from->bytes};
	bool done;

	/* Times that do not fit in microseconds come from damaged clocks alone. */
	if (entry.key.start > INT64_MAX / MICROSECONDS / 2)
		entry.key.start = INT64_MAX / MICROSECONDS / 2;
	if (entry.key.start < INT64_MIN / MICROSECONDS / 2)
		entry.key.start = INT64_MIN / MICROSECONDS / 2;
	done = add(timeline, &entry);
	while (done && is_full(timeline))
		done = widen(timeline);
	if (!done)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "Out of memory for the timeline");
	if (entry.key.start < timeline->dirty_from)
		timeline->dirty_from = entry.key.start;
	return FYKE_OK;
}

enum fyke_status fyke_timeline_write(
	struct fyke_timeline *timeline, sqlite3 *db, int64_t capture_id, struct fyke_error *error)
{
	int64_t from = timeline->rewrite ? INT64_MIN / MICROSECONDS
					 : floor_to(timeline->dirty_from, timeline->width);
	enum fyke_status status;

	if (timeline->dirty_from == INT64_MAX && !timeline->rewrite)
		return FYKE_OK;
	timeline->capture_id = capture_id;
	timeline->rows.rows = timeline->entries.items;
	timeline->rows.count = timeline->entries.count;
	status = fyke_sql_run_with(db, "DELETE FROM timeline WHERE capture_id = ?1 AND start_us >= ?2",
		capture_id, from * MICROSECONDS, error);
	if (status == FYKE_OK)
		status = fyke_sql_run_with(db,
			"INSERT INTO timeline SELECT * FROM fyke_rows_timeline WHERE c1 >= ?1 ORDER BY c1, "
			"c3",
			from * MICROSECONDS, 0, error);
	timeline->rows.count = 0;
	if (status == FYKE_OK) {
		timeline->dirty_from = INT64_MAX;
		timeline->rewrite = false;
	}
	return status;
}
