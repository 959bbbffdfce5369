/*
 * Connections at rest. What a connection remembers of its last packets (struct fyke_tcp_trail) is larger than
 * all the rest of it, and of use only as long as something may follow at once. After a few seconds of
 * silence it is forgotten.
 *
 * That is decided by the clock alone when the next packet comes; the memory is given back before, by a look
 * at some of the flows in each tick. Either way the same is forgotten.
 */
#include "analyzer/engine_parts.h"

#define REST_NS	       INT64_C(3000000000) /* the longest first timeout (RFC 6298 §5.7) */
#define CLOSED_REST_NS INT64_C(1000000000) /* nothing is sent any more */

enum { SHARE = 128, LEAST = 64 }; /* of the flows a tick */

bool fyke_engine_is_at_rest(const struct fyke_engine *engine, const struct fyke_flow *flow)
{
	int64_t silence_ns = engine->clock_ns - flow->touched_ns;

	return silence_ns > (flow->age == FYKE_AGE_CLOSED ? CLOSED_REST_NS : REST_NS);
}

void fyke_engine_rest(struct fyke_engine *engine)
{
	uint32_t known = engine->table.flows.unused;

	for (uint32_t left = known / SHARE + LEAST; left > 0 && known > 1; left--) {
		const struct fyke_flow *flow;

		engine->rest_next = engine->rest_next + 1 < known ? engine->rest_next + 1 : 1;
		flow = fyke_flow_at(&engine->table, engine->rest_next);
		if (flow->tcp != 0 && flow->birth_frame != 0 && fyke_engine_is_at_rest(engine, flow))
			fyke_tcp_rest(&engine->tcp_memory, fyke_engine_tcp(engine, flow));
	}
}
