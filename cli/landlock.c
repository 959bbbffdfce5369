/*
 * Landlock (Linux 5.13 and later) by raw system calls; the structures are the kernel's ABI, written
 * out here so that older kernel headers do. Rights that a kernel does not know are not asked for.
 *
 * Left out: `ioctl` on devices and scoping of signals (ABI 5 and 6), which need no paths and would
 * break terminals that fyke asks for their size.
 */
#include "cli/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446, VERSION_FLAG = 1, RULE_PATH_BENEATH = 1 };

enum {
	EXECUTE = 1 << 0,
	WRITE_FILE = 1 << 1,
	READ_FILE = 1 << 2,
	READ_DIR = 1 << 3,
	REMOVE_DIR = 1 << 4,
	REMOVE_FILE = 1 << 5,
	MAKE_REG = 1 << 8,
	ALL_OF_VERSION_1 = (1 << 13) - 1,
	REFER = 1 << 13,
	TRUNCATE = 1 << 14,
	BIND_AND_CONNECT_TCP = 3,
	READ = READ_FILE | READ_DIR,
	CHANGE = READ | WRITE_FILE | REMOVE_FILE | MAKE_REG | TRUNCATE,
	FILE_ONLY = EXECUTE | WRITE_FILE | READ_FILE |
		    TRUNCATE, /* the rights that a rule on a plain file may hold */
};

struct ruleset {
	uint64_t files, network;
};

struct path_rule {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

struct wall {
	int fd;
	uint64_t handled;
};

static bool open_wall(struct wall *wall)
{
	long version = syscall(CREATE_RULESET, NULL, 0, VERSION_FLAG);
	struct ruleset ruleset = {.files = ALL_OF_VERSION_1};

	if (version < 1)
		return false;
	if (version >= 2)
		ruleset.files |= REFER;
	if (version >= 3)
		ruleset.files |= TRUNCATE;
	if (version >= 4)
		ruleset.network = BIND_AND_CONNECT_TCP;
	wall->handled = ruleset.files;
	wall->fd = (int)syscall(
		CREATE_RULESET, &ruleset, version >= 4 ? sizeof(ruleset) : sizeof(ruleset.files), 0);
	return wall->fd >= 0;
}

static void allow(const struct wall *wall, const char *path, uint64_t rights)
{
	struct path_rule rule = {.allowed = rights & wall->handled};
	struct stat info;

	rule.parent = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent < 0)
		return;
	if (fstat(rule.parent, &info) == 0 && !S_ISDIR(info.st_mode))
		rule.allowed &= FILE_ONLY;
	(void)syscall(ADD_RULE, wall->fd, RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent);
}

/* A file that will be created, with its journal beside it or a temporary name: its directory, and the
 * directory of what it points to when it is a link. */
static void allow_directory_of(const struct wall *wall, const char *path)
{
	char directory[PATH_MAX], *slash;
	char *real = realpath(path, NULL);

	for (int turn = 0; turn < 2; turn++) {
		const char *name = turn == 0 ? path : real;

		if (name == NULL || strlen(name) >= sizeof(directory))
			continue;
		strncpy(directory, name, sizeof(directory));
		slash = strrchr(directory, '/');
		if (slash == NULL)
			allow(wall, ".", CHANGE);
		else if (slash == directory)
			allow(wall, "/", CHANGE);
		else {
			*slash = '\0';
			allow(wall, directory, CHANGE);
		}
	}
	free(real);
}

static void allow_system(const struct wall *wall)
{
	static const char *const read_only[] = {
		"/usr", "/etc", "/lib", "/lib64", "/proc", "/sys", "/dev", "/run/systemd"};
	static const char *const temporary[] = {"/tmp", "/var/tmp", "/usr/tmp"};
	static const char *const variables[] = {"SQLITE_TMPDIR", "TMPDIR"};

	for (size_t i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++)
		allow(wall, read_only[i], READ);
	for (size_t i = 0; i < sizeof(temporary) / sizeof(temporary[0]); i++)
		allow(wall, temporary[i], CHANGE);
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *directory = getenv(variables[i]);

		if (directory != NULL)
			allow(wall, directory, CHANGE);
	}
	allow(wall, "/dev/null", READ_FILE | WRITE_FILE);
	allow(wall, "/dev/tty", READ_FILE | WRITE_FILE);
	allow(wall, "/dev/stdout", READ_FILE | WRITE_FILE);
}

static bool is_path(const char *path)
{
	return path != NULL && strcmp(path, "-") != 0;
}

void fyke_privileges_confine(const struct fyke_confinement *confinement)
{
	struct wall wall;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return; /* their reports start a symbolizer */
#endif
	if (!open_wall(&wall))
		return;
	for (size_t i = 0; i < confinement->writable_count; i++) {
		if (is_path(confinement->writable[i]))
			allow_directory_of(&wall, confinement->writable[i]);
	}
	if (confinement->directory != NULL)
		allow(&wall, confinement->directory, CHANGE);
	for (size_t i = 0; i < confinement->readable_count; i++) {
		if (is_path(confinement->readable[i]))
			allow(&wall, confinement->readable[i], READ);
	}
	allow_system(&wall);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)syscall(RESTRICT_SELF, wall.fd, 0);
	close(wall.fd);
}
