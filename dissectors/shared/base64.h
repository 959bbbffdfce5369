/* Base64 (RFC 4648 §4), as one text or as it comes in pieces. */
#ifndef FYKE_DISSECTORS_SHARED_BASE64_H
#define FYKE_DISSECTORS_SHARED_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What was read of a group of four digits; zeroed at first. */
struct fyke_base64 {
	uint32_t bits;
	uint8_t digits;
	bool ended; /* by padding */
};

/* Decodes `length` bytes of text, of which all that is no digit is passed over; what follows padding too.
 * Writes at most length / 4 * 3 + 3 bytes; gives how many. */
size_t fyke_base64_more(struct fyke_base64 *base64, const void *text, size_t length, uint8_t *out);

/* A whole text without anything else than digits and padding, into at most `room` bytes; *out_length = what
 * was written. False: it is no base64 or does not fit. */
bool fyke_base64_decode(const void *text, size_t length, uint8_t *out, size_t room, size_t *out_length);

#endif
