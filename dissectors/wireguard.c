/*
 * WireGuard (Donenfeld, "WireGuard: Next Generation Kernel Network Tunnel", 5.4): the handshakes of a
 * session. What is inside is encrypted; nothing else is told.
 */
#include "dissectors/dissector.h"

enum { MESSAGE, SIDE, SENDER_INDEX, RECEIVER_INDEX, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[MESSAGE] = {"message", FYKE_TYPE_TEXT,
		"initiation, response or cookie; data where no handshake was seen"},
	[SIDE] = {"side", FYKE_TYPE_TEXT, "who sent it: client or server"},
	[SENDER_INDEX] = {"sender_index", FYKE_TYPE_INTEGER, "the sender's number for the session"},
	[RECEIVER_INDEX] = {"receiver_index", FYKE_TYPE_INTEGER, "the receiver's number for it"},
};
static const struct fyke_table table = {"wireguard", "Handshakes of WireGuard.", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

enum {
	INITIATION = 1,
	RESPONSE,
	COOKIE,
	DATA,
	INITIATION_BYTES = 148,
	RESPONSE_BYTES = 92,
	COOKIE_BYTES = 64,
	DATA_MIN = 32,
	ROUND = 16
};

struct message {
	uint8_t type;
	uint32_t sender, receiver;
	bool has_sender, has_receiver;
};

/* Type and three zero bytes; each type has one length, data are padded to 16 bytes. */
static bool read_message(const uint8_t *data, size_t length, struct message *message)
{
	struct fyke_cursor c = fyke_cursor(data, length);
	uint32_t type = fyke_cursor_le32(&c);

	*message = (struct message){.type = (uint8_t)type};
	switch (type) {
	case INITIATION:
		message->has_sender = true;
		message->sender = fyke_cursor_le32(&c);
		return length == INITIATION_BYTES;
	case RESPONSE:
		message->has_sender = message->has_receiver = true;
		message->sender = fyke_cursor_le32(&c);
		message->receiver = fyke_cursor_le32(&c);
		return length == RESPONSE_BYTES;
	case COOKIE:
		message->has_receiver = true;
		message->receiver = fyke_cursor_le32(&c);
		return length == COOKIE_BYTES;
	case DATA:
		message->has_receiver = true;
		message->receiver = fyke_cursor_le32(&c);
		return length >= DATA_MIN && length % ROUND == 0;
	default:
		return false;
	}
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	struct message message[2];
	bool is[2];

	for (int side = 0; side < 2; side++) {
		is[side] = read_message(opening->side[side].data, opening->side[side].length, &message[side]);
		if (opening->side[side].length > 0 && !is[side])
			return FYKE_NO;
		/* 32 bits of type, and a length that no other has */
		if (is[side] && message[side].type == INITIATION)
			return FYKE_YES;
	}
	if (is[0] && is[1])
		return FYKE_YES;
	return is[0] || is[1] ? FYKE_MAYBE : FYKE_NO;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	static const char *const names[] = {NULL, "initiation", "response", "cookie", "data"};
	bool *told = fyke_state(dissection);
	struct message message;
	struct fyke_value values[FIELD_COUNT];

	if (input->cut)
		return fyke_more(0);
	if (!read_message(input->data, input->length, &message))
		return fyke_not_mine();
	if (message.type == DATA && *told)
		return fyke_more(0);
	*told = true;
	values[MESSAGE] = fyke_word(names[message.type]);
	values[SIDE] = fyke_word(input->side == FYKE_CLIENT ? "client" : "server");
	values[SENDER_INDEX] = fyke_integer_if(message.has_sender, message.sender);
	values[RECEIVER_INDEX] = fyke_integer_if(message.has_receiver, message.receiver);
	fyke_record(dissection, &table, values);
	return fyke_more(0);
}

static const uint16_t ports[] = {51820, 0};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("\x01\x00\x00\x00"),
	FYKE_EITHER_SAYS("\x02\x00\x00\x00"), FYKE_EITHER_SAYS("\x03\x00\x00\x00"),
	FYKE_EITHER_SAYS("\x04\x00\x00\x00")};

const struct fyke_dissector fyke_dissector_wireguard = {
	.name = "wireguard",
	.title = "WireGuard",
	.doc = "Handshakes, on any port. A session that is captured without one is known by its data on port "
	       "51820, or "
	       "when both sides are heard.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.signatures = signatures,
	.signature_count = 4,
	.tables = tables,
	.state_size = sizeof(bool),
	.probe = probe,
	.feed = feed,
};
