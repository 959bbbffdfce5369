/*
 * DHCP and BOOTP (RFC 2131, options RFC 2132, 3046, 3442, 4702). What the messages of one transaction say
 * in one session becomes one row; client and server mostly speak in two sessions (broadcast), so there are
 * rows of both. Of interleaved transactions each change begins a new row.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/phrase.h"

#include <string.h>

enum {
	FIXED = 236,
	COOKIE = 0x63825363,
	HARDWARE_MAX = 16,
	TEXT_MAX = 255,
	OPTIONS_MAX = 512

};

enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM };

enum {
	TRANSACTION,
	MESSAGE_TYPES,
	CLIENT_MAC,
	CLIENT_ID,
	HOST_NAME,
	CLIENT_FQDN,
	VENDOR_CLASS,
	USER_CLASS,
	PARAMETERS,
	CURRENT_IP,
	REQUESTED_IP,
	ASSIGNED_IP,
	DHCP_SERVER,
	NEXT_SERVER,
	RELAY_IP,
	RELAY_CIRCUIT,
	SUBNET_MASK,
	ROUTERS,
	DNS_SERVERS,
	DOMAIN,
	NTP_SERVERS,
	BOOT_FILE,
	LEASE_SECONDS,
	MESSAGE,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[TRANSACTION] = {"transaction", FYKE_TYPE_INTEGER, "the id that its messages share (xid)"},
	[MESSAGE_TYPES] = {"message_types", FYKE_TYPE_TEXT, "its messages in order: DISCOVER, OFFER …"},
	[CLIENT_MAC] = {"client_hardware", FYKE_TYPE_TEXT, "the client's hardware address, as it says"},
	[CLIENT_ID] = {"client_id", FYKE_TYPE_TEXT,
		"the client identifier, in hex; a plain hardware address as such"},
	[HOST_NAME] = {"host_name", FYKE_TYPE_TEXT, "the client's name"},
	[CLIENT_FQDN] = {"client_fqdn", FYKE_TYPE_TEXT, "the client's full name (option 81)"},
	[VENDOR_CLASS] = {"vendor_class", FYKE_TYPE_TEXT, "what the client is: MSFT 5.0, android-dhcp-13 …"},
	[USER_CLASS] = {"user_class", FYKE_TYPE_TEXT, "the user class (option 77)"},
	[PARAMETERS] = {"parameters", FYKE_TYPE_TEXT, "the options that the client asks for, in its order"},
	[CURRENT_IP] = {"current_ip", FYKE_TYPE_TEXT, "the address that the client has (ciaddr)"},
	[REQUESTED_IP] = {"requested_ip", FYKE_TYPE_TEXT, "the address that it asks for"},
	[ASSIGNED_IP] = {"assigned_ip", FYKE_TYPE_TEXT, "the address that it is given (yiaddr)"},
	[DHCP_SERVER] = {"dhcp_server", FYKE_TYPE_TEXT, "the server, as it names itself"},
	[NEXT_SERVER] = {"next_server", FYKE_TYPE_TEXT, "the server to boot from (siaddr)"},
	[RELAY_IP] = {"relay_ip", FYKE_TYPE_TEXT, "the relay between them (giaddr)"},
	[RELAY_CIRCUIT] = {"relay_circuit", FYKE_TYPE_TEXT, "the circuit that the relay names, in hex"},
	[SUBNET_MASK] = {"subnet_mask", FYKE_TYPE_TEXT, "the network's mask"},
	[ROUTERS] = {"routers", FYKE_TYPE_TEXT, "routers, joined by commas"},
	[DNS_SERVERS] = {"dns_servers", FYKE_TYPE_TEXT, "DNS servers, joined by commas"},
	[DOMAIN] = {"domain", FYKE_TYPE_TEXT, "the network's domain"},
	[NTP_SERVERS] = {"ntp_servers", FYKE_TYPE_TEXT, "NTP servers, joined by commas"},
	[BOOT_FILE] = {"boot_file", FYKE_TYPE_TEXT, "the file to boot from"},
	[LEASE_SECONDS] = {"lease_seconds", FYKE_TYPE_INTEGER, "how long the address may be kept"},
	[MESSAGE] = {"message", FYKE_TYPE_TEXT, "the server's words (option 56)"},
};

static const struct fyke_table table = {"dhcp", "one row per transaction and session", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct state {
	bool busy; /* there is a transaction */
	struct fyke_moment at;
	uint32_t transaction, lease;
	bool has_lease;
	struct fyke_text text[FIELD_COUNT]; /* unused where the field is a number */
};

/* One message, as far as it is more than text. */
struct message {
	struct fyke_dissection *dissection;
	struct state *state;
	uint8_t type, op, overload;
	const uint8_t *hardware, *current, *assigned, *requested;
	uint8_t hardware_length;
};

static void set(struct message *message, int field, const void *bytes, size_t length)
{
	if (length > 0)
		fyke_keep(message->dissection, &message->state->text[field], bytes, length, TEXT_MAX);
}

/* Text is often padded with zeros. */
static void set_text(struct message *message, int field, const uint8_t *bytes, size_t length)
{
	const uint8_t *end = length > 0 ? memchr(bytes, 0, length) : NULL;

	set(message, field, bytes, end != NULL ? (size_t)(end - bytes) : length);
}

static void set_addresses(struct message *message, int field, const uint8_t *bytes, size_t length)
{
	char text[TEXT_MAX];
	struct fyke_phrase phrase = fyke_phrase(text, sizeof(text));

	for (size_t i = 0; i + 4 <= length; i += 4) {
		fyke_phrase_next(&phrase, ",");
		fyke_phrase_ipv4(&phrase, bytes + i);
	}
	set(message, field, text, phrase.length);
}

static void set_address(struct message *message, int field, const uint8_t *bytes)
{
	if (memcmp(bytes, "\0\0\0\0", 4) != 0)
		set_addresses(message, field, bytes, 4);
}

static void set_numbers(struct message *message, int field, const uint8_t *bytes, size_t length)
{
	char text[TEXT_MAX * 4];
	struct fyke_phrase phrase = fyke_phrase(text, sizeof(text));

	for (size_t i = 0; i < length; i++) {
		fyke_phrase_next(&phrase, ",");
		fyke_phrase_number(&phrase, bytes[i]);
	}
	fyke_keep(message->dissection, &message->state->text[field], text, phrase.length, sizeof(text));
}

static void set_octets(struct message *message, int field, const uint8_t *bytes, size_t length)
{
	char text[TEXT_MAX];
	struct fyke_phrase phrase = fyke_phrase(text, sizeof(text));

	fyke_phrase_octets(&phrase, bytes, length);
	set(message, field, text, phrase.length);
}

static void add_type(struct message *message, const char *word)
{
	struct fyke_text *types = &message->state->text[MESSAGE_TYPES];

	if (fyke_text_is_set(types))
		fyke_append(message->dissection, types, ",", 1, TEXT_MAX);
	fyke_append(message->dissection, types, word, __builtin_strlen(word), TEXT_MAX);
}

/* RFC 4702 §2: flags, two codes, the name as text or as labels. */
static void set_fqdn(struct message *message, const uint8_t *bytes, size_t length)
{
	struct fyke_cursor c = fyke_cursor(bytes, length);
	bool labels = (fyke_cursor_u8(&c) & 4) != 0;
	char text[TEXT_MAX];
	struct fyke_phrase phrase = fyke_phrase(text, sizeof(text));

	(void)fyke_cursor_u16(&c);
	if (!labels) {
		set_text(message, CLIENT_FQDN, c.at, fyke_cursor_left(&c));
		return;
	}
	while (fyke_cursor_left(&c) > 0) {
		size_t size = fyke_cursor_u8(&c);
		const uint8_t *label = fyke_cursor_take(&c, size);

		if (label == NULL || size == 0)
			break;
		fyke_phrase_next(&phrase, ".");
		fyke_phrase_add(&phrase, label, size);
	}
	set(message, CLIENT_FQDN, text, phrase.length);
}

/* RFC 3046: sub-option 1 is the circuit. */
static void set_circuit(struct message *message, const uint8_t *bytes, size_t length)
{
	struct fyke_cursor c = fyke_cursor(bytes, length);

	while (fyke_cursor_left(&c) > 2) {
		uint8_t code = fyke_cursor_u8(&c);
		size_t size = fyke_cursor_u8(&c);
		const uint8_t *value = fyke_cursor_take(&c, size);

		if (value == NULL)
			return;
		if (code == 1)
			set_octets(message, RELAY_CIRCUIT, value, size);
	}
}

static void set_client_id(struct message *message, const uint8_t *bytes, size_t length)
{
	/* type 1: Ethernet */
	if (length == 7 && bytes[0] == 1)
		set_octets(message, CLIENT_ID, bytes + 1, 6);
	else
		set_octets(message, CLIENT_ID, bytes, length);
}

static void read_number_option(struct message *message, uint8_t code, const uint8_t *bytes, size_t length)
{
	struct fyke_cursor c = fyke_cursor(bytes, length);

	if (code == 51 && length == 4) {
		message->state->lease = fyke_cursor_u32(&c);
		message->state->has_lease = true;
	} else if (code == 52 && length == 1) {
		message->overload = bytes[0];
	} else if (code == 53 && length == 1) {
		message->type = bytes[0];
	} else if (code == 50 && length == 4) {
		message->requested = bytes;
		set_address(message, REQUESTED_IP, bytes);
	}
}

static void read_option(struct message *message, uint8_t code, const uint8_t *bytes, size_t length)
{
	static const struct {
		uint8_t code, field;
		void (*set)(struct message *message, int field, const uint8_t *bytes, size_t length);
	} plain[] = {
		{1, SUBNET_MASK, set_addresses},
		{3, ROUTERS, set_addresses},
		{6, DNS_SERVERS, set_addresses},
		{12, HOST_NAME, set_text},
		{15, DOMAIN, set_text},
		{42, NTP_SERVERS, set_addresses},
		{54, DHCP_SERVER, set_addresses},
		{55, PARAMETERS, set_numbers},
		{56, MESSAGE, set_text},
		{60, VENDOR_CLASS, set_text},
		{67, BOOT_FILE, set_text},
		{77, USER_CLASS, set_text},
	};

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (plain[i].code == code) {
			plain[i].set(message, plain[i].field, bytes, length);
			return;
		}
	}
	if (code == 61)
		set_client_id(message, bytes, length);
	else if (code == 81)
		set_fqdn(message, bytes, length);
	else if (code == 82)
		set_circuit(message, bytes, length);
	else
		read_number_option(message, code, bytes, length);
}

static void read_options(struct message *message, struct fyke_cursor c)
{
	for (int i = 0; i < OPTIONS_MAX && fyke_cursor_left(&c) > 0; i++) {
		uint8_t code = fyke_cursor_u8(&c);
		size_t length;
		const uint8_t *bytes;

		if (code == 0)
			continue;
		if (code == 255)
			return;
		length = fyke_cursor_u8(&c);
		bytes = fyke_cursor_take(&c, length);
		if (bytes == NULL)
			return;
		if (length > 0)
			read_option(message, code, bytes, length);
	}
}

/* ---- rows and facts ---- */

static void tell(struct fyke_dissection *dissection, struct state *state)
{
	struct fyke_value values[FIELD_COUNT];

	if (!state->busy)
		return;
	for (int i = 0; i < FIELD_COUNT; i++)
		values[i] = fyke_text_of(&state->text[i]);
	values[TRANSACTION] = fyke_integer(state->transaction);
	values[LEASE_SECONDS] = fyke_integer_if(state->has_lease, state->lease);
	fyke_record_at(dissection, &table, state->at, values);
	for (int i = 0; i < FIELD_COUNT; i++)
		fyke_drop(dissection, &state->text[i]);
	*state = (struct state){.busy = false};
}

static const char *system_of(const struct fyke_text *class)
{
	static const struct {
		const char *begins, *system;
	} known[] = {{"MSFT ", "Windows"}, {"android-dhcp", "Android"}, {"udhcp", "Linux"}, {"dhcpcd", NULL}};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t length = __builtin_strlen(known[i].begins);

		if (class->length >= length && memcmp(class->bytes, known[i].begins, length) == 0)
			return known[i].system;
	}
	return NULL;
}

/* The address that the message is about: given, had, or asked for. */
static const uint8_t *address_of(const struct message *message)
{
	if (message->type == ACK && message->assigned != NULL)
		return message->assigned;
	if (message->current != NULL)
		return message->current;
	return message->type == REQUEST ? message->requested : NULL;
}

static void say_facts(struct message *message)
{
	const struct state *state = message->state;
	const struct fyke_text *name = &state->text[HOST_NAME], *class = &state->text[VENDOR_CLASS];
	const uint8_t *bytes = address_of(message);
	const char *system = fyke_text_is_set(class) ? system_of(class) : NULL;
	struct fyke_address ip;

	if (bytes == NULL || memcmp(bytes, "\0\0\0\0", 4) == 0)
		return;
	ip = fyke_address_ipv4(bytes);
	if (!fyke_text_is_set(name))
		name = &state->text[CLIENT_FQDN];
	if (fyke_text_is_set(name))
		fyke_host_says(message->dissection, &ip, FYKE_HOST_NAME, name->bytes, name->length, "dhcp");
	if (message->hardware_length == 6) {
		char text[FYKE_MAC_TEXT];

		fyke_mac_text(message->hardware, text);
		fyke_host_says(message->dissection, &ip, FYKE_HOST_MAC, text, FYKE_MAC_TEXT - 1, "dhcp");
	}
	if (system != NULL)
		fyke_host_says(
			message->dissection, &ip, FYKE_HOST_OS, system, __builtin_strlen(system), "dhcp");
}

static void name_type(struct message *message)
{
	static const char *const types[] = {NULL, "DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK",
		"RELEASE", "INFORM", "FORCERENEW", "LEASEQUERY", "LEASEUNASSIGNED", "LEASEUNKNOWN",
		"LEASEACTIVE"};

	if (message->type == 0)
		add_type(message, message->op == 1 ? "BOOTREQUEST" : "BOOTREPLY");
	else
		add_type(message,
			message->type < sizeof(types) / sizeof(types[0]) ? types[message->type] : "UNKNOWN");
}

/* ---- messages ---- */

static bool begin(struct fyke_cursor *c, struct message *message, uint32_t *transaction)
{
	uint8_t type;

	message->op = fyke_cursor_u8(c);
	type = fyke_cursor_u8(c);
	message->hardware_length = fyke_cursor_u8(c);
	(void)fyke_cursor_u8(c);
	*transaction = fyke_cursor_u32(c);
	(void)fyke_cursor_u16(c);
	/* of the flags only the first is not reserved, and an Ethernet address has six bytes (or is not told)
	 */
	return (fyke_cursor_u16(c) & 0x7fff) == 0 && fyke_cursor_ok(c) &&
	       (message->op == 1 || message->op == 2) && type != 0 &&
	       message->hardware_length <= HARDWARE_MAX &&
	       (type != 1 || message->hardware_length == 6 || message->hardware_length == 0);
}

static void read_addresses(struct fyke_cursor *c, struct message *message)
{
	const uint8_t *next, *relay;

	message->current = fyke_cursor_take(c, 4);
	message->assigned = fyke_cursor_take(c, 4);
	next = fyke_cursor_take(c, 4);
	relay = fyke_cursor_take(c, 4);
	message->hardware = fyke_cursor_take(c, HARDWARE_MAX);
	if (message->hardware == NULL) {
		message->hardware_length = 0;
		return;
	}
	set_address(message, CURRENT_IP, message->current);
	set_address(message, ASSIGNED_IP, message->assigned);
	set_address(message, NEXT_SERVER, next);
	set_address(message, RELAY_IP, relay);
	set_octets(message, CLIENT_MAC, message->hardware, message->hardware_length);
	if (memcmp(message->current, "\0\0\0\0", 4) == 0)
		message->current = NULL;
}

/* RFC 2132 §9.3: options may go on in the fields of the file, then of the server's name. */
static void read_rest(struct fyke_cursor *c, struct message *message)
{
	struct fyke_cursor server = fyke_cursor_carve(c, 64), file = fyke_cursor_carve(c, 128);

	if (fyke_cursor_u32(c) == COOKIE)
		read_options(message, *c);
	if ((message->overload & 1) != 0)
		read_options(message, file);
	else
		set_text(message, BOOT_FILE, file.at, fyke_cursor_left(&file));
	if ((message->overload & 2) != 0)
		read_options(message, server);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct message message = {.dissection = dissection, .state = state};
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	uint32_t transaction;

	if (!begin(&c, &message, &transaction) || (!input->cut && input->length < FIXED))
		return fyke_not_mine();
	if (state->busy && state->transaction != transaction)
		tell(dissection, state);
	if (!state->busy) {
		*state = (struct state){.busy = true, .transaction = transaction, .at = fyke_now(dissection)};
		fyke_confirm(dissection);
	}
	read_addresses(&c, &message);
	read_rest(&c, &message);
	name_type(&message);
	say_facts(&message);
	if (message.type != ACK && message.type != NAK && message.type != RELEASE)
		return fyke_more(input->length);
	tell(dissection, state);
	return fyke_rest();
}

static void end(struct fyke_dissection *dissection)
{
	tell(dissection, fyke_state(dissection));
}

static enum fyke_match probe_one(const uint8_t *data, size_t length)
{
	struct fyke_cursor c = fyke_cursor(data, length);
	struct message message = {.type = 0};
	uint32_t transaction;

	if (length < FIXED || !begin(&c, &message, &transaction))
		return FYKE_NO;
	c = fyke_cursor(data + FIXED, length - FIXED);
	return fyke_cursor_u32(&c) == COOKIE ? FYKE_YES : FYKE_MAYBE;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	enum fyke_match match = FYKE_NO;

	for (int side = 0; side < 2 && match != FYKE_YES; side++) {
		if (opening->side[side].length > 0) {
			enum fyke_match one = probe_one(opening->side[side].data, opening->side[side].length);

			match = one > match ? one : match;
		}
	}
	return match;
}

static const uint16_t ports[] = {67, 68, 4011, 0};
static const char *const services[] = {"bootps", "bootpc", "altserviceboot", NULL};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("\1\1\6"), FYKE_EITHER_SAYS("\2\1\6")};

const struct fyke_dissector fyke_dissector_dhcp = {
	.name = "dhcp",
	.title = "Dynamic Host Configuration Protocol, RFC 2131",
	.doc = "What client and server say of a lease. They mostly speak in two sessions (one of them to the "
	       "broadcast address), each with rows of its own; `transaction` joins them. The client's name, "
	       "hardware address and system become facts about the address that it asks for or is given.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = sizeof(signatures) / sizeof(signatures[0]),
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
	.end = end,
};
