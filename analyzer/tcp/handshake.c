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

void fyke_tcp_handshake(struct fyke_tcp *tcp, const struct fyke_tcp_segment *segment)
{
	if (segment->syn && !segment->rst && !segment->fin) {
		note_syn(tcp, segment);
	} else if (tcp->handshake_ack_ns == INT64_MIN && tcp->syn_ack_ns != INT64_MIN && segment->ack &&
		   !segment->rst && segment->sender == tcp->client && segment->peer->syn_seen &&
		   (int32_t)(segment->header->acknowledgment - segment->peer->start) > 0) {
		tcp->handshake_ack_ns = segment->time_ns;
		tcp->established = true;
	}
}
