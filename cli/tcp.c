/* `fyke tcp`: one session's life on one screen. */
#include "cli/choose.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/tcp_points.h"
#include "reports/tcp_life.h"
#include "storage/database.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const struct fyke_option options[] = {{'d', "database", "FILE", "the session database (fyke.db)"},
	{0, "format", "FORMAT", "text or json (text)"},
	{0, "side", "SIDE", "whose stream is drawn: client or server (who sent more)"},
	{0, "limit", "N", "tell at most N events; 0 = all (as fit on a terminal, else all)"}, {0}};

enum { OPTION_FORMAT = 1, OPTION_SIDE, OPTION_LIMIT };
enum { SKETCH_HEIGHT = 10, LINES_LEAST = 40 };

const struct fyke_command_help fyke_help_tcp = {
	.summary = "tell one TCP session's life: what was lost, what was sent again, and why",
	.usage = "[OPTIONS] SESSION",
	.about = "SESSION is a session's id, as `fyke query` lists them. The sketch has time across and the\n"
		 "stream upwards; its points are read from the capture where that is still there.\n",
	.options = options,
	.examples = "fyke query 'retransmitted_segments > 0' --sort -bytes\n"
		    "fyke tcp 42\n"
		    "fyke tcp 42 --format json | jq '.events[].explanation'\n",
};

struct request {
	const char *database, *word;
	bool json, limit_given;
	int side; /* -1 = who sent more */
	uint64_t limit;
};

static int take_option(struct request *request, int option, const char *value)
{
	switch (option) {
	case 'd':
		request->database = value;
		return FYKE_EXIT_DONE;
	case FYKE_OPTION(OPTION_FORMAT):
		request->json = strcmp(value, "json") == 0;
		if (!request->json && strcmp(value, "text") != 0)
			return fyke_usage("tcp", "--format takes text or json, not '%s'", value);
		return FYKE_EXIT_DONE;
	case FYKE_OPTION(OPTION_SIDE):
		request->side = strcmp(value, "server") == 0;
		if (request->side == 0 && strcmp(value, "client") != 0)
			return fyke_usage("tcp", "--side takes client or server, not '%s'", value);
		return FYKE_EXIT_DONE;
	case FYKE_OPTION(OPTION_LIMIT):
		request->limit_given = true;
		if (!fyke_parse_count(value, SIZE_MAX, &request->limit))
			return fyke_usage("tcp", "--limit takes a number, not '%s'", value);
		return FYKE_EXIT_DONE;
	default:
		return FYKE_EXIT_USAGE;
	}
}

static int parse(int argc, char **argv, struct request *request, bool *stop)
{
	struct fyke_arguments arguments;
	int option;

	*stop = true;
	fyke_options_begin(&arguments, argc, argv, &fyke_help_tcp);
	while ((option = fyke_options_next(&arguments)) != FYKE_OPTIONS_END) {
		int result = option == FYKE_OPTIONS_STOP ? arguments.exit
							 : take_option(request, option, arguments.value);

		if (option == FYKE_OPTIONS_STOP || result != FYKE_EXIT_DONE)
			return result;
	}
	if (argc - arguments.first != 1)
		return fyke_usage("tcp", "takes one session's id; `fyke query` lists them");
	request->word = argv[arguments.first];
	*stop = false;
	return FYKE_EXIT_DONE;
}

static unsigned screen_lines(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row < LINES_LEAST)
		return LINES_LEAST;
	return size.ws_row;
}

static enum fyke_status write_text(struct sqlite3 *db, const struct request *request,
	const struct fyke_tcp_life *life, struct fyke_error *error)
{
	struct fyke_tcp_life_options text = {.screen = fyke_screen_of(stdout)};
	int side = request->side >= 0 ? request->side : fyke_tcp_life_main_side(life);
	struct fyke_tcp_sketch *sketch =
		fyke_tcp_sketch_new(life, side, fyke_tcp_life_width(&text.screen), SKETCH_HEIGHT);
	char reason[sizeof(error->text) + 64];

	if (sketch == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	if (life->has_tcp &&
		fyke_tcp_points_read(db, life, fyke_interrupt_catch(), sketch, error) != FYKE_OK) {
		(void)snprintf(reason, sizeof(reason), "Only events are drawn: %s", error->text);
		text.no_packets = reason;
	}
	text.events = (size_t)request->limit;
	if (text.screen.is_terminal && !request->limit_given)
		text.lines = screen_lines();
	fyke_tcp_life_text(life, sketch, &text, stdout);
	fyke_tcp_sketch_free(sketch);
	return FYKE_OK;
}

static enum fyke_status run(const struct request *request, struct fyke_error *error)
{
	struct fyke_database *database = NULL;
	struct fyke_tcp_life *life = NULL;
	struct sqlite3 *db;
	int64_t id;
	enum fyke_status status = fyke_database_open(request->database, FYKE_DATABASE_READ, &database, error);

	if (status != FYKE_OK)
		return status;
	db = fyke_database_handle(database);
	status = fyke_choose_one(db, request->word, &id, error);
	if (status == FYKE_OK)
		status = fyke_tcp_life_load(db, id, &life, error);
	if (status == FYKE_OK)
		status = request->json ? fyke_tcp_life_json(life, stdout, error)
				       : write_text(db, request, life, error);
	fyke_tcp_life_free(life);
	fyke_database_close(database);
	return status;
}

int fyke_command_tcp(int argc, char **argv)
{
	struct request request = {.database = "fyke.db", .side = -1};
	struct fyke_error error;
	bool stop;
	int result = parse(argc, argv, &request, &stop);

	if (stop)
		return result;
	return run(&request, &error) == FYKE_OK ? FYKE_EXIT_DONE : fyke_fail("tcp", &error);
}
