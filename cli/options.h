/*
 * Options of a command, declared once: parsed with getopt_long, shown by `fyke help COMMAND`.
 *
 *	static const struct fyke_option options[] = {
 *		{'d', "database", "FILE", "the session database (fyke.db)"},
 *		{0, "force", NULL, "replace an existing output file"},
 *		{0}};
 *
 *	struct fyke_arguments arguments;
 *	int option;
 *	fyke_options_begin(&arguments, argc, argv, &fyke_help_query);
 *	while ((option = fyke_options_next(&arguments)) != FYKE_OPTIONS_END) {
 *		if (option == 'd') database = arguments.value;
 *		else if (option == FYKE_OPTION(1)) force = true;   // index in the list, for those without a
 *letter else return arguments.exit;                        // FYKE_OPTIONS_STOP: help was printed, or a
 *mistake told
 *	}
 *	// what is left: argv[arguments.first] … argv[argc - 1]
 */
#ifndef FYKE_CLI_OPTIONS_H
#define FYKE_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct fyke_command_help;

struct fyke_option {
	char letter;	      /* 0 = none */
	const char *name;     /* without dashes; NULL ends the list */
	const char *argument; /* its word in the help; NULL = takes none */
	const char *help;     /* a phrase; NULL hides the option from the help */
};

enum { FYKE_OPTIONS_END = -1, FYKE_OPTIONS_STOP = -2 };

/* What fyke_options_next returns for options[i] when it has no letter. */
#define FYKE_OPTION(i) (256 + (i))

enum { FYKE_OPTIONS_MAX = 40 };

struct fyke_arguments {
	int argc;
	char **argv;
	const struct fyke_command_help *help;
	const char *value; /* of the option just returned, borrowed from argv */
	int first;	   /* after the end: the first argument that is no option */
	int exit;	   /* after STOP: what the command returns */
};

/* Starts over with argv[1]. One command at a time: getopt keeps its place in globals. */
void fyke_options_begin(
	struct fyke_arguments *arguments, int argc, char **argv, const struct fyke_command_help *help);

/* The next option's letter or FYKE_OPTION(i). Options and other arguments may be mixed. `--help` and
 * `-h` print the help (unless the command has an `h` of its own); a mistake is told on standard error
 * with the nearest option's name. */
int fyke_options_next(struct fyke_arguments *arguments);

/* Whole text or false. Sizes: "64k", "1.5GiB", "10G", plain bytes; powers of 1024. */
bool fyke_parse_size(const char *text, uint64_t *bytes);
/* "30d", "2h", "90s", "1.5s", "500ms", "20us"; a plain number is seconds. Never negative. */
bool fyke_parse_duration(const char *text, int64_t *ns);
/* Decimal digits only, at most `most`. */
bool fyke_parse_count(const char *text, uint64_t most, uint64_t *count);

#endif
