/*
 * IPv4 (RFC 791) with its options, and AH inside it (RFC 4302). The header checksum is not looked at:
 * network cards often fill it in later. Of the options only source routes matter here, since they
 * change the pseudo header of a packet that came whole. Fragments go to defrag. A total length beyond
 * the end of the frame, or of the tunnel around it, counts up to there.
 */
#include "analyzer/decode/layers.h"

#include <string.h>

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_LSRR = 131, OPTION_SSRR = 137, PROTOCOL_AH = 51, AH_MAX = 8 };

struct header {
	unsigned version, length;
	uint16_t total, id, fragment;
	uint8_t ttl, protocol;
	const uint8_t *source, *destination;
};

static inline void read_header(struct header *header, const uint8_t start[20])
{
	/* Reads from a run of known length cost no checks. */
	struct fyke_cursor c = fyke_cursor(start, 20);
	uint8_t first = fyke_cursor_u8(&c);

	header->version = first >> 4;
	header->length = (first & 15u) * 4;
	fyke_cursor_skip(&c, 1);
	header->total = fyke_cursor_u16(&c);
	header->id = fyke_cursor_u16(&c);
	header->fragment = fyke_cursor_u16(&c);
	header->ttl = fyke_cursor_u8(&c);
	header->protocol = fyke_cursor_u8(&c);
	fyke_cursor_skip(&c, 2);
	header->source = fyke_cursor_take(&c, 4);
	header->destination = fyke_cursor_take(&c, 4);
}

/* The last address of a source route that has not ended, else NULL. */
static const uint8_t *route_end(struct fyke_cursor options)
{
	while (fyke_cursor_ok(&options) && fyke_cursor_left(&options) > 0) {
		uint8_t kind = fyke_cursor_u8(&options);
		uint8_t length, pointer;
		struct fyke_cursor body;

		if (kind == OPTION_END)
			break;
		if (kind == OPTION_NOP)
			continue;
		length = fyke_cursor_u8(&options);
		if (length < 2)
			break;
		body = fyke_cursor_carve(&options, length - 2u);
		if (kind != OPTION_LSRR && kind != OPTION_SSRR)
			continue;
		pointer = fyke_cursor_u8(&body);
		if (length < 7 || pointer > length || !fyke_cursor_ok(&body))
			break;
		fyke_cursor_skip(&body, fyke_cursor_left(&body) - 4);
		return fyke_cursor_take(&body, 4);
	}
	return NULL;
}

/* fyke_address_ipv4 in place: this is done twice a packet. */
static void set_address(struct fyke_address *address, const uint8_t *bytes)
{
	uint64_t words[2] = {0};

	memcpy(words, bytes, 4);
	memcpy(address->bytes, words, sizeof(words));
	address->family = FYKE_ADDRESS_IPV4;
}

static void fill(struct fyke_packet *packet, const struct header *header, uint32_t total, bool overstated)
{
	set_address(&packet->source, header->source);
	set_address(&packet->destination, header->destination);
	packet->protocol = header->protocol;
	packet->ttl = header->ttl;
	packet->ip_id = header->id;
	packet->dont_fragment = (header->fragment & 0x4000) != 0;
	packet->ip_bytes = total;
	packet->is_overstated = overstated;
}

static enum fyke_refusal keep_fragment(
	struct fyke_walk *walk, const struct fyke_span *span, const struct header *header, uint32_t total)
{
	struct fyke_fragment *fragment = &walk->decoded->fragment;
	uint32_t length = fyke_span_length(span);

	fragment->id = header->id;
	fragment->offset = (header->fragment & 0x1fffu) * 8;
	fragment->more = (header->fragment & 0x2000) != 0;
	if (length == 0 || (span->overstated && fragment->offset > 0) || length > 0xffff - header->length ||
		fragment->offset > 0xffff - header->length - length)
		return FYKE_REFUSAL_FRAGMENT_BAD;
	fyke_walk_packet_init(walk, &fragment->packet);
	fill(&fragment->packet, header, total, span->overstated);
	fragment->next_header = header->protocol;
	fragment->data = span->in.at;
	fragment->length = length;
	fragment->captured = fyke_span_captured(span);
	walk->decoded->has_fragment = true;
	return FYKE_REFUSAL_NONE;
}

enum fyke_refusal fyke_ipv4_authentication(struct fyke_span *span, uint8_t *protocol)
{
	for (int i = 0; *protocol == PROTOCOL_AH; i++) {
		struct fyke_span ahead = *span;
		uint8_t next = fyke_cursor_u8(&ahead.in);
		uint32_t length = (fyke_cursor_u8(&ahead.in) + 2u) * 4;

		if (length < 12 || i == AH_MAX)
			return FYKE_REFUSAL_EXTENSION_BAD;
		/* A cut AH stays what the packet is known to be. */
		if (!fyke_cursor_skip(&ahead.in, length - 2))
			return FYKE_REFUSAL_NONE;
		*span = ahead;
		*protocol = next;
	}
	return FYKE_REFUSAL_NONE;
}

static enum fyke_refusal decode_payload(struct fyke_walk *walk, struct fyke_span *span,
	const struct header *header, uint32_t total, const uint8_t *final)
{
	struct fyke_pseudo pseudo = {header->source, final != NULL ? final : header->destination, 4};
	uint8_t protocol = header->protocol;
	struct fyke_packet *packet;
	enum fyke_refusal refusal;

	if ((header->fragment & 0x3fff) != 0)
		return keep_fragment(walk, span, header, total);
	refusal = fyke_ipv4_authentication(span, &protocol);
	if (refusal != FYKE_REFUSAL_NONE)
		return refusal;
	packet = fyke_walk_packet(walk);
	fill(packet, header, total, span->overstated);
	return fyke_decode_ip_payload(walk, span, packet, protocol, &pseudo);
}

enum fyke_refusal fyke_decode_ipv4(struct fyke_walk *walk, struct fyke_span *span)
{
	uint32_t length = fyke_span_length(span), total;
	const uint8_t *start, *final = NULL;
	struct header header;

	if (fyke_cursor_left(&span->in) < 20)
		return fyke_cursor_left(&span->in) > 0 && fyke_span_peek(span) >> 4 != 4
			       ? FYKE_REFUSAL_IP_BAD
			       : FYKE_REFUSAL_IP_SHORT;
	start = fyke_cursor_take(&span->in, 20);
	read_header(&header, start);
	total = header.total;
	if (walk->first_layer + walk->decoded->count >= FYKE_LAYERS_MAX)
		return FYKE_REFUSAL_TOO_DEEP;
	/* Segmentation offload: the card would have filled the length in. */
	if (total == 0)
		total = length;
	if (header.version != 4 || header.length < 20 || total < header.length)
		return FYKE_REFUSAL_IP_BAD;
	if (header.length > 20) {
		struct fyke_cursor options = fyke_cursor_carve(&span->in, header.length - 20u);

		if (!fyke_cursor_ok(&options))
			return FYKE_REFUSAL_IP_SHORT;
		final = route_end(options);
	}
	total = header.length + fyke_span_state(span, total - header.length);
	return decode_payload(walk, span, &header, total, final);
}

enum fyke_refusal fyke_decode_ip(struct fyke_walk *walk, struct fyke_span *span)
{
	if (fyke_cursor_left(&span->in) == 0)
		return FYKE_REFUSAL_IP_SHORT;
	switch (fyke_span_peek(span) >> 4) {
	case 4:
		return fyke_decode_ipv4(walk, span);
	case 6:
		return fyke_decode_ipv6(walk, span);
	default:
		return FYKE_REFUSAL_IP_BAD;
	}
}
