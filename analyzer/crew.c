/*
 * What the reader does with a crew. Packets are decoded into chunks of a small pool; when all are on their
 * way the reader waits, so engines are never far behind.
 */
#include "analyzer/crew_parts.h"

#include "analyzer/base/seed.h"
#include "analyzer/join.h"

#include <stdlib.h>

enum { DEFAULT_MIB = 1024 };

enum fyke_status fyke_crew_out_of_memory(struct fyke_error *error)
{
	return fyke_error_set(error, FYKE_FAILED_MEMORY, "no memory to share packets among threads");
}

/* ---- making and ending ---- */

static enum fyke_status make_engines(struct fyke_crew *crew, struct fyke_error *error)
{
	struct fyke_engine_options engine = *crew->options.engine;
	enum fyke_status status = FYKE_OK;

	if (engine.memory == 0)
		engine.memory = (uint64_t)DEFAULT_MIB << 20;
	engine.memory /= crew->count;
	for (unsigned i = 0; status == FYKE_OK && i < crew->count; i++)
		status = fyke_engine_new(&engine, &crew->workers[i].engine, error);
	return status;
}

static void fill_next(struct fyke_crew *crew, struct fyke_chunk *chunk)
{
	const struct fyke_front_room room = {
		chunk->packets, chunk->clock_ns, FYKE_CHUNK_ROOM, FYKE_CHUNK_PACKETS};

	fyke_arena_reset(&chunk->arena);
	crew->filling = chunk;
	fyke_front_use(crew->options.front, &room);
}

enum fyke_status fyke_crew_new(
	const struct fyke_crew_options *options, struct fyke_crew **crew, struct fyke_error *error)
{
	struct fyke_crew *fresh = calloc(1, sizeof(*fresh));
	enum fyke_status status;

	if (fresh == NULL)
		return fyke_crew_out_of_memory(error);
	fresh->options = *options;
	fresh->count = options->threads;
	fresh->share = (struct fyke_share){fresh->count, fyke_seed()};
	pthread_mutex_init(&fresh->lock, NULL);
	pthread_cond_init(&fresh->news, NULL);
	status = make_engines(fresh, error);
	if (status == FYKE_OK && fresh->count > 1) {
		fresh->chunks = calloc(FYKE_CHUNKS, sizeof(*fresh->chunks));
		if (fresh->chunks == NULL || !fyke_crew_start(fresh))
			status = fyke_crew_out_of_memory(error);
		else
			fill_next(fresh, fresh->chunks);
	}
	if (status == FYKE_OK)
		*crew = fresh;
	else
		fyke_crew_free(fresh);
	return status;
}

static void drop_pending(struct fyke_pending *pending, unsigned count)
{
	for (unsigned i = 0; pending->has_parts && i < count; i++)
		fyke_tick_free(pending->requests[i].part);
	fyke_tick_free(pending->tick);
	*pending = (struct fyke_pending){0};
}

void fyke_crew_free(struct fyke_crew *crew)
{
	if (crew == NULL)
		return;
	if (crew->count > 1)
		fyke_crew_stop(crew);
	for (size_t i = 0; i < FYKE_PENDING_MAX; i++)
		drop_pending(&crew->pending[i], crew->count);
	for (size_t i = 0; crew->chunks != NULL && i < FYKE_CHUNKS; i++)
		fyke_arena_release(&crew->chunks[i].arena);
	free(crew->chunks);
	for (unsigned i = 0; i < crew->count; i++)
		fyke_engine_free(crew->workers[i].engine);
	pthread_mutex_destroy(&crew->lock);
	pthread_cond_destroy(&crew->news);
	free(crew);
}

/* ---- packets ---- */

static bool quotes(const struct fyke_packet *packet)
{
	return (packet->kind == FYKE_PACKET_ICMP || packet->kind == FYKE_PACKET_ICMP6) &&
	       packet->icmp.has_quote;
}

/* Says of each packet whose it is. Gives the place of the first frame that is not one engine's alone. */
static size_t divide(const struct fyke_share *share, struct fyke_chunk *chunk, size_t count)
{
	size_t frame = 0, tied = count;

	for (size_t i = 0; i < count; i++) {
		const struct fyke_packet *packet = &chunk->packets[i];

		chunk->engine[i] = (uint8_t)fyke_share_of(share, packet);
		if (packet->frame != chunk->packets[frame].frame)
			frame = i;
		if (frame < tied &&
			(chunk->engine[i] != chunk->engine[frame] ||
				(quotes(packet) && fyke_share_of_quote(share, packet) != chunk->engine[i])))
			tied = frame;
	}
	return tied;
}

static void list_own(struct fyke_crew *crew, struct fyke_chunk *chunk, size_t count)
{
	for (unsigned i = 0; i < crew->count; i++)
		chunk->own_count[i] = 0;
	for (size_t i = 0; i < count; i++) {
		unsigned engine = chunk->engine[i];

		chunk->own[engine][chunk->own_count[engine]++] = (uint16_t)i;
	}
}

/* A tied frame, alone or with those behind it: everybody stands still. */
static enum fyke_status take_tied(struct fyke_crew *crew, const struct fyke_chunk *chunk, size_t from,
	size_t count, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	for (size_t i = from; i < count && status == FYKE_OK; i++) {
		const struct fyke_packet *packet = &chunk->packets[i];
		struct fyke_engine *engine = crew->workers[chunk->engine[i]].engine;
		struct fyke_engine_ties ties = {
			.innermost = i + 1 == count || packet[1].frame != packet->frame};

		if (i > from && packet[-1].frame == packet->frame)
			ties.before = crew->workers[chunk->engine[i - 1]].engine;
		if (quotes(packet))
			ties.quoted = crew->workers[fyke_share_of_quote(&crew->share, packet)].engine;
		status = fyke_engine_take_tied(engine, packet, chunk->clock_ns[i], &ties, error);
	}
	return status;
}

/* One that nobody needs any more. The lock is held. */
static struct fyke_chunk *free_chunk(struct fyke_crew *crew)
{
	for (;;) {
		for (size_t i = 0; i < FYKE_CHUNKS; i++) {
			if (crew->chunks[i].users == 0 && &crew->chunks[i] != crew->filling)
				return &crew->chunks[i];
		}
		pthread_cond_wait(&crew->news, &crew->lock);
	}
}

static enum fyke_status failure(const struct fyke_crew *crew, struct fyke_error *error)
{
	if (crew->failure.status != FYKE_OK && error != NULL)
		*error = crew->failure;
	return crew->failure.status;
}

static enum fyke_status take_shared(struct fyke_crew *crew, size_t count, struct fyke_error *error)
{
	struct fyke_chunk *chunk = crew->filling;
	size_t apart = divide(&crew->share, chunk, count);
	enum fyke_status status;

	list_own(crew, chunk, apart);
	crew->frame = chunk->packets[count - 1].frame;
	crew->clock_ns = chunk->clock_ns[count - 1];
	pthread_mutex_lock(&crew->lock);
	for (unsigned i = 0; i < crew->count; i++) {
		if (chunk->own_count[i] == 0)
			continue;
		chunk->users++;
		fyke_crew_order(&crew->workers[i], (struct fyke_order){.chunk = chunk});
	}
	if (apart < count)
		fyke_crew_rest(crew);
	status = failure(crew, error);
	pthread_mutex_unlock(&crew->lock);
	if (status == FYKE_OK)
		status = take_tied(crew, chunk, apart, count, error);
	return status;
}

enum fyke_status fyke_crew_take(struct fyke_crew *crew, uint64_t block, struct fyke_error *error)
{
	struct fyke_front_batch batch = fyke_front_batch(crew->options.front);
	struct fyke_chunk *next;
	enum fyke_status status;

	if (crew->count == 1) {
		status = fyke_engine_take(
			crew->workers[0].engine, batch.packets, batch.clock_ns, batch.count, error);
		fyke_front_clear(crew->options.front);
		return status;
	}
	if (batch.count == 0) {
		fyke_front_clear(crew->options.front);
		return FYKE_OK;
	}
	crew->filling->block = block;
	fyke_front_give(crew->options.front, &crew->filling->arena);
	status = take_shared(crew, batch.count, error);
	pthread_mutex_lock(&crew->lock);
	next = free_chunk(crew);
	pthread_mutex_unlock(&crew->lock);
	fill_next(crew, next);
	return status;
}

static bool is_busy_with(const struct fyke_crew *crew, uint64_t block)
{
	for (size_t i = 0; i < FYKE_CHUNKS; i++) {
		if (crew->chunks[i].users > 0 && crew->chunks[i].block <= block)
			return true;
	}
	return false;
}

void fyke_crew_wait_for(struct fyke_crew *crew, uint64_t block)
{
	if (crew->count == 1)
		return;
	pthread_mutex_lock(&crew->lock);
	while (is_busy_with(crew, block))
		pthread_cond_wait(&crew->news, &crew->lock);
	pthread_mutex_unlock(&crew->lock);
}

/* ---- ticks ---- */

bool fyke_crew_ask(
	struct fyke_crew *crew, unsigned worker, struct fyke_request *request, struct fyke_request filled)
{
	*request = filled;
	request->frame = crew->frame;
	request->clock_ns = crew->clock_ns;
	request->part = fyke_tick_new();
	if (request->part == NULL)
		return false;
	pthread_mutex_lock(&crew->lock);
	fyke_crew_order(&crew->workers[worker], (struct fyke_order){.request = request});
	pthread_mutex_unlock(&crew->lock);
	return true;
}

/* The lock is held. */
static bool is_ready(const struct fyke_crew *crew, const struct fyke_pending *pending)
{
	for (unsigned i = 0; pending->has_parts && i < crew->count; i++) {
		if (!pending->requests[i].done)
			return false;
	}
	return true;
}

/* The oldest one, whose parts are there. */
static enum fyke_status give_oldest(struct fyke_crew *crew, struct fyke_error *error)
{
	struct fyke_pending *pending = &crew->pending[crew->first_pending];
	struct fyke_tick *parts[FYKE_CREW_MAX], *tick = pending->tick;
	bool joined = true;

	for (unsigned i = 0; pending->has_parts && i < crew->count; i++)
		parts[i] = pending->requests[i].part;
	if (pending->has_parts)
		joined = fyke_join(tick, parts, crew->count);
	if (joined)
		pending->tick = NULL;
	drop_pending(pending, crew->count);
	crew->first_pending = (crew->first_pending + 1) % FYKE_PENDING_MAX;
	crew->pending_count--;
	return joined ? crew->options.give(crew->options.context, tick, error)
		      : fyke_crew_out_of_memory(error);
}

/* Gives what is ready; waits until at most `most` are left. */
static enum fyke_status give_pending(struct fyke_crew *crew, size_t most, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	while (crew->pending_count > 0 && status == FYKE_OK) {
		struct fyke_pending *oldest = &crew->pending[crew->first_pending];
		bool ready;

		pthread_mutex_lock(&crew->lock);
		while (!(ready = is_ready(crew, oldest)) && crew->pending_count > most)
			pthread_cond_wait(&crew->news, &crew->lock);
		status = failure(crew, error);
		pthread_mutex_unlock(&crew->lock);
		if (!ready)
			break;
		if (status == FYKE_OK)
			status = give_oldest(crew, error);
	}
	return status;
}

static struct fyke_pending *add_pending(struct fyke_crew *crew, struct fyke_tick *tick)
{
	size_t at = (crew->first_pending + crew->pending_count++) % FYKE_PENDING_MAX;

	crew->pending[at] = (struct fyke_pending){.tick = tick};
	return &crew->pending[at];
}

static enum fyke_status ask_all(struct fyke_crew *crew, struct fyke_pending *pending,
	struct fyke_request filled, struct fyke_error *error)
{
	pending->has_parts = true;
	for (unsigned i = 0; i < crew->count; i++)
		pending->requests[i] = (struct fyke_request){.done = true};
	for (unsigned i = 0; i < crew->count; i++) {
		if (!fyke_crew_ask(crew, i, &pending->requests[i], filled))
			return fyke_crew_out_of_memory(error);
	}
	return FYKE_OK;
}

enum fyke_status fyke_crew_tick(struct fyke_crew *crew, int64_t time_ns, enum fyke_tick_kind kind,
	struct fyke_tick *tick, struct fyke_error *error)
{
	const struct fyke_request filled = {.kind = kind, .time_ns = time_ns};
	enum fyke_status status;

	if (crew->count == 1) {
		status = fyke_engine_tick(crew->workers[0].engine, time_ns, kind, tick, error);
		if (status == FYKE_OK)
			return crew->options.give(crew->options.context, tick, error);
		fyke_tick_free(tick);
		return status;
	}
	tick->flush = kind == FYKE_TICK_FLUSH;
	status = give_pending(crew, FYKE_PENDING_MAX - 1, error);
	if (status != FYKE_OK) {
		fyke_tick_free(tick);
		return status;
	}
	status = ask_all(crew, add_pending(crew, tick), filled, error);
	return status == FYKE_OK ? give_pending(crew, kind == FYKE_TICK_PLAIN ? SIZE_MAX : 0, error) : status;
}

enum fyke_status fyke_crew_pass(struct fyke_crew *crew, struct fyke_tick *tick, struct fyke_error *error)
{
	enum fyke_status status;

	if (crew->count == 1)
		return crew->options.give(crew->options.context, tick, error);
	status = give_pending(crew, FYKE_PENDING_MAX - 1, error);
	if (status == FYKE_OK)
		(void)add_pending(crew, tick);
	else
		fyke_tick_free(tick);
	return status;
}

void fyke_crew_forgive(struct fyke_crew *crew)
{
	if (crew->count == 1)
		return;
	pthread_mutex_lock(&crew->lock);
	fyke_crew_rest(crew);
	crew->failure.status = FYKE_OK;
	pthread_mutex_unlock(&crew->lock);
}

static enum fyke_status end_one(struct fyke_crew *crew, size_t limit,
	struct fyke_tick *(*make)(void *context), struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;
	bool more = true;

	while (status == FYKE_OK && more) {
		struct fyke_tick *tick = make(crew->options.context);

		if (tick == NULL)
			return fyke_crew_out_of_memory(error);
		status = fyke_engine_end_part(crew->workers[0].engine, limit, tick, &more, error);
		if (status == FYKE_OK)
			status = crew->options.give(crew->options.context, tick, error);
		else
			fyke_tick_free(tick);
	}
	return status;
}

enum fyke_status fyke_crew_end(struct fyke_crew *crew, size_t limit, struct fyke_tick *(*make)(void *context),
	struct fyke_error *error)
{
	return crew->count == 1 ? end_one(crew, limit, make, error)
				: fyke_crew_end_all(crew, limit, make, error);
}

static void add_counters(struct fyke_engine_counters *sum, const struct fyke_engine_counters *more)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)more;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

struct fyke_engine_counters fyke_crew_counters(struct fyke_crew *crew)
{
	struct fyke_engine_counters sum = {0};

	if (crew->count == 1)
		return fyke_engine_counters(crew->workers[0].engine);
	pthread_mutex_lock(&crew->lock);
	for (unsigned i = 0; i < crew->count; i++)
		add_counters(&sum, &crew->workers[i].counters);
	pthread_mutex_unlock(&crew->lock);
	return sum;
}
