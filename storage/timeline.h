/*
 * Packets and bytes over time: kept in memory, in buckets whose width doubles when there are too many,
 * and written out as the table `timeline`.
 */
#ifndef FYKE_STORAGE_TIMELINE_H
#define FYKE_STORAGE_TIMELINE_H

#include "analyzer/session/sink.h"
#include "storage/names.h"
#include "storage/rows.h"

enum { FYKE_TIMELINE_BUCKETS_MAX = 4096, FYKE_TIMELINE_ENTRIES_MAX = 65536 };

struct fyke_timeline {
	struct fyke_index entries; /* (bucket, service) */
	struct fyke_index buckets;
	struct fyke_names *names; /* borrowed */
	int64_t width;		  /* seconds, a power of two */
	int64_t dirty_from;	  /* buckets from this second on are not written yet; INT64_MAX: all are */
	bool rewrite;		  /* the width changed: what was written is void */
	struct fyke_rows rows;
	int64_t capture_id;
};

void fyke_timeline_init(struct fyke_timeline *timeline, struct fyke_names *names);
void fyke_timeline_release(struct fyke_timeline *timeline);
FYKE_MUST_USE enum fyke_status fyke_timeline_attach(
	struct fyke_timeline *timeline, sqlite3 *db, struct fyke_error *error);

FYKE_MUST_USE enum fyke_status fyke_timeline_add(
	struct fyke_timeline *timeline, const struct fyke_timeline_entry *entry, struct fyke_error *error);

/* Writes what changed, within the caller's transaction. */
FYKE_MUST_USE enum fyke_status fyke_timeline_write(
	struct fyke_timeline *timeline, sqlite3 *db, int64_t capture_id, struct fyke_error *error);

#endif
