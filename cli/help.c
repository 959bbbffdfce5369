/* `fyke help [COMMAND]`, and the help of one command: made from the same list that parses its options. */
#include "cli/frame.h"
#include "findings/findings.h"
#include "reports/schemas.h"
#include "storage/schema.h"

#include <stdio.h>
#include <string.h>

const struct fyke_command_help fyke_help_help = {
	.summary = "show this, or how a command is used",
	.usage = "[COMMAND]",
	.about = "`fyke help database` prints the description of the database's tables (docs/database.md),\n"
		 "`fyke help rules` that of the rules (docs/findings.md), `fyke help schema NAME` the JSON "
		 "Schema\n"
		 "of what a command writes (`fyke help schema` lists them).\n",
};

/* "-d, --database FILE"; returns its width. */
static int format_option(const struct fyke_option *option, char *text, size_t room)
{
	char letter[8] = "    ";

	if (option->letter != 0)
		(void)snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	return snprintf(text, room, "%s--%s%s%s", letter, option->name, option->argument == NULL ? "" : " ",
		option->argument == NULL ? "" : option->argument);
}

static void print_options(const struct fyke_option *options)
{
	char text[128];
	int width = 10;

	for (const struct fyke_option *o = options; o->name != NULL; o++) {
		int needed = o->help == NULL ? 0 : format_option(o, text, sizeof(text));

		if (needed > width)
			width = needed;
	}
	printf("\nOptions:\n");
	for (const struct fyke_option *o = options; o->name != NULL; o++) {
		if (o->help == NULL)
			continue;
		(void)format_option(o, text, sizeof(text));
		printf("  %-*s  %s\n", width, text, o->help);
	}
	printf("  %-*s  %s\n", width, "    --help", "show this");
}

static void print_indented(const char *lines)
{
	while (*lines != '\0') {
		size_t length = strcspn(lines, "\n");

		printf("  %.*s\n", (int)length, lines);
		lines += length + (lines[length] == '\n');
	}
}

int fyke_command_print_help(const char *name, const struct fyke_command_help *help)
{
	printf("Usage: fyke %s%s%s\n\n", name, help->usage[0] == '\0' ? "" : " ", help->usage);
	printf("%s%s: %s.\n", "fyke ", name, help->summary);
	if (help->about != NULL)
		printf("\n%s", help->about);
	if (help->options != NULL)
		print_options(help->options);
	if (help->examples != NULL) {
		printf("\nExamples:\n");
		print_indented(help->examples);
	}
	return FYKE_EXIT_DONE;
}

static int print_rules(void)
{
	struct fyke_rules rules;
	struct fyke_error error;

	if (fyke_rules_load(NULL, &rules, &error) != FYKE_OK)
		return fyke_fail("help", &error);
	fyke_findings_write_docs(&rules, stdout);
	fyke_rules_release(&rules);
	return FYKE_EXIT_DONE;
}

static int print_schema(const char *name)
{
	for (size_t i = 0; i < fyke_json_schema_count; i++) {
		if (name == NULL)
			puts(fyke_json_schemas[i].name);
		else if (strcmp(fyke_json_schemas[i].name, name) == 0)
			return fputs(fyke_json_schemas[i].text, stdout) < 0 ? FYKE_EXIT_FAILED
									    : FYKE_EXIT_DONE;
	}
	return name == NULL
		       ? FYKE_EXIT_DONE
		       : fyke_usage("help", "there is no schema '%s'; `fyke help schema` lists them", name);
}

int fyke_command_help(int argc, char **argv)
{
	struct fyke_arguments arguments;
	const struct fyke_command *command;
	const char *name, *near;

	fyke_options_begin(&arguments, argc, argv, &fyke_help_help);
	if (fyke_options_next(&arguments) != FYKE_OPTIONS_END)
		return arguments.exit;
	if (arguments.first == argc) {
		fyke_print_overview(stdout);
		return FYKE_EXIT_DONE;
	}
	name = argv[arguments.first];
	if (strcmp(name, "database") == 0) {
		fyke_storage_write_docs(stdout);
		return FYKE_EXIT_DONE;
	}
	if (strcmp(name, "rules") == 0)
		return print_rules();
	if (strcmp(name, "schema") == 0)
		return print_schema(argv[arguments.first + 1]);
	command = fyke_command_find(name);
	if (command != NULL)
		return fyke_command_print_help(name, command->help);
	near = fyke_command_nearest(name);
	if (near == NULL)
		return fyke_usage(NULL, "there is no command \"%s\"", name);
	return fyke_usage(NULL, "there is no command \"%s\": did you mean \"%s\"?", name, near);
}
