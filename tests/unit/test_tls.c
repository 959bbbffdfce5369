/* Published vectors: JA3 (its README), JA4 (its technical details), QUIC's keys (RFC 9001 Appendix A.1, RFC
 * 9369 Appendix A.1); and the keys of certificates that libcrypto is not to see. */
#include "dissectors/shared/quic_crypto.h"
#include "dissectors/shared/tls_certificate.h"
#include "dissectors/shared/tls_finger.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
	uint8_t data[1024];
	size_t length;
};

static void put_u16(struct bytes *bytes, unsigned value)
{
	bytes->data[bytes->length++] = (uint8_t)(value >> 8);
	bytes->data[bytes->length++] = (uint8_t)value;
}

/* `list` ends with 0xffff, which is no cipher, extension or group. */
static void put_list(struct bytes *bytes, const uint16_t *list)
{
	size_t at = bytes->length;

	put_u16(bytes, 0);
	for (; *list != 0xffff; list++)
		put_u16(bytes, *list);
	bytes->data[at] = (uint8_t)((bytes->length - at - 2) >> 8);
	bytes->data[at + 1] = (uint8_t)(bytes->length - at - 2);
}

static void put_head(struct bytes *bytes, unsigned version, const uint16_t *ciphers)
{
	bytes->length = 0;
	put_u16(bytes, version);
	memset(bytes->data + bytes->length, 0x55, 32);
	bytes->length += 32;
	bytes->data[bytes->length++] = 0;
	put_list(bytes, ciphers);
	put_u16(bytes, 0x0100); /* one compression: none */
}

static void put_extension(struct bytes *bytes, unsigned type, const uint8_t *content, size_t length)
{
	put_u16(bytes, type);
	put_u16(bytes, (unsigned)length);
	if (length > 0)
		memcpy(bytes->data + bytes->length, content, length);
	bytes->length += length;
}

static struct fyke_tls_hello read_hello(const struct bytes *bytes)
{
	static struct bytes kept;
	struct fyke_tls_hello hello;

	kept = *bytes;
	assert_true(fyke_tls_client_hello(kept.data, kept.length, false, &hello));
	return hello;
}

static void test_ja3_with_extensions(void **state)
{
	static const uint16_t ciphers[] = {47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4, 0xffff};
	static const uint8_t name[] = {0, 4, 0, 0, 1, 'a'}, groups[] = {0, 6, 0, 23, 0, 24, 0, 25},
			     formats[] = {1, 0};
	struct bytes bytes;
	struct fyke_tls_hello hello;
	char text[FYKE_JA3];

	(void)state;
	put_head(&bytes, 769, ciphers);
	put_u16(&bytes, (4 + sizeof(name)) + (4 + sizeof(groups)) + (4 + sizeof(formats)));
	put_extension(&bytes, 0, name, sizeof(name));
	put_extension(&bytes, 10, groups, sizeof(groups));
	put_extension(&bytes, 11, formats, sizeof(formats));
	hello = read_hello(&bytes);
	fyke_tls_ja3(&hello, text);
	assert_string_equal(text, "ada70206e40642a3e4461f35503241d5");
}

static void test_ja3_without_extensions(void **state)
{
	static const uint16_t ciphers[] = {4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99, 0xffff};
	struct bytes bytes;
	struct fyke_tls_hello hello;
	char text[FYKE_JA3];

	(void)state;
	put_head(&bytes, 769, ciphers);
	hello = read_hello(&bytes);
	fyke_tls_ja3(&hello, text);
	assert_string_equal(text, "de350869b8c85de67a350c8d186f11e6");
}

/* In the order in which Chrome sent them, with GREASE. */
static void test_ja4_of_chrome(void **state)
{
	static const uint16_t ciphers[] = {0x2a2a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030,
		0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035, 0xffff};
	static const uint16_t empty[] = {0x1a1a, 0x0012, 0x0017, 0x0005, 0x0033, 0x002d, 0x001b, 0xff01,
		0x000a, 0x0023, 0x4469, 0x000b, 0x0015};
	static const uint8_t name[] = {0, 4, 0, 0, 1, 'a'}, alpn[] = {0, 3, 2, 'h', '2'},
			     versions[] = {6, 0x7a, 0x7a, 3, 4, 3, 3},
			     signatures[] = {0, 16, 4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, 8, 6, 6, 1};
	struct bytes bytes, extensions = {.length = 0};
	struct fyke_tls_hello hello;
	char text[FYKE_JA4];

	(void)state;
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
		put_extension(&extensions, empty[i], NULL, 0);
	put_extension(&extensions, 43, versions, sizeof(versions));
	put_extension(&extensions, 0, name, sizeof(name));
	put_extension(&extensions, 13, signatures, sizeof(signatures));
	put_extension(&extensions, 16, alpn, sizeof(alpn));
	put_head(&bytes, 0x0303, ciphers);
	put_u16(&bytes, (unsigned)extensions.length);
	memcpy(bytes.data + bytes.length, extensions.data, extensions.length);
	bytes.length += extensions.length;
	hello = read_hello(&bytes);
	fyke_tls_ja4(&hello, 't', text);
	assert_string_equal(text, "t13d1516h2_8daaf6152771_e5627efa2ab1");
	fyke_tls_ja4(&hello, 'q', text);
	assert_string_equal(text, "q13d1516h2_8daaf6152771_e5627efa2ab1");
}

/* More than two digits count as 99; names of other than letters and digits by their hexadecimal. */
static void test_ja4_odd_counts(void **state)
{
	uint16_t ciphers[121];
	static const uint8_t alpn[] = {0, 3, 2, 0xab, 0xcd};
	struct bytes bytes;
	struct fyke_tls_hello hello;
	char text[FYKE_JA4];

	(void)state;
	for (uint16_t i = 0; i < 120; i++)
		ciphers[i] = (uint16_t)(0xc000 + i);
	ciphers[120] = 0xffff;
	put_head(&bytes, 0x0301, ciphers);
	put_u16(&bytes, 4 + sizeof(alpn));
	put_extension(&bytes, 16, alpn, sizeof(alpn));
	hello = read_hello(&bytes);
	fyke_tls_ja4(&hello, 't', text);
	assert_memory_equal(text, "t10i9901ad_", 11);
	assert_string_equal(text + 24, "000000000000");
}

static void from_hex(const char *text, uint8_t *out)
{
	for (; text[0] != '\0'; text += 2) {
		char digits[3] = {text[0], text[1], '\0'};

		*out++ = (uint8_t)strtoul(digits, NULL, 16);
	}
}

static void require_keys(
	uint32_t version, enum fyke_side side, const char *key, const char *iv, const char *hp)
{
	static const uint8_t cid[] = {0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08};
	struct fyke_quic_keys keys, expected;

	from_hex(key, expected.key);
	from_hex(iv, expected.iv);
	from_hex(hp, expected.hp);
	assert_true(fyke_quic_initial_keys(version, fyke_cursor(cid, sizeof(cid)), side, &keys));
	assert_memory_equal(keys.key, expected.key, sizeof(keys.key));
	assert_memory_equal(keys.iv, expected.iv, sizeof(keys.iv));
	assert_memory_equal(keys.hp, expected.hp, sizeof(keys.hp));
}

static void test_quic_initial_keys(void **state)
{
	struct fyke_quic_keys keys;

	(void)state;
	require_keys(1, FYKE_CLIENT, "1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c",
		"9f50449e04a0e810283a1e9933adedd2");
	require_keys(1, FYKE_SERVER, "cf3a5331653c364c88f0f379b6067e37", "0ac1493ca1905853b0bba03e",
		"c206b8d9b9f0f37644430b490eeaa314");
	require_keys(0x6b3343cf, FYKE_CLIENT, "8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f",
		"45b95e15235d6f45a6b19cbcb0294ba9");
	require_keys(0x6b3343cf, FYKE_SERVER, "82db637861d55e1d011f19ea71d5d2a7", "dd13c276499c0249d3310652",
		"edf6d05c83121201b436e16877593c3a");
	assert_false(fyke_quic_initial_keys(0x12345678, fyke_cursor(NULL, 0), FYKE_CLIENT, &keys));
}

/* SEQUENCE { SEQUENCE { INTEGER, 4 × SEQUENCE {}, SubjectPublicKeyInfo } } around a key's info */
static bool look_at_key(const uint8_t *info, size_t length, struct fyke_certificate *certificate)
{
	static const uint8_t front[] = {0x02, 1, 1, 0x30, 0, 0x30, 0, 0x30, 0, 0x30, 0};
	size_t body = sizeof(front) + length;
	uint8_t *der = malloc(4 + body);
	bool good;

	der[0] = 0x30;
	der[1] = (uint8_t)(body + 2);
	der[2] = 0x30;
	der[3] = (uint8_t)body;
	memcpy(der + 4, front, sizeof(front));
	memcpy(der + 4 + sizeof(front), info, length);
	*certificate = (struct fyke_certificate){0};
	good = fyke_certificate_key(fyke_cursor(der, 4 + body), certificate);
	free(der);
	return good;
}

static void test_certificate_keys(void **state)
{
	static const uint8_t by_name[] = {0x30, 0x17, 0x30, 0x13, 0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1,
		0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7, 0x03, 0};
	static const uint8_t spelled_out[] = {
		0x30, 0x0f, 0x30, 0x0b, 0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 0x30, 0, 0x03, 0};
	static const uint8_t ed25519[] = {0x30, 0x0a, 0x30, 5, 0x06, 3, 0x2b, 0x65, 0x70, 0x03, 1, 0};
	struct fyke_certificate certificate;

	(void)state;
	assert_true(look_at_key(by_name, sizeof(by_name), &certificate));
	assert_string_equal(certificate.key_type, "ec");
	assert_string_equal(certificate.curve, "secp256r1");
	assert_int_equal(certificate.key_bits, 256);
	assert_false(look_at_key(spelled_out, sizeof(spelled_out), &certificate));
	assert_true(look_at_key(ed25519, sizeof(ed25519), &certificate));
	assert_string_equal(certificate.key_type, "ed25519");
	for (size_t length = 0; length < sizeof(by_name) - 2; length++)
		assert_false(look_at_key(by_name, length, &certificate));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ja3_with_extensions),
		cmocka_unit_test(test_ja3_without_extensions),
		cmocka_unit_test(test_ja4_of_chrome),
		cmocka_unit_test(test_ja4_odd_counts),
		cmocka_unit_test(test_quic_initial_keys),
		cmocka_unit_test(test_certificate_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
