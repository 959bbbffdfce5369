/*
 * Output files: a temporary name in the same directory, then link() (which refuses to replace) or,
 * with --force, rename(). Devices and pipes are written directly.
 */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_standard(const char *path)
{
	return strcmp(path, "-") == 0;
}

/* pcap in both orders and all kinds, and pcapng; compressed captures are not looked into. */
static bool is_capture(const char *path)
{
	static const uint32_t magics[] = {
		0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1, 0xa1b2cd34, 0x34cdb2a1, 0x0a0d0d0a};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	uint32_t magic;
	bool found = false;

	if (fd < 0)
		return false;
	if (read(fd, &magic, sizeof(magic)) == (ssize_t)sizeof(magic)) {
		for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
			found = found || magic == magics[i];
	}
	close(fd);
	return found;
}

enum fyke_status fyke_output_not_input(
	const char *path, const char *const *inputs, size_t count, struct fyke_error *error)
{
	struct stat ours, theirs;

	if (is_standard(path) || stat(path, &ours) != 0)
		return FYKE_OK;
	for (size_t i = 0; i < count; i++) {
		if (!is_standard(inputs[i]) && stat(inputs[i], &theirs) == 0 &&
			ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino)
			return fyke_error_set(error, FYKE_FAILED_USAGE,
				"%s is a capture to be read: it is never written to", path);
	}
	return FYKE_OK;
}

enum fyke_status fyke_output_check(
	const char *path, bool force, const char *const *inputs, size_t count, struct fyke_error *error)
{
	struct stat info;
	enum fyke_status status = fyke_output_not_input(path, inputs, count, error);

	if (status != FYKE_OK || is_standard(path) || stat(path, &info) != 0)
		return status;
	if (S_ISDIR(info.st_mode))
		return fyke_error_set(error, FYKE_FAILED_USAGE, "%s is a directory", path);
	if (!S_ISREG(info.st_mode))
		return FYKE_OK;
	if (is_capture(path))
		return fyke_error_set(
			error, FYKE_FAILED_USAGE, "%s is a capture: it is never replaced", path);
	if (!force)
		return fyke_error_set(
			error, FYKE_FAILED_USAGE, "%s exists already; --force replaces it", path);
	return FYKE_OK;
}

static enum fyke_status failed(const struct fyke_output *output, struct fyke_error *error)
{
	enum fyke_status status = errno == EACCES || errno == EPERM ? FYKE_FAILED_PERMISSION : FYKE_FAILED_IO;

	return fyke_error_set(error, status, "cannot write %s: %s",
		is_standard(output->path) ? "standard output" : output->path, strerror(errno));
}

static FILE *open_temporary(struct fyke_output *output)
{
	int fd;
	FILE *file;

	if (asprintf(&output->temporary, "%s.XXXXXX", output->path) < 0) {
		output->temporary = NULL;
		return NULL;
	}
	fd = mkostemp(output->temporary, O_CLOEXEC);
	if (fd < 0) {
		free(output->temporary);
		output->temporary = NULL;
		return NULL;
	}
	file = fdopen(fd, "w");
	if (file == NULL)
		close(fd);
	return file;
}

enum fyke_status fyke_output_open(
	const char *path, bool force, struct fyke_output *output, struct fyke_error *error)
{
	struct stat info;
	enum fyke_status status;

	*output = (struct fyke_output){.path = path, .force = force};
	if (is_standard(path))
		output->file = stdout;
	else if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
		output->file = fopen(path, "we");
	else
		output->file = open_temporary(output);
	if (output->file != NULL)
		return FYKE_OK;
	status = failed(output, error);
	fyke_output_discard(output);
	return status;
}

static bool give_name(const struct fyke_output *output)
{
	if (output->force)
		return rename(output->temporary, output->path) == 0;
	if (link(output->temporary, output->path) == 0)
		return unlink(output->temporary) == 0;
	/* File systems without hard links. */
	return errno == EPERM && access(output->path, F_OK) != 0 &&
	       rename(output->temporary, output->path) == 0;
}

enum fyke_status fyke_output_commit(struct fyke_output *output, struct fyke_error *error)
{
	bool good = fflush(output->file) == 0 && !ferror(output->file);
	enum fyke_status status = FYKE_OK;

	if (good && output->temporary != NULL)
		good = fsync(fileno(output->file)) == 0 && give_name(output);
	/* Whoever read standard output left: not worth a word. */
	if (!good && !(output->file == stdout && errno == EPIPE))
		status = failed(output, error);
	if (good) {
		free(output->temporary);
		output->temporary = NULL;
	}
	fyke_output_discard(output);
	return status;
}

void fyke_output_discard(struct fyke_output *output)
{
	if (output->temporary != NULL)
		(void)unlink(output->temporary);
	free(output->temporary);
	if (output->file != NULL && output->file != stdout)
		fclose(output->file);
	*output = (struct fyke_output){.path = output->path};
}
