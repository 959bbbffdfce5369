/*
 * Escaping for storage, JSON, terminal and CSV. UTF-8 by RFC 3629 (no surrogates, no overlong forms),
 * CSV by RFC 4180. Widths come from short range tables of our own: they must not depend on the locale.
 * Left out: grapheme clusters joined by U+200D (the joiner is shown escaped, as every format character).
 */
#include "analyzer/base/text.h"

#include "analyzer/base/status.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct output {
	char *out;
	size_t room, total;
	bool full;
};

/* All of it or nothing: a unit that does not fit ends the writing for good. */
static void put(struct output *o, const char *unit, size_t length)
{
	if (!o->full && o->room > o->total && o->room - o->total > length) {
		memcpy(o->out + o->total, unit, length);
		o->out[o->total + length] = '\0';
	} else {
		o->full = true;
	}
	o->total += length;
}

static struct output output_init(char *out, size_t room)
{
	if (room > 0)
		out[0] = '\0';
	return (struct output){out, room, 0, false};
}

static void FYKE_PRINTF(2, 3) put_format(struct output *o, const char *format, ...)
{
	char unit[16];
	va_list list;
	int length;

	va_start(list, format);
	length = vsnprintf(unit, sizeof(unit), format, list);
	va_end(list);
	put(o, unit, length < 0 ? 0 : (size_t)length);
}

/* The length of the sequence that `lead` opens, with the bounds of its second byte; 0 = not a lead byte. */
static size_t sequence_length(uint8_t lead, uint8_t *low, uint8_t *high)
{
	*low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	*high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/* Length of the character at p (1..4) and its code point, or 0 where the bytes are not UTF-8. */
static size_t character(const uint8_t *p, size_t left, uint32_t *code)
{
	uint8_t low, high;
	size_t length = sequence_length(p[0], &low, &high);

	if (length == 0 || length > left)
		return 0;
	*code = length == 1 ? p[0] : p[0] & (0xffU >> (length + 1));
	for (size_t i = 1; i < length; i++) {
		if (p[i] < low || p[i] > high)
			return 0;
		*code = *code << 6 | (p[i] & 0x3fU);
		low = 0x80;
		high = 0xbf;
	}
	return length;
}

static bool reads_as_escape(const uint8_t *p, size_t left)
{
	return left >= 4 && p[0] == '\\' && p[1] == 'x' && isxdigit(p[2]) && isxdigit(p[3]);
}

/* Bytes at the front that need no look: ASCII without NUL and backslash. */
static size_t plain_run(const uint8_t *p, size_t left)
{
	size_t n = 0;

	while (n < left && p[n] < 0x80 && p[n] != 0 && p[n] != '\\')
		n++;
	return n;
}

static size_t to_utf8(const void *bytes, size_t length, bool is_stored, char *out, size_t room)
{
	const uint8_t *p = bytes;
	struct output o = output_init(out, room);

	for (size_t i = 0; i < length;) {
		uint32_t code;
		size_t n = plain_run(p + i, length - i);

		if (n > 0 && (o.full || room <= o.total || room - o.total <= n))
			n = 1; /* near the end of the room: one at a time */
		if (n == 0)
			n = character(p + i, length - i, &code);
		if (n == 0 || p[i] == 0 || (!is_stored && reads_as_escape(p + i, length - i))) {
			put_format(&o, "\\x%02x", p[i]);
			n = 1;
		} else {
			put(&o, (const char *)p + i, n);
		}
		i += n;
	}
	return o.total;
}

size_t fyke_text_utf8(const void *bytes, size_t length, char *out, size_t room)
{
	return to_utf8(bytes, length, false, out, room);
}

size_t fyke_text_stored(const void *bytes, size_t length, char *out, size_t room)
{
	return to_utf8(bytes, length, true, out, room);
}

struct range {
	uint32_t first, last;
};

static bool in_ranges(uint32_t code, const struct range *ranges, size_t count)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (code > ranges[middle].last)
			low = middle + 1;
		else if (code < ranges[middle].first)
			high = middle;
		else
			return true;
	}
	return false;
}

#define IN_RANGES(code, table) in_ranges(code, table, sizeof(table) / sizeof(table[0]))

/* What would hide, reorder or break a line, or has no agreed look: categories Cc, Cf, Zl, Zp, Co, the
 * fillers that are drawn as nothing, and noncharacters. */
static bool is_shown_escaped(uint32_t code)
{
	static const struct range hidden[] = {{0x0, 0x1f}, {0x7f, 0x9f}, {0xad, 0xad}, {0x34f, 0x34f},
		{0x600, 0x605}, {0x61c, 0x61c}, {0x6dd, 0x6dd}, {0x70f, 0x70f}, {0x890, 0x891},
		{0x8e2, 0x8e2}, {0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x200b, 0x200f},
		{0x2028, 0x202e}, {0x2060, 0x206f}, {0x2800, 0x2800}, {0x3164, 0x3164}, {0xd800, 0xf8ff},
		{0xfdd0, 0xfdef}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xfffb},
		{0xfffe, 0xffff}, {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
		{0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff}};

	return IN_RANGES(code, hidden) || (code & 0xfffe) == 0xfffe;
}

static bool is_combining(uint32_t code)
{
	static const struct range marks[] = {{0x300, 0x36f}, {0x483, 0x489}, {0x591, 0x5bd}, {0x5bf, 0x5bf},
		{0x5c1, 0x5c2}, {0x5c4, 0x5c5}, {0x5c7, 0x5c7}, {0x610, 0x61a}, {0x64b, 0x65f},
		{0x670, 0x670}, {0x6d6, 0x6dc}, {0x6df, 0x6e4}, {0x6e7, 0x6e8}, {0x6ea, 0x6ed},
		{0x711, 0x711}, {0x730, 0x74a}, {0x7a6, 0x7b0}, {0x7eb, 0x7f3}, {0x816, 0x82d},
		{0x859, 0x85b}, {0x8d3, 0x902}, {0x93a, 0x93a}, {0x93c, 0x93c}, {0x941, 0x948},
		{0x94d, 0x94d}, {0x951, 0x957}, {0x9bc, 0x9bc}, {0x9c1, 0x9c4}, {0x9cd, 0x9cd},
		{0xa3c, 0xa3c}, {0xacd, 0xacd}, {0xb4d, 0xb4d}, {0xbcd, 0xbcd}, {0xc4d, 0xc4d},
		{0xccd, 0xccd}, {0xd4d, 0xd4d}, {0xe31, 0xe31}, {0xe34, 0xe3a}, {0xe47, 0xe4e},
		{0xeb1, 0xeb1}, {0xeb4, 0xebc}, {0xec8, 0xecd}, {0xf18, 0xf19}, {0xf35, 0xf35},
		{0xf37, 0xf37}, {0xf39, 0xf39}, {0xf71, 0xf84}, {0xf8d, 0xfbc}, {0x102d, 0x1030},
		{0x1032, 0x1037}, {0x1039, 0x103a}, {0x135d, 0x135f}, {0x17b7, 0x17bd}, {0x17c6, 0x17c6},
		{0x17c9, 0x17d3}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20f0}, {0x2cef, 0x2cf1},
		{0x2de0, 0x2dff}, {0x302a, 0x302d}, {0x3099, 0x309a}, {0xa66f, 0xa672}, {0xa674, 0xa67d},
		{0xa8e0, 0xa8f1}, {0xfb1e, 0xfb1e}, {0xfe20, 0xfe2f}, {0x1d165, 0x1d169}, {0x1d242, 0x1d244},
		{0x1e8d0, 0x1e8d6}};

	return IN_RANGES(code, marks);
}

static bool is_wide(uint32_t code)
{
	static const struct range wide[] = {{0x1100, 0x115e}, {0x231a, 0x231b}, {0x2329, 0x232a},
		{0x23e9, 0x23ec}, {0x23f0, 0x23f0}, {0x23f3, 0x23f3}, {0x25fd, 0x25fe}, {0x2614, 0x2615},
		{0x2648, 0x2653}, {0x267f, 0x267f}, {0x2693, 0x2693}, {0x26a1, 0x26a1}, {0x26aa, 0x26ab},
		{0x26bd, 0x26be}, {0x26c4, 0x26c5}, {0x26ce, 0x26ce}, {0x26d4, 0x26d4}, {0x26ea, 0x26ea},
		{0x26f2, 0x26f3}, {0x26f5, 0x26f5}, {0x26fa, 0x26fa}, {0x26fd, 0x26fd}, {0x2705, 0x2705},
		{0x270a, 0x270b}, {0x2728, 0x2728}, {0x274c, 0x274c}, {0x274e, 0x274e}, {0x2753, 0x2755},
		{0x2757, 0x2757}, {0x2795, 0x2797}, {0x27b0, 0x27b0}, {0x27bf, 0x27bf}, {0x2b1b, 0x2b1c},
		{0x2b50, 0x2b50}, {0x2b55, 0x2b55}, {0x2e80, 0x303e}, {0x3041, 0x33ff}, {0x3400, 0x4dbf},
		{0x4e00, 0xa4cf}, {0xa960, 0xa97f}, {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe10, 0xfe19},
		{0xfe30, 0xfe6f}, {0xff01, 0xff60}, {0xffe0, 0xffe6}, {0x16fe0, 0x18aff}, {0x1b000, 0x1b2ff},
		{0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a},
		{0x1f200, 0x1f320}, {0x1f32d, 0x1f335}, {0x1f337, 0x1f37c}, {0x1f37e, 0x1f393},
		{0x1f3a0, 0x1f3ca}, {0x1f3cf, 0x1f3d3}, {0x1f3e0, 0x1f3f0}, {0x1f3f4, 0x1f3f4},
		{0x1f3f8, 0x1f43e}, {0x1f440, 0x1f440}, {0x1f442, 0x1f4fc}, {0x1f4ff, 0x1f53d},
		{0x1f54b, 0x1f54e}, {0x1f550, 0x1f567}, {0x1f57a, 0x1f57a}, {0x1f595, 0x1f596},
		{0x1f5a4, 0x1f5a4}, {0x1f5fb, 0x1f64f}, {0x1f680, 0x1f6c5}, {0x1f6cc, 0x1f6cc},
		{0x1f6d0, 0x1f6d2}, {0x1f6eb, 0x1f6ec}, {0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7eb},
		{0x1f90c, 0x1f93a}, {0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff}, {0x1fa70, 0x1faff},
		{0x20000, 0x3fffd}};

	return IN_RANGES(code, wide);
}

/* One character or byte as a terminal may see it. */
struct glyph {
	char text[16];
	size_t length, taken; /* bytes out, bytes in */
	unsigned width;
	bool combining;
};

static void glyph_escape(struct glyph *g, bool is_byte, unsigned value)
{
	int length = is_byte ? snprintf(g->text, sizeof(g->text), "\\x%02x", value)
			     : snprintf(g->text, sizeof(g->text), "\\u{%x}", value);

	g->length = g->width = (unsigned)length;
	g->combining = false;
}

static struct glyph next_glyph(const uint8_t *p, size_t left, unsigned flags, unsigned marks)
{
	struct glyph g = {.taken = 1};
	uint32_t code = 0;
	size_t n = character(p, left, &code);

	if (n == 0 || (n == 1 && is_shown_escaped(code))) {
		glyph_escape(&g, true, p[0]);
		return g;
	}
	g.taken = g.length = n;
	g.combining = is_combining(code);
	g.width = g.combining ? 0 : is_wide(code) ? 2 : 1;
	memcpy(g.text, p, n);
	/* A few marks are writing, a pile of them paints over the lines around. */
	if (n > 1 &&
		((flags & FYKE_TEXT_ASCII) != 0 || is_shown_escaped(code) || (g.combining && marks >= 3)))
		glyph_escape(&g, false, code);
	return g;
}

/* The columns of all, counted no further than limit + 1. */
static unsigned shown_width(const uint8_t *p, size_t length, unsigned flags, unsigned limit)
{
	unsigned width = 0, marks = 3;

	for (size_t i = 0; i < length && width <= limit;) {
		struct glyph g = next_glyph(p + i, length - i, flags, marks);

		marks = g.combining ? marks + 1 : 0;
		width += g.width;
		i += g.taken;
	}
	return width;
}

size_t fyke_text_terminal(
	const char *text, size_t length, unsigned width, unsigned flags, char *out, size_t room)
{
	const uint8_t *p = (const uint8_t *)text;
	struct output o = output_init(out, room);
	bool cut = width > 0 && shown_width(p, length, flags, width) > width;
	unsigned column = 0, marks = 3; /* a mark with nothing before it would sit on what stands outside */

	for (size_t i = 0; i < length;) {
		struct glyph g = next_glyph(p + i, length - i, flags, marks);

		if (cut && column + g.width > width - 1)
			break;
		put(&o, g.text, g.length);
		marks = g.combining ? marks + 1 : 0;
		column += g.width;
		i += g.taken;
	}
	if (cut)
		put(&o, (flags & FYKE_TEXT_ASCII) != 0 ? "~" : "…",
			(flags & FYKE_TEXT_ASCII) != 0 ? 1 : strlen("…"));
	return o.total;
}

unsigned fyke_text_width(const char *text, size_t length)
{
	return shown_width((const uint8_t *)text, length, 0, UINT32_MAX - 16);
}

size_t fyke_text_csv(const char *text, size_t length, char *out, size_t room)
{
	struct output o = output_init(out, room);
	bool formula = length > 0 && memchr("=+-@\t\r", text[0], 6) != NULL;
	bool quoted = false;

	for (size_t i = 0; i < length && !quoted; i++)
		quoted = text[i] == '"' || text[i] == ',' || text[i] == '\n' || text[i] == '\r';
	if (length > 0 && (text[0] == ' ' || text[length - 1] == ' '))
		quoted = true;
	if (quoted)
		put(&o, "\"", 1);
	if (formula)
		put(&o, "'", 1);
	for (size_t i = 0; i < length; i++)
		put(&o, text[i] == '"' ? "\"\"" : text + i, text[i] == '"' ? 2 : 1);
	if (quoted)
		put(&o, "\"", 1);
	return o.total;
}

static size_t lower_equal(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

enum { NEAREST_MAX = 40 };

/* Damerau–Levenshtein distance (adjacent swaps count one); words longer than NEAREST_MAX never match. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][NEAREST_MAX + 1], la = strlen(a), lb = strlen(b);
	size_t *before = rows[0], *last = rows[1], *now = rows[2];

	if (la > NEAREST_MAX || lb > NEAREST_MAX)
		return NEAREST_MAX;
	for (size_t j = 0; j <= lb; j++)
		last[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *spare = before;

		now[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t best = last[j - 1] + !lower_equal(a[i - 1], b[j - 1]);

			best = last[j] + 1 < best ? last[j] + 1 : best;
			best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
			if (i > 1 && j > 1 && lower_equal(a[i - 1], b[j - 2]) &&
				lower_equal(a[i - 2], b[j - 1]) && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[lb];
}

const char *fyke_text_nearest(const char *word, const char *const *candidates)
{
	size_t best = strlen(word) <= 3 ? 2 : strlen(word) / 3 + 2;
	const char *nearest = NULL;

	for (; *candidates != NULL; candidates++) {
		size_t d = distance(word, *candidates);

		if (d < best) {
			best = d;
			nearest = *candidates;
		}
	}
	return nearest;
}
