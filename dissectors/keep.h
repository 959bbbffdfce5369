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

/*
 * What was worked out of bytes that many sessions repeat, such as certificates, for the next that has them.
 * The key is a SHA-256 of all that it depends on, since what others sent must not pass for it.
 */
enum { FYKE_RECALL_KEY = 32, FYKE_RECALL_MAX = 8 * 1024 };

/* NULL: it is not known, or this conversation's memory is short. Borrowed until the next call of either. */
const void *fyke_recall(
	struct fyke_dissection *dissection, const uint8_t key[FYKE_RECALL_KEY], size_t *length);
/* Room for `length` bytes, to be filled at once. NULL: it is not kept, being too long or memory too short. */
void *fyke_learn(struct fyke_dissection *dissection, const uint8_t key[FYKE_RECALL_KEY], size_t length);

static inline bool fyke_text_is_set(const struct fyke_text *text)
{
	return text->bytes != NULL;
}

#endif
