/* What a file is, by its first bytes. */
#ifndef FYKE_DISSECT_SNIFF_H
#define FYKE_DISSECT_SNIFF_H

#include <stddef.h>
#include <stdint.h>

enum { FYKE_SNIFF_BYTES = 512 }; /* enough to tell */

/* A media type, static; NULL where the bytes tell nothing. */
const char *fyke_sniff(const uint8_t *bytes, size_t length);

#endif
