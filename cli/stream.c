/* `fyke stream`: the bytes that two ends exchanged, in order, from the capture that was analyzed. */
#include "cli/stream.h"

#include "cli/choose.h"
#include "cli/command.h"
#include "storage/database.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct fyke_option options[] = {{'d', "database", "FILE", "the session database (fyke.db)"},
	{0, "side", "SIDE", "client, server or both (both)"},
	{0, "format", "FORMAT", "raw, hex, text or json (text on a terminal, else raw)"},
	{0, "policy", "NAME",
		"whose reading of conflicting bytes: linux, first, last, bsd, windows or solaris (linux)"},
	{0, "all", NULL, "every session that the filter matches, into the directory of -o"},
	{'o', "output", "DIR", "with --all: one file a side, and index.tsv"},
	{0, "force", NULL, "use a directory that is not empty, and replace files of the same names"}, {0}};

enum { OPTION_SIDE = 1, OPTION_FORMAT, OPTION_POLICY, OPTION_ALL, OPTION_FORCE = 6 };

const struct fyke_command_help fyke_help_stream = {
	.summary = "show what the two ends of a session said",
	.usage = "[OPTIONS] SESSION | --all -o DIR [FILTER]",
	.about =
		"SESSION is a session's id. Its packets are read again from the capture that was analyzed, "
		"which must\n"
		"still be where it was and unchanged, and their bytes are put in order as the receiver did.\n"
		"\n"
		"  raw     the bytes and nothing else; both sides as they came; gaps add nothing\n"
		"  hex     16 bytes a line with their offset in the stream\n"
		"  text    both sides with times; gaps, conflicts and what is not printable are marked\n"
		"  json    one object: every chunk with offset, time, frame and the gap before it\n"
		"\n"
		"Where segments bring different bytes for one place, receivers disagree: --policy shows what "
		"each\n"
		"would have read. UDP sessions give their payloads in order.\n",
	.options = options,
	.examples = "fyke stream 42\n"
		    "fyke stream 42 --side server --format raw >page.http\n"
		    "fyke stream 42 --policy windows --format json\n"
		    "fyke stream --all -o streams 'service http'\n",
};

static bool parse_side(const char *text, bool wanted[2])
{
	wanted[FYKE_CLIENT] = strcmp(text, "server") != 0;
	wanted[FYKE_SERVER] = strcmp(text, "client") != 0;
	return !(wanted[FYKE_CLIENT] && wanted[FYKE_SERVER]) || strcmp(text, "both") == 0;
}

static bool parse_form(const char *text, enum fyke_stream_form *form)
{
	static const char *const names[] = {"raw", "hex", "text", "json"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], text) == 0) {
			*form = (enum fyke_stream_form)i;
			return true;
		}
	}
	return false;
}

static int take_option(struct fyke_stream_request *request, int option, const char *value)
{
	switch (option) {
	case 'd':
		request->database = value;
		break;
	case 'o':
		request->directory = value;
		break;
	case FYKE_OPTION(OPTION_SIDE):
		if (!parse_side(value, request->wanted))
			return fyke_usage("stream", "--side takes client, server or both, not '%s'", value);
		break;
	case FYKE_OPTION(OPTION_FORMAT):
		if (!parse_form(value, &request->form))
			return fyke_usage("stream", "--format takes raw, hex, text or json, not '%s'", value);
		break;
	case FYKE_OPTION(OPTION_POLICY):
		if (!fyke_policy_parse(value, &request->policy))
			return fyke_usage("stream",
				"--policy takes linux, first, last, bsd, windows or solaris, not '%s'",
				value);
		break;
	case FYKE_OPTION(OPTION_ALL):
		request->all = true;
		break;
	case FYKE_OPTION(OPTION_FORCE):
		request->force = true;
		break;
	default:
		break;
	}
	return FYKE_EXIT_DONE;
}

static int check_request(const struct fyke_stream_request *request, int words)
{
	if (request->all && request->directory == NULL)
		return fyke_usage("stream", "--all needs -o DIR: where the files go");
	if (!request->all && request->directory != NULL)
		return fyke_usage("stream", "-o DIR goes with --all; one session goes to standard output");
	if (!request->all && words == 0)
		return fyke_usage("stream", "which session? Give its id (`fyke query` shows it)");
	if (!request->all && words > 1)
		return fyke_usage("stream", "one session's id at a time; a filter goes with --all");
	return FYKE_EXIT_DONE;
}

static int parse(int argc, char **argv, struct fyke_stream_request *request, bool *stop)
{
	struct fyke_arguments arguments;
	int option, result;

	*stop = true;
	fyke_options_begin(&arguments, argc, argv, &fyke_help_stream);
	while ((option = fyke_options_next(&arguments)) != FYKE_OPTIONS_END) {
		if (option == FYKE_OPTIONS_STOP)
			return arguments.exit;
		result = take_option(request, option, arguments.value);
		if (result != FYKE_EXIT_DONE)
			return result;
	}
	result = check_request(request, argc - arguments.first);
	if (result != FYKE_EXIT_DONE)
		return result;
	request->filter = fyke_choose_join(argv + arguments.first, argc - arguments.first);
	*stop = request->filter == NULL;
	return *stop ? FYKE_EXIT_FAILED : FYKE_EXIT_DONE;
}

static enum fyke_status show(sqlite3 *db, const struct fyke_stream_request *request, struct fyke_error *error)
{
	struct fyke_stream_session session;
	struct fyke_stream_writer writer = {.out = stdout,
		.form = request->form,
		.policy = request->policy,
		.wanted = {request->wanted[0], request->wanted[1]},
		.session = &session};
	struct fyke_stream_listener listener;
	struct fyke_stream_totals totals;
	struct fyke_recall *recall = NULL;
	int64_t id;
	enum fyke_status status = fyke_choose_one(db, request->filter, &id, error);

	if (status == FYKE_OK)
		status = fyke_stream_session_load(db, id, &session, error);
	if (status == FYKE_OK)
		status = fyke_recall_new(db, &recall, error);
	if (status != FYKE_OK)
		return status;
	listener = fyke_stream_write_listener(&writer);
	status = fyke_stream_replay(recall, &session, request->policy, &listener, &totals, error);
	if (status == FYKE_OK)
		fyke_stream_write_end(&writer, &totals);
	fyke_recall_free(recall);
	if (status == FYKE_OK && writer.out_of_memory)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "no memory to write the stream");
	return status;
}

int fyke_command_stream(int argc, char **argv)
{
	struct fyke_stream_request request = {.database = "fyke.db",
		.form = isatty(STDOUT_FILENO) ? FYKE_STREAM_TEXT : FYKE_STREAM_RAW,
		.wanted = {true, true}};
	struct fyke_database *database = NULL;
	struct fyke_error error = {0};
	enum fyke_status status;
	bool stop;
	int result = parse(argc, argv, &request, &stop);

	if (stop) {
		free(request.filter);
		return result;
	}
	status = fyke_database_open(request.database, FYKE_DATABASE_READ, &database, &error);
	if (status == FYKE_OK && request.all)
		status = fyke_stream_all(fyke_database_handle(database), &request, &error);
	else if (status == FYKE_OK)
		status = show(fyke_database_handle(database), &request, &error);
	fyke_database_close(database);
	free(request.filter);
	return status == FYKE_OK ? FYKE_EXIT_DONE : fyke_choose_fail("stream", &error);
}
