/*
 * Frame Relay: Q.922 addresses of two to four bytes with NLPID encapsulation (RFC 2427) or Cisco's, which
 * puts an EtherType behind the address; multilink Frame Relay (FRF.16) where a frame is whole.
 */
#include "analyzer/decode/layers.h"

enum { EXTENDED = 1, ADDRESS_MAX = 4, UNNUMBERED = 0x03 };
enum { MFR_BEGIN = 0x80, MFR_END = 0x40, MFR_CONTROL = 0x20 };

static bool skip_address(struct fyke_cursor *c)
{
	for (int i = 0; i < ADDRESS_MAX; i++) {
		bool is_last = (fyke_cursor_u8(c) & EXTENDED) != 0;

		if (!fyke_cursor_ok(c))
			return false;
		if (is_last)
			return i > 0;
	}
	return false;
}

enum fyke_refusal fyke_decode_frame_relay(struct fyke_walk *walk, struct fyke_span *span)
{
	struct fyke_cursor ahead;
	uint16_t type;

	if (!skip_address(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	ahead = span->in;
	type = fyke_cursor_u16(&ahead);
	if (!fyke_cursor_ok(&ahead))
		return FYKE_REFUSAL_LINK_SHORT;
	if (type >> 8 != UNNUMBERED) {
		span->in = ahead;
		return fyke_decode_ethertype(walk, span, type);
	}
	fyke_cursor_skip(&span->in, (type & 0xff) == 0 ? 2 : 1);
	return fyke_decode_nlpid(walk, span);
}

enum fyke_refusal fyke_decode_frame_relay_direction(struct fyke_walk *walk, struct fyke_span *span)
{
	fyke_cursor_skip(&span->in, 1);
	return fyke_decode_frame_relay(walk, span);
}

enum fyke_refusal fyke_decode_mfr(struct fyke_walk *walk, struct fyke_span *span)
{
	uint8_t flags = fyke_cursor_u8(&span->in);

	fyke_cursor_skip(&span->in, 1);
	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	if ((flags & MFR_CONTROL) != 0)
		return FYKE_REFUSAL_LINK_CONTROL;
	if ((flags & (MFR_BEGIN | MFR_END)) != (MFR_BEGIN | MFR_END))
		return FYKE_REFUSAL_NETWORK;
	return fyke_decode_frame_relay(walk, span);
}
