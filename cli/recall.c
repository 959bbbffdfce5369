/*
 * Going back from sessions to the bytes of their frames: numbers from fyke_frames(), the place of the
 * nearest frame before from frame_index (every 256th), the rest of the way on foot.
 *
 * One file is open at a time, and is compared with its fingerprint whenever it is opened. A name is
 * tried as it was given, then beside the database.
 */
#include "cli/recall.h"

#include "analyzer/capture/reread.h"
#include "storage/folded.h"
#include "storage/frame_set.h"
#include "storage/sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct recall_capture {
	int64_t id;
	struct fyke_frame_set frames;
	size_t first_file, file_count; /* known once it was opened */
	bool is_open;
};

struct recall_file {
	int64_t id;
	char *name, *fingerprint; /* fingerprint: NULL = not known */
	uint64_t first_frame, frames, interfaces;
	bool wanted;
	uint32_t *known; /* the recall's index of each of its interfaces, plus 1 */
	size_t known_room;
};

struct fyke_recall {
	sqlite3 *db;
	struct recall_capture *captures;
	size_t capture_count;
	struct recall_file *files;
	size_t file_count;
	uint32_t interface_count;
	/* where it stands */
	size_t capture, file; /* file: index + 1 of the open one, 0 = none */
	uint64_t next;
	uint32_t interface; /* the open file's own number of the last frame's */
	struct fyke_reread *reread;
	sqlite3_stmt *find_mark;
	struct fyke_reread_mark mark; /* numbers of the capture; number 0: none */
	uint64_t mark_end;	      /* it is the nearest for frames below */
};

static enum fyke_status no_memory(struct fyke_error *error)
{
	return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
}

enum fyke_status fyke_recall_new(sqlite3 *db, struct fyke_recall **made, struct fyke_error *error)
{
	static const char sql[] = "SELECT frame, file_offset,"
				  " (SELECT min(frame) FROM frame_index WHERE file_id = ?1 AND frame > ?2)"
				  " FROM frame_index WHERE file_id = ?1 AND frame <= ?2"
				  " ORDER BY frame DESC LIMIT 1";
	struct fyke_recall *recall = calloc(1, sizeof(*recall));
	enum fyke_status status;

	*made = NULL;
	if (recall == NULL)
		return no_memory(error);
	recall->db = db;
	status = fyke_sql_prepare(db, sql, &recall->find_mark, error);
	if (status != FYKE_OK) {
		fyke_recall_free(recall);
		return status;
	}
	*made = recall;
	return FYKE_OK;
}

static void close_file(struct fyke_recall *recall)
{
	fyke_reread_free(recall->reread);
	recall->reread = NULL;
	recall->file = 0;
	recall->mark_end = 0;
}

void fyke_recall_clear(struct fyke_recall *recall)
{
	for (size_t i = 0; i < recall->capture_count; i++)
		fyke_frame_set_release(&recall->captures[i].frames);
	recall->capture = 0;
	recall->next = 0;
}

void fyke_recall_free(struct fyke_recall *recall)
{
	if (recall == NULL)
		return;
	close_file(recall);
	fyke_recall_clear(recall);
	for (size_t i = 0; i < recall->file_count; i++) {
		free(recall->files[i].name);
		free(recall->files[i].fingerprint);
		free(recall->files[i].known);
	}
	free(recall->files);
	free(recall->captures);
	sqlite3_finalize(recall->find_mark);
	free(recall);
}

/* Ascending by id; made when absent. */
static struct recall_capture *capture_of(struct fyke_recall *recall, int64_t id)
{
	struct recall_capture *grown;
	size_t at = 0;

	while (at < recall->capture_count && recall->captures[at].id < id)
		at++;
	if (at < recall->capture_count && recall->captures[at].id == id)
		return &recall->captures[at];
	grown = reallocarray(recall->captures, recall->capture_count + 1, sizeof(*grown));
	if (grown == NULL)
		return NULL;
	recall->captures = grown;
	memmove(&grown[at + 1], &grown[at], (recall->capture_count - at) * sizeof(*grown));
	recall->capture_count++;
	grown[at] = (struct recall_capture){.id = id};
	return &grown[at];
}

static enum fyke_status add_frames(
	sqlite3 *db, struct recall_capture *capture, int64_t session_id, struct fyke_error *error)
{
	sqlite3_stmt *list = NULL;
	enum fyke_status status = fyke_sql_prepare(db, "SELECT frame FROM fyke_frames(?1)", &list, error);
	uint64_t found = 0;
	int result = SQLITE_DONE;

	if (status != FYKE_OK)
		return status;
	sqlite3_bind_int64(list, 1, session_id);
	while (status == FYKE_OK && (result = sqlite3_step(list)) == SQLITE_ROW) {
		uint64_t frame = (uint64_t)sqlite3_column_int64(list, 0);

		found++;
		if (frame == 0 || frame > FYKE_FRAME_SET_LAST)
			status = fyke_error_set(error, FYKE_FAILED_DATABASE,
				"session %" PRId64
				" has a frame number that cannot be: the database is damaged",
				session_id);
		else if (!fyke_frame_set_add(&capture->frames, frame))
			status = no_memory(error);
	}
	if (status == FYKE_OK && result != SQLITE_DONE)
		status = fyke_sql_failed(db, error);
	if (status == FYKE_OK && found == 0)
		status = fyke_error_set(error, FYKE_FAILED_DATABASE,
			"session %" PRId64 ": the database does not say which packets are its", session_id);
	sqlite3_finalize(list);
	return status;
}

enum fyke_status fyke_recall_add(struct fyke_recall *recall, int64_t session_id, struct fyke_error *error)
{
	struct recall_capture *capture;
	sqlite3_stmt *find = NULL;
	enum fyke_status status = fyke_sql_prepare(
		recall->db, "SELECT capture_id FROM " FYKE_ALL_SESSIONS " WHERE id = ?1", &find, error);
	int64_t id = -1;

	if (status != FYKE_OK)
		return status;
	sqlite3_bind_int64(find, 1, session_id);
	if (sqlite3_step(find) == SQLITE_ROW)
		id = sqlite3_column_int64(find, 0);
	else
		status = fyke_error_set(
			error, FYKE_FAILED_USAGE, "the database has no session %" PRId64, session_id);
	sqlite3_finalize(find);
	if (status != FYKE_OK)
		return status;
	capture = capture_of(recall, id);
	return capture == NULL ? no_memory(error) : add_frames(recall->db, capture, session_id, error);
}

static char *copy_column(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	return text == NULL ? NULL : strdup(text);
}

/* A run that was killed does not say how many frames its files have: of a single file it is all. */
static enum fyke_status take_file(struct fyke_recall *recall, struct recall_capture *capture,
	sqlite3_stmt *row, struct fyke_error *error)
{
	struct recall_file *grown = reallocarray(recall->files, recall->file_count + 1, sizeof(*grown));
	struct recall_file *file;

	if (grown == NULL)
		return no_memory(error);
	recall->files = grown;
	file = &grown[recall->file_count++];
	*file = (struct recall_file){.id = sqlite3_column_int64(row, 0),
		.name = copy_column(row, 1),
		.fingerprint = copy_column(row, 2),
		.first_frame = (uint64_t)sqlite3_column_int64(row, 3),
		.frames = (uint64_t)sqlite3_column_int64(row, 4),
		.interfaces = (uint64_t)sqlite3_column_int64(row, 5)};
	if (sqlite3_column_type(row, 3) == SQLITE_NULL && capture->file_count == 0) {
		file->first_frame = 1;
		file->frames = FYKE_FRAME_SET_LAST;
		file->interfaces = 0;
	}
	capture->file_count++;
	return FYKE_OK;
}

static enum fyke_status load_files(
	struct fyke_recall *recall, struct recall_capture *capture, struct fyke_error *error)
{
	static const char sql[] =
		"SELECT id, name, fingerprint, first_frame, frames,"
		" (SELECT count(*) FROM interfaces i WHERE i.capture_id = ?1 AND i.file_id = f.id)"
		" FROM files f WHERE capture_id = ?1 ORDER BY position";
	sqlite3_stmt *list = NULL;
	enum fyke_status status = fyke_sql_prepare(recall->db, sql, &list, error);

	capture->first_file = recall->file_count;
	if (status != FYKE_OK)
		return status;
	sqlite3_bind_int64(list, 1, capture->id);
	while (status == FYKE_OK && sqlite3_step(list) == SQLITE_ROW)
		status = take_file(recall, capture, list, error);
	sqlite3_finalize(list);
	capture->is_open = status == FYKE_OK;
	return status;
}

static enum fyke_status nothing_saved(
	struct fyke_recall *recall, const struct recall_capture *capture, struct fyke_error *error)
{
	sqlite3_stmt *find = NULL;
	enum fyke_status status = fyke_sql_prepare(
		recall->db, "SELECT coalesce(name, '') FROM captures WHERE id = ?1", &find, error);

	if (status != FYKE_OK)
		return status;
	sqlite3_bind_int64(find, 1, capture->id);
	status = fyke_error_set(error, FYKE_FAILED_IO,
		"capture %" PRId64 " was live traffic of %s, and its packets were not kept: "
		"monitor -w FILE saves them, and analyze FILE makes sessions that can be gone back to",
		capture->id,
		sqlite3_step(find) == SQLITE_ROW ? (const char *)sqlite3_column_text(find, 0) : "?");
	sqlite3_finalize(find);
	return status;
}

/* The file beside the database, where there is one of this name; NULL: none. */
static char *beside_database(const struct fyke_recall *recall, const char *name)
{
	const char *database = sqlite3_db_filename(recall->db, "main");
	const char *slash = database == NULL ? NULL : strrchr(database, '/');
	char *path = NULL;

	if (slash == NULL || name[0] == '/' || access(name, F_OK) == 0 ||
		asprintf(&path, "%.*s/%s", (int)(slash - database), database, name) < 0)
		return NULL;
	if (access(path, F_OK) == 0)
		return path;
	free(path);
	return NULL;
}

static enum fyke_status compare(
	struct fyke_reread *reread, const struct recall_file *file, struct fyke_error *error)
{
	char now[33];
	enum fyke_status status = fyke_reread_fingerprint(reread, now, error);

	if (status == FYKE_OK && file->fingerprint != NULL && strcmp(now, file->fingerprint) != 0)
		status = fyke_error_set(error, FYKE_FAILED_FORMAT,
			"%s: is not the file any more that was analyzed: its contents have changed",
			file->name);
	return status;
}

static enum fyke_status open_file(struct fyke_recall *recall, size_t index, struct fyke_error *error)
{
	struct recall_file *file = &recall->files[index];
	enum fyke_status status;
	char *beside;

	if (recall->file == index + 1)
		return FYKE_OK;
	close_file(recall);
	if (file->name == NULL)
		return fyke_error_set(error, FYKE_FAILED_IO,
			"the database does not name the file that these packets were read from");
	beside = beside_database(recall, file->name);
	status = fyke_capture_reopen(beside != NULL ? beside : file->name, &recall->reread, error);
	free(beside);
	if (status == FYKE_FAILED_USAGE) /* the user's command was right */
		return error == NULL ? FYKE_FAILED_IO : (error->status = FYKE_FAILED_IO);
	if (status == FYKE_OK)
		status = compare(recall->reread, file, error);
	if (status != FYKE_OK) {
		close_file(recall);
		return status;
	}
	fyke_reread_expect(recall->reread, file->interfaces);
	recall->file = index + 1;
	return FYKE_OK;
}

static enum fyke_status open_files_of(
	struct fyke_recall *recall, struct recall_capture *capture, struct fyke_error *error)
{
	uint64_t frame = fyke_frame_set_next(&capture->frames, 0);
	enum fyke_status status = FYKE_OK;

	if (!capture->is_open)
		status = load_files(recall, capture, error);
	if (status == FYKE_OK && capture->file_count == 0)
		return nothing_saved(recall, capture, error);
	for (size_t i = 0; status == FYKE_OK && i < capture->file_count; i++) {
		struct recall_file *file = &recall->files[capture->first_file + i];

		file->wanted = frame >= file->first_frame && frame - file->first_frame < file->frames;
		if (!file->wanted)
			continue;
		status = open_file(recall, capture->first_file + i, error);
		frame = fyke_frame_set_next(&capture->frames, file->first_frame + file->frames);
	}
	if (status == FYKE_OK && frame != UINT64_MAX)
		status = fyke_error_set(error, FYKE_FAILED_DATABASE,
			"frame %" PRIu64 " of capture %" PRId64
			" is in none of its files, as far as the database tells: analyze them again",
			frame, capture->id);
	return status;
}

enum fyke_status fyke_recall_open(struct fyke_recall *recall, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	for (size_t i = 0; i < recall->file_count; i++)
		recall->files[i].wanted = false;
	for (size_t i = 0; status == FYKE_OK && i < recall->capture_count; i++) {
		if (recall->captures[i].frames.count > 0)
			status = open_files_of(recall, &recall->captures[i], error);
	}
	return status;
}

/* Ascending files of a capture; _open has seen that one of them has it. */
static enum fyke_status open_file_of(struct fyke_recall *recall, const struct recall_capture *capture,
	uint64_t frame, struct fyke_error *error)
{
	for (size_t i = 0; i < capture->file_count; i++) {
		const struct recall_file *file = &recall->files[capture->first_file + i];

		if (file->wanted && frame >= file->first_frame && frame - file->first_frame < file->frames)
			return open_file(recall, capture->first_file + i, error);
	}
	return fyke_error_set(
		error, FYKE_FAILED_INTERNAL, "frame %" PRIu64 " was asked for before its file was", frame);
}

static enum fyke_status find_mark(struct fyke_recall *recall, uint64_t frame, struct fyke_error *error)
{
	const struct recall_file *file = &recall->files[recall->file - 1];
	int result;

	if (recall->mark_end != 0 && frame >= recall->mark.number && frame < recall->mark_end)
		return FYKE_OK;
	recall->mark = (struct fyke_reread_mark){0};
	recall->mark_end = frame + 1;
	sqlite3_bind_int64(recall->find_mark, 1, file->id);
	sqlite3_bind_int64(recall->find_mark, 2, (sqlite3_int64)frame);
	result = sqlite3_step(recall->find_mark);
	if (result == SQLITE_ROW) {
		uint64_t number = (uint64_t)sqlite3_column_int64(recall->find_mark, 0);

		if (number >= file->first_frame && number <= frame) {
			recall->mark.number = number;
			recall->mark.offset = (uint64_t)sqlite3_column_int64(recall->find_mark, 1);
		}
		recall->mark_end = sqlite3_column_type(recall->find_mark, 2) == SQLITE_NULL
					   ? UINT64_MAX
					   : (uint64_t)sqlite3_column_int64(recall->find_mark, 2);
	}
	sqlite3_reset(recall->find_mark);
	return result == SQLITE_ROW || result == SQLITE_DONE ? FYKE_OK : fyke_sql_failed(recall->db, error);
}

static enum fyke_status count_interface(
	struct fyke_recall *recall, struct fyke_frame *frame, struct fyke_error *error)
{
	struct recall_file *file = &recall->files[recall->file - 1];

	recall->interface = frame->interface;
	if (frame->interface >= file->known_room) {
		size_t room = (size_t)frame->interface + 16;
		uint32_t *grown = reallocarray(file->known, room, sizeof(*grown));

		if (grown == NULL)
			return no_memory(error);
		memset(grown + file->known_room, 0, (room - file->known_room) * sizeof(*grown));
		file->known = grown;
		file->known_room = room;
	}
	if (file->known[frame->interface] == 0)
		file->known[frame->interface] = ++recall->interface_count;
	frame->interface = file->known[frame->interface] - 1;
	return FYKE_OK;
}

static enum fyke_status read_frame(
	struct fyke_recall *recall, uint64_t number, struct fyke_frame *frame, struct fyke_error *error)
{
	const struct recall_file *file = &recall->files[recall->file - 1];
	struct fyke_reread_mark mark = {0};
	enum fyke_status status = find_mark(recall, number, error);

	if (status != FYKE_OK)
		return status;
	if (recall->mark.number != 0)
		mark = (struct fyke_reread_mark){
			recall->mark.number - file->first_frame + 1, recall->mark.offset};
	status = fyke_reread_number(recall->reread, number - file->first_frame + 1, &mark, frame, error);
	if (status != FYKE_OK)
		return status;
	frame->number = number;
	frame->file = (uint32_t)(recall->file - 1);
	return count_interface(recall, frame, error);
}

enum fyke_status fyke_recall_next(
	struct fyke_recall *recall, struct fyke_frame *frame, bool *more, struct fyke_error *error)
{
	for (*more = false; recall->capture < recall->capture_count; recall->capture++) {
		struct recall_capture *capture = &recall->captures[recall->capture];
		uint64_t number = fyke_frame_set_next(&capture->frames, recall->next);
		enum fyke_status status;

		recall->next = 0;
		if (number == UINT64_MAX)
			continue;
		*more = true;
		recall->next = number + 1;
		status = open_file_of(recall, capture, number, error);
		return status == FYKE_OK ? read_frame(recall, number, frame, error) : status;
	}
	return FYKE_OK;
}

const struct fyke_source_interface *fyke_recall_interface(
	const struct fyke_recall *recall, unsigned *fcs_length)
{
	return recall->reread == NULL ? NULL
				      : fyke_reread_interface(recall->reread, recall->interface, fcs_length);
}

uint32_t fyke_recall_interfaces(const struct fyke_recall *recall)
{
	return recall->interface_count;
}

uint64_t fyke_recall_frames(const struct fyke_recall *recall)
{
	uint64_t count = 0;

	for (size_t i = 0; i < recall->capture_count; i++)
		count += recall->captures[i].frames.count;
	return count;
}

const char *fyke_recall_file(const struct fyke_recall *recall, size_t index)
{
	for (size_t i = 0; i < recall->file_count; i++) {
		if (!recall->files[i].wanted)
			continue;
		if (index-- == 0)
			return recall->files[i].name;
	}
	return NULL;
}
