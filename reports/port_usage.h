/*
 * Who used which port: one pass over `sessions` for all ports that are asked about.
 */
#ifndef FYKE_REPORTS_PORT_USAGE_H
#define FYKE_REPORTS_PORT_USAGE_H

#include "analyzer/base/network.h"
#include "analyzer/base/status.h"
#include "storage/index.h"

#include <stdint.h>

struct sqlite3;

enum { FYKE_PORT_USAGE_MAX = 256 * 1024, FYKE_PORT_CLIENTS_MOST = 1024 * 1024 };

struct fyke_port_client {
	uint64_t key[2];
	char ip[48];
	int64_t sessions, used, last_us; /* used: with payload from both sides */
	uint32_t next;			 /* of the same port, plus 1; 0 = none */
};

struct fyke_port_use {
	uint64_t key[2];
	int64_t sessions, used, mismatches; /* used: with payload from both sides */
	int64_t last_us, last_used_us;	    /* 0: never */
	int64_t ttl;			    /* of the server's packets; the largest; -1 = not known */
	uint32_t clients, client_count;	    /* the latest in the list, plus 1 */
};

struct fyke_port_usage {
	struct fyke_index ports, clients;
};

/* capture_id 0 = all. Release also after a failure. */
FYKE_MUST_USE enum fyke_status fyke_port_usage_gather(
	struct sqlite3 *db, int64_t capture_id, struct fyke_port_usage *usage, struct fyke_error *error);
void fyke_port_usage_release(struct fyke_port_usage *usage);

/* NULL: nothing was seen of it, or there were too many. */
const struct fyke_port_use *fyke_port_usage_find(
	struct fyke_port_usage *usage, const char *ip, bool is_tcp, int64_t port);
/* How many of its clients are there; `clients` has a place for each enum fyke_origin. */
void fyke_port_usage_origins(const struct fyke_port_usage *usage, const struct fyke_port_use *use,
	const struct fyke_networks *home, const char *server, int64_t clients[FYKE_ORIGIN_COUNT]);
/* The clients of a port, the latest first by the time of their last session with payload; at most `most`.
 * Returns how many. */
size_t fyke_port_usage_clients(const struct fyke_port_usage *usage, const struct fyke_port_use *use,
	const struct fyke_port_client **list, size_t most);

#endif
