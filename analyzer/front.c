/*
 * decode ─▶ defragment ─▶ judge checksums ─▶ batch.
 *
 * The clock never goes back, and it follows a jump forward only to what the next frame confirms: one
 * packet with a wild time stamp expires nothing. The first frame sets it.
 */
#include "analyzer/front.h"

#include "analyzer/habits.h"
#include "analyzer/neighbours.h"

#include <stdlib.h>
#include <string.h>

enum {
	BATCH_FRAMES = 32,
	BATCH_PACKETS = BATCH_FRAMES * FYKE_LAYERS_MAX + FYKE_FRONT_FRAME_PACKETS,
	FRAGMENT_DATAGRAMS = 65536,
};

struct fyke_front {
	struct fyke_defrag *defrag;
	struct fyke_habits *habits;
	struct fyke_neighbours *neighbours;
	struct fyke_front_counters counters;
	int64_t clock_ns;
	uint64_t block, oldest_block;
	size_t count, frames, judged;
	struct fyke_front_room room;
	struct fyke_decoded decoded; /* of the frame in work, whose packets are made in place */
	int64_t clocks[BATCH_PACKETS];
	struct fyke_packet packets[BATCH_PACKETS];
};

enum fyke_status fyke_front_new(uint64_t fragment_memory, struct fyke_front **front, struct fyke_error *error)
{
	struct fyke_defrag_options options = {.memory = fragment_memory, .datagrams = FRAGMENT_DATAGRAMS};
	struct fyke_front *fresh = calloc(1, sizeof(*fresh));

	if (fresh != NULL)
		fresh->neighbours = fyke_neighbours_new();
	if (fresh == NULL || fresh->neighbours == NULL ||
		fyke_defrag_new(&options, &fresh->defrag) != FYKE_OK ||
		fyke_habits_new(&fresh->habits) != FYKE_OK) {
		fyke_front_free(fresh);
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "no memory to read packets");
	}
	fresh->clock_ns = INT64_MIN;
	fresh->room = (struct fyke_front_room){fresh->packets, fresh->clocks, BATCH_PACKETS, BATCH_FRAMES};
	fresh->decoded.packets = fresh->packets;
	*front = fresh;
	return FYKE_OK;
}

void fyke_front_free(struct fyke_front *front)
{
	if (front == NULL)
		return;
	if (front->defrag != NULL)
		fyke_defrag_free(front->defrag);
	fyke_habits_free(front->habits);
	fyke_neighbours_free(front->neighbours);
	free(front);
}

/* `block` holds their payloads, 0 = it lives no longer than the batch. `datagram`: what they were in,
 * NULL = the frame itself. */
static void add_packets(struct fyke_front *front, uint64_t block, const struct fyke_datagram *datagram)
{
	size_t end = front->count + front->decoded.count;

	for (size_t i = front->count; i < end; i++) {
		struct fyke_packet *packet = &front->room.packets[i];

		packet->block = block;
		packet->oldest_block = front->oldest_block;
		packet->fragment_frames = datagram == NULL ? NULL : datagram->frames;
		packet->fragment_count = datagram == NULL ? 0 : datagram->frame_count;
		front->room.clock_ns[i] = front->clock_ns;
	}
	front->count = end;
	front->decoded.packets = front->room.packets + end;
}

void fyke_front_enter_block(struct fyke_front *front, uint64_t block, uint64_t oldest)
{
	front->block = block;
	front->oldest_block = oldest;
}

static void move_clock(struct fyke_front *front, int64_t time_ns, int64_t next_ns)
{
	bool first = front->clock_ns == INT64_MIN;
	int64_t confirmed = next_ns < time_ns && !first ? next_ns : time_ns;

	if (confirmed > front->clock_ns)
		front->clock_ns = confirmed;
}

static void count_frame(struct fyke_front *front)
{
	const struct fyke_decoded *decoded = &front->decoded;

	if (decoded->count == 0 && !decoded->has_fragment) {
		front->counters.refused++;
		front->counters.refusals[decoded->refusal]++;
		return;
	}
	front->counters.decoded++;
	if (decoded->refusal != FYKE_REFUSAL_NONE)
		front->counters.inner_refusals[decoded->refusal]++;
}

/* Puts the fragment in work to the others. A first fragment that was cut can never become part of a whole:
 * what it has is read at once, so that its session is known. */
static bool whole_datagram(struct fyke_front *front, struct fyke_datagram *datagram)
{
	const struct fyke_fragment *fragment = &front->decoded.fragment;

	if (fragment->offset > 0 ||
		(fragment->captured == fragment->length && !fragment->packet.is_overstated))
		return fyke_defrag_add(front->defrag, fragment, datagram);
	*datagram = (struct fyke_datagram){.network = fragment->packet,
		.next_header = fragment->next_header,
		.data = fragment->data,
		.length = fragment->length,
		.captured = fragment->captured};
	datagram->network.is_fragmented = true;
	return true;
}

bool fyke_front_take(struct fyke_front *front, const struct fyke_frame *frame, int64_t next_ns)
{
	struct fyke_datagram datagram;

	move_clock(front, frame->time_ns, next_ns);
	fyke_decode_frame(frame, &front->decoded);
	count_frame(front);
	if (front->decoded.claim.kind != FYKE_CLAIM_NONE)
		fyke_neighbours_take(front->neighbours, &front->decoded.claim);
	add_packets(front, front->block, NULL);
	/* what a whole datagram carries may again be a fragment, of a tunnel's inner packet */
	for (int depth = 0; depth < FYKE_LAYERS_MAX && front->decoded.has_fragment; depth++) {
		if (!whole_datagram(front, &datagram))
			break;
		fyke_decode_datagram(&datagram.network, datagram.next_header, datagram.data, datagram.length,
			datagram.captured, &front->decoded);
		add_packets(front, 0, &datagram);
	}
	front->frames++;
	return front->frames >= front->room.frames_max ||
	       front->count > front->room.packets_max - FYKE_FRONT_FRAME_PACKETS;
}

/* The places of all senders are asked for before the first is looked at. */
static void judge(struct fyke_habits *habits, struct fyke_packet *packets, size_t count)
{
	uint32_t places[BATCH_FRAMES];

	for (size_t i = 0; i < count; i++)
		places[i] = fyke_habits_place(habits, &packets[i]);
	for (size_t i = 0; i < count; i++)
		fyke_habits_judge(habits, &packets[i], places[i]);
}

struct fyke_front_batch fyke_front_batch(struct fyke_front *front)
{
	while (front->judged < front->count) {
		size_t left = front->count - front->judged, part = left < BATCH_FRAMES ? left : BATCH_FRAMES;

		judge(front->habits, &front->room.packets[front->judged], part);
		front->judged += part;
	}
	return (struct fyke_front_batch){front->room.packets, front->room.clock_ns, front->count};
}

void fyke_front_clear(struct fyke_front *front)
{
	front->count = front->frames = front->judged = 0;
	front->decoded.packets = front->room.packets;
	fyke_defrag_recycle(front->defrag);
}

void fyke_front_give(struct fyke_front *front, struct fyke_arena *arena)
{
	front->count = front->frames = front->judged = 0;
	fyke_defrag_give(front->defrag, arena);
}

void fyke_front_use(struct fyke_front *front, const struct fyke_front_room *room)
{
	front->room = *room;
	front->decoded.packets = room->packets;
}

int64_t fyke_front_clock(const struct fyke_front *front)
{
	return front->clock_ns;
}

void fyke_front_expire(struct fyke_front *front, bool end)
{
	if (end)
		fyke_defrag_drain(front->defrag);
	else
		fyke_defrag_expire(front->defrag, front->clock_ns);
}

bool fyke_front_hand_over(struct fyke_front *front, struct fyke_tick *tick, bool all)
{
	return fyke_neighbours_hand_over(front->neighbours, tick, all);
}

/* Frames whose fragment never became part of a whole datagram gave nothing in the end: they are refused
 * after all. */
struct fyke_front_counters fyke_front_counters(const struct fyke_front *front)
{
	struct fyke_front_counters counters = front->counters;

	counters.defrag = fyke_defrag_counters(front->defrag);
	counters.decoded -= counters.defrag.outer_incomplete;
	counters.refused += counters.defrag.outer_incomplete;
	counters.refusals[FYKE_REFUSAL_FRAGMENT_INCOMPLETE] += counters.defrag.outer_incomplete;
	return counters;
}
