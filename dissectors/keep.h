/*
 * Memory for what a dissector remembers beyond its state. All of it belongs to the conversation: what
 * is not given back goes when the dissector does. It is bounded by the dissector's `memory_max`; when that
 * is used up the calls fail, and the dissector goes on with less.
 */
#ifndef FYKE_DISSECTORS_KEEP_H
#define FYKE_DISSECTORS_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fyke_dissection;

/* `size` zeroed bytes, or NULL. */
void *fyke_take(struct fyke_dissection *dissection, size_t size);
/* NULL is allowed. */
void fyke_give(struct fyke_dissection *dissection, void *memory);

/* Text that grows; a zeroed one is unset (NULL in a record), which differs from empty. */
struct fyke_text {
	char *bytes; /* not terminated */
	uint32_t length, room;
};

/* Replaces the text by `length` bytes, at most `max` of them; shorter when memory is used up. False when
 * anything was left out. */
bool fyke_keep(struct fyke_dissection *dissection, struct fyke_text *text, const void *bytes, size_t length,
	size_t max);
/* The same behind what is there; `max` counts the whole. */
bool fyke_append(struct fyke_dissection *dissection, struct fyke_text *text, const void *bytes, size_t length,
	size_t max);
/* Unsets it. */
void fyke_drop(struct fyke_dissection *dissection, struct fyke_text *text);

static inline bool fyke_text_is_set(const struct fyke_text *text)
{
	return text->bytes != NULL;
}

#endif
