/* Names of services, kept once: ticks that brought them are gone long before they are written. */
#ifndef FYKE_STORAGE_NAMES_H
#define FYKE_STORAGE_NAMES_H

#include "storage/index.h"

enum { FYKE_NAME_ROOM = 64, FYKE_NAMES_MAX = 16384 };

struct fyke_names {
	struct fyke_index index;
};

void fyke_names_init(struct fyke_names *names);
void fyke_names_release(struct fyke_names *names);

/* The number of a name, from 1; 0 for NULL, and where there are too many. Cut to 63 bytes. */
uint32_t fyke_names_number(struct fyke_names *names, const char *name);
const char *fyke_names_text(const struct fyke_names *names, uint32_t number); /* NULL for 0 */

#endif
