/* Drawing by the monotonic clock; nothing here decides anything about sessions. */
#include "cli/monitor_view.h"

#include "analyzer/base/text.h"
#include "cli/command.h"
#include "cli/live_screen.h"
#include "reports/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS      INT64_C(1000000000)
#define PROGRESS_NS    (5 * SECOND_NS)
#define LOOK_AROUND_NS (SECOND_NS / 10)

int64_t fyke_monitor_clock_ns(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

enum fyke_status fyke_monitor_view_begin(
	struct fyke_monitor_view *view, const struct fyke_monitor_options *options, struct fyke_error *error)
{
	struct fyke_screen screen = fyke_screen_of(stdout);
	bool stdout_is_packets = options->save != NULL && strcmp(options->save, "-") == 0;

	*view = (struct fyke_monitor_view){.options = options,
		.colour = screen.colour,
		.ascii = (screen.flags & FYKE_TEXT_ASCII) != 0,
		.begin_ns = fyke_monitor_clock_ns()};
	view->last_ns = view->begin_ns;
	if (options->jsonl)
		view->kind = FYKE_VIEW_JSONL;
	else if (options->quiet)
		view->kind = FYKE_VIEW_NONE;
	else if (!stdout_is_packets && fyke_live_screen_possible())
		view->kind = FYKE_VIEW_TABLE;
	else
		view->kind = FYKE_VIEW_PROGRESS;
	if (view->kind == FYKE_VIEW_JSONL) {
		view->jsonl = fyke_jsonl_new_live(screen.is_terminal);
		if (view->jsonl == NULL)
			return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	}
	if (view->kind != FYKE_VIEW_TABLE)
		return FYKE_OK;
	view->table = fyke_live_table_new();
	if (view->table == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	fflush(NULL);
	fyke_live_screen_enter();
	view->last_ns = 0;
	return FYKE_OK;
}

/* What is still in stdio's buffer must not come up again as an error when the program ends. */
static void drop_standard_output(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0) {
		(void)dup2(null, STDOUT_FILENO);
		close(null);
	}
	(void)fflush(stdout);
	clearerr(stdout);
}

static void write_lines(struct fyke_monitor_view *view, const struct fyke_tick *tick)
{
	bool any = false, lost = false;

	if (view->failed || view->ends)
		return;
	errno = 0;
	for (size_t i = 0; i < tick->session_count && !ferror(stdout); i++) {
		bool ended = tick->sessions[i]->ended;

		if (ended ? !fyke_jsonl_session(view->jsonl, tick->sessions[i], stdout)
			  : !fyke_jsonl_keep(view->jsonl, tick->sessions[i])) {
			errno = ENOMEM;
			any = lost = true;
			break;
		}
		if (ended) {
			putc('\n', stdout);
			any = true;
		}
	}
	if (!any || (!lost && !ferror(stdout) && fflush(stdout) == 0))
		return;
	view->failure = errno;
	view->failed = errno != EPIPE;
	view->ends = true;
	drop_standard_output();
}

void fyke_monitor_view_take(struct fyke_monitor_view *view, const struct fyke_tick *tick)
{
	if (view->kind == FYKE_VIEW_TABLE)
		fyke_live_table_take(view->table, tick, fyke_monitor_clock_ns());
	else if (view->kind == FYKE_VIEW_JSONL)
		write_lines(view, tick);
}

static uint64_t per_second(uint64_t now, uint64_t before, int64_t span_ns)
{
	if (span_ns <= 0 || now < before)
		return 0;
	return (uint64_t)((double)(now - before) * (double)SECOND_NS / (double)span_ns);
}

static struct fyke_live_totals totals_of(const struct fyke_monitor_view *view,
	const struct fyke_pipeline_counters *counters, const struct fyke_source_counters *source,
	const struct fyke_writer_counters *stored, int64_t now_ns)
{
	int64_t span = view->last_ns == 0 ? now_ns - view->begin_ns : now_ns - view->last_ns;
	struct fyke_live_totals totals = {
		.interface = view->options->interface,
		.filter = view->options->filter,
		.database = view->options->no_database ? NULL : view->options->database,
		.elapsed_ns = now_ns - view->begin_ns,
		.packets = counters->frames,
		.bytes = counters->bytes,
		.refused = counters->refused,
		.packets_per_second = per_second(counters->frames, view->last_packets, span),
		.bits_per_second = 8 * per_second(counters->bytes, view->last_bytes, span),
		.sessions = counters->engine.sessions,
		.sessions_open = counters->engine.sessions_open,
		.drops_known = source->drops_known,
		.kernel_drops = source->kernel_drops,
		.interface_drops = source->interface_drops,
	};

	if (stored != NULL) {
		totals.stored = stored->sessions;
		if (stored->disk_nearly_full)
			totals.warning = "The disk is nearly full: nothing is stored any more.";
	}
	return totals;
}

static void draw_table(struct fyke_monitor_view *view, const struct fyke_live_totals *totals, int64_t now_ns)
{
	struct fyke_live_look look = {view->columns, view->rows, view->colour, view->ascii};
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (out == NULL)
		return;
	fyke_live_table_draw(view->table, totals, &look, now_ns, out);
	if (fclose(out) == 0)
		fyke_live_screen_show(text, length);
	free(text);
}

/* Whether the table has to be drawn again: after a second, for another size, for a key. */
static bool table_is_due(struct fyke_monitor_view *view, int64_t now_ns)
{
	unsigned columns, rows;
	bool due = now_ns - view->last_ns >= SECOND_NS;
	char key;

	fyke_live_screen_size(&columns, &rows);
	due = due || columns != view->columns || rows != view->rows;
	view->columns = columns;
	view->rows = rows;
	while ((key = fyke_live_screen_key()) != 0) {
		if (key == 'q' || key == 'Q')
			view->ends = true;
		if (key == 's' || key == 'S')
			view->order = (view->order + 1) % FYKE_LIVE_ORDER_COUNT;
		due = true;
	}
	fyke_live_table_order(view->table, view->order);
	return due;
}

static void print_progress(const struct fyke_live_totals *totals)
{
	char packets[FYKE_TEXT_NUMBER], bytes[FYKE_TEXT_NUMBER], sessions[FYKE_TEXT_NUMBER],
		open[FYKE_TEXT_NUMBER];
	char drops[FYKE_TEXT_NUMBER], name[256];

	(void)fyke_text_terminal(totals->interface, strlen(totals->interface), 60, 0, name, sizeof(name));
	fprintf(stderr, "%s: %s packets, %s, %s sessions, %s open, %s dropped%s%s\n", name,
		fyke_text_count((int64_t)totals->packets, packets),
		fyke_text_bytes((int64_t)totals->bytes, bytes),
		fyke_text_count((int64_t)totals->sessions, sessions),
		fyke_text_count((int64_t)totals->sessions_open, open),
		totals->drops_known
			? fyke_text_count((int64_t)(totals->kernel_drops + totals->interface_drops), drops)
			: "?",
		totals->warning == NULL ? "" : " – ", totals->warning == NULL ? "" : totals->warning);
}

void fyke_monitor_view_update(struct fyke_monitor_view *view, const struct fyke_pipeline_counters *counters,
	const struct fyke_source_counters *source, const struct fyke_writer_counters *stored)
{
	int64_t now_ns = fyke_monitor_clock_ns();
	struct fyke_live_totals totals;

	if (view->kind == FYKE_VIEW_TABLE) {
		if (now_ns - view->last_ns < LOOK_AROUND_NS || !fyke_live_screen_active() ||
			!table_is_due(view, now_ns))
			return;
	} else if (view->kind != FYKE_VIEW_PROGRESS || now_ns - view->last_ns < PROGRESS_NS) {
		return;
	}
	totals = totals_of(view, counters, source, stored, now_ns);
	if (view->kind == FYKE_VIEW_TABLE)
		draw_table(view, &totals, now_ns);
	else
		print_progress(&totals);
	view->last_ns = now_ns;
	view->last_packets = counters->frames;
	view->last_bytes = counters->bytes;
}

void fyke_monitor_view_leave(struct fyke_monitor_view *view)
{
	if (view->kind == FYKE_VIEW_TABLE)
		fyke_live_screen_leave();
}

void fyke_monitor_view_end(struct fyke_monitor_view *view)
{
	fyke_monitor_view_leave(view);
	fyke_live_table_free(view->table);
	view->table = NULL;
	fyke_jsonl_free(view->jsonl);
	view->jsonl = NULL;
}
