/* Numbers of cards and of bank accounts in text, found as it passes. */
#ifndef FYKE_DISSECT_SENSITIVE_H
#define FYKE_DISSECT_SENSITIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FYKE_SENSITIVE_MAX = 34 }; /* characters of the longest: an IBAN */

enum fyke_sensitive_kind { FYKE_SENSITIVE_CARD, FYKE_SENSITIVE_IBAN, FYKE_SENSITIVE_KINDS };

struct fyke_sensitive_found {
	uint32_t count;
	char masked[FYKE_SENSITIVE_MAX + 1]; /* the first one: its four first and four last characters */
};

/* All zero = nothing came yet. Private but for `found`. */
struct fyke_sensitive {
	struct fyke_sensitive_found found[FYKE_SENSITIVE_KINDS];
	char text[FYKE_SENSITIVE_MAX]; /* of the candidate, without separators */
	uint8_t length, wanted;	       /* characters there; that an IBAN of its country has */
	uint8_t groups;		       /* of digits, so far */
	uint8_t group[8];	       /* their lengths */
	uint8_t place;		       /* where in the text: enum of sensitive.c */
	char separator;		       /* between the groups, 0 = none yet */
	char before;		       /* the byte in front of the next one */
	bool is_binary;		       /* there were bytes that no text has: nothing is found */
};

void fyke_sensitive_scan(struct fyke_sensitive *scan, const uint8_t *bytes, size_t length);
/* Bytes are missing here: what stands on both sides of the hole is not one number. */
void fyke_sensitive_gap(struct fyke_sensitive *scan);
/* No more will come. */
void fyke_sensitive_end(struct fyke_sensitive *scan);

#endif
