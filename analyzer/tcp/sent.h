/*
 * What one side has sent and the other has not acknowledged, as far as it was seen: a queue of
 * segments in stream order, and a few that were acknowledged last, so that late doubles are known.
 *
 *   [ acknowledged, kept a while | una … in flight … highest )
 */
#ifndef FYKE_TCP_SENT_H
#define FYKE_TCP_SENT_H

#include "analyzer/base/blocks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FYKE_TCP_SENT_MAX = 4096, /* segments a side; past that neighbours are joined */
	FYKE_TCP_SENT_KEPT = 8,	  /* acknowledged ones that stay */
	FYKE_TCP_SENT_BLIND =
		64, /* segments of a side whose acknowledgments are not captured; the oldest goes */
};

/* What makes two packets the same packet seen twice: the checksum stands for the payload. Two words, because
 * it is compared as soon as it is made. */
struct fyke_tcp_print {
	uint64_t numbers; /* acknowledgment, sequence */
	uint64_t rest;	  /* shape (of flags and length), window, checksum, IP ID: 16 bits each */
};

static inline bool fyke_tcp_print_equal(const struct fyke_tcp_print *a, const struct fyke_tcp_print *b)
{
	return ((a->numbers ^ b->numbers) | (a->rest ^ b->rest)) == 0;
}

static inline uint16_t fyke_tcp_print_ip_id(const struct fyke_tcp_print *print)
{
	return (uint16_t)print->rest;
}

/* Half a cache line for what is looked at with every ACK, half for what a resend is compared with. */
struct fyke_tcp_sent {
	int64_t start;	 /* stream offset */
	int64_t time_ns; /* of the last time it was sent */
	uint32_t length;
	uint32_t stamp;	       /* timestamp value of the last time */
	uint64_t frame : 48;   /* in which it was first seen */
	uint64_t resends : 13; /* at most FYKE_TCP_RESENDS_MAX */
	bool sacked : 1, has_stamp : 1;
	bool telling : 1; /* the timestamp of the last time differs from the one before: an echo tells them
			     apart */
	struct fyke_tcp_print print; /* of the last time */
	const uint8_t
		*bytes; /* `captured` of the payload as first seen, good while `block` is kept; NULL = never
			 */
	uint32_t captured;
	uint32_t block; /* lower part of its number */
};

enum { FYKE_TCP_RESENDS_MAX = (1 << 13) - 1 };
#define FYKE_TCP_FRAME_MASK ((UINT64_C(1) << 48) - 1)

static inline int64_t fyke_tcp_sent_end(const struct fyke_tcp_sent *sent)
{
	return sent->start + sent->length;
}

/* Nothing is allocated for a side that sent nothing. */
struct fyke_tcp_sent_queue {
	struct fyke_tcp_sent *list; /* list[head .. head + count) is used */
	uint16_t head, count, room;
	uint16_t acknowledged; /* so many of them, at the front, are acknowledged */
	bool joined;	       /* neighbours were: round trips are measured on fewer segments since */
	bool put_between;      /* one went to its place among others since this was last set back */
	bool overlapping;      /* some of them once did: ends are not in order */
};

/* Notes that [start, end) was sent; a range that lies among others goes to its place. `blind`: nothing is
 * known of what is acknowledged. False when memory is out: the segment is not followed. */
bool fyke_tcp_sent_add(struct fyke_blocks *blocks, struct fyke_tcp_sent_queue *queue,
	const struct fyke_tcp_sent *sent, bool blind);

/* The segment that holds the byte at `offset`, the youngest first; NULL when none does. */
struct fyke_tcp_sent *fyke_tcp_sent_find(struct fyke_tcp_sent_queue *queue, int64_t offset);

/* Everything that lies within [start, end) was sent again. */
void fyke_tcp_sent_again(
	struct fyke_tcp_sent_queue *queue, int64_t start, int64_t end, const struct fyke_tcp_sent *again);

/* Of the segments that one acknowledgment covered. */
struct fyke_tcp_passed {
	/* The one that ends exactly there and was sent once gives an unambiguous round trip (Karn). So does
	 * one that was sent again where the timestamp echo shows that the last sending is meant (RFC 7323
	 * §4). NULL = there is none. */
	const struct fyke_tcp_sent *sample;
	bool any, original, resend; /* one at all; neither sent again nor SACKed; sent again */
	int64_t start, sent_ns;	    /* of the first: where it began, when it was last sent */
	int64_t latest_ns;	    /* when the last sent of them was last sent */
};

/* What lies below `offset` is acknowledged; `echo` NULL = no timestamp. */
struct fyke_tcp_passed fyke_tcp_sent_acknowledge(
	struct fyke_tcp_sent_queue *queue, int64_t offset, const uint32_t *echo);

/* What lies within [start, end) is held by the receiver (RFC 2018); what lies within [start, known) was told
 * so before. *latest_ns moves on to when the last sent of those that were not known to be held was sent. */
void fyke_tcp_sent_sack(
	struct fyke_tcp_sent_queue *queue, int64_t start, int64_t known, int64_t end, int64_t *latest_ns);

/* Those segments that begin at or behind an offset and were sent once. */
struct fyke_tcp_behind {
	const struct fyke_tcp_sent *nearest; /* NULL = there are none */
	int64_t since_ns;		     /* when the first of them passed, 0 = none did */
	uint32_t count;
};

struct fyke_tcp_behind fyke_tcp_sent_behind(const struct fyke_tcp_sent_queue *queue, int64_t offset);

void fyke_tcp_sent_release(struct fyke_blocks *blocks, struct fyke_tcp_sent_queue *queue);

#endif
