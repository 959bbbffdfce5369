/*
 * Where a connection's time went: every interval between two of its packets belongs to one cause, so
 * the parts add up to the duration.
 */
#ifndef FYKE_TCP_SPENT_H
#define FYKE_TCP_SPENT_H

#include <stdbool.h>
#include <stdint.h>

enum fyke_tcp_spent {
	FYKE_TCP_SPENT_HANDSHAKE = 0, /* until the handshake is done */
	FYKE_TCP_SPENT_CLIENT,	      /* nothing under way, and the client spoke next */
	FYKE_TCP_SPENT_SERVER,	      /* likewise the server */
	FYKE_TCP_SPENT_TRANSFER,      /* data under way */
	FYKE_TCP_SPENT_RESEND,	      /* ended by a segment that was sent again */
	FYKE_TCP_SPENT_ZERO_WINDOW,   /* one side had closed its window */
	FYKE_TCP_SPENT_IDLE,	      /* nothing under way, ended by a keep-alive, a closing or nothing */
	FYKE_TCP_SPENT_COUNT
};

/* What the interval before a packet looked like, and what ended it. */
struct fyke_tcp_interval {
	bool opening, under_way, window_closed; /* before the packet */
	bool resend, payload, from_client;	/* the packet */
};

enum fyke_tcp_spent fyke_tcp_spent_on(const struct fyke_tcp_interval *interval);

#endif
