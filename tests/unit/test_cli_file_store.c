/* The directory of --files: names, modes, limits, holes, and a disk that is full. */
#include "cli/file_store.h"

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
	char path[64];
	struct fyke_file_directory *directory;
	const struct fyke_file_store *store;
};

static void open_with(struct fixture *fixture, uint64_t count, uint64_t bytes)
{
	const struct fyke_file_store_options options = {fixture->path, count, bytes};
	struct fyke_error error;

	assert_int_equal(fyke_file_directory_open(&options, &fixture->directory, &error), FYKE_OK);
	fixture->store = fyke_file_directory_store(fixture->directory);
}

static void set_up(struct fixture *fixture)
{
	(void)snprintf(fixture->path, sizeof(fixture->path), "%s", "/tmp/fyke-store-XXXXXX");
	assert_non_null(mkdtemp(fixture->path));
	open_with(fixture, 0, 0);
}

static size_t remove_files(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	size_t count = 0;

	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		assert_int_equal(unlinkat(dirfd(directory), entry->d_name, 0), 0);
		count++;
	}
	closedir(directory);
	return count;
}

static size_t tear_down(struct fixture *fixture)
{
	size_t count = remove_files(fixture->path);

	assert_int_equal(rmdir(fixture->path), 0);
	return count;
}

/* Saves `text`; gives its name. */
static const char *save(
	const struct fixture *fixture, uint64_t frame, const char *text, const char *type, bool complete)
{
	static char name[128];
	const struct fyke_file_store *store = fixture->store;
	void *handle = store->begin(store->context, frame);

	if (handle == NULL)
		return NULL;
	store->data(store->context, handle, (const uint8_t *)text, strlen(text));
	store->end(store->context, handle, type, complete, name, sizeof(name));
	return name;
}

static off_t size_of(const struct fixture *fixture, const char *name, mode_t *mode)
{
	char path[256];
	struct stat info;

	(void)snprintf(path, sizeof(path), "%s/%s", fixture->path, name);
	assert_int_equal(lstat(path, &info), 0);
	*mode = info.st_mode;
	return info.st_size;
}

static void test_file_store_names(void **state)
{
	struct fixture fixture;
	mode_t mode;

	(void)state;
	set_up(&fixture);
	assert_string_equal(save(&fixture, 7, "abc", "image/png", true), "7-1.png");
	assert_string_equal(save(&fixture, 7, "def", "image/../x", true), "7-1.bin");
	assert_string_equal(save(&fixture, 7, "ghi", NULL, false), "7-1.part");
	assert_string_equal(save(&fixture, 7, "xyz", "image/png", true), "7-2.png");
	assert_string_equal(save(&fixture, 8, "jklm", "text/plain", false), "8-1.part");
	assert_int_equal(size_of(&fixture, "8-1.part", &mode), 4);
	assert_int_equal(mode, S_IFREG | 0600);
	assert_string_equal(save(&fixture, 9, "", NULL, true), "");
	assert_true(fyke_file_directory_close(fixture.directory, "test"));
	assert_int_equal(tear_down(&fixture), 5);
}

/* What is there stays, links are not followed. */
static void test_file_store_replaces_nothing(void **state)
{
	struct fixture fixture;
	char path[256], target[256];
	mode_t mode;

	(void)state;
	set_up(&fixture);
	(void)snprintf(path, sizeof(path), "%s/5-1.part", fixture.path);
	(void)snprintf(target, sizeof(target), "%s/target", fixture.path);
	assert_int_equal(symlink(target, path), 0);
	assert_string_equal(save(&fixture, 5, "abc", "image/png", true), "5-1.png");
	assert_int_equal(access(target, F_OK), -1);
	assert_int_equal(size_of(&fixture, "5-1.part", &mode), (off_t)strlen(target));
	assert_true(fyke_file_directory_close(fixture.directory, "test"));
	assert_int_equal(tear_down(&fixture), 2);
}

/* What follows a hole is not written, and the name says that it is a part. */
static void test_file_store_holes(void **state)
{
	struct fixture fixture;
	char name[128];
	void *handle;
	mode_t mode;

	(void)state;
	set_up(&fixture);
	handle = fixture.store->begin(fixture.store->context, 1);
	fixture.store->data(fixture.store->context, handle, (const uint8_t *)"before", 6);
	fixture.store->gap(fixture.store->context, handle, 10);
	fixture.store->data(fixture.store->context, handle, (const uint8_t *)"behind", 6);
	fixture.store->end(fixture.store->context, handle, "text/plain", true, name, sizeof(name));
	assert_string_equal(name, "1-1.part");
	assert_int_equal(size_of(&fixture, name, &mode), 6);
	handle = fixture.store->begin(fixture.store->context, 2);
	fixture.store->data(fixture.store->context, handle, (const uint8_t *)"none", 4);
	fixture.store->discard(fixture.store->context, handle);
	assert_true(fyke_file_directory_close(fixture.directory, "test"));
	assert_int_equal(tear_down(&fixture), 1);
}

static void test_file_store_limits(void **state)
{
	struct fixture fixture;
	mode_t mode;

	(void)state;
	set_up(&fixture);
	assert_true(fyke_file_directory_close(fixture.directory, "test"));
	open_with(&fixture, 3, 10);
	assert_string_equal(save(&fixture, 1, "12345678", "text/plain", true), "1-1.txt");
	assert_string_equal(save(&fixture, 2, "12345678", "text/plain", true), "2-1.part");
	assert_int_equal(size_of(&fixture, "2-1.part", &mode), 2);
	assert_null(save(&fixture, 3, "1", "text/plain", true));
	assert_true(fyke_file_directory_close(fixture.directory, "test"));
	open_with(&fixture, 1, 0);
	assert_non_null(save(&fixture, 4, "1", "text/plain", true));
	assert_null(save(&fixture, 5, "1", "text/plain", true));
	assert_true(fyke_file_directory_close(fixture.directory, "test"));
	assert_int_equal(tear_down(&fixture), 3);
}

/* More files on their way than descriptors are kept, each larger than the buffer. */
static void test_file_store_many_at_once(void **state)
{
	enum { FILES = 150, PIECE = 50000, PIECES = 3 };
	static uint8_t bytes[PIECE];
	struct fixture fixture;
	void *handles[FILES];
	char name[128];
	mode_t mode;

	(void)state;
	set_up(&fixture);
	for (size_t i = 0; i < FILES; i++)
		assert_non_null(handles[i] = fixture.store->begin(fixture.store->context, i));
	for (size_t piece = 0; piece < PIECES; piece++) {
		for (size_t i = 0; i < FILES; i++)
			fixture.store->data(fixture.store->context, handles[i], bytes, PIECE);
	}
	for (size_t i = 0; i < FILES; i++) {
		fixture.store->end(fixture.store->context, handles[i], NULL, true, name, sizeof(name));
		assert_int_equal(size_of(&fixture, name, &mode), PIECE * PIECES);
	}
	assert_true(fyke_file_directory_close(fixture.directory, "test"));
	assert_int_equal(tear_down(&fixture), FILES);
}

/* A limit of the process on file sizes stands for a disk that is full. */
static void test_file_store_write_fails(void **state)
{
	struct rlimit old, small;
	struct fixture fixture;

	(void)state;
	set_up(&fixture);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){4, old.rlim_max};
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_string_equal(save(&fixture, 1, "12345678", "text/plain", true), "1-1.part");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_null(save(&fixture, 2, "1", "text/plain", true));
	assert_false(fyke_file_directory_close(fixture.directory, "test"));
	assert_int_equal(tear_down(&fixture), 1);
}

static void test_file_store_directory(void **state)
{
	struct fyke_file_store_options options = {NULL, 0, 0};
	struct fyke_file_directory *directory;
	struct fyke_error error;
	struct fixture fixture;
	char path[128];

	(void)state;
	assert_int_equal(fyke_file_directory_open(&options, &directory, &error), FYKE_OK);
	assert_null(directory);
	set_up(&fixture);
	assert_true(fyke_file_directory_close(fixture.directory, "test"));
	(void)snprintf(path, sizeof(path), "%s/new", fixture.path);
	options.directory = path;
	assert_int_equal(fyke_file_directory_open(&options, &directory, &error), FYKE_OK);
	assert_true(fyke_file_directory_close(directory, "test"));
	assert_int_equal(rmdir(path), 0);
	close(creat(path, 0600));
	assert_int_equal(fyke_file_directory_open(&options, &directory, &error), FYKE_FAILED_IO);
	assert_int_equal(tear_down(&fixture), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_store_names),
		cmocka_unit_test(test_file_store_replaces_nothing),
		cmocka_unit_test(test_file_store_holes),
		cmocka_unit_test(test_file_store_limits),
		cmocka_unit_test(test_file_store_many_at_once),
		cmocka_unit_test(test_file_store_write_fails),
		cmocka_unit_test(test_file_store_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
