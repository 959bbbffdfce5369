/*
 * Where finished facts go: one hand-over a tick, nothing per packet.
 *
 * A tick is 4096 frames of the capture (live: or a span of packet time). Its sessions are sorted by
 * (deciding frame, birth), so that the same capture gives the same order, whatever the threads did.
 */
#ifndef FYKE_SESSION_SINK_H
#define FYKE_SESSION_SINK_H

#include "analyzer/base/arena.h"
#include "analyzer/base/status.h"
#include "analyzer/session/neighbour.h"
#include "analyzer/session/session.h"

/* Packets and bytes of one service in one second of packet time. */
struct fyke_timeline_entry {
	int64_t second;	     /* since the epoch */
	const char *service; /* static or in the arena; NULL = none known */
	uint64_t packets, bytes;
};

/* Every 256th frame: where its record stands in which file. */
struct fyke_frame_index_entry {
	uint32_t file; /* index into the source's files */
	uint64_t frame, file_offset;
};

/* What the capture says about a frame, in words. */
struct fyke_tick_comment {
	uint64_t frame;
	uint32_t file;	  /* index into the source's files */
	const char *text; /* untrusted, in the arena */
	size_t length;
};

/* What a packet says that an address is called. */
struct fyke_tick_name {
	struct fyke_address ip;
	uint64_t frame;
	const char *name; /* untrusted, in the arena */
	size_t length;
	struct fyke_tick_name *next;
};

/* A tick with many comments may be handed over in parts: those before its last have neither sessions
 * nor a timeline. */
struct fyke_tick {
	uint64_t number;
	int64_t time_ns;		/* packet time of its first frame */
	struct fyke_session **sessions; /* in the order in which they are to be written */
	size_t session_count;
	struct fyke_timeline_entry *timeline;
	size_t timeline_count;
	struct fyke_frame_index_entry *frame_index;
	size_t frame_index_count;
	struct fyke_tick_comment *comments; /* ascending frames */
	size_t comment_count;
	struct fyke_neighbour *neighbours;
	size_t neighbour_count;
	struct fyke_tick_name *names; /* ascending frames; sessions have been named by them */
	bool flush;		      /* the user waits for these: make them visible now */
	struct fyke_arena arena;      /* owns all of the above */
};

struct fyke_tick *fyke_tick_new(void); /* NULL when memory is out */
void fyke_tick_free(struct fyke_tick *tick);

/* A sink takes ticks in order, from one thread. After a failure every later call fails likewise. */
struct fyke_sink {
	void *context;
	/* The tick is transferred, also when the call fails. May block while the sink is behind. */
	enum fyke_status (*take)(void *context, struct fyke_tick *tick, struct fyke_error *error);
};

#endif
