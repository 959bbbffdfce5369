/*
 * Numbers for things that live as long as the program: words of tables, descriptors. Where many records point
 * to one of a few hundred, 16 bits do.
 */
#ifndef FYKE_BASE_TERMS_H
#define FYKE_BASE_TERMS_H

#include <stddef.h>
#include <stdint.h>

struct fyke_terms {
	const void **list; /* by number; number 0 is NULL's */
	uint16_t *slots;   /* numbers by hash of the address, 0 = empty */
	uint32_t count, mask;
};

/* A zeroed struct is ready for use. */

/* The number of what `term` points to, the same at every call. 0 for NULL, and when memory or numbers are
 * out. */
uint16_t fyke_terms_number(struct fyke_terms *terms, const void *term);

static inline const void *fyke_terms_at(const struct fyke_terms *terms, uint16_t number)
{
	return number == 0 ? NULL : terms->list[number];
}

void fyke_terms_release(struct fyke_terms *terms);

#endif
