/*
 * The end of a tick: who was silent for too long, who must be handed over though open, and the order in which
 * all that goes out.
 */
#include "analyzer/base/radix.h"
#include "analyzer/engine_parts.h"

#include <stddef.h>

static bool is_referred(const struct fyke_engine *engine, const struct fyke_flow *flow)
{
	const struct fyke_flow_extra *extra = fyke_engine_extra(engine, flow);

	return !flow->stored && extra != NULL && extra->referred != 0;
}

static bool hand_over_wanted(struct fyke_engine *engine, bool only_referred)
{
	for (size_t i = 0; i < engine->wanted_count; i++) {
		uint32_t index = fyke_engine_alive(engine, &engine->wanted[i]);

		if (index == 0 ||
			(only_referred && !is_referred(engine, fyke_flow_at(&engine->table, index))))
			continue;
		if (!fyke_engine_hand_over(engine, index, FYKE_END_OPEN, engine->frame + 1))
			return false;
	}
	engine->wanted_count = 0;
	return true;
}

static bool hand_over_changed(struct fyke_engine *engine)
{
	for (size_t i = 0; i < engine->changed_count; i++) {
		uint32_t index = fyke_engine_alive(engine, &engine->changed[i]);

		if (index == 0 || !fyke_flow_at(&engine->table, index)->changed)
			continue;
		if (!fyke_engine_hand_over(engine, index, FYKE_END_OPEN, engine->frame + 1))
			return false;
	}
	engine->changed_count = 0;
	return true;
}

/* By the frame at which they were handed over, then by birth, then as they came. */
static bool order_finished(struct fyke_engine *engine)
{
	const size_t size = sizeof(*engine->finished);

	return fyke_radix_sort(engine->finished, engine->finished_count, size,
		       offsetof(struct fyke_finished, birth)) &&
	       fyke_radix_sort(engine->finished, engine->finished_count, size,
		       offsetof(struct fyke_finished, deciding_frame));
}

/* The tick takes the arena over, with all that lies in it. */
bool fyke_engine_fill_tick(struct fyke_engine *engine, struct fyke_tick *tick)
{
	if (!order_finished(engine))
		return false;
	tick->sessions =
		fyke_arena_take(&engine->arena, (engine->finished_count + 1) * sizeof(struct fyke_session *));
	if (tick->sessions == NULL)
		return false;
	for (size_t i = 0; i < engine->finished_count; i++)
		tick->sessions[i] = engine->finished[i].session;
	tick->session_count = engine->finished_count;
	fyke_arena_merge(&tick->arena, &engine->arena);
	engine->finished_count = 0;
	tick->names = engine->names;
	engine->names = NULL;
	engine->names_end = &engine->names;
	return fyke_seconds_take(&engine->timeline, tick);
}

bool fyke_engine_expire(struct fyke_engine *engine, int64_t time_ns)
{
	uint32_t index;

	if (time_ns > engine->clock_ns)
		engine->clock_ns = time_ns;
	while ((index = fyke_flow_table_expired(&engine->table, engine->clock_ns)) != 0) {
		if (!fyke_engine_end_flow(engine, index, FYKE_END_TIMEOUT, engine->frame + 1))
			return false;
	}
	return fyke_engine_expire_half_open(engine);
}

enum fyke_status fyke_engine_tick(struct fyke_engine *engine, int64_t time_ns, enum fyke_tick_kind kind,
	struct fyke_tick *tick, struct fyke_error *error)
{
	tick->flush = kind == FYKE_TICK_FLUSH;
	if (!fyke_engine_expire(engine, time_ns) || !hand_over_wanted(engine, kind == FYKE_TICK_LAST) ||
		(kind == FYKE_TICK_FLUSH && !hand_over_changed(engine)) ||
		!fyke_engine_fill_tick(engine, tick))
		return fyke_engine_out_of_memory(error);
	return fyke_engine_rest(engine) ? FYKE_OK : fyke_engine_out_of_memory(error);
}
