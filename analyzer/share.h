/*
 * Which of several engines a packet belongs to: a function of its flow's key alone, so that a flow stays
 * where it began.
 *
 * Sessions are handed round, or know of each other, by more than their own packets: FTP announces its data,
 * SIP its media, the DNS names servers. So that an engine knows all that it needs, only TCP of services that
 * neither announce sessions nor are announced is spread; everything else is the first engine's, which gets
 * fewer of those. What is announced on a port of such a service, or by FTP and the like on one, may with
 * several engines be known by its contents alone.
 */
#ifndef FYKE_ANALYZER_SHARE_H
#define FYKE_ANALYZER_SHARE_H

#include "analyzer/decode/packet.h"

struct fyke_share {
	unsigned engines;
	uint64_t seed; /* of the hash, so that nobody outside can aim at one engine */
};

unsigned fyke_share_of(const struct fyke_share *share, const struct fyke_packet *packet);

/* The same for the session that an ICMP error quotes. */
unsigned fyke_share_of_quote(const struct fyke_share *share, const struct fyke_packet *error);

#endif
