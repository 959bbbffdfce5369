/*
 * Linux: cooked captures (LINUX_SLL, LINUX_SLL2) and netfilter's NFLOG, whose attributes come in the
 * byte order of the machine that captured.
 */
#include "analyzer/decode/layers.h"

enum { HARDWARE_ETHERNET = 1, HARDWARE_RADIOTAP = 803, HARDWARE_NETLINK = 824 };
enum { PROTOCOL_8023 = 1, PROTOCOL_8022 = 4, TYPE_FIRST = 0x600 };
enum {
	NFLOG_HEADER = 1,
	NFLOG_HARDWARE = 8,
	NFLOG_PAYLOAD = 9,
	FAMILY_IPV4 = 2,
	FAMILY_BRIDGE = 7,
	FAMILY_IPV6 = 10
};

static enum fyke_refusal decode_protocol(
	struct fyke_walk *walk, struct fyke_span *span, uint16_t hardware, uint16_t protocol)
{
	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	if (hardware == HARDWARE_RADIOTAP)
		return fyke_decode_radiotap(walk, span);
	if (hardware == HARDWARE_NETLINK)
		return FYKE_REFUSAL_NETWORK;
	if (protocol >= TYPE_FIRST)
		return fyke_decode_ethertype(walk, span, protocol);
	if (protocol == PROTOCOL_8022)
		return fyke_decode_llc(walk, span);
	return protocol == PROTOCOL_8023 ? FYKE_REFUSAL_LLC : FYKE_REFUSAL_NETWORK;
}

enum fyke_refusal fyke_decode_sll(struct fyke_walk *walk, struct fyke_span *span)
{
	uint16_t hardware, length;
	const uint8_t *address;

	fyke_cursor_skip(&span->in, 2);
	hardware = fyke_cursor_u16(&span->in);
	length = fyke_cursor_u16(&span->in);
	address = fyke_cursor_take(&span->in, 8);
	if (length == 6)
		walk->source_mac = address;
	return decode_protocol(walk, span, hardware, fyke_cursor_u16(&span->in));
}

enum fyke_refusal fyke_decode_sll2(struct fyke_walk *walk, struct fyke_span *span)
{
	uint16_t protocol = fyke_cursor_u16(&span->in), hardware;
	const uint8_t *address;
	uint8_t length;

	fyke_cursor_skip(&span->in, 6);
	hardware = fyke_cursor_u16(&span->in);
	fyke_cursor_skip(&span->in, 1);
	length = fyke_cursor_u8(&span->in);
	address = fyke_cursor_take(&span->in, 8);
	if (length == 6)
		walk->source_mac = address;
	return decode_protocol(walk, span, hardware, protocol);
}

struct attribute {
	uint16_t type;
	struct fyke_span value;
};

/* Types are small, so their byte order shows. */
static bool next_attribute(struct fyke_span *span, struct attribute *attribute)
{
	uint16_t length = fyke_cursor_le16(&span->in), type = fyke_cursor_le16(&span->in);
	uint32_t captured = fyke_span_captured(span), padding;

	if (!fyke_cursor_ok(&span->in))
		return false;
	if ((type & 0xff) == 0) {
		type = (uint16_t)(type >> 8);
		length = (uint16_t)(length >> 8 | (length & 0xff) << 8);
	}
	if (length < 4)
		return false;
	length = (uint16_t)(length - 4);
	attribute->type = type & 0x7fff;
	attribute->value = *span;
	fyke_span_limit(&attribute->value, length);
	padding = (0u - length) & 3;
	if (!fyke_cursor_skip(&span->in, length < captured ? length : captured))
		return false;
	captured = fyke_span_captured(span);
	return fyke_cursor_skip(&span->in, padding < captured ? padding : captured);
}

static void read_hardware(struct fyke_walk *walk, struct fyke_cursor c)
{
	uint16_t length = fyke_cursor_u16(&c);
	const uint8_t *address;

	fyke_cursor_skip(&c, 2);
	address = fyke_cursor_take(&c, 6);
	if (length == 6 && address != NULL)
		walk->source_mac = address;
}

static enum fyke_refusal decode_logged(
	struct fyke_walk *walk, struct fyke_span *span, uint8_t family, uint16_t type)
{
	switch (family) {
	case FAMILY_IPV4:
		return fyke_decode_ipv4(walk, span);
	case FAMILY_IPV6:
		return fyke_decode_ipv6(walk, span);
	case FAMILY_BRIDGE:
		return fyke_decode_ethertype(walk, span, type);
	default:
		return type != 0 ? fyke_decode_ethertype(walk, span, type) : fyke_decode_ip(walk, span);
	}
}

enum fyke_refusal fyke_decode_nflog(struct fyke_walk *walk, struct fyke_span *span)
{
	uint8_t family = fyke_cursor_u8(&span->in), version = fyke_cursor_u8(&span->in);
	struct attribute attribute;
	uint16_t type = 0;

	fyke_cursor_skip(&span->in, 2);
	if (version != 0)
		return FYKE_REFUSAL_LINK_TYPE;
	while (next_attribute(span, &attribute)) {
		if (attribute.type == NFLOG_PAYLOAD)
			return decode_logged(walk, &attribute.value, family, type);
		if (attribute.type == NFLOG_HEADER)
			type = fyke_cursor_u16(&attribute.value.in);
		else if (attribute.type == NFLOG_HARDWARE)
			read_hardware(walk, attribute.value.in);
	}
	return FYKE_REFUSAL_LINK_SHORT;
}
