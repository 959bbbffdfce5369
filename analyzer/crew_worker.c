/*
 * The threads of a crew: each takes its orders in turn. One lock for all queues: it is taken for each chunk
 * of packets, never for a packet.
 *
 * A failure (memory) is told to the reader; packets after it are left out, ticks still answered.
 */
#include "analyzer/crew_parts.h"

#include <signal.h>

static enum fyke_status answer(
	struct fyke_engine *engine, struct fyke_request *request, struct fyke_error *error)
{
	if (request->is_end)
		return fyke_engine_end_part(engine, request->limit, request->part, &request->more, error);
	fyke_engine_reach(engine, request->frame, request->clock_ns);
	return fyke_engine_tick(engine, request->time_ns, request->kind, request->part, error);
}

static enum fyke_status carry_out(
	struct fyke_worker *worker, struct fyke_order order, bool failed, struct fyke_error *error)
{
	const struct fyke_chunk *chunk = order.chunk;

	if (chunk == NULL)
		return answer(worker->engine, order.request, error);
	if (failed)
		return FYKE_OK;
	return fyke_engine_take_own(worker->engine, chunk->packets, chunk->clock_ns,
		chunk->own[worker->number], chunk->own_count[worker->number], error);
}

static void *work(void *context)
{
	struct fyke_worker *worker = context;
	struct fyke_crew *crew = worker->crew;
	struct fyke_error error = {0};

	pthread_mutex_lock(&crew->lock);
	for (;;) {
		bool failed = crew->failure.status != FYKE_OK;
		struct fyke_order order;
		enum fyke_status status;

		while (worker->count == 0 && !crew->closing)
			pthread_cond_wait(&worker->work, &crew->lock);
		if (worker->count == 0)
			break;
		order = worker->queue[worker->first];
		pthread_mutex_unlock(&crew->lock);
		status = carry_out(worker, order, failed, &error);
		pthread_mutex_lock(&crew->lock);
		if (status != FYKE_OK && crew->failure.status == FYKE_OK)
			crew->failure = error;
		if (order.chunk != NULL)
			order.chunk->users--;
		else
			order.request->done = true;
		worker->counters = fyke_engine_counters(worker->engine);
		worker->first = (worker->first + 1) % FYKE_ORDERS_MAX;
		worker->count--;
		pthread_cond_signal(&crew->news);
	}
	pthread_mutex_unlock(&crew->lock);
	return NULL;
}

bool fyke_crew_start(struct fyke_crew *crew)
{
	sigset_t all, before;
	bool started = true;

	/* signals are the reader's: one of them ends its waiting for input */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (unsigned i = 0; started && i < crew->count; i++) {
		struct fyke_worker *worker = &crew->workers[i];

		worker->crew = crew;
		worker->number = i;
		pthread_cond_init(&worker->work, NULL);
		started = pthread_create(&worker->thread, NULL, work, worker) == 0;
		worker->runs = started;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

void fyke_crew_stop(struct fyke_crew *crew)
{
	pthread_mutex_lock(&crew->lock);
	crew->closing = true;
	for (unsigned i = 0; i < crew->count; i++)
		pthread_cond_signal(&crew->workers[i].work);
	pthread_mutex_unlock(&crew->lock);
	for (unsigned i = 0; i < crew->count && crew->workers[i].runs; i++) {
		pthread_join(crew->workers[i].thread, NULL);
		pthread_cond_destroy(&crew->workers[i].work);
	}
}

void fyke_crew_order(struct fyke_worker *worker, struct fyke_order order)
{
	worker->queue[(worker->first + worker->count) % FYKE_ORDERS_MAX] = order;
	worker->count++;
	pthread_cond_signal(&worker->work);
}

void fyke_crew_rest(struct fyke_crew *crew)
{
	for (unsigned i = 0; i < crew->count; i++) {
		while (crew->workers[i].count > 0)
			pthread_cond_wait(&crew->news, &crew->lock);
	}
}
