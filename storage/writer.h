/*
 * The SQLite sink: ticks in, rows out, on a thread of its own.
 */
#ifndef FYKE_STORAGE_WRITER_H
#define FYKE_STORAGE_WRITER_H

#include "analyzer/session/capture.h"
#include "analyzer/session/sink.h"

struct fyke_writer;

struct fyke_writer_options {
	const char *path;			/* database; created (0600) when absent */
	const struct fyke_table *const *tables; /* of dissectors, ends with NULL: announced by _open, not
						 needed later; NULL = none */
	bool again;				/* store files that another capture holds already */
	bool no_fold;				/* a row for each half-open session, however many */
	bool live;				/* commit every tick, keep indices, no bulk load */
	int64_t keep_us;       /* monitor: sessions that ended longer ago (packet time) go; 0 = for ever */
	uint64_t max_bytes;    /* monitor: the oldest go when the database is larger; 0 = no limit */
	const char *home_net;  /* --home-net as it was given and checked; NULL: each host's own */
	unsigned free_percent; /* monitor: storing stops below so much free disk; 0 = 5 */
};

/* Opens or creates the database, turns stale `running` captures into `interrupted`, begins a
 * capture row with status running. `capture` tells kind, name, options, version and, for files, names
 * and fingerprints (may be ""): a file that is already in another capture fails the call with
 * FYKE_FAILED_USAGE unless the file set is the same (then that capture is replaced at finish) or `again`.
 *
 * One writer for a database in one process at a time; other processes may write to it meanwhile. */
FYKE_MUST_USE enum fyke_status fyke_writer_open(const struct fyke_writer_options *options,
	const struct fyke_capture *capture, struct fyke_writer **writer, struct fyke_error *error);

/* Valid until finish. take() queues the tick (bounded) and returns; a failure of the
 * writing thread shows at the next take and at finish. */
struct fyke_sink fyke_writer_sink(struct fyke_writer *writer);

/* What its caller may do while fyke_writer_finish makes the indices: all rows are there to be read. */
struct fyke_writer_meanwhile {
	void (*run)(void *context);
	void *context;
};

/* Waits until all is written, fills in the capture's and files' rows, hosts, ports (of a run that is not live
 * all that derive.h says, too) and timeline, replaces the earlier capture of the same files, makes the
 * indices, closes. Frees the writer in every case. `capture` NULL: the run came to nothing; it is marked
 * interrupted.
 *
 * meanwhile (NULL: nothing) runs on the calling thread, unless something failed or readers would have to
 * wait; it reads over a connection of its own, and is not to count on indices. */
FYKE_MUST_USE enum fyke_status fyke_writer_finish(struct fyke_writer *writer,
	const struct fyke_capture *capture, const struct fyke_writer_meanwhile *meanwhile,
	int64_t *capture_id, struct fyke_error *error);

struct fyke_writer_counters {
	uint64_t sessions, updates, records, transactions, deleted_sessions;
	uint64_t dropped_sessions; /* not stored because the disk was nearly full */
	uint64_t folded_sessions;  /* written into blocks (fold.h) */
	uint64_t queued_ticks;	   /* waiting now */
	bool disk_nearly_full;	   /* storing has stopped at 5 % free */
};
struct fyke_writer_counters fyke_writer_counters(struct fyke_writer *writer);

/* The number of the run's row in `captures`. */
int64_t fyke_writer_capture_id(const struct fyke_writer *writer);

#endif
