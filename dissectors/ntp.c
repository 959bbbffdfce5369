/*
 * NTP (RFC 5905; mode 6 RFC 9327, mode 7 as ntpd has it). One row per message: each stands for itself.
 * Extension fields and authenticators are counted as bytes only.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/phrase.h"

enum { HEADER = 48, CONTROL_HEADER = 12, PRIVATE_HEADER = 8, CONTROL = 6, PRIVATE = 7, ERA_BIT = 0x80000000 };

enum {
	VERSION,
	MODE,
	STRATUM,
	LEAP,
	POLL_SECONDS,
	PRECISION,
	ROOT_DELAY_US,
	ROOT_DISPERSION_US,
	REFERENCE,
	REFERENCE_US,
	ORIGIN_US,
	RECEIVE_US,
	TRANSMIT_US,
	EXTENSION_BYTES,
	REQUEST_CODE,
	RESPONSE,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[VERSION] = {"version", FYKE_TYPE_INTEGER, "1 to 4"},
	[MODE] = {"mode", FYKE_TYPE_TEXT, "client, server, broadcast, control …"},
	[STRATUM] = {"stratum", FYKE_TYPE_INTEGER, "distance from the reference clock; 0 = not told"},
	[LEAP] = {"leap", FYKE_TYPE_INTEGER, "leap indicator; 3 = clock not set"},
	[POLL_SECONDS] = {"poll_seconds", FYKE_TYPE_INTEGER, "time between messages; NULL below 1"},
	[PRECISION] = {"precision", FYKE_TYPE_INTEGER, "of the clock, as a power of two of seconds"},
	[ROOT_DELAY_US] = {"root_delay_us", FYKE_TYPE_INTEGER, "round trip to the reference clock"},
	[ROOT_DISPERSION_US] = {"root_dispersion_us", FYKE_TYPE_INTEGER, "possible error of that clock"},
	[REFERENCE] = {"reference", FYKE_TYPE_TEXT,
		"the reference clock's kind, or the server's address (of IPv6 a hash)"},
	[REFERENCE_US] = {"reference_us", FYKE_TYPE_INTEGER, "when the clock was set last, since 1970"},
	[ORIGIN_US] = {"origin_us", FYKE_TYPE_INTEGER, "when the request left, by its sender's clock"},
	[RECEIVE_US] = {"receive_us", FYKE_TYPE_INTEGER, "when the request came, by the server's clock"},
	[TRANSMIT_US] = {"transmit_us", FYKE_TYPE_INTEGER, "when this message left, by its sender's clock"},
	[EXTENSION_BYTES] = {"extension_bytes", FYKE_TYPE_INTEGER, "extension fields and authenticator"},
	[REQUEST_CODE] = {"request_code", FYKE_TYPE_INTEGER,
		"of control messages the operation, of private ones the request (42: list of clients)"},
	[RESPONSE] = {"response", FYKE_TYPE_BOOLEAN, "control or private message that answers"},
};

static const struct fyke_table table = {"ntp", "one row per message", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

/* Seconds since 1900 (of the second era since 2036) and a fraction; 0 = not told. */
static struct fyke_value time_of(struct fyke_cursor *c)
{
	uint32_t seconds = fyke_cursor_u32(c), fraction = fyke_cursor_u32(c);
	int64_t since = (int64_t)seconds - INT64_C(2208988800);

	if (seconds == 0 && fraction == 0)
		return fyke_null();
	if ((seconds & ERA_BIT) == 0)
		since += INT64_C(1) << 32;
	return fyke_integer(
		since * 1000000 + (int64_t)(((uint64_t)fraction * 1000000 + (UINT64_C(1) << 31)) >> 32));
}

static struct fyke_value span_of(struct fyke_cursor *c)
{
	return fyke_integer((int64_t)(((uint64_t)fyke_cursor_u32(c) * 1000000 + (1U << 15)) >> 16));
}

static void say_reference(unsigned stratum, const uint8_t *bytes, struct fyke_phrase *out)
{
	size_t length = 0;

	while (length < 4 && bytes[length] >= 0x20 && bytes[length] < 0x7f)
		length++;
	if (stratum > 1)
		fyke_phrase_ipv4(out, bytes);
	else
		fyke_phrase_add(out, bytes, length);
}

static void read_times(struct fyke_cursor *c, struct fyke_value *values, struct fyke_phrase *reference)
{
	unsigned stratum = fyke_cursor_u8(c);
	int8_t poll = (int8_t)fyke_cursor_u8(c);
	const uint8_t *id;

	values[STRATUM] = fyke_integer(stratum);
	values[POLL_SECONDS] =
		fyke_integer_if(poll >= 0 && poll < 32, poll >= 0 && poll < 32 ? INT64_C(1) << poll : 0);
	values[PRECISION] = fyke_integer((int8_t)fyke_cursor_u8(c));
	values[ROOT_DELAY_US] = span_of(c);
	values[ROOT_DISPERSION_US] = span_of(c);
	id = fyke_cursor_take(c, 4);
	if (id != NULL)
		say_reference(stratum, id, reference);
	values[REFERENCE] = fyke_phrase_value(reference);
	values[REFERENCE_US] = time_of(c);
	values[ORIGIN_US] = time_of(c);
	values[RECEIVE_US] = time_of(c);
	values[TRANSMIT_US] = time_of(c);
	values[EXTENSION_BYTES] = fyke_integer((int64_t)fyke_cursor_left(c));
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	static const char *const modes[] = {"reserved", "symmetric active", "symmetric passive", "client",
		"server", "broadcast", "control", "private"};
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	struct fyke_value values[FIELD_COUNT] = {{0}};
	uint8_t first = fyke_cursor_u8(&c);
	unsigned mode = first & 7;
	char text[FYKE_ADDRESS_TEXT];
	struct fyke_phrase reference = fyke_phrase(text, sizeof(text));

	values[MODE] = fyke_word(modes[mode]);
	if (mode == CONTROL) {
		uint8_t code = fyke_cursor_u8(&c);

		values[REQUEST_CODE] = fyke_integer(code & 31);
		values[RESPONSE] = fyke_integer(code >> 7);
	} else if (mode == PRIVATE) {
		(void)fyke_cursor_u16(&c);
		values[REQUEST_CODE] = fyke_integer(fyke_cursor_u8(&c));
		values[RESPONSE] = fyke_integer(first >> 7);
	} else {
		values[LEAP] = fyke_integer(first >> 6);
		read_times(&c, values, &reference);
	}
	values[VERSION] = fyke_integer(first >> 3 & 7);
	if (!fyke_cursor_ok(&c) && !input->cut)
		return fyke_not_mine();
	fyke_record(dissection, &table, values);
	return fyke_rest();
}

/* A few bits say little: only on its own port. */
/* Times and nothing, a message digest (4 + 16 or 20 bytes, or the 4 of a crypto-NAK), or, in version 4,
 * extension fields before those (RFC 7822). */
static bool is_length(size_t length, unsigned version)
{
	size_t rest = length - HEADER;

	if (rest == 0 || rest == 4 || rest == 12 || rest == 20 || rest == 24)
		return true;
	return version == 4 && rest % 4 == 0 && rest >= 16;
}

/* Strata above 16 are reserved, and nobody asks less often than every 36 hours (RFC 5905 §7.3). */
static bool are_times(const uint8_t *data, size_t length)
{
	unsigned version = data[0] >> 3 & 7;

	return is_length(length, version) && data[1] <= 16 &&
	       ((int8_t)data[2] >= -6 && (int8_t)data[2] <= 17) && (int8_t)data[3] <= 0;
}

static bool is_message(const uint8_t *data, size_t length)
{
	size_t count;

	switch (data[0] & 7) {
	case CONTROL: /* RFC 9327: as many bytes as it says, padded to four; a digest may follow */
		count = ((size_t)(data[10] << 8 | data[11]) + CONTROL_HEADER + 3) / 4 * 4;
		return (data[0] >> 3 & 7) >= 2 &&
		       (length == count || length == count + 20 || length == count + 24);
	case PRIVATE: /* implementation 0, 2 or 3; items of a size that fit; a request is no error */
		return (data[2] == 0 || data[2] == 2 || data[2] == 3) && (data[6] & 0xf0) == 0 &&
		       ((data[0] & 0x80) != 0 || (data[4] & 0xf0) == 0) &&
		       (size_t)(data[4] << 8 | data[5]) % 4096 * (size_t)(data[6] << 8 | data[7]) +
				       PRIVATE_HEADER <=
			       length;
	default:
		return are_times(data, length);
	}
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	static const size_t least[] = {
		HEADER, HEADER, HEADER, HEADER, HEADER, HEADER, CONTROL_HEADER, PRIVATE_HEADER};

	for (int side = 0; side < 2; side++) {
		const uint8_t *data = opening->side[side].data;
		unsigned version;

		if (opening->side[side].length == 0)
			continue;
		version = data[0] >> 3 & 7;
		if (version < 1 || version > 4 || opening->side[side].length < least[data[0] & 7] ||
			((data[0] & 7) == 0 && version > 1) || !is_message(data, opening->side[side].length))
			return FYKE_NO;
	}
	return opening->on_port ? FYKE_LIKELY : FYKE_MAYBE;
}

static const uint16_t ports[] = {123, 0};
static const char *const services[] = {"ntp", NULL};

const struct fyke_dissector fyke_dissector_ntp = {
	.name = "ntp",
	.title = "Network Time Protocol, RFC 5905",
	.doc = "One row per message, on port 123 only. Control and private messages by their request alone.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.tables = tables,
	.probe = probe,
	.feed = feed,
};
