/* Lists that double when they are full. */
#ifndef FYKE_BASE_GROW_H
#define FYKE_BASE_GROW_H

#include <stddef.h>
#include <stdlib.h>

/* Room for one more item of `size` bytes behind the `count` that the list holds; its first room is for
 * `first`. The list, which may have moved, for its owner to keep; NULL: memory is out, and the list is as it
 * was. */
static inline void *fyke_grow(void *list, size_t count, size_t *room, size_t first, size_t size)
{
	size_t wanted = *room == 0 ? first : *room * 2;
	void *grown;

	if (count < *room)
		return list;
	grown = reallocarray(list, wanted, size);
	if (grown != NULL)
		*room = wanted;
	return grown;
}

#endif
