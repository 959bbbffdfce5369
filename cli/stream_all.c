/*
 * `fyke stream --all -o DIR`: one file a side, named by the session's id, and index.tsv. The directory is
 * opened once and every file made below it, never through a link that waits there.
 */
#include "cli/stream.h"

#include "analyzer/base/text.h"
#include "cli/choose.h"
#include "cli/interrupt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME = 48 };

static const char *const suffixes[] = {
	[FYKE_STREAM_RAW] = "bin",
	[FYKE_STREAM_HEX] = "hex",
	[FYKE_STREAM_TEXT] = "txt",
	[FYKE_STREAM_JSON] = "json",
};

struct all {
	sqlite3 *db;
	const struct fyke_stream_request *request;
	struct fyke_recall *recall;
	const volatile bool *stop;
	int directory;
	FILE *index;
	uint64_t sessions, files, skipped;
};

/* Where one session's sides go; a file appears with its first byte. */
struct files {
	struct all *all;
	const struct fyke_stream_session *session;
	struct fyke_stream_writer writer[2];
	struct fyke_stream_listener listener[2];
	char name[2][NAME];
	bool failed; /* `error` says why */
	struct fyke_error error;
};

static enum fyke_status cannot(const struct all *all, const char *name, struct fyke_error *error)
{
	return fyke_error_set(error, errno == EACCES ? FYKE_FAILED_PERMISSION : FYKE_FAILED_IO,
		"cannot write %s/%s: %s", all->request->directory, name, strerror(errno));
}

static FILE *create(const struct all *all, const char *name)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, fd;
	FILE *file;

	if (all->request->force && unlinkat(all->directory, name, 0) != 0 && errno != ENOENT)
		return NULL;
	fd = openat(all->directory, name, flags, 0600);
	if (fd < 0)
		return NULL;
	file = fdopen(fd, "w");
	if (file == NULL)
		close(fd);
	return file;
}

static bool opened(struct files *files, enum fyke_side side)
{
	struct fyke_stream_writer *writer = &files->writer[side];

	if (files->failed || !files->all->request->wanted[side])
		return false;
	if (writer->out != NULL)
		return true;
	(void)snprintf(files->name[side], NAME, "%06" PRId64 "-%s.%s", files->session->id,
		side == FYKE_CLIENT ? "client" : "server", suffixes[files->all->request->form]);
	writer->out = create(files->all, files->name[side]);
	if (writer->out == NULL) {
		files->failed = true;
		(void)!cannot(files->all, files->name[side], &files->error);
		return false;
	}
	files->all->files++;
	return true;
}

static void on_chunk(void *context, enum fyke_side side, const struct fyke_chunk *chunk)
{
	struct files *files = context;

	if ((chunk->length > 0 || files->writer[side].out != NULL) && opened(files, side))
		files->listener[side].chunk(&files->writer[side], side, chunk);
}

static void on_conflict(void *context, enum fyke_side side, const struct fyke_conflict *conflict)
{
	struct files *files = context;

	if (opened(files, side))
		files->listener[side].conflict(&files->writer[side], side, conflict);
}

static void on_urgent(void *context, enum fyke_side side, const struct fyke_urgent *urgent)
{
	struct files *files = context;

	if (opened(files, side))
		files->listener[side].urgent(&files->writer[side], side, urgent);
}

static void write_index_row(
	const struct files *files, enum fyke_side side, const struct fyke_reassembly_counters *counters)
{
	const struct fyke_stream_session *session = files->session;
	char service[sizeof(session->service) * 4 + 8];
	uint64_t missing = 0;

	for (int cause = 0; cause < FYKE_GAP_COUNT; cause++)
		missing += counters->gap_bytes[cause];
	(void)fyke_text_terminal(
		session->service, strlen(session->service), 0, FYKE_TEXT_ASCII, service, sizeof(service));
	fprintf(files->all->index,
		"%" PRId64 "\t%s\t%s\t%s\t%s\t%s\t%s\t%" PRId64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
		"\t%" PRIu64 "\n",
		session->id, session->is_tcp ? "tcp" : "udp", session->name[FYKE_CLIENT],
		session->name[FYKE_SERVER], service, side == FYKE_CLIENT ? "client" : "server",
		files->name[side], session->start_us, counters->delivered, counters->gaps, missing,
		counters->conflicting);
}

static enum fyke_status close_files(
	struct files *files, const struct fyke_stream_totals *totals, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	for (int side = 0; side < 2; side++) {
		struct fyke_stream_writer *writer = &files->writer[side];
		const struct fyke_reassembly_counters *counters = &totals->side[side];

		if (writer->out != NULL) {
			fyke_stream_write_end(writer, totals);
			if ((fflush(writer->out) != 0 || ferror(writer->out)) && status == FYKE_OK)
				status = cannot(files->all, files->name[side], error);
			fclose(writer->out);
		}
		if (files->all->request->wanted[side] && (counters->delivered > 0 || counters->gaps > 0))
			write_index_row(files, (enum fyke_side)side, counters);
	}
	return status;
}

static enum fyke_status write_session(void *context, int64_t id, struct fyke_error *error)
{
	struct all *all = context;
	struct fyke_stream_session session;
	struct files files = {.all = all, .session = &session};
	const struct fyke_stream_listener listener = {on_chunk, on_conflict, on_urgent, &files};
	struct fyke_stream_totals totals = {0};
	enum fyke_status status, closed;

	if (*all->stop)
		return fyke_error_set(error, FYKE_FAILED_IO, "interrupted");
	status = fyke_stream_session_load(all->db, id, &session, error);
	if (status == FYKE_FAILED_FORMAT) { /* no stream in it */
		all->skipped++;
		return FYKE_OK;
	}
	if (status != FYKE_OK)
		return status;
	for (int side = 0; side < 2; side++) {
		files.writer[side] = (struct fyke_stream_writer){.form = all->request->form,
			.policy = all->request->policy,
			.session = &session,
			.wanted = {side == FYKE_CLIENT, side == FYKE_SERVER}};
		files.listener[side] = fyke_stream_write_listener(&files.writer[side]);
	}
	status = fyke_stream_replay(all->recall, &session, all->request->policy, &listener, &totals, error);
	closed = close_files(&files, &totals, status == FYKE_OK ? error : NULL);
	if (status == FYKE_OK && files.failed) {
		*error = files.error;
		status = error->status;
	}
	all->sessions++;
	return status == FYKE_OK ? closed : status;
}

static bool is_empty(int directory)
{
	int fd = fcntl(directory, F_DUPFD_CLOEXEC, 0);
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool empty = true;

	if (entries == NULL) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	rewinddir(entries);
	while (empty && (entry = readdir(entries)) != NULL)
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	closedir(entries);
	return empty;
}

static enum fyke_status open_directory(struct all *all, struct fyke_error *error)
{
	const char *path = all->request->directory;

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return fyke_error_set(error, errno == EACCES ? FYKE_FAILED_PERMISSION : FYKE_FAILED_IO,
			"cannot make %s: %s", path, strerror(errno));
	all->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (all->directory < 0)
		return fyke_error_set(error, FYKE_FAILED_IO, "cannot use %s: %s", path, strerror(errno));
	if (!all->request->force && !is_empty(all->directory))
		return fyke_error_set(
			error, FYKE_FAILED_USAGE, "%s is not empty; --force writes into it", path);
	all->index = create(all, "index.tsv");
	if (all->index == NULL)
		return cannot(all, "index.tsv", error);
	fputs("session\ttransport\tclient\tserver\tservice\tside\tfile\tstart_us\tbytes\tgaps\tmissing_bytes"
	      "\tconflicting_bytes\n",
		all->index);
	return FYKE_OK;
}

enum fyke_status fyke_stream_all(
	sqlite3 *db, const struct fyke_stream_request *request, struct fyke_error *error)
{
	struct all all = {.db = db, .request = request, .directory = -1, .stop = fyke_interrupt_catch()};
	enum fyke_status status = open_directory(&all, error);

	if (status == FYKE_OK)
		status = fyke_recall_new(db, &all.recall, error);
	if (status == FYKE_OK)
		status = fyke_choose_sessions(db, "stream", request->filter, write_session, &all, error);
	fyke_recall_free(all.recall);
	if (all.index != NULL) {
		bool good = fflush(all.index) == 0 && !ferror(all.index);

		if (!good && status == FYKE_OK)
			status = cannot(&all, "index.tsv", error);
		fclose(all.index);
	}
	if (all.directory >= 0)
		close(all.directory);
	if (status == FYKE_OK)
		fprintf(stderr, "%" PRIu64 " files of %" PRIu64 " sessions in %s\n", all.files, all.sessions,
			request->directory);
	return status;
}
