/* Frames become packets in place: pieces that can never become whole, and room for what they make whole. */
#include "analyzer/front.h"
#include "tests/unit/decode_bytes.h"

static struct fyke_front *fresh_front(void)
{
	struct fyke_error error = {0};
	struct fyke_front *front;

	assert_int_equal(fyke_front_new(1 << 20, &front, &error), FYKE_OK);
	return front;
}

static bool take(struct fyke_front *front, const struct bytes *bytes)
{
	struct fyke_frame frame = {.number = 1,
		.link_type = 101,
		.data = bytes->data,
		.captured = (uint32_t)bytes->length,
		.length = (uint32_t)bytes->length};

	return fyke_front_take(front, &frame, 0);
}

/* Tools that cut frames and forget how long they were leave first fragments like this one. */
static void test_front_reads_an_overstated_first_fragment(void **state)
{
	struct fyke_front *front = fresh_front();
	struct bytes tcp = from_hex("0457 08ae 00000001 00000000 5010 0000 dead 0000 68656c6c6f"),
		     frame = ipv4(6, &tcp);
	struct fyke_front_batch batch;

	(void)state;
	frame.data[2] = 5;
	frame.data[6] = 0x20;
	take(front, &frame);
	batch = fyke_front_batch(front);
	assert_int_equal(batch.count, 1);
	assert_int_equal(batch.packets[0].kind, FYKE_PACKET_TCP);
	assert_int_equal(batch.packets[0].payload_length, 5);
	assert_int_equal(batch.packets[0].ip_bytes, frame.length);
	assert_int_equal(batch.packets[0].checksum, FYKE_CHECKSUM_UNKNOWN);
	/* Its rest is no datagram of its own. */
	frame.data[6] = 0;
	frame.data[7] = 3;
	take(front, &frame);
	assert_int_equal(fyke_front_batch(front).count, 1);
	assert_int_equal(fyke_front_counters(front).refusals[FYKE_REFUSAL_FRAGMENT_BAD], 1);
	fyke_front_free(front);
}

/* `depth` packets, each around the next, and innermost a piece of a datagram of IP in IP. */
static struct bytes nested_piece(unsigned depth, uint8_t id, uint8_t offset, const struct bytes *data)
{
	struct bytes made = ipv4(4, data);

	made.data[5] = id;
	made.data[6] = offset == 0 ? 0x20 : 0;
	made.data[7] = offset;
	for (unsigned i = 1; i < depth; i++)
		made = ipv4(4, &made);
	return made;
}

/* First pieces come less deep than second ones, so that a frame gives more packets than it has layers. */
static void test_front_has_room_for_whole_datagrams(void **state)
{
	enum { FRAMES = 32, EACH = 14 };
	struct fyke_front *front = fresh_front();
	struct bytes inner = sample_ipv4(), rest = {0}, piece;
	unsigned frames = 0;
	bool full = false;

	(void)state;
	for (unsigned i = 2; i < FYKE_LAYERS_MAX - 1; i++)
		inner = ipv4(4, &inner);
	put(&rest, inner.data + 24, inner.length - 24);
	inner.length = 24;
	for (uint8_t id = 0; id < FRAMES; id++) {
		piece = nested_piece(2, id, 0, &inner);
		take(front, &piece);
	}
	fyke_front_clear(front);
	for (uint8_t id = 0; id < FRAMES && !full; id++) {
		piece = nested_piece(FYKE_LAYERS_MAX, id, 3, &rest);
		full = take(front, &piece);
		frames++;
		assert_int_equal(fyke_front_batch(front).count, frames * EACH);
	}
	/* The batch is full of packets before it is of frames. */
	assert_true(full && frames < FRAMES);
	fyke_front_clear(front);
	assert_int_equal(fyke_front_batch(front).count, 0);
	fyke_front_free(front);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_front_reads_an_overstated_first_fragment),
		cmocka_unit_test(test_front_has_room_for_whole_datagrams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
