/* Text in which no number of a card or an account begins (sensitive.h), many bytes at a time. */
#ifndef FYKE_DISSECT_CALM_TEXT_H
#define FYKE_DISSECT_CALM_TEXT_H

#include <stddef.h>
#include <stdint.h>

enum { FYKE_CALM_WINDOW = 64 };

/* How many of the bytes, in whole windows from the first on, are calm; 0 when there are too few to tell.
 * `bytes` has one byte before it, which is read. */
size_t fyke_calm_text(const uint8_t *bytes, size_t length);

#endif
