/*
 * Files that fyke writes for the user: never in place of a capture, never in place of any other file
 * without --force, and never half: they appear under their name when they are complete.
 */
#ifndef FYKE_CLI_OUTPUT_H
#define FYKE_CLI_OUTPUT_H

#include "analyzer/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct fyke_output {
	FILE *file;	  /* write here */
	const char *path; /* borrowed; "-" is standard output */
	char *temporary;  /* NULL where it is written directly: standard output, devices, pipes */
	bool force;
};

/* To be asked early, before hours of analysis: FYKE_FAILED_USAGE when `path` is one of the `count`
 * inputs, is a capture, or exists and there is no `force`. "-" always passes. */
FYKE_MUST_USE enum fyke_status fyke_output_check(
	const char *path, bool force, const char *const *inputs, size_t count, struct fyke_error *error);

/* FYKE_FAILED_USAGE when the file that will be changed in place (a database) is one of the inputs. */
FYKE_MUST_USE enum fyke_status fyke_output_not_input(
	const char *path, const char *const *inputs, size_t count, struct fyke_error *error);

/* Opens a temporary file beside `path` (0600), or standard output. */
FYKE_MUST_USE enum fyke_status fyke_output_open(
	const char *path, bool force, struct fyke_output *output, struct fyke_error *error);

/* Flushes, checks, and gives the file its name. Releases the output in every case. */
FYKE_MUST_USE enum fyke_status fyke_output_commit(struct fyke_output *output, struct fyke_error *error);

/* Gives up: nothing appears. */
void fyke_output_discard(struct fyke_output *output);

#endif
