/*
 * The reader's half of a run: frames become whole packets with a verdict on their checksums and a
 * clock. Everything that must see all packets in order happens here; flows are the engine's.
 */
#ifndef FYKE_ANALYZER_FRONT_H
#define FYKE_ANALYZER_FRONT_H

#include "analyzer/decode/decode.h"
#include "analyzer/defrag/defrag.h"
#include "analyzer/session/sink.h"

struct fyke_front;

struct fyke_front_counters {
	uint64_t decoded, refused;
	uint64_t refusals[FYKE_REFUSAL_COUNT];
	uint64_t inner_refusals[FYKE_REFUSAL_COUNT];
	struct fyke_defrag_counters defrag;
};

/* Where packets go, until another is given; the front's own at first. */
struct fyke_front_room {
	struct fyke_packet *packets;
	int64_t *clock_ns;
	size_t packets_max,
		frames_max; /* the first at least FYKE_FRONT_FRAME_PACKETS, which one frame may give */
};

enum {
	/* A frame's own, and those of the datagrams that its fragment makes whole one inside the other. */
	FYKE_FRONT_FRAME_PACKETS = (1 + FYKE_LAYERS_MAX) * FYKE_LAYERS_MAX,
};

/* Packets ready for the engine; clock_ns[i] is the confirmed packet time at packets[i]. Borrowed
 * until fyke_front_clear. */
struct fyke_front_batch {
	const struct fyke_packet *packets;
	const int64_t *clock_ns;
	size_t count;
};

FYKE_MUST_USE enum fyke_status fyke_front_new(
	uint64_t fragment_memory, struct fyke_front **front, struct fyke_error *error);
void fyke_front_free(struct fyke_front *front);

/* The next frames lie in the block of this number; payloads of blocks before `oldest` are gone. */
void fyke_front_enter_block(struct fyke_front *front, uint64_t block, uint64_t oldest);

/* Decodes a frame and adds its packets to the batch. `next_ns` is the time of the frame behind it
 * (its own when none is known): the clock follows a jump only when that confirms it. True when the
 * batch should go to the engine now. */
bool fyke_front_take(struct fyke_front *front, const struct fyke_frame *frame, int64_t next_ns);

struct fyke_front_batch fyke_front_batch(struct fyke_front *front);

/* The batch has been processed: its memory is used again. */
void fyke_front_clear(struct fyke_front *front);

/* The batch goes on elsewhere: what its packets point to beside their blocks is the arena's from now on. */
void fyke_front_give(struct fyke_front *front, struct fyke_arena *arena);

/* The next batch is made there. */
void fyke_front_use(struct fyke_front *front, const struct fyke_front_room *room);

/* Confirmed packet time so far. */
int64_t fyke_front_clock(const struct fyke_front *front);

/* Drops fragments that have waited too long; with `end`, all of them. */
void fyke_front_expire(struct fyke_front *front, bool end);

/* Moves into the tick what frames said about addresses on the link (neighbours.h). False: memory is out. */
FYKE_MUST_USE bool fyke_front_hand_over(struct fyke_front *front, struct fyke_tick *tick, bool all);

struct fyke_front_counters fyke_front_counters(const struct fyke_front *front);

#endif
