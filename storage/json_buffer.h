/* JSON values written into memory that is used again and again (RFC 8259). */
#ifndef FYKE_STORAGE_JSON_BUFFER_H
#define FYKE_STORAGE_JSON_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What fyke_json_append_key may read behind the text, so that it copies without a loop. */
enum { FYKE_JSON_KEY_ROOM = 64 };

struct fyke_json_buffer {
	char *text;
	size_t length, room;
	bool ascii;  /* escape all that is not ASCII: for terminals, which act on some of it */
	bool failed; /* memory is out; what was appended since is lost */
};

/* A zeroed buffer is ready; so is one whose length was set to 0. */
void fyke_json_buffer_release(struct fyke_json_buffer *buffer);

/* As it is. */
void fyke_json_append(struct fyke_json_buffer *buffer, const char *text, size_t length);
/* As it is; from `text` on FYKE_JSON_KEY_ROOM bytes can be read. */
static inline void fyke_json_append_key(struct fyke_json_buffer *buffer, const char *text, size_t length)
{
	if (length > FYKE_JSON_KEY_ROOM || buffer->room - buffer->length < FYKE_JSON_KEY_ROOM ||
		buffer->failed) {
		fyke_json_append(buffer, text, length);
		return;
	}
	memcpy(buffer->text + buffer->length, text, FYKE_JSON_KEY_ROOM);
	buffer->length += length;
}
void fyke_json_append_integer(struct fyke_json_buffer *buffer, int64_t value);
void fyke_json_append_unsigned(struct fyke_json_buffer *buffer, uint64_t value);
/* With a point or an exponent, so that it reads back as a real; null where JSON has no form for it. */
void fyke_json_append_real(struct fyke_json_buffer *buffer, double value);
/* Any bytes as a string in its quotes: made UTF-8 by fyke_text_utf8, controls (C1 too) escaped. */
void fyke_json_append_string(struct fyke_json_buffer *buffer, const char *bytes, size_t length);
/* Text of a database: likewise, but escapes that it was stored with stay as they are. */
void fyke_json_append_stored(struct fyke_json_buffer *buffer, const char *text, size_t length);
/* Bytes as a string of hexadecimal digits. */
void fyke_json_append_hexadecimal(struct fyke_json_buffer *buffer, const uint8_t *bytes, size_t length);

#endif
