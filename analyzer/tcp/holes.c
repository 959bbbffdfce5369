/*
 * Missing intervals in a sorted array. Segments come nearly in order, so holes are made at the end
 * and filled near it; the array is searched from there. At most FYKE_TCP_HOLES_MAX entries bound
 * time and memory whatever comes.
 */
#include "analyzer/tcp/holes.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static bool make_room(struct fyke_tcp_holes **holes)
{
	struct fyke_tcp_holes *set = *holes;
	uint32_t room;

	if (set != NULL && set->count < set->room)
		return true;
	room = set == NULL ? 4 : set->room * 2;
	set = realloc(set, sizeof(*set) + room * sizeof(set->list[0]));
	if (set == NULL)
		return false;
	if (*holes == NULL)
		*set = (struct fyke_tcp_holes){0};
	set->room = room;
	*holes = set;
	return true;
}

static void remove_at(struct fyke_tcp_holes *set, uint32_t at)
{
	memmove(&set->list[at], &set->list[at + 1], (set->count - at - 1) * sizeof(set->list[0]));
	set->count--;
}

static void give_up_lowest(struct fyke_tcp_holes *set)
{
	set->given_up++;
	set->given_up_bytes += set->list[0].end - set->list[0].start;
	remove_at(set, 0);
}

/* The first hole that ends behind `offset`; count when there is none. */
static uint32_t first_ending_behind(const struct fyke_tcp_holes *set, int64_t offset)
{
	uint32_t low = 0, high = set->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (set->list[middle].end > offset)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static bool insert(struct fyke_tcp_holes **holes, struct fyke_tcp_hole hole)
{
	struct fyke_tcp_holes *set;
	uint32_t at;

	if (*holes != NULL && (*holes)->count >= FYKE_TCP_HOLES_MAX)
		give_up_lowest(*holes);
	if (!make_room(holes))
		return false;
	set = *holes;
	at = first_ending_behind(set, hole.start);
	memmove(&set->list[at + 1], &set->list[at], (set->count - at) * sizeof(set->list[0]));
	set->list[at] = hole;
	set->count++;
	return true;
}

bool fyke_tcp_holes_add(struct fyke_tcp_holes **holes, int64_t start, int64_t end)
{
	return insert(holes, (struct fyke_tcp_hole){start, end, false});
}

/* Takes [start, end) out of one hole that it overlaps; returns the bytes taken. */
static int64_t cut(struct fyke_tcp_holes **holes, uint32_t at, int64_t start, int64_t end)
{
	struct fyke_tcp_hole *hole = &(*holes)->list[at];
	int64_t from = start > hole->start ? start : hole->start;
	int64_t to = end < hole->end ? end : hole->end;
	struct fyke_tcp_hole upper = {to, hole->end, hole->acknowledged};

	if (from == hole->start && to == hole->end) {
		remove_at(*holes, at);
	} else if (from == hole->start) {
		hole->start = to;
	} else {
		hole->end = from;
		if (to < upper.end && !insert(holes, upper))
			(*holes)->given_up_bytes += upper.end - upper.start;
	}
	return to - from;
}

int64_t fyke_tcp_holes_fill(struct fyke_tcp_holes **holes, int64_t start, int64_t end)
{
	int64_t filled = 0;

	while (*holes != NULL) {
		uint32_t at = first_ending_behind(*holes, start);

		if (at == (*holes)->count || (*holes)->list[at].start >= end)
			break;
		filled += cut(holes, at, start, end);
	}
	return filled;
}

int64_t fyke_tcp_holes_within(const struct fyke_tcp_holes *holes, int64_t start, int64_t end)
{
	int64_t bytes = 0;

	for (uint32_t i = holes == NULL ? 0 : first_ending_behind(holes, start);
		holes != NULL && i < holes->count && holes->list[i].start < end; i++) {
		const struct fyke_tcp_hole *hole = &holes->list[i];

		bytes += (hole->end < end ? hole->end : end) - (hole->start > start ? hole->start : start);
	}
	return bytes;
}

uint32_t fyke_tcp_holes_acknowledge(struct fyke_tcp_holes *holes, int64_t offset)
{
	uint32_t passed = 0;

	if (holes == NULL)
		return 0;
	for (uint32_t i = 0; i < holes->count && holes->list[i].start < offset; i++) {
		if (!holes->list[i].acknowledged)
			passed++;
		holes->list[i].acknowledged = true;
	}
	return passed;
}

int64_t fyke_tcp_holes_bytes(const struct fyke_tcp_holes *holes)
{
	int64_t bytes = 0;

	if (holes == NULL)
		return 0;
	for (uint32_t i = 0; i < holes->count; i++)
		bytes += holes->list[i].end - holes->list[i].start;
	return bytes + holes->given_up_bytes;
}

uint32_t fyke_tcp_holes_count(const struct fyke_tcp_holes *holes)
{
	return holes == NULL ? 0 : holes->count + holes->given_up;
}
