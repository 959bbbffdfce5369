/*
 * HTTP/1 as it is read: the queue of exchanges and both directions' lanes. Shared by dissectors/http.c and
 * the files http1_*.c only.
 */
#ifndef FYKE_DISSECTORS_SHARED_HTTP1_H
#define FYKE_DISSECTORS_SHARED_HTTP1_H

#include "dissectors/shared/http_exchange.h"

#define FYKE_HTTP1_WAIT SIZE_MAX /* instead of how many bytes were taken: more must come */

struct fyke_http1_lane {
	enum fyke_http1_phase {
		FYKE_HTTP1_START, /* a message, or nothing more, begins here */
		FYKE_HTTP1_HEAD,
		FYKE_HTTP1_BODY, /* `left` bytes */
		FYKE_HTTP1_CHUNK_SIZE,
		FYKE_HTTP1_CHUNK,     /* `left` bytes */
		FYKE_HTTP1_CHUNK_END, /* its line end */
		FYKE_HTTP1_TRAILER,
		FYKE_HTTP1_REST, /* a body that lasts until the side ends */
		FYKE_HTTP1_HELD, /* behind a request whose answer may change the protocol */
		FYKE_HTTP1_LOST, /* the next start is looked for */
	} phase;
	bool torn;	/* bytes within this head are missing */
	bool skip_line; /* up to the next line end */
	uint16_t lines;
	uint64_t left;
	struct fyke_http_exchange *exchange; /* whose message is on its way */
};

struct fyke_http1_state {
	struct fyke_http_common common;
	struct fyke_http_exchange *first, **end; /* oldest first; *end is NULL */
	unsigned queued, owed;		    /* owed: responses to requests that did not fit into the queue */
	struct fyke_http_exchange *turning; /* its answer may change the protocol */
	struct fyke_http1_lane lane[2];	    /* by enum fyke_side */
	uint64_t lost;			    /* bytes passed over before anything was found */
	bool unsure;			    /* responses may have been lost */
	bool found, over;
	bool becomes;
	const char *next;
};

/* What is being read. */
struct fyke_http1_reader {
	struct fyke_dissection *dissection;
	struct fyke_http1_state *state;
	struct fyke_http1_lane *lane;
	enum fyke_side side;
	bool full, end;
	const uint8_t *bytes;
	size_t length;
};

extern const struct fyke_table fyke_http1_websocket_table;

/* ---- http1_queue.c ---- */

static inline bool fyke_http1_waits(const struct fyke_http_exchange *exchange)
{
	return !exchange->message[FYKE_SERVER].closed;
}

/* Takes the exchange at `place` out of the queue and makes its row. */
void fyke_http1_tell(struct fyke_http1_state *state, struct fyke_http_exchange **place);
/* A new one, the latest; NULL when memory is used up. */
struct fyke_http_exchange *fyke_http1_add(struct fyke_dissection *dissection, struct fyke_http1_state *state);
/* The request that a response answers; one without a request where none waits. */
struct fyke_http_exchange *fyke_http1_answered(
	struct fyke_dissection *dissection, struct fyke_http1_state *state);

void fyke_http1_begin_message(struct fyke_http1_reader *reader, struct fyke_http_exchange *exchange);
/* The message on this lane is over; `next`: what comes behind it. */
void fyke_http1_end_message(struct fyke_http1_reader *reader, bool complete, enum fyke_http1_phase next);
/* Where the next message begins must be looked for. */
void fyke_http1_lose_track(struct fyke_http1_reader *reader);

/* ---- http1_head.c; these give how many bytes were taken ---- */

/* A line that is longer than may wait counts as far as it is there. False: its end has not come. */
bool fyke_http1_take_line(struct fyke_http1_reader *reader, struct fyke_http_slice *line, size_t *taken);
size_t fyke_http1_start(struct fyke_http1_reader *reader);
size_t fyke_http1_take_head(struct fyke_http1_reader *reader);

/* ---- http1_body.c ---- */

/* Behind a head: what its body is. `may_last`: it may go on until the side ends. */
void fyke_http1_begin_body(struct fyke_http1_reader *reader, bool may_last);
size_t fyke_http1_take_body(struct fyke_http1_reader *reader);
size_t fyke_http1_take_chunk_size(struct fyke_http1_reader *reader);
size_t fyke_http1_take_chunk_end(struct fyke_http1_reader *reader);
size_t fyke_http1_take_trailer(struct fyke_http1_reader *reader);
/* `lost` bytes within a body are missing. */
void fyke_http1_miss_body(struct fyke_http1_reader *reader, uint64_t lost);

#endif
