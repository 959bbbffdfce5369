/*
 * A connection, segment by segment: history, windows, sequence numbers, states, handshake, payload,
 * acknowledgments, in that order (RFC 9293; SEMANTICS §1 for what outside observers call it).
 *
 * A segment with a wrong checksum is counted and moves nothing, unless the receiver turns out to have taken
 * it (doubt.c).
 */
#include "analyzer/tcp/tcp.h"

#include "analyzer/tcp/parts.h"

#include <string.h>

_Static_assert(sizeof(struct fyke_tcp) <= 320, "of a connection at rest: five cache lines");
_Static_assert(sizeof(struct fyke_tcp_trail) <= 384, "of one under way: six more");

enum { REORDERED_SYN_MAX = 64 * 1024 }; /* bytes: a SYN that comes behind its own first data */

void fyke_tcp_start(
	struct fyke_tcp *tcp, const struct fyke_packet *first, enum fyke_endpoint sender, bool flipped)
{
	tcp->client = (flipped ? 1 - sender : sender) & 1;
	tcp->flipped = flipped;
	tcp->first_was_syn = (first->tcp.flags & (FYKE_TCP_SYN | FYKE_TCP_ACK)) == FYKE_TCP_SYN;
	tcp->last_ns = INT64_MIN;
	tcp->syn_ns = tcp->syn_ack_ns = tcp->handshake_ack_ns = INT64_MIN;
	fyke_tcp_history_start(tcp, flipped);
}

/* A split handshake: the server acknowledges the SYN first, with any sequence number, and sends its own SYN
 * then (RFC 9293 §3.5 allows it). */
static bool is_split(const struct fyke_tcp_side *own, const struct fyke_tcp_side *peer)
{
	return !own->syn_seen && fyke_tcp_stream_bytes(own) == 0 && own->state == FYKE_TCP_PARTIAL &&
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

/* Field by field: a struct that is returned is made twice. */
static inline void start(struct fyke_tcp_segment *segment, struct fyke_tcp *tcp,
	const struct fyke_packet *packet, enum fyke_endpoint sender)
{
	const struct fyke_tcp_header *header = &packet->tcp;

	memset(segment, 0, sizeof(*segment));
	segment->tcp = tcp;
	segment->header = header;
	segment->length = packet->payload_length;
	segment->captured = packet->payload_captured;
	segment->time_ns = packet->time_ns;
	segment->frame = packet->frame;
	segment->bytes = packet->payload;
	segment->block = packet->block;
	segment->oldest_block = packet->oldest_block;
	segment->sender = sender;
	segment->syn = (header->flags & FYKE_TCP_SYN) != 0;
	segment->fin = (header->flags & FYKE_TCP_FIN) != 0;
	segment->rst = (header->flags & FYKE_TCP_RST) != 0;
	segment->ack = (header->flags & FYKE_TCP_ACK) != 0;
	segment->own = &tcp->side[sender];
	segment->peer = &tcp->side[1 - sender];
	segment->trail = &tcp->trail->side[sender];
	segment->peer_trail = &tcp->trail->side[1 - sender];
	segment->end = header->sequence + segment->length + segment->syn + segment->fin;
}

/* A connection that began with a SYN-ACK: the other side's first answer shows who opened it. */
static void settle_roles(struct fyke_tcp *tcp, const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *client = &tcp->side[tcp->client];

	if (segment->sender == tcp->client || client->state != FYKE_TCP_SYN_ACK_SENT || segment->syn ||
		segment->rst || segment->fin || segment->own->spoke)
		return;
	tcp->client = segment->sender & 1;
	tcp->flipped = !tcp->flipped;
	fyke_tcp_history_flip(segment->memory, tcp);
	client->state = FYKE_TCP_ESTABLISHED;
	segment->own->state = FYKE_TCP_ESTABLISHED;
}

static void note_window(const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *own = segment->own;
	struct fyke_tcp_rare *rare;

	if (segment->header->window != 0 || segment->rst)
		return;
	rare = fyke_tcp_need_rare(segment->memory, own);
	if (!segment->syn && !segment->fin && !segment->duplicate) {
		rare->zero_windows++;
		fyke_tcp_note(segment, segment->sender, "zero_window", 0, 0);
	}
	if (own->state != FYKE_TCP_RESET && segment->peer->state != FYKE_TCP_CLOSED)
		fyke_tcp_history_count(segment, segment->sender, 'w', &rare->zero_window_events);
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

#define NOTHING_RARE                                                                                         \
	{                                                                                                    \
		.recovery = {.highest_sacked = -1, .fast_end = -1, .timeout_end = -1, .earlier_sacked = -1}, \
		.cut_offset = INT64_MAX                                                                      \
	}

const struct fyke_tcp_rare *fyke_tcp_rare(const struct fyke_tcp_side *side)
{
	static const struct fyke_tcp_rare nothing = NOTHING_RARE;

	return side->rare != NULL ? side->rare : &nothing;
}

struct fyke_tcp_rare *fyke_tcp_need_rare(struct fyke_tcp_memory *memory, struct fyke_tcp_side *side)
{
	struct fyke_tcp_rare *rare = side->rare;

	if (rare != NULL)
		return rare;
	side->rare = fyke_blocks_take(memory->blocks, sizeof(*rare));
	memory->failed |= side->rare == NULL;
	rare = side->rare != NULL ? side->rare : &memory->spare;
	*rare = (struct fyke_tcp_rare)NOTHING_RARE;
	return rare;
}

static bool is_under_way(const struct fyke_tcp_side *side)
{
	return side->highest > side->acknowledged;
}

static bool is_window_closed(const struct fyke_tcp_side *side)
{
	return side->window == 0 && side->ack_seen && side->state == FYKE_TCP_ESTABLISHED;
}

/* How it stood before the segment; what the segment is, is added when that is known. */
static struct fyke_tcp_interval interval_before(const struct fyke_tcp *tcp)
{
	const struct fyke_tcp_side *low = &tcp->side[FYKE_LOW], *high = &tcp->side[FYKE_HIGH];

	return (struct fyke_tcp_interval){.opening = tcp->first_was_syn & !tcp->established,
		.under_way = (int)is_under_way(low) | (int)is_under_way(high),
		.window_closed = (int)is_window_closed(low) | (int)is_window_closed(high)};
}

static void spend(const struct fyke_tcp_segment *segment, struct fyke_tcp_interval interval)
{
	struct fyke_tcp *tcp = segment->tcp;
	enum fyke_tcp_spent spent;

	if (tcp->last_ns != INT64_MIN && segment->time_ns > tcp->last_ns) {
		interval.resend = segment->resent;
		interval.payload = segment->length > 0 && segment->nature == FYKE_TCP_CAUSE_NONE;
		interval.from_client = segment->sender == tcp->client;
		spent = fyke_tcp_spent_on(&interval);
		if (spent != FYKE_TCP_SPENT_IDLE)
			tcp->spent_ns[spent] += segment->time_ns - tcp->last_ns;
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

static bool is_start_open(const struct fyke_tcp_side *side)
{
	return !side->sequence_known || (side->rare != NULL && side->rare->has_other_start);
}

/* Nothing but an acknowledgment, with payload or without, amid an established connection, and the history has
 * its letter already: of roles, origins, states and the handshake it can change nothing. */
static bool is_ordinary(const struct fyke_tcp *tcp, const struct fyke_tcp_segment *segment)
{
	const struct fyke_tcp_side *own = segment->own, *peer = segment->peer;
	uint8_t letter = segment->length > 0 ? FYKE_TCP_SAID_DATA : FYKE_TCP_SAID_ACK;

	return (segment->header->flags & (FYKE_TCP_SYN | FYKE_TCP_FIN | FYKE_TCP_RST | FYKE_TCP_ACK)) ==
		       FYKE_TCP_ACK &&
	       own->state == FYKE_TCP_ESTABLISHED && peer->state == FYKE_TCP_ESTABLISHED &&
	       tcp->established && own->spoke && (own->history_said & letter) != 0 &&
	       segment->header->window != 0 && !is_start_open(own) && !is_start_open(peer);
}

static void begin(struct fyke_tcp *tcp, struct fyke_tcp_segment *segment)
{
	settle_roles(tcp, segment);
	fyke_tcp_sequence_start(segment);
}

static void enter(struct fyke_tcp *tcp, struct fyke_tcp_segment *segment)
{
	fyke_tcp_history_flags(segment);
	note_window(segment);
	fyke_tcp_sequence_advance(segment);
	fyke_tcp_state_advance(tcp, segment);
	fyke_tcp_handshake(segment);
}

static void leave(struct fyke_tcp *tcp, struct fyke_tcp_segment *segment)
{
	note_ignored_reset(tcp, segment);
	segment->own->fin_seen |= segment->fin && !segment->rst && !segment->outside;
	segment->own->spoke = true;
}

static inline void take_good(
	struct fyke_tcp *tcp, struct fyke_tcp_segment *segment, const struct fyke_packet *packet)
{
	struct fyke_tcp_interval interval = interval_before(tcp);
	bool ordinary = is_ordinary(tcp, segment);

	if (!ordinary)
		begin(tcp, segment);
	fyke_tcp_duplicate(segment, packet);
	if (ordinary)
		fyke_tcp_sequence_advance(segment);
	else
		enter(tcp, segment);
	fyke_tcp_sequence_payload(segment);
	spend(segment, interval);
	if (!ordinary)
		leave(tcp, segment);
	if (segment->outside)
		return; /* a receiver drops it, with what it acknowledges */
	fyke_tcp_acknowledge(segment);
	take_window(segment);
}

/* Its checksum is wrong; the receiver may have taken it all the same. */
static void take_bad(const struct fyke_tcp_segment *segment, const struct fyke_packet *packet)
{
	struct fyke_tcp_rare *rare = fyke_tcp_need_rare(segment->memory, segment->own);

	fyke_tcp_history_count(segment, segment->sender, 'c', &rare->bad_checksums);
	segment->result->ignored_bytes += segment->length;
	fyke_tcp_doubt(segment, packet);
}

/* Segments with a wrong checksum that this acknowledgment proves to have been received: taken now, as they
 * came. */
static void take_believed(struct fyke_tcp_memory *memory, struct fyke_tcp *tcp,
	const struct fyke_packet *acknowledgment, enum fyke_endpoint receiver, struct fyke_tcp_result *result)
{
	enum fyke_endpoint sender;
	struct fyke_packet packet;

	while (fyke_tcp_doubt_settle(tcp, acknowledgment, receiver, &packet, &sender)) {
		struct fyke_tcp_segment segment;

		start(&segment, tcp, &packet, sender);
		segment.memory = memory;
		segment.oldest_block = acknowledgment->oldest_block;
		segment.result = result;
		segment.believed = true;
		result->ignored_bytes -= packet.payload_length;
		take_good(tcp, &segment, &packet);
		fyke_tcp_note_original(&segment, "checksum_believed", segment.start,
			segment.stop - segment.start, packet.frame);
	}
}

bool fyke_tcp_take(struct fyke_tcp_memory *memory, struct fyke_tcp *tcp, const struct fyke_packet *packet,
	enum fyke_endpoint sender, struct fyke_tcp_result *result)
{
	bool wrong = packet->checksum == FYKE_CHECKSUM_WRONG;
	struct fyke_tcp_segment segment;

	if (tcp->trail == NULL)
		tcp->trail = fyke_blocks_zero(memory->blocks, sizeof(*tcp->trail));
	memory->failed = tcp->trail == NULL;
	if (memory->failed)
		return false;
	result->event_count = 0;
	result->repeated_bytes = result->ignored_bytes = 0;
	if (tcp->side[1 - sender].rare != NULL && !wrong)
		take_believed(memory, tcp, packet, sender, result);
	start(&segment, tcp, packet, sender);
	segment.memory = memory;
	segment.result = result;
	if (wrong)
		take_bad(&segment, packet);
	else
		take_good(tcp, &segment, packet);
	result->phase = phase_of(tcp);
	return !memory->failed;
}

static void release_trail(struct fyke_tcp_memory *memory, struct fyke_tcp *tcp)
{
	if (tcp->trail == NULL)
		return;
	for (int i = 0; i < 2; i++)
		fyke_tcp_sent_release(memory->blocks, &tcp->trail->side[i].sent);
	fyke_blocks_give(memory->blocks, tcp->trail, sizeof(*tcp->trail));
	tcp->trail = NULL;
}

static bool is_fin_under_way(const struct fyke_tcp_side *side, const struct fyke_tcp_side *peer)
{
	return side->fin_seen && (int32_t)(peer->last_ack - (side->start + 1 + side->fin_low)) <= 0;
}

/* What was sent again, or told to be missing, may be again. */
static bool is_settled(const struct fyke_tcp_side *side, const struct fyke_tcp_side *peer)
{
	const struct fyke_tcp_rare *rare = fyke_tcp_rare(side);

	return !is_under_way(side) && !is_fin_under_way(side, peer) && rare->recovery.told_ns == 0 &&
	       rare->retransmitted_segments == 0 && rare->causes[FYKE_TCP_CAUSE_FIN] == 0;
}

void fyke_tcp_rest(struct fyke_tcp_memory *memory, struct fyke_tcp *tcp)
{
	const struct fyke_tcp_side *low = &tcp->side[FYKE_LOW], *high = &tcp->side[FYKE_HIGH];

	if (is_settled(low, high) && is_settled(high, low))
		release_trail(memory, tcp);
}

static void release_rare(struct fyke_tcp_memory *memory, struct fyke_tcp_side *side)
{
	struct fyke_tcp_rare *rare = side->rare;

	if (rare == NULL)
		return;
	fyke_tcp_miss_nothing(memory, rare);
	fyke_tcp_doubts_release(memory, rare->doubts);
	fyke_blocks_give(memory->blocks, rare, sizeof(*rare));
	side->rare = NULL;
}

void fyke_tcp_release(struct fyke_tcp_memory *memory, struct fyke_tcp *tcp)
{
	release_trail(memory, tcp);
	release_rare(memory, &tcp->side[FYKE_LOW]);
	release_rare(memory, &tcp->side[FYKE_HIGH]);
	if (tcp->history_is_long)
		fyke_blocks_give(memory->blocks, tcp->history.more, FYKE_TCP_HISTORY);
	tcp->history_is_long = false;
}

bool fyke_tcp_is_notable(const struct fyke_tcp *tcp)
{
	const struct fyke_tcp_side *client = &tcp->side[tcp->client], *server = &tcp->side[1 - tcp->client];

	if (fyke_tcp_stream_bytes(client) > 0 || fyke_tcp_stream_bytes(server) > 0)
		return true;
	if (client->spoke && server->spoke)
		return !(server->state == FYKE_TCP_RESET && !server->syn_seen && client->syn_seen);
	return !(client->syn_seen && !client->ack_seen) || !client->spoke;
}
