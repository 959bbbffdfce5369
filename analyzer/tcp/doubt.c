/*
 * Segments with a wrong checksum. A receiver drops what was spoilt on the way, and its sender sends it again.
 * What was spoilt only in the capture (by segmentation offload, or by who changed addresses or payload
 * afterwards) was received, and the receiver acknowledges it.
 *
 * So such a segment waits: an acknowledgment of all of it, while no other copy of any of its bytes was seen,
 * proves that the receiver took it, and it is taken then as it came, with what it acknowledges itself. Else
 * it enters no stream. A bounded number waits on each side; with a further one the oldest is given up.
 */
#include "analyzer/tcp/parts.h"

#include <string.h>

enum {
	DOUBTS_MAX = 32,     /* a side: what is sent between two acknowledgments */
	AHEAD_MAX = 1 << 20, /* how far beyond the highest byte such a segment is believed */
};

struct fyke_tcp_doubts {
	uint32_t count, room;
	struct fyke_packet list[];
};

static struct fyke_tcp_doubts *doubts_of(const struct fyke_tcp_side *side)
{
	return side->rare == NULL ? NULL : side->rare->doubts;
}

static size_t size_of(const struct fyke_tcp_doubts *doubts)
{
	return doubts == NULL ? 0 : sizeof(*doubts) + doubts->room * sizeof(struct fyke_packet);
}

static void forget(struct fyke_tcp_doubts *doubts, uint32_t at)
{
	doubts->count--;
	memmove(&doubts->list[at], &doubts->list[at + 1], (doubts->count - at) * sizeof(doubts->list[0]));
}

/* NULL when memory is out. */
static struct fyke_tcp_doubts *grow(struct fyke_tcp_memory *memory, struct fyke_tcp_doubts *doubts)
{
	uint32_t room = doubts == NULL ? 2 : doubts->room * 2;
	struct fyke_tcp_doubts *grown =
		fyke_blocks_take(memory->blocks, sizeof(*grown) + room * sizeof(grown->list[0]));

	if (grown == NULL)
		return NULL;
	grown->count = 0;
	if (doubts != NULL)
		memcpy(grown, doubts, sizeof(*doubts) + doubts->count * sizeof(doubts->list[0]));
	fyke_blocks_give(memory->blocks, doubts, size_of(doubts));
	grown->room = room;
	return grown;
}

static bool make_room(struct fyke_tcp_memory *memory, struct fyke_tcp_side *side)
{
	struct fyke_tcp_doubts *doubts = fyke_tcp_need_rare(memory, side)->doubts;

	if (side->rare == NULL)
		return false;
	if (doubts != NULL && doubts->count == DOUBTS_MAX)
		forget(doubts, 0);
	if (doubts != NULL && doubts->count < doubts->room)
		return true;
	doubts = grow(memory, doubts);
	memory->failed |= doubts == NULL;
	if (doubts != NULL)
		side->rare->doubts = doubts;
	return doubts != NULL;
}

void fyke_tcp_doubt(const struct fyke_tcp_segment *segment, const struct fyke_packet *packet)
{
	struct fyke_tcp_side *own = segment->own;
	struct fyke_packet *kept;
	int64_t start;

	if (segment->length == 0 || segment->syn || segment->rst || !own->sequence_known || !own->spoke)
		return;
	start = fyke_tcp_offset(own, segment->header->sequence);
	if (start < fyke_tcp_lowest(own) || start < own->acknowledged || start > own->highest + AHEAD_MAX ||
		!make_room(segment->memory, own))
		return;
	kept = &own->rare->doubts->list[own->rare->doubts->count++];
	*kept = *packet;
	/* good for the call only */
	kept->source_mac = kept->destination_mac = NULL;
	kept->fragment_frames = NULL;
	kept->fragment_count = 0;
}

/* Nothing of it was seen with a right checksum. */
static bool is_lacking(const struct fyke_tcp_side *side, const struct fyke_packet *packet)
{
	int64_t start = fyke_tcp_offset(side, packet->tcp.sequence), stop = start + packet->payload_length;
	int64_t known = stop < side->highest ? stop : side->highest;

	return start >= side->highest ||
	       fyke_tcp_holes_within(fyke_tcp_rare(side)->holes, start, known) == known - start;
}

/* What each side is known to have: by this acknowledgment, and by those in segments that it proves. */
struct proof {
	bool known[2];
	uint32_t below[2]; /* sequence numbers of that side's stream */
};

static void prove(struct proof *proof, int side, uint32_t acknowledgment)
{
	if (proof->known[side] && (int32_t)(acknowledgment - proof->below[side]) <= 0)
		return;
	proof->known[side] = true;
	proof->below[side] = acknowledgment;
}

static bool is_proven(const struct proof *proof, int side, const struct fyke_packet *packet)
{
	return proof->known[side] &&
	       (int32_t)(proof->below[side] - (packet->tcp.sequence + packet->payload_length)) >= 0;
}

static uint32_t count_of(const struct fyke_tcp_side *side)
{
	return doubts_of(side) == NULL ? 0 : doubts_of(side)->count;
}

/* Follows from proven segment to proven segment, until nothing more does. */
static struct proof follow(const struct fyke_tcp *tcp, int sender, uint32_t acknowledgment)
{
	struct proof proof = {0}, before;

	prove(&proof, sender, acknowledgment);
	do {
		before = proof;
		for (int side = 0; side < 2; side++) {
			for (uint32_t i = 0; i < count_of(&tcp->side[side]); i++) {
				const struct fyke_packet *doubt = &doubts_of(&tcp->side[side])->list[i];

				if (is_proven(&proof, side, doubt) && (doubt->tcp.flags & FYKE_TCP_ACK) != 0)
					prove(&proof, 1 - side, doubt->tcp.acknowledgment);
			}
		}
	} while (before.known[0] != proof.known[0] || before.known[1] != proof.known[1] ||
		 before.below[0] != proof.below[0] || before.below[1] != proof.below[1]);
	return proof;
}

/* Takes the oldest proven one out of the lists. */
static bool next_proven(struct fyke_tcp *tcp, const struct proof *proof, struct fyke_packet *packet,
	enum fyke_endpoint *sender)
{
	uint32_t at = 0;
	bool found = false;

	for (int side = 0; side < 2; side++) {
		for (uint32_t i = 0; i < count_of(&tcp->side[side]); i++) {
			const struct fyke_packet *doubt = &doubts_of(&tcp->side[side])->list[i];

			if (!is_proven(proof, side, doubt) || (found && doubt->frame >= packet->frame))
				continue;
			found = true;
			*packet = *doubt;
			*sender = (enum fyke_endpoint)side;
			at = i;
		}
	}
	if (found)
		forget(doubts_of(&tcp->side[*sender]), at);
	return found;
}

/* A RST's acknowledgment may be made up, but not one that fits to the byte. */
static bool ends_with_doubt(const struct fyke_tcp_side *side, uint32_t acknowledgment)
{
	const struct fyke_tcp_doubts *doubts = doubts_of(side);

	for (uint32_t i = 0; i < doubts->count; i++) {
		if (doubts->list[i].tcp.sequence + doubts->list[i].payload_length == acknowledgment)
			return true;
	}
	return false;
}

bool fyke_tcp_doubt_settle(struct fyke_tcp *tcp, const struct fyke_packet *acknowledgment,
	enum fyke_endpoint receiver, struct fyke_packet *packet, enum fyke_endpoint *sender)
{
	const struct fyke_tcp_side *peer = &tcp->side[1 - receiver];
	uint32_t below = acknowledgment->tcp.acknowledgment;
	struct proof proof;

	if (count_of(peer) == 0 || (acknowledgment->tcp.flags & FYKE_TCP_ACK) == 0 ||
		((acknowledgment->tcp.flags & FYKE_TCP_RST) != 0 && !ends_with_doubt(peer, below)))
		return false;
	proof = follow(tcp, 1 - (int)receiver, below);
	while (next_proven(tcp, &proof, packet, sender)) {
		if (is_lacking(&tcp->side[*sender], packet))
			return true;
	}
	return false;
}

void fyke_tcp_doubts_release(struct fyke_tcp_memory *memory, struct fyke_tcp_doubts *doubts)
{
	fyke_blocks_give(memory->blocks, doubts, size_of(doubts));
}
