/* Records that wait for their flow to be handed over. */
#ifndef FYKE_FLOW_RECORD_LIST_H
#define FYKE_FLOW_RECORD_LIST_H

#include "analyzer/base/arena.h"
#include "analyzer/flow/flow.h"

/* Appends a copy of the values (text and blobs too), numbered n within its session. Returns the
 * bytes it takes, 0 when memory is out. */
size_t fyke_record_list_add(struct fyke_flow_extra *extra, const struct fyke_table *table, uint64_t frame,
	int64_t time_ns, const struct fyke_value *values);

/* Moves all records into `arena` and empties the list. NULL when there is none or, with *failed
 * set, when memory is out. `freed` grows by the bytes that were given back. */
const struct fyke_record *fyke_record_list_take(
	struct fyke_flow_extra *extra, struct fyke_arena *arena, size_t *freed, bool *failed);

void fyke_record_list_release(struct fyke_flow_extra *extra);

#endif
