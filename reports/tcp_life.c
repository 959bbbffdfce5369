/* Reading one session's life from sessions, tcp and tcp_events. */
#include "reports/tcp_life.h"

#include "reports/facts.h"
#include "storage/folded.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 100000 }; /* fyke writes 512 at most */

#define X(name)	       ", t.client_" #name
#define CLIENT_COLUMNS FYKE_TCP_LIFE_COLUMNS(X)
static const char client_columns[] = CLIENT_COLUMNS;
#undef X
#define X(name)	       ", t.server_" #name
#define SERVER_COLUMNS FYKE_TCP_LIFE_COLUMNS(X)
static const char server_columns[] = SERVER_COLUMNS;
#undef X

static const char session_columns[] =
	"SELECT s.transport, s.start_us, s.end_us, s.first_frame, s.layer,"
	" s.client_bytes + s.server_bytes, s.roles_guessed, s.service, s.server_name, s.state, s.history,"
	" s.end_reason, c.name, s.client_ip, s.server_ip, s.client_port, s.server_port, s.client_packets,"
	" s.server_packets, s.client_payload_bytes, s.server_payload_bytes, t.session_id IS NOT NULL,"
	" t.handshake_us, t.handshake_server_us, t.handshake_client_us, t.opening_us, t.client_think_us,"
	" t.server_think_us, t.transfer_us, t.resend_wait_us, t.zero_window_us, t.idle_us";

const char *const fyke_tcp_life_part_names[FYKE_TCP_LIFE_PARTS] = {"opening_us", "client_think_us",
	"server_think_us", "transfer_us", "resend_wait_us", "zero_window_us", "idle_us"};
const char *const fyke_tcp_life_part_words[FYKE_TCP_LIFE_PARTS] = {"opening", "the client thought",
	"the server thought", "data under way", "waiting for resends", "closed window", "idle"};

enum { FIRST_PART_COLUMN = 25, FIRST_SIDE_COLUMN = FIRST_PART_COLUMN + FYKE_TCP_LIFE_PARTS };

static int64_t number(sqlite3_stmt *row, int column)
{
	return sqlite3_column_type(row, column) == SQLITE_NULL ? FYKE_TCP_LIFE_UNKNOWN
							       : sqlite3_column_int64(row, column);
}

/* False when memory is out. */
static bool take_text(sqlite3_stmt *row, int column, char **text)
{
	const char *value = (const char *)sqlite3_column_text(row, column);

	*text = value == NULL ? NULL : strdup(value);
	return value == NULL || *text != NULL;
}

static int take_side(sqlite3_stmt *row, int column, struct fyke_tcp_life_side *side)
{
#define X(name) side->name = number(row, column++);
	FYKE_TCP_LIFE_COLUMNS(X)
#undef X
	return column;
}

static bool take_session(sqlite3_stmt *row, struct fyke_tcp_life *life)
{
	struct fyke_tcp_life_side *client = &life->side[0], *server = &life->side[1];

	life->start_us = sqlite3_column_int64(row, 1);
	life->end_us = sqlite3_column_int64(row, 2);
	life->first_frame = sqlite3_column_int64(row, 3);
	life->layer = sqlite3_column_int64(row, 4);
	life->bytes = sqlite3_column_int64(row, 5);
	life->roles_guessed = sqlite3_column_int(row, 6) != 0;
	client->port = number(row, 15);
	server->port = number(row, 16);
	client->packets = sqlite3_column_int64(row, 17);
	server->packets = sqlite3_column_int64(row, 18);
	client->payload_bytes = sqlite3_column_int64(row, 19);
	server->payload_bytes = sqlite3_column_int64(row, 20);
	life->has_tcp = sqlite3_column_int(row, 21) != 0;
	life->handshake_us = number(row, 22);
	life->handshake_server_us = number(row, 23);
	life->handshake_client_us = number(row, 24);
	for (int i = 0; i < FYKE_TCP_LIFE_PARTS; i++)
		life->spent_us[i] = number(row, FIRST_PART_COLUMN + i);
	(void)take_side(row, take_side(row, FIRST_SIDE_COLUMN, client), server);
	return take_text(row, 7, &life->service) && take_text(row, 8, &life->server_name) &&
	       take_text(row, 9, &life->state) && take_text(row, 10, &life->history) &&
	       take_text(row, 11, &life->end_reason) && take_text(row, 12, &life->capture) &&
	       take_text(row, 13, &client->ip) && take_text(row, 14, &server->ip);
}

static enum fyke_status no_memory(struct fyke_error *error)
{
	return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
}

static enum fyke_status load_session(sqlite3 *db, struct fyke_tcp_life *life, struct fyke_error *error)
{
	char *sql =
		sqlite3_mprintf("%s%s%s FROM " FYKE_ALL_SESSIONS " s JOIN captures c ON c.id = s.capture_id"
				" LEFT JOIN tcp t ON t.session_id = s.id WHERE s.id = ?1",
			session_columns, client_columns, server_columns);
	sqlite3_stmt *row = NULL;
	enum fyke_status status;

	if (sql == NULL)
		return no_memory(error);
	status = fyke_facts_prepare(db, sql, life->id, &row, error);
	sqlite3_free(sql);
	if (status != FYKE_OK)
		return status;
	if (!fyke_facts_step(&row, &status, error))
		return status != FYKE_OK ? status
					 : fyke_error_set(error, FYKE_FAILED_USAGE,
						   "the database has no session %" PRId64, life->id);
	if (sqlite3_stricmp((const char *)sqlite3_column_text(row, 0), "tcp") != 0)
		status = fyke_error_set(error, FYKE_FAILED_USAGE,
			"session %" PRId64
			" is %s, not tcp: there is no more to tell than `fyke query %" PRId64
			" --columns all` does",
			life->id, (const char *)sqlite3_column_text(row, 0), life->id);
	else if (!take_session(row, life))
		status = no_memory(error);
	sqlite3_finalize(row);
	return status;
}

/* The number behind `word` in a text whose parts are joined by "; "; -1 = it is not there. */
static int64_t number_behind(const char *text, const char *word, double unit)
{
	const char *found = text == NULL ? NULL : strstr(text, word);
	double value;

	if (found == NULL)
		return -1;
	value = strtod(found + strlen(word), NULL) * unit;
	return value >= 0 && value < 1e15 ? (int64_t)(value + 0.5) : -1;
}

static void read_evidence(struct fyke_tcp_life_event *event)
{
	const char *text = event->evidence == NULL ? "" : event->evidence;

	event->original = number_behind(text, "in frame ", 1);
	event->duplicate_acks = number_behind(text, "; duplicate ACKs ", 1);
	event->sacked = number_behind(text, "SACKed up to ", 1);
	event->waited_us = number_behind(text, "waited ", 1000);
	event->timer_us = number_behind(text, ", timer ", 1000);
	event->spurious = strstr(text, "spurious") != NULL;
	if (strstr(text, "lost beyond") != NULL)
		event->lost = FYKE_TCP_LOST_BEYOND;
	else if (strstr(text, "lost before") != NULL)
		event->lost = FYKE_TCP_LOST_BEFORE;
}

static bool take_event(sqlite3_stmt *row, struct fyke_tcp_life *life)
{
	size_t count = life->event_count;
	const char *side = (const char *)sqlite3_column_text(row, 2);
	struct fyke_tcp_life_event *grown, *event;

	if ((count & (count - 1)) == 0) { /* room is the next power of two */
		grown = reallocarray(life->events, count == 0 ? 1 : count * 2, sizeof(*grown));
		if (grown == NULL)
			return false;
		life->events = grown;
	}
	event = &life->events[life->event_count++];
	*event = (struct fyke_tcp_life_event){.frame = sqlite3_column_int64(row, 0),
		.time_us = sqlite3_column_int64(row, 1),
		.side = side != NULL && strcmp(side, "client") == 0 ? 0 : 1,
		.offset = sqlite3_column_int64(row, 4),
		.length = sqlite3_column_int64(row, 5)};
	if (!take_text(row, 3, &event->kind) || !take_text(row, 6, &event->evidence))
		return false;
	read_evidence(event);
	return true;
}

static enum fyke_status load_events(sqlite3 *db, struct fyke_tcp_life *life, struct fyke_error *error)
{
	static const char sql[] =
		"SELECT frame, time_us, side, kind, \"offset\", length, evidence FROM tcp_events"
		" WHERE session_id = ?1 ORDER BY n";
	sqlite3_stmt *row = NULL;
	enum fyke_status status = fyke_facts_prepare(db, sql, life->id, &row, error);

	if (status != FYKE_OK)
		return status;
	while (fyke_facts_step(&row, &status, error)) {
		if (life->event_count < EVENTS_MAX && take_event(row, life))
			continue;
		sqlite3_finalize(row);
		return life->event_count < EVENTS_MAX ? no_memory(error) : FYKE_OK;
	}
	return status;
}

enum fyke_status fyke_tcp_life_load(
	sqlite3 *db, int64_t session_id, struct fyke_tcp_life **made, struct fyke_error *error)
{
	struct fyke_tcp_life *life = calloc(1, sizeof(*life));
	enum fyke_status status;

	*made = NULL;
	if (life == NULL)
		return no_memory(error);
	life->id = session_id;
	status = load_session(db, life, error);
	if (status == FYKE_OK)
		status = load_events(db, life, error);
	if (status != FYKE_OK) {
		fyke_tcp_life_free(life);
		return status;
	}
	*made = life;
	return FYKE_OK;
}

void fyke_tcp_life_free(struct fyke_tcp_life *life)
{
	if (life == NULL)
		return;
	for (size_t i = 0; i < life->event_count; i++) {
		free(life->events[i].kind);
		free(life->events[i].evidence);
	}
	free(life->events);
	free(life->service);
	free(life->server_name);
	free(life->state);
	free(life->history);
	free(life->end_reason);
	free(life->capture);
	free(life->side[0].ip);
	free(life->side[1].ip);
	free(life);
}

int fyke_tcp_life_main_side(const struct fyke_tcp_life *life)
{
	return life->side[1].payload_bytes >= life->side[0].payload_bytes ? FYKE_TCP_LIFE_SERVER
									  : FYKE_TCP_LIFE_CLIENT;
}
