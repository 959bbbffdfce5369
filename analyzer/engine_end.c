/*
 * The end of the capture, after the last tick: what is open is handed over in order of birth, in parts, so
 * that a capture that ends amid a million sessions does not need them in memory twice.
 */
#include "analyzer/base/radix.h"
#include "analyzer/engine_parts.h"

#include <stddef.h>
#include <stdlib.h>

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
		for (uint32_t index = table->head[age]; index != 0;
			index = fyke_flow_at(table, index)->next) {
			struct fyke_birth birth = fyke_flow_birth(fyke_flow_at(table, index));

			engine->ending[engine->ending_count++] =
				(struct fyke_ending){fyke_engine_birth_key(&birth), index};
		}
	}
	return fyke_radix_sort(engine->ending, engine->ending_count, sizeof(*engine->ending),
		offsetof(struct fyke_ending, birth));
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
	const struct fyke_ending *flow =
		engine->ended < engine->ending_count ? &engine->ending[engine->ended] : NULL;
	uint64_t flow_frame = flow == NULL ? UINT64_MAX : flow->birth >> 16, syn_frame = UINT64_MAX,
		 refused_frame = UINT64_MAX;
	int64_t time_ns;

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
	return fyke_engine_end_flow(engine, flow->index, flow_end(engine, flow->index), engine->frame + 1);
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
