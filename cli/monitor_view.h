/*
 * What `fyke monitor` shows while it runs: the live table on a terminal, JSON lines, or a line of
 * progress now and then.
 */
#ifndef FYKE_CLI_MONITOR_VIEW_H
#define FYKE_CLI_MONITOR_VIEW_H

#include "analyzer/pipeline.h"
#include "cli/live_table.h"
#include "cli/monitor_options.h"
#include "storage/jsonl.h"
#include "storage/writer.h"

struct fyke_monitor_view {
	enum { FYKE_VIEW_NONE, FYKE_VIEW_TABLE, FYKE_VIEW_JSONL, FYKE_VIEW_PROGRESS } kind;
	const struct fyke_monitor_options *options;
	struct fyke_live_table *table;
	struct fyke_jsonl *jsonl;
	enum fyke_live_order order;
	bool colour, ascii;
	unsigned columns, rows;		   /* of the screen last drawn */
	int64_t begin_ns, last_ns;	   /* monotonic: of the run, of the last drawing */
	uint64_t last_packets, last_bytes; /* at the last drawing */
	bool ends;   /* the user pressed q, or the reader of standard output went away */
	bool failed; /* standard output failed otherwise; failure has errno */
	int failure;
};

/* Takes the terminal when the table is shown: call it after fyke_interrupt_catch. */
FYKE_MUST_USE enum fyke_status fyke_monitor_view_begin(
	struct fyke_monitor_view *view, const struct fyke_monitor_options *options, struct fyke_error *error);

/* A tick on its way to the database. */
void fyke_monitor_view_take(struct fyke_monitor_view *view, const struct fyke_tick *tick);

/* Cheap; draws about once a second. `stored` is NULL without a database. */
void fyke_monitor_view_update(struct fyke_monitor_view *view, const struct fyke_pipeline_counters *counters,
	const struct fyke_source_counters *source, const struct fyke_writer_counters *stored);

/* Gives the terminal back; ticks are still taken afterwards. */
void fyke_monitor_view_leave(struct fyke_monitor_view *view);
void fyke_monitor_view_end(struct fyke_monitor_view *view);

int64_t fyke_monitor_clock_ns(void);

#endif
