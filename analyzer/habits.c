/* Good and wrong checksums by sender, in a table of fixed size. */
#include "analyzer/habits.h"

#include "analyzer/base/seed.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { SLOTS = 1 << 17, HOSTS_MAX = 1 << 16 };

struct host {
	struct fyke_address address; /* family NONE = free */
	uint32_t wrong, all;
};

struct fyke_habits {
	uint64_t seed;
	uint32_t count;
	struct host *hosts;
};

enum fyke_status fyke_habits_new(struct fyke_habits **habits)
{
	struct fyke_habits *fresh = calloc(1, sizeof(*fresh));

	if (fresh == NULL)
		return FYKE_FAILED_MEMORY;
	fresh->hosts = calloc(SLOTS, sizeof(*fresh->hosts));
	if (fresh->hosts == NULL) {
		free(fresh);
		return FYKE_FAILED_MEMORY;
	}
	fresh->seed = fyke_seed();
	*habits = fresh;
	return FYKE_OK;
}

void fyke_habits_free(struct fyke_habits *habits)
{
	if (habits == NULL)
		return;
	free(habits->hosts);
	free(habits);
}

static struct host *find(struct fyke_habits *habits, const struct fyke_address *address)
{
	size_t at = XXH3_64bits_withSeed(address->bytes, sizeof(address->bytes), habits->seed) % SLOTS;

	while (habits->hosts[at].address.family != FYKE_ADDRESS_NONE) {
		if (fyke_address_compare(&habits->hosts[at].address, address) == 0)
			return &habits->hosts[at];
		at = (at + 1) % SLOTS;
	}
	if (habits->count == HOSTS_MAX)
		return NULL;
	habits->count++;
	habits->hosts[at].address = *address;
	return &habits->hosts[at];
}

void fyke_habits_judge(struct fyke_habits *habits, struct fyke_packet *packet)
{
	struct host *host;

	if (packet->checksum == FYKE_CHECKSUM_UNKNOWN)
		return;
	host = find(habits, &packet->source);
	if (host == NULL)
		return;
	if (host->all < UINT32_MAX) {
		host->all++;
		host->wrong += packet->checksum == FYKE_CHECKSUM_WRONG;
	}
	if (packet->checksum == FYKE_CHECKSUM_WRONG && host->wrong > host->all / 2)
		packet->checksum = FYKE_CHECKSUM_PARTIAL;
}
