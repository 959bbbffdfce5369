/* The sections of a message, in order (RFC 1035 §4.1). */
#include "dissectors/shared/dns.h"

#include <string.h>
#include <strings.h>

bool fyke_dns_begin(struct fyke_dns_reader *reader, const uint8_t *message, size_t length)
{
	bool netbios = reader->netbios;

	*reader = (struct fyke_dns_reader){.cursor = fyke_cursor(message, length),
		.message = message,
		.length = length,
		.netbios = netbios};
	reader->id = fyke_cursor_u16(&reader->cursor);
	reader->flags = fyke_cursor_u16(&reader->cursor);
	reader->questions = fyke_cursor_u16(&reader->cursor);
	for (int i = 0; i < FYKE_DNS_SECTIONS; i++)
		reader->records[i] = fyke_cursor_u16(&reader->cursor);
	return fyke_cursor_ok(&reader->cursor);
}

bool fyke_dns_next_question(struct fyke_dns_reader *reader, struct fyke_dns_question *question)
{
	struct fyke_phrase name = fyke_phrase(question->text, sizeof(question->text));

	if (!fyke_dns_name(reader, &reader->cursor, &name))
		return false;
	question->length = name.length;
	question->type = fyke_cursor_u16(&reader->cursor);
	question->class = fyke_cursor_u16(&reader->cursor);
	return fyke_cursor_ok(&reader->cursor);
}

/* The section that record number `read` stands in. */
static bool section_of(const struct fyke_dns_reader *reader, enum fyke_dns_section *section)
{
	uint32_t end = 0;

	for (int i = 0; i < FYKE_DNS_SECTIONS; i++) {
		end += reader->records[i];
		if (reader->read < end) {
			*section = (enum fyke_dns_section)i;
			return true;
		}
	}
	return false;
}

bool fyke_dns_next_record(struct fyke_dns_reader *reader, struct fyke_dns_record *record)
{
	struct fyke_phrase owner = fyke_phrase(record->owner, sizeof(record->owner));

	if (!section_of(reader, &record->section))
		return false;
	if (!fyke_dns_name(reader, &reader->cursor, &owner)) {
		fyke_cursor_bad(&reader->cursor);
		return false;
	}
	record->owner_length = owner.length;
	record->type = fyke_cursor_u16(&reader->cursor);
	record->class = fyke_cursor_u16(&reader->cursor);
	record->ttl = fyke_cursor_u32(&reader->cursor);
	record->data = fyke_cursor_carve(&reader->cursor, fyke_cursor_u16(&reader->cursor));
	reader->read++;
	return fyke_cursor_ok(&reader->cursor);
}

bool fyke_dns_class_is_known(uint16_t class)
{
	class &= 0x7fff; /* mDNS: cache flush, unicast answer (RFC 6762 §5.4, §10.2) */
	return class == 1 || class == 3 || class == 4 || class == 254 || class == 255;
}

bool fyke_dns_is_message(const uint8_t *message, size_t length, bool netbios)
{
	struct fyke_dns_reader reader = {.netbios = netbios};
	struct fyke_dns_question question;
	struct fyke_dns_record record;
	uint32_t total;

	if (!fyke_dns_begin(&reader, message, length) || (!netbios && (reader.flags & 0x0040) != 0))
		return false;
	total = (uint32_t)reader.records[0] + reader.records[1] + reader.records[2];
	if (reader.questions + total == 0 || reader.questions * 5U + total * 11U > length)
		return false;
	for (unsigned i = 0; i < reader.questions; i++) {
		if (!fyke_dns_next_question(&reader, &question) || !fyke_dns_class_is_known(question.class) ||
			!fyke_dns_type_is_known(question.type))
			return false;
	}
	while (fyke_dns_next_record(&reader, &record)) {
		if (record.type != FYKE_DNS_OPT && !fyke_dns_class_is_known(record.class))
			return false;
	}
	return reader.read == total && fyke_cursor_left(&reader.cursor) == 0;
}

/* "4.3.2.1" before ".in-addr.arpa" */
static bool reverse_ipv4(const char *name, size_t length, struct fyke_address *address)
{
	uint8_t bytes[4] = {0};
	size_t at = 0;

	for (int i = 3; i >= 0; i--) {
		unsigned number = 0, digits = 0;

		for (; at < length && name[at] >= '0' && name[at] <= '9' && digits < 3; digits++)
			number = number * 10 + (unsigned)(name[at++] - '0');
		if (digits == 0 || number > 255 || (i > 0 && (at >= length || name[at++] != '.')))
			return false;
		bytes[i] = (uint8_t)number;
	}
	*address = fyke_address_ipv4(bytes);
	return at == length;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 32 digits with dots between them before ".ip6.arpa" */
static bool reverse_ipv6(const char *name, size_t length, struct fyke_address *address)
{
	uint8_t bytes[16] = {0};

	if (length != 63)
		return false;
	for (size_t i = 0; i < 32; i++) {
		int digit = hex_digit(name[2 * i]);

		if (digit < 0 || (i < 31 && name[2 * i + 1] != '.'))
			return false;
		bytes[15 - i / 2] |= (uint8_t)(digit << (i % 2 == 0 ? 0 : 4));
	}
	*address = fyke_address_ipv6(bytes);
	return true;
}

bool fyke_dns_reverse(const char *name, size_t length, struct fyke_address *address)
{
	static const char ipv4[] = ".in-addr.arpa", ipv6[] = ".ip6.arpa";
	const size_t tail4 = sizeof(ipv4) - 1, tail6 = sizeof(ipv6) - 1;

	if (length > tail4 && strncasecmp(name + length - tail4, ipv4, tail4) == 0)
		return reverse_ipv4(name, length - tail4, address);
	if (length > tail6 && strncasecmp(name + length - tail6, ipv6, tail6) == 0)
		return reverse_ipv6(name, length - tail6, address);
	return false;
}
