/*
 * Lone SYNs, kept small until something more comes (flow/half_open.h), and those that a plain reset refused,
 * while they linger. A SYN that is resumed goes the way of any first packet, as if it came now with the time
 * and frame it had, and so does its reset: what is stored is the same. What stays as it is becomes a session
 * without ever having been a flow.
 *
 * Live, open sessions are handed over at every flush, so there nothing is kept small.
 */
#include "analyzer/engine_talk.h"

enum { EXPIRED_ROOM = 64 << 20 };

/* What both have that are taken without a flow: nothing that carries or is carried. */
static void note_small(struct fyke_engine *engine, uint8_t protocol, uint16_t server_port)
{
	engine->carrier = 0;
	engine->service = fyke_services_name(engine->options.services, protocol, server_port);
}

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
	note_small(engine, packet->protocol, packet->destination_port);
	fyke_engine_count_birth(engine);
	return answer;
}

enum fyke_half_open_answer fyke_engine_refuse(
	struct fyke_engine *engine, const struct fyke_packet *packet, const struct fyke_hashed_key *key)
{
	int64_t limit_ns = engine->table.timeout_ns[FYKE_AGE_HALF_OPEN];
	enum fyke_half_open_answer answer;

	if (engine->half_open == NULL || packet->kind != FYKE_PACKET_TCP ||
		(packet->tcp.flags & FYKE_TCP_RST) == 0)
		return FYKE_HALF_OPEN_UNFIT;
	answer = fyke_half_open_refuse(engine->half_open, packet, key, engine->clock_ns, limit_ns);
	if (answer == FYKE_HALF_OPEN_TAKEN)
		note_small(engine, packet->protocol, packet->source_port);
	return answer;
}

/* The flow of a SYN that was kept small; 0 when memory is out. */
static uint32_t resume(
	struct fyke_engine *engine, const struct fyke_packet *packet, const struct fyke_packet *reset)
{
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
	if (index != 0 && reset != NULL) {
		engine->clock_ns = reset->time_ns;
		if (!fyke_engine_take_into(engine, index, reset, (enum fyke_endpoint)(1 - sender)))
			index = 0;
	}
	engine->clock_ns = clock_ns;
	engine->births = births;
	return index;
}

bool fyke_engine_find(
	struct fyke_engine *engine, const struct fyke_flow_key *key, uint64_t hash, uint32_t *index)
{
	struct fyke_half_open_syn syn, reset;

	*index = fyke_flow_table_find(&engine->table, key, hash);
	if (*index != 0 || engine->half_open == NULL)
		return true;
	if (fyke_half_open_take(engine->half_open, key, hash, &syn))
		*index = resume(engine, &syn.packet, NULL);
	else if (fyke_half_open_take_refused(engine->half_open, key, hash, &syn, &reset))
		*index = resume(engine, &syn.packet, &reset.packet);
	else
		return true;
	return *index != 0;
}

static bool end_small(struct fyke_engine *engine, const struct fyke_packet *syn,
	const struct fyke_packet *reset, enum fyke_end reason, uint64_t deciding_frame)
{
	const struct fyke_build_half_open build = {
		.syn = syn,
		.reset = reset,
		.end_reason = reset != NULL ? FYKE_END_RST : reason,
		.deciding_frame = deciding_frame,
		.clock_ns = engine->clock_ns,
		.port_service =
			fyke_services_name(engine->options.services, syn->protocol, syn->destination_port),
	};
	struct fyke_session *session;
	uint32_t index;

	if (syn->tcp.window == 0) { /* its history has more to tell */
		index = resume(engine, syn, reset);
		return index != 0 && fyke_engine_end_flow(engine, index, reason, deciding_frame);
	}
	session = fyke_session_build_half_open(&build, &engine->arena);
	engine->counters.sessions_open--;
	return session != NULL && fyke_engine_add_finished(engine, session);
}

bool fyke_engine_end_oldest_half_open(
	struct fyke_engine *engine, enum fyke_end reason, uint64_t deciding_frame)
{
	struct fyke_half_open_syn syn;

	return !fyke_half_open_take_oldest(engine->half_open, &syn) ||
	       end_small(engine, &syn.packet, NULL, reason, deciding_frame);
}

bool fyke_engine_end_oldest_refused(struct fyke_engine *engine, enum fyke_end reason, uint64_t deciding_frame)
{
	struct fyke_half_open_syn syn, reset;

	return !fyke_half_open_take_oldest_refused(engine->half_open, &syn, &reset) ||
	       end_small(engine, &syn.packet, &reset.packet, reason, deciding_frame);
}

/* After a pause the SYNs of a whole scan are over at once, and the records that they become are ten times as
 * large: what has no room waits for the next tick. */
static bool has_room(const struct fyke_engine *engine)
{
	return engine->arena.used < EXPIRED_ROOM;
}

bool fyke_engine_expire_half_open(struct fyke_engine *engine)
{
	const int64_t *limits_ns = engine->table.timeout_ns;
	int64_t time_ns;
	uint64_t frame;

	if (engine->half_open == NULL)
		return true;
	while (has_room(engine) && fyke_half_open_oldest(engine->half_open, &time_ns, &frame) &&
		engine->clock_ns - time_ns > limits_ns[FYKE_AGE_HALF_OPEN]) {
		if (!fyke_engine_end_oldest_half_open(engine, FYKE_END_TIMEOUT, engine->frame + 1))
			return false;
	}
	while (has_room(engine) && fyke_half_open_oldest_refused(engine->half_open, &time_ns, &frame) &&
		engine->clock_ns - time_ns > fyke_flow_table_patience(limits_ns[FYKE_AGE_CLOSED])) {
		if (!fyke_engine_end_oldest_refused(engine, FYKE_END_TIMEOUT, engine->frame + 1))
			return false;
	}
	return true;
}
