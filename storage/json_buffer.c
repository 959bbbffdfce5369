/* JSON values in memory (json_buffer.h). Text of plain ASCII, nearly all there is, is copied as it stands. */
#include "storage/json_buffer.h"

#include "analyzer/base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fyke_json_buffer_release(struct fyke_json_buffer *buffer)
{
	free(buffer->text);
	*buffer = (struct fyke_json_buffer){.ascii = buffer->ascii};
}

static char *grow(struct fyke_json_buffer *buffer, size_t length)
{
	size_t room = buffer->room == 0 ? 4096 : buffer->room;
	char *text;

	if (buffer->failed)
		return NULL;
	while (room - buffer->length < length)
		room *= 2;
	text = realloc(buffer->text, room);
	if (text == NULL) {
		buffer->failed = true;
		return NULL;
	}
	buffer->text = text;
	buffer->room = room;
	return text + buffer->length;
}

/* Where `length` more bytes fit; NULL when memory is out. */
static inline char *reserve(struct fyke_json_buffer *buffer, size_t length)
{
	if (buffer->room - buffer->length >= length && !buffer->failed)
		return buffer->text + buffer->length;
	return grow(buffer, length);
}

void fyke_json_append(struct fyke_json_buffer *buffer, const char *text, size_t length)
{
	char *out = reserve(buffer, length);

	if (out == NULL)
		return;
	memcpy(out, text, length);
	buffer->length += length;
}

void fyke_json_append_unsigned(struct fyke_json_buffer *buffer, uint64_t value)
{
	static const char pairs[] =
		"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
		"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
		"8081828384858687888990919293949596979899";
	char digits[20];
	size_t at = sizeof(digits);

	for (; value >= 100; value /= 100)
		memcpy(&digits[at -= 2], &pairs[2 * (value % 100)], 2);
	digits[--at] = pairs[2 * value + 1];
	if (value >= 10)
		digits[--at] = pairs[2 * value];
	fyke_json_append(buffer, digits + at, sizeof(digits) - at);
}

void fyke_json_append_integer(struct fyke_json_buffer *buffer, int64_t value)
{
	char *out;

	if (value >= 0 && value < 10 && (out = reserve(buffer, 1)) != NULL) {
		*out = (char)('0' + value); /* most are */
		buffer->length++;
		return;
	}
	if (value < 0)
		fyke_json_append(buffer, "-", 1);
	fyke_json_append_unsigned(buffer, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void fyke_json_append_real(struct fyke_json_buffer *buffer, double value)
{
	char text[40];
	int length = 0;

	if (!isfinite(value)) {
		fyke_json_append(buffer, "null", 4);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		length = snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	fyke_json_append(buffer, text, (size_t)length);
	if (strpbrk(text, ".e") == NULL)
		fyke_json_append(buffer, ".0", 2);
}

/* The code point at p, which is valid UTF-8, and its length. */
static uint32_t code_at(const uint8_t *p, size_t *length)
{
	uint32_t code = p[0];

	*length = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (*length > 1)
		code &= 0xffU >> (*length + 1);
	for (size_t i = 1; i < *length; i++)
		code = code << 6 | (p[i] & 0x3fU);
	return code;
}

static void append_unit(struct fyke_json_buffer *buffer, uint32_t unit)
{
	char text[8];

	fyke_json_append(buffer, text, (size_t)snprintf(text, sizeof(text), "\\u%04x", unit & 0xffff));
}

static void append_escaped(struct fyke_json_buffer *buffer, uint32_t code)
{
	char plain[2] = {'\\', (char)code};

	if (code == '"' || code == '\\') {
		fyke_json_append(buffer, plain, 2);
	} else if (code < 0x10000) {
		append_unit(buffer, code);
	} else {
		append_unit(buffer, 0xd800 + ((code - 0x10000) >> 10));
		append_unit(buffer, 0xdc00 + ((code - 0x10000) & 0x3ff));
	}
}

/* What must not stand in a string as it is, and what a terminal would act on. The input is UTF-8. */
static void append_utf8(struct fyke_json_buffer *buffer, const char *text, size_t length)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t n;

	for (size_t i = 0; i < length; i += n) {
		uint32_t code = code_at(p + i, &n);

		if (code == '"' || code == '\\' || code < 0x20 || (code >= 0x7f && code < 0xa0) ||
			(code >= 0x80 && buffer->ascii))
			append_escaped(buffer, code);
		else
			fyke_json_append(buffer, text + i, n);
	}
}

static void append_any(struct fyke_json_buffer *buffer, const char *bytes, size_t length,
	size_t (*to_utf8)(const void *, size_t, char *, size_t))
{
	char small[512], *large = NULL;
	size_t made = to_utf8(bytes, length, small, sizeof(small));

	if (made < sizeof(small)) {
		append_utf8(buffer, small, made);
		return;
	}
	large = malloc(made + 1);
	if (large == NULL) {
		buffer->failed = true;
		return;
	}
	(void)to_utf8(bytes, length, large, made + 1);
	append_utf8(buffer, large, made);
	free(large);
}

#define EACH(byte) (UINT64_MAX / 0xff * (byte))

/* Bit 7 of each byte that is not printable ASCII, or is a quote or backslash; bytes above such a one may be
 * marked, too. */
static uint64_t special_bytes(uint64_t word)
{
	uint64_t quote = word ^ EACH('"'), slash = word ^ EACH('\\'), delete = word ^ EACH(0x7f);

	return ((word - EACH(0x20)) | (quote - EACH(1)) | (slash - EACH(1)) | (delete - EACH(1)) | word) &
	       EACH(0x80);
}

static bool is_plain(const char *text, size_t length)
{
	uint64_t word, special = 0;

	for (; length >= sizeof(word); text += sizeof(word), length -= sizeof(word)) {
		memcpy(&word, text, sizeof(word));
		special |= special_bytes(word);
	}
	for (; length > 0; text++, length--)
		special |= special_bytes(EACH(' ') ^ (uint64_t)' ' ^ (unsigned char)*text);
	return special == 0;
}

static void append_string(struct fyke_json_buffer *buffer, const char *bytes, size_t length,
	size_t (*to_utf8)(const void *, size_t, char *, size_t))
{
	char *out;

	if (is_plain(bytes, length) && (out = reserve(buffer, length + 2)) != NULL) {
		out[0] = out[length + 1] = '"';
		memcpy(out + 1, bytes, length);
		buffer->length += length + 2;
		return;
	}
	fyke_json_append(buffer, "\"", 1);
	append_any(buffer, bytes, length, to_utf8);
	fyke_json_append(buffer, "\"", 1);
}

void fyke_json_append_string(struct fyke_json_buffer *buffer, const char *bytes, size_t length)
{
	append_string(buffer, bytes, length, fyke_text_utf8);
}

void fyke_json_append_stored(struct fyke_json_buffer *buffer, const char *text, size_t length)
{
	append_string(buffer, text, length, fyke_text_stored);
}

void fyke_json_append_hexadecimal(struct fyke_json_buffer *buffer, const uint8_t *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	char *out = length > SIZE_MAX / 4 ? NULL : reserve(buffer, 2 * length + 2);

	if (out == NULL)
		return;
	*out++ = '"';
	for (size_t i = 0; i < length; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '"';
	buffer->length += 2 * length + 2;
}
