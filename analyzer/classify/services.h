/*
 * Port → service by the IANA registry, overridable by the user, and which ports look like a server's.
 *
 * The registry names services, never roles: it covers a third of the ephemeral range too.
 */
#ifndef FYKE_CLASSIFY_SERVICES_H
#define FYKE_CLASSIFY_SERVICES_H

#include "analyzer/base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct fyke_services;

/* The built-in registry. `file` (may be NULL) is read on top of it: lines of /etc/services form,
 * `name port/transport [aliases]`, `#` comments; a wrong line fails the call with file, line and reason. */
FYKE_MUST_USE enum fyke_status fyke_services_new(
	const char *file, struct fyke_services **services, struct fyke_error *error);
void fyke_services_free(struct fyke_services *services);

/* IP protocol 6 (TCP), 17 (UDP), 33 (DCCP), 132 (SCTP); NULL where none is registered. The string
 * lives as long as `services`. Thread-safe: nothing changes after _new. */
const char *fyke_services_name(const struct fyke_services *services, uint8_t protocol, uint16_t port);

/* A person's words for the service ("Post Office Protocol - Version 3"); NULL where none. */
const char *fyke_services_description(const struct fyke_services *services, uint8_t protocol, uint16_t port);

/* Below 1024, declared as a server port by a protocol that fyke reads, or named in the user's file (SEMANTICS
 * §1). */
bool fyke_services_is_server(const struct fyke_services *services, uint8_t protocol, uint16_t port);

#endif
