/*
 * Nobody is taken for somebody else: random bytes are no protocol, on whatever port; a talk of one protocol
 * (tests/talks) on the port of any other is still that protocol, or nothing. Protocols that share a table
 * (DNS, mDNS, LLMNR) are one: only the port tells which.
 *
 * FYKE_SEED=N: another seed; FYKE_ROUNDS=N: conversations a port (200).
 */
#include "talk.h"

#include "dissectors/registry.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECES = 6, PIECE_MAX = 1400, PORTS_MAX = 4096, TOLD_MAX = 10 };

struct random {
	uint64_t state;
};

static uint64_t draw(struct random *random) /* splitmix64 */
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

struct ports {
	struct {
		unsigned transport;
		uint16_t port;
	} list[PORTS_MAX];
	size_t count;
};

static void add_port(struct ports *ports, unsigned transport, uint16_t port)
{
	for (size_t i = 0; i < ports->count; i++) {
		if (ports->list[i].transport == transport && ports->list[i].port == port)
			return;
	}
	if (ports->count < PORTS_MAX) {
		ports->list[ports->count].transport = transport;
		ports->list[ports->count++].port = port;
	}
}

/* Every port that a dissector declares, and one of nobody. */
static void collect(struct ports *ports, bool one_each)
{
	add_port(ports, FYKE_OVER_TCP, 41234);
	add_port(ports, FYKE_OVER_UDP, 41234);
	for (const struct fyke_dissector *const *one = fyke_dissectors(); *one != NULL; one++) {
		for (const uint16_t *port = (*one)->ports; port != NULL && *port != 0; port++) {
			if (((*one)->transports & FYKE_OVER_TCP) != 0)
				add_port(ports, FYKE_OVER_TCP, *port);
			if (((*one)->transports & FYKE_OVER_UDP) != 0)
				add_port(ports, FYKE_OVER_UDP, *port);
			if (one_each)
				break;
		}
	}
}

/* Small ones are as frequent as large ones. */
static size_t draw_length(struct random *random)
{
	unsigned bits = (unsigned)(draw(random) % 11);
	size_t length = 1 + (size_t)(draw(random) & ((1U << bits) - 1));

	return length > PIECE_MAX ? PIECE_MAX : length;
}

static void draw_pieces(struct random *random, struct talk_piece *pieces, size_t *count)
{
	*count = 1 + (size_t)(draw(random) % PIECES);
	for (size_t i = 0; i < *count; i++) {
		pieces[i] = (struct talk_piece){.side = draw(random) % 2 == 0 ? FYKE_CLIENT : FYKE_SERVER};
		pieces[i].length = draw_length(random);
		pieces[i].data = malloc(pieces[i].length);
		for (size_t j = 0; j < pieces[i].length; j++)
			pieces[i].data[j] = (uint8_t)(draw(random) >> 24);
	}
}

static void tell_pieces(const struct talk_piece *pieces, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		printf("# %cx", pieces[i].side == FYKE_CLIENT ? '>' : '<');
		for (size_t j = 0; j < pieces[i].length && j < 64; j++)
			printf(" %02x", pieces[i].data[j]);
		printf("%s\n", pieces[i].length > 64 ? " ..." : "");
	}
}

/* False: something was said. */
static bool try_random(const struct talk *talk, struct random *random)
{
	struct talk_piece pieces[PIECES];
	size_t count;
	char *said;
	bool silent;

	draw_pieces(random, pieces, &count);
	said = talk_run(talk, pieces, count, NULL);
	silent = said[0] == '\0';
	if (!silent) {
		printf("# %s port %u said: %.300s\n", talk->transport == FYKE_OVER_TCP ? "tcp" : "udp",
			talk->port[FYKE_SERVER], said);
		tell_pieces(pieces, count);
	}
	free(said);
	for (size_t i = 0; i < count; i++)
		free(pieces[i].data);
	return silent;
}

static void random_bytes(void)
{
	static struct ports ports;
	static struct talk talk;
	uint64_t seed = number_of("FYKE_SEED", 1), rounds = number_of("FYKE_ROUNDS", 200), all = 0;
	unsigned loud = 0;

	collect(&ports, false);
	for (size_t i = 0; i < ports.count; i++) {
		struct random random = {seed * 1000003 + ports.list[i].port * 2U + ports.list[i].transport};

		talk.transport = ports.list[i].transport;
		talk.port[FYKE_CLIENT] = 40000;
		talk.port[FYKE_SERVER] = ports.list[i].port;
		for (uint64_t round = 0; round < rounds && loud < TOLD_MAX; round++, all++) {
			talk.guessed = round % 4 == 3;
			loud += try_random(&talk, &random) ? 0 : 1;
		}
	}
	printf("%s seed %" PRIu64 ": %" PRIu64 " conversations of random bytes on %zu ports say nothing\n",
		loud == 0 ? "ok" : "not ok", seed, all, ports.count);
}

/* What content it is; "" = none. */
static const char *service_in(const char *said, char *service, size_t room)
{
	const char *line = strncmp(said, "service ", 8) == 0 ? said : strstr(said, "\nservice ");

	service[0] = '\0';
	if (line != NULL) {
		line += *line == '\n' ? 9 : 8;
		(void)snprintf(service, room, "%.*s", (int)strcspn(line, "\n"), line);
	}
	return service;
}

static const struct fyke_dissector *named(const char *name)
{
	return fyke_dissect_named(talk_lookup(), name);
}

static bool has_table(const struct fyke_dissector *dissector, const struct fyke_table *table)
{
	const struct fyke_table *const *own = dissector->tables;

	while (own != NULL && *own != NULL && *own != table)
		own++;
	return own != NULL && *own != NULL;
}

static bool is_line_and_text(const char *name)
{
	return strcmp(name, "finger") == 0 || strcmp(name, "whois") == 0;
}

static bool are_one(const char *a, const char *b)
{
	const struct fyke_dissector *one = named(a), *other = named(b);

	if (strcmp(a, b) == 0)
		return true;
	/* a line, and text until the end: only the port tells them apart (RFC 1288, RFC 3912, HTTP/0.9) */
	if (is_line_and_text(a) && is_line_and_text(b))
		return true;
	if (one == NULL || other == NULL || one->tables == NULL)
		return false;
	for (const struct fyke_table *const *table = one->tables; *table != NULL; table++) {
		if (has_table(other, *table))
			return true;
	}
	return false;
}

/* How many ports took it for another protocol. */
static unsigned move(const char *path, struct talk *talk, const struct ports *ports)
{
	char own[64], other[64];
	unsigned wrong = 0;

	if (service_in(talk->expectation, own, sizeof(own))[0] == '\0' || talk->expected_by[0] != '\0')
		return 0;
	for (size_t i = 0; i < ports->count; i++) {
		char *said;

		if (ports->list[i].transport != talk->transport)
			continue;
		talk->port[FYKE_SERVER] = ports->list[i].port;
		said = talk_run(talk, talk->pieces, talk->count, NULL);
		(void)service_in(said, other, sizeof(other));
		free(said);
		if (other[0] != '\0' && !are_one(own, other)) {
			wrong++;
			printf("# %s: %s is %s on port %u\n", path, own, other, ports->list[i].port);
		}
	}
	return wrong;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool is_talk(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL && strcmp(dot, ".talk") == 0;
}

static void move_folder(const char *folder, const struct ports *ports)
{
	static struct talk talk;
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, NULL, by_name);
	unsigned wrong = 0, talks = 0;

	for (int i = 0; i < count; i++) {
		char path[512];

		(void)snprintf(path, sizeof(path), "%.255s/%.255s", folder, entries[i]->d_name);
		if (is_talk(path)) {
			talks++;
			wrong += talk_read(path, &talk) ? move(path, &talk, ports) : 1;
			talk_release(&talk);
		}
		free(entries[i]);
	}
	free(entries);
	printf("%s %s: %u talks on %zu ports of others are what they are, or nothing\n",
		wrong == 0 ? "ok" : "not ok", folder, talks, ports->count);
}

static void moved_talks(void)
{
	static struct ports ports;
	struct dirent **entries = NULL;
	int count = scandir("tests/talks", &entries, NULL, by_name);

	collect(&ports, true);
	for (int i = 0; i < count; i++) {
		char folder[300];

		(void)snprintf(folder, sizeof(folder), "tests/talks/%.255s", entries[i]->d_name);
		if (entries[i]->d_name[0] != '.')
			move_folder(folder, &ports);
		free(entries[i]);
	}
	free(entries);
}

int main(void)
{
	random_bytes();
	moved_talks();
	return 0;
}
