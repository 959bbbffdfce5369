/* What the files of reassembly share: delivery, and holding. Private to tcp/. */
#ifndef FYKE_TCP_REASSEMBLY_PARTS_H
#define FYKE_TCP_REASSEMBLY_PARTS_H

#include "analyzer/base/moment.h"
#include "analyzer/tcp/compare.h"
#include "analyzer/tcp/reassembly.h"

/* What is left of a piece to be placed. */
struct fyke_span_left {
	int64_t start, end;		/* bytes at data */
	int64_t cut_end;		/* behind what the snaplen cut, ≥ end */
	const uint8_t *data;		/* at start */
	struct fyke_span_bounds bounds; /* as it came */
	uint64_t frame;
	int64_t time_ns;
};

/* deliver.c */
void fyke_deliver(
	struct fyke_reassembly *stream, const uint8_t *data, size_t length, uint64_t frame, int64_t time_ns);
/* Gives up [next, to). */
void fyke_deliver_gap(struct fyke_reassembly *stream, int64_t to, enum fyke_gap_cause cause,
	const struct fyke_moment *moment);
/* Tells the end when it is reached, or in any case. */
void fyke_deliver_end(struct fyke_reassembly *stream, bool now, const struct fyke_moment *moment);

/* hold.c */
/* Places a span that starts behind `next`; false when there is no room, and *victim is the stream whose
 * lowest hole must be given up first, NULL for none. */
bool fyke_hold(
	struct fyke_reassembly *stream, const struct fyke_span_left *span, struct fyke_reassembly **victim);
/* Compares a span with the piece that it meets; counts and reports. True when the span's bytes win. */
bool fyke_hold_meet(struct fyke_reassembly *stream, const struct fyke_waiting_piece *piece,
	const struct fyke_span_left *span);
/* Delivers the pieces that begin at `next`, as far as they lie side by side. */
void fyke_hold_drain(struct fyke_reassembly *stream, const struct fyke_moment *moment);
void fyke_hold_deliver_first(struct fyke_reassembly *stream, const struct fyke_moment *moment);
/* Gives back what is not needed any more. */
void fyke_hold_settle(struct fyke_reassembly *stream);

static inline void fyke_span_skip(struct fyke_span_left *span, int64_t to)
{
	if (to <= span->start)
		return;
	if (to < span->end) {
		span->data += to - span->start;
		span->start = to;
	} else {
		span->start = span->end = to;
	}
	if (span->cut_end < span->end)
		span->cut_end = span->end;
}

#endif
