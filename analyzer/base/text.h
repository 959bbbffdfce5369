/*
 * Text for the world outside: one escaping per medium, and numbers and times as people read them.
 *
 * The transforming functions return what snprintf would: the length of the whole result without its
 * NUL. They write at most `room` bytes, always a NUL where room > 0, and never half of a character or
 * of an escape. Inputs are (pointer, length): NUL bytes are bytes like others.
 */
#ifndef FYKE_BASE_TEXT_H
#define FYKE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes as valid UTF-8, for storage and JSON. Valid UTF-8 is kept; every other byte and NUL becomes
 * \xNN; a backslash in front of what would read as such an escape becomes \x5c, so the result can be
 * turned back exactly. At most 4 * length + 1 bytes. */
size_t fyke_text_utf8(const void *bytes, size_t length, char *out, size_t room);
/* The same for text of a database, which was made so when it was stored: escapes in it stay as they are. */
size_t fyke_text_stored(const void *bytes, size_t length, char *out, size_t room);

enum { FYKE_TEXT_ASCII = 1 }; /* flag: the terminal does not read UTF-8; escape all that is not ASCII */

/* One line for a terminal: control bytes, invalid UTF-8, bidirectional and other format characters,
 * line separators, unassigned control ranges and piles of combining marks become \xNN or \u{N}. When
 * width > 0 and the text is wider than so many columns, it is cut and ends in … (with
 * FYKE_TEXT_ASCII: "~"). At most 4 * length + 4 bytes. */
size_t fyke_text_terminal(
	const char *text, size_t length, unsigned width, unsigned flags, char *out, size_t room);

/* Columns that text takes which fyke_text_terminal made. */
unsigned fyke_text_width(const char *text, size_t length);

/* One CSV field (RFC 4180), quoted where needed. Text that a spreadsheet would take for a formula
 * (starts with = + - @, tab or CR) gets a ' in front; pass numbers by snprintf, not through here.
 * At most 2 * length + 4 bytes. */
size_t fyke_text_csv(const char *text, size_t length, char *out, size_t room);

enum { FYKE_TEXT_NUMBER = 32, FYKE_TEXT_TIME = 40 };

/* "1,234,567" */
const char *fyke_text_count(int64_t value, char out[FYKE_TEXT_NUMBER]);
/* "999 B", "1.2 kB", "34.5 MB": powers of 1000. */
const char *fyke_text_bytes(int64_t bytes, char out[FYKE_TEXT_NUMBER]);
/* "0 s", "12 µs" (ASCII: "us"), "1.5 ms", "2.34 s", "3 min 4 s", "2 h 5 min", "3 d 4 h". */
const char *fyke_text_duration(int64_t us, unsigned flags, char out[FYKE_TEXT_NUMBER]);
/* "12.3 %"; "< 0.1 %" for little that is not nothing; "-" where whole is 0. */
const char *fyke_text_percent(int64_t part, int64_t whole, char out[FYKE_TEXT_NUMBER]);
/* ISO 8601 in UTC with as many digits of the second as asked for (0, 3, 6):
 * "2026-11-23T02:17:05.123Z". Years outside 0000 to 9999 give the plain number of microseconds. */
const char *fyke_text_time(int64_t us, unsigned digits, char out[FYKE_TEXT_TIME]);

/* The days since 1970-01-01 of a date of the proleptic Gregorian calendar. */
int64_t fyke_text_days(int64_t year, unsigned month, unsigned day);

/* The candidate of the least edits from `word` (letters of either case are equal), where it is near
 * enough to be a slip; else NULL. `candidates` ends with NULL. */
const char *fyke_text_nearest(const char *word, const char *const *candidates);

#endif
