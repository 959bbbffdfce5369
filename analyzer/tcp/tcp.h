/*
 * One TCP connection as it is followed: endpoint states and history (SEMANTICS §1), sequence
 * tracking over unwrapped 64-bit offsets, what was missing and what was sent again, the handshake.
 *
 * Kept by endpoint (enum fyke_endpoint), never by role; `client` says which endpoint is taken for
 * the one that opened, and may turn round once while the connection is young.
 */
#ifndef FYKE_TCP_TCP_H
#define FYKE_TCP_TCP_H

#include "analyzer/base/blocks.h"
#include "analyzer/decode/packet.h"
#include "analyzer/flow/key.h"
#include "analyzer/tcp/cause.h"
#include "analyzer/tcp/holes.h"
#include "analyzer/tcp/sent.h"
#include "analyzer/tcp/spent.h"
#include "analyzer/tcp/timer.h"
#include "analyzer/tcp/trail.h"

enum fyke_tcp_endpoint_state {
	FYKE_TCP_INACTIVE = 0,
	FYKE_TCP_SYN_SENT,
	FYKE_TCP_SYN_ACK_SENT, /* a SYN-ACK from the originator: its SYN was not seen */
	FYKE_TCP_PARTIAL,      /* data without SYN */
	FYKE_TCP_ESTABLISHED,
	FYKE_TCP_CLOSED,
	FYKE_TCP_RESET,
};

struct fyke_tcp_doubts; /* segments with a wrong checksum, in doubt.c */

enum {
	FYKE_TCP_HISTORY = 40,	     /* letters with the final NUL; more is dropped */
	FYKE_TCP_HISTORY_SHORT = 16, /* that stand in the record itself */
};

/* What few connections have of a side; made with the first of it. */
struct fyke_tcp_rare {
	struct fyke_tcp_recovery recovery;
	struct fyke_tcp_holes *holes; /* NULL = none */
	int64_t lowest;	    /* first byte seen, where that is not offset 0: before a guessed start */
	int64_t cut_offset; /* of the first byte cut by the snaplen and not acknowledged yet; INT64_MAX = none
			     */
	/* counters; the history thresholds (1st, 10th, 100th …) read them too */
	uint32_t bad_checksums, gap_events, repeats, zero_window_events;
	uint32_t retransmitted_segments, zero_windows, window_fulls, duplicate_acks, spurious;
	uint32_t causes[FYKE_TCP_CAUSE_COUNT]; /* SYN resends are the handshake's */
	uint32_t syn_retransmissions, window_updates;
	uint64_t retransmitted_bytes, overlapping_bytes, conflicting_bytes, uncompared_bytes;
	struct fyke_tcp_doubts *doubts; /* NULL = none */
	int64_t wild_start, wild_stop;	/* of the last payload far outside the window; equal = none */
	int64_t overtaken_ns;		/* the longest time that one came after the first that overtook it */
	uint32_t overtaken_most;	/* the most segments that overtook one */
	uint32_t outside_window;	/* segments */
	uint32_t other_start; /* of a SYN-ACK with another sequence number, until it is seen which one counts
			       */
	bool has_other_start;
};

struct fyke_tcp_side {
	uint32_t start;	   /* sequence number before stream byte 0: the ISN where a SYN was seen */
	uint32_t last;	   /* highest sequence number reached, SYN and FIN included: moves history letter t */
	uint32_t last_ack; /* highest acknowledgment sent */
	uint32_t syn_sequence, fin_sequence, reset_sequence; /* of the last such segment */
	uint32_t fin_low;		       /* of the stream's end, where fin_seen: fyke_tcp_fin_offset */
	uint16_t mss;			       /* 0 = not told */
	uint16_t window;		       /* unscaled, last seen */
	uint16_t widest;		       /* largest window seen, unscaled */
	uint8_t state : 4, previous_state : 4; /* enum fyke_tcp_endpoint_state */
	uint8_t history_said;		       /* letters that come once */
	int8_t window_scale;		       /* as offered: -1 absent; only meaningful when options_known */
	bool options_known : 1, sack_permitted : 1, timestamps : 1;
	bool sequence_known : 1; /* start is set, by an own packet or by the other side's ACK */
	bool syn_seen : 1, fin_seen : 1, ack_seen : 1, spoke : 1;
	bool bare_syn_seen : 1, syn_ack_seen : 1; /* which of the two its SYN was; both after a simultaneous
						     open */
	bool syn_acknowledged : 1;
	bool handshake_timed : 1; /* the first of the timer's samples is the handshake's */
	/* the stream: offset 0 is the byte behind the SYN; negative before a guessed start. Bytes seen lie
	 * below `highest`, minus the holes. */
	int64_t highest;
	int64_t acknowledged;	     /* by the other side, as an offset into this stream */
	struct fyke_tcp_timer timer; /* of this side's data, from the tap on */
	int64_t rtt_sum_ns;
	uint32_t rtt_min_us, rtt_max_us;
	struct fyke_tcp_rare *rare; /* NULL = none of it; to read: fyke_tcp_rare */
};

struct fyke_tcp {
	struct fyke_tcp_side side[2];		      /* by enum fyke_endpoint */
	struct fyke_tcp_trail *trail;		      /* NULL = forgotten */
	int64_t syn_ns, syn_ack_ns, handshake_ack_ns; /* INT64_MIN = not seen */
	int64_t last_ns;		       /* time of its latest packet, INT64_MIN before the first */
	int64_t spent_ns[FYKE_TCP_SPENT_IDLE]; /* by enum fyke_tcp_spent; what is left is idle */
	union {
		char letters[FYKE_TCP_HISTORY_SHORT];
		char *more; /* FYKE_TCP_HISTORY bytes */
	} history;	    /* to read: fyke_tcp_history */
	bool history_is_long : 1;
	uint8_t client : 1;	/* enum fyke_endpoint */
	bool flipped : 1;	/* roles were turned round */
	bool first_was_syn : 1; /* a bare SYN began it: the roles are known */
	bool established : 1;	/* both sides' SYNs were acknowledged */
	bool reset_ignored : 1; /* told already */
};

/* Where what hangs on records comes from; of one thread. */
struct fyke_tcp_memory {
	struct fyke_blocks *blocks; /* borrowed */
	bool failed;		    /* there was none left */
	struct fyke_tcp_rare spare; /* takes then what is counted */
};

enum fyke_tcp_phase { FYKE_TCP_PHASE_HALF_OPEN, FYKE_TCP_PHASE_OPEN, FYKE_TCP_PHASE_CLOSED };

/* Prepares a zeroed record for its first packet. `flipped`: the sender of the first packet is taken
 * for the server. */
void fyke_tcp_start(
	struct fyke_tcp *tcp, const struct fyke_packet *first, enum fyke_endpoint sender, bool flipped);

/* Whether this bare SYN cannot belong to the connection and so begins another one. */
bool fyke_tcp_is_new_connection(
	const struct fyke_tcp *tcp, const struct fyke_packet *packet, enum fyke_endpoint sender);

enum { FYKE_TCP_SAMPLE = 32 }; /* bytes of each version of a conflict */

/* Something worth a row of its own. */
struct fyke_tcp_event {
	enum fyke_endpoint side; /* whose stream `offset` is in */
	const char *kind;	 /* static */
	int64_t offset, length;
	bool is_resend; /* verdict and original are filled in */
	struct fyke_tcp_verdict verdict;
	uint64_t original; /* frame in which the first byte was seen before, 0 = not seen */
	/* of a conflict: how many bytes differ, and the first ones of both versions from there on */
	int64_t differing;
	uint8_t sample_length;
	uint8_t before[FYKE_TCP_SAMPLE], now[FYKE_TCP_SAMPLE];
};

enum { FYKE_TCP_EVENTS = 6 }; /* at most so many for one segment */

struct fyke_tcp_result {
	enum fyke_tcp_phase phase;
	int64_t repeated_bytes, ignored_bytes; /* payload seen again; payload left out of the streams (less
						* than 0: it was believed late) */
	unsigned event_count;
	struct fyke_tcp_event events[FYKE_TCP_EVENTS];
};

/* Takes the next segment. tcp->client may turn round here. Fills in *result; of its events only those
 * that event_count says. False when memory is out. What hangs on the record comes from `memory`. */
bool fyke_tcp_take(struct fyke_tcp_memory *memory, struct fyke_tcp *tcp, const struct fyke_packet *packet,
	enum fyke_endpoint sender, struct fyke_tcp_result *result);

/* Not all of this side's stream could be put in order: history letter x. */
void fyke_tcp_note_partial(struct fyke_tcp_memory *memory, struct fyke_tcp *tcp, enum fyke_endpoint sender);

/* No packet has come for a while. Forgets what only a packet soon after the last one could need, if nothing
 * is under way and nothing was sent again. */
void fyke_tcp_rest(struct fyke_tcp_memory *memory, struct fyke_tcp *tcp);

/* Frees what hangs on the record, not the record. */
void fyke_tcp_release(struct fyke_tcp_memory *memory, struct fyke_tcp *tcp);

const char *fyke_tcp_history(const struct fyke_tcp *tcp);

/* To read: never NULL, zeroed where the side has none of it. */
const struct fyke_tcp_rare *fyke_tcp_rare(const struct fyke_tcp_side *side);

/* The first byte seen, or believed to have been the first. */
static inline int64_t fyke_tcp_lowest(const struct fyke_tcp_side *side)
{
	return side->rare == NULL ? 0 : side->rare->lowest;
}

/* Distinct bytes seen. */
int64_t fyke_tcp_stream_bytes(const struct fyke_tcp_side *side);

/* Bytes known to be missing and the number of gaps, the one behind the highest byte included. */
int64_t fyke_tcp_missing_bytes(const struct fyke_tcp_side *side);
uint32_t fyke_tcp_gaps(const struct fyke_tcp_side *side);

/* Round trips that were measured, without those of the handshake. */
static inline uint32_t fyke_tcp_round_trips(const struct fyke_tcp_side *side)
{
	return side->timer.samples - side->handshake_timed;
}

/* Whether it got past a lone SYN or SYN–RST: only such connections have a row in `tcp`. */
bool fyke_tcp_is_notable(const struct fyke_tcp *tcp);

#endif
