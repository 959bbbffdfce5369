/* Commands that wait for their replies, in order, and replies of three digits (RFC 959 §4.2, RFC 5321 §4.2).
 */
#ifndef FYKE_DISSECTORS_SHARED_EXCHANGE_H
#define FYKE_DISSECTORS_SHARED_EXCHANGE_H

#include "dissectors/shared/line.h"

enum { FYKE_EXCHANGE_MAX = 32, FYKE_ARGUMENT_MAX = 4096, FYKE_REPLY_MAX = 1024 };

struct fyke_command {
	struct fyke_moment moment;
	struct fyke_text name, argument; /* unset where there is none */
	struct fyke_text tag;		 /* likewise; the dissector's own */
	bool secret;			 /* the argument as a whole */
	uint8_t kind;			 /* the dissector's own */
	uint16_t preliminary;		 /* code of a 1yz reply; 0 = none */
};

struct fyke_exchange {
	struct fyke_command waiting[FYKE_EXCHANGE_MAX];
	uint8_t first, count;
};

/* The one that waits longest, or NULL. */
struct fyke_command *fyke_exchange_first(struct fyke_exchange *exchange);
static inline bool fyke_exchange_is_full(const struct fyke_exchange *exchange)
{
	return exchange->count == FYKE_EXCHANGE_MAX;
}
/* Adds a command; the queue is not full. Borrowed until it is dropped. */
struct fyke_command *fyke_exchange_add(struct fyke_dissection *dissection, struct fyke_exchange *exchange,
	struct fyke_word_of name, struct fyke_word_of argument);
/* Forgets the first. */
void fyke_exchange_drop(struct fyke_dissection *dissection, struct fyke_exchange *exchange);
/* The one with this tag becomes the first; NULL = none has it. */
struct fyke_command *fyke_exchange_tagged(struct fyke_exchange *exchange, const char *tag, size_t length);

/* A reply, which may take several lines; its text has them joined by LF. */
struct fyke_reply {
	uint16_t code; /* 0 = none begun */
	bool open;     /* its last line has not come */
	struct fyke_text text;
};

/* The code at a line's front, or 0. */
uint16_t fyke_reply_code(const char *text, size_t length);
/* The next line. True: the reply is whole, and begins anew with the next line. */
bool fyke_reply_line(
	struct fyke_dissection *dissection, struct fyke_reply *reply, const struct fyke_line *line);

/* Fields of a table with a row per command and its reply, and their values in this order. */
enum {
	FYKE_EXCHANGE_COMMAND,
	FYKE_EXCHANGE_ARGUMENT,
	FYKE_EXCHANGE_CODE,
	FYKE_EXCHANGE_REPLY,
	FYKE_EXCHANGE_REPLY_FRAME,
	FYKE_EXCHANGE_FIELDS
};

#define FYKE_EXCHANGE_FIELD_LIST                                                                             \
	[FYKE_EXCHANGE_COMMAND] = {"command", FYKE_TYPE_TEXT,                                                \
		"in upper case; NULL where the server spoke unasked (its greeting) or the command was not "  \
		"seen"},                                                                                     \
	[FYKE_EXCHANGE_ARGUMENT] = {"argument", FYKE_TYPE_TEXT, "secrets are ***"},                          \
	[FYKE_EXCHANGE_CODE] = {"reply_code", FYKE_TYPE_INTEGER, "NULL: no reply was seen"},                 \
	[FYKE_EXCHANGE_REPLY] = {"reply", FYKE_TYPE_TEXT, "its lines without codes, joined by LF"},          \
	[FYKE_EXCHANGE_REPLY_FRAME] = {"reply_frame", FYKE_TYPE_INTEGER, "in which the reply ended"}

/* Either may be NULL. */
void fyke_exchange_values(const struct fyke_dissection *dissection, const struct fyke_command *command,
	const struct fyke_reply *reply, struct fyke_value *values);

#endif
