/*
 * Scripts of segments for three streams that share a little memory: each step of eight bytes is a
 * segment, an acknowledgment, an end, or a window. The contract of chunks, the conservation of bytes and
 * the budget are checked after every step.
 */
#include "analyzer/tcp/reassembly.h"

#include <stdlib.h>
#include <string.h>

enum { STEP = 8, STREAMS = 3, SHARED = 200000, OWN = 24000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct fyke_stream_memory memory;
	struct fyke_reassembly streams[STREAMS];
	int64_t next[STREAMS];
	bool ended[STREAMS];
	unsigned sum;
};

struct listener {
	struct world *world;
	unsigned index;
};

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void on_chunk(void *context, const struct fyke_chunk *chunk)
{
	const struct listener *listener = context;
	struct world *world = listener->world;

	require(!world->ended[listener->index]);
	require(chunk->offset - (int64_t)chunk->gap == world->next[listener->index]);
	require((chunk->gap > 0) == (chunk->cause != FYKE_GAP_NONE));
	for (size_t i = 0; i < chunk->length; i++)
		world->sum += chunk->data[i];
	world->next[listener->index] = chunk->offset + (int64_t)chunk->length;
	world->ended[listener->index] = chunk->end;
}

static void on_conflict(void *context, const struct fyke_conflict *conflict)
{
	const struct listener *listener = context;

	require(conflict->differing > 0 && conflict->differing <= conflict->length);
	require(conflict->sample > 0 && conflict->sample <= conflict->length);
	for (size_t i = 0; i < conflict->sample; i++)
		listener->world->sum += (unsigned)(conflict->before[i] ^ conflict->after[i]);
}

static void check(const struct world *world)
{
	uint64_t cost = 0;

	for (int i = 0; i < STREAMS; i++) {
		const struct fyke_reassembly *stream = &world->streams[i];
		const struct fyke_reassembly_counters *c = &stream->counters;

		require(c->fed ==
			c->delivered + c->duplicate + c->conflicting + c->late + c->ignored + c->held);
		require(c->uncompared <= c->duplicate && stream->cost <= OWN);
		require((c->held > 0) <= (stream->waiting.count > 0));
		cost += stream->cost;
	}
	require(cost <= world->memory.used && world->memory.used <= SHARED);
}

static void feed(struct fyke_reassembly *stream, const uint8_t step[STEP], int64_t offset)
{
	struct fyke_piece piece = {.offset = offset, .length = 1 + step[4] * (step[5] & 1 ? 40u : 3u)};
	uint8_t *bytes;

	piece.captured = step[5] & 2 ? piece.length * step[6] / 255 : piece.length;
	bytes = malloc(piece.captured + 1);
	if (bytes == NULL)
		return;
	memset(bytes, step[7] & 3, piece.captured);
	piece.data = bytes;
	fyke_reassembly_feed(stream, &piece);
	free(bytes);
}

static void take_step(struct world *world, const uint8_t step[STEP])
{
	struct fyke_reassembly *stream = &world->streams[step[0] % STREAMS];
	int64_t offset = (int64_t)(step[1] | step[2] << 8) * (step[3] & 1 ? 1 : 3) - 100;

	if (step[3] >= 0xfc)
		offset *= INT64_C(1) << 44;
	else if (step[3] & 2)
		offset += stream->next;
	switch (step[0] / STREAMS % 8) {
	case 0:
		fyke_reassembly_acknowledge(stream, offset, 0, 0);
		break;
	case 1:
		fyke_reassembly_end(stream, offset, 0, 0);
		break;
	case 2:
		fyke_reassembly_window(stream, offset < 0 ? 0 : offset);
		break;
	default:
		feed(stream, step, offset);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct fyke_stream_sink sink = {.chunk = on_chunk, .conflict = on_conflict};
	struct world world = {.sum = 0};
	struct listener listeners[STREAMS];

	if (size < 1)
		return 0;
	fyke_stream_memory_init(&world.memory, SHARED);
	for (unsigned i = 0; i < STREAMS; i++) {
		const struct fyke_reassembly_options options = {
			.policy = (enum fyke_policy)((data[0] + i) % FYKE_POLICY_COUNT),
			.memory = OWN,
			.keeps_recent = (data[0] & 0x80) != 0,
			.sink = &sink,
			.context = &listeners[i]};

		listeners[i] = (struct listener){&world, i};
		fyke_reassembly_init(&world.streams[i], &world.memory, &options);
		fyke_reassembly_start(&world.streams[i], 0);
	}
	for (size_t at = 1; at + STEP <= size; at += STEP) {
		take_step(&world, data + at);
		check(&world);
	}
	for (unsigned i = 0; i < STREAMS; i++) {
		fyke_reassembly_finish(&world.streams[i], 0, 0);
		require(world.ended[i]);
		check(&world);
		fyke_reassembly_release(&world.streams[i]);
	}
	require(world.memory.used == 0 && world.memory.pages.live == 0);
	fyke_stream_memory_release(&world.memory);
	return 0;
}
