/*
 * Messages (RFC 5322 §2): the lines of the header unfolded, those of the body handed to the parts (mime.c).
 * Lines longer than FYKE_MAIL_LINE are taken in pieces, headers longer than FYKE_MAIL_HEADER are cut.
 */
#include "dissectors/shared/mail.h"

#include "dissectors/shared/line.h"
#include "dissectors/shared/mail_parts.h"
#include "dissectors/shared/words.h"

#include <string.h>

enum { PIECE = 1000 };

enum { MAIL_PROTOCOL, MAIL_COMPLETE, MAIL_FIRST, MAIL_COUNT = MAIL_FIRST + FYKE_MAIL_FIELDS };

static const struct fyke_field fields[MAIL_COUNT] = {
	[MAIL_PROTOCOL] = {"protocol", FYKE_TYPE_TEXT, "that it was fetched by"},
	[MAIL_COMPLETE] = {"complete", FYKE_TYPE_BOOLEAN, "seen to its end"},
	FYKE_MAIL_FIELD_LIST(MAIL_FIRST),
};

const struct fyke_table fyke_table_mail = {
	"mail", "one row per message that was fetched or read (those sent are in smtp)", fields, MAIL_COUNT};

struct fyke_mail *fyke_mail_begin(
	struct fyke_dissection *dissection, enum fyke_side sender, const char *protocol)
{
	struct fyke_mail *mail = fyke_take(dissection, sizeof(*mail));

	if (mail == NULL)
		return NULL;
	mail->sender = sender;
	mail->protocol = protocol;
	mail->in_header = mail->in_message_header = true;
	return mail;
}

static void keep_decoded(
	struct fyke_dissection *dissection, struct fyke_text *text, const char *value, size_t length)
{
	fyke_drop(dissection, text);
	fyke_words_decode(dissection, text, value, length, FYKE_MAIL_HEADER);
}

static void keep_received(
	struct fyke_dissection *dissection, struct fyke_mail *mail, const char *value, size_t length)
{
	struct fyke_text *first = &mail->fields[FYKE_MAIL_FIRST_RECEIVED];

	if (!fyke_text_is_set(first))
		fyke_keep(dissection, first, value, length, FYKE_MAIL_HEADER);
	fyke_keep(dissection, &mail->fields[FYKE_MAIL_LAST_RECEIVED], value, length, FYKE_MAIL_HEADER);
}

static void take_message_header(struct fyke_dissection *dissection, struct fyke_mail *mail,
	struct fyke_word_of name, const char *value, size_t length)
{
	static const struct {
		const char *name;
		enum fyke_mail_field field;
	} known[] = {{"Date", FYKE_MAIL_DATE}, {"From", FYKE_MAIL_FROM}, {"To", FYKE_MAIL_TO},
		{"Cc", FYKE_MAIL_CC}, {"Reply-To", FYKE_MAIL_REPLY_TO}, {"Message-ID", FYKE_MAIL_MESSAGE_ID},
		{"In-Reply-To", FYKE_MAIL_IN_REPLY_TO}, {"Subject", FYKE_MAIL_SUBJECT},
		{"User-Agent", FYKE_MAIL_USER_AGENT}, {"X-Mailer", FYKE_MAIL_USER_AGENT}};

	if (fyke_text_is(name.text, name.length, "Received"))
		keep_received(dissection, mail, value, length);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct fyke_text *field = &mail->fields[known[i].field];

		if (fyke_text_is(name.text, name.length, known[i].name) && !fyke_text_is_set(field))
			keep_decoded(dissection, field, value, length);
	}
}

static void take_header(struct fyke_dissection *dissection, struct fyke_mail *mail)
{
	const char *text = mail->header.bytes;
	size_t length = mail->header.length;
	const char *colon = length > 0 ? memchr(text, ':', length) : NULL;
	struct fyke_word_of name = {text, 0};
	size_t at;

	if (colon == NULL || colon == text)
		return;
	name.length = (size_t)(colon - text);
	while (name.length > 0 && (text[name.length - 1] == ' ' || text[name.length - 1] == '\t'))
		name.length--;
	at = (size_t)(colon - text) + 1;
	while (at < length && (text[at] == ' ' || text[at] == '\t'))
		at++;
	mail->any_header |= mail->in_message_header;
	if (mail->in_message_header)
		take_message_header(dissection, mail, name, text + at, length - at);
	fyke_mime_header(dissection, mail, name, text + at, length - at);
}

static void end_headers(struct fyke_dissection *dissection, struct fyke_mail *mail)
{
	take_header(dissection, mail);
	fyke_drop(dissection, &mail->header);
	mail->in_header = mail->in_message_header = false;
	fyke_mime_part(dissection, mail);
}

static void take_header_line(struct fyke_dissection *dissection, struct fyke_mail *mail, const char *line,
	size_t length, bool fresh)
{
	size_t blanks = 0;

	while (blanks < length && (line[blanks] == ' ' || line[blanks] == '\t'))
		blanks++;
	if (fresh && length == 0) {
		end_headers(dissection, mail);
		return;
	}
	if (fresh && blanks == 0) {
		take_header(dissection, mail);
		fyke_drop(dissection, &mail->header);
	} else if (fresh) {
		fyke_append(dissection, &mail->header, " ", 1, FYKE_MAIL_HEADER);
		line += blanks;
		length -= blanks;
	}
	fyke_append(dissection, &mail->header, line, length, FYKE_MAIL_HEADER);
}

/* The line in work, or what of it fits; `end`: bytes of its end. */
static void take_line(struct fyke_dissection *dissection, struct fyke_mail *mail, uint8_t end)
{
	size_t length = mail->line_length;

	if (end > 0 && length > 0 && mail->line[length - 1] == '\r') {
		length--;
		end = 2;
	}
	if (mail->in_header && mail->depth > 0 && length > 1 && mail->line[0] == '-' &&
		mail->line[1] == '-' && !mail->line_continues)
		end_headers(dissection, mail); /* a part without a body */
	if (mail->in_header)
		take_header_line(dissection, mail, mail->line, length, !mail->line_continues);
	else
		fyke_mime_line(dissection, mail, mail->line, length, end);
	mail->line_continues = end == 0;
	mail->line_length = 0;
}

void fyke_mail_bytes(
	struct fyke_dissection *dissection, struct fyke_mail *mail, const void *bytes, size_t length)
{
	const char *text = bytes;

	if (mail == NULL)
		return;
	mail->bytes += (int64_t)length;
	while (length > 0) {
		size_t fits = sizeof(mail->line) - mail->line_length;
		const char *end = memchr(text, '\n', length);
		size_t taken = end != NULL ? (size_t)(end - text) : length;
		bool whole = end != NULL && taken <= fits;

		if (taken > fits)
			taken = fits;
		memcpy(mail->line + mail->line_length, text, taken);
		mail->line_length = (uint16_t)(mail->line_length + taken);
		if (whole)
			take_line(dissection, mail, 1);
		else if (mail->line_length == sizeof(mail->line))
			take_line(dissection, mail, 0);
		taken += whole;
		text += taken;
		length -= taken;
	}
}

void fyke_mail_missing(struct fyke_dissection *dissection, struct fyke_mail *mail, uint64_t length)
{
	if (mail == NULL || length == 0)
		return;
	if (mail->line_length > 0)
		take_line(dissection, mail, 0);
	fyke_file_missing(dissection, mail->file, length);
}

void fyke_mail_finish(struct fyke_dissection *dissection, struct fyke_mail *mail, bool complete)
{
	if (mail == NULL)
		return;
	if (mail->line_length > 0)
		take_line(dissection, mail, 0);
	if (mail->in_header)
		take_header(dissection, mail);
	mail->in_header = mail->in_message_header = false;
	fyke_drop(dissection, &mail->header);
	fyke_mime_end_part(dissection, mail, complete && mail->depth == 0);
}

void fyke_mail_values(const struct fyke_mail *mail, struct fyke_value *values)
{
	for (size_t i = 0; i < FYKE_MAIL_FIELDS; i++)
		values[i] = fyke_null();
	if (mail == NULL)
		return;
	for (size_t i = 0; i < FYKE_MAIL_ATTACHMENTS; i++)
		values[i] = fyke_text_of(&mail->fields[i]);
	values[FYKE_MAIL_ATTACHMENTS] = fyke_integer(mail->attachments);
	values[FYKE_MAIL_BYTES] = fyke_integer(mail->bytes);
}

bool fyke_mail_has_header(const struct fyke_mail *mail)
{
	return mail != NULL && mail->any_header;
}

void fyke_mail_free(struct fyke_dissection *dissection, struct fyke_mail *mail)
{
	if (mail == NULL)
		return;
	fyke_mime_end_part(dissection, mail, false);
	for (size_t i = 0; i < FYKE_MAIL_ATTACHMENTS; i++)
		fyke_drop(dissection, &mail->fields[i]);
	fyke_drop(dissection, &mail->header);
	fyke_give(dissection, mail);
}

void fyke_mail_tell(struct fyke_dissection *dissection, struct fyke_mail *mail, bool complete)
{
	struct fyke_value values[MAIL_COUNT];

	fyke_mail_finish(dissection, mail, complete);
	if (fyke_mail_has_header(mail)) {
		values[MAIL_PROTOCOL] = fyke_word(mail->protocol);
		values[MAIL_COMPLETE] = fyke_integer(complete);
		fyke_mail_values(mail, values + MAIL_FIRST);
		fyke_record(dissection, &fyke_table_mail, values);
	}
	fyke_mail_free(dissection, mail);
}

enum fyke_dotted_kind fyke_dotted_next(
	struct fyke_dotted *dotted, const struct fyke_input *input, struct fyke_dotted_piece *piece)
{
	size_t looked = input->length < PIECE ? input->length : PIECE;
	const uint8_t *end = looked > 0 ? memchr(input->data, '\n', looked) : NULL;
	bool fresh = !dotted->within;

	if (looked == 0 || (end == NULL && looked < PIECE && !input->end))
		return FYKE_DOTTED_WAIT;
	dotted->within = end == NULL;
	piece->bytes = input->data;
	piece->length = end != NULL ? (size_t)(end - input->data) + 1 : looked;
	piece->consumed = piece->length;
	if (!fresh || piece->bytes[0] != '.')
		return FYKE_DOTTED_TEXT;
	piece->bytes++;
	piece->length--;
	if (piece->length == 0 || piece->bytes[0] == '\n' ||
		(piece->length == 2 && piece->bytes[0] == '\r' && piece->bytes[1] == '\n'))
		return FYKE_DOTTED_END;
	return FYKE_DOTTED_TEXT;
}
