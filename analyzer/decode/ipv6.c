/*
 * IPv6 (RFC 8200): extension headers, jumbograms (RFC 2675), atomic fragments (RFC 6946), final
 * destinations of routing headers (RFC 8200 §4.4, RFC 6275, RFC 8754) and home addresses (RFC 6275 §6.3).
 * Those are the ends that speak with each other, and the checksum's: packets and sessions have them as
 * Zeek's connections do, where tshark has the addresses of the IPv6 header. Fragments go to defrag. ESP
 * ends the walk. A payload length beyond the end of the frame, or of the tunnel around it, counts up to
 * there. Left out: the final destinations of compressed routing headers (RFC 6554).
 */
#include "analyzer/decode/layers.h"

enum {
	HOP_BY_HOP = 0,
	TCP = 6,
	UDP = 17,
	ROUTING = 43,
	FRAGMENT = 44,
	AUTHENTICATION = 51,
	NO_NEXT = 59,
	DESTINATION = 60,
	MOBILITY = 135,
	HIP = 139,
	SHIM6 = 140,
	EXTENSIONS_MAX = 24,
	OPTION_PAD1 = 0,
	OPTION_JUMBO = 0xc2,
	OPTION_HOME_ADDRESS = 0xc9,
	ROUTING_SOURCE = 0,
	ROUTING_MOBILE = 2,
	ROUTING_SEGMENTS = 4,
};

struct header {
	unsigned version;
	uint16_t payload;
	uint8_t next, hops;
	const uint8_t *source, *destination;
};

static struct header read_header(struct fyke_cursor *from)
{
	const uint8_t *start = fyke_cursor_take(from, 40);
	struct fyke_cursor fixed, *c = &fixed;
	struct header header = {0};

	if (start == NULL)
		return header;
	/* Reads from a run of known length cost no checks. */
	fixed = fyke_cursor(start, 40);
	header.version = fyke_cursor_u32(c) >> 28;
	header.payload = fyke_cursor_u16(c);
	header.next = fyke_cursor_u8(c);
	header.hops = fyke_cursor_u8(c);
	header.source = fyke_cursor_take(c, 16);
	header.destination = fyke_cursor_take(c, 16);
	return header;
}

/* Hop-by-hop and destination options: only what changes lengths or addresses. */
static void read_options(struct fyke_cursor c, struct fyke_extensions *extensions)
{
	while (fyke_cursor_ok(&c) && fyke_cursor_left(&c) > 0) {
		uint8_t kind = fyke_cursor_u8(&c), length;
		struct fyke_cursor body;

		if (kind == OPTION_PAD1)
			continue;
		length = fyke_cursor_u8(&c);
		body = fyke_cursor_carve(&c, length);
		if (kind == OPTION_JUMBO && length == 4)
			extensions->jumbo = fyke_cursor_u32(&body);
		else if (kind == OPTION_HOME_ADDRESS && length == 16)
			extensions->source = fyke_cursor_take(&body, 16);
	}
}

/* `c` begins at the routing type. */
static void read_routing(struct fyke_cursor c, struct fyke_extensions *extensions)
{
	uint8_t type = fyke_cursor_u8(&c), left = fyke_cursor_u8(&c);
	size_t room;
	const uint8_t *final = NULL;

	fyke_cursor_skip(&c, 4);
	room = fyke_cursor_left(&c);
	if (!fyke_cursor_ok(&c) || left == 0 || room < 16)
		return;
	if (type == ROUTING_SEGMENTS) {
		final = fyke_cursor_take(&c, 16);
	} else if ((type == ROUTING_SOURCE || type == ROUTING_MOBILE) && room % 16 == 0 &&
		   left <= room / 16) {
		fyke_cursor_skip(&c, room - 16);
		final = fyke_cursor_take(&c, 16);
	}
	if (final != NULL)
		extensions->destination = final;
}

/* Reads a fragment header; true for a real fragment, false for an atomic one. */
static bool read_fragment(struct fyke_cursor *c, struct fyke_extensions *extensions)
{
	uint16_t field;

	fyke_cursor_skip(c, 1);
	field = fyke_cursor_u16(c);
	extensions->id = fyke_cursor_u32(c);
	extensions->offset = field & 0xfff8u;
	extensions->more = (field & 1) != 0;
	return extensions->offset > 0 || extensions->more;
}

static bool is_extension(uint8_t next)
{
	switch (next) {
	case HOP_BY_HOP:
	case ROUTING:
	case FRAGMENT:
	case AUTHENTICATION:
	case DESTINATION:
	case MOBILITY:
	case HIP:
	case SHIM6:
		return true;
	default:
		return false;
	}
}

/* One extension header; false where it is cut. */
static bool read_extension(struct fyke_cursor *c, uint8_t kind, struct fyke_extensions *extensions)
{
	uint8_t next = fyke_cursor_u8(c), length;
	struct fyke_cursor body;

	if (kind == FRAGMENT) {
		extensions->has_fragment = read_fragment(c, extensions);
	} else {
		length = fyke_cursor_u8(c);
		body = fyke_cursor_carve(c, kind == AUTHENTICATION ? length * 4u + 6 : length * 8u + 6);
		if (kind == HOP_BY_HOP || kind == DESTINATION)
			read_options(body, extensions);
		else if (kind == ROUTING)
			read_routing(body, extensions);
	}
	extensions->protocol = next;
	return fyke_cursor_ok(c);
}

enum fyke_refusal fyke_ipv6_extensions(
	struct fyke_span *span, uint8_t next, bool fragments, struct fyke_extensions *extensions)
{
	*extensions = (struct fyke_extensions){.protocol = next};
	for (int i = 0; is_extension(extensions->protocol); i++) {
		struct fyke_cursor ahead = span->in;
		uint8_t kind = extensions->protocol;

		if (i == EXTENSIONS_MAX)
			return FYKE_REFUSAL_EXTENSION_BAD;
		if (!read_extension(&ahead, kind, extensions))
			return span->cut > 0 ? FYKE_REFUSAL_IP_SHORT : FYKE_REFUSAL_EXTENSION_BAD;
		/* Mobility, HIP and shim6 headers usually end the packet and are what it is about. */
		if (kind >= MOBILITY && extensions->protocol == NO_NEXT) {
			extensions->protocol = kind;
			return FYKE_REFUSAL_NONE;
		}
		span->in = ahead;
		if (extensions->has_fragment && fragments)
			return FYKE_REFUSAL_NONE;
	}
	return FYKE_REFUSAL_NONE;
}

void fyke_ipv6_name_ends(const struct fyke_extensions *extensions, struct fyke_packet *packet)
{
	if (extensions->source != NULL)
		packet->source = fyke_address_ipv6(extensions->source);
	if (extensions->destination != NULL)
		packet->destination = fyke_address_ipv6(extensions->destination);
}

static void fill(struct fyke_packet *packet, const struct header *header,
	const struct fyke_extensions *extensions, uint32_t total)
{
	packet->source = fyke_address_ipv6(header->source);
	packet->destination = fyke_address_ipv6(header->destination);
	fyke_ipv6_name_ends(extensions, packet);
	packet->protocol = extensions->protocol;
	packet->ttl = header->hops;
	packet->ip_id = 0;
	packet->dont_fragment = false;
	packet->ip_bytes = total;
	packet->is_overstated = false;
}

static enum fyke_refusal keep_fragment(struct fyke_walk *walk, const struct fyke_span *span,
	const struct header *header, const struct fyke_extensions *extensions, uint32_t total)
{
	struct fyke_fragment *fragment = &walk->decoded->fragment;
	uint32_t length = fyke_span_length(span);

	if (length == 0 || (span->overstated && extensions->offset > 0) || length > 0xffff ||
		extensions->offset > 0xffff - length ||
		(extensions->more && length % 8 != 0 && !span->overstated))
		return FYKE_REFUSAL_FRAGMENT_BAD;
	fyke_walk_packet_init(walk, &fragment->packet);
	fill(&fragment->packet, header, extensions, total);
	fragment->packet.is_overstated = span->overstated;
	fragment->id = extensions->id;
	fragment->offset = extensions->offset;
	fragment->more = extensions->more;
	fragment->next_header = extensions->protocol;
	fragment->data = span->in.at;
	fragment->length = length;
	fragment->captured = fyke_span_captured(span);
	walk->decoded->has_fragment = true;
	return FYKE_REFUSAL_NONE;
}

/* The length that the header claims, or what it leaves out: a jumbogram's stands in an option that is
 * looked up ahead; segmentation offload leaves it to the network card. */
static uint32_t payload_length(const struct fyke_span *span, const struct header *header)
{
	struct fyke_extensions extensions = {0};
	struct fyke_cursor ahead = span->in;

	if (header->payload > 0)
		return header->payload;
	if (header->next == HOP_BY_HOP && read_extension(&ahead, HOP_BY_HOP, &extensions) &&
		extensions.jumbo > 0xffff)
		return extensions.jumbo <= UINT32_MAX - 40 ? extensions.jumbo : 0;
	if (header->next == TCP || header->next == UDP)
		return fyke_span_length(span);
	return 0;
}

enum fyke_refusal fyke_decode_ipv6(struct fyke_walk *walk, struct fyke_span *span)
{
	struct fyke_span all = *span;
	struct header header = read_header(&span->in);
	struct fyke_extensions extensions;
	struct fyke_packet *packet;
	enum fyke_refusal refusal;
	uint32_t length;

	if (!fyke_cursor_ok(&span->in))
		return fyke_cursor_left(&all.in) > 0 && fyke_span_peek(&all) >> 4 != 6
			       ? FYKE_REFUSAL_IP_BAD
			       : FYKE_REFUSAL_IP_SHORT;
	if (header.version != 6)
		return FYKE_REFUSAL_IP_BAD;
	if (walk->first_layer + walk->decoded->count >= FYKE_LAYERS_MAX)
		return FYKE_REFUSAL_TOO_DEEP;
	length = fyke_span_state(span, payload_length(span, &header));
	refusal = fyke_ipv6_extensions(span, header.next, true, &extensions);
	if (refusal != FYKE_REFUSAL_NONE)
		return refusal;
	if (extensions.has_fragment)
		return keep_fragment(walk, span, &header, &extensions, length + 40);
	packet = fyke_walk_packet(walk);
	fill(packet, &header, &extensions, length + 40);
	packet->is_overstated = span->overstated;
	return fyke_decode_ip_payload(walk, span, packet, extensions.protocol,
		&(struct fyke_pseudo){packet->source.bytes, packet->destination.bytes, 16});
}
