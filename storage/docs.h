/* Lists of words in docs/database.md that tests compare with the levels they come from. */
#ifndef FYKE_STORAGE_DOCS_H
#define FYKE_STORAGE_DOCS_H

#include <stddef.h>

struct fyke_docs_word {
	const char *name, *description;
};

const struct fyke_docs_word *fyke_docs_tunnels(size_t *count);

#endif
