/*
 * What a side has sent, what it sent again, and why (cause.h judges). Keeps the queue of segments in
 * flight and the memory of the sender's recovery, and counts.
 */
#include "analyzer/tcp/parts.h"

enum { IP_ID_STEP_MAX = 64, IP_IDS_KNOWN = 255 };

static struct fyke_tcp_event *add_event(const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_result *result = segment->result;

	if (result->event_count == FYKE_TCP_EVENTS)
		return NULL;
	return &result->events[result->event_count++];
}

void fyke_tcp_note(const struct fyke_tcp_segment *segment, enum fyke_endpoint side, const char *kind,
	int64_t offset, int64_t length)
{
	struct fyke_tcp_event *event = add_event(segment);

	if (event != NULL)
		*event = (struct fyke_tcp_event){
			.side = side, .kind = kind, .offset = offset, .length = length};
}

void fyke_tcp_note_original(const struct fyke_tcp_segment *segment, const char *kind, int64_t offset,
	int64_t length, uint64_t original)
{
	struct fyke_tcp_event *event = add_event(segment);

	if (event != NULL)
		*event = (struct fyke_tcp_event){.side = segment->sender,
			.kind = kind,
			.offset = offset,
			.length = length,
			.original = original};
}

static void note_verdict(
	const struct fyke_tcp_segment *segment, const struct fyke_tcp_verdict *verdict, uint64_t original)
{
	struct fyke_tcp_event *event = add_event(segment);

	if (event != NULL)
		*event = (struct fyke_tcp_event){.side = segment->sender,
			.kind = fyke_tcp_cause_name(verdict->cause),
			.offset = segment->start,
			.length = segment->stop - segment->start,
			.is_resend = true,
			.verdict = *verdict,
			.original = original};
}

/* Whether IDs rise steadily, so that an older one means an earlier packet. */
static void follow_ip_id(struct fyke_tcp_progress *progress, uint16_t ip_id)
{
	uint16_t step = (uint16_t)(ip_id - progress->highest_ip_id);

	if (ip_id == 0 || step == 0 || step > IP_ID_STEP_MAX)
		progress->ip_id_steady = 0;
	else if (progress->ip_id_steady < IP_IDS_KNOWN)
		progress->ip_id_steady++;
	progress->highest_ip_id = ip_id;
}

static struct fyke_tcp_sent sent_of(const struct fyke_tcp_segment *segment, int64_t start)
{
	uint64_t skipped = (uint64_t)(start - segment->start);
	uint32_t captured = segment->captured > skipped ? (uint32_t)(segment->captured - skipped) : 0;

	return (struct fyke_tcp_sent){.start = start,
		.length = (uint32_t)(segment->stop - start),
		.time_ns = segment->time_ns,
		.frame = segment->frame & FYKE_TCP_FRAME_MASK,
		.print = segment->print,
		.stamp = segment->header->timestamp_value,
		.has_stamp = segment->header->has_timestamps,
		.bytes = captured > 0 && segment->block != 0 ? segment->bytes + skipped : NULL,
		.captured = captured,
		.block = (uint32_t)segment->block};
}

static void follow(const struct fyke_tcp_segment *segment, const struct fyke_tcp_sent *sent)
{
	struct fyke_tcp_sent_queue *queue = &segment->trail->sent;
	bool joined = queue->joined;

	(void)fyke_tcp_sent_add(segment->memory->blocks, queue, sent, !segment->peer->spoke);
	if (queue->joined && !joined)
		fyke_tcp_note(segment, segment->sender, "rtt_limited", segment->start, 0);
}

static void send_new(const struct fyke_tcp_segment *segment, int64_t start)
{
	struct fyke_tcp_progress *progress = &segment->trail->progress;
	struct fyke_tcp_sent sent = sent_of(segment, start);

	follow(segment, &sent);
	if (segment->stop < segment->own->highest)
		return;
	progress->highest_ns = segment->time_ns;
	progress->has_stamp = segment->header->has_timestamps;
	progress->highest_stamp = segment->header->timestamp_value;
	follow_ip_id(progress, fyke_tcp_print_ip_id(&segment->print));
}

static struct fyke_tcp_verdict judge(
	const struct fyke_tcp_segment *segment, const struct fyke_tcp_sent *original)
{
	struct fyke_tcp_side *own = segment->own, *peer = segment->peer;
	const struct fyke_tcp_progress *progress = &segment->trail->progress;
	struct fyke_tcp_question question = {.progress = progress,
		.recovery = &fyke_tcp_rare(own)->recovery,
		.own = &own->timer,
		.peer = &peer->timer,
		.original = original,
		.start = segment->start,
		.end = segment->stop,
		.now_ns = segment->time_ns,
		.acknowledged = own->acknowledged,
		.highest = segment->highest,
		.stamp = segment->header->timestamp_value,
		.ip_id = fyke_tcp_print_ip_id(&segment->print),
		.older_ack = segment->ack && own->ack_seen &&
			     (int32_t)(segment->header->acknowledgment - own->last_ack) < 0,
		.has_stamp = segment->header->has_timestamps,
		.has_payload = segment->length > 0,
		.both_seen = peer->spoke,
		.no_sack = own->options_known && peer->options_known &&
			   !(own->sack_permitted && peer->sack_permitted)};

	if (original == NULL && segment->start == progress->earlier_acknowledged)
		question.last_ns = progress->earlier_sent_ns;
	if (original == NULL && segment->fresh > 0) {
		struct fyke_tcp_behind behind = fyke_tcp_sent_behind(&segment->trail->sent, segment->stop);

		question.behind = behind.nearest;
		question.hole_ns = behind.since_ns;
	}
	return fyke_tcp_judge(&question);
}

static void remember(struct fyke_tcp_recovery *recovery, const struct fyke_tcp_verdict *verdict,
	int64_t acknowledged, int64_t highest)
{
	if ((verdict->cause == FYKE_TCP_CAUSE_FAST || verdict->cause == FYKE_TCP_CAUSE_SACK) &&
		(recovery->fast_end <= acknowledged || verdict->duplicate_acks >= FYKE_TCP_DUPLICATE_ACKS))
		recovery->fast_end = highest;
	if (verdict->cause == FYKE_TCP_CAUSE_TIMEOUT) {
		recovery->may_undo = recovery->fast_end <= acknowledged || verdict->backoff;
		recovery->timeout_end = highest;
		recovery->timeout_wait_ns = verdict->waited_ns;
		recovery->fast_end = -1;
	}
}

static void count(struct fyke_tcp_rare *rare, const struct fyke_tcp_segment *segment,
	const struct fyke_tcp_verdict *verdict)
{
	rare->causes[verdict->cause]++;
	if (verdict->cause == FYKE_TCP_CAUSE_REORDERING || segment->length == 0)
		return;
	rare->retransmitted_segments++;
	rare->retransmitted_bytes += segment->length;
	rare->spurious += verdict->spurious;
}

/* RFC 4737 §4.2: how many segments overtook it, and how late it came. */
static void measure_overtaking(const struct fyke_tcp_segment *segment, struct fyke_tcp_rare *rare)
{
	struct fyke_tcp_behind behind = fyke_tcp_sent_behind(&segment->trail->sent, segment->stop);

	if (behind.count == 0)
		return;
	if (behind.count > rare->overtaken_most)
		rare->overtaken_most = behind.count;
	if (segment->time_ns - behind.since_ns > rare->overtaken_ns)
		rare->overtaken_ns = segment->time_ns - behind.since_ns;
}

/* All of it lies below the highest byte: seen before, or the filling of a hole. */
static void take_old(struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *own = segment->own;
	struct fyke_tcp_rare *rare = fyke_tcp_need_rare(segment->memory, own);
	const struct fyke_tcp_sent *original =
		segment->fresh < segment->stop - segment->start || segment->length == 0
			? fyke_tcp_sent_find(&segment->trail->sent, segment->start)
			: NULL;
	struct fyke_tcp_sent again = sent_of(segment, segment->start);
	struct fyke_tcp_verdict verdict = judge(segment, original);

	if (segment->fresh == 0 && segment->length > 0)
		verdict.beyond = true; /* seen before, even if so long ago that no more is known of it */
	segment->resent = verdict.cause != FYKE_TCP_CAUSE_REORDERING;
	note_verdict(segment, &verdict, original != NULL ? original->frame : 0);
	fyke_tcp_compare(segment);
	count(rare, segment, &verdict);
	remember(&rare->recovery, &verdict, own->acknowledged, own->highest);
	if (verdict.cause == FYKE_TCP_CAUSE_REORDERING)
		measure_overtaking(segment, rare);
	if (verdict.cause == FYKE_TCP_CAUSE_REORDERING && original != NULL)
		return; /* sent before what was seen of it */
	if (original != NULL || segment->length == 0) {
		fyke_tcp_sent_again(&segment->trail->sent, segment->start, segment->stop, &again);
	} else {
		struct fyke_tcp_sent sent = again;

		sent.resends = verdict.cause != FYKE_TCP_CAUSE_REORDERING;
		follow(segment, &sent);
	}
}

/* Begins below the highest byte and goes beyond it. */
static void take_straddling(const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_sent again = sent_of(segment, segment->start);

	fyke_tcp_need_rare(segment->memory, segment->own)->overlapping_bytes +=
		(uint64_t)(segment->stop - segment->start - segment->fresh);
	fyke_tcp_compare(segment);
	fyke_tcp_sent_again(&segment->trail->sent, segment->start, segment->highest, &again);
	send_new(segment, segment->highest);
}

static void note_window_full(const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *own = segment->own, *peer = segment->peer;
	int scale =
		own->options_known && peer->options_known && own->window_scale >= 0 && peer->window_scale > 0
			? peer->window_scale
			: 0;

	if (!peer->ack_seen || peer->window == 0 || segment->syn || segment->fin ||
		segment->stop != own->acknowledged + ((int64_t)peer->window << scale))
		return;
	fyke_tcp_need_rare(segment->memory, own)->window_fulls++;
	fyke_tcp_note(
		segment, segment->sender, "window_full", segment->start, segment->stop - segment->start);
}

static void take_special(const struct fyke_tcp_segment *segment)
{
	/* an ACK that the capture holds twice is noted, but counts as nothing */
	if (segment->nature != FYKE_TCP_CAUSE_CAPTURE_DUPLICATE || segment->length > 0 || segment->syn ||
		segment->fin)
		fyke_tcp_need_rare(segment->memory, segment->own)->causes[segment->nature]++;
	fyke_tcp_note(segment, segment->sender, fyke_tcp_cause_name(segment->nature), segment->start,
		segment->stop - segment->start);
	if (segment->nature == FYKE_TCP_CAUSE_WINDOW_PROBE && segment->fresh > 0)
		send_new(segment, segment->start);
}

void fyke_tcp_resend(struct fyke_tcp_segment *segment)
{
	if (segment->nature != FYKE_TCP_CAUSE_NONE) {
		take_special(segment);
	} else if (segment->length == 0) {
		if (segment->fin && !segment->rst && segment->own->fin_seen && segment->advance <= 0)
			take_old(segment);
	} else if (segment->believed || segment->start >= segment->highest ||
		   (segment->stop <= segment->lowest && segment->fresh == segment->stop - segment->start)) {
		/* what lies before a beginning that was not seen is new, too; and what is believed late */
		send_new(segment, segment->start);
		note_window_full(segment);
	} else if (segment->stop > segment->highest) {
		take_straddling(segment);
	} else {
		take_old(segment);
	}
}
