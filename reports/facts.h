/*
 * What reports say, gathered in one pass over `sessions` and one over `tcp`. Of reports/ alone.
 */
#ifndef FYKE_REPORTS_FACTS_H
#define FYKE_REPORTS_FACTS_H

#include "analyzer/base/status.h"
#include "analyzer/session/state.h"
#include "reports/samples.h"
#include "reports/tally.h"

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;

/* Counters of `tcp` that are summed over both sides; one that is NULL everywhere stays unknown. */
/* clang-format off */
#define FYKE_FACTS_TCP_COUNTERS(X) \
	X(stream_bytes) X(missing_bytes) X(gaps) X(retransmitted_segments) X(retransmitted_bytes) \
	X(timeout_retransmissions) X(fast_retransmissions) X(sack_retransmissions) \
	X(tail_probe_retransmissions) X(other_retransmissions) X(spurious_retransmissions) \
	X(syn_retransmissions) X(fin_retransmissions) X(reordered_segments) X(duplicate_acks) \
	X(capture_duplicates) X(keep_alives) X(zero_windows) X(window_probes) X(window_fulls) \
	X(window_updates) X(outside_window_segments) \
	X(overlapping_bytes) X(conflicting_bytes) X(uncompared_bytes) X(unacknowledged_bytes) \
	X(rtt_samples)
/* clang-format on */

enum fyke_facts_tcp_counter {
#define X(name) FYKE_FACTS_##name,
	FYKE_FACTS_TCP_COUNTERS(X)
#undef X
		FYKE_FACTS_TCP_COUNT
};

struct fyke_sum {
	int64_t value;
	bool known;
};

struct fyke_facts {
	int64_t scope; /* the capture asked for; 0 = all, and where there is no other capture either */
	int64_t sessions, folded_sessions, open_sessions, guessed_roles;
	int64_t packets, bytes, payload_bytes, bad_checksums;
	int64_t first_us, last_us; /* of sessions; where there are none, 0 */
	int64_t states[FYKE_STATE_COUNT], tcp_states[FYKE_STATE_COUNT];
	int64_t ends[FYKE_END_COUNT]; /* [FYKE_END_OPEN] is open_sessions */
	struct fyke_tally transports; /* key: transport */
	struct fyke_tally services;   /* key: service, tab, transport; service "" = not known */
	struct fyke_tally misfits;    /* where content and port differ; key: content, tab, port's service */
	struct fyke_tally hosts;      /* key: address */
	int64_t tcp_sessions, tcp_packets, tcp_past_syn; /* the last: with a row in `tcp` */
	struct fyke_sum tcp[FYKE_FACTS_TCP_COUNT];
	struct fyke_samples handshake_us, handshake_server_us, handshake_client_us, rtt_us;
};

/* The name of a counter, as its column is called without the side. */
const char *fyke_facts_tcp_name(enum fyke_facts_tcp_counter counter);

/* capture_id 0 = all. Sorted when it returns. Release also after a failure. */
FYKE_MUST_USE enum fyke_status fyke_facts_gather(
	struct sqlite3 *db, int64_t capture_id, struct fyke_facts *facts, struct fyke_error *error);
void fyke_facts_release(struct fyke_facts *facts);

/* The part of it that folded sessions are. Of facts.c. */
FYKE_MUST_USE enum fyke_status fyke_facts_gather_folded(
	struct sqlite3 *db, int64_t capture_id, struct fyke_facts *facts, struct fyke_error *error);

/* Prepares a statement; its one parameter, if any, is the capture. FYKE_FAILED_DATABASE with a sentence. */
FYKE_MUST_USE enum fyke_status fyke_facts_prepare(struct sqlite3 *db, const char *sql, int64_t capture_id,
	struct sqlite3_stmt **statement, struct fyke_error *error);
/* True for each row; at the end or on a failure it finalizes, and *status tells which. */
bool fyke_facts_step(struct sqlite3_stmt **statement, enum fyke_status *status, struct fyke_error *error);

/* Has every row of the query's table given to `step`: as arguments of an aggregate function, values cost half
 * of what they cost as columns of a result. `sql` selects NAME(…); NULL: memory is out. */
struct sqlite3_context;
struct sqlite3_value;
struct fyke_facts_reader {
	const char *name; /* of the function */
	void (*step)(struct sqlite3_context *context, int count, struct sqlite3_value **values);
	void *context;
};
FYKE_MUST_USE enum fyke_status fyke_facts_pass(struct sqlite3 *db, const struct fyke_facts_reader *reader,
	const char *sql, int64_t capture_id, struct fyke_error *error);

/* A read transaction, so that everything in between sees the same state of the database. */
FYKE_MUST_USE enum fyke_status fyke_facts_begin(struct sqlite3 *db, struct fyke_error *error);
void fyke_facts_end(struct sqlite3 *db);

/* FYKE_REPORT_LAST to the last capture's id (0 when there is none); an id is looked for. */
FYKE_MUST_USE enum fyke_status fyke_facts_capture(
	struct sqlite3 *db, int64_t asked, int64_t *capture_id, struct fyke_error *error);

#endif
