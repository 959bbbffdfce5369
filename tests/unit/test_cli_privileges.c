/* cli/privileges: rights that are given up stay given up. Each case runs in a child of its own. */
#include "cli/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { FINE = 0, SKIPPED = 77 };

static int in_child(int (*body)(void))
{
	pid_t child = fork();
	int status = -1;

	if (child == 0)
		_exit(body());
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect_fine(int (*body)(void))
{
	int result = in_child(body);

	if (result == SKIPPED)
		skip();
	assert_int_equal(result, FINE);
}

static int becomes_the_caller_of_sudo(void)
{
	struct fyke_error error;

	if (geteuid() != 0)
		return SKIPPED;
	setenv("SUDO_UID", "65534", 1);
	setenv("SUDO_GID", "65534", 1);
	if (fyke_privileges_drop(NULL, NULL, &error) != FYKE_OK)
		return 1;
	if (getuid() != 65534 || geteuid() != 65534 || getegid() != 65534)
		return 2;
	if (setuid(0) == 0 || seteuid(0) == 0)
		return 3;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 4;
	return FINE;
}

static void test_privileges_become_the_caller_of_sudo(void **state)
{
	(void)state;
	expect_fine(becomes_the_caller_of_sudo);
}

static int refuses_odd_environment(void)
{
	struct fyke_error error;

	if (geteuid() != 0)
		return SKIPPED;
	setenv("SUDO_UID", "4294967295", 1); /* "no change" to setresuid */
	setenv("SUDO_GID", "1", 1);
	if (fyke_privileges_drop(NULL, NULL, &error) != FYKE_OK)
		return 1;
	return getegid() == 1 ? 2 : FINE;
}

static void test_privileges_ignore_an_odd_environment(void **state)
{
	(void)state;
	expect_fine(refuses_odd_environment);
}

static int wants_a_user_that_exists(void)
{
	struct fyke_error error;

	if (geteuid() != 0)
		return SKIPPED;
	if (fyke_privileges_drop("no-such-user-here", NULL, &error) != FYKE_FAILED_USAGE)
		return 1;
	return strstr(error.text, "no-such-user-here") == NULL ? 2 : FINE;
}

static void test_privileges_unknown_user_is_told(void **state)
{
	(void)state;
	expect_fine(wants_a_user_that_exists);
}

/* A directory that no rule allows: not below /tmp, which SQLite may use. */
static bool forbidden_directory(char *path, size_t room)
{
	char here[4096];
	const char *base = getcwd(here, sizeof(here));

	if (base == NULL || strncmp(base, "/tmp", 4) == 0 || strncmp(base, "/var/tmp", 8) == 0)
		base = getenv("HOME");
	if (base == NULL || (size_t)snprintf(path, room, "%s/fyke-confined-XXXXXX", base) >= room)
		return false;
	return mkdtemp(path) != NULL;
}

/* Who is confined cannot remove it: a child that is not does, when its parent has ended. */
static void unlink_later(const char *directory)
{
	int ends[2];
	char byte;

	if (pipe(ends) != 0 || fork() != 0)
		return; /* the writing end stays open until the parent ends */
	close(ends[1]);
	(void)!read(ends[0], &byte, 1);
	rmdir(directory);
	_exit(0);
}

static int confined(void)
{
	char inside[] = "/tmp/fyke-confine-XXXXXX", outside[4200], path[64], file[4300];
	struct fyke_confinement confinement = {.writable = (const char *const[]){path}, .writable_count = 1};
	int fd;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return SKIPPED;
#endif
	if (syscall(444, NULL, 0, 1) < 1)
		return SKIPPED; /* a kernel without Landlock */
	if (mkdtemp(inside) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/database", inside);
	if (!forbidden_directory(outside, sizeof(outside)))
		return SKIPPED;
	(void)snprintf(file, sizeof(file), "%s/file", outside);
	unlink_later(outside);
	unlink_later(inside);
	fyke_privileges_confine(&confinement);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	if (fd < 0)
		return 3;
	close(fd);
	if (unlink(path) != 0)
		return 4;
	if (open(file, O_WRONLY | O_CREAT, 0600) >= 0 || errno != EACCES)
		return 5;
	if (open(outside, O_RDONLY | O_DIRECTORY) >= 0 || errno != EACCES)
		return 6;
	execl("/bin/true", "true", (char *)NULL);
	return errno == EACCES ? FINE : 7;
}

static void test_privileges_confine_to_paths(void **state)
{
	(void)state;
	expect_fine(confined);
}

static void test_privileges_plain_start_is_no_setuid(void **state)
{
	(void)state;
	assert_int_equal(fyke_privileges_refuse_setuid(NULL), FYKE_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_privileges_become_the_caller_of_sudo),
		cmocka_unit_test(test_privileges_ignore_an_odd_environment),
		cmocka_unit_test(test_privileges_unknown_user_is_told),
		cmocka_unit_test(test_privileges_confine_to_paths),
		cmocka_unit_test(test_privileges_plain_start_is_no_setuid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
