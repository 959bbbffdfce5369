/* Base64 (RFC 4648 §4). The last group may lack its padding. */
#include "dissectors/shared/base64.h"

static int digit_of(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* The whole bytes of a group. */
static size_t flush(struct fyke_base64 *base64, uint8_t *out)
{
	size_t count = base64->digits > 1 ? base64->digits - 1U : 0;
	uint32_t bits = base64->bits << (6 * (4 - base64->digits));

	for (size_t i = 0; i < count; i++)
		out[i] = (uint8_t)(bits >> (16 - 8 * i));
	base64->digits = 0;
	base64->bits = 0;
	return count;
}

size_t fyke_base64_more(struct fyke_base64 *base64, const void *text, size_t length, uint8_t *out)
{
	const uint8_t *bytes = text;
	size_t written = 0;

	for (size_t i = 0; i < length && !base64->ended; i++) {
		int digit = digit_of(bytes[i]);

		if (bytes[i] == '=') {
			written += flush(base64, out + written);
			base64->ended = true;
		}
		if (digit < 0)
			continue;
		base64->bits = base64->bits << 6 | (uint32_t)digit;
		if (++base64->digits == 4)
			written += flush(base64, out + written);
	}
	return written;
}

bool fyke_base64_decode(const void *text, size_t length, uint8_t *out, size_t room, size_t *out_length)
{
	const uint8_t *bytes = text;
	struct fyke_base64 base64 = {0};
	size_t digits = length;

	*out_length = 0;
	while (digits > 0 && length - digits < 2 && bytes[digits - 1] == '=')
		digits--;
	if (digits % 4 == 1 || digits / 4 * 3 + 3 > room)
		return false;
	for (size_t i = 0; i < digits; i++) {
		if (digit_of(bytes[i]) < 0)
			return false;
	}
	*out_length = fyke_base64_more(&base64, bytes, digits, out);
	*out_length += flush(&base64, out + *out_length);
	return true;
}
