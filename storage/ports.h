/*
 * What sessions prove about ports: sums kept in memory while sessions are written, and merged into the
 * tables `ports` and `port_history` at each flush. Of storage/hosts.c.
 */
#ifndef FYKE_STORAGE_PORTS_H
#define FYKE_STORAGE_PORTS_H

#include "analyzer/base/network.h"
#include "analyzer/session/session.h"
#include "storage/names.h"
#include "storage/rows.h"

enum {
	FYKE_PORTS_MAX = 128 * 1024,
	FYKE_PORT_CLIENTS_MAX = 4 * 1024 * 1024,
	FYKE_PORT_SPANS_MAX = 64 * 1024,
};

/* The order is that of weight: a state that outranks another replaces it. */
enum fyke_port_state {
	FYKE_PORT_UNKNOWN = 0,
	FYKE_PORT_SILENT, /* told as filtered, with the evidence "silence" */
	FYKE_PORT_CLOSED,
	FYKE_PORT_FILTERED,
	FYKE_PORT_OPEN
};

enum fyke_port_evidence {
	FYKE_PROOF_SYN = 1,
	FYKE_PROOF_SYN_ACK = 2,
	FYKE_PROOF_ACK = 4, /* the client's ACK or data after it */
	FYKE_PROOF_RST = 8,
	FYKE_PROOF_ANSWER = 16,
	FYKE_PROOF_UNREACHABLE = 32,
	FYKE_PROOF_UNREACHABLE_BY_OTHER = 64,
	FYKE_PROOF_PROHIBITED = 128,
	FYKE_PROOF_SILENCE = 256,
};

struct fyke_port_key {
	struct fyke_address ip;
	uint8_t protocol;
	uint16_t port;
};

/* Proofs of one state that no proof of another stood between. */
struct fyke_port_span {
	enum fyke_port_state state; /* UNKNOWN: none yet */
	int64_t first_us, last_us, proofs, session_id;
};

struct fyke_port_past {
	struct fyke_port_key key;
	struct fyke_port_span span;
};

struct fyke_ports {
	struct fyke_index ports;
	struct fyke_index clients;   /* hashes of (port, state, client): who was counted already */
	struct fyke_port_past *past; /* spans that ended since the last flush */
	size_t past_count;
	bool clients_unknown;	   /* there were too many to tell */
	struct fyke_names *names;  /* borrowed */
	struct fyke_networks home; /* one's own; empty: the server's own network */
	int64_t capture_id;
	struct fyke_rows rows;
	uint64_t seed;
};

void fyke_ports_init(struct fyke_ports *ports, struct fyke_names *names);
void fyke_ports_release(struct fyke_ports *ports);
FYKE_MUST_USE enum fyke_status fyke_ports_attach(
	struct fyke_ports *ports, sqlite3 *db, struct fyke_error *error);

bool fyke_ports_are_full(const struct fyke_ports *ports);
/* As fyke_hosts_add. */
bool fyke_ports_add(struct fyke_ports *ports, const struct fyke_session *session,
	const struct fyke_session *before, int64_t id);

/* Within the caller's transaction, after `hosts` and `sessions` were written. */
FYKE_MUST_USE enum fyke_status fyke_ports_write(
	struct fyke_ports *ports, sqlite3 *db, int64_t capture_id, struct fyke_error *error);

/* Merges what the ports at hand say into `port_history`, before their rows are merged. Of ports.c. */
FYKE_MUST_USE enum fyke_status fyke_port_history_write(
	struct fyke_ports *ports, sqlite3 *db, struct fyke_error *error);

/* What one session proves, and about whose port. */
struct fyke_port_proof {
	enum fyke_port_state state; /* UNKNOWN: nothing */
	enum fyke_side side;
	unsigned evidence; /* enum fyke_port_evidence */
};
struct fyke_port_proof fyke_port_proof(const struct fyke_session *session);
const char *fyke_port_state_name(enum fyke_port_state state); /* NULL: unknown */

struct fyke_port {
	struct fyke_port_key key;
	enum fyke_port_state state;
	unsigned evidence;
	bool clear, encrypted; /* sessions of that kind were seen */
	uint32_t service;
	int64_t first_us, last_us, sessions, session_id;
	int64_t clients[FYKE_ORIGIN_COUNT]; /* distinct ones, by origin */
	struct fyke_port_span span;	    /* the present one */
	bool changed;			    /* there is a span in `past` */
};

#endif
