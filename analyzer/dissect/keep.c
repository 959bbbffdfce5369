/* Memory of the running dissector: a list of pieces, each with its size in front. */
#include "dissectors/keep.h"

#include "analyzer/dissect/parts.h"

#include <string.h>

static size_t limit_of(const struct fyke_dissection *dissection)
{
	const struct fyke_dissector *dissector = dissection->dissector;

	return dissector != NULL && dissector->memory_max > 0 ? dissector->memory_max : FYKE_DISSECT_MEMORY;
}

size_t fyke_dissect_memory_left(const struct fyke_dissection *dissection)
{
	return limit_of(dissection) - dissection->kept_bytes;
}

void *fyke_take(struct fyke_dissection *dissection, size_t size)
{
	struct fyke_kept *kept;

	if (size > fyke_dissect_memory_left(dissection))
		return NULL;
	kept = fyke_blocks_zero(fyke_dissect_blocks(dissection), sizeof(*kept) + size);
	if (kept == NULL)
		return NULL;
	kept->size = size;
	kept->next = dissection->kept;
	if (kept->next != NULL)
		kept->next->previous = kept;
	dissection->kept = kept;
	dissection->kept_bytes += size;
	return kept->memory;
}

void fyke_give(struct fyke_dissection *dissection, void *memory)
{
	struct fyke_kept *kept;

	if (memory == NULL)
		return;
	kept = (struct fyke_kept *)(void *)((char *)memory - offsetof(struct fyke_kept, memory));
	if (kept->previous != NULL)
		kept->previous->next = kept->next;
	else
		dissection->kept = kept->next;
	if (kept->next != NULL)
		kept->next->previous = kept->previous;
	dissection->kept_bytes -= kept->size;
	fyke_blocks_give(fyke_dissect_blocks(dissection), kept, sizeof(*kept) + kept->size);
}

void fyke_dissect_forget(struct fyke_dissection *dissection)
{
	while (dissection->kept != NULL)
		fyke_give(dissection, dissection->kept->memory);
}

/* Room for `wanted` bytes, or for as many as there is memory for. */
static void make_room(struct fyke_dissection *dissection, struct fyke_text *text, size_t wanted)
{
	size_t left = fyke_dissect_memory_left(dissection);
	size_t room = wanted < 32 ? 32 : wanted;
	char *grown;

	if (text->bytes != NULL && wanted <= text->room)
		return;
	if (text->room > 0 && room < (size_t)text->room * 2)
		room = (size_t)text->room * 2;
	if (room > left)
		room = left;
	if (room <= text->length)
		return;
	grown = fyke_take(dissection, room);
	if (grown == NULL)
		return;
	if (text->length > 0)
		memcpy(grown, text->bytes, text->length);
	fyke_give(dissection, text->bytes);
	text->bytes = grown;
	text->room = (uint32_t)room;
}

bool fyke_append(struct fyke_dissection *dissection, struct fyke_text *text, const void *bytes, size_t length,
	size_t max)
{
	size_t taken = length;

	if (max > UINT32_MAX)
		max = UINT32_MAX;
	if (taken > max - (text->length < max ? text->length : max))
		taken = max - (text->length < max ? text->length : max);
	make_room(dissection, text, text->length + taken);
	if (taken > text->room - text->length)
		taken = text->room - text->length;
	if (taken > 0)
		memcpy(text->bytes + text->length, bytes, taken);
	text->length += (uint32_t)taken;
	return taken == length && text->bytes != NULL;
}

bool fyke_keep(struct fyke_dissection *dissection, struct fyke_text *text, const void *bytes, size_t length,
	size_t max)
{
	text->length = 0;
	return fyke_append(dissection, text, bytes, length, max);
}

void fyke_drop(struct fyke_dissection *dissection, struct fyke_text *text)
{
	fyke_give(dissection, text->bytes);
	*text = (struct fyke_text){0};
}
