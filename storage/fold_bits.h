/* The bits of blocks of folded sessions, for their writer and their reader. Private to them. */
#ifndef FYKE_STORAGE_FOLD_BITS_H
#define FYKE_STORAGE_FOLD_BITS_H

#include "analyzer/base/address.h"

enum { FOLD_VERSION = 1 };

/* What is not as it was in the session before; the bit above an ADDRESS, PORT or TTL is the server's. */
enum {
	FOLD_ADDRESS = 1,
	FOLD_PORT = 4,
	FOLD_KIND = 16,
	FOLD_UPDATED = 32,
	FOLD_LASTS = 64, /* it is longer than a packet */
	FOLD_MORE = 128,
};
enum { /* of the second byte */
	FOLD_TTL = 1,
	FOLD_SERVICE = 4,
	FOLD_ORDINAL = 8,
	FOLD_FRAMES = 16,
};

static inline unsigned fold_bit_of(unsigned bit, unsigned side)
{
	return bit << side;
}

static inline int64_t fold_number_of(const struct fyke_address *address)
{
	const uint8_t *b = address->bytes;

	return (int64_t)((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]);
}

#endif
