/* UTF-16LE, as Microsoft's protocols have it, as UTF-8. */
#ifndef FYKE_DISSECTORS_SHARED_UTF16_H
#define FYKE_DISSECTORS_SHARED_UTF16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* At most `room` bytes, never half a character; returns how many. Stops at a NUL when `to_nul`. Halves of
 * surrogate pairs that stand alone become U+FFFD. */
size_t fyke_utf16_text(const uint8_t *bytes, size_t length, bool to_nul, char *out, size_t room);

#endif
