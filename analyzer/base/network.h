/*
 * Networks as prefixes, and where an address stands: in a network that is one's own, in one of the
 * private ranges, or in the world.
 */
#ifndef FYKE_BASE_NETWORK_H
#define FYKE_BASE_NETWORK_H

#include "analyzer/base/address.h"

enum { FYKE_NETWORKS_MAX = 64 };

struct fyke_network {
	struct fyke_address address; /* bits behind the prefix are zero */
	unsigned bits;
};

/* "10.0.0.0/8", "10.0.0.0/255.0.0.0", "2001:db8::/32", or an address alone. */
bool fyke_network_parse(const char *text, struct fyke_network *network);
bool fyke_network_contains(const struct fyke_network *network, const struct fyke_address *address);

struct fyke_networks {
	struct fyke_network items[FYKE_NETWORKS_MAX];
	size_t count;
};

/* "10.0.0.0/8,2001:db8::/32,192.0.2.7": commas or blanks between; an address alone is a network of one.
 * False where the text is something else or holds more than FYKE_NETWORKS_MAX. */
bool fyke_networks_parse(const char *text, struct fyke_networks *networks);
bool fyke_networks_hold(const struct fyke_networks *networks, const struct fyke_address *address);

enum fyke_origin {
	FYKE_ORIGIN_HOME,    /* one's own network */
	FYKE_ORIGIN_PRIVATE, /* a range that the Internet does not route, but not one's own */
	FYKE_ORIGIN_WORLD,
	FYKE_ORIGIN_GROUP, /* multicast and broadcast: no host */
	FYKE_ORIGIN_COUNT
};

/* "home", "private", "world", "group" */
const char *fyke_origin_name(enum fyke_origin origin);

/* Where `address` stands as seen from `from` (may be NULL). One's own are the networks of `home`; where
 * that is empty, the /24 or /64 that `from` is in. Private: RFC 1918, RFC 6598, RFC 3927, RFC 4193, loopback
 * and link-local addresses. */
enum fyke_origin fyke_origin_of(const struct fyke_networks *home, const struct fyke_address *address,
	const struct fyke_address *from);

#endif
