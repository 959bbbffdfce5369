/* What captures say in words, into the table `comments`. Texts are stored whole. */
#include "storage/comments.h"

#include "storage/sql.h"

static int64_t file_id(const struct fyke_stored_run *run, size_t file)
{
	return file < run->file_count ? run->file_ids[file] : FYKE_UNKNOWN;
}

enum fyke_status fyke_comments_begin(struct fyke_comments *comments, sqlite3 *db,
	const struct fyke_stored_run *run, struct fyke_error *error)
{
	static const char sql[] =
		"INSERT INTO comments(capture_id, n, file_id, frame, text) VALUES(?1, ?2, ?3, ?4, ?5)";

	*comments = (struct fyke_comments){.run = *run};
	return fyke_sql_prepare(db, sql, &comments->insert, error);
}

void fyke_comments_release(struct fyke_comments *comments)
{
	sqlite3_finalize(comments->insert);
	comments->insert = NULL;
}

enum fyke_status fyke_comments_add(
	struct fyke_comments *comments, const struct fyke_tick *tick, struct fyke_error *error)
{
	sqlite3_stmt *insert = comments->insert;
	enum fyke_status status = FYKE_OK;

	for (size_t i = 0; i < tick->comment_count && status == FYKE_OK; i++) {
		const struct fyke_tick_comment *comment = &tick->comments[i];

		sqlite3_bind_int64(insert, 1, comments->run.capture_id);
		sqlite3_bind_int64(insert, 2, ++comments->n);
		fyke_sql_bind_number(insert, 3, file_id(&comments->run, comment->file));
		sqlite3_bind_int64(insert, 4, (sqlite3_int64)comment->frame);
		fyke_sql_bind_bytes(insert, 5, comment->text, comment->length);
		status = fyke_sql_finish(insert, error);
	}
	return status;
}

enum fyke_status fyke_comments_add_files(sqlite3 *db, const struct fyke_stored_run *run,
	const struct fyke_capture *capture, struct fyke_error *error)
{
	static const char sql[] =
		"INSERT INTO comments(capture_id, n, file_id, text)"
		" SELECT ?1, coalesce(max(n), 0) + 1, ?2, ?3 FROM comments WHERE capture_id = ?1";
	sqlite3_stmt *insert = NULL;
	enum fyke_status status = fyke_sql_prepare(db, sql, &insert, error);

	for (size_t i = 0; status == FYKE_OK && i < capture->file_count; i++) {
		if (capture->files[i].comment == NULL)
			continue;
		sqlite3_bind_int64(insert, 1, run->capture_id);
		fyke_sql_bind_number(insert, 2, file_id(run, i));
		fyke_sql_bind_text(insert, 3, capture->files[i].comment);
		status = fyke_sql_finish(insert, error);
	}
	sqlite3_finalize(insert);
	return status;
}
