/*
 * Each thread empties its ring into blocks and says up to which time the ring holds nothing more. The reader
 * takes the oldest frame of all lanes as soon as no other lane can still bring an older one.
 *
 *   ring ─▶ thread ─▶ blocks ─┐
 *   ring ─▶ thread ─▶ blocks ─┼─ by time ─▶ one block that holds those
 *   ring ─▶ thread ─▶ blocks ─┘
 *
 * One lock, taken per block, never per packet.
 */
#include "analyzer/capture/lanes.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BLOCKS_WAITING = 64, RETIRE_FACTOR = 2, STATS_EVERY_MS = 500 };

#define MILLISECOND INT64_C(1000000)

struct lane {
	struct fyke_lanes *lanes;
	struct fyke_ring ring;
	pthread_t thread;
	bool is_running;
	/* under the lock */
	struct fyke_block_room *first, *last;
	size_t waiting;
	int64_t complete_ns; /* older packets are all among those above, or were */
	uint64_t kernel_drops, interface_drops;
	bool drops_known, failed;
	/* the reader's */
	struct fyke_block_room *current;
	size_t at;
	bool is_carried; /* the block in work holds `current` */
};

struct fyke_lanes {
	pthread_mutex_t lock;
	pthread_cond_t arrived, taken;
	bool stop;
	bool has_started;
	int64_t begin_ns; /* all rings were one group from then on */
	struct fyke_block_pool *pool;
	size_t count;
	struct lane lane[];
};

static int64_t now_ns(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- the threads ---------------------------------------------------------------------------------- */

static bool is_stopped(struct fyke_lanes *lanes)
{
	bool stop;

	(void)pthread_mutex_lock(&lanes->lock);
	stop = lanes->stop;
	(void)pthread_mutex_unlock(&lanes->lock);
	return stop;
}

static void append(struct lane *lane, struct fyke_block_room *room)
{
	if (lane->first == NULL)
		lane->first = room;
	else
		lane->last->next = room;
	lane->last = room;
	lane->waiting++;
}

/* Hands over what was collected; waits while the reader is behind, so that it is the kernel that drops, and
 * counts.
 */
static void hand_over(struct lane *lane, int64_t complete_ns)
{
	struct fyke_lanes *lanes = lane->lanes;
	struct fyke_block_room *room;

	(void)pthread_mutex_lock(&lanes->lock);
	while ((room = fyke_ring_take(&lane->ring)) != NULL) {
		while (lane->waiting >= BLOCKS_WAITING && !lanes->stop)
			(void)pthread_cond_wait(&lanes->taken, &lanes->lock);
		append(lane, room);
	}
	if (complete_ns > lane->complete_ns)
		lane->complete_ns = complete_ns;
	lane->failed = lane->ring.failed;
	(void)pthread_cond_signal(&lanes->arrived);
	(void)pthread_mutex_unlock(&lanes->lock);
}

static void count_drops(struct lane *lane, int64_t *counted_ns)
{
	int64_t now = now_ns(CLOCK_MONOTONIC);
	uint64_t kernel = 0, interface = 0;
	bool known;

	if (*counted_ns != 0 && now - *counted_ns < STATS_EVERY_MS * MILLISECOND)
		return;
	*counted_ns = now;
	known = fyke_ring_count_drops(&lane->ring, &kernel, &interface);
	(void)pthread_mutex_lock(&lane->lanes->lock);
	lane->kernel_drops += kernel;
	lane->interface_drops += interface;
	lane->drops_known = known;
	(void)pthread_mutex_unlock(&lane->lanes->lock);
}

/* The kernel shows packets when a block of its own is full, or after the timeout: a ring that shows none now
 * holds none that is older than that. */
static void *empty_ring(void *context)
{
	struct lane *lane = context;
	int64_t retire_ns = lane->ring.timeout_ms * RETIRE_FACTOR * MILLISECOND, counted_ns = 0;

	while (!is_stopped(lane->lanes) && !lane->ring.failed) {
		int64_t before_ns = now_ns(CLOCK_REALTIME);
		int got = fyke_ring_collect(&lane->ring);

		hand_over(lane, before_ns - retire_ns);
		count_drops(lane, &counted_ns);
		if (got == 0)
			fyke_ring_wait(&lane->ring, lane->ring.timeout_ms);
	}
	return NULL;
}

/* ---- the reader ----------------------------------------------------------------------------------- */

static enum fyke_status start(struct fyke_lanes *lanes, struct fyke_error *error)
{
	lanes->has_started = true;
	for (size_t i = 0; i < lanes->count; i++) {
		int result = pthread_create(&lanes->lane[i].thread, NULL, empty_ring, &lanes->lane[i]);

		if (result != 0)
			return fyke_error_set(
				error, FYKE_FAILED_MEMORY, "no thread can be started: %s", strerror(result));
		lanes->lane[i].is_running = true;
	}
	return FYKE_OK;
}

static void stop(struct fyke_lanes *lanes)
{
	(void)pthread_mutex_lock(&lanes->lock);
	lanes->stop = true;
	(void)pthread_cond_broadcast(&lanes->taken);
	(void)pthread_mutex_unlock(&lanes->lock);
	for (size_t i = 0; i < lanes->count; i++) {
		if (lanes->lane[i].is_running)
			(void)pthread_join(lanes->lane[i].thread, NULL);
		lanes->lane[i].is_running = false;
	}
}

/* Under the lock: each lane gets its next block where it has used up one. */
static void refill(struct fyke_lanes *lanes)
{
	for (size_t i = 0; i < lanes->count; i++) {
		struct lane *lane = &lanes->lane[i];

		if (lane->current != NULL && lane->at < lane->current->block.count)
			continue;
		if (lane->current != NULL)
			fyke_block_release(&lane->current->block);
		lane->current = lane->first;
		lane->is_carried = false;
		lane->at = 0;
		if (lane->first == NULL)
			continue;
		lane->first = lane->first->next;
		lane->current->next = NULL;
		lane->waiting--;
		(void)pthread_cond_broadcast(&lanes->taken);
	}
}

/* The lane with the oldest frame; NULL where one that has none may still bring an older one. */
static struct lane *oldest(struct fyke_lanes *lanes, bool all)
{
	struct lane *found = NULL;
	int64_t complete_ns = INT64_MAX;

	for (size_t i = 0; i < lanes->count; i++) {
		struct lane *lane = &lanes->lane[i];

		if (lane->current == NULL) {
			if (lane->complete_ns < complete_ns)
				complete_ns = lane->complete_ns;
		} else if (found == NULL || lane->current->frames[lane->at].time_ns <
						    found->current->frames[found->at].time_ns) {
			found = lane;
		}
	}
	if (found == NULL || all || found->current->frames[found->at].time_ns <= complete_ns)
		return found;
	return NULL;
}

/* Moves the frame into the block; false when memory is out. */
static bool move(struct fyke_lanes *lanes, struct lane *lane, struct fyke_block_room *room)
{
	const struct fyke_frame *frame = &lane->current->frames[lane->at++];

	if (frame->time_ns < lanes->begin_ns)
		return true;
	if (!lane->is_carried && !fyke_block_carry(room, &lane->current->block))
		return false;
	lane->is_carried = true;
	room->frames[room->block.count++] = *frame;
	return true;
}

/* Under the lock. False when memory is out. */
static bool merge(struct fyke_lanes *lanes, bool all, struct fyke_block_room *room)
{
	while (room->block.count < room->frames_room) {
		struct lane *lane;

		refill(lanes);
		lane = oldest(lanes, all);
		if (lane == NULL)
			return true;
		if (!move(lanes, lane, room))
			return false;
	}
	return true;
}

static bool wait_until(struct fyke_lanes *lanes, const struct timespec *deadline)
{
	return pthread_cond_timedwait(&lanes->arrived, &lanes->lock, deadline) != ETIMEDOUT;
}

static const struct fyke_ring *failed_ring(const struct fyke_lanes *lanes)
{
	for (size_t i = 0; i < lanes->count; i++) {
		if (lanes->lane[i].failed)
			return &lanes->lane[i].ring;
	}
	return NULL;
}

/* Frames of all lanes until none can be told to be next, waited for until the deadline. */
static enum fyke_status fill(struct fyke_lanes *lanes, int64_t milliseconds, bool all,
	struct fyke_block_room *room, struct fyke_error *error)
{
	int64_t until_ns = now_ns(CLOCK_MONOTONIC) + milliseconds * MILLISECOND;
	const struct timespec deadline = {until_ns / 1000000000, until_ns % 1000000000};
	enum fyke_status status = FYKE_OK;
	const struct fyke_ring *failed;
	bool waits = true;

	for (size_t i = 0; i < lanes->count; i++)
		lanes->lane[i].is_carried = false; /* by the block before */
	(void)pthread_mutex_lock(&lanes->lock);
	while (status == FYKE_OK && room->block.count == 0 && waits) {
		if (!merge(lanes, all, room))
			status = fyke_error_set(error, FYKE_FAILED_MEMORY, "no memory left for packets");
		failed = failed_ring(lanes);
		if (status == FYKE_OK && room->block.count == 0 && failed != NULL)
			status = fyke_error_set(error, failed->failure.status, "%s", failed->failure.text);
		if (status == FYKE_OK && room->block.count == 0)
			waits = !all && wait_until(lanes, &deadline);
	}
	(void)pthread_mutex_unlock(&lanes->lock);
	return status;
}

enum fyke_status fyke_lanes_next(struct fyke_lanes *lanes, int64_t milliseconds, bool all,
	struct fyke_block_room **room, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	*room = NULL;
	if (!lanes->has_started)
		status = start(lanes, error);
	if (all)
		stop(lanes);
	if (status != FYKE_OK)
		return status;
	*room = fyke_block_take(lanes->pool, 0);
	if (*room == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "no memory left for packets");
	status = fill(lanes, milliseconds, all, *room, error);
	/* what has come before a failure is given first */
	if ((*room)->block.count > 0)
		return FYKE_OK;
	fyke_block_release(&(*room)->block);
	*room = NULL;
	return status;
}

bool fyke_lanes_drops(struct fyke_lanes *lanes, uint64_t *kernel, uint64_t *interface)
{
	bool known = true;

	*kernel = *interface = 0;
	(void)pthread_mutex_lock(&lanes->lock);
	for (size_t i = 0; i < lanes->count; i++) {
		const struct lane *lane = &lanes->lane[i];

		known = known && lane->drops_known;
		*kernel += lane->kernel_drops;
		/* each ring is told all that the interface dropped */
		if (lane->interface_drops > *interface)
			*interface = lane->interface_drops;
	}
	(void)pthread_mutex_unlock(&lanes->lock);
	return known;
}

static bool init_locks(struct fyke_lanes *lanes)
{
	pthread_condattr_t attributes;
	bool made = pthread_condattr_init(&attributes) == 0;

	made = made && pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
	       pthread_mutex_init(&lanes->lock, NULL) == 0 &&
	       pthread_cond_init(&lanes->arrived, &attributes) == 0 &&
	       pthread_cond_init(&lanes->taken, NULL) == 0;
	(void)pthread_condattr_destroy(&attributes);
	return made;
}

struct fyke_lanes *fyke_lanes_new(
	const struct fyke_ring *rings, size_t count, struct fyke_block_pool *pool, struct fyke_error *error)
{
	struct fyke_lanes *lanes = calloc(1, sizeof(*lanes) + count * sizeof(lanes->lane[0]));
	enum fyke_status status = FYKE_OK;
	int group = 0;

	if (lanes == NULL || !init_locks(lanes))
		status = fyke_error_set(error, FYKE_FAILED_MEMORY, "no memory left to capture");
	for (size_t i = 0; i < count && status == FYKE_OK; i++) {
		lanes->lane[i].lanes = lanes;
		lanes->lane[i].ring = rings[i];
		lanes->lane[i].complete_ns = INT64_MIN;
		status = fyke_ring_join(&lanes->lane[i].ring, &group, error);
	}
	if (status != FYKE_OK) {
		free(lanes);
		return NULL;
	}
	lanes->pool = pool;
	lanes->count = count;
	lanes->begin_ns = now_ns(CLOCK_REALTIME);
	return lanes;
}

static void drop_blocks(struct lane *lane)
{
	if (lane->current != NULL)
		fyke_block_release(&lane->current->block);
	while (lane->first != NULL) {
		struct fyke_block_room *next = lane->first->next;

		fyke_block_release(&lane->first->block);
		lane->first = next;
	}
}

void fyke_lanes_free(struct fyke_lanes *lanes)
{
	if (lanes == NULL)
		return;
	stop(lanes);
	for (size_t i = 0; i < lanes->count; i++) {
		drop_blocks(&lanes->lane[i]);
		fyke_ring_close(&lanes->lane[i].ring);
	}
	(void)pthread_cond_destroy(&lanes->arrived);
	(void)pthread_cond_destroy(&lanes->taken);
	(void)pthread_mutex_destroy(&lanes->lock);
	free(lanes);
}
