/* Good and wrong checksums by sender, in a table of fixed size. */
#include "analyzer/habits.h"

#include "analyzer/base/hash.h"
#include "analyzer/base/seed.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS = 1 << 17, HOSTS_MAX = 1 << 16 };

struct host {
	_Alignas(32) struct fyke_address address; /* family NONE = free */
	uint32_t wrong, all;
};

struct fyke_habits {
	uint64_t seed;
	uint32_t count;
	void *memory; /* of the hosts: zero pages until they are needed */
	struct host *hosts;
};

enum fyke_status fyke_habits_new(struct fyke_habits **habits)
{
	struct fyke_habits *fresh = calloc(1, sizeof(*fresh));

	if (fresh == NULL)
		return FYKE_FAILED_MEMORY;
	fresh->memory = calloc(SLOTS + 1, sizeof(*fresh->hosts));
	if (fresh->memory == NULL) {
		free(fresh);
		return FYKE_FAILED_MEMORY;
	}
	fresh->hosts = (struct host *)(((uintptr_t)fresh->memory + sizeof(struct host) - 1) &
				       ~(uintptr_t)(sizeof(struct host) - 1));
	fresh->seed = fyke_seed();
	*habits = fresh;
	return FYKE_OK;
}

void fyke_habits_free(struct fyke_habits *habits)
{
	if (habits == NULL)
		return;
	free(habits->memory);
	free(habits);
}

uint32_t fyke_habits_place(const struct fyke_habits *habits, const struct fyke_packet *packet)
{
	const struct fyke_address *address = &packet->source;
	uint32_t at = (uint32_t)(XXH3_64bits_withSeed(address->bytes, sizeof(address->bytes), habits->seed) %
				 SLOTS);

	__builtin_prefetch(&habits->hosts[at], 1);
	return at;
}

static bool is_same(const struct fyke_address *a, const struct fyke_address *b)
{
	uint64_t x[2], y[2];

	memcpy(x, a->bytes, sizeof(x));
	memcpy(y, b->bytes, sizeof(y));
	return a->family == b->family && ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

static struct host *find(struct fyke_habits *habits, const struct fyke_address *address, uint32_t at)
{
	while (habits->hosts[at].address.family != FYKE_ADDRESS_NONE) {
		if (is_same(&habits->hosts[at].address, address))
			return &habits->hosts[at];
		at = (at + 1) % SLOTS;
	}
	if (habits->count == HOSTS_MAX)
		return NULL;
	habits->count++;
	habits->hosts[at].address = *address;
	return &habits->hosts[at];
}

void fyke_habits_judge(struct fyke_habits *habits, struct fyke_packet *packet, uint32_t place)
{
	struct host *host;

	if (packet->checksum == FYKE_CHECKSUM_UNKNOWN)
		return;
	host = find(habits, &packet->source, place);
	if (host == NULL)
		return;
	if (host->all < UINT32_MAX) {
		host->all++;
		host->wrong += packet->checksum == FYKE_CHECKSUM_WRONG;
	}
	if (packet->checksum == FYKE_CHECKSUM_WRONG && host->wrong > host->all / 2)
		packet->checksum = FYKE_CHECKSUM_PARTIAL;
}
