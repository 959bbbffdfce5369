/* Phrases for the short names that stand in databases (a database may be older or newer than this fyke). */
#include "cli/words.h"

#include "analyzer/decode/decode.h"

#include <stddef.h>
#include <string.h>

const char *fyke_refusal_words(const char *reason)
{
	for (int i = 0; i < FYKE_REFUSAL_COUNT; i++) {
		const char *name = fyke_refusal_name((enum fyke_refusal)i);

		if (name != NULL && strcmp(name, reason) == 0)
			return fyke_refusal_description((enum fyke_refusal)i);
	}
	return NULL;
}
