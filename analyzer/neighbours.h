/*
 * Stations on the link: who claimed which address, from the claims that decoding finds (decode/claim.h).
 * Bounded: of more than 65,536 pairs those that were silent longest go first, handed over before.
 */
#ifndef FYKE_ANALYZER_NEIGHBOURS_H
#define FYKE_ANALYZER_NEIGHBOURS_H

#include "analyzer/base/status.h"
#include "analyzer/decode/claim.h"
#include "analyzer/session/sink.h"

struct fyke_neighbours;

struct fyke_neighbours *fyke_neighbours_new(void); /* NULL when memory is out */
void fyke_neighbours_free(struct fyke_neighbours *neighbours);

/* Claims come in the order of frames. */
void fyke_neighbours_take(struct fyke_neighbours *neighbours, const struct fyke_claim *claim);

/* Moves into the tick what had to make room; with `all`, whatever was said since the last time. False: memory
 * is out, or was for a claim. */
FYKE_MUST_USE bool fyke_neighbours_hand_over(
	struct fyke_neighbours *neighbours, struct fyke_tick *tick, bool all);

#endif
