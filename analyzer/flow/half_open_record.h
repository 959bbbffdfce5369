/*
 * What the table of lone SYNs keeps of a packet: the members of its records and back. Of half_open.c.
 */
#ifndef FYKE_FLOW_HALF_OPEN_RECORD_H
#define FYKE_FLOW_HALF_OPEN_RECORD_H

#include "analyzer/flow/half_open.h"

enum { FYKE_HALF_OPEN_DEAD = 128 }; /* in `bits`: taken out */

struct fyke_half_open_record {
	uint32_t time_low, time_high, frame_low;
	uint32_t sequence, timestamp;
	uint16_t source_port, destination_port;
	uint16_t window, checksum, ip_id, mss;
	uint16_t path, ip_bytes;
	uint8_t frame_high, ttl, bits;
	int8_t window_scale;
	uint8_t addresses[]; /* source, destination; then the reset, if there is one */
};

/* What refused a SYN; its addresses and ports are the SYN's, its acknowledgment is the SYN's sequence + 1. */
struct fyke_half_open_reset {
	uint32_t time_low, time_high, frame_low, sequence;
	uint16_t window, checksum, ip_id, path, ip_bytes;
	uint8_t frame_high, ttl, bits, unused[3];
};

_Static_assert(sizeof(struct fyke_half_open_record) == 40, "the size that half_open.h promises");
_Static_assert(sizeof(struct fyke_half_open_reset) == 32, "the size that half_open.h promises");

/* Where packets came from on the link. */
struct fyke_half_open_path {
	uint8_t macs[2][6];
	bool has_source, has_destination;
	int16_t vlan;
	uint32_t interface;
};

static inline uint64_t fyke_half_open_frame(uint32_t low, uint8_t high)
{
	return (uint64_t)high << 32 | low;
}

static inline int64_t fyke_half_open_time(uint32_t low, uint32_t high)
{
	return (int64_t)((uint64_t)high << 32 | low);
}

struct fyke_half_open_path fyke_half_open_path_of(const struct fyke_packet *packet);

/* Whether the record would give the packet back unchanged. */
bool fyke_half_open_fits(const struct fyke_packet *packet, int64_t now_ns);
void fyke_half_open_fill(
	struct fyke_half_open_record *record, const struct fyke_packet *packet, size_t length);
void fyke_half_open_restore(const struct fyke_half_open_record *record,
	const struct fyke_half_open_path *path, size_t address_length, struct fyke_half_open_syn *syn);

/* Likewise a reset of the record's SYN. */
bool fyke_half_open_reset_fits(
	const struct fyke_half_open_record *record, const struct fyke_packet *packet, int64_t now_ns);
void fyke_half_open_reset_fill(struct fyke_half_open_reset *reset, const struct fyke_packet *packet);
void fyke_half_open_reset_restore(const struct fyke_half_open_reset *reset,
	const struct fyke_half_open_path *path, const struct fyke_packet *syn,
	struct fyke_half_open_syn *out);

/* `length`: of its addresses. */
void fyke_half_open_key(const struct fyke_half_open_record *record, size_t length, struct fyke_flow_key *key);

#endif
