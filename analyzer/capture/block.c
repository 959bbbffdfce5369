/*
 * Blocks of captured bytes and the frames in them. Of the usual size up to MOST_KEPT are kept for
 * reuse, so that reading allocates nothing once as many blocks exist as are in flight; the free list
 * is locked, once per block and never per packet.
 */
#include "analyzer/capture/block.h"

#include "analyzer/base/grow.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { MOST_KEPT = 64 };

struct fyke_block_pool {
	pthread_mutex_t lock;
	struct fyke_block_room *kept;
	size_t kept_count;
	atomic_size_t holds; /* the owner's and one for each block that is out */
};

struct fyke_block_pool *fyke_block_pool_new(void)
{
	struct fyke_block_pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	if (pthread_mutex_init(&pool->lock, NULL) != 0) {
		free(pool);
		return NULL;
	}
	atomic_init(&pool->holds, 1);
	return pool;
}

static void free_room(struct fyke_block_room *room)
{
	free(room->carried);
	free(room->comments);
	free(room->frames);
	free(room->bytes);
	free(room);
}

void fyke_block_pool_drop(struct fyke_block_pool *pool)
{
	if (pool == NULL || atomic_fetch_sub(&pool->holds, 1) != 1)
		return;
	while (pool->kept != NULL) {
		struct fyke_block_room *next = pool->kept->next;

		free_room(pool->kept);
		pool->kept = next;
	}
	(void)pthread_mutex_destroy(&pool->lock);
	free(pool);
}

static struct fyke_block_room *take_kept(struct fyke_block_pool *pool)
{
	struct fyke_block_room *room;

	(void)pthread_mutex_lock(&pool->lock);
	room = pool->kept;
	if (room != NULL) {
		pool->kept = room->next;
		pool->kept_count--;
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return room;
}

static struct fyke_block_room *make_room(size_t size, size_t frames)
{
	struct fyke_block_room *room = calloc(1, sizeof(*room));

	if (room == NULL)
		return NULL;
	room->bytes = aligned_alloc(FYKE_PAGE, (size + FYKE_PAGE - 1) / FYKE_PAGE * FYKE_PAGE);
	room->frames = malloc(frames * sizeof(*room->frames));
	if (room->bytes == NULL || room->frames == NULL) {
		free_room(room);
		return NULL;
	}
	room->size = size;
	room->frames_room = frames;
	room->block.frames = room->frames;
	return room;
}

struct fyke_block_room *fyke_block_take(struct fyke_block_pool *pool, size_t size)
{
	struct fyke_block_room *room = NULL;

	if (size > FYKE_BLOCK_BYTES) {
		room = make_room(size, 1);
	} else {
		room = take_kept(pool);
		if (room == NULL)
			room = make_room(FYKE_BLOCK_BYTES, FYKE_BLOCK_FRAMES);
	}
	if (room == NULL)
		return NULL;
	atomic_fetch_add(&pool->holds, 1);
	room->pool = pool;
	room->next = NULL;
	room->block.count = room->block.comment_count = 0;
	atomic_init(&room->references, 1);
	return room;
}

bool fyke_block_carry(struct fyke_block_room *room, struct fyke_block *other)
{
	struct fyke_block **grown =
		fyke_grow(room->carried, room->carried_count, &room->carried_room, 8, sizeof(*grown));

	if (grown == NULL)
		return false;
	room->carried = grown;
	fyke_block_hold(other);
	room->carried[room->carried_count++] = other;
	return true;
}

bool fyke_block_comment(struct fyke_block_room *room, struct fyke_comment comment)
{
	struct fyke_comment *grown = fyke_grow(
		room->comments, room->block.comment_count, &room->comments_room, 16, sizeof(*grown));

	if (grown == NULL)
		return false;
	room->block.comments = room->comments = grown;
	room->comments[room->block.comment_count++] = comment;
	return true;
}

/* Few captures have any: a block that waits for its next use keeps no room for them. */
static void drop_comments(struct fyke_block_room *room)
{
	free(room->comments);
	room->block.comments = room->comments = NULL;
	room->comments_room = 0;
}

static bool keep(struct fyke_block_pool *pool, struct fyke_block_room *room)
{
	bool kept = false;

	if (room->size != FYKE_BLOCK_BYTES)
		return false;
	(void)pthread_mutex_lock(&pool->lock);
	if (pool->kept_count < MOST_KEPT) {
		room->next = pool->kept;
		pool->kept = room;
		pool->kept_count++;
		kept = true;
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return kept;
}

static struct fyke_block_room *room_of(struct fyke_block *block)
{
	return (struct fyke_block_room *)block;
}

void fyke_block_hold(struct fyke_block *block)
{
	atomic_fetch_add_explicit(&room_of(block)->references, 1, memory_order_relaxed);
}

void fyke_block_release(struct fyke_block *block)
{
	struct fyke_block_room *room = room_of(block);
	struct fyke_block_pool *pool = room->pool;

	if (atomic_fetch_sub_explicit(&room->references, 1, memory_order_acq_rel) != 1)
		return;
	while (room->carried_count > 0)
		fyke_block_release(room->carried[--room->carried_count]);
	drop_comments(room);
	if (!keep(pool, room))
		free_room(room);
	fyke_block_pool_drop(pool);
}
