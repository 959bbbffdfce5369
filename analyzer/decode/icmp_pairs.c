/* Which ICMP types belong together, asking and answering. */
#include "analyzer/decode/icmp_pairs.h"

#include <stddef.h>

enum { PROTOCOL_ICMP = 1 };

struct pair {
	uint8_t query, answer;
};

static const struct pair icmp_pairs[] = {{8, 0}, {13, 14}, {15, 16}, {17, 18}, {10, 9}};
static const struct pair icmp6_pairs[] = {
	{128, 129}, {133, 134}, {135, 136}, {130, 131}, {139, 140}, {144, 145}};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct pair *find(uint8_t protocol, uint8_t type)
{
	const struct pair *pairs = protocol == PROTOCOL_ICMP ? icmp_pairs : icmp6_pairs;
	size_t count = protocol == PROTOCOL_ICMP ? COUNT(icmp_pairs) : COUNT(icmp6_pairs);

	for (size_t i = 0; i < count; i++) {
		if (pairs[i].query == type || pairs[i].answer == type)
			return &pairs[i];
	}
	return NULL;
}

int fyke_icmp_counterpart(uint8_t protocol, uint8_t type)
{
	const struct pair *pair = find(protocol, type);

	if (pair == NULL)
		return -1;
	return pair->query == type ? pair->answer : pair->query;
}

bool fyke_icmp_is_query(uint8_t protocol, uint8_t type)
{
	const struct pair *pair = find(protocol, type);

	return pair != NULL && pair->query == type;
}
