/*
 * Between flows and conversations: endpoints become sides, chunks become pieces, facts become records
 * of the flow.
 *
 * A chunk may belong to another flow than the packet in work (when stream memory is full the oldest
 * hole is given up, wherever it is), so a talk that ends within a chunk is only marked, and goes with
 * the next packet of its own flow.
 */
#include "analyzer/engine_talk.h"

#include "analyzer/flow/record_list.h"

#include <stdlib.h>
#include <string.h>

enum { STREAMS_KEPT = 2048, DATAGRAMS_KEPT = 4096 };

void fyke_engine_talk_init(struct fyke_engine *engine)
{
	fyke_dissect_memory_init(&engine->conversations);
	fyke_spares_init(&engine->streams, sizeof(struct fyke_talk), STREAMS_KEPT);
	fyke_spares_init(&engine->datagrams, offsetof(struct fyke_talk, stream), DATAGRAMS_KEPT);
}

void fyke_engine_talk_release(struct fyke_engine *engine)
{
	fyke_dissect_memory_release(&engine->conversations);
	fyke_spares_release(&engine->streams);
	fyke_spares_release(&engine->datagrams);
}

static struct fyke_spares *spares_of(struct fyke_engine *engine, const struct fyke_flow *flow)
{
	return flow->tcp != 0 ? &engine->streams : &engine->datagrams;
}

static struct fyke_flow *flow_of(const struct fyke_talk *talk)
{
	return fyke_flow_at(&talk->engine->table, talk->flow);
}

static enum fyke_side side_of(const struct fyke_flow *flow, enum fyke_endpoint endpoint)
{
	return flow->client == endpoint ? FYKE_CLIENT : FYKE_SERVER;
}

/* ---- what conversations say ---- */

static bool take_record(void *context, const struct fyke_table *table, const struct fyke_moment *moment,
	const struct fyke_value *values)
{
	struct fyke_talk *talk = context;

	return fyke_engine_add_record(talk->engine, talk->flow, table, moment, values);
}

static void take_expectation(void *context, const struct fyke_expectation *expectation)
{
	struct fyke_talk *talk = context;
	struct fyke_engine *engine = talk->engine;
	struct fyke_flow_reference by = fyke_engine_reference(engine, talk->flow);

	talk->failed |= !fyke_engine_expect_add(&engine->expect, expectation, &by, engine->clock_ns);
}

static void take_resolved(void *context, const struct fyke_address *ip, const char *name, size_t length)
{
	struct fyke_talk *talk = context;

	talk->failed |= !fyke_engine_note_name(talk->engine, ip, name, length);
}

static const struct fyke_dissect_sink sink = {
	.record = take_record, .expect = take_expectation, .resolved = take_resolved};

/* ---- what streams say ---- */

/* What could not wait is a fact: the session says that it was not read whole. */
static void note_budget_gap(struct fyke_talk *talk, const struct fyke_chunk *chunk)
{
	struct fyke_flow *flow = flow_of(talk);
	const struct fyke_moment moment = {chunk->frame, chunk->time_ns};
	struct fyke_value values[5] = {
		fyke_word(side_of(flow, chunk->side) == FYKE_CLIENT ? "client" : "server"),
		fyke_word("not_assembled"), fyke_integer(chunk->offset - (int64_t)chunk->gap),
		fyke_integer((int64_t)chunk->gap), fyke_word("no memory left to wait for these bytes")};

	if (flow->lost_track)
		return;
	flow->lost_track = true;
	fyke_tcp_note_partial(&talk->engine->tcp_memory, fyke_engine_tcp(talk->engine, flow), chunk->side);
	talk->failed |=
		!fyke_engine_add_record(talk->engine, talk->flow, &fyke_table_tcp_events, &moment, values);
}

static void take_chunk(void *context, const struct fyke_chunk *chunk)
{
	struct fyke_talk *talk = context;
	struct fyke_conversation_piece piece = {.side = side_of(flow_of(talk), chunk->side),
		.data = chunk->data,
		.length = chunk->length,
		.offset = chunk->offset < 0 ? 0 : (uint64_t)chunk->offset,
		.gap = chunk->gap,
		.frame = chunk->frame,
		.time_ns = chunk->time_ns,
		.end = chunk->end};

	if (chunk->gap > 0 && chunk->cause == FYKE_GAP_BUDGET)
		note_budget_gap(talk, chunk);
	talk->heard = true;
	fyke_conversation_take(talk->conversation, &piece);
	if (chunk->end)
		talk->ended |= (uint8_t)(1U << chunk->side);
	if (talk->ended == 3)
		fyke_conversation_end(talk->conversation);
}

static const struct fyke_stream_sink stream_sink = {.chunk = take_chunk};

/* ---- the life of a talk ---- */

static void start_stream(struct fyke_talk *talk, const struct fyke_flow *flow)
{
	struct fyke_engine *engine = talk->engine;
	const struct fyke_tcp *tcp = fyke_engine_tcp(engine, flow);
	struct fyke_stream_options options = {.sink = &stream_sink, .context = talk};

	for (int i = 0; i < 2; i++) {
		struct fyke_address receiver = fyke_kept_key_address(&flow->key, (enum fyke_endpoint)(1 - i));

		options.policy[i] = fyke_receivers_policy(&engine->options.receivers, &receiver);
		options.start[i] = tcp->side[i].syn_seen ? 0 : INT64_MIN;
	}
	fyke_stream_init(&talk->stream, &engine->stream_memory, &options);
}

static bool expect(struct fyke_engine *engine, struct fyke_flow *flow,
	struct fyke_conversation_options *options, const struct fyke_expected *expected)
{
	struct fyke_flow_extra *extra = fyke_engine_need_extra(engine, flow);
	uint32_t by;

	if (extra == NULL)
		return false;
	by = fyke_engine_alive(engine, &expected->by);
	if (by != 0 && !fyke_engine_refer(engine, by))
		return false;
	extra->expected_by = expected->by.birth;
	options->expected = fyke_dissect_named(engine->lookup, expected->dissector);
	options->expected_by = (struct fyke_value){.kind = FYKE_VALUE_SESSION,
		.length = expected->by.birth.ordinal,
		.integer = (int64_t)expected->by.birth.frame};
	options->note = expected->note;
	options->note_length = expected->note_length;
	return true;
}

static bool start_conversation(struct fyke_talk *talk, struct fyke_flow *flow, unsigned transport)
{
	struct fyke_engine *engine = talk->engine;
	struct fyke_conversation_options options = {.lookup = engine->lookup,
		.memory = &engine->conversations,
		.sink = &sink,
		.store = engine->options.file_store,
		.context = talk,
		.stores_secrets = engine->options.stores_secrets,
		.no_file_hashes = engine->options.no_file_hashes,
		.transport = transport,
		.roles_guessed = flow->roles_guessed};
	struct fyke_expected *expected = NULL;

	for (int i = 1; i >= 0; i--) { /* who listens is mostly the server */
		enum fyke_endpoint endpoint =
			(enum fyke_endpoint)(i == FYKE_CLIENT ? flow->client : 1 - flow->client);

		options.ip[i] = fyke_kept_key_address(&flow->key, endpoint);
		options.port[i] = flow->key.port[endpoint];
		if (expected == NULL)
			expected = fyke_engine_expect_find(&engine->expect, transport, &options.ip[i],
				options.port[i], engine->clock_ns);
	}
	if (flow->resting != 0) {
		options.expected = fyke_terms_at(&engine->terms, flow->resting);
		options.resumes = fyke_engine_content_service(engine, flow);
	} else if (expected != NULL && !expect(engine, flow, &options, expected)) {
		return false;
	}
	talk->conversation = fyke_conversation_new(&options);
	if (expected != NULL)
		fyke_engine_expect_met(expected);
	return talk->conversation != NULL;
}

static struct fyke_talk *start(struct fyke_engine *engine, uint32_t index)
{
	struct fyke_flow *flow = fyke_flow_at(&engine->table, index);
	bool is_tcp = flow->tcp != 0;
	struct fyke_talk *talk = fyke_spares_take(spares_of(engine, flow));

	if (talk == NULL)
		return NULL;
	talk->engine = engine;
	talk->flow = index;
	talk->heard = true;
	if (!start_conversation(talk, flow, is_tcp ? FYKE_OVER_TCP : FYKE_OVER_UDP)) {
		fyke_spares_give(spares_of(engine, flow), talk);
		return NULL;
	}
	if (is_tcp)
		start_stream(talk, flow);
	flow->talk = talk;
	return talk;
}

static void count_stream(struct fyke_engine_counters *counters, const struct fyke_stream *stream)
{
	counters->streams++;
	for (int i = 0; i < 2; i++) {
		const struct fyke_reassembly_counters *side = &stream->side[i].counters;

		counters->fed_bytes += side->fed;
		counters->delivered_bytes += side->delivered;
		counters->duplicate_bytes += side->duplicate;
		counters->conflicting_bytes += side->conflicting;
		counters->late_bytes += side->late;
		counters->ignored_bytes += side->ignored;
		counters->dropped_bytes += side->held;
	}
}

void fyke_engine_talk_drop(struct fyke_engine *engine, struct fyke_flow *flow)
{
	struct fyke_talk *talk = flow->talk;

	if (talk == NULL)
		return;
	if (flow->tcp != 0) {
		count_stream(&engine->counters, &talk->stream);
		fyke_stream_release(&talk->stream);
	}
	fyke_conversation_free(talk->conversation);
	engine->heap -= talk->held;
	fyke_spares_give(spares_of(engine, flow), talk);
	flow->talk = NULL;
}

static bool keep_server_name(struct fyke_engine *engine, struct fyke_flow *flow)
{
	size_t length;
	const char *name = fyke_conversation_server_name(flow->talk->conversation, &length);
	struct fyke_flow_extra *extra;

	if (name == NULL || memchr(name, '\0', length) != NULL)
		return true;
	extra = fyke_engine_need_extra(engine, flow);
	if (extra == NULL)
		return false;
	if (extra->server_name == NULL) {
		extra->server_name = strndup(name, length);
		engine->heap += length + 1;
	}
	return extra->server_name != NULL;
}

bool fyke_engine_talk_look(struct fyke_engine *engine, uint32_t index)
{
	struct fyke_flow *flow = fyke_flow_at(&engine->table, index);
	const char *port_service = fyke_engine_port_service(engine, flow);
	const struct fyke_dissection *conversation;

	if (flow->talk == NULL)
		return true;
	conversation = flow->talk->conversation;
	flow->content = fyke_terms_number(&engine->terms, fyke_conversation_service(conversation));
	flow->misfit = flow->content != 0 && port_service != NULL &&
		       !fyke_conversation_fits_port(conversation, port_service);
	return keep_server_name(engine, flow);
}

/* Counts what it holds, and lets go of it when it is over. */
static bool settle(struct fyke_engine *engine, uint32_t index)
{
	struct fyke_flow *flow = fyke_flow_at(&engine->table, index);
	struct fyke_talk *talk = flow->talk;
	size_t held = spares_of(engine, flow)->size + fyke_conversation_held(talk->conversation);

	if (talk->failed)
		return false;
	talk->heard = false;
	engine->heap += held - talk->held;
	talk->held = held;
	flow->resting = fyke_terms_number(&engine->terms, fyke_conversation_resting(talk->conversation));
	flow->talk_over = fyke_conversation_is_over(talk->conversation);
	if (!flow->talk_over && flow->resting == 0)
		return true;
	if (!fyke_engine_talk_look(engine, index))
		return false;
	fyke_engine_talk_drop(engine, flow);
	return true;
}

static void take_datagram(
	const struct fyke_flow *flow, const struct fyke_packet *packet, enum fyke_endpoint sender)
{
	const struct fyke_conversation_piece piece = {.side = side_of(flow, sender),
		.data = packet->payload,
		.length = packet->payload_captured,
		.frame = packet->frame,
		.time_ns = packet->time_ns,
		.cut = packet->payload_captured < packet->payload_length};

	if (packet->checksum == FYKE_CHECKSUM_WRONG || piece.length == 0)
		return;
	flow->talk->heard = true;
	fyke_conversation_take(flow->talk->conversation, &piece);
}

bool fyke_engine_talk_take(struct fyke_engine *engine, uint32_t index, const struct fyke_packet *packet,
	enum fyke_endpoint sender)
{
	struct fyke_flow *flow = fyke_flow_at(&engine->table, index);

	if (flow->talk == NULL && (packet->payload_captured == 0 || start(engine, index) == NULL))
		return packet->payload_captured == 0;
	if (flow->tcp != 0)
		fyke_stream_take(&flow->talk->stream, fyke_engine_tcp(engine, flow), packet, sender);
	else
		take_datagram(flow, packet, sender);
	return flow->talk->heard ? settle(engine, index) : !flow->talk->failed;
}

bool fyke_engine_talk_end(struct fyke_engine *engine, uint32_t index)
{
	struct fyke_flow *flow = fyke_flow_at(&engine->table, index);

	if (flow->talk == NULL)
		return true;
	if (flow->tcp != 0)
		fyke_stream_finish(&flow->talk->stream, flow->frames.last, flow->end_ns);
	fyke_conversation_end(flow->talk->conversation);
	return settle(engine, index);
}
