/* Terminals, and columns of text on them (screen.h). */
#include "reports/screen.h"

#include "analyzer/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool is_set(const char *value)
{
	return value != NULL && value[0] != '\0';
}

static bool locale_is_utf8(void)
{
	const char *locale = getenv("LC_ALL");

	if (!is_set(locale))
		locale = getenv("LC_CTYPE");
	if (!is_set(locale))
		locale = getenv("LANG");
	return is_set(locale) && (strcasestr(locale, "UTF-8") != NULL || strcasestr(locale, "utf8") != NULL);
}

static unsigned columns_of(FILE *out)
{
	struct winsize size;
	const char *columns = getenv("COLUMNS");
	unsigned long width = is_set(columns) ? strtoul(columns, NULL, 10) : 0;

	if (width == 0 && ioctl(fileno(out), TIOCGWINSZ, &size) == 0)
		width = size.ws_col;
	if (width == 0)
		width = 80;
	return width < 40 ? 40 : width > 1000 ? 1000 : (unsigned)width;
}

struct fyke_screen fyke_screen_of(FILE *out)
{
	struct fyke_screen screen = {0};
	const char *term = getenv("TERM");

	screen.is_terminal = fileno(out) >= 0 && isatty(fileno(out)) == 1;
	screen.flags = locale_is_utf8() ? 0 : FYKE_TEXT_ASCII;
	if (!screen.is_terminal)
		return screen;
	screen.width = columns_of(out);
	screen.colour = !is_set(getenv("NO_COLOR")) && is_set(term) && strcmp(term, "dumb") != 0;
	return screen;
}

static void paint_on(const struct fyke_screen *screen, enum fyke_paint paint, FILE *out)
{
	static const char *const codes[] = {[FYKE_PAINT_PLAIN] = "",
		[FYKE_PAINT_BOLD] = "\x1b[1m",
		[FYKE_PAINT_DIM] = "\x1b[2m",
		[FYKE_PAINT_GOOD] = "\x1b[32m",
		[FYKE_PAINT_WARN] = "\x1b[33m",
		[FYKE_PAINT_BAD] = "\x1b[31m"};

	if (screen->colour)
		fputs(codes[paint], out);
}

static void paint_off(const struct fyke_screen *screen, enum fyke_paint paint, FILE *out)
{
	if (screen->colour && paint != FYKE_PAINT_PLAIN)
		fputs("\x1b[0m", out);
}

static char *shown(const struct fyke_screen *screen, const char *text, unsigned width)
{
	size_t length = strlen(text), room = 4 * length + 8;
	char *out = malloc(room);

	if (out != NULL)
		fyke_text_terminal(text, length, width, screen->flags, out, room);
	return out;
}

void fyke_screen_put(
	const struct fyke_screen *screen, const char *text, unsigned width, enum fyke_paint paint, FILE *out)
{
	char *safe = shown(screen, text, width);

	paint_on(screen, paint, out);
	if (safe != NULL)
		fputs(safe, out);
	paint_off(screen, paint, out);
	free(safe);
}

struct fyke_grid {
	struct fyke_screen screen;
	struct fyke_grid_column columns[FYKE_GRID_COLUMNS];
	unsigned widths[FYKE_GRID_COLUMNS];
	bool gone[FYKE_GRID_COLUMNS];
	size_t count, held;
	char **cells; /* held rows, escaped */
	unsigned indent;
	bool heading, laid_out;
	FILE *out;
};

struct fyke_grid *fyke_grid_new(
	const struct fyke_screen *screen, const struct fyke_grid_column *columns, size_t count, FILE *out)
{
	struct fyke_grid *grid = calloc(1, sizeof(*grid));

	if (grid == NULL)
		return NULL;
	grid->screen = *screen;
	grid->count = count < FYKE_GRID_COLUMNS ? count : FYKE_GRID_COLUMNS;
	memcpy(grid->columns, columns, grid->count * sizeof(*columns));
	grid->out = out;
	grid->heading = true;
	grid->cells = calloc(FYKE_GRID_HELD * (grid->count + 1), sizeof(*grid->cells));
	if (grid->cells == NULL) {
		free(grid);
		return NULL;
	}
	return grid;
}

void fyke_grid_indent(struct fyke_grid *grid, unsigned indent, bool heading)
{
	grid->indent = indent;
	grid->heading = heading;
}

/* What a line takes; `squeezed`: with addresses as short as they may be. */
static unsigned total_width(const struct fyke_grid *grid, bool squeezed)
{
	unsigned width = grid->indent, shown_columns = 0;

	for (size_t i = 0; i < grid->count; i++) {
		bool short_one =
			squeezed && grid->columns[i].address && grid->widths[i] > grid->columns[i].least;

		if (!grid->gone[i])
			width += (short_one ? grid->columns[i].least : grid->widths[i]) +
				 (shown_columns++ > 0 ? 2 : 0);
	}
	return width;
}

/* Takes from the widest column that may still shrink until the line fits. */
static void shrink(struct fyke_grid *grid, bool addresses)
{
	while (total_width(grid, !addresses) > grid->screen.width) {
		size_t widest = grid->count;

		for (size_t i = 0; i < grid->count; i++) {
			bool may = !grid->gone[i] && grid->columns[i].address == addresses &&
				   grid->columns[i].least > 0 && grid->widths[i] > grid->columns[i].least;

			if (may && (widest == grid->count || grid->widths[i] > grid->widths[widest]))
				widest = i;
		}
		if (widest == grid->count)
			return;
		grid->widths[widest]--;
	}
}

static void leave_out(struct fyke_grid *grid)
{
	while (total_width(grid, true) > grid->screen.width) {
		size_t next = grid->count;

		for (size_t i = 0; i < grid->count; i++) {
			if (!grid->gone[i] && grid->columns[i].goes > 0 &&
				(next == grid->count || grid->columns[i].goes > grid->columns[next].goes))
				next = i;
		}
		if (next == grid->count)
			return;
		grid->gone[next] = true;
	}
}

static void fit(struct fyke_grid *grid)
{
	if (grid->screen.width == 0)
		return;
	shrink(grid, false);
	leave_out(grid);
	shrink(grid, true);
}

/* "[2001:db8:12…:9c41]:61234": both ends of an ASCII text, which then has `width` columns. It must have been
 * longer by the mark's bytes. */
static void cut_middle(const struct fyke_screen *screen, char *text, unsigned width)
{
	const char *mark = (screen->flags & FYKE_TEXT_ASCII) != 0 ? "~" : "…";
	size_t length = strlen(text), tail = width / 2, head = width - 1 - tail;

	memmove(text + head + strlen(mark), text + length - tail, tail + 1);
	memcpy(text + head, mark, strlen(mark));
}

static bool is_ascii(const char *text)
{
	while (*text != '\0' && (unsigned char)*text < 0x80)
		text++;
	return *text == '\0';
}

/* The cell escaped, and cut to `width` columns (0 = not cut). */
static char *shown_cell(const struct fyke_screen *screen, const struct fyke_grid_column *column,
	const char *cell, unsigned width)
{
	char *text = column->address && width >= 8 ? shown(screen, cell, 0) : shown(screen, cell, width);

	if (text == NULL || !column->address || width < 8 || strlen(text) <= width)
		return text;
	if (is_ascii(text) && strlen(text) > width + 1) {
		cut_middle(screen, text, width);
		return text;
	}
	free(text);
	return shown(screen, cell, width);
}

static void pad(unsigned count, FILE *out)
{
	for (unsigned i = 0; i < count; i++)
		fputc(' ', out);
}

static void write_cell(
	const struct fyke_grid *grid, size_t i, const char *cell, bool last, enum fyke_paint paint)
{
	bool limited = grid->screen.width > 0 && grid->columns[i].least > 0;
	char *text = shown_cell(&grid->screen, &grid->columns[i], cell, limited ? grid->widths[i] : 0);
	unsigned width = text == NULL ? 0 : fyke_text_width(text, strlen(text));
	unsigned rest = width < grid->widths[i] ? grid->widths[i] - width : 0;

	if (grid->columns[i].right)
		pad(rest, grid->out);
	paint_on(&grid->screen, paint, grid->out);
	fputs(text == NULL ? "" : text, grid->out);
	paint_off(&grid->screen, paint, grid->out);
	if (!grid->columns[i].right && !last)
		pad(rest, grid->out);
	free(text);
}

static void write_row(const struct fyke_grid *grid, const char *const *cells, enum fyke_paint paint)
{
	size_t count = grid->count;
	bool first = true;

	while (count > 0 &&
		(grid->gone[count - 1] || (cells[count - 1] != NULL && cells[count - 1][0] == '\0')))
		count--; /* no blanks at the line's end */
	pad(grid->indent, grid->out);
	for (size_t i = 0; i < count; i++) {
		if (grid->gone[i])
			continue;
		pad(first ? 0 : 2, grid->out);
		first = false;
		write_cell(grid, i, cells[i] == NULL ? "-" : cells[i], i + 1 == count, paint);
	}
	fputc('\n', grid->out);
}

static unsigned width_of(const struct fyke_grid *grid, const char *cell)
{
	char *text = shown(&grid->screen, cell == NULL ? "-" : cell, 0);
	unsigned width = text == NULL ? 0 : fyke_text_width(text, strlen(text));

	free(text);
	return width;
}

/* A column that may go, and holds nothing, goes. */
static bool is_empty(const struct fyke_grid *grid, size_t column)
{
	if (grid->columns[column].goes == 0 || grid->held == FYKE_GRID_HELD)
		return false;
	for (size_t row = 0; row < grid->held; row++) {
		const char *cell = grid->cells[row * grid->count + column];

		if (cell != NULL && cell[0] != '\0')
			return false;
	}
	return true;
}

static void lay_out(struct fyke_grid *grid)
{
	const char *titles[FYKE_GRID_COLUMNS];

	grid->laid_out = true;
	for (size_t i = 0; i < grid->count; i++) {
		titles[i] = grid->columns[i].title;
		grid->gone[i] = is_empty(grid, i);
		grid->widths[i] = grid->heading ? width_of(grid, titles[i]) : 0;
		for (size_t row = 0; row < grid->held; row++) {
			unsigned width = width_of(grid, grid->cells[row * grid->count + i]);

			grid->widths[i] = width > grid->widths[i] ? width : grid->widths[i];
		}
	}
	fit(grid);
	if (grid->heading && grid->held > 0)
		write_row(grid, titles, FYKE_PAINT_BOLD);
	for (size_t row = 0; row < grid->held; row++)
		write_row(grid, (const char *const *)grid->cells + row * grid->count, FYKE_PAINT_PLAIN);
}

bool fyke_grid_row(struct fyke_grid *grid, const char *const *cells)
{
	if (grid->held == FYKE_GRID_HELD) {
		if (!grid->laid_out)
			lay_out(grid);
		write_row(grid, cells, FYKE_PAINT_PLAIN);
		return true;
	}
	for (size_t i = 0; i < grid->count; i++) {
		char **cell = &grid->cells[grid->held * grid->count + i];

		*cell = cells[i] == NULL ? NULL : strdup(cells[i]);
		if (*cell == NULL && cells[i] != NULL)
			return false;
	}
	grid->held++;
	return true;
}

void fyke_grid_finish(struct fyke_grid *grid)
{
	if (grid == NULL)
		return;
	if (!grid->laid_out)
		lay_out(grid);
	for (size_t i = 0; i < grid->held * grid->count; i++)
		free(grid->cells[i]);
	free(grid->cells);
	free(grid);
}
