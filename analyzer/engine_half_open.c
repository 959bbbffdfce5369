/*
 * Lone SYNs, kept small until something more comes (flow/half_open.h). A SYN that is resumed goes the way
 * of any first packet, as if it came now with the time and frame it had: what is stored is the same.
 *
 * Live, open sessions are handed over at every flush, so there nothing is kept small.
 */
#include "analyzer/engine_talk.h"

enum fyke_half_open_answer fyke_engine_defer(
	struct fyke_engine *engine, const struct fyke_packet *packet, uint64_t hash)
{
	enum fyke_half_open_answer answer;

	if (engine->half_open == NULL || engine->births != 0)
		return FYKE_HALF_OPEN_UNFIT;
	answer = fyke_half_open_add(engine->half_open, packet, hash, engine->clock_ns);
	if (answer != FYKE_HALF_OPEN_TAKEN)
		return answer;
	engine->births++;
	engine->carrier = 0;
	engine->service =
		fyke_services_name(engine->options.services, packet->protocol, packet->destination_port);
	fyke_engine_count_birth(engine);
	return answer;
}

/* The flow of a SYN that was kept small; 0 when memory is out. */
static uint32_t resume(struct fyke_engine *engine, const struct fyke_half_open_syn *syn)
{
	const struct fyke_packet *packet = &syn->packet;
	int64_t clock_ns = engine->clock_ns;
	uint32_t births = engine->births, index;
	enum fyke_endpoint sender;
	struct fyke_flow_key key;

	sender = fyke_flow_key_of(packet, &key);
	engine->clock_ns = packet->time_ns;
	engine->births = 0;
	engine->counters.sessions--; /* it was counted when it came */
	engine->counters.sessions_open--;
	index = fyke_engine_add_flow(
		engine, packet, &key, fyke_flow_table_hash(&engine->table, &key), sender);
	if (index != 0 && !fyke_engine_take_into(engine, index, packet, sender))
		index = 0;
	engine->clock_ns = clock_ns;
	engine->births = births;
	return index;
}

bool fyke_engine_find(
	struct fyke_engine *engine, const struct fyke_flow_key *key, uint64_t hash, uint32_t *index)
{
	struct fyke_half_open_syn syn;

	*index = fyke_flow_table_find(&engine->table, key, hash);
	if (*index != 0 || engine->half_open == NULL ||
		!fyke_half_open_take(engine->half_open, key, hash, &syn))
		return true;
	*index = resume(engine, &syn);
	return *index != 0;
}

bool fyke_engine_end_oldest_half_open(
	struct fyke_engine *engine, enum fyke_end reason, uint64_t deciding_frame)
{
	struct fyke_half_open_syn syn;
	uint32_t index;

	if (!fyke_half_open_take_oldest(engine->half_open, &syn))
		return true;
	index = resume(engine, &syn);
	return index != 0 && fyke_engine_end_flow(engine, index, reason, deciding_frame);
}

bool fyke_engine_expire_half_open(struct fyke_engine *engine)
{
	int64_t limit_ns = engine->table.timeout_ns[FYKE_AGE_HALF_OPEN], time_ns;
	uint64_t frame;

	while (engine->half_open != NULL && fyke_half_open_oldest(engine->half_open, &time_ns, &frame) &&
		engine->clock_ns - time_ns > limit_ns) {
		if (!fyke_engine_end_oldest_half_open(engine, FYKE_END_TIMEOUT, engine->frame + 1))
			return false;
	}
	return true;
}
