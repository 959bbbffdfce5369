/* Seeds for hash tables: an attacker who cannot guess them cannot aim at one slot. */
#include "analyzer/base/seed.h"

#include <sys/random.h>
#include <time.h>

uint64_t fyke_seed(void)
{
	uint64_t seed = 0;
	struct timespec now = {0};

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == (ssize_t)sizeof(seed))
		return seed;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return ((uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec ^ (uint64_t)(uintptr_t)&now) *
	       UINT64_C(0x9E3779B97F4A7C15);
}
