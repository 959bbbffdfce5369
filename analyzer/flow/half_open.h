/*
 * Lone SYNs, before anything more comes: the packet itself, small enough that a scan of millions does not
 * fill memory. When something else of its connection is seen, the SYN is taken out and goes the way of
 * any first packet; so it does when its time is up.
 *
 *   tags (1 byte) and indices (4 bytes) by hash  ──▶  records in order of arrival, 1024 to a slab
 *
 * A record is 48 bytes (IPv6: 72); the two arrays are at most ⅞ full and double, so that a half-open IPv4
 * session takes 54 to 60 bytes (IPv6: 78 to 84). What does not fit (options that are rare, tunnels, data)
 * is not for this table: fyke_half_open_add says no.
 */
#ifndef FYKE_FLOW_HALF_OPEN_H
#define FYKE_FLOW_HALF_OPEN_H

#include "analyzer/flow/key.h"

#include <stddef.h>

/* A SYN as it came out again; its link addresses point into the struct. */
struct fyke_half_open_syn {
	struct fyke_packet packet;
	uint8_t macs[2][6];
};

struct fyke_half_open; /* for both address families */

struct fyke_half_open *fyke_half_open_new(uint64_t seed); /* of the flow table; NULL when memory is out */
void fyke_half_open_free(struct fyke_half_open *table);

enum fyke_half_open_answer { FYKE_HALF_OPEN_TAKEN, FYKE_HALF_OPEN_UNFIT, FYKE_HALF_OPEN_NO_MEMORY };

/* Keeps the packet, which must be the first of its flow; clock `now_ns` must never go back. */
enum fyke_half_open_answer fyke_half_open_add(
	struct fyke_half_open *table, const struct fyke_packet *packet, uint64_t hash, int64_t now_ns);

void fyke_half_open_prefetch(const struct fyke_half_open *table, uint64_t hash);
/* Takes out the SYN of a flow; false when there is none. */
bool fyke_half_open_take(struct fyke_half_open *table, const struct fyke_flow_key *key, uint64_t hash,
	struct fyke_half_open_syn *syn);

/* When the oldest one came (clock), and in which frame. False when there is none. */
bool fyke_half_open_oldest(struct fyke_half_open *table, int64_t *time_ns, uint64_t *frame);
/* Takes out the oldest one. */
bool fyke_half_open_take_oldest(struct fyke_half_open *table, struct fyke_half_open_syn *syn);

uint64_t fyke_half_open_count(const struct fyke_half_open *table);
uint64_t fyke_half_open_held(const struct fyke_half_open *table); /* bytes */

#endif
