/*
 * Encoded words: =?charset?B-or-Q?text?=. Charsets: UTF-8, US-ASCII, ISO 8859-1 and -15, Windows 1251 and
 * 1252, KOI8-R; between two adjacent encoded words blanks vanish (RFC 2047 §6.2).
 */
#include "dissectors/shared/words.h"

#include "dissectors/shared/base64.h"
#include "dissectors/shared/line.h"

#include <string.h>

enum { WORD_MAX = 1024 };

/* What 0x80 to 0x9f are in Windows 1252; 0 = nothing. */
static const uint16_t windows_1252[32] = {0x20ac, 0, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,
	0x2030, 0x160, 0x2039, 0x152, 0, 0x17d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0, 0x17e, 0x178};

/* What 0x80 to 0xbf are in Windows 1251; 0xc0 on is the Russian alphabet in order. */
static const uint16_t windows_1251[64] = {0x402, 0x403, 0x201a, 0x453, 0x201e, 0x2026, 0x2020, 0x2021, 0x20ac,
	0x2030, 0x409, 0x2039, 0x40a, 0x40c, 0x40b, 0x40f, 0x452, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
	0x2013, 0x2014, 0, 0x2122, 0x459, 0x203a, 0x45a, 0x45c, 0x45b, 0x45f, 0xa0, 0x40e, 0x45e, 0x408, 0xa4,
	0x490, 0xa6, 0xa7, 0x401, 0xa9, 0x404, 0xab, 0xac, 0xad, 0xae, 0x407, 0xb0, 0xb1, 0x406, 0x456, 0x491,
	0xb5, 0xb6, 0xb7, 0x451, 0x2116, 0x454, 0xbb, 0x458, 0x405, 0x455, 0x457};

/* The order of KOI8-R's small letters from 0xc0 on, as places in the alphabet; capitals from 0xe0 on. */
static const uint8_t koi8_order[32] = {30, 0, 1, 22, 4, 5, 20, 3, 21, 8, 9, 10, 11, 12, 13, 14, 15, 31, 16,
	17, 18, 19, 6, 2, 28, 27, 7, 24, 29, 25, 23, 26};

static uint32_t of_latin1(uint8_t c)
{
	return c;
}

static uint32_t of_latin9(uint8_t c)
{
	static const uint16_t others[][2] = {{0xa4, 0x20ac}, {0xa6, 0x160}, {0xa8, 0x161}, {0xb4, 0x17d},
		{0xb8, 0x17e}, {0xbc, 0x152}, {0xbd, 0x153}, {0xbe, 0x178}};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (others[i][0] == c)
			return others[i][1];
	}
	return c;
}

static uint32_t of_windows_1252(uint8_t c)
{
	return c >= 0x80 && c < 0xa0 ? windows_1252[c - 0x80] : c;
}

static uint32_t of_windows_1251(uint8_t c)
{
	if (c >= 0xc0)
		return 0x410U + c - 0xc0U;
	return c >= 0x80 ? windows_1251[c - 0x80] : c;
}

static uint32_t of_koi8_r(uint8_t c)
{
	if (c >= 0xe0)
		return 0x410U + koi8_order[c - 0xe0];
	if (c >= 0xc0)
		return 0x430U + koi8_order[c - 0xc0];
	return c == 0xa3 ? 0x451 : c == 0xb3 ? 0x401 : c < 0x80 ? c : 0xfffd;
}

static const struct charset {
	const char *name;
	uint32_t (*code)(uint8_t c); /* NULL: UTF-8 as it is */
} charsets[] = {{"utf-8", NULL}, {"utf8", NULL}, {"us-ascii", NULL}, {"ascii", NULL},
	{"iso-8859-1", of_latin1}, {"latin1", of_latin1}, {"iso-8859-15", of_latin9},
	{"windows-1252", of_windows_1252}, {"cp1252", of_windows_1252}, {"windows-1251", of_windows_1251},
	{"cp1251", of_windows_1251}, {"koi8-r", of_koi8_r}};

static size_t write_utf8(uint32_t code, char out[3])
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	out[0] = (char)(0xe0 | code >> 12);
	out[1] = (char)(0x80 | (code >> 6 & 0x3f));
	out[2] = (char)(0x80 | (code & 0x3f));
	return 3;
}

bool fyke_words_charset(struct fyke_dissection *dissection, struct fyke_text *out, const char *charset,
	size_t charset_length, const void *bytes, size_t length, size_t max)
{
	const uint8_t *in = bytes;
	const struct charset *of = NULL;

	for (size_t i = 0; i < sizeof(charsets) / sizeof(charsets[0]); i++) {
		if (fyke_text_is(charset, charset_length, charsets[i].name))
			of = &charsets[i];
	}
	if (of == NULL)
		return false;
	if (of->code == NULL) {
		fyke_append(dissection, out, bytes, length, max);
		return true;
	}
	for (size_t i = 0; i < length; i++) {
		uint32_t code = of->code(in[i]);
		char utf8[3];
		size_t size = write_utf8(code != 0 ? code : 0xfffd, utf8);

		if (out->length + size > max)
			break;
		fyke_append(dissection, out, utf8, size, max);
	}
	return true;
}

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* =XX or %XX; `blank` stands for a blank. Gives the length, at most that of the text. */
static size_t unescape(const char *text, size_t length, char escape, char blank, uint8_t *out)
{
	size_t written = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == escape && i + 2 < length && hex_of(text[i + 1]) >= 0 &&
			hex_of(text[i + 2]) >= 0) {
			out[written++] = (uint8_t)(hex_of(text[i + 1]) * 16 + hex_of(text[i + 2]));
			i += 2;
		} else {
			out[written++] = (uint8_t)(text[i] == blank ? ' ' : text[i]);
		}
	}
	return written;
}

struct encoded {
	struct fyke_word_of charset, text;
	char encoding;
	size_t length; /* of it all */
};

/* An encoded word at the front of the text. */
static bool read_encoded(const char *text, size_t length, struct encoded *word)
{
	const char *charset_end, *end, *language;
	size_t left;

	if (length < 8 || text[0] != '=' || text[1] != '?')
		return false;
	charset_end = memchr(text + 2, '?', length - 2);
	if (charset_end == NULL || text + length - charset_end < 5 || charset_end[2] != '?')
		return false;
	word->charset = (struct fyke_word_of){text + 2, (size_t)(charset_end - text - 2)};
	language = memchr(word->charset.text, '*', word->charset.length);
	if (language != NULL)
		word->charset.length = (size_t)(language - word->charset.text);
	word->encoding = (char)(charset_end[1] & ~0x20);
	word->text.text = charset_end + 3;
	left = (size_t)(text + length - word->text.text);
	end = memchr(word->text.text, '?', left);
	if (end == NULL || end + 1 >= text + length || end[1] != '=')
		return false;
	word->text.length = (size_t)(end - word->text.text);
	word->length = (size_t)(end + 2 - text);
	return (word->encoding == 'B' || word->encoding == 'Q') && word->text.length <= WORD_MAX;
}

static bool append_encoded(
	struct fyke_dissection *dissection, struct fyke_text *out, const struct encoded *word, size_t max)
{
	uint8_t bytes[WORD_MAX + 3];
	size_t length = 0;

	if (word->encoding == 'Q') {
		length = unescape(word->text.text, word->text.length, '=', '_', bytes);
	} else if (!fyke_base64_decode(word->text.text, word->text.length, bytes, sizeof(bytes), &length)) {
		return false;
	}
	return fyke_words_charset(
		dissection, out, word->charset.text, word->charset.length, bytes, length, max);
}

static size_t blanks(const char *text, size_t length)
{
	size_t i = 0;

	while (i < length && (text[i] == ' ' || text[i] == '\t'))
		i++;
	return i;
}

void fyke_words_decode(struct fyke_dissection *dissection, struct fyke_text *out, const char *text,
	size_t length, size_t max)
{
	size_t plain = 0, i = 0;
	struct encoded word;
	bool after_word = false;

	while (i < length) {
		if (text[i] != '=' || !read_encoded(text + i, length - i, &word)) {
			i++;
			continue;
		}
		if (!after_word || blanks(text + plain, i - plain) != i - plain)
			fyke_append(dissection, out, text + plain, i - plain, max);
		plain = i;
		after_word = append_encoded(dissection, out, &word, max);
		i += word.length;
		if (after_word)
			plain = i;
	}
	fyke_append(dissection, out, text + plain, length - plain, max);
}

/* ---- parameters ---- */

struct parameter {
	struct fyke_word_of name;
	char value[WORD_MAX];
	size_t length;
};

static size_t read_quoted(const char *text, size_t length, struct parameter *parameter)
{
	size_t i = 1;

	for (; i < length && text[i] != '"'; i++) {
		if (text[i] == '\\' && i + 1 < length)
			i++;
		if (parameter->length < WORD_MAX)
			parameter->value[parameter->length++] = text[i];
	}
	return i < length ? i + 1 : length;
}

/* The parameter behind the next ';'. False: no more. */
static bool next_parameter(const char *text, size_t length, size_t *at, struct parameter *parameter)
{
	const char *semicolon = *at < length ? memchr(text + *at, ';', length - *at) : NULL;
	size_t i, start;

	if (semicolon == NULL)
		return false;
	i = (size_t)(semicolon - text) + 1;
	i += blanks(text + i, length - i);
	start = i;
	while (i < length && text[i] != '=' && text[i] != ';' && text[i] != ' ')
		i++;
	parameter->name = (struct fyke_word_of){text + start, i - start};
	parameter->length = 0;
	i += blanks(text + i, length - i);
	if (i < length && text[i] == '=') {
		i++;
		i += blanks(text + i, length - i);
		if (i < length && text[i] == '"')
			i += read_quoted(text + i, length - i, parameter);
		for (; i < length && text[i] != ';' && text[i] != ' ' && text[i] != '\t'; i++) {
			if (parameter->length < WORD_MAX)
				parameter->value[parameter->length++] = text[i];
		}
	}
	*at = i;
	return true;
}

/* charset'language'text with %XX; in later parts only the text. */
static void append_extended(struct fyke_dissection *dissection, struct fyke_text *out,
	const struct parameter *parameter, size_t max)
{
	const char *text = parameter->value, *first = memchr(text, '\'', parameter->length), *second = NULL;
	uint8_t bytes[WORD_MAX];
	size_t length = parameter->length;

	if (first != NULL)
		second = memchr(first + 1, '\'', length - (size_t)(first + 1 - text));
	if (second != NULL) {
		length -= (size_t)(second + 1 - text);
		length = unescape(second + 1, length, '%', '\0', bytes);
		if (fyke_words_charset(dissection, out, text, (size_t)(first - text), bytes, length, max))
			return;
	} else {
		length = unescape(text, length, '%', '\0', bytes);
	}
	fyke_append(dissection, out, bytes, length, max);
}

bool fyke_words_parameter(struct fyke_dissection *dissection, struct fyke_text *out, const char *header,
	size_t length, const char *name, size_t max)
{
	struct parameter parameter;
	size_t name_length = fyke_word_length(name), at = 0;
	bool found = false;

	while (next_parameter(header, length, &at, &parameter)) {
		const char *rest;
		size_t rest_length;

		if (!fyke_text_begins(parameter.name.text, parameter.name.length, name))
			continue;
		rest = parameter.name.text + name_length;
		rest_length = parameter.name.length - name_length;
		if (rest_length > 0 && rest[0] != '*')
			continue;
		if (rest_length > 0 && rest[rest_length - 1] == '*')
			append_extended(dissection, out, &parameter, max);
		else if (rest_length > 0)
			fyke_append(dissection, out, parameter.value, parameter.length, max);
		else if (!found)
			fyke_words_decode(dissection, out, parameter.value, parameter.length, max);
		found = true;
	}
	return found;
}
