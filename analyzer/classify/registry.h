/* Tables behind services.h: the IANA registry (generated) and the ports that protocols declare. */
#ifndef FYKE_CLASSIFY_REGISTRY_H
#define FYKE_CLASSIFY_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fyke_registry_transport {
	FYKE_REGISTRY_TCP = 1,
	FYKE_REGISTRY_UDP = 2,
	FYKE_REGISTRY_SCTP = 4,
	FYKE_REGISTRY_DCCP = 8,
};

struct fyke_registry_entry {
	uint16_t port;
	uint8_t transports;	 /* those for which this name is registered */
	const char *name;	 /* lower case */
	const char *description; /* NULL where the registry has none */
};

/* Ascending ports; a port has an entry for each name. */
extern const struct fyke_registry_entry fyke_registry[];
extern const size_t fyke_registry_count;

/* Whether a protocol that fyke reads declares the port as a server's. `transport` is one of the above. */
bool fyke_server_port_declared(enum fyke_registry_transport transport, uint16_t port);

#endif
