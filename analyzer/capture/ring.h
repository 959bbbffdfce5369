/*
 * Inside of analyzer/capture: one of the kernel's rings of an interface, through libpcap (TPACKET_V3 on
 * Linux). Packets are copied into blocks, since the ring's memory goes back to the kernel. The handle does
 * not block: on recent kernels a blocking one sleeps until a packet comes, whatever the timeout.
 */
#ifndef FYKE_CAPTURE_RING_H
#define FYKE_CAPTURE_RING_H

#include "analyzer/capture/block.h"
#include "analyzer/capture/source.h"

#include <pcap/pcap.h>

enum { FYKE_RING_TIMEOUT_MS = 100 };

struct fyke_ring {
	pcap_t *pcap;
	int fd, timeout_ms;
	int64_t tick_ns;
	uint16_t link_type;
	struct fyke_block_pool *pool; /* borrowed */
	struct fyke_block_room *filling;
	struct fyke_block_room *ready, *ready_last; /* full ones, oldest first */
	const char *name;			    /* of the interface, borrowed */
	bool failed;
	struct fyke_error failure;
	struct pcap_stat stats; /* as last asked for */
};

/* What is to be opened; `pool` and `name` are set. Needs rights: FYKE_FAILED_PERMISSION. */
FYKE_MUST_USE enum fyke_status fyke_ring_open(struct fyke_ring *ring,
	const struct fyke_source_live_options *wanted, const struct fyke_source_options *options,
	struct fyke_error *error);
void fyke_ring_close(struct fyke_ring *ring);

/* Shares what comes with the other rings of the group, a flow to a ring (PACKET_FANOUT_HASH, packet(7)).
 * *group: 0 = begin one, and get its number. */
FYKE_MUST_USE enum fyke_status fyke_ring_join(struct fyke_ring *ring, int *group, struct fyke_error *error);

/* Moves what the ring has into blocks, without waiting. The number of packets; negative: it has failed. */
int fyke_ring_collect(struct fyke_ring *ring);
/* Waits until something is there, or for `milliseconds`. */
void fyke_ring_wait(const struct fyke_ring *ring, int64_t milliseconds);

/* The oldest block that holds frames, full or not; the caller's. NULL: none does. */
struct fyke_block_room *fyke_ring_take(struct fyke_ring *ring);

/* Packets that were dropped since the last call. False: libpcap cannot tell. */
bool fyke_ring_count_drops(struct fyke_ring *ring, uint64_t *kernel, uint64_t *interface);

#endif
