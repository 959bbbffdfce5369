/*
 * `fyke extract`: the packets of chosen sessions as a capture of their own. Nothing of the captures is
 * read but these packets and the way to them from the index.
 */
#include "analyzer/base/text.h"
#include "analyzer/capture/writer.h"
#include "cli/choose.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/recall.h"
#include "storage/database.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct fyke_option options[] = {
	{'w', "write", "FILE",
		"the new capture: pcapng, or pcap by a name that ends in .pcap; - = standard output"},
	{'d', "database", "FILE", "the session database (fyke.db)"},
	{0, "force", NULL, "replace an existing file (never a capture)"}, {0}};

enum { OPTION_FORCE = 2 };

const struct fyke_command_help fyke_help_extract = {
	.summary = "write the packets of sessions into a capture file",
	.usage = "[OPTIONS] -w FILE FILTER",
	.about =
		"FILTER chooses sessions as in `fyke query` (`fyke help query` tells what it may say); a "
		"bare\n"
		"number is a session's id. The packets are read from the captures that were analyzed, which\n"
		"must still be where they were, or beside the database, and unchanged. Each is written "
		"once,\n"
		"as it was captured, in the order of the capture.\n",
	.options = options,
	.examples = "fyke extract 42 -w one.pcapng\n"
		    "fyke extract 'host 10.0.0.5 and service dns' -w dns.pcapng\n"
		    "fyke extract 'retransmitted_segments > 10' -w - | tshark -r -\n",
};

struct request {
	const char *database, *output;
	char *filter;
	bool force;
};

struct extract {
	struct fyke_recall *recall;
	struct fyke_capture_writer *writer;
	const char *name;
	const volatile bool *stop;
	uint32_t interfaces; /* told to the writer */
	int64_t sessions;
	uint64_t frames;
};

static int parse(int argc, char **argv, struct request *request, bool *stop)
{
	struct fyke_arguments arguments;
	int option;

	*stop = true;
	fyke_options_begin(&arguments, argc, argv, &fyke_help_extract);
	while ((option = fyke_options_next(&arguments)) != FYKE_OPTIONS_END) {
		if (option == FYKE_OPTIONS_STOP)
			return arguments.exit;
		if (option == 'w')
			request->output = arguments.value;
		else if (option == 'd')
			request->database = arguments.value;
		else if (option == FYKE_OPTION(OPTION_FORCE))
			request->force = true;
	}
	if (request->output == NULL)
		return fyke_usage("extract", "-w FILE is missing: where the packets go");
	if (arguments.first == argc)
		return fyke_usage("extract", "which sessions? Give a filter, or a session's id");
	if (strcmp(request->output, "-") == 0 && isatty(STDOUT_FILENO))
		return fyke_usage("extract", "packets are nothing for a terminal: use -w FILE, or a pipe");
	request->filter = fyke_choose_join(argv + arguments.first, argc - arguments.first);
	*stop = request->filter == NULL;
	return *stop ? FYKE_EXIT_FAILED : FYKE_EXIT_DONE;
}

static enum fyke_status add_session(void *context, int64_t session_id, struct fyke_error *error)
{
	struct extract *extract = context;

	extract->sessions++;
	return fyke_recall_add(extract->recall, session_id, error);
}

static enum fyke_status check_output(
	const struct extract *extract, const struct request *request, struct fyke_error *error)
{
	enum fyke_status status = fyke_output_check(request->output, request->force, NULL, 0, error);
	const char *input;

	for (size_t i = 0; status == FYKE_OK && (input = fyke_recall_file(extract->recall, i)) != NULL; i++)
		status = fyke_output_not_input(request->output, &input, 1, error);
	return status;
}

static enum fyke_status write_frame(
	struct extract *extract, const struct fyke_frame *frame, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	if (frame->interface >= extract->interfaces) {
		unsigned fcs_length = 0;
		const struct fyke_source_interface *interface =
			fyke_recall_interface(extract->recall, &fcs_length);
		uint32_t index;

		if (interface == NULL)
			return fyke_error_set(error, FYKE_FAILED_INTERNAL,
				"%s: a packet of an unknown interface", extract->name);
		status = fyke_capture_writer_interface(extract->writer, interface, fcs_length, &index, error);
		extract->interfaces++;
	}
	if (status == FYKE_OK)
		status = fyke_capture_writer_frame(extract->writer, frame, frame->interface, error);
	extract->frames++;
	return status;
}

static enum fyke_status copy_frames(struct extract *extract, struct fyke_error *error)
{
	struct fyke_frame frame;
	enum fyke_status status;
	bool more;

	for (;;) {
		if (*extract->stop)
			return fyke_error_set(
				error, FYKE_FAILED_IO, "interrupted: %s was not written", extract->name);
		status = fyke_recall_next(extract->recall, &frame, &more, error);
		if (status != FYKE_OK || !more)
			break;
		status = write_frame(extract, &frame, error);
		if (status != FYKE_OK)
			return status;
	}
	return status == FYKE_OK ? fyke_capture_writer_flush(extract->writer, error) : status;
}

static bool is_classic_name(const char *path)
{
	size_t length = strlen(path);

	return length >= 5 && strcasecmp(path + length - 5, ".pcap") == 0;
}

static enum fyke_status write_output(
	struct extract *extract, const struct request *request, struct fyke_error *error)
{
	struct fyke_capture_writer_options writer = {.name = request->output};
	struct fyke_output output;
	enum fyke_status status = fyke_output_open(request->output, request->force, &output, error);

	if (status != FYKE_OK)
		return status;
	writer.file = output.file;
	writer.format =
		is_classic_name(request->output) ? FYKE_CAPTURE_WRITER_PCAP : FYKE_CAPTURE_WRITER_PCAPNG;
	status = fyke_capture_writer_new(&writer, &extract->writer, error);
	if (status == FYKE_OK)
		status = copy_frames(extract, error);
	/* Whoever read standard output has left: not worth a word. */
	if (status == FYKE_FAILED_IO && errno == EPIPE && output.file == stdout)
		status = FYKE_OK;
	fyke_capture_writer_free(extract->writer);
	if (status == FYKE_OK)
		return fyke_output_commit(&output, error);
	fyke_output_discard(&output);
	return status;
}

static enum fyke_status extract_sessions(
	sqlite3 *db, const struct request *request, struct extract *extract, struct fyke_error *error)
{
	enum fyke_status status = fyke_output_check(request->output, request->force, NULL, 0, error);

	if (status == FYKE_OK)
		status = fyke_recall_new(db, &extract->recall, error);
	if (status == FYKE_OK)
		status = fyke_choose_sessions(db, "extract", request->filter, add_session, extract, error);
	if (status != FYKE_OK || extract->sessions == 0)
		return status;
	status = fyke_recall_open(extract->recall, error);
	if (status == FYKE_OK)
		status = check_output(extract, request, error);
	return status == FYKE_OK ? write_output(extract, request, error) : status;
}

static void tell(const struct extract *extract)
{
	char sessions[FYKE_TEXT_NUMBER], frames[FYKE_TEXT_NUMBER];

	if (extract->sessions == 0)
		fputs("no session matches: nothing was written\n", stderr);
	else
		fprintf(stderr, "%s packets of %s sessions\n",
			fyke_text_count((int64_t)extract->frames, frames),
			fyke_text_count(extract->sessions, sessions));
}

int fyke_command_extract(int argc, char **argv)
{
	struct request request = {.database = "fyke.db"};
	struct fyke_database *database = NULL;
	struct extract extract = {0};
	struct fyke_error error = {0};
	enum fyke_status status;
	bool stop;
	int result = parse(argc, argv, &request, &stop);

	if (stop) {
		free(request.filter);
		return result;
	}
	extract.name = request.output;
	extract.stop = fyke_interrupt_catch();
	status = fyke_database_open(request.database, FYKE_DATABASE_READ, &database, &error);
	if (status == FYKE_OK)
		status = extract_sessions(fyke_database_handle(database), &request, &extract, &error);
	fyke_recall_free(extract.recall);
	fyke_database_close(database);
	free(request.filter);
	if (status != FYKE_OK)
		return fyke_choose_fail("extract", &error);
	tell(&extract);
	return FYKE_EXIT_DONE;
}
