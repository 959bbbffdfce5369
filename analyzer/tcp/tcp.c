/*
 * A connection, segment by segment: history, windows, sequence numbers, states, handshake, payload,
 * acknowledgments, in that order (RFC 9293; SEMANTICS §1 for what outside observers call it).
 *
 * A segment with a wrong checksum is counted and moves nothing, unless the receiver turns out to have taken
 * it (doubt.c).
 */
#include "analyzer/tcp/tcp.h"

#include "analyzer/tcp/parts.h"

#include <stdlib.h>

enum { REORDERED_SYN_MAX = 64 * 1024 }; /* bytes: a SYN that comes behind its own first data */

void fyke_tcp_start(
	struct fyke_tcp *tcp, const struct fyke_packet *first, enum fyke_endpoint sender, bool flipped)
{
	tcp->client = (uint8_t)(flipped ? 1 - sender : sender);
	tcp->flipped = flipped;
	tcp->first_was_syn = (first->tcp.flags & (FYKE_TCP_SYN | FYKE_TCP_ACK)) == FYKE_TCP_SYN;
	tcp->last_ns = INT64_MIN;
	tcp->syn_ns = tcp->last_syn_ns = tcp->syn_ack_ns = tcp->last_syn_ack_ns = tcp->handshake_ack_ns =
		INT64_MIN;
	for (int i = 0; i < 2; i++) {
		tcp->side[i].cut_offset = INT64_MAX;
		tcp->side[i].recovery.fast_end = tcp->side[i].recovery.timeout_end = -1;
		tcp->side[i].recovery.highest_sacked = -1;
	}
	fyke_tcp_history_start(tcp, flipped);
}

/* A split handshake: the server acknowledges the SYN first, with any sequence number, and sends its own SYN
 * then (RFC 9293 §3.5 allows it). */
static bool is_split(const struct fyke_tcp_side *own, const struct fyke_tcp_side *peer)
{
	return !own->syn_seen && own->stream_bytes == 0 && own->state == FYKE_TCP_PARTIAL &&
	       peer->state == FYKE_TCP_SYN_SENT && own->ack_seen && own->last_ack == peer->start + 1;
}

bool fyke_tcp_is_new_connection(
	const struct fyke_tcp *tcp, const struct fyke_packet *packet, enum fyke_endpoint sender)
{
	const struct fyke_tcp_side *own = &tcp->side[sender];
	uint32_t sequence = packet->tcp.sequence;

	if ((packet->tcp.flags & (FYKE_TCP_SYN | FYKE_TCP_ACK | FYKE_TCP_RST | FYKE_TCP_FIN)) != FYKE_TCP_SYN)
		return false;
	if (packet->checksum == FYKE_CHECKSUM_WRONG || !own->spoke || sequence == own->start)
		return false;
	if (!own->syn_seen && own->start - sequence < REORDERED_SYN_MAX && own->state != FYKE_TCP_CLOSED &&
		own->state != FYKE_TCP_RESET)
		return false;
	return !is_split(own, &tcp->side[1 - sender]);
}

static inline struct fyke_tcp_segment segment_of(
	struct fyke_tcp *tcp, const struct fyke_packet *packet, enum fyke_endpoint sender)
{
	const struct fyke_tcp_header *header = &packet->tcp;
	struct fyke_tcp_segment segment = {
		.header = header,
		.length = packet->payload_length,
		.captured = packet->payload_captured,
		.time_ns = packet->time_ns,
		.frame = packet->frame,
		.bytes = packet->payload,
		.block = packet->block,
		.oldest_block = packet->oldest_block,
		.sender = sender,
		.syn = (header->flags & FYKE_TCP_SYN) != 0,
		.fin = (header->flags & FYKE_TCP_FIN) != 0,
		.rst = (header->flags & FYKE_TCP_RST) != 0,
		.ack = (header->flags & FYKE_TCP_ACK) != 0,
		.own = &tcp->side[sender],
		.peer = &tcp->side[1 - sender],
	};

	segment.end = header->sequence + segment.length + segment.syn + segment.fin;
	return segment;
}

/* A connection that began with a SYN-ACK: the other side's first answer shows who opened it. */
static void settle_roles(struct fyke_tcp *tcp, const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *client = &tcp->side[tcp->client];

	if (segment->sender == tcp->client || client->state != FYKE_TCP_SYN_ACK_SENT || segment->syn ||
		segment->rst || segment->fin || segment->own->spoke)
		return;
	tcp->client = (uint8_t)segment->sender;
	tcp->flipped = !tcp->flipped;
	fyke_tcp_history_flip(tcp);
	client->state = FYKE_TCP_ESTABLISHED;
	segment->own->state = FYKE_TCP_ESTABLISHED;
}

static void note_window(struct fyke_tcp *tcp, const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *own = segment->own;

	if (segment->header->window != 0 || segment->rst)
		return;
	if (!segment->syn && !segment->fin && !segment->duplicate) {
		own->zero_windows++;
		fyke_tcp_note(segment, segment->sender, "zero_window", 0, 0);
	}
	if (own->state != FYKE_TCP_RESET && segment->peer->state != FYKE_TCP_CLOSED)
		fyke_tcp_history_count(tcp, segment->sender, 'w', &own->zero_window_events);
}

static enum fyke_tcp_phase phase_of(const struct fyke_tcp *tcp)
{
	const struct fyke_tcp_side *low = &tcp->side[FYKE_LOW], *high = &tcp->side[FYKE_HIGH];

	if (low->state == FYKE_TCP_RESET || high->state == FYKE_TCP_RESET ||
		(low->state == FYKE_TCP_CLOSED && high->state == FYKE_TCP_CLOSED))
		return FYKE_TCP_PHASE_CLOSED;
	if (!low->spoke || !high->spoke)
		return low->state == FYKE_TCP_SYN_SENT || high->state == FYKE_TCP_SYN_SENT
			       ? FYKE_TCP_PHASE_HALF_OPEN
			       : FYKE_TCP_PHASE_OPEN;
	return FYKE_TCP_PHASE_OPEN;
}

struct fyke_tcp_rare *fyke_tcp_need_rare(struct fyke_tcp_side *side)
{
	if (side->rare == NULL)
		side->rare = calloc(1, sizeof(*side->rare));
	return side->rare;
}

static bool is_under_way(const struct fyke_tcp_side *side)
{
	return side->highest > side->acknowledged;
}

static bool is_window_closed(const struct fyke_tcp_side *side)
{
	return side->ack_seen && side->window == 0 && side->state == FYKE_TCP_ESTABLISHED;
}

/* How it stood before the segment; what the segment is, is added when that is known. */
static struct fyke_tcp_interval interval_before(const struct fyke_tcp *tcp)
{
	const struct fyke_tcp_side *low = &tcp->side[FYKE_LOW], *high = &tcp->side[FYKE_HIGH];

	return (struct fyke_tcp_interval){.opening = tcp->first_was_syn && !tcp->established,
		.under_way = is_under_way(low) || is_under_way(high),
		.window_closed = is_window_closed(low) || is_window_closed(high)};
}

static void spend(
	struct fyke_tcp *tcp, const struct fyke_tcp_segment *segment, struct fyke_tcp_interval interval)
{
	if (tcp->last_ns != INT64_MIN && segment->time_ns > tcp->last_ns) {
		interval.resend = segment->resent;
		interval.payload = segment->length > 0 && segment->nature == FYKE_TCP_CAUSE_NONE;
		interval.from_client = segment->sender == tcp->client;
		tcp->spent_ns[fyke_tcp_spent_on(&interval)] += segment->time_ns - tcp->last_ns;
	}
	if (segment->time_ns > tcp->last_ns)
		tcp->last_ns = segment->time_ns;
}

/* Who sends payload after its own reset did not send that reset: a sign of injection. */
static void note_ignored_reset(struct fyke_tcp *tcp, const struct fyke_tcp_segment *segment)
{
	if (tcp->reset_ignored || segment->own->state != FYKE_TCP_RESET || segment->rst ||
		segment->length == 0 || segment->fresh == 0 || segment->duplicate)
		return;
	tcp->reset_ignored = true;
	fyke_tcp_note(
		segment, segment->sender, "reset_ignored", segment->start, segment->stop - segment->start);
}

static void take_window(const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *own = segment->own;

	own->window = segment->header->window;
	if (own->window > own->widest)
		own->widest = own->window;
}

static inline void take_good(
	struct fyke_tcp *tcp, struct fyke_tcp_segment *segment, const struct fyke_packet *packet)
{
	struct fyke_tcp_interval interval = interval_before(tcp);

	settle_roles(tcp, segment);
	fyke_tcp_sequence_start(segment);
	fyke_tcp_duplicate(segment, packet);
	fyke_tcp_history_flags(tcp, segment);
	note_window(tcp, segment);
	fyke_tcp_sequence_advance(tcp, segment);
	fyke_tcp_state_advance(tcp, segment);
	fyke_tcp_handshake(tcp, segment);
	fyke_tcp_sequence_payload(tcp, segment);
	note_ignored_reset(tcp, segment);
	spend(tcp, segment, interval);
	segment->own->fin_seen |= segment->fin && !segment->rst && !segment->outside;
	segment->own->spoke = true;
	if (segment->outside)
		return; /* a receiver drops it, with what it acknowledges */
	fyke_tcp_acknowledge(tcp, segment);
	take_window(segment);
}

/* `believed`: its checksum is wrong, but its receiver took it. */
static void take_one(struct fyke_tcp *tcp, const struct fyke_packet *packet, enum fyke_endpoint sender,
	bool believed, struct fyke_tcp_result *result)
{
	struct fyke_tcp_segment segment = segment_of(tcp, packet, sender);

	segment.result = result;
	segment.believed = believed;
	if (packet->checksum == FYKE_CHECKSUM_WRONG && !believed) {
		fyke_tcp_history_count(tcp, sender, 'c', &segment.own->bad_checksums);
		tcp->ignored_bytes += segment.length;
		fyke_tcp_doubt(&segment, packet);
	} else {
		take_good(tcp, &segment, packet);
	}
	if (believed)
		fyke_tcp_note_original(&segment, "checksum_believed", segment.start,
			segment.stop - segment.start, packet->frame);
}

/* Segments with a wrong checksum that this acknowledgment proves to have been received: taken now, as they
 * came. */
static void take_believed(struct fyke_tcp *tcp, const struct fyke_packet *acknowledgment,
	enum fyke_endpoint receiver, struct fyke_tcp_result *result)
{
	enum fyke_endpoint sender;
	struct fyke_packet packet;

	while (fyke_tcp_doubt_settle(tcp, acknowledgment, receiver, &packet, &sender)) {
		packet.oldest_block = acknowledgment->oldest_block;
		tcp->ignored_bytes -= packet.payload_length;
		take_one(tcp, &packet, sender, true, result);
	}
}

void fyke_tcp_take(struct fyke_tcp *tcp, const struct fyke_packet *packet, enum fyke_endpoint sender,
	struct fyke_tcp_result *result)
{
	result->event_count = 0;
	if (tcp->side[1 - sender].rare != NULL && packet->checksum != FYKE_CHECKSUM_WRONG)
		take_believed(tcp, packet, sender, result);
	take_one(tcp, packet, sender, false, result);
	result->phase = phase_of(tcp);
}

static size_t rare_heap(const struct fyke_tcp_side *side)
{
	size_t bytes = 0;

	if (side->holes != NULL)
		bytes += sizeof(*side->holes) + side->holes->room * sizeof(struct fyke_tcp_hole);
	if (side->rare != NULL)
		bytes += sizeof(*side->rare) + fyke_tcp_doubts_heap(side);
	return bytes;
}

size_t fyke_tcp_heap(const struct fyke_tcp *tcp)
{
	const struct fyke_tcp_side *low = &tcp->side[FYKE_LOW], *high = &tcp->side[FYKE_HIGH];
	size_t bytes = ((size_t)low->sent.room + high->sent.room) * sizeof(struct fyke_tcp_sent);

	if (low->holes == NULL && high->holes == NULL && low->rare == NULL && high->rare == NULL)
		return bytes;
	return bytes + rare_heap(low) + rare_heap(high);
}

void fyke_tcp_release(struct fyke_tcp *tcp)
{
	for (int i = 0; i < 2; i++) {
		free(tcp->side[i].holes);
		fyke_tcp_sent_release(&tcp->side[i].sent);
		fyke_tcp_doubts_release(&tcp->side[i]);
		free(tcp->side[i].rare);
	}
}

bool fyke_tcp_is_notable(const struct fyke_tcp *tcp)
{
	const struct fyke_tcp_side *client = &tcp->side[tcp->client], *server = &tcp->side[1 - tcp->client];

	if (client->stream_bytes > 0 || server->stream_bytes > 0)
		return true;
	if (client->spoke && server->spoke)
		return !(server->state == FYKE_TCP_RESET && !server->syn_seen && client->syn_seen);
	return !(client->syn_seen && !client->ack_seen) || !client->spoke;
}
