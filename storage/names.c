/* Interned names: a bounded set, each with a small number. */
#include "storage/names.h"

#include <string.h>

struct name {
	char text[FYKE_NAME_ROOM];
};

void fyke_names_init(struct fyke_names *names)
{
	fyke_index_init(&names->index, sizeof(struct name), sizeof(struct name), FYKE_NAMES_MAX);
}

void fyke_names_release(struct fyke_names *names)
{
	fyke_index_release(&names->index);
}

uint32_t fyke_names_number(struct fyke_names *names, const char *name)
{
	struct name key = {""};
	const struct name *item;
	bool added;

	if (name == NULL)
		return 0;
	memcpy(key.text, name, strnlen(name, sizeof(key.text) - 1));
	item = fyke_index_add(&names->index, &key, &added);
	return item == NULL ? 0 : (uint32_t)(item - (const struct name *)names->index.items) + 1;
}

const char *fyke_names_text(const struct fyke_names *names, uint32_t number)
{
	if (number == 0 || number > names->index.count)
		return NULL;
	return ((const struct name *)names->index.items)[number - 1].text;
}
