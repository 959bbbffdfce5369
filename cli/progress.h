/* One line on a terminal's standard error that shows how far the reading of files has come. */
#ifndef FYKE_CLI_PROGRESS_H
#define FYKE_CLI_PROGRESS_H

#include "analyzer/pipeline.h"

#include <stdbool.h>
#include <stdint.h>

struct fyke_progress {
	bool shown;		   /* standard error is a terminal, and the user did not ask for quiet */
	bool drawn;		   /* there is a line to be wiped */
	int64_t begin_ns, last_ns; /* monotonic */
};

void fyke_progress_begin(struct fyke_progress *progress, bool quiet);
/* Cheap; redraws at most ten times a second. */
void fyke_progress_update(
	struct fyke_progress *progress, uint64_t packets, const struct fyke_source_counters *source);
/* Wipes the line, so that what follows starts on a clean one. */
void fyke_progress_end(struct fyke_progress *progress);

/* The line itself, at most `columns` wide, without control characters; for tests. `elapsed_ns` > 0. */
void fyke_progress_line(char *line, size_t room, unsigned columns, uint64_t packets,
	const struct fyke_source_counters *source, int64_t elapsed_ns);

#endif
