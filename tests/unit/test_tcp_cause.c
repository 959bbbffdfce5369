/* Each rule of the causes: first on hand-made questions, then on segments of whole connections. */
#include "analyzer/tcp/tcp.h"
#include "tests/unit/tcp_segments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS INT64_C(1000000)

/* 10,000 bytes sent, 1,000 acknowledged, a round trip of 20 + 10 ms; the segment in question is the one
 * behind what is acknowledged, sent 5 ms ago. */
struct scene {
	struct fyke_tcp_progress progress;
	struct fyke_tcp_recovery recovery;
	struct fyke_tcp_timer own, peer;
	struct fyke_tcp_sent original;
	struct fyke_tcp_question question;
};

static void set(struct scene *s)
{
	*s = (struct scene){.progress = {.advance_ns = 900 * MS, .highest_ns = 999 * MS},
		.recovery = {.highest_sacked = -1, .fast_end = -1, .timeout_end = -1, .earlier_sacked = -1},
		.own = {.smoothed = 20 * MS, .least = 20 * MS, .samples = 9},
		.peer = {.smoothed = 10 * MS, .least = 10 * MS, .samples = 9},
		.original = {.start = 1000, .length = 1000, .time_ns = 995 * MS}};
	s->question = (struct fyke_tcp_question){.progress = &s->progress,
		.recovery = &s->recovery,
		.own = &s->own,
		.peer = &s->peer,
		.original = &s->original,
		.start = 1000,
		.end = 2000,
		.now_ns = 1000 * MS,
		.acknowledged = 1000,
		.highest = 10000,
		.has_payload = true,
		.both_seen = true};
}

static void expect(const struct scene *s, enum fyke_tcp_cause cause)
{
	struct fyke_tcp_verdict verdict = fyke_tcp_judge(&s->question);

	assert_string_equal(fyke_tcp_cause_name(verdict.cause), fyke_tcp_cause_name(cause));
	assert_non_null(verdict.rule);
	assert_int_equal(verdict.beyond, s->question.original != NULL);
}

static void set_hole(struct scene *s, int64_t seen_ms)
{
	set(s);
	s->question.original = NULL;
	s->question.hole_ns = seen_ms * MS;
}

static void test_nothing_known_is_unknown(void **state)
{
	struct scene s;

	(void)state;
	set(&s);
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
}

static void test_reordering_by_timestamp(void **state)
{
	struct scene s;

	(void)state;
	set_hole(&s, 900);
	s.progress.has_stamp = s.question.has_stamp = true;
	s.progress.highest_stamp = 5;
	s.question.stamp = UINT32_MAX; /* older, over the wraparound */
	expect(&s, FYKE_TCP_CAUSE_REORDERING);
	s.question.stamp = 6;
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
}

static void test_reordering_by_ip_id(void **state)
{
	struct scene s;

	(void)state;
	set_hole(&s, 900);
	s.progress.ip_id_steady = 4;
	s.progress.highest_ip_id = 3;
	s.question.ip_id = 0xfffe;
	expect(&s, FYKE_TCP_CAUSE_REORDERING);
	s.progress.ip_id_steady = 3; /* not steady enough to mean anything */
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
}

static void test_reordering_sooner_than_a_round_trip(void **state)
{
	struct scene s;

	(void)state;
	set_hole(&s, 971);
	expect(&s, FYKE_TCP_CAUSE_REORDERING);
	s.progress.ip_id_steady = 4; /* but a younger IP ID was sent later */
	s.progress.highest_ip_id = 0xffff;
	s.question.ip_id = 1;
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
	/* what counts is the age of the hole, not that of the last new segment */
	set_hole(&s, 969);
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
	set_hole(&s, 0);
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
}

static void test_seen_before_is_no_reordering(void **state)
{
	struct scene s;

	(void)state;
	set(&s);
	s.progress.has_stamp = s.question.has_stamp = true;
	s.progress.highest_stamp = 5;
	s.question.hole_ns = 999 * MS;
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
}

static void test_fast_after_three_duplicates(void **state)
{
	struct scene s;

	(void)state;
	set(&s);
	s.recovery.duplicate_acks = 2;
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
	s.recovery.duplicate_acks = 3;
	expect(&s, FYKE_TCP_CAUSE_FAST);
	s.question.start = 1001; /* not the first unacknowledged byte */
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
}

static void test_fast_by_rack(void **state)
{
	struct scene s;

	(void)state;
	set(&s);
	s.recovery.highest_sacked = 5000;
	s.original.time_ns = 992 * MS;
	expect(&s, FYKE_TCP_CAUSE_FAST);
	s.recovery.highest_sacked = 1999; /* not above all of it */
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
}

static void test_fast_on_partial_ack(void **state)
{
	struct scene s;

	(void)state;
	set(&s);
	s.recovery.fast_end = 9000;
	expect(&s, FYKE_TCP_CAUSE_FAST);
	s.recovery.fast_end = 1000; /* the sender may have sent more by then than had passed here */
	expect(&s, FYKE_TCP_CAUSE_FAST);
	s.recovery.fast_end = 999;
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
}

static void test_fast_met_the_ack_on_the_way(void **state)
{
	struct scene s;

	(void)state;
	set(&s);
	s.question.acknowledged = 9000;
	s.progress.advance_ns = 992 * MS;
	s.recovery.earlier_duplicate_acks = 3;
	expect(&s, FYKE_TCP_CAUSE_FAST);
	assert_true(fyke_tcp_judge(&s.question).spurious);
	s.recovery.earlier_duplicate_acks = 0;
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
	s.recovery.earlier_sacked = 2000;
	expect(&s, FYKE_TCP_CAUSE_FAST);
	s.recovery.timeout_end = 9000; /* what follows a timeout follows no duplicate ACKs */
	expect(&s, FYKE_TCP_CAUSE_GO_BACK);
	s.recovery.timeout_end = -1;
	s.progress.advance_ns = 900 * MS; /* that ACK has arrived */
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
}

static void test_sack_recovery(void **state)
{
	struct scene s;

	(void)state;
	set(&s);
	s.question.start = s.original.start = 3000;
	s.question.end = 4000;
	s.original.length = (uint32_t)(4000 - s.original.start);
	s.recovery.highest_sacked = 8000;
	expect(&s, FYKE_TCP_CAUSE_SACK);
	s.original.sacked = true; /* the receiver told that it holds it, but the sender did not hear it yet */
	expect(&s, FYKE_TCP_CAUSE_SACK);
	assert_true(fyke_tcp_judge(&s.question).spurious);
	s.recovery.timeout_end = 9000; /* or forgot it: RFC 2018 §8 */
	expect(&s, FYKE_TCP_CAUSE_GO_BACK);
	set_hole(&s, 900);
	s.question.start = 3000;
	s.question.end = 4000;
	s.recovery.highest_sacked = 8000;
	expect(&s, FYKE_TCP_CAUSE_SACK);
}

/* Evidence for recovery, but a timer's time of silence since. */
static void test_silence_after_duplicates_is_a_timeout(void **state)
{
	struct scene s;

	(void)state;
	set(&s);
	s.recovery.duplicate_acks = 3;
	s.recovery.fast_end = 9000;
	s.recovery.third_ns = 999 * MS; /* what comes after the third tells the sender nothing new */
	s.recovery.told_ns = 1229 * MS;
	s.question.now_ns = 1230 * MS;
	expect(&s, FYKE_TCP_CAUSE_TIMEOUT);
	s.recovery.third_ns = 1210 * MS;
	expect(&s, FYKE_TCP_CAUSE_FAST);
	s.recovery.highest_sacked = 5000; /* new SACK blocks do */
	s.recovery.third_ns = 999 * MS;
	expect(&s, FYKE_TCP_CAUSE_FAST);
	s.recovery.told_ns = 999 * MS;
	expect(&s, FYKE_TCP_CAUSE_TIMEOUT);
}

/* Duplicate ACKs move a sender once; that the resend was lost, too, only later segments can tell. */
static void test_lost_resend_is_a_timeout(void **state)
{
	struct scene s;

	(void)state;
	set(&s);
	s.recovery.duplicate_acks = 9;
	s.original.resends = 1;
	s.recovery.third_ns = s.recovery.told_ns = 1220 * MS;
	s.question.now_ns = s.original.time_ns + 230 * MS;
	expect(&s, FYKE_TCP_CAUSE_TIMEOUT);
	s.progress.delivered_ns = s.original.time_ns + 1 * MS;
	expect(&s, FYKE_TCP_CAUSE_FAST);
}

static void test_passed_by_what_was_sent_later(void **state)
{
	struct scene s;

	(void)state;
	set(&s);
	s.question.start = s.original.start = 3000;
	s.question.end = 4000;
	s.original.length = (uint32_t)(4000 - s.original.start);
	s.original.time_ns = 900 * MS;
	s.progress.delivered_ns = 908 * MS; /* more than a quarter of the least round trip */
	expect(&s, FYKE_TCP_CAUSE_FAST);
	s.progress.delivered_ns = 907 * MS;
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
	s.progress.delivered_ns = 908 * MS;
	s.question.no_sack = true;
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
}

/* Sent once, late, and behind its own resend. */
static void test_overtaken_by_its_resend(void **state)
{
	struct scene s;

	(void)state;
	set(&s);
	s.original.has_stamp = s.question.has_stamp = true;
	s.original.stamp = 7;
	s.question.stamp = 6;
	expect(&s, FYKE_TCP_CAUSE_REORDERING);
	s.question.stamp = 8;
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
	s.question.has_stamp = false;
	s.progress.ip_id_steady = 4;
	s.original.print.rest = 20; /* its IP ID */
	s.question.ip_id = 19;
	expect(&s, FYKE_TCP_CAUSE_REORDERING);
	s.question.ip_id = 21;
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
}

/* Older than the highest byte is a resend that was overtaken, too; older than its neighbour is the original.
 */
static void test_late_resend_is_no_reordering(void **state)
{
	struct fyke_tcp_sent behind = {
		.start = 2000, .length = 1000, .time_ns = 900 * MS, .stamp = 10, .has_stamp = true};
	struct scene s;

	(void)state;
	set_hole(&s, 900);
	s.question.behind = &behind;
	s.progress.has_stamp = s.question.has_stamp = true;
	s.progress.highest_stamp = 20;
	s.question.stamp = 15;
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
	s.question.stamp = 9;
	expect(&s, FYKE_TCP_CAUSE_REORDERING);
}

static void set_tail(struct scene *s, int64_t waited_ms)
{
	set(s);
	s->question.acknowledged = 500;
	s->question.end = s->question.highest = 2000;
	s->original.length = (uint32_t)(2000 - s->original.start);
	s->question.now_ns = s->original.time_ns + waited_ms * MS;
}

static void test_tail_probe_after_two_round_trips(void **state)
{
	struct scene s;

	(void)state;
	set_tail(&s, 61);
	expect(&s, FYKE_TCP_CAUSE_TAIL_PROBE);
	s.question.no_sack = true; /* RFC 8985 needs it */
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
	set_tail(&s, 30);
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
	set_tail(&s, 150); /* two round trips were over long ago */
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
	set_tail(&s, 61);
	s.question.acknowledged = 1000; /* alone on its way: a delayed ACK may be waited for */
	s.own.variation = 70 * MS;
	s.question.now_ns = s.original.time_ns + 261 * MS;
	expect(&s, FYKE_TCP_CAUSE_TAIL_PROBE);
	set_tail(&s, 61);
	s.question.highest = 3000; /* not the last segment */
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
	set_tail(&s, 61);
	s.original.resends = 1; /* one probe only */
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
}

static void test_timeout_after_the_timer(void **state)
{
	struct scene s;

	(void)state;
	set_tail(&s, 231);
	expect(&s, FYKE_TCP_CAUSE_TIMEOUT);
	set(&s);
	s.question.now_ns = s.original.time_ns + 231 * MS;
	expect(&s, FYKE_TCP_CAUSE_TIMEOUT);
	s.progress.advance_ns = s.question.now_ns - 50 * MS; /* the timer was started anew */
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
	s.progress.advance_ns = 900 * MS;
	s.own.variation = 200 * MS; /* what is seen of it here may be more than the sender sees */
	expect(&s, FYKE_TCP_CAUSE_TIMEOUT);
	s.question.now_ns =
		s.original.time_ns + 229 * MS; /* but no timer is shorter than 200 ms and a round trip */
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
}

static void test_timeout_of_a_hole_waits_since_it_was_seen(void **state)
{
	struct scene s;

	(void)state;
	set_hole(&s, 700);
	s.progress.advance_ns = 0;
	expect(&s, FYKE_TCP_CAUSE_TIMEOUT);
	assert_int_equal(fyke_tcp_judge(&s.question).waited_ns, 300 * MS);
}

static void test_backoff_needs_no_other_direction(void **state)
{
	struct scene s;

	(void)state;
	set(&s);
	s.question.both_seen = false;
	s.question.now_ns = s.original.time_ns + 410 * MS;
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
	s.recovery.timeout_wait_ns = 205 * MS;
	expect(&s, FYKE_TCP_CAUSE_TIMEOUT);
	assert_true(fyke_tcp_judge(&s.question).backoff);
	s.recovery.timeout_wait_ns = 100 * MS;
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
}

static void test_one_direction_proves_no_recovery(void **state)
{
	struct scene s;

	(void)state;
	set(&s);
	s.question.both_seen = false;
	s.recovery.duplicate_acks = 3;
	s.recovery.highest_sacked = 8000;
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
}

static void test_go_back_after_a_timeout(void **state)
{
	struct scene s;

	(void)state;
	set(&s);
	s.recovery.timeout_end = 9000;
	expect(&s, FYKE_TCP_CAUSE_GO_BACK);
	s.recovery.timeout_end = 1000;
	expect(&s, FYKE_TCP_CAUSE_UNKNOWN);
}

static void test_fin_again(void **state)
{
	struct scene s;

	(void)state;
	set(&s);
	s.question.has_payload = false;
	s.recovery.duplicate_acks = 3;
	expect(&s, FYKE_TCP_CAUSE_FIN);
	assert_false(fyke_tcp_judge(&s.question).spurious);
}

/* ---- whole connections: sequence numbers begin at 100 (client) and 500 (server) --------------------------
 */

struct connection {
	struct fyke_blocks blocks;
	struct fyke_tcp_memory memory;
	struct fyke_tcp tcp;
	struct fyke_tcp_result result;
	uint64_t frame;
};

static void take(struct connection *c, struct fyke_packet packet, char from)
{
	assert_true(
		fyke_tcp_take(&c->memory, &c->tcp, &packet, from == 'c' ? FYKE_LOW : FYKE_HIGH, &c->result));
}

static void say(
	struct connection *c, char from, const char *flags, uint32_t offset, uint32_t length, double seconds)
{
	struct segment_spec spec = {.from = from, .flags = flags, .seconds = seconds, .length = length};
	uint32_t syn = strchr(flags, 'S') != NULL;

	spec.sequence = from == 'c' ? 101 + offset - syn : 501U - syn;
	spec.acknowledgment = from == 'c' ? 501 : 101 + offset;
	take(c, segment_packet(&spec, ++c->frame), from);
}

/* The server acknowledges `offset` and holds [left, right). */
static void sack(struct connection *c, uint32_t offset, uint32_t left, uint32_t right, double seconds)
{
	struct segment_spec spec = {.from = 's',
		.flags = "A",
		.seconds = seconds,
		.sequence = 501,
		.acknowledgment = 101 + offset};
	struct fyke_packet packet = segment_packet(&spec, ++c->frame);

	packet.tcp.sack_count = 1;
	packet.tcp.sack[0].left = 101 + left;
	packet.tcp.sack[0].right = 101 + right;
	take(c, packet, 's');
}

static struct connection *open_connection(void)
{
	struct segment_spec spec = {.from = 'c', .flags = "S", .sequence = 100};
	struct fyke_packet syn = segment_packet(&spec, 1);
	struct connection *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->memory.blocks = &c->blocks;
	fyke_tcp_start(&c->tcp, &syn, FYKE_LOW, false);
	say(c, 'c', "S", 0, 0, 0);
	say(c, 's', "SA", 0, 0, 0.020);
	say(c, 'c', "A", 0, 0, 0.030);
	return c;
}

static void close_connection(struct connection *c)
{
	fyke_tcp_release(&c->memory, &c->tcp);
	assert_int_equal(c->blocks.used, 0);
	fyke_blocks_release(&c->blocks);
	free(c);
}

static void expect_event(const struct connection *c, enum fyke_tcp_cause cause)
{
	for (unsigned i = 0; i < c->result.event_count; i++) {
		if (c->result.events[i].is_resend) {
			assert_string_equal(c->result.events[i].kind, fyke_tcp_cause_name(cause));
			return;
		}
	}
	fail_msg("no resend was noted");
}

/* A hole 40 ms old, filled 1 ms after the last new segment: new data does not make it reordering. */
static void test_fast_in_a_running_stream(void **state)
{
	struct connection *c = open_connection();

	(void)state;
	say(c, 'c', "A", 0, 1000, 0.040);
	say(c, 's', "A", 1000, 0, 0.060);
	say(c, 'c', "A", 2000, 1000, 0.070);
	say(c, 'c', "A", 3000, 1000, 0.071);
	say(c, 'c', "A", 4000, 1000, 0.072);
	say(c, 's', "A", 1000, 0, 0.090);
	say(c, 's', "A", 1000, 0, 0.091);
	say(c, 's', "A", 1000, 0, 0.092);
	say(c, 'c', "A", 5000, 1000, 0.109);
	say(c, 'c', "A", 1000, 1000, 0.110);
	expect_event(c, FYKE_TCP_CAUSE_FAST);
	assert_int_equal(fyke_tcp_rare(&c->tcp.side[FYKE_LOW])->causes[FYKE_TCP_CAUSE_REORDERING], 0);
	close_connection(c);
}

static void test_late_segment_in_a_running_stream(void **state)
{
	struct connection *c = open_connection();

	(void)state;
	say(c, 'c', "A", 0, 1000, 0.040);
	say(c, 's', "A", 1000, 0, 0.060);
	say(c, 'c', "A", 2000, 1000, 0.070);
	say(c, 'c', "A", 1000, 1000, 0.072);
	expect_event(c, FYKE_TCP_CAUSE_REORDERING);
	assert_int_equal(fyke_tcp_rare(&c->tcp.side[FYKE_LOW])->retransmitted_segments, 0);
	close_connection(c);
}

/* The SACK block of a segment with FIN ends one number behind the stream. */
static void test_sack_that_covers_the_fin(void **state)
{
	struct connection *c = open_connection();

	(void)state;
	say(c, 'c', "A", 0, 1000, 0.040);
	say(c, 'c', "A", 1000, 1000, 0.041);
	say(c, 'c', "FA", 2000, 1000, 0.042);
	sack(c, 0, 2000, 3001, 0.062);
	say(c, 'c', "A", 0, 1000, 0.072);
	expect_event(c, FYKE_TCP_CAUSE_FAST);
	say(c, 'c', "A", 1000, 1000, 0.073);
	expect_event(c, FYKE_TCP_CAUSE_SACK);
	close_connection(c);
}

static void test_sack_of_the_fin_alone(void **state)
{
	struct connection *c = open_connection();

	(void)state;
	say(c, 'c', "A", 0, 1000, 0.040);
	say(c, 'c', "FA", 1000, 0, 0.041);
	sack(c, 0, 1000, 1001, 0.061);
	say(c, 'c', "A", 0, 1000, 0.080);
	expect_event(c, FYKE_TCP_CAUSE_FAST);
	close_connection(c);
}

/* The ACK passes the tap just before the resend that it makes needless. */
static void test_resend_that_meets_its_ack(void **state)
{
	struct connection *c = open_connection();

	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		say(c, 'c', "A", 1000 * i, 1000, 0.040);
	for (int i = 0; i < 4; i++)
		say(c, 's', "A", 1000, 0, 0.060 + 0.001 * i);
	say(c, 's', "A", 5000, 0, 0.070);
	say(c, 'c', "A", 1000, 1000, 0.073);
	expect_event(c, FYKE_TCP_CAUSE_FAST);
	assert_int_equal(fyke_tcp_rare(&c->tcp.side[FYKE_LOW])->spurious, 1);
	close_connection(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_known_is_unknown),
		cmocka_unit_test(test_reordering_by_timestamp),
		cmocka_unit_test(test_reordering_by_ip_id),
		cmocka_unit_test(test_reordering_sooner_than_a_round_trip),
		cmocka_unit_test(test_seen_before_is_no_reordering),
		cmocka_unit_test(test_fast_after_three_duplicates),
		cmocka_unit_test(test_fast_by_rack),
		cmocka_unit_test(test_fast_on_partial_ack),
		cmocka_unit_test(test_fast_met_the_ack_on_the_way),
		cmocka_unit_test(test_sack_recovery),
		cmocka_unit_test(test_silence_after_duplicates_is_a_timeout),
		cmocka_unit_test(test_lost_resend_is_a_timeout),
		cmocka_unit_test(test_passed_by_what_was_sent_later),
		cmocka_unit_test(test_overtaken_by_its_resend),
		cmocka_unit_test(test_late_resend_is_no_reordering),
		cmocka_unit_test(test_tail_probe_after_two_round_trips),
		cmocka_unit_test(test_timeout_after_the_timer),
		cmocka_unit_test(test_timeout_of_a_hole_waits_since_it_was_seen),
		cmocka_unit_test(test_backoff_needs_no_other_direction),
		cmocka_unit_test(test_one_direction_proves_no_recovery),
		cmocka_unit_test(test_go_back_after_a_timeout),
		cmocka_unit_test(test_fin_again),
		cmocka_unit_test(test_fast_in_a_running_stream),
		cmocka_unit_test(test_late_segment_in_a_running_stream),
		cmocka_unit_test(test_sack_that_covers_the_fin),
		cmocka_unit_test(test_sack_of_the_fin_alone),
		cmocka_unit_test(test_resend_that_meets_its_ack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
