/* Merging by deciding frame and birth, names by frame; packets and bytes of the timeline are added up. */
#include "analyzer/join.h"

#include "analyzer/seconds.h"

bool fyke_join_precedes(const struct fyke_session *a, const struct fyke_session *b)
{
	if (a->deciding_frame != b->deciding_frame)
		return a->deciding_frame < b->deciding_frame;
	if (a->birth.frame != b->birth.frame)
		return a->birth.frame < b->birth.frame;
	return a->birth.ordinal < b->birth.ordinal;
}

/* Those of `part` go between those that are there. Both lie in the tick's arena in the end. */
static bool join_sessions(struct fyke_tick *tick, const struct fyke_tick *part)
{
	size_t count = tick->session_count + part->session_count, at = 0, i = 0, j = 0;
	struct fyke_session **all;

	if (part->session_count == 0)
		return true;
	all = fyke_arena_take(&tick->arena, count * sizeof(struct fyke_session *));
	if (all == NULL)
		return false;
	while (at < count) {
		bool other =
			i == tick->session_count ||
			(j < part->session_count && fyke_join_precedes(part->sessions[j], tick->sessions[i]));

		all[at++] = other ? part->sessions[j++] : tick->sessions[i++];
	}
	tick->sessions = all;
	tick->session_count = count;
	return true;
}

static void join_names(struct fyke_tick *tick, struct fyke_tick_name *names)
{
	struct fyke_tick_name **place = &tick->names;

	while (names != NULL) {
		struct fyke_tick_name *next = names->next;

		while (*place != NULL && (*place)->frame <= names->frame)
			place = &(*place)->next;
		names->next = *place;
		*place = names;
		place = &names->next;
		names = next;
	}
}

bool fyke_join(struct fyke_tick *tick, struct fyke_tick *const *parts, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (parts[i] == NULL)
			continue;
		if (!join_sessions(tick, parts[i]) || !fyke_seconds_join(tick, parts[i]))
			return false;
		join_names(tick, parts[i]->names);
		fyke_arena_merge(&tick->arena, &parts[i]->arena);
	}
	return true;
}
