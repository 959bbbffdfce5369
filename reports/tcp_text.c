/* One session's life for a screen: who, how it opened, the sketch, what was sent again, each event. */
#include "reports/tcp_life.h"

#include "analyzer/base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
	WIDTH_LEAST = 60,
	WIDTH_MOST = 120,
	WIDTH_OTHERWISE = 80,
	GROUP_LEAST = 3,
	EVENT_INDENT = 16,
	EVENTS_LEAST = 3
};

struct page {
	const struct fyke_tcp_life *life;
	const struct fyke_screen *screen;
	unsigned width;
	FILE *out;
};

static bool is_ascii(const struct page *page)
{
	return (page->screen->flags & FYKE_TEXT_ASCII) != 0;
}

/* Words of a text that fill lines from `column` on, later ones behind `indent` blanks. */
static void paragraph(const struct page *page, unsigned column, unsigned indent, const char *text)
{
	size_t room = 4 * strlen(text) + 8;
	char *safe = malloc(room), *at;
	bool first = true; /* of its line */

	if (safe == NULL)
		return;
	fyke_text_terminal(text, strlen(text), 0, page->screen->flags, safe, room);
	for (at = safe; *at != '\0';) {
		size_t length = strcspn(at, " ");
		unsigned width = fyke_text_width(at, length);

		if (!first && column + 1 + width > page->width) {
			fprintf(page->out, "\n%*s", (int)indent, "");
			column = indent;
			first = true;
		}
		if (!first)
			column += (unsigned)fprintf(page->out, " ");
		first = false;
		fwrite(at, 1, length, page->out);
		column += width;
		at += length + strspn(at + length, " ");
	}
	fputc('\n', page->out);
	free(safe);
}

/* One line, escaped; more where it is wider than the page. */
static void line(const struct page *page, enum fyke_paint paint, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void line(const struct page *page, enum fyke_paint paint, const char *format, ...)
{
	va_list arguments;
	char *text = NULL;
	size_t blanks;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	if (text == NULL)
		return;
	blanks = strspn(text, " ");
	if (fyke_text_width(text, strlen(text)) <= page->width) {
		fyke_screen_put(page->screen, text, 0, paint, page->out);
		fputc('\n', page->out);
	} else {
		fprintf(page->out, "%*s", (int)blanks, "");
		paragraph(page, (unsigned)blanks, (unsigned)blanks + 2, text + blanks);
	}
	free(text);
}

static void endpoint(const struct fyke_tcp_life_side *side, char *out, size_t room)
{
	const char *ip = side->ip == NULL ? "?" : side->ip;

	if (side->port == FYKE_TCP_LIFE_UNKNOWN)
		(void)snprintf(out, room, "%s", ip);
	else
		(void)snprintf(
			out, room, strchr(ip, ':') != NULL ? "[%s]:%" PRId64 : "%s:%" PRId64, ip, side->port);
}

static const char *end_words(const struct fyke_tcp_life *life)
{
	const char *end = life->end_reason, *state = life->state == NULL ? "" : life->state;

	if (end == NULL)
		return "it is still open";
	if (strcmp(end, "fin") == 0)
		return "both sides closed it (FIN)";
	if (strcmp(state, "REJ") == 0)
		return "the server refused it (RST)";
	if (strcmp(end, "rst") == 0)
		return strcmp(state, "RSTO") == 0 || strcmp(state, "RSTOS0") == 0
			       ? "the client broke it off (RST)"
		       : strcmp(state, "RSTR") == 0 || strcmp(state, "RSTRH") == 0
			       ? "the server broke it off (RST)"
			       : "it was broken off (RST)";
	if (strcmp(state, "S0") == 0)
		return "nobody answered";
	if (strcmp(end, "timeout") == 0)
		return "silence, for longer than the timeout";
	if (strcmp(end, "reused") == 0)
		return "a new connection took over its addresses and ports";
	if (strcmp(end, "capture") == 0)
		return "the capture ended before it did";
	return strcmp(end, "evicted") == 0 ? "analysis gave it up: the memory budget was full" : end;
}

/* A run's one file without its directories. */
static const char *short_name(const char *name)
{
	const char *slash = name == NULL || strchr(name, ',') != NULL ? NULL : strrchr(name, '/');

	return slash != NULL && slash[1] != '\0' ? slash + 1 : name == NULL ? "?" : name;
}

static void write_head(const struct page *page)
{
	const struct fyke_tcp_life *life = page->life;
	char client[128], server[128], time[FYKE_TEXT_TIME], span[FYKE_TEXT_NUMBER];
	char packets[FYKE_TEXT_NUMBER], bytes[FYKE_TEXT_NUMBER];

	endpoint(&life->side[0], client, sizeof(client));
	endpoint(&life->side[1], server, sizeof(server));
	line(page, FYKE_PAINT_BOLD, "Session %" PRId64 "  %s %s %s  %s%s%s", life->id, client,
		is_ascii(page) ? "->" : "\u2192", server, life->service == NULL ? "tcp" : life->service,
		life->server_name == NULL ? "" : "  ", life->server_name == NULL ? "" : life->server_name);
	line(page, FYKE_PAINT_PLAIN, "  %s for %s, %s packets, %s; from frame %" PRId64 " of %s",
		fyke_text_time(life->start_us, 3, time),
		fyke_text_duration(life->end_us - life->start_us, page->screen->flags, span),
		fyke_text_count(life->side[0].packets + life->side[1].packets, packets),
		fyke_text_bytes(life->bytes, bytes), life->first_frame, short_name(life->capture));
	line(page, FYKE_PAINT_PLAIN, "  end: %s   state %s   history %s%s", end_words(life),
		life->state == NULL ? "-" : life->state, life->history == NULL ? "-" : life->history,
		life->roles_guessed ? "   (who is the client is a guess)" : "");
}

static void offer(const struct fyke_tcp_life_side *side, char *out, size_t room)
{
	FILE *text = fmemopen(out, room, "w");

	out[0] = '\0';
	if (text == NULL)
		return;
	if (side->mss > 0)
		fprintf(text, ", MSS %" PRId64, side->mss);
	if (side->window_scale >= 0)
		fprintf(text, ", window scale %" PRId64, side->window_scale);
	if (side->sack_permitted == 1)
		fputs(", SACK", text);
	if (side->timestamps == 1)
		fputs(", timestamps", text);
	(void)fclose(text);
	out[room - 1] = '\0';
}

static const char *offered(const char *text)
{
	return text[0] == '\0' ? "no options" : text + 2;
}

static void write_missing_handshake(const struct page *page)
{
	const struct fyke_tcp_life *life = page->life;
	const char *history = life->history == NULL ? "" : life->history;

	if (!life->has_tcp)
		line(page, FYKE_PAINT_PLAIN, "  it never got past the SYN");
	else if (strchr(history, 'S') == NULL)
		line(page, FYKE_PAINT_PLAIN, "  not seen: the capture begins in the middle of it");
	else if (strchr(history, 'h') == NULL)
		line(page, FYKE_PAINT_PLAIN, "  no SYN-ACK was seen");
	else
		line(page, FYKE_PAINT_PLAIN, "  not complete, or a part of it was lost");
}

static void write_handshake(const struct page *page)
{
	const struct fyke_tcp_life *life = page->life;
	char client[96], server[96], all[FYKE_TEXT_NUMBER], near[FYKE_TEXT_NUMBER], far[FYKE_TEXT_NUMBER];
	const char *right = is_ascii(page) ? "->" : "\u2192", *left = is_ascii(page) ? "<-" : "\u2190";

	line(page, FYKE_PAINT_BOLD, "Handshake");
	if (life->handshake_us == FYKE_TCP_LIFE_UNKNOWN) {
		write_missing_handshake(page);
		return;
	}
	offer(&life->side[0], client, sizeof(client));
	offer(&life->side[1], server, sizeof(server));
	fyke_text_duration(life->handshake_us, page->screen->flags, all);
	if (life->handshake_server_us == FYKE_TCP_LIFE_UNKNOWN ||
		life->handshake_client_us == FYKE_TCP_LIFE_UNKNOWN) {
		line(page, FYKE_PAINT_PLAIN, "  SYN %s %s offered; SYN-ACK %s %s", right, offered(client),
			left, offered(server));
		line(page, FYKE_PAINT_PLAIN,
			"  %s from the first SYN to the ACK; parts of it were sent again, so it does not "
			"split",
			all);
		return;
	}
	fyke_text_duration(life->handshake_server_us, page->screen->flags, far);
	fyke_text_duration(life->handshake_client_us, page->screen->flags, near);
	line(page, FYKE_PAINT_PLAIN, "  %10s  SYN      client %s  %s", "0 s", right, offered(client));
	line(page, FYKE_PAINT_PLAIN, "  %10s  SYN-ACK  %s server  %s", far, left, offered(server));
	line(page, FYKE_PAINT_PLAIN, "  %10s  ACK      client %s", all, right);
	line(page, FYKE_PAINT_PLAIN, "  network: tap to server and back %s, tap to client and back %s", far,
		near);
}

static void write_stream(const struct page *page, int number)
{
	const struct fyke_tcp_life_side *side = &page->life->side[number];
	char bytes[FYKE_TEXT_NUMBER], missing[FYKE_TEXT_NUMBER], least[FYKE_TEXT_NUMBER],
		mean[FYKE_TEXT_NUMBER], most[FYKE_TEXT_NUMBER], rtt[128] = "";

	if (side->rtt_samples == 1)
		(void)snprintf(rtt, sizeof(rtt), "; one round trip to the %s: %s",
			number == 0 ? "server" : "client",
			fyke_text_duration(side->rtt_mean_us, page->screen->flags, mean));
	else if (side->rtt_samples > 1)
		(void)snprintf(rtt, sizeof(rtt), "; round trips to the %s: %s to %s, mean %s",
			number == 0 ? "server" : "client",
			fyke_text_duration(side->rtt_min_us, page->screen->flags, least),
			fyke_text_duration(side->rtt_max_us, page->screen->flags, most),
			fyke_text_duration(side->rtt_mean_us, page->screen->flags, mean));
	fyke_text_count(side->stream_bytes == FYKE_TCP_LIFE_UNKNOWN ? 0 : side->stream_bytes, bytes);
	line(page, FYKE_PAINT_PLAIN, "  %s sent %s bytes%s", number == 0 ? "client" : "server", bytes, rtt);
	if (side->missing_bytes > 0)
		line(page, FYKE_PAINT_WARN,
			"         and %s bytes in %" PRId64 " gaps that were never seen here",
			fyke_text_count(side->missing_bytes, missing), side->gaps);
	if (side->unacknowledged_bytes > 0)
		line(page, FYKE_PAINT_PLAIN, "         of them %s bytes were never acknowledged",
			fyke_text_count(side->unacknowledged_bytes, missing));
}

/* "11 fast, 4 SACK": what is not 0. */
struct part {
	int64_t count;
	const char *name;
};

static void join_parts(const struct part *parts, size_t count, char *out, size_t room)
{
	size_t length = 0;

	out[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		int written;

		if (parts[i].count <= 0 || length >= room)
			continue;
		written = snprintf(out + length, room - length, "%s%" PRId64 " %s", length > 0 ? ", " : "",
			parts[i].count, parts[i].name);
		length += written > 0 ? (size_t)written : 0;
	}
}

static void write_losses(const struct page *page, int side)
{
	const struct fyke_tcp_life *life = page->life;
	struct part parts[] = {{0, "lost beyond the tap"}, {0, "lost before the tap, or not captured"},
		{0, "not needed: nothing was lost"}};
	char text[256];

	for (size_t i = 0; i < life->event_count; i++) {
		const struct fyke_tcp_life_event *event = &life->events[i];

		if (event->side != side || event->lost == FYKE_TCP_LOST_UNKNOWN)
			continue;
		parts[event->spurious ? 2 : event->lost == FYKE_TCP_LOST_BEYOND ? 0 : 1].count++;
	}
	join_parts(parts, 3, text, sizeof(text));
	if (text[0] != '\0')
		line(page, FYKE_PAINT_PLAIN, "         %s", text);
}

static void write_sums(const struct page *page, int number)
{
	const struct fyke_tcp_life_side *side = &page->life->side[number];
	const struct part causes[] = {{side->timeout_retransmissions, "by timeout"},
		{side->fast_retransmissions, "fast"}, {side->sack_retransmissions, "into SACK holes"},
		{side->tail_probe_retransmissions, "tail-loss probes"},
		{side->other_retransmissions, "following a timeout or of unknown cause"}};
	const struct part others[] = {{side->syn_retransmissions, "SYN again"},
		{side->fin_retransmissions, "FIN again"}, {side->reordered_segments, "overtaken"},
		{side->capture_duplicates, "captured twice"}, {side->duplicate_acks, "duplicate ACKs"},
		{side->keep_alives, "keep-alives"}, {side->zero_windows, "closed windows"},
		{side->window_probes, "window probes"}, {side->window_fulls, "filled windows"},
		{side->window_updates, "window updates"},
		{side->outside_window_segments, "outside the window"},
		{side->conflicting_bytes, "conflicting bytes"}};
	char text[320], segments[FYKE_TEXT_NUMBER], bytes[FYKE_TEXT_NUMBER], share[FYKE_TEXT_NUMBER];

	if (side->retransmitted_segments > 0) {
		join_parts(causes, sizeof(causes) / sizeof(causes[0]), text, sizeof(text));
		line(page, FYKE_PAINT_PLAIN, "         %s segments again (%s, %s of its bytes): %s",
			fyke_text_count(side->retransmitted_segments, segments),
			fyke_text_bytes(side->retransmitted_bytes, bytes),
			fyke_text_percent(side->retransmitted_bytes, side->payload_bytes, share), text);
		write_losses(page, number);
	}
	join_parts(others, sizeof(others) / sizeof(others[0]), text, sizeof(text));
	if (text[0] != '\0')
		line(page, FYKE_PAINT_PLAIN, "         besides: %s", text);
}

/* How many events from `first` on can be told as one: the same kind, side and fate in a row. */
static size_t group_of(const struct fyke_tcp_life *life, size_t first)
{
	const struct fyke_tcp_life_event *event = &life->events[first];
	size_t end = first + 1;

	while (end < life->event_count && life->events[end].side == event->side &&
		life->events[end].lost == event->lost && life->events[end].spurious == event->spurious &&
		life->events[end].kind != NULL && event->kind != NULL &&
		strcmp(life->events[end].kind, event->kind) == 0)
		end++;
	return end - first < GROUP_LEAST ? 1 : end - first;
}

static void write_event(const struct page *page, size_t first, size_t count)
{
	const struct fyke_tcp_life_event *event = &page->life->events[first];
	char time[FYKE_TEXT_NUMBER], head[80], more[FYKE_TEXT_NUMBER], last[FYKE_TEXT_NUMBER];
	char *text = fyke_tcp_word_explain(event), *all = NULL;
	char letter = fyke_tcp_word_letter(event->kind);

	if (text == NULL)
		return;
	(void)snprintf(head, sizeof(head), "  %8.3f s  %c  %s, frame %s: ",
		((double)event->time_us - (double)page->life->start_us) / 1e6, letter,
		event->side == 0 ? "client" : "server", fyke_text_count(event->frame, time));
	fyke_screen_put(page->screen, head, 0,
		letter == 'r' || letter == 'd' ? FYKE_PAINT_DIM : FYKE_PAINT_WARN, page->out);
	if (count > 1 && asprintf(&all, "%s And %s more of this kind up to frame %s.", text,
				 fyke_text_count((int64_t)count - 1, more),
				 fyke_text_count(page->life->events[first + count - 1].frame, last)) < 0)
		all = NULL;
	paragraph(page, (unsigned)strlen(head), EVENT_INDENT, all != NULL ? all : text);
	free(text);
	free(all);
}

/* One event as text of its own, so that its lines can be counted. */
static char *event_text(const struct page *page, size_t first, size_t count)
{
	struct page own = *page;
	char *text = NULL;
	size_t length = 0;

	own.out = open_memstream(&text, &length);
	if (own.out == NULL)
		return NULL;
	write_event(&own, first, count);
	if (fclose(own.out) == 0)
		return text;
	free(text);
	return NULL;
}

static size_t lines_of(const char *text)
{
	size_t lines = 0;

	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

/* As many as were asked for, or as fit on the screen below `used` lines. */
static void write_events(const struct page *page, const struct fyke_tcp_life_options *options, size_t used)
{
	char rest[FYKE_TEXT_NUMBER];
	size_t told = 0, at = 0;

	line(page, FYKE_PAINT_BOLD, "What happened");
	while (at < page->life->event_count && (options->events == 0 || told < options->events)) {
		size_t count = group_of(page->life, at);
		char *text = event_text(page, at, count);

		used += text == NULL ? 0 : lines_of(text);
		if (text == NULL || (options->lines != 0 && told >= EVENTS_LEAST && used > options->lines)) {
			free(text);
			break;
		}
		fputs(text, page->out);
		free(text);
		at += count;
		told++;
	}
	if (page->life->event_count == 0)
		line(page, FYKE_PAINT_PLAIN, "  nothing out of the ordinary");
	else if (at < page->life->event_count)
		line(page, FYKE_PAINT_DIM, "  ... and %s more; --limit 0 tells all",
			fyke_text_count((int64_t)(page->life->event_count - at), rest));
}

static void write_sketch(
	const struct page *page, struct fyke_tcp_sketch *sketch, const struct fyke_tcp_life_options *options)
{
	if (sketch == NULL)
		return;
	line(page, FYKE_PAINT_BOLD, "The %s's stream over time",
		fyke_tcp_sketch_side(sketch) == FYKE_TCP_LIFE_CLIENT ? "client" : "server");
	fyke_tcp_sketch_write(sketch, page->screen, page->out);
	if (options->no_packets != NULL) {
		fputs("  ", page->out);
		paragraph(page, 2, 2, options->no_packets);
	}
}

/* The parts that took any time, in the order of the columns. */
static void write_spent(const struct page *page)
{
	const struct fyke_tcp_life *life = page->life;
	int64_t all = life->end_us - life->start_us;
	char text[512] = "", duration[FYKE_TEXT_NUMBER];
	size_t used = 0;

	for (int i = 0; i < FYKE_TCP_LIFE_PARTS && used < sizeof(text); i++) {
		int64_t spent = life->spent_us[i];

		if (spent == FYKE_TCP_LIFE_UNKNOWN || spent <= 0 || all <= 0)
			continue;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %s (%.0f %%)",
			used > 0 ? ", " : "", fyke_tcp_life_part_words[i],
			fyke_text_duration(spent, page->screen->flags, duration),
			100.0 * (double)spent / (double)all);
	}
	if (used > 0)
		line(page, FYKE_PAINT_PLAIN, "  where the time went: %s", text);
}

static void write_facts(
	const struct page *page, struct fyke_tcp_sketch *sketch, const struct fyke_tcp_life_options *options)
{
	write_head(page);
	write_handshake(page);
	if (!page->life->has_tcp)
		return;
	write_spent(page);
	write_sketch(page, sketch, options);
	line(page, FYKE_PAINT_BOLD, "Streams");
	for (int side = 0; side < 2; side++) {
		write_stream(page, side);
		write_sums(page, side);
	}
}

void fyke_tcp_life_text(const struct fyke_tcp_life *life, struct fyke_tcp_sketch *sketch,
	const struct fyke_tcp_life_options *options, FILE *out)
{
	struct page page = {life, &options->screen, fyke_tcp_life_width(&options->screen), NULL};
	char *facts = NULL;
	size_t length = 0, used;

	page.out = open_memstream(&facts, &length);
	if (page.out == NULL)
		return;
	write_facts(&page, sketch, options);
	if (fclose(page.out) != 0)
		return;
	fputs(facts, out);
	used = lines_of(facts) + 3; /* the heading, what is left out, and the prompt */
	free(facts);
	page.out = out;
	if (life->has_tcp)
		write_events(&page, options, used);
}

unsigned fyke_tcp_life_width(const struct fyke_screen *screen)
{
	if (screen->width == 0)
		return WIDTH_OTHERWISE;
	if (screen->width > WIDTH_MOST)
		return WIDTH_MOST;
	return screen->width < WIDTH_LEAST ? WIDTH_LEAST : screen->width;
}
