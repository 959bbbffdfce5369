/* Who is over the threshold, and the blocks that are being filled. */
#include "storage/fold.h"

#include "storage/sql.h"

#include <stdlib.h>
#include <string.h>

enum { OF_ALL = FYKE_FOLD_BLOCKS };

struct fyke_fold_block {
	uint64_t used;
	bool one_client, one_server, one_port; /* as first_row */
	struct fyke_folded first;
	int64_t first_us, last_us, refused;
	int64_t packets[2], bytes[2];
	struct fyke_fold_writer writer;
	uint8_t room[FYKE_FOLD_BYTES_MAX];
};

struct client {
	struct fyke_address ip;
	uint32_t sessions;
};

static const char insert_sql[] =
	"INSERT INTO folded_sessions(id, capture_id, sessions, transport, client_ip, server_ip, server_port,"
	" unanswered, refused, client_packets, server_packets, client_bytes, server_bytes, first_us, last_us,"
	" block) VALUES(?1, ?2, ?3, 'tcp', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";

enum fyke_status fyke_fold_init(
	struct fyke_fold *fold, sqlite3 *db, int64_t capture_id, int64_t *next_id, struct fyke_error *error)
{
	*fold = (struct fyke_fold){.capture_id = capture_id, .next_id = next_id};
	fyke_index_init(
		&fold->clients, sizeof(struct client), sizeof(struct fyke_address), FYKE_FOLD_CLIENTS_MAX);
	return fyke_sql_prepare(db, insert_sql, &fold->insert, error);
}

void fyke_fold_release(struct fyke_fold *fold)
{
	sqlite3_finalize(fold->insert);
	fyke_index_release(&fold->clients);
	for (size_t i = 0; i < sizeof(fold->blocks) / sizeof(fold->blocks[0]); i++)
		free(fold->blocks[i]);
}

static void bind_address(sqlite3_stmt *statement, int index, const struct fyke_address *address, bool known)
{
	char text[FYKE_ADDRESS_TEXT];

	(void)fyke_address_text(address, text);
	if (known)
		sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
	else
		sqlite3_bind_null(statement, index);
}

static void bind_block(const struct fyke_fold *fold, const struct fyke_fold_block *block)
{
	const int64_t sums[] = {(int64_t)block->writer.sessions - block->refused, block->refused,
		block->packets[0], block->packets[1], block->bytes[0], block->bytes[1], block->first_us,
		block->last_us};
	sqlite3_stmt *insert = fold->insert;

	sqlite3_bind_int64(insert, 1, *fold->next_id);
	sqlite3_bind_int64(insert, 2, fold->capture_id);
	sqlite3_bind_int64(insert, 3, block->writer.sessions);
	bind_address(insert, 4, &block->first.ip[FYKE_CLIENT], block->one_client);
	bind_address(insert, 5, &block->first.ip[FYKE_SERVER], block->one_server);
	fyke_sql_bind_number(insert, 6, block->one_port ? block->first.port[FYKE_SERVER] : FYKE_UNKNOWN);
	for (int i = 0; i < 8; i++)
		sqlite3_bind_int64(insert, 7 + i, sums[i]);
	sqlite3_bind_blob64(insert, 15, block->room, block->writer.length, SQLITE_STATIC);
}

static enum fyke_status write_block(
	struct fyke_fold *fold, struct fyke_fold_block *block, struct fyke_error *error)
{
	enum fyke_status status;

	if (block == NULL || block->writer.sessions == 0)
		return FYKE_OK;
	bind_block(fold, block);
	status = fyke_sql_finish(fold->insert, error);
	*fold->next_id += block->writer.sessions;
	block->writer.sessions = 0;
	return status;
}

enum fyke_status fyke_fold_flush(struct fyke_fold *fold, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	for (size_t i = 0; status == FYKE_OK && i < sizeof(fold->blocks) / sizeof(fold->blocks[0]); i++)
		status = write_block(fold, fold->blocks[i], error);
	return status;
}

static bool same_address(const struct fyke_address *a, const struct fyke_address *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static bool is_of(const struct fyke_fold_block *block, const struct fyke_address *client)
{
	return block != NULL && block->writer.sessions > 0 &&
	       same_address(&block->first.ip[FYKE_CLIENT], client);
}

/* The place of a client's block; the block that was used longest ago has to go for a new one. */
static unsigned place_of(const struct fyke_fold *fold, const struct fyke_address *client)
{
	unsigned oldest = 0;

	if (fold->latest < FYKE_FOLD_BLOCKS && is_of(fold->blocks[fold->latest], client))
		return fold->latest;
	for (unsigned i = 0; i < FYKE_FOLD_BLOCKS; i++) {
		const struct fyke_fold_block *block = fold->blocks[i];

		if (is_of(block, client))
			return i;
		if (block == NULL || block->writer.sessions == 0)
			oldest = i;
		else if (fold->blocks[oldest] != NULL && fold->blocks[oldest]->writer.sessions > 0 &&
			 block->used < fold->blocks[oldest]->used)
			oldest = i;
	}
	return oldest;
}

static void begin_block(struct fyke_fold_block *block, const struct fyke_folded *row)
{
	fyke_fold_writer_start(&block->writer, block->room, row->ip[FYKE_CLIENT].family);
	block->one_client = block->one_server = block->one_port = true;
	block->first = *row;
	block->first_us = row->start_us;
	block->last_us = row->end_us;
	block->refused = 0;
	memset(block->packets, 0, sizeof(block->packets));
	memset(block->bytes, 0, sizeof(block->bytes));
}

static void count(struct fyke_fold_block *block, const struct fyke_folded *row)
{
	const struct fyke_folded *first = &block->first;

	block->one_client &= same_address(&row->ip[FYKE_CLIENT], &first->ip[FYKE_CLIENT]);
	block->one_server &= same_address(&row->ip[FYKE_SERVER], &first->ip[FYKE_SERVER]);
	block->one_port &= row->port[FYKE_SERVER] == first->port[FYKE_SERVER];
	if (row->start_us < block->first_us)
		block->first_us = row->start_us;
	if (row->end_us > block->last_us)
		block->last_us = row->end_us;
	block->refused += row->kind.state == FYKE_STATE_REJ;
	for (int i = 0; i < 2; i++) {
		block->packets[i] += row->kind.packets[i];
		block->bytes[i] += row->kind.bytes[i];
	}
}

static enum fyke_status put(
	struct fyke_fold *fold, unsigned place, const struct fyke_folded *row, struct fyke_error *error)
{
	struct fyke_fold_block *block = fold->blocks[place];
	enum fyke_status status = FYKE_OK;

	if (block == NULL)
		block = fold->blocks[place] = calloc(1, sizeof(*block));
	if (block == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "Out of memory for folded sessions");
	if (place < OF_ALL && !is_of(block, &row->ip[FYKE_CLIENT]))
		status = write_block(fold, block, error);
	for (int i = 0; status == FYKE_OK && i < 2; i++) {
		if (block->writer.sessions == 0)
			begin_block(block, row);
		if (fyke_fold_writer_add(&block->writer, row))
			break;
		status = write_block(fold, block, error);
	}
	if (status != FYKE_OK)
		return status;
	count(block, row);
	block->used = ++fold->clock;
	fold->latest = place;
	fold->folded++;
	return FYKE_OK;
}

enum fyke_status fyke_fold_take(
	struct fyke_fold *fold, const struct fyke_session *session, bool *taken, struct fyke_error *error)
{
	const struct fyke_address *ip = &session->side[FYKE_CLIENT].ip;
	struct fyke_folded row;
	struct client *client;
	bool added;

	*taken = false;
	if (fold->off || (session->state != FYKE_STATE_S0 && session->state != FYKE_STATE_REJ) ||
		!fyke_folded_of(session, &row))
		return FYKE_OK;
	client = fyke_index_add(&fold->clients, ip, &added);
	if (client != NULL && client->sessions < FYKE_FOLD_CLIENT_ROWS && fold->rows_kept < FYKE_FOLD_ROWS) {
		client->sessions++;
		fold->rows_kept++;
		return FYKE_OK;
	}
	*taken = true;
	if (!session->ended)
		return FYKE_OK;
	if (client != NULL && client->sessions >= FYKE_FOLD_CLIENT_ROWS)
		return put(fold, place_of(fold, ip), &row, error);
	return put(fold, OF_ALL + (ip->family == FYKE_ADDRESS_IPV6), &row, error);
}
