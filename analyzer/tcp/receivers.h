/* Which overlap policy a receiver is taken to follow: by its network. */
#ifndef FYKE_TCP_RECEIVERS_H
#define FYKE_TCP_RECEIVERS_H

#include "analyzer/base/address.h"
#include "analyzer/tcp/policy.h"

#include <stddef.h>

struct fyke_receiver_rule {
	struct fyke_address network;
	uint8_t prefix; /* leading bits that count */
	enum fyke_policy policy;
};

struct fyke_receivers {
	enum fyke_policy otherwise;
	const struct fyke_receiver_rule *rules; /* the longest prefix that fits counts */
	size_t count;
};

enum fyke_policy fyke_receivers_policy(
	const struct fyke_receivers *receivers, const struct fyke_address *receiver);

/* "windows" or "10.0.0.0/8=windows" (an address alone is a whole one). False: neither; `*otherwise` tells
 * that it was a policy alone, in rule->policy. */
bool fyke_receiver_parse(const char *text, struct fyke_receiver_rule *rule, bool *otherwise);

#endif
