/*
 * BACnet/IP (ASHRAE 135, annex J): what devices of buildings ask each other. Values are not read.
 */
#include "dissectors/dissector.h"

enum { BVLC, PDU, SERVICE_CODE, SERVICE, INVOKE_ID, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[BVLC] = {"bvlc_function", FYKE_TYPE_INTEGER, "of the virtual link: 10 unicast, 11 broadcast …"},
	[PDU] = {"pdu", FYKE_TYPE_TEXT,
		"confirmed request, unconfirmed request, simple ack, complex ack, error …"},
	[SERVICE_CODE] = {"service_code", FYKE_TYPE_INTEGER, "what is asked"},
	[SERVICE] = {"request", FYKE_TYPE_TEXT, "its name"},
	[INVOKE_ID] = {"invoke_id", FYKE_TYPE_INTEGER, "number that answers repeat"},
};
static const struct fyke_table table = {"bacnet", "Messages of BACnet devices.", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

enum {
	TYPE = 0x81,
	HEADER = 4,
	FORWARDED = 4,
	UNICAST = 10,
	BROADCAST = 11,
	DISTRIBUTE = 9,
	NETWORK_MESSAGE = 0x80,
	HAS_DESTINATION = 0x20,
	HAS_SOURCE = 0x08,
	CONFIRMED = 0,
	UNCONFIRMED = 1,
	SIMPLE_ACK = 2,
	COMPLEX_ACK = 3,
	SEGMENT_ACK = 4,
	FAILED = 5,
	REJECTED = 6,
	ABORTED = 7,
	ROWS_MAX = 5000
};

static bool is_bvlc(const uint8_t *data, size_t length)
{
	return length >= HEADER && data[0] == TYPE && data[1] <= 12 &&
	       (size_t)(data[2] << 8 | data[3]) == length;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		const uint8_t *data = opening->side[side].data;
		size_t length = opening->side[side].length;

		if (length == 0)
			continue;
		if (!is_bvlc(data, length))
			return FYKE_NO;
		/* where a network message follows, its version is 1: 8 bits of type, 16 of length, 8 more */
		if (data[1] >= DISTRIBUTE && data[1] <= BROADCAST && length > HEADER + 2)
			return data[HEADER] == 1 ? FYKE_YES : FYKE_NO;
	}
	return FYKE_MAYBE;
}

static const char *service_name(uint8_t pdu, uint8_t code)
{
	static const char *const confirmed[] = {"acknowledge alarm", "COV notification", "event notification",
		"get alarm summary", "get enrollment summary", "subscribe COV", "atomic read file",
		"atomic write file", "add list element", "remove list element", "create object",
		"delete object", "read property", "read property conditional", "read property multiple",
		"write property", "write property multiple", "device communication control",
		"private transfer", "text message", "reinitialize device", "VT open", "VT close", "VT data",
		"authenticate", "request key", "read range", "life safety operation",
		"subscribe COV property", "get event information"};
	static const char *const unconfirmed[] = {"i-am", "i-have", "COV notification", "event notification",
		"private transfer", "text message", "time synchronization", "who-has", "who-is",
		"UTC time synchronization", "write group"};

	if (pdu == UNCONFIRMED)
		return code < sizeof(unconfirmed) / sizeof(unconfirmed[0]) ? unconfirmed[code] : NULL;
	return code < sizeof(confirmed) / sizeof(confirmed[0]) ? confirmed[code] : NULL;
}

/* The network layer in front of the application's message; false where there is none. */
static bool enter_network(struct fyke_cursor *c, uint8_t function)
{
	uint8_t control;

	if (function == FORWARDED)
		fyke_cursor_skip(c, 6);
	else if (function < DISTRIBUTE || function > BROADCAST)
		return false;
	if (fyke_cursor_u8(c) != 1)
		return false;
	control = fyke_cursor_u8(c);
	if ((control & HAS_DESTINATION) != 0) {
		fyke_cursor_skip(c, 2);
		fyke_cursor_skip(c, fyke_cursor_u8(c));
	}
	if ((control & HAS_SOURCE) != 0) {
		fyke_cursor_skip(c, 2);
		fyke_cursor_skip(c, fyke_cursor_u8(c));
	}
	if ((control & HAS_DESTINATION) != 0)
		fyke_cursor_skip(c, 1); /* hops */
	return (control & NETWORK_MESSAGE) == 0 && fyke_cursor_ok(c);
}

static void read_application(struct fyke_cursor *c, struct fyke_value *values)
{
	static const char *const pdus[] = {"confirmed request", "unconfirmed request", "simple ack",
		"complex ack", "segment ack", "error", "reject", "abort"};
	uint8_t first = fyke_cursor_u8(c), pdu = first >> 4, id = 0, service;
	bool segmented = (first & 0x08) != 0;

	if (pdu >= sizeof(pdus) / sizeof(pdus[0]) || !fyke_cursor_ok(c))
		return;
	values[PDU] = fyke_word(pdus[pdu]);
	if (pdu == CONFIRMED)
		fyke_cursor_skip(c, 1);
	if (pdu != UNCONFIRMED)
		id = fyke_cursor_u8(c);
	if ((pdu == CONFIRMED || pdu == COMPLEX_ACK) && segmented)
		fyke_cursor_skip(c, 2);
	service = fyke_cursor_u8(c);
	if (!fyke_cursor_ok(c))
		return;
	values[INVOKE_ID] = fyke_integer_if(pdu != UNCONFIRMED, id);
	if (pdu <= COMPLEX_ACK || pdu == FAILED) {
		values[SERVICE_CODE] = fyke_integer(service);
		values[SERVICE] = fyke_word(service_name(pdu, service));
	}
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	unsigned *rows = fyke_state(dissection);
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	struct fyke_value values[FIELD_COUNT] = {{0}};

	if (!is_bvlc(input->data, input->length))
		return input->cut ? fyke_more(0) : fyke_not_mine();
	if (++*rows > ROWS_MAX)
		return fyke_done();
	fyke_cursor_skip(&c, HEADER);
	values[BVLC] = fyke_integer(input->data[1]);
	if (enter_network(&c, input->data[1]))
		read_application(&c, values);
	fyke_record(dissection, &table, values);
	return fyke_more(0);
}

static const uint16_t ports[] = {47808, 0};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("\x81")};

const struct fyke_dissector fyke_dissector_bacnet = {
	.name = "bacnet",
	.title = "BACnet/IP, ASHRAE 135",
	.doc = "What devices of buildings ask each other, at most 5,000 rows a session; objects and values "
	       "are not read.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.signatures = signatures,
	.signature_count = 1,
	.tables = tables,
	.state_size = sizeof(unsigned),
	.probe = probe,
	.feed = feed,
};
