/*
 * Parts of a message (RFC 2045, 2046, 2183): boundaries nested FYKE_MAIL_DEPTH deep, base64 and
 * quoted-printable. A part is a file when it has a name, is called an attachment, or is no text; parts that
 * are messages of their own and nameless are read like the message around them.
 */
#include "dissectors/shared/line.h"
#include "dissectors/shared/mail_parts.h"
#include "dissectors/shared/words.h"

#include <string.h>

enum { TYPE_MAX = 128, NAME_MAX_BYTES = 512 };

static void read_type(
	struct fyke_dissection *dissection, struct fyke_mail_part *part, const char *value, size_t length)
{
	size_t end = 0;

	while (end < length && value[end] != ';' && value[end] != ' ')
		end++;
	fyke_keep(dissection, &part->type, value, end, TYPE_MAX);
	for (uint32_t i = 0; i < part->type.length; i++) {
		char c = part->type.bytes[i];

		part->type.bytes[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
	fyke_drop(dissection, &part->boundary);
	fyke_words_parameter(dissection, &part->boundary, value, length, "boundary", FYKE_MAIL_BOUNDARY);
	if (!fyke_text_is_set(&part->name))
		fyke_words_parameter(dissection, &part->name, value, length, "name", NAME_MAX_BYTES);
}

static void read_disposition(
	struct fyke_dissection *dissection, struct fyke_mail_part *part, const char *value, size_t length)
{
	struct fyke_text name = {0};

	part->attachment = fyke_text_begins(value, length, "attachment");
	if (fyke_words_parameter(dissection, &name, value, length, "filename", NAME_MAX_BYTES)) {
		fyke_drop(dissection, &part->name);
		part->name = name;
	}
}

void fyke_mime_header(struct fyke_dissection *dissection, struct fyke_mail *mail, struct fyke_word_of name,
	const char *value, size_t length)
{
	struct fyke_mail_part *part = &mail->part;

	if (fyke_text_is(name.text, name.length, "Content-Type"))
		read_type(dissection, part, value, length);
	else if (fyke_text_is(name.text, name.length, "Content-Disposition"))
		read_disposition(dissection, part, value, length);
	else if (fyke_text_is(name.text, name.length, "Content-Transfer-Encoding"))
		part->encoding = fyke_text_begins(value, length, "base64")	       ? FYKE_MAIL_BASE64
				 : fyke_text_begins(value, length, "quoted-printable") ? FYKE_MAIL_QUOTED
										       : FYKE_MAIL_IDENTITY;
}

static bool type_begins(const struct fyke_mail_part *part, const char *word)
{
	return fyke_text_begins(part->type.bytes, part->type.length, word);
}

static bool push_boundary(struct fyke_mail *mail)
{
	const struct fyke_text *boundary = &mail->part.boundary;

	if (boundary->length == 0 || mail->depth == FYKE_MAIL_DEPTH)
		return false;
	memcpy(mail->boundary[mail->depth], boundary->bytes, boundary->length);
	mail->boundary_length[mail->depth++] = (uint8_t)boundary->length;
	return true;
}

/* The text of a mail is no attachment. */
static void begin_file(struct fyke_dissection *dissection, struct fyke_mail *mail, bool is_text)
{
	const struct fyke_file_about about = {.sender = mail->sender,
		.name = fyke_text_of(&mail->part.name),
		.type = fyke_text_of(&mail->part.type),
		.size = -1,
		.is_no_file = is_text};

	mail->attachments += !is_text;
	mail->file = fyke_file_begin(dissection, &about);
}

void fyke_mime_part(struct fyke_dissection *dissection, struct fyke_mail *mail)
{
	const struct fyke_mail_part *part = &mail->part;
	bool typed = fyke_text_is_set(&part->type), named = fyke_text_is_set(&part->name);

	mail->line_end = 0;
	mail->base64 = (struct fyke_base64){0};
	if (typed && type_begins(part, "multipart/") && push_boundary(mail))
		return;
	if (typed && type_begins(part, "message/rfc822") && !named && part->encoding == FYKE_MAIL_IDENTITY) {
		fyke_mime_end_part(dissection, mail, true);
		mail->in_header = true;
		return;
	}
	begin_file(dissection, mail,
		!named && !part->attachment &&
			(!typed || type_begins(part, "text/") || type_begins(part, "multipart/") ||
				type_begins(part, "message/")));
}

void fyke_mime_end_part(struct fyke_dissection *dissection, struct fyke_mail *mail, bool complete)
{
	struct fyke_mail_part *part = &mail->part;

	if (mail->file != NULL && complete && mail->depth == 0 && mail->line_end > 0 &&
		part->encoding != FYKE_MAIL_BASE64)
		fyke_file_data(dissection, mail->file, "\r\n", 2);
	fyke_file_end(dissection, mail->file, complete);
	mail->file = NULL;
	mail->line_end = 0;
	fyke_drop(dissection, &part->type);
	fyke_drop(dissection, &part->name);
	fyke_drop(dissection, &part->boundary);
	*part = (struct fyke_mail_part){0};
}

/* Whether the line is a boundary, of which level, and whether it closes it. */
static bool is_boundary(
	const struct fyke_mail *mail, const char *line, size_t length, uint8_t *level, bool *closes)
{
	while (length > 2 && (line[length - 1] == ' ' || line[length - 1] == '\t'))
		length--;
	for (uint8_t i = mail->depth; i-- > 0;) {
		size_t size = mail->boundary_length[i];

		if (length < size + 2 || memcmp(line + 2, mail->boundary[i], size) != 0)
			continue;
		*level = i;
		*closes = length == size + 4 && line[size + 2] == '-' && line[size + 3] == '-';
		if (*closes || length == size + 2)
			return true;
	}
	return false;
}

static void write_quoted(
	struct fyke_dissection *dissection, struct fyke_mail *mail, const char *line, size_t length)
{
	uint8_t out[FYKE_MAIL_LINE];
	size_t written = 0;

	for (size_t i = 0; i < length; i++) {
		struct fyke_cursor hex = fyke_cursor((const uint8_t *)line + i + 1, length - i - 1);
		int value = 0;
		bool escaped = line[i] == '=' && length - i > 2;

		for (int digit = 0; digit < 2 && escaped; digit++) {
			uint8_t c = fyke_cursor_u8(&hex);

			escaped = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
			value = value * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
		}
		out[written++] = escaped ? (uint8_t)value : (uint8_t)line[i];
		i += escaped ? 2 : 0;
	}
	fyke_file_data(dissection, mail->file, out, written);
}

static void write_line(struct fyke_dissection *dissection, struct fyke_mail *mail, const char *line,
	size_t length, uint8_t end)
{
	uint8_t out[FYKE_MAIL_LINE];
	bool soft = false;

	if (mail->part.encoding == FYKE_MAIL_BASE64) {
		fyke_file_data(
			dissection, mail->file, out, fyke_base64_more(&mail->base64, line, length, out));
		return;
	}
	if (mail->line_end > 0)
		fyke_file_data(dissection, mail->file, mail->line_end == 2 ? "\r\n" : "\n", mail->line_end);
	if (mail->part.encoding == FYKE_MAIL_IDENTITY) {
		fyke_file_data(dissection, mail->file, line, length);
	} else {
		while (end > 0 && length > 0 && (line[length - 1] == ' ' || line[length - 1] == '\t'))
			length--;
		soft = end > 0 && length > 0 && line[length - 1] == '=';
		write_quoted(dissection, mail, line, length - soft);
	}
	mail->line_end = soft ? 0 : end;
}

void fyke_mime_line(struct fyke_dissection *dissection, struct fyke_mail *mail, const char *line,
	size_t length, uint8_t end)
{
	uint8_t level;
	bool closes;

	if (!mail->line_continues && length > 2 && line[0] == '-' && line[1] == '-' &&
		is_boundary(mail, line, length, &level, &closes)) {
		fyke_mime_end_part(dissection, mail, true);
		mail->depth = (uint8_t)(closes ? level : level + 1);
		mail->in_header = !closes;
		return;
	}
	if (mail->file != NULL)
		write_line(dissection, mail, line, length, end);
}
