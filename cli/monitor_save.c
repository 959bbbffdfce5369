/* Saving packets beside the analysis. A capture is useful while it grows, so it has its name at once. */
#include "cli/monitor_save.h"

#include "analyzer/capture/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fyke_monitor_save {
	const char *path;
	const struct fyke_source *source;
	FILE *file;
	struct fyke_capture_writer *writer;
	uint32_t interface_count;
	uint32_t *interfaces; /* the writer's index of each of the source's interfaces */
	bool broken_pipe;
};

/* Pipes and devices are there before us and are not replaced by being written to. */
static int open_existing(const char *path)
{
	struct stat info;

	if (stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))
		return open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	errno = EEXIST;
	return -1;
}

static FILE *open_file(const char *path, bool force, struct fyke_error *error)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | (force ? O_TRUNC : O_EXCL), 0600);
	FILE *file;

	if (fd < 0 && errno == EEXIST)
		fd = open_existing(path);
	if (fd < 0) {
		(void)!fyke_error_set(error, FYKE_FAILED_IO, "-w %s: %s%s", path, strerror(errno),
			errno == EEXIST ? " (--force replaces it)" : "");
		return NULL;
	}
	file = fdopen(fd, "w");
	if (file == NULL) {
		(void)!fyke_error_set(error, FYKE_FAILED_IO, "-w %s: %s", path, strerror(errno));
		close(fd);
	}
	return file;
}

static bool is_classic_name(const char *path)
{
	size_t length = strlen(path);

	return length >= 5 && strcmp(path + length - 5, ".pcap") == 0;
}

enum fyke_status fyke_monitor_save_open(const char *path, bool force, const struct fyke_source *source,
	struct fyke_monitor_save **out, struct fyke_error *error)
{
	struct fyke_monitor_save *save = calloc(1, sizeof(*save));
	struct fyke_capture_writer_options options = {.name = path};
	enum fyke_status status;

	if (save == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	*save = (struct fyke_monitor_save){.path = path, .source = source};
	save->file = strcmp(path, "-") == 0 ? stdout : open_file(path, force, error);
	if (save->file == NULL) {
		free(save);
		return FYKE_FAILED_IO;
	}
	options.file = save->file;
	options.format = is_classic_name(path) ? FYKE_CAPTURE_WRITER_PCAP : FYKE_CAPTURE_WRITER_PCAPNG;
	status = fyke_capture_writer_new(&options, &save->writer, error);
	if (status == FYKE_OK)
		status = fyke_capture_writer_flush(save->writer, error);
	if (status != FYKE_OK) {
		(void)!fyke_monitor_save_close(save, NULL);
		return status;
	}
	*out = save;
	return FYKE_OK;
}

/* Interfaces of the source that the file does not know yet. */
static enum fyke_status learn_interfaces(
	struct fyke_monitor_save *save, unsigned fcs_length, struct fyke_error *error)
{
	size_t count;
	const struct fyke_source_interface *interfaces = fyke_source_interfaces(save->source, &count);
	uint32_t *larger = realloc(save->interfaces, count * sizeof(*larger));

	if (larger == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	save->interfaces = larger;
	while (save->interface_count < count) {
		uint32_t at = save->interface_count;
		enum fyke_status status = fyke_capture_writer_interface(
			save->writer, &interfaces[at], fcs_length, &save->interfaces[at], error);

		if (status != FYKE_OK)
			return status;
		save->interface_count++;
	}
	return FYKE_OK;
}

static enum fyke_status write_frame(
	struct fyke_monitor_save *save, const struct fyke_frame *frame, struct fyke_error *error)
{
	if (frame->interface >= save->interface_count) {
		enum fyke_status status = learn_interfaces(save, frame->fcs_length, error);

		if (status != FYKE_OK)
			return status;
	}
	if (frame->interface >= save->interface_count)
		return fyke_error_set(
			error, FYKE_FAILED_INTERNAL, "-w %s: a packet of an unknown interface", save->path);
	return fyke_capture_writer_frame(save->writer, frame, save->interfaces[frame->interface], error);
}

static enum fyke_status remember(struct fyke_monitor_save *save, enum fyke_status status)
{
	if (status == FYKE_FAILED_IO && errno == EPIPE)
		save->broken_pipe = true;
	return status;
}

enum fyke_status fyke_monitor_save_tap(
	void *context, const struct fyke_block *block, struct fyke_error *error)
{
	struct fyke_monitor_save *save = context;

	for (size_t i = 0; i < block->count; i++) {
		enum fyke_status status = write_frame(save, &block->frames[i], error);

		if (status != FYKE_OK)
			return remember(save, status);
	}
	return FYKE_OK;
}

enum fyke_status fyke_monitor_save_flush(struct fyke_monitor_save *save, struct fyke_error *error)
{
	return remember(save, fyke_capture_writer_flush(save->writer, error));
}

enum fyke_status fyke_monitor_save_close(struct fyke_monitor_save *save, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	if (save == NULL)
		return FYKE_OK;
	if (save->writer != NULL)
		status = remember(save, fyke_capture_writer_flush(save->writer, error));
	fyke_capture_writer_free(save->writer);
	if (save->file != stdout && fclose(save->file) != 0 && status == FYKE_OK)
		status = fyke_error_set(error, FYKE_FAILED_IO, "-w %s: %s", save->path, strerror(errno));
	free(save->interfaces);
	free(save);
	return status;
}

bool fyke_monitor_save_broken_pipe(const struct fyke_monitor_save *save)
{
	return save->broken_pipe;
}
