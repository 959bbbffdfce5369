/* The stream command's own parts: a session's packets put in order, and the forms in which bytes go out.
 * Of cli/stream*.c alone. */
#ifndef FYKE_CLI_STREAM_H
#define FYKE_CLI_STREAM_H

#include "analyzer/session/state.h"
#include "analyzer/tcp/stream.h"
#include "cli/recall.h"
#include "reports/screen.h"

#include <stdio.h>

struct sqlite3;

struct fyke_stream_session {
	int64_t id, first_frame, start_us, bad_checksums;
	bool is_tcp;	/* else UDP: each datagram is a chunk */
	bool midstream; /* the SYN of one side or both was not seen */
	uint8_t protocol, layer;
	struct fyke_address address[2]; /* by enum fyke_side, like the next */
	uint16_t port[2];
	char name[2][FYKE_ADDRESS_TEXT + 8]; /* "10.0.0.1:80", "[2001:db8::1]:80" */
	char service[64];		     /* untrusted; "" = not known */
};

/* FYKE_FAILED_USAGE: no such session. FYKE_FAILED_FORMAT: it is neither TCP nor UDP, or what stands in the
 * database cannot be. */
FYKE_MUST_USE enum fyke_status fyke_stream_session_load(
	struct sqlite3 *db, int64_t id, struct fyke_stream_session *session, struct fyke_error *error);

/* What a session's replay tells; sides are roles here. */
struct fyke_stream_listener {
	void (*chunk)(void *context, enum fyke_side side, const struct fyke_chunk *chunk);
	void (*conflict)(void *context, enum fyke_side side, const struct fyke_conflict *conflict);
	void (*urgent)(void *context, enum fyke_side side, const struct fyke_urgent *urgent);
	void *context;
};

struct fyke_stream_totals {
	struct fyke_reassembly_counters side[2]; /* by enum fyke_side */
	uint64_t left_out;			 /* payload bytes that never were the stream's */
	uint64_t packets;			 /* of the session, found in its frames */
};

/* Reads the session's frames again and tells its streams. `recall` is empty; it is left empty. */
FYKE_MUST_USE enum fyke_status fyke_stream_replay(struct fyke_recall *recall,
	const struct fyke_stream_session *session, enum fyke_policy policy,
	const struct fyke_stream_listener *listener, struct fyke_stream_totals *totals,
	struct fyke_error *error);

enum fyke_stream_form { FYKE_STREAM_RAW, FYKE_STREAM_HEX, FYKE_STREAM_TEXT, FYKE_STREAM_JSON };

enum { FYKE_STREAM_LINE = 512 }; /* bytes of untrusted text on one line at most */

/* One session on its way out. */
struct fyke_stream_writer {
	FILE *out;
	enum fyke_stream_form form;
	bool wanted[2]; /* by enum fyke_side */
	enum fyke_policy policy;
	const struct fyke_stream_session *session;
	struct fyke_screen screen;
	bool begun;
	/* text */
	int speaker; /* enum fyke_side of the last chunk, -1 = none */
	int64_t spoke_ns;
	bool new_line; /* the next byte begins a line */
	char line[FYKE_STREAM_LINE];
	size_t line_length;
	/* JSON */
	bool any; /* an event was written */
	bool out_of_memory;
};

struct fyke_stream_listener fyke_stream_write_listener(struct fyke_stream_writer *writer);
void fyke_stream_write_end(struct fyke_stream_writer *writer, const struct fyke_stream_totals *totals);

/* stream_json.c and stream_text.c: what the forms do with each event. */
extern const struct fyke_stream_listener fyke_stream_text, fyke_stream_json;
void fyke_stream_text_begin(struct fyke_stream_writer *writer);
void fyke_stream_text_end(struct fyke_stream_writer *writer, const struct fyke_stream_totals *totals);
void fyke_stream_json_begin(struct fyke_stream_writer *writer);
void fyke_stream_json_end(struct fyke_stream_writer *writer, const struct fyke_stream_totals *totals);

/* What the user asked for. */
struct fyke_stream_request {
	const char *database, *directory;
	char *filter; /* owned: the words joined */
	enum fyke_stream_form form;
	enum fyke_policy policy;
	bool wanted[2];
	bool all, force;
};

/* --all: one file a side into the directory, and an index. */
FYKE_MUST_USE enum fyke_status fyke_stream_all(
	struct sqlite3 *db, const struct fyke_stream_request *request, struct fyke_error *error);

#endif
