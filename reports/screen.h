/*
 * What text goes out to: a terminal of some width, or a file or pipe; and columns laid out for it.
 */
#ifndef FYKE_REPORTS_SCREEN_H
#define FYKE_REPORTS_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct fyke_screen {
	bool is_terminal;
	bool colour;	/* a terminal, NO_COLOR not set, TERM not dumb */
	unsigned width; /* columns; 0 = no limit */
	unsigned flags; /* FYKE_TEXT_ASCII where the locale's characters are not UTF-8 */
};

/* By the stream and the environment (LC_ALL, LC_CTYPE, LANG, COLUMNS, NO_COLOR, TERM). */
struct fyke_screen fyke_screen_of(FILE *out);

enum fyke_paint {
	FYKE_PAINT_PLAIN,
	FYKE_PAINT_BOLD,
	FYKE_PAINT_DIM,
	FYKE_PAINT_GOOD,
	FYKE_PAINT_WARN,
	FYKE_PAINT_BAD
};

/* Untrusted text, escaped for a terminal, cut to `width` columns (0 = not cut). */
void fyke_screen_put(
	const struct fyke_screen *screen, const char *text, unsigned width, enum fyke_paint paint, FILE *out);

/* Lines of columns. Cells are untrusted text; NULL shows as "-". The widths are those of the first
 * FYKE_GRID_HELD rows. A column that may go is left out where all its cells are empty. Where the others do
 * not fit the screen, first the columns that may shrink do, then those that may go go, and at last addresses
 * are cut, so that both their ends stay. */
struct fyke_grid_column {
	const char *title;
	bool right;	/* numbers */
	unsigned least; /* may shrink to so many columns; 0 = keeps its width */
	unsigned goes;	/* may be left out: the highest first; 0 = stays */
	bool address;	/* shrinks last, and in its middle */
};

enum { FYKE_GRID_HELD = 1000, FYKE_GRID_COLUMNS = 256 };

struct fyke_grid;

/* `columns` is copied, titles are borrowed. NULL when memory is out. */
struct fyke_grid *fyke_grid_new(
	const struct fyke_screen *screen, const struct fyke_grid_column *columns, size_t count, FILE *out);
/* Cells are copied. False when memory is out. */
bool fyke_grid_row(struct fyke_grid *grid, const char *const *cells);
/* Writes what is held; frees. `indent` blanks stand before each line; no heading where no row came. */
void fyke_grid_finish(struct fyke_grid *grid);
void fyke_grid_indent(struct fyke_grid *grid, unsigned indent, bool heading);

#endif
