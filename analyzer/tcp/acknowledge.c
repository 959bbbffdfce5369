/*
 * What the receiver says of a sender's data: cumulative ACKs (RFC 9293), duplicate ACKs (RFC 5681 §2),
 * selective ones (RFC 2018) and duplicate selective ones (RFC 2883); round trips by Karn's rule.
 */
#include "analyzer/tcp/parts.h"

#include <string.h>

enum { UNSEEN_ACK_MAX = 1 << 28 }; /* an ACK further beyond what was seen is not believed */

static uint32_t whole_us(int64_t elapsed_ns)
{
	return elapsed_ns / 1000 < UINT32_MAX ? (uint32_t)(elapsed_ns / 1000) : UINT32_MAX;
}

static void sample_round_trip(struct fyke_tcp_side *sender, int64_t elapsed_ns)
{
	uint32_t elapsed_us;

	if (elapsed_ns < 0)
		return;
	elapsed_us = whole_us(elapsed_ns);
	if (fyke_tcp_round_trips(sender) == 0 || elapsed_us < sender->rtt_min_us)
		sender->rtt_min_us = elapsed_us;
	if (elapsed_us > sender->rtt_max_us)
		sender->rtt_max_us = elapsed_us;
	sender->rtt_sum_ns += elapsed_ns;
	fyke_tcp_timer_sample(&sender->timer, elapsed_ns);
}

/* RFC 5681 §2: data outstanding, no payload, no SYN or FIN, the same acknowledgment and window. */
static bool is_duplicate_ack(const struct fyke_tcp_segment *segment, int64_t offset)
{
	const struct fyke_tcp_side *own = segment->own, *peer = segment->peer;

	return own->ack_seen && segment->length == 0 && !segment->syn && !segment->fin &&
	       offset == peer->acknowledged && own->window == segment->header->window &&
	       peer->highest > peer->acknowledged;
}

/* The same acknowledgment again with another window that is open; nothing else. */
static bool is_window_update(const struct fyke_tcp_segment *segment)
{
	const struct fyke_tcp_side *own = segment->own;

	return segment->header->window != own->window && segment->length == 0 && own->ack_seen &&
	       !segment->syn && !segment->fin && segment->header->window != 0 &&
	       segment->header->acknowledgment == own->last_ack &&
	       segment->start == own->highest + own->fin_seen;
}

/* The receiver has more than we saw: the bytes between are missing in the capture. One byte more can
 * be a FIN that was not captured, so it waits for proof. */
static void note_unseen(const struct fyke_tcp_segment *segment, int64_t acknowledged)
{
	struct fyke_tcp_side *peer = segment->peer;

	if (!peer->spoke || acknowledged <= peer->highest + 1)
		return;
	fyke_tcp_miss(segment->memory, peer, peer->highest, acknowledged);
	peer->highest = acknowledged;
	segment->peer_trail->progress.highest_ns = segment->time_ns;
}

static bool is_known_open(const struct fyke_tcp_side *side)
{
	return side->state == FYKE_TCP_ESTABLISHED || side->state == FYKE_TCP_CLOSED;
}

/* What the sender knew before this ACK, which may meet a resend between tap and sender. */
static void keep_earlier(const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *sender = segment->peer;
	struct fyke_tcp_progress *progress = &segment->peer_trail->progress;
	struct fyke_tcp_recovery *recovery = sender->rare == NULL ? NULL : &sender->rare->recovery;
	bool recent = segment->time_ns - progress->advance_ns <=
		      fyke_tcp_near_way(&sender->timer, &segment->own->timer);

	if (!recent) {
		progress->earlier_advance_ns = progress->advance_ns;
		progress->earlier_smoothed_us = (uint32_t)(sender->timer.smoothed / 1000);
		progress->earlier_variation_us = (uint32_t)(sender->timer.variation / 1000);
	}
	if (recovery == NULL)
		return;
	if (!recent || recovery->duplicate_acks > recovery->earlier_duplicate_acks)
		recovery->earlier_duplicate_acks = recovery->duplicate_acks;
	if (!recent || recovery->highest_sacked > recovery->earlier_sacked)
		recovery->earlier_sacked = recovery->highest_sacked;
}

/* What the sender learns from what the ACK covers. */
static void learn(const struct fyke_tcp_segment *segment, const struct fyke_tcp_passed *passed)
{
	struct fyke_tcp_side *sender = segment->peer;
	struct fyke_tcp_progress *progress = &segment->peer_trail->progress;

	keep_earlier(segment);
	if (passed->any) {
		progress->earlier_acknowledged = passed->start;
		progress->earlier_sent_ns = passed->sent_ns;
	}
	if (passed->sample != NULL)
		sample_round_trip(sender, segment->time_ns - passed->sample->time_ns);
	/* sooner than any answer could come it is the first sending that arrived (RFC 8985 §6.2 step 2) */
	if (passed->latest_ns > progress->delivered_ns &&
		segment->time_ns - passed->latest_ns >= sender->timer.least)
		progress->delivered_ns = passed->latest_ns;
	progress->advance_ns = segment->time_ns;
}

/* F-RTO (RFC 5682): this ACK covers what was not sent again since the timeout, so that had arrived before.
 * Without SACK it may have arrived while the timer ran, unless the ACK covers nothing else. */
static bool is_needless(const struct fyke_tcp_segment *segment, const struct fyke_tcp_passed *passed)
{
	return segment->peer->rare->recovery.may_undo && passed->original &&
	       ((segment->own->sack_permitted && segment->peer->sack_permitted) || !passed->resend);
}

/* Recoveries that end with `data` acknowledged. */
static void end_recoveries(
	const struct fyke_tcp_segment *segment, const struct fyke_tcp_passed *passed, int64_t data)
{
	struct fyke_tcp_recovery *recovery = &segment->peer->rare->recovery;

	recovery->duplicate_acks = 0;
	/* at its very end, too, a resend may follow: the sender may have sent more before than was seen here
	 */
	if (data > recovery->fast_end)
		recovery->fast_end = -1;
	if (data >= recovery->highest_sacked)
		recovery->highest_sacked = -1;
	if (data >= recovery->timeout_end)
		recovery->timeout_wait_ns = 0;
	else if (is_needless(segment, passed))
		recovery->timeout_end = -1;
}

/* How many holes of the sender's stream the receiver has passed now. */
static uint32_t pass_holes(struct fyke_tcp_rare *rare, int64_t data)
{
	uint32_t passed = fyke_tcp_holes_acknowledge(rare->holes, data);

	if (data > rare->cut_offset) {
		rare->cut_offset = INT64_MAX;
		passed++;
	}
	return passed;
}

static void advance(const struct fyke_tcp_segment *segment, int64_t data)
{
	struct fyke_tcp_side *own = segment->own, *peer = segment->peer;
	const uint32_t *echo = segment->header->has_timestamps ? &segment->header->timestamp_echo : NULL;
	struct fyke_tcp_passed acknowledged =
		fyke_tcp_sent_acknowledge(&segment->peer_trail->sent, data, echo);
	uint32_t passed;

	peer->acknowledged = data;
	learn(segment, &acknowledged);
	if (peer->rare != NULL)
		end_recoveries(segment, &acknowledged, data);
	note_unseen(segment, data);
	passed = peer->rare == NULL ? 0 : pass_holes(peer->rare, data);
	/* of a connection seen from the middle nobody knows what its beginning acknowledged */
	while (passed-- > 0 && is_known_open(own) && is_known_open(peer))
		fyke_tcp_history_count(
			segment, (enum fyke_endpoint)(1 - segment->sender), 'g', &peer->rare->gap_events);
}

/* RFC 2883 §4: the first block repeats what is acknowledged, or lies within the second one. */
static bool is_duplicate_sack(const struct fyke_tcp_segment *segment)
{
	const struct fyke_tcp_header *header = segment->header;

	if (header->sack_count == 0)
		return false;
	if ((int32_t)(header->sack[0].right - header->acknowledgment) <= 0)
		return true;
	return header->sack_count > 1 && (int32_t)(header->sack[0].left - header->sack[1].left) >= 0 &&
	       (int32_t)(header->sack[0].right - header->sack[1].right) <= 0;
}

/* Which of the blocks told before begins there; a new one takes the place of the oldest. */
static unsigned held_at(struct fyke_tcp_recovery *recovery, int64_t left)
{
	unsigned i;

	for (i = 0; i < FYKE_SACK_BLOCKS_MAX; i++) {
		if (recovery->held[i].start == left)
			return i;
	}
	i = recovery->next_held;
	recovery->next_held = (uint8_t)((i + 1) % FYKE_SACK_BLOCKS_MAX);
	recovery->held[i].start = recovery->held[i].end = left;
	return i;
}

/* A block grows with each ACK: only its new part is looked through. */
static void note_held(const struct fyke_tcp_segment *segment, struct fyke_tcp_recovery *recovery,
	int64_t left, int64_t right)
{
	struct fyke_tcp_sent_queue *queue = &segment->peer_trail->sent;
	unsigned i;

	if (queue->put_between)
		memset(recovery->held, 0, sizeof(recovery->held));
	queue->put_between = false;
	i = held_at(recovery, left);
	fyke_tcp_sent_sack(
		queue, left, recovery->held[i].end, right, &segment->peer_trail->progress.delivered_ns);
	recovery->held[i].end = right;
}

/* Whether the blocks told of bytes that were not known to be held. */
static bool take_sack(const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *peer = segment->peer;
	bool duplicate = is_duplicate_sack(segment), told = false;

	for (unsigned i = duplicate ? 1 : 0; i < segment->header->sack_count; i++) {
		int64_t left = fyke_tcp_offset(peer, segment->header->sack[i].left);
		int64_t right = fyke_tcp_offset(peer, segment->header->sack[i].right);
		int64_t end = peer->fin_seen ? fyke_tcp_fin_offset(peer) : INT64_MAX;
		struct fyke_tcp_recovery *recovery;

		if (peer->fin_seen && right == end + 1)
			right = end; /* the FIN takes a sequence number, but no byte */
		/* a FIN alone may be SACKed: then all of the bytes lie below */
		if (left > right || (left == right && left != fyke_tcp_fin_offset(peer)) ||
			left < peer->acknowledged || right > peer->highest)
			continue;
		recovery = &fyke_tcp_need_rare(segment->memory, peer)->recovery;
		told |= right > recovery->highest_sacked;
		note_held(segment, recovery, left, right);
		if (right > recovery->highest_sacked)
			recovery->highest_sacked = right;
	}
	return told;
}

/* An ACK that tells the sender of something missing. */
static void tell(const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_recovery *recovery = &fyke_tcp_need_rare(segment->memory, segment->peer)->recovery;

	recovery->told_ns = segment->time_ns;
	if (++recovery->duplicate_acks == FYKE_TCP_DUPLICATE_ACKS)
		recovery->third_ns = segment->time_ns;
}

void fyke_tcp_acknowledge(const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *own = segment->own, *peer = segment->peer;
	int64_t offset, data;
	bool told;

	if (!segment->ack || segment->rst || segment->duplicate || !peer->sequence_known)
		return;
	offset = fyke_tcp_offset(peer, segment->header->acknowledgment);
	data = peer->fin_seen && offset == fyke_tcp_fin_offset(peer) + 1 ? offset - 1 : offset;
	if (data > peer->highest + UNSEEN_ACK_MAX)
		return;
	if (is_window_update(segment))
		fyke_tcp_need_rare(segment->memory, own)->window_updates++;
	told = take_sack(segment);
	if (is_duplicate_ack(segment, data)) {
		fyke_tcp_need_rare(segment->memory, own)->duplicate_acks++;
		tell(segment);
	} else if (told && data == peer->acknowledged) {
		tell(segment); /* RFC 6675 §2: new SACK information counts, whatever comes with it */
	}
	if (!own->ack_seen || (int32_t)(segment->header->acknowledgment - own->last_ack) > 0)
		own->last_ack = segment->header->acknowledgment;
	own->ack_seen = true;
	if (data > peer->acknowledged)
		advance(segment, data);
}
