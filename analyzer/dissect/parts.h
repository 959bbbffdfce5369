/* One conversation, shared by the files of this folder. Private to them. */
#ifndef FYKE_DISSECT_PARTS_H
#define FYKE_DISSECT_PARTS_H

#include "analyzer/dissect/conversation.h"
#include "analyzer/dissect/opening.h"

enum {
	FYKE_DISSECT_BUFFER = 16 * 1024, /* of one side, that wait to be consumed */
	FYKE_DISSECT_MEMORY = 16 * 1024, /* that a dissector keeps */
	FYKE_DISSECT_FILES = 16,	 /* open at once */
};

/* Memory given out: keep.h. */
struct fyke_kept {
	struct fyke_kept *previous, *next;
	size_t size;
	max_align_t memory[];
};

struct fyke_waiting_bytes {
	uint8_t *bytes; /* not consumed yet */
	size_t length, room;
	uint64_t offset; /* in the stream, of bytes[0], or of the next byte to come */
	uint64_t skip;	 /* of the bytes to come, not wanted */
	size_t needed;	 /* no call before so many wait */
	bool ended;
	bool waits; /* for the other side */
};

struct fyke_dissection {
	struct fyke_conversation_options options;
	uint8_t *note;				/* options.note, owned */
	const struct fyke_dissector *dissector; /* the running one; NULL while it is not decided */
	const struct fyke_dissector *carrier;	/* that it took over from */
	struct fyke_dissector_set ruled_out;
	struct fyke_opening_kept opening;
	struct fyke_waiting_bytes side[2]; /* by enum fyke_side, as the dissector sees them */
	void *state;
	struct fyke_kept *kept;
	size_t kept_bytes;
	const struct fyke_dissector *content; /* what was confirmed first */
	const char *content_service;
	char *server_name;
	uint32_t server_name_length;
	struct fyke_moment now;
	struct fyke_file *files; /* open ones */
	unsigned file_count;
	unsigned turns;	    /* into another protocol, so far */
	unsigned strikes;   /* datagrams in a row that were not its */
	bool keeps_opening; /* it is needed as yet */
	bool nobody;	    /* whoever was asked last said NO */
	bool swapped;	    /* client and server are the other way round than the session says */
	bool confirmed;	    /* the running dissector's */
	bool resting;	    /* nothing that it remembers is needed any more */
	bool over, memory_out;
};

/* Dissectors are never given NULL, which no offset may be added to: no bytes are the end of some. */
static inline const uint8_t *fyke_dissect_bytes(const uint8_t *data, size_t length)
{
	static const uint8_t none[1];

	return length > 0 ? data : none + 1;
}

static inline struct fyke_blocks *fyke_dissect_blocks(struct fyke_dissection *dissection)
{
	return &dissection->options.memory->blocks;
}

/* The side that the dissector sees. */
static inline enum fyke_side fyke_dissect_side(const struct fyke_dissection *dissection, enum fyke_side side)
{
	return dissection->swapped ? fyke_side_other(side) : side;
}

/* probe.c: decides who speaks, as far as the opening tells. True: dissection->dissector is set. False and
 * dissection->over: nobody that is known. `outside` is the latest piece where it does not lie in the opening,
 * else NULL; `complete`: there will be no more. */
bool fyke_dissect_decide(
	struct fyke_dissection *dissection, const struct fyke_conversation_piece *outside, bool complete);

/* run.c: the running dissector. */
bool fyke_dissect_start(struct fyke_dissection *dissection); /* false: memory is out */
void fyke_dissect_stop(struct fyke_dissection *dissection);  /* says what is to be said, forgets its memory */
void fyke_dissect_discard(struct fyke_dissection *dissection); /* the same without a word */
void fyke_dissect_drop_waiting(struct fyke_dissection *dissection, struct fyke_waiting_bytes *waiting);
enum fyke_dissect_outcome {
	FYKE_DISSECT_ON,
	FYKE_DISSECT_OVER,
	FYKE_DISSECT_REFUSED, /* NOT_MINE */
	FYKE_DISSECT_RESTED,  /* RESTS */
	FYKE_DISSECT_TURNED,  /* BECOMES: `next` is filled in */
};
enum fyke_dissect_outcome fyke_dissect_feed(
	struct fyke_dissection *dissection, const struct fyke_conversation_piece *piece, const char **next);

/* keep.c */
void fyke_dissect_forget(struct fyke_dissection *dissection);
size_t fyke_dissect_memory_left(const struct fyke_dissection *dissection); /* for the dissector to take */

/* recall.c */
void fyke_dissect_forget_all(struct fyke_dissect_memory *memory);

/* files.c: ends all open ones, with or without a word. */
void fyke_dissect_end_files(struct fyke_dissection *dissection);
void fyke_dissect_keep_files(struct fyke_dissect_memory *memory);
void fyke_dissect_drop_files(struct fyke_dissection *dissection);
size_t fyke_dissect_files_held(const struct fyke_dissection *dissection);

/* Hands a record on; notes when memory is out. */
void fyke_dissect_record(struct fyke_dissection *dissection, const struct fyke_table *table,
	const struct fyke_moment *moment, const struct fyke_value *values);

#endif
