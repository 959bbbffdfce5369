/*
 * One pass over `sessions` into a hash table; grouping in SQL would sort a million rows.
 *
 * The table of rules is a view of this one: nothing is copied, and a rule pays only for columns that it
 * reads.
 */
#include "findings/contacts_parts.h"

#include "analyzer/base/grow.h"
#include "analyzer/session/transport.h"
#include "storage/sql.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define TEXTS_MAX ((size_t)1 << 30)

/* Columns of the query. */
/* clang-format off */
enum {
	ID, START, END, CLIENT, SERVER, PROTOCOL, PORT, GUESSED, STATE, HISTORY, CLIENT_PACKETS, SERVER_PACKETS, CLIENT_BYTES,
	SERVER_BYTES, CLIENT_PAYLOAD, SERVER_PAYLOAD, FLAGS, SERVICE, CONTENT_SERVICE, SERVER_NAME, MISMATCH, CLIENT_TTL, SERVER_TTL,
	CLIENT_RESENT, SERVER_RESENT, RESEND_WAIT, HANDSHAKE
};

static const char query[] =
	"SELECT s.id, s.start_us, s.end_us, s.client_ip, s.server_ip, s.ip_protocol, s.server_port, s.roles_guessed, s.state,"
	" s.history, s.client_packets, s.server_packets, s.client_bytes, s.server_bytes, s.client_payload_bytes,"
	" s.server_payload_bytes, s.client_tcp_flags, s.service, s.content_service, s.server_name, s.service_mismatch,"
	" s.client_ttl, s.server_ttl, t.client_retransmitted_segments, t.server_retransmitted_segments, t.resend_wait_us,"
	" iif(t.client_syn_retransmissions > 0 OR t.server_syn_retransmissions > 0, NULL, t.handshake_us)"
	" FROM main.sessions AS s NOT INDEXED LEFT JOIN main.tcp AS t ON t.session_id = s.id WHERE ?1 = 0 OR s.capture_id = ?1";

/* The view's columns, in the order of `numbers` in contact_column behind the texts. */
static const char *const names[] = {"client_ip", "server_ip", "transport", "service", "content_service", "server_name",
	"server_port", "service_mismatch", "session_id", "first_us", "last_us", "longest_us", "client_bytes", "server_bytes",
	"client_payload_bytes", "server_payload_bytes", "client_packets", "server_packets", "sessions", "guessed", "opened",
	"established", "refused", "unanswered", "half_open", "brief", "mismatches", "connects", "fin_probes", "null_probes",
	"xmas_probes", "ack_probes", "busiest_minute", "client_resent", "server_resent", "resend_wait_us", "handshakes",
	"handshake_us", "handshake_least_us", "low_ttls", "middle_ttls", "high_ttls", "ttl", "ttl_sessions", "later_ttl",
	"later_ttl_sessions", "ttls_mixed", "ttl_change_us", "established_us", "established_id", "interval_us", "interval_spread_us", "size_bytes",
	"size_spread_bytes", "regularity", "sameness", "score"};
/* clang-format on */
enum { TEXT_COUNT = 6, COLUMN_PORT = 6, COLUMN_COUNT = sizeof(names) / sizeof(names[0]), RHYTHM_COUNT = 7 };

static void rhythm_column(sqlite3_context *result, const struct fyke_rhythm *rhythm, size_t at)
{
	const int64_t numbers[] = {
		rhythm->interval_us, rhythm->interval_spread_us, rhythm->size, rhythm->size_spread};
	const double shares[] = {rhythm->regularity, rhythm->sameness, rhythm->score};

	if (!rhythm->known)
		return;
	if (at < 4)
		sqlite3_result_int64(result, numbers[at]);
	else
		sqlite3_result_double(result, shares[at - 4]);
}

static void text_column(
	sqlite3_context *result, const struct fyke_contacts *all, const struct contact *c, size_t column)
{
	const uint32_t places[TEXT_COUNT] = {
		c->client, c->server, 0, c->service, c->content_service, c->server_name};
	const char *text = column == 2 ? fyke_transport_name(c->protocol) : NULL;

	if (column != 2 && places[column] != 0)
		text = all->texts + places[column];
	if (text != NULL)
		sqlite3_result_text(result, text, -1, SQLITE_STATIC);
}

static void contact_column(const struct fyke_rows *rows, const void *data, size_t column,
	struct fyke_rows_scratch *scratch, sqlite3_context *result)
{
	const struct contact *c = data;
	const int64_t numbers[] = {c->port, c->mismatches > 0, c->first_id, c->first_us, c->last_us,
		c->longest_us, c->client_bytes, c->server_bytes, c->client_payload, c->server_payload,
		c->client_packets, c->server_packets, c->sessions, c->guessed, c->opened, c->established,
		c->refused, c->unanswered, c->half_open, c->brief, c->mismatches, c->connects, c->fin_probes,
		c->null_probes, c->xmas_probes, c->ack_probes, c->rhythm.busiest_minute, c->client_resent,
		c->server_resent, c->resend_wait_us, c->handshakes, c->handshake_us, c->handshake_least_us,
		c->low_ttls, c->middle_ttls, c->high_ttls, c->ttl, c->ttl_count, c->later_ttl,
		c->later_ttl_count, c->ttls_mixed, c->ttl_change_us, c->established_us, c->established_id};

	(void)scratch;
	_Static_assert(sizeof(numbers) / sizeof(numbers[0]) == COLUMN_COUNT - TEXT_COUNT - RHYTHM_COUNT,
		"a number each");
	if (column < TEXT_COUNT)
		text_column(result, rows->context, c, column);
	else if (column >= COLUMN_COUNT - RHYTHM_COUNT)
		rhythm_column(result, &c->rhythm, column - (COLUMN_COUNT - RHYTHM_COUNT));
	else if (column != COLUMN_PORT || c->port >= 0)
		sqlite3_result_int64(result, numbers[column - TEXT_COUNT]);
}

uint32_t fyke_contacts_keep_text(struct fyke_contacts *all, const char *text, uint32_t now)
{
	size_t length, room;
	char *larger;

	if (text == NULL || text[0] == '\0')
		return 0;
	if (now != 0 && strcmp(all->texts + now, text) == 0)
		return now;
	length = strlen(text) + 1;
	if (all->text_used + length > all->text_room) {
		room = (all->text_room + length) * 2 + 65536;
		larger = room > TEXTS_MAX ? NULL : realloc(all->texts, room);
		if (larger == NULL)
			return 0;
		all->texts = larger;
		all->text_room = room;
	}
	if (all->text_used == 0)
		all->texts[all->text_used++] = '\0'; /* no text stands at 0 */
	memcpy(all->texts + all->text_used, text, length);
	all->text_used += length;
	return (uint32_t)(all->text_used - length);
}

static void make_key(const struct fyke_contacts *all, const struct fyke_contact_name *name, uint64_t key[2])
{
	struct {
		int32_t protocol, port;
		char client[48], server[48];
	} what = {.protocol = name->protocol, .port = name->port};
	XXH128_hash_t hash;

	memcpy(what.client, name->client, strnlen(name->client, sizeof(what.client)));
	memcpy(what.server, name->server, strnlen(name->server, sizeof(what.server)));
	hash = XXH3_128bits_withSeed(&what, sizeof(what), all->contacts.seed);
	key[0] = hash.high64;
	key[1] = hash.low64;
}

static struct fyke_contact_name name_of(sqlite3_stmt *row)
{
	return (struct fyke_contact_name){.protocol = sqlite3_column_int(row, PROTOCOL),
		.port = sqlite3_column_type(row, PORT) == SQLITE_NULL ? -1 : sqlite3_column_int(row, PORT),
		.client = (const char *)sqlite3_column_text(row, CLIENT),
		.server = (const char *)sqlite3_column_text(row, SERVER)};
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
	int64_t start = sqlite3_column_int64(row, START), lasted_us = sqlite3_column_int64(row, END) - start;
	bool opened, established;

	history = history == NULL ? "" : history;
	opened = has(history, "h");
	established = opened && has(history, "AD");
	c->opened += opened;
	c->established += established;
	if (established && (c->established == 1 || start < c->established_us)) {
		c->established_us = start;
		c->established_id = sqlite3_column_int64(row, ID);
	}
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

static void count_resends(struct contact *c, sqlite3_stmt *row)
{
	int64_t handshake_us = sqlite3_column_int64(row, HANDSHAKE);

	add(&c->client_resent, sqlite3_column_int64(row, CLIENT_RESENT));
	add(&c->server_resent, sqlite3_column_int64(row, SERVER_RESENT));
	add(&c->resend_wait_us, sqlite3_column_int64(row, RESEND_WAIT));
	if (sqlite3_column_type(row, HANDSHAKE) != SQLITE_INTEGER)
		return;
	if (c->handshakes == 0 || handshake_us < c->handshake_least_us)
		c->handshake_least_us = handshake_us;
	c->handshakes++;
	add(&c->handshake_us, handshake_us);
}

/* Systems begin with 64, 128 or 255; few routers stand between hosts of one network. */
static void count_ttls(struct contact *c, sqlite3_stmt *row)
{
	int ttl = sqlite3_column_int(row, CLIENT_TTL);

	c->low_ttls += ttl >= 60 && ttl <= 64;
	c->middle_ttls += ttl >= 124 && ttl <= 128;
	c->high_ttls += ttl > 250;
	if (sqlite3_column_type(row, SERVER_TTL) != SQLITE_INTEGER ||
		sqlite3_column_int64(row, SERVER_PAYLOAD) == 0)
		return;
	ttl = sqlite3_column_int(row, SERVER_TTL);
	if (c->ttl_count == 0)
		c->ttl = (int16_t)ttl;
	if (ttl == c->ttl && c->later_ttl_count == 0) {
		c->ttl_count++;
	} else if (c->later_ttl_count == 0) {
		c->later_ttl = (int16_t)ttl;
		c->later_ttl_count = 1;
		c->ttl_change_us = sqlite3_column_int64(row, START);
	} else if (ttl == c->later_ttl) {
		c->later_ttl_count++;
	} else {
		c->ttls_mixed++;
	}
}

static void keep_texts(struct fyke_contacts *all, struct contact *c, sqlite3_stmt *row)
{
	c->service =
		fyke_contacts_keep_text(all, (const char *)sqlite3_column_text(row, SERVICE), c->service);
	c->content_service = fyke_contacts_keep_text(
		all, (const char *)sqlite3_column_text(row, CONTENT_SERVICE), c->content_service);
	c->server_name = fyke_contacts_keep_text(
		all, (const char *)sqlite3_column_text(row, SERVER_NAME), c->server_name);
}

static void count_session(struct fyke_contacts *all, struct contact *c, bool fresh, sqlite3_stmt *row)
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
		keep_texts(all, c, row);
	}
	add(&c->client_bytes, sqlite3_column_int64(row, CLIENT_BYTES));
	add(&c->server_bytes, sqlite3_column_int64(row, SERVER_BYTES));
	add(&c->client_packets, sqlite3_column_int64(row, CLIENT_PACKETS));
	add(&c->server_packets, sqlite3_column_int64(row, SERVER_PACKETS));
	add(&c->client_payload, client);
	add(&c->server_payload, server);
	c->sessions++;
	c->guessed += sqlite3_column_int(row, GUESSED) == 1;
	c->mismatches += sqlite3_column_int(row, MISMATCH) == 1;
	count_ttls(c, row);
	count_resends(c, row);
	c->unanswered += sqlite3_column_int64(row, SERVER_PACKETS) == 0;
	if (sqlite3_column_int(row, PROTOCOL) == 6)
		count_tcp(c, row);
}

bool fyke_contacts_add_sample(
	struct fyke_contacts *all, struct contact *c, const struct fyke_contact_sample *sample)
{
	struct sample *larger;

	if (c->sample_count == FYKE_CONTACT_SAMPLES_MAX || all->sample_count == FYKE_SAMPLES_MAX)
		return true;
	larger = fyke_grow(all->samples, all->sample_count, &all->sample_room, 1024, sizeof(*larger));
	if (larger == NULL)
		return false;
	all->samples = larger;
	all->samples[all->sample_count] = (struct sample){*sample, c->sample};
	c->sample = (uint32_t)++all->sample_count;
	c->sample_count++;
	return true;
}

struct contact *fyke_contacts_at(struct fyke_contacts *all, const struct fyke_contact_name *name, bool *fresh)
{
	struct contact *c;
	uint64_t key[2];

	make_key(all, name, key);
	c = fyke_index_add(&all->contacts, key, fresh);
	if (c == NULL) {
		all->left_out++;
		return NULL;
	}
	if (!*fresh)
		return c;
	c->client = fyke_contacts_keep_text(all, name->client, 0);
	c->server = fyke_contacts_keep_text(all, name->server, 0);
	c->port = name->port;
	c->protocol = (uint8_t)name->protocol;
	return c;
}

static bool take_row(struct fyke_contacts *all, sqlite3_stmt *row)
{
	const struct fyke_contact_name name = name_of(row);
	const struct fyke_contact_sample sample = {
		sqlite3_column_int64(row, START), sqlite3_column_int64(row, CLIENT_BYTES)};
	struct contact *c;
	bool fresh;

	if (name.client == NULL || name.server == NULL)
		return true;
	c = fyke_contacts_at(all, &name, &fresh);
	if (c == NULL)
		return true;
	count_session(all, c, fresh, row);
	return fyke_contacts_add_sample(all, c, &sample);
}

static bool find_rhythms(struct fyke_contacts *all)
{
	struct fyke_contact_sample *list = calloc(FYKE_CONTACT_SAMPLES_MAX, sizeof(*list));
	int64_t *room = calloc(FYKE_CONTACT_SAMPLES_MAX, sizeof(*room));
	struct contact *contacts = all->contacts.items;

	for (size_t i = 0; list != NULL && room != NULL && i < all->contacts.count; i++) {
		int64_t count = 0;

		for (uint32_t at = contacts[i].sample; at != 0; at = all->samples[at - 1].earlier)
			list[count++] = all->samples[at - 1].what;
		contacts[i].rhythm = fyke_rhythm_of(list, count, room);
	}
	free(room);
	free(list);
	return list != NULL && room != NULL;
}

static enum fyke_status gather(
	struct fyke_contacts *all, sqlite3 *db, int64_t capture_id, struct fyke_error *error)
{
	sqlite3_stmt *rows = NULL;
	enum fyke_status status = fyke_sql_prepare(db, query, &rows, error);
	int step;

	if (status != FYKE_OK)
		return status;
	sqlite3_bind_int64(rows, 1, capture_id);
	while ((step = sqlite3_step(rows)) == SQLITE_ROW) {
		if (!take_row(all, rows)) {
			sqlite3_finalize(rows);
			return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory for contacts");
		}
	}
	if (step != SQLITE_DONE)
		status = fyke_sql_failed(db, error);
	sqlite3_finalize(rows);
	return status == FYKE_OK ? fyke_contacts_gather_folded(all, db, capture_id, error) : status;
}

static enum fyke_status make_view(sqlite3 *db, struct fyke_error *error)
{
	sqlite3_str *sql = sqlite3_str_new(db);

	sqlite3_str_appendall(sql, "CREATE TEMP VIEW contacts AS SELECT");
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		sqlite3_str_appendf(sql, "%s c%d AS %s", i > 0 ? "," : "", (int)i, names[i]);
	sqlite3_str_appendall(sql, " FROM fyke_rows_contacts");
	return fyke_sql_run_built(db, sql, error);
}

enum fyke_status fyke_contacts_show(
	const struct fyke_contacts *contacts, sqlite3 *db, struct fyke_error *error)
{
	enum fyke_status status = fyke_rows_register(db, "contacts", &contacts->rows, error);

	return status == FYKE_OK ? make_view(db, error) : status;
}

enum fyke_status fyke_contacts_new(
	sqlite3 *db, int64_t capture_id, struct fyke_contacts **contacts, struct fyke_error *error)
{
	struct fyke_contacts *all = calloc(1, sizeof(*all));
	enum fyke_status status;

	*contacts = all;
	if (all == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory for contacts");
	fyke_index_init(&all->contacts, sizeof(struct contact), sizeof(((struct contact *)0)->key),
		FYKE_CONTACTS_MAX);
	all->rows = (struct fyke_rows){.size = sizeof(struct contact),
		.column_count = COLUMN_COUNT,
		.column = contact_column,
		.context = all};
	status = gather(all, db, capture_id, error);
	if (status == FYKE_OK && !find_rhythms(all))
		status = fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory for contacts");
	all->rows.rows = all->contacts.items;
	all->rows.count = all->contacts.count;
	return status == FYKE_OK ? fyke_contacts_show(all, db, error) : status;
}

size_t fyke_contacts_count(const struct fyke_contacts *contacts)
{
	return contacts->contacts.count;
}

int64_t fyke_contacts_left_out(const struct fyke_contacts *contacts)
{
	return contacts->left_out;
}

void fyke_contacts_free(struct fyke_contacts *contacts, sqlite3 *db)
{
	if (contacts == NULL)
		return;
	(void)sqlite3_create_module_v2(db, "fyke_rows_contacts", NULL, NULL, NULL);
	fyke_index_release(&contacts->contacts);
	free(contacts->samples);
	free(contacts->texts);
	free(contacts);
}
