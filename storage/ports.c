/*
 * Sums about ports. What stands in memory is what is to be added to the tables, so writing may happen at
 * any time; a session that is written again counts once.
 */
#include "storage/ports.h"

#include "storage/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

_Static_assert(sizeof(struct fyke_port_key) == 20, "keys are compared as bytes: no padding");

/* Of two proofs of one state the longer evidence says more; silence gives way to any proof, and 'open' >
 * 'filtered' > 'closed' in alphabetical order too. */
/* clang-format off */
#define WEIGHT(row) "CASE WHEN " row "evidence = 'silence' THEN '' ELSE " row "state END"
#define OUTRANKS    WEIGHT("excluded.") " > " WEIGHT("ports.")
#define SUM(column) column " = CASE WHEN " OUTRANKS " THEN excluded." column " ELSE " column " + excluded." column " END,"

static const char port_sql[] =
	"INSERT INTO ports(capture_id, ip, transport, port, state, service, first_seen_us, last_seen_us, sessions,"
	" clients, evidence, session_id, home_clients, private_clients, world_clients, encryption)"
	" SELECT * FROM fyke_rows_ports AS r WHERE r.c10 <> 'silence'"
	/* Nobody answered: that says something only where answers to this client would have been captured. */
	" OR EXISTS (SELECT 1 FROM sessions s JOIN hosts h ON h.capture_id = s.capture_id AND h.ip = s.client_ip"
	"  WHERE s.id = r.c11 AND h.received_packets > 0)"
	" ON CONFLICT(capture_id, ip, transport, port) DO UPDATE SET"
	" service = CASE WHEN " OUTRANKS " THEN excluded.service ELSE coalesce(excluded.service, service) END,"
	" first_seen_us = CASE WHEN " OUTRANKS " THEN excluded.first_seen_us"
	"  ELSE min(first_seen_us, excluded.first_seen_us) END,"
	" last_seen_us = CASE WHEN " OUTRANKS " THEN excluded.last_seen_us"
	"  ELSE max(last_seen_us, excluded.last_seen_us) END,"
	SUM("sessions") SUM("clients") SUM("home_clients") SUM("private_clients") SUM("world_clients")
	" session_id = CASE WHEN " OUTRANKS " THEN excluded.session_id"
	"  ELSE coalesce(session_id, excluded.session_id) END,"
	" encryption = CASE WHEN " OUTRANKS " OR encryption IS NULL THEN excluded.encryption"
	"  WHEN excluded.encryption IS NULL OR excluded.encryption = encryption THEN encryption ELSE 'mixed' END,"
	" state = excluded.state,"
	" evidence = CASE WHEN " OUTRANKS " OR length(excluded.evidence) > length(evidence)"
	"  THEN excluded.evidence ELSE evidence END"
	" WHERE " WEIGHT("excluded.") " >= " WEIGHT("ports.");
/* clang-format on */

static const char unknown_clients_sql[] =
	"UPDATE ports SET clients = NULL, home_clients = NULL, private_clients = NULL, world_clients = NULL"
	" WHERE capture_id = ?1";

static void evidence_text(sqlite3_context *result, unsigned evidence)
{
	static const char *const words[] = {"syn", "syn-ack", "ack", "rst", "answered",
		"icmp port unreachable", "icmp port unreachable from another host", "icmp prohibited",
		"silence"};
	char text[192] = "";
	size_t used = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && used < sizeof(text); i++) {
		if ((evidence & 1U << i) != 0)
			used += (size_t)snprintf(
				text + used, sizeof(text) - used, "%s%s", used > 0 ? ", " : "", words[i]);
	}
	sqlite3_result_text(result, text, -1, SQLITE_TRANSIENT);
}

/* The columns of the INSERT, in its order. */
enum {
	IP = 1,
	TRANSPORT,
	PORT,
	STATE,
	SERVICE,
	FIRST,
	LAST,
	SESSIONS,
	CLIENTS,
	EVIDENCE,
	SESSION,
	FROM_HOME,
	FROM_PRIVATE,
	FROM_WORLD,
	ENCRYPTION,
	COLUMNS
};

static void port_text(const struct fyke_ports *ports, const struct fyke_port *port, size_t column,
	struct fyke_rows_scratch *scratch, sqlite3_context *result)
{
	const char *service = fyke_names_text(ports->names, port->service);

	if (column == IP)
		sqlite3_result_text(result, scratch->text[0],
			(int)fyke_address_text(&port->key.ip, scratch->text[0]), SQLITE_STATIC);
	else if (column == TRANSPORT)
		sqlite3_result_text(result, port->key.protocol == 6 ? "tcp" : "udp", 3, SQLITE_STATIC);
	else if (column == STATE)
		sqlite3_result_text(result, fyke_port_state_name(port->state), -1, SQLITE_STATIC);
	else if (column == SERVICE && service != NULL)
		fyke_sql_result_text(result, service, (uint32_t)strlen(service));
	else if (column == EVIDENCE)
		evidence_text(result, port->evidence);
	else if (column == ENCRYPTION && (port->clear || port->encrypted))
		sqlite3_result_text(result,
			!port->encrypted ? "clear"
			: port->clear	 ? "mixed"
					 : "encrypted",
			-1, SQLITE_STATIC);
}

static int64_t all_clients(const struct fyke_port *port)
{
	int64_t all = 0;

	for (size_t i = 0; i < FYKE_ORIGIN_COUNT; i++)
		all += port->clients[i];
	return all;
}

static int64_t port_number(const struct fyke_ports *ports, const struct fyke_port *port, size_t column)
{
	const int64_t numbers[COLUMNS] = {[0] = ports->capture_id,
		[PORT] = port->key.port,
		[FIRST] = port->first_us,
		[LAST] = port->last_us,
		[SESSIONS] = port->sessions,
		[CLIENTS] = all_clients(port),
		[SESSION] = port->session_id,
		[FROM_HOME] = port->clients[FYKE_ORIGIN_HOME],
		[FROM_PRIVATE] = port->clients[FYKE_ORIGIN_PRIVATE],
		[FROM_WORLD] = port->clients[FYKE_ORIGIN_WORLD]};

	return numbers[column];
}

static void port_column(const struct fyke_rows *rows, const void *data, size_t column,
	struct fyke_rows_scratch *scratch, sqlite3_context *result)
{
	const struct fyke_ports *ports = rows->context;

	if (column == IP || column == TRANSPORT || column == STATE || column == SERVICE ||
		column == EVIDENCE || column == ENCRYPTION)
		port_text(ports, data, column, scratch, result);
	else
		fyke_rows_number(result, port_number(ports, data, column));
}

void fyke_ports_init(struct fyke_ports *ports, struct fyke_names *names)
{
	*ports = (struct fyke_ports){.names = names, .seed = fyke_index_seed()};
	fyke_index_init(
		&ports->ports, sizeof(struct fyke_port), sizeof(struct fyke_port_key), FYKE_PORTS_MAX);
	fyke_index_init(&ports->clients, sizeof(uint64_t), sizeof(uint64_t), FYKE_PORT_CLIENTS_MAX);
	ports->rows = (struct fyke_rows){.size = sizeof(struct fyke_port),
		.column_count = COLUMNS,
		.column = port_column,
		.context = ports};
}

void fyke_ports_release(struct fyke_ports *ports)
{
	fyke_index_release(&ports->ports);
	fyke_index_release(&ports->clients);
	free(ports->past);
	ports->past = NULL;
}

enum fyke_status fyke_ports_attach(struct fyke_ports *ports, sqlite3 *db, struct fyke_error *error)
{
	return fyke_rows_register(db, "ports", &ports->rows, error);
}

bool fyke_ports_are_full(const struct fyke_ports *ports)
{
	return ports->ports.count + 1 > FYKE_PORTS_MAX || ports->past_count + 2 > FYKE_PORT_SPANS_MAX;
}

static void widen(int64_t *first_us, int64_t *last_us, bool fresh, int64_t from_us, int64_t to_us)
{
	if (fresh || from_us < *first_us)
		*first_us = from_us;
	if (fresh || to_us > *last_us)
		*last_us = to_us;
}

static bool is_new(struct fyke_ports *ports, const struct fyke_port *port, enum fyke_port_state state,
	const struct fyke_address *who, uint64_t salt)
{
	struct {
		struct fyke_port_key key;
		uint8_t state;
		struct fyke_address client;
	} what = {port->key, (uint8_t)state, *who};
	uint64_t hash = XXH3_64bits_withSeed(&what, sizeof(what), ports->seed ^ salt);
	bool added;

	if (fyke_index_add(&ports->clients, &hash, &added) == NULL)
		ports->clients_unknown = true;
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
static bool counts_anew(struct fyke_ports *ports, const struct fyke_port *port,
	const struct fyke_session *session, const struct fyke_session *before,
	const struct fyke_port_proof *proof)
{
	struct fyke_port_proof old;
	struct fyke_address name = {.family = FYKE_ADDRESS_NONE};

	if ((proof->evidence & (FYKE_PROOF_UNREACHABLE | FYKE_PROOF_UNREACHABLE_BY_OTHER |
				       FYKE_PROOF_PROHIBITED)) != 0) {
		memcpy(name.bytes, &session->birth.frame, sizeof(session->birth.frame));
		memcpy(name.bytes + 8, &session->birth.ordinal, sizeof(session->birth.ordinal));
		return is_new(ports, port, proof->state, &name, 1);
	}
	if (before == NULL)
		return true;
	old = fyke_port_proof(before);
	return !same_port(session, proof, before, &old);
}

static bool keep_past(struct fyke_ports *ports, struct fyke_port *port, const struct fyke_port_span *span)
{
	if (ports->past == NULL)
		ports->past = calloc(FYKE_PORT_SPANS_MAX, sizeof(*ports->past));
	if (ports->past == NULL || ports->past_count == FYKE_PORT_SPANS_MAX)
		return false;
	ports->past[ports->past_count++] = (struct fyke_port_past){port->key, *span};
	port->changed = true;
	return true;
}

/* A proof belongs to the moment at which its session began: that is when somebody knocked. */
static bool add_to_history(struct fyke_ports *ports, struct fyke_port *port, enum fyke_port_state state,
	const struct fyke_session *session, int64_t id)
{
	int64_t at_us = fyke_rows_us(session->start_ns);
	struct fyke_port_span *span = &port->span, next = {state, at_us, at_us, 1, id};

	if (state == FYKE_PORT_SILENT)
		return true;
	if (span->state == state) {
		widen(&span->first_us, &span->last_us, false, at_us, at_us);
		span->proofs++;
		return true;
	}
	if (span->state != FYKE_PORT_UNKNOWN && at_us < span->last_us)
		return keep_past(ports, port, &next);
	if (span->state != FYKE_PORT_UNKNOWN && !keep_past(ports, port, span))
		return false;
	*span = next;
	return true;
}

static void count_client(struct fyke_ports *ports, struct fyke_port *port, const struct fyke_session *session,
	enum fyke_side side)
{
	const struct fyke_address *client = &session->side[fyke_side_other(side)].ip;

	if (is_new(ports, port, port->state, client, 0))
		port->clients[fyke_origin_of(&ports->home, client, &port->key.ip)]++;
}

/* A session that began in clear text counts as encrypted when it went over to TLS. */
static void note_encryption(struct fyke_port *port, const struct fyke_session *session)
{
	static const char *const encrypted[] = {
		"tls", "https", "ssh", "quic", "dtls", "wireguard", "openvpn", "isakmp", "ipsec"};

	for (const struct fyke_record *record = session->records; record != NULL; record = record->next) {
		if (strcmp(record->table->name, "tls") == 0) {
			port->encrypted = true;
			return;
		}
	}
	if (session->content_service == NULL)
		return;
	for (size_t i = 0; i < sizeof(encrypted) / sizeof(encrypted[0]); i++) {
		if (strcmp(session->content_service, encrypted[i]) == 0) {
			port->encrypted = true;
			return;
		}
	}
	port->clear = true;
}

/* What `port`, which the session proves to be in its state, learns from it. */
static void take_proof(struct fyke_ports *ports, struct fyke_port *port, const struct fyke_session *session,
	const struct fyke_port_proof *proof, bool anew)
{
	bool fresh = port->evidence == 0;

	widen(&port->first_us, &port->last_us, fresh, fyke_rows_us(session->start_ns),
		fyke_rows_us(session->end_ns));
	if (fresh || __builtin_popcount(proof->evidence) > __builtin_popcount(port->evidence))
		port->evidence = proof->evidence;
	if (session->service != NULL)
		port->service = fyke_names_number(ports->names, session->service);
	note_encryption(port, session);
	if (anew) {
		port->sessions++;
		count_client(ports, port, session, proof->side);
	}
}

bool fyke_ports_add(struct fyke_ports *ports, const struct fyke_session *session,
	const struct fyke_session *before, int64_t id)
{
	struct fyke_port_proof proof = fyke_port_proof(session);
	const struct fyke_session_side *side = &session->side[proof.side];
	struct fyke_port_key key = {side->ip, (uint8_t)session->ip_protocol, (uint16_t)side->port};
	struct fyke_port *port;
	bool fresh, anew;

	if (proof.state == FYKE_PORT_UNKNOWN || side->port < 0 || side->port > UINT16_MAX)
		return true;
	port = fyke_index_add(&ports->ports, &key, &fresh);
	if (port == NULL)
		return false;
	anew = counts_anew(ports, port, session, before, &proof);
	if (anew && !add_to_history(ports, port, proof.state, session, id))
		return false;
	if (proof.state < port->state)
		return true;
	if (proof.state > port->state)
		*port = (struct fyke_port){.key = key,
			.state = proof.state,
			.session_id = id,
			.span = port->span,
			.changed = port->changed};
	take_proof(ports, port, session, &proof, anew);
	return true;
}

enum fyke_status fyke_ports_write(
	struct fyke_ports *ports, sqlite3 *db, int64_t capture_id, struct fyke_error *error)
{
	enum fyke_status status;

	ports->capture_id = capture_id;
	ports->rows.rows = ports->ports.items;
	ports->rows.count = ports->ports.count;
	status = fyke_port_history_write(ports, db, error);
	if (status == FYKE_OK)
		status = fyke_sql_run(db, port_sql, error);
	if (status == FYKE_OK && ports->clients_unknown)
		status = fyke_sql_run_with(db, unknown_clients_sql, capture_id, 0, error);
	ports->rows.count = 0;
	if (status == FYKE_OK) {
		fyke_index_clear(&ports->ports);
		ports->past_count = 0;
	}
	return status;
}
