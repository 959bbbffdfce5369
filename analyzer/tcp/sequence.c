/*
 * Sequence tracking: 32-bit numbers unwrapped to 64-bit stream offsets, which bytes were seen, which
 * are missing, which came again.
 *
 * Offset 0 is the byte behind the SYN. Where no SYN was seen the first segment sets the origin, and
 * earlier bytes that come late have negative offsets.
 */
#include "analyzer/tcp/parts.h"

enum {
	WILD_JUMP = 1 << 20,	     /* SYN and RST that jump further move nothing (SEMANTICS §1) */
	EARLIER_START_MAX = 1 << 20, /* how far before a guessed start late bytes are believed */
	SKIPPED_MAX = 1 << 24,	     /* how far ahead a segment without payload is believed */
	UNSEEN_ACK_MAX = 1 << 28,    /* an ACK further beyond what was seen is not believed */
};

static int64_t offset_of(const struct fyke_tcp_side *side, uint32_t sequence)
{
	uint32_t highest = side->start + 1 + (uint32_t)side->highest;

	return side->highest + (int32_t)(sequence - highest);
}

static void set_start(struct fyke_tcp_side *side, uint32_t start)
{
	side->start = start;
	side->last = start + 1;
	side->sequence_known = true;
}

/* Before anything else: the origin of both sides' sequence spaces, as far as this segment tells. */
void fyke_tcp_sequence_start(struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *own = segment->own, *peer = segment->peer;
	uint32_t sequence = segment->header->sequence;

	if (!own->sequence_known) {
		set_start(own, segment->syn ? sequence : sequence - 1);
		own->last = segment->end;
	} else if (segment->syn && !own->syn_seen && own->stream_bytes == 0 && own->holes == NULL) {
		/* known so far from the other side's ACK only, or from segments without payload */
		set_start(own, sequence);
		own->highest = own->lowest = own->acknowledged = 0;
	}
	/* a RST's acknowledgment is often made up; a SYN's tells the first byte it wants */
	if (segment->ack && !segment->rst && !peer->sequence_known)
		set_start(peer, segment->header->acknowledgment - 1);
}

/* How the sender's highest sequence number moves; payload that moves nothing was sent before. */
void fyke_tcp_sequence_advance(struct fyke_tcp *tcp, struct fyke_tcp_segment *segment)
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
	} else if (segment->length > 0) {
		fyke_tcp_history_count(tcp, segment->sender, 't', &own->repeats);
	}
}

/* Bytes [start, end) were seen: returns how many of them are new. */
static int64_t cover(struct fyke_tcp_side *side, int64_t start, int64_t end)
{
	int64_t fresh = 0;

	if (end > side->highest) {
		if (start > side->highest)
			(void)fyke_tcp_holes_add(&side->holes, side->highest, start);
		fresh += end - (start > side->highest ? start : side->highest);
	}
	if (start < side->lowest) {
		if (end < side->lowest)
			(void)fyke_tcp_holes_add(&side->holes, end, side->lowest);
		fresh += (end < side->lowest ? end : side->lowest) - start;
		side->lowest = start;
	}
	if (start < side->highest && side->holes != NULL)
		fresh += fyke_tcp_holes_fill(&side->holes, start, end < side->highest ? end : side->highest);
	if (end > side->highest)
		side->highest = end;
	side->stream_bytes += fresh;
	return fresh;
}

static bool is_keep_alive(const struct fyke_tcp_segment *segment, int64_t offset)
{
	const struct fyke_tcp_side *own = segment->own;

	return segment->length <= 1 && !segment->syn && !segment->fin && !segment->rst &&
	       segment->peer->ack_seen && own->acknowledged >= own->highest && offset == own->highest - 1 &&
	       own->spoke;
}

static bool is_window_probe(const struct fyke_tcp_segment *segment, int64_t offset)
{
	const struct fyke_tcp_side *own = segment->own;

	return segment->length == 1 && segment->peer->ack_seen && segment->peer->window == 0 &&
	       (offset == own->acknowledged || offset == own->acknowledged - 1);
}

/* Times one segment at a time; a resend in between makes its answer ambiguous. */
static void time_segment(struct fyke_tcp_side *own, const struct fyke_tcp_segment *segment, int64_t start,
	int64_t end, int64_t fresh)
{
	if (fresh < end - start) {
		if (own->timed_ns != 0 && start < own->timed_end)
			own->timed_ns = 0;
	} else if (own->timed_ns == 0 && end == own->highest) {
		own->timed_end = end;
		own->timed_ns = segment->time_ns;
	}
}

static void count_repeats(struct fyke_tcp *tcp, struct fyke_tcp_side *own, int64_t length, int64_t fresh)
{
	if (fresh == 0) {
		own->retransmitted_segments++;
		own->retransmitted_bytes += (uint64_t)length;
	} else if (fresh < length) {
		own->overlapping_bytes += (uint64_t)(length - fresh);
	}
	tcp->repeated_bytes += (uint64_t)(length - fresh);
}

/* A segment without payload that stands beyond the highest byte proves that those between were sent. */
static void note_skipped(struct fyke_tcp_side *own, const struct fyke_tcp_segment *segment, int64_t offset)
{
	if (own->fin_seen && offset > own->fin_offset)
		offset = own->fin_offset;
	if (segment->rst || segment->syn || !own->spoke || offset <= own->highest ||
		offset > own->highest + SKIPPED_MAX)
		return;
	(void)fyke_tcp_holes_add(&own->holes, own->highest, offset);
	own->highest = offset;
}

/* What lies before the first byte that may be: before the SYN, or too far before a guessed start. */
static int64_t clip_start(const struct fyke_tcp_side *own, int64_t start)
{
	int64_t first = own->syn_seen ? 0 : own->lowest - EARLIER_START_MAX;

	return start < first ? first : start;
}

void fyke_tcp_sequence_payload(struct fyke_tcp *tcp, const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *own = segment->own;
	int64_t start = offset_of(own, segment->header->sequence + (segment->syn ? 1 : 0));
	int64_t end = start + segment->length, clipped, fresh;
	bool keep_alive = is_keep_alive(segment, start);
	bool probe = !keep_alive && is_window_probe(segment, start);

	own->keep_alives += keep_alive;
	own->window_probes += probe;
	if (segment->fin && !segment->rst)
		own->fin_offset = end;
	if (segment->length == 0) {
		note_skipped(own, segment, start);
		return;
	}
	if (!own->spoke && !own->syn_seen && (start > EARLIER_START_MAX || start < -EARLIER_START_MAX)) {
		/* what the other side acknowledged first was nowhere near: the payload sets the origin */
		own->lowest = own->highest = start;
	}
	clipped = clip_start(own, start);
	if (segment->rst || clipped >= end) {
		tcp->ignored_bytes += segment->length;
		return;
	}
	fresh = cover(own, clipped, end);
	if (segment->captured < segment->length && fresh > 0 && start + segment->captured < own->cut_offset)
		own->cut_offset = start + segment->captured;
	tcp->ignored_bytes += (uint64_t)(clipped - start);
	if (keep_alive || (probe && fresh == 0))
		tcp->repeated_bytes += (uint64_t)(end - clipped - fresh);
	else
		count_repeats(tcp, own, end - clipped, fresh);
	time_segment(own, segment, clipped, end, fresh);
}

static void sample_round_trip(struct fyke_tcp_side *sender, int64_t acknowledged, int64_t now_ns)
{
	int64_t elapsed = now_ns - sender->timed_ns;

	if (sender->timed_ns == 0 || acknowledged < sender->timed_end)
		return;
	sender->timed_ns = 0;
	/* an ACK that passes over the segment was held back for a later one: no sample */
	if (acknowledged > sender->timed_end || elapsed < 0)
		return;
	if (sender->rtt_samples == 0 || elapsed < sender->rtt_min_ns)
		sender->rtt_min_ns = elapsed;
	if (elapsed > sender->rtt_max_ns)
		sender->rtt_max_ns = elapsed;
	sender->rtt_sum_ns += elapsed;
	sender->rtt_samples++;
}

static bool is_duplicate_ack(const struct fyke_tcp_segment *segment, int64_t offset)
{
	const struct fyke_tcp_side *own = segment->own, *peer = segment->peer;

	return own->ack_seen && segment->length == 0 && !segment->syn && !segment->fin &&
	       offset == peer->acknowledged && own->window == segment->header->window &&
	       peer->highest > peer->acknowledged;
}

/* The receiver has more than we saw: the bytes between are missing in the capture. One byte more can
 * be a FIN that was not captured, so it waits for proof. */
static void note_unseen(struct fyke_tcp_side *peer, int64_t acknowledged)
{
	if (!peer->spoke || acknowledged <= peer->highest + 1)
		return;
	(void)fyke_tcp_holes_add(&peer->holes, peer->highest, acknowledged);
	peer->highest = acknowledged;
}

static bool is_known_open(const struct fyke_tcp_side *side)
{
	return side->state == FYKE_TCP_ESTABLISHED || side->state == FYKE_TCP_CLOSED;
}

void fyke_tcp_sequence_acknowledge(struct fyke_tcp *tcp, const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *own = segment->own, *peer = segment->peer;
	int64_t offset, data;
	uint32_t passed;

	if (!segment->ack || segment->rst || !peer->sequence_known)
		return;
	offset = offset_of(peer, segment->header->acknowledgment);
	data = peer->fin_seen && offset == peer->fin_offset + 1 ? peer->fin_offset : offset;
	if (data > peer->highest + UNSEEN_ACK_MAX)
		return;
	if (is_duplicate_ack(segment, data))
		own->duplicate_acks++;
	if (!own->ack_seen || (int32_t)(segment->header->acknowledgment - own->last_ack) > 0)
		own->last_ack = segment->header->acknowledgment;
	own->ack_seen = true;
	if (data <= peer->acknowledged)
		return;
	peer->acknowledged = data;
	sample_round_trip(peer, data, segment->time_ns);
	note_unseen(peer, data);
	passed = fyke_tcp_holes_acknowledge(peer->holes, data);
	if (data > peer->cut_offset) {
		peer->cut_offset = INT64_MAX;
		passed++;
	}
	/* of a connection seen from the middle nobody knows what its beginning acknowledged */
	while (passed-- > 0 && is_known_open(own) && is_known_open(peer))
		fyke_tcp_history_count(
			tcp, (enum fyke_endpoint)(1 - segment->sender), 'g', &peer->gap_events);
}

/* A hole that begins at `highest` stands in the list already; what was acknowledged of a side that
 * never spoke is missing as a whole. */
int64_t fyke_tcp_missing_bytes(const struct fyke_tcp_side *side)
{
	if (!side->spoke)
		return side->acknowledged;
	return fyke_tcp_holes_bytes(side->holes);
}

uint32_t fyke_tcp_gaps(const struct fyke_tcp_side *side)
{
	if (!side->spoke)
		return side->acknowledged > 0;
	return fyke_tcp_holes_count(side->holes);
}
