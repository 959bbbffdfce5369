/*
 * `port_history`: for ports that were open at some time, the spans in which their state was proven.
 *
 * A port that was only ever refused has no rows here: its row of `ports` says the same, and a scan would
 * leave 65,535 of them. When it opens, its refusals are taken over from there.
 */
#include "storage/ports.h"

#include "storage/sql.h"

#include <string.h>

struct history {
	sqlite3 *db;
	int64_t capture_id;
	sqlite3_stmt *latest, *refused, *extend, *insert;
};

#define PORT_IS "capture_id = ?1 AND ip = ?2 AND transport = ?3 AND port = ?4"

static enum fyke_status prepare(struct history *history, struct fyke_error *error)
{
	const struct {
		const char *sql;
		sqlite3_stmt **statement;
	} list[] = {
		{"SELECT first_us, state FROM port_history WHERE " PORT_IS " ORDER BY first_us DESC LIMIT 1",
			&history->latest},
		{"INSERT INTO port_history(capture_id, ip, transport, port, first_us, state, last_us, "
		 "proofs, "
		 "session_id)"
		 " SELECT capture_id, ip, transport, port, first_seen_us, state, last_seen_us, sessions, "
		 "session_id"
		 " FROM ports WHERE " PORT_IS " AND state <> 'open' AND evidence <> 'silence'",
			&history->refused},
		{"UPDATE port_history SET last_us = max(last_us, ?6), proofs = proofs + ?7 WHERE " PORT_IS
		 " AND first_us = ?5",
			&history->extend},
		{"INSERT INTO port_history(capture_id, ip, transport, port, first_us, last_us, proofs, "
		 "state, "
		 "session_id)"
		 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
			&history->insert}};
	enum fyke_status status = FYKE_OK;

	for (size_t i = 0; status == FYKE_OK && i < sizeof(list) / sizeof(list[0]); i++)
		status = fyke_sql_prepare(history->db, list[i].sql, list[i].statement, error);
	return status;
}

static void bind_port(const struct history *history, sqlite3_stmt *statement, const struct fyke_port_key *key)
{
	char text[FYKE_ADDRESS_TEXT];

	fyke_address_text(&key->ip, text);
	sqlite3_bind_int64(statement, 1, history->capture_id);
	sqlite3_bind_text(statement, 2, text, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(statement, 3, key->protocol == 6 ? "tcp" : "udp", 3, SQLITE_STATIC);
	sqlite3_bind_int(statement, 4, key->port);
}

/* Where the latest stored span has the same state, `span` goes on with it: its start is *first_us. */
static bool find_latest(struct history *history, const struct fyke_port_key *key, enum fyke_port_state state,
	int64_t *first_us, bool *any)
{
	const char *stored;
	bool same;

	bind_port(history, history->latest, key);
	*any = sqlite3_step(history->latest) == SQLITE_ROW;
	*first_us = sqlite3_column_int64(history->latest, 0);
	stored = (const char *)sqlite3_column_text(history->latest, 1);
	same = *any && stored != NULL && strcmp(stored, fyke_port_state_name(state)) == 0;
	sqlite3_reset(history->latest);
	return same;
}

static enum fyke_status store_span(struct history *history, const struct fyke_port_key *key,
	const struct fyke_port_span *span, struct fyke_error *error)
{
	int64_t first_us;
	bool any, goes_on = find_latest(history, key, span->state, &first_us, &any);
	sqlite3_stmt *statement;
	enum fyke_status status = FYKE_OK;

	if (!any) {
		bind_port(history, history->refused, key);
		status = fyke_sql_finish(history->refused, error);
	}
	if (status != FYKE_OK)
		return status;
	goes_on = goes_on && first_us <= span->first_us;
	statement = goes_on ? history->extend : history->insert;
	bind_port(history, statement, key);
	sqlite3_bind_int64(statement, 5, goes_on ? first_us : span->first_us);
	sqlite3_bind_int64(statement, 6, span->last_us);
	sqlite3_bind_int64(statement, 7, span->proofs);
	if (!goes_on) {
		sqlite3_bind_text(statement, 8, fyke_port_state_name(span->state), -1, SQLITE_STATIC);
		fyke_sql_bind_number(statement, 9, span->session_id);
	}
	return fyke_sql_finish(statement, error);
}

/* A refusal counts for the history only of a port that was open, by now or in what is stored. */
static bool belongs(struct history *history, const struct fyke_port *port)
{
	int64_t first_us;
	bool any;

	if (port->span.state == FYKE_PORT_UNKNOWN)
		return false;
	if (port->state == FYKE_PORT_OPEN || port->changed)
		return true;
	(void)find_latest(history, &port->key, FYKE_PORT_OPEN, &first_us, &any);
	return any;
}

enum fyke_status fyke_port_history_write(struct fyke_ports *ports, sqlite3 *db, struct fyke_error *error)
{
	struct history history = {.db = db, .capture_id = ports->capture_id};
	const struct fyke_port *list = ports->ports.items;
	enum fyke_status status = prepare(&history, error);

	for (size_t i = 0; status == FYKE_OK && i < ports->past_count; i++)
		status = store_span(&history, &ports->past[i].key, &ports->past[i].span, error);
	for (size_t i = 0; status == FYKE_OK && i < ports->ports.count; i++) {
		if (belongs(&history, &list[i]))
			status = store_span(&history, &list[i].key, &list[i].span, error);
	}
	sqlite3_finalize(history.latest);
	sqlite3_finalize(history.refused);
	sqlite3_finalize(history.extend);
	sqlite3_finalize(history.insert);
	return status;
}
