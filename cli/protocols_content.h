/* The dissectors in words: for `fyke protocols` and for docs/protocols.md. */
#ifndef FYKE_CLI_PROTOCOLS_CONTENT_H
#define FYKE_CLI_PROTOCOLS_CONTENT_H

#include "dissectors/dissector.h"

#include <stdio.h>

/* Name, title, ports and columns of every dissector. */
void fyke_protocols_list(FILE *out);
/* All about one; for a terminal. */
void fyke_protocols_show(FILE *out, const struct fyke_dissector *dissector);
/* docs/protocols.md. */
void fyke_protocols_write_docs(FILE *out);

/* NULL: no such name. */
const struct fyke_dissector *fyke_protocols_find(const char *name);
/* The name that `name` is most like, or NULL. */
const char *fyke_protocols_nearest(const char *name);

#endif
