/* Initial sequence numbers of all hosts of a capture: one pass over `tcp`, a list of samples for each host.
 */
#include "findings/isn.h"

#include "storage/index.h"
#include "storage/sql.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { HOSTS_MAX = 128 * 1024, SAMPLES_MAX = 4 * 1024 * 1024, ADDRESS_ROOM = 48 };

struct host {
	char ip[ADDRESS_ROOM];
	uint32_t sample, count; /* the latest in `samples`, plus 1 */
};

struct sample {
	struct fyke_isn_sample what;
	uint32_t earlier;
};

struct hosts {
	struct fyke_index index;
	struct sample *samples;
	size_t count, room;
};

enum { CLIENT, CLIENT_PORT, SERVER, SERVER_PORT, START, ANSWER, CLIENT_ISN, SERVER_ISN };

static const char query[] =
	"SELECT s.client_ip, s.client_port, s.server_ip, s.server_port, s.start_us, t.handshake_server_us, "
	"t.client_isn,"
	" t.server_isn FROM main.tcp AS t NOT INDEXED CROSS JOIN main.sessions AS s ON s.id = t.session_id"
	" WHERE s.capture_id = ?1";

static bool add_sample(struct hosts *hosts, struct host *host, const struct fyke_isn_sample *what)
{
	if (host->count == FYKE_ISN_SAMPLES_MAX || hosts->count == SAMPLES_MAX)
		return true;
	if (hosts->count == hosts->room) {
		size_t room = hosts->room == 0 ? 1024 : hosts->room * 2;
		struct sample *larger = realloc(hosts->samples, room * sizeof(*larger));

		if (larger == NULL)
			return false;
		hosts->samples = larger;
		hosts->room = room;
	}
	hosts->samples[hosts->count] = (struct sample){*what, host->sample};
	host->sample = (uint32_t)++hosts->count;
	host->count++;
	return true;
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

struct work {
	struct fyke_isn_sample samples[FYKE_ISN_SAMPLES_MAX], room[FYKE_ISN_SAMPLES_MAX];
};

static enum fyke_status judge_host(const struct hosts *hosts, const struct host *host, struct work *work,
	sqlite3_stmt *update, struct fyke_error *error)
{
	struct fyke_isn_verdict verdict;
	size_t count = 0;

	for (uint32_t at = host->sample; at != 0; at = hosts->samples[at - 1].earlier)
		work->samples[count++] = hosts->samples[at - 1].what;
	verdict = fyke_isn_judge(work->samples, count, work->room);
	sqlite3_bind_text(update, 2, host->ip, -1, SQLITE_STATIC);
	sqlite3_bind_text(update, 3, fyke_isn_kind_name(verdict.kind), -1, SQLITE_STATIC);
	sqlite3_bind_int64(update, 4, (sqlite3_int64)verdict.samples);
	sqlite3_bind_text(update, 5, verdict.evidence, -1, SQLITE_TRANSIENT);
	return fyke_sql_finish(update, error);
}

static enum fyke_status judge_all(
	const struct hosts *hosts, sqlite3 *db, int64_t capture_id, struct fyke_error *error)
{
	struct work *work = malloc(sizeof(*work));
	const struct host *list = hosts->index.items;
	sqlite3_stmt *update = NULL;
	enum fyke_status status = fyke_sql_prepare(db,
		"UPDATE hosts SET isn_kind = ?3, isn_samples = ?4, isn_evidence = ?5 WHERE capture_id = ?1 "
		"AND ip = ?2",
		&update, error);

	if (status == FYKE_OK && work == NULL)
		status = fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory for sequence numbers");
	for (size_t i = 0; status == FYKE_OK && i < hosts->index.count; i++) {
		sqlite3_bind_int64(update, 1, capture_id);
		status = judge_host(hosts, &list[i], work, update, error);
	}
	sqlite3_finalize(update);
	free(work);
	return status;
}

enum fyke_status fyke_isn_judge_hosts(sqlite3 *db, int64_t capture_id, struct fyke_error *error)
{
	struct hosts hosts = {.samples = NULL};
	enum fyke_status status;

	fyke_index_init(&hosts.index, sizeof(struct host), ADDRESS_ROOM, HOSTS_MAX);
	status = gather(&hosts, db, capture_id, error);
	if (status == FYKE_OK)
		status = judge_all(&hosts, db, capture_id, error);
	fyke_index_release(&hosts.index);
	free(hosts.samples);
	return status;
}
