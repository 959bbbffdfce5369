/*
 * From bodies to files. A file is begun with the first byte, so that an empty body is none.
 *
 * Limits: other encodings than gzip and deflate (br, zstd, several at once) are left packed; of nested
 * multipart bodies the outer parts are files.
 */
#include "dissectors/shared/http_body.h"

#include <string.h>

enum { NAME_ROOM = 512 };

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t percent_decode(struct fyke_http_slice from, char *out, size_t room)
{
	size_t length = 0;

	for (size_t i = 0; i < from.length && length < room; i++) {
		int high = -1, low = -1;

		if (from.bytes[i] == '%' && i + 2 < from.length) {
			high = hex_of(from.bytes[i + 1]);
			low = hex_of(from.bytes[i + 2]);
		}
		if (high >= 0 && low >= 0)
			i += 2;
		out[length++] = high >= 0 && low >= 0 ? (char)(high * 16 + low) : from.bytes[i];
	}
	return length;
}

size_t fyke_http_filename(struct fyke_http_slice disposition, char *out, size_t room)
{
	struct fyke_http_slice name = fyke_http_parameter(disposition, ';', "filename*");

	if (name.length > 0) { /* charset'language'text */
		(void)fyke_http_part(&name, '\'');
		(void)fyke_http_part(&name, '\'');
		return percent_decode(name, out, room);
	}
	name = fyke_http_parameter(disposition, ';', "filename");
	if (name.length > room)
		name.length = room;
	if (name.length > 0)
		memcpy(out, name.bytes, name.length);
	return name.length;
}

/* "bytes 0-499/1234" (RFC 9110 §14.4). False: it is not understood. */
static bool read_range(struct fyke_http_slice range, int64_t *from, int64_t *to, int64_t *whole)
{
	struct fyke_http_slice first, last;

	if (!fyke_http_begins(range, "bytes"))
		return false;
	range.bytes += 5;
	range.length -= 5;
	while (range.length > 0 && (*range.bytes == ' ' || *range.bytes == '=' || *range.bytes == ':')) {
		range.bytes++;
		range.length--;
	}
	first = fyke_http_part(&range, '-');
	last = fyke_http_part(&range, '/');
	*from = fyke_http_number(first);
	*to = fyke_http_number(last);
	*whole = fyke_http_number(fyke_http_trimmed(range));
	return *from >= 0 && *to >= *from;
}

static void open_file(struct fyke_http_body *body, const struct fyke_http_body_about *about)
{
	char text[NAME_ROOM];
	struct fyke_file_about file = {.sender = body->sender, .size = about->length};
	size_t length = fyke_http_filename(about->disposition, text, sizeof(text));
	int64_t from = 0, to = 0, whole = -1;

	if (length == 0)
		length = percent_decode(fyke_http_last_part(about->target), text, sizeof(text));
	body->partial = read_range(about->range, &from, &to, &whole);
	if (body->partial) {
		file.is_range = true;
		file.offset = from;
		file.size = whole;
		body->partial = from > 0 || to + 1 != whole;
	}
	if (length > 0)
		file.name = fyke_bytes(text, length);
	file.type = fyke_bytes(about->type.bytes, about->type.length);
	body->file = fyke_file_begin(body->dissection, &file);
}

/* What is no file is searched all the same. */
static void open_text(struct fyke_http_body *body)
{
	const struct fyke_file_about text = {.sender = body->sender, .size = -1, .is_no_file = true};

	body->file = fyke_file_begin(body->dissection, &text);
}

/* ---- parts of a multipart body ---- */

static void begin_part(void *context, const struct fyke_multipart_part *part)
{
	struct fyke_http_body *body = context;
	char text[NAME_ROOM];
	struct fyke_http_body_about about = {
		.type = part->type, .disposition = part->disposition, .range = part->range, .length = -1};

	if (part->range.bytes != NULL)
		about.target = body->target;
	/* a field of a form is no file */
	if (fyke_http_begins(part->disposition, "form-data") &&
		fyke_http_filename(part->disposition, text, sizeof(text)) == 0) {
		open_text(body);
		return;
	}
	open_file(body, &about);
}

static void part_data(void *context, const uint8_t *bytes, size_t length)
{
	struct fyke_http_body *body = context;

	fyke_file_data(body->dissection, body->file, bytes, length);
}

static void end_part(void *context, bool complete)
{
	struct fyke_http_body *body = context;

	fyke_file_end(body->dissection, body->file, complete && !body->partial);
	body->file = NULL;
}

static const struct fyke_multipart_sink part_sink = {begin_part, part_data, end_part};

/* ---- the whole ---- */

static bool is_packed(struct fyke_http_slice encoding)
{
	return fyke_http_is(encoding, "gzip") || fyke_http_is(encoding, "x-gzip") ||
	       fyke_http_is(encoding, "deflate");
}

void fyke_http_body_begin(struct fyke_dissection *dissection, struct fyke_http_body *body,
	const struct fyke_http_body_about *about, struct fyke_inflate_budget *budget)
{
	struct fyke_http_body_about plain = *about;

	*body = (struct fyke_http_body){
		.dissection = dissection, .sender = about->sender, .target = about->target, .open = true};
	if (is_packed(about->encoding)) {
		body->inflate = fyke_inflate_new(dissection, budget);
		body->packed = true;
		plain.length = -1;
	}
	if (about->not_a_file) {
		open_text(body);
		return;
	}
	if (fyke_http_begins(about->type, "multipart/") && body->packed == (body->inflate != NULL))
		body->multipart = fyke_multipart_new(
			dissection, fyke_http_parameter(about->type, ';', "boundary"), &part_sink, body);
	if (body->multipart == NULL)
		open_file(body, &plain);
}

static void take_plain(void *context, const uint8_t *bytes, size_t length)
{
	struct fyke_http_body *body = context;

	body->bytes += length;
	if (body->multipart != NULL)
		fyke_multipart_take(body->multipart, bytes, length);
	else
		fyke_file_data(body->dissection, body->file, bytes, length);
}

static void release(struct fyke_http_body *body, bool complete)
{
	fyke_inflate_free(body->inflate);
	body->inflate = NULL;
	fyke_multipart_end(body->dissection, body->multipart);
	body->multipart = NULL;
	fyke_file_end(body->dissection, body->file, complete && !body->partial);
	body->file = NULL;
}

void fyke_http_body_data(struct fyke_http_body *body, const uint8_t *bytes, size_t length)
{
	body->encoded += length;
	if (body->broken || length == 0)
		return;
	if (body->inflate == NULL) {
		take_plain(body, bytes, length);
	} else if (!fyke_inflate_take(body->inflate, bytes, length, take_plain, body)) {
		body->broken = true;
		release(body, false);
	}
}

void fyke_http_body_missing(struct fyke_http_body *body, uint64_t length)
{
	body->missing |= length > 0;
	if (body->broken || !body->open)
		return;
	if (body->inflate == NULL && body->multipart == NULL) {
		fyke_file_missing(body->dissection, body->file, length);
		return;
	}
	body->broken = true;
	if (body->multipart == NULL)
		fyke_file_missing(body->dissection, body->file, length);
	release(body, false);
}

void fyke_http_body_end(struct fyke_http_body *body, bool complete)
{
	if (!body->open)
		return;
	body->open = false;
	if (!body->broken)
		release(body, complete && (body->inflate == NULL || fyke_inflate_is_whole(body->inflate)));
}
