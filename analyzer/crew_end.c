/*
 * The end of a run of several engines: each hands its open sessions over by birth, in parts made ahead, and
 * they are merged into ticks.
 *
 * A tick may point into a part that is not used up; that part's memory goes with a later tick, which is
 * given, and so freed, after it.
 */
#include "analyzer/crew_parts.h"
#include "analyzer/join.h"

enum { AHEAD = 3 };

struct stream {
	struct fyke_request requests[AHEAD];
	size_t first, count;	/* those on their way */
	struct fyke_tick *part; /* NULL = none is left */
	size_t at;		/* next session of it */
};

struct ending {
	struct fyke_crew *crew;
	size_t limit; /* sessions of a tick */
	struct fyke_request filled;
	struct fyke_tick *(*make)(void *context);
	struct fyke_tick *tick;
	struct stream streams[FYKE_CREW_MAX];
};

static bool ask(struct ending *ending, unsigned worker)
{
	struct stream *stream = &ending->streams[worker];
	struct fyke_request *request = &stream->requests[(stream->first + stream->count) % AHEAD];

	if (!fyke_crew_ask(ending->crew, worker, request, ending->filled))
		return false;
	stream->count++;
	return true;
}

/* The next part, when there is one. */
static enum fyke_status take_part(struct ending *ending, unsigned worker, struct fyke_error *error)
{
	struct fyke_crew *crew = ending->crew;
	struct stream *stream = &ending->streams[worker];
	struct fyke_request *request = &stream->requests[stream->first];
	enum fyke_status status;

	pthread_mutex_lock(&crew->lock);
	while (!request->done)
		pthread_cond_wait(&crew->news, &crew->lock);
	status = crew->failure.status;
	if (status != FYKE_OK && error != NULL)
		*error = crew->failure;
	pthread_mutex_unlock(&crew->lock);
	stream->part = request->part;
	stream->at = 0;
	stream->first = (stream->first + 1) % AHEAD;
	stream->count--;
	if (status == FYKE_OK && request->more && !ask(ending, worker))
		status = fyke_crew_out_of_memory(error);
	return status;
}

/* Goes on to a part that has a session, or to the end of the stream. */
static enum fyke_status settle(struct ending *ending, unsigned worker, struct fyke_error *error)
{
	struct stream *stream = &ending->streams[worker];
	enum fyke_status status = FYKE_OK;

	while (status == FYKE_OK && (stream->part == NULL || stream->at == stream->part->session_count)) {
		if (stream->part != NULL) {
			fyke_arena_merge(&ending->tick->arena, &stream->part->arena);
			fyke_tick_free(stream->part);
			stream->part = NULL;
		}
		if (stream->count == 0)
			break;
		status = take_part(ending, worker, error);
	}
	return status;
}

/* The stream whose next session was born first; NULL = all are at their end. */
static struct stream *next_of(struct ending *ending, unsigned *worker)
{
	struct stream *next = NULL;

	for (unsigned i = 0; i < ending->crew->count; i++) {
		struct stream *stream = &ending->streams[i];

		if (stream->part == NULL)
			continue;
		if (next == NULL || fyke_join_precedes(stream->part->sessions[stream->at],
					    next->part->sessions[next->at])) {
			next = stream;
			*worker = i;
		}
	}
	return next;
}

static enum fyke_status fill(struct ending *ending, bool *more, struct fyke_error *error)
{
	struct fyke_tick *tick = ending->tick;
	size_t limit = ending->limit;
	enum fyke_status status = FYKE_OK;
	struct stream *stream = NULL;
	unsigned worker = 0;

	tick->sessions = fyke_arena_take(&tick->arena, limit * sizeof(struct fyke_session *));
	if (tick->sessions == NULL)
		return fyke_crew_out_of_memory(error);
	while (status == FYKE_OK && (stream = next_of(ending, &worker)) != NULL &&
		tick->session_count < limit) {
		tick->sessions[tick->session_count++] = stream->part->sessions[stream->at++];
		status = settle(ending, worker, error);
	}
	*more = stream != NULL;
	return status;
}

static enum fyke_status start(struct ending *ending, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	for (unsigned i = 0; i < ending->crew->count; i++) {
		for (int part = 0; part < AHEAD; part++) {
			if (!ask(ending, i))
				return fyke_crew_out_of_memory(error);
		}
	}
	for (unsigned i = 0; i < ending->crew->count && status == FYKE_OK; i++)
		status = settle(ending, i, error);
	return status;
}

/* After a failure: ticks that were given may still be read, and point here. */
static void let_go(struct ending *ending)
{
	struct fyke_crew *crew = ending->crew;
	struct fyke_error ignored;

	pthread_mutex_lock(&crew->lock);
	fyke_crew_rest(crew);
	pthread_mutex_unlock(&crew->lock);
	for (unsigned i = 0; i < crew->count; i++) {
		struct stream *stream = &ending->streams[i];

		for (; stream->count > 0; stream->count--) {
			fyke_tick_free(stream->requests[stream->first].part);
			stream->first = (stream->first + 1) % AHEAD;
		}
		if (stream->part == NULL)
			continue;
		stream->part->session_count = 0;
		(void)crew->options.give(crew->options.context, stream->part, &ignored);
	}
	fyke_tick_free(ending->tick);
}

enum fyke_status fyke_crew_end_all(struct fyke_crew *crew, size_t limit,
	struct fyke_tick *(*make)(void *context), struct fyke_error *error)
{
	struct ending ending = {.crew = crew,
		.limit = limit,
		.filled = {.is_end = true, .limit = limit / AHEAD + 1},
		.make = make};
	enum fyke_status status = FYKE_OK;
	bool more = true;

	ending.tick = make(crew->options.context);
	if (ending.tick == NULL)
		return fyke_crew_out_of_memory(error);
	status = start(&ending, error);
	while (status == FYKE_OK && more) {
		status = fill(&ending, &more, error);
		if (status != FYKE_OK)
			break;
		ending.tick->flush = !more;
		status = crew->options.give(crew->options.context, ending.tick, error);
		ending.tick = NULL;
		if (status == FYKE_OK && more) {
			ending.tick = make(crew->options.context);
			status = ending.tick == NULL ? fyke_crew_out_of_memory(error) : FYKE_OK;
		}
	}
	if (status != FYKE_OK)
		let_go(&ending);
	return status;
}
