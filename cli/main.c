/* fyke COMMAND …: finds the command, runs it, and sees that standard output was really written. */
#include "cli/command.h"
#include "cli/frame.h"
#include "cli/privileges.h"
#include "storage/database.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAP_KEPT = 32 << 20, HEAP_LARGE = 4 << 20 };

/* A database must never land on descriptor 2 because the caller had closed it. */
static void occupy_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
			(void)!open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
	}
}

/* Memory that a tick gives back is taken again by the next: the kernel would hand it out as fresh pages. What
 * is large is mapped on its own, so that tables grow without a copy. */
static void steady_heap(void)
{
	(void)mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
	(void)mallopt(M_MMAP_THRESHOLD, HEAP_LARGE);
}

/* A reader that went away is no failure; a full disk is. */
static int flush_standard_output(int result)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return result;
	if (errno == EPIPE)
		return result;
	fyke_warn(NULL, "cannot write to standard output: %s", strerror(errno));
	return result == FYKE_EXIT_DONE ? FYKE_EXIT_FAILED : result;
}

static int unknown_command(const char *name)
{
	const char *near = fyke_command_nearest(name);

	if (near != NULL)
		fyke_warn(NULL, "unknown command \"%s\": did you mean \"%s\"?", name, near);
	else
		fyke_warn(NULL, "unknown command \"%s\"; `fyke help` lists them", name);
	return FYKE_EXIT_USAGE;
}

static int run(int argc, char **argv)
{
	static char help[] = "help", version[] = "version";
	const struct fyke_command *command;
	struct fyke_error error;

	if (argc < 2) {
		fyke_print_overview(stdout);
		return FYKE_EXIT_DONE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		argv[1] = help;
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
		argv[1] = version;
	command = fyke_command_find(argv[1]);
	if (command == NULL)
		return unknown_command(argv[1]);
	if (!command->drops_by_itself && fyke_privileges_drop(NULL, NULL, &error) != FYKE_OK)
		return fyke_fail(argv[1], &error);
	return command->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	struct fyke_error error;

	occupy_standard_descriptors();
	steady_heap();
	umask(077);
	fyke_database_spare_locks();
	if (fyke_privileges_refuse_setuid(&error) != FYKE_OK)
		return fyke_fail(NULL, &error);
	return flush_standard_output(run(argc, argv));
}
