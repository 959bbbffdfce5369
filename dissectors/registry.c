/* list.def as an array. */
#include "dissectors/registry.h"

#define FYKE_DISSECTOR(name) extern const struct fyke_dissector fyke_dissector_##name;
#include "dissectors/list.def"
#undef FYKE_DISSECTOR

#define FYKE_DISSECTOR(name) &fyke_dissector_##name,
static const struct fyke_dissector *const dissectors[] = {
#include "dissectors/list.def"
	NULL,
};
#undef FYKE_DISSECTOR

const struct fyke_dissector *const *fyke_dissectors(void)
{
	return dissectors;
}

static bool has(const struct fyke_table *const *tables, size_t count, const struct fyke_table *table)
{
	for (size_t i = 0; i < count; i++) {
		if (tables[i] == table)
			return true;
	}
	return false;
}

size_t fyke_dissector_tables(const struct fyke_table **tables, size_t room)
{
	size_t count = 0;

	for (size_t i = 0; dissectors[i] != NULL; i++) {
		const struct fyke_table *const *table = dissectors[i]->tables;

		for (; table != NULL && *table != NULL && count + 1 < room; table++) {
			if (!has(tables, count, *table))
				tables[count++] = *table;
		}
	}
	tables[count] = NULL;
	return count;
}
