/* A list of malloc'ed records, linked through the records themselves. */
#include "analyzer/base/spares.h"

#include <stdlib.h>
#include <string.h>

#ifdef __has_feature
#define HAS_FEATURE(feature) __has_feature(feature)
#else
#define HAS_FEATURE(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
enum { KEEPS = 0 };
#else
enum { KEEPS = 1 };
#endif

void fyke_spares_init(struct fyke_spares *spares, size_t size, unsigned most)
{
	*spares = (struct fyke_spares){
		.size = size < sizeof(void *) ? sizeof(void *) : size, .most = KEEPS ? most : 0};
}

static void *pop(struct fyke_spares *spares)
{
	void *record = spares->first;

	memcpy(&spares->first, record, sizeof(spares->first));
	spares->count--;
	return record;
}

void fyke_spares_release(struct fyke_spares *spares)
{
	while (spares->first != NULL)
		free(pop(spares));
}

void *fyke_spares_take(struct fyke_spares *spares)
{
	return spares->first == NULL ? calloc(1, spares->size) : memset(pop(spares), 0, spares->size);
}

void fyke_spares_give(struct fyke_spares *spares, void *record)
{
	if (record == NULL)
		return;
	if (spares->count == spares->most) {
		free(record);
		return;
	}
	memcpy(record, &spares->first, sizeof(spares->first));
	spares->first = record;
	spares->count++;
}
