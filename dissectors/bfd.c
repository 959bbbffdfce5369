/*
 * Bidirectional Forwarding Detection, control packets (RFC 5880 §4.1, RFC 5881, RFC 5883). Packets come many
 * times a second, so there is a row when a side's state or diagnostic changes. Echo packets have no form.
 */
#include "dissectors/dissector.h"

enum { LEAST = 24 };

enum { SENDER, STATE, DIAGNOSTIC, MULTIPLIER, OWN, PEER, TRANSMIT_US, RECEIVE_US, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[SENDER] = {"sender", FYKE_TYPE_TEXT, "client or server"},
	[STATE] = {"state", FYKE_TYPE_TEXT, "admin down, down, init or up"},
	[DIAGNOSTIC] = {"diagnostic", FYKE_TYPE_INTEGER,
		"why the state changed last: 1 = detection time expired …"},
	[MULTIPLIER] = {"detect_multiplier", FYKE_TYPE_INTEGER,
		"intervals without a packet until it is down"},
	[OWN] = {"own_discriminator", FYKE_TYPE_INTEGER, "the sender's number of the session"},
	[PEER] = {"peer_discriminator", FYKE_TYPE_INTEGER, "the peer's; 0 = not known"},
	[TRANSMIT_US] = {"desired_transmit_us", FYKE_TYPE_INTEGER,
		"interval that the sender wants to send in"},
	[RECEIVE_US] = {"required_receive_us", FYKE_TYPE_INTEGER, "interval that it can receive in"},
};

static const struct fyke_table table = {"bfd", "one row per change of a side's state", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct state {
	uint16_t said[2]; /* state and diagnostic by enum fyke_side, plus 1; 0 = nothing yet */
};

static bool is_packet(const uint8_t *data, size_t length)
{
	bool authenticated = length >= LEAST && (data[1] & 4) != 0;

	/* version 1, a diagnostic that there is, the length that the flags ask for, a number of one's own */
	return length >= LEAST && data[0] >> 5 == 1 && (data[0] & 31) <= 9 && data[2] > 0 &&
	       (data[1] & 1) == 0 && data[3] <= length &&
	       (authenticated ? length > LEAST + 2 && data[LEAST] <= 5 && data[LEAST + 1] + LEAST == data[3]
			      : data[3] == LEAST) &&
	       (data[4] | data[5] | data[6] | data[7]) != 0;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	static const char *const states[] = {"admin down", "down", "init", "up"};
	struct state *state = fyke_state(dissection);
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	struct fyke_value values[FIELD_COUNT];
	unsigned diagnostic, now;

	if (!is_packet(input->data, input->length))
		return fyke_not_mine();
	diagnostic = fyke_cursor_u8(&c) & 31;
	now = fyke_cursor_u8(&c) >> 6;
	if (state->said[input->side] == (now << 8 | diagnostic) + 1)
		return fyke_more(input->length);
	state->said[input->side] = (uint16_t)((now << 8 | diagnostic) + 1);
	values[SENDER] = fyke_word(input->side == FYKE_CLIENT ? "client" : "server");
	values[STATE] = fyke_word(states[now]);
	values[DIAGNOSTIC] = fyke_integer(diagnostic);
	values[MULTIPLIER] = fyke_integer(fyke_cursor_u8(&c));
	(void)fyke_cursor_u8(&c);
	values[OWN] = fyke_integer(fyke_cursor_u32(&c));
	values[PEER] = fyke_integer(fyke_cursor_u32(&c));
	values[TRANSMIT_US] = fyke_integer(fyke_cursor_u32(&c));
	values[RECEIVE_US] = fyke_integer(fyke_cursor_u32(&c));
	fyke_record(dissection, &table, values);
	return fyke_more(input->length);
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		size_t length = opening->side[side].length;

		if (length > 0 && !is_packet(opening->side[side].data, length))
			return FYKE_NO;
	}
	return opening->on_port ? FYKE_LIKELY : FYKE_MAYBE;
}

static const uint16_t ports[] = {3784, 4784, 6784, 0};
static const char *const services[] = {"bfd-control", "bfd-multi-ctl", "bfd-lag", NULL};

const struct fyke_dissector fyke_dissector_bfd = {
	.name = "bfd",
	.title = "Bidirectional Forwarding Detection, RFC 5880",
	.doc = "Control packets on their own ports: a row when a side's state changes.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
};
