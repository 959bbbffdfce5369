/* `fyke findings`: runs the rules on a database that is there. */
#include "reports/findings.h"

#include "cli/command.h"
#include "cli/home_net.h"
#include "reports/report.h"

#include <string.h>

static const char command[] = "findings";

static const struct fyke_option options[] = {{'d', "database", "FILE", "the session database (fyke.db)"},
	{0, "capture", "last|N|all", "which capture it is about (last)"},
	{0, "rules", "FOLDER", "rules of your own, too: FOLDER/*.sql"},
	{0, "home-net", "NETWORKS", "networks that are your own: 192.168.1.0/24,2001:db8::/32"},
	{0, "severity", "LEAST", "info, low, medium, high or critical (info)"},
	{0, "format", "FORMAT", "text or json (text)"},
	{0, "save", NULL, "put what is found into the database, too"},
	{0, "list", NULL, "show the rules instead"}, {'v', "verbose", NULL, "tell of every rule how it went"},
	{0}};

enum {
	OPTION_CAPTURE = 1,
	OPTION_RULES,
	OPTION_HOME,
	OPTION_SEVERITY,
	OPTION_FORMAT,
	OPTION_SAVE,
	OPTION_LIST
};

const struct fyke_command_help fyke_help_findings = {
	.summary = "look for scans, beacons, exposed services and other things that need eyes",
	.usage = "[OPTIONS] [RULE...]",
	.about = "Runs the rules that come with fyke (--list; docs/findings.md), and those of a folder, on "
		 "the\n"
		 "database. What they say is evidence, with the sessions that show it, what else it may be, "
		 "and\n"
		 "what to do; it is never a verdict. With RULE only those run.\n",
	.options = options,
	.examples = "fyke findings\n"
		    "fyke findings --severity medium --home-net 192.168.1.0/24\n"
		    "fyke findings --list\n"
		    "fyke findings --rules ~/rules --format json | jq '.findings[].subject'\n",
};

struct request {
	const char *database, *folder;
	const char *home; /* NULL: as at the analysis */
	int64_t capture;
	struct fyke_findings_view view;
	bool json, save, list;
	char **names; /* of the rules to run; NULL ends the list */
};

static int take_long(struct request *request, int option, const char *value)
{
	switch (option) {
	case FYKE_OPTION(OPTION_CAPTURE):
		if (!fyke_report_parse_capture(value, &request->capture))
			return fyke_usage(
				command, "--capture takes last, all or a capture's id, not '%s'", value);
		break;
	case FYKE_OPTION(OPTION_RULES):
		request->folder = value;
		break;
	case FYKE_OPTION(OPTION_HOME):
		request->home = value;
		return fyke_home_net_check(command, value);
	case FYKE_OPTION(OPTION_SEVERITY):
		if (!fyke_severity_find(value, &request->view.least))
			return fyke_usage(command,
				"--severity takes info, low, medium, high or critical, not '%s'", value);
		break;
	case FYKE_OPTION(OPTION_FORMAT):
		request->json = strcmp(value, "json") == 0;
		if (!request->json && strcmp(value, "text") != 0)
			return fyke_usage(command, "--format takes text or json, not '%s'", value);
		break;
	default:
		return FYKE_EXIT_USAGE;
	}
	return FYKE_EXIT_DONE;
}

static int take_option(struct request *request, int option, const char *value)
{
	if (option == 'd')
		request->database = value;
	else if (option == 'v')
		request->view.verbose = true;
	else if (option == FYKE_OPTION(OPTION_SAVE))
		request->save = true;
	else if (option == FYKE_OPTION(OPTION_LIST))
		request->list = true;
	else
		return take_long(request, option, value);
	return FYKE_EXIT_DONE;
}

/* Only the rules that were named, in their order. */
static enum fyke_status choose(struct fyke_rules *rules, char **names, struct fyke_error *error)
{
	size_t kept = 0;

	for (char **name = names; *name != NULL; name++) {
		if (fyke_rules_find(rules, *name) == NULL)
			return fyke_error_set(
				error, FYKE_FAILED_USAGE, "there is no rule '%s'; --list shows them", *name);
	}
	for (size_t i = 0; *names != NULL && i < rules->count; i++) {
		bool named = false;

		for (char **name = names; *name != NULL; name++)
			named = named || strcmp(*name, rules->list[i].name) == 0;
		if (named && kept != i) {
			struct fyke_rule other = rules->list[kept];

			rules->list[kept] = rules->list[i];
			rules->list[i] = other;
		}
		kept += named;
	}
	for (size_t i = kept; *names != NULL && i < rules->count; i++)
		fyke_rule_release(&rules->list[i]);
	if (*names != NULL)
		rules->count = kept;
	return FYKE_OK;
}

static enum fyke_status save(const struct request *request, int64_t capture_id,
	const struct fyke_findings *findings, struct fyke_error *error)
{
	struct fyke_database *database;
	enum fyke_status status =
		fyke_database_open(request->database, FYKE_DATABASE_WRITE, &database, error);

	if (status != FYKE_OK)
		return status;
	status = fyke_findings_store(database, capture_id, findings, error);
	fyke_database_close(database);
	return status;
}

/* --save brings an older database forward first, so that it can be read at all. */
static enum fyke_status open_database(const struct request *request, int64_t *capture_id,
	struct fyke_database **database, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	if (request->save) {
		status = fyke_database_open(request->database, FYKE_DATABASE_READ, database, error);
		if (status == FYKE_OK)
			fyke_database_close(*database);
		else if (status == FYKE_FAILED_FORMAT)
			status = FYKE_OK;
		if (status == FYKE_OK)
			status = fyke_database_open(request->database, FYKE_DATABASE_WRITE, database, error);
		if (status != FYKE_OK)
			return status;
		fyke_database_close(*database);
	}
	status = fyke_database_open(request->database, FYKE_DATABASE_READ, database, error);
	if (status != FYKE_OK)
		return status;
	status = fyke_report_find_capture(*database, request->capture, capture_id, error);
	if (status == FYKE_OK)
		status = fyke_home_net_set(*database, request->home, *capture_id, NULL, error);
	if (status != FYKE_OK)
		fyke_database_close(*database);
	return status;
}

static enum fyke_status show(
	const struct request *request, const struct fyke_findings *findings, struct fyke_error *error)
{
	if (request->json)
		return fyke_findings_json(findings, &request->view, stdout, error);
	fyke_findings_text(findings, &request->view, stdout);
	return FYKE_OK;
}

static enum fyke_status find_and_show(
	const struct request *request, const struct fyke_rules *rules, struct fyke_error *error)
{
	struct fyke_findings findings;
	struct fyke_database *database;
	int64_t capture_id;
	enum fyke_status status = open_database(request, &capture_id, &database, error);

	if (status != FYKE_OK)
		return status;
	status = fyke_findings_run(database, capture_id, rules, &findings, error);
	fyke_database_close(database);
	if (status != FYKE_OK)
		return status;
	status = show(request, &findings, error);
	if (status == FYKE_OK && request->save && capture_id != 0)
		status = save(request, capture_id, &findings, error);
	fyke_findings_release(&findings);
	return status;
}

static enum fyke_status run(const struct request *request, struct fyke_error *error)
{
	struct fyke_rules rules;
	struct fyke_screen screen = fyke_screen_of(stdout);
	enum fyke_status status = fyke_rules_load(request->folder, &rules, error);

	if (status != FYKE_OK)
		return status;
	status = choose(&rules, request->names, error);
	if (status == FYKE_OK && request->list)
		fyke_rules_text(&rules, &screen, stdout);
	else if (status == FYKE_OK)
		status = find_and_show(request, &rules, error);
	fyke_rules_release(&rules);
	return status;
}

int fyke_command_findings(int argc, char **argv)
{
	struct request request = {.database = "fyke.db", .capture = FYKE_REPORT_LAST};
	struct fyke_arguments arguments;
	struct fyke_error error;
	int option;

	fyke_options_begin(&arguments, argc, argv, &fyke_help_findings);
	while ((option = fyke_options_next(&arguments)) != FYKE_OPTIONS_END) {
		int result = option == FYKE_OPTIONS_STOP ? arguments.exit
							 : take_option(&request, option, arguments.value);

		if (option == FYKE_OPTIONS_STOP || result != FYKE_EXIT_DONE)
			return result;
	}
	if (request.save && request.capture == FYKE_REPORT_ALL)
		return fyke_usage(command, "--save is for one capture");
	request.names = argv + arguments.first;
	request.view.screen = fyke_screen_of(stdout);
	return run(&request, &error) == FYKE_OK ? FYKE_EXIT_DONE : fyke_fail(command, &error);
}
