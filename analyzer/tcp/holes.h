/*
 * Which bytes of a stream are missing: a sorted set of half-open intervals below the highest byte
 * seen. Pure bookkeeping: no bytes, no time.
 *
 *      lowest                                     highest
 *        |#########|----hole----|#####|-hole-|######|
 */
#ifndef FYKE_TCP_HOLES_H
#define FYKE_TCP_HOLES_H

#include <stdbool.h>
#include <stdint.h>

enum { FYKE_TCP_HOLES_MAX = 4096 }; /* a side; past that the lowest is given up */

struct fyke_tcp_hole {
	int64_t start, end;
	bool acknowledged; /* the receiver has it, we do not */
};

struct fyke_tcp_holes {
	uint32_t count, room;
	int64_t given_up_bytes; /* of holes that no longer stand in the list */
	uint32_t given_up;
	struct fyke_tcp_hole list[];
};

/* The set is created with its first hole and lives at *holes (NULL = none). */

/* Notes that [start, end), which overlaps no known hole, is missing. False when memory is out: the hole
 * is forgotten. */
bool fyke_tcp_holes_add(struct fyke_tcp_holes **holes, int64_t start, int64_t end);

/* Bytes of [start, end) were seen: returns how many of them had been missing. */
int64_t fyke_tcp_holes_fill(struct fyke_tcp_holes **holes, int64_t start, int64_t end);

/* How many bytes of [start, end) are missing. */
int64_t fyke_tcp_holes_within(const struct fyke_tcp_holes *holes, int64_t start, int64_t end);

/* The receiver acknowledged everything below `offset`: returns how many holes were newly passed. */
uint32_t fyke_tcp_holes_acknowledge(struct fyke_tcp_holes *holes, int64_t offset);

int64_t fyke_tcp_holes_bytes(const struct fyke_tcp_holes *holes);
uint32_t fyke_tcp_holes_count(const struct fyke_tcp_holes *holes);

#endif
