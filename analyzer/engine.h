/*
 * The one file that wires the levels behind decoding: flows, TCP, classification, sessions.
 * One engine is one thread's world; nothing in it is global.
 */
#ifndef FYKE_ANALYZER_ENGINE_H
#define FYKE_ANALYZER_ENGINE_H

#include "analyzer/classify/services.h"
#include "analyzer/decode/packet.h"
#include "analyzer/dissect/file_store.h"
#include "analyzer/session/sink.h"
#include "analyzer/tcp/receivers.h"
#include "dissectors/dissector.h"

struct fyke_engine;

/* Zero means the default of DESIGN §4. */
struct fyke_engine_options {
	const struct fyke_services *services; /* borrowed for the engine's life */
	uint64_t memory;		      /* bytes for flows and all that hangs on them (--memory) */
	int64_t tcp_idle_ns;		      /* 7440 s */
	int64_t tcp_half_open_ns;	      /* 60 s */
	int64_t tcp_linger_ns;		      /* 60 s after FIN exchange or RST */
	int64_t udp_idle_ns;		      /* 60 s: UDP, ICMP and all others */
	const struct fyke_dissector *const *dissectors; /* ends with NULL; NULL: nobody looks into payload */
	struct fyke_receivers receivers;		/* overlap policies; borrowed */
	const struct fyke_file_store *file_store;	/* where files go, NULL: nowhere; borrowed */
	bool stores_secrets;
	bool no_file_hashes;
	bool keep_changed; /* remember which open sessions changed, for ticks with `flush` */
};

struct fyke_engine_counters {
	uint64_t packets;  /* taken, inner ones counted apart */
	uint64_t sessions; /* born */
	uint64_t sessions_open, sessions_open_most;
	uint64_t evicted;
	uint64_t memory, memory_most; /* bytes held for flows */
	uint64_t tcp_payload_bytes;   /* seen */
	uint64_t tcp_stream_bytes, tcp_repeated_bytes,
		tcp_ignored_bytes; /* = delivered + seen again + left out (RST payload, bad checksum, outside
				      the window) */
	/* of the streams that were put in order: fed = delivered + duplicate + conflicting + late + ignored +
	 * dropped, what waited when nothing more was to be learned */
	uint64_t streams, fed_bytes, delivered_bytes, duplicate_bytes, conflicting_bytes, late_bytes,
		ignored_bytes, dropped_bytes;
};

FYKE_MUST_USE enum fyke_status fyke_engine_new(
	const struct fyke_engine_options *options, struct fyke_engine **engine, struct fyke_error *error);
void fyke_engine_free(struct fyke_engine *engine);

/* Takes packets in capture order (several layers of one frame in a row, outermost first). Their
 * bytes are borrowed for the call. All belong to the running tick. `clock_ns[i]` is the confirmed
 * packet time at packet i: what idle sessions are measured against. */
FYKE_MUST_USE enum fyke_status fyke_engine_take(struct fyke_engine *engine, const struct fyke_packet *packets,
	const int64_t *clock_ns, size_t count, struct fyke_error *error);

enum fyke_tick_kind {
	FYKE_TICK_PLAIN,
	FYKE_TICK_FLUSH, /* open sessions that changed since the last flush come too */
	FYKE_TICK_LAST,	 /* the end follows: only open sessions that others refer to come too */
};

/* The same of some packets only: those at `own[0 … count - 1]`, ascending; all of a frame or none. */
FYKE_MUST_USE enum fyke_status fyke_engine_take_own(struct fyke_engine *engine,
	const struct fyke_packet *packets, const int64_t *clock_ns, const uint16_t *own, size_t count,
	struct fyke_error *error);

/* How a packet stands to flows of other engines, which are left alone meanwhile. */
struct fyke_engine_ties {
	struct fyke_engine *before; /* took the packet before it in its frame; NULL = it is the first */
	struct fyke_engine *quoted; /* has the session that it quotes, if anybody; NULL = it quotes none */
	bool innermost;		    /* the last of its frame */
};

/* Takes one packet of a frame that several engines share. */
FYKE_MUST_USE enum fyke_status fyke_engine_take_tied(struct fyke_engine *engine,
	const struct fyke_packet *packet, int64_t clock_ns, const struct fyke_engine_ties *ties,
	struct fyke_error *error);

/* The latest packet of all engines was of this frame, at this clock: before a tick ends. */
void fyke_engine_reach(struct fyke_engine *engine, uint64_t frame, int64_t clock_ns);

/* Ends the running tick: expires by `time_ns` (packet time of the next tick's first frame), sorts what was
 * finished and moves it into `tick`. */
FYKE_MUST_USE enum fyke_status fyke_engine_tick(struct fyke_engine *engine, int64_t time_ns,
	enum fyke_tick_kind kind, struct fyke_tick *tick, struct fyke_error *error);

/* The end of the capture: about `limit` of the sessions that are open are handed over, by birth; `*more`
 * tells whether any are left for another call. Nothing else may be called in between. */
FYKE_MUST_USE enum fyke_status fyke_engine_end_part(struct fyke_engine *engine, size_t limit,
	struct fyke_tick *tick, bool *more, struct fyke_error *error);

/* All of them at once. */
FYKE_MUST_USE enum fyke_status fyke_engine_end(
	struct fyke_engine *engine, struct fyke_tick *tick, struct fyke_error *error);

struct fyke_engine_counters fyke_engine_counters(const struct fyke_engine *engine);

#endif
