/*
 * Sums about hosts and ports. What stands in memory is what is to be added to the tables, so writing
 * may happen at any time; a session that is written again first takes back what it said before.
 */
#include "storage/hosts.h"

#include "storage/sql.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

struct host {
	struct fyke_address ip;
	uint8_t mac[6];
	bool has_mac;
	int64_t first_us, last_us;
	int64_t sessions, client_sessions, server_sessions;
	int64_t sent_packets, received_packets, sent_bytes, received_bytes;
};

struct port_key {
	struct fyke_address ip;
	uint8_t protocol;
	uint16_t port;
};

struct port {
	struct port_key key;
	enum fyke_port_state state;
	unsigned evidence;
	uint32_t service;
	int64_t first_us, last_us, sessions, clients, session_id;
};

_Static_assert(sizeof(struct port_key) == 20, "keys are compared as bytes: no padding");

static const char host_sql[] =
	"INSERT INTO hosts SELECT * FROM fyke_rows_hosts WHERE true ON CONFLICT(capture_id, ip) DO UPDATE SET"
	" mac = coalesce(mac, excluded.mac),"
	" first_seen_us = min(first_seen_us, excluded.first_seen_us),"
	" last_seen_us = max(last_seen_us, excluded.last_seen_us),"
	" sessions = sessions + excluded.sessions,"
	" client_sessions = client_sessions + excluded.client_sessions,"
	" server_sessions = server_sessions + excluded.server_sessions,"
	" sent_packets = sent_packets + excluded.sent_packets,"
	" received_packets = received_packets + excluded.received_packets,"
	" sent_bytes = sent_bytes + excluded.sent_bytes,"
	" received_bytes = received_bytes + excluded.received_bytes";

/* 'open' > 'filtered' > 'closed' in alphabetical order too; of two proofs of one state the longer
 * evidence says more. */
static const char port_sql[] =
	"INSERT INTO ports SELECT * FROM fyke_rows_ports WHERE true"
	" ON CONFLICT(capture_id, ip, transport, port) DO UPDATE SET"
	" state = excluded.state,"
	" service = CASE WHEN excluded.state > state THEN excluded.service ELSE coalesce(excluded.service, "
	"service) END,"
	" first_seen_us = CASE WHEN excluded.state > state THEN excluded.first_seen_us"
	"  ELSE min(first_seen_us, excluded.first_seen_us) END,"
	" last_seen_us = CASE WHEN excluded.state > state THEN excluded.last_seen_us"
	"  ELSE max(last_seen_us, excluded.last_seen_us) END,"
	" sessions = CASE WHEN excluded.state > state THEN excluded.sessions ELSE sessions + "
	"excluded.sessions END,"
	" clients = CASE WHEN excluded.state > state THEN excluded.clients ELSE clients + excluded.clients "
	"END,"
	" evidence = CASE WHEN excluded.state > state OR length(excluded.evidence) > length(evidence)"
	"  THEN excluded.evidence ELSE evidence END,"
	" session_id = CASE WHEN excluded.state > state THEN excluded.session_id"
	"  ELSE coalesce(session_id, excluded.session_id) END"
	" WHERE excluded.state >= state";

static void text_of(sqlite3_context *result, const struct fyke_address *ip, struct fyke_rows_scratch *scratch)
{
	size_t length = fyke_address_text(ip, scratch->text[0]);

	sqlite3_result_text(result, scratch->text[0], (int)length, SQLITE_STATIC);
}

static void host_mac(sqlite3_context *result, const struct host *host, struct fyke_rows_scratch *scratch)
{
	if (!host->has_mac)
		return;
	fyke_mac_text(host->mac, scratch->text[1]);
	sqlite3_result_text(result, scratch->text[1], FYKE_MAC_TEXT - 1, SQLITE_STATIC);
}

static void host_column(const struct fyke_rows *rows, const void *data, size_t column,
	struct fyke_rows_scratch *scratch, sqlite3_context *result)
{
	const struct fyke_hosts *hosts = rows->context;
	const struct host *host = data;
	const int64_t numbers[] = {host->first_us, host->last_us, host->sessions, host->client_sessions,
		host->server_sessions, host->sent_packets, host->received_packets, host->sent_bytes,
		host->received_bytes};

	if (column == 0)
		sqlite3_result_int64(result, hosts->capture_id);
	else if (column == 1)
		text_of(result, &host->ip, scratch);
	else if (column == 2)
		host_mac(result, host, scratch);
	else if (column >= 6) /* vendor, name and os come from others */
		fyke_rows_number(result, numbers[column - 6]);
}

static void evidence_text(sqlite3_context *result, unsigned evidence)
{
	static const char *const words[] = {"syn", "syn-ack", "ack", "rst", "answered",
		"icmp port unreachable", "icmp port unreachable from another host", "icmp prohibited"};
	char text[192] = "";
	size_t used = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && used < sizeof(text); i++) {
		if ((evidence & 1U << i) != 0)
			used += (size_t)snprintf(
				text + used, sizeof(text) - used, "%s%s", used > 0 ? ", " : "", words[i]);
	}
	sqlite3_result_text(result, text, -1, SQLITE_TRANSIENT);
}

static void port_text(const struct fyke_hosts *hosts, const struct port *port, size_t column,
	struct fyke_rows_scratch *scratch, sqlite3_context *result)
{
	const char *service = fyke_names_text(hosts->names, port->service);

	if (column == 1)
		text_of(result, &port->key.ip, scratch);
	else if (column == 2)
		sqlite3_result_text(result, port->key.protocol == 6 ? "tcp" : "udp", 3, SQLITE_STATIC);
	else if (column == 4)
		sqlite3_result_text(result, fyke_port_state_name(port->state), -1, SQLITE_STATIC);
	else if (column == 5 && service != NULL)
		fyke_sql_result_text(result, service, (uint32_t)strlen(service));
	else if (column == 11)
		evidence_text(result, port->evidence);
}

static void port_column(const struct fyke_rows *rows, const void *data, size_t column,
	struct fyke_rows_scratch *scratch, sqlite3_context *result)
{
	const struct fyke_hosts *hosts = rows->context;
	const struct port *port = data;

	switch (column) {
	case 0:
		sqlite3_result_int64(result, hosts->capture_id);
		return;
	case 3:
		sqlite3_result_int64(result, port->key.port);
		return;
	case 7:
		fyke_rows_number(result, port->first_us);
		return;
	case 8:
		fyke_rows_number(result, port->last_us);
		return;
	case 9:
		sqlite3_result_int64(result, port->sessions);
		return;
	case 10:
		fyke_rows_number(result, hosts->clients_unknown ? FYKE_UNKNOWN : port->clients);
		return;
	case 12:
		sqlite3_result_int64(result, port->session_id);
		return;
	default:
		port_text(hosts, port, column, scratch, result);
	}
}

void fyke_hosts_init(struct fyke_hosts *hosts, struct fyke_names *names)
{
	*hosts = (struct fyke_hosts){.names = names, .seed = fyke_index_seed()};
	fyke_index_init(&hosts->hosts, sizeof(struct host), sizeof(struct fyke_address), FYKE_HOSTS_MAX);
	fyke_index_init(&hosts->ports, sizeof(struct port), sizeof(struct port_key), FYKE_PORTS_MAX);
	fyke_index_init(&hosts->clients, sizeof(uint64_t), sizeof(uint64_t), FYKE_PORT_CLIENTS_MAX);
	hosts->host_rows = (struct fyke_rows){
		.size = sizeof(struct host), .column_count = 15, .column = host_column, .context = hosts};
	hosts->port_rows = (struct fyke_rows){
		.size = sizeof(struct port), .column_count = 13, .column = port_column, .context = hosts};
}

void fyke_hosts_release(struct fyke_hosts *hosts)
{
	fyke_index_release(&hosts->hosts);
	fyke_index_release(&hosts->ports);
	fyke_index_release(&hosts->clients);
}

enum fyke_status fyke_hosts_attach(struct fyke_hosts *hosts, sqlite3 *db, struct fyke_error *error)
{
	enum fyke_status status = fyke_rows_register(db, "hosts", &hosts->host_rows, error);

	return status == FYKE_OK ? fyke_rows_register(db, "ports", &hosts->port_rows, error) : status;
}

bool fyke_hosts_are_full(const struct fyke_hosts *hosts)
{
	return hosts->hosts.count + 2 > FYKE_HOSTS_MAX || hosts->ports.count + 1 > FYKE_PORTS_MAX;
}

static int64_t known(int64_t value)
{
	return value == FYKE_UNKNOWN ? 0 : value;
}

static void widen_span(int64_t *first_us, int64_t *last_us, bool fresh, const struct fyke_session *session)
{
	int64_t start = fyke_rows_us(session->start_ns), end = fyke_rows_us(session->end_ns);

	if (fresh || start < *first_us)
		*first_us = start;
	if (fresh || end > *last_us)
		*last_us = end;
}

/* Adds (sign 1) or takes back (sign -1) what a session says about one side's host. */
static bool add_host(
	struct fyke_hosts *hosts, const struct fyke_session *session, enum fyke_side which, int64_t sign)
{
	const struct fyke_session_side *side = &session->side[which];
	const struct fyke_session_side *peer = &session->side[fyke_side_other(which)];
	bool alone = memcmp(&side->ip, &peer->ip, sizeof(side->ip)) == 0;
	bool added;
	struct host *host;

	if (side->ip.family == FYKE_ADDRESS_NONE)
		return true;
	host = fyke_index_add(&hosts->hosts, &side->ip, &added);
	if (host == NULL)
		return false;
	widen_span(&host->first_us, &host->last_us, added, session);
	if (!host->has_mac && side->has_mac) {
		memcpy(host->mac, side->mac, sizeof(host->mac));
		host->has_mac = true;
	}
	/* A host that talks with itself takes part once. */
	host->sessions += alone && which == FYKE_SERVER ? 0 : sign;
	host->client_sessions += which == FYKE_CLIENT ? sign : 0;
	host->server_sessions += which == FYKE_SERVER ? sign : 0;
	host->sent_packets += sign * known(side->packets);
	host->sent_bytes += sign * known(side->bytes);
	host->received_packets += sign * known(peer->packets);
	host->received_bytes += sign * known(peer->bytes);
	return true;
}

static bool is_new_client(
	struct fyke_hosts *hosts, const struct port *port, const struct fyke_address *client, uint64_t salt)
{
	struct {
		struct port_key key;
		uint8_t state;
		struct fyke_address client;
	} what = {port->key, (uint8_t)port->state, *client};
	uint64_t hash = XXH3_64bits_withSeed(&what, sizeof(what), hosts->seed ^ salt);
	bool added;

	if (fyke_index_add(&hosts->clients, &hash, &added) == NULL)
		hosts->clients_unknown = true;
	return added;
}

static bool same_port(const struct fyke_session *a, const struct fyke_port_proof *pa,
	const struct fyke_session *b, const struct fyke_port_proof *pb)
{
	const struct fyke_session_side *left = &a->side[pa->side], *right = &b->side[pb->side];

	return pa->state == pb->state && left->port == right->port &&
	       memcmp(&left->ip, &right->ip, sizeof(left->ip)) == 0;
}

/* ICMP errors of earlier hand-overs are not in the row, so whether the session was counted for them
 * is kept beside the clients. */
static bool counts_anew(struct fyke_hosts *hosts, const struct port *port, const struct fyke_session *session,
	const struct fyke_session *before, const struct fyke_port_proof *proof)
{
	struct fyke_port_proof old;
	struct fyke_address name = {.family = FYKE_ADDRESS_NONE};

	if ((proof->evidence & (FYKE_PROOF_UNREACHABLE | FYKE_PROOF_UNREACHABLE_BY_OTHER |
				       FYKE_PROOF_PROHIBITED)) != 0) {
		memcpy(name.bytes, &session->birth.frame, sizeof(session->birth.frame));
		memcpy(name.bytes + 8, &session->birth.ordinal, sizeof(session->birth.ordinal));
		return is_new_client(hosts, port, &name, 1);
	}
	if (before == NULL)
		return true;
	old = fyke_port_proof(before);
	return !same_port(session, proof, before, &old);
}

static bool add_port(struct fyke_hosts *hosts, const struct fyke_session *session,
	const struct fyke_session *before, int64_t id)
{
	struct fyke_port_proof proof = fyke_port_proof(session);
	const struct fyke_session_side *side = &session->side[proof.side];
	struct port_key key = {side->ip, (uint8_t)session->ip_protocol, (uint16_t)side->port};
	struct port *port;
	bool fresh;

	if (proof.state == FYKE_PORT_UNKNOWN || side->port < 0 || side->port > UINT16_MAX)
		return true;
	port = fyke_index_add(&hosts->ports, &key, &fresh);
	if (port == NULL)
		return false;
	if (proof.state < port->state)
		return true;
	if (proof.state > port->state) {
		*port = (struct port){.key = key, .state = proof.state, .session_id = id};
		fresh = true;
	}
	widen_span(&port->first_us, &port->last_us, fresh, session);
	port->evidence = fresh || __builtin_popcount(proof.evidence) > __builtin_popcount(port->evidence)
				 ? proof.evidence
				 : port->evidence;
	if (session->service != NULL)
		port->service = fyke_names_number(hosts->names, session->service);
	if (counts_anew(hosts, port, session, before, &proof)) {
		port->sessions++;
		port->clients +=
			is_new_client(hosts, port, &session->side[fyke_side_other(proof.side)].ip, 0);
	}
	return true;
}

bool fyke_hosts_add(struct fyke_hosts *hosts, const struct fyke_session *session,
	const struct fyke_session *before, int64_t id)
{
	bool done = true;

	if (fyke_hosts_are_full(hosts))
		return false;
	for (enum fyke_side side = FYKE_CLIENT; side <= FYKE_SERVER; side++) {
		if (before != NULL)
			done = add_host(hosts, before, side, -1) && done;
		done = add_host(hosts, session, side, 1) && done;
	}
	return add_port(hosts, session, before, id) && done;
}

enum fyke_status fyke_hosts_write(
	struct fyke_hosts *hosts, sqlite3 *db, int64_t capture_id, struct fyke_error *error)
{
	bool told = hosts->clients_unknown;
	enum fyke_status status;

	hosts->capture_id = capture_id;
	hosts->host_rows.rows = hosts->hosts.items;
	hosts->host_rows.count = hosts->hosts.count;
	hosts->port_rows.rows = hosts->ports.items;
	hosts->port_rows.count = hosts->ports.count;
	status = fyke_sql_run(db, host_sql, error);
	if (status == FYKE_OK)
		status = fyke_sql_run(db, port_sql, error);
	if (status == FYKE_OK && told)
		status = fyke_sql_run_with(
			db, "UPDATE ports SET clients = NULL WHERE capture_id = ?1", capture_id, 0, error);
	hosts->host_rows.count = hosts->port_rows.count = 0;
	if (status == FYKE_OK) {
		fyke_index_clear(&hosts->hosts);
		fyke_index_clear(&hosts->ports);
	}
	return status;
}
