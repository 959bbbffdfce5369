/*
 * CAPWAP data (RFC 5415 §4.3): what access points and their controllers forward, as 802.3 or 802.11 frames
 * (RFC 5416). Left out: what DTLS encrypts, and fragments behind the first.
 */
#include "analyzer/decode/layers.h"

enum {
	LENGTH_SHIFT = 19,
	BINDING_SHIFT = 9,
	FIELD = 0x1f,
	BINDING_WLAN = 1,
	NATIVE = 0x100, /* a frame of the binding's, not 802.3 */
	FRAGMENT = 0x80,
	KEEP_ALIVE = 0x08,
	RESERVED = 0x07,
	HEADER = 8,
};

enum fyke_refusal fyke_decode_capwap(struct fyke_walk *walk, struct fyke_span *span)
{
	struct fyke_span ahead = *span;
	uint8_t preamble = fyke_cursor_u8(&ahead.in);
	uint32_t word = fyke_cursor_u24(&ahead.in), length = (word >> LENGTH_SHIFT) * 4, offset;

	fyke_cursor_skip(&ahead.in, 2);
	offset = fyke_cursor_u16(&ahead.in);
	/* Version 0 and type 0, which is not DTLS. */
	if (!fyke_cursor_ok(&ahead.in) || preamble != 0 || (word & RESERVED) != 0 ||
		(offset & RESERVED) != 0 || length < HEADER || !fyke_cursor_skip(&ahead.in, length - HEADER))
		return FYKE_REFUSAL_NONE;
	if ((word & KEEP_ALIVE) != 0)
		return FYKE_REFUSAL_LINK_CONTROL;
	if ((word & FRAGMENT) != 0 && offset != 0)
		return FYKE_REFUSAL_LINK_SHORT;
	fyke_walk_tunnel(walk, FYKE_TUNNEL_CAPWAP, 0, false);
	if ((word & NATIVE) == 0)
		return fyke_decode_tunnelled_ethernet(walk, &ahead);
	if ((word >> BINDING_SHIFT & FIELD) != BINDING_WLAN)
		return FYKE_REFUSAL_NETWORK;
	return fyke_decode_tunnelled_wlan(walk, &ahead);
}
