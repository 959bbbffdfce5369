/*
 * scan PACKETS: SYNs to one port after another of many hosts, 20 % of which answer RST, 2 % SYN-ACK.
 * syns COUNT, syns6 COUNT: nothing but SYNs, a microsecond or two apart, so that all are half-open at once;
 * the hosts come in an order that no table likes, as fast scanners send them.
 */
#include "bench/traces/trace.h"

static const uint8_t syn_options[20] = {2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7};

void write_scan(struct trace *trace, char **arguments)
{
	uint64_t packets = number_of(arguments[0]);

	trace->pace_us = 200;
	for (uint64_t n = 0; trace->totals.packets < packets; n++) {
		struct segment probe = {0xcb007105u, 0x0a000000u | (uint32_t)(n / 1000),
			(uint16_t)(40000 + n % 7), (uint16_t)(1 + n % 1000), (uint32_t)next_random(trace), 0,
			SYN, 0, syn_options, sizeof syn_options, 0};
		uint32_t fate = below(trace, 100);
		struct segment answer = {probe.destination, probe.source, probe.destination_port,
			probe.source_port, 0, probe.sequence + 1, RST | ACK, 0, NULL, 0, 0};

		write_tcp(trace, &probe);
		trace->totals.tcp_sessions++;
		if (fate < 20) {
			write_tcp(trace, &answer);
		} else if (fate < 22) {
			answer.flags = SYN | ACK;
			answer.options = syn_options;
			answer.options_length = sizeof syn_options;
			answer.sequence = (uint32_t)next_random(trace);
			write_tcp(trace, &answer);
			probe.flags = RST;
			probe.options_length = 0;
			probe.sequence++;
			write_tcp(trace, &probe);
		}
	}
}

/* Every address of a /8 once a port: an odd factor reorders 2^24 numbers without losing one. */
void write_syns(struct trace *trace, char **arguments)
{
	static const uint16_t ports[] = {
		80, 443, 22, 23, 8080, 3389, 445, 25, 21, 5900, 53, 110, 143, 8443, 6379};
	uint64_t count = number_of(arguments[0]);
	uint32_t start = below(trace, 1 << 24);

	trace->pace_us = 2;
	for (uint64_t n = 0; n < count; n++) {
		uint32_t host = ((uint32_t)n * 0x9e3779b1u + start) & 0xffffff;

		write_tcp(trace,
			&(struct segment){0xcb007101u + below(trace, 4), 0x0a000000u | host,
				(uint16_t)(40000 + (n >> 24) % 20000),
				ports[(n >> 24) % (sizeof ports / sizeof *ports)],
				(uint32_t)next_random(trace), 0, SYN, 0, syn_options, sizeof syn_options, 0});
		trace->totals.tcp_sessions++;
	}
}

void write_syns6(struct trace *trace, char **arguments)
{
	trace->ipv6 = true;
	write_syns(trace, arguments);
}
