/* Lines and words of text protocols; bytes are compared as ASCII whatever the locale. */
#include "dissectors/shared/line.h"

#include <string.h>

static void pass_rest(struct fyke_lines *lines, const struct fyke_input *input, struct fyke_line *line)
{
	const uint8_t *end = input->length > 0 ? memchr(input->data, '\n', input->length) : NULL;

	lines->skipping = end == NULL;
	line->consumed = end != NULL ? (uint64_t)(end - input->data) + 1 : input->length;
}

bool fyke_line_take(struct fyke_lines *lines, const struct fyke_input *input, struct fyke_line *line)
{
	size_t looked = input->length < FYKE_LINE_MAX ? input->length : FYKE_LINE_MAX;
	const uint8_t *end = looked > 0 ? memchr(input->data, '\n', looked) : NULL;

	*line = (struct fyke_line){0};
	if (lines->skipping) {
		pass_rest(lines, input, line);
		return false;
	}
	if (end == NULL && looked < FYKE_LINE_MAX && (!input->end || looked == 0))
		return false;
	line->text = (const char *)input->data;
	line->length = end != NULL ? (size_t)(end - input->data) : looked;
	line->consumed = line->length + (end != NULL);
	line->cut = end == NULL;
	lines->skipping = line->cut;
	if (line->length > 0 && line->text[line->length - 1] == '\r')
		line->length--;
	if (fyke_text_is_plain(line->text, line->length))
		lines->junk = 0;
	else
		lines->junk = (uint8_t)(lines->junk > FYKE_LINE_JUNK_MAX ? lines->junk : lines->junk + 1);
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct fyke_word_of fyke_line_word(const char *text, size_t length, size_t *at)
{
	struct fyke_word_of word;

	if (length == 0)
		return (struct fyke_word_of){"", 0};
	while (*at < length && is_blank(text[*at]))
		++*at;
	word.text = text + *at;
	while (*at < length && !is_blank(text[*at]))
		++*at;
	word.length = (size_t)(text + *at - word.text);
	while (*at < length && is_blank(text[*at]))
		++*at;
	return word;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool fyke_text_begins(const char *text, size_t length, const char *word)
{
	size_t i = 0;

	for (; word[i] != '\0'; i++) {
		if (i >= length || lower(text[i]) != lower(word[i]))
			return false;
	}
	return true;
}

bool fyke_text_is(const char *text, size_t length, const char *word)
{
	return fyke_word_length(word) == length && fyke_text_begins(text, length, word);
}

const char *fyke_text_find(const char *text, size_t length, const char *part)
{
	for (size_t i = 0; i < length; i++) {
		if (fyke_text_begins(text + i, length - i, part))
			return text + i;
	}
	return NULL;
}

bool fyke_text_is_plain(const void *text, size_t length)
{
	const uint8_t *bytes = text;

	for (size_t i = 0; i < length; i++) {
		if ((bytes[i] < 0x20 && bytes[i] != '\t') || bytes[i] == 0x7f)
			return false;
	}
	return true;
}

int64_t fyke_text_number(const char *text, size_t length, size_t *digits)
{
	int64_t number = 0;
	size_t i = 0;

	for (; i < length && i < 18 && text[i] >= '0' && text[i] <= '9'; i++)
		number = number * 10 + (text[i] - '0');
	*digits = i;
	return i > 0 ? number : -1;
}

bool fyke_line_has_verb(const char *text, size_t length)
{
	size_t letters = 0;

	while (letters < length && (text[letters] | 0x20) >= 'a' && (text[letters] | 0x20) <= 'z')
		letters++;
	return letters >= 3 && (letters == length || text[letters] == ' ');
}
