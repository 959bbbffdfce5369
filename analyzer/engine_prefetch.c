/*
 * Asks for memory before it is needed. Flows lie anywhere, so with many of them open nearly all that a packet
 * touches has to come from far; one after the other that would take longer than all the work.
 */
#include "analyzer/engine_parts.h"

enum { CACHE_LINE = 64 };

static void prefetch(const void *start, size_t size)
{
	for (size_t at = 0; at < size; at += CACHE_LINE)
		__builtin_prefetch((const char *)start + at, 1);
}

void fyke_engine_prefetch_packet(const struct fyke_packet *packet)
{
	for (size_t at = 0; at < sizeof(*packet); at += CACHE_LINE)
		__builtin_prefetch((const char *)packet + at, 0);
}

/* Of the side that speaks all is touched, of the other what an acknowledgment is about. */
static void prefetch_trail(const struct fyke_tcp_trail *trail, enum fyke_endpoint sender)
{
	const struct fyke_tcp_trail_side *peer = &trail->side[1 - sender];

	prefetch(&trail->side[sender], sizeof(trail->side[sender]));
	prefetch(peer, offsetof(struct fyke_tcp_trail_side, seen));
}

/* The first segment under way of each side. */
static void prefetch_sent(const struct fyke_tcp_trail *trail)
{
	for (int i = 0; i < 2; i++) {
		const struct fyke_tcp_sent_queue *queue = &trail->side[i].sent;

		if (queue->list != NULL)
			__builtin_prefetch(&queue->list[queue->head + queue->acknowledged], 1);
	}
}

void fyke_engine_prefetch_batch(
	const struct fyke_engine *engine, const struct fyke_hashed_key *keys, size_t count)
{
	const struct fyke_tcp *tcp[FYKE_ENGINE_BATCH];
	uint32_t flows[FYKE_ENGINE_BATCH];

	for (size_t i = 0; i < count; i++)
		flows[i] = fyke_flow_table_prefetch_flow(&engine->table, keys[i].hash);
	for (size_t i = 0; i < count; i++) {
		tcp[i] = flows[i] == 0 ? NULL
				       : fyke_engine_tcp(engine, fyke_flow_at(&engine->table, flows[i]));
		if (tcp[i] != NULL)
			prefetch(tcp[i], sizeof(*tcp[i]));
	}
	for (size_t i = 0; i < count; i++) {
		if (tcp[i] != NULL && tcp[i]->trail != NULL)
			prefetch_trail(tcp[i]->trail, keys[i].sender);
	}
	for (size_t i = 0; i < count; i++) {
		if (tcp[i] != NULL && tcp[i]->trail != NULL)
			prefetch_sent(tcp[i]->trail);
	}
}
