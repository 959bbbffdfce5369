/* UTF-16LE to UTF-8 (RFC 2781, RFC 3629). */
#include "dissectors/shared/utf16.h"

static size_t encode(uint32_t point, char out[4])
{
	if (point < 0x80) {
		out[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		out[0] = (char)(0xc0 | point >> 6);
		out[1] = (char)(0x80 | (point & 0x3f));
		return 2;
	}
	if (point < 0x10000) {
		out[0] = (char)(0xe0 | point >> 12);
		out[1] = (char)(0x80 | (point >> 6 & 0x3f));
		out[2] = (char)(0x80 | (point & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | point >> 18);
	out[1] = (char)(0x80 | (point >> 12 & 0x3f));
	out[2] = (char)(0x80 | (point >> 6 & 0x3f));
	out[3] = (char)(0x80 | (point & 0x3f));
	return 4;
}

static uint32_t unit_at(const uint8_t *bytes, size_t at)
{
	return (uint32_t)bytes[at] | (uint32_t)bytes[at + 1] << 8;
}

/* The character at *at, which moves behind it. */
static uint32_t point_at(const uint8_t *bytes, size_t length, size_t *at)
{
	uint32_t unit = unit_at(bytes, *at);

	*at += 2;
	if (unit < 0xd800 || unit > 0xdfff)
		return unit;
	if (unit < 0xdc00 && *at + 1 < length) {
		uint32_t low = unit_at(bytes, *at);

		if (low >= 0xdc00 && low <= 0xdfff) {
			*at += 2;
			return 0x10000 + ((unit - 0xd800) << 10 | (low - 0xdc00));
		}
	}
	return 0xfffd;
}

size_t fyke_utf16_text(const uint8_t *bytes, size_t length, bool to_nul, char *out, size_t room)
{
	size_t at = 0, used = 0;

	while (at + 1 < length) {
		uint32_t point = point_at(bytes, length, &at);
		char encoded[4];
		size_t count = encode(point, encoded);

		if ((point == 0 && to_nul) || used + count > room)
			break;
		for (size_t i = 0; i < count; i++)
			out[used++] = encoded[i];
	}
	return used;
}
