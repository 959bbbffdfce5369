/* What analyze and monitor show at their end: the reports of the run that was just stored. */
#ifndef FYKE_CLI_SHOW_H
#define FYKE_CLI_SHOW_H

#include "analyzer/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* The terminal summary of one capture, on standard output. */
FYKE_MUST_USE enum fyke_status fyke_show_summary(
	const char *database, int64_t capture_id, struct fyke_error *error);

/* The JSON report of one capture into a file ("-" = standard output). */
FYKE_MUST_USE enum fyke_status fyke_show_json(
	const char *database, int64_t capture_id, const char *path, bool force, struct fyke_error *error);

#endif
