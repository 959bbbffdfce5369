/* Frames → packets → those between the session's two endpoints → offsets in their stream. */
#include "cli/tcp_points.h"

#include "analyzer/base/address.h"
#include "analyzer/front.h"
#include "analyzer/session/session.h"
#include "cli/recall.h"

#include <stddef.h>

enum { FRAGMENT_MEMORY = 1 << 20 };

struct points {
	const struct fyke_tcp_life *life;
	struct fyke_tcp_sketch *sketch;
	struct fyke_address address[2];
	bool known; /* the sequence number before byte 0 is */
	uint32_t start;
	int64_t highest;
};

static bool is_end(const struct points *points, const struct fyke_address *address, uint16_t port, int side)
{
	return fyke_address_compare(address, &points->address[side]) == 0 &&
	       port == points->life->side[side].port;
}

/* The offset nearest to the highest byte so far that the sequence number means. */
static int64_t offset_of(const struct points *points, uint32_t sequence)
{
	return points->highest + (int32_t)(sequence - (points->start + 1 + (uint32_t)points->highest));
}

static void take_packet(struct points *points, const struct fyke_packet *packet)
{
	int side = fyke_tcp_sketch_side(points->sketch);
	int64_t offset;

	if (packet->kind != FYKE_PACKET_TCP || packet->layer != points->life->layer ||
		!is_end(points, &packet->source, packet->source_port, side) ||
		!is_end(points, &packet->destination, packet->destination_port, 1 - side))
		return;
	if (!points->known) {
		points->known = true;
		points->start = (packet->tcp.flags & FYKE_TCP_SYN) != 0 ? packet->tcp.sequence
									: packet->tcp.sequence - 1;
	}
	offset = offset_of(points, packet->tcp.sequence);
	if (packet->payload_length == 0 || (packet->tcp.flags & FYKE_TCP_RST) != 0)
		return;
	if ((packet->tcp.flags & FYKE_TCP_SYN) != 0)
		offset++;
	fyke_tcp_sketch_point(points->sketch, (int64_t)packet->frame, packet->time_ns / 1000, offset,
		packet->payload_length);
	if (offset + packet->payload_length > points->highest)
		points->highest = offset + packet->payload_length;
}

static void take_batch(struct points *points, struct fyke_front *front)
{
	struct fyke_front_batch batch = fyke_front_batch(front);

	for (size_t i = 0; i < batch.count; i++)
		take_packet(points, &batch.packets[i]);
	fyke_front_clear(front);
}

/* The frame's data are gone with the next, so each is a batch of its own. */
static enum fyke_status read_frames(struct points *points, struct fyke_recall *recall,
	struct fyke_front *front, const volatile bool *stop, struct fyke_error *error)
{
	struct fyke_frame frame;
	enum fyke_status status;
	bool more;

	do {
		status = fyke_recall_next(recall, &frame, &more, error);
		if (status != FYKE_OK || !more)
			return status;
		(void)fyke_front_take(front, &frame, frame.time_ns);
		take_batch(points, front);
	} while (!*stop);
	return FYKE_OK;
}

enum fyke_status fyke_tcp_points_read(struct sqlite3 *db, const struct fyke_tcp_life *life,
	const volatile bool *stop, struct fyke_tcp_sketch *sketch, struct fyke_error *error)
{
	struct points points = {.life = life, .sketch = sketch};
	const struct fyke_tcp_life_side *own = &life->side[fyke_tcp_sketch_side(sketch)];
	struct fyke_recall *recall = NULL;
	struct fyke_front *front = NULL;
	enum fyke_status status = FYKE_OK;

	for (int i = 0; i < 2; i++) {
		if (life->side[i].ip == NULL || !fyke_address_parse(life->side[i].ip, &points.address[i]))
			return fyke_error_set(error, FYKE_FAILED_DATABASE,
				"the database does not name both ends of the session");
	}
	points.known = own->isn != FYKE_UNKNOWN;
	points.start = points.known ? (uint32_t)own->isn : 0;
	status = fyke_recall_new(db, &recall, error);
	if (status == FYKE_OK)
		status = fyke_recall_add(recall, life->id, error);
	if (status == FYKE_OK)
		status = fyke_recall_open(recall, error);
	if (status == FYKE_OK)
		status = fyke_front_new(FRAGMENT_MEMORY, &front, error);
	if (status == FYKE_OK)
		status = read_frames(&points, recall, front, stop, error);
	fyke_front_free(front);
	fyke_recall_free(recall);
	return status;
}
