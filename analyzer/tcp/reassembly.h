/*
 * One side of a TCP stream, put in order: segments in, chunks out.
 *
 * The contract of the chunks (struct fyke_stream_sink):
 * - Offsets never decrease. Every byte of the stream is delivered once at most; what lies between two
 *   chunks stands in the second one's `gap`. A chunk without data tells a gap alone.
 * - Data that comes in order passes through within the call that brought it, uncopied. Only what must
 *   wait for earlier bytes is held, in pages, and what is delivered is settled, whatever comes later.
 * - A hole is waited for until the other side acknowledged data behind it, the budget is full, or the
 *   end; then it is told as a gap with its cause. What comes for it later is counted as late.
 * - The end is told once, as a chunk with `end`, when all bytes before the FIN were delivered or by
 *   fyke_reassembly_finish; nothing comes behind it.
 * - Data are borrowed until the callback returns. A callback must not call back into any stream of the
 *   same memory. When memory is full, a call for one stream may deliver chunks of another one.
 *
 * Where two segments bring different bytes for one place, the receiver's policy says whose count
 * (policy.h), and both versions are told; identical bytes again are nothing.
 *
 * Conservation: fed = delivered + duplicate + conflicting + late + ignored + held.
 */
#ifndef FYKE_TCP_REASSEMBLY_H
#define FYKE_TCP_REASSEMBLY_H

#include "analyzer/flow/key.h"
#include "analyzer/tcp/holes.h"
#include "analyzer/tcp/pages.h"
#include "analyzer/tcp/policy.h"
#include "analyzer/tcp/recent.h"
#include "analyzer/tcp/waiting.h"

enum fyke_gap_cause {
	FYKE_GAP_NONE = 0,
	FYKE_GAP_NEVER_ACKNOWLEDGED,
	FYKE_GAP_ACKNOWLEDGED, /* the receiver has it: the capture missed it */
	FYKE_GAP_CUT,	       /* by the snaplen */
	FYKE_GAP_BUDGET,       /* not waited for any longer: no room for what came behind it */
	FYKE_GAP_COUNT
};

const char *fyke_gap_cause_name(enum fyke_gap_cause cause); /* "never_acknowledged" …, NULL for NONE */

struct fyke_chunk {
	enum fyke_endpoint side; /* who sent it */
	int64_t offset;		 /* of data; 64 bits, never wraps; 0 is the byte behind the SYN */
	uint64_t gap;		 /* bytes missing just before it: [offset - gap, offset) */
	enum fyke_gap_cause cause;
	const uint8_t *data;
	size_t length;
	uint64_t frame; /* that brought the bytes; without data: that decided it */
	int64_t time_ns;
	bool end;
};

enum { FYKE_CONFLICT_SAMPLE = 64 };

/* Bytes of one place in two versions. */
struct fyke_conflict {
	enum fyke_endpoint side;
	int64_t offset;	       /* of the first byte that differs */
	uint64_t length;       /* up to the last one */
	uint64_t differing;    /* how many of them do */
	const uint8_t *before; /* from `offset` on, as first seen; */
	const uint8_t *after;  /* and as the later segment has them */
	size_t sample;	       /* bytes at both, ≤ FYKE_CONFLICT_SAMPLE */
	bool settled;	       /* had been delivered already */
	bool after_wins;       /* the receiver reads the later version */
	uint64_t before_frame; /* 0 = not known any more */
	uint64_t frame;
	int64_t time_ns;
};

struct fyke_stream_sink {
	void (*chunk)(void *context, const struct fyke_chunk *chunk);
	void (*conflict)(void *context, const struct fyke_conflict *conflict); /* may be NULL */
};

struct fyke_reassembly_counters {
	uint64_t fed;	      /* bytes of payload */
	uint64_t delivered;   /* in order, once */
	uint64_t duplicate;   /* seen before, the same where that could be compared */
	uint64_t uncompared;  /* of the duplicate ones: the earlier version was not kept */
	uint64_t conflicting; /* seen before, and different */
	uint64_t late;	      /* came for a hole that had been given up */
	uint64_t ignored;     /* before the start, behind the end, or far outside the window */
	uint64_t held;	      /* wait now */
	uint64_t conflicts;   /* reports */
	uint64_t gaps;
	uint64_t gap_bytes[FYKE_GAP_COUNT];
};

struct fyke_reassembly_options {
	enum fyke_endpoint side;
	enum fyke_policy policy;
	uint64_t memory;   /* budget of this stream, 0 = only the shared one's */
	bool keeps_recent; /* keep the last FYKE_RECENT_BYTES delivered, to compare what comes again with */
	const struct fyke_stream_sink *sink; /* borrowed, like context */
	void *context;
};

struct fyke_piece {
	int64_t offset;
	const uint8_t *data;
	uint32_t captured; /* bytes at data */
	uint32_t length;   /* on the wire, ≥ captured */
	uint64_t frame;
	int64_t time_ns;
};

struct fyke_reassembly {
	struct fyke_reassembly_options options;
	struct fyke_stream_memory *memory;
	bool started, has_end, ended;
	int64_t first, next;	   /* of the stream; not delivered yet */
	int64_t acknowledged, end; /* by the other side; of the stream, with has_end */
	int64_t reach;		   /* how far ahead data may lie */
	uint64_t gap;		   /* to be told with the next chunk */
	enum fyke_gap_cause cause;
	uint64_t cost; /* of the budget, held */
	struct fyke_waiting waiting;
	struct fyke_page_map pages;
	struct fyke_tcp_holes *given_up;
	struct fyke_recent *recent;
	struct fyke_reassembly *older, *newer; /* among the streams in which bytes wait */
	bool listed;
	struct fyke_reassembly_counters counters;
};

/* Nothing is allocated before it is needed. `memory` is borrowed for the stream's life. */
void fyke_reassembly_init(struct fyke_reassembly *stream, struct fyke_stream_memory *memory,
	const struct fyke_reassembly_options *options);

/* The stream begins at this offset; without, with the first piece that is fed. Bytes that
 * have come settle it. */
void fyke_reassembly_start(struct fyke_reassembly *stream, int64_t offset);

/* How far beyond what is delivered and acknowledged data is believed (1 GiB at first). */
void fyke_reassembly_window(struct fyke_reassembly *stream, int64_t bytes);

void fyke_reassembly_feed(struct fyke_reassembly *stream, const struct fyke_piece *piece);

/* Whether all of [start, end) is still waited for: no byte of it has come or was given up. */
bool fyke_reassembly_lacks(const struct fyke_reassembly *stream, int64_t start, int64_t end);

/* The other side has everything below `offset`. */
void fyke_reassembly_acknowledge(
	struct fyke_reassembly *stream, int64_t offset, uint64_t frame, int64_t time_ns);

/* A FIN says that the stream ends at `offset`. The first one within reach counts. */
void fyke_reassembly_end(struct fyke_reassembly *stream, int64_t offset, uint64_t frame, int64_t time_ns);

/* Nothing more will come: gives up every hole, tells the end. */
void fyke_reassembly_finish(struct fyke_reassembly *stream, uint64_t frame, int64_t time_ns);

/* Frees what hangs on the stream; tells nothing. */
void fyke_reassembly_release(struct fyke_reassembly *stream);

#endif
