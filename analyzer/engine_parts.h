/* One engine's world, shared by the files that make up the engine. Private to them. */
#ifndef FYKE_ANALYZER_ENGINE_PARTS_H
#define FYKE_ANALYZER_ENGINE_PARTS_H

#include "analyzer/base/terms.h"
#include "analyzer/dissect/conversation.h"
#include "analyzer/engine.h"
#include "analyzer/engine_expect.h"
#include "analyzer/flow/half_open.h"
#include "analyzer/flow/table.h"
#include "analyzer/seconds.h"
#include "analyzer/session/build.h"
#include "analyzer/tcp/pages.h"
#include "analyzer/tcp/tcp.h"

/* A session of the running tick, and its place in the order of the tick. */
/* A session of the running tick, with what orders it. */
struct fyke_finished {
	struct fyke_session *session;
	uint64_t deciding_frame, birth; /* birth: fyke_engine_birth_key */
};

/* A flow that is open at the end. */
struct fyke_ending {
	uint64_t birth;
	uint32_t index;
};

struct fyke_engine {
	struct fyke_engine_options options;
	struct fyke_flow_table table;
	struct fyke_half_open *half_open; /* lone SYNs; NULL where open sessions are handed over: live */
	struct fyke_pool tcp, extra;
	struct fyke_engine_counters counters;
	struct fyke_seconds timeline;
	struct fyke_dissect_lookup *lookup; /* NULL: nobody looks into payload */
	struct fyke_dissect_memory conversations;
	struct fyke_spares streams, datagrams; /* struct fyke_talk over TCP; over UDP, without the stream */
	struct fyke_engine_expect expect;
	struct fyke_tick_name *names, **names_end; /* said in the running tick, in its arena */
	struct fyke_stream_memory stream_memory;
	struct fyke_blocks blocks; /* of what hangs on flows */
	struct fyke_terms terms;   /* static words and descriptors that flows know by number */
	struct fyke_tcp_memory tcp_memory;
	struct fyke_watched_block *watched_first, *watched_last; /* engine_rest.c */
	uint64_t memory_limit;					 /* of --memory, what sessions may hold */
	uint64_t heap; /* bytes of names and conversations, beside pools and blocks */

	/* the packet in work */
	uint64_t frame;
	uint32_t births;		    /* sessions born of its frame so far */
	uint32_t carrier;		    /* flow of the packet one layer outside, 0 = none */
	struct fyke_engine *carrier_engine; /* whose it is; mostly this one */
	struct fyke_engine *quoted_engine;  /* likewise of the session that the packet quotes */
	uint8_t carrier_layer;
	const char *service; /* by the server's port; NULL = none known */
	int64_t clock_ns;

	/* the running tick */
	struct fyke_arena arena;
	struct fyke_finished *finished;
	size_t finished_count, finished_room;
	struct fyke_ending *ending; /* the end has begun: open flows, sorted by birth */
	size_t ending_count, ended;
	bool is_ending;
	struct fyke_flow_reference *wanted; /* open flows that are to be handed over at the tick's end */
	size_t wanted_count, wanted_room;
	struct fyke_flow_reference *changed; /* open flows that changed since the last flush; live only */
	size_t changed_count, changed_room;
};

static inline struct fyke_tcp *fyke_engine_tcp(const struct fyke_engine *engine, const struct fyke_flow *flow)
{
	return flow->tcp == 0 ? NULL : fyke_pool_at(&engine->tcp, flow->tcp);
}

static inline struct fyke_flow_extra *fyke_engine_extra(
	const struct fyke_engine *engine, const struct fyke_flow *flow)
{
	return flow->extra == 0 ? NULL : fyke_pool_at(&engine->extra, flow->extra);
}

static inline struct fyke_flow_reference fyke_engine_reference(
	const struct fyke_engine *engine, uint32_t index)
{
	return (struct fyke_flow_reference){fyke_flow_birth(fyke_flow_at(&engine->table, index)), index};
}

/* A birth as one number that orders it. */
static inline uint64_t fyke_engine_birth_key(const struct fyke_birth *birth)
{
	return birth->frame << 16 | (birth->ordinal & UINT16_MAX);
}

/* What the server's port is for, and what was found; NULL = not known. */
static inline const char *fyke_engine_port_service(
	const struct fyke_engine *engine, const struct fyke_flow *flow)
{
	return fyke_terms_at(&engine->terms, flow->side[1 - flow->client].service);
}

static inline const char *fyke_engine_content_service(
	const struct fyke_engine *engine, const struct fyke_flow *flow)
{
	return fyke_terms_at(&engine->terms, flow->content);
}

uint64_t fyke_engine_memory_held(const struct fyke_engine *engine);

/* All functions below that return bool say false when memory is out. */

/* engine.c: a packet of a flow that is found or born: counters, TCP, payload, frames. */
bool fyke_engine_take_into(struct fyke_engine *engine, uint32_t index, const struct fyke_packet *packet,
	enum fyke_endpoint sender);

bool fyke_engine_expire(struct fyke_engine *engine, int64_t time_ns);
bool fyke_engine_fill_tick(struct fyke_engine *engine, struct fyke_tick *tick);
enum fyke_status fyke_engine_out_of_memory(struct fyke_error *error);

/* engine_prefetch.c: a packet that another thread made. */
void fyke_engine_prefetch_packet(const struct fyke_packet *packet);
/* Asks for the memory that packets will touch: each step reads what the one before has
 * asked for. */
enum { FYKE_ENGINE_BATCH = 32 };
void fyke_engine_prefetch_batch(
	const struct fyke_engine *engine, const struct fyke_hashed_key *keys, size_t count);

/* engine_rest.c: no packet came for so long that what the last ones left is of no use. */
bool fyke_engine_is_at_rest(const struct fyke_engine *engine, const struct fyke_flow *flow);
/* A flow over TCP that is not watched has had a packet. */
bool fyke_engine_watch(struct fyke_engine *engine, uint32_t index);
void fyke_engine_rest_release(struct fyke_engine *engine);
/* Gives back what flows at rest have left; at the end of a tick. */
bool fyke_engine_rest(struct fyke_engine *engine);

/* engine_half_open.c: keeps the first packet of a flow small, if it is a lone SYN. */
enum fyke_half_open_answer fyke_engine_defer(
	struct fyke_engine *engine, const struct fyke_packet *packet, uint64_t hash);
/* The flow of a key, 0 = none; one that was kept small becomes whole. */
bool fyke_engine_find(
	struct fyke_engine *engine, const struct fyke_flow_key *key, uint64_t hash, uint32_t *index);
bool fyke_engine_end_oldest_half_open(
	struct fyke_engine *engine, enum fyke_end reason, uint64_t deciding_frame);
bool fyke_engine_end_oldest_refused(
	struct fyke_engine *engine, enum fyke_end reason, uint64_t deciding_frame);
bool fyke_engine_expire_half_open(struct fyke_engine *engine);
/* Keeps a reset beside the lone SYN that it refuses. */
enum fyke_half_open_answer fyke_engine_refuse(
	struct fyke_engine *engine, const struct fyke_packet *packet, const struct fyke_hashed_key *key);

/* engine_birth.c */
void fyke_engine_count_birth(struct fyke_engine *engine);
/* A new flow for its first packet; 0 when memory is out. */
uint32_t fyke_engine_add_flow(struct fyke_engine *engine, const struct fyke_packet *packet,
	const struct fyke_flow_key *key, uint64_t hash, enum fyke_endpoint sender);
void fyke_engine_name_service(struct fyke_engine *engine, struct fyke_flow *flow);

/* engine_notes.c: facts beside the counters. */
/* Another session refers to this one: it is handed over with this tick, before what refers to it. */
bool fyke_engine_refer(struct fyke_engine *engine, uint32_t index);
bool fyke_engine_note_name(
	struct fyke_engine *engine, const struct fyke_address *ip, const char *name, size_t length);
bool fyke_engine_note_carrier(
	struct fyke_engine *engine, struct fyke_flow *flow, const struct fyke_packet *packet);
bool fyke_engine_note_icmp_error(
	struct fyke_engine *engine, uint32_t index, const struct fyke_packet *packet);
bool fyke_engine_note_tcp(struct fyke_engine *engine, uint32_t index, const struct fyke_packet *packet,
	const struct fyke_tcp_result *result);
/* At the end of a flow. */
bool fyke_engine_note_gaps(struct fyke_engine *engine, uint32_t index);
bool fyke_engine_note_frame(struct fyke_engine *engine, uint32_t index, const struct fyke_packet *packet);

/* Adds a row of any table to a flow. */
bool fyke_engine_add_record(struct fyke_engine *engine, uint32_t index, const struct fyke_table *table,
	const struct fyke_moment *moment, const struct fyke_value *values);

/* engine_handover.c: from flows to the sessions of the tick. */
struct fyke_flow_extra *fyke_engine_need_extra(struct fyke_engine *engine, struct fyke_flow *flow);
bool fyke_engine_hand_over_frames(
	struct fyke_engine *engine, struct fyke_flow *flow, const struct fyke_moment *moment);
bool fyke_engine_hand_over(
	struct fyke_engine *engine, uint32_t index, enum fyke_end reason, uint64_t deciding_frame);
bool fyke_engine_end_flow(
	struct fyke_engine *engine, uint32_t index, enum fyke_end otherwise, uint64_t deciding_frame);
/* A session of the running tick. */
bool fyke_engine_add_finished(struct fyke_engine *engine, struct fyke_session *session);
/* Forgets a flow and all that hangs on it. */
void fyke_engine_drop_flow(struct fyke_engine *engine, uint32_t index);
bool fyke_engine_keep_within_memory(struct fyke_engine *engine);
/* Appends to one of the engine's lists of references. */
bool fyke_engine_remember(struct fyke_engine *engine, struct fyke_flow_reference **list, size_t *count,
	size_t *room, uint32_t index);
/* The flow that a reference means, 0 when it has ended (and so was handed over). */
uint32_t fyke_engine_alive(const struct fyke_engine *engine, const struct fyke_flow_reference *reference);

#endif
