/*
 * Why a segment was sent again, from what an observer between both ends can see.
 *
 * The first rule that matches wins; what it stood on is kept with the verdict. Where the other
 * direction was not captured, only what needs no acknowledgments is stated.
 */
#ifndef FYKE_TCP_CAUSE_H
#define FYKE_TCP_CAUSE_H

#include "analyzer/decode/packet.h"
#include "analyzer/tcp/sent.h"
#include "analyzer/tcp/timer.h"

enum { FYKE_TCP_DUPLICATE_ACKS = 3 }; /* RFC 5681 §3.2 */

/* In the order in which they are looked for. Names (fyke_tcp_cause_name) stand in tcp_events.kind. */
enum fyke_tcp_cause {
	FYKE_TCP_CAUSE_NONE = 0,	  /* nothing of it was sent before */
	FYKE_TCP_CAUSE_CAPTURE_DUPLICATE, /* one packet that the capture holds twice */
	FYKE_TCP_CAUSE_WINDOW_PROBE,
	FYKE_TCP_CAUSE_KEEP_ALIVE,
	FYKE_TCP_CAUSE_SYN,
	FYKE_TCP_CAUSE_REORDERING, /* sent once, overtaken on the way to the tap */
	FYKE_TCP_CAUSE_FAST,	   /* after three duplicate ACKs, or by RACK (RFC 5681, 6675, 8985) */
	FYKE_TCP_CAUSE_SACK,	   /* in a hole below the highest SACKed byte (RFC 6675) */
	FYKE_TCP_CAUSE_TAIL_PROBE, /* RFC 8985 §7 */
	FYKE_TCP_CAUSE_TIMEOUT,	   /* RFC 6298 */
	FYKE_TCP_CAUSE_GO_BACK,	   /* what follows a timeout */
	FYKE_TCP_CAUSE_FIN,
	FYKE_TCP_CAUSE_UNKNOWN,
	FYKE_TCP_CAUSE_COUNT
};

const char *fyke_tcp_cause_name(enum fyke_tcp_cause cause);
const char *fyke_tcp_cause_description(enum fyke_tcp_cause cause);

/* How a sender's data get on, for judging its resends: all that moves without any loss. Times of the tap. */
struct fyke_tcp_progress {
	int64_t advance_ns;	      /* when the last advancing ACK passed; 0 = never */
	int64_t highest_ns;	      /* when the highest byte passed */
	int64_t delivered_ns;	      /* when the last sent of all that has arrived was sent (RFC 8985) */
	int64_t earlier_advance_ns;   /* advance_ns before the ACKs that the sender may not have yet */
	int64_t earlier_acknowledged; /* before the last advancing ACK, */
	int64_t earlier_sent_ns;      /* and when what began there was last sent */
	uint32_t earlier_smoothed_us,
		earlier_variation_us; /* the sender's, like earlier_advance_ns; 0 = not known */
	uint32_t highest_stamp;	      /* timestamp value of the segment with the highest byte */
	uint16_t highest_ip_id;
	uint8_t ip_id_steady; /* IDs in a row that rose by little */
	bool has_stamp;
};

/* What the receiver told of losses, and what the sender made of it. Offsets are into its stream; -1 = none.
 */
struct fyke_tcp_recovery {
	int64_t highest_sacked;	 /* end of the highest range that the receiver holds */
	int64_t fast_end;	 /* highest byte when fast recovery began: over once that is acknowledged */
	int64_t timeout_end;	 /* highest byte at the last timeout */
	int64_t timeout_wait_ns; /* how long that timeout was waited for */
	int64_t told_ns;	 /* when the last duplicate ACK or new SACK passed; 0 = never */
	int64_t third_ns;	 /* when the third duplicate ACK in a row passed */
	int64_t earlier_sacked;	 /* highest_sacked before the ACKs that the sender may not have yet */
	struct {
		int64_t start, end;
	} held[FYKE_SACK_BLOCKS_MAX]; /* told by SACK last: the next blocks are mostly longer ones of these */
	uint32_t duplicate_acks;      /* in a row, since the last advancing ACK */
	uint32_t earlier_duplicate_acks;
	uint8_t next_held;
	bool may_undo; /* the last timeout did not come amid a recovery: F-RTO can show that it was needless
			*/
};

/* Everything that the judgement of one segment needs. */
struct fyke_tcp_question {
	const struct fyke_tcp_progress *progress;
	const struct fyke_tcp_recovery *recovery;
	const struct fyke_tcp_timer *own, *peer; /* timers of the sender and of the other side */
	const struct fyke_tcp_sent
		*original; /* where its first byte was seen before; NULL = it fills a hole */
	const struct fyke_tcp_sent
		*behind; /* the nearest segment behind it that was sent once, NULL = none */
	int64_t start, end, now_ns;
	int64_t last_ns; /* when it was last sent, where the original is forgotten; 0 = not known */
	int64_t hole_ns; /* when the first byte behind it passed the tap; 0 = not known */
	int64_t acknowledged, highest; /* of the sender's stream, before this segment */
	uint32_t stamp;
	uint16_t ip_id;
	bool older_ack; /* it acknowledges less than its sender did before */
	bool has_stamp, has_payload;
	bool both_seen; /* the other side's packets are captured too */
	bool no_sack;	/* one side did not permit selective ACKs */
};

/* The verdict and what it stands on. */
struct fyke_tcp_verdict {
	enum fyke_tcp_cause cause;
	bool spurious;	    /* the receiver had it already */
	bool beyond;	    /* the original passed the tap: lost behind it (or not at all) */
	int64_t waited_ns;  /* since it was last sent or the last advancing ACK; -1 = not known */
	int64_t timeout_ns; /* the sender's timer as estimated then */
	uint32_t duplicate_acks;
	int64_t sacked;	  /* highest SACKed byte, -1 = none */
	bool backoff;	  /* a timeout that waited about twice as long as the one before */
	const char *rule; /* why, in few words */
};

/* Judges a segment with payload or FIN that begins below the highest byte. Capture duplicates, keep-alives
 * and window probes have been told apart before. */
struct fyke_tcp_verdict fyke_tcp_judge(const struct fyke_tcp_question *question);

#endif
