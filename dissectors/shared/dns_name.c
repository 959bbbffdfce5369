/*
 * Names on the wire: labels and compression pointers (RFC 1035 §4.1.4). Pointers that lead towards the end
 * are followed too, as resolvers do; how many of them a name has is bounded, as is its length.
 */
#include "dissectors/shared/dns.h"

#include <string.h>

enum { WIRE_MAX = 255, LABEL_MAX = 63, NETBIOS_LABEL = 32, JUMPS_MAX = 64 };

/* How many bytes at the front of `bytes` are one character of UTF-8 that is no control; 0 = none. */
static size_t character(const uint8_t *bytes, size_t length)
{
	size_t size = bytes[0] < 0x80 ? 1 : bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : 2;
	uint32_t code;

	if (size == 1)
		return bytes[0] >= 0x20 && bytes[0] != 0x7f;
	if (bytes[0] < 0xc2 || bytes[0] > 0xf4 || size > length)
		return 0;
	code = bytes[0] & (0x7fU >> size);
	for (size_t i = 1; i < size; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (bytes[i] & 0x3fU);
	}
	if (code < 0xa0 || (size == 3 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) ||
		(size == 4 && (code < 0x10000 || code > 0x10ffff)))
		return 0;
	return size;
}

static void escape(struct fyke_phrase *out, uint8_t byte)
{
	fyke_phrase_add(out,
		(const char[]){'\\', (char)('0' + byte / 100), (char)('0' + byte / 10 % 10),
			(char)('0' + byte % 10)},
		4);
}

static void add_label(struct fyke_phrase *out, const uint8_t *label, size_t length)
{
	for (size_t i = 0; i < length;) {
		size_t size = character(label + i, length - i);

		if (label[i] == '.' || label[i] == '\\')
			fyke_phrase_add(out, "\\", 1);
		if (size == 0)
			escape(out, label[i]);
		else
			fyke_phrase_add(out, label + i, size);
		i += size == 0 ? 1 : size;
	}
}

/* "NAME<20>": RFC 1001 §14.1, two letters A to P are one byte; the 16th is the kind of name. */
static bool add_netbios(struct fyke_phrase *out, const uint8_t *label, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t name[NETBIOS_LABEL / 2];
	size_t end = sizeof(name) - 1;

	if (length != NETBIOS_LABEL)
		return false;
	for (size_t i = 0; i < sizeof(name); i++) {
		unsigned high = label[2 * i] - (unsigned)'A', low = label[2 * i + 1] - (unsigned)'A';

		if (high > 15 || low > 15)
			return false;
		name[i] = (uint8_t)(high << 4 | low);
	}
	while (end > 0 && (name[end - 1] == ' ' || name[end - 1] == 0))
		end--;
	add_label(out, name, end);
	fyke_phrase_add(out,
		(const char[]){
			'<', digits[name[sizeof(name) - 1] >> 4], digits[name[sizeof(name) - 1] & 15], '>'},
		4);
	return true;
}

static void say_label(const struct fyke_dns_reader *reader, struct fyke_phrase *out, const uint8_t *label,
	size_t length, bool first)
{
	if (out == NULL)
		return;
	if (!first)
		fyke_phrase_add(out, ".", 1);
	if (!reader->netbios || !first || !add_netbios(out, label, length))
		add_label(out, label, length);
}

/* Goes on where the pointer points that begins with `first`. */
static bool jump(const struct fyke_dns_reader *reader, struct fyke_cursor *c, uint8_t first)
{
	size_t target = (first & 0x3fU) << 8 | fyke_cursor_u8(c);

	if (!fyke_cursor_ok(c) || target >= reader->length)
		return false;
	*c = fyke_cursor(reader->message + target, reader->length - target);
	return true;
}

bool fyke_dns_name(const struct fyke_dns_reader *reader, struct fyke_cursor *cursor, struct fyke_phrase *out)
{
	struct fyke_cursor c = *cursor;
	size_t wire = 0, jumps = 0;
	bool first = true;

	for (;;) {
		uint8_t length = fyke_cursor_u8(&c);
		const uint8_t *label;

		if (length >= 0xc0) {
			if (jumps == 0)
				(void)fyke_cursor_take(cursor, (size_t)(c.at - cursor->at) + 1);
			if (++jumps > JUMPS_MAX || !jump(reader, &c, length))
				return false;
			continue;
		}
		label = fyke_cursor_take(&c, length);
		wire += length + 1U;
		if (label == NULL || length > LABEL_MAX || wire > WIRE_MAX)
			return false;
		if (length == 0)
			break;
		say_label(reader, out, label, length, first);
		first = false;
	}
	if (first && out != NULL)
		fyke_phrase_add(out, ".", 1);
	if (jumps == 0)
		*cursor = c;
	return fyke_cursor_ok(cursor);
}
