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

static void note_syn(struct fyke_tcp *tcp, const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *own = segment->own;
	uint32_t sequence = segment->header->sequence;

	if (segment->duplicate)
		return;
	if (own->syn_seen && sequence == own->start)
		own->syn_retransmissions++;
	else
		note_options(own, segment->header);
	own->syn_seen = true;
	if (!segment->ack) {
		if (tcp->syn_ns == INT64_MIN)
			tcp->syn_ns = segment->time_ns;
		tcp->last_syn_ns = segment->time_ns;
	} else {
		if (tcp->syn_ack_ns == INT64_MIN)
			tcp->syn_ack_ns = segment->time_ns;
		tcp->last_syn_ack_ns = segment->time_ns;
	}
}

/* The handshake's two halves are the first round trips of the two sides (RFC 6298 §2.2); what was resent is
 * ambiguous (Karn). */
static void time_halves(struct fyke_tcp *tcp)
{
	struct fyke_tcp_side *client = &tcp->side[tcp->client], *server = &tcp->side[1 - tcp->client];

	if (tcp->syn_ns != INT64_MIN && client->syn_retransmissions == 0 && tcp->syn_ack_ns > tcp->syn_ns)
		fyke_tcp_timer_sample(&client->timer, tcp->syn_ack_ns - tcp->syn_ns);
	if (server->syn_retransmissions == 0 && tcp->handshake_ack_ns > tcp->syn_ack_ns)
		fyke_tcp_timer_sample(&server->timer, tcp->handshake_ack_ns - tcp->syn_ack_ns);
}

void fyke_tcp_handshake(struct fyke_tcp *tcp, const struct fyke_tcp_segment *segment)
{
	if (segment->syn && !segment->rst && !segment->fin) {
		note_syn(tcp, segment);
	} else if (tcp->handshake_ack_ns == INT64_MIN && tcp->syn_ack_ns != INT64_MIN && segment->ack &&
		   !segment->rst && segment->sender == tcp->client && segment->peer->syn_seen &&
		   (int32_t)(segment->header->acknowledgment - segment->peer->start) > 0) {
		tcp->handshake_ack_ns = segment->time_ns;
		tcp->established = true;
		time_halves(tcp);
	}
}
