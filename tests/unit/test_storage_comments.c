/* Interfaces and comments of a run: what is stored, when, and that a run made anew replaces them. */
#include "tests/unit/storage_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct fyke_capture_interface described[] = {
	{.name = "eth0",
		.description = "Wi-Fi \xff",
		.comment = "one\ntwo",
		.os = "Plan 9",
		.hardware = "wire",
		.filter = "tcp",
		.link_type = "Ethernet",
		.snaplen = 96},
	{.name = "", .description = "", .link_type = "link type 147", .file = 1},
	{.name = "x", .description = "", .link_type = "Ethernet", .file = 77},
};

static struct fyke_tick *tick_with_comments(void)
{
	static const struct fyke_tick_comment list[] = {{.frame = 3, .file = 0, .text = "first", .length = 5},
		{.frame = 3, .file = 0, .text = "\0\x1b\xff'", .length = 4},
		{.frame = 9, .file = 1, .text = "other file", .length = 10}};
	struct fyke_tick *tick = tick_new(0);

	session_new(tick, 1, 0);
	tick->comments =
		(struct fyke_tick_comment *)(void *)fyke_arena_copy(&tick->arena, list, sizeof(list));
	tick->comment_count = sizeof(list) / sizeof(list[0]);
	return tick;
}

static int64_t store_comments(const struct scene *scene, size_t ticks)
{
	static const char *const fingerprints[] = {"aa", "bb"};
	struct fyke_capture_file files[2];
	struct fyke_capture capture = capture_of(files, 2, fingerprints);
	struct fyke_writer *writer = writer_of(scene, &capture, false);

	for (size_t i = 0; i < ticks; i++)
		writer_take(writer, i == 0 ? tick_with_comments() : tick_new(i));
	files[0].application = "Editor 1.2";
	files[0].os = "Plan 9";
	files[1].hardware = "toaster";
	files[1].comment = "of the second file";
	capture.interfaces = described;
	capture.interface_count = sizeof(described) / sizeof(described[0]);
	return writer_done(writer, &capture);
}

static void test_storage_comments_are_stored(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(store_comments(scene, 2), 1);
	assert_string_equal(ask(scene, "SELECT group_concat(n || ':' || file_id || ':' || ifnull(frame, '-') "
				       "|| ':' || text, ' ')"
				       " FROM (SELECT * FROM comments ORDER BY n)"),
		"1:1:3:first 2:1:3:\\x00\x1b\\xff' 3:2:9:other file 4:2:-:of the second file");
	assert_string_equal(
		ask(scene, "SELECT group_concat(ifnull(application, '-') || '|' || ifnull(os, '-') || '|'"
			   " || ifnull(hardware, '-'), ' ') FROM files"),
		"Editor 1.2|Plan 9|- -|-|toaster");
}

static void test_storage_interfaces_are_stored(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(store_comments(scene, 1), 1);
	assert_string_equal(
		ask(scene,
			"SELECT group_concat(coalesce(file_id, '-') || '|' || coalesce(name, '-') || '|' ||"
			" coalesce(description, '-') || '|' || link_type || '|' || coalesce(snaplen, '-') ||"
			" '|' || coalesce(filter, '-') || '|' || coalesce(comment, '-'), ' ')"
			" FROM (SELECT * FROM interfaces ORDER BY position)"),
		"1|eth0|Wi-Fi \\xff|Ethernet|96|tcp|one\ntwo 2|-|-|link type 147|-|-|- -|x|-|Ethernet|-|-|-");
}

static void test_storage_comments_are_replaced(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(store_comments(scene, 1), 1);
	assert_int_equal(store_comments(scene, 1), 2);
	assert_string_equal(ask(scene, "SELECT group_concat(DISTINCT capture_id) FROM comments"), "2");
	assert_string_equal(ask(scene, "SELECT group_concat(DISTINCT capture_id) FROM interfaces"), "2");
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM comments"), 4);
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM interfaces"), 3);
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

/* The interface that a monitor listens on is known from the start, and stands there once. */
static void test_storage_interfaces_live(void **state)
{
	static const struct fyke_capture_interface eth0 = {
		.name = "eth0", .description = "", .link_type = "Ethernet", .snaplen = 262144};
	struct fyke_capture capture = capture_live();
	struct scene *scene = *state;
	struct fyke_writer *writer;

	capture.interfaces = &eth0;
	capture.interface_count = 1;
	writer = writer_of(scene, &capture, true);
	assert_string_equal(
		ask(scene, "SELECT name || link_type || snaplen FROM interfaces"), "eth0Ethernet262144");
	writer_take(writer, tick_new(0));
	(void)writer_done(writer, &capture);
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM interfaces WHERE file_id IS NULL"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_storage_comments_are_stored, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_storage_interfaces_are_stored, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_storage_comments_are_replaced, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_storage_interfaces_live, scene_setup, scene_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
