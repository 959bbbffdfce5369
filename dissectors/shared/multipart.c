/*
 * A boundary stands at the beginning of a line, and the end of the line before belongs to it. So the
 * end of a line waits until it is known what begins the next one.
 */
#include "dissectors/shared/multipart.h"

#include <string.h>

struct fyke_multipart {
	const struct fyke_multipart_sink *sink;
	void *context;
	enum { PREAMBLE, BOUNDARY_END, HEADERS, BODY, EPILOGUE } phase;
	bool within_line;    /* of a body or preamble: no boundary can begin here */
	bool in_part;	     /* the sink was told of one */
	uint8_t line_end[2]; /* that waits */
	uint8_t line_end_length;
	uint16_t matched; /* bytes of the delimiter */
	uint16_t delimiter_length;
	uint16_t line_length;
	char delimiter[FYKE_MULTIPART_BOUNDARY_MAX + 2];
	char line[FYKE_MULTIPART_HEADER_MAX]; /* of the headers, or what follows a boundary */
	char header[FYKE_MULTIPART_HEADERS][FYKE_MULTIPART_HEADER_MAX];
	uint16_t header_length[FYKE_MULTIPART_HEADERS]; /* 0 = not there */
};

static const char *const names[FYKE_MULTIPART_HEADERS] = {
	"content-disposition", "content-type", "content-range"};

struct fyke_multipart *fyke_multipart_new(struct fyke_dissection *dissection, struct fyke_http_slice boundary,
	const struct fyke_multipart_sink *sink, void *context)
{
	struct fyke_multipart *multipart;

	if (boundary.length == 0 || boundary.length > FYKE_MULTIPART_BOUNDARY_MAX)
		return NULL;
	multipart = fyke_take(dissection, sizeof(*multipart));
	if (multipart == NULL)
		return NULL;
	multipart->sink = sink;
	multipart->context = context;
	memcpy(multipart->delimiter, "--", 2);
	memcpy(multipart->delimiter + 2, boundary.bytes, boundary.length);
	multipart->delimiter_length = (uint16_t)(boundary.length + 2);
	return multipart;
}

static void end_part(struct fyke_multipart *multipart, bool complete)
{
	if (multipart->in_part)
		multipart->sink->end(multipart->context, complete);
	multipart->in_part = false;
}

static void give(struct fyke_multipart *multipart, const void *bytes, size_t length)
{
	if (multipart->in_part && length > 0)
		multipart->sink->data(multipart->context, bytes, length);
}

static struct fyke_http_slice header_of(const struct fyke_multipart *multipart, int i)
{
	return (struct fyke_http_slice){
		multipart->header_length[i] > 0 ? multipart->header[i] : NULL, multipart->header_length[i]};
}

static void begin_part(struct fyke_multipart *multipart)
{
	const struct fyke_multipart_part part = {
		header_of(multipart, 0), header_of(multipart, 1), header_of(multipart, 2)};

	multipart->phase = BODY;
	multipart->in_part = true;
	multipart->within_line = false; /* an empty part is followed by its boundary at once */
	multipart->matched = 0;
	multipart->line_end_length = 0;
	multipart->sink->begin(multipart->context, &part);
}

static void take_header(struct fyke_multipart *multipart)
{
	struct fyke_http_slice value = {multipart->line, multipart->line_length};
	struct fyke_http_slice name = fyke_http_part(&value, ':');

	value = fyke_http_trimmed(value);
	for (int i = 0; i < FYKE_MULTIPART_HEADERS; i++) {
		if (!fyke_http_is(name, names[i]))
			continue;
		memcpy(multipart->header[i], value.bytes, value.length);
		multipart->header_length[i] = (uint16_t)value.length;
	}
}

/* A line behind a boundary, or of a part's headers, has ended. */
static void end_line(struct fyke_multipart *multipart)
{
	if (multipart->line_length > 0 && multipart->line[multipart->line_length - 1] == '\r')
		multipart->line_length--;
	if (multipart->phase == BOUNDARY_END) {
		bool last = multipart->line_length >= 2 && memcmp(multipart->line, "--", 2) == 0;

		multipart->phase = last ? EPILOGUE : HEADERS;
		memset(multipart->header_length, 0, sizeof(multipart->header_length));
	} else if (multipart->line_length == 0) {
		begin_part(multipart);
	} else {
		take_header(multipart);
	}
	multipart->line_length = 0;
}

static size_t take_line(struct fyke_multipart *multipart, const uint8_t *bytes, size_t length)
{
	const uint8_t *end = memchr(bytes, '\n', length);
	size_t taken = end != NULL ? (size_t)(end - bytes) : length;
	size_t room = sizeof(multipart->line) - multipart->line_length;
	size_t kept = taken < room ? taken : room;

	if (kept > 0)
		memcpy(multipart->line + multipart->line_length, bytes, kept);
	multipart->line_length = (uint16_t)(multipart->line_length + kept);
	if (end == NULL)
		return taken;
	end_line(multipart);
	return taken + 1;
}

/* What waited is part of the body. */
static void release_line_end(struct fyke_multipart *multipart)
{
	give(multipart, multipart->line_end, multipart->line_end_length);
	multipart->line_end_length = 0;
}

/* At the beginning of a line: is it a boundary? */
static size_t match(struct fyke_multipart *multipart, const uint8_t *bytes, size_t length)
{
	size_t at = 0;

	while (at < length && multipart->matched < multipart->delimiter_length &&
		bytes[at] == (uint8_t)multipart->delimiter[multipart->matched]) {
		at++;
		multipart->matched++;
	}
	if (multipart->matched == multipart->delimiter_length) {
		multipart->line_end_length = 0;
		end_part(multipart, true);
		multipart->phase = BOUNDARY_END;
		multipart->line_length = 0;
		multipart->matched = 0;
	} else if (at < length) {
		release_line_end(multipart);
		give(multipart, multipart->delimiter, multipart->matched);
		multipart->matched = 0;
		multipart->within_line = true;
	}
	return at;
}

/* A carriage return at the end of what came waits, too: a line feed may follow. */
static size_t take_text(struct fyke_multipart *multipart, const uint8_t *bytes, size_t length)
{
	const uint8_t *end = memchr(bytes, '\n', length);
	size_t text = end != NULL ? (size_t)(end - bytes) : length;
	bool returned = text > 0 && bytes[text - 1] == '\r';

	if (text > 0 && multipart->line_end_length > 0)
		release_line_end(multipart);
	give(multipart, bytes, text - returned);
	if (returned)
		multipart->line_end[multipart->line_end_length++] = '\r';
	if (end == NULL)
		return length;
	multipart->line_end[multipart->line_end_length++] = '\n';
	multipart->within_line = false;
	return text + 1;
}

void fyke_multipart_take(struct fyke_multipart *multipart, const uint8_t *bytes, size_t length)
{
	while (length > 0 && multipart->phase != EPILOGUE) {
		size_t taken;

		if (multipart->phase == BOUNDARY_END || multipart->phase == HEADERS)
			taken = take_line(multipart, bytes, length);
		else if (multipart->within_line)
			taken = take_text(multipart, bytes, length);
		else
			taken = match(multipart, bytes, length);
		bytes += taken;
		length -= taken;
	}
}

void fyke_multipart_end(struct fyke_dissection *dissection, struct fyke_multipart *multipart)
{
	if (multipart == NULL)
		return;
	if (multipart->phase == BODY)
		release_line_end(multipart);
	end_part(multipart, false);
	fyke_give(dissection, multipart);
}
