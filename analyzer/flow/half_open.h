/*
 * Lone SYNs, before anything more comes: the packet itself, small enough that a scan of millions does not
 * fill memory. When something else of its connection is seen, the SYN is taken out and goes the way of
 * any first packet. Only a plain reset that refuses it is kept beside it, likewise.
 *
 *   tags (1 byte) and indices (4 bytes) by hash  ──▶  records in order of arrival, 1024 to a slab
 *
 * A record is 48 bytes (IPv6: 72), a refused one 80 (104); the two arrays are at most ⅞ full and double, so
 * that a half-open IPv4 session takes 54 to 60 bytes (IPv6: 78 to 84). What does not fit (options that are
 * rare, tunnels, data) is not for this table: fyke_half_open_add says no.
 */
#ifndef FYKE_FLOW_HALF_OPEN_H
#define FYKE_FLOW_HALF_OPEN_H

#include "analyzer/base/status.h"
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

void fyke_half_open_prefetch(const struct fyke_half_open *table, const struct fyke_hashed_key *key);
/* Takes out the SYN of a flow; false when there is none. */
bool fyke_half_open_take(struct fyke_half_open *table, const struct fyke_flow_key *key, uint64_t hash,
	struct fyke_half_open_syn *syn);

/* When the oldest one came (clock), and in which frame. False when there is none. */
bool fyke_half_open_oldest(struct fyke_half_open *table, int64_t *time_ns, uint64_t *frame);
/* Takes out the oldest one. */
bool fyke_half_open_take_oldest(struct fyke_half_open *table, struct fyke_half_open_syn *syn);

/* Keeps the packet beside the SYN that it refuses, if there is one that is not older than `limit_ns`. From
 * then on it is a refused one, to which the functions above do not lead. */
enum fyke_half_open_answer fyke_half_open_refuse(struct fyke_half_open *table,
	const struct fyke_packet *packet, const struct fyke_hashed_key *key, int64_t now_ns,
	int64_t limit_ns);
bool fyke_half_open_take_refused(struct fyke_half_open *table, const struct fyke_flow_key *key, uint64_t hash,
	struct fyke_half_open_syn *syn, struct fyke_half_open_syn *reset);
/* When the oldest one was refused (clock), and the frame of its SYN. */
bool fyke_half_open_oldest_refused(struct fyke_half_open *table, int64_t *time_ns, uint64_t *frame);
bool fyke_half_open_take_oldest_refused(
	struct fyke_half_open *table, struct fyke_half_open_syn *syn, struct fyke_half_open_syn *reset);
/* From now on the oldest refused one is that whose SYN came first; nothing may be added any more. */
FYKE_MUST_USE bool fyke_half_open_order_by_birth(struct fyke_half_open *table);

uint64_t fyke_half_open_count(const struct fyke_half_open *table); /* refused ones included */
uint64_t fyke_half_open_held(const struct fyke_half_open *table);  /* bytes */

/* So many bytes may be taken beyond what is held; a new table may take any number. */
void fyke_half_open_allow(struct fyke_half_open *table, uint64_t bytes);
/* There is no room to go on growing: for each one that comes, one should go. */
bool fyke_half_open_is_crowded(const struct fyke_half_open *table);

#endif
