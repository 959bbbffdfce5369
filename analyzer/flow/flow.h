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

struct fyke_flow_side {
	uint64_t packets, bytes, payload_bytes;
	uint8_t mac[6];
	uint8_t ttl;
	bool has_mac;
	uint16_t tcp_flags; /* OR of all seen */
};

enum { FYKE_FLOW_PARENTS_MAX = 8 };

/* Another flow of the same engine, by birth; `index` finds it while it lives. */
struct fyke_flow_reference {
	struct fyke_birth birth;
	uint32_t index;
};

/* What few flows have. */
struct fyke_flow_extra {
	struct fyke_birth parents[FYKE_FLOW_PARENTS_MAX];
	uint8_t parent_count;
	struct fyke_birth quoted;
	uint64_t referred; /* the frame at which another session first referred to it; 0 = none has */
	struct fyke_record *records, **records_end; /* not handed over yet, malloc'ed one by one */
	uint32_t record_count;			    /* ever: gives the next n */
	uint32_t record_bytes;			    /* that they take */
	struct fyke_birth expected_by;		    /* the session that announced this one */
	char *server_name;			    /* malloc'ed, terminated; NULL = not known */
	uint32_t icmp_errors;			    /* rows noted so far: capped */
	uint32_t tcp_events;			    /* likewise */
	uint32_t frame_parts;			    /* of the frame list handed over already */
};

struct fyke_flow {
	struct fyke_flow_key key;
	uint32_t hash;
	uint32_t previous, next; /* expiry list, 0 = none */
	uint8_t age;		 /* enum fyke_flow_age */
	uint8_t client;		 /* enum fyke_endpoint */
	uint8_t first_sender;	 /* enum fyke_endpoint */
	bool roles_guessed;
	bool stored;  /* was handed over at least once */
	bool changed; /* since it was last handed over; kept only where open sessions are wanted */
	uint8_t layer, tunnel;
	bool tunnel_id_known;
	int16_t vlan;
	uint32_t tunnel_id;
	uint32_t bad_checksums;
	int64_t start_ns, end_ns; /* minimum and maximum of packet times */
	int64_t touched_ns;	  /* clock at the last packet: what idleness is measured from */
	int64_t listed_ns;	  /* clock when it was last put at the end of its list */
	struct fyke_birth birth;
	uint64_t last_frame;
	struct fyke_flow_side side[2]; /* by enum fyke_endpoint */
	struct fyke_frames frames;
	const char *port_service;
	const char *content_service;	      /* static; NULL = not known */
	const struct fyke_dissector *resting; /* goes on with the next datagram; NULL = none */
	struct fyke_talk *talk; /* what is being said (engine_talk.h); NULL = nothing is listened to */
	bool talk_over;		/* nothing more is to be learned from its payload */
	bool lost_track;	/* some of its stream could not be put in order: no memory */
	bool misfit;		/* the content is not what the port is for */
	uint32_t tcp;		/* index into the engine's pool of struct fyke_tcp, 0 = none */
	uint32_t extra;		/* likewise struct fyke_flow_extra */
	uint8_t icmp_code;
	bool has_icmp_id;
};

#endif
