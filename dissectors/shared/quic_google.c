/*
 * Google's "QUIC Crypto" (revision of 2016): a message is a tag, the number of values, then for each a tag
 * and where its value ends, then the values. Numbers are little-endian.
 */
#include "dissectors/shared/quic_google.h"

#include <string.h>

enum { VALUES_MAX = 128 };

static bool is_tag(const uint8_t *at, const char tag[4])
{
	return at != NULL && memcmp(at, tag, 4) == 0;
}

bool fyke_quic_google_hello(struct fyke_cursor message, struct fyke_quic_google *hello)
{
	const uint8_t *tag = fyke_cursor_take(&message, 4);
	uint16_t count = fyke_cursor_le16(&message);
	struct fyke_cursor index;
	uint32_t begin = 0;

	*hello = (struct fyke_quic_google){0};
	(void)fyke_cursor_skip(&message, 2);
	index = fyke_cursor_carve(&message, (size_t)count * 8);
	if (!is_tag(tag, "CHLO") || count > VALUES_MAX || !fyke_cursor_ok(&message))
		return false;
	while (fyke_cursor_left(&index) > 0) {
		uint32_t end;
		struct fyke_cursor value;

		tag = fyke_cursor_take(&index, 4);
		end = fyke_cursor_le32(&index);
		if (end < begin)
			return false;
		value = fyke_cursor_carve(&message, end - begin);
		if (!fyke_cursor_ok(&message))
			break;
		begin = end;
		if (is_tag(tag, "SNI\0"))
			hello->name = value;
		else if (is_tag(tag, "UAID"))
			hello->user_agent = value;
	}
	return true;
}

/* Bits of a stream frame's type: 1 fin length offset(3) stream(2). Its length is not needed: the message has
 * its own, and early versions wrote it the other way round. */
struct fyke_cursor fyke_quic_google_stream(struct fyke_cursor frames)
{
	uint8_t type = 0;
	unsigned offset_bits;

	while (fyke_cursor_left(&frames) > 0 && type == 0)
		type = fyke_cursor_u8(&frames); /* padding */
	if ((type & 0x80) == 0)
		return fyke_cursor(NULL, 0);
	(void)fyke_cursor_skip(&frames, (size_t)(type & 3) + 1);
	offset_bits = type >> 2 & 7;
	(void)fyke_cursor_skip(&frames, offset_bits == 0 ? 0 : offset_bits + 1);
	(void)fyke_cursor_skip(&frames, (type & 0x20) != 0 ? 2 : 0);
	return fyke_cursor_carve(&frames, fyke_cursor_left(&frames));
}
