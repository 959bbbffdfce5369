/*
 * One row a network, address and station. A tick tells what came since the last one that told of it, so rows
 * are added up.
 */
#include "storage/neighbours.h"

#include "storage/rows.h"
#include "storage/sql.h"

#include <stdio.h>
#include <string.h>

static const char add_sql[] =
	"INSERT INTO neighbours(capture_id, network, ip, mac, vendor, first_us, last_us, first_frame, "
	"last_frame,"
	" requests, replies, announcements, foreign_senders, takeovers, takeover_frame, takeover_silence_us,"
	" taken_from) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"
	" ON CONFLICT DO UPDATE SET first_us = min(first_us, excluded.first_us),"
	" last_us = max(last_us, excluded.last_us), last_frame = excluded.last_frame,"
	" requests = requests + excluded.requests, replies = replies + excluded.replies,"
	" announcements = announcements + excluded.announcements,"
	" foreign_senders = foreign_senders + excluded.foreign_senders,"
	" takeovers = takeovers + excluded.takeovers,"
	" takeover_frame = coalesce(takeover_frame, excluded.takeover_frame),"
	" taken_from = iif(excluded.takeover_silence_us < takeover_silence_us OR takeover_silence_us IS NULL,"
	" coalesce(excluded.taken_from, taken_from), taken_from),"
	" takeover_silence_us = min(coalesce(takeover_silence_us, excluded.takeover_silence_us),"
	" coalesce(excluded.takeover_silence_us, takeover_silence_us))";

enum { NETWORK_TEXT = 64 };

enum fyke_status fyke_neighbours_begin(struct fyke_stored_neighbours *neighbours, sqlite3 *db,
	int64_t capture_id, struct fyke_known *known, struct fyke_error *error)
{
	enum fyke_status status = fyke_sql_prepare(db, add_sql, &neighbours->add, error);

	neighbours->known = known;
	if (status == FYKE_OK)
		sqlite3_bind_int64(neighbours->add, 1, capture_id);
	return status;
}

void fyke_neighbours_release(struct fyke_stored_neighbours *neighbours)
{
	sqlite3_finalize(neighbours->add);
	neighbours->add = NULL;
}

/* "vlan 7", "vxlan 42 vlan 7"; empty where neither keeps networks apart. */
static void name_network(const struct fyke_neighbour *told, char text[NETWORK_TEXT])
{
	char vlan[16] = "";

	text[0] = '\0';
	if (told->vlan >= 0)
		(void)snprintf(vlan, sizeof(vlan), "vlan %d", told->vlan);
	if (told->tunnel == NULL)
		(void)snprintf(text, NETWORK_TEXT, "%s", vlan);
	else
		(void)snprintf(text, NETWORK_TEXT, "%s %lu%s%s", told->tunnel, (unsigned long)told->tunnel_id,
			vlan[0] != '\0' ? " " : "", vlan);
}

static void bind_mac(sqlite3_stmt *statement, int place, const uint8_t mac[6])
{
	char text[FYKE_MAC_TEXT];

	fyke_mac_text(mac, text);
	sqlite3_bind_text(statement, place, text, FYKE_MAC_TEXT - 1, SQLITE_TRANSIENT);
}

static void bind_takeovers(sqlite3_stmt *add, const struct fyke_neighbour *told)
{
	sqlite3_bind_int64(add, 14, told->takeovers);
	if (told->takeovers == 0) {
		for (int place = 15; place <= 17; place++)
			sqlite3_bind_null(add, place);
		return;
	}
	sqlite3_bind_int64(add, 15, (sqlite3_int64)told->takeover_frame);
	sqlite3_bind_int64(add, 16, fyke_rows_us(told->takeover_silence_ns));
	bind_mac(add, 17, told->taken_from);
}

static enum fyke_status add_one(struct fyke_stored_neighbours *neighbours, const struct fyke_neighbour *told,
	struct fyke_error *error)
{
	const char *vendor = fyke_vendors_name(&neighbours->known->vendors, told->mac);
	const uint32_t counts[] = {told->requests, told->replies, told->announcements, told->foreign};
	char network[NETWORK_TEXT], ip[FYKE_ADDRESS_TEXT];
	sqlite3_stmt *add = neighbours->add;

	name_network(told, network);
	(void)fyke_address_text(&told->ip, ip);
	fyke_sql_bind_text(add, 2, network);
	fyke_sql_bind_text(add, 3, ip);
	bind_mac(add, 4, told->mac);
	fyke_sql_bind_text(add, 5, vendor);
	sqlite3_bind_int64(add, 6, fyke_rows_us(told->first_ns));
	sqlite3_bind_int64(add, 7, fyke_rows_us(told->last_ns));
	sqlite3_bind_int64(add, 8, (sqlite3_int64)told->first_frame);
	sqlite3_bind_int64(add, 9, (sqlite3_int64)told->last_frame);
	for (int i = 0; i < 4; i++)
		sqlite3_bind_int64(add, 10 + i, counts[i]);
	bind_takeovers(add, told);
	return fyke_sql_finish(add, error);
}

enum fyke_status fyke_neighbours_add(
	struct fyke_stored_neighbours *neighbours, const struct fyke_tick *tick, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	for (size_t i = 0; i < tick->neighbour_count && status == FYKE_OK; i++) {
		const struct fyke_neighbour *told = &tick->neighbours[i];

		if (told->tunnel == NULL)
			fyke_known_take_mac(neighbours->known, &told->ip, told->mac);
		status = add_one(neighbours, told, error);
	}
	return status;
}
