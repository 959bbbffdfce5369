/*
 * What a run says of itself: struct fyke_capture out of a source, the pipeline's counters and the
 * options, with the memory that its strings need. For analyze and monitor.
 */
#ifndef FYKE_CLI_RUN_H
#define FYKE_CLI_RUN_H

#include "analyzer/pipeline.h"
#include "analyzer/session/capture.h"

struct fyke_run {
	struct fyke_capture capture; /* hand this to the writer */
	struct fyke_capture_refusal refusals[FYKE_REFUSAL_COUNT];
	struct fyke_capture_file *files;
	struct fyke_capture_interface *interfaces;
	char *name, *link_types;
};

/* Before the first packet: name (of the interface, or NULL: the source's files joined), files and
 * fingerprints; status running. `options` is borrowed for the run's life. */
FYKE_MUST_USE enum fyke_status fyke_run_begin(struct fyke_run *run, const struct fyke_source *source,
	const char *interface, const char *options, struct fyke_error *error);

/* After (or during) the run: counters, times, link types, refusals, damage of the files. COMPLETE
 * becomes DAMAGED where a file is. */
FYKE_MUST_USE enum fyke_status fyke_run_update(struct fyke_run *run, struct fyke_source *source,
	const struct fyke_pipeline_counters *counters, enum fyke_capture_status status,
	struct fyke_error *error);

void fyke_run_release(struct fyke_run *run);

#endif
