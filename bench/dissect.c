/*
 * What conversations cost: nanoseconds a packet until it is known who speaks (or that nobody known does), and
 * for whole exchanges of the commonest protocols. The sessions' own bookkeeping is not in it.
 */
#include "analyzer/dissect/conversation.h"
#include "dissectors/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 20000, PIECES = 10 };

struct script {
	const char *name;
	unsigned transport;
	uint16_t port;
	size_t count;
	struct {
		enum fyke_side side;
		const char *bytes;
		size_t length;
	} pieces[PIECES];
};

#define SAYS(side, text)                                                                                     \
	{                                                                                                    \
		side, text, sizeof(text) - 1                                                                 \
	}

static const char hello[] =
	"\x16\x03\x01\x00\x60\x01\x00\x00\x5c\x03\x03"
	"0123456789abcdef0123456789abcdef\x00\x00\x04\x13\x01\x00\xff\x01\x00\x00\x2f"
	"\x00\x00\x00\x10\x00\x0e\x00\x00\x0bexample.org\x00\x2b\x00\x03\x02\x03\x04\x00\x0a\x00\x04\x00\x02"
	"\x00\x1d\x00\x0d\x00\x04\x00\x02\x04\x03\x00\x10\x00\x00";
static const char question[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07"
			       "example\x03org\x00\x00\x01\x00\x01";
static const char answer[] =
	"\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x07"
	"example\x03org\x00\x00\x01\x00\x01\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04"
	"\xcb\x00\x71\x07";

static const struct script scripts[] = {
	{"HTTP", FYKE_OVER_TCP, 80, 2,
		{SAYS(FYKE_CLIENT, "GET / HTTP/1.1\r\nHost: example.org\r\nUser-Agent: bench\r\n\r\n"),
			SAYS(FYKE_SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")}},
	{"TLS", FYKE_OVER_TCP, 443, 1, {{FYKE_CLIENT, hello, sizeof(hello) - 1}}},
	{"DNS", FYKE_OVER_UDP, 53, 2,
		{{FYKE_CLIENT, question, sizeof(question) - 1}, {FYKE_SERVER, answer, sizeof(answer) - 1}}},
};

static bool no_record(void *context, const struct fyke_table *table, const struct fyke_moment *moment,
	const struct fyke_value *values)
{
	(void)context;
	(void)table;
	(void)moment;
	(void)values;
	return true;
}

static const struct fyke_dissect_sink sink = {.record = no_record};

struct bench {
	const struct fyke_dissect_lookup *lookup;
	struct fyke_dissect_memory *memory;
};

static double now_ns(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void converse(const struct bench *bench, const struct script *script)
{
	const struct fyke_conversation_options options = {.lookup = bench->lookup,
		.memory = bench->memory,
		.sink = &sink,
		.transport = script->transport,
		.port = {40000, script->port}};
	struct fyke_dissection *conversation = fyke_conversation_new(&options);
	uint64_t offset[2] = {0};

	for (size_t i = 0; conversation != NULL && i < script->count; i++) {
		enum fyke_side side = script->pieces[i].side;

		fyke_conversation_take(
			conversation, &(struct fyke_conversation_piece){.side = side,
					      .data = (const uint8_t *)script->pieces[i].bytes,
					      .length = script->pieces[i].length,
					      .offset = script->transport == FYKE_OVER_TCP ? offset[side] : 0,
					      .frame = i + 1});
		offset[side] += script->pieces[i].length;
	}
	if (conversation != NULL)
		fyke_conversation_end(conversation);
	fyke_conversation_free(conversation);
}

static void measure(const struct bench *bench, const struct script *script)
{
	double begin = now_ns(), spent;

	for (int i = 0; i < ROUNDS; i++)
		converse(bench, script);
	spent = (now_ns() - begin) / ROUNDS;
	printf("%-28s %2zu packets  %8.0f ns a session  %6.0f ns a packet\n", script->name, script->count,
		spent, spent / (double)script->count);
}

/* Ten packets of 100 bytes, both sides in turns, that are nobody's. */
static void measure_unknown(const struct bench *bench, const char *name, unsigned transport, uint16_t port)
{
	static char bytes[PIECES][100];
	struct script script = {.name = name, .transport = transport, .port = port, .count = PIECES};
	uint64_t state = 88172645463325252U;

	for (size_t i = 0; i < PIECES; i++) {
		for (size_t j = 0; j < sizeof(bytes[i]); j++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			bytes[i][j] = (char)(state >> 32);
		}
		script.pieces[i].side = i % 2 == 0 ? FYKE_CLIENT : FYKE_SERVER;
		script.pieces[i].bytes = bytes[i];
		script.pieces[i].length = sizeof(bytes[i]);
	}
	measure(bench, &script);
}

int main(void)
{
	struct fyke_dissect_lookup *lookup = fyke_dissect_lookup_new(fyke_dissectors());
	struct fyke_dissect_memory memory;
	const struct bench bench = {lookup, &memory};

	fyke_dissect_memory_init(&memory);
	if (lookup == NULL)
		return 1;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		measure(&bench, &scripts[i]);
	measure_unknown(&bench, "unknown, TCP, nobody's port", FYKE_OVER_TCP, 41234);
	measure_unknown(&bench, "unknown, TCP 443", FYKE_OVER_TCP, 443);
	measure_unknown(&bench, "unknown, UDP, nobody's port", FYKE_OVER_UDP, 41234);
	measure_unknown(&bench, "unknown, UDP 53", FYKE_OVER_UDP, 53);
	fyke_dissect_memory_release(&memory);
	fyke_dissect_lookup_free(lookup);
	return 0;
}
