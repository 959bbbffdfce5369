/* Packets into records and back: only what comes out again unchanged goes in. */
#include "analyzer/flow/half_open_record.h"

#include <string.h>

enum { FRAME_BITS = 40, PROTOCOL_TCP = 6, IPV4_LENGTH = 4 };

enum { /* record.bits, reset.bits */
	BIT_ECE = 1,
	BIT_CWR = 2,
	BIT_SACK = 4,
	BIT_TIMESTAMPS = 8,
	BIT_DONT_FRAGMENT = 16,
	BIT_CHECKSUM = 32, /* two bits: enum fyke_checksum */
};

static struct fyke_address address_of(const struct fyke_half_open_record *record, size_t length, size_t which)
{
	struct fyke_address address = {
		.family = length == IPV4_LENGTH ? FYKE_ADDRESS_IPV4 : FYKE_ADDRESS_IPV6};

	memcpy(address.bytes, record->addresses + which * length, length);
	return address;
}

void fyke_half_open_key(const struct fyke_half_open_record *record, size_t length, struct fyke_flow_key *key)
{
	struct fyke_address source = address_of(record, length, 0),
			    destination = address_of(record, length, 1);

	fyke_flow_key_of_tcp(&source, &destination, record->source_port, record->destination_port, key);
}

struct fyke_half_open_path fyke_half_open_path_of(const struct fyke_packet *packet)
{
	struct fyke_half_open_path path;

	memset(&path, 0, sizeof(path)); /* hashed and compared as bytes */
	path.vlan = packet->vlan;
	path.interface = packet->interface;
	path.has_source = packet->source_mac != NULL;
	path.has_destination = packet->destination_mac != NULL;
	if (path.has_source)
		memcpy(path.macs[0], packet->source_mac, sizeof(path.macs[0]));
	if (path.has_destination)
		memcpy(path.macs[1], packet->destination_mac, sizeof(path.macs[1]));
	return path;
}

static void restore_path(const struct fyke_half_open_path *path, struct fyke_half_open_syn *out)
{
	*out = (struct fyke_half_open_syn){.packet = {.kind = FYKE_PACKET_TCP, .protocol = PROTOCOL_TCP}};
	memcpy(out->macs, path->macs, sizeof(out->macs));
	out->packet.source_mac = path->has_source ? out->macs[0] : NULL;
	out->packet.destination_mac = path->has_destination ? out->macs[1] : NULL;
	out->packet.vlan = path->vlan;
	out->packet.interface = path->interface;
}

void fyke_half_open_restore(const struct fyke_half_open_record *record,
	const struct fyke_half_open_path *path, size_t length, struct fyke_half_open_syn *syn)
{
	struct fyke_packet *packet = &syn->packet;

	restore_path(path, syn);
	packet->frame = fyke_half_open_frame(record->frame_low, record->frame_high);
	packet->time_ns = fyke_half_open_time(record->time_low, record->time_high);
	packet->source = address_of(record, length, 0);
	packet->destination = address_of(record, length, 1);
	packet->source_port = record->source_port;
	packet->destination_port = record->destination_port;
	packet->ttl = record->ttl;
	packet->ip_id = record->ip_id;
	packet->ip_bytes = record->ip_bytes;
	packet->dont_fragment = (record->bits & BIT_DONT_FRAGMENT) != 0;
	packet->checksum = (enum fyke_checksum)(record->bits / BIT_CHECKSUM & 3);
	packet->tcp = (struct fyke_tcp_header){.sequence = record->sequence,
		.flags = (uint16_t)(FYKE_TCP_SYN | ((record->bits & BIT_ECE) != 0) * FYKE_TCP_ECE |
				    ((record->bits & BIT_CWR) != 0) * FYKE_TCP_CWR),
		.window = record->window,
		.checksum = record->checksum,
		.mss = record->mss,
		.window_scale = record->window_scale,
		.sack_permitted = (record->bits & BIT_SACK) != 0,
		.has_timestamps = (record->bits & BIT_TIMESTAMPS) != 0,
		.timestamp_value = record->timestamp};
}

void fyke_half_open_fill(
	struct fyke_half_open_record *record, const struct fyke_packet *packet, size_t length)
{
	const struct fyke_tcp_header *tcp = &packet->tcp;

	*record = (struct fyke_half_open_record){.time_low = (uint32_t)packet->time_ns,
		.time_high = (uint32_t)((uint64_t)packet->time_ns >> 32),
		.frame_low = (uint32_t)packet->frame,
		.frame_high = (uint8_t)(packet->frame >> 32),
		.sequence = tcp->sequence,
		.timestamp = tcp->timestamp_value,
		.source_port = packet->source_port,
		.destination_port = packet->destination_port,
		.window = tcp->window,
		.checksum = tcp->checksum,
		.ip_id = packet->ip_id,
		.mss = tcp->mss,
		.ip_bytes = (uint16_t)packet->ip_bytes,
		.ttl = packet->ttl,
		.window_scale = tcp->window_scale};
	record->bits =
		(uint8_t)(((tcp->flags & FYKE_TCP_ECE) != 0) * BIT_ECE |
			  ((tcp->flags & FYKE_TCP_CWR) != 0) * BIT_CWR | tcp->sack_permitted * BIT_SACK |
			  tcp->has_timestamps * BIT_TIMESTAMPS | packet->dont_fragment * BIT_DONT_FRAGMENT |
			  (int)packet->checksum * BIT_CHECKSUM);
	memcpy(record->addresses, packet->source.bytes, length);
	memcpy(record->addresses + length, packet->destination.bytes, length);
}

/* What no record has room for. */
static bool is_plain(const struct fyke_packet *packet, int64_t now_ns)
{
	const struct fyke_tcp_header *tcp = &packet->tcp;

	return packet->kind == FYKE_PACKET_TCP && packet->payload_length == 0 && packet->layer == 0 &&
	       packet->tunnel == FYKE_TUNNEL_NONE && packet->protocol == PROTOCOL_TCP &&
	       !packet->is_fragmented && !packet->is_overstated && packet->fragment_count == 0 &&
	       tcp->urgent == 0 && tcp->timestamp_echo == 0 && tcp->sack_count == 0 && !tcp->options_bad &&
	       packet->ip_bytes <= UINT16_MAX && packet->frame >> FRAME_BITS == 0 &&
	       packet->time_ns == now_ns && packet->checksum != FYKE_CHECKSUM_WRONG;
}

bool fyke_half_open_fits(const struct fyke_packet *packet, int64_t now_ns)
{
	const uint16_t allowed = FYKE_TCP_SYN | FYKE_TCP_ECE | FYKE_TCP_CWR;

	return is_plain(packet, now_ns) && (packet->tcp.flags & FYKE_TCP_SYN) != 0 &&
	       (packet->tcp.flags & ~allowed) == 0 && packet->tcp.acknowledgment == 0;
}

bool fyke_half_open_reset_fits(
	const struct fyke_half_open_record *record, const struct fyke_packet *packet, int64_t now_ns)
{
	const struct fyke_tcp_header *tcp = &packet->tcp;

	return is_plain(packet, now_ns) && tcp->flags == (FYKE_TCP_RST | FYKE_TCP_ACK) &&
	       tcp->acknowledgment == record->sequence + 1 && tcp->mss == 0 && tcp->window_scale < 0 &&
	       !tcp->sack_permitted && !tcp->has_timestamps &&
	       packet->source_port == record->destination_port;
}

void fyke_half_open_reset_fill(struct fyke_half_open_reset *reset, const struct fyke_packet *packet)
{
	*reset = (struct fyke_half_open_reset){.time_low = (uint32_t)packet->time_ns,
		.time_high = (uint32_t)((uint64_t)packet->time_ns >> 32),
		.frame_low = (uint32_t)packet->frame,
		.frame_high = (uint8_t)(packet->frame >> 32),
		.sequence = packet->tcp.sequence,
		.window = packet->tcp.window,
		.checksum = packet->tcp.checksum,
		.ip_id = packet->ip_id,
		.ip_bytes = (uint16_t)packet->ip_bytes,
		.ttl = packet->ttl,
		.bits = (uint8_t)(packet->dont_fragment * BIT_DONT_FRAGMENT |
				  (int)packet->checksum * BIT_CHECKSUM)};
}

void fyke_half_open_reset_restore(const struct fyke_half_open_reset *reset,
	const struct fyke_half_open_path *path, const struct fyke_packet *syn, struct fyke_half_open_syn *out)
{
	struct fyke_packet *packet = &out->packet;

	restore_path(path, out);
	packet->frame = fyke_half_open_frame(reset->frame_low, reset->frame_high);
	packet->time_ns = fyke_half_open_time(reset->time_low, reset->time_high);
	packet->source = syn->destination;
	packet->destination = syn->source;
	packet->source_port = syn->destination_port;
	packet->destination_port = syn->source_port;
	packet->ttl = reset->ttl;
	packet->ip_id = reset->ip_id;
	packet->ip_bytes = reset->ip_bytes;
	packet->dont_fragment = (reset->bits & BIT_DONT_FRAGMENT) != 0;
	packet->checksum = (enum fyke_checksum)(reset->bits / BIT_CHECKSUM & 3);
	packet->tcp = (struct fyke_tcp_header){.sequence = reset->sequence,
		.acknowledgment = syn->tcp.sequence + 1,
		.flags = FYKE_TCP_RST | FYKE_TCP_ACK,
		.window = reset->window,
		.checksum = reset->checksum,
		.window_scale = -1};
}
