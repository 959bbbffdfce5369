/* The words of the filter language, and what SQL each stands for (filter.h). */
#include "storage/filter_parse.h"

#include "analyzer/base/text.h"
#include "analyzer/session/state.h"
#include "storage/filter_value.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const transports[] = {"tcp", "udp", "icmp", "icmp6", "sctp", "gre", "esp", "ah", "ipip",
	"dccp", "udplite", "igmp", "ospf", "pim", NULL};

static bool is_value(const struct token *token)
{
	return token->kind == TOKEN_WORD || token->kind == TOKEN_STRING;
}

/* True when a comma says that another value follows; takes the comma. */
static bool another(struct compiler *c)
{
	if (filter_peek(c)->kind != TOKEN_COMMA)
		return false;
	filter_next(c);
	return true;
}

static const struct token *value_of(struct compiler *c, const char *what)
{
	const struct token *token = filter_peek(c);

	if (!is_value(token)) {
		filter_fault(c, token, "expected %s here", what);
		return NULL;
	}
	return filter_next(c);
}

static struct node *finish(struct compiler *c, sqlite3_str *out)
{
	return filter_leaf(c, sqlite3_str_finish(out));
}

/* `test` for the ports of the sides that are asked for. */
static void on_sides(enum endpoint end, const char *test, sqlite3_str *out)
{
	if (end != ENDPOINT_SERVER)
		sqlite3_str_appendf(out, "s.client_port %s", test);
	if (end == ENDPOINT_EITHER)
		sqlite3_str_appendall(out, " OR ");
	if (end != ENDPOINT_CLIENT)
		sqlite3_str_appendf(out, "s.server_port %s", test);
}

static struct node *port_range(struct compiler *c, enum endpoint end, uint16_t first, uint16_t last)
{
	char test[48];
	size_t a = filter_integer(c, first);
	sqlite3_str *out;
	struct node *node = NULL;

	if (first == last && (end == ENDPOINT_SERVER || first < FILTER_CLIENT_PORT_MAX)) {
		if (end != ENDPOINT_CLIENT)
			node = filter_equal(c, "server_port", a);
		if (end != ENDPOINT_SERVER && !c->failed)
			node = filter_or(c, node, filter_equal(c, "client_port", a));
		return node;
	}
	if (first == last)
		snprintf(test, sizeof(test), "= ?%d", (int)a);
	else
		snprintf(test, sizeof(test), "BETWEEN ?%d AND ?%d", (int)a, (int)filter_integer(c, last));
	out = sqlite3_str_new(NULL);
	sqlite3_str_appendall(out, "(");
	on_sides(end, test, out);
	sqlite3_str_appendall(out, ")");
	return finish(c, out);
}

/* N or N-M, each at most 65535. */
static bool parse_range(const char *text, uint16_t *first, uint16_t *last)
{
	char *end;
	unsigned long a, b;

	if (!isdigit((unsigned char)text[0]))
		return false;
	a = b = strtoul(text, &end, 10);
	if (*end == '-' && isdigit((unsigned char)end[1]))
		b = strtoul(end + 1, &end, 10);
	if (*end != '\0' || a > 65535 || b > 65535)
		return false;
	*first = (uint16_t)a;
	*last = (uint16_t)b;
	return true;
}

/* What people call services that the registry names otherwise; NULL where the names agree. */
static const char *registered_name(const char *text)
{
	static const char *const names[][2] = {{"dns", "domain"}, {"dhcp", "bootps"},
		{"rdp", "ms-wbt-server"}, {"smb", "microsoft-ds"}, {"netbios", "netbios-ssn"}, {"vnc", "rfb"},
		{"postgres", "postgresql"}, {"mssql", "ms-sql-s"}, {"whois", "nicname"},
		{"smtps", "submissions"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcasecmp(names[i][0], text) == 0)
			return names[i][1];
	}
	return NULL;
}

static struct node *named_ports(struct compiler *c, const struct token *token, enum endpoint end)
{
	uint16_t ports[16];
	size_t count = 0;
	struct node *all = NULL;

	if (c->options->ports_of != NULL)
		count = c->options->ports_of(
			c->options->ports_context, token->text, ports, sizeof(ports) / sizeof(ports[0]));
	if (count == 0 && c->options->ports_of != NULL && registered_name(token->text) != NULL)
		count = c->options->ports_of(c->options->ports_context, registered_name(token->text), ports,
			sizeof(ports) / sizeof(ports[0]));
	if (count == 0)
		return filter_fault(c, token, "no service of the name '%.40s' is known", token->text);
	for (size_t i = 0; i < count && !c->failed; i++)
		all = filter_or(c, all, port_range(c, end, ports[i], ports[i]));
	return all;
}

static struct node *one_port(struct compiler *c, const struct token *token, enum endpoint end)
{
	uint16_t first, last;

	if (parse_range(token->text, &first, &last)) {
		if (first > last)
			return filter_fault(c, token, "the range ends before it begins");
		return port_range(c, end, first, last);
	}
	if (isdigit((unsigned char)token->text[0]))
		return filter_fault(c, token, "'%.40s' is no port: those are 0 to 65535", token->text);
	return named_ports(c, token, end);
}

static struct node *term_port(struct compiler *c, enum endpoint end)
{
	struct node *all = NULL;

	do {
		const struct token *token =
			value_of(c, "a port: a number, a range like 8000-8100 or a service");

		if (token == NULL)
			return NULL;
		if (++c->terms > FILTER_TERMS_MAX)
			return filter_fault(c, token, "more than %d conditions", FILTER_TERMS_MAX);
		all = filter_or(c, all, one_port(c, token, end));
	} while (!c->failed && another(c));
	return c->failed ? NULL : all;
}

/* What was spoken, and what the port is for where that fits: "https" are TLS sessions on 443, too, but not
 * what else is spoken there. */
static struct node *service_named(struct compiler *c, const char *name)
{
	size_t parameter = filter_text(c, name);

	return filter_or(
		c, filter_equal(c, "service", parameter), filter_equal(c, "port_service", parameter));
}

/* Names that contents go by, too: what is spoken on the registry's port for them is called so, and none of
 * those sessions is left to be found by the port. */
static bool is_content(const char *name)
{
	static const char *const names[] = {"dns", "dhcp", "rdp", "smb", "whois"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcasecmp(names[i], name) == 0)
			return true;
	}
	return false;
}

static struct node *one_service(struct compiler *c, const struct token *token)
{
	const char *registered = registered_name(token->text);
	struct node *node = service_named(c, token->text);

	if (registered == NULL || c->failed)
		return node;
	return filter_or(c, node,
		is_content(token->text) ? filter_equal(c, "service", filter_text(c, registered))
					: service_named(c, registered));
}

/* Any of the names; those that mean "not known" ask for NULL. */
static struct node *term_names(struct compiler *c, const char *column, const char *what)
{
	struct node *all = NULL, *one;

	do {
		const struct token *token = value_of(c, what);
		bool unknown;

		if (token == NULL)
			return NULL;
		if (++c->terms > FILTER_TERMS_MAX)
			return filter_fault(c, token, "more than %d conditions", FILTER_TERMS_MAX);
		unknown = filter_is_word(token, "unknown") || filter_is_word(token, "null") ||
			  filter_is_word(token, "none");
		if (strcmp(column, "service") == 0 && !unknown)
			one = one_service(c, token);
		else
			one = filter_equal(c, column, unknown ? 0 : filter_text(c, token->text));
		all = filter_or(c, all, one);
	} while (!c->failed && another(c));
	return c->failed ? NULL : all;
}

static const char *state_named(const char *text)
{
	for (int i = 0; i < FYKE_STATE_COUNT; i++) {
		if (strcasecmp(fyke_state_name((enum fyke_state)i), text) == 0)
			return fyke_state_name((enum fyke_state)i);
	}
	return NULL;
}

static struct node *term_state(struct compiler *c)
{
	sqlite3_str *in = sqlite3_str_new(NULL);
	unsigned count = 0;

	sqlite3_str_appendall(in, "s.state IN (");
	do {
		const struct token *token = value_of(c, "a state");
		const char *name = token == NULL ? NULL : state_named(token->text);

		if (name == NULL) {
			if (token != NULL)
				filter_fault(c, token,
					"no state '%.40s'; there are S0 S1 S2 S3 SF SH SHR REJ RSTO RSTR "
					"RSTOS0 RSTRH OTH",
					token->text);
			break;
		}
		sqlite3_str_appendf(in, "%s?%d", count++ > 0 ? "," : "", (int)filter_text(c, name));
	} while (another(c));
	sqlite3_str_appendall(in, ")");
	return finish(c, in);
}

static struct node *term_ids(struct compiler *c, const char *column, const char *what)
{
	sqlite3_str *in = sqlite3_str_new(NULL);
	unsigned count = 0;

	sqlite3_str_appendf(in, "%s IN (", column);
	do {
		const struct token *token = value_of(c, what);
		int64_t id = 0;

		if (token == NULL)
			break;
		if (!fyke_filter_number(token->text, &id))
			filter_fault(c, token, "expected %s, not '%.40s'", what, token->text);
		sqlite3_str_appendf(in, "%s?%d", count++ > 0 ? "," : "", (int)filter_integer(c, id));
	} while (another(c) && !c->failed);
	sqlite3_str_appendall(in, ")");
	return finish(c, in);
}

static struct node *term_capture(struct compiler *c)
{
	if (filter_is_word(filter_peek(c), "last")) {
		filter_next(c);
		return filter_leaf(c, sqlite3_mprintf("s.capture_id = (SELECT max(id) FROM captures)"));
	}
	return term_ids(c, "s.capture_id", "a capture's id or 'last'");
}

/* src and dst go on with port, net, host or an address. */
static struct node *term_side(struct compiler *c, enum endpoint end)
{
	const struct token *token = filter_peek(c);

	if (filter_is_word(token, "port")) {
		filter_next(c);
		return term_port(c, end);
	}
	if (filter_is_word(token, "net") || filter_is_word(token, "host"))
		filter_next(c);
	return filter_address(c, end);
}

static struct node *term_transport(struct compiler *c, const char *name)
{
	if (strcmp(name, "icmpv6") == 0)
		name = "icmp6";
	return filter_leaf(c, sqlite3_mprintf("s.transport = ?%d", (int)filter_text(c, name)));
}

static struct node *term_family(struct compiler *c, bool ip6)
{
	return filter_leaf(c, sqlite3_mprintf("s.client_ip %sLIKE '%%:%%'", ip6 ? "" : "NOT "));
}

enum word {
	WORD_HOST,
	WORD_SRC,
	WORD_DST,
	WORD_PORT,
	WORD_SERVICE,
	WORD_STATE,
	WORD_TIME,
	WORD_CAPTURE,
	WORD_IP,
	WORD_IP6,
	WORD_TRANSPORT,
	WORD_PROTO,
};

static const struct {
	const char *name;
	enum word word;
} words[] = {{"host", WORD_HOST}, {"net", WORD_HOST}, {"src", WORD_SRC}, {"client", WORD_SRC},
	{"source", WORD_SRC}, {"dst", WORD_DST}, {"server", WORD_DST}, {"destination", WORD_DST},
	{"port", WORD_PORT}, {"portrange", WORD_PORT}, {"service", WORD_SERVICE}, {"state", WORD_STATE},
	{"since", WORD_TIME}, {"until", WORD_TIME}, {"last", WORD_TIME}, {"capture", WORD_CAPTURE},
	{"ip", WORD_IP}, {"ip4", WORD_IP}, {"ip6", WORD_IP6}, {"proto", WORD_PROTO},
	{"transport", WORD_PROTO}};

static const char *lowered(const char *text, char out[32])
{
	size_t i = 0;

	for (; text[i] != '\0' && i < 31; i++)
		out[i] = (char)tolower((unsigned char)text[i]);
	out[i] = '\0';
	return out;
}

static bool find_word(const char *text, enum word *word)
{
	char lower[32];

	lowered(text, lower);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].name, lower) == 0) {
			*word = words[i].word;
			return true;
		}
	}
	*word = WORD_TRANSPORT;
	for (size_t i = 0; transports[i] != NULL; i++) {
		if (strcmp(transports[i], lower) == 0)
			return true;
	}
	return strcmp(lower, "icmpv6") == 0;
}

static struct node *term_word(struct compiler *c, enum word word)
{
	const struct token *token = filter_next(c);
	char lower[32];

	switch (word) {
	case WORD_HOST:
		return filter_address(c, ENDPOINT_EITHER);
	case WORD_SRC:
		return term_side(c, ENDPOINT_CLIENT);
	case WORD_DST:
		return term_side(c, ENDPOINT_SERVER);
	case WORD_PORT:
		return term_port(c, ENDPOINT_EITHER);
	case WORD_SERVICE:
		return term_names(c, "service", "the name of a service");
	case WORD_STATE:
		return term_state(c);
	case WORD_TIME:
		return filter_time(c, lowered(token->text, lower));
	case WORD_CAPTURE:
		return term_capture(c);
	case WORD_IP:
	case WORD_IP6:
		return term_family(c, word == WORD_IP6);
	case WORD_TRANSPORT:
		return term_transport(c, lowered(token->text, lower));
	case WORD_PROTO:
		return term_names(c, "transport", "a transport: tcp, udp, icmp …");
	}
	return NULL;
}

/* Words of the language beside the columns, for suggestions. */
static const char *nearest_word(const struct compiler *c, const char *text)
{
	const char *list[64];
	size_t n = 0;
	const char *found;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		list[n++] = words[i].name;
	for (size_t i = 0; transports[i] != NULL; i++)
		list[n++] = transports[i];
	list[n] = NULL;
	found = fyke_text_nearest(text, list);
	return found != NULL ? found : fyke_filter_columns_nearest(c->columns, text);
}

const char *filter_word_elsewhere(const char *word)
{
	static const char *const list[][2] = {{"ip.addr", "host ADDRESS"}, {"ipv6.addr", "host ADDRESS"},
		{"ip.src", "src ADDRESS"}, {"ipv6.src", "src ADDRESS"}, {"ip.dst", "dst ADDRESS"},
		{"ipv6.dst", "dst ADDRESS"}, {"eth.addr", "host MAC"}, {"tcp.port", "tcp and port N"},
		{"udp.port", "udp and port N"}, {"tcp.srcport", "src port N"}, {"udp.srcport", "src port N"},
		{"tcp.dstport", "dst port N"}, {"udp.dstport", "dst port N"}, {"sport", "src port N"},
		{"dport", "dst port N"}, {"frame.time", "since TIME"}, {"ip.ttl", "ttl = N"},
		{"vlan.id", "vlan = N"}, {"tcp.stream", "a session's id"}, {"ip.proto", "tcp, udp ..."},
		{"conn_state", "state NAME"}, {"id.orig_h", "src ADDRESS"}, {"id.resp_h", "dst ADDRESS"},
		{"id.orig_p", "src port N"}, {"id.resp_p", "dst port N"},
		{"orig_bytes", "client_payload_bytes"}, {"resp_bytes", "server_payload_bytes"},
		{"greater", "bytes > N"}, {"less", "bytes < N"}, {"ether", "host MAC"},
		{"orig_ip_bytes", "client_bytes"}, {"resp_ip_bytes", "server_bytes"}};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		if (strcasecmp(list[i][0], word) == 0)
			return list[i][1];
	}
	return NULL;
}

static struct node *unknown_word(struct compiler *c, const struct token *token)
{
	const char *near;

	if (fyke_filter_columns_find(c->columns, token->text) != NULL)
		return filter_fault(c, filter_peek_second(c),
			"expected = != < <= > >= or ~ behind the column '%.64s'", token->text);
	near = filter_word_elsewhere(token->text);
	if (near != NULL)
		return filter_fault(c, token, "'%.64s' is not known here; you write '%s'", token->text, near);
	near = nearest_word(c, token->text);
	if (near != NULL)
		return filter_fault(
			c, token, "'%.64s' is not known here; did you mean '%.64s'?", token->text, near);
	return filter_fault(c, token,
		"'%.64s' is not known here: expected a word like host, port, service or a column's name",
		token->text);
}

struct node *filter_term(struct compiler *c)
{
	const struct token *token = filter_peek(c);
	const char *table;
	enum word word;

	if (token->kind == TOKEN_END)
		return filter_fault(c, token, "the filter ends here, but something must follow");
	if (token->kind != TOKEN_WORD)
		return filter_fault(
			c, token, "expected a condition here, like 'host 10.0.0.1' or 'service = http'");
	if (++c->terms > FILTER_TERMS_MAX)
		return filter_fault(c, token, "more than %d conditions", FILTER_TERMS_MAX);
	if (filter_peek_second(c)->kind == TOKEN_OPERATOR)
		return filter_comparison(c);
	if (find_word(token->text, &word))
		return term_word(c, word);
	if (token->text[strspn(token->text, "0123456789")] == '\0')
		return term_ids(c, "s.id", "a session's id");
	if (fyke_network_parse(token->text, &(struct fyke_network){0}))
		return filter_address(c, ENDPOINT_EITHER);
	table = fyke_filter_columns_record_table(c->columns, token->text);
	if (table == NULL)
		return unknown_word(c, token);
	filter_next(c);
	return filter_row(c, table, sqlite3_mprintf("true"));
}
