/*
 * The SQLite sink. The analyzing thread queues ticks; a thread of ours writes them in transactions of
 * about 50,000 rows (live: one for each tick, so that no other writer waits long).
 *
 * After a failure what was committed stays; the rest of the run is taken and thrown away, and every
 * later call says so.
 */
#include "storage/writer.h"

#include "storage/captures.h"
#include "storage/load.h"
#include "storage/prune.h"
#include "storage/sql.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	QUEUE_LENGTH = 16,
	TRANSACTION_ROWS = 50 * 1000,
	LIVE_BUSY_MS = 60 * 1000,
	FREE_PERCENT = 5,
	INDICES_KEPT_ROWS = 50 * 1000, /* a load into a filled database this small leaves its indices be */
	OPTIMIZE_FLUSHES = 60,
};

struct fyke_writer {
	struct fyke_writer_options options;
	char *path;
	struct fyke_database *database;
	sqlite3 *db;
	struct fyke_load *load;
	int64_t capture_id;
	int64_t *file_ids;
	size_t file_count;

	/* the writing thread's own */
	bool in_transaction, indices_dropped;
	int64_t sessions_at_open;
	int64_t latest_us; /* packet time */
	uint64_t flushes;

	/* shared, under `mutex` */
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t filled, emptied;
	struct fyke_tick *queue[QUEUE_LENGTH];
	size_t first, count;
	bool closing;
	struct fyke_error failure; /* status FYKE_OK: none */
	struct fyke_writer_counters counters;
};

static enum fyke_status begin(struct fyke_writer *writer, struct fyke_error *error)
{
	enum fyke_status status;

	if (writer->in_transaction)
		return FYKE_OK;
	status = fyke_sql_run(writer->db, "BEGIN IMMEDIATE", error);
	if (status != FYKE_OK)
		return status;
	writer->in_transaction = true;
	fyke_load_begin(writer->load);
	return FYKE_OK;
}

static enum fyke_status commit(struct fyke_writer *writer, struct fyke_error *error)
{
	enum fyke_status status;

	if (!writer->in_transaction)
		return FYKE_OK;
	status = fyke_sql_run(writer->db, "COMMIT", error);
	if (status != FYKE_OK)
		return status;
	writer->in_transaction = false;
	pthread_mutex_lock(&writer->mutex);
	writer->counters.transactions++;
	pthread_mutex_unlock(&writer->mutex);
	return FYKE_OK;
}

/* A load into a filled database starts with its indices in place; they go when it turns out large. */
static enum fyke_status drop_indices_when_large(struct fyke_writer *writer, struct fyke_error *error)
{
	uint64_t written = writer->load->sessions_written;

	if (writer->options.live || writer->indices_dropped || written < INDICES_KEPT_ROWS ||
		written < (uint64_t)writer->sessions_at_open / 4)
		return FYKE_OK;
	writer->indices_dropped = true;
	return fyke_schema_drop_indices(writer->db, error);
}

static enum fyke_status prune(struct fyke_writer *writer, struct fyke_error *error)
{
	uint64_t deleted = 0;
	enum fyke_status status = FYKE_OK;

	if (writer->options.keep_us > 0 && writer->latest_us != FYKE_UNKNOWN)
		status = fyke_prune_older(
			writer->db, writer->latest_us - writer->options.keep_us, &deleted, error);
	if (status == FYKE_OK && writer->options.max_bytes > 0)
		status = fyke_prune_larger(writer->db, writer->options.max_bytes, &deleted, error);
	if (deleted > 0)
		fyke_load_forget(writer->load);
	pthread_mutex_lock(&writer->mutex);
	writer->counters.deleted_sessions += deleted;
	pthread_mutex_unlock(&writer->mutex);
	return status;
}

/* What the query planner knows of the data. Another writer may come between, and nothing hangs on it. */
static void refresh_statistics(struct fyke_writer *writer, const char *sql)
{
	struct fyke_error ignored;

	if (fyke_sql_run(writer->db, sql, &ignored) != FYKE_OK && sqlite3_get_autocommit(writer->db) == 0)
		sqlite3_exec(writer->db, "ROLLBACK", NULL, NULL, NULL);
}

/* What a live flush owes the user: all visible, and the database within its bounds. */
static enum fyke_status flush(struct fyke_writer *writer, struct fyke_error *error)
{
	enum fyke_status status = begin(writer, error);

	if (status == FYKE_OK)
		status = fyke_load_summaries(writer->load, error);
	if (status == FYKE_OK)
		status = commit(writer, error);
	if (status == FYKE_OK && writer->options.live)
		status = prune(writer, error);
	if (status == FYKE_OK && writer->options.live && writer->flushes++ % OPTIMIZE_FLUSHES == 0)
		refresh_statistics(writer, "PRAGMA analysis_limit = 1000; PRAGMA optimize");
	return status;
}

static enum fyke_status write_tick(
	struct fyke_writer *writer, const struct fyke_tick *tick, struct fyke_error *error)
{
	enum fyke_status status = begin(writer, error);
	int64_t time_us = fyke_rows_us(tick->time_ns);

	if (time_us > writer->latest_us)
		writer->latest_us = time_us;
	if (status == FYKE_OK)
		status = fyke_load_tick(writer->load, tick, error);
	if (status == FYKE_OK)
		status = drop_indices_when_large(writer, error);
	if (status != FYKE_OK)
		return status;
	if (tick->flush)
		return flush(writer, error);
	if (writer->options.live || writer->load->rows >= TRANSACTION_ROWS)
		return commit(writer, error);
	return FYKE_OK;
}

/* Looked at whenever the user waits anyway; in between a database does not grow by twentieths. */
static bool must_not_store(struct fyke_writer *writer, const struct fyke_tick *tick)
{
	unsigned percent = writer->options.free_percent == 0 ? FREE_PERCENT : writer->options.free_percent;
	bool full = writer->counters.disk_nearly_full;

	if (!writer->options.live || (!tick->flush && writer->flushes > 0))
		return full;
	full = fyke_prune_disk_nearly_full(writer->path, percent);
	pthread_mutex_lock(&writer->mutex);
	writer->counters.disk_nearly_full = full;
	pthread_mutex_unlock(&writer->mutex);
	return full;
}

static enum fyke_status take_tick(
	struct fyke_writer *writer, const struct fyke_tick *tick, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;
	bool full = must_not_store(writer, tick);

	if (!full)
		status = write_tick(writer, tick, error);
	else if (tick->flush)
		status = prune(writer, error);
	pthread_mutex_lock(&writer->mutex);
	if (full)
		writer->counters.dropped_sessions += tick->session_count;
	writer->counters.sessions = writer->load->sessions_written;
	writer->counters.updates = writer->load->updates_written;
	writer->counters.folded_sessions = writer->load->fold.folded;
	writer->counters.records = writer->load->records_written;
	pthread_mutex_unlock(&writer->mutex);
	return status;
}

/* NULL: closing, and nothing is left. */
static struct fyke_tick *next_tick(struct fyke_writer *writer, bool *failed)
{
	struct fyke_tick *tick = NULL;

	pthread_mutex_lock(&writer->mutex);
	while (writer->count == 0 && !writer->closing)
		pthread_cond_wait(&writer->filled, &writer->mutex);
	if (writer->count > 0) {
		tick = writer->queue[writer->first];
		writer->first = (writer->first + 1) % QUEUE_LENGTH;
		writer->count--;
		pthread_cond_signal(&writer->emptied);
	}
	*failed = writer->failure.status != FYKE_OK;
	pthread_mutex_unlock(&writer->mutex);
	return tick;
}

static void fail(struct fyke_writer *writer, const struct fyke_error *error)
{
	sqlite3_exec(writer->db, "ROLLBACK", NULL, NULL, NULL);
	writer->in_transaction = false;
	pthread_mutex_lock(&writer->mutex);
	writer->failure = *error;
	pthread_mutex_unlock(&writer->mutex);
}

static void *run(void *context)
{
	struct fyke_writer *writer = context;
	struct fyke_tick *tick;
	bool failed;

	while ((tick = next_tick(writer, &failed)) != NULL) {
		struct fyke_error error = {.status = FYKE_OK};

		if (!failed && take_tick(writer, tick, &error) != FYKE_OK)
			fail(writer, &error);
		fyke_tick_free(tick);
	}
	return NULL;
}

static enum fyke_status take(void *context, struct fyke_tick *tick, struct fyke_error *error)
{
	struct fyke_writer *writer = context;
	struct fyke_error failure;

	pthread_mutex_lock(&writer->mutex);
	while (writer->count == QUEUE_LENGTH && writer->failure.status == FYKE_OK)
		pthread_cond_wait(&writer->emptied, &writer->mutex);
	failure = writer->failure;
	if (failure.status == FYKE_OK) {
		writer->queue[(writer->first + writer->count) % QUEUE_LENGTH] = tick;
		writer->count++;
		pthread_cond_signal(&writer->filled);
	}
	pthread_mutex_unlock(&writer->mutex);
	if (failure.status == FYKE_OK)
		return FYKE_OK;
	fyke_tick_free(tick);
	return fyke_error_set(error, failure.status, "%s", failure.text);
}

struct fyke_sink fyke_writer_sink(struct fyke_writer *writer)
{
	return (struct fyke_sink){.context = writer, .take = take};
}

struct fyke_writer_counters fyke_writer_counters(struct fyke_writer *writer)
{
	struct fyke_writer_counters counters;

	pthread_mutex_lock(&writer->mutex);
	counters = writer->counters;
	counters.queued_ticks = writer->count;
	pthread_mutex_unlock(&writer->mutex);
	return counters;
}

int64_t fyke_writer_capture_id(const struct fyke_writer *writer)
{
	return writer->capture_id;
}

static void release(struct fyke_writer *writer)
{
	fyke_load_free(writer->load);
	fyke_database_close(writer->database);
	pthread_cond_destroy(&writer->filled);
	pthread_cond_destroy(&writer->emptied);
	pthread_mutex_destroy(&writer->mutex);
	free(writer->file_ids);
	free(writer->path);
	free(writer);
}

/* As much as can still be said of a run that failed; if not even that, the next writer says it. */
static void mark_interrupted(struct fyke_writer *writer)
{
	struct fyke_error ignored;

	sqlite3_exec(writer->db, "ROLLBACK", NULL, NULL, NULL);
	if (fyke_sql_run_with(writer->db,
		    "UPDATE captures SET status = 'interrupted' WHERE id = ?1 AND status = 'running'",
		    writer->capture_id, 0, &ignored) != FYKE_OK)
		return;
	if (fyke_schema_make_indices(writer->db, &ignored) != FYKE_OK)
		sqlite3_exec(writer->db, "ROLLBACK", NULL, NULL, NULL);
}

/* A fresh database gets its indices at the end; a monitor's has them from the start. */
static enum fyke_status prepare_indices(struct fyke_writer *writer, struct fyke_error *error)
{
	writer->sessions_at_open = fyke_sql_number(writer->db, "SELECT max(id) FROM sessions", 0);
	if (writer->options.live || writer->sessions_at_open > 0)
		return fyke_schema_make_indices(writer->db, error);
	writer->indices_dropped = true;
	return fyke_schema_drop_indices(writer->db, error);
}

/* Whose clients are whose, and what later reports take for one's own. */
static enum fyke_status set_home(struct fyke_writer *writer, struct fyke_error *error)
{
	sqlite3_stmt *update = NULL;
	enum fyke_status status;

	if (!fyke_networks_parse(writer->options.home_net, &writer->load->hosts.ports.home))
		return fyke_error_set(error, FYKE_FAILED_USAGE, "--home-net: no list of networks");
	status = fyke_sql_prepare(
		writer->db, "UPDATE captures SET home_net = ?2 WHERE id = ?1", &update, error);
	if (status != FYKE_OK)
		return status;
	sqlite3_bind_int64(update, 1, writer->capture_id);
	fyke_sql_bind_text(update, 2, writer->options.home_net);
	status = fyke_sql_finish(update, error);
	sqlite3_finalize(update);
	return status;
}

static enum fyke_status start(
	struct fyke_writer *writer, const struct fyke_capture *capture, struct fyke_error *error)
{
	enum fyke_status status =
		fyke_database_open(writer->path, FYKE_DATABASE_WRITE, &writer->database, error);

	if (status != FYKE_OK)
		return status;
	writer->db = fyke_database_handle(writer->database);
	status = fyke_schema_announce_record_tables(writer->db, writer->options.tables, error);
	if (status != FYKE_OK)
		return status;
	status = fyke_captures_begin(writer->database, capture, writer->options.again, &writer->capture_id,
		writer->file_ids, error);
	if (status == FYKE_OK)
		status = prepare_indices(writer, error);
	if (status == FYKE_OK)
		status = fyke_load_new(writer->db, writer->capture_id, writer->file_ids, writer->file_count,
			&writer->load, error);
	if (status == FYKE_OK)
		writer->load->fold.off = writer->options.no_fold;
	if (status == FYKE_OK && writer->options.live)
		fyke_hosts_stop_sampling(&writer->load->hosts);
	if (status == FYKE_OK && writer->options.home_net != NULL)
		status = set_home(writer, error);
	if (writer->options.live)
		sqlite3_busy_timeout(writer->db, LIVE_BUSY_MS);
	if (status == FYKE_OK && pthread_create(&writer->thread, NULL, run, writer) != 0)
		status = fyke_error_set(error, FYKE_FAILED_MEMORY, "No thread for writing the database");
	return status;
}

enum fyke_status fyke_writer_open(const struct fyke_writer_options *options,
	const struct fyke_capture *capture, struct fyke_writer **writer, struct fyke_error *error)
{
	struct fyke_writer *made = calloc(1, sizeof(*made));
	enum fyke_status status;

	*writer = NULL;
	if (made == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "%s: out of memory", options->path);
	made->options = *options;
	made->latest_us = FYKE_UNKNOWN;
	made->file_count = capture->file_count;
	made->file_ids = calloc(capture->file_count + 1, sizeof(*made->file_ids));
	made->path = strdup(options->path);
	pthread_mutex_init(&made->mutex, NULL);
	pthread_cond_init(&made->filled, NULL);
	pthread_cond_init(&made->emptied, NULL);
	if (made->path == NULL || made->file_ids == NULL)
		status = fyke_error_set(error, FYKE_FAILED_MEMORY, "%s: out of memory", options->path);
	else
		status = start(made, capture, error);
	if (status != FYKE_OK) {
		if (made->capture_id != 0)
			mark_interrupted(made);
		release(made);
		return status;
	}
	*writer = made;
	return FYKE_OK;
}

static void stop_thread(struct fyke_writer *writer)
{
	pthread_mutex_lock(&writer->mutex);
	writer->closing = true;
	pthread_cond_signal(&writer->filled);
	pthread_mutex_unlock(&writer->mutex);
	pthread_join(writer->thread, NULL);
}

static enum fyke_status end_capture(
	struct fyke_writer *writer, const struct fyke_capture *capture, struct fyke_error *error)
{
	enum fyke_status status = begin(writer, error);

	if (status == FYKE_OK)
		status = writer->options.live ? fyke_load_summaries(writer->load, error)
					      : fyke_load_finish(writer->load, error);
	if (status == FYKE_OK)
		status = fyke_captures_end(
			writer->db, writer->capture_id, writer->file_ids, writer->file_count, capture, error);
	return status == FYKE_OK ? commit(writer, error) : status;
}

static void *make_indices(void *context)
{
	struct fyke_writer *writer = context;

	if (fyke_schema_make_indices(writer->db, &writer->failure) == FYKE_OK)
		refresh_statistics(writer, "PRAGMA analysis_limit = 1000; ANALYZE");
	return NULL;
}

/* Where there is no write-ahead log a reader and a writer would keep each other waiting. */
static bool readers_are_free(sqlite3 *db)
{
	return fyke_sql_number(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", 0) == 1;
}

static enum fyke_status complete(struct fyke_writer *writer, const struct fyke_capture *capture,
	const struct fyke_writer_meanwhile *meanwhile, struct fyke_error *error)
{
	enum fyke_status status = end_capture(writer, capture, error);

	if (status != FYKE_OK)
		return status;
	if (meanwhile != NULL && readers_are_free(writer->db) &&
		pthread_create(&writer->thread, NULL, make_indices, writer) == 0) {
		meanwhile->run(meanwhile->context);
		pthread_join(writer->thread, NULL);
	} else {
		(void)make_indices(writer);
	}
	status = writer->failure.status;
	return status == FYKE_OK ? status : fyke_error_set(error, status, "%s", writer->failure.text);
}

enum fyke_status fyke_writer_finish(struct fyke_writer *writer, const struct fyke_capture *capture,
	const struct fyke_writer_meanwhile *meanwhile, int64_t *capture_id, struct fyke_error *error)
{
	enum fyke_status status;

	stop_thread(writer);
	if (capture_id != NULL)
		*capture_id = writer->capture_id;
	status = writer->failure.status;
	if (status != FYKE_OK)
		status = fyke_error_set(error, status, "%s", writer->failure.text);
	else if (capture != NULL)
		status = complete(writer, capture, meanwhile, error);
	else
		status = commit(writer, error);
	if (status != FYKE_OK || capture == NULL)
		mark_interrupted(writer);
	release(writer);
	return status;
}
