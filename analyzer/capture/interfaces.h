/* The interfaces of this machine that packets can be captured from. */
#ifndef FYKE_CAPTURE_INTERFACES_H
#define FYKE_CAPTURE_INTERFACES_H

#include "analyzer/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fyke_interface {
	char *name;
	char *description; /* "" when there is none */
	char **addresses;  /* canonical text, IPv4 and IPv6 in the system's order */
	size_t addresses_count;
	char mac[18]; /* "" when there is none */
	bool up, running, loopback, wireless;
	int link_type; /* LINKTYPE_ as a capture would have it, -1 where that is not known without opening it
			*/
};

struct fyke_interfaces {
	struct fyke_interface *items; /* in libpcap's order: the likeliest first */
	size_t count;
};

/* Without rights to capture the list may be there all the same. The caller releases it. */
FYKE_MUST_USE enum fyke_status fyke_interfaces_list(
	struct fyke_interfaces *interfaces, struct fyke_error *error);
void fyke_interfaces_release(struct fyke_interfaces *interfaces);

#endif
