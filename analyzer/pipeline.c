/*
 * source ─▶ front ─▶ engine ─▶ sink, a block at a time.
 *
 * One block is held back until the next is here, so that every frame knows the time of the one
 * behind it. Ticks end every 4096 frame numbers and, live, at every flush.
 */
#include "analyzer/pipeline.h"

#include "analyzer/crew.h"
#include "analyzer/front.h"
#include "analyzer/resolved.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TICK_FRAMES = 4096, INDEX_FRAMES = 256, KEPT_BLOCKS = 64, END_SESSIONS = 4096 };
enum { BLOCKS_MAX = KEPT_BLOCKS + 20 };
enum { COMMENTS_BYTES = 1 << 20 }; /* of one hand-over: they are the file's to make long */

#define FRAGMENT_SHARE 16 /* fragments may hold a sixteenth of the memory */
#define DEFAULT_MEMORY (UINT64_C(1) << 30)

struct run {
	struct fyke_source *source;
	const struct fyke_pipeline_options *options;
	const struct fyke_sink *sink;
	struct fyke_pipeline_counters *counters;
	struct fyke_error *error;
	struct fyke_front *front;
	struct fyke_crew *crew;
	struct fyke_resolved resolved;
	struct fyke_block *ring[BLOCKS_MAX]; /* analyzed last: resends are compared with them */
	uint64_t ring_size;		     /* several engines: some are at work on earlier ones */
	uint64_t blocks;		     /* analyzed so far; number n stands at ring[n % ring_size] */
	struct fyke_block *held;	     /* waits for the time of the next block's first frame */
	struct fyke_tick *tick;		     /* the running one: gets the frame index while it runs */
	size_t index_room, comments_room, comments_bytes;
	uint64_t ticks;	      /* begun */
	uint64_t tick_number; /* of the running tick: its frames are (n·4096, (n+1)·4096] */
	int64_t flushed_ns;   /* clock at the last flush */
	bool started;
};

static enum fyke_status out_of_memory(struct run *run)
{
	return fyke_error_set(run->error, FYKE_FAILED_MEMORY, "no memory to go on reading packets");
}

static enum fyke_status start_tick(struct run *run)
{
	run->tick = fyke_tick_new();
	run->index_room = run->comments_room = run->comments_bytes = 0;
	if (run->tick == NULL)
		return out_of_memory(run);
	run->tick->number = run->ticks++;
	run->tick->time_ns = fyke_front_clock(run->front);
	return FYKE_OK;
}

/* Hands what the front has to the engines. */
static enum fyke_status drain_front(struct run *run)
{
	return fyke_crew_take(run->crew, run->blocks, run->error);
}

/* What the engines have finished. */
static enum fyke_status give_tick(void *context, struct fyke_tick *tick, struct fyke_error *error)
{
	struct run *run = context;

	run->counters->ticks++;
	if (!fyke_resolved_take(&run->resolved, tick)) {
		fyke_tick_free(tick);
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "no memory for the names of servers");
	}
	return run->sink->take(run->sink->context, tick, error);
}

/* The crew takes the running tick over. */
static struct fyke_tick *take_tick(void *context)
{
	struct run *run = context;
	struct fyke_tick *tick = run->tick;

	if (tick == NULL && start_tick(run) == FYKE_OK)
		tick = run->tick;
	run->tick = NULL;
	return tick;
}

/* Ends the running tick at clock `time_ns` and begins the next. */
static enum fyke_status end_tick(struct run *run, int64_t time_ns, enum fyke_tick_kind kind)
{
	enum fyke_status status = drain_front(run);

	if (status == FYKE_OK && !fyke_front_hand_over(run->front, run->tick, kind != FYKE_TICK_PLAIN))
		status = out_of_memory(run);
	if (status == FYKE_OK)
		status = fyke_crew_tick(run->crew, time_ns, kind, take_tick(run), run->error);
	if (status == FYKE_OK)
		status = start_tick(run);
	if (kind == FYKE_TICK_FLUSH)
		run->flushed_ns = time_ns;
	fyke_front_expire(run->front, false);
	return status;
}

static bool flush_is_due(const struct run *run, int64_t time_ns)
{
	return run->options->flush_ns > 0 && time_ns - run->flushed_ns >= run->options->flush_ns;
}

/* Ticks are aligned to frame numbers; a frame that the filter left out may have begun one. */
static enum fyke_status turn_tick(struct run *run, const struct fyke_frame *frame)
{
	uint64_t number = (frame->number - 1) / TICK_FRAMES;
	int64_t clock_ns = fyke_front_clock(run->front);

	if (!run->started) {
		run->started = true;
		run->tick_number = number;
		run->flushed_ns = frame->time_ns;
		return FYKE_OK;
	}
	if (flush_is_due(run, clock_ns)) {
		run->tick_number = number;
		return end_tick(run, clock_ns, FYKE_TICK_FLUSH);
	}
	if (number == run->tick_number)
		return FYKE_OK;
	run->tick_number = number;
	return end_tick(run, frame->time_ns < clock_ns ? frame->time_ns : clock_ns, FYKE_TICK_PLAIN);
}

static bool index_frame(struct run *run, const struct fyke_frame *frame)
{
	struct fyke_tick *tick = run->tick;

	if (run->options->live || (frame->number - 1) % INDEX_FRAMES != 0)
		return true;
	if (tick->frame_index_count == run->index_room) {
		size_t room = run->index_room == 0 ? TICK_FRAMES / INDEX_FRAMES : run->index_room * 2;
		struct fyke_frame_index_entry *entries =
			fyke_arena_take(&tick->arena, room * sizeof(*entries));

		if (entries == NULL)
			return false;
		for (size_t i = 0; i < tick->frame_index_count; i++)
			entries[i] = tick->frame_index[i];
		tick->frame_index = entries;
		run->index_room = room;
	}
	tick->frame_index[tick->frame_index_count++] =
		(struct fyke_frame_index_entry){frame->file, frame->number, frame->file_offset};
	return true;
}

/* What has come so far goes to the sink without a word to the engine, whose ticks depend on frames
 * alone. */
static enum fyke_status give_part(struct run *run)
{
	enum fyke_status status = fyke_crew_pass(run->crew, take_tick(run), run->error);

	return status == FYKE_OK ? start_tick(run) : status;
}

static bool keep_comment(struct run *run, const struct fyke_comment *comment, uint32_t file)
{
	struct fyke_tick *tick = run->tick;
	const char *text = fyke_arena_copy(&tick->arena, comment->text, comment->length);

	if (text == NULL)
		return false;
	if (tick->comment_count == run->comments_room) {
		size_t room = run->comments_room == 0 ? 16 : run->comments_room * 2;
		struct fyke_tick_comment *comments = fyke_arena_take(&tick->arena, room * sizeof(*comments));

		if (comments == NULL)
			return false;
		for (size_t i = 0; i < tick->comment_count; i++)
			comments[i] = tick->comments[i];
		tick->comments = comments;
		run->comments_room = room;
	}
	tick->comments[tick->comment_count++] =
		(struct fyke_tick_comment){comment->frame, file, text, comment->length};
	run->comments_bytes += comment->length + sizeof(*tick->comments);
	return true;
}

/* Those of `frame`, from *next on. */
static enum fyke_status take_comments(
	struct run *run, const struct fyke_block *block, const struct fyke_frame *frame, size_t *next)
{
	enum fyke_status status = FYKE_OK;

	for (; status == FYKE_OK && *next < block->comment_count; (*next)++) {
		const struct fyke_comment *comment = &block->comments[*next];

		if (comment->frame != frame->number)
			break;
		if (run->comments_bytes >= COMMENTS_BYTES)
			status = give_part(run);
		if (status == FYKE_OK && !keep_comment(run, comment, frame->file))
			status = out_of_memory(run);
	}
	return status;
}

static void count_link_type(struct fyke_pipeline_counters *counters, uint16_t link_type)
{
	for (size_t i = 0; i < counters->link_type_count; i++) {
		if (counters->link_types[i] == link_type)
			return;
	}
	if (counters->link_type_count < FYKE_LINK_TYPES_MAX)
		counters->link_types[counters->link_type_count++] = link_type;
}

static void count_frame(struct fyke_pipeline_counters *counters, const struct fyke_frame *frame)
{
	if (counters->frames == 0 || frame->time_ns < counters->first_packet_ns)
		counters->first_packet_ns = frame->time_ns;
	if (counters->frames == 0 || frame->time_ns > counters->last_packet_ns)
		counters->last_packet_ns = frame->time_ns;
	counters->frames++;
	counters->bytes += frame->length;
	count_link_type(counters, frame->link_type);
}

static enum fyke_status take_frame(struct run *run, const struct fyke_frame *frame, int64_t next_ns)
{
	enum fyke_status status = turn_tick(run, frame);

	if (status != FYKE_OK)
		return status;
	if (!index_frame(run, frame))
		return out_of_memory(run);
	count_frame(run->counters, frame);
	return fyke_front_take(run->front, frame, next_ns) ? drain_front(run) : FYKE_OK;
}

static enum fyke_status take_block(
	struct run *run, const struct fyke_block *block, const struct fyke_block *next)
{
	enum fyke_status status = FYKE_OK;
	size_t comment = 0;

	for (size_t i = 0; i < block->count && status == FYKE_OK; i++) {
		const struct fyke_frame *frame = &block->frames[i];
		int64_t next_ns = frame->time_ns;

		if (i + 1 < block->count)
			next_ns = block->frames[i + 1].time_ns;
		else if (next != NULL && next->count > 0)
			next_ns = next->frames[0].time_ns;
		status = take_frame(run, frame, next_ns);
		if (status == FYKE_OK)
			status = take_comments(run, block, frame, &comment);
	}
	/* the block's bytes go with it */
	return status == FYKE_OK ? drain_front(run) : status;
}

/* The block replaces the oldest in the ring, which owns it from now on. */
static void keep_block(struct run *run, struct fyke_block *block)
{
	uint64_t number = ++run->blocks;
	struct fyke_block **place = &run->ring[number % run->ring_size];

	if (*place != NULL) {
		/* nobody is still at a block whose packets may be compared with it */
		fyke_crew_wait_for(run->crew, number - run->ring_size + KEPT_BLOCKS - 1);
		fyke_block_release(*place);
	}
	*place = block;
	fyke_front_enter_block(run->front, number, number < KEPT_BLOCKS ? 1 : number - KEPT_BLOCKS + 1);
}

/* Analyzes the block that waited; `next` waits in its place. */
static enum fyke_status advance(struct run *run, struct fyke_block *next)
{
	struct fyke_block *block = run->held;

	run->held = next;
	if (block == NULL)
		return FYKE_OK;
	keep_block(run, block);
	return take_block(run, block, next);
}

static void fill_counters(struct run *run)
{
	struct fyke_pipeline_counters *counters = run->counters;
	struct fyke_front_counters front = fyke_front_counters(run->front);

	counters->decoded = front.decoded;
	counters->refused = front.refused;
	counters->defrag = front.defrag;
	memcpy(counters->refusals, front.refusals, sizeof(front.refusals));
	memcpy(counters->inner_refusals, front.inner_refusals, sizeof(front.inner_refusals));
	counters->engine = fyke_crew_counters(run->crew);
}

static void report_progress(struct run *run)
{
	struct fyke_source_counters source;

	if (run->options->progress == NULL)
		return;
	source = fyke_source_counters(run->source);
	fill_counters(run);
	run->options->progress(run->options->progress_context, run->counters, &source);
}

static enum fyke_status take_new_block(struct run *run, struct fyke_block *block)
{
	enum fyke_status status = FYKE_OK;

	if (block->count == 0) {
		fyke_block_release(block);
		return FYKE_OK;
	}
	if (run->options->tap != NULL)
		status = run->options->tap(run->options->tap_context, block, run->error);
	if (status != FYKE_OK) {
		fyke_block_release(block);
		return status;
	}
	return advance(run, block);
}

/* Nothing came for a while: only here the clock on the wall counts, which a live capture's time stamps
 * come from too. */
static enum fyke_status take_idle(struct run *run)
{
	enum fyke_status status = advance(run, NULL);
	struct timespec now;
	int64_t now_ns;

	if (status != FYKE_OK || !run->started || clock_gettime(CLOCK_REALTIME, &now) != 0)
		return status;
	now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	return flush_is_due(run, now_ns) ? end_tick(run, now_ns, FYKE_TICK_FLUSH) : FYKE_OK;
}

static enum fyke_status read_all(struct run *run)
{
	enum fyke_status status = FYKE_OK;

	while (status == FYKE_OK) {
		struct fyke_block *block = NULL;

		switch (fyke_source_next(run->source, &block, run->error)) {
		case FYKE_SOURCE_BLOCK:
			status = take_new_block(run, block);
			break;
		case FYKE_SOURCE_IDLE:
			status = take_idle(run);
			break;
		case FYKE_SOURCE_END:
			return FYKE_OK;
		default:
			return run->error != NULL && run->error->status != FYKE_OK ? run->error->status
										   : FYKE_FAILED_IO;
		}
		report_progress(run);
	}
	return status;
}

/* The last block, the sessions that are open, the last tick. */
static enum fyke_status finish(struct run *run)
{
	enum fyke_status status = advance(run, NULL);

	if (status == FYKE_OK)
		status = end_tick(run, INT64_MIN, FYKE_TICK_LAST);
	return status == FYKE_OK ? fyke_crew_end(run->crew, END_SESSIONS, take_tick, run->error) : status;
}

static enum fyke_status prepare(struct run *run)
{
	struct fyke_engine_options engine = run->options->engine;
	struct fyke_crew_options crew = {.engine = &engine,
		.threads = run->options->threads > 1 ? run->options->threads : 1,
		.give = give_tick,
		.context = run};
	uint64_t memory = engine.memory != 0 ? engine.memory : DEFAULT_MEMORY;
	enum fyke_status status = fyke_front_new(memory / FRAGMENT_SHARE, &run->front, run->error);

	engine.keep_changed = run->options->flush_ns > 0;
	run->ring_size = crew.threads > 1 ? BLOCKS_MAX : KEPT_BLOCKS;
	if (status == FYKE_OK) {
		crew.front = run->front;
		status = fyke_crew_new(&crew, &run->crew, run->error);
	}
	return status == FYKE_OK ? start_tick(run) : status;
}

enum fyke_status fyke_pipeline_run(struct fyke_source *source, const struct fyke_pipeline_options *options,
	const struct fyke_sink *sink, struct fyke_pipeline_counters *counters, struct fyke_error *error)
{
	struct run run = {.source = source, .options = options, .sink = sink, .counters = counters};
	struct fyke_error first = {FYKE_OK, ""}, ignored;
	enum fyke_status status;

	*counters = (struct fyke_pipeline_counters){
		.first_packet_ns = FYKE_UNKNOWN, .last_packet_ns = FYKE_UNKNOWN};
	run.error = &first;
	status = prepare(&run);
	if (status == FYKE_OK) {
		status = read_all(&run);
		/* whatever ended it, what was seen is stored */
		run.error = status == FYKE_OK ? &first : &ignored;
		if (run.tick != NULL) {
			enum fyke_status last;

			fyke_crew_forgive(run.crew);
			last = finish(&run);

			status = status == FYKE_OK ? last : status;
		}
		fyke_front_expire(run.front, true);
		fill_counters(&run);
		report_progress(&run);
	}
	fyke_crew_free(run.crew);
	if (run.held != NULL)
		fyke_block_release(run.held);
	for (int i = 0; i < BLOCKS_MAX; i++) {
		if (run.ring[i] != NULL)
			fyke_block_release(run.ring[i]);
	}
	fyke_tick_free(run.tick);
	fyke_resolved_release(&run.resolved);
	fyke_front_free(run.front);
	if (error != NULL)
		*error = first;
	return status;
}
