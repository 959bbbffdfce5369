/*
 * bulk MEGABYTES TALKS: downloads between a server, a tap near it and clients 20 ms away, played by a small
 * model of TCP: the receiver acknowledges every other segment, or at once with SACK blocks (DSACK for what it
 * has: RFC 2883) when something is missing; the sender resends what was sent a quarter of the round trip
 * before something that arrived (RFC 8985), or all that is open after 300 ms of silence, then beginning with
 * one segment.
 *
 * On the way: losses before the tap and behind it, segments that overtake each other, lost acknowledgments,
 * outages that end in timeouts, and segments that the tap alone misses. The first talk's numbers pass 2^32.
 */
#include "bench/traces/queue.h"
#include "bench/traces/trace.h"

#include <stdlib.h>
#include <zlib.h>

enum { WINDOW = 128, BUFFER = 512, REQUEST = 300 };
enum {
	NEAR_US = 2000,
	FAR_US = 8000,
	LINE_US = 12,
	REORDERING_US = 5000,
	SILENCE_US = 300000,
	TICK_US = 10000
};
enum { OUTAGE_EVERY = 30000, OUTAGE_US = 60000 };
enum { LOST_BEFORE = 30, LOST_BEHIND = 30, OVERTAKEN = 20, MISSED = 2, ACK_LOST = 10 }; /* of 10,000 */

enum state { UNSENT, FLYING, SACKED, LOST };

struct piece {
	uint64_t sent_us;
	uint8_t state;
	uint8_t tries;
	bool arrived, seen; /* at the client, at the tap */
	bool silent;	    /* taken for lost because nothing came at all */
};

struct talk {
	uint32_t number, count; /* pieces */
	uint32_t isn[2];
	uint16_t ip_id[2];
	struct piece *pieces;
	/* the sender's view */
	uint32_t una, next, flying, window;
	uint64_t newest_sent_us, progress_us, line_free_us;
	/* the receiver's view */
	uint32_t expected, unacknowledged, highest;
	uint32_t clock_client, clock_server; /* the newest timestamp of each that the other has */
	uint64_t outage_until_us;
	uint32_t tap_highest;
	bool done;
};

struct bulk {
	struct trace *trace;
	struct queue *queue;
	struct talk talks[TALKS_MOST];
	uint32_t count, left;
};

static bool chance(struct bulk *bulk, uint32_t of_10000)
{
	return below(bulk->trace, 10000) < of_10000;
}

static uint32_t clock_ms(const struct bulk *bulk)
{
	return (uint32_t)(bulk->trace->time_us / 1000);
}

/* ---- what the tap writes ---- */

static size_t put_timestamps(uint8_t *options, uint32_t value, uint32_t echo)
{
	put32(options, 0x0101080a);
	put32(options + 4, value);
	put32(options + 8, echo);
	return 12;
}

static size_t put_syn(uint8_t *options, uint32_t value, uint32_t echo)
{
	put32(options, 0x020405b4);
	put32(options + 4, 0x0402080a);
	put32(options + 8, value);
	put32(options + 12, echo);
	put32(options + 16, 0x01030307);
	return 20;
}

static uint32_t piece_sequence(const struct talk *talk, uint32_t index)
{
	return talk->isn[1] + 1 + index * SEGMENT;
}

static size_t put_sack(uint8_t *options, size_t at, const struct talk *talk, const struct event *event)
{
	if (event->blocks == 0)
		return at;
	put32(options + at, 0x01010500 | (2 + 8 * event->blocks));
	at += 4;
	for (unsigned i = 0; i < event->blocks; i++, at += 8) {
		put32(options + at, piece_sequence(talk, event->block[i][0]));
		put32(options + at + 4, piece_sequence(talk, event->block[i][1]));
	}
	return at;
}

static void write_segment(struct bulk *bulk, const struct talk *talk, unsigned side, struct segment *segment)
{
	uint32_t hosts[2] = {0x0a000000u + talk->number, 0xc0000201u};
	uint16_t ports[2] = {(uint16_t)(40000 + talk->number), 9000};

	segment->source = hosts[side];
	segment->destination = hosts[1 - side];
	segment->source_port = ports[side];
	segment->destination_port = ports[1 - side];
	write_tcp(bulk->trace, segment);
}

static void write_data(struct bulk *bulk, struct talk *talk, const struct event *event)
{
	uint8_t options[OPTIONS_MOST];
	struct totals *totals = &bulk->trace->totals;
	struct piece *piece = &talk->pieces[event->index];
	struct segment segment = {.sequence = piece_sequence(talk, event->index),
		.acknowledgment = talk->isn[0] + 1 + REQUEST,
		.flags = PSH | ACK,
		.length = SEGMENT,
		.options = options,
		.options_length = put_timestamps(options, event->clock, event->echo),
		.ip_id = event->ip_id};

	write_segment(bulk, talk, 1, &segment);
	if (event->again) {
		totals->late++;
		totals->seen_again += piece->seen;
		if (event->timeout)
			totals->timeouts++;
		else
			totals->fast++;
	} else if (event->index < talk->tap_highest) {
		totals->reordered++;
	}
	if (!piece->seen)
		totals->distinct += SEGMENT;
	piece->seen = true;
	if (event->index > talk->tap_highest)
		talk->tap_highest = event->index;
}

static void write_acknowledgment(struct bulk *bulk, struct talk *talk, const struct event *event)
{
	uint8_t options[OPTIONS_MOST];
	size_t length = put_timestamps(options, event->clock, event->echo);
	struct segment segment = {.sequence = talk->isn[0] + 1 + REQUEST,
		.acknowledgment = piece_sequence(talk, event->index),
		.flags = ACK,
		.options = options,
		.ip_id = event->ip_id};

	segment.options_length = put_sack(options, length, talk, event);
	write_segment(bulk, talk, 0, &segment);
}

/* Handshake, request; FINs. */
static void write_step(struct bulk *bulk, struct talk *talk, unsigned step)
{
	static const struct {
		unsigned side;
		uint8_t flags;
		uint32_t length;
	} steps[] = {{0, SYN, 0}, {1, SYN | ACK, 0}, {0, ACK, 0}, {0, PSH | ACK, REQUEST}, {1, FIN | ACK, 0},
		{0, FIN | ACK, 0}, {1, ACK, 0}};
	uint32_t end = piece_sequence(talk, talk->count), begin = talk->isn[0] + 1;
	uint32_t client[] = {begin - 1, 0, begin, begin, 0, begin + REQUEST, begin + REQUEST + 1};
	uint32_t server[] = {0, talk->isn[1], talk->isn[1] + 1, talk->isn[1] + 1, end, end + 1, end + 1};
	unsigned side = steps[step].side;
	uint8_t options[OPTIONS_MOST];
	uint32_t now = clock_ms(bulk), echo = step == 0	  ? 0
					      : side == 0 ? talk->clock_server
							  : talk->clock_client;
	uint32_t acknowledged = step == 1 ? begin : step == 4 ? begin + REQUEST : client[step];
	struct segment segment = {.sequence = side == 0 ? client[step] : server[step],
		.acknowledgment = side == 0 ? server[step] : acknowledged,
		.flags = steps[step].flags,
		.length = steps[step].length,
		.options = options,
		.ip_id = ++talk->ip_id[side]};

	segment.options_length =
		steps[step].flags & SYN ? put_syn(options, now, echo) : put_timestamps(options, now, echo);
	write_segment(bulk, talk, side, &segment);
	bulk->trace->totals.distinct += segment.length;
	if (side == 0)
		talk->clock_client = now;
	else
		talk->clock_server = now;
}

/* ---- the sender ---- */

static void send_piece(struct bulk *bulk, struct talk *talk, uint32_t index)
{
	struct piece *piece = &talk->pieces[index];
	uint64_t now = bulk->trace->time_us;
	uint64_t leaves = now > talk->line_free_us ? now : talk->line_free_us;
	struct event event = {.what = DATA_AT_TAP,
		.talk = talk->number,
		.index = index,
		.again = piece->tries > 0,
		.timeout = piece->silent,
		.ip_id = ++talk->ip_id[1],
		.clock = (uint32_t)(leaves / 1000),
		.echo = talk->clock_client};

	talk->line_free_us = leaves + LINE_US;
	piece->state = FLYING;
	piece->tries = (uint8_t)(piece->tries < 255 ? piece->tries + 1 : 255);
	piece->sent_us = leaves;
	talk->flying++;
	event.time_us = leaves + NEAR_US + (chance(bulk, OVERTAKEN) ? 1000 + below(bulk->trace, 2000) : 0);
	if (!chance(bulk, LOST_BEFORE))
		queue_add(bulk->queue, &event);
}

static void fill_window(struct bulk *bulk, struct talk *talk)
{
	for (uint32_t i = talk->una; i < talk->next && talk->flying < talk->window; i++)
		if (talk->pieces[i].state == LOST)
			send_piece(bulk, talk, i);
	while (talk->next < talk->count && talk->flying < talk->window && talk->next - talk->una < BUFFER)
		send_piece(bulk, talk, talk->next++);
}

static void piece_arrived(struct talk *talk, uint32_t index)
{
	struct piece *piece = &talk->pieces[index];

	if (piece->state == FLYING)
		talk->flying--;
	if (piece->state != SACKED && piece->sent_us > talk->newest_sent_us)
		talk->newest_sent_us = piece->sent_us;
	piece->state = SACKED;
}

static void take_blocks(struct talk *talk, const struct event *event)
{
	for (unsigned i = 0; i < event->blocks; i++)
		for (uint32_t at = event->block[i][0]; at < event->block[i][1]; at++)
			if (at >= talk->una)
				piece_arrived(talk, at);
}

static void find_lost(struct talk *talk)
{
	for (uint32_t i = talk->una; i < talk->next; i++) {
		struct piece *piece = &talk->pieces[i];

		if (piece->state != FLYING || piece->sent_us + REORDERING_US >= talk->newest_sent_us)
			continue;
		piece->state = LOST;
		piece->silent = false;
		talk->flying--;
	}
}

static void take_acknowledgment(struct bulk *bulk, struct talk *talk, const struct event *event)
{
	talk->clock_client = event->clock;
	if (event->index > talk->una) {
		talk->progress_us = bulk->trace->time_us;
		talk->window += event->index - talk->una;
		if (talk->window > WINDOW)
			talk->window = WINDOW;
	}
	while (talk->una < event->index)
		piece_arrived(talk, talk->una++);
	take_blocks(talk, event);
	find_lost(talk);
	fill_window(bulk, talk);
	if (talk->una == talk->count && !talk->done) {
		talk->done = true;
		for (unsigned step = 4; step < 7; step++)
			queue_add(bulk->queue, &(struct event){.what = STEP,
						       .talk = talk->number,
						       .index = step,
						       .time_us = bulk->trace->time_us + step * 10000});
	}
}

static void time_out(struct bulk *bulk, struct talk *talk)
{
	for (uint32_t i = talk->una; i < talk->next; i++) {
		if (talk->pieces[i].state != FLYING)
			continue;
		talk->pieces[i].state = LOST;
		talk->pieces[i].silent = true;
	}
	talk->flying = 0;
	talk->window = 1;
	talk->progress_us = bulk->trace->time_us;
	fill_window(bulk, talk);
}

/* ---- the receiver ---- */

/* The block around `index`, if that lies above what is expected. */
static bool find_block(const struct talk *talk, uint32_t index, uint32_t *block)
{
	if (index < talk->expected || !talk->pieces[index].arrived)
		return false;
	block[0] = index;
	block[1] = index + 1;
	while (block[0] > talk->expected && talk->pieces[block[0] - 1].arrived)
		block[0]--;
	while (block[1] <= talk->highest && talk->pieces[block[1]].arrived)
		block[1]++;
	return true;
}

static void acknowledge(struct bulk *bulk, struct talk *talk, uint32_t index, bool twice)
{
	struct event event = {.what = ACK_AT_TAP,
		.talk = talk->number,
		.index = talk->expected,
		.ip_id = ++talk->ip_id[0],
		.clock = clock_ms(bulk),
		.echo = talk->clock_server,
		.time_us = bulk->trace->time_us + FAR_US};

	talk->unacknowledged = 0;
	if (twice) {
		event.block[0][0] = index;
		event.block[event.blocks++][1] = index + 1;
	}
	if (find_block(talk, index, event.block[event.blocks]))
		event.blocks++;
	for (uint32_t at = talk->highest; at > talk->expected && event.blocks < BLOCKS; at--) {
		uint32_t *block = event.block[event.blocks];

		if (!find_block(talk, at, block))
			continue;
		at = block[0];
		if (event.blocks == 0 || block[0] != event.block[event.blocks - 1][0])
			event.blocks++;
	}
	if (bulk->trace->time_us >= talk->outage_until_us && !chance(bulk, ACK_LOST))
		queue_add(bulk->queue, &event);
}

static void receive(struct bulk *bulk, struct talk *talk, const struct event *event)
{
	struct piece *piece = &talk->pieces[event->index];
	bool twice = piece->arrived, holes = talk->highest > talk->expected;

	piece->arrived = true;
	talk->clock_server = event->clock;
	if (event->index > talk->highest)
		talk->highest = event->index;
	while (talk->expected < talk->count && talk->pieces[talk->expected].arrived)
		talk->expected++;
	talk->unacknowledged++;
	if (twice || holes || event->index >= talk->expected || talk->unacknowledged >= 2)
		acknowledge(bulk, talk, event->index, twice);
}

/* ---- the way between ---- */

static void pass_tap(struct bulk *bulk, struct talk *talk, const struct event *event)
{
	struct event on = *event;

	if (!chance(bulk, MISSED))
		write_data(bulk, talk, event);
	if (event->index % OUTAGE_EVERY == OUTAGE_EVERY - 1 && !event->again)
		talk->outage_until_us = bulk->trace->time_us + OUTAGE_US;
	if (bulk->trace->time_us < talk->outage_until_us || chance(bulk, LOST_BEHIND))
		return;
	on.what = DATA_AT_CLIENT;
	on.time_us += FAR_US + (chance(bulk, OVERTAKEN) ? 1000 + below(bulk->trace, 2000) : 0);
	queue_add(bulk->queue, &on);
}

static void tick(struct bulk *bulk, struct talk *talk, const struct event *event)
{
	struct event again = *event;

	if (talk->unacknowledged > 0 && talk->expected > 0)
		acknowledge(bulk, talk, talk->expected - 1, false);
	if (talk->next > talk->una && bulk->trace->time_us - talk->progress_us > SILENCE_US)
		time_out(bulk, talk);
	again.time_us += TICK_US;
	if (!talk->done)
		queue_add(bulk->queue, &again);
}

static void step(struct bulk *bulk, struct talk *talk, const struct event *event)
{
	write_step(bulk, talk, event->index);
	if (event->index != 3)
		return;
	talk->progress_us = bulk->trace->time_us;
	fill_window(bulk, talk);
	queue_add(bulk->queue,
		&(struct event){
			.what = TICK, .talk = talk->number, .time_us = bulk->trace->time_us + TICK_US});
}

static void play(struct bulk *bulk, struct event *event)
{
	struct talk *talk = &bulk->talks[event->talk];

	bulk->trace->time_us = event->time_us;
	switch (event->what) {
	case STEP:
		step(bulk, talk, event);
		break;
	case DATA_AT_TAP:
		pass_tap(bulk, talk, event);
		break;
	case DATA_AT_CLIENT:
		receive(bulk, talk, event);
		break;
	case ACK_AT_TAP:
		write_acknowledgment(bulk, talk, event);
		event->what = ACK_AT_SERVER;
		event->time_us += NEAR_US;
		queue_add(bulk->queue, event);
		break;
	case ACK_AT_SERVER:
		take_acknowledgment(bulk, talk, event);
		break;
	case TICK:
		tick(bulk, talk, event);
		break;
	}
}

static void talk_begin(struct bulk *bulk, uint32_t number, uint32_t pieces)
{
	struct trace *trace = bulk->trace;
	struct talk *talk = &bulk->talks[number];

	*talk = (struct talk){.number = number,
		.count = pieces,
		.window = 10,
		.isn = {(uint32_t)next_random(trace),
			number == 0 ? 0xfff00000u : (uint32_t)next_random(trace)},
		.pieces = calloc(pieces + 1, sizeof *talk->pieces)};
	if (talk->pieces == NULL)
		abort();
	for (unsigned i = 0; i < 4; i++)
		queue_add(bulk->queue, &(struct event){.what = STEP,
					       .talk = number,
					       .index = i,
					       .time_us = trace->time_us + number * 37000 +
							  (i == 0 ? 0 : 4000 + (i - 1) * 16000)});
	trace->totals.tcp_sessions++;
}

/* CRC-32 of what the tap saw of each server's stream, in order: the truth for every byte. */
static void sum_up(struct bulk *bulk, const struct talk *talk)
{
	const struct trace *trace = bulk->trace;
	size_t period = sizeof trace->filler - SEGMENT;
	uLong crc = crc32(0, NULL, 0);

	for (uint32_t i = 0; i < talk->count; i++)
		if (talk->pieces[i].seen)
			crc = crc32(crc, trace->filler + piece_sequence(talk, i) % period, SEGMENT);
	bulk->trace->totals.stream_crc[talk->number] = (uint32_t)crc;
}

void write_bulk(struct trace *trace, char **arguments)
{
	uint64_t asked = number_of(arguments[1]);
	uint32_t talks = asked < 1 ? 1 : asked > TALKS_MOST ? TALKS_MOST : (uint32_t)asked;
	uint32_t pieces = (uint32_t)(number_of(arguments[0]) * 1000000 / SEGMENT / talks + 1);
	struct bulk *bulk = calloc(1, sizeof *bulk);
	struct event event;

	if (bulk == NULL || (bulk->queue = queue_new()) == NULL)
		abort();
	bulk->trace = trace;
	for (uint32_t i = 0; i < talks; i++)
		talk_begin(bulk, i, pieces);
	while (queue_take(bulk->queue, &event))
		play(bulk, &event);
	trace->totals.missing =
		(uint64_t)talks * (pieces * (uint64_t)SEGMENT + REQUEST) - trace->totals.distinct;
	for (uint32_t i = 0; i < talks; i++) {
		sum_up(bulk, &bulk->talks[i]);
		free(bulk->talks[i].pieces);
	}
	queue_free(bulk->queue);
	free(bulk);
}
