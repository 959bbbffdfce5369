/*
 * Names that addresses have by what packets say (answers of the DNS before all), and the sessions that get
 * them: those whose own packets did not name their server. A bounded table of the latest; the oldest of a
 * bucket goes.
 */
#ifndef FYKE_ANALYZER_RESOLVED_H
#define FYKE_ANALYZER_RESOLVED_H

#include "analyzer/session/sink.h"

enum { FYKE_RESOLVED_NAME_MAX = 255 };

struct fyke_resolved_entry;

/* A zeroed one is ready for use. */
struct fyke_resolved {
	struct fyke_resolved_entry *entries; /* made when first needed */
};

void fyke_resolved_release(struct fyke_resolved *resolved);

/* Takes the tick's names and gives its sessions theirs: that which their server's address had before they
 * began, as it was known when they were handed over. False when memory is out. */
bool fyke_resolved_take(struct fyke_resolved *resolved, struct fyke_tick *tick);

#endif
