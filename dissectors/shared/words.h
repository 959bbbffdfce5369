/* Text of mail headers as UTF-8: encoded words (RFC 2047) and encoded parameters (RFC 2231). */
#ifndef FYKE_DISSECTORS_SHARED_WORDS_H
#define FYKE_DISSECTORS_SHARED_WORDS_H

#include "dissectors/dissector.h"

/* Appends `text` to `out`, at most `max` bytes in all, with its encoded words decoded. Words of charsets that
 * are not known stay as they are. */
void fyke_words_decode(struct fyke_dissection *dissection, struct fyke_text *out, const char *text,
	size_t length, size_t max);

/* Appends bytes of a charset as UTF-8; false, and nothing is appended: the charset is not known. */
bool fyke_words_charset(struct fyke_dissection *dissection, struct fyke_text *out, const char *charset,
	size_t charset_length, const void *bytes, size_t length, size_t max);

/* The value of parameter `name` behind the first ';' of a header's value: plain, quoted, in numbered parts,
 * percent-encoded or with encoded words. False: it is not there. */
bool fyke_words_parameter(struct fyke_dissection *dissection, struct fyke_text *out, const char *header,
	size_t length, const char *name, size_t max);

#endif
