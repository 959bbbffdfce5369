/*
 * What a command is: a function, and a description that gives both its options and its help.
 *
 * A new command is one file cli/<name>.c that defines fyke_command_<name> and fyke_help_<name>, and a
 * line in the table of cli/main.c.
 */
#ifndef FYKE_CLI_COMMAND_H
#define FYKE_CLI_COMMAND_H

#include "analyzer/base/status.h"
#include "cli/options.h"

enum fyke_exit {
	FYKE_EXIT_DONE = 0,   /* "nothing matched" is an answer, too */
	FYKE_EXIT_FAILED = 1, /* nothing was lost that had been stored */
	FYKE_EXIT_USAGE = 2,
	FYKE_EXIT_DAMAGED =
		3, /* done, but the input was damaged, held nothing, or nothing passed the filter */
};

struct fyke_command_help {
	const char *summary;		   /* one line, no full stop: "answer a question from the database" */
	const char *usage;		   /* behind "fyke NAME": "[OPTIONS] FILE..." */
	const char *about;		   /* NULL or whole lines, at most 100 columns each, ending in \n */
	const struct fyke_option *options; /* NULL or a list that ends with a zeroed one */
	const char *examples;		   /* NULL or whole lines without indentation, ending in \n */
};

/* argv[0] is the command's name. Returns an enum fyke_exit; standard output is flushed and checked by
 * main. `--help` never reaches a command: fyke_options_next answers it. */
int fyke_command_analyze(int argc, char **argv);
int fyke_command_monitor(int argc, char **argv);
int fyke_command_query(int argc, char **argv);
int fyke_command_tcp(int argc, char **argv);
int fyke_command_stream(int argc, char **argv);
int fyke_command_extract(int argc, char **argv);
int fyke_command_report(int argc, char **argv);
int fyke_command_ports(int argc, char **argv);
int fyke_command_findings(int argc, char **argv);
int fyke_command_diff(int argc, char **argv);
int fyke_command_interfaces(int argc, char **argv);
int fyke_command_protocols(int argc, char **argv);
int fyke_command_help(int argc, char **argv);
int fyke_command_version(int argc, char **argv);

extern const struct fyke_command_help fyke_help_analyze, fyke_help_monitor, fyke_help_query, fyke_help_tcp,
	fyke_help_stream, fyke_help_extract, fyke_help_report, fyke_help_ports, fyke_help_findings,
	fyke_help_diff, fyke_help_interfaces, fyke_help_protocols, fyke_help_help, fyke_help_version;

/* Prints a command's help to standard output; returns FYKE_EXIT_DONE. */
int fyke_command_print_help(const char *name, const struct fyke_command_help *help);

/* "fyke NAME: …" on standard error. name may be NULL. */
void fyke_warn(const char *name, const char *format, ...) FYKE_PRINTF(2, 3);

/* The same and a pointer to the help; returns FYKE_EXIT_USAGE, so that `return fyke_usage(…)` reads well. */
int fyke_usage(const char *name, const char *format, ...) FYKE_PRINTF(2, 3);

/* Tells a failure; returns the exit code for it (USAGE for FYKE_FAILED_USAGE, else FAILED). */
int fyke_fail(const char *name, const struct fyke_error *error);

/* What `fyke help database` prints is written by storage; see cli/help.c. */
#endif
