/* The filter compiler's own types: tokens, tree, parameters. Of storage/filter*.c alone. */
#ifndef FYKE_STORAGE_FILTER_PARSE_H
#define FYKE_STORAGE_FILTER_PARSE_H

#include "storage/filter.h"

#include <sqlite3.h>

/* SQLite's own bounds are an expression depth of 1000 and a parser stack of 100, of which a nesting takes
 * three. */
enum {
	FILTER_ARMS_MAX = 16,
	FILTER_CLIENT_PORT_MAX = 32768, /* first client port that sessions_client_port leaves out */
	FILTER_LENGTH_MAX = 8192,
	FILTER_TERMS_MAX = 256,
	FILTER_DEPTH_MAX = 20,
	FILTER_PARAMETERS_MAX = 4096,
	FILTER_RANGES_MAX = 8
};

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_STRING, /* quoted: never a word of the language */
	TOKEN_OPERATOR,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_COMMA,
	TOKEN_AND,
	TOKEN_OR,
	TOKEN_NOT,
};

struct token {
	enum token_kind kind;
	size_t at, length; /* in the filter's text */
	const char *text;  /* unquoted */
};

enum node_kind { NODE_AND, NODE_OR, NODE_NOT, NODE_SQL, NODE_EQUAL, NODE_ROW };

/* A tree of what was asked. SQL leaves hold finished text; EQUAL leaves a column that has an index in the
 * order of time and the number of the parameter that it equals (0: it is NULL); ROW leaves a condition that
 * no missing row fulfils, on the session's row of tcp AS t or one of its rows of `table` AS r. */
struct node {
	enum node_kind kind;
	struct node *left, *right;
	char *sql;
	size_t parameter;
	unsigned rank;	   /* of EQUAL: how few rows it may be hoped to leave, least first */
	char *table;	   /* of ROW, quoted */
	bool is_time;	   /* of SQL: a bound of start_us */
	bool never, rare;  /* of EQUAL, of ROW: what filter_look.c found */
	struct node *next; /* of all, to free them */
};

struct parameter {
	char *text; /* NULL: integer */
	int64_t integer;
};

/* Addresses of a network, as a stretch of an index that is not in the order of time. */
struct range {
	const char *column;
	size_t low, high; /* parameters */
};

struct fyke_filter {
	struct node *root; /* NULL: everything */
	struct node *nodes;
	struct parameter parameters[FILTER_PARAMETERS_MAX];
	size_t parameter_count;
	size_t capture_parameter; /* 0: any capture */
	bool uses_tcp;
	struct range ranges[FILTER_RANGES_MAX]; /* the first ones */
	size_t range_count;
	bool folded;
	const struct node *split; /* what filter_look.c found: the choice that leaves few; NULL: not known */
	bool walk;		  /* and: along the time line */
};

/* A choice of equalities that every match must fulfil (`host A`, `port 80,443`): the statement has an arm
 * for each of them, which an index serves in the order of time, and SQLite merges the arms. */
struct arms {
	const struct node *split; /* the tree of the choice; NULL: one arm of all */
	const struct node *equals[FILTER_ARMS_MAX];
	size_t count;
	bool page;
};

struct compiler {
	const struct fyke_filter_columns *columns;
	const struct fyke_filter_options *options;
	struct fyke_filter *filter;
	struct fyke_filter_fault *fault;
	struct token *tokens;
	char *words; /* what the tokens' texts stand in */
	size_t at;   /* next token */
	unsigned terms, depth;
	bool failed, out_of_memory;
};

enum endpoint { ENDPOINT_EITHER, ENDPOINT_CLIENT, ENDPOINT_SERVER };

/* Fails the compilation at a token; the first fault stays. Always NULL. */
struct node *filter_fault(struct compiler *c, const struct token *token, const char *format, ...)
	FYKE_PRINTF(3, 4);
const struct token *filter_peek(const struct compiler *c);
const struct token *filter_peek_second(const struct compiler *c);
const struct token *filter_next(struct compiler *c);
bool filter_is_word(const struct token *token, const char *word); /* unquoted, not minding case */

/* Number of the new parameter, as in ?N. */
size_t filter_integer(struct compiler *c, int64_t value);
size_t filter_text(struct compiler *c, const char *value);
/* A leaf; takes the sqlite3_mprintf'ed text. */
struct node *filter_leaf(struct compiler *c, char *sql);
struct node *filter_row(struct compiler *c, const char *table, char *condition);
struct node *filter_node(struct compiler *c, enum node_kind kind, struct node *left, struct node *right);
/* `column` of sessions AS s, without quotes, equals the parameter; a plain leaf where it has no index. Of
 * port_service only sessions whose content is known and fits the port: its index holds no others. */
struct node *filter_equal(struct compiler *c, const char *column, size_t parameter);
/* a or b; a NULL is nothing yet. */
struct node *filter_or(struct compiler *c, struct node *a, struct node *b);

/* What a word of Wireshark's, tcpdump's or Zeek's is here ("ip.addr": "host ADDRESS"); NULL: none of theirs.
 */
const char *filter_word_elsewhere(const char *word);

/* Lexes into c->tokens; false when it failed. */
bool filter_lex(struct compiler *c, const char *text);
void filter_find_arms(const struct fyke_filter *filter, struct arms *arms);
/* SELECT of how many sessions the arms and bounds of time leave, counted up to `most` and by indices alone
 * (one that two arms give counts twice); NULL where there are neither. */
char *filter_driver_sql(const struct fyke_filter *filter, int most);
/* What remains of a choice when that which no session of the database can be is left out. */
const struct node *filter_live(const struct node *node);

/* One term from the tokens on; NULL when it failed. */
struct node *filter_term(struct compiler *c);
/* COLUMN OPERATOR VALUE, the next token being the column's name. */
struct node *filter_comparison(struct compiler *c);
/* An address, network, MAC or name at the next token. */
struct node *filter_address(struct compiler *c, enum endpoint end);
/* since, until and last, behind their word. */
struct node *filter_time(struct compiler *c, const char *word);
/* Joins the next tokens that make one instant; false when they make none (and the compilation failed). */
bool filter_instant(struct compiler *c, int64_t *us, int64_t *span_us);

#endif
