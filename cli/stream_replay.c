/*
 * A session's frames, from its capture files through decoding, defragmentation and reassembly. What of
 * a frame belongs to the session is told by its addresses, ports and tunnel, as its first packet has
 * them.
 */
#include "cli/stream.h"

#include "analyzer/front.h"
#include "storage/folded.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };

#define FRAGMENT_MEMORY ((uint64_t)16 << 20)
#define SIDE_MEMORY	((uint64_t)64 << 20)
#define SHARED_MEMORY	((uint64_t)160 << 20)

struct replay {
	const struct fyke_stream_session *session;
	const struct fyke_stream_listener *listener;
	struct fyke_stream_totals *totals;
	bool searching;	  /* for where the streams begin: nothing is told yet */
	int64_t start[2]; /* by enum fyke_endpoint; INT64_MIN = not known */
	bool has_key;
	struct fyke_flow_key key;
	enum fyke_endpoint client;
	struct fyke_blocks blocks;
	struct fyke_tcp_memory tcp_memory;
	struct fyke_tcp tcp;
	bool failed; /* memory is out */
	struct fyke_stream stream;
	struct fyke_stream_memory memory;
	int64_t sent[2]; /* UDP: bytes so far, by enum fyke_side */
	uint64_t frame;
	int64_t time_ns;
};

static void name_endpoint(struct fyke_stream_session *session, int side)
{
	char text[FYKE_ADDRESS_TEXT];

	fyke_address_text(&session->address[side], text);
	(void)snprintf(session->name[side], sizeof(session->name[side]),
		session->address[side].family == FYKE_ADDRESS_IPV6 ? "[%s]:%u" : "%s:%u", text,
		(unsigned)session->port[side]);
}

static bool take_row(sqlite3_stmt *row, struct fyke_stream_session *session)
{
	const char *service = (const char *)sqlite3_column_text(row, 7);
	const char *history = (const char *)sqlite3_column_text(row, 11);

	session->protocol = (uint8_t)sqlite3_column_int(row, 0);
	session->is_tcp = session->protocol == PROTOCOL_TCP;
	session->midstream = session->is_tcp && (history == NULL || strpbrk(history, "Ss") == NULL ||
							strpbrk(history, "Hh") == NULL);
	session->layer = (uint8_t)sqlite3_column_int(row, 1);
	session->first_frame = sqlite3_column_int64(row, 2);
	session->start_us = sqlite3_column_int64(row, 8);
	session->bad_checksums = sqlite3_column_int64(row, 9);
	for (int side = 0; side < 2; side++) {
		const char *address = (const char *)sqlite3_column_text(row, 3 + 2 * side);
		sqlite3_int64 port = sqlite3_column_int64(row, 4 + 2 * side);

		if (sqlite3_column_type(row, 4 + 2 * side) == SQLITE_NULL)
			return false;
		if (address == NULL || !fyke_address_parse(address, &session->address[side]) || port < 0 ||
			port > UINT16_MAX)
			return false;
		session->port[side] = (uint16_t)port;
		name_endpoint(session, side);
	}
	if (service != NULL)
		(void)snprintf(session->service, sizeof(session->service), "%s", service);
	return true;
}

enum fyke_status fyke_stream_session_load(
	sqlite3 *db, int64_t id, struct fyke_stream_session *session, struct fyke_error *error)
{
	static const char sql[] =
		"SELECT ip_protocol, layer, first_frame, client_ip, client_port, server_ip,"
		" server_port, service, start_us, bad_checksums, transport, history FROM " FYKE_ALL_SESSIONS
		" WHERE id = ?1";
	sqlite3_stmt *statement = NULL;
	enum fyke_status status = FYKE_OK;

	*session = (struct fyke_stream_session){.id = id};
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		return fyke_error_set(error, FYKE_FAILED_DATABASE, "%s", sqlite3_errmsg(db));
	sqlite3_bind_int64(statement, 1, id);
	if (sqlite3_step(statement) != SQLITE_ROW)
		status = fyke_error_set(error, FYKE_FAILED_USAGE, "the database has no session %" PRId64, id);
	else if (sqlite3_column_int(statement, 0) != PROTOCOL_TCP &&
		 sqlite3_column_int(statement, 0) != PROTOCOL_UDP)
		status = fyke_error_set(error, FYKE_FAILED_FORMAT,
			"session %" PRId64 " is %s: only TCP and UDP carry streams", id,
			(const char *)sqlite3_column_text(statement, 10));
	else if (!take_row(statement, session))
		status = fyke_error_set(error, FYKE_FAILED_FORMAT,
			"session %" PRId64 " has no stream: its transport header could not be read", id);
	sqlite3_finalize(statement);
	return status;
}

static bool is_end(const struct fyke_stream_session *session, int side, const struct fyke_address *address,
	uint16_t port)
{
	return port == session->port[side] && fyke_address_compare(address, &session->address[side]) == 0;
}

/* The first packet with the session's addresses, in its layer, gives the key. */
static bool belongs(struct replay *replay, const struct fyke_packet *packet, enum fyke_endpoint *sender)
{
	const struct fyke_stream_session *session = replay->session;
	struct fyke_flow_key key;
	int side;

	if (packet->protocol != session->protocol ||
		packet->kind != (session->is_tcp ? FYKE_PACKET_TCP : FYKE_PACKET_UDP))
		return false;
	*sender = fyke_flow_key_of(packet, &key);
	if (replay->has_key)
		return memcmp(&key, &replay->key, sizeof(key)) == 0;
	side = is_end(session, FYKE_CLIENT, &packet->source, packet->source_port) ? FYKE_CLIENT : FYKE_SERVER;
	if (packet->layer != session->layer || !is_end(session, side, &packet->source, packet->source_port) ||
		!is_end(session, 1 - side, &packet->destination, packet->destination_port))
		return false;
	replay->has_key = true;
	replay->key = key;
	replay->client = side == FYKE_CLIENT ? *sender : (enum fyke_endpoint)(1 - *sender);
	if (session->is_tcp)
		fyke_tcp_start(&replay->tcp, packet, *sender, side == FYKE_SERVER);
	return true;
}

static enum fyke_side role_of(const struct replay *replay, enum fyke_endpoint side)
{
	return side == replay->client ? FYKE_CLIENT : FYKE_SERVER;
}

static void on_chunk(void *context, const struct fyke_chunk *chunk)
{
	const struct replay *replay = context;

	replay->listener->chunk(replay->listener->context, role_of(replay, chunk->side), chunk);
}

static void on_conflict(void *context, const struct fyke_conflict *conflict)
{
	const struct replay *replay = context;

	replay->listener->conflict(replay->listener->context, role_of(replay, conflict->side), conflict);
}

static void on_urgent(void *context, const struct fyke_urgent *urgent)
{
	const struct replay *replay = context;

	replay->listener->urgent(replay->listener->context, role_of(replay, urgent->side), urgent);
}

static void take_datagram(struct replay *replay, const struct fyke_packet *packet, enum fyke_endpoint sender)
{
	enum fyke_side side = role_of(replay, sender);
	struct fyke_reassembly_counters *counters = &replay->totals->side[side];
	uint32_t cut = packet->payload_length - packet->payload_captured;
	struct fyke_chunk chunk = {.side = sender,
		.offset = replay->sent[side],
		.data = packet->payload,
		.length = packet->payload_captured,
		.frame = packet->frame,
		.time_ns = packet->time_ns};

	counters->fed += packet->payload_captured;
	if (packet->checksum == FYKE_CHECKSUM_WRONG) {
		counters->ignored += packet->payload_captured;
		return;
	}
	counters->delivered += packet->payload_captured;
	replay->listener->chunk(replay->listener->context, side, &chunk);
	replay->sent[side] += packet->payload_length;
	if (cut == 0)
		return;
	counters->gaps++;
	counters->gap_bytes[FYKE_GAP_CUT] += cut;
	chunk.offset = replay->sent[side];
	chunk.gap = cut;
	chunk.cause = FYKE_GAP_CUT;
	chunk.length = 0;
	replay->listener->chunk(replay->listener->context, side, &chunk);
}

static void take_packet(struct replay *replay, const struct fyke_packet *captured)
{
	struct fyke_packet packet = *captured;
	struct fyke_tcp_result result;
	enum fyke_endpoint sender;

	if (!belongs(replay, &packet, &sender))
		return;
	/* the analysis saw all packets of these hosts: what it found good is good */
	if (packet.checksum == FYKE_CHECKSUM_WRONG && replay->session->bad_checksums == 0)
		packet.checksum = FYKE_CHECKSUM_PARTIAL;
	replay->totals->packets++;
	replay->frame = packet.frame;
	replay->time_ns = packet.time_ns;
	if (!replay->session->is_tcp) {
		take_datagram(replay, &packet, sender);
		return;
	}
	packet.block = 0; /* nothing of it outlives the call */
	replay->failed |= !fyke_tcp_take(&replay->tcp_memory, &replay->tcp, &packet, sender, &result);
	if (!replay->searching)
		fyke_stream_take(&replay->stream, &replay->tcp, &packet, sender);
}

static enum fyke_status out_of_memory(struct fyke_error *error)
{
	return fyke_error_set(error, FYKE_FAILED_MEMORY, "no memory to put the stream together");
}

static enum fyke_status read_frames(
	struct replay *replay, struct fyke_recall *recall, struct fyke_front *front, struct fyke_error *error)
{
	struct fyke_frame frame;
	enum fyke_status status;
	bool more;

	while ((status = fyke_recall_next(recall, &frame, &more, error)) == FYKE_OK && more) {
		struct fyke_front_batch batch;

		(void)fyke_front_take(front, &frame, frame.time_ns);
		batch = fyke_front_batch(front);
		for (size_t i = 0; i < batch.count; i++)
			take_packet(replay, &batch.packets[i]);
		fyke_front_clear(front);
		if (replay->failed)
			return out_of_memory(error);
	}
	return status;
}

/* All frames of the session, from the first on. */
static enum fyke_status run(struct replay *replay, struct fyke_recall *recall, struct fyke_error *error)
{
	struct fyke_front *front = NULL;
	enum fyke_status status;

	fyke_recall_clear(recall);
	replay->totals->packets = 0;
	replay->has_key = false;
	replay->tcp = (struct fyke_tcp){0};
	status = fyke_recall_add(recall, replay->session->id, error);
	if (status == FYKE_OK)
		status = fyke_recall_open(recall, error);
	if (status == FYKE_OK)
		status = fyke_front_new(FRAGMENT_MEMORY, &front, error);
	if (status == FYKE_OK)
		status = read_frames(replay, recall, front, error);
	fyke_front_free(front);
	return status;
}

/* Without a SYN the first segment seen need not be the first one sent: a look ahead tells. */
static enum fyke_status search_start(
	struct replay *replay, struct fyke_recall *recall, struct fyke_error *error)
{
	enum fyke_status status;

	replay->start[0] = replay->start[1] = INT64_MIN;
	if (!replay->session->midstream)
		return FYKE_OK;
	replay->searching = true;
	status = run(replay, recall, error);
	for (int i = 0; i < 2 && status == FYKE_OK; i++) {
		const struct fyke_tcp_side *side = &replay->tcp.side[i];

		if (!side->syn_seen && fyke_tcp_stream_bytes(side) > 0)
			replay->start[i] = fyke_tcp_lowest(side);
	}
	fyke_tcp_release(&replay->tcp_memory, &replay->tcp);
	replay->searching = false;
	return status;
}

static void start_streams(struct replay *replay, enum fyke_policy policy)
{
	static const struct fyke_stream_sink sink = {.chunk = on_chunk, .conflict = on_conflict};
	const struct fyke_stream_options options = {.policy = {policy, policy},
		.memory = SIDE_MEMORY,
		.keeps_recent = true,
		.start = {replay->start[0], replay->start[1]},
		.sink = &sink,
		.urgent = on_urgent,
		.context = replay};

	fyke_stream_memory_init(&replay->memory, SHARED_MEMORY);
	fyke_stream_init(&replay->stream, &replay->memory, &options);
}

static void end_streams(struct replay *replay, bool good)
{
	if (good && replay->session->is_tcp) {
		fyke_stream_finish(&replay->stream, replay->frame, replay->time_ns);
		for (int i = 0; i < 2; i++)
			replay->totals->side[role_of(replay, (enum fyke_endpoint)i)] =
				replay->stream.side[i].counters;
		replay->totals->left_out = replay->stream.left_out;
	}
	fyke_stream_release(&replay->stream);
	fyke_stream_memory_release(&replay->memory);
	fyke_tcp_release(&replay->tcp_memory, &replay->tcp);
}

enum fyke_status fyke_stream_replay(struct fyke_recall *recall, const struct fyke_stream_session *session,
	enum fyke_policy policy, const struct fyke_stream_listener *listener,
	struct fyke_stream_totals *totals, struct fyke_error *error)
{
	struct replay *replay = calloc(1, sizeof(*replay));
	enum fyke_status status;

	*totals = (struct fyke_stream_totals){0};
	if (replay == NULL)
		return out_of_memory(error);
	replay->tcp_memory.blocks = &replay->blocks;
	replay->session = session;
	replay->listener = listener;
	replay->totals = totals;
	status = search_start(replay, recall, error);
	if (status == FYKE_OK) {
		start_streams(replay, policy);
		status = run(replay, recall, error);
		end_streams(replay, status == FYKE_OK);
	}
	if (status == FYKE_OK && totals->packets == 0)
		status = fyke_error_set(error, FYKE_FAILED_FORMAT,
			"the packets of session %" PRId64
			" are not where the database says: the capture file has changed",
			session->id);
	fyke_recall_clear(recall);
	fyke_blocks_release(&replay->blocks);
	free(replay);
	return status;
}
