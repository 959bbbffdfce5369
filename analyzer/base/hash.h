/* XXH3 without a call into its library: what is hashed for every packet is short. */
#ifndef FYKE_BASE_HASH_H
#define FYKE_BASE_HASH_H

#define XXH_INLINE_ALL
#include <xxhash.h>

#endif
