/*
 * Sessions of the last seconds, at most ENTRIES_MAX, in an array with a hash index beside it. When the
 * array is full, those that ended and the quieter half go; a session that goes on comes back with
 * its next flush.
 */
#include "cli/live_table.h"

#include "cli/live_row.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES_MAX = 2048, SLOTS = 4 * ENTRIES_MAX, HEAD_LINES = 5, FOOT_LINES = 1 };
#define SECOND_NS      INT64_C(1000000000)
#define ENDED_STAYS_NS (10 * SECOND_NS)
#define HALF_LIFE_NS   (4 * SECOND_NS)
#define RATE_STAYS_NS  (5 * SECOND_NS)

struct fyke_live_table {
	pthread_mutex_t lock;
	enum fyke_live_order order;
	size_t count;
	struct fyke_live_entry entries[ENTRIES_MAX];
	uint16_t slots[SLOTS]; /* index + 1 of an entry; 0 = free. Linear probing; rebuilt when entries go */
};

struct fyke_live_table *fyke_live_table_new(void)
{
	struct fyke_live_table *table = calloc(1, sizeof(*table));

	if (table != NULL && pthread_mutex_init(&table->lock, NULL) != 0) {
		free(table);
		table = NULL;
	}
	return table;
}

void fyke_live_table_free(struct fyke_live_table *table)
{
	if (table == NULL)
		return;
	pthread_mutex_destroy(&table->lock);
	free(table);
}

static size_t slot_of(struct fyke_birth birth)
{
	uint64_t mixed = (birth.frame * 31 + birth.ordinal) * UINT64_C(0x9E3779B97F4A7C15);

	return (size_t)(mixed >> 32) % SLOTS;
}

/* The slot that holds the birth, or the free one where it belongs. */
static uint16_t *find_slot(struct fyke_live_table *table, struct fyke_birth birth)
{
	size_t at = slot_of(birth);

	for (;; at = (at + 1) % SLOTS) {
		const struct fyke_live_entry *entry;

		if (table->slots[at] == 0)
			return &table->slots[at];
		entry = &table->entries[table->slots[at] - 1];
		if (entry->birth.frame == birth.frame && entry->birth.ordinal == birth.ordinal)
			return &table->slots[at];
	}
}

static void rebuild_slots(struct fyke_live_table *table)
{
	memset(table->slots, 0, sizeof(table->slots));
	for (size_t i = 0; i < table->count; i++)
		*find_slot(table, table->entries[i].birth) = (uint16_t)(i + 1);
}

/* Bytes of the last seconds: what was counted halves every HALF_LIFE_NS. */
static double recent_at(const struct fyke_live_entry *entry, int64_t now_ns)
{
	double recent = entry->recent;
	int64_t age = now_ns - entry->seen_ns;

	for (; age >= HALF_LIFE_NS && recent > 1; age -= HALF_LIFE_NS)
		recent /= 2;
	return age <= 0 ? recent : recent * (1 - 0.5 * (double)age / (double)HALF_LIFE_NS);
}

static int by_recent(const void *a, const void *b)
{
	const struct fyke_live_entry *left = a, *right = b;

	if (left->score != right->score)
		return left->score > right->score ? -1 : 1;
	if (left->birth.frame != right->birth.frame)
		return left->birth.frame > right->birth.frame ? -1 : 1;
	return (left->birth.ordinal < right->birth.ordinal) - (left->birth.ordinal > right->birth.ordinal);
}

/* Sorts by the score of `order` and forgets what ended a while ago; `most` stay. */
static void sort_and_trim(
	struct fyke_live_table *table, enum fyke_live_order order, size_t most, int64_t now_ns)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->count; i++) {
		struct fyke_live_entry *entry = &table->entries[i];

		if (entry->ended && now_ns - entry->seen_ns > ENDED_STAYS_NS)
			continue;
		if (order == FYKE_LIVE_TOTAL)
			entry->score = (double)entry->bytes[0] + (double)entry->bytes[1];
		else
			entry->score = order == FYKE_LIVE_NEWEST ? (double)entry->start_ns
								 : recent_at(entry, now_ns);
		if (kept != i)
			table->entries[kept] = *entry;
		kept++;
	}
	table->count = kept;
	qsort(table->entries, table->count, sizeof(table->entries[0]), by_recent);
	if (table->count > most)
		table->count = most;
	rebuild_slots(table);
}

static struct fyke_live_entry *entry_of(
	struct fyke_live_table *table, struct fyke_birth birth, int64_t now_ns)
{
	uint16_t *slot = find_slot(table, birth);

	if (*slot != 0)
		return &table->entries[*slot - 1];
	if (table->count == ENTRIES_MAX) {
		sort_and_trim(table, FYKE_LIVE_RECENT, ENTRIES_MAX / 2, now_ns);
		slot = find_slot(table, birth);
	}
	*slot = (uint16_t)(table->count + 1);
	table->entries[table->count] = (struct fyke_live_entry){.birth = birth};
	return &table->entries[table->count++];
}

/* Since the last hand-over, or since the session's beginning when this is the first. */
static int64_t span_ns(
	const struct fyke_live_entry *entry, const struct fyke_session *session, int64_t now_ns)
{
	int64_t span = entry->seen_ns != 0 ? now_ns - entry->seen_ns : session->end_ns - session->start_ns;

	return span < SECOND_NS ? SECOND_NS : span;
}

static void note(struct fyke_live_table *table, const struct fyke_session *session, int64_t now_ns)
{
	struct fyke_live_entry *entry = entry_of(table, session->birth, now_ns);
	int64_t span = span_ns(entry, session, now_ns);

	entry->recent = entry->seen_ns != 0 ? recent_at(entry, now_ns) : 0;
	for (int side = 0; side < 2; side++) {
		int64_t bytes = session->side[side].bytes == FYKE_UNKNOWN ? 0 : session->side[side].bytes;
		int64_t more = bytes > entry->bytes[side] ? bytes - entry->bytes[side] : 0;

		entry->rate[side] = (double)more * (double)SECOND_NS / (double)span;
		entry->recent += (double)more;
	}
	fyke_live_entry_fill(entry, session);
	entry->seen_ns = now_ns;
}

void fyke_live_table_take(struct fyke_live_table *table, const struct fyke_tick *tick, int64_t now_ns)
{
	pthread_mutex_lock(&table->lock);
	for (size_t i = 0; i < tick->session_count; i++)
		note(table, tick->sessions[i], now_ns);
	pthread_mutex_unlock(&table->lock);
}

void fyke_live_table_order(struct fyke_live_table *table, enum fyke_live_order order)
{
	table->order = order;
}

static void draw_entries(struct fyke_live_table *table, const struct fyke_live_look *look, unsigned lines,
	int64_t now_ns, FILE *out)
{
	for (unsigned line = 0; line < lines; line++) {
		if (line < table->count) {
			struct fyke_live_entry entry = table->entries[line];

			if (now_ns - entry.seen_ns > RATE_STAYS_NS || entry.ended)
				entry.rate[0] = entry.rate[1] = 0;
			fyke_live_row_draw(&entry, look, out);
		}
		fputs("\x1b[K\r\n", out);
	}
}

void fyke_live_table_draw(struct fyke_live_table *table, const struct fyke_live_totals *totals,
	const struct fyke_live_look *look, int64_t now_ns, FILE *out)
{
	unsigned body = look->rows > HEAD_LINES + FOOT_LINES ? look->rows - HEAD_LINES - FOOT_LINES : 0;
	unsigned head = look->rows > FOOT_LINES ? look->rows - FOOT_LINES - body : 0;

	pthread_mutex_lock(&table->lock);
	sort_and_trim(table, table->order, ENTRIES_MAX, now_ns);
	for (unsigned line = 0; line < head; line++) {
		fyke_live_head_draw(line, totals, look, out);
		fputs("\x1b[K\r\n", out);
	}
	draw_entries(table, look, body, now_ns, out);
	if (look->rows >= FOOT_LINES)
		fyke_live_foot_draw(totals, table->order, look, out);
	fputs("\x1b[K", out);
	pthread_mutex_unlock(&table->lock);
}
