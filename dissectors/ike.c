/*
 * IKE, the keys of IPsec: version 1 (RFC 2408), version 2 (RFC 7296), on port 500, or behind a non-ESP marker
 * where NAT is between (RFC 3948). What is encrypted is not read.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/phrase.h"

#include <string.h>

enum {
	VERSION,
	EXCHANGE,
	SIDE,
	INITIATOR_SPI,
	RESPONDER_SPI,
	MESSAGE_ID,
	VENDORS,
	ENCRYPTION,
	NOTIFY,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[VERSION] = {"version", FYKE_TYPE_TEXT, "1.0 or 2.0"},
	[EXCHANGE] = {"exchange", FYKE_TYPE_TEXT, "what the message is part of: IKE_SA_INIT, main mode …"},
	[SIDE] = {"side", FYKE_TYPE_TEXT, "who sent it: client or server"},
	[INITIATOR_SPI] = {"initiator_spi", FYKE_TYPE_TEXT, "the opener's number for the connection, in hex"},
	[RESPONDER_SPI] = {"responder_spi", FYKE_TYPE_TEXT, "the other side's; NULL in the first message"},
	[MESSAGE_ID] = {"message_id", FYKE_TYPE_INTEGER, "number of the message"},
	[VENDORS] = {"vendor_ids", FYKE_TYPE_TEXT, "what the programs say they are, in hex, by commas"},
	[ENCRYPTION] = {"is_encrypted", FYKE_TYPE_BOOLEAN, "1 where the payloads are encrypted"},
	[NOTIFY] = {"notify", FYKE_TYPE_TEXT, "types of notifications in clear text, by commas"},
};
static const struct fyke_table table = {"ike", "Messages that set up IPsec.", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

enum {
	HEADER = 28,
	SPI = 8,
	PAYLOADS_MAX = 32,
	ROWS_MAX = 256, /* of one session */
	FLAG_ENCRYPTED_V1 = 1,
	V1_VENDOR = 13,
	V1_NOTIFY = 11,
	V2_VENDOR = 43,
	V2_NOTIFY = 41,
	V2_ENCRYPTED = 46,
	V2_FRAGMENT = 53,
	V2_FIRST_PAYLOAD = 33,
	V2_LAST_PAYLOAD = 54,
	V1_LAST_PAYLOAD = 33,
};

struct header {
	const uint8_t *initiator, *responder;
	uint8_t next, version, exchange, flags;
	uint32_t message_id, length;
};

static const char *exchange_name(uint8_t version, uint8_t exchange)
{
	static const char *const two[] = {"IKE_SA_INIT", "IKE_AUTH", "CREATE_CHILD_SA", "INFORMATIONAL",
		"IKE_SESSION_RESUME", "GSA_AUTH", "GSA_REGISTRATION", "GSA_REKEY", NULL, "IKE_INTERMEDIATE",
		"IKE_FOLLOWUP_KE"};
	static const char *const one[] = {"none", "base", "main mode", "authentication only",
		"aggressive mode", "informational", "transaction"};

	if (version >> 4 == 2)
		return exchange >= 34 && exchange <= 44 ? two[exchange - 34] : NULL;
	if (exchange < sizeof(one) / sizeof(one[0]))
		return one[exchange];
	return exchange == 32 ? "quick mode" : exchange == 33 ? "new group mode" : NULL;
}

static bool is_zero(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

/* RFC 3948 §2.2: four zero bytes tell IKE from ESP on port 4500. */
static struct fyke_cursor without_marker(const uint8_t *data, size_t length)
{
	return length >= 4 && is_zero(data, 4) ? fyke_cursor(data + 4, length - 4)
					       : fyke_cursor(data, length);
}

static bool read_header(struct fyke_cursor *c, struct header *header, bool cut)
{
	size_t length = fyke_cursor_left(c);

	header->initiator = fyke_cursor_take(c, SPI);
	header->responder = fyke_cursor_take(c, SPI);
	header->next = fyke_cursor_u8(c);
	header->version = fyke_cursor_u8(c);
	header->exchange = fyke_cursor_u8(c);
	header->flags = fyke_cursor_u8(c);
	header->message_id = fyke_cursor_u32(c);
	header->length = fyke_cursor_u32(c);
	if (!fyke_cursor_ok(c) || (header->version != 0x10 && header->version != 0x20) ||
		is_zero(header->initiator, SPI) || exchange_name(header->version, header->exchange) == NULL)
		return false;
	if (header->version == 0x20 ? (header->flags & ~0x38) != 0 : (header->flags & ~0x07) != 0)
		return false;
	return cut ? header->length >= length : header->length == length;
}

static void add_payload(const struct header *header, uint8_t type, struct fyke_cursor *body,
	struct fyke_phrase *vendors, struct fyke_phrase *notify)
{
	bool two = header->version == 0x20;
	size_t length = fyke_cursor_left(body);

	if (type == (two ? V2_VENDOR : V1_VENDOR) && length > 0) {
		fyke_phrase_next(vendors, ",");
		fyke_phrase_hex(vendors, body->at, length);
	} else if (type == (two ? V2_NOTIFY : V1_NOTIFY)) {
		fyke_cursor_skip(body, two ? 2 : 6);
		fyke_phrase_next(notify, ",");
		fyke_phrase_number(notify, fyke_cursor_u16(body));
	}
}

/* A chain of payloads; stops where it turns to what is encrypted. True: it did. */
static bool read_payloads(const struct header *header, struct fyke_cursor *c, struct fyke_phrase *vendors,
	struct fyke_phrase *notify)
{
	uint8_t type = header->next;

	if (header->version == 0x10 && (header->flags & FLAG_ENCRYPTED_V1) != 0)
		return true;
	for (unsigned i = 0; i < PAYLOADS_MAX && type != 0 && fyke_cursor_ok(c); i++) {
		uint8_t next;
		uint16_t length;
		struct fyke_cursor body;

		if (header->version == 0x20 && (type == V2_ENCRYPTED || type == V2_FRAGMENT))
			return true;
		next = fyke_cursor_u8(c);
		fyke_cursor_skip(c, 1);
		length = fyke_cursor_u16(c);
		if (length < 4)
			break;
		body = fyke_cursor_carve(c, (size_t)length - 4);
		if (fyke_cursor_ok(c))
			add_payload(header, type, &body, vendors, notify);
		type = next;
	}
	return false;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	unsigned *rows = fyke_state(dissection);
	struct fyke_cursor c = without_marker(input->data, input->length);
	char text[4][256];
	struct fyke_phrase phrases[4];
	struct header header;
	struct fyke_value values[FIELD_COUNT];

	if (!read_header(&c, &header, input->cut)) /* ESP and keep-alives share port 4500 */
		return input->length == 1 || fyke_port_of(dissection, FYKE_SERVER) == 4500 ? fyke_more(0)
											   : fyke_not_mine();
	if (++*rows > ROWS_MAX)
		return fyke_done();
	for (int i = 0; i < 4; i++)
		phrases[i] = fyke_phrase(text[i], sizeof(text[i]));
	fyke_phrase_hex(&phrases[0], header.initiator, SPI);
	if (!is_zero(header.responder, SPI))
		fyke_phrase_hex(&phrases[1], header.responder, SPI);
	values[ENCRYPTION] = fyke_integer(read_payloads(&header, &c, &phrases[2], &phrases[3]));
	values[VERSION] = fyke_word(header.version == 0x20 ? "2.0" : "1.0");
	values[EXCHANGE] = fyke_word(exchange_name(header.version, header.exchange));
	values[SIDE] = fyke_word(input->side == FYKE_CLIENT ? "client" : "server");
	values[INITIATOR_SPI] = fyke_phrase_value(&phrases[0]);
	values[RESPONDER_SPI] = fyke_phrase_value(&phrases[1]);
	values[MESSAGE_ID] = fyke_integer(header.message_id);
	values[VENDORS] = fyke_phrase_value(&phrases[2]);
	values[NOTIFY] = fyke_phrase_value(&phrases[3]);
	fyke_record(dissection, &table, values);
	return fyke_more(0);
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		struct fyke_cursor c = without_marker(opening->side[side].data, opening->side[side].length);
		struct header header;

		if (opening->side[side].length > 0 && read_header(&c, &header, false))
			return FYKE_YES;
	}
	return opening->on_port ? FYKE_MAYBE : FYKE_NO;
}

static const uint16_t ports[] = {500, 4500, 0};
static const char *const services[] = {"isakmp", "ipsec-nat-t", NULL};

const struct fyke_dissector fyke_dissector_ike = {
	.name = "ike",
	.title = "Internet Key Exchange of IPsec, RFC 2408 and RFC 7296",
	.doc = "Every message of the exchange with what is not encrypted: version, exchange, vendor "
	       "identifiers, "
	       "notifications. Not read: proposals and what is encrypted; ESP on port 4500 is left alone.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.anywhere = true,
	.tables = tables,
	.state_size = sizeof(unsigned),
	.probe = probe,
	.feed = feed,
};
