/* What records say of hosts: the names that addresses have. */
#include "dissectors/shared/dns_talk.h"

#include <string.h>

enum { TYPE_A = 1, TYPE_PTR = 12, TYPE_AAAA = 28, TYPE_NB = 32, TYPE_NBSTAT = 33 };

static void say_address(struct fyke_dissection *dissection, const struct fyke_dns_kind *kind,
	const struct fyke_dns_record *record, struct fyke_value name)
{
	struct fyke_cursor c = record->data;
	const size_t size = record->type == TYPE_A ? 4 : 16;
	const uint8_t *bytes = fyke_cursor_take(&c, size);
	struct fyke_address ip;

	if (bytes == NULL || fyke_cursor_left(&c) > 0)
		return;
	ip = size == 4 ? fyke_address_ipv4(bytes) : fyke_address_ipv6(bytes);
	fyke_host_says(dissection, &ip, FYKE_HOST_NAME, name.bytes, name.length, kind->protocol);
}

static void say_pointer(struct fyke_dissection *dissection, const struct fyke_dns_kind *kind,
	const struct fyke_dns_reader *reader, const struct fyke_dns_record *record)
{
	char text[FYKE_DNS_NAME_ROOM];
	struct fyke_phrase name = fyke_phrase(text, sizeof(text));
	struct fyke_cursor c = record->data;
	struct fyke_address ip;

	if (fyke_dns_reverse(record->owner, record->owner_length, &ip) && fyke_dns_name(reader, &c, &name))
		fyke_host_says(dissection, &ip, FYKE_HOST_NAME, text, name.length, kind->protocol);
}

/* "NAME<00>" and "NAME<20>" are a computer's, where they are no group's. */
static size_t computer_name(const char *name, size_t length)
{
	if (length < 5 || name[length - 4] != '<' ||
		(memcmp(name + length - 4, "<00>", 4) != 0 && memcmp(name + length - 4, "<20>", 4) != 0))
		return 0;
	return length - 4;
}

static void say_netbios(
	struct fyke_dissection *dissection, const struct fyke_dns_record *record, struct fyke_value name)
{
	struct fyke_cursor c = record->data;
	bool group = fyke_cursor_u16(&c) >> 15 != 0;
	const uint8_t *bytes = fyke_cursor_take(&c, 4);
	size_t length = name.kind == FYKE_VALUE_BYTES ? computer_name(name.bytes, name.length) : 0;
	struct fyke_address ip;

	if (bytes == NULL || group || length == 0 || memcmp(bytes, "\0\0\0\0", 4) == 0)
		return;
	ip = fyke_address_ipv4(bytes);
	fyke_host_says(dissection, &ip, FYKE_HOST_NAME, name.bytes, length, "nbns");
}

/* RFC 1002 §4.2.18: the sender's own names, and its hardware address. */
static void say_status(
	struct fyke_dissection *dissection, const struct fyke_dns_record *record, enum fyke_side sender)
{
	const struct fyke_address *ip = fyke_address_of(dissection, sender);
	struct fyke_cursor c = record->data;
	unsigned count = fyke_cursor_u8(&c);
	bool told = false;
	const uint8_t *mac;
	char text[FYKE_MAC_TEXT];

	for (unsigned i = 0; i < count; i++) {
		const uint8_t *name = fyke_cursor_take(&c, 18);
		size_t end = 15;

		if (name == NULL)
			return;
		while (end > 0 && (name[end - 1] == ' ' || name[end - 1] == 0))
			end--;
		if (!told && end > 0 && name[15] == 0 && (name[16] & 0x80) == 0) {
			fyke_host_says(dissection, ip, FYKE_HOST_NAME, name, end, "nbns");
			told = true;
		}
	}
	mac = fyke_cursor_take(&c, 6);
	if (mac == NULL || memcmp(mac, "\0\0\0\0\0\0", 6) == 0)
		return;
	fyke_mac_text(mac, text);
	fyke_host_says(dissection, ip, FYKE_HOST_MAC, text, FYKE_MAC_TEXT - 1, "nbns");
}

void fyke_dns_facts(struct fyke_dissection *dissection, const struct fyke_dns_kind *kind,
	const struct fyke_dns_reader *reader, const struct fyke_dns_record *record, enum fyke_side sender,
	struct fyke_value name)
{
	unsigned opcode = fyke_dns_opcode(reader);
	/* Registrations and refreshes claim a name; a query or a release does not. */
	bool claims = fyke_dns_is_response(reader) || opcode == 5 || opcode >= 8;

	if (kind->netbios) {
		if (record->type == TYPE_NB && claims && (reader->flags & 15) == 0 && opcode != 6)
			say_netbios(dissection, record, name);
		else if (record->type == TYPE_NBSTAT && fyke_dns_is_response(reader))
			say_status(dissection, record, sender);
		return;
	}
	/* The root stands for nobody. */
	if ((record->type == TYPE_A || record->type == TYPE_AAAA) && record->section == FYKE_DNS_ANSWER &&
		name.kind == FYKE_VALUE_BYTES && !(name.length == 1 && name.bytes[0] == '.'))
		say_address(dissection, kind, record, name);
	else if (record->type == TYPE_PTR && record->section == FYKE_DNS_ANSWER)
		say_pointer(dissection, kind, reader, record);
	else if (kind->lone && (record->type == TYPE_A || record->type == TYPE_AAAA))
		say_address(dissection, kind, record, name); /* mDNS tells addresses along with services */
}
