/* Text protocols line by line. A line ends with LF; a CR before it is not part of it. */
#ifndef FYKE_DISSECTORS_SHARED_LINE_H
#define FYKE_DISSECTORS_SHARED_LINE_H

#include "dissectors/dissector.h"

enum { FYKE_LINE_MAX = 8 * 1024, FYKE_LINE_JUNK_MAX = 8 };

struct fyke_lines {
	bool skipping; /* the rest of a line that was too long */
	uint8_t junk;  /* lines in a row that are no text */
};

struct fyke_line {
	const char *text; /* borrowed from the input; not terminated */
	size_t length;
	uint64_t consumed; /* with its end */
	bool cut;	   /* longer than FYKE_LINE_MAX, or the stream ended within it */
};

/* The next line of what the input holds. False: not here yet; line->consumed may be passed over all the
 * same. A line that is too long is given with its first FYKE_LINE_MAX bytes. */
bool fyke_line_take(struct fyke_lines *lines, const struct fyke_input *input, struct fyke_line *line);

/* The line is no text. It is passed over with this verdict, which after some of them is DONE. */
static inline bool fyke_line_is_junk(const struct fyke_lines *lines)
{
	return lines->junk > 0;
}
static inline struct fyke_verdict fyke_line_pass(const struct fyke_lines *lines, const struct fyke_line *line)
{
	return lines->junk > FYKE_LINE_JUNK_MAX ? fyke_done() : fyke_more(line->consumed);
}

/* The verdict while no line is whole. */
static inline struct fyke_verdict fyke_line_wait(const struct fyke_line *line)
{
	return fyke_more(line->consumed);
}

/* The next word of a text, up to a blank; *at moves behind it and the blanks that follow. */
struct fyke_word_of {
	const char *text;
	size_t length;
};
struct fyke_word_of fyke_line_word(const char *text, size_t length, size_t *at);

/* Of a constant, not of bytes on the wire. */
static inline size_t fyke_word_length(const char *word)
{
	return __builtin_strlen(word);
}

/* Whether the text is `word`, or begins with it, letters of either case alike. */
bool fyke_text_is(const char *text, size_t length, const char *word);
bool fyke_text_begins(const char *text, size_t length, const char *word);
/* Where `part` first stands in the text, letters of either case alike; NULL = nowhere. */
const char *fyke_text_find(const char *text, size_t length, const char *part);

/* All bytes are ones that stand in lines of text (tab, blank, and whatever is no control character). */
bool fyke_text_is_plain(const void *text, size_t length);

/* A decimal number of 1 to 18 digits at the text's front; *digits = how many. -1: none. */
int64_t fyke_text_number(const char *text, size_t length, size_t *digits);

/* Whether it begins with a word of three letters or more and a blank or nothing behind: what every command of
 * the mail and file protocols is. */
bool fyke_line_has_verb(const char *text, size_t length);

#endif
