/* Chunks, gaps and the end of a stream, as they are told. */
#include "analyzer/tcp/reassembly_parts.h"

enum { GIVEN_UP_MAX = 256 }; /* gaps remembered, to tell late bytes from duplicate ones */

static void tell(
	struct fyke_reassembly *stream, const uint8_t *data, size_t length, const struct fyke_moment *moment)
{
	struct fyke_chunk chunk = {.side = stream->options.side,
		.offset = stream->next,
		.gap = stream->gap,
		.cause = stream->cause,
		.data = data,
		.length = length,
		.frame = moment->frame,
		.time_ns = moment->time_ns,
		.end = stream->ended};

	stream->gap = 0;
	stream->cause = FYKE_GAP_NONE;
	stream->options.sink->chunk(stream->options.context, &chunk);
}

void fyke_deliver(
	struct fyke_reassembly *stream, const uint8_t *data, size_t length, uint64_t frame, int64_t time_ns)
{
	const struct fyke_moment moment = {frame, time_ns};

	if (stream->recent != NULL)
		fyke_recent_add(stream->recent, stream->memory, stream->next, data, length);
	stream->counters.delivered += length;
	tell(stream, data, length, &moment);
	stream->next += (int64_t)length;
}

void fyke_deliver_gap(struct fyke_reassembly *stream, int64_t to, enum fyke_gap_cause cause,
	const struct fyke_moment *moment)
{
	uint64_t bytes;

	if (to <= stream->next)
		return;
	bytes = (uint64_t)(to - stream->next);
	if (stream->gap > 0 && stream->cause != cause)
		tell(stream, NULL, 0, moment);
	if (stream->gap == 0)
		stream->counters.gaps++;
	if (fyke_tcp_holes_count(stream->given_up) < GIVEN_UP_MAX)
		(void)fyke_tcp_holes_add(&stream->given_up, stream->next, to);
	stream->gap += bytes;
	stream->cause = cause;
	stream->counters.gap_bytes[cause] += bytes;
	stream->next = to;
}

void fyke_deliver_end(struct fyke_reassembly *stream, bool now, const struct fyke_moment *moment)
{
	if (stream->ended || (!now && !(stream->has_end && stream->next >= stream->end)))
		return;
	stream->ended = true;
	tell(stream, NULL, 0, moment);
}
