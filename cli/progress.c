/* [#####-----] 52 % of 1.1 GB, 701,230 packets, 212 MB/s, 3 s left */
#include "cli/progress.h"

#include "analyzer/base/text.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static int64_t monotonic_ns(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void fyke_progress_begin(struct fyke_progress *progress, bool quiet)
{
	*progress = (struct fyke_progress){.shown = !quiet && isatty(STDERR_FILENO) == 1};
	progress->begin_ns = progress->last_ns = monotonic_ns();
}

static void append(char *line, size_t room, const char *text)
{
	size_t used = strlen(line);

	if (used < room)
		(void)snprintf(line + used, room - used, "%s", text);
}

/* Standard input and growing files have no known end. */
static void append_share(char *line, size_t room, unsigned columns, const struct fyke_source_counters *source)
{
	char text[96], number[FYKE_TEXT_NUMBER];
	uint64_t all = source->input_bytes_all, done = source->input_bytes;
	unsigned percent;

	if (all == 0 || done > all) {
		(void)snprintf(text, sizeof(text), "%s read", fyke_text_bytes((int64_t)done, number));
		append(line, room, text);
		return;
	}
	percent = (unsigned)((double)done * 100 / (double)all);
	if (columns >= 90) {
		char bar[21];

		memset(bar, '-', 20);
		memset(bar, '#', percent / 5);
		bar[20] = '\0';
		(void)snprintf(text, sizeof(text), "[%s] ", bar);
		append(line, room, text);
	}
	(void)snprintf(text, sizeof(text), "%u %% of %s", percent, fyke_text_bytes((int64_t)all, number));
	append(line, room, text);
}

void fyke_progress_line(char *line, size_t room, unsigned columns, uint64_t packets,
	const struct fyke_source_counters *source, int64_t elapsed_ns)
{
	char text[128], count[FYKE_TEXT_NUMBER], rate[FYKE_TEXT_NUMBER];
	double seconds = (double)elapsed_ns / 1e9;
	double per_second = (double)source->input_bytes / seconds;

	line[0] = '\0';
	append_share(line, room, columns, source);
	(void)snprintf(text, sizeof(text), ", %s packets, %s/s", fyke_text_count((int64_t)packets, count),
		fyke_text_bytes((int64_t)per_second, rate));
	append(line, room, text);
	if (source->input_bytes_all > source->input_bytes && per_second > 0) {
		int64_t left =
			(int64_t)((double)(source->input_bytes_all - source->input_bytes) / per_second + 0.5);

		(void)snprintf(text, sizeof(text), ", %s left",
			fyke_text_duration(left * 1000000, FYKE_TEXT_ASCII, rate));
		append(line, room, text);
	}
	if (strlen(line) > columns && columns < room)
		line[columns] = '\0';
}

void fyke_progress_update(
	struct fyke_progress *progress, uint64_t packets, const struct fyke_source_counters *source)
{
	struct winsize size = {0};
	char line[256];
	int64_t now;

	if (!progress->shown)
		return;
	now = monotonic_ns();
	if (now - progress->last_ns < 100000000)
		return;
	progress->last_ns = now;
	progress->drawn = true;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		size.ws_col = 80;
	fyke_progress_line(line, sizeof(line), size.ws_col - 1U, packets, source, now - progress->begin_ns);
	fprintf(stderr, "\r%s\033[K", line);
	fflush(stderr);
}

void fyke_progress_end(struct fyke_progress *progress)
{
	if (progress->drawn)
		fputs("\r\033[K", stderr);
	progress->drawn = false;
}
