/*
 * Text that is put together in a buffer of the caller's. What does not fit is left out, and the phrase
 * says so; nothing is ever written behind the buffer.
 */
#ifndef FYKE_DISSECTORS_SHARED_PHRASE_H
#define FYKE_DISSECTORS_SHARED_PHRASE_H

#include "analyzer/base/address.h"
#include "analyzer/base/field.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fyke_phrase {
	char *text; /* borrowed, not terminated */
	size_t length, room;
	bool cut; /* something did not fit */
};

static inline struct fyke_phrase fyke_phrase(char *buffer, size_t room)
{
	return (struct fyke_phrase){.text = buffer, .room = room};
}

/* As much as fits. */
void fyke_phrase_add(struct fyke_phrase *phrase, const void *bytes, size_t length);
void fyke_phrase_word(struct fyke_phrase *phrase, const char *word);
void fyke_phrase_number(struct fyke_phrase *phrase, uint64_t number);
void fyke_phrase_hex(struct fyke_phrase *phrase, const uint8_t *bytes, size_t length);
/* "00:11:22": as hardware addresses are written, of any length. */
void fyke_phrase_octets(struct fyke_phrase *phrase, const uint8_t *bytes, size_t length);
void fyke_phrase_base64(struct fyke_phrase *phrase, const uint8_t *bytes, size_t length);
void fyke_phrase_address(struct fyke_phrase *phrase, const struct fyke_address *address);
void fyke_phrase_ipv4(struct fyke_phrase *phrase, const uint8_t bytes[4]);
void fyke_phrase_ipv6(struct fyke_phrase *phrase, const uint8_t bytes[16]);
/* The separator, unless nothing stands there yet. */
void fyke_phrase_next(struct fyke_phrase *phrase, const char *separator);

/* NULL where it is empty; borrowed. */
struct fyke_value fyke_phrase_value(const struct fyke_phrase *phrase);

#endif
