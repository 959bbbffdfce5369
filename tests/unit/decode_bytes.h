/* Packets built byte by byte, for the tests of decoding. */
#ifndef FYKE_TESTS_DECODE_BYTES_H
#define FYKE_TESTS_DECODE_BYTES_H

#include "analyzer/decode/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 2048 };

struct bytes {
	size_t length;
	uint8_t data[ROOM];
};

static inline void put(struct bytes *to, const void *data, size_t length)
{
	assert_true(to->length + length <= ROOM);
	memcpy(to->data + to->length, data, length);
	to->length += length;
}

static inline void put_bytes(struct bytes *to, const struct bytes *from)
{
	put(to, from->data, from->length);
}

static inline void put_u16(struct bytes *to, size_t value)
{
	put(to, (const uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static inline void put_u32(struct bytes *to, uint32_t value)
{
	put_u16(to, value >> 16);
	put_u16(to, value & 0xffff);
}

static inline uint8_t hex_digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Lower-case hexadecimal; blanks are left out. */
static inline void put_hex(struct bytes *to, const char *hex)
{
	for (; *hex != '\0'; hex++) {
		uint8_t byte;

		if (*hex == ' ')
			continue;
		byte = (uint8_t)(hex_digit(hex[0]) << 4 | hex_digit(hex[1]));
		put(to, &byte, 1);
		hex++;
	}
}

static inline struct bytes from_hex(const char *hex)
{
	struct bytes made = {0};

	put_hex(&made, hex);
	return made;
}

/* 10.0.0.1 → 10.0.0.2 */
static inline struct bytes ipv4(uint8_t protocol, const struct bytes *payload)
{
	struct bytes made = from_hex("4500");

	put_u16(&made, 20 + payload->length);
	put_hex(&made, "12344000 40");
	put(&made, &protocol, 1);
	put_hex(&made, "0000 0a000001 0a000002");
	put_bytes(&made, payload);
	return made;
}

/* 2001:db8::1 → 2001:db8::2 */
static inline struct bytes ipv6(uint8_t next, const struct bytes *payload)
{
	struct bytes made = from_hex("60000000");

	put_u16(&made, payload->length);
	put(&made, &next, 1);
	put_hex(&made, "40 20010db8000000000000000000000001 20010db8000000000000000000000002");
	put_bytes(&made, payload);
	return made;
}

/* Without a checksum. */
static inline struct bytes udp(uint16_t source, uint16_t destination, const struct bytes *payload)
{
	struct bytes made = {0};

	put_u16(&made, source);
	put_u16(&made, destination);
	put_u16(&made, 8 + payload->length);
	put_u16(&made, 0);
	put_bytes(&made, payload);
	return made;
}

static inline struct bytes sample_udp(void)
{
	struct bytes payload = from_hex("68656c6c6f");

	return udp(1111, 2222, &payload);
}

static inline struct bytes sample_ipv4(void)
{
	struct bytes inner = sample_udp();

	return ipv4(17, &inner);
}

static inline struct bytes sample_ipv6(void)
{
	struct bytes inner = sample_udp();

	return ipv6(17, &inner);
}

/* 02:00:00:00:00:01 → 02:00:00:00:00:02 */
static inline struct bytes ethernet(uint16_t type, const struct bytes *payload)
{
	struct bytes made = from_hex("020000000002 020000000001");

	put_u16(&made, type);
	put_bytes(&made, payload);
	return made;
}

/* Where packets are decoded to. */
static struct fyke_packet decoded_packets[FYKE_LAYERS_MAX];

/* Values that decoding must not leave in place. */
static inline void spoil(struct fyke_decoded *decoded)
{
	memset(decoded_packets, 0xa5, sizeof(decoded_packets));
	memset(decoded, 0xa5, sizeof(*decoded));
	decoded->packets = decoded_packets;
}

/* Decodes the first `captured` bytes from memory that ends where they end. */
static inline void decode_cut(
	uint16_t link_type, const struct bytes *bytes, size_t captured, struct fyke_decoded *decoded)
{
	uint8_t *copy = malloc(captured == 0 ? 1 : captured);
	struct fyke_frame frame = {.number = 7, .time_ns = 99, .interface = 3, .link_type = link_type};

	assert_non_null(copy);
	memcpy(copy, bytes->data, captured);
	frame.data = copy;
	frame.captured = (uint32_t)captured;
	frame.length = (uint32_t)bytes->length;
	spoil(decoded);
	fyke_decode_frame(&frame, decoded);
	/* Borrowed bytes are looked at by decode_whole's callers only. */
	free(copy);
}

/* All bytes of a frame that had `length` on the wire. They stay where they are, so payloads may be compared.
 */
static inline void decode_on_wire(
	uint16_t link_type, const struct bytes *bytes, size_t length, struct fyke_decoded *decoded)
{
	struct fyke_frame frame = {.number = 7,
		.time_ns = 99,
		.interface = 3,
		.link_type = link_type,
		.data = bytes->data,
		.captured = (uint32_t)bytes->length,
		.length = (uint32_t)length};

	spoil(decoded);
	fyke_decode_frame(&frame, decoded);
}

static inline void decode_whole(uint16_t link_type, const struct bytes *bytes, struct fyke_decoded *decoded)
{
	decode_on_wire(link_type, bytes, bytes->length, decoded);
}

/* A frame gives a packet, a fragment or a reason, however it is cut. */
static inline void assert_every_cut_accounted(uint16_t link_type, const struct bytes *bytes)
{
	struct fyke_decoded decoded = {.packets = decoded_packets};

	for (size_t captured = 0; captured < bytes->length; captured++) {
		decode_cut(link_type, bytes, captured, &decoded);
		assert_true(
			decoded.count > 0 || decoded.has_fragment || decoded.refusal != FYKE_REFUSAL_NONE);
		for (unsigned i = 0; i < decoded.count; i++) {
			assert_int_equal(decoded.packets[i].layer, i);
			assert_true(decoded.packets[i].payload_captured <= decoded.packets[i].payload_length);
		}
	}
}

static inline void assert_sample_udp(const struct fyke_packet *packet)
{
	assert_int_equal(packet->kind, FYKE_PACKET_UDP);
	assert_int_equal(packet->source_port, 1111);
	assert_int_equal(packet->destination_port, 2222);
	assert_int_equal(packet->payload_length, 5);
	assert_int_equal(packet->payload_captured, 5);
}

#endif
