/* The parts of connection tracking, in the order in which a segment passes them. Private to tcp/. */
#ifndef FYKE_TCP_PARTS_H
#define FYKE_TCP_PARTS_H

#include "analyzer/tcp/tcp.h"

/* A segment on its way through the parts. */
struct fyke_tcp_segment {
	struct fyke_tcp_memory *memory;
	struct fyke_tcp *tcp;
	const struct fyke_tcp_header *header;
	uint32_t length;   /* payload by the headers */
	uint32_t captured; /* of it here */
	uint32_t end;	   /* sequence number behind it, SYN and FIN counted */
	int64_t time_ns;
	enum fyke_endpoint sender;
	bool syn, fin, rst, ack;
	int32_t advance; /* how far `end` moves the sender's highest sequence number */
	struct fyke_tcp_side *own, *peer;
	struct fyke_tcp_trail_side *trail, *peer_trail; /* own's, peer's */
	struct fyke_tcp_print print;
	const uint8_t *bytes;	      /* the payload, `captured` of it */
	uint64_t block, oldest_block; /* as in struct fyke_packet */
	bool duplicate;		      /* the capture held this very packet before */
	bool outside;		      /* far outside the window: what it brings is not believed */
	bool continues; /* one that was taken to lie outside: the capture skipped what is between */
	bool believed;	/* its checksum is wrong, but the receiver took it */
	uint64_t frame, doubled_frame;
	/* filled in by fyke_tcp_sequence_payload */
	int64_t start, stop;	    /* of the payload in the sender's stream */
	int64_t lowest, highest;    /* of the sender's stream, before this segment */
	int64_t fresh;		    /* bytes of it not seen before */
	bool resent;		    /* judged to have been sent again */
	enum fyke_tcp_cause nature; /* capture duplicate, keep-alive, window probe or none of them */
	struct fyke_tcp_result *result;
};

/* history.c: letters, upper case for the originator. */
void fyke_tcp_history_start(struct fyke_tcp *tcp, bool flipped);
void fyke_tcp_history_add(
	struct fyke_tcp_memory *memory, struct fyke_tcp *tcp, enum fyke_endpoint sender, char letter);
/* Adds the letter at the 1st, 10th, 100th … event; counts it. */
void fyke_tcp_history_count(
	const struct fyke_tcp_segment *segment, enum fyke_endpoint sender, char letter, uint32_t *events);
void fyke_tcp_history_flags(const struct fyke_tcp_segment *segment);
enum { FYKE_TCP_SAID_ACK = 1, FYKE_TCP_SAID_DATA = 2 }; /* bits of history_said: the letters a and d */
/* Turns the case of all letters: the roles were turned round. */
void fyke_tcp_history_flip(struct fyke_tcp_memory *memory, struct fyke_tcp *tcp);

/* state.c: endpoint states. */
void fyke_tcp_state_advance(struct fyke_tcp *tcp, const struct fyke_tcp_segment *segment);

/* window.c: what lies so far outside the receiver's window that no sender's data lie there. Sets
 * segment->outside. */
void fyke_tcp_check_window(struct fyke_tcp_segment *segment);
/* The segment that was left out before one that goes on behind it (segment->continues) was the stream's after
 * all. */
void fyke_tcp_believe_earlier(const struct fyke_tcp_segment *segment);

/* sequence.c: where a segment lies, and what of it is new. */
void fyke_tcp_sequence_start(struct fyke_tcp_segment *segment);
void fyke_tcp_sequence_advance(struct fyke_tcp_segment *segment);
void fyke_tcp_sequence_payload(struct fyke_tcp_segment *segment);
/* [start, end) of a side's stream is missing; it has come after all: returns how many bytes had been missing.
 */
void fyke_tcp_miss(struct fyke_tcp_memory *memory, struct fyke_tcp_side *side, int64_t start, int64_t end);
int64_t fyke_tcp_fill(struct fyke_tcp_memory *memory, struct fyke_tcp_side *side, int64_t start, int64_t end);
/* Frees the holes. */
void fyke_tcp_miss_nothing(struct fyke_tcp_memory *memory, struct fyke_tcp_rare *rare);
/* Where the side's stream ends; only with fin_seen. */
int64_t fyke_tcp_fin_offset(const struct fyke_tcp_side *side);
/* The stream offset that a sequence number means, nearest to the highest byte. */
int64_t fyke_tcp_offset(const struct fyke_tcp_side *side, uint32_t sequence);

/* The side's rare part, made where there is none; where memory is out, the spare one. */
struct fyke_tcp_rare *fyke_tcp_need_rare(struct fyke_tcp_memory *memory, struct fyke_tcp_side *side);

/* doubt.c: segments with a wrong checksum wait for what the receiver says of them. */
void fyke_tcp_doubt(const struct fyke_tcp_segment *segment, const struct fyke_packet *packet);
/* Whether this acknowledgment proves that a waiting segment was taken by its receiver: the oldest of them is
 * moved to *packet. */
bool fyke_tcp_doubt_settle(struct fyke_tcp *tcp, const struct fyke_packet *acknowledgment,
	enum fyke_endpoint receiver, struct fyke_packet *packet, enum fyke_endpoint *sender);
void fyke_tcp_doubts_release(struct fyke_tcp_memory *memory, struct fyke_tcp_doubts *doubts);

/* duplicate.c: packets that the capture holds twice. */
void fyke_tcp_duplicate(struct fyke_tcp_segment *segment, const struct fyke_packet *packet);

/* resend.c: what was sent, what was sent again, and why. */
void fyke_tcp_resend(struct fyke_tcp_segment *segment);
void fyke_tcp_note(const struct fyke_tcp_segment *segment, enum fyke_endpoint side, const char *kind,
	int64_t offset, int64_t length);
/* Likewise, with the frame that it is about, where that is an earlier one. */
void fyke_tcp_note_original(const struct fyke_tcp_segment *segment, const char *kind, int64_t offset,
	int64_t length, uint64_t original);

/* conflict.c: compares bytes that were sent before with what was sent then. Before they are noted as
 * sent again. */
void fyke_tcp_compare(const struct fyke_tcp_segment *segment);

/* acknowledge.c: what ACKs, SACK blocks and DSACKs tell of the other side's data. */
void fyke_tcp_acknowledge(const struct fyke_tcp_segment *segment);

/* handshake.c: options and times of SYN, SYN-ACK, ACK. */
void fyke_tcp_handshake(const struct fyke_tcp_segment *segment);

#endif
