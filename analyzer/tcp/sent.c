/*
 * The queue is an array used as a window: new segments go to its end, acknowledged ones leave at its
 * front. Segments come nearly in order, so searches begin at the end.
 */
#include "analyzer/tcp/sent.h"

#include <string.h>

_Static_assert(sizeof(struct fyke_tcp_sent) == 64, "one cache line a segment under way");
_Static_assert(4 * FYKE_TCP_SENT_MAX <= UINT16_MAX, "queues are counted in 16 bits");

static struct fyke_tcp_sent *at(const struct fyke_tcp_sent_queue *queue, uint32_t index)
{
	return &queue->list[queue->head + index];
}

/* Joins pairs of neighbours: half the entries, coarser times. */
static void join_neighbours(struct fyke_tcp_sent_queue *queue)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < queue->count; i++) {
		struct fyke_tcp_sent *entry = at(queue, i);
		struct fyke_tcp_sent *last = kept > 0 ? at(queue, kept - 1) : NULL;

		if (last != NULL && (i & 1) == 1 && fyke_tcp_sent_end(last) == entry->start &&
			last->sacked == entry->sacked && last->length + entry->length > last->length) {
			last->length += entry->length;
			last->time_ns = entry->time_ns;
			last->resends = last->resends > entry->resends ? last->resends : entry->resends;
		} else {
			*at(queue, kept++) = *entry;
		}
	}
	queue->acknowledged = queue->acknowledged < kept ? queue->acknowledged : 0;
	queue->count = (uint16_t)kept;
	queue->joined = true;
}

static bool grow(struct fyke_blocks *blocks, struct fyke_tcp_sent_queue *queue)
{
	uint16_t room = (uint16_t)(queue->room == 0 ? 1 : queue->room * 2);
	struct fyke_tcp_sent *list =
		room > 4 * FYKE_TCP_SENT_MAX ? NULL : fyke_blocks_take(blocks, room * sizeof(*list));

	if (list == NULL)
		return false;
	if (queue->count > 0)
		memcpy(list, at(queue, 0), queue->count * sizeof(*list));
	fyke_blocks_give(blocks, queue->list, queue->room * sizeof(*list));
	queue->list = list;
	queue->head = 0;
	queue->room = room;
	return true;
}

static bool make_room(struct fyke_blocks *blocks, struct fyke_tcp_sent_queue *queue)
{
	if (queue->head + queue->count < queue->room)
		return true;
	if (queue->head > queue->room / 2) {
		memmove(queue->list, at(queue, 0), queue->count * sizeof(*queue->list));
		queue->head = 0;
		return true;
	}
	if (queue->count >= FYKE_TCP_SENT_MAX) {
		join_neighbours(queue);
		if (queue->head + queue->count < queue->room)
			return true;
	}
	return grow(blocks, queue);
}

static void forget_first(struct fyke_tcp_sent_queue *queue)
{
	queue->head++;
	queue->count--;
	if (queue->acknowledged > 0)
		queue->acknowledged--;
}

bool fyke_tcp_sent_add(struct fyke_blocks *blocks, struct fyke_tcp_sent_queue *queue,
	const struct fyke_tcp_sent *sent, bool blind)
{
	uint32_t place;

	while (blind && queue->count >= FYKE_TCP_SENT_BLIND)
		forget_first(queue);
	if (!make_room(blocks, queue))
		return false;
	place = queue->count;
	while (place > 0 && at(queue, place - 1)->start > sent->start)
		place--;
	queue->put_between |= place < queue->count;
	queue->overlapping |= (place > 0 && fyke_tcp_sent_end(at(queue, place - 1)) > sent->start) ||
			      (place < queue->count && fyke_tcp_sent_end(sent) > at(queue, place)->start);
	memmove(at(queue, place) + 1, at(queue, place), (queue->count - place) * sizeof(*sent));
	*at(queue, place) = *sent;
	queue->count++;
	if (place < queue->acknowledged)
		queue->acknowledged++;
	return true;
}

/* How many begin at or before an offset. */
static uint32_t count_up_to(const struct fyke_tcp_sent_queue *queue, int64_t offset)
{
	uint32_t low = 0, high = queue->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (at(queue, middle)->start <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct fyke_tcp_sent *fyke_tcp_sent_find(struct fyke_tcp_sent_queue *queue, int64_t offset)
{
	uint32_t low = count_up_to(queue, offset);

	if (low == 0 || fyke_tcp_sent_end(at(queue, low - 1)) <= offset)
		return NULL;
	return at(queue, low - 1);
}

void fyke_tcp_sent_again(
	struct fyke_tcp_sent_queue *queue, int64_t start, int64_t end, const struct fyke_tcp_sent *again)
{
	for (uint32_t i = queue->count; i-- > 0 && fyke_tcp_sent_end(at(queue, i)) > start;) {
		struct fyke_tcp_sent *entry = at(queue, i);

		if (entry->start >= end)
			continue;
		entry->telling = entry->has_stamp && again->has_stamp && entry->stamp != again->stamp;
		entry->stamp = again->stamp;
		entry->time_ns = again->time_ns;
		entry->print = again->print;
		if (entry->resends < FYKE_TCP_RESENDS_MAX)
			entry->resends++;
	}
}

static void forget_oldest(struct fyke_tcp_sent_queue *queue)
{
	while (queue->acknowledged > FYKE_TCP_SENT_KEPT)
		forget_first(queue);
	if (queue->count == 0)
		queue->head = 0;
}

static bool is_unambiguous(const struct fyke_tcp_sent *entry, const uint32_t *echo)
{
	if (entry->sacked)
		return false;
	return entry->resends == 0 || (entry->telling && echo != NULL && *echo == entry->stamp);
}

struct fyke_tcp_passed fyke_tcp_sent_acknowledge(
	struct fyke_tcp_sent_queue *queue, int64_t offset, const uint32_t *echo)
{
	struct fyke_tcp_passed passed = {0};
	const struct fyke_tcp_sent *first, *last, *end;

	if (queue->acknowledged == queue->count)
		return passed;
	first = last = at(queue, queue->acknowledged);
	end = at(queue, queue->count);
	for (; last < end && fyke_tcp_sent_end(last) <= offset; last++) {
		passed.original |= last->resends == 0 && !last->sacked;
		passed.resend |= last->resends > 0;
		if (last->time_ns > passed.latest_ns)
			passed.latest_ns = last->time_ns;
	}
	if (last == first)
		return passed;
	passed.any = true;
	passed.start = first->start;
	passed.sent_ns = first->time_ns;
	queue->acknowledged = (uint16_t)(queue->acknowledged + (last - first));
	if (fyke_tcp_sent_end(&last[-1]) == offset && is_unambiguous(&last[-1], echo))
		passed.sample = &last[-1];
	forget_oldest(queue);
	return passed;
}

void fyke_tcp_sent_sack(
	struct fyke_tcp_sent_queue *queue, int64_t start, int64_t known, int64_t end, int64_t *latest_ns)
{
	int64_t from = queue->overlapping || known < start ? start : known;

	for (uint32_t i = count_up_to(queue, end);
		i-- > queue->acknowledged && fyke_tcp_sent_end(at(queue, i)) > from;) {
		struct fyke_tcp_sent *entry = at(queue, i);

		if (entry->sacked || entry->start < start || fyke_tcp_sent_end(entry) > end)
			continue;
		entry->sacked = true;
		if (entry->time_ns > *latest_ns)
			*latest_ns = entry->time_ns;
	}
}

struct fyke_tcp_behind fyke_tcp_sent_behind(const struct fyke_tcp_sent_queue *queue, int64_t offset)
{
	struct fyke_tcp_behind behind = {0};

	for (uint32_t i = queue->count; i-- > 0 && at(queue, i)->start >= offset;) {
		if (at(queue, i)->resends > 0)
			continue;
		behind.count++;
		behind.nearest = at(queue, i);
		if (behind.since_ns == 0 || behind.nearest->time_ns < behind.since_ns)
			behind.since_ns = behind.nearest->time_ns;
	}
	return behind;
}

void fyke_tcp_sent_release(struct fyke_blocks *blocks, struct fyke_tcp_sent_queue *queue)
{
	fyke_blocks_give(blocks, queue->list, queue->room * sizeof(*queue->list));
	*queue = (struct fyke_tcp_sent_queue){0};
}
