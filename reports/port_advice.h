/*
 * What is known of services that listen: which speak in clear text and what replaces them, which are made for
 * administrators only, which ports malware is known for.
 */
#ifndef FYKE_REPORTS_PORT_ADVICE_H
#define FYKE_REPORTS_PORT_ADVICE_H

#include <stdbool.h>
#include <stdint.h>

enum fyke_port_trait {
	FYKE_PORT_CLEAR = 1,	/* everybody on the way reads it */
	FYKE_PORT_REMOTE = 2,	/* gives control of the machine */
	FYKE_PORT_DATA = 4,	/* a database, a cache, shared files */
	FYKE_PORT_OLD = 8,	/* has been replaced */
	FYKE_PORT_MALWARE = 16, /* known for back doors */
};

struct fyke_port_known {
	const char *service; /* as `ports.service` names it; NULL: only by port */
	uint16_t port;	     /* 0: only by name */
	const char *words;   /* "Telnet" */
	unsigned traits;
	const char *instead; /* what to use in its place; NULL: nothing to say */
};

/* By the service's name where that is known, else by the port. NULL: nothing is known. */
const struct fyke_port_known *fyke_port_known(const char *service, bool is_tcp, int64_t port);

/* Whether the port is one that back doors are known for, whatever speaks there; its words or NULL. */
const char *fyke_port_malware(bool is_tcp, int64_t port);

#endif
