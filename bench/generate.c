/*
 * Writes a trace by seed, and on stdout what is true of it (`name value` lines) for bench/run to check; with
 * `-` as FILE the trace goes to stdout and the truth to stderr. What each kind holds: bench/traces/.
 *
 * All checksums are right. Left out: tunnels, fragments.
 */
#include "bench/traces/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct kind {
	const char *name, *usage;
	int arguments;
	void (*write)(struct trace *, char **);
};

static const struct kind kinds[] = {
	{"mixed", "PACKETS", 1, write_mixed},
	{"scan", "PACKETS", 1, write_scan},
	{"syns", "COUNT", 1, write_syns},
	{"syns6", "COUNT", 1, write_syns6},
	{"connections", "COUNT OPEN", 2, write_connections},
	{"idle", "COUNT", 1, write_idle},
	{"bulk", "MEGABYTES TALKS", 2, write_bulk},
	{"recorded", "PACKETS RECORDING", 2, write_recorded},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static const struct kind *kind_find(const char *name, int arguments)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0 && arguments == kinds[i].arguments + 2)
			return &kinds[i];
	return NULL;
}

static int usage(void)
{
	for (size_t i = 0; i < KINDS; i++)
		fprintf(stderr, "%s generate %s %s SEED FILE\n", i == 0 ? "usage:" : "      ", kinds[i].name,
			kinds[i].usage);
	return 2;
}

static void print_truth(FILE *file, const struct totals *t)
{
	const struct {
		const char *name;
		uint64_t value;
	} lines[] = {
		{"packets", t->packets},
		{"bytes", t->bytes},
		{"tcp_sessions", t->tcp_sessions},
		{"udp_sessions", t->udp_sessions},
		{"tcp_payload_bytes", t->tcp_payload},
		{"stream_bytes", t->distinct},
		{"missing_bytes", t->missing},
		{"seen_again_segments", t->seen_again},
		{"late_segments", t->late},
		{"resent_fast_segments", t->fast},
		{"resent_timeout_segments", t->timeouts},
		{"reordered_segments", t->reordered},
	};

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		fprintf(file, "%s %llu\n", lines[i].name, (unsigned long long)lines[i].value);
	for (unsigned i = 0; i < TALKS_MOST; i++)
		if (t->stream_crc[i] != 0)
			fprintf(file, "crc32_of_client_port_%u %u\n", 40000 + i, t->stream_crc[i]);
}

/* A byte of the filler depends on its place modulo a period only, wherever a segment begins. */
static void fill(struct trace *trace)
{
	size_t period = sizeof trace->filler - SEGMENT;

	for (size_t i = 0; i < sizeof trace->filler; i++)
		trace->filler[i] = (uint8_t)next_random(trace);
	memcpy(trace->filler + period, trace->filler, SEGMENT);
}

int main(int argc, char **argv)
{
	static const uint32_t header[6] = {0xa1b2c3d4u, 0x00040002u, 0, 0, 262144, 1};
	const struct kind *kind = argc < 2 ? NULL : kind_find(argv[1], argc - 2);
	const char *name = argv[argc - 1];
	bool piped = strcmp(name, "-") == 0;
	struct trace *trace = calloc(1, sizeof *trace);

	if (kind == NULL || trace == NULL)
		return usage();
	trace->random = number_of(argv[argc - 2]);
	trace->time_us = 1700000000000000u;
	trace->file = piped ? stdout : fopen(name, "wb");
	if (trace->file == NULL || fwrite(header, sizeof header, 1, trace->file) != 1) {
		fprintf(stderr, "generate: %s: %s\n", name, strerror(errno));
		return 1;
	}
	fill(trace);
	kind->write(trace, argv + 2);
	if (fclose(trace->file) != 0) {
		fprintf(stderr, "generate: %s: %s\n", name, strerror(errno));
		return 1;
	}
	print_truth(piped ? stderr : stdout, &trace->totals);
	free(trace);
	return 0;
}
