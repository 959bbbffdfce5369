/*
 * Records of one size that were given back, kept for the next that are needed: as long as some wait, taking
 * one allocates nothing. Not for threads to share. Under AddressSanitizer nothing is kept, so that it sees
 * who uses a record that was given back.
 */
#ifndef FYKE_BASE_SPARES_H
#define FYKE_BASE_SPARES_H

#include <stddef.h>

struct fyke_spares {
	void *first; /* linked through their first bytes */
	size_t size; /* of a record, ≥ a pointer's */
	unsigned count, most;
};

/* At most `most` records wait; those beyond are freed at once. */
void fyke_spares_init(struct fyke_spares *spares, size_t size, unsigned most);
/* Frees those that wait; all that are out must have come back. */
void fyke_spares_release(struct fyke_spares *spares);

/* A zeroed record, or NULL when memory is out. */
void *fyke_spares_take(struct fyke_spares *spares);
void fyke_spares_give(struct fyke_spares *spares, void *record); /* NULL is allowed */

#endif
