/*
 * Bytes compressed with gzip (RFC 1952), zlib (RFC 1950) or deflate (RFC 1951), unpacked as they come.
 *
 * Memory is the dissector's (keep.h): one takes about 45 KiB. What comes out is bounded by what went in
 * over a whole session (`struct fyke_inflate_budget`), so that small bombs stay small.
 */
#ifndef FYKE_DISSECTORS_SHARED_INFLATE_H
#define FYKE_DISSECTORS_SHARED_INFLATE_H

#include "dissectors/dissector.h"

enum {
	FYKE_INFLATE_MEMORY = 48 * 1024,
	FYKE_INFLATE_STEP = 1 << 20, /* bytes of a session, unpacked, behind which it is looked … */
	FYKE_INFLATE_RATIO = 100,    /* … whether more than so many came out for each byte that went in */
};

/* Zeroed at first; one for all that a session unpacks. */
struct fyke_inflate_budget {
	uint64_t in, out;
};

/* Takes a piece of what was unpacked; it is borrowed for the call. */
typedef void fyke_inflate_sink(void *context, const uint8_t *bytes, size_t length);

struct fyke_inflate;

/* NULL when memory is used up. Which of the three formats it is shows in the first byte. */
struct fyke_inflate *fyke_inflate_new(struct fyke_dissection *dissection, struct fyke_inflate_budget *budget);

/* False: it is damaged, or would unpack to more than the budget allows. Bytes behind the end are nothing. */
bool fyke_inflate_take(struct fyke_inflate *packed, const uint8_t *bytes, size_t length,
	fyke_inflate_sink *sink, void *context);

/* The packed data has told its own end. */
bool fyke_inflate_is_whole(const struct fyke_inflate *packed);

void fyke_inflate_free(struct fyke_inflate *packed); /* NULL is allowed */

#endif
