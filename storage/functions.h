/* SQL functions that every connection of fyke's has: fyke_uid(), fyke_frames() and fyke_origin(). */
#ifndef FYKE_STORAGE_FUNCTIONS_H
#define FYKE_STORAGE_FUNCTIONS_H

#include "analyzer/base/network.h"
#include "analyzer/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct sqlite3;

/* `home` is borrowed: what stands there when a function is called counts. */
FYKE_MUST_USE enum fyke_status fyke_functions_register(
	struct sqlite3 *db, const struct fyke_networks *home, struct fyke_error *error);

/* fyke_domain(), fyke_entropy() and fyke_count(); called by the one above. */
FYKE_MUST_USE enum fyke_status fyke_functions_register_text(struct sqlite3 *db, struct fyke_error *error);

enum { FYKE_UID_TEXT = 21 };

/* The name of a session for the world outside: the same for the same file, whichever database it is
 * in. 100 bits of XXH3-128 of the capture's fingerprint and the birth key, in base 32. */
void fyke_uid(
	const char *fingerprint, size_t length, int64_t frame, int64_t ordinal, char text[FYKE_UID_TEXT]);

#endif
