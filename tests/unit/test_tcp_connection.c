/* Whole connections, segment by segment: openings of every shape, closings, windows, sequence numbers that
 * lie, checksums that are wrong. The streams that a receiver reads are held against what is counted. */
#include "analyzer/tcp/stream.h"
#include "analyzer/tcp/tcp.h"
#include "tests/unit/tcp_segments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BYTES = 1 << 16 };

/* The payload of every segment is the part of the same text that its sequence number says. */
struct world {
	struct fyke_blocks blocks;
	struct fyke_tcp_memory tcp_memory;
	struct fyke_tcp tcp;
	struct fyke_stream stream;
	struct fyke_stream_memory memory;
	struct fyke_tcp_result result;
	struct fyke_packet last;
	uint64_t frame;
	int64_t delivered[2], gaps[2], ignored_bytes;
	bool ended[2];
	const char *kinds[16]; /* of events, in their order */
	unsigned kind_count;
	uint8_t bytes[BYTES];
};

static void on_chunk(void *context, const struct fyke_chunk *chunk)
{
	struct world *w = context;

	w->delivered[chunk->side] += (int64_t)chunk->length;
	w->gaps[chunk->side] += (int64_t)chunk->gap;
	w->ended[chunk->side] |= chunk->end;
}

static const struct fyke_stream_sink sink = {.chunk = on_chunk};

static struct world *begin(void)
{
	struct world *w = calloc(1, sizeof(*w));
	struct fyke_stream_options options = {.start = {INT64_MIN, INT64_MIN}, .sink = &sink, .context = w};

	assert_non_null(w);
	w->tcp_memory.blocks = &w->blocks;
	fyke_stream_memory_init(&w->memory, 1 << 20);
	fyke_stream_init(&w->stream, &w->memory, &options);
	return w;
}

static void give(struct world *w, struct fyke_packet *packet, char from)
{
	enum fyke_endpoint sender = from == 'c' ? FYKE_LOW : FYKE_HIGH;

	if (w->frame == 1)
		fyke_tcp_start(&w->tcp, packet, sender, false);
	assert_true(fyke_tcp_take(&w->tcp_memory, &w->tcp, packet, sender, &w->result));
	w->ignored_bytes += w->result.ignored_bytes;
	fyke_stream_take(&w->stream, &w->tcp, packet, sender);
	for (unsigned i = 0; i < w->result.event_count && w->kind_count < 16; i++)
		w->kinds[w->kind_count++] = w->result.events[i].kind;
	w->last = *packet;
}

static struct fyke_packet packet_of(struct world *w, const struct segment_spec *spec)
{
	struct fyke_packet packet = segment_packet(spec, ++w->frame);

	packet.payload = w->bytes + spec->sequence % (BYTES / 2);
	packet.ip_id = (uint16_t)w->frame;
	return packet;
}

static void say(struct world *w, char from, const char *flags, uint32_t sequence, uint32_t acknowledgment,
	uint32_t length)
{
	struct segment_spec spec = {.from = from,
		.flags = flags,
		.sequence = sequence,
		.acknowledgment = acknowledgment,
		.length = length,
		.seconds = 0.01 * (double)w->frame};
	struct fyke_packet packet = packet_of(w, &spec);

	give(w, &packet, from);
}

static void say_wrong(struct world *w, char from, const char *flags, uint32_t sequence,
	uint32_t acknowledgment, uint32_t length)
{
	struct segment_spec spec = {.from = from,
		.flags = flags,
		.sequence = sequence,
		.acknowledgment = acknowledgment,
		.length = length,
		.seconds = 0.01 * (double)w->frame};
	struct fyke_packet packet = packet_of(w, &spec);

	packet.checksum = FYKE_CHECKSUM_WRONG;
	give(w, &packet, from);
}

static void say_window(
	struct world *w, char from, uint32_t sequence, uint32_t acknowledgment, uint16_t window)
{
	struct segment_spec spec = {.from = from,
		.flags = "A",
		.sequence = sequence,
		.acknowledgment = acknowledgment,
		.window = window,
		.seconds = 0.01 * (double)w->frame};
	struct fyke_packet packet = packet_of(w, &spec);

	give(w, &packet, from);
}

/* Client's first byte is 101, the server's 501. */
static struct world *opened(void)
{
	struct world *w = begin();

	say(w, 'c', "S", 100, 0, 0);
	say(w, 's', "SA", 500, 101, 0);
	say(w, 'c', "A", 101, 501, 0);
	return w;
}

static const struct fyke_tcp_side *client(const struct world *w)
{
	return &w->tcp.side[FYKE_LOW];
}

static const struct fyke_tcp_side *server(const struct world *w)
{
	return &w->tcp.side[FYKE_HIGH];
}

static bool has(const struct world *w, const char *kind)
{
	for (unsigned i = 0; i < w->kind_count; i++) {
		if (strcmp(w->kinds[i], kind) == 0)
			return true;
	}
	return false;
}

/* What was counted, and what a receiver reads. */
static void expect_stream(struct world *w, enum fyke_endpoint side, int64_t bytes, int64_t missing)
{
	assert_int_equal(fyke_tcp_stream_bytes(&w->tcp.side[side]), bytes);
	assert_int_equal(fyke_tcp_missing_bytes(&w->tcp.side[side]), missing);
	fyke_stream_finish(&w->stream, w->frame, w->last.time_ns);
	assert_int_equal(w->delivered[side], bytes);
	assert_int_equal(w->gaps[side], missing);
}

static void end(struct world *w)
{
	fyke_stream_release(&w->stream);
	assert_int_equal(w->memory.used, 0);
	fyke_stream_memory_release(&w->memory);
	fyke_tcp_release(&w->tcp_memory, &w->tcp);
	assert_int_equal(w->blocks.used, 0);
	fyke_blocks_release(&w->blocks);
	free(w);
}

/* ---- openings ------------------------------------------------------------------------------------------ */

static void test_simultaneous_open(void **state)
{
	struct world *w = begin();

	(void)state;
	say(w, 'c', "S", 100, 0, 0);
	say(w, 's', "S", 500, 0, 0);
	say(w, 'c', "SA", 100, 501, 0);
	say(w, 's', "SA", 500, 101, 0);
	assert_true(w->tcp.established);
	assert_int_equal(fyke_tcp_rare(client(w))->syn_retransmissions,
		0); /* the SYN-ACK is the answer, not the SYN again */
	assert_int_equal(fyke_tcp_rare(server(w))->syn_retransmissions, 0);
	say(w, 'c', "A", 101, 501, 10);
	say(w, 's', "A", 501, 111, 20);
	say(w, 'c', "A", 111, 521, 0);
	assert_int_equal(fyke_tcp_stream_bytes(server(w)), 20);
	assert_int_equal(client(w)->acknowledged, 10);
	expect_stream(w, FYKE_LOW, 10, 0);
	end(w);
}

static void test_four_way_split_handshake(void **state)
{
	struct world *w = begin();
	struct segment_spec syn = {.from = 's', .flags = "S", .sequence = 7000000};
	struct fyke_packet packet;

	(void)state;
	say(w, 'c', "S", 100, 0, 0);
	say(w, 's', "A", 77, 101, 0); /* whatever sequence number */
	packet = packet_of(w, &syn);
	assert_false(fyke_tcp_is_new_connection(&w->tcp, &packet, FYKE_HIGH));
	give(w, &packet, 's');
	say(w, 'c', "SA", 100, 7000001, 0);
	assert_true(w->tcp.established);
	assert_int_equal(fyke_tcp_rare(client(w))->syn_retransmissions, 0);
	assert_int_equal(server(w)->start, 7000000);
	say(w, 's', "A", 7000001, 101, 30);
	say(w, 'c', "A", 101, 7000031, 5);
	assert_int_equal(fyke_tcp_stream_bytes(client(w)), 5);
	expect_stream(w, FYKE_HIGH, 30, 0);
	end(w);
}

static void test_five_way_split_handshake(void **state)
{
	struct world *w = begin();

	(void)state;
	say(w, 'c', "S", 100, 0, 0);
	say(w, 's', "A", 0, 101, 0);
	say(w, 's', "S", 500, 0, 0);
	say(w, 'c', "SA", 100, 501, 0);
	say(w, 's', "A", 501, 101, 0);
	assert_true(w->tcp.established);
	assert_int_equal(server(w)->state, FYKE_TCP_ESTABLISHED);
	say(w, 'c', "A", 101, 501, 4);
	say(w, 's', "A", 501, 105, 0);
	expect_stream(w, FYKE_LOW, 4, 0);
	end(w);
}

static void test_syn_of_another_connection_is_no_split(void **state)
{
	struct world *w = opened();
	struct segment_spec syn = {.from = 's', .flags = "S", .sequence = 7000000};
	struct fyke_packet packet = packet_of(w, &syn);

	(void)state;
	assert_true(fyke_tcp_is_new_connection(&w->tcp, &packet, FYKE_HIGH));
	end(w);
}

/* Two answers, the second one is acknowledged; and the other way round. */
static void test_syn_ack_with_another_number(void **state)
{
	(void)state;
	for (int second = 0; second < 2; second++) {
		uint32_t start = second ? 3000000000U : 500;
		struct world *w = begin();

		say(w, 'c', "S", 100, 0, 0);
		say(w, 's', "SA", 500, 101, 0);
		say(w, 's', "SA", 3000000000U, 101, 0);
		assert_true(has(w, "other_syn_ack"));
		assert_int_equal(fyke_tcp_rare(server(w))->syn_retransmissions, 0);
		say(w, 'c', "A", 101, start + 1, 10);
		say(w, 's', "A", start + 1, 111, 50);
		say(w, 'c', "A", 111, start + 51, 0);
		assert_int_equal(server(w)->start, start);
		assert_int_equal(server(w)->acknowledged, 50);
		assert_int_equal(fyke_tcp_stream_bytes(client(w)), 10);
		expect_stream(w, FYKE_HIGH, 50, 0);
		end(w);
	}
}

static void test_data_on_syn(void **state)
{
	struct world *w = begin();

	(void)state;
	say(w, 'c', "S", 100, 0, 30);
	say(w, 's', "SA", 500, 131, 0); /* taken (RFC 7413) */
	say(w, 'c', "A", 131, 501, 10);
	say(w, 's', "A", 501, 141, 0);
	assert_int_equal(fyke_tcp_rare(client(w))->retransmitted_segments, 0);
	expect_stream(w, FYKE_LOW, 40, 0);
	end(w);
}

static void test_data_on_syn_not_taken(void **state)
{
	struct world *w = begin();

	(void)state;
	say(w, 'c', "S", 100, 0, 30);
	say(w, 's', "SA", 500, 101, 0);
	say(w, 'c', "A", 101, 501, 30);
	say(w, 's', "A", 501, 131, 0);
	assert_int_equal(fyke_tcp_rare(client(w))->retransmitted_segments, 1);
	expect_stream(w, FYKE_LOW, 30, 0);
	end(w);
}

/* ---- closings -------------------------------------------------------------------------------------------
 */

static void test_data_on_fin(void **state)
{
	struct world *w = opened();

	(void)state;
	say(w, 'c', "FA", 101, 501, 25);
	say(w, 's', "A", 501, 127, 0);
	assert_true(client(w)->fin_seen);
	assert_int_equal(client(w)->acknowledged, 25);
	expect_stream(w, FYKE_LOW, 25, 0);
	assert_true(w->ended[FYKE_LOW]);
	end(w);
}

static void test_half_close(void **state)
{
	struct world *w = opened();

	(void)state;
	say(w, 'c', "FA", 101, 501, 0);
	for (uint32_t i = 0; i < 5; i++) {
		say(w, 's', "A", 501 + 100 * i, 102, 100);
		say(w, 'c', "A", 102, 601 + 100 * i, 0);
	}
	say(w, 's', "FA", 1001, 102, 0);
	say(w, 'c', "A", 102, 1002, 0);
	assert_int_equal(client(w)->state, FYKE_TCP_CLOSED);
	assert_int_equal(server(w)->state, FYKE_TCP_CLOSED);
	assert_int_equal(
		fyke_tcp_rare(server(w))->duplicate_acks + fyke_tcp_rare(client(w))->duplicate_acks, 0);
	assert_int_equal(server(w)->acknowledged, 500);
	expect_stream(w, FYKE_HIGH, 500, 0);
	end(w);
}

/* ---- windows --------------------------------------------------------------------------------------------
 */

static void test_window_updates(void **state)
{
	struct world *w = opened();

	(void)state;
	say(w, 's', "A", 501, 101, 100);
	say_window(w, 'c', 101, 601, 900);	   /* a new acknowledgment */
	say_window(w, 'c', 101, 601, 1200);	   /* an update */
	say_window(w, 'c', 101, 601, 1200);	   /* nothing new */
	say_window(w, 'c', 101, 601, WINDOW_ZERO); /* closes */
	say_window(w, 'c', 101, 601, 5000);	   /* an update */
	say(w, 'c', "A", 101, 601, 10);		   /* another window, but with payload */
	assert_int_equal(fyke_tcp_rare(client(w))->window_updates, 2);
	assert_int_equal(fyke_tcp_rare(client(w))->zero_windows, 1);
	assert_int_equal(fyke_tcp_rare(client(w))->duplicate_acks,
		0); /* RFC 5681: nothing outstanding, or another window */
	assert_int_equal(fyke_tcp_rare(server(w))->window_updates, 0);
	end(w);
}

static void test_wild_sequence_number(void **state)
{
	struct world *w = opened();

	(void)state;
	say(w, 'c', "A", 101, 501, 100);
	say(w, 'c', "A", 2000000000, 501, 100);
	assert_true(has(w, "outside_window"));
	say(w, 'c', "FA", 1900000000, 501, 0); /* a FIN from nowhere ends nothing */
	say(w, 'c', "A", 201, 501, 100);
	say(w, 's', "A", 501, 301, 0);
	assert_int_equal((client(w)->rare == NULL ? 0 : fyke_tcp_rare(client(w))->outside_window), 2);
	assert_int_equal(fyke_tcp_rare(client(w))->retransmitted_segments, 0);
	assert_false(client(w)->fin_seen);
	expect_stream(w, FYKE_LOW, 200, 0);
	end(w);
}

/* What the capture skipped, however much, goes on; the hole is real then. */
static void test_skipped_by_the_capture(void **state)
{
	struct world *w = opened();
	uint32_t far = 101 + 1500000000;

	(void)state;
	say(w, 'c', "A", 101, 501, 100);
	say(w, 'c', "A", far, 501, 100);
	say(w, 'c', "A", far + 100, 501, 100);
	say(w, 'c', "A", far + 200, 501, 100);
	assert_int_equal((client(w)->rare == NULL ? 0 : fyke_tcp_rare(client(w))->outside_window), 0);
	assert_int_equal(fyke_tcp_stream_bytes(client(w)), 400);
	assert_int_equal(fyke_tcp_missing_bytes(client(w)), 1500000000 - 100);
	end(w);
}

/* ---- order ----------------------------------------------------------------------------------------------
 */

static void test_extent_of_reordering(void **state)
{
	struct world *w = opened();

	(void)state;
	say(w, 's', "A", 501, 101, 0);
	for (uint32_t i = 0; i < 6; i++) /* steady IP IDs */
		say(w, 'c', "A", 101 + 100 * i, 501, 100);
	say(w, 'c', "A", 801, 501, 100);
	say(w, 'c', "A", 901, 501, 100);
	say(w, 'c', "A", 1001, 501, 100);
	{
		struct segment_spec spec = {.from = 'c',
			.flags = "A",
			.sequence = 701,
			.acknowledgment = 501,
			.length = 100,
			.seconds = 0.01 * (double)w->frame};
		struct fyke_packet packet = packet_of(w, &spec);

		packet.ip_id = (uint16_t)(packet.ip_id - 4);
		give(w, &packet, 'c');
	}
	assert_int_equal(fyke_tcp_rare(client(w))->causes[FYKE_TCP_CAUSE_REORDERING], 1);
	assert_int_equal(fyke_tcp_rare(client(w))->overtaken_most, 3);
	assert_int_equal(fyke_tcp_rare(client(w))->overtaken_ns, 30000000);
	assert_int_equal(fyke_tcp_rare(client(w))->retransmitted_segments, 0);
	end(w);
}

static void give_again(struct world *w, const struct fyke_packet *before, double later, int16_t vlan,
	uint8_t ttl, uint16_t ip_id, char from)
{
	struct fyke_packet packet = *before;

	packet.frame = ++w->frame;
	packet.time_ns += (int64_t)(later * 1e9);
	packet.vlan = vlan;
	packet.ttl = ttl;
	packet.ip_id = ip_id;
	give(w, &packet, from);
}

/* A mirror port that shows each packet in two VLANs, or before and after a router. */
static void test_captured_twice(void **state)
{
	struct world *w = opened();
	struct fyke_packet data, ack;

	(void)state;
	say(w, 's', "A", 501, 101, 0);
	say(w, 'c', "A", 101, 501, 100);
	data = w->last;
	give_again(w, &data, 0.5, 7, 64, data.ip_id, 'c'); /* the same IP ID, at any distance */
	assert_int_equal(fyke_tcp_rare(client(w))->causes[FYKE_TCP_CAUSE_CAPTURE_DUPLICATE], 1);
	say(w, 's', "A", 501, 101, 0);
	ack = w->last;
	for (int i = 0; i < 5; i++)
		give_again(w, &ack, 0.0001, 7, 64, ack.ip_id, 's');
	assert_int_equal(fyke_tcp_rare(server(w))->duplicate_acks, 1);
	assert_int_equal(fyke_tcp_rare(client(w))->recovery.duplicate_acks, 1);
	assert_int_equal(fyke_tcp_rare(client(w))->retransmitted_segments, 0);
	expect_stream(w, FYKE_LOW, 100, 0);
	end(w);
}

static void say_without_id(struct world *w, uint32_t sequence)
{
	struct segment_spec spec = {.from = 'c',
		.flags = "A",
		.sequence = sequence,
		.acknowledgment = 501,
		.length = 100,
		.seconds = 0.01 * (double)w->frame};
	struct fyke_packet packet = packet_of(w, &spec);

	packet.ip_id = 0;
	give(w, &packet, 'c');
}

static void test_captured_twice_without_ip_id(void **state)
{
	struct world *w = opened();
	struct fyke_packet data;

	(void)state;
	say_without_id(w, 101);
	data = w->last;
	give_again(w, &data, 0.0005, -1, 63, 0, 'c'); /* one hop further, at once */
	assert_int_equal(fyke_tcp_rare(client(w))->causes[FYKE_TCP_CAUSE_CAPTURE_DUPLICATE], 1);
	say_without_id(w, 201);
	data = w->last;
	give_again(w, &data, 0.0005, -1, 64, 0, 'c'); /* on the same path: sent again */
	say_without_id(w, 301);
	data = w->last;
	give_again(w, &data, 0.002, 9, 64, 0, 'c'); /* too late */
	assert_int_equal(fyke_tcp_rare(client(w))->causes[FYKE_TCP_CAUSE_CAPTURE_DUPLICATE], 1);
	assert_int_equal(fyke_tcp_rare(client(w))->retransmitted_segments, 2);
	end(w);
}

static void test_reset_ignored(void **state)
{
	struct world *w = opened();

	(void)state;
	say(w, 's', "R", 501, 0, 0);
	assert_false(has(w, "reset_ignored"));
	say(w, 's', "A", 501, 101, 50);
	assert_true(has(w, "reset_ignored"));
	end(w);
}

/* Nothing tells when a segment has arrived: what is remembered stays small. */
static void test_one_direction_is_bounded(void **state)
{
	struct world *w = begin();

	(void)state;
	for (uint32_t i = 0; i < 5000; i++)
		say(w, 'c', "A", 101 + 10 * i, 501, 10);
	assert_true(w->blocks.used <= 4 * FYKE_TCP_SENT_BLIND * sizeof(struct fyke_tcp_sent));
	assert_int_equal(fyke_tcp_stream_bytes(client(w)), 50000);
	end(w);
}

static void test_many_on_their_way(void **state)
{
	struct world *w = opened();

	(void)state;
	say(w, 's', "A", 501, 101, 0);
	for (uint32_t i = 0; i < 5000; i++)
		say(w, 'c', "A", 101 + 10 * i, 501, 10);
	assert_true(has(w, "rtt_limited"));
	assert_true(w->blocks.used <= 4 * FYKE_TCP_SENT_MAX * sizeof(struct fyke_tcp_sent));
	end(w);
}

/* ---- wrong checksums -------------------------------------------------------------------------------------
 */

static void test_wrong_checksum_that_was_received(void **state)
{
	struct world *w = opened();

	(void)state;
	say_wrong(w, 'c', "A", 101, 501, 40);
	assert_int_equal(fyke_tcp_stream_bytes(client(w)), 0);
	say(w, 'c', "A", 141, 501, 60);
	say(w, 's', "A", 501, 201, 0);
	assert_true(has(w, "checksum_believed"));
	assert_int_equal(fyke_tcp_rare(client(w))->bad_checksums, 1);
	assert_int_equal(fyke_tcp_rare(client(w))->retransmitted_segments +
				 fyke_tcp_rare(client(w))->causes[FYKE_TCP_CAUSE_REORDERING],
		0);
	assert_null(strchr(fyke_tcp_history(&w->tcp), 'T'));
	assert_null(strchr(fyke_tcp_history(&w->tcp), 'G'));
	expect_stream(w, FYKE_LOW, 100, 0);
	end(w);
}

static void test_wrong_checksum_that_was_sent_again(void **state)
{
	struct world *w = opened();

	(void)state;
	say_wrong(w, 'c', "A", 101, 501, 40);
	say(w, 'c', "A", 101, 501, 20); /* the first half right, so all of the other was dropped */
	say(w, 's', "A", 501, 141, 0);
	assert_false(has(w, "checksum_believed"));
	expect_stream(w, FYKE_LOW, 20, 20);
	end(w);
}

static void test_wrong_checksum_never_acknowledged(void **state)
{
	struct world *w = opened();

	(void)state;
	say_wrong(w, 'c', "A", 101, 501, 40);
	say(w, 's', "A", 501, 140, 0); /* not all of it */
	assert_false(has(w, "checksum_believed"));
	say(w, 's', "RA", 501, 4711, 0); /* made up */
	assert_false(has(w, "checksum_believed"));
	assert_int_equal(fyke_tcp_stream_bytes(client(w)), 0);
	end(w);
}

/* An acknowledgment in a segment that is believed proves the next. */
static void test_wrong_checksums_prove_each_other(void **state)
{
	struct world *w = opened();

	(void)state;
	say_wrong(w, 's', "A", 501, 101, 70);
	say_wrong(w, 'c', "A", 101, 571, 30);
	say_wrong(w, 's', "A", 571, 131, 50);
	assert_int_equal(fyke_tcp_stream_bytes(client(w)) + fyke_tcp_stream_bytes(server(w)), 0);
	say(w, 'c', "A", 131, 621, 0);
	assert_int_equal(fyke_tcp_stream_bytes(client(w)), 30);
	assert_int_equal(fyke_tcp_stream_bytes(server(w)), 120);
	assert_int_equal(fyke_tcp_missing_bytes(client(w)), 0);
	assert_int_equal(w->ignored_bytes, 0);
	expect_stream(w, FYKE_HIGH, 120, 0);
	end(w);
}

static void test_many_wrong_checksums_are_bounded(void **state)
{
	struct world *w = opened();

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		say_wrong(w, 'c', "A", 101 + 10 * i, 501, 10);
	assert_true(w->blocks.used < 20000);
	say(w, 's', "A", 501, 1101, 0);
	assert_int_equal(fyke_tcp_stream_bytes(client(w)), 320); /* the last 32 */
	assert_int_equal(fyke_tcp_missing_bytes(client(w)), 680);
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_simultaneous_open),
		cmocka_unit_test(test_four_way_split_handshake),
		cmocka_unit_test(test_five_way_split_handshake),
		cmocka_unit_test(test_syn_of_another_connection_is_no_split),
		cmocka_unit_test(test_syn_ack_with_another_number),
		cmocka_unit_test(test_data_on_syn),
		cmocka_unit_test(test_data_on_syn_not_taken),
		cmocka_unit_test(test_data_on_fin),
		cmocka_unit_test(test_half_close),
		cmocka_unit_test(test_window_updates),
		cmocka_unit_test(test_wild_sequence_number),
		cmocka_unit_test(test_skipped_by_the_capture),
		cmocka_unit_test(test_extent_of_reordering),
		cmocka_unit_test(test_captured_twice),
		cmocka_unit_test(test_captured_twice_without_ip_id),
		cmocka_unit_test(test_reset_ignored),
		cmocka_unit_test(test_one_direction_is_bounded),
		cmocka_unit_test(test_many_on_their_way),
		cmocka_unit_test(test_wrong_checksum_that_was_received),
		cmocka_unit_test(test_wrong_checksum_that_was_sent_again),
		cmocka_unit_test(test_wrong_checksum_never_acknowledged),
		cmocka_unit_test(test_wrong_checksums_prove_each_other),
		cmocka_unit_test(test_many_wrong_checksums_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
