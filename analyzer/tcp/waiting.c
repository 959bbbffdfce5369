/* A sorted array used as a window: pieces arrive near its end and leave at its front. */
#include "analyzer/tcp/waiting.h"

#include <stdlib.h>
#include <string.h>

uint32_t fyke_waiting_find(const struct fyke_waiting *waiting, int64_t offset)
{
	uint32_t low = 0, high = waiting->count;

	if (high > 0 && fyke_waiting_at(waiting, high - 1)->end <= offset)
		return high;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (fyke_waiting_at(waiting, middle)->end <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool fyke_waiting_reserve(struct fyke_waiting *waiting, uint32_t more)
{
	struct fyke_waiting_piece *list;
	uint32_t room = waiting->room == 0 ? 4 : waiting->room;

	if (waiting->count + more > FYKE_WAITING_MAX)
		return false;
	if (waiting->head + waiting->count + more <= waiting->room)
		return true;
	if (waiting->head > 0) {
		memmove(waiting->list, fyke_waiting_at(waiting, 0), waiting->count * sizeof(*list));
		waiting->head = 0;
	}
	/* a quarter free, lest the front's leaving moves all of them each time */
	while (room < waiting->count + more + waiting->count / 4)
		room *= 2;
	if (room == waiting->room)
		return true;
	list = reallocarray(waiting->list, room, sizeof(*list));
	if (list == NULL)
		return false;
	waiting->list = list;
	waiting->room = room;
	return true;
}

void fyke_waiting_insert(struct fyke_waiting *waiting, uint32_t index, const struct fyke_waiting_piece *piece)
{
	memmove(fyke_waiting_at(waiting, index + 1), fyke_waiting_at(waiting, index),
		(waiting->count - index) * sizeof(*piece));
	*fyke_waiting_at(waiting, index) = *piece;
	waiting->count++;
}

void fyke_waiting_remove(struct fyke_waiting *waiting, uint32_t index)
{
	waiting->count--;
	if (index == 0)
		waiting->head++;
	else
		memmove(fyke_waiting_at(waiting, index), fyke_waiting_at(waiting, index + 1),
			(waiting->count - index) * sizeof(struct fyke_waiting_piece));
}

void fyke_waiting_release(struct fyke_waiting *waiting)
{
	free(waiting->list);
	*waiting = (struct fyke_waiting){0};
}
