/*
 * The rules, from the surest evidence to the weakest: a byte that only arrives late is no resend; then what
 * acknowledgments prove (duplicate ACKs, SACK); then what waiting proves (tail-loss probe, timeout).
 *
 * Waiting is measured at the tap. The sender's own clock started up to a round trip earlier or later, hence
 * the tolerances.
 */
#include "analyzer/tcp/cause.h"

#include <stddef.h>

#define MILLISECOND INT64_C(1000000)

enum { DUPLICATE_ACKS = 3, STEADY_IDS = 4, IP_ID_BACK_MAX = 1000 };

static const struct {
	const char *name, *description;
} causes[FYKE_TCP_CAUSE_COUNT] = {
	[FYKE_TCP_CAUSE_NONE] = {"none", "not sent before"},
	[FYKE_TCP_CAUSE_CAPTURE_DUPLICATE] = {"capture_duplicate", "the capture holds this packet twice"},
	[FYKE_TCP_CAUSE_WINDOW_PROBE] = {"window_probe", "asks whether the other side has room again"},
	[FYKE_TCP_CAUSE_KEEP_ALIVE] = {"keep_alive", "asks whether the other side is still there"},
	[FYKE_TCP_CAUSE_SYN] = {"syn_retransmission", "the opening was not answered in time"},
	[FYKE_TCP_CAUSE_REORDERING] = {"reordering", "overtaken on the way, not sent again"},
	[FYKE_TCP_CAUSE_FAST] = {"fast_retransmission", "duplicate ACKs told of the loss"},
	[FYKE_TCP_CAUSE_SACK] = {"sack_retransmission", "selective ACKs showed the hole"},
	[FYKE_TCP_CAUSE_TAIL_PROBE] = {"tail_loss_probe", "the last segment again, to provoke an answer"},
	[FYKE_TCP_CAUSE_TIMEOUT] = {"timeout_retransmission", "no acknowledgment came in time"},
	[FYKE_TCP_CAUSE_GO_BACK] = {"go_back_n", "sent again in the wake of a timeout"},
	[FYKE_TCP_CAUSE_FIN] = {"fin_retransmission", "the closing was not answered in time"},
	[FYKE_TCP_CAUSE_UNKNOWN] = {"unknown_retransmission", "sent again, the reason cannot be seen"},
};

const char *fyke_tcp_cause_name(enum fyke_tcp_cause cause)
{
	return causes[cause].name;
}

const char *fyke_tcp_cause_description(enum fyke_tcp_cause cause)
{
	return causes[cause].description;
}

/* A hole filled by what was sent before the segments that made it a hole. */
static const char *reordering(const struct fyke_tcp_question *q)
{
	const struct fyke_tcp_recovery *r = q->recovery;
	int64_t least = fyke_tcp_least_round_trip(q->own, q->peer);

	if (q->original != NULL)
		return NULL;
	if (q->has_stamp && r->has_stamp) {
		if ((int32_t)(q->stamp - r->highest_stamp) < 0)
			return "its timestamp is older";
		if (q->stamp != r->highest_stamp)
			return NULL;
	}
	if (q->older_ack)
		return "its acknowledgment is older";
	if (r->ip_id_steady >= STEADY_IDS && q->ip_id != 0) {
		int16_t back = (int16_t)(r->highest_ip_id - q->ip_id);

		if (back > 0 && back < IP_ID_BACK_MAX)
			return "its IP ID is older";
		if (back < 0 && back > -IP_ID_BACK_MAX)
			return NULL; /* sent after the highest byte */
	}
	if (least > 0 && q->hole_ns != 0 && q->now_ns - q->hole_ns < least)
		return "it came sooner than a round trip";
	return NULL;
}

static bool is_sacked_above(const struct fyke_tcp_question *q)
{
	return q->recovery->highest_sacked > q->start && q->recovery->highest_sacked >= q->end;
}

static const char *fast(const struct fyke_tcp_question *q, int64_t waited_ns)
{
	const struct fyke_tcp_recovery *r = q->recovery;
	int64_t least = fyke_tcp_least_round_trip(q->own, q->peer);

	if (q->start != q->acknowledged)
		return NULL;
	if (r->duplicate_acks >= DUPLICATE_ACKS)
		return "three duplicate ACKs";
	if (is_sacked_above(q) && (waited_ns < 0 || waited_ns >= least / 4))
		return "later bytes were SACKed";
	if (r->fast_end > q->start && r->highest_sacked < 0)
		return "partial ACK in fast recovery"; /* RFC 6582 §3.2 step 3 */
	return NULL;
}

/* The ACK for it passed the tap when the resend was on its way: the sender knew what was known before. */
static const char *crossing(const struct fyke_tcp_question *q)
{
	const struct fyke_tcp_recovery *r = q->recovery;
	int64_t way = q->peer->samples > 0 ? q->peer->smoothed + 4 * q->peer->variation : q->own->smoothed;

	if (q->end > q->acknowledged || r->timeout_end > q->start || r->advance_ns == 0 ||
		q->now_ns - r->advance_ns > way)
		return NULL;
	if (r->earlier_duplicate_acks >= DUPLICATE_ACKS)
		return "three duplicate ACKs, before an ACK that it met on the way";
	if (r->earlier_sacked >= q->end)
		return "later bytes were SACKed, before an ACK that it met on the way";
	return NULL;
}

/* Since the later of its last sending and the last advancing ACK, as far as both are known. */
static int64_t waited(const struct fyke_tcp_question *q)
{
	int64_t since = q->original != NULL ? q->original->time_ns
			: q->hole_ns != 0   ? q->hole_ns
					    : q->recovery->highest_ns;

	if (q->recovery->advance_ns > since)
		since = q->recovery->advance_ns;
	return since == 0 || q->now_ns < since ? -1 : q->now_ns - since;
}

static bool is_tail_probe(const struct fyke_tcp_question *q, const struct fyke_tcp_verdict *v)
{
	int64_t smoothed = fyke_tcp_round_trip(q->own, q->peer);
	int64_t probe = 2 * smoothed;

	if (q->original == NULL || q->original->resends > 0 || q->end != q->highest ||
		q->recovery->highest_sacked > q->acknowledged || smoothed == 0)
		return false;
	return v->waited_ns >= probe - probe / 8 && v->waited_ns < v->timeout_ns;
}

static bool is_backoff(const struct fyke_tcp_question *q, int64_t waited_ns)
{
	int64_t before = q->recovery->timeout_wait_ns;

	return before > 0 && waited_ns > before + before / 2 && waited_ns < 3 * before;
}

/* The tap sees the send up to a round trip before or after the timer started. */
static int64_t enough(const struct fyke_tcp_verdict *v)
{
	return v->timeout_ns - v->timeout_ns / 8;
}

static void judge_waiting(const struct fyke_tcp_question *q, struct fyke_tcp_verdict *v)
{
	v->backoff = is_backoff(q, v->waited_ns);
	if (q->both_seen && is_tail_probe(q, v)) {
		v->cause = FYKE_TCP_CAUSE_TAIL_PROBE;
		v->rule = "the last segment after two round trips of silence";
	} else if ((q->both_seen && v->waited_ns >= enough(v)) || v->backoff) {
		v->cause = FYKE_TCP_CAUSE_TIMEOUT;
		v->rule = v->backoff ? "waited twice as long as before" : "the retransmission timer ran out";
	} else if (q->both_seen && q->recovery->timeout_end > q->start) {
		v->cause = FYKE_TCP_CAUSE_GO_BACK;
		v->rule = "follows a timeout";
	} else {
		v->cause = FYKE_TCP_CAUSE_UNKNOWN;
		v->rule = q->both_seen ? "no rule fits" : "only one direction was captured";
	}
}

/* What the receiver told moves a sender at once: after a timer's time of silence it was the timer. */
static bool is_stale(const struct fyke_tcp_question *q, const struct fyke_tcp_verdict *v)
{
	return v->waited_ns >= enough(v) && q->now_ns - q->recovery->told_ns >= enough(v);
}

static bool judge_told(const struct fyke_tcp_question *q, struct fyke_tcp_verdict *v)
{
	bool held = q->original != NULL && q->original->sacked;

	if (is_stale(q, v))
		return false;
	if ((v->rule = fast(q, v->waited_ns)) != NULL || (v->rule = crossing(q)) != NULL) {
		v->cause = FYKE_TCP_CAUSE_FAST;
	} else if (is_sacked_above(q) && (!held || q->recovery->timeout_end <= q->start)) {
		v->cause = FYKE_TCP_CAUSE_SACK;
		v->spurious |= held;
		v->rule =
			held ? "a hole below the highest SACKed byte, closed by a SACK that it met on the way"
			     : "a hole below the highest SACKed byte";
	} else {
		return false;
	}
	return true;
}

struct fyke_tcp_verdict fyke_tcp_judge(const struct fyke_tcp_question *q)
{
	struct fyke_tcp_verdict v = {
		.spurious = q->has_payload && q->end <= q->acknowledged,
		.beyond = q->original != NULL,
		.waited_ns = waited(q),
		.timeout_ns = fyke_tcp_timeout(q->own, q->peer),
		.duplicate_acks = q->recovery->duplicate_acks,
		.sacked = q->recovery->highest_sacked,
	};

	if (!q->has_payload) {
		v.cause = FYKE_TCP_CAUSE_FIN;
		v.rule = "the FIN again";
	} else if ((v.rule = reordering(q)) != NULL) {
		v.cause = FYKE_TCP_CAUSE_REORDERING;
	} else if (!q->both_seen || !judge_told(q, &v)) {
		judge_waiting(q, &v);
	}
	return v;
}
