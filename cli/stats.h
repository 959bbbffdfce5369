/* `--stats`: the counters of a run and the laws that hold between them. */
#ifndef FYKE_CLI_STATS_H
#define FYKE_CLI_STATS_H

#include "analyzer/pipeline.h"

#include <stdio.h>

/* Lines for a person. Tells where a law is broken: frames read = filtered out + decoded + refused,
 * TCP payload seen = stream + repeated + left out. */
void fyke_stats_print(FILE *out, const struct fyke_pipeline_counters *counters,
	const struct fyke_source_counters *source, int64_t elapsed_ns);

#endif
