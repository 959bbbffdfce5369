/*
 * Segments with a wrong checksum. A receiver drops what was spoilt on the way, and its sender sends it again.
 * What was spoilt only in the capture (by segmentation offload, or by who changed addresses or payload
 * afterwards) was received, and the receiver acknowledges it.
 *
 * So such a segment waits: an acknowledgment of all of it, while no other copy of any of its bytes was seen,
 * proves that the receiver took it, and it is taken then as it came. Else it enters no stream. A bounded
 * number waits on each side; with a further one the oldest is given up.
 */
#include "analyzer/tcp/parts.h"

#include <stdlib.h>
#include <string.h>

enum {
	DOUBTS_MAX = 32,     /* a side: what is sent between two acknowledgments */
	AHEAD_MAX = 1 << 20, /* how far beyond the highest byte such a segment is believed */
};

struct fyke_tcp_doubts {
	uint32_t count, room;
	struct fyke_packet list[];
};

size_t fyke_tcp_doubts_heap(const struct fyke_tcp_side *side)
{
	return side->doubts == NULL ? 0 : sizeof(*side->doubts) + side->doubts->room * sizeof(struct fyke_packet);
}

static void forget(struct fyke_tcp_doubts *doubts, uint32_t at)
{
	doubts->count--;
	memmove(&doubts->list[at], &doubts->list[at + 1], (doubts->count - at) * sizeof(doubts->list[0]));
}

static bool make_room(struct fyke_tcp_side *side)
{
	struct fyke_tcp_doubts *doubts = side->doubts;
	uint32_t room;

	if (doubts != NULL && doubts->count == DOUBTS_MAX)
		forget(doubts, 0);
	if (doubts != NULL && doubts->count < doubts->room)
		return true;
	room = doubts == NULL ? 2 : doubts->room * 2;
	doubts = realloc(doubts, sizeof(*doubts) + room * sizeof(doubts->list[0]));
	if (doubts == NULL)
		return false;
	if (side->doubts == NULL)
		doubts->count = 0;
	doubts->room = room;
	side->doubts = doubts;
	return true;
}

void fyke_tcp_doubt(const struct fyke_tcp_segment *segment, const struct fyke_packet *packet)
{
	struct fyke_tcp_side *own = segment->own;
	struct fyke_packet *kept;
	int64_t start;

	if (segment->length == 0 || segment->syn || segment->rst || !own->sequence_known || !own->spoke)
		return;
	start = fyke_tcp_offset(own, segment->header->sequence);
	if (start < own->lowest || start < own->acknowledged || start > own->highest + AHEAD_MAX ||
		!make_room(own))
		return;
	kept = &own->doubts->list[own->doubts->count++];
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

	return start >= side->highest || fyke_tcp_holes_within(side->holes, start, known) == known - start;
}

bool fyke_tcp_doubt_settle(const struct fyke_tcp_segment *segment, struct fyke_packet *packet)
{
	struct fyke_tcp_side *peer = segment->peer;
	struct fyke_tcp_doubts *doubts = peer->doubts;

	for (uint32_t i = 0; i < doubts->count;) {
		const struct fyke_packet *doubt = &doubts->list[i];
		uint32_t stop = doubt->tcp.sequence + doubt->payload_length;

		if ((int32_t)(segment->header->acknowledgment - stop) < 0) {
			i++;
			continue;
		}
		*packet = *doubt;
		forget(doubts, i);
		if (is_lacking(peer, packet))
			return true;
	}
	return false;
}

void fyke_tcp_doubts_release(struct fyke_tcp_side *side)
{
	free(side->doubts);
	side->doubts = NULL;
}
