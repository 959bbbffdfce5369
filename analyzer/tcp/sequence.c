/*
 * Sequence tracking: 32-bit numbers unwrapped to 64-bit stream offsets, which bytes were seen, which
 * are missing, which came again.
 *
 * Offset 0 is the byte behind the SYN. Where no SYN was seen the first segment sets the origin, and
 * earlier bytes that come late have negative offsets.
 */
#include "analyzer/tcp/parts.h"

#include <stdlib.h>

enum {
	WILD_JUMP = 1 << 20,	     /* SYN and RST that jump further move nothing (SEMANTICS §1) */
	EARLIER_START_MAX = 1 << 20, /* how far before a guessed start late bytes are believed */
	SKIPPED_MAX = 1 << 24,	     /* how far ahead a segment without payload is believed */
};

int64_t fyke_tcp_offset(const struct fyke_tcp_side *side, uint32_t sequence)
{
	uint32_t highest = side->start + 1 + (uint32_t)side->highest;

	return side->highest + (int32_t)(sequence - highest);
}

int64_t fyke_tcp_fin_offset(const struct fyke_tcp_side *side)
{
	return side->highest + (int32_t)(side->fin_low - (uint32_t)side->highest);
}

static size_t size_of(const struct fyke_tcp_holes *holes)
{
	return holes == NULL ? 0 : sizeof(*holes) + holes->room * sizeof(holes->list[0]);
}

void fyke_tcp_miss(struct fyke_tcp_memory *memory, struct fyke_tcp_side *side, int64_t start, int64_t end)
{
	struct fyke_tcp_rare *rare = fyke_tcp_need_rare(memory, side);
	size_t before = size_of(rare->holes);

	memory->failed |= !fyke_tcp_holes_add(&rare->holes, start, end);
	fyke_blocks_charge(memory->blocks, before, size_of(rare->holes));
}

int64_t fyke_tcp_fill(struct fyke_tcp_memory *memory, struct fyke_tcp_side *side, int64_t start, int64_t end)
{
	struct fyke_tcp_holes **holes = &side->rare->holes;
	size_t before = size_of(*holes);
	int64_t filled = fyke_tcp_holes_fill(holes, start, end);

	fyke_blocks_charge(memory->blocks, before, size_of(*holes));
	return filled;
}

void fyke_tcp_miss_nothing(struct fyke_tcp_memory *memory, struct fyke_tcp_rare *rare)
{
	fyke_blocks_charge(memory->blocks, size_of(rare->holes), 0);
	free(rare->holes);
	rare->holes = NULL;
}

/* Nothing of the side's stream was seen, nor anything behind it. */
static bool is_untouched(const struct fyke_tcp_side *side)
{
	return fyke_tcp_rare(side)->holes == NULL && side->highest == fyke_tcp_lowest(side);
}

static void set_start(struct fyke_tcp_side *side, uint32_t start)
{
	side->start = start;
	side->last = start + 1;
	side->sequence_known = true;
}

/* Of two SYN-ACKs that one counts behind which the client acknowledges, or the stream goes on. */
static void settle_start(struct fyke_tcp_side *side, uint32_t first)
{
	if (!side->rare->has_other_start)
		return;
	if (first == side->rare->other_start + 1 && is_untouched(side))
		set_start(side, side->rare->other_start);
	if (first == side->start + 1)
		side->rare->has_other_start = false;
}

/* Before anything else: the origin of both sides' sequence spaces, as far as this segment tells. */
void fyke_tcp_sequence_start(struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *own = segment->own, *peer = segment->peer;
	uint32_t sequence = segment->header->sequence;

	if (!own->sequence_known) {
		set_start(own, segment->syn ? sequence : sequence - 1);
		own->last = segment->end;
	} else if (segment->syn && !own->syn_seen && is_untouched(own)) {
		/* known so far from the other side's ACK only, or from segments without payload */
		set_start(own, sequence);
		own->highest = own->acknowledged = 0;
		if (own->rare != NULL)
			own->rare->lowest = 0;
	}
	/* a RST's acknowledgment is often made up; a SYN's tells the first byte it wants */
	if (segment->ack && !segment->rst && !peer->sequence_known)
		set_start(peer, segment->header->acknowledgment - 1);
	if (peer->rare != NULL && segment->ack && !segment->rst)
		settle_start(peer, segment->header->acknowledgment);
	if (own->rare != NULL && segment->length > 0 && !segment->syn && !segment->rst)
		settle_start(own, sequence);
}

/* How the sender's highest sequence number moves; payload that moves nothing was sent before. */
void fyke_tcp_sequence_advance(struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *own = segment->own;
	int32_t advance = own->spoke ? (int32_t)(segment->end - own->last) : 1;

	segment->advance = advance;
	if ((segment->syn || segment->rst) && (advance > WILD_JUMP || advance < -WILD_JUMP))
		return;
	if (segment->fin && own->last == own->start + 1) {
		own->last = segment->end;
	} else if (own->state == FYKE_TCP_RESET) {
		return;
	} else if (advance > 0) {
		own->last = segment->end;
	} else if (segment->length > 0 && !segment->believed) {
		fyke_tcp_history_count(
			segment, segment->sender, 't', &fyke_tcp_need_rare(segment->memory, own)->repeats);
	}
}

/* Bytes [start, end) lie below the first one so far. */
static int64_t cover_earlier(
	struct fyke_tcp_memory *memory, struct fyke_tcp_side *side, int64_t start, int64_t end)
{
	struct fyke_tcp_rare *rare = fyke_tcp_need_rare(memory, side);
	int64_t lowest = rare->lowest;

	if (end < lowest)
		fyke_tcp_miss(memory, side, end, lowest);
	rare->lowest = start;
	return (end < lowest ? end : lowest) - start;
}

/* Bytes [start, end) were seen: returns how many of them are new. */
static int64_t cover(struct fyke_tcp_memory *memory, struct fyke_tcp_side *side, int64_t start, int64_t end)
{
	int64_t fresh = 0;

	if (end > side->highest) {
		if (start > side->highest)
			fyke_tcp_miss(memory, side, side->highest, start);
		fresh += end - (start > side->highest ? start : side->highest);
	}
	if (start < fyke_tcp_lowest(side))
		fresh += cover_earlier(memory, side, start, end);
	if (start < side->highest && side->rare != NULL && side->rare->holes != NULL)
		fresh += fyke_tcp_fill(memory, side, start, end < side->highest ? end : side->highest);
	if (end > side->highest)
		side->highest = end;
	return fresh;
}

static bool is_keep_alive(const struct fyke_tcp_segment *segment, int64_t offset)
{
	const struct fyke_tcp_side *own = segment->own;

	return segment->length <= 1 && !segment->syn && !segment->fin && !segment->rst &&
	       segment->peer->ack_seen && own->acknowledged >= own->highest && offset == own->highest - 1 &&
	       own->spoke;
}

/* One byte at or before the lowest unacknowledged one, or none before it (Linux), while the window is closed.
 */
static bool is_window_probe(const struct fyke_tcp_segment *segment, int64_t offset)
{
	const struct fyke_tcp_side *own = segment->own;

	if (!segment->peer->ack_seen || segment->peer->window != 0 || segment->syn || segment->fin ||
		segment->rst)
		return false;
	if (offset == own->acknowledged - 1)
		return segment->length <= 1 && own->spoke;
	return segment->length == 1 && offset == own->acknowledged;
}

/* A segment without payload that stands beyond the highest byte proves that those between were sent. */
static void note_skipped(const struct fyke_tcp_segment *segment, int64_t offset)
{
	struct fyke_tcp_side *own = segment->own;
	struct fyke_tcp_progress *progress = &segment->trail->progress;

	if (own->fin_seen && offset > fyke_tcp_fin_offset(own))
		offset = fyke_tcp_fin_offset(own);
	if (segment->rst || segment->syn || !own->spoke || offset <= own->highest ||
		offset > own->highest + SKIPPED_MAX)
		return;
	fyke_tcp_miss(segment->memory, own, own->highest, offset);
	own->highest = offset;
	progress->highest_ns = segment->time_ns;
	progress->has_stamp = segment->header->has_timestamps;
	progress->highest_stamp = segment->header->timestamp_value;
}

/* What lies before the first byte that may be: before the SYN, or too far before a guessed start. */
static int64_t clip_start(const struct fyke_tcp_side *own, int64_t start)
{
	int64_t first = own->syn_seen ? 0 : fyke_tcp_lowest(own) - EARLIER_START_MAX;

	return start < first ? first : start;
}

/* Payload that is neither new nor a resend: keep-alives, window probes and packets captured twice. */
static enum fyke_tcp_cause nature_of(const struct fyke_tcp_segment *segment, int64_t start)
{
	if (segment->duplicate)
		return FYKE_TCP_CAUSE_CAPTURE_DUPLICATE;
	if (is_window_probe(segment, start))
		return FYKE_TCP_CAUSE_WINDOW_PROBE;
	if (is_keep_alive(segment, start))
		return FYKE_TCP_CAUSE_KEEP_ALIVE;
	return FYKE_TCP_CAUSE_NONE;
}

/* What the other side acknowledged first was nowhere near: the payload sets the origin. */
static void settle_origin(const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *own = segment->own;
	int64_t start = segment->start;

	if (own->spoke || own->syn_seen || (start <= EARLIER_START_MAX && start >= -EARLIER_START_MAX))
		return;
	fyke_tcp_need_rare(segment->memory, own)->lowest = start;
	own->highest = start;
}

static void note_cut(const struct fyke_tcp_segment *segment, int64_t cut)
{
	struct fyke_tcp_rare *rare;

	if (cut >= segment->stop || segment->fresh == 0)
		return;
	rare = fyke_tcp_need_rare(segment->memory, segment->own);
	if (cut < rare->cut_offset)
		rare->cut_offset = cut;
}

static void take_payload(struct fyke_tcp_segment *segment)
{
	int64_t clipped, cut = segment->start + segment->captured;
	struct fyke_tcp_result *result = segment->result;
	uint32_t skipped;

	settle_origin(segment);
	clipped = clip_start(segment->own, segment->start);
	if (segment->rst || clipped >= segment->stop) {
		result->ignored_bytes += segment->length;
		return;
	}
	skipped = (uint32_t)(clipped - segment->start);
	segment->bytes += segment->captured > skipped ? skipped : segment->captured;
	segment->captured -= segment->captured > skipped ? skipped : segment->captured;
	segment->start = clipped;
	segment->fresh = cover(segment->memory, segment->own, clipped, segment->stop);
	note_cut(segment, cut);
	result->ignored_bytes += segment->length - (segment->stop - clipped);
	result->repeated_bytes += segment->stop - clipped - segment->fresh;
	fyke_tcp_resend(segment);
}

void fyke_tcp_sequence_payload(struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *own = segment->own;

	segment->start = fyke_tcp_offset(own, segment->header->sequence + (segment->syn ? 1 : 0));
	segment->stop = segment->start + segment->length;
	segment->nature = nature_of(segment, segment->start);
	segment->highest = own->highest;
	segment->lowest = fyke_tcp_lowest(own);
	if (segment->start < own->acknowledged || segment->start > own->highest || segment->syn)
		fyke_tcp_check_window(segment); /* nearly all others lie within */
	if (segment->outside) {
		segment->result->ignored_bytes += segment->length;
		return;
	}
	if (segment->fin && !segment->rst)
		own->fin_low = (uint32_t)segment->stop;
	if (segment->length > 0) {
		take_payload(segment);
		if (segment->continues)
			fyke_tcp_believe_earlier(segment);
	} else {
		note_skipped(segment, segment->start);
		fyke_tcp_resend(segment);
	}
}

int64_t fyke_tcp_stream_bytes(const struct fyke_tcp_side *side)
{
	if (side->rare == NULL)
		return side->highest;
	return side->highest - side->rare->lowest - fyke_tcp_holes_bytes(side->rare->holes);
}

/* A hole that begins at `highest` stands in the list already; what was acknowledged of a side that
 * never spoke is missing as a whole. */
int64_t fyke_tcp_missing_bytes(const struct fyke_tcp_side *side)
{
	if (!side->spoke)
		return side->acknowledged;
	return fyke_tcp_holes_bytes(fyke_tcp_rare(side)->holes);
}

uint32_t fyke_tcp_gaps(const struct fyke_tcp_side *side)
{
	if (!side->spoke)
		return side->acknowledged > 0;
	return fyke_tcp_holes_count(fyke_tcp_rare(side)->holes);
}
