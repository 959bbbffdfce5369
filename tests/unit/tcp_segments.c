/* Builds packets as decoding would, without any bytes. */
#include "tests/unit/tcp_segments.h"

#include <string.h>

static uint16_t flags_of(const char *letters)
{
	uint16_t flags = 0;

	for (; *letters != '\0'; letters++) {
		flags = (uint16_t)(flags | (*letters == 'S') * FYKE_TCP_SYN |
				   (*letters == 'A') * FYKE_TCP_ACK | (*letters == 'F') * FYKE_TCP_FIN |
				   (*letters == 'R') * FYKE_TCP_RST | (*letters == 'P') * FYKE_TCP_PSH);
	}
	return flags;
}

struct fyke_packet segment_packet(const struct segment_spec *spec, uint64_t frame)
{
	const uint8_t client[4] = {10, 0, 0, 1}, server[4] = {10, 0, 0, 2};
	bool forth = spec->from == 'c';
	struct fyke_packet packet = {
		.frame = frame,
		.time_ns = (int64_t)(spec->seconds * 1e9) + 1000000000,
		.kind = FYKE_PACKET_TCP,
		.protocol = 6,
		.vlan = -1,
		.ttl = 64,
		.source = fyke_address_ipv4(forth ? client : server),
		.destination = fyke_address_ipv4(forth ? server : client),
		.source_port = forth ? 40000 : 80,
		.destination_port = forth ? 80 : 40000,
		.checksum = FYKE_CHECKSUM_GOOD,
		.payload_length = spec->length,
		.payload_captured = spec->length,
		.ip_bytes = 40 + spec->length,
	};

	packet.tcp.sequence = spec->sequence;
	packet.tcp.acknowledgment = spec->acknowledgment;
	packet.tcp.flags = flags_of(spec->flags);
	packet.tcp.window = spec->window == 0 ? 1000 : spec->window == WINDOW_ZERO ? 0 : spec->window;
	packet.tcp.window_scale = -1;
	return packet;
}
