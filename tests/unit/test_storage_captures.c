/* Runs: the same files again, files that are known, runs that died, and a full disk. */
#include "tests/unit/storage_support.h"

#include "storage/captures.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { STOPPED = 42 };

static struct fyke_tick *tick_of(uint32_t sessions)
{
	struct fyke_tick *tick = tick_new(0);

	for (uint32_t i = 0; i < sessions; i++) {
		struct fyke_session *session = session_new(tick, 1 + i, 0);
		const struct fyke_value part[] = {value_integer(0), value_text("\x05")};

		session_add_tcp(tick, session);
		session_set_history(session, FYKE_STATE_SF, "ShADadFf");
		session_add_record(tick, session, &fyke_table_session_frames, 0, part);
	}
	tick_add_time(tick, 10, "http", 5);
	return tick;
}

static int64_t store_files(const struct scene *scene, size_t count, const char *const *fingerprints,
	enum fyke_capture_status status)
{
	struct fyke_capture_file files[4];
	struct fyke_capture capture = capture_of(files, count, fingerprints);
	struct fyke_writer *writer = writer_of(scene, &capture, false);

	writer_take(writer, tick_of(300));
	capture.status = status;
	return writer_done(writer, &capture);
}

static void test_captures_same_files_replace(void **state)
{
	static const char *const first[] = {"aa", "bb"}, *const second[] = {"bb", "aa"};
	struct scene *scene = *state;

	assert_int_equal(store_files(scene, 2, first, FYKE_CAPTURE_COMPLETE), 1);
	assert_int_equal(store_files(scene, 2, second, FYKE_CAPTURE_DAMAGED), 2);
	assert_string_equal(ask(scene, "SELECT group_concat(id || status) FROM captures"), "2damaged");
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM sessions"), 300);
	assert_int_equal(
		ask_number(scene, "SELECT count(*) FROM tcp JOIN session_frames USING(session_id)"), 300);
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM files"), 2);
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM hosts"), 2);
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM ports"), 1);
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM timeline"), 1);
	assert_sound(scene);
}

static void test_captures_interrupted_does_not_replace(void **state)
{
	static const char *const files[] = {"aa"};
	struct scene *scene = *state;

	store_files(scene, 1, files, FYKE_CAPTURE_COMPLETE);
	store_files(scene, 1, files, FYKE_CAPTURE_INTERRUPTED);
	assert_string_equal(
		ask(scene, "SELECT group_concat(id || status) FROM captures"), "1complete,2interrupted");
	store_files(scene, 1, files, FYKE_CAPTURE_INTERRUPTED);
	assert_string_equal(
		ask(scene, "SELECT group_concat(id || status) FROM captures"), "1complete,3interrupted");
	store_files(scene, 1, files, FYKE_CAPTURE_COMPLETE);
	assert_string_equal(ask(scene, "SELECT group_concat(id || status) FROM captures"), "4complete");
	assert_sound(scene);
}

static void test_captures_known_file_is_refused(void **state)
{
	static const char *const first[] = {"aa", "bb"}, *const second[] = {"bb", "cc"};
	struct scene *scene = *state;
	struct fyke_capture_file files[2];
	struct fyke_capture capture = capture_of(files, 2, second);
	struct fyke_writer_options options = {.path = scene->path};
	struct fyke_writer *writer = NULL;
	struct fyke_error error = {.text = ""};

	store_files(scene, 2, first, FYKE_CAPTURE_COMPLETE);
	files[0].name = "bb.pcap";
	assert_int_equal(fyke_writer_open(&options, &capture, &writer, &error), FYKE_FAILED_USAGE);
	assert_null(writer);
	assert_string_equal(
		error.text, "bb.pcap: already stored in capture 1 (a.pcap); --again stores it once more");
	assert_int_equal(
		ask_number(scene, "SELECT count(*) FROM captures JOIN files ON capture_id = captures.id"), 2);
	options.again = true;
	assert_int_equal(fyke_writer_open(&options, &capture, &writer, &error), FYKE_OK);
	writer_done(writer, &capture);
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM captures"), 2);
}

/* Standard input tells its fingerprint at the end. */
static void test_captures_standard_input_replaces_at_the_end(void **state)
{
	static const char *const known[] = {"aa"}, *const unknown[] = {""};
	struct scene *scene = *state;
	struct fyke_capture_file file;
	struct fyke_capture capture = capture_of(&file, 1, unknown);
	struct fyke_writer *writer;

	store_files(scene, 1, known, FYKE_CAPTURE_COMPLETE);
	writer = writer_of(scene, &capture, false);
	assert_string_equal(
		ask(scene, "SELECT group_concat(id || status) FROM captures"), "1complete,2running");
	(void)snprintf(file.fingerprint, sizeof(file.fingerprint), "aa");
	writer_done(writer, &capture);
	assert_string_equal(
		ask(scene, "SELECT group_concat(id || status || fingerprint) FROM captures"), "2completeaa");
}

/* What happens in a child that ends by _exit; its exit code. */
static int in_child(const struct scene *scene, void (*function)(const struct scene *scene))
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		function(scene);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void die_while_loading(const struct scene *scene)
{
	static const char *const fingerprints[] = {"dd"};
	struct fyke_capture_file file;
	struct fyke_capture capture = capture_of(&file, 1, fingerprints);
	struct fyke_writer *writer = writer_of(scene, &capture, false);

	for (uint64_t t = 0; fyke_writer_counters(writer).transactions < 3; t++) {
		struct fyke_tick *tick = tick_new(t);

		for (uint32_t i = 0; i < 4000; i++)
			session_add_tcp(tick, session_new(tick, 1 + t * 4000 + i, 0));
		writer_take(writer, tick);
	}
	_exit(STOPPED);
}

static void test_captures_killed_while_loading(void **state)
{
	static const char *const other[] = {"ee"}, *const same[] = {"dd"};
	struct scene *scene = *state;

	assert_int_equal(in_child(scene, die_while_loading), STOPPED);
	assert_sound(scene);
	assert_string_equal(ask(scene, "SELECT group_concat(id || status) FROM captures"), "1running");
	assert_true(ask_number(scene, "SELECT count(*) FROM sessions") >= 75000);
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM sessions LEFT JOIN tcp ON session_id = id"
					   " WHERE session_id IS NULL"),
		0);
	store_files(scene, 1, other, FYKE_CAPTURE_COMPLETE);
	assert_string_equal(
		ask(scene, "SELECT group_concat(id || status) FROM captures"), "1interrupted,2complete");
	store_files(scene, 1, same, FYKE_CAPTURE_COMPLETE);
	assert_string_equal(
		ask(scene, "SELECT group_concat(id || status) FROM captures"), "2complete,3complete");
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM sessions"), 600);
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM pragma_index_list('sessions')"), 10);
	assert_sound(scene);
}

static void store_one(const struct scene *scene)
{
	struct fyke_capture capture = capture_live();
	struct fyke_writer *writer = writer_of(scene, &capture, true);

	writer_take(writer, tick_of(100));
	writer_done(writer, &capture);
}

/* A monitor that has stored 100 sessions, says so, and goes on when it is told to. */
static void store_slowly(const struct scene *scene, int told, int tell)
{
	struct fyke_capture capture = capture_live();
	struct fyke_writer *writer = writer_of(scene, &capture, true);
	char byte = 0;

	writer_take(writer, tick_of(100));
	if (write(tell, &byte, 1) != 1 || read(told, &byte, 1) != 1)
		_exit(1);
	writer_take(writer, tick_new(1));
	writer_done(writer, &capture);
	_exit(0);
}

/* Two monitors on one database at once: each leaves the other's run alone. Both are children, for a
 * process with threads must not go on after fork. */
static void test_captures_two_writers(void **state)
{
	struct scene *scene = *state;
	int to[2], from[2], status = 0;
	char byte = 0;
	pid_t child;

	assert_int_equal(pipe(to), 0);
	assert_int_equal(pipe(from), 0);
	child = fork();
	if (child == 0)
		store_slowly(scene, to[0], from[1]);
	assert_int_equal(read(from[0], &byte, 1), 1);
	assert_int_equal(in_child(scene, store_one), 0);
	assert_string_equal(
		ask(scene, "SELECT group_concat(id || status) FROM captures"), "1running,2complete");
	assert_int_equal(write(to[1], &byte, 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_string_equal(
		ask(scene, "SELECT group_concat(id || status) FROM captures"), "1complete,2complete");
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM sessions"), 200);
	assert_int_equal(ask_number(scene, "SELECT count(DISTINCT fingerprint) FROM captures"), 2);
	assert_sound(scene);
	for (int i = 0; i < 2; i++) {
		(void)close(to[i]);
		(void)close(from[i]);
	}
}

static void test_captures_given_up(void **state)
{
	struct scene *scene = *state;
	struct fyke_capture capture = capture_live();
	struct fyke_writer *writer = writer_of(scene, &capture, true);

	writer_take(writer, tick_of(100));
	assert_int_equal(fyke_writer_finish(writer, NULL, NULL, NULL, NULL), FYKE_OK);
	assert_string_equal(ask(scene, "SELECT status FROM captures"), "interrupted");
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM sessions"), 100);
}

static void fill_a_small_disk(const struct scene *scene)
{
	static const char *const fingerprints[] = {"ff"};
	struct fyke_capture_file file;
	struct fyke_capture capture = capture_of(&file, 1, fingerprints);
	struct fyke_error error = {.text = ""};
	struct fyke_writer *writer;
	struct fyke_sink sink;
	enum fyke_status status = FYKE_OK;

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("none", scene->directory, "tmpfs", 0, "size=64m") != 0)
		_exit(STOPPED);
	writer = writer_of(scene, &capture, false);
	sink = fyke_writer_sink(writer);
	for (uint64_t t = 0; t < 1000 && status == FYKE_OK; t++) {
		struct fyke_tick *tick = tick_new(t);

		for (uint32_t i = 0; i < 4000; i++)
			session_add_tcp(tick, session_new(tick, 1 + t * 4000 + i, 0));
		status = sink.take(sink.context, tick, &error);
	}
	if (status != FYKE_FAILED_IO || strstr(error.text, "the disk is full") == NULL)
		_exit(1);
	if (fyke_writer_finish(writer, &capture, NULL, NULL, &error) != FYKE_FAILED_IO)
		_exit(2);
	if (ask_number(scene, "SELECT count(*) FROM sessions") < 50000 / 2 - 8000)
		_exit(3);
	if (strcmp(ask(scene, "PRAGMA integrity_check"), "ok") != 0)
		_exit(4);
	if (ask_number(scene, "SELECT count(*) FROM captures WHERE status IN ('running', 'interrupted')") !=
		1)
		_exit(5);
}

static void test_captures_disk_full(void **state)
{
	int result = in_child(*state, fill_a_small_disk);

	if (result == STOPPED)
		skip();
	assert_int_equal(result, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_captures_same_files_replace, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_captures_interrupted_does_not_replace, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_captures_known_file_is_refused, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_captures_standard_input_replaces_at_the_end, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_captures_killed_while_loading, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_captures_two_writers, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_captures_given_up, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_captures_disk_full, scene_setup, scene_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
