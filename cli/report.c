/* `fyke report`: the summary again, or the JSON report into a file. */
#include "reports/report.h"

#include "analyzer/base/version.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/words.h"
#include "dissectors/registry.h"

static const struct fyke_option options[] = {{'d', "database", "FILE", "the session database (fyke.db)"},
	{0, "capture", "last|N|all", "which capture it is about (last)"},
	{0, "json", "FILE", "write the JSON report (- = standard output) instead of the summary"},
	{0, "sessions", NULL, "JSON: with every session"}, {0, "top", "N", "rows in lists (10)"},
	{0, "force", NULL, "replace an existing output file"}, {0}};

enum { OPTION_CAPTURE = 1, OPTION_JSON, OPTION_SESSIONS, OPTION_TOP, OPTION_FORCE };

const struct fyke_command_help fyke_help_report = {
	.summary = "summarize what the database holds",
	.usage = "[OPTIONS]",
	.about = "Without --json the summary goes to the terminal, as analyze shows it at its end. The JSON\n"
		 "report is one object, described by reports/report.schema.json.\n",
	.options = options,
	.examples = "fyke report\n"
		    "fyke report --capture all --top 20\n"
		    "fyke report --json report.json --sessions\n",
};

struct request {
	struct fyke_report_options report;
	const char *json;
	bool force;
};

static int take_option(struct request *request, int option, const char *value)
{
	uint64_t number;

	switch (option) {
	case 'd':
		request->report.database = value;
		break;
	case FYKE_OPTION(OPTION_CAPTURE):
		if (!fyke_report_parse_capture(value, &request->report.capture))
			return fyke_usage(
				"report", "--capture takes last, all or a capture's id, not '%s'", value);
		break;
	case FYKE_OPTION(OPTION_JSON):
		request->json = value;
		break;
	case FYKE_OPTION(OPTION_SESSIONS):
		request->report.sessions = true;
		break;
	case FYKE_OPTION(OPTION_TOP):
		if (!fyke_parse_count(value, 1000000, &number) || number == 0)
			return fyke_usage("report", "--top takes a number from 1 on, not '%s'", value);
		request->report.top = (unsigned)number;
		break;
	case FYKE_OPTION(OPTION_FORCE):
		request->force = true;
		break;
	default:
		return FYKE_EXIT_USAGE;
	}
	return FYKE_EXIT_DONE;
}

static enum fyke_status write_json(
	struct fyke_database *database, const struct request *request, struct fyke_error *error)
{
	const char *inputs[] = {request->report.database};
	struct fyke_output output;
	enum fyke_status status = fyke_output_check(request->json, request->force, inputs, 1, error);

	if (status == FYKE_OK)
		status = fyke_output_open(request->json, request->force, &output, error);
	if (status != FYKE_OK)
		return status;
	status = fyke_report_json(database, &request->report, output.file, error);
	if (status == FYKE_OK)
		return fyke_output_commit(&output, error);
	fyke_output_discard(&output);
	return status;
}

static enum fyke_status run(struct request *request, struct fyke_error *error)
{
	const struct fyke_table *tables[FYKE_TABLES_MAX];
	struct fyke_database *database;
	enum fyke_status status =
		fyke_database_open(request->report.database, FYKE_DATABASE_READ, &database, error);

	if (status != FYKE_OK)
		return status;
	fyke_dissector_tables(tables, FYKE_TABLES_MAX);
	request->report.tables = tables;
	if (request->json != NULL) {
		status = write_json(database, request, error);
	} else {
		request->report.screen = fyke_screen_of(stdout);
		status = fyke_report_text(database, &request->report, stdout, error);
	}
	fyke_database_close(database);
	return status;
}

int fyke_command_report(int argc, char **argv)
{
	struct request request = {.report = {.capture = FYKE_REPORT_LAST,
					  .version = FYKE_VERSION,
					  .refusal_words = fyke_refusal_words,
					  .database = "fyke.db"}};
	struct fyke_arguments arguments;
	struct fyke_error error;
	int option;

	fyke_options_begin(&arguments, argc, argv, &fyke_help_report);
	while ((option = fyke_options_next(&arguments)) != FYKE_OPTIONS_END) {
		int result = option == FYKE_OPTIONS_STOP ? arguments.exit
							 : take_option(&request, option, arguments.value);

		if (option == FYKE_OPTIONS_STOP || result != FYKE_EXIT_DONE)
			return result;
	}
	if (arguments.first < argc)
		return fyke_usage(
			"report", "takes no argument '%s'; -d names the database", argv[arguments.first]);
	if (request.report.sessions && request.json == NULL)
		return fyke_usage("report", "--sessions goes with --json");
	return run(&request, &error) == FYKE_OK ? FYKE_EXIT_DONE : fyke_fail("report", &error);
}
