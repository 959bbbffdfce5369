/*
 * Conversations written down as text: what both sides say, and what fyke is to say of it
 * (docs/testing.md, "Talks").
 */
#ifndef FYKE_TESTS_TALK_H
#define FYKE_TESTS_TALK_H

#include "analyzer/dissect/conversation.h"

enum { TALK_PIECES = 512 };

struct talk_piece {
	enum fyke_side side;
	uint8_t *data; /* a buffer of exactly its size */
	size_t length;
	uint64_t gap;	/* before it */
	uint64_t frame; /* that brings it, from 1; pieces of one that was cut anew have the same */
	bool end, cut;
};

struct talk {
	unsigned transport;
	uint16_t port[2];
	bool guessed, secrets;
	bool frames;	      /* each piece has a number of its own; else all come in frame 1 */
	bool forgetful;	      /* what rests is forgotten, and resumed with the next piece */
	char expected_by[64]; /* dissector that is expected; "" = none */
	uint8_t note[FYKE_EXPECT_NOTE_MAX];
	size_t note_length;
	struct talk_piece pieces[TALK_PIECES];
	size_t count;
	struct fyke_dissect_memory *memory; /* that other talks use too; NULL: one of its own */
	char *expectation;		    /* the lines behind "= ", each with a newline */
};

/* False: the file cannot be read or has a mistake, told on stdout. Release in either case. */
bool talk_read(const char *path, struct talk *talk);
void talk_release(struct talk *talk);

/* Runs pieces of a talk through a conversation; what it says, as the lines of an expectation. The
 * caller frees it. `*held_most`: the most bytes that the conversation held; may be NULL. */
char *talk_run(const struct talk *talk, const struct talk_piece *pieces, size_t count, size_t *held_most);

const struct fyke_dissect_lookup *talk_lookup(void);

#endif
