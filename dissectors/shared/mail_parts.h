/* A message in work, shared by mail.c and mime.c. Private to them. */
#ifndef FYKE_DISSECTORS_SHARED_MAIL_PARTS_H
#define FYKE_DISSECTORS_SHARED_MAIL_PARTS_H

#include "dissectors/shared/base64.h"
#include "dissectors/shared/mail.h"

enum {
	FYKE_MAIL_LINE = 1024,
	FYKE_MAIL_HEADER = 2048,
	FYKE_MAIL_DEPTH = 6,
	FYKE_MAIL_BOUNDARY = 72,
};

enum fyke_mail_encoding { FYKE_MAIL_IDENTITY, FYKE_MAIL_BASE64, FYKE_MAIL_QUOTED };

/* What the headers of the part in work say. */
struct fyke_mail_part {
	struct fyke_text type, name, boundary;
	enum fyke_mail_encoding encoding;
	bool attachment;
};

struct fyke_mail {
	enum fyke_side sender;
	const char *protocol;
	bool in_header, in_message_header; /* of a part; of the message itself */
	bool any_header;
	bool line_continues; /* the line in work has been given in part */
	uint16_t line_length;
	uint8_t line_end; /* bytes of the last line's end, which may belong to a boundary */
	uint8_t depth;
	struct fyke_text header;
	struct fyke_text fields[FYKE_MAIL_ATTACHMENTS]; /* by enum fyke_mail_field */
	struct fyke_mail_part part;
	struct fyke_base64 base64;
	struct fyke_file *file;
	int64_t attachments, bytes;
	char line[FYKE_MAIL_LINE];
	char boundary[FYKE_MAIL_DEPTH][FYKE_MAIL_BOUNDARY];
	uint8_t boundary_length[FYKE_MAIL_DEPTH];
};

/* A header of a part, unfolded. */
void fyke_mime_header(struct fyke_dissection *dissection, struct fyke_mail *mail, struct fyke_word_of name,
	const char *value, size_t length);
/* The headers are over: what is the part? */
void fyke_mime_part(struct fyke_dissection *dissection, struct fyke_mail *mail);
/* A line of the body or a piece of one, without its end; `end`: bytes of that, 0 = the line goes on. */
void fyke_mime_line(struct fyke_dissection *dissection, struct fyke_mail *mail, const char *line,
	size_t length, uint8_t end);
/* The part in work is over. */
void fyke_mime_end_part(struct fyke_dissection *dissection, struct fyke_mail *mail, bool complete);

#endif
