/*
 * What the last packets of a connection left: the larger part of what is known of it, of use only while
 * something may follow at once. Made with the first packet, forgotten in silence (fyke_tcp_rest).
 */
#ifndef FYKE_TCP_TRAIL_H
#define FYKE_TCP_TRAIL_H

#include "analyzer/tcp/cause.h"
#include "analyzer/tcp/sent.h"

enum { FYKE_TCP_PRINTS = 4 };

/* A packet that was seen; when, and on which way. */
struct fyke_tcp_seen {
	struct fyke_tcp_print print;
	uint64_t time_ns : 48; /* the lower part */
	uint64_t path : 16;    /* hash of TTL, MAC addresses, VLAN and interface; 0 = no packet */
};

/* What the last packets of a side left. */
struct fyke_tcp_trail_side {
	struct fyke_tcp_progress progress;
	struct fyke_tcp_sent_queue sent;
	struct fyke_tcp_seen seen[FYKE_TCP_PRINTS];
	uint8_t next_seen;
};

struct fyke_tcp_trail {
	struct fyke_tcp_trail_side side[2]; /* by enum fyke_endpoint */
};

#endif
