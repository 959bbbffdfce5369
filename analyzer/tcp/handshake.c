/*
 * The opening of a connection: what the SYNs offered (RFC 9293 §3.2, RFC 7323, RFC 2018) and when
 * SYN, SYN-ACK and ACK passed the tap.
 */
#include "analyzer/tcp/parts.h"

static void note_options(struct fyke_tcp_side *side, const struct fyke_tcp_header *header)
{
	side->options_known = true;
	side->mss = header->mss;
	side->window_scale = header->window_scale;
	side->sack_permitted = header->sack_permitted;
	side->timestamps = header->has_timestamps;
}

/* A SYN-ACK with another sequence number: of two servers behind one address, or injected. Which one counts
 * the client's acknowledgment shows. */
static void note_other_start(const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *own = segment->own;
	struct fyke_tcp_rare *rare = fyke_tcp_need_rare(segment->memory, own);

	rare->other_start = segment->header->sequence;
	rare->has_other_start = rare->holes == NULL && own->highest == rare->lowest;
	fyke_tcp_note(segment, segment->sender, "other_syn_ack", 0, 0);
}

static void note_syn(const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp *tcp = segment->tcp;
	struct fyke_tcp_side *own = segment->own;
	uint32_t sequence = segment->header->sequence;

	if (segment->duplicate)
		return;
	if (segment->ack ? own->syn_ack_seen : own->bare_syn_seen) {
		if (sequence == own->start)
			fyke_tcp_need_rare(segment->memory, own)->syn_retransmissions++;
		else
			note_other_start(segment);
	}
	if (!own->syn_seen || sequence == own->start)
		note_options(own, segment->header);
	own->syn_seen = true;
	own->syn_ack_seen |= segment->ack;
	own->bare_syn_seen |= !segment->ack;
	if (!segment->ack && tcp->syn_ns == INT64_MIN)
		tcp->syn_ns = segment->time_ns;
	if (segment->ack && tcp->syn_ack_ns == INT64_MIN)
		tcp->syn_ack_ns = segment->time_ns;
}

/* The handshake's two halves are the first round trips of the two sides (RFC 6298 §2.2); what was resent is
 * ambiguous (Karn), and where both sides opened there are no halves. */
static void time_half(struct fyke_tcp_side *side, int64_t round_trip_ns)
{
	fyke_tcp_timer_sample(&side->timer, round_trip_ns);
	side->handshake_timed = true;
}

static void time_halves(struct fyke_tcp *tcp)
{
	struct fyke_tcp_side *client = &tcp->side[tcp->client], *server = &tcp->side[1 - tcp->client];

	if (server->bare_syn_seen)
		return;
	if (tcp->syn_ns != INT64_MIN && fyke_tcp_rare(client)->syn_retransmissions == 0 &&
		tcp->syn_ack_ns > tcp->syn_ns)
		time_half(client, tcp->syn_ack_ns - tcp->syn_ns);
	if (fyke_tcp_rare(server)->syn_retransmissions == 0 && tcp->handshake_ack_ns > tcp->syn_ack_ns)
		time_half(server, tcp->handshake_ack_ns - tcp->syn_ack_ns);
}

/* Whose SYN this segment acknowledges. */
static void note_syn_acknowledged(const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *peer = segment->peer;

	if (segment->ack && !segment->rst && peer->syn_seen &&
		(int32_t)(segment->header->acknowledgment - peer->start) > 0)
		peer->syn_acknowledged = true;
}

void fyke_tcp_handshake(const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp *tcp = segment->tcp;

	if (segment->syn && !segment->rst && !segment->fin)
		note_syn(segment);
	if (tcp->established)
		return;
	note_syn_acknowledged(segment);
	if (tcp->syn_ack_ns == INT64_MIN && !tcp->side[1 - tcp->client].bare_syn_seen)
		return;
	if (tcp->side[1 - tcp->client].syn_acknowledged &&
		(tcp->side[tcp->client].syn_acknowledged || !tcp->side[tcp->client].syn_seen)) {
		tcp->handshake_ack_ns = segment->time_ns;
		tcp->established = true;
		time_halves(tcp);
	}
}
