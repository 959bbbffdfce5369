/* `fyke ports`: what was proven of ports, and which to close. */
#include "reports/ports.h"

#include "cli/command.h"
#include "cli/home_net.h"
#include "reports/report.h"
#include "storage/filter.h"

#include <string.h>

static const char command[] = "ports";

static const struct fyke_option options[] = {{'d', "database", "FILE", "the session database (fyke.db)"},
	{0, "capture", "last|N|all", "which capture it is about (last; with --since or --close: all)"},
	{0, "host", "ADDRESS", "only this host, or the hosts of a network"},
	{0, "open", NULL, "only open ports"},
	{0, "since", "TIME",
		"only what was proven since: 2026-11-23, \"2026-11-23 08:00\", or 7d before the last packet"},
	{0, "close", NULL, "which ports to close or fence in, why, and whom that would cut off"},
	{0, "home-net", "NETWORKS", "networks that are your own: 192.168.1.0/24,2001:db8::/32"},
	{0, "format", "FORMAT", "text or json (text)"}, {0}};

enum { OPTION_CAPTURE = 1, OPTION_HOST, OPTION_OPEN, OPTION_SINCE, OPTION_CLOSE, OPTION_HOME, OPTION_FORMAT };

const struct fyke_command_help fyke_help_ports = {
	.summary = "show who listens where, as far as it was proven, and which ports to close",
	.usage = "[OPTIONS]",
	.about = "Open: the port accepted a connection (TCP) or answered a first packet (UDP). Closed: it "
		 "refused one.\n"
		 "Filtered: a firewall said so; \"filtered or down\": nobody answered though the client "
		 "tried to the\n"
		 "end. Only what passed the place of capture is known: a port that nobody knocked on is not "
		 "listed.\n"
		 "--close weighs reasons and tells whom closing would cut off (docs/ports.md).\n",
	.options = options,
	.examples = "fyke ports\n"
		    "fyke ports --open --host 192.168.1.20\n"
		    "fyke ports --close --home-net 192.168.1.0/24\n"
		    "fyke ports --since 7d --format json | jq '.ports[] | select(.change == "
		    "\"began_to_listen\")'\n",
};

struct request {
	const char *database, *home, *since;
	int64_t capture;
	bool capture_given, close, json;
	struct fyke_ports_options ports;
};

static int take_value(struct request *request, int option, const char *value)
{
	switch (option) {
	case 'd':
		request->database = value;
		break;
	case FYKE_OPTION(OPTION_CAPTURE):
		request->capture_given = true;
		if (!fyke_report_parse_capture(value, &request->capture))
			return fyke_usage(
				command, "--capture takes last, all or a capture's id, not '%s'", value);
		break;
	case FYKE_OPTION(OPTION_HOST):
		request->ports.host = value;
		if (!fyke_network_parse(value, &(struct fyke_network){.bits = 0}))
			return fyke_usage(command, "--host takes an address or a network, not '%s'", value);
		break;
	case FYKE_OPTION(OPTION_SINCE):
		request->since = value;
		break;
	case FYKE_OPTION(OPTION_HOME):
		request->home = value;
		request->ports.recount = true;
		return fyke_home_net_check(command, value);
	default:
		request->json = strcmp(value, "json") == 0;
		if (!request->json && strcmp(value, "text") != 0)
			return fyke_usage(command, "--format takes text or json, not '%s'", value);
	}
	return FYKE_EXIT_DONE;
}

static int take_option(struct request *request, int option, const char *value)
{
	if (value != NULL)
		return take_value(request, option, value);
	if (option == FYKE_OPTION(OPTION_OPEN))
		request->ports.open_only = true;
	else if (option == FYKE_OPTION(OPTION_CLOSE))
		request->close = true;
	return FYKE_EXIT_DONE;
}

/* "7d" counts back from the last packet, whatever the clock on the wall says. */
static enum fyke_status find_since(struct request *request, struct sqlite3 *db, struct fyke_error *error)
{
	struct fyke_ports_observed observed;
	enum fyke_status status = FYKE_OK;
	int64_t ns;

	if (request->since == NULL)
		return FYKE_OK;
	status = fyke_ports_observed(db, request->ports.capture, &observed, error);
	if (status != FYKE_OK)
		return status;
	if (fyke_parse_duration(request->since, &ns))
		request->ports.since_us = observed.last_us - ns / 1000;
	else if (!fyke_filter_time(request->since, observed.last_us, &request->ports.since_us))
		return fyke_error_set(error, FYKE_FAILED_USAGE,
			"--since takes a date, a time or an age like 7d, not '%s'", request->since);
	return FYKE_OK;
}

static enum fyke_status prepare(
	struct request *request, struct fyke_database *database, struct fyke_error *error)
{
	enum fyke_status status;

	if (!request->capture_given && (request->close || request->since != NULL))
		request->capture = FYKE_REPORT_ALL;
	status = fyke_report_find_capture(database, request->capture, &request->ports.capture, error);
	if (status == FYKE_OK)
		status = fyke_home_net_set(database, request->home, request->ports.capture,
			&request->ports.home_is_known, error);
	if (status == FYKE_OK)
		status = find_since(request, fyke_database_handle(database), error);
	return status;
}

static enum fyke_status run(struct request *request, struct fyke_error *error)
{
	static enum fyke_status (*const shows[2][2])(
		struct fyke_database *, const struct fyke_ports_options *, FILE *, struct fyke_error *) = {
		{fyke_ports_text, fyke_ports_json}, {fyke_ports_close_text, fyke_ports_close_json}};
	struct fyke_database *database;
	enum fyke_status status = fyke_database_open(request->database, FYKE_DATABASE_READ, &database, error);

	if (status != FYKE_OK)
		return status;
	status = prepare(request, database, error);
	if (status == FYKE_OK)
		status = shows[request->close][request->json](database, &request->ports, stdout, error);
	fyke_database_close(database);
	return status;
}

int fyke_command_ports(int argc, char **argv)
{
	struct request request = {.database = "fyke.db", .capture = FYKE_REPORT_LAST};
	struct fyke_arguments arguments;
	struct fyke_error error;
	int option;

	fyke_options_begin(&arguments, argc, argv, &fyke_help_ports);
	while ((option = fyke_options_next(&arguments)) != FYKE_OPTIONS_END) {
		int result = option == FYKE_OPTIONS_STOP ? arguments.exit
							 : take_option(&request, option, arguments.value);

		if (option == FYKE_OPTIONS_STOP || result != FYKE_EXIT_DONE)
			return result;
	}
	if (arguments.first < argc)
		return fyke_usage(
			command, "takes no argument '%s'; --host names a host", argv[arguments.first]);
	request.ports.screen = fyke_screen_of(stdout);
	return run(&request, &error) == FYKE_OK ? FYKE_EXIT_DONE : fyke_fail(command, &error);
}
