/*
 * What a protocol's dissector is. A new protocol is one .c file with one `const struct fyke_dissector`
 * and one line in list.def: its tables become SQLite tables, JSON keys and pages of the docs.
 *
 * A conversation (analyzer/dissect/) drives it. It probes the first bytes of both sides; the dissector that
 * takes them is then fed both streams in order, or every datagram, until it is DONE.
 *
 * - One dissector value serves all sessions: it is const, and all it remembers lies in its state
 *   (`state_size` bytes, zeroed, from fyke_state) and in what it keeps (keep.h).
 * - `feed` sees one side's bytes from the first one that it has not consumed, contiguously. What it does
 *   not consume it sees again, with more behind it. It may consume more than there is: the rest is skipped
 *   as it comes, and gaps within it are nothing.
 * - Traffic is never an error. Bytes that cannot be this protocol's are NOT_MINE; those of a protocol that
 *   has gone astray are skipped, or end it with DONE.
 * - Bytes are read through the cursor (analyzer/base/cursor.h); no allocation but by keep.h.
 */
#ifndef FYKE_DISSECTORS_DISSECTOR_H
#define FYKE_DISSECTORS_DISSECTOR_H

#include "analyzer/base/cursor.h"
#include "analyzer/base/field.h"
#include "analyzer/base/side.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fyke_dissection; /* one session as its dissector sees it */

enum fyke_transport { FYKE_OVER_TCP = 1, FYKE_OVER_UDP = 2 }; /* masks of them are `unsigned` */

enum fyke_match {
	FYKE_NO,     /* never, whatever comes */
	FYKE_MAYBE,  /* nothing speaks against it: counts on the protocol's own ports, when no other says YES
		      */
	FYKE_LIKELY, /* likewise, but there is no better to come: taken at once on the protocol's own ports,
			when no other says YES */
	FYKE_YES,    /* random bytes would hardly look so (as a rule 24 bits of evidence or more) */
};

/* The first bytes of a session, as far as they have come. */
struct fyke_opening {
	struct {
		const uint8_t *data; /* borrowed for the call; never NULL */
		size_t length;	     /* 0 = nothing yet */
	} side[2];		     /* by enum fyke_side; of datagrams: the latest one of each side */
	enum fyke_transport transport;
	uint16_t port[2]; /* by enum fyke_side */
	bool on_port;	  /* the server's port is one of the dissector's */
	bool complete;	  /* no more will come before it is decided */
};

struct fyke_input {
	enum fyke_side side;
	const uint8_t *data; /* borrowed for the call; never NULL */
	size_t length;
	uint64_t offset; /* of data in its stream; 0 for datagrams */
	uint64_t frame;	 /* that brought the latest of these bytes */
	int64_t time_ns;
	bool end;  /* nothing comes behind data on this side; told once */
	bool full; /* no room to wait for more: what is not consumed now is passed over */
	bool cut;  /* a datagram whose end was not captured */
};

struct fyke_verdict {
	enum {
		FYKE_MORE,     /* go on */
		FYKE_RESTS,    /* of datagrams: go on, but nothing that is remembered is needed any more. All
				  state    may be gone at the next datagram: what is open takes no memory */
		FYKE_DONE,     /* all said: the session costs nothing from here on */
		FYKE_NOT_MINE, /* these are another protocol's bytes. Before fyke_confirm the opening is
				  probed again without this dissector; after it this is the end */
		FYKE_BECOMES,  /* what follows on both sides is another protocol: `next`, or whatever the
				  probes  say when that is NULL (STARTTLS, CONNECT, Upgrade) */
	} kind;
	uint64_t consumed;
	size_t needed;	  /* not worth a call before so many bytes have come (0: any more) */
	const char *next; /* a dissector's name; static */
	bool waits;	  /* of streams: these bytes again when the other side has been heard, not before */
};

/* The first bytes that one side's stream has; only for probing. The byte at the front picks the dissectors
 * whose probes run at all: one without signatures is probed on its own ports only, unless `anywhere`. */
struct fyke_signature {
	unsigned sides; /* 1 << enum fyke_side, or both */
	const char *bytes;
	size_t length;
};

#define FYKE_CLIENT_SAYS(text)                                                                               \
	{                                                                                                    \
		1U << FYKE_CLIENT, text, sizeof(text) - 1                                                    \
	}
#define FYKE_SERVER_SAYS(text)                                                                               \
	{                                                                                                    \
		1U << FYKE_SERVER, text, sizeof(text) - 1                                                    \
	}
#define FYKE_EITHER_SAYS(text)                                                                               \
	{                                                                                                    \
		1U << FYKE_CLIENT | 1U << FYKE_SERVER, text, sizeof(text) - 1                                \
	}

struct fyke_dissector {
	const char *name;  /* what sessions.content_service says: lower case, the field's own word */
	const char *title; /* the protocol's full name, with the RFC or standard */
	const char *doc;   /* what is told, what is left out, limits: sentences for the docs */
	unsigned transports;
	const uint16_t *ports; /* of its servers, ends with 0; NULL = none */
	const char *const
		*services; /* IANA's names that its content fits, ends with NULL; NULL = `name` alone */
	const struct fyke_signature *signatures;
	size_t signature_count;
	bool anywhere; /* probed on every port though it has no signatures: must be quick */
	const struct fyke_table *const *tables; /* ends with NULL; NULL = none */
	size_t state_size;
	size_t buffer_max; /* bytes of one side that may wait to be consumed; 0 = 16 KiB */
	size_t memory_max; /* bytes that keep.h gives out; 0 = 16 KiB */

	/* NULL: it is only reached by FYKE_BECOMES or fyke_expect. */
	enum fyke_match (*probe)(const struct fyke_opening *opening);
	struct fyke_verdict (*feed)(struct fyke_dissection *dissection, const struct fyke_input *input);
	/* `lost` bytes of `side`, from the first not consumed on, will never be seen; input->data is empty.
	 * NULL: a gap is DONE. */
	struct fyke_verdict (*gap)(
		struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost);
	/* Nothing more will come, for whatever reason: say what is still to be said. NULL = nothing. */
	void (*end)(struct fyke_dissection *dissection);
};

void *fyke_state(const struct fyke_dissection *dissection);

static inline struct fyke_verdict fyke_more(uint64_t consumed)
{
	return (struct fyke_verdict){.kind = FYKE_MORE, .consumed = consumed};
}

static inline struct fyke_verdict fyke_need(uint64_t consumed, size_t needed)
{
	return (struct fyke_verdict){.kind = FYKE_MORE, .consumed = consumed, .needed = needed};
}

static inline struct fyke_verdict fyke_wait(uint64_t consumed)
{
	return (struct fyke_verdict){.kind = FYKE_MORE, .consumed = consumed, .waits = true};
}

static inline struct fyke_verdict fyke_rest(void)
{
	return (struct fyke_verdict){.kind = FYKE_RESTS};
}

static inline struct fyke_verdict fyke_done(void)
{
	return (struct fyke_verdict){.kind = FYKE_DONE};
}

static inline struct fyke_verdict fyke_not_mine(void)
{
	return (struct fyke_verdict){.kind = FYKE_NOT_MINE};
}

static inline struct fyke_verdict fyke_becomes(uint64_t consumed, const char *next)
{
	return (struct fyke_verdict){.kind = FYKE_BECOMES, .consumed = consumed, .next = next};
}

/* A `gap` for protocols whose segments mostly begin with a message: goes on with the next one, and leaves it
 * to feed to see whether it is one. */
struct fyke_verdict fyke_gap_resume(
	struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost);

#include "dissectors/facts.h"
#include "dissectors/keep.h"

#endif
