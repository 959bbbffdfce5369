/*
 * Sums about hosts (those about their ports: ports.c). What stands in memory is what is to be added to the
 * tables, so writing may happen at any time; a session that is written again first takes back what it said
 * before.
 */
#include "storage/hosts.h"

#include "storage/sql.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct host {
	struct fyke_address ip;
	uint8_t mac[6];
	bool has_mac, is_near; /* near: no router between it and the capture, by a TTL */
	int64_t first_us, last_us;
	int64_t sessions, client_sessions, server_sessions;
	int64_t sent_packets, received_packets, sent_bytes, received_bytes;
	struct fyke_isn_list samples;
};

/* Rows are written in the order of addresses, so that those that come after each other share pages. */
struct fyke_host_place {
	uint64_t order;
	size_t place;
};

static const char host_sql[] =
	"INSERT INTO hosts(capture_id, ip, mac, vendor, name, os, first_seen_us, last_seen_us, sessions,"
	" client_sessions, server_sessions, sent_packets, received_packets, sent_bytes, received_bytes,"
	" isn_kind, isn_samples, isn_evidence)"
	" SELECT * FROM fyke_rows_hosts WHERE true ON CONFLICT(capture_id, ip) DO UPDATE SET"
	" mac = coalesce(mac, excluded.mac),"
	" vendor = coalesce(vendor, excluded.vendor),"
	" first_seen_us = min(first_seen_us, excluded.first_seen_us),"
	" last_seen_us = max(last_seen_us, excluded.last_seen_us),"
	" sessions = sessions + excluded.sessions,"
	" client_sessions = client_sessions + excluded.client_sessions,"
	" server_sessions = server_sessions + excluded.server_sessions,"
	" sent_packets = sent_packets + excluded.sent_packets,"
	" received_packets = received_packets + excluded.received_packets,"
	" sent_bytes = sent_bytes + excluded.sent_bytes,"
	" received_bytes = received_bytes + excluded.received_bytes";

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

/* The maker of the address, unless that is a router's. */
static void host_vendor(sqlite3_context *result, const struct fyke_hosts *hosts, const struct host *host)
{
	const char *name =
		host->has_mac && host->is_near ? fyke_vendors_name(hosts->vendors, host->mac) : NULL;

	if (name != NULL)
		fyke_sql_result_text(result, name, (uint32_t)strlen(name));
}

enum { ISN = 15, COLUMNS = 18 };

static void host_isn(
	sqlite3_context *result, const struct fyke_hosts *hosts, const struct host *host, size_t column)
{
	const struct fyke_isn_verdict *verdict;

	if (hosts->unsampled || host->samples.count == 0)
		return;
	verdict = fyke_isn_samples_judge(&hosts->samples, &host->samples);
	if (column == ISN)
		sqlite3_result_text(result, fyke_isn_kind_name(verdict->kind), -1, SQLITE_STATIC);
	else if (column == ISN + 1)
		sqlite3_result_int64(result, (sqlite3_int64)verdict->samples);
	else
		sqlite3_result_text(result, verdict->evidence, -1, SQLITE_TRANSIENT);
}

static void host_column(const struct fyke_rows *rows, const void *data, size_t column,
	struct fyke_rows_scratch *scratch, sqlite3_context *result)
{
	const struct fyke_hosts *hosts = rows->context;
	const struct fyke_host_place *at = data;
	const struct host *host = (const struct host *)hosts->hosts.items + at->place;
	const int64_t numbers[] = {host->first_us, host->last_us, host->sessions, host->client_sessions,
		host->server_sessions, host->sent_packets, host->received_packets, host->sent_bytes,
		host->received_bytes};

	if (column == 0)
		sqlite3_result_int64(result, hosts->capture_id);
	else if (column == 1)
		text_of(result, &host->ip, scratch);
	else if (column == 2)
		host_mac(result, host, scratch);
	else if (column == 3)
		host_vendor(result, hosts, host);
	else if (column >= ISN)
		host_isn(result, hosts, host, column);
	else if (column >= 6) /* name and os: known.h */
		fyke_rows_number(result, numbers[column - 6]);
}

void fyke_hosts_init(struct fyke_hosts *hosts, struct fyke_names *names)
{
	*hosts = (struct fyke_hosts){.capture_id = 0};
	fyke_index_init(&hosts->listed, sizeof(struct fyke_address), sizeof(struct fyke_address),
		FYKE_HOSTS_LISTED_MAX);
	fyke_index_init(&hosts->hosts, sizeof(struct host), sizeof(struct fyke_address), FYKE_HOSTS_MAX);
	hosts->rows = (struct fyke_rows){.size = sizeof(struct fyke_host_place),
		.column_count = COLUMNS,
		.column = host_column,
		.context = hosts};
	fyke_ports_init(&hosts->ports, names);
	fyke_known_init(&hosts->known);
	hosts->vendors = &hosts->known.vendors;
	fyke_isn_samples_init(&hosts->samples, FYKE_HOSTS_SAMPLES_MAX);
}

void fyke_hosts_release(struct fyke_hosts *hosts)
{
	fyke_index_release(&hosts->hosts);
	fyke_index_release(&hosts->listed);
	fyke_ports_release(&hosts->ports);
	fyke_known_release(&hosts->known);
	fyke_isn_samples_release(&hosts->samples);
	free(hosts->places);
}

enum fyke_status fyke_hosts_attach(struct fyke_hosts *hosts, sqlite3 *db, struct fyke_error *error)
{
	enum fyke_status status = fyke_rows_register(db, "hosts", &hosts->rows, error);

	return status == FYKE_OK ? fyke_ports_attach(&hosts->ports, db, error) : status;
}

bool fyke_hosts_are_full(const struct fyke_hosts *hosts)
{
	return hosts->hosts.count + 2 > FYKE_HOSTS_MAX || fyke_ports_are_full(&hosts->ports);
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

void fyke_hosts_stop_sampling(struct fyke_hosts *hosts)
{
	hosts->unsampled = true;
	fyke_isn_samples_release(&hosts->samples);
}

/* The same number for the same addresses and ports. */
static uint64_t connection_of(const struct fyke_hosts *hosts, const struct fyke_session *session)
{
	uint64_t seed = hosts->hosts.seed;

	for (enum fyke_side side = FYKE_CLIENT; side <= FYKE_SERVER; side++) {
		seed = XXH3_64bits_withSeed(&session->side[side].ip, sizeof(session->side[side].ip), seed);
		seed = XXH3_64bits_withSeed(
			&session->side[side].port, sizeof(session->side[side].port), seed);
	}
	return seed;
}

/* The initial sequence number that a side chose. */
static void add_sample(
	struct fyke_hosts *hosts, struct host *host, const struct fyke_session *session, enum fyke_side which)
{
	struct fyke_isn_sample sample = {.time_us = fyke_rows_us(session->start_ns)};

	if (hosts->unsampled || session->tcp == NULL || session->tcp->side[which].isn == FYKE_UNKNOWN)
		return;
	if (which == FYKE_SERVER && session->tcp->handshake_server_us != FYKE_UNKNOWN)
		sample.time_us =
			(int64_t)((uint64_t)sample.time_us + (uint64_t)session->tcp->handshake_server_us);
	sample.connection = connection_of(hosts, session);
	sample.isn = (uint32_t)session->tcp->side[which].isn;
	if (!fyke_isn_samples_add(&hosts->samples, &host->samples, &sample))
		fyke_hosts_stop_sampling(hosts);
}

enum what { TAKE_BACK, ADD, ADD_FOLDED };

/* Adds or takes back what a session says about one side's host. */
static bool add_host(
	struct fyke_hosts *hosts, const struct fyke_session *session, enum fyke_side which, enum what what)
{
	int64_t sign = what == TAKE_BACK ? -1 : 1;
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
	host->is_near |= side->ttl == 255 || side->ttl == 128 || side->ttl == 64 || side->ttl == 32;
	/* A host that talks with itself takes part once. */
	host->sessions += alone && which == FYKE_SERVER ? 0 : sign;
	host->client_sessions += which == FYKE_CLIENT ? sign : 0;
	host->server_sessions += which == FYKE_SERVER ? sign : 0;
	host->sent_packets += sign * known(side->packets);
	host->sent_bytes += sign * known(side->bytes);
	host->received_packets += sign * known(peer->packets);
	host->received_bytes += sign * known(peer->bytes);
	if (what == ADD)
		add_sample(hosts, host, session, which);
	return true;
}

bool fyke_hosts_add(struct fyke_hosts *hosts, const struct fyke_session *session,
	const struct fyke_session *before, int64_t id)
{
	enum what what = id == FYKE_UNKNOWN ? ADD_FOLDED : ADD;
	bool done = true;

	if (fyke_hosts_are_full(hosts))
		return false;
	if (before != NULL && session->tcp != NULL)
		fyke_hosts_stop_sampling(hosts); /* its earlier sample is no more to be had */
	for (enum fyke_side side = FYKE_CLIENT; side <= FYKE_SERVER; side++) {
		if (before != NULL)
			done = add_host(hosts, before, side, TAKE_BACK) && done;
		done = add_host(hosts, session, side, what) && done;
	}
	return fyke_ports_add(&hosts->ports, session, before, id) && done;
}

/* Whether the session's server may have a row: it has one, or there is room for another that is silent. */
static bool is_listed(struct fyke_hosts *hosts, const struct fyke_session *session)
{
	const struct fyke_session_side *server = &session->side[FYKE_SERVER];
	bool silent = server->packets == 0, added;

	if (silent && hosts->silent >= FYKE_HOSTS_SILENT_MAX)
		return fyke_index_find(&hosts->listed, &server->ip) != NULL;
	if (fyke_index_add(&hosts->listed, &server->ip, &added) == NULL)
		return !silent;
	hosts->silent += silent && added;
	return true;
}

bool fyke_hosts_add_folded(struct fyke_hosts *hosts, const struct fyke_session *session)
{
	bool done;

	if (is_listed(hosts, session))
		return fyke_hosts_add(hosts, session, NULL, FYKE_UNKNOWN);
	if (fyke_hosts_are_full(hosts))
		return false;
	done = add_host(hosts, session, FYKE_CLIENT, ADD_FOLDED);
	return fyke_ports_add(&hosts->ports, session, NULL, FYKE_UNKNOWN) && done;
}

/* Rows that are about to be written are to have what is known of their subjects. */
static void touch_known(struct fyke_hosts *hosts)
{
	const struct host *host = hosts->hosts.items;
	const struct fyke_port *port = hosts->ports.ports.items;

	for (size_t i = 0; i < hosts->hosts.count; i++) {
		struct fyke_known_subject subject = {.ip = host[i].ip};

		fyke_known_touch(&hosts->known, &subject);
	}
	for (size_t i = 0; i < hosts->ports.ports.count; i++) {
		struct fyke_known_subject subject = {port[i].key.ip, port[i].key.protocol, port[i].key.port};

		fyke_known_touch(&hosts->known, &subject);
	}
}

static int compare_places(const void *a, const void *b)
{
	const struct fyke_host_place *left = a, *right = b;

	return left->order < right->order ? -1 : left->order > right->order;
}

static bool put_in_order(struct fyke_hosts *hosts)
{
	const struct host *list = hosts->hosts.items;

	free(hosts->places);
	hosts->places = malloc((hosts->hosts.count + 1) * sizeof(*hosts->places));
	if (hosts->places == NULL)
		return false;
	for (size_t i = 0; i < hosts->hosts.count; i++) {
		uint64_t order;

		memcpy(&order, list[i].ip.bytes, sizeof(order));
		hosts->places[i] = (struct fyke_host_place){be64toh(order), i};
	}
	qsort(hosts->places, hosts->hosts.count, sizeof(*hosts->places), compare_places);
	return true;
}

enum fyke_status fyke_hosts_write(
	struct fyke_hosts *hosts, sqlite3 *db, int64_t capture_id, struct fyke_error *error)
{
	enum fyke_status status;

	touch_known(hosts);
	if (hosts->written && hosts->hosts.count > 0)
		fyke_hosts_stop_sampling(hosts); /* of hosts that come again some samples are gone */
	hosts->written |= hosts->hosts.count > 0;
	hosts->capture_id = capture_id;
	if (!put_in_order(hosts))
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "Out of memory for hosts");
	hosts->rows.rows = hosts->places;
	hosts->rows.count = hosts->hosts.count;
	status = fyke_sql_run(db, host_sql, error);
	hosts->rows.count = 0;
	if (status == FYKE_OK)
		status = fyke_ports_write(&hosts->ports, db, capture_id, error);
	if (status == FYKE_OK)
		status = fyke_known_write(&hosts->known, db, capture_id, error);
	if (status == FYKE_OK)
		fyke_index_clear(&hosts->hosts);
	return status;
}
