/*
 * Filters: grammar, tree, and what binds to it (filter.h). Terms are in filter_term.c, statements in
 * filter_sql.c.
 *
 *   or = and { OR and } ; and = unary { [AND] unary } ; unary = NOT unary | ( or ) | term
 */
#include "storage/filter_parse.h"

#include "analyzer/base/text.h"
#include "storage/filter_value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct node *filter_fault(struct compiler *c, const struct token *token, const char *format, ...)
{
	va_list list;

	if (c->failed)
		return NULL;
	c->failed = true;
	c->fault->at = token->at;
	c->fault->length = token->length;
	va_start(list, format);
	(void)vsnprintf(c->fault->text, sizeof(c->fault->text), format, list);
	va_end(list);
	return NULL;
}

const struct token *filter_peek(const struct compiler *c)
{
	return &c->tokens[c->at];
}

const struct token *filter_peek_second(const struct compiler *c)
{
	return &c->tokens[c->tokens[c->at].kind == TOKEN_END ? c->at : c->at + 1];
}

const struct token *filter_next(struct compiler *c)
{
	const struct token *token = &c->tokens[c->at];

	if (token->kind != TOKEN_END)
		c->at++;
	return token;
}

bool filter_is_word(const struct token *token, const char *word)
{
	return token->kind == TOKEN_WORD && strcasecmp(token->text, word) == 0;
}

static size_t add_parameter(struct compiler *c, struct parameter parameter)
{
	if (c->filter->parameter_count == FILTER_PARAMETERS_MAX) {
		sqlite3_free(parameter.text);
		filter_fault(c, filter_peek(c), "the filter has more than %d values", FILTER_PARAMETERS_MAX);
		return 1;
	}
	c->filter->parameters[c->filter->parameter_count++] = parameter;
	return c->filter->parameter_count;
}

size_t filter_integer(struct compiler *c, int64_t value)
{
	return add_parameter(c, (struct parameter){.integer = value});
}

size_t filter_text(struct compiler *c, const char *value)
{
	char *text = sqlite3_mprintf("%s", value);

	if (text == NULL)
		c->failed = c->out_of_memory = true;
	return add_parameter(c, (struct parameter){.text = text});
}

struct node *filter_node(struct compiler *c, enum node_kind kind, struct node *left, struct node *right)
{
	struct node *node = c->failed ? NULL : calloc(1, sizeof(*node));

	if (node == NULL) {
		c->out_of_memory |= !c->failed;
		c->failed = true;
		return NULL;
	}
	node->kind = kind;
	node->left = left;
	node->right = right;
	node->next = c->filter->nodes;
	c->filter->nodes = node;
	return node;
}

struct node *filter_leaf(struct compiler *c, char *sql)
{
	struct node *node = filter_node(c, NODE_SQL, NULL, NULL);

	if (sql == NULL && !c->failed)
		c->failed = c->out_of_memory = true;
	if (node == NULL)
		sqlite3_free(sql);
	else
		node->sql = sql;
	return c->failed ? NULL : node;
}

struct node *filter_row(struct compiler *c, const char *table, char *condition)
{
	struct node *node = filter_leaf(c, condition);

	if (node == NULL)
		return NULL;
	node->kind = NODE_ROW;
	node->table = sqlite3_mprintf("%s", table);
	if (node->table == NULL)
		c->failed = c->out_of_memory = true;
	return c->failed ? NULL : node;
}

struct node *filter_equal(struct compiler *c, const char *column, size_t parameter)
{
	static const char *const indexed[] = {
		"client_ip", "server_ip", "server_port", "client_port", "service", "port_service"};
	struct node *node;

	for (unsigned i = 0; i < sizeof(indexed) / sizeof(indexed[0]); i++) {
		if (strcmp(column, indexed[i]) != 0)
			continue;
		node = filter_leaf(c, sqlite3_mprintf("s.%s", column));
		if (node == NULL)
			return NULL;
		node->kind = NODE_EQUAL;
		node->parameter = parameter;
		node->rank = i / 2;
		return node;
	}
	if (parameter == 0)
		return filter_leaf(c, sqlite3_mprintf("s.%s IS NULL", column));
	return filter_leaf(c, sqlite3_mprintf("s.%s = ?%d", column, (int)parameter));
}

struct node *filter_or(struct compiler *c, struct node *a, struct node *b)
{
	return a == NULL ? b : b == NULL ? NULL : filter_node(c, NODE_OR, a, b);
}

static struct node *parse_or(struct compiler *c);

static struct node *parse_unary(struct compiler *c)
{
	const struct token *token = filter_peek(c);
	struct node *node;

	if (token->kind != TOKEN_NOT && token->kind != TOKEN_OPEN)
		return filter_term(c);
	if (c->depth >= FILTER_DEPTH_MAX)
		return filter_fault(c, token, "nested deeper than %d levels", FILTER_DEPTH_MAX);
	filter_next(c);
	c->depth++;
	node = token->kind == TOKEN_NOT ? parse_unary(c) : parse_or(c);
	c->depth--;
	if (node == NULL)
		return NULL;
	if (token->kind == TOKEN_NOT)
		return filter_node(c, NODE_NOT, node, NULL);
	if (filter_peek(c)->kind != TOKEN_CLOSE)
		return filter_fault(c, token, "this bracket is never closed");
	filter_next(c);
	return node;
}

static bool is_bare_number(const struct token *token)
{
	return token->kind == TOKEN_WORD && token->text[strspn(token->text, "0123456789")] == '\0';
}

static struct node *parse_and(struct compiler *c)
{
	struct node *left = parse_unary(c);

	while (left != NULL) {
		const struct token *token = filter_peek(c);
		struct node *right;

		if (token->kind == TOKEN_AND)
			filter_next(c);
		else if (is_bare_number(token))
			return filter_fault(c, token,
				"a number alone is a session's id; for several values write commas (port "
				"80,443), "
				"for this session 'and %.40s'",
				token->text);
		else if (token->kind != TOKEN_WORD && token->kind != TOKEN_NOT && token->kind != TOKEN_OPEN)
			break;
		right = parse_unary(c);
		if (right == NULL)
			return NULL;
		left = filter_node(c, NODE_AND, left, right);
	}
	return left;
}

static struct node *parse_or(struct compiler *c)
{
	struct node *left = parse_and(c);

	while (left != NULL && filter_peek(c)->kind == TOKEN_OR) {
		struct node *right;

		filter_next(c);
		right = parse_and(c);
		left = right == NULL ? NULL : filter_node(c, NODE_OR, left, right);
	}
	return left;
}

static void parse_all(struct compiler *c)
{
	const struct token *token = filter_peek(c);

	if (token->kind == TOKEN_END)
		return;
	c->filter->root = parse_or(c);
	token = filter_peek(c);
	if (c->failed || token->kind == TOKEN_END)
		return;
	if (token->kind == TOKEN_CLOSE)
		filter_fault(c, token, "there is no open bracket that this one closes");
	else
		filter_fault(c, token, "expected 'and', 'or' or the end here");
}

enum fyke_status fyke_filter_compile(const struct fyke_filter_columns *columns, const char *text,
	const struct fyke_filter_options *options, struct fyke_filter **filter,
	struct fyke_filter_fault *fault, struct fyke_error *error)
{
	struct compiler c = {.columns = columns, .options = options, .fault = fault};
	enum fyke_status status = FYKE_OK;

	*fault = (struct fyke_filter_fault){0};
	*filter = c.filter = calloc(1, sizeof(**filter));
	if (c.filter == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	c.filter->folded = options->folded;
	if (options->capture_id != 0)
		c.filter->capture_parameter = filter_integer(&c, options->capture_id);
	if (filter_lex(&c, text))
		parse_all(&c);
	free(c.tokens);
	free(c.words);
	if (c.out_of_memory)
		status = fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	else if (c.failed)
		status = fyke_error_set(error, FYKE_FAILED_USAGE, "filter: %s", fault->text);
	if (status != FYKE_OK) {
		fyke_filter_free(*filter);
		*filter = NULL;
	}
	return status;
}

void fyke_filter_free(struct fyke_filter *filter)
{
	if (filter == NULL)
		return;
	while (filter->nodes != NULL) {
		struct node *node = filter->nodes;

		filter->nodes = node->next;
		sqlite3_free(node->sql);
		sqlite3_free(node->table);
		free(node);
	}
	for (size_t i = 0; i < filter->parameter_count; i++)
		sqlite3_free(filter->parameters[i].text);
	free(filter);
}

enum fyke_status fyke_filter_bind(
	const struct fyke_filter *filter, struct sqlite3_stmt *statement, struct fyke_error *error)
{
	for (size_t i = 0; i < filter->parameter_count; i++) {
		const struct parameter *parameter = &filter->parameters[i];
		int code;

		if ((int)i >= sqlite3_bind_parameter_count(statement))
			break;
		code = parameter->text == NULL ? sqlite3_bind_int64(statement, (int)i + 1, parameter->integer)
					       : sqlite3_bind_text(statement, (int)i + 1, parameter->text, -1,
							 SQLITE_TRANSIENT);
		if (code != SQLITE_OK)
			return fyke_error_set(error, FYKE_FAILED_DATABASE, "%s", sqlite3_errstr(code));
	}
	return FYKE_OK;
}

char *fyke_filter_parameter(const struct fyke_filter *filter, size_t n)
{
	const struct parameter *parameter;

	if (n == 0 || n > filter->parameter_count)
		return NULL;
	parameter = &filter->parameters[n - 1];
	if (parameter->text == NULL)
		return sqlite3_mprintf("%lld", (long long)parameter->integer);
	return sqlite3_mprintf("%Q", parameter->text);
}

static void append_shown(sqlite3_str *out, const char *text, size_t length, unsigned *width)
{
	size_t room = 4 * length + 8;
	char *shown = malloc(room);

	if (shown == NULL)
		return;
	fyke_text_terminal(text, length, 0, 0, shown, room);
	*width = fyke_text_width(shown, strlen(shown));
	sqlite3_str_appendall(out, shown);
	free(shown);
}

enum { FAULT_BEFORE = 60, FAULT_BEHIND = 40, FAULT_CARETS = 30 };

/* Back to the first byte of a UTF-8 character. */
static size_t character_start(const char *text, size_t at)
{
	while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80)
		at--;
	return at;
}

char *fyke_filter_explain_fault(const char *text, const struct fyke_filter_fault *fault)
{
	sqlite3_str *out = sqlite3_str_new(NULL);
	size_t length = strlen(text), at = fault->at < length ? fault->at : length;
	size_t from = character_start(text, at > FAULT_BEFORE ? at - FAULT_BEFORE : 0);
	size_t word = fault->length < length - at ? fault->length : length - at;
	size_t behind =
		character_start(text, at + word + FAULT_BEHIND < length ? at + word + FAULT_BEHIND : length);
	unsigned before = 0, under = 0, rest = 0;

	append_shown(out, fault->text, strlen(fault->text), &rest);
	sqlite3_str_appendf(out, "\n  %s", from > 0 ? "..." : "");
	append_shown(out, text + from, at - from, &before);
	append_shown(out, text + at, word, &under);
	if (behind > at + word)
		append_shown(out, text + at + word, behind - at - word, &rest);
	sqlite3_str_appendf(out, "%s\n  %s", behind < length ? "..." : "", from > 0 ? "   " : "");
	sqlite3_str_appendchar(out, (int)before, ' ');
	sqlite3_str_appendchar(out, 1, '^');
	if (under > 1)
		sqlite3_str_appendchar(out, (int)(under < FAULT_CARETS ? under : FAULT_CARETS) - 1, '~');
	sqlite3_str_appendall(out, "\n");
	return sqlite3_str_finish(out);
}

/* fyke_in_net(address, network); the network is parsed once a statement. */
static void in_net(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct fyke_network *network = sqlite3_get_auxdata(context, 1), fresh;
	const char *text = (const char *)sqlite3_value_text(values[0]);
	struct fyke_address address;
	bool parsed = network == NULL;

	(void)count;
	if (parsed) {
		const char *wanted = (const char *)sqlite3_value_text(values[1]);

		if (wanted == NULL || !fyke_network_parse(wanted, &fresh))
			return;
		network = &fresh;
	}
	if (text != NULL && fyke_address_parse(text, &address))
		sqlite3_result_int(context, fyke_network_contains(network, &address));
	if (parsed && (network = sqlite3_malloc(sizeof(*network))) != NULL) {
		*network = fresh;
		sqlite3_set_auxdata(context, 1, network, sqlite3_free);
	}
}

enum fyke_status fyke_filter_register(struct sqlite3 *db, struct fyke_error *error)
{
	int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
	int code = sqlite3_create_function_v2(db, "fyke_in_net", 2, flags, NULL, in_net, NULL, NULL, NULL);

	if (code != SQLITE_OK)
		return fyke_error_set(error, FYKE_FAILED_DATABASE, "%s", sqlite3_errstr(code));
	return FYKE_OK;
}
