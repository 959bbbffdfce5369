/*
 * Inside of analyzer/capture: blocks while they are filled, and the pool that they come from and go
 * back to. Any thread may take and release them. The pool lives until its owner has given it up and the last
 * block has come home.
 */
#ifndef FYKE_CAPTURE_BLOCK_H
#define FYKE_CAPTURE_BLOCK_H

#include "analyzer/capture/frame.h"

#include <stdatomic.h>
#include <stdbool.h>

enum { FYKE_PAGE = 4096, FYKE_BLOCK_BYTES = 256 * 1024, FYKE_BLOCK_FRAMES = 4096 };

struct fyke_block_pool;

/* A block as its maker sees it; `block` is what everybody else gets. */
struct fyke_block_room {
	struct fyke_block block; /* first: the two addresses are the same */
	struct fyke_frame *frames;
	size_t frames_room;
	uint8_t *bytes;		       /* at the start of a page */
	size_t size;		       /* of bytes */
	struct fyke_comment *comments; /* NULL while there are none */
	size_t comments_room;
	struct fyke_block **carried; /* that its frames lie in, beside its own bytes; held */
	size_t carried_count, carried_room;
	struct fyke_block_room *next;
	struct fyke_block_pool *pool;
	atomic_uint references;
};

/* NULL when memory is out. */
struct fyke_block_pool *fyke_block_pool_new(void);

/* Gives the owner's hold up. NULL is allowed. */
void fyke_block_pool_drop(struct fyke_block_pool *pool);

/* A block with no frames, held once, with room for `size` bytes: FYKE_BLOCK_BYTES and
 * FYKE_BLOCK_FRAMES frames where that is enough, else one of exactly `size` bytes and one frame that
 * is freed and not kept. NULL when memory is out. */
struct fyke_block_room *fyke_block_take(struct fyke_block_pool *pool, size_t size);

/* Frames of `other` are to be among those of the block: it is held as long as the block is. False when memory
 * is out. */
bool fyke_block_carry(struct fyke_block_room *room, struct fyke_block *other);

/* Its text lies in the block's bytes. False when memory is out. */
bool fyke_block_comment(struct fyke_block_room *room, struct fyke_comment comment);

#endif
