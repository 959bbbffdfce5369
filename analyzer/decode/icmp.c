/*
 * ICMP (RFC 792, 950, 1191, 8335) and ICMPv6 (RFC 4443, 4861, 8335): identifiers of queries, and the
 * packet that an error quotes, as far as it is there. A redirect of IPv6 quotes in an option. A message
 * cut behind its checksum is one all the same.
 */
#include "analyzer/decode/checksum.h"

enum { ICMP = 1, TCP = 6, UDP = 17, DCCP = 33, ICMP6 = 58, SCTP = 132, UDP_LITE = 136 };

static bool has_ports(uint8_t protocol)
{
	return protocol == TCP || protocol == UDP || protocol == DCCP || protocol == SCTP ||
	       protocol == UDP_LITE;
}

static bool is_query(uint8_t type)
{
	return type == 0 || type == 8 || (type >= 13 && type <= 18) || type == 42 || type == 43;
}

static bool is_ipv6_query(uint8_t type)
{
	return type == 128 || type == 129 || type == 160 || type == 161;
}

/* An error about an echo, as traceroute makes them. */
static void read_quoted_icmp(struct fyke_icmp_header *icmp, struct fyke_cursor *c)
{
	uint8_t type = fyke_cursor_u8(c), code = fyke_cursor_u8(c);
	uint16_t id;

	(void)fyke_cursor_skip(c, 2);
	id = fyke_cursor_u16(c);
	if (!fyke_cursor_ok(c))
		return;
	icmp->has_quoted_icmp = true;
	icmp->quoted_type = type;
	icmp->quoted_code = code;
	icmp->has_quoted_id = icmp->quote_protocol == ICMP ? is_query(type) : is_ipv6_query(type);
	icmp->quoted_id = id;
}

static void read_quoted_transport(struct fyke_icmp_header *icmp, struct fyke_cursor *c)
{
	if (icmp->quote_protocol == ICMP || icmp->quote_protocol == ICMP6)
		read_quoted_icmp(icmp, c);
	if (!has_ports(icmp->quote_protocol) || fyke_cursor_left(c) < 4)
		return;
	icmp->quote_source_port = fyke_cursor_u16(c);
	icmp->quote_destination_port = fyke_cursor_u16(c);
}

static void read_ipv4_quote(struct fyke_icmp_header *icmp, struct fyke_span span)
{
	uint8_t first = fyke_cursor_u8(&span.in);
	uint16_t fragment;
	const uint8_t *source, *destination;

	fyke_cursor_skip(&span.in, 5);
	fragment = fyke_cursor_u16(&span.in);
	fyke_cursor_skip(&span.in, 1);
	icmp->quote_protocol = fyke_cursor_u8(&span.in);
	fyke_cursor_skip(&span.in, 2);
	source = fyke_cursor_take(&span.in, 4);
	destination = fyke_cursor_take(&span.in, 4);
	if (!fyke_cursor_ok(&span.in) || first >> 4 != 4 || (first & 15) < 5)
		return;
	icmp->has_quote = true;
	icmp->quote_source = fyke_address_ipv4(source);
	icmp->quote_destination = fyke_address_ipv4(destination);
	if ((fragment & 0x1fff) != 0 || !fyke_cursor_skip(&span.in, (first & 15u) * 4 - 20))
		return;
	if (fyke_ipv4_authentication(&span, &icmp->quote_protocol) == FYKE_REFUSAL_NONE)
		read_quoted_transport(icmp, &span.in);
}

static void read_ipv6_quote(struct fyke_icmp_header *icmp, struct fyke_span span)
{
	uint32_t first = fyke_cursor_u32(&span.in);
	struct fyke_extensions extensions;
	enum fyke_refusal refusal;
	const uint8_t *source, *destination;
	uint8_t next;

	fyke_cursor_skip(&span.in, 2);
	next = fyke_cursor_u8(&span.in);
	fyke_cursor_skip(&span.in, 1);
	source = fyke_cursor_take(&span.in, 16);
	destination = fyke_cursor_take(&span.in, 16);
	if (!fyke_cursor_ok(&span.in) || first >> 28 != 6)
		return;
	refusal = fyke_ipv6_extensions(&span, next, true, &extensions);
	icmp->has_quote = true;
	icmp->quote_source = fyke_address_ipv6(extensions.source != NULL ? extensions.source : source);
	icmp->quote_destination =
		fyke_address_ipv6(extensions.destination != NULL ? extensions.destination : destination);
	icmp->quote_protocol = extensions.protocol;
	if (refusal == FYKE_REFUSAL_NONE && extensions.offset == 0)
		read_quoted_transport(icmp, &span.in);
}

/* RFC 4861 §4.6.3: the redirected header option. */
static void read_redirect_quote(struct fyke_icmp_header *icmp, struct fyke_span span)
{
	fyke_cursor_skip(&span.in, 32);
	while (fyke_cursor_left(&span.in) >= 8) {
		uint8_t kind = fyke_cursor_u8(&span.in);
		uint32_t length = fyke_cursor_u8(&span.in) * 8u;

		if (length == 0)
			return;
		if (kind == 4) {
			fyke_cursor_skip(&span.in, 6);
			read_ipv6_quote(icmp, span);
			return;
		}
		if (!fyke_cursor_skip(&span.in, length - 2))
			return;
	}
}

static bool is_error(uint8_t type)
{
	return (type >= 3 && type <= 5) || type == 11 || type == 12;
}

static void read_ipv4_error(struct fyke_icmp_header *icmp, struct fyke_span rest, uint32_t word)
{
	if (icmp->type == 3 && icmp->code == 4)
		icmp->mtu = word & 0xffff;
	if (is_error(icmp->type))
		read_ipv4_quote(icmp, rest);
}

static void read_ipv6_error(struct fyke_icmp_header *icmp, struct fyke_span rest, uint32_t word)
{
	if (icmp->type == 2)
		icmp->mtu = word;
	if (icmp->type >= 1 && icmp->type <= 4)
		read_ipv6_quote(icmp, rest);
	else if (icmp->type == 137)
		read_redirect_quote(icmp, rest);
}

/* The second word, of which a cut may have left the identifier only, and what an error quotes. */
static void read_rest(struct fyke_icmp_header *icmp, struct fyke_span *span, bool is_ipv6)
{
	uint32_t captured = fyke_span_captured(span);
	uint16_t high = fyke_cursor_u16(&span->in), low = fyke_cursor_u16(&span->in);

	if (captured >= 2)
		icmp->has_id = is_ipv6 ? is_ipv6_query(icmp->type) : is_query(icmp->type);
	if (icmp->has_id) {
		icmp->id = high;
		icmp->sequence = low;
	}
	if (captured < 4) {
		span->in.at = span->in.end;
		span->cut -= span->cut < 4 - captured ? span->cut : 4 - captured;
		return;
	}
	if (is_ipv6)
		read_ipv6_error(icmp, *span, (uint32_t)high << 16 | low);
	else
		read_ipv4_error(icmp, *span, (uint32_t)high << 16 | low);
}

static void check(struct fyke_packet *packet, struct fyke_span all, const struct fyke_pseudo *pseudo)
{
	const uint8_t *data = all.in.at;
	uint32_t length = fyke_span_captured(&all);

	if (all.cut > 0 || all.overstated)
		return;
	fyke_cursor_skip(&all.in, 2);
	packet->checksum = fyke_checksum_internet(
		data, length, all.in.at, packet->kind == FYKE_PACKET_ICMP6 ? pseudo : NULL, ICMP6);
}

void fyke_decode_icmp(struct fyke_packet *packet, struct fyke_span span, const struct fyke_pseudo *pseudo)
{
	struct fyke_span all = span;
	struct fyke_icmp_header *icmp = &packet->icmp;
	uint8_t type = fyke_cursor_u8(&span.in), code = fyke_cursor_u8(&span.in);
	bool is_ipv6 = pseudo->address_length == 16;

	fyke_cursor_skip(&span.in, 2);
	if (!fyke_cursor_ok(&span.in) || is_ipv6 != (packet->protocol == ICMP6))
		return;
	packet->kind = is_ipv6 ? FYKE_PACKET_ICMP6 : FYKE_PACKET_ICMP;
	*icmp = (struct fyke_icmp_header){.type = type, .code = code};
	read_rest(icmp, &span, is_ipv6);
	fyke_packet_payload(packet, &span);
	check(packet, all, pseudo);
}
