/*
 * Writes a trace by seed, and on stdout what is true of it (`name value` lines) for bench/run to check.
 *
 *   generate mixed|scan PACKETS SEED FILE
 *
 * mixed: TCP connections (handshake with options, requests and answers in full-sized segments, an
 * acknowledgment every other segment, FINs), about 2,000 open at a time, with losses before the tap
 * that are sent again, doubled segments and holes that stay; questions and answers over UDP between.
 * scan: SYNs to one port after another of many hosts, some of which answer RST, a few SYN-ACK.
 *
 * All checksums are right. Left out: IPv6, tunnels, fragments.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPEN_MOST = 2000, SEGMENT = 1448, HEADERS = 14 + 20 + 20, OPTIONS_SYN = 20, LATE = 3 };
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

struct totals {
	uint64_t packets, bytes, tcp_sessions, udp_sessions, tcp_payload, distinct, missing, retransmitted,
		late;
};

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

struct trace {
	FILE *file;
	uint64_t random, time_us, births, questions;
	uint8_t frame[HEADERS + OPTIONS_SYN + SEGMENT + 64];
	uint8_t filler[1 << 16];
	struct totals totals;
	struct connection open[OPEN_MOST];
};

static uint64_t next_random(struct trace *trace)
{
	uint64_t z = trace->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint32_t below(struct trace *trace, uint32_t limit)
{
	return (uint32_t)((next_random(trace) >> 32) * limit >> 32);
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

static uint32_t sum16(const uint8_t *data, size_t length, uint32_t sum)
{
	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)(data[i] << 8 | data[i + 1]);
	return length % 2 ? sum + ((uint32_t)data[length - 1] << 8) : sum;
}

static uint16_t folded(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void write_all(struct trace *trace, const void *data, size_t length)
{
	if (fwrite(data, 1, length, trace->file) == length)
		return;
	fprintf(stderr, "generate: write: %s\n", strerror(errno));
	exit(1);
}

/* Ethernet and IPv4 around `length` transport bytes that stand at frame + 34; writes the record. */
static void write_frame(
	struct trace *trace, uint32_t source, uint32_t destination, uint8_t protocol, size_t length)
{
	static const uint8_t macs[12] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
	uint8_t *ip = trace->frame + 14;
	size_t whole = 34 + length;
	uint32_t record[4] = {(uint32_t)(trace->time_us / 1000000), (uint32_t)(trace->time_us % 1000000),
		(uint32_t)whole, (uint32_t)whole};

	memcpy(trace->frame, macs, sizeof macs);
	put16(trace->frame + 12, 0x0800);
	memset(ip, 0, 20);
	ip[0] = 0x45;
	put16(ip + 2, (uint32_t)(20 + length));
	put16(ip + 4, (uint32_t)trace->totals.packets & 0xffff);
	ip[8] = 64;
	ip[9] = protocol;
	put32(ip + 12, source);
	put32(ip + 16, destination);
	put16(ip + 10, folded(sum16(ip, 20, 0)));
	write_all(trace, record, sizeof record);
	write_all(trace, trace->frame, whole);
	trace->totals.packets++;
	trace->totals.bytes += whole;
	trace->time_us += 1 + below(trace, 200);
}

static void transport_checksum(struct trace *trace, uint32_t source, uint32_t destination, uint8_t protocol,
	size_t length, size_t at)
{
	uint8_t *segment = trace->frame + 34, pseudo[12] = {[9] = protocol};

	put32(pseudo, source);
	put32(pseudo + 4, destination);
	put16(pseudo + 10, (uint32_t)length);
	put16(segment + at, 0);
	put16(segment + at, folded(sum16(segment, length, sum16(pseudo, 12, 0))));
}

struct segment {
	uint32_t source, destination;
	uint16_t source_port, destination_port;
	uint32_t sequence, acknowledgment;
	uint8_t flags;
	uint32_t length;
};

static void write_tcp(struct trace *trace, const struct segment *s)
{
	static const uint8_t options[OPTIONS_SYN] = {
		2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7};
	uint8_t *tcp = trace->frame + 34;
	size_t head = 20 + (s->flags & SYN ? sizeof options : 0);

	memset(tcp, 0, 20);
	put16(tcp, s->source_port);
	put16(tcp + 2, s->destination_port);
	put32(tcp + 4, s->sequence);
	put32(tcp + 8, s->flags & ACK ? s->acknowledgment : 0);
	tcp[12] = (uint8_t)(head / 4 << 4);
	tcp[13] = s->flags;
	put16(tcp + 14, 0xfff0);
	if (s->flags & SYN)
		memcpy(tcp + 20, options, sizeof options);
	memcpy(tcp + head, trace->filler + s->sequence % (sizeof trace->filler - SEGMENT), s->length);
	transport_checksum(trace, s->source, s->destination, 6, head + s->length, 16);
	write_frame(trace, s->source, s->destination, 6, head + s->length);
	trace->totals.tcp_payload += s->length;
}

static void write_udp(struct trace *trace, uint32_t source, uint16_t source_port, uint32_t destination,
	uint16_t destination_port, size_t length)
{
	uint8_t *udp = trace->frame + 34;

	put16(udp, source_port);
	put16(udp + 2, destination_port);
	put16(udp + 4, (uint32_t)(8 + length));
	memcpy(udp + 8, trace->filler, length);
	transport_checksum(trace, source, destination, 17, 8 + length, 6);
	write_frame(trace, source, destination, 17, 8 + length);
}

/* ---- mixed ---- */

static void connection_open(struct trace *trace, struct connection *c)
{
	uint64_t n = trace->births++;

	*c = (struct connection){
		.client = 0x0a000000u | (uint32_t)(n / 28000 & 0xffff),
		.client_port = (uint16_t)(32768 + n % 28000),
		.server = 0xc0000200u | (below(trace, 200) + 1),
		.next = {(uint32_t)next_random(trace), (uint32_t)next_random(trace)},
		.exchanges = 1 + below(trace, 4),
	};
	trace->totals.tcp_sessions++;
}

static void send_segment(struct trace *trace, struct connection *c, unsigned side, uint8_t flags,
	uint32_t sequence, uint32_t length)
{
	uint32_t hosts[2] = {c->client, c->server};
	uint16_t ports[2] = {c->client_port, 443};

	write_tcp(trace, &(struct segment){hosts[side], hosts[1 - side], ports[side], ports[1 - side],
				 sequence, c->next[1 - side], flags, length});
}

static void send_late(struct trace *trace, struct connection *c)
{
	send_segment(trace, c, c->late_side, PSH | ACK, c->late_sequence, c->late_length);
	trace->totals.late++;
	if (c->late_was_seen)
		trace->totals.retransmitted++;
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
	uint64_t n = trace->questions++;
	uint32_t client = 0x0a800000u | (uint32_t)(n / 28000 & 0xffff);
	uint16_t port = (uint16_t)(32768 + n % 28000);

	trace->totals.udp_sessions++;
	write_udp(trace, client, port, 0xc0000235u, 53, 30 + below(trace, 30));
	if (below(trace, 50) > 0)
		write_udp(trace, 0xc0000235u, 53, client, port, 60 + below(trace, 300));
}

static void write_mixed(struct trace *trace, uint64_t packets)
{
	for (size_t i = 0; i < OPEN_MOST; i++)
		connection_open(trace, &trace->open[i]);
	while (trace->totals.packets < packets) {
		connection_step(trace, &trace->open[below(trace, OPEN_MOST)]);
		if (below(trace, 25) == 0)
			write_question(trace);
	}
	for (size_t i = 0; i < OPEN_MOST; i++) {
		trace->open[i].exchanges = 0;
		while (trace->open[i].stage != STAGE_DONE)
			connection_step(trace, &trace->open[i]);
	}
}

/* ---- scan ---- */

static void write_scan(struct trace *trace, uint64_t packets)
{
	for (uint64_t n = 0; trace->totals.packets < packets; n++) {
		struct segment probe = {0xcb007105u, 0x0a000000u | (uint32_t)(n / 1000),
			(uint16_t)(40000 + n % 7), (uint16_t)(1 + n % 1000), (uint32_t)next_random(trace), 0,
			SYN, 0};
		uint32_t fate = below(trace, 100);
		struct segment answer = {probe.destination, probe.source, probe.destination_port,
			probe.source_port, 0, probe.sequence + 1, RST | ACK, 0};

		write_tcp(trace, &probe);
		trace->totals.tcp_sessions++;
		if (fate < 20) {
			write_tcp(trace, &answer);
		} else if (fate < 22) {
			answer.flags = SYN | ACK;
			answer.sequence = (uint32_t)next_random(trace);
			write_tcp(trace, &answer);
			probe.flags = RST;
			probe.sequence++;
			write_tcp(trace, &probe);
		}
	}
}

int main(int argc, char **argv)
{
	static const uint32_t header[6] = {0xa1b2c3d4u, 0x00040002u, 0, 0, 262144, 1};
	struct trace *trace = calloc(1, sizeof *trace);

	if (argc != 5 || trace == NULL || (strcmp(argv[1], "mixed") != 0 && strcmp(argv[1], "scan") != 0)) {
		fprintf(stderr, "usage: generate mixed|scan PACKETS SEED FILE\n");
		return 2;
	}
	trace->random = strtoull(argv[3], NULL, 10);
	trace->time_us = 1700000000000000u;
	trace->file = fopen(argv[4], "wb");
	if (trace->file == NULL) {
		fprintf(stderr, "generate: %s: %s\n", argv[4], strerror(errno));
		return 1;
	}
	for (size_t i = 0; i < sizeof trace->filler; i++)
		trace->filler[i] = (uint8_t)next_random(trace);
	write_all(trace, header, sizeof header);
	if (strcmp(argv[1], "mixed") == 0)
		write_mixed(trace, strtoull(argv[2], NULL, 10));
	else
		write_scan(trace, strtoull(argv[2], NULL, 10));
	if (fclose(trace->file) != 0) {
		fprintf(stderr, "generate: %s: %s\n", argv[4], strerror(errno));
		return 1;
	}
	printf("packets %llu\nbytes %llu\ntcp_sessions %llu\nudp_sessions %llu\ntcp_payload_bytes %llu\n"
	       "stream_bytes %llu\nmissing_bytes %llu\nseen_again_segments %llu\nlate_segments %llu\n",
		(unsigned long long)trace->totals.packets, (unsigned long long)trace->totals.bytes,
		(unsigned long long)trace->totals.tcp_sessions,
		(unsigned long long)trace->totals.udp_sessions, (unsigned long long)trace->totals.tcp_payload,
		(unsigned long long)trace->totals.distinct, (unsigned long long)trace->totals.missing,
		(unsigned long long)trace->totals.retransmitted, (unsigned long long)trace->totals.late);
	free(trace);
	return 0;
}
