/*
 * A whole run: packets from a source, through the reader's levels and the engine, to a sink.
 */
#ifndef FYKE_ANALYZER_PIPELINE_H
#define FYKE_ANALYZER_PIPELINE_H

#include "analyzer/capture/source.h"
#include "analyzer/classify/services.h"
#include "analyzer/decode/decode.h"
#include "analyzer/defrag/defrag.h"
#include "analyzer/engine.h"
#include "analyzer/session/sink.h"

enum { FYKE_LINK_TYPES_MAX = 16 };

/* What a run has seen so far; read it at the end, or in the progress callback. */
struct fyke_pipeline_counters {
	uint64_t frames;  /* that passed the filter: decoded + refused */
	uint64_t decoded; /* gave at least one packet, or a fragment of a datagram that became whole or may
			     yet */
	uint64_t refused;
	uint64_t refusals[FYKE_REFUSAL_COUNT];
	uint64_t inner_refusals[FYKE_REFUSAL_COUNT]; /* the outer packet was read, what it carried was not */
	uint64_t bytes;				     /* lengths on the wire */
	int64_t first_packet_ns, last_packet_ns;     /* minimum and maximum; FYKE_UNKNOWN without a packet */
	uint16_t link_types[FYKE_LINK_TYPES_MAX];    /* in order of appearance, the first 16 */
	size_t link_type_count;
	struct fyke_defrag_counters defrag;
	struct fyke_engine_counters engine;
	uint64_t ticks;
};

struct fyke_pipeline_options {
	struct fyke_engine_options engine;
	unsigned threads; /* engines, each on a thread of its own, beside the caller's; 0, 1: all on the
			     caller's */
	bool live;
	int64_t flush_ns; /* live: hand over open sessions that changed, this often in packet time; 0 = never
			   */
	/* Called after every block (and when idle), on the caller's thread; cheap, may be NULL. */
	void (*progress)(void *context, const struct fyke_pipeline_counters *counters,
		const struct fyke_source_counters *source);
	void *progress_context;
	/* Called with every block before it is analyzed (monitor -w); a failure ends the run. May be NULL. */
	enum fyke_status (*tap)(void *context, const struct fyke_block *block, struct fyke_error *error);
	void *tap_context;
};

/* Runs until the source ends or the sink fails. Whatever happens, sessions open at the end have been
 * handed over (unless the sink itself failed) and *counters is filled in. */
FYKE_MUST_USE enum fyke_status fyke_pipeline_run(struct fyke_source *source,
	const struct fyke_pipeline_options *options, const struct fyke_sink *sink,
	struct fyke_pipeline_counters *counters, struct fyke_error *error);

#endif
