/*
 * The values of records in presentation form. Each type has a line of letters, one a field (dns_types.c):
 *
 *   1 2 4   number of so many bytes      n  name            s  character-string in quotes
 *   a 6     IPv4, IPv6 address           t  type            T  strings to the end, in quotes
 *   x b     rest in hex, in base64       d  time            q  rest as one string in quotes
 *   h S     counted bytes: hex, base32   m  bitmap of types
 *   c       counted bytes as they are    v  parameters of a service (RFC 9460 §2.1)
 *
 * A type without a line, and data that does not fit its line, is written as RFC 3597 §5 has it.
 */
#include "dissectors/shared/dns.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void quote(struct fyke_phrase *out, const uint8_t *bytes, size_t length)
{
	fyke_phrase_add(out, "\"", 1);
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '"' || bytes[i] == '\\') {
			fyke_phrase_add(out, (const char[]){'\\', (char)bytes[i]}, 2);
		} else if (bytes[i] < 0x20 || bytes[i] == 0x7f) {
			char escape[8];

			fyke_phrase_add(
				out, escape, (size_t)snprintf(escape, sizeof(escape), "\\%03u", bytes[i]));
		} else {
			fyke_phrase_add(out, bytes + i, 1);
		}
	}
	fyke_phrase_add(out, "\"", 1);
}

static void quote_counted(struct fyke_cursor *c, struct fyke_phrase *out)
{
	size_t length = fyke_cursor_u8(c);
	const uint8_t *bytes = fyke_cursor_take(c, length);

	if (bytes != NULL)
		quote(out, bytes, length);
}

static void quote_all(struct fyke_cursor *c, struct fyke_phrase *out)
{
	for (bool first = true; fyke_cursor_left(c) > 0 && fyke_cursor_ok(c); first = false) {
		if (!first)
			fyke_phrase_add(out, " ", 1);
		quote_counted(c, out);
	}
}

/* Of DNSSEC signatures: YYYYMMDDHHmmSS (RFC 4034 §3.2). */
static void say_time(uint32_t seconds, struct fyke_phrase *out)
{
	int64_t days = seconds / 86400, z = days + 719468, era = z / 146097, doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	int64_t month = mp < 10 ? mp + 3 : mp - 9;
	char text[32];
	int length = snprintf(text, sizeof(text), "%04" PRId64 "%02" PRId64 "%02" PRId64 "%02u%02u%02u",
		yoe + era * 400 + (month <= 2), month, doy - (153 * mp + 2) / 5 + 1, seconds % 86400 / 3600,
		seconds % 3600 / 60, seconds % 60);

	fyke_phrase_add(out, text, (size_t)length);
}

/* RFC 4648 §7, without padding. */
static void say_base32(struct fyke_phrase *out, const uint8_t *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < length; i++) {
		bits = (bits << 8 | bytes[i]) & 0xfff;
		for (have += 8; have >= 5; have -= 5)
			fyke_phrase_add(out, &digits[bits >> (have - 5) & 31], 1);
	}
	if (have > 0)
		fyke_phrase_add(out, &digits[bits << (5 - have) & 31], 1);
}

static void say_counted(struct fyke_cursor *c, char how, struct fyke_phrase *out)
{
	size_t length = fyke_cursor_u8(c);
	const uint8_t *bytes = fyke_cursor_take(c, length);

	if (bytes == NULL)
		return;
	if (how == 'S')
		say_base32(out, bytes, length);
	else if (how == 'c')
		fyke_phrase_add(out, bytes, length);
	else if (length == 0)
		fyke_phrase_add(out, "-", 1);
	else
		fyke_phrase_hex(out, bytes, length);
}

/* RFC 4034 §4.1.2 */
static void say_bitmap(struct fyke_cursor *c, struct fyke_phrase *out)
{
	for (bool first = true; fyke_cursor_left(c) > 0 && fyke_cursor_ok(c) && !out->cut;) {
		unsigned window = fyke_cursor_u8(c), length = fyke_cursor_u8(c);
		const uint8_t *bits = fyke_cursor_take(c, length);

		for (unsigned i = 0; bits != NULL && i < length * 8; i++) {
			if ((bits[i / 8] >> (7 - i % 8) & 1) == 0)
				continue;
			if (!first)
				fyke_phrase_add(out, " ", 1);
			first = false;
			fyke_dns_type((uint16_t)(window << 8 | (i & 255)), out);
		}
	}
}

static void say_addresses(struct fyke_cursor *c, size_t size, struct fyke_phrase *out)
{
	for (bool first = true; fyke_cursor_left(c) >= size; first = false) {
		const uint8_t *bytes = fyke_cursor_take(c, size);

		if (!first)
			fyke_phrase_add(out, ",", 1);
		if (size == 4)
			fyke_phrase_ipv4(out, bytes);
		else
			fyke_phrase_ipv6(out, bytes);
	}
}

static void say_list(struct fyke_cursor *c, struct fyke_phrase *out)
{
	for (bool first = true; fyke_cursor_left(c) > 0 && fyke_cursor_ok(c); first = false) {
		size_t length = fyke_cursor_u8(c);
		const uint8_t *bytes = fyke_cursor_take(c, length);

		if (!first)
			fyke_phrase_add(out, ",", 1);
		if (bytes != NULL)
			fyke_phrase_add(out, bytes, length);
	}
}

static void say_keys(struct fyke_cursor *c, const char *const *names, size_t count, struct fyke_phrase *out)
{
	for (bool first = true; fyke_cursor_left(c) >= 2; first = false) {
		uint16_t key = fyke_cursor_u16(c);

		if (!first)
			fyke_phrase_add(out, ",", 1);
		fyke_phrase_word(out, key < count ? names[key] : "key");
		if (key >= count)
			fyke_phrase_number(out, key);
	}
}

/* RFC 9460 §2.1, §7 */
static void say_parameters(struct fyke_cursor *c, struct fyke_phrase *out)
{
	static const char *const names[] = {"mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech",
		"ipv6hint", "dohpath", "ohttp"};
	const size_t count = sizeof(names) / sizeof(names[0]);

	for (bool first = true; fyke_cursor_left(c) > 0 && fyke_cursor_ok(c); first = false) {
		uint16_t key = fyke_cursor_u16(c);
		struct fyke_cursor value = fyke_cursor_carve(c, fyke_cursor_u16(c));
		size_t left = fyke_cursor_left(&value);

		fyke_phrase_word(out, first ? "" : " ");
		fyke_phrase_word(out, key < count ? names[key] : "key");
		if (key >= count)
			fyke_phrase_number(out, key);
		if (left == 0)
			continue;
		fyke_phrase_add(out, "=", 1);
		if (key == 0)
			say_keys(&value, names, count, out);
		else if (key == 1)
			say_list(&value, out);
		else if (key == 3)
			fyke_phrase_number(out, fyke_cursor_u16(&value));
		else if (key == 4 || key == 6)
			say_addresses(&value, key == 4 ? 4 : 16, out);
		else if (key == 5)
			fyke_phrase_base64(out, value.at, left);
		else
			quote(out, value.at, left);
	}
}

static void say_rest(struct fyke_cursor *c, char how, struct fyke_phrase *out)
{
	size_t length = fyke_cursor_left(c);
	const uint8_t *bytes = fyke_cursor_take(c, length);

	if (bytes == NULL)
		return;
	if (how == 'x')
		fyke_phrase_hex(out, bytes, length);
	else if (how == 'b')
		fyke_phrase_base64(out, bytes, length);
	else
		quote(out, bytes, length);
}

static void say_address(struct fyke_cursor *c, size_t size, struct fyke_phrase *out)
{
	const uint8_t *bytes = fyke_cursor_take(c, size);

	if (bytes == NULL)
		return;
	if (size == 4)
		fyke_phrase_ipv4(out, bytes);
	else
		fyke_phrase_ipv6(out, bytes);
}

static void say_field(
	const struct fyke_dns_reader *reader, struct fyke_cursor *c, char field, struct fyke_phrase *out)
{
	switch (field) {
	case '1':
		fyke_phrase_number(out, fyke_cursor_u8(c));
		break;
	case '2':
		fyke_phrase_number(out, fyke_cursor_u16(c));
		break;
	case '4':
		fyke_phrase_number(out, fyke_cursor_u32(c));
		break;
	case 'a':
		say_address(c, 4, out);
		break;
	case '6':
		say_address(c, 16, out);
		break;
	case 'd':
		say_time(fyke_cursor_u32(c), out);
		break;
	case 't':
		fyke_dns_type(fyke_cursor_u16(c), out);
		break;
	case 'n':
		if (!fyke_dns_name(reader, c, out))
			fyke_cursor_bad(c);
		break;
	case 's':
		quote_counted(c, out);
		break;
	case 'T':
		quote_all(c, out);
		break;
	case 'm':
		say_bitmap(c, out);
		break;
	case 'v':
		say_parameters(c, out);
		break;
	case 'h':
	case 'S':
	case 'c':
		say_counted(c, field, out);
		break;
	default:
		say_rest(c, field, out);
		break;
	}
}

static void say_unknown(const struct fyke_dns_record *record, struct fyke_phrase *out)
{
	size_t length = fyke_cursor_left(&record->data);

	fyke_phrase_word(out, "\\# ");
	fyke_phrase_number(out, length);
	if (length > 0)
		fyke_phrase_add(out, " ", 1);
	fyke_phrase_hex(out, record->data.at, length);
}

/* NB records: flags and address, repeated (RFC 1002 §4.2.1.3). */
static void say_netbios(const struct fyke_dns_record *record, struct fyke_phrase *out)
{
	struct fyke_cursor c = record->data;

	for (bool first = true; fyke_cursor_left(&c) >= 6; first = false) {
		bool group = fyke_cursor_u16(&c) >> 15 != 0;

		fyke_phrase_word(out, first ? "" : " ");
		say_address(&c, 4, out);
		fyke_phrase_word(out, group ? " group" : "");
	}
}

/* NBSTAT: a count, 18 bytes a name, and statistics that begin with the unit's address (§4.2.18). */
static void say_status(const struct fyke_dns_record *record, struct fyke_phrase *out)
{
	struct fyke_cursor c = record->data;
	unsigned count = fyke_cursor_u8(&c);
	const uint8_t *mac;

	for (unsigned i = 0; i < count; i++) {
		const uint8_t *name = fyke_cursor_take(&c, 18);
		size_t end = 15;
		char suffix[16];

		if (name == NULL)
			return;
		while (end > 0 && (name[end - 1] == ' ' || name[end - 1] == 0))
			end--;
		fyke_phrase_word(out, i > 0 ? " " : "");
		quote(out, name, end);
		fyke_phrase_add(out, suffix,
			(size_t)snprintf(suffix, sizeof(suffix), "<%02x>%s", name[15],
				(name[16] & 0x80) != 0 ? " group" : ""));
	}
	mac = fyke_cursor_take(&c, 6);
	if (mac != NULL) {
		fyke_phrase_word(out, " unit ");
		fyke_phrase_octets(out, mac, 6);
	}
}

void fyke_dns_data(
	const struct fyke_dns_reader *reader, const struct fyke_dns_record *record, struct fyke_phrase *out)
{
	const char *fields = fyke_dns_fields(record->type);
	const size_t start = out->length;
	struct fyke_cursor c = record->data;

	if (reader->netbios && (record->type == 32 || record->type == 33)) {
		if (record->type == 32)
			say_netbios(record, out);
		else
			say_status(record, out);
		return;
	}
	/* Empty data: of UPDATE's prerequisites and deletions (RFC 2136 §2.4). */
	if (fyke_cursor_left(&c) == 0 && (record->class >= 254 || record->ttl == 0))
		return;
	for (const char *field = fields; field != NULL && *field != '\0'; field++) {
		if (c.at != record->data.at)
			fyke_phrase_add(out, " ", 1);
		say_field(reader, &c, *field, out);
	}
	if (fields == NULL || !fyke_cursor_ok(&c) || fyke_cursor_left(&c) > 0) {
		out->length = start;
		say_unknown(record, out);
	}
}
