/*
 * Two answers in one stream: bytes that are sent again with another value. A resend is compared with
 * what was seen at that place before, as long as the block that holds it is still kept; what cannot be
 * compared is counted as such, never taken for identical.
 */
#include "analyzer/tcp/parts.h"

#include <string.h>

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static struct fyke_tcp_event *note_conflict(
	const struct fyke_tcp_segment *segment, int64_t offset, const struct fyke_tcp_sent *sent)
{
	struct fyke_tcp_event *event;

	if (segment->result->event_count == FYKE_TCP_EVENTS)
		return NULL;
	event = &segment->result->events[segment->result->event_count++];
	*event = (struct fyke_tcp_event){
		.side = segment->sender, .kind = "conflict", .offset = offset, .original = sent->frame};
	return event;
}

/* Compares `length` bytes; counts those that differ and keeps the first ones of both versions. */
static void compare(const struct fyke_tcp_segment *segment, const struct fyke_tcp_sent *sent, int64_t offset,
	int64_t length)
{
	const uint8_t *before = sent->bytes + (offset - sent->start),
		      *now = segment->bytes + (offset - segment->start);
	struct fyke_tcp_event *event = NULL;
	int64_t differing = 0, first = 0;

	if (memcmp(before, now, (size_t)length) == 0)
		return;
	for (int64_t i = length; i-- > 0;) {
		if (before[i] != now[i]) {
			differing++;
			first = i;
		}
	}
	fyke_tcp_need_rare(segment->memory, segment->own)->conflicting_bytes += (uint64_t)differing;
	event = note_conflict(segment, offset + first, sent);
	if (event == NULL)
		return;
	event->length = length - first;
	event->differing = differing;
	event->sample_length = (uint8_t)earlier(length - first, FYKE_TCP_SAMPLE);
	memcpy(event->before, before + first, event->sample_length);
	memcpy(event->now, now + first, event->sample_length);
}

void fyke_tcp_compare(const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_sent_queue *queue = &segment->trail->sent;
	int64_t known = segment->stop - segment->start - segment->fresh, compared = 0;

	for (uint32_t i = queue->count; i-- > 0 && known > 0;) {
		const struct fyke_tcp_sent *sent = &queue->list[queue->head + i];
		int64_t from = later(sent->start, segment->start);
		int64_t to = earlier(earlier(fyke_tcp_sent_end(sent), sent->start + sent->captured),
			segment->start + segment->captured);

		if (fyke_tcp_sent_end(sent) <= segment->start)
			break;
		if (sent->bytes == NULL || (int32_t)(sent->block - (uint32_t)segment->oldest_block) < 0 ||
			from >= to)
			continue;
		compare(segment, sent, from, to - from);
		compared += to - from;
	}
	if (compared < known)
		fyke_tcp_need_rare(segment->memory, segment->own)->uncompared_bytes +=
			(uint64_t)(known - compared);
}
