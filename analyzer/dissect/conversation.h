/*
 * What one session says: its streams or datagrams in, records and facts out.
 *
 *   chunks ─▶ opening (kept while it is not decided who speaks) ─▶ probes ─▶ dissector ─▶ sink
 *
 * At first the opening bytes of both sides are kept, and the dissectors that their first bytes or the port
 * suggest are probed. The one that says YES is fed the opening again; when it says NOT_MINE before it was
 * confirmed, the others get their turn. A conversation that is over needs no more bytes: its
 * stream need not be put together any longer.
 */
#ifndef FYKE_DISSECT_CONVERSATION_H
#define FYKE_DISSECT_CONVERSATION_H

#include "analyzer/base/address.h"
#include "analyzer/base/blocks.h"
#include "analyzer/base/spares.h"
#include "analyzer/dissect/file_store.h"
#include "analyzer/dissect/lookup.h"
#include "dissectors/dissector.h"

/* Where facts go. Called within the calls below; all that is pointed to is borrowed until the return. */
struct fyke_dissect_sink {
	/* A row of a dissector's table or of one of the session level's (session.h). False: memory is out. */
	bool (*record)(void *context, const struct fyke_table *table, const struct fyke_moment *moment,
		const struct fyke_value *values);
	void (*expect)(void *context, const struct fyke_expectation *expectation);
	/* An address has this name, by an answer of the DNS (for sessions.server_name). */
	void (*resolved)(void *context, const struct fyke_address *ip, const char *name, size_t length);
};

struct fyke_recalled;

enum { FYKE_RECALLED = 128 }; /* results that wait for their like */

/* What conversations leave behind for the next ones. One thread's. */
struct fyke_dissect_memory {
	struct fyke_spares dissections, files;
	struct fyke_blocks blocks; /* whatever else they take */
	struct fyke_recalled *recalled[FYKE_RECALLED];
};

void fyke_dissect_memory_init(struct fyke_dissect_memory *memory);
/* All conversations must have been freed. */
void fyke_dissect_memory_release(struct fyke_dissect_memory *memory);

struct fyke_conversation_options {
	const struct fyke_dissect_lookup *lookup; /* borrowed for the conversation's life, like the others */
	struct fyke_dissect_memory *memory;
	const struct fyke_dissect_sink *sink;
	const struct fyke_file_store *store; /* NULL: files are not saved */
	void *context;			     /* of the sink */
	bool stores_secrets;
	bool no_file_hashes;
	unsigned transport; /* one of enum fyke_transport */
	bool roles_guessed; /* the sides may be the other way round */
	struct fyke_address ip[2];
	uint16_t port[2]; /* by enum fyke_side */
	/* It was expected: by whom, with which note (copied). NULL: not. */
	const struct fyke_dissector *expected;
	const char *resumes; /* `expected` rested (fyke_conversation_resting) and goes on: what the
			      * conversation's service was; NULL: it begins */
	struct fyke_value expected_by;
	const void *note;
	size_t note_length;
};

struct fyke_conversation_piece {
	enum fyke_side side;
	const uint8_t *data;
	size_t length;
	uint64_t offset; /* of data in its stream */
	uint64_t gap;	 /* bytes missing just before it */
	uint64_t frame;
	int64_t time_ns;
	bool end; /* nothing comes behind it on this side */
	bool cut; /* a datagram that was longer */
};

/* NULL when memory is out. */
struct fyke_dissection *fyke_conversation_new(const struct fyke_conversation_options *options);

/* TCP: the next chunk of a side. UDP: a datagram. Nothing happens when it is over. */
void fyke_conversation_take(struct fyke_dissection *dissection, const struct fyke_conversation_piece *piece);

/* The dissector, while nothing that it remembers is needed any more: the conversation may be freed, and a new
 * one that resumes it begun when more comes. NULL: not so. */
const struct fyke_dissector *fyke_conversation_resting(const struct fyke_dissection *dissection);

/* No more bytes are wanted. */
bool fyke_conversation_is_over(const struct fyke_dissection *dissection);

/* Nothing more will come: what is still to be said is said. */
void fyke_conversation_end(struct fyke_dissection *dissection);
void fyke_conversation_free(struct fyke_dissection *dissection); /* says nothing; NULL is allowed */

/* What it was found to be: a dissector's word, static; NULL = not known. */
const char *fyke_conversation_service(const struct fyke_dissection *dissection);
/* Whether that fits the server's port: its name by the registry, or a port of the dissector's. */
bool fyke_conversation_fits_port(const struct fyke_dissection *dissection, const char *port_service);
/* NULL = not told; not terminated. */
const char *fyke_conversation_server_name(const struct fyke_dissection *dissection, size_t *length);

/* Bytes that it holds. */
size_t fyke_conversation_held(const struct fyke_dissection *dissection);

#endif
