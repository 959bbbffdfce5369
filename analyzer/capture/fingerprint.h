/* Inside of analyzer/capture: which file this is, without reading all of it (DESIGN §5). */
#ifndef FYKE_CAPTURE_FINGERPRINT_H
#define FYKE_CAPTURE_FINGERPRINT_H

#include "analyzer/base/status.h"

#include <xxhash.h>

/* XXH3-128 of the size (8 bytes, little-endian), then of the whole file up to 2 MiB; of a larger one of
 * the first MiB, the last MiB and 64 evenly spaced 4 KiB samples. Bytes as on disk, compressed if it
 * is. `fd` must be a regular file; where it stands does not change. */
FYKE_MUST_USE enum fyke_status fyke_fingerprint_file(
	int fd, const char *name, char text[33], struct fyke_error *error);

/* The state's hash as 32 hexadecimal digits. */
void fyke_fingerprint_text(const XXH3_state_t *state, char text[33]);

#endif
