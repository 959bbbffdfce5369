/*
 * Pseudo headers of other systems: NULL and LOOP, OpenBSD's ENC and pflog, Solaris' ipnet, Apple's
 * packet tap, and SLIP as libpcap writes it. Address families are those of the system that captured,
 * in its byte order.
 */
#include "analyzer/decode/layers.h"

static enum fyke_refusal decode_family(struct fyke_walk *walk, struct fyke_span *span, uint32_t family)
{
	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2:
		return fyke_decode_ipv4(walk, span);
	case 10: /* Linux */
	case 23: /* Windows */
	case 24: /* NetBSD, OpenBSD */
	case 26: /* Solaris */
	case 28: /* FreeBSD */
	case 30: /* macOS */
		return fyke_decode_ipv6(walk, span);
	default:
		return FYKE_REFUSAL_NETWORK;
	}
}

/* The small number is the right byte order: read as the wrong one, the family is 2^24 and more. */
enum fyke_refusal fyke_decode_null(struct fyke_walk *walk, struct fyke_span *span)
{
	return decode_family(walk, span, fyke_cursor_u32(&span->in));
}

enum fyke_refusal fyke_decode_enc(struct fyke_walk *walk, struct fyke_span *span)
{
	uint32_t family = fyke_cursor_u32(&span->in);

	fyke_cursor_skip(&span->in, 8);
	return decode_family(walk, span, family);
}

enum fyke_refusal fyke_decode_pflog(struct fyke_walk *walk, struct fyke_span *span)
{
	uint32_t length = fyke_cursor_u8(&span->in);
	uint8_t family = fyke_cursor_u8(&span->in);

	if (length < 4)
		return FYKE_REFUSAL_LINK_SHORT;
	/* The length leaves the padding to a word out. */
	fyke_cursor_skip(&span->in, ((length + 3) & ~3u) - 2);
	return decode_family(walk, span, family);
}

enum fyke_refusal fyke_decode_ipnet(struct fyke_walk *walk, struct fyke_span *span)
{
	uint8_t family;

	fyke_cursor_skip(&span->in, 1);
	family = fyke_cursor_u8(&span->in);
	fyke_cursor_skip(&span->in, 22);
	return decode_family(walk, span, family);
}

enum fyke_refusal fyke_decode_pktap(struct fyke_walk *walk, struct fyke_span *span)
{
	struct fyke_span all = *span;
	uint32_t length = fyke_cursor_le32(&span->in), dlt;

	fyke_cursor_skip(&span->in, 4);
	dlt = fyke_cursor_le32(&span->in);
	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	/* Also what tells it from other uses of the user-defined link type. */
	if (length < 108 || length > 4096 || dlt > 0xffff)
		return FYKE_REFUSAL_LINK_TYPE;
	*span = all;
	if (!fyke_cursor_skip(&span->in, length))
		return FYKE_REFUSAL_LINK_SHORT;
	return fyke_decode_link(walk, span, fyke_link_type_from_dlt(dlt));
}

enum fyke_refusal fyke_decode_slip(struct fyke_walk *walk, struct fyke_span *span)
{
	if (!fyke_cursor_skip(&span->in, 16))
		return FYKE_REFUSAL_LINK_SHORT;
	return fyke_decode_ip(walk, span);
}
