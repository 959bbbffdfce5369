/*
 * Of two words about the same thing the one from the better source stands: DHCP before names that hosts
 * give themselves (mDNS, LLMNR, NetBIOS), those before the DNS, all before what is read elsewhere. Of equal
 * sources the first stands, so that the order of sessions decides, which is the same with any number of
 * threads.
 */
#include "storage/known.h"

#include "storage/sql.h"

#include <stdlib.h>
#include <string.h>

enum what { NAME, MAC, VENDOR, OS, PRODUCT, WHATS, NONE = WHATS };

struct subject {
	struct fyke_known_subject key;
	bool dirty;
	uint8_t rank[WHATS]; /* of the source; 0 = nothing known */
	char *text[WHATS];
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
			free(subjects[i].text[what]);
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

static void keep(struct fyke_known *known, struct subject *subject, enum what what, uint8_t rank,
	const struct fyke_value *value)
{
	char *copy;

	if (rank <= subject->rank[what] || value->length == 0 ||
		known->text_bytes + value->length + 1 > FYKE_KNOWN_TEXT_MAX)
		return;
	copy = malloc((size_t)value->length + 1);
	if (copy == NULL)
		return;
	memcpy(copy, value->bytes, value->length);
	copy[value->length] = '\0';
	if (subject->text[what] != NULL)
		known->text_bytes -= strlen(subject->text[what]) + 1;
	free(subject->text[what]);
	subject->text[what] = copy;
	subject->rank[what] = rank;
	subject->dirty = true;
	known->text_bytes += strlen(copy) + 1;
}

void fyke_known_take(
	struct fyke_known *known, const struct fyke_session *session, const struct fyke_record *record)
{
	const struct fyke_value *values = record->values, *ip = &values[FYKE_HOST_FACTS_IP];
	enum what what = what_of(&values[FYKE_HOST_FACTS_FACT]);
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
	if (what == PRODUCT && values[FYKE_HOST_FACTS_PORT].kind != FYKE_VALUE_INTEGER)
		return; /* a client's program: the record alone tells it */
	if (what == PRODUCT) {
		key.protocol = (uint8_t)session->ip_protocol;
		key.port = (uint16_t)values[FYKE_HOST_FACTS_PORT].integer;
	}
	subject = fyke_index_add(&known->subjects, &key, &added);
	if (subject != NULL)
		keep(known, subject, what, rank_of(&values[FYKE_HOST_FACTS_SOURCE]),
			&values[FYKE_HOST_FACTS_VALUE]);
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
		keep(known, subject, MAC, RANK_SAID_ITSELF,
			&(struct fyke_value){
				.kind = FYKE_VALUE_BYTES, .length = FYKE_MAC_TEXT - 1, .bytes = text});
}

void fyke_known_touch(struct fyke_known *known, const struct fyke_known_subject *subject)
{
	struct subject *found = fyke_index_find(&known->subjects, subject);

	if (found != NULL)
		found->dirty = true;
}

static void bind(sqlite3_stmt *statement, int place, const char *text)
{
	if (text == NULL)
		sqlite3_bind_null(statement, place);
	else
		fyke_sql_bind_bytes(statement, place, text, strlen(text));
}

/* The maker of the address that was told, where nobody told the maker. */
static const char *vendor_of(struct fyke_known *known, const struct subject *subject)
{
	if (subject->text[VENDOR] != NULL || subject->text[MAC] == NULL)
		return subject->text[VENDOR];
	return fyke_vendors_name_of(&known->vendors, subject->text[MAC]);
}

static enum fyke_status write_one(struct fyke_known *known, const struct subject *subject, sqlite3_stmt *host,
	sqlite3_stmt *port, struct fyke_error *error)
{
	sqlite3_stmt *statement = subject->key.protocol == 0 ? host : port;
	char ip[FYKE_ADDRESS_TEXT];
	size_t length = fyke_address_text(&subject->key.ip, ip);

	sqlite3_bind_text(statement, 2, ip, (int)length, SQLITE_STATIC);
	if (statement == host) {
		bind(statement, 3, subject->text[NAME]);
		bind(statement, 4, subject->text[MAC]);
		bind(statement, 5, vendor_of(known, subject));
		bind(statement, 6, subject->text[OS]);
	} else {
		sqlite3_bind_text(statement, 3, subject->key.protocol == 6 ? "tcp" : "udp", 3, SQLITE_STATIC);
		sqlite3_bind_int64(statement, 4, subject->key.port);
		bind(statement, 5, subject->text[PRODUCT]);
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
