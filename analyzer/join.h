/* What several engines finished in one tick, put together as if one had. */
#ifndef FYKE_ANALYZER_JOIN_H
#define FYKE_ANALYZER_JOIN_H

#include "analyzer/session/sink.h"

/* Whether `a` comes before `b` in a tick. */
bool fyke_join_precedes(const struct fyke_session *a, const struct fyke_session *b);

/* Moves sessions, names and timeline of the parts, each in order, into `tick`, and all their memory. A part
 * may be NULL. False: memory is out. */
bool fyke_join(struct fyke_tick *tick, struct fyke_tick *const *parts, unsigned count);

#endif
