/*
 * Inside of analyzer/capture: several rings of one interface, each with a thread that empties it, and their
 * packets put together again in the order of their times.
 */
#ifndef FYKE_CAPTURE_LANES_H
#define FYKE_CAPTURE_LANES_H

#include "analyzer/capture/ring.h"

struct fyke_lanes;

/* Takes `count` open rings over (the array is copied) and makes them one group. What came before that is left
 * out, for each ring saw it. Starts no thread yet: the process may still give up rights. NULL: *error says
 * why, and the rings are the caller's. */
FYKE_MUST_USE struct fyke_lanes *fyke_lanes_new(
	const struct fyke_ring *rings, size_t count, struct fyke_block_pool *pool, struct fyke_error *error);
/* Stops the threads and closes the rings. NULL is allowed. */
void fyke_lanes_free(struct fyke_lanes *lanes);

/* Frames in the order of time, as a block that holds those they lie in. *room is NULL when nothing came
 * within `milliseconds`. With `all`, nothing is waited for: what the threads have, and then the end. */
FYKE_MUST_USE enum fyke_status fyke_lanes_next(struct fyke_lanes *lanes, int64_t milliseconds, bool all,
	struct fyke_block_room **room, struct fyke_error *error);

/* All that were dropped so far. False: libpcap cannot tell. */
bool fyke_lanes_drops(struct fyke_lanes *lanes, uint64_t *kernel, uint64_t *interface);

#endif
