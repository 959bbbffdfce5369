/*
 * One packet that the capture holds twice: mirrored at two ports, before and after a VLAN tag or a
 * router, or doubled by the capturing system. It happened once, so it must count once.
 *
 * Proof: identical TCP header and payload (the checksum stands for both) and the same IP ID other than 0,
 * at any distance; without an ID, within a millisecond on another path (MAC addresses, VLAN, interface, TTL).
 */
#include "analyzer/tcp/parts.h"

#include <string.h>

#define MILLISECOND INT64_C(1000000)

/* Never 0. */
static uint16_t path_of(const struct fyke_packet *packet)
{
	uint32_t path = packet->interface * UINT32_C(2654435761) ^ (uint32_t)(uint16_t)packet->vlan << 16;
	uint32_t mac;

	if (packet->source_mac != NULL) {
		memcpy(&mac, packet->source_mac + 2, sizeof(mac));
		path ^= mac;
	}
	if (packet->destination_mac != NULL) {
		memcpy(&mac, packet->destination_mac + 2, sizeof(mac));
		path ^= mac << 7 | mac >> 25;
	}
	path = (path ^ packet->ttl) * UINT32_C(2654435761);
	return (uint16_t)(path >> 16 | 1);
}

static struct fyke_tcp_print print_of(const struct fyke_packet *packet)
{
	const struct fyke_tcp_header *tcp = &packet->tcp;
	uint16_t shape = (uint16_t)((uint32_t)tcp->flags << 7 ^ packet->payload_length);

	return (struct fyke_tcp_print){.numbers = (uint64_t)tcp->acknowledgment << 32 | tcp->sequence,
		.rest = (uint64_t)shape << 48 | (uint64_t)tcp->window << 32 | (uint64_t)tcp->checksum << 16 |
			packet->ip_id};
}

/* Without an IP ID only what came at once on another way is the same packet. */
static bool is_recent(const struct fyke_tcp_segment *segment, uint16_t path)
{
	for (int i = 0; i < FYKE_TCP_PRINTS; i++) {
		const struct fyke_tcp_seen *seen = &segment->trail->seen[i];
		int64_t apart;

		if (!fyke_tcp_print_equal(&seen->print, &segment->print) || seen->path == 0)
			continue;
		apart = (int64_t)(((uint64_t)segment->time_ns - seen->time_ns) << 16) >> 16;
		if (fyke_tcp_print_ip_id(&segment->print) != 0 || (apart < MILLISECOND && seen->path != path))
			return true;
	}
	return false;
}

/* Further back, segments with payload are known as long as they are not acknowledged. */
static bool is_in_flight(const struct fyke_tcp_segment *segment)
{
	const struct fyke_tcp_side *own = segment->own;
	const struct fyke_tcp_sent *sent;
	int64_t offset;

	if (segment->length == 0 || fyke_tcp_print_ip_id(&segment->print) == 0 || !own->sequence_known)
		return false;
	offset = fyke_tcp_offset(own, segment->header->sequence + (segment->syn ? 1 : 0));
	if (offset >= own->highest)
		return false;
	sent = fyke_tcp_sent_find(&segment->trail->sent, offset);
	return sent != NULL && fyke_tcp_print_equal(&sent->print, &segment->print);
}

void fyke_tcp_duplicate(struct fyke_tcp_segment *segment, const struct fyke_packet *packet)
{
	struct fyke_tcp_trail_side *trail = segment->trail;
	uint16_t path = path_of(packet);

	segment->print = print_of(packet);
	segment->duplicate = is_recent(segment, path) || is_in_flight(segment);
	trail->seen[trail->next_seen] = (struct fyke_tcp_seen){.print = segment->print,
		.time_ns = (uint64_t)segment->time_ns & ((UINT64_C(1) << 48) - 1),
		.path = path};
	trail->next_seen = (uint8_t)((trail->next_seen + 1) % FYKE_TCP_PRINTS);
}
