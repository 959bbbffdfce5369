/* The commands, in the order in which help shows them; messages to the user. */
#include "cli/frame.h"

#include "analyzer/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct fyke_command commands[] = {
	{"analyze", fyke_command_analyze, &fyke_help_analyze, true},
	{"monitor", fyke_command_monitor, &fyke_help_monitor, true},
	{"query", fyke_command_query, &fyke_help_query, false},
	{"stream", fyke_command_stream, &fyke_help_stream, false},
	{"tcp", fyke_command_tcp, &fyke_help_tcp, false},
	{"extract", fyke_command_extract, &fyke_help_extract, false},
	{"report", fyke_command_report, &fyke_help_report, false},
	{"ports", fyke_command_ports, &fyke_help_ports, false},
	{"findings", fyke_command_findings, &fyke_help_findings, false},
	{"diff", fyke_command_diff, &fyke_help_diff, false},
	{"interfaces", fyke_command_interfaces, &fyke_help_interfaces, true},
	{"protocols", fyke_command_protocols, &fyke_help_protocols, false},
	{"help", fyke_command_help, &fyke_help_help, false},
	{"version", fyke_command_version, &fyke_help_version, false},
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

const struct fyke_command *fyke_command_find(const char *name)
{
	for (int i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

const char *fyke_command_nearest(const char *name)
{
	const char *names[COMMAND_COUNT + 1] = {NULL};

	for (int i = 0; i < COMMAND_COUNT; i++)
		names[i] = commands[i].name;
	return fyke_text_nearest(name, names);
}

void fyke_print_overview(FILE *out)
{
	fputs("fyke reads network traffic and rebuilds every conversation in it.\n\n"
	      "  fyke analyze capture.pcapng     sessions into fyke.db, a summary here\n"
	      "  sudo fyke monitor -i eth0       the same from a live interface\n"
	      "  fyke query 'port 443'           ask the database\n\n"
	      "Commands:\n",
		out);
	for (int i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-11s %s\n", commands[i].name, commands[i].help->summary);
	fputs("\n`fyke help COMMAND` tells more.\n", out);
}

FYKE_PRINTF(2, 0) static void tell(const char *name, const char *format, va_list arguments)
{
	struct fyke_error error;
	char text[sizeof(error.text)];

	(void)vsnprintf(text, sizeof(text), format, arguments);
	(void)!fyke_error_set(&error, FYKE_OK, "%s", text); /* makes it printable */
	fflush(stdout);
	if (name == NULL)
		fprintf(stderr, "fyke: %s\n", error.text);
	else
		fprintf(stderr, "fyke %s: %s\n", name, error.text);
}

void fyke_warn(const char *name, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	tell(name, format, arguments);
	va_end(arguments);
}

int fyke_usage(const char *name, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	tell(name, format, arguments);
	va_end(arguments);
	if (name == NULL)
		fputs("`fyke help` lists the commands.\n", stderr);
	else
		fprintf(stderr, "`fyke help %s` tells how it is used.\n", name);
	return FYKE_EXIT_USAGE;
}

int fyke_fail(const char *name, const struct fyke_error *error)
{
	fyke_warn(name, "%s", error->text);
	return error->status == FYKE_FAILED_USAGE ? FYKE_EXIT_USAGE : FYKE_EXIT_FAILED;
}
