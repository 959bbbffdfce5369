/*
 * What sessions prove about hosts and ports: sums kept in memory while sessions are written, and merged
 * into the tables `hosts` and `ports` at each flush, at the end, and when memory is full.
 */
#ifndef FYKE_STORAGE_HOSTS_H
#define FYKE_STORAGE_HOSTS_H

#include "analyzer/session/session.h"
#include "storage/names.h"
#include "storage/rows.h"

enum { FYKE_HOSTS_MAX = 128 * 1024, FYKE_PORTS_MAX = 128 * 1024, FYKE_PORT_CLIENTS_MAX = 4 * 1024 * 1024 };

struct fyke_hosts {
	struct fyke_index hosts, ports;
	struct fyke_index clients; /* hashes of (port, state, client): who was counted already */
	bool clients_unknown;	   /* there were too many to tell */
	struct fyke_names *names;  /* borrowed */
	int64_t capture_id;
	struct fyke_rows host_rows, port_rows;
	uint64_t seed;
};

void fyke_hosts_init(struct fyke_hosts *hosts, struct fyke_names *names);
void fyke_hosts_release(struct fyke_hosts *hosts);
FYKE_MUST_USE enum fyke_status fyke_hosts_attach(
	struct fyke_hosts *hosts, sqlite3 *db, struct fyke_error *error);

/* Takes a session into account that is being written as row `id`; `before` is what it said when it was
 * written last, NULL when it is new. False: memory is full, write first and call again. */
bool fyke_hosts_add(struct fyke_hosts *hosts, const struct fyke_session *session,
	const struct fyke_session *before, int64_t id);
bool fyke_hosts_are_full(const struct fyke_hosts *hosts);

/* Merges what has come since the last time into the tables, within the caller's transaction. */
FYKE_MUST_USE enum fyke_status fyke_hosts_write(
	struct fyke_hosts *hosts, sqlite3 *db, int64_t capture_id, struct fyke_error *error);

/* What a session proves about the port of one of its sides. */
enum fyke_port_state { FYKE_PORT_UNKNOWN = 0, FYKE_PORT_CLOSED, FYKE_PORT_FILTERED, FYKE_PORT_OPEN };
enum { /* evidence */
	FYKE_PROOF_SYN = 1,
	FYKE_PROOF_SYN_ACK = 2,
	FYKE_PROOF_ACK = 4,
	FYKE_PROOF_RST = 8,
	FYKE_PROOF_ANSWER = 16,
	FYKE_PROOF_UNREACHABLE = 32,
	FYKE_PROOF_UNREACHABLE_BY_OTHER = 64,
	FYKE_PROOF_PROHIBITED = 128,
};

struct fyke_port_proof {
	enum fyke_port_state state;
	enum fyke_side side; /* whose port */
	unsigned evidence;
};

struct fyke_port_proof fyke_port_proof(const struct fyke_session *session);
const char *fyke_port_state_name(enum fyke_port_state state);

#endif
