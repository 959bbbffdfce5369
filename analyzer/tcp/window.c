/*
 * Segments far outside the receiver's window (RFC 9293 §3.10.7.4): a wild sequence number would make a hole
 * of up to 2 GiB, and everything behind it old. The capture may miss acknowledgments, hence a wide margin;
 * what the capture itself skipped goes on, so a second segment that continues the first one is believed.
 */
#include "analyzer/tcp/parts.h"

enum {
	MARGIN = 1 << 24,	 /* beyond the widest window that was seen */
	WIDEST_WINDOW = 1 << 30, /* RFC 7323 §2.3: where the scale is not known */
	SCALE_MAX = 14,
};

/* How far from what is acknowledged payload may lie. */
static int64_t reach_of(const struct fyke_tcp_side *own, const struct fyke_tcp_side *peer)
{
	int scale = 0;

	if (!own->options_known || !peer->options_known || peer->widest == 0)
		return WIDEST_WINDOW;
	if (own->window_scale >= 0 && peer->window_scale >= 0)
		scale = peer->window_scale < SCALE_MAX ? peer->window_scale : SCALE_MAX;
	return ((int64_t)peer->widest << scale) + MARGIN;
}

static bool is_outside(const struct fyke_tcp_segment *segment)
{
	const struct fyke_tcp_side *own = segment->own;
	int64_t reach = reach_of(own, segment->peer);
	int64_t above = own->acknowledged > own->highest ? own->acknowledged : own->highest;
	int64_t below = segment->peer->ack_seen ? own->acknowledged : own->highest - WIDEST_WINDOW;

	return segment->start > above + reach || segment->stop < below - reach;
}

/* The capture skipped what lies between; the first segment behind it was taken for a wild one. */
static bool continues_wild(const struct fyke_tcp_segment *segment)
{
	const struct fyke_tcp_rare *rare = segment->own->rare;

	return rare != NULL && rare->wild_stop > rare->wild_start && segment->start == rare->wild_stop &&
	       segment->length > 0 && segment->start > segment->own->highest;
}

void fyke_tcp_believe_earlier(const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_rare *rare = segment->own->rare;

	segment->result->ignored_bytes -=
		fyke_tcp_fill(segment->memory, segment->own, rare->wild_start, rare->wild_stop);
	rare->outside_window--;
	rare->wild_start = rare->wild_stop = 0;
}

static void note_outside(struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_rare *rare;

	segment->outside = true;
	if (segment->duplicate)
		return;
	rare = fyke_tcp_need_rare(segment->memory, segment->own);
	rare->wild_start = segment->start;
	rare->wild_stop = segment->stop;
	rare->outside_window++;
	fyke_tcp_note(
		segment, segment->sender, "outside_window", segment->start, segment->stop - segment->start);
}

void fyke_tcp_check_window(struct fyke_tcp_segment *segment)
{
	const struct fyke_tcp_side *own = segment->own;

	if (!own->spoke || segment->rst || (segment->length == 0 && !segment->fin))
		return;
	if (segment->syn) /* what comes with a SYN-ACK of another sequence number is not this stream's */
		segment->outside = own->rare != NULL && own->rare->has_other_start &&
				   segment->header->sequence != own->start;
	else if (!is_outside(segment))
		return;
	else if (continues_wild(segment))
		segment->continues = true;
	else
		note_outside(segment);
}
