/* Filters of LDAP's searches as text (RFC 4515). */
#include "dissectors/shared/ldap.h"

#include <stdio.h>

enum { DEPTH_MAX = 16, PARTS_MAX = 64 };
enum {
	AND = 0xa0,
	OR = 0xa1,
	NOT = 0xa2,
	EQUAL = 0xa3,
	SUBSTRINGS = 0xa4,
	GREATER = 0xa5,
	LESS = 0xa6,
	PRESENT = 0x87,
	APPROXIMATE = 0xa8,
	EXTENSIBLE = 0xa9
};

struct writer {
	struct fyke_dissection *dissection;
	struct fyke_text *text;
	unsigned parts;
};

static void put(struct writer *writer, const char *bytes, size_t length)
{
	fyke_append(writer->dissection, writer->text, bytes, length, FYKE_LDAP_FILTER);
}

/* Bytes that are special in a filter, or no text at all, as \xx (RFC 4515 §3). */
static void put_value(struct writer *writer, const struct fyke_cursor *value)
{
	for (const uint8_t *at = value->at; at < value->end && writer->text->length < FYKE_LDAP_FILTER;
		at++) {
		char escaped[4];

		if (*at >= 0x20 && *at != '(' && *at != ')' && *at != '*' && *at != '\\' && *at != 0x7f) {
			put(writer, (const char *)at, 1);
			continue;
		}
		(void)snprintf(escaped, sizeof(escaped), "\\%02x", *at);
		put(writer, escaped, 3);
	}
}

static void put_pair(struct writer *writer, struct fyke_cursor inside, const char *between, size_t length)
{
	struct fyke_asn1 name = {0}, value = {0};

	if (fyke_asn1_next(&inside, &name))
		put_value(writer, &name.inside);
	put(writer, between, length);
	if (fyke_asn1_next(&inside, &value))
		put_value(writer, &value.inside);
}

static void put_substrings(struct writer *writer, struct fyke_cursor inside)
{
	struct fyke_asn1 name = {0}, list, piece;
	bool open = true; /* a star is due before the next piece */

	if (fyke_asn1_next(&inside, &name))
		put_value(writer, &name.inside);
	put(writer, "=", 1);
	if (!fyke_asn1_next(&inside, &list))
		return;
	while (writer->parts++ < PARTS_MAX && fyke_asn1_next(&list.inside, &piece)) {
		if (piece.tag != FYKE_ASN1_CONTEXT)
			put(writer, "*", 1);
		put_value(writer, &piece.inside);
		open = piece.tag != (FYKE_ASN1_CONTEXT | 2);
	}
	if (open)
		put(writer, "*", 1);
}

/* attribute:dn:rule:=value, each but the value optional. */
static void put_extensible(struct writer *writer, struct fyke_cursor inside)
{
	struct fyke_cursor part;

	if (fyke_asn1_find(&inside, FYKE_ASN1_CONTEXT | 2, &part))
		put_value(writer, &part);
	if (fyke_asn1_find(&inside, FYKE_ASN1_CONTEXT | 4, &part) && fyke_cursor_u8(&part) != 0)
		put(writer, ":dn", 3);
	if (fyke_asn1_find(&inside, FYKE_ASN1_CONTEXT | 1, &part)) {
		put(writer, ":", 1);
		put_value(writer, &part);
	}
	put(writer, ":=", 2);
	if (fyke_asn1_find(&inside, FYKE_ASN1_CONTEXT | 3, &part))
		put_value(writer, &part);
}

static void put_leaf(struct writer *writer, const struct fyke_asn1 *element)
{
	switch (element->tag) {
	case EQUAL:
		put_pair(writer, element->inside, "=", 1);
		break;
	case GREATER:
		put_pair(writer, element->inside, ">=", 2);
		break;
	case LESS:
		put_pair(writer, element->inside, "<=", 2);
		break;
	case APPROXIMATE:
		put_pair(writer, element->inside, "~=", 2);
		break;
	case SUBSTRINGS:
		put_substrings(writer, element->inside);
		break;
	case PRESENT:
		put_value(writer, &element->inside);
		put(writer, "=*", 2);
		break;
	case EXTENSIBLE:
		put_extensible(writer, element->inside);
		break;
	default:
		put(writer, "?", 1);
		break;
	}
}

static void put_filter(struct writer *writer, struct fyke_cursor *c, unsigned depth)
{
	struct fyke_asn1 element;

	if (depth > DEPTH_MAX || writer->parts++ > PARTS_MAX || !fyke_asn1_next(c, &element))
		return;
	put(writer, "(", 1);
	if (element.tag == AND || element.tag == OR || element.tag == NOT) {
		put(writer, element.tag == AND ? "&" : element.tag == OR ? "|" : "!", 1);
		while (writer->parts <= PARTS_MAX && fyke_cursor_ok(&element.inside) &&
			fyke_cursor_left(&element.inside) > 0 && depth < DEPTH_MAX)
			put_filter(writer, &element.inside, depth + 1);
	} else {
		put_leaf(writer, &element);
	}
	put(writer, ")", 1);
}

void fyke_ldap_filter(struct fyke_dissection *dissection, struct fyke_text *text, struct fyke_cursor *c)
{
	struct writer writer = {.dissection = dissection, .text = text};

	put_filter(&writer, c, 0);
}
