/*
 * Any bytes under any link type: the first three bytes choose the link type and how much of the frame was
 * captured. What comes out must be readable, ordered and accounted for; datagrams go round once.
 */
#include "analyzer/decode/decode.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* Reads every byte that a packet claims to have. */
static void touch(const uint8_t *bytes, uint32_t length)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < length; i++)
		sum += bytes[i];
	require(sum <= 255ull * length);
}

static void check_packet(const struct fyke_packet *packet, unsigned layer)
{
	require(packet->layer == layer && layer < FYKE_LAYERS_MAX);
	require(packet->payload_captured <= packet->payload_length);
	require(packet->source.family == packet->destination.family && packet->source.family != 0);
	require(packet->kind != FYKE_PACKET_TCP || packet->tcp.sack_count <= FYKE_SACK_BLOCKS_MAX);
	require(packet->vlan >= -1 && packet->vlan < 4096);
	touch(packet->payload, packet->payload_captured);
	touch(packet->source_mac, packet->source_mac == NULL ? 0 : 6);
	touch(packet->destination_mac, packet->destination_mac == NULL ? 0 : 6);
}

static void check(const struct fyke_decoded *decoded, unsigned first_layer)
{
	require(decoded->count > 0 || decoded->has_fragment || decoded->refusal != FYKE_REFUSAL_NONE);
	require((unsigned)decoded->refusal < FYKE_REFUSAL_COUNT);
	for (unsigned i = 0; i < decoded->count; i++)
		check_packet(&decoded->packets[i], first_layer + i);
	if (!decoded->has_fragment)
		return;
	require(decoded->fragment.captured <= decoded->fragment.length);
	require(decoded->fragment.offset + decoded->fragment.length <= 65535);
	touch(decoded->fragment.data, decoded->fragment.captured);
}

/* Room for what is decoded, full of values that must not stay. */
static struct fyke_decoded *spoiled(void)
{
	struct fyke_decoded *decoded = malloc(sizeof(*decoded));
	struct fyke_packet *packets = malloc(FYKE_LAYERS_MAX * sizeof(*packets));

	require(decoded != NULL && packets != NULL);
	memset(decoded, 0xa5, sizeof(*decoded));
	memset(packets, 0xa5, FYKE_LAYERS_MAX * sizeof(*packets));
	decoded->packets = packets;
	return decoded;
}

/* The fragment taken for the whole datagram. */
static void resume(const struct fyke_fragment *fragment)
{
	struct fyke_decoded *inner = spoiled();

	fyke_decode_datagram(&fragment->packet, fragment->next_header, fragment->data, fragment->length,
		fragment->captured, inner);
	check(inner, fragment->packet.layer);
	free(inner->packets);
	free(inner);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fyke_frame frame = {.number = 1};
	struct fyke_decoded *decoded;
	uint8_t *copy;

	if (size < 3)
		return 0;
	frame.link_type = (uint16_t)(data[0] | (data[1] & 1) << 8);
	frame.fcs_length = data[1] & 2 ? 4 : 0;
	frame.captured = (uint32_t)(size - 3);
	frame.length = frame.captured + data[2];
	copy = malloc(size);
	decoded = spoiled();
	require(copy != NULL);
	/* At the very end of the allocation, so that a read behind it shows. */
	memcpy(copy + 3, data + 3, frame.captured);
	frame.data = copy + 3;
	fyke_decode_frame(&frame, decoded);
	check(decoded, 0);
	if (decoded->has_fragment)
		resume(&decoded->fragment);
	free(decoded->packets);
	free(decoded);
	free(copy);
	return 0;
}
