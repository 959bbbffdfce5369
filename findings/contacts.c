/*
 * One pass over `sessions` into a hash table; grouping in SQL would sort a million rows.
 *
 * A contact's addresses are not kept: its first session has them, and the table is made by a join with it.
 */
#include "findings/contacts.h"

#include "storage/index.h"
#include "storage/rows.h"
#include "storage/sql.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct contact {
	uint64_t key[2];
	int64_t first_id, said_id; /* said: the session with the most payload, whose service counts */
	int64_t said_bytes;
	int64_t first_us, last_us, longest_us;
	int64_t client_bytes, server_bytes, client_payload, server_payload;
	uint32_t sessions, guessed, opened, established, refused, unanswered, half_open, brief;
	uint32_t connects, fin_probes, null_probes, xmas_probes, ack_probes;
	uint32_t sample, sample_count; /* the latest in `samples`, plus 1 */
	struct fyke_rhythm rhythm;
};

struct sample {
	struct fyke_contact_sample what;
	uint32_t earlier; /* plus 1; 0 = none */
};

struct gatherer {
	struct fyke_index contacts;
	struct sample *samples;
	size_t sample_count, sample_room;
	struct fyke_rows rows;
	int64_t left_out;
};

/* Columns of the query. */
enum {
	ID,
	START,
	END,
	CLIENT,
	SERVER,
	PROTOCOL,
	PORT,
	GUESSED,
	STATE,
	HISTORY,
	CLIENT_PACKETS,
	SERVER_PACKETS,
	CLIENT_BYTES,
	SERVER_BYTES,
	CLIENT_PAYLOAD,
	SERVER_PAYLOAD,
	FLAGS
};

static const char query[] =
	"SELECT id, start_us, end_us, client_ip, server_ip, ip_protocol, server_port, roles_guessed, state, "
	"history,"
	" client_packets, server_packets, client_bytes, server_bytes, client_payload_bytes, "
	"server_payload_bytes,"
	" client_tcp_flags FROM main.sessions NOT INDEXED WHERE ?1 = 0 OR capture_id = ?1";

static const char table_sql[] =
	"CREATE TEMP TABLE contacts AS SELECT s.client_ip AS client_ip, s.server_ip AS server_ip,"
	" s.transport AS transport, s.server_port AS server_port, m.service AS service,"
	" m.content_service AS content_service, m.service_mismatch AS service_mismatch, m.server_name AS "
	"server_name,"
	" c0 AS session_id, c2 AS first_us, c3 AS last_us, c4 AS longest_us, c5 AS client_bytes, c6 AS "
	"server_bytes,"
	" c7 AS client_payload_bytes, c8 AS server_payload_bytes, c9 AS sessions, c10 AS guessed, c11 AS "
	"opened,"
	" c12 AS established, c13 AS refused, c14 AS unanswered, c15 AS half_open, c16 AS brief, c17 AS "
	"connects,"
	" c18 AS fin_probes, c19 AS null_probes, c20 AS xmas_probes, c21 AS ack_probes, c22 AS "
	"busiest_minute,"
	" c23 AS interval_us, c24 AS interval_spread_us, c25 AS size_bytes, c26 AS size_spread_bytes,"
	" c27 AS regularity, c28 AS sameness, c29 AS score"
	" FROM fyke_rows_contacts AS r JOIN main.sessions AS s ON s.id = r.c0 JOIN main.sessions AS m ON "
	"m.id = r.c1";

enum { COLUMN_RHYTHM = 23, COLUMN_REGULARITY = 27, COLUMN_COUNT = 30 };

static void rhythm_column(sqlite3_context *result, const struct fyke_rhythm *rhythm, size_t column)
{
	const int64_t numbers[] = {
		rhythm->interval_us, rhythm->interval_spread_us, rhythm->size, rhythm->size_spread};
	const double shares[] = {rhythm->regularity, rhythm->sameness, rhythm->score};

	if (!rhythm->known)
		return;
	if (column < COLUMN_REGULARITY)
		sqlite3_result_int64(result, numbers[column - COLUMN_RHYTHM]);
	else
		sqlite3_result_double(result, shares[column - COLUMN_REGULARITY]);
}

static void contact_column(const struct fyke_rows *rows, const void *data, size_t column,
	struct fyke_rows_scratch *scratch, sqlite3_context *result)
{
	const struct contact *c = data;
	const int64_t numbers[] = {c->first_id, c->said_id, c->first_us, c->last_us, c->longest_us,
		c->client_bytes, c->server_bytes, c->client_payload, c->server_payload, c->sessions,
		c->guessed, c->opened, c->established, c->refused, c->unanswered, c->half_open, c->brief,
		c->connects, c->fin_probes, c->null_probes, c->xmas_probes, c->ack_probes,
		c->rhythm.busiest_minute};

	(void)rows, (void)scratch;
	if (column >= COLUMN_RHYTHM)
		rhythm_column(result, &c->rhythm, column);
	else
		sqlite3_result_int64(result, numbers[column]);
}

static bool make_key(sqlite3_stmt *row, uint64_t seed, uint64_t key[2])
{
	struct {
		int32_t protocol, port;
		char client[48], server[48];
	} what = {.protocol = sqlite3_column_int(row, PROTOCOL),
		.port = sqlite3_column_type(row, PORT) == SQLITE_NULL ? -1 : sqlite3_column_int(row, PORT)};
	const char *client = (const char *)sqlite3_column_text(row, CLIENT);
	const char *server = (const char *)sqlite3_column_text(row, SERVER);
	XXH128_hash_t hash;

	if (client == NULL || server == NULL)
		return false;
	memcpy(what.client, client, strnlen(client, sizeof(what.client)));
	memcpy(what.server, server, strnlen(server, sizeof(what.server)));
	hash = XXH3_128bits_withSeed(&what, sizeof(what), seed);
	key[0] = hash.high64;
	key[1] = hash.low64;
	return true;
}

static bool has(const char *history, const char *letters)
{
	return strpbrk(history, letters) != NULL;
}

enum { FIN = 1, SYN = 2, ACK = 16, XMAS = 41, FLAGS_ASKED = 63, BRIEF_BYTES = 10000 };
#define BRIEF_US ((int64_t)60 * 1000000)

/* What the first sign of a client of TCP was: a knock, or a probe that no connection begins with. */
static void count_probe(struct contact *c, const char *history, int flags)
{
	flags &= FLAGS_ASKED;
	if ((flags & (SYN | ACK)) == (SYN | ACK))
		c->connects++;
	if (has(history, "Hh"))
		return;
	c->fin_probes += flags == FIN;
	c->null_probes += flags == 0;
	c->xmas_probes += flags == XMAS;
	c->ack_probes += flags == ACK;
}

static void count_tcp(struct contact *c, sqlite3_stmt *row)
{
	const char *history = (const char *)sqlite3_column_text(row, HISTORY);
	const char *state = (const char *)sqlite3_column_text(row, STATE);
	int64_t lasted_us = sqlite3_column_int64(row, END) - sqlite3_column_int64(row, START);
	bool opened, established;

	history = history == NULL ? "" : history;
	opened = has(history, "h");
	established = opened && has(history, "AD");
	c->opened += opened;
	c->established += established;
	c->refused += state != NULL && strcmp(state, "REJ") == 0;
	c->half_open += strcmp(history, "S") == 0 || strcmp(history, "Sh") == 0;
	c->brief += established && lasted_us < BRIEF_US &&
		    sqlite3_column_int64(row, CLIENT_PAYLOAD) < BRIEF_BYTES &&
		    sqlite3_column_int64(row, SERVER_PAYLOAD) < BRIEF_BYTES;
	count_probe(c, history, sqlite3_column_int(row, FLAGS));
}

static void add(int64_t *sum, int64_t value)
{
	*sum = (int64_t)((uint64_t)*sum + (uint64_t)value);
}

static void count_session(struct contact *c, bool fresh, sqlite3_stmt *row)
{
	int64_t id = sqlite3_column_int64(row, ID), start = sqlite3_column_int64(row, START);
	int64_t end = sqlite3_column_int64(row, END);
	int64_t client = sqlite3_column_int64(row, CLIENT_PAYLOAD),
		server = sqlite3_column_int64(row, SERVER_PAYLOAD);

	if (fresh || start < c->first_us) {
		c->first_us = start;
		c->first_id = id;
	}
	if (fresh || end > c->last_us)
		c->last_us = end;
	if (end - start > c->longest_us)
		c->longest_us = end - start;
	if (fresh || client + server > c->said_bytes) {
		c->said_bytes = client + server;
		c->said_id = id;
	}
	add(&c->client_bytes, sqlite3_column_int64(row, CLIENT_BYTES));
	add(&c->server_bytes, sqlite3_column_int64(row, SERVER_BYTES));
	add(&c->client_payload, client);
	add(&c->server_payload, server);
	c->sessions++;
	c->guessed += sqlite3_column_int(row, GUESSED) == 1;
	c->unanswered += sqlite3_column_int64(row, SERVER_PACKETS) == 0;
	if (sqlite3_column_int(row, PROTOCOL) == 6)
		count_tcp(c, row);
}

static bool add_sample(struct gatherer *g, struct contact *c, sqlite3_stmt *row)
{
	if (c->sample_count == FYKE_CONTACT_SAMPLES_MAX || g->sample_count == FYKE_SAMPLES_MAX)
		return true;
	if (g->sample_count == g->sample_room) {
		size_t room = g->sample_room == 0 ? 1024 : g->sample_room * 2;
		struct sample *larger = realloc(g->samples, room * sizeof(*larger));

		if (larger == NULL)
			return false;
		g->samples = larger;
		g->sample_room = room;
	}
	g->samples[g->sample_count] = (struct sample){
		{sqlite3_column_int64(row, START), sqlite3_column_int64(row, CLIENT_BYTES)}, c->sample};
	c->sample = (uint32_t)++g->sample_count;
	c->sample_count++;
	return true;
}

static bool take_row(struct gatherer *g, sqlite3_stmt *row)
{
	struct contact *c;
	uint64_t key[2];
	bool fresh;

	if (!make_key(row, g->contacts.seed, key))
		return true;
	c = fyke_index_add(&g->contacts, key, &fresh);
	if (c == NULL) {
		g->left_out++;
		return true;
	}
	count_session(c, fresh, row);
	return add_sample(g, c, row);
}

static bool find_rhythms(struct gatherer *g)
{
	struct fyke_contact_sample *list = calloc(FYKE_CONTACT_SAMPLES_MAX, sizeof(*list));
	int64_t *room = calloc(FYKE_CONTACT_SAMPLES_MAX, sizeof(*room));
	struct contact *contacts = g->contacts.items;

	for (size_t i = 0; list != NULL && room != NULL && i < g->contacts.count; i++) {
		int64_t count = 0;

		for (uint32_t at = contacts[i].sample; at != 0; at = g->samples[at - 1].earlier)
			list[count++] = g->samples[at - 1].what;
		contacts[i].rhythm = fyke_rhythm_of(list, count, room);
	}
	free(room);
	free(list);
	return list != NULL && room != NULL;
}

static enum fyke_status gather(struct gatherer *g, sqlite3 *db, int64_t capture_id, struct fyke_error *error)
{
	sqlite3_stmt *rows = NULL;
	enum fyke_status status = fyke_sql_prepare(db, query, &rows, error);
	int step;

	if (status != FYKE_OK)
		return status;
	sqlite3_bind_int64(rows, 1, capture_id);
	while ((step = sqlite3_step(rows)) == SQLITE_ROW) {
		if (!take_row(g, rows)) {
			sqlite3_finalize(rows);
			return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory for contacts");
		}
	}
	if (step != SQLITE_DONE)
		status = fyke_sql_failed(db, error);
	sqlite3_finalize(rows);
	return status;
}

enum fyke_status fyke_contacts_make(
	sqlite3 *db, int64_t capture_id, int64_t *left_out, struct fyke_error *error)
{
	struct gatherer *g = calloc(1, sizeof(*g));
	enum fyke_status status;

	if (g == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory for contacts");
	fyke_index_init(
		&g->contacts, sizeof(struct contact), sizeof(((struct contact *)0)->key), FYKE_CONTACTS_MAX);
	g->rows = (struct fyke_rows){.size = sizeof(struct contact),
		.column_count = COLUMN_COUNT,
		.column = contact_column,
		.context = g};
	status = gather(g, db, capture_id, error);
	if (status == FYKE_OK && !find_rhythms(g))
		status = fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory for contacts");
	g->rows.rows = g->contacts.items;
	g->rows.count = g->contacts.count;
	if (status == FYKE_OK)
		status = fyke_rows_register(db, "contacts", &g->rows, error);
	if (status == FYKE_OK)
		status = fyke_sql_run(db, table_sql, error);
	(void)sqlite3_create_module_v2(
		db, "fyke_rows_contacts", NULL, NULL, NULL); /* it goes with the gatherer */
	*left_out = g->left_out;
	fyke_index_release(&g->contacts);
	free(g->samples);
	free(g);
	return status;
}
