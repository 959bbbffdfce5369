/*
 * TCP (RFC 9293 with the options of RFC 7323 and RFC 2018), UDP (RFC 768) and UDP-Lite (RFC 3828),
 * SCTP's common header (RFC 9260), DCCP's ports (RFC 4340). A header that is cut or malformed leaves
 * the packet as OTHER with the IP payload as its payload. No checksum is judged where the IP header's
 * length was not to be believed.
 */
#include "analyzer/decode/checksum.h"

enum {
	OPTION_END = 0,
	OPTION_NOP = 1,
	OPTION_MSS = 2,
	OPTION_SCALE = 3,
	OPTION_SACK_OK = 4,
	OPTION_SACK = 5,
	OPTION_TIME = 8
};
enum { UDP_LITE = 136, CHECKSUM_AT = 16 /* of TCP */ };

static void read_sack(struct fyke_tcp_header *tcp, struct fyke_cursor *body)
{
	while (fyke_cursor_left(body) >= 8) {
		uint32_t left = fyke_cursor_u32(body), right = fyke_cursor_u32(body);

		if (tcp->sack_count == FYKE_SACK_BLOCKS_MAX)
			return;
		tcp->sack[tcp->sack_count].left = left;
		tcp->sack[tcp->sack_count++].right = right;
	}
}

/* False where the option's length is not what it must be. */
static bool read_option(struct fyke_tcp_header *tcp, uint8_t kind, struct fyke_cursor body)
{
	size_t length = fyke_cursor_left(&body);

	switch (kind) {
	case OPTION_MSS:
		tcp->mss = fyke_cursor_u16(&body);
		return length == 2;
	case OPTION_SCALE:
		tcp->window_scale = (int8_t)fyke_cursor_u8(&body);
		if (tcp->window_scale > 14 || tcp->window_scale < 0)
			tcp->window_scale = 14;
		return length == 1;
	case OPTION_SACK_OK:
		tcp->sack_permitted = true;
		return length == 0;
	case OPTION_SACK:
		read_sack(tcp, &body);
		return length > 0 && length % 8 == 0;
	case OPTION_TIME:
		tcp->timestamp_value = fyke_cursor_u32(&body);
		tcp->timestamp_echo = fyke_cursor_u32(&body);
		tcp->has_timestamps = length == 8;
		return length == 8;
	default:
		return true;
	}
}

/* A timestamp alone, filled up to whole words, is what nearly every segment carries (RFC 7323 appendix A). */
static bool read_lone_timestamp(struct fyke_tcp_header *tcp, struct fyke_cursor c)
{
	if (fyke_cursor_left(&c) != 12 || fyke_cursor_u32(&c) != 0x0101080a)
		return false;
	tcp->timestamp_value = fyke_cursor_u32(&c);
	tcp->timestamp_echo = fyke_cursor_u32(&c);
	tcp->has_timestamps = true;
	return true;
}

/* `cut`: the snaplen took the end of the list, which is no fault of the sender's. */
static void read_options(struct fyke_tcp_header *tcp, struct fyke_cursor c, bool cut)
{
	while (fyke_cursor_left(&c) > 0) {
		uint8_t kind = fyke_cursor_u8(&c), length;
		struct fyke_cursor body;

		if (kind == OPTION_END)
			return;
		if (kind == OPTION_NOP)
			continue;
		length = fyke_cursor_u8(&c);
		body = fyke_cursor_carve(&c, length < 2 ? 0 : length - 2u);
		if (!fyke_cursor_ok(&c)) {
			tcp->options_bad = !cut;
			return;
		}
		if (length < 2) {
			tcp->options_bad = true;
			return;
		}
		if (!read_option(tcp, kind, body))
			tcp->options_bad = true;
	}
}

static void read_tcp(struct fyke_tcp_header *tcp, struct fyke_cursor *c)
{
	tcp->sequence = fyke_cursor_u32(c);
	tcp->acknowledgment = fyke_cursor_u32(c);
	tcp->flags = fyke_cursor_u16(c);
	tcp->window = fyke_cursor_u16(c);
	tcp->checksum = fyke_cursor_u16(c);
	tcp->urgent = fyke_cursor_u16(c);
	tcp->mss = 0;
	tcp->window_scale = -1;
	tcp->sack_permitted = false;
	tcp->has_timestamps = false;
	tcp->sack_count = 0;
	tcp->options_bad = false;
	tcp->timestamp_value = 0;
	tcp->timestamp_echo = 0;
}

/* Reads the `length` bytes of options, as far as they are here; returns how many are. */
static uint32_t take_options(struct fyke_tcp_header *tcp, struct fyke_cursor *c, uint32_t length)
{
	uint32_t left = (uint32_t)fyke_cursor_left(c), here = length < left ? length : left;
	struct fyke_cursor list = fyke_cursor_carve(c, here);

	if (!read_lone_timestamp(tcp, list))
		read_options(tcp, list, here < length);
	return here;
}

void fyke_decode_tcp(
	struct fyke_packet *packet, const struct fyke_span *span, const struct fyke_pseudo *pseudo)
{
	uint32_t length = fyke_span_length(span), captured = fyke_span_captured(span), header, here = 20;
	struct fyke_cursor c = fyke_cursor(span->in.at, captured), fixed;
	const uint8_t *start = fyke_cursor_take(&c, 20);
	uint16_t source, destination;

	if (start == NULL)
		return;
	/* Reads from a run of known length cost no checks. */
	fixed = fyke_cursor(start, 20);
	source = fyke_cursor_u16(&fixed);
	destination = fyke_cursor_u16(&fixed);
	read_tcp(&packet->tcp, &fixed);
	header = (uint32_t)(packet->tcp.flags >> 12) * 4;
	if (header < 20 || (header > length && !span->overstated))
		return;
	packet->tcp.flags &= 0x1ff;
	packet->kind = FYKE_PACKET_TCP;
	packet->source_port = source;
	packet->destination_port = destination;
	if (header > 20)
		here += take_options(&packet->tcp, &c, header - 20);
	packet->payload = c.at;
	packet->payload_captured = captured - here;
	packet->payload_length = length > header ? length - header : 0;
	if (span->cut == 0 && !span->overstated)
		packet->checksum =
			fyke_checksum_internet(start, length, start + CHECKSUM_AT, pseudo, packet->protocol);
}

/* UDP-Lite's length field is how many bytes the checksum covers, 0 = all; its pseudo header has the
 * length of the whole packet. */
static void check_udp_lite(struct fyke_packet *packet, const struct fyke_span *span, uint16_t coverage,
	const struct fyke_pseudo *pseudo)
{
	struct fyke_cursor field = span->in;
	uint32_t length = fyke_span_length(span);

	fyke_cursor_skip(&field, 6);
	if (coverage == 0 && span->cut == 0 && !span->overstated)
		packet->checksum = fyke_checksum_internet(span->in.at, length, field.at, pseudo, UDP_LITE);
}

/* A field of zero: the sender made none, over IPv6 too (RFC 6935). */
static void check_udp(struct fyke_packet *packet, const struct fyke_span *span, uint32_t length,
	const struct fyke_pseudo *pseudo)
{
	struct fyke_cursor field = span->in;
	const uint8_t *at;

	fyke_cursor_skip(&field, 6);
	at = field.at;
	if (fyke_cursor_u16(&field) != 0 && length <= fyke_span_captured(span))
		packet->checksum = fyke_checksum_internet(span->in.at, length, at, pseudo, packet->protocol);
}

bool fyke_decode_udp(struct fyke_packet *packet, struct fyke_span *span, const struct fyke_pseudo *pseudo)
{
	struct fyke_span all = *span;
	uint16_t source = fyke_cursor_u16(&span->in), destination = fyke_cursor_u16(&span->in);
	uint32_t length = fyke_cursor_u16(&span->in), ip_length = fyke_span_length(&all);

	fyke_cursor_skip(&span->in, 2);
	if (!fyke_cursor_ok(&span->in) || ip_length < 8)
		return false;
	if (packet->protocol == UDP_LITE) {
		if (length != 0 && (length < 8 || length > ip_length))
			return false;
		check_udp_lite(packet, &all, (uint16_t)length, pseudo);
	} else {
		/* RFC 2675 §4: zero in a jumbogram; segmentation offload may leave zero too. */
		if (length == 0)
			length = ip_length;
		if (length < 8)
			return false;
		check_udp(packet, &all, length, pseudo);
		fyke_span_limit(span, length - 8);
	}
	packet->kind = FYKE_PACKET_UDP;
	packet->source_port = source;
	packet->destination_port = destination;
	fyke_packet_payload(packet, span);
	return true;
}

void fyke_decode_sctp(struct fyke_packet *packet, struct fyke_span span)
{
	struct fyke_span all = span;
	uint16_t source = fyke_cursor_u16(&span.in), destination = fyke_cursor_u16(&span.in);

	fyke_cursor_skip(&span.in, 8);
	if (!fyke_cursor_ok(&span.in))
		return;
	packet->kind = FYKE_PACKET_SCTP;
	packet->source_port = source;
	packet->destination_port = destination;
	fyke_packet_payload(packet, &span);
	if (all.cut == 0 && !all.overstated)
		packet->checksum = fyke_checksum_sctp(all.in.at, fyke_span_captured(&all));
}

void fyke_decode_dccp(struct fyke_packet *packet, struct fyke_span span)
{
	uint16_t source = fyke_cursor_u16(&span.in), destination = fyke_cursor_u16(&span.in);
	uint32_t header = fyke_cursor_u8(&span.in) * 4u;

	/* The short header has 12 bytes, and the data offset counts from its start. */
	if (header < 12 || !fyke_cursor_skip(&span.in, header - 5))
		return;
	packet->source_port = source;
	packet->destination_port = destination;
	fyke_packet_payload(packet, &span);
}
