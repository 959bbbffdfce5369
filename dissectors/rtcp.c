/*
 * RTCP (RFC 3550 §6): who takes part (SDES) and what reports say of losses. Known by what SIP or RTSP
 * announced, or by itself when a datagram is a chain of its packets to the last byte.
 */
#include "dissectors/dissector.h"

#include <string.h>

enum { CHAIN_MAX = 32, NAME_MAX_BYTES = 255 };
enum { SENDER_REPORT = 200, RECEIVER_REPORT = 201, DESCRIPTION = 202 };

enum { CONTROL, SENDER, SSRC, CNAME, TOOL, PACKETS, SENT_PACKETS, LOST_PACKETS, JITTER, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[CONTROL] = {"control_session_id", FYKE_TYPE_SESSION, "the session that announced it"},
	[SENDER] = {"sender", FYKE_TYPE_TEXT, "client or server"},
	[SSRC] = {"ssrc", FYKE_TYPE_INTEGER, "the sender's number"},
	[CNAME] = {"cname", FYKE_TYPE_TEXT, "its canonical name"},
	[TOOL] = {"tool", FYKE_TYPE_TEXT, "its program"},
	[PACKETS] = {"packets", FYKE_TYPE_INTEGER, "datagrams that were seen"},
	[SENT_PACKETS] = {"sent_packets", FYKE_TYPE_INTEGER, "of RTP, by its latest report"},
	[LOST_PACKETS] = {"lost_packets", FYKE_TYPE_INTEGER, "of RTP that it receives, likewise"},
	[JITTER] = {"jitter", FYKE_TYPE_INTEGER, "likewise, in units of the RTP clock"},
};

static const struct fyke_table table = {"rtcp", "one row per side that reports", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct side_state {
	struct fyke_moment begun;
	struct fyke_text cname, tool;
	int64_t packets, sent, lost, jitter;
	uint32_t ssrc;
	bool has_sent, has_lost;
};

struct state {
	struct side_state side[2];
	uint8_t aliens;
};

/* A chain of packets that fills the datagram, whose first is a report. */
static bool is_chain(const uint8_t *data, size_t length)
{
	struct fyke_cursor c = fyke_cursor(data, length);

	for (int i = 0; i < CHAIN_MAX && fyke_cursor_left(&c) > 0; i++) {
		uint8_t first = fyke_cursor_u8(&c), type = fyke_cursor_u8(&c);
		uint16_t words = fyke_cursor_u16(&c);

		if (first >> 6 != 2 || type < 200 || type > 207 || (i == 0 && type > RECEIVER_REPORT) ||
			(i == 0 && words == 0))
			return false;
		if (!fyke_cursor_skip(&c, (size_t)4 * words))
			return false;
	}
	return fyke_cursor_ok(&c) && fyke_cursor_left(&c) == 0 && length >= 8;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	enum fyke_match match = FYKE_MAYBE;

	for (int side = 0; side < 2; side++) {
		if (opening->side[side].length == 0)
			continue;
		if (!is_chain(opening->side[side].data, opening->side[side].length))
			return FYKE_NO;
		match = FYKE_YES;
	}
	return match;
}

static void read_items(struct fyke_dissection *dissection, struct side_state *own, struct fyke_cursor *c)
{
	(void)fyke_cursor_u32(c);
	while (fyke_cursor_left(c) >= 2) {
		uint8_t kind = fyke_cursor_u8(c), length = fyke_cursor_u8(c);
		const uint8_t *text = fyke_cursor_take(c, length);

		if (kind == 0 || text == NULL)
			return;
		if (kind == 1)
			fyke_keep(dissection, &own->cname, text, length, NAME_MAX_BYTES);
		else if (kind == 6)
			fyke_keep(dissection, &own->tool, text, length, NAME_MAX_BYTES);
	}
}

static void read_report(struct side_state *own, struct fyke_cursor *c, uint8_t type, uint8_t blocks)
{
	own->ssrc = fyke_cursor_u32(c);
	if (type == SENDER_REPORT) {
		uint32_t sent;

		(void)fyke_cursor_skip(c, 12);
		sent = fyke_cursor_u32(c);
		(void)fyke_cursor_u32(c);
		own->has_sent = fyke_cursor_ok(c);
		own->sent = sent;
	}
	if (blocks == 0)
		return;
	(void)fyke_cursor_skip(c, 5);
	own->lost = fyke_cursor_u24(c);
	(void)fyke_cursor_u32(c);
	own->jitter = fyke_cursor_u32(c);
	own->has_lost = fyke_cursor_ok(c);
}

static void read_chain(
	struct fyke_dissection *dissection, struct side_state *own, const struct fyke_input *input)
{
	struct fyke_cursor c = fyke_cursor(input->data, input->length);

	for (int i = 0; i < CHAIN_MAX && fyke_cursor_left(&c) > 0; i++) {
		uint8_t first = fyke_cursor_u8(&c), type = fyke_cursor_u8(&c);
		struct fyke_cursor body = fyke_cursor_carve(&c, (size_t)4 * fyke_cursor_u16(&c));

		if (!fyke_cursor_ok(&c))
			return;
		if (type == SENDER_REPORT || type == RECEIVER_REPORT)
			read_report(own, &body, type, first & 31);
		else if (type == DESCRIPTION)
			read_items(dissection, own, &body);
	}
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct side_state *own = &state->side[input->side];

	if (input->length == 0)
		return fyke_more(0);
	/* encrypted (SRTCP) or with STUN beside it: only its head can be read */
	if (input->length < 8 || input->data[0] >> 6 != 2 || input->data[1] < 200 || input->data[1] > 207) {
		if (state->side[0].packets + state->side[1].packets > 0)
			return fyke_more(input->length);
		return fyke_not_mine();
	}
	if (own->packets++ == 0)
		own->begun = fyke_now(dissection);
	if (is_chain(input->data, input->length))
		read_chain(dissection, own, input);
	fyke_confirm(dissection);
	return fyke_more(input->length);
}

static void end(struct fyke_dissection *dissection)
{
	const struct state *state = fyke_state(dissection);

	for (int side = 0; side < 2; side++) {
		const struct side_state *own = &state->side[side];
		struct fyke_value values[FIELD_COUNT];

		if (own->packets == 0)
			continue;
		values[CONTROL] = fyke_expected_by(dissection);
		values[SENDER] = fyke_word(side == FYKE_CLIENT ? "client" : "server");
		values[SSRC] = fyke_integer_if(own->has_lost || own->has_sent || own->ssrc != 0, own->ssrc);
		values[CNAME] = fyke_text_of(&own->cname);
		values[TOOL] = fyke_text_of(&own->tool);
		values[PACKETS] = fyke_integer(own->packets);
		values[SENT_PACKETS] = fyke_integer_if(own->has_sent, own->sent);
		values[LOST_PACKETS] = fyke_integer_if(own->has_lost, own->lost);
		values[JITTER] = fyke_integer_if(own->has_lost, own->jitter);
		fyke_record_at(dissection, &table, own->begun, values);
	}
}

static const uint16_t ports[] = {5005, 0};
static const char *const services[] = {"rtcp", "avt-profile-2", NULL};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("\x80\xc8"), FYKE_EITHER_SAYS("\x81\xc8"),
	FYKE_EITHER_SAYS("\x80\xc9"), FYKE_EITHER_SAYS("\x81\xc9"), FYKE_EITHER_SAYS("\x82\xc8"),
	FYKE_EITHER_SAYS("\x82\xc9")};

const struct fyke_dissector fyke_dissector_rtcp = {
	.name = "rtcp",
	.title = "RTP Control Protocol, RFC 3550",
	.doc = "Who takes part in a media session, and losses and jitter by the latest report.",
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
