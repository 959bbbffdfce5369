/*
 * The rules, from the surest evidence to the weakest: a byte that only arrives late is no resend; then what
 * acknowledgments prove (duplicate ACKs, SACK); then what waiting proves (tail-loss probe, timeout).
 *
 * Waiting is measured at the tap. The sender's own clock started up to a round trip earlier or later, hence
 * the tolerances.
 */
#include "analyzer/tcp/cause.h"

#include <stddef.h>

#define DELAYED_ACK INT64_C(200000000) /* RFC 8985 §7.2: WCDelAckT */
#define LATE	    INT64_C(20000000)  /* a timer's own coarseness */

enum { STEADY_IDS = 4, IP_ID_BACK_MAX = 1000 };

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

/* How far an IP ID lies before another where the sender's rise steadily: > 0 older, < 0 younger, 0 not known.
 */
static int ip_id_before(const struct fyke_tcp_question *q, uint16_t reference)
{
	int16_t before = (int16_t)(reference - q->ip_id);

	if (q->progress->ip_id_steady < STEADY_IDS || q->ip_id == 0 || reference == 0 ||
		before >= IP_ID_BACK_MAX || before <= -IP_ID_BACK_MAX)
		return 0;
	return before;
}

/* It was seen, and what was seen was sent later than this: its own resend overtook it. */
static const char *overtaken_by_resend(const struct fyke_tcp_question *q)
{
	const struct fyke_tcp_sent *seen = q->original;

	if (q->has_stamp && seen->has_stamp && q->stamp != seen->stamp)
		return (int32_t)(q->stamp - seen->stamp) < 0 ? "its timestamp is older than its resend's"
							     : NULL;
	return ip_id_before(q, fyke_tcp_print_ip_id(&seen->print)) > 0
		       ? "its IP ID is older than its resend's"
		       : NULL;
}

/* A hole filled by what was sent before the segment behind the hole. What was sent before the highest one
 * only may be a resend that was overtaken; that is what is known of bytes whose original is forgotten. */
static const char *reordering(const struct fyke_tcp_question *q)
{
	const struct fyke_tcp_progress *p = q->progress;
	const struct fyke_tcp_sent *behind = q->behind;
	int64_t least = fyke_tcp_least_round_trip(q->own, q->peer);
	uint32_t stamp = behind != NULL ? behind->stamp : p->highest_stamp;
	int before;

	if (q->original != NULL)
		return overtaken_by_resend(q);
	if (q->has_stamp && (behind != NULL ? behind->has_stamp : p->has_stamp)) {
		if ((int32_t)(q->stamp - stamp) < 0)
			return "its timestamp is older";
		if (q->stamp != stamp)
			return NULL;
	}
	if (q->older_ack)
		return "its acknowledgment is older";
	before = ip_id_before(q, behind != NULL ? fyke_tcp_print_ip_id(&behind->print) : p->highest_ip_id);
	if (before != 0)
		return before > 0 ? "its IP ID is older" : NULL;
	if (least > 0 && q->hole_ns != 0 && q->now_ns - q->hole_ns < least)
		return "it came sooner than a round trip";
	return NULL;
}

static bool is_sacked_above(const struct fyke_tcp_question *q)
{
	return q->recovery->highest_sacked > q->start && q->recovery->highest_sacked >= q->end;
}

/* RACK (RFC 8985 §6.2): what was sent later has arrived, by more than may be reordering. */
static bool is_passed(const struct fyke_tcp_question *q)
{
	const struct fyke_tcp_recovery *r = q->recovery;
	int64_t delivered_ns = q->progress->delivered_ns;
	int64_t sent_ns = q->original != NULL ? q->original->time_ns : q->hole_ns;
	bool recovering = r->highest_sacked >= 0 ||
			  r->fast_end > q->acknowledged; /* then reordering is not waited for */
	int64_t reordering = recovering ? 0 : fyke_tcp_least_round_trip(q->own, q->peer) / 4;

	return !q->no_sack && sent_ns != 0 && q->start >= q->acknowledged && !is_sacked_above(q) &&
	       delivered_ns - sent_ns > reordering;
}

static const char *fast(const struct fyke_tcp_question *q, int64_t waited_ns)
{
	const struct fyke_tcp_recovery *r = q->recovery;
	int64_t least = fyke_tcp_least_round_trip(q->own, q->peer);

	if (q->start != q->acknowledged)
		return NULL;
	if (r->duplicate_acks >= FYKE_TCP_DUPLICATE_ACKS)
		return "three duplicate ACKs";
	if (is_sacked_above(q) && (waited_ns < 0 || waited_ns >= least / 4))
		return "later bytes were SACKed";
	if (r->fast_end >= q->start && r->highest_sacked < 0)
		return "partial ACK in fast recovery"; /* RFC 6582 §3.2 step 3 */
	return NULL;
}

/* Whether the ACK for it passed the tap when the resend was on its way: the sender knew what was known
 * before. */
static bool is_crossing(const struct fyke_tcp_question *q)
{
	const struct fyke_tcp_progress *p = q->progress;

	return q->end <= q->acknowledged && p->advance_ns != 0 &&
	       q->now_ns - p->advance_ns <= fyke_tcp_near_way(q->own, q->peer);
}

static const char *crossing(const struct fyke_tcp_question *q)
{
	const struct fyke_tcp_recovery *r = q->recovery;

	if (!is_crossing(q))
		return NULL;
	if (r->earlier_duplicate_acks >= FYKE_TCP_DUPLICATE_ACKS)
		return "three duplicate ACKs, before an ACK that it met on the way";
	if (r->earlier_sacked >= q->end)
		return "later bytes were SACKed, before an ACK that it met on the way";
	return NULL;
}

/* Since the later of its last sending and the last advancing ACK, as far as both are known. */
static int64_t waited(const struct fyke_tcp_question *q)
{
	int64_t since = q->original != NULL ? q->original->time_ns
			: q->last_ns != 0   ? q->last_ns
			: q->hole_ns != 0   ? q->hole_ns
					    : q->progress->highest_ns;

	int64_t advance = is_crossing(q) ? q->progress->earlier_advance_ns : q->progress->advance_ns;

	if (advance > since)
		since = advance;
	return since == 0 || q->now_ns < since ? -1 : q->now_ns - since;
}

/* Late by no more than half of it: the sender's round trips are not quite those of the tap. */
static bool is_about(int64_t waited_ns, int64_t expected_ns)
{
	return waited_ns >= expected_ns - expected_ns / 8 &&
	       waited_ns <= expected_ns + expected_ns / 2 + LATE;
}

/* RFC 8985 §7.2: after two round trips, and 200 ms for a delayed ACK where nothing else is under way. */
static bool is_tail_probe(const struct fyke_tcp_question *q, const struct fyke_tcp_verdict *v)
{
	const struct fyke_tcp_recovery *r = q->recovery;
	int64_t probe = 2 * fyke_tcp_round_trip(q->own, q->peer);
	bool alone = q->start == (is_crossing(q) ? q->progress->earlier_acknowledged : q->acknowledged);

	if (q->no_sack || q->original == NULL || q->original->resends > 0 || q->end != q->highest ||
		r->highest_sacked > q->acknowledged || r->timeout_end > q->start || probe == 0)
		return false;
	return v->waited_ns < v->timeout_ns &&
	       (is_about(v->waited_ns, probe) || (alone && is_about(v->waited_ns, probe + DELAYED_ACK)));
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

/* A sender's variation may be smaller than what is seen of it at the tap. */
static int64_t shortest_timeout(const struct fyke_tcp_question *q)
{
	return FYKE_TCP_TIMEOUT_LEAST + fyke_tcp_least_round_trip(q->own, q->peer);
}

/* The rule by which the timer ran out, NULL = it did not. */
static const char *timeout(const struct fyke_tcp_question *q, const struct fyke_tcp_verdict *v)
{
	/* what follows a timeout meets ACKs all the time, and how long it waited is not known then */
	if (q->both_seen && q->recovery->timeout_end > q->start &&
		(is_crossing(q) || q->start > q->acknowledged))
		return NULL; /* nor does the timer run for what is not the first */
	if (v->backoff)
		return "waited twice as long as before";
	if (q->both_seen && v->waited_ns >= enough(v))
		return "the retransmission timer ran out";
	if (q->both_seen && q->start <= q->acknowledged && v->waited_ns >= shortest_timeout(q))
		return "as long a silence as the shortest timer, and nothing else asked for it";
	return NULL;
}

static void judge_waiting(const struct fyke_tcp_question *q, struct fyke_tcp_verdict *v)
{
	v->backoff = is_backoff(q, v->waited_ns);
	if (q->both_seen && is_tail_probe(q, v)) {
		v->cause = FYKE_TCP_CAUSE_TAIL_PROBE;
		v->rule = "the last segment after two round trips of silence";
	} else if ((v->rule = timeout(q, v)) != NULL) {
		v->cause = FYKE_TCP_CAUSE_TIMEOUT;
	} else if (q->both_seen && q->recovery->timeout_end > q->start) {
		v->cause = FYKE_TCP_CAUSE_GO_BACK;
		v->rule = "follows a timeout";
	} else {
		v->cause = FYKE_TCP_CAUSE_UNKNOWN;
		v->rule = q->both_seen ? "no rule fits" : "only one direction was captured";
	}
}

/* What the receiver told moves a sender at once: after a timer's time of silence it was the timer. So it was
 * where the resend was lost, too, unless something arrived that was sent later. */
static bool is_stale(const struct fyke_tcp_question *q, const struct fyke_tcp_verdict *v)
{
	const struct fyke_tcp_recovery *r = q->recovery;
	int64_t told_ns = r->highest_sacked >= 0 ? r->told_ns : r->third_ns;
	int64_t long_enough = enough(v) < shortest_timeout(q) ? enough(v) : shortest_timeout(q);

	if (v->waited_ns < long_enough)
		return false;
	if (q->original != NULL && q->original->resends > 0 &&
		q->progress->delivered_ns <= q->original->time_ns)
		return true;
	return q->now_ns - told_ns >= long_enough;
}

static bool judge_told(const struct fyke_tcp_question *q, struct fyke_tcp_verdict *v)
{
	bool held = q->original != NULL && q->original->sacked;

	/* after a timeout all is sent again, whatever is told */
	if (q->recovery->timeout_end > q->start || is_stale(q, v))
		return false;
	if ((v->rule = fast(q, v->waited_ns)) != NULL || (v->rule = crossing(q)) != NULL) {
		v->cause = FYKE_TCP_CAUSE_FAST;
	} else if (!held && is_passed(q)) {
		v->cause = FYKE_TCP_CAUSE_FAST;
		v->rule = "what was sent later had arrived";
	} else if (is_sacked_above(q)) {
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

/* A round trip that ended with an ACK which the resend met on the way was not known to the sender. */
static struct fyke_tcp_timer known_timer(const struct fyke_tcp_question *q)
{
	struct fyke_tcp_timer timer = *q->own;

	if (is_crossing(q) && q->progress->earlier_smoothed_us > 0) {
		timer.smoothed = (int64_t)q->progress->earlier_smoothed_us * 1000;
		timer.variation = (int64_t)q->progress->earlier_variation_us * 1000;
	}
	return timer;
}

struct fyke_tcp_verdict fyke_tcp_judge(const struct fyke_tcp_question *question)
{
	struct fyke_tcp_timer timer = known_timer(question);
	struct fyke_tcp_question known = *question, *q = &known;
	struct fyke_tcp_verdict v = {
		.spurious = q->has_payload && q->end <= q->acknowledged,
		.beyond = q->original != NULL,
		.waited_ns = waited(q),
		.timeout_ns = fyke_tcp_timeout(&timer, q->peer),
		.duplicate_acks = q->recovery->duplicate_acks,
		.sacked = q->recovery->highest_sacked,
	};

	q->own = &timer;
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
