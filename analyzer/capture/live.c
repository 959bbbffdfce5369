/* A source over an interface: one ring that is read here, or several with a thread each (lanes.c). */
#include "analyzer/capture/lanes.h"
#include "analyzer/capture/origin.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct live_source {
	struct fyke_source source;
	struct fyke_ring ring;	  /* where there is but one */
	struct fyke_lanes *lanes; /* else NULL */
	int timeout_ms;
	char *name;
};

static struct live_source *live_of(struct fyke_source *source)
{
	return (struct live_source *)source;
}

static void release(struct fyke_source *source)
{
	struct live_source *live = live_of(source);

	fyke_lanes_free(live->lanes);
	fyke_ring_close(&live->ring);
	free(live->name);
	free(live);
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Moves what the ring has into blocks; waits for it until the deadline. */
static void collect(struct live_source *live, int64_t deadline)
{
	while (live->ring.ready == NULL && !live->ring.failed && !fyke_source_is_over(&live->source)) {
		int64_t left = deadline - now_ms();
		int got = fyke_ring_collect(&live->ring);

		if (got > 0 && left > 0)
			continue;
		if (got != 0 || left <= 0)
			return;
		fyke_ring_wait(&live->ring, left);
	}
}

static bool limit_reached(const struct fyke_source *source)
{
	return source->options.frame_limit != 0 && source->counters.frames >= source->options.frame_limit;
}

static enum fyke_status next_of_ring(
	struct live_source *live, struct fyke_block_room **room, struct fyke_error *error)
{
	if (live->ring.ready == NULL)
		collect(live, now_ms() + live->timeout_ms);
	*room = fyke_ring_take(&live->ring);
	if (*room == NULL && live->ring.failed)
		return fyke_error_set(error, live->ring.failure.status, "%s", live->ring.failure.text);
	return FYKE_OK;
}

static enum fyke_source_result next(
	struct fyke_source *source, struct fyke_block **block, struct fyke_error *error)
{
	struct live_source *live = live_of(source);
	struct fyke_block_room *room = NULL;
	enum fyke_status status = FYKE_OK;

	if (!limit_reached(source))
		status = live->lanes != NULL ? fyke_lanes_next(live->lanes, live->timeout_ms,
						       fyke_source_is_over(source), &room, error)
					     : next_of_ring(live, &room, error);
	if (room != NULL) {
		(void)fyke_source_admit(source, room, (struct fyke_origin){0, 0});
		*block = &room->block;
		return FYKE_SOURCE_BLOCK;
	}
	if (fyke_source_is_over(source))
		return FYKE_SOURCE_END;
	return status == FYKE_OK ? FYKE_SOURCE_IDLE : FYKE_SOURCE_FAILED;
}

static void count(struct fyke_source *source)
{
	struct live_source *live = live_of(source);
	struct fyke_source_counters *counters = &source->counters;
	uint64_t kernel, interface;

	if (live->lanes != NULL) {
		counters->drops_known =
			fyke_lanes_drops(live->lanes, &counters->kernel_drops, &counters->interface_drops);
	} else if (fyke_ring_count_drops(&live->ring, &kernel, &interface)) {
		counters->kernel_drops += kernel;
		counters->interface_drops += interface;
		counters->drops_known = true;
	}
}

static const struct fyke_source_operations operations = {next, count, release};

static enum fyke_status describe(
	struct live_source *live, const struct fyke_ring *ring, struct fyke_error *error)
{
	struct fyke_source_interface told = {.name = strdup(live->name), .description = ""};

	told.link_type = ring->link_type;
	told.snaplen = (uint32_t)pcap_snapshot(ring->pcap);
	if (told.name != NULL && fyke_source_add_interface(&live->source, &told))
		return FYKE_OK;
	fyke_source_free_text(told.name);
	return fyke_error_set(error, FYKE_FAILED_MEMORY, "%s: no memory left to capture", live->name);
}

static enum fyke_status open_ring(struct live_source *live, struct fyke_ring *ring,
	const struct fyke_source_live_options *wanted, struct fyke_error *error)
{
	ring->pool = live->source.pool;
	ring->name = live->name;
	return fyke_ring_open(ring, wanted, &live->source.options, error);
}

static enum fyke_status open_lanes(
	struct live_source *live, const struct fyke_source_live_options *wanted, struct fyke_error *error)
{
	struct fyke_ring rings[FYKE_SOURCE_RINGS_MAX] = {{0}};
	size_t count = wanted->rings < FYKE_SOURCE_RINGS_MAX ? wanted->rings : FYKE_SOURCE_RINGS_MAX;
	enum fyke_status status = FYKE_OK;

	for (size_t i = 0; i < count && status == FYKE_OK; i++)
		status = open_ring(live, &rings[i], wanted, error);
	if (status == FYKE_OK)
		status = describe(live, &rings[0], error);
	if (status == FYKE_OK)
		live->lanes = fyke_lanes_new(rings, count, live->source.pool, error);
	if (live->lanes != NULL)
		return FYKE_OK;
	for (size_t i = 0; i < count; i++)
		fyke_ring_close(&rings[i]);
	return status != FYKE_OK ? status : FYKE_FAILED_IO;
}

static enum fyke_status activate(
	struct live_source *live, const struct fyke_source_live_options *wanted, struct fyke_error *error)
{
	enum fyke_status status;

	if (wanted->rings > 1)
		return open_lanes(live, wanted, error);
	status = open_ring(live, &live->ring, wanted, error);
	return status == FYKE_OK ? describe(live, &live->ring, error) : status;
}

static enum fyke_status open_live(
	struct live_source *live, const struct fyke_source_live_options *wanted, struct fyke_error *error)
{
	const struct fyke_source_options *options = &live->source.options;
	enum fyke_status status = FYKE_OK;

	live->name = strdup(wanted->interface);
	if (live->name == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "no memory left to capture");
	live->timeout_ms = wanted->timeout_ms > 0 ? wanted->timeout_ms : FYKE_RING_TIMEOUT_MS;
	if (options->filter != NULL)
		status = fyke_capture_filter_check(options->filter, error);
	if (status == FYKE_OK)
		status = activate(live, wanted, error);
	if (status == FYKE_OK && options->opened != NULL)
		status = options->opened(options->opened_context, error);
	return status;
}

enum fyke_status fyke_source_live_open(const struct fyke_source_live_options *wanted,
	const struct fyke_source_options *options, struct fyke_source **source, struct fyke_error *error)
{
	struct live_source *live = calloc(1, sizeof(*live));
	enum fyke_status status;

	*source = NULL;
	if (live == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "no memory left to capture");
	status = fyke_source_init(&live->source, &operations, options, error);
	if (status == FYKE_OK)
		status = open_live(live, wanted, error);
	if (status != FYKE_OK) {
		fyke_source_free(&live->source);
		return status;
	}
	*source = &live->source;
	return FYKE_OK;
}
