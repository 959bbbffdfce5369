/* The table of commands: for main, help, and nobody else. */
#ifndef FYKE_CLI_FRAME_H
#define FYKE_CLI_FRAME_H

#include "cli/command.h"

#include <stdbool.h>
#include <stdio.h>

struct fyke_command {
	const char *name;
	int (*run)(int argc, char **argv);
	const struct fyke_command_help *help;
	bool drops_by_itself; /* opens what needs root first; main drops for all others */
};

const struct fyke_command *fyke_command_find(const char *name); /* NULL where there is none */
const char *fyke_command_nearest(const char *name); /* the name that was probably meant, or NULL */
void fyke_print_overview(FILE *out);

#endif
