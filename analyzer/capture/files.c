/*
 * A source over capture files. All files are opened before the first byte is parsed (rights may be
 * dropped in between) and stay open, so that what is read is what was sorted. Several files are
 * sorted by their first packet: regular ones are looked into and rewound, pipes keep the block that
 * was read ahead.
 */
#include "analyzer/capture/fingerprint.h"
#include "analyzer/capture/origin.h"
#include "analyzer/capture/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SPARE_DESCRIPTORS = 64 };

struct capture_file {
	struct fyke_source_file told;
	size_t given;  /* place on the command line */
	int fd;	       /* -1: closed */
	bool regular;  /* has a size */
	bool rewinds;  /* is no stream */
	bool has_time; /* first_ns is known */
	int64_t first_ns;
	uint64_t consumed;
	struct fyke_reader *reader;
	struct fyke_input *input; /* the reader's */
	struct fyke_reader_texts texts;
	struct fyke_block_room *ahead; /* read while sorting, not yet given */
	size_t interfaces_seen;
	char format[64];
	char damage[480];
};

struct files_source {
	struct fyke_source source;
	struct capture_file *files;
	size_t count, current;
	uint32_t interface_base; /* of the current file */
	bool over;		 /* END has been told */
};

static struct files_source *files_of(struct fyke_source *source)
{
	return (struct files_source *)source;
}

static const char *label(const struct capture_file *file)
{
	return strcmp(file->told.name, "-") == 0 ? "standard input" : file->told.name;
}

static void close_file(struct capture_file *file)
{
	if (file->input != NULL)
		file->consumed = fyke_input_consumed(file->input);
	fyke_reader_free(file->reader);
	file->reader = NULL;
	file->input = NULL;
	if (file->fd > STDIN_FILENO)
		(void)close(file->fd);
	file->fd = -1;
}

static void release(struct fyke_source *source)
{
	struct files_source *files = files_of(source);

	for (size_t i = 0; i < files->count; i++) {
		if (files->files[i].ahead != NULL)
			fyke_block_release(&files->files[i].ahead->block);
		close_file(&files->files[i]);
		fyke_reader_texts_release(&files->files[i].texts);
		fyke_source_free_text(files->files[i].told.name);
	}
	free(files->files);
	free(source->files);
	free(files);
}

/* Brings the list that users see up to date with a file. */
static void publish(struct files_source *files, size_t index)
{
	struct capture_file *file = &files->files[index];

	if (!file->rewinds && file->input != NULL)
		file->told.bytes = fyke_input_consumed(file->input);
	file->told.damage = file->damage[0] != '\0' ? file->damage : NULL;
	file->told.format = file->format;
	file->told.application = file->texts.application;
	file->told.os = file->texts.os;
	file->told.hardware = file->texts.hardware;
	file->told.comment = file->texts.comment;
	files->source.files[index] = file->told;
}

static enum fyke_status failed_open(const struct capture_file *file, struct fyke_error *error)
{
	const char *name = label(file);

	if (errno == EACCES || errno == EPERM)
		return fyke_error_set(error, FYKE_FAILED_PERMISSION, "%s: no permission to read it", name);
	if (errno == EMFILE || errno == ENFILE)
		return fyke_error_set(error, FYKE_FAILED_IO,
			"%s: too many open files; give fewer files, or raise the limit (ulimit -n)", name);
	return fyke_error_set(error, FYKE_FAILED_IO, "%s: cannot be opened: %s", name, strerror(errno));
}

static enum fyke_status open_file(struct capture_file *file, struct fyke_error *error)
{
	bool standard = strcmp(file->told.name, "-") == 0;
	struct stat about;

	file->fd = standard ? STDIN_FILENO : open(file->told.name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (file->fd < 0 || fstat(file->fd, &about) != 0)
		return failed_open(file, error);
	if (S_ISDIR(about.st_mode))
		return fyke_error_set(error, FYKE_FAILED_FORMAT,
			"%s: is a directory; name the capture files in it", label(file));
	if (standard && isatty(file->fd))
		return fyke_error_set(error, FYKE_FAILED_USAGE,
			"standard input is a terminal; pipe a capture into fyke, or name a file");
	file->regular = S_ISREG(about.st_mode);
	file->rewinds = file->regular && !standard;
	if (file->regular)
		file->told.bytes = (uint64_t)about.st_size;
	return FYKE_OK;
}

static void allow_descriptors(size_t count)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= count + SPARE_DESCRIPTORS)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static enum fyke_status open_all(struct files_source *files, struct fyke_error *error)
{
	const struct fyke_source_options *options = &files->source.options;
	bool standard = false;

	allow_descriptors(files->count);
	for (size_t i = 0; i < files->count; i++) {
		struct capture_file *file = &files->files[i];
		bool dash = strcmp(file->told.name, "-") == 0;
		enum fyke_status status;

		if (dash && standard)
			return fyke_error_set(
				error, FYKE_FAILED_USAGE, "standard input (-) can be read only once");
		standard |= dash;
		status = open_file(file, error);
		if (status != FYKE_OK)
			return status;
	}
	return options->opened == NULL ? FYKE_OK : options->opened(options->opened_context, error);
}

static enum fyke_status start_reader(
	struct files_source *files, struct capture_file *file, struct fyke_error *error)
{
	struct fyke_input_options options = {.fd = file->fd,
		.name = label(file),
		.stop = files->source.options.stop,
		.hash_all = !file->rewinds};
	const char *packing;
	enum fyke_status status = fyke_input_new(&options, &file->input, error);
	struct fyke_input *input = file->input;

	if (status != FYKE_OK)
		return status;
	file->input = NULL;
	status = fyke_reader_new(input, label(file), files->source.pool, &file->reader, error);
	if (status != FYKE_OK)
		return status;
	file->input = input;
	file->reader->texts = &file->texts;
	packing = fyke_compression_name(fyke_input_compression(input));
	(void)snprintf(file->format, sizeof(file->format), "%s%s%s", file->reader->format,
		packing != NULL ? " in " : "", packing != NULL ? packing : "");
	return FYKE_OK;
}

/* Learns the time of the first packet; the block stays in `ahead`. */
static enum fyke_status look_ahead(struct capture_file *file, struct fyke_error *error)
{
	switch (fyke_reader_next(file->reader, &file->ahead, error)) {
	case FYKE_READER_FAILED:
		return error == NULL ? FYKE_FAILED_IO : error->status;
	case FYKE_READER_END:
		return FYKE_OK;
	case FYKE_READER_BLOCK:
		file->has_time = true;
		file->first_ns = file->ahead->frames[0].time_ns;
		break;
	}
	return FYKE_OK;
}

static enum fyke_status rewind_file(struct capture_file *file, struct fyke_error *error)
{
	if (file->ahead != NULL)
		fyke_block_release(&file->ahead->block);
	file->ahead = NULL;
	fyke_reader_free(file->reader);
	file->reader = NULL;
	file->input = NULL;
	fyke_reader_texts_release(&file->texts);
	if (lseek(file->fd, 0, SEEK_SET) != 0)
		return fyke_error_set(
			error, FYKE_FAILED_IO, "%s: cannot be rewound: %s", label(file), strerror(errno));
	return FYKE_OK;
}

static enum fyke_status prepare(
	struct files_source *files, struct capture_file *file, struct fyke_error *error)
{
	enum fyke_status status = start_reader(files, file, error);

	if (status == FYKE_OK && file->rewinds)
		status = fyke_fingerprint_file(file->fd, label(file), file->told.fingerprint, error);
	if (status != FYKE_OK || files->count == 1)
		return status;
	status = look_ahead(file, error);
	if (status == FYKE_OK && file->rewinds)
		status = rewind_file(file, error);
	return status;
}

static int by_first_packet(const void *left, const void *right)
{
	const struct capture_file *a = left, *b = right;

	if (a->has_time != b->has_time)
		return a->has_time ? -1 : 1;
	if (a->has_time && a->first_ns != b->first_ns)
		return a->first_ns < b->first_ns ? -1 : 1;
	return a->given < b->given ? -1 : 1;
}

static enum fyke_status prepare_all(struct files_source *files, struct fyke_error *error)
{
	for (size_t i = 0; i < files->count; i++) {
		enum fyke_status status = prepare(files, &files->files[i], error);

		if (status != FYKE_OK)
			return status;
	}
	if (files->count > 1)
		qsort(files->files, files->count, sizeof(*files->files), by_first_packet);
	for (size_t i = 0; i < files->count; i++)
		publish(files, i);
	files->source.files_count = files->count;
	return FYKE_OK;
}

static void finish_file(struct files_source *files)
{
	struct capture_file *file = &files->files[files->current];

	if (file->reader != NULL) {
		(void)snprintf(file->damage, sizeof(file->damage), "%s", file->reader->damage);
		for (char *c = file->damage; *c != '\0'; c++) {
			if ((unsigned char)*c < 0x20 || *c == 0x7f)
				*c = '?';
		}
		if (!file->rewinds)
			fyke_input_hash(file->input, file->told.fingerprint);
	}
	publish(files, files->current);
	files->interface_base = (uint32_t)files->source.interfaces_count;
	close_file(file);
	files->current++;
}

static bool take_interfaces(struct files_source *files, struct capture_file *file)
{
	struct fyke_reader *reader = file->reader;

	for (; file->interfaces_seen < reader->interfaces_count; file->interfaces_seen++) {
		struct fyke_source_interface *told = &reader->interfaces[file->interfaces_seen].told;

		told->file = (uint32_t)files->current;
		if (!fyke_source_add_interface(&files->source, told))
			return false;
		*told = (struct fyke_source_interface){
			.link_type = told->link_type, .snaplen = told->snaplen};
	}
	return true;
}

static enum fyke_reader_result next_room(
	struct files_source *files, struct fyke_block_room **room, struct fyke_error *error)
{
	struct capture_file *file = &files->files[files->current];
	enum fyke_reader_result result = FYKE_READER_BLOCK;

	if (file->reader == NULL && start_reader(files, file, error) != FYKE_OK)
		return FYKE_READER_FAILED;
	*room = file->ahead;
	file->ahead = NULL;
	if (*room == NULL)
		result = fyke_reader_next(file->reader, room, error);
	if (result == FYKE_READER_FAILED || take_interfaces(files, file))
		return result;
	if (result == FYKE_READER_BLOCK)
		fyke_block_release(&(*room)->block);
	(void)!fyke_error_set(error, FYKE_FAILED_MEMORY, "%s: no memory left to read it", label(file));
	return FYKE_READER_FAILED;
}

static void admit(struct files_source *files, struct fyke_block_room *room)
{
	struct capture_file *file = &files->files[files->current];
	uint64_t before = files->source.counters.frames;
	struct fyke_origin origin = {(uint32_t)files->current, files->interface_base};
	size_t seen = fyke_source_admit(&files->source, room, origin);

	if (file->told.first_frame == 0 && seen > 0)
		file->told.first_frame = before + 1;
	file->told.frames += seen;
	publish(files, files->current);
}

static enum fyke_source_result next(
	struct fyke_source *source, struct fyke_block **block, struct fyke_error *error)
{
	struct files_source *files = files_of(source);

	while (files->current < files->count && !fyke_source_is_over(source)) {
		struct fyke_block_room *room;

		switch (next_room(files, &room, error)) {
		case FYKE_READER_FAILED:
			return FYKE_SOURCE_FAILED;
		case FYKE_READER_END:
			finish_file(files);
			break;
		case FYKE_READER_BLOCK:
			admit(files, room);
			*block = &room->block;
			return FYKE_SOURCE_BLOCK;
		}
	}
	if (files->current < files->count && !files->over)
		finish_file(files);
	files->over = true;
	files->current = files->count;
	return FYKE_SOURCE_END;
}

static void count(struct fyke_source *source)
{
	struct files_source *files = files_of(source);
	bool sizes_known = true;

	source->counters.input_bytes = source->counters.input_bytes_all = 0;
	for (size_t i = 0; i < files->count; i++) {
		struct capture_file *file = &files->files[i];

		source->counters.input_bytes +=
			file->input != NULL ? fyke_input_consumed(file->input) : file->consumed;
		source->counters.input_bytes_all += file->told.bytes;
		sizes_known &= file->regular;
	}
	if (!sizes_known)
		source->counters.input_bytes_all = 0;
}

static const struct fyke_source_operations operations = {next, count, release};

static enum fyke_status make_lists(
	struct files_source *files, const char *const *names, size_t count, struct fyke_error *error)
{
	files->files = calloc(count, sizeof(*files->files));
	files->source.files = calloc(count, sizeof(*files->source.files));
	if (files->files == NULL || files->source.files == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "no memory left to open files");
	for (; files->count < count; files->count++) {
		struct capture_file *file = &files->files[files->count];

		file->fd = -1;
		file->given = files->count;
		if (names[files->count][0] == '\0')
			return fyke_error_set(error, FYKE_FAILED_USAGE, "a file name is empty");
		file->told.name = strdup(names[files->count]);
		if (file->told.name == NULL)
			return fyke_error_set(error, FYKE_FAILED_MEMORY, "no memory left to open files");
	}
	return FYKE_OK;
}

static enum fyke_status make_filter(struct fyke_source *source, struct fyke_error *error)
{
	enum fyke_status status;

	if (source->options.filter == NULL)
		return FYKE_OK;
	status = fyke_capture_filter_check(source->options.filter, error);
	if (status != FYKE_OK)
		return status;
	source->filter = fyke_capture_filter_new(source->options.filter);
	if (source->filter == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "no memory left for the filter");
	return FYKE_OK;
}

enum fyke_status fyke_source_files_open(const char *const *names, size_t count,
	const struct fyke_source_options *options, struct fyke_source **source, struct fyke_error *error)
{
	struct files_source *files = calloc(1, sizeof(*files));
	enum fyke_status status;

	*source = NULL;
	if (files == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "no memory left to open files");
	status = fyke_source_init(&files->source, &operations, options, error);
	if (status == FYKE_OK && count == 0)
		status = fyke_error_set(error, FYKE_FAILED_USAGE, "no capture file is named");
	if (status == FYKE_OK)
		status = make_filter(&files->source, error);
	if (status == FYKE_OK)
		status = make_lists(files, names, count, error);
	if (status == FYKE_OK)
		status = open_all(files, error);
	if (status == FYKE_OK)
		status = prepare_all(files, error);
	if (status != FYKE_OK) {
		fyke_source_free(&files->source);
		return status;
	}
	*source = &files->source;
	return FYKE_OK;
}
