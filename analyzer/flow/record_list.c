/* Each waiting record is one piece of memory: the record, its values, their bytes. */
#include "analyzer/flow/record_list.h"

#include <stdlib.h>
#include <string.h>

static size_t values_size(const struct fyke_table *table)
{
	return table->field_count * sizeof(struct fyke_value);
}

static size_t size_of(const struct fyke_table *table, const struct fyke_value *values)
{
	size_t size = sizeof(struct fyke_record) + values_size(table);

	for (size_t i = 0; i < table->field_count; i++) {
		if (values[i].kind == FYKE_VALUE_BYTES)
			size += values[i].length;
	}
	return size;
}

static void copy_into(char *memory, const struct fyke_record *head, const struct fyke_value *values)
{
	struct fyke_record *record = (struct fyke_record *)(void *)memory;
	struct fyke_value *copies = (struct fyke_value *)(void *)(memory + sizeof(*record));
	char *bytes = memory + sizeof(*record) + values_size(head->table);

	*record = *head;
	record->values = copies;
	for (size_t i = 0; i < head->table->field_count; i++) {
		copies[i] = values[i];
		if (values[i].kind != FYKE_VALUE_BYTES)
			continue;
		if (values[i].length > 0)
			memcpy(bytes, values[i].bytes, values[i].length);
		copies[i].bytes = bytes;
		bytes += values[i].length;
	}
}

size_t fyke_record_list_add(struct fyke_flow_extra *extra, const struct fyke_table *table, uint64_t frame,
	int64_t time_ns, const struct fyke_value *values)
{
	struct fyke_record head = {
		.table = table, .n = extra->record_count, .frame = frame, .time_ns = time_ns};
	size_t size = size_of(table, values);
	char *memory = malloc(size);

	if (memory == NULL)
		return 0;
	copy_into(memory, &head, values);
	if (extra->records == NULL)
		extra->records_end = &extra->records;
	*extra->records_end = (struct fyke_record *)(void *)memory;
	extra->records_end = &(*extra->records_end)->next;
	extra->record_count++;
	return size;
}

const struct fyke_record *fyke_record_list_take(
	struct fyke_flow_extra *extra, struct fyke_arena *arena, size_t *freed, bool *failed)
{
	struct fyke_record *first = NULL, **end = &first;

	while (extra->records != NULL) {
		struct fyke_record *record = extra->records;
		size_t size = size_of(record->table, record->values);
		char *memory = fyke_arena_take(arena, size);

		if (memory == NULL) {
			*failed = true;
			return NULL;
		}
		copy_into(memory, record, record->values);
		*end = (struct fyke_record *)(void *)memory;
		(*end)->next = NULL;
		end = &(*end)->next;
		extra->records = record->next;
		free(record);
		*freed += size;
	}
	return first;
}

void fyke_record_list_release(struct fyke_flow_extra *extra)
{
	while (extra->records != NULL) {
		struct fyke_record *record = extra->records;

		extra->records = record->next;
		free(record);
	}
}
