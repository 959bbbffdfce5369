/*
 * The statement that comes of a filter's tree (filter.h).
 *
 * What matters is the first page: rows come in the order of time, and a choice such as `host A` or `port
 * 80,443` written with OR makes SQLite gather all its rows and sort them. As arms under UNION ALL each is
 * served by an index that is in that order already, and merging stops at the LIMIT.
 */
#include "storage/filter_parse.h"

#include <limits.h>
#include <string.h>

enum { MANY = 20000 /* sessions that are gathered and sorted at once */ };

/* A choice of equalities that every match must fulfil (`host A`, `port 80,443`): the statement has an arm
 * for each of them, which an index serves in the order of time, and SQLite merges the arms. */
struct arms {
	const struct node *split; /* the tree of the choice; NULL: one arm of all */
	const struct node *equals[FILTER_ARMS_MAX];
	size_t count;
};

struct arm {
	const struct arms *arms;
	size_t at;
	bool folded; /* of the folded sessions, not of those with rows */
};

static void emit(const struct node *node, const struct arm *arm, sqlite3_str *out);

static bool is_column(const struct node *node, const char *sql)
{
	return strcmp(node->sql, sql) == 0;
}

/* `sign`: in front of the column, or "". */
static void emit_equal(const struct node *node, const char *sign, sqlite3_str *out)
{
	if (node->parameter == 0)
		sqlite3_str_appendf(out, "%s%s IS NULL", sign, node->sql);
	else
		sqlite3_str_appendf(out, "%s%s = ?%d", sign, node->sql, (int)node->parameter);
	if (is_column(node, "s.client_port")) /* what the index on it is limited to */
		sqlite3_str_appendf(out, " AND s.client_port < %d", FILTER_CLIENT_PORT_MAX);
	/* Of others `service` says it; the index holds those that remain. */
	if (is_column(node, "s.port_service"))
		sqlite3_str_appendall(
			out, " AND s.content_service <> s.port_service AND s.service_mismatch IS NOT 1");
}

/* Chains of one kind stay without brackets: SQLite's parser has a stack of a hundred. */
static void emit_operand(
	const struct node *node, enum node_kind outer, const struct arm *arm, sqlite3_str *out)
{
	bool bare = node->kind == outer || (outer == NODE_OR && node->kind == NODE_AND);

	/* Beside a choice that an index serves in the order of time, SQLite must not take up this one: it
	 * would gather all its rows and sort them. */
	if (outer == NODE_OR && node->kind == NODE_EQUAL && arm->arms->count > 0) {
		emit_equal(node, "+", out);
		return;
	}

	sqlite3_str_appendall(out, bare ? "" : "(");
	emit(node, arm, out);
	sqlite3_str_appendall(out, bare ? "" : ")");
}

static void emit_other(const struct node *other, sqlite3_str *out)
{
	if (is_column(other, "s.port_service"))
		sqlite3_str_appendf(out,
			" AND (s.port_service IS NOT ?%d OR s.content_service IS NULL OR s.content_service = "
			"s.port_service OR s.service_mismatch IS 1)",
			(int)other->parameter);
	else if (other->parameter == 0)
		sqlite3_str_appendf(out, " AND %s IS NOT NULL", other->sql);
	else
		sqlite3_str_appendf(out, " AND %s IS NOT ?%d", other->sql, (int)other->parameter);
}

/* The arm's own equality, without what the arms before it give. */
static void emit_choice(const struct arm *arm, sqlite3_str *out)
{
	emit_equal(arm->arms->equals[arm->at], "", out);
	for (size_t i = 0; i < arm->at; i++)
		emit_other(arm->arms->equals[i], out);
}

static void emit(const struct node *node, const struct arm *arm, sqlite3_str *out)
{
	if (node == arm->arms->split) {
		emit_choice(arm, out);
		return;
	}
	switch (node->kind) {
	case NODE_AND:
	case NODE_OR:
		emit_operand(node->left, node->kind, arm, out);
		sqlite3_str_appendall(out, node->kind == NODE_AND ? " AND " : " OR ");
		emit_operand(node->right, node->kind, arm, out);
		return;
	case NODE_NOT:
		emit_operand(node->left, NODE_NOT, arm, out);
		sqlite3_str_appendall(out, " IS NOT TRUE");
		return;
	case NODE_SQL:
		sqlite3_str_appendall(out, node->sql);
		return;
	case NODE_EQUAL:
		emit_equal(node, "", out);
		return;
	}
}

/* The equalities under a tree of OR; false where there is anything else, or too many of them. */
static bool collect(const struct node *node, struct arms *arms)
{
	if (node->kind == NODE_OR)
		return collect(node->left, arms) && collect(node->right, arms);
	if (node->kind != NODE_EQUAL || arms->count == FILTER_ARMS_MAX)
		return false;
	arms->equals[arms->count++] = node;
	return true;
}

static unsigned rank_of(const struct arms *arms)
{
	unsigned rank = 0;

	for (size_t i = 0; i < arms->count; i++)
		rank = arms->equals[i]->rank > rank ? arms->equals[i]->rank : rank;
	return arms->count == 0 ? UINT_MAX : rank;
}

/* The best choice among those reached from the root through AND alone. */
static void find_split(const struct node *node, struct arms *best)
{
	struct arms here = {.split = node};

	if (node == NULL)
		return;
	if (node->kind == NODE_AND) {
		find_split(node->left, best);
		find_split(node->right, best);
	} else if (collect(node, &here) && rank_of(&here) < rank_of(best)) {
		*best = here;
	}
}

static void emit_arm(const struct fyke_filter *filter, const struct fyke_filter_select *select,
	const struct arm *arm, sqlite3_str *out)
{
	sqlite3_str_appendf(out, "SELECT %s\nFROM %s AS s%s", select->columns,
		arm->folded ? "fyke_folded" : "sessions",
		select->walk && !arm->folded ? " INDEXED BY sessions_start" : "");
	if (select->uses_tcp || filter->uses_tcp)
		sqlite3_str_appendall(out, " LEFT JOIN tcp AS t ON t.session_id = s.id");
	if (filter->capture_parameter != 0)
		sqlite3_str_appendf(out, "\nWHERE s.capture_id = ?%d", (int)filter->capture_parameter);
	if (filter->root == NULL)
		return;
	sqlite3_str_appendall(out, filter->capture_parameter != 0 ? " AND " : "\nWHERE ");
	if (filter->root->kind == NODE_AND)
		emit(filter->root, arm, out);
	else
		emit_operand(filter->root, NODE_AND, arm, out);
}

static void emit_arms(
	const struct fyke_filter *filter, const struct fyke_filter_select *select, sqlite3_str *out)
{
	struct arms arms = {.split = NULL};

	find_split(filter->root, &arms);
	if (arms.count < 2)
		arms.split = NULL;
	for (int folded = 0; folded <= (int)filter->folded; folded++) {
		struct arm arm = {&arms, 0, folded != 0};

		do {
			sqlite3_str_appendall(out, folded != 0 || arm.at > 0 ? "\nUNION ALL\n" : "");
			emit_arm(filter, select, &arm, out);
		} while (arms.split != NULL && ++arm.at < arms.count);
	}
}

/* 1, else 0 where there is no such row or the question fails. */
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

bool fyke_filter_walks(const struct fyke_filter *filter, struct sqlite3 *db)
{
	struct arms arms = {.split = NULL};
	bool many = false;

	find_split(filter->root, &arms);
	if (arms.count > 0 ||
		ask(db, filter,
			sqlite3_mprintf("SELECT 1 FROM sqlite_schema WHERE name = 'sessions_start'")) == 0)
		return false;
	for (size_t i = 0; i < filter->range_count && !many; i++) {
		const struct range *range = &filter->ranges[i];

		many = ask(db, filter,
			       sqlite3_mprintf(
				       "SELECT count(*) = %d FROM (SELECT 1 FROM sessions AS s WHERE %s "
				       ">= ?%d AND %s < ?%d LIMIT %d)",
				       MANY, range->column, (int)range->low, range->column, (int)range->high,
				       MANY)) == 1;
	}
	return many;
}

char *fyke_filter_sql(const struct fyke_filter *filter, const struct fyke_filter_select *select)
{
	sqlite3_str *out = sqlite3_str_new(NULL);

	emit_arms(filter, select, out);
	if (select->order != NULL)
		sqlite3_str_appendf(out, "\nORDER BY %s", select->order);
	if (select->limit >= 0)
		sqlite3_str_appendf(out, "\nLIMIT %lld", (long long)select->limit);
	return sqlite3_str_finish(out);
}

char *fyke_filter_count_sql(const struct fyke_filter *filter)
{
	const struct fyke_filter_select select = {.columns = "count(*) AS n", .limit = -1};
	sqlite3_str *out = sqlite3_str_new(NULL);

	sqlite3_str_appendall(out, "SELECT sum(n) FROM (");
	emit_arms(filter, &select, out);
	sqlite3_str_appendall(out, ")");
	return sqlite3_str_finish(out);
}
