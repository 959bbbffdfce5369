/* Lines may end with LF alone. A folded header's value is given up to the end of its first line. */
#include "dissectors/shared/message.h"

#include <string.h>

/* The line at `at`, which moves behind it. False: no line's end is there. */
static bool next_line(const char *text, size_t length, size_t *at, struct fyke_word_of *line)
{
	const char *end = *at < length ? memchr(text + *at, '\n', length - *at) : NULL;

	if (end == NULL)
		return false;
	*line = (struct fyke_word_of){text + *at, (size_t)(end - text) - *at};
	*at = (size_t)(end - text) + 1;
	if (line->length > 0 && line->text[line->length - 1] == '\r')
		line->length--;
	return true;
}

static void read_length(struct fyke_message *message)
{
	struct fyke_word_of value;
	size_t digits;
	int64_t number;

	if (!fyke_message_header(message, "Content-Length", "l", &value))
		return;
	number = fyke_text_number(value.text, value.length, &digits);
	message->has_length = number >= 0;
	message->body = number >= 0 ? (uint64_t)number : 0;
}

bool fyke_message_read(const uint8_t *data, size_t length, bool whole, struct fyke_message *message)
{
	const char *text = (const char *)data;
	struct fyke_word_of line;
	size_t at = 0, from;

	*message = (struct fyke_message){0};
	if (!next_line(text, length, &at, &message->start)) {
		if (!whole || length == 0)
			return false;
		message->start = (struct fyke_word_of){text, length};
		at = length;
	}
	from = at;
	for (;;) {
		size_t begin = at;

		if (!next_line(text, length, &at, &line)) {
			if (!whole)
				return false;
			message->headers = (struct fyke_word_of){text + from, length - from};
			at = length;
			break;
		}
		if (line.length == 0) {
			message->headers = (struct fyke_word_of){text + from, begin - from};
			break;
		}
	}
	message->head = at;
	read_length(message);
	return true;
}

static struct fyke_word_of trimmed(const char *text, size_t length)
{
	while (length > 0 && (*text == ' ' || *text == '\t')) {
		text++;
		length--;
	}
	while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
		length--;
	return (struct fyke_word_of){text, length};
}

bool fyke_message_header(
	const struct fyke_message *message, const char *name, const char *compact, struct fyke_word_of *value)
{
	size_t at = 0;
	struct fyke_word_of line;

	while (at < message->headers.length) {
		const char *colon;
		struct fyke_word_of own;

		if (!next_line(message->headers.text, message->headers.length, &at, &line)) {
			line = (struct fyke_word_of){
				message->headers.text + at, message->headers.length - at};
			at = message->headers.length;
		}
		colon = line.length > 0 ? memchr(line.text, ':', line.length) : NULL;
		if (colon == NULL)
			continue;
		own = trimmed(line.text, (size_t)(colon - line.text));
		if (!fyke_text_is(own.text, own.length, name) &&
			(compact == NULL || !fyke_text_is(own.text, own.length, compact)))
			continue;
		*value = trimmed(colon + 1, (size_t)(line.text + line.length - colon - 1));
		return true;
	}
	return false;
}

struct fyke_value fyke_message_value(
	const struct fyke_message *message, const char *name, const char *compact)
{
	struct fyke_word_of value;

	if (!fyke_message_header(message, name, compact, &value))
		return fyke_null();
	if (value.length > FYKE_MESSAGE_VALUE)
		value.length = FYKE_MESSAGE_VALUE;
	return fyke_bytes(value.text, value.length);
}

static bool parts(char c)
{
	return c == ' ' || c == ',' || c == ';' || c == '\t';
}

bool fyke_message_parameter(struct fyke_word_of header, const char *name, struct fyke_word_of *value)
{
	size_t size = fyke_word_length(name);

	for (size_t i = 0; i + size < header.length; i++) {
		const char *from = header.text + i + size + 1, *end = header.text + header.length, *stop;

		if ((i > 0 && !parts(header.text[i - 1])) || header.text[i + size] != '=' ||
			!fyke_text_begins(header.text + i, header.length - i, name))
			continue;
		if (from < end && *from == '"') {
			from++;
			stop = memchr(from, '"', (size_t)(end - from));
			stop = stop != NULL ? stop : end;
		} else {
			for (stop = from; stop < end && !parts(*stop);)
				stop++;
		}
		*value = (struct fyke_word_of){from, (size_t)(stop - from)};
		return true;
	}
	return false;
}
