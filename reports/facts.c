/* One pass over sessions and one over tcp (facts.h). Grouping in SQL would go through an index or a sorter.
 */
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

enum fyke_status fyke_report_find_capture(
	struct fyke_database *database, int64_t asked, int64_t *capture_id, struct fyke_error *error)
{
	return fyke_facts_capture(fyke_database_handle(database), asked, capture_id, error);
}

/* Arguments of fyke_take_session, in the order of session_query. */
enum column {
	COLUMN_START,
	COLUMN_LAST,
	COLUMN_TRANSPORT,
	COLUMN_CLIENT_IP,
	COLUMN_SERVER_IP,
	COLUMN_SERVICE,
	COLUMN_MISMATCH,
	COLUMN_GUESSED,
	COLUMN_STATE,
	COLUMN_END,
	COLUMN_CLIENT_PACKETS,
	COLUMN_SERVER_PACKETS,
	COLUMN_CLIENT_BYTES,
	COLUMN_SERVER_BYTES,
	COLUMN_CLIENT_PAYLOAD,
	COLUMN_SERVER_PAYLOAD,
	COLUMN_CHECKSUMS,
	COLUMN_MISFIT,
	COLUMN_MISFIT_PORT,
};

static const char session_query[] =
	"SELECT fyke_take_session(start_us, end_us, transport, client_ip, server_ip, service,"
	" service_mismatch, roles_guessed, state, end_reason, client_packets, server_packets, client_bytes,"
	" server_bytes, client_payload_bytes, server_payload_bytes, bad_checksums,"
	" iif(service_mismatch = 1, content_service, NULL), iif(service_mismatch = 1, port_service, NULL))"
	" FROM sessions NOT INDEXED WHERE ?1 = 0 OR capture_id = ?1";

/* Arguments of fyke_take_tcp, in the order of tcp_query. */
enum {
	TCP_HANDSHAKE,
	TCP_HANDSHAKE_SERVER,
	TCP_HANDSHAKE_CLIENT,
	TCP_RTT_CLIENT,
	TCP_RTT_SERVER,
	TCP_COUNTERS
};

static char *tcp_query(int64_t capture_id)
{
	sqlite3_str *sql = sqlite3_str_new(NULL);

	sqlite3_str_appendall(sql,
		"SELECT fyke_take_tcp(t.handshake_us, t.handshake_server_us, t.handshake_client_us,"
		" t.client_rtt_mean_us, t.server_rtt_mean_us");
	for (int i = 0; i < FYKE_FACTS_TCP_COUNT; i++)
		sqlite3_str_appendf(sql, ", t.client_%s, t.server_%s", tcp_names[i], tcp_names[i]);
	sqlite3_str_appendall(sql, ") FROM tcp AS t NOT INDEXED");
	if (capture_id != 0)
		sqlite3_str_appendall(
			sql, " CROSS JOIN sessions AS s ON s.id = t.session_id WHERE s.capture_id = ?1");
	return sqlite3_str_finish(sql);
}

/* Databases come from anybody: sums wrap rather than overflow. */
static void add(int64_t *sum, int64_t value)
{
	*sum = (int64_t)((uint64_t)*sum + (uint64_t)value);
}

static bool sample(struct fyke_samples *samples, sqlite3_value *value)
{
	return sqlite3_value_type(value) != SQLITE_INTEGER ||
	       fyke_samples_add(samples, sqlite3_value_int64(value));
}

static bool take_tcp(struct fyke_facts *facts, sqlite3_value **values)
{
	facts->tcp_past_syn++;
	for (int i = 0; i < 2 * FYKE_FACTS_TCP_COUNT; i++) {
		struct fyke_sum *sum = &facts->tcp[i / 2];
		sqlite3_value *value = values[TCP_COUNTERS + i];

		if (sqlite3_value_type(value) != SQLITE_INTEGER)
			continue;
		sum->known = true;
		add(&sum->value, sqlite3_value_int64(value));
	}
	return sample(&facts->handshake_us, values[TCP_HANDSHAKE]) &&
	       sample(&facts->handshake_server_us, values[TCP_HANDSHAKE_SERVER]) &&
	       sample(&facts->handshake_client_us, values[TCP_HANDSHAKE_CLIENT]) &&
	       sample(&facts->rtt_us, values[TCP_RTT_CLIENT]) &&
	       sample(&facts->rtt_us, values[TCP_RTT_SERVER]);
}

struct text {
	const char *bytes; /* "" for NULL; ends at its first NUL */
	size_t length;
};

static struct text text_of(sqlite3_value *value)
{
	const char *bytes = (const char *)sqlite3_value_text(value);

	if (bytes == NULL)
		return (struct text){"", 0};
	return (struct text){bytes, strlen(bytes)};
}

/* Numbers of the names met last, so that a row costs no search through all of them. */
struct name_cache {
	struct {
		char text[24];
		size_t length;
		int number;
	} slots[64];
};

static int number_of(struct name_cache *cache, struct text text, int (*find)(const char *name))
{
	size_t slot;
	int number;

	if (text.length == 0 || text.length >= sizeof(cache->slots[0].text))
		return find(text.bytes);
	slot = ((size_t)(unsigned char)text.bytes[text.length - 1] * 7 +
		       (size_t)(unsigned char)text.bytes[0] * 31 + text.length) %
	       (sizeof(cache->slots) / sizeof(cache->slots[0]));
	if (cache->slots[slot].length == text.length &&
		memcmp(cache->slots[slot].text, text.bytes, text.length) == 0)
		return cache->slots[slot].number;
	number = find(text.bytes);
	memcpy(cache->slots[slot].text, text.bytes, text.length);
	cache->slots[slot].length = text.length;
	cache->slots[slot].number = number;
	return number;
}

static int find_state(const char *name)
{
	for (int i = 0; i < FYKE_STATE_COUNT; i++) {
		if (strcmp(fyke_state_name((enum fyke_state)i), name) == 0)
			return i;
	}
	return FYKE_STATE_OTH;
}

static int find_end(const char *name)
{
	for (int i = FYKE_END_OPEN + 1; i < FYKE_END_COUNT; i++) {
		if (strcmp(fyke_end_name((enum fyke_end)i), name) == 0)
			return i;
	}
	return FYKE_END_OPEN;
}

struct pass {
	struct fyke_facts *facts;
	struct name_cache states, ends;
};

/* What one session moved, by side. */
struct traffic {
	int64_t packets[2], bytes[2];
	bool mismatch;
};

/* `server`: the key is the server's, so what the server sent is what it sent. */
static bool count_traffic(
	struct fyke_tally *tally, struct text key, const struct traffic *traffic, bool server)
{
	int64_t *counters = fyke_tally_at(tally, key.bytes, key.length);

	if (counters == NULL)
		return false;
	counters[FYKE_TALLY_SESSIONS]++;
	counters[server ? FYKE_TALLY_SERVER_SESSIONS : FYKE_TALLY_CLIENT_SESSIONS]++;
	add(&counters[FYKE_TALLY_SENT_PACKETS], traffic->packets[server]);
	add(&counters[FYKE_TALLY_RECEIVED_PACKETS], traffic->packets[!server]);
	add(&counters[FYKE_TALLY_SENT_BYTES], traffic->bytes[server]);
	add(&counters[FYKE_TALLY_RECEIVED_BYTES], traffic->bytes[!server]);
	counters[FYKE_TALLY_MISMATCHES] += traffic->mismatch;
	return true;
}

/* Its key is "a, tab, b". */
static bool count_both(struct fyke_tally *tally, struct text a, struct text b, const struct traffic *traffic)
{
	char key[256];
	size_t length = a.length < 200 ? a.length : 200;
	size_t rest = b.length < 40 ? b.length : 40;

	memcpy(key, a.bytes, length);
	key[length++] = '\t';
	memcpy(key + length, b.bytes, rest);
	return count_traffic(tally, (struct text){key, length + rest}, traffic, false);
}

/* Without its bytes: what has the most sessions comes first. */
static bool count_misfit(struct fyke_facts *facts, sqlite3_value **row, const struct traffic *traffic)
{
	static const struct traffic none;

	return !traffic->mismatch || count_both(&facts->misfits, text_of(row[COLUMN_MISFIT]),
					     text_of(row[COLUMN_MISFIT_PORT]), &none);
}

static bool count_hosts(struct fyke_facts *facts, sqlite3_value **row, const struct traffic *traffic)
{
	struct text client = text_of(row[COLUMN_CLIENT_IP]), server = text_of(row[COLUMN_SERVER_IP]);

	if (client.length > 0 && !count_traffic(&facts->hosts, client, traffic, false))
		return false;
	if (server.length == 0 ||
		(client.length == server.length && memcmp(client.bytes, server.bytes, client.length) == 0))
		return true;
	return count_traffic(&facts->hosts, server, traffic, true);
}

static void count_times(struct fyke_facts *facts, sqlite3_value **row)
{
	int64_t start = sqlite3_value_int64(row[COLUMN_START]), last = sqlite3_value_int64(row[COLUMN_LAST]);

	if (facts->sessions == 0 || start < facts->first_us)
		facts->first_us = start;
	if (facts->sessions == 0 || last > facts->last_us)
		facts->last_us = last;
}

static void count_sums(struct fyke_facts *facts, sqlite3_value **row, const struct traffic *traffic)
{
	facts->guessed_roles += sqlite3_value_int64(row[COLUMN_GUESSED]) == 1;
	add(&facts->packets, traffic->packets[0]);
	add(&facts->packets, traffic->packets[1]);
	add(&facts->bytes, traffic->bytes[0]);
	add(&facts->bytes, traffic->bytes[1]);
	add(&facts->payload_bytes, sqlite3_value_int64(row[COLUMN_CLIENT_PAYLOAD]));
	add(&facts->payload_bytes, sqlite3_value_int64(row[COLUMN_SERVER_PAYLOAD]));
	add(&facts->bad_checksums, sqlite3_value_int64(row[COLUMN_CHECKSUMS]));
}

static bool take_session(struct pass *pass, sqlite3_value **row)
{
	struct fyke_facts *facts = pass->facts;
	struct text transport = text_of(row[COLUMN_TRANSPORT]), service = text_of(row[COLUMN_SERVICE]);
	int state = number_of(&pass->states, text_of(row[COLUMN_STATE]), find_state);
	int end = number_of(&pass->ends, text_of(row[COLUMN_END]), find_end);
	struct traffic traffic = {{sqlite3_value_int64(row[COLUMN_CLIENT_PACKETS]),
					  sqlite3_value_int64(row[COLUMN_SERVER_PACKETS])},
		{sqlite3_value_int64(row[COLUMN_CLIENT_BYTES]),
			sqlite3_value_int64(row[COLUMN_SERVER_BYTES])},
		sqlite3_value_int64(row[COLUMN_MISMATCH]) == 1};

	count_times(facts, row);
	count_sums(facts, row, &traffic);
	facts->sessions++;
	facts->states[state]++;
	facts->ends[end]++;
	facts->open_sessions += end == FYKE_END_OPEN;
	if (transport.length == 3 && memcmp(transport.bytes, "tcp", 3) == 0) {
		facts->tcp_sessions++;
		facts->tcp_states[state]++;
		add(&facts->tcp_packets, traffic.packets[0]);
		add(&facts->tcp_packets, traffic.packets[1]);
	}
	return count_traffic(&facts->transports, transport, &traffic, false) &&
	       count_both(&facts->services, service, transport, &traffic) &&
	       count_misfit(facts, row, &traffic) && count_hosts(facts, row, &traffic);
}

static void step_session(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	if (!take_session(sqlite3_user_data(context), values))
		sqlite3_result_error_nomem(context);
}

static void step_tcp(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	if (!take_tcp(sqlite3_user_data(context), values))
		sqlite3_result_error_nomem(context);
}

static void end_pass(sqlite3_context *context)
{
	sqlite3_result_null(context);
}

enum fyke_status fyke_facts_pass(struct sqlite3 *db, const struct fyke_facts_reader *reader, const char *sql,
	int64_t capture_id, struct fyke_error *error)
{
	int flags = SQLITE_UTF8 | SQLITE_DIRECTONLY;
	sqlite3_stmt *statement;
	enum fyke_status status;

	if (sqlite3_create_function_v2(db, reader->name, -1, flags, reader->context, NULL, reader->step,
		    end_pass, NULL) != SQLITE_OK)
		return failed(db, error);
	status = fyke_facts_prepare(db, sql, capture_id, &statement, error);
	while (status == FYKE_OK && fyke_facts_step(&statement, &status, error))
		continue;
	(void)sqlite3_create_function_v2(db, reader->name, -1, flags, NULL, NULL, NULL, NULL, NULL);
	return status;
}

static void sort_all(struct fyke_facts *facts)
{
	fyke_tally_sort(&facts->transports);
	fyke_tally_sort(&facts->services);
	fyke_tally_sort(&facts->misfits);
	fyke_tally_sort(&facts->hosts);
	fyke_samples_sort(&facts->handshake_us);
	fyke_samples_sort(&facts->handshake_server_us);
	fyke_samples_sort(&facts->handshake_client_us);
	fyke_samples_sort(&facts->rtt_us);
}

/* Rows of the only capture need no question whose they are. */
static enum fyke_status find_scope(
	struct sqlite3 *db, int64_t capture_id, int64_t *scope, struct fyke_error *error)
{
	sqlite3_stmt *statement;
	enum fyke_status status = fyke_facts_prepare(
		db, "SELECT iif(count(*) = 1, 0, ?1) FROM captures", capture_id, &statement, error);

	*scope = capture_id;
	while (status == FYKE_OK && fyke_facts_step(&statement, &status, error))
		*scope = sqlite3_column_int64(statement, 0);
	return status;
}

enum fyke_status fyke_facts_gather(
	struct sqlite3 *db, int64_t capture_id, struct fyke_facts *facts, struct fyke_error *error)
{
	struct pass pass = {.facts = facts};
	const struct fyke_facts_reader sessions = {"fyke_take_session", step_session, &pass},
				       tcp = {"fyke_take_tcp", step_tcp, facts};
	enum fyke_status status;
	char *sql;

	*facts = (struct fyke_facts){0};
	status = find_scope(db, capture_id, &facts->scope, error);
	if (status == FYKE_OK)
		status = fyke_facts_pass(db, &sessions, session_query, facts->scope, error);
	if (status == FYKE_OK)
		status = fyke_facts_gather_folded(db, facts->scope, facts, error);
	sql = tcp_query(facts->scope);
	if (status == FYKE_OK)
		status = fyke_facts_pass(db, &tcp, sql, facts->scope, error);
	sqlite3_free(sql);
	sort_all(facts);
	return status;
}

void fyke_facts_release(struct fyke_facts *facts)
{
	fyke_tally_release(&facts->transports);
	fyke_tally_release(&facts->services);
	fyke_tally_release(&facts->misfits);
	fyke_tally_release(&facts->hosts);
	fyke_samples_release(&facts->handshake_us);
	fyke_samples_release(&facts->handshake_server_us);
	fyke_samples_release(&facts->handshake_client_us);
	fyke_samples_release(&facts->rtt_us);
}
