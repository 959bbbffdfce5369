/* What stands in sessions.transport. */
#ifndef FYKE_SESSION_TRANSPORT_H
#define FYKE_SESSION_TRANSPORT_H

#include <stdint.h>

/* "tcp", "udp", "icmp", "gre" …; "ip-<number>" for protocols without a name here. Static. */
const char *fyke_transport_name(uint8_t ip_protocol);

#endif
