/*
 * Link types that put something before or inside Ethernet: tags of switch chips (Marvell DSA and EDSA,
 * Broadcom), preemptible Ethernet (IEEE 802.3br) in whole frames, netANALYZER, DOCSIS data.
 */
#include "analyzer/decode/layers.h"

/* The addresses, then a tag of `tag` bytes, then an EtherType or an 802.3 length. */
static enum fyke_refusal decode_tagged(struct fyke_walk *walk, struct fyke_span *span, uint32_t tag)
{
	uint16_t type;

	walk->destination_mac = fyke_cursor_take(&span->in, 6);
	walk->source_mac = fyke_cursor_take(&span->in, 6);
	fyke_cursor_skip(&span->in, tag);
	type = fyke_cursor_u16(&span->in);
	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	return type > 1500 ? fyke_decode_ethertype(walk, span, type) : fyke_decode_llc(walk, span);
}

/* Both DSA tags end in a VLAN identifier of 12 bits, which takes the place of an 802.1Q tag. */
static enum fyke_refusal decode_dsa(struct fyke_walk *walk, struct fyke_span *span, uint32_t before)
{
	struct fyke_cursor ahead = span->in;
	uint16_t vlan;

	fyke_cursor_skip(&ahead, 12 + before + 2);
	vlan = fyke_cursor_u16(&ahead) & 0xfff;
	if (vlan != 0)
		walk->vlan = (int16_t)vlan;
	return decode_tagged(walk, span, before + 4);
}

enum fyke_refusal fyke_decode_dsa(struct fyke_walk *walk, struct fyke_span *span)
{
	return decode_dsa(walk, span, 0);
}

enum fyke_refusal fyke_decode_edsa(struct fyke_walk *walk, struct fyke_span *span)
{
	return decode_dsa(walk, span, 4);
}

enum fyke_refusal fyke_decode_brcm_tag(struct fyke_walk *walk, struct fyke_span *span)
{
	return decode_tagged(walk, span, 4);
}

enum fyke_refusal fyke_decode_brcm_prepend(struct fyke_walk *walk, struct fyke_span *span)
{
	fyke_cursor_skip(&span->in, 4);
	return fyke_decode_ethernet(walk, span);
}

/* IEEE 802.3-2018 §99: preamble and start delimiter; express and verify frames are whole, the others
 * are fragments. A check sequence ends the frame. */
enum fyke_refusal fyke_decode_mpacket(struct fyke_walk *walk, struct fyke_span *span)
{
	uint8_t delimiter;

	fyke_cursor_skip(&span->in, 7);
	delimiter = fyke_cursor_u8(&span->in);
	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	if (delimiter != 0xd5)
		return delimiter == 0x07 || delimiter == 0x19 ? FYKE_REFUSAL_LINK_CONTROL
							      : FYKE_REFUSAL_NETWORK;
	fyke_span_shorten(span, 4);
	return fyke_decode_ethernet(walk, span);
}

enum fyke_refusal fyke_decode_netanalyzer(struct fyke_walk *walk, struct fyke_span *span)
{
	fyke_cursor_skip(&span->in, 4);
	fyke_span_shorten(span, 4);
	return fyke_decode_ethernet(walk, span);
}

enum fyke_refusal fyke_decode_netanalyzer_transparent(struct fyke_walk *walk, struct fyke_span *span)
{
	fyke_cursor_skip(&span->in, 12);
	fyke_span_shorten(span, 4);
	return fyke_decode_ethernet(walk, span);
}

/* Data frames (type 0) hold Ethernet behind the header, its extension and a check sequence. */
enum fyke_refusal fyke_decode_docsis(struct fyke_walk *walk, struct fyke_span *span)
{
	uint8_t control = fyke_cursor_u8(&span->in), parameter = fyke_cursor_u8(&span->in);

	fyke_cursor_skip(&span->in, 2 + ((control & 1) != 0 ? parameter : 0u) + 2);
	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	if (control >> 6 != 0)
		return FYKE_REFUSAL_LINK_CONTROL;
	return fyke_decode_ethernet(walk, span);
}
