/*
 * One TCP connection as it is followed: endpoint states and history (SEMANTICS §1), sequence
 * tracking over unwrapped 64-bit offsets, what was missing and what was sent again, the handshake.
 *
 * Kept by endpoint (enum fyke_endpoint), never by role; `client` says which endpoint is taken for
 * the one that opened, and may turn round once while the connection is young.
 */
#ifndef FYKE_TCP_TCP_H
#define FYKE_TCP_TCP_H

#include "analyzer/decode/packet.h"
#include "analyzer/flow/key.h"
#include "analyzer/tcp/cause.h"
#include "analyzer/tcp/holes.h"
#include "analyzer/tcp/sent.h"
#include "analyzer/tcp/spent.h"
#include "analyzer/tcp/timer.h"

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

enum { FYKE_TCP_PRINTS = 4 };

enum { FYKE_TCP_HISTORY = 40 }; /* with the final NUL; more is dropped */

/* What few connections ever have. */
struct fyke_tcp_rare {
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
	uint8_t state, previous_state; /* enum fyke_tcp_endpoint_state */
	uint8_t history_done;	       /* letters that come once */
	int8_t window_scale;	       /* as offered: -1 absent; only meaningful when options_known */
	bool options_known, sack_permitted, timestamps;
	bool sequence_known; /* start is set, by an own packet or by the other side's ACK */
	bool syn_seen, fin_seen, ack_seen, spoke;
	bool bare_syn_seen, syn_ack_seen; /* which of the two its SYN was; both after a simultaneous open */
	bool syn_acknowledged;
	uint16_t mss;	 /* 0 = not told */
	uint16_t window; /* unscaled, last seen */
	uint16_t widest; /* largest window seen, unscaled */
	uint32_t start;	 /* sequence number before stream byte 0: the ISN where a SYN was seen */
	uint32_t last;	 /* highest sequence number reached, SYN and FIN included: moves history letter t */
	uint32_t syn_sequence, fin_sequence, reset_sequence; /* of the last such segment */
	uint32_t last_ack;				     /* highest acknowledgment sent */
	/* the stream: offset 0 is the byte behind the SYN; negative before a guessed start */
	int64_t lowest, highest; /* bytes seen lie in [lowest, highest) minus the holes */
	int64_t fin_offset;	 /* of the stream's end, where fin_seen */
	int64_t acknowledged;	 /* by the other side, as an offset into this stream */
	int64_t stream_bytes;	 /* distinct bytes seen */
	struct fyke_tcp_holes *holes;
	struct fyke_tcp_rare *rare; /* NULL = none of it */
	int64_t cut_offset; /* of the first byte cut by the snaplen and not acknowledged yet; INT64_MAX = none
			     */
	struct fyke_tcp_sent_queue sent;
	struct fyke_tcp_recovery recovery;
	struct fyke_tcp_timer timer;		       /* of this side's data, from the tap on */
	struct fyke_tcp_print prints[FYKE_TCP_PRINTS]; /* of its last packets */
	int64_t print_times_ns[FYKE_TCP_PRINTS];
	uint8_t next_print;
	int64_t rtt_sum_ns, rtt_min_ns, rtt_max_ns;
	uint32_t rtt_samples;
	/* counters; the history thresholds (1st, 10th, 100th …) read them too */
	uint32_t bad_checksums, gap_events, repeats, zero_window_events;
	uint32_t retransmitted_segments, zero_windows, window_fulls, duplicate_acks, spurious;
	uint32_t causes[FYKE_TCP_CAUSE_COUNT]; /* SYN resends are the handshake's */
	uint32_t syn_retransmissions, window_updates;
	uint64_t retransmitted_bytes, overlapping_bytes, conflicting_bytes, uncompared_bytes;
};

struct fyke_tcp {
	struct fyke_tcp_side side[2]; /* by enum fyke_endpoint */
	char history[FYKE_TCP_HISTORY];
	uint8_t client;	    /* enum fyke_endpoint */
	bool flipped;	    /* roles were turned round */
	bool first_was_syn; /* a bare SYN began it: the roles are known */
	bool established;   /* both sides' SYNs were acknowledged */
	bool reset_ignored; /* told already */
	int64_t syn_ns, last_syn_ns, syn_ack_ns, last_syn_ack_ns, handshake_ack_ns; /* INT64_MIN = not seen */
	int64_t last_ns; /* time of its latest packet, INT64_MIN before the first */
	int64_t spent_ns[FYKE_TCP_SPENT_COUNT];
	uint64_t repeated_bytes, ignored_bytes; /* payload seen again; payload left out of the streams */
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
	unsigned event_count;
	struct fyke_tcp_event events[FYKE_TCP_EVENTS];
};

/* Takes the next segment. tcp->client may turn round here. Fills in result->phase and the events;
 * event_count is set, the rest of *result is not touched. */
void fyke_tcp_take(struct fyke_tcp *tcp, const struct fyke_packet *packet, enum fyke_endpoint sender,
	struct fyke_tcp_result *result);

/* Not all of this side's stream could be put in order: history letter x. */
void fyke_tcp_note_partial(struct fyke_tcp *tcp, enum fyke_endpoint sender);

/* Bytes that hang on the record. */
size_t fyke_tcp_heap(const struct fyke_tcp *tcp);

/* Frees what hangs on the record, not the record. */
void fyke_tcp_release(struct fyke_tcp *tcp);

/* Bytes known to be missing and the number of gaps, the one behind the highest byte included. */
int64_t fyke_tcp_missing_bytes(const struct fyke_tcp_side *side);
uint32_t fyke_tcp_gaps(const struct fyke_tcp_side *side);

/* Whether it got past a lone SYN or SYN–RST: only such connections have a row in `tcp`. */
bool fyke_tcp_is_notable(const struct fyke_tcp *tcp);

#endif
