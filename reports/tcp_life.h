/*
 * One TCP session's life, for people who ask why it was slow: what the database knows of it, a sketch
 * of time and sequence, and each event in words. Docs: docs/tcp.md.
 */
#ifndef FYKE_REPORTS_TCP_LIFE_H
#define FYKE_REPORTS_TCP_LIFE_H

#include "analyzer/base/status.h"
#include "reports/screen.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct sqlite3;

enum { FYKE_TCP_LIFE_CLIENT = 0, FYKE_TCP_LIFE_SERVER = 1 };

/* Columns of `tcp` that each side has. INT64_MIN = not known (FYKE_UNKNOWN). */
/* clang-format off */
#define FYKE_TCP_LIFE_COLUMNS(X) \
	X(isn) X(mss) X(window_scale) X(sack_permitted) X(timestamps) X(stream_bytes) X(missing_bytes) X(gaps) \
	X(retransmitted_segments) X(retransmitted_bytes) X(timeout_retransmissions) X(fast_retransmissions) \
	X(sack_retransmissions) X(tail_probe_retransmissions) X(other_retransmissions) \
	X(spurious_retransmissions) X(syn_retransmissions) X(fin_retransmissions) X(reordered_segments) \
	X(duplicate_acks) X(capture_duplicates) X(keep_alives) X(zero_windows) X(window_probes) \
	X(window_fulls) X(window_updates) X(outside_window_segments) X(reordering_extent) \
	X(reordering_late_us) X(conflicting_bytes) X(unacknowledged_bytes) X(rtt_samples) X(rtt_min_us) \
	X(rtt_mean_us) X(rtt_max_us)
/* clang-format on */

struct fyke_tcp_life_side {
	char *ip; /* untrusted, like all texts here */
	int64_t port, packets, payload_bytes;
#define X(name) int64_t name;
	FYKE_TCP_LIFE_COLUMNS(X)
#undef X
};

enum fyke_tcp_lost { FYKE_TCP_LOST_UNKNOWN, FYKE_TCP_LOST_BEYOND, FYKE_TCP_LOST_BEFORE };

struct fyke_tcp_life_event {
	int64_t frame, time_us, offset, length;
	int side; /* who sent it */
	char *kind, *evidence;
	/* read from the evidence; -1 = it does not say */
	int64_t original, duplicate_acks, sacked, waited_us, timer_us;
	enum fyke_tcp_lost lost;
	bool spurious;
};

#define FYKE_TCP_LIFE_UNKNOWN INT64_MIN /* where the database has NULL */

enum { FYKE_TCP_LIFE_PARTS = 7 };

/* The parts' names in JSON and in words. */
extern const char *const fyke_tcp_life_part_names[FYKE_TCP_LIFE_PARTS];
extern const char *const fyke_tcp_life_part_words[FYKE_TCP_LIFE_PARTS];

struct fyke_tcp_life {
	int64_t id, start_us, end_us, first_frame, layer, bytes;
	char *service, *server_name, *state, *history, *end_reason, *capture;
	bool roles_guessed, has_tcp; /* without `tcp`: a lone SYN, or one that was refused */
	int64_t handshake_us, handshake_server_us, handshake_client_us;
	int64_t spent_us[FYKE_TCP_LIFE_PARTS]; /* where the duration went, in the order of the columns of
						  `tcp` */
	struct fyke_tcp_life_side side[2];
	struct fyke_tcp_life_event *events; /* in order */
	size_t event_count;
};

/* FYKE_FAILED_USAGE: no such session, or it is no TCP. */
FYKE_MUST_USE enum fyke_status fyke_tcp_life_load(
	struct sqlite3 *db, int64_t session_id, struct fyke_tcp_life **life, struct fyke_error *error);
void fyke_tcp_life_free(struct fyke_tcp_life *life); /* NULL is allowed */

/* The side that sent more bytes of stream. */
int fyke_tcp_life_main_side(const struct fyke_tcp_life *life);

/* A plane of time and stream offset for one side's segments. */
struct fyke_tcp_sketch;

struct fyke_tcp_sketch *fyke_tcp_sketch_new(
	const struct fyke_tcp_life *life, int side, unsigned width, unsigned height); /* NULL: no memory */
void fyke_tcp_sketch_free(struct fyke_tcp_sketch *sketch);
int fyke_tcp_sketch_side(const struct fyke_tcp_sketch *sketch);
/* A segment of that side as captured. */
void fyke_tcp_sketch_point(
	struct fyke_tcp_sketch *sketch, int64_t frame, int64_t time_us, int64_t offset, int64_t length);
/* Events, axes and a legend of the letters in it. */
void fyke_tcp_sketch_write(struct fyke_tcp_sketch *sketch, const struct fyke_screen *screen, FILE *out);

/* The letter of a kind of event in the sketch, ' ' for kinds it does not know. */
char fyke_tcp_word_letter(const char *kind);
/* What it is called ("fast retransmission"); the kind itself where it is not known. */
const char *fyke_tcp_word_name(const char *kind);
/* What happened, in words for newcomers: whole sentences. Owned by the caller; NULL: no memory. */
char *fyke_tcp_word_explain(const struct fyke_tcp_life_event *event);

/* Columns that the text takes at most. */
unsigned fyke_tcp_life_width(const struct fyke_screen *screen);

struct fyke_tcp_life_options {
	struct fyke_screen screen;
	unsigned lines;		/* of the screen, which the events shall not leave; 0 = no matter */
	size_t events;		/* that are told; 0 = all */
	const char *no_packets; /* why the sketch has only events; NULL = it has all */
};

/* `sketch` may be NULL. Write errors stand in ferror(out). */
void fyke_tcp_life_text(const struct fyke_tcp_life *life, struct fyke_tcp_sketch *sketch,
	const struct fyke_tcp_life_options *options, FILE *out);
FYKE_MUST_USE enum fyke_status fyke_tcp_life_json(
	const struct fyke_tcp_life *life, FILE *out, struct fyke_error *error);

#endif
