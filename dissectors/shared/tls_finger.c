/*
 * JA3 and JA3S (Salesforce, BSD-3): the MD5 of numbers in decimal. JA4 (FoxIO, BSD-3): a readable part and
 * two cut SHA-256 of sorted numbers in hexadecimal. GREASE (RFC 8701) counts in none of them.
 */
#include "dissectors/shared/tls_finger.h"

#include "analyzer/base/digest.h"
#include "dissectors/shared/tls_names.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 512, SORTED_BY_HAND = 64 };

/* ---- JA3 ---- */

static void add_number(struct fyke_digest *digest, uint16_t number, bool first)
{
	char text[6], *at = text + sizeof(text);

	do
		*--at = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	if (!first)
		*--at = '-';
	fyke_digest_add(digest, at, (size_t)(text + sizeof(text) - at));
}

static void add_list(struct fyke_digest *digest, struct fyke_cursor list)
{
	bool first = true;

	while (fyke_cursor_left(&list) >= 2) {
		uint16_t number = fyke_cursor_u16(&list);

		if (fyke_tls_is_grease(number))
			continue;
		add_number(digest, number, first);
		first = false;
	}
}

static void add_extensions(struct fyke_digest *digest, struct fyke_cursor extensions)
{
	bool first = true;

	while (fyke_cursor_left(&extensions) >= 4) {
		uint16_t type = fyke_cursor_u16(&extensions);

		(void)fyke_cursor_skip(&extensions, fyke_cursor_u16(&extensions));
		if (fyke_tls_is_grease(type))
			continue;
		add_number(digest, type, first);
		first = false;
		if (!fyke_cursor_ok(&extensions))
			break;
	}
}

static void add_bytes(struct fyke_digest *digest, struct fyke_cursor bytes)
{
	for (bool first = true; fyke_cursor_left(&bytes) > 0; first = false)
		add_number(digest, fyke_cursor_u8(&bytes), first);
}

static void end_md5(struct fyke_digest *digest, char text[FYKE_JA3])
{
	uint8_t sum[FYKE_DIGEST_BYTES];

	fyke_hex(sum, fyke_digest_end(digest, sum), text);
}

void fyke_tls_ja3(const struct fyke_tls_hello *client, char text[FYKE_JA3])
{
	struct fyke_digest md5, *digest = &md5;

	fyke_digest_begin(digest, FYKE_MD5);
	add_number(digest, client->legacy_version, true);
	fyke_digest_add(digest, ",", 1);
	add_list(digest, client->ciphers);
	fyke_digest_add(digest, ",", 1);
	add_extensions(digest, client->extensions);
	fyke_digest_add(digest, ",", 1);
	add_list(digest, client->groups);
	fyke_digest_add(digest, ",", 1);
	add_bytes(digest, client->point_formats);
	end_md5(digest, text);
}

void fyke_tls_ja3s(const struct fyke_tls_hello *server, char text[FYKE_JA3])
{
	struct fyke_digest md5, *digest = &md5;

	fyke_digest_begin(digest, FYKE_MD5);
	add_number(digest, server->legacy_version, true);
	fyke_digest_add(digest, ",", 1);
	add_number(digest, server->cipher, true);
	fyke_digest_add(digest, ",", 1);
	add_extensions(digest, server->extensions);
	end_md5(digest, text);
}

/* ---- JA4 ---- */

struct numbers {
	uint16_t list[LIST_MAX];
	size_t count;
	bool overfull;
};

static void put(struct numbers *numbers, uint16_t number)
{
	if (fyke_tls_is_grease(number))
		return;
	if (numbers->count == LIST_MAX)
		numbers->overfull = true;
	else
		numbers->list[numbers->count++] = number;
}

static void put_list(struct numbers *numbers, struct fyke_cursor list)
{
	while (fyke_cursor_left(&list) >= 2)
		put(numbers, fyke_cursor_u16(&list));
}

/* All types; `has[0]` SNI, `has[1]` ALPN: these are counted but not put. */
static void put_extensions(struct numbers *numbers, struct fyke_cursor extensions, unsigned has[2])
{
	while (fyke_cursor_left(&extensions) >= 4) {
		uint16_t type = fyke_cursor_u16(&extensions);

		(void)fyke_cursor_skip(&extensions, fyke_cursor_u16(&extensions));
		if (type == FYKE_TLS_SERVER_NAME)
			has[0]++;
		else if (type == FYKE_TLS_ALPN)
			has[1]++;
		else
			put(numbers, type);
		if (!fyke_cursor_ok(&extensions))
			break;
	}
}

static int ascending(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* What programs send are a few dozen: too few for qsort to be worth its calls. */
static void sort(struct numbers *numbers)
{
	uint16_t *list = numbers->list;

	if (numbers->count > SORTED_BY_HAND) {
		qsort(list, numbers->count, sizeof(*list), ascending);
		return;
	}
	for (size_t i = 1; i < numbers->count; i++) {
		uint16_t number = list[i];
		size_t at = i;

		for (; at > 0 && list[at - 1] > number; at--)
			list[at] = list[at - 1];
		list[at] = number;
	}
}

/* "1301,1302,…" with `before` in front of the first. */
static size_t write_numbers(const struct numbers *numbers, char before, char *text)
{
	size_t length = 0;

	for (size_t i = 0; i < numbers->count; i++) {
		uint8_t bytes[2] = {(uint8_t)(numbers->list[i] >> 8), (uint8_t)numbers->list[i]};

		if (i > 0 || before != '\0')
			text[length++] = i > 0 ? ',' : before;
		fyke_hex(bytes, 2, text + length);
		length += 4;
	}
	return length;
}

static void cut_sum(const char *text, size_t length, char sum[13])
{
	uint8_t whole[FYKE_DIGEST_BYTES];

	memcpy(sum, "000000000000", 13);
	if (length == 0)
		return;
	(void)fyke_digest_of(FYKE_SHA256, text, length, whole);
	fyke_hex(whole, 6, sum);
}

static const char *version_word(uint16_t version)
{
	switch (version) {
	case 0x0304:
		return "13";
	case 0x0303:
		return "12";
	case 0x0302:
		return "11";
	case 0x0301:
		return "10";
	case 0x0300:
		return "s3";
	case 0x0002:
		return "s2";
	case 0xfeff:
		return "d1";
	case 0xfefd:
		return "d2";
	case 0xfefc:
		return "d3";
	default:
		return "00";
	}
}

/* The greatest number of supported_versions, drafts and experiments too; DTLS counts downwards. */
static uint16_t top_version(const struct fyke_tls_hello *client)
{
	struct fyke_cursor versions = client->versions;
	uint16_t top = client->legacy_version;
	unsigned best = 0;

	while (fyke_cursor_left(&versions) >= 2) {
		uint16_t version = fyke_cursor_u16(&versions);
		unsigned place = version >> 8 == 0xfe ? 0xffffU - (version & 0xff) : version;

		if (!fyke_tls_is_grease(version) && place > best) {
			best = place;
			top = version;
		}
	}
	return top;
}

/* First and last character of the first name; of anything else than letters and digits its hexadecimal. */
static void alpn_word(const struct fyke_cursor *alpn, char word[3])
{
	struct fyke_cursor names = *alpn;
	size_t length = fyke_cursor_u8(&names);
	const uint8_t *name = fyke_cursor_take(&names, length);
	char hex[5];

	memcpy(word, "00", 3);
	if (name == NULL || length == 0)
		return;
	word[0] = (char)name[0];
	word[1] = (char)name[length - 1];
	if (isalnum(name[0]) && isalnum(name[length - 1]))
		return;
	fyke_hex(&name[0], 1, hex);
	fyke_hex(&name[length - 1], 1, hex + 2);
	word[0] = hex[0];
	word[1] = hex[3];
}

static unsigned two_digits(size_t count)
{
	return count > 99 ? 99 : (unsigned)count;
}

void fyke_tls_ja4(const struct fyke_tls_hello *client, char transport, char text[FYKE_JA4])
{
	struct numbers ciphers, extensions, signatures;
	char list[LIST_MAX * 10 + 1], word[3], cipher_sum[13], extension_sum[13];
	unsigned has[2] = {0, 0};
	size_t length;

	ciphers.count = extensions.count = signatures.count = 0;
	ciphers.overfull = extensions.overfull = signatures.overfull = false;
	text[0] = '\0';
	put_list(&ciphers, client->ciphers);
	put_extensions(&extensions, client->extensions, has);
	put_list(&signatures, client->signatures);
	if (ciphers.overfull || extensions.overfull || signatures.overfull)
		return;
	sort(&ciphers);
	sort(&extensions);
	length = write_numbers(&ciphers, '\0', list);
	cut_sum(list, length, cipher_sum);
	length = write_numbers(&extensions, '\0', list);
	length += write_numbers(&signatures, '_', list + length);
	cut_sum(list, length, extension_sum);
	alpn_word(&client->alpn, word);
	(void)snprintf(text, FYKE_JA4, "%c%s%c%02u%02u%s_%s_%s", transport, version_word(top_version(client)),
		has[0] > 0 ? 'd' : 'i', two_digits(ciphers.count),
		two_digits(extensions.count + has[0] + has[1]), word, cipher_sum, extension_sum);
}
