/*
 * Of two words about the same thing the later one stands. A name from an answer of the DNS is worth less than
 * any that is not: most say it of themselves. Of an address on the link the better source stands, and of
 * equal ones the first: DHCP, then what hosts and stations say, then the rest.
 */
#include "storage/known.h"

#include "storage/rows.h"
#include "storage/sql.h"

#include <stdlib.h>
#include <string.h>

enum { TCP = 6, UDP = 17 };
enum what { NAME, MAC, VENDOR, OS, PRODUCT, WHATS, NONE = WHATS };

/* The word with the greater `order` stands; of equal ones that of the earlier row of `sessions`. */
struct standing {
	double order;
	int64_t session_id;
};

struct word {
	struct standing standing;
	uint32_t length, room;
	char text[];
};

struct subject {
	struct fyke_known_subject key;
	bool dirty;
	struct word *words[WHATS]; /* NULL: nothing known */
};

_Static_assert(sizeof(struct fyke_known_subject) == 20, "keys are compared as bytes: no padding");

static const char host_sql[] = "UPDATE hosts SET name = coalesce(?3, name), mac = coalesce(?4, mac),"
			       " vendor = coalesce(?5, vendor), os = coalesce(?6, os)"
			       " WHERE capture_id = ?1 AND ip = ?2";
static const char port_sql[] = "UPDATE ports SET product = ?5"
			       " WHERE capture_id = ?1 AND ip = ?2 AND transport = ?3 AND port = ?4";

void fyke_known_init(struct fyke_known *known)
{
	*known = (struct fyke_known){.text_bytes = 0};
	fyke_index_init(
		&known->subjects, sizeof(struct subject), sizeof(struct fyke_known_subject), FYKE_KNOWN_MAX);
}

void fyke_known_release(struct fyke_known *known)
{
	struct subject *subjects = known->subjects.items;

	for (size_t i = 0; i < known->subjects.count; i++) {
		for (int what = 0; what < WHATS; what++)
			free(subjects[i].words[what]);
	}
	fyke_index_release(&known->subjects);
	fyke_vendors_release(&known->vendors);
}

static bool is(const struct fyke_value *value, const char *word)
{
	return value->kind == FYKE_VALUE_BYTES && value->length == strlen(word) &&
	       memcmp(value->bytes, word, value->length) == 0;
}

static enum what what_of(const struct fyke_value *fact)
{
	static const char *const words[WHATS] = {"name", "mac", "vendor", "os", "product"};

	for (int what = 0; what < WHATS; what++) {
		if (is(fact, words[what]))
			return (enum what)what;
	}
	return NONE;
}

enum { RANK_SAID_ITSELF = 3 };

static uint8_t rank_of(const struct fyke_value *source)
{
	static const struct {
		const char *source;
		uint8_t rank;
	} ranks[] = {{"dhcp", 4}, {"dhcpv6", 4}, {"mdns", RANK_SAID_ITSELF}, {"llmnr", RANK_SAID_ITSELF},
		{"nbns", RANK_SAID_ITSELF}, {"nbdgm", RANK_SAID_ITSELF}, {"dns", 2}};

	for (size_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++) {
		if (is(source, ranks[i].source))
			return ranks[i].rank;
	}
	return 1;
}

static bool is_better(const struct standing *one, const struct standing *other)
{
	if (one->order != other->order)
		return one->order > other->order;
	return one->session_id < other->session_id;
}

/* Room for a text of `length` bytes; NULL when there is none. */
static struct word *make_room(struct fyke_known *known, struct word *word, uint32_t length)
{
	uint32_t had = word == NULL ? 0 : word->room;
	struct word *larger;

	if (length <= had)
		return word;
	if (known->text_bytes + length - had > FYKE_KNOWN_TEXT_MAX)
		return NULL;
	larger = realloc(word, sizeof(*larger) + length);
	if (larger == NULL)
		return NULL;
	larger->room = length;
	known->text_bytes += length - had;
	return larger;
}

static void keep(struct fyke_known *known, struct subject *subject, enum what what,
	const struct standing *standing, const struct fyke_value *value)
{
	struct word *word = subject->words[what];

	if (value->length == 0 || (word != NULL && !is_better(standing, &word->standing)))
		return;
	word = make_room(known, word, value->length);
	if (word == NULL) {
		known->incomplete = true;
		return;
	}
	subject->words[what] = word;
	word->standing = *standing;
	word->length = value->length;
	memcpy(word->text, value->bytes, value->length);
	subject->dirty = true;
}

/* How a fact stands among others of its kind. */
static struct standing standing_of(enum what what, int64_t session_id, const struct fyke_record *record)
{
	const struct fyke_value *source = &record->values[FYKE_HOST_FACTS_SOURCE];
	double time_us = (double)fyke_rows_us(record->time_ns);

	if (what == MAC)
		return (struct standing){.order = rank_of(source)};
	if (what == PRODUCT)
		return (struct standing){.order = time_us, .session_id = session_id};
	return (struct standing){
		.order = (is(source, "dns") ? 0 : 1) * 1e18 + time_us, .session_id = session_id};
}

static bool is_of_port(const struct fyke_session *session, const struct fyke_value *port)
{
	return port->kind == FYKE_VALUE_INTEGER &&
	       (session->ip_protocol == TCP || session->ip_protocol == UDP);
}

void fyke_known_take(
	struct fyke_known *known, const struct fyke_session_row *row, const struct fyke_record *record)
{
	const struct fyke_session *session = row->session;
	const struct fyke_value *values = record->values, *ip = &values[FYKE_HOST_FACTS_IP];
	enum what what = what_of(&values[FYKE_HOST_FACTS_FACT]);
	const struct standing standing = standing_of(what, row->id, record);
	struct fyke_known_subject key = {.protocol = 0};
	char text[FYKE_ADDRESS_TEXT] = "";
	struct subject *subject;
	bool added;

	if (what == NONE || ip->kind != FYKE_VALUE_BYTES || ip->length >= sizeof(text) ||
		values[FYKE_HOST_FACTS_VALUE].kind != FYKE_VALUE_BYTES)
		return;
	memcpy(text, ip->bytes, ip->length);
	if (!fyke_address_parse(text, &key.ip))
		return;
	if (what == PRODUCT && !is_of_port(session, &values[FYKE_HOST_FACTS_PORT]))
		return; /* a client's program: the record alone tells it */
	if (what == PRODUCT) {
		key.protocol = (uint8_t)session->ip_protocol;
		key.port = (uint16_t)values[FYKE_HOST_FACTS_PORT].integer;
	}
	subject = fyke_index_add(&known->subjects, &key, &added);
	if (subject != NULL)
		keep(known, subject, what, &standing, &values[FYKE_HOST_FACTS_VALUE]);
	else
		known->incomplete = true;
}

void fyke_known_take_mac(struct fyke_known *known, const struct fyke_address *ip, const uint8_t mac[6])
{
	const struct fyke_known_subject key = {.ip = *ip};
	char text[FYKE_MAC_TEXT];
	struct subject *subject;
	bool added;

	fyke_mac_text(mac, text);
	subject = fyke_index_add(&known->subjects, &key, &added);
	if (subject != NULL)
		keep(known, subject, MAC, &(struct standing){.order = RANK_SAID_ITSELF},
			&(struct fyke_value){
				.kind = FYKE_VALUE_BYTES, .length = FYKE_MAC_TEXT - 1, .bytes = text});
}

void fyke_known_touch(struct fyke_known *known, const struct fyke_known_subject *subject)
{
	struct subject *found = fyke_index_find(&known->subjects, subject);

	if (found != NULL)
		found->dirty = true;
}

static void bind(sqlite3_stmt *statement, int place, const struct word *word)
{
	if (word == NULL)
		sqlite3_bind_null(statement, place);
	else
		fyke_sql_bind_bytes(statement, place, word->text, word->length);
}

/* The maker that was told, else that of the address that was told. */
static void bind_vendor(
	sqlite3_stmt *statement, int place, struct fyke_known *known, const struct subject *subject)
{
	const struct word *mac = subject->words[MAC];
	char text[FYKE_MAC_TEXT] = "";

	if (subject->words[VENDOR] != NULL || mac == NULL) {
		bind(statement, place, subject->words[VENDOR]);
		return;
	}
	memcpy(text, mac->text, mac->length < sizeof(text) ? mac->length : sizeof(text) - 1);
	fyke_sql_bind_text(statement, place, fyke_vendors_name_of(&known->vendors, text));
}

static enum fyke_status write_one(struct fyke_known *known, const struct subject *subject, sqlite3_stmt *host,
	sqlite3_stmt *port, struct fyke_error *error)
{
	sqlite3_stmt *statement = subject->key.protocol == 0 ? host : port;
	char ip[FYKE_ADDRESS_TEXT];
	size_t length = fyke_address_text(&subject->key.ip, ip);

	sqlite3_bind_text(statement, 2, ip, (int)length, SQLITE_STATIC);
	if (statement == host) {
		bind(statement, 3, subject->words[NAME]);
		bind(statement, 4, subject->words[MAC]);
		bind_vendor(statement, 5, known, subject);
		bind(statement, 6, subject->words[OS]);
	} else {
		sqlite3_bind_text(
			statement, 3, subject->key.protocol == TCP ? "tcp" : "udp", 3, SQLITE_STATIC);
		sqlite3_bind_int64(statement, 4, subject->key.port);
		bind(statement, 5, subject->words[PRODUCT]);
	}
	return fyke_sql_finish(statement, error);
}

enum fyke_status fyke_known_write(
	struct fyke_known *known, sqlite3 *db, int64_t capture_id, struct fyke_error *error)
{
	struct subject *subjects = known->subjects.items;
	sqlite3_stmt *host = NULL, *port = NULL;
	enum fyke_status status = FYKE_OK;

	if (known->subjects.count == 0)
		return FYKE_OK;
	status = fyke_sql_prepare(db, host_sql, &host, error);
	if (status == FYKE_OK)
		status = fyke_sql_prepare(db, port_sql, &port, error);
	if (status == FYKE_OK) {
		sqlite3_bind_int64(host, 1, capture_id);
		sqlite3_bind_int64(port, 1, capture_id);
	}
	for (size_t i = 0; i < known->subjects.count && status == FYKE_OK; i++) {
		if (!subjects[i].dirty)
			continue;
		status = write_one(known, &subjects[i], host, port, error);
		subjects[i].dirty = false;
	}
	sqlite3_finalize(host);
	sqlite3_finalize(port);
	return status;
}
