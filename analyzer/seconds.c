/* A small hash of (second, service), emptied at each tick. */
#include "analyzer/seconds.h"

#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)

enum { ENTRIES_AT_START = 256 };

static size_t home_of(const struct fyke_seconds *seconds, int64_t second, const char *service)
{
	uint64_t mixed = ((uint64_t)second ^ (uint64_t)(uintptr_t)service) * UINT64_C(0x9E3779B97F4A7C15);

	return (size_t)(mixed >> 32) & seconds->mask;
}

static struct fyke_timeline_entry *slot_of(
	const struct fyke_seconds *seconds, int64_t second, const char *service)
{
	size_t at = home_of(seconds, second, service);

	while (seconds->entries[at].packets != 0 &&
		(seconds->entries[at].second != second || seconds->entries[at].service != service))
		at = (at + 1) & seconds->mask;
	return &seconds->entries[at];
}

static bool grow(struct fyke_seconds *seconds)
{
	struct fyke_seconds old = *seconds;

	seconds->mask = old.entries == NULL ? ENTRIES_AT_START - 1 : old.mask * 2 + 1;
	seconds->entries = calloc(seconds->mask + 1, sizeof(*seconds->entries));
	seconds->last = NULL;
	if (seconds->entries == NULL) {
		*seconds = old;
		return false;
	}
	for (size_t i = 0; old.entries != NULL && i <= old.mask; i++) {
		if (old.entries[i].packets != 0)
			*slot_of(seconds, old.entries[i].second, old.entries[i].service) = old.entries[i];
	}
	free(old.entries);
	return true;
}

/* The entry becomes the last one. */
static bool find(struct fyke_seconds *seconds, int64_t time_ns, const char *service)
{
	int64_t second = time_ns >= 0 ? time_ns / SECOND : -((SECOND - 1 - time_ns) / SECOND);
	struct fyke_timeline_entry *entry;

	if ((seconds->entries == NULL || seconds->count > seconds->mask / 2) && !grow(seconds))
		return false;
	entry = slot_of(seconds, second, service);
	seconds->last = entry;
	seconds->last_ns = second * SECOND;
	if (entry->packets == 0) {
		entry->second = second;
		entry->service = service;
		seconds->count++;
	}
	return true;
}

bool fyke_seconds_count(struct fyke_seconds *seconds, int64_t time_ns, const char *service, uint64_t bytes)
{
	bool same = seconds->last != NULL &&
		    (uint64_t)time_ns - (uint64_t)seconds->last_ns < (uint64_t)SECOND &&
		    seconds->last->service == service;

	if (!same && !find(seconds, time_ns, service))
		return false;
	seconds->last->packets++;
	seconds->last->bytes += bytes;
	return true;
}

static int compare_entries(const void *left, const void *right)
{
	const struct fyke_timeline_entry *a = left, *b = right;

	if (a->second != b->second)
		return a->second < b->second ? -1 : 1;
	if (a->service == NULL || b->service == NULL)
		return (a->service != NULL) - (b->service != NULL);
	return strcmp(a->service, b->service);
}

bool fyke_seconds_take(struct fyke_seconds *seconds, struct fyke_tick *tick)
{
	size_t count = 0;

	if (seconds->count == 0)
		return true;
	tick->timeline = fyke_arena_take(&tick->arena, seconds->count * sizeof(*tick->timeline));
	if (tick->timeline == NULL)
		return false;
	for (size_t i = 0; i <= seconds->mask; i++) {
		if (seconds->entries[i].packets != 0)
			tick->timeline[count++] = seconds->entries[i];
	}
	tick->timeline_count = count;
	qsort(tick->timeline, count, sizeof(*tick->timeline), compare_entries);
	memset(seconds->entries, 0, (seconds->mask + 1) * sizeof(*seconds->entries));
	seconds->count = 0;
	seconds->last = NULL;
	return true;
}

bool fyke_seconds_join(struct fyke_tick *tick, const struct fyke_tick *part)
{
	size_t room = tick->timeline_count + part->timeline_count, count = 0, i = 0, j = 0;
	struct fyke_timeline_entry *all;

	if (part->timeline_count == 0)
		return true;
	all = fyke_arena_take(&tick->arena, room * sizeof(*all));
	if (all == NULL)
		return false;
	while (i < tick->timeline_count || j < part->timeline_count) {
		int compared = i == tick->timeline_count ? 1
			       : j == part->timeline_count
				       ? -1
				       : compare_entries(&tick->timeline[i], &part->timeline[j]);

		all[count] = compared <= 0 ? tick->timeline[i++] : part->timeline[j++];
		if (compared == 0) {
			all[count].packets += part->timeline[j].packets;
			all[count].bytes += part->timeline[j++].bytes;
		}
		count++;
	}
	tick->timeline = all;
	tick->timeline_count = count;
	return true;
}

void fyke_seconds_release(struct fyke_seconds *seconds)
{
	free(seconds->entries);
	*seconds = (struct fyke_seconds){0};
}
