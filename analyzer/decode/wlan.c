/*
 * 802.11 data frames (IEEE 802.11-2020 §9.2, §9.3.2): the four address layouts, QoS, HT control, mesh
 * control, LLC, and of an A-MSDU its first part. Left out: the later parts of an A-MSDU (a frame gives
 * one outermost packet) and fragmented frames behind the first. Some access points send the bytes of
 * frame control and sequence to their controller in the other order.
 */
#include "analyzer/decode/layers.h"

enum {
	VERSION = 0x03,
	TYPE_MASK = 0x0c,
	TYPE_DATA = 0x08,
	NO_DATA = 0x40,
	QOS = 0x80, /* first byte */
	TO_DS = 0x01,
	FROM_DS = 0x02,
	PROTECTED = 0x40,
	ORDER = 0x80, /* second byte */
	QOS_AMSDU = 0x80,
	QOS_MESH = 0x01,
};

static void read_addresses(struct fyke_walk *walk, struct fyke_cursor *c, uint8_t flags, uint16_t *sequence)
{
	const uint8_t *first = fyke_cursor_take(c, 6), *second = fyke_cursor_take(c, 6),
		      *third = fyke_cursor_take(c, 6);

	*sequence = fyke_cursor_le16(c);
	walk->destination_mac = (flags & TO_DS) != 0 ? third : first;
	if ((flags & (TO_DS | FROM_DS)) == (TO_DS | FROM_DS))
		walk->source_mac = fyke_cursor_take(c, 6);
	else
		walk->source_mac = (flags & FROM_DS) != 0 ? third : second;
}

/* Address extension mode 1 and 2 carry one or two more addresses. */
static void skip_mesh_control(struct fyke_cursor *c)
{
	uint8_t mode = fyke_cursor_u8(c) & 3;

	fyke_cursor_skip(c, 5 + 6u * mode);
}

static enum fyke_refusal decode_amsdu(struct fyke_walk *walk, struct fyke_span *span, bool mesh)
{
	uint16_t length;

	walk->destination_mac = fyke_cursor_take(&span->in, 6);
	walk->source_mac = fyke_cursor_take(&span->in, 6);
	length = fyke_cursor_u16(&span->in);
	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	fyke_span_limit(span, length);
	if (mesh)
		skip_mesh_control(&span->in);
	return fyke_decode_llc(walk, span);
}

static enum fyke_refusal decode_body(struct fyke_walk *walk, struct fyke_span *span, uint8_t qos, bool mesh)
{
	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	if ((qos & QOS_AMSDU) != 0)
		return decode_amsdu(walk, span, mesh);
	if (mesh)
		skip_mesh_control(&span->in);
	return fyke_decode_llc(walk, span);
}

/* Frame control; `swapped` tells whether its bytes, and then those of the sequence, change places. */
static void read_control(struct fyke_cursor *c, bool *swapped, uint8_t *kind, uint8_t *flags)
{
	uint8_t first = fyke_cursor_u8(c), second = fyke_cursor_u8(c);

	/* The version's bits are zero; flags of a data frame have at least one of To DS and From DS. */
	*swapped = *swapped && (first & VERSION) != 0 && (second & VERSION) == 0;
	*kind = *swapped ? second : first;
	*flags = *swapped ? first : second;
}

enum form { PLAIN, PADDED, TUNNELLED };

static enum fyke_refusal decode_wlan(struct fyke_walk *walk, struct fyke_span *span, enum form form)
{
	const uint8_t *start = span->in.at;
	uint8_t kind, flags, qos = 0, mesh = 0;
	bool swapped = form == TUNNELLED;
	uint16_t sequence;

	read_control(&span->in, &swapped, &kind, &flags);
	if (!fyke_cursor_ok(&span->in))
		return FYKE_REFUSAL_LINK_SHORT;
	if ((kind & TYPE_MASK) != TYPE_DATA || (kind & NO_DATA) != 0)
		return FYKE_REFUSAL_WLAN_CONTROL;
	if ((flags & PROTECTED) != 0)
		return FYKE_REFUSAL_WLAN_PROTECTED;
	fyke_cursor_skip(&span->in, 2);
	read_addresses(walk, &span->in, flags, &sequence);
	if ((kind & QOS) != 0) {
		qos = fyke_cursor_u8(&span->in);
		mesh = fyke_cursor_u8(&span->in) & QOS_MESH;
		if ((flags & ORDER) != 0)
			fyke_cursor_skip(&span->in, 4);
	}
	if (form == PADDED)
		fyke_cursor_skip(&span->in, (size_t)(start - span->in.at) & 3);
	if ((sequence & (swapped ? 15 << 8 : 15)) != 0)
		return FYKE_REFUSAL_LINK_SHORT;
	return decode_body(walk, span, qos, mesh != 0 && (flags & FROM_DS) != 0);
}

enum fyke_refusal fyke_decode_wlan(struct fyke_walk *walk, struct fyke_span *span)
{
	return decode_wlan(walk, span, PLAIN);
}

enum fyke_refusal fyke_decode_wlan_padded(struct fyke_walk *walk, struct fyke_span *span)
{
	return decode_wlan(walk, span, PADDED);
}

enum fyke_refusal fyke_decode_tunnelled_wlan(struct fyke_walk *walk, struct fyke_span *span)
{
	walk->vlan = -1;
	return decode_wlan(walk, span, TUNNELLED);
}
