/* IP over ATM (RFC 2684, RFC 2225): LLC, routed NLPID or IP without a header; SunATM's LANE frames. */
#include "analyzer/decode/layers.h"

enum { SUNATM_LANE = 1, SUNATM_LLC = 2 };

enum fyke_refusal fyke_decode_atm(struct fyke_walk *walk, struct fyke_span *span)
{
	struct fyke_cursor ahead = span->in;
	uint32_t first = fyke_cursor_u24(&ahead);

	if (first == 0xaaaa03 || first == 0xfefe03)
		return fyke_decode_llc(walk, span);
	/* Virtual circuit multiplexing: nothing says what comes, IP shows by itself. */
	switch (first >> 16) {
	case 0x45:
		return fyke_decode_ipv4(walk, span);
	case 0x60:
		return fyke_decode_ipv6(walk, span);
	default:
		return fyke_decode_llc(walk, span);
	}
}

enum fyke_refusal fyke_decode_sunatm(struct fyke_walk *walk, struct fyke_span *span)
{
	uint8_t kind = fyke_cursor_u8(&span->in) & 15;

	fyke_cursor_skip(&span->in, 3);
	if (kind == SUNATM_LLC)
		return fyke_decode_atm(walk, span);
	if (kind != SUNATM_LANE)
		return FYKE_REFUSAL_LINK_CONTROL;
	/* LAN emulation control frames have the identifier 0xff00. */
	if (fyke_cursor_u16(&span->in) == 0xff00)
		return FYKE_REFUSAL_LINK_CONTROL;
	return fyke_decode_ethernet(walk, span);
}
