/*
 * Sums by a text key, in memory: what the reports' single pass over sessions counts into. Bounded:
 * when it is full, the half with the least bytes is dropped, and it says so.
 */
#ifndef FYKE_REPORTS_TALLY_H
#define FYKE_REPORTS_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fyke_tally_counter {
	FYKE_TALLY_SESSIONS,
	FYKE_TALLY_CLIENT_SESSIONS,
	FYKE_TALLY_SERVER_SESSIONS,
	FYKE_TALLY_SENT_PACKETS,     /* of a service or transport: from clients */
	FYKE_TALLY_RECEIVED_PACKETS, /* … from servers */
	FYKE_TALLY_SENT_BYTES,
	FYKE_TALLY_RECEIVED_BYTES,
	FYKE_TALLY_MISMATCHES,
	FYKE_TALLY_COUNTERS
};

struct fyke_tally_entry {
	char *key; /* owned by the tally; ends with a NUL */
	size_t length;
	int64_t counters[FYKE_TALLY_COUNTERS];
};

struct fyke_tally {
	struct fyke_tally_entry *entries;
	size_t count, room;
	struct fyke_tally_slot {
		uint32_t index; /* + 1; 0: free */
		uint32_t hash;	/* its upper half: most of what differs is never looked at */
	} * slots;		/* a power of two of them */
	size_t slot_count;
	uint64_t seed;
	size_t limit;
	uint64_t dropped; /* entries that had to go */
};

enum { FYKE_TALLY_LIMIT = 1 << 20 };

/* A zeroed tally with a limit is ready; 0 means FYKE_TALLY_LIMIT. */
void fyke_tally_release(struct fyke_tally *tally);

/* The counters of a key, made when new; valid until the next call. NULL when memory is out. */
int64_t *fyke_tally_at(struct fyke_tally *tally, const char *key, size_t length);

bool fyke_tally_has(const struct fyke_tally *tally, const char *key, size_t length);

int64_t fyke_tally_bytes(const struct fyke_tally_entry *entry);
int64_t fyke_tally_packets(const struct fyke_tally_entry *entry);

/* Sorts by bytes, then sessions (most first), then key. No fyke_tally_at behind it. */
void fyke_tally_sort(struct fyke_tally *tally);

#endif
