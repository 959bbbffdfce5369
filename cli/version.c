/* `fyke version`: of fyke, and of the libraries that matter when something is reported. */
#include "analyzer/base/version.h"
#include "analyzer/capture/library.h"
#include "cli/command.h"
#include "storage/database.h"

#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>

const struct fyke_command_help fyke_help_version = {
	.summary = "show the version of fyke and of its libraries",
	.usage = "",
};

int fyke_command_version(int argc, char **argv)
{
	struct fyke_arguments arguments;

	fyke_options_begin(&arguments, argc, argv, &fyke_help_version);
	if (fyke_options_next(&arguments) != FYKE_OPTIONS_END)
		return arguments.exit;
	if (arguments.first < argc)
		return fyke_usage("version", "takes no argument");
	printf("fyke %s\n", FYKE_VERSION);
	printf("database schema %d\n", FYKE_DATABASE_SCHEMA_VERSION);
	printf("SQLite %s\n", sqlite3_libversion());
	printf("%s\n", fyke_capture_library_version());
	printf("jansson %s\n", JANSSON_VERSION);
	return FYKE_EXIT_DONE;
}
