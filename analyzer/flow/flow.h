/*
 * A live flow: what is kept of a session while it is open. Everything is kept by endpoint (low,
 * high), never by role, so that roles can be turned round by one bit.
 */
#ifndef FYKE_FLOW_FLOW_H
#define FYKE_FLOW_FLOW_H

#include "analyzer/base/birth.h"
#include "analyzer/base/field.h"
#include "analyzer/flow/frames.h"
#include "analyzer/flow/key.h"

/* Which expiry list a flow stands in; each has one timeout. */
enum fyke_flow_age {
	FYKE_AGE_BRIEF = 0, /* UDP, ICMP and others */
	FYKE_AGE_HALF_OPEN, /* TCP before an answer */
	FYKE_AGE_OPEN,	    /* TCP */
	FYKE_AGE_CLOSED,    /* TCP after FIN exchange or RST: lingers */
	FYKE_AGE_COUNT
};

enum { FYKE_FLOW_COUNT_BITS = 48 }; /* of counters: 281 terabytes, and as many frames */
#define FYKE_FLOW_COUNT_MASK ((UINT64_C(1) << FYKE_FLOW_COUNT_BITS) - 1)

struct fyke_flow_side {
	uint64_t packets : FYKE_FLOW_COUNT_BITS;
	uint64_t tcp_flags : 16; /* OR of all seen */
	uint64_t bytes : FYKE_FLOW_COUNT_BITS;
	uint64_t ttl : 8;
	uint64_t has_mac : 1;
	uint64_t payload_bytes : FYKE_FLOW_COUNT_BITS;
	uint64_t service : 16; /* what its port is for, where it is the server: the engine's number of the
				  name */
};

enum {
	FYKE_FLOW_PARENTS_MAX = 8,
	FYKE_FLOW_PARENTS_SIZE = FYKE_FLOW_PARENTS_MAX * sizeof(struct fyke_birth)
};

/* Another flow of the same engine, by birth; `index` finds it while it lives. */
struct fyke_flow_reference {
	struct fyke_birth birth;
	uint32_t index;
};

/* What few flows have. */
struct fyke_flow_extra {
	struct fyke_birth *parents; /* FYKE_FLOW_PARENTS_MAX; NULL = none */
	uint8_t parent_count;
	struct fyke_birth quoted;
	uint64_t referred; /* the frame at which another session first referred to it; 0 = none has */
	struct fyke_waiting_record *records, *last_record; /* not handed over yet: record_list.h */
	uint32_t record_count;				   /* ever: gives the next n */
	uint32_t record_bytes;				   /* that they will take when they are handed over */
	struct fyke_birth expected_by;			   /* the session that announced this one */
	char *server_name;				   /* malloc'ed, terminated; NULL = not known */
	uint32_t icmp_errors;				   /* rows noted so far: capped */
	uint32_t tcp_events;				   /* likewise */
	uint32_t frame_parts;				   /* of the frame list handed over already */
	uint32_t bad_checksums;
	uint32_t tunnel_id;
	uint8_t tunnel; /* enum fyke_tunnel */
	bool tunnel_id_known;
};

struct fyke_flow {
	struct fyke_kept_key key;
	uint32_t previous, next;  /* expiry list, 0 = none */
	uint8_t age : 4;	  /* enum fyke_flow_age */
	uint8_t client : 1;	  /* enum fyke_endpoint */
	uint8_t first_sender : 1; /* enum fyke_endpoint */
	bool roles_guessed : 1;
	bool has_icmp_id : 1;
	bool stored : 1;     /* was handed over at least once */
	bool changed : 1;    /* since it was last handed over; kept only where open sessions are wanted */
	bool talk_over : 1;  /* nothing more is to be learned from its payload */
	bool lost_track : 1; /* some of its stream could not be put in order: no memory */
	bool watched : 1;    /* it may come to rest soon (engine_rest.c) */
	bool misfit : 1;     /* the content is not what the port is for */
	uint8_t layer, icmp_code;
	uint32_t tcp;		       /* index into the engine's pool of struct fyke_tcp, 0 = none */
	int64_t touched_ns;	       /* clock at the last packet: what idleness is measured from */
	int64_t listed_ns;	       /* clock when it was last put at the end of its list */
	int64_t start_ns, end_ns;      /* minimum and maximum of packet times */
	struct fyke_flow_side side[2]; /* by enum fyke_endpoint */
	struct fyke_frames frames;     /* frames.last is the latest one */
	struct fyke_talk *talk;	       /* what is being said (engine_talk.h); NULL = nothing is listened to */
	uint64_t birth_frame : 48;     /* 0 = over; fyke_flow_birth */
	uint64_t birth_ordinal : 16;
	uint32_t extra;	   /* index into the engine's pool of struct fyke_flow_extra, 0 = none */
	uint16_t content;  /* what it was found to be: the engine's number of the name, 0 = not known */
	uint16_t resting;  /* of the dissector that goes on with the next datagram, 0 = none */
	uint8_t mac[2][6]; /* by enum fyke_endpoint, where side.has_mac */
	int16_t vlan;
};

static inline struct fyke_birth fyke_flow_birth(const struct fyke_flow *flow)
{
	return (struct fyke_birth){flow->birth_frame, (uint32_t)flow->birth_ordinal};
}

#endif
