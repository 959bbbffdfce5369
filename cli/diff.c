/* `fyke diff OLD NEW`: what changed. */
#include "reports/diff.h"

#include "cli/command.h"
#include "storage/database.h"

#include <sqlite3.h>
#include <string.h>

static const char command[] = "diff";

static const struct fyke_option options[] = {{0, "format", "FORMAT", "text or json (text)"},
	{0, "top", "N", "rows of each list in the text (20)"}, {0}};

enum { OPTION_FORMAT, OPTION_TOP };

const struct fyke_command_help fyke_help_diff = {
	.summary = "compare two databases: what came, what went, what shifted",
	.usage = "[OPTIONS] OLD NEW",
	.about = "Hosts, ports, services, names, products and fingerprints that only one of them has, ports "
		 "whose\n"
		 "state changed, and services whose volume, loss or delay shifted, with the size of the "
		 "effect. Both\n"
		 "sides are compared by rates, since each was observed for a time of its own "
		 "(docs/ports.md).\n",
	.options = options,
	.examples =
		"fyke diff monday.db tuesday.db\n"
		"fyke diff --format json monday.db tuesday.db | jq '.ports[] | select(.what == \"came\")'\n",
};

static int take_option(struct fyke_diff_options *diff, int option, const char *value)
{
	uint64_t number;

	if (option == FYKE_OPTION(OPTION_TOP)) {
		if (!fyke_parse_count(value, 1000000, &number) || number == 0)
			return fyke_usage(command, "--top takes a number from 1 on, not '%s'", value);
		diff->top = (unsigned)number;
		return FYKE_EXIT_DONE;
	}
	diff->json = strcmp(value, "json") == 0;
	if (!diff->json && strcmp(value, "text") != 0)
		return fyke_usage(command, "--format takes text or json, not '%s'", value);
	return FYKE_EXIT_DONE;
}

/* The newer one was looked at as a database of its own first, so that it is known to be one of ours. */
static enum fyke_status attach(struct sqlite3 *db, const char *path, struct fyke_error *error)
{
	sqlite3_stmt *statement = NULL;
	enum fyke_status status = FYKE_OK;

	if (sqlite3_prepare_v2(db, "ATTACH ?1 AS later", -1, &statement, NULL) != SQLITE_OK)
		return fyke_error_set(error, FYKE_FAILED_DATABASE, "%s: %s", path, sqlite3_errmsg(db));
	sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC);
	if (sqlite3_step(statement) != SQLITE_DONE)
		status = fyke_error_set(error, FYKE_FAILED_DATABASE, "%s: %s", path, sqlite3_errmsg(db));
	sqlite3_finalize(statement);
	return status;
}

static enum fyke_status run(const struct fyke_diff_options *diff, struct fyke_error *error)
{
	struct fyke_database *old = NULL, *new = NULL;
	enum fyke_status status = fyke_database_open(diff->new_name, FYKE_DATABASE_READ, &new, error);

	fyke_database_close(new); /* it is one, and may be the same file: no two at once */
	if (status == FYKE_OK)
		status = fyke_database_open(diff->old_name, FYKE_DATABASE_READ, &old, error);
	if (status == FYKE_OK)
		status = attach(fyke_database_handle(old), diff->new_name, error);
	if (status == FYKE_OK)
		status = fyke_diff_write(fyke_database_handle(old), diff, stdout, error);
	fyke_database_close(old);
	return status;
}

int fyke_command_diff(int argc, char **argv)
{
	struct fyke_diff_options diff = {.top = 20};
	struct fyke_arguments arguments;
	struct fyke_error error;
	int option;

	fyke_options_begin(&arguments, argc, argv, &fyke_help_diff);
	while ((option = fyke_options_next(&arguments)) != FYKE_OPTIONS_END) {
		int result = option == FYKE_OPTIONS_STOP ? arguments.exit
							 : take_option(&diff, option, arguments.value);

		if (option == FYKE_OPTIONS_STOP || result != FYKE_EXIT_DONE)
			return result;
	}
	if (argc - arguments.first != 2)
		return fyke_usage(command, "takes two databases: fyke diff monday.db tuesday.db");
	diff.old_name = argv[arguments.first];
	diff.new_name = argv[arguments.first + 1];
	diff.screen = fyke_screen_of(stdout);
	return run(&diff, &error) == FYKE_OK ? FYKE_EXIT_DONE : fyke_fail(command, &error);
}
