/* A session's place in the world: unique within a capture, known from its first packet on. */
#ifndef FYKE_BASE_BIRTH_H
#define FYKE_BASE_BIRTH_H

#include <stdbool.h>
#include <stdint.h>

struct fyke_birth {
	uint64_t frame;	  /* number of its first frame; 0 = none */
	uint32_t ordinal; /* its place among those born of that frame */
};

static inline bool fyke_birth_equal(const struct fyke_birth *a, const struct fyke_birth *b)
{
	return a->frame == b->frame && a->ordinal == b->ordinal;
}

#endif
