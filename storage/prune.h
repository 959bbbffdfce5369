/* What keeps a monitor's database within its bounds: age, size, and the disk's free room. */
#ifndef FYKE_STORAGE_PRUNE_H
#define FYKE_STORAGE_PRUNE_H

#include "analyzer/base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;

enum { FYKE_PRUNE_STEP = 2000, FYKE_PRUNE_STEPS = 10 };

/* Removes ended sessions of interfaces' captures (files' never) that ended before `cutoff_us`, with
 * hosts, ports and timeline last seen before it; at most FYKE_PRUNE_STEPS transactions of
 * FYKE_PRUNE_STEP sessions. Adds their number to *deleted. */
FYKE_MUST_USE enum fyke_status fyke_prune_older(
	struct sqlite3 *db, int64_t cutoff_us, uint64_t *deleted, struct fyke_error *error);

/* Removes the oldest of them while the database is larger than that; likewise bounded. */
FYKE_MUST_USE enum fyke_status fyke_prune_larger(
	struct sqlite3 *db, uint64_t max_bytes, uint64_t *deleted, struct fyke_error *error);

/* Whether less than `percent` of the disk that holds `path` is free to us. */
bool fyke_prune_disk_nearly_full(const char *path, unsigned percent);

#endif
