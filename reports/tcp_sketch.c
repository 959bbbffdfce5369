/*
 * Time runs to the right, the stream upwards. A cell shows the most notable thing in it: an event's
 * letter, else x for an original that was lost behind the tap, else a dot for bytes sent.
 */
#include "reports/tcp_life.h"

#include "analyzer/base/text.h"

#include <stdlib.h>
#include <string.h>

enum { AXIS = 9 }; /* columns left of the plane */

static const char order[] = "CTGFSPUsfRoabxzwWkrdl."; /* who wins a cell */

struct fyke_tcp_sketch {
	const struct fyke_tcp_life *life;
	int side;
	unsigned width, height; /* of the plane */
	double last_offset, duration;
	char *cells; /* rows from the top; 0 = nothing */
};

/* How far up the stream goes, by all that is known. */
static double end_of_stream(const struct fyke_tcp_life *life, int side)
{
	const struct fyke_tcp_life_side *own = &life->side[side];
	double end = own->stream_bytes > 0 ? (double)own->stream_bytes : 0;

	if (own->missing_bytes > 0)
		end += (double)own->missing_bytes;
	for (size_t i = 0; i < life->event_count; i++) {
		const struct fyke_tcp_life_event *event = &life->events[i];
		double up = (double)event->offset + (double)event->length;

		if (event->side == side && event->length > 0 && up > end)
			end = up;
	}
	return end < 1 ? 1 : end;
}

struct fyke_tcp_sketch *fyke_tcp_sketch_new(
	const struct fyke_tcp_life *life, int side, unsigned width, unsigned height)
{
	struct fyke_tcp_sketch *sketch = calloc(1, sizeof(*sketch));

	if (sketch == NULL)
		return NULL;
	sketch->life = life;
	sketch->side = side;
	sketch->width = width > AXIS + 20 ? width - AXIS - 2 : 20;
	sketch->height = height;
	sketch->last_offset = end_of_stream(life, side);
	sketch->duration = (double)life->end_us - (double)life->start_us;
	sketch->cells = calloc(sketch->height, sketch->width);
	if (sketch->cells == NULL) {
		free(sketch);
		return NULL;
	}
	return sketch;
}

void fyke_tcp_sketch_free(struct fyke_tcp_sketch *sketch)
{
	if (sketch == NULL)
		return;
	free(sketch->cells);
	free(sketch);
}

int fyke_tcp_sketch_side(const struct fyke_tcp_sketch *sketch)
{
	return sketch->side;
}

static unsigned place(double value, double whole, unsigned cells)
{
	double at = whole <= 0 ? 0 : value / whole * cells;

	if (!(at > 0))
		return 0;
	return at >= cells ? cells - 1 : (unsigned)at;
}

static void put(struct fyke_tcp_sketch *sketch, int64_t time_us, double offset, char letter)
{
	unsigned x = place((double)time_us - (double)sketch->life->start_us, sketch->duration, sketch->width);
	unsigned y = sketch->height - 1 - place(offset, sketch->last_offset, sketch->height);
	char *cell = &sketch->cells[y * sketch->width + x];

	if (letter != ' ' && (*cell == '\0' || strchr(order, letter) < strchr(order, *cell)))
		*cell = letter;
}

/* Whether an event says that this frame's bytes were lost on their way from here. */
static bool was_lost(const struct fyke_tcp_sketch *sketch, int64_t frame)
{
	for (size_t i = 0; i < sketch->life->event_count; i++) {
		const struct fyke_tcp_life_event *event = &sketch->life->events[i];

		if (event->original == frame && event->side == sketch->side &&
			event->lost == FYKE_TCP_LOST_BEYOND && !event->spurious)
			return true;
	}
	return false;
}

void fyke_tcp_sketch_point(
	struct fyke_tcp_sketch *sketch, int64_t frame, int64_t time_us, int64_t offset, int64_t length)
{
	if (length <= 0)
		return;
	put(sketch, time_us, (double)offset, '.');
	put(sketch, time_us, (double)offset + (double)length - 1, '.');
	if (was_lost(sketch, frame))
		put(sketch, time_us, (double)offset, 'x');
}

static void put_events(struct fyke_tcp_sketch *sketch)
{
	for (size_t i = 0; i < sketch->life->event_count; i++) {
		const struct fyke_tcp_life_event *event = &sketch->life->events[i];

		/* a closed window is told by the receiver, at the height that it stopped */
		if (event->side == sketch->side)
			put(sketch, event->time_us, (double)event->offset, fyke_tcp_word_letter(event->kind));
	}
}

static enum fyke_paint paint_of(char letter)
{
	if (letter == '.')
		return FYKE_PAINT_DIM;
	if (strchr("CTGx", letter) != NULL)
		return FYKE_PAINT_BAD;
	return strchr("rdkWzw", letter) != NULL ? FYKE_PAINT_PLAIN : FYKE_PAINT_WARN;
}

static const char *dot(const struct fyke_screen *screen)
{
	return (screen->flags & FYKE_TEXT_ASCII) != 0 ? "." : "\u00b7";
}

static void write_axis(const char *label, const struct fyke_screen *screen, FILE *out)
{
	bool ascii = (screen->flags & FYKE_TEXT_ASCII) != 0;

	fprintf(out, "%*s ", AXIS, label);
	fputs(label[0] == '\0' ? (ascii ? "|" : "\u2502") : (ascii ? "+" : "\u2524"), out);
}

static void write_rows(const struct fyke_tcp_sketch *sketch, const struct fyke_screen *screen, FILE *out)
{
	char top[FYKE_TEXT_NUMBER];

	fyke_text_bytes((int64_t)sketch->last_offset, top);
	for (unsigned y = 0; y < sketch->height; y++) {
		const char *row = &sketch->cells[y * sketch->width];
		unsigned end = sketch->width;

		while (end > 0 && row[end - 1] == '\0')
			end--;
		write_axis(y == 0 ? top : y + 1 == sketch->height ? "0 B" : "", screen, out);
		for (unsigned x = 0; x < end; x++) {
			char text[2] = {row[x], '\0'};

			if (row[x] == '\0')
				fputc(' ', out);
			else
				fyke_screen_put(
					screen, row[x] == '.' ? dot(screen) : text, 0, paint_of(row[x]), out);
		}
		fputc('\n', out);
	}
}

static void write_times(const struct fyke_tcp_sketch *sketch, const struct fyke_screen *screen, FILE *out)
{
	bool ascii = (screen->flags & FYKE_TEXT_ASCII) != 0;
	char half[FYKE_TEXT_NUMBER], all[FYKE_TEXT_NUMBER];
	unsigned middle, end;

	fprintf(out, "%*s %s", AXIS, "", ascii ? "+" : "\u2514");
	for (unsigned x = 0; x < sketch->width; x++)
		fputs(ascii ? "-" : "\u2500", out);
	fyke_text_duration((int64_t)(sketch->duration / 2), screen->flags, half);
	fyke_text_duration((int64_t)sketch->duration, screen->flags, all);
	middle = fyke_text_width(half, strlen(half));
	end = fyke_text_width(all, strlen(all));
	fprintf(out, "\n%*s  0 s%*s%s%*s%s\n", AXIS, "", (int)(sketch->width / 2 - 3 - middle / 2), "", half,
		(int)(sketch->width - sketch->width / 2 - (middle - middle / 2) - end), "", all);
}

/* Only letters that are in the sketch. */
static void write_legend(const struct fyke_tcp_sketch *sketch, const struct fyke_screen *screen, FILE *out)
{
	static const char *const kinds[] = {"conflict", "timeout_retransmission", "go_back_n",
		"fast_retransmission", "sack_retransmission", "tail_loss_probe", "unknown_retransmission",
		"syn_retransmission", "fin_retransmission", "zero_window", "window_probe", "window_full",
		"keep_alive", "reordering", "capture_duplicate", "reset_ignored", "outside_window",
		"checksum_believed", "other_syn_ack", "rtt_limited"};
	size_t cells = (size_t)sketch->width * sketch->height;
	unsigned column = AXIS + 2;

	fprintf(out, "%*s", (int)column, "");
	for (const char *letter = order; *letter != '\0'; letter++) {
		const char *name = *letter == 'x' ? "original, lost beyond the tap" : "bytes sent";
		char text[2] = {*letter, '\0'};
		unsigned width;

		if (memchr(sketch->cells, *letter, cells) == NULL)
			continue;
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			name = fyke_tcp_word_letter(kinds[i]) == *letter ? fyke_tcp_word_name(kinds[i])
									 : name;
		width = (unsigned)strlen(name) + 2;
		if (column > AXIS + 2 && column + 3 + width > AXIS + 2 + sketch->width) {
			column = AXIS + 2;
			fprintf(out, "\n%*s", (int)column, "");
		}
		if (column > AXIS + 2)
			column += (unsigned)fprintf(out, "   ");
		fyke_screen_put(screen, *letter == '.' ? dot(screen) : text, 0, paint_of(*letter), out);
		fprintf(out, " %s", name);
		column += width;
	}
	fputc('\n', out);
}

void fyke_tcp_sketch_write(struct fyke_tcp_sketch *sketch, const struct fyke_screen *screen, FILE *out)
{
	put_events(sketch);
	write_rows(sketch, screen, out);
	write_times(sketch, screen, out);
	write_legend(sketch, screen, out);
}
