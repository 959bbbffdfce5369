/* The small things that everything stands on: cursor, varints, arena, pool, spares, digests, addresses,
 * Community ID. */
#include "analyzer/base/arena.h"
#include "analyzer/base/cursor.h"
#include "analyzer/base/digest.h"
#include "analyzer/base/pool.h"
#include "analyzer/base/radix.h"
#include "analyzer/base/spares.h"
#include "analyzer/base/status.h"
#include "analyzer/base/varint.h"
#include "analyzer/session/community_id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_cursor_faults_stick(void **state)
{
	const uint8_t bytes[] = {1, 2, 3};
	struct fyke_cursor c = fyke_cursor(bytes, sizeof(bytes)), child;

	(void)state;
	assert_int_equal(fyke_cursor_u16(&c), 0x0102);
	assert_int_equal(fyke_cursor_u16(&c), 0);
	assert_int_equal(c.fault, FYKE_FAULT_SHORT);
	assert_int_equal(fyke_cursor_u8(&c), 0);
	fyke_cursor_bad(&c);
	assert_int_equal(c.fault, FYKE_FAULT_SHORT);
	c = fyke_cursor(bytes, sizeof(bytes));
	child = fyke_cursor_carve(&c, 1);
	assert_int_equal(fyke_cursor_u32(&child), 0);
	assert_true(fyke_cursor_ok(&c));
	child = fyke_cursor_carve(&c, 9);
	assert_false(fyke_cursor_ok(&c));
	assert_int_equal(fyke_cursor_left(&child), 0);
}

static void test_varint_round_trip(void **state)
{
	const uint64_t values[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX};
	uint8_t bytes[FYKE_VARINT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		size_t length = fyke_varint_write(values[i], bytes);
		const uint8_t *at = bytes;
		uint64_t value;

		assert_true(fyke_varint_read(&at, bytes + length, &value));
		assert_int_equal(value, values[i]);
		assert_ptr_equal(at, bytes + length);
		at = bytes;
		assert_false(fyke_varint_read(&at, bytes + length - 1, &value));
	}
	memset(bytes, 0xff, sizeof(bytes));
	const uint8_t *at = bytes;
	uint64_t value;
	assert_false(fyke_varint_read(&at, bytes + sizeof(bytes), &value));
}

static void test_arena_merges(void **state)
{
	struct fyke_arena a, b;
	char *first, *large;

	(void)state;
	fyke_arena_init(&a);
	fyke_arena_init(&b);
	first = fyke_arena_copy(&a, "abc", 3);
	large = fyke_arena_zero(&b, 200000);
	assert_non_null(large);
	assert_string_equal(fyke_arena_copy(&b, "def", 3), "def");
	fyke_arena_merge(&a, &b);
	assert_null(b.pages);
	assert_string_equal(first, "abc");
	large[199999] = 1;
	assert_null(fyke_arena_take(&a, SIZE_MAX));
	fyke_arena_reset(&a);
	assert_string_equal(fyke_arena_copy(&a, "ghi", 3), "ghi");
	fyke_arena_release(&a);
}

static void test_pool_reuses(void **state)
{
	struct fyke_pool pool;
	uint32_t first, second;

	(void)state;
	fyke_pool_init(&pool, 24);
	first = fyke_pool_take(&pool);
	assert_int_not_equal(first, 0);
	memset(fyke_pool_at(&pool, first), 0xff, 24);
	for (int i = 0; i < 3 * FYKE_POOL_SLAB; i++)
		assert_int_not_equal(fyke_pool_take(&pool), 0);
	fyke_pool_give(&pool, first);
	second = fyke_pool_take(&pool);
	assert_int_equal(first, second);
	assert_int_equal(((char *)fyke_pool_at(&pool, second))[20], 0);
	assert_int_equal(pool.live, 3 * FYKE_POOL_SLAB + 1);
	fyke_pool_release(&pool);
}

static void test_spares_come_back_zeroed(void **state)
{
	enum { SIZE = 40, MOST = 2, COUNT = 4 };
	static const uint8_t zeros[SIZE];
	struct fyke_spares spares;
	void *records[COUNT];

	(void)state;
	fyke_spares_init(&spares, SIZE, MOST);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < COUNT; i++) {
			records[i] = fyke_spares_take(&spares);
			assert_non_null(records[i]);
			assert_memory_equal(records[i], zeros, SIZE);
			memset(records[i], 0xff, SIZE);
		}
		for (int i = 0; i < COUNT; i++)
			fyke_spares_give(&spares, records[i]);
		assert_true(spares.count <= MOST);
	}
	fyke_spares_give(&spares, NULL);
	fyke_spares_release(&spares);
	assert_int_equal(spares.count, 0);
}

/* RFC 1321 appendix A.5; FIPS 180-2 appendices A.1 and B.1. */
static void test_digest_vectors(void **state)
{
	uint8_t bytes[FYKE_DIGEST_BYTES];
	char text[2 * FYKE_DIGEST_BYTES + 1];
	struct fyke_digest digest;

	(void)state;
	fyke_hex(bytes, fyke_digest_of(FYKE_MD5, "message digest", 14, bytes), text);
	assert_string_equal(text, "f96b697d7cb7938d525a2f31aaf161d0");
	fyke_hex(bytes, fyke_digest_of(FYKE_SHA1, "abc", 3, bytes), text);
	assert_string_equal(text, "a9993e364706816aba3e25717850c26c9cd0d89d");
	fyke_digest_begin(&digest, FYKE_SHA256);
	fyke_digest_add(&digest, "a", 1);
	fyke_digest_add(&digest, "bc", 2);
	fyke_hex(bytes, fyke_digest_end(&digest, bytes), text);
	assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void assert_both_are(const uint8_t *bytes, size_t length, size_t piece)
{
	struct fyke_digest digest[2];

	fyke_digest_begin(&digest[0], FYKE_MD5);
	fyke_digest_begin(&digest[1], FYKE_SHA256);
	for (size_t at = 0; at < length; at += piece)
		fyke_digest_add_both(
			&digest[0], &digest[1], bytes + at, length - at < piece ? length - at : piece);
	for (int i = 0; i < 2; i++) {
		uint8_t expected[FYKE_DIGEST_BYTES], got[FYKE_DIGEST_BYTES];
		size_t size = fyke_digest_of(digest[i].kind, bytes, length, expected);

		assert_int_equal(fyke_digest_end(&digest[i], got), size);
		assert_memory_equal(got, expected, size);
	}
}

/* Whatever the pieces, blocks that end within one and blocks that do not. */
static void test_digest_of_both_at_once(void **state)
{
	enum { LONGEST = 400 };
	uint8_t *bytes = malloc(LONGEST);

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < LONGEST; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 64);
	for (size_t length = 0; length <= LONGEST; length += length < 140 ? 1 : 13) {
		for (size_t piece = 1; piece <= length + 1; piece += piece < 70 ? 1 : 29)
			assert_both_are(bytes, length, piece);
	}
	free(bytes);
}

static void test_error_text_is_printable(void **state)
{
	struct fyke_error error;

	(void)state;
	assert_int_equal(fyke_error_set(&error, FYKE_FAILED_IO, "no file %s", "a\x1b[2Jb\n"), FYKE_FAILED_IO);
	assert_string_equal(error.text, "no file a?[2Jb?");
}

struct vector {
	const char *source, *destination;
	uint8_t protocol;
	uint16_t source_port, destination_port; /* of ICMP: type and code */
	const char *id;
};

/* SEMANTICS §5 and the specification's own baseline. */
static const struct vector vectors[] = {
	{"1.2.3.4", "5.6.7.8", 6, 1122, 3344, "1:wCb3OG7yAFWelaUydu0D+125CLM="},
	{"5.6.7.8", "1.2.3.4", 6, 3344, 1122, "1:wCb3OG7yAFWelaUydu0D+125CLM="},
	{"1.2.3.4", "5.6.7.8", 17, 1122, 3344, "1:0Mu9InQx6z4ZiCZM/7HXi2WMhOg="},
	{"1.2.3.4", "5.6.7.8", 1, 8, 0, "1:crodRHL2FEsHjbv3UkRrfbs4bZ0="},
	{"5.6.7.8", "1.2.3.4", 1, 0, 8, "1:crodRHL2FEsHjbv3UkRrfbs4bZ0="},
	{"fe80:1:203:405:607:809:a0b:c0d", "fe80:1011:1213:1415:1617:1819:1a1b:1c1d", 58, 128, 0,
		"1:0bf7hyMJUwt3fMED7z8LIfRpBeo="},
	{"1.2.3.4", "5.6.7.8", 10, 0, 0, "1:7bYuQ7nyGBIQn7uDcQ5WraAnhWI="},
};

static void test_community_id_vectors(void **state)
{
	struct fyke_community_hasher *hasher = fyke_community_hasher_new();

	(void)state;
	assert_non_null(hasher);
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct vector *v = &vectors[i];
		struct fyke_community_id_input input = {.protocol = v->protocol,
			.is_icmp = v->protocol == 1 || v->protocol == 58,
			.has_ports = v->protocol == 6 || v->protocol == 17,
			.source_port = v->source_port,
			.destination_port = v->destination_port,
			.icmp_type = (uint8_t)v->source_port,
			.icmp_code = (uint8_t)v->destination_port};
		char text[FYKE_COMMUNITY_ID_TEXT];

		assert_true(fyke_address_parse(v->source, &input.source));
		assert_true(fyke_address_parse(v->destination, &input.destination));
		fyke_community_id(hasher, &input, text);
		assert_string_equal(text, v->id);
	}
	fyke_community_hasher_free(hasher);
}

/* The ID of a session that says the same. */
static void session_id(struct fyke_community_hasher *hasher, const struct vector *v, char *text)
{
	bool is_icmp = v->protocol == 1 || v->protocol == 58, has_ports = !is_icmp && v->source_port != 0;
	struct fyke_session session = {.ip_protocol = v->protocol,
		.icmp_type = is_icmp ? v->source_port : FYKE_UNKNOWN,
		.icmp_code = is_icmp ? v->destination_port : FYKE_UNKNOWN};

	assert_true(fyke_address_parse(v->source, &session.side[FYKE_CLIENT].ip));
	assert_true(fyke_address_parse(v->destination, &session.side[FYKE_SERVER].ip));
	session.side[FYKE_CLIENT].port = has_ports ? v->source_port : FYKE_UNKNOWN;
	session.side[FYKE_SERVER].port = has_ports ? v->destination_port : FYKE_UNKNOWN;
	fyke_session_community_id(hasher, &session);
	memcpy(text, session.community_id, FYKE_COMMUNITY_ID_TEXT);
}

static void test_community_id_of_session(void **state)
{
	static const struct vector dccp = {"1.2.3.4", "5.6.7.8", 33, 1122, 3344, NULL},
				   portless = {"1.2.3.4", "5.6.7.8", 33, 0, 0, NULL};
	struct fyke_community_hasher *hasher = fyke_community_hasher_new();
	char text[FYKE_COMMUNITY_ID_TEXT], other[FYKE_COMMUNITY_ID_TEXT];

	(void)state;
	assert_non_null(hasher);
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		session_id(hasher, &vectors[i], text);
		assert_string_equal(text, vectors[i].id);
	}
	session_id(hasher, &dccp, text);
	session_id(hasher, &portless, other);
	assert_string_equal(text, other);
	fyke_community_hasher_free(hasher);
}

struct numbered {
	uint64_t low, high, place, more[2];
};

/* Against the definition: ascending by high, then low, then as it was. `size` cuts the items short. */
static void expect_sorted(size_t count, size_t size, uint64_t mask)
{
	char *items = calloc(count + 1, size);
	struct numbered before = {0};
	uint64_t mixed = 88172645463325252;

	assert_non_null(items);
	for (size_t i = 0; i < count; i++) {
		struct numbered item = {.place = i};

		mixed = mixed * 6364136223846793005 + 1442695040888963407;
		item.low = mixed >> 60;
		item.high = mixed >> 20 & mask;
		memcpy(items + i * size, &item, size);
	}
	assert_true(fyke_radix_sort(items, count, size, offsetof(struct numbered, low)));
	assert_true(fyke_radix_sort(items, count, size, offsetof(struct numbered, high)));
	for (size_t i = 0; i < count; i++) {
		struct numbered item = {0};

		memcpy(&item, items + i * size, size);
		assert_true(item.high >= before.high);
		if (i > 0 && item.high == before.high) {
			assert_true(item.low >= before.low);
			assert_true(item.low > before.low || size < sizeof(before) / 5 * 3 ||
				    item.place > before.place);
		}
		before = item;
	}
	free(items);
}

static void test_radix_sort(void **state)
{
	static const uint64_t masks[] = {0, 7, 0xff, 0xff00ff, UINT64_C(0xf00000000000), UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		for (size_t count = 0; count < 5; count++)
			expect_sorted(count, sizeof(struct numbered), masks[i]);
		expect_sorted(1000, 16, masks[i]);
		expect_sorted(1000, 24, masks[i]);
		expect_sorted(1000, sizeof(struct numbered), masks[i]);
	}
}

static void test_address_text(void **state)
{
	static const char *const texts[] = {"0.0.0.0", "255.10.9.100", "::", "2001:db8::1", "fe80::1:0:0:1"};
	char out[FYKE_ADDRESS_TEXT];
	struct fyke_address address;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_true(fyke_address_parse(texts[i], &address));
		assert_int_equal(fyke_address_text(&address, out), strlen(texts[i]));
		assert_string_equal(out, texts[i]);
	}
	assert_false(fyke_address_parse("1.2.3", &address));
	assert_int_equal(fyke_address_text(&address, out), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cursor_faults_stick),
		cmocka_unit_test(test_varint_round_trip),
		cmocka_unit_test(test_arena_merges),
		cmocka_unit_test(test_pool_reuses),
		cmocka_unit_test(test_spares_come_back_zeroed),
		cmocka_unit_test(test_digest_vectors),
		cmocka_unit_test(test_digest_of_both_at_once),
		cmocka_unit_test(test_error_text_is_printable),
		cmocka_unit_test(test_community_id_vectors),
		cmocka_unit_test(test_community_id_of_session),
		cmocka_unit_test(test_radix_sort),
		cmocka_unit_test(test_address_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
