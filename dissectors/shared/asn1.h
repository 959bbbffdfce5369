/* BER and DER (ITU-T X.690): elements one by one, bounds-checked. Indefinite lengths are BAD. */
#ifndef FYKE_DISSECTORS_SHARED_ASN1_H
#define FYKE_DISSECTORS_SHARED_ASN1_H

#include "analyzer/base/cursor.h"

enum { /* identifier octets; those of context and application carry their number in the low bits */
	FYKE_ASN1_BOOLEAN = 0x01,
	FYKE_ASN1_INTEGER = 0x02,
	FYKE_ASN1_BIT_STRING = 0x03,
	FYKE_ASN1_OCTET_STRING = 0x04,
	FYKE_ASN1_OID = 0x06,
	FYKE_ASN1_ENUMERATED = 0x0a,
	FYKE_ASN1_UTF8_STRING = 0x0c,
	FYKE_ASN1_GENERAL_STRING = 0x1b,
	FYKE_ASN1_GENERALIZED_TIME = 0x18,
	FYKE_ASN1_SEQUENCE = 0x30,
	FYKE_ASN1_SET = 0x31,
	FYKE_ASN1_CONTEXT = 0x80,
	FYKE_ASN1_CONTEXT_MADE = 0xa0, /* constructed */
	FYKE_ASN1_APPLICATION = 0x40,
	FYKE_ASN1_APPLICATION_MADE = 0x60,
};

struct fyke_asn1 {
	uint8_t tag;		   /* the identifier octet */
	struct fyke_cursor inside; /* its contents */
};

/* The next element; false at the end or where `c` faults (long-form tags are BAD). */
bool fyke_asn1_next(struct fyke_cursor *c, struct fyke_asn1 *element);

/* The contents of the next element, which must have this tag; else `c` is BAD and the result is empty. */
struct fyke_cursor fyke_asn1_enter(struct fyke_cursor *c, uint8_t tag);

/* The first element of this tag from here on; `c` itself stays. False: there is none. */
bool fyke_asn1_find(const struct fyke_cursor *c, uint8_t tag, struct fyke_cursor *inside);

/* Contents of an INTEGER or ENUMERATED of at most 8 bytes; 0 and a fault otherwise. */
int64_t fyke_asn1_integer(struct fyke_cursor inside, bool *good);

/* The element that begins at `data`: its whole length with header. 0 = cannot be told yet (SHORT), or never
 * (*bad). */
size_t fyke_asn1_length(const uint8_t *data, size_t length, bool *bad);

#endif
