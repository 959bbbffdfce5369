/* Comparisons with columns, addresses and networks, and times in the filter language (filter.h). */
#include "storage/filter_parse.h"

#include "storage/filter_value.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool means_unknown(const struct token *token)
{
	return filter_is_word(token, "null") || filter_is_word(token, "unknown") ||
	       filter_is_word(token, "none");
}

/* The text that every address of the network starts with, as far as whole octets (or groups of IPv6 that
 * are not zero, so that :: cannot stand in their place) go; empty when there is none. */
static void network_prefix(const struct fyke_network *network, char prefix[FYKE_ADDRESS_TEXT])
{
	const uint8_t *bytes = network->address.bytes;
	size_t at = 0;

	prefix[0] = '\0';
	if (network->address.family == FYKE_ADDRESS_IPV4) {
		for (unsigned i = 0; i < network->bits / 8 && i < 3; i++)
			at += (size_t)snprintf(prefix + at, FYKE_ADDRESS_TEXT - at, "%u.", bytes[i]);
		return;
	}
	for (unsigned i = 0; i < network->bits / 16 && i < 7 && (bytes[2 * i] | bytes[2 * i + 1]) != 0; i++)
		at += (size_t)snprintf(prefix + at, FYKE_ADDRESS_TEXT - at,
			"%x:", (unsigned)(bytes[2 * i] << 8 | bytes[2 * i + 1]));
}

/* Parameters of the texts from the prefix on and behind all that begin with it: '.' and ':' have successors
 * that no address goes on with. */
static struct range range_of(struct compiler *c, const char *column, char *prefix)
{
	struct range range = {.column = column, .low = filter_text(c, prefix)};

	prefix[strlen(prefix) - 1]++;
	range.high = filter_text(c, prefix);
	if (c->filter->range_count < FILTER_RANGES_MAX)
		c->filter->ranges[c->filter->range_count++] = range;
	return range;
}

/* The range of texts under the prefix lets an index serve; the function settles what it leaves open. */
static char *network_sql(struct compiler *c, const char *column, const struct fyke_network *network)
{
	char prefix[FYKE_ADDRESS_TEXT], text[FYKE_ADDRESS_TEXT + 8];
	bool exact =
		network->address.family == FYKE_ADDRESS_IPV4 && network->bits % 8 == 0 && network->bits > 0;
	sqlite3_str *out = sqlite3_str_new(NULL);
	size_t length;

	network_prefix(network, prefix);
	length = strlen(prefix);
	sqlite3_str_appendall(out, "(");
	if (length > 0) {
		struct range range = range_of(c, column, prefix);

		sqlite3_str_appendf(
			out, "%s >= ?%d AND %s < ?%d", column, (int)range.low, column, (int)range.high);
	}
	if (!exact) {
		length = fyke_address_text(&network->address, text);
		snprintf(text + length, sizeof(text) - length, "/%u", network->bits);
		sqlite3_str_appendf(out, "%sfyke_in_net(%s, ?%d)", prefix[0] != '\0' ? " AND " : "", column,
			(int)filter_text(c, text));
	}
	sqlite3_str_appendall(out, ")");
	return sqlite3_str_finish(out);
}

/* The user's * and ? as LIKE has them, its own signs escaped. `whole`: no % around. */
static char *like_pattern(const char *text, bool whole)
{
	sqlite3_str *out = sqlite3_str_new(NULL);

	if (!whole)
		sqlite3_str_appendchar(out, 1, '%');
	for (; *text != '\0'; text++) {
		if (*text == '%' || *text == '_' || *text == '\\')
			sqlite3_str_appendchar(out, 1, '\\');
		sqlite3_str_appendchar(out, 1,
			whole && *text == '*'	? '%'
			: whole && *text == '?' ? '_'
						: *text);
	}
	if (!whole)
		sqlite3_str_appendchar(out, 1, '%');
	return sqlite3_str_finish(out);
}

static size_t pattern_parameter(struct compiler *c, const char *text, bool whole)
{
	char *pattern = like_pattern(text, whole);
	size_t n = 1;

	if (pattern == NULL)
		c->failed = c->out_of_memory = true;
	else
		n = filter_text(c, pattern);
	sqlite3_free(pattern);
	return n;
}

static struct node *either(struct compiler *c, enum endpoint end, char *client, char *server)
{
	struct node *a = end == ENDPOINT_SERVER ? NULL : filter_leaf(c, client);
	struct node *b = end == ENDPOINT_CLIENT ? NULL : filter_leaf(c, server);

	if (c->failed)
		return NULL;
	return a == NULL ? b : b == NULL ? a : filter_node(c, NODE_OR, a, b);
}

static struct node *address_column(struct compiler *c, enum endpoint end, bool mac, const char *text)
{
	size_t n = filter_text(c, text);
	struct node *node = NULL;

	if (end != ENDPOINT_SERVER)
		node = filter_equal(c, mac ? "client_mac" : "client_ip", n);
	if (end != ENDPOINT_CLIENT && !c->failed)
		node = filter_or(c, node, filter_equal(c, mac ? "server_mac" : "server_ip", n));
	return node;
}

static struct node *network_node(struct compiler *c, enum endpoint end, const struct fyke_network *network)
{
	char text[FYKE_ADDRESS_TEXT];
	unsigned most = network->address.family == FYKE_ADDRESS_IPV4 ? 32 : 128;

	if (network->bits < most)
		return either(c, end, end == ENDPOINT_SERVER ? NULL : network_sql(c, "s.client_ip", network),
			end == ENDPOINT_CLIENT ? NULL : network_sql(c, "s.server_ip", network));
	fyke_address_text(&network->address, text);
	return address_column(c, end, false, text);
}

/* "00:11:22:33:44:55", also with dashes, as the database writes it. */
static bool parse_mac(const char *text, char mac[18])
{
	for (size_t i = 0; i < 17; i++) {
		bool separator = i % 3 == 2;

		if (separator ? text[i] != ':' && text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
		mac[i] = separator ? ':' : (char)tolower((unsigned char)text[i]);
	}
	mac[17] = '\0';
	return text[17] == '\0';
}

static bool looks_like_name(const char *text)
{
	size_t letters = 0;

	for (; *text != '\0'; text++) {
		if (!isalnum((unsigned char)*text) && strchr(".-_*?", *text) == NULL &&
			(unsigned char)*text < 0x80)
			return false;
		letters += isalpha((unsigned char)*text) || (unsigned char)*text >= 0x80 || *text == '*';
	}
	return letters > 0;
}

static struct node *one_address(struct compiler *c, const struct token *token, enum endpoint end)
{
	struct fyke_network network;
	char mac[18];

	if (fyke_network_parse(token->text, &network))
		return network_node(c, end, &network);
	if (parse_mac(token->text, mac))
		return address_column(c, end, true, mac);
	if (strchr(token->text, '/') != NULL)
		return filter_fault(
			c, token, "'%.64s' is no network: write 10.0.0.0/8 or 2001:db8::/32", token->text);
	if (!looks_like_name(token->text))
		return filter_fault(c, token, "'%.64s' is no address", token->text);
	if (end == ENDPOINT_CLIENT)
		return filter_fault(
			c, token, "'%.64s' is no address, and only servers have names here", token->text);
	return filter_leaf(c, sqlite3_mprintf("s.server_name LIKE ?%d ESCAPE '\\'",
				      (int)pattern_parameter(c, token->text, true)));
}

struct node *filter_address(struct compiler *c, enum endpoint end)
{
	struct node *all = NULL;

	for (;;) {
		const struct token *token = filter_peek(c);
		struct node *one;

		if (token->kind != TOKEN_WORD && token->kind != TOKEN_STRING)
			return filter_fault(
				c, token, "expected an address, a network or a server's name here");
		if (++c->terms > FILTER_TERMS_MAX)
			return filter_fault(c, token, "more than %d conditions", FILTER_TERMS_MAX);
		filter_next(c);
		one = one_address(c, token, end);
		if (one == NULL)
			return NULL;
		all = all == NULL ? one : filter_node(c, NODE_OR, all, one);
		if (filter_peek(c)->kind != TOKEN_COMMA)
			return all;
		filter_next(c);
	}
}

/* Up to three words make an instant: "2026-11-23 10:00", "2 hours ago". The longest that is one counts. */
bool filter_instant(struct compiler *c, int64_t *us, int64_t *span_us)
{
	char text[128] = "";
	size_t best = 0, first = c->at;
	const struct token *token = filter_peek(c);

	for (size_t n = 0; n < 3; n++) {
		const struct token *part = filter_peek(c);
		size_t length = strlen(text);
		int64_t try_us, try_span;

		if (part->kind != TOKEN_WORD && part->kind != TOKEN_STRING)
			break;
		if (strlen(part->text) + length + 2 > sizeof(text))
			break;
		snprintf(text + length, sizeof(text) - length, "%s%s", n > 0 ? " " : "", part->text);
		filter_next(c);
		if (fyke_filter_instant(text, c->options->now_us, &try_us, &try_span)) {
			best = n + 1;
			*us = try_us;
			*span_us = try_span;
		}
	}
	c->at = first + best;
	if (best == 0)
		filter_fault(c, token,
			"expected a time here, like 2026-11-23, \"2026-11-23 10:00\", 10:00, today, "
			"yesterday or 2h ago");
	return best > 0;
}

/* "2h", "2 hours", or a unit alone for one of it. */
static bool parse_span(struct compiler *c, int64_t *us)
{
	const struct token *token = filter_next(c), *unit = filter_peek(c);
	char text[64];

	if (token->kind != TOKEN_WORD)
		return false;
	if (isalpha((unsigned char)token->text[0])) {
		snprintf(text, sizeof(text), "1%.40s", token->text);
		return fyke_filter_duration(text, 0, us);
	}
	if (fyke_filter_duration(token->text, 0, us))
		return true;
	snprintf(text, sizeof(text), "%.30s%.30s", token->text, unit->kind == TOKEN_WORD ? unit->text : "");
	filter_next(c);
	return fyke_filter_duration(text, 0, us);
}

struct node *filter_time(struct compiler *c, const char *word)
{
	const struct token *token = filter_peek(c);
	struct node *node;
	int64_t us, span;
	bool until = strcmp(word, "until") == 0;

	if (strcmp(word, "last") != 0) {
		if (!filter_instant(c, &us, &span) || (until && __builtin_add_overflow(us, span, &us)))
			return NULL;
	} else if (!parse_span(c, &span) || __builtin_sub_overflow(c->options->now_us, span, &us)) {
		return filter_fault(
			c, token, "expected a span of time here, like '2h', '30 minutes' or 'day'");
	}
	node = filter_leaf(
		c, sqlite3_mprintf("s.start_us %s ?%d", until ? "<" : ">=", (int)filter_integer(c, us)));
	if (node != NULL)
		node->is_time = true;
	return node;
}

static bool integer_value(
	struct compiler *c, const struct fyke_filter_column *column, const char *name, int64_t *value)
{
	const struct token *token = filter_peek(c);
	size_t length = strlen(name);
	/* A name that says microseconds takes a plain number as such; a word like `duration` means seconds.
	 */
	int64_t bare = length > 3 && strcasecmp(name + length - 3, "_us") == 0 ? 1 : 1000000;
	int64_t span;

	if (column->kind == FYKE_FILTER_INSTANT && !fyke_filter_number(token->text, value))
		return filter_instant(c, value, &span);
	filter_next(c);
	if (column->kind == FYKE_FILTER_INSTANT)
		return true;
	if (filter_is_word(token, "true") || filter_is_word(token, "false")) {
		*value = filter_is_word(token, "true");
		return true;
	}
	if (column->kind == FYKE_FILTER_DURATION ? fyke_filter_duration(token->text, bare, value)
						 : fyke_filter_number(token->text, value))
		return true;
	filter_fault(c, token, "'%.64s' is no %s for %s", token->text,
		column->kind == FYKE_FILTER_DURATION ? "span of time (2s, 300ms)"
		: column->kind == FYKE_FILTER_BYTES  ? "number (10k, 5MB, 4KiB)"
						     : "number",
		column->name);
	return false;
}

/* Text of some columns has one spelling; the user's may differ. */
static size_t text_value(struct compiler *c, const struct fyke_filter_column *column)
{
	const struct token *token = filter_next(c);
	size_t length = strlen(column->name);
	struct fyke_network network;
	char text[FYKE_ADDRESS_TEXT];

	if (length > 3 && strcmp(column->name + length - 3, "_ip") == 0 && strchr(token->text, '/') == NULL &&
		fyke_network_parse(token->text, &network)) {
		fyke_address_text(&network.address, text);
		return filter_text(c, text);
	}
	return filter_text(c, token->text);
}

static char *match_sql(struct compiler *c, const struct fyke_filter_column *column)
{
	const struct token *token = filter_next(c);
	bool whole = strpbrk(token->text, "*?") != NULL;

	return sqlite3_mprintf(
		"%s LIKE ?%d ESCAPE '\\'", column->sql, (int)pattern_parameter(c, token->text, whole));
}

static char *value_sql(
	struct compiler *c, const struct fyke_filter_column *column, const char *name, const char *sign)
{
	const struct token *token = filter_peek(c);
	int64_t value = 0;

	if (means_unknown(token) && strcmp(sign, "=") == 0) {
		filter_next(c);
		return sqlite3_mprintf("%s IS NULL", column->sql);
	}
	if (column->kind == FYKE_FILTER_TEXT)
		return sqlite3_mprintf("%s %s ?%d", column->sql, sign, (int)text_value(c, column));
	if (!integer_value(c, column, name, &value))
		return NULL;
	return sqlite3_mprintf("%s %s ?%d", column->sql, sign, (int)filter_integer(c, value));
}

/* `=` with an indexed column of sessions: as `host`, `dst port` and `service` are. */
static struct node *equality(struct compiler *c, const struct fyke_filter_column *column, const char *name)
{
	int64_t value = 0;

	if (column->kind == FYKE_FILTER_TEXT)
		return filter_equal(c, column->name, text_value(c, column));
	if (!integer_value(c, column, name, &value))
		return NULL;
	return filter_equal(c, column->name, filter_integer(c, value));
}

static bool is_indexed(const struct fyke_filter_column *column)
{
	return column->home == FYKE_FILTER_SESSION &&
	       (strcmp(column->name, "client_ip") == 0 || strcmp(column->name, "server_ip") == 0 ||
		       strcmp(column->name, "server_port") == 0 || strcmp(column->name, "service") == 0);
}

/* One value against one column, `at` being where the value's tokens begin. */
static struct node *compare(
	struct compiler *c, const struct fyke_filter_column *column, const char *name, const char *sign)
{
	bool unknown = strcmp(sign, "=") == 0 && means_unknown(filter_peek(c));
	struct node *node;
	char *sql;

	if (strcmp(sign, "=") == 0 && is_indexed(column) && !unknown)
		return equality(c, column, name);
	sql = sign[0] == '~' ? match_sql(c, column) : value_sql(c, column, name, sign);
	c->filter->uses_tcp |= column->uses_tcp;
	if (c->failed) {
		sqlite3_free(sql);
		return NULL;
	}
	if (column->home == FYKE_FILTER_RECORD)
		return filter_row(c, column->table, sql);
	if (column->uses_tcp && !unknown) /* what is unknown may have no row */
		return filter_row(c, "tcp", sql);
	node = filter_leaf(c, sql);
	if (node != NULL && strcmp(column->sql, "s.\"start_us\"") == 0 && strchr("<>", sign[0]) != NULL)
		node->is_time = true;
	return node;
}

/* One column, or the pair client_NAME and server_NAME. */
struct target {
	const struct fyke_filter_column *column, *other;
};

static struct target find_target(struct compiler *c, const struct token *token)
{
	char name[160];
	struct target target = {fyke_filter_columns_find(c->columns, token->text), NULL};
	const char *near;

	/* `client = A` asks for the address, although the column shows the port too. */
	if (filter_is_word(token, "client") || filter_is_word(token, "src"))
		target.column = fyke_filter_columns_find(c->columns, "client_ip");
	if (filter_is_word(token, "server") || filter_is_word(token, "dst"))
		target.column = fyke_filter_columns_find(c->columns, "server_ip");
	if (target.column != NULL)
		return target;
	snprintf(name, sizeof(name), "client_%.100s",
		filter_is_word(token, "host")  ? "ip"
		: filter_is_word(token, "rtt") ? "rtt_mean_us"
					       : token->text);
	target.column = fyke_filter_columns_find(c->columns, name);
	memcpy(name, "server", 6);
	target.other = fyke_filter_columns_find(c->columns, name);
	if (target.column != NULL && target.other != NULL)
		return target;
	near = filter_word_elsewhere(token->text);
	if (near != NULL)
		filter_fault(c, token, "no column '%.64s'; here you write '%s'", token->text, near);
	else if ((near = fyke_filter_columns_nearest(c->columns, token->text)) != NULL)
		filter_fault(c, token, "no column '%.64s'; did you mean '%.64s'?", token->text, near);
	else
		filter_fault(c, token, "no column '%.64s'; `fyke help database` lists them", token->text);
	return (struct target){NULL, NULL};
}

static bool check_sign(struct compiler *c, const struct fyke_filter_column *column, const struct token *sign)
{
	if (column->kind == FYKE_FILTER_BLOB)
		filter_fault(c, sign, "%s holds bytes that cannot be asked for", column->name);
	else if (strchr(sign->text, '~') != NULL && column->kind != FYKE_FILTER_TEXT)
		filter_fault(c, sign, "~ looks into text, and %s is a number", column->name);
	return !c->failed;
}

static struct node *compare_target(
	struct compiler *c, struct target target, const char *name, const char *sign)
{
	size_t first = c->at;
	struct node *a = compare(c, target.column, name, sign), *b;

	if (a == NULL || target.other == NULL)
		return a;
	c->at = first;
	b = compare(c, target.other, name, sign);
	return b == NULL ? NULL : filter_node(c, NODE_OR, a, b);
}

/* What != adds to "not equal": that there is a value at all. */
static struct node *known(struct compiler *c, const struct fyke_filter_column *column)
{
	if (column->home == FYKE_FILTER_RECORD)
		return filter_leaf(c,
			sqlite3_mprintf(
				"EXISTS (SELECT 1 FROM %s AS r WHERE r.session_id = s.id AND %s IS NOT NULL)",
				column->table, column->sql));
	return filter_leaf(c, sqlite3_mprintf("%s IS NOT NULL", column->sql));
}

static struct node *none_of(struct compiler *c, struct target target, struct node *all)
{
	struct node *is_known = known(c, target.column);

	if (target.other != NULL)
		is_known = filter_node(c, NODE_OR, is_known, known(c, target.other));
	all = filter_node(c, NODE_NOT, all, NULL);
	return filter_node(c, NODE_AND, is_known, all);
}

/* VALUE { , VALUE }: any of them. */
static struct node *compare_values(
	struct compiler *c, struct target target, const char *name, const char *sign)
{
	struct node *all = NULL;

	for (;;) {
		const struct token *token = filter_peek(c);
		struct node *one;

		if (++c->terms > FILTER_TERMS_MAX)
			return filter_fault(c, token, "more than %d conditions", FILTER_TERMS_MAX);
		if (token->kind != TOKEN_WORD && token->kind != TOKEN_STRING)
			return filter_fault(c, token, "expected a value for %s here", target.column->name);
		one = compare_target(c, target, name, sign);
		if (one == NULL)
			return NULL;
		all = all == NULL ? one : filter_node(c, NODE_OR, all, one);
		if (filter_peek(c)->kind != TOKEN_COMMA)
			return all;
		filter_next(c);
	}
}

/* `host = A`, `client = 10.0.0.0/8` and the like say the same as without the sign. */
static bool is_address_word(const struct token *name, const struct token *sign, enum endpoint *end)
{
	static const struct {
		const char *name;
		enum endpoint end;
	} list[] = {{"host", ENDPOINT_EITHER}, {"ip", ENDPOINT_EITHER}, {"net", ENDPOINT_EITHER},
		{"client", ENDPOINT_CLIENT}, {"src", ENDPOINT_CLIENT}, {"client_ip", ENDPOINT_CLIENT},
		{"server", ENDPOINT_SERVER}, {"dst", ENDPOINT_SERVER}, {"server_ip", ENDPOINT_SERVER}};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		*end = list[i].end;
		if (filter_is_word(name, list[i].name))
			return strcmp(sign->text, "=") == 0 || strcmp(sign->text, "!=") == 0;
	}
	return false;
}

struct node *filter_comparison(struct compiler *c)
{
	const struct token *name = filter_next(c), *sign = filter_next(c);
	bool negated = sign->text[0] == '!';
	struct target target;
	struct node *node;
	enum endpoint end;

	if (is_address_word(name, sign, &end) && !means_unknown(filter_peek(c))) {
		node = filter_address(c, end);
		return node != NULL && negated ? filter_node(c, NODE_NOT, node, NULL) : node;
	}
	target = find_target(c, name);
	if (target.column == NULL || !check_sign(c, target.column, sign))
		return NULL;
	node = compare_values(c, target, name->text, negated ? sign->text + 1 : sign->text);
	return node != NULL && negated ? none_of(c, target, node) : node;
}
