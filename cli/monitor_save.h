/* `monitor -w`: the packets, exactly as captured, into a file that grows while the monitor runs. */
#ifndef FYKE_CLI_MONITOR_SAVE_H
#define FYKE_CLI_MONITOR_SAVE_H

#include "analyzer/capture/source.h"

#include <stdbool.h>

struct fyke_monitor_save;

/* Creates the file (0600); replaces one only with `force`. "-" is standard output. `source` is borrowed
 * for the save's life. */
FYKE_MUST_USE enum fyke_status fyke_monitor_save_open(const char *path, bool force,
	const struct fyke_source *source, struct fyke_monitor_save **save, struct fyke_error *error);

/* A pipeline's tap: the context is the struct fyke_monitor_save. */
FYKE_MUST_USE enum fyke_status fyke_monitor_save_tap(
	void *context, const struct fyke_block *block, struct fyke_error *error);

FYKE_MUST_USE enum fyke_status fyke_monitor_save_flush(
	struct fyke_monitor_save *save, struct fyke_error *error);

/* Flushes, closes and frees. NULL is allowed. */
FYKE_MUST_USE enum fyke_status fyke_monitor_save_close(
	struct fyke_monitor_save *save, struct fyke_error *error);

/* Whether writing failed because the reader of a pipe went away. */
bool fyke_monitor_save_broken_pipe(const struct fyke_monitor_save *save);

#endif
