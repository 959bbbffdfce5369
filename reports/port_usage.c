/* A hash table of ports that were open, and one of (port, client). Only open ports are followed: a scan has
 * 65,535 others. */
#include "reports/port_usage.h"

#include "reports/facts.h"
#include "storage/folded.h"

#include <sqlite3.h>
#include <string.h>
#include <xxhash.h>

static const char open_query[] = "SELECT DISTINCT ip, transport = 'tcp', port FROM ports WHERE state = "
				 "'open' AND (?1 = 0 OR capture_id = ?1)";

/* By capture or not: an expression that holds for all rows costs nothing. */
static const char session_query[] = "SELECT server_ip, ip_protocol = 6, server_port, client_ip, end_us, "
				    "client_payload_bytes, server_payload_bytes,"
				    " server_ttl, service_mismatch FROM " FYKE_ALL_SESSIONS " WHERE "
				    "ip_protocol IN (6, 17) AND server_packets > 0"
				    " AND (?1 = 0 OR capture_id = ?1)";

enum { IP, IS_TCP, PORT, CLIENT, END, FROM_CLIENT, FROM_SERVER, TTL, MISMATCH };

static void make_key(uint64_t seed, const char *ip, bool is_tcp, int64_t port, uint64_t key[2])
{
	struct {
		int64_t port;
		char ip[48];
	} what = {.port = port * 2 + is_tcp};
	XXH128_hash_t hash;

	memcpy(what.ip, ip, strnlen(ip, sizeof(what.ip)));
	hash = XXH3_128bits_withSeed(&what, sizeof(what), seed);
	key[0] = hash.high64;
	key[1] = hash.low64;
}

static enum fyke_status gather_ports(
	struct sqlite3 *db, int64_t capture_id, struct fyke_port_usage *usage, struct fyke_error *error)
{
	sqlite3_stmt *row;
	enum fyke_status status = fyke_facts_prepare(db, open_query, capture_id, &row, error);

	while (status == FYKE_OK && fyke_facts_step(&row, &status, error)) {
		const char *ip = (const char *)sqlite3_column_text(row, IP);
		struct fyke_port_use *use;
		uint64_t key[2];
		bool added;

		if (ip == NULL)
			continue;
		make_key(usage->ports.seed, ip, sqlite3_column_int(row, IS_TCP) == 1,
			sqlite3_column_int64(row, PORT), key);
		use = fyke_index_add(&usage->ports, key, &added);
		if (use != NULL)
			use->ttl = -1;
	}
	usage->ports.limit = usage->ports.count; /* from here on others are not taken in */
	return status;
}

static void count_client(struct fyke_port_usage *usage, struct fyke_port_use *use, const char *ip,
	int64_t used_us, int64_t last_us)
{
	struct fyke_port_client *client;
	XXH128_hash_t hash = XXH3_128bits_withSeed(ip, strlen(ip), use->key[0] ^ use->key[1]);
	uint64_t key[2] = {hash.high64, hash.low64};
	bool added;

	client = fyke_index_add(&usage->clients, key, &added);
	if (client == NULL)
		return;
	if (added) {
		memcpy(client->ip, ip, strnlen(ip, sizeof(client->ip) - 1));
		client->next = use->clients;
		use->clients = (uint32_t)usage->clients.count;
		use->client_count++;
	}
	client->sessions++;
	client->used += used_us != 0;
	last_us = used_us != 0 ? used_us : client->used > 0 ? 0 : last_us;
	client->last_us = last_us > client->last_us ? last_us : client->last_us;
}

static void take_session(struct fyke_port_usage *usage, sqlite3_stmt *row)
{
	const char *ip = (const char *)sqlite3_column_text(row, IP);
	const char *client = (const char *)sqlite3_column_text(row, CLIENT);
	int64_t end_us = sqlite3_column_int64(row, END), used_us;
	struct fyke_port_use *use;
	uint64_t key[2];
	bool added;

	if (ip == NULL || client == NULL)
		return;
	make_key(usage->ports.seed, ip, sqlite3_column_int(row, IS_TCP) == 1, sqlite3_column_int64(row, PORT),
		key);
	use = fyke_index_add(&usage->ports, key, &added);
	if (use == NULL)
		return;
	used_us = sqlite3_column_int64(row, FROM_CLIENT) > 0 && sqlite3_column_int64(row, FROM_SERVER) > 0
			  ? end_us
			  : 0;
	use->sessions++;
	use->used += used_us != 0;
	use->mismatches += sqlite3_column_int(row, MISMATCH) == 1;
	use->last_us = end_us > use->last_us ? end_us : use->last_us;
	use->last_used_us = used_us > use->last_used_us ? used_us : use->last_used_us;
	if (sqlite3_column_type(row, TTL) == SQLITE_INTEGER && sqlite3_column_int64(row, TTL) > use->ttl)
		use->ttl = sqlite3_column_int64(row, TTL);
	count_client(usage, use, client, used_us, end_us);
}

enum fyke_status fyke_port_usage_gather(
	struct sqlite3 *db, int64_t capture_id, struct fyke_port_usage *usage, struct fyke_error *error)
{
	sqlite3_stmt *row;
	enum fyke_status status;

	fyke_index_init(
		&usage->ports, sizeof(struct fyke_port_use), 2 * sizeof(uint64_t), FYKE_PORT_USAGE_MAX);
	fyke_index_init(&usage->clients, sizeof(struct fyke_port_client), 2 * sizeof(uint64_t),
		FYKE_PORT_CLIENTS_MOST);
	status = gather_ports(db, capture_id, usage, error);
	if (status == FYKE_OK)
		status = fyke_facts_prepare(db, session_query, capture_id, &row, error);
	if (status != FYKE_OK)
		return status;
	while (fyke_facts_step(&row, &status, error))
		take_session(usage, row);
	return status;
}

void fyke_port_usage_release(struct fyke_port_usage *usage)
{
	fyke_index_release(&usage->ports);
	fyke_index_release(&usage->clients);
}

const struct fyke_port_use *fyke_port_usage_find(
	struct fyke_port_usage *usage, const char *ip, bool is_tcp, int64_t port)
{
	uint64_t key[2];
	bool added;

	make_key(usage->ports.seed, ip, is_tcp, port, key);
	return fyke_index_add(&usage->ports, key, &added);
}

void fyke_port_usage_origins(const struct fyke_port_usage *usage, const struct fyke_port_use *use,
	const struct fyke_networks *home, const char *server, int64_t clients[FYKE_ORIGIN_COUNT])
{
	const struct fyke_port_client *all = usage->clients.items;
	struct fyke_address from, address;
	bool has_server = fyke_address_parse(server, &from);

	for (int i = 0; i < FYKE_ORIGIN_COUNT; i++)
		clients[i] = 0;
	for (uint32_t at = use->clients; at != 0; at = all[at - 1].next) {
		if (fyke_address_parse(all[at - 1].ip, &address))
			clients[fyke_origin_of(home, &address, has_server ? &from : NULL)]++;
	}
}

size_t fyke_port_usage_clients(const struct fyke_port_usage *usage, const struct fyke_port_use *use,
	const struct fyke_port_client **list, size_t most)
{
	const struct fyke_port_client *all = usage->clients.items;
	size_t count = 0;

	for (uint32_t at = use->clients; at != 0; at = all[at - 1].next) {
		const struct fyke_port_client *client = &all[at - 1];
		size_t place = count < most ? count : most;

		while (place > 0 && list[place - 1]->last_us < client->last_us) {
			if (place < most)
				list[place] = list[place - 1];
			place--;
		}
		if (place < most) {
			list[place] = client;
			count += count < most;
		}
	}
	return count;
}
