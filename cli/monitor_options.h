/* The command line of `fyke monitor`. */
#ifndef FYKE_CLI_MONITOR_OPTIONS_H
#define FYKE_CLI_MONITOR_OPTIONS_H

#include "cli/payload_options.h"

#include <stdbool.h>
#include <stdint.h>

struct fyke_monitor_options {
	const char *interface, *database, *filter, *save, *services, *user, *home_net,
		*rules; /* borrowed from argv; NULL where not given */
	uint64_t frame_limit, max_bytes;
	uint32_t snaplen, buffer_mib, rings;
	int64_t rules_every_ns;
	int64_t flush_ns, keep_ns, duration_ns; /* keep and duration: 0 = for ever */
	struct fyke_engine_options engine;	/* its services are not set here */
	struct fyke_payload_options payload;
	bool force, jsonl, stats, quiet, no_fold, no_database, not_promiscuous;
	char shaping[512]; /* the options that shape the result, as text: captures.options */
};

/* False: *result is the exit code (help was shown, or a mistake told). */
bool fyke_monitor_options_parse(int argc, char **argv, struct fyke_monitor_options *options, int *result);

#endif
