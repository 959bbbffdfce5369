/*
 * connections COUNT OPEN: short TCP connections of ten packets each, OPEN of them at a time: handshake,
 * request, acknowledgment, answer, acknowledgment, FIN, FIN, acknowledgment. Whose turn it is, chance
 * decides. idle COUNT: the first seven packets of each, COUNT at a time: everything acknowledged, nothing
 * closed.
 *
 * Options as Linux sends them (timestamps in every segment). No pair of address and port comes twice.
 */
#include "bench/traces/trace.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS = 10, STEPS_IDLE = 7, CLIENTS = 50000, SERVERS = 200 };

struct short_connection {
	uint32_t number, sequence[2];
	uint32_t server : 8, step : 4, request : 10, answer : 10;
};

struct step {
	unsigned side;
	uint8_t flags;
	bool says;
};

static const struct step steps[STEPS] = {
	{0, SYN, false},
	{1, SYN | ACK, false},
	{0, ACK, false},
	{0, PSH | ACK, true},
	{1, ACK, false},
	{1, PSH | ACK, true},
	{0, ACK, false},
	{0, FIN | ACK, false},
	{1, FIN | ACK, false},
	{0, ACK, false},
};

static void short_open(struct trace *trace, struct short_connection *c)
{
	*c = (struct short_connection){
		.number = (uint32_t)trace->totals.tcp_sessions++,
		.sequence = {(uint32_t)next_random(trace), (uint32_t)next_random(trace)},
		.server = below(trace, SERVERS) & 255,
		.request = (40 + below(trace, 400)) & 1023,
		.answer = (100 + below(trace, 900)) & 1023,
	};
}

static size_t put_options(uint8_t *options, uint8_t flags, uint32_t now, uint32_t echo)
{
	static const uint8_t syn[20] = {2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7};
	static const uint8_t later[12] = {1, 1, 8, 10};
	size_t length = flags & SYN ? sizeof syn : sizeof later, at = flags & SYN ? 8 : 4;

	memcpy(options, flags & SYN ? syn : later, length);
	put32(options + at, now);
	put32(options + at + 4, echo);
	return length;
}

static void short_step(struct trace *trace, struct short_connection *c)
{
	const struct step *step = &steps[c->step];
	uint32_t hosts[2] = {0x0a000000u + c->number % CLIENTS, 0xc0000201u + c->server};
	uint16_t ports[2] = {(uint16_t)(1024 + c->number / CLIENTS % 64000), c->server % 4 == 0 ? 80 : 443};
	uint32_t length = !step->says ? 0 : step->side == 0 ? c->request : c->answer;
	uint32_t now = (uint32_t)(trace->time_us / 1000);
	uint8_t options[OPTIONS_MOST];
	size_t options_length = put_options(options, step->flags, now, step->flags & ACK ? now - 1 : 0);

	write_tcp(trace, &(struct segment){hosts[step->side], hosts[1 - step->side], ports[step->side],
				 ports[1 - step->side], c->sequence[step->side], c->sequence[1 - step->side],
				 step->flags, length, options, options_length, 0});
	c->sequence[step->side] += length + (step->flags & (SYN | FIN) ? 1 : 0);
	trace->totals.distinct += length;
	c->step = (c->step + 1u) & 15;
}

static void run(struct trace *trace, uint64_t count, uint64_t open_most, unsigned last)
{
	uint64_t open = open_most < count ? open_most : count;
	struct short_connection *slots = calloc(open + 1, sizeof *slots);

	if (slots == NULL)
		abort();
	for (uint64_t i = 0; i < open; i++)
		short_open(trace, &slots[i]);
	while (open > 0) {
		struct short_connection *c = &slots[below(trace, (uint32_t)open)];

		short_step(trace, c);
		if (c->step < last)
			continue;
		if (trace->totals.tcp_sessions < count)
			short_open(trace, c);
		else
			*c = slots[--open];
	}
	free(slots);
}

void write_connections(struct trace *trace, char **arguments)
{
	trace->pace_us = 100;
	run(trace, number_of(arguments[0]), number_of(arguments[1]), STEPS);
}

void write_idle(struct trace *trace, char **arguments)
{
	trace->pace_us = 100;
	run(trace, number_of(arguments[0]), number_of(arguments[0]), STEPS_IDLE);
}
