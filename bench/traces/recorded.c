/*
 * recorded PACKETS RECORDING: conversations of real servers and clients (bench/record), multiplied: each time
 * with addresses, ports, initial sequence numbers and a pace of its own, 2,000 open at a time. Of the TCP
 * segments that carry data 0.2 % come late, 0.2 % twice, 0.01 % never.
 *
 * The recording: pcap, little-endian, Ethernet, TCP and UDP over IPv4 or IPv6 without extension headers; each
 * conversation whole and in order, which is checked.
 */
#include "bench/traces/queue.h"
#include "bench/traces/trace.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { OPEN_MOST = 2000, CONVERSATIONS_MOST = 256, FRAMES_MOST = 4000, FRAME_MOST = 1514, CLIENTS = 50000 };
enum { COMES_LATE = 20, COMES_TWICE = 20, COMES_NEVER = 1, LATE = 3, TAIL = 6, NOTHING = -1 };

struct frame {
	uint64_t time_us;
	uint8_t data[FRAME_MOST];
	uint32_t length, transport; /* where TCP or UDP begins */
	uint32_t sequence, payload;
	bool tcp, from_server;
};

struct conversation {
	uint32_t frames[FRAMES_MOST], count;
	uint16_t client_port;
	uint8_t server[16];
	bool opened[2];
	uint32_t next[2];
};

struct recording {
	struct frame frames[FRAMES_MOST];
	struct conversation conversations[CONVERSATIONS_MOST];
	uint32_t frame_count, count;
};

struct playing {
	const struct conversation *conversation;
	uint32_t client, server, isn[2], stretch;
	uint16_t client_port;
	int late; /* position of the frame that is still to come, or NOTHING */
	uint32_t late_in;
	bool late_was_seen;
	uint64_t begin_us;
};

static void fail(const char *why)
{
	fprintf(stderr, "generate: recording: %s\n", why);
	exit(1);
}

/* ---- reading ---- */

static uint32_t get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) << 16 | get16(at + 2);
}

static struct conversation *conversation_of(struct recording *r, uint16_t client_port, bool tcp)
{
	for (uint32_t i = r->count; i-- > 0;)
		if (r->conversations[i].client_port == client_port &&
			r->frames[r->conversations[i].frames[0]].tcp == tcp)
			return &r->conversations[i];
	if (r->count == CONVERSATIONS_MOST)
		fail("too many conversations");
	r->conversations[r->count].client_port = client_port;
	return &r->conversations[r->count++];
}

/* Every byte comes once and in order, or what the trace's truth says would be wrong. */
static void check_order(struct conversation *c, const struct frame *frame)
{
	unsigned side = frame->from_server;
	uint8_t flags = frame->data[frame->transport + 13];

	if (c->opened[side] && frame->sequence != c->next[side])
		fail("a segment out of order");
	c->opened[side] = true;
	c->next[side] = frame->sequence + frame->payload + (flags & (SYN | FIN) ? 1 : 0);
}

static bool find_transport(struct frame *frame)
{
	const uint8_t *ip = frame->data + 14;
	bool six = get16(frame->data + 12) == 0x86dd;
	uint32_t end = 14 + (six ? 40 + get16(ip + 4) : get16(ip + 2));
	uint8_t protocol = six ? ip[6] : ip[9];

	frame->transport = six ? 54 : 14 + (ip[0] & 15u) * 4;
	frame->tcp = protocol == 6;
	if ((protocol != 6 && protocol != 17) || end > frame->length || frame->transport + 20 > frame->length)
		return frame->tcp = false;
	frame->length = end;
	frame->payload =
		end - frame->transport - (frame->tcp ? (frame->data[frame->transport + 12] >> 4) * 4u : 8u);
	frame->sequence = frame->tcp ? get32(frame->data + frame->transport + 4) : 0;
	frame->from_server =
		get16(frame->data + frame->transport) < get16(frame->data + frame->transport + 2);
	return true;
}

static void take_frame(struct recording *r, struct frame *frame)
{
	const uint8_t *ports = frame->data + frame->transport;
	struct conversation *c =
		conversation_of(r, (uint16_t)get16(ports + (frame->from_server ? 2 : 0)), frame->tcp);

	if (frame->tcp)
		check_order(c, frame);
	c->frames[c->count++] = r->frame_count++;
}

static struct recording *recording_read(const char *name)
{
	struct recording *r = calloc(1, sizeof *r);
	gzFile file = gzopen(name, "rb");
	uint32_t header[6], record[4];

	if (r == NULL || file == NULL || gzread(file, header, sizeof header) != sizeof header ||
		header[0] != 0xa1b2c3d4u || header[5] != 1)
		fail("not there, or not pcap of Ethernet");
	while (gzread(file, record, sizeof record) == sizeof record) {
		struct frame *frame = &r->frames[r->frame_count];

		if (r->frame_count + 1 == FRAMES_MOST || record[2] > FRAME_MOST || record[2] < 14 + 20 + 8)
			fail("too many frames, or one too long or short");
		if (gzread(file, frame->data, record[2]) != (int)record[2])
			fail("cut short");
		frame->time_us = record[0] * 1000000ull + record[1];
		frame->length = record[2];
		if (find_transport(frame))
			take_frame(r, frame);
	}
	gzclose(file);
	if (r->count == 0)
		fail("empty");
	return r;
}

/* ---- playing ---- */

static const struct frame *frame_at(const struct recording *r, const struct playing *p, uint32_t position)
{
	return &r->frames[p->conversation->frames[position]];
}

static void play_frame(struct trace *trace, const struct playing *p, const struct frame *frame)
{
	struct replayed replayed = {.data = frame->data,
		.length = frame->length,
		.transport = frame->transport,
		.addresses = {p->client, p->server},
		.from_server = frame->from_server,
		.client_port = p->client_port,
		.isn = {p->isn[0], p->isn[1]}};

	write_replayed(trace, &replayed);
	if (frame->tcp)
		trace->totals.tcp_payload += frame->payload;
}

static void play_late(struct trace *trace, const struct recording *r, struct playing *p)
{
	const struct frame *frame = frame_at(r, p, (uint32_t)p->late);

	play_frame(trace, p, frame);
	trace->totals.late++;
	if (p->late_was_seen)
		trace->totals.seen_again++;
	else
		trace->totals.distinct += frame->payload;
	p->late = NOTHING;
}

/* A frame at its time: seen, seen twice, late, or never seen. */
static void play_position(
	struct trace *trace, const struct recording *r, struct playing *p, uint32_t position)
{
	const struct frame *frame = frame_at(r, p, position);
	bool may = frame->tcp && frame->payload > 0 && position + TAIL < p->conversation->count &&
		   p->late == NOTHING;
	uint32_t fate = may ? below(trace, 10000) : 10000;

	if (fate < COMES_LATE + COMES_TWICE) {
		p->late = (int)position;
		p->late_in = LATE;
		p->late_was_seen = fate < COMES_TWICE;
		if (!p->late_was_seen)
			return;
	} else if (fate < COMES_LATE + COMES_TWICE + COMES_NEVER) {
		trace->totals.missing += frame->payload;
		return;
	}
	play_frame(trace, p, frame);
	if (frame->tcp)
		trace->totals.distinct += frame->payload;
	if (p->late != NOTHING && p->late_in-- == 0)
		play_late(trace, r, p);
}

static void playing_begin(struct trace *trace, const struct recording *r, struct playing *p, uint64_t time_us)
{
	uint64_t n = trace->totals.tcp_sessions + trace->totals.udp_sessions;

	*p = (struct playing){.conversation = &r->conversations[below(trace, r->count)],
		.client = 0x0a000000u + (uint32_t)(n % CLIENTS),
		.server = 0xc0000201u + below(trace, 200),
		.client_port = (uint16_t)(32768 + n / CLIENTS % 28000),
		.isn = {(uint32_t)next_random(trace), (uint32_t)next_random(trace)},
		.stretch = 20 + below(trace, 180),
		.late = NOTHING,
		.begin_us = time_us};
	if (frame_at(r, p, 0)->tcp)
		trace->totals.tcp_sessions++;
	else
		trace->totals.udp_sessions++;
}

static uint64_t time_of(const struct recording *r, const struct playing *p, uint32_t position)
{
	return p->begin_us + (frame_at(r, p, position)->time_us - frame_at(r, p, 0)->time_us) * p->stretch;
}

void write_recorded(struct trace *trace, char **arguments)
{
	uint64_t packets = number_of(arguments[0]);
	struct recording *r = recording_read(arguments[1]);
	struct playing *playing = calloc(OPEN_MOST, sizeof *playing);
	struct queue *queue = queue_new();
	struct event event;

	if (playing == NULL || queue == NULL)
		abort();
	for (uint32_t i = 0; i < OPEN_MOST; i++) {
		playing_begin(trace, r, &playing[i], trace->time_us + below(trace, 1000000));
		queue_add(queue, &(struct event){.talk = i, .time_us = playing[i].begin_us});
	}
	while (queue_take(queue, &event)) {
		struct playing *p = &playing[event.talk];

		trace->time_us = event.time_us;
		play_position(trace, r, p, event.index);
		if (++event.index == p->conversation->count) {
			if (trace->totals.packets >= packets)
				continue;
			playing_begin(trace, r, p, event.time_us + below(trace, 200000));
			event.index = 0;
		}
		event.time_us = time_of(r, p, event.index);
		queue_add(queue, &event);
	}
	queue_free(queue);
	free(playing);
	free(r);
}
