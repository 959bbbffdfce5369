/* A short list a side, oldest first. */
#include "analyzer/tcp/stream_doubt.h"

#include "analyzer/tcp/parts.h"

#include <stdlib.h>
#include <string.h>

enum { DOUBTS_MAX = 32 };

struct fyke_stream_doubt {
	struct fyke_stream_doubt *next;
	struct fyke_piece piece;
	bool fin;
	uint8_t bytes[];
};

static uint64_t cost_of(const struct fyke_stream_doubt *doubt)
{
	return sizeof(*doubt) + doubt->piece.captured;
}

static void forget(struct fyke_stream *stream, struct fyke_stream_doubt **place)
{
	struct fyke_stream_doubt *doubt = *place;

	*place = doubt->next;
	fyke_stream_memory_give(stream->side[0].memory, cost_of(doubt));
	free(doubt);
}

/* Where the next one goes; makes room first. */
static struct fyke_stream_doubt **end_of(struct fyke_stream *stream, enum fyke_endpoint sender)
{
	struct fyke_stream_doubt **place = &stream->doubts[sender];
	unsigned count = 0;

	for (const struct fyke_stream_doubt *doubt = *place; doubt != NULL; doubt = doubt->next)
		count++;
	if (count == DOUBTS_MAX)
		forget(stream, place);
	while (*place != NULL)
		place = &(*place)->next;
	return place;
}

void fyke_stream_doubt(struct fyke_stream *stream, const struct fyke_tcp *tcp,
	const struct fyke_packet *packet, enum fyke_endpoint sender)
{
	const struct fyke_tcp_side *own = &tcp->side[sender];
	struct fyke_stream_memory *memory = stream->side[0].memory;
	uint64_t cost = sizeof(struct fyke_stream_doubt) + packet->payload_captured;
	struct fyke_stream_doubt *doubt;

	if (packet->payload_length == 0 || (packet->tcp.flags & FYKE_TCP_SYN) != 0 || !own->sequence_known ||
		!fyke_stream_memory_take(memory, cost))
		return;
	doubt = malloc(sizeof(*doubt) + packet->payload_captured);
	if (doubt == NULL) {
		fyke_stream_memory_give(memory, cost);
		return;
	}
	*doubt = (struct fyke_stream_doubt){.fin = (packet->tcp.flags & FYKE_TCP_FIN) != 0,
		.piece = {.offset = fyke_tcp_offset(own, packet->tcp.sequence),
			.captured = packet->payload_captured,
			.length = packet->payload_length,
			.frame = packet->frame,
			.time_ns = packet->time_ns}};
	memcpy(doubt->bytes, packet->payload, packet->payload_captured);
	doubt->piece.data = doubt->bytes;
	*end_of(stream, sender) = doubt;
}

static void believe(
	struct fyke_stream *stream, enum fyke_endpoint sender, const struct fyke_stream_doubt *doubt)
{
	struct fyke_reassembly *side = &stream->side[sender];
	int64_t stop = doubt->piece.offset + doubt->piece.length;

	if (!fyke_reassembly_lacks(side, doubt->piece.offset, stop))
		return; /* a copy with a right checksum has come */
	stream->left_out -= doubt->piece.captured;
	fyke_reassembly_feed(side, &doubt->piece);
	if (doubt->fin)
		fyke_reassembly_end(side, stop, doubt->piece.frame, doubt->piece.time_ns);
}

static void settle_side(struct fyke_stream *stream, const struct fyke_tcp *tcp, enum fyke_endpoint sender)
{
	const struct fyke_tcp_side *own = &tcp->side[sender];
	struct fyke_stream_doubt **place = &stream->doubts[sender];

	while (*place != NULL) {
		const struct fyke_piece *piece = &(*place)->piece;
		int64_t stop = piece->offset + piece->length;
		bool seen = stop <= own->highest &&
			    fyke_tcp_holes_within(fyke_tcp_rare(own)->holes, piece->offset, stop) == 0;

		if (seen)
			believe(stream, sender, *place);
		if (seen || stop <= own->acknowledged)
			forget(stream, place);
		else
			place = &(*place)->next;
	}
}

void fyke_stream_doubts_settle(struct fyke_stream *stream, const struct fyke_tcp *tcp)
{
	settle_side(stream, tcp, FYKE_LOW);
	settle_side(stream, tcp, FYKE_HIGH);
}

void fyke_stream_doubts_release(struct fyke_stream *stream)
{
	for (int i = 0; i < 2; i++) {
		while (stream->doubts[i] != NULL)
			forget(stream, &stream->doubts[i]);
	}
}
