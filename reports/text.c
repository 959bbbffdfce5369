/*
 * The summary that a person wants first: what the capture is, who talked with whom and how much, how TCP
 * fared, which ports are open, what could not be read, and what to type next.
 */
#include "reports/text_internal.h"

#include "analyzer/base/text.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void fyke_say(struct fyke_sentence *sentence, const char *format, ...)
{
	size_t room = sizeof(sentence->text) - sentence->at;
	va_list list;
	int length;

	va_start(list, format);
	length = vsnprintf(sentence->text + sentence->at, room, format, list);
	va_end(list);
	if (length > 0)
		sentence->at += (size_t)length < room ? (size_t)length : room - 1;
}

void fyke_summary_heading(const struct fyke_summary *s, const char *title, const char *more)
{
	fputc('\n', s->out);
	fyke_screen_put(s->screen, title, 0, FYKE_PAINT_BOLD, s->out);
	if (more != NULL) {
		fputs("  ", s->out);
		fyke_screen_put(s->screen, more, 0, FYKE_PAINT_DIM, s->out);
	}
	fputc('\n', s->out);
}

/* Behind the label, wrapped at blanks where the screen ends. */
void fyke_summary_line(
	const struct fyke_summary *s, const char *label, enum fyke_paint paint, const char *text)
{
	unsigned width = s->screen->width > 0 ? s->screen->width : 96, column = 0, room;

	fprintf(s->out, "  %-14s ", label);
	if (strlen(label) > 14)
		fprintf(s->out, "\n%17s", "");
	room = width > 40 ? width - 17 : 23;
	while (*text != '\0') {
		size_t length = strcspn(text, " ");
		unsigned wide = fyke_text_width(text, length);
		char *word = strndup(text, length);

		if (column > 0 && column + 1 + wide > room) {
			fprintf(s->out, "\n%17s", "");
			column = 0;
		} else if (column > 0) {
			fputc(' ', s->out);
			column++;
		}
		if (word != NULL)
			fyke_screen_put(s->screen, word, 0, paint, s->out);
		free(word);
		column += wide;
		text += length + (text[length] == ' ');
	}
	fputc('\n', s->out);
}

/* "2026-11-23 02:17:05.123" */
static const char *moment(int64_t us, char out[FYKE_TEXT_TIME])
{
	char *mark = strchr(fyke_text_time(us, 3, out), 'T');

	if (mark != NULL) {
		*mark = ' ';
		out[strlen(out) - 1] = '\0';
	}
	return out;
}

static void show_times(const struct fyke_summary *s, int64_t first, int64_t last)
{
	char a[FYKE_TEXT_TIME], b[FYKE_TEXT_TIME], span[FYKE_TEXT_NUMBER], text[160];
	const char *until = moment(last, b);

	moment(first, a);
	if (strncmp(a, until, 11) == 0)
		until += 11; /* the same day */
	snprintf(text, sizeof(text), "%s to %s UTC, %s", a, until,
		fyke_text_duration(last < first ? 0 : last - first, s->screen->flags, span));
	fyke_summary_line(s, "time", FYKE_PAINT_PLAIN, text);
}

enum {
	CAPTURE_ID,
	CAPTURE_SOURCE,
	CAPTURE_NAME,
	CAPTURE_LINKS,
	CAPTURE_FIRST,
	CAPTURE_LAST,
	CAPTURE_PACKETS,
	CAPTURE_BYTES,
	CAPTURE_FILTERED,
	CAPTURE_KERNEL,
	CAPTURE_INTERFACE,
	CAPTURE_STATUS,
	CAPTURE_OPTIONS
};

static const char capture_query[] =
	"SELECT id, source, name, link_types, first_packet_us, last_packet_us, packets, bytes, "
	"filtered_packets,"
	" kernel_drops, interface_drops, status, options FROM captures WHERE ?1 = 0 OR id = ?1 ORDER BY id";

static const char *text_at(sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	return text == NULL ? "" : text;
}

static bool is_known(sqlite3_stmt *row, int column)
{
	return sqlite3_column_type(row, column) == SQLITE_INTEGER;
}

static void show_drops(const struct fyke_summary *s, sqlite3_stmt *row)
{
	int64_t kernel = sqlite3_column_int64(row, CAPTURE_KERNEL),
		device = sqlite3_column_int64(row, CAPTURE_INTERFACE);
	char a[FYKE_TEXT_NUMBER], b[FYKE_TEXT_NUMBER], text[160];

	if (!is_known(row, CAPTURE_KERNEL) && !is_known(row, CAPTURE_INTERFACE))
		return;
	if (kernel == 0 && device == 0)
		return;
	snprintf(text, sizeof(text), "%s packets by the kernel, %s by the interface",
		fyke_text_count(kernel, a), fyke_text_count(device, b));
	fyke_summary_line(s, "dropped", FYKE_PAINT_BAD, text);
}

static void show_amount(const struct fyke_summary *s, sqlite3_stmt *row)
{
	char packets[FYKE_TEXT_NUMBER], bytes[FYKE_TEXT_NUMBER], text[200];
	int64_t filtered = sqlite3_column_int64(row, CAPTURE_FILTERED);

	if (!is_known(row, CAPTURE_PACKETS))
		return;
	snprintf(text, sizeof(text), "%s, %s",
		fyke_text_count(sqlite3_column_int64(row, CAPTURE_PACKETS), packets),
		fyke_text_bytes(sqlite3_column_int64(row, CAPTURE_BYTES), bytes));
	if (filtered > 0)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "; the filter left out %s",
			fyke_text_count(filtered, packets));
	fyke_summary_line(s, "packets", FYKE_PAINT_PLAIN, text);
}

static void show_status(const struct fyke_summary *s, const char *status)
{
	if (strcmp(status, "damaged") == 0)
		fyke_summary_line(
			s, "status", FYKE_PAINT_BAD, "damaged: what could be read is here (see below)");
	else if (strcmp(status, "interrupted") == 0)
		fyke_summary_line(
			s, "status", FYKE_PAINT_WARN, "interrupted before its end; what was stored is here");
	else if (strcmp(status, "running") == 0)
		fyke_summary_line(s, "status", FYKE_PAINT_GOOD, "still running");
}

/* "pcapng, 9.1 MB" for one file, "3 files, 27 MB" for several. */
static enum fyke_status show_files(const struct fyke_summary *s, int64_t capture_id)
{
	sqlite3_stmt *row;
	char size[FYKE_TEXT_NUMBER], text[256];
	enum fyke_status status = fyke_facts_prepare(s->db,
		"SELECT count(*), sum(bytes), (SELECT group_concat(format, ', ') FROM (SELECT DISTINCT "
		"format FROM files WHERE capture_id = ?1))"
		" FROM files WHERE capture_id = ?1",
		capture_id, &row, s->error);

	while (status == FYKE_OK && fyke_facts_step(&row, &status, s->error)) {
		int64_t count = sqlite3_column_int64(row, 0);

		if (count == 0)
			continue;
		text[0] = '\0';
		if (count > 1)
			snprintf(text, sizeof(text), "%" PRId64 " files, ", count);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%.100s", text_at(row, 2));
		if (sqlite3_column_int64(row, 1) > 0)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), ", %s",
				fyke_text_bytes(sqlite3_column_int64(row, 1), size));
		fyke_summary_line(s, "format", FYKE_PAINT_PLAIN, text);
	}
	return status;
}

/* Names of many files would fill the screen: one line, cut where it ends. */
static void show_name(const struct fyke_summary *s, sqlite3_stmt *row)
{
	unsigned width = s->screen->width > 0 ? s->screen->width : 96;
	const char *name = text_at(row, CAPTURE_NAME);
	bool live = strcmp(text_at(row, CAPTURE_SOURCE), "interface") == 0;

	fyke_screen_put(s->screen, live ? "Interface " : "Capture ", 0, FYKE_PAINT_BOLD, s->out);
	fyke_screen_put(
		s->screen, name, strstr(name, ", ") == NULL ? 0 : width - 10, FYKE_PAINT_BOLD, s->out);
	if (s->capture_id == 0)
		fprintf(s->out, " (capture %lld)", (long long)sqlite3_column_int64(row, CAPTURE_ID));
	fputc('\n', s->out);
}

static enum fyke_status show_capture(const struct fyke_summary *s, sqlite3_stmt *row)
{
	enum fyke_status status;

	show_name(s, row);
	status = show_files(s, sqlite3_column_int64(row, CAPTURE_ID));
	if (status == FYKE_OK)
		status = fyke_summary_origin(s, sqlite3_column_int64(row, CAPTURE_ID));
	if (text_at(row, CAPTURE_LINKS)[0] != '\0')
		fyke_summary_line(s, "link", FYKE_PAINT_PLAIN, text_at(row, CAPTURE_LINKS));
	show_amount(s, row);
	if (is_known(row, CAPTURE_FIRST) && is_known(row, CAPTURE_LAST))
		show_times(
			s, sqlite3_column_int64(row, CAPTURE_FIRST), sqlite3_column_int64(row, CAPTURE_LAST));
	if (text_at(row, CAPTURE_OPTIONS)[0] != '\0')
		fyke_summary_line(s, "options", FYKE_PAINT_PLAIN, text_at(row, CAPTURE_OPTIONS));
	show_drops(s, row);
	if (status == FYKE_OK)
		status = fyke_summary_comments(s, sqlite3_column_int64(row, CAPTURE_ID));
	show_status(s, text_at(row, CAPTURE_STATUS));
	return status;
}

static enum fyke_status show_captures(const struct fyke_summary *s, size_t *count)
{
	sqlite3_stmt *row;
	enum fyke_status status = fyke_facts_prepare(s->db, capture_query, s->capture_id, &row, s->error);

	*count = 0;
	while (status == FYKE_OK && fyke_facts_step(&row, &status, s->error)) {
		if ((*count)++ > 0)
			fputc('\n', s->out);
		status = show_capture(s, row);
	}
	sqlite3_finalize(row);
	return status;
}

/* A bar of at most 16 columns. */
static void bar(const struct fyke_summary *s, int64_t part, int64_t whole, char out[64])
{
	static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	double share = whole <= 0 || part <= 0 ? 0 : part >= whole ? 1 : (double)part / (double)whole;
	unsigned units = (unsigned)(share * 16 * 8 + 0.5);
	size_t at = 0;

	if (units == 0 && part > 0)
		units = 1;
	out[0] = '\0';
	if ((s->screen->flags & FYKE_TEXT_ASCII) != 0) {
		for (unsigned i = 0; i < (units + 7) / 8; i++)
			out[at++] = '#';
		out[at] = '\0';
		return;
	}
	for (unsigned i = 0; i < units / 8; i++, at += strlen("█"))
		memcpy(out + at, "█", strlen("█") + 1);
	strncpy(out + at, eighths[units % 8], 63 - at);
	out[63] = '\0';
}

enum list { LIST_TRANSPORTS, LIST_SERVICES, LIST_TALKERS };
enum { TRAFFIC_COLUMNS = 8 };

/* What a list of traffic says in front: name, what the host is called, extra. */
struct traffic_name {
	const char *name, *called, *extra;
};

/* One line of a list of traffic: sessions, packets, bytes, share of all bytes. */
static bool traffic_row(const struct fyke_summary *s, struct fyke_grid *grid, const struct traffic_name *name,
	const struct fyke_tally_entry *entry)
{
	char sessions[FYKE_TEXT_NUMBER], packets[FYKE_TEXT_NUMBER], bytes[FYKE_TEXT_NUMBER],
		share[FYKE_TEXT_NUMBER];
	char drawn[64];
	const char *cells[TRAFFIC_COLUMNS] = {name->name, name->called, name->extra,
		fyke_text_count(entry->counters[FYKE_TALLY_SESSIONS], sessions),
		fyke_text_count(fyke_tally_packets(entry), packets),
		fyke_text_bytes(fyke_tally_bytes(entry), bytes),
		fyke_text_percent(fyke_tally_bytes(entry), s->facts->bytes, share), drawn};

	bar(s, fyke_tally_bytes(entry), s->facts->bytes, drawn);
	return fyke_grid_row(grid, cells);
}

static bool talker_row(
	const struct fyke_summary *s, struct fyke_grid *grid, const struct fyke_tally_entry *entry)
{
	char amounts[80], called[256], a[FYKE_TEXT_NUMBER], b[FYKE_TEXT_NUMBER];

	snprintf(amounts, sizeof(amounts), "%s / %s",
		fyke_text_bytes(entry->counters[FYKE_TALLY_SENT_BYTES], a),
		fyke_text_bytes(entry->counters[FYKE_TALLY_RECEIVED_BYTES], b));
	fyke_summary_called(s, entry->key, called, sizeof(called));
	return traffic_row(s, grid, &(struct traffic_name){entry->key, called, amounts}, entry);
}

static bool list_row(const struct fyke_summary *s, struct fyke_grid *grid, enum list list,
	const struct fyke_tally_entry *entry)
{
	char name[256];
	const char *tab;

	if (list == LIST_TRANSPORTS)
		return traffic_row(s, grid, &(struct traffic_name){entry->key, "", ""}, entry);
	if (list == LIST_TALKERS)
		return talker_row(s, grid, entry);
	tab = strrchr(entry->key, '\t');
	snprintf(name, sizeof(name), "%.*s", (int)(tab - entry->key), entry->key);
	return traffic_row(
		s, grid, &(struct traffic_name){name[0] == '\0' ? "(not known)" : name, "", tab + 1}, entry);
}

static enum fyke_status show_list(
	const struct fyke_summary *s, enum list list, const struct fyke_tally *tally)
{
	static const char *const names[] = {"transport", "service", "host"}, *const extras[] = {"", "over",
										     "sent / received"};
	bool talkers = list == LIST_TALKERS;
	const struct fyke_grid_column columns[TRAFFIC_COLUMNS] = {
		{.title = names[list], .least = talkers ? 26 : 16, .address = talkers},
		{.title = "which is", .least = 16, .goes = 1},
		{.title = extras[list], .goes = list == LIST_TRANSPORTS ? 9 : 0},
		{.title = "sessions", .right = true}, {.title = "packets", .right = true, .goes = 2},
		{.title = "bytes", .right = true}, {.title = "share", .right = true, .goes = 3},
		{.title = "", .goes = 4}};
	struct fyke_grid *grid = fyke_grid_new(s->screen, columns, TRAFFIC_COLUMNS, s->out);
	bool good = grid != NULL;
	size_t shown = tally->count < s->top ? tally->count : s->top;

	if (good)
		fyke_grid_indent(grid, 2, true);
	for (size_t i = 0; good && i < shown; i++)
		good = list_row(s, grid, list, &tally->entries[i]);
	fyke_grid_finish(grid);
	if (shown < tally->count)
		fprintf(s->out, "  ... and %zu more\n", tally->count - shown);
	return good ? FYKE_OK : fyke_error_set(s->error, FYKE_FAILED_MEMORY, "out of memory");
}

static enum fyke_status show_sessions(const struct fyke_summary *s)
{
	const struct fyke_facts *f = s->facts;
	char a[FYKE_TEXT_NUMBER], b[FYKE_TEXT_NUMBER], c[FYKE_TEXT_NUMBER], text[200];
	enum fyke_status status;
	size_t hosts = f->hosts.count;

	snprintf(text, sizeof(text), "%s between %s%s hosts", fyke_text_count(f->sessions, a),
		f->hosts.dropped > 0 ? "more than " : "", fyke_text_count((int64_t)hosts, b));
	if (f->open_sessions > 0)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ", %s still open",
			fyke_text_count(f->open_sessions, c));
	if (f->guessed_roles > 0)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ", roles guessed in %s",
			fyke_text_count(f->guessed_roles, c));
	fyke_summary_heading(s, "Sessions", text);
	if (f->sessions == 0) {
		fputs("  none\n", s->out);
		return FYKE_OK;
	}
	if (f->folded_sessions > 0)
		fprintf(s->out, "  %s of them, unanswered or refused, are folded: a scan leaves that many\n",
			fyke_text_count(f->folded_sessions, a));
	status = show_list(s, LIST_TRANSPORTS, &f->transports);
	if (status == FYKE_OK) {
		fyke_summary_heading(s, "Services", NULL);
		status = show_list(s, LIST_SERVICES, &f->services);
	}
	if (status == FYKE_OK) {
		fyke_summary_heading(s, "Top talkers",
			f->hosts.dropped > 0 ? "very many hosts: those with little traffic were not counted"
					     : NULL);
		status = show_list(s, LIST_TALKERS, &f->hosts);
	}
	return status;
}

static enum fyke_status show_all(const struct fyke_summary *s)
{
	size_t captures;
	bool found = false;
	enum fyke_status status = show_captures(s, &captures);

	if (status != FYKE_OK)
		return status;
	if (captures == 0) {
		fputs("The database holds no capture yet: fyke analyze FILE reads one.\n", s->out);
		return FYKE_OK;
	}
	status = show_sessions(s);
	if (status == FYKE_OK)
		status = fyke_summary_contents(s);
	if (status == FYKE_OK && s->facts->tcp_sessions > 0)
		fyke_summary_tcp(s);
	if (status == FYKE_OK && s->facts->tcp_sessions > 0)
		status = fyke_summary_isns(s);
	if (status == FYKE_OK)
		status = fyke_summary_ports(s);
	if (status == FYKE_OK)
		status = fyke_summary_findings(s, &found);
	if (status == FYKE_OK)
		status = fyke_summary_unread(s);
	if (status == FYKE_OK && s->facts->sessions > 0)
		fyke_summary_next(s, found);
	return status;
}

enum fyke_status fyke_report_text(struct fyke_database *database, const struct fyke_report_options *options,
	FILE *out, struct fyke_error *error)
{
	struct fyke_facts facts = {0};
	struct fyke_error unused;
	struct fyke_summary s = {.db = fyke_database_handle(database),
		.options = options,
		.facts = &facts,
		.out = out,
		.screen = &options->screen,
		.top = options->top == 0 ? 10 : options->top,
		.error = error == NULL ? &unused : error};
	enum fyke_status status = fyke_facts_begin(s.db, s.error);

	if (status != FYKE_OK)
		return status;
	status = fyke_facts_capture(s.db, options->capture, &s.capture_id, s.error);
	if (status == FYKE_OK)
		status = fyke_facts_gather(s.db, s.capture_id, &facts, s.error);
	if (status == FYKE_OK)
		status = show_all(&s);
	fyke_facts_release(&facts);
	fyke_facts_end(s.db);
	return status;
}
