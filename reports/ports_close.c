/*
 * Which open ports to close or to fence in. A port is named only where there is a reason, and ranked by the
 * sum of the reasons' weights; what an owner needs to know before he closes it stands beside: who used it,
 * and when last.
 *
 * Only ports whose opening was seen whole count (the client's SYN or its ACK, too), and only of hosts that
 * are one's own: in --home-net; where that is not known, in a private range or on this link (their packets'
 * TTL is as no router has touched it).
 */
#include "reports/ports.h"

#include "analyzer/base/grow.h"
#include "analyzer/base/text.h"
#include "reports/facts.h"
#include "reports/json_row.h"
#include "reports/port_advice.h"
#include "reports/wrap.h"
#include "storage/json_buffer.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REASONS_MAX = 8, REASON_ROOM = 200, CLIENTS_SHOWN = 5, NAME_ROOM = 64 };
#define DAY_US		((int64_t)86400 * 1000000)
#define IDLE_DAYS_LEAST 7

struct reason {
	int weight;
	const char *kind; /* for programs */
	char text[REASON_ROOM];
};

struct candidate {
	char ip[NAME_ROOM], transport[8], service[NAME_ROOM];
	int64_t port, sessions, last_us, session_id;
	int64_t world_clients, clients;
	bool is_tcp, whole_handshake;
	struct reason reasons[REASONS_MAX];
	size_t reason_count;
	int weight;
	bool fence; /* rather than close: somebody uses it */
	const struct fyke_port_use *use;
	const struct fyke_port_known *known;
};

struct collector {
	const struct fyke_ports_options *options;
	struct sqlite3 *db;
	const struct fyke_networks *home;
	struct fyke_port_usage usage;
	struct fyke_ports_observed observed;
	struct candidate *list;
	size_t count, room;
	int64_t open_ports, elsewhere, unproven;
};

FYKE_PRINTF(4, 5)
static void add_reason(struct candidate *c, int weight, const char *kind, const char *format, ...)
{
	struct reason *reason = &c->reasons[c->reason_count];
	va_list arguments;

	if (c->reason_count == REASONS_MAX)
		return;
	va_start(arguments, format);
	(void)vsnprintf(reason->text, sizeof(reason->text), format, arguments);
	va_end(arguments);
	reason->weight = weight;
	reason->kind = kind;
	c->reason_count++;
	c->weight += weight;
}

static void reason_by_reach(struct candidate *c)
{
	unsigned traits = c->known == NULL ? 0 : c->known->traits;

	if (c->world_clients <= 0)
		return;
	if ((traits & (FYKE_PORT_REMOTE | FYKE_PORT_DATA)) != 0)
		add_reason(c, 50, "world",
			"%s is reached from the world (%lld client%s there): such services are tried "
			"without end",
			c->known->words, (long long)c->world_clients, c->world_clients == 1 ? "" : "s");
	else
		add_reason(c, 10, "world", "reached from the world (%lld client%s there)",
			(long long)c->world_clients, c->world_clients == 1 ? "" : "s");
}

static void reason_by_kind(struct candidate *c, const struct fyke_port_line *line)
{
	const struct fyke_port_known *known = c->known;
	bool is_encrypted = line->encryption != NULL && strcmp(line->encryption, "encrypted") == 0;

	if (known == NULL)
		return;
	if ((known->traits & FYKE_PORT_OLD) != 0)
		add_reason(c, 20, "outdated", "%s is outdated%s%s", known->words,
			known->instead == NULL ? "" : ": use ", known->instead == NULL ? "" : known->instead);
	if ((known->traits & FYKE_PORT_CLEAR) != 0 && !is_encrypted)
		add_reason(c, (known->traits & FYKE_PORT_REMOTE) != 0 ? 30 : 15, "clear_text",
			"clear text: everybody on the way reads what is said, passwords included%s%s",
			(known->traits & FYKE_PORT_OLD) != 0 || known->instead == NULL ? "" : "; use ",
			(known->traits & FYKE_PORT_OLD) != 0 || known->instead == NULL ? "" : known->instead);
}

static void reason_by_contents(struct candidate *c)
{
	const char *malware = fyke_port_malware(c->is_tcp, c->port);

	if (malware != NULL)
		add_reason(c, 60, "malware_port",
			"a port that %s use%s, and it answered: find out which program listens", malware,
			strchr(malware, ' ') == NULL ? "s" : "");
	if (c->use != NULL && c->use->mismatches > 0)
		add_reason(c, 20, "mismatch",
			"what is spoken there (%s) is not what the port stands for, in %lld sessions",
			c->service[0] == '\0' ? "unknown" : c->service, (long long)c->use->mismatches);
}

static void reason_by_use(const struct collector *collector, struct candidate *c)
{
	int64_t idle_us;

	if (c->use == NULL)
		return;
	if (c->use->used == 0) {
		add_reason(c, 20, "unused", "nobody used it: of %lld session%s none carried data both ways",
			(long long)c->use->sessions, c->use->sessions == 1 ? "" : "s");
		return;
	}
	idle_us = collector->observed.last_us - c->use->last_used_us;
	if (idle_us >= IDLE_DAYS_LEAST * DAY_US)
		add_reason(c, 15, "idle", "nobody has used it for %lld days", (long long)(idle_us / DAY_US));
}

/* TTLs that systems begin with: no router was in between. */
static bool is_on_link(int64_t ttl)
{
	return ttl == 64 || ttl == 128 || ttl == 255;
}

static bool is_own(const struct collector *collector, const char *ip, const struct fyke_port_use *use)
{
	struct fyke_address address;
	enum fyke_origin origin;

	if (!fyke_address_parse(ip, &address))
		return false;
	origin = fyke_origin_of(collector->home, &address, NULL);
	if (collector->options->home_is_known)
		return origin == FYKE_ORIGIN_HOME;
	return origin == FYKE_ORIGIN_PRIVATE || (use != NULL && is_on_link(use->ttl));
}

static struct candidate *make_candidate(struct collector *collector)
{
	struct candidate *larger =
		fyke_grow(collector->list, collector->count, &collector->room, 64, sizeof(*larger));

	if (larger == NULL)
		return NULL;
	collector->list = larger;
	memset(&collector->list[collector->count], 0, sizeof(*collector->list));
	return &collector->list[collector->count];
}

static bool opening_was_seen(const struct fyke_port_line *line)
{
	if (!line->is_tcp)
		return true;
	return strcmp(line->evidence, "syn-ack") != 0;
}

static void fill_candidate(struct collector *collector, struct candidate *c,
	const struct fyke_port_line *line, const struct fyke_port_use *use)
{
	snprintf(c->ip, sizeof(c->ip), "%s", line->ip);
	snprintf(c->transport, sizeof(c->transport), "%s", line->transport);
	snprintf(c->service, sizeof(c->service), "%s", line->service == NULL ? "" : line->service);
	c->port = line->port;
	c->sessions = line->sessions;
	c->last_us = line->last_us;
	c->session_id = line->session_id;
	c->clients = line->clients;
	c->world_clients = c->world_clients;
	if (use != NULL) {
		int64_t clients[FYKE_ORIGIN_COUNT];

		fyke_port_usage_origins(&collector->usage, use, collector->home, line->ip, clients);
		c->world_clients = clients[FYKE_ORIGIN_WORLD];
	}
	c->is_tcp = line->is_tcp;
	c->whole_handshake = strstr(line->evidence, "syn, syn-ack, ack") != NULL;
	c->use = use;
	c->known = fyke_port_known(line->service, line->is_tcp, line->port);
	reason_by_contents(c);
	reason_by_reach(c);
	reason_by_kind(c, line);
	reason_by_use(collector, c);
	c->fence = use != NULL && use->used > 0;
}

static enum fyke_status take_line(void *context, const struct fyke_port_line *line)
{
	struct collector *collector = context;
	const struct fyke_port_use *use =
		fyke_port_usage_find(&collector->usage, line->ip, line->is_tcp, line->port);
	struct candidate *c;

	collector->open_ports++;
	if (!is_own(collector, line->ip, use)) {
		collector->elsewhere++;
		return FYKE_OK;
	}
	if (!opening_was_seen(line)) {
		collector->unproven++;
		return FYKE_OK;
	}
	c = make_candidate(collector);
	if (c == NULL)
		return FYKE_FAILED_MEMORY;
	fill_candidate(collector, c, line, use);
	/* The weak reasons say nothing alone: any web server is reached from the world. */
	collector->count += c->weight >= 15;
	return FYKE_OK;
}

static int by_weight(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;

	if (left->weight != right->weight)
		return left->weight > right->weight ? -1 : 1;
	if (strcmp(left->ip, right->ip) != 0)
		return strcmp(left->ip, right->ip);
	return left->port < right->port ? -1 : left->port > right->port;
}

static enum fyke_status collect(
	struct collector *collector, struct fyke_database *database, struct fyke_error *error)
{
	struct fyke_ports_options options = *collector->options;
	enum fyke_status status;

	options.open_only = true;
	options.recount = false; /* it is done here, from the same pass */
	status = fyke_ports_observed(collector->db, options.capture, &collector->observed, error);
	if (status == FYKE_OK)
		status = fyke_port_usage_gather(collector->db, options.capture, &collector->usage, error);
	if (status == FYKE_OK)
		status = fyke_ports_each(database, &options, take_line, collector, error);
	if (status == FYKE_FAILED_MEMORY)
		return fyke_error_set(error, status, "out of memory");
	if (collector->count > 1)
		qsort(collector->list, collector->count, sizeof(*collector->list), by_weight);
	return status;
}

static void release(struct collector *collector)
{
	fyke_port_usage_release(&collector->usage);
	free(collector->list);
}

/* ---- words ---- */

static const char *sureness(const struct candidate *c)
{
	if (!c->is_tcp)
		return c->sessions > 1 ? "high" : "medium";
	if (c->whole_handshake)
		return "high";
	return c->sessions > 1 ? "medium" : "low";
}

static void say_sure(const struct candidate *c, char *text, size_t room)
{
	char last[FYKE_TEXT_TIME];

	fyke_text_time(c->last_us, 0, last);
	snprintf(text, room, "%s: %s in %lld session%s, last %s (session %lld)", sureness(c),
		!c->is_tcp	     ? "it answered"
		: c->whole_handshake ? "whole handshakes"
				     : "it accepted connections",
		(long long)c->sessions, c->sessions == 1 ? "" : "s", last, (long long)c->session_id);
}

static void say_cut(const struct collector *collector, const struct candidate *c, char *text, size_t room)
{
	const struct fyke_port_client *clients[CLIENTS_SHOWN];
	size_t count = 0, at = 0;

	if (c->use == NULL || c->use->used == 0) {
		snprintf(text, room, "nobody: no client exchanged data with it while fyke looked");
		return;
	}
	count = fyke_port_usage_clients(&collector->usage, c->use, clients, CLIENTS_SHOWN);
	at = (size_t)snprintf(
		text, room, "%u client%s:", c->use->client_count, c->use->client_count == 1 ? "" : "s");
	for (size_t i = 0; i < count && at < room; i++) {
		char last[FYKE_TEXT_TIME];

		fyke_text_time(clients[i]->last_us, 0, last);
		at += (size_t)snprintf(text + at, room - at, "%s %s (%lld session%s, last %s)",
			i > 0 ? "," : "", clients[i]->ip, (long long)clients[i]->sessions,
			clients[i]->sessions == 1 ? "" : "s", last);
	}
	if (c->use->client_count > count && at < room)
		snprintf(text + at, room - at, " and %u more", c->use->client_count - (unsigned)count);
}

/* Where only the clear text is wrong, there is something to move to. */
static bool has_better(const struct candidate *c)
{
	return c->fence && c->known != NULL && c->known->traits == FYKE_PORT_CLEAR &&
	       c->known->instead != NULL;
}

static void say_action(const struct candidate *c, char *text, size_t room)
{
	if (has_better(c))
		snprintf(text, room, "move its clients to %s, then close port %lld of %s", c->known->instead,
			(long long)c->port, c->ip);
	else if (c->fence)
		snprintf(text, room,
			"at the firewall, let only the clients that need it reach %s port %lld of %s and "
			"drop the rest; better, "
			"stop the service (there: ss -lnp%c 'sport = :%lld') once nobody needs it",
			c->transport, (long long)c->port, c->ip, c->is_tcp ? 't' : 'u', (long long)c->port);
	else
		snprintf(text, room,
			"stop the service (which one, there: ss -lnp%c 'sport = :%lld'), or drop %s to port "
			"%lld of %s at the "
			"firewall",
			c->is_tcp ? 't' : 'u', (long long)c->port, c->transport, (long long)c->port, c->ip);
}

static void put_candidate(
	const struct collector *collector, const struct candidate *c, size_t number, FILE *out)
{
	const struct fyke_screen *screen = &collector->options->screen;
	const struct fyke_wrap lines = {screen, out, 4, 8};
	char text[1000];

	snprintf(text, sizeof(text), "%2zu  %s  %lld/%s  %s", number, c->ip, (long long)c->port, c->transport,
		c->known != NULL ? c->known->words : c->service);
	fyke_screen_put(screen, text, 0, FYKE_PAINT_BOLD, out);
	fputs("  ", out);
	fyke_screen_put(screen,
		has_better(c) ? "encrypt"
		: c->fence    ? "fence in"
			      : "close",
		0, c->weight >= 50 ? FYKE_PAINT_BAD : FYKE_PAINT_WARN, out);
	fputc('\n', out);
	for (size_t i = 0; i < c->reason_count; i++)
		fyke_wrap_put(&lines, i == 0 ? "why" : "", FYKE_PAINT_PLAIN, c->reasons[i].text);
	say_sure(c, text, sizeof(text));
	fyke_wrap_put(&lines, "sure", FYKE_PAINT_PLAIN, text);
	say_cut(collector, c, text, sizeof(text));
	fyke_wrap_put(&lines, "cuts", FYKE_PAINT_PLAIN, text);
	say_action(c, text, sizeof(text));
	fyke_wrap_put(&lines, "do", FYKE_PAINT_PLAIN, text);
	fputc('\n', out);
}

static const char blind[] = "A port that nobody knocked on while fyke looked is not known, open or not; so "
			    "is one whose traffic did not pass "
			    "here. A list of what listens (ss -lntu on each host) completes this one. What "
			    "was used rarely may be needed "
			    "all the same: look at the time over which fyke looked.";

static void put_end(const struct collector *collector, FILE *out)
{
	const struct fyke_screen *screen = &collector->options->screen;
	const struct fyke_wrap words = {screen, out, 0, 10};
	char text[300];

	fyke_ports_observed_text(&collector->observed, screen, text, sizeof(text));
	fyke_wrap_put(&words, "observed", FYKE_PAINT_PLAIN, text);
	if (collector->elsewhere > 0) {
		snprintf(text, sizeof(text), "%lld open ports of hosts that are not yours are left out%s",
			(long long)collector->elsewhere,
			collector->options->home_is_known
				? ""
				: "; --home-net names the networks that are your own");
		fyke_wrap_put(&words, "left out", FYKE_PAINT_PLAIN, text);
	}
	if (collector->unproven > 0) {
		snprintf(text, sizeof(text),
			"%lld ports of which only the answer was seen, never the question",
			(long long)collector->unproven);
		fyke_wrap_put(&words, "left out", FYKE_PAINT_PLAIN, text);
	}
	fyke_wrap_put(&words, "not seen", FYKE_PAINT_DIM, blind);
}

enum fyke_status fyke_ports_close_text(struct fyke_database *database,
	const struct fyke_ports_options *options, FILE *out, struct fyke_error *error)
{
	struct collector collector = {.options = options,
		.db = fyke_database_handle(database),
		.home = fyke_database_home(database)};
	enum fyke_status status = collect(&collector, database, error);

	if (status == FYKE_OK) {
		if (collector.count == 0)
			fprintf(out, "No reason was seen to close any of %lld open ports.\n\n",
				(long long)(collector.open_ports - collector.elsewhere));
		else
			fprintf(out,
				"To close or to fence in: %zu of %lld open ports, the most urgent first.\n\n",
				collector.count, (long long)(collector.open_ports - collector.elsewhere));
		for (size_t i = 0; i < collector.count; i++)
			put_candidate(&collector, &collector.list[i], i + 1, out);
		put_end(&collector, out);
	}
	release(&collector);
	return status;
}

/* ---- for programs ---- */

static json_t *text_json(const char *text)
{
	return text[0] == '\0' ? json_null() : fyke_json_text(text, strlen(text));
}

static json_t *clients_json(const struct collector *collector, const struct candidate *c)
{
	const struct fyke_port_client *clients[100];
	size_t count = c->use == NULL ? 0 : fyke_port_usage_clients(&collector->usage, c->use, clients, 100);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		json_t *client = json_object();

		json_object_set_new(client, "ip", text_json(clients[i]->ip));
		json_object_set_new(client, "sessions", json_integer(clients[i]->sessions));
		json_object_set_new(client, "with_data", json_integer(clients[i]->used));
		json_object_set_new(client, "last_us", json_integer(clients[i]->last_us));
		json_array_append_new(list, client);
	}
	return list;
}

static json_t *candidate_json(const struct collector *collector, const struct candidate *c)
{
	json_t *object = json_object(), *reasons = json_array();
	char text[1000];

	for (size_t i = 0; i < c->reason_count; i++) {
		json_t *reason = json_object();

		json_object_set_new(reason, "kind", text_json(c->reasons[i].kind));
		json_object_set_new(reason, "weight", json_integer(c->reasons[i].weight));
		json_object_set_new(reason, "text", text_json(c->reasons[i].text));
		json_array_append_new(reasons, reason);
	}
	json_object_set_new(object, "ip", text_json(c->ip));
	json_object_set_new(object, "transport", text_json(c->transport));
	json_object_set_new(object, "port", json_integer(c->port));
	json_object_set_new(object, "service", text_json(c->service));
	json_object_set_new(object, "action",
		text_json(has_better(c) ? "encrypt"
			  : c->fence	? "fence_in"
					: "close"));
	json_object_set_new(object, "weight", json_integer(c->weight));
	json_object_set_new(object, "reasons", reasons);
	json_object_set_new(object, "sure", text_json(sureness(c)));
	json_object_set_new(object, "session_id", json_integer(c->session_id));
	json_object_set_new(object, "last_seen_us", json_integer(c->last_us));
	json_object_set_new(object, "clients", clients_json(collector, c));
	say_action(c, text, sizeof(text));
	json_object_set_new(object, "advice", text_json(text));
	return object;
}

static bool put_head(const struct collector *collector, bool ascii, FILE *out)
{
	struct fyke_json_buffer buffer = {.ascii = ascii};
	bool good;

	fyke_ports_observed_json(&collector->observed, &buffer);
	good = !buffer.failed;
	if (good)
		fprintf(out,
			"{\n \"observed\": %.*s,\n \"open_ports\": %lld,\n \"left_out\": {\"world\": %lld, "
			"\"half_seen\": %lld},\n \"close\": [",
			(int)buffer.length, buffer.text, (long long)collector->open_ports,
			(long long)collector->elsewhere, (long long)collector->unproven);
	fyke_json_buffer_release(&buffer);
	return good;
}

enum fyke_status fyke_ports_close_json(struct fyke_database *database,
	const struct fyke_ports_options *options, FILE *out, struct fyke_error *error)
{
	struct collector collector = {.options = options,
		.db = fyke_database_handle(database),
		.home = fyke_database_home(database)};
	enum fyke_status status = collect(&collector, database, error);
	bool ascii = fileno(out) >= 0 && isatty(fileno(out)) == 1, good;

	if (status == FYKE_OK) {
		good = put_head(&collector, ascii, out);
		for (size_t i = 0; good && i < collector.count; i++) {
			fputs(i == 0 ? "\n  " : ",\n  ", out);
			good = fyke_json_write(candidate_json(&collector, &collector.list[i]), ascii, out);
		}
		fputs(collector.count > 0 ? "\n ]\n}\n" : "]\n}\n", out);
		if (!good)
			status = fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	}
	release(&collector);
	return status;
}
