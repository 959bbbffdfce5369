/* One pass over sessions and tcp (facts.h). Grouping in SQL would go through an index or a sorter. */
#include "reports/facts.h"

#include "reports/report.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const tcp_names[] = {
#define X(name) #name,
	FYKE_FACTS_TCP_COUNTERS(X)
#undef X
};

const char *fyke_facts_tcp_name(enum fyke_facts_tcp_counter counter)
{
	return tcp_names[counter];
}

static enum fyke_status failed(struct sqlite3 *db, struct fyke_error *error)
{
	return fyke_error_set(
		error, FYKE_FAILED_DATABASE, "cannot read the database: %s", sqlite3_errmsg(db));
}

enum fyke_status fyke_facts_prepare(struct sqlite3 *db, const char *sql, int64_t capture_id,
	struct sqlite3_stmt **statement, struct fyke_error *error)
{
	*statement = NULL;
	if (sql == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	if (sqlite3_prepare_v2(db, sql, -1, statement, NULL) != SQLITE_OK)
		return failed(db, error);
	if (sqlite3_bind_parameter_count(*statement) > 0)
		sqlite3_bind_int64(*statement, 1, capture_id);
	return FYKE_OK;
}

bool fyke_facts_step(struct sqlite3_stmt **statement, enum fyke_status *status, struct fyke_error *error)
{
	int code = sqlite3_step(*statement);

	if (code == SQLITE_ROW)
		return true;
	*status = code == SQLITE_DONE ? FYKE_OK : failed(sqlite3_db_handle(*statement), error);
	sqlite3_finalize(*statement);
	*statement = NULL;
	return false;
}

enum fyke_status fyke_facts_begin(struct sqlite3 *db, struct fyke_error *error)
{
	return sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK ? FYKE_OK : failed(db, error);
}

void fyke_facts_end(struct sqlite3 *db)
{
	(void)sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
}

bool fyke_report_parse_capture(const char *text, int64_t *capture)
{
	char *end;

	if (strcmp(text, "last") == 0 || strcmp(text, "all") == 0) {
		*capture = strcmp(text, "all") == 0 ? FYKE_REPORT_ALL : FYKE_REPORT_LAST;
		return true;
	}
	errno = 0;
	*capture = strtoll(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *capture > 0;
}

enum fyke_status fyke_facts_capture(
	struct sqlite3 *db, int64_t asked, int64_t *capture_id, struct fyke_error *error)
{
	const char *sql = asked == FYKE_REPORT_LAST ? "SELECT max(id) FROM captures WHERE ?1 = -1"
						    : "SELECT id FROM captures WHERE id = ?1";
	sqlite3_stmt *statement;
	enum fyke_status status;

	*capture_id = 0;
	if (asked == FYKE_REPORT_ALL)
		return FYKE_OK;
	status = fyke_facts_prepare(db, sql, asked, &statement, error);
	if (status != FYKE_OK)
		return status;
	while (fyke_facts_step(&statement, &status, error))
		*capture_id = sqlite3_column_int64(statement, 0);
	if (status == FYKE_OK && asked > 0 && *capture_id == 0)
		return fyke_error_set(
			error, FYKE_FAILED_USAGE, "the database has no capture %lld", (long long)asked);
	return status;
}

enum column {
	COLUMN_ID,
	COLUMN_TRANSPORT,
	COLUMN_CLIENT_IP,
	COLUMN_SERVER_IP,
	COLUMN_SERVICE,
	COLUMN_STATE,
	COLUMN_END,
	COLUMN_CLIENT_PACKETS,
	COLUMN_SERVER_PACKETS,
	COLUMN_CLIENT_BYTES,
	COLUMN_SERVER_BYTES,
	COLUMN_PAYLOAD,
	COLUMN_GUESSED,
	COLUMN_CHECKSUMS,
	COLUMN_START,
	COLUMN_LAST,
	COLUMN_MISMATCH,
};

#define SESSION_COLUMNS                                                                                      \
	"SELECT id, transport, client_ip, server_ip, service, state, end_reason, client_packets, "           \
	"server_packets,"                                                                                    \
	" client_bytes, server_bytes, ifnull(client_payload_bytes, 0) + ifnull(server_payload_bytes, 0),"    \
	" roles_guessed, bad_checksums, start_us, end_us, service_mismatch FROM sessions NOT INDEXED"

/* Columns of a `tcp` row, in the order of tcp_query. */
enum {
	TCP_ID,
	TCP_HANDSHAKE,
	TCP_HANDSHAKE_SERVER,
	TCP_HANDSHAKE_CLIENT,
	TCP_RTT_CLIENT,
	TCP_RTT_SERVER,
	TCP_COUNTERS
};

static char *tcp_query(void)
{
	sqlite3_str *sql = sqlite3_str_new(NULL);

	sqlite3_str_appendall(sql,
		"SELECT session_id, handshake_us, handshake_server_us, handshake_client_us,"
		" client_rtt_mean_us, server_rtt_mean_us");
	for (int i = 0; i < FYKE_FACTS_TCP_COUNT; i++)
		sqlite3_str_appendf(sql, ", client_%s, server_%s", tcp_names[i], tcp_names[i]);
	sqlite3_str_appendall(sql, " FROM tcp NOT INDEXED ORDER BY session_id");
	return sqlite3_str_finish(sql);
}

/* Databases come from anybody: sums wrap rather than overflow. */
static void add(int64_t *sum, int64_t value)
{
	*sum = (int64_t)((uint64_t)*sum + (uint64_t)value);
}

static bool is_known(sqlite3_stmt *row, int column)
{
	return sqlite3_column_type(row, column) == SQLITE_INTEGER;
}

static bool sample(struct fyke_samples *samples, sqlite3_stmt *row, int column)
{
	return !is_known(row, column) || fyke_samples_add(samples, sqlite3_column_int64(row, column));
}

static bool take_tcp(struct fyke_facts *facts, sqlite3_stmt *row)
{
	facts->tcp_past_syn++;
	for (int i = 0; i < 2 * FYKE_FACTS_TCP_COUNT; i++) {
		struct fyke_sum *sum = &facts->tcp[i / 2];

		if (!is_known(row, TCP_COUNTERS + i))
			continue;
		sum->known = true;
		add(&sum->value, sqlite3_column_int64(row, TCP_COUNTERS + i));
	}
	return sample(&facts->handshake_us, row, TCP_HANDSHAKE) &&
	       sample(&facts->handshake_server_us, row, TCP_HANDSHAKE_SERVER) &&
	       sample(&facts->handshake_client_us, row, TCP_HANDSHAKE_CLIENT) &&
	       sample(&facts->rtt_us, row, TCP_RTT_CLIENT) && sample(&facts->rtt_us, row, TCP_RTT_SERVER);
}

static const char *text_of(sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	return text == NULL ? "" : text;
}

static enum fyke_state state_of(sqlite3_stmt *row)
{
	const char *name = text_of(row, COLUMN_STATE);

	for (int i = 0; i < FYKE_STATE_COUNT; i++) {
		if (strcmp(fyke_state_name((enum fyke_state)i), name) == 0)
			return (enum fyke_state)i;
	}
	return FYKE_STATE_OTH;
}

static enum fyke_end end_of(sqlite3_stmt *row)
{
	const char *name = text_of(row, COLUMN_END);

	for (int i = FYKE_END_OPEN + 1; i < FYKE_END_COUNT; i++) {
		if (strcmp(fyke_end_name((enum fyke_end)i), name) == 0)
			return (enum fyke_end)i;
	}
	return FYKE_END_OPEN;
}

/* `swapped`: the counters of a host that was the server. */
static bool count_traffic(struct fyke_tally *tally, const char *key, sqlite3_stmt *row, bool swapped)
{
	int64_t *counters = fyke_tally_at(tally, key, strlen(key));

	if (counters == NULL)
		return false;
	counters[FYKE_TALLY_SESSIONS]++;
	counters[swapped ? FYKE_TALLY_SERVER_SESSIONS : FYKE_TALLY_CLIENT_SESSIONS]++;
	add(&counters[swapped ? FYKE_TALLY_RECEIVED_PACKETS : FYKE_TALLY_SENT_PACKETS],
		sqlite3_column_int64(row, COLUMN_CLIENT_PACKETS));
	add(&counters[swapped ? FYKE_TALLY_SENT_PACKETS : FYKE_TALLY_RECEIVED_PACKETS],
		sqlite3_column_int64(row, COLUMN_SERVER_PACKETS));
	add(&counters[swapped ? FYKE_TALLY_RECEIVED_BYTES : FYKE_TALLY_SENT_BYTES],
		sqlite3_column_int64(row, COLUMN_CLIENT_BYTES));
	add(&counters[swapped ? FYKE_TALLY_SENT_BYTES : FYKE_TALLY_RECEIVED_BYTES],
		sqlite3_column_int64(row, COLUMN_SERVER_BYTES));
	if (sqlite3_column_int64(row, COLUMN_MISMATCH) == 1)
		counters[FYKE_TALLY_MISMATCHES]++;
	return true;
}

static bool count_service(struct fyke_facts *facts, sqlite3_stmt *row)
{
	char key[256];

	snprintf(key, sizeof(key), "%.200s\t%.40s", text_of(row, COLUMN_SERVICE),
		text_of(row, COLUMN_TRANSPORT));
	return count_traffic(&facts->services, key, row, false);
}

static bool count_hosts(struct fyke_facts *facts, sqlite3_stmt *row)
{
	const char *client = text_of(row, COLUMN_CLIENT_IP), *server = text_of(row, COLUMN_SERVER_IP);

	if (client[0] != '\0' && !count_traffic(&facts->hosts, client, row, false))
		return false;
	return server[0] == '\0' || strcmp(client, server) == 0 ||
	       count_traffic(&facts->hosts, server, row, true);
}

static void count_times(struct fyke_facts *facts, sqlite3_stmt *row)
{
	int64_t start = sqlite3_column_int64(row, COLUMN_START),
		last = sqlite3_column_int64(row, COLUMN_LAST);

	if (facts->sessions == 0 || start < facts->first_us)
		facts->first_us = start;
	if (facts->sessions == 0 || last > facts->last_us)
		facts->last_us = last;
}

static bool take_session(struct fyke_facts *facts, sqlite3_stmt *row)
{
	enum fyke_state state = state_of(row);
	enum fyke_end end = end_of(row);
	int64_t packets = 0;

	count_times(facts, row);
	facts->sessions++;
	facts->states[state]++;
	facts->ends[end]++;
	facts->open_sessions += end == FYKE_END_OPEN;
	facts->guessed_roles += sqlite3_column_int64(row, COLUMN_GUESSED) == 1;
	add(&packets, sqlite3_column_int64(row, COLUMN_CLIENT_PACKETS));
	add(&packets, sqlite3_column_int64(row, COLUMN_SERVER_PACKETS));
	add(&facts->packets, packets);
	add(&facts->bytes, sqlite3_column_int64(row, COLUMN_CLIENT_BYTES));
	add(&facts->bytes, sqlite3_column_int64(row, COLUMN_SERVER_BYTES));
	add(&facts->payload_bytes, sqlite3_column_int64(row, COLUMN_PAYLOAD));
	add(&facts->bad_checksums, sqlite3_column_int64(row, COLUMN_CHECKSUMS));
	if (strcmp(text_of(row, COLUMN_TRANSPORT), "tcp") == 0) {
		facts->tcp_sessions++;
		facts->tcp_states[state]++;
		add(&facts->tcp_packets, packets);
	}
	return count_traffic(&facts->transports, text_of(row, COLUMN_TRANSPORT), row, false) &&
	       count_service(facts, row) && count_hosts(facts, row);
}

/* Both statements ascend by session: the row of `tcp` that belongs to a session is found in passing. */
static bool take_rows(struct fyke_facts *facts, sqlite3_stmt *sessions, sqlite3_stmt **tcp,
	enum fyke_status *status, struct fyke_error *error)
{
	int64_t id = sqlite3_column_int64(sessions, COLUMN_ID);

	if (!take_session(facts, sessions))
		return false;
	while (*tcp != NULL && sqlite3_column_int64(*tcp, TCP_ID) < id) {
		if (!fyke_facts_step(tcp, status, error))
			return *status == FYKE_OK;
	}
	return *tcp == NULL || sqlite3_column_int64(*tcp, TCP_ID) != id || take_tcp(facts, *tcp);
}

static enum fyke_status take_all(
	struct fyke_facts *facts, sqlite3_stmt *sessions, sqlite3_stmt *tcp, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK, tcp_status = FYKE_OK;
	bool good = true;

	if (!fyke_facts_step(&tcp, &tcp_status, error))
		good = tcp_status == FYKE_OK;
	while (good && fyke_facts_step(&sessions, &status, error))
		good = take_rows(facts, sessions, &tcp, &tcp_status, error);
	sqlite3_finalize(sessions);
	sqlite3_finalize(tcp);
	if (status != FYKE_OK || tcp_status != FYKE_OK)
		return status != FYKE_OK ? status : tcp_status;
	return good ? FYKE_OK : fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
}

static void sort_all(struct fyke_facts *facts)
{
	fyke_tally_sort(&facts->transports);
	fyke_tally_sort(&facts->services);
	fyke_tally_sort(&facts->hosts);
	fyke_samples_sort(&facts->handshake_us);
	fyke_samples_sort(&facts->handshake_server_us);
	fyke_samples_sort(&facts->handshake_client_us);
	fyke_samples_sort(&facts->rtt_us);
}

enum fyke_status fyke_facts_gather(
	struct sqlite3 *db, int64_t capture_id, struct fyke_facts *facts, struct fyke_error *error)
{
	const char *sql = capture_id == 0 ? SESSION_COLUMNS " ORDER BY id"
					  : SESSION_COLUMNS " WHERE capture_id = ?1 ORDER BY id";
	sqlite3_stmt *sessions = NULL, *tcp = NULL;
	char *tcp_sql = tcp_query();
	enum fyke_status status;

	*facts = (struct fyke_facts){0};
	status = fyke_facts_prepare(db, sql, capture_id, &sessions, error);
	if (status == FYKE_OK)
		status = fyke_facts_prepare(db, tcp_sql, 0, &tcp, error);
	sqlite3_free(tcp_sql);
	if (status != FYKE_OK) {
		sqlite3_finalize(sessions);
		return status;
	}
	status = take_all(facts, sessions, tcp, error);
	sort_all(facts);
	return status;
}

void fyke_facts_release(struct fyke_facts *facts)
{
	fyke_tally_release(&facts->transports);
	fyke_tally_release(&facts->services);
	fyke_tally_release(&facts->hosts);
	fyke_samples_release(&facts->handshake_us);
	fyke_samples_release(&facts->handshake_server_us);
	fyke_samples_release(&facts->handshake_client_us);
	fyke_samples_release(&facts->rtt_us);
}
