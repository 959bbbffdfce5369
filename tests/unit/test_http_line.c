/* Where messages of HTTP/1 begin in bytes of which the beginning is not known. */
#include "dissectors/shared/http_line.h"

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH = 120, ROUNDS = 20000 };

/* By the book: byte after byte. */
static size_t first_start(enum fyke_side side, const uint8_t *bytes, size_t length)
{
	for (size_t at = 0; at < length; at++) {
		enum fyke_match match = fyke_http_starts(side, bytes + at, length - at);

		if (match == FYKE_YES ||
			(match == FYKE_MAYBE &&
				(side == FYKE_SERVER || memchr(bytes + at, '\n', length - at) == NULL)))
			return at;
	}
	return length;
}

/* In a buffer of exactly its size, `start` at `at` and what begins nothing around it. */
static void assert_found(enum fyke_side side, const char *start, size_t at)
{
	size_t size = strlen(start), length = at + size + 20;
	uint8_t *bytes = malloc(length);

	assert_non_null(bytes);
	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t) "g\n H."[i % 5];
	memcpy(bytes + at, start, size);
	assert_int_equal(fyke_http_find_start(side, bytes, length), at);
	free(bytes);
}

static void test_http_line_starts_are_found_anywhere(void **state)
{
	static const char *const methods[] = {"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT",
		"TRACE", "PATCH", "PROPFIND", "MKCOL", "COPY", "LOCK", "UNLOCK", "REPORT", "SUBSCRIBE",
		"NOTIFY", "BMOVE", "VERSION-CONTROL", "CHECKIN", "ACL", "RPC_IN_DATA", "CCM_POST", "SOURCE",
		"UPDATE", "LABEL"};
	char line[64];

	(void)state;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		(void)snprintf(line, sizeof(line), "%s /a HTTP/1.1\r\n", methods[i]);
		for (size_t at = 0; at < 70; at++)
			assert_found(FYKE_CLIENT, line, at);
	}
	for (size_t at = 0; at < 70; at++) {
		assert_found(FYKE_SERVER, "HTTP/1.1 200 OK\r\n", at);
		assert_found(FYKE_SERVER, "ICY 200 OK\r\n", at);
	}
}

static void assert_like_the_book(const uint8_t *bytes, size_t length)
{
	for (int side = FYKE_CLIENT; side <= FYKE_SERVER; side++)
		assert_int_equal(fyke_http_find_start((enum fyke_side)side, bytes, length),
			first_start((enum fyke_side)side, bytes, length));
}

/* Bytes out of a few that starts are made of, so that many nearly begin. */
static void test_http_line_first_start_is_found(void **state)
{
	static const char *const parts[] = {"GE", "GET /", "T ", " HTTP/1.0\n", "HTTP/1.1 2", "00 ", "I",
		"CY 200 OK", "\n", "x", "H", "zz"};

	(void)state;
	srand(7);
	for (int round = 0; round < ROUNDS; round++) {
		size_t length = (size_t)rand() % LENGTH;
		uint8_t *bytes = malloc(length + (length == 0));

		assert_non_null(bytes);
		for (size_t at = 0; at < length;) {
			const char *part = parts[(size_t)rand() % (sizeof(parts) / sizeof(parts[0]))];

			while (*part != '\0' && at < length)
				bytes[at++] = (uint8_t)*part++;
		}
		assert_like_the_book(bytes, length);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http_line_starts_are_found_anywhere),
		cmocka_unit_test(test_http_line_first_start_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
