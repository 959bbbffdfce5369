/* A seed that nobody outside knows, for keyed hashes. */
#ifndef FYKE_BASE_SEED_H
#define FYKE_BASE_SEED_H

#include <stdint.h>

/* From the kernel; where it gives nothing, from the clock and an address. */
uint64_t fyke_seed(void);

#endif
