/* The command line of `fyke analyze`. */
#ifndef FYKE_CLI_ANALYZE_OPTIONS_H
#define FYKE_CLI_ANALYZE_OPTIONS_H

#include "cli/payload_options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fyke_analyze_options {
	const char *database, *filter, *json, *services, *user, *home_net,
		*rules; /* borrowed from argv; NULL where not given */
	uint64_t frame_limit;
	uint32_t snaplen;
	unsigned threads;		   /* 0 = not given */
	struct fyke_engine_options engine; /* its services are not set here */
	struct fyke_payload_options payload;
	bool force, again, stats, quiet, no_fold, no_database;
	const char **files; /* owned list of borrowed names */
	size_t file_count;
	char shaping[512]; /* the options that shape the result, as text: captures.options */
};

/* False: *result is the exit code (help was shown, or a mistake told). Release in either case. */
bool fyke_analyze_options_parse(int argc, char **argv, struct fyke_analyze_options *options, int *result);
void fyke_analyze_options_release(struct fyke_analyze_options *options);

#endif
