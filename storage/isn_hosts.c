/* Initial sequence numbers of all hosts of a capture, from its rows: one pass over `tcp`, a list of samples
 * for each host. */
#include "storage/derive.h"
#include "storage/index.h"
#include "storage/isn_samples.h"
#include "storage/sql.h"

#include <string.h>
#include <xxhash.h>

enum { HOSTS_MAX = 128 * 1024, SAMPLES_MAX = 4 * 1024 * 1024, ADDRESS_ROOM = 48 };

struct host {
	char ip[ADDRESS_ROOM];
	struct fyke_isn_list list;
};

struct hosts {
	struct fyke_index index;
	struct fyke_isn_samples samples;
};

enum { CLIENT, CLIENT_PORT, SERVER, SERVER_PORT, START, ANSWER, CLIENT_ISN, SERVER_ISN };

static const char query[] =
	"SELECT s.client_ip, s.client_port, s.server_ip, s.server_port, s.start_us, t.handshake_server_us, "
	"t.client_isn,"
	" t.server_isn FROM main.tcp AS t NOT INDEXED CROSS JOIN main.sessions AS s ON s.id = t.session_id"
	" WHERE s.capture_id = ?1";

/* More samples than there is room for are left out. */
static bool add_sample(struct hosts *hosts, struct host *host, const struct fyke_isn_sample *what)
{
	return hosts->samples.count == SAMPLES_MAX ||
	       fyke_isn_samples_add(&hosts->samples, &host->list, what);
}

static uint64_t connection_of(sqlite3_stmt *row, uint64_t seed)
{
	uint64_t ports = (uint64_t)sqlite3_column_int64(row, CLIENT_PORT) << 16 |
			 (uint64_t)sqlite3_column_int64(row, SERVER_PORT);

	for (int i = CLIENT; i <= SERVER; i += SERVER - CLIENT) {
		const void *text = sqlite3_column_text(row, i);

		if (text != NULL)
			seed = XXH3_64bits_withSeed(text, (size_t)sqlite3_column_bytes(row, i), seed);
	}
	return XXH3_64bits_withSeed(&ports, sizeof(ports), seed);
}

/* `side` is the column of its address. */
static bool take_side(struct hosts *hosts, sqlite3_stmt *row, int side, int isn, int64_t time_us)
{
	const char *ip = (const char *)sqlite3_column_text(row, side);
	char key[ADDRESS_ROOM] = "";
	struct fyke_isn_sample sample = {
		.time_us = time_us, .connection = connection_of(row, hosts->index.seed)};
	struct host *host;
	bool fresh;

	if (ip == NULL || strlen(ip) >= sizeof(key) || sqlite3_column_type(row, isn) != SQLITE_INTEGER)
		return true;
	memcpy(key, ip, strlen(ip));
	sample.isn = (uint32_t)sqlite3_column_int64(row, isn);
	host = fyke_index_add(&hosts->index, key, &fresh);
	return host == NULL || add_sample(hosts, host, &sample);
}

static enum fyke_status gather(struct hosts *hosts, sqlite3 *db, int64_t capture_id, struct fyke_error *error)
{
	sqlite3_stmt *rows = NULL;
	enum fyke_status status = fyke_sql_prepare(db, query, &rows, error);
	int step = SQLITE_DONE;
	bool good = true;

	if (status != FYKE_OK)
		return status;
	sqlite3_bind_int64(rows, 1, capture_id);
	while (good && (step = sqlite3_step(rows)) == SQLITE_ROW) {
		int64_t start = sqlite3_column_int64(rows, START);

		good = take_side(hosts, rows, CLIENT, CLIENT_ISN, start) &&
		       take_side(hosts, rows, SERVER, SERVER_ISN, start + sqlite3_column_int64(rows, ANSWER));
	}
	if (!good)
		status = fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory for sequence numbers");
	else if (step != SQLITE_DONE)
		status = fyke_sql_failed(db, error);
	sqlite3_finalize(rows);
	return status;
}

static enum fyke_status judge_host(
	const struct hosts *hosts, const struct host *host, sqlite3_stmt *update, struct fyke_error *error)
{
	const struct fyke_isn_verdict *verdict = fyke_isn_samples_judge(&hosts->samples, &host->list);

	sqlite3_bind_text(update, 2, host->ip, -1, SQLITE_STATIC);
	sqlite3_bind_text(update, 3, fyke_isn_kind_name(verdict->kind), -1, SQLITE_STATIC);
	sqlite3_bind_int64(update, 4, (sqlite3_int64)verdict->samples);
	sqlite3_bind_text(update, 5, verdict->evidence, -1, SQLITE_TRANSIENT);
	return fyke_sql_finish(update, error);
}

static enum fyke_status judge_all(
	const struct hosts *hosts, sqlite3 *db, int64_t capture_id, struct fyke_error *error)
{
	const struct host *list = hosts->index.items;
	sqlite3_stmt *update = NULL;
	enum fyke_status status = fyke_sql_prepare(db,
		"UPDATE hosts SET isn_kind = ?3, isn_samples = ?4, isn_evidence = ?5 WHERE capture_id = ?1 "
		"AND ip = ?2",
		&update, error);

	for (size_t i = 0; status == FYKE_OK && i < hosts->index.count; i++) {
		if (list[i].list.count == 0)
			continue;
		sqlite3_bind_int64(update, 1, capture_id);
		status = judge_host(hosts, &list[i], update, error);
	}
	sqlite3_finalize(update);
	return status;
}

enum fyke_status fyke_derive_sequence_numbers(sqlite3 *db, int64_t capture_id, struct fyke_error *error)
{
	struct hosts hosts;
	enum fyke_status status;

	fyke_isn_samples_init(&hosts.samples, SAMPLES_MAX);
	fyke_index_init(&hosts.index, sizeof(struct host), ADDRESS_ROOM, HOSTS_MAX);
	status = gather(&hosts, db, capture_id, error);
	if (status == FYKE_OK)
		status = judge_all(&hosts, db, capture_id, error);
	fyke_index_release(&hosts.index);
	fyke_isn_samples_release(&hosts.samples);
	return status;
}
