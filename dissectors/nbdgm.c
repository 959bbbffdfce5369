/*
 * NetBIOS datagrams (RFC 1002 §4.4), and in them the browser protocol (MS-BRWS) that Windows and Samba
 * announce themselves by. One row per datagram; fragments but the first are left out.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/dns.h"

#include <string.h>

enum { NAME_ROOM = 64, SMB_HEADER = 32, COMMENT_MAX = 64 };

enum { KIND, SOURCE, DESTINATION, MAILSLOT, COMMAND, SERVER, SYSTEM, COMMENT, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[KIND] = {"kind", FYKE_TYPE_TEXT, "unique, group, broadcast, error or query"},
	[SOURCE] = {"source", FYKE_TYPE_TEXT, "who sends, as NAME<kind>"},
	[DESTINATION] = {"destination", FYKE_TYPE_TEXT, "to whom"},
	[MAILSLOT] = {"mailslot", FYKE_TYPE_TEXT, "\\MAILSLOT\\BROWSE …"},
	[COMMAND] = {"command", FYKE_TYPE_TEXT, "of the browser: host announcement, election …"},
	[SERVER] = {"server", FYKE_TYPE_TEXT, "who announces itself, or the domain"},
	[SYSTEM] = {"system_version", FYKE_TYPE_TEXT, "its version of Windows, as it says"},
	[COMMENT] = {"comment", FYKE_TYPE_TEXT, "what its owner wrote"},
};

static const struct fyke_table table = {"nbdgm", "one row per datagram", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct message {
	struct fyke_value values[FIELD_COUNT];
	char source[NAME_ROOM], destination[NAME_ROOM], system[16];
	struct fyke_address ip;
};

static struct fyke_value text_of(struct fyke_cursor *c, size_t max)
{
	size_t left = fyke_cursor_left(c), length = left < max ? left : max;
	const uint8_t *end = length > 0 ? memchr(c->at, 0, length) : NULL, *begin = c->at;

	if (end != NULL)
		length = (size_t)(end - begin);
	(void)fyke_cursor_skip(c, length + (end != NULL));
	return length > 0 ? fyke_bytes(begin, length) : fyke_null();
}

/* MS-BRWS §2.2: host and master announcements, and those of a domain. */
static void read_browser(struct message *message, struct fyke_cursor c)
{
	static const char *const commands[] = {NULL, "host announcement", "announcement request", NULL, NULL,
		NULL, NULL, NULL, "election", "get backup list", "backup list", "become backup",
		"domain announcement", "master announcement", "reset", "local master announcement"};
	uint8_t command = fyke_cursor_u8(&c);
	struct fyke_cursor name;
	unsigned major, minor;
	struct fyke_phrase system = fyke_phrase(message->system, sizeof(message->system));

	if (!fyke_cursor_ok(&c) || command >= sizeof(commands) / sizeof(commands[0]) ||
		commands[command] == NULL)
		return;
	message->values[COMMAND] = fyke_word(commands[command]);
	if (command != 1 && command != 12 && command != 15)
		return;
	(void)fyke_cursor_skip(&c, 5); /* updates, period */
	name = fyke_cursor_carve(&c, 16);
	message->values[SERVER] = text_of(&name, 16);
	major = fyke_cursor_u8(&c);
	minor = fyke_cursor_u8(&c);
	(void)fyke_cursor_skip(&c, 8); /* kind of server, version of the browser, signature */
	if (!fyke_cursor_ok(&c))
		return;
	fyke_phrase_number(&system, major);
	fyke_phrase_add(&system, ".", 1);
	fyke_phrase_number(&system, minor);
	if (command != 12) {
		message->values[SYSTEM] = fyke_phrase_value(&system);
		message->values[COMMENT] = text_of(&c, COMMENT_MAX);
	}
}

/* An SMB transaction (MS-CIFS §2.2.4.33): words, then the slot's name, then the data. */
static void read_smb(struct message *message, struct fyke_cursor c)
{
	struct fyke_cursor whole = c, words;
	uint16_t offset;

	if (fyke_cursor_u32(&c) != 0xff534d42 || fyke_cursor_u8(&c) != 0x25)
		return;
	(void)fyke_cursor_skip(&c, SMB_HEADER - 5);
	words = fyke_cursor_carve(&c, fyke_cursor_u8(&c) * (size_t)2);
	(void)fyke_cursor_u16(&c);
	message->values[MAILSLOT] = text_of(&c, NAME_ROOM);
	(void)fyke_cursor_skip(&words, 24);
	offset = fyke_cursor_le16(&words);
	if (!fyke_cursor_ok(&words) || message->values[MAILSLOT].length < 16 ||
		message->values[MAILSLOT].kind != FYKE_VALUE_BYTES ||
		memcmp(message->values[MAILSLOT].bytes, "\\MAILSLOT\\BROWSE", 16) != 0)
		return;
	if (fyke_cursor_skip(&whole, offset))
		read_browser(message, whole);
}

static bool read_name(
	const struct fyke_dns_reader *reader, struct fyke_cursor *c, char *text, struct fyke_value *value)
{
	struct fyke_phrase name = fyke_phrase(text, NAME_ROOM);

	if (!fyke_dns_name(reader, c, &name))
		return false;
	*value = fyke_phrase_value(&name);
	return true;
}

static bool read_message(struct message *message, const uint8_t *data, size_t length)
{
	static const char *const kinds[] = {
		"unique", "group", "broadcast", "error", "query", "query", "query"};
	const struct fyke_dns_reader reader = {.message = data, .length = length, .netbios = true};
	struct fyke_cursor c = fyke_cursor(data, length);
	uint8_t kind = fyke_cursor_u8(&c), flags = fyke_cursor_u8(&c);
	const uint8_t *ip;
	uint16_t port;

	(void)fyke_cursor_u16(&c);
	ip = fyke_cursor_take(&c, 4);
	port = fyke_cursor_u16(&c);
	if (ip == NULL || port != 138 || kind < 0x10 || kind > 0x16 || (flags & 0xf0) != 0)
		return false;
	message->ip = fyke_address_ipv4(ip);
	message->values[KIND] = fyke_word(kinds[kind - 0x10]);
	if (kind == 0x13)
		return fyke_cursor_ok(&c);
	if (kind > 0x13)
		return read_name(&reader, &c, message->destination, &message->values[DESTINATION]);
	(void)fyke_cursor_u16(&c);
	if (fyke_cursor_u16(&c) != 0) /* a later fragment */
		return false;
	if (!read_name(&reader, &c, message->source, &message->values[SOURCE]) ||
		!read_name(&reader, &c, message->destination, &message->values[DESTINATION]))
		return false;
	read_smb(message, c);
	return true;
}

static void say_facts(struct fyke_dissection *dissection, const struct message *message)
{
	const struct fyke_value *name = &message->values[SOURCE], *system = &message->values[SYSTEM];
	char text[32];
	struct fyke_phrase phrase = fyke_phrase(text, sizeof(text));

	if (name->kind == FYKE_VALUE_BYTES && name->length > 4 &&
		(memcmp(name->bytes + name->length - 4, "<00>", 4) == 0 ||
			memcmp(name->bytes + name->length - 4, "<20>", 4) == 0))
		fyke_host_says(
			dissection, &message->ip, FYKE_HOST_NAME, name->bytes, name->length - 4, "nbdgm");
	if (system->kind == FYKE_VALUE_BYTES) {
		fyke_phrase_word(&phrase, "Windows NT ");
		fyke_phrase_add(&phrase, system->bytes, system->length);
		fyke_host_says(dissection, &message->ip, FYKE_HOST_OS, text, phrase.length, "nbdgm");
	}
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct message message = {.values = {{0}}};

	if (!read_message(&message, input->data, input->length))
		return fyke_not_mine();
	fyke_record(dissection, &table, message.values);
	say_facts(dissection, &message);
	return fyke_rest();
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		struct message message = {.values = {{0}}};

		if (opening->side[side].length > 0 &&
			read_message(&message, opening->side[side].data, opening->side[side].length))
			return opening->on_port ? FYKE_LIKELY : FYKE_MAYBE;
	}
	return FYKE_NO;
}

static const uint16_t ports[] = {138, 0};
static const char *const services[] = {"netbios-dgm", NULL};

const struct fyke_dissector fyke_dissector_nbdgm = {
	.name = "nbdgm",
	.title = "NetBIOS datagram service, RFC 1002",
	.doc = "One row per datagram; the announcements of Windows and Samba in them become facts about "
	       "hosts.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.tables = tables,
	.probe = probe,
	.feed = feed,
};
