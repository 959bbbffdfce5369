/*
 * Headers of QUIC: RFC 8999, RFC 9000 §17, RFC 9369 §3.2. Google's public header until Q043 and its first
 * long header (Q046); Q050 and later have the standard's. Drafts before 22 wrote lengths otherwise: left out.
 */
#include "dissectors/shared/quic_packet.h"

#include <stdio.h>
#include <string.h>

enum {
	VERSION_2 = 0x6b3343cf,
	VERSION_2_DRAFT = 0x709a50c4,
	Q034 = 0x51303334,
	Q046 = 0x51303436,
	HASH = 12,		 /* of Google's packets without encryption */
	INITIAL_DATAGRAM = 1200, /* RFC 9000 §14.1 */
};

static bool is_digit(uint32_t c)
{
	return c >= '0' && c <= '9';
}

/* Q or T, then three digits */
static bool is_googles(uint32_t version, char letter)
{
	return version >> 24 == (uint32_t)letter && is_digit(version >> 16 & 0xff) &&
	       is_digit(version >> 8 & 0xff) && is_digit(version & 0xff);
}

bool fyke_quic_is_google(uint32_t version)
{
	return is_googles(version, 'Q');
}

bool fyke_quic_is_known(uint32_t version)
{
	return version == 1 || version == VERSION_2 || version == VERSION_2_DRAFT ||
	       (version >= 0xff000016 && version <= 0xff000022) ||
	       (version >= 0xfaceb001 && version <= 0xfaceb00e) || is_googles(version, 'Q') ||
	       is_googles(version, 'T');
}

static bool is_reserved(uint32_t version)
{
	return (version & 0x0f0f0f0f) == 0x0a0a0a0a;
}

void fyke_quic_version_name(uint32_t version, char name[FYKE_QUIC_VERSION_NAME])
{
	if (version == 1 || version == VERSION_2)
		(void)snprintf(name, FYKE_QUIC_VERSION_NAME, version == 1 ? "1" : "2");
	else if (version >> 8 == 0xff0000)
		(void)snprintf(name, FYKE_QUIC_VERSION_NAME, "draft-%u", version & 0xffU);
	else if (version >> 4 == 0xfaceb00)
		(void)snprintf(name, FYKE_QUIC_VERSION_NAME, "mvfst-%u", version & 0xfU);
	else if (is_googles(version, 'Q') || is_googles(version, 'T'))
		(void)snprintf(name, FYKE_QUIC_VERSION_NAME, "%c%c%c%c", (char)(version >> 24),
			(char)(version >> 16 & 0xff), (char)(version >> 8 & 0xff), (char)(version & 0xff));
	else
		(void)snprintf(name, FYKE_QUIC_VERSION_NAME, "0x%08x", version);
}

uint64_t fyke_quic_varint(struct fyke_cursor *c)
{
	uint8_t first = fyke_cursor_u8(c);
	uint64_t value = first & 0x3f;

	for (unsigned left = (1U << (first >> 6)) - 1; left > 0; left--)
		value = value << 8 | fyke_cursor_u8(c);
	return fyke_cursor_ok(c) ? value : 0;
}

static struct fyke_cursor read_cid(struct fyke_cursor *c)
{
	uint8_t length = fyke_cursor_u8(c);

	if (length > FYKE_QUIC_CID_MAX)
		fyke_cursor_bad(c);
	return fyke_cursor_carve(c, length);
}

static enum fyke_quic_kind kind_of(uint8_t first, uint32_t version)
{
	static const enum fyke_quic_kind one[] = {
		FYKE_QUIC_INITIAL, FYKE_QUIC_ZERO_RTT, FYKE_QUIC_HANDSHAKE, FYKE_QUIC_RETRY};
	static const enum fyke_quic_kind two[] = {
		FYKE_QUIC_RETRY, FYKE_QUIC_INITIAL, FYKE_QUIC_ZERO_RTT, FYKE_QUIC_HANDSHAKE};
	unsigned type = first >> 4 & 3;

	return version == VERSION_2 || version == VERSION_2_DRAFT ? two[type] : one[type];
}

/* Behind the connection ids: token, length, packet number, payload. */
static void read_rest(struct fyke_cursor *c, const uint8_t *begin, struct fyke_quic_packet *packet)
{
	uint64_t length;

	if (packet->kind == FYKE_QUIC_RETRY) {
		packet->whole = fyke_cursor(begin, (size_t)(c->end - begin));
		c->at = c->end;
		return;
	}
	if (packet->kind == FYKE_QUIC_INITIAL)
		(void)fyke_cursor_skip(c, (size_t)fyke_quic_varint(c));
	length = fyke_quic_varint(c);
	packet->number_at = (size_t)(c->at - begin);
	if (!fyke_cursor_ok(c) || !fyke_cursor_skip(c, (size_t)length))
		c->at = c->end; /* cut: nothing of it can be opened */
	else
		packet->whole = fyke_cursor(begin, (size_t)(c->at - begin));
}

/* Q046: lengths of the ids in one byte, then the id, the packet number, the hash, frames */
static void read_q046(struct fyke_cursor *c, uint8_t first, struct fyke_quic_packet *packet)
{
	uint8_t lengths = fyke_cursor_u8(c);

	if (lengths >> 4 != 0)
		packet->dcid = fyke_cursor_carve(c, (size_t)(lengths >> 4) + 3);
	if ((lengths & 15) != 0)
		packet->scid = fyke_cursor_carve(c, (size_t)(lengths & 15) + 3);
	(void)fyke_cursor_skip(c, (size_t)(first & 3) + 1 + HASH);
	packet->kind = fyke_cursor_ok(c) ? FYKE_QUIC_GOOGLE : FYKE_QUIC_NONE;
	packet->frames = fyke_cursor_carve(c, fyke_cursor_left(c));
}

/* Until Q043: flags, id, version, packet number, hash, frames; only packets with a version are of interest */
static void read_google(struct fyke_cursor *c, uint8_t flags, struct fyke_quic_packet *packet)
{
	static const uint8_t number_lengths[] = {1, 2, 4, 6};

	packet->dcid = fyke_cursor_carve(c, 8);
	packet->version = fyke_cursor_u32(c);
	(void)fyke_cursor_skip(c, (size_t)number_lengths[flags >> 4 & 3] + HASH);
	if (packet->version < Q034)
		(void)fyke_cursor_u8(c); /* private flags */
	packet->kind =
		fyke_cursor_ok(c) && is_googles(packet->version, 'Q') ? FYKE_QUIC_GOOGLE : FYKE_QUIC_NONE;
	packet->frames = fyke_cursor_carve(c, fyke_cursor_left(c));
}

static void read_long(struct fyke_cursor *c, const uint8_t *begin, struct fyke_quic_packet *packet)
{
	uint8_t first = begin[0];

	packet->version = fyke_cursor_u32(c);
	if (packet->version >> 8 == Q046 >> 8 && packet->version <= Q046) {
		read_q046(c, first, packet);
		return;
	}
	packet->dcid = read_cid(c);
	packet->scid = read_cid(c);
	if (!fyke_cursor_ok(c))
		return;
	if (packet->version == 0) {
		packet->kind = FYKE_QUIC_NEGOTIATION;
		packet->whole = fyke_cursor_carve(c, fyke_cursor_left(c));
		return;
	}
	packet->kind = kind_of(first, packet->version);
	read_rest(c, begin, packet);
}

struct fyke_quic_packet fyke_quic_read(struct fyke_cursor *datagram)
{
	struct fyke_quic_packet packet = {.kind = FYKE_QUIC_NONE};
	const uint8_t *begin = datagram->at;
	uint8_t first = fyke_cursor_u8(datagram);
	struct fyke_cursor old = *datagram;

	if (!fyke_cursor_ok(datagram))
		return packet;
	if ((first & 0x80) != 0) {
		read_long(datagram, begin, &packet);
	} else if ((first & 0xc9) == 0x09) {
		read_google(&old, first, &packet);
	}
	if (packet.kind == FYKE_QUIC_NONE && (first & 0xc0) == 0x40)
		packet.kind = FYKE_QUIC_SHORT;
	if (packet.kind == FYKE_QUIC_NONE || packet.kind == FYKE_QUIC_SHORT ||
		packet.kind == FYKE_QUIC_GOOGLE)
		datagram->at = datagram->end;
	return packet;
}

/* ---- the probe ---- */

static bool lists_known_version(struct fyke_cursor versions)
{
	if (fyke_cursor_left(&versions) % 4 != 0)
		return false;
	while (fyke_cursor_left(&versions) >= 4) {
		if (fyke_quic_is_known(fyke_cursor_u32(&versions)))
			return true;
	}
	return false;
}

static enum fyke_match look_at(const uint8_t *data, size_t length)
{
	struct fyke_cursor c = fyke_cursor(data, length);
	struct fyke_quic_packet packet;

	if (length < 14 || ((data[0] & 0x80) == 0 && (data[0] & 0xc9) != 0x09))
		return FYKE_NO;
	packet = fyke_quic_read(&c);
	if (packet.kind == FYKE_QUIC_NONE || packet.kind == FYKE_QUIC_SHORT)
		return FYKE_NO;
	if (packet.kind == FYKE_QUIC_NEGOTIATION)
		return lists_known_version(packet.whole) ? FYKE_YES : FYKE_NO;
	if (packet.kind != FYKE_QUIC_GOOGLE && (data[0] & 0x40) == 0)
		return FYKE_NO;
	if (fyke_quic_is_known(packet.version))
		return FYKE_YES;
	return is_reserved(packet.version) && length >= INITIAL_DATAGRAM ? FYKE_YES : FYKE_NO;
}

enum fyke_match fyke_quic_probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		if (look_at(opening->side[side].data, opening->side[side].length) == FYKE_YES)
			return FYKE_YES;
	}
	return FYKE_NO;
}
