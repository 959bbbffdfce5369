/*
 * Files are collected in memory up to 64 KiB, so most are written at once, and many can be on their way
 * with few descriptors. A file has its name, ending in ".part", from its first write on; one that is whole
 * is renamed at its end.
 *
 * Limits: 10,000 files and 1 GiB (options change both), 64 open descriptors: beyond these a file is opened
 * again for each write.
 */
#include "cli/file_store.h"

#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 64 * 1024, FIRST_ROOM = 2048, DESCRIPTORS_MAX = 64, NAME_ROOM = 64, TRIES_MAX = 1000 };

struct fyke_file_directory {
	struct fyke_file_store store;
	int fd;
	pthread_mutex_t lock; /* of what follows */
	uint64_t count_left, bytes_left;
	uint64_t refused; /* files that were not saved, or not to their end, because of a limit */
	unsigned descriptors;
	int failure; /* errno of the first write that failed: nothing is written any more */
};

struct saved {
	uint64_t frame;
	uint8_t *buffer;
	size_t length, room;
	int fd;	      /* -1: not open */
	bool written; /* it is there, by `name` */
	bool torn;    /* nothing more is written: a hole, a limit or a failure */
	char name[NAME_ROOM];
};

static const struct {
	const char *type, *ending;
} endings[] = {
	{"text/plain", "txt"},
	{"text/html", "html"},
	{"application/xml", "xml"},
	{"image/svg+xml", "svg"},
	{"application/json", "json"},
	{"text/x-script", "script"},
	{"application/x-executable", "elf"},
	{"application/vnd.microsoft.portable-executable", "exe"},
	{"application/x-mach-binary", "macho"},
	{"application/java-archive", "jar"},
	{"application/vnd.android.package-archive", "apk"},
	{"application/pdf", "pdf"},
	{"application/rtf", "rtf"},
	{"application/postscript", "ps"},
	{"application/x-ole-storage", "ole"},
	{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"},
	{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"},
	{"application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"},
	{"image/png", "png"},
	{"image/jpeg", "jpg"},
	{"image/gif", "gif"},
	{"image/webp", "webp"},
	{"image/bmp", "bmp"},
	{"image/tiff", "tif"},
	{"image/vnd.microsoft.icon", "ico"},
	{"application/zip", "zip"},
	{"application/gzip", "gz"},
	{"application/x-bzip2", "bz2"},
	{"application/x-xz", "xz"},
	{"application/zstd", "zst"},
	{"application/x-7z-compressed", "7z"},
	{"application/vnd.rar", "rar"},
	{"application/x-tar", "tar"},
	{"application/vnd.ms-cab-compressed", "cab"},
	{"audio/mpeg", "mp3"},
	{"audio/ogg", "ogg"},
	{"audio/flac", "flac"},
	{"audio/wav", "wav"},
	{"video/mp4", "mp4"},
	{"video/webm", "webm"},
	{"video/x-flv", "flv"},
	{"video/x-msvideo", "avi"},
	{"video/mp2t", "ts"},
	{"font/woff", "woff"},
	{"font/woff2", "woff2"},
	{"application/x-shockwave-flash", "swf"},
	{"application/wasm", "wasm"},
	{"application/vnd.tcpdump.pcap", "pcap"},
	{"application/vnd.sqlite3", "sqlite"},
	{"application/x-pem-file", "pem"},
	{"application/pkix-cert", "der"},
};

static const char *ending_of(const char *type)
{
	for (size_t i = 0; type != NULL && i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (strcmp(endings[i].type, type) == 0)
			return endings[i].ending;
	}
	return "bin";
}

/* ---- limits; the lock is held ---- */

static void fail(struct fyke_file_directory *directory, struct saved *saved)
{
	if (directory->failure == 0)
		directory->failure = errno;
	saved->torn = true;
}

static void close_descriptor(struct fyke_file_directory *directory, struct saved *saved)
{
	if (saved->fd < 0)
		return;
	/* some file systems tell only now that the disk is full */
	if (close(saved->fd) != 0)
		fail(directory, saved);
	saved->fd = -1;
	directory->descriptors--;
}

static bool open_first(struct fyke_file_directory *directory, struct saved *saved)
{
	for (int i = 1; i <= TRIES_MAX; i++) {
		(void)snprintf(saved->name, sizeof(saved->name), "%" PRIu64 "-%d.part", saved->frame, i);
		saved->fd = openat(directory->fd, saved->name,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (saved->fd >= 0 || errno != EEXIST)
			break;
	}
	saved->written = saved->fd >= 0;
	return saved->written;
}

static bool open_again(struct fyke_file_directory *directory, struct saved *saved)
{
	saved->fd = openat(directory->fd, saved->name, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	return saved->fd >= 0;
}

static void write_all(struct fyke_file_directory *directory, struct saved *saved)
{
	const uint8_t *bytes = saved->buffer;
	size_t left = saved->length;

	while (left > 0) {
		ssize_t written = write(saved->fd, bytes, left);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			fail(directory, saved);
			return;
		}
		bytes += written;
		left -= (size_t)written;
	}
}

/* What is in memory goes to the file. */
static void flush(struct fyke_file_directory *directory, struct saved *saved)
{
	if (saved->length == 0 || directory->failure != 0) {
		saved->torn |= directory->failure != 0;
		return;
	}
	if (saved->fd < 0) {
		if (!(saved->written ? open_again(directory, saved) : open_first(directory, saved))) {
			fail(directory, saved);
			return;
		}
		directory->descriptors++;
	}
	write_all(directory, saved);
	saved->length = 0;
	if (directory->descriptors > DESCRIPTORS_MAX)
		close_descriptor(directory, saved);
}

/* ---- the store ---- */

static void *begin(void *context, uint64_t frame)
{
	struct fyke_file_directory *directory = context;
	struct saved *saved = NULL;

	pthread_mutex_lock(&directory->lock);
	if (directory->failure != 0 || directory->count_left == 0 || directory->bytes_left == 0)
		directory->refused++;
	else
		saved = calloc(1, sizeof(*saved));
	if (saved != NULL)
		directory->count_left--;
	pthread_mutex_unlock(&directory->lock);
	if (saved != NULL) {
		saved->frame = frame;
		saved->fd = -1;
	}
	return saved;
}

static bool make_room(struct saved *saved, size_t length)
{
	size_t room = saved->room == 0 ? FIRST_ROOM : saved->room;
	uint8_t *grown;

	while (room < saved->length + length)
		room *= 2;
	if (room == saved->room)
		return true;
	grown = realloc(saved->buffer, room);
	if (grown == NULL)
		return false;
	saved->buffer = grown;
	saved->room = room;
	return true;
}

/* How many of `length` bytes the limit still allows. */
static size_t grant(struct fyke_file_directory *directory, struct saved *saved, size_t length)
{
	size_t granted;

	pthread_mutex_lock(&directory->lock);
	granted = directory->bytes_left < length ? (size_t)directory->bytes_left : length;
	directory->bytes_left -= granted;
	if (granted < length) {
		directory->refused++;
		saved->torn = true;
	}
	pthread_mutex_unlock(&directory->lock);
	return granted;
}

static void flush_locked(struct fyke_file_directory *directory, struct saved *saved)
{
	pthread_mutex_lock(&directory->lock);
	flush(directory, saved);
	pthread_mutex_unlock(&directory->lock);
}

static void data(void *context, void *handle, const uint8_t *bytes, size_t length)
{
	struct fyke_file_directory *directory = context;
	struct saved *saved = handle;
	size_t left = saved->torn ? 0 : grant(directory, saved, length);

	while (left > 0) {
		size_t part = left < BUFFER - saved->length ? left : BUFFER - saved->length;

		if (!make_room(saved, part)) {
			saved->torn = true;
			return;
		}
		memcpy(saved->buffer + saved->length, bytes, part);
		saved->length += part;
		bytes += part;
		left -= part;
		if (saved->length == BUFFER)
			flush_locked(directory, saved);
	}
}

static void gap(void *context, void *handle, uint64_t missing)
{
	struct saved *saved = handle;

	(void)context;
	saved->torn |= missing > 0;
}

static void release(struct saved *saved)
{
	free(saved->buffer);
	free(saved);
}

/* Under another name, unless that is taken; a hard link where the file system has them. */
static bool move(const struct fyke_file_directory *directory, const char *from, const char *to)
{
	if (linkat(directory->fd, from, directory->fd, to, 0) == 0)
		return unlinkat(directory->fd, from, 0) == 0;
	return errno != EEXIST && renameat2(directory->fd, from, directory->fd, to, RENAME_NOREPLACE) == 0;
}

/* A whole file gets the ending of its type. */
static void give_name(struct fyke_file_directory *directory, struct saved *saved, const char *type)
{
	char name[NAME_ROOM];

	for (int i = 1; i <= TRIES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "%" PRIu64 "-%d.%s", saved->frame, i, ending_of(type));
		if (move(directory, saved->name, name)) {
			memcpy(saved->name, name, sizeof(name));
			return;
		}
		if (errno != EEXIST)
			return;
	}
}

static void end(void *context, void *handle, const char *type, bool complete, char *name, size_t room)
{
	struct fyke_file_directory *directory = context;
	struct saved *saved = handle;

	pthread_mutex_lock(&directory->lock);
	flush(directory, saved);
	close_descriptor(directory, saved);
	if (saved->written && complete && !saved->torn)
		give_name(directory, saved, type);
	pthread_mutex_unlock(&directory->lock);
	(void)snprintf(name, room, "%s", saved->written ? saved->name : "");
	release(saved);
}

static void discard(void *context, void *handle)
{
	struct fyke_file_directory *directory = context;
	struct saved *saved = handle;

	pthread_mutex_lock(&directory->lock);
	close_descriptor(directory, saved);
	if (saved->written)
		(void)unlinkat(directory->fd, saved->name, 0);
	directory->count_left++;
	pthread_mutex_unlock(&directory->lock);
	release(saved);
}

/* ---- the directory ---- */

enum fyke_status fyke_file_directory_open(const struct fyke_file_store_options *options,
	struct fyke_file_directory **out, struct fyke_error *error)
{
	struct fyke_file_directory *directory;
	int fd;

	*out = NULL;
	if (options->directory == NULL)
		return FYKE_OK;
	if (mkdir(options->directory, 0700) != 0 && errno != EEXIST)
		return fyke_error_set(
			error, FYKE_FAILED_IO, "--files %s: %s", options->directory, strerror(errno));
	fd = open(options->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) != 0) {
		(void)!fyke_error_set(
			error, FYKE_FAILED_IO, "--files %s: %s", options->directory, strerror(errno));
		if (fd >= 0)
			close(fd);
		return FYKE_FAILED_IO;
	}
	directory = calloc(1, sizeof(*directory));
	if (directory == NULL) {
		close(fd);
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	}
	directory->fd = fd;
	directory->count_left = options->count != 0 ? options->count : FYKE_FILE_STORE_COUNT;
	directory->bytes_left = options->bytes != 0 ? options->bytes : FYKE_FILE_STORE_BYTES;
	pthread_mutex_init(&directory->lock, NULL);
	directory->store = (struct fyke_file_store){directory, begin, data, gap, end, discard};
	*out = directory;
	return FYKE_OK;
}

const struct fyke_file_store *fyke_file_directory_store(const struct fyke_file_directory *directory)
{
	return directory != NULL ? &directory->store : NULL;
}

bool fyke_file_directory_close(struct fyke_file_directory *directory, const char *command)
{
	bool good;

	if (directory == NULL)
		return true;
	good = directory->failure == 0;
	if (!good)
		fyke_warn(command, "--files: %s: what came after is not saved", strerror(directory->failure));
	else if (directory->refused > 0)
		fyke_warn(command,
			"--files: %" PRIu64
			" files were not saved, or not to their end (--files-limit, --files-count)",
			directory->refused);
	close(directory->fd);
	pthread_mutex_destroy(&directory->lock);
	free(directory);
	return good;
}
