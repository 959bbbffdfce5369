/*
 * What must wait: placed into pages by the receiver's policy, delivered when its turn comes.
 */
#include "analyzer/tcp/reassembly_parts.h"

#include <assert.h>

static void enlist(struct fyke_reassembly *stream)
{
	struct fyke_stream_memory *memory = stream->memory;

	if (stream->listed)
		return;
	stream->listed = true;
	stream->newer = NULL;
	stream->older = memory->newest;
	if (memory->newest != NULL)
		memory->newest->newer = stream;
	else
		memory->oldest = stream;
	memory->newest = stream;
}

static void unlist(struct fyke_reassembly *stream)
{
	if (!stream->listed)
		return;
	stream->listed = false;
	if (stream->older != NULL)
		stream->older->newer = stream->newer;
	else
		stream->memory->oldest = stream->newer;
	if (stream->newer != NULL)
		stream->newer->older = stream->older;
	else
		stream->memory->newest = stream->older;
}

void fyke_hold_settle(struct fyke_reassembly *stream)
{
	uint64_t cost;

	if (stream->waiting.count == 0) {
		fyke_pages_release(&stream->pages, stream->memory);
		fyke_waiting_release(&stream->waiting);
		unlist(stream);
	} else {
		fyke_pages_drop_before(&stream->pages, stream->memory, stream->next);
		enlist(stream);
	}
	cost = fyke_pages_held(&stream->pages) + (uint64_t)stream->waiting.count * FYKE_WAITING_COST;
	assert(cost <= stream->cost);
	fyke_stream_memory_give(stream->memory, stream->cost - cost);
	stream->cost = cost;
}

/* All that placing the span can need, so that it cannot fail half done. */
static bool reserve(
	struct fyke_reassembly *stream, const struct fyke_span_left *span, struct fyke_reassembly **victim)
{
	uint32_t from = fyke_waiting_find(&stream->waiting, span->start);
	uint32_t to = fyke_waiting_find(&stream->waiting, span->cut_end);
	uint32_t pieces = 2 * (to - from + 1) + 2;
	uint64_t cost = (uint64_t)pieces * FYKE_WAITING_COST;

	if (span->end > span->start)
		cost += fyke_pages_cost(&stream->pages, span->start, span->end);
	*victim = stream->waiting.count > 0 ? stream : NULL;
	if (stream->options.memory != 0 &&
		(cost > stream->options.memory || stream->cost > stream->options.memory - cost))
		return false;
	if (!fyke_waiting_reserve(&stream->waiting, pieces)) {
		fyke_hold_settle(stream);
		return false;
	}
	if (!fyke_stream_memory_take(stream->memory, cost)) {
		*victim = stream->memory->oldest;
		fyke_hold_settle(stream);
		return false;
	}
	stream->cost += cost;
	if (span->end > span->start &&
		!fyke_pages_add(&stream->pages, stream->memory, span->start, span->end)) {
		*victim = stream->memory->oldest;
		fyke_hold_settle(stream);
		return false;
	}
	return true;
}

bool fyke_hold_meet(struct fyke_reassembly *stream, const struct fyke_waiting_piece *piece,
	const struct fyke_span_left *span)
{
	struct fyke_difference difference = {0};
	struct fyke_span_bounds stored = {piece->start, piece->end};
	int64_t start = span->start > piece->start ? span->start : piece->start;
	int64_t end = span->end < piece->end ? span->end : piece->end;
	bool wins;

	if (piece->cut)
		return true;
	for (int64_t at = start; at < end;) {
		size_t part;
		const uint8_t *before = fyke_pages_at(&stream->pages, stream->memory, at, &part);

		if (part > (size_t)(end - at))
			part = (size_t)(end - at);
		fyke_difference_add(&difference, at, before, span->data + (at - span->start), part);
		at += (int64_t)part;
	}
	if (fyke_policy_keeps_bounds(stream->options.policy))
		stored = piece->bounds;
	wins = fyke_policy_new_wins(stream->options.policy, span->bounds, stored);
	stream->counters.conflicting += difference.count;
	stream->counters.duplicate += (uint64_t)(end - start) - difference.count;
	if (difference.count > 0)
		fyke_difference_tell(stream, &difference,
			&(struct fyke_conflict){.after_wins = wins,
				.before_frame = piece->frame,
				.frame = span->frame,
				.time_ns = span->time_ns});
	return wins;
}

/* Bytes [start, end) of the span go to index `at`. */
static void put(struct fyke_reassembly *stream, uint32_t at, const struct fyke_span_left *span, int64_t start,
	int64_t end)
{
	const struct fyke_waiting_piece piece = {.start = start,
		.end = end,
		.bounds = span->bounds,
		.frame = span->frame,
		.time_ns = span->time_ns};

	fyke_waiting_insert(&stream->waiting, at, &piece);
	fyke_pages_write(&stream->pages, stream->memory, start, span->data + (start - span->start),
		(size_t)(end - start));
}

/* Takes [start, end) out of piece `at`; returns the index at which what replaces it belongs. */
static uint32_t carve(struct fyke_waiting *waiting, uint32_t at, int64_t start, int64_t end)
{
	struct fyke_waiting_piece *piece = fyke_waiting_at(waiting, at);
	struct fyke_waiting_piece rest = *piece;

	rest.start = end;
	if (piece->start < start) {
		piece->end = start;
		at++;
		if (rest.start < rest.end)
			fyke_waiting_insert(waiting, at, &rest);
	} else if (rest.start < rest.end) {
		piece->start = end;
	} else {
		fyke_waiting_remove(waiting, at);
	}
	return at;
}

/* Index of a piece that ends behind `start` and begins before `end`, or NULL. */
static struct fyke_waiting_piece *met(struct fyke_waiting *waiting, uint32_t at, int64_t end)
{
	struct fyke_waiting_piece *piece = at < waiting->count ? fyke_waiting_at(waiting, at) : NULL;

	return piece != NULL && piece->start < end ? piece : NULL;
}

/* `run` is where the span's bytes that are to be kept begin. */
static void place(struct fyke_reassembly *stream, const struct fyke_span_left *span)
{
	struct fyke_waiting *waiting = &stream->waiting;
	uint32_t at = fyke_waiting_find(waiting, span->start);
	int64_t run = span->start;
	struct fyke_waiting_piece *piece;

	while (run < span->end && (piece = met(waiting, at, span->end)) != NULL) {
		int64_t start = span->start > piece->start ? span->start : piece->start;
		int64_t end = span->end < piece->end ? span->end : piece->end;

		if (!piece->cut) /* one of both versions goes */
			stream->counters.held -= (uint64_t)(end - start);
		if (fyke_hold_meet(stream, piece, span)) {
			at = carve(waiting, at, start, end);
			if (end == span->end)
				break;
			continue;
		}
		if (run < start) {
			put(stream, at, span, run, start);
			at++;
		}
		run = end;
		at++;
	}
	if (run < span->end)
		put(stream, at, span, run, span->end);
}

/* What was cut off stands only where nothing else is. */
static void place_cut(struct fyke_reassembly *stream, const struct fyke_span_left *span)
{
	struct fyke_waiting *waiting = &stream->waiting;
	uint32_t at = fyke_waiting_find(waiting, span->end);
	int64_t from = span->end;

	while (from < span->cut_end) {
		const struct fyke_waiting_piece *piece = met(waiting, at, span->cut_end);
		int64_t to = piece == NULL ? span->cut_end : piece->start;
		int64_t behind = piece == NULL ? span->cut_end : piece->end;

		if (from < to) {
			fyke_waiting_insert(waiting, at,
				&(struct fyke_waiting_piece){.start = from,
					.end = to,
					.bounds = span->bounds,
					.frame = span->frame,
					.time_ns = span->time_ns,
					.cut = true});
			at++;
		}
		from = behind;
		at++;
	}
}

bool fyke_hold(
	struct fyke_reassembly *stream, const struct fyke_span_left *span, struct fyke_reassembly **victim)
{
	if (!reserve(stream, span, victim))
		return false;
	stream->counters.held += (uint64_t)(span->end - span->start);
	place(stream, span);
	place_cut(stream, span);
	fyke_hold_settle(stream);
	return true;
}

void fyke_hold_deliver_first(struct fyke_reassembly *stream, const struct fyke_moment *moment)
{
	const struct fyke_waiting_piece piece = *fyke_waiting_at(&stream->waiting, 0);

	assert(piece.start == stream->next);
	fyke_waiting_remove(&stream->waiting, 0);
	if (piece.cut)
		fyke_deliver_gap(stream, piece.end, FYKE_GAP_CUT, moment);
	else
		stream->counters.held -= (uint64_t)(piece.end - piece.start);
	while (stream->next < piece.end) {
		size_t part;
		const uint8_t *data = fyke_pages_at(&stream->pages, stream->memory, stream->next, &part);

		if (part > (size_t)(piece.end - stream->next))
			part = (size_t)(piece.end - stream->next);
		fyke_deliver(stream, data, part, piece.frame, piece.time_ns);
	}
}

void fyke_hold_drain(struct fyke_reassembly *stream, const struct fyke_moment *moment)
{
	while (stream->waiting.count > 0 && fyke_waiting_at(&stream->waiting, 0)->start == stream->next)
		fyke_hold_deliver_first(stream, moment);
	fyke_hold_settle(stream);
}
