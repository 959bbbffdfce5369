/* Names of services: a user's file of /etc/services form on top of the IANA registry. */
#include "analyzer/classify/services.h"

#include "analyzer/classify/registry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAME_MAX_LENGTH = 63, LINE_MAX_LENGTH = 1024, ENTRIES_MAX = 4 * 65536 };

struct user_entry {
	uint32_t key; /* transport << 16 | port */
	uint32_t line;
	char name[NAME_MAX_LENGTH + 1];
};

struct fyke_services {
	struct user_entry *entries; /* ascending keys, each once */
	size_t count, room;
	uint16_t first[UINT16_MAX + 1]; /* by port: the first entry of the registry that is not below it */
};

enum { PROTOCOL_UDP = 17 };

static const struct {
	const char *name;
	uint8_t protocol;
	enum fyke_registry_transport transport;
} transports[] = {
	{"tcp", 6, FYKE_REGISTRY_TCP},
	{"udp", 17, FYKE_REGISTRY_UDP},
	{"dccp", 33, FYKE_REGISTRY_DCCP},
	{"sctp", 132, FYKE_REGISTRY_SCTP},
};

enum { TRANSPORT_COUNT = sizeof(transports) / sizeof(transports[0]) };

static enum fyke_registry_transport transport_of(uint8_t protocol)
{
	for (int i = 0; i < TRANSPORT_COUNT; i++) {
		if (transports[i].protocol == protocol)
			return transports[i].transport;
	}
	return 0;
}

static uint32_t key_of(enum fyke_registry_transport transport, uint16_t port)
{
	return (uint32_t)transport << 16 | port;
}

static int compare_entries(const void *a, const void *b)
{
	const struct user_entry *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

static const struct user_entry *find_user(const struct fyke_services *services, uint32_t key)
{
	size_t low = 0, high = services->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (services->entries[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low < services->count && services->entries[low].key == key ? &services->entries[low] : NULL;
}

static void index_registry(struct fyke_services *services)
{
	size_t at = 0;

	for (size_t port = 0; port <= UINT16_MAX; port++) {
		while (at < fyke_registry_count && fyke_registry[at].port < port)
			at++;
		services->first[port] = (uint16_t)at;
	}
}

static const struct fyke_registry_entry *find_registered(
	const struct fyke_services *services, enum fyke_registry_transport transport, uint16_t port)
{
	for (size_t at = services->first[port]; at < fyke_registry_count && fyke_registry[at].port == port;
		at++) {
		if ((fyke_registry[at].transports & transport) != 0)
			return &fyke_registry[at];
	}
	return NULL;
}

static struct user_entry *new_entry(struct fyke_services *services)
{
	if (services->count == services->room) {
		size_t room = services->room == 0 ? 64 : 2 * services->room;
		struct user_entry *entries = realloc(services->entries, room * sizeof(*entries));

		if (entries == NULL)
			return NULL;
		services->entries = entries;
		services->room = room;
	}
	return &services->entries[services->count++];
}

/* "443/tcp" → its key. */
static bool parse_port(const char *text, uint32_t *key)
{
	unsigned long port = 0;
	const char *c = text;

	for (; *c >= '0' && *c <= '9'; c++) {
		port = port * 10 + (unsigned long)(*c - '0');
		if (port > UINT16_MAX)
			return false;
	}
	if (c == text || *c != '/')
		return false;
	for (int i = 0; i < TRANSPORT_COUNT; i++) {
		if (strcasecmp(c + 1, transports[i].name) == 0) {
			*key = key_of(transports[i].transport, (uint16_t)port);
			return true;
		}
	}
	return false;
}

static bool name_is_plain(const char *name)
{
	if (strlen(name) > NAME_MAX_LENGTH)
		return false;
	for (; *name != '\0'; name++) {
		if (*name <= ' ' || *name > '~')
			return false;
	}
	return true;
}

/* Returns NULL, or what is wrong with the line (cut into words in place). */
static const char *read_line(struct fyke_services *services, char *line, uint32_t number)
{
	static const char blanks[] = " \t\r\n\v\f";
	char *comment = strchr(line, '#'), *rest, *name, *port;
	struct user_entry *entry;
	uint32_t key;

	if (comment != NULL)
		*comment = '\0';
	name = strtok_r(line, blanks, &rest);
	if (name == NULL)
		return NULL;
	port = strtok_r(NULL, blanks, &rest);
	if (port == NULL)
		return "a name without a port: NAME PORT/TRANSPORT is expected";
	if (!parse_port(port, &key))
		return "the port is not a number up to 65535 with /tcp, /udp, /sctp or /dccp";
	if (!name_is_plain(name))
		return "the name is longer than 63 characters or not printable ASCII";
	if (services->count >= ENTRIES_MAX)
		return "more entries than there are ports";
	entry = new_entry(services);
	if (entry == NULL)
		return "out of memory";
	*entry = (struct user_entry){.key = key, .line = number};
	memcpy(entry->name, name, strlen(name));
	return NULL;
}

/* Of several entries for one port the last line counts. */
static void sort_entries(struct fyke_services *services)
{
	size_t kept = 0;

	if (services->count == 0)
		return;
	qsort(services->entries, services->count, sizeof(services->entries[0]), compare_entries);
	for (size_t i = 1; i < services->count; i++) {
		if (services->entries[i].key != services->entries[kept].key)
			kept++;
		services->entries[kept] = services->entries[i];
	}
	services->count = kept + 1;
}

static enum fyke_status read_lines(
	struct fyke_services *services, FILE *file, const char *name, struct fyke_error *error)
{
	char line[LINE_MAX_LENGTH];

	for (uint32_t number = 1; fgets(line, sizeof(line), file) != NULL; number++) {
		const char *fault =
			strchr(line, '\n') == NULL && !feof(file) ? "longer than 1,022 characters" : NULL;

		if (fault == NULL)
			fault = read_line(services, line, number);
		if (fault != NULL)
			return fyke_error_set(
				error, FYKE_FAILED_USAGE, "%s, line %u: %s", name, number, fault);
	}
	if (ferror(file))
		return fyke_error_set(
			error, FYKE_FAILED_IO, "cannot read the services file %s: %s", name, strerror(errno));
	sort_entries(services);
	return FYKE_OK;
}

static enum fyke_status read_file(struct fyke_services *services, const char *name, struct fyke_error *error)
{
	FILE *file = fopen(name, "re");
	enum fyke_status status;

	if (file == NULL)
		return fyke_error_set(error, errno == EACCES ? FYKE_FAILED_PERMISSION : FYKE_FAILED_IO,
			"cannot open the services file %s: %s", name, strerror(errno));
	status = read_lines(services, file, name, error);
	fclose(file);
	return status;
}

enum fyke_status fyke_services_new(
	const char *file, struct fyke_services **services, struct fyke_error *error)
{
	struct fyke_services *made = calloc(1, sizeof(*made));
	enum fyke_status status = FYKE_OK;

	*services = NULL;
	if (made == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	index_registry(made);
	if (file != NULL)
		status = read_file(made, file, error);
	if (status == FYKE_OK)
		*services = made;
	else
		fyke_services_free(made);
	return status;
}

void fyke_services_free(struct fyke_services *services)
{
	if (services == NULL)
		return;
	free(services->entries);
	free(services);
}

const char *fyke_services_name(const struct fyke_services *services, uint8_t protocol, uint16_t port)
{
	enum fyke_registry_transport transport = transport_of(protocol);
	const struct user_entry *user;
	const struct fyke_registry_entry *registered;

	if (transport == 0)
		return NULL;
	user = find_user(services, key_of(transport, port));
	if (user != NULL)
		return user->name;
	registered = find_registered(services, transport, port);
	return registered == NULL ? NULL : registered->name;
}

const char *fyke_services_description(const struct fyke_services *services, uint8_t protocol, uint16_t port)
{
	enum fyke_registry_transport transport = transport_of(protocol);
	const struct fyke_registry_entry *registered;

	/* The registry's words are about the registry's service, not about the user's. */
	if (transport == 0 || find_user(services, key_of(transport, port)) != NULL)
		return NULL;
	registered = find_registered(services, transport, port);
	return registered == NULL ? NULL : registered->description;
}

/* The ports below 1024 that clients ask from: DHCP's and DHCPv6's (RFC 2131 §4.1, RFC 8415 §7.2). */
static bool is_client_port(uint8_t protocol, uint16_t port)
{
	return protocol == PROTOCOL_UDP && (port == 68 || port == 546);
}

bool fyke_services_is_server(const struct fyke_services *services, uint8_t protocol, uint16_t port)
{
	enum fyke_registry_transport transport = transport_of(protocol);

	if (transport == 0)
		return false;
	return (port < 1024 && !is_client_port(protocol, port)) ||
	       fyke_server_port_declared(transport, port) ||
	       find_user(services, key_of(transport, port)) != NULL;
}
