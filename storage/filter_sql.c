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

const struct node *filter_live(const struct node *node)
{
	while (node->kind == NODE_OR && (node->left->never || node->right->never))
		node = node->left->never ? node->right : node->left;
	return node;
}

/* Chains of one kind stay without brackets: SQLite's parser has a stack of a hundred. */
static void emit_operand(
	const struct node *operand, enum node_kind outer, const struct arm *arm, sqlite3_str *out)
{
	const struct node *node = filter_live(operand);
	bool bare = node->kind == outer || (outer == NODE_OR && node->kind == NODE_AND);

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

/* A first page goes along the sessions, and not from tcp's rows to them: SQLite would gather and sort them
 * all. IS TRUE keeps it from seeing that only sessions with such a row match. */
static void emit_row(const struct node *node, bool page, sqlite3_str *out)
{
	bool is_tcp = strcmp(node->table, "tcp") == 0;

	if (node->rare && page)
		sqlite3_str_appendf(out, "s.id IN (SELECT session_id FROM %s AS %s WHERE %s)", node->table,
			is_tcp ? "t" : "r", node->sql);
	else if (is_tcp)
		sqlite3_str_appendf(out, page ? "(%s) IS TRUE" : "%s", node->sql);
	else
		sqlite3_str_appendf(out, "EXISTS (SELECT 1 FROM %s AS r WHERE r.session_id = s.id AND %s)",
			node->table, node->sql);
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
		/* Beside a choice that an index serves in the order of time, SQLite must not take up this
		 * one: it would gather all its rows and sort them. */
		emit_equal(node, arm->arms->count > 0 ? "+" : "", out);
		return;
	case NODE_ROW:
		emit_row(node, arm->arms->page, out);
		return;
	}
}

/* The equalities under a tree of OR; false where there is anything else, or too many of them. */
static bool collect(const struct node *tree, struct arms *arms)
{
	const struct node *node = filter_live(tree);

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

/* The best choice among those reached from the root through AND alone; `only`: no other than this. */
static void find_split(const struct node *tree, const struct node *only, struct arms *best)
{
	const struct node *node = filter_live(tree);
	struct arms here = {.split = node};

	if (node->kind == NODE_AND) {
		find_split(node->left, only, best);
		find_split(node->right, only, best);
	} else if ((only == NULL || only == node) && collect(node, &here) && rank_of(&here) < rank_of(best)) {
		*best = here;
	}
}

void filter_find_arms(const struct fyke_filter *filter, struct arms *arms)
{
	*arms = (struct arms){.split = NULL};
	if (filter->root != NULL)
		find_split(filter->root, filter->split, arms);
}

static void emit_arm(const struct fyke_filter *filter, const struct fyke_filter_select *select,
	const struct arm *arm, sqlite3_str *out)
{
	const struct node *root;

	sqlite3_str_appendf(out, "SELECT %s\nFROM %s AS s%s", select->columns,
		arm->folded ? "fyke_folded" : "sessions",
		select->page && filter->walk && !arm->folded ? " INDEXED BY sessions_start" : "");
	if (select->uses_tcp || filter->uses_tcp)
		sqlite3_str_appendall(out, " LEFT JOIN tcp AS t ON t.session_id = s.id");
	if (filter->capture_parameter != 0)
		sqlite3_str_appendf(out, "\nWHERE s.capture_id = ?%d", (int)filter->capture_parameter);
	if (filter->root == NULL)
		return;
	sqlite3_str_appendall(out, filter->capture_parameter != 0 ? " AND " : "\nWHERE ");
	root = filter_live(filter->root);
	if (root->kind == NODE_AND)
		emit(root, arm, out);
	else
		emit_operand(root, NODE_AND, arm, out);
}

static void emit_arms(
	const struct fyke_filter *filter, const struct fyke_filter_select *select, sqlite3_str *out)
{
	struct arms arms;

	filter_find_arms(filter, &arms);
	arms.page = select->page;
	for (int folded = 0; folded <= (int)filter->folded; folded++) {
		struct arm arm = {&arms, 0, folded != 0};

		do {
			sqlite3_str_appendall(out, folded != 0 || arm.at > 0 ? "\nUNION ALL\n" : "");
			emit_arm(filter, select, &arm, out);
		} while (arms.split != NULL && ++arm.at < arms.count);
	}
}

static void emit_times(const struct node *node, sqlite3_str *out)
{
	if (node->kind == NODE_AND) {
		emit_times(node->left, out);
		emit_times(node->right, out);
	} else if (node->is_time) {
		sqlite3_str_appendf(out, " AND %s", node->sql);
	}
}

char *filter_driver_sql(const struct fyke_filter *filter, int most)
{
	sqlite3_str *times = sqlite3_str_new(NULL), *out = sqlite3_str_new(NULL);
	struct arms arms;
	struct arm arm = {&arms, 0, false};
	bool any;

	filter_find_arms(filter, &arms);
	if (filter->root != NULL)
		emit_times(filter->root, times);
	any = arms.count > 0 || sqlite3_str_length(times) > 0;
	sqlite3_str_appendall(out, "SELECT count(*) FROM (");
	do {
		sqlite3_str_appendf(
			out, "%sSELECT 1 FROM sessions AS s WHERE true", arm.at > 0 ? " UNION ALL " : "");
		if (arms.count > 0) {
			sqlite3_str_appendall(out, " AND ");
			emit_equal(arms.equals[arm.at], "", out);
		}
		sqlite3_str_append(out, sqlite3_str_value(times), sqlite3_str_length(times));
	} while (++arm.at < arms.count);
	sqlite3_str_appendf(out, " LIMIT %d)", most);
	sqlite3_free(sqlite3_str_finish(times));
	if (any)
		return sqlite3_str_finish(out);
	sqlite3_free(sqlite3_str_finish(out));
	return NULL;
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
