/* The parts of connection tracking, in the order in which a segment passes them. Private to tcp/. */
#ifndef FYKE_TCP_PARTS_H
#define FYKE_TCP_PARTS_H

#include "analyzer/tcp/tcp.h"

/* A segment on its way through the parts. */
struct fyke_tcp_segment {
	const struct fyke_tcp_header *header;
	uint32_t length;   /* payload by the headers */
	uint32_t captured; /* of it here */
	uint32_t end;	   /* sequence number behind it, SYN and FIN counted */
	int64_t time_ns;
	enum fyke_endpoint sender;
	bool syn, fin, rst, ack;
	int32_t advance; /* how far `end` moves the sender's highest sequence number */
	struct fyke_tcp_side *own, *peer;
};

/* history.c: letters, upper case for the originator. */
void fyke_tcp_history_start(struct fyke_tcp *tcp, bool flipped);
void fyke_tcp_history_add(struct fyke_tcp *tcp, enum fyke_endpoint sender, char letter);
/* Adds the letter at the 1st, 10th, 100th … event; counts it. */
void fyke_tcp_history_count(struct fyke_tcp *tcp, enum fyke_endpoint sender, char letter, uint32_t *events);
void fyke_tcp_history_flags(struct fyke_tcp *tcp, const struct fyke_tcp_segment *segment);
/* Turns the case of all letters: the roles were turned round. */
void fyke_tcp_history_flip(struct fyke_tcp *tcp);

/* state.c: endpoint states. */
void fyke_tcp_state_advance(struct fyke_tcp *tcp, const struct fyke_tcp_segment *segment);

/* sequence.c: where a segment lies, and what of it is new. */
void fyke_tcp_sequence_start(struct fyke_tcp_segment *segment);
void fyke_tcp_sequence_advance(struct fyke_tcp *tcp, struct fyke_tcp_segment *segment);
void fyke_tcp_sequence_payload(struct fyke_tcp *tcp, const struct fyke_tcp_segment *segment);
void fyke_tcp_sequence_acknowledge(struct fyke_tcp *tcp, const struct fyke_tcp_segment *segment);

/* handshake.c: options and times of SYN, SYN-ACK, ACK. */
void fyke_tcp_handshake(struct fyke_tcp *tcp, const struct fyke_tcp_segment *segment);

#endif
