/*
 * Flows, TCP tracking and sessions of one thread.
 *
 *   packets ─▶ key, hash ─▶ flow (found or born) ─▶ counters, TCP ─▶ silence, reuse, end ─▶ sessions of the
 * tick
 *
 * Packets go through in batches: all are hashed and their slots fetched before the first is looked
 * up. Whatever is decided depends on the packets and on their clock alone, so a capture gives the
 * same sessions however often it is read.
 */
#include "analyzer/engine.h"

#include "analyzer/base/seed.h"
#include "analyzer/engine_talk.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = FYKE_ENGINE_BATCH };

#define SECOND	       INT64_C(1000000000)
#define DEFAULT_MEMORY (UINT64_C(1) << 30)
/* Blocks of packets, and sessions on their way out, beside those that are open. */
#define ASIDE_MOST   (UINT64_C(32) << 20)
#define ASIDE_SHARE  8
#define STREAM_SHARE 4 /* bytes that wait for their place may hold a quarter of the memory */

static int64_t or_default(int64_t value, int64_t seconds)
{
	return value != 0 ? value : seconds * SECOND;
}

static void set_timeouts(struct fyke_engine *engine, const struct fyke_engine_options *options)
{
	int64_t *timeouts = engine->table.timeout_ns;

	timeouts[FYKE_AGE_BRIEF] = or_default(options->udp_idle_ns, 60);
	timeouts[FYKE_AGE_HALF_OPEN] = or_default(options->tcp_half_open_ns, 60);
	timeouts[FYKE_AGE_OPEN] =
		or_default(options->tcp_idle_ns, 7440); /* RFC 5382 REQ-5: 2 h 4 min at least */
	timeouts[FYKE_AGE_CLOSED] = or_default(options->tcp_linger_ns, 60);
}

enum fyke_status fyke_engine_out_of_memory(struct fyke_error *error)
{
	return fyke_error_set(error, FYKE_FAILED_MEMORY,
		"no memory left for sessions; with a smaller --memory fewer are kept open at once");
}

static uint64_t aside(uint64_t memory)
{
	return memory / ASIDE_SHARE < ASIDE_MOST ? memory / ASIDE_SHARE : ASIDE_MOST;
}

enum fyke_status fyke_engine_new(
	const struct fyke_engine_options *options, struct fyke_engine **engine, struct fyke_error *error)
{
	struct fyke_engine *fresh = calloc(1, sizeof(*fresh));

	if (fresh == NULL)
		return fyke_engine_out_of_memory(error);
	if (options->dissectors != NULL)
		fresh->lookup = fyke_dissect_lookup_new(options->dissectors);
	if ((options->dissectors != NULL && fresh->lookup == NULL) ||
		fyke_flow_table_init(&fresh->table, fyke_seed(), &fresh->blocks) != FYKE_OK) {
		fyke_dissect_lookup_free(fresh->lookup);
		free(fresh);
		return fyke_engine_out_of_memory(error);
	}
	if (!options->keep_changed) {
		fresh->half_open = fyke_half_open_new(fresh->table.seed);
		if (fresh->half_open == NULL) {
			fyke_engine_free(fresh);
			return fyke_engine_out_of_memory(error);
		}
	}
	fresh->options = *options;
	if (fresh->options.memory == 0)
		fresh->options.memory = DEFAULT_MEMORY;
	fresh->memory_limit = fresh->options.memory - aside(fresh->options.memory);
	set_timeouts(fresh, options);
	fyke_pool_init(&fresh->tcp, sizeof(struct fyke_tcp));
	fyke_pool_init(&fresh->extra, sizeof(struct fyke_flow_extra));
	fyke_stream_memory_init(&fresh->stream_memory, fresh->options.memory / STREAM_SHARE);
	fyke_arena_init(&fresh->arena);
	fyke_engine_talk_init(fresh);
	fresh->names_end = &fresh->names;
	fresh->tcp_memory.blocks = &fresh->blocks;
	fresh->quoted_engine = fresh;
	*engine = fresh;
	return FYKE_OK;
}

static void count_on_side(struct fyke_flow *flow, const struct fyke_packet *packet, enum fyke_endpoint sender)
{
	struct fyke_flow_side *side = &flow->side[sender];

	if (side->packets == 0)
		side->ttl = packet->ttl;
	if (!side->has_mac && packet->source_mac != NULL) {
		memcpy(flow->mac[sender], packet->source_mac, sizeof(flow->mac[sender]));
		side->has_mac = true;
	}
	side->packets++;
	side->bytes = (side->bytes + packet->ip_bytes) & FYKE_FLOW_COUNT_MASK;
	side->payload_bytes = (side->payload_bytes + packet->payload_length) & FYKE_FLOW_COUNT_MASK;
	if (packet->kind == FYKE_PACKET_TCP)
		side->tcp_flags |= packet->tcp.flags;
}

/* False when memory is out. */
static bool count_packet(struct fyke_engine *engine, struct fyke_flow *flow, const struct fyke_packet *packet,
	enum fyke_endpoint sender)
{
	struct fyke_flow_extra *extra;

	count_on_side(flow, packet, sender);
	if (packet->time_ns < flow->start_ns)
		flow->start_ns = packet->time_ns;
	if (packet->time_ns > flow->end_ns)
		flow->end_ns = packet->time_ns;
	if (packet->checksum != FYKE_CHECKSUM_WRONG)
		return true;
	extra = fyke_engine_need_extra(engine, flow);
	if (extra != NULL)
		extra->bad_checksums++;
	return extra != NULL;
}

static bool take_tcp(struct fyke_engine *engine, uint32_t index, const struct fyke_packet *packet,
	enum fyke_endpoint sender)
{
	static const enum fyke_flow_age ages[] = {
		[FYKE_TCP_PHASE_HALF_OPEN] = FYKE_AGE_HALF_OPEN,
		[FYKE_TCP_PHASE_OPEN] = FYKE_AGE_OPEN,
		[FYKE_TCP_PHASE_CLOSED] = FYKE_AGE_CLOSED,
	};
	struct fyke_flow *flow = fyke_flow_at(&engine->table, index);
	struct fyke_tcp *tcp = fyke_engine_tcp(engine, flow);
	struct fyke_tcp_result result;

	if (fyke_engine_is_at_rest(engine, flow))
		fyke_tcp_rest(&engine->tcp_memory, tcp);
	if (!flow->watched && !fyke_engine_watch(engine, index))
		return false;
	if (!fyke_tcp_take(&engine->tcp_memory, tcp, packet, sender, &result))
		return false;
	engine->counters.tcp_payload_bytes += packet->payload_length;
	engine->counters.tcp_repeated_bytes += (uint64_t)result.repeated_bytes;
	engine->counters.tcp_ignored_bytes += (uint64_t)result.ignored_bytes;
	if (tcp->client != flow->client) {
		flow->client = tcp->client;
		fyke_engine_name_service(engine, flow);
	}
	fyke_flow_table_set_age(&engine->table, index, ages[result.phase]);
	return result.event_count == 0 || fyke_engine_note_tcp(engine, index, packet, &result);
}

/* Why the flow that was found is not the packet's: OPEN when it is. */
static enum fyke_end is_over(struct fyke_engine *engine, uint32_t index, const struct fyke_packet *packet,
	enum fyke_endpoint sender)
{
	const struct fyke_flow *flow = fyke_flow_at(&engine->table, index);

	if (fyke_flow_table_is_silent(&engine->table, flow, engine->clock_ns))
		return FYKE_END_TIMEOUT;
	if (flow->tcp != 0 && fyke_tcp_is_new_connection(fyke_engine_tcp(engine, flow), packet, sender))
		return FYKE_END_REUSED;
	return FYKE_END_OPEN;
}

/* Which packet carries the next one: layers of a frame come in a row, outermost first. */
static void enter_packet(struct fyke_engine *engine, const struct fyke_packet *packet, int64_t clock_ns)
{
	if (packet->frame != engine->frame) {
		engine->frame = packet->frame;
		engine->births = 0;
		engine->carrier = 0;
	}
	if (engine->carrier != 0 && packet->layer != engine->carrier_layer + 1)
		engine->carrier = 0;
	engine->clock_ns = clock_ns;
	fyke_flow_table_advance(&engine->table, clock_ns);
}

static bool is_icmp_error(const struct fyke_packet *packet)
{
	return (packet->kind == FYKE_PACKET_ICMP || packet->kind == FYKE_PACKET_ICMP6) &&
	       packet->icmp.has_quote;
}

bool fyke_engine_take_into(struct fyke_engine *engine, uint32_t index, const struct fyke_packet *packet,
	enum fyke_endpoint sender)
{
	struct fyke_flow *flow = fyke_flow_at(&engine->table, index);

	if (!count_packet(engine, flow, packet, sender))
		return false;
	if (flow->tcp != 0 && !take_tcp(engine, index, packet, sender))
		return false;
	if (engine->lookup != NULL && !flow->talk_over &&
		(flow->tcp != 0 || packet->kind == FYKE_PACKET_UDP) &&
		!fyke_engine_talk_take(engine, index, packet, sender))
		return false;
	fyke_flow_table_touch(&engine->table, index, engine->clock_ns);
	if (engine->options.keep_changed && !flow->changed) {
		flow->changed = true;
		if (!fyke_engine_remember(
			    engine, &engine->changed, &engine->changed_count, &engine->changed_room, index))
			return false;
	}
	return fyke_engine_note_frame(engine, index, packet);
}

/* How the packet stands to those around it. */
static bool tie(struct fyke_engine *engine, uint32_t index, const struct fyke_packet *packet)
{
	struct fyke_flow *flow = fyke_flow_at(&engine->table, index);

	if ((engine->carrier != 0 && !fyke_engine_note_carrier(engine, flow, packet)) ||
		(is_icmp_error(packet) && !fyke_engine_note_icmp_error(engine, index, packet)))
		return false;
	engine->carrier = index;
	engine->carrier_engine = engine;
	engine->carrier_layer = packet->layer;
	engine->service = fyke_engine_port_service(engine, flow);
	return true;
}

/* A packet without a flow of its own: a lone SYN waits for more, anything else begins a flow. */
static bool take_first(struct fyke_engine *engine, const struct fyke_packet *packet,
	const struct fyke_hashed_key *key, uint32_t *index)
{
	switch (fyke_engine_defer(engine, packet, key->hash)) {
	case FYKE_HALF_OPEN_TAKEN:
		*index = 0;
		return true;
	case FYKE_HALF_OPEN_NO_MEMORY:
		return false;
	default:
		*index = fyke_engine_add_flow(engine, packet, &key->key, key->hash, key->sender);
		return *index != 0;
	}
}

static bool take_packet(
	struct fyke_engine *engine, const struct fyke_packet *packet, const struct fyke_hashed_key *key)
{
	enum fyke_end end;
	uint32_t index;

	switch (fyke_engine_refuse(engine, packet, key)) {
	case FYKE_HALF_OPEN_TAKEN:
		return true;
	case FYKE_HALF_OPEN_NO_MEMORY:
		return false;
	default:
		break;
	}
	if (!fyke_engine_find(engine, &key->key, key->hash, &index))
		return false;
	if (index != 0 && (end = is_over(engine, index, packet, key->sender)) != FYKE_END_OPEN) {
		if (!fyke_engine_end_flow(engine, index, end, packet->frame))
			return false;
		index = 0;
	}
	if (index == 0 && !take_first(engine, packet, key, &index))
		return false;
	return index == 0 ||
	       (fyke_engine_take_into(engine, index, packet, key->sender) && tie(engine, index, packet));
}

/* A frame counts once in the timeline: with its innermost packet. */
static bool count_frame(struct fyke_engine *engine, const struct fyke_packet *packet)
{
	return fyke_seconds_count(&engine->timeline, packet->time_ns, engine->service, packet->ip_bytes);
}

static bool take_batch(struct fyke_engine *engine, const struct fyke_packet *const *packets,
	const int64_t *clock_ns, size_t count)
{
	struct fyke_hashed_key keys[BATCH];

	for (size_t i = 0; i < count; i++)
		keys[i].sender = fyke_flow_key_of(packets[i], &keys[i].key);
	/* not at once: words cannot be read while the bytes in them are still being written */
	for (size_t i = 0; i < count; i++) {
		keys[i].hash = fyke_flow_table_hash(&engine->table, &keys[i].key);
		fyke_flow_table_prefetch_slot(&engine->table, keys[i].hash);
		if (engine->half_open != NULL)
			fyke_half_open_prefetch(engine->half_open, &keys[i]);
	}
	fyke_engine_prefetch_batch(engine, keys, count);
	for (size_t i = 0; i < count; i++) {
		enter_packet(engine, packets[i], clock_ns[i]);
		if (!take_packet(engine, packets[i], &keys[i]))
			return false;
		if ((i + 1 == count || packets[i + 1]->frame != packets[i]->frame) &&
			!count_frame(engine, packets[i]))
			return false;
	}
	engine->counters.packets += count;
	return fyke_engine_keep_within_memory(engine);
}

/* `own` NULL: all of them. */
static enum fyke_status take_all(struct fyke_engine *engine, const struct fyke_packet *packets,
	const int64_t *clock_ns, const uint16_t *own, size_t count, struct fyke_error *error)
{
	const struct fyke_packet *batch[BATCH + 1];
	int64_t clocks[BATCH + 1];

	for (size_t next = 0; next < count;) {
		size_t part = 0;

		for (; part <= BATCH && next + part < count; part++) {
			size_t at = own == NULL ? next + part : own[next + part];

			batch[part] = &packets[at];
			clocks[part] = clock_ns[at];
			if (own != NULL && next + part + BATCH < count)
				fyke_engine_prefetch_packet(&packets[own[next + part + BATCH]]);
		}
		if (part > BATCH) {
			/* the layers of one frame stay together */
			part = BATCH;
			while (part > 1 && batch[part]->frame == batch[part - 1]->frame)
				part--;
		}
		if (!take_batch(engine, batch, clocks, part))
			return fyke_engine_out_of_memory(error);
		next += part;
	}
	return FYKE_OK;
}

enum fyke_status fyke_engine_take(struct fyke_engine *engine, const struct fyke_packet *packets,
	const int64_t *clock_ns, size_t count, struct fyke_error *error)
{
	return take_all(engine, packets, clock_ns, NULL, count, error);
}

enum fyke_status fyke_engine_take_own(struct fyke_engine *engine, const struct fyke_packet *packets,
	const int64_t *clock_ns, const uint16_t *own, size_t count, struct fyke_error *error)
{
	return take_all(engine, packets, clock_ns, own, count, error);
}

/* What it has seen of the frame goes on here. */
static void follow(struct fyke_engine *engine, const struct fyke_engine *before)
{
	engine->frame = before->frame;
	engine->births = before->births;
	engine->carrier = before->carrier;
	engine->carrier_engine = before->carrier_engine;
	engine->carrier_layer = before->carrier_layer;
}

enum fyke_status fyke_engine_take_tied(struct fyke_engine *engine, const struct fyke_packet *packet,
	int64_t clock_ns, const struct fyke_engine_ties *ties, struct fyke_error *error)
{
	struct fyke_hashed_key key;
	bool taken;

	if (ties->before != NULL && ties->before != engine)
		follow(engine, ties->before);
	enter_packet(engine, packet, clock_ns);
	if (ties->quoted != NULL)
		engine->quoted_engine = ties->quoted;
	key.sender = fyke_flow_key_of(packet, &key.key);
	key.hash = fyke_flow_table_hash(&engine->table, &key.key);
	taken = take_packet(engine, packet, &key) && (!ties->innermost || count_frame(engine, packet));
	engine->quoted_engine = engine;
	engine->counters.packets++;
	return taken && fyke_engine_keep_within_memory(engine) ? FYKE_OK : fyke_engine_out_of_memory(error);
}

void fyke_engine_reach(struct fyke_engine *engine, uint64_t frame, int64_t clock_ns)
{
	if (engine->frame != frame) {
		engine->frame = frame;
		engine->births = 0;
		engine->carrier = 0;
	}
	if (clock_ns > engine->clock_ns)
		engine->clock_ns = clock_ns;
	fyke_flow_table_advance(&engine->table, clock_ns);
}

struct fyke_engine_counters fyke_engine_counters(const struct fyke_engine *engine)
{
	struct fyke_engine_counters counters = engine->counters;

	counters.memory = fyke_engine_memory_held(engine);
	return counters;
}

void fyke_engine_free(struct fyke_engine *engine)
{
	if (engine == NULL)
		return;
	while (engine->table.count > 0)
		fyke_engine_drop_flow(engine, fyke_flow_table_oldest(&engine->table));
	fyke_flow_table_release(&engine->table);
	fyke_engine_rest_release(engine);
	fyke_stream_memory_release(&engine->stream_memory);
	fyke_engine_expect_release(&engine->expect);
	fyke_dissect_lookup_free(engine->lookup);
	fyke_engine_talk_release(engine);
	fyke_half_open_free(engine->half_open);
	fyke_pool_release(&engine->tcp);
	fyke_blocks_release(&engine->blocks);
	fyke_terms_release(&engine->terms);
	fyke_pool_release(&engine->extra);
	fyke_seconds_release(&engine->timeline);
	fyke_arena_release(&engine->arena);
	free(engine->ending);
	free(engine->finished);
	free(engine->wanted);
	free(engine->changed);
	free(engine);
}
