/*
 * From flows to the sessions of the running tick.
 *
 * A session is handed over when it ends, and while it is open when records of it must go, when
 * another session has begun to refer to it, or when somebody watches: these at the end of the tick. What a
 * session refers to always comes before it.
 */
#include "analyzer/base/grow.h"
#include "analyzer/engine_talk.h"
#include "analyzer/flow/record_list.h"

#include <stdlib.h>
#include <string.h>

enum { EVICTED_ROOM = 8 << 20 };

uint64_t fyke_engine_memory_held(const struct fyke_engine *engine)
{
	return engine->table.flows.live *
		       (uint64_t)(sizeof(struct fyke_flow) + 2 * sizeof(struct fyke_flow_slot)) +
	       engine->tcp.live * (uint64_t)sizeof(struct fyke_tcp) +
	       engine->extra.live * (uint64_t)sizeof(struct fyke_flow_extra) + engine->stream_memory.used +
	       engine->blocks.used +
	       (engine->half_open != NULL ? fyke_half_open_held(engine->half_open) : 0) + engine->heap;
}

struct fyke_flow_extra *fyke_engine_need_extra(struct fyke_engine *engine, struct fyke_flow *flow)
{
	if (flow->extra == 0)
		flow->extra = fyke_pool_take(&engine->extra);
	return fyke_engine_extra(engine, flow);
}

uint32_t fyke_engine_alive(const struct fyke_engine *engine, const struct fyke_flow_reference *reference)
{
	struct fyke_birth birth;

	if (reference->index == 0)
		return 0;
	birth = fyke_flow_birth(fyke_flow_at(&engine->table, reference->index));
	return fyke_birth_equal(&birth, &reference->birth) ? reference->index : 0;
}

bool fyke_engine_remember(struct fyke_engine *engine, struct fyke_flow_reference **list, size_t *count,
	size_t *room, uint32_t index)
{
	struct fyke_flow_reference *grown = fyke_grow(*list, *count, room, 64, sizeof(*grown));

	if (grown == NULL)
		return false;
	*list = grown;
	grown[(*count)++] = fyke_engine_reference(engine, index);
	return true;
}

bool fyke_engine_add_finished(struct fyke_engine *engine, struct fyke_session *session)
{
	struct fyke_finished *grown = fyke_grow(
		engine->finished, engine->finished_count, &engine->finished_room, 64, sizeof(*grown));

	if (grown == NULL)
		return false;
	engine->finished = grown;
	grown[engine->finished_count++] = (struct fyke_finished){
		session, session->deciding_frame, fyke_engine_birth_key(&session->birth)};
	return true;
}

/* The frame list as it stands becomes (or replaces) the part with the running number. */
bool fyke_engine_hand_over_frames(
	struct fyke_engine *engine, struct fyke_flow *flow, const struct fyke_moment *moment)
{
	struct fyke_flow_extra *extra = fyke_engine_extra(engine, flow);
	struct fyke_value values[2] = {{.kind = FYKE_VALUE_INTEGER}, {.kind = FYKE_VALUE_BYTES}};
	size_t size;

	values[0].integer = extra->frame_parts;
	values[1].bytes = (const char *)fyke_frames_bytes(&flow->frames);
	values[1].length = flow->frames.length;
	size = fyke_record_list_add(&engine->blocks, extra, &fyke_table_session_frames, moment, values);
	extra->record_bytes += (uint32_t)size;
	return size != 0;
}

static bool add_frames(struct fyke_engine *engine, struct fyke_flow *flow, struct fyke_session *session)
{
	const struct fyke_flow_extra *extra = fyke_engine_extra(engine, flow);
	const struct fyke_moment moment = {flow->frames.last, flow->end_ns};

	if ((extra != NULL && extra->frame_parts > 0) || flow->frames.length > FYKE_FRAMES_INLINE_MAX) {
		if (fyke_engine_need_extra(engine, flow) == NULL)
			return false;
		return flow->frames.length == 0 || fyke_engine_hand_over_frames(engine, flow, &moment);
	}
	session->frames = (const uint8_t *)fyke_arena_copy(
		&engine->arena, fyke_frames_bytes(&flow->frames), flow->frames.length);
	session->frames_length = flow->frames.length;
	return session->frames != NULL;
}

bool fyke_engine_refer(struct fyke_engine *engine, uint32_t index)
{
	struct fyke_flow *flow = fyke_flow_at(&engine->table, index);
	struct fyke_flow_extra *extra;

	if (flow->stored)
		return true;
	extra = fyke_engine_need_extra(engine, flow);
	if (extra == NULL || extra->referred != 0)
		return extra != NULL;
	extra->referred = engine->frame;
	return fyke_engine_remember(
		engine, &engine->wanted, &engine->wanted_count, &engine->wanted_room, index);
}

/* What refers to a session comes after it: at the earliest with the frame that made the tie. */
static uint64_t place_of(
	const struct fyke_engine *engine, const struct fyke_flow *flow, uint64_t deciding_frame)
{
	const struct fyke_flow_extra *extra = fyke_engine_extra(engine, flow);
	bool is_first = extra != NULL && extra->referred != 0 && !flow->stored;

	return is_first && extra->referred < deciding_frame ? extra->referred : deciding_frame;
}

bool fyke_engine_hand_over(
	struct fyke_engine *engine, uint32_t index, enum fyke_end reason, uint64_t deciding_frame)
{
	struct fyke_flow *flow = fyke_flow_at(&engine->table, index);
	bool known = fyke_engine_talk_look(engine, index);
	struct fyke_build build = {.flow = flow,
		.tcp = fyke_engine_tcp(engine, flow),
		.extra = fyke_engine_extra(engine, flow),
		.port_service = fyke_engine_port_service(engine, flow),
		.content_service = fyke_engine_content_service(engine, flow),
		.end_reason = reason,
		.deciding_frame = place_of(engine, flow, deciding_frame),
		.clock_ns = engine->clock_ns};
	struct fyke_session *session = fyke_session_build(&build, &engine->arena);
	struct fyke_flow_extra *extra;
	bool failed = false;

	if (!known || session == NULL || !add_frames(engine, flow, session))
		return false;
	extra = fyke_engine_extra(engine, flow);
	if (extra != NULL) {
		session->records = fyke_record_list_take(&engine->blocks, extra, &engine->arena, &failed);
		extra->record_bytes = 0;
	}
	flow->stored = true;
	flow->changed = false;
	return !failed && fyke_engine_add_finished(engine, session);
}

void fyke_engine_drop_flow(struct fyke_engine *engine, uint32_t index)
{
	struct fyke_flow *flow = fyke_flow_at(&engine->table, index);
	struct fyke_flow_extra *extra = fyke_engine_extra(engine, flow);
	struct fyke_tcp *tcp = fyke_engine_tcp(engine, flow);

	fyke_engine_talk_drop(engine, flow);
	if (tcp != NULL) {
		engine->counters.tcp_stream_bytes += (uint64_t)(fyke_tcp_stream_bytes(&tcp->side[0]) +
								fyke_tcp_stream_bytes(&tcp->side[1]));
		fyke_tcp_release(&engine->tcp_memory, tcp);
		fyke_pool_give(&engine->tcp, flow->tcp);
	}
	if (extra != NULL) {
		if (extra->server_name != NULL)
			engine->heap -= strlen(extra->server_name) + 1;
		free(extra->server_name);
		fyke_record_list_release(&engine->blocks, extra);
		fyke_blocks_give(&engine->blocks, extra->parents, FYKE_FLOW_PARENTS_SIZE);
		fyke_pool_give(&engine->extra, flow->extra);
	}
	fyke_frames_release(&engine->blocks, &flow->frames);
	flow->birth_frame = 0;
	fyke_flow_table_remove(&engine->table, index);
	engine->counters.sessions_open--;
}

/* Closing and resetting come before the silence that follows them. */
static enum fyke_end end_of(
	const struct fyke_engine *engine, const struct fyke_flow *flow, enum fyke_end otherwise)
{
	const struct fyke_tcp *tcp = fyke_engine_tcp(engine, flow);

	if (tcp == NULL || flow->age != FYKE_AGE_CLOSED)
		return otherwise;
	if (tcp->side[FYKE_LOW].state == FYKE_TCP_RESET || tcp->side[FYKE_HIGH].state == FYKE_TCP_RESET)
		return FYKE_END_RST;
	return FYKE_END_FIN;
}

bool fyke_engine_end_flow(
	struct fyke_engine *engine, uint32_t index, enum fyke_end otherwise, uint64_t deciding_frame)
{
	enum fyke_end reason = end_of(engine, fyke_flow_at(&engine->table, index), otherwise);

	if (!fyke_engine_talk_end(engine, index) || !fyke_engine_note_gaps(engine, index) ||
		!fyke_engine_hand_over(engine, index, reason, deciding_frame))
		return false;
	fyke_engine_drop_flow(engine, index);
	return true;
}

static uint64_t half_open_count(const struct fyke_engine *engine)
{
	return engine->half_open != NULL ? fyke_half_open_count(engine->half_open) : 0;
}

static bool evict_oldest(struct fyke_engine *engine)
{
	uint32_t oldest = fyke_flow_table_oldest(&engine->table);
	int64_t flow_ns = oldest == 0 ? INT64_MAX : fyke_flow_at(&engine->table, oldest)->listed_ns,
		syn_ns = INT64_MAX, reset_ns = INT64_MAX;
	uint64_t frame;

	if (engine->half_open != NULL) {
		(void)fyke_half_open_oldest(engine->half_open, &syn_ns, &frame);
		(void)fyke_half_open_oldest_refused(engine->half_open, &reset_ns, &frame);
	}
	if (syn_ns != INT64_MAX && syn_ns <= flow_ns && syn_ns <= reset_ns)
		return fyke_engine_end_oldest_half_open(engine, FYKE_END_EVICTED, engine->frame);
	if (reset_ns != INT64_MAX && reset_ns <= flow_ns)
		return fyke_engine_end_oldest_refused(engine, FYKE_END_EVICTED, engine->frame);
	return fyke_engine_end_flow(engine, oldest, FYKE_END_EVICTED, engine->frame);
}

/* Whether somebody must go; how much room there is for lone SYNs follows from `held`. */
static bool is_full(const struct fyke_engine *engine, uint64_t held)
{
	uint64_t limit = engine->memory_limit;

	if (held > limit || engine->half_open == NULL)
		return held > limit;
	fyke_half_open_allow(engine->half_open, limit - held);
	return fyke_half_open_is_crowded(engine->half_open);
}

/* What is evicted becomes records that live until the tick ends, and those of lone SYNs are ten times as
 * large as they were. Where a great many of those would go at once, unless it is dire the rest waits for the
 * next tick. */
static bool may_evict(const struct fyke_engine *engine, uint64_t held)
{
	uint64_t limit = engine->memory_limit;

	return engine->arena.used < EVICTED_ROOM || half_open_count(engine) == 0 || held > limit + limit / 8;
}

bool fyke_engine_keep_within_memory(struct fyke_engine *engine)
{
	uint64_t held = fyke_engine_memory_held(engine);

	if (held > engine->counters.memory_most)
		engine->counters.memory_most = held;
	while (is_full(engine, held) && may_evict(engine, held) &&
		engine->table.count + half_open_count(engine) > 1) {
		if (!evict_oldest(engine))
			return false;
		engine->counters.evicted++;
		held = fyke_engine_memory_held(engine);
	}
	return true;
}
