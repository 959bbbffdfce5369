/* A binary heap of events; memory that runs out ends the program. */
#include "bench/traces/queue.h"

#include <stdlib.h>

struct queue {
	struct event *events;
	size_t count, room;
	uint64_t serial;
};

struct queue *queue_new(void)
{
	return calloc(1, sizeof(struct queue));
}

void queue_free(struct queue *queue)
{
	free(queue->events);
	free(queue);
}

static bool before(const struct event *a, const struct event *b)
{
	return a->time_us != b->time_us ? a->time_us < b->time_us : a->serial < b->serial;
}

void queue_add(struct queue *queue, const struct event *event)
{
	size_t at = queue->count++;
	struct event added = *event;

	if (queue->count > queue->room) {
		queue->room = queue->room * 2 + 1024;
		queue->events = reallocarray(queue->events, queue->room, sizeof *queue->events);
		if (queue->events == NULL)
			abort();
	}
	added.serial = queue->serial++;
	for (; at > 0 && before(&added, &queue->events[(at - 1) / 2]); at = (at - 1) / 2)
		queue->events[at] = queue->events[(at - 1) / 2];
	queue->events[at] = added;
}

bool queue_take(struct queue *queue, struct event *event)
{
	struct event *events = queue->events, *last;
	size_t at = 0, child;

	if (queue->count == 0)
		return false;
	*event = events[0];
	last = &events[--queue->count];
	while ((child = at * 2 + 1) < queue->count) {
		if (child + 1 < queue->count && before(&events[child + 1], &events[child]))
			child++;
		if (!before(&events[child], last))
			break;
		events[at] = events[child];
		at = child;
	}
	events[at] = *last;
	return true;
}
