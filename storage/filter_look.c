/*
 * By which way a first page is reached soonest (filter.h), as the database shows it.
 *
 *   few sessions under host, port, service or since ──▶ they are looked at, whatever else is asked
 *   a condition on tcp or records that is rare      ──▶ its rows are found, then their sessions
 *   a network of which there is a lot               ──▶ along the time line, until the page is full
 *
 * Rare is what the first rows of its table do not hold a page of: tables fill in the order of time, so the
 * rows looked at here are those that a walk along the time line would meet. A look is bounded by steps of
 * SQLite's.
 */
#include "storage/filter_parse.h"

#include <string.h>

enum {
	MANY = 20000,	/* sessions that are gathered and sorted at once */
	DRIVEN = 50000, /* sessions of which each can be looked at */
	PAGE = 100,
	LOOK_STEPS = 1000000 /* of a look: some 100,000 rows */
};

/* The number that the question gives, else 0. */
static int ask(struct sqlite3 *db, const struct fyke_filter *filter, char *sql)
{
	sqlite3_stmt *statement = NULL;
	struct fyke_error ignored;
	int answer = 0;

	if (sql != NULL && sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
		fyke_filter_bind(filter, statement, &ignored) == FYKE_OK &&
		sqlite3_step(statement) == SQLITE_ROW)
		answer = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_free(sql);
	return answer;
}

static bool has_index(struct sqlite3 *db, const struct fyke_filter *filter, const char *name)
{
	return ask(db, filter,
		       sqlite3_mprintf(
			       "SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = %Q", name)) == 1;
}

/* Most services are no port's name, or nothing else is spoken on that port. */
static void find_never(struct fyke_filter *filter, struct sqlite3 *db)
{
	if (!has_index(db, filter, "sessions_port_service"))
		return;
	for (struct node *node = filter->nodes; node != NULL; node = node->next) {
		if (node->kind == NODE_EQUAL && node->parameter != 0 &&
			strcmp(node->sql, "s.port_service") == 0)
			node->never =
				ask(db, filter,
					sqlite3_mprintf(
						"SELECT NOT EXISTS (SELECT 1 FROM main.sessions WHERE "
						"port_service = ?%d AND content_service <> port_service)",
						(int)node->parameter)) == 1;
	}
}

/* Whether indices in the order of time leave no more sessions than can be looked at one by one. */
static bool is_driven(const struct fyke_filter *filter, struct sqlite3 *db)
{
	char *sql = filter_driver_sql(filter, DRIVEN);

	return sql != NULL && ask(db, filter, sql) < DRIVEN;
}

/* A choice that leaves few, if the one that was taken unseen does not. */
static bool find_driver(struct fyke_filter *filter, const struct node *node, struct sqlite3 *db)
{
	struct arms arms;

	if (node->kind == NODE_AND)
		return find_driver(filter, node->left, db) || find_driver(filter, node->right, db);
	filter->split = filter_live(node);
	filter_find_arms(filter, &arms);
	if (arms.count > 0 && is_driven(filter, db))
		return true;
	filter->split = NULL;
	return false;
}

/* Of conditions on rows that are joined by OR: whether none fills a page soon. False where there is another.
 */
static bool are_rare(const struct fyke_filter *filter, const struct node *node, struct sqlite3 *db)
{
	if (node->kind == NODE_OR)
		return are_rare(filter, node->left, db) && are_rare(filter, node->right, db);
	return node->kind == NODE_ROW &&
	       ask(db, filter,
		       sqlite3_mprintf("SELECT count(*) FROM (SELECT 1 FROM %s AS %s WHERE %s LIMIT %d)",
			       node->table, strcmp(node->table, "tcp") == 0 ? "t" : "r", node->sql, PAGE)) <
		       PAGE;
}

static void mark_rare(struct node *node)
{
	if (node->kind == NODE_OR) {
		mark_rare(node->left);
		mark_rare(node->right);
	}
	node->rare = true;
}

/* One is enough: its sessions are few. */
static bool find_rare(const struct fyke_filter *filter, struct node *node, struct sqlite3 *db)
{
	if (node->kind == NODE_AND)
		return find_rare(filter, node->left, db) || find_rare(filter, node->right, db);
	if (!are_rare(filter, node, db))
		return false;
	mark_rare(node);
	return true;
}

static bool has_large_network(const struct fyke_filter *filter, struct sqlite3 *db)
{
	bool many = false;

	for (size_t i = 0; i < filter->range_count && !many; i++) {
		const struct range *range = &filter->ranges[i];

		many = ask(db, filter,
			       sqlite3_mprintf(
				       "SELECT count(*) FROM (SELECT 1 FROM sessions AS s WHERE %s >= ?%d "
				       "AND %s < ?%d LIMIT %d)",
				       range->column, (int)range->low, range->column, (int)range->high,
				       MANY)) == MANY;
	}
	return many;
}

static int give_up(void *context)
{
	(void)context;
	return 1;
}

void fyke_filter_look(struct fyke_filter *filter, struct sqlite3 *db)
{
	struct arms arms;

	if (filter->root == NULL)
		return;
	sqlite3_progress_handler(db, LOOK_STEPS, give_up, NULL);
	find_never(filter, db);
	filter_find_arms(filter, &arms);
	if (!is_driven(filter, db) && !find_driver(filter, filter->root, db) &&
		!find_rare(filter, filter->root, db))
		filter->walk = arms.count == 0 && has_index(db, filter, "sessions_start") &&
			       has_large_network(filter, db);
	sqlite3_progress_handler(db, 0, NULL, NULL);
}
