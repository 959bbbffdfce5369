/*
 * Endpoint states (SEMANTICS §1, after Zeek's model of a connection seen from outside). What a
 * passive observer can miss (SYNs, whole directions) has states of its own.
 */
#include "analyzer/tcp/parts.h"

static void set_state(struct fyke_tcp_side *side, enum fyke_tcp_endpoint_state state)
{
	if (side->state == state)
		return;
	side->previous_state = side->state;
	side->state = state & 15;
}

static bool is_plain_ack(const struct fyke_tcp_segment *segment)
{
	return segment->ack && !segment->syn && !segment->fin && !segment->rst;
}

/* The first segment of an endpoint. */
static void advance_inactive(struct fyke_tcp *tcp, const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *own = segment->own, *peer = segment->peer;

	if (segment->fin) {
		set_state(own, FYKE_TCP_CLOSED);
	} else if (segment->syn && segment->sender == tcp->client) {
		if (!segment->ack)
			set_state(own, FYKE_TCP_SYN_SENT);
		else
			set_state(own, peer->state == FYKE_TCP_SYN_SENT ? FYKE_TCP_ESTABLISHED
									: FYKE_TCP_SYN_ACK_SENT);
	} else if (segment->syn) {
		set_state(own, FYKE_TCP_ESTABLISHED);
		if (peer->state != FYKE_TCP_PARTIAL && peer->state != FYKE_TCP_INACTIVE)
			set_state(peer, FYKE_TCP_ESTABLISHED);
	} else if (is_plain_ack(segment) && segment->sender == tcp->client && peer->syn_seen) {
		set_state(own, FYKE_TCP_ESTABLISHED); /* its SYN was missed */
	}
	if (segment->rst)
		set_state(own, FYKE_TCP_RESET);
	if (own->state == FYKE_TCP_INACTIVE)
		set_state(own, FYKE_TCP_PARTIAL);
}

static void advance_syn_sent(const struct fyke_tcp_segment *segment)
{
	if (segment->fin)
		set_state(segment->own, FYKE_TCP_CLOSED);
	if (segment->rst)
		set_state(segment->own, FYKE_TCP_RESET);
}

static void advance_open(const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *own = segment->own, *peer = segment->peer;

	if (segment->syn && !segment->ack && own->state == FYKE_TCP_PARTIAL) {
		if (peer->state == FYKE_TCP_INACTIVE) {
			set_state(own, FYKE_TCP_SYN_SENT);
		} else if (peer->state ==
			   FYKE_TCP_SYN_SENT) { /* a split handshake: it had acknowledged before */
			set_state(own, FYKE_TCP_ESTABLISHED);
			set_state(peer, FYKE_TCP_ESTABLISHED);
		}
	}
	if (segment->fin && !segment->rst) {
		set_state(own, FYKE_TCP_CLOSED);
		/* FIN, RST, then the peer's FIN is a normal close */
		if (peer->state == FYKE_TCP_RESET && peer->previous_state == FYKE_TCP_CLOSED)
			set_state(peer, FYKE_TCP_CLOSED);
	}
	if (segment->rst)
		set_state(own, FYKE_TCP_RESET);
}

static void advance_closed(const struct fyke_tcp_segment *segment)
{
	if (segment->rst && segment->peer->state != FYKE_TCP_CLOSED)
		set_state(segment->own, FYKE_TCP_RESET);
}

void fyke_tcp_state_advance(struct fyke_tcp *tcp, const struct fyke_tcp_segment *segment)
{
	switch (segment->own->state) {
	case FYKE_TCP_INACTIVE:
		advance_inactive(tcp, segment);
		break;
	case FYKE_TCP_SYN_SENT:
	case FYKE_TCP_SYN_ACK_SENT:
		advance_syn_sent(segment);
		break;
	case FYKE_TCP_PARTIAL:
	case FYKE_TCP_ESTABLISHED:
		advance_open(segment);
		break;
	case FYKE_TCP_CLOSED:
		advance_closed(segment);
		break;
	default:
		break;
	}
}
