/* ICMP and ICMPv6 queries and their answers (RFC 792, 950, 1256, 4443, 4861, 2710, 4620, 8335). */
#ifndef FYKE_DECODE_ICMP_PAIRS_H
#define FYKE_DECODE_ICMP_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

/* The type that answers `type`, or that it answers; -1 for types without a counterpart. `protocol`
 * is 1 for ICMP, else ICMPv6. */
int fyke_icmp_counterpart(uint8_t protocol, uint8_t type);

/* Whether `type` is the asking half of such a pair. */
bool fyke_icmp_is_query(uint8_t protocol, uint8_t type);

#endif
