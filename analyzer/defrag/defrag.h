/*
 * IPv4 and IPv6 fragments → whole datagrams (RFC 791, RFC 815, RFC 8200 §4.5), within a fixed budget.
 *
 * Identity: addresses, protocol (IPv4 only), identification, and the tunnel they came in. Time is
 * packet time. Overlaps: IPv6 fragments that overlap void the datagram (RFC 5722), which stays void until
 * its time is over; IPv4 follows the policy. Duplicates (nothing new, the same bytes) are harmless
 * everywhere (RFC 8200 §4.5).
 *
 * Always: fragments = frames_whole + frames_incomplete + frames_held.
 */
#ifndef FYKE_DEFRAG_DEFRAG_H
#define FYKE_DEFRAG_DEFRAG_H

#include "analyzer/base/arena.h"
#include "analyzer/base/status.h"
#include "analyzer/decode/decode.h"

struct fyke_defrag;

enum fyke_defrag_policy { /* who wins where IPv4 fragments differ; names as for TCP (SEMANTICS §4) */
	FYKE_DEFRAG_LINUX = 0,
	FYKE_DEFRAG_FIRST,
	FYKE_DEFRAG_LAST,
	FYKE_DEFRAG_BSD,
	FYKE_DEFRAG_WINDOWS,
	FYKE_DEFRAG_SOLARIS,
};

struct fyke_defrag_options {
	uint64_t memory; /* bytes of all held fragments; the oldest datagram goes first when it is full; 0 =
			    16 MiB */
	uint32_t datagrams; /* most held at once; 0 = 4096 */
	int64_t timeout_ns; /* 0 = default: 30 s of packet time for IPv4, 60 s for IPv6 */
	enum fyke_defrag_policy policy;
};

struct fyke_defrag_counters {
	uint64_t fragments, datagrams; /* fragments taken; datagrams made whole */
	uint64_t frames_incomplete;    /* fragments whose datagram timed out, was evicted, voided or never
					  finished */
	uint64_t outer_incomplete; /* of these, fragments of a frame's outermost IP layer: such a frame gave
				      nothing */
	uint64_t frames_whole;	   /* fragments of datagrams made whole, duplicates too */
	uint64_t frames_held;	   /* fragments that still wait */
	uint64_t memory;	   /* bytes held now */
	uint64_t overlaps, conflicts; /* fragments that overlap; that overlap with other bytes */
	uint64_t evicted, timed_out;  /* datagrams */
};

struct fyke_datagram {
	struct fyke_packet network; /* of the first fragment; frame and time_ns of the one that completed it;
				       ip_bytes as if it had come whole; is_fragmented */
	uint8_t next_header;
	const uint8_t *data;	/* owned by the defragmenter until fyke_defrag_recycle */
	const uint64_t *frames; /* that its bytes came in, the last one too; owned likewise, ascending */
	uint32_t frame_count;
	uint32_t length, captured; /* captured < length where a fragment was cut by the snaplen: only a prefix
				      is good */
};

FYKE_MUST_USE enum fyke_status fyke_defrag_new(
	const struct fyke_defrag_options *options, struct fyke_defrag **defrag);
void fyke_defrag_free(struct fyke_defrag *defrag);

/* Takes a copy of the fragment. True when *datagram is now whole. */
bool fyke_defrag_add(
	struct fyke_defrag *defrag, const struct fyke_fragment *fragment, struct fyke_datagram *datagram);

/* Gives back the bytes of all datagrams handed out so far: called when the batch has been processed. */
void fyke_defrag_recycle(struct fyke_defrag *defrag);
/* Or moves them into `arena`, for those who process it later. */
void fyke_defrag_give(struct fyke_defrag *defrag, struct fyke_arena *arena);

/* Drops what has waited longer than the timeout at packet time `now_ns`. */
void fyke_defrag_expire(struct fyke_defrag *defrag, int64_t now_ns);
/* Drops all that is held: at the end of the capture, so that the counters are final. */
void fyke_defrag_drain(struct fyke_defrag *defrag);
struct fyke_defrag_counters fyke_defrag_counters(const struct fyke_defrag *defrag);

#endif
