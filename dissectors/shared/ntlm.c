/*
 * NTLM messages ([MS-NLMP] §2.2.1): CHALLENGE with the server's names, AUTHENTICATE with the user's. Proofs
 * and responses are not kept. Kerberos AP-REQ (RFC 4120 §5.5.1) as far as the ticket's service.
 */
#include "dissectors/shared/ntlm.h"

#include "dissectors/shared/asn1.h"
#include "dissectors/shared/utf16.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX = 256, UNICODE = 1, VERSION = 0x02000000, TARGET_INFO = 0x00800000, PAIRS_MAX = 32 };

enum {
	USER,
	DOMAIN,
	HOST,
	SUCCESS,
	STATUS,
	NTLM_VERSION,
	SERVER_NAME,
	SERVER_DOMAIN,
	SERVER_DNS,
	SERVER_DNS_DOMAIN,
	SERVER_FOREST,
	SERVER_OS,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[USER] = {"username", FYKE_TYPE_TEXT, "who logs in; empty = anonymous"},
	[DOMAIN] = {"domainname", FYKE_TYPE_TEXT, "the user's domain"},
	[HOST] = {"hostname", FYKE_TYPE_TEXT, "the client's own name"},
	[SUCCESS] = {"success", FYKE_TYPE_BOOLEAN, "the server let the user in"},
	[STATUS] = {"status", FYKE_TYPE_TEXT, "the server's word on it, e.g. STATUS_LOGON_FAILURE"},
	[NTLM_VERSION] = {"ntlm_version", FYKE_TYPE_INTEGER, "1 or 2, by the length of the response"},
	[SERVER_NAME] = {"server_nb_computer_name", FYKE_TYPE_TEXT, "the server's NetBIOS name"},
	[SERVER_DOMAIN] = {"server_nb_domain_name", FYKE_TYPE_TEXT, "the server's NetBIOS domain"},
	[SERVER_DNS] = {"server_dns_computer_name", FYKE_TYPE_TEXT, "the server's DNS name"},
	[SERVER_DNS_DOMAIN] = {"server_dns_domain_name", FYKE_TYPE_TEXT, "the server's DNS domain"},
	[SERVER_FOREST] = {"server_tree_name", FYKE_TYPE_TEXT, "the server's forest"},
	[SERVER_OS] = {"server_os_version", FYKE_TYPE_TEXT,
		"the version of Windows that the server tells: major.minor.build"},
};

const struct fyke_table fyke_table_ntlm = {
	"ntlm", "one row per login by NTLM, in whatever protocol", fields, FIELD_COUNT};

struct message {
	const uint8_t *bytes;
	size_t length;
	uint32_t flags;
};

/* The field whose length, room and offset stand at the cursor ([MS-NLMP] §2.2.1). */
static struct fyke_cursor payload(const struct message *message, struct fyke_cursor *c)
{
	uint16_t length = fyke_cursor_le16(c);
	struct fyke_cursor whole = fyke_cursor(message->bytes, message->length);
	uint32_t offset;

	fyke_cursor_skip(c, 2);
	offset = fyke_cursor_le32(c);
	if (!fyke_cursor_ok(c) || !fyke_cursor_skip(&whole, offset))
		return (struct fyke_cursor){whole.at, whole.at, FYKE_FAULT_SHORT};
	return fyke_cursor_carve(&whole, length);
}

static void keep_text(
	struct fyke_dissection *dissection, struct fyke_text *text, struct fyke_cursor bytes, bool unicode)
{
	char name[NAME_MAX];
	size_t length = fyke_cursor_left(&bytes);

	if (!fyke_cursor_ok(&bytes))
		return;
	if (unicode) {
		length = fyke_utf16_text(bytes.at, length, false, name, sizeof(name));
		fyke_keep(dissection, text, name, length, sizeof(name));
	} else {
		fyke_keep(dissection, text, bytes.at, length, sizeof(name));
	}
}

static void read_pairs(struct fyke_dissection *dissection, struct fyke_ntlm *ntlm, struct fyke_cursor pairs)
{
	struct fyke_text *const places[] = {NULL, &ntlm->server_name, &ntlm->server_domain, &ntlm->server_dns,
		&ntlm->server_dns_domain, &ntlm->server_forest};

	for (int i = 0; i < PAIRS_MAX; i++) {
		uint16_t id = fyke_cursor_le16(&pairs);
		uint16_t length = fyke_cursor_le16(&pairs);
		struct fyke_cursor value = fyke_cursor_carve(&pairs, length);

		if (!fyke_cursor_ok(&pairs) || id == 0)
			return;
		if (id < sizeof(places) / sizeof(places[0]))
			keep_text(dissection, places[id], value, true);
	}
}

static void read_challenge(
	struct fyke_dissection *dissection, struct fyke_ntlm *ntlm, struct message *message)
{
	struct fyke_cursor c = fyke_cursor(message->bytes, message->length), target, info;

	fyke_cursor_skip(&c, 12);
	target = payload(message, &c);
	message->flags = fyke_cursor_le32(&c);
	fyke_cursor_skip(&c, 16);
	if (!fyke_cursor_ok(&c))
		return;
	ntlm->challenged = true;
	keep_text(dissection, &ntlm->server_domain, target, (message->flags & UNICODE) != 0);
	if ((message->flags & TARGET_INFO) != 0) {
		info = payload(message, &c);
		read_pairs(dissection, ntlm, info);
	}
	if ((message->flags & VERSION) != 0 && fyke_cursor_left(&c) >= 8) {
		uint8_t major = fyke_cursor_u8(&c), minor = fyke_cursor_u8(&c);
		char text[32];
		int length = snprintf(text, sizeof(text), "%u.%u.%u", major, minor, fyke_cursor_le16(&c));

		if (major != 0)
			fyke_keep(dissection, &ntlm->server_os, text, (size_t)length, sizeof(text));
	}
}

static void read_authenticate(
	struct fyke_dissection *dissection, struct fyke_ntlm *ntlm, struct message *message)
{
	struct fyke_cursor c = fyke_cursor(message->bytes, message->length), response, domain, user, host;
	struct fyke_cursor flags;
	bool unicode;

	fyke_cursor_skip(&c, 12 + 8);
	response = payload(message, &c);
	domain = payload(message, &c);
	user = payload(message, &c);
	host = payload(message, &c);
	if (!fyke_cursor_ok(&c))
		return;
	flags = c;
	fyke_cursor_skip(&flags, 8);
	message->flags = fyke_cursor_le32(&flags);
	unicode = !fyke_cursor_ok(&flags) || (message->flags & UNICODE) != 0;
	ntlm->authenticated = true;
	ntlm->v1 = fyke_cursor_left(&response) == 24;
	ntlm->null_session = fyke_cursor_left(&response) == 0;
	keep_text(dissection, &ntlm->domain, domain, unicode);
	keep_text(dissection, &ntlm->user, user, unicode);
	keep_text(dissection, &ntlm->host, host, unicode);
}

bool fyke_ntlm_read(
	struct fyke_dissection *dissection, struct fyke_ntlm *ntlm, const uint8_t *blob, size_t length)
{
	const uint8_t *at = length > 0 ? memmem(blob, length, "NTLMSSP", 8) : NULL;
	struct message message;
	struct fyke_cursor c;
	uint32_t type;

	if (at == NULL)
		return false;
	message = (struct message){.bytes = at, .length = length - (size_t)(at - blob)};
	c = fyke_cursor(at, message.length);
	fyke_cursor_skip(&c, 8);
	type = fyke_cursor_le32(&c);
	if (!fyke_cursor_ok(&c) || type < 1 || type > 3)
		return false;
	ntlm->moment = fyke_now(dissection);
	if (type == 2)
		read_challenge(dissection, ntlm, &message);
	else if (type == 3)
		read_authenticate(dissection, ntlm, &message);
	return true;
}

static void tell_host(struct fyke_dissection *dissection, enum fyke_side side, const struct fyke_text *name)
{
	if (name->length > 0)
		fyke_host_says(dissection, fyke_address_of(dissection, side), FYKE_HOST_NAME, name->bytes,
			name->length, "ntlm");
}

static void forget(struct fyke_dissection *dissection, struct fyke_ntlm *ntlm)
{
	struct fyke_text *const texts[] = {&ntlm->user, &ntlm->domain, &ntlm->host, &ntlm->server_name,
		&ntlm->server_domain, &ntlm->server_dns, &ntlm->server_dns_domain, &ntlm->server_forest,
		&ntlm->server_os};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		fyke_drop(dissection, texts[i]);
	*ntlm = (struct fyke_ntlm){0};
}

void fyke_ntlm_tell(
	struct fyke_dissection *dissection, struct fyke_ntlm *ntlm, int accepted, const char *status)
{
	struct fyke_value values[FIELD_COUNT];

	if (!ntlm->challenged && !ntlm->authenticated)
		return;
	values[USER] = fyke_text_of(&ntlm->user);
	values[DOMAIN] = fyke_text_of(&ntlm->domain);
	values[HOST] = fyke_text_of(&ntlm->host);
	values[SUCCESS] = fyke_integer_if(accepted >= 0, accepted);
	values[STATUS] = fyke_word(status);
	values[NTLM_VERSION] = fyke_integer_if(ntlm->authenticated && !ntlm->null_session, ntlm->v1 ? 1 : 2);
	values[SERVER_NAME] = fyke_text_of(&ntlm->server_name);
	values[SERVER_DOMAIN] = fyke_text_of(&ntlm->server_domain);
	values[SERVER_DNS] = fyke_text_of(&ntlm->server_dns);
	values[SERVER_DNS_DOMAIN] = fyke_text_of(&ntlm->server_dns_domain);
	values[SERVER_FOREST] = fyke_text_of(&ntlm->server_forest);
	values[SERVER_OS] = fyke_text_of(&ntlm->server_os);
	fyke_record_at(dissection, &fyke_table_ntlm, ntlm->moment, values);
	tell_host(dissection, FYKE_CLIENT, &ntlm->host);
	tell_host(dissection, FYKE_SERVER,
		ntlm->server_dns.length > 0 ? &ntlm->server_dns : &ntlm->server_name);
	forget(dissection, ntlm);
}

size_t fyke_ntlm_user(const struct fyke_ntlm *ntlm, char *out, size_t room)
{
	int length;

	if (!ntlm->authenticated)
		return 0;
	if (ntlm->user.length == 0)
		length = snprintf(out, room, "anonymous");
	else if (ntlm->domain.length == 0)
		length = snprintf(out, room, "%.*s", (int)ntlm->user.length, ntlm->user.bytes);
	else
		length = snprintf(out, room, "%.*s\\%.*s", (int)ntlm->domain.length, ntlm->domain.bytes,
			(int)ntlm->user.length, ntlm->user.bytes);
	return length < 0 ? 0 : (size_t)length < room ? (size_t)length : room - 1;
}

static size_t join_names(struct fyke_cursor names, char *out, size_t room)
{
	struct fyke_asn1 part;
	size_t used = 0;

	while (fyke_asn1_next(&names, &part)) {
		size_t length = fyke_cursor_left(&part.inside);

		if (used + length + 1 > room)
			break;
		if (used > 0)
			out[used++] = '/';
		if (length > 0)
			memcpy(out + used, part.inside.at, length);
		used += length;
	}
	return used;
}

size_t fyke_principal_text(struct fyke_cursor name, char *out, size_t room)
{
	struct fyke_cursor strings;

	name = fyke_asn1_enter(&name, FYKE_ASN1_SEQUENCE);
	if (!fyke_asn1_find(&name, FYKE_ASN1_CONTEXT_MADE | 1, &strings))
		return 0;
	strings = fyke_asn1_enter(&strings, FYKE_ASN1_SEQUENCE);
	return join_names(strings, out, room);
}

size_t fyke_ticket_service(const uint8_t *blob, size_t length, char *out, size_t room)
{
	static const uint8_t mechanism[] = {
		0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x01, 0x00};
	const uint8_t *at = length > 0 ? memmem(blob, length, mechanism, sizeof(mechanism)) : NULL;
	struct fyke_cursor c, request, ticket, realm, name;
	size_t used;

	if (at == NULL)
		return 0;
	at += sizeof(mechanism);
	c = fyke_cursor(at, length - (size_t)(at - blob));
	request = fyke_asn1_enter(&c, FYKE_ASN1_APPLICATION_MADE | 14);
	request = fyke_asn1_enter(&request, FYKE_ASN1_SEQUENCE);
	if (!fyke_asn1_find(&request, FYKE_ASN1_CONTEXT_MADE | 3, &ticket))
		return 0;
	ticket = fyke_asn1_enter(&ticket, FYKE_ASN1_APPLICATION_MADE | 1);
	ticket = fyke_asn1_enter(&ticket, FYKE_ASN1_SEQUENCE);
	if (!fyke_asn1_find(&ticket, FYKE_ASN1_CONTEXT_MADE | 1, &realm) ||
		!fyke_asn1_find(&ticket, FYKE_ASN1_CONTEXT_MADE | 2, &name))
		return 0;
	used = fyke_principal_text(name, out, room);
	realm = fyke_asn1_enter(&realm, FYKE_ASN1_GENERAL_STRING);
	if (used > 0 && fyke_cursor_left(&realm) > 0 && used + 1 + fyke_cursor_left(&realm) <= room) {
		out[used++] = '@';
		memcpy(out + used, realm.at, fyke_cursor_left(&realm));
		used += fyke_cursor_left(&realm);
	}
	return used;
}
