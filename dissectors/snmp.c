/*
 * SNMP v1, v2c (RFC 3416) and v3 (RFC 3412, 3414) in BER. One row per message. Of v3 the user and, where
 * it is not encrypted, the request; nothing is decrypted.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/asn1.h"
#include "dissectors/shared/phrase.h"

#include <string.h>

enum {
	VARIABLES_ROOM = 2048,
	VALUE_MAX = 128,
	OID_ROOM = 256,
	PDU_FIRST = 0xa0,
	PDU_LAST = 0xa8,
	TRAP_V1 = 0xa4
};

enum {
	VERSION,
	COMMUNITY,
	USER,
	ENGINE_ID,
	ENCRYPTED,
	PDU,
	REQUEST_ID,
	ERROR_STATUS,
	VARIABLES,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[VERSION] = {"version", FYKE_TYPE_TEXT, "1, 2c or 3"},
	[COMMUNITY] = {"community", FYKE_TYPE_TEXT, "of v1 and v2c: *** unless secrets were asked for"},
	[USER] = {"user", FYKE_TYPE_TEXT, "of v3"},
	[ENGINE_ID] = {"engine_id", FYKE_TYPE_TEXT, "of v3: the authoritative engine, in hex"},
	[ENCRYPTED] = {"encrypted", FYKE_TYPE_BOOLEAN, "of v3: its request cannot be read"},
	[PDU] = {"pdu", FYKE_TYPE_TEXT, "get-request, response, trap …"},
	[REQUEST_ID] = {"request_id", FYKE_TYPE_INTEGER, "what a request and its response share"},
	[ERROR_STATUS] = {"error_status", FYKE_TYPE_INTEGER,
		"0 = no error; of get-bulk-request: non-repeaters"},
	[VARIABLES] = {"variables", FYKE_TYPE_TEXT,
		"object identifiers, with =value where there is one, joined by spaces"},
};

static const struct fyke_table table = {"snmp", "one row per message", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct state {
	bool told; /* the community */
};

struct reading {
	struct fyke_dissection *dissection;
	enum fyke_side sender;
	struct fyke_value values[FIELD_COUNT];
	char engine[80], variables[VARIABLES_ROOM];
};

static void say_oid(struct fyke_cursor c, struct fyke_phrase *out)
{
	for (bool first = true; fyke_cursor_left(&c) > 0; first = false) {
		uint64_t arc = 0;
		uint8_t byte;

		do {
			byte = fyke_cursor_u8(&c);
			arc = arc << 7 | (byte & 0x7f);
		} while ((byte & 0x80) != 0 && fyke_cursor_left(&c) > 0 && arc < UINT64_C(1) << 56);
		if (first) {
			fyke_phrase_number(out, arc < 80 ? arc / 40 : 2);
			fyke_phrase_add(out, ".", 1);
			fyke_phrase_number(out, arc < 80 ? arc % 40 : arc - 80);
			continue;
		}
		fyke_phrase_add(out, ".", 1);
		fyke_phrase_number(out, arc);
	}
}

static bool is_text(const struct fyke_cursor *c)
{
	for (const uint8_t *at = c->at; at < c->end; at++) {
		if ((*at < 0x20 && *at != '\n' && *at != '\r' && *at != '\t') || *at == 0x7f)
			return false;
	}
	return true;
}

static void say_number(struct fyke_cursor c, bool is_signed, struct fyke_phrase *out)
{
	bool good = true;
	int64_t number = fyke_asn1_integer(c, &good);

	if (is_signed && good && number < 0) {
		fyke_phrase_add(out, "-", 1);
		number = -number;
	}
	if (good)
		fyke_phrase_number(out, (uint64_t)number);
}

/* RFC 2578 §7.1 */
static void say_value(const struct fyke_asn1 *value, struct fyke_phrase *out)
{
	size_t length = fyke_cursor_left(&value->inside);

	if (value->tag == 0x05 || value->tag >= 0x80)
		return;
	fyke_phrase_add(out, "=", 1);
	if (value->tag == FYKE_ASN1_OID)
		say_oid(value->inside, out);
	else if (value->tag == FYKE_ASN1_INTEGER ||
		 (value->tag >= 0x41 && value->tag <= 0x46 && value->tag != 0x44))
		say_number(value->inside, value->tag == FYKE_ASN1_INTEGER, out);
	else if (value->tag == 0x40 && length == 4)
		fyke_phrase_ipv4(out, value->inside.at);
	else if (is_text(&value->inside))
		fyke_phrase_add(out, value->inside.at, length < VALUE_MAX ? length : VALUE_MAX);
	else
		fyke_phrase_hex(out, value->inside.at, length < VALUE_MAX ? length : VALUE_MAX);
}

/* sysName.0 and sysDescr.0 (RFC 3418) of who answers. */
static void say_fact(struct reading *reading, const struct fyke_phrase *oid, const struct fyke_asn1 *value)
{
	static const char name[] = "1.3.6.1.2.1.1.5.0", description[] = "1.3.6.1.2.1.1.1.0";
	const struct fyke_address *ip = fyke_address_of(reading->dissection, reading->sender);
	size_t length = fyke_cursor_left(&value->inside);

	if (value->tag != FYKE_ASN1_OCTET_STRING || length == 0 || oid->length != sizeof(name) - 1)
		return;
	if (memcmp(oid->text, name, sizeof(name) - 1) == 0)
		fyke_host_says(reading->dissection, ip, FYKE_HOST_NAME, value->inside.at, length, "snmp");
	else if (memcmp(oid->text, description, sizeof(description) - 1) == 0)
		fyke_host_says(reading->dissection, ip, FYKE_HOST_OS, value->inside.at, length, "snmp");
}

static void read_variables(struct reading *reading, struct fyke_cursor c, bool answers)
{
	struct fyke_phrase out = fyke_phrase(reading->variables, sizeof(reading->variables));
	struct fyke_cursor list = fyke_asn1_enter(&c, FYKE_ASN1_SEQUENCE);
	struct fyke_asn1 variable;

	while (!out.cut && fyke_asn1_next(&list, &variable)) {
		struct fyke_asn1 name, value = {.tag = 0x05};
		char text[OID_ROOM];
		struct fyke_phrase oid = fyke_phrase(text, sizeof(text));

		if (variable.tag != FYKE_ASN1_SEQUENCE || !fyke_asn1_next(&variable.inside, &name) ||
			name.tag != FYKE_ASN1_OID)
			break;
		(void)fyke_asn1_next(&variable.inside, &value);
		say_oid(name.inside, &oid);
		fyke_phrase_next(&out, " ");
		fyke_phrase_add(&out, text, oid.length);
		say_value(&value, &out);
		if (answers)
			say_fact(reading, &oid, &value);
	}
	reading->values[VARIABLES] = fyke_phrase_value(&out);
}

static void read_number(struct reading *reading, struct fyke_cursor *c, int field)
{
	bool good = true;
	int64_t number = fyke_asn1_integer(fyke_asn1_enter(c, FYKE_ASN1_INTEGER), &good);

	if (fyke_cursor_ok(c) && good && field >= 0)
		reading->values[field] = fyke_integer(number);
}

static const char *pdu_of(uint8_t tag)
{
	static const char *const names[] = {"get-request", "get-next-request", "response", "set-request",
		"trap", "get-bulk-request", "inform-request", "trap", "report"};

	return tag >= PDU_FIRST && tag <= PDU_LAST ? names[tag - PDU_FIRST] : NULL;
}

static bool read_pdu(struct reading *reading, struct fyke_cursor *c)
{
	struct fyke_asn1 pdu;

	if (!fyke_asn1_next(c, &pdu) || pdu_of(pdu.tag) == NULL)
		return false;
	reading->values[PDU] = fyke_word(pdu_of(pdu.tag));
	if (pdu.tag == TRAP_V1) {
		struct fyke_asn1 skipped;

		for (int i = 0; i < 5; i++) /* enterprise, agent, generic and specific trap, time */
			(void)fyke_asn1_next(&pdu.inside, &skipped);
	} else {
		read_number(reading, &pdu.inside, REQUEST_ID);
		read_number(reading, &pdu.inside, ERROR_STATUS);
		read_number(reading, &pdu.inside, -1);
	}
	read_variables(reading, pdu.inside, pdu.tag == 0xa2);
	return true;
}

static bool read_community(struct reading *reading, struct fyke_cursor *c)
{
	struct state *state = fyke_state(reading->dissection);
	struct fyke_cursor community = fyke_asn1_enter(c, FYKE_ASN1_OCTET_STRING);
	size_t length = fyke_cursor_left(&community);

	if (!fyke_cursor_ok(c))
		return false;
	reading->values[COMMUNITY] =
		fyke_secret(reading->dissection, length > 0 ? community.at : (const uint8_t *)"", length);
	if (!read_pdu(reading, c))
		return false;
	if (!state->told && length > 0)
		fyke_credential(reading->dissection, &(struct fyke_credential){.mechanism = "community",
							     .secret = fyke_bytes(community.at, length)});
	state->told = true;
	return true;
}

/* RFC 3412 §6, RFC 3414 §2.4 */
static bool read_v3(struct reading *reading, struct fyke_cursor *c)
{
	struct fyke_cursor head = fyke_asn1_enter(c, FYKE_ASN1_SEQUENCE);
	struct fyke_cursor outer = fyke_asn1_enter(c, FYKE_ASN1_OCTET_STRING);
	struct fyke_cursor security = fyke_asn1_enter(&outer, FYKE_ASN1_SEQUENCE);
	struct fyke_phrase engine = fyke_phrase(reading->engine, sizeof(reading->engine));
	struct fyke_cursor id, user, flags;
	bool encrypted;

	read_number(reading, &head, REQUEST_ID);
	read_number(reading, &head, -1);
	flags = fyke_asn1_enter(&head, FYKE_ASN1_OCTET_STRING);
	encrypted = (fyke_cursor_u8(&flags) & 2) != 0;
	if (!fyke_cursor_ok(c) || !fyke_cursor_ok(&head))
		return false;
	id = fyke_asn1_enter(&security, FYKE_ASN1_OCTET_STRING);
	read_number(reading, &security, -1);
	read_number(reading, &security, -1);
	user = fyke_asn1_enter(&security, FYKE_ASN1_OCTET_STRING);
	fyke_phrase_hex(&engine, id.at, fyke_cursor_left(&id));
	reading->values[ENGINE_ID] = fyke_phrase_value(&engine);
	if (fyke_cursor_ok(&security) && fyke_cursor_left(&user) > 0)
		reading->values[USER] = fyke_bytes(user.at, fyke_cursor_left(&user));
	reading->values[ENCRYPTED] = fyke_integer(encrypted);
	if (!encrypted) {
		struct fyke_cursor scoped = fyke_asn1_enter(c, FYKE_ASN1_SEQUENCE);
		struct fyke_asn1 skipped;

		(void)fyke_asn1_next(&scoped, &skipped);
		(void)fyke_asn1_next(&scoped, &skipped);
		(void)read_pdu(reading, &scoped);
	}
	return true;
}

static bool version_of(struct fyke_cursor *c, int64_t *version)
{
	bool good = true;

	*version = fyke_asn1_integer(fyke_asn1_enter(c, FYKE_ASN1_INTEGER), &good);
	return fyke_cursor_ok(c) && good && (*version == 0 || *version == 1 || *version == 3);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_cursor c = fyke_cursor(input->data, input->length), message;
	struct reading reading = {.dissection = dissection, .sender = input->side};
	int64_t version;

	message = fyke_asn1_enter(&c, FYKE_ASN1_SEQUENCE);
	if (!version_of(&message, &version))
		return fyke_not_mine();
	reading.values[VERSION] = fyke_word(version == 0 ? "1" : version == 1 ? "2c" : "3");
	if (version == 3 ? !read_v3(&reading, &message) : !read_community(&reading, &message))
		return fyke_not_mine();
	fyke_record(dissection, &table, reading.values);
	return fyke_more(input->length);
}

static bool is_message(const uint8_t *data, size_t length)
{
	struct fyke_cursor c = fyke_cursor(data, length), message;
	struct fyke_asn1 next;
	int64_t version;

	if (length < 2 || data[0] != FYKE_ASN1_SEQUENCE)
		return false;
	message = fyke_asn1_enter(&c, FYKE_ASN1_SEQUENCE);
	if (!fyke_cursor_ok(&c) || !version_of(&message, &version) || !fyke_asn1_next(&message, &next))
		return false;
	if (version == 3)
		return next.tag == FYKE_ASN1_SEQUENCE && fyke_asn1_next(&message, &next) &&
		       next.tag == FYKE_ASN1_OCTET_STRING;
	return next.tag == FYKE_ASN1_OCTET_STRING && fyke_asn1_next(&message, &next) &&
	       pdu_of(next.tag) != NULL;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		if (is_message(opening->side[side].data, opening->side[side].length))
			return FYKE_YES;
	}
	return FYKE_NO;
}

static const uint16_t ports[] = {161, 162, 0};
static const char *const services[] = {"snmp", "snmptrap", NULL};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("\x30")};

const struct fyke_dissector fyke_dissector_snmp = {
	.name = "snmp",
	.title = "Simple Network Management Protocol, RFC 3416 and 3412",
	.doc = "One row per message of v1, v2c and v3; values of at most 128 bytes, of a message at most "
	       "2,048 "
	       "bytes of text. A community is a secret. System name and description become facts about "
	       "hosts.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = 1,
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
};
