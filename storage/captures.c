/*
 * Rows of captures and files. Runs of the same set of files (by fingerprint, in any order) replace each
 * other; standard input's fingerprint is known at the end only, so that is looked at there.
 */
#include "storage/captures.h"

#include "storage/comments.h"
#include "storage/index.h"
#include "storage/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The fingerprints of a capture in one string; NULL where one is not known. */
#define FINGERPRINTS(id)                                                                                     \
	"(SELECT CASE WHEN count(*) = count(fingerprint) THEN group_concat(fingerprint) END FROM"            \
	" (SELECT fingerprint FROM files WHERE capture_id = " id " ORDER BY fingerprint))"

static bool lock_byte(int fd, int command, int64_t id, short *type)
{
	struct flock lock = {
		.l_type = *type, .l_whence = SEEK_SET, .l_start = FYKE_CAPTURE_LOCK_BASE + id, .l_len = 1};
	bool done = fcntl(fd, command, &lock) == 0;

	*type = lock.l_type;
	return done;
}

static bool is_held(int fd, int64_t id)
{
	short type = F_WRLCK;

	return lock_byte(fd, F_OFD_GETLK, id, &type) && type != F_UNLCK;
}

static enum fyke_status hold(int fd, int64_t id, struct fyke_error *error)
{
	short type = F_WRLCK;

	/* File systems without such locks: then a second run takes this one for dead, which only shows
	 * in its status. */
	if (!lock_byte(fd, F_OFD_SETLK, id, &type) && (errno == EAGAIN || errno == EACCES))
		return fyke_error_set(error, FYKE_FAILED_DATABASE,
			"Another process holds the mark of capture %" PRId64, id);
	return FYKE_OK;
}

static enum fyke_status interrupt_stale(struct fyke_database *database, struct fyke_error *error)
{
	sqlite3 *db = fyke_database_handle(database);
	sqlite3_stmt *running = NULL;
	enum fyke_status status =
		fyke_sql_prepare(db, "SELECT id FROM captures WHERE status = 'running'", &running, error);

	while (status == FYKE_OK && sqlite3_step(running) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(running, 0);

		if (!is_held(fyke_database_descriptor(database), id))
			status = fyke_sql_run_with(
				db, "UPDATE captures SET status = 'interrupted' WHERE id = ?1", id, 0, error);
	}
	sqlite3_finalize(running);
	return status;
}

static void bind_fingerprint(sqlite3_stmt *statement, int index, const char *fingerprint)
{
	fyke_sql_bind_text(statement, index, fingerprint[0] == '\0' ? NULL : fingerprint);
}

static void random_fingerprint(char text[33])
{
	(void)snprintf(text, 33, "%016" PRIx64 "%016" PRIx64, fyke_index_seed(), fyke_index_seed());
}

static enum fyke_status insert_capture(
	sqlite3 *db, const struct fyke_capture *capture, int64_t *id, struct fyke_error *error)
{
	static const char sql[] =
		"INSERT INTO captures(id, source, name, link_types, version, options, fingerprint, status)"
		" SELECT coalesce(max(id), 0) + 1, ?1, ?2, ?3, ?4, ?5, ?6, 'running' FROM captures";
	char fingerprint[33] = "";
	sqlite3_stmt *insert = NULL;
	enum fyke_status status = fyke_sql_prepare(db, sql, &insert, error);

	if (status != FYKE_OK)
		return status;
	if (capture->is_interface)
		random_fingerprint(fingerprint);
	else if (capture->file_count > 0)
		(void)snprintf(fingerprint, sizeof(fingerprint), "%s", capture->files[0].fingerprint);
	fyke_sql_bind_text(insert, 1, capture->is_interface ? "interface" : "file");
	fyke_sql_bind_text(insert, 2, capture->name);
	fyke_sql_bind_text(insert, 3, capture->link_types);
	fyke_sql_bind_text(insert, 4, capture->version);
	fyke_sql_bind_text(insert, 5, capture->options);
	bind_fingerprint(insert, 6, fingerprint);
	status = fyke_sql_finish(insert, error);
	sqlite3_finalize(insert);
	*id = sqlite3_last_insert_rowid(db);
	return status;
}

static enum fyke_status insert_files(sqlite3 *db, const struct fyke_capture *capture, int64_t capture_id,
	int64_t *file_ids, struct fyke_error *error)
{
	static const char sql[] = "INSERT INTO files(capture_id, position, name, bytes, fingerprint, format)"
				  " VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
	sqlite3_stmt *insert = NULL;
	enum fyke_status status = fyke_sql_prepare(db, sql, &insert, error);

	for (size_t i = 0; status == FYKE_OK && i < capture->file_count; i++) {
		const struct fyke_capture_file *file = &capture->files[i];

		sqlite3_bind_int64(insert, 1, capture_id);
		sqlite3_bind_int64(insert, 2, (sqlite3_int64)i);
		fyke_sql_bind_text(insert, 3, file->name);
		sqlite3_bind_int64(insert, 4, (sqlite3_int64)file->bytes);
		bind_fingerprint(insert, 5, file->fingerprint);
		fyke_sql_bind_text(insert, 6, file->format);
		status = fyke_sql_finish(insert, error);
		file_ids[i] = sqlite3_last_insert_rowid(db);
	}
	sqlite3_finalize(insert);
	return status;
}

static enum fyke_status insert_interface(
	sqlite3_stmt *insert, const struct fyke_capture_interface *interface, struct fyke_error *error)
{
	fyke_sql_bind_text(insert, 4, interface->name[0] == '\0' ? NULL : interface->name);
	fyke_sql_bind_text(insert, 5, interface->description[0] == '\0' ? NULL : interface->description);
	fyke_sql_bind_text(insert, 6, interface->link_type);
	fyke_sql_bind_number(insert, 7, interface->snaplen == 0 ? FYKE_UNKNOWN : (int64_t)interface->snaplen);
	fyke_sql_bind_text(insert, 8, interface->filter);
	fyke_sql_bind_text(insert, 9, interface->os);
	fyke_sql_bind_text(insert, 10, interface->hardware);
	fyke_sql_bind_text(insert, 11, interface->comment);
	return fyke_sql_finish(insert, error);
}

/* Those known by now; of files that is at the end, live at once. */
static enum fyke_status insert_interfaces(sqlite3 *db, const struct fyke_capture *capture,
	const struct fyke_stored_run *run, struct fyke_error *error)
{
	static const char sql[] = "INSERT OR REPLACE INTO interfaces(capture_id, position, file_id, name, "
				  "description, link_type,"
				  " snaplen, filter, os, hardware, comment) VALUES(?1, ?2, ?3, ?4, ?5, ?6, "
				  "?7, ?8, ?9, ?10, ?11)";
	sqlite3_stmt *insert = NULL;
	enum fyke_status status = fyke_sql_prepare(db, sql, &insert, error);

	for (size_t i = 0; status == FYKE_OK && i < capture->interface_count; i++) {
		const struct fyke_capture_interface *interface = &capture->interfaces[i];
		bool of_file = !capture->is_interface && interface->file < run->file_count;

		sqlite3_bind_int64(insert, 1, run->capture_id);
		sqlite3_bind_int64(insert, 2, (sqlite3_int64)i);
		fyke_sql_bind_number(insert, 3, of_file ? run->file_ids[interface->file] : FYKE_UNKNOWN);
		status = insert_interface(insert, interface, error);
	}
	sqlite3_finalize(insert);
	return status;
}

static enum fyke_status refuse_known_files(sqlite3 *db, int64_t id, struct fyke_error *error)
{
	static const char sql[] =
		"SELECT mine.name, c.id, c.name FROM files mine JOIN files f ON f.fingerprint = "
		"mine.fingerprint"
		" JOIN captures c ON c.id = f.capture_id WHERE mine.capture_id = ?1 AND c.id <> ?1"
		" AND " FINGERPRINTS("c.id") " IS NOT " FINGERPRINTS("?1") " ORDER BY c.id LIMIT 1";
	sqlite3_stmt *known = NULL;
	enum fyke_status status = fyke_sql_prepare(db, sql, &known, error);

	if (status != FYKE_OK)
		return status;
	sqlite3_bind_int64(known, 1, id);
	if (sqlite3_step(known) == SQLITE_ROW)
		status = fyke_error_set(error, FYKE_FAILED_USAGE,
			"%s: already stored in capture %lld (%s); --again stores it once more",
			(const char *)sqlite3_column_text(known, 0),
			(long long)sqlite3_column_int64(known, 1),
			(const char *)sqlite3_column_text(known, 2));
	sqlite3_finalize(known);
	return status;
}

static enum fyke_status begin(struct fyke_database *database, const struct fyke_capture *capture, bool again,
	int64_t *id, int64_t *file_ids, struct fyke_error *error)
{
	sqlite3 *db = fyke_database_handle(database);
	enum fyke_status status = interrupt_stale(database, error);

	if (status == FYKE_OK)
		status = insert_capture(db, capture, id, error);
	if (status == FYKE_OK)
		status = insert_files(db, capture, *id, file_ids, error);
	if (status == FYKE_OK)
		status = insert_interfaces(
			db, capture, &(struct fyke_stored_run){*id, file_ids, capture->file_count}, error);
	if (status == FYKE_OK && !again)
		status = refuse_known_files(db, *id, error);
	if (status == FYKE_OK)
		status = hold(fyke_database_descriptor(database), *id, error);
	return status;
}

enum fyke_status fyke_captures_begin(struct fyke_database *database, const struct fyke_capture *capture,
	bool again, int64_t *id, int64_t *file_ids, struct fyke_error *error)
{
	sqlite3 *db = fyke_database_handle(database);
	enum fyke_status status = fyke_sql_run(db, "BEGIN IMMEDIATE", error);

	if (status != FYKE_OK)
		return status;
	status = begin(database, capture, again, id, file_ids, error);
	if (status == FYKE_OK)
		return fyke_sql_run(db, "COMMIT", error);
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	*id = 0;
	return status;
}

/* {"arp": 3, …}; the names are our own words. */
static void bind_refusals(sqlite3 *db, sqlite3_stmt *statement, int index, const struct fyke_capture *capture)
{
	sqlite3_str *json = sqlite3_str_new(db);
	char *text;

	sqlite3_str_appendchar(json, 1, '{');
	for (size_t i = 0; i < capture->refusal_count; i++)
		sqlite3_str_appendf(json, "%s\"%w\":%llu", i > 0 ? "," : "", capture->refusals[i].name,
			(unsigned long long)capture->refusals[i].count);
	sqlite3_str_appendchar(json, 1, '}');
	text = sqlite3_str_finish(json);
	sqlite3_bind_text(statement, index, text, -1, sqlite3_free);
}

static enum fyke_status update_capture(
	sqlite3 *db, int64_t id, const struct fyke_capture *capture, struct fyke_error *error)
{
	static const char sql[] =
		"UPDATE captures SET name = ?2, link_types = ?3, first_packet_us = ?4, last_packet_us = ?5,"
		" packets = ?6, bytes = ?7, filtered_packets = ?8, refused_packets = ?9, refusals = ?10,"
		" kernel_drops = ?11, interface_drops = ?12, status = ?13,"
		" fingerprint = coalesce(fingerprint, ?14) WHERE id = ?1";
	sqlite3_stmt *update = NULL;
	enum fyke_status status = fyke_sql_prepare(db, sql, &update, error);

	if (status != FYKE_OK)
		return status;
	sqlite3_bind_int64(update, 1, id);
	fyke_sql_bind_text(update, 2, capture->name);
	fyke_sql_bind_text(update, 3, capture->link_types);
	fyke_sql_bind_number(update, 4, capture->first_packet_us);
	fyke_sql_bind_number(update, 5, capture->last_packet_us);
	sqlite3_bind_int64(update, 6, (sqlite3_int64)capture->packets);
	sqlite3_bind_int64(update, 7, (sqlite3_int64)capture->bytes);
	sqlite3_bind_int64(update, 8, (sqlite3_int64)capture->filtered_packets);
	sqlite3_bind_int64(update, 9, (sqlite3_int64)capture->refused_packets);
	bind_refusals(db, update, 10, capture);
	fyke_sql_bind_number(update, 11, capture->kernel_drops);
	fyke_sql_bind_number(update, 12, capture->interface_drops);
	fyke_sql_bind_text(update, 13, fyke_capture_status_name(capture->status));
	bind_fingerprint(update, 14, capture->file_count > 0 ? capture->files[0].fingerprint : "");
	status = fyke_sql_finish(update, error);
	sqlite3_finalize(update);
	return status;
}

static enum fyke_status update_files(sqlite3 *db, const int64_t *file_ids, size_t count,
	const struct fyke_capture *capture, struct fyke_error *error)
{
	static const char sql[] =
		"UPDATE files SET bytes = ?2, fingerprint = ?3, first_frame = ?4, frames = ?5, format = ?6,"
		" damage = ?7, application = ?8, os = ?9, hardware = ?10 WHERE id = ?1";
	sqlite3_stmt *update = NULL;
	enum fyke_status status = fyke_sql_prepare(db, sql, &update, error);

	for (size_t i = 0; status == FYKE_OK && i < count && i < capture->file_count; i++) {
		const struct fyke_capture_file *file = &capture->files[i];

		sqlite3_bind_int64(update, 1, file_ids[i]);
		sqlite3_bind_int64(update, 2, (sqlite3_int64)file->bytes);
		bind_fingerprint(update, 3, file->fingerprint);
		fyke_sql_bind_number(
			update, 4, file->first_frame == 0 ? FYKE_UNKNOWN : (int64_t)file->first_frame);
		sqlite3_bind_int64(update, 5, (sqlite3_int64)file->frames);
		fyke_sql_bind_text(update, 6, file->format);
		fyke_sql_bind_text(update, 7, file->damage);
		fyke_sql_bind_text(update, 8, file->application);
		fyke_sql_bind_text(update, 9, file->os);
		fyke_sql_bind_text(update, 10, file->hardware);
		status = fyke_sql_finish(update, error);
	}
	sqlite3_finalize(update);
	return status;
}

/* An interrupted run must not take the place of one that saw all. */
static enum fyke_status replace_earlier(sqlite3 *db, int64_t id, struct fyke_error *error)
{
	static const char sql[] =
		"SELECT c.id FROM captures c JOIN captures mine ON mine.id = ?1 WHERE c.id <> ?1"
		" AND c.source = 'file' AND mine.source = 'file' AND c.status <> 'running'"
		" AND (mine.status <> 'interrupted' OR c.status = 'interrupted')"
		" AND " FINGERPRINTS("c.id") " = " FINGERPRINTS("?1") " LIMIT 1";
	enum fyke_status status;
	sqlite3_stmt *earlier = NULL;
	bool found;

	do {
		status = fyke_sql_prepare(db, sql, &earlier, error);
		if (status != FYKE_OK)
			return status;
		sqlite3_bind_int64(earlier, 1, id);
		found = sqlite3_step(earlier) == SQLITE_ROW;
		if (found) {
			int64_t old = sqlite3_column_int64(earlier, 0);

			sqlite3_reset(earlier);
			status = fyke_captures_delete(db, old, error);
		}
		sqlite3_finalize(earlier);
	} while (found && status == FYKE_OK);
	return status;
}

enum fyke_status fyke_captures_end(struct sqlite3 *db, int64_t id, const int64_t *file_ids, size_t file_count,
	const struct fyke_capture *capture, struct fyke_error *error)
{
	const struct fyke_stored_run run = {id, file_ids, file_count};
	enum fyke_status status = update_capture(db, id, capture, error);

	if (status == FYKE_OK)
		status = update_files(db, file_ids, file_count, capture, error);
	if (status == FYKE_OK)
		status = insert_interfaces(db, capture, &run, error);
	if (status == FYKE_OK)
		status = fyke_comments_add_files(db, &run, capture, error);
	return status == FYKE_OK ? replace_earlier(db, id, error) : status;
}

enum fyke_status fyke_captures_references(struct sqlite3 *db, const char *table,
	fyke_reference_function function, void *context, struct fyke_error *error)
{
	static const char sql[] = "SELECT m.name, f.\"from\", f.on_delete = 'CASCADE' FROM sqlite_schema m,"
				  " pragma_foreign_key_list(m.name) f WHERE m.type = 'table' AND f.\"table\" "
				  "= ?1 ORDER BY 1, 2";
	sqlite3_stmt *list = NULL;
	enum fyke_status status = fyke_sql_prepare(db, sql, &list, error);

	if (status != FYKE_OK)
		return status;
	sqlite3_bind_text(list, 1, table, -1, SQLITE_STATIC);
	while (status == FYKE_OK && sqlite3_step(list) == SQLITE_ROW)
		status = function(context, (const char *)sqlite3_column_text(list, 0),
			(const char *)sqlite3_column_text(list, 1), sqlite3_column_int(list, 2) != 0, error);
	sqlite3_finalize(list);
	return status;
}

struct deletion {
	sqlite3 *db;
	int64_t capture_id;
	const char *of; /* what selects the rows referred to */
};

/* Columns that would become NULL stand in rows of the same capture, which go as well. */
static enum fyke_status delete_referring(
	void *context, const char *table, const char *column, bool cascade, struct fyke_error *error)
{
	const struct deletion *deletion = context;
	sqlite3_str *sql;

	if (!cascade)
		return FYKE_OK;
	sql = sqlite3_str_new(deletion->db);
	sqlite3_str_appendf(sql, "DELETE FROM \"%w\" WHERE \"%w\" IN (%s%lld)", table, column, deletion->of,
		(long long)deletion->capture_id);
	return fyke_sql_run_built(deletion->db, sql, error);
}

enum fyke_status fyke_captures_delete(struct sqlite3 *db, int64_t id, struct fyke_error *error)
{
	static const struct {
		const char *table, *of;
	} steps[] = {
		{"sessions", "SELECT id FROM sessions WHERE capture_id = "},
		{"files", "SELECT id FROM files WHERE capture_id = "},
		{"captures", ""},
	};
	enum fyke_status status = FYKE_OK;

	for (size_t i = 0; status == FYKE_OK && i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct deletion deletion = {db, id, steps[i].of};

		status = fyke_captures_references(db, steps[i].table, delete_referring, &deletion, error);
	}
	if (status == FYKE_OK)
		status = fyke_sql_run_with(db, "DELETE FROM captures WHERE id = ?1", id, 0, error);
	return status;
}
