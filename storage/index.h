/*
 * A hash table from keys of fixed size to items of fixed size, with a limit. Items lie in one array in
 * the order of their arrival; each begins with its key, which is compared as bytes (no padding).
 */
#ifndef FYKE_STORAGE_INDEX_H
#define FYKE_STORAGE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fyke_index_slot {
	uint32_t place; /* in items, plus 1; 0 = free */
	uint32_t hash;	/* of the key there: most others are told apart without a look at the item */
};

struct fyke_index {
	void *items; /* `count` of them */
	size_t count, limit;
	size_t item_size, key_size;
	size_t room;
	struct fyke_index_slot *slots;
	size_t slot_count;
	uint64_t seed;
};

/* Zeroed items; never more than `limit` of them. */
void fyke_index_init(struct fyke_index *index, size_t item_size, size_t key_size, size_t limit);
void fyke_index_release(struct fyke_index *index);
void fyke_index_clear(struct fyke_index *index); /* keeps its memory */

/* The item with this key, made when absent; NULL when the limit is reached or memory is out. Good until
 * the next call. */
void *fyke_index_add(struct fyke_index *index, const void *key, bool *added);

/* The item with this key, or NULL. */
void *fyke_index_find(const struct fyke_index *index, const void *key);

/* A number that traffic cannot foresee, for hashes. */
uint64_t fyke_index_seed(void);

#endif
