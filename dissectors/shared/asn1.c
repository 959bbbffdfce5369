/*
 * BER elements (X.690 §8.1): one identifier octet, a definite length of at most four octets, contents.
 */
#include "dissectors/shared/asn1.h"

static size_t read_length(struct fyke_cursor *c)
{
	uint8_t first = fyke_cursor_u8(c);
	size_t length = 0;

	if (first < 0x80)
		return first;
	if (first == 0x80 || first > 0x84) {
		fyke_cursor_bad(c);
		return 0;
	}
	for (unsigned i = first & 0x7fU; i > 0; i--)
		length = length << 8 | fyke_cursor_u8(c);
	return length;
}

static uint8_t read_tag(struct fyke_cursor *c)
{
	uint8_t tag = fyke_cursor_u8(c);

	if ((tag & 0x1f) == 0x1f)
		fyke_cursor_bad(c);
	return tag;
}

bool fyke_asn1_next(struct fyke_cursor *c, struct fyke_asn1 *element)
{
	size_t length;

	if (!fyke_cursor_ok(c) || fyke_cursor_left(c) == 0)
		return false;
	element->tag = read_tag(c);
	length = read_length(c);
	element->inside = fyke_cursor_carve(c, length);
	return fyke_cursor_ok(c);
}

struct fyke_cursor fyke_asn1_enter(struct fyke_cursor *c, uint8_t tag)
{
	struct fyke_asn1 element;

	if (fyke_asn1_next(c, &element) && element.tag == tag)
		return element.inside;
	fyke_cursor_bad(c);
	return (struct fyke_cursor){c->at, c->at, c->fault == FYKE_FAULT_NONE ? FYKE_FAULT_BAD : c->fault};
}

bool fyke_asn1_find(const struct fyke_cursor *c, uint8_t tag, struct fyke_cursor *inside)
{
	struct fyke_cursor walk = *c;
	struct fyke_asn1 element;

	while (fyke_asn1_next(&walk, &element)) {
		if (element.tag == tag) {
			*inside = element.inside;
			return true;
		}
	}
	return false;
}

int64_t fyke_asn1_integer(struct fyke_cursor inside, bool *good)
{
	size_t length = fyke_cursor_left(&inside);
	uint64_t value = 0;

	*good = fyke_cursor_ok(&inside) && length > 0 && length <= 8;
	if (!*good)
		return 0;
	if ((inside.at[0] & 0x80) != 0)
		value = UINT64_MAX;
	for (size_t i = 0; i < length; i++)
		value = value << 8 | fyke_cursor_u8(&inside);
	return (int64_t)value;
}

size_t fyke_asn1_length(const uint8_t *data, size_t length, bool *bad)
{
	struct fyke_cursor c = fyke_cursor(data, length);
	size_t inside;

	(void)read_tag(&c);
	inside = read_length(&c);
	*bad = c.fault == FYKE_FAULT_BAD;
	return fyke_cursor_ok(&c) ? (size_t)(c.at - data) + inside : 0;
}
