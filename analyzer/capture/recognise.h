/* Inside of analyzer/capture: what a file is that is no capture, so that the refusal helps. */
#ifndef FYKE_CAPTURE_RECOGNISE_H
#define FYKE_CAPTURE_RECOGNISE_H

#include <stddef.h>
#include <stdint.h>

enum { FYKE_RECOGNISE_BYTES = 512 }; /* so many of the first bytes are enough */

/* "a PDF document", "a snoop capture …": static text, NULL where nothing is recognised. */
const char *fyke_recognise(const uint8_t *first, size_t length);

#endif
