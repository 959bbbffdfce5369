/*
 * Memory that is given back all at once. Used for what lives exactly as long as one hand-over
 * (a tick, a batch). Not for threads to share: one owner at a time.
 */
#ifndef FYKE_BASE_ARENA_H
#define FYKE_BASE_ARENA_H

#include <stddef.h>

struct fyke_arena_page;

struct fyke_arena {
	struct fyke_arena_page *pages; /* newest first */
	char *at, *end;		       /* free room in the newest page */
	size_t used;		       /* bytes handed out since the last reset */
};

/* A zeroed arena is ready for use. */
void fyke_arena_init(struct fyke_arena *arena);

/* Keeps one page for reuse; all that was handed out is gone. */
void fyke_arena_reset(struct fyke_arena *arena);
void fyke_arena_release(struct fyke_arena *arena);

/* `size` bytes, aligned for any type, not zeroed; NULL when memory is out. */
void *fyke_arena_take(struct fyke_arena *arena, size_t size);
void *fyke_arena_zero(struct fyke_arena *arena, size_t size);

/* A copy of `length` bytes; with a NUL behind it. NULL when memory is out. */
char *fyke_arena_copy(struct fyke_arena *arena, const void *data, size_t length);

/* Moves all of `from` into `into`; `from` is empty afterwards. */
void fyke_arena_merge(struct fyke_arena *into, struct fyke_arena *from);

#endif
