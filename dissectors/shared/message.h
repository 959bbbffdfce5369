/* Messages of a start line, headers and a body, as SIP (RFC 3261 §7) and RTSP (RFC 7826 §5) have them. */
#ifndef FYKE_DISSECTORS_SHARED_MESSAGE_H
#define FYKE_DISSECTORS_SHARED_MESSAGE_H

#include "dissectors/shared/line.h"

enum { FYKE_MESSAGE_VALUE = 1024 }; /* bytes of a header's value */

struct fyke_message {
	struct fyke_word_of start;   /* the first line */
	struct fyke_word_of headers; /* the lines behind it */
	size_t head;		     /* bytes of it all, with the empty line */
	uint64_t body;		     /* as Content-Length says; 0 where it says nothing */
	bool has_length;
};

/* The head at the front of the bytes. False: its empty line is not there. `whole`: nothing more will come,
 * and what is there is taken for the head. */
bool fyke_message_read(const uint8_t *data, size_t length, bool whole, struct fyke_message *message);

/* The value of the first header of that name (or of its one-letter form; NULL = none has it), unfolded where
 * it lies. False: there is none. */
bool fyke_message_header(const struct fyke_message *message, const char *name, const char *compact,
	struct fyke_word_of *value);

/* The same as a field's value; NULL where there is none. */
struct fyke_value fyke_message_value(
	const struct fyke_message *message, const char *name, const char *compact);

/* name=value or name="value" in a header's value, apart by commas, semicolons or blanks. False: not there. */
bool fyke_message_parameter(struct fyke_word_of header, const char *name, struct fyke_word_of *value);

#endif
