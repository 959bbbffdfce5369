/*
 * The end of the capture, after the last tick: what is open is handed over in order of birth, in parts, so
 * that a capture that ends amid a million sessions does not need them in memory twice.
 */
#include "analyzer/engine_parts.h"

#include <stdlib.h>

static int compare_births(const void *left, const void *right)
{
	const struct fyke_flow_reference *a = left, *b = right;

	if (a->birth.frame != b->birth.frame)
		return a->birth.frame < b->birth.frame ? -1 : 1;
	if (a->birth.ordinal != b->birth.ordinal)
		return a->birth.ordinal < b->birth.ordinal ? -1 : 1;
	return 0;
}

static bool list_flows(struct fyke_engine *engine)
{
	const struct fyke_flow_table *table = &engine->table;

	engine->is_ending = true;
	if (engine->half_open != NULL && !fyke_half_open_order_by_birth(engine->half_open))
		return false;
	engine->ending = calloc((size_t)table->count + 1, sizeof(*engine->ending));
	if (engine->ending == NULL)
		return false;
	for (int age = 0; age < FYKE_AGE_COUNT; age++) {
		for (uint32_t index = table->head[age]; index != 0; index = fyke_flow_at(table, index)->next)
			engine->ending[engine->ending_count++] = fyke_engine_reference(engine, index);
	}
	qsort(engine->ending, engine->ending_count, sizeof(*engine->ending), compare_births);
	return true;
}

/* Those whose silence was long enough, though no tick had seen it yet, ended by it. */
static enum fyke_end flow_end(const struct fyke_engine *engine, uint32_t index)
{
	const struct fyke_flow *flow = fyke_flow_at(&engine->table, index);

	return fyke_flow_table_is_silent(&engine->table, flow, engine->clock_ns) ? FYKE_END_TIMEOUT
										 : FYKE_END_CAPTURE;
}

static enum fyke_end half_open_end(const struct fyke_engine *engine, int64_t time_ns)
{
	return engine->clock_ns - time_ns > engine->table.timeout_ns[FYKE_AGE_HALF_OPEN] ? FYKE_END_TIMEOUT
											 : FYKE_END_CAPTURE;
}

/* The next one by birth, from any table. */
static bool end_next(struct fyke_engine *engine)
{
	const struct fyke_flow_reference *flow =
		engine->ended < engine->ending_count ? &engine->ending[engine->ended] : NULL;
	uint64_t flow_frame = flow == NULL ? UINT64_MAX : flow->birth.frame, syn_frame = UINT64_MAX,
		 refused_frame = UINT64_MAX;
	int64_t time_ns;
	uint32_t index;

	if (engine->half_open != NULL) {
		(void)fyke_half_open_oldest_refused(engine->half_open, &time_ns, &refused_frame);
		(void)fyke_half_open_oldest(engine->half_open, &time_ns, &syn_frame);
	}
	if (syn_frame < flow_frame && syn_frame < refused_frame)
		return fyke_engine_end_oldest_half_open(
			engine, half_open_end(engine, time_ns), engine->frame + 1);
	if (refused_frame < flow_frame)
		return fyke_engine_end_oldest_refused(engine, FYKE_END_CAPTURE, engine->frame + 1);
	engine->ended++;
	index = fyke_engine_alive(engine, flow);
	return index == 0 || fyke_engine_end_flow(engine, index, flow_end(engine, index), engine->frame + 1);
}

static bool is_left(const struct fyke_engine *engine)
{
	return engine->ended < engine->ending_count ||
	       (engine->half_open != NULL && fyke_half_open_count(engine->half_open) > 0);
}

enum fyke_status fyke_engine_end_part(struct fyke_engine *engine, size_t limit, struct fyke_tick *tick,
	bool *more, struct fyke_error *error)
{
	if (!engine->is_ending && !list_flows(engine))
		return fyke_engine_out_of_memory(error);
	while (is_left(engine) && engine->finished_count < limit) {
		if (!end_next(engine))
			return fyke_engine_out_of_memory(error);
	}
	*more = is_left(engine);
	tick->flush = !*more;
	engine->wanted_count = engine->changed_count = 0;
	engine->names = NULL; /* no session begins after them */
	engine->names_end = &engine->names;
	return fyke_engine_fill_tick(engine, tick) ? FYKE_OK : fyke_engine_out_of_memory(error);
}

enum fyke_status fyke_engine_end(struct fyke_engine *engine, struct fyke_tick *tick, struct fyke_error *error)
{
	bool more;

	return fyke_engine_end_part(engine, SIZE_MAX, tick, &more, error);
}
