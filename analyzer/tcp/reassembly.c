/*
 * What of a segment is old, comes in order, or must wait; when a hole is given up (RFC 9293 §3.10.7.4
 * for what a receiver takes; SACK plays no part: a receiver may renege).
 */
#include "analyzer/tcp/reassembly_parts.h"

#include <stdlib.h>

#define REACH_UNKNOWN ((int64_t)1 << 30) /* the largest window there is: RFC 7323 §2.3 */
#define OFFSET_MAX    ((int64_t)1 << 61)

static const char *const causes[FYKE_GAP_COUNT] = {
	[FYKE_GAP_NEVER_ACKNOWLEDGED] = "never_acknowledged",
	[FYKE_GAP_ACKNOWLEDGED] = "acknowledged",
	[FYKE_GAP_CUT] = "cut",
	[FYKE_GAP_BUDGET] = "budget",
};

const char *fyke_gap_cause_name(enum fyke_gap_cause cause)
{
	return causes[cause];
}

void fyke_reassembly_init(struct fyke_reassembly *stream, struct fyke_stream_memory *memory,
	const struct fyke_reassembly_options *options)
{
	*stream = (struct fyke_reassembly){
		.options = *options, .memory = memory, .reach = REACH_UNKNOWN, .acknowledged = INT64_MIN};
	if (options->keeps_recent)
		stream->recent = calloc(1, sizeof(*stream->recent)); /* without, nothing is compared */
}

void fyke_reassembly_start(struct fyke_reassembly *stream, int64_t offset)
{
	if (stream->started && (stream->next != stream->first || stream->waiting.count > 0 || stream->ended))
		return;
	stream->started = true;
	stream->first = stream->next = offset;
}

bool fyke_reassembly_lacks(const struct fyke_reassembly *stream, int64_t start, int64_t end)
{
	uint32_t behind = fyke_waiting_find(&stream->waiting, start);

	if (stream->started && start < stream->next)
		return false;
	return behind == stream->waiting.count || fyke_waiting_at(&stream->waiting, behind)->start >= end;
}

void fyke_reassembly_window(struct fyke_reassembly *stream, int64_t bytes)
{
	stream->reach = bytes;
}

static int64_t lesser(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t greater(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void fyke_difference_tell(struct fyke_reassembly *stream, const struct fyke_difference *difference,
	const struct fyke_conflict *about)
{
	struct fyke_conflict conflict = *about;

	stream->counters.conflicts++;
	if (stream->options.sink->conflict == NULL)
		return;
	conflict.side = stream->options.side;
	conflict.offset = difference->first;
	conflict.length = (uint64_t)(difference->last - difference->first + 1);
	conflict.differing = difference->count;
	conflict.before = difference->before;
	conflict.after = difference->after;
	conflict.sample = (size_t)lesser((int64_t)difference->sample, (int64_t)conflict.length);
	stream->options.sink->conflict(stream->options.context, &conflict);
}

/* Compares [start, end) of the span with what was delivered there; returns how much could be. */
static uint64_t compare_recent(const struct fyke_reassembly *stream, const struct fyke_span_left *span,
	int64_t start, int64_t end, struct fyke_difference *difference)
{
	uint64_t compared = 0;
	const uint8_t *before;
	size_t length;
	int64_t at;

	if (stream->recent == NULL)
		return 0;
	while (start < end && (before = fyke_recent_find(
				       stream->recent, stream->memory, start, end, &at, &length)) != NULL) {
		fyke_difference_add(difference, at, before, span->data + (at - span->start), length);
		compared += length;
		start = at + (int64_t)length;
	}
	return compared;
}

/* The part of the span that lies before `next`: settled. */
static void take_old(struct fyke_reassembly *stream, struct fyke_span_left *span)
{
	struct fyke_difference difference = {0};
	int64_t start = greater(span->start, stream->first), end = lesser(span->end, stream->next);
	uint64_t bytes, late = 0, compared;

	if (span->start < stream->first && span->end > span->start)
		stream->counters.ignored += (uint64_t)(lesser(span->end, stream->first) - span->start);
	if (start < end) {
		bytes = (uint64_t)(end - start);
		if (stream->given_up != NULL)
			late = (uint64_t)fyke_tcp_holes_fill(&stream->given_up, start, end);
		compared = compare_recent(stream, span, start, end, &difference);
		if (compared > bytes - late) /* a gap that was forgotten cannot be in the ring */
			compared = bytes - late;
		stream->counters.late += late;
		stream->counters.conflicting += difference.count;
		stream->counters.duplicate += bytes - late - difference.count;
		stream->counters.uncompared += bytes - late - compared;
		if (difference.count > 0)
			fyke_difference_tell(stream, &difference,
				&(struct fyke_conflict){
					.settled = true, .frame = span->frame, .time_ns = span->time_ns});
	}
	fyke_span_skip(span, stream->next);
}

/* The span begins at `next` or has nothing left: straight through, but for what waits on its way. */
static void take_in_order(struct fyke_reassembly *stream, struct fyke_span_left *span)
{
	const struct fyke_moment moment = {span->frame, span->time_ns};
	struct fyke_waiting *waiting = &stream->waiting;

	while (stream->next < span->cut_end) {
		struct fyke_waiting_piece *piece = waiting->count > 0 ? fyke_waiting_at(waiting, 0) : NULL;
		int64_t limit = stream->next < span->end ? span->end : span->cut_end;
		int64_t stop = piece != NULL ? lesser(piece->start, limit) : limit;

		if (stop == stream->next && stream->next < span->end && fyke_hold_meet(stream, piece, span)) {
			stop = lesser(piece->end, span->end);
			if (!piece->cut)
				stream->counters.held -= (uint64_t)(stop - stream->next);
			piece->start = stop;
			if (piece->start == piece->end)
				fyke_waiting_remove(waiting, 0);
		}
		if (stop == stream->next)
			fyke_hold_deliver_first(stream, &moment);
		else if (stream->next < span->end)
			fyke_deliver(stream, span->data + (stream->next - span->start),
				(size_t)(stop - stream->next), span->frame, span->time_ns);
		else
			fyke_deliver_gap(stream, stop, FYKE_GAP_CUT, &moment);
	}
	fyke_hold_drain(stream, &moment);
}

static void give_up_lowest(
	struct fyke_reassembly *stream, enum fyke_gap_cause cause, const struct fyke_moment *moment)
{
	fyke_deliver_gap(stream, fyke_waiting_at(&stream->waiting, 0)->start, cause, moment);
	fyke_hold_drain(stream, moment);
	fyke_deliver_end(stream, false, moment);
}

/* The span lies behind a hole. Every turn either ends or lets bytes go that wait. */
static void take_ahead(struct fyke_reassembly *stream, struct fyke_span_left *span)
{
	const struct fyke_moment moment = {span->frame, span->time_ns};
	struct fyke_reassembly *victim;

	while (span->start > stream->next) {
		if (fyke_hold(stream, span, &victim))
			return;
		if (victim != NULL)
			give_up_lowest(victim, FYKE_GAP_BUDGET, &moment);
		else
			fyke_deliver_gap(stream, span->start, FYKE_GAP_BUDGET, &moment);
	}
	take_old(stream, span);
	take_in_order(stream, span);
}

/* Leaves out what cannot belong to the stream; false when nothing is left. */
static bool clip(struct fyke_reassembly *stream, struct fyke_span_left *span)
{
	int64_t base = greater(stream->next, stream->acknowledged);
	int64_t last = stream->reach > OFFSET_MAX - base ? OFFSET_MAX : base + stream->reach;
	int64_t start = span->start;

	if (start > last) {
		stream->counters.ignored += (uint64_t)(span->end - start);
		return false;
	}
	if (stream->ended || stream->has_end) {
		int64_t end = stream->ended ? stream->next : stream->end;

		if (span->end > end) {
			stream->counters.ignored += (uint64_t)(span->end - greater(end, start));
			span->end = greater(end, start);
		}
		span->cut_end = lesser(span->cut_end, greater(end, span->end));
	}
	return span->cut_end > start;
}

void fyke_reassembly_feed(struct fyke_reassembly *stream, const struct fyke_piece *piece)
{
	const struct fyke_moment moment = {piece->frame, piece->time_ns};
	struct fyke_span_left span = {.start = piece->offset, .data = piece->data};

	stream->counters.fed += piece->captured;
	if (piece->length == 0)
		return;
	if (piece->offset > OFFSET_MAX || piece->offset < -OFFSET_MAX) {
		stream->counters.ignored += piece->captured;
		return;
	}
	if (!stream->started)
		fyke_reassembly_start(stream, piece->offset);
	span.end = piece->offset + piece->captured;
	span.cut_end = piece->offset + piece->length;
	span.bounds = (struct fyke_span_bounds){span.start, span.cut_end};
	span.frame = piece->frame;
	span.time_ns = piece->time_ns;
	if (!clip(stream, &span))
		return;
	take_old(stream, &span);
	if (span.cut_end <= stream->next)
		return;
	if (span.start > stream->next && span.start <= stream->acknowledged)
		fyke_deliver_gap(stream, span.start, FYKE_GAP_ACKNOWLEDGED, &moment);
	if (span.start > stream->next)
		take_ahead(stream, &span);
	else
		take_in_order(stream, &span);
	fyke_deliver_end(stream, false, &moment);
}

/* Behind all that is known of the stream. */
static int64_t highest(const struct fyke_reassembly *stream)
{
	const struct fyke_waiting *waiting = &stream->waiting;
	int64_t base = greater(stream->next, stream->acknowledged);

	return waiting->count == 0 ? base : greater(base, fyke_waiting_at(waiting, waiting->count - 1)->end);
}

void fyke_reassembly_acknowledge(
	struct fyke_reassembly *stream, int64_t offset, uint64_t frame, int64_t time_ns)
{
	const struct fyke_moment moment = {frame, time_ns};

	if (offset <= stream->acknowledged || offset > OFFSET_MAX || offset < -OFFSET_MAX ||
		offset - highest(stream) > stream->reach) /* of what was never sent: made up */
		return;
	stream->acknowledged = offset;
	while (stream->waiting.count > 0 && fyke_waiting_at(&stream->waiting, 0)->start <= offset)
		give_up_lowest(stream, FYKE_GAP_ACKNOWLEDGED, &moment);
}

void fyke_reassembly_end(struct fyke_reassembly *stream, int64_t offset, uint64_t frame, int64_t time_ns)
{
	const struct fyke_moment moment = {frame, time_ns};
	const struct fyke_waiting *waiting = &stream->waiting;
	int64_t base = greater(stream->next, stream->acknowledged);

	if (offset > OFFSET_MAX || offset < -OFFSET_MAX)
		return;
	if (!stream->started)
		fyke_reassembly_start(stream, offset);
	if (stream->has_end || stream->ended || offset < stream->next || offset - base > stream->reach)
		return;
	/* a FIN that denies bytes which are here already is not believed */
	if (waiting->count > 0 && fyke_waiting_at(waiting, waiting->count - 1)->end > offset)
		return;
	stream->has_end = true;
	stream->end = offset;
	fyke_deliver_end(stream, false, &moment);
}

static void give_up_to(struct fyke_reassembly *stream, int64_t to, const struct fyke_moment *moment)
{
	fyke_deliver_gap(stream, lesser(stream->acknowledged, to), FYKE_GAP_ACKNOWLEDGED, moment);
	fyke_deliver_gap(stream, to, FYKE_GAP_NEVER_ACKNOWLEDGED, moment);
}

void fyke_reassembly_finish(struct fyke_reassembly *stream, uint64_t frame, int64_t time_ns)
{
	const struct fyke_moment moment = {frame, time_ns};

	while (stream->waiting.count > 0) {
		give_up_to(stream, fyke_waiting_at(&stream->waiting, 0)->start, &moment);
		fyke_hold_drain(stream, &moment);
	}
	if (stream->ended)
		return;
	if (stream->started && stream->has_end)
		give_up_to(stream, stream->end, &moment);
	else if (stream->started && stream->acknowledged > stream->next + 1) /* one may be a FIN */
		give_up_to(stream, stream->acknowledged, &moment);
	fyke_deliver_end(stream, true, &moment);
}

void fyke_reassembly_release(struct fyke_reassembly *stream)
{
	stream->waiting.count = 0;
	fyke_hold_settle(stream);
	if (stream->recent != NULL)
		fyke_recent_release(stream->recent, stream->memory);
	free(stream->recent);
	free(stream->given_up);
	stream->recent = NULL;
	stream->given_up = NULL;
}
