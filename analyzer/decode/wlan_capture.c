/* What stands before an 802.11 frame in captures: radiotap, PPI, and the Prism and AVS headers. */
#include "analyzer/decode/layers.h"

enum { RADIOTAP_TSFT = 1, RADIOTAP_FLAGS = 2, RADIOTAP_MORE = 0x80000000u };
enum { FLAG_FCS = 0x10, FLAG_PADDED = 0x20 };
enum { PPI_COMMON = 2, PPI_COMMON_FCS = 0x0001, AVS_MAGIC = 0x80211000u };

static enum fyke_refusal decode_frame(struct fyke_walk *walk, struct fyke_span *span, uint8_t flags)
{
	if ((flags & FLAG_FCS) != 0)
		fyke_span_shorten(span, 4);
	return (flags & FLAG_PADDED) != 0 ? fyke_decode_wlan_padded(walk, span)
					  : fyke_decode_wlan(walk, span);
}

/* `c` begins behind the header's first 8 bytes: only the flags of the first presence word matter. */
static uint8_t radiotap_flags(struct fyke_cursor c, uint32_t present)
{
	uint32_t more = present, at = 8;

	while ((more & RADIOTAP_MORE) != 0 && fyke_cursor_ok(&c)) {
		more = fyke_cursor_le32(&c);
		at += 4;
	}
	if ((present & RADIOTAP_FLAGS) == 0)
		return 0;
	if ((present & RADIOTAP_TSFT) != 0)
		fyke_cursor_skip(&c, (0u - at) % 8 + 8);
	return fyke_cursor_u8(&c);
}

enum fyke_refusal fyke_decode_radiotap(struct fyke_walk *walk, struct fyke_span *span)
{
	struct fyke_cursor fields;
	uint8_t version = fyke_cursor_u8(&span->in);
	uint16_t length;
	uint32_t present;

	fyke_cursor_skip(&span->in, 1);
	length = fyke_cursor_le16(&span->in);
	present = fyke_cursor_le32(&span->in);
	if (version != 0 || length < 8)
		return FYKE_REFUSAL_LINK_SHORT;
	fields = fyke_cursor_carve(&span->in, length - 8u);
	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	return decode_frame(walk, span, radiotap_flags(fields, present));
}

static uint8_t ppi_flags(struct fyke_cursor c)
{
	while (fyke_cursor_ok(&c) && fyke_cursor_left(&c) >= 4) {
		uint16_t type = fyke_cursor_le16(&c), length = fyke_cursor_le16(&c);
		struct fyke_cursor body = fyke_cursor_carve(&c, length);

		if (type != PPI_COMMON)
			continue;
		fyke_cursor_skip(&body, 8);
		return (fyke_cursor_le16(&body) & PPI_COMMON_FCS) != 0 ? FLAG_FCS : 0;
	}
	return 0;
}

enum fyke_refusal fyke_decode_ppi(struct fyke_walk *walk, struct fyke_span *span)
{
	struct fyke_cursor fields;
	uint8_t version = fyke_cursor_u8(&span->in);
	uint16_t length, link_type;

	fyke_cursor_skip(&span->in, 1);
	length = fyke_cursor_le16(&span->in);
	link_type = fyke_link_type_from_dlt(fyke_cursor_le32(&span->in));
	if (version != 0 || length < 8)
		return FYKE_REFUSAL_LINK_SHORT;
	fields = fyke_cursor_carve(&span->in, length - 8u);
	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	if (link_type == 105)
		return decode_frame(walk, span, ppi_flags(fields));
	return fyke_decode_link(walk, span, link_type);
}

enum fyke_refusal fyke_decode_avs(struct fyke_walk *walk, struct fyke_span *span)
{
	uint32_t magic = fyke_cursor_u32(&span->in), length = fyke_cursor_u32(&span->in);

	if ((magic & 0xfffff000u) != AVS_MAGIC || length < 8 || !fyke_cursor_skip(&span->in, length - 8))
		return FYKE_REFUSAL_LINK_SHORT;
	return fyke_decode_wlan(walk, span);
}

/* The length is in the byte order of the machine that captured; some drivers wrote AVS headers. */
enum fyke_refusal fyke_decode_prism(struct fyke_walk *walk, struct fyke_span *span)
{
	struct fyke_span ahead = *span;
	uint32_t code = fyke_cursor_u32(&ahead.in), length = fyke_cursor_le32(&ahead.in);

	if ((code & 0xfffff000u) == AVS_MAGIC)
		return fyke_decode_avs(walk, span);
	if (length > 0xffff)
		length = __builtin_bswap32(length);
	if (length < 8 || !fyke_cursor_skip(&ahead.in, length - 8))
		return FYKE_REFUSAL_LINK_SHORT;
	*span = ahead;
	return fyke_decode_wlan(walk, span);
}
