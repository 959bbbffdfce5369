/*
 * A waiting record is one block: a head, then for each value that is not NULL
 *
 *   field << 2 | kind,  INTEGER: number · BYTES: length, bytes · SESSION: ordinal, frame
 *
 * all as varints, signed numbers by turns (0, −1, 1, −2 …). In the arena it is the record, its values, their
 * bytes.
 */
#include "analyzer/flow/record_list.h"

#include "analyzer/base/varint.h"

#include <string.h>

struct fyke_waiting_record {
	struct fyke_waiting_record *next;
	const struct fyke_table *table;
	uint64_t frame;
	int64_t time_ns;
	uint32_t n;
	uint32_t length; /* of packed[] */
	uint32_t whole;	 /* bytes that it takes in the arena */
	uint8_t packed[];
};

enum { SCRATCH = 1024 }; /* most records are packed in no more */

/* Writes as far as there is room, and counts all. */
struct packer {
	uint8_t *at;
	size_t room, length;
};

static void put_bytes(struct packer *packer, const void *bytes, size_t length)
{
	if (length > 0 && packer->length + length <= packer->room)
		memcpy(packer->at + packer->length, bytes, length);
	packer->length += length;
}

static void put(struct packer *packer, uint64_t number)
{
	uint8_t bytes[FYKE_VARINT_MAX];

	put_bytes(packer, bytes, fyke_varint_write(number, bytes));
}

static void put_signed(struct packer *packer, int64_t number)
{
	put(packer, (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0));
}

static void pack(struct packer *packer, const struct fyke_table *table, const struct fyke_value *values)
{
	for (size_t i = 0; i < table->field_count; i++) {
		const struct fyke_value *value = &values[i];

		if (value->kind == FYKE_VALUE_NULL)
			continue;
		put(packer, i << 2 | (uint64_t)value->kind);
		if (value->kind != FYKE_VALUE_INTEGER)
			put(packer, value->length);
		if (value->kind == FYKE_VALUE_BYTES)
			put_bytes(packer, value->bytes, value->length);
		else
			put_signed(packer, value->integer);
	}
}

/* Own packing: it is never cut. */
static uint64_t get(const uint8_t **at, const uint8_t *end)
{
	uint64_t number = 0;

	(void)fyke_varint_read(at, end, &number);
	return number;
}

static int64_t get_signed(const uint8_t **at, const uint8_t *end)
{
	uint64_t number = get(at, end);

	return (int64_t)(number >> 1 ^ ((number & 1) != 0 ? UINT64_MAX : 0));
}

/* `bytes` has room for all of them. */
static void unpack(const struct fyke_waiting_record *waiting, struct fyke_value *values, char *bytes)
{
	const uint8_t *at = waiting->packed, *end = at + waiting->length;

	while (at < end) {
		uint64_t key = get(&at, end);
		struct fyke_value *value = &values[key >> 2];

		value->kind = key & 3;
		if (value->kind != FYKE_VALUE_INTEGER)
			value->length = (uint32_t)get(&at, end);
		if (value->kind != FYKE_VALUE_BYTES) {
			value->integer = get_signed(&at, end);
			continue;
		}
		memcpy(bytes, at, value->length);
		value->bytes = bytes;
		bytes += value->length;
		at += value->length;
	}
}

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

size_t fyke_record_list_add(struct fyke_blocks *blocks, struct fyke_flow_extra *extra,
	const struct fyke_table *table, const struct fyke_moment *moment, const struct fyke_value *values)
{
	uint8_t scratch[SCRATCH];
	struct packer packer = {.at = scratch, .room = sizeof(scratch)};
	struct fyke_waiting_record *waiting;

	pack(&packer, table, values);
	waiting = fyke_blocks_take(blocks, sizeof(*waiting) + packer.length);
	if (waiting == NULL)
		return 0;
	*waiting = (struct fyke_waiting_record){.table = table,
		.frame = moment->frame,
		.time_ns = moment->time_ns,
		.n = extra->record_count++,
		.length = (uint32_t)packer.length,
		.whole = (uint32_t)size_of(table, values)};
	if (packer.length <= sizeof(scratch)) {
		memcpy(waiting->packed, scratch, packer.length);
	} else {
		packer = (struct packer){.at = waiting->packed, .room = packer.length};
		pack(&packer, table, values);
	}
	if (extra->records == NULL)
		extra->records = waiting;
	else
		extra->last_record->next = waiting;
	extra->last_record = waiting;
	return waiting->whole;
}

static void give_first(struct fyke_blocks *blocks, struct fyke_flow_extra *extra)
{
	struct fyke_waiting_record *first = extra->records;

	extra->records = first->next;
	fyke_blocks_give(blocks, first, sizeof(*first) + first->length);
}

/* NULL when memory is out. */
static struct fyke_record *make_record(const struct fyke_waiting_record *waiting, struct fyke_arena *arena)
{
	char *memory = fyke_arena_take(arena, waiting->whole);
	struct fyke_record *record = (struct fyke_record *)(void *)memory;
	struct fyke_value *values;

	if (memory == NULL)
		return NULL;
	values = (struct fyke_value *)(void *)(memory + sizeof(*record));
	memset(values, 0, values_size(waiting->table));
	unpack(waiting, values, memory + sizeof(*record) + values_size(waiting->table));
	*record = (struct fyke_record){.table = waiting->table,
		.n = waiting->n,
		.frame = waiting->frame,
		.time_ns = waiting->time_ns,
		.values = values};
	return record;
}

const struct fyke_record *fyke_record_list_take(
	struct fyke_blocks *blocks, struct fyke_flow_extra *extra, struct fyke_arena *arena, bool *failed)
{
	struct fyke_record *first = NULL, **end = &first;

	while (extra->records != NULL) {
		*end = make_record(extra->records, arena);
		if (*end == NULL) {
			*failed = true;
			return NULL;
		}
		end = &(*end)->next;
		give_first(blocks, extra);
	}
	return first;
}

void fyke_record_list_release(struct fyke_blocks *blocks, struct fyke_flow_extra *extra)
{
	while (extra->records != NULL)
		give_first(blocks, extra);
}
