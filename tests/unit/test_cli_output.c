/* cli/output: what may be written. cli/progress: its line. */
#include "cli/output.h"
#include "cli/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
	char directory[32], file[48], other[48];
};

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	*state = place;
	if (place == NULL)
		return -1;
	(void)snprintf(place->directory, sizeof(place->directory), "/tmp/fyke-output-XXXXXX");
	if (mkdtemp(place->directory) == NULL)
		return -1;
	(void)snprintf(place->file, sizeof(place->file), "%s/file", place->directory);
	(void)snprintf(place->other, sizeof(place->other), "%s/other", place->directory);
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;
	int result;

	unlink(place->file);
	unlink(place->other);
	result = rmdir(place->directory); /* fails where a temporary file was left behind */
	free(place);
	return result;
}

static void put(const char *path, const void *bytes, size_t length)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	fclose(file);
}

static void assert_holds(const char *path, const char *text)
{
	char bytes[64] = {0};
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_int_equal(fread(bytes, 1, sizeof(bytes) - 1, file), strlen(text));
	assert_string_equal(bytes, text);
	fclose(file);
}

static void test_output_appears_when_committed(void **state)
{
	const struct place *place = *state;
	struct fyke_output output;
	struct stat info;

	assert_int_equal(fyke_output_open(place->file, false, &output, NULL), FYKE_OK);
	fputs("whole", output.file);
	assert_int_not_equal(access(place->file, F_OK), 0);
	assert_int_equal(fyke_output_commit(&output, NULL), FYKE_OK);
	assert_holds(place->file, "whole");
	assert_int_equal(stat(place->file, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
}

static void test_output_discarded_leaves_nothing(void **state)
{
	const struct place *place = *state;
	struct fyke_output output;

	assert_int_equal(fyke_output_open(place->file, false, &output, NULL), FYKE_OK);
	fputs("half", output.file);
	fyke_output_discard(&output);
	assert_int_not_equal(access(place->file, F_OK), 0);
}

static void test_output_missing_directory_is_told(void **state)
{
	struct fyke_output output;
	struct fyke_error error;

	(void)state;
	assert_int_equal(fyke_output_open("/nonexistent/file", false, &output, &error), FYKE_FAILED_IO);
	assert_non_null(strstr(error.text, "/nonexistent/file"));
}

static void test_output_full_device_is_told(void **state)
{
	struct fyke_output output;
	struct fyke_error error;

	(void)state;
	assert_int_equal(fyke_output_open("/dev/full", false, &output, &error), FYKE_OK);
	fputs("x", output.file);
	assert_int_equal(fyke_output_commit(&output, &error), FYKE_FAILED_IO);
	assert_non_null(strstr(error.text, "/dev/full"));
}

static void test_output_replaces_only_by_force(void **state)
{
	const struct place *place = *state;
	struct fyke_output output;
	struct fyke_error error;

	assert_int_equal(fyke_output_check(place->file, false, NULL, 0, &error), FYKE_OK);
	put(place->file, "old", 3);
	assert_int_equal(fyke_output_check(place->file, false, NULL, 0, &error), FYKE_FAILED_USAGE);
	assert_non_null(strstr(error.text, "--force"));
	assert_int_equal(fyke_output_check(place->file, true, NULL, 0, &error), FYKE_OK);
	/* it came into being after the check */
	assert_int_equal(fyke_output_open(place->file, false, &output, &error), FYKE_OK);
	assert_int_equal(fyke_output_commit(&output, &error), FYKE_FAILED_IO);
	assert_holds(place->file, "old");
	assert_int_equal(fyke_output_open(place->file, true, &output, &error), FYKE_OK);
	fputs("new", output.file);
	assert_int_equal(fyke_output_commit(&output, &error), FYKE_OK);
	assert_holds(place->file, "new");
}

static void test_output_never_replaces_a_capture(void **state)
{
	static const char pcap[] = "\xd4\xc3\xb2\xa1\x02\x00\x04\x00";
	const struct place *place = *state;
	struct fyke_error error;
	const char *inputs[] = {"-", place->other};

	put(place->file, pcap, 8);
	assert_int_equal(fyke_output_check(place->file, true, NULL, 0, &error), FYKE_FAILED_USAGE);
	put(place->file, "\n\r\r\n12345678", 12);
	assert_int_equal(fyke_output_check(place->file, true, NULL, 0, &error), FYKE_FAILED_USAGE);
	/* an input under another name, whatever is in it */
	put(place->file, "gzip or so", 10);
	assert_int_equal(link(place->file, place->other), 0);
	assert_int_equal(fyke_output_check(place->file, true, inputs, 2, &error), FYKE_FAILED_USAGE);
	assert_int_equal(fyke_output_not_input(place->file, inputs, 2, &error), FYKE_FAILED_USAGE);
	assert_int_equal(fyke_output_not_input(place->file, inputs, 1, &error), FYKE_OK);
}

static void test_output_directory_is_told(void **state)
{
	const struct place *place = *state;
	struct fyke_error error;

	assert_int_equal(fyke_output_check(place->directory, true, NULL, 0, &error), FYKE_FAILED_USAGE);
}

static void test_output_device_and_standard_output_pass(void **state)
{
	(void)state;
	assert_int_equal(fyke_output_check("/dev/null", false, NULL, 0, NULL), FYKE_OK);
	assert_int_equal(fyke_output_check("-", false, NULL, 0, NULL), FYKE_OK);
}

static void test_progress_line(void **state)
{
	struct fyke_source_counters source = {.input_bytes = 250000000, .input_bytes_all = 1000000000};
	char line[256];

	(void)state;
	fyke_progress_line(line, sizeof(line), 120, 123456, &source, 1000000000);
	assert_string_equal(
		line, "[#####---------------] 25 % of 1.0 GB, 123,456 packets, 250.0 MB/s, 3 s left");
	fyke_progress_line(line, sizeof(line), 30, 123456, &source, 1000000000);
	assert_string_equal(line, "25 % of 1.0 GB, 123,456 packet");
	source.input_bytes_all = 0;
	fyke_progress_line(line, sizeof(line), 120, 1, &source, 2000000000);
	assert_string_equal(line, "250.0 MB read, 1 packets, 125.0 MB/s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_output_appears_when_committed, make_place, remove_place),
		cmocka_unit_test_setup_teardown(
			test_output_discarded_leaves_nothing, make_place, remove_place),
		cmocka_unit_test(test_output_missing_directory_is_told),
		cmocka_unit_test(test_output_full_device_is_told),
		cmocka_unit_test_setup_teardown(test_output_replaces_only_by_force, make_place, remove_place),
		cmocka_unit_test_setup_teardown(
			test_output_never_replaces_a_capture, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_output_directory_is_told, make_place, remove_place),
		cmocka_unit_test(test_output_device_and_standard_output_pass),
		cmocka_unit_test(test_progress_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
