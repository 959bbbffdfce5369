/* Frames of a trace: Ethernet, IPv4 or IPv6, TCP or UDP, with all checksums right. */
#include "bench/traces/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint64_t next_random(struct trace *trace)
{
	uint64_t z = trace->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint32_t below(struct trace *trace, uint32_t limit)
{
	return (uint32_t)((next_random(trace) >> 32) * limit >> 32);
}

void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

void put32(uint8_t *at, uint32_t value)
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

uint64_t number_of(const char *argument)
{
	char *end;
	uint64_t number = strtoull(argument, &end, 10);

	if (end != argument && *end == '\0')
		return number;
	fprintf(stderr, "generate: %s is no number\n", argument);
	exit(2);
}

static void write_all(struct trace *trace, const void *data, size_t length)
{
	if (fwrite(data, 1, length, trace->file) == length)
		return;
	fprintf(stderr, "generate: write: %s\n", strerror(errno));
	exit(1);
}

static uint8_t *transport(struct trace *trace)
{
	return trace->frame + 14 + (trace->ipv6 ? 40 : 20);
}

static void put_address6(uint8_t *at, uint32_t address)
{
	static const uint8_t prefix[12] = {0x20, 0x01, 0x0d, 0xb8};

	memcpy(at, prefix, sizeof prefix);
	put32(at + 12, address);
}

static void put_ip(
	struct trace *trace, uint32_t source, uint32_t destination, uint8_t protocol, size_t length)
{
	uint8_t *ip = trace->frame + 14;

	memset(ip, 0, trace->ipv6 ? 40 : 20);
	if (trace->ipv6) {
		ip[0] = 0x60;
		put16(ip + 4, (uint32_t)length);
		ip[6] = protocol;
		ip[7] = 64;
		put_address6(ip + 8, source);
		put_address6(ip + 24, destination);
		return;
	}
	ip[0] = 0x45;
	put16(ip + 2, (uint32_t)(20 + length));
	put16(ip + 4, trace->ip_id != 0 ? trace->ip_id : (uint32_t)trace->totals.packets & 0xffff);
	ip[8] = 64;
	ip[9] = protocol;
	put32(ip + 12, source);
	put32(ip + 16, destination);
	put16(ip + 10, folded(sum16(ip, 20, 0)));
}

static void write_record(struct trace *trace, size_t whole)
{
	uint32_t record[4] = {(uint32_t)(trace->time_us / 1000000), (uint32_t)(trace->time_us % 1000000),
		(uint32_t)whole, (uint32_t)whole};

	write_all(trace, record, sizeof record);
	write_all(trace, trace->frame, whole);
	trace->totals.packets++;
	trace->totals.bytes += whole;
	if (trace->pace_us > 0)
		trace->time_us += 1 + below(trace, trace->pace_us);
}

/* Ethernet and IP around `length` transport bytes that stand in the frame; writes the record. */
static void write_frame(
	struct trace *trace, uint32_t source, uint32_t destination, uint8_t protocol, size_t length)
{
	static const uint8_t macs[12] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};

	memcpy(trace->frame, macs, sizeof macs);
	put16(trace->frame + 12, trace->ipv6 ? 0x86dd : 0x0800);
	put_ip(trace, source, destination, protocol, length);
	write_record(trace, (size_t)(transport(trace) - trace->frame) + length);
}

static void transport_checksum(struct trace *trace, uint32_t source, uint32_t destination, uint8_t protocol,
	size_t length, size_t at)
{
	uint8_t *segment = transport(trace), pseudo[36] = {0};

	if (trace->ipv6) {
		put_address6(pseudo, source);
		put_address6(pseudo + 16, destination);
	} else {
		put32(pseudo, source);
		put32(pseudo + 4, destination);
	}
	put16(pseudo + 32, protocol);
	put16(pseudo + 34, (uint32_t)length);
	put16(segment + at, 0);
	put16(segment + at, folded(sum16(segment, length, sum16(pseudo, sizeof pseudo, 0))));
}

void write_tcp(struct trace *trace, const struct segment *s)
{
	uint8_t *tcp = transport(trace);
	size_t head = 20 + s->options_length;

	memset(tcp, 0, 20);
	put16(tcp, s->source_port);
	put16(tcp + 2, s->destination_port);
	put32(tcp + 4, s->sequence);
	put32(tcp + 8, s->flags & ACK ? s->acknowledgment : 0);
	tcp[12] = (uint8_t)(head / 4 << 4);
	tcp[13] = s->flags;
	put16(tcp + 14, 0xfff0);
	if (s->options_length > 0)
		memcpy(tcp + 20, s->options, s->options_length);
	memcpy(tcp + head, trace->filler + s->sequence % (sizeof trace->filler - SEGMENT), s->length);
	transport_checksum(trace, s->source, s->destination, 6, head + s->length, 16);
	trace->ip_id = s->ip_id;
	write_frame(trace, s->source, s->destination, 6, head + s->length);
	trace->totals.tcp_payload += s->length;
}

void write_udp(struct trace *trace, uint32_t source, uint16_t source_port, uint32_t destination,
	uint16_t destination_port, size_t length)
{
	uint8_t *udp = transport(trace);

	put16(udp, source_port);
	put16(udp + 2, destination_port);
	put16(udp + 4, (uint32_t)(8 + length));
	memcpy(udp + 8, trace->filler, length);
	transport_checksum(trace, source, destination, 17, 8 + length, 6);
	write_frame(trace, source, destination, 17, 8 + length);
}

static void shift32(uint8_t *at, uint32_t by)
{
	uint32_t value = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];

	put32(at, value + by);
}

static void move_ends(struct trace *trace, const struct replayed *replayed)
{
	unsigned from = replayed->from_server;
	uint8_t *ip = trace->frame + 14, *ports = trace->frame + replayed->transport;

	put32(ip + (trace->ipv6 ? 20 : 12), replayed->addresses[from]);
	put32(ip + (trace->ipv6 ? 36 : 16), replayed->addresses[1 - from]);
	put16(ports + (from ? 2 : 0), replayed->client_port);
	if (trace->ipv6)
		return;
	put16(ip + 4, (uint32_t)trace->totals.packets & 0xffff);
	put16(ip + 10, 0);
	put16(ip + 10, folded(sum16(ip, (size_t)(ip[0] & 15) * 4, 0)));
}

void write_replayed(struct trace *trace, const struct replayed *replayed)
{
	unsigned from = replayed->from_server;
	uint8_t *ip = trace->frame + 14, *segment = trace->frame + replayed->transport, protocol,
		pseudo[36] = {0};
	size_t length = replayed->length - replayed->transport, at;

	memcpy(trace->frame, replayed->data, replayed->length);
	trace->ipv6 = trace->frame[12] == 0x86;
	protocol = trace->ipv6 ? ip[6] : ip[9];
	move_ends(trace, replayed);
	if (protocol == 6) {
		shift32(segment + 4, replayed->isn[from]);
		if (segment[13] & ACK)
			shift32(segment + 8, replayed->isn[1 - from]);
	}
	if (trace->ipv6)
		memcpy(pseudo, ip + 8, 32);
	else
		memcpy(pseudo, ip + 12, 8);
	put16(pseudo + 32, protocol);
	put16(pseudo + 34, (uint32_t)length);
	at = protocol == 6 ? 16 : 6;
	put16(segment + at, 0);
	put16(segment + at, folded(sum16(segment, length, sum16(pseudo, sizeof pseudo, 0))));
	write_record(trace, replayed->length);
}
