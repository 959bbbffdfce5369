/*
 * Records that wait for their flow to be handed over. Most fields of a record are empty and most numbers
 * small, so they wait packed; a session that lingers has room for little else.
 */
#ifndef FYKE_FLOW_RECORD_LIST_H
#define FYKE_FLOW_RECORD_LIST_H

#include "analyzer/base/arena.h"
#include "analyzer/base/moment.h"
#include "analyzer/flow/flow.h"

/* Appends a copy of the values (text and blobs too), numbered n within its session. Returns the
 * bytes that it takes when it is handed over, 0 when memory is out. */
size_t fyke_record_list_add(struct fyke_blocks *blocks, struct fyke_flow_extra *extra,
	const struct fyke_table *table, const struct fyke_moment *moment, const struct fyke_value *values);

/* Moves all records into `arena` and empties the list. NULL when there is none or, with *failed
 * set, when memory is out. */
const struct fyke_record *fyke_record_list_take(
	struct fyke_blocks *blocks, struct fyke_flow_extra *extra, struct fyke_arena *arena, bool *failed);

void fyke_record_list_release(struct fyke_blocks *blocks, struct fyke_flow_extra *extra);

#endif
