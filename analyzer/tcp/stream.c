/*
 * From packets to offsets: what fyke_tcp knows of the sequence space is used to place each segment.
 * RFC 9293 §3.4 (sequence numbers), RFC 7323 §2 (windows), RFC 7413 (data on a SYN).
 */
#include "analyzer/tcp/stream.h"

#include "analyzer/tcp/parts.h"
#include "analyzer/tcp/stream_doubt.h"

#include <stdlib.h>
#include <string.h>

enum {
	SLACK = 1 << 24,	 /* how far beyond the window data are believed: the tap may miss ACKs */
	START_GAP_MAX = 1 << 20, /* how far behind an acknowledged start the first data may lie */
	WINDOW_SCALE_MAX = 14,
};

struct fyke_syn_data {
	uint64_t frame;
	int64_t time_ns, offset;
	uint32_t captured, length;
	uint8_t bytes[];
};

void fyke_stream_init(struct fyke_stream *stream, struct fyke_stream_memory *memory,
	const struct fyke_stream_options *options)
{
	*stream = (struct fyke_stream){.urgent = options->urgent, .context = options->context};
	for (int i = 0; i < 2; i++) {
		const struct fyke_reassembly_options side = {.side = (enum fyke_endpoint)i,
			.policy = options->policy[i],
			.memory = options->memory,
			.keeps_recent = options->keeps_recent,
			.sink = options->sink,
			.context = options->context};

		stream->start[i] = options->start[i];
		fyke_reassembly_init(&stream->side[i], memory, &side);
	}
}

static void feed_syn_data(struct fyke_stream *stream, enum fyke_endpoint side, int64_t acknowledged)
{
	struct fyke_syn_data *syn = stream->syn[side];
	int64_t taken = acknowledged == INT64_MAX ? INT64_MAX : acknowledged - syn->offset;
	struct fyke_piece piece = {.offset = syn->offset,
		.data = syn->bytes,
		.captured = syn->captured,
		.length = syn->length,
		.frame = syn->frame,
		.time_ns = syn->time_ns};

	stream->syn[side] = NULL;
	if (taken < (int64_t)piece.length)
		piece.length = taken < 0 ? 0 : (uint32_t)taken;
	if (piece.captured > piece.length)
		piece.captured = piece.length;
	stream->left_out += syn->captured - piece.captured;
	fyke_reassembly_feed(&stream->side[side], &piece);
	free(syn);
}

/* Until the other side says whether it took them. */
static void keep_syn_data(struct fyke_stream *stream, enum fyke_endpoint side, const struct fyke_piece *piece)
{
	struct fyke_syn_data *syn = stream->syn[side] == NULL ? malloc(sizeof(*syn) + piece->captured) : NULL;

	if (syn == NULL) {
		stream->left_out += piece->captured;
		return;
	}
	*syn = (struct fyke_syn_data){.frame = piece->frame,
		.time_ns = piece->time_ns,
		.offset = piece->offset,
		.captured = piece->captured,
		.length = piece->length};
	memcpy(syn->bytes, piece->data, piece->captured);
	stream->syn[side] = syn;
}

static void note_window(struct fyke_stream *stream, const struct fyke_tcp *tcp,
	const struct fyke_packet *packet, enum fyke_endpoint sender)
{
	const struct fyke_tcp_side *own = &tcp->side[sender], *peer = &tcp->side[1 - sender];
	enum fyke_endpoint other = (enum fyke_endpoint)(1 - sender);
	int64_t window = packet->tcp.window;

	if (!own->options_known || !peer->options_known)
		return;
	if (own->window_scale >= 0 && peer->window_scale >= 0 && (packet->tcp.flags & FYKE_TCP_SYN) == 0)
		window <<= own->window_scale < WINDOW_SCALE_MAX ? own->window_scale : WINDOW_SCALE_MAX;
	if (window <= stream->window[other])
		return;
	stream->window[other] = window;
	fyke_reassembly_window(&stream->side[other], window + SLACK);
}

static void take_acknowledgment(struct fyke_stream *stream, const struct fyke_tcp *tcp,
	const struct fyke_packet *packet, enum fyke_endpoint sender)
{
	const struct fyke_tcp_side *peer = &tcp->side[1 - sender];
	enum fyke_endpoint other = (enum fyke_endpoint)(1 - sender);
	int64_t offset;

	if ((packet->tcp.flags & FYKE_TCP_ACK) == 0 || !peer->sequence_known)
		return;
	offset = fyke_tcp_offset(peer, packet->tcp.acknowledgment);
	if (stream->syn[other] != NULL)
		feed_syn_data(stream, other, offset);
	fyke_reassembly_acknowledge(&stream->side[other], offset, packet->frame, packet->time_ns);
}

/* The sender of a keep-alive repeats its last byte, or a made up one (RFC 9293 §3.8.4). */
static bool is_keep_alive(
	const struct fyke_tcp *tcp, const struct fyke_piece *piece, uint16_t flags, enum fyke_endpoint sender)
{
	const struct fyke_tcp_side *own = &tcp->side[sender];

	return piece->length == 1 && (flags & (FYKE_TCP_SYN | FYKE_TCP_FIN)) == 0 &&
	       tcp->side[1 - sender].ack_seen && own->acknowledged >= own->highest &&
	       piece->offset == own->highest - 1;
}

static void start_stream(
	struct fyke_reassembly *side, const struct fyke_piece *piece, bool syn, int64_t known_start)
{
	bool near = piece->offset >= 0 && piece->offset <= START_GAP_MAX;

	if (syn && piece->offset == 0) /* another SYN, with another sequence number, begins nothing */
		fyke_reassembly_start(side, 0);
	else if (!side->started && piece->length > 0 && known_start != INT64_MIN)
		fyke_reassembly_start(side, known_start);
	else if (!side->started && piece->length > 0)
		fyke_reassembly_start(side, near ? 0 : piece->offset);
}

/* Where the other side has sent its SYN and no byte of this one was seen, a FIN before the SYN-ACK is
 * nothing to a receiver (RFC 9293 §3.10.7.3). */
static bool is_before_syn(
	const struct fyke_stream *stream, const struct fyke_tcp *tcp, enum fyke_endpoint sender)
{
	return tcp->first_was_syn && !tcp->side[sender].syn_seen && stream->side[sender].counters.fed == 0;
}

static void take_data(struct fyke_stream *stream, const struct fyke_tcp *tcp,
	const struct fyke_packet *packet, enum fyke_endpoint sender)
{
	bool syn = (packet->tcp.flags & FYKE_TCP_SYN) != 0;
	struct fyke_reassembly *side = &stream->side[sender];
	struct fyke_piece piece = {
		.offset = fyke_tcp_offset(&tcp->side[sender], packet->tcp.sequence + (syn ? 1 : 0)),
		.data = packet->payload,
		.captured = packet->payload_captured,
		.length = packet->payload_length,
		.frame = packet->frame,
		.time_ns = packet->time_ns};

	start_stream(side, &piece, syn, stream->start[sender]);
	if (syn && piece.offset != 0) {
		stream->left_out += piece.captured;
	} else if (piece.length > 0 && syn) {
		keep_syn_data(stream, sender, &piece);
	} else if (is_keep_alive(tcp, &piece, packet->tcp.flags, sender)) {
		stream->left_out += piece.captured;
	} else if (piece.length > 0) {
		if (stream->syn[sender] != NULL) /* sent again, or going on: no word from the other side */
			feed_syn_data(stream, sender, piece.offset);
		fyke_reassembly_feed(side, &piece);
	}
	if ((packet->tcp.flags & FYKE_TCP_FIN) != 0 && stream->syn[sender] == NULL &&
		!is_before_syn(stream, tcp, sender))
		fyke_reassembly_end(side, piece.offset + piece.length, piece.frame, piece.time_ns);
	if ((packet->tcp.flags & FYKE_TCP_URG) != 0 && packet->tcp.urgent > 0 && stream->urgent != NULL)
		stream->urgent(
			stream->context, &(struct fyke_urgent){sender, piece.offset + packet->tcp.urgent - 1,
						 piece.frame, piece.time_ns});
}

void fyke_stream_take(struct fyke_stream *stream, const struct fyke_tcp *tcp,
	const struct fyke_packet *packet, enum fyke_endpoint sender)
{
	bool wrong = packet->checksum == FYKE_CHECKSUM_WRONG, reset = (packet->tcp.flags & FYKE_TCP_RST) != 0;

	if (!wrong && (stream->doubts[FYKE_LOW] != NULL || stream->doubts[FYKE_HIGH] != NULL))
		fyke_stream_doubts_settle(stream, tcp);
	if (wrong && !reset)
		fyke_stream_doubt(stream, tcp, packet, sender);
	if (wrong || reset) {
		stream->left_out += packet->payload_captured;
		return;
	}
	note_window(stream, tcp, packet, sender);
	take_acknowledgment(stream, tcp, packet, sender);
	take_data(stream, tcp, packet, sender);
}

void fyke_stream_finish(struct fyke_stream *stream, uint64_t frame, int64_t time_ns)
{
	for (int i = 0; i < 2; i++) {
		if (stream->syn[i] != NULL)
			feed_syn_data(stream, (enum fyke_endpoint)i, INT64_MAX);
		fyke_reassembly_finish(&stream->side[i], frame, time_ns);
	}
}

void fyke_stream_release(struct fyke_stream *stream)
{
	fyke_stream_doubts_release(stream);
	for (int i = 0; i < 2; i++) {
		fyke_reassembly_release(&stream->side[i]);
		free(stream->syn[i]);
		stream->syn[i] = NULL;
	}
}
