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

static uint32_t path_of(const struct fyke_packet *packet)
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
	return path;
}

static struct fyke_tcp_print print_of(const struct fyke_packet *packet)
{
	return (struct fyke_tcp_print){.sequence = packet->tcp.sequence,
		.acknowledgment = packet->tcp.acknowledgment,
		.length = packet->payload_length,
		.flags = packet->tcp.flags,
		.window = packet->tcp.window,
		.checksum = packet->tcp.checksum,
		.ip_id = packet->ip_id,
		.path = path_of(packet),
		.ttl = packet->ttl};
}

static bool is_same(const struct fyke_tcp_print *a, const struct fyke_tcp_print *b, int64_t apart_ns)
{
	if (a->sequence != b->sequence || a->acknowledgment != b->acknowledgment || a->length != b->length ||
		a->flags != b->flags || a->window != b->window || a->checksum != b->checksum ||
		a->ip_id != b->ip_id)
		return false;
	if (a->ip_id != 0)
		return true;
	return apart_ns < MILLISECOND && (a->path != b->path || a->ttl != b->ttl);
}

static bool is_recent(const struct fyke_tcp_segment *segment)
{
	const struct fyke_tcp_side *own = segment->own;

	for (int i = 0; i < FYKE_TCP_PRINTS; i++) {
		if (own->print_times_ns[i] != 0 &&
			is_same(&own->prints[i], &segment->print, segment->time_ns - own->print_times_ns[i]))
			return true;
	}
	return false;
}

/* Further back, segments with payload are known as long as they are not acknowledged. */
static bool is_in_flight(const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *own = segment->own;
	const struct fyke_tcp_sent *sent;
	int64_t offset;

	if (segment->length == 0 || segment->print.ip_id == 0 || !own->sequence_known)
		return false;
	offset = fyke_tcp_offset(own, segment->header->sequence + (segment->syn ? 1 : 0));
	if (offset >= own->highest)
		return false;
	sent = fyke_tcp_sent_find(&own->sent, offset);
	return sent != NULL && is_same(&sent->print, &segment->print, segment->time_ns - sent->time_ns);
}

void fyke_tcp_duplicate(struct fyke_tcp_segment *segment, const struct fyke_packet *packet)
{
	struct fyke_tcp_side *own = segment->own;

	segment->print = print_of(packet);
	segment->duplicate = is_recent(segment) || is_in_flight(segment);
	own->prints[own->next_print] = segment->print;
	own->print_times_ns[own->next_print] = segment->time_ns;
	own->next_print = (uint8_t)((own->next_print + 1) % FYKE_TCP_PRINTS);
}
