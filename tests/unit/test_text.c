/* Escaping for each medium, and numbers and times for people. */
#include "analyzer/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Runs the conversion from an input and into an output of exactly the right size, so that the
 * sanitizers see a byte too many, and for every smaller room: a prefix, NUL-terminated, same total. */
static void check_utf8(const char *input, size_t length, const char *expected)
{
	size_t want = strlen(expected);
	char *in = malloc(length + (length == 0));

	memcpy(in, input, length);
	for (size_t room = 0; room <= want + 2; room++) {
		char *out = malloc(room + (room == 0));

		assert_int_equal(fyke_text_utf8(in, length, out, room), want);
		if (room > 0) {
			assert_true(strlen(out) < room);
			assert_memory_equal(out, expected, strlen(out));
		}
		if (room > want)
			assert_string_equal(out, expected);
		free(out);
	}
	free(in);
}

static void test_text_utf8_keeps_what_is_valid(void **state)
{
	(void)state;
	check_utf8("", 0, "");
	check_utf8("plain", 5, "plain");
	check_utf8("\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9f", 9, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9f");
	check_utf8("\t\n\x1b", 3, "\t\n\x1b");
	check_utf8("\xf4\x8f\xbf\xbf", 4, "\xf4\x8f\xbf\xbf");
}

static void test_text_utf8_escapes_what_is_not(void **state)
{
	(void)state;
	check_utf8("a\0b", 3, "a\\x00b");
	check_utf8("\xff\xfe", 2, "\\xff\\xfe");
	check_utf8("\xc3", 1, "\\xc3");
	check_utf8("\xe2\x82", 2, "\\xe2\\x82");
	check_utf8("\xc0\xaf", 2, "\\xc0\\xaf");		   /* overlong */
	check_utf8("\xe0\x80\xaf", 3, "\\xe0\\x80\\xaf");	   /* overlong */
	check_utf8("\xed\xa0\x80", 3, "\\xed\\xa0\\x80");	   /* surrogate */
	check_utf8("\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80"); /* beyond U+10FFFF */
	check_utf8("\x80x", 2, "\\x80x");
}

/* The inverse of fyke_text_utf8. */
static size_t unescape(const char *text, char *out)
{
	size_t n = 0;

	while (*text != '\0') {
		unsigned value;

		if (text[0] == '\\' && text[1] == 'x' && strspn(text + 2, "0123456789abcdefABCDEF") >= 2) {
			char digits[3] = {text[2], text[3], 0};

			value = (unsigned)strtoul(digits, NULL, 16);
			text += 4;
		} else {
			value = (unsigned char)*text++;
		}
		out[n++] = (char)value;
	}
	return n;
}

static void test_text_utf8_can_be_turned_back(void **state)
{
	static const char pieces[] = "\\\\xx04fF\xff\xc3\xa9\0a";
	unsigned seed = 1;

	(void)state;
	check_utf8("\\x41", 4, "\\x5cx41");
	check_utf8("C:\\x\\y", 6, "C:\\x\\y");
	for (unsigned round = 0; round < 20000; round++) {
		char in[12], out[64], back[64];
		size_t length = round % sizeof(in);

		for (size_t i = 0; i < length; i++)
			in[i] = pieces[(seed = seed * 1103515245 + 12345) / 65536 % (sizeof(pieces) - 1)];
		assert_true(fyke_text_utf8(in, length, out, sizeof(out)) < sizeof(out));
		assert_int_equal(unescape(out, back), length);
		assert_memory_equal(back, in, length);
	}
}

static const char *terminal(const char *text, size_t length, unsigned width, unsigned flags)
{
	static char out[512];
	char *in = malloc(length + (length == 0));

	memcpy(in, text, length);
	assert_true(fyke_text_terminal(in, length, width, flags, out, sizeof(out)) <= 4 * length + 3);
	if (width > 0)
		assert_true(fyke_text_width(out, strlen(out)) <= width);
	free(in);
	return out;
}

static void test_text_terminal_shows_what_would_act(void **state)
{
	(void)state;
	assert_string_equal(terminal("\x1b[2J", 4, 0, 0), "\\x1b[2J");
	assert_string_equal(terminal("a\nb\r\t\0\x7f", 7, 0, 0), "a\\x0ab\\x0d\\x09\\x00\\x7f");
	assert_string_equal(terminal("\xc2\x9b"
				     "31m",
				    5, 0, 0),
		"\\u{9b}31m"); /* C1 CSI */
	assert_string_equal(terminal("\x9b", 1, 0, 0), "\\x9b");
	assert_string_equal(terminal("\xe2\x80\xae"
				     "gpj",
				    6, 0, 0),
		"\\u{202e}gpj"); /* override */
	assert_string_equal(terminal("\xe2\x81\xa6", 3, 0, 0), "\\u{2066}");
	assert_string_equal(terminal("a\xe2\x80\x8b"
				     "b",
				    5, 0, 0),
		"a\\u{200b}b");
	assert_string_equal(terminal("\xef\xbb\xbf", 3, 0, 0), "\\u{feff}");
	assert_string_equal(terminal("\xf3\xa0\x81\x81", 4, 0, 0), "\\u{e0041}"); /* tag characters */
	assert_string_equal(terminal("caf\xc3\xa9", 5, 0, 0), "caf\xc3\xa9");
	assert_string_equal(terminal("caf\xc3\xa9", 5, 0, FYKE_TEXT_ASCII), "caf\\u{e9}");
}

static void test_text_terminal_bounds_combining_marks(void **state)
{
	(void)state;
	assert_string_equal(terminal("e\xcc\x81x", 4, 0, 0), "e\xcc\x81x");
	assert_string_equal(terminal("\xcc\x81", 2, 0, 0), "\\u{301}");
	assert_string_equal(
		terminal("e\xcc\x81\xcc\x81\xcc\x81\xcc\x81", 9, 0, 0), "e\xcc\x81\xcc\x81\xcc\x81\\u{301}");
}

static void test_text_terminal_cuts_by_columns(void **state)
{
	(void)state;
	assert_string_equal(terminal("abcdef", 6, 6, 0), "abcdef");
	assert_string_equal(terminal("abcdefg", 7, 6, 0), "abcde…");
	assert_string_equal(terminal("abcdefg", 7, 6, FYKE_TEXT_ASCII), "abcde~");
	assert_string_equal(terminal("ab\x1b", 3, 4, 0), "ab…"); /* never half an escape */
	assert_string_equal(terminal("日本語", 9, 6, 0), "日本語");
	assert_string_equal(terminal("日本語", 9, 5, 0), "日本…");
	assert_string_equal(terminal("日本語", 9, 4, 0), "日…");
	assert_string_equal(terminal("abc", 3, 1, 0), "…");
	assert_int_equal(fyke_text_width("日本語", 9), 6);
}

static const char *csv(const char *text)
{
	static char out[128];

	assert_true(fyke_text_csv(text, strlen(text), out, sizeof(out)) <= 2 * strlen(text) + 3);
	return out;
}

static void test_text_csv(void **state)
{
	(void)state;
	assert_string_equal(csv(""), "");
	assert_string_equal(csv("a b"), "a b");
	assert_string_equal(csv("a,b"), "\"a,b\"");
	assert_string_equal(csv("a\"b"), "\"a\"\"b\"");
	assert_string_equal(csv("a\r\nb"), "\"a\r\nb\"");
	assert_string_equal(csv("=1+1"), "'=1+1");
	assert_string_equal(csv("=HYPERLINK(\"x\",1)"), "\"'=HYPERLINK(\"\"x\"\",1)\"");
	assert_string_equal(csv("+1"), "'+1");
	assert_string_equal(csv("-1"), "'-1");
	assert_string_equal(csv("@x"), "'@x");
	assert_string_equal(csv("\tx"), "'\tx");
}

static void test_text_numbers(void **state)
{
	char out[FYKE_TEXT_NUMBER];

	(void)state;
	assert_string_equal(fyke_text_count(0, out), "0");
	assert_string_equal(fyke_text_count(999, out), "999");
	assert_string_equal(fyke_text_count(1000, out), "1,000");
	assert_string_equal(fyke_text_count(-1234567, out), "-1,234,567");
	assert_string_equal(fyke_text_count(INT64_MAX, out), "9,223,372,036,854,775,807");
	assert_string_equal(fyke_text_count(INT64_MIN, out), "-9,223,372,036,854,775,808");
	assert_string_equal(fyke_text_bytes(0, out), "0 B");
	assert_string_equal(fyke_text_bytes(999, out), "999 B");
	assert_string_equal(fyke_text_bytes(1000, out), "1.0 kB");
	assert_string_equal(fyke_text_bytes(999949, out), "999.9 kB");
	assert_string_equal(fyke_text_bytes(999950, out), "1.0 MB");
	assert_string_equal(fyke_text_bytes(INT64_MAX, out), "9.2 EB");
	assert_string_equal(fyke_text_percent(1, 3, out), "33.3 %");
	assert_string_equal(fyke_text_percent(1, 1000000, out), "< 0.1 %");
	assert_string_equal(fyke_text_percent(0, 0, out), "-");
}

static void test_text_durations(void **state)
{
	char out[FYKE_TEXT_NUMBER];

	(void)state;
	assert_string_equal(fyke_text_duration(0, 0, out), "0 s");
	assert_string_equal(fyke_text_duration(12, 0, out), "12 µs");
	assert_string_equal(fyke_text_duration(12, FYKE_TEXT_ASCII, out), "12 us");
	assert_string_equal(fyke_text_duration(1500, 0, out), "1.5 ms");
	assert_string_equal(fyke_text_duration(999499, 0, out), "999 ms");
	assert_string_equal(fyke_text_duration(999500, 0, out), "1 s");
	assert_string_equal(fyke_text_duration(2340000, 0, out), "2.34 s");
	assert_string_equal(fyke_text_duration(59949999, 0, out), "59.9 s");
	assert_string_equal(fyke_text_duration(59950000, 0, out), "1 min");
	assert_string_equal(fyke_text_duration(184000000, 0, out), "3 min 4 s");
	assert_string_equal(fyke_text_duration(7500000000, 0, out), "2 h 5 min");
	assert_string_equal(fyke_text_duration(3600000000, 0, out), "1 h");
	assert_string_equal(fyke_text_duration(273600000000, 0, out), "3 d 4 h");
	assert_true(strlen(fyke_text_duration(INT64_MAX, 0, out)) < FYKE_TEXT_NUMBER);
	assert_true(strlen(fyke_text_duration(INT64_MIN, 0, out)) < FYKE_TEXT_NUMBER);
}

static void test_text_times(void **state)
{
	char out[FYKE_TEXT_TIME];

	(void)state;
	assert_string_equal(fyke_text_time(0, 0, out), "1970-01-01T00:00:00Z");
	assert_string_equal(fyke_text_time(-1, 6, out), "1969-12-31T23:59:59.999999Z");
	assert_string_equal(fyke_text_time(1709164800000000, 3, out), "2024-02-29T00:00:00.000Z");
	assert_string_equal(fyke_text_time(1763864225123456, 6, out), "2025-11-23T02:17:05.123456Z");
	assert_string_equal(fyke_text_time(INT64_MAX, 6, out), "9223372036854775807");
	assert_string_equal(fyke_text_time(INT64_MIN, 6, out), "-9223372036854775808");
	assert_int_equal(fyke_text_days(1970, 1, 1), 0);
	assert_int_equal(fyke_text_days(2000, 3, 1), 11017);
	assert_int_equal(fyke_text_days(1969, 12, 31), -1);
	for (int64_t day = -719528; day < 2932897; day += 7) {
		unsigned year, month, of_month;

		assert_int_equal(sscanf(fyke_text_time(day * 86400000000, 0, out), "%u-%u-%uT", &year, &month,
					 &of_month),
			3);
		assert_int_equal(fyke_text_days(year, month, of_month), day);
	}
}

static void test_text_nearest(void **state)
{
	const char *const words[] = {"client_ip", "server_ip", "client_port", "state", "host", NULL};

	(void)state;
	assert_string_equal(fyke_text_nearest("clinet_ip", words), "client_ip");
	assert_string_equal(fyke_text_nearest("hots", words), "host");
	assert_string_equal(fyke_text_nearest("STATES", words), "state");
	assert_null(fyke_text_nearest("bananas", words));
	assert_null(fyke_text_nearest("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", words));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_utf8_keeps_what_is_valid),
		cmocka_unit_test(test_text_utf8_escapes_what_is_not),
		cmocka_unit_test(test_text_utf8_can_be_turned_back),
		cmocka_unit_test(test_text_terminal_shows_what_would_act),
		cmocka_unit_test(test_text_terminal_bounds_combining_marks),
		cmocka_unit_test(test_text_terminal_cuts_by_columns),
		cmocka_unit_test(test_text_csv),
		cmocka_unit_test(test_text_numbers),
		cmocka_unit_test(test_text_durations),
		cmocka_unit_test(test_text_times),
		cmocka_unit_test(test_text_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
