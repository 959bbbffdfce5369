/*
 * The Internet checksum (RFC 1071) in 64-bit words in the machine's own byte order, where the sum of a
 * right header is all ones whatever the order, four words side by side where there are many; and CRC32c
 * (RFC 9260 appendix A), four bits at a time: SCTP is rare.
 */
#include "analyzer/decode/checksum.h"

#include <string.h>

static uint32_t load32(const uint8_t *data)
{
	uint32_t word;

	memcpy(&word, data, sizeof(word));
	return word;
}

static uint64_t load64(const uint8_t *data)
{
	uint64_t word;

	memcpy(&word, data, sizeof(word));
	return word;
}

/* One's complement addition of 64-bit words: the carry comes round. */
static uint64_t add(uint64_t sum, uint64_t word)
{
	sum += word;
	return sum + (sum < word);
}

static uint16_t fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)sum;
}

/* Fewer than eight bytes: pieces at even places, each a sum of its own words. */
static uint64_t sum_tail(const uint8_t *data, size_t length)
{
	uint64_t sum = 0;
	uint16_t word = 0;

	if ((length & 4) != 0) {
		sum += load32(data);
		data += 4;
	}
	if ((length & 2) != 0) {
		memcpy(&word, data, 2);
		sum += word;
		data += 2;
		word = 0;
	}
	if ((length & 1) != 0)
		memcpy(&word, data, 1);
	return sum + word;
}

enum { LANES = 4, LANES_BYTES = LANES * 8 };

typedef uint64_t lanes __attribute__((vector_size(LANES_BYTES)));

/* Both halves of the words apart, so that no sum of fewer than 2^32 of them carries. */
static inline __attribute__((always_inline)) uint64_t sum_lanes(const uint8_t *data, size_t count)
{
	lanes low = {0}, high = {0}, words;
	uint64_t low_sum = 0, high_sum = 0;

	for (; count > 0; count--, data += LANES_BYTES) {
		memcpy(&words, data, sizeof(words));
		low += words & 0xffffffff;
		high += words >> 32;
	}
	for (int i = 0; i < LANES; i++) {
		low_sum += low[i];
		high_sum += high[i];
	}
	return add(low_sum, high_sum << 32 | high_sum >> 32);
}

static uint64_t sum_lanes_anywhere(const uint8_t *data, size_t count)
{
	return sum_lanes(data, count);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static uint64_t sum_lanes_avx2(const uint8_t *data, size_t count)
{
	return sum_lanes(data, count);
}

static uint64_t sum_many(const uint8_t *data, size_t count)
{
	return __builtin_cpu_supports("avx2") ? sum_lanes_avx2(data, count) : sum_lanes_anywhere(data, count);
}
#else
static uint64_t sum_many(const uint8_t *data, size_t count)
{
	return sum_lanes_anywhere(data, count);
}
#endif

static uint64_t sum_bytes(const uint8_t *data, size_t length, uint64_t start)
{
	uint64_t sum = start, carry = 0;

	if (length >= 4 * LANES_BYTES) {
		size_t count = length / LANES_BYTES;

		sum = add(sum, sum_many(data, count));
		data += count * LANES_BYTES;
		length -= count * LANES_BYTES;
	}
	for (; length >= 8; data += 8, length -= 8)
		carry += __builtin_add_overflow(sum, load64(data), &sum);
	return add(sum, carry + sum_tail(data, length));
}

uint16_t fyke_checksum_sum(const uint8_t *data, size_t length, uint64_t start)
{
	return fold(sum_bytes(data, length, start));
}

static uint64_t pseudo_sum(const struct fyke_pseudo *pseudo, uint32_t length, uint8_t protocol)
{
	const uint8_t tail[8] = {(uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8),
		(uint8_t)length, 0, 0, 0, protocol};
	const uint8_t *source = pseudo->source, *destination = pseudo->destination;
	uint64_t sum = load64(tail);

	if (pseudo->address_length == 4)
		return add(sum, (uint64_t)load32(source) + load32(destination));
	sum = add(add(sum, load64(source)), load64(source + 8));
	return add(add(sum, load64(destination)), load64(destination + 8));
}

/* Network cards that cut large segments get the pseudo header's sum, some without the length. */
static bool is_partial(
	const uint8_t *field, const struct fyke_pseudo *pseudo, uint32_t length, uint8_t protocol)
{
	uint16_t value;

	memcpy(&value, field, sizeof(value));
	return value == fold(pseudo_sum(pseudo, length, protocol)) ||
	       value == fold(pseudo_sum(pseudo, 0, protocol));
}

enum fyke_checksum fyke_checksum_internet(const uint8_t *data, uint32_t length, const uint8_t *field,
	const struct fyke_pseudo *pseudo, uint8_t protocol)
{
	uint64_t start = pseudo == NULL ? 0 : pseudo_sum(pseudo, length, protocol);

	if (fyke_checksum_sum(data, length, start) == 0xffff)
		return FYKE_CHECKSUM_GOOD;
	if (pseudo != NULL && is_partial(field, pseudo, length, protocol))
		return FYKE_CHECKSUM_PARTIAL;
	return FYKE_CHECKSUM_WRONG;
}

/* The remainders of four bits under the reflected polynomial 0x82f63b78. */
static const uint32_t crc_table[16] = {
	0x00000000,
	0x105ec76f,
	0x20bd8ede,
	0x30e349b1,
	0x417b1dbc,
	0x5125dad3,
	0x61c69362,
	0x7198540d,
	0x82f63b78,
	0x92a8fc17,
	0xa24bb5a6,
	0xb21572c9,
	0xc38d26c4,
	0xd3d3e1ab,
	0xe330a81a,
	0xf36e6f75,
};

static uint32_t crc_bytes(uint32_t crc, const uint8_t *data, size_t length)
{
	for (; length > 0; length--) {
		crc ^= *data++;
		crc = (crc >> 4) ^ crc_table[crc & 15];
		crc = (crc >> 4) ^ crc_table[crc & 15];
	}
	return crc;
}

enum fyke_checksum fyke_checksum_sctp(const uint8_t *data, uint32_t length)
{
	static const uint8_t zero[4];
	struct fyke_cursor c = fyke_cursor(data, length);
	const uint8_t *ports = fyke_cursor_take(&c, 8);
	uint32_t field = fyke_cursor_le32(&c), crc;

	if (!fyke_cursor_ok(&c))
		return FYKE_CHECKSUM_UNKNOWN;
	crc = crc_bytes(0xffffffff, ports, 8);
	crc = crc_bytes(crc, zero, sizeof(zero));
	crc = ~crc_bytes(crc, c.at, fyke_cursor_left(&c));
	return crc == field ? FYKE_CHECKSUM_GOOD : FYKE_CHECKSUM_WRONG;
}
