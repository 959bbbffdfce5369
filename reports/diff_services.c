/* Services of both sides of a comparison, in one pass over the sessions of each. */
#include "reports/diff_internal.h"

#include "reports/facts.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* Arguments: name, bytes. */
static void take_session(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct fyke_tally *tally = sqlite3_user_data(context);
	const char *name = (const char *)sqlite3_value_text(values[0]);
	int64_t *counters = name == NULL ? NULL : fyke_tally_at(tally, name, strlen(name));

	(void)count;
	if (counters == NULL) {
		sqlite3_result_error_nomem(context);
		return;
	}
	counters[FYKE_TALLY_SESSIONS]++;
	counters[FYKE_TALLY_SENT_BYTES] = (int64_t)((uint64_t)counters[FYKE_TALLY_SENT_BYTES] +
						    (uint64_t)sqlite3_value_int64(values[1]));
}

/* Sessions that stand in blocks: what a scan leaves. Their services are told by ports alone. */
static enum fyke_status count_folded(struct fyke_diff *diff, int side)
{
	static const char name[] = "(folded scans)/tcp";
	const char *schema = side == 0 ? "main" : "later";
	sqlite3_stmt *row;
	enum fyke_status status;
	char *sql;

	if (sqlite3_table_column_metadata(
		    diff->db, schema, "folded_sessions", NULL, NULL, NULL, NULL, NULL, NULL) != SQLITE_OK)
		return FYKE_OK;
	sql = sqlite3_mprintf(
		"SELECT sum(sessions), sum(client_bytes + server_bytes) FROM %s.folded_sessions", schema);
	status = fyke_facts_prepare(diff->db, sql, 0, &row, diff->error);
	sqlite3_free(sql);
	while (status == FYKE_OK && fyke_facts_step(&row, &status, diff->error)) {
		int64_t sessions = sqlite3_column_int64(row, 0), *counters = NULL;

		if (sessions > 0)
			counters = fyke_tally_at(&diff->tallies[side], name, sizeof(name) - 1);
		if (counters != NULL) {
			counters[FYKE_TALLY_SESSIONS] = sessions;
			counters[FYKE_TALLY_SENT_BYTES] = sqlite3_column_int64(row, 1);
			diff->folded[side] = sessions;
		}
	}
	return status;
}

static enum fyke_status count_side(struct fyke_diff *diff, int side)
{
	const struct fyke_facts_reader reader = {"fyke_take_service", take_session, &diff->tallies[side]};
	char *sql = sqlite3_mprintf("SELECT fyke_take_service(coalesce(service, '(not known)') || '/' || "
				    "transport, client_bytes + "
				    "server_bytes) FROM %s.sessions NOT INDEXED",
		side == 0 ? "main" : "later");
	enum fyke_status status = fyke_facts_pass(diff->db, &reader, sql, 0, diff->error);

	sqlite3_free(sql);
	return status == FYKE_OK ? count_folded(diff, side) : status;
}

/* Each side gets the other's names, with counts of 0. */
static bool share_names(struct fyke_tally *from, struct fyke_tally *to)
{
	for (size_t i = 0; i < from->count; i++) {
		if (fyke_tally_at(to, from->entries[i].key, from->entries[i].length) == NULL)
			return false;
	}
	return true;
}

static int by_sessions(const void *left, const void *right)
{
	const struct fyke_diff_service *a = left, *b = right;
	int64_t all_a = a->n[0] + a->n[1], all_b = b->n[0] + b->n[1];

	return all_a != all_b ? (all_a > all_b ? -1 : 1) : strcmp(a->name, b->name);
}

static bool join(struct fyke_diff *diff)
{
	struct fyke_tally *tallies = diff->tallies;

	if (!share_names(&tallies[0], &tallies[1]) || !share_names(&tallies[1], &tallies[0]))
		return false;
	diff->services = calloc(tallies[0].count + 1, sizeof(*diff->services));
	if (diff->services == NULL)
		return false;
	for (size_t i = 0; i < tallies[0].count; i++) {
		const struct fyke_tally_entry *entry = &tallies[0].entries[i];
		const int64_t *other = fyke_tally_at(&tallies[1], entry->key, entry->length);

		if (other == NULL)
			return false;
		diff->services[diff->service_count++] = (struct fyke_diff_service){entry->key,
			{entry->counters[FYKE_TALLY_SESSIONS], other[FYKE_TALLY_SESSIONS]},
			{entry->counters[FYKE_TALLY_SENT_BYTES], other[FYKE_TALLY_SENT_BYTES]}};
	}
	qsort(diff->services, diff->service_count, sizeof(*diff->services), by_sessions);
	return true;
}

enum fyke_status fyke_diff_count_services(struct fyke_diff *diff)
{
	enum fyke_status status = count_side(diff, 0);

	if (status == FYKE_OK)
		status = count_side(diff, 1);
	if (status == FYKE_OK && !join(diff))
		status = fyke_error_set(diff->error, FYKE_FAILED_MEMORY, "out of memory");
	return status;
}

void fyke_diff_release_services(struct fyke_diff *diff)
{
	fyke_tally_release(&diff->tallies[0]);
	fyke_tally_release(&diff->tallies[1]);
	free(diff->services);
}
