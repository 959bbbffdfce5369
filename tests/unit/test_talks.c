/*
 * tests/talks/<protocol>/<case>.talk: each conversation as written gives what is written; cut anew at any
 * byte it gives the same; with bytes missing or its end cut off it is survived, in little memory.
 *
 * With files as arguments: prints what is said of them, for writing expectations.
 */
#include "talk.h"

#include "dissectors/registry.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { POSITIONS_MAX = 600, LOST_MAX = 8 };

static size_t total_of(const struct talk *talk)
{
	size_t total = 0;

	for (size_t i = 0; i < talk->count; i++)
		total += talk->pieces[i].length;
	return total;
}

static uint8_t *copy_of(const uint8_t *data, size_t length)
{
	uint8_t *copy = malloc(length + (length == 0));

	if (length > 0)
		memcpy(copy, data, length);
	return copy;
}

/* The pieces with one more boundary, at byte `at` of all; every_byte: a boundary everywhere. */
static struct talk_piece *cut(const struct talk *talk, size_t at, bool every_byte, size_t *count)
{
	struct talk_piece *pieces =
		calloc(talk->count + (every_byte ? total_of(talk) : 1) + 1, sizeof(*pieces));
	size_t passed = 0;

	*count = 0;
	for (size_t i = 0; i < talk->count; i++) {
		const struct talk_piece *piece = &talk->pieces[i];
		size_t begin = 0;

		for (size_t j = 1; j <= piece->length || (j == 1 && piece->length == 0); j++) {
			bool last = j >= piece->length;

			if (!last && !every_byte && passed + j != at)
				continue;
			pieces[*count] = *piece;
			pieces[*count].length = (last ? piece->length : j) - begin;
			pieces[*count].data = copy_of(piece->data + begin, pieces[*count].length);
			pieces[*count].gap = begin == 0 ? piece->gap : 0;
			pieces[*count].end = last && piece->end;
			++*count;
			begin = j;
		}
		passed += piece->length;
	}
	return pieces;
}

static void free_pieces(struct talk_piece *pieces, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(pieces[i].data);
	free(pieces);
}

static bool report(bool good, const char *path, const char *what)
{
	printf("%s %s: %s\n", good ? "ok" : "not ok", path, what);
	return good;
}

static bool run_whole(const char *path, const struct talk *talk)
{
	size_t held = 0;
	char *said = talk_run(talk, talk->pieces, talk->count, &held);
	bool good = strcmp(said, talk->expectation) == 0;

	if (!good)
		printf("# expected:\n%s# said:\n%s", talk->expectation, said);
	free(said);
	return report(good, path, "as written");
}

/* What a conversation may hold by its dissector's own word; its opening, names and files come on top. */
static bool run_budget(const char *path, const struct talk *talk)
{
	enum { KIB = 1024, DEFAULT = 16 * KIB, ON_TOP = 16 * KIB };
	size_t held = 0, most = 0;

	free(talk_run(talk, talk->pieces, talk->count, &held));
	for (const struct fyke_dissector *const *one = fyke_dissectors(); *one != NULL; one++) {
		const char *folder = strstr(path, (*one)->name);
		size_t own = (*one)->state_size + ((*one)->memory_max > 0 ? (*one)->memory_max : DEFAULT) +
			     2 * ((*one)->buffer_max > 0 ? (*one)->buffer_max : DEFAULT);

		if (folder != NULL && own > most)
			most = own;
	}
	if (most == 0)
		most = 3 * DEFAULT;
	if (held > DEFAULT)
		printf("# %s: held %zu bytes at most\n", path, held);
	return report(held <= most + ON_TOP, path, "holds no more than it may");
}

static size_t step_of(size_t total)
{
	return total / POSITIONS_MAX + 1;
}

/* Datagrams are what they are: only streams can be cut anew. What one run learned the next ones recall. */
static bool run_cut(const char *path, struct talk *talk)
{
	size_t total = total_of(talk), step = step_of(total);
	struct fyke_dissect_memory memory;
	bool good = true;

	fyke_dissect_memory_init(&memory);
	talk->memory = &memory;
	for (size_t at = 0; at < total && good; at += at == 0 ? 1 : step) {
		size_t count;
		struct talk_piece *pieces = cut(talk, at, at == 0, &count);
		char *said = talk_run(talk, pieces, count, NULL);

		good = strcmp(said, talk->expectation) == 0;
		if (!good)
			printf("# cut at %zu (0 = everywhere), said:\n%s", at, said);
		free(said);
		free_pieces(pieces, count);
	}
	talk->memory = NULL;
	fyke_dissect_memory_release(&memory);
	return report(good, path, "cut anew at every byte");
}

/* Takes bytes [at, at + lost) of all away, as far as they lie in one piece; lost 0: all behind `at`. */
static struct talk_piece *lose(const struct talk *talk, size_t at, size_t lost, size_t *count)
{
	struct talk_piece *pieces = cut(talk, at, false, count);
	size_t passed = 0;

	for (size_t i = 0; i < *count; i++) {
		size_t length = pieces[i].length, gone = lost < length ? lost : length;

		if (passed >= at && lost == 0) {
			pieces[i].length = 0;
			if (talk->transport == FYKE_OVER_UDP && i > 0)
				pieces[i - 1].cut = true;
			for (size_t j = i; j < *count; j++)
				free(pieces[j].data);
			*count = i;
			return pieces;
		}
		if (passed == at && length > 0) {
			uint8_t *rest = copy_of(pieces[i].data + gone, length - gone);

			free(pieces[i].data);
			pieces[i].data = rest;
			pieces[i].length -= gone;
			pieces[i].gap += talk->transport == FYKE_OVER_TCP ? gone : 0;
			return pieces;
		}
		passed += length;
	}
	return pieces;
}

static bool run_lossy(const char *path, const struct talk *talk)
{
	size_t total = total_of(talk), step = step_of(total);

	for (size_t at = 0; at < total; at += step) {
		for (size_t lost = 0; lost <= LOST_MAX; lost += lost < 2 ? 1 : 3) {
			size_t count;
			struct talk_piece *pieces = lose(talk, at, lost, &count);

			free(talk_run(talk, pieces, count, NULL));
			free_pieces(pieces, count);
		}
	}
	return report(true, path, "bytes missing anywhere are survived");
}

/* What a dissector says it no longer needs is taken from it. */
static bool run_forgetful(const char *path, struct talk *talk)
{
	char *said;
	bool good;

	talk->forgetful = true;
	said = talk_run(talk, talk->pieces, talk->count, NULL);
	talk->forgetful = false;
	good = strcmp(said, talk->expectation) == 0;
	if (!good)
		printf("# said:\n%s", said);
	free(said);
	return report(good, path, "forgotten where it rests");
}

static bool run(const char *path)
{
	struct talk talk;
	bool good = talk_read(path, &talk);

	if (!good)
		(void)report(false, path, "read");
	else if (run_whole(path, &talk)) {
		if (talk.transport == FYKE_OVER_TCP)
			(void)run_cut(path, &talk);
		else
			(void)run_forgetful(path, &talk);
		(void)run_lossy(path, &talk);
		(void)run_budget(path, &talk);
	}
	talk_release(&talk);
	return good;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void walk(const char *directory, int depth)
{
	struct dirent **entries = NULL;
	int count = scandir(directory, &entries, NULL, by_name);

	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		const char *dot = strrchr(name, '.');
		char path[4096];

		(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
		if (dot != NULL && strcmp(dot, ".talk") == 0)
			(void)run(path);
		else if (name[0] != '.' && depth > 0)
			walk(path, depth - 1);
		free(entries[i]);
	}
	free(entries);
}

static void show(const char *path)
{
	struct talk talk;

	if (talk_read(path, &talk)) {
		size_t held = 0;
		char *said = talk_run(&talk, talk.pieces, talk.count, &held);

		for (char *line = said, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
			printf("= %.*s\n", (int)(end - line), line);
		printf("# held %zu bytes at most\n", held);
		free(said);
	}
	talk_release(&talk);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		show(argv[i]);
	if (argc == 1)
		walk("tests/talks", 1);
	return 0;
}
