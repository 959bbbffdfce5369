/* The inside of a crew of several. Private to crew*.c. */
#ifndef FYKE_ANALYZER_CREW_PARTS_H
#define FYKE_ANALYZER_CREW_PARTS_H

#include "analyzer/crew.h"
#include "analyzer/share.h"

#include <pthread.h>

enum {
	FYKE_CHUNKS = 16, /* on their way at once */
	FYKE_CHUNK_PACKETS = 1024,
	FYKE_CHUNK_ROOM = FYKE_CHUNK_PACKETS + FYKE_FRONT_FRAME_PACKETS,
	FYKE_PENDING_MAX = 16, /* ticks likewise */
	FYKE_ORDERS_MAX = FYKE_CHUNKS + FYKE_PENDING_MAX,
};

/* Packets for all engines; each has the places of its own. */
struct fyke_chunk {
	struct fyke_packet packets[FYKE_CHUNK_ROOM];
	int64_t clock_ns[FYKE_CHUNK_ROOM];
	uint8_t engine[FYKE_CHUNK_ROOM];
	uint16_t own[FYKE_CREW_MAX][FYKE_CHUNK_ROOM];
	size_t own_count[FYKE_CREW_MAX];
	uint64_t block;		 /* that holds their bytes */
	unsigned users;		 /* workers that have not done with it: under the crew's lock */
	struct fyke_arena arena; /* what they point to beside the block */
};

/* What a worker is asked for besides: its part of a tick. */
struct fyke_request {
	bool is_end; /* a part of the end, not a tick */
	enum fyke_tick_kind kind;
	int64_t time_ns;
	uint64_t frame;		/* of the latest packet of all */
	int64_t clock_ns;	/* likewise */
	size_t limit;		/* of an end's part */
	struct fyke_tick *part; /* made by the reader, filled by the worker */
	bool done;		/* under the crew's lock */
	bool more;		/* of an end */
};

/* One of the two. */
struct fyke_order {
	struct fyke_chunk *chunk;
	struct fyke_request *request;
};

struct fyke_worker {
	struct fyke_crew *crew;
	unsigned number;
	struct fyke_engine *engine;
	pthread_t thread;
	bool runs;

	/* under the crew's lock */
	pthread_cond_t work;
	struct fyke_order queue[FYKE_ORDERS_MAX]; /* the one in work stays at the front */
	size_t first, count;
	struct fyke_engine_counters counters;
};

/* A tick that waits for its parts. */
struct fyke_pending {
	struct fyke_tick *tick;
	bool has_parts;
	struct fyke_request requests[FYKE_CREW_MAX];
};

struct fyke_crew {
	struct fyke_crew_options options;
	unsigned count;
	struct fyke_worker workers[FYKE_CREW_MAX];
	struct fyke_share share;

	/* of several */
	pthread_mutex_t lock;
	pthread_cond_t news; /* somebody has done something */
	bool closing;
	struct fyke_error failure; /* the first of a worker's; under the lock */
	struct fyke_chunk *chunks, *filling;
	uint64_t frame; /* of the latest packet handed on */
	int64_t clock_ns;
	struct fyke_pending pending[FYKE_PENDING_MAX];
	size_t first_pending, pending_count;
};

/* crew_worker.c */
FYKE_MUST_USE bool fyke_crew_start(struct fyke_crew *crew);
void fyke_crew_stop(struct fyke_crew *crew);
/* The lock is held in these. */
void fyke_crew_order(struct fyke_worker *worker, struct fyke_order order);
void fyke_crew_rest(struct fyke_crew *crew); /* waits until all queues are empty */

/* crew_end.c: of several */
FYKE_MUST_USE enum fyke_status fyke_crew_end_all(struct fyke_crew *crew, size_t limit,
	struct fyke_tick *(*make)(void *context), struct fyke_error *error);

/* crew.c: a request with a part to fill; NULL when memory is out. */
FYKE_MUST_USE bool fyke_crew_ask(
	struct fyke_crew *crew, unsigned worker, struct fyke_request *request, struct fyke_request filled);
enum fyke_status fyke_crew_out_of_memory(struct fyke_error *error);

#endif
