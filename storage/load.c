/*
 * The loader. A session keeps the id that it got when it was written first; it is found again by its
 * birth key, and when its row has been removed meanwhile (--keep) it is written anew.
 */
#include "storage/load.h"

#include "storage/derive.h"
#include "storage/sql.h"

#include <stdlib.h>
#include <string.h>

enum { FOLDED_TO_A_ROW = 64 }; /* what a row costs */

/* What hosts and ports need of a row that is about to be overwritten. */
static const char find_sql[] =
	"SELECT id, client_ip, server_ip, client_port, server_port, client_packets, server_packets, "
	"client_bytes,"
	" server_bytes, ip_protocol, history, state, roles_guessed, start_us, end_us FROM sessions"
	" WHERE capture_id = ?1 AND first_frame = ?2 AND first_ordinal = ?3";

static enum fyke_status prepare_batch(struct fyke_load *load, struct fyke_load_batch *batch, const char *name,
	const struct fyke_schema_table *table, struct fyke_error *error)
{
	batch->rows = (struct fyke_rows){.rows = batch->items,
		.size = sizeof(batch->items[0]),
		.column_count = table->column_count,
		.column = fyke_rows_session_column,
		.context = table};
	return fyke_rows_register(load->db, name, &batch->rows, error);
}

static char *update_sql(sqlite3 *db)
{
	const struct fyke_schema_table *table = &fyke_schema_sessions;
	sqlite3_str *sql = sqlite3_str_new(db);
	const char *separator = "UPDATE sessions SET ";

	for (size_t i = 0; i < table->column_count; i++) {
		const char *name = table->columns[i].name;

		if (strcmp(name, "id") == 0 || strcmp(name, "capture_id") == 0 ||
			strcmp(name, "first_frame") == 0 || strcmp(name, "first_ordinal") == 0)
			continue;
		/* a name that was known at an earlier hand-over stays known */
		if (strcmp(name, "server_name") == 0)
			sqlite3_str_appendf(sql, "%sserver_name = coalesce(r.c%d, sessions.server_name)",
				separator, (int)i);
		else
			sqlite3_str_appendf(sql, "%s\"%w\" = r.c%d", separator, name, (int)i);
		separator = ", ";
	}
	sqlite3_str_appendall(sql, " FROM fyke_rows_updates AS r WHERE sessions.id = r.c0");
	return sqlite3_str_finish(sql);
}

static enum fyke_status prepare_updates(struct fyke_load *load, struct fyke_error *error)
{
	char *sql = update_sql(load->db);
	enum fyke_status status = sql == NULL
					  ? fyke_error_set(error, FYKE_FAILED_MEMORY, "Out of memory")
					  : fyke_sql_prepare(load->db, sql, &load->updates.statement, error);

	sqlite3_free(sql);
	return status;
}

static enum fyke_status prepare_statements(struct fyke_load *load, struct fyke_error *error)
{
	const struct {
		const char *sql;
		sqlite3_stmt **statement;
	} list[] = {
		{"INSERT INTO sessions SELECT * FROM fyke_rows_sessions", &load->sessions.statement},
		{"INSERT INTO tcp SELECT * FROM fyke_rows_tcp", &load->tcp.statement},
		{"INSERT OR REPLACE INTO tcp SELECT * FROM fyke_rows_tcp_updates",
			&load->tcp_updates.statement},
		{find_sql, &load->find},
		{"INSERT OR REPLACE INTO frame_index VALUES(?1, ?2, ?3)", &load->index},
	};
	enum fyke_status status = prepare_updates(load, error);

	for (size_t i = 0; status == FYKE_OK && i < sizeof(list) / sizeof(list[0]); i++)
		status = fyke_sql_prepare(load->db, list[i].sql, list[i].statement, error);
	return status;
}

static enum fyke_status prepare(struct fyke_load *load, struct fyke_error *error)
{
	const struct fyke_schema_table *sessions = &fyke_schema_sessions, *tcp = &fyke_schema_tcp;
	const struct fyke_stored_run comments = {load->capture_id, load->file_ids, load->file_count};
	enum fyke_status status = prepare_batch(load, &load->sessions, "sessions", sessions, error);

	if (status == FYKE_OK)
		status = prepare_batch(load, &load->tcp, "tcp", tcp, error);
	if (status == FYKE_OK)
		status = prepare_batch(load, &load->updates, "updates", sessions, error);
	if (status == FYKE_OK)
		status = prepare_batch(load, &load->tcp_updates, "tcp_updates", tcp, error);
	if (status == FYKE_OK)
		status = fyke_timeline_attach(&load->timeline, load->db, error);
	if (status == FYKE_OK)
		status = fyke_hosts_attach(&load->hosts, load->db, error);
	if (status == FYKE_OK)
		status = fyke_fold_init(&load->fold, load->db, load->capture_id, &load->next_id, error);
	if (status == FYKE_OK)
		status = fyke_comments_begin(&load->comments, load->db, &comments, error);
	if (status == FYKE_OK)
		status = fyke_neighbours_begin(
			&load->neighbours, load->db, load->capture_id, &load->hosts.known, error);
	return status == FYKE_OK ? prepare_statements(load, error) : status;
}

enum fyke_status fyke_load_new(sqlite3 *db, int64_t capture_id, const int64_t *file_ids, size_t file_count,
	struct fyke_load **load, struct fyke_error *error)
{
	struct fyke_load *made = calloc(1, sizeof(*made));
	enum fyke_status status;

	*load = NULL;
	if (made == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "Out of memory");
	made->db = db;
	made->hasher = fyke_community_hasher_new();
	made->capture_id = capture_id;
	made->file_ids = file_ids;
	made->file_count = file_count;
	fyke_names_init(&made->names);
	fyke_timeline_init(&made->timeline, &made->names);
	fyke_hosts_init(&made->hosts, &made->names);
	status = made->hasher == NULL
			 ? fyke_error_set(error, FYKE_FAILED_MEMORY, "Out of memory for Community IDs")
			 : prepare(made, error);
	if (status != FYKE_OK) {
		fyke_load_free(made);
		return status;
	}
	*load = made;
	return FYKE_OK;
}

void fyke_load_free(struct fyke_load *load)
{
	if (load == NULL)
		return;
	sqlite3_finalize(load->sessions.statement);
	sqlite3_finalize(load->tcp.statement);
	sqlite3_finalize(load->updates.statement);
	sqlite3_finalize(load->tcp_updates.statement);
	sqlite3_finalize(load->find);
	sqlite3_finalize(load->index);
	fyke_comments_release(&load->comments);
	fyke_neighbours_release(&load->neighbours);
	for (size_t i = 0; i < load->table_count; i++) {
		sqlite3_finalize(load->tables[i]->statement);
		free(load->tables[i]);
	}
	fyke_community_hasher_free(load->hasher);
	fyke_fold_release(&load->fold);
	fyke_hosts_release(&load->hosts);
	fyke_timeline_release(&load->timeline);
	fyke_names_release(&load->names);
	free(load);
}

void fyke_load_begin(struct fyke_load *load)
{
	int64_t highest = fyke_sql_number(load->db,
		"SELECT max(ifnull((SELECT max(id) FROM sessions), 0), ifnull((SELECT id + sessions - 1 FROM"
		" folded_sessions ORDER BY id DESC LIMIT 1), 0))",
		0);

	if (highest >= load->next_id)
		load->next_id = highest + 1;
	load->rows = 0;
}

void fyke_load_forget(struct fyke_load *load)
{
	memset(load->cache, 0, sizeof(load->cache));
}

static enum fyke_status run_batch(
	sqlite3_stmt *statement, struct fyke_rows *rows, uint64_t *total, struct fyke_error *error)
{
	enum fyke_status status;

	if (rows->count == 0)
		return FYKE_OK;
	status = fyke_sql_finish(statement, error);
	*total += rows->count;
	rows->count = 0;
	return status;
}

static enum fyke_status flush_sessions(struct fyke_load *load, struct fyke_error *error)
{
	enum fyke_status status =
		run_batch(load->sessions.statement, &load->sessions.rows, &load->rows, error);

	if (status == FYKE_OK)
		status = run_batch(load->tcp.statement, &load->tcp.rows, &load->rows, error);
	if (status == FYKE_OK)
		status = run_batch(load->updates.statement, &load->updates.rows, &load->rows, error);
	if (status == FYKE_OK)
		status = run_batch(load->tcp_updates.statement, &load->tcp_updates.rows, &load->rows, error);
	return status;
}

static enum fyke_status flush_records(struct fyke_load *load, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	for (size_t i = 0; status == FYKE_OK && i < load->table_count; i++)
		status = run_batch(load->tables[i]->statement, &load->tables[i]->rows, &load->rows, error);
	return status;
}

static struct fyke_load_known *cache_slot(struct fyke_load *load, const struct fyke_birth *birth)
{
	uint64_t hash = (birth->frame * 31 + birth->ordinal) * 0x9e3779b97f4a7c15U;

	return &load->cache[hash >> 51];
}

_Static_assert(FYKE_LOAD_CACHE == 1 << 13, "cache_slot takes 13 bits");

static bool same_birth(const struct fyke_birth *a, const struct fyke_birth *b)
{
	return a->frame == b->frame && a->ordinal == b->ordinal;
}

static void remember(struct fyke_load *load, const struct fyke_birth *birth, int64_t id)
{
	*cache_slot(load, birth) = (struct fyke_load_known){*birth, id};
}

static bool is_in(const struct fyke_load_batch *batch, const struct fyke_birth *birth, int64_t *id)
{
	for (size_t i = batch->rows.count; i-- > 0;) {
		if (same_birth(&batch->items[i].session->birth, birth)) {
			*id = batch->items[i].id;
			return true;
		}
	}
	return false;
}

static bool find_row(struct fyke_load *load, const struct fyke_birth *birth)
{
	sqlite3_bind_int64(load->find, 1, load->capture_id);
	sqlite3_bind_int64(load->find, 2, (sqlite3_int64)birth->frame);
	sqlite3_bind_int64(load->find, 3, birth->ordinal);
	return sqlite3_step(load->find) == SQLITE_ROW;
}

/* The id of a session handed over before; unknown where its row is gone. */
static int64_t id_of(struct fyke_load *load, const struct fyke_birth *birth)
{
	const struct fyke_load_known *known = cache_slot(load, birth);
	int64_t id = FYKE_UNKNOWN;

	if (birth->frame == 0)
		return FYKE_UNKNOWN;
	if (known->id != 0 && same_birth(&known->birth, birth))
		return known->id;
	if (is_in(&load->sessions, birth, &id))
		return id;
	if (find_row(load, birth)) {
		id = sqlite3_column_int64(load->find, 0);
		remember(load, birth, id);
	}
	sqlite3_reset(load->find);
	return id;
}

static int64_t number_at(sqlite3_stmt *row, int column)
{
	return sqlite3_column_type(row, column) == SQLITE_NULL ? FYKE_UNKNOWN
							       : sqlite3_column_int64(row, column);
}

static void read_side(sqlite3_stmt *row, int which, struct fyke_session_side *side)
{
	const char *ip = (const char *)sqlite3_column_text(row, 1 + which);

	(void)fyke_address_parse(ip == NULL ? "" : ip, &side->ip);
	side->port = number_at(row, 3 + which);
	side->packets = number_at(row, 5 + which);
	side->bytes = number_at(row, 7 + which);
}

static enum fyke_state state_named(const char *name)
{
	for (int i = 0; i < FYKE_STATE_COUNT; i++) {
		if (name != NULL && strcmp(fyke_state_name((enum fyke_state)i), name) == 0)
			return (enum fyke_state)i;
	}
	return FYKE_STATE_OTH;
}

/* The row that find_row stands on, as far as hosts and ports look at it. */
static void read_row(sqlite3_stmt *row, struct fyke_session *session)
{
	const char *history = (const char *)sqlite3_column_text(row, 10);

	*session = (struct fyke_session){.ip_protocol = number_at(row, 9)};
	read_side(row, FYKE_CLIENT, &session->side[FYKE_CLIENT]);
	read_side(row, FYKE_SERVER, &session->side[FYKE_SERVER]);
	if (history != NULL)
		memcpy(session->history, history, strnlen(history, FYKE_HISTORY_MAX - 1));
	session->state = state_named((const char *)sqlite3_column_text(row, 11));
	session->roles_guessed = sqlite3_column_int(row, 12) != 0;
	session->start_ns = sqlite3_column_int64(row, 13) * 1000;
	session->end_ns = sqlite3_column_int64(row, 14) * 1000;
}

/* `id` is unknown for a session that goes into a block. */
static enum fyke_status count_session(struct fyke_load *load, const struct fyke_session *session,
	const struct fyke_session *before, int64_t id, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	if (fyke_hosts_are_full(&load->hosts)) {
		fyke_hosts_stop_sampling(&load->hosts);
		status = fyke_hosts_write(&load->hosts, load->db, load->capture_id, error);
	}
	if (status == FYKE_OK && !(id == FYKE_UNKNOWN ? fyke_hosts_add_folded(&load->hosts, session)
						      : fyke_hosts_add(&load->hosts, session, before, id)))
		status = fyke_error_set(error, FYKE_FAILED_MEMORY, "Out of memory for hosts and ports");
	return status;
}

static void push(struct fyke_load_batch *batch, const struct fyke_session_row *row)
{
	batch->items[batch->rows.count++] = *row;
}

static void push_row(struct fyke_load *load, const struct fyke_session_row *row, bool update)
{
	push(update ? &load->updates : &load->sessions, row);
	if (row->session->tcp != NULL)
		push(update ? &load->tcp_updates : &load->tcp, row);
	if (update)
		load->updates_written++;
	else
		load->sessions_written++;
}

/* A session that was handed over before: its row's id, and what the row says; unknown when it is gone.
 * What waits in a batch is written first, so that the row is there. */
static enum fyke_status find_before(struct fyke_load *load, const struct fyke_session *session, int64_t *id,
	struct fyke_session *before, struct fyke_error *error)
{
	int64_t waiting;

	*id = FYKE_UNKNOWN;
	if (is_in(&load->sessions, &session->birth, &waiting) ||
		is_in(&load->updates, &session->birth, &waiting)) {
		enum fyke_status status = flush_sessions(load, error);

		if (status != FYKE_OK)
			return status;
	}
	if (find_row(load, &session->birth)) {
		*id = sqlite3_column_int64(load->find, 0);
		read_row(load->find, before);
	}
	sqlite3_reset(load->find);
	return FYKE_OK;
}

static enum fyke_status write_record_batch(
	struct fyke_load *load, struct fyke_load_table *table, struct fyke_error *error)
{
	return run_batch(table->statement, &table->rows, &load->rows, error);
}

static enum fyke_status open_table(struct fyke_load *load, const struct fyke_table *table,
	struct fyke_load_table *made, struct fyke_error *error)
{
	bool parents = table == &fyke_table_session_parents;
	size_t prefix = fyke_schema_record_prefix(table);
	sqlite3_str *sql = sqlite3_str_new(load->db);
	enum fyke_status status;
	char *text;

	made->table = table;
	made->rows = (struct fyke_rows){.rows = made->items,
		.size = sizeof(made->items[0]),
		.column_count = prefix + (parents ? 1 : table->field_count),
		.column = fyke_rows_record_column,
		.context = table};
	status = fyke_schema_make_record_table(load->db, table, error);
	if (status == FYKE_OK)
		status = fyke_rows_register(load->db, table->name, &made->rows, error);
	/* A part that was written incomplete at a flush is written again. */
	sqlite3_str_appendf(sql, "INSERT%s INTO main.\"%w\"(session_id%s",
		table == &fyke_table_session_frames ? " OR REPLACE" : "", table->name,
		prefix > 1 ? ", n, frame, time_us" : "");
	for (size_t i = 0; i < table->field_count && !parents; i++)
		sqlite3_str_appendf(sql, ", \"%w\"", table->fields[i].name);
	sqlite3_str_appendf(
		sql, "%s) SELECT * FROM \"fyke_rows_%w\"", parents ? ", parent_id" : "", table->name);
	text = sqlite3_str_finish(sql);
	if (status == FYKE_OK && text == NULL)
		status = fyke_error_set(error, FYKE_FAILED_MEMORY, "Out of memory");
	if (status == FYKE_OK)
		status = fyke_sql_prepare(load->db, text, &made->statement, error);
	sqlite3_free(text);
	return status;
}

static enum fyke_status table_of(struct fyke_load *load, const struct fyke_table *table,
	struct fyke_load_table **found, struct fyke_error *error)
{
	struct fyke_load_table *made;

	for (size_t i = 0; i < load->table_count; i++) {
		*found = load->tables[i];
		if ((*found)->table == table)
			return FYKE_OK;
	}
	if (load->table_count == FYKE_LOAD_TABLES_MAX)
		return fyke_error_set(error, FYKE_FAILED_INTERNAL, "Too many tables of records");
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "Out of memory");
	load->tables[load->table_count++] = *found = made;
	return open_table(load, table, made, error);
}

/* The session that a record names, where it names one. */
static int64_t named_session(struct fyke_load *load, const struct fyke_record *record)
{
	for (size_t i = 0; i < record->table->field_count; i++) {
		const struct fyke_value *value = &record->values[i];

		if (value->kind == FYKE_VALUE_SESSION)
			return id_of(load, &(struct fyke_birth){(uint64_t)value->integer, value->length});
	}
	return FYKE_UNKNOWN;
}

static int64_t parent_of(struct fyke_load *load, const struct fyke_record *record)
{
	const struct fyke_value *values = record->values;
	struct fyke_birth birth;

	if (record->table != &fyke_table_session_parents)
		return named_session(load, record);
	if (values[0].kind != FYKE_VALUE_INTEGER || values[1].kind != FYKE_VALUE_INTEGER)
		return FYKE_UNKNOWN;
	birth = (struct fyke_birth){(uint64_t)values[0].integer, (uint32_t)values[1].integer};
	return id_of(load, &birth);
}

static enum fyke_status add_records(
	struct fyke_load *load, const struct fyke_session_row *row, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	for (const struct fyke_record *record = row->session->records; record != NULL && status == FYKE_OK;
		record = record->next) {
		struct fyke_load_table *table = NULL;

		status = table_of(load, record->table, &table, error);
		if (status != FYKE_OK)
			break;
		table->items[table->rows.count++] =
			(struct fyke_record_row){record, row->id, parent_of(load, record)};
		if (record->table == &fyke_table_host_facts)
			fyke_known_take(&load->hosts.known, row, record);
		load->records_written++;
		if (table->rows.count == FYKE_LOAD_BATCH)
			status = write_record_batch(load, table, error);
	}
	return status;
}

/* A half-open session that goes into a block counts like any other, but what it proves has no row to show. */
static enum fyke_status fold_session(
	struct fyke_load *load, const struct fyke_session *session, bool *folded, struct fyke_error *error)
{
	uint64_t before = load->fold.folded;
	enum fyke_status status = fyke_fold_take(&load->fold, session, folded, error);

	if (status != FYKE_OK || !*folded)
		return status;
	if (load->fold.folded == before)
		return FYKE_OK; /* open */
	if (before % FOLDED_TO_A_ROW == 0)
		load->rows++;
	return count_session(load, session, NULL, FYKE_UNKNOWN, error);
}

static enum fyke_status add_session(
	struct fyke_load *load, struct fyke_session *session, struct fyke_error *error)
{
	struct fyke_session_row row = {
		.session = session, .capture_id = load->capture_id, .id = FYKE_UNKNOWN};
	struct fyke_session before;
	enum fyke_status status = FYKE_OK;
	bool known, folded = false;

	if (session->stored_before)
		status = find_before(load, session, &row.id, &before, error);
	known = row.id != FYKE_UNKNOWN;
	if (status == FYKE_OK && !known)
		status = fold_session(load, session, &folded, error);
	if (folded || status != FYKE_OK)
		return status;
	if (!known)
		row.id = load->next_id++;
	fyke_session_community_id(load->hasher, session);
	status = count_session(load, session, known ? &before : NULL, row.id, error);
	if (status != FYKE_OK)
		return status;
	row.parent_id = id_of(load, &session->parent);
	row.quotes_id = id_of(load, &session->quoted);
	push_row(load, &row, known);
	remember(load, &session->birth, row.id);
	status = add_records(load, &row, error);
	if (status == FYKE_OK &&
		(load->sessions.rows.count == FYKE_LOAD_BATCH || load->updates.rows.count == FYKE_LOAD_BATCH))
		status = flush_sessions(load, error);
	return status;
}

static enum fyke_status add_frame_index(
	struct fyke_load *load, const struct fyke_tick *tick, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	for (size_t i = 0; i < tick->frame_index_count && status == FYKE_OK; i++) {
		const struct fyke_frame_index_entry *entry = &tick->frame_index[i];

		if (entry->file >= load->file_count)
			continue; /* of an interface */
		sqlite3_bind_int64(load->index, 1, load->file_ids[entry->file]);
		sqlite3_bind_int64(load->index, 2, (sqlite3_int64)entry->frame);
		sqlite3_bind_int64(load->index, 3, (sqlite3_int64)entry->file_offset);
		status = fyke_sql_finish(load->index, error);
		load->rows++;
	}
	return status;
}

enum fyke_status fyke_load_tick(
	struct fyke_load *load, const struct fyke_tick *tick, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	for (size_t i = 0; i < tick->session_count && status == FYKE_OK; i++)
		status = add_session(load, tick->sessions[i], error);
	if (status == FYKE_OK)
		status = flush_sessions(load, error);
	if (status == FYKE_OK)
		status = flush_records(load, error);
	for (size_t i = 0; i < tick->timeline_count && status == FYKE_OK; i++)
		status = fyke_timeline_add(&load->timeline, &tick->timeline[i], error);
	if (status == FYKE_OK)
		status = fyke_comments_add(&load->comments, tick, error);
	if (status == FYKE_OK)
		status = fyke_neighbours_add(&load->neighbours, tick, error);
	load->rows += tick->comment_count + tick->neighbour_count;
	return status == FYKE_OK ? add_frame_index(load, tick, error) : status;
}

enum fyke_status fyke_load_summaries(struct fyke_load *load, struct fyke_error *error)
{
	enum fyke_status status = fyke_fold_flush(&load->fold, error);

	if (status == FYKE_OK)
		status = fyke_hosts_write(&load->hosts, load->db, load->capture_id, error);
	return status == FYKE_OK ? fyke_timeline_write(&load->timeline, load->db, load->capture_id, error)
				 : status;
}

enum fyke_status fyke_load_finish(struct fyke_load *load, struct fyke_error *error)
{
	enum fyke_status status = fyke_load_summaries(load, error);

	if (status == FYKE_OK && load->hosts.unsampled)
		status = fyke_derive_sequence_numbers(load->db, load->capture_id, error);
	if (status == FYKE_OK && load->hosts.known.incomplete)
		status = fyke_derive_words(load->db, load->capture_id, error);
	return status;
}
