/* cli/options: sizes, durations, counts, and the walk over a command line. */
#include "cli/command.h"
#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void test_options_parse_size(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {{"0", 0}, {"1", 1}, {"64k", 65536}, {"64KiB", 65536}, {"1.5M", 1572864},
		{"10G", UINT64_C(10) << 30}, {"2tb", UINT64_C(2) << 40}, {"7b", 7}};
	static const char *const bad[] = {"", "k", "-1", "1x", "1 k", "0x10", "inf", "nan", "1e9", "1..5",
		".5", "9999999T", "1k ", "99999999999999999999999999"};
	uint64_t bytes;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(fyke_parse_size(good[i].text, &bytes));
		assert_int_equal(bytes, good[i].bytes);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(fyke_parse_size(bad[i], &bytes));
}

static void test_options_parse_duration(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} good[] = {{"90", 90000000000}, {"90s", 90000000000}, {"1.5s", 1500000000}, {"500ms", 500000000},
		{"20us", 20000}, {"3ns", 3}, {"5m", 300000000000}, {"5min", 300000000000},
		{"2h", 7200000000000}, {"30d", 2592000000000000}, {"1w", 604800000000000}, {"0", 0}};
	static const char *const bad[] = {"", "s", "-3s", "3 s", "3y", "1e3", "99999999999999d"};
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(fyke_parse_duration(good[i].text, &ns));
		assert_int_equal(ns, good[i].ns);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(fyke_parse_duration(bad[i], &ns));
}

static void test_options_parse_count(void **state)
{
	uint64_t count = 7;

	(void)state;
	assert_true(fyke_parse_count("18446744073709551615", UINT64_MAX, &count));
	assert_int_equal(count, UINT64_MAX);
	assert_true(fyke_parse_count("12", 12, &count));
	assert_false(fyke_parse_count("13", 12, &count));
	assert_int_equal(count, 12);
	assert_false(fyke_parse_count("18446744073709551616", UINT64_MAX, &count));
	assert_false(fyke_parse_count("", 9, &count));
	assert_false(fyke_parse_count("+1", 9, &count));
	assert_false(fyke_parse_count("1 ", 9, &count));
}

static const struct fyke_option list[] = {
	{'d', "database", "FILE", "a value"},
	{0, "force", NULL, "a flag"},
	{0, "limit", "N", "a value without a letter"},
	{0},
};

static const struct fyke_command_help help = {.summary = "x", .usage = "", .options = list};

static struct fyke_arguments begin(int argc, char **argv)
{
	struct fyke_arguments arguments;

	fyke_options_begin(&arguments, argc, argv, &help);
	return arguments;
}

static void test_options_walk(void **state)
{
	char *argv[] = {(char[]){"x"}, (char[]){"one"}, (char[]){"-dfile"}, (char[]){"--force"},
		(char[]){"--limit=3"}, (char[]){"--database"}, (char[]){"other"}, (char[]){"two"}, NULL};
	struct fyke_arguments arguments = begin(8, argv);

	(void)state;
	assert_int_equal(fyke_options_next(&arguments), 'd');
	assert_string_equal(arguments.value, "file");
	assert_int_equal(fyke_options_next(&arguments), FYKE_OPTION(1));
	assert_int_equal(fyke_options_next(&arguments), FYKE_OPTION(2));
	assert_string_equal(arguments.value, "3");
	assert_int_equal(fyke_options_next(&arguments), 'd');
	assert_string_equal(arguments.value, "other");
	assert_int_equal(fyke_options_next(&arguments), FYKE_OPTIONS_END);
	assert_int_equal(arguments.first, 6);
	assert_string_equal(argv[6], "one");
	assert_string_equal(argv[7], "two");
}

static void test_options_two_dashes_end_them(void **state)
{
	char *argv[] = {(char[]){"x"}, (char[]){"--"}, (char[]){"--force"}, NULL};
	struct fyke_arguments arguments = begin(3, argv);

	(void)state;
	assert_int_equal(fyke_options_next(&arguments), FYKE_OPTIONS_END);
	assert_string_equal(argv[arguments.first], "--force");
}

static void test_options_mistakes_stop(void **state)
{
	static const char *const wrong[] = {"--forse", "-z", "--limit", "--force=1", "-d", "--li--"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char name[] = "x", word[16];
		char *argv[] = {name, word, NULL};
		struct fyke_arguments arguments;

		(void)snprintf(word, sizeof(word), "%s", wrong[i]);
		arguments = begin(2, argv);
		assert_int_equal(fyke_options_next(&arguments), FYKE_OPTIONS_STOP);
		assert_int_equal(arguments.exit, FYKE_EXIT_USAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_parse_size),
		cmocka_unit_test(test_options_parse_duration),
		cmocka_unit_test(test_options_parse_count),
		cmocka_unit_test(test_options_walk),
		cmocka_unit_test(test_options_two_dashes_end_them),
		cmocka_unit_test(test_options_mistakes_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
