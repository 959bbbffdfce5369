/*
 * Whose wrong checksums mean nothing: a host that leaves them to its network card sends most packets
 * with a wrong one as far as a capture on that host can see.
 */
#ifndef FYKE_ANALYZER_HABITS_H
#define FYKE_ANALYZER_HABITS_H

#include "analyzer/base/status.h"
#include "analyzer/decode/packet.h"

struct fyke_habits;

FYKE_MUST_USE enum fyke_status fyke_habits_new(struct fyke_habits **habits);
void fyke_habits_free(struct fyke_habits *habits);

/* Where the packet's sender is to be looked for, fetched ahead: so that a batch does not wait for each. */
uint32_t fyke_habits_place(const struct fyke_habits *habits, const struct fyke_packet *packet);

/* Notes the packet under its sender and settles its checksum: WRONG stays only where the sender's are
 * mostly right. A bounded number of hosts is remembered; a packet of a further one is judged alone. */
void fyke_habits_judge(struct fyke_habits *habits, struct fyke_packet *packet, uint32_t place);

#endif
