/*
 * DNP3 (IEEE 1815): application requests and responses of stations, over TCP and UDP. Link frames carry
 * checksums, which are what it is recognised by. Objects are not read.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/phrase.h"

enum { SOURCE, DESTINATION, FROM_MASTER, FUNCTION_CODE, FUNCTION, INDICATIONS, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[SOURCE] = {"source", FYKE_TYPE_INTEGER, "address of the sending station"},
	[DESTINATION] = {"destination", FYKE_TYPE_INTEGER, "address of the receiving station"},
	[FROM_MASTER] = {"from_master", FYKE_TYPE_BOOLEAN, "1 where the master sent it"},
	[FUNCTION_CODE] = {"function_code", FYKE_TYPE_INTEGER, "of the application layer"},
	[FUNCTION] = {"function", FYKE_TYPE_TEXT, "its name"},
	[INDICATIONS] = {"indications", FYKE_TYPE_INTEGER,
		"of a response: internal indications as one number"},
};
static const struct fyke_table table = {
	"dnp3", "Application messages of DNP3 stations.", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

enum {
	HEADER = 10,
	BLOCK = 16,
	CRC = 2,
	LENGTH_MIN = 5,
	POLYNOMIAL = 0xa6bc,
	ROWS_MAX = 10000,
	USER_DATA_CONFIRMED = 3,
	USER_DATA = 4,
	FIRST_FRAGMENT = 0x40,
	RESPONSE = 0x81
};

/* CRC-16/DNP: reflected, inverted at the end. */
static uint16_t crc_of(const uint8_t *data, size_t length)
{
	uint16_t crc = 0;

	for (size_t i = 0; i < length; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc >> 1 ^ ((crc & 1) != 0 ? POLYNOMIAL : 0));
	}
	return (uint16_t)~crc;
}

static bool is_header(const uint8_t *data, size_t length)
{
	return length >= HEADER && data[0] == 0x05 && data[1] == 0x64 && data[2] >= LENGTH_MIN &&
	       crc_of(data, HEADER - CRC) == (uint16_t)(data[8] | data[9] << 8);
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		const uint8_t *data = opening->side[side].data;
		size_t length = opening->side[side].length;

		if (length == 0)
			continue;
		if (length >= HEADER)
			return is_header(data, length) ? FYKE_YES : FYKE_NO;
		if (data[0] != 0x05 || (length > 1 && data[1] != 0x64))
			return FYKE_NO;
	}
	return FYKE_MAYBE;
}

static const char *function_name(uint8_t code)
{
	static const char *const requests[] = {"confirm", "read", "write", "select", "operate",
		"direct operate", "direct operate no ack", "immediate freeze", "immediate freeze no ack",
		"freeze clear", "freeze clear no ack", "freeze at time", "freeze at time no ack",
		"cold restart", "warm restart", "initialize data", "initialize application",
		"start application", "stop application", "save configuration", "enable unsolicited",
		"disable unsolicited", "assign class", "delay measurement", "record current time",
		"open file", "close file", "delete file", "get file info", "authenticate file", "abort file",
		"activate configuration", "authentication request", "authentication request no ack"};
	static const char *const responses[] = {
		"response", "unsolicited response", "authentication response"};

	if (code >= RESPONSE && code <= RESPONSE + 2)
		return responses[code - RESPONSE];
	return code < sizeof(requests) / sizeof(requests[0]) ? requests[code] : NULL;
}

/* The first block of a first fragment: transport octet, application control, function. */
static void tell(struct fyke_dissection *dissection, const uint8_t *frame, size_t user_bytes)
{
	unsigned *rows = fyke_state(dissection);
	struct fyke_cursor c = fyke_cursor(frame + HEADER, user_bytes < BLOCK ? user_bytes : BLOCK);
	uint8_t link = frame[3] & 0x0f, transport = fyke_cursor_u8(&c), function;
	struct fyke_value values[FIELD_COUNT];

	fyke_confirm(dissection);
	fyke_cursor_skip(&c, 1);
	function = fyke_cursor_u8(&c);
	if ((link != USER_DATA && link != USER_DATA_CONFIRMED) || (frame[3] & 0x40) == 0 ||
		(transport & FIRST_FRAGMENT) == 0 || !fyke_cursor_ok(&c) || *rows == ROWS_MAX)
		return;
	++*rows;
	values[SOURCE] = fyke_integer(frame[6] | frame[7] << 8);
	values[DESTINATION] = fyke_integer(frame[4] | frame[5] << 8);
	values[FROM_MASTER] = fyke_integer((frame[3] & 0x80) != 0);
	values[FUNCTION_CODE] = fyke_integer(function);
	values[FUNCTION] = fyke_word(function_name(function));
	values[INDICATIONS] = function >= RESPONSE ? fyke_integer(fyke_cursor_u16(&c)) : fyke_null();
	fyke_record(dissection, &table, values);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	size_t user, whole;

	if (input->length < HEADER)
		return fyke_need(0, HEADER);
	if (!is_header(input->data, input->length))
		return fyke_not_mine();
	user = (size_t)input->data[2] - LENGTH_MIN;
	whole = HEADER + user + (user + BLOCK - 1) / BLOCK * CRC;
	if (input->length < whole && !input->cut)
		return fyke_need(0, whole);
	tell(dissection, input->data, input->length < whole ? input->length - HEADER : user);
	return fyke_more(whole);
}

static const uint16_t ports[] = {20000, 0};
static const char *const services[] = {"dnp", NULL};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("\x05\x64")};

const struct fyke_dissector fyke_dissector_dnp3 = {
	.name = "dnp3",
	.title = "Distributed Network Protocol, IEEE 1815",
	.doc = "Requests and responses with their functions, at most 10,000 rows a session. Objects and what "
	       "goes beyond the "
	       "first fragment are not read.",
	.transports = FYKE_OVER_TCP | FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = 1,
	.tables = tables,
	.state_size = sizeof(unsigned),
	.probe = probe,
	.feed = feed,
	.gap = fyke_gap_resume,
};
