/*
 * Reports of flows that routers send: NetFlow 1, 5, 7 (Cisco), 9 (RFC 3954), IPFIX (RFC 7011), sFlow 5. Who
 * reports how much; the flows themselves are not read.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/phrase.h"

enum { FORMAT, RECORDS, SEQUENCE, SOURCE, AGENT, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[FORMAT] = {"format", FYKE_TYPE_TEXT, "netflow1, netflow5, netflow7, netflow9, ipfix or sflow5"},
	[RECORDS] = {"records", FYKE_TYPE_INTEGER, "flows or samples in the datagram; IPFIX does not tell"},
	[SEQUENCE] = {"sequence", FYKE_TYPE_INTEGER, "number of the datagram, or of its first record"},
	[SOURCE] = {"source_id", FYKE_TYPE_INTEGER, "which part of the exporter reports"},
	[AGENT] = {"agent", FYKE_TYPE_TEXT, "of sFlow: the device that reports"},
};
static const struct fyke_table table = {"netflow", "Reports of flows.", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

enum {
	ROWS_MAX = 1000,
	HEADER_1 = 16,
	RECORD_1 = 52,
	HEADER_5 = 24,
	RECORD_5 = 48,
	RECORD_7 = 52,
	HEADER_9 = 20,
	HEADER_IPFIX = 16,
	SET_MIN = 4,
	SETS_MAX = 64
};

#define YEAR_2000 946684800U

struct report {
	const char *format;
	int64_t records, sequence, source;
	struct fyke_address agent;
};

/* Sets of a length each that fill the datagram. */
static bool are_sets(struct fyke_cursor c, bool ipfix)
{
	for (int i = 0; i < SETS_MAX && fyke_cursor_left(&c) >= SET_MIN; i++) {
		uint16_t id = fyke_cursor_u16(&c), length = fyke_cursor_u16(&c);

		if (length < SET_MIN || (id > (ipfix ? 3 : 1) && id < 256) || (ipfix && id < 2))
			return false;
		fyke_cursor_skip(&c, (size_t)length - SET_MIN);
	}
	return fyke_cursor_ok(&c) && fyke_cursor_left(&c) < SET_MIN;
}

static bool read_fixed(struct fyke_cursor *c, uint16_t version, size_t all, struct report *report)
{
	size_t header = version == 1 ? HEADER_1 : HEADER_5, record = version == 1   ? RECORD_1
								     : version == 5 ? RECORD_5
										    : RECORD_7;
	uint32_t seconds;

	report->format = version == 1 ? "netflow1" : version == 5 ? "netflow5" : "netflow7";
	report->records = fyke_cursor_u16(c);
	fyke_cursor_skip(c, 4);
	seconds = fyke_cursor_u32(c);
	fyke_cursor_skip(c, 4);
	report->sequence = version == 1 ? -1 : (int64_t)fyke_cursor_u32(c);
	return fyke_cursor_ok(c) && report->records > 0 && seconds > YEAR_2000 &&
	       all == header + (size_t)report->records * record;
}

static bool read_sets(struct fyke_cursor *c, uint16_t version, size_t all, struct report *report)
{
	bool ipfix = version == 10;
	uint16_t count = fyke_cursor_u16(c);
	uint32_t seconds;

	if (!ipfix)
		fyke_cursor_skip(c, 4);
	seconds = fyke_cursor_u32(c);
	report->format = ipfix ? "ipfix" : "netflow9";
	report->sequence = fyke_cursor_u32(c);
	report->source = fyke_cursor_u32(c);
	report->records = ipfix ? -1 : count;
	return fyke_cursor_ok(c) && seconds > YEAR_2000 && (!ipfix || count == all) && are_sets(*c, ipfix);
}

static bool read_sflow(struct fyke_cursor *c, struct report *report)
{
	uint32_t family;
	const uint8_t *ip;

	if (fyke_cursor_u16(c) != 5)
		return false;
	family = fyke_cursor_u32(c);
	ip = fyke_cursor_take(c, family == 1 ? 4 : 16);
	report->format = "sflow5";
	report->source = fyke_cursor_u32(c);
	report->sequence = fyke_cursor_u32(c);
	fyke_cursor_skip(c, 4);
	report->records = fyke_cursor_u32(c);
	if (!fyke_cursor_ok(c) || (family != 1 && family != 2) || report->records > 64)
		return false;
	report->agent = family == 1 ? fyke_address_ipv4(ip) : fyke_address_ipv6(ip);
	for (int64_t i = 0; i < report->records; i++) {
		fyke_cursor_skip(c, 4);
		fyke_cursor_skip(c, fyke_cursor_u32(c));
	}
	return fyke_cursor_ok(c) && fyke_cursor_left(c) == 0;
}

static bool read_report(const uint8_t *data, size_t length, struct report *report)
{
	struct fyke_cursor c = fyke_cursor(data, length);
	uint16_t version = fyke_cursor_u16(&c);

	*report = (struct report){.records = -1, .sequence = -1, .source = -1};
	switch (version) {
	case 0:
		return read_sflow(&c, report);
	case 1:
	case 5:
	case 7:
		return read_fixed(&c, version, length, report);
	case 9:
	case 10:
		return read_sets(&c, version, length, report);
	default:
		return false;
	}
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		struct report report;

		if (opening->side[side].length > 0 &&
			read_report(opening->side[side].data, opening->side[side].length, &report))
			return FYKE_YES;
	}
	return FYKE_NO;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	unsigned *rows = fyke_state(dissection);
	struct report report;
	char agent[FYKE_ADDRESS_TEXT];
	struct fyke_value values[FIELD_COUNT];

	if (!read_report(input->data, input->length, &report))
		return input->cut ? fyke_more(0) : fyke_not_mine();
	values[FORMAT] = fyke_word(report.format);
	values[RECORDS] = fyke_integer_if(report.records >= 0, report.records);
	values[SEQUENCE] = fyke_integer_if(report.sequence >= 0, report.sequence);
	values[SOURCE] = fyke_integer_if(report.source >= 0, report.source);
	values[AGENT] = fyke_address_text(&report.agent, agent) > 0 ? fyke_word(agent) : fyke_null();
	if (++*rows > ROWS_MAX)
		return fyke_done();
	fyke_record(dissection, &table, values);
	return fyke_more(0);
}

static const uint16_t ports[] = {2055, 2056, 4432, 4739, 6343, 9555, 9995, 9996, 0};
static const char *const services[] = {"ipfix", "sflow", NULL};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("\x00")};

const struct fyke_dissector fyke_dissector_netflow = {
	.name = "netflow",
	.title = "NetFlow, IPFIX (RFC 7011), sFlow 5",
	.doc = "Who reports flows, how many, in which form; the first 1,000 datagrams of a session. What the "
	       "flows were is "
	       "not read.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = 1,
	.tables = tables,
	.state_size = sizeof(unsigned),
	.probe = probe,
	.feed = feed,
};
