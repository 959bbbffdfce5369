/*
 * The engines of a run: one on the caller's thread, or several on threads of their own.
 *
 *   reader (the caller) ── chunks of packets, ticks ──▶ engines ── what they finished ──▶ joined, in order
 *
 * With several, each frame's packets go to the engines that their flows belong to (share.h), 1024 packets or
 * a block at a time. A frame whose packets belong to several, or that quotes another engine's session, is
 * taken on the caller's thread while all stand still, and so is the rest of its chunk: the same sessions
 * come out, in the same order.
 *
 * One thread drives a crew.
 */
#ifndef FYKE_ANALYZER_CREW_H
#define FYKE_ANALYZER_CREW_H

#include "analyzer/engine.h"
#include "analyzer/front.h"

enum { FYKE_CREW_MAX = 16 };

struct fyke_crew;

struct fyke_crew_options {
	const struct fyke_engine_options *engine; /* of all together: they share its memory */
	unsigned threads;			  /* 1 … FYKE_CREW_MAX */
	struct fyke_front *front;		  /* borrowed: packets come from there */
	/* Takes finished ticks in order, on the caller's thread, within calls of the functions below. */
	enum fyke_status (*give)(void *context, struct fyke_tick *tick, struct fyke_error *error);
	void *context;
};

FYKE_MUST_USE enum fyke_status fyke_crew_new(
	const struct fyke_crew_options *options, struct fyke_crew **crew, struct fyke_error *error);
void fyke_crew_free(struct fyke_crew *crew); /* NULL is allowed */

/* Hands on what the front has; the block of this number holds it. */
FYKE_MUST_USE enum fyke_status fyke_crew_take(
	struct fyke_crew *crew, uint64_t block, struct fyke_error *error);

/* Waits until nobody works on blocks up to this one. */
void fyke_crew_wait_for(struct fyke_crew *crew, uint64_t block);

/* Ends the running tick (fyke_engine_tick), into `tick`, which is transferred. After FLUSH and LAST all has
 * been given, else what is ready. */
FYKE_MUST_USE enum fyke_status fyke_crew_tick(struct fyke_crew *crew, int64_t time_ns,
	enum fyke_tick_kind kind, struct fyke_tick *tick, struct fyke_error *error);

/* A tick that engines have no part in, in its place between the others; transferred. */
FYKE_MUST_USE enum fyke_status fyke_crew_pass(
	struct fyke_crew *crew, struct fyke_tick *tick, struct fyke_error *error);

/* A failure so far is forgotten: what there is can be handed over. */
void fyke_crew_forgive(struct fyke_crew *crew);

/* After the last tick: all open sessions, by birth, in ticks of about `limit`, of which `make` gives one
 * each time. */
FYKE_MUST_USE enum fyke_status fyke_crew_end(struct fyke_crew *crew, size_t limit,
	struct fyke_tick *(*make)(void *context), struct fyke_error *error);

/* Of all engines together, as far as they have told; the most of each (sessions, memory) added up. */
struct fyke_engine_counters fyke_crew_counters(struct fyke_crew *crew);

#endif
