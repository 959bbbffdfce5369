/*
 * Which bytes of a stream are here and must wait for earlier ones: a sorted set of disjoint pieces.
 * Pure bookkeeping: the bytes lie in pages.
 *
 *       next                 [ piece )[ piece )        [ piece )
 *        |------ hole ------|#########|########|- hole -|########|
 */
#ifndef FYKE_TCP_WAITING_H
#define FYKE_TCP_WAITING_H

#include "analyzer/tcp/policy.h"

#include <stddef.h>

enum { FYKE_WAITING_MAX = 16384 }; /* pieces of one stream: bounds the time of an insertion */

struct fyke_waiting_piece {
	int64_t start, end;
	struct fyke_span_bounds bounds; /* of the segment as it came */
	uint64_t frame;
	int64_t time_ns;
	bool cut; /* was sent, but the snaplen cut it off: no bytes */
};

struct fyke_waiting {
	struct fyke_waiting_piece *list;
	uint32_t head, count, room; /* those in use: list[head] … */
};

/* What a piece takes of the budget. */
enum { FYKE_WAITING_COST = 2 * (int)sizeof(struct fyke_waiting_piece) };

static inline struct fyke_waiting_piece *fyke_waiting_at(const struct fyke_waiting *waiting, uint32_t index)
{
	return &waiting->list[waiting->head + index];
}

/* Index of the first piece that ends behind `offset`; count when there is none. */
uint32_t fyke_waiting_find(const struct fyke_waiting *waiting, int64_t offset);

/* Room for `more` insertions, so that they cannot fail. False: memory is out, or there would be too many. */
bool fyke_waiting_reserve(struct fyke_waiting *waiting, uint32_t more);

/* Pieces stay disjoint and sorted: the caller's part. */
void fyke_waiting_insert(
	struct fyke_waiting *waiting, uint32_t index, const struct fyke_waiting_piece *piece);
void fyke_waiting_remove(struct fyke_waiting *waiting, uint32_t index);
void fyke_waiting_release(struct fyke_waiting *waiting);

#endif
