/* A mail message (RFC 5322) as its bytes pass: what its header says, and its attachments (RFC 2045) as files.
 */
#ifndef FYKE_DISSECTORS_SHARED_MAIL_H
#define FYKE_DISSECTORS_SHARED_MAIL_H

#include "dissectors/dissector.h"

enum { FYKE_MAIL_MEMORY = 24 * 1024 }; /* that one message may take of memory_max */

/* Fields of a table, and their values in this order. */
enum fyke_mail_field {
	FYKE_MAIL_DATE,
	FYKE_MAIL_FROM,
	FYKE_MAIL_TO,
	FYKE_MAIL_CC,
	FYKE_MAIL_REPLY_TO,
	FYKE_MAIL_MESSAGE_ID,
	FYKE_MAIL_IN_REPLY_TO,
	FYKE_MAIL_SUBJECT,
	FYKE_MAIL_FIRST_RECEIVED,
	FYKE_MAIL_LAST_RECEIVED,
	FYKE_MAIL_USER_AGENT,
	FYKE_MAIL_ATTACHMENTS,
	FYKE_MAIL_BYTES,
	FYKE_MAIL_FIELDS
};

#define FYKE_MAIL_FIELD_LIST(first)                                                                          \
	[(first) +                                                                                           \
		FYKE_MAIL_DATE] = {"date", FYKE_TYPE_TEXT, "Date as it was written"},                        \
		[(first) + FYKE_MAIL_FROM] = {"from", FYKE_TYPE_TEXT, "From"},                               \
		[(first) + FYKE_MAIL_TO] = {"to", FYKE_TYPE_TEXT, "To"},                                     \
		[(first) + FYKE_MAIL_CC] = {"cc", FYKE_TYPE_TEXT, "Cc"},                                     \
		[(first) + FYKE_MAIL_REPLY_TO] = {"reply_to", FYKE_TYPE_TEXT, "Reply-To"},                   \
		[(first) + FYKE_MAIL_MESSAGE_ID] = {"message_id", FYKE_TYPE_TEXT, "Message-ID"},             \
		[(first) + FYKE_MAIL_IN_REPLY_TO] = {"in_reply_to", FYKE_TYPE_TEXT, "In-Reply-To"},          \
		[(first) + FYKE_MAIL_SUBJECT] = {"subject", FYKE_TYPE_TEXT, "Subject"},                      \
		[(first) + FYKE_MAIL_FIRST_RECEIVED] = {"first_received", FYKE_TYPE_TEXT,                    \
			"the topmost Received: the latest hop"},                                             \
		[(first) + FYKE_MAIL_LAST_RECEIVED] = {"last_received", FYKE_TYPE_TEXT,                      \
			"the lowest Received: the first hop"},                                               \
		[(first) + FYKE_MAIL_USER_AGENT] = {"user_agent", FYKE_TYPE_TEXT, "User-Agent or X-Mailer"}, \
		[(first) +                                                                                   \
			FYKE_MAIL_ATTACHMENTS] = {"attachments", FYKE_TYPE_INTEGER, "parts that are files"}, \
		[(first) + FYKE_MAIL_BYTES] = {                                                              \
			"message_bytes", FYKE_TYPE_INTEGER, "of the message as it was seen"}

/* Messages that are fetched rather than sent: shared by the dissectors that see them. */
extern const struct fyke_table fyke_table_mail;

struct fyke_mail;

/* NULL when memory is out; the other calls take that. */
/* `protocol`: static. */
struct fyke_mail *fyke_mail_begin(
	struct fyke_dissection *dissection, enum fyke_side sender, const char *protocol);
void fyke_mail_bytes(
	struct fyke_dissection *dissection, struct fyke_mail *mail, const void *bytes, size_t length);
void fyke_mail_missing(struct fyke_dissection *dissection, struct fyke_mail *mail, uint64_t length);
/* No more comes: the last header and file are complete if the message is. */
void fyke_mail_finish(struct fyke_dissection *dissection, struct fyke_mail *mail, bool complete);
/* FYKE_MAIL_FIELDS values, borrowed until it is freed. */
void fyke_mail_values(const struct fyke_mail *mail, struct fyke_value *values);
bool fyke_mail_has_header(const struct fyke_mail *mail);
void fyke_mail_free(struct fyke_dissection *dissection, struct fyke_mail *mail);

/* Finishes it, tells it as a row of fyke_table_mail when it had a header, and frees it. */
void fyke_mail_tell(struct fyke_dissection *dissection, struct fyke_mail *mail, bool complete);

/* ---- messages that end with a line of one dot (RFC 5321 §4.5.2, RFC 1939 §3, RFC 3977 §3.1.1) ---- */

struct fyke_dotted {
	bool within; /* the front of the line in work was given already */
};

enum fyke_dotted_kind { FYKE_DOTTED_WAIT, FYKE_DOTTED_TEXT, FYKE_DOTTED_END };

struct fyke_dotted_piece {
	const uint8_t *bytes; /* without the dot that was stuffed, with the line's end */
	size_t length;
	uint64_t consumed;
};

/* The next line of such a text, or a piece of a long one. */
enum fyke_dotted_kind fyke_dotted_next(
	struct fyke_dotted *dotted, const struct fyke_input *input, struct fyke_dotted_piece *piece);

#endif
