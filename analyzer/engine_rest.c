/*
 * Connections at rest. What a connection remembers of its last packets (struct fyke_tcp_trail) is larger than
 * all the rest of it, and of use only as long as something may follow at once. After a few seconds of
 * silence it is forgotten.
 *
 * That is decided by the clock alone when the next packet comes; the memory is given back before. Those that
 * have a trail are watched: they stand in a queue, and are looked at about once a second until they rest.
 *
 *   a packet ──▶ last block ─▶ … ─▶ first block ──▶ LOOK_NS later: at rest? ──no──▶ last block again
 */
#include "analyzer/engine_parts.h"

#define REST_NS	       INT64_C(3000000000) /* the longest first timeout (RFC 6298 §5.7) */
#define CLOSED_REST_NS INT64_C(1000000000) /* nothing is sent any more */
#define LOOK_NS	       INT64_C(1000000000)

enum { WATCHED = 254 };

struct watched {
	uint32_t flow, birth; /* lower part of its frame: another may have taken the place */
	int64_t since_ns;
};

struct fyke_watched_block {
	struct fyke_watched_block *next;
	uint32_t taken, count;
	struct watched list[WATCHED];
};

_Static_assert(sizeof(struct fyke_watched_block) <= FYKE_BLOCKS_LARGEST, "a block, not an allocation");

static struct fyke_watched_block *add_block(struct fyke_engine *engine)
{
	struct fyke_watched_block *block = fyke_blocks_take(&engine->blocks, sizeof(*block));

	if (block == NULL)
		return NULL;
	block->next = NULL;
	block->taken = block->count = 0;
	if (engine->watched_last != NULL)
		engine->watched_last->next = block;
	else
		engine->watched_first = block;
	engine->watched_last = block;
	return block;
}

bool fyke_engine_watch(struct fyke_engine *engine, uint32_t index)
{
	struct fyke_flow *flow = fyke_flow_at(&engine->table, index);
	struct fyke_watched_block *last = engine->watched_last;

	if ((last == NULL || last->count == WATCHED) && (last = add_block(engine)) == NULL)
		return false;
	last->list[last->count++] = (struct watched){index, (uint32_t)flow->birth_frame, engine->clock_ns};
	flow->watched = true;
	return true;
}

/* The one that has stood in the queue longest, if that is long enough. */
static bool take_watched(struct fyke_engine *engine, struct watched *watched)
{
	struct fyke_watched_block *first = engine->watched_first;

	if (first == NULL || first->taken == first->count)
		return false;
	*watched = first->list[first->taken];
	if (engine->clock_ns - watched->since_ns <= LOOK_NS)
		return false;
	if (++first->taken < WATCHED)
		return true;
	engine->watched_first = first->next;
	if (first->next == NULL)
		engine->watched_last = NULL;
	fyke_blocks_give(&engine->blocks, first, sizeof(*first));
	return true;
}

bool fyke_engine_is_at_rest(const struct fyke_engine *engine, const struct fyke_flow *flow)
{
	int64_t silence_ns = engine->clock_ns - flow->touched_ns;

	return silence_ns > (flow->age == FYKE_AGE_CLOSED ? CLOSED_REST_NS : REST_NS);
}

/* Those in which something is under way keep their trail, and are watched again from their next packet on. */
bool fyke_engine_rest(struct fyke_engine *engine)
{
	struct watched watched;

	while (take_watched(engine, &watched)) {
		struct fyke_flow *flow = fyke_flow_at(&engine->table, watched.flow);

		if (flow->birth_frame == 0 || (uint32_t)flow->birth_frame != watched.birth || !flow->watched)
			continue;
		if (!fyke_engine_is_at_rest(engine, flow)) {
			if (!fyke_engine_watch(engine, watched.flow))
				return false;
			continue;
		}
		flow->watched = false;
		fyke_tcp_rest(&engine->tcp_memory, fyke_engine_tcp(engine, flow));
	}
	return true;
}

void fyke_engine_rest_release(struct fyke_engine *engine)
{
	while (engine->watched_first != NULL) {
		struct fyke_watched_block *first = engine->watched_first;

		engine->watched_first = first->next;
		fyke_blocks_give(&engine->blocks, first, sizeof(*first));
	}
	engine->watched_last = NULL;
}
