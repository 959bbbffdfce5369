/*
 * OpenVPN (openvpn-protocol, "OpenVPN's network protocol"): the opening of its control channel, over UDP and,
 * with a length in front, over TCP. Everything else is encrypted.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/phrase.h"

enum { OPCODE, SIDE, SESSION, KEY_METHOD, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[OPCODE] = {"opcode", FYKE_TYPE_TEXT, "of the first message that a side sent"},
	[SIDE] = {"side", FYKE_TYPE_TEXT, "who sent it: client or server"},
	[SESSION] = {"vpn_session", FYKE_TYPE_TEXT, "the sender's number of the session, in hex"},
	[KEY_METHOD] = {"key_method", FYKE_TYPE_INTEGER, "1, 2, or 3 (tls-crypt-v2)"},
};
static const struct fyke_table table = {"openvpn", "Openings of OpenVPN tunnels.", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

enum {
	CLIENT_1 = 1,
	SERVER_1,
	SOFT,
	CONTROL,
	ACK,
	DATA_1,
	CLIENT_2,
	SERVER_2,
	DATA_2,
	CLIENT_3,
	WRAPPED,
	SESSION_BYTES = 8,
	RESET_MIN = 14,
	RESET_MAX = 1280,
	LENGTH_BYTES = 2
};

struct state {
	bool heard[2];
};

static const char *const opcode_names[] = {NULL, "hard reset client 1", "hard reset server 1", "soft reset",
	"control", "ack", "data 1", "hard reset client 2", "hard reset server 2", "data 2",
	"hard reset client 3", "control wrapped"};

static bool is_client_reset(uint8_t opcode)
{
	return opcode == CLIENT_1 || opcode == CLIENT_2 || opcode == CLIENT_3;
}

static bool is_server_reset(uint8_t opcode)
{
	return opcode == SERVER_1 || opcode == SERVER_2;
}

/* A reset with key number 0 and a session number; without authentication a list of ACKs and packet number 0
 * stand behind it. */
static bool is_reset(const uint8_t *data, size_t length, bool by_client)
{
	uint8_t opcode = length > 0 ? data[0] >> 3 : 0;

	return length >= RESET_MIN && length <= RESET_MAX && (data[0] & 7) == 0 &&
	       (by_client ? is_client_reset(opcode) : is_server_reset(opcode));
}

/* What stands behind the session number: nothing acknowledged and packet 0, or, with authentication, the
 * number of the packet, small at the beginning, behind a digest of 16 to 64 bytes or none. */
static bool is_first(const uint8_t *data, size_t length)
{
	static const uint8_t digests[] = {0, 16, 20, 28, 32, 48, 64};

	if (length == RESET_MIN)
		return (data[9] | data[10] | data[11] | data[12] | data[13]) == 0;
	for (size_t i = 0; i < sizeof(digests); i++) {
		size_t at = 1U + SESSION_BYTES + digests[i];

		if (length >= at + 8 && (data[at] | data[at + 1] | data[at + 2]) == 0 && data[at + 3] <= 8)
			return true;
	}
	return false;
}

/* Where the message begins and how long it is; false: it cannot be one. */
static bool frame(const struct fyke_opening *opening, int side, const uint8_t **data, size_t *length)
{
	*data = opening->side[side].data;
	*length = opening->side[side].length;
	if (opening->transport == FYKE_OVER_UDP || *length == 0)
		return true;
	if (*length < LENGTH_BYTES) {
		*length = 0;
		return (*data)[0] < 6;
	}
	if (*length < (size_t)((*data)[0] << 8 | (*data)[1]) + LENGTH_BYTES) {
		*length = 0;
		return (*data)[0] < 6;
	}
	*length = (size_t)((*data)[0] << 8 | (*data)[1]);
	*data += LENGTH_BYTES;
	return *length > 0;
}

static bool echoes(const uint8_t *server, size_t length, const uint8_t *session)
{
	for (size_t at = 1 + SESSION_BYTES; at + SESSION_BYTES <= length; at++) {
		size_t i = 0;

		while (i < SESSION_BYTES && server[at + i] == session[i])
			i++;
		if (i == SESSION_BYTES)
			return true;
	}
	return false;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	const uint8_t *client, *server;
	size_t asked, answered;

	if (!frame(opening, FYKE_CLIENT, &client, &asked) || !frame(opening, FYKE_SERVER, &server, &answered))
		return FYKE_NO;
	if (asked > 0 && (!is_reset(client, asked, true) || (answered == 0 && !is_first(client, asked))))
		return FYKE_NO;
	if (answered > 0 && !is_reset(server, answered, false))
		return FYKE_NO;
	/* the server's answer names the client's session: 64 bits */
	if (asked > 0 && answered > 0 && echoes(server, answered, client + 1))
		return FYKE_YES;
	return asked > 0 || answered > 0 || opening->transport == FYKE_OVER_TCP ? FYKE_MAYBE : FYKE_NO;
}

static struct fyke_verdict take(
	struct fyke_dissection *dissection, enum fyke_side side, const uint8_t *data, size_t length)
{
	struct state *state = fyke_state(dissection);
	uint8_t opcode = length > 0 ? data[0] >> 3 : 0;
	char session[2 * SESSION_BYTES];
	struct fyke_phrase phrase = fyke_phrase(session, sizeof(session));
	struct fyke_value values[FIELD_COUNT];

	if (length < 1 + SESSION_BYTES || opcode == 0 || opcode > WRAPPED)
		return fyke_not_mine();
	if (state->heard[side])
		return fyke_more(0);
	if (!is_reset(data, length, side == FYKE_CLIENT))
		return fyke_not_mine();
	state->heard[side] = true;
	fyke_phrase_hex(&phrase, data + 1, SESSION_BYTES);
	values[OPCODE] = fyke_word(opcode_names[opcode]);
	values[SIDE] = fyke_word(side == FYKE_CLIENT ? "client" : "server");
	values[SESSION] = fyke_phrase_value(&phrase);
	values[KEY_METHOD] = fyke_integer(opcode <= SERVER_1 ? 1 : opcode == CLIENT_3 ? 3 : 2);
	fyke_record(dissection, &table, values);
	return state->heard[fyke_side_other(side)] ? fyke_done() : fyke_more(0);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_verdict verdict;
	size_t length;

	if (fyke_transport_of(dissection) == FYKE_OVER_UDP)
		return take(dissection, input->side, input->data, input->length);
	if (input->length < LENGTH_BYTES)
		return fyke_more(0);
	length = (size_t)(input->data[0] << 8 | input->data[1]);
	if (input->length < LENGTH_BYTES + length)
		return fyke_need(0, LENGTH_BYTES + length);
	verdict = take(dissection, input->side, input->data + LENGTH_BYTES, length);
	verdict.consumed = LENGTH_BYTES + length;
	return verdict;
}

static const uint16_t ports[] = {1194, 0};
static const struct fyke_signature signatures[] = {FYKE_CLIENT_SAYS("\x08"), FYKE_CLIENT_SAYS("\x38"),
	FYKE_CLIENT_SAYS("\x50"), FYKE_SERVER_SAYS("\x10"), FYKE_SERVER_SAYS("\x40"),
	FYKE_CLIENT_SAYS("\x00"), FYKE_CLIENT_SAYS("\x01"), FYKE_CLIENT_SAYS("\x04")};

const struct fyke_dissector fyke_dissector_openvpn = {
	.name = "openvpn",
	.title = "OpenVPN",
	.doc = "The first messages of both sides, on any port when both are seen. A tunnel that is captured "
	       "in its "
	       "middle is not recognised.",
	.transports = FYKE_OVER_TCP | FYKE_OVER_UDP,
	.ports = ports,
	.signatures = signatures,
	.signature_count = sizeof(signatures) / sizeof(signatures[0]),
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
};
