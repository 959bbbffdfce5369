/* Packets and bytes by second and service, counted for one tick at a time. */
#ifndef FYKE_ANALYZER_SECONDS_H
#define FYKE_ANALYZER_SECONDS_H

#include "analyzer/session/sink.h"

struct fyke_seconds {
	struct fyke_timeline_entry *entries; /* open addressing; packets == 0 is free */
	size_t mask, count;
	struct fyke_timeline_entry *last; /* the entry counted last: mostly the next one too */
	int64_t last_ns;		  /* when its second began */
};

/* Services are told apart by their string's address: the engine's come from one table. False when
 * memory is out. */
bool fyke_seconds_count(struct fyke_seconds *seconds, int64_t time_ns, const char *service, uint64_t bytes);

/* Moves the entries, sorted by second and service, into the tick and starts anew. */
bool fyke_seconds_take(struct fyke_seconds *seconds, struct fyke_tick *tick);
/* Adds another engine's entries of the same tick, sorted alike. False when memory is out. */
bool fyke_seconds_join(struct fyke_tick *tick, const struct fyke_tick *part);
void fyke_seconds_release(struct fyke_seconds *seconds);

#endif
