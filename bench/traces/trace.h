/*
 * A trace that is being written, and what is true of it. One kind of trace is one file beside this one;
 * bench/generate.c chooses.
 */
#ifndef FYKE_BENCH_TRACES_TRACE_H
#define FYKE_BENCH_TRACES_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { SEGMENT = 1448, OPTIONS_MOST = 40, TALKS_MOST = 64 };
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

/* `seen_again`: resent segments whose first copy the tap had seen; `late`: all that came (again) later. */
struct totals {
	uint64_t packets, bytes, tcp_sessions, udp_sessions, tcp_payload, distinct, missing, seen_again, late;
	uint64_t fast, timeouts, reordered;
	uint32_t stream_crc[TALKS_MOST]; /* bulk: of each talk */
};

struct trace {
	FILE *file;
	uint64_t random, time_us;
	uint32_t pace_us; /* packets are 1 to this many apart; 0: the kind of trace sets the time */
	uint16_t ip_id;	  /* of the next frame; 0: counts on */
	bool ipv6;	  /* addresses become the last 32 bits below 2001:db8::/96 */
	uint8_t frame[14 + 40 + 20 + OPTIONS_MOST + SEGMENT + 64];
	uint8_t filler[1 << 16];
	struct totals totals;
};

struct segment {
	uint32_t source, destination;
	uint16_t source_port, destination_port;
	uint32_t sequence, acknowledgment;
	uint8_t flags;
	uint32_t length;
	const uint8_t *options;
	size_t options_length;
	uint16_t ip_id; /* 0: counts on */
};

uint64_t next_random(struct trace *trace);
uint32_t below(struct trace *trace, uint32_t limit);
uint64_t number_of(const char *argument);
void put16(uint8_t *at, uint32_t value);
void put32(uint8_t *at, uint32_t value);

/* Payload is taken from `filler` by sequence number: a byte that is sent again is the same byte. */
void write_tcp(struct trace *trace, const struct segment *segment);
void write_udp(struct trace *trace, uint32_t source, uint16_t source_port, uint32_t destination,
	uint16_t destination_port, size_t length);

/* A recorded frame between other ends; addresses are IPv4 or the last 32 bits of IPv6. */
struct replayed {
	const uint8_t *data;
	uint32_t length, transport;
	uint32_t addresses[2]; /* client, server */
	bool from_server;
	uint16_t client_port;
	uint32_t isn[2]; /* added to the sequence numbers of each side */
};

void write_replayed(struct trace *trace, const struct replayed *replayed);

/* The kinds; arguments as in the usage of bench/generate. */
void write_mixed(struct trace *trace, char **arguments);
void write_scan(struct trace *trace, char **arguments);
void write_syns(struct trace *trace, char **arguments);
void write_syns6(struct trace *trace, char **arguments);
void write_connections(struct trace *trace, char **arguments);
void write_idle(struct trace *trace, char **arguments);
void write_bulk(struct trace *trace, char **arguments);
void write_recorded(struct trace *trace, char **arguments);

#endif
