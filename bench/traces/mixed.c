/*
 * mixed PACKETS: TCP connections (handshake with options, requests and answers in full-sized segments, an
 * acknowledgment every other segment, FINs), about 2,000 open at a time, with losses before the tap
 * that are sent again, doubled segments and holes that stay; questions and answers over UDP between.
 */
#include "bench/traces/trace.h"

#include <stdlib.h>

enum { OPEN_MOST = 2000, LATE = 3 };

enum stage {
	STAGE_SYN,
	STAGE_SYN_ACK,
	STAGE_ACK,
	STAGE_DATA,
	STAGE_FIN_CLIENT,
	STAGE_FIN_SERVER,
	STAGE_LAST,
	STAGE_DONE
};

struct connection {
	enum stage stage;
	uint32_t client, server; /* addresses */
	uint16_t client_port;
	uint32_t next[2]; /* sequence numbers, client and server */
	uint32_t left[2]; /* bytes that this exchange still has to send */
	unsigned exchanges, unacknowledged;
	bool late, late_was_seen; /* a segment that comes (again) after `late_in` others */
	uint32_t late_sequence, late_length;
	unsigned late_side, late_in;
};

static void connection_open(struct trace *trace, struct connection *c)
{
	uint64_t n = trace->totals.tcp_sessions++;

	*c = (struct connection){
		.client = 0x0a000000u | (uint32_t)(n / 28000 & 0xffff),
		.client_port = (uint16_t)(32768 + n % 28000),
		.server = 0xc0000200u | (below(trace, 200) + 1),
		.next = {(uint32_t)next_random(trace), (uint32_t)next_random(trace)},
		.exchanges = 1 + below(trace, 4),
	};
}

static void send_segment(struct trace *trace, struct connection *c, unsigned side, uint8_t flags,
	uint32_t sequence, uint32_t length)
{
	static const uint8_t options[20] = {2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7};
	uint32_t hosts[2] = {c->client, c->server};
	uint16_t ports[2] = {c->client_port, 443};

	write_tcp(trace,
		&(struct segment){hosts[side], hosts[1 - side], ports[side], ports[1 - side], sequence,
			c->next[1 - side], flags, length, options, flags & SYN ? sizeof options : 0, 0});
}

static void send_late(struct trace *trace, struct connection *c)
{
	send_segment(trace, c, c->late_side, PSH | ACK, c->late_sequence, c->late_length);
	trace->totals.late++;
	if (c->late_was_seen)
		trace->totals.seen_again++;
	else
		trace->totals.distinct += c->late_length;
	c->late = false;
}

/* The next segment of a stream: seen, lost and sent again, seen twice, or never seen. */
static void send_data(struct trace *trace, struct connection *c, unsigned side)
{
	uint32_t length = c->left[side] < SEGMENT ? c->left[side] : SEGMENT, sequence = c->next[side];
	uint32_t fate = below(trace, 10000);
	bool lost = fate < 50 && !c->late, doubled = fate >= 50 && fate < 100 && !c->late, hole = fate == 100;

	c->next[side] += length;
	c->left[side] -= length;
	if (lost || doubled) {
		c->late = true;
		c->late_was_seen = doubled;
		c->late_sequence = sequence;
		c->late_length = length;
		c->late_side = side;
		c->late_in = LATE;
	}
	if (hole) {
		trace->totals.missing += length;
	} else if (!lost) {
		send_segment(trace, c, side, PSH | ACK, sequence, length);
		trace->totals.distinct += length;
	}
	c->unacknowledged++;
}

static void data_step(struct trace *trace, struct connection *c)
{
	unsigned side = c->left[0] > 0 ? 0 : 1;

	if (c->late && c->late_in-- == 0) {
		send_late(trace, c);
	} else if (c->unacknowledged >= 2) {
		c->unacknowledged = 0;
		send_segment(trace, c, 1 - side, ACK, c->next[1 - side], 0);
	} else if (c->left[side] > 0) {
		send_data(trace, c, side);
	} else if (c->exchanges > 0) {
		c->exchanges--;
		c->left[0] = 100 + below(trace, 900);
		c->left[1] = 200 + (below(trace, 10) == 0 ? below(trace, 60000) : below(trace, 12000));
	} else if (!c->late) {
		c->stage = STAGE_FIN_CLIENT;
	}
}

static void connection_step(struct trace *trace, struct connection *c)
{
	switch (c->stage) {
	case STAGE_SYN:
		send_segment(trace, c, 0, SYN, c->next[0]++, 0);
		break;
	case STAGE_SYN_ACK:
		send_segment(trace, c, 1, SYN | ACK, c->next[1]++, 0);
		break;
	case STAGE_ACK:
	case STAGE_LAST:
		send_segment(trace, c, 0, ACK, c->next[0], 0);
		break;
	case STAGE_DATA:
		data_step(trace, c);
		return;
	case STAGE_FIN_CLIENT:
	case STAGE_FIN_SERVER: {
		unsigned side = c->stage == STAGE_FIN_SERVER;

		send_segment(trace, c, side, FIN | ACK, c->next[side]++, 0);
		break;
	}
	case STAGE_DONE:
		connection_open(trace, c);
		return;
	}
	c->stage++;
}

static void write_question(struct trace *trace)
{
	uint64_t n = trace->totals.udp_sessions++;
	uint32_t client = 0x0a800000u | (uint32_t)(n / 28000 & 0xffff);
	uint16_t port = (uint16_t)(32768 + n % 28000);

	write_udp(trace, client, port, 0xc0000235u, 53, 30 + below(trace, 30));
	if (below(trace, 50) > 0)
		write_udp(trace, 0xc0000235u, 53, client, port, 60 + below(trace, 300));
}

void write_mixed(struct trace *trace, char **arguments)
{
	uint64_t packets = number_of(arguments[0]);
	struct connection *open = calloc(OPEN_MOST, sizeof *open);

	if (open == NULL)
		abort();
	trace->pace_us = 200;
	for (size_t i = 0; i < OPEN_MOST; i++)
		connection_open(trace, &open[i]);
	while (trace->totals.packets < packets) {
		connection_step(trace, &open[below(trace, OPEN_MOST)]);
		if (below(trace, 25) == 0)
			write_question(trace);
	}
	for (size_t i = 0; i < OPEN_MOST; i++) {
		open[i].exchanges = 0;
		while (open[i].stage != STAGE_DONE)
			connection_step(trace, &open[i]);
	}
	free(open);
}
